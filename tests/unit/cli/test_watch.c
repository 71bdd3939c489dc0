/* Work in a thread of its own: what it returns, and what signals do to it. */
#include "cli/watch.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "store/meter.h"
#include "unit/cli/fixture.h"

static struct cli cli;
static struct meter meter;

static int
setup(void **state)
{
	(void)state;
	memset(&meter, 0, sizeof(meter));
	return 0;
}

static int
do_work(void *arg, struct meter *m, struct err *err)
{
	assert_ptr_equal(m, &meter);
	*(pthread_t *)arg = pthread_self();
	return err_set(err, ERR_CORRUPT, "nothing is right");
}

static void
test_result(void **state)
{
	pthread_t ran = pthread_self();
	struct err err = {0};
	int sig = -1;

	(void)state;
	assert_int_equal(watch_work(&cli, true, &meter, do_work, &ran, &sig, &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_int_equal(sig, 0);
	assert_false(pthread_equal(ran, pthread_self()));
}

/* Signal the process, and wait for the wish to end and for what else comes. */
static int
be_stopped(void *arg, struct meter *m, struct err *err)
{
	const int *sigs = arg;

	for (; *sigs != 0; sigs++) {
		(void)kill(getpid(), *sigs);
		for (int i = 0; i < 5000 && !meter_cancelled(m); i++)
			(void)usleep(1000);
		if (!meter_cancelled(m))
			return err_set(err, ERR_FAILED, "nobody stops us");
	}
	(void)usleep(500000);
	return err_set(err, ERR_CANCELLED, "stopped");
}

static void
test_signal(void **state)
{
	int sigs[] = {SIGTERM, 0}, sig = 0;
	struct err err = {0};
	sigset_t now;

	(void)state;
	assert_int_equal(watch_work(&cli, true, &meter, be_stopped, sigs, &sig, &err),
			 -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_int_equal(sig, SIGTERM);
	/* Afterwards all is as it was. */
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
	assert_false(sigismember(&now, SIGTERM) || sigismember(&now, SIGINT));
}

/* In a child: its end is told by what waitpid says. */
static int
in_child(int sigs[], void (*int_handler)(int))
{
	struct err err = {0};
	int status, sig = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)signal(SIGINT, int_handler);
		(void)freopen("/dev/null", "w", stderr);
		(void)watch_work(&cli, true, &meter, be_stopped, sigs, &sig, &err);
		_exit(err.code == ERR_CANCELLED ? 3 : 4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
test_second(void **state)
{
	int sigs[] = {SIGINT, SIGTERM, 0};

	(void)state;
	assert_int_equal(in_child(sigs, SIG_DFL), 143);
}

static void
test_ignored(void **state)
{
	int sigs[] = {SIGTERM, SIGINT, 0};

	(void)state;
	assert_int_equal(in_child(sigs, SIG_IGN), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_result, setup),
	    cmocka_unit_test_setup(test_signal, setup),
	    cmocka_unit_test_setup(test_second, setup),
	    cmocka_unit_test_setup(test_ignored, setup),
	};

	return cmocka_run_group_tests_name("cli/watch", tests, NULL, NULL);
}
