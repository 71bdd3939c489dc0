/*
 * Due times of tasks: retries, delays, waits for a duration.  They run on the monotonic
 * clock, so that a step of the wall clock neither hurries nor stalls them; only `wait: until`
 * follows the wall.  A binary heap with lazy deletion: an entry counts only while its task
 * still has exactly that due time.
 */
#include "scheduler/engine_int.h"

/**
 * timer_set(e, run, task, due_mono):
 * Have TE_DUE delivered to the task at ${due_mono}.  Return 0, or -1 without memory.
 */
int
timer_set(struct engine *e, uint32_t run, uint32_t task, int64_t due)
{
	struct timer n = {.due = due != 0 ? due : 1, .run = run, .task = task};
	size_t i, up;

	e->runs.v[run]->insts[task].due_mono = n.due;
	if (vec_push(&e->timers, n) != 0)
		return -1;
	for (i = e->timers.n - 1; i > 0; i = up) {
		up = (i - 1) / 2;
		if (e->timers.v[up].due <= n.due)
			break;
		e->timers.v[i] = e->timers.v[up];
	}
	e->timers.v[i] = n;
	return 0;
}

static struct timer
timer_pop(struct engine *e)
{
	struct timer top = e->timers.v[0], last = e->timers.v[--e->timers.n];
	size_t i = 0, n = e->timers.n, kid;

	while ((kid = 2 * i + 1) < n) {
		if (kid + 1 < n && e->timers.v[kid + 1].due < e->timers.v[kid].due)
			kid++;
		if (last.due <= e->timers.v[kid].due)
			break;
		e->timers.v[i] = e->timers.v[kid];
		i = kid;
	}
	if (n > 0)
		e->timers.v[i] = last;
	return top;
}

/**
 * wait_begin(e, run, task, now):
 * A `wait` runs from now on, until its due_wall: by the clock that it follows.  Return 0 or -1.
 */
int
wait_begin(struct engine *e, uint32_t run, uint32_t task, struct now now)
{
	struct inst *t = &e->runs.v[run]->insts[task];
	struct engine_ref w = {.run = run, .task = task, .number = t->number};
	int64_t left = t->due_wall - now.wall_us;

	if (t->by_wall && !MUTANT(WAIT_CLOCK))
		return vec_push(&e->wall_waits, w);
	return timer_set(e, run, task, now.mono_us + (left > 0 ? left : 0));
}

static int
walls_run(struct engine *e, struct now now)
{
	size_t i = 0;

	while (i < e->wall_waits.n) {
		struct engine_ref w = e->wall_waits.v[i];
		struct inst *t = &e->runs.v[w.run]->insts[w.task];
		bool waits =
		    t->state == TASK_RUNNING && t->by_wall && t->number == w.number;

		if (waits && t->due_wall > now.wall_us) {
			i++;
			continue;
		}
		e->wall_waits.v[i] = e->wall_waits.v[--e->wall_waits.n];
		if (waits && task_event(e, w.run, w.task, TE_DUE, now, NULL) != 0)
			return -1;
	}
	return 0;
}

/**
 * timers_run(e, now):
 * Deliver everything that is due.  Return 0 or -1.
 */
int
timers_run(struct engine *e, struct now now)
{
	uint32_t i;

	while (e->timers.n > 0 && e->timers.v[0].due <= now.mono_us) {
		struct timer top = timer_pop(e);
		struct inst *t = &e->runs.v[top.run]->insts[top.task];

		if (t->due_mono != top.due)
			continue;
		t->due_mono = 0;
		if (task_event(e, top.run, top.task, TE_DUE, now, NULL) != 0)
			return -1;
	}
	for (i = 0; i < e->runs.n; i++)
		if (run_time_up(e, i, now) != 0)
			return -1;
	return walls_run(e, now);
}

int64_t
engine_deadline(const struct engine *e, struct now now)
{
	int64_t next = INT64_MAX;
	size_t i;

	if (e->timers.n > 0)
		next = e->timers.v[0].due - now.mono_us;
	for (i = 0; i < e->runs.n; i++) {
		const struct erun *r = e->runs.v[i];

		if (r->fresh)
			return 0;
		if (!r->gone && r->due_mono != 0 && r->due_mono - now.mono_us < next)
			next = r->due_mono - now.mono_us;
	}
	for (i = 0; i < e->wall_waits.n; i++) {
		struct engine_ref w = e->wall_waits.v[i];
		int64_t left = e->runs.v[w.run]->insts[w.task].due_wall - now.wall_us;

		if (left < next)
			next = left;
	}
	if (next == INT64_MAX)
		return -1;
	return next > 0 ? next : 0;
}
