/*
 * Processes and workers: what the engine's actions do, and what is reported back.
 */
#include <stdio.h>
#include <string.h>

#include "sim.h"
#include "tasks/schema/schema.h"

static struct sim_attempt *
attempt(struct sim_run *r, uint32_t task, uint32_t number)
{
	return &r->tasks[task].attempts[number % SIM_ATTEMPTS_MAX];
}

/* A try of the task failed for ${cause}, as its owner is being told. */
static void
note_failure(struct sim *s, struct sim_run *r, uint32_t task, uint32_t number,
	     enum fail_cause cause)
{
	attempt(r, task, number)->cause = (uint8_t)cause;
	r->tasks[task].fail_us = s->now.mono_us;
	r->tasks[task].fail_own = r->own;
}

/* ---- reports ---- */

/* What the exit record of an attempt says: it failed in one of many ways, or was stopped, or
 * took the signal and ended well. */
static void
fill_exit(struct sim *s, const struct sim_attempt *a, struct engine_exit *x)
{
	x->status = a->status;
	if (a->stop && !sim_once_in(s, 4)) {
		x->status = -1;
		x->signal = a->killed ? 9 : 15;
	} else if (a->stop) {
		x->status = 0;
	} else if (x->status != 0 && sim_once_in(s, 2)) {
		x->status = -1;
		x->signal = 11;
		x->timed_out = sim_once_in(s, 2);
		x->step = sim_once_in(s, 4) ? "exec" : NULL;
	}
}

static void
report_exit(struct sim *s, struct sim_run *r, struct engine_ref ref)
{
	struct sim_attempt *a = attempt(r, ref.task, ref.number);
	struct engine_exit x = {.ended_us = s->now.wall_us};
	struct engine_event ev = {.kind = EV_EXITED, .ref = ref, .exit = &x};

	fill_exit(s, a, &x);
	a->kept = x.status == 0 && !r->cancel_known;
	if (x.status == 0 && r->cancel_known)
		a->must = RESULT_CANCELLED;
	else if (x.status == 0)
		a->must = RESULT_NONE; /* its outputs decide */
	else if (r->cancelled)
		a->must = RESULT_CANCELLED;
	else if (!a->stop && r->deadline_us == 0)
		a->must = RESULT_FAILED;
	if (x.status != 0)
		note_failure(s, r, ref.task, ref.number,
			     x.step != NULL  ? CAUSE_SETUP
			     : x.timed_out   ? CAUSE_TIMEOUT
			     : x.signal != 0 ? CAUSE_SIGNAL
					     : CAUSE_EXIT);
	sim_step(s, &ev);
}

static void
report_void(struct sim *s, struct sim_run *r, struct engine_ref ref, int64_t delay)
{
	struct engine_event ev = {
	    .kind = EV_VOID, .ref = ref, .reason = "EAGAIN", .delay_us = delay};

	if (!r->cancelled && !r->fail_fast && r->deadline_us == 0)
		attempt(r, ref.task, ref.number)->must = RESULT_VOID;
	r->tasks[ref.task].delayed = delay > 0;
	r->tasks[ref.task].again_us = s->now.mono_us + delay;
	sim_step(s, &ev);
}

/**
 * world_report(s, r, task, number):
 * Tell the owner how an attempt stands that has ended, or that was taken over.
 */
void
world_report(struct sim *s, struct sim_run *r, uint32_t task, uint32_t number)
{
	struct sim_attempt *a = attempt(r, task, number);
	struct engine_event ev = {
	    .ref = {.run = r->index, .task = task, .number = number}};

	a->unseen = a->unstarted = false;
	switch ((enum proc_state)a->proc) {
	case PROC_NONE:
	case PROC_STILLBORN:
		report_void(s, r, ev.ref, sim_once_in(s, 2) ? 0 : 1000000);
		break;
	case PROC_RUNNING:
		a->watched = true;
		ev.kind = EV_STARTED;
		ev.pid = 1;
		sim_step(s, &ev);
		break;
	case PROC_EXITED:
		report_exit(s, r, ev.ref);
		break;
	case PROC_VANISHED:
		ev.kind = EV_LOST;
		ev.reason = "its shim was killed";
		note_failure(s, r, task, number, CAUSE_LOST);
		sim_step(s, &ev);
		break;
	}
}

/* ---- workers ---- */

static void
work_add(struct sim *s, enum work_kind kind, struct sim_run *r, struct engine_ref ref)
{
	struct work w = {.kind = kind, .ref = ref, .r = r};

	w.at_us = s->now.mono_us + (int64_t)(sim_once_in(s, 2) ? 0 : sim_rand(s, 300000));
	if (vec_push(&s->works, w) != 0)
		sim_fail(s, "no memory");
}

static void
prepared(struct sim *s, const struct work *w)
{
	struct engine_event ev = {.kind = EV_PREPARED, .ref = w->ref};

	ev.prepared = PREPARED_RUN;
	if (w->stop) {
		ev.prepared = PREPARED_CANCELLED;
	} else if (sim_once_in(s, 50)) {
		ev.prepared = PREPARED_CACHED;
	} else if (sim_once_in(s, 50)) {
		ev.prepared = PREPARED_FAILED;
		ev.reason = "an input is absent";
		note_failure(s, w->r, w->ref.task, w->ref.number, CAUSE_SETUP);
	}
	sim_step(s, &ev);
}

static void
committed(struct sim *s, const struct work *w)
{
	struct sim_attempt *a = attempt(w->r, w->ref.task, w->ref.number);
	struct engine_event ev = {.kind = EV_OUTPUTS, .ref = w->ref};
	char val[16];
	struct meta_kv kv = {.key = "n", .val = val};

	(void)snprintf(val, sizeof(val), "%u", w->ref.number);
	kv.len = strlen(val);
	ev.outputs = &kv;
	ev.noutputs = 1;
	ev.ok = !w->stop && !sim_once_in(s, 40);
	a->kept &= ev.ok;
	if (a->must == RESULT_CANCELLED)
		sim_fail(s, "%s t%u is committed although it was cancelled", w->r->id,
			 w->ref.task);
	if (ev.ok)
		a->must = RESULT_SUCCESS;
	else if (w->r->cancelled || w->r->deadline_us != 0)
		a->must =
		    RESULT_NONE; /* failed, or cancelled if a stop was meant for it */
	else
		a->must = RESULT_FAILED;
	if (!ev.ok)
		note_failure(s, w->r, w->ref.task, w->ref.number, CAUSE_OUTPUT);
	sim_step(s, &ev);
}

/**
 * world_works(s):
 * Workers whose time is up report.
 */
void
world_works(struct sim *s)
{
	size_t i = 0;

	while (i < s->works.n) {
		struct work w = s->works.v[i];

		if (w.at_us > s->now.mono_us) {
			i++;
			continue;
		}
		s->works.v[i] = s->works.v[--s->works.n];
		if (w.kind == WORK_PREPARE)
			prepared(s, &w);
		else
			committed(s, &w);
	}
}

/* ---- processes ---- */

static void
start(struct sim *s, struct sim_run *r, struct engine_ref ref)
{
	struct sim_task *t = &r->tasks[ref.task];
	struct sim_attempt *a = attempt(r, ref.task, ref.number);

	oracle_start(s, r, ref.task, ref.number);
	if (sim_once_in(s, 30)) {
		report_void(s, r, ref, (int64_t)sim_rand(s, 2) * 1000000);
		return;
	}
	s->totals.starts++;
	a->proc = PROC_RUNNING;
	a->watched = true;
	a->dies_unborn = sim_once_in(s, 30);
	a->ends_us =
	    s->now.mono_us +
	    (int64_t)sim_rand(s, a->dies_unborn && sim_once_in(s, 2) ? 20000 : 4000000);
	a->status = ref.number - t->round <= t->fails ? 1 : 0;
	a->unstarted = true;
	if (sim_once_in(s, 2))
		world_report(s, r, ref.task, ref.number);
}

static void
stop(struct sim *s, struct sim_run *r, struct engine_ref ref, bool kill)
{
	struct sim_attempt *a = attempt(r, ref.task, ref.number);
	size_t i;

	for (i = 0; i < s->works.n; i++)
		if (s->works.v[i].r == r && s->works.v[i].ref.task == ref.task)
			s->works.v[i].stop = true;
	a->stop = true;
	a->killed |= kill;
	if (a->proc == PROC_RUNNING && a->ends_us > s->now.mono_us + (kill ? 0 : 500000))
		a->ends_us = s->now.mono_us + (kill ? 0 : 500000);
}

/**
 * world_act(s, a):
 * Carry out one action of the engine.
 */
void
world_act(struct sim *s, const struct engine_action *a)
{
	struct sim_run *r = NULL;
	unsigned i;

	for (i = 0; i < s->nruns; i++)
		if (s->runs[i].owned && s->runs[i].index == a->ref.run)
			r = &s->runs[i];
	/* One that has not noticed yet that it lost the run stops what it thinks is its own. */
	if (r == NULL &&
	    (a->kind == ACT_RUN_STALE || a->kind == ACT_STOP || a->kind == ACT_KILL))
		return;
	if (r == NULL)
		sim_fail(s, "action %d for run %u, which is not ours", (int)a->kind,
			 a->ref.run);
	switch (a->kind) {
	case ACT_PREPARE:
		work_add(s, WORK_PREPARE, r, a->ref);
		break;
	case ACT_START:
		start(s, r, a->ref);
		break;
	case ACT_STOP:
	case ACT_KILL:
		stop(s, r, a->ref, a->kind == ACT_KILL);
		break;
	case ACT_COMMIT:
		work_add(s, WORK_COMMIT, r, a->ref);
		break;
	case ACT_RUN_END:
		if (!r->done)
			sim_fail(s, "%s: its end is told before it is durable", r->id);
		r->owned = r->settling = false;
		break;
	case ACT_RUN_SETTLED:
		for (i = 0; i < s->dag.ntasks; i++) {
			const struct sim_task *t = &r->tasks[i];

			if (t->attempts[t->attempt].to_settle &&
			    !t->attempts[t->attempt].ended)
				sim_fail(s,
					 "%s is settled, but the end of t%u is not "
					 "recorded",
					 r->id, i);
		}
		if (!r->settling)
			sim_fail(s, "%s: settled, but it was to be run", r->id);
		r->owned = r->settling = false;
		break;
	case ACT_RUN_STALE:
		sim_fail(s, "%s: stale", r->id);
	}
}

void
world_drain(struct sim *s)
{
	struct engine_action a;

	while (engine_action(s->e, &a))
		world_act(s, &a);
}

static void
die(struct sim *s, struct sim_run *r, uint32_t task, uint32_t number)
{
	struct sim_attempt *a = attempt(r, task, number);

	if (a->dies_unborn)
		a->proc = PROC_STILLBORN;
	else
		a->proc = sim_once_in(s, 40) ? PROC_VANISHED : PROC_EXITED;
	if (a->watched && !a->unseen) {
		a->watched = false;
		world_report(s, r, task, number);
	}
}

/**
 * world_processes(s):
 * Processes whose time is up end; now and then a shim is killed.
 */
void
world_processes(struct sim *s)
{
	uint32_t k, i;

	for (k = 0; k < s->nruns; k++)
		for (i = 0; i < s->dag.ntasks; i++) {
			struct sim_run *r = &s->runs[k];
			uint32_t n = r->tasks[i].attempt;
			struct sim_attempt *a = attempt(r, i, n);

			if (a->proc != PROC_RUNNING)
				continue;
			if (a->ends_us <= s->now.mono_us)
				die(s, r, i, n);
			else if (a->unstarted && a->watched)
				world_report(s, r, i, n);
		}
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/**
 * world_next(s):
 * Return in how many microseconds the next process or worker ends; -1: none is under way.
 */
int64_t
world_next(struct sim *s)
{
	int64_t next = -1, left;
	uint32_t k, i;

	for (i = 0; i < s->works.n; i++) {
		left = s->works.v[i].at_us - s->now.mono_us;
		next = sooner(next, left > 0 ? left : 0);
	}
	for (k = 0; k < s->nruns; k++)
		for (i = 0; i < s->dag.ntasks; i++) {
			const struct sim_task *t = &s->runs[k].tasks[i];
			const struct sim_attempt *a = &t->attempts[t->attempt];

			left = a->ends_us - s->now.mono_us;
			if (a->proc == PROC_RUNNING)
				next = sooner(next, left > 0 ? left : 0);
			if (a->unseen)
				next = 0;
		}
	return next;
}
