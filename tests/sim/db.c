/*
 * The fake database: rows, epochs and the guard of an attempt's insertion, as store/meta.h
 * promises them.
 */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "sim.h"
#include "tasks/schema/schema.h"

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
	uint32_t i, n = (uint32_t)s->dag.ntasks;

	if (num_u64(name + 1, &id) == 0)
		for (i = id < n ? (uint32_t)id + 1 : n; i > 0; i--)
			if (s->ids[i - 1] == id)
				return i - 1;
	sim_fail(s, "an operation for the unknown task %s", name);
}

/* Does an attempt that has not ended hold a path of this one? */
static bool
clash(struct sim *s, struct sim_run *r, uint32_t task)
{
	uint32_t i, k;

	if (r->paths[task].n == 0)
		return false;
	for (k = 0; k < s->nruns; k++)
		for (i = 0; i < s->dag.ntasks; i++) {
			struct sim_task *t = &s->runs[k].tasks[i];
			struct sim_attempt *a = &t->attempts[t->attempt];

			if (t->attempt > 0 && !a->ended &&
			    oracle_paths_clash(&s->runs[k].paths[i], &r->paths[task]))
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
	sim_say(s, "  row: %s %s attempt %u%s", r->id, op->task, op->number,
		op->blocked ? ": blocked by a path" : "");
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

/* Begun and ended in one. */
static void
insert_known(struct sim *s, struct sim_run *r, const struct meta_op *op)
{
	uint32_t task = db_task(s, op->task);
	struct sim_task *t = &r->tasks[task];
	struct sim_attempt *a;

	if (op->number >= SIM_ATTEMPTS_MAX || op->number != t->attempt + 1)
		sim_fail(s, "%s %s: attempt %u after %u", r->id, op->task, op->number,
			 t->attempt);
	if (t->attempt > 0 && !t->attempts[t->attempt].ended)
		sim_fail(s, "%s %s: attempt %u beside a living one", r->id, op->task,
			 op->number);
	if (!t->when || t->broken)
		sim_fail(s, "%s %s has a result, and is not to run", r->id, op->task);
	sim_say(s, "  row: %s %s attempt %u is known", r->id, op->task, op->number);
	a = &t->attempts[op->number];
	a->row = a->ended = true;
	a->row_at = s->commits;
	a->result = (uint8_t)op->task_result;
	t->attempt = op->number;
	t->tries = op->tries;
	t->state = TASK_DONE;
	t->result = op->task_result;
	t->next_try_us = 0;
	t->delayed = false;
	t->done_at = s->commits;
}

/* With a result goes what its lock file shall say; and its owner has said why it ran. */
static void
check_result(struct sim *s, struct sim_run *r, const struct meta_op *op,
	     const struct sim_attempt *a)
{
	bool made = op->task_result == RESULT_CACHED ||
		    (op->task_result == RESULT_SUCCESS && a->committed);

	if (made && (op->stage.entry == NULL || op->stage.lock == NULL ||
		     strcmp(op->stage.entry, "entry") != 0))
		sim_fail(s, "%s %s: attempt %u ends without its entry", r->id, op->task,
			 op->number);
	if (a->proc != PROC_NONE && a->why_by == r->epoch && !a->why)
		sim_fail(s, "%s %s: attempt %u ends, nobody knows why it ran", r->id,
			 op->task, op->number);
}

/* What is known of an attempt under way. */
static void
update(struct sim *s, struct sim_run *r, const struct meta_op *op)
{
	struct sim_task *t = &r->tasks[db_task(s, op->task)];

	if (op->why != NULL)
		t->attempts[op->number % SIM_ATTEMPTS_MAX].why = true;
}

static void
end(struct sim *s, struct sim_run *r, const struct meta_op *op)
{
	uint32_t task = db_task(s, op->task);
	struct sim_task *t = &r->tasks[task];
	struct sim_attempt *a = &t->attempts[op->number % SIM_ATTEMPTS_MAX];

	sim_say(s, "  row: %s %s attempt %u ends %s", r->id, op->task, op->number,
		task_result_name(op->task_result));
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
	if (op->task_result == RESULT_SUCCESS && !a->committed &&
	    s->dag.tasks[task].type->kind == TASK_EXEC)
		sim_fail(s, "%s %s: attempt %u succeeds, its outputs are not durable",
			 r->id, op->task, op->number);
	check_result(s, r, op, a);
	a->ended = true;
	a->watched = a->unseen = false;
	a->result = (uint8_t)op->task_result;
	r->o->freed |= r->paths[task].n > 0;
}

/* An end of the run is durable: that of a round before, or of the latest. */
static void
note_end(struct sim_run *r)
{
	unsigned i;

	r->end = (struct sim_end){
	    .cancelled = r->cancelled, .late = r->late, .deadline_us = r->deadline_us};
	if (r->nends == 0)
		return;
	r->end = r->ends[0];
	r->nends--;
	for (i = 0; i < r->nends; i++)
		r->ends[i] = r->ends[i + 1];
}

/* Its row says when its time is up: as it is by now, or was before a retry. */
static void
check_deadline(struct sim *s, struct sim_run *r, int64_t deadline_us)
{
	unsigned i;

	for (i = 0; i < r->nends; i++)
		if (deadline_us == r->ends[i].deadline_us)
			return;
	if (deadline_us != r->deadline_us)
		sim_fail(s, "%s: its time is up at %lld, but it says %lld", r->id,
			 (long long)r->deadline_us, (long long)deadline_us);
}

static void
change_run(struct sim *s, struct sim_run *r, const struct meta_op *op)
{
	bool anew = op->reason != NULL && strcmp(op->reason, ENGINE_RETRY) == 0;

	sim_say(s, "  row: %s %s %s (%s)", r->id, run_state_name(op->run_state),
		run_result_name(op->run_result), op->reason != NULL ? op->reason : "");
	check_deadline(s, r, op->deadline_us);
	r->done = op->run_state == RUN_DONE;
	r->result = op->run_result;
	(void)snprintf(r->reason, sizeof(r->reason), "%s",
		       op->reason != NULL ? op->reason : "");
	r->row_deadline_us = op->deadline_us;
	if (!r->done && r->result != RUN_NONE)
		sim_fail(s, "%s: a result and no end", r->id);
	if (r->done)
		note_end(r);
	else
		r->cancel_durable = !anew;
	r->cancel_step = 0;
}

static void
change_task(struct sim *s, struct sim_run *r, const struct meta_op *op)
{
	struct sim_task *t = &r->tasks[db_task(s, op->task)];

	sim_say(s, "  row: %s %s %s %s", r->id, op->task, task_state_name(op->task_state),
		task_result_name(op->task_result));
	if (op->task_state == TASK_WAITING)
		t->round = t->attempt;
	t->state = op->task_state;
	t->result = op->task_result;
	t->tries = op->tries;
	t->next_try_us = op->next_try_us;
	t->done_at = op->task_state == TASK_DONE ? s->commits : 0;
}

static void
apply(struct sim *s, struct sim_run *r, struct meta_op *op)
{
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
	case META_OP_ATTEMPT_KNOWN:
		if (r->settling)
			sim_fail(s, "%s %s: an attempt of a run that is only settled",
				 r->id, op->task);
		insert_known(s, r, op);
		check_result(s, r, op,
			     &r->tasks[db_task(s, op->task)].attempts[op->number]);
		break;
	case META_OP_ATTEMPT_END:
		end(s, r, op);
		break;
	case META_OP_TASK:
		change_task(s, r, op);
		break;
	case META_OP_RUN:
		change_run(s, r, op);
		break;
	case META_OP_ATTEMPT_UPDATE:
		update(s, r, op);
		break;
	case META_OP_COMMAND_DONE:
	case META_OP_EVENT:
	case META_OP_GIT:
		break;
	}
}

/* What was told to have happened must be there with the answer. */
static void
check_answer(struct sim *s, struct sim_run *r)
{
	if (r->cancel_step != 0)
		sim_fail(s, "%s: a cancel is answered and not durable", r->id);
}

/* Each row is judged once all of the batch are there. */
static void
judge_all(struct sim *s, struct meta_op *ops, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct sim_run *r = db_run(s, ops[i].run);

		if (ops[i].stale)
			continue;
		oracle_commit(s, r, &ops[i]);
		if (ops[i].task != NULL)
			oracle_row(s, r, db_task(s, ops[i].task));
		if (ops[i].kind == META_OP_COMMAND_DONE)
			check_answer(s, r);
		if (ops[i].kind == META_OP_RUN && r->done && ops[i].run_state == RUN_DONE)
			judge_run(s, r);
	}
}

static void
apply_all(struct sim *s, struct sim_owner *o, struct meta_op *ops, size_t n)
{
	bool anew[SIM_RUNS_MAX] = {false}, stale[SIM_RUNS_MAX] = {false};
	size_t i;

	for (i = 0; i < n; i++) {
		struct sim_run *r = db_run(s, ops[i].run);

		ops[i].stale = ops[i].epoch != r->epoch;
		if (ops[i].stale && o->told[r - s->runs] > 1)
			sim_fail(s, "%s: its stale owner was told, and still writes",
				 r->id);
		if (ops[i].stale)
			continue;
		if (r->o != o)
			sim_fail(s, "%s: somebody writes who does not own it", r->id);
		apply(s, r, &ops[i]);
		if (ops[i].kind == META_OP_RUN && ops[i].run_state == RUN_RUNNING &&
		    ops[i].reason != NULL && strcmp(ops[i].reason, ENGINE_RETRY) == 0)
			anew[r - s->runs] = true;
	}
	for (i = 0; i < s->nruns; i++)
		if (anew[i])
			judge_reset(s, &s->runs[i]);
	judge_all(s, ops, n);
	/* What was collected while the batch was in flight may come once more. */
	for (i = 0; i < n; i++)
		stale[db_run(s, ops[i].run) - s->runs] |= ops[i].stale;
	for (i = 0; i < s->nruns; i++)
		o->told[i] += stale[i];
}

/* A cancel that was sent before a batch was taken is in it. */
static void
check_cancels(struct sim *s, struct sim_owner *o)
{
	unsigned i;

	for (i = 0; i < s->nruns; i++) {
		struct sim_run *r = &s->runs[i];

		if (r->o == o && r->cancel_step != 0 && r->cancel_step < o->taken_step)
			sim_fail(s, "%s: its cancel is not stored", r->id);
	}
}

/* The disk is full, often for some commits in a row. */
static bool
disk_full(struct sim *s)
{
	if (s->nfull > 0)
		return --s->nfull > 0;
	if (!sim_fault(s, FAULT_FULL, 60, 0))
		return false;
	s->nfull = 1 + (unsigned)sim_rand(s, 4);
	return true;
}

/**
 * db_commit(s, o):
 * The batch in flight becomes durable, or the disk is full; the engine is told, if its process
 * lives to hear it.
 */
void
db_commit(struct sim *s, struct sim_owner *o)
{
	struct engine_event ev = {.kind = EV_COMMITTED}, full = {.kind = EV_COMMIT_FULL};
	struct meta_op *ops;
	size_t i, n;

	ops = engine_taken(o->e, &n);
	if (disk_full(s)) {
		o->full = true;
		sim_step(s, o, &full);
		return;
	}
	s->commits++;
	o->freed = false;
	sim_say(s, "owner %llu commits", (unsigned long long)o->number);
	apply_all(s, o, ops, n);
	check_cancels(s, o);
	if (o->freed)
		for (i = 0; i < s->nowners; i++)
			s->owners[i].wake |= &s->owners[i] != o;
	if (sim_fault(s, FAULT_CRASH_COMMIT, 2 * s->trouble, 0)) {
		owner_crash(s, o);
		return;
	}
	o->flying = o->full = false;
	sim_step(s, o, &ev);
	for (i = 0; i < s->nruns; i++)
		if (s->runs[i].o == o)
			s->runs[i].cancel_known =
			    s->runs[i].cancel_durable && s->runs[i].nends == 0;
	o->freed = false;
}
