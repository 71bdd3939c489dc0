/* The lists of directories: DVC's bytes, any JSON that says the same, and what is none. */
#include "store/objects/tree.h"

#include "base/buf.h"
#include "store/objects/object_id.h"
#include "unit/store/objects_test.h"

#define MD5_A "acbd18db4cc2f85cedef654fccc4a4d8"
#define MD5_B "37b51d194a7513e45b56f6524f2d51f2"
/* As Python spells what is no printable ASCII. */
#define CONTROLS "q\\\"b\\\\n\\nr\\rt\\tb\\bf\\f1\\u0001d\\u007fs/x"
#define BEYOND	 "\\u00e9\\u20ac\\ud83d\\ude00"

#define ENTRY(path) "{\"md5\": \"" MD5_A "\", \"relpath\": \"" path "\"}"

static int
to_buf(void *arg, const void *p, size_t n)
{
	buf_add(arg, p, n);
	return 0;
}

static void
write_is(const struct tree *t, const char *want)
{
	struct buf b;

	buf_init(&b, 0);
	assert_int_equal(tree_write(t, to_buf, &b), 0);
	assert_string_equal(b.p, want);
	buf_release(&b);
}

static void
add(struct tree *t, const char *path)
{
	struct object_id id = id_of(MD5_A);
	struct err err = {0};

	ok(tree_add(t, path, strlen(path), id.md5, TREE_SIZE_UNKNOWN, &err));
}

/* What DVC 3.67 writes for the same names. */
static void
writes_as_dvc(void **state)
{
	struct tree t = {0};
	struct object_id id;
	struct err err = {0};
	char hex[OBJECT_HEX_MAX];
	uint64_t bytes;

	(void)state;
	write_is(&t, "[]");
	ok(tree_id(&t, &id, &bytes, &err));
	assert_string_equal(object_id_hex(&id, hex),
			    "d751713988987e9331980363e24189ce.dir");
	assert_int_equal(bytes, 2);
	add(&t, "sub/z");
	add(&t, "sub-");
	add(&t, "sub.x");
	add(&t, "q\"b\\n\nr\rt\tb\bf\f1\001d\177s/x");
	add(&t, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	ok(tree_sort(&t, &err));
	write_is(&t, "[" ENTRY(CONTROLS) ", " ENTRY("sub-") ", " ENTRY(
			 "sub.x") ", " ENTRY("sub/z") ", " ENTRY(BEYOND) "]");
	tree_release(&t);
	tree_release(&t);
}

/* One byte at a time. */
static ssize_t
drip(void *arg, const uint8_t **p)
{
	const uint8_t **at = arg;

	*p = *at;
	return **at != '\0' ? ((*at)++, 1) : 0;
}

static void
parses(const char *text, const char *want)
{
	const uint8_t *at = (const uint8_t *)text;
	struct tree t = {0}, slow = {0};
	struct err err = {0};

	ok(tree_parse("x", text, strlen(text), &t, &err));
	write_is(&t, want);
	ok(tree_read("x", drip, &at, &slow, &err));
	write_is(&slow, want);
	tree_release(&t);
	tree_release(&slow);
}

static void
reads_any_spelling(void **state)
{
	(void)state;
	parses("[]", "[]");
	parses(" \n[\t]\r\n ", "[]");
	parses("[" ENTRY("a") "]", "[" ENTRY("a") "]");
	parses("[" ENTRY("b") "," ENTRY("a") "]", "[" ENTRY("a") ", " ENTRY("b") "]");
	parses("[{\"relpath\":\"a\\/b\",\"md5\":\"ACBD18DB4CC2F85CEDEF654FCCC4A4D8\"}]",
	       "[" ENTRY("a/b") "]");
	/* What DVC 1 and others wrote beside is let by. */
	parses(
	    "[{\"size\": 12, \"isexec\": true, \"x\": [1, -2.5e+3, {\"y\": [{}]}, null,"
	    " \"\\ud83d\\ude00\"], \"\\u006dd5\": \"" MD5_A "\", \"rel\\u0070ath\": "
	    "\"\\u00e9\xc3\xa9\"}]",
	    "[" ENTRY("\\u00e9\\u00e9") "]");
}

static void
keeps_sizes(void **state)
{
	static const char text[] =
	    "[{\"md5\": \"" MD5_A "\", \"relpath\": \"a\", \"size\": 0},"
	    "{\"md5\": \"" MD5_A "\", \"relpath\": \"b\", \"size\": 9000000000},"
	    "{\"md5\": \"" MD5_A "\", \"relpath\": \"c\", \"size\": -1},"
	    "{\"md5\": \"" MD5_A "\", \"relpath\": \"d\", \"size\": 1.5},"
	    "{\"md5\": \"" MD5_A "\", \"relpath\": \"e\", \"size\": \"7\"},"
	    "{\"md5\": \"" MD5_A
	    "\", \"relpath\": \"f\", \"size\": 99999999999999999999},"
	    "{\"md5\": \"" MD5_A "\", \"relpath\": \"g\", \"size\": 1e3}]";
	static const int64_t want[] = {0, 9000000000, -1, -1, -1, -1, -1};
	struct tree t = {0};
	struct err err = {0};

	(void)state;
	ok(tree_parse("x", text, sizeof(text) - 1, &t, &err));
	assert_int_equal(t.n, 7);
	for (size_t i = 0; i < t.n; i++)
		assert_int_equal(t.v[i].size, want[i]);
	tree_release(&t);
}

static void
refuses(const char *text, size_t n, enum err_code code, const char *what)
{
	struct tree t = {0};
	struct err err = {0};

	fails(tree_parse("'x.dir'", text, n, &t, &err), code);
	says(what);
	says("'x.dir'");
	assert_null(t.v);
	assert_null(t.arena);
}

static void
names_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *what;
	} cases[] = {
	    {"", "byte 0: expected '['"},
	    {"{}", "byte 0: expected '['"},
	    {"[", "byte 1: expected '{'"},
	    {"[]x", "byte 2: expected the end"},
	    {"[1]", "byte 1: expected '{'"},
	    {"[{}]", "byte 2: a file without"},
	    {"[" ENTRY("a") " " ENTRY("b") "]", "expected ',' or ']'"},
	    {"[" ENTRY("a") ",]", "expected '{'"},
	    {"[{\"md5\": \"" MD5_A "\"}]", "a file without"},
	    {"[{\"relpath\": \"a\"}]", "a file without"},
	    {"[{\"relpath\": \"a\",}]", "expected a string"},
	    {"[{\"relpath\" \"a\"}]", "byte 12: expected ':'"},
	    {"[{\"relpath\": 1}]", "byte 13: expected a string"},
	    {"[{\"relpath\": \"a\", \"relpath\": \"b\"}]", "a second \"relpath\""},
	    {"[{\"md5\": \"" MD5_A "\", \"md5\": \"" MD5_A "\"}]", "a second \"md5\""},
	    {"[{\"md5\": \"" MD5_A "0\", \"relpath\": \"a\"}]", "32 hex digits"},
	    {"[{\"md5\": \"" MD5_A ".dir\", \"relpath\": \"a\"}]", "32 hex digits"},
	    {"[{\"md5\": \"abc\", \"relpath\": \"a\"}]", "32 hex digits"},
	    {"[" ENTRY("\\ud800") "]", "half of a surrogate pair"},
	    {"[" ENTRY("\\udc00") "]", "half of a surrogate pair"},
	    {"[" ENTRY("\\ud800\\u0041") "]", "half of a surrogate pair"},
	    {"[" ENTRY("\\ud800\\n") "]", "half of a surrogate pair"},
	    {"[" ENTRY("\\u12g4") "]", "four hex digits"},
	    {"[" ENTRY("\\x") "]", "no such escape"},
	    {"[" ENTRY("\n") "]", "a control character"},
	    {"[{\"relpath\": \"a", "the string has no end"},
	    {"[{\"x\": tru}]", "expected a value"},
	    {"[{\"x\": 01}]", "expected ',' or '}'"},
	    {"[{\"x\": -}]", "expected a value"},
	    {"[{\"x\": 1.}]", "expected a digit"},
	    {"[{\"x\": 1e}]", "expected a digit"},
	    {"[{\"x\": [1 2]}]", "expected ','"},
	    {"[{\"x\": {1: 2}}]", "expected a string"},
	    {"[" ENTRY("") "]", "it is empty"},
	    {"[" ENTRY("/etc/passwd") "]", "it is absolute"},
	    {"[" ENTRY("../x") "]", "'.' or '..'"},
	    {"[" ENTRY("a/../../x") "]", "'.' or '..'"},
	    {"[" ENTRY("a/..") "]", "'.' or '..'"},
	    {"[" ENTRY("./a") "]", "'.' or '..'"},
	    {"[" ENTRY("a//b") "]", "empty component"},
	    {"[" ENTRY("a/") "]", "empty component"},
	    {"[" ENTRY("a\\u0000b") "]", "a NUL"},
	    {"[{\"k\xff\": 1}]", "not UTF-8"},
	    {"[{\"k\": \"\xc3\"}]", "not UTF-8"},
	    {"[{\"k\": \"\xe2\x82\\u0041\"}]", "not UTF-8"},
	    {"[" ENTRY("a\xff") "]", "not UTF-8"},
	    {"[" ENTRY("\xed\xa0\x80") "]", "not UTF-8"},
	    {"[" ENTRY("a") ", " ENTRY("a") "]", "'a' is there twice"},
	    {"[" ENTRY("a") ", " ENTRY("a-b") ", " ENTRY("a/b/c") "]",
	     "'a' is a file and a directory at once"},
	    {"[" ENTRY("d/a/x/y") ", " ENTRY("d/a/x") "]", "'d/a/x' is a file and"},
	};
	char deep[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refuses(cases[i].text, strlen(cases[i].text), ERR_INVALID, cases[i].what);
	memcpy(deep, "[{\"x\": ", 7);
	memset(deep + 7, '[', sizeof(deep) - 7);
	refuses(deep, sizeof(deep), ERR_INVALID, "byte 72: nested too deeply");
}

/* A list with one path: ${n} times ${part}, then "x". */
static int
parse_path(const char *part, size_t n, struct err *err)
{
	struct tree t = {0};
	struct buf b;
	int r;

	buf_init(&b, 0);
	buf_adds(&b, "[{\"md5\": \"" MD5_A "\", \"relpath\": \"");
	for (size_t i = 0; i < n; i++)
		buf_adds(&b, part);
	buf_adds(&b, "x\"}]");
	r = tree_parse("x", b.p, b.n, &t, err);
	buf_release(&b);
	tree_release(&t);
	return r;
}

static void
has_limits(void **state)
{
	struct err err = {0};

	(void)state;
	ok(parse_path("p", TREE_PATH_MAX - 1, &err));
	fails(parse_path("p", TREE_PATH_MAX, &err), ERR_LIMIT);
	says("longer than 4096 bytes");
	fails(parse_path("p", 100000, &err), ERR_LIMIT);
	ok(parse_path("d/", TREE_DEPTH_MAX - 1, &err));
	fails(parse_path("d/", TREE_DEPTH_MAX, &err), ERR_INVALID);
	says("too deep");
}

struct endless {
	uint8_t spaces[1 << 20];
	size_t left;
};

static ssize_t
fill_spaces(void *arg, const uint8_t **p)
{
	struct endless *e = arg;
	size_t n = e->left < sizeof(e->spaces) ? e->left : sizeof(e->spaces);

	*p = e->spaces;
	e->left -= n;
	return (ssize_t)n;
}

static void
has_a_largest_text(void **state)
{
	struct endless *e = malloc(sizeof(*e));
	struct err err = {0};
	struct tree t = {0};

	(void)state;
	assert_non_null(e);
	memset(e->spaces, ' ', sizeof(e->spaces));
	e->left = TREE_BYTES_MAX;
	fails(tree_read("x", fill_spaces, e, &t, &err), ERR_INVALID);
	e->left = TREE_BYTES_MAX + 1;
	fails(tree_read("x", fill_spaces, e, &t, &err), ERR_LIMIT);
	says("512 MiB");
	free(e);
}

static void
below_is(const struct tree *t, const char *dir, size_t first, size_t n)
{
	size_t f, count;

	tree_below(t, dir, strlen(dir), &f, &count);
	assert_int_equal(count, n);
	if (n != 0)
		assert_int_equal(f, first);
}

static void
finds(void **state)
{
	struct object_id id, want = id_of(MD5_A);
	struct err err = {0};
	struct tree t = {0};

	(void)state;
	below_is(&t, "", 0, 0);
	assert_null(tree_find(&t, "a", 1));
	add(&t, "a/b/1");
	add(&t, "a/b/2");
	add(&t, "a/b-");
	add(&t, "a/b0");
	add(&t, "a-");
	add(&t, "b");
	ok(tree_sort(&t, &err));
	below_is(&t, "", 0, 6);
	below_is(&t, "a", 1, 4);
	below_is(&t, "a/b", 2, 2);
	below_is(&t, "a/", 0, 0);
	below_is(&t, "b", 0, 0);
	below_is(&t, "a/b/1", 0, 0);
	below_is(&t, "c", 0, 0);
	below_is(&t, "0", 0, 0);
	assert_ptr_equal(tree_find(&t, "a/b0", 4), &t.v[4]);
	assert_null(tree_find(&t, "a/b", 3));
	t.legacy = true;
	tree_entry_id(&t, &t.v[0], &id);
	assert_true(id.legacy && !id.dir);
	assert_memory_equal(id.md5, want.md5, sizeof(id.md5));
	tree_release(&t);
}

/* Random trees come back as they were, whatever order they were in. */
static void
comes_back(void **state)
{
	static const char *const parts[] = {"a",  "b-",	  "\xc3\xa9",	      "\"", "\\",
					    "\n", "\x7f", "\xf0\x9f\x98\x80", ".x", "-"};
	uint64_t seed = 7;
	struct err err = {0};

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct tree t = {0}, back = {0};
		struct buf b, again;
		char path[128];

		for (unsigned i = 0; i < 20; i++) {
			size_t n = (size_t)snprintf(path, sizeof(path), "%u", i);

			for (int k = 0; k < 3; k++) {
				seed = seed * 6364136223846793005u + 1442695040888963407u;
				n += (size_t)snprintf(path + n, sizeof(path) - n, "/%s",
						      parts[(seed >> 33) % 10]);
			}
			add(&t, path);
		}
		ok(tree_sort(&t, &err));
		buf_init(&b, 0);
		buf_init(&again, 0);
		assert_int_equal(tree_write(&t, to_buf, &b), 0);
		ok(tree_parse("x", b.p, b.n, &back, &err));
		assert_int_equal(tree_write(&back, to_buf, &again), 0);
		assert_string_equal(again.p, b.p);
		buf_release(&b);
		buf_release(&again);
		tree_release(&t);
		tree_release(&back);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(writes_as_dvc), cmocka_unit_test(reads_any_spelling),
	    cmocka_unit_test(keeps_sizes),   cmocka_unit_test(names_what_is_wrong),
	    cmocka_unit_test(has_limits),    cmocka_unit_test(has_a_largest_text),
	    cmocka_unit_test(finds),	     cmocka_unit_test(comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
