/*
 * One task in sentences.
 */
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/explain.h"
#include "cli/logview.h"
#include "cli/status.h"
#include "cli/table.h"
#include "scheduler/cgroup.h"
#include "scheduler/dag.h"

#define NAMED_MAX 5 /* tasks of one sentence */
#define LOG_LINES 10

void
explain_since(const struct explain *x, struct buf *b, int64_t us)
{
	num_put_duration(b, x->now_us > us ? x->now_us - us : 0);
}

void
explain_command(struct explain *x, struct buf *b, const char *verb, const char *task)
{
	buf_addc(b, '`');
	place_put_dag(x->c, x->place.project, b);
	buf_addf(b, " %s %s%s%s`", verb, text_short_id(x->run.id),
		 task != NULL ? " " : "", task != NULL ? task : "");
}

/* " (attempt 2 of 3)", " (attempt 2)"; nothing for the only one. */
static void
put_attempt_of(struct explain *x, const struct meta_task *t, struct buf *b,
	       const char *open, const char *close)
{
	const struct dag_task *m = explain_model(x, t);
	bool counted =
	    t->state == TASK_UP_FOR_RETRY || (t->state == TASK_DONE && !explain_good(t));
	uint32_t left = 0, used = t->tries - (counted && t->tries > 0 ? 1 : 0);

	if (m != NULL && m->retries > used)
		left = m->retries - used;
	if (t->attempt == 0 || (t->attempt == 1 && (left == 0 || explain_good(t))))
		return;
	buf_addf(b, "%sattempt %u", open, t->attempt);
	if (m != NULL && !explain_good(t))
		buf_addf(b, " of %u", t->attempt + left);
	buf_adds(b, close);
}

static int64_t
began(struct explain *x, const struct meta_task *t)
{
	const struct meta_attempt *at = explain_attempt(x, t);
	int64_t from = t->started_us, to;

	if (at != NULL)
		status_attempt_span(at, &from, &to);
	return from;
}

void
explain_standing(struct explain *x, const struct meta_task *t, struct buf *b)
{
	const struct dag_task *m = explain_model(x, t);

	switch (t->state) {
	case TASK_WAITING:
		buf_adds(b, "waiting itself");
		return;
	case TASK_READY:
		buf_adds(b, "ready");
		return;
	case TASK_UP_FOR_RETRY:
		buf_adds(b, "failed, to be tried again");
		return;
	case TASK_DONE:
		buf_adds(b, status_for_people(t->state, t->result, t->selected,
					      m != NULL && m->allow_failure));
		return;
	case TASK_PREPARING:
	case TASK_STARTING:
	case TASK_RUNNING:
	case TASK_COMMITTING:
	case TASK_STATES:
		break;
	}
	if (x->interrupted) {
		buf_adds(b, "at work when the run was interrupted");
		return;
	}
	buf_adds(b, "running for ");
	explain_since(x, b, began(x, t));
	put_attempt_of(x, t, b, ", ", "");
}

/* ---- that has not ended ---- */

/* "`a` (running for 3s), `b` (ready) and 4 more"; return how many there are. */
static size_t
put_open_ups(struct explain *x, const struct meta_task *t, struct buf *b)
{
	size_t i, n = 0, k = 0, ups = explain_ups(x, t);
	const struct meta_task *up;

	for (i = 0; i < ups; i++)
		if ((up = explain_up(x, t, i)) != NULL && up->selected &&
		    explain_open(up))
			n++;
	for (i = 0; i < ups; i++) {
		up = explain_up(x, t, i);
		if (up == NULL || !up->selected || !explain_open(up))
			continue;
		if (k == NAMED_MAX && n > NAMED_MAX + 1) {
			buf_addf(b, " and %zu more", n - k);
			break;
		}
		if (k > 0)
			buf_adds(b, k + 1 == n ? " and " : ", ");
		buf_addf(b, "`%s` (", up->name);
		explain_standing(x, up, b);
		buf_addc(b, ')');
		k++;
	}
	return n;
}

/* What an open task hangs on in the end: the first above it that is not waiting itself. */
static const struct meta_task *
root_of(struct explain *x, const struct meta_task *t)
{
	const struct meta_task *up, *next;
	size_t i, ups;

	while (t != NULL && t->state == TASK_WAITING) {
		ups = explain_ups(x, t);
		for (next = NULL, i = 0; i < ups; i++) {
			up = explain_up(x, t, i);
			if (up != NULL && up->selected && explain_open(up) &&
			    (next == NULL || next->state == TASK_WAITING))
				next = up;
		}
		t = next;
	}
	return t;
}

static void
put_waiting(struct explain *x, const struct meta_task *t, struct buf *b)
{
	const struct dag_task *m = explain_model(x, t);
	const struct meta_task *root = root_of(x, t);
	size_t i, ups = explain_ups(x, t);
	bool direct = false;

	buf_addf(b, "`%s` waits for ", t->name);
	if (put_open_ups(x, t, b) == 0)
		buf_adds(b, "what it needs");
	buf_addc(b, '.');
	for (i = 0; i < ups; i++)
		direct = direct || explain_up(x, t, i) == root;
	if (root != NULL && !direct) {
		buf_addf(b, " In the end that hangs on `%s` (", root->name);
		explain_standing(x, root, b);
		buf_adds(b, ").");
	}
	if (m != NULL && m->trigger != TRIGGER_ALL_SUCCESS)
		buf_addf(b, " Its trigger is %s.", trigger_rule_name(m->trigger));
	if (x->interrupted)
		buf_adds(b, " Nothing starts before the run is resumed.");
	buf_addc(b, '\n');
}

static int64_t
memory_of(const struct explain *x, const struct meta_task *t)
{
	const struct dag_task *m = explain_model(x, t);

	return m != NULL ? m->memory : 0;
}

static void
put_slots(struct explain *x, const struct meta_task *t, struct buf *b)
{
	int64_t claimed = 0, machine = cgroup_machine_memory();
	uint32_t most = x->dag != NULL ? x->dag->max_active_tasks : 0;
	size_t busy = 0, i;

	for (i = 0; i < x->ntasks; i++)
		if (task_state_is_live(x->tasks[i].state)) {
			busy++;
			claimed += memory_of(x, &x->tasks[i]);
		}
	buf_addf(b, "`%s` has all that it needs and waits for ", t->name);
	if (claimed > 0 && memory_of(x, t) > machine - claimed) {
		buf_adds(b, "memory: it may use ");
		num_put_size(b, (uint64_t)memory_of(x, t));
		buf_adds(b, ", those at work ");
		num_put_size(b, (uint64_t)claimed);
		buf_adds(b, ", and there are ");
		num_put_size(b, (uint64_t)machine);
	} else if (most != 0 && busy >= most) {
		buf_addf(b, "one of the %u tasks at work to end: max_active_tasks is %u",
			 most, most);
	} else {
		buf_addf(b,
			 "a free slot: %zu task%s of this run at work, and -j says how "
			 "many may be",
			 busy, busy == 1 ? " is" : "s are");
	}
	buf_adds(b, ".\n");
}

static void
put_ready(struct explain *x, const struct meta_task *t, struct buf *b)
{
	struct explain_holder h;

	if (x->interrupted) {
		buf_addf(b,
			 "`%s` has all that it needs and starts when the run is "
			 "resumed.\n",
			 t->name);
	} else if (explain_holder(x, t, &h)) {
		buf_addf(b, "`%s` has all that it needs, but `%s` is in use by task `%s`",
			 t->name, h.path, h.task);
		if (h.run.dag == NULL)
			buf_adds(b, " of another run");
		else if (strcmp(h.run.id, x->run.id) == 0)
			buf_adds(b, " of this run");
		else
			buf_addf(b, " of run %s of %s", text_short_id(h.run.id),
				 h.run.dag);
		if (h.since_us != 0) {
			buf_adds(b, ", since ");
			text_when(b, h.since_us);
			buf_adds(b, " (for ");
			explain_since(x, b, h.since_us);
			buf_adds(b, "). It starts when that has ended.\n");
		} else {
			buf_adds(b, " until a moment ago. It is about to start.\n");
		}
	} else if (explain_given(t->reason)) {
		buf_addf(b, "`%s` has all that it needs, but %s.\n", t->name, t->reason);
	} else {
		put_slots(x, t, b);
	}
}

static void
put_running(struct explain *x, const struct meta_task *t, struct buf *b)
{
	const struct meta_attempt *at = explain_attempt(x, t);
	const struct dag_task *m = explain_model(x, t);

	if (x->interrupted) {
		buf_addf(b, "`%s` was running when the run was interrupted", t->name);
		if (at != NULL && at->executor != NULL &&
		    strcmp(at->executor, "engine") == 0)
			buf_adds(b, ".\n");
		else if (at != NULL && place_alive(&x->place, at->dir) == 1)
			buf_adds(b, "; its process is alive and will be taken over.\n");
		else
			buf_adds(b, "; its process is gone, and the resume finds out how "
				    "it ended.\n");
		return;
	}
	if (at != NULL && at->wake_us > 0) {
		buf_addf(b, "`%s` waits until ", t->name);
		text_when(b, at->wake_us);
		if (at->wake_us > x->now_us) {
			buf_adds(b, ", in ");
			num_put_duration(b, at->wake_us - x->now_us);
		}
		buf_adds(b, ".\n");
		return;
	}
	if (t->state == TASK_PREPARING || t->state == TASK_STARTING)
		buf_addf(b, "`%s` is about to start", t->name);
	else if (t->state == TASK_COMMITTING)
		buf_addf(b, "`%s` has ended, and its outputs are being made durable",
			 t->name);
	else
		buf_addf(b, "`%s` is running", t->name);
	if (t->state == TASK_RUNNING) {
		buf_adds(b, " for ");
		explain_since(x, b, began(x, t));
	}
	put_attempt_of(x, t, b, " (", ")");
	if (at != NULL && at->pid > 0)
		buf_addf(b, ", pid %ld", (long)at->pid);
	if (m != NULL && m->timeout_us > 0 && t->state == TASK_RUNNING) {
		buf_adds(b, "; it is stopped if it takes longer than ");
		num_put_duration(b, m->timeout_us);
	}
	buf_adds(b, ".\n");
}

static void
put_retry(struct explain *x, const struct meta_task *t, struct buf *b)
{
	const struct meta_attempt *at = explain_attempt(x, t);

	buf_addf(b, "`%s` %s", t->name,
		 at != NULL && at->result == RESULT_LOST ? "was lost" : "failed");
	put_attempt_of(x, t, b, " (", ")");
	if (at != NULL && explain_given(at->reason))
		buf_addf(b, ": %s", at->reason);
	buf_adds(b, ". It is tried again ");
	if (x->interrupted) {
		buf_adds(b, "when the run is resumed.\n");
	} else if (t->next_try_us > x->now_us) {
		buf_adds(b, "at ");
		text_when(b, t->next_try_us);
		buf_adds(b, ", in ");
		num_put_duration(b, t->next_try_us - x->now_us);
		buf_adds(b, ".\n");
	} else {
		buf_adds(b, "now.\n");
	}
}

/* ---- that has ended ---- */

/* Of the whole tree where it was measured, else of its largest process. */
static void
put_memory(struct explain *x, const struct meta_task *t, const struct meta_attempt *at,
	   struct buf *b)
{
	int64_t kib = at->mem_peak_kib > 0 ? at->mem_peak_kib : at->maxrss_kib,
		may = memory_of(x, t);

	if (kib <= 0)
		return;
	buf_adds(b, ", at most ");
	num_put_size(b, (uint64_t)kib * 1024);
	buf_adds(b, " of memory");
	if (may == 0)
		return;
	buf_adds(b, " (it may use ");
	num_put_size(b, (uint64_t)may);
	buf_addc(b, ')');
}

/* "It took 12s, at most 4 MiB of memory, and left 2 processes behind." */
static void
put_took(struct explain *x, const struct meta_task *t, const struct meta_attempt *at,
	 struct buf *b)
{
	int64_t from, to;

	status_attempt_span(at, &from, &to);
	buf_adds(b, " It took ");
	num_put_duration(b, to > from ? to - from : 0);
	put_memory(x, t, at, b);
	if (at->survivors > 0)
		buf_addf(b, ", and left %u process%s behind", at->survivors,
			 at->survivors == 1 ? "" : "es");
	buf_addc(b, '.');
}

/* What the attempts before the last one came to. */
static void
put_earlier(struct explain *x, const struct meta_task *t, struct buf *b)
{
	const struct meta_attempt *at = map_get(&x->attempts_of, t->name);
	size_t told = 0;

	for (; at != NULL && at < x->attempts + x->nattempts &&
	       strcmp(at->task, t->name) == 0;
	     at++) {
		if (at->map != t->map || at->number >= t->attempt ||
		    at->state != TASK_DONE)
			continue;
		if (told++ == NAMED_MAX) {
			buf_adds(b, " (and so on)");
			break;
		}
		buf_addf(b, " Attempt %u %s%s%s.", at->number,
			 at->result == RESULT_LOST	  ? "was lost"
			 : at->result == RESULT_CANCELLED ? "was cancelled"
			 : at->result == RESULT_SUCCESS	  ? "succeeded"
							  : "failed",
			 explain_given(at->reason) ? ": " : "",
			 explain_given(at->reason) ? at->reason : "");
	}
}

/* The end of its log, and what to do. */
static void
put_log(struct explain *x, const struct meta_task *t, const struct meta_attempt *at,
	struct buf *b)
{
	unsigned width = cli_width(STDOUT_FILENO);
	size_t before, start = b->n;
	int fd;

	if (at == NULL || !explain_given(at->dir))
		return;
	fd = place_attempt_dir(&x->place, at->dir, NULL);
	if (fd < 0)
		return;
	buf_adds(b, "  The last lines of its log:\n");
	before = b->n;
	logview_quote(b, fd, LOG_LINES, width);
	(void)close(fd);
	if (b->n == before) {
		buf_truncate(b, start);
		buf_adds(b, "  It has written nothing.\n");
		return;
	}
	buf_adds(b, "  All of it: ");
	explain_command(x, b, "logs", t->name);
	buf_adds(b, ".\n");
}

static void
put_failed(struct explain *x, const struct meta_task *t, struct buf *b, bool logs)
{
	const struct meta_attempt *at = explain_attempt(x, t);
	const struct dag_task *m = explain_model(x, t);

	buf_addf(b, "`%s` %s", t->name, t->result == RESULT_LOST ? "was lost" : "failed");
	put_attempt_of(x, t, b, " (", ")");
	if (explain_given(t->reason))
		buf_addf(b, ": %s", t->reason);
	buf_addc(b, '.');
	if (at != NULL)
		put_took(x, t, at, b);
	put_earlier(x, t, b);
	if (m != NULL && m->allow_failure)
		buf_adds(b, " That is allowed: the run goes on without it.");
	buf_addc(b, '\n');
	if (logs)
		put_log(x, t, at, b);
}

/* Of a task that does not always run: why it did. */
static void
put_why(const struct meta_attempt *at, struct buf *b)
{
	size_t n;

	if (at == NULL || !explain_given(at->why))
		return;
	n = strlen(at->why);
	buf_addf(b, " Why it ran: %s", at->why);
	/* What is cut short ends in dots of its own. */
	if (n < 3 || strcmp(at->why + n - 3, "...") != 0)
		buf_addc(b, '.');
}

static void
put_done(struct explain *x, const struct meta_task *t, struct buf *b, bool logs)
{
	const struct meta_attempt *at = explain_attempt(x, t);

	if (!t->selected) {
		buf_addf(b, "`%s` was not selected when the run was started.\n", t->name);
		return;
	}
	switch (t->result) {
	case RESULT_SUCCESS:
		buf_addf(b, "`%s` succeeded", t->name);
		put_attempt_of(x, t, b, " (", ")");
		buf_addc(b, '.');
		if (at != NULL)
			put_took(x, t, at, b);
		put_earlier(x, t, b);
		put_why(at, b);
		buf_addc(b, '\n');
		return;
	case RESULT_CACHED:
		buf_addf(b, "`%s` was not run: %s.\n", t->name,
			 explain_given(t->reason) ? t->reason : "nothing has changed");
		return;
	case RESULT_FAILED:
	case RESULT_LOST:
		put_failed(x, t, b, logs);
		return;
	case RESULT_SKIPPED:
	case RESULT_UPSTREAM_FAILED:
		explain_why(x, t, b);
		return;
	case RESULT_CANCELLED:
		buf_addf(b, "`%s` was cancelled%s%s.", t->name,
			 explain_given(t->reason) ? ": " : "",
			 explain_given(t->reason) ? t->reason : "");
		if (at != NULL && at->number == t->attempt)
			put_took(x, t, at, b);
		buf_addc(b, '\n');
		return;
	case RESULT_NONE:
	case RESULT_VOID: /* of attempts only */
	case TASK_RESULTS:
		return;
	}
}

void
explain_task(struct explain *x, const struct meta_task *t, struct buf *b, bool logs)
{
	switch (t->state) {
	case TASK_WAITING:
		put_waiting(x, t, b);
		return;
	case TASK_READY:
		put_ready(x, t, b);
		return;
	case TASK_PREPARING:
	case TASK_STARTING:
	case TASK_RUNNING:
	case TASK_COMMITTING:
		put_running(x, t, b);
		return;
	case TASK_UP_FOR_RETRY:
		put_retry(x, t, b);
		return;
	case TASK_DONE:
		put_done(x, t, b, logs);
		return;
	case TASK_STATES:
		return;
	}
}
