/*
 * Owners: runs are taken, lost to others, settled, cancelled and retried; the process crashes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"
#include "tasks/schema/schema.h"

/* ---- the engine's questions ---- */

/* Whatever ended well must be there for templates with the outputs of its latest attempt. */
static void
check_outputs(struct sim *s, struct sim_run *r, uint32_t task)
{
	const struct dag_task *m = &s->dag.tasks[task];
	struct engine_task_view v;
	const char *val;
	char want[16];
	size_t i, len;
	int rc;

	for (i = 0; i < m->nup; i++) {
		engine_task_view(s->e, r->index, m->up[i], &v);
		rc = engine_outputs(s->e, r->index, m->up[i], "n", &val, &len);
		if (v.state != TASK_DONE ||
		    (v.result != RESULT_SUCCESS && v.result != RESULT_CACHED)) {
			if (rc != -1)
				sim_fail(s,
					 "%s t%u has outputs though it did not end well",
					 r->id, m->up[i]);
			continue;
		}
		if (v.result == RESULT_CACHED ||
		    s->dag.tasks[m->up[i]].type->kind == TASK_ENGINE)
			continue;
		(void)snprintf(want, sizeof(want), "%u", v.attempt);
		if (rc != 1 || strcmp(val, want) != 0)
			sim_fail(s, "%s t%u is decided without the outputs of t%u", r->id,
				 task, m->up[i]);
	}
}

static enum engine_decision
decide(void *ctx, void *run, uint32_t task, char *why, size_t size)
{
	struct sim_run *r = run;

	check_outputs(ctx, r, task);
	if (r->settling)
		sim_fail(ctx, "%s t%u is decided although it is only settled", r->id,
			 task);
	if (r->tasks[task].broken) {
		(void)snprintf(why, size, "broken");
		return DECIDE_FAIL;
	}
	return r->tasks[task].when ? DECIDE_RUN : DECIDE_SKIP;
}

static void
wait_times(void *ctx, void *run, uint32_t task, int64_t *dur, int64_t *until)
{
	check_outputs(ctx, run, task);
	*dur = task % 2 == 0 ? 1500000 : -1;
	*until = task % 2 == 0 ? -1 : SIM_UNTIL_US;
}

static int
new_id(void *ctx, char out[META_RUN_ID])
{
	struct sim *s = ctx;

	(void)snprintf(out, META_RUN_ID, "id-%llu", (unsigned long long)++s->next_id);
	return 0;
}

struct engine *
owner_engine(struct sim *s)
{
	struct engine_config cfg = {.ctx = s,
				    .jobs = s->jobs,
				    .memory = s->memory,
				    .seed = s->seed + s->totals.crashes,
				    .boot_id = "boot",
				    .decide = decide,
				    .wait_times = wait_times,
				    .new_id = new_id};
	struct engine *e = engine_new(&cfg);

	if (e == NULL)
		abort();
	return e;
}

/* ---- taking runs ---- */

static void
fill_row(struct sim *s, struct sim_run *r, uint32_t i, struct engine_task_row *row)
{
	struct sim_task *t = &r->tasks[i];
	struct sim_attempt *a = &t->attempts[t->attempt];

	*row = (struct engine_task_row){.state = t->state,
					.result = t->result,
					.attempt = t->attempt,
					.tries = t->tries,
					.next_try_us = t->next_try_us,
					.selected = t->selected,
					.live = t->attempt > 0 && a->row && !a->ended,
					.wake_us = a->wake_us};
	/* Who only settles leaves alone what lives. */
	if (r->settling &&
	    (a->proc == PROC_RUNNING || s->dag.tasks[i].type->kind == TASK_ENGINE))
		row->live = false;
	a->to_settle = r->settling && row->live;
	a->unseen = row->live && s->dag.tasks[i].type->kind != TASK_ENGINE;
	a->watched = a->unseen;
	a->adopted |= row->live;
	t->delayed = false;
	t->again_us = 0;
}

static void
give_outputs(struct sim *s, struct sim_run *r)
{
	struct meta_kv kv = {.key = "n"};
	char val[16];
	uint32_t i;

	for (i = 0; i < s->dag.ntasks; i++) {
		if (r->tasks[i].state != TASK_DONE ||
		    r->tasks[i].result != RESULT_SUCCESS)
			continue;
		(void)snprintf(val, sizeof(val), "%u", r->tasks[i].attempt);
		kv.val = val;
		kv.len = strlen(val);
		if (engine_set_outputs(s->e, r->index, i, &kv, 1) != 0)
			sim_fail(s, "no memory");
	}
}

static void
add(struct sim *s, struct sim_run *r, struct engine_run_spec *spec)
{
	struct engine_task_row *rows = sim_alloc(s->dag.ntasks, sizeof(*rows));
	int64_t left;
	uint32_t i;

	r->exists = r->owned = true;
	r->deadline_us = spec->retry ? r->deadline_us : r->row_deadline_us;
	r->own = ++s->owners;
	r->taken_us = s->now.mono_us;
	spec->ctx = r;
	spec->dag = &s->dag;
	spec->id = r->id;
	spec->epoch = ++r->epoch;
	spec->paths = r->paths;
	spec->rows = rows;
	spec->fail_fast = r->fail_fast;
	spec->settle = r->settling;
	spec->deadline_us = r->deadline_us;
	/* However the wall clock was set, no more than its whole time is left. */
	left = r->deadline_us - s->now.wall_us;
	if (left > s->dag.timeout_us)
		left = s->dag.timeout_us;
	r->deadline_mono = r->deadline_us != 0 ? s->now.mono_us + left : 0;
	for (i = 0; i < s->dag.ntasks; i++)
		fill_row(s, r, i, &rows[i]);
	if (engine_add(s->e, s->now, spec, &r->index) != 0)
		sim_fail(s, "no memory");
	give_outputs(s, r);
	engine_check(s->e);
	free(rows);
	s->idle = 0;
}

/**
 * owner_take(s, r):
 * A new run begins, or one whose owner died goes on: also with its cancel.
 */
void
owner_take(struct sim *s, struct sim_run *r)
{
	struct engine_run_spec spec = {.from = -1};

	r->cancelled = r->cancel_known = r->cancel_durable;
	spec.cancel = r->cancel_durable;
	spec.cancel_reason = spec.cancel ? r->reason : NULL;
	add(s, r, &spec);
}

static void
settle(struct sim *s, struct sim_run *r)
{
	struct engine_run_spec spec = {.from = -1};

	s->totals.settles++;
	r->settling = true;
	r->cancelled = r->cancel_known = r->cancel_durable;
	spec.cancel = r->cancel_durable;
	spec.cancel_reason = spec.cancel ? r->reason : NULL;
	add(s, r, &spec);
}

static void
retry(struct sim *s, struct sim_run *r)
{
	struct engine_run_spec spec = {.retry = true, .from = -1};
	bool any = false;
	uint32_t i;

	if (sim_once_in(s, 3))
		spec.from = (int32_t)sim_rand(s, s->dag.ntasks);
	if (spec.from >= 0 && !r->tasks[spec.from].selected)
		return;
	free(r->expect);
	r->expect = sim_alloc(s->dag.ntasks, sizeof(*r->expect));
	oracle_marks(s, r, spec.from, r->expect);
	for (i = 0; i < s->dag.ntasks; i++)
		any |= r->expect[i];
	r->retries++;
	if (!any)
		return;
	s->totals.retries++;
	r->look_past = spec.from >= 0;
	r->cancelled = r->cancel_known = r->cancel_durable = false;
	if (r->deadline_us != 0)
		r->deadline_us = sim_once_in(s, 2)
				     ? 0
				     : s->now.wall_us + (int64_t)sim_rand(s, 20000000);
	add(s, r, &spec);
}

/**
 * owner_found(s):
 * Attempts that were taken over are looked at, in no particular order with the rest.
 */
void
owner_found(struct sim *s)
{
	uint32_t k, i;

	for (k = 0; k < s->nruns; k++)
		for (i = 0; i < s->dag.ntasks; i++) {
			struct sim_task *t = &s->runs[k].tasks[i];

			if (s->runs[k].owned && t->attempts[t->attempt].unseen &&
			    !sim_once_in(s, 4))
				world_report(s, &s->runs[k], i, t->attempt);
		}
}

/* ---- losing them ---- */

static void
forget(struct sim *s, struct sim_run *r)
{
	uint32_t i, n;

	r->owned = r->settling = false;
	for (i = 0; i < s->dag.ntasks; i++)
		for (n = 1; n <= r->tasks[i].attempt; n++) {
			struct sim_attempt *a = &r->tasks[i].attempts[n];

			a->watched = a->unseen = a->unstarted = a->to_settle = false;
			a->kept = false;
			/* Whatever was reported is forgotten if it is not durable. */
			if (!a->ended)
				a->must = RESULT_NONE;
		}
	for (i = 0; i < s->works.n;)
		if (s->works.v[i].r == r)
			s->works.v[i] = s->works.v[--s->works.n];
		else
			i++;
}

/**
 * owner_crash(s):
 * The process dies.  Some of its runs are taken at once by the next one, with another -j.
 */
void
owner_crash(struct sim *s)
{
	unsigned i;

	s->totals.crashes++;
	engine_free(s->e);
	s->jobs = 1 + (unsigned)sim_rand(s, 6);
	s->e = owner_engine(s);
	s->flying = s->full = s->freed = s->jumped = s->unnoticed = false;
	for (i = 0; i < s->nruns; i++)
		forget(s, &s->runs[i]);
	if (sim_once_in(s, 4))
		sim_jump(s);
	for (i = 0; i < s->nruns; i++)
		if (s->runs[i].exists && !s->runs[i].done && !sim_once_in(s, 3))
			owner_take(s, &s->runs[i]);
}

/**
 * owner_lose(s, r):
 * Another process takes the run from the one that has it: its epoch goes up.
 */
void
owner_lose(struct sim *s, struct sim_run *r)
{
	struct engine_event ev = {
	    .kind = EV_TICK, .ref = {.run = r->index}, .command = 1, .answer = "done"};

	world_drain(s);
	/* Before anything of it is on its way, or it would be ours and theirs in one batch. */
	if (!r->owned || r->done || s->flying || engine_pending(s->e))
		return;
	s->totals.stales++;
	r->epoch++;
	forget(s, r);
	s->wake = true;
	/* It notices by the next thing that it has to write. */
	s->unnoticed = true;
	sim_step(s, &ev);
}

/**
 * owner_idle(s):
 * Runs without an owner: settled, resumed, retried, or left for a while.
 */
void
owner_idle(struct sim *s)
{
	unsigned i;

	for (i = 0; i < s->nruns; i++) {
		struct sim_run *r = &s->runs[i];

		if (!r->exists || r->owned)
			continue;
		if (r->done) {
			if (r->retries < 2 && sim_once_in(s, 2))
				retry(s, r);
			else
				r->retries = 2;
		} else if (sim_once_in(s, 3)) {
			settle(s, r);
		} else if (sim_once_in(s, 2)) {
			owner_take(s, r);
		}
	}
}

/* ---- commands ---- */

static void
check_stopped(struct sim *s, struct sim_run *r, bool kill)
{
	uint32_t i;

	for (i = 0; i < s->dag.ntasks; i++) {
		const struct sim_task *t = &r->tasks[i];
		const struct sim_attempt *a = &t->attempts[t->attempt];

		if (a->proc == PROC_RUNNING && !(kill ? a->killed : a->stop))
			sim_fail(s, "%s is cancelled, but t%u is not %s", r->id, i,
				 kill ? "killed" : "stopped");
	}
	for (i = 0; i < s->dag.ntasks; i++) {
		struct engine_task_view v;

		engine_task_view(s->e, r->index, i, &v);
		if (v.state == TASK_RUNNING && s->dag.tasks[i].type->kind == TASK_ENGINE)
			sim_fail(s, "%s is cancelled, but t%u goes on waiting", r->id, i);
	}
	for (i = 0; i < s->works.n; i++)
		if (s->works.v[i].r == r && !s->works.v[i].stop &&
		    (kill || s->works.v[i].kind == WORK_PREPARE))
			sim_fail(s, "%s is cancelled, but a worker of t%u goes on", r->id,
				 s->works.v[i].ref.task);
}

/**
 * owner_cancel(s, r):
 * `dag cancel`, or Ctrl-C; the second time it kills.
 */
void
owner_cancel(struct sim *s, struct sim_run *r)
{
	struct engine_event ev = {
	    .kind = EV_CANCEL, .ref = {.run = r->index}, .kill = r->cancelled};
	struct engine_run_view v;

	world_drain(s);
	if (!r->owned || r->settling)
		return;
	engine_run_view(s->e, r->index, &v);
	if (v.state == RUN_DONE)
		return; /* its end is on its way: too late */
	ev.reason = "cancelled by the sim";
	r->cancelled = true;
	sim_step(s, &ev);
	world_drain(s);
	if (r->owned)
		check_stopped(s, r, ev.kill);
	if (r->owned && sim_once_in(s, 2)) { /* an impatient user */
		world_processes(s);
		owner_cancel(s, r);
	}
}

/**
 * owner_retry_live(s, r):
 * `dag retry` of a run that is under way.
 */
void
owner_retry_live(struct sim *s, struct sim_run *r)
{
	struct engine_event ev = {.kind = EV_RETRY, .ref = {.run = r->index}, .from = -1};
	struct engine_run_view v;

	if (r->settling || r->retries >= 2)
		return;
	engine_run_view(s->e, r->index, &v);
	if (v.state != RUN_DONE && r->cancelled && sim_once_in(s, 2))
		return;
	if (v.state == RUN_DONE) {
		r->cancelled = false;
		r->old_deadline_us = r->deadline_us;
		r->deadline_us = r->deadline_mono = 0;
		if (s->dag.timeout_us > 0) {
			r->deadline_us = s->now.wall_us + s->dag.timeout_us;
			r->deadline_mono = s->now.mono_us + s->dag.timeout_us;
		}
	}
	r->retries++;
	r->look_past = true;
	free(r->expect);
	r->expect = NULL;
	sim_step(s, &ev);
}
