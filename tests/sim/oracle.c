/*
 * The judge of starts and rows.  It knows the rules as users read them, from docs/dag-file.md,
 * and looks only at durable rows and at processes; none of the engine's code or data is used.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"
#include "tasks/schema/schema.h"

#define NAME(task) (s->dag.tasks[task].name)

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

/* What may a task with this rule be said to be, as it will surely not run: bits of skipped and
 * upstream_failed; 0 while it may still run. */
static unsigned
passive(enum trigger_rule rule, struct tally c)
{
	const unsigned skipped = 1u << RESULT_SKIPPED,
		       upfailed = 1u << RESULT_UPSTREAM_FAILED;
	bool all = c.done == c.n;
	unsigned bad = c.failed + c.upfailed, broken = bad - c.allowed;

	switch (rule) {
	case TRIGGER_ALL_SUCCESS:
		return (broken > 0 ? upfailed : 0) | (c.skipped > 0 ? skipped : 0);
	case TRIGGER_ALL_FAILED:
		return c.ok + c.skipped > 0 ? skipped : 0;
	case TRIGGER_ALL_SKIPPED:
		return c.ok + bad > 0 ? skipped : 0;
	case TRIGGER_NONE_FAILED:
		return broken > 0 ? upfailed : 0;
	case TRIGGER_NONE_FAILED_MIN_ONE_SUCCESS:
		return broken > 0 ? upfailed : all && c.ok == 0 ? skipped : 0;
	case TRIGGER_NONE_SKIPPED:
		return c.skipped > 0 ? skipped : 0;
	case TRIGGER_ALL_DONE_MIN_ONE_SUCCESS:
	case TRIGGER_ONE_SUCCESS:
		if (!all || c.ok > 0)
			return 0;
		return c.skipped == c.n ? skipped : upfailed;
	case TRIGGER_ONE_FAILED:
	case TRIGGER_ONE_DONE:
		return all && !may_run(rule, c) ? skipped : 0;
	case TRIGGER_ALL_DONE:
	case TRIGGER_ALWAYS:
	case TRIGGER_RULES:
		return 0;
	}
	return 0;
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

/**
 * oracle_tries(t):
 * Tries of this round that have ended and count.
 */
unsigned
oracle_tries(const struct sim_task *t)
{
	unsigned i, n = 0;

	for (i = t->round + 1; i <= t->attempt; i++)
		n += counts(&t->attempts[i]);
	return n;
}

/**
 * oracle_failure(s, r, task):
 * The task fails its run.
 */
bool
oracle_failure(const struct sim *s, const struct sim_run *r, uint32_t task)
{
	const struct sim_task *t = &r->tasks[task];

	return t->state == TASK_DONE && !s->dag.tasks[task].allow_failure &&
	       (t->result == RESULT_FAILED || t->result == RESULT_LOST ||
		t->result == RESULT_UPSTREAM_FAILED);
}

/**
 * oracle_may_run(s, r, task), oracle_passive(s, r, task):
 * By what is durable of its upstreams: whether its rule lets the task run; what it may be, bits of
 * results, as it will never run.
 */
bool
oracle_may_run(const struct sim *s, const struct sim_run *r, uint32_t task)
{
	return may_run(s->dag.tasks[task].trigger, tally(s, r, task));
}

unsigned
oracle_passive(const struct sim *s, const struct sim_run *r, uint32_t task)
{
	return passive(s->dag.tasks[task].trigger, tally(s, r, task));
}

/* A next try waits its time out, on the clock that counts for it. */
static void
check_delay(struct sim *s, struct sim_run *r, uint32_t task)
{
	const struct sim_task *t = &r->tasks[task];
	unsigned tries = oracle_tries(t);
	double least;

	if (s->now.mono_us < t->again_us)
		sim_fail(
		    s, "%s %s starts %lld us before its failed start may be tried again",
		    r->id, NAME(task), (long long)(t->again_us - s->now.mono_us));
	if (tries == 0)
		return;
	least = 0.9 * delay_after(&s->dag.tasks[task], tries);
	if (t->fail_own == r->own && (double)(s->now.mono_us - t->fail_us) < least - 1)
		sim_fail(s, "%s %s starts %lld us after its failure, not %.0f", r->id,
			 NAME(task), (long long)(s->now.mono_us - t->fail_us), least);
	if (t->fail_own != r->own && !s->jumped && t->next_try_us > s->now.wall_us &&
	    s->totals.jumps == 0)
		sim_fail(s, "%s %s starts %lld us before its retry time", r->id,
			 NAME(task), (long long)(t->next_try_us - s->now.wall_us));
}

/* What lives now must leave room for it, and let its paths be. */
static void
check_room(struct sim *s, struct sim_run *r, uint32_t task)
{
	unsigned running = 0, here = 0, jobs = r->o->jobs;
	uint32_t i, k;

	for (k = 0; k < s->nruns; k++)
		for (i = 0; i < s->dag.ntasks; i++) {
			struct sim_run *o = &s->runs[k];
			const struct sim_task *t = &o->tasks[i];
			bool adopted = t->attempts[t->attempt].adopted;

			if (t->attempts[t->attempt].proc != PROC_RUNNING)
				continue;
			running += o->o == r->o && !o->settling && !adopted;
			here += o == r && !adopted;
			if (oracle_paths_clash(&o->paths[i], &r->paths[task]))
				sim_fail(s, "%s %s starts while %s %s uses its path",
					 r->id, NAME(task), o->id, NAME(i));
		}
	if (running >= jobs)
		sim_fail(s, "%s %s starts as number %u of %u", r->id, NAME(task),
			 running + 1, jobs);
	if (s->dag.max_active_tasks != 0 && here >= s->dag.max_active_tasks)
		sim_fail(s, "%s %s starts as number %u, but max_active_tasks is %u",
			 r->id, NAME(task), here + 1, s->dag.max_active_tasks);
}

/* With fail-fast nothing starts whose row was written after a failure was. */
static void
check_fail_fast(struct sim *s, struct sim_run *r, uint32_t task, uint32_t number)
{
	uint32_t i;

	if (!r->fail_fast || r->look_past)
		return;
	for (i = 0; i < s->dag.ntasks; i++)
		if (oracle_failure(s, r, i) &&
		    r->tasks[i].done_at < r->tasks[task].attempts[number].row_at)
			sim_fail(s, "%s %s starts although %s has failed (fail-fast)",
				 r->id, NAME(task), NAME(i));
}

/* Is the attempt there, and does the task's rule let it run? */
static void
check_let_in(struct sim *s, struct sim_run *r, uint32_t task, uint32_t number)
{
	struct sim_task *t = &r->tasks[task];

	if (number == 0 || number >= SIM_ATTEMPTS_MAX || !t->attempts[number].row)
		sim_fail(s, "%s %s attempt %u begins without a durable row", r->id,
			 NAME(task), number);
	if (t->attempts[number].proc != PROC_NONE || t->attempts[number].ended)
		sim_fail(s, "%s %s attempt %u begins twice", r->id, NAME(task), number);
	if (number != t->attempt || (number > 1 && !t->attempts[number - 1].ended))
		sim_fail(s, "%s %s attempt %u begins before another has ended", r->id,
			 NAME(task), number);
	if (!t->let_through && !oracle_may_run(s, r, task))
		sim_fail(s, "%s %s begins although its trigger rule is not met durably",
			 r->id, NAME(task));
	if (!t->selected || !t->when || t->broken)
		sim_fail(s, "%s %s begins although it is deselected or its when is false",
			 r->id, NAME(task));
	if (r->done || r->settling || r->cancelled)
		sim_fail(s,
			 "%s %s begins although its run has ended, is settled or "
			 "cancelled",
			 r->id, NAME(task));
}

/**
 * oracle_prepare(s, r, task, number):
 * The inputs of an attempt are about to be looked at: are they what they will be?
 */
void
oracle_prepare(struct sim *s, struct sim_run *r, uint32_t task, uint32_t number)
{
	check_let_in(s, r, task, number);
	if (r->tasks[task].attempts[number].prepared)
		sim_fail(s, "%s %s is prepared twice", r->id, NAME(task));
}

/**
 * oracle_start(s, r, task, number):
 * A process is about to be made: is that right?
 */
void
oracle_start(struct sim *s, struct sim_run *r, uint32_t task, uint32_t number)
{
	const struct dag_task *m = &s->dag.tasks[task];

	check_let_in(s, r, task, number);
	if (m->ninputs + m->noutputs > 0 && !r->tasks[task].attempts[number].prepared)
		sim_fail(s, "%s %s starts and is not prepared", r->id, NAME(task));
	check_delay(s, r, task);
	check_room(s, r, task);
	check_fail_fast(s, r, task, number);
}

/* ---- rows ---- */

static void
judge_retry(struct sim *s, struct sim_run *r, uint32_t task, const struct meta_op *op)
{
	const struct sim_task *t = &r->tasks[task];
	unsigned tries = oracle_tries(t);
	double d;

	if (tries != op->tries)
		sim_fail(s, "%s %s says that it made %u tries, but made %u", r->id,
			 NAME(task), op->tries, tries);
	if (tries == 0 || tries > s->dag.tasks[task].retries)
		sim_fail(s, "%s %s is to be tried again after %u tries", r->id,
			 NAME(task), tries);
	if ((s->dag.tasks[task].retry_on & 1u << t->attempts[t->attempt].cause) == 0)
		sim_fail(s, "%s %s is to be tried again after a failure of kind %u",
			 r->id, NAME(task), t->attempts[t->attempt].cause);
	d = delay_after(&s->dag.tasks[task], tries);
	if ((double)(op->next_try_us - op->at_us) < 0.9 * d - 1 ||
	    (double)(op->next_try_us - op->at_us) > 1.1 * d + 1)
		sim_fail(s, "%s %s is to be tried again in %lld us, not %.0f", r->id,
			 NAME(task), (long long)(op->next_try_us - op->at_us), d);
}

/* A result without an attempt that does anything: its task was to begin all the same. */
static void
judge_known(struct sim *s, struct sim_run *r, uint32_t task, const struct meta_op *op)
{
	const struct sim_task *t = &r->tasks[task];

	if (t->attempt != op->number || t->state != TASK_DONE)
		return;
	if (!t->let_through && !oracle_may_run(s, r, task))
		sim_fail(s, "%s %s has a result although its trigger rule is not met",
			 r->id, NAME(task));
	judge_end(s, r, task, op->at_us);
}

/**
 * oracle_commit(s, r, op):
 * An operation was made durable in the fake database.
 */
void
oracle_commit(struct sim *s, struct sim_run *r, const struct meta_op *op)
{
	uint32_t task;

	if (op->kind != META_OP_TASK && op->kind != META_OP_ATTEMPT_KNOWN)
		return;
	task = db_task(s, op->task);
	if (op->kind == META_OP_ATTEMPT_KNOWN) {
		judge_known(s, r, task, op);
		return;
	}
	/* The batch may hold what became of the task after this operation, too. */
	if (r->tasks[task].state != op->task_state ||
	    r->tasks[task].attempt != op->number)
		return;
	if (op->task_state == TASK_DONE)
		judge_end(s, r, task, op->at_us);
	else if (op->task_state == TASK_UP_FOR_RETRY)
		judge_retry(s, r, task, op);
}

/**
 * oracle_row(s, r, task):
 * A batch that is about the task is durable: is its row one that a new owner can go on from?
 */
void
oracle_row(struct sim *s, struct sim_run *r, uint32_t task)
{
	const struct sim_task *t = &r->tasks[task];
	bool lives = t->attempt > 0 && !t->attempts[t->attempt].ended;
	bool works = t->state >= TASK_PREPARING && t->state <= TASK_COMMITTING;

	if ((t->state == TASK_DONE) != (t->result != RESULT_NONE))
		sim_fail(s, "%s %s is %s with the result `%s`", r->id, NAME(task),
			 task_state_name(t->state), task_result_name(t->result));
	if (lives != works)
		sim_fail(s, "%s %s is %s, and its attempt %s", r->id, NAME(task),
			 task_state_name(t->state), lives ? "lives" : "does not live");
	if (t->tries > s->dag.tasks[task].retries + 1)
		sim_fail(s, "%s %s has made %u tries", r->id, NAME(task), t->tries);
	if (t->state == TASK_UP_FOR_RETRY && t->next_try_us == 0)
		sim_fail(s, "%s %s waits for no time", r->id, NAME(task));
}
