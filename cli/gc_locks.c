#include "cli/gc_locks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "store/dvc/dvc_lock.h"
#include "store/remote/transfer.h"
#include "store/track/task_lock.h"
#include "store/track/track.h"

#define DEPTH_MAX 200 /* directories in one another: descriptors are held open */

struct look {
	const struct track *t;
	struct buf path; /* of the directory, as seen from the root; "" is the root */
	struct arena *arena;
	gc_held_fn *add;
	void *ctx;
	struct err *err;
	unsigned depth;
};

static int
add_out(struct look *l, const struct dvc_out *o)
{
	struct transfer_want w = {.id = o->meta.md5, .size = -1};

	if (!object_id_is_set(&w.id) || o->path == NULL)
		return 0;
	w.path = arena_strdup(l->arena, o->full != NULL ? o->full : o->path);
	return w.path != NULL ? l->add(l->ctx, &w, l->err) : err_nomem(l->err);
}

static int
read_lock(struct look *l, int dirfd, const char *name)
{
	struct dvc_lock *lock = NULL;
	struct buf base;
	int rc = dvc_lock_read(dirfd, name, NULL, &lock, l->err);

	if (rc != 0)
		(void)err_wrap(l->err, "what '%s%s%s' names is not known",
			       l->path.n > 0 ? l->path.p : "", l->path.n > 0 ? "/" : "",
			       name);
	buf_init(&base, 0);
	if (rc == 0)
		rc = task_lock_base(l->t, l->path.n > 0 ? l->path.p : ".", &base, l->err);
	if (rc == 1)
		rc = dvc_lock_place(lock, base.p, l->err);
	for (size_t i = 0; rc == 0 && i < lock->nstages; i++)
		for (size_t k = 0; rc == 0 && k < lock->stages[i].nouts; k++)
			rc = add_out(l, &lock->stages[i].outs[k]);
	buf_release(&base);
	dvc_lock_free(lock);
	return rc;
}

static bool
is_state(const char *name)
{
	return strcmp(name, ".git") == 0 || strcmp(name, ".dag") == 0 ||
	       strcmp(name, ".dvc") == 0;
}

static int look_in(struct look *, int);

static int
look_at(struct look *l, int dirfd, const struct dirent *e)
{
	mode_t type = fsio_entry_type(dirfd, e);
	size_t n = l->path.n;
	int fd, rc;

	if (type == S_IFREG && task_lock_is(e->d_name))
		return read_lock(l, dirfd, e->d_name);
	if (type != S_IFDIR || is_state(e->d_name))
		return 0;
	fd = openat(dirfd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT
			   ? 0
			   : err_sys(l->err, errno, "cannot read the directory '%s'",
				     e->d_name);
	buf_adds(&l->path, n > 0 ? "/" : "");
	buf_adds(&l->path, e->d_name);
	if (buf_failed(&l->path)) {
		(void)close(fd);
		return err_nomem(l->err);
	}
	rc = look_in(l, fd);
	buf_truncate(&l->path, n);
	return rc;
}

/* The descriptor is closed. */
static int
look_in(struct look *l, int fd)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int rc = 0;

	if (d == NULL) {
		(void)close(fd);
		return err_sys(l->err, errno, "cannot read a directory");
	}
	if (++l->depth > DEPTH_MAX)
		rc = err_set(l->err, ERR_LIMIT,
			     "more than %d directories lie in one another", DEPTH_MAX);
	while (rc == 0 && (errno = 0, e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = look_at(l, dirfd(d), e);
	if (rc == 0 && errno != 0)
		rc = err_sys(l->err, errno, "cannot read a directory");
	l->depth--;
	(void)closedir(d);
	return rc;
}

int
gc_locks(const struct track *t, struct arena *arena, gc_held_fn *add, void *ctx,
	 struct err *err)
{
	struct err unused;
	struct look l = {.t = t,
			 .arena = arena,
			 .add = add,
			 .ctx = ctx,
			 .err = err != NULL ? err : &unused};
	int fd = openat(t->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd == -1)
		return err_sys(err, errno, "cannot read the project's directory");
	buf_init(&l.path, 0);
	rc = look_in(&l, fd);
	buf_release(&l.path);
	return rc;
}
