/*
 * The first pass: what is there, and what of it is known.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fsio.h"
#include "store/meter.h"
#include "store/objects/link.h"
#include "store/objects/scan_internal.h"

#define DENTS_BYTES ((size_t)64 << 10)
#define SLICES_MAX  64 /* of one directory, waiting */

/* What getdents64 gives. */
struct dent {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

static int
no_memory(struct scan_state *s)
{
	struct err err = {0};

	(void)err_nomem(&err);
	scan_fail(s, &err);
	return -1;
}

/* ---- directories ---- */

struct scan_dir *
scan_dir_new(struct worker *w, const char *path, size_t len, unsigned depth)
{
	struct scan_state *s = w->s;
	struct scan_dir *d = arena_zalloc(w->arena, sizeof(*d));
	size_t top = strlen(s->o.path), keytop = strlen(s->o.key);
	char *key;

	if (d == NULL || (key = arena_alloc(w->arena, keytop + len - top + 1)) == NULL) {
		(void)no_memory(s);
		return NULL;
	}
	memcpy(key, s->o.key, keytop);
	memcpy(key + keytop, path + top, len - top + 1);
	d->task.kind = TASK_DIR;
	d->path = path;
	d->len = len;
	d->key = key;
	d->keylen = keytop + len - top;
	d->depth = depth;
	d->fd = -1;
	atomic_init(&d->refs, 1);
	(void)pthread_mutex_lock(&s->lock);
	d->next = s->dirs;
	s->dirs = d;
	(void)pthread_mutex_unlock(&s->lock);
	return d;
}

int
scan_dir_begin(struct scan_state *s, struct scan_dir *d)
{
	d->stored = index_loaded_find(&s->stored, d->key, d->keylen);
	if (d->stored != NULL)
		d->stored->used = true;
	if (index_dir_open(&d->known, d->key, d->keylen,
			   d->stored != NULL ? d->stored->raws : NULL) == 0)
		return 0;
	return no_memory(s);
}

/* A directory in dir: what the rules say, then a task. */
static int
add_dir(struct worker *w, struct scan_dir *dir, const char *name, size_t len)
{
	const struct scan_ignore *rules = w->s->o.ignore;
	struct scan_dir *d;
	struct err err = {0};
	char *path;
	int r;

	if (!scan_name_ok(w->s, dir, name, len))
		return 0;
	path = arena_alloc(w->arena, dir->len + len + 2);
	if (path == NULL)
		return no_memory(w->s);
	memcpy(path, dir->path, dir->len);
	path[dir->len] = '/';
	memcpy(path + dir->len + 1, name, len + 1);
	d = scan_dir_new(w, path, dir->len + 1 + len, dir->depth + 1);
	if (d == NULL)
		return -1;
	if (rules != NULL) {
		r = rules->enter(dir->ignore, name, &d->ignore, &err);
		if (r < 0)
			scan_fail(w->s, &err);
		if (r != 0) {
			d->ignore = NULL;
			scan_dir_done(w->s, d);
			return r < 0 ? -1 : 0;
		}
	}
	pool_push(&w->s->pool, &d->task);
	return 0;
}

/* All slices are done: the rows of what is there. */
static void
merge(struct scan_state *s, struct scan_dir *dir)
{
	struct index_merge m = {
	    .boot = s->boot, .now_ns = s->now_ns, .chunks = dir->news};
	size_t i;

	dir->news = NULL;
	if (index_dir_merge(&dir->known, &m) != 0) {
		(void)no_memory(s);
		return;
	}
	for (i = 0; dir->known.rows != NULL && i < (size_t)1 << dir->known.split; i++)
		index_row_unindex(&dir->known.rows[i]);
}

void
scan_dir_done(struct scan_state *s, struct scan_dir *dir)
{
	if (atomic_fetch_sub(&dir->refs, 1) != 1)
		return;
	if (dir->fd >= 0)
		(void)close(dir->fd);
	dir->fd = -1;
	if (dir->ignore != NULL && dir != s->top)
		s->o.ignore->leave(dir->ignore);
	dir->ignore = NULL;
	if (dir->known.path != NULL)
		merge(s, dir);
}

/* ---- names ---- */

static int
look_at(struct worker *w, struct slice *sl, const char *name, uint8_t type,
	struct index_chunk **chunk, struct slice_counts *counts)
{
	const struct scan_ignore *rules = w->s->o.ignore;
	struct scan_dir *dir = sl->dir;
	size_t len = strlen(name);
	struct index_stat state;
	struct stat st;
	enum look what = LOOK_DIR;

	if (strcmp(name, ".dvcignore") == 0) {
		scan_problem(w->s, dir, name, ERR_INVALID, 0,
			     "lies in a tracked directory, where it cannot be: move its "
			     "rules to a .dvcignore above it");
		return 0;
	}
	if (w->s->o.others != NULL && w->s->o.others[0] != '\0' &&
	    link_is_temporary(name, len, w->s->o.others))
		return 0;
	if (type != DT_DIR && type != DT_UNKNOWN && rules != NULL &&
	    rules->match(dir->ignore, name, false))
		return 0;
	if (type != DT_DIR)
		what = scan_look(dir->fd, name, &st, &state);
	if (rules != NULL && (type == DT_UNKNOWN || what == LOOK_DIR) &&
	    rules->match(dir->ignore, name, what == LOOK_DIR))
		return 0;
	if (what == LOOK_DIRLINK ||
	    ((what == LOOK_FILE || what == LOOK_LINK) && scan_is_exec(&st)))
		atomic_store(&w->s->unlisted, true);
	switch (what) {
	case LOOK_FILE:
	case LOOK_LINK:
		return scan_file_add(w->s, dir, name, len, what, &st, &state, chunk,
				     counts);
	case LOOK_DIR:
		return add_dir(w, dir, name, len);
	case LOOK_BROKEN:
		if (!w->s->o.broken_ok)
			scan_look_problem(w->s, dir, name, what);
		return 0;
	case LOOK_ODD:
	case LOOK_FAILED:
		scan_look_problem(w->s, dir, name, what);
		return 0;
	case LOOK_DIRLINK:
	case LOOK_NONE:
		return 0;
	}
	return 0;
}

static void
count(struct scan_state *s, const struct slice_counts *counts)
{
	struct err err = {0};
	uint64_t all = atomic_fetch_add(&s->files, counts->files) + counts->files;

	atomic_fetch_add(&s->known, counts->known);
	if (all <= SCAN_FILES_MAX)
		return;
	(void)err_set(&err, ERR_LIMIT,
		      "'%s' has more than %llu files: track parts of it one by one",
		      s->o.path, (unsigned long long)SCAN_FILES_MAX);
	scan_fail(s, &err);
}

static void
run_slice(struct worker *w, struct slice *sl)
{
	struct slice_counts counts = {0};
	struct index_chunk *chunk = NULL;
	const char *at = sl->names;
	struct scan_state *s = w->s;
	unsigned i;

	for (i = 0; i < sl->n; i++) {
		if (look_at(w, sl, at + 1, (uint8_t)*at, &chunk, &counts) != 0)
			break;
		at += strlen(at + 1) + 2;
	}
	count(s, &counts);
	if (chunk != NULL) {
		(void)pthread_mutex_lock(&s->lock);
		chunk->next = sl->dir->news;
		sl->dir->news = chunk;
		(void)pthread_mutex_unlock(&s->lock);
	}
	scan_dir_done(s, sl->dir);
	free(sl);
}

/* ---- reading a directory ---- */

static struct slice *
new_slice(struct scan_state *s, struct scan_dir *dir)
{
	struct slice *sl = malloc(sizeof(*sl));

	if (sl == NULL) {
		(void)no_memory(s);
		return NULL;
	}
	sl->task.kind = TASK_SLICE;
	sl->dir = dir;
	sl->n = 0;
	sl->used = 0;
	atomic_fetch_add(&dir->refs, 1);
	return sl;
}

/* Put a name into the slice at *sl; a full one is left to whoever is free. */
static int
put_name(struct worker *w, struct scan_dir *dir, struct slice **sl, const struct dent *d)
{
	size_t len = strlen(d->name);

	if (len <= 2 && d->name[0] == '.' && (len == 1 || d->name[1] == '.'))
		return 0;
	if (*sl != NULL &&
	    ((*sl)->n == SLICE_NAMES || SLICE_BYTES - (*sl)->used < len + 2)) {
		/* Not so many that the names of a vast directory are all in memory. */
		if (atomic_load(&dir->refs) > SLICES_MAX)
			run_slice(w, *sl);
		else
			pool_push(&w->s->pool, &(*sl)->task);
		*sl = NULL;
	}
	if (*sl == NULL && (*sl = new_slice(w->s, dir)) == NULL)
		return -1;
	(*sl)->names[(*sl)->used] = (char)d->type;
	memcpy((*sl)->names + (*sl)->used + 1, d->name, len + 1);
	(*sl)->used += len + 2;
	(*sl)->n++;
	return 0;
}

static int
read_names(struct worker *w, struct scan_dir *dir, struct slice **sl)
{
	const struct dent *d;
	long n, at;

	for (;;) {
		n = syscall(SYS_getdents64, dir->fd, w->dents, DENTS_BYTES);
		if (n == 0)
			return 0;
		if (n < 0) {
			/* Somebody removed it. */
			if (errno != ENOENT)
				scan_problem(w->s, dir, NULL, ERR_SYS, errno, "");
			return 0;
		}
		for (at = 0; at < n; at += d->reclen) {
			d = (const struct dent *)(const void *)(w->dents + at);
			if (put_name(w, dir, sl, d) != 0)
				return -1;
		}
	}
}

static void
open_dir(struct worker *w, struct scan_dir *dir)
{
	dir->fd = fsio_open_nolinks(w->s->o.root_fd, dir->path, O_RDONLY | O_DIRECTORY);
	if (dir->fd >= 0 || errno == ENOENT)
		return;
	if (errno == ELOOP || errno == ENOTDIR)
		scan_problem(w->s, dir, NULL, ERR_INVALID, 0,
			     "was a directory and is none any more: somebody changes the "
			     "files; try again when they are at rest");
	else
		scan_problem(w->s, dir, NULL, ERR_SYS, errno, "");
}

static void
run_dir(struct worker *w, struct scan_dir *dir)
{
	struct slice *sl = NULL;

	if (w->dents == NULL && (w->dents = malloc(DENTS_BYTES)) == NULL) {
		(void)no_memory(w->s);
		return;
	}
	if (scan_dir_begin(w->s, dir) != 0)
		return;
	open_dir(w, dir);
	if (dir->fd >= 0)
		(void)read_names(w, dir, &sl);
	if (sl != NULL)
		run_slice(w, sl);
	scan_dir_done(w->s, dir);
}

void
scan_walk(struct worker *w, struct task *t)
{
	struct err err = {0};

	if (meter_cancelled(w->s->o.meter)) {
		(void)err_set(&err, ERR_CANCELLED, "stopped on request");
		scan_fail(w->s, &err);
	}
	if (t->kind == TASK_DIR)
		run_dir(w, (struct scan_dir *)t);
	else
		run_slice(w, (struct slice *)t);
}
