/*
 * dag logs: what tasks have written.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/logview.h"
#include "cli/opts.h"
#include "cli/place.h"
#include "cli/status.h"
#include "cli/table.h"
#include "cli/verbs.h"

#define TAIL_MAX 1000000
#define POLL_NS	 (100 * 1000000L)
#define LOOK_AT	 10 /* polls between two looks at the owner's lock */

struct logs_opts {
	struct opt_uint attempt, from, tail;
	bool follow;
};

static const struct opt logs_opts[] = {
    {.name = "follow",
     .letter = 'f',
     .kind = OPT_FLAG,
     .at = offsetof(struct logs_opts, follow),
     .doc =
	 "Go on as the log grows, until the attempt (without TASK: the run) has ended."},
    {.name = "attempt",
     .kind = OPT_UINT,
     .at = offsetof(struct logs_opts, attempt),
     .arg = "N",
     .min = 1,
     .max = UINT32_MAX,
     .doc = "The log of attempt N of TASK (default: the latest)."},
    {.name = "from",
     .kind = OPT_UINT,
     .at = offsetof(struct logs_opts, from),
     .arg = "OFFSET",
     .min = 0,
     .max = INT64_MAX,
     .doc = "Start at this byte of TASK's log."},
    {.name = "tail",
     .letter = 'n',
     .kind = OPT_UINT,
     .at = offsetof(struct logs_opts, tail),
     .arg = "N",
     .min = 0,
     .max = TAIL_MAX,
     .doc = "Start at the last N lines."},
    {.name = NULL}};

/* The log of one attempt, as far as it is printed. */
struct stream {
	const char *label;
	const char *dir;
	uint64_t offset;
	bool ended;   /* nothing will be written any more */
	bool drained; /* and all of it is printed */
};

struct logs {
	struct cli *c;
	const struct logs_opts *o;
	struct place place;
	struct meta_run run;
	const char *task; /* NULL: all */
	struct map order; /* task name -> its place in the file, from 1 */
	struct map known; /* attempt id -> anything */
	VEC(struct stream) streams;
	bool looked; /* not the first look at the attempts any more */
	size_t last; /* index of the stream printed last, plus 1 */
	int64_t version;
	bool run_over; /* it has ended, or nobody owns it and nothing of it lives */
};

/* Whether the task that was asked for exists, and how it stands. */
static int
look_task(struct logs *l, struct meta_task *out, struct err *err)
{
	struct meta_task *tasks;
	size_t i, n;

	if (meta_tasks(l->place.meta, l->run.id, l->place.arena, &tasks, &n, err) != 0)
		return -1;
	for (i = 0; i < n; i++) {
		if (strcmp(tasks[i].name, l->task) == 0) {
			*out = tasks[i];
			return 0;
		}
	}
	return place_no_task(&l->run, tasks, n, l->task, err);
}

static int
learn_order(struct logs *l, struct err *err)
{
	struct meta_task *tasks;
	size_t i, n;

	if (meta_tasks(l->place.meta, l->run.id, l->place.arena, &tasks, &n, err) != 0)
		return -1;
	for (i = 0; i < n; i++)
		if (!map_hasn(&l->order, tasks[i].name, strlen(tasks[i].name)) &&
		    map_put(&l->order, tasks[i].name, (void *)(uintptr_t)(i + 1)) < 0)
			return err_nomem(err);
	return 0;
}

static bool
wanted(const struct logs *l, const struct meta_attempt *at, bool latest)
{
	if (l->task != NULL && strcmp(at->task, l->task) != 0)
		return false;
	if (at->dir == NULL || *at->dir == '\0' ||
	    (at->executor != NULL && strcmp(at->executor, "engine") == 0))
		return false;
	if (l->o->attempt.set)
		return at->number == l->o->attempt.v;
	/* What is followed shows every attempt that comes up. */
	return latest || (l->o->follow && l->looked);
}

static int
add_stream(struct logs *l, const struct meta_attempt *at, struct err *err)
{
	struct stream s = {0};
	int fd;

	s.dir = arena_strdup(l->place.arena, at->dir);
	s.label = arena_printf(l->place.arena, "%s (attempt %u)", at->task, at->number);
	if (s.dir == NULL || s.label == NULL)
		return err_nomem(err);
	if (l->o->from.set)
		s.offset = l->o->from.v;
	if (l->o->tail.set && !l->looked) {
		fd = place_attempt_dir(&l->place, at->dir, err);
		if (fd < 0 && err->code != ERR_NOTFOUND)
			return -1;
		if (fd < 0)
			err_clear(err);
		else if (logview_tail(fd, l->o->tail.v, &s.offset, err) != 0) {
			(void)close(fd);
			return -1;
		}
		if (fd >= 0)
			(void)close(fd);
	}
	return vec_push(&l->streams, s) == 0 ? 0 : err_nomem(err);
}

/* Print this attempt from now on.  Return its place among the streams plus 1, or 0. */
static uintptr_t
know(struct logs *l, const struct meta_attempt *at, struct err *err)
{
	char *id = arena_strdup(l->place.arena, at->id);

	if (id == NULL) {
		(void)err_nomem(err);
		return 0;
	}
	if (add_stream(l, at, err) != 0)
		return 0;
	if (map_put(&l->known, id, (void *)(uintptr_t)l->streams.n) < 0) {
		(void)err_nomem(err);
		return 0;
	}
	return l->streams.n;
}

/* An attempt and when it has its turn: the database sorts by the tasks' names. */
struct turn {
	uintptr_t order;
	size_t index;
	bool latest;
};

static int
by_turn(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static struct turn *
turns_of(const struct logs *l, const struct meta_attempt *at, size_t n, struct arena *a)
{
	struct turn *turns = arena_array(a, n + 1, sizeof(*turns));
	size_t i;

	if (turns == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		turns[i].order = (uintptr_t)map_get(&l->order, at[i].task);
		turns[i].index = i;
		turns[i].latest = i + 1 == n || strcmp(at[i + 1].task, at[i].task) != 0 ||
				  at[i + 1].map != at[i].map;
	}
	qsort(turns, n, sizeof(*turns), by_turn);
	return turns;
}

/* Take over what the database knows of attempts, in the order of the file. */
static int
look_attempts(struct logs *l, struct err *err)
{
	struct arena *a = arena_new(0);
	struct meta_attempt *all, *at;
	struct turn *turns;
	size_t i, n;
	uintptr_t k;
	int rc = -1;

	if (a == NULL)
		return err_nomem(err);
	if (meta_attempts(l->place.meta, l->run.id, a, &all, &n, err) != 0)
		goto out;
	turns = turns_of(l, all, n, a);
	if (turns == NULL) {
		(void)err_nomem(err);
		goto out;
	}
	for (i = 0; i < n; i++) {
		at = &all[turns[i].index];
		k = (uintptr_t)map_get(&l->known, at->id);
		if (k == 0) {
			if (!wanted(l, at, turns[i].latest))
				continue;
			k = know(l, at, err);
			if (k == 0)
				goto out;
		}
		/* The process of one that is committing has ended. */
		l->streams.v[k - 1].ended =
		    at->state == TASK_DONE || at->state == TASK_COMMITTING;
	}
	l->looked = true;
	rc = 0;
out:
	arena_free(a);
	return rc;
}

static int
look_state(struct logs *l, struct err *err)
{
	struct arena *a = arena_new(0);
	struct meta_run now;
	int rc;

	if (a == NULL)
		return err_nomem(err);
	rc = meta_run_get(l->place.meta, l->run.id, a, &now, err);
	if (rc == 0) {
		l->run.state = now.state;
		l->run.result = now.result;
	}
	arena_free(a);
	return rc;
}

/* Which log this is, where several are printed. */
static bool
wants_header(const struct logs *l, size_t i)
{
	return l->task == NULL && l->last != i + 1;
}

/* The row of an attempt comes before its directory, and may outlive it. */
static int
no_directory(struct logs *l, struct stream *s, struct err *err)
{
	if (err->code != ERR_NOTFOUND)
		return -1;
	if (!s->ended)
		return 0;
	err_clear(err);
	cli_note(l->c, "%s: its log is not there any more", s->label);
	s->drained = true;
	return 0;
}

static int
print_stream(struct logs *l, size_t i, struct err *err)
{
	struct stream *s = &l->streams.v[i];
	bool ended = s->ended, header = wants_header(l, i);
	size_t mark = l->c->out.n;
	int fd, rc;

	if (s->drained)
		return 0;
	fd = place_attempt_dir(&l->place, s->dir, err);
	if (fd < 0)
		return no_directory(l, s, err);
	if (header)
		buf_addf(&l->c->out, "%s==> %s <==\n", l->last != 0 ? "\n" : "",
			 s->label);
	rc = logview_copy(l->c, fd, &s->offset, s->label, err);
	(void)close(fd);
	if (rc < 0)
		return -1;
	/* A log without news has no header either. */
	if (rc == 0 && header)
		buf_truncate(&l->c->out, mark);
	else if (rc > 0)
		l->last = i + 1;
	/* It was looked at after it had ended, so nothing can follow. */
	s->drained = ended;
	return 0;
}

static int
print_all(struct logs *l, struct err *err)
{
	size_t i;

	for (i = 0; i < l->streams.n; i++)
		if (print_stream(l, i, err) != 0)
			return -1;
	if (cli_flush(l->c) != 0)
		return err_sys(err, l->c->out_errno, "cannot write to standard output");
	return 0;
}

/* Whether anything of the run can still write. */
static void
look_run(struct logs *l)
{
	size_t i;

	if (strcmp(status_of_run(l->place.project, &l->run), "running") == 0)
		return;
	for (i = 0; i < l->streams.n && l->run.state != RUN_DONE; i++) {
		if (place_alive(&l->place, l->streams.v[i].dir) == 1)
			return;
		l->streams.v[i].ended = true;
	}
	l->run_over = true;
}

static bool
all_drained(const struct logs *l)
{
	size_t i;

	for (i = 0; i < l->streams.n; i++)
		if (!l->streams.v[i].drained)
			return false;
	return l->task == NULL || l->streams.n > 0;
}

/* Why there is nothing to print. */
static int
nothing(struct logs *l, struct err *err)
{
	struct meta_task t;

	if (l->task == NULL) {
		cli_note(l->c, "no task of run %s has started yet", l->run.id);
		return 0;
	}
	if (look_task(l, &t, err) != 0)
		return -1;
	if (l->o->attempt.set && l->o->attempt.v > t.attempt)
		return err_set(
		    err, ERR_NOTFOUND,
		    "there is no attempt %llu: task '%s' has had %u attempt%s so "
		    "far",
		    (unsigned long long)l->o->attempt.v, l->task, t.attempt,
		    t.attempt == 1 ? "" : "s");
	if (t.attempt > 0)
		return err_set(err, ERR_NOTFOUND,
			       "task '%s' runs no process, so it has no log", l->task);
	return err_set(err, ERR_NOTFOUND, "task '%s' has not been started: %s%s%s",
		       l->task, status_of_task(t.state, t.result, t.selected),
		       t.reason != NULL && *t.reason != '\0' ? ", " : "",
		       t.reason != NULL ? t.reason : "");
}

static int
follow(struct logs *l, struct err *err)
{
	static const struct timespec pause = {0, POLL_NS};
	unsigned polls = 0;
	int64_t version;

	for (;;) {
		if (print_all(l, err) != 0)
			return -1;
		if (l->run_over || (l->task != NULL && all_drained(l)))
			return l->streams.n > 0 ? 0 : nothing(l, err);
		(void)nanosleep(&pause, NULL);
		version = meta_data_version(l->place.meta);
		if (version != l->version || ++polls % LOOK_AT == 0) {
			l->version = version;
			if (look_state(l, err) != 0 || look_attempts(l, err) != 0)
				return -1;
			look_run(l);
		}
	}
}

static int
logs(struct logs *l, struct err *err)
{
	struct meta_task t;

	if (place_run(&l->place, l->c->args[0], &l->run, err) != 0)
		return -1;
	l->version = meta_data_version(l->place.meta);
	if (l->task != NULL && look_task(l, &t, err) != 0)
		return -1;
	if (learn_order(l, err) != 0 || look_attempts(l, err) != 0)
		return -1;
	look_run(l);
	if (l->streams.n == 0 && (!l->o->follow || l->run_over))
		return nothing(l, err);
	if (l->o->follow)
		return follow(l, err);
	return print_all(l, err);
}

static int
logs_run(struct cli *c, const void *opts)
{
	struct logs l = {.c = c, .o = opts};
	struct err err = {0};
	int rc = EXIT_OK;

	if (c->nargs > 1)
		l.task = c->args[1];
	if (l.task == NULL && (l.o->attempt.set || l.o->from.set))
		return cli_usage(c, "--attempt and --from need a TASK");
	if (l.o->from.set && l.o->tail.set)
		return cli_usage(c, "--from and --tail exclude each other");
	if (place_open(c, &l.place, &err) != 0 || logs(&l, &err) != 0)
		rc = cli_fail(c, &err);
	else if (strcmp(status_of_run(l.place.project, &l.run), "interrupted") == 0)
		place_note_interrupted(c, &l.place, &l.run);
	map_release(&l.order);
	map_release(&l.known);
	vec_release(&l.streams);
	place_close(&l.place);
	return rc;
}

const struct verb verb_logs = {
    .name = "logs",
    .group = GROUP_LOOK,
    .summary = "show what tasks have written",
    .args = "RUN [TASK]",
    .min = 1,
    .max = 2,
    .doc =
	"Write the log of TASK (standard output and standard error, bytes as they came, "
	"secrets masked); without TASK those of all tasks in the order of the file, each "
	"under a header. Of a log "
	"above its limit the first and the last half are kept; the size of the gap is "
	"told on standard error.",
    .examples = "dag logs last train\tthe latest run's train\n"
		"dag logs -f last\tall tasks, as they go on\n"
		"dag logs last train -n 20\tthe last 20 lines\n",
    .opts = logs_opts,
    .size = sizeof(struct logs_opts),
    .run = logs_run,
};
