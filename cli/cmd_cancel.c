/*
 * dag cancel: stop a run, whoever owns it, or nobody.
 */
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/place.h"
#include "cli/progress.h"
#include "cli/status.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "cli/work.h"
#include "scheduler/session.h"

struct cancel_opts {
	bool kill;
};

static const struct opt cancel_opts[] = {
    {.name = "kill",
     .kind = OPT_FLAG,
     .at = offsetof(struct cancel_opts, kill),
     .doc = "Kill the tasks at once, without their grace."},
    {.name = NULL}};

static int
cancel_live(struct cli *c, struct place *pl, const struct meta_run *run, bool kill_now)
{
	int rc = ask_owner(c, pl, run, kill_now ? "kill" : "cancel", "{}");

	return rc == EXIT_OK ? ask_wait_end(c, pl, run, kill_now) : rc;
}

/* Nobody owns it: we do, as long as it takes to stop what lives. */
static int
cancel_ownerless(struct cli *c, struct place *pl, const struct meta_run *run)
{
	struct work_opts o = {.progress = PROGRESS_NONE};
	struct meta_run now;
	struct work w = {0};
	struct err err = {0};
	int rc;

	if (work_open(c, pl->project, &o, &w, &err) != 0 ||
	    session_cancel_ownerless(w.session, run->id, &err) != 0) {
		rc = cli_fail(c, &err);
	} else {
		rc = session_loop(w.session, &err);
		if (rc == EXIT_DAG)
			rc = cli_fail(c, &err);
	}
	work_close(&w);
	if (rc != EXIT_OK && rc != EXIT_WORK)
		return rc;
	/* A cancelled run has not succeeded, but cancelling has. */
	if (meta_run_get(pl->meta, run->id, pl->arena, &now, &err) != 0)
		return cli_fail(c, &err);
	buf_addf(&c->out, "run %s of %s has ended: %s\n", text_short_id(run->id),
		 run->dag, status_of_run(pl->project, &now));
	return now.state == RUN_DONE ? EXIT_OK : EXIT_DAG;
}

static int
cancel_run(struct cli *c, const void *opts)
{
	const struct cancel_opts *o = opts;
	struct place pl;
	struct meta_run run;
	struct err err = {0};
	int rc;

	if (place_open_write(c, &pl, &err) != 0 ||
	    place_run(&pl, c->args[0], &run, &err) != 0) {
		rc = cli_fail(c, &err);
	} else if (run.state == RUN_DONE) {
		cli_note(c, "run %s of %s has ended already: %s", text_short_id(run.id),
			 run.dag, run_result_name(run.result));
		rc = EXIT_OK;
	} else if (strcmp(status_of_run(pl.project, &run), "interrupted") == 0) {
		rc = cancel_ownerless(c, &pl, &run);
	} else {
		rc = cancel_live(c, &pl, &run, o->kill);
	}
	place_close(&pl);
	return rc;
}

const struct verb verb_cancel = {
    .name = "cancel",
    .group = GROUP_WORK,
    .summary = "stop a run",
    .args = "RUN",
    .min = 1,
    .max = 1,
    .doc = "Stop RUN: nothing more is started, its tasks get TERM and after their grace "
	   "KILL, "
	   "and the run ends as cancelled. Waits until it has ended. Works from any "
	   "terminal; "
	   "of an interrupted run it stops what still lives.",
    .opts = cancel_opts,
    .size = sizeof(struct cancel_opts),
    .run = cancel_run,
};
