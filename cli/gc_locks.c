#include "cli/gc_locks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fsio.h"
#include "store/dvc/dvc_lock.h"
#include "store/remote/transfer.h"

#define SUFFIX	  ".dag.lock"
#define DEPTH_MAX 200 /* directories in one another: descriptors are held open */

struct look {
	struct arena *arena;
	gc_held_fn *add;
	void *ctx;
	struct err *err;
	unsigned depth;
};

static int
read_lock(struct look *l, int dirfd, const char *name)
{
	struct dvc_lock *lock = NULL;
	int rc = dvc_lock_read(dirfd, name, NULL, &lock, l->err);

	if (rc != 0)
		(void)err_wrap(l->err, "what '%s' names is not known", name);
	for (size_t i = 0; rc == 0 && i < lock->nstages; i++)
		for (size_t k = 0; rc == 0 && k < lock->stages[i].nouts; k++) {
			const struct dvc_out *o = &lock->stages[i].outs[k];
			struct transfer_want w = {.id = o->meta.md5, .size = -1};

			if (!object_id_is_set(&w.id) || o->path == NULL)
				continue;
			w.path = arena_strdup(l->arena, o->path);
			rc = w.path != NULL ? l->add(l->ctx, &w, l->err)
					    : err_nomem(l->err);
		}
	dvc_lock_free(lock);
	return rc;
}

static bool
is_state(const char *name)
{
	return strcmp(name, ".git") == 0 || strcmp(name, ".dag") == 0 ||
	       strcmp(name, ".dvc") == 0;
}

static bool
is_lock(const char *name)
{
	size_t n = strlen(name), k = strlen(SUFFIX);

	return n > k && strcmp(name + n - k, SUFFIX) == 0;
}

static int look_in(struct look *, int);

static int
look_at(struct look *l, int dirfd, const struct dirent *e)
{
	mode_t type = fsio_entry_type(dirfd, e);
	int fd;

	if (type == S_IFREG && is_lock(e->d_name))
		return read_lock(l, dirfd, e->d_name);
	if (type != S_IFDIR || is_state(e->d_name))
		return 0;
	fd = openat(dirfd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT
			   ? 0
			   : err_sys(l->err, errno, "cannot read the directory '%s'",
				     e->d_name);
	return look_in(l, fd);
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
gc_locks(int root_fd, struct arena *arena, gc_held_fn *add, void *ctx, struct err *err)
{
	struct err unused;
	struct look l = {
	    .arena = arena, .add = add, .ctx = ctx, .err = err != NULL ? err : &unused};
	int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd != -1 ? look_in(&l, fd)
			: err_sys(err, errno, "cannot read the project's directory");
}
