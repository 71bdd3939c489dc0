#include "store/remote/remote_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/objects/batch.h"
#include "store/objects/object_id.h"
#include "store/objects/objects.h"
#include "store/objects/runs.h"

#define READ_BYTES   ((size_t)256 << 10)
#define JOBS_PER_CPU 2

struct remote_dir {
	struct remote r;
	struct objects *o;
	char *cache; /* the directory that it must not be; NULL: none */
	struct meter *m;
	pthread_mutex_t lock;	       /* of the two below */
	struct batch *b;	       /* of what is put; NULL: nothing yet */
	bool removed;		       /* something was, and not synced */
	bool touched[OBJECT_PREFIXES]; /* by what was put since begin */
};

static struct remote_dir *
self(struct remote *r)
{
	return (struct remote_dir *)r; /* its first member */
}

/* ---- open, close ---- */

static void
dir_close(struct remote *r)
{
	struct remote_dir *d = self(r);

	(void)batch_end(d->b, false, NULL);
	objects_close(d->o);
	(void)pthread_mutex_destroy(&d->lock);
	free(d->cache);
	free(r->name);
	free(r->url);
	free(d);
}

/* Do two paths lead to one directory? */
static bool
same_dir(const char *a, const char *b)
{
	struct stat sa, sb;

	if (strcmp(a, b) == 0)
		return true;
	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

/* A copy of what is lost with its original is none. */
static int
check_cache(const struct remote_dir *d, struct err *err)
{
	struct buf mine, theirs;
	bool same;

	if (d->cache == NULL)
		return 0;
	buf_init(&mine, 0);
	buf_init(&theirs, 0);
	buf_addf(&mine, "%s/files/md5", d->r.url);
	buf_addf(&theirs, "%s/files/md5", d->cache);
	same = same_dir(d->r.url, d->cache) || same_dir(mine.p, theirs.p);
	buf_release(&mine);
	buf_release(&theirs);
	if (!same)
		return 0;
	return err_set(
	    err, ERR_INVALID,
	    "the remote '%s' is the cache itself ('%s'): give it another directory",
	    d->r.name, d->r.url);
}

static unsigned
default_jobs(void)
{
	cpu_set_t set;
	int n = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	n *= JOBS_PER_CPU;
	return n < REMOTE_JOBS_MAX ? (unsigned)n : REMOTE_JOBS_MAX;
}

static const struct remote_ops dir_ops;

int
remote_dir_open(const struct remote_spec *spec, const char *dir, struct remote **out,
		struct err *err)
{
	struct objects_options opt = {.dir = dir, .shared = spec->shared};
	struct remote_dir *d = calloc(1, sizeof(*d));
	struct buf root;

	if (d == NULL)
		return err_nomem(err);
	(void)pthread_mutex_init(&d->lock, NULL);
	d->r.ops = &dir_ops;
	if (objects_open(&opt, &d->o, err) != 0)
		goto failed;
	d->r.name = strdup(spec->name);
	d->r.url = strdup(objects_dir(d->o));
	buf_init(&root, 0);
	if (spec->cache != NULL) {
		path_normalize(&root, spec->cache);
		d->cache = buf_steal(&root);
	}
	buf_release(&root);
	if (d->r.name == NULL || d->r.url == NULL ||
	    (d->cache == NULL && spec->cache != NULL)) {
		(void)err_nomem(err);
		goto failed;
	}
	d->r.jobs = spec->jobs != 0 ? spec->jobs : default_jobs();
	d->r.in_tree = spec->root != NULL && path_is_below(d->r.url, spec->root);
	if (check_cache(d, err) != 0)
		goto failed;
	*out = &d->r;
	return 0;

failed:
	dir_close(&d->r);
	return -1;
}

/* ---- a use ---- */

static int
dir_begin(struct remote *r, enum remote_use use, struct meter *m, struct err *err)
{
	struct remote_dir *d = self(r);
	struct stat st;

	d->m = m;
	memset(d->touched, 0, sizeof(d->touched));
	r->made = false;
	if (check_cache(d, err) != 0)
		return -1;
	if (stat(r->url, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		return err_set(err, ERR_INVALID, "the remote '%s' is no directory: '%s'",
			       r->name, r->url);
	}
	if (errno != ENOENT)
		return err_sys(err, errno, "cannot look at the remote '%s' ('%s')",
			       r->name, r->url);
	if (use == REMOTE_WRITE) {
		r->made = true;
		return 0;
	}
	return err_set(
	    err, ERR_NOTFOUND,
	    "the directory of the remote '%s' does not exist: '%s'; is it mounted? "
	    "the first push makes it",
	    r->name, r->url);
}

static int
dir_flush(struct remote *r, struct err *err)
{
	struct remote_dir *d = self(r);

	if (d->b != NULL && batch_flush(d->b, err) != 0)
		return -1;
	if (d->removed && objects_sync(d->o, err) != 0)
		return -1;
	d->removed = false;
	return 0;
}

static void
dir_end(struct remote *r)
{
	struct remote_dir *d = self(r);

	(void)batch_end(d->b, false, NULL);
	d->b = NULL;
	d->m = NULL;
}

/* ---- objects ---- */

static int
dir_exists(struct remote *r, const struct object_id *v, size_t n, uint8_t *there,
	   struct meter *m, struct err *err)
{
	if (objects_missing(self(r)->o, v, n, there, m, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		there[i] = !there[i];
	return 0;
}

static int
dir_list(struct remote *r, bool legacy, struct object_set *set, struct meter *m,
	 struct err *err)
{
	return objects_list(self(r)->o, legacy, set, m, err);
}

/* Read to the end, or to where stat said that it is, which saves a call for each file. */
static int
hand_over(struct remote *r, const struct object_id *id, int fd,
	  int (*sink)(void *, const void *, size_t), void *arg, struct err *err)
{
	struct buf path;
	struct stat st;
	size_t cap = READ_BYTES;
	off_t total = 0;
	ssize_t n = -1;
	char *buf;

	if (fstat(fd, &st) != 0)
		st.st_size = -1;
	else if (st.st_size > 0 && (uint64_t)st.st_size < cap)
		cap = (size_t)st.st_size;
	buf = malloc(cap);
	if (buf == NULL)
		return err_nomem(err);
	while ((n = fsio_read_some(fd, buf, cap)) > 0) {
		total += n;
		if (sink(arg, buf, (size_t)n) != 0) {
			free(buf);
			return -1;
		}
		if (total == st.st_size)
			break;
	}
	free(buf);
	if (n >= 0)
		return 0;
	buf_init(&path, 0);
	objects_path(self(r)->o, id, &path);
	(void)err_sys(err, errno, "cannot read '%s'", path.p);
	buf_release(&path);
	return -1;
}

static int
dir_get(struct remote *r, const struct object_id *id,
	int (*sink)(void *, const void *, size_t), void *arg, struct err *err)
{
	int fd = objects_fd(self(r)->o, id, err), rc;

	if (fd < 0)
		return -1;
	rc = hand_over(r, id, fd, sink, arg, err);
	(void)close(fd);
	return rc;
}

/* The batch of this use, begun with the first object, for that one. */
static struct batch *
the_batch(struct remote_dir *d, const struct object_id *id, struct err *err)
{
	struct batch *b;

	(void)pthread_mutex_lock(&d->lock);
	if (d->b == NULL && batch_begin(d->o, d->m, &d->b, err) != 0)
		d->b = NULL;
	d->touched[id->md5[0]] = true;
	b = d->b;
	(void)pthread_mutex_unlock(&d->lock);
	return b;
}

static int
dir_put(struct remote *r, const struct object_id *id, int fd, uint64_t size, bool replace,
	struct err *err)
{
	struct batch *b = the_batch(self(r), id, err);
	struct object_id got;

	if (b == NULL || (replace && batch_replace(b, id, err) != 0))
		return -1;
	return batch_copy(b, fd, id, &got, &size, err);
}

static int
dir_remove(struct remote *r, const struct object_id *id, struct err *err)
{
	struct remote_dir *d = self(r);
	int n = objects_remove(d->o, id, err);

	if (n > 0) {
		(void)pthread_mutex_lock(&d->lock);
		d->removed = true;
		(void)pthread_mutex_unlock(&d->lock);
	}
	return n < 0 ? -1 : 0;
}

static int
dir_sweep(struct remote *r, bool all, int64_t before_s, struct err *err)
{
	struct remote_dir *d = self(r);

	if (!all && d->b == NULL)
		return 0;
	return objects_sweep(d->o, all ? NULL : d->touched, before_s, NULL, err);
}

static void
dir_where(struct remote *r, const struct object_id *id, struct buf *out)
{
	objects_path(self(r)->o, id, out);
}

/* ---- the run cache ---- */

static int
dir_runs(struct remote *r, struct run_names *names, struct err *err)
{
	return runs_list(self(r)->o, names, err);
}

static int
dir_run_read(struct remote *r, const struct run_name *name, struct buf *out,
	     struct err *err)
{
	return runs_read(self(r)->o, name, out, err);
}

static int
dir_run_write(struct remote *r, const struct run_name *name, const void *p, size_t n,
	      struct err *err)
{
	return runs_write(self(r)->o, name, p, n, err);
}

static const struct remote_ops dir_ops = {
    .begin = dir_begin,
    .exists = dir_exists,
    .list = dir_list,
    .get = dir_get,
    .put = dir_put,
    .remove = dir_remove,
    .flush = dir_flush,
    .sweep = dir_sweep,
    .runs = dir_runs,
    .run_read = dir_run_read,
    .run_write = dir_run_write,
    .end = dir_end,
    .where = dir_where,
    .close = dir_close,
};
