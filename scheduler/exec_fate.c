/*
 * What became of an attempt, read from its directory.  The order of the questions matters:
 * the lock first (it says whether it lives), then the record, then the marker of the start.
 * Only a file that is surely absent counts as absent: an attempt that lives must never be
 * taken for one that never ran because descriptors had run out.  Nor may one whose files
 * somebody has deleted: where it is known to have begun, or its shim lives by its identity,
 * the lack of a file says nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/proc.h"
#include "scheduler/exec_spawn.h"
#include "scheduler/executor.h"
#include "store/project.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/shim_info.h"

static enum exec_fate
absent(int errnum, const char *what, struct err *err)
{
	if (errnum != ENOENT && errnum != ENOTDIR) {
		(void)err_sys(err, errnum, "cannot look into the attempt's directory");
		return FATE_UNSURE;
	}
	(void)err_set(err, ERR_NOTFOUND, "it was interrupted before its %s", what);
	return FATE_VOID;
}

static enum exec_fate
deleted(const char *what, struct err *err)
{
	(void)err_set(err, ERR_SYS, "its %s was deleted, so nobody knows how it ended",
		      what);
	return FATE_LOST;
}

/* Without `alive`: is the process there that the `shim` file names? */
static bool
shim_lives(int dirfd)
{
	struct shim_info info;
	struct proc_id who;
	int fd;

	if (shim_info_read(dirfd, &info, NULL) != 1)
		return false;
	shim_info_id(&info, &who);
	fd = proc_pidfd(&who);
	if (fd != -1)
		(void)close(fd);
	return fd != -1;
}

/* Does the attempt live?  FATE_ALIVE, FATE_VOID (there is no lock), FATE_UNSURE, or FATE_LOST:
 * its lock is free. */
static enum exec_fate
alive(int dirfd, struct err *err)
{
	int fd = openat(dirfd, ATTEMPT_ALIVE, O_RDONLY | O_CLOEXEC), rc, errnum;

	if (fd == -1)
		return absent(errno, "process was made", err);
	/* A shared lock, so that two who look do not take each other for the shim. */
	rc = flock(fd, LOCK_SH | LOCK_NB);
	errnum = errno;
	(void)close(fd);
	if (rc == 0)
		return FATE_LOST;
	return errnum == EWOULDBLOCK ? FATE_ALIVE : absent(errnum, "", err);
}

static enum exec_fate
fate_in(int dirfd, bool began, struct exit_record *rec, struct err *err)
{
	enum exec_fate fate = alive(dirfd, err);
	bool unlocked = fate == FATE_VOID;
	struct err why = {0};
	struct stat st;

	if (fate == FATE_ALIVE || fate == FATE_UNSURE)
		return fate;
	if (unlocked && shim_lives(dirfd))
		return FATE_ALIVE;
	switch (exit_record_read(dirfd, rec, &why)) {
	case 1:
		return FATE_EXITED;
	case -1:
		if (err != NULL)
			*err = why;
		return why.code == ERR_NEWER ? FATE_LOST : FATE_UNSURE;
	default:
		break;
	}
	if (fstatat(dirfd, ATTEMPT_STARTED, &st, 0) != 0) {
		fate = absent(errno, "program began", err);
		return fate == FATE_VOID && unlocked && began
			   ? deleted("directory or what was in it", err)
			   : fate;
	}
	(void)err_set(err, ERR_SYS, "its shim was killed, so nobody knows how it ended");
	return FATE_LOST;
}

enum exec_fate
exec_local_fate(const struct project *p, const struct exec_adopt *a,
		struct exit_record *rec, struct err *err)
{
	enum exec_fate fate;
	int dirfd;

	memset(rec, 0, sizeof(*rec));
	if (strcmp(a->boot_id, a->this_boot) != 0) {
		err_set(err, ERR_SYS, "the machine was restarted while it was under way");
		return FATE_LOST;
	}
	dirfd = exec_open_dir(p, a->dir);
	if (dirfd == -1) {
		fate = absent(errno, "process was made", err);
		return fate == FATE_VOID && a->began ? deleted("directory", err) : fate;
	}
	fate = fate_in(dirfd, a->began, rec, err);
	(void)close(dirfd);
	return fate;
}
