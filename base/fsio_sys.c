#include "base/fsio_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
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

/* ---- the single calls that others order themselves ---- */

int
fsio_open(int dirfd, const char *path, int flags, mode_t mode)
{
	return sys_open(dirfd, path, flags, mode);
}

ssize_t
fsio_read_some(int fd, void *p, size_t n)
{
	ssize_t got;
	int allowed;

	do {
		allowed = sys_fault(FSIO_READ, "");
		if (allowed > 0 && (size_t)allowed < n)
			n = (size_t)allowed;
		got = allowed < 0 ? -1 : read(fd, p, n);
	} while (got < 0 && errno == EINTR);
	return got;
}

int
fsio_sync(int fd, const char *path)
{
	return sys_sync(fd, path);
}

int
fsio_sync_fs(int fd, const char *path)
{
	int r;

	do {
		(void)atomic_fetch_add(&syncs, 1);
		r = sys_fault(FSIO_SYNC, path) < 0 ? -1 : syncfs(fd);
	} while (r != 0 && errno == EINTR);
	return r;
}

void
fsio_write_soon(int fd)
{
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

int
fsio_rename(int dirfd, const char *from, int to_dirfd, const char *to)
{
	return sys_fault(FSIO_RENAME, to) < 0 ? -1 : renameat(dirfd, from, to_dirfd, to);
}

int
fsio_unlink(int dirfd, const char *path)
{
	return sys_unlink(dirfd, path, 0);
}

int
fsio_mkdir(int dirfd, const char *path, mode_t mode)
{
	return sys_fault(FSIO_MKDIR, path) < 0 ? -1 : mkdirat(dirfd, path, mode);
}

int
fsio_hardlink(int dirfd, const char *from, int to_dirfd, const char *to)
{
	return sys_fault(FSIO_LINK, to) < 0
		   ? -1
		   : linkat(dirfd, from, to_dirfd, to, AT_SYMLINK_FOLLOW);
}

int
fsio_symlink(const char *target, int dirfd, const char *path)
{
	return sys_fault(FSIO_LINK, path) < 0 ? -1 : symlinkat(target, dirfd, path);
}

int
fsio_name_open(int fd, int dirfd, const char *path)
{
	char self[32];

	if (sys_fault(FSIO_LINK, path) < 0)
		return -1;
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, dirfd, path, AT_SYMLINK_FOLLOW);
}

int
fsio_reflink(int from, int to)
{
	return sys_fault(FSIO_REFLINK, "") < 0 ? -1 : ioctl(to, FICLONE, from);
}
