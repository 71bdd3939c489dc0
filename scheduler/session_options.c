/*
 * What a run was asked for, as its row keeps it for whoever takes it over.
 */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "scheduler/session_int.h"

#include <jansson.h>

struct option {
	const char *name;
	size_t at; /* in struct dag_how */
};

#define HOW(member)                                                     \
	{                                                               \
		.name = #member, .at = offsetof(struct dag_how, member) \
	}

static const struct option hows[] = {
    HOW(force),	       HOW(no_cache),  HOW(no_lock),	   HOW(force_downstream),
    HOW(no_run_cache), HOW(no_commit), HOW(allow_missing), HOW(pull)};

/**
 * options_put(q):
 * Return the options of the request as JSON, malloc'ed; NULL if memory runs out.
 */
char *
options_put(const struct session_request *q)
{
	struct json_writer w;
	struct buf b;
	char *s;

	buf_init(&b, 0);
	json_init(&w, &b, 0);
	json_begin_object(&w);
	json_kv_bool(&w, "fail_fast", q->fail_fast);
	for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++)
		if (*(const bool *)((const char *)&q->how + hows[i].at))
			json_kv_bool(&w, hows[i].name, true);
	json_end(&w);
	s = buf_steal(&b);
	buf_release(&b);
	return s;
}

/**
 * options_read(r, text, err):
 * Give the run the options that it was made with; what ${text} does not have is off.  Return 0
 * or -1.
 */
int
options_read(struct srun *r, const char *text, struct err *err)
{
	struct err why = {0};
	json_t *j = json_parse(text, strlen(text), &why);

	if (j == NULL && why.code == ERR_NOMEM)
		return err_nomem(err);
	r->fail_fast = json_is_true(json_object_get(j, "fail_fast"));
	for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++)
		*(bool *)((char *)&r->how + hows[i].at) =
		    json_is_true(json_object_get(j, hows[i].name));
	json_decref(j);
	return 0;
}
