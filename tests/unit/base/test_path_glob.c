#include "base/path.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <time.h>

#include "unit/base/fixture.h"

#define PATH_LEN 128

static void
test_has_glob(void **state)
{
	(void)state;
	assert_true(path_has_glob("a/*.csv"));
	assert_true(path_has_glob("a?"));
	assert_true(path_has_glob("a[b"));
	assert_false(path_has_glob("a]b"));
	assert_false(path_has_glob(""));
	assert_false(path_has_glob("a\\*b\\?\\["));
	assert_true(path_has_glob("a\\\\*"));
	assert_false(path_has_glob("a\\"));
}

static const struct {
	const char *pattern, *path;
	bool match;
} globs[] = {
    {"a", "a", true},
    {"a", "b", false},
    {"a", "a/b", false},
    {"*", "a", true},
    {"*", ".a", true},
    {"*", "a/b", false},
    {"*/*", "a/b", true},
    {"*.csv", "x.csv", true},
    {"*.csv", ".csv", true},
    {"*.csv", "x.csv.gz", false},
    {"a?c", "abc", true},
    {"a?c", "a/c", false},
    {"a?c",
     "a\xc3\xa9"
     "c",
     true},
    {"a?c",
     "a\xff"
     "c",
     true},
    {"a??c",
     "a\xc3\xa9"
     "c",
     false},
    {"[abc]", "b", true},
    {"[abc]", "d", false},
    {"[a-c]x", "bx", true},
    {"[!a-c]x", "bx", false},
    {"[!a-c]x", "dx", true},
    {"[^a]", "b", true},
    {"[]]", "]", true},
    {"[!]]", "]", false},
    {"[!]]", "a", true},
    {"[a-]", "-", true},
    {"[-a]", "-", true},
    {"[\\]]", "]", true},
    {"[\xc3\xa0-\xc3\xbf]", "\xc3\xa9", true},
    {"[\xc3\xa0-\xc3\xbf]", "e", false},
    {"[", "[", true},
    {"[a", "[a", true},
    {"[a", "a", false},
    {"a[/]b", "a/b", false},
    {"\\*", "*", true},
    {"\\*", "a", false},
    {"a\\", "a\\", true},
    {"**", "a", true},
    {"**", "a/b/c", true},
    {"**", ".", true},
    {".", ".", true},
    {"*", ".", false},
    {"**/x", "x", true},
    {"**/x", "a/b/x", true},
    {"**/x", "a/b/xy", false},
    {"a/**", "a", true},
    {"a/**", "a/b/c", true},
    {"a/**", "ab", false},
    {"a/**/b", "a/b", true},
    {"a/**/b", "a/x/y/b", true},
    {"a/**/b/**/c", "a/b/x/b/y/c", true},
    {"a/**/b/**/c", "a/x/c", false},
    {"**/**", "a", true},
    {"a**", "abc", true},
    {"a**", "a/bc", false},
    {"**/*.csv", "a/b.csv", true},
    {"../*", "../a", true},
    {"../**", "../a/b", true},
    {"*/a", "../a", false},
    {"**", "../a", false},
    {"**", "..", false},
    {"..", "..", true},
    {"/a/*", "/a/b", true},
    {"/**", "/a/b", true},
    {"**", "/a/b", false},
    {"a/*", "/a/b", false},
    {"", "a", false},
};

static void
test_table(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(globs) / sizeof(globs[0]); i++)
		if (path_glob_match(globs[i].pattern, globs[i].path) != globs[i].match)
			fail_msg("%s and %s", globs[i].pattern, globs[i].path);
}

/* Append to a path of at most PATH_LEN bytes, NUL included. */
static void
append(char *path, const char *s)
{
	size_t n = strlen(path);

	(void)snprintf(path + n, PATH_LEN - n, "%s", s);
}

/* A random normalized path of the given words; at most two components of at most three. */
static void
random_path(uint64_t *seed, const char *const *words, uint32_t nwords, char *out)
{
	uint32_t parts = 1 + next_random(seed) % 3, n;

	*out = '\0';
	while (parts-- > 0) {
		if (*out != '\0')
			append(out, "/");
		for (n = 1 + next_random(seed) % 3; n > 0; n--)
			append(out, words[next_random(seed) % nwords]);
	}
}

static const char *const pattern_words[] = {"a",    "b",   "*",	    "?", "[ab]",
					    "[!a]", "\\*", "[a-b]", "aa"};
static const char *const path_words[] = {"a", "b", "*", "c", "ab"};

static void
test_against_fnmatch(void **state)
{
	char pattern[PATH_LEN], path[PATH_LEN];
	uint64_t seed = 3;
	int i, matches = 0;

	(void)state;
	for (i = 0; i < 100000; i++) {
		random_path(&seed, pattern_words, 9, pattern);
		if (strstr(pattern, "**") != NULL)
			continue;
		random_path(&seed, path_words, 5, path);
		if (path_glob_match(pattern, path) !=
		    (fnmatch(pattern, path, FNM_PATHNAME) == 0))
			fail_msg("%s and %s", pattern, path);
		matches += path_glob_match(pattern, path);
	}
	assert_true(matches > 1000);
}

/* The plainest matcher there is: components by fnmatch, "**" by trying everything. */
static bool
slow_match(const char *pattern, const char *path)
{
	char p[32], s[32];
	size_t np = strcspn(pattern, "/"), ns = strcspn(path, "/");
	const char *rest = pattern + np + (pattern[np] == '/');
	const char *next = path + ns + (path[ns] == '/');

	if (*pattern == '\0')
		return *path == '\0';
	if (np == 2 && memcmp(pattern, "**", 2) == 0)
		return slow_match(rest, path) ||
		       (*path != '\0' && slow_match(pattern, next));
	if (*path == '\0')
		return false;
	(void)snprintf(p, sizeof(p), "%.*s", (int)np, pattern);
	(void)snprintf(s, sizeof(s), "%.*s", (int)ns, path);
	return fnmatch(p, s, 0) == 0 && slow_match(rest, next);
}

static void
random_deep(uint64_t *seed, const char *const *words, uint32_t nwords, char *out)
{
	uint32_t parts = 1 + next_random(seed) % 6;

	*out = '\0';
	while (parts-- > 0) {
		if (*out != '\0')
			append(out, "/");
		append(out, words[next_random(seed) % nwords]);
	}
}

static const char *const deep_pattern_words[] = {"a", "b", "**", "*", "**", "?b", "**"};
static const char *const deep_path_words[] = {"a", "b", "ab", "c"};

static void
test_stars_against_slow(void **state)
{
	char pattern[PATH_LEN], path[PATH_LEN];
	uint64_t seed = 9;
	int i, matches = 0;

	(void)state;
	for (i = 0; i < 100000; i++) {
		random_deep(&seed, deep_pattern_words, 7, pattern);
		random_deep(&seed, deep_path_words, 4, path);
		if (path_glob_match(pattern, path) != slow_match(pattern, path))
			fail_msg("%s and %s", pattern, path);
		matches += path_glob_match(pattern, path);
	}
	assert_true(matches > 1000);
}

static int64_t
cpu_ms(void)
{
	return (int64_t)clock() * 1000 / CLOCKS_PER_SEC;
}

/* Where trying everything would take longer than the universe lasts. */
static void
test_no_explosion(void **state)
{
	enum { N = 2000 };
	char pattern[2 * N + 8] = "", path[2 * N + 8] = "";
	int64_t start = cpu_ms();
	size_t i;

	(void)state;
	for (i = 0; i < N; i++) {
		memcpy(pattern + 2 * i, "a*", 3);
		path[i] = 'a';
	}
	memcpy(pattern + 2 * N, "b", 2);
	path[N] = '\0';
	assert_false(path_glob_match(pattern, path));
	for (i = 0; i < N / 5; i++) {
		memcpy(pattern + 5 * i, "**/a/", 6);
		memcpy(path + 2 * i, "a/", 3);
	}
	memcpy(pattern + N, "b", 2);
	memcpy(path + 2 * (N / 5), "a", 2);
	assert_false(path_glob_match(pattern, path));
	assert_true(cpu_ms() - start < 5000);
}

/*
 * Overlap may say true too often but never false wrongly: whatever a pattern matches, and
 * what lies above and below of it, must overlap.
 */
static void
test_overlap_is_safe(void **state)
{
	char pattern[PATH_LEN], path[PATH_LEN], *slash;
	uint64_t seed = 21;
	int i, hits = 0, apart = 0;

	(void)state;
	for (i = 0; i < 100000; i++) {
		random_deep(&seed, deep_pattern_words, i % 2 == 0 ? 7 : 2, pattern);
		random_deep(&seed, deep_path_words, 4, path);
		if (!path_glob_overlap(pattern, path))
			apart++;
		if (!path_glob_match(pattern, path))
			continue;
		hits++;
		append(path, "/below");
		for (slash = path; slash != NULL; slash = strrchr(path, '/')) {
			if (slash != path)
				*slash = '\0';
			if (!path_glob_overlap(pattern, path) ||
			    !path_glob_overlap(path, pattern))
				fail_msg("%s and %s", pattern, path);
			if (slash == path && strchr(path, '/') == NULL)
				break;
		}
	}
	assert_true(hits > 1000);
	assert_true(apart > 1000);
}

static void
test_overlap_table(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool overlap;
	} cases[] = {
	    {"data/*.csv", "data/a.csv", true},
	    {"data/*.csv", "data", true},
	    {"data/*.csv", "data/a.csv/part", true},
	    {"data/*.csv", "data/a.txt", false},
	    {"data/*.csv", "date", false},
	    {"data/*/x", "data/a/y", false},
	    {"data/*/x", ".", true},
	    {".", "data", true},
	    {"**/x", "data/y", true},
	    {"data/*.csv", "data/a*", true},
	    {"data/a", "data/?", true},
	    {"data/a", "data/b?", false},
	    {"*", "..", true},
	    {"../a/*", "../b/c", false},
	    {"../a/*", "../a/c", true},
	    {"/a/*", "/b", false},
	    {"/a/*", "b", true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (path_glob_overlap(cases[i].pattern, cases[i].path) !=
		    cases[i].overlap)
			fail_msg("%s and %s", cases[i].pattern, cases[i].path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_has_glob),
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_against_fnmatch),
	    cmocka_unit_test(test_stars_against_slow),
	    cmocka_unit_test(test_no_explosion),
	    cmocka_unit_test(test_overlap_is_safe),
	    cmocka_unit_test(test_overlap_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
