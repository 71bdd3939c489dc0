/*
 * dag retry: run again what failed in a run, by the file as it was or as it is now.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/json.h"
#include "base/path.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/find.h"
#include "cli/load.h"
#include "cli/opts.h"
#include "cli/place.h"
#include "cli/progress.h"
#include "cli/status.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "cli/work.h"
#include "scheduler/dag.h"
#include "scheduler/render.h"
#include "scheduler/session.h"

#define NAMED_MAX 5

struct retry_opts {
	const char *from;
	bool latest;
	struct work_opts work;
};

static const struct opt retry_opts[] = {
    {.name = "from",
     .kind = OPT_STRING,
     .at = offsetof(struct retry_opts, from),
     .arg = "SEL",
     .doc = "Run these tasks and all that follow them again, however they ended: a name, "
	    "or, of a run that has ended, selectors ('dag help select')."},
    {.name = "latest",
     .kind = OPT_FLAG,
     .at = offsetof(struct retry_opts, latest),
     .doc = "Take the DAG file as it is now instead of as it was when the run began. It "
	    "must have the same tasks; everything else in it may have changed."},
    WORK_OPTS(struct retry_opts, work),
    {.name = NULL}};

/* The run has an owner: it shall do it. */
static int
retry_live(struct cli *c, struct place *pl, const struct meta_run *run,
	   const struct retry_opts *o)
{
	struct json_writer w;
	struct buf args;
	int rc;

	buf_init(&args, 0);
	json_init(&w, &args, 0);
	json_begin_object(&w);
	if (o->from != NULL)
		json_kv_str(&w, "from", o->from);
	json_end(&w);
	rc = ask_owner(c, pl, run, "retry", args.p);
	buf_release(&args);
	return rc;
}

/* ---- the file as it is now ---- */

struct latest {
	struct diag *diag;
	struct source source;
	struct arena *arena;
};

static void
latest_release(struct latest *l)
{
	load_source_release(&l->source);
	diag_free(l->diag);
	arena_free(l->arena);
}

/* Read the file of the run.  Mistakes in it are in l->diag, with no DAG; -1 where it cannot be
 * read.  Release in both cases. */
static int
latest_read(struct latest *l, const struct project *p, const struct meta_run *run,
	    struct err *err)
{
	struct buf path;
	char *shown;
	int rc;

	*l = (struct latest){.diag = diag_new(), .arena = arena_new(0)};
	l->source.file = -1;
	buf_init(&l->source.text, 0);
	buf_init(&path, 0);
	path_join(&path, p->root, run->file);
	shown = buf_failed(&path) ? NULL : find_shown(path.p);
	if (l->diag == NULL || l->arena == NULL || shown == NULL)
		rc = err_nomem(err);
	else
		rc = load_source(l->diag, p, shown, &l->source, err);
	free(shown);
	buf_release(&path);
	return rc;
}

/*
 * Who has just repaired the file may believe that retry takes it: say that it does not.  What
 * stands in the way of comparing (the file is gone, or wrong) is no matter here.
 */
static void
note_changed(struct cli *c, const struct project *p, const struct meta_run *run)
{
	struct latest l;
	struct err err;

	if (latest_read(&l, p, run, &err) == 0 && l.source.dag != NULL &&
	    strcmp(l.source.dag->hash, run->def_hash) != 0)
		cli_note(c,
			 "%s has changed since run %s began; a retry keeps to what the "
			 "run began with ('--latest' takes the file as it is)",
			 run->file, text_short_id(run->id));
	latest_release(&l);
}

/* Whether the run can go on by the file, with its values.  Return 0 or the exit code. */
static int
check_values(struct cli *c, struct place *pl, const struct meta_run *run,
	     struct latest *l)
{
	const struct dag *g = l->source.dag;
	struct run_values v = {.dag = g,
			       .run_id = run->id,
			       .logical_us = run->logical_us,
			       .interval_start_us = run->interval_start_us,
			       .interval_end_us = run->interval_end_us};
	bool *selected = arena_array(l->arena, g->ntasks + 1, sizeof(*selected));
	struct jinja_dict *params;
	struct meta_task *tasks;
	struct err err = {0};
	size_t i, n;

	if (selected == NULL)
		(void)err_nomem(&err);
	else if (params_resolve(g, l->arena, NULL, 0, run->params, &params, &err) != 0)
		(void)err_wrap(&err, "the parameters of run %s do not fit %s",
			       text_short_id(run->id), run->file);
	else
		(void)meta_tasks(pl->meta, run->id, l->arena, &tasks, &n, &err);
	if (err.code != ERR_NONE)
		return cli_fail(c, &err);
	for (i = 0; i < n; i++) {
		const struct dag_task *t = dag_task_find(g, tasks[i].name);

		if (t != NULL)
			selected[t->id] = tasks[i].selected;
	}
	v.params = params;
	return load_check_run(c, pl->project, &v, selected, &l->diag, &l->source);
}

static bool
same_task(const struct dag *a, const struct dag *b, const char *name)
{
	const struct dag_task *t = dag_task_find(a, name), *u = dag_task_find(b, name);
	struct json_writer w;
	struct buf x, y;
	bool same;

	if (t == NULL || u == NULL)
		return false;
	buf_init(&x, 0);
	buf_init(&y, 0);
	json_init(&w, &x, 0);
	dag_canonical_task(a, t, &w);
	json_init(&w, &y, 0);
	dag_canonical_task(b, u, &w);
	same = buf_failed(&x) || buf_failed(&y) ||
	       (x.n == y.n && memcmp(x.p, y.p, x.n) == 0);
	buf_release(&x);
	buf_release(&y);
	return same;
}

/* What has succeeded is not run again, even if it would do something else now: name it. */
static void
note_stale(struct cli *c, struct place *pl, const struct meta_run *run,
	   const struct dag *now)
{
	struct meta_task *tasks;
	struct dag *was = NULL;
	struct buf names;
	struct err err;
	size_t i, n, odd = 0;

	if (place_definition(pl, run, &was, &err) != 0 || was == NULL ||
	    meta_tasks(pl->meta, run->id, pl->arena, &tasks, &n, &err) != 0)
		n = 0;
	buf_init(&names, 0);
	for (i = 0; i < n; i++) {
		if (tasks[i].state != TASK_DONE ||
		    (tasks[i].result != RESULT_SUCCESS &&
		     tasks[i].result != RESULT_CACHED) ||
		    same_task(was, now, tasks[i].name))
			continue;
		if (odd++ < NAMED_MAX)
			buf_addf(&names, "%s%s", odd > 1 ? ", " : "", tasks[i].name);
	}
	if (odd > NAMED_MAX)
		buf_addf(&names, " and %zu more", odd - NAMED_MAX);
	if (odd > 0 && !buf_failed(&names))
		cli_note(c,
			 "has changed, but has succeeded and is not run again: %s "
			 "('--from TASK' runs it, and what follows it)",
			 names.p);
	buf_release(&names);
	dag_free(was);
}

/* The file of a run that is retried by it.  Return 0 with l->source.dag, or the exit code. */
static int
latest_open(struct cli *c, struct place *pl, const struct meta_run *run, struct latest *l)
{
	struct err err = {0};
	int rc;

	if (latest_read(l, pl->project, run, &err) != 0) {
		(void)err_wrap(&err, "run %s cannot be retried by its file",
			       text_short_id(run->id));
		return cli_fail(c, &err);
	}
	if (l->source.dag == NULL) {
		cli_diag(c, l->diag);
		return EXIT_USAGE;
	}
	if (strcmp(l->source.dag->hash, run->def_hash) == 0) {
		cli_note(c, "%s has not changed since run %s began", run->file,
			 text_short_id(run->id));
		return 0;
	}
	rc = check_values(c, pl, run, l);
	if (rc == 0)
		note_stale(c, pl, run, l->source.dag);
	return rc;
}

/* ---- the verb ---- */

static int
retry_ended(struct cli *c, struct place *pl, const struct meta_run *run,
	    const struct retry_opts *o, const struct dag *latest)
{
	struct work w = {0};
	struct err err = {0};
	int rc;

	if (work_open(c, pl->project, &o->work, &w, &err) != 0 ||
	    session_settle(w.session, &err) != 0) {
		rc = cli_fail(c, &err);
	} else {
		rc = latest != NULL
			 ? session_retry_latest(w.session, run->id, o->from, latest, &err)
			 : session_retry(w.session, run->id, o->from, &err);
		if (rc < 0) {
			rc = err.code == ERR_BUSY ? work_is_owned(c, run, &err)
						  : cli_fail(c, &err);
		} else if (rc > 0) {
			cli_note(c,
				 "nothing in run %s of %s has failed; '--from TASK' runs "
				 "what has succeeded again",
				 text_short_id(run->id), run->dag);
			rc = EXIT_OK;
		} else {
			rc = work_loop(&w, false);
		}
	}
	work_close(&w);
	return rc;
}

static int
retry_latest(struct cli *c, struct place *pl, const struct meta_run *run,
	     const struct retry_opts *o)
{
	struct latest l;
	int rc = latest_open(c, pl, run, &l);

	if (rc == 0)
		rc = retry_ended(c, pl, run, o, l.source.dag);
	latest_release(&l);
	return rc;
}

static int
retry_run(struct cli *c, const void *opts)
{
	const struct retry_opts *o = opts;
	struct place pl;
	struct meta_run run;
	struct err err = {0};
	const char *status;
	int rc;

	if (place_open_write(c, &pl, &err) != 0 ||
	    place_run(&pl, c->args[0], &run, &err) != 0) {
		place_close(&pl);
		return cli_fail(c, &err);
	}
	status = status_of_run(pl.project, &run);
	if (run.state == RUN_DONE && o->latest) {
		rc = retry_latest(c, &pl, &run, o);
	} else if (run.state == RUN_DONE) {
		note_changed(c, pl.project, &run);
		rc = retry_ended(c, &pl, &run, o, NULL);
	} else if (strcmp(status, "interrupted") == 0) {
		(void)err_set(
		    &err, ERR_INVALID,
		    "run %s of %s has not ended, it was interrupted: dag resume %s",
		    text_short_id(run.id), run.dag, text_short_id(run.id));
		rc = cli_fail(c, &err);
	} else if (o->latest) {
		(void)err_set(
		    &err, ERR_INVALID,
		    "run %s of %s is going on: --latest takes the file for a run "
		    "that has ended ('dag cancel %s' ends it)",
		    text_short_id(run.id), run.dag, text_short_id(run.id));
		rc = cli_fail(c, &err);
	} else {
		rc = retry_live(c, &pl, &run, o);
	}
	place_close(&pl);
	return rc;
}

const struct verb verb_retry = {
    .name = "retry",
    .group = GROUP_WORK,
    .summary = "run what failed in a run again",
    .args = "RUN",
    .min = 1,
    .max = 1,
    .doc =
	"Run the tasks of RUN again that failed, were lost or cancelled, and all that "
	"follow them; what has succeeded stays. It remains the same run, with the "
	"definition and the parameters that it started with; every attempt keeps its "
	"number and its log. A run that has ended is owned by this terminal from now on; "
	"of one that still goes on the owner is asked.\n"
	"\n"
	"With --latest the DAG file counts as it is now: commands, edges, conditions, "
	"limits, new parameters with defaults. The DAG's name and its tasks must be the "
	"same, the run's parameters must fit, and the run must have ended. The run is "
	"recorded as one of the new file from then on, with an event that says so.",
    .examples = "dag retry last\twhat failed in the latest run\n"
		"dag retry demo --from clean\tclean and all that follow it\n"
		"dag retry last --latest\tafter the file was repaired\n",
    .opts = retry_opts,
    .size = sizeof(struct retry_opts),
    .run = retry_run,
};
