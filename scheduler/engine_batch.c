/*
 * Rows on their way to the database, and actions on their way to the rim.  Operations collect
 * in `pending`; engine_take turns it into the batch in flight, of which there is one at most,
 * so that a stalled disk stalls launches and never the engine.
 */
#include "scheduler/engine_int.h"

#include <assert.h>
#include <string.h>

#include "tasks/proto/attempt_dir.h"

/**
 * op_new(e, run, task, kind, now):
 * Add an operation of ${kind} to the pending batch, with what all kinds have filled in.  The
 * pointer holds until the next call.  NULL without memory.
 */
struct meta_op *
op_new(struct engine *e, uint32_t run, uint32_t task, enum meta_op_kind kind,
       struct now now)
{
	struct erun *r = e->runs.v[run];
	struct batch *b = &e->pending;
	struct engine_ref ref = {.run = run, .task = task};
	struct meta_op op = {.kind = kind,
			     .run = r->spec.id,
			     .epoch = r->spec.epoch,
			     .map = -1,
			     .at_us = now.wall_us,
			     .exit_status = -1};

	if (b->arena == NULL && (b->arena = arena_new(0)) == NULL)
		return NULL;
	if (task != HEAP_NONE) {
		op.task = r->dag->tasks[task].name;
		op.number = ref.number = r->insts[task].number;
	}
	if (kind == META_OP_RUN)
		ref.number = ++r->run_ops;
	if (vec_push(&b->refs, ref) != 0 || vec_push(&b->ops, op) != 0)
		return NULL;
	r->nops++;
	return &b->ops.v[b->ops.n - 1];
}

/**
 * op_str(e, s):
 * Copy ${s} to where the pending batch's strings live; NULL for NULL or "", and without
 * memory, for which the whole step fails.
 */
const char *
op_str(struct engine *e, const char *s)
{
	char *copy;

	if (s == NULL || s[0] == '\0')
		return NULL;
	if ((copy = arena_strdup(e->pending.arena, s)) == NULL)
		e->nomem = true;
	return copy;
}

/**
 * op_task(e, run, task, now, urgent):
 * Put the task's row as it stands now into the pending batch.  Return 0 or -1.
 */
int
op_task(struct engine *e, uint32_t run, uint32_t task, struct now now, bool urgent)
{
	struct inst *t = &e->runs.v[run]->insts[task];
	struct meta_op *op = op_new(e, run, task, META_OP_TASK, now);

	if (op == NULL)
		return -1;
	op->reason = op_str(e, t->reason);
	op->task_state =
	    t->state == INST_PROPOSED ? TASK_READY : (enum task_state)t->state;
	op->task_result = (enum task_result)t->result;
	op->cause =
	    t->cause != CAUSE_NONE ? fail_cause_name((enum fail_cause)t->cause) : NULL;
	op->tries = t->tries;
	op->next_try_us = MUTANT(RETRY_UNSAVED) ? 0 : t->next_try_us;
	op->started_us = t->started_us;
	op->ended_us = t->ended_us;
	e->pending.urgent |= urgent;
	return 0;
}

/**
 * op_run(e, run, now, state, reason):
 * Put the run's row into the pending batch.  Return 0 or -1.
 */
int
op_run(struct engine *e, uint32_t run, struct now now, enum run_state state,
       const char *reason)
{
	struct erun *r = e->runs.v[run];
	struct meta_op *op = op_new(e, run, HEAP_NONE, META_OP_RUN, now);

	if (op == NULL)
		return -1;
	op->run_state = state;
	op->run_result = r->result;
	op->reason = op_str(e, reason);
	op->started_us = r->started_us;
	op->ended_us = r->ended_us;
	op->deadline_us = r->spec.deadline_us;
	e->pending.urgent = true;
	return 0;
}

/**
 * act(e, kind, run, task, number):
 * Queue an action for the rim.  Return 0 or -1.
 */
int
act(struct engine *e, enum engine_action_kind kind, uint32_t run, uint32_t task,
    uint32_t number)
{
	struct engine_action a = {.kind = kind,
				  .ref = {.run = run, .task = task, .number = number}};

	return vec_push(&e->actions, a);
}

bool
engine_action(struct engine *e, struct engine_action *out)
{
	if (e->actions_at == e->actions.n) {
		e->actions.n = e->actions_at = 0;
		return false;
	}
	*out = e->actions.v[e->actions_at++];
	return true;
}

bool
engine_urgent(const struct engine *e)
{
	return e->pending.urgent;
}

bool
engine_pending(const struct engine *e)
{
	return e->pending.ops.n > 0;
}

struct meta_op *
engine_take(struct engine *e, size_t *n)
{
	struct batch spent = e->flight;

	*n = 0;
	if (e->flying || e->pending.ops.n == 0)
		return NULL;
	e->flight = e->pending;
	/* The vectors of the batch before are used again. */
	memset(&e->pending, 0, sizeof(e->pending));
	e->pending.ops.v = spent.ops.v;
	e->pending.ops.cap = spent.ops.cap;
	e->pending.refs.v = spent.refs.v;
	e->pending.refs.cap = spent.refs.cap;
	e->flying = true;
	return engine_taken(e, n);
}

struct meta_op *
engine_taken(struct engine *e, size_t *n)
{
	*n = e->flying ? e->flight.ops.n : 0;
	return e->flying ? e->flight.ops.v : NULL;
}

const struct engine_ref *
engine_taken_refs(const struct engine *e)
{
	return e->flying ? e->flight.refs.v : NULL;
}

void
batch_release(struct batch *b)
{
	arena_free(b->arena);
	vec_release(&b->ops);
	vec_release(&b->refs);
	memset(b, 0, sizeof(*b));
}

/* Somebody else owns the run: nothing of it is ours to touch, its attempts are theirs. */
static int
run_stale(struct engine *e, uint32_t run)
{
	struct erun *r = e->runs.v[run];

	if (r->gone)
		return 0;
	e->slots -= r->active;
	e->memory -= r->memory;
	r->gone = true;
	r->stopping = true;
	return act(e, ACT_RUN_STALE, run, 0, 0);
}

/* What one operation that is durable now lets happen. */
static int
op_done(struct engine *e, const struct meta_op *op, struct engine_ref ref, struct now now)
{
	struct erun *r = e->runs.v[ref.run];
	struct engine_event ev = {.ref = ref, .reason = op->blocked_by};

	r->nops--;
	if (op->stale && MUTANT(STALE_STEALS))
		r->spec.epoch++;
	else if (op->stale && !MUTANT(STALE_IGNORED))
		return run_stale(e, ref.run);
	if (r->gone)
		return 0;
	if (op->kind == META_OP_ATTEMPT_INSERT)
		return task_event(e, ref.run, ref.task,
				  op->blocked && !MUTANT(PATH_FORGOTTEN) ? TE_BLOCKED
									 : TE_ADMITTED,
				  now, &ev);
	if (op->kind != META_OP_RUN)
		return 0;
	if (r->cancelling && ref.number == r->cancel_op)
		r->cancel_durable = true;
	if (r->ended && ref.number == r->end_op) {
		r->gone = true;
		return act(e, ACT_RUN_END, ref.run, 0, 0);
	}
	return 0;
}

/**
 * batch_committed(e, now):
 * The batch in flight is durable: act on it operation by operation.  Return 0 or -1.
 */
int
batch_committed(struct engine *e, struct now now)
{
	size_t i;

	assert(e->flying);
	e->flying = false;
	e->full = e->full && MUTANT(FULL_FOREVER);
	for (i = 0; i < e->flight.ops.n; i++)
		if (op_done(e, &e->flight.ops.v[i], e->flight.refs.v[i], now) != 0)
			return -1;
	if (e->flight.frees_paths)
		admit_wake(e);
	arena_free(e->flight.arena);
	e->flight.arena = NULL;
	e->flight.ops.n = e->flight.refs.n = 0;
	e->flight.frees_paths = e->flight.urgent = false;
	return 0;
}
