#include "base/proc.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "unit/base/fixture.h"

/* A child that waits to be killed. */
static pid_t
start_child(const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* if an assertion fails */
		if (name != NULL)
			(void)prctl(PR_SET_NAME, name);
		for (;;)
			(void)pause();
	}
	assert_true(pid > 0);
	return pid;
}

static void
end_child(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
await_state(pid_t pid, char wanted)
{
	struct timespec ms = {.tv_nsec = 1000000};
	int i;

	for (i = 0; i < 5000 && proc_state(pid) != wanted; i++)
		(void)nanosleep(&ms, NULL);
	assert_int_equal(proc_state(pid), wanted);
}

/* The identity of another process of here. */
static struct proc_id
id_of(pid_t pid)
{
	struct proc_id id;

	assert_int_equal(proc_self(&id), 0);
	id.pid = pid;
	assert_int_equal(proc_start_time(pid, &id.start), 0);
	return id;
}

static void
test_self(void **state)
{
	struct proc_id id;
	uint64_t start;
	pid_t session;

	(void)state;
	assert_int_equal(proc_self(&id), 0);
	assert_int_equal(id.pid, getpid());
	assert_int_equal(strlen(id.boot), 36);
	assert_true(id.pidns != 0);
	assert_int_equal(proc_start_time(getpid(), &start), 0);
	assert_true(start == id.start);
	/* We started after the first process of this namespace did. */
	assert_int_equal(proc_start_time(1, &start), 0);
	assert_true(start <= id.start);
	assert_int_equal(proc_session(getpid(), &session), 0);
	assert_int_equal(session, getsid(0));
}

/* What a name holds must not be taken for fields. */
static void
test_names_that_lie(void **state)
{
	static const char *const names[] = {") Z 1 1 1 (", "a) R 1 2 3", ")",
					    " ",	   "((",	 "\n"};
	pid_t pid, session;
	uint64_t plain, start;
	size_t i;

	(void)state;
	assert_int_equal(proc_start_time(getpid(), &plain), 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		pid = start_child(names[i]);
		await_state(pid, 'S');
		assert_int_equal(proc_session(pid, &session), 0);
		assert_int_equal(session, getsid(0));
		assert_int_equal(proc_start_time(pid, &start), 0);
		assert_true(start >= plain);
		assert_true(start - plain < 12000); /* two minutes of ticks */
		end_child(pid);
	}
}

static void
test_states(void **state)
{
	pid_t pid = start_child(NULL), session;
	uint64_t start;

	(void)state;
	(void)kill(pid, SIGSTOP);
	await_state(pid, 'T');
	(void)kill(pid, SIGKILL);
	await_state(pid, 'Z');
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(proc_state(pid), 0);
	assert_int_equal(proc_start_time(pid, &start), -1);
	assert_int_equal(proc_session(pid, &session), -1);
	assert_int_equal(proc_state(-1), 0);
	assert_int_equal(proc_state(0), 0);
}

static void
assert_no_pidfd(const struct proc_id *id)
{
	errno = 0;
	assert_int_equal(proc_pidfd(id), -1);
	assert_int_equal(errno, ESRCH);
	errno = 0;
	assert_int_equal(proc_signal(id, SIGKILL), -1);
	assert_int_equal(errno, ESRCH);
}

static void
test_pidfd_is_of_exactly_one(void **state)
{
	pid_t pid = start_child(NULL);
	struct proc_id id = id_of(pid), wrong;
	struct pollfd p = {.events = POLLIN};

	(void)state;
	wrong = id;
	wrong.start++;
	assert_no_pidfd(&wrong);
	wrong = id;
	wrong.pidns++;
	assert_no_pidfd(&wrong);
	wrong = id;
	wrong.boot[0] = wrong.boot[0] == '0' ? '1' : '0';
	assert_no_pidfd(&wrong);
	wrong = id;
	wrong.pid = -1;
	assert_no_pidfd(&wrong);
	wrong.pid = 0;
	assert_no_pidfd(&wrong);
	assert_true(strchr("SR", proc_state(pid)) != NULL); /* nobody hit it */

	p.fd = proc_pidfd(&id);
	if (p.fd < 0 && errno == ENOSYS)
		skip();
	assert_true(p.fd >= 0);
	assert_true((fcntl(p.fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(proc_signal(&id, 0), 0);
	assert_int_equal(proc_signal(&id, SIGTERM), 0);
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)close(p.fd);
	assert_no_pidfd(&id); /* dead and gone */
	assert_int_equal(proc_signal(&(struct proc_id){0}, 0), -1);
}

static void
test_bad_signal(void **state)
{
	pid_t pid = start_child(NULL);
	struct proc_id id = id_of(pid);

	(void)state;
	assert_int_equal(proc_signal(&id, 4711), -1);
	assert_int_equal(errno, EINVAL);
	end_child(pid);
}

/* What proc_find told. */
struct found {
	pid_t pids[64];
	int n;
};

static void
note(void *ctx, pid_t pid)
{
	struct found *f = ctx;

	if (f->n < 64)
		f->pids[f->n++] = pid;
}

static int
count(pid_t session, const char *entry)
{
	struct found f = {.n = 0};
	int n = proc_find(session, entry, note, &f);

	assert_int_equal(n, f.n);
	return n;
}

static pid_t
only(pid_t session, const char *entry)
{
	struct found f = {.n = 0};

	assert_int_equal(proc_find(session, entry, note, &f), 1);
	return f.pids[0];
}

/*
 * A grandchild in a session of its own, whose parent is gone: what a task that daemonizes
 * leaves.  It runs sleep with the environment given and tells its pid.
 */
static pid_t
start_daemon(char *const envp[])
{
	int ends[2];
	pid_t pid, daemon_pid = 0;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)setsid();
		if (fork() == 0) {
			(void)setsid();
			daemon_pid = getpid();
			/* Nobody who reads our output waits for the daemon. */
			(void)close(STDOUT_FILENO);
			(void)close(STDERR_FILENO);
			if (write(ends[1], &daemon_pid, sizeof(daemon_pid)) < 0)
				_exit(1);
			(void)execle("/bin/sleep", "sleep", "60", (char *)NULL, envp);
			_exit(127);
		}
		_exit(0);
	}
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &daemon_pid, sizeof(daemon_pid)),
			 sizeof(daemon_pid));
	/* The end of the pipe says that exec has happened. */
	assert_int_equal(read(ends[0], ends, 1), 0);
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return daemon_pid;
}

static void
await_end(pid_t pid)
{
	struct timespec ms = {.tv_nsec = 1000000};
	int i;

	(void)kill(pid, SIGKILL);
	for (i = 0; i < 5000 && strchr("Z", proc_state(pid)) == NULL; i++)
		(void)nanosleep(&ms, NULL);
}

static void
test_find_daemon(void **state)
{
	char first[] = "A=1", entry[64], last[] = "Z=2", other[80];
	char *envp[] = {first, entry, last, NULL};
	pid_t pid;

	(void)state;
	(void)snprintf(entry, sizeof(entry), "DAG_ATTEMPT_ID=%ld.7", (long)getpid());
	assert_int_equal(count(0, entry), 0);
	pid = start_daemon(envp);
	assert_int_equal(only(0, entry), pid);
	assert_int_equal(only(pid, NULL), pid); /* it leads its session */
	assert_int_equal(only(pid, entry), pid);
	assert_int_equal(only(pid, "NO=1"), pid);
	/* The whole entry and nothing else. */
	(void)snprintf(other, sizeof(other), "%s1", entry);
	assert_int_equal(count(0, other), 0);
	(void)snprintf(other, sizeof(other), "X%s", entry);
	assert_int_equal(count(0, other), 0);
	entry[strlen(entry) - 1] = '\0';
	assert_int_equal(count(0, entry), 0);
	assert_int_equal(count(0, ""), 0);
	assert_int_equal(count(0, NULL), 0);
	await_end(pid);
	assert_int_equal(count(pid, NULL), 0);
}

/* The entry at every offset around the borders of the pieces that are read. */
static void
test_find_across_pieces(void **state)
{
	static char pad[100000];
	char entry[64], *envp[] = {pad, entry, NULL};
	size_t i;
	pid_t pid;

	(void)state;
	(void)snprintf(entry, sizeof(entry), "DAG_ATTEMPT_ID=%ld.8", (long)getpid());
	for (i = 0; i < 14; i++) {
		size_t n = i < 12 ? 4096 - 2 - strlen(entry) / 12 * i : i * 7000;

		memset(pad, 'p', n);
		pad[n] = '\0';
		pid = start_daemon(envp);
		assert_int_equal(only(0, entry), pid);
		await_end(pid);
	}
}

static void
test_find_big_environment(void **state)
{
	static char pads[14][100000];
	char entry[64], *envp[16];
	size_t i;
	pid_t pid;

	(void)state;
	for (i = 0; i < 14; i++) {
		memset(pads[i], 'a' + (int)i, sizeof(pads[i]) - 1);
		envp[i] = pads[i];
	}
	(void)snprintf(entry, sizeof(entry), "DAG_ATTEMPT_ID=%ld.9", (long)getpid());
	envp[14] = entry;
	envp[15] = NULL;
	pid = start_daemon(envp);
	assert_int_equal(only(0, entry), pid);
	await_end(pid);
}

static void
test_find_leaves_out(void **state)
{
	struct found f = {.n = 0};
	pid_t zombie, pid;
	int i;

	(void)state;
	zombie = start_child(NULL);
	(void)kill(zombie, SIGKILL);
	await_state(zombie, 'Z');
	pid = start_child(NULL);
	/* Our session: the child, neither the zombie nor ourselves. */
	assert_true(proc_find(getsid(0), NULL, note, &f) >= 1);
	for (i = 0; i < f.n; i++)
		assert_true(f.pids[i] != zombie && f.pids[i] != getpid());
	for (i = 0; i < f.n && f.pids[i] != pid; i++)
		;
	assert_true(i < f.n || f.n == 64);
	end_child(pid);
	assert_int_equal(waitpid(zombie, NULL, 0), zombie);
}

/* Another user's processes are not ours, even where root may read them. */
static void
test_find_only_ours(void **state)
{
	int ends[2], status;
	pid_t pid;
	char c;

	(void)state;
	if (getuid() != 0)
		skip();
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)setsid();
		(void)alarm(60);
		if (setgid(65534) != 0 || setuid(65534) != 0 ||
		    write(ends[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ends[0], &c, 1), 1);
	assert_int_equal(count(pid, NULL), 0);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* In a container our session may be that of a process outside, which has no number here. */
static int
in_own_session(void)
{
	int status;
	pid_t pid = fork();

	if (pid == -1 || (pid == 0 && setsid() == -1))
		return 1;
	if (pid == 0)
		return 0;
	while (waitpid(pid, &status, 0) == -1)
		continue;
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_self),
	    cmocka_unit_test(test_names_that_lie),
	    cmocka_unit_test(test_states),
	    cmocka_unit_test(test_pidfd_is_of_exactly_one),
	    cmocka_unit_test(test_bad_signal),
	    cmocka_unit_test(test_find_daemon),
	    cmocka_unit_test(test_find_across_pieces),
	    cmocka_unit_test(test_find_big_environment),
	    cmocka_unit_test(test_find_leaves_out),
	    cmocka_unit_test(test_find_only_ours),
	};

	if (in_own_session() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
