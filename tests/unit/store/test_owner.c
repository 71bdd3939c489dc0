#include "unit/store/store_test.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/file.h>

#include "base/proc.h"
#include "store/owner.h"

#define RUN "0193b7c4-1111-7222-8333-444455556666"

static struct err err;

static void
test_take_and_look(void **state)
{
	struct owner_info who;
	struct place pl;
	uint64_t start;
	int fd;

	(void)state;
	place_make(&pl);
	ok(owner_look(&pl.p, RUN, &who, &err));
	assert_false(who.held);
	assert_int_equal(who.pid, 0);
	assert_null(slurp(pl.p.state, "runs")); /* looking makes nothing */

	fd = owner_take(&pl.p, RUN, &err);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(proc_start_time(getpid(), &start), 0);
	ok(owner_look(&pl.p, RUN, &who, &err));
	assert_true(who.held);
	assert_int_equal(who.pid, getpid());
	assert_int_equal(who.start, start);
	assert_true(who.state != 0 && who.state != 'T');

	assert_int_equal(owner_take(&pl.p, RUN, &err), -1);
	assert_int_equal(err.code, ERR_BUSY);
	says("owned by process");

	owner_release(fd);
	ok(owner_look(&pl.p, RUN, &who, &err));
	assert_false(who.held);
	fd = owner_take(&pl.p, RUN, &err);
	assert_true(fd >= 0);
	owner_release(fd);
	place_remove(&pl);
}

/* The lock of a process that was killed is free at once; a stopped one is told. */
static void
test_dead_and_stopped(void **state)
{
	struct owner_info who;
	struct place pl;
	int ready[2], fd;
	pid_t pid;
	char c;

	(void)state;
	place_make(&pl);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		fd = owner_take(&pl.p, RUN, &err);
		c = fd >= 0 ? 'y' : 'n';
		if (write(ready[1], &c, 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(c, 'y');
	assert_int_equal(kill(pid, SIGSTOP), 0);
	do {
		ok(owner_look(&pl.p, RUN, &who, &err));
		assert_true(who.held);
		assert_int_equal(who.pid, pid);
	} while (who.state != 'T');
	assert_int_equal(owner_take(&pl.p, RUN, &err), -1);
	says("stopped");
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(child_status(pid), 128 + SIGKILL);
	ok(owner_look(&pl.p, RUN, &who, &err));
	assert_false(who.held);
	assert_int_equal(who.pid, pid); /* who it was */
	assert_int_equal(who.state, 0);
	fd = owner_take(&pl.p, RUN, &err);
	assert_true(fd >= 0);
	owner_release(fd);
	close(ready[0]);
	close(ready[1]);
	place_remove(&pl);
}

/* Somebody who looks all the time does not keep an owner from taking the run. */
static void
test_look_does_not_disturb(void **state)
{
	struct owner_info who;
	struct place pl;
	pid_t lookers[2];
	int i, fd;

	(void)state;
	place_make(&pl);
	fd = owner_take(&pl.p, RUN, &err);
	assert_true(fd >= 0);
	owner_release(fd);
	for (i = 0; i < 2; i++) {
		lookers[i] = fork();
		if (lookers[i] == 0)
			for (;;)
				(void)owner_look(&pl.p, RUN, &who, NULL);
	}
	for (i = 0; i < 2000; i++) {
		fd = owner_take(&pl.p, RUN, &err);
		if (fd < 0)
			fail_msg("taking failed in round %d: %s", i, err.msg);
		owner_release(fd);
	}
	for (i = 0; i < 2; i++) {
		kill(lookers[i], SIGKILL);
		(void)child_status(lookers[i]);
	}
	place_remove(&pl);
}

/* Of many takers at once exactly one gets it. */
static void
test_one_of_many(void **state)
{
	struct place pl;
	pid_t pids[8];
	int go[2], i, winners = 0, st;
	char c;

	(void)state;
	place_make(&pl);
	assert_int_equal(pipe(go), 0);
	for (i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			close(go[1]);
			(void)!read(go[0], &c, 1); /* its end: all start together */
			if (owner_take(&pl.p, RUN, &err) >= 0) {
				usleep(300000);
				_exit(10);
			}
			_exit(err.code == ERR_BUSY ? 11 : 12);
		}
	}
	close(go[0]);
	close(go[1]);
	for (i = 0; i < 8; i++) {
		st = child_status(pids[i]);
		assert_true(st == 10 || st == 11);
		winners += st == 10;
	}
	assert_int_equal(winners, 1);
	place_remove(&pl);
}

static void
test_bad_ids_and_rubbish(void **state)
{
	static const char *const bad[] = {"",
					  "last",
					  "../../etc/passwd",
					  "0193b7c4-1111-7222-8333-44445555666",
					  "0193b7c4-1111-7222-8333-4444555566667",
					  "0193b7c4-1111-7222-8333-44445555/../"};
	static const char *const rubbish[] = {
	    "", "x", "-5 3\n", "99999999999999999999 1\n", "12", "0 0\n"};
	struct owner_info who;
	struct place pl;
	size_t i;
	int fd;

	(void)state;
	place_make(&pl);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(owner_take(&pl.p, bad[i], &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
		fails(owner_look(&pl.p, bad[i], &who, &err), ERR_INVALID);
	}
	fd = owner_take(&pl.p, RUN, &err);
	assert_true(fd >= 0);
	owner_release(fd);
	for (i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++) {
		spill(pl.p.state, "runs/" RUN "/owner", rubbish[i]);
		ok(owner_look(&pl.p, RUN, &who, &err));
		assert_false(who.held);
		assert_int_equal(who.pid, 0);
	}
	/* A pid that now is somebody else's: known by its start time. */
	spill(pl.p.state, "runs/" RUN "/owner", "1 1\n");
	ok(owner_look(&pl.p, RUN, &who, &err));
	assert_int_equal(who.pid, 1);
	assert_int_equal(who.state, 0);
	place_remove(&pl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_take_and_look),
	    cmocka_unit_test(test_dead_and_stopped),
	    cmocka_unit_test(test_look_does_not_disturb),
	    cmocka_unit_test(test_one_of_many),
	    cmocka_unit_test(test_bad_ids_and_rubbish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
