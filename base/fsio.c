#include "base/fsio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio_sys.h"
#include "base/num.h"

#define READ_STEP ((size_t)64 << 10)
#define TRIES_MAX 100 /* of what somebody else keeps taking away from us */

static int
too_large(const char *path, size_t max, struct err *err)
{
	struct buf b;

	buf_init(&b, 64);
	num_put_size(&b, max);
	(void)err_set(err, ERR_LIMIT, "'%s' is larger than the limit of %s", path, b.p);
	buf_release(&b);
	return -1;
}

/* read(2), repeated on EINTR. */
static ssize_t
read_some(int fd, const char *path, void *p, size_t n)
{
	ssize_t got;
	int allowed;

	do {
		allowed = sys_fault(FSIO_READ, path);
		if (allowed > 0 && (size_t)allowed < n)
			n = (size_t)allowed;
		got = allowed < 0 ? -1 : read(fd, p, n);
	} while (got < 0 && errno == EINTR);
	return got;
}

/* Read to the end in steps, the first of the size that is expected. */
static int
read_all(int fd, const char *path, size_t step, size_t max, struct buf *out,
	 struct err *err)
{
	size_t start = out->n, left = out->max - out->n, n;
	char *to, probe;
	ssize_t got = 0;

	max = max < left ? max : left;
	for (;; step = READ_STEP) {
		left = max - (out->n - start);
		n = step < left ? step : left;
		to = n != 0 ? buf_reserve(out, n) : &probe;
		if (to == NULL)
			break;
		/* At the limit, one byte more tells whether this was all. */
		got = read_some(fd, path, to, n != 0 ? n : 1);
		if (got == 0)
			return 0;
		if (got < 0 || n == 0)
			break;
		buf_commit(out, (size_t)got);
	}
	if (to == NULL)
		(void)err_nomem(err);
	else if (got > 0)
		(void)too_large(path, max, err);
	else
		(void)err_sys(err, errno, "cannot read '%s'", path);
	buf_truncate(out, start);
	return -1;
}

int
fsio_read_fd(int fd, size_t max, struct buf *out, struct err *err)
{
	char name[32];

	if (buf_failed(out))
		return err_nomem(err);
	(void)snprintf(name, sizeof(name), "descriptor %d", fd);
	return read_all(fd, name, READ_STEP, max, out, err);
}

int
fsio_read(int dirfd, const char *path, size_t max, struct buf *out, struct err *err)
{
	struct stat st;
	size_t size;
	int fd, r;

	if (buf_failed(out))
		return err_nomem(err);
	/* O_NONBLOCK, or the open of a fifo would wait for a writer. */
	fd = sys_open(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0 || fstat(fd, &st) != 0) {
		(void)err_sys(err, errno, "cannot open '%s'", path);
		r = -1;
	} else if (!S_ISREG(st.st_mode)) {
		r = err_set(err, ERR_INVALID, "cannot read '%s': it is %s", path,
			    S_ISDIR(st.st_mode) ? "a directory" : "no regular file");
	} else {
		/* Files of /proc say 0; a byte more than the size finds the end at once. */
		size = st.st_size > 0 ? (size_t)st.st_size + 1 : READ_STEP / 16;
		r = read_all(fd, path, size, max, out, err);
	}
	if (fd >= 0)
		sys_close(fd);
	return r;
}

int
fsio_write_all(int fd, const void *p, size_t n)
{
	return sys_write_all(fd, "", p, n);
}

/* Make one directory; one that is there already, maybe through a link, is fine. */
static int
make_dir(int dirfd, const char *path, mode_t mode)
{
	struct stat st;
	int saved;

	if (sys_fault(FSIO_MKDIR, path) < 0)
		return -1;
	if (mkdirat(dirfd, path, mode) == 0)
		return 0;
	saved = errno;
	if (fstatat(dirfd, path, &st, 0) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		saved = ENOTDIR;
	}
	errno = saved;
	return -1;
}

int
fsio_mkdirs(int dirfd, const char *path, mode_t mode, struct err *err)
{
	char *copy = strdup(path), *at = copy;
	int r = 0;

	if (copy == NULL)
		return err_nomem(err);
	/* Mostly only the last is missing, or none. */
	if (make_dir(dirfd, path, mode) == 0)
		at = NULL;
	/* From the top down, each prefix that ends before a slash, then the whole. */
	while (r == 0 && at != NULL) {
		at += strspn(at, "/");
		at = strchr(at, '/');
		if (at != NULL)
			*at = '\0';
		r = make_dir(dirfd, copy, mode);
		if (r != 0)
			(void)err_sys(err, errno, "cannot make directory '%s'", copy);
		else if (at != NULL)
			*at = '/';
	}
	free(copy);
	return r;
}

int
fsio_sync_dir(int dirfd, const char *path, struct err *err)
{
	int fd = sys_open(dirfd, path, O_RDONLY | O_DIRECTORY, 0), r = 0;

	if (fd < 0)
		return err_sys(err, errno, "cannot open directory '%s'", path);
	if (sys_sync(fd, path) != 0 && errno != EINVAL)
		r = err_sys(err, errno, "cannot sync directory '%s'", path);
	sys_close(fd);
	return r;
}

int
fsio_sync_file(int dirfd, const char *path, struct err *err)
{
	int fd = sys_open_to_sync(dirfd, path, 0), r = 0;

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	if (sys_sync(fd, path) != 0)
		r = err_sys(err, errno, "cannot sync '%s'", path);
	sys_close(fd);
	return r;
}

char *
fsio_realpath(const char *path, struct err *err)
{
	char *p = realpath(path, NULL);

	if (p == NULL)
		(void)err_sys(err, errno, "cannot resolve '%s'", path);
	return p;
}

static int
flock_fd(int fd, const char *path, enum lock_mode mode)
{
	int r;

	do {
		r = sys_fault(FSIO_LOCK, path) < 0
			? -1
			: flock(fd, LOCK_EX | (mode == LOCK_TRY ? LOCK_NB : 0));
	} while (r != 0 && errno == EINTR);
	return r;
}

/* Whether path still names the open file. */
static bool
is_named(int fd, int dirfd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(dirfd, path, &b, 0) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int
fsio_there(const char *path, struct stat *st, struct err *err)
{
	if (stat(path, st) == 0)
		return 1;
	if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
	    errno == ENAMETOOLONG)
		return 0;
	return err_sys(err, errno, "cannot look at '%s'", path);
}

int
fsio_lock_dir(int dirfd, const char *path, struct err *err)
{
	int fd = sys_open(dirfd, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return err_sys(err, errno, "cannot open the directory '%s'", path);
	if (flock_fd(fd, path, LOCK_WAIT) == 0 || errno == EBADF || errno == EINVAL ||
	    errno == EOPNOTSUPP || errno == ENOSYS || errno == ENOLCK)
		return fd;
	(void)err_sys(err, errno, "cannot lock the directory '%s'", path);
	sys_close(fd);
	return -1;
}

int
fsio_lock(int dirfd, const char *path, enum lock_mode mode, bool create, struct err *err)
{
	int fd, tries;

	for (tries = 0; tries < TRIES_MAX; tries++) {
		fd = sys_open(dirfd, path, O_RDWR | O_NOCTTY | (create ? O_CREAT : 0),
			      0600);
		if (fd < 0)
			return err_sys(err, errno, "cannot open lock file '%s'", path);
		if (flock_fd(fd, path, mode) != 0) {
			if (mode == LOCK_TRY && errno == EWOULDBLOCK)
				(void)err_set(err, ERR_BUSY,
					      "'%s' is locked by another process", path);
			else
				(void)err_sys(err, errno, "cannot lock '%s'", path);
			sys_close(fd);
			return -1;
		}
		if (is_named(fd, dirfd, path))
			return fd;
		sys_close(fd);
	}
	return err_set(err, ERR_BUSY, "lock file '%s' is being replaced again and again",
		       path);
}
