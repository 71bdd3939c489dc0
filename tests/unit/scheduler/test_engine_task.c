#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine_fixture.h"

/* The life of one task: attempts, retries, what holds a slot, reports that come too late. */

static void
test_nothing_starts_before_its_row_is_durable(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x}\n", 1);
	w_add(&w);
	assert_string_equal(w_next(&w), "");
	assert_true(engine_urgent(w.e));
	assert_int_equal(w_take(&w), 1);
	assert_string_equal(w_next(&w), "");
	assert_int_equal(w_take(&w), 0); /* one batch at a time */
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start a 1");
	w_started(&w, "a");
	w_exited(&w, "a", 0);
	assert_string_equal(w_next(&w), "commit a 1");
	assert_string_equal(w_state(&w, "a"), "committing");
	w_outputs(&w, "a", true);
	assert_string_equal(w_next(&w), "");
	assert_string_equal(w_result(&w), "success"); /* but nobody is told yet */
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "run_end");
	w_close(&w);
}

/* The success of one and the row of the next are one transaction. */
static void
test_one_commit_per_hand_off(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x}\n  b: {run: x, needs: [a]}\n", 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_exited(&w, "a", 0);
	assert_string_equal(w_next(&w), "commit a 1");
	w_outputs(&w, "a", true);
	assert_non_null(w_op(&w, META_OP_ATTEMPT_END, "a"));
	assert_non_null(w_op(&w, META_OP_TASK, "a"));
	assert_non_null(w_op(&w, META_OP_ATTEMPT_INSERT, "b"));
	assert_string_equal(w_next(&w), "");
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start b 1");
	w_close(&w);
}

static void
test_inputs_and_outputs_are_prepared(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x, outputs: [o]}\n  b: {run: x, inputs: [o]}\n",
	       1);
	w_add(&w);
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "prepare a 1");
	assert_string_equal(w_state(&w, "a"), "preparing");
	assert_string_equal(w_next(&w), "");
	w_prepared(&w, "a", PREPARED_CACHED);
	assert_string_equal(w_state(&w, "a"), "cached");
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "prepare b 1");
	w_prepared(&w, "b", PREPARED_FAILED);
	assert_string_equal(w_state(&w, "b"), "failed");
	assert_int_equal(w_view(&w, "b").cause, CAUSE_SETUP);
	assert_string_equal(w_view(&w, "b").reason, "as prepared");
	assert_string_equal(w_result(&w), "failed");
	w_close(&w);
}

/* Results that are known need no slot, no look and no commit of their own. */
static void
test_known_results_end_at_once(void **state)
{
	const struct meta_op *op;
	const char *val;
	struct world w;
	size_t len;

	(void)state;
	w_open(&w,
	       "tasks:\n  a: {run: x, outputs: [o]}\n"
	       "  b: {run: x, inputs: [o], outputs: [p]}\n"
	       "  c: {run: x, inputs: [p], outputs: [q]}\n"
	       "  d: {run: x, needs: [a], outputs: [r]}\n",
	       1);
	w.known = " a b d ";
	w.decisions[w_task(&w, "d")] = DECIDE_SKIP;
	w_add(&w);
	assert_string_equal(w_state(&w, "a"), "cached");
	assert_string_equal(w_state(&w, "b"), "cached");
	assert_string_equal(w_state(&w, "d"), "skipped");
	assert_int_equal(w_view(&w, "b").attempt, 1);
	assert_int_equal(w_view(&w, "b").tries, 0);
	assert_string_equal(w_view(&w, "b").reason, "nothing has changed");
	assert_int_equal(engine_outputs(w.e, w.run, w_task(&w, "a"), "rows", &val, &len),
			 1);
	assert_string_equal(val, "7");
	op = w_op(&w, META_OP_ATTEMPT_KNOWN, "a");
	assert_non_null(op);
	assert_int_equal(op->number, 1);
	assert_int_equal(op->task_result, RESULT_CACHED);
	assert_string_equal(op->reason, "nothing has changed");
	assert_int_equal(op->started_us, WALL_START);
	assert_int_equal(op->ended_us, WALL_START);
	assert_string_equal(op->dir, "runs/run/a.-1.1");
	assert_int_equal(op->noutputs + op->nproduced, 2);
	assert_string_equal(op->stage.hash, "h");
	assert_null(w_op(&w, META_OP_ATTEMPT_INSERT, "a"));
	assert_null(w_op(&w, META_OP_TASK, "b"));
	/* The first of which nothing is known is proposed with them. */
	assert_non_null(w_op(&w, META_OP_ATTEMPT_INSERT, "c"));
	assert_string_equal(w_next(&w), "");
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "prepare c 1");
	assert_string_equal(w_next(&w), "");
	w_close(&w);
}

/* A run of which all is known is one batch. */
static void
test_known_run_is_one_batch(void **state)
{
	struct world w;

	(void)state;
	w_open(&w,
	       "tasks:\n  a: {run: x, outputs: [o]}\n"
	       "  b: {run: x, inputs: [o], outputs: [p]}\n",
	       1);
	w.known = " a b ";
	w_add(&w);
	assert_string_equal(w_result(&w), "success");
	assert_true(engine_urgent(w.e));
	assert_int_equal(w_commit(&w), 3);
	assert_string_equal(w_next(&w), "run_end");
	assert_int_equal(w_commit(&w), 0);
	w_close(&w);
}

/* Who only settles decides nothing, and a cancel that came first counts. */
static void
test_known_and_not_to_begin(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x, outputs: [o]}\n", 1);
	w.known = " a ";
	w.spec.settle = true;
	w_add(&w);
	assert_string_equal(w_state(&w, "a"), "waiting");
	assert_null(w_op(&w, META_OP_ATTEMPT_KNOWN, "a"));
	w_close(&w);
	w_open(&w, "tasks:\n  a: {run: x, outputs: [o]}\n", 1);
	w.known = " a ";
	w.spec.cancel = true;
	w_add(&w);
	assert_string_equal(w_state(&w, "a"), "cancelled");
	w_close(&w);
}

/* ---- retries ---- */

static const char retrying[] = "tasks:\n"
			       "  a: {run: x, retries: 4, retry_delay: 10s, "
			       "retry_backoff: 3, retry_max_delay: 1m}\n";

/* Fail the running attempt; the delay before the next in microseconds. */
static int64_t
fail_once(struct world *w)
{
	const struct meta_op *op;
	struct engine_task_view v;

	w_to_running(w, "a");
	w_exited(w, "a", 1);
	v = w_view(w, "a");
	assert_int_equal(v.state, TASK_UP_FOR_RETRY);
	assert_string_equal(v.reason, "exit status 1");
	op = w_op(w, META_OP_TASK, "a");
	assert_non_null(op);
	assert_int_equal(op->task_state, TASK_UP_FOR_RETRY);
	assert_int_equal(op->next_try_us, v.next_try_us);
	assert_int_equal(op->tries, v.tries);
	(void)w_commit(w);
	return v.next_try_us - w->now.wall_us;
}

static void
in_bounds(int64_t us, int64_t base)
{
	assert_in_range(us, base / 10 * 9, base / 10 * 11);
}

static void
test_backoff_cap_and_jitter(void **state)
{
	static const int64_t base[] = {10 * SECOND, 30 * SECOND, 60 * SECOND,
				       60 * SECOND};
	bool differs = false;
	int64_t delay, first = 0;
	unsigned seed, i;

	(void)state;
	for (seed = 1; seed <= 50; seed++) {
		struct world w;

		w_open(&w, retrying, 1);
		w_engine(&w, 1, seed);
		w_add(&w);
		for (i = 0; i < 4; i++) {
			delay = fail_once(&w);
			in_bounds(delay, base[i]);
			differs |= first != 0 && i == 0 && delay != first;
			if (i == 0)
				first = delay;
			w_pass(&w, delay - 1);
			assert_string_equal(w_state(&w, "a"), "up_for_retry");
			assert_int_equal(engine_deadline(w.e, w.now), 1);
			w_pass(&w, 1);
			assert_string_equal(w_state(&w, "a"), "ready");
		}
		w_to_running(&w, "a");
		w_exited(&w, "a", 1);
		assert_string_equal(w_state(&w, "a"), "failed");
		assert_int_equal(w_view(&w, "a").attempt, 5);
		w_close(&w);
	}
	assert_true(differs);
}

static void
test_no_slot_while_waiting_for_a_retry(void **state)
{
	struct world w;

	(void)state;
	w_open(&w,
	       "tasks:\n  a: {run: x, retries: 1, retry_delay: 1h, priority: 9}\n"
	       "  b: {run: x}\n",
	       1);
	w_add(&w);
	w_to_running(&w, "a");
	assert_string_equal(w_state(&w, "b"), "ready");
	w_exited(&w, "a", 1);
	w_to_running(&w, "b");
	w_close(&w);
}

/* Which causes are tried again: the default, and a choice. */
static void
test_retry_on(void **state)
{
	struct world w;

	(void)state;
	w_open(&w,
	       "tasks:\n  a: {run: x, retries: 9, retry_delay: 1s, retry_on: [signal]}\n",
	       1);
	w_add(&w);
	w_to_running(&w, "a");
	w_signalled(&w, "a", 9);
	assert_string_equal(w_state(&w, "a"), "up_for_retry");
	assert_string_equal(w_view(&w, "a").reason, "killed by signal 9 (SIGKILL)");
	w_pass(&w, 2 * SECOND);
	w_to_running(&w, "a");
	w_lost(&w, "a");
	assert_string_equal(w_state(&w, "a"), "lost");
	assert_string_equal(w_result(&w), "failed");
	w_close(&w);
}

static void
test_lost_is_tried_again(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x, retries: 1, retry_delay: 0s}\n", 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_lost(&w, "a");
	assert_string_equal(w_state(&w, "a"), "ready"); /* the delay is none */
	w_to_running(&w, "a");
	assert_int_equal(w_view(&w, "a").attempt, 2);
	w_close(&w);
}

static void
test_setup_is_not_tried_again(void **state)
{
	struct engine_exit x = {
	    .status = -1, .step = "exec", .text = "command not found: y"};
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x, retries: 3}\n", 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_exits(&w, "a", &x);
	assert_string_equal(w_state(&w, "a"), "failed");
	assert_string_equal(w_view(&w, "a").reason, "command not found: y");
	w_close(&w);
}

static void
test_timeout_of_an_attempt(void **state)
{
	struct engine_exit x = {.status = -1, .signal = 15, .timed_out = true};
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x}\n", 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_exits(&w, "a", &x);
	assert_string_equal(w_state(&w, "a"), "failed");
	assert_int_equal(w_view(&w, "a").cause, CAUSE_TIMEOUT);
	w_close(&w);
}

/* A program that ends with 0 after its time is no success. */
static void
test_timeout_with_exit_0(void **state)
{
	struct engine_exit x = {.status = 0, .timed_out = true};
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x}\n", 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_exits(&w, "a", &x);
	assert_string_equal(w_state(&w, "a"), "failed");
	w_close(&w);
}

/* Steps of the wall clock neither hurry nor stall a retry. */
static void
test_retry_and_clock_steps(void **state)
{
	static const int64_t steps[] = {-86400 * SECOND, 86400 * SECOND};
	struct world w;
	int64_t delay;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		w_open(&w, retrying, 1);
		w_add(&w);
		delay = fail_once(&w);
		w.now.wall_us += steps[i];
		w_tick(&w);
		assert_string_equal(w_state(&w, "a"), "up_for_retry");
		assert_int_equal(engine_deadline(w.e, w.now), delay);
		w_pass(&w, delay);
		assert_string_equal(w_state(&w, "a"), "ready");
		w_close(&w);
	}
}

/* The time of the next try is kept by the wall clock over a restart, but one that was set back
 * does not prolong it beyond the longest delay. */
static void
test_retry_after_a_restart(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, retrying, 1);
	w.rows[0].state = TASK_UP_FOR_RETRY;
	w.rows[0].attempt = w.rows[0].tries = 1;
	w.rows[0].next_try_us = WALL_START + 7 * SECOND;
	w_add(&w);
	assert_int_equal(engine_deadline(w.e, w.now), 7 * SECOND);
	w_pass(&w, 7 * SECOND);
	w_to_running(&w, "a");
	assert_int_equal(w_view(&w, "a").attempt, 2);
	w_exited(&w, "a", 1);
	in_bounds(w_view(&w, "a").next_try_us - w.now.wall_us, 30 * SECOND);
	w_close(&w);

	w_open(&w, retrying, 1);
	w.rows[0].state = TASK_UP_FOR_RETRY;
	w.rows[0].attempt = w.rows[0].tries = 1;
	w.rows[0].next_try_us = WALL_START + 86400 * SECOND;
	w_add(&w);
	/* As long as this delay can be, not as long as the longest. */
	assert_int_equal(engine_deadline(w.e, w.now), 11 * SECOND);
	w_close(&w);
}

/* ---- starts that fail ---- */

static void
test_void_consumes_no_retry(void **state)
{
	struct world w;
	int i;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x}\n  b: {run: x}\n", 1);
	w_add(&w);
	for (i = 1; i <= 3; i++) {
		(void)w_commit(&w);
		(void)w_next(&w);
		assert_string_equal(w_state(&w, "a"), "starting");
		w_void(&w, "a", 0);
		assert_int_equal(w_view(&w, "a").tries, 0);
	}
	/* Also when its shim had begun. */
	w_to_running(&w, "a");
	w_void(&w, "a", SECOND);
	assert_string_equal(w_state(&w, "a"), "ready");
	assert_string_equal(w_view(&w, "a").reason, "out of processes");
	/* Its slot is for others until it is tried again. */
	w_to_running(&w, "b");
	w_exited(&w, "b", 0);
	assert_string_equal(w_next(&w), "commit b 1");
	w_outputs(&w, "b", true);
	(void)w_commit(&w);
	w_step(&w, (struct engine_event){.kind = EV_WAKE});
	assert_string_equal(w_state(&w, "a"), "ready"); /* its time has not come */
	assert_int_equal(engine_deadline(w.e, w.now), SECOND);
	w_pass(&w, SECOND);
	w_to_running(&w, "a");
	assert_int_equal(w_view(&w, "a").attempt, 5);
	w_exited(&w, "a", 1);
	assert_string_equal(w_state(&w, "a"), "failed"); /* no retries */
	w_close(&w);
}

/* ---- paths ---- */

static void
test_blocked_and_woken(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x, priority: 5}\n  b: {run: x}\n", 1);
	w_add(&w);
	w.blocked = "a";
	(void)w_commit(&w);
	assert_string_equal(w_state(&w, "a"), "ready");
	assert_true(w_view(&w, "a").blocked);
	assert_int_equal(w_view(&w, "a").attempt, 0); /* the number is used again */
	assert_string_equal(w_view(&w, "a").reason, "a path");
	assert_string_equal(w_next(&w), "");
	w_to_running(&w, "b"); /* it has the slot meanwhile */
	w.blocked = NULL;
	w_step(&w, (struct engine_event){.kind = EV_WAKE});
	assert_false(w_view(&w, "a").blocked);
	w_exited(&w, "b", 1);
	w_to_running(&w, "a");
	assert_int_equal(w_view(&w, "a").attempt, 1);
	w_close(&w);
}

/* The end of one of our own attempts that held paths wakes without being told. */
static void
test_own_end_wakes(void **state)
{
	struct meta_path p = {.path = "o", .write = true};
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x, priority: 1}\n  b: {run: x}\n", 2);
	w.paths[0] = w.paths[1] = (struct engine_paths){.v = &p, .n = 1};
	w_add(&w);
	w.blocked = "b";
	(void)w_commit(&w);
	w.blocked = NULL;
	assert_string_equal(w_next(&w), "start a 1");
	assert_string_equal(w_next(&w), "");
	w_started(&w, "a");
	w_exited(&w, "a", 1);
	assert_true(w_view(&w, "b").blocked);
	(void)w_commit(&w); /* the lock is gone */
	assert_false(w_view(&w, "b").blocked);
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start b 1");
	w_close(&w);
}

/* ---- late reports ---- */

static void
test_late_reports_change_nothing(void **state)
{
	static const enum engine_event_kind kinds[] = {
	    EV_PREPARED, EV_STARTED, EV_VOID, EV_EXITED, EV_LOST, EV_OUTPUTS};
	struct engine_exit x = {.status = 0};
	struct world w;
	size_t i;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x, retries: 1, retry_delay: 1h}\n", 1);
	w_add(&w);
	w_to_running(&w, "a");
	w_exited(&w, "a", 1);
	(void)w_commit(&w);
	for (i = 0; i < 6; i++) {
		struct engine_event ev = w_event(&w, kinds[i], "a");

		ev.exit = &x;
		ev.ok = true;
		w_step(&w, ev);
		assert_string_equal(w_state(&w, "a"), "up_for_retry");
	}
	w_pass(&w, 2 * 3600 * SECOND);
	w_to_running(&w, "a");
	(void)w_commit(&w);
	for (i = 0; i < 6; i++) { /* of attempt 1, while 2 runs */
		struct engine_event ev = w_event(&w, kinds[i], "a");

		ev.ref.number = 1;
		ev.exit = &x;
		ev.ok = true;
		w_step(&w, ev);
		assert_string_equal(w_state(&w, "a"), "running");
	}
	assert_false(engine_pending(w.e));
	w_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_starts_before_its_row_is_durable),
	    cmocka_unit_test(test_one_commit_per_hand_off),
	    cmocka_unit_test(test_inputs_and_outputs_are_prepared),
	    cmocka_unit_test(test_known_results_end_at_once),
	    cmocka_unit_test(test_known_run_is_one_batch),
	    cmocka_unit_test(test_known_and_not_to_begin),
	    cmocka_unit_test(test_backoff_cap_and_jitter),
	    cmocka_unit_test(test_no_slot_while_waiting_for_a_retry),
	    cmocka_unit_test(test_retry_on),
	    cmocka_unit_test(test_lost_is_tried_again),
	    cmocka_unit_test(test_setup_is_not_tried_again),
	    cmocka_unit_test(test_timeout_of_an_attempt),
	    cmocka_unit_test(test_timeout_with_exit_0),
	    cmocka_unit_test(test_retry_and_clock_steps),
	    cmocka_unit_test(test_retry_after_a_restart),
	    cmocka_unit_test(test_void_consumes_no_retry),
	    cmocka_unit_test(test_blocked_and_woken),
	    cmocka_unit_test(test_own_end_wakes),
	    cmocka_unit_test(test_late_reports_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
