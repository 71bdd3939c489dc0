#include "base/json.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "unit/base/fixture.h"

/* Write one string and return its text in b. */
static const char *
written(struct buf *b, const char *s, size_t n)
{
	struct json_writer w;

	buf_clear(b);
	json_init(&w, b, 0);
	json_strn(&w, s, n);
	return b->p;
}

static void
test_escapes(void **state)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
	    {"", "\"\""},
	    {"plain", "\"plain\""},
	    {"\"\\/", "\"\\\"\\\\/\""},
	    {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
	    {"a\x01z\x1f\x7f", "\"a\\u0001z\\u001f\x7f\""},
	    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
	     "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
	    /* Ill-formed bytes: one U+FFFD for each longest start of a character. */
	    {"a\xff"
	     "b",
	     "\"a\xef\xbf\xbd"
	     "b\""},
	    {"\xff\xfe", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
	    {"\xe2\x82", "\"\xef\xbf\xbd\""},
	    {"\xe2\x82x", "\"\xef\xbf\xbdx\""},
	    {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	    {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
	    {"caf\xe9", "\"caf\xef\xbf\xbd\""},
	};
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(written(&b, cases[i].text, strlen(cases[i].text)),
				    cases[i].json);
	assert_string_equal(written(&b, "a\0b", 3), "\"a\\u0000b\"");
	buf_release(&b);
}

/* Whatever bytes go in, what comes out is JSON, and valid text comes back as it was. */
static void
test_any_bytes(void **state)
{
	uint64_t seed = 31;
	struct err err;
	struct buf b;
	json_t *v;
	char s[12];
	size_t n;
	int i;

	(void)state;
	buf_init(&b, 0);
	for (i = 0; i < 30000; i++) {
		for (n = 0; n < next_random(&seed) % sizeof(s); n++)
			s[n] = (char)(1 + next_random(&seed) % 255);
		(void)written(&b, s, n);
		v = json_parse(b.p, b.n, &err);
		if (v == NULL)
			fail_msg("%s: %s", b.p, err.msg);
		if (strstr(b.p, "\xef\xbf\xbd") == NULL) {
			assert_int_equal(json_string_length(v), n);
			assert_memory_equal(json_string_value(v), s, n);
		}
		json_decref(v);
	}
	buf_release(&b);
}

static void
test_structure(void **state)
{
	static const char flat[] =
	    "{\"a\":1,\"b\":[true,null,\"x\",{},[]],\"c\":{\"d\":-5},\"t\":"
	    "\"1970-01-01T00:00:01.000000Z\",\"z\":null,\"s\":null,\"r\":[1, "
	    "2],\"e\":false}";
	static const char indented[] =
	    "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    "
	    "},\n    []\n  ],\n  \"c\": {}\n}";
	struct json_writer w;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	json_init(&w, &b, 0);
	json_begin_object(&w);
	json_kv_int(&w, "a", 1);
	json_key(&w, "b");
	json_begin_array(&w);
	json_bool(&w, true);
	json_put_null(&w);
	json_str(&w, "x");
	json_begin_object(&w);
	json_end(&w);
	json_begin_array(&w);
	json_end(&w);
	json_end(&w);
	json_key(&w, "c");
	json_begin_object(&w);
	json_kv_int(&w, "d", -5);
	json_end(&w);
	json_kv_time(&w, "t", 1000000);
	json_kv_time(&w, "z", 0);
	json_kv_str(&w, "s", NULL);
	json_key(&w, "r");
	json_raw(&w, "[1, 2]", 6);
	json_kv_bool(&w, "e", false);
	json_end(&w);
	assert_string_equal(b.p, flat);
	buf_clear(&b);
	json_init(&w, &b, 2);
	json_begin_object(&w);
	json_key(&w, "a");
	json_begin_array(&w);
	json_int(&w, 1);
	json_begin_object(&w);
	json_kv_int(&w, "b", 2);
	json_end(&w);
	json_begin_array(&w);
	json_end(&w);
	json_end(&w);
	json_key(&w, "c");
	json_begin_object(&w);
	json_end(&w);
	json_end(&w);
	assert_string_equal(b.p, indented);
	buf_release(&b);
}

static const char *
number(struct buf *b, double v)
{
	struct json_writer w;

	buf_clear(b);
	json_init(&w, b, 0);
	json_double(&w, v);
	return b->p;
}

static void
test_numbers(void **state)
{
	static const struct {
		double v;
		const char *text;
	} cases[] = {
	    {0, "0"},
	    {-0.0, "-0"},
	    {0.1, "0.1"},
	    {0.1 + 0.2, "0.30000000000000004"},
	    {1.0 / 3, "0.3333333333333333"},
	    {100, "100"},
	    {1e15, "1e15"},
	    {123456789012345678.0, "1.2345678901234568e17"},
	    {1e-7, "1e-7"},
	    {5e-324, "5e-324"},
	    {2.2250738585072014e-308, "2.2250738585072014e-308"},
	    {1.7976931348623157e308, "1.7976931348623157e308"},
	    {-2.5e-10, "-2.5e-10"},
	    {NAN, "null"},
	    {INFINITY, "null"},
	    {-INFINITY, "null"},
	};
	struct json_writer w;
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(number(&b, cases[i].v), cases[i].text);
	buf_clear(&b);
	json_init(&w, &b, 0);
	json_begin_array(&w);
	json_int(&w, INT64_MIN);
	json_int(&w, INT64_MAX);
	json_end(&w);
	assert_string_equal(b.p, "[-9223372036854775808,9223372036854775807]");
	buf_release(&b);
}

/* How many significant digits a number's text has. */
static int
digits_of(const char *s)
{
	int n = 0, zeros = 0, any = 0;

	for (; *s != '\0' && *s != 'e'; s++) {
		if (*s < '0' || *s > '9')
			continue;
		any = any || *s != '0';
		zeros = *s == '0' ? zeros + 1 : 0;
		n += any;
	}
	return n - (zeros < n ? zeros : n);
}

/* Random bit patterns read back, and no shorter text would. */
static void
test_shortest_doubles(void **state)
{
	uint64_t seed = 77, bits;
	char text[64];
	struct buf b;
	double v, back;
	int i, n;

	(void)state;
	buf_init(&b, 0);
	for (i = 0; i < 20000; i++) {
		bits = (uint64_t)next_random(&seed) << 33 |
		       (uint64_t)next_random(&seed) << 2 | (next_random(&seed) & 3);
		if (i % 8 == 0)
			bits &= 0x800fffffffffffffu; /* subnormal */
		memcpy(&v, &bits, sizeof(v));
		if (!isfinite(v))
			continue;
		if (i % 3 == 0)
			v = (double)(next_random(&seed) % 100000) / 100;
		(void)number(&b, v);
		if (num_f64(b.p, &back) != 0 || back != v)
			fail_msg("%s is not %a", b.p, v);
		n = digits_of(b.p);
		if (n < 2)
			continue;
		(void)snprintf(text, sizeof(text), "%.*e", n - 2, v);
		if (num_f64(text, &back) == 0 && back == v)
			fail_msg("%s is longer than %s", b.p, text);
	}
	buf_release(&b);
}

static void
nest(struct buf *b, int levels)
{
	int i;

	buf_clear(b);
	for (i = 0; i < levels; i++)
		buf_adds(b, i % 2 == 0 ? "[" : "{\"k[{\\\"[\": ");
	buf_adds(b, "1");
	for (i = levels - 1; i >= 0; i--)
		buf_addc(b, i % 2 == 0 ? ']' : '}');
}

static void
test_depth(void **state)
{
	struct json_writer w;
	struct err err = {0};
	struct buf b;
	json_t *v;
	int i;

	(void)state;
	buf_init(&b, 0);
	nest(&b, JSON_DEPTH_MAX);
	v = json_parse(b.p, b.n, &err);
	assert_non_null(v);
	json_decref(v);
	nest(&b, JSON_DEPTH_MAX + 1);
	assert_null(json_parse(b.p, b.n, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_non_null(strstr(err.msg, "line 1 column "));
	assert_non_null(strstr(err.msg, "64 levels"));
	/* Only brackets that nest count. */
	buf_clear(&b);
	buf_addc(&b, '[');
	for (i = 0; i < 200; i++)
		buf_adds(&b, "[],\"[[[[\\\"[\",{},");
	buf_adds(&b, "0]");
	v = json_parse(b.p, b.n, &err);
	assert_non_null(v);
	json_decref(v);
	/* The writer goes as deep as the reader. */
	buf_clear(&b);
	json_init(&w, &b, 1);
	for (i = 0; i < JSON_DEPTH_MAX; i++)
		json_begin_array(&w);
	for (i = 0; i < JSON_DEPTH_MAX; i++)
		json_end(&w);
	v = json_parse(b.p, b.n, &err);
	assert_non_null(v);
	json_decref(v);
	buf_release(&b);
}

static void
test_parse_refuses(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"", "line 1 column 1: "},
	    {"  ", "line 1 column "},
	    {"{\"a\": 1,\n \"a\": 2}", "line 2 column "},
	    {"[1,\n\n2,]", "line 3 column "},
	    {"[1] x", "line 1 column "},
	    {"[1][2]", "line 1 column "},
	    {"{a: 1}", "line 1 column "},
	    {"{'a': 1}", "line 1 column "},
	    {"\"\\u0000\"", "line 1 column "},
	    {"{\"\\u0000\": 1}", "line 1 column "},
	    {"\"\\ud800\"", "line 1 column "},
	    {"\"\xff\"", "line 1 column "},
	    {"\"a\nb\"", "line 1 column "},
	    {"01", "line 1 column "},
	    {"NaN", "line 1 column "},
	    {"nul", "line 1 column "},
	    {"123456789012345678901", "line 1 column "},
	    {"1e999", "line 1 column "},
	    {"[1", "line 1 column "},
	    {"]", "line 1 column "},
	    {"\"abc", "line 1 column "},
	    {"\"abc\\", "line 1 column "},
	};
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err_clear(&err);
		if (json_parse(cases[i].text, strlen(cases[i].text), &err) != NULL)
			fail_msg("accepted: %s", cases[i].text);
		assert_int_equal(err.code, ERR_INVALID);
		assert_memory_equal(err.msg, cases[i].message, strlen(cases[i].message));
	}
	assert_null(json_parse("[1,\0 2]", 7, &err));
	assert_null(json_parse("[", 1, NULL));
}

static void
test_parse(void **state)
{
	struct err err;
	json_t *v;

	(void)state;
	v = json_parse("42 tail", 2, &err); /* no NUL behind it */
	assert_int_equal(json_integer_value(v), 42);
	json_decref(v);
	v = json_parse("\"\\u00e9\\ud83d\\ude00\"", 20, &err);
	assert_string_equal(json_string_value(v), "\xc3\xa9\xf0\x9f\x98\x80");
	json_decref(v);
	v = json_parse(" null\n", 6, &err);
	assert_true(json_is_null(v));
	json_decref(v);
	v = json_parse("{\"a\":[1,2.5]}", 13, &err);
	assert_true(json_real_value(json_array_get(json_object_get(v, "a"), 1)) == 2.5);
	json_decref(v);
}

static void
value_without_key(struct json_writer *w)
{
	json_begin_object(w);
	json_int(w, 1);
}

static void
key_in_array(struct json_writer *w)
{
	json_begin_array(w);
	json_key(w, "k");
}

static void
two_keys(struct json_writer *w)
{
	json_begin_object(w);
	json_key(w, "a");
	json_key(w, "b");
}

static void
key_without_value(struct json_writer *w)
{
	json_begin_object(w);
	json_key(w, "a");
	json_end(w);
}

static void
end_too_many(struct json_writer *w)
{
	json_begin_object(w);
	json_end(w);
	json_end(w);
}

static void
two_values(struct json_writer *w)
{
	json_int(w, 1);
	json_int(w, 2);
}

static void
too_deep(struct json_writer *w)
{
	int i;

	for (i = 0; i <= JSON_DEPTH_MAX; i++)
		json_begin_array(w);
}

static void
test_misuse_asserts(void **state)
{
	static void (*const misuses[])(struct json_writer *) = {
	    value_without_key, key_in_array, two_keys, key_without_value,
	    end_too_many,      two_values,   too_deep};
	struct json_writer w;
	struct buf b;
	pid_t pid;
	size_t i;
	int status;

	(void)state;
#ifdef NDEBUG
	skip();
#endif
	for (i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			(void)signal(SIGABRT, SIG_DFL);
			(void)close(STDERR_FILENO);
			buf_init(&b, 0);
			json_init(&w, &b, 0);
			misuses[i](&w);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSIGNALED(status))
			fail_msg("misuse %zu went unseen", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_escapes),	     cmocka_unit_test(test_any_bytes),
	    cmocka_unit_test(test_structure),	     cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_shortest_doubles), cmocka_unit_test(test_depth),
	    cmocka_unit_test(test_parse_refuses),    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_misuse_asserts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
