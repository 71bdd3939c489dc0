#ifndef DAG_STORE_HTTP_TABLE_H
#define DAG_STORE_HTTP_TABLE_H
/*
 * What the module http exports: the functions of store/http.h, without their loading.  Any
 * change raises HTTP_TABLE_VERSION.
 */
#include "store/http.h"
#include "store/module.h"

#define HTTP_TABLE_VERSION 1

struct http_table {
	struct module_head head;
	int (*ask)(const struct http_request *, struct http_answer *, struct err *);
	int (*get)(const struct http_request *, struct http_answer *, struct err *);
};

#endif
