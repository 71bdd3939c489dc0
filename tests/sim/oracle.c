/*
 * The judge.  It knows the rules as users read them, from docs/dag-file.md, and looks only at
 * durable rows and at processes; none of the engine's code or data is used.
 */
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
	struct tally c = {.n = (unsigned)m->nup};
	size_t i;

	for (i = 0; i < m->nup; i++) {
		const struct sim_task *u = &r->tasks[m->up[i]];
		bool allow = s->dag.tasks[m->up[i]].allow_failure;

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

/**
 * oracle_start(s, r, task, number):
 * A process is about to be made: is that right?
 */
void
oracle_start(struct sim *s, struct sim_run *r, uint32_t task, uint32_t number)
{
	struct sim_task *t = &r->tasks[task];
	unsigned running = 0;
	uint32_t i, k, n;

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
	if (!may_run(s->dag.tasks[task].trigger, tally(s, r, task)))
		sim_fail(s, "%s t%u starts although its trigger rule is not met durably",
			 r->id, task);
	if (!t->when || t->broken)
		sim_fail(s, "%s t%u starts although its when is false", r->id, task);
	if (r->done)
		sim_fail(s, "%s t%u starts although its run has ended", r->id, task);
	if (t->next_try_us > s->now.wall_us)
		sim_fail(s, "%s t%u starts %lld us before its retry time", r->id, task,
			 (long long)(t->next_try_us - s->now.wall_us));
	for (k = 0; k < s->nruns; k++)
		for (i = 0; i < s->dag.ntasks; i++)
			for (n = 1; n < SIM_ATTEMPTS_MAX; n++) {
				struct sim_run *o = &s->runs[k];

				if (!o->exists ||
				    o->tasks[i].attempts[n].proc != PROC_RUNNING)
					continue;
				running++;
				if (oracle_paths_clash(&o->paths[i], &r->paths[task]))
					sim_fail(
					    s, "%s t%u starts while %s t%u uses its path",
					    r->id, task, o->id, i);
			}
	if (running >= s->jobs)
		sim_fail(s, "%s t%u starts as number %u of %u", r->id, task, running + 1,
			 s->jobs);
}

static bool
counts(const struct sim_attempt *a)
{
	return a->row && a->ended && a->result != RESULT_VOID &&
	       a->result != RESULT_CANCELLED;
}

/* A task ended durably: does its result follow from what is known? */
static void
judge_end(struct sim *s, struct sim_run *r, uint32_t task)
{
	const struct dag_task *m = &s->dag.tasks[task];
	struct sim_task *t = &r->tasks[task];
	struct tally c = tally(s, r, task);
	bool all = c.done == c.n, attempted = false;
	unsigned i, n = 0;

	for (i = t->round_start + 1; i < SIM_ATTEMPTS_MAX; i++) {
		attempted |= counts(&t->attempts[i]);
		n += counts(&t->attempts[i]);
		if (t->attempts[i].row && !t->attempts[i].ended)
			sim_fail(s, "%s t%u is done while attempt %u has not ended",
				 r->id, task, i);
	}
	if (n > m->retries + 1)
		sim_fail(s, "%s t%u made %u attempts with %u retries", r->id, task, n,
			 m->retries);
	switch (t->result) {
	case RESULT_SUCCESS:
	case RESULT_CACHED:
		if (!attempted)
			sim_fail(s, "%s t%u succeeded without an attempt", r->id, task);
		break;
	case RESULT_FAILED:
	case RESULT_LOST:
		if (!attempted && !t->broken)
			sim_fail(s, "%s t%u failed without an attempt", r->id, task);
		if (attempted && n < m->retries + 1 && m->retry_on != 0 &&
		    !r->cancelled && !r->fail_fast)
			sim_fail(s, "%s t%u gave up after %u of %u tries", r->id, task, n,
				 m->retries + 1);
		break;
	case RESULT_SKIPPED:
		if (attempted || (t->when && may_run(m->trigger, c)))
			sim_fail(s, "%s t%u was skipped without a reason", r->id, task);
		if (t->when && !all && c.skipped == 0 && c.ok == 0 &&
		    c.failed + c.upfailed == 0)
			sim_fail(s, "%s t%u was skipped before anything was known", r->id,
				 task);
		break;
	case RESULT_UPSTREAM_FAILED:
		if (attempted || may_run(m->trigger, c) || c.failed + c.upfailed == 0)
			sim_fail(s, "%s t%u is upstream_failed without a reason", r->id,
				 task);
		break;
	case RESULT_CANCELLED:
		if (!r->cancelled && !r->fail_fast)
			sim_fail(s, "%s t%u was cancelled by nobody", r->id, task);
		break;
	case RESULT_NONE:
	case RESULT_VOID:
	case TASK_RESULTS:
		sim_fail(s, "%s t%u is done without a result", r->id, task);
	}
}

/**
 * oracle_commit(s, r, op):
 * An operation was made durable in the fake database.
 */
void
oracle_commit(struct sim *s, struct sim_run *r, const struct meta_op *op)
{
	uint32_t i;

	if (op->kind == META_OP_TASK && op->task_state == TASK_DONE)
		for (i = 0; i < s->dag.ntasks; i++)
			if (strcmp(s->dag.tasks[i].name, op->task) == 0)
				judge_end(s, r, i);
}

/**
 * oracle_end(s, r):
 * The run ended: every task has, no process lives, and the verdict is the right one.
 */
void
oracle_end(struct sim *s, struct sim_run *r)
{
	enum run_result want = RUN_SUCCESS;
	bool cancelled = false;
	uint32_t i, n;

	for (i = 0; i < s->dag.ntasks; i++) {
		struct sim_task *t = &r->tasks[i];

		if (t->state != TASK_DONE)
			sim_fail(s, "%s ended with t%u in %s", r->id, i,
				 task_state_name(t->state));
		for (n = 1; n < SIM_ATTEMPTS_MAX; n++)
			if (t->attempts[n].proc == PROC_RUNNING)
				sim_fail(s, "%s ended with a process of t%u", r->id, i);
		cancelled |= t->result == RESULT_CANCELLED;
		if (!s->dag.tasks[i].allow_failure &&
		    (t->result == RESULT_FAILED || t->result == RESULT_LOST ||
		     t->result == RESULT_UPSTREAM_FAILED))
			want = RUN_FAILED;
	}
	if (r->cancelled ? r->result != RUN_CANCELLED && r->result != want
			 : r->result != want)
		sim_fail(s, "%s ended %s, not %s", r->id, run_result_name(r->result),
			 run_result_name(want));
	if (cancelled && r->result == RUN_SUCCESS)
		sim_fail(s, "%s ended well although tasks were cancelled", r->id);
}
