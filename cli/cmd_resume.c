/*
 * dag resume, dag retry: go on with runs that there are already.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/json.h"
#include "base/path.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/load.h"
#include "cli/opts.h"
#include "cli/place.h"
#include "cli/progress.h"
#include "cli/status.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "cli/work.h"
#include "scheduler/dag.h"
#include "scheduler/session.h"

struct resume_opts {
	struct work_opts work;
};

static const struct opt resume_opts[] = {WORK_OPTS(struct resume_opts, work),
					 {.name = NULL}};

/* Somebody owns the run that we wanted. */
static int
is_owned(struct cli *c, const struct meta_run *run, const struct err *err)
{
	(void)cli_fail(c, err);
	cli_note(c, "'dag runs %s' shows how it goes, 'dag cancel %s' stops it",
		 text_short_id(run->id), text_short_id(run->id));
	return EXIT_DAG;
}

/* One run that was named. */
static int
resume_one(struct cli *c, struct place *pl, struct work *w, const char *ref)
{
	struct meta_run run;
	struct err err = {0};
	int rc;

	if (place_run(pl, ref, &run, &err) != 0)
		return cli_fail(c, &err);
	rc = session_resume(w->session, run.id, &err);
	if (rc < 0)
		return err.code == ERR_BUSY ? is_owned(c, &run, &err) : cli_fail(c, &err);
	if (rc > 0) {
		cli_note(c, "run %s of %s has ended already: %s%s%s",
			 text_short_id(run.id), run.dag, run_result_name(run.result),
			 run.result == RUN_SUCCESS ? "" : "; to run it again: dag retry ",
			 run.result == RUN_SUCCESS ? "" : text_short_id(run.id));
		return EXIT_OK;
	}
	return work_loop(w, false);
}

/* All that are interrupted.  One that cannot be taken over does not keep the others back. */
static int
resume_all(struct cli *c, struct place *pl, struct work *w)
{
	struct meta_run *runs;
	struct err err = {0};
	size_t i, n, taken = 0;
	int failed = EXIT_OK, rc;

	if (place_interrupted(pl, &runs, &n, &err) != 0)
		return cli_fail(c, &err);
	for (i = 0; i < n; i++) {
		rc = session_resume(w->session, runs[i].id, &err);
		if (rc == 0)
			taken++;
		/* Who else took it, or saw its end, was only faster. */
		if (rc < 0 && err.code != ERR_BUSY) {
			(void)err_wrap(&err, "cannot resume run %s of %s",
				       text_short_id(runs[i].id), runs[i].dag);
			failed = cli_fail(c, &err);
		}
	}
	if (taken == 0) {
		if (failed == EXIT_OK) {
			if (w->o->json)
				buf_adds(&c->out, "[]\n");
			else
				buf_adds(&c->out, "no run is interrupted\n");
		}
		return failed;
	}
	rc = work_loop(w, true);
	return rc != EXIT_OK ? rc : failed;
}

static int
resume_run(struct cli *c, const void *opts)
{
	const struct resume_opts *o = opts;
	struct place pl;
	struct work w = {0};
	struct err err = {0};
	int rc;

	if (place_open(c, &pl, &err) != 0) {
		rc = cli_fail(c, &err);
	} else if (pl.meta == NULL && c->nargs == 0) {
		buf_adds(&c->out, o->work.json ? "[]\n" : "no run is interrupted\n");
		rc = EXIT_OK;
	} else if (pl.meta == NULL) {
		struct meta_run none;

		(void)place_run(&pl, c->args[0], &none, &err);
		rc = cli_fail(c, &err);
	} else if (work_open(c, pl.project, &o->work, &w, &err) != 0) {
		rc = cli_fail(c, &err);
	} else if (c->nargs > 0) {
		rc = resume_one(c, &pl, &w, c->args[0]);
	} else {
		rc = resume_all(c, &pl, &w);
	}
	work_close(&w);
	place_close(&pl);
	return rc;
}

const struct verb verb_resume = {
    .name = "resume",
    .group = GROUP_WORK,
    .summary = "go on with interrupted runs",
    .args = "[RUN]",
    .max = 1,
    .doc =
	"Take over RUN, or all interrupted runs of the project, whose owner is gone: "
	"tasks that still run are adopted, those that have ended in the meantime are "
	"recorded, and the rest is run, by the definition that the run started with. "
	"What has succeeded is not run again. A task whose end nobody can know is 'lost' "
	"and is tried again if it has retries.\n"
	"\n"
	"A run that has ended is not resumed but retried ('dag retry').",
    .examples = "dag resume\tall that were interrupted\n"
		"dag resume last\tthe latest run\n",
    .opts = resume_opts,
    .size = sizeof(struct resume_opts),
    .run = resume_run,
};

/* ---- retry ---- */

struct retry_opts {
	const char *from;
	struct work_opts work;
};

static const struct opt retry_opts[] = {
    {.name = "from",
     .kind = OPT_STRING,
     .at = offsetof(struct retry_opts, from),
     .arg = "TASK",
     .doc = "Run TASK and all that follow it again, however they ended."},
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

/*
 * Who has just repaired the file may believe that retry takes it: say that it does not.  What
 * stands in the way of comparing (the file is gone, or wrong) is no matter here.
 */
static void
note_changed(struct cli *c, const struct project *p, const struct meta_run *run)
{
	struct diag *d = diag_new();
	struct source s = {.file = -1};
	struct err err;
	struct buf path;

	buf_init(&path, 0);
	buf_init(&s.text, 0);
	path_join(&path, p->root, run->file);
	if (d != NULL && !buf_failed(&path) && load_source(d, p, path.p, &s, &err) == 0 &&
	    s.dag != NULL && strcmp(s.dag->hash, run->def_hash) != 0)
		cli_note(c,
			 "%s has changed since run %s began; a retry keeps to what the "
			 "run began with ('dag run %s' takes the file as it is)",
			 run->file, text_short_id(run->id), run->dag);
	load_source_release(&s);
	buf_release(&path);
	diag_free(d);
}

static int
retry_ended(struct cli *c, struct place *pl, const struct meta_run *run,
	    const struct retry_opts *o)
{
	struct work w = {0};
	struct err err = {0};
	int rc;

	if (work_open(c, pl->project, &o->work, &w, &err) != 0 ||
	    session_settle(w.session, &err) != 0) {
		rc = cli_fail(c, &err);
	} else {
		rc = session_retry(w.session, run->id, o->from, &err);
		if (rc < 0) {
			rc = err.code == ERR_BUSY ? is_owned(c, run, &err)
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
	if (run.state == RUN_DONE) {
		note_changed(c, pl.project, &run);
		rc = retry_ended(c, &pl, &run, o);
	} else if (strcmp(status, "interrupted") == 0) {
		(void)err_set(
		    &err, ERR_INVALID,
		    "run %s of %s has not ended, it was interrupted: dag resume %s",
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
	"of one that still goes on the owner is asked.",
    .examples = "dag retry last\twhat failed in the latest run\n"
		"dag retry demo --from clean\tclean and all that follow it\n",
    .opts = retry_opts,
    .size = sizeof(struct retry_opts),
    .run = retry_run,
};
