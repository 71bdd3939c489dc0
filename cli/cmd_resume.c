/*
 * dag resume: go on with interrupted runs.
 */
#include "base/err.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/place.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "cli/work.h"
#include "scheduler/session.h"

struct resume_opts {
	struct work_opts work;
};

static const struct opt resume_opts[] = {WORK_OPTS(struct resume_opts, work),
					 {.name = NULL}};

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
		return err.code == ERR_BUSY ? work_is_owned(c, &run, &err)
					    : cli_fail(c, &err);
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
