/* How the experiments of `dag exp run` are: a line when one begins or ends, and on a terminal
 * those that run, with what each says. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/num.h"
#include "base/textwidth.h"
#include "cli/cli.h"
#include "cli/exp_run.h"
#include "cli/outbox.h"

#define ROWS_MAX     16 /* experiments that are shown at once */
#define PICTURES_MAX ((size_t)64 << 10)
#define LAST_WAIT_MS 200  /* for a terminal that takes nothing */
#define LINE_BYTES   4096 /* of a log's end, for its last line */
#define TAIL_BYTES   65536
#define TAIL_LINES   20
#define TAILS_MAX    5 /* experiments whose last lines are shown: often all say the same */
#define CLEAR	     "\r\033[J"

/* ---- logs ---- */

/* Read the last ${max} bytes of the log. */
static void
read_end(const struct exp_one *one, size_t max, struct buf *b)
{
	int fd = one->trial.log != NULL ? open(one->trial.log, O_RDONLY | O_CLOEXEC) : -1;
	char text[LINE_BYTES];
	struct stat st;
	off_t at;
	ssize_t n;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0) {
		at = st.st_size > (off_t)max ? st.st_size - (off_t)max : 0;
		while ((n = pread(fd, text, sizeof(text), at)) > 0) {
			buf_add(b, text, (size_t)n);
			at += n;
		}
	}
	(void)close(fd);
}

/* Where the last ${lines} lines of ${n} bytes begin. */
static size_t
last_lines(const char *p, size_t n, unsigned lines)
{
	while (n > 0 && p[n - 1] == '\n')
		n--;
	while (n > 0 && (p[n - 1] != '\n' || --lines > 0))
		n--;
	return n;
}

/* What a run tells at its end how to go on from there: it will be gone. */
static void
cut_advice(struct buf *b)
{
	static const char advice[] = "\nNext:\n";
	char *last = NULL;

	if (b->p == NULL)
		return;
	for (char *p = strstr(b->p, advice); p != NULL; p = strstr(p + 1, advice))
		last = p;
	if (last != NULL)
		buf_truncate(b, (size_t)(last - b->p) + 1);
}

static void
put_log(const struct exp_one *one)
{
	struct buf log, out;
	size_t at, end;

	buf_init(&log, 0);
	buf_init(&out, 0);
	read_end(one, TAIL_BYTES, &log);
	cut_advice(&log);
	at = log.n > 0 ? last_lines(log.p, log.n, TAIL_LINES) : 0;
	for (; at < log.n; at = end + 1) {
		for (end = at; end < log.n && log.p[end] != '\n';)
			end++;
		buf_adds(&out, "  | ");
		text_put(&out, log.p + at, end - at);
		buf_addc(&out, '\n');
	}
	if (!buf_failed(&out) && out.n > 0)
		(void)fsio_write_all(STDERR_FILENO, out.p, out.n);
	buf_release(&log);
	buf_release(&out);
}

/* ---- events ---- */

/* "calm-otter (lr=0.1)" */
static void
put_name(const struct exp_one *one, struct buf *b)
{
	buf_adds(b, one->name);
	if (*one->what != '\0') {
		buf_adds(b, " (");
		text_put(b, one->what, strlen(one->what));
		buf_addc(b, ')');
	}
}

static void
tell_failure(struct exp_run *x, struct exp_one *one, const char *name)
{
	char *log;

	if (one->err.code != ERR_NONE) {
		cli_warn(x->k->c, "%s failed: %s", name, one->err.msg);
		return;
	}
	log = trial_kept_log(x->a.project.state, one->name);
	cli_warn(x->k->c, "%s failed; its log is '%s'%s", name,
		 log != NULL ? log : one->name,
		 x->failed <= TAILS_MAX ? ", which ends with:" : "");
	if (x->failed <= TAILS_MAX)
		put_log(one);
	free(log);
}

void
exp_board_event(struct exp_run *x, struct exp_one *one)
{
	bool quiet = x->k->o->common.quiet;
	struct buf name, time;

	exp_board_end(x);
	buf_init(&name, 0);
	buf_init(&time, 0);
	put_name(one, &name);
	num_put_duration(&time, one->ended_us - one->began_us);
	if (buf_failed(&name) || buf_failed(&time)) {
		cli_note(x->k->c, "%s", one->name);
	} else if (one->step == EXP_FAILED) {
		tell_failure(x, one, name.p);
	} else if (one->step == EXP_SAVED && !quiet) {
		cli_note(x->k->c, "%s is saved, after %s", name.p, time.p);
	} else if (one->step == EXP_STOPPED && !quiet) {
		cli_note(x->k->c, "%s is stopped, after %s", name.p, time.p);
	} else if (one->step == EXP_CHECKOUT && !quiet && !x->terminal) {
		cli_note(x->k->c, "%s begins", name.p);
	}
	buf_release(&name);
	buf_release(&time);
}

/* ---- the picture ---- */

/* As much of a line as fits. */
static void
put_fit(struct buf *b, const char *p, size_t n, unsigned width)
{
	size_t fit = n;

	while (fit > 0 && text_columns(p, fit) > width)
		for (fit--; fit > 0 && ((unsigned char)p[fit] & 0xc0) == 0x80;)
			fit--;
	text_put(b, p, fit);
}

static void
put_row(const struct exp_one *one, int64_t now_us, unsigned width, struct buf *b)
{
	struct buf line, log;
	size_t at;

	buf_init(&line, 0);
	buf_init(&log, 0);
	buf_addf(&line, "  %s", one->name);
	if (*one->what != '\0')
		buf_addf(&line, "  %s", one->what);
	buf_addf(&line, "  %llds  ",
		 (long long)((now_us - one->began_us) / INT64_C(1000000)));
	read_end(one, LINE_BYTES, &log);
	if (one->step == EXP_CHECKOUT) {
		buf_adds(&line, "its data is brought");
	} else if (log.n > 0) {
		at = last_lines(log.p, log.n, 1);
		buf_add(&line, log.p + at, strcspn(log.p + at, "\n"));
	}
	if (!buf_failed(&line))
		put_fit(b, line.p, line.n, width);
	buf_addc(b, '\n');
	buf_release(&line);
	buf_release(&log);
}

void
exp_board_draw(struct exp_run *x)
{
	unsigned width = cli_width(STDERR_FILENO), shown = 0;
	int64_t now_us = clock_now().mono_us;
	struct err unused;
	struct buf b;

	if (!x->terminal || x->k->o->common.quiet)
		return;
	if (x->out == NULL)
		x->out = outbox_new(STDERR_FILENO, PICTURES_MAX, &unused);
	if (x->out == NULL || outbox_pending(x->out) > 0)
		return;
	width = width > 1 ? width - 1 : CLI_WIDTH - 1;
	buf_init(&b, 0);
	if (x->rows > 0)
		buf_addf(&b, "\033[%uA", x->rows);
	buf_adds(&b, CLEAR);
	for (size_t i = 0; i < x->next && shown < ROWS_MAX; i++)
		if (x->v[i].step == EXP_CHECKOUT || x->v[i].step == EXP_RUNS) {
			put_row(&x->v[i], now_us, width, &b);
			shown++;
		}
	buf_addf(&b, "%zu of %zu saved, %zu failed, %zu run\n", x->saved, x->n, x->failed,
		 x->running);
	if (!buf_failed(&b) && outbox_put(x->out, b.p, b.n) == 0)
		x->rows = shown + 1;
	buf_release(&b);
}

void
exp_board_end(struct exp_run *x)
{
	char text[32];
	int n;

	if (x->rows == 0)
		return;
	if (outbox_drain(x->out, LAST_WAIT_MS) == 0) {
		n = snprintf(text, sizeof(text), "\033[%uA" CLEAR, x->rows);
		(void)fsio_write_all(STDERR_FILENO, text, (size_t)n);
	}
	x->rows = 0;
}

/* ---- the end ---- */

static void
put_json(struct exp_run *x)
{
	static const char *const results[] = {
	    [EXP_WAITS] = "stopped", [EXP_CHECKOUT] = "stopped",
	    [EXP_RUNS] = "stopped",  [EXP_SAVED] = "saved",
	    [EXP_FAILED] = "failed", [EXP_STOPPED] = "stopped"};
	struct json_writer w;
	struct buf ref;

	buf_init(&ref, 0);
	json_init(&w, &x->k->c->out, 2);
	json_begin_array(&w);
	for (size_t i = 0; i < x->n; i++) {
		const struct exp_one *one = &x->v[i];
		bool saved = one->step == EXP_SAVED;

		buf_clear(&ref);
		exp_ref(x->head.id, one->name, &ref);
		json_begin_object(&w);
		json_kv_str(&w, "name", one->name);
		json_kv_str(&w, "params", one->what);
		json_kv_str(&w, "result", results[one->step]);
		json_kv_str(&w, "rev", saved ? one->id : NULL);
		json_kv_str(&w, "ref", saved && !buf_failed(&ref) ? ref.p : NULL);
		json_end(&w);
	}
	json_end(&w);
	buf_addc(&x->k->c->out, '\n');
	buf_release(&ref);
}

void
exp_board_tell(struct exp_run *x)
{
	struct buf *b = &x->k->c->out;

	if (x->k->o->json) {
		put_json(x);
		return;
	}
	if (x->k->o->common.quiet || x->saved == 0)
		return;
	for (size_t i = 0; i < x->n; i++) {
		const struct exp_one *one = &x->v[i];

		if (one->step != EXP_SAVED)
			continue;
		buf_addf(b, "%.7s [%s]%s", one->id, one->name,
			 *one->what != '\0' ? " " : "");
		text_put(b, one->what, strlen(one->what));
		buf_addc(b, '\n');
	}
	cli_note(x->k->c,
		 "'dag exp show' compares them, 'dag exp apply %s' brings %s into the "
		 "work tree",
		 x->n == 1 ? x->v[0].name : "NAME", x->n == 1 ? "it" : "one");
}
