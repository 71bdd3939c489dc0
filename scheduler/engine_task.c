/*
 * The state machine of one task.  The diagram stands in engine.h; here is the table and one
 * function per transition.  A NULL cell is an event that came too late to mean anything (a
 * report of an attempt that has ended meanwhile) and is dropped.
 */
#include "scheduler/engine_int.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tasks/schema/schema.h"

#define JITTER_PERCENT 10

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

/**
 * set_reason(where, fmt, ...):
 * Replace a malloc'ed reason; NULL ${fmt} for none.  Return 0 or -1.
 */
int
set_reason(char **where, const char *fmt, ...)
{
	struct buf b;
	va_list ap;

	free(*where);
	*where = NULL;
	if (fmt == NULL)
		return 0;
	buf_init(&b, 0);
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	*where = buf_steal(&b);
	buf_release(&b);
	return *where != NULL ? 0 : -1;
}

static void
changed(struct step *s)
{
	if (s->e->cfg.changed != NULL)
		s->e->cfg.changed(s->e->cfg.ctx, s->run, s->task);
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

/* The attempt no longer holds anything of the engine's. */
static void
let_go(struct step *s)
{
	struct inst *t = s->t;

	if (t->slot) {
		t->slot = false;
		s->r->active--;
		s->e->slots--;
	}
	if (t->live) {
		t->live = false;
		s->r->live--;
	}
	t->stopping = t->killed = false;
	t->due_mono = 0;
	free(t->exit);
	t->exit = NULL;
}

/* Leave READY: out of the heap or the blocked. */
static void
leave_ready(struct step *s)
{
	struct inst *t = s->t;

	if (t->state != TASK_READY)
		return;
	if (t->blocked) {
		t->blocked = false;
		s->r->nblocked--;
	} else if (t->heap_at != HEAP_NONE) {
		heap_remove(s->r, heap_of(s->r, s->task), s->task);
	}
}

/**
 * task_finish(s, result, cause, fmt, ...):
 * The task is DONE with ${result}: its row goes into the batch, its downstreams will hear.
 */
int
task_finish(struct step *s, enum task_result result, enum fail_cause cause,
	    const char *fmt, ...)
{
	struct inst *t = s->t;
	struct engine_ref ref = {.run = s->run, .task = s->task};
	struct buf b;
	va_list ap;

	buf_init(&b, 0);
	if (fmt != NULL) {
		va_start(ap, fmt);
		buf_vaddf(&b, fmt, ap);
		va_end(ap);
	}
	if (buf_failed(&b) || set_reason(&t->reason, b.n > 0 ? "%s" : NULL, b.p) != 0) {
		buf_release(&b);
		return -1;
	}
	buf_release(&b);
	leave_ready(s);
	let_go(s);
	t->state = TASK_DONE;
	t->result = (uint8_t)result;
	t->cause = (uint8_t)cause;
	t->next_try_us = 0;
	t->ended_us = s->now.wall_us;
	t->ended_mono = s->now.mono_us;
	s->r->ndone++;
	changed(s);
	return op_task(s->e, s->run, s->task, s->now, true) != 0 ||
		       vec_push(&s->e->done, ref) != 0
		   ? -1
		   : 0;
}

/* The attempt's last row.  Its outputs (with a success) ride along. */
static int
end_attempt(struct step *s, enum task_result result, enum fail_cause cause,
	    const char *reason)
{
	struct inst *t = s->t;
	struct engine *e = s->e;
	struct meta_op *op = op_new(e, s->run, s->task, META_OP_ATTEMPT_END, s->now);

	if (op == NULL)
		return -1;
	op->task_result = result;
	op->cause = cause != CAUSE_NONE ? fail_cause_name(cause) : NULL;
	op->reason = op_str(e, reason);
	op->started_us = t->started_us;
	op->ended_us = s->now.wall_us;
	if (t->exit != NULL) {
		op->ended_us = t->exit->ended_us;
		op->exit_status = t->exit->status;
		op->exit_signal = t->exit->signal;
		op->user_us = t->exit->user_us;
		op->sys_us = t->exit->sys_us;
		op->maxrss_kib = t->exit->maxrss_kib;
		op->log_bytes = t->exit->log_bytes;
		op->survivors = t->exit->survivors;
		op->oom = t->exit->oom;
	}
	e->pending.urgent = true;
	if (s->r->spec.paths[s->task].n > 0)
		e->pending.frees_paths = true;
	return 0;
}

/* Delay before the next try: the base, grown by the backoff, capped, with jitter. */
static int64_t
retry_delay(struct step *s)
{
	const struct dag_task *m = model(s);
	double d = (double)m->retry_delay_us;
	uint32_t i;
	uint64_t x;

	for (i = 1; i < s->t->tries && d < (double)m->retry_max_delay_us; i++)
		d *= m->retry_backoff;
	if (d > (double)m->retry_max_delay_us)
		d = (double)m->retry_max_delay_us;
	x = s->e->rng;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	s->e->rng = x;
	return (
	    int64_t)(d *
		     (100.0 - JITTER_PERCENT + (double)(x % (2 * JITTER_PERCENT + 1))) /
		     100.0);
}

/* RUNNING (and others) -> UP_FOR_RETRY or DONE: the attempt failed for a cause. */
static int
fail(struct step *s, enum fail_cause cause, const char *reason)
{
	const struct dag_task *m = model(s);
	struct inst *t = s->t;
	enum task_result result = cause == CAUSE_LOST ? RESULT_LOST : RESULT_FAILED;
	int64_t delay;

	if (reason == NULL)
		reason = "";
	if (end_attempt(s, result, cause, reason) != 0)
		return -1;
	t->tries++;
	if (s->r->stopping || t->tries > m->retries || (m->retry_on & (1u << cause)) == 0)
		return task_finish(s, result, cause, "%s", reason);
	delay = retry_delay(s);
	if (set_reason(&t->reason, "%s", reason) != 0)
		return -1;
	let_go(s);
	t->state = TASK_UP_FOR_RETRY;
	t->cause = (uint8_t)cause;
	t->ended_us = s->now.wall_us;
	t->ended_mono = s->now.mono_us;
	t->next_try_us = s->now.wall_us + delay;
	changed(s);
	if (op_task(s->e, s->run, s->task, s->now, true) != 0)
		return -1;
	return timer_set(s->e, s->run, s->task, s->now.mono_us + delay);
}

static int
cancelled(struct step *s)
{
	const char *why = s->r->reason != NULL ? s->r->reason : "the run was cancelled";

	if (end_attempt(s, RESULT_CANCELLED, CAUSE_NONE, why) != 0)
		return -1;
	return task_finish(s, RESULT_CANCELLED, CAUSE_NONE, "%s", why);
}

/* PREPARING -> STARTING: the row is there, nothing else to wait for. */
static int
start(struct step *s)
{
	s->t->state = TASK_STARTING;
	changed(s);
	return action(s, ACT_START);
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
		return cancelled(s);
	if (t->slot) {
		t->state = TASK_PREPARING;
		changed(s);
		return m->ninputs + m->noutputs == 0 ? start(s) : action(s, ACT_PREPARE);
	}
	t->state = TASK_RUNNING;
	changed(s);
	if (op_task(s->e, s->run, s->task, s->now, false) != 0)
		return -1;
	return wait_begin(s->e, s->run, s->task, s->now);
}

/* PROPOSED -> READY, blocked [on_blocked]: the row was not inserted */
static int
on_blocked(struct step *s)
{
	struct inst *t = s->t;
	bool stopping = t->stopping;

	t->number--;
	let_go(s);
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
	changed(s);
	return set_reason(&t->reason, "%s", s->ev->reason);
}

/* PREPARING -> STARTING or DONE [on_prepared] */
static int
on_prepared(struct step *s)
{
	const char *why = s->ev->reason != NULL ? s->ev->reason : "";

	if (s->t->stopping || s->ev->prepared == PREPARED_CANCELLED)
		return cancelled(s);
	if (s->ev->prepared == PREPARED_FAILED)
		return fail(s, CAUSE_SETUP, why);
	if (s->ev->prepared == PREPARED_CACHED) {
		if (end_attempt(s, RESULT_CACHED, CAUSE_NONE, why) != 0)
			return -1;
		return task_finish(s, RESULT_CACHED, CAUSE_NONE, "%s", why);
	}
	return start(s);
}

/* STARTING -> RUNNING [on_started] */
static int
on_started(struct step *s)
{
	struct meta_op *op =
	    op_new(s->e, s->run, s->task, META_OP_ATTEMPT_UPDATE, s->now);

	if (op == NULL)
		return -1;
	op->task_state = TASK_RUNNING;
	op->pid = s->ev->pid;
	op->handle = op_str(s->e, s->ev->handle);
	op->started_us = s->t->started_us;
	s->t->state = TASK_RUNNING;
	changed(s);
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
		return cancelled(s);
	if (end_attempt(s, RESULT_VOID, CAUSE_NONE, s->ev->reason) != 0)
		return -1;
	let_go(s);
	t->started_us = t->started_mono = 0;
	if (set_reason(&t->reason, "%s", s->ev->reason != NULL ? s->ev->reason : "") != 0)
		return -1;
	t->state = TASK_READY;
	changed(s);
	if (op_task(s->e, s->run, s->task, s->now, true) != 0)
		return -1;
	if (s->ev->delay_us <= 0)
		return admit_ready(s->e, s->run, s->task, s->now);
	t->blocked = true;
	s->r->nblocked++;
	return timer_set(s->e, s->run, s->task, s->now.mono_us + s->ev->delay_us);
}

static int
keep_exit(struct step *s)
{
	struct inst *t = s->t;

	free(t->exit);
	t->exit = malloc(sizeof(*t->exit));
	if (t->exit == NULL)
		return -1;
	*t->exit = *s->ev->exit;
	t->exit->step = t->exit->text = NULL;
	return 0;
}

/* Why an attempt that did not end well failed. */
static int
fail_exit(struct step *s, const struct engine_exit *x)
{
	char why[512];

	if (x->step != NULL) {
		(void)snprintf(why, sizeof(why), "%s",
			       x->text != NULL ? x->text : x->step);
		return fail(s, CAUSE_SETUP, why);
	}
	if (x->timed_out)
		return fail(s, CAUSE_TIMEOUT, x->text != NULL ? x->text : "timed out");
	if (x->signal != 0) {
		(void)snprintf(
		    why, sizeof(why), "killed by signal %d (SIG%s)%s", x->signal,
		    sigabbrev_np(x->signal) != NULL ? sigabbrev_np(x->signal) : "?",
		    x->oom != NULL && strcmp(x->oom, "yes") == 0 ? ", out of memory"
								 : "");
		return fail(s, CAUSE_SIGNAL, why);
	}
	(void)snprintf(why, sizeof(why), "exit status %d", x->status);
	return fail(s, CAUSE_EXIT, why);
}

/* STARTING, RUNNING -> COMMITTING, UP_FOR_RETRY, DONE [on_exited] */
static int
on_exited(struct step *s)
{
	const struct engine_exit *x = s->ev->exit;

	if (keep_exit(s) != 0)
		return -1;
	/* A cancel and a good end that meet: whichever was committed first decides. */
	if (x->status == 0 && x->signal == 0 && x->step == NULL && !x->timed_out &&
	    !(s->t->stopping && s->r->cancel_durable)) {
		s->t->state = TASK_COMMITTING;
		s->t->killed = false; /* the process was; a new kill is the worker's */
		changed(s);
		if (op_task(s->e, s->run, s->task, s->now, false) != 0)
			return -1;
		return action(s, ACT_COMMIT);
	}
	if (s->t->stopping)
		return cancelled(s);
	return fail_exit(s, x);
}

/* STARTING, RUNNING -> UP_FOR_RETRY, DONE [on_lost] */
static int
on_lost(struct step *s)
{
	if (s->t->stopping)
		return cancelled(s);
	return fail(s, CAUSE_LOST, s->ev->reason);
}

/* COMMITTING -> DONE, UP_FOR_RETRY [on_outputs] */
static int
on_outputs(struct step *s)
{
	if (!s->ev->ok && s->t->stopping)
		return cancelled(s);
	if (!s->ev->ok)
		return fail(s, CAUSE_OUTPUT, s->ev->reason != NULL ? s->ev->reason : "");
	if (outputs_keep(s->t, s->ev->outputs, s->ev->noutputs) != 0 ||
	    end_attempt(s, RESULT_SUCCESS, CAUSE_NONE, NULL) != 0 ||
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

	if (t->state == TASK_RUNNING) {
		if (end_attempt(s, RESULT_SUCCESS, CAUSE_NONE, NULL) != 0)
			return -1;
		return task_finish(s, RESULT_SUCCESS, CAUSE_NONE, NULL);
	}
	if (t->state == TASK_UP_FOR_RETRY && s->r->stopping)
		return 0;
	t->next_try_us = 0;
	if (set_reason(&t->reason, NULL) != 0 ||
	    admit_ready(s->e, s->run, s->task, s->now) != 0)
		return -1;
	changed(s);
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
	s->t->stopping = true;
	return 0;
}

/* PREPARING, STARTING, RUNNING: stop what works [on_cancel_live] */
static int
on_cancel_live(struct step *s)
{
	struct inst *t = s->t;
	bool kill = s->ev != NULL && s->ev->kill;

	if (t->state == TASK_RUNNING && !t->slot && model(s)->type->kind == TASK_ENGINE)
		return cancelled(s);
	if (t->stopping && (t->killed || !kill))
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

	return f != NULL && !s.r->gone ? f(&s) : 0;
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

	assert(t->state == TASK_DONE);
	s.r->ndone--;
	t->state = TASK_WAITING;
	t->result = RESULT_NONE;
	t->cause = CAUSE_NONE;
	t->tries = 0;
	t->next_try_us = t->started_us = t->ended_us = t->started_mono = t->ended_mono =
	    0;
	free(t->outputs);
	t->outputs = NULL;
	if (set_reason(&t->reason, NULL) != 0)
		return -1;
	changed(&s);
	return op_task(e, run, task, now, true);
}
