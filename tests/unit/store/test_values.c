/* Values: JSON as Python reads it, texts as Python writes them, differences, rounding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/yaml.h"
#include "store/pipeline/json_value.h"
#include "store/pipeline/params_file.h"
#include "store/pipeline/value.h"
#include "store/pipeline/value_text.h"
#include "store/report/tracked_values.h"
#include "store/report/values_diff.h"
#include "unit/memory.h"

struct world {
	struct arena *a;
	struct diag *d;
	struct buf b;
};

static void
begin(struct world *w)
{
	w->a = arena_new(0);
	w->d = diag_new();
	assert_non_null(w->a);
	assert_non_null(w->d);
	buf_init(&w->b, 0);
}

static void
end(struct world *w)
{
	buf_release(&w->b);
	diag_free(w->d);
	arena_free(w->a);
}

static struct yaml_node *
json(struct world *w, const char *text)
{
	struct yaml_node *v = NULL;

	if (json_value_parse(w->a, w->d, "m.json", text, strlen(text), &v) != 0) {
		diag_print(w->d, &w->b, false, 0);
		fail_msg("%s: %s", text, w->b.p);
	}
	return v;
}

static const char *
as_json(struct world *w, const struct yaml_node *v)
{
	buf_clear(&w->b);
	value_put_json(v, &w->b);
	return w->b.p;
}

/* ---- JSON ---- */

static void
json_is_read_as_python_reads_it(void **state)
{
	static const char *const same[] = {
	    "null",
	    "true",
	    "[]",
	    "{}",
	    "NaN",
	    "[Infinity, -Infinity]",
	    "1e+20",
	    "-0.0",
	    "12345678901234567890123",
	    "\"\"",
	    "{\"\": {}}",
	    "{\"b\": 1, \"a\": [1.5, false]}",
	    "\"\\\"\"",
	    "\"\\\\ \\n \\t\"",
	    "\"h\xc3\xa4 \xf0\x9f\x98\x80\"",
	};
	static const char *const other[][2] = {
	    {" \t\r\n 1 ", "1"},
	    {"-0", "0"},
	    {"1E2", "100.0"},
	    {"1.0e-05", "1e-05"},
	    {"1e999", "Infinity"},
	    {"{\"a\": 1, \"b\": 2, \"a\": 3}", "{\"a\": 3, \"b\": 2}"},
	    {"\"\\u00e4\\ud83d\\ude00\\/\"", "\"\xc3\xa4\xf0\x9f\x98\x80/\""},
	    {"{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,"
	     "\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"b\":2}",
	     "{\"a\": 1, \"b\": 2, \"c\": 1, \"d\": 1, \"e\": 1, \"f\": 1, \"g\": 1, "
	     "\"h\": "
	     "1, \"i\": 1, \"j\": 1, \"k\": 1, \"l\": 1, \"m\": 1}"},
	};
	struct world w;

	(void)state;
	begin(&w);
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		assert_string_equal(as_json(&w, json(&w, same[i])), same[i]);
	for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
		assert_string_equal(as_json(&w, json(&w, other[i][0])), other[i][1]);
	end(&w);
}

static void
json_mistakes_have_their_place(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
	    {"", "m.json:1:1: error: a value is missing"},
	    {"[1,\n  2,\n]", "m.json:3:1: error: this is no value"},
	    {"{\"a\" 1}", "m.json:1:6: error: ':' is missing"},
	    {"{\"a\": 1 \"b\": 2}", "m.json:1:9: error: ',' or '}' is missing"},
	    {"{a: 1}", "m.json:1:2: error: a name in quotes is missing"},
	    {"[1 2]", "m.json:1:4: error: ',' or ']' is missing"},
	    {"\"\xc3\xa4\xff\"", "m.json:1:3: error: this is no UTF-8"},
	    {"\"a\nb\"", "m.json:1:3: error: a control character"},
	    {"\"\\x\"", "no such escape"},
	    {"\"\\u12g4\"", "four hexadecimal digits"},
	    {"\"\\ud83d\"", "half a surrogate pair"},
	    {"\"\\udc00\"", "half a surrogate pair"},
	    {"\"abc", "the string does not end"},
	    {"\"abc\\", "the string does not end"},
	    {"1 2", "m.json:1:3: error: something stands behind the value"},
	    {"01", "something stands behind the value"},
	    {"1.", "something stands behind the value"},
	    {"-", "this is no value"},
	    {"+1", "this is no value"},
	    {"nul", "this is no value"},
	    {"[1", "',' or ']' is missing"},
	};
	struct world w;
	struct yaml_node *v;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		begin(&w);
		assert_int_equal(json_value_parse(w.a, w.d, "m.json", bad[i].text,
						  strlen(bad[i].text), &v),
				 1);
		diag_print(w.d, &w.b, false, 0);
		if (strstr(w.b.p, bad[i].says) == NULL)
			fail_msg("%s: %s", bad[i].text, w.b.p);
		end(&w);
	}
}

static void
json_limits(void **state)
{
	char text[1024];
	struct world w;
	struct yaml_node *v;

	(void)state;
	begin(&w);
	for (int depth = JSON_VALUE_DEPTH_MAX; depth <= JSON_VALUE_DEPTH_MAX + 1;
	     depth++) {
		memset(text, '[', (size_t)depth);
		memset(text + depth, ']', (size_t)depth);
		text[2 * depth] = '\0';
		assert_int_equal(
		    json_value_parse(w.a, w.d, "m.json", text, strlen(text), &v),
		    depth > JSON_VALUE_DEPTH_MAX);
	}
	for (int digits = 400; digits <= 401; digits++) {
		memset(text, '9', (size_t)digits);
		text[digits] = '\0';
		assert_int_equal(
		    json_value_parse(w.a, w.d, "m.json", text, strlen(text), &v),
		    digits > 400);
	}
	end(&w);
}

/* ---- texts ---- */

static void
texts_are_those_of_python(void **state)
{
	static const char *const cases[][3] = {
	    {"null", "None", "None"},
	    {"true", "True", "True"},
	    {"NaN", "nan", "nan"},
	    {"-Infinity", "-inf", "-inf"},
	    {"\"a\"", "'a'", "a"},
	    {"\"it's\"", "\"it's\"", "it's"},
	    {"\"'\\\"\"", "'\\'\"'", "'\""},
	    {"\"\\n\\t\\r\\\\ \\u0001 \\u00a0 \\u200b \\u00e4\"",
	     "'\\n\\t\\r\\\\ \\x01 \\xa0 \\u200b \xc3\xa4'",
	     "\n\t\r\\ \x01 \xc2\xa0 \xe2\x80\x8b \xc3\xa4"},
	    {"[1, [2.0], {\"a\": \"b\"}]", "[1, [2.0], {'a': 'b'}]",
	     "[1, [2.0], {'a': 'b'}]"},
	};
	struct world w;

	(void)state;
	begin(&w);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct yaml_node *v = json(&w, cases[i][0]);

		buf_clear(&w.b);
		value_put_repr(v, &w.b);
		if (strstr(cases[i][0], "200b") == NULL)
			assert_string_equal(w.b.p, cases[i][1]);
		buf_clear(&w.b);
		value_put_plain(v, &w.b);
		assert_string_equal(w.b.p, cases[i][2]);
	}
	end(&w);
}

static void
numbers_are_rounded(void **state)
{
	static const struct {
		const char *from;
		unsigned digits;
		const char *to;
	} cases[] = {
	    {"0.123456789", 5, "0.12346"},
	    {"2.675", 2, "2.67"},
	    {"0.5", 1, "0.5"},
	    {"1e300", 5, "1e+300"},
	    {"1e-9", 5, "0.0"},
	    {"-1e-9", 5, "-0.0"},
	    {"NaN", 5, "NaN"},
	    {"12345", 2, "12345"},
	    {"1.5", 100, "1.5"},
	    {"\"0.123456789\"", 5, "\"0.123456789\""},
	};
	struct world w;

	(void)state;
	begin(&w);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(as_json(&w, value_round(w.a, json(&w, cases[i].from),
							    cases[i].digits)),
				    cases[i].to);
	end(&w);
}

static void
numbers_are_taken_from_each_other(void **state)
{
	static const char *const cases[][3] = {
	    {"3", "1", "2"},
	    {"1", "3", "-2"},
	    {"-1", "-3", "2"},
	    {"-3", "-1", "-2"},
	    {"-1", "3", "-4"},
	    {"3", "-1", "4"},
	    {"7", "7", "0"},
	    {"-7", "-7", "0"},
	    {"false", "true", "-1"},
	    {"99999999999999999999", "-1", "100000000000000000000"},
	    {"100000000000000000000", "1", "99999999999999999999"},
	    {"1", "100000000000000000000", "-99999999999999999999"},
	    {"0.3", "0.1", "0.19999999999999998"},
	    {"1", "0.5", "0.5"},
	    {"\"a\"", "1", "null"},
	    {"1", "[1]", "null"},
	};
	struct world w;
	struct yaml_node *d;

	(void)state;
	begin(&w);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(
		    value_minus(w.a, json(&w, cases[i][0]), json(&w, cases[i][1]), &d),
		    0);
		assert_string_equal(as_json(&w, d), cases[i][2]);
	}
	end(&w);
}

/* ---- differences ---- */

static void
put_file(struct tracked_values *v, const char *path, const struct yaml_node *value)
{
	struct tracked_file f = {.path = path, .value = value};

	assert_int_equal(vec_push(&v->files, f), 0);
}

static void
differences_are_told_flat(void **state)
{
	static const char wanted[] = "a.json|x|null|1|\n"
				     "a.json|y.z|2|3|1\n"
				     "b.json|k|\"unable to parse\"|1|\n"
				     "c.json||1|2.5|1.5\n";
	struct tracked_values old = {0}, new = {0};
	struct values_diff d = {0};
	struct err err = {0};
	struct buf out;
	struct world w;

	(void)state;
	begin(&w);
	buf_init(&out, 0);
	put_file(&new, "c.json", json(&w, "2.5"));
	put_file(&new, "a.json", json(&w, "{\"y\": {\"z\": 3}, \"x\": 1, \"n\": null}"));
	put_file(&new, "b.json", json(&w, "{\"k\": 1}"));
	put_file(&new, "d.json", json(&w, "{}"));
	put_file(&old, "a.json", json(&w, "{\"y\": {\"z\": 2}, \"s\": {}}"));
	put_file(&old, "b.json", json(&w, "0.5"));
	put_file(&old, "c.json", json(&w, "1"));
	assert_int_equal(values_diff(w.a, &old, &new, false, &d, &err), 0);
	vec_foreach (&d.v, const struct value_change, c) {
		buf_addf(&out, "%s|%s|", c->path, c->key);
		buf_addf(&out, "%s|", as_json(&w, c->old));
		buf_addf(&out, "%s|", as_json(&w, c->new));
		buf_addf(&out, "%s\n", c->diff != NULL ? as_json(&w, c->diff) : "");
	}
	assert_string_equal(out.p, wanted);
	values_diff_release(&d);
	tracked_values_release(&old);
	tracked_values_release(&new);
	buf_release(&out);
	end(&w);
}

/* ---- memory ---- */

static int
read_all(void *arg, struct err *err)
{
	static const char text[] =
	    "{\"a\": [1, 2.5, NaN, true, null], \"b\": {\"c\": \"x\\u00e4\"}, \"d\": "
	    "123456789012345678901234567890, \"e\": {\"f\": -1}}";
	struct arena *a = arena_new(0);
	struct diag *d = diag_new();
	struct yaml_node *v, *minus;
	struct flat_values flat = {0};
	int rc = -1;

	(void)arg;
	if (a != NULL && d != NULL &&
	    json_value_parse(a, d, "m.json", text, strlen(text), &v) == 0 &&
	    flat_values(a, v, &flat, err) == 0)
		rc = value_minus(a, yaml_get(v, "d"), value_find(v, "e.f"), &minus);
	if (rc != 0)
		(void)err_nomem(err);
	flat_values_release(&flat);
	diag_free(d);
	arena_free(a);
	return rc;
}

static void
dates_are_strings_where_they_may_be(void **state)
{
	static const char text[] =
	    "d = 2026-11-23\nt = 2026-11-23T10:00:00Z # c\ns = 2026-11-23 10:00:00.5\n"
	    "l = [07:32:00, 2026-11-23 ,1]\nq = '2026-11-23'\ni = {a = 2026-11-23}\n";
	static const struct {
		const char *key, *text;
		bool date;
	} wanted[] = {{"d", "2026-11-23", true},
		      {"t", "2026-11-23T10:00:00Z", true},
		      {"s", "2026-11-23 10:00:00.5", true},
		      {"l.0", "07:32:00", false},
		      {"l.1", "2026-11-23", true},
		      {"l.2", "1", false},
		      {"q", "2026-11-23", false},
		      {"i.a", "2026-11-23", true}};
	struct yaml_node *v = NULL;
	struct world w;

	(void)state;
	begin(&w);
	assert_int_equal(params_parse_dates(w.a, w.d, "p.toml", text, strlen(text), &v),
			 0);
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		const struct yaml_node *x = value_find(v, wanted[i].key);

		assert_non_null(x);
		assert_string_equal(x->str, wanted[i].text);
		assert_int_equal(value_is_date(x), wanted[i].date);
	}
	assert_int_equal(value_find(v, "s")->line, 3);
	assert_int_equal(value_find(v, "s")->col, 5);
	assert_int_equal(params_parse(w.a, w.d, "p.toml", text, strlen(text), &v), 1);
	diag_print(w.d, &w.b, false, 0);
	assert_non_null(strstr(w.b.p, "p.toml:1:5: error: a date or a time"));
	end(&w);
}

static void
no_dates_are_mistakes(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} dates[] = {{"d = 2024-02-29", 0},
		     {"d = 2023-02-29", 1},
		     {"d = 1900-02-29", 1},
		     {"d = 2026-13-01", 1},
		     {"d = 2026-00-01", 1},
		     {"d = 2026-11-31", 1},
		     {"d = 2026-1-1", 1},
		     {"d = 2026-11-23x", 1},
		     {"d = 2026-11-23T23:59:59z", 0},
		     {"d = 2026-11-23T24:00:00", 1},
		     {"d = 2026-11-23 10:00:00-07:30", 0},
		     {"d = 2026-11-23T10:00:00+07", 1},
		     {"d = 2026-11-23[aa", 1},
		     {"d = 10:00", 1},
		     {"d = 10:00:00.", 1},
		     {"d = 10:00:00.123456789", 0}};
	struct yaml_node *v = NULL;
	struct world w;

	(void)state;
	begin(&w);
	for (size_t i = 0; i < sizeof dates / sizeof *dates; i++)
		if (params_parse_dates(w.a, w.d, "p.toml", dates[i].text,
				       strlen(dates[i].text), &v) != dates[i].rc)
			fail_msg("%s", dates[i].text);
	end(&w);
}

static void
memory_runs_out(void **state)
{
	const struct memory_call call = {"values", NULL, read_all, NULL, NULL, 0};

	(void)state;
	assert_true(memory_fail_each(&call) > 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(json_is_read_as_python_reads_it),
	    cmocka_unit_test(json_mistakes_have_their_place),
	    cmocka_unit_test(json_limits),
	    cmocka_unit_test(texts_are_those_of_python),
	    cmocka_unit_test(numbers_are_rounded),
	    cmocka_unit_test(numbers_are_taken_from_each_other),
	    cmocka_unit_test(differences_are_told_flat),
	    cmocka_unit_test(dates_are_strings_where_they_may_be),
	    cmocka_unit_test(no_dates_are_mistakes),
	    cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}
