/* Names that are one on a file system that takes capitals for small letters. */
#include "store/objects/tree.h"
#include "store/unicode.h"

#include "unit/store/store_test.h"

#define BOTH (UNICODE_CASE | UNICODE_FORM)

/* The paths, ended by NULL; what is said of them, or NULL. */
static void
check(unsigned how, const char *says_it, const char *const *paths)
{
	static const uint8_t md5[16] = {1};
	struct tree t = {0};
	struct err err = {0};

	for (; *paths != NULL; paths++)
		ok(tree_add(&t, *paths, strlen(*paths), md5, -1, &err));
	ok(tree_sort(&t, &err));
	if (says_it == NULL) {
		ok(tree_collision(&t, how, &err));
	} else {
		assert_int_equal(tree_collision(&t, how, &err), 1);
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
	check(BOTH, NULL, PATHS("a", "b", "d/a", "d/b", "d/e/a", "e/d/a", "d-a", "d.a"));
	check(BOTH, NULL, PATHS("\xc3\xbc", "u", "ue"));
	/* Small capitals, Cyrillic that looks like Latin, width: letters of their own. */
	check(BOTH, NULL, PATHS("a", "\xd0\xb0", "\xef\xbd\x81", "\xe1\xb4\x80"));
	/* Only what the file system takes for one. */
	check(0, NULL, PATHS("A", "a", "\xc3\xa9", "e\xcc\x81"));
	check(UNICODE_FORM, NULL, PATHS("A", "a", "\xc3\x89", "\xc3\xa9"));
	check(UNICODE_CASE, NULL, PATHS("\xc3\xa9", "e\xcc\x81"));
}

static void
test_one(void **state)
{
	(void)state;
	check(UNICODE_CASE, "'A' and 'a' differ only by capitals", PATHS("A", "a"));
	check(UNICODE_CASE, "'d/X' and 'd/x'", PATHS("d/X", "d/x"));
	/* Directories, too, though their files have other names. */
	check(UNICODE_CASE, "'D' and 'd'", PATHS("D/x", "d/y"));
	check(UNICODE_CASE, "'a/D' and 'a/d'", PATHS("a/D/x", "a/c", "a/d"));
	/* Far from each other in the list. */
	check(UNICODE_CASE, "'B' and 'b'", PATHS("B", "a/x", "a/y", "b"));
	/* Latin, Greek (a final sigma is a sigma), Cyrillic; a sharp s is two. */
	check(UNICODE_CASE, "\xc3\x9c", PATHS("\xc3\x9c", "\xc3\xbc"));
	check(UNICODE_CASE, "\xcf\x82", PATHS("\xcf\x82", "\xcf\x83"));
	check(UNICODE_CASE, "\xd0\x96", PATHS("\xd0\x96", "\xd0\xb6"));
	check(UNICODE_CASE, "\xc3\x9f", PATHS("ss", "\xc3\x9f"));
}

static void
test_forms(void **state)
{
	static const char *const apart =
	    "differ only by how Unicode writes their accents";

	(void)state;
	check(UNICODE_FORM, apart, PATHS("\xc3\xa9", "e\xcc\x81"));
	check(BOTH, apart, PATHS("caf\xc3\xa9/x", "cafe\xcc\x81/y"));
	/* The order of two marks; a Korean syllable and its letters; the kelvin. */
	check(UNICODE_FORM, apart, PATHS("a\xcc\x81\xcc\xa3", "a\xcc\xa3\xcc\x81"));
	check(UNICODE_FORM, apart, PATHS("\xea\xb0\x80", "\xe1\x84\x80\xe1\x85\xa1"));
	check(UNICODE_FORM, apart, PATHS("K", "\xe2\x84\xaa"));
	/* What is not seen: a soft hyphen. */
	check(BOTH, apart,
	      PATHS("ab", "a\xc2\xad"
			  "b"));
	/* Both at once. */
	check(BOTH, "differ only by capitals", PATHS("\xc3\x89", "e\xcc\x81"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_apart),
	    cmocka_unit_test(test_one),
	    cmocka_unit_test(test_forms),
	};

	return cmocka_run_group_tests_name("store/objects names", tests, NULL, NULL);
}
