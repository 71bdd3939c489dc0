/*
 * Files of the run cache that a power loss, or anything else, has left in any state: at worst
 * the command is run once more; nothing but what it made is ever taken for its result.
 */
#include "store/objects/runs.h"
#include "unit/store/stage_test.h"

static char path[RUN_PATH_MAX + 8]; /* of the file, seen from the place */
static const char *whole, *entry;   /* what it holds, and the lock */
static unsigned runs, restores;	    /* what came of it */

/* The only run there is. */
static void
find_run(void)
{
	struct run_names names = {0};
	struct err err = {0};

	ok(runs_list(shop.o, &names, &err));
	assert_int_equal(names.v.n, 1);
	memcpy(path, "cache/", 6);
	runs_path(&names.v.v[0], path + 6);
	vec_release(&names.v);
}

static void
run_once(void)
{
	simple();
	entry = done();
	find_run();
	whole = entry;
}

/* With nothing in the lock, and the output gone, as in another branch. */
static void
judge(void)
{
	struct stage_decision d;
	const char *text = NULL;
	struct err err = {0};
	int r;

	locked = NULL;
	put("out.txt", "of another branch\n");
	d = decide();
	assert_null(d.lacks);
	if (d.verdict == STAGE_RUN) {
		runs++;
		return;
	}
	assert_int_equal(d.verdict, STAGE_FROM_RUN_CACHE);
	r = stage_restore(look, &run, locked, &how, &d, arena, &text, &err);
	if (r < 0)
		fail_msg("%s", err.msg);
	if (r == 1) {
		runs++;
		return;
	}
	restores++;
	shop_holds(&shop, "out.txt", "made of one\n", 12);
	assert_string_equal(text, entry);
}

static void
test_cut(void **state)
{
	size_t n;

	(void)state;
	run_once();
	n = strlen(whole);
	assert_true(n > 100 && n < RUN_PAGE);
	runs = restores = 0;
	for (size_t i = 0; i < n; i++) {
		shop_put(&shop, path, whole, i);
		judge();
	}
	/* Without its last line, a size, it says the same: sizes are found again. */
	assert_true(restores > 0 && restores < 10);
	runs = 0;
	shop_put(&shop, path, whole, n);
	judge();
	assert_int_equal(runs, 0);
}

/* A size that was durable before the bytes. */
static void
test_zeros(void **state)
{
	size_t n;
	char *torn;

	(void)state;
	run_once();
	n = strlen(whole);
	runs = restores = 0;
	for (size_t i = 0; i < n; i++) {
		torn = calloc(n, 1);
		assert_non_null(torn);
		memcpy(torn, whole, i);
		shop_put(&shop, path, torn, n);
		free(torn);
		judge();
	}
	assert_int_equal(restores, 0);
}

static void
test_flips(void **state)
{
	size_t n;
	char *torn;

	(void)state;
	run_once();
	n = strlen(whole);
	torn = strdup(whole);
	assert_non_null(torn);
	runs = restores = 0;
	for (size_t i = 0; i < n; i++)
		for (int bit = 0; bit < 8; bit += 3) {
			torn[i] = (char)(whole[i] ^ (1 << bit));
			shop_put(&shop, path, torn, n);
			torn[i] = whole[i];
			judge();
		}
	free(torn);
	/* Sizes do not count: they are found again. */
	assert_true(runs > n && restores > 0);
}

/* Bytes of another run under its name. */
static void
test_mixed(void **state)
{
	const char *first;
	char name[sizeof(path)];

	(void)state;
	run_once();
	first = entry;
	memcpy(name, path, sizeof(name));
	drop(path);
	put("in.txt", "two\n");
	put("out.txt", "made of two\n");
	locked = NULL;
	(void)done();
	find_run();
	runs = restores = 0;
	/* That of "two" says what "one" came to. */
	put(path, first);
	judge();
	assert_int_equal(runs, 1);
	/* Both in one place: what is right is found. */
	put("in.txt", "one\n");
	put(name, first);
	entry = first;
	judge();
	assert_int_equal(restores, 1);
	/* Something else in its place. */
	drop(name);
	assert_int_equal(mkdirat(shop.fd, name, 0755), 0);
	judge();
	assert_int_equal(runs, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_zeros, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_flips, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_mixed, setup, teardown),
	};

	return cmocka_run_group_tests_name("store/track/stage_torn", tests, NULL, NULL);
}
