#include "scheduler/outputs_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "base/path.h"
#include "scheduler/outputs_links.h"
#include "scheduler/tracked.h"
#include "store/meta.h"
#include "store/project.h"

#define GLOB_DEPTH_MAX 64

/* ---- inputs ---- */

struct search {
	const char *pattern;
	const bool *stop;
	struct buf at; /* path of the directory being read */
};

static int search(struct search *, int, int);

/* As search, in the directory ${name}.  One that cannot be opened holds nothing for us; without
 * memory or descriptors nobody knows what it holds. */
static int
search_in(struct search *s, int dirfd, const char *name, int depth)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd != -1)
		return search(s, fd, depth);
	return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -1 : 0;
}

/* Does anything below the directory, which is closed, match?  1, 0, or -1 with errno. */
static int
search(struct search *s, int dirfd, int depth)
{
	DIR *d = fdopendir(dirfd);
	size_t len = s->at.n;
	struct dirent *e;
	int found = 0, errnum;

	if (d == NULL) {
		errnum = errno;
		(void)close(dirfd);
		errno = errnum;
		return -1;
	}
	while (found == 0 && !__atomic_load_n(s->stop, __ATOMIC_RELAXED) &&
	       (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (len > 0 && s->at.p[len - 1] != '/')
			buf_addc(&s->at, '/');
		buf_adds(&s->at, e->d_name);
		if (buf_failed(&s->at)) {
			errno = ENOMEM;
			found = -1;
		} else if (path_glob_match(s->pattern, s->at.p)) {
			found = 1;
		} else if ((e->d_type == DT_DIR || e->d_type == DT_UNKNOWN) &&
			   depth < GLOB_DEPTH_MAX) {
			found = search_in(s, dirfd, e->d_name, depth + 1);
		}
		buf_truncate(&s->at, len);
	}
	errnum = errno;
	(void)closedir(d);
	errno = errnum;
	return found;
}

static int
glob_present(const struct project *p, const char *pattern, const bool *stop,
	     struct err *err)
{
	struct search s = {.pattern = pattern, .stop = stop};
	size_t cut = strcspn(pattern, "*?[");
	int fd, found = 0, errnum;

	buf_init(&s.at, 0);
	while (cut > 0 && pattern[cut - 1] != '/')
		cut--;
	buf_add(&s.at, pattern, cut > 1 ? cut - 1 : cut);
	errno = ENOMEM;
	fd = buf_failed(&s.at) ? -1
			       : openat(p->root_fd, s.at.n > 0 ? s.at.p : ".",
					O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1)
		found = search(&s, fd, 0);
	else if (errno != ENOENT && errno != ENOTDIR)
		found = -1;
	errnum = errno;
	buf_release(&s.at);
	if (found == 1)
		return 0;
	if (found == -1)
		return err_sys(err, errnum, "cannot look for its input `%s`", pattern);
	(void)err_set(err, ERR_NOTFOUND, "no file matches the input `%s`", pattern);
	tracked_missing(p, pattern, err);
	return -1;
}

int
input_present(const struct project *p, const char *path, const bool *stop,
	      struct err *err)
{
	struct stat st;

	if (path_has_glob(path))
		return glob_present(p, path, stop, err);
	if (fstatat(p->root_fd, path, &st, 0) == 0)
		return 0;
	if (errno != ENOENT)
		return err_sys(err, errno, "cannot look at its input `%s`", path);
	(void)err_set(err, ERR_NOTFOUND, "its input `%s` does not exist", path);
	tracked_missing(p, path, err);
	return -1;
}

/* ---- outputs ---- */

/* Open the directory that holds the output, beneath the root; ${make}: make it first. */
static int
open_parent(const struct project *p, const char *path, bool make, struct err *err)
{
	const char *base = path_basename(path);
	struct buf dir;
	int fd;

	buf_init(&dir, 0);
	if (base > path)
		buf_add(&dir, path, (size_t)(base - path - 1));
	else
		buf_addc(&dir, '.');
	if (buf_failed(&dir)) {
		buf_release(&dir);
		return err_nomem(err);
	}
	fd = fsio_open_beneath(p->root_fd, dir.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd == -1 && errno == ENOENT && make &&
	    fsio_mkdirs(p->root_fd, dir.p, 0777, err) == 0)
		fd = fsio_open_beneath(p->root_fd, dir.p,
				       O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd == -1 && errno == EXDEV)
		err_set(err, ERR_INVALID,
			"the output `%s` lies outside the project: a link on its way "
			"leads out",
			path);
	else if (fd == -1)
		err_sys(err, errno, "cannot open the directory of the output `%s`", path);
	buf_release(&dir);
	return fd;
}

/* May this directory be removed?  Only if an attempt of the task made it: one whose outputs
 * were committed, or the one that ran last and did not end well. */
static int
ours(const struct project *p, const char *dag, const char *task, const char *path,
     struct err *err)
{
	struct meta *m;
	bool is_dir = false;
	int rc;

	if (meta_open(p, META_READ, &m, err) != 0)
		return -1;
	rc = meta_produced(m, dag, task, path, &is_dir, err);
	if (rc == 0 || (rc == 1 && !is_dir)) {
		rc = meta_left(m, dag, task, path, err);
		is_dir = rc == 1;
	}
	meta_close(m);
	if (rc < 0)
		return -1;
	if (rc == 1 && is_dir)
		return 0;
	return err_set(err, ERR_INVALID,
		       "its output `%s` is a directory that no run of `%s` has made, so "
		       "it is not removed: "
		       "move it away, or give the task `persist: true`",
		       path, task);
}

/* Remove a directory that is not empty. */
static int
clear_dir(const struct project *p, const struct output_task *t, int dirfd,
	  const char *path, const bool *stop, struct err *err)
{
	struct err why = {0};
	int rc = t->any ? 0 : ours(p, t->dag, t->name, path, err);

	if (rc != 0 && err->code == ERR_INVALID) {
		rc = tracked_remove(p, path, stop, &why);
		if (rc == 1)
			return 0;
		if (rc < 0 && why.code != ERR_NOTFOUND)
			*err = why;
		return -1;
	}
	if (rc == 0 && (rc = fsio_remove_tree(dirfd, path_basename(path), err)) != 0)
		err_wrap(err, "cannot remove its old output `%s`", path);
	return rc;
}

int
output_clear(const struct project *p, const struct output_task *t, const char *path,
	     const bool *stop, struct err *err)
{
	int dirfd = open_parent(p, path, true, err), rc = 0;
	const char *base = path_basename(path);
	struct stat st;

	if (dirfd == -1)
		return -1;
	if (t->persist) {
		rc = output_unshare(p, dirfd, base, path, stop, err);
	} else if (fstatat(dirfd, base, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT)
			rc = err_sys(err, errno, "cannot look at its output `%s`", path);
	} else if (!S_ISDIR(st.st_mode)) {
		if (unlinkat(dirfd, base, 0) != 0 && errno != ENOENT)
			rc = err_sys(err, errno, "cannot remove its old output `%s`",
				     path);
	} else if (unlinkat(dirfd, base, AT_REMOVEDIR) != 0) {
		rc = clear_dir(p, t, dirfd, path, stop, err);
	}
	(void)close(dirfd);
	fault_point(OUTPUT_REMOVED);
	return rc;
}

/* fsync the directories from the output's up to the root: their entries may be new too. */
static int
sync_parents(const struct project *p, const char *path, struct err *err)
{
	char *dir = strdup(path), *slash;
	int rc = 0;

	if (dir == NULL)
		return err_nomem(err);
	while (rc == 0 && (slash = strrchr(dir, '/')) != NULL) {
		*slash = '\0';
		rc = fsio_sync_dir(p->root_fd, dir, err);
	}
	free(dir);
	return rc != 0 ? -1 : fsio_sync_dir(p->root_fd, ".", err);
}

/* Open the directory that holds an output and look at it; -1 where it is not there. */
static int
find_output(const struct project *p, const char *path, struct stat *st, struct err *err)
{
	int dirfd = open_parent(p, path, false, err);
	bool missing = dirfd == -1 && err->code == ERR_NOTFOUND;

	if (dirfd != -1 &&
	    fstatat(dirfd, path_basename(path), st, AT_SYMLINK_NOFOLLOW) != 0) {
		missing = errno == ENOENT;
		(void)err_sys(err, errno, "cannot look at its output `%s`", path);
		(void)close(dirfd);
		dirfd = -1;
	}
	if (missing)
		(void)err_set(err, ERR_FAILED,
			      "it ended well but did not make its output `%s`", path);
	return dirfd;
}

static void
write_soon(int dirfd, const char *name)
{
	int fd = openat(dirfd, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd == -1)
		return;
	fsio_write_soon(fd);
	(void)close(fd);
}

static int
look(const struct project *p, const char *path, bool soon, bool *is_dir, struct err *err)
{
	struct stat st;
	int dirfd = find_output(p, path, &st, err);

	*is_dir = dirfd != -1 && S_ISDIR(st.st_mode);
	if (dirfd == -1)
		return -1;
	if (soon && S_ISREG(st.st_mode))
		write_soon(dirfd, path_basename(path));
	(void)close(dirfd);
	fault_point(OUTPUT_CHECKED);
	return 0;
}

int
output_there(const struct project *p, const char *path, bool *is_dir, struct err *err)
{
	return look(p, path, false, is_dir, err);
}

int
output_soon(const struct project *p, const char *path, bool *is_dir, struct err *err)
{
	return look(p, path, true, is_dir, err);
}

int
output_durable(const struct project *p, const char *path, const bool *stop, bool *is_dir,
	       struct err *err)
{
	struct stat st;
	int dirfd = find_output(p, path, &st, err), rc = 0;

	*is_dir = dirfd != -1 && S_ISDIR(st.st_mode);
	if (dirfd == -1)
		return -1;
	fault_point(OUTPUT_CHECKED);
	/* A link is its own content: the directory that holds it is synced below. */
	if (!S_ISLNK(st.st_mode))
		rc = fsio_sync_tree(dirfd, path_basename(path), stop, err);
	if (rc != 0)
		err_wrap(err, "its output `%s` cannot be made durable", path);
	(void)close(dirfd);
	if (rc != 0 || sync_parents(p, path, err) != 0)
		return -1;
	fault_point(OUTPUT_SYNCED);
	return 0;
}
