#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine_fixture.h"

/* A cancel, in every state that a task can be in; timeouts and fail-fast. */

static const char two[] = "tasks:\n"
			  "  a: {run: x, retries: 1, retry_delay: 1h}\n"
			  "  b: {run: x, needs: [a]}\n";

static void
ends_cancelled(struct world *w)
{
	assert_string_equal(w_state(w, "a"), "cancelled");
	assert_string_equal(w_state(w, "b"), "cancelled");
	assert_string_equal(w_result(w), "cancelled");
	assert_string_equal(w_reason(w), "cancelled here");
	(void)w_commit(w);
	(void)w_commit(w);
	assert_string_equal(w_next(w), "run_end");
	assert_string_equal(w_next(w), "");
}

/* Before anything started; b waits. */
static void
test_waiting_and_proposed(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w_add(&w);
	w_cancel(&w, false);
	assert_string_equal(w_state(&w, "b"), "cancelled");
	assert_string_equal(w_state(&w, "a"), "ready"); /* its row is on its way */
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "");
	assert_non_null(w_op(&w, META_OP_ATTEMPT_END, "a"));
	ends_cancelled(&w);
	w_close(&w);
}

static void
test_proposed_and_blocked(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w_add(&w);
	w.blocked = "a";
	w_cancel(&w, false);
	(void)w_commit(&w);
	assert_null(w_op(&w, META_OP_ATTEMPT_END, "a")); /* there is no row to be ended */
	ends_cancelled(&w);
	w_close(&w);
}

static void
test_blocked(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w_add(&w);
	w.blocked = "a";
	(void)w_commit(&w);
	assert_true(w_view(&w, "a").blocked);
	w_cancel(&w, false);
	ends_cancelled(&w);
	w_close(&w);
}

static void
test_ready(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x, priority: -1}\n  b: {run: x}\n", 1);
	w_add(&w);
	w_to_running(&w, "b");
	assert_string_equal(w_state(&w, "a"), "ready");
	w_cancel(&w, false);
	assert_string_equal(w_state(&w, "a"), "cancelled");
	assert_string_equal(w_next(&w), "stop b 1");
	w_signalled(&w, "b", 15);
	ends_cancelled(&w);
	w_close(&w);
}

static void
test_preparing(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x, inputs: [i]}\n  b: {run: x, needs: [a]}\n", 1);
	w_add(&w);
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "prepare a 1");
	w_cancel(&w, false);
	assert_string_equal(w_next(&w), "stop a 1");
	/* It was done before it saw that. */
	w_prepared(&w, "a", PREPARED_RUN);
	assert_string_equal(w_next(&w), "");
	ends_cancelled(&w);
	w_close(&w);
}

static void
test_starting(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w_add(&w);
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start a 1");
	w_cancel(&w, false);
	assert_string_equal(w_next(&w), "stop a 1");
	/* A stop that came too early for the shim is sent again. */
	w_started(&w, "a");
	assert_string_equal(w_next(&w), "stop a 1");
	w_signalled(&w, "a", 15);
	ends_cancelled(&w);
	w_close(&w);
}

static void
test_starting_and_void(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w_add(&w);
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start a 1");
	w_cancel(&w, false);
	assert_string_equal(w_next(&w), "stop a 1");
	w_void(&w, "a", 0);
	ends_cancelled(&w);
	w_close(&w);
}

static void
test_running_then_kill(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_cancel(&w, false);
	assert_string_equal(w_next(&w), "stop a 1");
	w_cancel(&w, false); /* again: nothing new */
	assert_string_equal(w_next(&w), "");
	w_cancel(&w, true);
	assert_string_equal(w_next(&w), "kill a 1");
	w_cancel(&w, true);
	assert_string_equal(w_next(&w), "");
	w_signalled(&w, "a", 9);
	ends_cancelled(&w);
	w_close(&w);
}

static void
test_kill_at_once(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_cancel(&w, true);
	assert_string_equal(w_next(&w), "kill a 1");
	w_lost(&w, "a");
	ends_cancelled(&w);
	w_close(&w);
}

/* The work was done: a plain cancel lets it be kept. */
static void
test_committing(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_exited(&w, "a", 0);
	assert_string_equal(w_next(&w), "commit a 1");
	w_cancel(&w, false);
	assert_string_equal(w_next(&w), "");
	(void)w_commit(&w);
	w_outputs(&w, "a", true);
	assert_string_equal(w_state(&w, "a"), "success");
	assert_string_equal(w_state(&w, "b"), "cancelled");
	assert_string_equal(w_result(&w), "cancelled");
	w_close(&w);
}

/* The second one does not wait for a slow disk. */
static void
test_committing_then_kill(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_exited(&w, "a", 0);
	assert_string_equal(w_next(&w), "commit a 1");
	w_cancel(&w, false);
	w_cancel(&w, true);
	assert_string_equal(w_next(&w), "kill a 1");
	w_cancel(&w, true);
	assert_string_equal(w_next(&w), "");
	w_outputs(&w, "a", false); /* the worker gave up */
	ends_cancelled(&w);
	w_close(&w);
}

/* A kill that met a good end stopped the process only: the next one reaches the worker. */
static void
test_killed_then_committing(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_cancel(&w, false);
	w_cancel(&w, true);
	assert_string_equal(w_next(&w), "stop a 1");
	assert_string_equal(w_next(&w), "kill a 1");
	w_exited(&w, "a", 0); /* before the cancel is durable */
	assert_string_equal(w_next(&w), "commit a 1");
	w_cancel(&w, true);
	assert_string_equal(w_next(&w), "kill a 1");
	w_outputs(&w, "a", false);
	ends_cancelled(&w);
	w_close(&w);
}

static void
test_up_for_retry(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_exited(&w, "a", 1);
	assert_string_equal(w_state(&w, "a"), "up_for_retry");
	(void)w_commit(&w);
	w_cancel(&w, false);
	ends_cancelled(&w);
	w_close(&w);
}

/* A failure while the run is being cancelled is not tried again. */
static void
test_failure_meanwhile(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_cancel(&w, false);
	assert_string_equal(w_next(&w), "stop a 1");
	w_exited(&w, "a", 1);
	ends_cancelled(&w);
	w_close(&w);
}

/* A wait of the engine itself ends at once. */
static void
test_a_wait(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {type: wait, for: 1h}\n  b: {run: x, needs: [a]}\n", 1);
	w.wait_for[w_task(&w, "a")] = 3600 * SECOND;
	w_add(&w);
	(void)w_commit(&w);
	assert_string_equal(w_state(&w, "a"), "running");
	w_cancel(&w, false);
	assert_string_equal(w_next(&w), "");
	ends_cancelled(&w);
	w_close(&w);
}

/* ---- a cancel and a good end meet ---- */

static void
test_exit_0_before_the_cancel_is_durable(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_cancel(&w, false);
	(void)w_next(&w);
	assert_true(w_take(&w) > 0); /* the cancel is on its way, but not there */
	w_exited(&w, "a", 0);
	assert_string_equal(w_next(&w), "commit a 1");
	(void)w_commit(&w);
	w_outputs(&w, "a", true);
	assert_string_equal(w_state(&w, "a"), "success");
	assert_string_equal(w_result(&w), "cancelled");
	w_close(&w);
}

static void
test_exit_0_after_the_cancel_is_durable(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_cancel(&w, false);
	(void)w_next(&w);
	(void)w_commit(&w);
	w_exited(&w, "a", 0);
	ends_cancelled(&w);
	w_close(&w);
}

/* What was in flight when the cancel came says nothing about the cancel. */
static void
test_an_older_row_is_not_the_cancel(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w.rows[w_task(&w, "a")] = (struct engine_task_row){.state = TASK_DONE,
							   .result = RESULT_FAILED,
							   .attempt = 1,
							   .tries = 2,
							   .selected = true};
	w.rows[w_task(&w, "b")] = (struct engine_task_row){
	    .state = TASK_DONE, .result = RESULT_UPSTREAM_FAILED, .selected = true};
	w.spec.retry = true;
	w_add(&w);
	assert_non_null(w_op(&w, META_OP_RUN, NULL)); /* "retry", in flight */
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start a 2");
	w_started(&w, "a");
	(void)w_take(&w);
	w_cancel(&w, false);
	(void)w_next(&w);
	(void)w_commit(&w); /* what was in flight: not the cancel */
	w_exited(&w, "a", 0);
	assert_string_equal(w_state(&w, "a"), "committing");
	w_close(&w);
}

/* ---- its owner dies meanwhile ---- */

static void
test_goes_on_with_the_next_owner(void **state)
{
	struct world w;
	uint32_t a;

	(void)state;
	w_open(&w, two, 1);
	a = w_task(&w, "a");
	w.rows[a].state = TASK_RUNNING;
	w.rows[a].attempt = 1;
	w.rows[a].live = true;
	w.spec.cancel = true;
	w.spec.cancel_reason = "cancelled here";
	w_add(&w);
	assert_string_equal(w_next(&w), "stop a 1");
	assert_string_equal(w_state(&w, "b"), "cancelled");
	w_exited(&w, "a", 0); /* it was durable before the exit was seen */
	ends_cancelled(&w);
	w_close(&w);
}

/* ---- timeouts of runs ---- */

static void
test_run_timeout(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w.spec.deadline_us = WALL_START + 60 * SECOND;
	w_add(&w);
	w_to_running(&w, "a");
	w.now.wall_us += 86400 * SECOND; /* a clock that is set does not count */
	w_tick(&w);
	assert_int_equal(engine_deadline(w.e, w.now), 60 * SECOND);
	w_pass(&w, 60 * SECOND - 1);
	assert_string_equal(w_next(&w), "");
	w_pass(&w, 1);
	assert_string_equal(w_next(&w), "stop a 1");
	w_signalled(&w, "a", 15);
	assert_string_equal(w_state(&w, "a"), "cancelled");
	assert_string_equal(w_result(&w), "failed");
	assert_string_equal(w_reason(&w), "the run's timeout is up");
	w_close(&w);
}

static void
test_timeout_of_a_cancelled_run(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, two, 1);
	w.spec.deadline_us = WALL_START + SECOND;
	w_add(&w);
	w_to_running(&w, "a");
	w_cancel(&w, false);
	(void)w_next(&w);
	w_pass(&w, 2 * SECOND);
	w_signalled(&w, "a", 15);
	ends_cancelled(&w);
	w_close(&w);
}

/* Its time went by while nobody had it: what was stopped for that is cancelled, not failed. */
static void
test_timeout_while_ownerless(void **state)
{
	struct world w;
	uint32_t a;

	(void)state;
	w_open(&w, two, 1);
	a = w_task(&w, "a");
	w.rows[a].state = TASK_RUNNING;
	w.rows[a].attempt = 1;
	w.rows[a].live = true;
	w.spec.deadline_us = WALL_START - SECOND;
	assert_int_equal(engine_add(w.e, w.now, &w.spec, &w.run), 0);
	w_signalled(&w, "a", 15);
	assert_string_equal(w_state(&w, "a"), "cancelled");
	assert_string_equal(w_result(&w), "failed");
	w_close(&w);
}

/* What a run is cancelled for is what its row says, not what the clock says to a later owner. */
static void
taken_over(struct world *w, const char *reason, int64_t deadline_us, bool settle)
{
	uint32_t a;

	w_open(w, two, 1);
	a = w_task(w, "a");
	w->rows[a].state = TASK_RUNNING;
	w->rows[a].attempt = 1;
	w->rows[a].live = true;
	w->rows[w_task(w, "b")] = (struct engine_task_row){
	    .state = TASK_DONE, .result = RESULT_CANCELLED, .selected = true};
	w->spec.deadline_us = deadline_us;
	w->spec.cancel = true;
	w->spec.cancel_reason = reason;
	w->spec.settle = settle;
	assert_int_equal(engine_add(w->e, w->now, &w->spec, &w->run), 0);
	w_signalled(w, "a", 15);
	w_pass(w, 3600 * SECOND);
	assert_string_equal(w_state(w, "a"), "cancelled");
	assert_string_equal(w_reason(w), reason);
}

static void
test_timeout_goes_on_with_the_next_owner(void **state)
{
	struct world w;
	int settle;

	(void)state;
	for (settle = 0; settle < 2; settle++) {
		/* The clock was set back since. */
		taken_over(&w, ENGINE_TIMEOUT, WALL_START + 60 * SECOND, settle != 0);
		assert_string_equal(w_result(&w), "failed");
		w_close(&w);
	}
}

static void
test_cancelled_and_late_for_the_next_owner(void **state)
{
	struct world w;

	(void)state;
	taken_over(&w, "cancelled here", WALL_START - SECOND, false);
	assert_string_equal(w_result(&w), "cancelled");
	w_close(&w);
}

/* ---- fail-fast ---- */

static const char fan[] = "tasks:\n"
			  "  a: {run: x, priority: 3, retries: 0}\n"
			  "  b: {run: x, priority: 2, retries: 5, retry_delay: 1s}\n"
			  "  c: {run: x, priority: 1, retries: 5, retry_delay: 1s}\n"
			  "  d: {run: x}\n"
			  "  e: {run: x, needs: [b]}\n"
			  "  f: {run: x, needs: [a], trigger: all_done}\n";

static void
test_fail_fast(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, fan, 3);
	w.spec.fail_fast = true;
	w_add(&w);
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start a 1");
	assert_string_equal(w_next(&w), "start b 1");
	assert_string_equal(w_next(&w), "start c 1");
	w_started(&w, "a");
	w_started(&w, "b");
	w_exited(&w, "a", 1);
	assert_string_equal(w_state(&w, "d"), "cancelled");
	assert_string_equal(w_state(&w, "e"), "cancelled");
	assert_string_equal(w_state(&w, "f"), "cancelled");
	assert_string_equal(w_next(&w), ""); /* what works goes on */
	assert_string_equal(w_view(&w, "d").reason,
			    "not started: `a` failed (--fail-fast)");
	w_exited(&w, "b", 1); /* and is not tried again */
	assert_string_equal(w_state(&w, "b"), "failed");
	w_void(&w, "c", 0); /* one that never ran is not begun */
	assert_string_equal(w_state(&w, "c"), "cancelled");
	assert_string_equal(w_result(&w), "failed");
	assert_string_equal(w_reason(&w), "`a` and 1 more failed");
	w_close(&w);
}

static void
test_fail_fast_after_a_crash(void **state)
{
	struct world w;
	uint32_t a, b;

	(void)state;
	w_open(&w, fan, 3);
	a = w_task(&w, "a");
	b = w_task(&w, "b");
	w.spec.fail_fast = true;
	w.rows[a].state = TASK_DONE;
	w.rows[a].result = RESULT_FAILED;
	w.rows[b].state = TASK_RUNNING;
	w.rows[b].attempt = 1;
	w.rows[b].live = true;
	w_add(&w);
	assert_string_equal(w_state(&w, "c"), "cancelled");
	w_exited(&w, "b", 0);
	assert_string_equal(w_next(&w), "commit b 1");
	w_outputs(&w, "b", true);
	assert_string_equal(w_result(&w), "failed");
	w_close(&w);
}

/* An allowed failure stops nothing. */
static void
test_fail_fast_and_allow_failure(void **state)
{
	struct world w;

	(void)state;
	w_open(&w,
	       "tasks:\n  a: {run: x, allow_failure: true}\n  b: {run: x, needs: [a]}\n",
	       1);
	w.spec.fail_fast = true;
	w.fails[0] = 1;
	w_add(&w);
	assert_string_equal(w_play(&w), "success");
	assert_string_equal(w_state(&w, "a"), "failed");
	assert_string_equal(w_state(&w, "b"), "success");
	w_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_waiting_and_proposed),
	    cmocka_unit_test(test_proposed_and_blocked),
	    cmocka_unit_test(test_blocked),
	    cmocka_unit_test(test_ready),
	    cmocka_unit_test(test_preparing),
	    cmocka_unit_test(test_starting),
	    cmocka_unit_test(test_starting_and_void),
	    cmocka_unit_test(test_running_then_kill),
	    cmocka_unit_test(test_kill_at_once),
	    cmocka_unit_test(test_committing),
	    cmocka_unit_test(test_committing_then_kill),
	    cmocka_unit_test(test_killed_then_committing),
	    cmocka_unit_test(test_up_for_retry),
	    cmocka_unit_test(test_failure_meanwhile),
	    cmocka_unit_test(test_a_wait),
	    cmocka_unit_test(test_exit_0_before_the_cancel_is_durable),
	    cmocka_unit_test(test_exit_0_after_the_cancel_is_durable),
	    cmocka_unit_test(test_an_older_row_is_not_the_cancel),
	    cmocka_unit_test(test_goes_on_with_the_next_owner),
	    cmocka_unit_test(test_run_timeout),
	    cmocka_unit_test(test_timeout_of_a_cancelled_run),
	    cmocka_unit_test(test_timeout_while_ownerless),
	    cmocka_unit_test(test_timeout_goes_on_with_the_next_owner),
	    cmocka_unit_test(test_cancelled_and_late_for_the_next_owner),
	    cmocka_unit_test(test_fail_fast),
	    cmocka_unit_test(test_fail_fast_after_a_crash),
	    cmocka_unit_test(test_fail_fast_and_allow_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
