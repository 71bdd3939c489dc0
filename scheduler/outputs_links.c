#include "scheduler/outputs_links.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "scheduler/tracked.h"

#define DEPTH_MAX  1000
#define PIECE_SIZE ((size_t)256 << 10)
#define TARGET_MAX 4096

struct owning {
	const struct project *p;
	const char *output; /* as the task names it */
	const bool *stop;
	char *piece; /* PIECE_SIZE bytes, made when needed */
	enum { COVERS_UNKNOWN, COVERS_NOT, COVERS } covers;
	struct buf at; /* the path at hand, for messages */
};

/* ---- what leads into a cache ---- */

static bool
is_hex(const char *s, size_t n)
{
	return strspn(s, "0123456789abcdef") == n && s[n] == '\0';
}

/* Whether a link leads to what has the name of an object: ".../ab/cdef...", 2 and 30 digits. */
static bool
leads_to_object(int dirfd, const char *name)
{
	char target[TARGET_MAX + 1], *base, *dir;
	ssize_t n = readlinkat(dirfd, name, target, TARGET_MAX);

	if (n <= 0)
		return false;
	target[n] = '\0';
	base = strrchr(target, '/');
	if (base == NULL || base == target || !is_hex(base + 1, 30))
		return false;
	*base = '\0';
	dir = strrchr(target, '/');
	return is_hex(dir != NULL ? dir + 1 : target, 2);
}

static bool
is_shared(struct owning *u, int dirfd, const char *name, const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return leads_to_object(dirfd, name);
	if (!S_ISREG(st->st_mode) || st->st_nlink < 2)
		return false;
	if ((st->st_mode & 0222) == 0)
		return true;
	/* Somebody has made it writable, object and all. */
	if (u->covers == COVERS_UNKNOWN)
		u->covers = tracked_covers(u->p, u->output) ? COVERS : COVERS_NOT;
	return u->covers == COVERS;
}

/* ---- copies ---- */

static int
copy_bytes(struct owning *u, int from, int to)
{
	ssize_t n;

	if (fsio_reflink(from, to) == 0)
		return 0;
	if (u->piece == NULL && (u->piece = malloc(PIECE_SIZE)) == NULL) {
		errno = ENOMEM;
		return -1;
	}
	while ((n = fsio_read_some(from, u->piece, PIECE_SIZE)) > 0) {
		if (__atomic_load_n(u->stop, __ATOMIC_RELAXED)) {
			errno = ECANCELED;
			return -1;
		}
		if (fsio_write_all(to, u->piece, (size_t)n) != 0)
			return -1;
	}
	return n < 0 ? -1 : 0;
}

/* The copy under a temporary name, then in its place.  Return 0, or -1 with errno. */
static int
replace_by_copy(struct owning *u, int from, int dirfd, const char *name)
{
	char temp[FSIO_TEMP_SIZE];
	int to, rc = -1, sys;

	if (fsio_temp_name(temp) != 0)
		return -1;
	/* As a file that is made anew: an object is for reading only. */
	to = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (to == -1)
		return -1;
	if (copy_bytes(u, from, to) == 0 && fsio_sync(to, name) == 0)
		rc = fsio_rename(dirfd, temp, dirfd, name);
	sys = errno;
	(void)close(to);
	if (rc != 0)
		(void)unlinkat(dirfd, temp, 0);
	errno = sys;
	return rc;
}

static int
own_file(struct owning *u, int dirfd, const char *name, struct err *err)
{
	int from = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc, sys;

	if (from == -1 && errno == ENOENT)
		return err_set(err, ERR_NOTFOUND,
			       "its output `%s` leads to an object that the cache does "
			       "not have: 'dag pull %s' brings it, or remove it",
			       u->at.p, u->at.p);
	rc = from == -1 ? -1 : replace_by_copy(u, from, dirfd, name);
	sys = errno;
	if (from != -1)
		(void)close(from);
	if (rc == 0)
		return 0;
	if (sys == ECANCELED)
		return err_set(err, ERR_CANCELLED, "stopped");
	return err_sys(err, sys,
		       "its output `%s` is a link into the cache, and cannot be made a "
		       "file of its own",
		       u->at.p);
}

/* ---- all below a path ---- */

static int make_own(struct owning *, int, const char *, int, struct err *);

static int
own_dir(struct owning *u, int fd, int depth, struct err *err)
{
	size_t len = u->at.n;
	struct dirent *e;
	DIR *d = fdopendir(fd);
	int rc = 0;

	if (d == NULL) {
		rc = err_sys(err, errno, "cannot read its output `%s`", u->at.p);
		(void)close(fd);
		return rc;
	}
	for (errno = 0; rc == 0 && (e = readdir(d)) != NULL; errno = 0) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		buf_addf(&u->at, "/%s", e->d_name);
		rc = buf_failed(&u->at) ? err_nomem(err)
					: make_own(u, dirfd(d), e->d_name, depth, err);
		buf_truncate(&u->at, len);
	}
	if (rc == 0 && errno != 0)
		rc = err_sys(err, errno, "cannot read its output `%s`", u->at.p);
	(void)closedir(d);
	return rc;
}

static int
make_own(struct owning *u, int dirfd, const char *name, int depth, struct err *err)
{
	struct stat st;
	int fd;

	if (__atomic_load_n(u->stop, __ATOMIC_RELAXED))
		return err_set(err, ERR_CANCELLED, "stopped");
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT
			   ? 0
			   : err_sys(err, errno, "cannot look at its output `%s`",
				     u->at.p);
	if (!S_ISDIR(st.st_mode))
		return is_shared(u, dirfd, name, &st) ? own_file(u, dirfd, name, err) : 0;
	if (depth == DEPTH_MAX)
		return err_set(err, ERR_LIMIT,
			       "its output `%s` has more than %d levels of directories",
			       u->output, DEPTH_MAX);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return err_sys(err, errno, "cannot read its output `%s`", u->at.p);
	return own_dir(u, fd, depth + 1, err);
}

int
output_unshare(const struct project *p, int dirfd, const char *name, const char *path,
	       const bool *stop, struct err *err)
{
	struct owning u = {.p = p, .output = path, .stop = stop};
	int rc;

	buf_init(&u.at, 0);
	buf_adds(&u.at, path);
	rc = buf_failed(&u.at) ? err_nomem(err) : make_own(&u, dirfd, name, 0, err);
	buf_release(&u.at);
	free(u.piece);
	return rc;
}
