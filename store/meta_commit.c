/*
 * The owner's batches: one transaction for what happened in one turn of its loop.
 *
 * First step: each run of the batch is looked up once and the epochs are compared; a run with
 * one stale operation is left out whole.  Second step: the operations in their order.
 *
 * Events.  A batch often says one thing twice, as an attempt's end and as its task's; an
 * event is written for each change once:
 *	META_OP_RUN             if state or result change: the result, or the state
 *	META_OP_TASK            if state or result change, or a state's reason: the result or
 *	                        the state; not if the task's latest attempt has ended with the
 *	                        same result, whose end was an event already
 *	META_OP_ATTEMPT_INSERT  "preparing"; blocked: "ready", if the reason is a new one
 *	META_OP_ATTEMPT_KNOWN   the result
 *	META_OP_ATTEMPT_UPDATE  if the attempt's state changes; the task's row follows, so that
 *	                        a META_OP_TASK with the same state adds nothing
 *	META_OP_ATTEMPT_END     the result, unless the task says so already
 *	META_OP_EVENT           always
 *	META_OP_GIT             never
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/map.h"
#include "store/meta_internal.h"

struct batch {
	struct meta *m;
	struct meta_op *ops;
	size_t n;
	struct map index;	/* run id -> its struct batch_run */
	struct batch_run *runs; /* room for one per operation */
	size_t nruns;
	struct batch_run **of; /* of each operation */
	const struct meta_op *stale;
};

int
meta_event_add(struct meta *m, const struct meta_note *e, struct err *err)
{
	static const char sql[] =
	    "INSERT INTO event (at_us, run, task, map, number, event, reason, detail) "
	    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
	struct query q;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, e->at_us);
	query_put_int(&q, e->rid);
	query_put_text(&q, e->task);
	query_put_int(&q, e->task != NULL ? e->map : -1);
	query_put_int(&q, e->number);
	query_put_text(&q, e->event);
	query_put_text(&q, e->reason);
	query_put_text(&q, e->detail);
	return query_run(&q, err) < 0 ? -1 : 0;
}

/* ---- the first step ---- */

/* Read what the batch must know of the run ${id}.  A run that is gone is a stale one. */
static int
read_run(struct meta *m, const char *id, struct batch_run *run, struct err *err)
{
	static const char sql[] =
	    "SELECT rid, epoch, state, result FROM run WHERE id = ?";
	struct query q;
	int rc;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, id);
	rc = query_step(&q, err);
	if (rc > 0) {
		run->rid = query_get_int(&q);
		run->epoch = query_get_int(&q);
		rc = meta_get_run_state(&q, &run->state, &run->result, err);
	} else if (rc == 0) {
		run->stale = true;
	}
	query_end(&q);
	return rc;
}

static struct batch_run *
find_run(struct batch *b, const char *id, struct err *err)
{
	struct batch_run *run = map_get(&b->index, id);

	if (run != NULL)
		return run;
	run = &b->runs[b->nruns];
	if (read_run(b->m, id, run, err) != 0)
		return NULL;
	if (map_put(&b->index, id, run) != 0) {
		(void)err_nomem(err);
		return NULL;
	}
	b->nruns++;
	return run;
}

static int
compare_epochs(struct batch *b, struct err *err)
{
	struct batch_run *run = NULL;
	size_t i;

	for (i = 0; i < b->n; i++) {
		if (i == 0 || strcmp(b->ops[i].run, b->ops[i - 1].run) != 0)
			run = find_run(b, b->ops[i].run, err);
		if (run == NULL)
			return -1;
		b->of[i] = run;
		if (run->rid == 0 || run->epoch != b->ops[i].epoch)
			run->stale = true;
		if (run->stale && b->stale == NULL)
			b->stale = &b->ops[i];
	}
	return 0;
}

/* ---- the second step ---- */

static int
apply(struct meta *m, struct batch_run *run, struct meta_op *op, struct err *err)
{
	switch (op->kind) {
	case META_OP_RUN:
		return meta_op_run(m, run, op, err);
	case META_OP_TASK:
		return meta_op_task(m, run, op, err);
	case META_OP_ATTEMPT_INSERT:
		return meta_op_attempt_insert(m, run, op, err);
	case META_OP_ATTEMPT_KNOWN:
		return meta_op_attempt_known(m, run, op, err);
	case META_OP_ATTEMPT_UPDATE:
		return meta_op_attempt_update(m, run, op, err);
	case META_OP_ATTEMPT_END:
		return meta_op_attempt_end(m, run, op, err);
	case META_OP_COMMAND_DONE:
		return meta_op_command_done(m, run, op, err);
	case META_OP_EVENT:
		return meta_op_event(m, run, op, err);
	case META_OP_GIT:
		return meta_op_git(m, run, op, err);
	}
	return err_set(err, ERR_SYS, "unknown operation %d", (int)op->kind);
}

static int
carry_out(struct batch *b, struct err *err)
{
	size_t i;

	if (compare_epochs(b, err) != 0)
		return -1;
	for (i = 0; i < b->n; i++) {
		b->ops[i].stale = b->of[i]->stale;
		if (!b->ops[i].stale && apply(b->m, b->of[i], &b->ops[i], err) != 0)
			return -1;
	}
	return 0;
}

static int
batch_init(struct batch *b, struct meta *m, struct meta_op *ops, size_t n,
	   struct err *err)
{
	size_t i;

	memset(b, 0, sizeof(*b));
	b->m = m;
	b->ops = ops;
	b->n = n;
	b->runs = calloc(n, sizeof(*b->runs));
	b->of = calloc(n, sizeof(struct batch_run *));
	if (b->runs == NULL || b->of == NULL)
		return err_nomem(err);
	for (i = 0; i < n; i++) { /* what an earlier try of the same batch left */
		ops[i].blocked = ops[i].stale = false;
		ops[i].blocked_by[0] = '\0';
		ops[i].blocked_run[0] = '\0';
	}
	return 0;
}

static void
batch_release(struct batch *b)
{
	map_release(&b->index);
	free(b->runs);
	free(b->of);
}

int
meta_commit(struct meta *m, struct meta_op *ops, size_t n, const struct meta_op **stale,
	    struct err *err)
{
	struct batch b;
	int rc;

	if (stale != NULL)
		*stale = NULL;
	if (n == 0)
		return 0;
	rc = batch_init(&b, m, ops, n, err);
	if (rc == 0)
		rc = meta_begin(m, err);
	if (rc == 0 && carry_out(&b, err) != 0) {
		meta_abort(m);
		rc = -1;
	} else if (rc == 0) {
		rc = meta_end(m, err);
	}
	if (rc == 0 && stale != NULL)
		*stale = b.stale;
	batch_release(&b);
	return rc;
}
