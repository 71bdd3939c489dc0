#include "store/wake.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "store/project.h"

#define DIR_NAME "waiters"
/* At most so many names are looked at by one wake: whatever somebody puts there. */
#define LOOK_MAX 10000

static int
open_dir(const struct project *p)
{
	return openat(p->state_fd, DIR_NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void
wake_listen(const struct project *p, struct waiter *w)
{
	char made[UUID_TEXT + 1];

	w->fd = w->dir = -1;
	if (p->state_fd < 0 || uuid7(w->name, clock_now().wall_us) != 0)
		return;
	(void)snprintf(made, sizeof(made), ".%s", w->name);
	if (mkdirat(p->state_fd, DIR_NAME, 0700) != 0 && errno != EEXIST)
		return;
	w->dir = open_dir(p);
	if (w->dir == -1)
		return;
	/* It gets its name when it has a reader: one without is what a dead process left.  Open
	 * for writing too, so that it never comes to an end. */
	if (mkfifoat(w->dir, made, 0600) == 0) {
		w->fd =
		    openat(w->dir, made, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
		if (w->fd != -1 && renameat(w->dir, made, w->dir, w->name) == 0)
			return;
		(void)unlinkat(w->dir, made, 0);
	}
	wake_close(w);
}

void
wake_drain(const struct waiter *w)
{
	char bytes[512];

	while (w->fd != -1 && read(w->fd, bytes, sizeof(bytes)) > 0)
		continue;
}

void
wake_close(struct waiter *w)
{
	if (w->fd != -1) {
		(void)unlinkat(w->dir, w->name, 0);
		(void)close(w->fd);
	}
	if (w->dir != -1)
		(void)close(w->dir);
	w->fd = w->dir = -1;
}

static void
wake_one(int dir, const char *name)
{
	int fd =
	    openat(dir, name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd == -1) {
		if (errno == ENXIO)
			(void)unlinkat(dir, name, 0);
		return;
	}
	/* Full means that it has been woken and has not looked yet. */
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		(void)!write(fd, "", 1);
	(void)close(fd);
}

void
wake_others(const struct project *p, const struct waiter *self)
{
	int fd = open_dir(p), left = LOOK_MAX;
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (dir == NULL) {
		if (fd != -1)
			(void)close(fd);
		return;
	}
	while (left-- > 0 && (e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.' && (self == NULL || self->fd == -1 ||
					    strcmp(e->d_name, self->name) != 0))
			wake_one(dirfd(dir), e->d_name);
	(void)closedir(dir);
}
