/*
 * Which ready tasks may start now.  Each run has two heaps of ready tasks, by priority and
 * then by topological order: those that need a slot and those of the engine itself.  A task
 * that may start is *proposed*: its attempt's row goes into the batch, and the database, which
 * alone sees all runs of all processes, says whether its paths are free.
 *
 * Tasks with a claim on memory have a third heap.  They start strictly in their order: where
 * the first does not fit beside those that run, the others with a claim wait behind it, so
 * that a big one is not passed by small ones for ever.  One that claims more than there is
 * starts when no other claim is left.
 */
#include "scheduler/engine_int.h"

#include "base/buf.h"
#include "store/meta.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/schema/schema.h"

static bool
before(const struct erun *r, uint32_t a, uint32_t b)
{
	int32_t pa = r->dag->tasks[a].priority, pb = r->dag->tasks[b].priority;

	return pa != pb ? (pa > pb) != MUTANT(PRIORITY) : r->pos[a] < r->pos[b];
}

static void
set_at(struct erun *r, struct heap *h, uint32_t i, uint32_t task)
{
	h->v[i] = task;
	r->insts[task].heap_at = i;
}

static void
sift_up(struct erun *r, struct heap *h, uint32_t i, uint32_t task)
{
	uint32_t up;

	for (; i > 0; i = up) {
		up = (i - 1) / 2;
		if (!before(r, task, h->v[up]))
			break;
		set_at(r, h, i, h->v[up]);
	}
	set_at(r, h, i, task);
}

static void
sift_down(struct erun *r, struct heap *h, uint32_t i, uint32_t task)
{
	uint32_t kid;

	while ((kid = 2 * i + 1) < h->n) {
		if (kid + 1 < h->n && before(r, h->v[kid + 1], h->v[kid]))
			kid++;
		if (!before(r, h->v[kid], task))
			break;
		set_at(r, h, i, h->v[kid]);
		i = kid;
	}
	set_at(r, h, i, task);
}

void
heap_push(struct erun *r, struct heap *h, uint32_t task)
{
	sift_up(r, h, h->n++, task);
}

void
heap_remove(struct erun *r, struct heap *h, uint32_t task)
{
	uint32_t i = r->insts[task].heap_at, last = h->v[--h->n];

	r->insts[task].heap_at = HEAP_NONE;
	if (last == task)
		return;
	if (i > 0 && before(r, last, h->v[(i - 1) / 2]))
		sift_up(r, h, i, last);
	else
		sift_down(r, h, i, last);
}

/**
 * heap_of(r, task):
 * Return the heap that the task waits in when it is ready.
 */
struct heap *
heap_of(struct erun *r, uint32_t task)
{
	if (r->dag->tasks[task].type->kind == TASK_ENGINE)
		return &r->ready0;
	return r->dag->tasks[task].memory > 0 ? &r->ready_mem : &r->ready;
}

/**
 * admit_ready(e, run, task):
 * The task became READY (or is no longer blocked): let it wait for admission.
 */
void
admit_ready(struct engine *e, uint32_t run, uint32_t task)
{
	struct erun *r = e->runs.v[run];
	struct inst *t = &r->insts[task];

	if (t->state == TASK_READY && t->blocked)
		r->nblocked--;
	t->state = TASK_READY;
	t->blocked = false;
	if (t->heap_at == HEAP_NONE)
		heap_push(r, heap_of(r, task), task);
}

/* Instant or duration of a `wait`: when its attempt is due, on which clock. */
static int64_t
wait_due(struct engine *e, struct erun *r, uint32_t task, struct now now)
{
	struct inst *t = &r->insts[task];
	int64_t dur = -1, until = -1;

	if (e->cfg.wait_times != NULL)
		e->cfg.wait_times(e->cfg.ctx, r->spec.ctx, task, &dur, &until);
	t->by_wall = until >= 0;
	if (until >= 0)
		return until;
	return now.wall_us + (dur > 0 ? dur : 0);
}

static bool
is_own(const struct erun *r, uint32_t task)
{
	return r->dag->tasks[task].type->kind == TASK_ENGINE;
}

/* The row of the task's next attempt, or NULL. */
static struct meta_op *
op_attempt(struct engine *e, uint32_t run, uint32_t task, enum meta_op_kind kind,
	   struct now now)
{
	struct erun *r = e->runs.v[run];
	struct inst *t = &r->insts[task];
	struct meta_op *op;
	struct buf dir;

	t->number++;
	if (e->cfg.new_id(e->cfg.ctx, t->id) != 0 ||
	    (op = op_new(e, run, task, kind, now)) == NULL)
		return NULL;
	buf_init(&dir, 0);
	buf_addf(&dir, "runs/%s/", r->spec.id);
	attempt_dir_put(&dir, r->dag->tasks[task].name, ATTEMPT_MAP_NONE, t->number);
	op->dir = buf_failed(&dir) ? NULL : op_str(e, dir.p);
	buf_release(&dir);
	op->attempt_id = op_str(e, t->id);
	op->boot_id = e->cfg.boot_id;
	op->executor = is_own(r, task) ? "engine" : "local";
	op->tries = t->tries;
	op->started_us = now.wall_us;
	e->pending.urgent = true;
	return op->attempt_id != NULL && op->dir != NULL ? op : NULL;
}

/* Put the attempt's row into the batch; the task waits for the verdict. */
static int
propose(struct engine *e, uint32_t run, uint32_t task, struct now now)
{
	struct erun *r = e->runs.v[run];
	struct inst *t = &r->insts[task];
	bool engine_kind = is_own(r, task);
	struct meta_op *op = op_attempt(e, run, task, META_OP_ATTEMPT_INSERT, now);

	if (op == NULL)
		return -1;
	op->task_state = TASK_PREPARING;
	op->paths = r->spec.paths[task].v;
	op->npaths = MUTANT(PATH_UNASKED) ? 0 : r->spec.paths[task].n;
	if (engine_kind)
		t->due_wall = op->wake_us = wait_due(e, r, task, now);
	if (MUTANT(START_EARLY) && !engine_kind)
		(void)act(e, ACT_START, run, task, t->number);
	if (MUTANT(PREPARE_EARLY) && !engine_kind)
		(void)act(e, ACT_PREPARE, run, task, t->number);
	t->state = INST_PROPOSED;
	task_hold(e, run, task);
	return 0;
}

/**
 * admit_known(s):
 * WAITING -> DONE: the result that s->ev tells of was there.  Its attempt begins and ends in one
 * row, and asks for neither a slot nor its paths.  Return 0 or -1.
 */
int
admit_known(struct step *s)
{
	const char *why = s->ev->reason != NULL ? s->ev->reason : "";
	struct inst *t = s->t;
	struct meta_op *op =
	    op_attempt(s->e, s->run, s->task, META_OP_ATTEMPT_KNOWN, s->now);

	if (op == NULL)
		return -1;
	op->task_state = TASK_DONE;
	op->task_result = RESULT_CACHED;
	op->reason = op_str(s->e, why);
	op->ended_us = t->started_us = s->now.wall_us;
	t->started_mono = s->now.mono_us;
	if (outputs_keep(t, s->ev->outputs, s->ev->noutputs) != 0 ||
	    outputs_batch(s, op) != 0)
		return -1;
	if (MUTANT(KNOWN_LOST))
		op->kind = META_OP_EVENT;
	return task_over(s, RESULT_CACHED, CAUSE_NONE, why);
}

static bool
run_may_launch(const struct erun *r)
{
	return !r->gone && (!r->stopping || MUTANT(FAIL_FAST_RETRY)) &&
	       (!r->spec.settle || MUTANT(SETTLE_LAUNCHES));
}

static bool
fits(const struct engine *e, const struct erun *r, uint32_t task)
{
	int64_t claim = r->dag->tasks[task].memory;

	return e->cfg.memory <= 0 || e->memory == 0 || MUTANT(MEMORY_IGNORED) ||
	       claim <= e->cfg.memory - e->memory;
}

/* The run whose first task in that heap comes before those of all others, or HEAP_NONE. */
static uint32_t
best_run(struct engine *e, struct heap *(*heap)(struct erun *))
{
	uint32_t i, best = HEAP_NONE;
	int32_t prio = 0;

	for (i = 0; i < e->runs.n; i++) {
		struct erun *r = e->runs.v[i];
		uint32_t max = r->dag->max_active_tasks;
		int32_t p;

		if (heap(r)->n == 0 || !run_may_launch(r) ||
		    (MUTANT(MEMORY_PASSED) && !fits(e, r, heap(r)->v[0])) ||
		    (max != 0 && r->active >= max && !MUTANT(MAX_ACTIVE)))
			continue;
		p = r->dag->tasks[heap(r)->v[0]].priority;
		if (best == HEAP_NONE || (p > prio && !MUTANT(RUN_PRIORITY))) {
			best = i;
			prio = p;
		}
	}
	return best;
}

static struct heap *
plain(struct erun *r)
{
	return &r->ready;
}

static struct heap *
claiming(struct erun *r)
{
	return &r->ready_mem;
}

/* Does the first claim of run ${k} come before the first plain task of run ${i}? */
static bool
claim_first(const struct engine *e, uint32_t k, uint32_t i)
{
	const struct erun *a = e->runs.v[k], *b = e->runs.v[i];
	uint32_t x = a->ready_mem.v[0], y = b->ready.v[0];
	int32_t px = a->dag->tasks[x].priority, py = b->dag->tasks[y].priority;

	if (i == k)
		return before(a, x, y);
	return px != py ? px > py : k < i;
}

/* Choose what starts next; false: nothing may. */
static bool
best_task(struct engine *e, uint32_t *run, uint32_t *task)
{
	uint32_t i = best_run(e, plain), k = best_run(e, claiming);

	if (k != HEAP_NONE && !fits(e, e->runs.v[k], e->runs.v[k]->ready_mem.v[0]))
		k = HEAP_NONE;
	if (k != HEAP_NONE && (i == HEAP_NONE || claim_first(e, k, i))) {
		*run = k;
		*task = e->runs.v[k]->ready_mem.v[0];
		return true;
	}
	if (i == HEAP_NONE)
		return false;
	*run = i;
	*task = e->runs.v[i]->ready.v[0];
	return true;
}

/**
 * admit_all(e, now):
 * Propose what may start.  Nothing while the disk is full.  Return 0 or -1.
 */
int
admit_all(struct engine *e, struct now now)
{
	uint32_t i, k;

	if (e->full && !MUTANT(FULL_IGNORED))
		return 0;
	for (i = 0; i < e->runs.n; i++) {
		struct erun *r = e->runs.v[i];

		while (r->ready0.n > 0 && run_may_launch(r)) {
			uint32_t task = r->ready0.v[0];

			heap_remove(r, &r->ready0, task);
			if (propose(e, i, task, now) != 0)
				return -1;
		}
	}
	while (e->slots < e->cfg.jobs + MUTANT(SLOT_EXTRA) && best_task(e, &i, &k)) {
		struct erun *r = e->runs.v[i];

		heap_remove(r, heap_of(r, k), k);
		if (propose(e, i, k, now) != 0)
			return -1;
	}
	return 0;
}

/**
 * admit_wake(e):
 * Path locks may have gone: blocked tasks may be proposed again.  Those that wait for a time
 * go on waiting for it.
 */
void
admit_wake(struct engine *e)
{
	uint32_t i, k;

	for (i = 0; i < e->runs.n; i++) {
		struct erun *r = e->runs.v[i];

		if (r->gone || r->spec.settle || r->nblocked == 0)
			continue;
		for (k = 0; k < r->dag->ntasks; k++) {
			struct inst *t = &r->insts[k];

			if (t->state != TASK_READY || !t->blocked || t->due_mono != 0 ||
			    MUTANT(BLOCKED_FOREVER))
				continue;
			t->blocked = false;
			r->nblocked--;
			heap_push(r, heap_of(r, k), k);
		}
	}
}
