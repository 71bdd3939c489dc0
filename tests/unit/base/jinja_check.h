#ifndef DAG_TESTS_JINJA_CHECK_H
#define DAG_TESTS_JINJA_CHECK_H
/*
 * What the tests of the Jinja engine share: a context made of JSON text, in which the name
 * `T` is also the time 2026-01-02T03:04:05Z and `H` a mapping of the host's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jinja.h"
#include "base/json.h"

#define CHECK_TIME ((int64_t)1767323045 * 1000000)

/* One rendering, its outcome and what it used. */
struct check {
	struct arena *code, *data;
	struct jinja_val names; /* the context's names */
	struct jinja *t;
	struct jinja_error mistake;
	struct jinja_ctx ctx;
	struct jinja_where where;
	struct err err;
	struct buf out;
};

static inline int
check_host_get(void *ctx, struct arena *a, const char *name, struct jinja_val *out,
	       struct err *err)
{
	(void)ctx;
	(void)a;
	if (strcmp(name, "alpha") == 0) {
		*out = jinja_int(1);
		return 1;
	}
	if (strcmp(name, "beta") == 0) {
		*out = jinja_str("two");
		return 1;
	}
	if (strcmp(name, "later") == 0) {
		(void)err_set(err, ERR_NOTFOUND,
			      "H.later is known when the task has run");
		return 0;
	}
	if (strcmp(name, "broken") == 0)
		return err_set(err, ERR_SYS, "the disk is gone");
	return 0;
}

static inline const char *
check_host_name(void *ctx, size_t i)
{
	static const char *const names[] = {"alpha", "beta"};

	(void)ctx;
	return i < 2 ? names[i] : NULL;
}

static const struct jinja_host check_host = {
    .get = check_host_get, .name = check_host_name, .what = "H"};

static inline int
check_lookup(void *ctx, struct arena *a, const char *name, struct jinja_val *out,
	     struct err *err)
{
	const struct check *c = ctx;
	const char *key;
	size_t i;

	(void)a;
	if (strcmp(name, "T") == 0) {
		*out = jinja_time(CHECK_TIME);
		return 1;
	}
	if (strcmp(name, "H") == 0) {
		*out = jinja_host(&check_host);
		return 1;
	}
	if (strcmp(name, "fails") == 0)
		return err_set(err, ERR_SYS, "cannot look up 'fails'");
	for (i = 0; i < jinja_dict_len(c->names.dict); i++) {
		*out = jinja_dict_val(c->names.dict, i, &key);
		if (strcmp(key, name) == 0)
			return 1;
	}
	return 0;
}

static inline const char *
check_name(void *ctx, size_t i)
{
	const struct check *c = ctx;
	const char *key;

	if (i >= jinja_dict_len(c->names.dict))
		return NULL;
	(void)jinja_dict_val(c->names.dict, i, &key);
	return key;
}

static inline void
check_start(struct check *c, const char *json)
{
	json_t *j;

	memset(c, 0, sizeof(*c));
	c->code = arena_new(0);
	c->data = arena_new(0);
	assert_non_null(c->code);
	assert_non_null(c->data);
	j = json_parse(json, strlen(json), &c->err);
	if (j == NULL)
		fail_msg("context: %s", c->err.msg);
	assert_int_equal(jinja_from_json(c->data, j, &c->names), 0);
	json_decref(j);
	c->ctx.arena = c->data;
	c->ctx.ctx = c;
	c->ctx.lookup = check_lookup;
	c->ctx.name = check_name;
	buf_init(&c->out, 0);
}

static inline void
check_end(struct check *c)
{
	buf_release(&c->out);
	arena_free(c->code);
	arena_free(c->data);
}

/* Compile and render; 0 with c->out, -1 with c->mistake.msg or c->err filled. */
static inline int
check_render(struct check *c, const char *src)
{
	if (jinja_compile(c->code, src, strlen(src), &c->t, &c->mistake) != 0)
		return -1;
	return jinja_render(c->t, &c->ctx, &c->out, &c->where, &c->err);
}

/* The context of the tables; the order of its names counts where one is suggested. */
#define CHECK_CONTEXT                                                                 \
	"{\"x\": 3, \"y\": -7, \"f\": 2.5, \"s\": \"Hello World\", "                  \
	"\"u\": \"na\\u00efve caf\\u00e9 \\u65e5\\u672c\\u8a9e\", \"e\": \"\", "      \
	"\"l\": [3, 1, 2], \"ls\": [\"b\", \"A\", \"c\", \"a\"], "                    \
	"\"d\": {\"b\": 2, \"a\": 1, \"C\": 3}, \"n\": null, \"t\": true, "           \
	"\"us\": [{\"name\": \"Ann\", \"age\": 30, \"a\": {\"b\": 1}}, "              \
	"{\"name\": \"bob\", \"age\": 25, \"a\": {\"b\": 3}}, "                       \
	"{\"name\": \"Cy\", \"age\": 30, \"a\": {\"b\": 2}}], "                       \
	"\"nest\": [[1, 2], [3, [4]]], \"html\": \"<b>x &amp; y</b>  <!-- c -->z\", " \
	"\"m\": \"line1\\nline2\\n\\nline4\", \"items\": [1], "                       \
	"\"path\": \"a/b/c.tar.gz\", \"big\": 9007199254740993}"

/* Rows of template and text. */
struct good {
	const char *src, *text;
};

static inline void
check_good(const char *json, const struct good *rows, size_t n)
{
	struct check c;
	size_t i, bad = 0;

	for (i = 0; i < n; i++) {
		check_start(&c, json);
		if (check_render(&c, rows[i].src) != 0) {
			print_error("%s\n   fails: %s%s\n", rows[i].src, c.mistake.msg,
				    c.mistake.msg[0] != '\0' ? "" : c.err.msg);
			bad++;
		} else if (strcmp(c.out.p, rows[i].text) != 0) {
			print_error("%s\n   gives: %s\n   not:   %s\n", rows[i].src,
				    c.out.p, rows[i].text);
			bad++;
		}
		check_end(&c);
	}
	if (bad != 0)
		fail_msg("%zu of %zu templates are wrong", bad, n);
}

/* Rows of template, where its mistake is, and the message with its suggestion; `compile` if
 * it is found when compiling. */
struct wrong {
	const char *src;
	bool compile;
	size_t offset, len;
	const char *msg;
};

static inline void
check_wrong(const char *json, const struct wrong *rows, size_t n)
{
	struct check c;
	size_t i, bad = 0;
	char msg[1200];

	for (i = 0; i < n; i++) {
		const struct wrong *w = &rows[i];
		bool compile;
		size_t offset, len;

		check_start(&c, json);
		if (check_render(&c, w->src) == 0) {
			print_error("%s\n   gives: %s\n", w->src, c.out.p);
			bad++;
			check_end(&c);
			continue;
		}
		compile = c.mistake.msg[0] != '\0';
		offset = compile ? c.mistake.offset : c.where.offset;
		len = compile ? c.mistake.len : c.where.len;
		(void)snprintf(msg, sizeof(msg), "%s%s%s",
			       compile ? c.mistake.msg : c.err.msg,
			       c.mistake.hint[0] != '\0' ? "; " : "", c.mistake.hint);
		if (compile != w->compile || offset != w->offset || len != w->len ||
		    strcmp(msg, w->msg) != 0) {
			print_error(
			    "%s\n   says %s %zu+%zu: %s\n   not  %s %zu+%zu: %s\n",
			    w->src, compile ? "compile" : "render", offset, len, msg,
			    w->compile ? "compile" : "render", w->offset, w->len, w->msg);
			bad++;
		}
		assert_string_equal(c.out.p, "");
		check_end(&c);
	}
	if (bad != 0)
		fail_msg("%zu of %zu mistakes are told wrongly", bad, n);
}

#define GOOD(rows)  check_good(context, rows, sizeof(rows) / sizeof((rows)[0]))
#define WRONG(rows) check_wrong(context, rows, sizeof(rows) / sizeof((rows)[0]))

#endif
