#include "cli/run_sources.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/path.h"
#include "cli/artifact.h"
#include "cli/cli.h"
#include "scheduler/dag.h"
#include "store/track/add.h"
#include "store/track/far.h"
#include "store/track/problems.h"
#include "store/track/status.h"

struct sources {
	struct artifact a;
	const struct dag *dag;
	const bool *selected;
	const struct dag_how *how;
	struct status_out *outs; /* that stages depend on */
	struct add_item *items;	 /* those of them that have changed */
	size_t n, nitems;
	struct problems problems;
};

static bool
is_read(const struct sources *s, const char *path)
{
	const struct dag *g = s->dag;

	for (size_t i = 0; i < g->ntasks; i++)
		for (size_t k = 0; s->selected[i] && k < g->tasks[i].ninputs; k++)
			if (path_overlap(g->tasks[i].inputs[k].src, path))
				return true;
	return false;
}

static int
find(struct sources *s, struct err *err)
{
	const struct track_list *l = &s->a.list;

	s->outs = arena_array(s->a.arena, l->n + 1, sizeof(*s->outs));
	s->items = arena_array(s->a.arena, l->n + 1, sizeof(*s->items));
	if (s->outs == NULL || s->items == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < l->n; i++) {
		const struct track_out *o = &l->outs[i];

		if (o->stage != NULL || o->frozen || o->import || !is_read(s, o->path))
			continue;
		s->outs[s->n++] =
		    (struct status_out){.path = o->path, .id = o->id, .cache = o->cache};
	}
	return s->n > 0 ? status_outs(&s->a.ws, s->outs, s->n, err) : 0;
}

/* What is not there comes, and is then what is recorded. */
static int
bring(struct sources *s, struct meter *m, struct err *err)
{
	for (size_t i = 0; s->how->pull && !s->how->allow_missing && i < s->n; i++)
		if (!s->outs[i].there && far_bring(&s->a.track, &s->a.ws, &s->a.list,
						   s->outs[i].path, m, err) < 0)
			return -1;
	return 0;
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct sources *s = arg;
	struct add_options o = {.root = s->a.track.root,
				.list = &s->a.list,
				.commit = true,
				.into_cache = !s->how->no_commit,
				.relink = !s->how->no_commit,
				.gitignore = s->a.track.gitignore};

	if (find(s, err) != 0 || bring(s, m, err) != 0)
		return -1;
	for (size_t i = 0; i < s->n; i++)
		if (s->outs[i].there && s->outs[i].changed)
			s->items[s->nitems++].target = s->outs[i].path;
	if (s->nitems == 0)
		return 0;
	meter_begin(&s->a.meter, "hashing");
	return add_paths(&s->a.ws, &o, s->items, s->nitems, s->a.arena, &s->problems,
			 err);
}

/* Whether there may be any: the work of a run without them is not worth a look. */
static bool
has_inputs(const struct sources *s)
{
	for (size_t i = 0; i < s->dag->ntasks; i++)
		if (s->selected[i] && s->dag->tasks[i].ninputs > 0)
			return true;
	return false;
}

static int
tell(struct sources *s, struct err *err)
{
	const char **v = arena_array(s->a.arena, s->nitems + 1, sizeof(*v));
	size_t n = 0;

	if (v == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < s->nitems; i++) {
		if (!s->items[i].file_changed)
			continue;
		cli_note(s->a.c, "%s: what has changed is recorded", s->items[i].file);
		v[n++] = s->items[i].file;
	}
	return s->a.track.autostage ? artifact_stage(&s->a, v, n, err) : 0;
}

int
run_sources(struct cli *c, const struct dag *g, const bool *selected,
	    const struct dag_how *how)
{
	static const struct artifact_opts opts = {.quiet = true};
	struct sources s = {.dag = g, .selected = selected, .how = how};
	struct err err = {0};
	int rc, code = 0;

	if (!has_inputs(&s))
		return 0;
	problems_init(&s.problems);
	rc = artifact_open(c, &opts, true, &s.a, &err);
	if (rc == 0)
		rc = artifact_work(&s.a, work, &s, &err);
	if (rc == 0)
		rc = tell(&s, &err);
	if (rc != 0)
		code = artifact_fail(&s.a, &err);
	else
		artifact_problems(&s.a, &s.problems);
	problems_release(&s.problems);
	artifact_close(&s.a);
	return code;
}

/* ---- earlier runs ---- */

static int
fetch_runs(void *arg, struct meter *m, struct err *err)
{
	const struct artifact *a = arg;

	meter_begin(m, "fetching the run cache");
	return far_runs(&a->track, m, err);
}

int
run_fetch_runs(struct cli *c)
{
	static const struct artifact_opts opts = {.quiet = true};
	struct err err = {0};
	struct artifact a;
	int code = 0;

	if (artifact_open(c, &opts, true, &a, &err) != 0) {
		code = artifact_fail(&a, &err);
	} else if (artifact_work(&a, fetch_runs, &a, &err) != 0) {
		if (err.code == ERR_CANCELLED || err.code == ERR_NOMEM)
			code = artifact_fail(&a, &err);
		else
			cli_warn(c, "earlier runs are not fetched: %s", err.msg);
	}
	artifact_close(&a);
	return code;
}
