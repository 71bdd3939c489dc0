/*
 * locked DIR WAIT_MS [r:PATH|w:PATH]...: take the lock of the repository whose .dvc/tmp is DIR, or
 * DVC's locks on the paths, print "taken", and hold them until standard input ends.  Who is in
 * the way is printed, "waiting for ..." and at the end "busy: ...".
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "store/dvc/path_lock.h"
#include "store/dvc/work_lock.h"

static void
waiting(void *ctx, const char *who)
{
	(void)ctx;
	(void)printf("waiting for %s\n", who);
	(void)fflush(stdout);
}

static int
say(const struct err *err)
{
	(void)printf("busy: %s\n", err->msg);
	return 1;
}

static void
hold(void)
{
	char byte;

	(void)printf("taken\n");
	(void)fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
}

static int
lock_paths(int dir, int64_t wait_us, char **paths, int n)
{
	struct path_lock_options o = {
	    .tmp_fd = dir, .cmd = "locked", .wait_us = wait_us, .waiting = waiting};
	struct path_lock_want v[16];
	struct err err = {0};
	struct path_lock *l;

	for (int i = 0; i < n && i < 16; i++)
		v[i] = (struct path_lock_want){paths[i] + 2, paths[i][0] == 'w'};
	if (path_lock_take(&o, v, (size_t)(n < 16 ? n : 16), &l, &err) != 0)
		return say(&err);
	hold();
	if (path_lock_drop(l, &err) == 0)
		return 0;
	return say(&err);
}

static int
lock_all(int dir, int64_t wait_us)
{
	struct work_lock_options o = {
	    .dir_fd = dir, .path = "lock", .wait_us = wait_us, .waiting = waiting};
	struct err err = {0};
	int fd = work_lock_take(&o, &err);

	if (fd == -1)
		return say(&err);
	hold();
	work_lock_drop(fd);
	return 0;
}

int
main(int argc, char **argv)
{
	int64_t wait_us;
	int dir, rc;

	if (argc < 3)
		return 2;
	dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1) {
		perror(argv[1]);
		return 2;
	}
	wait_us = (int64_t)strtoll(argv[2], NULL, 10) * 1000;
	rc = argc > 3 ? lock_paths(dir, wait_us, argv + 3, argc - 3)
		      : lock_all(dir, wait_us);
	(void)close(dir);
	return rc;
}
