/*
 * The second pass: the files that are not known are read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fsio.h"
#include "store/meter.h"
#include "store/objects/batch.h"
#include "store/objects/objects.h"
#include "store/objects/scan_internal.h"

#define MARKED (INDEX_HASH | INDEX_COPY)

/* How much one task reads. */
#define READING_FILES 64
#define READING_BYTES ((uint64_t)4 << 20)

/* Of a name that the directory told twice the second entry is gone from the start. */
static bool
is_marked(const struct index_entry *e)
{
	return (e->flags & MARKED) != 0 && (e->flags & INDEX_GONE) == 0;
}

/* ---- one file ---- */

struct file {
	struct worker *w;
	struct scan_dir *dir;
	char name[INDEX_NAME_MAX + 1];
	struct index_entry e;
	int fd;
};

/* What the open file looks like now. */
static int
look_open(const struct file *f, struct stat *st, struct index_stat *state)
{
	struct stat link;
	bool is_link = (f->e.flags & INDEX_LINK) != 0;

	if (fstat(f->fd, st) != 0 ||
	    (is_link && fstatat(f->w->fd, f->name, &link, AT_SYMLINK_NOFOLLOW) != 0))
		return -1;
	index_stat_of(st, is_link ? &link : NULL, state);
	return 0;
}

static int64_t
tick_of(struct worker *w, int fd, dev_t dev)
{
	if (w->tick_ns == 0 || w->dev != dev) {
		w->tick_ns = index_tick(fd);
		w->dev = dev;
	}
	return w->tick_ns;
}

enum done { DONE, CHANGED, FAILED };

/* A failure of the bytes or of the store. */
static enum done
failed(struct file *f, struct err *err)
{
	struct scan_state *s = f->w->s;

	if (err->code == ERR_SYS && s->o.into == NULL && err->sys != 0) {
		scan_problem(s, f->dir, f->name, ERR_SYS, err->sys, "");
		return FAILED;
	}
	if (err->code != ERR_CANCELLED && err->code != ERR_NOMEM)
		(void)err_wrap(err, "'%s%s%s'", f->dir->path,
			       f->dir->leaf != NULL ? "" : "/",
			       f->dir->leaf != NULL ? "" : f->name);
	scan_fail(s, err);
	return FAILED;
}

/* Read the open file, which looked like f->e.st when it was opened. */
static enum done
read_open(struct file *f, int64_t since_ns)
{
	struct worker *w = f->w;
	struct scan_options *o = &w->s->o;
	struct object_id id = {.legacy = o->legacy};
	uint64_t size = f->e.st.size;
	struct index_stat after;
	struct err err = {0};
	struct stat st;
	int r;

	if (o->into != NULL)
		r = batch_copy(o->into, f->fd, NULL, &id, &size, &err);
	else if (w->digest.hash == NULL && digest_init(&w->digest, &err) != 0)
		r = -1;
	else
		r = digest_fd(&w->digest, f->fd, o->legacy, &size, o->meter, &id, &err);
	if (r != 0)
		return failed(f, &err);
	if (o->into == NULL)
		meter_add(o->meter, 1, 0);
	if (look_open(f, &st, &after) != 0 || !index_stat_equal(&after, &f->e.st) ||
	    size != after.size)
		return CHANGED;
	f->e.flags &= INDEX_LINK | INDEX_LEGACY;
	f->e.flags |= index_flags(&after, since_ns, tick_of(w, f->fd, st.st_dev));
	memcpy(f->e.md5, id.md5, sizeof(f->e.md5));
	return DONE;
}

static enum done
read_once(struct file *f)
{
	int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
	int64_t since_ns = clock_stamp_ns();
	struct index_stat before;
	enum done done;
	struct stat st;

	if ((f->e.flags & INDEX_LINK) == 0)
		flags |= O_NOFOLLOW;
	f->fd = fsio_open(f->w->fd, f->name, flags, 0);
	if (f->fd < 0) {
		if (errno == ENOENT || errno == ELOOP || errno == ENXIO)
			return CHANGED;
		scan_problem(f->w->s, f->dir, f->name, ERR_SYS, errno, "");
		return FAILED;
	}
	if (look_open(f, &st, &before) != 0 || !S_ISREG(st.st_mode) ||
	    !index_stat_equal(&before, &f->e.st))
		done = CHANGED;
	else
		done = read_open(f, since_ns);
	(void)close(f->fd);
	return done;
}

/* Look at the name once more, as it was not what it had been.  Return whether it is still to
 * be read. */
static bool
look_again(struct file *f)
{
	struct scan_state *s = f->w->s;
	struct stat st;
	enum look what = scan_look(f->w->fd, f->name, &st, &f->e.st);

	f->e.flags &= ~(unsigned)INDEX_LINK;
	if (what == LOOK_LINK)
		f->e.flags |= INDEX_LINK;
	if (what == LOOK_FILE || what == LOOK_LINK)
		return true;
	f->e.flags |= INDEX_GONE;
	if (what == LOOK_DIR)
		scan_problem(s, f->dir, f->name, ERR_INVALID, 0,
			     "was a file and is a directory now: somebody changes the "
			     "files; try again when they are at rest");
	else if (what == LOOK_ODD || what == LOOK_FAILED ||
		 (what == LOOK_BROKEN && !s->o.broken_ok))
		scan_look_problem(s, f->dir, f->name, what);
	return false;
}

static void
read_file(struct file *f)
{
	enum done done = CHANGED;
	int i;

	for (i = 0; i < SCAN_TRIES; i++) {
		if (i > 0 && !look_again(f))
			return;
		done = read_once(f);
		if (done == DONE)
			return;
		if (done == FAILED)
			break;
	}
	f->e.flags |= INDEX_GONE;
	if (done == CHANGED)
		scan_problem(f->w->s, f->dir, f->name, ERR_INVALID, 0,
			     "changes while it is read: try again when nobody writes it");
}

/* ---- tasks ---- */

/* Have the directory open that the names are relative to. */
static bool
enter(struct worker *w, struct scan_dir *dir)
{
	char parent[SCAN_PATH_MAX + 1] = ".";
	const char *path = dir->path;
	size_t n;

	if (w->at == dir)
		return w->fd >= 0;
	if (w->fd >= 0)
		(void)close(w->fd);
	if (dir->leaf != NULL) {
		n = (size_t)(dir->leaf - dir->path);
		if (n > 1)
			(void)memcpy(parent, dir->path, n - 1);
		parent[n > 1 ? n - 1 : 1] = '\0';
		path = parent;
	}
	w->at = dir;
	w->fd = fsio_open_nolinks(w->s->o.root_fd, path, O_RDONLY | O_DIRECTORY);
	if (w->fd >= 0 || errno == ENOENT)
		return w->fd >= 0;
	scan_problem(w->s, dir, NULL, ERR_SYS, errno, "");
	return false;
}

/* Put what was found out into the row. */
static void
settle(struct reading *r, size_t at, const struct index_entry *old, struct index_entry *e)
{
	/* A copy of what was known tells nothing new. */
	if ((old->flags & INDEX_HASH) == 0 && (e->flags & INDEX_GONE) == 0 &&
	    memcmp(old->md5, e->md5, sizeof(e->md5)) == 0 &&
	    index_stat_equal(&old->st, &e->st)) {
		e->flags = old->flags & INDEX_STORED;
	} else {
		__atomic_store_n(&r->row->changed, true, __ATOMIC_RELAXED);
	}
	index_row_set(r->row, at, e);
}

void
scan_read(struct worker *w, struct task *t)
{
	struct reading *r = (struct reading *)t;
	bool open = enter(w, r->dir);
	struct file f = {.w = w, .dir = r->dir};
	struct index_entry old;
	size_t at = r->at, here = at;
	unsigned n = r->n;

	for (; n > 0 && index_row_next(r->row, &at, &old); here = at) {
		if (!is_marked(&old))
			continue;
		n--;
		f.e = old;
		memcpy(f.name, r->dir->leaf != NULL ? r->dir->leaf : old.name,
		       r->dir->leaf != NULL ? strlen(r->dir->leaf) : old.len);
		f.name[r->dir->leaf != NULL ? strlen(r->dir->leaf) : old.len] = '\0';
		if (!open)
			f.e.flags |= INDEX_GONE;
		else
			read_file(&f);
		if (w->s->failed)
			break;
		atomic_fetch_add(&w->s->hashed, 1);
		settle(r, here, &old, &f.e);
	}
}

/* ---- the plan ---- */

struct plan {
	struct scan_state *s;
	struct object_id *ids; /* of what is known */
	uint8_t *missing;
	size_t n;
	uint64_t bytes; /* to be read, in all */
};

typedef int plan_fn(struct plan *, struct scan_dir *, struct index_row *, size_t,
		    struct index_entry *);

static int
each_entry(struct plan *p, plan_fn *fn)
{
	struct index_entry e;
	struct scan_dir *d;
	size_t i, at, here;

	for (d = p->s->dirs; d != NULL; d = d->next)
		for (i = 0; d->known.rows != NULL && i < (size_t)1 << d->known.split;
		     i++) {
			struct index_row *row = &d->known.rows[i];

			for (at = 0, here = INDEX_ROW_HEAD; index_row_next(row, &at, &e);
			     here = at)
				if (fn(p, d, row, here, &e) != 0)
					return -1;
		}
	return 0;
}

static int
take_id(struct plan *p, struct scan_dir *d, struct index_row *row, size_t at,
	struct index_entry *e)
{
	(void)d;
	(void)row;
	(void)at;
	if ((e->flags & INDEX_HASH) == 0)
		memcpy(p->ids[p->n++].md5, e->md5, sizeof(e->md5));
	return 0;
}

static int
mark_missing(struct plan *p, struct scan_dir *d, struct index_row *row, size_t at,
	     struct index_entry *e)
{
	(void)d;
	if ((e->flags & INDEX_HASH) == 0 && p->missing[p->n++] != 0) {
		e->flags |= INDEX_COPY;
		index_row_set(row, at, e);
	}
	return 0;
}

/* What the index knows may still be missing in the store. */
static int
mark_copies(struct plan *p, struct err *err)
{
	struct scan_options *o = &p->s->o;
	size_t known = (size_t)atomic_load(&p->s->known);
	int r;

	if (o->into == NULL || o->cache == NULL || known == 0)
		return 0;
	p->ids = calloc(known, sizeof(*p->ids));
	p->missing = calloc(known, 1);
	if (p->ids == NULL || p->missing == NULL) {
		r = err_nomem(err);
	} else {
		(void)each_entry(p, take_id);
		r = objects_missing(o->cache, p->ids, p->n, p->missing, NULL, err);
		p->n = 0;
		if (r == 0)
			(void)each_entry(p, mark_missing);
	}
	free(p->ids);
	free(p->missing);
	return r;
}

/* One more marked entry: to the task that is being filled, or a new one. */
static int
add_reading(struct plan *p, struct scan_dir *d, struct index_row *row, size_t at,
	    struct index_entry *e)
{
	struct pool *pool = &p->s->pool;
	struct reading *r = (struct reading *)pool->tasks;

	if (!is_marked(e))
		return 0;
	meter_expect(p->s->o.meter, 1, e->st.size);
	p->bytes += e->st.size;
	if (r != NULL && r->row == row && r->n < READING_FILES &&
	    p->n + e->st.size <= READING_BYTES) {
		r->n++;
		p->n += (size_t)e->st.size;
		return 0;
	}
	r = arena_zalloc(pool->workers[0].arena, sizeof(*r));
	if (r == NULL)
		return -1;
	r->task.kind = TASK_READ;
	r->dir = d;
	r->row = row;
	r->at = at;
	r->n = 1;
	p->n = e->st.size < READING_BYTES ? (size_t)e->st.size : (size_t)READING_BYTES;
	pool_push(pool, &r->task);
	return 0;
}

/* Whether so much may be read. */
static int
check_bytes(const struct plan *p, struct err *err)
{
	const struct scan_options *o = &p->s->o;

	if (o->read_max == 0 || p->bytes <= o->read_max)
		return 0;
	return err_set(err, ERR_BUSY,
		       "'%s' is not known: %llu bytes of it would have to be read",
		       o->path, (unsigned long long)p->bytes);
}

int
scan_plan(struct scan_state *s)
{
	struct plan p = {.s = s};
	struct err err = {0};

	if (mark_copies(&p, &err) == 0) {
		p.n = 0;
		if (each_entry(&p, add_reading) != 0)
			(void)err_nomem(&err);
		else if (check_bytes(&p, &err) == 0)
			return 0;
	}
	scan_fail(s, &err);
	return -1;
}
