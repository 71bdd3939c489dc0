#include "scheduler/gc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "scheduler/cgroup.h"
#include "store/owner.h"
#include "store/project.h"
#include "tasks/proto/attempt_dir.h"

#define GC_LOCK	   "gc.lock"
#define RUNS	   "runs"
#define SLICE	   128 /* runs of one slice: one descriptor each */
#define ROWS_FIRST 500
#define ROWS_MIN   50
#define ROWS_MAX   20000
#define QUICK_US   4000 /* of a transaction: the next may be larger */
#define SLOW_US	   12000
#define DEPTH_MAX  32
#define AGE_S	   600 /* of what nobody knows: it may be somebody's beginning */

struct run_path {
	char s[sizeof(RUNS "/") + META_RUN_ID];
};

static struct run_path
path_of(const char *id)
{
	struct run_path p;

	(void)snprintf(p.s, sizeof(p.s), RUNS "/%s", id);
	return p;
}

static bool
is_run_id(const char *s)
{
	return strlen(s) == META_RUN_ID - 1 &&
	       strspn(s, "0123456789abcdef-") == META_RUN_ID - 1;
}

/* ---- room ---- */

/* Room that the tree takes on the disk; what cannot be seen counts nothing. */
static uint64_t
room_of(int dirfd, const char *name, int depth)
{
	struct dirent *e;
	struct stat st;
	uint64_t sum = 0;
	DIR *d;
	int fd;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	sum = (uint64_t)st.st_blocks * 512;
	if (!S_ISDIR(st.st_mode) || depth == 0)
		return sum;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return sum;
	if ((d = fdopendir(fd)) == NULL) {
		(void)close(fd);
		return sum;
	}
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			sum += room_of(fd, e->d_name, depth - 1);
	(void)closedir(d);
	return sum;
}

static void
tell(struct gc *g)
{
	if (g->progress != NULL)
		g->progress(g->ctx, &g->counts);
}

/* ---- old runs ---- */

/* One slice of runs, of one DAG. */
struct slice {
	struct meta_gc_run v[SLICE];
	int owner[SLICE]; /* the lock, or -1: it has no directory */
	size_t n;
};

static bool
exists(const struct gc *g, const char *id)
{
	struct run_path p = path_of(id);

	return faccessat(g->p->state_fd, p.s, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * Take the locks of those that have a directory; leave out what somebody owns.  One without
 * can only be taken by somebody who raises its epoch after we have read it, and then it is
 * not deleted.
 */
static int
lock_slice(struct gc *g, struct slice *s, struct err *err)
{
	size_t i, n = 0;

	for (i = 0; i < s->n; i++) {
		int fd = -1;

		if (exists(g, s->v[i].id) &&
		    (fd = owner_take(g->p, s->v[i].id, err)) == -1) {
			if (err->code != ERR_BUSY) {
				s->n = n;
				return -1;
			}
			g->counts.busy++;
			continue;
		}
		s->v[n] = s->v[i];
		s->owner[n++] = fd;
	}
	s->n = n;
	return 0;
}

static void
unlock_slice(struct slice *s)
{
	for (size_t i = 0; i < s->n; i++)
		owner_release(s->owner[i]);
}

/* Delete the rows, in transactions whose size follows from how long they take. */
static int
delete_rows(struct gc *g, struct slice *s, uint64_t *rows, struct err *err)
{
	size_t at = 0, done;

	while (at < s->n) {
		int64_t from = clock_now().mono_us, took;

		if (meta_gc_delete(g->m, s->v + at, s->n - at, *rows, &done, err) != 0)
			return -1;
		took = clock_now().mono_us - from;
		if (took < QUICK_US && *rows < ROWS_MAX)
			*rows *= 2;
		else if (took > SLOW_US && *rows > ROWS_MIN)
			*rows /= 2;
		at += done;
		meta_gc_rest(g->m);
	}
	return 0;
}

/* Their rows are gone: the directories follow. */
static int
delete_dirs(struct gc *g, const struct slice *s, struct gc_dag *dag, struct err *err)
{
	for (size_t i = 0; i < s->n; i++) {
		struct run_path p = path_of(s->v[i].id);
		uint64_t room = 0;

		if (!s->v[i].gone)
			continue;
		if (s->owner[i] != -1) {
			room = room_of(g->p->state_fd, p.s, DEPTH_MAX);
			if (fsio_remove_tree(g->p->state_fd, p.s, err) != 0)
				return -1;
			fault_point(GC_DIR);
		}
		dag->runs++;
		dag->bytes += room;
		g->counts.runs++;
		g->counts.run_bytes += room;
	}
	return 0;
}

static void
count_slice(struct gc *g, const struct slice *s, struct gc_dag *dag)
{
	for (size_t i = 0; i < s->n; i++) {
		struct run_path p = path_of(s->v[i].id);
		struct owner_info who;
		uint64_t room;

		if (owner_look(g->p, s->v[i].id, &who, NULL) == 0 && who.held) {
			g->counts.busy++;
			continue;
		}
		room = room_of(g->p->state_fd, p.s, DEPTH_MAX);
		dag->runs++;
		dag->bytes += room;
		g->counts.runs++;
		g->counts.run_bytes += room;
	}
}

static void
dag_done(struct gc *g, struct gc_dag *dag)
{
	if (dag->runs > 0 && g->dag != NULL)
		g->dag(g->ctx, dag);
	memset(dag, 0, sizeof(*dag));
}

static int
one_slice(struct gc *g, struct slice *s, struct gc_dag *dag, uint64_t *rows,
	  struct err *err)
{
	int rc;

	if (dag->oldest_us == 0)
		dag->oldest_us = s->v[0].ended_us;
	dag->newest_us = s->v[s->n - 1].ended_us;
	if (g->dry_run) {
		count_slice(g, s, dag);
		return 0;
	}
	rc = lock_slice(g, s, err);
	fault_point(GC_LOCKED);
	if (rc == 0)
		rc = delete_rows(g, s, rows, err);
	fault_point(GC_ROWS);
	if (rc == 0)
		rc = delete_dirs(g, s, dag, err);
	unlock_slice(s);
	return rc;
}

static int
old_runs(struct gc *g, struct err *err)
{
	struct meta_gc_walk w = {0};
	struct gc_dag dag = {0};
	char name[256] = "";
	uint64_t rows = ROWS_FIRST;
	struct slice s;
	int rc;

	while ((rc = meta_gc_next(g->m, &g->rule, &w, s.v, SLICE, &s.n, err)) == 0 &&
	       s.n > 0) {
		if (strcmp(name, w.dag) != 0)
			dag_done(g, &dag);
		(void)snprintf(name, sizeof(name), "%s", w.dag);
		dag.name = name;
		if ((rc = one_slice(g, &s, &dag, &rows, err)) != 0)
			break;
		tell(g);
	}
	dag_done(g, &dag);
	meta_gc_walk_release(&w);
	return rc;
}

static int
old_definitions(struct gc *g, struct err *err)
{
	char after[65] = "";
	int rc;

	while ((rc = meta_gc_definitions(g->m, after, &g->counts.definitions, err)) > 0)
		meta_gc_rest(g->m);
	return rc;
}

/* ---- what was left behind ---- */

/* Does any attempt in the run's directory live?  When in doubt it does. */
static bool
any_alive(int runfd)
{
	struct dirent *e;
	bool alive = false;
	int fd, dup = fcntl(runfd, F_DUPFD_CLOEXEC, 0);
	DIR *d = dup != -1 ? fdopendir(dup) : NULL;
	char path[300];

	if (d == NULL) {
		if (dup != -1)
			(void)close(dup);
		return true;
	}
	rewinddir(d);
	while (!alive && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/" ATTEMPT_ALIVE, e->d_name);
		fd = openat(runfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd == -1)
			alive = errno != ENOENT && errno != ENOTDIR;
		else {
			alive = flock(fd, LOCK_SH | LOCK_NB) != 0;
			(void)close(fd);
		}
	}
	(void)closedir(d);
	return alive;
}

static bool
is_old(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       time(NULL) - st.st_mtime > AGE_S;
}

/* A run id begins with the milliseconds at which it was made, in hex. */
static bool
is_old_id(const char *id)
{
	int64_t ms = 0;

	for (int i = 0; i < 13; i++) {
		char c = id[i];

		if (c != '-')
			ms = ms * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return clock_now().wall_us / 1000 - ms > AGE_S * INT64_C(1000);
}

/* Is the run known?  1, 0 or -1. */
static int
has_row(struct gc *g, const char *id, struct err *err)
{
	struct arena *a = arena_new(0);
	struct meta_run r;
	int rc = -1;

	if (a == NULL)
		return err_nomem(err);
	if (meta_run_get(g->m, id, a, &r, err) == 0)
		rc = 1;
	else if (err->code == ERR_NOTFOUND)
		rc = 0;
	arena_free(a);
	return rc;
}

static int
remove_orphan(struct gc *g, const char *id, struct err *err)
{
	struct run_path p = path_of(id);
	uint64_t room;
	int lock = -1, runfd, rc = 0;
	bool alive;

	if (!g->dry_run && (lock = owner_take(g->p, id, err)) == -1)
		return err->code == ERR_BUSY ? 0 : -1;
	runfd = openat(g->p->state_fd, p.s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	alive = runfd == -1 || any_alive(runfd);
	if (runfd != -1)
		(void)close(runfd);
	/* Looked up again under the lock: it may have begun meanwhile. */
	if (!alive && (rc = has_row(g, id, err)) == 0) {
		room = room_of(g->p->state_fd, p.s, DEPTH_MAX);
		if (!g->dry_run)
			rc = fsio_remove_tree(g->p->state_fd, p.s, err);
		fault_point(GC_ORPHAN);
		if (rc == 0) {
			g->counts.orphans++;
			g->counts.orphan_bytes += room;
		}
	}
	owner_release(lock);
	return rc < 0 ? -1 : 0;
}

int
gc_orphans(struct gc *g, struct err *err)
{
	int fd = openat(g->p->state_fd, RUNS, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	struct owner_info who;
	struct dirent *e;
	DIR *d;

	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1 || (d = fdopendir(fd)) == NULL) {
		rc = err_sys(err, errno, "cannot read '%s/" RUNS "'", g->p->state);
		if (fd != -1)
			(void)close(fd);
		return rc;
	}
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (!is_run_id(e->d_name) || !is_old_id(e->d_name))
			continue;
		rc = has_row(g, e->d_name, err);
		if (rc == 0 &&
		    (owner_look(g->p, e->d_name, &who, err) != 0 || !who.held)) {
			rc = remove_orphan(g, e->d_name, err);
			tell(g);
		}
		rc = rc < 0 ? -1 : 0;
	}
	(void)closedir(d);
	return rc;
}

/* Files of a probe of the file system that was killed, and cgroups that nobody is in. */
static void
leftovers(struct gc *g)
{
	int fd = fcntl(g->p->state_fd, F_DUPFD_CLOEXEC, 0);
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;
	struct cgroup_place place;
	struct dirent *e;

	if (d != NULL) {
		rewinddir(d);
		while ((e = readdir(d)) != NULL)
			if (strncmp(e->d_name, ".probe-", 7) == 0 &&
			    is_old(g->p->state_fd, e->d_name) &&
			    (g->dry_run || unlinkat(g->p->state_fd, e->d_name, 0) == 0))
				g->counts.leftovers++;
		(void)closedir(d);
	} else if (fd != -1) {
		(void)close(fd);
	}
	if (g->dry_run)
		return;
	cgroup_place_find(&place);
	g->counts.leftovers += cgroup_tidy(&place);
	cgroup_place_release(&place);
}

/* ---- all of it ---- */

int
gc_runs(struct gc *g, struct err *err)
{
	int lock = -1, rc;

	if (!g->dry_run) {
		lock = fsio_lock(g->p->state_fd, GC_LOCK, LOCK_TRY, true, err);
		if (lock == -1)
			return err->code == ERR_BUSY
				   ? err_set(err, ERR_BUSY,
					     "another 'dag gc' is at work in '%s': try "
					     "again when it is done",
					     g->p->root)
				   : -1;
	}
	rc = old_runs(g, err);
	if (rc == 0 && !g->dry_run)
		rc = old_definitions(g, err);
	if (rc == 0 && g->rule.dag == NULL) {
		rc = gc_orphans(g, err);
		leftovers(g);
	}
	if (lock != -1)
		(void)close(lock);
	return rc;
}
