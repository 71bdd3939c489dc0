/*
 * What is stored of a path and all below it, read in one go.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "store/objects/index_internal.h"

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
		index_failed(ix, &e);
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
		index_write_pending(ix);
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
