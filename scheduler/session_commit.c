/*
 * Batches on their way through the writer thread, and what the observer sees of them.
 */
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "scheduler/session_int.h"

static void
submit(struct session *s, struct meta_op *ops, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (ops[i].npaths > 0) {
			s->submit_version = meta_data_version(s->meta);
			break;
		}
	s->flying = true;
	meta_writer_submit(s->writer, ops, n);
}

/**
 * session_submit(s):
 * Hand the engine's batch to the writer.  Not while Ctrl-Z waits: the gate must be free when
 * the process stops.
 */
void
session_submit(struct session *s)
{
	struct meta_op *ops;
	size_t n;

	if (s->flying || s->want_stop || (ops = engine_take(s->engine, &n)) == NULL)
		return;
	s->lazy_due = false;
	(void)uv_timer_stop(&s->lazy);
	submit(s, ops, n);
}

static void
on_again(uv_timer_t *t)
{
	struct session *s = t->data;
	struct meta_op *ops;
	size_t n;

	ops = engine_taken(s->engine, &n);
	if (ops != NULL && !s->flying && !s->broken)
		submit(s, ops, n);
}

/* The disk is full, or a program that knows nothing of our gate holds the database.  Nothing
 * is lost: launches stop, and the batch is tried again until it passes. */
static void
try_again(struct session *s, const struct err *err)
{
	struct engine_event ev = {.kind = EV_COMMIT_FULL};

	if (!s->commit_stuck)
		session_say(s, NOTICE_WARN,
			    "%s; nothing new starts until %s (trying again every second)",
			    err->msg,
			    err->code == ERR_FULL ? "there is room" : "it is free");
	s->commit_stuck = true;
	s->stuck = *err;
	(void)session_event(s, &ev);
	(void)uv_timer_start(&s->again, on_again, AGAIN_MS, 0);
}

/**
 * session_state_gone(s, err):
 * The state directory is gone: nothing can be recorded any more, so stop what runs.
 */
void
session_state_gone(struct session *s, const struct err *err)
{
	struct err more = {0};
	size_t i;

	for (i = 0; i < s->runs.n; i++)
		for (struct attempt *a = s->runs.v[i]->attempts; a != NULL; a = a->next) {
			struct engine_ref ref = {
			    .run = (uint32_t)i, .task = a->task, .number = a->number};

			s->local->ops->stop(s->local, ref);
		}
	(void)err_set(&more, ERR_STALE,
		      "%s: what was recorded in it is gone, and the tasks are stopped",
		      err->msg);
	session_break(s, &more);
}

/* Show a task as it is, or as the operation ${op} left it: it may have gone on since. */
static void
show_task(struct session *s, struct engine_ref ref, const struct meta_op *op)
{
	struct session_run r;
	struct session_task t;

	if (s->cfg.observer->task_changed == NULL || s->runs.v[ref.run]->settle)
		return;
	session_run_view(s, ref.run, &r);
	session_task_view(s, ref.run, ref.task, &t);
	if (op != NULL && (t.state != op->task_state || t.attempt != op->number)) {
		t.state = op->task_state;
		t.result = op->task_result;
		t.attempt = op->number;
		t.tries = op->tries;
		t.reason = op->reason != NULL ? op->reason : "";
		t.started_us = op->started_us;
		t.ended_us = op->ended_us;
		t.elapsed_us = op->started_us != 0 && op->ended_us > op->started_us
				   ? op->ended_us - op->started_us
				   : 0;
		t.next_try_us = op->next_try_us;
		t.done = t.total = 0;
	}
	s->cfg.observer->task_changed(s->cfg.observer->ctx, &r, &t);
}

/* States on the way are shown at once; ends wait until they are durable. */
void
session_show_changes(struct session *s)
{
	size_t i;

	for (i = 0; i < s->changed.n; i++) {
		struct engine_ref ref = s->changed.v[i];
		struct engine_task_view v;

		engine_task_view(s->engine, ref.run, ref.task, &v);
		if (v.state != TASK_DONE && v.state != TASK_UP_FOR_RETRY)
			show_task(s, ref, NULL);
	}
	s->changed.n = 0;
}

/* What of a committed batch the observer wants to know. */
static void
show_committed(struct session *s, const struct meta_op *ops, size_t n)
{
	const struct engine_ref *refs = engine_taken_refs(s->engine);
	bool freed = false;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct meta_op *op = &ops[i];

		if (op->kind == META_OP_ATTEMPT_END && !op->stale)
			freed |= s->runs.v[refs[i].run]->paths[refs[i].task].n > 0;
		if (op->stage.lock != NULL && op->stage.entry != NULL && !op->stale)
			session_cache_note(s, op->stage.lock);
		if ((op->kind == META_OP_TASK || op->kind == META_OP_ATTEMPT_KNOWN) &&
		    !op->stale &&
		    (op->task_state == TASK_DONE || op->task_state == TASK_UP_FOR_RETRY))
			show_task(s, refs[i], op);
		/* A lock may have gone between that verdict and now: what has changed since
		 * the batch was handed over counts as new. */
		if (op->blocked)
			s->data_version = s->submit_version;
	}
	if (freed)
		wake_others(s->p, &s->waiter); /* who may wait for the paths */
}

/**
 * session_wrote(async):
 * The writer thread has finished a batch: tell the engine, in the loop's thread.
 */
void
session_wrote(uv_async_t *async)
{
	struct session *s = async->data;
	struct engine_event ev = {.kind = EV_COMMITTED};
	struct meta_op *ops;
	struct err err = {0};
	size_t n;
	int rc;

	if (meta_writer_result(s->writer, &rc, NULL, &err) == 0)
		return;
	fault_point(TOLD);
	s->flying = false;
	if (rc != 0) {
		if (err.code == ERR_FULL || err.code == ERR_BUSY)
			try_again(s, &err);
		else if (err.code == ERR_STALE)
			session_state_gone(s, &err);
		else
			session_break(s, &err);
		return;
	}
	if (s->commit_stuck)
		session_say(s, NOTICE_INFO,
			    "the database can be written again; going on");
	s->commit_stuck = false;
	ops = engine_taken(s->engine, &n);
	show_committed(s, ops, n);
	(void)session_event(s, &ev);
}
