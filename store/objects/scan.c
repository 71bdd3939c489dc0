#include "store/objects/scan.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/meter.h"
#include "store/objects/scan_internal.h"

/* ---- begin and end ---- */

static unsigned
workers_of(const struct scan_options *o)
{
	long n = o->workers != 0 ? (long)o->workers : sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > SCAN_WORKERS_MAX ? SCAN_WORKERS_MAX : (unsigned)n;
}

static int
state_new(const struct scan_options *o, struct scan *scan, struct err *err)
{
	struct scan_state *s = calloc(1, sizeof(*s));
	unsigned i;

	if (s == NULL)
		return err_nomem(err);
	scan->state = s;
	s->scan = scan;
	s->o = *o;
	if (s->o.key == NULL)
		s->o.key = s->o.path;
	s->now_ns = clock_stamp_ns();
	if (o->index != NULL)
		memcpy(s->boot, index_boot(o->index), INDEX_BOOT);
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_mutex_init(&s->pool.lock, NULL);
	(void)pthread_cond_init(&s->pool.wake, NULL);
	s->pool.max = workers_of(o);
	/* All of them: passes_end closes what they have. */
	for (i = 0; i < s->pool.max; i++)
		s->pool.workers[i] = (struct worker){.s = s, .fd = -1};
	for (i = 0; i < s->pool.max; i++) {
		s->pool.workers[i].arena = arena_new(0);
		if (s->pool.workers[i].arena == NULL)
			return err_nomem(err);
	}
	return 0;
}

/* What only the passes need; also what an early end left lying. */
static void
passes_end(struct scan_state *s)
{
	struct scan_dir *d;
	struct task *t;
	unsigned i;

	while ((t = s->pool.tasks) != NULL) {
		s->pool.tasks = t->next;
		if (t->kind == TASK_SLICE)
			free(t);
	}
	for (d = s->dirs; d != NULL; d = d->next) {
		if (d->fd >= 0)
			(void)close(d->fd);
		d->fd = -1;
		if (d->ignore != NULL && d != s->top)
			s->o.ignore->leave(d->ignore);
		d->ignore = NULL;
		index_chunks_free(d->news);
		d->news = NULL;
	}
	for (i = 0; i < s->pool.max; i++) {
		struct worker *w = &s->pool.workers[i];

		digest_release(&w->digest);
		free(w->dents);
		w->dents = NULL;
		if (w->fd >= 0)
			(void)close(w->fd);
		w->fd = -1;
	}
	index_loaded_release(&s->stored);
}

void
scan_release(struct scan *scan)
{
	struct scan_state *s = scan->state;
	struct scan_dir *d;
	size_t i;

	for (i = 0; i < scan->nproblems; i++) {
		free(scan->problems[i].path);
		free(scan->problems[i].what);
	}
	free(scan->problems);
	if (s != NULL) {
		passes_end(s);
		for (d = s->dirs; d != NULL; d = d->next)
			index_dir_release(&d->known);
		for (i = 0; i < s->pool.max; i++)
			arena_free(s->pool.workers[i].arena);
		(void)pthread_mutex_destroy(&s->lock);
		(void)pthread_mutex_destroy(&s->pool.lock);
		(void)pthread_cond_destroy(&s->pool.wake);
		free(s);
	}
	*scan = (struct scan){0};
}

/* ---- the path itself ---- */

static int
check_path(const struct scan_options *o, struct err *err)
{
	size_t n = strlen(o->path);

	assert(o->into == NULL || !o->legacy);
	if (n == 0 || strcmp(o->path, ".") == 0 || path_climbs(o->path))
		return err_set(err, ERR_INVALID,
			       "'%s' cannot be tracked: it must lie below the root",
			       o->path);
	if (n > SCAN_PATH_MAX)
		return err_set(
		    err, ERR_LIMIT,
		    "the path '%.64s...' has %zu bytes; at most %d are possible", o->path,
		    n, SCAN_PATH_MAX);
	return 0;
}

/* Open the directory that the path lies in: the descriptor; -1: there is none; -2. */
static int
open_parent(const struct scan_options *o, const char *leaf, struct err *err)
{
	char parent[SCAN_PATH_MAX + 1] = ".";
	size_t n = (size_t)(leaf - o->path);
	int fd;

	if (n > 1) {
		memcpy(parent, o->path, n - 1);
		parent[n - 1] = '\0';
	}
	fd = fsio_open_nolinks(o->root_fd, parent, O_RDONLY | O_DIRECTORY);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENOTDIR)
		return -1;
	if (errno == ELOOP)
		(void)err_set(
		    err, ERR_INVALID,
		    "'%s' lies behind a symbolic link: name it by the directory "
		    "that it is really in",
		    o->path);
	else
		(void)err_sys(err, errno, "cannot open '%s'", parent);
	return -2;
}

/* A file that is tracked by itself: its row has one entry. */
static int
add_leaf(struct scan_state *s, struct scan_dir *d, enum look what, const struct stat *st,
	 const struct index_stat *state)
{
	struct slice_counts counts = {0};
	size_t len = strlen(d->leaf);

	s->scan->exec = scan_is_exec(st);
	if (scan_dir_begin(s, d) != 0 ||
	    scan_file_add(s, d, d->leaf, len, what, st, state, &d->news, &counts) != 0)
		return -1;
	atomic_fetch_add(&s->known, counts.known);
	scan_dir_done(s, d);
	return 0;
}

/* What the path is: the first directory as a task, or the one file. */
static void
begin(struct scan_state *s, struct scan_dir *top, int parent, const char *leaf)
{
	struct index_stat state;
	struct stat st;
	enum look what = scan_look(parent, leaf, &st, &state);

	top->leaf = leaf;
	s->scan->exists = what != LOOK_NONE;
	switch (what) {
	case LOOK_FILE:
	case LOOK_LINK:
		top->fd = parent;
		(void)add_leaf(s, top, what, &st, &state);
		return;
	case LOOK_DIR:
		top->leaf = NULL;
		top->ignore = s->o.ignore != NULL ? s->o.ignore->top : NULL;
		s->scan->is_dir = true;
		pool_push(&s->pool, &top->task);
		break;
	case LOOK_DIRLINK:
		scan_problem(s, top, NULL, ERR_INVALID, 0,
			     "is a symbolic link to a directory: track the directory "
			     "itself");
		break;
	case LOOK_BROKEN:
		s->scan->exists = false;
		if (!s->o.broken_ok)
			scan_look_problem(s, top, NULL, what);
		break;
	case LOOK_ODD:
	case LOOK_FAILED:
		scan_look_problem(s, top, NULL, what);
		break;
	case LOOK_NONE:
		break;
	}
	(void)close(parent);
}

/* ---- the whole ---- */

static int
problem_cmp(const void *a, const void *b)
{
	const struct scan_problem *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int
told(struct scan *scan, struct err *err)
{
	struct scan_problem *p = scan->problems;

	if (scan->nproblems == 0)
		return err_nomem(err);
	qsort(p, scan->nproblems, sizeof(*p), problem_cmp);
	(void)err_set(err, (enum err_code)p->code, "%s", p->what);
	if (scan->nproblems_all > 1)
		(void)err_set(err, (enum err_code)p->code, "%s (and %llu more like this)",
			      p->what, (unsigned long long)scan->nproblems_all - 1);
	return -1;
}

static bool
in_trouble(const struct scan_state *s)
{
	return s->failed || s->scan->nproblems_all != 0;
}

static int
run(struct scan_state *s, struct err *err)
{
	const char *leaf = path_basename(s->o.path);
	struct scan *scan = s->scan;
	int parent, r = 0;

	s->top = scan_dir_new(&s->pool.workers[0], s->o.path, strlen(s->o.path), 0);
	if (s->top == NULL)
		return err_nomem(err);
	parent = open_parent(&s->o, leaf, err);
	if (parent == -2)
		return -1;
	meter_phase(s->o.meter, "looking");
	if (parent >= 0)
		begin(s, s->top, parent, leaf);
	pool_run(&s->pool, scan_walk);
	if (!in_trouble(s) && scan_plan(s) == 0) {
		if (s->pool.tasks != NULL)
			meter_phase(s->o.meter, "hashing");
		pool_run(&s->pool, scan_read);
		r = scan_finish(s, err);
	}
	scan->stats.known = atomic_load(&s->known);
	scan->stats.hashed = atomic_load(&s->hashed);
	scan->unlisted = atomic_load(&s->unlisted);
	if (r == 0 && s->failed) {
		if (err != NULL)
			*err = s->fatal;
		r = -1;
	}
	if (r == 0 && scan->nproblems_all != 0)
		r = told(scan, err);
	return r;
}

int
scan_path(const struct scan_options *o, struct scan *scan, struct err *err)
{
	int r;

	*scan = (struct scan){0};
	if (check_path(o, err) != 0 || state_new(o, scan, err) != 0)
		return -1;
	if (index_load(o->index, scan->state->o.key, &scan->state->stored, err) != 0)
		return -1;
	r = run(scan->state, err);
	passes_end(scan->state);
	return r;
}
