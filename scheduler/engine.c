/*
 * The engine's outside: made, given runs, stepped, looked at.  See engine.h.
 */
#include "scheduler/engine.h"

#include <assert.h>
#include <stdlib.h>

#include "scheduler/engine_int.h"

struct engine *
engine_new(const struct engine_config *cfg)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->cfg = *cfg;
	if (e->cfg.jobs == 0)
		e->cfg.jobs = 1;
	e->rng = cfg->seed | 1;
	return e;
}

static void
run_free(struct erun *r)
{
	uint32_t i;

	if (r == NULL)
		return;
	for (i = 0; r->insts != NULL && i < r->dag->ntasks; i++) {
		free(r->insts[i].reason);
		free(r->insts[i].exit);
		free(r->insts[i].outputs);
	}
	free(r->insts);
	free(r->pos);
	free(r->ready.v);
	free(r->ready0.v);
	free(r->ready_mem.v);
	free(r->reason);
	free(r);
}

void
engine_free(struct engine *e)
{
	size_t i;

	if (e == NULL)
		return;
	for (i = 0; i < e->runs.n; i++)
		run_free(e->runs.v[i]);
	vec_release(&e->runs);
	batch_release(&e->pending);
	batch_release(&e->flight);
	vec_release(&e->actions);
	vec_release(&e->done);
	vec_release(&e->timers);
	vec_release(&e->wall_waits);
	free(e);
}

static struct erun *
run_new(const struct engine_run_spec *spec, struct now now)
{
	size_t n = spec->dag->ntasks;
	struct erun *r = calloc(1, sizeof(*r));
	uint32_t i;

	if (r == NULL)
		return NULL;
	r->spec = *spec;
	r->dag = spec->dag;
	r->insts = calloc(n + 1, sizeof(*r->insts));
	r->pos = calloc(n + 1, sizeof(*r->pos));
	r->ready.v = calloc(n + 1, sizeof(*r->ready.v));
	r->ready0.v = calloc(n + 1, sizeof(*r->ready0.v));
	r->ready_mem.v = calloc(n + 1, sizeof(*r->ready_mem.v));
	if (r->insts == NULL || r->pos == NULL || r->ready.v == NULL ||
	    r->ready0.v == NULL || r->ready_mem.v == NULL) {
		run_free(r);
		return NULL;
	}
	for (i = 0; i < n; i++)
		r->pos[r->dag->order[i]] = i;
	r->started_us = spec->started_us != 0 ? spec->started_us : now.wall_us;
	r->started_mono = now.mono_us - (now.wall_us - r->started_us);
	r->fresh = true;
	/* A run that is only settled is not ended for its time: what lives of it is left alone. */
	if (spec->deadline_us != 0 && !spec->settle) {
		int64_t left = spec->deadline_us - now.wall_us;

		/* A clock that was set back does not give it more than its time. */
		if (left > spec->dag->timeout_us && spec->dag->timeout_us > 0)
			left = spec->dag->timeout_us;
		r->due_mono = now.mono_us + left;
		if (r->due_mono == 0)
			r->due_mono = 1;
	}
	return r;
}

/* A live attempt of a run that is taken over stands as if it were just being started; the
 * rim's report decides.  The engine's own attempts just go on waiting. */
static void
add_live(struct engine *e, uint32_t run, uint32_t task, const struct engine_task_row *row,
	 struct now now)
{
	struct erun *r = e->runs.v[run];
	struct inst *t = &r->insts[task];

	task_hold(e, run, task);
	if (t->started_us != 0)
		t->started_mono = now.mono_us - (now.wall_us - t->started_us);
	t->state = t->slot ? TASK_STARTING : TASK_RUNNING;
	if (!t->slot)
		t->due_wall = row->wake_us;
}

/* When the next try of a task that waits for one is due.  It was stored as a wall time; a
 * clock that was set back meanwhile does not prolong the wait beyond its longest delay. */
static int64_t
next_try_mono(const struct dag_task *m, const struct engine_task_row *row, struct now now)
{
	int64_t left = row->next_try_us - now.wall_us;
	int64_t most = retry_delay_max(m, row->tries);

	if (MUTANT(RETRY_TIME_LOST))
		left = 0;
	return now.mono_us + (left < most || MUTANT(RETRY_CLOCK) ? left : most);
}

/* Bring one task to where its row says it is. */
static int
add_task(struct engine *e, uint32_t run, uint32_t task, struct now now)
{
	struct erun *r = e->runs.v[run];
	const struct engine_task_row *row = &r->spec.rows[task];
	struct inst *t = &r->insts[task];

	t->heap_at = HEAP_NONE;
	t->selected = row->selected;
	t->number = row->attempt;
	t->tries = MUTANT(TRIES_FORGOTTEN) ? 0 : row->tries;
	t->cause = (uint8_t)row->cause;
	t->started_us = row->started_us;
	t->ended_us = row->ended_us;
	if (row->reason != NULL && row->reason[0] != '\0' &&
	    set_reason(&t->reason, "%s", row->reason) != 0)
		return -1;
	if (row->live) {
		add_live(e, run, task, row, now);
		return 0;
	}
	if (row->state == TASK_DONE) {
		t->state = TASK_DONE;
		t->result = (uint8_t)row->result;
		r->ndone++;
		return 0;
	}
	if (row->state == TASK_UP_FOR_RETRY) {
		t->state = TASK_UP_FOR_RETRY;
		t->next_try_us = row->next_try_us;
		return timer_set(e, run, task,
				 next_try_mono(&r->dag->tasks[task], row, now));
	}
	/* READY, or further but without a living attempt: its rule is asked again.  Who only
	 * settles has left a living one to the next owner: that one decides. */
	t->state = TASK_WAITING;
	t->elsewhere = r->spec.settle && row->state > TASK_READY;
	return 0;
}

static void
add_counters(struct erun *r, uint32_t task)
{
	const struct dag_task *m = &r->dag->tasks[task];
	size_t k;

	for (k = 0; k < m->nup; k++) {
		const struct inst *u = &r->insts[m->up[k]];

		if (!u->selected && !MUTANT(DESELECTED))
			continue;
		r->insts[task].up++;
		if (u->state == TASK_DONE)
			trigger_count(&r->insts[task], u,
				      r->dag->tasks[m->up[k]].allow_failure);
	}
}

/* What precedes every step: look at the runs that were added since the last one. */
static int
begin(struct engine *e, struct now now)
{
	uint32_t i;

	for (i = (uint32_t)e->runs.n; i > 0 && e->runs.v[i - 1]->fresh; i--)
		if (run_begin(e, i - 1, now) != 0)
			return -1;
	return run_upstream_done(e, now);
}

/* What follows every step: tell downstreams, let in what may start, see which runs ended. */
static int
settle(struct engine *e, struct now now)
{
	uint32_t i;

	if (run_upstream_done(e, now) != 0 || admit_all(e, now) != 0)
		return -1;
	for (i = 0; i < e->runs.n; i++)
		if (run_check_end(e, i, now) != 0)
			return -1;
	return 0;
}

static int
add(struct engine *e, struct now now, uint32_t run)
{
	struct erun *r = e->runs.v[run];
	uint32_t i;

	for (i = 0; i < r->dag->ntasks; i++)
		if (add_task(e, run, i, now) != 0)
			return -1;
	for (i = 0; i < r->dag->ntasks; i++)
		add_counters(r, i);
	return 0;
}

int
engine_add(struct engine *e, struct now now, const struct engine_run_spec *spec,
	   uint32_t *run)
{
	struct erun *r = e->dead ? NULL : run_new(spec, now);

	if (r == NULL || vec_push(&e->runs, r) != 0) {
		run_free(r);
		e->dead = true;
		return -1;
	}
	*run = (uint32_t)e->runs.n - 1;
	if (add(e, now, *run) != 0)
		e->dead = true;
	return e->dead ? -1 : 0;
}

/* Events that speak of one attempt, as events of its task. */
static const int task_event_of[EV_KINDS] = {
    [EV_TICK] = -1,
    [EV_COMMITTED] = -1,
    [EV_COMMIT_FULL] = -1,
    [EV_PREPARED] = TE_PREPARED,
    [EV_STARTED] = TE_STARTED,
    [EV_VOID] = TE_VOID,
    [EV_EXITED] = TE_EXITED,
    [EV_LOST] = TE_LOST,
    [EV_OUTPUTS] = TE_OUTPUTS,
    [EV_CANCEL] = -1,
    [EV_RETRY] = -1,
    [EV_WAKE] = -1,
    [EV_GIT] = -1,
};

static int
attempt_event(struct engine *e, struct now now, const struct engine_event *ev)
{
	struct erun *r = e->runs.v[ev->ref.run];

	assert(ev->ref.task < r->dag->ntasks);
	/* A report of an attempt that is not the task's latest, or of a run that was given
	 * up, means nothing any more. */
	if (r->gone ||
	    (r->insts[ev->ref.task].number != ev->ref.number && !MUTANT(LATE_REPORT)))
		return 0;
	return task_event(e, ev->ref.run, ev->ref.task,
			  (enum task_event)task_event_of[ev->kind], now, ev);
}

/* It does not hurry: it rides with the next row that does, and may come after the run's end. */
static int
note_git(struct engine *e, struct now now, const struct engine_event *ev)
{
	const struct erun *r = e->runs.v[ev->ref.run];
	struct meta_op *op;

	if (r->gone && !r->ended)
		return 0;
	if ((op = op_new(e, ev->ref.run, HEAP_NONE, META_OP_GIT, now)) == NULL)
		return -1;
	op->git_commit = op_str(e, ev->git_commit);
	op->git_dirty = ev->git_dirty;
	return 0;
}

static int
apply(struct engine *e, struct now now, const struct engine_event *ev)
{
	assert(ev->ref.run < e->runs.n || ev->ref.run == 0);
	if (task_event_of[ev->kind] >= 0)
		return attempt_event(e, now, ev);
	switch (ev->kind) {
	case EV_COMMITTED:
		return batch_committed(e, now);
	case EV_COMMIT_FULL:
		e->full = true;
		return 0;
	case EV_CANCEL:
		return run_cancel(e, ev->ref.run, now,
				  ev->reason != NULL ? ev->reason : "cancelled",
				  ev->kill);
	case EV_RETRY:
		return run_retry(e, ev->ref.run, now, ev->from, NULL);
	case EV_WAKE:
		admit_wake(e);
		return 0;
	case EV_GIT:
		return note_git(e, now, ev);
	case EV_TICK:
	case EV_PREPARED:
	case EV_STARTED:
	case EV_VOID:
	case EV_EXITED:
	case EV_LOST:
	case EV_OUTPUTS:
	case EV_KINDS:
		break;
	}
	return 0;
}

/* The command behind an event is answered in the commit of what it changed. */
static int
answer(struct engine *e, struct now now, const struct engine_event *ev)
{
	struct meta_op *op;

	if (ev->command == 0 || e->runs.v[ev->ref.run]->gone)
		return 0;
	if ((op = op_new(e, ev->ref.run, HEAP_NONE, META_OP_COMMAND_DONE, now)) == NULL)
		return -1;
	op->command = ev->command;
	op->reason = op_str(e, ev->answer);
	e->pending.urgent = true;
	return 0;
}

int
engine_step(struct engine *e, struct now now, const struct engine_event *ev)
{
	if (e->dead)
		return -1;
	if (begin(e, now) != 0 || apply(e, now, ev) != 0 || answer(e, now, ev) != 0 ||
	    timers_run(e, now) != 0 || settle(e, now) != 0 || e->nomem) {
		e->dead = true;
		return -1;
	}
	return 0;
}

void
engine_task_view(const struct engine *e, uint32_t run, uint32_t task,
		 struct engine_task_view *out)
{
	const struct inst *t = &e->runs.v[run]->insts[task];

	*out = (struct engine_task_view){
	    .state = t->state == INST_PROPOSED ? TASK_READY : (enum task_state)t->state,
	    .result = (enum task_result)t->result,
	    .cause = (enum fail_cause)t->cause,
	    .attempt = t->number,
	    .tries = t->tries,
	    .started_us = t->started_us,
	    .ended_us = t->ended_us,
	    .started_mono = t->started_mono,
	    .ended_mono = t->ended_mono,
	    .next_try_us = t->next_try_us,
	    .selected = t->selected,
	    .blocked = t->blocked,
	    .live = t->live,
	    .reason = t->reason != NULL ? t->reason : "",
	    .attempt_id = t->id,
	};
}

void
engine_run_view(const struct engine *e, uint32_t run, struct engine_run_view *out)
{
	const struct erun *r = e->runs.v[run];

	*out = (struct engine_run_view){
	    .state = r->ended ? RUN_DONE : RUN_RUNNING,
	    .result = r->result,
	    .reason = r->reason != NULL ? r->reason : "",
	    .started_us = r->started_us,
	    .ended_us = r->ended_us,
	    .started_mono = r->started_mono,
	    .ended_mono = r->ended_mono,
	    .live = r->live,
	    .blocked = r->nblocked,
	    .cancelling = r->cancelling,
	};
}

void
engine_check(const struct engine *e)
{
	unsigned slots = 0;
	int64_t memory = 0;
	uint32_t i, k;

	for (i = 0; i < e->runs.n; i++) {
		const struct erun *r = e->runs.v[i];
		uint32_t active = 0, live = 0, done = 0, ready = 0, blocked = 0;
		int64_t claimed = 0;

		if (r->gone)
			continue;
		for (k = 0; k < r->dag->ntasks; k++) {
			const struct inst *t = &r->insts[k];
			bool free_ready = t->state == TASK_READY && !t->blocked;

			active += t->slot;
			claimed += t->slot ? r->dag->tasks[k].memory : 0;
			live += t->live;
			done += t->state == TASK_DONE;
			ready += free_ready;
			blocked += t->state == TASK_READY && t->blocked;
			assert((t->heap_at != HEAP_NONE) == free_ready);
			assert(!t->slot || t->live);
			assert(t->live == (t->state == INST_PROPOSED ||
					   task_state_is_live(t->state)));
			assert(t->up_done <= t->up);
			assert((t->result != RESULT_NONE) == (t->state == TASK_DONE));
		}
		assert(active == r->active && live == r->live && done == r->ndone);
		assert(ready == r->ready.n + r->ready_mem.n + r->ready0.n &&
		       blocked == r->nblocked);
		assert(claimed == r->memory);
		assert(r->dag->max_active_tasks == 0 ||
		       active <= r->dag->max_active_tasks || r->spec.rows != NULL);
		assert(!r->ended || done == r->dag->ntasks);
		slots += active;
		memory += claimed;
	}
	assert(slots == e->slots && memory == e->memory);
}
