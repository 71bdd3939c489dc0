/*
 * How an attempt ends, and its task with it: the rows of the end, what the attempt gives back,
 * when the next one is due.  The transitions of engine_task.c call these.
 */
#include "scheduler/engine_int.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tasks/schema/schema.h"

#define JITTER_PERCENT 10

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

/**
 * task_changed(s):
 * Tell the rim that the task is to be shown anew.
 */
void
task_changed(struct step *s)
{
	if (s->e->cfg.changed != NULL)
		s->e->cfg.changed(s->e->cfg.ctx, s->run, s->task);
}

/**
 * task_hold(e, run, task):
 * The task has a living attempt: it holds a slot and its memory, unless it is the engine's own.
 */
void
task_hold(struct engine *e, uint32_t run, uint32_t task)
{
	struct erun *r = e->runs.v[run];
	const struct dag_task *m = &r->dag->tasks[task];
	struct inst *t = &r->insts[task];

	t->live = true;
	r->live++;
	if (m->type->kind == TASK_ENGINE)
		return;
	t->slot = true;
	r->active++;
	e->slots++;
	r->memory += m->memory;
	e->memory += m->memory;
}

/**
 * task_let_go(s):
 * The attempt no longer holds anything of the engine's.
 */
void
task_let_go(struct step *s)
{
	struct inst *t = s->t;

	if (t->slot) {
		t->slot = false;
		s->r->active--;
		s->e->slots--;
		s->r->memory -= s->r->dag->tasks[s->task].memory;
		s->e->memory -= s->r->dag->tasks[s->task].memory;
	}
	if (t->live) {
		t->live = false;
		s->r->live--;
	}
	t->stopping = t->killed = false;
	if (!MUTANT(TIMER_LEFT))
		t->due_mono = 0;
	free(t->exit);
	t->exit = NULL;
}

/**
 * task_leave_ready(s):
 * If the task is READY, it goes out of the heap or the blocked.
 */
void
task_leave_ready(struct step *s)
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
 * task_over(s, result, cause, why):
 * The task is DONE with ${result}, which its row says already: its downstreams will hear.
 */
int
task_over(struct step *s, enum task_result result, enum fail_cause cause, const char *why)
{
	struct inst *t = s->t;
	struct engine_ref ref = {.run = s->run, .task = s->task};
	int64_t ended_us = s->now.wall_us;

	if (set_reason(&t->reason, why[0] != '\0' ? "%s" : NULL, why) != 0)
		return -1;
	/* Its own word on when it ended, which may be long before anybody has seen it. */
	if (t->exit != NULL && t->exit->ended_us != 0)
		ended_us = t->exit->ended_us;
	task_leave_ready(s);
	task_let_go(s);
	t->state = TASK_DONE;
	t->result = (uint8_t)result;
	t->cause = (uint8_t)cause;
	t->next_try_us = 0;
	t->ended_us = ended_us;
	t->ended_mono = s->now.mono_us;
	s->r->ndone++;
	task_changed(s);
	return vec_push(&s->e->done, ref);
}

/**
 * task_finish(s, result, cause, fmt, ...):
 * The task is DONE with ${result}: its row goes into the batch, its downstreams will hear.
 */
int
task_finish(struct step *s, enum task_result result, enum fail_cause cause,
	    const char *fmt, ...)
{
	struct buf b;
	va_list ap;
	int rc;

	buf_init(&b, 0);
	if (fmt != NULL) {
		va_start(ap, fmt);
		buf_vaddf(&b, fmt, ap);
		va_end(ap);
	}
	rc = buf_failed(&b) ? -1 : task_over(s, result, cause, b.n > 0 ? b.p : "");
	buf_release(&b);
	return rc == 0 ? op_task(s->e, s->run, s->task, s->now, true) : -1;
}

/**
 * attempt_end(s, result, cause, reason):
 * The attempt's last row.  Its outputs (with a success) ride along.  Return 0 or -1.
 */
int
attempt_end(struct step *s, enum task_result result, enum fail_cause cause,
	    const char *reason)
{
	struct inst *t = s->t;
	struct engine *e = s->e;
	struct meta_op *op = op_new(e, s->run, s->task, META_OP_ATTEMPT_END, s->now);

	if (op == NULL)
		return -1;
	op->task_result = result;
	op->cause = cause != CAUSE_NONE ? fail_cause_name(cause) : NULL;
	op->whole = s->r->dag->tasks[s->task].type->kind == TASK_VERB;
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
		op->mem_peak_kib = t->exit->mem_peak_kib;
		op->log_bytes = t->exit->log_bytes;
		op->survivors = t->exit->survivors;
		op->oom = t->exit->oom;
	}
	e->pending.urgent = true;
	if (s->r->spec.paths[s->task].n > 0 && !MUTANT(FREED_UNTOLD))
		e->pending.frees_paths = true;
	return 0;
}

/* Delay after so many tries: the base, grown by the backoff, capped. */
static double
base_delay(const struct dag_task *m, uint32_t tries)
{
	double d = (double)m->retry_delay_us;
	uint32_t i;

	for (i = 1; i < tries && d < (double)m->retry_max_delay_us; i++)
		d *= MUTANT(BACKOFF_FLAT) ? 1 : m->retry_backoff;
	return d > (double)m->retry_max_delay_us ? (double)m->retry_max_delay_us : d;
}

/**
 * retry_delay_max(m, tries):
 * Return the longest delay that the next try of a task that had ${tries} can get.
 */
int64_t
retry_delay_max(const struct dag_task *m, uint32_t tries)
{
	return (int64_t)(base_delay(m, tries) * (100.0 + JITTER_PERCENT) / 100.0);
}

/* Delay before the next try, with jitter. */
static int64_t
retry_delay(struct step *s)
{
	double d = base_delay(&s->r->dag->tasks[s->task], s->t->tries);
	uint64_t x;

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

/**
 * attempt_fail(s, cause, reason):
 * RUNNING (and others) -> UP_FOR_RETRY or DONE: the attempt failed for a cause.  Return 0 or -1.
 */
int
attempt_fail(struct step *s, enum fail_cause cause, const char *reason)
{
	const struct dag_task *m = &s->r->dag->tasks[s->task];
	struct inst *t = s->t;
	enum task_result result = cause == CAUSE_LOST ? RESULT_LOST : RESULT_FAILED;
	int64_t delay;

	if (reason == NULL)
		reason = "";
	if (attempt_end(s, result, cause, reason) != 0)
		return -1;
	t->tries++;
	if (s->r->stopping || t->tries > m->retries + MUTANT(RETRY_LIMIT) ||
	    ((m->retry_on & (1u << cause)) == 0 && !MUTANT(RETRY_ON)))
		return task_finish(s, result, cause, "%s", reason);
	delay = retry_delay(s);
	if (set_reason(&t->reason, "%s", reason) != 0)
		return -1;
	task_let_go(s);
	t->state = TASK_UP_FOR_RETRY;
	t->cause = (uint8_t)cause;
	t->ended_us = s->now.wall_us;
	t->ended_mono = s->now.mono_us;
	t->next_try_us = s->now.wall_us + delay;
	task_changed(s);
	if (op_task(s->e, s->run, s->task, s->now, true) != 0)
		return -1;
	return timer_set(s->e, s->run, s->task, s->now.mono_us + delay);
}

/**
 * attempt_cancelled(s):
 * The attempt ends for the cancel of its run, and its task with it.  Return 0 or -1.
 */
int
attempt_cancelled(struct step *s)
{
	const char *why = s->r->reason != NULL ? s->r->reason : "the run was cancelled";

	if (attempt_end(s, RESULT_CANCELLED, CAUSE_NONE, why) != 0)
		return -1;
	return task_finish(s, RESULT_CANCELLED, CAUSE_NONE, "%s", why);
}

/**
 * attempt_keep_exit(s):
 * Keep the facts of the exit record until the attempt's last row.  Return 0 or -1.
 */
int
attempt_keep_exit(struct step *s)
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

/**
 * attempt_fail_exit(s, x):
 * An attempt that did not end well fails for what its exit record ${x} tells.  Return 0 or -1.
 */
int
attempt_fail_exit(struct step *s, const struct engine_exit *x)
{
	bool oom = x->oom != NULL && strcmp(x->oom, "yes") == 0;
	char why[512];

	if (x->step != NULL) {
		(void)snprintf(why, sizeof(why), "%s",
			       x->text != NULL ? x->text : x->step);
		return attempt_fail(s, CAUSE_SETUP, why);
	}
	if (x->mem_over)
		return attempt_fail(s, CAUSE_OOM,
				    x->text != NULL ? x->text : "out of memory");
	if (x->timed_out && !MUTANT(TIMEOUT_CAUSE))
		return attempt_fail(s, CAUSE_TIMEOUT,
				    x->text != NULL ? x->text : "timed out");
	if (x->signal != 0)
		(void)snprintf(
		    why, sizeof(why), "killed by signal %d (SIG%s)%s", x->signal,
		    sigabbrev_np(x->signal) != NULL ? sigabbrev_np(x->signal) : "?",
		    oom ? ", out of memory" : "");
	else
		(void)snprintf(why, sizeof(why), "exit status %d%s", x->status,
			       oom ? ", out of memory" : "");
	if (oom)
		return attempt_fail(s, CAUSE_OOM, why);
	return attempt_fail(s, x->signal != 0 ? CAUSE_SIGNAL : CAUSE_EXIT, why);
}
