#include "store/track/save.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/meter.h"
#include "store/objects/batch.h"
#include "store/objects/link.h"
#include "store/objects/scan.h"
#include "store/track/apply.h"
#include "store/track/intent.h"
#include "store/track/plan.h"
#include "store/track/workspace.h"

struct save {
	const struct workspace *ws;
	struct batch *batch; /* NULL: nothing was for the cache yet */
};

int
save_begin(const struct workspace *ws, struct save **out, struct err *err)
{
	struct save *s = calloc(1, sizeof(*s));

	*out = s;
	if (s == NULL)
		return err_nomem(err);
	s->ws = ws;
	return 0;
}

static int
need_batch(struct save *s, struct err *err)
{
	return s->batch != NULL ? 0
				: batch_begin(s->ws->cache, s->ws->meter, &s->batch, err);
}

static int
scan(struct save *s, const char *path, const struct workspace_ignore *ignore,
     bool into_cache, struct scan *sc, struct err *err)
{
	const struct workspace *ws = s->ws;
	struct scan_options o = {.root_fd = ws->root_fd,
				 .path = path,
				 .index = ws->index,
				 .into = into_cache ? s->batch : NULL,
				 .cache = ws->cache,
				 .workers = ws->workers,
				 .others = ws->others,
				 .meter = ws->meter};

	if (ignore->scan.top != NULL)
		o.ignore = &ignore->scan;
	if (scan_path(&o, sc, err) != 0)
		return -1;
	if (!sc->exists)
		return err_set(err, ERR_NOTFOUND, "'%s' does not exist", path);
	return 0;
}

int
save_tree(struct save *s, const struct tree *t, bool into_cache, struct object_id *id,
	  struct err *err)
{
	if (!into_cache)
		return tree_id(t, id, NULL, err);
	return need_batch(s, err) == 0 ? batch_tree(s->batch, t, id, NULL, err) : -1;
}

int
save_path(struct save *s, const char *path, bool into_cache, struct saved *out,
	  struct err *err)
{
	struct workspace_ignore ignore;
	struct scan sc = {0};
	int r;

	*out = (struct saved){.since_ns = clock_stamp_ns()};
	r = workspace_ignore(s->ws, path, &ignore, err);
	if (r == 0 && into_cache)
		r = need_batch(s, err);
	if (r == 0)
		r = scan(s, path, &ignore, into_cache, &sc, err);
	workspace_ignore_release(&ignore);
	if (r == 0) {
		out->dir = sc.is_dir;
		out->exec = sc.exec;
		out->unlisted = sc.is_dir && sc.unlisted;
		out->id = sc.id;
		out->size = sc.size;
		out->nfiles = sc.nfiles;
		out->hashed = sc.stats.hashed;
		if (sc.is_dir)
			r = scan_tree(&sc, &out->tree, err);
		if (r == 0 && sc.is_dir && into_cache)
			r = save_tree(s, &out->tree, true, &out->id, err);
	}
	scan_release(&sc);
	return r;
}

int
save_sync(struct save *s, struct err *err)
{
	return s->batch != NULL ? batch_sync(s->batch, err) : 0;
}

int
save_name(struct save *s, struct err *err)
{
	return s->batch != NULL ? batch_name(s->batch, err) : 0;
}

int
save_end(struct save *s, bool keep, struct err *err)
{
	int r = 0;

	if (s == NULL)
		return 0;
	if (s->batch != NULL)
		r = batch_end(s->batch, keep, err);
	free(s);
	return r;
}

int
save_relink(const struct workspace *ws, const char *path, const struct saved *saved,
	    struct problems *problems, struct err *err)
{
	struct plan_side side = {
	    .there = true, .dir = saved->dir, .id = saved->id, .tree = &saved->tree};
	struct apply_options o = {.cache = ws->cache,
				  .index = ws->index,
				  .root_fd = ws->root_fd,
				  .workers = ws->workers,
				  .since_ns = saved->since_ns,
				  .intent = ws->intent,
				  .meter = ws->meter};
	struct apply_out out = {.path = path, .exec = saved->exec && !saved->dir};
	struct plan plan;
	int r;

	if (ws->intent != NULL && intent_add(ws->intent, path, err) != 0)
		return -1;
	if (workspace_link(ws, &o.type, err) != 0)
		return -1;
	meter_begin(ws->meter, "linking");
	r = plan_make(&side, &side, NULL, true, &plan, err);
	out.plan = &plan;
	meter_expect(ws->meter, plan.n, 0);
	if (r == 0)
		r = apply_plans(&o, &out, 1, problems, err);
	plan_release(&plan);
	intent_done(ws->intent);
	return r;
}

void
saved_release(struct saved *s)
{
	tree_release(&s->tree);
	*s = (struct saved){0};
}
