#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine_fixture.h"

/* A cancel, in every state that a task can be in. */

/* Before anything started; b waits. */
static void
test_waiting_and_proposed(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, w_two, 1);
	w_add(&w);
	w_cancel(&w, false);
	assert_string_equal(w_state(&w, "b"), "cancelled");
	assert_string_equal(w_state(&w, "a"), "ready"); /* its row is on its way */
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "");
	assert_non_null(w_op(&w, META_OP_ATTEMPT_END, "a"));
	w_ends_cancelled(&w);
	w_close(&w);
}

static void
test_proposed_and_blocked(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, w_two, 1);
	w_add(&w);
	w.blocked = "a";
	w_cancel(&w, false);
	(void)w_commit(&w);
	assert_null(w_op(&w, META_OP_ATTEMPT_END, "a")); /* there is no row to be ended */
	w_ends_cancelled(&w);
	w_close(&w);
}

static void
test_blocked(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, w_two, 1);
	w_add(&w);
	w.blocked = "a";
	(void)w_commit(&w);
	assert_true(w_view(&w, "a").blocked);
	w_cancel(&w, false);
	w_ends_cancelled(&w);
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
	w_ends_cancelled(&w);
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
	w_ends_cancelled(&w);
	w_close(&w);
}

static void
cancel_a_start(struct world *w)
{
	w_open(w, w_two, 1);
	w_add(w);
	(void)w_commit(w);
	assert_string_equal(w_next(w), "start a 1");
	w_cancel(w, false);
	assert_string_equal(w_next(w), "stop a 1");
}

static void
test_starting(void **state)
{
	struct world w;

	(void)state;
	cancel_a_start(&w);
	/* A stop that came too early for the shim is sent again. */
	w_started(&w, "a");
	assert_string_equal(w_next(&w), "stop a 1");
	w_signalled(&w, "a", 15);
	w_ends_cancelled(&w);
	w_close(&w);
}

static void
test_starting_and_void(void **state)
{
	struct world w;

	(void)state;
	cancel_a_start(&w);
	w_void(&w, "a", 0);
	w_ends_cancelled(&w);
	w_close(&w);
}

static void
test_running_then_kill(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, w_two, 1);
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
	w_ends_cancelled(&w);
	w_close(&w);
}

static void
test_kill_at_once(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, w_two, 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_cancel(&w, true);
	assert_string_equal(w_next(&w), "kill a 1");
	w_lost(&w, "a");
	w_ends_cancelled(&w);
	w_close(&w);
}

/* The work was done: a plain cancel lets it be kept. */
static void
test_committing(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, w_two, 1);
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
	w_open(&w, w_two, 1);
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
	w_ends_cancelled(&w);
	w_close(&w);
}

/* A kill that met a good end stopped the process only: the next one reaches the worker. */
static void
test_killed_then_committing(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, w_two, 1);
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
	w_ends_cancelled(&w);
	w_close(&w);
}

static void
test_up_for_retry(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, w_two, 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_exited(&w, "a", 1);
	assert_string_equal(w_state(&w, "a"), "up_for_retry");
	(void)w_commit(&w);
	w_cancel(&w, false);
	w_ends_cancelled(&w);
	w_close(&w);
}

/* A failure while the run is being cancelled is not tried again. */
static void
test_failure_meanwhile(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, w_two, 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_cancel(&w, false);
	assert_string_equal(w_next(&w), "stop a 1");
	w_exited(&w, "a", 1);
	w_ends_cancelled(&w);
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
	w_ends_cancelled(&w);
	w_close(&w);
}

/* ---- a cancel and a good end meet ---- */

static void
test_exit_0_before_the_cancel_is_durable(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, w_two, 1);
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
	w_open(&w, w_two, 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_cancel(&w, false);
	(void)w_next(&w);
	(void)w_commit(&w);
	w_exited(&w, "a", 0);
	w_ends_cancelled(&w);
	w_close(&w);
}

/* What was in flight when the cancel came says nothing about the cancel. */
static void
test_an_older_row_is_not_the_cancel(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, w_two, 1);
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

	(void)state;
	w_open(&w, w_two, 1);
	w_row_lives(&w, "a");
	w.spec.cancel = true;
	w.spec.cancel_reason = "cancelled here";
	w_add(&w);
	assert_string_equal(w_next(&w), "stop a 1");
	assert_string_equal(w_state(&w, "b"), "cancelled");
	w_exited(&w, "a", 0); /* it was durable before the exit was seen */
	w_ends_cancelled(&w);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
