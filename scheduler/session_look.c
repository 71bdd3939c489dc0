/*
 * Looking around: commands of other processes, ownerless attempts that hold paths, a slow
 * gate, the progress that tasks report.  Who wants to be heard wakes us (wake.h); a
 * look every second catches what that misses.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/json.h"
#include "scheduler/cache_pool.h"
#include "scheduler/exec_spawn.h"
#include "scheduler/session_int.h"

#include <jansson.h>

#define WAITS_TOLD 3 /* looks at which an attempt waits before that is told */

static bool
any_blocked(struct session *s)
{
	struct engine_run_view v;
	uint32_t i;

	for (i = 0; i < s->runs.n; i++) {
		if (s->runs.v[i]->over || s->runs.v[i]->settle)
			continue;
		engine_run_view(s->engine, i, &v);
		if (v.blocked > 0)
			return true;
	}
	return false;
}

/* Find the task a retry command begins with: its id, -1 for none, -2 for an unknown name.
 * Return 0, or -1 if memory ran out: that is not the same as none. */
static int
retry_from(const struct srun *r, const char *args, int32_t *id)
{
	struct err err = {0};
	json_t *j = json_parse(args, strlen(args), &err);
	const char *name = json_string_value(json_object_get(j, "from"));
	const struct dag_task *t = name != NULL ? srun_task(r, name) : NULL;

	if (j == NULL && err.code == ERR_NOMEM)
		return -1;
	*id = name == NULL			      ? -1
	      : t == NULL || !r->rows[t->id].selected ? -2
						      : (int32_t)t->id;
	json_decref(j);
	return 0;
}

static bool
has_failed(const struct engine_task_view *v)
{
	return v->selected && v->state == TASK_DONE && v->result != RESULT_SUCCESS &&
	       v->result != RESULT_CACHED && v->result != RESULT_SKIPPED;
}

/* What a retry of the run would do now: NULL, or why nothing. */
static const char *
no_retry(struct srun *r, int32_t from, bool cancelling)
{
	struct engine_task_view v;
	uint32_t i;

	if (cancelling)
		return "refused: the run is being cancelled; retry it once it has ended";
	if (from == -2)
		return "refused: the run has no such task";
	if (from >= 0) {
		engine_task_view(r->s->engine, r->index, (uint32_t)from, &v);
		return v.state == TASK_DONE
			   ? NULL
			   : "refused: the task has not ended yet, and only what has "
			     "ended can be run again";
	}
	for (i = 0; i < r->dag->ntasks; i++) {
		engine_task_view(r->s->engine, r->index, i, &v);
		if (has_failed(&v))
			return NULL;
	}
	return "nothing to retry: no task has failed so far";
}

static int
obey_retry(struct srun *r, const char *args, bool cancelling, struct engine_event *ev)
{
	if (retry_from(r, args, &ev->from) != 0)
		return -1;
	ev->answer = no_retry(r, ev->from, cancelling);
	ev->kind = ev->answer != NULL ? EV_TICK : EV_RETRY;
	if (ev->answer == NULL)
		ev->answer = "retrying";
	return 0;
}

/* One command becomes one event; its answer is committed with what it changed.  Return 0, or
 * -1 if it must be looked at again. */
static int
obey(struct srun *r, const struct meta_command *c)
{
	struct engine_event ev = {.ref = {.run = r->index}, .command = c->id, .from = -1};
	struct engine_run_view v;

	engine_run_view(r->s->engine, r->index, &v);
	ev.answer = "done";
	if (strcmp(c->verb, "cancel") == 0 || strcmp(c->verb, "kill") == 0) {
		ev.kind = EV_CANCEL;
		ev.kill = c->verb[0] == 'k';
		ev.reason = "cancelled by `dag cancel`";
		ev.answer = "stopping";
	} else if (strcmp(c->verb, "retry") == 0) {
		if (obey_retry(r, c->args, v.cancelling && v.state != RUN_DONE, &ev) != 0)
			return -1;
	} else {
		ev.kind = EV_TICK;
		ev.answer = "refused: this version of dag does not know the command";
	}
	(void)session_event(r->s, &ev);
	return 0;
}

/**
 * session_commands(s):
 * Carry out what other processes asked of our runs.
 */
void
session_commands(struct session *s)
{
	struct meta_command *c;
	struct arena *a;
	size_t i, k, n;

	for (i = 0; i < s->runs.n && !s->broken; i++) {
		struct srun *r = s->runs.v[i];

		if (r->over || r->settle || (a = arena_new(0)) == NULL)
			continue;
		if (meta_commands(s->meta, r->id, a, &c, &n, NULL) != 0)
			n = 0;
		for (k = 0; k < n; k++) {
			if (c[k].id <= r->last_command)
				continue;
			fault_point(COMMAND_TAKEN);
			if (obey(r, &c[k]) != 0)
				break;
			r->last_command = c[k].id;
		}
		arena_free(a);
	}
}

static void
warn_gate(struct session *s)
{
	int64_t now = session_now(s).mono_us;
	pid_t pid;
	char state;

	if (!s->flying || !meta_writer_gate(s->writer, &pid, &state) ||
	    (s->gate_told_us != 0 && now - s->gate_told_us < GATE_WARN_US))
		return;
	s->gate_told_us = now;
	if (state == 'T')
		session_say(s, NOTICE_WARN,
			    "waiting for the database: process %ld holds it and is "
			    "stopped (`kill -CONT "
			    "%ld`)",
			    (long)pid, (long)pid);
	else
		session_say(s, NOTICE_WARN,
			    "waiting for the database: process %ld holds it", (long)pid);
}

/* Attempts that have waited for a while for somebody outside of the run. */
static void
tell_waits(struct session *s)
{
	for (size_t i = 0; i < s->runs.n; i++) {
		const struct srun *r = s->runs.v[i];

		for (struct attempt *a = r->attempts; a != NULL; a = a->next) {
			const char *phase =
			    a->working ? atomic_load(&a->meter.phase) : NULL;

			if (phase == NULL ||
			    strncmp(phase, CACHE_WAITS, strlen(CACHE_WAITS)) != 0)
				a->waited = 0;
			else if (++a->waited == WAITS_TOLD)
				session_say(s, NOTICE_INFO, "%s: %s",
					    r->dag->tasks[a->task].name, phase);
		}
	}
}

/* Deleted or replaced under us: then nobody would ever see what we record. */
static bool
state_replaced(struct session *s)
{
	struct stat here, there;
	struct err err = {0};

	if (fstat(s->p->state_fd, &here) != 0)
		return false;
	if (stat(s->p->state, &there) != 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return false;
	} else if (here.st_ino == there.st_ino && here.st_dev == there.st_dev) {
		return false;
	}
	(void)err_set(
	    &err, ERR_STALE,
	    "the state directory '%s' was deleted or replaced while it was in use",
	    s->p->state);
	session_state_gone(s, &err);
	return true;
}

/**
 * session_look(s):
 * Look around: commands, locks that may have gone, whether our directory is still there.
 */
void
session_look(struct session *s)
{
	struct engine_event ev = {.kind = EV_WAKE};
	int64_t version;

	s->look_due = false;
	if (s->broken || s->hangup || state_replaced(s))
		return;
	session_commands(s);
	if (any_blocked(s)) {
		session_settle_holders(s);
		version = meta_data_version(s->meta);
		if (version != s->data_version) {
			s->data_version = version;
			(void)session_event(s, &ev);
		}
	}
	warn_gate(s);
}

static void
on_look(uv_timer_t *t)
{
	struct session *s = t->data;

	session_look(s);
	if (!s->broken)
		tell_waits(s);
}

static void
on_woken(uv_poll_t *h, int status, int events)
{
	struct session *s = h->data;

	(void)status;
	(void)events;
	/* Many may wake us at a time: one look, before the loop sleeps, is for all of them. */
	wake_drain(&s->waiter);
	s->look_due = true;
}

/**
 * session_look_start(s):
 * Look around from now on: when woken, and every second.
 */
void
session_look_start(struct session *s)
{
	wake_listen(s->p, &s->waiter);
	if (s->waiter.fd != -1 && uv_poll_init(&s->loop, &s->woken, s->waiter.fd) == 0) {
		s->woken.data = s;
		(void)uv_poll_start(&s->woken, UV_READABLE, on_woken);
	}
	(void)uv_timer_start(&s->look, on_look, LOOK_MS, LOOK_MS);
}

static void
on_event(void *ctx, const struct event *ev)
{
	struct attempt *a = ctx;

	if (ev->type != EVENT_PROGRESS)
		return;
	a->done = ev->done;
	a->total = ev->total > 0 ? ev->total : 0;
}

/**
 * session_poll_events(s):
 * Read what tasks under way have reported since the last time.
 */
void
session_poll_events(struct session *s)
{
	size_t i;

	for (i = 0; i < s->runs.n; i++)
		for (struct attempt *a = s->runs.v[i]->attempts; a != NULL; a = a->next) {
			if (a->dirfd == -1)
				a->dirfd = exec_open_dir(s->p, a->dir);
			if (a->dirfd != -1)
				(void)events_poll(&a->events, a->dirfd, on_event, a,
						  NULL);
		}
}
