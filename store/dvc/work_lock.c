#include "store/dvc/work_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/meter.h"

#define NAP_MIN_US 2000
#define NAP_MAX_US 100000
#define WHO_MAX	   160

/* The command line of a process, with blanks between; "" if it cannot be known. */
static void
command_of(long pid, char *out, size_t max)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		n = read(fd, out, max - 1);
		(void)close(fd);
	}
	for (ssize_t i = 0; i < n; i++)
		if ((unsigned char)out[i] < ' ' || out[i] == 0x7f)
			out[i] = ' ';
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n > 0 ? n : 0] = '\0';
}

/* Who says in the file that the lock is his. */
static void
holder(int dir_fd, const char *path, char who[WHO_MAX])
{
	char text[32] = "", command[100];
	int fd = openat(dir_fd, path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	long pid = 0;
	ssize_t n = 0;

	if (fd != -1) {
		n = read(fd, text, sizeof(text) - 1);
		(void)close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	for (const char *p = text + strspn(text, " "); *p >= '0' && *p <= '9'; p++)
		pid = pid < 100000000 ? pid * 10 + (*p - '0') : pid;
	if (pid <= 0) {
		(void)snprintf(who, WHO_MAX, "another process");
		return;
	}
	command_of(pid, command, sizeof(command));
	if (command[0] != '\0')
		(void)snprintf(who, WHO_MAX, "process %ld (%s)", pid, command);
	else
		(void)snprintf(who, WHO_MAX, "process %ld", pid);
}

/* Make the file, that all who may write here can take it, and its directory. */
static int
make_file(const struct work_lock_options *o, struct err *err)
{
	int fd, flags = O_RDWR | O_CREAT | O_NOCTTY | O_CLOEXEC, rc = 0;
	struct buf dir;

	fd = openat(o->dir_fd, o->path, flags, 0666);
	if (fd == -1 && errno == ENOENT) {
		buf_init(&dir, 0);
		buf_add(&dir, o->path, (size_t)(path_basename(o->path) - o->path));
		rc = buf_failed(&dir) ? err_nomem(err)
				      : fsio_mkdirs(o->dir_fd, dir.p, 0777, err);
		buf_release(&dir);
		if (rc != 0)
			return -1;
		fd = openat(o->dir_fd, o->path, flags, 0666);
	}
	if (fd == -1)
		return err_sys(err, errno, "cannot open the lock file '%s'", o->path);
	(void)close(fd);
	return 0;
}

static void
nap(int64_t us)
{
	struct timespec ts = {us / 1000000, us % 1000000 * 1000};

	(void)nanosleep(&ts, NULL); /* woken early we look early */
}

/* Whoever finds it locked wants to know by whom.  That it could not be written is no reason to
 * give it back. */
static void
sign(int fd)
{
	char text[32], was[sizeof(text)];
	int n = snprintf(text, sizeof(text), " %ld\n", (long)getpid());

	if (pread(fd, was, sizeof(was), 0) == n && memcmp(was, text, (size_t)n) == 0)
		return;
	/* Over what stands there: to cut it first costs a block of the disk each time. */
	if (pwrite(fd, text, (size_t)n, 0) == n)
		(void)!ftruncate(fd, n);
}

int
work_lock_take(const struct work_lock_options *o, struct err *err)
{
	int64_t end = clock_now().mono_us + o->wait_us, left, us = NAP_MIN_US;
	bool told = false, made = false;
	char who[WHO_MAX];
	struct err why = {0};
	int fd;

	while ((fd = fsio_lock(o->dir_fd, o->path, LOCK_TRY, false, &why)) == -1) {
		if (why.code == ERR_NOTFOUND && !made) {
			if (make_file(o, err) != 0)
				return -1;
			made = true;
			continue;
		}
		if (why.code != ERR_BUSY) {
			if (err != NULL)
				*err = why;
			return -1;
		}
		holder(o->dir_fd, o->path, who);
		left = end - clock_now().mono_us;
		if (left <= 0)
			return err_set(
			    err, ERR_BUSY,
			    "the repository is in use by %s: try again when it "
			    "is done (lock '%s')",
			    who, o->path);
		if (meter_cancelled(o->meter))
			return err_set(err, ERR_CANCELLED, "stopped while waiting for %s",
				       who);
		if (!told && o->waiting != NULL)
			o->waiting(o->ctx, who);
		told = true;
		nap(us < left ? us : left);
		us = 2 * us < NAP_MAX_US ? 2 * us : NAP_MAX_US;
	}
	sign(fd);
	return fd;
}

void
work_lock_drop(int fd)
{
	if (fd != -1)
		(void)close(fd);
}
