/*
 * The end: the record.  Nothing is fsynced: after a power loss the machine is in another
 * boot, in which every uncommitted attempt is lost whatever its files say, and against a
 * crash of dag or of ourselves the page cache is as good as the disk.  What must hold is
 * that a reader sees the whole record or none, and that is the rename's doing.
 */
#include <string.h>

#include "base/fault.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/oom.h"
#include "tasks/shim/shim.h"
#include "tasks/shim/sys.h"

#define TRIES 60 /* one a second */

int
finish_prepare(int dirfd)
{
	char room[EXIT_RECORD_MAX];
	int fd =
	    (int)sys_openat(dirfd, ATTEMPT_EXIT_TMP,
			    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	/* Written, not fallocated: that is cheaper and reserves the block as well. */
	memset(room, '\n', sizeof(room));
	if (fd >= 0 && sys_pwrite(fd, room, sizeof(room), 0) != (long)sizeof(room)) {
		(void)sys_close(fd); /* of no use */
		return -1;
	}
	return fd;
}

static int64_t
oom_kills(void)
{
	char text[OOM_FILE_MAX];
	long n = sys_read_file(AT_FDCWD, OOM_FILE, text, sizeof(text));

	return n > 0 ? oom_kills_parse(text, (size_t)n) : -1;
}

void
finish_oom(struct exit_record *r, int64_t before, int64_t own)
{
	int64_t after;
	/* The kernel kills by SIGKILL; a shell says so of its child by 137. */
	bool suspect = !r->killed && (r->signal == SIGKILL || r->status == 128 + SIGKILL);

	r->oom = r->mem_over ? EXIT_OOM_YES : EXIT_OOM_NO;
	if (r->mem_over || !suspect)
		return;
	if (own >= 0) {
		r->oom = own > 0 ? EXIT_OOM_YES : EXIT_OOM_NO;
		return;
	}
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
	long rc = 0;

	for (int i = 0; n > 0 && i < TRIES; i++) {
		if (i > 0)
			(void)sys_sleep(&second); /* signals are blocked */
		if (rc == -ENOENT) {
			/* Somebody has deleted it, maybe with the directory. */
			(void)sys_close(fd);
			if ((fd = finish_prepare(dirfd)) == -ENOENT)
				return -1;
		}
		fault_point(SHIM_UNWRITTEN);
		if (sys_pwrite(fd, line, n, 0) != (long)n || sys_ftruncate(fd, n) != 0)
			continue;
		fault_point(SHIM_WRITTEN);
		rc = sys_rename(dirfd, ATTEMPT_EXIT_TMP, ATTEMPT_EXIT);
		if (rc != 0)
			continue;
		fault_point(SHIM_RENAMED);
		return 0;
	}
	return -1;
}
