#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/jinja.h"
#include "dag_fixture.h"
#include "scheduler/render.h"

static const char text[] = "params:\n"
			   "  n: {type: integer, default: 5, minimum: 1, maximum: 10}\n"
			   "  f: {type: number, default: 0.5, minimum: -1.5}\n"
			   "  s: {type: string, default: abc, minimum: 2, maximum: 4}\n"
			   "  b: {type: boolean, default: true}\n"
			   "  l: {type: array, default: [1, x], maximum: 3}\n"
			   "  e: {type: string, enum: [dev, prod], default: dev}\n"
			   "  k: {type: integer, enum: [1, 2], default: 1}\n"
			   "  p: {type: string, pattern: 'a|b[0-9]+', default: a}\n"
			   "  o: {type: string, required: false}\n"
			   "  path: {type: string, default: ''}\n"
			   "tasks:\n"
			   "  t: {run: x}\n";

static struct dag *g;

static int
setup(void **state)
{
	(void)state;
	g = fixture_dag(text);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	dag_free(g);
	return 0;
}

/* The params as JSON, or the error, until the next call. */
static const char *
resolve_in(const struct dag *dag, const struct param_arg *args, size_t nargs,
	   const char *file)
{
	static char out[4096];
	struct arena *a = arena_new(0);
	struct jinja_dict *d;
	struct err err = {0};
	struct buf b;

	buf_init(&b, 0);
	if (params_resolve(dag, a, args, nargs, file, &d, &err) == 0)
		params_json(d, &b);
	else
		buf_adds(&b, err.msg);
	(void)snprintf(out, sizeof(out), "%s", b.p);
	buf_release(&b);
	arena_free(a);
	return out;
}

static void
check(const char *got, const char *want)
{
	if (strstr(got, want) == NULL)
		fail_msg("got: %s\nlacks: %s", got, want);
}

/* ${name}=${value} on the command line must show ${want} in the result. */
static void
arg(const char *name, const char *value, const char *want)
{
	struct param_arg a = {name, value};

	check(resolve_in(g, &a, 1, NULL), want);
}

static void
json(const char *file, const char *want)
{
	check(resolve_in(g, NULL, 0, file), want);
}

static void
test_defaults(void **state)
{
	(void)state;
	assert_string_equal(
	    resolve_in(g, NULL, 0, NULL),
	    "{\"n\":5,\"f\":0.5,\"s\":\"abc\",\"b\":true,\"l\":[1,\"x\"],"
	    "\"e\":\"dev\",\"k\":1,\"p\":\"a\",\"o\":null,\"path\":\"\"}");
}

static void
test_text(void **state)
{
	(void)state;
	arg("n", "7", "\"n\":7");
	arg("n", "7.0", "param 'n' must be an integer, not '7.0'");
	arg("n", "", "must be an integer, not ''");
	arg("n", " 7", "must be an integer");
	arg("n", "7x", "must be an integer");
	arg("n", "99999999999999999999", "must be an integer");
	arg("f", "2", "\"f\":2");
	arg("f", "1e3", "\"f\":1000");
	arg("f", "nan", "must be a number");
	arg("f", "inf", "must be a number");
	arg("b", "false", "\"b\":false");
	arg("b", "False", "must be true or false, not 'False'");
	arg("b", "1", "must be true or false");
	arg("l", "[\"a\",{\"b\":[]}]", "\"l\":[\"a\",{\"b\":[]}]");
	arg("l", "a,b", "must be a JSON array such as [1,2], not 'a,b'");
	arg("l", "{}", "must be a JSON array, not '{}'");
	arg("o", "7", "\"o\":\"7\"");
	arg("path", "/it's \"so\"\n", "\"path\":\"/it's \\\"so\\\"\\n\"");
	arg("path", "\xff", "must be valid UTF-8, not '\\xff'");
}

static void
test_constraints(void **state)
{
	(void)state;
	arg("n", "1", "\"n\":1");
	arg("n", "10", "\"n\":10");
	arg("n", "0", "must be at least 1, not 0");
	arg("n", "11", "must be at most 10, not 11");
	arg("f", "-1.5", "\"f\":-1.5");
	arg("f", "-1.6", "must be at least -1.5, not -1.6");
	arg("s", "\xc3\xa4\xc3\xb6", "\"s\":\"\xc3\xa4\xc3\xb6\"");
	arg("s", "a", "must have at least 2 characters, not 1");
	arg("s", "abcde", "must have at most 4 characters, not 5");
	arg("l", "[1,2,3,4]", "must have at most 3 items, not 4");
	arg("e", "prod", "\"e\":\"prod\"");
	arg("e", "Prod", "must be one of dev, prod, not 'Prod'");
	arg("k", "3", "must be one of 1, 2, not '3'");
	arg("p", "b12", "\"p\":\"b12\"");
	arg("p", "xa", "must match a|b[0-9]+, which 'xa' does not");
	arg("p", "ab", "must match");
	arg("p", "b1\n", "must match");
}

static void
test_file(void **state)
{
	struct param_arg two[] = {{"n", "2"}, {"n", "bad"}, {"n", "3"}};

	(void)state;
	json("{\"n\":6,\"s\":\"xyz\",\"l\":[],\"b\":false,\"f\":1}",
	     "{\"n\":6,\"f\":1,\"s\":\"xyz\",\"b\":false,\"l\":[],");
	json("{\"n\":\"6\"}", "must be an integer, not '\"6\"'");
	json("{\"n\":6.0}", "must be an integer, not '6.0'");
	json("{\"n\":null}", "must be an integer, not 'null'");
	json("{\"o\":null}", "\"o\":null");
	json("{\"s\":5}", "must be a string, not '5'");
	json("{\"b\":1}", "must be true or false");
	json("{\"n\":11}", "at most 10");
	json("[]", "must be a JSON object");
	json("{", "the file of params cannot be read: line 1");
	/* stronger sources win, the last of equals, and what loses is not looked at */
	check(resolve_in(g, two, 3, "{\"n\":\"bad\"}"), "\"n\":3");
}

static void
test_round_trip(void **state)
{
	struct param_arg args[] = {{"path", "a\"\\\x01\xe2\x82\xac"},
				   {"l", "[null,1.5,true]"}};
	char stored[4096];

	(void)state;
	(void)snprintf(stored, sizeof(stored), "%s", resolve_in(g, args, 2, NULL));
	check(stored, "[null,1.5,true]");
	assert_string_equal(resolve_in(g, NULL, 0, stored), stored);
}

static void
test_all_at_once(void **state)
{
	struct param_arg args[] = {
	    {"n", "x"}, {"ee", "dev"}, {"b", "no"}, {"zzzzzz", "1"}};
	const char *msg = resolve_in(g, args, 4, "{\"sss\":1}");

	(void)state;
	check(msg, "there is no param 'sss' in DAG 't'");
	check(msg, "\nthere is no param 'ee' in DAG 't'; did you mean 'e'?");
	check(msg, "\nthere is no param 'zzzzzz' in DAG 't'\n");
	check(msg, "\nparam 'n' must be an integer, not 'x'");
	check(msg, "\nparam 'b' must be true or false, not 'no'");
}

static void
test_missing(void **state)
{
	struct dag *need = fixture_dag("params: {a: {type: string}, c: {type: integer}}\n"
				       "tasks: {t: {run: x}}\n");
	struct dag *none = fixture_dag("tasks: {t: {run: x}}\n");
	struct param_arg a = {"a", ""}, c = {"c", "1"};
	const char *msg;

	(void)state;
	msg = resolve_in(need, NULL, 0, NULL);
	check(msg, "param 'a' is required: give it by -p a=...\n");
	check(msg, "param 'c' is required");
	check(resolve_in(need, &a, 1, "{\"c\":1}"), "{\"a\":\"\",\"c\":1}");
	check(resolve_in(none, &c, 1, NULL), "which declares none");
	assert_string_equal(resolve_in(none, NULL, 0, "{}"), "{}");
	dag_free(need);
	dag_free(none);
}

/* More complaints than an error holds: whole lines, and how many are left out. */
static void
test_many(void **state)
{
	struct param_arg args[60];
	char names[60][8];
	const char *msg, *last;
	size_t i, lines = 1;

	(void)state;
	for (i = 0; i < 60; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "zzz%zu", i);
		args[i] = (struct param_arg){names[i], "1"};
	}
	msg = resolve_in(g, args, 60, NULL);
	for (last = msg, i = 0; msg[i] != '\0'; i++)
		if (msg[i] == '\n') {
			lines++;
			last = msg + i + 1;
		}
	assert_int_equal(strncmp(last, "... and ", 8), 0);
	assert_int_equal(strtoul(last + 8, NULL, 10), 60 - (lines - 1));
}

static void
test_limits(void **state)
{
	size_t max = (size_t)1 << 20;
	char *big = malloc(max + 2);
	struct param_arg a = {"path", big};

	(void)state;
	assert_non_null(big);
	memset(big, 'a', max + 1);
	big[max + 1] = '\0';
	check(resolve_in(g, &a, 1, NULL), "at most 1 MiB");
	check(resolve_in(g, NULL, 0, big), "at most 1 MiB");
	big[max] = '\0';
	check(resolve_in(g, &a, 1, NULL), "{\"n\":5");
	memset(big, ' ', max);
	memcpy(big, "{}", 2);
	check(resolve_in(g, NULL, 0, big), "{\"n\":5");
	free(big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),	cmocka_unit_test(test_text),
	    cmocka_unit_test(test_constraints), cmocka_unit_test(test_file),
	    cmocka_unit_test(test_round_trip),	cmocka_unit_test(test_all_at_once),
	    cmocka_unit_test(test_missing),	cmocka_unit_test(test_many),
	    cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
