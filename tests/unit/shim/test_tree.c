#include <signal.h>
#include <sys/wait.h>

#include "tasks/shim/shim.h"
#include "unit/tasks/fixture.h"

static void
test_parse(void **state)
{
	static const char line[] =
	    "4711 (a) R 9 (x) S 12 4711 4700 34816 -1 4194304 88 0 0 0 0 0 0 0 20 0 1 0 "
	    "18446744073709551615 3125248 179 9\n";
	struct tree_proc p;

	(void)state;
	assert_int_equal(tree_parse(line, sizeof(line) - 1, &p), 0);
	assert_int_equal(p.pid, 4711);
	assert_int_equal(p.state, 'S');
	assert_int_equal(p.ppid, 12);
	assert_int_equal(p.pgrp, 4711);
	assert_int_equal(p.session, 4700);
	assert_true(p.start == UINT64_MAX);
	assert_int_equal(p.rss, 179);
	for (size_t n = 0; n < 80; n++)
		assert_int_equal(tree_parse(line, n, &p), -1);
	assert_int_equal(tree_parse("no process", 10, &p), -1);
}

static void
test_self(void **state)
{
	struct tree_proc p;

	(void)state;
	assert_int_equal(tree_self(&p), 0);
	assert_int_equal(p.pid, getpid());
	assert_int_equal(p.ppid, getppid());
	assert_int_equal(p.state, 'R');
}

/* Children and grandchildren are found, also in another session; zombies are not. */
static void
test_scan(void **state)
{
	const struct tree_proc *list;
	struct tree_proc child;
	int up[2], down[2], st;
	pid_t pid, grand = 0;
	char c;
	bool found = false;

	(void)state;
	assert_int_equal(pipe2(up, O_CLOEXEC), 0);
	assert_int_equal(pipe2(down, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		grand = fork();
		if (grand == 0) {
			(void)setsid();
			grand = getpid();
			(void)!write(up[1], &grand, sizeof(grand));
		}
		(void)close(down[1]);
		(void)!read(down[0], &c, 1);
		_exit(0);
	}
	assert_int_equal(read(up[0], &grand, sizeof(grand)), sizeof(grand));
	assert_int_equal(tree_scan(getpid(), &list), 2);
	for (int i = 0; i < 2; i++) {
		if (list[i].pid == grand) {
			found = true;
			assert_int_equal(list[i].session, grand);
			assert_int_equal(list[i].ppid, pid);
		} else {
			child = list[i];
		}
	}
	assert_true(found);
	/* The wrong start time is another process. */
	child.start++;
	tree_signal(&child, SIGKILL);
	assert_int_equal(waitpid(pid, &st, WNOHANG), 0);
	child.start--;
	tree_signal(&child, SIGKILL);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(WTERMSIG(st), SIGKILL);
	(void)close(down[1]); /* the grandchild, which is not below us now, ends */
	assert_int_equal(tree_scan(getpid(), &list), 0);
	tree_signal(&child, SIGKILL); /* gone: nothing happens */
	(void)close(up[0]);
	(void)close(up[1]);
	(void)close(down[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_self),
	    cmocka_unit_test(test_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
