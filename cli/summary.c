/*
 * What is told when a run has ended.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/logview.h"
#include "cli/place.h"
#include "cli/status.h"
#include "cli/table.h"
#include "cli/work.h"
#include "scheduler/session.h"

#define FAILED_MAX 5  /* failed tasks that are told with their logs */
#define LOG_LINES  10 /* of each */
#define SLOW_MAX   3
#define SLOW_US	   1000000 /* what is faster is not worth a word */

struct summary {
	struct cli *c;
	struct work *w;
	size_t index;
	struct session_run run;
	const char *id; /* short */
	bool color;
	size_t by_result[TASK_RESULTS];
	size_t deselected, tasks, allowed, again;
	struct place place;
	struct meta_attempt *attempts; /* what the database has; may be none */
	size_t nattempts;
};

static void
count(struct summary *s)
{
	struct session_task t;
	size_t i;

	for (i = 0; i < s->run.ntasks; i++) {
		session_task_view(s->w->session, s->index, i, &t);
		if (!t.selected) {
			s->deselected++;
			continue;
		}
		s->tasks++;
		s->by_result[t.state == TASK_DONE ? t.result : RESULT_NONE]++;
		if (t.attempt > 1 && t.result == RESULT_SUCCESS)
			s->again++;
		if (t.allow_failure &&
		    (t.result == RESULT_FAILED || t.result == RESULT_LOST))
			s->allowed++;
	}
}

static void
put_counts(struct summary *s)
{
	struct buf *b = &s->c->out;
	const char *sep = "";
	int r;

	buf_addf(b, "%zu task%s: ", s->tasks, s->tasks == 1 ? "" : "s");
	for (r = RESULT_SUCCESS; r < TASK_RESULTS; r++) {
		if (s->by_result[r] == 0)
			continue;
		buf_addf(b, "%s%zu %s", sep, s->by_result[r],
			 r == RESULT_UPSTREAM_FAILED
			     ? "upstream failed"
			     : status_of_task(TASK_DONE, (enum task_result)r, true));
		sep = ", ";
	}
	if (s->by_result[RESULT_NONE] > 0)
		buf_addf(b, "%s%zu not done", sep, s->by_result[RESULT_NONE]);
	if (s->again > 0)
		buf_addf(b, "; %zu after a retry", s->again);
	if (s->deselected > 0)
		buf_addf(b, "; %zu not selected", s->deselected);
	if (s->allowed > 0)
		buf_addf(b, "; %zu failure%s allowed", s->allowed,
			 s->allowed == 1 ? "" : "s");
	buf_addc(b, '\n');
}

static void
put_head(struct summary *s)
{
	const char *status = s->run.state == RUN_DONE ? run_result_name(s->run.result)
						      : run_state_name(s->run.state);
	const char *ansi = s->color ? status_ansi(status) : NULL;
	struct buf *b = &s->c->out;

	buf_addf(b, "\n%s %s: ", s->run.dag, s->id);
	if (ansi != NULL)
		buf_addf(b, "\033[%sm%s\033[0m", ansi, status);
	else
		buf_adds(b, status);
	buf_adds(b, " after ");
	num_put_duration(b, s->run.elapsed_us);
	if (s->run.retried)
		buf_adds(b, " (since it was retried)");
	if (s->run.result != RUN_SUCCESS && s->run.reason != NULL &&
	    *s->run.reason != '\0')
		buf_addf(b, ": %s", s->run.reason);
	buf_adds(b, "\n  ");
	put_counts(s);
}

/* ---- the slowest ---- */

struct slow {
	const char *name;
	int64_t us;
};

static void
put_slowest(struct summary *s)
{
	struct slow top[SLOW_MAX] = {0};
	struct session_task t;
	size_t i, k, n = 0;

	for (i = 0; i < s->run.ntasks; i++) {
		session_task_view(s->w->session, s->index, i, &t);
		if (!t.selected || t.elapsed_us < SLOW_US)
			continue;
		for (k = n; k > 0 && top[k - 1].us < t.elapsed_us; k--)
			if (k < SLOW_MAX)
				top[k] = top[k - 1];
		if (k < SLOW_MAX)
			top[k] = (struct slow){t.name, t.elapsed_us};
		if (n < SLOW_MAX)
			n++;
	}
	if (n == 0 || s->tasks < 2)
		return;
	buf_adds(&s->c->out, "  slowest: ");
	for (i = 0; i < n; i++) {
		buf_addf(&s->c->out, "%s%s ", i > 0 ? ", " : "", top[i].name);
		num_put_duration(&s->c->out, top[i].us);
	}
	buf_addc(&s->c->out, '\n');
}

/* ---- what failed ---- */

static void
put_log(struct summary *s, const char *dir)
{
	int fd = place_attempt_dir(&s->place, dir, NULL);

	if (fd < 0)
		return;
	logview_quote(&s->c->out, fd, LOG_LINES, cli_width(STDOUT_FILENO));
	(void)close(fd);
}

static const struct meta_attempt *
attempt_of(const struct summary *s, const struct session_task *t)
{
	size_t i;

	for (i = 0; i < s->nattempts; i++)
		if (s->attempts[i].number == t->attempt && s->attempts[i].map == t->map &&
		    strcmp(s->attempts[i].task, t->name) == 0)
			return &s->attempts[i];
	return NULL;
}

/* Print the failed tasks; return the name of the first one that has a log. */
static const char *
put_failed(struct summary *s)
{
	const struct meta_attempt *at;
	const char *first = NULL;
	struct session_task t;
	size_t i, n = 0;

	for (i = 0; i < s->run.ntasks; i++) {
		session_task_view(s->w->session, s->index, i, &t);
		if (t.state != TASK_DONE ||
		    (t.result != RESULT_FAILED && t.result != RESULT_LOST))
			continue;
		if (++n > FAILED_MAX)
			continue;
		buf_addf(&s->c->out, "\n  %s%s%s", s->color ? "\033[31m" : "", t.name,
			 s->color ? "\033[0m" : "");
		if (t.attempt > 1)
			buf_addf(&s->c->out, " (attempt %u)", t.attempt);
		if (t.reason != NULL && *t.reason != '\0')
			buf_addf(&s->c->out, ": %s", t.reason);
		buf_adds(&s->c->out, t.allow_failure ? " (allowed)\n" : "\n");
		at = attempt_of(s, &t);
		if (at == NULL || at->dir == NULL || *at->dir == '\0')
			continue;
		if (first == NULL)
			first = t.name;
		put_log(s, at->dir);
	}
	if (n > FAILED_MAX)
		buf_addf(&s->c->out, "\n  and %zu more\n", n - FAILED_MAX);
	return first;
}

static void
put_command(struct summary *s, const char *verb, const char *task)
{
	buf_adds(&s->c->out, "  ");
	place_put_dag(s->c, s->w->project, &s->c->out);
	buf_addf(&s->c->out, " %s %s%s%s\n", verb, s->id, task != NULL ? " " : "",
		 task != NULL ? task : "");
}

static void
put_next(struct summary *s, const char *failed)
{
	buf_adds(&s->c->out, "\nNext:\n");
	if (s->run.result == RUN_SUCCESS) {
		put_command(s, "runs", NULL);
		put_command(s, "logs", NULL);
		return;
	}
	if (failed != NULL)
		put_command(s, "logs", failed);
	put_command(s, "explain", NULL);
	put_command(s, "retry", NULL);
}

void
summary_put(struct work *w, size_t index)
{
	struct summary s = {.c = w->c, .w = w, .index = index};
	const char *failed;
	struct err err;

	session_run_view(w->session, index, &s.run);
	s.id = text_short_id(s.run.id);
	s.color = cli_color(w->c, STDOUT_FILENO);
	count(&s);
	/* Without the database the logs are left out; the rest the session knows. */
	if (place_open_at(w->project, &s.place, &err) != 0 || s.place.meta == NULL ||
	    meta_attempts(s.place.meta, s.run.id, s.place.arena, &s.attempts,
			  &s.nattempts, &err) != 0)
		s.nattempts = 0;
	put_head(&s);
	put_slowest(&s);
	failed = put_failed(&s);
	put_next(&s, failed);
	text_wrap(&w->c->out, 0, cli_width(STDOUT_FILENO));
	(void)cli_flush(w->c);
	place_close(&s.place);
}
