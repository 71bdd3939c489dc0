#ifndef DAG_STORE_UNICODE_TABLE_H
#define DAG_STORE_UNICODE_TABLE_H
/*
 * What the module unicode exports: the function of store/unicode.h, without its loading.  Any
 * change raises UNICODE_TABLE_VERSION.
 */
#include "store/module.h"
#include "store/unicode.h"

#define UNICODE_TABLE_VERSION 1

struct unicode_table {
	struct module_head head;
	int (*fold)(const char *, size_t, unsigned, struct buf *, struct err *);
};

#endif
