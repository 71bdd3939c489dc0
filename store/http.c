/* The way to the module http: it is loaded with the first request. */
#include "store/http.h"

#include "store/http_table.h"

static struct module module = MODULE("http", HTTP_TABLE_VERSION);

int
http_ask(const struct http_request *rq, struct http_answer *answer, struct err *err)
{
	const struct http_table *t = module_load(&module, err);

	*answer = (struct http_answer){.size = -1};
	return t != NULL ? t->ask(rq, answer, err) : -1;
}

int
http_get(const struct http_request *rq, struct http_answer *answer, struct err *err)
{
	const struct http_table *t = module_load(&module, err);

	*answer = (struct http_answer){.size = -1};
	return t != NULL ? t->get(rq, answer, err) : -1;
}
