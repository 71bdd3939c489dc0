#include "store/track/workdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"

#define FLAGS (O_PATH | O_DIRECTORY)

void
workdir_init(struct workdir *w, int root_fd)
{
	*w = (struct workdir){.root_fd = root_fd, .fd = -1};
	buf_init(&w->path, 0);
}

void
workdir_leave(struct workdir *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	w->fd = -1;
}

void
workdir_release(struct workdir *w)
{
	workdir_leave(w);
	buf_release(&w->path);
}

/* Make the directory ${path} and all that is missing above it. */
static int
make_open(int root_fd, char *path)
{
	int fd = fsio_open_nolinks(root_fd, path, FLAGS), above = root_fd, saved;
	char *slash;

	if (fd >= 0 || errno != ENOENT)
		return fd;
	slash = strrchr(path, '/');
	if (slash != NULL) {
		*slash = '\0';
		above = make_open(root_fd, path);
		*slash = '/';
		if (above < 0)
			return -1;
	}
	if (fsio_mkdir(above, slash != NULL ? slash + 1 : path, 0777) == 0 ||
	    errno == EEXIST)
		fd = fsio_open_nolinks(root_fd, path, FLAGS);
	saved = errno;
	if (above != root_fd)
		(void)close(above);
	errno = saved;
	return fd;
}

static int
failed(const char *path, struct err *err)
{
	if (errno == ELOOP)
		return err_set(err, ERR_INVALID,
			       "a symbolic link is on the way to '%s', where a directory "
			       "should be: take it away",
			       path);
	if (errno == ENOTDIR)
		return err_set(err, ERR_INVALID,
			       "what lies on the way to '%s' is no directory", path);
	return err_sys(err, errno, "cannot open the directory of '%s'", path);
}

int
workdir_enter(struct workdir *w, const char *path, bool make, const char **name,
	      struct err *err)
{
	size_t n;

	*name = path_basename(path);
	n = (size_t)(*name - path);
	if (n > 0)
		n--; /* the slash */
	if (w->fd >= 0 && w->path.n == n && memcmp(w->path.p, path, n) == 0)
		return 0;
	workdir_leave(w);
	buf_clear(&w->path);
	buf_add(&w->path, path, n);
	if (buf_failed(&w->path))
		return err_nomem(err);
	if (n == 0)
		w->fd = fcntl(w->root_fd, F_DUPFD_CLOEXEC, 0);
	else if (make)
		w->fd = make_open(w->root_fd, w->path.p);
	else
		w->fd = fsio_open_nolinks(w->root_fd, w->path.p, FLAGS);
	return w->fd >= 0 ? 0 : failed(path, err);
}

/* Whether the open directory, which this closes, holds but directories, now removed. */
static int
empty_dirs(int fd)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (d == NULL) {
		(void)close(fd);
		return -1;
	}
	while (r == 0 && (errno = 0, e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		r = e->d_type != DT_DIR && e->d_type != DT_UNKNOWN
			? 1
			: workdir_remove_empty(dirfd(d), e->d_name);
	}
	if (r == 0 && errno != 0)
		r = -1;
	(void)closedir(d);
	return r;
}

int
workdir_remove_empty(int dirfd, const char *path)
{
	int r, fd = fsio_open(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	if (fd < 0)
		return errno == ENOENT ? 0 : errno == ENOTDIR || errno == ELOOP ? 1 : -1;
	r = empty_dirs(fd);
	if (r != 0)
		return r;
	if (unlinkat(dirfd, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return errno == ENOTEMPTY || errno == EEXIST ? 1 : -1;
}

void
workdir_prune(int root_fd, char *path, const char *top)
{
	size_t top_len = strlen(top);
	char *slash;
	int fd, r;

	while ((slash = strrchr(path, '/')) != NULL && (size_t)(slash - path) > top_len) {
		*slash = '\0';
		slash = strrchr(path, '/'); /* there is one: the path is below top */
		if (slash == NULL)
			return;
		*slash = '\0';
		fd = fsio_open_nolinks(root_fd, path, FLAGS);
		*slash = '/';
		if (fd < 0)
			return;
		r = unlinkat(fd, slash + 1, AT_REMOVEDIR);
		(void)close(fd);
		if (r != 0)
			return;
	}
}
