/*
 * What comes from outside: crashes, losses, cancels, retries, clocks that are set, reports that
 * come too late.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cover.h"
#include "sim.h"
#include "tasks/schema/schema.h"

/* ---- runs are lost ---- */

/* Nobody owns the run any more. */
static void
forget(struct sim *s, struct sim_run *r, uint64_t stale_by)
{
	struct sim_owner *o = r->o;
	uint32_t i;

	r->o = NULL;
	r->settling = false;
	r->cancel_step = 0;
	for (i = 0; i < s->dag.ntasks; i++) {
		struct sim_task *t = &r->tasks[i];
		struct sim_attempt *a = &t->attempts[t->attempt];

		if (a->proc == PROC_RUNNING && a->watched)
			a->stale_by = stale_by;
		a->watched = a->unseen = a->unstarted = a->to_settle = false;
		a->kept = a->prepared = a->committed = false;
		/* Whatever was reported is forgotten if it is not durable. */
		if (!a->ended)
			a->must = RESULT_NONE;
	}
	for (i = 0; o != NULL && i < o->works.n;)
		if (o->works.v[i].r == r)
			o->works.v[i] = o->works.v[--o->works.n];
		else
			i++;
}

static void
jump(struct sim *s)
{
	s->now.wall_us += (int64_t)sim_rand(s, 7200000000) - 3600000000;
	s->jumped = true;
	s->totals.jumps++;
	s->idle = 0;
}

/**
 * owner_crash(s, o):
 * The process dies.  Some of its runs are taken at once by others.
 */
void
owner_crash(struct sim *s, struct sim_owner *o)
{
	struct sim_owner *next;
	unsigned i;

	s->totals.crashes++;
	s->idle = 0;
	for (i = 0; i < s->nruns; i++)
		if (s->runs[i].o == o)
			forget(s, &s->runs[i], 0);
	engine_free(o->e);
	vec_release(&o->works);
	*o = (struct sim_owner){0};
	s->jumped = false;
	if (sim_fault(s, FAULT_CLOCK, 3, 1))
		jump(s);
	for (i = 0; i < s->nruns; i++)
		if (s->runs[i].exists && !s->runs[i].done && s->runs[i].o == NULL &&
		    !sim_once_in(s, 3) && (next = owner_for(s, &s->runs[i])) != NULL)
			owner_take(s, next, &s->runs[i]);
}

/* Another process takes the run from the one that has it, which notices when it writes. */
static void
lose(struct sim *s, struct sim_run *r)
{
	struct sim_owner *o = r->o, *next;
	unsigned k = (unsigned)(r - s->runs);

	/* What is begun is begun: the lock of the owner is what keeps others out till then. */
	world_drain(s, o);
	if (r->o != o || r->done)
		return;
	s->totals.stales++;
	forget(s, r, r->own);
	o->stale[k] = true;
	o->told[k] = 0;
	o->stale_index[k] = r->index;
	o->stale_own[k] = r->own;
	r->epoch++;
	if (!sim_once_in(s, 3) && (next = owner_for(s, r)) != NULL)
		owner_take(s, next, r);
}

/**
 * owner_notice(s):
 * Owners that have lost a run and have nothing to write are given something.
 */
void
owner_notice(struct sim *s)
{
	struct engine_event ev = {.kind = EV_TICK, .command = 1, .answer = "done"};
	unsigned i, k;

	for (i = 0; i < s->nowners; i++)
		for (k = 0; k < s->nruns; k++)
			if (s->owners[i].stale[k] && !sim_once_in(s, 3)) {
				ev.ref.run = s->owners[i].stale_index[k];
				sim_step(s, &s->owners[i], &ev);
			}
}

/* ---- commands ---- */

static void
check_workers(struct sim *s, struct sim_run *r, bool kill)
{
	size_t i;

	for (i = 0; i < r->o->works.n; i++) {
		const struct work *w = &r->o->works.v[i];

		if (w->r == r && !w->stop && (kill || w->kind == WORK_PREPARE))
			sim_fail(s, "%s is cancelled, but a worker of %s goes on", r->id,
				 s->dag.tasks[w->ref.task].name);
	}
}

static void
check_stopped(struct sim *s, struct sim_run *r, bool kill)
{
	struct engine_task_view v;
	uint32_t i;

	for (i = 0; i < s->dag.ntasks; i++) {
		const struct sim_task *t = &r->tasks[i];
		const struct sim_attempt *a = &t->attempts[t->attempt];
		const char *name = s->dag.tasks[i].name;

		if (a->proc == PROC_RUNNING && !(kill ? a->killed : a->stop))
			sim_fail(s, "%s is cancelled, but %s is not %s", r->id, name,
				 kill ? "killed" : "stopped");
		engine_task_view(r->o->e, r->index, i, &v);
		if (v.state == TASK_RUNNING && s->dag.tasks[i].type->kind == TASK_ENGINE)
			sim_fail(s, "%s is cancelled, but %s goes on waiting", r->id,
				 name);
		if (v.state != TASK_DONE && !v.live)
			sim_fail(s, "%s is cancelled, but %s still waits for its turn",
				 r->id, name);
	}
	check_workers(s, r, kill);
}

/* `dag cancel`, or Ctrl-C; the second time it kills.  An impatient user does it again. */
static void
cancel(struct sim *s, struct sim_run *r)
{
	struct engine_event ev = {.kind = EV_CANCEL,
				  .kill = r->cancelled,
				  .command = sim_once_in(s, 2) ? 1 : 0,
				  .answer = "cancelling"};
	struct engine_run_view v;
	unsigned again = 0;

	do {
		world_drain(s, r->o);
		if (r->o == NULL || r->settling)
			return;
		engine_run_view(r->o->e, r->index, &v);
		if (v.state == RUN_DONE)
			return; /* its end is on its way: too late */
		ev.ref.run = r->index;
		ev.reason = "cancelled by the sim";
		s->totals.cancels++;
		if (r->fresh && r->deadline_mono != 0 && !r->cancelled &&
		    s->now.mono_us >= r->deadline_mono)
			r->late = true; /* that is what its new owner sees first */
		if (!r->cancelled && !r->late)
			r->cancel_step = s->totals.steps;
		r->cancelled = r->asked = true;
		sim_step(s, r->o, &ev);
		world_drain(s, r->o);
		if (r->o == NULL)
			return;
		check_stopped(s, r, ev.kill);
		ev.kill = true;
		world_processes(s);
	} while (r->o != NULL && again < 3 &&
		 sim_fault(s, FAULT_CANCEL_AGAIN, 2, again++));
}

/* What is under way when its run is retried goes on as it is. */
static void
mark_under_way(struct sim *s, struct sim_run *r)
{
	struct engine_task_view v;
	uint32_t i;

	for (i = 0; i < s->dag.ntasks; i++) {
		engine_task_view(r->o->e, r->index, i, &v);
		r->tasks[i].let_through |= v.live;
		r->tasks[i].again_us = 0; /* who is begun anew does not wait for it */
	}
}

/* `dag retry` of a run that is under way, or whose end is on its way. */
static void
retry_live(struct sim *s, struct sim_run *r)
{
	struct engine_event ev = {.kind = EV_RETRY, .ref = {.run = r->index}, .from = -1};
	struct engine_run_view v;

	if (r->settling || r->retries >= r->rounds)
		return;
	if (sim_once_in(s, 3)) {
		ev.from = (int32_t)sim_rand(s, s->dag.ntasks);
		if (!r->tasks[ev.from].selected)
			return;
	}
	engine_run_view(r->o->e, r->index, &v);
	if (v.state == RUN_DONE) {
		r->ends[r->nends++] = (struct sim_end){.cancelled = r->cancelled,
						       .late = r->late,
						       .deadline_us = r->deadline_us};
		r->cancelled = r->late = false;
		r->cancel_step = 0;
		r->deadline_us = r->deadline_mono = 0;
		if (s->dag.timeout_us > 0) {
			r->deadline_us = s->now.wall_us + s->dag.timeout_us;
			r->deadline_mono = s->now.mono_us + s->dag.timeout_us;
		}
	}
	mark_under_way(s, r);
	r->retries++;
	r->look_past = true;
	free(r->expect);
	r->expect = NULL;
	sim_step(s, r->o, &ev);
}

/* ---- late reports ---- */

static bool
speaks_of_nothing(const struct sim_task *t, const struct engine_task_view *v,
		  enum engine_event_kind kind)
{
	if (t->attempt == 0 || !v->live)
		return true;
	switch (v->state) {
	case TASK_PREPARING:
		return kind != EV_PREPARED;
	case TASK_STARTING:
		return kind == EV_PREPARED || kind == EV_OUTPUTS;
	case TASK_RUNNING:
		return kind == EV_PREPARED || kind == EV_OUTPUTS || kind == EV_STARTED;
	case TASK_COMMITTING:
		return kind != EV_OUTPUTS;
	case TASK_WAITING:
	case TASK_READY: /* proposed */
	case TASK_UP_FOR_RETRY:
	case TASK_DONE:
	case TASK_STATES:
		break;
	}
	return true;
}

/* A report that comes too late, or twice, or is of an attempt that is not the latest: nothing
 * may come of it. */
static void
late_report(struct sim *s, struct sim_run *r)
{
	uint32_t task = (uint32_t)sim_rand(s, s->dag.ntasks);
	struct engine_exit x = {.status = (int)sim_rand(s, 2)};
	struct engine_event ev = {.ref = {.run = r->index, .task = task}, .exit = &x};
	static const enum engine_event_kind kinds[] = {
	    EV_PREPARED, EV_STARTED, EV_VOID, EV_EXITED, EV_LOST, EV_OUTPUTS};
	struct engine_task_view v, after;

	engine_task_view(r->o->e, r->index, task, &v);
	ev.kind = kinds[sim_rand(s, 6)];
	ev.ref.number = v.attempt;
	if (s->dag.tasks[task].type->kind == TASK_ENGINE || v.attempt == 0)
		return;
	if (!speaks_of_nothing(&r->tasks[task], &v, ev.kind))
		ev.ref.number--;
	ev.reason = "too late";
	ev.ok = true;
	cover_late(true);
	sim_step(s, r->o, &ev);
	cover_late(false);
	engine_task_view(r->o->e, r->index, task, &after);
	if (v.live && (after.state != v.state || after.attempt != v.attempt))
		sim_fail(s, "%s %s goes on by a report that means nothing", r->id,
			 s->dag.tasks[task].name);
}

/* Whom a trouble meets: the same one, whatever was left out of the world. */
static struct sim_run *
any_run(struct sim *s)
{
	unsigned made = (unsigned)sim_rand(s, s->made_runs), i;

	for (i = 0; i < s->nruns; i++)
		if (s->runs[i].made == made && s->runs[i].o != NULL && !s->runs[i].done)
			return &s->runs[i];
	return NULL;
}

static struct sim_owner *
any_owner(struct sim *s)
{
	unsigned made = (unsigned)sim_rand(s, s->made_owners);

	return &s->owners[made < s->nowners ? made : 0];
}

static bool
ends(const struct sim_run *r)
{
	struct engine_run_view v;

	engine_run_view(r->o->e, r->index, &v);
	return v.state == RUN_DONE;
}

/* What comes in this turn by luck, or by plan in a world that is cut down. */
static bool
comes(struct sim *s, bool soon, bool plan)
{
	struct sim_fired *f = s->fired;

	if (!plan && (!soon || (s->cut != NULL && s->cut->planned)))
		return false;
	if (f != NULL && f->ntroubles < SIM_TROUBLES_MAX)
		f->troubles[f->ntroubles++] = s->totals.steps;
	return true;
}

/* The next planned trouble is due: luck is as it was when it came by itself. */
static bool
planned(struct sim *s)
{
	const struct sim_cut *cut = s->cut;

	if (cut == NULL || !cut->planned || s->next_trouble >= cut->ntroubles ||
	    cut->troubles[s->next_trouble].at > s->totals.steps)
		return false;
	sim_reseed_as(s, cut->troubles[s->next_trouble++].was);
	return true;
}

/**
 * trouble(s):
 * Perhaps one of the rarer things happens in this turn.  Return whether it did.
 */
bool
trouble(struct sim *s)
{
	static const enum fault kinds[] = {FAULT_CRASH, FAULT_LOSE,  FAULT_CANCEL,
					   FAULT_RETRY, FAULT_CLOCK, FAULT_CRASH};
	bool plan = planned(s);
	struct sim_owner *o = any_owner(s);
	struct sim_run *r = any_run(s);
	bool soon = sim_once_in(s, s->trouble), found = sim_once_in(s, 50);
	enum fault kind = kinds[sim_rand(s, 6)];

	if (found && r != NULL && sim_fault(s, FAULT_LATE_REPORT, 1, 0))
		late_report(s, r);
	if (r != NULL && ends(r) && sim_fault(s, FAULT_RETRY_END, 40, 0)) {
		retry_live(s, r);
		return true;
	}
	if (r != NULL && r->cancel_durable && sim_fault(s, FAULT_CRASH_CANCEL, 25, 0)) {
		owner_crash(s, r->o);
		return true;
	}
	if (!soon && !plan)
		return false;
	if (kind == FAULT_CRASH ? o->e == NULL : kind != FAULT_CLOCK && r == NULL)
		return false;
	if (!comes(s, soon, plan))
		return false;
	sim_happens(s, kind);
	if (kind == FAULT_CRASH)
		owner_crash(s, o);
	else if (kind == FAULT_LOSE)
		lose(s, r);
	else if (kind == FAULT_CANCEL)
		cancel(s, r);
	else if (kind == FAULT_RETRY)
		retry_live(s, r);
	else
		jump(s);
	return true;
}
