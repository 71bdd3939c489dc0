/*
 * sim [--seeds FROM TO] [--tasks MAX]: play worlds and exit 1 at the first that goes wrong.
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

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
	engine_check(s->e);
	watch_after(s);
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
	sim_step(s, &ev);
}

static void
jump(struct sim *s)
{
	s->now.wall_us += (int64_t)sim_rand(s, 7200000000) - 3600000000;
	s->jumped = true;
	s->jumps++;
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
			jump(s);
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

	s->steps++;
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

static void
add_totals(const struct sim *s, struct sim *totals)
{
	totals->steps += s->steps;
	totals->crashes += s->crashes;
	totals->starts += s->starts;
	totals->retries += s->retries;
	totals->settles += s->settles;
	totals->stales += s->stales;
	totals->jumps += s->jumps;
}

static void
play(uint64_t seed, unsigned max, struct sim *totals)
{
	struct sim *s = sim_alloc(1, sizeof(*s));
	unsigned i;

	s->seed = s->rng = seed;
	sim_make(s, max);
	s->e = owner_engine(s);
	for (i = 0; i < s->nruns; i++)
		owner_take(s, &s->runs[i]);
	tick(s);
	while (!all_done(s)) {
		turn(s);
		if (s->steps > STEPS_MAX)
			sim_fail(s, "it does not come to an end");
	}
	add_totals(s, totals);
	engine_free(s->e);
	sim_release(s);
	free(s);
}

int
main(int argc, char **argv)
{
	uint64_t from = 1, to = 2000, max = 60, i;
	struct sim t = {0};

	if (argc >= 4 && strcmp(argv[1], "--seeds") == 0 &&
	    (num_u64(argv[2], &from) != 0 || num_u64(argv[3], &to) != 0))
		return 2;
	if (argc >= 6 && strcmp(argv[4], "--tasks") == 0 && num_u64(argv[5], &max) != 0)
		return 2;
	for (i = from; i <= to; i++)
		play(i, max > SIM_TASKS_MAX ? SIM_TASKS_MAX : (unsigned)max, &t);
	(void)printf("sim: %llu worlds, %llu steps, %llu crashes, %llu processes, "
		     "%llu retries, %llu settled, %llu lost to others, %llu clocks set: "
		     "all right\n",
		     (unsigned long long)(to - from + 1), (unsigned long long)t.steps,
		     (unsigned long long)t.crashes, (unsigned long long)t.starts,
		     (unsigned long long)t.retries, (unsigned long long)t.settles,
		     (unsigned long long)t.stales, (unsigned long long)t.jumps);
	return 0;
}
