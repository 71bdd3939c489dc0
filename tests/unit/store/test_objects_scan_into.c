/*
 * Scanning with rules for what is left out, into a store, with the hashes of DVC 2, and of a
 * directory with many files.
 */
#include "unit/store/index_test.h"

#include "store/objects/batch.h"

/* ---- what is left out ---- */

static int left;

static int
rules_enter(void *dir, const char *name, void **out, struct err *err)
{
	assert_non_null(dir);
	if (strcmp(name, "broken") == 0)
		return err_set(err, ERR_INVALID, "the rules of it are wrong");
	if (strcmp(name, "nested") == 0)
		return 1;
	*out = &left;
	left++;
	return 0;
}

static void
rules_leave(void *dir)
{
	assert_ptr_equal(dir, &left);
	left--;
}

static bool
rules_match(const void *dir, const char *name, bool is_dir)
{
	assert_non_null(dir);
	return name[0] == (is_dir ? 'D' : 'F');
}

static void
test_left_out(void **state)
{
	static int top;
	struct scan_ignore rules = {&top, rules_enter, rules_leave, rules_match};
	struct desk d;

	(void)state;
	desk_make(&d);
	d.o.ignore = &rules;
	desk_dir(&d, "t");
	desk_dir(&d, "t/Dir");
	desk_dir(&d, "t/Fir");
	desk_dir(&d, "t/nested");
	desk_put(&d, "t/File", "x");
	desk_put(&d, "t/Dile", "x");
	desk_put(&d, "t/Dir/x", "x");
	desk_put(&d, "t/Fir/x", "x");
	desk_put(&d, "t/nested/x", "x");
	assert_int_equal(mkfifoat(d.shop.fd, "t/Fifo", 0600), 0);
	desk_counts(&d, "t", 0, 2);
	assert_int_equal(left, 0);
	/* What the rules say counts now, whatever was known. */
	d.o.ignore = NULL;
	assert_int_equal(unlinkat(d.shop.fd, "t/Fifo", 0), 0);
	desk_counts(&d, "t", 2, 3);
	d.o.ignore = &rules;
	desk_counts(&d, "t", 2, 0);
	assert_int_equal(d.scan.nfiles, 2);
	desk_dir(&d, "t/broken");
	desk_refuses(&d, "t", ERR_INVALID, "the rules of it are wrong");
	assert_int_equal(left, 0);
	desk_remove(&d);
}

/* ---- into a store ---- */

static void
add(struct desk *d, const char *path)
{
	struct batch *b;

	assert_int_equal(batch_begin(d->shop.o, NULL, &b, &d->err), 0);
	d->o.into = b;
	d->o.cache = d->shop.o;
	desk_scan(d, path);
	assert_int_equal(batch_end(b, true, &d->err), 0);
	d->o.into = NULL;
	d->o.cache = NULL;
}

static void
test_into_store(void **state)
{
	struct object_id hello = id_of(HELLO), list;
	struct desk d;

	(void)state;
	desk_make(&d);
	desk_dir(&d, "t");
	desk_put(&d, "t/a", "hello\n");
	desk_put(&d, "t/b", "hello\n");
	desk_put(&d, "t/c", "other");
	add(&d, "t");
	list = d.scan.id;
	assert_int_equal(objects_check(d.shop.o, &hello, true, NULL, &d.err), 0);
	assert_int_equal(objects_check(d.shop.o, &list, true, NULL, &d.err), 0);
	assert_int_equal(shop_files(d.shop.fd, "cache", false), 3);
	/* All is known and there: nothing is read. */
	add(&d, "t");
	assert_int_equal(d.scan.stats.hashed, 0);
	/* Known, but gone from the store. */
	assert_int_equal(objects_remove(d.shop.o, &hello, &d.err), 1);
	assert_int_equal(objects_remove(d.shop.o, &list, &d.err), 1);
	add(&d, "t");
	assert_int_equal(d.scan.stats.known, 3);
	assert_int_equal(d.scan.stats.hashed, 2);
	assert_int_equal(objects_check(d.shop.o, &hello, true, NULL, &d.err), 0);
	assert_int_equal(objects_check(d.shop.o, &list, true, NULL, &d.err), 0);
	desk_counts(&d, "t", 3, 0);
	/* A file by itself, known before it is added. */
	desk_put(&d, "x", "alone");
	desk_counts(&d, "x", 0, 1);
	add(&d, "x");
	assert_int_equal(objects_check(d.shop.o, &d.scan.id, true, NULL, &d.err), 0);
	desk_remove(&d);
}

/* Nothing is written where something is refused. */
static void
test_refused_before_written(void **state)
{
	struct batch *b;
	struct desk d;

	(void)state;
	desk_make(&d);
	desk_dir(&d, "t");
	desk_put(&d, "t/a", "hello\n");
	desk_put(&d, "t/\xff", "x");
	assert_int_equal(batch_begin(d.shop.o, NULL, &b, &d.err), 0);
	d.o.into = b;
	desk_refuses(&d, "t", ERR_INVALID, "not UTF-8");
	assert_int_equal(shop_files(d.shop.fd, "cache", false), 0);
	assert_int_equal(batch_end(b, true, &d.err), 0);
	assert_int_equal(shop_files(d.shop.fd, "cache", false), 0);
	desk_remove(&d);
}

static void
test_legacy(void **state)
{
	struct desk d;

	(void)state;
	desk_make(&d);
	desk_put(&d, "x", "hello\r\n");
	d.o.legacy = true;
	desk_counts(&d, "x", 0, 1);
	desk_is(&d, HELLO);
	assert_true(d.scan.id.legacy);
	desk_counts(&d, "x", 1, 0);
	d.o.legacy = false;
	desk_counts(&d, "x", 0, 1);
	assert_false(d.scan.id.legacy);
	desk_remove(&d);
}

/* ---- many files ---- */

static void
test_large_directory(void **state)
{
	const int n = 9000;
	struct desk d;
	char name[32];
	int i;

	(void)state;
	desk_make(&d);
	desk_dir(&d, "t");
	for (i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "t/%d", i);
		desk_put(&d, name, i % 2 ? "odd" : "even");
	}
	desk_counts(&d, "t", 0, n);
	desk_reopen(&d);
	desk_counts(&d, "t", n, 0);
	desk_put(&d, "t/17", "seventeen");
	desk_put(&d, "t/more", "more");
	assert_int_equal(unlinkat(d.shop.fd, "t/4711", 0), 0);
	desk_counts(&d, "t", n - 2, 2);
	/* One file of many: of several rows one is written. */
	index_flush(d.ix);
	script(&d, "CREATE TABLE before AS SELECT * FROM dir WHERE path = 't'");
	assert_true(number(&d, "SELECT count(*) FROM before WHERE part >= 0") > 1);
	desk_put(&d, "t/17", "17");
	desk_counts(&d, "t", n - 1, 1);
	index_flush(d.ix);
	assert_int_equal(number(&d, "SELECT count(*) FROM dir JOIN before"
				    " USING (path, part)"
				    " WHERE part >= 0 AND dir.data <> before.data"),
			 1);
	desk_reopen(&d);
	desk_counts(&d, "t", n, 0);
	d.o.workers = 1;
	desk_counts(&d, "t", n, 0);
	/* Most of them go: fewer rows, and back again. */
	for (i = 100; i < n; i++) {
		(void)snprintf(name, sizeof(name), "t/%d", i);
		(void)unlinkat(d.shop.fd, name, 0);
	}
	desk_counts(&d, "t", 101, 0);
	desk_reopen(&d);
	desk_counts(&d, "t", 101, 0);
	assert_int_equal(d.scan.nfiles, 101);
	desk_remove(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_left_out),
	    cmocka_unit_test(test_into_store),
	    cmocka_unit_test(test_refused_before_written),
	    cmocka_unit_test(test_legacy),
	    cmocka_unit_test(test_large_directory),
	};

	return cmocka_run_group_tests_name("objects_scan_into", tests, NULL, NULL);
}
