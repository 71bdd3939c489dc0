#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "alloc_fixture.h"
#include "engine_fixture.h"

/*
 * Memory that runs out: each allocation of a whole run of the engine fails once.  The engine
 * must say so (-1, from then on for good), keep nothing half done that engine_free could
 * stumble over, and leak nothing (the sanitizer looks).
 */
static const char text[] = "tasks:\n"
			   "  a: {run: x, outputs: [o], retries: 1, retry_delay: 1s}\n"
			   "  b: {run: x, inputs: [o]}\n"
			   "  c: {run: x, needs: [a], when: true}\n"
			   "  d: {run: x, needs: [c]}\n"
			   "  z: {type: wait, for: 1s}\n"
			   "  y: {run: x}\n";

static struct world w;
static struct meta_path path = {.path = "o", .write = true};

/* One engine call; -1 once it has failed. */
static int
step(const struct engine_event *given)
{
	struct engine_event ev = *given;
	int rc;

	ev.ref.run = w.run;
	alloc_counting = true;
	rc = engine_step(w.e, w.now, &ev);
	alloc_counting = false;
	return rc;
}

static int
report(enum engine_event_kind kind, struct engine_ref ref, int status)
{
	static const struct meta_kv kv[] = {{"k", "v", 1}, {"l", "w", 1}};
	struct engine_exit x = {.status = status};
	struct engine_event ev = {.kind = kind, .ref = ref, .exit = &x, .pid = 7};

	ev.handle = "where";
	ev.reason = kind == EV_OUTPUTS ? NULL : "why";
	ev.ok = true;
	ev.outputs = kv;
	ev.noutputs = 2;
	ev.produced = &path;
	ev.nproduced = 1;
	return step(&ev);
}

static int
carry_out(const struct engine_action *a)
{
	bool flaky = strcmp(w.g->tasks[a->ref.task].name, "a") == 0 && a->ref.number == 1;

	switch (a->kind) {
	case ACT_PREPARE:
		return report(EV_PREPARED, a->ref, 0);
	case ACT_START:
		if (a->ref.number == 1 && w.g->tasks[a->ref.task].name[0] == 'b')
			return report(EV_VOID, a->ref, 0);
		if (report(EV_STARTED, a->ref, 0) != 0)
			return -1;
		return report(EV_EXITED, a->ref,
			      flaky || w.g->tasks[a->ref.task].name[0] == 'y');
	case ACT_COMMIT:
		return report(EV_OUTPUTS, a->ref, 0);
	case ACT_STOP:
	case ACT_KILL:
	case ACT_RUN_END:
	case ACT_RUN_SETTLED:
	case ACT_RUN_STALE:
		break;
	}
	return 0;
}

static int
commit(bool block)
{
	struct meta_op *ops;
	size_t i, n;

	ops = engine_taken(w.e, &n);
	for (i = 0; i < n; i++)
		if (block && ops[i].kind == META_OP_ATTEMPT_INSERT) {
			ops[i].blocked = true;
			(void)snprintf(ops[i].blocked_by, sizeof(ops[i].blocked_by), "x");
		}
	return step(&(struct engine_event){.kind = EV_COMMITTED});
}

/* A whole run, with a failure, a retry, a skip, a void start, a block; then it is retried, and
 * cancelled.  -1 as soon as a call fails. */
static int
play(void)
{
	struct engine_action a;
	unsigned batches = 0;
	bool ended = false;
	int rc;
	size_t n;

	alloc_counting = true;
	rc = engine_add(w.e, w.now, &w.spec, &w.run);
	alloc_counting = false;
	if (rc != 0 || step(&(struct engine_event){.kind = EV_TICK}) != 0)
		return -1;
	while (!ended) {
		if (engine_action(w.e, &a)) {
			ended = a.kind == ACT_RUN_END;
			if (carry_out(&a) != 0)
				return -1;
		} else if (engine_take(w.e, &n) != NULL) {
			if (++batches == 5 &&
			    (step(&(struct engine_event){.kind = EV_RETRY,
							 .from = 0,
							 .command = 3,
							 .answer = "y"}) != 0 ||
			     step(&(struct engine_event){.kind = EV_WAKE}) != 0))
				return -1;
			if (batches == 9 &&
			    step(&(struct engine_event){.kind = EV_CANCEL,
							.reason = "enough",
							.kill = true}) != 0)
				return -1;
			if (commit(batches == 2) != 0)
				return -1;
		} else {
			w.now.mono_us += SECOND;
			w.now.wall_us += SECOND;
			if (step(&(struct engine_event){.kind = EV_TICK}) != 0)
				return -1;
		}
	}
	return 0;
}

static void
open_world(bool fail_fast)
{
	w_open(&w, text, 2);
	w.spec.fail_fast = fail_fast;
	w.paths[w_task(&w, "a")] = (struct engine_paths){.v = &path, .n = 1};
	w.wait_for[w_task(&w, "z")] = SECOND;
	w.decisions[w_task(&w, "c")] = DECIDE_SKIP;
	alloc_count = 0;
}

/* Return how many allocations there were to fail. */
static unsigned long
fail_each(bool fail_fast)
{
	int rc;

	for (alloc_fail_at = 1;; alloc_fail_at++) {
		open_world(fail_fast);
		rc = play();
		if (alloc_count < alloc_fail_at) { /* none was left to fail */
			assert_int_equal(rc, 0);
			w_close(&w);
			return alloc_count;
		}
		if (rc != -1)
			print_error("allocation %lu failed, and nobody noticed\n",
				    alloc_fail_at);
		assert_int_equal(rc, -1);
		assert_int_equal(step(&(struct engine_event){.kind = EV_TICK}), -1);
		w_close(&w);
	}
}

static void
test_every_allocation(void **state)
{
	(void)state;
	assert_true(fail_each(false) > 50);
	assert_true(fail_each(true) > 20);
}

/* An engine that cannot be made, and outputs that cannot be kept. */
static void
test_outside_of_steps(void **state)
{
	static const struct meta_kv kv = {"k", "v", 1};
	struct engine_config cfg = {.boot_id = "boot"};
	struct engine *e;

	(void)state;
	alloc_count = 0;
	alloc_fail_at = 1;
	alloc_counting = true;
	e = engine_new(&cfg);
	alloc_counting = false;
	assert_null(e);
	w_open(&w, text, 2);
	alloc_fail_at = 0;
	w_add(&w);
	alloc_count = 0;
	alloc_fail_at = 1;
	alloc_counting = true;
	assert_int_equal(engine_set_outputs(w.e, w.run, 0, &kv, 1), -1);
	alloc_counting = false;
	assert_int_equal(engine_set_outputs(w.e, w.run, 0, &kv, 1), 0);
	w_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_allocation),
	    cmocka_unit_test(test_outside_of_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
