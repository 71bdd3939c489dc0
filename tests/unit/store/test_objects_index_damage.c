/*
 * Whatever becomes of the file of the index, a scan says the same.
 */
#include "unit/store/index_test.h"

#include <signal.h>
#include <sys/resource.h>

/* ---- damage ---- */

/* Each byte of each row wrong, and each row cut everywhere. */
static void
spoil(struct desk *d, const char *path, int64_t part, const char *id)
{
	struct buf row;
	size_t i;

	get_row(d, path, part, &row);
	assert_true(row.n >= 48);
	for (i = 0; i < 2 * row.n; i++) {
		index_close(d->ix);
		d->ix = NULL;
		if (i < row.n) {
			row.p[i] ^= 1;
			set_row(d, path, part, row.p, row.n);
			row.p[i] ^= 1;
		} else {
			set_row(d, path, part, row.p, i - row.n);
		}
		desk_reopen(d);
		desk_scan(d, "t");
		desk_is(d, id);
		assert_int_equal(d->scan.nfiles, 3);
		if (part >= 0)
			assert_in_range(d->scan.stats.known, 1, 2);
		desk_reopen(d);
		desk_counts(d, "t", 3, 0);
	}
	buf_release(&row);
}

static void
test_damaged_rows(void **state)
{
	char id[OBJECT_HEX_MAX];
	struct buf row;
	struct desk d;

	(void)state;
	start(&d, id);
	spoil(&d, "t", 0, id);
	spoil(&d, "t/s", 0, id);
	spoil(&d, "t", INDEX_PART_TREE, id);
	/* A good row in another's place. */
	get_row(&d, "t/s", 0, &row);
	index_close(d.ix);
	set_row(&d, "t", 0, row.p, row.n);
	d.ix = NULL;
	desk_reopen(&d);
	desk_counts(&d, "t", 1, 2);
	desk_is(&d, id);
	buf_release(&row);
	desk_remove(&d);
}

/* The file cut at every hundredth byte, or with other bytes in it. */
static void
test_damaged_file(void **state)
{
	char id[OBJECT_HEX_MAX];
	struct buf whole;
	struct desk d;
	size_t i, step;

	(void)state;
	start(&d, id);
	script(&d, "PRAGMA wal_checkpoint(TRUNCATE)");
	index_close(d.ix);
	d.ix = NULL;
	buf_init(&whole, 0);
	assert_int_equal(fsio_read(AT_FDCWD, d.db, 1 << 20, &whole, NULL), 0);
	for (i = 0, step = whole.n / 100; i < 2 * whole.n; i += step) {
		size_t at = i % whole.n, k;
		struct buf b;

		buf_init(&b, 0);
		buf_add(&b, whole.p, i < whole.n ? at : whole.n);
		for (k = at; i >= whole.n && k < at + step && k < b.n; k++)
			b.p[k] ^= 0x5a;
		shop_put(&d.shop, "index.db", b.p, b.n);
		buf_release(&b);
		desk_reopen(&d);
		desk_scan(&d, "t");
		desk_is(&d, id);
		assert_int_equal(d.scan.nfiles, 3);
		/* And it is whole again. */
		desk_reopen(&d);
		desk_counts(&d, "t", 3, 0);
		assert_null(index_trouble(d.ix));
		index_close(d.ix);
		d.ix = NULL;
	}
	buf_release(&whole);
	desk_remove(&d);
}

static void
test_other_versions(void **state)
{
	static const char *const sql[] = {
	    "PRAGMA user_version = 2",
	    "DROP TABLE dir",
	    "ALTER TABLE dir RENAME COLUMN data TO other",
	    "UPDATE dir SET path = path || 'x'",
	    "PRAGMA user_version = 0",
	    "CREATE TABLE more (x); PRAGMA user_version = 0; DROP TABLE dir",
	    "PRAGMA user_version = -1",
	};
	char id[OBJECT_HEX_MAX];
	struct desk d;
	size_t i;

	(void)state;
	start(&d, id);
	for (i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
		index_close(d.ix);
		d.ix = NULL;
		script(&d, sql[i]);
		desk_reopen(&d);
		desk_counts(&d, "t", 0, 3);
		desk_is(&d, id);
		desk_reopen(&d);
		desk_counts(&d, "t", 3, 0);
	}
	/* Damage that shows only when it is open. */
	script(&d, "DROP TABLE dir");
	desk_put(&d, "t/b", "bb");
	desk_counts(&d, "t", 0, 3);
	desk_reopen(&d);
	desk_counts(&d, "t", 3, 0);
	desk_remove(&d);
}

static void
test_no_place(void **state)
{
	struct desk d;

	(void)state;
	desk_make(&d);
	desk_put(&d, "x", "hello\n");
	(void)snprintf(d.db, sizeof(d.db), "%s/no/index.db", d.shop.dir);
	desk_reopen(&d);
	assert_non_null(index_trouble(d.ix));
	desk_counts(&d, "x", 0, 1);
	desk_counts(&d, "x", 0, 1);
	/* Something else has its name. */
	(void)snprintf(d.db, sizeof(d.db), "%s/dir.db", d.shop.dir);
	desk_dir(&d, "dir.db");
	desk_reopen(&d);
	assert_non_null(index_trouble(d.ix));
	desk_counts(&d, "x", 0, 1);
	d.o.index = NULL;
	desk_counts(&d, "x", 0, 1);
	desk_remove(&d);
}

/* ---- where it cannot be written ---- */

static void
test_read_only(void **state)
{
	char id[OBJECT_HEX_MAX];
	struct desk d;

	(void)state;
	start(&d, id);
	script(&d, "PRAGMA wal_checkpoint(TRUNCATE)");
	index_close(d.ix);
	d.ix = NULL;
	(void)unlinkat(d.shop.fd, "index.db-wal", 0);
	(void)unlinkat(d.shop.fd, "index.db-shm", 0);
	assert_int_equal(fchmodat(d.shop.fd, "index.db", 0444, 0), 0);
	assert_int_equal(fchmodat(d.shop.fd, ".", 0555, 0), 0);
	if (getuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	desk_reopen(&d);
	desk_counts(&d, "t", 3, 0);
	desk_is(&d, id);
	index_close(d.ix);
	d.ix = NULL;
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(fchmodat(d.shop.fd, ".", 0755, 0), 0);
	desk_remove(&d);
}

/* A disk that takes not one byte more, from some point on. */
static void
test_full_disk(void **state)
{
	struct rlimit old, now;
	char id[OBJECT_HEX_MAX];
	struct desk d;
	rlim_t at;

	(void)state;
	start(&d, id);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	for (at = 0; at <= 100000; at += at < 1000 ? 100 : 9999) {
		index_close(d.ix);
		d.ix = NULL;
		(void)unlinkat(d.shop.fd, "index.db", 0);
		(void)unlinkat(d.shop.fd, "index.db-wal", 0);
		(void)unlinkat(d.shop.fd, "index.db-shm", 0);
		now = old;
		now.rlim_cur = at;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
		desk_reopen(&d);
		desk_counts(&d, "t", 0, 3);
		desk_is(&d, id);
		index_flush(d.ix);
		desk_scan(&d, "t");
		desk_is(&d, id);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		desk_reopen(&d);
		desk_scan(&d, "t");
		desk_is(&d, id);
		desk_reopen(&d);
		desk_counts(&d, "t", 3, 0);
	}
	desk_remove(&d);
}

static void
reopen_still(struct desk *d)
{
	index_close(d->ix);
	assert_int_equal(index_open_still(d->db, &d->ix, &d->err), 0);
	d->o.index = d->ix;
}

/* Who may write nothing reads what is known, and lets what is damaged lie. */
static void
test_still(void **state)
{
	char id[OBJECT_HEX_MAX];
	struct buf text;
	struct desk d;

	(void)state;
	start(&d, id);
	reopen_still(&d);
	desk_counts(&d, "t", 3, 0);
	desk_is(&d, id);
	desk_put(&d, "t/a", "other\n");
	desk_counts(&d, "t", 2, 1);
	desk_reopen(&d);
	desk_counts(&d, "t", 2, 1); /* what the other has noted is forgotten */
	index_close(d.ix);
	d.ix = NULL;
	(void)unlinkat(d.shop.fd, "index.db-wal", 0);
	(void)unlinkat(d.shop.fd, "index.db-shm", 0);
	assert_int_equal(
	    fsio_replace(d.shop.fd, "index.db", "no database", 11, 0644, &d.err), 0);
	reopen_still(&d);
	desk_counts(&d, "t", 0, 3);
	buf_init(&text, 0);
	assert_int_equal(fsio_read(d.shop.fd, "index.db", 100, &text, &d.err), 0);
	assert_string_equal(text.p, "no database");
	buf_release(&text);
	assert_int_equal(unlinkat(d.shop.fd, "index.db", 0), 0);
	reopen_still(&d);
	desk_counts(&d, "t", 0, 3);
	assert_int_equal(faccessat(d.shop.fd, "index.db", F_OK, 0), -1);
	desk_remove(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_damaged_rows),   cmocka_unit_test(test_damaged_file),
	    cmocka_unit_test(test_other_versions), cmocka_unit_test(test_no_place),
	    cmocka_unit_test(test_read_only),	   cmocka_unit_test(test_full_disk),
	    cmocka_unit_test(test_still),
	};

	return cmocka_run_group_tests_name("objects_index_damage", tests, NULL, NULL);
}
