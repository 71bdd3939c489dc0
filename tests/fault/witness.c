/*
 * What a program does to the files below one directory, written down: to be preloaded.  Nothing
 * is synced for real; tests/crash/Disk.pm knows what would be on the disk.
 *
 *	WITNESS_TOP=DIR		canonical
 *	WITNESS_LOG=FILE	gets a record for each call that went well, in their order
 *
 * A record is a head (struct head), then n1 and n2 bytes: of W the bytes written, else paths.
 *
 *	C ino mode path		a file was made	      T ino size		truncated
 *	W ino at bytes		written		      S ino			synced
 *	D path			a directory synced    F				all synced
 *	M path			a directory made      U path			a name removed
 *	N from to		renamed		      L ino path		one more name
 *	Y path target		a symbolic link
 *
 * Ways to write that would go by unseen are refused, and the program has others.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct head {
	char kind[8];
	uint64_t ino, at;
	uint32_t n1, n2;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char top[PATH_MAX];
static size_t ntop;
static int log_fd = -1;

__attribute__((constructor)) static void
start(void)
{
	const char *dir = getenv("WITNESS_TOP"), *file = getenv("WITNESS_LOG");

	if (dir == NULL || file == NULL)
		return;
	ntop = (size_t)snprintf(top, sizeof(top), "%s/", dir);
	log_fd = (int)syscall(SYS_openat, AT_FDCWD, file,
			      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0)
		abort();
}

static void
put(char kind, uint64_t ino, uint64_t at, const void *p, size_t n1, const char *q)
{
	struct head h = {{kind}, ino, at, (uint32_t)n1, 0};
	size_t n2 = q != NULL ? strlen(q) : 0, n = sizeof(h) + n1 + n2;
	char *b = malloc(n);

	if (b == NULL)
		abort();
	h.n2 = (uint32_t)n2;
	memcpy(b, &h, sizeof(h));
	if (n1 > 0)
		memcpy(b + sizeof(h), p, n1);
	if (n2 > 0)
		memcpy(b + sizeof(h) + n1, q, n2);
	if (syscall(SYS_write, log_fd, b, n) != (long)n)
		abort();
	free(b);
}

static void
put_path(char kind, uint64_t ino, uint64_t at, const char *p, const char *q)
{
	put(kind, ino, at, p, strlen(p), q);
}

/* The path of an open file; false if it does not lie below the top. */
static int
path_of(int fd, char out[PATH_MAX])
{
	char link[64];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, out, PATH_MAX - 1);
	if (n <= 0)
		return 0;
	out[n] = '\0';
	return strncmp(out, top, ntop) == 0 || (size_t)n + 1 == ntop;
}

/* The path that a name means; false as above. */
static int
resolve(int dirfd, const char *name, char out[PATH_MAX])
{
	char dir[PATH_MAX];

	if (log_fd < 0)
		return 0;
	if (name[0] == '/') {
		(void)snprintf(out, PATH_MAX, "%s", name);
	} else {
		if (dirfd == AT_FDCWD ? getcwd(dir, sizeof(dir)) == NULL
				      : (path_of(dirfd, dir), dir[0] == '\0'))
			return 0;
		if (snprintf(out, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
			abort();
	}
	return strncmp(out, top, ntop) == 0;
}

static uint64_t
ino_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? st.st_ino : 0;
}

static void
enter(void)
{
	(void)pthread_mutex_lock(&mutex);
}

static long
leave(long r)
{
	int saved = errno;

	(void)pthread_mutex_unlock(&mutex);
	errno = saved;
	return r;
}

/* ---- names ---- */

static int
open_file(int dirfd, const char *name, int flags, mode_t mode)
{
	char path[PATH_MAX];
	struct stat st;
	int ours, is_new, fd;

	if ((flags & (O_CREAT | O_TRUNC)) == 0)
		return (int)syscall(SYS_openat, dirfd, name, flags, mode);
	if ((flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	enter();
	ours = resolve(dirfd, name, path);
	is_new = ours && fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0;
	fd = (int)syscall(SYS_openat, dirfd, name, flags, mode);
	if (ours && fd >= 0 && fstat(fd, &st) == 0) {
		if (is_new)
			put_path('C', st.st_ino, st.st_mode & 07777, path, NULL);
		else if ((flags & O_TRUNC) != 0)
			put('T', st.st_ino, 0, NULL, 0, NULL);
	}
	return (int)leave(fd);
}

#define MODE                                                  \
	({                                                    \
		va_list ap_;                                  \
		mode_t mode_ = 0;                             \
                                                              \
		if ((flags & (O_CREAT | __O_TMPFILE)) != 0) { \
			va_start(ap_, flags);                 \
			mode_ = va_arg(ap_, mode_t);          \
			va_end(ap_);                          \
		}                                             \
		mode_;                                        \
	})

int
open(const char *name, int flags, ...)
{
	return open_file(AT_FDCWD, name, flags, MODE);
}

int
open64(const char *name, int flags, ...)
{
	return open_file(AT_FDCWD, name, flags, MODE);
}

int
openat(int dirfd, const char *name, int flags, ...)
{
	return open_file(dirfd, name, flags, MODE);
}

int
openat64(int dirfd, const char *name, int flags, ...)
{
	return open_file(dirfd, name, flags, MODE);
}

int
mkdirat(int dirfd, const char *name, mode_t mode)
{
	char path[PATH_MAX];
	long r;

	enter();
	r = syscall(SYS_mkdirat, dirfd, name, mode);
	if (r == 0 && resolve(dirfd, name, path))
		put_path('M', 0, 0, path, NULL);
	return (int)leave(r);
}

int
mkdir(const char *name, mode_t mode)
{
	return mkdirat(AT_FDCWD, name, mode);
}

int
unlinkat(int dirfd, const char *name, int flags)
{
	char path[PATH_MAX];
	long r;

	enter();
	r = syscall(SYS_unlinkat, dirfd, name, flags);
	if (r == 0 && resolve(dirfd, name, path))
		put_path('U', 0, 0, path, NULL);
	return (int)leave(r);
}

int
unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

int
rmdir(const char *name)
{
	return unlinkat(AT_FDCWD, name, AT_REMOVEDIR);
}

int
renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	char a[PATH_MAX], b[PATH_MAX];
	long r;

	enter();
	r = syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
	if (r == 0 && resolve(from_fd, from, a) && resolve(to_fd, to, b))
		put_path('N', 0, 0, a, b);
	return (int)leave(r);
}

int
renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return renameat2(from_fd, from, to_fd, to, 0);
}

int
rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	char path[PATH_MAX];
	struct stat st;
	long r;

	enter();
	r = syscall(SYS_linkat, from_fd, from, to_fd, to, flags);
	if (r == 0 && resolve(to_fd, to, path) &&
	    fstatat(to_fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		put_path('L', st.st_ino, 0, path, NULL);
	return (int)leave(r);
}

int
symlinkat(const char *target, int dirfd, const char *name)
{
	char path[PATH_MAX];
	long r;

	enter();
	r = syscall(SYS_symlinkat, target, dirfd, name);
	if (r == 0 && resolve(dirfd, name, path))
		put_path('Y', 0, 0, path, target);
	return (int)leave(r);
}

/* ---- bytes ---- */

static ssize_t
write_at(int fd, const void *p, size_t n, off_t at, int here)
{
	char path[PATH_MAX];
	uint64_t ino;
	ssize_t r;

	if (log_fd < 0 || !path_of(fd, path) || (ino = ino_of(fd)) == 0)
		return here ? syscall(SYS_write, fd, p, n)
			    : syscall(SYS_pwrite64, fd, p, n, at);
	enter();
	if (here)
		at = lseek(fd, 0, SEEK_CUR);
	r = here ? syscall(SYS_write, fd, p, n) : syscall(SYS_pwrite64, fd, p, n, at);
	if (r > 0)
		put('W', ino, (uint64_t)at, p, (size_t)r, NULL);
	return leave(r);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	return write_at(fd, p, n, 0, 1);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	return write_at(fd, p, n, at, 0);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return write_at(fd, p, n, at, 0);
}

int
ftruncate(int fd, off_t size)
{
	char path[PATH_MAX];
	long r;

	enter();
	r = syscall(SYS_ftruncate, fd, size);
	if (r == 0 && log_fd >= 0 && path_of(fd, path))
		put('T', ino_of(fd), (uint64_t)size, NULL, 0, NULL);
	return (int)leave(r);
}

int
ftruncate64(int fd, off64_t size)
{
	return ftruncate(fd, size);
}

ssize_t
copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t n,
		unsigned flags)
{
	(void)from, (void)from_at, (void)to, (void)to_at, (void)n, (void)flags;
	errno = ENOSYS;
	return -1;
}

int
ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (request == FICLONE || request == FICLONERANGE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

/* ---- syncs ---- */

int
fsync(int fd)
{
	char path[PATH_MAX];
	uint64_t ino = ino_of(fd);

	if (log_fd < 0 || !path_of(fd, path))
		return 0;
	enter();
	if (ino != 0)
		put('S', ino, 0, NULL, 0, NULL);
	else
		put_path('D', 0, 0, path, NULL);
	return (int)leave(0);
}

int
fdatasync(int fd)
{
	return fsync(fd);
}

int
syncfs(int fd)
{
	(void)fd;
	if (log_fd < 0)
		return 0;
	enter();
	put('F', 0, 0, NULL, 0, NULL);
	return (int)leave(0);
}
