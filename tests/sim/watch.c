/*
 * The judge of a step: who is let in, and that nobody waits without a reason.  It sees the
 * engine's views and the world, not the engine's own counters.
 *
 * Tasks with a claim on memory start strictly in their order: of those that are ready only the
 * first of all runs may be next, and only if it fits beside those that live.
 */
#include "sim.h"
#include "tasks/schema/schema.h"

#define NAME(task) (s->dag.tasks[task].name)

/* How the tasks of one run stand. */
struct look {
	uint32_t live;		  /* with a slot */
	uint32_t ready, waits;	  /* not blocked: of exec, of engine kind */
	uint32_t first;		  /* the exec task that should be next */
	uint32_t proposed, worst; /* in this step; the last of them by right */
	uint32_t blocked;	  /* by a path */
	uint32_t claims, last; /* proposed in this step with a claim; the last by right */
};

/* Memory, over all runs of the owner. */
struct claims {
	int64_t used;
	uint32_t live;		   /* tasks that have it */
	const struct sim_run *run; /* whose claim is next; NULL: nobody's */
	uint32_t first;
	/* The same with runs that have reached max_active_tasks, maybe only in this step. */
	const struct sim_run *any;
	uint32_t any_first;
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

/* Does the claim of ${r} for ${task} come before the one found so far? */
static bool
claim_before(const struct sim *s, const struct sim_run *r, uint32_t task,
	     const struct sim_run *than, uint32_t first)
{
	int32_t a = s->dag.tasks[task].priority, b = s->dag.tasks[first].priority;

	return than == NULL || a > b || (a == b && r->index < than->index);
}

static void
claims_of_run(struct sim *s, const struct sim_run *r, struct claims *c)
{
	uint32_t i, live = 0, first = 0, ready = 0, max = s->dag.max_active_tasks;
	struct engine_task_view v;

	for (i = 0; i < s->dag.ntasks; i++) {
		engine_task_view(r->o->e, r->index, i, &v);
		live += v.live && is_exec(s, i);
		if (s->dag.tasks[i].memory == 0 || !is_exec(s, i))
			continue;
		c->used += v.live ? s->dag.tasks[i].memory : 0;
		c->live += v.live;
		if (v.state == TASK_READY && !v.live && !v.blocked &&
		    (ready++ == 0 || before(s, i, first)))
			first = i;
	}
	if (ready == 0 || r->settling)
		return;
	if (claim_before(s, r, first, c->any, c->any_first)) {
		c->any = r;
		c->any_first = first;
	}
	if ((max == 0 || live < max) && claim_before(s, r, first, c->run, c->first)) {
		c->run = r;
		c->first = first;
	}
}

static struct claims
claims_of(struct sim *s, const struct sim_owner *o)
{
	struct claims c = {0};
	unsigned k;

	for (k = 0; k < s->nruns; k++)
		if (s->runs[k].o == o)
			claims_of_run(s, &s->runs[k], &c);
	return c;
}

/* Has the owner lost a run, and not noticed it? */
static bool
lost_any(const struct sim *s, const struct sim_owner *o)
{
	unsigned k;

	for (k = 0; k < s->nruns; k++)
		if (o->stale[k])
			return true;
	return false;
}

/* Does the ready task wait for memory, by right? */
static bool
waits_for_memory(const struct sim *s, const struct claims *c, const struct sim_run *r,
		 uint32_t task)
{
	int64_t claim = s->dag.tasks[task].memory;

	if (claim == 0)
		return false;
	/* Of a run that was lost unnoticed the engine still counts the claims. */
	if (c->any != r || c->any_first != task || lost_any(s, r->o))
		return true;
	return c->used != 0 && claim > s->memory - c->used;
}

/* Nobody has got memory that was not there, or that somebody before it waits for. */
static void
watch_claims(struct sim *s, const struct look *looks, const struct claims *c)
{
	unsigned k;

	for (k = 0; k < s->nruns; k++) {
		const struct sim_run *r = &s->runs[k];
		const struct look *l = &looks[k];

		if (l->claims == 0)
			continue;
		if (c->used > s->memory && c->live > 1)
			sim_fail(s, "%s %s is proposed: %lld of %lld bytes are claimed",
				 r->id, NAME(l->last), (long long)c->used,
				 (long long)s->memory);
		if (c->run == NULL)
			continue;
		if (c->run == r ? before(s, c->first, l->last)
				: s->dag.tasks[c->first].priority >
				      s->dag.tasks[l->last].priority)
			sim_fail(s, "%s %s is proposed, which passes the claim of %s %s",
				 r->id, NAME(l->last), c->run->id, NAME(c->first));
	}
}

static struct look
look_at(struct sim *s, struct sim_run *r, const struct claims *c)
{
	struct look l = {0};
	struct engine_task_view v;
	uint32_t i;

	for (i = 0; i < s->dag.ntasks; i++) {
		engine_task_view(r->o->e, r->index, i, &v);
		if (v.live && is_exec(s, i)) {
			l.live++;
			if (!r->tasks[i].was_live &&
			    (l.proposed++ == 0 || before(s, l.worst, i)))
				l.worst = i;
			if (!r->tasks[i].was_live && s->dag.tasks[i].memory > 0 &&
			    (l.claims++ == 0 || before(s, l.last, i)))
				l.last = i;
		}
		if (v.state != TASK_READY || v.live)
			continue;
		if (v.blocked)
			l.blocked += !r->tasks[i].delayed;
		else if (!is_exec(s, i))
			l.waits++;
		else if (waits_for_memory(s, c, r, i))
			continue;
		else if (l.ready++ == 0 || before(s, i, l.first))
			l.first = i;
	}
	return l;
}

void
watch_before(struct sim *s, struct sim_owner *o)
{
	struct engine_task_view v;
	struct engine_run_view rv;
	uint32_t k, i;

	for (k = 0; k < s->nruns; k++) {
		struct sim_run *r = &s->runs[k];

		if (r->o != o)
			continue;
		engine_run_view(o->e, r->index, &rv);
		r->was_ended = rv.state == RUN_DONE;
		for (i = 0; i < s->dag.ntasks; i++) {
			engine_task_view(o->e, r->index, i, &v);
			r->tasks[i].was_live = v.live;
		}
	}
}

static void
watch_run(struct sim *s, struct sim_run *r, const struct look *l, uint32_t live)
{
	uint32_t max = s->dag.max_active_tasks;

	if (l->proposed > 0 && r->settling)
		sim_fail(s, "%s is only settled, but %s is proposed", r->id,
			 NAME(l->worst));
	if (l->proposed > 0 && r->o->full)
		sim_fail(s, "%s %s is proposed while the disk is full", r->id,
			 NAME(l->worst));
	if (l->proposed > 0 && live > r->o->jobs)
		sim_fail(s, "%s %s is proposed as number %u of %u", r->id, NAME(l->worst),
			 live, r->o->jobs);
	if (l->proposed > 0 && max != 0 && l->live > max)
		sim_fail(s, "%s %s is proposed beyond max_active_tasks", r->id,
			 NAME(l->worst));
	if (l->proposed > 0 && l->ready > 0 && before(s, l->first, l->worst))
		sim_fail(s, "%s %s is proposed before %s", r->id, NAME(l->worst),
			 NAME(l->first));
	if (r->settling || r->o->full || lost_any(s, r->o))
		return;
	if (l->waits > 0)
		sim_fail(s, "%s: a wait is ready and does not begin", r->id);
	if (l->ready > 0 && live < r->o->jobs && (max == 0 || l->live < max))
		sim_fail(s, "%s %s is ready, a slot is free, and nothing happens", r->id,
			 NAME(l->first));
	if (l->blocked > 0 && r->o->freed)
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
		sim_fail(s, "%s %s waits %lld us for its next try", r->id, NAME(task),
			 (long long)(s->now.mono_us - since));
}

/* Whatever waits for a time goes on when it has come. */
static void
watch_times(struct sim *s, struct sim_run *r)
{
	struct engine_task_view v;
	uint32_t i;

	for (i = 0; !r->settling && i < s->dag.ntasks; i++) {
		engine_task_view(r->o->e, r->index, i, &v);
		if (v.state == TASK_UP_FOR_RETRY && s->totals.jumps == 0 &&
		    s->now.wall_us >= v.next_try_us)
			sim_fail(s, "%s %s waits for its next try, whose time has come",
				 r->id, NAME(i));
		check_wait(s, r, i, &v);
		if (v.state == TASK_RUNNING && !is_exec(s, i) && s->wait_us[i] < 0 &&
		    s->now.wall_us >= SIM_UNTIL_US)
			sim_fail(s, "%s %s waits for an instant that has come", r->id,
				 NAME(i));
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
		engine_task_view(r->o->e, r->index, i, &v);
		if (v.state != TASK_DONE && !v.live)
			sim_fail(s, "%s %s waits though the time of its run is up", r->id,
				 NAME(i));
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
				sim_fail(s, "%s %s is proposed before %s %s",
					 s->runs[a].id, NAME(looks[a].worst),
					 s->runs[b].id, NAME(looks[b].first));
		}
}

/* The time of a run that nobody has cancelled is up in this step. */
static void
note_deadline(struct sim *s, struct sim_run *r)
{
	if (!r->settling && !r->was_ended && !r->cancelled && r->deadline_mono != 0 &&
	    s->now.mono_us >= r->deadline_mono)
		r->late = r->asked = true;
	r->fresh = false;
}

/**
 * watch_after(s, o):
 * Judge the step that an engine just made.
 */
void
watch_after(struct sim *s, struct sim_owner *o)
{
	struct look looks[SIM_RUNS_MAX];
	struct claims claims = claims_of(s, o);
	uint32_t live = 0;
	unsigned k;

	for (k = 0; k < s->nruns; k++) {
		looks[k] = (struct look){0};
		if (s->runs[k].o == o)
			looks[k] = look_at(s, &s->runs[k], &claims);
		live += looks[k].live;
	}
	watch_priorities(s, looks);
	watch_claims(s, looks, &claims);
	for (k = 0; k < s->nruns; k++)
		if (s->runs[k].o == o) {
			note_deadline(s, &s->runs[k]);
			watch_run(s, &s->runs[k], &looks[k], live);
			watch_deadline(s, &s->runs[k]);
			watch_times(s, &s->runs[k]);
		}
}
