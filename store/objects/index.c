#include "store/objects/index.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fsio.h"
#include "base/hash.h"
#include "base/proc.h"
#include "store/objects/index_internal.h"

/* PRAGMA user_version: of the table; that of the rows is in each. */
#define TABLE_VERSION "1"

/* Rows that wait for others, so that a thousand files tracked one by one are one commit. */
#define PENDING_MAX ((size_t)1 << 20)

/* How many pages the WAL may hold when the index is closed: to copy them into the database
 * costs two fsyncs, and to read them each opening. */
#define WAL_FRAMES_MAX 32

/* And before. */
#define WAL_FRAMES_OPEN 4096

static const char settings[] = "PRAGMA synchronous = NORMAL;"
			       "PRAGMA page_size = 16384;";

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS dir (path TEXT NOT NULL, part INTEGER NOT NULL,"
    " data BLOB NOT NULL, UNIQUE (path, part)) STRICT;"
    "PRAGMA user_version = " TABLE_VERSION ";";

/* ---- opening ---- */

/* Remember why it does not work, for a diagnosis. */
static void
trouble(struct index *ix, const struct err *e)
{
	if (ix->trouble.code == ERR_NONE)
		ix->trouble = *e;
}

static int
read_int(struct db *db, const char *sql, int64_t *out, struct err *err)
{
	struct query q;
	int r;

	if (query_start(&q, db, sql, err) != 0)
		return -1;
	r = query_step(&q, err);
	if (r > 0)
		*out = query_get_int(&q);
	query_end(&q);
	return r > 0 ? 0 : -1;
}

static int
open_writable(struct index *ix, struct err *err)
{
	int64_t version = 0, tables = 0;
	struct db *db = &ix->db;

	if (db_open(db, ix->path, DB_WRITE, err) != 0)
		return -1;
	db_keep_wal(db, true);
	if (db_script(db, settings, err) == 0 && db_use_wal(db, err) == 0 &&
	    read_int(db, "PRAGMA user_version", &version, err) == 0 &&
	    read_int(db, "SELECT count(*) FROM sqlite_schema", &tables, err) == 0) {
		if (version == 1 ||
		    (version == 0 && tables == 0 && db_script(db, schema, err) == 0))
			return 0;
		if (version != 0 || tables != 0)
			(void)err_set(err, ERR_CORRUPT, "it is of another version");
	}
	db_close(db);
	return -1;
}

/* For who cannot write: read without locks (DB_STILL).  A row that is torn by a writer has a wrong
 * checksum. */
static int
open_readonly(struct index *ix, enum db_mode mode, struct err *err)
{
	int64_t version = 0;

	if (db_open(&ix->db, ix->path, mode, err) != 0)
		return -1;
	if (read_int(&ix->db, "PRAGMA user_version", &version, err) == 0 && version == 1)
		return 0;
	db_close(&ix->db);
	return -1;
}

static void
throw_away(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	struct buf name;
	size_t i;

	buf_init(&name, 0);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		buf_clear(&name);
		buf_addf(&name, "%s%s", path, ends[i]);
		if (!buf_failed(&name))
			(void)fsio_unlink(AT_FDCWD, name.p);
	}
	buf_release(&name);
}

static bool
is_damage(const struct err *e)
{
	/* ERR_SYS without an errno: SQL that the tables do not understand. */
	return e->code == ERR_CORRUPT || (e->code == ERR_SYS && e->sys == 0);
}

static void
open_any(struct index *ix)
{
	struct err e = {0};
	struct stat st;

	if (ix->still) {
		ix->open = open_readonly(ix, DB_READ, &e) == 0 ||
			   open_readonly(ix, DB_STILL, &e) == 0;
		return;
	}
	ix->open = ix->writable = open_writable(ix, &e) == 0;
	if (!ix->open && is_damage(&e)) {
		throw_away(ix->path);
		ix->open = ix->writable = open_writable(ix, &e) == 0;
	}
	if (!ix->open) {
		trouble(ix, &e);
		ix->open = open_readonly(ix, DB_STILL, &e) == 0;
	}
	if (stat(ix->path, &st) == 0) {
		ix->dev = st.st_dev;
		ix->ino = st.st_ino;
	}
}

/* Whether the file that is open still has its name: another process may have thrown it away
 * and made a good one. */
static bool
is_in_place(const struct index *ix)
{
	struct stat st;

	return stat(ix->path, &st) == 0 && st.st_dev == ix->dev && st.st_ino == ix->ino;
}

void
index_failed(struct index *ix, const struct err *e)
{
	if (is_damage(e)) {
		db_close(&ix->db);
		ix->open = false;
		if (ix->still)
			return;
		if (is_in_place(ix))
			throw_away(ix->path);
		open_any(ix);
		return;
	}
	trouble(ix, e);
	if (e->code != ERR_BUSY)
		ix->writable = false;
}

static int
open_index(const char *path, bool still, struct index **out, struct err *err)
{
	struct index *ix = calloc(1, sizeof(*ix));
	char boot[PROC_BOOT_ID_MAX], hex[HASH_HEX_MAX];

	if (ix == NULL || (ix->path = strdup(path)) == NULL) {
		free(ix);
		return err_nomem(err);
	}
	ix->still = still;
	(void)pthread_mutex_init(&ix->lock, NULL);
	/* Without an id no boot is the same as another: zeros say so. */
	if (proc_boot_id(boot) == 0 && hash_bytes(HASH_MD5, boot, strlen(boot), hex) == 0)
		for (size_t i = 0; i < INDEX_BOOT; i++)
			ix->boot[i] =
			    (uint8_t)hex[2 * i] ^ (uint8_t)(hex[2 * i + 1] << 4);
	open_any(ix);
	*out = ix;
	return 0;
}

int
index_open(const char *path, struct index **out, struct err *err)
{
	return open_index(path, false, out, err);
}

int
index_open_still(const char *path, struct index **out, struct err *err)
{
	return open_index(path, true, out, err);
}

void
index_close(struct index *ix)
{
	if (ix == NULL)
		return;
	index_flush(ix);
	index_drop_noted(ix);
	if (ix->open) {
		if (ix->db.wal_frames > WAL_FRAMES_MAX)
			db_keep_wal(&ix->db, false);
		db_close(&ix->db);
	}
	vec_release(&ix->pending);
	(void)pthread_mutex_destroy(&ix->lock);
	free(ix->path);
	free(ix);
}

const char *
index_trouble(const struct index *ix)
{
	return ix->trouble.code == ERR_NONE ? NULL : ix->trouble.msg;
}

const uint8_t *
index_boot(const struct index *ix)
{
	return ix->boot;
}

/* ---- writing ---- */

static int
write_row(struct index *ix, const struct index_write *w, struct err *err)
{
	static const char put[] =
	    "INSERT INTO dir (path, part, data) VALUES (?1, ?2, ?3)"
	    " ON CONFLICT (path, part) DO UPDATE SET data = excluded.data";
	static const char drop[] =
	    "DELETE FROM dir WHERE path = ?1 AND part BETWEEN ?2 AND ?3";
	int64_t from = w->part, to = from;
	struct query q;

	if (w->part == INDEX_PART_ALL || w->part == INDEX_PART_ROWS) {
		from = w->part == INDEX_PART_ALL ? INDEX_PART_TREE : 0;
		to = INT64_MAX;
	}
	if (query_start(&q, &ix->db, w->p != NULL ? put : drop, err) != 0)
		return -1;
	query_put_textn(&q, w->path, w->len);
	query_put_int(&q, from);
	if (w->p == NULL)
		query_put_int(&q, to);
	if (w->p != NULL)
		query_put_blob(&q, w->p, w->n);
	return query_run(&q, err) < 0 ? -1 : 0;
}

void
index_write_rows(struct index *ix, const struct index_write *v, size_t n)
{
	struct err e = {0};
	size_t i;
	int r;

	if (!ix->writable || n == 0)
		return;
	r = db_begin(&ix->db, &e);
	for (i = 0; r == 0 && i < n; i++)
		r = write_row(ix, &v[i], &e);
	if (r == 0)
		r = db_commit(&ix->db, &e);
	if (r != 0) {
		db_rollback(&ix->db);
		index_failed(ix, &e);
		return;
	}
	if (ix->db.wal_frames > WAL_FRAMES_OPEN)
		(void)db_checkpoint(&ix->db, NULL);
}

void
index_write_pending(struct index *ix)
{
	index_write_rows(ix, ix->pending.v, ix->pending.n);
	vec_foreach (&ix->pending, struct index_write, w)
		free((void *)(uintptr_t)w->path);
	ix->pending.n = 0;
	ix->pending_bytes = 0;
}

/* A copy of a row that is to wait; false if memory ran out. */
static bool
keep_pending(struct index *ix, const struct index_write *w)
{
	struct index_write copy = *w;
	char *p = malloc(w->len + w->n + 1);

	if (p == NULL)
		return false;
	memcpy(p, w->path, w->len);
	copy.path = p;
	if (w->p != NULL) {
		memcpy(p + w->len, w->p, w->n);
		copy.p = p + w->len;
	}
	if (vec_push(&ix->pending, copy) != 0) {
		free(p);
		return false;
	}
	ix->pending_bytes += w->len + w->n;
	return true;
}

int
index_dir_writes(const struct index_dir *d, struct index_writes *out)
{
	struct index_write w = {.path = d->path, .len = d->len};
	size_t i, files = 0, n = d->rows == NULL ? 0 : (size_t)1 << d->split;

	for (i = 0; i < n; i++)
		files += d->rows[i].n;
	if (files == 0 || (d->stored && d->old_split != d->split)) {
		w.part = INDEX_PART_ROWS;
		if (d->stored && vec_push(out, w) != 0)
			return -1;
	}
	for (i = 0; files != 0 && i < n; i++) {
		w.part = (int64_t)i;
		w.p = d->rows[i].p;
		w.n = d->rows[i].len;
		if (d->rows[i].changed && vec_push(out, w) != 0)
			return -1;
	}
	return 0;
}

void
index_store(struct index *ix, const struct index_write *v, size_t n)
{
	size_t i, bytes = 0;

	if (ix == NULL || n == 0)
		return;
	(void)pthread_mutex_lock(&ix->lock);
	for (i = 0; i < n; i++)
		bytes += v[i].n + v[i].len;
	i = 0;
	if (bytes <= PENDING_MAX / 8)
		while (i < n && ix->writable && keep_pending(ix, &v[i]))
			i++;
	if (i < n || ix->pending_bytes > PENDING_MAX) {
		index_write_pending(ix);
		index_write_rows(ix, v + i, n - i);
	}
	(void)pthread_mutex_unlock(&ix->lock);
}

void
index_flush(struct index *ix)
{
	if (ix == NULL)
		return;
	(void)pthread_mutex_lock(&ix->lock);
	index_write_pending(ix);
	index_write_noted(ix);
	(void)pthread_mutex_unlock(&ix->lock);
}

void
index_forget(struct index *ix, const char *path)
{
	static const char sql[] = "DELETE FROM dir WHERE path = ?1"
				  " OR (path >= ?1 || '/' AND path < ?1 || '0')";
	struct err e = {0};
	struct query q;

	if (ix == NULL)
		return;
	(void)pthread_mutex_lock(&ix->lock);
	index_write_pending(ix);
	index_write_noted(ix);
	index_drop_noted(ix);
	if (ix->writable) {
		int r = query_start(&q, &ix->db, sql, &e);

		if (r == 0) {
			query_put_text(&q, path);
			r = query_run(&q, &e) < 0 ? -1 : 0;
		}
		if (r != 0)
			index_failed(ix, &e);
	}
	(void)pthread_mutex_unlock(&ix->lock);
}
