#include "base/fsio.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/err.h"
#include "unit/base/fault.h"
#include "unit/base/fixture.h"

static void
test_lock(void **state)
{
	struct tmpdir *t = *state;
	struct fault eintr = {FSIO_LOCK, 1, 3, EINTR, 0},
		     enolck = {FSIO_LOCK, 1, 1, ENOLCK, 0};
	struct err err = {0};
	struct stat st;
	int a, copy, b;

	assert_int_equal(fsio_lock(t->fd, "l", LOCK_TRY, false, &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
	a = fsio_lock(t->fd, "l", LOCK_TRY, true, &err);
	assert_true(a >= 0);
	assert_true((fcntl(a, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(fstatat(t->fd, "l", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(fsio_lock(t->fd, "l", LOCK_TRY, true, &err), -1);
	assert_int_equal(err.code, ERR_BUSY);
	/* It dies with the last descriptor of the open file, not the first. */
	copy = dup(a);
	(void)close(a);
	assert_int_equal(fsio_lock(t->fd, "l", LOCK_TRY, true, &err), -1);
	(void)close(copy);
	fault_start(&eintr);
	b = fsio_lock(t->fd, "l", LOCK_WAIT, false, &err);
	assert_true(b >= 0);
	(void)close(b);
	fault_start(&enolck);
	assert_int_equal(fsio_lock(t->fd, "l", LOCK_WAIT, false, &err), -1);
	fault_end();
	assert_int_equal(err.sys, ENOLCK);
	assert_int_equal(err.code, ERR_SYS);
}

/* A directory's; where that cannot be had, nobody waits. */
static void
test_lock_dir(void **state)
{
	struct tmpdir *t = *state;
	struct fault ebadf = {FSIO_LOCK, 1, 1, EBADF, 0}, eio = {FSIO_LOCK, 1, 1, EIO, 0};
	struct err err = {0};
	int a, b;

	assert_int_equal(fsio_lock_dir(t->fd, "nowhere", &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
	a = fsio_lock_dir(t->fd, ".", &err);
	assert_true(a >= 0);
	assert_true((fcntl(a, F_GETFD) & FD_CLOEXEC) != 0);
	b = openat(t->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(b, LOCK_EX | LOCK_NB), -1);
	(void)close(a);
	assert_int_equal(flock(b, LOCK_EX | LOCK_NB), 0);
	fault_start(&ebadf);
	a = fsio_lock_dir(t->fd, ".", &err);
	assert_true(a >= 0);
	(void)close(a);
	(void)close(b);
	fault_start(&eio);
	assert_int_equal(fsio_lock_dir(t->fd, ".", &err), -1);
	fault_end();
	assert_int_equal(err.sys, EIO);
}

/* Lock in a child that waits, and tell when it has it. */
static pid_t
start_waiter(struct tmpdir *t, int held, int told[2])
{
	struct err err = {0};
	pid_t pid;
	int fd;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* if an assertion fails */
		(void)close(held); /* or we would hold it ourselves */
		fd = fsio_lock(t->fd, "l", LOCK_WAIT, true, &err);
		if (fd < 0 || write(told[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	return pid;
}

/* Until the child sleeps in flock, as its wait channel says; some time where it does not. */
static void
await_blocked(pid_t pid)
{
	char path[64], text[64];
	int fd, i;

	(void)snprintf(path, sizeof(path), "/proc/%ld/syscall", (long)pid);
	for (i = 0; i < 2000; i++) {
		ssize_t n = 0;

		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			n = read(fd, text, sizeof(text) - 1);
			(void)close(fd);
		}
		text[n > 0 ? n : 0] = '\0';
		if (strncmp(text, "73 ", 3) == 0) /* flock on x86-64 */
			return;
		(void)usleep(1000);
		if (i > 200 && n <= 0)
			return;
	}
}

static void
test_lock_waits(void **state)
{
	struct tmpdir *t = *state;
	struct err err = {0};
	int held = fsio_lock(t->fd, "l", LOCK_TRY, true, &err), told[2];
	pid_t pid;
	char c;

	assert_true(held >= 0);
	pid = start_waiter(t, held, told);
	await_blocked(pid);
	(void)close(held);
	assert_int_equal(read(told[0], &c, 1), 1);
	assert_int_equal(fsio_lock(t->fd, "l", LOCK_TRY, true, &err), -1);
	assert_int_equal(err.code, ERR_BUSY);
	/* A holder that is killed holds nothing. */
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	held = fsio_lock(t->fd, "l", LOCK_TRY, true, &err);
	assert_true(held >= 0);
	(void)close(held);
	(void)close(told[0]);
	(void)close(told[1]);
}

/* Who waited for a file that was replaced meanwhile holds the new one. */
static void
test_lock_of_replaced_file(void **state)
{
	struct tmpdir *t = *state;
	struct err err = {0};
	int held = fsio_lock(t->fd, "l", LOCK_TRY, true, &err), told[2], fd;
	pid_t pid;
	char c;

	assert_true(held >= 0);
	pid = start_waiter(t, held, told);
	await_blocked(pid);
	fd = openat(t->fd, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(renameat(t->fd, "new", t->fd, "l"), 0);
	(void)close(held);
	assert_int_equal(read(told[0], &c, 1), 1);
	assert_int_equal(fsio_lock(t->fd, "l", LOCK_TRY, true, &err), -1);
	assert_int_equal(err.code, ERR_BUSY);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)close(told[0]);
	(void)close(told[1]);
}

#define in_tmpdir(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    in_tmpdir(test_lock),
	    in_tmpdir(test_lock_dir),
	    in_tmpdir(test_lock_waits),
	    in_tmpdir(test_lock_of_replaced_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
