/*
 * The fake database: rows, epochs and the guard of an attempt's insertion, as store/meta.h
 * promises them.
 */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "sim.h"

struct sim_run *
db_run(struct sim *s, const char *id)
{
	unsigned i;

	for (i = 0; i < s->nruns; i++)
		if (strcmp(s->runs[i].id, id) == 0)
			return &s->runs[i];
	sim_fail(s, "an operation for the unknown run %s", id);
}

uint32_t
db_task(struct sim *s, const char *name)
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
			for (n = 1; n <= s->runs[k].tasks[i].attempt; n++) {
				struct sim_attempt *a = &s->runs[k].tasks[i].attempts[n];

				if (a->row && !a->ended &&
				    oracle_paths_clash(&s->runs[k].paths[i],
						       &r->paths[task]))
					return true;
			}
	return false;
}

static void
insert(struct sim *s, struct sim_run *r, struct meta_op *op)
{
	uint32_t task = db_task(s, op->task);
	struct sim_task *t = &r->tasks[task];
	struct sim_attempt *a;

	if (op->number >= SIM_ATTEMPTS_MAX)
		sim_fail(s, "%s %s makes attempt %u", r->id, op->task, op->number);
	if (op->number != t->attempt + 1)
		sim_fail(s, "%s %s: attempt %u after %u", r->id, op->task, op->number,
			 t->attempt);
	if (t->attempt > 0 && !t->attempts[t->attempt].ended)
		sim_fail(s, "%s %s: attempt %u beside a living one", r->id, op->task,
			 op->number);
	if (op->paths != r->paths[task].v || op->npaths != r->paths[task].n)
		sim_fail(s, "%s %s: not its paths", r->id, op->task);
	op->blocked = clash(s, r, task);
	if (op->blocked) {
		(void)snprintf(op->blocked_by, sizeof(op->blocked_by), "a path");
		t->state = TASK_READY;
		t->result = RESULT_NONE;
		return;
	}
	t->attempt = op->number;
	t->tries = op->tries;
	t->state = TASK_PREPARING;
	t->result = RESULT_NONE;
	t->delayed = false;
	a = &t->attempts[op->number];
	a->row = true;
	a->row_at = s->commits;
	a->wake_us = op->wake_us;
	a->begun_us = op->at_us;
}

static void
end(struct sim *s, struct sim_run *r, const struct meta_op *op)
{
	struct sim_task *t = &r->tasks[db_task(s, op->task)];
	struct sim_attempt *a = &t->attempts[op->number % SIM_ATTEMPTS_MAX];

	if (!a->row || a->ended)
		sim_fail(s, "%s %s: attempt %u ends twice", r->id, op->task, op->number);
	if (a->proc == PROC_RUNNING)
		sim_fail(s, "%s %s: attempt %u ended with a living process", r->id,
			 op->task, op->number);
	if (a->must != RESULT_NONE && a->must != op->task_result)
		sim_fail(s, "%s %s: attempt %u ended %s, not %s", r->id, op->task,
			 op->number, task_result_name(op->task_result),
			 task_result_name((enum task_result)a->must));
	if (a->kept && op->task_result == RESULT_CANCELLED)
		sim_fail(s, "%s %s: attempt %u ended well before its cancel", r->id,
			 op->task, op->number);
	a->ended = true;
	a->watched = a->unseen = false;
	a->result = (uint8_t)op->task_result;
	s->freed |= r->paths[db_task(s, op->task)].n > 0;
}

static void
change_run(struct sim *s, struct sim_run *r, const struct meta_op *op)
{
	bool anew = op->reason != NULL && strcmp(op->reason, ENGINE_RETRY) == 0;

	r->done = op->run_state == RUN_DONE;
	r->result = op->run_result;
	(void)snprintf(r->reason, sizeof(r->reason), "%s",
		       op->reason != NULL ? op->reason : "");
	r->row_deadline_us = op->deadline_us;
	if (op->deadline_us != r->deadline_us &&
	    (anew || op->deadline_us != r->old_deadline_us))
		sim_fail(s, "%s: its time is up at %lld, but it says %lld", r->id,
			 (long long)r->deadline_us, (long long)op->deadline_us);
	if (!r->done && r->result != RUN_NONE)
		sim_fail(s, "%s: a result and no end", r->id);
	if (!r->done && anew)
		r->cancel_durable = false;
	else if (!r->done)
		r->cancel_durable = true;
}

static void
apply(struct sim *s, struct sim_run *r, struct meta_op *op)
{
	struct sim_task *t = op->task != NULL ? &r->tasks[db_task(s, op->task)] : NULL;

	if (r->done && op->kind != META_OP_RUN && op->kind != META_OP_COMMAND_DONE &&
	    !(op->kind == META_OP_TASK && op->task_state == TASK_WAITING))
		sim_fail(s, "%s: a write after its end", r->id);
	switch (op->kind) {
	case META_OP_ATTEMPT_INSERT:
		if (r->settling)
			sim_fail(s, "%s %s: an attempt of a run that is only settled",
				 r->id, op->task);
		insert(s, r, op);
		break;
	case META_OP_ATTEMPT_END:
		end(s, r, op);
		break;
	case META_OP_TASK:
		if (op->task_state == TASK_WAITING)
			t->round = t->attempt;
		t->state = op->task_state;
		t->result = op->task_result;
		t->tries = op->tries;
		t->next_try_us = op->next_try_us;
		t->done_at = op->task_state == TASK_DONE ? s->commits : 0;
		break;
	case META_OP_RUN:
		change_run(s, r, op);
		break;
	case META_OP_ATTEMPT_UPDATE:
	case META_OP_COMMAND_DONE:
	case META_OP_EVENT:
		break;
	}
}

/* The rows of a batch, each judged once all of them are there. */
static void
apply_all(struct sim *s, struct meta_op *ops, size_t n)
{
	bool anew[SIM_RUNS_MAX] = {false};
	size_t i;

	for (i = 0; i < n; i++) {
		struct sim_run *r = db_run(s, ops[i].run);

		ops[i].stale = ops[i].epoch != r->epoch;
		if (ops[i].stale)
			continue;
		apply(s, r, &ops[i]);
		if (ops[i].kind == META_OP_RUN && ops[i].run_state == RUN_RUNNING &&
		    ops[i].reason != NULL && strcmp(ops[i].reason, ENGINE_RETRY) == 0)
			anew[r - s->runs] = true;
	}
	for (i = 0; i < s->nruns; i++)
		if (anew[i])
			oracle_reset(s, &s->runs[i]);
	for (i = 0; i < n; i++)
		if (!ops[i].stale)
			oracle_commit(s, db_run(s, ops[i].run), &ops[i]);
	for (i = 0; i < n; i++) {
		struct sim_run *r = db_run(s, ops[i].run);

		if (!ops[i].stale && ops[i].kind == META_OP_RUN && r->done &&
		    ops[i].run_state == RUN_DONE)
			oracle_end(s, r);
	}
}

/**
 * db_commit(s):
 * The batch in flight becomes durable, or the disk is full; the engine is told.
 */
void
db_commit(struct sim *s)
{
	struct engine_event ev = {.kind = EV_COMMITTED}, full = {.kind = EV_COMMIT_FULL};
	struct meta_op *ops;
	size_t i, n;

	ops = engine_taken(s->e, &n);
	if (sim_once_in(s, 60)) {
		s->full = true;
		sim_step(s, &full);
		return;
	}
	s->commits++;
	s->freed = false;
	apply_all(s, ops, n);
	s->flying = s->full = s->unnoticed = false;
	sim_step(s, &ev);
	for (i = 0; i < s->nruns; i++)
		s->runs[i].cancel_known = s->runs[i].cancel_durable;
	s->freed = false;
}
