/*
 * What became of an attempt, read from its directory.  The order of the questions matters:
 * the lock first (it says whether it lives), then the record, then the marker of the start.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "scheduler/executor.h"
#include "store/project.h"
#include "tasks/proto/attempt_dir.h"

/* Is the attempt's lock held?  1 yes, 0 free, -1 there is no such file. */
static int
alive(int dirfd)
{
	int fd = openat(dirfd, ATTEMPT_ALIVE, O_RDONLY | O_CLOEXEC), held;

	if (fd == -1)
		return -1;
	/* A shared lock, so that two who look do not take each other for the shim. */
	held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	(void)close(fd);
	return held;
}

static enum exec_fate
fate_in(int dirfd, struct exit_record *rec, struct err *err)
{
	struct stat st;

	switch (alive(dirfd)) {
	case 1:
		return FATE_ALIVE;
	case -1:
		err_set(err, ERR_NOTFOUND,
			"it was interrupted before its process was made");
		return FATE_VOID;
	default:
		break;
	}
	switch (exit_record_read(dirfd, rec, err)) {
	case 1:
		return FATE_EXITED;
	case -1:
		return FATE_LOST;
	default:
		break;
	}
	if (fstatat(dirfd, ATTEMPT_STARTED, &st, 0) != 0) {
		err_set(err, ERR_NOTFOUND, "it was interrupted before its program began");
		return FATE_VOID;
	}
	err_set(err, ERR_SYS, "its shim was killed, so nobody knows how it ended");
	return FATE_LOST;
}

enum exec_fate
exec_local_fate(const struct project *p, const struct exec_adopt *a,
		struct exit_record *rec, struct err *err)
{
	enum exec_fate fate;
	struct buf path;
	int dirfd;

	memset(rec, 0, sizeof(*rec));
	if (strcmp(a->boot_id, a->this_boot) != 0) {
		err_set(err, ERR_SYS, "the machine was restarted while it was under way");
		return FATE_LOST;
	}
	buf_init(&path, 0);
	buf_addf(&path, "%s/%s", p->state, a->dir);
	dirfd = buf_failed(&path) ? -1 : open(path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	buf_release(&path);
	if (dirfd == -1) {
		err_set(err, ERR_NOTFOUND,
			"it was interrupted before its process was made");
		return FATE_VOID;
	}
	fate = fate_in(dirfd, rec, err);
	(void)close(dirfd);
	return fate;
}
