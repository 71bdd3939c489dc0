/* What differs between two snapshots of all that is tracked. */
#include "store/track/changes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/objects/tree.h"

#define OUTS_MAX 8

/* A snapshot in the making.  Contents are small numbers. */
struct side {
	struct snapshot s;
	struct snapshot_out outs[OUTS_MAX];
	struct tree trees[OUTS_MAX];
};

static struct side a, b;
static struct changes found;

static struct object_id
content(uint8_t n, bool dir)
{
	struct object_id id = {.dir = dir};

	id.md5[0] = n;
	return id;
}

static struct snapshot_out *
out(struct side *s, const char *path, uint8_t n, bool dir)
{
	struct snapshot_out *o = &s->outs[s->s.n++];

	s->s.v = s->outs;
	*o = (struct snapshot_out){
	    .path = path, .id = content(n, dir && n != 0), .dir = dir};
	return o;
}

/* A directory of files "name=content", or with NULL one whose list is not known. */
static void
dir(struct side *s, const char *path, uint8_t n, const char *const *files)
{
	struct tree *t = &s->trees[s->s.n];
	struct snapshot_out *o = out(s, path, n, true);
	struct object_id id;

	if (files == NULL)
		return;
	for (; *files != NULL; files++) {
		size_t len = strcspn(*files, "=");

		id = content((uint8_t)(*files)[len + 1], false);
		assert_int_equal(tree_add(t, *files, len, id.md5, -1, NULL), 0);
	}
	assert_int_equal(tree_sort(t, NULL), 0);
	o->tree = t;
}

#define FILES(...) ((const char *const[]){__VA_ARGS__, NULL})

static int
teardown(void **state)
{
	(void)state;
	changes_release(&found);
	for (size_t i = 0; i < OUTS_MAX; i++) {
		tree_release(&a.trees[i]);
		tree_release(&b.trees[i]);
	}
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	return 0;
}

/* What is found, a letter and a path each. */
static void
check(struct changes_options o, const char *want)
{
	static const char letters[] = "ADMR=?";
	struct err err = {0};
	struct buf text;

	changes_release(&found);
	assert_int_equal(changes_find(&a.s, &b.s, &o, &found, &err), 0);
	buf_init(&text, 0);
	for (size_t i = 0; i < found.n; i++) {
		const struct change *c = &found.v[i];

		buf_addf(&text, "%s%c ", i > 0 ? " " : "", letters[c->kind]);
		if (c->kind == CHANGE_RENAMED)
			buf_addf(&text, "%s>", c->old_path);
		buf_addf(&text, "%s%s", c->path, c->dir ? "/" : "");
	}
	assert_string_equal(text.p, want);
	buf_release(&text);
}

static const struct changes_options coarse = {0}, fine = {.granular = true},
				    all = {.granular = true, .unchanged = true};

static void
test_files(void **state)
{
	(void)state;
	check(all, "");
	out(&a, "gone", 1, false);
	out(&a, "kept", 2, false);
	out(&a, "other", 3, false);
	out(&b, "kept", 2, false);
	out(&b, "new", 5, false);
	out(&b, "other", 4, false);
	check(coarse, "D gone A new M other");
	check(all, "D gone = kept A new M other");
	assert_int_equal(found.v[3].old.md5[0], 3);
	assert_int_equal(found.v[3].new.md5[0], 4);
	assert_false(object_id_is_set(&found.v[0].new));
	assert_false(object_id_is_set(&found.v[2].old));
}

static void
test_dirs(void **state)
{
	(void)state;
	dir(&a, "d", 1, FILES("gone=1", "kept=2", "other=3", "sub/x=8"));
	dir(&b, "d", 2, FILES("kept=2", "new=5", "other=4", "sub/x=8"));
	check(coarse, "M d/");
	check(fine, "M d/ D d/gone A d/new M d/other");
	check(all, "M d/ D d/gone = d/kept A d/new M d/other = d/sub/x");
}

static void
test_same_dir(void **state)
{
	(void)state;
	dir(&a, "d", 1, NULL);
	dir(&b, "d", 1, FILES("x=1"));
	check(fine, "");
	/* One list is good for both. */
	check(all, "= d/ = d/x");
}

static void
test_whole_dirs(void **state)
{
	(void)state;
	dir(&a, "a", 1, FILES("x=1"));
	dir(&b, "b", 2, FILES("y=2"));
	check(coarse, "D a/ A b/");
	check(fine, "D a/ D a/x A b/ A b/y");
}

static void
test_unknown(void **state)
{
	(void)state;
	dir(&a, "d", 1, NULL);
	dir(&b, "d", 2, FILES("x=1", "y=2"));
	check(coarse, "M d/");
	check(fine, "M d/ ? d/x ? d/y");
	teardown(state);
	dir(&a, "d", 1, FILES("x=1"));
	dir(&b, "d", 2, NULL);
	check(fine, "M d/");
	teardown(state);
	dir(&a, "d", 1, NULL);
	check(fine, "D d/");
}

static void
test_kind_changes(void **state)
{
	(void)state;
	out(&a, "p", 9, false);
	dir(&b, "p", 2, FILES("x=1"));
	check(coarse, "M p/");
	check(fine, "M p/ A p/x");
	teardown(state);
	dir(&a, "p", 2, FILES("x=1"));
	out(&b, "p", 9, false);
	check(fine, "M p D p/x");
}

/* Nothing recorded is nothing to compare with. */
static void
test_no_hash(void **state)
{
	struct changes_options by_hash = {.by_hash = true, .unchanged = true};

	(void)state;
	out(&a, "a", 0, false);
	out(&a, "b", 0, false);
	out(&a, "c", 3, false);
	out(&b, "b", 2, false);
	out(&b, "c", 0, false);
	out(&b, "d", 0, false);
	check(coarse, "M b D c");
	check(by_hash, "A b D c");
	teardown(state);
	out(&a, "a", 0, false);
	out(&b, "a", 0, false);
	check(by_hash, "");
}

static void
test_renames(void **state)
{
	(void)state;
	out(&a, "a", 1, false);
	out(&a, "b", 2, false);
	out(&a, "c", 3, false);
	out(&b, "d", 2, false);
	out(&b, "e", 1, false);
	out(&b, "f", 4, false);
	check(coarse, "R a>e R b>d D c A f");
	assert_int_equal(found.v[0].old.md5[0], 1);
	assert_int_equal(found.v[0].new.md5[0], 1);
}

/* Of several with one content the first by component goes first, and each but once. */
static void
test_rename_order(void **state)
{
	(void)state;
	out(&a, "x-y", 1, false);
	out(&a, "x/y", 1, false);
	out(&b, "n1", 1, false);
	out(&b, "n2", 1, false);
	out(&b, "n3", 1, false);
	check(coarse, "A n3 R x-y>n2 R x/y>n1");
	teardown(state);
	out(&a, "a", 1, false);
	out(&a, "b", 1, false);
	out(&b, "c", 1, false);
	check(coarse, "R a>c D b");
}

static void
test_rename_dir(void **state)
{
	(void)state;
	dir(&a, "d", 1, FILES("x=1", "y=2"));
	dir(&b, "dd", 1, FILES("x=1", "y=2"));
	check(coarse, "R d>dd/");
	check(fine, "R d>dd/ R d/x>dd/x R d/y>dd/y");
	teardown(state);
	/* A file and a list are never the same. */
	dir(&a, "d", 1, NULL);
	out(&b, "f", 1, false);
	check(coarse, "D d/ A f");
}

/* A file of a directory that is an out by itself now. */
static void
test_retracked(void **state)
{
	(void)state;
	dir(&a, "d", 1, FILES("x=1", "y=2", "z=3"));
	out(&b, "d/x", '1', false);
	out(&b, "d/y", '7', false);
	check(fine, "D d/ M d/y D d/z");
	check(all, "D d/ = d/x M d/y D d/z");
	check(coarse, "D d/ A d/x A d/y");
}

static bool
below_sub(void *arg, const char *path, bool is_dir)
{
	(void)is_dir;
	return strncmp(path, arg, strlen(arg)) == 0;
}

static void
test_want(void **state)
{
	static char sub[] = "d/sub/";
	struct changes_options o = {.granular = true, .want = below_sub, .arg = sub};

	(void)state;
	dir(&a, "d", 1, FILES("gone=1", "sub/x=8"));
	dir(&b, "d", 2, FILES("new=5", "sub/x=9"));
	check(o, "M d/sub/x");
}

/* As they are shown: a directory before what is in it, and both behind "d-x". */
static void
test_order(void **state)
{
	(void)state;
	assert_true(change_compare_paths("d", true, "d/x", false) < 0);
	assert_true(change_compare_paths("d-x", false, "d", true) < 0);
	assert_true(change_compare_paths("d", false, "d-x", false) < 0);
	assert_true(change_compare_paths("d", false, "d", true) < 0);
	assert_true(change_compare_paths("d0", false, "d", true) > 0);
	assert_int_equal(change_compare_paths("d", true, "d", true), 0);
	assert_true(change_compare_paths("\xc3\xbc", false, "z", false) > 0);
	dir(&b, "d", 2, FILES("x=1"));
	out(&b, "d-x", 3, false);
	check(fine, "A d-x A d/ A d/x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_files, teardown),
	    cmocka_unit_test_teardown(test_dirs, teardown),
	    cmocka_unit_test_teardown(test_same_dir, teardown),
	    cmocka_unit_test_teardown(test_whole_dirs, teardown),
	    cmocka_unit_test_teardown(test_unknown, teardown),
	    cmocka_unit_test_teardown(test_kind_changes, teardown),
	    cmocka_unit_test_teardown(test_no_hash, teardown),
	    cmocka_unit_test_teardown(test_renames, teardown),
	    cmocka_unit_test_teardown(test_rename_order, teardown),
	    cmocka_unit_test_teardown(test_rename_dir, teardown),
	    cmocka_unit_test_teardown(test_retracked, teardown),
	    cmocka_unit_test_teardown(test_want, teardown),
	    cmocka_unit_test_teardown(test_order, teardown),
	};

	return cmocka_run_group_tests_name("store/track changes", tests, NULL, NULL);
}
