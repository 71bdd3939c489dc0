#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine_fixture.h"

/* Retries of runs that have ended, and of live ones. */

static const char chain[] = "tasks:\n"
			    "  a: {run: x}\n"
			    "  b: {run: x, needs: [a]}\n"
			    "  c: {run: x, needs: [b]}\n"
			    "  d: {run: x, needs: [a]}\n"
			    "  e: {run: x, needs: [d], allow_failure: true}\n";

static void
done(struct world *w, const char *name, enum task_result result)
{
	w->rows[w_task(w, name)] = (struct engine_task_row){.state = TASK_DONE,
							    .result = result,
							    .attempt = 3,
							    .tries = 2,
							    .selected = true};
}

static void
open_ended(struct world *w)
{
	w_open(w, chain, 1);
	done(w, "a", RESULT_SUCCESS);
	done(w, "b", RESULT_FAILED);
	done(w, "c", RESULT_UPSTREAM_FAILED);
	done(w, "d", RESULT_SUCCESS);
	done(w, "e", RESULT_FAILED);
	w->spec.retry = true;
}

static void
test_retry_what_failed(void **state)
{
	struct world w;

	(void)state;
	open_ended(&w);
	w_add(&w);
	assert_string_equal(w_state(&w, "a"), "success");
	assert_string_equal(w_state(&w, "d"), "success");
	assert_string_equal(w_state(&w, "c"), "waiting");
	assert_int_equal(w_view(&w, "b").tries, 0); /* its whole budget again */
	assert_string_equal(w_op(&w, META_OP_RUN, NULL)->reason, ENGINE_RETRY);
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start b 4"); /* numbers go on */
	w_started(&w, "b");
	w_exited(&w, "b", 0);
	assert_string_equal(w_play(&w), "success");
	assert_string_equal(w_state(&w, "c"), "success");
	assert_string_equal(w_state(&w, "e"), "success");
	w_close(&w);
}

static void
test_retry_from(void **state)
{
	struct world w;

	(void)state;
	open_ended(&w);
	w.spec.from = (int32_t)w_task(&w, "d");
	w_add(&w);
	assert_string_equal(w_state(&w, "b"), "failed"); /* not asked for */
	assert_string_equal(w_state(&w, "d"), "ready");
	assert_string_equal(w_state(&w, "e"), "waiting");
	assert_string_equal(w_play(&w), "failed");
	assert_string_equal(w_state(&w, "e"), "success");
	assert_int_equal(w_view(&w, "d").attempt, 4);
	w_close(&w);
}

/* What was cancelled and is not begun anew keeps the run from being a success. */
static void
test_retry_from_and_cancelled_tasks(void **state)
{
	struct world w;

	(void)state;
	open_ended(&w);
	done(&w, "b", RESULT_CANCELLED);
	done(&w, "c", RESULT_CANCELLED);
	w.spec.from = (int32_t)w_task(&w, "e");
	w_add(&w);
	assert_string_equal(w_play(&w), "cancelled");
	assert_string_equal(w_reason(&w), "`b` was cancelled");
	w_close(&w);
}

static void
test_retry_of_deselected_tasks(void **state)
{
	struct world w;
	uint32_t c;

	(void)state;
	open_ended(&w);
	c = w_task(&w, "c");
	done(&w, "c", RESULT_SKIPPED);
	w.rows[c].selected = false;
	w_add(&w);
	assert_string_equal(w_play(&w), "success");
	assert_string_equal(w_state(&w, "c"), "skipped");
	assert_int_equal(w_view(&w, "c").attempt, 3);
	w_close(&w);
}

/* By a command while it works: what goes on goes on. */
static void
test_retry_of_a_live_run(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x}\n  b: {run: x}\n", 2);
	w_add(&w);
	(void)w_commit(&w);
	(void)w_next(&w);
	(void)w_next(&w);
	w_started(&w, "a");
	w_started(&w, "b");
	w_exited(&w, "a", 1);
	(void)w_commit(&w);
	w_step(&w, (struct engine_event){.kind = EV_RETRY, .from = -1});
	assert_string_equal(w_state(&w, "b"), "running");
	w_to_running(&w, "a");
	assert_int_equal(w_view(&w, "a").attempt, 2);
	/* One that is being cancelled goes on being cancelled. */
	w_cancel(&w, false);
	w_step(&w, (struct engine_event){.kind = EV_RETRY, .from = -1});
	w_signalled(&w, "a", 15);
	w_signalled(&w, "b", 15);
	assert_string_equal(w_result(&w), "cancelled");
	w_close(&w);
}

/* What only waits for its turn follows what begins anew: it waits for it again. */
static void
test_retry_takes_back_who_waits_for_a_slot(void **state)
{
	struct world w;

	(void)state;
	w_open(&w,
	       "tasks:\n"
	       "  a: {run: x, priority: 9}\n"
	       "  b: {run: x, needs: [a], trigger: all_done}\n"
	       "  c: {run: x, priority: 5}\n",
	       1);
	w_add(&w);
	w_to_running(&w, "a");
	w_exited(&w, "a", 1);
	w_to_running(&w, "c");
	assert_string_equal(w_state(&w, "b"), "ready");
	w_step(&w, (struct engine_event){.kind = EV_RETRY, .from = -1});
	assert_string_equal(w_state(&w, "b"), "waiting");
	assert_string_equal(w_op(&w, META_OP_RUN, NULL)->reason, ENGINE_RETRY);
	(void)w_commit(&w);
	w_exited(&w, "c", 1);
	w_to_running(&w, "a");
	assert_string_equal(w_state(&w, "b"), "waiting");
	w_exited(&w, "a", 0);
	assert_string_equal(w_play(&w), "failed"); /* of c */
	assert_string_equal(w_state(&w, "b"), "success");
	w_close(&w);
}

static void
test_retry_takes_back_who_waits_for_a_try(void **state)
{
	struct world w;

	(void)state;
	w_open(&w,
	       "tasks:\n"
	       "  a: {run: x}\n"
	       "  b: {run: x, needs: [a], trigger: all_done, retries: 1}\n",
	       1);
	w_add(&w);
	w_to_running(&w, "a");
	w_exited(&w, "a", 1);
	w_to_running(&w, "b");
	w_exited(&w, "b", 1);
	assert_string_equal(w_state(&w, "b"), "up_for_retry");
	w_step(&w, (struct engine_event){.kind = EV_RETRY, .from = -1});
	assert_string_equal(w_state(&w, "b"), "waiting");
	assert_int_equal(w_view(&w, "b").tries, 0);
	w_to_running(&w, "a");
	w_pass(&w, 3600 * SECOND); /* the time of its next try means nothing any more */
	assert_string_equal(w_state(&w, "b"), "waiting");
	w_exited(&w, "a", 0);
	assert_string_equal(w_play(&w), "success");
	w_close(&w);
}

/* The end of the run is on its way when the retry comes: it is not told, and the end that
 * counts is the next. */
static void
test_retry_while_the_end_is_on_its_way(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x}\n", 1);
	w.decisions[0] = DECIDE_FAIL;
	w_add(&w);
	assert_string_equal(w_result(&w), "failed");
	assert_true(w_take(&w) > 0);
	w_step(&w, (struct engine_event){.kind = EV_RETRY, .from = -1});
	assert_string_equal(w_result(&w), "failed"); /* again, at once */
	(void)w_commit(&w);			     /* the first end */
	assert_string_equal(w_next(&w), "");
	(void)w_commit(&w); /* the second */
	assert_string_equal(w_next(&w), "run_end");
	w_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_retry_what_failed),
	    cmocka_unit_test(test_retry_from),
	    cmocka_unit_test(test_retry_from_and_cancelled_tasks),
	    cmocka_unit_test(test_retry_of_deselected_tasks),
	    cmocka_unit_test(test_retry_of_a_live_run),
	    cmocka_unit_test(test_retry_takes_back_who_waits_for_a_slot),
	    cmocka_unit_test(test_retry_takes_back_who_waits_for_a_try),
	    cmocka_unit_test(test_retry_while_the_end_is_on_its_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
