#include "cli/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/num.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/live.h"
#include "cli/status.h"
#include "cli/table.h"
#include "scheduler/session.h"

const char *const progress_names[] = {
    [PROGRESS_LIVE] = "live", [PROGRESS_PLAIN] = "plain", [PROGRESS_JSON] = "json",
    [PROGRESS_NONE] = "none", [PROGRESS_NONE + 1] = NULL,
};

struct progress {
	struct cli *c;
	enum progress_mode mode;
	int fd;
	bool color;
	struct session_observer observer;
	struct session *session;
	struct live_term *term;
	struct session_task *tasks; /* room for those of all runs */
	struct session_run *runs;
	struct live_run *rows;
	size_t ntasks_max, nruns_max;
	size_t began; /* runs, as far as plain lines have told of them */
	struct buf text;
};

/* Write what is in p->text.  Where nobody reads any more, the run goes on in silence. */
static void
flush(struct progress *p)
{
	if (p->mode == PROGRESS_PLAIN)
		text_wrap(&p->text, 0, cli_width(p->fd));
	if (p->fd == STDOUT_FILENO) {
		buf_add(&p->c->out, p->text.p, p->text.n);
		(void)cli_flush(p->c);
	} else {
		(void)fsio_write_all(p->fd, p->text.p, p->text.n);
	}
	buf_clear(&p->text);
}

/* ---- live ---- */

static bool
reserve(struct progress *p, size_t nruns, size_t ntasks)
{
	void *v;

	if (nruns > p->nruns_max) {
		v = reallocarray(p->runs, nruns, sizeof(*p->runs));
		if (v == NULL)
			return false;
		p->runs = v;
		v = reallocarray(p->rows, nruns, sizeof(*p->rows));
		if (v == NULL)
			return false;
		p->rows = v;
		p->nruns_max = nruns;
	}
	if (ntasks > p->ntasks_max) {
		v = reallocarray(p->tasks, ntasks, sizeof(*p->tasks));
		if (v == NULL)
			return false;
		p->tasks = v;
		p->ntasks_max = ntasks;
	}
	return true;
}

/* Ask the session how things stand.  Runs without tasks are those of others, of which it only
 * records the end.  Without memory the old picture stays. */
static bool
look(struct progress *p, struct live_view *v)
{
	size_t nruns, ntasks = 0, i, t, at = 0;
	struct session_run run;

	if (p->session == NULL)
		return false;
	nruns = session_run_count(p->session);
	for (i = 0; i < nruns; i++) {
		session_run_view(p->session, i, &run);
		ntasks += run.ntasks;
	}
	if (ntasks == 0 || !reserve(p, nruns, ntasks))
		return false;
	v->nruns = 0;
	for (i = 0; i < nruns; i++) {
		struct session_run *r = &p->runs[v->nruns];

		session_run_view(p->session, i, r);
		if (r->ntasks == 0)
			continue;
		p->rows[v->nruns++] = (struct live_run){r, p->tasks + at, r->ntasks};
		for (t = 0; t < r->ntasks; t++)
			session_task_view(p->session, i, t, &p->tasks[at++]);
	}
	v->runs = p->rows;
	v->now_us = clock_now().wall_us;
	v->color = p->color;
	live_term_size(p->term, &v->width, &v->height);
	/* The last column stays free (terminals differ in what they do behind it), and so
	 * does one line, for what is typed. */
	if (v->width > 1)
		v->width--;
	if (v->height > 1)
		v->height--;
	return true;
}

static void
live_tick(void *ctx)
{
	struct progress *p = ctx;
	struct live_view v;

	if (!look(p, &v))
		return;
	buf_clear(&p->text);
	live_layout(&v, &p->text);
	if (!buf_failed(&p->text) && live_term_draw(p->term, p->text.p) != 0 &&
	    p->fd == STDOUT_FILENO && p->c->out_errno == 0)
		p->c->out_errno = errno;
	buf_clear(&p->text);
}

static void
live_notice(void *ctx, enum session_notice kind, const char *text)
{
	struct progress *p = ctx;

	buf_clear(&p->text);
	buf_addf(&p->text, "dag: %s%s\n", kind == NOTICE_WARN ? "warning: " : "", text);
	(void)live_term_print(p->term, p->text.p);
}

static void
live_resized(void *ctx, bool continued)
{
	struct progress *p = ctx;

	live_term_resized(p->term, continued);
}

/* ---- plain ---- */

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
	flush(p);
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
	flush(p);
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
	flush(p);
}

static void
plain_notice(void *ctx, enum session_notice kind, const char *text)
{
	struct progress *p = ctx;

	if (kind == NOTICE_WARN)
		cli_warn(p->c, "%s", text);
	else
		cli_note(p->c, "%s", text);
}

/* ---- JSON lines ---- */

static void
json_begin(struct progress *p, struct json_writer *w, const char *event)
{
	json_init(w, &p->text, 0);
	json_begin_object(w);
	json_kv_str(w, "event", event);
	json_kv_time(w, "at", clock_now().wall_us);
}

static void
json_finish(struct progress *p, struct json_writer *w)
{
	json_end(w);
	buf_addc(&p->text, '\n');
	flush(p);
}

static void
kv_seconds(struct json_writer *w, const char *key, int64_t us)
{
	json_key(w, key);
	json_double(w, (double)us / 1e6);
}

static void
json_began(void *ctx, const struct session_run *r)
{
	struct progress *p = ctx;
	struct json_writer w;

	json_begin(p, &w, "run_began");
	json_kv_str(&w, "run", r->id);
	json_kv_str(&w, "dag", r->dag);
	json_kv_str(&w, "file", r->file);
	json_kv_time(&w, "logical_date", r->logical_us);
	json_kv_int(&w, "tasks", (int64_t)r->ntasks);
	json_kv_bool(&w, "resumed", r->resumed);
	json_kv_bool(&w, "retried", r->retried);
	json_finish(p, &w);
}

static void
json_changed(void *ctx, const struct session_run *r, const struct session_task *t)
{
	struct progress *p = ctx;
	struct json_writer w;

	json_begin(p, &w, "task");
	json_kv_str(&w, "run", r->id);
	json_kv_str(&w, "task", t->name);
	json_kv_int(&w, "map", t->map);
	json_kv_str(&w, "state", task_state_name(t->state));
	json_kv_str(&w, "result",
		    t->state == TASK_DONE ? task_result_name(t->result) : NULL);
	json_kv_int(&w, "attempt", t->attempt);
	json_kv_int(&w, "tries", t->tries);
	json_kv_int(&w, "retries", t->retries);
	json_kv_str(&w, "reason", t->reason);
	json_kv_time(&w, "started_at", t->started_us);
	json_kv_time(&w, "ended_at", t->ended_us);
	kv_seconds(&w, "elapsed_s", t->elapsed_us);
	json_kv_time(&w, "next_try_at", t->next_try_us);
	if (t->total > 0 || t->done > 0) {
		json_key(&w, "done");
		json_double(&w, t->done);
		json_key(&w, "total");
		if (t->total > 0)
			json_double(&w, t->total);
		else
			json_put_null(&w);
	}
	json_finish(p, &w);
}

static void
json_ended(void *ctx, const struct session_run *r)
{
	struct progress *p = ctx;
	struct json_writer w;

	json_begin(p, &w, "run_ended");
	json_kv_str(&w, "run", r->id);
	json_kv_str(&w, "dag", r->dag);
	json_kv_str(&w, "result", run_result_name(r->result));
	json_kv_str(&w, "reason", r->reason);
	kv_seconds(&w, "elapsed_s", r->elapsed_us);
	json_finish(p, &w);
}

static void
json_notice(void *ctx, enum session_notice kind, const char *text)
{
	static const char *const levels[] = {
	    [NOTICE_INFO] = "info",
	    [NOTICE_WARN] = "warning",
	    [NOTICE_SIGNAL] = "signal",
	};
	struct progress *p = ctx;
	struct json_writer w;

	json_begin(p, &w, "notice");
	json_kv_str(&w, "level", levels[kind]);
	json_kv_str(&w, "message", text);
	json_finish(p, &w);
}

/* ---- all ---- */

static const struct session_observer observers[] = {
    [PROGRESS_LIVE] = {.notice = live_notice, .tick = live_tick, .resized = live_resized},
    [PROGRESS_PLAIN] = {.run_began = plain_began,
			.task_changed = plain_changed,
			.run_ended = plain_ended,
			.notice = plain_notice},
    [PROGRESS_JSON] = {.run_began = json_began,
		       .task_changed = json_changed,
		       .run_ended = json_ended,
		       .notice = json_notice},
    /* What the user must know is told all the same. */
    [PROGRESS_NONE] = {.notice = plain_notice},
};

static bool
is_terminal(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

struct progress *
progress_new(struct cli *c, int mode, int fd, struct err *err)
{
	struct progress *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)err_nomem(err);
		return NULL;
	}
	if (mode < 0 || mode == PROGRESS_LIVE)
		mode = is_terminal(fd) ? PROGRESS_LIVE : PROGRESS_PLAIN;
	p->c = c;
	p->mode = (enum progress_mode)mode;
	p->fd = fd;
	p->color = cli_color(c, fd);
	buf_init(&p->text, 0);
	if (p->mode == PROGRESS_LIVE) {
		p->term = live_term_new(fd);
		if (p->term == NULL) {
			(void)err_nomem(err);
			progress_free(p);
			return NULL;
		}
	}
	p->observer = observers[p->mode];
	p->observer.ctx = p;
	return p;
}

const struct session_observer *
progress_observer(struct progress *p)
{
	return &p->observer;
}

void
progress_attach(struct progress *p, struct session *s)
{
	p->session = s;
}

void
progress_end(struct progress *p)
{
	if (p->mode != PROGRESS_LIVE)
		return;
	live_tick(p);
	(void)live_term_end(p->term);
	p->session = NULL;
}

void
progress_free(struct progress *p)
{
	if (p == NULL)
		return;
	live_term_free(p->term);
	free(p->tasks);
	free(p->runs);
	free(p->rows);
	buf_release(&p->text);
	free(p);
}
