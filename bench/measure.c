/*
 * Run a program and append to FILE one line: wall-clock milliseconds, CPU milliseconds (user and
 * system, with the children it waited for) and its peak of resident memory in KiB.  Its output
 * goes to ./out.
 *
 *	measure FILE PROGRAM [ARGUMENT...]
 *
 * Exit status: the program's; 125 if it could not be started; 2 for misuse.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double
ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

int
main(int argc, char **argv)
{
	posix_spawn_file_actions_t fa;
	struct rusage ru;
	double start;
	int status, rc;
	FILE *file;
	pid_t pid;

	if (argc < 3) {
		(void)fprintf(stderr, "usage: measure FILE PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	(void)posix_spawn_file_actions_init(&fa);
	(void)posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_addopen(&fa, 1, "out",
					       O_WRONLY | O_CREAT | O_TRUNC, 0600);
	(void)posix_spawn_file_actions_adddup2(&fa, 1, 2);
	start = now_ms();
	rc = posix_spawnp(&pid, argv[2], &fa, NULL, argv + 2, environ);
	if (rc != 0 || wait4(pid, &status, 0, &ru) != pid) {
		(void)fprintf(stderr, "measure: cannot run '%s'\n", argv[2]);
		return 125;
	}
	start = now_ms() - start;
	file = fopen(argv[1], "a");
	if (file == NULL) {
		perror(argv[1]);
		return 125;
	}
	(void)fprintf(file, "%.3f %.3f %ld\n", start, ms(ru.ru_utime) + ms(ru.ru_stime),
		      ru.ru_maxrss);
	if (fclose(file) != 0)
		return 125;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
