/*
 * dag runs: the history, and the details of one run.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "base/num.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/place.h"
#include "cli/runjson.h"
#include "cli/runs_list.h"
#include "cli/status.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "scheduler/dag.h"

#define RUNS_MAX 100000

static const char *const state_names[] = {"running", "interrupted", "done", NULL};
static const char *const result_names[] = {"success", "failed", "cancelled", NULL};
static const struct opt runs_opts[] = {
    {.name = "dag",
     .kind = OPT_STRING,
     .at = offsetof(struct runs_opts, dag),
     .arg = "NAME",
     .doc = "Only runs of this DAG."},
    {.name = "state",
     .kind = OPT_CHOICE,
     .at = offsetof(struct runs_opts, state),
     .arg = "STATE",
     .choices = state_names,
     .doc = "Only runs that are running (and have an owner), interrupted or done."},
    {.name = "result",
     .kind = OPT_CHOICE,
     .at = offsetof(struct runs_opts, result),
     .arg = "RESULT",
     .choices = result_names,
     .doc = "Only runs that ended so: success, failed or cancelled."},
    {.name = "since",
     .kind = OPT_STRING,
     .at = offsetof(struct runs_opts, since),
     .arg = "TIME",
     .doc = "Only runs made at TIME or later: how long ago (30m, 2d), or an instant "
	    "(2026-11-22, 2026-11-22T06:00:00Z)."},
    {.name = "until",
     .kind = OPT_STRING,
     .at = offsetof(struct runs_opts, until),
     .arg = "TIME",
     .doc = "Only runs made before TIME."},
    {.name = "limit",
     .letter = 'n',
     .kind = OPT_UINT,
     .at = offsetof(struct runs_opts, limit),
     .arg = "N",
     .min = 1,
     .max = RUNS_MAX,
     .doc = "Show at most N runs (default 20)."},
    {.name = "after",
     .kind = OPT_STRING,
     .at = offsetof(struct runs_opts, after),
     .arg = "RUN",
     .doc = "Only runs behind RUN in the list: the next page. Where there is one, the "
	    "word for it is told at the end."},
    {.name = "json",
     .kind = OPT_FLAG,
     .at = offsetof(struct runs_opts, json),
     .doc = "Write JSON: a line with an object for each run; or with RUN one object, "
	    "with its "
	    "tasks, attempts and outputs."},
    {.name = NULL}};

/* A run with everything below it. */
struct details {
	struct meta_task *tasks;
	struct meta_attempt *attempts;
	size_t ntasks, nattempts;
	struct dag *dag; /* where a task has failed: whether that was allowed; or NULL */
};

/* Free d->dag in both cases. */
static int
get_details(struct look *l, const struct meta_run *run, struct details *d,
	    struct err *err)
{
	struct meta *m = l->place.meta;
	struct arena *a = l->place.arena;
	size_t i;

	*d = (struct details){0};
	if (meta_tasks(m, run->id, a, &d->tasks, &d->ntasks, err) != 0 ||
	    meta_attempts(m, run->id, a, &d->attempts, &d->nattempts, err) != 0)
		return -1;
	for (i = 0; i < d->ntasks; i++)
		if (d->tasks[i].result == RESULT_FAILED ||
		    d->tasks[i].result == RESULT_LOST)
			return place_definition(&l->place, run, &d->dag, err);
	return 0;
}

static const char *
word_of(const struct details *d, const struct meta_task *t)
{
	const struct dag_task *model =
	    d->dag != NULL ? dag_task_find(d->dag, t->name) : NULL;

	return status_for_people(t->state, t->result, t->selected,
				 model != NULL && model->allow_failure);
}

/* ---- one run for people ---- */

static void
put_fact(struct cli *c, const char *label, const char *text)
{
	if (text == NULL || *text == '\0')
		return;
	buf_addf(&c->out, "  %-9s ", label);
	(void)text_fit(&c->out, text, (unsigned)-1);
	buf_addc(&c->out, '\n');
}

static void
put_head(struct look *l, const struct meta_run *run, const char *status)
{
	struct cli *c = l->c;
	const char *ansi = cli_color(c, 1) ? status_ansi(status) : NULL;
	struct buf b;
	int64_t began;

	buf_addf(&c->out, "run %s of %s: ", run->id, run->dag);
	if (ansi != NULL)
		buf_addf(&c->out, "\033[%sm%s\033[0m\n", ansi, status);
	else
		buf_addf(&c->out, "%s\n", status);
	buf_init(&b, 0);
	put_fact(c, "file", run->file);
	text_when(&b, run->logical_us);
	put_fact(c, "about", b.p);
	buf_clear(&b);
	began = status_run_began(run);
	text_when(&b, began);
	buf_adds(&b, run->ended_us != 0 ? ", took " : ", for ");
	runs_put_span(&b, began, run->ended_us);
	put_fact(c, "started", b.p);
	if (strcmp(run->params, "{}") != 0)
		put_fact(c, "params", run->params);
	put_fact(c, "reason", run->reason);
	buf_clear(&b);
	status_put_commit(&b, run);
	put_fact(c, "commit", b.p);
	buf_addc(&c->out, '\n');
	text_wrap(&c->out, 0, cli_width(1));
	buf_release(&b);
}

static void
put_attempt(struct look *l, struct table *t, const struct meta_attempt *at,
	    bool ownerless)
{
	const char *status = status_of_task(at->state, at->result, true);
	bool ended =
	    ownerless && at->state != TASK_DONE && place_alive(&l->place, at->dir) == 0;
	int64_t from, to;

	status_attempt_span(at, &from, &to);
	table_cell(t, NULL);
	table_cellf(t, "%u", at->number);
	runs_put_status(t, status);
	runs_put_times(t, from, to);
	table_cell(t, ended ? "its process is gone: 'dag resume' finds out how it ended"
			    : at->reason);
}

/* The rows of the task's attempts, which stand together. */
static void
put_attempts(struct look *l, struct table *t, const struct details *d,
	     const struct meta_task *task, const struct meta_attempt *first,
	     bool ownerless)
{
	const struct meta_attempt *at;

	for (at = first; at != NULL && at < d->attempts + d->nattempts; at++) {
		if (strcmp(at->task, task->name) != 0)
			return;
		if (at->map == task->map &&
		    (task->attempt > 1 || (ownerless && at->state != TASK_DONE)))
			put_attempt(l, t, at, ownerless);
	}
}

/* When the task ran: its latest attempt, without what was prepared before and committed
 * behind it. */
static void
put_task_times(struct table *t, const struct details *d, const struct meta_task *task,
	       const struct meta_attempt *first)
{
	int64_t from = task->started_us, to = task->ended_us, began, ended;
	const struct meta_attempt *at;

	for (at = first; at != NULL && at < d->attempts + d->nattempts; at++) {
		if (strcmp(at->task, task->name) != 0)
			break;
		if (at->map != task->map || at->number != task->attempt || from == 0)
			continue;
		status_attempt_span(at, &began, &ended);
		if (ended != 0 || to == 0) {
			from = began;
			to = ended;
		}
	}
	runs_put_times(t, from, to);
}

/* A row for each task; where it was tried more than once, or goes on without an owner, one
 * for each attempt. */
static int
fill_table(struct look *l, struct table *t, const struct details *d, bool ownerless)
{
	struct map first = {0};
	size_t i;
	int rc = 0;

	for (i = d->nattempts; i > 0; i--)
		if (map_put(&first, d->attempts[i - 1].task, &d->attempts[i - 1]) < 0)
			rc = -1;
	for (i = 0; rc == 0 && i < d->ntasks; i++) {
		const struct meta_task *task = &d->tasks[i];

		table_cell(t, task->name);
		if (task->attempt > 0)
			table_cellf(t, "%u", task->attempt);
		else
			table_cell(t, "-");
		runs_put_status(t, word_of(d, task));
		put_task_times(t, d, task, map_get(&first, task->name));
		table_cell(t, task->reason);
		put_attempts(l, t, d, task, map_get(&first, task->name), ownerless);
	}
	map_release(&first);
	return rc;
}

static int
show_one(struct look *l, struct meta_run *run, struct err *err)
{
	static const char *const titles[] = {"TASK",	"TRY",	    "STATUS",
					     "STARTED", "DURATION", "REASON"};
	const char *status = status_of_run(l->place.project, run);
	bool ownerless = strcmp(status, "interrupted") == 0;
	struct details d;
	struct table *t;
	int rc;

	if (get_details(l, run, &d, err) != 0) {
		dag_free(d.dag);
		return -1;
	}
	put_head(l, run, status);
	t = table_new(titles, 6);
	if (t != NULL)
		table_keep(t, 2);
	rc = t == NULL ? -1 : fill_table(l, t, &d, ownerless);
	if (rc == 0)
		rc = table_print(t, &l->c->out, cli_width(1), cli_color(l->c, 1));
	table_free(t);
	dag_free(d.dag);
	if (rc != 0)
		return err_nomem(err);
	if (ownerless)
		place_note_interrupted(l->c, &l->place, run);
	return 0;
}

static int
look(struct look *l, struct err *err)
{
	struct json_writer w;
	struct meta_run run;
	int rc;

	if (l->c->nargs == 0)
		return l->o->json ? runs_list_json(l, err) : runs_list_table(l, err);
	if (place_run(&l->place, l->c->args[0], &run, err) != 0)
		return -1;
	if (!l->o->json)
		return show_one(l, &run, err);
	json_init(&w, &l->c->out, 2);
	rc = runjson_put(l->c, &l->place, &w, &run, err);
	buf_addc(&l->c->out, '\n');
	return rc;
}

/* An instant, or how long ago: 1 if it is neither. */
static int
read_time(const char *text, int64_t *us)
{
	int64_t ago;

	if (text == NULL || time_parse(text, us) == 0)
		return 0;
	if (num_duration(text, &ago) != 0)
		return 1;
	*us = clock_now().wall_us - ago;
	return *us <= 0;
}

static int
usage_time(struct cli *c, const char *option, const char *text)
{
	return cli_usage(c,
			 "option '--%s' takes an instant (2026-11-22, "
			 "2026-11-22T06:00:00Z) or how long ago (30m, 2d), not '%s'",
			 option, text);
}

static int
runs_run(struct cli *c, const void *opts)
{
	struct look l = {.c = c, .o = opts};
	const struct runs_opts *o = opts;
	struct err err = {0};
	int rc = EXIT_OK;

	if (c->nargs > 0 &&
	    (o->dag != NULL || o->after != NULL || o->since != NULL || o->until != NULL ||
	     o->state >= 0 || o->result >= 0 || o->limit.set))
		return cli_usage(c, "with a RUN only --json may be given");
	if (o->state >= 0 && o->state != STATE_DONE && o->result >= 0)
		return cli_usage(c, "a run that is not done has no result");
	if (read_time(o->since, &l.since_us) != 0)
		return usage_time(c, "since", o->since);
	if (read_time(o->until, &l.until_us) != 0)
		return usage_time(c, "until", o->until);
	if (place_open(c, &l.place, &err) != 0 || look(&l, &err) != 0)
		rc = cli_fail(c, &err);
	runs_list_release(&l);
	place_close(&l.place);
	return rc;
}

const struct verb verb_runs = {
    .name = "runs",
    .group = GROUP_LOOK,
    .summary = "list runs, newest first, or show one",
    .args = "[RUN]",
    .max = 1,
    .doc =
	"List the runs of the project; with RUN, its tasks with all their attempts: how "
	"they ended, how long they took, and why. 'dag help projects' tells how a run is "
	"named. Times are UTC.\n"
	"\n"
	"'interrupted' is a run whose owner is gone; its tasks may still be running, and "
	"'dag resume' goes on with it.",
    .examples = "dag runs\tthe latest 20\n"
		"dag runs last\tthe latest one in detail\n"
		"dag runs --dag demo --result failed\twhat went wrong\n"
		"dag runs --since 2d --json\ta line for each run of two days\n",
    .opts = runs_opts,
    .size = sizeof(struct runs_opts),
    .run = runs_run,
};
