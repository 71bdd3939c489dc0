/*
 * Watching by JSON lines, as cli/stream.h has them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/outbox.h"
#include "cli/progress_int.h"
#include "cli/stream.h"

#define PROGRESS_EVERY_US 1000000

/* What the tasks of a run have said of their progress, as far as it has been passed on. */
struct told {
	char *id;
	size_t ntasks;
	double *done;
};

static void
json_line(struct progress *p, enum stream_event event, struct stream_facts *x)
{
	struct stream_facts gap = {.lost = p->lost};

	x->at_us = gap.at_us = clock_now().wall_us;
	if (p->lost > 0 && outbox_pending(p->out) < STREAM_MAX / 2) {
		p->lost = 0;
		stream_put(&p->text, STREAM_GAP, &gap);
		progress_flush(p);
	}
	stream_put(&p->text, event, x);
	progress_flush(p);
}

/* Number of the run with that id among those of the session. */
static size_t
run_index(const struct progress *p, const char *id)
{
	struct session_run run;
	size_t i, n = session_run_count(p->session);

	for (i = 0; i < n; i++) {
		session_run_view(p->session, i, &run);
		if (strcmp(run.id, id) == 0)
			break;
	}
	return i;
}

static void
json_began(void *ctx, const struct session_run *r)
{
	struct progress *p = ctx;
	struct stream_facts x = {.run = r};
	struct session_task t;
	size_t i, k;

	json_line(p, STREAM_RUN_BEGAN, &x);
	if (!(r->resumed || r->retried) || p->session == NULL)
		return;
	i = run_index(p, r->id);
	for (k = 0; i < session_run_count(p->session) && k < r->ntasks; k++) {
		session_task_view(p->session, i, k, &t);
		x.task = &t;
		json_line(p, STREAM_TASK, &x);
	}
}

static void
json_changed(void *ctx, const struct session_run *r, const struct session_task *t)
{
	struct stream_facts x = {.run = r, .task = t};

	json_line(ctx, STREAM_TASK, &x);
}

static void
json_ended(void *ctx, const struct session_run *r)
{
	struct stream_facts x = {.run = r};

	json_line(ctx, STREAM_RUN_ENDED, &x);
}

static void
json_notice(void *ctx, enum session_notice kind, const char *text)
{
	static const char *const levels[] = {
	    [NOTICE_INFO] = "info",
	    [NOTICE_WARN] = "warning",
	    [NOTICE_SIGNAL] = "signal",
	};
	struct stream_facts x = {.level = levels[kind], .message = text};

	json_line(ctx, STREAM_NOTICE, &x);
}

/* Room to remember what the tasks of the i-th run have said. */
static double *
told_of(struct progress *p, size_t i, const struct session_run *r)
{
	struct told *v;

	if (i >= p->ntold) {
		v = reallocarray(p->told, i + 1, sizeof(*v));
		if (v == NULL)
			return NULL;
		memset(v + p->ntold, 0, (i + 1 - p->ntold) * sizeof(*v));
		p->told = v;
		p->ntold = i + 1;
	}
	if (p->told[i].done == NULL)
		p->told[i].done = calloc(r->ntasks + 1, sizeof(double));
	return p->told[i].done;
}

/* Once a second: pass on what tasks have said of their progress. */
static void
json_tick(void *ctx)
{
	struct progress *p = ctx;
	struct session_run r;
	struct session_task t;
	struct stream_facts x = {.run = &r, .task = &t};
	int64_t now = clock_now().mono_us;
	double *done;
	size_t i, k;

	if (now < p->next_us || p->session == NULL)
		return;
	p->next_us = now + PROGRESS_EVERY_US;
	for (i = 0; i < session_run_count(p->session); i++) {
		session_run_view(p->session, i, &r);
		if (r.state == RUN_DONE || (done = told_of(p, i, &r)) == NULL)
			continue;
		for (k = 0; k < r.ntasks; k++) {
			session_task_view(p->session, i, k, &t);
			if (t.state != TASK_RUNNING || t.done == done[k])
				continue;
			done[k] = t.done;
			json_line(p, STREAM_PROGRESS, &x);
		}
	}
}

void
progress_json_free(struct progress *p)
{
	size_t i;

	for (i = 0; i < p->ntold; i++)
		free(p->told[i].done);
	free(p->told);
}

const struct session_observer progress_json_observer = {.run_began = json_began,
							.task_changed = json_changed,
							.run_ended = json_ended,
							.notice = json_notice,
							.tick = json_tick};
