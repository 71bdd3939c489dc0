/* What a checkout will do with one out, by the two lists of its files. */
#include "store/track/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/err.h"

static struct tree trees[2];
static struct plan plan;

static int
teardown(void **state)
{
	(void)state;
	plan_release(&plan);
	tree_release(&trees[0]);
	tree_release(&trees[1]);
	return 0;
}

/* "-" is nothing, "=3" a file, "d x=1 y=2" a directory. */
static struct plan_side
side(const char *text, size_t i)
{
	struct plan_side s = {.there = *text != '-', .dir = *text == 'd'};
	struct object_id id = {0};

	if (*text == '=')
		s.id.md5[0] = (uint8_t)text[1];
	if (!s.dir)
		return s;
	tree_release(&trees[i]);
	for (text++; *text == ' '; text += strcspn(text, " ")) {
		size_t len = strcspn(++text, "=");

		id.md5[0] = (uint8_t)text[len + 1];
		assert_int_equal(tree_add(&trees[i], text, len, id.md5, -1, NULL), 0);
	}
	assert_int_equal(tree_sort(&trees[i], NULL), 0);
	s.tree = &trees[i];
	return s;
}

/* Actions: "-path" removed, "+path" made, "!path" replaced, "@path" linked anew. */
static void
check(const char *have_text, const char *want_text, const char *only, bool relink,
      const char *expect)
{
	struct plan_side have = side(have_text, 0), want = side(want_text, 1);
	size_t counts[4] = {0};
	struct err err = {0};
	struct buf b;

	plan_release(&plan);
	assert_int_equal(plan_make(&have, &want, only, relink, &plan, &err), 0);
	buf_init(&b, 0);
	for (size_t i = 0; i < plan.n; i++) {
		const struct action *a = &plan.v[i];
		size_t k = a->want == NULL				 ? 0
			   : a->have == NULL				 ? 1
			   : memcmp(a->want->md5, a->have->md5, 16) != 0 ? 2
									 : 3;

		counts[k]++;
		assert_true(k != 0 || i < plan.removed);
		buf_addf(&b, "%s%c%s", i > 0 ? " " : "", "-+!@"[k],
			 a -> want != NULL ? a -> want -> path : a -> have -> path);
	}
	assert_string_equal(b.p, expect);
	buf_release(&b);
	assert_int_equal(plan.removed, counts[0]);
	assert_int_equal(plan.made, counts[1]);
	assert_int_equal(plan.replaced, counts[2]);
	assert_int_equal(plan.relinked, counts[3]);
	assert_int_equal(plan.want_dir, *want_text == 'd');
	assert_int_equal(plan.have_dir, *have_text == 'd');
}

static void
test_file(void **state)
{
	(void)state;
	check("-", "=1", NULL, false, "+");
	check("=1", "=1", NULL, false, "");
	check("=1", "=2", NULL, false, "!");
	check("=1", "=1", NULL, true, "@");
	check("=1", "-", NULL, false, "-");
	check("-", "-", NULL, true, "");
}

static void
test_dir(void **state)
{
	(void)state;
	check("-", "d", NULL, false, "");
	check("-", "d a=1 s/b=2", NULL, false, "+a +s/b");
	check("d a=1 b=2 c=3", "d b=2 c=4 d=5", NULL, false, "-a !c +d");
	check("d a=1 b=2", "d b=2 c=1", NULL, true, "-a @b +c");
	check("d a=1 s/b=2", "-", NULL, false, "-a -s/b");
}

/* What must go goes first. */
static void
test_kinds(void **state)
{
	(void)state;
	check("=1", "d a=1", NULL, false, "- +a");
	check("d a=1 b=1", "=1", NULL, false, "-a -b +");
	check("d a=1", "d a/x=1", NULL, false, "-a +a/x");
	check("d a/x=1 b=1", "d a=1 b=1", NULL, false, "-a/x +a");
}

static void
test_only(void **state)
{
	(void)state;
	check("d a=1 b=1 s/x=1", "d a=2 b=2 s/x=2", "a", false, "!a");
	check("d a=1 s-t=1 s/x=1", "d a=2 s-t=2 s/x=2 s/y=3", "s", false, "!s/x +s/y");
	check("d s/gone=1 gone=2", "d", "s", false, "-s/gone");
	check("-", "d a=1 b=1", "b", false, "+b");
	check("d a=1", "d a=1", "nope", false, "");
	/* What is in the way of what is asked for. */
	check("d a=1 b=1", "d a/x=1 b=2", "a/x", false, "-a +a/x");
	check("d a/x=1 b=1", "d a=1 b=2", "a", false, "-a/x +a");
	/* Nothing of a directory can be had while a file is there. */
	check("=1", "d a=1 b=1", "a", false, "- +a +b");
}

/* Hashes of two kinds say nothing of each other. */
static void
test_legacy(void **state)
{
	struct plan_side have = side("d a=1", 0), want = side("d a=1", 1);
	struct object_id id;
	struct err err;

	(void)state;
	want.id.legacy = true;
	assert_int_equal(plan_make(&have, &want, NULL, false, &plan, &err), 0);
	assert_int_equal(plan.replaced, 1);
	plan_id(plan.v[0].want, plan.want_legacy, &id);
	assert_true(id.legacy && id.md5[0] == '1' && !id.dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_file, teardown),
	    cmocka_unit_test_teardown(test_dir, teardown),
	    cmocka_unit_test_teardown(test_kinds, teardown),
	    cmocka_unit_test_teardown(test_only, teardown),
	    cmocka_unit_test_teardown(test_legacy, teardown),
	};

	return cmocka_run_group_tests_name("store/track plan", tests, NULL, NULL);
}
