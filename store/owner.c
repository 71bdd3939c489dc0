#include "store/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "base/num.h"
#include "base/proc.h"
#include "store/project.h"

#define RUN_ID_LEN 36
#define OWNER_PATH (sizeof("runs//owner") + RUN_ID_LEN)

/* A look holds a shared lock for some microseconds; a taker that meets one tries again. */
#define LOOK_TRIES    200
#define LOOK_PAUSE_NS 500000

/* A run id becomes part of a path, so it is checked here and not only where it is read. */
static int
owner_path(char out[OWNER_PATH], const char *run, struct err *err)
{
	if (strlen(run) != RUN_ID_LEN || strspn(run, "0123456789abcdef-") != RUN_ID_LEN)
		return err_set(err, ERR_INVALID, "'%.64s' is not the full id of a run",
			       run);
	(void)snprintf(out, OWNER_PATH, "runs/%s/owner", run);
	return 0;
}

/* Write who we are.  It is for people and for `dag cancel`; the lock alone decides, so a full
 * disk must not keep anybody from taking a run over: failures are ignored. */
static void
write_identity(int fd)
{
	char text[64];
	uint64_t start = 0;
	int n;

	(void)proc_start_time(getpid(), &start);
	n = snprintf(text, sizeof(text), "%ld %" PRIu64 "\n", (long)getpid(), start);
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != (ssize_t)n)
		return;
}

static void
read_identity(int fd, struct owner_info *out)
{
	char text[64], *blank, *end;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	uint64_t pid, start, now;

	text[n > 0 ? n : 0] = '\0';
	blank = strchr(text, ' ');
	end = strchr(text, '\n');
	if (blank == NULL || end == NULL || blank > end)
		return;
	*blank = *end = '\0';
	if (num_u64(text, &pid) != 0 || num_u64(blank + 1, &start) != 0 || pid == 0 ||
	    pid > INT32_MAX)
		return;
	out->pid = (pid_t)pid;
	out->start = start;
	/* A process of that pid that started at another time is somebody else. */
	if (proc_start_time(out->pid, &now) == 0 && now == start)
		out->state = proc_state(out->pid);
}

static int
busy(const char *run, const struct owner_info *who, struct err *err)
{
	if (who->pid == 0)
		return err_set(err, ERR_BUSY, "run %s is owned by another process", run);
	return err_set(err, ERR_BUSY, "run %s is owned by process %ld%s", run,
		       (long)who->pid, who->state == 'T' ? ", which is stopped" : "");
}

int
owner_take(const struct project *p, const char *run, struct err *err)
{
	const struct timespec pause = {0, LOOK_PAUSE_NS};
	char path[OWNER_PATH], dir[OWNER_PATH];
	struct owner_info who;
	struct err scratch;
	int fd, tries;

	err = err != NULL ? err : &scratch;
	if (owner_path(path, run, err) != 0)
		return -1;
	(void)snprintf(dir, sizeof(dir), "runs/%s", run);
	for (tries = 0; tries < LOOK_TRIES; tries++) {
		if (fsio_mkdirs(p->state_fd, dir, 0700, err) != 0)
			return -1;
		fd = fsio_lock(p->state_fd, path, LOCK_TRY, true, err);
		if (fd >= 0) {
			fault_point(OWNER_LOCKED);
			write_identity(fd);
			return fd;
		}
		if (err->code != ERR_BUSY)
			return -1;
		if (owner_look(p, run, &who, err) != 0)
			return -1;
		if (who.held)
			return busy(run, &who, err);
		(void)nanosleep(&pause, NULL); /* it was only looked at */
	}
	return err_set(err, ERR_BUSY,
		       "the owner lock '%s/%s' is looked at all the time by somebody",
		       p->state, path);
}

void
owner_release(int fd)
{
	if (fd >= 0)
		close(fd);
}

int
owner_look(const struct project *p, const char *run, struct owner_info *out,
	   struct err *err)
{
	char path[OWNER_PATH];
	int fd;

	memset(out, 0, sizeof(*out));
	if (owner_path(path, run, err) != 0)
		return -1;
	fd = openat(p->state_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		if (errno == ENOENT)
			return 0;
		return err_sys(err, errno, "cannot open '%s/%s'", p->state, path);
	}
	if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
		(void)flock(fd, LOCK_UN);
	} else if (errno == EWOULDBLOCK) {
		out->held = true;
	} else {
		(void)err_sys(err, errno, "cannot look at the lock '%s/%s'", p->state,
			      path);
		close(fd);
		return -1;
	}
	read_identity(fd, out);
	close(fd);
	return 0;
}
