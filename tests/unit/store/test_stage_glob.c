/*
 * A glob as one dependency: what of its directory it stands for, and how it is told that this has
 * changed.
 */
#include <time.h>

#include "store/dvc/ignore.h"
#include "store/objects/scan.h"
#include "store/objects/tree.h"
#include "store/track/stage_glob.h"
#include "unit/store/stage_test.h"

static void
test_base(void **state)
{
	static const struct {
		const char *pattern;
		size_t n;
	} table[] = {
	    {"d/*", 1},	   {"d/e/*.csv", 3}, {"d/e*/f", 1}, {"d/**/f", 1},
	    {"*", 0},	   {"d*/e", 0},	     {"**/f", 0},   {"/d/*", 0},
	    {"../d/*", 0}, {"d\\*/e*", 0},   {"d/[ab]", 1}, {"d/e/f?", 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(stage_glob_base(table[i].pattern), table[i].n);
}

/* Its list, "path path". */
static const char *
list(const char *pattern, struct scan *s)
{
	static char text[400];
	struct tree t = {0};
	struct err err = {0};
	size_t n = 0;

	text[0] = '\0';
	ok(stage_glob_scan(&ws, pattern, s, &err));
	ok(scan_tree(s, &t, &err));
	for (size_t i = 0; i < t.n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
				      i > 0 ? " " : "", t.v[i].path);
	tree_release(&t);
	return text;
}

static void
files(void)
{
	struct err err = {0};

	ok(fsio_mkdirs(shop.fd, "d/s/t", 0755, &err));
	ok(fsio_mkdirs(shop.fd, "d/s/.dvc", 0755, &err));
	ok(fsio_mkdirs(shop.fd, "d/all.csv/y", 0755, &err));
	ok(fsio_mkdirs(shop.fd, "d/.git", 0755, &err));
	ok(fsio_mkdirs(shop.fd, "d/empty.csv", 0755, &err));
	put("d/a.csv", "1");
	put("d/b.txt", "2");
	put("d/s/c.csv", "3");
	put("d/s/t/e.csv", "4");
	put("d/all.csv/z.txt", "5");
	put("d/all.csv/y/x", "6");
	put("d/.git/q.csv", "7");
	put("d/s/.dvc/q.csv", "8");
}

static void
test_list(void **state)
{
	static const struct {
		const char *pattern, *list;
	} table[] = {
	    {"d/**", "a.csv all.csv/y/x all.csv/z.txt b.txt s/c.csv s/t/e.csv"},
	    {"d/*", "a.csv all.csv/y/x all.csv/z.txt b.txt s/c.csv s/t/e.csv"},
	    {"d/*.csv", "a.csv all.csv/y/x all.csv/z.txt"},
	    {"d/**/*.csv", "a.csv all.csv/y/x all.csv/z.txt s/c.csv s/t/e.csv"},
	    {"d/*/*", "all.csv/y/x all.csv/z.txt s/c.csv s/t/e.csv"},
	    {"d/s/?.csv", "c.csv"},
	    {"d/s/t/**/e.csv", "e.csv"},
	    {"d/none*", ""},
	    {"d/*/**", "a.csv all.csv/y/x all.csv/z.txt b.txt s/c.csv s/t/e.csv"},
	    {"d/**/t/**", "s/t/e.csv"},
	    {"d/**/?/*", "all.csv/y/x s/c.csv s/t/e.csv"},
	    {"d/**/y/x", "all.csv/y/x"},
	    {"d/b*", "b.txt"},
	};
	struct object_id none = {0};
	struct scan s;

	(void)state;
	files();
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_string_equal(list(table[i].pattern, &s), table[i].list);
		assert_true(s.exists && s.is_dir && s.id.dir);
		assert_false(object_id_equal(&s.id, &none));
		scan_release(&s);
	}
	(void)list("none/*", &s);
	assert_false(s.exists);
	scan_release(&s);
	(void)list("d/a.csv/*", &s);
	assert_false(s.exists && s.is_dir);
	scan_release(&s);
}

/* What the index knows is not read again; each glob has its own part of it. */
static void
test_index(void **state)
{
	const struct timespec rest = {.tv_nsec = 2 * INDEX_TICK_NS};
	struct object_id id;
	struct err err = {0};
	struct scan s;

	(void)state;
	files();
	(void)nanosleep(&rest, NULL);
	(void)list("d/*.csv", &s);
	assert_int_equal(s.stats.hashed, 3);
	id = s.id;
	scan_release(&s);
	(void)list("d/**", &s);
	assert_int_equal(s.stats.hashed, 6);
	scan_release(&s);
	ok(workspace_scan(&ws, "d", false, &s, &err));
	scan_release(&s);
	(void)list("d/*.csv", &s);
	assert_int_equal(s.stats.known, 3);
	assert_int_equal(s.stats.hashed, 0);
	assert_true(object_id_equal(&s.id, &id));
	scan_release(&s);
	put("d/b.txt", "other");
	(void)list("d/*.csv", &s);
	assert_true(object_id_equal(&s.id, &id));
	scan_release(&s);
	put("d/all.csv/y/x", "other");
	(void)list("d/*.csv", &s);
	assert_int_equal(s.stats.hashed, 1);
	assert_false(object_id_equal(&s.id, &id));
	scan_release(&s);
}

/* What is ignored is left out, unless all of it is. */
static void
test_ignored(void **state)
{
	struct ignore_options o = {.syntax = IGNORE_DVC, .root_fd = shop.fd};
	struct ignore *ignore;
	struct err err = {0};
	struct scan s;

	(void)state;
	files();
	put(".dvcignore", "*.txt\n/d/s/t\n/e\n");
	assert_int_equal(mkdirat(shop.fd, "e", 0755), 0);
	put("e/f.csv", "9");
	ok(ignore_new(&o, &ignore, &err));
	ws.ignore = ignore;
	assert_string_equal(list("d/**", &s), "a.csv all.csv/y/x s/c.csv");
	scan_release(&s);
	assert_string_equal(list("e/*", &s), "f.csv");
	scan_release(&s);
	ignore_free(ignore);
}

/* As a dependency. */
static void
test_decision(void **state)
{
	(void)state;
	files();
	put("out", "made");
	stage("    cmd: make\n    deps: ['d/**/*.csv']\n    outs: [out]\n");
	run.native = true;
	yaml->stages[0].deps[0].glob = true;
	(void)done();
	is("unchanged");
	put("d/b.txt", "no matter");
	is("unchanged");
	put("d/s/new.csv", "new");
	assert_non_null(
	    strstr(verdict(), "run\n'd/**/*.csv' changed: 5 files -> 6, was "));
	/* What was recorded one by one is no other reason. */
	lock_is("cmd: make\ndeps:\n- path: d/a.csv\n  hash: md5\n"
		"  md5: c4ca4238a0b923820dcc509a6f75849b\n  size: 1\n"
		"- path: d/b.txt\n  hash: md5\n"
		"  md5: c81e728d9d4c2f636f067f89cc14862c\n  size: 1\n"
		"outs:\n- path: out\n  hash: md5\n"
		"  md5: 1a0b3a3a3a3a3a3a3a3a3a3a3a3a3a3a\n  size: 4\n");
	is("run\n'd/**/*.csv' is new\n'd/b.txt' is no longer an input");
	drop("d");
	is("run\n'd/**/*.csv' is missing\n'd/b.txt' is no longer an input");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_base),
	    cmocka_unit_test_setup_teardown(test_list, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_index, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_ignored, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_decision, setup, teardown),
	};

	return cmocka_run_group_tests_name("store/track/stage_glob", tests, NULL, NULL);
}
