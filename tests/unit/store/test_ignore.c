#include "unit/store/store_test.h"

#include "unit/memory.h"

#include "store/dvc/ignore.h"
#include "store/dvc/wildmatch.h"

static struct err err;

/* A tree of files of rules in memory: "path\0text", in pairs. */
struct files {
	const char *path[8], *text[8];
	int reads;
};

static int
read_file(void *ctx, const char *path, struct buf *out, struct err *e)
{
	struct files *f = ctx;

	f->reads++;
	for (size_t i = 0; i < 8 && f->path[i] != NULL; i++)
		if (strcmp(f->path[i], path) == 0) {
			buf_adds(out, f->text[i]);
			return buf_failed(out) ? err_nomem(e) : 1;
		}
	return 0;
}

static struct ignore *
make(struct files *f, enum ignore_syntax syntax)
{
	struct ignore_options o = {
	    .syntax = syntax, .root_fd = -1, .read = read_file, .ctx = f};
	struct ignore *ig;

	ok(ignore_new(&o, &ig, &err));
	return ig;
}

/* Rules at the top, a path (a slash behind a directory), what DVC and what git says. */
static const struct {
	const char *rules, *path;
	int dvc, git;
} rules_table[] = {
    {"", "a", 0, 0},
    {"", ".git/", 1, 1},
    {"", "a/.git", 1, 1},
    {"", ".dvc/", 1, 0},
    {"", "a/.dag/", 1, 0},
    {"", ".dvc", 0, 0},
    {"a", "a", 1, 1},
    {"a", "b/a/", 1, 1},
    {"a", "b/a/c", 1, 1},
    {"a", "ab", 0, 0},
    {"a/", "a", 0, 0},
    {"a/", "a/", 1, 1},
    {"a/", "b/a/c", 1, 1},
    {"/a", "a", 1, 1},
    {"/a", "b/a", 0, 0},
    {"b/a", "b/a", 1, 1},
    {"b/a", "c/b/a", 0, 0},
    {"*.txt", "x/y.txt", 1, 1},
    {"*.txt", "x/.txt", 1, 1},
    {"*.txt\n!keep.txt", "x/keep.txt", 0, 0},
    {"!keep.txt\n*.txt", "x/keep.txt", 1, 1},
    {"d/\n!d/keep", "d/keep", 1, 1}, /* above it is ignored */
    {"**/a/b", "x/y/a/b", 1, 1},
    {"**/a/b", "a/b", 1, 1},
    {"a/**/b", "a/b", 1, 1},
    {"a/**/b", "a/x/y/b", 1, 1},
    {"a/**/b", "ab", 0, 0},
    {"a/**", "a/x/y", 1, 1},
    {"a/*/b", "a/x/y/b", 0, 0},
    {"a/*/b", "a/x/b", 1, 1},
    {"/*", "x", 1, 1},
    {"a**b", "axxb", 1, 1},
    {"a**b", "ax/xb", 0, 0},
    {"\\#a", "#a", 1, 1},
    {"#a", "#a", 0, 0},
    {"\\!a", "!a", 1, 1},
    {"\\*", "*", 1, 1},
    {"\\*", "x", 0, 0},
    {"a\\", "a\\", 0, 0}, /* can never match */
    {"[", "[", 0, 0},
    {"[]]", "]", 1, 1},
    {"[!a]", "b", 1, 1},
    {"[^a]", "a", 0, 0},
    {"[a-c]", "b", 1, 1},
    {"[a-]", "-", 1, 1},
    {"[[:digit:]]", "7", 1, 1},
    {"[[:nope:]]", "7", 0, 0},
    {"x[/]y", "x/y", 0, 0},
    {"a \n", "a", 1, 1},
    {"a\\ \n", "a ", 0, 1}, /* DVC strips the line first */
    {" a\n", "a", 1, 0},
    {"a\r\n", "a", 1, 1},
    {"\xef\xbb\xbf"
     "a\n",
     "a", 1, 1},
    {"?", "\xc3\xa9", 1, 0}, /* a character or a byte */
    {"??", "\xc3\xa9", 0, 1},
    {"[\xc3\xa9]", "\xc3\xa9", 1, 0},
    {"?", "\xff", 1, 1},
    /* DVC: "!" takes back all that is in a directory */
    {"*\n!d", "d/", 0, 0},
    {"*\n!d", "d/x", 0, 1},
    {"*\n!d/", "d/x", 1, 1},
    {"*\n!d/", "d/x/", 0, 1},
    {"*\n!d\nx", "d/x", 1, 1},
    {"*\n!d\n*.o", "d/e/x.o", 1, 1},
    {"*\n!d\n*.o", "d/e/x.c", 0, 1},
    {"d\n!d/", "d/x", 1, 0},
    /* DVC: what is for all in a directory is for the directory */
    {"a/**", "a/", 1, 0},
    {"a/**", "a", 0, 0},
    {"a/**\n!a/k", "a/k", 1, 0},
    {"a/**/**\n!a/k", "a/k", 1, 0},
    {"a/**/", "a/", 1, 0},
    {"a/**/", "a/x", 1, 0},
    {"a/**/", "a/x/", 1, 1},
    {"**", "a", 1, 1},
    {"**/*", "a", 1, 1},
    {"a//", "a/", 0, 0},
    {"/", "a/", 0, 0},
    {"!", "a", 0, 0},
    {".", "a", 0, 0},
};

static void
test_rules(void **state)
{
	struct files f = {.path = {".dvcignore", ".gitignore"}};
	struct ignore *ig;
	char path[64];
	size_t i, n;
	bool dir;
	int got;

	(void)state;
	for (i = 0; i < 2 * sizeof(rules_table) / sizeof(rules_table[0]); i++) {
		f.text[0] = f.text[1] = rules_table[i / 2].rules;
		ig = make(&f, i % 2 == 0 ? IGNORE_DVC : IGNORE_GIT);
		(void)snprintf(path, sizeof(path), "%s", rules_table[i / 2].path);
		n = strlen(path);
		dir = path[n - 1] == '/';
		path[n - (dir ? 1 : 0)] = '\0';
		got = ignore_check(ig, path, dir, &err);
		if (got != (i % 2 == 0 ? rules_table[i / 2].dvc : rules_table[i / 2].git))
			fail_msg("\"%s\" and %s, %s: %d", rules_table[i / 2].rules,
				 rules_table[i / 2].path, i % 2 == 0 ? "dvc" : "git",
				 got);
		ignore_free(ig);
	}
}

/* The deeper file wins; its rules start at its own directory, whatever the name of that. */
static void
test_nested(void **state)
{
	struct files f = {
	    .path = {".dvcignore", "a[b]/.dvcignore", "c/.dvcignore", "h/.dvcignore"},
	    .text = {"*.o\nh/.dvcignore\n", "!k.o\n/top\n", "!*\n", "*"}};
	static const struct {
		const char *path;
		int want;
	} table[] = {
	    {"x.o", 1},	     {"a[b]/x.o", 1},	{"a[b]/k.o", 0}, {"a[b]/d/k.o", 0},
	    {"a[b]/top", 1}, {"a[b]/d/top", 0}, {"ab/top", 0},	 {"c/x.o", 0},
	    {"c/d/x.o", 0},  {"k.o", 1},	{"h/x", 0}, /* its rules do not count */
	};
	struct ignore_why why;
	struct ignore_dir *root, *d;
	struct ignore *ig = make(&f, IGNORE_DVC);

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (ignore_check(ig, table[i].path, false, &err) != table[i].want)
			fail_msg("%s", table[i].path);
	root = ignore_root(ig);
	ok(ignore_enter(root, "a[b]", &d, &err));
	assert_true(ignore_match_why(d, "top", false, &why));
	assert_string_equal(why.file, "a[b]/.dvcignore");
	assert_int_equal(why.line, 2);
	assert_string_equal(why.rule, "/top");
	assert_false(ignore_match_why(d, "k.o", false, &why));
	assert_string_equal(why.rule, "!k.o");
	assert_false(ignore_match_why(d, "none", false, &why));
	assert_null(why.rule);
	assert_true(ignore_match_why(d, ".git", true, &why));
	assert_null(why.file);
	/* What is below a directory holds it. */
	ignore_leave(root);
	f.reads = 0;
	ok(ignore_enter(d, "e", &root, &err));
	assert_int_equal(f.reads, 1);
	ignore_leave(d);
	assert_true(ignore_match(root, "x.o", false));
	assert_false(ignore_match(root, "k.o", false));
	ignore_leave(root);
	ignore_free(ig);
	ignore_free(NULL);
	ignore_leave(NULL);
}

static void
test_extra(void **state)
{
	struct ignore_extra extra[] = {{.name = "weak", .text = "*.a\n*.b\n", .n = 8},
				       {.name = "strong", .text = "!x.a\n*.c", .n = 8}};
	struct files f = {.path = {".gitignore"}, .text = {"!y.b\n"}};
	struct ignore_options o = {.syntax = IGNORE_GIT,
				   .root_fd = -1,
				   .read = read_file,
				   .ctx = &f,
				   .extra = extra,
				   .nextra = 2};
	struct ignore *ig;

	(void)state;
	ok(ignore_new(&o, &ig, &err));
	assert_int_equal(ignore_check(ig, "q/z.a", false, &err), 1);
	assert_int_equal(ignore_check(ig, "x.a", false, &err), 0);
	assert_int_equal(ignore_check(ig, "y.b", false, &err), 0);
	assert_int_equal(ignore_check(ig, "q/z.b", false, &err), 1);
	assert_int_equal(ignore_check(ig, "z.c", false, &err), 1);
	ignore_free(ig);
}

/* ---- limits ---- */

static int
try_rules(const char *text)
{
	struct files f = {.path = {".dvcignore"}, .text = {text}};
	struct ignore_options o = {.read = read_file, .ctx = &f, .root_fd = -1};
	struct ignore *ig;

	if (ignore_new(&o, &ig, &err) != 0)
		return -1;
	ignore_free(ig);
	return 0;
}

static void
test_limits(void **state)
{
	char *text = calloc(1, 3 * (IGNORE_RULES_MAX + 1) + 1), *p = text;
	struct ignore_dir *d, *child;
	struct files f = {.reads = 0};
	struct ignore *ig;
	char name[256];
	int i;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < IGNORE_RULES_MAX - 5; i++, p += 2) /* five are there always */
		memcpy(p, "a\n", 2);
	ok(try_rules(text));
	memcpy(p, "b\n", 2);
	fails(try_rules(text), ERR_LIMIT);
	says(".dvcignore:9996: there are more than 10000 rules");
	memset(text, 'x', IGNORE_RULE_MAX + 1);
	text[IGNORE_RULE_MAX] = '\0';
	ok(try_rules(text));
	memcpy(text + IGNORE_RULE_MAX, "x", 2);
	fails(try_rules(text), ERR_LIMIT);
	says(".dvcignore:1: the rule is longer");
	free(text);

	ig = make(&f, IGNORE_DVC);
	d = ignore_root(ig);
	for (i = 0; i < IGNORE_DEPTH_MAX; i++) {
		ok(ignore_enter(d, "d", &child, &err));
		ignore_leave(d);
		d = child;
	}
	fails(ignore_enter(d, "d", &child, &err), ERR_LIMIT);
	ignore_leave(d);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	d = ignore_root(ig);
	for (i = 0; i < IGNORE_PATH_MAX / 256; i++) {
		ok(ignore_enter(d, name, &child, &err));
		ignore_leave(d);
		d = child;
	}
	fails(ignore_enter(d, name, &child, &err), ERR_LIMIT);
	says("longer than 4096 bytes");
	assert_false(ignore_match(d, name, false));
	ignore_leave(d);
	ignore_free(ig);
}

/* Stars upon stars take no time. */
static void
test_stars(void **state)
{
	static const char pattern[] = "a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b";
	char deep[2001], text[300];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_false(wildmatch(pattern, sizeof(pattern) - 1, text, sizeof(text), true));
	for (size_t i = 0; i < 2000; i += 2)
		memcpy(deep + i, "a/", 2);
	assert_false(wildmatch("**/a/**/a/**/a/**/a/**/a/**/b", 29, deep, 1999, true));
	assert_true(wildmatch("**/a/**/a/**/a/**/a/**/a/**/a", 29, deep, 1999, false));
}

/* ---- the disk ---- */

static void
test_disk(void **state)
{
	struct ignore_options o = {.syntax = IGNORE_DVC};
	struct ignore *ig;
	struct place pl;
	char *big;

	(void)state;
	place_make(&pl);
	o.root_fd = pl.p.root_fd;
	make_dir(pl.dir, "d");
	make_dir(pl.dir, "d/.dvc");
	make_dir(pl.dir, ".dvcignore"); /* is passed over */
	spill(pl.dir, "d/.dvcignore", "x\n");
	ok(ignore_new(&o, &ig, &err));
	assert_int_equal(ignore_check(ig, "d/x", false, &err), 1);
	assert_int_equal(ignore_check(ig, "d/y", false, &err), 0);
	assert_int_equal(ignore_check(ig, "x", false, &err), 0);
	assert_int_equal(ignore_check(ig, ".", true, &err), 0);
	assert_true(ignore_is_nested(o.root_fd, "d"));
	assert_false(ignore_is_nested(o.root_fd, "."));
	big = calloc(1, IGNORE_FILE_MAX + 2);
	assert_non_null(big);
	memset(big, '\n', IGNORE_FILE_MAX);
	spill(pl.dir, "d/.dvcignore", big);
	assert_int_equal(ignore_check(ig, "d/x", false, &err), 0);
	big[IGNORE_FILE_MAX] = '\n';
	spill(pl.dir, "d/.dvcignore", big);
	fails(ignore_check(ig, "d/x", false, &err), ERR_LIMIT);
	says("d/.dvcignore");
	free(big);
	ignore_free(ig);
	place_remove(&pl);
}

static int
run_check(void *ctx, struct err *e)
{
	struct ignore_options o = {
	    .syntax = IGNORE_DVC, .root_fd = -1, .read = read_file, .ctx = ctx};
	struct ignore *ig;
	int rc;

	if (ignore_new(&o, &ig, e) != 0)
		return -1;
	rc = ignore_check(ig, "c/d/e", false, e);
	ignore_free(ig);
	assert_true(rc == 1 || rc == -1);
	return rc == 1 ? 0 : -1;
}

static void
test_memory(void **state)
{
	struct files f = {.path = {".dvcignore", "c/.dvcignore"},
			  .text = {"*.o\n", "d/e\n"}};
	struct memory_call c = {"ignore", NULL, run_check, NULL, &f, 0};

	(void)state;
	assert_true(memory_fail_each(&c) > 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rules),  cmocka_unit_test(test_nested),
	    cmocka_unit_test(test_extra),  cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_stars),  cmocka_unit_test(test_disk),
	    cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("store/dvc/ignore", tests, NULL, NULL);
}
