#ifndef DAG_TESTS_YAML_FIXTURE_H
#define DAG_TESTS_YAML_FIXTURE_H
/* A text read, with what was said about it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/yaml.h"

struct doc {
	struct arena *arena;
	struct diag *diag;
	struct yaml_node *root;
	struct buf said;
	int rc;
};

static inline struct doc
read_n(const char *text, size_t len)
{
	struct doc doc = {.arena = arena_new(0), .diag = diag_new()};

	assert_non_null(doc.arena);
	assert_non_null(doc.diag);
	assert_int_equal(diag_file(doc.diag, "x", text, len), 0);
	doc.rc = yaml_parse(doc.arena, doc.diag, 0, text, len, &doc.root);
	assert_true(doc.rc == -1 ? doc.root == NULL : doc.root != NULL);
	buf_init(&doc.said, 0);
	diag_print(doc.diag, &doc.said, false, 0);
	assert_int_equal(doc.rc != 0, diag_errors(doc.diag) != 0);
	return doc;
}

static inline struct doc
read_text(const char *text)
{
	return read_n(text, strlen(text));
}

static inline void
drop(struct doc *doc)
{
	buf_release(&doc->said);
	diag_free(doc->diag);
	arena_free(doc->arena);
}

#endif
