#include "store/track/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "store/dvc/ignore.h"
#include "store/meter.h"
#include "store/objects/digest.h"
#include "store/objects/index.h"
#include "store/objects/objects.h"
#include "store/track/intent.h"
#include "store/track/parallel.h"
#include "store/track/plan.h"
#include "store/track/problems.h"
#include "store/track/verified.h"
#include "store/track/workdir.h"

#define SLICE 64 /* actions that a worker takes at a time */

/* The two halves of the work: a directory can only become a file when it is empty. */
enum half { HALF_REMOVE, HALF_PUT };

struct worker;

struct apply {
	const struct apply_options *o;
	struct apply_out *outs;
	size_t nouts;
	struct problems *problems;
	enum half half;
	int64_t tick_ns, cache_tick_ns;
	struct worker *workers;
	unsigned nworkers;
	atomic_bool stop;
	pthread_mutex_t lock; /* of what follows */
	size_t out, at;	      /* where the next slice begins */
	struct err err;
};

struct worker {
	struct apply *a;
	struct workdir dir;
	struct buf path; /* of the file that is worked at */
	struct digest digest;
	bool has_digest;
};

/* ---- one file ---- */

static int
fault(const struct worker *w, const char *what, struct err *err)
{
	return err_sys(err, errno, "cannot %s '%s'", what, w->path.p);
}

/* Hash what is there now, and compare with what the plan saw. */
static int
is_same_still(struct worker *w, const char *name, const struct tree_entry *have,
	      bool legacy, struct err *err)
{
	struct object_id id = {.legacy = legacy};
	uint64_t size = UINT64_MAX;
	int fd, r;

	if (!w->has_digest && digest_init(&w->digest, err) != 0)
		return -1;
	w->has_digest = true;
	fd = fsio_open(w->dir.fd, name, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return fault(w, "read", err);
	r = digest_fd(&w->digest, fd, legacy, &size, w->a->o->meter, &id, err);
	(void)close(fd);
	if (r != 0)
		return -1;
	if (memcmp(id.md5, have->md5, sizeof(id.md5)) == 0)
		return 0;
	return err_set(err, ERR_BUSY,
		       "'%s' was changed meanwhile and is left as it is; run it again",
		       w->path.p);
}

static int64_t
stamp(const struct stat *st)
{
	return (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec;
}

/* Whether it is a link into a cache that is not there any more: ".../12/f4b7...". */
static bool
is_lost_link(const struct worker *w, const char *name, const struct stat *st)
{
	struct object_id unused_id;
	struct stat unused;
	char to[PATH_MAX];
	ssize_t n;

	if (!S_ISLNK(st->st_mode) || fstatat(w->dir.fd, name, &unused, 0) == 0)
		return false;
	n = readlinkat(w->dir.fd, name, to, sizeof(to) - 1);
	if (n < 0)
		return false;
	to[n] = '\0';
	return object_id_of_path(to, &unused_id) == 0;
}

/* What .dvcignore hides was not seen, and is as it shall be.  1, 0 or -1. */
static int
is_hidden(struct worker *w, const char *name, const struct stat *st,
	  const struct action *act, bool legacy, struct err *err)
{
	int r;

	if (!S_ISREG(st->st_mode) || act->want == NULL || w->a->o->ignore == NULL)
		return 0;
	r = ignore_check(w->a->o->ignore, w->path.p, false, err);
	if (r == 1)
		r = is_same_still(w, name, act->want, legacy, err) == 0 ? 1 : -1;
	if (r == -1 && err != NULL && err->code == ERR_BUSY)
		(void)err_set(err, ERR_EXISTS,
			      "'%s' is hidden by .dvcignore, and something else than "
			      "what is tracked there; it is left as it is",
			      w->path.p);
	return r;
}

/* What stands where no file was: directories without files go. */
static int
make_room(struct worker *w, const char *name, const struct stat *st,
	  const struct action *act, bool legacy, struct err *err)
{
	int r;

	if (S_ISDIR(st->st_mode)) {
		if (workdir_remove_empty(w->dir.fd, name) == 0)
			return 0;
		return err_set(err, ERR_EXISTS,
			       "the directory '%s' is in the way and not empty: it has "
			       "files that are not tracked",
			       w->path.p);
	}
	if (w->a->o->force || is_lost_link(w, name, st))
		return 0;
	r = is_hidden(w, name, st, act, legacy, err);
	if (r != 0)
		return r > 0 ? 0 : -1;
	return err_set(
	    err, ERR_EXISTS,
	    "'%s' has appeared meanwhile, or differs from another name only in "
	    "a way that this file system does not tell; it is left as it is",
	    w->path.p);
}

/* Is there what the plan saw?  0, or -1. */
static int
check_there(struct worker *w, const char *name, const struct action *act, bool legacy,
	    struct err *err)
{
	struct stat st;

	if (fstatat(w->dir.fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : fault(w, "stat", err);
	if (act->have == NULL || S_ISDIR(st.st_mode))
		return make_room(w, name, &st, act, legacy, err);
	/* No call can set ctime: what was not touched since then is what was seen. */
	if (w->a->o->force || stamp(&st) < w->a->o->since_ns - w->a->tick_ns)
		return 0;
	return is_same_still(w, name, act->have, legacy, err);
}

/* The index learns what was written, so that nobody reads it again.  An out that is a file is
 * known there under its own path. */
static void
note(struct worker *w, const char *name, const struct object_id *id,
     const struct stat *st, int64_t since_ns, bool alone)
{
	struct index *ix = w->a->o->index;
	bool link = S_ISLNK(st->st_mode);
	struct index_fact f = {.id = id,
			       .link = link,
			       .made = true,
			       .since_ns = since_ns,
			       .tick_ns = link ? w->a->cache_tick_ns : w->a->tick_ns};
	struct stat object;

	if (ix == NULL || (link && fstatat(w->dir.fd, name, &object, 0) != 0))
		return;
	index_stat_of(link ? &object : st, link ? st : NULL, &f.st);
	index_note(ix, alone ? w->path.p : w->dir.path.p, alone ? "" : name, &f);
}

/* ---- links that are as they should be ---- */

static bool
leads_to(struct worker *w, const char *name, const struct object_id *id)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(w->dir.fd, name, target, sizeof(target));
	struct buf path;
	bool same;

	buf_init(&path, PATH_MAX);
	objects_path(w->a->o->cache, id, &path);
	same = n > 0 && (size_t)n == path.n && memcmp(target, path.p, path.n) == 0;
	buf_release(&path);
	return same;
}

static bool
is_object(struct worker *w, const struct stat *st, const struct object_id *id)
{
	struct stat object;
	struct buf path;
	bool same;

	buf_init(&path, PATH_MAX);
	objects_path(w->a->o->cache, id, &path);
	same = fstatat(AT_FDCWD, path.p, &object, 0) == 0 &&
	       object.st_ino == st->st_ino && object.st_dev == st->st_dev;
	buf_release(&path);
	return same;
}

/* Whether a file with the right bytes is there in the way that cache.type wants. */
static bool
is_linked(struct worker *w, const char *name, const struct apply_out *out,
	  const struct object_id *id)
{
	struct stat st;

	if (fstatat(w->dir.fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	if (out->exec)
		return S_ISREG(st.st_mode) && st.st_nlink == 1 &&
		       (st.st_mode & S_IXUSR) != 0;
	switch (w->a->o->type) {
	case LINK_SYMLINK:
		return S_ISLNK(st.st_mode) && leads_to(w, name, id);
	case LINK_HARDLINK:
		/* An empty file is never one. */
		return S_ISREG(st.st_mode) && (st.st_size == 0 || is_object(w, &st, id));
	case LINK_REFLINK:
	case LINK_COPY:
		break;
	}
	return S_ISREG(st.st_mode) && st.st_nlink == 1;
}

/* What is being replaced. */
struct replaced {
	struct worker *w;
	const char *name;
	const struct apply_out *out;
	const struct action *act;
};

static int
may_replace(void *arg, struct err *err)
{
	const struct replaced *r = arg;

	return check_there(r->w, r->name, r->act, r->out->plan->have_legacy, err);
}

static int
put_file(struct worker *w, const char *name, const struct apply_out *out,
	 const struct action *act, struct err *err)
{
	const struct apply_options *o = w->a->o;
	const struct tree_entry *want = act->want;
	struct replaced replaced = {w, name, out, act};
	struct link_what what = {.type = o->type,
				 .exec = out->exec,
				 .may_replace = may_replace,
				 .arg = &replaced};
	int64_t since_ns = clock_stamp_ns();
	struct object_id id;
	struct stat st;

	plan_id(want, out->plan->want_legacy, &id);
	what.id = &id;
	what.since_ns = since_ns;
	/* A copy is verified while it is made. */
	what.verified = o->type != LINK_COPY && verified_known(o->cache, o->index, &id);
	if (intent_tell(o->intent, err) != 0 ||
	    link_at(o->cache, &what, w->dir.fd, name, &st, err) != 0)
		return -1;
	note(w, name, &id, &st, since_ns, want->len == 0);
	return 0;
}

/* The file has the bytes that it should have, in the way that it should have them. */
static bool
is_right(struct worker *w, const char *name, const struct apply_out *out,
	 const struct action *act)
{
	const struct plan *p = out->plan;
	struct object_id id;

	if (act->have == NULL || p->have_legacy != p->want_legacy ||
	    memcmp(act->have->md5, act->want->md5, sizeof(act->want->md5)) != 0)
		return false;
	plan_id(act->want, p->want_legacy, &id);
	return is_linked(w, name, out, &id);
}

static int
do_action(struct worker *w, const struct apply_out *out, const struct action *act,
	  struct err *err)
{
	const struct tree_entry *e = act->want != NULL ? act->want : act->have;
	const char *name;

	buf_clear(&w->path);
	buf_adds(&w->path, out->path);
	if (e->len > 0) {
		buf_addc(&w->path, '/');
		buf_add(&w->path, e->path, e->len);
	}
	if (buf_failed(&w->path))
		return err_nomem(err);
	if (workdir_enter(&w->dir, w->path.p, act->want != NULL, &name, err) != 0) {
		/* What is to be removed may be gone with its directory. */
		return act->want == NULL && err->code == ERR_NOTFOUND ? 0 : -1;
	}
	if (act->want != NULL)
		return is_right(w, name, out, act) ? 0 : put_file(w, name, out, act, err);
	if (check_there(w, name, act, out->plan->have_legacy, err) != 0)
		return -1;
	if (fsio_unlink(w->dir.fd, name) != 0 && errno != ENOENT)
		return fault(w, "remove", err);
	fault_point(CHECKOUT_REMOVED);
	return 0;
}

/* ---- the workers ---- */

static void
stop(struct apply *a, const struct err *err)
{
	(void)pthread_mutex_lock(&a->lock);
	if (a->err.code == ERR_NONE)
		a->err = *err;
	(void)pthread_mutex_unlock(&a->lock);
	atomic_store(&a->stop, true);
}

/* The actions of one half: those that remove come first. */
static void
half_of(const struct plan *p, enum half half, size_t *from, size_t *to)
{
	*from = half == HALF_REMOVE ? 0 : p->removed;
	*to = half == HALF_REMOVE ? p->removed : p->n;
}

/* Take the next slice; false when there is none. */
static bool
take(struct apply *a, size_t *out, size_t *from, size_t *to)
{
	bool any = false;
	size_t begin, end;

	(void)pthread_mutex_lock(&a->lock);
	while (!any && a->out < a->nouts) {
		half_of(a->outs[a->out].plan, a->half, &begin, &end);
		*out = a->out;
		*from = begin + a->at;
		*to = end - *from < SLICE ? end : *from + SLICE;
		any = *from < *to;
		a->at += *to - *from;
		if (*to == end) {
			a->out++;
			a->at = 0;
		}
	}
	(void)pthread_mutex_unlock(&a->lock);
	return any;
}

/* What says nothing of one file alone ends all. */
static bool
is_fatal(enum err_code code)
{
	return code == ERR_NOMEM || code == ERR_CANCELLED || code == ERR_FULL;
}

static void
work_slice(struct worker *w, struct apply_out *out, size_t from, size_t to)
{
	struct apply *a = w->a;
	struct err err;

	for (size_t i = from; i < to && !atomic_load(&a->stop); i++) {
		err_clear(&err);
		if (meter_cancelled(a->o->meter)) {
			(void)err_set(&err, ERR_CANCELLED, "stopped on request");
			stop(a, &err);
			return;
		}
		if (do_action(w, out, &out->plan->v[i], &err) == 0) {
			meter_add(a->o->meter, 1, 0);
			continue;
		}
		if (is_fatal(err.code)) {
			stop(a, &err);
			return;
		}
		problems_add(a->problems, w->path.p, &err);
		(void)pthread_mutex_lock(&a->lock);
		out->failed++;
		(void)pthread_mutex_unlock(&a->lock);
	}
}

static void
work(void *arg, unsigned number)
{
	struct apply *a = arg;
	struct worker *w = &a->workers[number];
	size_t out, from, to;

	while (!atomic_load(&a->stop) && take(a, &out, &from, &to))
		work_slice(w, &a->outs[out], from, to);
	/* What is open may be removed before the other half. */
	workdir_leave(&w->dir);
}

static int
run_half(struct apply *a, enum half half)
{
	a->half = half;
	a->out = a->at = 0;
	parallel_run(a->nworkers, work, a);
	return atomic_load(&a->stop) ? -1 : 0;
}

/* ---- directories ---- */

/* The part of a path before its last slash. */
static size_t
dir_len(const struct tree_entry *e)
{
	const char *slash = strrchr(e->path, '/');

	return slash != NULL ? (size_t)(slash - e->path) : 0;
}

/* The directories of ${out} that the removals have left empty. */
static int
prune(struct apply *a, const struct apply_out *out, struct buf *path)
{
	const struct plan *p = out->plan;
	const struct tree_entry *last = NULL, *e;

	if (p->removed == 0 || !p->have_dir)
		return 0;
	if (!p->want_dir) {
		/* What else is in there stays, and putting a file there will say so. */
		(void)workdir_remove_empty(a->o->root_fd, out->path);
		return 0;
	}
	for (size_t i = p->removed; i > 0; i--) {
		e = p->v[i - 1].have;
		if (dir_len(e) == 0 || (last != NULL && dir_len(last) == dir_len(e) &&
					memcmp(last->path, e->path, dir_len(e)) == 0))
			continue;
		last = e;
		buf_clear(path);
		buf_addf(path, "%s/%s", out->path, e->path);
		if (buf_failed(path))
			return -1;
		workdir_prune(a->o->root_fd, path->p, out->path);
	}
	return 0;
}

/* A directory is there even if it has no files. */
static int
make_dir(struct apply *a, struct apply_out *out, struct buf *path)
{
	struct worker *w = &a->workers[0];
	const char *name;
	struct err err = {0};

	if (!out->plan->want_dir || out->plan->have_dir || out->plan->made > 0)
		return 0;
	buf_clear(path);
	buf_addf(path, "%s/.", out->path);
	if (buf_failed(path))
		return -1;
	if (workdir_enter(&w->dir, path->p, true, &name, &err) == 0)
		return 0;
	out->failed++;
	problems_add(a->problems, out->path, &err);
	return 0;
}

static int
between(struct apply *a)
{
	struct buf path;
	int rc = 0;

	buf_init(&path, PATH_MAX);
	for (size_t i = 0; rc == 0 && i < a->nouts; i++) {
		rc = prune(a, &a->outs[i], &path);
		if (rc == 0)
			rc = make_dir(a, &a->outs[i], &path);
	}
	buf_release(&path);
	return rc == 0 ? 0 : err_nomem(&a->err);
}

static void
workers_end(struct apply *a)
{
	for (unsigned i = 0; i < a->nworkers; i++) {
		workdir_release(&a->workers[i].dir);
		buf_release(&a->workers[i].path);
		if (a->workers[i].has_digest)
			digest_release(&a->workers[i].digest);
	}
	(void)pthread_mutex_destroy(&a->lock);
}

int
apply_plans(const struct apply_options *o, struct apply_out *outs, size_t n,
	    struct problems *problems, struct err *err)
{
	struct apply a = {.o = o, .outs = outs, .nouts = n, .problems = problems};
	struct worker workers[PARALLEL_MAX];
	size_t actions = 0;
	int rc;

	a.workers = workers;
	for (size_t i = 0; i < n; i++)
		actions += outs[i].plan->n;
	a.nworkers = actions > SLICE ? parallel_workers(o->workers) : 1;
	a.tick_ns = index_tick(o->root_fd);
	a.cache_tick_ns = index_tick_at(objects_dir(o->cache));
	(void)pthread_mutex_init(&a.lock, NULL);
	for (unsigned i = 0; i < a.nworkers; i++) {
		workers[i] = (struct worker){.a = &a};
		workdir_init(&workers[i].dir, o->root_fd);
		buf_init(&workers[i].path, PATH_MAX);
	}
	rc = run_half(&a, HALF_REMOVE);
	if (rc == 0)
		rc = between(&a);
	if (rc == 0)
		rc = run_half(&a, HALF_PUT);
	workers_end(&a);
	if (rc != 0 && err != NULL)
		*err = a.err;
	return rc;
}
