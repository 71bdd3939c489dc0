#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine_fixture.h"

/* Runs as wholes: who is let in, waits, verdicts, full disks, other owners. */

/* ---- who is let in ---- */

static void
test_priority_then_order(void **state)
{
	struct world w;

	(void)state;
	w_open(&w,
	       "tasks:\n  a: {run: x}\n  b: {run: x, priority: 5}\n  c: {run: x}\n"
	       "  d: {run: x, priority: -5}\n  e: {run: x, priority: 5}\n",
	       2);
	w_add(&w);
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start b 1");
	assert_string_equal(w_next(&w), "start e 1");
	assert_string_equal(w_next(&w), "");
	w_exited(&w, "b", 1);
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start a 1");
	w_exited(&w, "a", 1);
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start c 1");
	w_exited(&w, "c", 1);
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start d 1");
	w_close(&w);
}

static void
test_max_active_tasks(void **state)
{
	struct world w;

	(void)state;
	w_open(
	    &w,
	    "max_active_tasks: 2\ntasks:\n  a: {run: x}\n  b: {run: x}\n  c: {run: x}\n"
	    "  z: {type: wait, for: 1s}\n",
	    8);
	w.wait_for[w_task(&w, "z")] = SECOND;
	w_add(&w);
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start a 1");
	assert_string_equal(w_next(&w), "start b 1");
	assert_string_equal(w_next(&w), "");
	assert_string_equal(w_state(&w, "z"), "running"); /* it needs no slot */
	w_exited(&w, "a", 0);
	assert_string_equal(w_next(&w), "commit a 1");
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), ""); /* the slot is held until it is committed */
	w_outputs(&w, "a", true);
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start c 1");
	w_close(&w);
}

/* Two runs share the slots, best first, and each keeps its own max_active_tasks. */
static void
test_two_runs(void **state)
{
	struct world w;
	uint32_t first, second;
	struct engine_task_view v;

	(void)state;
	w_open(&w,
	       "max_active_tasks: 1\ntasks:\n  a: {run: x}\n  b: {run: x, priority: 1}\n",
	       8);
	assert_int_equal(engine_add(w.e, w.now, &w.spec, &first), 0);
	w.spec.id = "run2";
	assert_int_equal(engine_add(w.e, w.now, &w.spec, &second), 0);
	w_tick(&w);
	(void)w_commit(&w);
	for (w.run = 0; w.run < 2; w.run++) {
		engine_task_view(w.e, w.run, w_task(&w, "b"), &v);
		assert_true(v.live);
		engine_task_view(w.e, w.run, w_task(&w, "a"), &v);
		assert_false(v.live);
	}
	w_close(&w);
}

/* ---- waits ---- */

static void
test_wait_for(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {type: wait, for: 10s}\n", 1);
	w.wait_for[0] = 10 * SECOND;
	w_add(&w);
	assert_int_equal(w_op(&w, META_OP_ATTEMPT_INSERT, "a")->wake_us,
			 WALL_START + 10 * SECOND);
	(void)w_commit(&w);
	assert_string_equal(w_state(&w, "a"), "running");
	w.now.wall_us += 3600 * SECOND; /* forward */
	w_tick(&w);
	assert_string_equal(w_state(&w, "a"), "running");
	w.now.wall_us -= 2 * 3600 * SECOND; /* and back */
	w_pass(&w, 10 * SECOND - 1);
	assert_string_equal(w_state(&w, "a"), "running");
	assert_int_equal(engine_deadline(w.e, w.now), 1);
	w_pass(&w, 1);
	assert_string_equal(w_state(&w, "a"), "success");
	assert_string_equal(w_result(&w), "success");
	w_close(&w);
}

static void
test_wait_until(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {type: wait, until: '2023-11-14T22:13:30Z'}\n", 1);
	w.wait_until[0] = WALL_START + 10 * SECOND;
	w_add(&w);
	(void)w_commit(&w);
	w.now.wall_us -= 100 * SECOND; /* set back: it waits for longer */
	w_pass(&w, 50 * SECOND);
	assert_string_equal(w_state(&w, "a"), "running");
	assert_int_equal(engine_deadline(w.e, w.now), 60 * SECOND);
	w.now.wall_us = WALL_START + 10 * SECOND; /* set forward: it has come */
	assert_int_equal(engine_deadline(w.e, w.now), 0);
	w_tick(&w);
	assert_string_equal(w_state(&w, "a"), "success");
	assert_int_equal(engine_deadline(w.e, w.now), -1);
	w_close(&w);
}

static void
test_wait_over_a_restart(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {type: wait, for: 10s}\n  b: {run: x, needs: [a]}\n", 1);
	w.wait_for[w_task(&w, "a")] = 10 * SECOND;
	w_row_lives(&w, "a");
	w.rows[0].wake_us = WALL_START + 4 * SECOND;
	w_add(&w);
	assert_int_equal(engine_deadline(w.e, w.now), 4 * SECOND);
	w_pass(&w, 4 * SECOND);
	assert_string_equal(w_state(&w, "a"), "success");
	assert_int_equal(w_view(&w, "a").attempt, 1);
	w_to_running(&w, "b");
	w_close(&w);
}

/* ---- verdicts ---- */

/* An `always` leaf never whitens a run. */
static void
test_always_leaf(void **state)
{
	struct world w;

	(void)state;
	w_open(&w,
	       "tasks:\n  a: {run: x}\n  b: {run: x, needs: [a]}\n"
	       "  c: {run: x, needs: [b], trigger: always}\n",
	       1);
	w.fails[w_task(&w, "a")] = 1;
	w_add(&w);
	assert_string_equal(w_play(&w), "failed");
	assert_string_equal(w_state(&w, "c"), "success");
	assert_string_equal(w_state(&w, "b"), "upstream_failed");
	assert_string_equal(w_view(&w, "b").reason, "`a` did not succeed");
	assert_string_equal(w_reason(&w), "`a` failed");
	w_close(&w);
}

static void
test_allow_failure(void **state)
{
	struct world w;

	(void)state;
	w_open(&w,
	       "tasks:\n  a: {run: x, allow_failure: true}\n  b: {run: x, needs: [a]}\n",
	       1);
	w.fails[0] = 1;
	w_add(&w);
	assert_string_equal(w_play(&w), "success");
	assert_string_equal(w_state(&w, "a"), "failed");
	assert_string_equal(w_state(&w, "b"), "success");
	w_close(&w);
}

static void
test_templates_that_fail(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x, retries: 3}\n", 1);
	w.decisions[0] = DECIDE_FAIL;
	w_add(&w);
	assert_string_equal(w_state(&w, "a"), "failed");
	assert_string_equal(w_view(&w, "a").reason, "cannot be rendered");
	assert_int_equal(w_view(&w, "a").attempt, 0);
	assert_string_equal(w_play(&w), "failed");
	w_close(&w);
}

/* ---- a full disk ---- */

static void
test_full_disk(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x, priority: 1}\n  b: {run: x}\n  c: {run: x}\n",
	       2);
	w_add(&w);
	assert_int_equal(w_take(&w), 2);
	w_step(&w, (struct engine_event){.kind = EV_COMMIT_FULL});
	assert_string_equal(w_next(&w), "");
	(void)w_commit(&w); /* the same batch again, and there is room */
	assert_string_equal(w_next(&w), "start a 1");
	assert_string_equal(w_next(&w), "start b 1");
	w_started(&w, "a");
	w_started(&w, "b");
	w_exited(&w, "a", 1);
	assert_true(w_take(&w) > 0);
	w_step(&w, (struct engine_event){.kind = EV_COMMIT_FULL});
	w_exited(&w, "b", 1); /* nothing new is proposed, what happens is kept */
	assert_null(w_op(&w, META_OP_ATTEMPT_INSERT, "z"));
	/* A cancel works all the same. */
	w_cancel(&w, false);
	(void)w_commit(&w);
	(void)w_commit(&w);
	(void)w_commit(&w);
	assert_string_equal(w_result(&w), "cancelled");
	w_close(&w);
}

static void
test_full_disk_then_launches(void **state)
{
	struct world w;

	(void)state;
	w_open(&w,
	       "tasks:\n  a: {run: x}\n  b: {run: x, needs: [a], trigger: all_done}\n",
	       1);
	w_add(&w);
	w_to_running(&w, "a");
	(void)w_take(&w);
	w_step(&w, (struct engine_event){.kind = EV_COMMIT_FULL});
	w_exited(&w, "a", 1);
	assert_string_equal(w_state(&w, "b"), "ready");
	assert_false(w_view(&w, "b").live);
	(void)w_commit(&w);
	assert_true(w_view(&w, "b").live);
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start b 1");
	w_close(&w);
}

/* ---- another owner ---- */

static void
test_stale(void **state)
{
	struct meta_op *ops;
	struct world w;
	size_t i, n;

	(void)state;
	w_open(&w,
	       "tasks:\n  a: {run: x, retries: 1, retry_delay: 1s}\n"
	       "  b: {type: wait, for: 1h}\n  c: {run: x}\n",
	       4);
	w.wait_for[w_task(&w, "b")] = 3600 * SECOND;
	w_add(&w);
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start a 1");
	assert_string_equal(w_next(&w), "start c 1");
	w_started(&w, "a");
	w_exited(&w, "a", 1);
	(void)w_take(&w);
	ops = engine_taken(w.e, &n);
	assert_true(n > 1);
	for (i = 0; i < n; i++)
		ops[i].stale = true;
	w_step(&w, (struct engine_event){.kind = EV_COMMITTED});
	assert_string_equal(w_next(&w), "stale");
	assert_string_equal(w_next(&w), "");
	/* Nothing of it happens here any more, whatever comes. */
	w_started(&w, "c");
	w_exited(&w, "c", 0);
	w_cancel(&w, true);
	w_pass(&w, 2 * 3600 * SECOND);
	w_step(&w, (struct engine_event){.kind = EV_RETRY, .from = -1});
	assert_string_equal(w_next(&w), "");
	assert_false(engine_pending(w.e));
	w_close(&w);
}

/* ---- commands ---- */

static void
test_commands_are_answered_with_what_they_did(void **state)
{
	const struct meta_op *op;
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x}\n", 1);
	w_add(&w);
	(void)w_commit(&w);
	w_step(&w, (struct engine_event){.kind = EV_CANCEL,
					 .command = 7,
					 .answer = "stopping",
					 .reason = "cancelled by `dag cancel`"});
	op = w_op(&w, META_OP_COMMAND_DONE, NULL);
	assert_non_null(op);
	assert_int_equal(op->command, 7);
	assert_string_equal(op->reason, "stopping");
	assert_non_null(w_op(&w, META_OP_EVENT, NULL));
	assert_string_equal(w_op(&w, META_OP_RUN, NULL)->reason,
			    "cancelled by `dag cancel`");
	w_close(&w);
}

/* ---- runs that are taken over ---- */

static void
test_adopted_attempts_hold_their_slots(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x}\n  b: {run: x}\n  c: {run: x}\n", 2);
	w.rows[0].state = w.rows[1].state = TASK_RUNNING;
	w.rows[0].attempt = w.rows[1].attempt = 3;
	w.rows[0].live = w.rows[1].live = true;
	w_add(&w);
	assert_string_equal(w_state(&w, "c"), "ready");
	assert_false(engine_pending(w.e));
	w_started(&w, "a");
	w_void(&w, "b", 0); /* never ran: again, under a new number */
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start b 4");
	w_exited(&w, "a", 0);
	assert_string_equal(w_next(&w), "commit a 3");
	w_outputs(&w, "a", true);
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "start c 1");
	w_close(&w);
}

static void
test_outputs_are_there_before_anything_is_decided(void **state)
{
	static const struct meta_kv kv[] = {{"n", "41", 2}, {"m", "", 0}};
	struct world w;
	const char *val;
	size_t len;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x}\n  b: {run: x, needs: [a]}\n", 1);
	w.rows[0].state = TASK_DONE;
	w.rows[0].result = RESULT_SUCCESS;
	w.rows[0].attempt = 1;
	assert_int_equal(engine_add(w.e, w.now, &w.spec, &w.run), 0);
	assert_string_equal(w_state(&w, "b"), "waiting");
	assert_int_equal(engine_deadline(w.e, w.now), 0);
	assert_int_equal(engine_set_outputs(w.e, w.run, 0, kv, 2), 0);
	w_tick(&w);
	assert_string_equal(w_state(&w, "b"), "ready");
	assert_int_equal(engine_outputs(w.e, w.run, 0, "n", &val, &len), 1);
	assert_string_equal(val, "41");
	assert_int_equal(engine_outputs(w.e, w.run, 0, "m", &val, &len), 1);
	assert_int_equal(len, 0);
	assert_int_equal(engine_outputs(w.e, w.run, 0, "k", &val, &len), 0);
	assert_int_equal(engine_outputs(w.e, w.run, 1, "n", &val, &len), -1);
	assert_string_equal(engine_output_key(w.e, w.run, 0, 1), "m");
	assert_null(engine_output_key(w.e, w.run, 0, 2));
	w_close(&w);
}

static void
test_settle(void **state)
{
	struct world w;

	(void)state;
	w_open(&w,
	       "timeout: 1s\ntasks:\n  a: {run: x, retries: 2}\n  b: {run: x}\n"
	       "  c: {run: x, needs: [a]}\n",
	       4);
	w.spec.settle = w.spec.fail_fast = true;
	w.spec.deadline_us = WALL_START - 1; /* not looked at */
	w.rows[0].state = w.rows[1].state = TASK_RUNNING;
	w.rows[0].attempt = w.rows[1].attempt = 1;
	w.rows[0].live = true; /* b lives and is left alone */
	w_add(&w);
	assert_string_equal(w_next(&w), "");
	assert_false(engine_pending(w.e));
	w_exited(&w, "a", 1);
	assert_string_equal(w_state(&w, "a"), "up_for_retry");
	assert_string_equal(w_state(&w, "b"), "waiting");
	assert_string_equal(w_next(&w), ""); /* not before it is durable */
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "settled");
	w_pass(&w, 3600 * SECOND);
	assert_string_equal(w_next(&w), "");
	assert_false(engine_pending(w.e));
	w_close(&w);
}

/* What lives is not decided on either, though its rule would not let it begin any more: a retry
 * while it ran has begun its upstream anew, which was skipped this time. */
static void
test_settle_leaves_alone(void **state)
{
	static const char *const rules[] = {"none_skipped", "all_success"};
	char yaml[128];
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct world w;

		(void)snprintf(yaml, sizeof(yaml),
			       "tasks:\n  a: {run: x}\n  s: {run: x}\n"
			       "  b: {run: x, needs: [s], trigger: %s}\n",
			       rules[i]);
		w_open(&w, yaml, 4);
		w.spec.settle = true;
		w.rows[0].state = w.rows[2].state = TASK_RUNNING;
		w.rows[0].attempt = w.rows[2].attempt = 1;
		w.rows[0].live = true;
		w.rows[1].state = TASK_DONE;
		w.rows[1].result = i == 0 ? RESULT_SKIPPED : RESULT_FAILED;
		w_add(&w);
		w_exited(&w, "a", 1);
		assert_string_equal(w_state(&w, "b"), "waiting");
		(void)w_commit(&w);
		assert_string_equal(w_next(&w), "settled");
		assert_false(engine_pending(w.e));
		w_close(&w);
	}
}

/* Nor is it cancelled: the next owner stops it first. */
static void
test_settle_of_a_cancelled_run(void **state)
{
	struct world w;

	(void)state;
	w_open(&w, "tasks:\n  a: {run: x, retries: 1}\n  b: {run: x}\n  c: {run: x}\n",
	       4);
	w.spec.settle = w.spec.cancel = true;
	w.spec.cancel_reason = "cancelled here";
	w_row_lives(&w, "a");
	w_row_lives(&w, "b");
	w.rows[1].live = false; /* lives and is left alone */
	w_add(&w);
	assert_string_equal(w_next(&w), "");
	assert_false(engine_pending(w.e));
	w_exited(&w, "a", 1);
	assert_string_equal(w_state(&w, "a"), "cancelled");
	assert_string_equal(w_state(&w, "b"), "waiting");
	assert_string_equal(w_state(&w, "c"), "waiting");
	(void)w_commit(&w);
	assert_string_equal(w_next(&w), "settled");
	assert_false(engine_pending(w.e));
	w_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_settle_leaves_alone),
	    cmocka_unit_test(test_settle_of_a_cancelled_run),
	    cmocka_unit_test(test_priority_then_order),
	    cmocka_unit_test(test_max_active_tasks),
	    cmocka_unit_test(test_two_runs),
	    cmocka_unit_test(test_wait_for),
	    cmocka_unit_test(test_wait_until),
	    cmocka_unit_test(test_wait_over_a_restart),
	    cmocka_unit_test(test_always_leaf),
	    cmocka_unit_test(test_allow_failure),
	    cmocka_unit_test(test_templates_that_fail),
	    cmocka_unit_test(test_full_disk),
	    cmocka_unit_test(test_full_disk_then_launches),
	    cmocka_unit_test(test_stale),
	    cmocka_unit_test(test_commands_are_answered_with_what_they_did),
	    cmocka_unit_test(test_adopted_attempts_hold_their_slots),
	    cmocka_unit_test(test_outputs_are_there_before_anything_is_decided),
	    cmocka_unit_test(test_settle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
