#include "base/fsio_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"

#define WRITE_MAX ((size_t)1 << 30) /* one write(2) moves less than 2 GiB anyway */

static _Atomic uint64_t syncs;
static int (*fault)(void *, enum fsio_op, const char *);
static void *fault_ctx;

uint64_t
fsio_syncs(void)
{
	return atomic_load(&syncs);
}

void
fsio_set_fault(int (*fn)(void *, enum fsio_op, const char *), void *ctx)
{
	fault = fn;
	fault_ctx = ctx;
}

int
sys_fault(enum fsio_op op, const char *path)
{
	int answer = fault != NULL ? fault(fault_ctx, op, path) : 0;

	if (answer <= 0)
		return -answer;
	errno = answer;
	return -1;
}

int
sys_open(int dirfd, const char *path, int flags, mode_t mode)
{
	int fd;

	do {
		fd = sys_fault(FSIO_OPEN, path) < 0
			 ? -1
			 : openat(dirfd, path, flags | O_CLOEXEC, mode);
	} while (fd < 0 && errno == EINTR);
	return fd;
}

void
sys_close(int fd)
{
	int saved = errno;

	/* What was written has been synced or does not matter, so nothing is lost here. */
	(void)close(fd);
	errno = saved;
}

int
sys_sync(int fd, const char *path)
{
	int r;

	do {
		(void)atomic_fetch_add(&syncs, 1);
		r = sys_fault(FSIO_SYNC, path) < 0 ? -1 : fsync(fd);
	} while (r != 0 && errno == EINTR);
	return r;
}

int
sys_open_to_sync(int dirfd, const char *path, int flags)
{
	int fd;

	flags |= O_NONBLOCK | O_NOCTTY;
	fd = sys_open(dirfd, path, O_RDONLY | flags, 0);
	if (fd < 0 && errno == EACCES)
		fd = sys_open(dirfd, path, O_WRONLY | flags, 0);
	return fd;
}

int
sys_write_all(int fd, const char *path, const void *p, size_t n)
{
	const char *s = p;
	size_t want;
	ssize_t done;
	int allowed;

	while (n > 0) {
		allowed = sys_fault(FSIO_WRITE, path);
		want = n < WRITE_MAX ? n : WRITE_MAX;
		if (allowed > 0 && (size_t)allowed < want)
			want = (size_t)allowed;
		done = allowed < 0 ? -1 : write(fd, s, want);
		if (done < 0 && errno == EINTR)
			continue;
		if (done == 0)
			errno = EIO; /* no file does that; do not spin on it */
		if (done <= 0)
			return -1;
		s += done;
		n -= (size_t)done;
	}
	return 0;
}

int
sys_unlink(int dirfd, const char *path, int flags)
{
	return sys_fault(FSIO_UNLINK, path) < 0 ? -1 : unlinkat(dirfd, path, flags);
}

int
sys_open_parent(int dirfd, const char *path, const char **name)
{
	char dir[PATH_MAX];
	size_t n;

	*name = path_basename(path);
	n = (size_t)(*name - path);
	if (n >= sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(dir, path, n);
	dir[n] = '\0';
	return sys_open(dirfd, n != 0 ? dir : ".", O_RDONLY | O_DIRECTORY, 0);
}
