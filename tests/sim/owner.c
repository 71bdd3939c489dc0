/*
 * Owners: runs are taken, settled and retried; what their engines ask.
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
		const struct dag_task *u = &s->dag.tasks[m->up[i]];

		engine_task_view(r->o->e, r->index, m->up[i], &v);
		rc = engine_outputs(r->o->e, r->index, m->up[i], "n", &val, &len);
		if (v.state != TASK_DONE ||
		    (v.result != RESULT_SUCCESS && v.result != RESULT_CACHED)) {
			if (rc != -1)
				sim_fail(s,
					 "%s %s has outputs though it did not end well",
					 r->id, u->name);
			continue;
		}
		if (v.result == RESULT_CACHED || u->type->kind == TASK_ENGINE)
			continue;
		(void)snprintf(want, sizeof(want), "%u", v.attempt);
		if (rc != 1 || strcmp(val, want) != 0)
			sim_fail(s, "%s %s is decided without the outputs of %s", r->id,
				 m->name, u->name);
	}
}

static enum engine_decision
decide(void *ctx, void *run, uint32_t task, char *why, size_t size)
{
	struct sim_owner *o = ctx;
	struct sim_run *r = run;

	if (r->o != o) /* a stale owner does what it likes until it notices */
		return DECIDE_RUN;
	check_outputs(o->s, r, task);
	if (r->settling)
		sim_fail(o->s, "%s %s is decided although it is only settled", r->id,
			 o->s->dag.tasks[task].name);
	if (r->tasks[task].broken) {
		(void)snprintf(why, size, "broken");
		return DECIDE_FAIL;
	}
	return r->tasks[task].when ? DECIDE_RUN : DECIDE_SKIP;
}

/* Of some it is known that nothing has changed. */
static const struct engine_event *
known(void *ctx, void *run, uint32_t task)
{
	static const struct meta_stage result = {
	    .lock = "lock", .name = "t", .entry = "entry"};
	static const struct engine_event ev = {.kind = EV_PREPARED,
					       .prepared = PREPARED_CACHED,
					       .reason = "nothing has changed",
					       .stage = &result};
	struct sim_owner *o = ctx;
	struct sim_run *r = run;
	const struct dag_task *m = &o->s->dag.tasks[task];

	if (r->o != o || m->type->kind != TASK_EXEC || m->ninputs + m->noutputs == 0 ||
	    !sim_fault_of(o->s, FAULT_KNOWN, 30, r, task, r->tasks[task].attempt + 1))
		return NULL;
	return &ev;
}

static void
wait_times(void *ctx, void *run, uint32_t task, int64_t *dur, int64_t *until)
{
	struct sim_owner *o = ctx;
	struct sim_run *r = run;

	if (r->o == o)
		check_outputs(o->s, r, task);
	*dur = o->s->wait_us[task];
	*until = *dur < 0 ? SIM_UNTIL_US : -1;
}

static int
new_id(void *ctx, char out[META_RUN_ID])
{
	struct sim_owner *o = ctx;

	(void)snprintf(out, META_RUN_ID, "id-%llu", (unsigned long long)++o->s->next_id);
	return 0;
}

/* A new process, with another -j. */
static void
begin(struct sim *s, struct sim_owner *o)
{
	struct engine_config cfg = {.ctx = o,
				    .memory = s->memory,
				    .boot_id = "boot",
				    .decide = decide,
				    .known = known,
				    .wait_times = wait_times,
				    .new_id = new_id};

	o->s = s;
	o->number = ++s->processes;
	o->jobs = cfg.jobs = 1 + (unsigned)sim_rand(s, 6);
	cfg.seed = s->seed + o->number;
	o->e = engine_new(&cfg);
	if (o->e == NULL)
		abort();
}

/**
 * owner_for(s, r):
 * Some process that may take the run, made if it has to be; NULL if there is none.
 */
struct sim_owner *
owner_for(struct sim *s, const struct sim_run *r)
{
	unsigned i, first = (unsigned)sim_rand(s, s->nowners);

	for (i = 0; i < s->nowners; i++) {
		struct sim_owner *o = &s->owners[(first + i) % s->nowners];

		if (o->stale[r - s->runs] || r->o == o)
			continue;
		if (o->e == NULL)
			begin(s, o);
		return o;
	}
	return NULL;
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
		if (engine_set_outputs(r->o->e, r->index, i, &kv, 1) != 0)
			sim_fail(s, "no memory");
	}
}

static void
add(struct sim *s, struct sim_owner *o, struct sim_run *r, struct engine_run_spec *spec)
{
	struct engine_task_row *rows = sim_alloc(s->dag.ntasks, sizeof(*rows));
	int64_t left;
	uint32_t i;

	sim_say(s, "owner %llu (-j %u) takes %s%s%s%s", (unsigned long long)o->number,
		o->jobs, r->id, r->settling ? " to settle it" : "",
		spec->cancel ? ", which is being cancelled" : "",
		spec->retry ? " to retry it" : "");
	r->exists = true;
	r->o = o;
	r->own = ++s->ownerships;
	r->taken_us = s->now.mono_us;
	r->cancel_step = 0;
	r->nends = 0;
	r->fresh = true;
	if (!spec->retry)
		r->deadline_us = r->row_deadline_us;
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
	if (engine_add(o->e, s->now, spec, &r->index) != 0)
		sim_fail(s, "no memory");
	give_outputs(s, r);
	free(rows);
	s->idle = 0;
}

/* What is durable of a run's end that was asked for goes on. */
static void
go_on(struct sim_run *r, struct engine_run_spec *spec)
{
	r->late = r->cancel_durable && strncmp(r->reason, "the run's timeout", 17) == 0;
	r->cancelled = r->cancel_durable && !r->late;
	r->cancel_known = r->cancel_durable;
	r->asked |= r->cancel_durable;
	spec->cancel = r->cancel_durable;
	spec->cancel_reason = spec->cancel ? r->reason : NULL;
}

/**
 * owner_take(s, o, r):
 * A new run begins, or one whose owner died goes on: also with its cancel.
 */
void
owner_take(struct sim *s, struct sim_owner *o, struct sim_run *r)
{
	struct engine_run_spec spec = {.from = -1};

	if (!r->exists && s->dag.timeout_us > 0)
		r->row_deadline_us = s->now.wall_us + s->dag.timeout_us;
	go_on(r, &spec);
	add(s, o, r, &spec);
}

static void
settle(struct sim *s, struct sim_owner *o, struct sim_run *r)
{
	struct engine_run_spec spec = {.from = -1};

	s->totals.settles++;
	r->settling = true;
	go_on(r, &spec);
	add(s, o, r, &spec);
}

static void
retry(struct sim *s, struct sim_owner *o, struct sim_run *r)
{
	struct engine_run_spec spec = {.retry = true, .from = -1};
	bool any = false;
	uint32_t i;

	if (s->dag.ntasks > 0 && sim_once_in(s, 3))
		spec.from = (int32_t)sim_rand(s, s->dag.ntasks);
	if (spec.from >= 0 && !r->tasks[spec.from].selected)
		return;
	free(r->expect);
	r->expect = sim_alloc(s->dag.ntasks, sizeof(*r->expect));
	judge_marks(s, r, spec.from, r->expect);
	for (i = 0; i < s->dag.ntasks; i++) {
		any |= r->expect[i];
		r->tasks[i].let_through = false;
	}
	r->retries++;
	if (!any)
		return;
	s->totals.retries++;
	r->look_past = spec.from >= 0;
	r->cancelled = r->cancel_known = r->cancel_durable = r->late = r->asked = false;
	r->deadline_us = s->dag.timeout_us > 0 ? s->now.wall_us + s->dag.timeout_us : 0;
	add(s, o, r, &spec);
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
			struct sim_run *r = &s->runs[k];
			struct sim_task *t = &r->tasks[i];

			if (r->o != NULL && t->attempts[t->attempt].unseen &&
			    !sim_once_in(s, 4))
				world_report(s, r, i, t->attempt);
		}
}

/**
 * owner_idle(s):
 * Runs without an owner: begun, settled, resumed, retried, or left for a while.
 */
void
owner_idle(struct sim *s)
{
	struct sim_owner *o;
	unsigned i;

	for (i = 0; i < s->nruns; i++) {
		struct sim_run *r = &s->runs[i];

		if (r->o != NULL)
			continue;
		if (r->done) {
			if (r->retries < r->rounds && sim_once_in(s, 2) &&
			    (o = owner_for(s, r)) != NULL)
				retry(s, o, r);
			else if (sim_once_in(s, 2))
				r->retries = r->rounds;
		} else if ((o = owner_for(s, r)) == NULL) {
			continue;
		} else if (r->exists && sim_fault(s, FAULT_SETTLE, 3, i)) {
			settle(s, o, r);
		} else if (sim_once_in(s, 2)) {
			owner_take(s, o, r);
		}
	}
}
