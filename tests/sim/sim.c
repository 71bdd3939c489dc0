/*
 * One world after another thing: turns.
 */
#include "sim.h"

#include <stdlib.h>

#include "cover.h"

#define STEPS_MAX 200000
#define IDLE_MAX  40 /* turns in a row in which time passes and nothing happens */

/**
 * sim_step(s, ev):
 * Step the engine and judge what it decides.
 */
void
sim_step(struct sim *s, const struct engine_event *ev)
{
	watch_before(s);
	if (engine_step(s->e, s->now, ev) != 0)
		sim_fail(s, "the engine ran out of memory");
	watch_after(s);
	engine_check(s->e);
	if (cover_strange() != NULL)
		sim_fail(s, "nothing of the kind is in the table: %s", cover_strange());
}

static void
tick(struct sim *s)
{
	struct engine_event ev = {.kind = EV_TICK};

	sim_step(s, &ev);
}

/* A report that comes too late: of an attempt that is not the latest, or of one that ended. */
static void
late_report(struct sim *s)
{
	struct sim_run *r = &s->runs[sim_rand(s, s->nruns)];
	uint32_t task = (uint32_t)sim_rand(s, s->dag.ntasks);
	struct sim_task *t = &r->tasks[task];
	struct engine_exit x = {.status = (int)sim_rand(s, 2)};
	struct engine_event ev = {.ref = {.run = r->index, .task = task}, .exit = &x};
	static const enum engine_event_kind kinds[] = {
	    EV_PREPARED, EV_STARTED, EV_VOID, EV_EXITED, EV_LOST, EV_OUTPUTS};

	if (!r->owned || t->attempt == 0)
		return;
	ev.kind = kinds[sim_rand(s, 6)];
	ev.ref.number = t->attempts[t->attempt].ended ? t->attempt : t->attempt - 1;
	ev.reason = "too late";
	ev.ok = true;
	cover_late(true);
	sim_step(s, &ev);
	cover_late(false);
}

/**
 * sim_jump(s):
 * The wall clock is set, by up to an hour.
 */
void
sim_jump(struct sim *s)
{
	s->now.wall_us += (int64_t)sim_rand(s, 7200000000) - 3600000000;
	s->jumped = true;
	s->totals.jumps++;
	s->idle = 0;
}

/* Time passes until something is due, or less. */
static void
pass_time(struct sim *s)
{
	int64_t due = engine_deadline(s->e, s->now), next = world_next(s), us;

	us = due < 0 || (next >= 0 && next < due) ? next : due;
	if (us < 0)
		us = 1000000; /* nobody wants to be woken */
	if (sim_once_in(s, 3))
		us = (int64_t)sim_rand(s, (uint64_t)us + 1);
	s->now.wall_us += us;
	s->now.mono_us += us;
	world_processes(s);
	world_works(s);
	tick(s);
}

/* Nothing else is to be done in this turn. */
static void
rest(struct sim *s)
{
	struct engine_event wake = {.kind = EV_WAKE};

	owner_idle(s);
	owner_found(s);
	pass_time(s);
	if (s->wake || sim_once_in(s, 20))
		sim_step(s, &wake);
	s->wake = false;
	if (++s->idle > IDLE_MAX)
		sim_fail(s, "nothing happens any more");
}

static struct sim_run *
any_run(struct sim *s)
{
	struct sim_run *r = &s->runs[sim_rand(s, s->nruns)];

	return r->owned && !r->done ? r : NULL;
}

/* One of the rarer things happens. */
static bool
trouble(struct sim *s)
{
	struct sim_run *r = any_run(s);

	switch (sim_rand(s, 500)) {
	case 0:
		owner_crash(s);
		return true;
	case 1:
		if (r != NULL && sim_once_in(s, 3))
			owner_lose(s, r);
		return true;
	case 2:
		if (r != NULL && (sim_once_in(s, 4) || r->cancelled))
			owner_cancel(s, r);
		return true;
	case 3:
		if (r != NULL && sim_once_in(s, 3))
			owner_retry_live(s, r);
		return true;
	case 4:
		if (sim_once_in(s, 4))
			sim_jump(s);
		return true;
	case 5:
		owner_idle(s);
		return true;
	default:
		break;
	}
	if (sim_once_in(s, 50))
		late_report(s);
	return false;
}

/* One thing happens. */
static void
turn(struct sim *s)
{
	struct engine_action a;
	size_t n;

	s->totals.steps++;
	if (trouble(s))
		return;
	if (engine_action(s->e, &a)) {
		world_act(s, &a);
		s->idle = 0;
	} else if (s->flying && sim_once_in(s, 2)) {
		db_commit(s);
		s->idle = 0;
	} else if (!s->flying && engine_take(s->e, &n) != NULL) {
		s->flying = true;
		s->idle = 0;
	} else if (!s->flying || sim_once_in(s, 2)) {
		rest(s);
	}
}

static bool
all_done(struct sim *s)
{
	unsigned i;

	for (i = 0; i < s->nruns; i++)
		if (!s->runs[i].exists || !s->runs[i].done || s->runs[i].owned ||
		    s->runs[i].retries < 2)
			return false;
	return true;
}

void
sim_totals_add(struct sim_totals *to, const struct sim_totals *more)
{
	to->steps += more->steps;
	to->crashes += more->crashes;
	to->starts += more->starts;
	to->retries += more->retries;
	to->settles += more->settles;
	to->stales += more->stales;
	to->jumps += more->jumps;
}

/**
 * sim_play(seed, max, totals):
 * Play one world of at most ${max} tasks to its end.
 */
void
sim_play(uint64_t seed, unsigned max, struct sim_totals *totals)
{
	struct sim *s = sim_alloc(1, sizeof(*s));
	unsigned i;

	s->seed = s->rng = seed;
	sim_make(s, max > SIM_TASKS_MAX ? SIM_TASKS_MAX : max);
	s->e = owner_engine(s);
	for (i = 0; i < s->nruns; i++)
		owner_take(s, &s->runs[i]);
	tick(s);
	while (!all_done(s)) {
		turn(s);
		if (s->totals.steps > STEPS_MAX)
			sim_fail(s, "it does not come to an end");
	}
	sim_totals_add(totals, &s->totals);
	engine_free(s->e);
	sim_release(s);
	free(s);
}
