/*
 * The judge of a step: who is let in, and that nobody waits without a reason.  It sees the
 * engine's views and the world, not the engine's own counters.
 */
#include "sim.h"
#include "tasks/schema/schema.h"

/* How the tasks of one run stand. */
struct look {
	uint32_t live;		  /* with a slot */
	uint32_t ready, waits;	  /* not blocked: of exec, of engine kind */
	uint32_t first;		  /* the exec task that should be next */
	uint32_t proposed, worst; /* in this step; the last of them by right */
	uint32_t blocked;	  /* by a path */
};

static bool
is_exec(const struct sim *s, uint32_t task)
{
	return s->dag.tasks[task].type->kind == TASK_EXEC;
}

/* Does ${a} come before ${b}? */
static bool
before(const struct sim *s, uint32_t a, uint32_t b)
{
	int32_t pa = s->dag.tasks[a].priority, pb = s->dag.tasks[b].priority;

	return pa != pb ? pa > pb : s->pos[a] < s->pos[b];
}

static struct look
look_at(struct sim *s, struct sim_run *r)
{
	struct look l = {0};
	struct engine_task_view v;
	uint32_t i;

	for (i = 0; i < s->dag.ntasks; i++) {
		engine_task_view(s->e, r->index, i, &v);
		if (v.live && is_exec(s, i)) {
			l.live++;
			if (!r->tasks[i].was_live &&
			    (l.proposed++ == 0 || before(s, l.worst, i)))
				l.worst = i;
		}
		if (v.state != TASK_READY || v.live)
			continue;
		if (v.blocked)
			l.blocked += !r->tasks[i].delayed;
		else if (!is_exec(s, i))
			l.waits++;
		else if (l.ready++ == 0 || before(s, i, l.first))
			l.first = i;
	}
	return l;
}

void
watch_before(struct sim *s)
{
	struct engine_task_view v;
	uint32_t k, i;

	for (k = 0; k < s->nruns; k++)
		for (i = 0; s->runs[k].owned && i < s->dag.ntasks; i++) {
			engine_task_view(s->e, s->runs[k].index, i, &v);
			s->runs[k].tasks[i].was_live = v.live;
		}
}

static void
watch_run(struct sim *s, struct sim_run *r, const struct look *l, uint32_t live)
{
	uint32_t max = s->dag.max_active_tasks;

	if (l->proposed > 0 && r->settling)
		sim_fail(s, "%s is only settled, but t%u is proposed", r->id, l->worst);
	if (l->proposed > 0 && s->full)
		sim_fail(s, "%s t%u is proposed while the disk is full", r->id, l->worst);
	if (l->proposed > 0 && live > s->jobs)
		sim_fail(s, "%s t%u is proposed as number %u of %u", r->id, l->worst,
			 live, s->jobs);
	if (l->proposed > 0 && max != 0 && l->live > max)
		sim_fail(s, "%s t%u is proposed beyond max_active_tasks", r->id,
			 l->worst);
	if (l->proposed > 0 && l->ready > 0 && before(s, l->first, l->worst))
		sim_fail(s, "%s t%u is proposed before t%u", r->id, l->worst, l->first);
	if (r->settling || s->full || s->unnoticed)
		return;
	if (l->waits > 0)
		sim_fail(s, "%s: a wait is ready and does not begin", r->id);
	if (l->ready > 0 && live < s->jobs && (max == 0 || l->live < max))
		sim_fail(s, "%s t%u is ready, a slot is free, and nothing happens", r->id,
			 l->first);
	if (l->blocked > 0 && s->freed)
		sim_fail(s, "%s: a path is free, and who waits for it is not woken",
			 r->id);
}

/* However the wall clock is set, nobody waits for longer than its delay. */
static void
check_wait(struct sim *s, const struct sim_run *r, uint32_t task,
	   const struct engine_task_view *v)
{
	const struct sim_task *t = &r->tasks[task];
	int64_t since = t->fail_own == r->own ? t->fail_us : r->taken_us;
	const struct dag_task *m = &s->dag.tasks[task];
	double most = (double)m->retry_delay_us;
	uint32_t n;

	for (n = 1; n < v->tries; n++)
		most *= m->retry_backoff;
	if (most > (double)m->retry_max_delay_us)
		most = (double)m->retry_max_delay_us;
	if (v->state == TASK_UP_FOR_RETRY &&
	    (double)(s->now.mono_us - since) > 1.1 * most + 1)
		sim_fail(s, "%s t%u waits %lld us for its next try", r->id, task,
			 (long long)(s->now.mono_us - since));
}

/* Whatever waits for a time goes on when it has come. */
static void
watch_times(struct sim *s, struct sim_run *r)
{
	struct engine_task_view v;
	uint32_t i;

	for (i = 0; !r->settling && i < s->dag.ntasks; i++) {
		engine_task_view(s->e, r->index, i, &v);
		if (v.state == TASK_UP_FOR_RETRY && s->totals.jumps == 0 &&
		    s->now.wall_us >= v.next_try_us)
			sim_fail(s, "%s t%u waits for its next try, whose time has come",
				 r->id, i);
		check_wait(s, r, i, &v);
		if (v.state == TASK_RUNNING && !is_exec(s, i) && i % 2 != 0 &&
		    s->now.wall_us >= SIM_UNTIL_US)
			sim_fail(s, "%s t%u waits for an instant that has come", r->id,
				 i);
	}
}

/* After its time nothing of the run waits for anything but the end of what works. */
static void
watch_deadline(struct sim *s, struct sim_run *r)
{
	struct engine_task_view v;
	uint32_t i;

	if (r->settling || r->deadline_mono == 0 || s->now.mono_us < r->deadline_mono)
		return;
	for (i = 0; i < s->dag.ntasks; i++) {
		engine_task_view(s->e, r->index, i, &v);
		if (v.state != TASK_DONE && !v.live)
			sim_fail(s, "%s t%u waits though the time of its run is up",
				 r->id, i);
	}
}

/* Nothing is proposed while a task of another run that may start has a higher priority. */
static void
watch_priorities(struct sim *s, const struct look *looks)
{
	uint32_t max = s->dag.max_active_tasks;
	unsigned a, b;

	for (a = 0; a < s->nruns; a++)
		for (b = 0; b < s->nruns && looks[a].proposed > 0; b++) {
			if (looks[b].ready == 0 || s->runs[b].settling ||
			    (max != 0 && looks[b].live >= max))
				continue;
			if (s->dag.tasks[looks[b].first].priority >
			    s->dag.tasks[looks[a].worst].priority)
				sim_fail(s, "%s t%u is proposed before %s t%u",
					 s->runs[a].id, looks[a].worst, s->runs[b].id,
					 looks[b].first);
		}
}

/**
 * watch_after(s):
 * Judge the step that was just made.
 */
void
watch_after(struct sim *s)
{
	struct look looks[SIM_RUNS_MAX];
	uint32_t live = 0;
	unsigned k;

	for (k = 0; k < s->nruns; k++) {
		looks[k] = (struct look){0};
		if (s->runs[k].owned)
			looks[k] = look_at(s, &s->runs[k]);
		live += looks[k].live;
	}
	watch_priorities(s, looks);
	for (k = 0; k < s->nruns; k++)
		if (s->runs[k].owned) {
			watch_run(s, &s->runs[k], &looks[k], live);
			watch_deadline(s, &s->runs[k]);
			watch_times(s, &s->runs[k]);
		}
}
