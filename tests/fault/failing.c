/*
 * One call of the C library that fails, in a program that does not know: to be preloaded.
 *
 *	FAILING=CALL:N:HOW	the Nth CALL (from 1) fails with the errno HOW, is cut short, or (kill)
 *				never comes: the process is killed before it
 *	FAILING_LOG=FILE	gets a line "failed CALL N" then; without FAILING, at the end, a
 *				line "CALL COUNT" for each kind of call
 *
 * A CALL `change` is any that changes what is on the disk.
 *
 * Only the process that is started so is meant: the variables are gone before its main.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CALLS        \
	X(read)      \
	X(pread)     \
	X(write)     \
	X(pwrite)    \
	X(fsync)     \
	X(fdatasync) \
	X(rename)    \
	X(open)      \
	X(mkdir)     \
	X(unlink)    \
	X(ftruncate) \
	X(flock)     \
	X(spawn)     \
	X(pipe)      \
	X(memfd)     \
	X(mmap)      \
	X(thread)    \
	X(stat)      \
	X(readdir)   \
	X(fcntl)     \
	X(link)      \
	X(change)

enum call {
#define X(name) CALL_##name,
	CALLS
#undef X
	    CALL_COUNT
};

static const char *const names[] = {
#define X(name) #name,
    CALLS
#undef X
};

static const struct {
	const char *name;
	int value;
} hows[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO},	    {"EMFILE", EMFILE},
	    {"ENFILE", ENFILE}, {"EAGAIN", EAGAIN}, {"EINTR", EINTR},
	    {"ENOMEM", ENOMEM}, {"EACCES", EACCES}, {"EROFS", EROFS},
	    {"EDQUOT", EDQUOT}, {"ENOLCK", ENOLCK}, {"short", -1},
	    {"kill", -2}};

static int counts[CALL_COUNT];
static int which = -1, nth, how;
static char log_path[4096];

static void *
real(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (f == NULL)
		abort();
	return f;
}

/* The function of the C library behind ours. */
#define REAL(name) ((__typeof__(&(name)))real(#name))

static void
say(const char *fmt, const char *name, int n)
{
	int fd, saved = errno;

	if (log_path[0] == '\0')
		return;
	fd = REAL(open64)(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd != -1) {
		char line[64];
		int len = snprintf(line, sizeof(line), fmt, name, n);

		(void)!REAL(write)(fd, line, (size_t)len);
		(void)close(fd);
	}
	errno = saved;
}

__attribute__((constructor)) static void
begin(void)
{
	const char *s = getenv("FAILING"), *log = getenv("FAILING_LOG");
	char call[16], word[16];
	size_t i;

	if (log != NULL)
		(void)snprintf(log_path, sizeof(log_path), "%s", log);
	if (s != NULL && sscanf(s, "%15[a-z]:%d:%15s", call, &nth, word) == 3) {
		for (i = 0; i < CALL_COUNT; i++)
			if (strcmp(call, names[i]) == 0)
				which = (int)i;
		for (i = 0; i < sizeof(hows) / sizeof(hows[0]); i++)
			if (strcmp(word, hows[i].name) == 0)
				how = hows[i].value;
	}
	if (s != NULL && (which == -1 || how == 0)) {
		(void)fprintf(stderr, "FAILING: not understood: %s\n", s);
		abort();
	}
	(void)unsetenv("FAILING");
	(void)unsetenv("FAILING_LOG");
	(void)unsetenv("LD_PRELOAD");
}

__attribute__((destructor)) static void
end(void)
{
	size_t i;

	for (i = 0; which == -1 && i < CALL_COUNT; i++)
		say("%s %d\n", names[i], counts[i]);
}

/* Does this call fail (1, with errno), or is it to be cut short (-1)? */
static int
fails_as(enum call c)
{
	int n = __atomic_add_fetch(&counts[c], 1, __ATOMIC_RELAXED);

	if ((int)c != which || n != nth)
		return 0;
	say("failed %s %d\n", names[c], n);
	if (how == -2)
		(void)kill(getpid(), SIGKILL);
	if (how > 0)
		errno = how;
	return how > 0 ? 1 : -1;
}

static int
fails(enum call c)
{
	switch (c) {
	case CALL_write:
	case CALL_pwrite:
	case CALL_rename:
	case CALL_mkdir:
	case CALL_unlink:
	case CALL_ftruncate:
	case CALL_link:
		(void)fails_as(CALL_change);
		break;
	default:
		break;
	}
	return fails_as(c);
}

/* To open a file may make it. */
static int
open_fails(int flags)
{
	if ((flags & (O_CREAT | O_TRUNC)) != 0)
		(void)fails_as(CALL_change);
	return fails(CALL_open);
}

/* ---- what is wrapped ---- */

#define PART(f, n) ((f) < 0 && (n) > 1 ? (n) / 2 : (n))

/* Of files only: a read or write of an eventfd cannot fail so, and libuv counts on that. */
static int
file_fails(enum call c, int fd)
{
	int saved = errno, is_file;
	struct stat64 st;

	is_file = REAL(fstat64)(fd, &st) == 0 && S_ISREG(st.st_mode);
	errno = saved;
	return is_file ? fails(c) : 0;
}

ssize_t
read(int fd, void *p, size_t n)
{
	int f = file_fails(CALL_read, fd);

	return f > 0 ? -1 : REAL(read)(fd, p, PART(f, n));
}

ssize_t
pread64(int fd, void *p, size_t n, off64_t at)
{
	int f = fails(CALL_pread);

	return f > 0 ? -1 : REAL(pread64)(fd, p, PART(f, n), at);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	int f = file_fails(CALL_write, fd);

	return f > 0 ? -1 : REAL(write)(fd, p, PART(f, n));
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	int f = fails(CALL_pwrite);

	return f > 0 ? -1 : REAL(pwrite64)(fd, p, PART(f, n), at);
}

int
fsync(int fd)
{
	return fails(CALL_fsync) > 0 ? -1 : REAL(fsync)(fd);
}

int
syncfs(int fd)
{
	return fails(CALL_fsync) > 0 ? -1 : REAL(syncfs)(fd);
}

int
fdatasync(int fd)
{
	return fails(CALL_fdatasync) > 0 ? -1 : REAL(fdatasync)(fd);
}

int
rename(const char *a, const char *b)
{
	return fails(CALL_rename) > 0 ? -1 : REAL(rename)(a, b);
}

int
renameat(int da, const char *a, int db, const char *b)
{
	return fails(CALL_rename) > 0 ? -1 : REAL(renameat)(da, a, db, b);
}

int
renameat2(int da, const char *a, int db, const char *b, unsigned flags)
{
	return fails(CALL_rename) > 0 ? -1 : REAL(renameat2)(da, a, db, b, flags);
}

int
linkat(int da, const char *a, int db, const char *b, int flags)
{
	return fails(CALL_link) > 0 ? -1 : REAL(linkat)(da, a, db, b, flags);
}

int
symlinkat(const char *target, int dir, const char *path)
{
	return fails(CALL_link) > 0 ? -1 : REAL(symlinkat)(target, dir, path);
}

/* The mode is read even where none was given: it is not looked at then. */
int
open64(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return open_fails(flags) > 0 ? -1 : REAL(open64)(path, flags, mode);
}

int
openat64(int dir, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return open_fails(flags) > 0 ? -1 : REAL(openat64)(dir, path, flags, mode);
}

int
mkdir(const char *path, mode_t mode)
{
	return fails(CALL_mkdir) > 0 ? -1 : REAL(mkdir)(path, mode);
}

int
mkdirat(int dir, const char *path, mode_t mode)
{
	return fails(CALL_mkdir) > 0 ? -1 : REAL(mkdirat)(dir, path, mode);
}

int
unlink(const char *path)
{
	return fails(CALL_unlink) > 0 ? -1 : REAL(unlink)(path);
}

int
unlinkat(int dir, const char *path, int flags)
{
	return fails(CALL_unlink) > 0 ? -1 : REAL(unlinkat)(dir, path, flags);
}

int
ftruncate64(int fd, off64_t n)
{
	return fails(CALL_ftruncate) > 0 ? -1 : REAL(ftruncate64)(fd, n);
}

/* What else changes files is only counted, and killed at. */
int
rmdir(const char *path)
{
	(void)fails_as(CALL_change);
	return REAL(rmdir)(path);
}

ssize_t
copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t n, unsigned flags)
{
	(void)fails_as(CALL_change);
	return REAL(copy_file_range)(in, from, out, to, n, flags);
}

int
fchmod(int fd, mode_t mode)
{
	(void)fails_as(CALL_change);
	return REAL(fchmod)(fd, mode);
}

int
fchmodat(int dir, const char *path, mode_t mode, int flags)
{
	(void)fails_as(CALL_change);
	return REAL(fchmodat)(dir, path, mode, flags);
}

/* To take it only: to let it go cannot fail. */
int
flock(int fd, int op)
{
	return (op & LOCK_UN) == 0 && fails(CALL_flock) > 0 ? -1 : REAL(flock)(fd, op);
}

int
posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *fa,
	    const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	return fails(CALL_spawn) > 0 ? how
				     : REAL(posix_spawn)(pid, path, fa, attr, argv, envp);
}

int
pipe2(int fds[2], int flags)
{
	return fails(CALL_pipe) > 0 ? -1 : REAL(pipe2)(fds, flags);
}

int
memfd_create(const char *name, unsigned flags)
{
	return fails(CALL_memfd) > 0 ? -1 : REAL(memfd_create)(name, flags);
}

void *
mmap64(void *at, size_t n, int prot, int flags, int fd, off64_t off)
{
	if (fd != -1 && fails(CALL_mmap) > 0)
		return MAP_FAILED;
	return REAL(mmap64)(at, n, prot, flags, fd, off);
}

int
pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	return fails(CALL_thread) > 0 ? how : REAL(pthread_create)(t, attr, fn, arg);
}

int
stat64(const char *path, struct stat64 *st)
{
	return fails(CALL_stat) > 0 ? -1 : REAL(stat64)(path, st);
}

int
lstat64(const char *path, struct stat64 *st)
{
	return fails(CALL_stat) > 0 ? -1 : REAL(lstat64)(path, st);
}

int
fstat64(int fd, struct stat64 *st)
{
	return fails(CALL_stat) > 0 ? -1 : REAL(fstat64)(fd, st);
}

int
fstatat64(int dir, const char *path, struct stat64 *st, int flags)
{
	return fails(CALL_stat) > 0 ? -1 : REAL(fstatat64)(dir, path, st, flags);
}

struct dirent64 *
readdir64(DIR *d)
{
	return fails(CALL_readdir) > 0 ? NULL : REAL(readdir64)(d);
}

/* Each of its commands takes an integer, a pointer or nothing.  Only to take a lock can fail. */
int
fcntl64(int fd, int op, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, op);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (op == F_SETLK && ((const struct flock *)arg)->l_type != F_UNLCK &&
	    fails(CALL_fcntl) > 0)
		return -1;
	return REAL(fcntl64)(fd, op, arg);
}
