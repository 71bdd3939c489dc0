#include "cli/gc_projects.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fsio.h"
#include "cli/exchange.h"
#include "cli/gc_held.h"
#include "store/git.h"
#include "store/meter.h"
#include "store/objects/object_set.h"
#include "store/project.h"
#include "store/track/collect.h"
#include "store/track/collect_rev.h"
#include "store/track/sweep.h"
#include "store/track/track.h"

struct other {
	struct exchange *x;
	struct project project;
	struct track track;
	struct repo *git; /* NULL: none */
	struct track_revs *revs;
	struct object_set *seen;  /* in revisions */
	struct object_set *links; /* not ours */
	struct meter *m;
};

static int
add(struct other *o, const struct track_out *out, bool in_tree, struct err *err)
{
	struct transfer_want w = {
	    .id = out->id, .size = out->size, .in_tree = in_tree && !out->task};

	if (!out->cache || !object_id_is_set(&out->id))
		return 0;
	w.path = arena_printf(o->x->a.arena, "%s/%s", o->track.root, out->path);
	return w.path != NULL && vec_push(&o->x->wants, w) == 0 ? 0 : err_nomem(err);
}

static int
of_commit(void *ctx, const struct repo_rev *rev, struct err *err)
{
	struct other *o = ctx;
	struct track_list list = {0};
	int rc = track_collect_rev(o->revs, rev->id, o->m, NULL, &list, err);

	for (size_t i = 0; rc == 0 && i < list.n; i++) {
		const struct track_out *out = &list.outs[i];
		int new =
		    object_id_is_set(&out->id) ? object_set_add(o->seen, &out->id) : 0;

		if (new != 0)
			rc = new < 0 ? err_nomem(err) : add(o, out, false, err);
	}
	for (size_t i = 0; rc == 0 && i < list.nalso; i++)
		rc = add(o, &list.also[i], false, err);
	track_list_free(&list);
	return rc;
}

static int
of_tree(struct other *o, struct err *err)
{
	struct track_list list = {0};
	int rc = track_collect(&o->track, o->m, NULL, &list, err);

	if (rc == 0)
		rc = track_list_whole(&list, err);
	for (size_t i = 0; rc == 0 && i < list.n; i++)
		rc = add(o, &list.outs[i], true, err);
	for (size_t i = 0; rc == 0 && i < list.nalso; i++)
		rc = add(o, &list.also[i], true, err);
	track_list_free(&list);
	return rc;
}

static int
of_revs(struct other *o, const struct repo_scope *scope, struct err *err)
{
	struct repo_scope all = *scope;

	all.revs = NULL;
	all.nrevs = 0;
	o->seen = object_set_new();
	if (o->seen == NULL)
		return err_nomem(err);
	if (track_revs_open(&o->track, o->git, &o->revs, err) != 0)
		return -1;
	return repo_revs(o->git, &all, of_commit, o, err);
}

static int
add_held(void *ctx, const struct transfer_want *w, struct err *err)
{
	struct other *o = ctx;

	return vec_push(&o->x->wants, *w) == 0 ? 0 : err_nomem(err);
}

static int
of_runs(struct other *o, struct err *err)
{
	const struct gc_held h = {.project = &o->project,
				  .track = &o->track,
				  .git = o->git,
				  .arena = o->x->a.arena,
				  .meter = o->m,
				  .add = add_held,
				  .ctx = o};

	return gc_held(&h, err) == 0 ? gc_trials(&h, false, err) : -1;
}

/* A directory that was misspelt would protect nothing. */
static int
open_other(struct other *o, const char *dir, struct err *err)
{
	struct track_options opt = {.project = &o->project};
	char *where = fsio_realpath(dir, err);
	int rc = where != NULL ? 0 : -1;

	opt.where = where;
	if (rc == 0)
		rc = project_find(where, NULL, false, &o->project, err);
	if (rc == 0)
		rc = track_open(&opt, &o->track, err);
	o->track.results = true;
	if (rc == 0)
		rc = repo_open(o->track.root, &o->git, err);
	free(where);
	if (rc != 0 || o->git != NULL || o->track.dvc || o->project.state_fd >= 0)
		return rc;
	return err_set(err, ERR_NOTFOUND, "there is neither .dag nor .dvc nor git");
}

static int
one(struct exchange *x, const char *dir, const struct repo_scope *scope,
    struct object_set *links, struct meter *m, struct err *err)
{
	struct other o = {.x = x, .m = m, .links = links};
	int rc;

	o.project = (struct project){.root_fd = -1, .state_fd = -1};
	o.track.root_fd = o.track.lock = -1;
	rc = open_other(&o, dir, err);
	if (rc == 0)
		rc = of_tree(&o, err);
	if (rc == 0)
		rc = sweep_links(o.track.root_fd, "", o.links, err);
	if (rc == 0 && o.git != NULL)
		rc = of_revs(&o, scope, err);
	if (rc == 0)
		rc = of_runs(&o, err);
	track_revs_close(o.revs);
	object_set_free(o.seen);
	repo_close(o.git);
	track_close(&o.track);
	project_release(&o.project);
	return rc == 0 ? 0 : err_wrap(err, "project '%.255s'", dir);
}

int
gc_projects(struct exchange *x, const char *const *dirs, size_t n,
	    const struct repo_scope *scope, struct object_set *links, struct meter *m,
	    struct err *err)
{
	if (n > 0)
		meter_begin(m, "reading what other projects track");
	for (size_t i = 0; i < n; i++)
		if (one(x, dirs[i], scope, links, m, err) != 0)
			return -1;
	return 0;
}
