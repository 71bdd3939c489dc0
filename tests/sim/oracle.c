/*
 * The judge.  It knows the rules as users read them, from docs/dag-file.md, and looks only at
 * durable rows and at processes; none of the engine's code or data is used.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"
#include "tasks/schema/schema.h"

struct tally {
	unsigned n, done, ok, failed, upfailed, skipped, allowed;
};

static struct tally
tally(const struct sim *s, const struct sim_run *r, uint32_t task)
{
	const struct dag_task *m = &s->dag.tasks[task];
	struct tally c = {0};
	size_t i;

	for (i = 0; i < m->nup; i++) {
		const struct sim_task *u = &r->tasks[m->up[i]];
		bool allow = s->dag.tasks[m->up[i]].allow_failure;

		if (!u->selected)
			continue;
		c.n++;
		if (u->state != TASK_DONE)
			continue;
		c.done++;
		if (u->result == RESULT_SUCCESS || u->result == RESULT_CACHED)
			c.ok++;
		else if (u->result == RESULT_SKIPPED)
			c.skipped++;
		else if (u->result == RESULT_UPSTREAM_FAILED)
			c.upfailed++;
		else
			c.failed++;
		if (u->result != RESULT_SUCCESS && u->result != RESULT_CACHED &&
		    u->result != RESULT_SKIPPED)
			c.allowed += allow;
	}
	return c;
}

/* May a task with this rule run, given what its upstreams durably are? */
static bool
may_run(enum trigger_rule rule, struct tally c)
{
	bool all = c.done == c.n;
	unsigned bad = c.failed + c.upfailed, broken = bad - c.allowed;

	if (c.n == 0)
		return true;
	switch (rule) {
	case TRIGGER_ALL_SUCCESS:
		return all && broken == 0 && c.skipped == 0;
	case TRIGGER_ALL_FAILED:
		return all && bad == c.n;
	case TRIGGER_ALL_DONE:
		return all;
	case TRIGGER_ALL_DONE_MIN_ONE_SUCCESS:
		return all && c.ok >= 1;
	case TRIGGER_ALL_SKIPPED:
		return all && c.skipped == c.n;
	case TRIGGER_ONE_FAILED:
		return bad >= 1;
	case TRIGGER_ONE_SUCCESS:
		return c.ok >= 1;
	case TRIGGER_ONE_DONE:
		return c.ok + c.failed >= 1;
	case TRIGGER_NONE_FAILED:
		return all && broken == 0;
	case TRIGGER_NONE_FAILED_MIN_ONE_SUCCESS:
		return all && broken == 0 && c.ok >= 1;
	case TRIGGER_NONE_SKIPPED:
		return all && c.skipped == 0;
	case TRIGGER_ALWAYS:
	case TRIGGER_RULES:
		return true;
	}
	return false;
}

static bool
below(const char *a, const char *b)
{
	size_t n = strlen(b);

	return strncmp(a, b, n) == 0 && (a[n] == '\0' || a[n] == '/');
}

bool
oracle_paths_clash(const struct engine_paths *a, const struct engine_paths *b)
{
	size_t i, k;

	for (i = 0; i < a->n; i++)
		for (k = 0; k < b->n; k++)
			if ((a->v[i].write || b->v[k].write) &&
			    (below(a->v[i].path, b->v[k].path) ||
			     below(b->v[k].path, a->v[i].path)))
				return true;
	return false;
}

/* The delay before the try after ${tries} that failed: its base, without jitter. */
static double
delay_after(const struct dag_task *m, unsigned tries)
{
	double d = (double)m->retry_delay_us;

	while (--tries > 0)
		d *= m->retry_backoff;
	return d < (double)m->retry_max_delay_us ? d : (double)m->retry_max_delay_us;
}

static bool
counts(const struct sim_attempt *a)
{
	return a->row && a->ended && a->result != RESULT_VOID &&
	       a->result != RESULT_CANCELLED;
}

/* Tries of this round that have ended and count. */
static unsigned
tries_of(const struct sim_task *t)
{
	unsigned i, n = 0;

	for (i = t->round + 1; i <= t->attempt; i++)
		n += counts(&t->attempts[i]);
	return n;
}

static bool
is_failure(const struct sim *s, const struct sim_run *r, uint32_t task)
{
	const struct sim_task *t = &r->tasks[task];

	return t->state == TASK_DONE && !s->dag.tasks[task].allow_failure &&
	       (t->result == RESULT_FAILED || t->result == RESULT_LOST ||
		t->result == RESULT_UPSTREAM_FAILED);
}

/* A next try waits its time out, on the clock that counts for it. */
static void
check_delay(struct sim *s, struct sim_run *r, uint32_t task)
{
	const struct sim_task *t = &r->tasks[task];
	unsigned tries = tries_of(t);
	double least;

	if (s->now.mono_us < t->again_us)
		sim_fail(
		    s, "%s t%u starts %lld us before its failed start may be tried again",
		    r->id, task, (long long)(t->again_us - s->now.mono_us));
	if (tries == 0)
		return;
	least = 0.9 * delay_after(&s->dag.tasks[task], tries);
	if (t->fail_own == r->own && (double)(s->now.mono_us - t->fail_us) < least - 1)
		sim_fail(s, "%s t%u starts %lld us after its failure, not %.0f", r->id,
			 task, (long long)(s->now.mono_us - t->fail_us), least);
	if (t->fail_own != r->own && !s->jumped && t->next_try_us > s->now.wall_us &&
	    s->totals.jumps == 0)
		sim_fail(s, "%s t%u starts %lld us before its retry time", r->id, task,
			 (long long)(t->next_try_us - s->now.wall_us));
}

/* What lives now must leave room for it, and let its paths be. */
static void
check_room(struct sim *s, struct sim_run *r, uint32_t task)
{
	unsigned running = 0, here = 0;
	uint32_t i, k;

	for (k = 0; k < s->nruns; k++)
		for (i = 0; i < s->dag.ntasks; i++) {
			struct sim_run *o = &s->runs[k];
			const struct sim_task *t = &o->tasks[i];

			if (t->attempts[t->attempt].proc != PROC_RUNNING)
				continue;
			running +=
			    o->owned && !o->settling && !t->attempts[t->attempt].adopted;
			here += o == r && !t->attempts[t->attempt].adopted;
			if (oracle_paths_clash(&o->paths[i], &r->paths[task]))
				sim_fail(s, "%s t%u starts while %s t%u uses its path",
					 r->id, task, o->id, i);
		}
	if (running >= s->jobs)
		sim_fail(s, "%s t%u starts as number %u of %u", r->id, task, running + 1,
			 s->jobs);
	if (s->dag.max_active_tasks != 0 && here >= s->dag.max_active_tasks)
		sim_fail(s, "%s t%u starts as number %u, but max_active_tasks is %u",
			 r->id, task, here + 1, s->dag.max_active_tasks);
}

/* With fail-fast nothing starts whose row was written after a failure was. */
static void
check_fail_fast(struct sim *s, struct sim_run *r, uint32_t task, uint32_t number)
{
	uint32_t i;

	if (!r->fail_fast || r->look_past)
		return;
	for (i = 0; i < s->dag.ntasks; i++)
		if (is_failure(s, r, i) &&
		    r->tasks[i].done_at < r->tasks[task].attempts[number].row_at)
			sim_fail(s, "%s t%u starts although t%u has failed (fail-fast)",
				 r->id, task, i);
}

/**
 * oracle_start(s, r, task, number):
 * A process is about to be made: is that right?
 */
void
oracle_start(struct sim *s, struct sim_run *r, uint32_t task, uint32_t number)
{
	struct sim_task *t = &r->tasks[task];
	uint32_t i;

	if (number == 0 || number >= SIM_ATTEMPTS_MAX || !t->attempts[number].row)
		sim_fail(s, "%s t%u attempt %u starts without a durable row", r->id, task,
			 number);
	if (t->attempts[number].proc != PROC_NONE || t->attempts[number].ended)
		sim_fail(s, "%s t%u attempt %u starts twice", r->id, task, number);
	for (i = 1; i < number; i++)
		if (!t->attempts[i].ended)
			sim_fail(s,
				 "%s t%u attempt %u starts before attempt %u has ended",
				 r->id, task, number, i);
	if (r->retries == 0 && !may_run(s->dag.tasks[task].trigger, tally(s, r, task)))
		sim_fail(s, "%s t%u starts although its trigger rule is not met durably",
			 r->id, task);
	if (!t->selected || !t->when || t->broken)
		sim_fail(s,
			 "%s t%u starts although it is deselected or its when is false",
			 r->id, task);
	if (r->done || r->settling || r->cancelled)
		sim_fail(s,
			 "%s t%u starts although its run has ended, is settled or "
			 "cancelled",
			 r->id, task);
	check_delay(s, r, task);
	check_room(s, r, task);
	check_fail_fast(s, r, task, number);
}

/* ---- ends ---- */

static void
judge_failed(struct sim *s, struct sim_run *r, uint32_t task, unsigned n)
{
	const struct dag_task *m = &s->dag.tasks[task];
	struct sim_task *t = &r->tasks[task];
	bool retried = (m->retry_on & 1u << t->attempts[t->attempt].cause) != 0;

	if (n == 0 && !t->broken)
		sim_fail(s, "%s t%u failed without an attempt", r->id, task);
	if (n > 0 && n < m->retries + 1 && retried && !r->cancelled && !r->fail_fast &&
	    r->deadline_us == 0)
		sim_fail(s, "%s t%u gave up after %u of %u tries", r->id, task, n,
			 m->retries + 1);
}

static void
judge_passive(struct sim *s, struct sim_run *r, uint32_t task, unsigned n)
{
	const struct dag_task *m = &s->dag.tasks[task];
	struct sim_task *t = &r->tasks[task];
	struct tally c = tally(s, r, task);

	/* Upstreams that begin anew under a task between two tries may skip it. */
	if (r->look_past)
		n = 0;
	if (t->result == RESULT_SKIPPED) {
		if (n > 0 || (t->when && may_run(m->trigger, c)))
			sim_fail(s, "%s t%u was skipped without a reason", r->id, task);
		if (t->when && c.done < c.n && c.skipped == 0 && c.ok == 0 &&
		    c.failed + c.upfailed == 0)
			sim_fail(s, "%s t%u was skipped before anything was known", r->id,
				 task);
	} else if (n > 0 || may_run(m->trigger, c) || c.failed + c.upfailed == 0) {
		sim_fail(s, "%s t%u is upstream_failed without a reason", r->id, task);
	}
}

/* A wait that ended well has waited: for its instant by the wall clock, wherever that went. */
static void
judge_wait(struct sim *s, struct sim_run *r, uint32_t task, int64_t at_us)
{
	struct sim_task *t = &r->tasks[task];
	const struct sim_attempt *a = &t->attempts[t->attempt];

	if (s->dag.tasks[task].type->kind != TASK_ENGINE || t->result != RESULT_SUCCESS)
		return;
	if (task % 2 != 0 && at_us < SIM_UNTIL_US)
		sim_fail(s, "%s t%u did not wait for its instant", r->id, task);
	if (task % 2 == 0 && s->totals.jumps == 0 && at_us - a->begun_us < 1500000)
		sim_fail(s, "%s t%u did not wait for its time", r->id, task);
}

/* A task ended durably: does its result follow from what is known? */
static void
judge_end(struct sim *s, struct sim_run *r, uint32_t task, int64_t at_us)
{
	const struct dag_task *m = &s->dag.tasks[task];
	struct sim_task *t = &r->tasks[task];
	unsigned n = tries_of(t);

	if (t->attempt > 0 && !t->attempts[t->attempt].ended)
		sim_fail(s, "%s t%u is done while attempt %u has not ended", r->id, task,
			 t->attempt);
	if (!t->selected)
		sim_fail(s, "%s t%u was not selected and has an end", r->id, task);
	if (n > m->retries + 1)
		sim_fail(s, "%s t%u made %u attempts with %u retries", r->id, task, n,
			 m->retries);
	switch (t->result) {
	case RESULT_SUCCESS:
	case RESULT_CACHED:
		if (n == 0)
			sim_fail(s, "%s t%u succeeded without an attempt", r->id, task);
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
		if (!r->cancelled && !r->cancel_durable && !r->fail_fast &&
		    (r->deadline_us == 0 || s->now.mono_us < r->deadline_mono))
			sim_fail(s, "%s t%u was cancelled by nobody", r->id, task);
		break;
	case RESULT_NONE:
	case RESULT_VOID:
	case TASK_RESULTS:
		sim_fail(s, "%s t%u is done without a result", r->id, task);
	}
}

static void
judge_retry(struct sim *s, struct sim_run *r, uint32_t task, const struct meta_op *op)
{
	const struct sim_task *t = &r->tasks[task];
	unsigned tries = tries_of(t);
	double d;

	if (tries != op->tries)
		sim_fail(s, "%s t%u says that it made %u tries, but made %u", r->id, task,
			 op->tries, tries);
	if (tries == 0 || tries > s->dag.tasks[task].retries)
		sim_fail(s, "%s t%u is to be tried again after %u tries", r->id, task,
			 tries);
	if ((s->dag.tasks[task].retry_on & 1u << t->attempts[t->attempt].cause) == 0)
		sim_fail(s, "%s t%u is to be tried again after a failure of kind %u",
			 r->id, task, t->attempts[t->attempt].cause);
	d = delay_after(&s->dag.tasks[task], tries);
	if ((double)(op->next_try_us - op->at_us) < 0.9 * d - 1 ||
	    (double)(op->next_try_us - op->at_us) > 1.1 * d + 1)
		sim_fail(s, "%s t%u is to be tried again in %lld us, not %.0f", r->id,
			 task, (long long)(op->next_try_us - op->at_us), d);
}

/**
 * oracle_commit(s, r, op):
 * An operation was made durable in the fake database.
 */
void
oracle_commit(struct sim *s, struct sim_run *r, const struct meta_op *op)
{
	uint32_t task;

	if (op->kind != META_OP_TASK)
		return;
	task = db_task(s, op->task);
	/* The batch may hold what became of the task after this operation, too. */
	if (r->tasks[task].state != op->task_state ||
	    r->tasks[task].attempt != op->number)
		return;
	if (op->task_state == TASK_DONE)
		judge_end(s, r, task, op->at_us);
	else if (op->task_state == TASK_UP_FOR_RETRY)
		judge_retry(s, r, task, op);
}

/* ---- retries of runs ---- */

/**
 * oracle_marks(s, r, from, mark):
 * Which tasks a retry of the ended run must begin anew.
 */
void
oracle_marks(const struct sim *s, const struct sim_run *r, int32_t from, bool *mark)
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
 * oracle_reset(s, r):
 * A retry of the run is durable: did it begin what it should, and nothing else?
 */
void
oracle_reset(struct sim *s, struct sim_run *r)
{
	uint32_t i;

	for (i = 0; r->expect != NULL && i < s->dag.ntasks; i++) {
		const struct sim_task *t = &r->tasks[i];
		bool reset = t->state != TASK_DONE || t->done_at == s->commits;

		if (t->selected && reset != r->expect[i])
			sim_fail(s, "%s: the retry %s t%u", r->id,
				 reset ? "began without a reason" : "left out", i);
	}
	free(r->expect);
	r->expect = NULL;
}

/* ---- ends of runs ---- */

static enum run_result
expected(struct sim *s, struct sim_run *r)
{
	bool failed = false, cancelled = false;
	/* One that is only settled does not look at its time. */
	bool late =
	    r->deadline_us != 0 && s->now.mono_us >= r->deadline_mono && !r->settling;
	uint32_t i;

	for (i = 0; i < s->dag.ntasks; i++) {
		failed |= is_failure(s, r, i);
		cancelled |= r->tasks[i].result == RESULT_CANCELLED;
	}
	/* Its time was up before or after it was cancelled, or just when its last task ended. */
	if (r->result == RUN_FAILED && (late || (r->look_past && cancelled)))
		return RUN_FAILED;
	if (late && cancelled && !r->cancelled && !r->look_past)
		return RUN_FAILED;
	if (r->cancelled || r->cancel_durable)
		return RUN_CANCELLED;
	return failed ? RUN_FAILED : cancelled ? RUN_CANCELLED : RUN_SUCCESS;
}

/**
 * oracle_end(s, r):
 * The run ended: every task has, no process lives, and the verdict is the right one.
 */
void
oracle_end(struct sim *s, struct sim_run *r)
{
	enum run_result want;
	uint32_t i, n;

	for (i = 0; i < s->dag.ntasks; i++) {
		struct sim_task *t = &r->tasks[i];

		if (t->state != TASK_DONE)
			sim_fail(s, "%s ended with t%u in %s", r->id, i,
				 task_state_name(t->state));
		for (n = 1; n <= t->attempt; n++)
			if (t->attempts[n].proc == PROC_RUNNING || !t->attempts[n].ended)
				sim_fail(s, "%s ended with a process of t%u", r->id, i);
	}
	want = expected(s, r);
	if (r->result != want)
		sim_fail(s, "%s ended %s, not %s", r->id, run_result_name(r->result),
			 run_result_name(want));
}
