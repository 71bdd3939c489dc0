#include "cli/work.h"

#include <errno.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/place.h"
#include "cli/progress.h"
#include "cli/runjson.h"
#include "cli/table.h"
#include "scheduler/session.h"
#include "store/project.h"

int
work_open(struct cli *c, const struct project *p, const struct work_opts *o,
	  struct work *w, struct err *err)
{
	struct session_config cfg = {0};

	*w = (struct work){.c = c, .project = p, .o = o};
	w->progress =
	    progress_new(c, o->progress, o->json ? STDERR_FILENO : STDOUT_FILENO, err);
	if (w->progress == NULL)
		return -1;
	cfg.jobs = o->jobs.set ? (unsigned)o->jobs.v : 0;
	cfg.with_owner = c->with_parent;
	cfg.observer = progress_observer(w->progress);
	if (session_open(p, &cfg, &w->session, err) != 0)
		return -1;
	progress_attach(w->progress, w->session);
	return 0;
}

void
work_close(struct work *w)
{
	session_close(w->session);
	progress_free(w->progress);
	w->session = NULL;
	w->progress = NULL;
}

/* Runs of the session as JSON, as the database has them. */
static int
put_json(struct work *w, bool many, struct err *err)
{
	struct place pl;
	struct session_run view;
	struct json_writer out;
	struct meta_run run;
	size_t i;
	int rc = place_open_at(w->project, &pl, err);

	if (rc == 0 && pl.meta == NULL)
		rc = err_set(err, ERR_STALE, "the database of '%s' is gone",
			     w->project->root);
	/* Lines of progress are one object each, and so is the end then. */
	json_init(&out, &w->c->out, w->o->progress == PROGRESS_JSON ? 0 : 2);
	if (many)
		json_begin_array(&out);
	for (i = 0; rc == 0 && i < session_run_count(w->session); i++) {
		session_run_view(w->session, i, &view);
		if (view.ntasks == 0)
			continue;
		rc = meta_run_get(pl.meta, view.id, pl.arena, &run, err);
		if (rc == 0)
			rc = runjson_put(w->c, &pl, &out, &run, err);
	}
	if (many)
		json_end(&out);
	buf_addc(&w->c->out, '\n');
	place_close(&pl);
	return rc;
}

/* How to go on with runs that were let go. */
static void
tell_resume(struct work *w)
{
	struct session_run v;
	size_t i;

	for (i = 0; i < session_run_count(w->session); i++) {
		session_run_view(w->session, i, &v);
		if (v.ntasks > 0 && v.state != RUN_DONE)
			cli_note(
			    w->c,
			    "run %s of %s is not lost: 'dag resume %s' goes on with it",
			    text_short_id(v.id), v.dag, text_short_id(v.id));
	}
}

/* The end, for people or as JSON.  Return the exit code. */
static int
tell_end(struct work *w, bool many, int rc)
{
	struct session_run v;
	struct err err = {0};
	size_t i;

	if (w->o->json) {
		if (put_json(w, many, &err) == 0 || w->c->out_errno == EPIPE)
			return rc;
		(void)cli_fail(w->c, &err);
		return rc != EXIT_OK ? rc : EXIT_DAG;
	}
	for (i = 0; w->o->progress != PROGRESS_JSON && i < session_run_count(w->session);
	     i++) {
		session_run_view(w->session, i, &v);
		if (v.ntasks > 0)
			summary_put(w, i);
	}
	return rc;
}

int
work_loop(struct work *w, bool many)
{
	struct err err = {0};
	int rc;

	rc = session_loop(w->session, &err);
	progress_end(w->progress);
	if (rc == EXIT_DAG || rc == EXIT_HANGUP) {
		if (err.code != ERR_NONE)
			(void)cli_fail(w->c, &err);
		/* Of a run that is gone, or another's by now, there is nothing to resume. */
		if (err.code != ERR_STALE)
			tell_resume(w);
		return rc;
	}
	rc = tell_end(w, many, rc);
	/* Whether anybody reads how a run went does not change how it went. */
	if (cli_flush(w->c) != 0 && w->c->out_errno == EPIPE)
		w->c->out_errno = 0;
	return rc;
}

int
work_is_owned(struct cli *c, const struct meta_run *run, const struct err *err)
{
	(void)cli_fail(c, err);
	cli_note(c, "'dag runs %s' shows how it goes, 'dag cancel %s' stops it",
		 text_short_id(run->id), text_short_id(run->id));
	return EXIT_DAG;
}
