/*
 * What an owner does with the shim, as a command, for the tests:
 *
 *	shim_drive run [OPTION...] DIR -- COMMAND...	start, wait, print the record
 *	shim_drive start [OPTION...] DIR -- COMMAND...	start, print the shim's pid
 *	shim_drive record DIR	print the record; exit 1 if there is none
 *	shim_drive info DIR	print the shim file
 *	shim_drive alive DIR	print "held", "free" or "none"
 *	shim_drive log DIR [OFFSET]	print the log; gaps as "[gap N at O]"
 *	shim_drive bench N shim|bare DIR	cost of an attempt
 *
 * OPTION: --timeout MS --grace MS --limit BYTES --leave --with-owner --cwd DIR --secret TEXT --env N=V
 * --bigenv BYTES --noenv --shim PATH --umask OCTAL
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/logfile.h"
#include "tasks/proto/record.h"
#include "tasks/proto/shim_info.h"
#include "tasks/proto/shim_spec.h"

static const char *shim_path = TEST_BUILD "/libexec/dag/dag-shim";

static void __attribute__((noreturn)) die(const char *what)
{
	(void)fprintf(stderr, "shim_drive: %s: %s\n", what, strerror(errno));
	exit(99);
}

static void __attribute__((noreturn)) die_err(const struct err *err)
{
	(void)fprintf(stderr, "shim_drive: %s\n", err->msg);
	exit(98);
}

static int
open_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		die(dir);
	return fd;
}

static int
make_alive(const char *dir)
{
	int dirfd, fd;

	/* By chmod, since a umask may take even from the owner. */
	if ((mkdir(dir, 0700) != 0 && errno != EEXIST) || chmod(dir, 0700) != 0)
		die(dir);
	dirfd = open_dir(dir);
	fd = openat(dirfd, ATTEMPT_ALIVE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
		die("alive");
	(void)close(dirfd);
	return fd;
}

/* The start as shim_spec.h wants it. */
static pid_t
spawn_shim(const char *dir, int alive, int spec)
{
	char name[] = "dag-shim", path[PATH_MAX];
	char *argv[] = {name, path, NULL}, *envp[] = {NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t all;
	pid_t pid;
	int rc;

	if (realpath(dir, path) == NULL)
		die(dir);
	(void)sigfillset(&all);
	(void)posix_spawn_file_actions_init(&fa);
	(void)posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&fa, 1, 2);
	(void)posix_spawn_file_actions_adddup2(&fa, alive, SHIM_FD_ALIVE);
	(void)posix_spawn_file_actions_adddup2(&fa, spec, SHIM_FD_SPEC);
	(void)posix_spawnattr_init(&at);
	(void)posix_spawnattr_setsigdefault(&at, &all);
	(void)posix_spawnattr_setsigmask(&at, &all);
	(void)posix_spawnattr_setflags(
	    &at,
	    (short)(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
	if ((rc = posix_spawn(&pid, shim_path, &fa, &at, argv, envp)) != 0) {
		errno = rc;
		die(shim_path);
	}
	(void)posix_spawnattr_destroy(&at);
	(void)posix_spawn_file_actions_destroy(&fa);
	return pid;
}

static pid_t
start(const char *dir, const struct shim_spec *s)
{
	struct err err = {0};
	/* High numbers, so that neither is moved onto the other's place. */
	int alive = fcntl(make_alive(dir), F_DUPFD_CLOEXEC, 20), spec, high;
	pid_t pid;

	if ((spec = shim_spec_memfd(s, &err)) < 0)
		die_err(&err);
	high = fcntl(spec, F_DUPFD_CLOEXEC, 20);
	pid = spawn_shim(dir, alive, high);
	for (int fd = 3; fd < 30; fd++)
		(void)close(fd);
	return pid;
}

static int
print_record(const char *dir)
{
	char line[EXIT_RECORD_MAX];
	struct exit_record r;
	struct err err = {0};
	int fd = open_dir(dir), rc = exit_record_read(fd, &r, &err);
	size_t n;

	if (rc < 0)
		die_err(&err);
	if (rc == 0) {
		(void)puts("record=absent");
		return 1;
	}
	n = exit_record_encode(&r, line);
	(void)fwrite(line, 1, n, stdout);
	(void)close(fd);
	return 0;
}

static int
print_info(const char *dir)
{
	struct shim_info i;
	struct err err = {0};
	int fd = open_dir(dir), rc = shim_info_read(fd, &i, &err);

	if (rc < 0)
		die_err(&err);
	if (rc == 0)
		return 1;
	(void)printf("protocol=%d pid=%d start=%llu session=%d boot=%s attempt=%s\n",
		     i.protocol, (int)i.pid, (unsigned long long)i.start, (int)i.session,
		     i.boot, i.attempt_id);
	(void)close(fd);
	return 0;
}

static int
print_alive(const char *dir)
{
	int fd = openat(open_dir(dir), ATTEMPT_ALIVE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return puts("none") < 0;
	(void)puts(flock(fd, LOCK_EX | LOCK_NB) == 0 ? "free" : "held");
	(void)close(fd);
	return 0;
}

static int
print_log(const char *dir, uint64_t at)
{
	static char p[65536];
	struct log_chunk c;
	struct err err = {0};
	int fd = open_dir(dir);

	for (;; at = c.offset + c.n) {
		if (log_read(fd, at, p, sizeof(p), &c, &err) != 0)
			die_err(&err);
		if (c.gap > 0)
			(void)printf("[gap %llu at %llu]", (unsigned long long)c.gap,
				     (unsigned long long)at);
		if (c.n == 0)
			break;
		(void)fwrite(p, 1, c.n, stdout);
	}
	(void)close(fd);
	return 0;
}

static int
finish(const char *dir, pid_t pid)
{
	int st;

	while (waitpid(pid, &st, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	if (WIFSIGNALED(st))
		(void)printf("shim=signal%d ", WTERMSIG(st));
	else
		(void)printf("shim=%d ", WEXITSTATUS(st));
	return print_record(dir);
}

static int
bench(long n, const char *how, const char *dir)
{
	const char *argv[] = {"/bin/true", NULL};
	struct shim_spec s = {.argv = argv,
			      .envp = (const char *const *)environ,
			      .cwd = "/",
			      .attempt_id = "bench",
			      .grace_us = SHIM_GRACE_US,
			      .log_limit = SHIM_LOG_DEFAULT};
	char path[PATH_MAX];
	int64_t t = clock_now().mono_us;

	(void)mkdir(dir, 0700);
	for (long i = 0; i < n; i++) {
		pid_t pid;
		int st;

		if (strcmp(how, "bare") == 0) {
			char *av[] = {(char *)(uintptr_t)argv[0], NULL};

			if (posix_spawn(&pid, argv[0], NULL, NULL, av, environ) != 0)
				die("spawn");
		} else {
			(void)snprintf(path, sizeof(path), "%s/%ld", dir, i);
			pid = start(path, &s);
		}
		if (waitpid(pid, &st, 0) != pid || st != 0)
			die("waitpid");
	}
	t = clock_now().mono_us - t;
	(void)printf("%s: %.1f us each\n", how, (double)t / (double)n);
	return 0;
}

static const char *
need(char **argv, int *i)
{
	if (argv[*i + 1] == NULL) {
		errno = EINVAL;
		die(argv[*i]);
	}
	return argv[++*i];
}

static int64_t
num(const char *s)
{
	int64_t v;

	if (num_i64(s, &v) != 0) {
		errno = EINVAL;
		die(s);
	}
	return v;
}

static mode_t
octal(const char *s)
{
	mode_t v = 0;

	for (; *s >= '0' && *s <= '7'; s++)
		v = v * 8 + (mode_t)(*s - '0');
	return v;
}

/* NAME=xxx of ${n} bytes in all. */
static const char *
big_env(size_t n)
{
	char *p = malloc(n + 1);

	if (p == NULL)
		die("malloc");
	memset(p, 'x', n);
	memcpy(p, "BIG=", 4);
	p[n] = '\0';
	return p;
}

static const char *envp[256];
static size_t envc;
static struct shim_secret secrets[128];

/* Read the option at argv[i]; return the index of its last argument. */
static int
option(struct shim_spec *s, char **argv, int i)
{
	const char *o = argv[i];

	if (strcmp(o, "--timeout") == 0)
		s->timeout_us = num(need(argv, &i)) * 1000;
	else if (strcmp(o, "--grace") == 0)
		s->grace_us = num(need(argv, &i)) * 1000;
	else if (strcmp(o, "--limit") == 0)
		s->log_limit = (uint64_t)num(need(argv, &i));
	else if (strcmp(o, "--leave") == 0)
		s->leave_children = true;
	else if (strcmp(o, "--with-owner") == 0)
		s->with_owner = true;
	else if (strcmp(o, "--cwd") == 0)
		s->cwd = need(argv, &i);
	else if (strcmp(o, "--env") == 0 && envc < 250)
		envp[envc++] = need(argv, &i);
	else if (strcmp(o, "--bigenv") == 0 && envc < 250)
		envp[envc++] = big_env((size_t)num(need(argv, &i)));
	else if (strcmp(o, "--noenv") == 0)
		envc = 0;
	else if (strcmp(o, "--shim") == 0)
		shim_path = need(argv, &i);
	else if (strcmp(o, "--umask") == 0)
		(void)umask(octal(need(argv, &i)));
	else if (strcmp(o, "--secret") == 0 && s->nsecrets < 128) {
		secrets[s->nsecrets].p = need(argv, &i);
		secrets[s->nsecrets].n = strlen(argv[i]);
		s->nsecrets++;
	} else {
		errno = EINVAL;
		die(o);
	}
	return i;
}

static int
run(int argc, char **argv, bool wait)
{
	struct shim_spec s = {.envp = envp,
			      .attempt_id = "test-attempt",
			      .cwd = "/",
			      .grace_us = 1000000,
			      .log_limit = SHIM_LOG_DEFAULT,
			      .secrets = secrets};
	pid_t pid;
	int i = 2;

	for (char **e = environ; *e != NULL && envc < 200; e++)
		envp[envc++] = *e;
	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++)
		i = option(&s, argv, i);
	if (i + 2 >= argc || strcmp(argv[i + 1], "--") != 0) {
		errno = EINVAL;
		die("usage");
	}
	envp[envc] = NULL;
	s.argv = (const char *const *)argv + i + 2;
	pid = start(argv[i], &s);
	if (wait)
		return finish(argv[i], pid);
	(void)printf("%d\n", (int)pid);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if (strcmp(verb, "run") == 0)
		return run(argc, argv, true);
	if (strcmp(verb, "start") == 0)
		return run(argc, argv, false);
	if (strcmp(verb, "record") == 0)
		return print_record(argv[2]);
	if (strcmp(verb, "info") == 0)
		return print_info(argv[2]);
	if (strcmp(verb, "alive") == 0)
		return print_alive(argv[2]);
	if (strcmp(verb, "log") == 0)
		return print_log(argv[2], argc > 3 ? (uint64_t)num(argv[3]) : 0);
	if (strcmp(verb, "bench") == 0 && argc == 5)
		return bench((long)num(argv[2]), argv[3], argv[4]);
	(void)fprintf(stderr, "usage: see the head of drive.c\n");
	return 99;
}
