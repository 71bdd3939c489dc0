#include "cli/live.h"

#include "scheduler/session.h"
#include "unit/cli/fixture.h"

#define NTASKS 200

static struct session_task tasks[NTASKS];
static char names[NTASKS][40];
static struct session_run run = {.id = "01939f3c-0000-7000-8000-0123456789ab",
				 .dag = "demo",
				 .state = RUN_RUNNING,
				 .elapsed_us = 12300000};

/* All waiting. */
static void
reset(size_t n)
{
	size_t i;

	for (i = 0; i < NTASKS; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "task_%zu", i);
		tasks[i] = (struct session_task){.name = names[i],
						 .map = -1,
						 .selected = true,
						 .state = TASK_WAITING,
						 .reason = ""};
	}
	run.ntasks = n;
}

static void
set_running(size_t i, double finished, double total)
{
	tasks[i].state = TASK_RUNNING;
	tasks[i].attempt = 1;
	tasks[i].elapsed_us = 10000000;
	tasks[i].done = finished;
	tasks[i].total = total;
}

static void
set_done(size_t i, enum task_result result, const char *reason)
{
	tasks[i].state = TASK_DONE;
	tasks[i].result = result;
	tasks[i].attempt = 1;
	tasks[i].elapsed_us = 2100000;
	tasks[i].reason = reason;
}

static void
layout(struct buf *b, size_t n, unsigned width, unsigned height)
{
	struct live_run r = {&run, tasks, n};
	struct live_view v = {.runs = &r,
			      .nruns = 1,
			      .now_us = 1000000000,
			      .width = width,
			      .height = height};

	buf_init(b, 0);
	live_layout(&v, b);
	assert_false(buf_failed(b));
}

/* Return the number of lines, after checking that none is too wide. */
static unsigned
check_lines(const struct buf *b, unsigned width)
{
	const char *p, *nl;
	unsigned n = 0;

	for (p = b->p; *p != '\0'; p = nl + 1) {
		nl = strchr(p, '\n');
		assert_non_null(nl);
		assert_true(text_columns(p, (size_t)(nl - p)) <= width);
		n++;
	}
	return n;
}

static void
test_all_fit(void **state)
{
	struct buf b;

	(void)state;
	reset(4);
	set_done(0, RESULT_SUCCESS, "");
	set_running(1, 52, 100);
	set_done(2, RESULT_FAILED, "exited with status 1");
	layout(&b, 4, 79, 24);
	assert_string_equal(
	    b.p, "demo 456789ab  running 12s  2 of 4 done, 1 failed\n"
		 "  task_0    success          2.1s\n"
		 "  task_1    running          10s     [###########-----------]  52% "
		 "5.2/s ETA 9s\n"
		 "  task_2    failed           2.1s    exited with status 1\n"
		 "  task_3    waiting\n");
	buf_release(&b);
}

/* What does not fit: running, failed, tried again, ready first, the rest in numbers. */
static void
test_does_not_fit(void **state)
{
	struct buf b;
	size_t i;

	(void)state;
	reset(50);
	for (i = 0; i < 20; i++)
		set_done(i, RESULT_SUCCESS, "");
	set_done(20, RESULT_LOST, "its process is gone");
	set_running(30, 0, 0);
	set_running(40, 0, 0);
	tasks[41].state = TASK_UP_FOR_RETRY;
	tasks[41].attempt = 1;
	tasks[41].elapsed_us = 500000;
	tasks[41].next_try_us = 1000000000 + 9000000;
	tasks[41].reason = "exited with status 3";
	tasks[42].state = TASK_READY;
	tasks[42].reason = "`x` is in use by b";
	tasks[43].state = TASK_READY;
	layout(&b, 50, 79, 7);
	assert_string_equal(
	    b.p, "demo 456789ab  running 12s  21 of 50 done, 1 failed\n"
		 "  task_30   running          10s\n"
		 "  task_40   running          10s\n"
		 "  task_20   lost             2.1s    its process is gone\n"
		 "  task_41   up_for_retry     500ms   next try in 9s: exited with "
		 "status 3\n"
		 "  task_42   ready                    `x` is in use by b\n"
		 "  and 1 ready, 24 waiting, 20 success\n");
	buf_release(&b);
}

/* What runs does not hide what failed: a third of the rows is for the latest failures. */
static void
test_failures_keep_rows(void **state)
{
	struct buf b;
	size_t i;

	(void)state;
	reset(60);
	for (i = 0; i < 20; i++)
		set_running(i, 0, 0);
	for (i = 20; i < 30; i++) {
		set_done(i, RESULT_FAILED, "exit status 1");
		/* The ones in the middle failed last. */
		tasks[i].ended_us = (int64_t)(i < 25 ? i : 49 - i) * 1000000;
	}
	layout(&b, 60, 79, 8);
	assert_string_equal(b.p, "demo 456789ab  running 12s  10 of 60 done, 10 failed\n"
				 "  task_0    running          10s\n"
				 "  task_1    running          10s\n"
				 "  task_2    running          10s\n"
				 "  task_3    running          10s\n"
				 "  task_24   failed           2.1s    exit status 1\n"
				 "  task_25   failed           2.1s    exit status 1\n"
				 "  and 16 running, 8 failed, 30 waiting\n");
	buf_release(&b);
	/* One row: what runs.  None: numbers. */
	layout(&b, 60, 79, 3);
	assert_non_null(strstr(b.p,
			       "\n  task_0    running          10s\n  and 19 running, "
			       "10 failed, 30 waiting\n"));
	buf_release(&b);
	layout(&b, 60, 79, 2);
	assert_non_null(strstr(b.p, "\n  20 running, 10 failed, 30 waiting\n"));
	buf_release(&b);
	for (i = 20; i < 30; i++)
		tasks[i].ended_us = 0;
}

/* Twenty columns still tell which task is how. */
static void
test_narrow(void **state)
{
	struct buf b;

	(void)state;
	reset(5);
	tasks[0].name = "clean_the_orders";
	tasks[0].state = TASK_UP_FOR_RETRY;
	tasks[0].attempt = 1;
	tasks[0].elapsed_us = 2000000;
	set_running(1, 0, 0);
	set_done(2, RESULT_UPSTREAM_FAILED, "`x` did not succeed");
	set_done(3, RESULT_FAILED, "exit status 1");
	layout(&b, 5, 19, 10);
	assert_string_equal(b.p, "demo 2/5 1 failed \u2026\n"
				 " clean_t\u2026 retry\n"
				 " task_1   running\n"
				 " task_2   upstream\n"
				 " task_3   failed\n"
				 " task_4   waiting\n");
	buf_release(&b);
	layout(&b, 5, 40, 10);
	assert_non_null(strstr(b.p, "demo 2/5 1 failed 12s\n"
				    " clean_the_orders retry     1s\n"
				    " task_1           running   10s\n"));
	buf_release(&b);
}

/* What a waiting task waits for; times that go by, and those that have. */
static void
test_waits_and_times(void **state)
{
	static const uint32_t up[] = {0, 1, 2};
	struct buf b;

	(void)state;
	reset(4);
	set_done(0, RESULT_SUCCESS, "");
	set_running(1, 0, 0);
	tasks[1].elapsed_us = 999999;
	set_running(2, 0, 0);
	tasks[2].elapsed_us = 3999999;
	tasks[3].up = up;
	tasks[3].nup = 3;
	layout(&b, 4, 79, 10);
	assert_string_equal(b.p,
			    "demo 456789ab  running 12s  1 of 4 done\n"
			    "  task_0    success          2.1s\n"
			    "  task_1    running\n"
			    "  task_2    running          3s\n"
			    "  task_3    waiting                  for task_1, task_2\n");
	buf_release(&b);
	/* The end of a countdown is not zero for a second. */
	tasks[1].state = TASK_UP_FOR_RETRY;
	tasks[1].next_try_us = 1000000000 + 2100000;
	tasks[2].state = TASK_UP_FOR_RETRY;
	tasks[2].next_try_us = 1000000000 - 5;
	layout(&b, 4, 79, 10);
	assert_non_null(strstr(b.p, "next try in 3s\n"));
	assert_non_null(strstr(b.p, "next try in 1s\n"));
	buf_release(&b);
	tasks[3].nup = 0;
}

static void
test_never_too_large(void **state)
{
	unsigned width, height, lines;
	struct buf b;
	size_t i;

	(void)state;
	reset(NTASKS);
	for (i = 0; i < NTASKS; i++) {
		if (i % 5 == 0)
			set_running(i, (double)i, i % 2 ? 1e9 : 0);
		else if (i % 5 == 1)
			set_done(i, RESULT_FAILED,
				 "\u65e5\u672c\u8a9e and more, at length");
		else if (i % 5 == 2)
			set_done(i, RESULT_SKIPPED, "");
	}
	tasks[5].name = "\u65e5\u672c\u8a9e_\u65e5\u672c\u8a9e_\u65e5\u672c\u8a9e";
	for (width = 1; width < 130; width += 3) {
		for (height = 1; height < 60; height += 2) {
			layout(&b, NTASKS, width, height);
			lines = check_lines(&b, width);
			/* What there is room for is used, and no more. */
			assert_int_equal(lines, height);
			buf_release(&b);
		}
	}
}

static void
test_many_runs(void **state)
{
	struct live_run r[12];
	struct live_view v = {.runs = r, .nruns = 12, .width = 60};
	struct buf b;
	unsigned height, i;

	(void)state;
	reset(9);
	set_running(3, 0, 0);
	for (i = 0; i < 12; i++)
		r[i] = (struct live_run){&run, tasks, 9};
	for (height = 1; height < 140; height++) {
		v.height = height;
		buf_init(&b, 0);
		live_layout(&v, &b);
		assert_true(check_lines(&b, 60) <= height);
		if (height > 1)
			assert_int_equal(strncmp(b.p, "demo 456789ab", 13), 0);
		buf_release(&b);
	}
}

static void
test_deselected_are_hidden(void **state)
{
	struct buf b;

	(void)state;
	reset(3);
	tasks[1].selected = false;
	tasks[1].state = TASK_DONE;
	tasks[1].result = RESULT_SKIPPED;
	layout(&b, 3, 60, 10);
	assert_null(strstr(b.p, "task_1"));
	assert_non_null(strstr(b.p, "0 of 2 done"));
	buf_release(&b);
}

/* A failure that is allowed is shown as such, and is none of those that count. */
static void
test_allowed(void **state)
{
	struct buf b;

	(void)state;
	reset(4);
	set_done(0, RESULT_FAILED, "exit status 1");
	set_done(1, RESULT_FAILED, "exit status 2");
	set_done(2, RESULT_SUCCESS, "");
	tasks[1].allow_failure = tasks[2].allow_failure = true;
	layout(&b, 4, 79, 24);
	assert_string_equal(
	    b.p, "demo 456789ab  running 12s  3 of 4 done, 1 failed, 1 failed (allowed)\n"
		 "  task_0    failed           2.1s    exit status 1\n"
		 "  task_1    failed (allowed) 2.1s    exit status 2\n"
		 "  task_2    success          2.1s\n"
		 "  task_3    waiting\n");
	buf_release(&b);
	layout(&b, 4, 79, 2);
	assert_non_null(
	    strstr(b.p, "\n  1 failed, 1 failed (allowed), 1 waiting, 1 success\n"));
	buf_release(&b);
	tasks[1].allow_failure = tasks[2].allow_failure = false;
}

/* A task may report nonsense. */
static void
test_odd_progress(void **state)
{
	static const double odd[][2] = {
	    {5, 3}, {-1, 10}, {0, 1e300}, {1e300, 1}, {1e300, 0}};
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		reset(1);
		set_running(0, odd[i][0], odd[i][1]);
		layout(&b, 1, 70, 10);
		assert_int_equal(check_lines(&b, 70), 2);
		buf_release(&b);
	}
	/* Just begun: no time has passed, so there is no rate. */
	reset(1);
	set_running(0, 5, 10);
	tasks[0].elapsed_us = 0;
	layout(&b, 1, 70, 10);
	assert_null(strstr(b.p, "/s"));
	assert_non_null(strstr(b.p, "50%"));
	buf_release(&b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all_fit),
	    cmocka_unit_test(test_does_not_fit),
	    cmocka_unit_test(test_failures_keep_rows),
	    cmocka_unit_test(test_narrow),
	    cmocka_unit_test(test_waits_and_times),
	    cmocka_unit_test(test_never_too_large),
	    cmocka_unit_test(test_many_runs),
	    cmocka_unit_test(test_deselected_are_hidden),
	    cmocka_unit_test(test_allowed),
	    cmocka_unit_test(test_odd_progress),
	};

	return cmocka_run_group_tests_name("cli.live", tests, NULL, NULL);
}
