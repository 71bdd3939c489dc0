/*
 * Processes and workers: what the engines' actions do, and what is reported back.
 */
#include <stdio.h>
#include <string.h>

#include "sim.h"
#include "tasks/schema/schema.h"

/* What of an attempt is decided by its fate. */
enum { FATE_TIME = 10, FATE_KIND, FATE_TERM, FATE_PREPARE, FATE_COMMIT, FATE_DELAY };

static struct sim_attempt *
attempt(struct sim_run *r, uint32_t task, uint32_t number)
{
	return &r->tasks[task].attempts[number % SIM_ATTEMPTS_MAX];
}

/* The run's end is asked for: for a new owner, too, whose first look tells that its time is up. */
static bool
ending(const struct sim *s, const struct sim_run *r)
{
	return r->cancelled || r->late ||
	       (r->fresh && !r->settling && r->deadline_mono != 0 &&
		s->now.mono_us >= r->deadline_mono);
}

/* A try of the task failed for ${cause}, as its owner is being told. */
static void
note_failure(struct sim *s, struct sim_run *r, struct engine_ref ref,
	     enum fail_cause cause)
{
	attempt(r, ref.task, ref.number)->cause = (uint8_t)cause;
	r->tasks[ref.task].fail_us = s->now.mono_us;
	r->tasks[ref.task].fail_own = r->own;
}

/* ---- reports ---- */

static struct engine_exit
exit_of(const struct sim_attempt *a, int64_t now)
{
	return (struct engine_exit){.status = a->status,
				    .signal = a->signal,
				    .timed_out = a->timed_out,
				    .step = a->no_exec ? "exec" : NULL,
				    .ended_us = now};
}

static void
report_exit(struct sim *s, struct sim_run *r, struct engine_ref ref)
{
	struct sim_attempt *a = attempt(r, ref.task, ref.number);
	struct engine_exit x = exit_of(a, s->now.wall_us);
	struct engine_event ev = {.kind = EV_EXITED, .ref = ref, .exit = &x};

	a->kept = x.status == 0 && !r->cancel_known;
	if (x.status == 0 && r->cancel_known)
		a->must = RESULT_CANCELLED;
	else if (x.status == 0)
		a->must = RESULT_NONE; /* its outputs decide */
	else
		a->must = ending(s, r) ? RESULT_CANCELLED : RESULT_FAILED;
	if (x.status != 0)
		note_failure(s, r, ref,
			     a->no_exec	    ? CAUSE_SETUP
			     : a->timed_out ? CAUSE_TIMEOUT
			     : a->signal    ? CAUSE_SIGNAL
					    : CAUSE_EXIT);
	sim_step(s, r->o, &ev);
}

static void
report_void(struct sim *s, struct sim_run *r, struct engine_ref ref, int64_t delay)
{
	struct engine_event ev = {
	    .kind = EV_VOID, .ref = ref, .reason = "EAGAIN", .delay_us = delay};

	if (!ending(s, r) && !r->fail_fast)
		attempt(r, ref.task, ref.number)->must = RESULT_VOID;
	else if (ending(s, r))
		attempt(r, ref.task, ref.number)->must = RESULT_CANCELLED;
	r->tasks[ref.task].delayed = delay > 0;
	r->tasks[ref.task].again_us = s->now.mono_us + delay;
	sim_step(s, r->o, &ev);
}

static void
report_lost(struct sim *s, struct sim_run *r, struct engine_ref ref)
{
	struct engine_event ev = {
	    .kind = EV_LOST, .ref = ref, .reason = "its shim was killed"};

	attempt(r, ref.task, ref.number)->must =
	    ending(s, r) ? RESULT_CANCELLED : RESULT_LOST;
	note_failure(s, r, ref, CAUSE_LOST);
	sim_step(s, r->o, &ev);
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
	uint64_t delay = sim_fate(s, r, task, number, FATE_DELAY);

	a->unseen = a->unstarted = false;
	switch ((enum proc_state)a->proc) {
	case PROC_NONE:
	case PROC_STILLBORN:
		report_void(s, r, ev.ref, delay % 2 == 0 ? 0 : 1000000);
		break;
	case PROC_RUNNING:
		a->watched = true;
		ev.kind = EV_STARTED;
		ev.pid = 1;
		sim_step(s, r->o, &ev);
		break;
	case PROC_EXITED:
		report_exit(s, r, ev.ref);
		break;
	case PROC_VANISHED:
		report_lost(s, r, ev.ref);
		break;
	}
}

/* A process that lost the run hears of it, too: nothing of what it writes may count. */
static void
report_stale(struct sim *s, struct sim_run *r, uint32_t task, uint32_t number)
{
	struct sim_attempt *a = attempt(r, task, number);
	struct engine_exit x = exit_of(a, s->now.wall_us);
	struct engine_event ev = {.kind = EV_EXITED, .exit = &x};
	unsigned i, k = (unsigned)(r - s->runs);

	for (i = 0; i < s->nowners; i++) {
		struct sim_owner *o = &s->owners[i];

		if (!o->stale[k] || o->stale_own[k] != a->stale_by)
			continue;
		ev.ref = (struct engine_ref){
		    .run = o->stale_index[k], .task = task, .number = number};
		sim_step(s, o, &ev);
	}
	a->stale_by = 0;
}

/* ---- workers ---- */

static void
work_add(struct sim *s, enum work_kind kind, struct sim_run *r, struct engine_ref ref)
{
	struct work w = {.kind = kind, .ref = ref, .r = r};
	uint64_t fate = sim_fate(s, r, ref.task, ref.number,
				 kind == WORK_PREPARE ? FATE_PREPARE : FATE_COMMIT);

	w.at_us =
	    s->now.mono_us + (int64_t)(fate % 2 == 0 || !s->slow ? 0 : fate % 300000);
	if (vec_push(&r->o->works, w) != 0)
		sim_fail(s, "no memory");
}

/* What a lock file shall say with each success. */
static const struct meta_stage a_result = {.lock = "lock", .name = "t", .entry = "entry"};

static void
prepared(struct sim *s, const struct work *w)
{
	struct sim_attempt *a = attempt(w->r, w->ref.task, w->ref.number);
	struct engine_event ev = {.kind = EV_PREPARED, .ref = w->ref};

	ev.prepared = PREPARED_RUN;
	ev.reason = "something has changed";
	ev.stage = &a_result;
	if (w->stop) {
		ev.prepared = PREPARED_CANCELLED;
	} else if (sim_fault_of(s, FAULT_CACHED, 30, w->r, w->ref.task, w->ref.number)) {
		ev.prepared = PREPARED_CACHED;
	} else if (sim_fault_of(s, FAULT_PREPARE, 50, w->r, w->ref.task, w->ref.number)) {
		ev.prepared = PREPARED_FAILED;
		ev.reason = "an input is absent";
		note_failure(s, w->r, w->ref, CAUSE_SETUP);
	}
	a->prepared = ev.prepared == PREPARED_RUN;
	a->why_by = a->prepared ? w->r->epoch : 0;
	if (ev.prepared != PREPARED_RUN)
		a->must = ending(s, w->r) || w->stop	   ? RESULT_CANCELLED
			  : ev.prepared == PREPARED_CACHED ? RESULT_CACHED
							   : RESULT_FAILED;
	sim_step(s, w->r->o, &ev);
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
	ev.stage = &a_result;
	ev.ok = !w->stop &&
		!sim_fault_of(s, FAULT_ABSENT, 40, w->r, w->ref.task, w->ref.number);
	a->kept &= ev.ok;
	if (a->must == RESULT_CANCELLED)
		sim_fail(s, "%s t%u is committed although it was cancelled", w->r->id,
			 w->ref.task);
	a->committed = ev.ok;
	if (ev.ok)
		a->must = RESULT_SUCCESS;
	else if (ending(s, w->r))
		a->must =
		    RESULT_NONE; /* failed, or cancelled if a stop was meant for it */
	else
		a->must = RESULT_FAILED;
	if (!ev.ok)
		note_failure(s, w->r, w->ref, CAUSE_OUTPUT);
	sim_step(s, w->r->o, &ev);
}

static void
works_of(struct sim *s, struct sim_owner *o)
{
	size_t i = 0;

	while (i < o->works.n) {
		struct work w = o->works.v[i];

		if (w.at_us > s->now.mono_us) {
			i++;
			continue;
		}
		o->works.v[i] = o->works.v[--o->works.n];
		if (w.kind == WORK_PREPARE)
			prepared(s, &w);
		else
			committed(s, &w);
	}
}

/**
 * world_works(s):
 * Workers whose time is up report.
 */
void
world_works(struct sim *s)
{
	unsigned i;

	for (i = 0; i < s->nowners; i++)
		works_of(s, &s->owners[i]);
}

/* ---- processes ---- */

static void
start(struct sim *s, struct sim_run *r, struct engine_ref ref)
{
	struct sim_task *t = &r->tasks[ref.task];
	struct sim_attempt *a = attempt(r, ref.task, ref.number);
	uint64_t fate = sim_fate(s, r, ref.task, ref.number, FATE_TIME);

	oracle_start(s, r, ref.task, ref.number);
	if (sim_fault_of(s, FAULT_SPAWN, 30, r, ref.task, ref.number)) {
		report_void(s, r, ref, fate % 2 == 0 ? 0 : 1000000);
		return;
	}
	s->totals.starts++;
	a->proc = PROC_RUNNING;
	a->watched = true;
	a->dies_unborn = sim_fault_of(s, FAULT_UNBORN, 30, r, ref.task, ref.number);
	a->ends_us = s->now.mono_us;
	if (s->slow)
		a->ends_us +=
		    (int64_t)(fate % (a->dies_unborn && fate % 4 < 2 ? 20000 : 4000000));
	a->status = ref.number - t->round <= t->fails ? 1 : 0;
	a->unstarted = true;
	if (sim_once_in(s, 2))
		world_report(s, r, ref.task, ref.number);
}

static void
stop(struct sim *s, struct sim_run *r, struct engine_ref ref, bool kill)
{
	struct sim_attempt *a = attempt(r, ref.task, ref.number);
	int64_t end = s->now.mono_us + (kill ? 0 : 500000);
	size_t i;

	for (i = 0; i < r->o->works.n; i++)
		if (r->o->works.v[i].r == r && r->o->works.v[i].ref.task == ref.task)
			r->o->works.v[i].stop = true;
	a->stop = true;
	a->killed |= kill;
	if (a->proc == PROC_RUNNING && a->ends_us > end)
		a->ends_us = end;
}

static void
settled(struct sim *s, struct sim_run *r)
{
	uint32_t i;

	for (i = 0; i < s->dag.ntasks; i++) {
		const struct sim_task *t = &r->tasks[i];

		if (t->attempts[t->attempt].to_settle && !t->attempts[t->attempt].ended)
			sim_fail(s, "%s is settled, but the end of %s is not recorded",
				 r->id, s->dag.tasks[i].name);
	}
	if (!r->settling)
		sim_fail(s, "%s: settled, but it was to be run", r->id);
	r->o = NULL;
	r->settling = false;
}

static const char *
action_name(enum engine_action_kind kind)
{
	static const char *const names[] = {
	    [ACT_PREPARE] = "prepare", [ACT_START] = "start",
	    [ACT_STOP] = "stop",       [ACT_KILL] = "kill",
	    [ACT_COMMIT] = "commit",   [ACT_RUN_END] = "run ended",
	    [ACT_RUN_STALE] = "stale", [ACT_RUN_SETTLED] = "settled",
	};

	return names[kind];
}

/* An owner that lost the run and does not know it may stop what it thinks is its own, and look
 * after its outputs; it may start nothing. */
static void
act_stale(struct sim *s, struct sim_owner *o, const struct engine_action *a)
{
	unsigned k;

	for (k = 0; k < s->nruns && !(o->stale[k] && o->stale_index[k] == a->ref.run);
	     k++)
		;
	if (k == s->nruns)
		sim_fail(s, "%s of a run that is not ours", action_name(a->kind));
	if (a->kind == ACT_PREPARE || a->kind == ACT_START || a->kind == ACT_RUN_END)
		sim_fail(s, "%s: its stale owner does %s", s->runs[k].id,
			 action_name(a->kind));
	if (a->kind == ACT_RUN_STALE || a->kind == ACT_RUN_SETTLED) {
		o->stale[k] = false;
		o->told[k] = 0;
	}
}

/**
 * world_act(s, o, a):
 * Carry out one action of an engine.
 */
void
world_act(struct sim *s, struct sim_owner *o, const struct engine_action *a)
{
	struct sim_run *r = NULL;
	unsigned i;

	for (i = 0; i < s->nruns; i++)
		if (s->runs[i].o == o && s->runs[i].index == a->ref.run)
			r = &s->runs[i];
	sim_say(s, "owner %llu: %s %s %s %u", (unsigned long long)o->number,
		action_name(a->kind), r != NULL ? r->id : "(lost)",
		a->kind < ACT_RUN_END ? s->dag.tasks[a->ref.task].name : "",
		a->ref.number);
	if (r == NULL) {
		act_stale(s, o, a);
		return;
	}
	switch (a->kind) {
	case ACT_PREPARE:
		oracle_prepare(s, r, a->ref.task, a->ref.number);
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
		r->o = NULL;
		r->settling = false;
		break;
	case ACT_RUN_SETTLED:
		settled(s, r);
		break;
	case ACT_RUN_STALE:
		sim_fail(s, "%s: its owner takes it for lost", r->id);
	}
}

void
world_drain(struct sim *s, struct sim_owner *o)
{
	struct engine_action a;

	while (engine_action(o->e, &a))
		world_act(s, o, &a);
}

/* What its exit record says: it failed in one of many ways, or was stopped, or took the signal
 * and ended well. */
static void
end_process(struct sim *s, struct sim_run *r, uint32_t task, uint32_t number)
{
	struct sim_attempt *a = attempt(r, task, number);
	uint64_t kind = sim_fate(s, r, task, number, FATE_KIND);

	if (a->stop && sim_fate(s, r, task, number, FATE_TERM) % 4 != 0) {
		a->status = -1;
		a->signal = a->killed ? 9 : 15;
	} else if (a->stop) {
		a->status = 0;
	} else if (a->status != 0 && kind % 2 == 0) {
		a->status = -1;
		a->signal = 11;
		a->timed_out = kind / 2 % 2 == 0;
		a->no_exec = kind / 4 % 4 == 0;
	}
}

static void
die(struct sim *s, struct sim_run *r, uint32_t task, uint32_t number)
{
	struct sim_attempt *a = attempt(r, task, number);

	sim_say(s, "a process of %s %s ends", r->id, s->dag.tasks[task].name);
	if (a->dies_unborn) {
		a->proc = PROC_STILLBORN;
	} else if (sim_fault_of(s, FAULT_VANISH, 40, r, task, number)) {
		a->proc = PROC_VANISHED;
	} else {
		a->proc = PROC_EXITED;
		end_process(s, r, task, number);
	}
	if (a->stale_by != 0)
		report_stale(s, r, task, number);
	if (a->watched && !a->unseen) {
		a->watched = false;
		world_report(s, r, task, number);
	}
}

/**
 * world_processes(s):
 * Processes whose time is up end; others are seen to have started.
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

	for (k = 0; k < s->nowners; k++)
		for (i = 0; i < s->owners[k].works.n; i++) {
			left = s->owners[k].works.v[i].at_us - s->now.mono_us;
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
