/*
 * The state machine of one task.  The diagram stands in engine.h; here is the table and one
 * function per transition.  A NULL cell is an event that came too late to mean anything (a
 * report of an attempt that has ended meanwhile) and is dropped.
 */
#include "scheduler/engine_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tasks/schema/schema.h"

struct step
step_of(struct engine *e, uint32_t run, uint32_t task, struct now now,
	const struct engine_event *ev)
{
	struct erun *r = e->runs.v[run];

	return (struct step){.e = e,
			     .r = r,
			     .t = &r->insts[task],
			     .run = run,
			     .task = task,
			     .now = now,
			     .ev = ev};
}

static const struct dag_task *
model(const struct step *s)
{
	return &s->r->dag->tasks[s->task];
}

static int
action(struct step *s, enum engine_action_kind kind)
{
	return act(s->e, kind, s->run, s->task, s->t->number);
}

/* PREPARING -> STARTING: the row is there, nothing else to wait for. */
static int
start(struct step *s)
{
	s->t->state = TASK_STARTING;
	task_changed(s);
	if (MUTANT(DOUBLE_LAUNCH) && s->t->number > 1 && action(s, ACT_START) != 0)
		return -1;
	return MUTANT(START_EARLY) ? 0 : action(s, ACT_START);
}

/* The row of an attempt that runs; what else is known of it is the caller's to fill in. */
static struct meta_op *
op_running(struct step *s)
{
	struct meta_op *op =
	    op_new(s->e, s->run, s->task, META_OP_ATTEMPT_UPDATE, s->now);

	if (op != NULL) {
		op->task_state = TASK_RUNNING;
		op->started_us = s->t->started_us;
	}
	return op;
}

/* PROPOSED -> PREPARING (engine-kind: RUNNING) [on_admitted] */
static int
on_admitted(struct step *s)
{
	struct inst *t = s->t;
	const struct dag_task *m = model(s);

	t->started_us = s->now.wall_us;
	t->started_mono = s->now.mono_us;
	t->ended_us = t->ended_mono = 0;
	t->cause = CAUSE_NONE;
	if (set_reason(&t->reason, NULL) != 0)
		return -1;
	if (t->stopping)
		return attempt_cancelled(s);
	if (t->slot) {
		t->state = TASK_PREPARING;
		task_changed(s);
		return dag_prepares(m) ? action(s, ACT_PREPARE) : start(s);
	}
	t->state = TASK_RUNNING;
	task_changed(s);
	if (op_running(s) == NULL || op_task(s->e, s->run, s->task, s->now, false) != 0)
		return -1;
	return wait_begin(s->e, s->run, s->task, s->now);
}

/* PROPOSED -> READY, blocked [on_blocked]: the row was not inserted */
static int
on_blocked(struct step *s)
{
	struct inst *t = s->t;
	bool stopping = t->stopping;

	t->number -= !MUTANT(NUMBER_LEAK);
	task_let_go(s);
	s->e->slots += MUTANT(SLOT_LEAK);
	s->e->memory += MUTANT(MEMORY_LEAK) ? model(s)->memory : 0;
	t->state = TASK_READY;
	t->blocked = true;
	s->r->nblocked++;
	if (stopping)
		return task_finish(s, RESULT_CANCELLED, CAUSE_NONE, "%s",
				   s->r->reason != NULL ? s->r->reason
							: "the run was cancelled");
	/* Woken for nothing, it waits as before: nothing to be shown. */
	if (t->reason != NULL && strcmp(t->reason, s->ev->reason) == 0)
		return 0;
	task_changed(s);
	return set_reason(&t->reason, "%s", s->ev->reason);
}

/* Why it runs is kept with the attempt. */
static int
note_why(struct step *s, const char *why)
{
	struct meta_op *op;

	if (why[0] == '\0' || MUTANT(WHY_LOST))
		return 0;
	op = op_new(s->e, s->run, s->task, META_OP_ATTEMPT_UPDATE, s->now);
	if (op == NULL)
		return -1;
	op->why = op_str(s->e, why);
	return 0;
}

/* A result that was there: as if it had been made. */
static int
unchanged(struct step *s, const char *why)
{
	if (outputs_keep(s->t, s->ev->outputs, s->ev->noutputs) != 0 ||
	    attempt_end(s, RESULT_CACHED, CAUSE_NONE, why) != 0 ||
	    outputs_batch(s, &s->e->pending.ops.v[s->e->pending.ops.n - 1]) != 0)
		return -1;
	return task_finish(s, RESULT_CACHED, CAUSE_NONE, "%s", why);
}

/* PREPARING -> STARTING or DONE [on_prepared] */
static int
on_prepared(struct step *s)
{
	const char *why = s->ev->reason != NULL ? s->ev->reason : "";

	if (s->t->stopping || s->ev->prepared == PREPARED_CANCELLED)
		return attempt_cancelled(s);
	if (s->ev->prepared == PREPARED_FAILED)
		return attempt_fail(s, CAUSE_SETUP, why);
	if (s->ev->prepared == PREPARED_CACHED)
		return unchanged(s, why);
	return note_why(s, why) != 0 ? -1 : start(s);
}

/* STARTING -> RUNNING [on_started] */
static int
on_started(struct step *s)
{
	struct meta_op *op = op_running(s);

	if (op == NULL)
		return -1;
	op->pid = s->ev->pid;
	op->handle = op_str(s->e, s->ev->handle);
	s->t->state = TASK_RUNNING;
	task_changed(s);
	if (op_task(s->e, s->run, s->task, s->now, false) != 0)
		return -1;
	if (!s->t->stopping)
		return 0;
	return action(s, s->t->killed ? ACT_KILL : ACT_STOP);
}

/* STARTING, RUNNING -> READY [on_void]: its program never ran */
static int
on_void(struct step *s)
{
	struct inst *t = s->t;

	/* Also where the run only launches nothing more (fail-fast): it would wait forever. */
	if (t->stopping || s->r->stopping)
		return attempt_cancelled(s);
	if (attempt_end(s, RESULT_VOID, CAUSE_NONE, s->ev->reason) != 0)
		return -1;
	task_let_go(s);
	t->tries += MUTANT(VOID_COUNTS);
	t->started_us = t->started_mono = 0;
	if (set_reason(&t->reason, "%s", s->ev->reason != NULL ? s->ev->reason : "") != 0)
		return -1;
	t->state = TASK_READY;
	task_changed(s);
	if (op_task(s->e, s->run, s->task, s->now, true) != 0)
		return -1;
	if (s->ev->delay_us <= 0 || MUTANT(VOID_AT_ONCE)) {
		admit_ready(s->e, s->run, s->task);
		return 0;
	}
	t->blocked = true;
	s->r->nblocked++;
	return timer_set(s->e, s->run, s->task, s->now.mono_us + s->ev->delay_us);
}

static int
succeeded(struct step *s)
{
	if (attempt_end(s, RESULT_SUCCESS, CAUSE_NONE, NULL) != 0)
		return -1;
	return task_finish(s, RESULT_SUCCESS, CAUSE_NONE, NULL);
}

/* STARTING, RUNNING -> COMMITTING, UP_FOR_RETRY, DONE [on_exited] */
static int
on_exited(struct step *s)
{
	const struct engine_exit *x = s->ev->exit;

	if (attempt_keep_exit(s) != 0)
		return -1;
	/* A cancel and a good end that meet: whichever was committed first decides. */
	if (x->status == 0 && x->signal == 0 && x->step == NULL && !x->timed_out &&
	    !x->mem_over &&
	    (MUTANT(CANCEL_RACE) || !(s->t->stopping && s->r->cancel_durable))) {
		if (MUTANT(UNCOMMITTED))
			return succeeded(s);
		s->t->state = TASK_COMMITTING;
		s->t->killed &=
		    MUTANT(KILL_WORKER); /* the process was; a new kill is the worker's */
		task_changed(s);
		if (op_task(s->e, s->run, s->task, s->now, false) != 0)
			return -1;
		return action(s, ACT_COMMIT);
	}
	if (s->t->stopping)
		return attempt_cancelled(s);
	return attempt_fail_exit(s, x);
}

/* STARTING, RUNNING -> UP_FOR_RETRY, DONE [on_lost] */
static int
on_lost(struct step *s)
{
	if (s->t->stopping)
		return attempt_cancelled(s);
	if (MUTANT(LOST_IS_SUCCESS))
		return succeeded(s);
	return attempt_fail(s, CAUSE_LOST, s->ev->reason);
}

/* COMMITTING -> DONE, UP_FOR_RETRY [on_outputs] */
static int
on_outputs(struct step *s)
{
	if (!s->ev->ok && s->t->stopping)
		return attempt_cancelled(s);
	if (!s->ev->ok && !MUTANT(OUTPUT_IGNORED))
		return attempt_fail(s, CAUSE_OUTPUT,
				    s->ev->reason != NULL ? s->ev->reason : "");
	if (outputs_keep(s->t, s->ev->outputs, s->ev->noutputs) != 0 ||
	    attempt_end(s, RESULT_SUCCESS, CAUSE_NONE, NULL) != 0 ||
	    outputs_batch(s, &s->e->pending.ops.v[s->e->pending.ops.n - 1]) != 0)
		return -1;
	s->t->tries++;
	return task_finish(s, RESULT_SUCCESS, CAUSE_NONE, NULL);
}

/* UP_FOR_RETRY, READY (delayed) -> READY; RUNNING wait -> DONE [on_due] */
static int
on_due(struct step *s)
{
	struct inst *t = s->t;

	if (t->state == TASK_RUNNING)
		return succeeded(s);
	if (t->state == TASK_UP_FOR_RETRY && s->r->stopping && !MUTANT(FAIL_FAST_RETRY))
		return 0;
	t->next_try_us = 0;
	if (set_reason(&t->reason, NULL) != 0)
		return -1;
	admit_ready(s->e, s->run, s->task);
	task_changed(s);
	return 0;
}

/* WAITING, READY, UP_FOR_RETRY -> DONE [on_cancel_idle] */
static int
on_cancel_idle(struct step *s)
{
	return task_finish(s, RESULT_CANCELLED, CAUSE_NONE, "%s",
			   s->r->reason != NULL ? s->r->reason : "the run was cancelled");
}

/* PROPOSED: the verdict will end it [on_cancel_proposed] */
static int
on_cancel_proposed(struct step *s)
{
	s->t->stopping = !MUTANT(CANCEL_IGNORED);
	return 0;
}

/* PREPARING, STARTING, RUNNING: stop what works [on_cancel_live] */
static int
on_cancel_live(struct step *s)
{
	struct inst *t = s->t;
	bool kill = s->ev != NULL && s->ev->kill;

	if (t->state == TASK_RUNNING && !t->slot && model(s)->type->kind == TASK_ENGINE)
		return MUTANT(CANCEL_WAIT) ? 0 : attempt_cancelled(s);
	if (t->stopping && (t->killed || !kill || MUTANT(KILL_MISSING)))
		return 0;
	t->stopping = true;
	t->killed = kill;
	return action(s, kill ? ACT_KILL : ACT_STOP);
}

/* COMMITTING: the work is done, so a plain cancel lets it be kept [on_cancel_committing] */
static int
on_cancel_committing(struct step *s)
{
	if (s->ev == NULL || !s->ev->kill || s->t->killed)
		return 0;
	s->t->stopping = s->t->killed = true;
	return action(s, ACT_KILL);
}

typedef int (*const transition)(struct step *);

static transition table[INST_STATES][TE_EVENTS] = {
    [TASK_WAITING] = {[TE_CANCEL] = on_cancel_idle},
    [TASK_READY] = {[TE_DUE] = on_due, [TE_CANCEL] = on_cancel_idle},
    [INST_PROPOSED] = {[TE_ADMITTED] = on_admitted,
		       [TE_BLOCKED] = on_blocked,
		       [TE_CANCEL] = on_cancel_proposed},
    [TASK_PREPARING] = {[TE_PREPARED] = on_prepared, [TE_CANCEL] = on_cancel_live},
    [TASK_STARTING] = {[TE_STARTED] = on_started,
		       [TE_VOID] = on_void,
		       [TE_EXITED] = on_exited,
		       [TE_LOST] = on_lost,
		       [TE_CANCEL] = on_cancel_live},
    [TASK_RUNNING] = {[TE_VOID] = on_void,
		      [TE_EXITED] = on_exited,
		      [TE_LOST] = on_lost,
		      [TE_DUE] = on_due,
		      [TE_CANCEL] = on_cancel_live},
    [TASK_COMMITTING] = {[TE_OUTPUTS] = on_outputs, [TE_CANCEL] = on_cancel_committing},
    [TASK_UP_FOR_RETRY] = {[TE_DUE] = on_due, [TE_CANCEL] = on_cancel_idle},
};

/**
 * task_event(e, run, task, event, now, ev):
 * Apply one event to one task by the table.  Return 0 or -1.
 */
int
task_event(struct engine *e, uint32_t run, uint32_t task, enum task_event event,
	   struct now now, const struct engine_event *ev)
{
	struct step s = step_of(e, run, task, now, ev);
	transition f = table[s.t->state][event];

	ENGINE_SEEN(s.t->state, event);
	return f != NULL && !s.r->gone ? f(&s) : 0;
}

/**
 * task_event_legal(state, event):
 * Whether the table has a transition for the event in that state.
 */
bool
task_event_legal(uint8_t state, enum task_event event)
{
	return table[state][event] != NULL;
}

/**
 * task_reset(e, run, task, now):
 * A retry of the run begins the task anew: WAITING, a fresh budget, no outputs.  Its
 * counters are the caller's business.
 */
int
task_reset(struct engine *e, uint32_t run, uint32_t task, struct now now)
{
	struct step s = step_of(e, run, task, now, NULL);
	struct inst *t = s.t;

	assert(!t->live);
	s.r->ndone -= t->state == TASK_DONE;
	task_leave_ready(&s);
	t->due_mono = 0;
	t->state = TASK_WAITING;
	t->result = RESULT_NONE;
	t->cause = CAUSE_NONE;
	t->tries = MUTANT(AGAIN_BUDGET) ? t->tries : 0;
	t->next_try_us = t->started_us = t->ended_us = t->started_mono = t->ended_mono =
	    0;
	if (!MUTANT(OUTPUTS_STALE)) {
		free(t->outputs);
		t->outputs = NULL;
	}
	if (set_reason(&t->reason, NULL) != 0)
		return -1;
	task_changed(&s);
	return op_task(e, run, task, now, true);
}
