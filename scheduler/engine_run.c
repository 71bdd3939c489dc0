/*
 * What concerns a run as a whole: how the end of a task reaches its downstreams, cancel,
 * fail-fast, retry, the verdict.
 */
#include "scheduler/engine_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A failure that makes its run fail. */
static bool
is_failure(const struct erun *r, uint32_t task)
{
	const struct inst *t = &r->insts[task];

	return t->selected &&
	       (!r->dag->tasks[task].allow_failure || MUTANT(ALLOWED_FAILS)) &&
	       (t->result == RESULT_FAILED ||
		(t->result == RESULT_LOST && !MUTANT(LOST_VERDICT)) ||
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

/* The first upstream that succeeded, was skipped or (${bad}: instead of that) did not succeed, and
 * ${how} it ended. */
static const char *
other_upstream(const struct erun *r, uint32_t task, bool bad, const char **how)
{
	const struct dag_task *m = &r->dag->tasks[task];
	size_t i;

	for (i = 0; i < m->nup; i++) {
		const struct inst *u = &r->insts[m->up[i]];

		if (!u->selected || u->state != TASK_DONE)
			continue;
		if (u->result == RESULT_SUCCESS || u->result == RESULT_CACHED)
			*how = "succeeded";
		else if (bad && u->result != RESULT_SKIPPED)
			*how = "did not succeed";
		else if (!bad && u->result == RESULT_SKIPPED)
			*how = "was skipped";
		else
			continue;
		return r->dag->tasks[m->up[i]].name;
	}
	return NULL;
}

/* WAITING -> DONE: the rule cannot be met any more, and nobody has failed for it. */
static int
skip(struct step *s, enum trigger_rule rule)
{
	const char *name = trigger_rule_name(rule), *how = "was skipped", *by = NULL;

	switch (rule) {
	case TRIGGER_ALL_FAILED:
		by = other_upstream(s->r, s->task, false, &how);
		break;
	case TRIGGER_ALL_SKIPPED:
		by = other_upstream(s->r, s->task, true, &how);
		break;
	case TRIGGER_ONE_FAILED:
		return task_finish(s, RESULT_SKIPPED, CAUSE_NONE,
				   "trigger %s: none of its upstreams failed", name);
	case TRIGGER_ONE_DONE:
		return task_finish(s, RESULT_SKIPPED, CAUSE_NONE,
				   "trigger %s: none of its upstreams ran", name);
	case TRIGGER_NONE_FAILED_MIN_ONE_SUCCESS:
		return task_finish(s, RESULT_SKIPPED, CAUSE_NONE,
				   "trigger %s: none of its upstreams succeeded", name);
	case TRIGGER_ALL_SUCCESS:
	case TRIGGER_ALL_DONE:
	case TRIGGER_ALL_DONE_MIN_ONE_SUCCESS:
	case TRIGGER_ONE_SUCCESS:
	case TRIGGER_NONE_FAILED:
	case TRIGGER_NONE_SKIPPED:
	case TRIGGER_ALWAYS:
	case TRIGGER_RULES:
		by = broken_upstream(s->r, s->task, true);
		break;
	}
	if (by == NULL)
		return task_finish(s, RESULT_SKIPPED, CAUSE_NONE,
				   "trigger %s can no longer be met", name);
	return task_finish(s, RESULT_SKIPPED, CAUSE_NONE, "trigger %s: `%s` %s", name, by,
			   how);
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
	if (e->cfg.known != NULL)
		s.ev = e->cfg.known(e->cfg.ctx, r->spec.ctx, task);
	if (s.ev != NULL)
		return admit_known(&s);
	admit_ready(e, run, task);
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

	if (t->state != TASK_WAITING || t->elsewhere || r->stopping)
		return 0;
	switch (trigger_eval(rule, t)) {
	case TRIGGER_WAIT:
		return 0;
	case TRIGGER_RUN:
		/* A run that is only settled decides nothing new. */
		return r->spec.settle && !MUTANT(SETTLE_LAUNCHES)
			   ? 0
			   : let_through(e, run, task, now);
	case TRIGGER_SKIP:
		return skip(&s, rule);
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

/* A task has failed in a run that stops launching at the first failure.  One that is only
 * settled leaves that to its next owner: what still lives of it is not known here. */
static int
fail_fast(struct engine *e, uint32_t run, uint32_t task, struct now now)
{
	struct erun *r = e->runs.v[run];
	char why[DAG_NAME_MAX + 64];

	if (r->stopping || r->spec.settle || MUTANT(FAIL_FAST))
		return 0;
	(void)snprintf(why, sizeof(why), "not started: `%s` failed (--fail-fast)",
		       r->dag->tasks[task].name);
	return run_stop_launching(e, run, now, why);
}

/**
 * run_upstream_done(e, now):
 * Tell the downstreams of every task that ended since the last call.  A queue, not a
 * recursion: a chain of skips may be as long as the DAG.  Return 0 or -1.
 */
int
run_upstream_done(struct engine *e, struct now now)
{
	size_t i;

	while (e->done_at < e->done.n) {
		struct engine_ref d = e->done.v[e->done_at++];
		struct erun *r = e->runs.v[d.run];
		const struct dag_task *m = &r->dag->tasks[d.task];

		for (i = 0; i < m->ndown; i++) {
			struct inst *t = &r->insts[m->down[i]];

			if (!t->selected || (MUTANT(SKIP_LOST) &&
					     r->insts[d.task].result == RESULT_SKIPPED))
				continue;
			trigger_count(t, &r->insts[d.task], m->allow_failure);
			if (run_evaluate(e, d.run, m->down[i], now) != 0)
				return -1;
		}
		if (r->spec.fail_fast && is_failure(r, d.task) &&
		    fail_fast(e, d.run, d.task, now) != 0)
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
		     (t->state == TASK_UP_FOR_RETRY && !MUTANT(FAIL_FAST_RETRY)) ||
		     t->state == INST_PROPOSED) &&
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
	struct meta_op *op;
	uint32_t i;

	if (r->gone || r->ended)
		return 0;
	if (!r->cancelling) {
		r->cancelling = true;
		if (run_stop_launching(e, run, now, why) != 0 ||
		    op_run(e, run, now, RUN_RUNNING,
			   MUTANT(CANCEL_UNSAVED) ? ENGINE_RETRY : why) != 0)
			return -1;
		r->cancel_op = r->run_ops;
		if ((op = op_new(e, run, HEAP_NONE, META_OP_EVENT, now)) == NULL)
			return -1;
		op->event = "cancelling";
		op->reason = op_str(e, why);
	}
	for (i = 0; i < r->dag->ntasks; i++)
		if (r->insts[i].live && task_event(e, run, i, TE_CANCEL, now, &ev) != 0)
			return -1;
	return 0;
}

/**
 * run_time_up(e, run, now):
 * If the run's timeout is up, end the run for it.  Return 0 or -1.
 */
int
run_time_up(struct engine *e, uint32_t run, struct now now)
{
	struct erun *r = e->runs.v[run];

	if (r->gone || r->due_mono == 0 || r->due_mono > now.mono_us || MUTANT(DEADLINE))
		return 0;
	r->due_mono = 0;
	/* One that is being cancelled already ends for that reason. */
	if (r->cancelling)
		return 0;
	r->timed_out = true;
	return run_cancel(e, run, now, ENGINE_TIMEOUT, false);
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

			if (mark[d] || !r->insts[d].selected || MUTANT(AGAIN_FOLLOWERS))
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
		t->result == RESULT_UPSTREAM_FAILED ||
		(t->result == RESULT_CANCELLED && !MUTANT(AGAIN_CANCELLED)));
}

/**
 * run_retry(e, run, now, from, again):
 * Begin tasks anew: those that ${again} names (where it is not NULL) or ${from}, and what
 * follows them; or (-1) what did not succeed and what follows that.  Attempts of it that are
 * under way go on as they are; who only waits for its turn or its next try waits for its
 * upstreams again.  A run that is being cancelled goes on being cancelled.  Return 0 or -1.
 */
int
run_retry(struct engine *e, uint32_t run, struct now now, int32_t from, const bool *again)
{
	struct erun *r = e->runs.v[run];
	bool *mark, any = false;
	int rc = 0;
	uint32_t i;

	if (r->gone || (r->cancelling && !r->ended))
		return 0;
	if ((mark = calloc(r->dag->ntasks + 1, sizeof(*mark))) == NULL)
		return -1;
	if (again == NULL && from >= 0)
		rc = mark_from(r, (uint32_t)from, mark);
	for (i = 0; rc == 0 && (again != NULL || from < 0) && i < r->dag->ntasks; i++)
		if ((again != NULL ? again[i] : wants_retry(&r->insts[i])) && !mark[i])
			rc = mark_from(r, i, mark);
	if (r->ended && r->dag->timeout_us > 0 && !MUTANT(AGAIN_DEADLINE)) {
		/* its time begins anew */
		r->spec.deadline_us = now.wall_us + r->dag->timeout_us;
		r->due_mono = now.mono_us + r->dag->timeout_us;
	} else if (r->ended && !MUTANT(AGAIN_DEADLINE)) {
		r->spec.deadline_us = 0;
	}
	r->cancelling = r->cancel_durable = r->timed_out = false;
	r->stopping &= MUTANT(AGAIN_STOPPING);
	r->ended = false;
	r->result = RUN_NONE;
	r->ended_us = r->ended_mono = 0;
	if (rc == 0)
		rc = set_reason(&r->reason, NULL);
	for (i = 0; rc == 0 && i < r->dag->ntasks; i++)
		if (mark[i] && !r->insts[i].live && r->insts[i].state != TASK_WAITING &&
		    !(MUTANT(AGAIN_READY) && r->insts[i].state != TASK_DONE)) {
			any = true;
			rc = task_reset(e, run, i, now);
		}
	free(mark);
	if (rc != 0 || (any && op_run(e, run, now, RUN_RUNNING, ENGINE_RETRY) != 0))
		return -1;
	if (!MUTANT(AGAIN_RECOUNT))
		recount(r);
	for (i = 0; i < r->dag->ntasks; i++)
		if (run_evaluate(e, run, i, now) != 0)
			return -1;
	return 0;
}

/* What the tasks of an ended run come to. */
struct tally {
	uint32_t bad;	 /* failures that are not allowed, of upstreams too */
	uint32_t failed; /* of these, those that failed themselves */
	uint32_t cancelled;
	const char *first_bad, *first_failed, *first_cancelled;
};

static void
count(uint32_t *n, const char **first, const char *name)
{
	if ((*n)++ == 0)
		*first = name;
}

static struct tally
tally(const struct erun *r)
{
	struct tally c = {0};
	uint32_t i;

	for (i = 0; i < r->dag->ntasks; i++) {
		const struct inst *t = &r->insts[i];
		const char *name = r->dag->tasks[i].name;

		if (MUTANT(LEAF_VERDICT) && r->dag->tasks[i].ndown > 0)
			continue;
		if (is_failure(r, i))
			count(&c.bad, &c.first_bad, name);
		if (is_failure(r, i) && t->result != RESULT_UPSTREAM_FAILED)
			count(&c.failed, &c.first_failed, name);
		if (t->selected && t->result == RESULT_CANCELLED)
			count(&c.cancelled, &c.first_cancelled, name);
	}
	return c;
}

/* The run's result and its reason.  A cancel or a timeout has given its reason already. */
static int
verdict(struct erun *r)
{
	struct tally c = tally(r);

	if (r->cancelling && !MUTANT(CANCEL_VERDICT)) {
		r->result = r->timed_out && !MUTANT(DEADLINE_VERDICT) ? RUN_FAILED
								      : RUN_CANCELLED;
		return 0;
	}
	r->result = c.bad > 0	      ? RUN_FAILED
		    : c.cancelled > 0 ? RUN_CANCELLED
				      : RUN_SUCCESS;
	if (c.failed > 1)
		return set_reason(&r->reason, "`%s` and %u more failed", c.first_failed,
				  c.failed - 1);
	if (c.bad > 0)
		return set_reason(&r->reason, "`%s` failed",
				  c.failed > 0 ? c.first_failed : c.first_bad);
	if (c.cancelled > 0)
		return set_reason(&r->reason, "`%s` was cancelled", c.first_cancelled);
	return set_reason(&r->reason, NULL);
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

	if (r->gone || r->ended)
		return 0;
	if (r->ndone < r->dag->ntasks) {
		if (!r->spec.settle || r->live > 0 || r->nops > 0)
			return 0;
		r->gone = true;
		return act(e, ACT_RUN_SETTLED, run, 0, 0);
	}
	if (verdict(r) != 0)
		return -1;
	r->ended = true;
	r->ended_us = now.wall_us;
	r->ended_mono = now.mono_us;
	r->due_mono = 0;
	if (op_run(e, run, now, RUN_DONE, r->reason) != 0)
		return -1;
	r->end_op = r->run_ops;
	return MUTANT(END_EARLY) ? act(e, ACT_RUN_END, run, 0, 0) : 0;
}

/* Waits of the engine itself that a run was taken over with go on. */
static int
begin_waits(struct engine *e, uint32_t run, struct now now)
{
	struct erun *r = e->runs.v[run];
	uint32_t i;

	for (i = 0; i < r->dag->ntasks; i++) {
		struct inst *t = &r->insts[i];
		int64_t dur = -1, until = -1;

		if (!t->live || t->slot || MUTANT(WAIT_TAKEOVER))
			continue;
		if (e->cfg.wait_times != NULL)
			e->cfg.wait_times(e->cfg.ctx, r->spec.ctx, i, &dur, &until);
		t->by_wall = until >= 0;
		/* A clock that was set back does not make it wait longer than it is to. */
		if (!t->by_wall && dur >= 0 && t->due_wall - now.wall_us > dur)
			t->due_wall = now.wall_us + dur;
		if (wait_begin(e, run, i, now) != 0)
			return -1;
	}
	return 0;
}

/* The run was being cancelled and is only settled: what has ended of it was stopped, and the
 * rest is for its next owner to cancel. */
static int
settle_cancelled(struct erun *r, const char *why)
{
	uint32_t i;

	r->stopping = r->cancelling = true;
	for (i = 0; i < r->dag->ntasks; i++)
		r->insts[i].stopping = r->insts[i].live;
	return set_reason(&r->reason, "%s", why);
}

/**
 * run_begin(e, run, now):
 * Look for the first time at a run that was added.  Return 0 or -1.
 */
int
run_begin(struct engine *e, uint32_t run, struct now now)
{
	struct erun *r = e->runs.v[run];
	const char *durable = r->spec.cancel ? r->spec.cancel_reason : NULL;
	const char *why = durable != NULL ? durable : "cancelled";
	uint32_t i;

	r->fresh = false;
	if (begin_waits(e, run, now) != 0)
		return -1;
	if (r->spec.retry && run_retry(e, run, now, r->spec.from, r->spec.again) != 0)
		return -1;
	/* What it is cancelled for stands in its row, whatever the clock says by now. */
	r->timed_out = durable != NULL && strcmp(durable, ENGINE_TIMEOUT) == 0 &&
		       !MUTANT(TIMEOUT_FORGOTTEN);
	if ((durable == NULL || MUTANT(CANCEL_FORGOTTEN)) &&
	    run_time_up(e, run, now) != 0)
		return -1;
	if (r->spec.cancel && !r->cancelling &&
	    (r->spec.settle ? settle_cancelled(r, why)
			    : run_cancel(e, run, now, why, false)) != 0)
		return -1;
	r->cancel_durable = durable != NULL;
	/* A retry looks past the failures that it was not asked to mend. */
	for (i = 0; r->spec.fail_fast && !r->spec.retry && i < r->dag->ntasks; i++)
		if (is_failure(r, i) && fail_fast(e, run, i, now) != 0)
			return -1;
	for (i = 0; i < r->dag->ntasks; i++)
		if (run_evaluate(e, run, i, now) != 0)
			return -1;
	return 0;
}
