#include "base/path.h"

#include "base/buf.h"
#include "unit/base/fixture.h"

static void
test_join(void **state)
{
	static const char *const cases[][3] = {
	    {"a", "b", "a/b"},	 {"a/", "b", "a/b"},	    {"/", "b", "/b"},
	    {"", "b", "b"},	 {".", "b", "b"},	    {"a", "/b", "/b"},
	    {"..", "b", "../b"}, {"a/b", "c/d", "a/b/c/d"},
	};
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&b);
		buf_adds(&b, "kept ");
		path_join(&b, cases[i][0], cases[i][1]);
		assert_memory_equal(b.p, "kept ", 5);
		assert_string_equal(b.p + 5, cases[i][2]);
	}
	buf_release(&b);
}

static void
test_normalize(void **state)
{
	static const char *const cases[][2] = {
	    {"", "."},
	    {".", "."},
	    {"./", "."},
	    {"a/..", "."},
	    {"a/../..", ".."},
	    {"./..", ".."},
	    {"../..", "../.."},
	    {"../../x/..", "../.."},
	    {"../a/../b", "../b"},
	    {"a//b/./c/", "a/b/c"},
	    {"a/b/../../c", "c"},
	    {"a/..b/.c/...", "a/..b/.c/..."},
	    {"a/../../b", "../b"},
	    {"/", "/"},
	    {"//", "/"},
	    {"/..", "/"},
	    {"/../../a", "/a"},
	    {"/a/..", "/"},
	    {"/a/../../b/", "/b"},
	    {"/./a/./", "/a"},
	};
	static const char *const before[] = {"", "x", "x/", "/"};
	struct buf b;
	size_t i, j;

	(void)state;
	buf_init(&b, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* What the buffer holds already is nobody's path. */
		for (j = 0; j < sizeof(before) / sizeof(before[0]); j++) {
			buf_clear(&b);
			buf_adds(&b, before[j]);
			path_normalize(&b, cases[i][0]);
			assert_memory_equal(b.p, before[j], strlen(before[j]));
			assert_string_equal(b.p + strlen(before[j]), cases[i][1]);
		}
		buf_clear(&b);
		path_normalize(&b, cases[i][1]);
		assert_string_equal(b.p, cases[i][1]);
	}
	buf_release(&b);
	buf_init(&b, 3);
	path_normalize(&b, "abc/def/../ghi");
	assert_true(buf_failed(&b));
	buf_release(&b);
}

static void
test_below_and_overlap(void **state)
{
	static const struct {
		const char *path, *dir;
		int below, overlap;
	} cases[] = {
	    {"a", "a", 1, 1},	     {"a/b", "a", 1, 1},      {"a", "a/b", 0, 1},
	    {"ab", "a", 0, 0},	     {"a.b", "a", 0, 0},      {"a", ".", 1, 1},
	    {".", ".", 1, 1},	     {".", "a", 0, 1},	      {"../a", ".", 0, 0},
	    {"..", ".", 0, 1},	     {"..a", ".", 1, 1},      {"a", "..", 1, 1},
	    {"../a", "..", 1, 1},    {"../../a", "..", 0, 0}, {"../a/b", "../a", 1, 1},
	    {"../ab", "../a", 0, 0}, {"/a", "/", 1, 1},	      {"/", "/", 1, 1},
	    {"/", "/a", 0, 1},	     {"/a/b", "/a", 1, 1},    {"/ab", "/a", 0, 0},
	    {"/a", "a", 0, 0},	     {"/a", ".", 0, 0},	      {"a", "/", 0, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (path_is_below(cases[i].path, cases[i].dir) != (cases[i].below == 1))
			fail_msg("%s below %s", cases[i].path, cases[i].dir);
		if (path_overlap(cases[i].path, cases[i].dir) !=
			(cases[i].overlap == 1) ||
		    path_overlap(cases[i].dir, cases[i].path) != (cases[i].overlap == 1))
			fail_msg("%s and %s", cases[i].path, cases[i].dir);
	}
	assert_true(path_climbs("/"));
	assert_true(path_climbs(".."));
	assert_true(path_climbs("../a"));
	assert_false(path_climbs("."));
	assert_false(path_climbs("..a"));
	assert_false(path_climbs("a/b"));
}

static void
test_names(void **state)
{
	static const struct {
		const char *name;
		size_t stem;
	} stems[] = {
	    {"a.tar.gz", 5}, {".x", 2},	 {"a.", 2},   {"a", 1},	   {"", 0},	{".", 1},
	    {"..", 2},	     {"..x", 3}, {".x.y", 2}, {"a..b", 2}, {"a.b.", 4},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(stems) / sizeof(stems[0]); i++)
		assert_int_equal(path_stem_len(stems[i].name), stems[i].stem);
	assert_string_equal(path_basename("a/b.c"), "b.c");
	assert_string_equal(path_basename("b.c"), "b.c");
	assert_string_equal(path_basename("a/"), "");
	assert_string_equal(path_basename("/"), "");
}

static const char *
encoded(struct buf *b, const char *name)
{
	buf_clear(b);
	path_put_encoded(b, name);
	return b->p;
}

static void
test_encoded(void **state)
{
	struct buf b;
	char name[300], other[300], first[300];
	const char *s;
	size_t n;

	(void)state;
	buf_init(&b, 0);
	assert_string_equal(encoded(&b, "aZ09_.@-"), "aZ09_.@-");
	assert_string_equal(encoded(&b, "a/b c%~"), "a%2Fb%20c%25%7E");
	assert_string_equal(encoded(&b, ".hidden.x"), "%2Ehidden.x");
	assert_string_equal(encoded(&b, ".."), "%2E.");
	assert_string_equal(encoded(&b, "\xc3\xa9"), "%C3%A9");
	assert_string_equal(encoded(&b, ""), "%00");
	/* At 200 bytes as it is, beyond cut and told apart by a hash that must not change. */
	memset(name, 'x', sizeof(name));
	name[200] = '\0';
	assert_string_equal(encoded(&b, name), name);
	name[200] = 'x';
	name[201] = '\0';
	s = encoded(&b, name);
	assert_int_equal(strlen(s), 200);
	assert_memory_equal(s, name, 183);
	assert_string_equal(s + 183, "~106dac9d5c83f803");
	memcpy(first, s, 201);
	memcpy(other, name, sizeof(other));
	other[200] = 'y';
	assert_string_not_equal(encoded(&b, other), first);
	/* No %XX is cut in two, wherever the border falls. */
	for (n = 170; n < 190; n++) {
		memset(name, 'x', n);
		memset(name + n, '/', 20);
		name[n + 20] = '\0';
		s = encoded(&b, name);
		assert_true(strlen(s) <= 200);
		s = strchr(s, '~');
		assert_non_null(s);
		assert_int_equal(strlen(s), 17);
		if (s[-1] != 'x')
			assert_memory_equal(s - 3, "%2F", 3);
	}
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_join),
	    cmocka_unit_test(test_normalize),
	    cmocka_unit_test(test_below_and_overlap),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
