/*
 * One thing after another: a turn of the world is one effect of one owner, or some trouble, or
 * time that passes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cover.h"
#include "sim.h"

#define STEPS_MAX 200000
#define IDLE_MAX  60 /* turns in a row in which time passes and nothing happens */

static const char *
event_name(enum engine_event_kind kind)
{
	static const char *const names[EV_KINDS] = {
	    [EV_TICK] = "tick",
	    [EV_COMMITTED] = "committed",
	    [EV_COMMIT_FULL] = "disk full",
	    [EV_PREPARED] = "prepared",
	    [EV_STARTED] = "started",
	    [EV_VOID] = "never ran",
	    [EV_EXITED] = "exited",
	    [EV_LOST] = "lost",
	    [EV_OUTPUTS] = "outputs",
	    [EV_CANCEL] = "cancel",
	    [EV_RETRY] = "retry",
	    [EV_WAKE] = "wake",
	    [EV_GIT] = "git",
	};

	return names[kind];
}

static void
say_event(const struct sim *s, const struct sim_owner *o, const struct engine_event *ev)
{
	bool of_task = ev->kind >= EV_PREPARED && ev->kind <= EV_OUTPUTS;

	if (ev->kind == EV_TICK || ev->kind == EV_COMMITTED)
		return;
	sim_say(s, "owner %llu hears: %s %s%s", (unsigned long long)o->number,
		of_task ? s->dag.tasks[ev->ref.task].name : "", event_name(ev->kind),
		ev->kind == EV_OUTPUTS && !ev->ok ? " absent" : "");
}

/**
 * sim_step(s, o, ev):
 * Step an engine and judge what it decides.
 */
void
sim_step(struct sim *s, struct sim_owner *o, const struct engine_event *ev)
{
	if (s->tell)
		say_event(s, o, ev);
	watch_before(s, o);
	if (engine_step(o->e, s->now, ev) != 0)
		sim_fail(s, "the engine ran out of memory");
	watch_after(s, o);
	/* A planted defect must be found by the judges, not by the engine itself. */
	if (!s->defect)
		engine_check(o->e);
	if (cover_strange() != NULL)
		sim_fail(s, "nothing of the kind is in the table: %s", cover_strange());
}

static void
tick_all(struct sim *s)
{
	struct engine_event ev = {.kind = EV_TICK};
	unsigned i;

	for (i = 0; i < s->nowners; i++)
		if (s->owners[i].e != NULL)
			sim_step(s, &s->owners[i], &ev);
}

/* Time passes until something is due, or less. */
static void
pass_time(struct sim *s)
{
	int64_t us = world_next(s), due;
	unsigned i;

	for (i = 0; i < s->nowners; i++) {
		due =
		    s->owners[i].e != NULL ? engine_deadline(s->owners[i].e, s->now) : -1;
		us = us < 0 || (due >= 0 && due < us) ? due : us;
	}
	if (us < 0)
		us = 1000000; /* nobody wants to be woken */
	if (sim_once_in(s, 3))
		us = (int64_t)sim_rand(s, (uint64_t)us + 1);
	s->now.wall_us += us;
	s->now.mono_us += us;
	world_processes(s);
	world_works(s);
	tick_all(s);
}

/* Nothing else is to be done in this turn. */
static void
rest(struct sim *s)
{
	struct engine_event wake = {.kind = EV_WAKE};
	unsigned i;

	owner_idle(s);
	owner_found(s);
	owner_notice(s);
	pass_time(s);
	for (i = 0; i < s->nowners; i++) {
		struct sim_owner *o = &s->owners[i];

		if (o->e != NULL && (o->wake || sim_once_in(s, 20)))
			sim_step(s, o, &wake);
		o->wake = false;
	}
	if (++s->idle > IDLE_MAX)
		sim_fail(s, "nothing happens any more");
}

/* One effect of an owner.  Return whether it had something to do. */
static bool
effect(struct sim *s, struct sim_owner *o)
{
	struct engine_action a;
	size_t n;

	if (o->e == NULL)
		return false;
	if (engine_action(o->e, &a)) {
		world_act(s, o, &a);
	} else if (o->flying && sim_once_in(s, 2)) {
		db_commit(s, o);
	} else if (!o->flying && engine_take(o->e, &n) != NULL) {
		o->flying = true;
		o->taken_step = s->totals.steps;
	} else {
		return false;
	}
	s->idle = 0;
	return true;
}

static void
turn(struct sim *s)
{
	unsigned i, first;

	s->totals.steps++;
	sim_reseed(s);
	if (trouble(s))
		return;
	first = (unsigned)sim_rand(s, s->nowners);
	/* Now and then time passes while there is something to do. */
	for (i = 0; i < s->nowners && !sim_once_in(s, 30); i++)
		if (effect(s, &s->owners[(first + i) % s->nowners]))
			return;
	rest(s);
}

static bool
all_done(const struct sim *s)
{
	unsigned i;

	for (i = 0; i < s->nruns; i++)
		if (!s->runs[i].exists || !s->runs[i].done || s->runs[i].o != NULL ||
		    s->runs[i].retries < s->runs[i].rounds)
			return false;
	return true;
}

void
sim_totals_add(struct sim_totals *to, const struct sim_totals *more)
{
	unsigned i;

	to->worlds += more->worlds;
	to->tasks += more->tasks;
	to->steps += more->steps;
	to->crashes += more->crashes;
	to->starts += more->starts;
	to->retries += more->retries;
	to->settles += more->settles;
	to->stales += more->stales;
	to->jumps += more->jumps;
	to->cancels += more->cancels;
	for (i = 0; i < FAULTS; i++)
		to->faults[i] += more->faults[i];
}

/**
 * sim_play(s, max):
 * Play the world of ${s->seed}, of at most ${max} tasks, to its end.
 */
void
sim_play(struct sim *s, unsigned max)
{
	unsigned i;

	sim_make(s, max > SIM_TASKS_MAX ? SIM_TASKS_MAX : max);
	s->totals.worlds = 1;
	s->totals.tasks = s->dag.ntasks;
	if (s->tell)
		sim_show(s);
	sim_reseed(s);
	for (i = 0; i < s->nruns; i++)
		if (i == 0 || sim_once_in(s, 2))
			owner_take(s, owner_for(s, &s->runs[i]), &s->runs[i]);
	tick_all(s);
	while (!all_done(s)) {
		turn(s);
		if (s->totals.steps > STEPS_MAX)
			sim_fail(s, "it does not come to an end");
	}
}
