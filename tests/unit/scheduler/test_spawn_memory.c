#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "base/fsio.h"
#include "scheduler/executor.h"
#include "store/project.h"
#include "unit/memory.h"

/*
 * Memory that runs out while an attempt is started and its end is read, with the real dag-shim.
 * Either it does not start, and then nothing of it is left, or it runs and its end is known.
 */

static char root[] = "/tmp/test_spawn.XXXXXX";
static struct project project;
static uv_loop_t loop;
static struct executor *x;
static char dir[64];
static unsigned attempts, fds;
static int status;

static unsigned
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

static int
setup(void **state)
{
	struct err err;

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(project_find(root, root, true, &project, &err), 0);
	assert_int_equal(setenv("DAG_LIBEXEC", TEST_BUILD "/libexec/dag", 1), 0);
	assert_int_equal(uv_loop_init(&loop), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_close(&loop), 0);
	project_release(&project);
	return fsio_remove_tree(AT_FDCWD, root, NULL);
}

static void
on_started(void *ctx, struct engine_ref ref, pid_t pid, const char *handle)
{
	(void)ctx;
	(void)ref;
	(void)handle;
	assert_true(pid > 0);
}

static void
on_exited(void *ctx, struct engine_ref ref, const struct exit_record *rec)
{
	(void)ctx;
	(void)ref;
	status = rec->status;
}

static void
on_void(void *ctx, struct engine_ref ref, const char *why, int64_t delay_us)
{
	(void)ctx;
	(void)ref;
	(void)delay_us;
	fail_msg("it has run, and is told as void: %s", why);
}

static void
on_lost(void *ctx, struct engine_ref ref, const char *why)
{
	(void)ctx;
	(void)ref;
	fail_msg("it has ended, and is told as lost: %s", why);
}

static void
before(void *ctx)
{
	(void)ctx;
	x = NULL;
	status = -1;
	(void)snprintf(dir, sizeof(dir), "runs/r/t.-1.%u", ++attempts);
	fds = count_fds();
}

static int
start(void *ctx, struct err *err)
{
	static const char *const argv[] = {"/bin/sh", "-c", "exit 7", NULL};
	static const char *const envp[] = {"A=b", NULL};
	const struct exec_reports to = {.started = on_started,
					.exited = on_exited,
					.voided = on_void,
					.lost = on_lost};
	struct exec_request q = {
	    .ref = {.number = attempts},
	    .dir = dir,
	    .spec = {.argv = argv,
		     .envp = envp,
		     .cwd = root,
		     .attempt_id = "0193b7c4-0000-7000-8000-00000000",
		     .grace_us = SHIM_GRACE_US,
		     .log_limit = SHIM_LOG_DEFAULT}};

	(void)ctx;
	x = exec_local_new(&project, &loop, &to, err);
	if (x == NULL || x->ops->start(x, &q, err) != 0)
		return -1;
	while (status == -1)
		(void)uv_run(&loop, UV_RUN_ONCE);
	return 0;
}

static void
after(void *ctx, int rc)
{
	(void)ctx;
	if (x != NULL)
		x->ops->close(x);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(status, rc == 0 ? 7 : -1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(count_fds(), fds);
}

static void
test_start(void **state)
{
	struct memory_call c = {.what = "starting an attempt",
				.before = before,
				.run = start,
				.after = after};

	(void)state;
	assert_true(memory_fail_each(&c) > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_start),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
