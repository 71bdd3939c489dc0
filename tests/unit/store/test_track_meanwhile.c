/*
 * A checkout in a work tree that somebody else changes: what is written meanwhile, or stands where
 * nothing should, is named and left.
 */
#include "unit/store/checkout_test.h"

/* Somebody writes while we work: the hook runs before the link of the first file. */
static int
write_meanwhile(void *arg, enum fsio_op op, const char *path)
{
	(void)path;
	if (op != FSIO_RENAME || *(int *)arg != 0)
		return 0;
	*(int *)arg = 1;
	put("d/z", "written meanwhile");
	put("d/zz", "appeared meanwhile");
	return 0;
}

static void
test_meanwhile(void **state)
{
	struct object_id one, two;
	int done = 0;

	(void)state;
	makedir("d");
	put("d/a", "a1");
	put("d/z", "z1");
	put("d/zz", "zz1");
	one = save("d");
	drop("d/zz");
	put("d/a", "a2");
	put("d/z", "z2");
	two = save("d");
	(void)two;
	ws.workers = 1;
	fsio_set_fault(write_meanwhile, &done);
	assert_int_equal(get("d", one, gently), CHECKOUT_REFUSED);
	fsio_set_fault(NULL, NULL);
	assert_int_equal(done, 1);
	assert_int_equal(report.failed.n, 2);
	assert_string_equal(report.failed.v[0].path, "d/z");
	holds("d/a", "a1");
	holds("d/z", "written meanwhile");
	holds("d/zz", "appeared meanwhile");
}

/* The same while the first file is being copied, which may take long. */
static int
write_while_copied(void *arg, enum fsio_op op, const char *path)
{
	size_t n = strlen(path);

	if (op != FSIO_OPEN || n < 4 || strcmp(path + n - 4, ".tmp") != 0 ||
	    *(int *)arg != 0)
		return 0;
	*(int *)arg = 1;
	put("d/a", "written meanwhile");
	return 0;
}

static void
test_while_copied(void **state)
{
	struct object_id one, two;
	int done;

	(void)state;
	makedir("d");
	put("d/a", "a1");
	one = save("d");
	put("d/a", "a2");
	two = save("d");
	(void)two;
	for (int i = 0; i < 2; i++) {
		/* Once it is replaced, once it was not there. */
		if (i == 1)
			drop("d/a");
		done = 0;
		fsio_set_fault(write_while_copied, &done);
		assert_int_equal(get("d", one, gently), CHECKOUT_REFUSED);
		fsio_set_fault(NULL, NULL);
		assert_int_equal(done, 1);
		assert_int_equal(report.failed.n, 1);
		assert_string_equal(report.failed.v[0].path, "d/a");
		holds("d/a", "written meanwhile");
	}
	drop("d/a");
	assert_int_equal(get("d", one, gently), CHECKOUT_MODIFIED);
}

/* A link in a tracked directory where a directory should be is not written through. */
static void
test_link_inside(void **state)
{
	struct object_id id;

	(void)state;
	makedir("d");
	makedir("d/sub");
	makedir("other");
	put("d/a", "a1");
	put("d/sub/x", "x1");
	id = save("d");
	drop("d/sub");
	assert_int_equal(symlinkat("../other", shop.fd, "d/sub"), 0);
	assert_int_equal(get("d", id, gently), CHECKOUT_REFUSED);
	assert_int_equal(report.failed.n, 1);
	assert_string_equal(report.failed.v[0].path, "d/sub/x");
	assert_non_null(strstr(report.failed.v[0].text, "symbolic link"));
	assert_int_equal(get("d", id, by_force), CHECKOUT_REFUSED);
	assert_false(there("other/x"));
	assert_int_equal(unlinkat(shop.fd, "d/sub", 0), 0);
	assert_int_equal(get("d", id, gently), CHECKOUT_MODIFIED);
	holds("d/sub/x", "x1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_meanwhile, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_while_copied, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_link_inside, setup, teardown),
	};

	return cmocka_run_group_tests_name("store/track meanwhile", tests, NULL, NULL);
}
