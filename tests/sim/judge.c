/*
 * The judge of ends: of tasks, of retries, of runs.  Like oracle.c it knows only the rules, what
 * is durable, and what the world told the owners.
 */
#include <stdlib.h>

#include "sim.h"
#include "tasks/schema/schema.h"

#define NAME(task) (s->dag.tasks[task].name)

/* ---- tasks ---- */

static void
judge_failed(struct sim *s, struct sim_run *r, uint32_t task, unsigned n)
{
	const struct dag_task *m = &s->dag.tasks[task];
	struct sim_task *t = &r->tasks[task];
	bool retried = (m->retry_on & 1u << t->attempts[t->attempt].cause) != 0;

	if (n == 0 && !t->broken)
		sim_fail(s, "%s %s failed without an attempt", r->id, NAME(task));
	if (n > 0 && n < m->retries + 1 && retried && !r->asked && !r->fail_fast)
		sim_fail(s, "%s %s gave up after %u of %u tries", r->id, NAME(task), n,
			 m->retries + 1);
}

static void
judge_passive(struct sim *s, struct sim_run *r, uint32_t task, unsigned n)
{
	struct sim_task *t = &r->tasks[task];
	bool when = t->result == RESULT_SKIPPED && !t->when && oracle_may_run(s, r, task);

	/* Upstreams that begin anew under a task between two tries may skip it. */
	if (n > 0 && !r->look_past)
		sim_fail(s, "%s %s is %s after %u tries", r->id, NAME(task),
			 task_result_name(t->result), n);
	if (!when && (oracle_passive(s, r, task) & 1u << t->result) == 0)
		sim_fail(s, "%s %s is %s without a reason", r->id, NAME(task),
			 task_result_name(t->result));
}

/* A wait that ended well has waited: for its instant by the wall clock, wherever that went. */
static void
judge_wait(struct sim *s, struct sim_run *r, uint32_t task, int64_t at_us)
{
	struct sim_task *t = &r->tasks[task];
	const struct sim_attempt *a = &t->attempts[t->attempt];
	int64_t wait = s->wait_us[task];

	if (s->dag.tasks[task].type->kind != TASK_ENGINE || t->result != RESULT_SUCCESS)
		return;
	if (wait < 0 && at_us < SIM_UNTIL_US)
		sim_fail(s, "%s %s did not wait for its instant", r->id, NAME(task));
	if (wait >= 0 && s->totals.jumps == 0 && at_us - a->begun_us < wait)
		sim_fail(s, "%s %s did not wait for its time", r->id, NAME(task));
}

static void
judge_result(struct sim *s, struct sim_run *r, uint32_t task, unsigned n, int64_t at_us)
{
	const struct sim_task *t = &r->tasks[task];

	switch (t->result) {
	case RESULT_SUCCESS:
	case RESULT_CACHED:
		if (n == 0 || t->attempts[t->attempt].result != t->result)
			sim_fail(s, "%s %s succeeded without an attempt", r->id,
				 NAME(task));
		judge_wait(s, r, task, at_us);
		break;
	case RESULT_FAILED:
	case RESULT_LOST:
		judge_failed(s, r, task, n);
		break;
	case RESULT_SKIPPED:
	case RESULT_UPSTREAM_FAILED:
		judge_passive(s, r, task, n);
		break;
	case RESULT_CANCELLED:
		if (!r->asked && !r->fail_fast)
			sim_fail(s, "%s %s was cancelled by nobody", r->id, NAME(task));
		break;
	case RESULT_NONE:
	case RESULT_VOID:
	case TASK_RESULTS:
		sim_fail(s, "%s %s is done without a result", r->id, NAME(task));
	}
}

/**
 * judge_end(s, r, task, at_us):
 * A task ended durably: does its result follow from what is known?
 */
void
judge_end(struct sim *s, struct sim_run *r, uint32_t task, int64_t at_us)
{
	const struct dag_task *m = &s->dag.tasks[task];
	struct sim_task *t = &r->tasks[task];
	unsigned n = oracle_tries(t);

	if (t->attempt > 0 && !t->attempts[t->attempt].ended)
		sim_fail(s, "%s %s is done while attempt %u has not ended", r->id,
			 NAME(task), t->attempt);
	if (!t->selected)
		sim_fail(s, "%s %s was not selected and has an end", r->id, NAME(task));
	if (n > m->retries + 1)
		sim_fail(s, "%s %s made %u attempts with %u retries", r->id, NAME(task),
			 n, m->retries);
	judge_result(s, r, task, n, at_us);
}

/* ---- retries of runs ---- */

/**
 * judge_marks(s, r, from, mark):
 * Which tasks a retry of the ended run must begin anew.
 */
void
judge_marks(const struct sim *s, const struct sim_run *r, int32_t from, bool *mark)
{
	uint32_t i;
	size_t k;

	for (i = 0; i < s->dag.ntasks; i++) { /* upstreams have smaller numbers */
		const struct dag_task *m = &s->dag.tasks[i];
		enum task_result res = r->tasks[i].result;

		mark[i] = from >= 0 ? i == (uint32_t)from
				    : res == RESULT_FAILED || res == RESULT_LOST ||
					  res == RESULT_UPSTREAM_FAILED ||
					  res == RESULT_CANCELLED;
		for (k = 0; k < m->nup; k++)
			mark[i] |= mark[m->up[k]];
		mark[i] &= r->tasks[i].selected;
	}
}

/**
 * judge_reset(s, r):
 * A retry of the run is durable: did it begin what it should, and nothing else?
 */
void
judge_reset(struct sim *s, struct sim_run *r)
{
	uint32_t i;

	for (i = 0; r->expect != NULL && i < s->dag.ntasks; i++) {
		const struct sim_task *t = &r->tasks[i];
		bool reset = t->state != TASK_DONE || t->done_at == s->commits;

		if (t->selected && reset != r->expect[i])
			sim_fail(s, "%s: the retry %s %s", r->id,
				 reset ? "began without a reason" : "left out", NAME(i));
	}
	free(r->expect);
	r->expect = NULL;
}

/* ---- ends of runs ---- */

static enum run_result
expected(struct sim *s, const struct sim_run *r)
{
	bool failed = false, cancelled = false;
	uint32_t i;

	if (r->end.late)
		return RUN_FAILED;
	if (r->end.cancelled)
		return RUN_CANCELLED;
	for (i = 0; i < s->dag.ntasks; i++) {
		failed |= oracle_failure(s, r, i);
		cancelled |= r->tasks[i].result == RESULT_CANCELLED;
	}
	return failed ? RUN_FAILED : cancelled ? RUN_CANCELLED : RUN_SUCCESS;
}

/**
 * judge_run(s, r):
 * The run ended: every task has, no process lives, and the verdict is the right one.
 */
void
judge_run(struct sim *s, struct sim_run *r)
{
	enum run_result want;
	uint32_t i, n;

	for (i = 0; i < s->dag.ntasks; i++) {
		struct sim_task *t = &r->tasks[i];

		if (t->state != TASK_DONE)
			sim_fail(s, "%s ended with %s in %s", r->id, NAME(i),
				 task_state_name(t->state));
		for (n = 1; n <= t->attempt; n++)
			if (t->attempts[n].proc == PROC_RUNNING || !t->attempts[n].ended)
				sim_fail(s, "%s ended with a process of %s", r->id,
					 NAME(i));
	}
	if (r->row_deadline_us != r->end.deadline_us)
		sim_fail(s, "%s had time till %lld, and says till %lld", r->id,
			 (long long)r->end.deadline_us, (long long)r->row_deadline_us);
	want = expected(s, r);
	if (r->result != want)
		sim_fail(s, "%s ended %s, not %s", r->id, run_result_name(r->result),
			 run_result_name(want));
}
