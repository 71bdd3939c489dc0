/*
 * Attempts under way: the engine's actions carried out, the executor's reports turned into
 * events.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/num.h"
#include "scheduler/cache_hold.h"
#include "scheduler/session_int.h"
#include "store/owner.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/mask.h"

struct attempt *
attempt_find(struct srun *r, uint32_t task, uint32_t number)
{
	struct attempt *a;

	for (a = r->attempts; a != NULL; a = a->next)
		if (a->task == task && a->number == number)
			return a;
	return NULL;
}

struct attempt *
attempt_add(struct srun *r, uint32_t task, uint32_t number, const char *id,
	    const char *dir)
{
	struct attempt *a = calloc(1, sizeof(*a));

	if (a == NULL || (a->dir = strdup(dir)) == NULL) {
		free(a);
		return NULL;
	}
	a->task = task;
	a->number = number;
	a->dirfd = -1;
	(void)snprintf(a->id, sizeof(a->id), "%s", id);
	a->next = r->attempts;
	r->attempts = a;
	return a;
}

static void
attempt_free(struct attempt *a)
{
	if (a->dirfd != -1)
		(void)close(a->dirfd);
	cache_hold_drop(a->hold);
	events_release(&a->events);
	free(a->inputs);
	free(a->dir);
	free(a->cmd);
	free(a->cwd);
	free(a);
}

/**
 * attempt_drop(r, a):
 * The attempt is over: forget it.
 */
void
attempt_drop(struct srun *r, struct attempt *a)
{
	struct attempt **at;

	for (at = &r->attempts; *at != NULL; at = &(*at)->next)
		if (*at == a) {
			*at = a->next;
			attempt_free(a);
			return;
		}
}

/**
 * attempt_stop_work(a):
 * A worker that prepares it or commits its outputs should give up.
 */
void
attempt_stop_work(struct attempt *a)
{
	__atomic_store_n(&a->stop, true, __ATOMIC_RELAXED);
	atomic_store_explicit(&a->meter.cancel, true, memory_order_relaxed);
}

void
attempt_release_all(struct srun *r)
{
	while (r->attempts != NULL)
		attempt_drop(r, r->attempts);
}

/**
 * attempt_of(r, ref):
 * Return the attempt of an action, made when it is first needed; NULL without memory.
 */
struct attempt *
attempt_of(struct srun *r, struct engine_ref ref)
{
	struct attempt *a = attempt_find(r, ref.task, ref.number);
	struct engine_task_view v;
	struct buf dir;

	if (a != NULL)
		return a;
	engine_task_view(r->s->engine, ref.run, ref.task, &v);
	buf_init(&dir, 0);
	buf_addf(&dir, "runs/%s/", r->id);
	attempt_dir_put(&dir, r->dag->tasks[ref.task].name, ATTEMPT_MAP_NONE, ref.number);
	if (!buf_failed(&dir))
		a = attempt_add(r, ref.task, ref.number, v.attempt_id, dir.p);
	buf_release(&dir);
	return a;
}

/* ---- other actions ---- */

static void
act_prepare(struct session *s, struct engine_ref ref)
{
	struct srun *r = s->runs.v[ref.run];
	struct attempt *a = attempt_of(r, ref);
	struct engine_event ev = {
	    .kind = EV_PREPARED, .ref = ref, .prepared = PREPARED_FAILED};
	struct err err = {0};

	fault_point(PREPARE);
	if (a != NULL && prepare_start(r, a, &err) == 0)
		return;
	ev.reason = a == NULL ? "out of memory" : err.msg;
	if (a != NULL)
		attempt_drop(r, a);
	(void)session_event(s, &ev);
}

static void
act_commit(struct session *s, struct engine_ref ref)
{
	struct srun *r = s->runs.v[ref.run];
	struct attempt *a = attempt_of(r, ref);
	struct engine_event ev = {.kind = EV_OUTPUTS, .ref = ref};
	struct err err = {0};

	fault_point(OUTPUTS);
	if (a != NULL && commit_start(r, a, &err) == 0)
		return;
	ev.reason = a == NULL ? "out of memory" : err.msg;
	if (a != NULL)
		attempt_drop(r, a);
	(void)session_event(s, &ev);
}

static void
act_stop(struct session *s, struct engine_ref ref, bool kill)
{
	struct attempt *a = attempt_find(s->runs.v[ref.run], ref.task, ref.number);

	if (a != NULL && a->working)
		attempt_stop_work(a);
	else if (a != NULL && a->waits != 0)
		session_start_none(s, ref);
	else if (kill)
		s->local->ops->kill(s->local, ref);
	else
		s->local->ops->stop(s->local, ref);
}

static void
run_over(struct session *s, struct srun *r)
{
	const struct session_observer *o = s->cfg.observer;
	struct session_run v;

	fault_point(RUN_OVER);
	r->over = true;
	session_run_view(s, r->index, &v);
	r->result = v.result;
	if (r->settle) {
		session_say(s, NOTICE_INFO,
			    "run %s of %s, which was interrupted, has ended: %s", v.id,
			    v.dag, run_result_name(v.result));
	} else {
		if (v.result != RUN_SUCCESS)
			s->failed = true;
		if (o->run_ended != NULL)
			o->run_ended(o->ctx, &v);
	}
	attempt_release_all(r);
	session_hold_end(r);
	srun_let_go(r);
	wake_others(s->p, &s->waiter);
}

/**
 * session_act(s, a):
 * Carry out one action of the engine.
 */
void
session_act(struct session *s, const struct engine_action *a)
{
	struct srun *r = s->runs.v[a->ref.run];
	struct err err;

	switch (a->kind) {
	case ACT_PREPARE:
		act_prepare(s, a->ref);
		break;
	case ACT_START:
		session_start(s, a->ref);
		break;
	case ACT_STOP:
	case ACT_KILL:
		act_stop(s, a->ref, a->kind == ACT_KILL);
		break;
	case ACT_COMMIT:
		act_commit(s, a->ref);
		break;
	case ACT_RUN_END:
		run_over(s, r);
		break;
	case ACT_RUN_SETTLED:
		r->over = true;
		attempt_release_all(r);
		srun_let_go(r);
		break;
	case ACT_RUN_STALE:
		r->over = true;
		srun_let_go(r);
		err_set(&err, ERR_STALE,
			"run %s has another owner now; this process leaves it alone",
			r->id);
		session_break(s, &err);
		break;
	}
}

/* ---- reports of the executor ---- */

/* The attempt's process is gone.  Unless its outputs are being committed, the attempt is over
 * and forgotten, with its descriptors. */
static void
ended(struct session *s, const struct engine_event *ev)
{
	struct srun *r = s->runs.v[ev->ref.run];
	struct engine_task_view v;
	struct attempt *a;

	if (session_event(s, ev) != 0)
		return;
	engine_task_view(s->engine, ev->ref.run, ev->ref.task, &v);
	if (v.live && v.attempt == ev->ref.number)
		return;
	a = attempt_find(r, ev->ref.task, ev->ref.number);
	if (a != NULL && !a->working)
		attempt_drop(r, a);
}

static void
on_started(void *ctx, struct engine_ref ref, pid_t pid, const char *handle)
{
	struct engine_event ev = {
	    .kind = EV_STARTED, .ref = ref, .pid = pid, .handle = handle};

	(void)session_event(ctx, &ev);
}

/* Words for a start that failed. */
static void
step_text(const struct exit_record *x, const struct attempt *a, struct buf *b)
{
	const char *cmd = a != NULL && a->cmd != NULL ? a->cmd : "its program";
	const char *cwd = a != NULL && a->cwd != NULL ? a->cwd : "its workdir";
	char text[128];

	switch (x->step) {
	case EXIT_STEP_CHDIR:
		buf_addf(b, "cannot enter the workdir '%s'", cwd);
		break;
	case EXIT_STEP_EXEC:
		if (x->sys == ENOENT) {
			buf_addf(b, "command not found: %s", cmd);
			return;
		}
		buf_addf(b, "cannot execute '%s'", cmd);
		break;
	case EXIT_STEP_SCRIPT:
		buf_addf(b,
			 "the interpreter that the #! line of '%s' names does not exist",
			 cmd);
		return;
	case EXIT_STEP_STOP:
		buf_adds(b, "it was stopped before its program began");
		return;
	case EXIT_STEP_NONE:
	case EXIT_STEP_PIPE:
	case EXIT_STEP_FORK:
	case EXIT_STEP_SETUP:
	case EXIT_STEP_STARTED:
	case EXIT_STEP_MAX:
		if (x->sys == EPROTO) {
			buf_adds(b, "dag-shim does not fit this dag: install both from "
				    "one build");
			return;
		}
		buf_addf(b, "cannot start '%s' (%s)", cmd, exit_step_name(x->step));
		break;
	}
	buf_addf(b, ": %s", strerror_r(x->sys, text, sizeof(text)));
}

static void
on_exited(void *ctx, struct engine_ref ref, const struct exit_record *rec)
{
	struct session *s = ctx;
	struct srun *r = s->runs.v[ref.run];
	struct engine_exit x = {.status = rec->status,
				.signal = rec->signal,
				.timed_out = rec->timed_out,
				.mem_over = rec->mem_over,
				.ended_us = rec->end_us,
				.user_us = rec->user_us,
				.sys_us = rec->sys_us,
				.maxrss_kib = rec->maxrss_kib,
				.mem_peak_kib = rec->mem_peak_kib,
				.log_bytes = rec->log_bytes,
				.survivors = (uint32_t)rec->survivors,
				.oom = exit_oom_name(rec->oom)};
	struct engine_event ev = {.kind = EV_EXITED, .ref = ref, .exit = &x};
	struct buf text;

	buf_init(&text, 0);
	if (rec->step != EXIT_STEP_NONE) {
		x.step = exit_step_name(rec->step);
		step_text(rec, attempt_find(r, ref.task, ref.number), &text);
		x.text = text.p;
	} else if (rec->mem_over) {
		buf_adds(&text, "used more than its memory of ");
		num_put_size(&text, (uint64_t)rec->mem_limit);
		buf_adds(&text, " and was killed");
		x.text = text.p;
	} else if (rec->timed_out) {
		buf_adds(&text, "timed out after ");
		num_put_duration(&text, r->dag->tasks[ref.task].timeout_us);
		x.text = text.p;
	}
	ended(s, &ev);
	buf_release(&text);
}

static void
on_voided(void *ctx, struct engine_ref ref, const char *why, int64_t delay_us)
{
	struct engine_event ev = {
	    .kind = EV_VOID, .ref = ref, .reason = why, .delay_us = delay_us};

	if (delay_us > 0)
		ev.delay_us = session_start_trouble(ctx, ref, why);
	ended(ctx, &ev);
}

static void
on_lost(void *ctx, struct engine_ref ref, const char *why)
{
	struct engine_event ev = {.kind = EV_LOST, .ref = ref, .reason = why};

	ended(ctx, &ev);
}

const struct exec_reports session_reports = {
    .started = on_started,
    .exited = on_exited,
    .voided = on_voided,
    .lost = on_lost,
};
