/*
 * The work tree brought to what pointers say: what is made, replaced, removed; and above all
 * what is never overwritten.
 */
#include "unit/store/checkout_test.h"

static const enum link_type hard[] = {LINK_HARDLINK}, sym[] = {LINK_SYMLINK};

/* d with three files, as "one"; then "two", which is another d. */
static void
make_two(struct object_id *one, struct object_id *two)
{
	makedir("d");
	makedir("d/sub");
	put("d/a", "a1");
	put("d/b", "b1");
	put("d/sub/c", "c1");
	*one = save("d");
	drop("d/b");
	drop("d/sub");
	put("d/a", "a2");
	put("d/new", "n2");
	*two = save("d");
}

static void
test_dir(void **state)
{
	struct object_id one, two;
	struct checkout_out out = {.path = "d"};

	(void)state;
	make_two(&one, &two);
	out.id = one;
	assert_int_equal(checkout(&out, 1, gently), 0);
	assert_int_equal(out.state, CHECKOUT_MODIFIED);
	assert_true(out.dir && out.added == 2 && out.modified == 1 && out.deleted == 1);
	holds("d/a", "a1");
	holds("d/sub/c", "c1");
	assert_false(there("d/new"));
	assert_int_equal(get("d", one, gently), CHECKOUT_SAME);
	assert_int_equal(get("d", two, gently), CHECKOUT_MODIFIED);
	assert_false(there("d/sub"));
	drop("d");
	assert_int_equal(get("d", one, gently), CHECKOUT_ADDED);
	holds("d/sub/c", "c1");
}

static void
test_file(void **state)
{
	struct object_id one, two;

	(void)state;
	put("f", "one");
	one = save("f");
	put("f", "two");
	two = save("f");
	assert_int_equal(get("f", one, gently), CHECKOUT_MODIFIED);
	holds("f", "one");
	drop("f");
	assert_int_equal(get("f", two, gently), CHECKOUT_ADDED);
	holds("f", "two");
	assert_int_equal(get("f", two, gently), CHECKOUT_SAME);
	assert_int_equal(get("f", (struct object_id){0}, gently), CHECKOUT_NOTHING);
	holds("f", "two");
}

/* All that would be lost is named, and nothing is touched, also of other outs. */
static void
test_unsaved(void **state)
{
	struct object_id one, two, file;
	struct checkout_out outs[] = {{.path = "d"}, {.path = "f"}};

	(void)state;
	make_two(&one, &two);
	put("f", "saved");
	file = save("f");
	drop("f");
	put("d/a", "precious");
	put("d/mine", "precious too");
	outs[0].id = one;
	outs[1].id = file;
	assert_int_equal(checkout(outs, 2, gently), 1);
	assert_int_equal(report.unsaved.n, 2);
	assert_string_equal(report.unsaved.v[0].path, "d/a");
	assert_string_equal(report.unsaved.v[1].path, "d/mine");
	holds("d/a", "precious");
	holds("d/mine", "precious too");
	assert_true(there("d/new") && !there("d/b") && !there("f"));
	assert_int_equal(checkout(outs, 2, by_force), 0);
	holds("d/a", "a1");
	holds("f", "saved");
	assert_false(there("d/mine"));
}

/* An object that is there under the name, but has other bytes, saves nothing. */
static void
test_saved_wrong(void **state)
{
	struct object_id one, two, mine;
	struct buf path;
	int fd;

	(void)state;
	put("f", "one");
	one = save("f");
	put("f", "two");
	mine = two = save("f");
	buf_init(&path, 0);
	objects_path(shop.o, &mine, &path);
	assert_int_equal(chmod(path.p, 0644), 0);
	fd = open(path.p, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(fsio_write_all(fd, "twp", 3), 0);
	(void)close(fd);
	buf_release(&path);
	(void)get("f", one, gently);
	assert_int_equal(report.unsaved.n, 1);
	holds("f", "two");
	/* Nor does it ever get into the work tree. */
	drop("f");
	assert_int_equal(get("f", two, gently), CHECKOUT_REFUSED);
	assert_int_equal(report.failed.n, 1);
	assert_int_equal(report.failed.v[0].code, ERR_CORRUPT);
	assert_false(there("f"));
}

static void
lose(struct object_id id)
{
	struct err err = {0};

	assert_int_equal(objects_remove(shop.o, &id, &err), 1);
}

/* What is missing is named; the out is as it was, unless that is what is wanted. */
static void
test_missing(void **state)
{
	struct object_id one, two, b1;
	struct checkout_out outs[] = {{.path = "d"}, {.path = "f"}};

	(void)state;
	make_two(&one, &two);
	put("b1", "b1");
	b1 = save("b1");
	put("f", "saved");
	outs[1].id = save("f");
	drop("f");
	lose(b1);
	outs[0].id = one;
	assert_int_equal(checkout(outs, 2, gently), 0);
	assert_int_equal(outs[0].state, CHECKOUT_MISSING);
	assert_int_equal(report.missing.n, 1);
	assert_string_equal(report.missing.v[0].path, "d/b");
	holds("d/a", "a2");
	holds("f", "saved");
	assert_int_equal(
	    checkout(outs, 1, (struct checkout_options){.allow_missing = true}), 0);
	holds("d/a", "a1");
	holds("d/sub/c", "c1");
	assert_false(there("d/b") || there("d/new"));
	drop("d");
	outs[0].id = one;
	assert_int_equal(
	    checkout(outs, 1, (struct checkout_options){.allow_missing = true}), 0);
	assert_int_equal(outs[0].state, CHECKOUT_ADDED);
	holds("d/a", "a1");
	assert_false(there("d/b"));
	/* Without its list nothing is known of a directory. */
	lose(two);
	assert_int_equal(get("d", two, by_force), CHECKOUT_MISSING);
	holds("d/a", "a1");
}

/* A file that becomes a directory, and back, with directories that nobody tracks in it. */
static void
test_kinds(void **state)
{
	struct object_id file, dir;

	(void)state;
	makedir("p");
	makedir("p/s");
	put("p/s/x", "x");
	dir = save("p");
	drop("p");
	put("p", "file");
	file = save("p");
	assert_int_equal(get("p", dir, gently), CHECKOUT_MODIFIED);
	holds("p/s/x", "x");
	makedir("p/empty");
	makedir("p/empty/too");
	assert_int_equal(get("p", file, gently), CHECKOUT_MODIFIED);
	holds("p", "file");
	put("p", "edited");
	assert_int_equal(get("p", dir, gently), CHECKOUT_SAME);
	assert_int_equal(report.unsaved.n, 1);
	holds("p", "edited");
}

static void
test_gone(void **state)
{
	struct object_id one, two;
	struct checkout_out out = {.path = "d", .gone = true};

	(void)state;
	make_two(&one, &two);
	makedir("d/empty");
	put("d/mine", "mine");
	assert_int_equal(checkout(&out, 1, gently), 1);
	holds("d/mine", "mine");
	holds("d/a", "a2");
	drop("d/mine");
	assert_int_equal(checkout(&out, 1, gently), 0);
	assert_int_equal(out.state, CHECKOUT_DELETED);
	assert_false(there("d"));
	assert_int_equal(checkout(&out, 1, gently), 0);
	assert_int_equal(out.state, CHECKOUT_SAME);
}

static void
test_only(void **state)
{
	struct object_id one, two;
	struct checkout_out out = {.path = "d", .only = "sub"};

	(void)state;
	make_two(&one, &two);
	out.id = one;
	put("d/mine", "mine");
	assert_int_equal(checkout(&out, 1, gently), 0);
	assert_true(out.added == 1 && out.modified == 0 && out.deleted == 0);
	holds("d/sub/c", "c1");
	holds("d/a", "a2");
	holds("d/mine", "mine");
}

static void
test_empty_dir(void **state)
{
	struct object_id id;

	(void)state;
	makedir("e");
	id = save("e");
	drop("e");
	assert_int_equal(get("e", id, gently), CHECKOUT_ADDED);
	assert_true(there("e"));
}

static void
test_exec(void **state)
{
	struct checkout_out out = {.path = "x", .exec = true};
	struct stat st;

	(void)state;
	put("x", "#!/bin/sh\n");
	out.id = save("x");
	assert_int_equal(checkout(&out, 1, gently), 0);
	assert_int_equal(out.state, CHECKOUT_MODIFIED);
	assert_int_equal(fstatat(shop.fd, "x", &st, 0), 0);
	assert_true((st.st_mode & S_IXUSR) != 0);
	assert_int_equal(checkout(&out, 1, gently), 0);
	assert_int_equal(out.state, CHECKOUT_SAME);
}

static ino_t
inode(const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(shop.fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_ino;
}

static void
test_relink(void **state)
{
	struct object_id one, two, a2;
	struct checkout_out out = {.path = "d"};
	struct checkout_options relink = {.relink = true};
	struct buf path;
	struct stat st;
	ino_t before;

	(void)state;
	make_two(&one, &two);
	put("a2", "a2");
	a2 = save("a2");
	out.id = two;
	before = inode("d/a");
	assert_int_equal(checkout(&out, 1, relink), 0);
	assert_int_equal(inode("d/a"), before); /* it was right */
	ws.links = hard;
	assert_int_equal(checkout(&out, 1, relink), 0);
	assert_int_equal(out.state, CHECKOUT_SAME);
	buf_init(&path, 0);
	objects_path(shop.o, &a2, &path);
	assert_int_equal(stat(path.p, &st), 0);
	assert_int_equal(inode("d/a"), st.st_ino);
	buf_release(&path);
	ws.links = sym;
	assert_int_equal(checkout(&out, 1, relink), 0);
	assert_int_equal(fstatat(shop.fd, "d/a", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
	holds("d/a", "a2");
	assert_int_equal(get("d", two, gently), CHECKOUT_SAME);
	/* An object that is linked is not changed by replacing the link. */
	assert_int_equal(get("d", one, gently), CHECKOUT_MODIFIED);
	ws.links = copy;
	assert_int_equal(get("d", two, gently), CHECKOUT_MODIFIED);
	holds("d/a", "a2");
	assert_int_equal(checkout(&out, 1, relink), 0);
	assert_int_equal(fstatat(shop.fd, "d/a", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode) && st.st_nlink == 1);
}

/* Names that are one on a file system that folds them: refused, by name, before a change. */
static void
folds(const char *what, const char *a, const char *b, bool refused)
{
	char path[64];
	struct object_id id;

	makedir("d");
	(void)snprintf(path, sizeof(path), "d/%s", a);
	put(path, "1");
	(void)snprintf(path, sizeof(path), "d/%s", b);
	put(path, "2");
	id = save("d");
	drop("d");
	assert_int_equal(setenv("DAG_FOLDS", what, 1), 0);
	assert_int_equal(get("d", id, gently),
			 refused ? CHECKOUT_REFUSED : CHECKOUT_ADDED);
	assert_int_equal(unsetenv("DAG_FOLDS"), 0);
	assert_int_equal(report.failed.n, refused);
	if (refused) {
		assert_non_null(strstr(report.failed.v[0].text, a));
		assert_false(there("d"));
		assert_int_equal(get("d", id, gently), CHECKOUT_ADDED);
	}
	drop("d");
}

static void
test_folds(void **state)
{
	(void)state;
	folds("case", "Name", "name", true);
	folds("form", "Name", "name", false);
	folds("form", "\xc3\xa9", "e\xcc\x81", true);
	folds("case", "\xc3\xa9", "e\xcc\x81", false);
	folds("case", "\xc3\x89", "\xc3\xa9", true);
	folds("case,form", "\xc3\x89", "e\xcc\x81", true);
	folds("", "Name", "name", false);
}

/* Nothing is put where a link leads. */
static void
test_outside(void **state)
{
	char other[] = "/tmp/dag-outside-XXXXXX";
	struct object_id id;
	struct checkout_out outs[] = {{.path = "d"}, {.path = "e/d"}};
	struct checkout_options o = {.force = true};
	struct err err = {0};

	(void)state;
	makedir("d");
	put("d/x", "x");
	id = save("d");
	outs[0].id = outs[1].id = id;
	drop("d");
	assert_non_null(mkdtemp(other));
	assert_int_equal(symlinkat(other, shop.fd, "d"), 0);
	assert_int_equal(symlinkat(other, shop.fd, "e"), 0);
	for (size_t i = 0; i < 2; i++) {
		checkout_report_release(&report);
		if (checkout_outs(&ws, &o, &outs[i], 1, &report, &err) == 0)
			assert_int_equal(outs[i].state, CHECKOUT_REFUSED);
	}
	assert_int_equal(rmdir(other), 0); /* it is empty still */
	assert_true(there("d"));
}

/* What was written is known, and not read again: the file under the index is another now. */
static void
test_index(void **state)
{
	const enum link_type *types[] = {copy, hard, sym};
	struct object_id one, two;
	struct scan s;
	struct err err = {0};

	(void)state;
	make_two(&one, &two);
	/* Objects of the last tick may still be written by somebody. */
	(void)usleep(50000);
	for (size_t i = 0; i < 3; i++) {
		ws.links = types[i];
		assert_int_equal(get("d", one, gently), CHECKOUT_MODIFIED);
		ok(workspace_scan(&ws, "d", false, &s, &err));
		assert_int_equal(s.stats.hashed, 0);
		assert_true(object_id_equal(&s.id, &one));
		scan_release(&s);
		assert_int_equal(get("d", two, gently), CHECKOUT_MODIFIED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_dir, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_file, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_unsaved, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_saved_wrong, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_only, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_empty_dir, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_exec, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_relink, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_folds, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_outside, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_index, setup, teardown),
	};

	return cmocka_run_group_tests_name("store/track checkout", tests, NULL, NULL);
}
