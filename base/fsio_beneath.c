#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/fsio_sys.h"

#define LINKS_MAX 40 /* as the kernel's */
#define DEPTH_MAX 128
#define TRIES_MAX 16 /* of EAGAIN, when somebody renames directories meanwhile */

/* glibc has no wrapper before 2.43. */
static int
sys_openat2(int dirfd, const char *path, struct open_how *how)
{
	if (sys_fault(FSIO_OPENAT2, path) < 0)
		return -1;
	return (int)syscall(SYS_openat2, dirfd, path, how, sizeof(*how));
}

/*
 * The walk for kernels before 5.6.  It holds the directories that it came through, so that
 * ".." goes back to where it came from even if somebody moves them, and reads links itself.
 */
struct walk {
	int dirs[DEPTH_MAX]; /* dirs[0] is the caller's */
	size_t n;
	unsigned links;
	char rest[2 * PATH_MAX]; /* what is still to be walked */
};

/* Cut the first component off w->rest into name; false if there is none left. */
static bool
take_component(struct walk *w, char name[NAME_MAX + 1])
{
	char *at = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(at, "/");

	if (n == 0 || n > NAME_MAX) {
		errno = n == 0 ? ENOENT : ENAMETOOLONG;
		return false;
	}
	memcpy(name, at, n);
	name[n] = '\0';
	/* The slashes stay: behind the last component they say "a directory". */
	memmove(w->rest, at + n, strlen(at + n) + 1);
	return true;
}

static bool
is_last(const struct walk *w)
{
	return w->rest[strspn(w->rest, "/")] == '\0';
}

/* Put the target of the link called name in front of what is left. */
static int
follow(struct walk *w, const char *name)
{
	char target[PATH_MAX], rest[sizeof(w->rest)];
	ssize_t n = readlinkat(w->dirs[w->n - 1], name, target, sizeof(target));

	if (n == (ssize_t)sizeof(target)) {
		errno = ENAMETOOLONG;
		n = -1;
	}
	if (n < 0)
		return -1;
	if (++w->links > LINKS_MAX || n == 0 || target[0] == '/') {
		errno = w->links > LINKS_MAX ? ELOOP : n == 0 ? ENOENT : EXDEV;
		return -1;
	}
	memcpy(rest, w->rest, strlen(w->rest) + 1);
	if ((size_t)snprintf(w->rest, sizeof(w->rest), "%.*s%s", (int)n, target, rest) >=
	    sizeof(w->rest)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

/* Go into the directory called name, or back by "..". */
static int
descend(struct walk *w, const char *name)
{
	int fd;

	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		if (w->n == 1) {
			errno = EXDEV;
			return -1;
		}
		sys_close(w->dirs[--w->n]);
		return 0;
	}
	if (w->n == DEPTH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = sys_open(w->dirs[w->n - 1], name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return -1;
	w->dirs[w->n++] = fd;
	return 0;
}

/* Whether name is a link in the directory where the walk is. */
static bool
is_link(const struct walk *w, const char *name)
{
	struct stat st;

	return fstatat(w->dirs[w->n - 1], name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISLNK(st.st_mode);
}

static int
open_last(struct walk *w, const char *name, int flags, mode_t mode)
{
	bool directory = w->rest[0] == '/';

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		if (descend(w, name) != 0)
			return -1;
		name = ".";
	}
	return sys_open(w->dirs[w->n - 1], name,
			flags | O_NOFOLLOW | (directory ? O_DIRECTORY : 0), mode);
}

static int
walk_open(struct walk *w, int flags, mode_t mode)
{
	bool keep_link = (flags & O_NOFOLLOW) != 0 ||
			 (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
	char name[NAME_MAX + 1];

	while (take_component(w, name)) {
		bool last = is_last(w);

		if (is_link(w, name) && !(last && w->rest[0] != '/' && keep_link)) {
			if (follow(w, name) != 0)
				return -1;
		} else if (last) {
			return open_last(w, name, flags, mode);
		} else if (descend(w, name) != 0) {
			return -1;
		}
	}
	return -1;
}

static int
open_by_walk(int dirfd, const char *path, int flags, mode_t mode)
{
	struct walk w = {.dirs = {dirfd}, .n = 1};
	size_t n = strlen(path);
	int fd;

	if (path[0] == '/' || n >= PATH_MAX) {
		errno = path[0] == '/' ? EXDEV : ENAMETOOLONG;
		return -1;
	}
	memcpy(w.rest, path, n + 1);
	fd = walk_open(&w, flags, mode);
	while (w.n > 1)
		sys_close(w.dirs[--w.n]);
	return fd;
}

int
fsio_open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	int fd, tries = 0;

	if ((flags & O_CREAT) == 0)
		mode = 0; /* openat2 refuses one */
	how.flags = (uint64_t)(unsigned)flags | O_CLOEXEC;
	how.mode = mode;
	if (sys_fault(FSIO_OPEN, path) < 0)
		return -1;
	do {
		fd = sys_openat2(dirfd, path, &how);
	} while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < TRIES_MAX)));
	/* EPERM is also what a seccomp filter says that does not know the call. */
	if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
		return fd;
	return open_by_walk(dirfd, path, flags, mode);
}

/* Open one component; for a link the errno is ELOOP, whatever the flags. */
static int
step_open(int dirfd, const char *name, int flags)
{
	int fd = sys_open(dirfd, name, flags | O_NOFOLLOW, 0);
	struct stat st;

	if (fd >= 0 || errno != ENOTDIR)
		return fd;
	errno = fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode)
		    ? ELOOP
		    : ENOTDIR;
	return -1;
}

/* Step by step, for kernels before 5.6. */
static int
steps_open(int dirfd, const char *path, int flags)
{
	char name[NAME_MAX + 1];
	int at = dirfd, next;

	for (;;) {
		size_t n = strcspn(path, "/");
		bool last = path[n] == '\0';

		if (n == 0 || n > NAME_MAX || (n == 2 && memcmp(path, "..", 2) == 0)) {
			next = -1;
			errno = n > NAME_MAX ? ENAMETOOLONG : EXDEV;
			break;
		}
		memcpy(name, path, n);
		name[n] = '\0';
		next = step_open(at, name, last ? flags : O_PATH | O_DIRECTORY);
		if (last || next < 0)
			break;
		if (at != dirfd)
			sys_close(at);
		at = next;
		path += n + 1;
	}
	if (at != dirfd)
		sys_close(at);
	return next;
}

int
fsio_open_nolinks(int dirfd, const char *path, int flags)
{
	struct open_how how = {.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	int fd, tries = 0;

	how.flags = (uint64_t)(unsigned)flags | O_CLOEXEC;
	if (sys_fault(FSIO_OPEN, path) < 0)
		return -1;
	do {
		fd = sys_openat2(dirfd, path, &how);
	} while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < TRIES_MAX)));
	if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
		return fd;
	return steps_open(dirfd, path, flags);
}

int
sys_open_same_mount(int dirfd, const char *name)
{
	struct open_how how = {.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS};
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW, fd;
	struct stat above, here;

	how.flags = (uint64_t)(unsigned)flags | O_CLOEXEC;
	fd = sys_openat2(dirfd, name, &how);
	if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
		return fd;
	fd = sys_open(dirfd, name, flags, 0);
	if (fd < 0)
		return -1;
	/* Without openat2 a bind mount of the same file system is not told apart. */
	if (fstat(dirfd, &above) != 0 || fstat(fd, &here) != 0 ||
	    above.st_dev != here.st_dev) {
		sys_close(fd);
		errno = EXDEV;
		return -1;
	}
	return fd;
}
