/*
 * A whole run in a short story: how it stands, what came in its way, what to do.
 */
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/explain.h"
#include "cli/status.h"
#include "cli/table.h"
#include "scheduler/dag.h"

#define LOGS_MAX  3  /* failures that are told with their logs */
#define TOLD_MAX  10 /* tasks of one kind that are told one by one */
#define NAMED_MAX 8  /* names in a list */

typedef bool (*which)(const struct explain *, const struct meta_task *);

static bool
is_allowed(const struct explain *x, const struct meta_task *t)
{
	const struct dag_task *m = explain_model(x, t);

	return m != NULL && m->allow_failure;
}

static bool
has_failed(const struct explain *x, const struct meta_task *t)
{
	return t->state == TASK_DONE && !is_allowed(x, t) &&
	       (t->result == RESULT_FAILED || t->result == RESULT_LOST);
}

static bool
has_failed_allowed(const struct explain *x, const struct meta_task *t)
{
	return t->state == TASK_DONE && is_allowed(x, t) &&
	       (t->result == RESULT_FAILED || t->result == RESULT_LOST);
}

static bool
could_not(const struct explain *x, const struct meta_task *t)
{
	(void)x;
	return t->state == TASK_DONE && t->result == RESULT_UPSTREAM_FAILED;
}

static bool
is_cancelled(const struct explain *x, const struct meta_task *t)
{
	(void)x;
	return t->state == TASK_DONE && t->result == RESULT_CANCELLED;
}

static bool
by_when(const struct explain *x, const struct meta_task *t)
{
	(void)x;
	return explain_by_when(t);
}

static bool
is_skipped(const struct explain *x, const struct meta_task *t)
{
	return t->state == TASK_DONE && t->result == RESULT_SKIPPED && t->selected &&
	       !by_when(x, t);
}

static bool
is_deselected(const struct explain *x, const struct meta_task *t)
{
	(void)x;
	return !t->selected;
}

static bool
is_at_work(const struct explain *x, const struct meta_task *t)
{
	(void)x;
	return task_state_is_live(t->state);
}

static bool
is_up_for_retry(const struct explain *x, const struct meta_task *t)
{
	(void)x;
	return t->state == TASK_UP_FOR_RETRY;
}

static bool
is_blocked(const struct explain *x, const struct meta_task *t)
{
	(void)x;
	return t->state == TASK_READY && explain_given(t->reason);
}

static bool
is_ready(const struct explain *x, const struct meta_task *t)
{
	return t->state == TASK_READY && !is_blocked(x, t);
}

static bool
is_waiting(const struct explain *x, const struct meta_task *t)
{
	(void)x;
	return t->state == TASK_WAITING;
}

static bool
is_good(const struct explain *x, const struct meta_task *t)
{
	(void)x;
	return explain_good(t);
}

static size_t
count(const struct explain *x, which fn)
{
	size_t i, n = 0;

	for (i = 0; i < x->ntasks; i++)
		n += fn(x, &x->tasks[i]);
	return n;
}

/* Each such task in sentences of its own. */
static void
tell_each(struct explain *x, struct buf *b, which fn, size_t logs)
{
	size_t i, n = 0, all = count(x, fn);

	for (i = 0; i < x->ntasks && n < TOLD_MAX; i++) {
		if (!fn(x, &x->tasks[i]))
			continue;
		if (n == 0 || logs > 0)
			buf_addc(b, '\n');
		explain_task(x, &x->tasks[i], b, n < logs);
		n++;
	}
	if (all > n) {
		buf_addf(b, "And so for %zu more: ", all - n);
		explain_command(x, b, "runs", NULL);
		buf_adds(b, ".\n");
	}
}

/* "3 tasks BEFORE AFTER: `a`, `b` and `c`." */
static void
tell_names(struct explain *x, struct buf *b, which fn, const char *before,
	   const char *one, const char *many)
{
	size_t i, k = 0, n = count(x, fn), most = n > NAMED_MAX + 1 ? NAMED_MAX : n;

	if (n == 0)
		return;
	buf_addf(b, "\n%s%zu task%s %s: ", before, n, n == 1 ? "" : "s",
		 n == 1 ? one : many);
	for (i = 0; i < x->ntasks && k < most; i++) {
		if (!fn(x, &x->tasks[i]))
			continue;
		buf_addf(b, "%s`%s`",
			 k == 0			   ? ""
			 : k + 1 == n && n == most ? " and "
						   : ", ",
			 x->tasks[i].name);
		k++;
	}
	if (n > most)
		buf_addf(b, " and %zu more", n - most);
	buf_adds(b, ".\n");
}

/* ---- head ---- */

void
explain_owner(struct explain *x, struct buf *b)
{
	if (x->run.state == RUN_DONE)
		return;
	if (x->interrupted) {
		buf_adds(b, "It was interrupted: nobody owns it. ");
		explain_command(x, b, "resume", NULL);
		buf_adds(b, " goes on with it.\n");
		return;
	}
	if (!x->owner.held)
		return;
	buf_addf(b, "It is owned by pid %ld", (long)x->owner.pid);
	if (x->owner.state == 'T')
		buf_addf(b, ", which is stopped: `kill -CONT %ld` lets it go on",
			 (long)x->owner.pid);
	buf_addc(b, '.');
	if (x->run.deadline_us > x->now_us) {
		buf_adds(b, " Its time is up in ");
		num_put_duration(b, x->run.deadline_us - x->now_us);
		buf_addc(b, '.');
	}
	buf_addc(b, '\n');
}

static void
put_end(struct explain *x, struct buf *b)
{
	const char *reason = explain_given(x->run.reason) ? x->run.reason : NULL;
	int64_t from = status_run_began(&x->run);

	buf_addf(b, "Run %s of %s ", x->run.id, x->run.dag);
	if (x->run.state != RUN_DONE) {
		buf_adds(b, x->interrupted ? "began " : "has been running for ");
		explain_since(x, b, from);
		buf_adds(b, x->interrupted ? " ago." : ".");
		if (reason != NULL && strcmp(reason, "retry") != 0)
			buf_addf(b, " It is being stopped: %s.", reason);
		buf_addc(b, '\n');
		explain_owner(x, b);
		return;
	}
	buf_adds(b, x->run.result == RUN_SUCCESS     ? "succeeded after "
		    : x->run.result == RUN_CANCELLED ? "was cancelled after "
						     : "failed after ");
	num_put_duration(b, x->run.ended_us > from ? x->run.ended_us - from : 0);
	if (reason != NULL && x->run.result != RUN_SUCCESS)
		buf_addf(b, ": %s", reason);
	buf_adds(b, ".\n");
}

static void
put_head(struct explain *x, struct buf *b)
{
	put_end(x, b);
	if (x->run.git_commit == NULL)
		return;
	buf_adds(b, "It began at commit ");
	status_put_commit(b, &x->run);
	buf_adds(b, ".\n");
}

static void
put_counts(struct explain *x, struct buf *b)
{
	size_t good = count(x, is_good), out = count(x, is_deselected),
	       all = x->ntasks - out;

	if (x->run.state != RUN_DONE)
		buf_addf(b, "%zu of its %zu tasks have ended well.", good, all);
	else if (good == all)
		buf_addf(b,
			 all == 1 ? "Its task ended well."
				  : "All its %zu tasks ended well.",
			 all);
	else
		buf_addf(b, "%zu of its %zu task%s ended well.", good, all,
			 all == 1 ? "" : "s");
	if (out > 0)
		buf_addf(b, " %zu %s not selected when it was started.", out,
			 out == 1 ? "was" : "were");
	buf_addc(b, '\n');
}

/* ---- what to do ---- */

static void
put_advice(struct explain *x, struct buf *b)
{
	if (x->run.state != RUN_DONE || x->run.result == RUN_SUCCESS)
		return;
	buf_adds(b, "\nTo go on: ");
	explain_command(x, b, "retry", NULL);
	buf_addf(b,
		 " runs again what %s, and what follows it; what has succeeded stays. "
		 "It keeps to the DAG file as it was; with --latest it takes the file "
		 "as it is now.\n",
		 count(x, has_failed) > 0 ? "failed" : "was cancelled");
}

void
explain_run(struct explain *x, struct buf *b)
{
	put_head(x, b);
	put_counts(x, b);
	tell_each(x, b, has_failed, LOGS_MAX);
	tell_names(x, b, could_not, count(x, has_failed) > 0 ? "Because of that, " : "",
		   "did not run", "did not run");
	tell_each(x, b, has_failed_allowed, 0);
	tell_names(x, b, is_cancelled, "", "was cancelled", "were cancelled");
	tell_each(x, b, by_when, 0);
	tell_names(x, b, is_skipped, "", "was skipped for what it needs",
		   "were skipped for what they need");
	tell_each(x, b, is_at_work, 0);
	tell_each(x, b, is_up_for_retry, 0);
	tell_each(x, b, is_blocked, 0);
	if (count(x, is_ready) <= 2)
		tell_each(x, b, is_ready, 0);
	else
		tell_names(x, b, is_ready, "", "waits for a free slot",
			   "have all that they need and wait for a free slot (-j, "
			   "max_active_tasks)");
	if (count(x, is_waiting) <= 3)
		tell_each(x, b, is_waiting, 0);
	else
		tell_names(x, b, is_waiting, "", "waits", "wait for others");
	put_advice(x, b);
}
