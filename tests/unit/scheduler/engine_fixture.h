#ifndef UNIT_SCHEDULER_ENGINE_FIXTURE_H
#define UNIT_SCHEDULER_ENGINE_FIXTURE_H
/*
 * One run in an engine, and a test that plays its rim by hand: takes batches, says what the
 * database said, carries out actions, moves the clocks.  Include after cmocka.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dag_fixture.h"
#include "scheduler/engine.h"

#define SECOND	   INT64_C(1000000)
#define WALL_START INT64_C(1700000000000000)

struct world {
	struct dag *g;
	struct engine *e;
	struct now now;
	uint32_t run;
	struct engine_run_spec spec;
	struct engine_task_row *rows;
	struct engine_paths *paths;
	enum engine_decision *decisions;
	const char
	    *known; /* names of tasks whose result is known, with blanks around them */
	int64_t *wait_for, *wait_until;
	unsigned *fails;     /* w_play: how many first attempts of the task fail */
	const char *blocked; /* name of the task whose insert is blocked */
	unsigned ids;
	int64_t memory;	     /* of the machine; 0: not counted */
	struct meta_op last; /* the last operation that w_commit saw for `watch` */
	const char *watch;   /* name of a task */
	enum meta_op_kind watch_kind;
	bool seen;
};

static inline enum engine_decision
w_decide(void *ctx, void *run, uint32_t task, char *reason, size_t size)
{
	struct world *w = run;

	(void)ctx;
	(void)snprintf(reason, size, "%s",
		       w->decisions[task] == DECIDE_FAIL ? "cannot be rendered" : "");
	return w->decisions[task];
}

static inline const struct engine_event *
w_known(void *ctx, void *run, uint32_t task)
{
	static const struct meta_kv kv = {.key = "rows", .val = "7", .len = 1};
	static const struct meta_path made = {.path = "o"};
	static const struct meta_stage result = {.hash = "h"};
	static const struct engine_event ev = {.kind = EV_PREPARED,
					       .prepared = PREPARED_CACHED,
					       .reason = "nothing has changed",
					       .outputs = &kv,
					       .noutputs = 1,
					       .produced = &made,
					       .nproduced = 1,
					       .stage = &result};
	struct world *w = run;
	char name[DAG_NAME_MAX + 3];

	(void)ctx;
	(void)snprintf(name, sizeof(name), " %s ", w->g->tasks[task].name);
	return w->known != NULL && strstr(w->known, name) != NULL ? &ev : NULL;
}

static inline void
w_waits(void *ctx, void *run, uint32_t task, int64_t *dur, int64_t *until)
{
	struct world *w = run;

	(void)ctx;
	*dur = w->wait_for[task];
	*until = w->wait_until[task];
}

static inline int
w_id(void *ctx, char out[META_RUN_ID])
{
	struct world *w = ctx;

	(void)snprintf(out, META_RUN_ID, "id-%u", ++w->ids);
	return 0;
}

static inline void
w_engine(struct world *w, unsigned jobs, uint64_t seed)
{
	struct engine_config cfg = {.ctx = w,
				    .jobs = jobs,
				    .memory = w->memory,
				    .seed = seed,
				    .boot_id = "boot",
				    .decide = w_decide,
				    .known = w_known,
				    .wait_times = w_waits,
				    .new_id = w_id};

	engine_free(w->e);
	w->e = engine_new(&cfg);
	assert_non_null(w->e);
}

/* A world with the DAG ${g} (which it takes), -j ${jobs}; the run is added by w_add. */
static inline void
w_open_dag(struct world *w, struct dag *g, unsigned jobs)
{
	size_t i, n = g->ntasks;

	memset(w, 0, sizeof(*w));
	w->g = g;
	w->now = (struct now){.wall_us = WALL_START, .mono_us = 77 * SECOND};
	w->rows = calloc(n + 1, sizeof(*w->rows));
	w->paths = calloc(n + 1, sizeof(*w->paths));
	w->decisions = calloc(n + 1, sizeof(*w->decisions));
	w->wait_for = calloc(n + 1, sizeof(*w->wait_for));
	w->wait_until = calloc(n + 1, sizeof(*w->wait_until));
	w->fails = calloc(n + 1, sizeof(*w->fails));
	assert_non_null(w->rows);
	assert_non_null(w->paths);
	for (i = 0; i < n; i++) {
		w->rows[i].selected = true;
		w->wait_for[i] = w->wait_until[i] = -1;
	}
	w->spec = (struct engine_run_spec){.ctx = w,
					   .dag = g,
					   .id = "run",
					   .epoch = 1,
					   .from = -1,
					   .paths = w->paths,
					   .rows = w->rows};
	w_engine(w, jobs, 1);
}

static inline void
w_open(struct world *w, const char *text, unsigned jobs)
{
	w_open_dag(w, fixture_dag(text), jobs);
}

static inline void
w_close(struct world *w)
{
	engine_free(w->e);
	dag_free(w->g);
	free(w->rows);
	free(w->paths);
	free(w->decisions);
	free(w->wait_for);
	free(w->wait_until);
	free(w->fails);
}

static inline uint32_t
w_task(const struct world *w, const char *name)
{
	const struct dag_task *t = dag_task_find(w->g, name);

	assert_non_null(t);
	return t->id;
}

/* Its row, for w_add: it runs, and its owner has died. */
static inline void
w_row_lives(struct world *w, const char *name)
{
	struct engine_task_row *row = &w->rows[w_task(w, name)];

	row->state = TASK_RUNNING;
	row->attempt = 1;
	row->live = true;
}

static inline void
w_step(struct world *w, struct engine_event ev)
{
	ev.ref.run = w->run;
	assert_int_equal(engine_step(w->e, w->now, &ev), 0);
	engine_check(w->e);
}

static inline void
w_tick(struct world *w)
{
	w_step(w, (struct engine_event){.kind = EV_TICK});
}

/* Time passes on both clocks. */
static inline void
w_pass(struct world *w, int64_t us)
{
	w->now.wall_us += us;
	w->now.mono_us += us;
	w_tick(w);
}

static inline void
w_add(struct world *w)
{
	assert_int_equal(engine_add(w->e, w->now, &w->spec, &w->run), 0);
	engine_check(w->e);
	w_tick(w);
}

/* ---- how things stand ---- */

static inline struct engine_task_view
w_view(const struct world *w, const char *name)
{
	struct engine_task_view v;

	engine_task_view(w->e, w->run, w_task(w, name), &v);
	return v;
}

/* "running", or of a task that is done its result. */
static inline const char *
w_state(const struct world *w, const char *name)
{
	struct engine_task_view v = w_view(w, name);

	return v.state == TASK_DONE ? task_result_name(v.result)
				    : task_state_name(v.state);
}

static inline const char *
w_result(const struct world *w)
{
	struct engine_run_view v;

	engine_run_view(w->e, w->run, &v);
	return v.state == RUN_DONE ? run_result_name(v.result) : "running";
}

static inline const char *
w_reason(const struct world *w)
{
	struct engine_run_view v;

	engine_run_view(w->e, w->run, &v);
	return v.reason;
}

/* The next action as "start a 1", "run_end"; "" if there is none. */
static inline const char *
w_next(struct world *w)
{
	static const char *const names[] = {"prepare", "start",	  "stop",    "kill",
					    "commit",  "run_end", "settled", "stale"};
	static char out[160];
	struct engine_action a;

	if (!engine_action(w->e, &a))
		return "";
	if (a.kind >= ACT_RUN_END)
		return names[a.kind];
	(void)snprintf(out, sizeof(out), "%s %s %u", names[a.kind],
		       w->g->tasks[a.ref.task].name, a.ref.number);
	return out;
}

/* ---- the database ---- */

/* Take the batch, if none is in flight. */
static inline size_t
w_take(struct world *w)
{
	size_t n;

	return engine_take(w->e, &n) != NULL ? n : 0;
}

/* The batch in flight (or the pending one, taken first) becomes durable. */
static inline size_t
w_commit(struct world *w)
{
	struct meta_op *ops;
	size_t i, n;

	(void)w_take(w);
	ops = engine_taken(w->e, &n);
	if (ops == NULL)
		return 0;
	for (i = 0; i < n; i++) {
		struct meta_op *op = &ops[i];

		if (op->kind == META_OP_ATTEMPT_INSERT && w->blocked != NULL &&
		    strcmp(w->blocked, op->task) == 0) {
			op->blocked = true;
			(void)snprintf(op->blocked_by, sizeof(op->blocked_by), "a path");
		}
		if (w->watch != NULL && op->kind == w->watch_kind && op->task != NULL &&
		    strcmp(op->task, w->watch) == 0) {
			w->last = *op;
			w->seen = true;
		}
	}
	w_step(w, (struct engine_event){.kind = EV_COMMITTED});
	return n;
}

/* Does the pending or flying batch hold an operation of that kind for the task (NULL: the
 * run)?  The pending one is taken for it. */
static inline const struct meta_op *
w_op(struct world *w, enum meta_op_kind kind, const char *task)
{
	const struct meta_op *ops;
	size_t i, n;

	(void)w_take(w);
	ops = engine_taken(w->e, &n);
	for (i = n; i > 0; i--)
		if (ops[i - 1].kind == kind &&
		    (task == NULL
			 ? ops[i - 1].task == NULL
			 : ops[i - 1].task != NULL && strcmp(ops[i - 1].task, task) == 0))
			return &ops[i - 1];
	return NULL;
}

/* ---- reports ---- */

static inline struct engine_event
w_event(const struct world *w, enum engine_event_kind kind, const char *name)
{
	return (struct engine_event){
	    .kind = kind,
	    .ref = {.task = w_task(w, name), .number = w_view(w, name).attempt}};
}

static inline void
w_started(struct world *w, const char *name)
{
	w_step(w, w_event(w, EV_STARTED, name));
}

static inline void
w_exits(struct world *w, const char *name, const struct engine_exit *x)
{
	struct engine_event ev = w_event(w, EV_EXITED, name);

	ev.exit = x;
	w_step(w, ev);
}

static inline void
w_exited(struct world *w, const char *name, int status)
{
	struct engine_exit x = {.status = status, .ended_us = w->now.wall_us};

	w_exits(w, name, &x);
}

static inline void
w_signalled(struct world *w, const char *name, int sig)
{
	struct engine_exit x = {.status = -1, .signal = sig, .ended_us = w->now.wall_us};

	w_exits(w, name, &x);
}

static inline void
w_lost(struct world *w, const char *name)
{
	struct engine_event ev = w_event(w, EV_LOST, name);

	ev.reason = "its shim was killed";
	w_step(w, ev);
}

static inline void
w_void(struct world *w, const char *name, int64_t delay)
{
	struct engine_event ev = w_event(w, EV_VOID, name);

	ev.reason = "out of processes";
	ev.delay_us = delay;
	w_step(w, ev);
}

static inline void
w_prepared(struct world *w, const char *name, enum engine_prepared how)
{
	struct engine_event ev = w_event(w, EV_PREPARED, name);

	ev.prepared = how;
	ev.reason = "as prepared";
	w_step(w, ev);
}

static inline void
w_outputs(struct world *w, const char *name, bool ok)
{
	struct engine_event ev = w_event(w, EV_OUTPUTS, name);

	ev.ok = ok;
	ev.reason = ok ? NULL : "it did not make its output";
	w_step(w, ev);
}

static inline void
w_cancel(struct world *w, bool kill)
{
	w_step(w, (struct engine_event){
		      .kind = EV_CANCEL, .kill = kill, .reason = "cancelled here"});
}

/* Bring a task that is proposed to RUNNING. */
static inline void
w_to_running(struct world *w, const char *name)
{
	char want[160];

	(void)w_commit(w);
	(void)snprintf(want, sizeof(want), "start %s %u", name, w_view(w, name).attempt);
	assert_string_equal(w_next(w), want);
	w_started(w, name);
	assert_string_equal(w_state(w, name), "running");
}

/* ---- a cancel ---- */

/* What ends cancelled: a, and b that waits for it. */
static const char w_two[] = "tasks:\n"
			    "  a: {run: x, retries: 1, retry_delay: 1h}\n"
			    "  b: {run: x, needs: [a]}\n";

static inline void
w_ends_cancelled(struct world *w)
{
	assert_string_equal(w_state(w, "a"), "cancelled");
	assert_string_equal(w_state(w, "b"), "cancelled");
	assert_string_equal(w_result(w), "cancelled");
	assert_string_equal(w_reason(w), "cancelled here");
	(void)w_commit(w);
	(void)w_commit(w);
	assert_string_equal(w_next(w), "run_end");
	assert_string_equal(w_next(w), "");
}

/* ---- all at once ---- */

static inline void
w_carry_out(struct world *w, const struct engine_action *a)
{
	const char *name = w->g->tasks[a->ref.task].name;

	switch (a->kind) {
	case ACT_PREPARE:
		w_prepared(w, name, PREPARED_RUN);
		break;
	case ACT_START:
		w_started(w, name);
		w_exited(w, name, a->ref.number <= w->fails[a->ref.task] ? 1 : 0);
		break;
	case ACT_COMMIT:
		w_outputs(w, name, true);
		break;
	case ACT_STOP:
	case ACT_KILL:
	case ACT_RUN_END:
	case ACT_RUN_SETTLED:
	case ACT_RUN_STALE:
		break;
	}
}

/* Let everything happen until the run's end is durable; its result. */
static inline const char *
w_play(struct world *w)
{
	struct engine_action a;
	int64_t due;
	int turns;

	for (turns = 0; turns < 100000; turns++) {
		if (engine_action(w->e, &a)) {
			if (a.kind == ACT_RUN_END || a.kind == ACT_RUN_SETTLED)
				return w_result(w);
			w_carry_out(w, &a);
		} else if (w_commit(w) == 0) {
			due = engine_deadline(w->e, w->now);
			assert_true(due >= 0); /* else it sleeps for ever */
			w_pass(w, due);
		}
	}
	fail_msg("the run does not end");
	return "";
}

#endif
