/*
 * What concerns a run as a whole: how the end of a task reaches its downstreams, cancel,
 * fail-fast, retry, the verdict.
 */
#include "scheduler/engine_int.h"

#include <stdio.h>
#include <stdlib.h>

/* A failure that makes its run fail. */
static bool
is_failure(const struct erun *r, uint32_t task)
{
	const struct inst *t = &r->insts[task];

	return t->selected && !r->dag->tasks[task].allow_failure &&
	       (t->result == RESULT_FAILED || t->result == RESULT_LOST ||
		t->result == RESULT_UPSTREAM_FAILED);
}

/* The first upstream that is the reason for an upstream_failed, for its text. */
static const char *
broken_upstream(const struct erun *r, uint32_t task, bool skipped)
{
	const struct dag_task *m = &r->dag->tasks[task];
	size_t i;

	for (i = 0; i < m->nup; i++) {
		const struct inst *u = &r->insts[m->up[i]];

		if (!u->selected || u->state != TASK_DONE)
			continue;
		if (skipped ? u->result == RESULT_SKIPPED
			    : u->result == RESULT_FAILED || u->result == RESULT_LOST ||
				  u->result == RESULT_UPSTREAM_FAILED ||
				  u->result == RESULT_CANCELLED)
			return r->dag->tasks[m->up[i]].name;
	}
	return NULL;
}

/* The trigger rule lets the task through: `when` and the templates have their say. */
static int
let_through(struct engine *e, uint32_t run, uint32_t task, struct now now)
{
	struct erun *r = e->runs.v[run];
	struct step s = step_of(e, run, task, now, NULL);
	char why[1024] = "";

	switch (e->cfg.decide(e->cfg.ctx, r->spec.ctx, task, why, sizeof(why))) {
	case DECIDE_SKIP:
		return task_finish(&s, RESULT_SKIPPED, CAUSE_NONE, "%s",
				   why[0] != '\0' ? why : "its `when` is false");
	case DECIDE_FAIL:
		return task_finish(&s, RESULT_FAILED, CAUSE_SETUP, "%s", why);
	case DECIDE_RUN:
		break;
	}
	if (admit_ready(e, run, task, now) != 0)
		return -1;
	if (e->cfg.changed != NULL)
		e->cfg.changed(e->cfg.ctx, run, task);
	return 0;
}

/**
 * run_evaluate(e, run, task, now):
 * WAITING -> READY or DONE, if the task's trigger rule says so by now.  Return 0 or -1.
 */
int
run_evaluate(struct engine *e, uint32_t run, uint32_t task, struct now now)
{
	struct erun *r = e->runs.v[run];
	struct inst *t = &r->insts[task];
	struct step s = step_of(e, run, task, now, NULL);
	enum trigger_rule rule = r->dag->tasks[task].trigger;
	const char *by;

	if (t->state != TASK_WAITING || r->stopping)
		return 0;
	switch (trigger_eval(rule, t)) {
	case TRIGGER_WAIT:
		return 0;
	case TRIGGER_RUN:
		/* A run that is only settled decides nothing new. */
		return r->spec.settle ? 0 : let_through(e, run, task, now);
	case TRIGGER_SKIP:
		by = broken_upstream(r, task, true);
		if (by != NULL)
			return task_finish(&s, RESULT_SKIPPED, CAUSE_NONE,
					   "trigger %s: `%s` was skipped",
					   trigger_rule_name(rule), by);
		return task_finish(&s, RESULT_SKIPPED, CAUSE_NONE,
				   "trigger %s can no longer be met",
				   trigger_rule_name(rule));
	case TRIGGER_UPSTREAM_FAILED:
		by = broken_upstream(r, task, false);
		if (by != NULL)
			return task_finish(&s, RESULT_UPSTREAM_FAILED, CAUSE_NONE,
					   "`%s` did not succeed", by);
		return task_finish(&s, RESULT_UPSTREAM_FAILED, CAUSE_NONE,
				   "trigger %s can no longer be met",
				   trigger_rule_name(rule));
	}
	return 0;
}

/**
 * run_upstream_done(e, now):
 * Tell the downstreams of every task that ended since the last call.  A queue, not a
 * recursion: a chain of skips may be as long as the DAG.  Return 0 or -1.
 */
int
run_upstream_done(struct engine *e, struct now now)
{
	char why[DAG_NAME_MAX + 64];
	size_t i;

	while (e->done_at < e->done.n) {
		struct engine_ref d = e->done.v[e->done_at++];
		struct erun *r = e->runs.v[d.run];
		const struct dag_task *m = &r->dag->tasks[d.task];

		for (i = 0; i < m->ndown; i++) {
			struct inst *t = &r->insts[m->down[i]];

			if (!t->selected)
				continue;
			trigger_count(t, &r->insts[d.task], m->allow_failure);
			if (run_evaluate(e, d.run, m->down[i], now) != 0)
				return -1;
		}
		if (!r->spec.fail_fast || r->stopping || !is_failure(r, d.task))
			continue;
		(void)snprintf(why, sizeof(why), "not started: `%s` failed (--fail-fast)",
			       m->name);
		if (run_stop_launching(e, d.run, now, why) != 0)
			return -1;
	}
	e->done.n = e->done_at = 0;
	return 0;
}

/**
 * run_stop_launching(e, run, now, why):
 * Nothing more of the run starts: what has not started is cancelled for ${why}, what works
 * goes on to its end.  Return 0 or -1.
 */
int
run_stop_launching(struct engine *e, uint32_t run, struct now now, const char *why)
{
	struct erun *r = e->runs.v[run];
	uint32_t i;

	r->stopping = true;
	if (set_reason(&r->reason, "%s", why) != 0)
		return -1;
	for (i = 0; i < r->dag->ntasks; i++) {
		struct inst *t = &r->insts[i];

		if ((t->state == TASK_WAITING || t->state == TASK_READY ||
		     t->state == TASK_UP_FOR_RETRY || t->state == INST_PROPOSED) &&
		    task_event(e, run, i, TE_CANCEL, now, NULL) != 0)
			return -1;
	}
	return 0;
}

/**
 * run_cancel(e, run, now, why, kill):
 * End the run: nothing more starts, what works is stopped (killed with ${kill}).  Again
 * with ${kill} after a plain cancel: kill.  Return 0 or -1.
 */
int
run_cancel(struct engine *e, uint32_t run, struct now now, const char *why, bool kill)
{
	struct erun *r = e->runs.v[run];
	struct engine_event ev = {.kind = EV_CANCEL, .kill = kill};
	uint32_t i;

	if (r->gone || r->ended)
		return 0;
	if (!r->cancelling) {
		r->cancelling = true;
		if (run_stop_launching(e, run, now, why) != 0 ||
		    op_run(e, run, now, RUN_RUNNING, why) != 0)
			return -1;
	}
	for (i = 0; i < r->dag->ntasks; i++)
		if (r->insts[i].live && task_event(e, run, i, TE_CANCEL, now, &ev) != 0)
			return -1;
	return 0;
}

/* Count anew what the upstreams of every task have done. */
static void
recount(struct erun *r)
{
	uint32_t i;
	size_t k;

	for (i = 0; i < r->dag->ntasks; i++) {
		const struct dag_task *m = &r->dag->tasks[i];
		struct inst *t = &r->insts[i];

		t->up = t->up_done = t->up_success = t->up_failed = 0;
		t->up_allowed = t->up_upstream = t->up_skipped = 0;
		for (k = 0; k < m->nup; k++) {
			const struct inst *u = &r->insts[m->up[k]];

			t->up += u->selected;
			if (u->selected && u->state == TASK_DONE)
				trigger_count(t, u,
					      r->dag->tasks[m->up[k]].allow_failure);
		}
	}
}

/* Mark a task and all that follow it; only selected ones. */
static int
mark_from(const struct erun *r, uint32_t task, bool *mark)
{
	VEC(uint32_t) todo = {0};
	size_t k;

	mark[task] = true;
	if (vec_push(&todo, task) != 0)
		return -1;
	while (todo.n > 0) {
		const struct dag_task *m = &r->dag->tasks[todo.v[--todo.n]];

		for (k = 0; k < m->ndown; k++) {
			uint32_t d = m->down[k];

			if (mark[d] || !r->insts[d].selected)
				continue;
			mark[d] = true;
			if (vec_push(&todo, d) != 0) {
				vec_release(&todo);
				return -1;
			}
		}
	}
	vec_release(&todo);
	return 0;
}

static bool
wants_retry(const struct inst *t)
{
	return t->selected && t->state == TASK_DONE &&
	       (t->result == RESULT_FAILED || t->result == RESULT_LOST ||
		t->result == RESULT_UPSTREAM_FAILED || t->result == RESULT_CANCELLED);
}

/**
 * run_retry(e, run, now, from):
 * Begin tasks anew: ${from} and what follows it, or (-1) what did not succeed and what
 * follows that.  Tasks of it that are under way go on as they are.  Return 0 or -1.
 */
int
run_retry(struct engine *e, uint32_t run, struct now now, int32_t from)
{
	struct erun *r = e->runs.v[run];
	bool *mark, any = false;
	int rc = 0;
	uint32_t i;

	if (r->gone)
		return 0;
	if ((mark = calloc(r->dag->ntasks + 1, sizeof(*mark))) == NULL)
		return -1;
	if (rc == 0 && from >= 0)
		rc = mark_from(r, (uint32_t)from, mark);
	for (i = 0; rc == 0 && from < 0 && i < r->dag->ntasks; i++)
		if (wants_retry(&r->insts[i]) && !mark[i])
			rc = mark_from(r, i, mark);
	r->cancelling = r->cancel_durable = r->timed_out = r->stopping = false;
	r->ended = false;
	r->result = RUN_NONE;
	r->ended_us = r->ended_mono = 0;
	if (rc == 0)
		rc = set_reason(&r->reason, NULL);
	for (i = 0; rc == 0 && i < r->dag->ntasks; i++)
		if (mark[i] && r->insts[i].state == TASK_DONE) {
			any = true;
			rc = task_reset(e, run, i, now);
		}
	free(mark);
	if (rc != 0 || (any && op_run(e, run, now, RUN_RUNNING, "retry") != 0))
		return -1;
	recount(r);
	for (i = 0; i < r->dag->ntasks; i++)
		if (run_evaluate(e, run, i, now) != 0)
			return -1;
	return 0;
}

static enum run_result
verdict(struct erun *r, uint32_t *nfailed, const char **first)
{
	uint32_t i;

	*nfailed = 0;
	for (i = 0; i < r->dag->ntasks; i++) {
		const struct inst *t = &r->insts[i];

		if (!is_failure(r, i) || t->result == RESULT_UPSTREAM_FAILED)
			continue;
		if ((*nfailed)++ == 0)
			*first = r->dag->tasks[i].name;
	}
	if (r->cancelling && !r->timed_out)
		return RUN_CANCELLED;
	for (i = 0; i < r->dag->ntasks; i++)
		if (is_failure(r, i))
			return RUN_FAILED;
	return r->timed_out ? RUN_FAILED : RUN_SUCCESS;
}

/**
 * run_check_end(e, run, now):
 * If all tasks of the run are done, put its verdict into the batch; if it is only settled
 * and nothing of it is under way here, let it go.  Return 0 or -1.
 */
int
run_check_end(struct engine *e, uint32_t run, struct now now)
{
	struct erun *r = e->runs.v[run];
	const char *first = NULL;
	uint32_t n;

	if (r->gone || r->ended)
		return 0;
	if (r->ndone < r->dag->ntasks) {
		if (!r->spec.settle || r->live > 0 || r->settled || e->flying ||
		    e->pending.ops.n > 0)
			return 0;
		r->settled = r->gone = true;
		return act(e, ACT_RUN_SETTLED, run, 0, 0);
	}
	r->result = verdict(r, &n, &first);
	r->ended = true;
	r->ended_us = now.wall_us;
	r->ended_mono = now.mono_us;
	r->due_mono = 0;
	if (r->result == RUN_FAILED && !r->timed_out &&
	    set_reason(&r->reason, n > 1 ? "`%s` and %u more failed" : "`%s` failed",
		       first != NULL ? first : "?", n - 1) != 0)
		return -1;
	if (r->result == RUN_SUCCESS && set_reason(&r->reason, NULL) != 0)
		return -1;
	return op_run(e, run, now, RUN_DONE, r->reason);
}
