#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc_fixture.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/jinja.h"
#include "dag_fixture.h"
#include "scheduler/render.h"
#include "scheduler/session.h"
#include "store/meta.h"
#include "store/project.h"

/* Sessions that are opened, broken off and closed: nothing may be left of them, neither memory
 * (the sanitizer looks) nor descriptors, and what they left half done can be gone on with. */

static char root[] = "/tmp/test_session.XXXXXX";
static struct project project;
static struct arena *arena;
static struct err err;

static void
libexec(const char *dir)
{
	assert_int_equal(setenv("DAG_LIBEXEC", dir, 1), 0);
}

static int
setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(project_find(root, root, true, &project, &err), 0);
	arena = arena_new(0);
	assert_non_null(arena);
	libexec(TEST_BUILD "/libexec/dag");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	project_release(&project);
	return fsio_remove_tree(AT_FDCWD, root, NULL);
}

static int
descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/* ---- what the observer does ---- */

static const char *raise_at; /* task whose start raises raise_what */
static int raise_what;
static unsigned began, ended, ends_of_tasks;

static void
run_began(void *ctx, const struct session_run *r)
{
	(void)ctx;
	(void)r;
	began++;
}

static void
run_ended(void *ctx, const struct session_run *r)
{
	(void)ctx;
	(void)r;
	ended++;
}

static void
task_changed(void *ctx, const struct session_run *r, const struct session_task *t)
{
	(void)ctx;
	(void)r;
	ends_of_tasks += t->state == TASK_DONE;
	if (raise_at != NULL && t->state == TASK_RUNNING &&
	    strcmp(t->name, raise_at) == 0) {
		raise_at = NULL;
		(void)raise(raise_what);
	}
}

static void
tick(void *ctx)
{
	(void)ctx;
}

static const struct session_observer observer = {.run_began = run_began,
						 .task_changed = task_changed,
						 .run_ended = run_ended,
						 .tick = tick};
static const struct session_config config = {.jobs = 2, .observer = &observer};

static struct session *
open_session(void)
{
	struct session *s = NULL;

	began = ended = ends_of_tasks = 0;
	if (session_open(&project, &config, &s, &err) != 0)
		fail_msg("%s", err.msg);
	return s;
}

static void
add_run(struct session *s, struct dag *g, char id[META_RUN_ID])
{
	struct session_request q = {.dag = g, .file = "t.yaml"};
	struct jinja_dict *params;

	if (params_resolve(g, arena, NULL, 0, NULL, &params, &err) != 0)
		fail_msg("%s", err.msg);
	q.params = params;
	if (session_run(s, &q, id, &err) != 0)
		fail_msg("%s", err.msg);
}

static int
loop(struct session *s)
{
	int rc = session_loop(s, &err);

	if (rc == 3)
		fail_msg("%s", err.msg);
	return rc;
}

/* ---- tests ---- */

static void
test_open_and_close(void **state)
{
	int before;

	(void)state;
	session_close(open_session()); /* what libuv makes once stays */
	before = descriptors();
	session_close(open_session());
	assert_int_equal(descriptors(), before);
	session_close(NULL);
}

/* The last thing that opening needs is not there: all before it is let go. */
static void
test_open_fails(void **state)
{
	struct session *s = NULL;
	int before = descriptors();

	(void)state;
	libexec("/nowhere");
	assert_int_equal(session_open(&project, &config, &s, &err), -1);
	assert_null(s);
	assert_non_null(strstr(err.msg, "dag-shim"));
	assert_int_equal(descriptors(), before);
	libexec(TEST_BUILD "/libexec/dag");
}

static void
test_a_run(void **state)
{
	struct dag *g = fixture_dag("tasks:\n  a: {run: 'echo n=1 >> \"$DAG_OUTPUT\"'}\n"
				    "  b: {run: 'exit 3', needs: [a]}\n");
	struct session *s = open_session();
	char id[META_RUN_ID];
	int before;

	(void)state;
	add_run(s, g, id);
	assert_int_equal(began, 1);
	assert_int_equal(loop(s), 1);
	assert_int_equal(ended, 1);
	assert_int_equal(ends_of_tasks, 2);
	session_close(s);
	before = descriptors();

	s = open_session();
	assert_int_equal(session_retry(s, id, NULL, &err), 0);
	assert_int_equal(loop(s), 1);
	assert_int_equal(ends_of_tasks, 1); /* b alone */
	session_close(s);
	dag_free(g);
	assert_int_equal(descriptors(), before);
}

/* Closed before it worked: the run is there, interrupted, and can be resumed, once. */
static void
test_close_without_working(void **state)
{
	struct dag *g = fixture_dag("tasks:\n  a: {run: 'true'}\n");
	struct session *s = open_session(), *other;
	char id[META_RUN_ID];
	int before = descriptors();

	(void)state;
	add_run(s, g, id);
	other = open_session();
	assert_int_equal(session_resume(other, id, &err), -1);
	assert_int_equal(err.code, ERR_BUSY);
	session_close(s);
	assert_int_equal(session_resume(other, id, &err), 0);
	assert_int_equal(loop(other), 0);
	assert_int_equal(session_resume(other, id, &err), 1); /* it has ended */
	session_close(other);
	dag_free(g);
	assert_true(descriptors() < before); /* s is gone, too */
}

/* HUP in the middle: nothing is stopped, everything is let go, and it goes on later. */
static void
test_hangup_with_attempts_under_way(void **state)
{
	struct dag *g =
	    fixture_dag("tasks:\n  a: {run: 'sleep 0.3; echo n=7 >> \"$DAG_OUTPUT\"'}\n"
			"  b: {run: 'sleep 0.2', retries: 1}\n"
			"  c: {run: 'test {{ outputs.a.n }} = 7', needs: [a, b]}\n");
	int before = descriptors(), i;
	struct session *s;
	char id[META_RUN_ID];

	(void)state;
	s = open_session();
	add_run(s, g, id);
	raise_at = "b";
	raise_what = SIGHUP;
	assert_int_equal(loop(s), 129);
	session_close(s);
	assert_int_equal(descriptors(), before);
	for (i = 0; i < 2; i++) { /* taken over and let go again, then taken to its end */
		s = open_session();
		assert_int_equal(session_resume(s, id, &err), 0);
		if (i == 0) {
			session_close(s);
			assert_int_equal(descriptors(), before);
		}
	}
	assert_int_equal(loop(s), 0);
	assert_int_equal(ended, 1);
	session_close(s);
	dag_free(g);
	assert_int_equal(descriptors(), before);
}

static void
test_interrupt(void **state)
{
	struct dag *g = fixture_dag("tasks:\n  a: {run: 'exec sleep 60'}\n"
				    "  b: {run: 'true', needs: [a]}\n");
	int before = descriptors();
	struct session *s;
	char id[META_RUN_ID];

	(void)state;
	s = open_session();
	add_run(s, g, id);
	raise_at = "a";
	raise_what = SIGTERM;
	assert_int_equal(loop(s), 143);
	assert_int_equal(ended, 1);
	session_close(s);
	dag_free(g);
	assert_int_equal(descriptors(), before);
}

/* A retry that cannot begin changes nothing: the run can be retried as it should be. */
static void
test_retry_that_is_refused(void **state)
{
	struct dag *g = fixture_dag("tasks:\n  a: {run: 'true'}\n  b: {run: 'false'}\n");
	const bool selected[] = {false, true};
	struct session_request q = {.dag = g, .file = "t.yaml", .selected = selected};
	struct jinja_dict *params;
	struct session *s = open_session();
	char id[META_RUN_ID];

	(void)state;
	assert_int_equal(params_resolve(g, arena, NULL, 0, NULL, &params, &err), 0);
	q.params = params;
	assert_int_equal(session_run(s, &q, id, &err), 0);
	assert_int_equal(loop(s), 1);
	session_close(s);
	s = open_session();
	assert_int_equal(session_retry(s, id, "z", &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_int_equal(session_retry(s, id, "a", &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(session_run_count(s), 0);
	assert_int_equal(session_retry(s, id, "b", &err), 0);
	assert_int_equal(loop(s), 1);
	session_close(s);
	dag_free(g);
}

/* Each allocation of a new run fails once: it is said, and nothing is freed twice or left. */
static void
test_no_memory_for_a_run(void **state)
{
	struct dag *g = fixture_dag("tasks:\n  a: {type: wait, for: 1h}\n");
	struct session_request q = {.dag = g, .file = "t.yaml"};
	struct jinja_dict *params;
	struct session *s;
	char id[META_RUN_ID];
	int rc, before, after;

	(void)state;
	assert_int_equal(params_resolve(g, arena, NULL, 0, NULL, &params, &err), 0);
	q.params = params;
	before = descriptors();
	for (alloc_fail_at = 1;; alloc_fail_at++) {
		s = open_session();
		err_clear(&err);
		alloc_count = 0;
		alloc_counting = true;
		rc = session_run(s, &q, id, &err);
		alloc_counting = false;
		session_close(s);
		if (alloc_count < alloc_fail_at)
			break;
		if (rc != 0)
			assert_int_equal(err.code, ERR_NOMEM);
	}
	assert_int_equal(rc, 0);
	assert_true(alloc_fail_at > 10);
	after = descriptors();
	assert_int_equal(after, before);
	dag_free(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_open_and_close),
	    cmocka_unit_test(test_open_fails),
	    cmocka_unit_test(test_a_run),
	    cmocka_unit_test(test_close_without_working),
	    cmocka_unit_test(test_hangup_with_attempts_under_way),
	    cmocka_unit_test(test_interrupt),
	    cmocka_unit_test(test_retry_that_is_refused),
	    cmocka_unit_test(test_no_memory_for_a_run),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
