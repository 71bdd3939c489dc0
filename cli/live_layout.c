#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/textwidth.h"
#include "cli/live.h"
#include "cli/status.h"
#include "cli/table.h"
#include "scheduler/session.h"

#define NAME_MIN   8
#define STATUS_LEN 16 /* "failed (allowed)" */
#define TIME_LEN   7
#define BAR_MIN	   10
#define BAR_MAX	   30

/* In which order tasks are shown when not all of them fit. */
enum rank { RANK_ACTIVE, RANK_FAILED, RANK_RETRY, RANK_READY, RANK_REST };

/* One line being written: what still fits. */
struct line {
	struct buf *out;
	unsigned left;
	bool color;
};

static void
put(struct line *l, const char *text, const char *ansi)
{
	if (l->left == 0 || *text == '\0')
		return;
	if (l->color && ansi != NULL)
		buf_addf(l->out, "\033[%sm", ansi);
	l->left -= text_fit(l->out, text, l->left);
	if (l->color && ansi != NULL)
		buf_adds(l->out, "\033[0m");
}

/* The text in a field of its own, cut or filled up. */
static void
put_field(struct line *l, const char *text, unsigned width, const char *ansi)
{
	struct line field = {l->out, width < l->left ? width : l->left, l->color};
	unsigned room = field.left;

	put(&field, text, ansi);
	while (field.left > 0) {
		buf_addc(l->out, ' ');
		field.left--;
	}
	l->left -= room;
}

static void
put_gap(struct line *l, unsigned n)
{
	put_field(l, "", n, NULL);
}

static void
end_line(struct line *l)
{
	while (l->out->n > 0 && l->out->p[l->out->n - 1] == ' ')
		buf_truncate(l->out, l->out->n - 1);
	buf_addc(l->out, '\n');
}

static enum rank
rank_of(const struct session_task *t)
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

/* Tasks of a run by the word they are shown with. */
struct counts {
	size_t active, ready, retry, waiting;
	size_t by_result[TASK_RESULTS];
	size_t allowed; /* failures that are none of the run's, not in by_result */
	size_t selected, done;
};

static void
count(struct counts *n, const struct session_task *t)
{
	if (!t->selected)
		return;
	n->selected++;
	switch (rank_of(t)) {
	case RANK_ACTIVE:
		n->active++;
		return;
	case RANK_RETRY:
		n->retry++;
		return;
	case RANK_READY:
	case RANK_FAILED:
	case RANK_REST:
		break;
	}
	if (t->state == TASK_READY) {
		n->ready++;
		return;
	}
	if (t->state != TASK_DONE) {
		n->waiting++;
		return;
	}
	n->done++;
	if (t->allow_failure && rank_of(t) == RANK_FAILED)
		n->allowed++;
	else
		n->by_result[t->result]++;
}

static void
put_count(struct line *l, size_t n, const char *word, bool *first)
{
	struct buf b;

	if (n == 0)
		return;
	buf_init(&b, 256);
	buf_addf(&b, "%s%zu %s", *first ? "" : ", ", n, word);
	*first = false;
	put(l, b.p, NULL);
	buf_release(&b);
}

static void
put_counts(struct line *l, const struct counts *n)
{
	bool first = true;
	int r;

	put_count(l, n->active, "running", &first);
	put_count(l, n->by_result[RESULT_FAILED], "failed", &first);
	put_count(l, n->by_result[RESULT_LOST], "lost", &first);
	put_count(l, n->allowed, "failed (allowed)", &first);
	put_count(l, n->retry, "up for retry", &first);
	put_count(l, n->ready, "ready", &first);
	put_count(l, n->waiting, "waiting", &first);
	for (r = RESULT_SUCCESS; r < TASK_RESULTS; r++)
		if (r != RESULT_FAILED && r != RESULT_LOST)
			put_count(l, n->by_result[r],
				  r == RESULT_UPSTREAM_FAILED ? "upstream failed"
				  : r == RESULT_CACHED
				      ? "unchanged"
				      : task_result_name((enum task_result)r),
				  &first);
}

/* "demo 3f2a1b7c  running 12s  6 of 9 done" */
static void
put_head(const struct live_view *v, const struct live_run *r, struct buf *out)
{
	struct line l = {out, v->width, v->color};
	const char *status =
	    r->run->state == RUN_DONE ? run_result_name(r->run->result) : "running";
	struct counts n = {0};
	struct buf b;
	size_t i;

	for (i = 0; i < r->ntasks; i++)
		count(&n, &r->tasks[i]);
	buf_init(&b, 0);
	put(&l, r->run->dag, "1");
	put(&l, " ", NULL);
	put(&l, text_short_id(r->run->id), NULL);
	put(&l, "  ", NULL);
	put(&l, status, status_ansi(status));
	buf_addc(&b, ' ');
	num_put_duration(&b, r->run->elapsed_us);
	buf_addf(&b, "  %zu of %zu done", n.done, n.selected);
	if (n.by_result[RESULT_FAILED] + n.by_result[RESULT_LOST] > 0)
		buf_addf(&b, ", %zu failed",
			 n.by_result[RESULT_FAILED] + n.by_result[RESULT_LOST]);
	if (n.allowed > 0)
		buf_addf(&b, ", %zu failed (allowed)", n.allowed);
	put(&l, b.p, NULL);
	buf_release(&b);
	end_line(&l);
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
put_bar(struct line *l, double part, unsigned words)
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
	put(l, b.p, NULL);
	buf_release(&b);
}

/* "[####----]  52% 1.2k/s ETA 7s", or without a total "1.2k, 300/s". */
static void
put_progress(struct line *l, const struct session_task *t)
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
	put(l, b.p, NULL);
	buf_release(&b);
}

static bool
has_reason(const struct session_task *t)
{
	return t->reason != NULL && *t->reason != '\0';
}

/* What there is to say about a task behind its time. */
static void
put_rest(struct line *l, const struct live_view *v, const struct session_task *t)
{
	struct buf b;

	buf_init(&b, 0);
	if (t->attempt > 1)
		buf_addf(&b, "attempt %u  ", t->attempt);
	if (t->state == TASK_UP_FOR_RETRY) {
		buf_adds(&b, "next try in ");
		num_put_duration(
		    &b, t->next_try_us > v->now_us ? t->next_try_us - v->now_us : 0);
		buf_adds(&b, has_reason(t) ? ": " : "");
	}
	put(l, b.p, NULL);
	buf_release(&b);
	if (rank_of(t) == RANK_ACTIVE && (t->total > 0 || t->done > 0))
		put_progress(l, t);
	else if (has_reason(t) && !(t->state == TASK_DONE && t->result == RESULT_SUCCESS))
		put(l, t->reason, NULL);
}

static void
put_task(const struct live_view *v, const struct session_task *t, unsigned name,
	 struct buf *out)
{
	struct line l = {out, v->width, v->color};
	const char *status =
	    status_for_people(t->state, t->result, t->selected, t->allow_failure);
	struct buf b;

	buf_init(&b, 0);
	if (t->attempt > 0 && t->elapsed_us > 0)
		num_put_duration(&b, t->elapsed_us);
	put_gap(&l, 2);
	put_field(&l, t->name, name, NULL);
	put_gap(&l, 2);
	put_field(&l, status, STATUS_LEN, status_ansi(status));
	put_gap(&l, 1);
	put_field(&l, b.p, TIME_LEN, NULL);
	put_gap(&l, 1);
	put_rest(&l, v, t);
	end_line(&l);
	buf_release(&b);
}

/* As wide as the longest name, but leave room for the rest. */
static unsigned
name_width(const struct live_view *v, const struct live_run *r)
{
	unsigned width = NAME_MIN, n, most = v->width / 3;
	size_t i;

	for (i = 0; i < r->ntasks; i++) {
		n = text_columns(r->tasks[i].name, strlen(r->tasks[i].name));
		if (r->tasks[i].selected && n > width)
			width = n;
	}
	return width > most && most >= NAME_MIN ? most : width;
}

/* The tasks of a run in at most that many lines. */
static void
put_tasks(const struct live_view *v, const struct live_run *r, unsigned lines,
	  struct buf *out)
{
	unsigned width = name_width(v, r), rows = 0;
	struct counts rest = {0};
	size_t i, selected = 0;
	int rank;

	for (i = 0; i < r->ntasks; i++)
		selected += r->tasks[i].selected;
	if (selected <= lines) {
		for (i = 0; i < r->ntasks; i++)
			if (r->tasks[i].selected)
				put_task(v, &r->tasks[i], width, out);
		return;
	}
	if (lines == 0)
		return;
	for (rank = RANK_ACTIVE; rank <= RANK_REST; rank++) {
		for (i = 0; i < r->ntasks; i++) {
			if (!r->tasks[i].selected ||
			    rank_of(&r->tasks[i]) != (enum rank)rank)
				continue;
			if (rank == RANK_REST || rows + 1 >= lines) {
				count(&rest, &r->tasks[i]);
			} else {
				put_task(v, &r->tasks[i], width, out);
				rows++;
			}
		}
	}
	if (rest.selected > 0) {
		struct line l = {out, v->width, v->color};

		put_gap(&l, 2);
		put(&l, rows > 0 ? "and " : "", NULL);
		put_counts(&l, &rest);
		end_line(&l);
	}
}

void
live_layout(const struct live_view *v, struct buf *out)
{
	size_t i, shown, left = v->height, lines, want;
	struct line l = {out, v->width, v->color};
	bool first = true;

	shown = v->nruns <= v->height ? v->nruns : v->height - 1;
	for (i = 0; i < shown; i++) {
		/* Every run has its head; what is left is divided among those that follow. */
		lines = (left - (shown - i) - (shown < v->nruns)) / (shown - i);
		want = v->runs[i].ntasks;
		lines = lines < want ? lines : want;
		put_head(v, &v->runs[i], out);
		put_tasks(v, &v->runs[i], (unsigned)lines, out);
		left -= 1 + lines;
	}
	if (shown < v->nruns) {
		put_count(&l, v->nruns - shown, "more runs", &first);
		end_line(&l);
	}
}
