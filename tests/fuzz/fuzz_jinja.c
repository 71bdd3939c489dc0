/*
 * Jinja.  The first byte: bits 0 and 1 are the options of whitespace, bit 2 asks for a bare
 * expression.  What is compiled tells its mistakes at places of its source; what is rendered
 * keeps to its limits and comes out the same each time.
 */
#include <jansson.h>

#include "base/jinja.h"
#include "base/json.h"
#include "fuzz.h"

#define STEPS_MAX  ((uint64_t)3000)
#define OUTPUT_MAX ((size_t)32 << 10)
#define ARENA_MAX  ((size_t)32 << 20)
#define TIME_US	   (INT64_C(1767323045) * 1000000)

static const char names_json[] =
    "{\"n\": 7, \"x\": -2.5, \"s\": \"a b\\u00e4\", \"e\": \"\", \"t\": true, \"none\": "
    "null,"
    "\"l\": [3, 1, 2], \"w\": [\"b\", \"a\", \"B\"], \"d\": {\"k\": 1, \"y\": [1, "
    "{\"z\": 2}]},"
    "\"rows\": [{\"a\": 1, \"b\": \"x\"}, {\"a\": 2, \"b\": \"y\"}, {\"a\": 1, \"b\": "
    "\"z\"}],"
    "\"j\": \"[1, {\\\"q\\\": null}]\", \"p\": \"dir/file.tar.gz\","
    "\"h\": \"<a href='x'>&\\\"</a>\", \"u\": \"2026-01-02T03:04:05Z\"}";

static struct arena *names_arena;
static struct jinja_val names;

static int
host_get(void *ctx, struct arena *a, const char *name, struct jinja_val *out,
	 struct err *err)
{
	(void)ctx;
	(void)a;
	if (strcmp(name, "one") == 0)
		*out = jinja_int(1);
	else if (strcmp(name, "two") == 0)
		*out = jinja_str("two");
	else if (strcmp(name, "bad") == 0)
		return err_set(err, ERR_SYS, "it is gone");
	else
		return 0;
	return 1;
}

static const char *
host_name(void *ctx, size_t i)
{
	(void)ctx;
	return i == 0 ? "one" : i == 1 ? "two" : NULL;
}

static const struct jinja_host host = {.get = host_get, .name = host_name, .what = "H"};

static int
lookup(void *ctx, struct arena *a, const char *name, struct jinja_val *out,
       struct err *err)
{
	const char *key;

	(void)ctx;
	(void)a;
	if (strcmp(name, "T") == 0) {
		*out = jinja_time(TIME_US);
		return 1;
	}
	if (strcmp(name, "H") == 0) {
		*out = jinja_host(&host);
		return 1;
	}
	if (strcmp(name, "fails") == 0)
		return err_set(err, ERR_SYS, "cannot look up 'fails'");
	for (size_t i = 0; i < jinja_dict_len(names.dict); i++) {
		*out = jinja_dict_val(names.dict, i, &key);
		if (strcmp(key, name) == 0)
			return 1;
	}
	return 0;
}

static const char *
name_at(void *ctx, size_t i)
{
	const char *key;

	(void)ctx;
	if (i >= jinja_dict_len(names.dict))
		return NULL;
	(void)jinja_dict_val(names.dict, i, &key);
	return key;
}

static void
make_names(void)
{
	struct err err;
	json_t *j = json_parse(names_json, sizeof(names_json) - 1, &err);

	names_arena = fuzz_need(arena_new(0));
	CHECK(j != NULL);
	CHECK(jinja_from_json(names_arena, j, &names) == 0);
	json_decref(j);
}

static size_t source_len;

static void
check_ref(void *ctx, const struct jinja_ref *r)
{
	size_t *n = ctx;

	CHECK(r->npath >= 1);
	for (size_t i = 0; i < r->npath; i++) {
		CHECK(r->path[i] != NULL);
		CHECK(r->offset[i] < source_len);
		CHECK(i == 0 || r->offset[i] > r->offset[i - 1]);
	}
	(*n)++;
}

static struct jinja_ctx
context(struct arena *a)
{
	return (struct jinja_ctx){.arena = a,
				  .lookup = lookup,
				  .name = name_at,
				  .steps_max = STEPS_MAX,
				  .output_max = OUTPUT_MAX};
}

/* Render into ${out}; what is said of a failure stands in the source. */
static int
render(const struct jinja *t, struct buf *out, struct err *err)
{
	struct arena *a = fuzz_need(arena_new(ARENA_MAX));
	struct jinja_where where = {0};
	struct jinja_ctx c = context(a);
	int rc;

	buf_init(out, 0);
	rc = jinja_render(t, &c, out, &where, err);
	CHECK(out->n <= OUTPUT_MAX);
	if (rc != 0) {
		CHECK(err->msg[0] != '\0');
		CHECK(where.offset <= source_len &&
		      where.len <= source_len - where.offset);
	}
	arena_free(a);
	return rc;
}

static void
check_render(const struct jinja *t, const char *src)
{
	struct err err = {0}, again = {0};
	struct buf first, second;
	int rc = render(t, &first, &err);

	CHECK(render(t, &second, &again) == rc);
	CHECK(rc == 0 ? strcmp(first.p, second.p) == 0 : strcmp(err.msg, again.msg) == 0);
	if (jinja_is_plain(t)) {
		CHECK(rc == 0);
		CHECK(first.n == source_len && memcmp(first.p, src, first.n) == 0);
	}
	buf_release(&first);
	buf_release(&second);
}

/* A value is written as JSON that reads back as the same value. */
static void
check_eval(const struct jinja *t)
{
	struct arena *a = fuzz_need(arena_new(ARENA_MAX));
	struct jinja_where where = {0};
	struct jinja_ctx c = context(a);
	struct jinja_val v, back;
	struct err err = {0};
	struct buf json, other;
	json_t *j;

	buf_init(&json, 0);
	buf_init(&other, 0);
	if (jinja_eval(t, &c, &v, &where, &err) != 0) {
		CHECK(err.msg[0] != '\0');
		CHECK(where.offset <= source_len &&
		      where.len <= source_len - where.offset);
	} else {
		CHECK(v.kind != JINJA_UNDEFINED);
		(void)jinja_truth(v);
		jinja_put_json(&json, v);
		CHECK(!buf_failed(&json));
		j = json_parse(json.p, json.n, NULL);
		if (j != NULL) {
			CHECK(jinja_from_json(a, j, &back) == 0);
			jinja_put_json(&other, back);
			CHECK(strcmp(json.p, other.p) == 0);
		}
		json_decref(j);
	}
	buf_release(&json);
	buf_release(&other);
	arena_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a;
	struct jinja_error e = {0};
	struct jinja_options opt;
	struct jinja *t = NULL;
	char *src;
	size_t refs = 0;
	int rc;

	if (n == 0)
		return 0;
	if (names_arena == NULL)
		make_names();
	a = fuzz_need(arena_new(0));
	src = fuzz_text(data + 1, n - 1);
	source_len = n - 1;
	opt.trim_blocks = data[0] & 1;
	opt.lstrip_blocks = data[0] & 2;
	rc = data[0] & 4 ? jinja_compile_expr(a, src, source_len, &t, &e)
			 : jinja_compile_with(a, src, source_len, &opt, &t, &e);
	if (rc != 0) {
		CHECK(e.msg[0] != '\0');
		CHECK(e.offset <= source_len && e.len <= source_len - e.offset);
	} else {
		jinja_refs(t, check_ref, &refs);
		CHECK(refs <= source_len);
		if (!(data[0] & 4))
			check_render(t, src);
		check_eval(t);
	}
	free(src);
	arena_free(a);
	return 0;
}
