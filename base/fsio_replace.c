/*
 * Files that are replaced whole, and what is left of one whose writer was killed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- by steps ---- */

/* Without the temporary; errno is kept. */
static void
new_close(struct fsio_new *f)
{
	if (f->fd >= 0)
		sys_close(f->fd);
	f->fd = -1;
}

void
fsio_new_drop(struct fsio_new *f)
{
	int saved = errno;

	if (f->name == NULL)
		return;
	new_close(f);
	if (f->temp[0] != '\0')
		(void)unlinkat(f->dir, f->temp, 0);
	sys_close(f->dir);
	free(f->name);
	*f = (struct fsio_new){0};
	errno = saved;
}

int
fsio_new_write(int dirfd, const char *path, const void *p, size_t n, mode_t mode,
	       struct fsio_new *f, struct err *err)
{
	const char *name;
	int dir = sys_open_parent(dirfd, path, &name);

	*f = (struct fsio_new){0};
	if (dir < 0)
		return err_sys(err, errno, "cannot open the directory of '%s'", path);
	f->name = strdup(name);
	if (f->name == NULL) {
		sys_close(dir);
		return err_nomem(err);
	}
	f->dir = dir;
	f->fd = open_temp(dir, mode, f->temp);
	if (f->fd < 0) {
		f->temp[0] = '\0';
	} else if (sys_write_all(f->fd, f->temp, p, n) == 0) {
		return 0;
	}
	(void)err_sys(err, errno, "cannot write '%s'", path);
	fsio_new_drop(f);
	return -1;
}

int
fsio_new_sync(struct fsio_new *f, const char *path, struct err *err)
{
	if (sys_sync(f->fd, f->temp) != 0)
		return err_sys(err, errno, "cannot write '%s'", path);
	new_close(f);
	return 0;
}

int
fsio_new_name(struct fsio_new *f, const char *path, struct err *err)
{
	new_close(f);
	fault_point(REPLACE_WRITTEN);
	if (sys_fault(FSIO_RENAME, path) < 0 ||
	    renameat(f->dir, f->temp, f->dir, f->name) != 0)
		return err_sys(err, errno, "cannot replace '%s'", path);
	f->temp[0] = '\0';
	return 0;
}

/* ---- in one ---- */

/* What of it outlives a power loss. */
enum lasting { LAST_NOT, LAST_BYTES, LAST_NAME };

static int
replace(int dirfd, const char *path, const void *p, size_t n, mode_t mode,
	enum lasting last, struct err *err)
{
	struct fsio_new f;
	int r;

	if (fsio_new_write(dirfd, path, p, n, mode, &f, err) != 0)
		return -1;
	r = last != LAST_NOT ? fsio_new_sync(&f, path, err) : 0;
	if (r == 0)
		r = fsio_new_name(&f, path, err);
	if (r == 0 && last == LAST_NAME && sys_sync(f.dir, path) != 0 && errno != EINVAL)
		r = err_sys(err, errno, "cannot sync the directory of '%s'", path);
	fsio_new_drop(&f);
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
