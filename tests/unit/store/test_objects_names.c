/* Names that are one on a file system that takes capitals for small letters. */
#include "store/objects/tree.h"

#include "unit/store/store_test.h"

/* The paths, ended by NULL; what is said of them, or NULL. */
static void
check(const char *says_it, const char *const *paths)
{
	static const uint8_t md5[16] = {1};
	struct tree t = {0};
	struct err err = {0};

	for (; *paths != NULL; paths++)
		ok(tree_add(&t, *paths, strlen(*paths), md5, -1, &err));
	ok(tree_sort(&t, &err));
	if (says_it == NULL) {
		ok(tree_collision(&t, &err));
	} else {
		assert_int_equal(tree_collision(&t, &err), 1);
		assert_int_equal(err.code, ERR_INVALID);
		says(says_it);
	}
	tree_release(&t);
}

#define PATHS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
test_apart(void **state)
{
	(void)state;
	check(NULL, PATHS("a", "b", "d/a", "d/b", "d/e/a", "e/d/a", "d-a", "d.a"));
	check(NULL, PATHS("\xc3\xbc", "u", "\xc3\x9f", "ss"));
}

static void
test_one(void **state)
{
	(void)state;
	check("'A' and 'a' differ only by", PATHS("A", "a"));
	check("'d/X' and 'd/x'", PATHS("d/X", "d/x"));
	/* Directories, too, though their files have other names. */
	check("'D' and 'd'", PATHS("D/x", "d/y"));
	check("'a/D' and 'a/d'", PATHS("a/D/x", "a/c", "a/d"));
	/* Far from each other in the list. */
	check("'B' and 'b'", PATHS("B", "a/x", "a/y", "b"));
	/* Letters beyond ASCII; a final sigma is a sigma. */
	check("\xc3\x9c", PATHS("\xc3\x9c", "\xc3\xbc"));
	check("\xcf\x82", PATHS("\xcf\x82", "\xcf\x83"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_apart),
	    cmocka_unit_test(test_one),
	};

	return cmocka_run_group_tests_name("store/objects names", tests, NULL, NULL);
}
