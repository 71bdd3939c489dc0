#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/err.h"
#include "dag_fixture.h"
#include "scheduler/render.h"

/*
 *	a --> b --> d --> e
 *	 \--> c --/	  f
 */
static const char text[] = "tasks:\n"
			   "  e: {run: x, needs: [d]}\n"
			   "  d: {run: x, needs: [b, c], tags: [slow, join]}\n"
			   "  a: {run: x, tags: [slow]}\n"
			   "  b: {run: x, needs: [a]}\n"
			   "  c: {run: x, needs: [a]}\n"
			   "  f: {run: x}\n";

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

/* The names of the tasks that ${expr} selects, sorted; or the error. */
static const char *
sel(const char *expr)
{
	static char out[1100];
	bool selected[6];
	struct err err;
	size_t n = 0, i;
	char c;

	if (select_tasks(g, &expr, 1, selected, &err) != 0) {
		(void)snprintf(out, sizeof(out), "%s", err.msg);
		return out;
	}
	for (c = 'a'; c <= 'f'; c++)
		for (i = 0; i < g->ntasks; i++)
			if (g->tasks[i].name[0] == c && selected[i])
				out[n++] = c;
	out[n] = '\0';
	return out;
}

static void
test_words(void **state)
{
	(void)state;
	assert_string_equal(sel("b"), "b");
	assert_string_equal(sel("+b"), "ab");
	assert_string_equal(sel("b+"), "bde");
	assert_string_equal(sel("+b+"), "abde");
	assert_string_equal(sel("+e"), "abcde");
	assert_string_equal(sel("a+"), "abcde");
	assert_string_equal(sel("f+"), "f");
	assert_string_equal(sel("tag:slow"), "ad");
	assert_string_equal(sel("tag:join+"), "de");
	assert_string_equal(sel("+tag:join"), "abcd");
}

static void
test_several(void **state)
{
	const char *two[] = {"b", "f"};
	bool selected[6];
	struct err err;
	size_t i, n = 0;

	(void)state;
	assert_string_equal(sel("b,f"), "bf");
	assert_string_equal(sel(" b  f,,+c "), "abcf");
	/* up and down do not mix: the downstreams of an upstream are not taken */
	assert_string_equal(sel("+b,e"), "abe");
	assert_int_equal(select_tasks(g, two, 2, selected, &err), 0);
	for (i = 0; i < 6; i++)
		n += selected[i];
	assert_int_equal(n, 2);
	assert_int_equal(select_tasks(g, NULL, 0, selected, &err), 0);
	for (i = 0; i < 6; i++)
		assert_true(selected[i]);
}

static void
test_mistakes(void **state)
{
	char longer[1000];

	(void)state;
	assert_non_null(strstr(sel("+B"), "'B' does not exist in t; did you mean 'b'?"));
	assert_non_null(strstr(sel("tag:slwo"), "tag 'slwo'"));
	assert_non_null(strstr(sel("tag:slwo"), "'slow'"));
	assert_non_null(strstr(sel("tag:"), "tag ''"));
	assert_non_null(strstr(sel("a,zzzzzz"), "task 'zzzzzz' does not exist"));
	assert_non_null(strstr(sel(""), "empty"));
	assert_non_null(strstr(sel(" , "), "empty"));
	assert_non_null(strstr(sel("+"), "+TASK"));
	assert_non_null(strstr(sel("++"), "+TASK"));
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_non_null(strstr(sel(longer), "a selector is"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_several),
	    cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
