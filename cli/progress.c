#include "cli/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/live.h"
#include "cli/outbox.h"
#include "cli/progress_int.h"
#include "cli/table.h"

#define DRAW_SHARE	100	/* a picture takes one part in so many of a CPU's time */
#define PAUSE_MAX_US	1000000 /* between two of them, however long one takes */
#define PICTURES_MAX	((size_t)4 << 20)
#define MESSAGES_MAX	((size_t)4 << 20)
#define PICTURE_WAIT_MS 5000 /* for a terminal that takes nothing */

const char *const progress_names[] = {
    [PROGRESS_LIVE] = "live", [PROGRESS_PLAIN] = "plain", [PROGRESS_JSON] = "json",
    [PROGRESS_NONE] = "none", [PROGRESS_NONE + 1] = NULL,
};

/* The first failure to write counts.  That a reader has gone away is none: the run goes on in
 * silence, and its end is what the exit status tells. */
static void
failed(struct progress *p, int error)
{
	if (p->fd == STDOUT_FILENO && p->c->out_errno == 0 && error != EPIPE)
		p->c->out_errno = error;
}

void
progress_flush(struct progress *p)
{
	if (p->mode == PROGRESS_PLAIN)
		text_wrap(&p->text, 0, cli_width(p->fd));
	if (buf_failed(&p->text))
		p->lost++;
	else if (outbox_put(p->out, p->text.p, p->text.n) != 0) {
		if (errno == ENOBUFS || errno == ENOMEM)
			p->lost++;
		else
			failed(p, errno);
	}
	buf_clear(&p->text);
}

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

/* Draw, unless the terminal has not taken the last picture yet. */
static void
draw(struct progress *p)
{
	struct live_view v;

	if (outbox_pending(p->out) > 0 || !look(p, &v))
		return;
	buf_clear(&p->text);
	live_layout(&v, &p->text);
	if (!buf_failed(&p->text) && live_term_draw(p->term, p->text.p) != 0)
		failed(p, errno);
	buf_clear(&p->text);
}

/* Drawing takes little of a CPU, however many tasks there are: what one picture has taken
 * decides when the next one comes. */
static void
live_tick(void *ctx)
{
	struct progress *p = ctx;
	int64_t begin = clock_now().mono_us, spent, pause;

	if (begin < p->next_us)
		return;
	draw(p);
	spent = clock_now().mono_us - begin;
	pause = spent * DRAW_SHARE;
	p->next_us = begin + (pause < PAUSE_MAX_US ? pause : PAUSE_MAX_US);
}

static int
live_write(void *ctx, const char *text, size_t n)
{
	struct progress *p = ctx;

	return outbox_put(p->out, text, n);
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

/* ---- all ---- */

static const struct session_observer live_observer = {
    .notice = live_notice, .tick = live_tick, .resized = live_resized};

/* Whether what is written to both goes to the same place, in the order it was written in. */
static bool
is_same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static bool
open_output(struct progress *p, struct err *err)
{
	size_t max = p->mode == PROGRESS_LIVE ? PICTURES_MAX : STREAM_MAX;

	/* From now on it is the thread that writes. */
	(void)cli_flush(p->c);
	p->out = outbox_new(p->fd, max, err);
	if (p->out == NULL)
		return false;
	p->messages = is_same(p->fd, STDERR_FILENO)
			  ? p->out
			  : outbox_new(STDERR_FILENO, MESSAGES_MAX, err);
	return p->messages != NULL;
}

struct progress *
progress_new(struct cli *c, int mode, int fd, struct err *err)
{
	static const struct session_observer *const observers[] = {
	    [PROGRESS_LIVE] = &live_observer,
	    [PROGRESS_PLAIN] = &progress_plain_observer,
	    [PROGRESS_JSON] = &progress_json_observer,
	    [PROGRESS_NONE] = &progress_none_observer,
	};
	struct progress *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)err_nomem(err);
		return NULL;
	}
	if (mode < 0 || mode == PROGRESS_LIVE)
		mode = cli_is_terminal(fd) ? PROGRESS_LIVE : PROGRESS_PLAIN;
	p->c = c;
	p->mode = (enum progress_mode)mode;
	p->fd = fd;
	p->color = cli_color(c, fd);
	buf_init(&p->text, 0);
	p->observer = *observers[p->mode];
	p->observer.ctx = p;
	if (!open_output(p, err)) {
		progress_free(p);
		return NULL;
	}
	if (p->mode == PROGRESS_LIVE) {
		p->term = live_term_new(fd, live_write, p);
		if (p->term == NULL) {
			(void)err_nomem(err);
			progress_free(p);
			return NULL;
		}
	}
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

/* Wait for the reader.  What there was to do is done and recorded, so that a signal may end us
 * here: nobody else would, if the reader never comes back. */
static void
drain(struct progress *p)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGTSTP};
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
	if (outbox_drain(p->out, p->mode == PROGRESS_LIVE ? PICTURE_WAIT_MS : -1) != 0)
		failed(p, errno);
	if (p->messages != p->out)
		(void)outbox_drain(p->messages, -1);
}

void
progress_end(struct progress *p)
{
	if (p->mode == PROGRESS_LIVE) {
		drain(p);
		draw(p);
		(void)live_term_end(p->term);
	}
	drain(p);
	p->session = NULL;
	if (p->lost > 0 && p->mode == PROGRESS_PLAIN)
		cli_warn(p->c,
			 "%" PRIu64 " lines of progress are missing: nobody read them",
			 p->lost);
}

void
progress_free(struct progress *p)
{
	if (p == NULL)
		return;
	if (p->messages != p->out)
		outbox_free(p->messages);
	outbox_free(p->out);
	live_term_free(p->term);
	progress_json_free(p);
	free(p->tasks);
	free(p->runs);
	free(p->rows);
	buf_release(&p->text);
	free(p);
}
