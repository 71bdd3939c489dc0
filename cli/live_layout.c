#include <string.h>

#include "base/buf.h"
#include "base/textwidth.h"
#include "cli/live_int.h"
#include "cli/status.h"
#include "cli/table.h"
#include "scheduler/session.h"

#define LATEST_MAX 128 /* failures that are told apart by when they happened */

/* Tasks of a run by the word they are shown with. */
struct counts {
	size_t active, ready, retry, waiting;
	size_t by_result[TASK_RESULTS];
	size_t allowed; /* failures that are none of the run's, not in by_result */
	size_t selected, done;
	size_t by_rank[RANK_REST + 1];
};

static void
count(struct counts *n, const struct session_task *t)
{
	enum live_rank rank = live_rank(t);

	if (!t->selected)
		return;
	n->selected++;
	n->by_rank[rank]++;
	switch (rank) {
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
	if (t->allow_failure && rank == RANK_FAILED)
		n->allowed++;
	else
		n->by_result[t->result]++;
}

/* What is left when those of ${b} are taken out. */
static void
subtract(struct counts *a, const struct counts *b)
{
	int i;

	a->active -= b->active;
	a->ready -= b->ready;
	a->retry -= b->retry;
	a->waiting -= b->waiting;
	a->allowed -= b->allowed;
	for (i = 0; i < TASK_RESULTS; i++)
		a->by_result[i] -= b->by_result[i];
}

static void
put_count(struct live_line *l, size_t n, const char *word, bool *first)
{
	struct buf b;

	if (n == 0)
		return;
	buf_init(&b, 256);
	buf_addf(&b, "%s%zu %s", *first ? "" : ", ", n, word);
	*first = false;
	line_put(l, b.p, NULL);
	buf_release(&b);
}

static void
put_counts(struct live_line *l, const struct counts *n)
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

/* "demo 6/9 1 failed 12s" */
static void
put_head_narrow(const struct live_view *v, const struct live_run *r,
		const struct counts *n, struct live_line *l)
{
	size_t failed = n->by_result[RESULT_FAILED] + n->by_result[RESULT_LOST];
	unsigned name = text_columns(r->run->dag, strlen(r->run->dag));
	unsigned most = v->width > 24 ? v->width - 16 : v->width / 2;
	struct buf b;

	buf_init(&b, 0);
	line_field(l, r->run->dag, name < most ? name : most, "1");
	buf_addf(&b, " %zu/%zu", n->done, n->selected);
	line_put(l, b.p, NULL);
	buf_clear(&b);
	if (failed > 0)
		buf_addf(&b, " %zu failed", failed);
	line_put(l, b.p, status_ansi("failed"));
	buf_clear(&b);
	buf_addc(&b, ' ');
	live_put_time(&b, r->run->elapsed_us, r->run->state != RUN_DONE);
	line_put(l, b.p, NULL);
	buf_release(&b);
}

/* "demo 3f2a1b7c  running 12s  6 of 9 done" */
static void
put_head_wide(const struct live_run *r, const struct counts *n, struct live_line *l)
{
	const char *status =
	    r->run->state == RUN_DONE ? run_result_name(r->run->result) : "running";
	size_t failed = n->by_result[RESULT_FAILED] + n->by_result[RESULT_LOST];
	struct buf b;

	buf_init(&b, 0);
	line_put(l, r->run->dag, "1");
	line_put(l, " ", NULL);
	line_put(l, text_short_id(r->run->id), NULL);
	line_put(l, "  ", NULL);
	line_put(l, status, status_ansi(status));
	buf_addc(&b, ' ');
	live_put_time(&b, r->run->elapsed_us, r->run->state != RUN_DONE);
	buf_addf(&b, "%s%zu of %zu done", b.n > 1 ? "  " : " ", n->done, n->selected);
	if (failed > 0)
		buf_addf(&b, ", %zu failed", failed);
	if (n->allowed > 0)
		buf_addf(&b, ", %zu failed (allowed)", n->allowed);
	line_put(l, b.p, NULL);
	buf_release(&b);
}

static void
put_head(const struct live_view *v, const struct live_run *r, const struct counts *n,
	 struct buf *out)
{
	struct live_line l = {out, v->width, v->color};

	if (v->width < NARROW)
		put_head_narrow(v, r, n, &l);
	else
		put_head_wide(r, n, &l);
	line_end(&l);
}

/* As wide as the longest name, but leave room for the rest. */
static unsigned
name_width(const struct live_view *v, const struct live_run *r)
{
	unsigned width = v->width < NARROW ? 1 : NAME_MIN, n, most = v->width / 3;
	size_t i;

	/* On a narrow terminal the name takes what its status leaves, and the time, if it can. */
	if (v->width < NARROW)
		most = v->width > 2 * STATUS_NARROW + TIME_LEN
			   ? v->width - STATUS_NARROW - TIME_LEN - 3
		       : v->width > STATUS_NARROW + NAME_MIN - 1
			   ? v->width - STATUS_NARROW - 2
			   : NAME_MIN;

	for (i = 0; i < r->ntasks; i++) {
		size_t len = strlen(r->tasks[i].name);

		/* No character takes more columns than bytes. */
		if (!r->tasks[i].selected || len <= width)
			continue;
		n = text_columns(r->tasks[i].name, len);
		width = n > width ? n : width;
	}
	return width > most && most >= NAME_MIN ? most : width;
}

/* How many tasks of each rank are shown where not all fit. */
struct share {
	unsigned rows[RANK_REST + 1];
	int64_t failed_since; /* wall: failures of that time and later are shown */
};

/* The end of the k-th last failure; all are shown if there are not more. */
static int64_t
kth_failure(const struct live_run *r, unsigned k)
{
	int64_t last[LATEST_MAX]; /* the latest first */
	unsigned n = 0, at;
	size_t i;

	k = k < LATEST_MAX ? k : LATEST_MAX;
	for (i = 0; i < r->ntasks && k > 0; i++) {
		const struct session_task *t = &r->tasks[i];

		if (!t->selected || live_rank(t) != RANK_FAILED ||
		    (n == k && t->ended_us <= last[n - 1]))
			continue;
		at = n < k ? n++ : n - 1;
		for (; at > 0 && last[at - 1] < t->ended_us; at--)
			last[at] = last[at - 1];
		last[at] = t->ended_us;
	}
	return n > 0 && n == k ? last[n - 1] : INT64_MIN;
}

/* Divide the rows: a third is kept for failures, which must not be hidden by what runs. */
static void
divide(const struct live_run *r, const size_t *want, unsigned rows, struct share *s)
{
	size_t failed = want[RANK_FAILED];
	unsigned kept;
	int rank;

	kept = rows > 1 ? (rows + 2) / 3 : 0;
	kept = failed < kept ? (unsigned)failed : kept;
	*s = (struct share){0};
	for (rank = RANK_ACTIVE; rank < RANK_REST; rank++) {
		unsigned room = rank == RANK_ACTIVE ? rows - kept : rows;

		s->rows[rank] = want[rank] < room ? (unsigned)want[rank] : room;
		rows -= s->rows[rank];
	}
	s->failed_since = failed > s->rows[RANK_FAILED]
			      ? kth_failure(r, s->rows[RANK_FAILED])
			      : INT64_MIN;
}

/* Not all of them: by rank, the last line has the rest in numbers. */
static void
put_some(const struct live_view *v, const struct live_run *r, const struct counts *all,
	 unsigned lines, struct buf *out)
{
	struct live_line l = {out, v->width, v->color};
	unsigned width = name_width(v, r), rows;
	struct counts rest = *all, shown = {0};
	struct share share;
	size_t i;
	int rank;

	divide(r, all->by_rank, lines - 1, &share);
	for (rank = RANK_ACTIVE; rank < RANK_REST; rank++) {
		rows = share.rows[rank];
		for (i = 0; rows > 0 && i < r->ntasks; i++) {
			const struct session_task *t = &r->tasks[i];

			if (!t->selected || live_rank(t) != (enum live_rank)rank ||
			    (rank == RANK_FAILED && t->ended_us < share.failed_since))
				continue;
			live_put_task(v, r, t, width, out);
			count(&shown, t);
			rows--;
		}
	}
	subtract(&rest, &shown);
	line_gap(&l, v->width < NARROW ? 1 : 2);
	line_put(&l, shown.selected > 0 ? "and " : "", NULL);
	put_counts(&l, &rest);
	line_end(&l);
}

/* The tasks of a run in at most that many lines. */
static void
put_tasks(const struct live_view *v, const struct live_run *r, const struct counts *all,
	  unsigned lines, struct buf *out)
{
	unsigned width;
	size_t i;

	if (all->selected > lines) {
		if (lines > 0)
			put_some(v, r, all, lines, out);
		return;
	}
	width = name_width(v, r);
	for (i = 0; i < r->ntasks; i++)
		if (r->tasks[i].selected)
			live_put_task(v, r, &r->tasks[i], width, out);
}

void
live_layout(const struct live_view *v, struct buf *out)
{
	size_t i, t, shown, left = v->height, lines, want;
	struct counts n;
	struct live_line l = {out, v->width, v->color};
	bool first = true;

	shown = v->nruns <= v->height ? v->nruns : v->height - 1;
	for (i = 0; i < shown; i++) {
		/* Every run has its head; what is left is divided among those that follow. */
		lines = (left - (shown - i) - (shown < v->nruns)) / (shown - i);
		want = v->runs[i].ntasks;
		lines = lines < want ? lines : want;
		memset(&n, 0, sizeof(n));
		for (t = 0; t < v->runs[i].ntasks; t++)
			count(&n, &v->runs[i].tasks[t]);
		put_head(v, &v->runs[i], &n, out);
		put_tasks(v, &v->runs[i], &n, (unsigned)lines, out);
		left -= 1 + lines;
	}
	if (shown < v->nruns) {
		put_count(&l, v->nruns - shown, "more runs", &first);
		line_end(&l);
	}
}
