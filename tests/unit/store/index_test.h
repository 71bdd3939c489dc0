#ifndef TESTS_INDEX_TEST_H
#define TESTS_INDEX_TEST_H
/* What the tests of the index share: a known tree, and a look into the file. */
#include "store/db.h"
#include "unit/store/scan_test.h"

#define HELLO "b1946ac92492d2347c6235b4d2611184" /* md5 of "hello\n" */

/* A tree of three files in two directories, known. */
static inline void
start(struct desk *d, char id[OBJECT_HEX_MAX])
{
	desk_make_fast(d);
	desk_dir(d, "t");
	desk_dir(d, "t/s");
	desk_put(d, "t/a", "hello\n");
	desk_put(d, "t/b", "b");
	desk_put(d, "t/s/c", "c");
	desk_counts(d, "t", 0, 3);
	(void)object_id_hex(&d->scan.id, id);
	desk_reopen(d);
}

/* ---- looking into the file ---- */

static inline int64_t
number(struct desk *d, const char *sql)
{
	struct db db;
	struct query q;
	int64_t n;

	assert_int_equal(db_open(&db, d->db, DB_READ, &d->err), 0);
	assert_int_equal(query_start(&q, &db, sql, &d->err), 0);
	assert_int_equal(query_step(&q, &d->err), 1);
	n = query_get_int(&q);
	query_end(&q);
	db_close(&db);
	return n;
}

static inline void
script(struct desk *d, const char *sql)
{
	struct db db;

	assert_int_equal(db_open(&db, d->db, DB_WRITE, &d->err), 0);
	assert_int_equal(db_script(&db, sql, &d->err), 0);
	db_close(&db);
}

static inline void
get_row(struct desk *d, const char *path, int64_t part, struct buf *out)
{
	struct db db;
	struct query q;
	const void *p;
	size_t n;

	buf_init(out, 0);
	assert_int_equal(db_open(&db, d->db, DB_READ, &d->err), 0);
	assert_int_equal(query_start(&q, &db,
				     "SELECT data FROM dir WHERE path = ? AND part = ?",
				     &d->err),
			 0);
	query_put_text(&q, path);
	query_put_int(&q, part);
	assert_int_equal(query_step(&q, &d->err), 1);
	p = query_get_blob(&q, &n);
	buf_add(out, p, n);
	query_end(&q);
	db_close(&db);
}

static inline void
set_row(struct desk *d, const char *path, int64_t part, const void *p, size_t n)
{
	struct db db;
	struct query q;

	assert_int_equal(db_open(&db, d->db, DB_WRITE, &d->err), 0);
	assert_int_equal(
	    query_start(&q, &db, "UPDATE dir SET data = ? WHERE path = ? AND part = ?",
			&d->err),
	    0);
	query_put_blob(&q, p, n);
	query_put_text(&q, path);
	query_put_int(&q, part);
	assert_int_equal(query_run(&q, &d->err), 1);
	db_close(&db);
}

#endif
