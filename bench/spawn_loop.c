/*
 * The floor under every runner of tasks: start a program N times, at most J at a time, and wait
 * for each, with nothing else in between.
 *
 *	spawn_loop N J PROGRAM [ARGUMENT...]
 *
 * Exit status: 0; 1 if a program could not be started or did not exit with 0; 2 for misuse.
 */
#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NUMBER_MAX 10000000

extern char **environ;

static bool
number(const char *s, long *out)
{
	long v = 0;

	for (const char *p = s; *p != '\0'; p++) {
		if (*p < '0' || *p > '9' || v > NUMBER_MAX / 10)
			return false;
		v = v * 10 + (*p - '0');
	}
	*out = v;
	return v > 0 && v <= NUMBER_MAX;
}

static bool
reap(void)
{
	int status;

	while (waitpid(-1, &status, 0) == -1) {
		if (errno != EINTR) {
			perror("spawn_loop: waitpid");
			return false;
		}
	}
	if (status != 0)
		(void)fprintf(stderr, "spawn_loop: a program ended with status %#x\n",
			      (unsigned)status);
	return status == 0;
}

int
main(int argc, char **argv)
{
	long n, j, running = 0;

	if (argc < 4 || !number(argv[1], &n) || !number(argv[2], &j)) {
		(void)fputs("usage: spawn_loop N J PROGRAM [ARGUMENT...]\n", stderr);
		return 2;
	}
	for (long i = 0; i < n; i++) {
		pid_t pid;
		int rc;

		if (running == j) {
			if (!reap())
				return 1;
			running--;
		}
		rc = posix_spawnp(&pid, argv[3], NULL, NULL, argv + 3, environ);
		if (rc != 0) {
			(void)fprintf(stderr, "spawn_loop: %s: %s\n", argv[3],
				      strerror(rc));
			return 1;
		}
		running++;
	}
	for (; running > 0; running--)
		if (!reap())
			return 1;
	return 0;
}
