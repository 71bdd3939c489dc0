/*
 * The end: the record.  Nothing is fsynced: after a power loss the machine is in another
 * boot, in which every uncommitted attempt is lost whatever its files say, and against a
 * crash of dag or of ourselves the page cache is as good as the disk.  What must hold is
 * that a reader sees the whole record or none, and that is the rename's doing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h> /* renameat, nothing that prints */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/oom.h"
#include "tasks/shim/shim.h"

#define TRIES 60 /* one a second */

int
finish_prepare(int dirfd)
{
	char room[EXIT_RECORD_MAX];
	int fd = openat(dirfd, ATTEMPT_EXIT_TMP,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	/* Written, not fallocated: that costs a tenth and reserves the block as well. */
	memset(room, '\n', sizeof(room));
	if (fd >= 0 && pwrite(fd, room, sizeof(room), 0) != (ssize_t)sizeof(room)) {
		int e = errno;

		(void)close(fd); /* of no use */
		errno = e;
		return -1;
	}
	return fd;
}

void
finish_oom(struct exit_record *r, int64_t before)
{
	int64_t after;
	/* The kernel kills by SIGKILL; a shell says so of its child by 137. */
	bool suspect = !r->killed && (r->signal == SIGKILL || r->status == 128 + SIGKILL);

	r->oom = EXIT_OOM_NO;
	if (!suspect)
		return;
	after = oom_kills();
	if (before < 0 || after < 0)
		r->oom = EXIT_OOM_UNKNOWN;
	else if (after > before)
		r->oom = EXIT_OOM_YES;
}

int
finish_write(int dirfd, int fd, const struct exit_record *r)
{
	const struct timespec second = {.tv_sec = 1};
	char line[EXIT_RECORD_MAX];
	size_t n = exit_record_encode(r, line);

	for (int i = 0; n > 0 && i < TRIES; i++) {
		if (i > 0)
			(void)nanosleep(&second, NULL); /* signals are blocked */
		if (pwrite(fd, line, n, 0) == (ssize_t)n &&
		    ftruncate(fd, (off_t)n) == 0 &&
		    renameat(dirfd, ATTEMPT_EXIT_TMP, dirfd, ATTEMPT_EXIT) == 0)
			return 0;
	}
	return -1;
}
