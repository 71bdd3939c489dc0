/*
 * Files that are replaced whole, and what is left of one whose writer was killed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "base/fsio_sys.h"

#define PREFIX	  ".dag-"
#define SUFFIX	  ".tmp"
#define DIGITS	  16
#define TRIES_MAX 100 /* of names that somebody else has already */

int
fsio_temp_name(char name[FSIO_TEMP_SIZE])
{
	unsigned long long rnd;

	if (getrandom(&rnd, sizeof(rnd), 0) != (ssize_t)sizeof(rnd))
		return -1;
	(void)snprintf(name, FSIO_TEMP_SIZE, PREFIX "%016llx" SUFFIX, rnd);
	return 0;
}

/* Make a new file in dir with a name of its own; its descriptor and the name. */
static int
open_temp(int dir, mode_t mode, char name[FSIO_TEMP_SIZE])
{
	int fd, tries = 0;

	do {
		if (fsio_temp_name(name) != 0)
			return -1;
		fd = sys_open(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
	} while (fd < 0 && errno == EEXIST && ++tries < TRIES_MAX);
	if (fd >= 0)
		fault_point(REPLACE_TEMP);
	return fd;
}

/* Write, and if it shall last sync, a temporary file in dir; on failure, with errno, it is gone
 * again. */
static int
write_temp(int dir, const void *p, size_t n, mode_t mode, bool last,
	   char name[FSIO_TEMP_SIZE])
{
	int fd = open_temp(dir, mode, name), r;

	if (fd < 0)
		return -1;
	r = sys_write_all(fd, name, p, n);
	if (r == 0 && last)
		r = sys_sync(fd, name);
	sys_close(fd);
	if (r != 0) {
		int saved = errno;

		(void)unlinkat(dir, name, 0);
		errno = saved;
	}
	return r;
}

/* What of it outlives a power loss. */
enum lasting { LAST_NOT, LAST_BYTES, LAST_NAME };

static int
replace(int dirfd, const char *path, const void *p, size_t n, mode_t mode,
	enum lasting last, struct err *err)
{
	char temp[FSIO_TEMP_SIZE];
	const char *name;
	int dir = sys_open_parent(dirfd, path, &name), r = -1;

	if (dir < 0)
		return err_sys(err, errno, "cannot open the directory of '%s'", path);
	if (write_temp(dir, p, n, mode, last != LAST_NOT, temp) != 0) {
		(void)err_sys(err, errno, "cannot write '%s'", path);
		sys_close(dir);
		return -1;
	}
	fault_point(REPLACE_WRITTEN);
	if (sys_fault(FSIO_RENAME, path) < 0 || renameat(dir, temp, dir, name) != 0) {
		(void)err_sys(err, errno, "cannot replace '%s'", path);
		(void)unlinkat(dir, temp, 0);
	} else if (last == LAST_NAME && sys_sync(dir, path) != 0 && errno != EINVAL) {
		(void)err_sys(err, errno, "cannot sync the directory of '%s'", path);
	} else {
		r = 0;
	}
	sys_close(dir);
	return r;
}

int
fsio_replace(int dirfd, const char *path, const void *p, size_t n, mode_t mode,
	     struct err *err)
{
	return replace(dirfd, path, p, n, mode, LAST_NAME, err);
}

int
fsio_replace_lazily(int dirfd, const char *path, const void *p, size_t n, mode_t mode,
		    struct err *err)
{
	return replace(dirfd, path, p, n, mode, LAST_NOT, err);
}

int
fsio_replace_whole(int dirfd, const char *path, const void *p, size_t n, mode_t mode,
		   struct err *err)
{
	return replace(dirfd, path, p, n, mode, LAST_BYTES, err);
}

/* ---- left-overs ---- */

bool
fsio_is_temp(const char *name)
{
	size_t n = strlen(PREFIX);

	return strlen(name) == FSIO_TEMP_SIZE - 1 && strncmp(name, PREFIX, n) == 0 &&
	       strspn(name + n, "0123456789abcdef") == DIGITS &&
	       strcmp(name + n + DIGITS, SUFFIX) == 0;
}

bool
fsio_clear_temp(int dirfd, const char *name)
{
	struct stat st;

	return fsio_is_temp(name) &&
	       fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       !S_ISDIR(st.st_mode) && st.st_mtim.tv_sec < time(NULL) - FSIO_TEMP_AGE_S &&
	       sys_unlink(dirfd, name, 0) == 0;
}

void
fsio_clear_temps(int dirfd, const char *dir)
{
	int fd = sys_open(dirfd, dir, O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			sys_close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL)
		(void)fsio_clear_temp(fd, e->d_name);
	(void)closedir(d);
}
