#include "store/objects/index.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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

/* For who cannot write: read without locks.  A row that is torn by a writer has a wrong
 * checksum. */
static int
open_readonly(struct index *ix, struct err *err)
{
	int64_t version = 0;

	if (db_open(&ix->db, ix->path, DB_STILL, err) != 0)
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

	ix->open = ix->writable = open_writable(ix, &e) == 0;
	if (!ix->open && is_damage(&e)) {
		throw_away(ix->path);
		ix->open = ix->writable = open_writable(ix, &e) == 0;
	}
	if (ix->open)
		return;
	trouble(ix, &e);
	ix->open = open_readonly(ix, &e) == 0;
}

/* An error of the database: what is damaged is made anew, what is full is not written to any
 * more, anything else is left alone. */
static void
failed(struct index *ix, const struct err *e)
{
	if (is_damage(e)) {
		db_close(&ix->db);
		ix->open = ix->writable = false;
		open_any(ix);
		return;
	}
	trouble(ix, e);
	if (e->code != ERR_BUSY)
		ix->writable = false;
}

int
index_open(const char *path, struct index **out, struct err *err)
{
	struct index *ix = calloc(1, sizeof(*ix));
	char boot[PROC_BOOT_ID_MAX], hex[HASH_HEX_MAX];

	if (ix == NULL || (ix->path = strdup(path)) == NULL) {
		free(ix);
		return err_nomem(err);
	}
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
	int64_t from = w->part, to = w->part;
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
		failed(ix, &e);
		return;
	}
	if (ix->db.wal_frames > WAL_FRAMES_OPEN)
		(void)db_checkpoint(&ix->db, NULL);
}

static void
write_pending(struct index *ix)
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
		write_pending(ix);
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
	write_pending(ix);
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
	write_pending(ix);
	index_write_noted(ix);
	index_drop_noted(ix);
	if (ix->writable) {
		int r = query_start(&q, &ix->db, sql, &e);

		if (r == 0) {
			query_put_text(&q, path);
			r = query_run(&q, &e) < 0 ? -1 : 0;
		}
		if (r != 0)
			failed(ix, &e);
	}
	(void)pthread_mutex_unlock(&ix->lock);
}

/* ---- reading ---- */

static struct index_path **
slot_of(const struct index_loaded *l, const char *path, size_t len)
{
	size_t i = (size_t)hash_64(path, len) & l->mask;

	while (l->slots[i] != NULL &&
	       (l->slots[i]->len != len || memcmp(l->slots[i]->path, path, len) != 0))
		i = (i + 1) & l->mask;
	return &l->slots[i];
}

struct index_path *
index_loaded_find(const struct index_loaded *l, const char *path, size_t len)
{
	return l->slots == NULL ? NULL : *slot_of(l, path, len);
}

/* The rows come ordered by path: only the last can be the same. */
static int
keep_row(struct index_loaded *l, struct query *q)
{
	struct index_path *at = l->last;
	struct index_raw *raw, **end;
	const void *data;
	const char *path;
	size_t len, n;

	path = query_get_text(q, &len);
	if (at == NULL || at->len != len || memcmp(at->path, path, len) != 0) {
		at = arena_zalloc(l->arena, sizeof(*at));
		if (at == NULL || (at->path = arena_strndup(l->arena, path, len)) == NULL)
			return -1;
		at->len = len;
		if (l->last != NULL)
			l->last->next = at;
		else
			l->first = at;
		l->last = at;
		l->n++;
	}
	raw = arena_zalloc(l->arena, sizeof(*raw));
	if (raw == NULL)
		return -1;
	raw->part = query_get_int(q);
	data = query_get_blob(q, &n);
	raw->n = n;
	raw->p = malloc(n + 1);
	if (raw->p == NULL)
		return -1;
	if (n != 0)
		memcpy(raw->p, data, n);
	for (end = &at->raws; *end != NULL; end = &(*end)->next)
		;
	*end = raw;
	return 0;
}

static int
make_slots(struct index_loaded *l)
{
	struct index_path *at;
	size_t n = 8;

	while (n < l->n * 2)
		n *= 2;
	l->slots = arena_array(l->arena, n, sizeof(struct index_path *));
	if (l->slots == NULL)
		return -1;
	l->mask = n - 1;
	for (at = l->first; at != NULL; at = at->next)
		*slot_of(l, at->path, at->len) = at;
	return 0;
}

/* 0; 1 if the database failed; -1 if memory did. */
static int
read_query(struct index *ix, const char *sql, const char *path, struct index_loaded *l,
	   struct err *err)
{
	struct query q;
	int r;

	if (query_start(&q, &ix->db, sql, err) != 0)
		return err->code == ERR_NOMEM ? -1 : 1;
	query_put_text(&q, path);
	while ((r = query_step(&q, err)) > 0)
		if (keep_row(l, &q) != 0) {
			query_end(&q);
			return err_nomem(err);
		}
	query_end(&q);
	return r == 0 ? 0 : err->code == ERR_NOMEM ? -1 : 1;
}

int
index_read_rows(struct index *ix, const char *path, bool below, struct index_loaded *l,
		struct err *err)
{
	static const char one[] =
	    "SELECT path, part, data FROM dir WHERE path = ?1 ORDER BY part";
	static const char range[] = "SELECT path, part, data FROM dir WHERE path >= ?1 "
				    "|| '/' AND path < ?1 || '0'"
				    " ORDER BY path, part";
	struct err e = {0};
	int r;

	*l = (struct index_loaded){0};
	if (!ix->open)
		return 0;
	l->arena = arena_new(0);
	r = l->arena == NULL ? err_nomem(&e) : read_query(ix, one, path, l, &e);
	if (r == 0 && below)
		r = read_query(ix, range, path, l, &e);
	if (r > 0) {
		/* What was read before the failure is as good as ever. */
		failed(ix, &e);
		r = 0;
	}
	if (r == 0 && l->n != 0 && make_slots(l) != 0)
		r = err_nomem(&e);
	if (r == 0)
		return 0;
	index_loaded_release(l);
	return err_nomem(err);
}

/* Whether a key is the path or lies below it. */
static bool
is_of(const char *key, size_t len, const char *path, size_t n)
{
	return len >= n && memcmp(key, path, n) == 0 && (len == n || key[n] == '/');
}

/* Write first what is to be read. */
static void
write_before_read(struct index *ix, const char *path)
{
	size_t n = strlen(path);
	bool pending = false, noted = false;

	vec_foreach (&ix->pending, struct index_write, w)
		pending = pending || is_of(w->path, w->len, path, n);
	map_foreach (&ix->noted, it)
		noted = noted || is_of(it->key, it->len, path, n);
	if (pending)
		write_pending(ix);
	if (noted)
		index_write_noted(ix);
}

int
index_load(struct index *ix, const char *path, struct index_loaded *l, struct err *err)
{
	int r;

	*l = (struct index_loaded){0};
	if (ix == NULL)
		return 0;
	(void)pthread_mutex_lock(&ix->lock);
	write_before_read(ix, path);
	r = index_read_rows(ix, path, true, l, err);
	(void)pthread_mutex_unlock(&ix->lock);
	return r;
}

void
index_loaded_release(struct index_loaded *l)
{
	struct index_path *at;
	struct index_raw *raw;

	for (at = l->first; at != NULL; at = at->next)
		for (raw = at->raws; raw != NULL; raw = raw->next)
			free(raw->p);
	arena_free(l->arena);
	*l = (struct index_loaded){0};
}
