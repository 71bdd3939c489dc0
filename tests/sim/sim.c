/*
 * sim [--seeds FROM TO] [--tasks MAX] [-v]: play worlds and exit 1 at the first that goes wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "sim.h"
#include "tasks/schema/schema.h"

#define STEPS_MAX 200000

/* ---- the engine's questions ---- */

static enum engine_decision
decide(void *ctx, void *run, uint32_t task, char *why, size_t size)
{
	struct sim_run *r = run;

	(void)ctx;
	if (r->tasks[task].broken) {
		(void)snprintf(why, size, "broken");
		return DECIDE_FAIL;
	}
	return r->tasks[task].when ? DECIDE_RUN : DECIDE_SKIP;
}

static void
wait_times(void *ctx, void *run, uint32_t task, int64_t *dur, int64_t *until)
{
	struct sim *s = ctx;

	(void)run;
	*dur = task % 2 == 0 ? 1500000 : -1;
	*until = task % 2 == 0 ? -1 : 1700000000000000 + 3000000;
	(void)s;
}

static int
new_id(void *ctx, char out[META_RUN_ID])
{
	struct sim *s = ctx;

	(void)snprintf(out, META_RUN_ID, "id-%llu", (unsigned long long)++s->next_id);
	return 0;
}

/* ---- the database ---- */

static struct sim_run *
run_of(struct sim *s, const char *id)
{
	unsigned i;

	for (i = 0; i < s->nruns; i++)
		if (strcmp(s->runs[i].id, id) == 0)
			return &s->runs[i];
	sim_fail(s, "an operation for the unknown run %s", id);
}

static uint32_t
task_of(struct sim *s, const char *name)
{
	uint64_t id;

	if (num_u64(name + 1, &id) != 0 || id >= s->dag.ntasks)
		sim_fail(s, "an operation for the unknown task %s", name);
	return (uint32_t)id;
}

/* Does an attempt that has not ended hold a path of this one? */
static bool
clash(struct sim *s, struct sim_run *r, uint32_t task)
{
	uint32_t i, k, n;

	for (k = 0; k < s->nruns; k++)
		for (i = 0; i < s->dag.ntasks; i++)
			for (n = 1; n < SIM_ATTEMPTS_MAX; n++) {
				struct sim_attempt *a = &s->runs[k].tasks[i].attempts[n];

				if (s->runs[k].exists && a->row && !a->ended &&
				    oracle_paths_clash(&s->runs[k].paths[i],
						       &r->paths[task]))
					return true;
			}
	return false;
}

static void
insert(struct sim *s, struct sim_run *r, struct meta_op *op)
{
	uint32_t task = task_of(s, op->task);
	struct sim_task *t = &r->tasks[task];

	if (op->number >= SIM_ATTEMPTS_MAX)
		sim_fail(s, "%s %s makes attempt %u", r->id, op->task, op->number);
	if (op->number != t->attempt + 1)
		sim_fail(s, "%s %s: attempt %u after %u", r->id, op->task, op->number,
			 t->attempt);
	op->blocked = clash(s, r, task);
	if (op->blocked) {
		(void)snprintf(op->blocked_by, sizeof(op->blocked_by), "a path");
		return;
	}
	t->attempt = op->number;
	t->attempts[op->number].row = true;
	t->attempts[op->number].wake_us = op->wake_us;
	t->state = TASK_PREPARING;
}

static void
apply(struct sim *s, struct meta_op *op)
{
	struct sim_run *r = run_of(s, op->run);
	struct sim_task *t = op->task != NULL ? &r->tasks[task_of(s, op->task)] : NULL;

	if (op->epoch != r->epoch)
		sim_fail(s, "%s: a stale owner writes", r->id);
	if (r->done && !(op->kind == META_OP_RUN && op->run_state == RUN_RUNNING))
		if (op->kind != META_OP_COMMAND_DONE)
			sim_fail(s, "%s: a write after its end", r->id);
	switch (op->kind) {
	case META_OP_ATTEMPT_INSERT:
		insert(s, r, op);
		break;
	case META_OP_ATTEMPT_END:
		if (!t->attempts[op->number].row || t->attempts[op->number].ended)
			sim_fail(s, "%s %s: attempt %u ends twice", r->id, op->task,
				 op->number);
		if (t->attempts[op->number].proc == PROC_RUNNING)
			sim_fail(s, "%s %s: attempt %u ended with a living process",
				 r->id, op->task, op->number);
		t->attempts[op->number].ended = true;
		t->attempts[op->number].result = op->task_result;
		break;
	case META_OP_TASK:
		t->state = op->task_state;
		t->result = op->task_result;
		t->tries = op->tries;
		t->next_try_us = op->next_try_us;
		break;
	case META_OP_RUN:
		r->done = op->run_state == RUN_DONE;
		r->result = op->run_result;
		break;
	case META_OP_ATTEMPT_UPDATE:
	case META_OP_COMMAND_DONE:
	case META_OP_EVENT:
		break;
	}
}

static void
step(struct sim *s, const struct engine_event *ev)
{
	if (engine_step(s->e, s->now, ev) != 0)
		sim_fail(s, "the engine ran out of memory");
	engine_check(s->e);
}

static void
commit(struct sim *s)
{
	struct engine_event ev = {.kind = EV_COMMITTED}, full = {.kind = EV_COMMIT_FULL};
	struct meta_op *ops;
	size_t i, n;

	ops = engine_taken(s->e, &n);
	if (sim_rand(s, 60) == 0) {
		step(s, &full);
		return;
	}
	for (i = 0; i < n; i++)
		apply(s, &ops[i]);
	for (i = 0; i < n; i++)
		oracle_commit(s, run_of(s, ops[i].run), &ops[i]);
	for (i = 0; i < n; i++)
		if (ops[i].kind == META_OP_RUN && ops[i].run_state == RUN_DONE &&
		    run_of(s, ops[i].run)->done)
			oracle_end(s, run_of(s, ops[i].run));
	s->flying = false;
	step(s, &ev);
}

/* ---- processes ---- */

static void
do_action(struct sim *s, const struct engine_action *a)
{
	struct engine_event ev = {.ref = a->ref};
	struct sim_run *r = NULL;
	struct sim_attempt *at;
	unsigned i;

	for (i = 0; i < s->nruns; i++)
		if (s->runs[i].owned && s->runs[i].index == a->ref.run)
			r = &s->runs[i];
	if (r == NULL)
		sim_fail(s, "an action for a run that is not ours");
	at = &r->tasks[a->ref.task].attempts[a->ref.number % SIM_ATTEMPTS_MAX];
	switch (a->kind) {
	case ACT_PREPARE:
		ev.kind = EV_PREPARED;
		ev.prepared = sim_rand(s, 50) == 0 ? PREPARED_CACHED : PREPARED_RUN;
		step(s, &ev);
		break;
	case ACT_START:
		oracle_start(s, r, a->ref.task, a->ref.number);
		if (sim_rand(s, 30) == 0) {
			ev.kind = EV_VOID;
			ev.reason = "EAGAIN";
			ev.delay_us = (int64_t)sim_rand(s, 2) * 1000000;
			step(s, &ev);
			break;
		}
		s->starts++;
		at->proc = PROC_RUNNING;
		at->ends_us = s->now.mono_us + (int64_t)sim_rand(s, 4000000);
		at->status = a->ref.number - r->tasks[a->ref.task].round_start <=
				     r->tasks[a->ref.task].fails
				 ? 1
				 : 0;
		ev.kind = EV_STARTED;
		ev.pid = 1;
		step(s, &ev);
		break;
	case ACT_STOP:
	case ACT_KILL:
		at->stop = true;
		if (at->proc == PROC_RUNNING && at->ends_us > s->now.mono_us + 500000)
			at->ends_us = s->now.mono_us + 500000;
		break;
	case ACT_COMMIT:
		ev.kind = EV_OUTPUTS;
		ev.ok = sim_rand(s, 40) != 0;
		step(s, &ev);
		break;
	case ACT_RUN_END:
	case ACT_RUN_SETTLED:
		if (a->kind == ACT_RUN_END && !r->done)
			sim_fail(s, "%s: its end is told before it is durable", r->id);
		r->owned = false;
		break;
	case ACT_RUN_STALE:
		sim_fail(s, "%s: stale", r->id);
	}
}

static void
report_exit(struct sim *s, struct sim_run *r, uint32_t task, uint32_t number)
{
	struct sim_attempt *at = &r->tasks[task].attempts[number];
	struct engine_exit x = {.status = at->stop ? -1 : at->status,
				.signal = at->stop ? 15 : 0,
				.ended_us = s->now.wall_us};
	struct engine_event ev = {
	    .kind = EV_EXITED,
	    .ref = {.run = r->index, .task = task, .number = number},
	    .exit = &x};

	if (at->proc == PROC_VANISHED) {
		ev.kind = EV_LOST;
		ev.reason = "its shim was killed";
	}
	step(s, &ev);
}

/* Processes whose time is up end; now and then a shim is killed. */
static void
processes(struct sim *s)
{
	uint32_t k, i, n;

	for (k = 0; k < s->nruns; k++)
		for (i = 0; i < s->dag.ntasks; i++)
			for (n = 1; n < SIM_ATTEMPTS_MAX; n++) {
				struct sim_run *r = &s->runs[k];
				struct sim_attempt *at = &r->tasks[i].attempts[n];

				if (at->proc != PROC_RUNNING ||
				    at->ends_us > s->now.mono_us)
					continue;
				at->proc =
				    sim_rand(s, 40) == 0 ? PROC_VANISHED : PROC_EXITED;
				if (r->owned)
					report_exit(s, r, i, n);
			}
}

/* ---- owners ---- */

static void
own(struct sim *s, struct sim_run *r)
{
	struct engine_task_row *rows = calloc(s->dag.ntasks + 1, sizeof(*rows));
	struct engine_run_spec spec = {.ctx = r,
				       .dag = &s->dag,
				       .id = r->id,
				       .paths = r->paths,
				       .rows = rows,
				       .fail_fast = r->fail_fast,
				       .from = -1};
	uint32_t i;

	if (rows == NULL)
		abort();
	r->exists = true;
	spec.epoch = ++r->epoch;
	for (i = 0; i < s->dag.ntasks; i++) {
		struct sim_task *t = &r->tasks[i];
		struct sim_attempt *a = &t->attempts[t->attempt];

		rows[i] = (struct engine_task_row){.state = t->state,
						   .result = t->result,
						   .attempt = t->attempt,
						   .tries = t->tries,
						   .next_try_us = t->next_try_us,
						   .selected = true,
						   .live = t->attempt > 0 && a->row &&
							   !a->ended,
						   .wake_us = a->wake_us};
	}
	r->owned = true;
	if (engine_add(s->e, s->now, &spec, &r->index) != 0)
		sim_fail(s, "no memory");
	engine_check(s->e);
	free(rows);
}

/* Tell a new owner what became of the attempts it found. */
static void
report_found(struct sim *s, struct sim_run *r)
{
	uint32_t i;

	for (i = 0; i < s->dag.ntasks; i++) {
		struct sim_task *t = &r->tasks[i];
		struct sim_attempt *a = &t->attempts[t->attempt];
		struct engine_event ev = {
		    .ref = {.run = r->index, .task = i, .number = t->attempt}};

		if (!a->row || a->ended || s->dag.tasks[i].type->kind == TASK_ENGINE)
			continue;
		switch (a->proc) {
		case PROC_NONE:
			ev.kind = EV_VOID;
			step(s, &ev);
			break;
		case PROC_RUNNING:
			ev.kind = EV_STARTED;
			step(s, &ev);
			break;
		case PROC_EXITED:
		case PROC_VANISHED:
			report_exit(s, r, i, t->attempt);
			break;
		}
	}
}

static struct engine *
engine(struct sim *s)
{
	struct engine_config cfg = {.ctx = s,
				    .jobs = s->jobs,
				    .seed = s->seed,
				    .boot_id = "boot",
				    .decide = decide,
				    .wait_times = wait_times,
				    .new_id = new_id};
	struct engine *e = engine_new(&cfg);

	if (e == NULL)
		abort();
	return e;
}

static void
crash(struct sim *s)
{
	unsigned i;

	s->crashes++;
	engine_free(s->e);
	s->e = engine(s);
	s->flying = false;
	for (i = 0; i < s->nruns; i++)
		s->runs[i].owned = false;
	for (i = 0; i < s->nruns; i++)
		if (s->runs[i].exists && !s->runs[i].done)
			own(s, &s->runs[i]);
	/* The attempts are reported in no particular order with the rest. */
	for (i = 0; i < s->nruns; i++)
		if (s->runs[i].owned)
			report_found(s, &s->runs[i]);
}

static void
pass_time(struct sim *s, int64_t us)
{
	struct engine_event tick = {.kind = EV_TICK};

	s->now.wall_us += us;
	s->now.mono_us += us;
	processes(s);
	step(s, &tick);
}

/* One thing happens. */
static void
turn(struct sim *s)
{
	struct engine_event wake = {.kind = EV_WAKE};
	struct engine_action a;
	size_t n;
	unsigned i;

	s->steps++;
	switch (sim_rand(s, 400)) {
	case 0:
		crash(s);
		return;
	case 1:
		for (i = 0; i < s->nruns; i++)
			if (s->runs[i].owned && !s->runs[i].done && sim_rand(s, 6) == 0) {
				struct engine_event ev = {
				    .kind = EV_CANCEL, .ref = {.run = s->runs[i].index}};

				s->runs[i].cancelled = true;
				step(s, &ev);
			}
		return;
	case 2:
		step(s, &wake);
		return;
	default:
		break;
	}
	if (engine_action(s->e, &a)) {
		do_action(s, &a);
	} else if (s->flying && sim_rand(s, 2) == 0) {
		commit(s);
	} else if (!s->flying && engine_take(s->e, &n) != NULL) {
		s->flying = true;
	} else {
		pass_time(s, (int64_t)sim_rand(s, 700000));
		step(s, &wake);
	}
}

static bool
all_done(struct sim *s)
{
	unsigned i;

	for (i = 0; i < s->nruns; i++)
		if (!s->runs[i].exists || !s->runs[i].done || s->runs[i].owned)
			return false;
	return true;
}

static void
play(uint64_t seed, unsigned max, uint64_t totals[3])
{
	struct sim *s = calloc(1, sizeof(*s));
	unsigned i;

	if (s == NULL)
		abort();
	s->seed = s->rng = seed;
	sim_make(s, max);
	s->e = engine(s);
	for (i = 0; i < s->nruns; i++)
		own(s, &s->runs[i]);
	while (!all_done(s)) {
		turn(s);
		if (s->steps > STEPS_MAX)
			sim_fail(s, "it does not come to an end");
	}
	totals[0] += s->steps;
	totals[1] += s->crashes;
	totals[2] += s->starts;
	engine_free(s->e);
	sim_release(s);
	free(s);
}

int
main(int argc, char **argv)
{
	uint64_t from = 1, to = 2000, max = 60, i, totals[3] = {0};

	if (argc >= 4 && strcmp(argv[1], "--seeds") == 0 &&
	    (num_u64(argv[2], &from) != 0 || num_u64(argv[3], &to) != 0))
		return 2;
	if (argc >= 6 && strcmp(argv[4], "--tasks") == 0 && num_u64(argv[5], &max) != 0)
		return 2;
	for (i = from; i <= to; i++)
		play(i, max > SIM_TASKS_MAX ? SIM_TASKS_MAX : (unsigned)max, totals);
	(void)printf(
	    "sim: %llu worlds, %llu steps, %llu crashes, %llu processes: all right\n",
	    (unsigned long long)(to - from + 1), (unsigned long long)totals[0],
	    (unsigned long long)totals[1], (unsigned long long)totals[2]);
	return 0;
}
