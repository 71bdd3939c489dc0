#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "dag_fixture.h"
#include "scheduler/select.h"

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

/* The names of the tasks that ${expr} selects without those of ${but}, sorted; or the error. */
static const char *
sel_but(const char *expr, const char *but)
{
	static char out[1100];
	bool selected[6];
	struct err err;
	size_t n = 0, i;
	char c;

	if (select_tasks(g, &expr, expr != NULL, selected, &err) != 0 ||
	    select_exclude(g, &but, but != NULL, selected, &err) != 0) {
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

static const char *
sel(const char *expr)
{
	return sel_but(expr, NULL);
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
test_depths(void **state)
{
	(void)state;
	assert_string_equal(sel("1+d"), "bcd");
	assert_string_equal(sel("2+e"), "bcde");
	assert_string_equal(sel("0+e"), "e");
	assert_string_equal(sel("00000000000000000000000000000+e"), "e");
	assert_string_equal(sel("00000000000000000000000000001+e"), "de");
	assert_string_equal(sel("a+1"), "abc");
	assert_string_equal(sel("1+d+1"), "bcde");
	assert_string_equal(sel("99999999999999999999999999+e"), "abcde");
	assert_string_equal(sel("e+99999999999999999999999999"), "e");
	assert_string_equal(sel("4294967296+e"), "abcde");
	/* of two depths the larger counts, even where the paths meet */
	assert_string_equal(sel("1+e 2+d"), "abcde");
}

static void
test_around(void **state)
{
	(void)state;
	assert_string_equal(sel("@b"), "abcde"); /* c is needed by d */
	assert_string_equal(sel("@f"), "f");
	assert_string_equal(sel("@e"), "abcde");
	assert_string_equal(sel("@tag:join"), "abcde");
}

static void
test_globs(void **state)
{
	(void)state;
	assert_string_equal(sel("*"), "abcdef");
	assert_string_equal(sel("[a-c]"), "abc");
	assert_string_equal(sel("[!a-c]"), "def");
	assert_string_equal(sel("?+"), "abcdef");
	assert_string_equal(sel("tag:s*"), "ad");
	assert_string_equal(sel("x*"), "no task of t matches 'x*'");
	assert_string_equal(sel("tag:x*"), "no tag of t matches 'x*'");
}

static void
test_several(void **state)
{
	const char *two[] = {"b", "f"};
	bool selected[6];
	struct err err;
	size_t i, n = 0;

	(void)state;
	assert_string_equal(sel("b f"), "bf");
	assert_string_equal(sel(" b  f\t\n+c "), "abcf");
	/* up and down do not mix: the downstreams of an upstream are not taken */
	assert_string_equal(sel("+b e"), "abe");
	assert_int_equal(select_tasks(g, two, 2, selected, &err), 0);
	for (i = 0; i < 6; i++)
		n += selected[i];
	assert_int_equal(n, 2);
	assert_int_equal(select_tasks(g, NULL, 0, selected, &err), 0);
	for (i = 0; i < 6; i++)
		assert_true(selected[i]);
}

static void
test_intersections(void **state)
{
	(void)state;
	assert_string_equal(sel("+d,b+"), "bd");
	assert_string_equal(sel("+d,b+,tag:slow"), "d");
	assert_string_equal(sel("f +d,b+"), "bdf");
	assert_string_equal(sel("+d,b+ a"), "abd");
	assert_string_equal(sel("a,f"),
			    "'a,f' selects nothing: no task of t is in all of its parts");
	assert_non_null(strstr(sel("a, f"), "'a,' has nothing beside a comma"));
	assert_non_null(strstr(sel("a,,f"), "'a,,f' has nothing beside a comma"));
	assert_non_null(strstr(sel(","), "beside a comma"));
	assert_non_null(strstr(sel("a,zz"), "task 'zz' does not exist"));
}

static void
test_exclude(void **state)
{
	(void)state;
	assert_string_equal(sel_but(NULL, "f"), "abcde");
	assert_string_equal(sel_but("+d", "b c"), "ad");
	assert_string_equal(sel_but("+d", "b,tag:slow"),
			    "'b,tag:slow' selects nothing: no task of t is in all of its "
			    "parts");
	assert_string_equal(sel_but("+d", "f"), "abcd");
	assert_string_equal(sel_but("+d", "a+"),
			    "nothing is left to select in t: all of it is excluded");
	assert_non_null(strstr(sel_but(NULL, "slwo"), "task 'slwo' does not exist"));
}

static void
test_mistakes(void **state)
{
	static const char *const bad[] = {"+",	   "++",    "+++",   "1+",   "+1",  "a++",
					  "++a",   "a+x",   "@",     "@@a",  "@+a", "+@a",
					  "a+1+2", "tag:+", "1+2+a", "+tag:"};
	const char *many[SELECTORS_MAX + 1];
	bool selected[6];
	char longer[1000];
	struct err err;
	size_t i;

	(void)state;
	assert_non_null(strstr(sel("+B"), "'B' does not exist in t; did you mean 'b'?"));
	assert_non_null(strstr(sel("tag:slwo"), "tag 'slwo'"));
	assert_non_null(strstr(sel("tag:slwo"), "'slow'"));
	assert_non_null(strstr(sel("tag:"), "task 'tag:'"));
	assert_non_null(strstr(sel("a zzzzzz"), "task 'zzzzzz' does not exist"));
	assert_non_null(strstr(sel(""), "empty"));
	assert_non_null(strstr(sel(" \t"), "empty"));
	assert_non_null(strstr(sel("@a+"), "@ takes all that follow already"));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strstr(sel(bad[i]), "is no selector") == NULL &&
		    strstr(sel(bad[i]), "does not exist") == NULL)
			fail_msg("%s: %s", bad[i], sel(bad[i]));
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_non_null(strstr(sel(longer), "is no selector"));
	for (i = 0; i <= SELECTORS_MAX; i++)
		many[i] = "a";
	assert_int_equal(select_tasks(g, many, SELECTORS_MAX, selected, &err), 0);
	assert_int_equal(select_tasks(g, many, SELECTORS_MAX + 1, selected, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
}

/* ---- beside another way to do it ---- */

#define N     24 /* tasks of a random graph */
#define FAR   1000
#define WORDS 4
#define PARTS 3

static uint64_t seed;

static unsigned
rnd(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

/* A graph with edges from lower to higher numbers, and how far each task is from each. */
struct world {
	struct dag *dag;
	unsigned far[N][N]; /* edges from i to j; FAR: none */
	unsigned tag[N];
	unsigned perm[N]; /* number -> place in the file */
};

static void
make_world(struct world *w)
{
	unsigned i, j, k, density = 1 + rnd(30);
	struct buf yaml;

	buf_init(&yaml, 0);
	for (i = 0; i < N; i++) {
		w->tag[i] = rnd(3);
		w->perm[i] = i;
		for (j = 0; j < N; j++)
			w->far[i][j] = i == j ? 0 : i < j && rnd(100) < density ? 1 : FAR;
	}
	for (i = N; i-- > 1;) {
		k = w->perm[j = rnd(i + 1)];
		w->perm[j] = w->perm[i];
		w->perm[i] = k;
	}
	buf_addf(&yaml, "tasks:\n");
	for (k = 0; k < N; k++) {
		j = w->perm[k];
		buf_addf(&yaml, "  t%02u: {run: x, tags: [g%u], needs: [", j, w->tag[j]);
		for (i = 0; i < N; i++)
			if (w->far[i][j] == 1)
				buf_addf(&yaml, "t%02u,", i);
		buf_addf(&yaml, "]}\n");
	}
	w->dag = fixture_dag(yaml.p);
	buf_release(&yaml);
	for (k = 0; k < N; k++)
		for (i = 0; i < N; i++)
			for (j = 0; j < N; j++)
				if (w->far[i][k] + w->far[k][j] < w->far[i][j])
					w->far[i][j] = w->far[i][k] + w->far[k][j];
}

/* A random selector as text, and by the matrix what it selects. */
static void
make_selector(const struct world *w, struct buf *out, bool hits[N])
{
	bool core[N] = {false}, around = rnd(5) == 0;
	unsigned up = 0, down = 0, i, j, k, what = rnd(4), x = rnd(N);

	if (around)
		buf_addf(out, "@");
	else if (rnd(2) == 0 && (up = 1 + rnd(4)) == 4)
		buf_addf(out, "+");
	else if (up > 0)
		buf_addf(out, "%u+", up);
	if (what == 0) {
		buf_addf(out, "tag:g%u", w->tag[x]);
	} else if (what == 1) {
		buf_addf(out, "t?%u", x % 10);
	} else {
		buf_addf(out, "t%02u", x);
	}
	if (!around && rnd(2) == 0 && (down = 1 + rnd(4)) == 4)
		buf_addf(out, "+");
	else if (down > 0)
		buf_addf(out, "+%u", down);
	for (i = 0; i < N; i++)
		core[i] = what == 0   ? w->tag[i] == w->tag[x]
			  : what == 1 ? i % 10 == x % 10
				      : i == x;
	up = up == 4 ? FAR - 1 : up;
	down = down == 4 ? FAR - 1 : down;
	for (i = 0; i < N; i++) {
		hits[i] = false;
		for (j = 0; j < N; j++)
			hits[i] =
			    hits[i] ||
			    (core[j] && (w->far[i][j] <= up || w->far[j][i] <= down));
		/* i is before, or is, some k that is behind, or is, the core */
		for (j = 0; around && j < N; j++)
			for (k = 0; k < N; k++)
				hits[i] = hits[i] || (core[j] && w->far[j][k] < FAR &&
						      w->far[i][k] < FAR);
	}
}

/* Words of selectors with commas; returns whether every word selects something. */
static bool
make_words(const struct world *w, struct buf *out, bool hits[N])
{
	unsigned words = 1 + rnd(WORDS), parts, i, k, p;
	bool meet[N], one[N], any, all = true;

	buf_clear(out);
	memset(hits, 0, N * sizeof(*hits));
	for (k = 0; k < words; k++) {
		parts = rnd(2) == 0 ? 1 : 1 + rnd(PARTS);
		for (p = 0; p < parts; p++) {
			if (k > 0 || p > 0)
				buf_addc(out, p > 0 ? ',' : ' ');
			make_selector(w, out, one);
			for (i = 0; i < N; i++)
				meet[i] = one[i] && (p == 0 || meet[i]);
		}
		for (any = false, i = 0; i < N; i++) {
			any = any || meet[i];
			hits[i] = hits[i] || meet[i];
		}
		all = all && any;
	}
	return all;
}

static void
test_random(void **state)
{
	unsigned round, expr, i, compared = 0;
	bool want[N], but[N], got[N], left;
	struct buf words, minus;
	struct world w;
	struct err err;

	(void)state;
	buf_init(&words, 0);
	buf_init(&minus, 0);
	for (round = 1; round <= 60; round++) {
		seed = round;
		make_world(&w);
		for (expr = 0; expr < 60; expr++) {
			bool ok = make_words(&w, &words, want);
			bool ok_not = make_words(&w, &minus, but);

			assert_int_equal(select_tasks(w.dag,
						      (const char *const *)&words.p, 1,
						      got, &err),
					 ok ? 0 : -1);
			if (!ok)
				continue;
			for (i = 0; i < N; i++)
				if (got[i] != want[w.perm[i]])
					fail_msg("round %u: %s: t%02u", round, words.p,
						 w.perm[i]);
			for (left = false, i = 0; i < N; i++)
				left = left || (want[i] && !but[i]);
			assert_int_equal(select_exclude(w.dag,
							(const char *const *)&minus.p, 1,
							got, &err),
					 ok_not && left ? 0 : -1);
			for (i = 0; ok_not && i < N; i++)
				if (got[i] != (want[w.perm[i]] && !but[w.perm[i]]))
					fail_msg("round %u: %s but %s: t%02u", round,
						 words.p, minus.p, w.perm[i]);
			compared++;
		}
		dag_free(w.dag);
	}
	buf_release(&words);
	buf_release(&minus);
	assert_true(compared > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words),   cmocka_unit_test(test_depths),
	    cmocka_unit_test(test_around),  cmocka_unit_test(test_globs),
	    cmocka_unit_test(test_several), cmocka_unit_test(test_intersections),
	    cmocka_unit_test(test_exclude), cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
