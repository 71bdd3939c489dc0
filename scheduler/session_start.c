/*
 * How attempts are started, and what follows where they cannot be: the disk is full, the
 * system is out of processes or descriptors.
 *
 * Such trouble is seldom that of one task, so it holds up all starts, for a second at first
 * and twice as long each time.  Attempts whose row is written wait here meanwhile, so that
 * neither rows nor directories are made of it.  What was started when the time is over is a
 * probe: only when it has gone well for a moment the others follow.
 *
 *	FREE -> HELD     [session_start_trouble]    nothing starts
 *	HELD -> READY    [the time is over]         the next start is the probe
 *	READY -> PROBE   [session_start]
 *	PROBE -> HELD    [session_start_trouble]
 *	PROBE -> FREE    [nothing was heard for PROBE_US]
 */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "scheduler/session_int.h"

#define HOLD_US	 INT64_C(1000000) /* the first time; it doubles */
#define HOLD_MAX 5		  /* times: 32 s */
#define PROBE_US INT64_C(1000000)
#define CALM_US	 INT64_C(60000000) /* what comes later is new trouble, and told anew */
#define BAD_MAX	 4 /* tries with a dag-shim that cannot be executed: 7 s */

/* It cannot be started as it is: it ends failed, with the words of err. */
static void
refuse(struct session *s, struct engine_ref ref, const struct err *err)
{
	struct engine_exit x = {.status = -1,
				.step = "setup",
				.text = err->msg,
				.ended_us = session_now(s).wall_us};
	struct engine_event ev = {.kind = EV_EXITED, .ref = ref, .exit = &x};
	struct srun *r = s->runs.v[ref.run];
	struct attempt *a = attempt_find(r, ref.task, ref.number);

	if (a != NULL)
		attempt_drop(r, a);
	(void)session_event(s, &ev);
}

static int
start(struct srun *r, struct attempt *a, struct engine_ref ref, struct err *err)
{
	const struct dag_task *t = &r->dag->tasks[ref.task];
	struct arena *arena = arena_new(0);
	struct exec_request q = {.ref = ref, .dir = a->dir, .inputs = a->inputs};
	struct render_task out;
	int rc = -1;

	if (arena == NULL)
		return err_nomem(err);
	if (inputs_whole(r, t, err) == 0 &&
	    render_task(&r->values, t, arena, &out, err) == 0 &&
	    env_build(r, t, a, &out, arena, &q.spec, err) == 0) {
		free(a->cmd);
		free(a->cwd);
		a->cmd = strdup(q.spec.argv[0]);
		a->cwd = strdup(q.spec.cwd);
		rc = r->s->local->ops->start(r->s->local, &q, err);
	}
	arena_free(arena);
	return rc;
}

/* ---- waiting for better times ---- */

static int64_t
hold_us(const struct session *s)
{
	unsigned n = s->starts.rounds;

	return HOLD_US << (n > HOLD_MAX ? HOLD_MAX : n > 0 ? n - 1 : 0);
}

/* The attempt that has waited longest, or NULL. */
static struct attempt *
first_waiting(struct session *s, struct engine_ref *ref)
{
	struct attempt *first = NULL;
	size_t i;

	for (i = 0; i < s->runs.n; i++)
		for (struct attempt *a = s->runs.v[i]->attempts; a != NULL; a = a->next) {
			if (a->waits == 0 || (first != NULL && first->waits < a->waits))
				continue;
			first = a;
			*ref = (struct engine_ref){
			    .run = (uint32_t)i, .task = a->task, .number = a->number};
		}
	return first;
}

static void start_now(struct session *, struct engine_ref, struct attempt *);

/* A stretch of waiting, or of looking how the probe goes, is over. */
static void
on_hold_over(uv_timer_t *t)
{
	struct session *s = t->data;
	struct engine_ref ref;
	struct attempt *a;

	if (s->broken || s->hangup)
		return;
	if (s->starts.phase == STARTS_PROBE) {
		s->starts.phase = STARTS_FREE;
		s->starts.rounds /= 2;
		s->starts.freed_us = session_now(s).mono_us;
	} else {
		s->starts.phase = STARTS_READY;
	}
	while (!s->broken &&
	       (s->starts.phase == STARTS_READY || s->starts.phase == STARTS_FREE) &&
	       (a = first_waiting(s, &ref)) != NULL)
		start_now(s, ref, a);
}

static void
hold(struct session *s, int64_t us)
{
	(void)uv_timer_start(&s->hold, on_hold_over, (uint64_t)us / 1000, 0);
}

/**
 * session_start_trouble(s, ref, why):
 * The attempt could not be started, for a reason that is not its own.  Tell it (once), and
 * hold up what is to start.  Return for how long, in microseconds.
 */
int64_t
session_start_trouble(struct session *s, struct engine_ref ref, const char *why)
{
	uint64_t left;

	if (s->starts.phase == STARTS_HELD) {
		left = uv_timer_get_due_in(&s->hold);
		return (int64_t)(left > 0 ? left : 1) * 1000;
	}
	if (s->starts.phase == STARTS_FREE &&
	    session_now(s).mono_us - s->starts.freed_us > CALM_US)
		s->starts = (struct starts){.last = s->starts.last, .bad = s->starts.bad};
	s->starts.phase = STARTS_HELD;
	s->starts.rounds++;
	hold(s, hold_us(s));
	if (!s->starts.told)
		session_say(s, NOTICE_WARN,
			    "`%s` could not be started: %s; it is tried again and again, "
			    "with pauses that grow to 32s, and nothing else starts until "
			    "then",
			    s->runs.v[ref.run]->dag->tasks[ref.task].name, why);
	s->starts.told = true;
	return hold_us(s);
}

/* Nothing was started yet: the same attempt is tried again later. */
static void
put_off(struct session *s, struct engine_ref ref, struct attempt *a,
	const struct err *err)
{
	struct err why;

	s->starts.bad = err->code == ERR_CORRUPT ? s->starts.bad + 1 : 0;
	if (s->starts.bad >= BAD_MAX) {
		(void)err_set(&why, ERR_SYS,
			      "%s: mend the installation, then 'dag resume' goes on",
			      err->msg);
		session_break(s, &why);
		return;
	}
	a->waits = ++s->starts.last;
	(void)session_start_trouble(s, ref, err->msg);
}

/**
 * session_start_none(s, ref):
 * An attempt that waits for its start is not to be started any more.
 */
void
session_start_none(struct session *s, struct engine_ref ref)
{
	struct engine_event ev = {
	    .kind = EV_VOID, .ref = ref, .reason = "it was stopped before its start"};
	struct srun *r = s->runs.v[ref.run];

	attempt_drop(r, attempt_find(r, ref.task, ref.number));
	(void)session_event(s, &ev);
}

/* ---- starting ---- */

static void
start_now(struct session *s, struct engine_ref ref, struct attempt *a)
{
	struct err err = {0};

	a->waits = 0;
	if (start(s->runs.v[ref.run], a, ref, &err) == 0) {
		s->starts.bad = 0;
		if (s->starts.phase == STARTS_READY) {
			s->starts.phase = STARTS_PROBE;
			hold(s, PROBE_US);
		}
	} else if (err.code == ERR_INVALID || err.code == ERR_LIMIT ||
		   err.code == ERR_NOTFOUND) {
		refuse(s, ref, &err);
	} else {
		put_off(s, ref, a, &err);
	}
}

/**
 * session_start(s, ref):
 * Start an attempt whose row is durable, now or as soon as anything can be started.
 */
void
session_start(struct session *s, struct engine_ref ref)
{
	struct attempt *a = attempt_of(s->runs.v[ref.run], ref);
	struct engine_event ev = {.kind = EV_VOID, .ref = ref, .reason = "out of memory"};

	fault_point(START);
	if (a == NULL) {
		ev.delay_us = session_start_trouble(s, ref, ev.reason);
		(void)session_event(s, &ev);
	} else if (s->starts.phase == STARTS_HELD || s->starts.phase == STARTS_PROBE) {
		a->waits = ++s->starts.last;
	} else {
		start_now(s, ref, a);
	}
}
