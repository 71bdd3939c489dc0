#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine_fixture.h"

/* Runs that stop by themselves: their time is up, or a task failed and they are to fail fast. */

/* ---- timeouts of runs ---- */

static void
test_run_timeout(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, w_two, 1);
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
	w_open(&w, w_two, 1);
	w.spec.deadline_us = WALL_START + SECOND;
	w_add(&w);
	w_to_running(&w, "a");
	w_cancel(&w, false);
	(void)w_next(&w);
	w_pass(&w, 2 * SECOND);
	w_signalled(&w, "a", 15);
	w_ends_cancelled(&w);
	w_close(&w);
}

/* Its time went by while nobody had it: what was stopped for that is cancelled, not failed. */
static void
test_timeout_while_ownerless(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, w_two, 1);
	w_row_lives(&w, "a");
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
	w_open(w, w_two, 1);
	w_row_lives(w, "a");
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
	uint32_t a;

	(void)state;
	w_open(&w, fan, 3);
	a = w_task(&w, "a");
	w.spec.fail_fast = true;
	w.rows[a].state = TASK_DONE;
	w.rows[a].result = RESULT_FAILED;
	w_row_lives(&w, "b");
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
