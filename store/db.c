#include "store/db.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fault.h"

/* A second line behind the gate, for programs that do not know it (an open sqlite3 shell). */
#define BUSY_TIMEOUT_MS 5000

/* What the WAL file is cut to when it starts over. */
#define WAL_KEEP "16777216"

/*
 * Memory: half a megabyte of pages a connection, no mapping of the file (mapped pages count
 * as ours, and a read error would be a SIGBUS).  The schema's own text is not trusted to do
 * anything, and cells are checked as they are read.
 */
static const char settings[] = "PRAGMA synchronous = FULL;"
			       "PRAGMA foreign_keys = ON;"
			       "PRAGMA cache_size = -512;"
			       "PRAGMA mmap_size = 0;"
			       "PRAGMA temp_store = MEMORY;"
			       "PRAGMA trusted_schema = OFF;"
			       "PRAGMA cell_size_check = ON;"
			       "PRAGMA journal_size_limit = " WAL_KEEP ";";

/* ---- errors ---- */

static bool
no_space(int sys)
{
	return sys == ENOSPC || sys == EDQUOT || sys == EFBIG;
}

static bool
of_fsync(int rc)
{
	return rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC;
}

/* The errno behind an I/O error, or 0.  SQLite tells it of statements; of a failed COMMIT
 * only the file of the WAL still knows it. */
static int
errno_of(struct db *db, int rc)
{
	sqlite3_file *f = NULL;
	int sys = db->h != NULL ? sqlite3_system_errno(db->h) : 0;

	if (sys == 0 && rc == SQLITE_IOERR_WRITE &&
	    sqlite3_file_control(db->h, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &f) ==
		SQLITE_OK &&
	    f != NULL && f->pMethods != NULL)
		(void)f->pMethods->xFileControl(f, SQLITE_FCNTL_LAST_ERRNO, &sys);
	return sys;
}

/* An error of the system below SQLite. */
static int
fail_system(struct db *db, int rc, struct err *err)
{
	int sys = errno_of(db, rc);

	if (of_fsync(rc)) {
		db->dead = true;
		(void)err_set(err, ERR_SYS,
			      "the disk failed to make '%s' durable: what was not "
			      "acknowledged is lost; check the disk, then run dag again",
			      db->path);
	} else if (no_space(sys)) {
		(void)err_set(err, ERR_FULL,
			      "no space left for the database '%s': make room", db->path);
	} else if (sys != 0) {
		(void)err_sys(err, sys, "cannot use the database '%s' (%s)", db->path,
			      sqlite3_errstr(rc));
		if (err != NULL && err->code != ERR_NOMEM)
			err->code = ERR_SYS;
	} else {
		(void)err_set(err, ERR_SYS, "cannot use the database '%s': %s", db->path,
			      sqlite3_errstr(rc));
	}
	if (err != NULL)
		err->sys = sys;
	return -1;
}

int
db_fail(struct db *db, int rc, struct err *err)
{
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return err_nomem(err);
	case SQLITE_FULL:
		return err_set(err, ERR_FULL,
			       "no space left for the database '%s': make room",
			       db->path);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, ERR_BUSY,
			       "the database '%s' is locked by another program (an open "
			       "sqlite3 shell?): end its transaction",
			       db->path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(
		    err, ERR_CORRUPT,
		    "the database '%s' is damaged (%s): restore it from a backup, "
		    "or move it away to start with an empty history",
		    db->path, sqlite3_errstr(rc));
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return fail_system(db, rc, err);
	default:
		return err_set(err, ERR_SYS, "the database '%s' refused: %s", db->path,
			       db->h != NULL ? sqlite3_errmsg(db->h)
					     : sqlite3_errstr(rc));
	}
}

/* ---- opening ---- */

static int
count_frames(void *ctx, sqlite3 *h, const char *name, int frames)
{
	struct db *db = ctx;

	(void)h;
	(void)name;
	db->wal_frames = frames;
	return SQLITE_OK;
}

/* The URI by which SQLite believes that a file never changes. */
static void
put_uri(struct buf *b, const char *path)
{
	static const char hex[] = "0123456789abcdef";

	buf_adds(b, "file:");
	for (; *path != '\0'; path++) {
		unsigned char c = (unsigned char)*path;

		if (isalnum(c) || strchr("/._-", c) != NULL) {
			buf_addc(b, (char)c);
		} else {
			buf_addc(b, '%');
			buf_addc(b, hex[c >> 4]);
			buf_addc(b, hex[c & 15]);
		}
	}
	buf_adds(b, "?immutable=1");
}

static int
open_by_mode(struct db *db, enum db_mode mode)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	struct buf uri;
	int rc;

	flags |= mode == DB_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
				  : SQLITE_OPEN_READONLY;
	if (mode != DB_STILL)
		return sqlite3_open_v2(db->path, &db->h, flags, NULL);
	buf_init(&uri, 0);
	put_uri(&uri, db->path);
	rc = buf_failed(&uri)
		 ? SQLITE_NOMEM
		 : sqlite3_open_v2(uri.p, &db->h, flags | SQLITE_OPEN_URI, NULL);
	buf_release(&uri);
	return rc;
}

int
db_open(struct db *db, const char *path, enum db_mode mode, struct err *err)
{
	int rc;

	memset(db, 0, sizeof(*db));
	if (strlen(path) > DB_PATH_MAX)
		return err_set(err, ERR_LIMIT,
			       "the database '%s' would have a path of %zu bytes; SQLite "
			       "takes at most %d: DAG_STATE=DIR puts it into a DIR that "
			       "lies less deep",
			       path, strlen(path), DB_PATH_MAX);
	db->path = strdup(path);
	if (db->path == NULL)
		return err_nomem(err);
	rc = open_by_mode(db, mode);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(db->h, BUSY_TIMEOUT_MS);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(db->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db->h, settings, NULL, NULL, NULL);
	if (rc == SQLITE_OK) {
		/* In place of SQLite's own hook, which is what makes checkpoints
		 * automatic. */
		(void)sqlite3_wal_hook(db->h, count_frames, db);
		return 0;
	}
	(void)db_fail(db, rc, err);
	db_close(db);
	return -1;
}

void
db_close(struct db *db)
{
	size_t i;

	for (i = 0; i < db->nstatements; i++)
		(void)sqlite3_finalize(db->statements[i].stmt);
	(void)sqlite3_close(db->h);
	free(db->path);
	memset(db, 0, sizeof(*db));
}

int
db_use_wal(struct db *db, struct err *err)
{
	struct query q;
	int rc;

	if (query_start(&q, db, "PRAGMA journal_mode = WAL", err) != 0)
		return -1;
	rc = query_step(&q, err);
	if (rc > 0 && strcmp(query_get_text(&q, NULL), "wal") != 0)
		rc = err_set(err, ERR_SYS,
			     "the database '%s' cannot use a write-ahead log here: set "
			     "DAG_STATE to a directory on a local disk",
			     db->path);
	query_end(&q);
	return rc > 0 ? 0 : -1;
}

void
db_keep_wal(struct db *db, bool keep)
{
	/* Only an unknown option could fail. */
	(void)sqlite3_db_config(db->h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, (int)keep, NULL);
}

/* ---- transactions ---- */

static int
run_plain(struct db *db, const char *sql, struct err *err)
{
	struct query q;

	if (query_start(&q, db, sql, err) != 0)
		return -1;
	return query_run(&q, err) < 0 ? -1 : 0;
}

int
db_begin(struct db *db, struct err *err)
{
	if (db->dead)
		return db_fail(db, SQLITE_IOERR_FSYNC, err);
	return run_plain(db, "BEGIN IMMEDIATE", err);
}

int
db_commit(struct db *db, struct err *err)
{
	return run_plain(db, "COMMIT", err);
}

void
db_rollback(struct db *db)
{
	/* SQLite has rolled back by itself after some errors. */
	if (!sqlite3_get_autocommit(db->h))
		(void)run_plain(db, "ROLLBACK", NULL);
}

int
db_script(struct db *db, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(db->h, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_fail(db, rc, err);
}

/* ---- the WAL ---- */

int
db_checkpoint(struct db *db, int *left)
{
	int frames = 0, copied = 0, rc;

	fault_point(CHECKPOINT_BEFORE);
	rc = sqlite3_wal_checkpoint_v2(db->h, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames,
				       &copied);
	fault_point(CHECKPOINT_AFTER);
	if (left != NULL)
		*left = frames > copied ? frames - copied : 0;
	if (rc == SQLITE_OK) {
		/* All copied: the next commit starts the WAL over. */
		db->wal_frames = frames > copied ? frames : 0;
		return 0;
	}
	if (of_fsync(rc))
		db->dead = true;
	return -1;
}

void
db_extend_wal(struct db *db, int64_t bytes)
{
	static const char zeros[65536];
	sqlite3_file *f = NULL;
	sqlite3_int64 at = 0;
	int rc;

	/* The write lock: nobody else, not even a program without the gate, appends now. */
	if (db->dead || db_begin(db, NULL) != 0)
		return;
	rc = sqlite3_file_control(db->h, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &f);
	if (rc == SQLITE_OK && f != NULL && f->pMethods != NULL)
		rc = f->pMethods->xFileSize(f, &at);
	else
		at = bytes;
	if (at < bytes) {
		for (; rc == SQLITE_OK && at < bytes; at += (int)sizeof(zeros))
			rc = f->pMethods->xWrite(f, zeros, sizeof(zeros), at);
		if (rc == SQLITE_OK)
			rc = f->pMethods->xSync(f, SQLITE_SYNC_NORMAL);
		fault_point(WAL_EXTENDED);
		if (of_fsync(rc))
			db->dead = true;
	}
	db_rollback(db);
}

/* ---- queries ---- */

int
query_start(struct query *q, struct db *db, const char *sql, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	size_t i;
	int rc;

	for (i = 0; i < db->nstatements && stmt == NULL; i++)
		if (db->statements[i].sql == sql)
			stmt = db->statements[i].stmt;
	if (stmt == NULL) {
		assert(db->nstatements < DB_STATEMENTS_MAX);
		rc = sqlite3_prepare_v3(db->h, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt,
					NULL);
		if (rc != SQLITE_OK)
			return db_fail(db, rc, err);
		db->statements[db->nstatements].sql = sql;
		db->statements[db->nstatements++].stmt = stmt;
	}
	assert(!sqlite3_stmt_busy(stmt)); /* a callback called its own caller */
	q->db = db;
	q->stmt = stmt;
	q->rc = SQLITE_OK;
	q->put = 0;
	q->got = 0;
	return 0;
}

static void
put_result(struct query *q, int rc)
{
	if (q->rc == SQLITE_OK)
		q->rc = rc;
}

void
query_put_text(struct query *q, const char *s)
{
	put_result(q, sqlite3_bind_text(q->stmt, ++q->put, s, -1, SQLITE_STATIC));
}

void
query_put_textn(struct query *q, const char *s, size_t n)
{
	put_result(
	    q, sqlite3_bind_text64(q->stmt, ++q->put, s, n, SQLITE_STATIC, SQLITE_UTF8));
}

void
query_put_blob(struct query *q, const void *p, size_t n)
{
	put_result(q, sqlite3_bind_blob64(q->stmt, ++q->put, p, n, SQLITE_STATIC));
}

void
query_put_int(struct query *q, int64_t v)
{
	put_result(q, sqlite3_bind_int64(q->stmt, ++q->put, v));
}

void
query_put_above(struct query *q)
{
	/* Any blob sorts behind any text. */
	put_result(q, sqlite3_bind_zeroblob(q->stmt, ++q->put, 0));
}

int
query_step(struct query *q, struct err *err)
{
	int rc = q->rc != SQLITE_OK ? q->rc : sqlite3_step(q->stmt);

	q->got = 0;
	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	return db_fail(q->db, rc, err);
}

int
query_run(struct query *q, struct err *err)
{
	int rc;

	do
		rc = query_step(q, err);
	while (rc > 0);
	if (rc == 0)
		rc = sqlite3_changes(q->db->h);
	query_end(q);
	return rc;
}

int64_t
query_get_int(struct query *q)
{
	return sqlite3_column_int64(q->stmt, q->got++);
}

const char *
query_get_text(struct query *q, size_t *len)
{
	const char *s = (const char *)sqlite3_column_text(q->stmt, q->got);

	if (len != NULL)
		*len = (size_t)sqlite3_column_bytes(q->stmt, q->got);
	q->got++;
	return s != NULL ? s : "";
}

const void *
query_get_blob(struct query *q, size_t *len)
{
	const void *p = sqlite3_column_blob(q->stmt, q->got);

	*len = (size_t)sqlite3_column_bytes(q->stmt, q->got);
	q->got++;
	return p;
}

const char *
query_get_dup(struct query *q, struct arena *a, bool *failed)
{
	int col = q->got++;
	const char *s, *copy = NULL;
	int n;

	if (sqlite3_column_type(q->stmt, col) == SQLITE_NULL)
		return NULL;
	s = (const char *)sqlite3_column_text(q->stmt, col);
	n = sqlite3_column_bytes(q->stmt, col);
	if (s != NULL)
		copy = arena_strndup(a, s, (size_t)n);
	if (copy == NULL)
		*failed = true;
	return copy;
}

void
query_end(struct query *q)
{
	(void)sqlite3_reset(q->stmt);
	(void)sqlite3_clear_bindings(q->stmt);
}
