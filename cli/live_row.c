/*
 * One row of the live table, and the lines that all of it is made of.
 */
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/textwidth.h"
#include "cli/live_int.h"
#include "cli/status.h"
#include "cli/table.h"
#include "scheduler/session.h"

#define BAR_MIN 10
#define BAR_MAX 30

void
line_put(struct live_line *l, const char *text, const char *ansi)
{
	if (l->left == 0 || *text == '\0')
		return;
	if (l->color && ansi != NULL)
		buf_addf(l->out, "\033[%sm", ansi);
	l->left -= text_fit(l->out, text, l->left);
	if (l->color && ansi != NULL)
		buf_adds(l->out, "\033[0m");
}

void
line_field(struct live_line *l, const char *text, unsigned width, const char *ansi)
{
	struct live_line field = {l->out, width < l->left ? width : l->left, l->color};
	unsigned room = field.left;

	line_put(&field, text, ansi);
	while (field.left > 0) {
		buf_addc(l->out, ' ');
		field.left--;
	}
	l->left -= room;
}

void
line_gap(struct live_line *l, unsigned n)
{
	line_field(l, "", n, NULL);
}

void
line_end(struct live_line *l)
{
	while (l->out->n > 0 && l->out->p[l->out->n - 1] == ' ')
		buf_truncate(l->out, l->out->n - 1);
	buf_addc(l->out, '\n');
}

void
live_put_time(struct buf *b, int64_t us, bool running)
{
	if (running && us < US_PER_SEC)
		return;
	if (running && us < 60 * US_PER_SEC)
		buf_addf(b, "%ds", (int)(us / US_PER_SEC));
	else
		num_put_duration(b, us);
}

enum live_rank
live_rank(const struct session_task *t)
{
	switch (t->state) {
	case TASK_PREPARING:
	case TASK_STARTING:
	case TASK_RUNNING:
	case TASK_COMMITTING:
		return RANK_ACTIVE;
	case TASK_UP_FOR_RETRY:
		return RANK_RETRY;
	case TASK_READY:
		/* Why it does not start is worth a line; that there is no slot is not. */
		return t->reason != NULL && strstr(t->reason, " is in use by ") != NULL
			   ? RANK_READY
			   : RANK_REST;
	case TASK_DONE:
		return t->result == RESULT_FAILED || t->result == RESULT_LOST
			   ? RANK_FAILED
			   : RANK_REST;
	case TASK_WAITING:
	case TASK_STATES:
		break;
	}
	return RANK_REST;
}

/* "1.2k" */
static void
put_number(struct buf *b, double x)
{
	static const char units[] = {'\0', 'k', 'M', 'G', 'T', 'P'};
	size_t u = 0;

	while (x >= 1000 && u + 1 < sizeof(units)) {
		x /= 1000;
		u++;
	}
	if (u == 0 && x >= 10)
		buf_addf(b, "%.0f", x);
	else
		buf_addf(b, "%.*f", x >= 100 ? 0 : 1, x);
	if (units[u] != '\0')
		buf_addc(b, units[u]);
}

/* Room that is left for the bar once the words behind it are written. */
static void
put_bar(struct live_line *l, double part, unsigned words)
{
	unsigned width, full, i;
	struct buf b;

	if (l->left < words + BAR_MIN + 3)
		return;
	width = l->left - words - 3;
	if (width > BAR_MAX)
		width = BAR_MAX;
	full = (unsigned)(part * width);
	buf_init(&b, 0);
	buf_addc(&b, '[');
	for (i = 0; i < width; i++)
		buf_addc(&b, i < full ? '#' : '-');
	buf_adds(&b, "] ");
	line_put(l, b.p, NULL);
	buf_release(&b);
}

/* "[####----]  52% 1.2k/s ETA 7s", or without a total "1.2k, 300/s". */
static void
put_progress(struct live_line *l, const struct session_task *t)
{
	double secs = (double)t->elapsed_us / 1e6, rate, part = 0;
	struct buf b;

	rate = secs > 0 && t->done > 0 ? t->done / secs : 0;
	buf_init(&b, 0);
	if (t->total > 0) {
		part = t->done / t->total;
		part = part < 0 ? 0 : part > 1 ? 1 : part;
		buf_addf(&b, "%3d%%", (int)(part * 100));
	} else {
		put_number(&b, t->done);
	}
	if (rate > 0) {
		buf_addc(&b, ' ');
		put_number(&b, rate);
		buf_adds(&b, "/s");
	}
	if (rate > 0 && part > 0 && part < 1 && (t->total - t->done) / rate < 1e9) {
		buf_adds(&b, " ETA ");
		num_put_duration(&b, (int64_t)((t->total - t->done) / rate) * 1000000);
	}
	if (t->total > 0)
		put_bar(l, part, text_columns(b.p, b.n));
	line_put(l, b.p, NULL);
	buf_release(&b);
}

static bool
has_reason(const struct session_task *t)
{
	return t->reason != NULL && *t->reason != '\0';
}

/* "for fetch, clean": the tasks that a waiting one waits for. */
static void
put_waits(struct live_line *l, const struct live_run *r, const struct session_task *t)
{
	bool first = true;
	size_t i;

	for (i = 0; i < t->nup && l->left > 0; i++) {
		const struct session_task *up = &r->tasks[t->up[i]];

		if (up->state == TASK_DONE)
			continue;
		line_put(l, first ? "for " : ", ", NULL);
		line_put(l, up->name, NULL);
		first = false;
	}
}

/* Until the next try, in seconds that have begun. */
static void
put_countdown(struct buf *b, const struct live_view *v, const struct session_task *t)
{
	int64_t left = t->next_try_us - v->now_us + US_PER_SEC - 1;

	live_put_time(b, left > US_PER_SEC ? left : US_PER_SEC, true);
}

/* What there is to say about a task behind its time. */
static void
put_rest(struct live_line *l, const struct live_view *v, const struct live_run *r,
	 const struct session_task *t)
{
	struct buf b;

	buf_init(&b, 0);
	if (t->attempt > 1 && v->width >= NARROW)
		buf_addf(&b, "attempt %u  ", t->attempt);
	if (t->state == TASK_UP_FOR_RETRY && v->width >= NARROW) {
		buf_adds(&b, "next try in ");
		put_countdown(&b, v, t);
		buf_adds(&b, has_reason(t) ? ": " : "");
	}
	line_put(l, b.p, NULL);
	buf_release(&b);
	if (live_rank(t) == RANK_ACTIVE && (t->total > 0 || t->done > 0))
		put_progress(l, t);
	else if (has_reason(t) && !(t->state == TASK_DONE && t->result == RESULT_SUCCESS))
		line_put(l, t->reason, NULL);
	else if (t->state == TASK_WAITING)
		put_waits(l, r, t);
}

/* "clean_or… retry     2s", as far as there is room. */
static void
put_task_narrow(const struct session_task *t, unsigned name, const char *status,
		const char *time, struct live_line *l)
{
	static const char *const words[][2] = {{"up_for_retry", "retry"},
					       {"upstream_failed", "upstream"},
					       {"committing", "saving"},
					       {"failed (allowed)", "allowed"},
					       {"lost (allowed)", "allowed"}};
	const char *word = status;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], status) == 0)
			word = words[i][1];
	line_gap(l, 1);
	line_field(l, t->name, name, NULL);
	line_gap(l, 1);
	line_field(l, word, STATUS_NARROW, status_ansi(status));
	line_gap(l, 1);
	line_field(l, time, TIME_LEN - 1, NULL);
	line_gap(l, 1);
}

void
live_put_task(const struct live_view *v, const struct live_run *r,
	      const struct session_task *t, unsigned name, struct buf *out)
{
	struct live_line l = {out, v->width, v->color};
	const char *status =
	    status_for_people(t->state, t->result, t->selected, t->allow_failure);
	struct buf b;

	buf_init(&b, 0);
	/* Where there is no room for more, a task that is tried again says only when. */
	if (t->state == TASK_UP_FOR_RETRY && v->width < NARROW)
		put_countdown(&b, v, t);
	else if (t->attempt > 0 && t->elapsed_us > 0)
		live_put_time(&b, t->elapsed_us, live_rank(t) == RANK_ACTIVE);
	if (v->width < NARROW) {
		put_task_narrow(t, name, status, b.p, &l);
		put_rest(&l, v, r, t);
		line_end(&l);
		buf_release(&b);
		return;
	}
	line_gap(&l, 2);
	line_field(&l, t->name, name, NULL);
	line_gap(&l, 2);
	line_field(&l, status, STATUS_LEN, status_ansi(status));
	line_gap(&l, 1);
	line_field(&l, b.p, TIME_LEN, NULL);
	line_gap(&l, 1);
	put_rest(&l, v, r, t);
	line_end(&l);
	buf_release(&b);
}
