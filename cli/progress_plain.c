/*
 * Watching by plain lines, one for each change that is news.
 */
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/outbox.h"
#include "cli/progress_int.h"
#include "cli/status.h"
#include "cli/table.h"

/* "20:38:48 train: " */
static void
plain_begin(struct progress *p, const char *name)
{
	struct civil now;

	time_civil(clock_now().wall_us, &now);
	buf_addf(&p->text, "%02d:%02d:%02d %s: ", now.hour, now.minute, now.second, name);
}

static void
plain_status(struct progress *p, const char *status)
{
	const char *ansi = p->color ? status_ansi(status) : NULL;

	if (ansi != NULL)
		buf_addf(&p->text, "\033[%sm%s\033[0m", ansi, status);
	else
		buf_adds(&p->text, status);
}

static void
plain_reason(struct progress *p, const char *reason)
{
	if (reason == NULL || *reason == '\0')
		return;
	buf_adds(&p->text, ": ");
	(void)text_fit(&p->text, reason, (unsigned)-1);
}

static void
plain_began(void *ctx, const struct session_run *r)
{
	struct progress *p = ctx;

	p->began++;
	plain_begin(p, r->dag);
	buf_addf(&p->text, "run %s %s, %zu task%s\n", r->id,
		 r->retried   ? "is retried"
		 : r->resumed ? "is resumed"
			      : "began",
		 r->ntasks, r->ntasks == 1 ? "" : "s");
	progress_flush(p);
}

/* Whether a change is news for people. */
static bool
is_news(const struct session_task *t)
{
	if (!t->selected)
		return false;
	switch (t->state) {
	case TASK_RUNNING:
	case TASK_UP_FOR_RETRY:
	case TASK_DONE:
		return true;
	case TASK_READY:
		/* Which path lock it waits for ("`data/x.csv` is in use by ..."); else the reason is
		 * its last failure, which has been told. */
		return t->reason != NULL && strstr(t->reason, " is in use by ") != NULL;
	case TASK_WAITING:
	case TASK_PREPARING:
	case TASK_STARTING:
	case TASK_COMMITTING:
	case TASK_STATES:
		break;
	}
	return false;
}

static void
plain_changed(void *ctx, const struct session_run *r, const struct session_task *t)
{
	struct progress *p = ctx;

	if (!is_news(t))
		return;
	if (p->began > 1) {
		plain_begin(p, r->dag);
		buf_addf(&p->text, "%s: ", t->name);
	} else {
		plain_begin(p, t->name);
	}
	plain_status(p, status_for_people(t->state, t->result, true, t->allow_failure));
	if (t->attempt > 1 || t->state == TASK_UP_FOR_RETRY)
		buf_addf(&p->text, " (attempt %u)", t->attempt);
	if ((t->state == TASK_DONE || t->state == TASK_UP_FOR_RETRY) && t->attempt > 0 &&
	    t->started_us > 0) {
		buf_adds(&p->text, " after ");
		num_put_duration(&p->text, t->elapsed_us);
	}
	if (t->state == TASK_UP_FOR_RETRY) {
		int64_t wait = t->next_try_us - clock_now().wall_us;

		buf_adds(&p->text, ", next try in ");
		num_put_duration(&p->text, wait > 0 ? wait : 0);
	}
	if (t->result != RESULT_SUCCESS || t->state != TASK_DONE)
		plain_reason(p, t->reason);
	buf_addc(&p->text, '\n');
	progress_flush(p);
}

static void
plain_ended(void *ctx, const struct session_run *r)
{
	struct progress *p = ctx;

	plain_begin(p, r->dag);
	buf_addf(&p->text, "run %s ended: ", r->id);
	plain_status(p, run_result_name(r->result));
	buf_adds(&p->text, " after ");
	num_put_duration(&p->text, r->elapsed_us);
	plain_reason(p, r->reason);
	buf_addc(&p->text, '\n');
	progress_flush(p);
}

static void
plain_notice(void *ctx, enum session_notice kind, const char *text)
{
	struct progress *p = ctx;
	struct buf b;

	buf_init(&b, 0);
	cli_put_message(p->c, &b, kind == NOTICE_WARN, text);
	if (!buf_failed(&b))
		(void)outbox_put(p->messages, b.p, b.n);
	buf_release(&b);
}

const struct session_observer progress_plain_observer = {.run_began = plain_began,
							 .task_changed = plain_changed,
							 .run_ended = plain_ended,
							 .notice = plain_notice};

/* What the user must know is told all the same. */
const struct session_observer progress_none_observer = {.notice = plain_notice};
