#ifndef DAG_STORE_DB_H
#define DAG_STORE_DB_H
/*
 * A SQLite connection as the store uses it: WAL, synchronous=FULL, prepared statements kept
 * by the address of their text (so every SQL text is one static constant), errors told as
 * `struct err`, and a WAL whose size we rule instead of SQLite.
 *
 * Checkpoints.  SQLite's automatic ones run inside a commit and cost it two fsyncs; they are
 * off.  db_checkpoint is called when nothing waits.
 *
 * A WAL that exists before it is used.  An fdatasync of a growing file must also commit the
 * file system's journal: measured 0.40 ms against 0.18 ms in place.  db_extend_wal writes
 * zeros behind the WAL's end, under SQLite's own write lock; to SQLite they are frames with a
 * wrong salt, which end the log.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct sqlite3;
struct sqlite3_stmt;

#define DB_STATEMENTS_MAX 128

struct db {
	struct sqlite3 *h;
	char *path;
	bool dead;	/* an fsync failed: what is durable is unknown, no more commits */
	int wal_frames; /* in the WAL after our last commit; each a page and a bit */
	size_t nstatements;
	struct {
		const char *sql;
		struct sqlite3_stmt *stmt;
	} statements[DB_STATEMENTS_MAX];
};

#define DB_FRAME 4120 /* bytes of one frame of the WAL */

/* Bytes of a database's path: SQLite's 512 for that of its journal. */
#define DB_PATH_MAX 504

enum db_mode {
	DB_READ,
	DB_WRITE, /* makes the file where it is missing */
	DB_STILL /* nobody can write it: read without locks and without a file beside it */
};

/**
 * db_open(db, path, mode, err):
 * Open the file.  Return 0, or -1 with ${db} closed.
 */
int db_open(struct db *, const char *, enum db_mode, struct err *);

/**
 * db_close(db):
 * Close; the last connection of all processes also empties and removes the WAL.
 */
void db_close(struct db *);

/**
 * db_use_wal(db, err):
 * Put the database into WAL mode for good, if it is not.  Not within a transaction.
 */
int db_use_wal(struct db *, struct err *);

/**
 * db_keep_wal(db, keep):
 * Let db_close leave the WAL as it is, for who is often opened and seldom written; or not.
 */
void db_keep_wal(struct db *, bool);

/**
 * db_begin(db, err), db_commit(db, err), db_rollback(db):
 * BEGIN IMMEDIATE, COMMIT (after which everything is durable), ROLLBACK (also where there is
 * nothing to roll back).
 */
int db_begin(struct db *, struct err *);
int db_commit(struct db *, struct err *);
void db_rollback(struct db *);

/**
 * db_script(db, sql, err):
 * Run statements that give no rows, not kept.
 */
int db_script(struct db *, const char *, struct err *);

/**
 * db_fail(db, rc, err):
 * Put the SQLite error ${rc} into ${err} as a sentence with the way out, and remember a failed
 * fsync.  Return -1.
 */
int db_fail(struct db *, int, struct err *);

/**
 * db_checkpoint(db, left):
 * Copy what is in the WAL into the database, as far as readers allow, without blocking
 * anybody; ${left} (may be NULL) is how many frames could not be copied.  Return 0 or -1: a
 * failure costs nothing but the WAL's size, unless it was of an fsync.
 */
int db_checkpoint(struct db *, int *);

/**
 * db_extend_wal(db, bytes):
 * Make the WAL file at least ${bytes} long, durably.  The caller holds the gate.  Failures are
 * ignored: it only makes commits faster.
 */
void db_extend_wal(struct db *, int64_t);

/*
 * One use of a kept statement: start, put the parameters in their order, step or run, get
 * the columns in their order, end.  A failed put is told by the step that follows.
 */
struct query {
	struct db *db;
	struct sqlite3_stmt *stmt;
	int rc;	 /* of the puts */
	int put; /* the last parameter put */
	int got; /* the next column to get */
};

/**
 * query_start(q, db, sql, err), query_end(q):
 * Begin a use of the statement of the constant text ${sql}: 0 or -1.  End it: what it read
 * is gone, and others may write.
 */
int query_start(struct query *, struct db *, const char *, struct err *);
void query_end(struct query *);

/**
 * query_put_text(q, s), query_put_textn(q, s, n), query_put_blob(q, p, n),
 * query_put_int(q, v), query_put_above(q):
 * The next parameter.  Texts and bytes must live until the query ends; NULL puts NULL.  The last puts a
 * value that is greater than any text.
 */
void query_put_text(struct query *, const char *);
void query_put_textn(struct query *, const char *, size_t);
void query_put_blob(struct query *, const void *, size_t);
void query_put_int(struct query *, int64_t);
void query_put_above(struct query *);

/**
 * query_step(q, err):
 * Return 1 with a row, 0 at the end, -1.
 */
int query_step(struct query *, struct err *);

/**
 * query_run(q, err):
 * Step to the end and end the query.  Return how many rows were changed, or -1.
 */
int query_run(struct query *, struct err *);

/**
 * query_get_int(q), query_get_text(q, len), query_get_blob(q, len),
 * query_get_dup(q, arena, failed):
 * The next column.  Text and bytes live until the next step; the text is "" for NULL, the
 * bytes NULL where there are none; ${len} may be NULL for a text.  The copy lives in ${arena}; NULL for NULL, or with ${failed} set if memory runs out.
 */
int64_t query_get_int(struct query *);
const char *query_get_text(struct query *, size_t *);
const void *query_get_blob(struct query *, size_t *);
const char *query_get_dup(struct query *, struct arena *, bool *);

#endif
