#include "store/track/status.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "store/meter.h"
#include "store/objects/index.h"
#include "store/objects/objects.h"
#include "store/objects/scan.h"
#include "store/objects/tree.h"
#include "store/track/workspace.h"

const char *
out_state_name(enum out_state state)
{
	switch (state) {
	case OUT_MODIFIED:
		return "modified";
	case OUT_DELETED:
		return "deleted";
	case OUT_NOT_IN_CACHE:
		return "not in cache";
	case OUT_RIGHT:
		break;
	}
	return NULL;
}

/* Whether the cache has all files of a list.  1, 0 or -1. */
static int
has_files(const struct workspace *ws, const struct tree *t, struct err *err)
{
	struct object_id *ids = calloc(t->n + 1, sizeof(*ids));
	uint8_t *missing = calloc(t->n + 1, 1);
	int r = ids == NULL || missing == NULL ? err_nomem(err) : 0;

	for (size_t i = 0; r == 0 && i < t->n; i++)
		tree_entry_id(t, &t->v[i], &ids[i]);
	if (r == 0)
		r = objects_missing(ws->cache, ids, t->n, missing, ws->meter, err);
	if (r == 0)
		r = 1;
	for (size_t i = 0; r == 1 && i < t->n; i++)
		r = !missing[i];
	free(ids);
	free(missing);
	return r;
}

/* The list of a directory: what was found in the work tree, if that is the one; else the
 * object.  1, 0 where there is none, or -1. */
static int
find_tree(const struct workspace *ws, const struct status_out *o, const struct scan *s,
	  struct tree *t, struct err *err)
{
	int r;

	if (s->exists && object_id_equal(&s->id, &o->id)) {
		if (scan_tree(s, t, err) != 0)
			return -1;
		t->legacy = o->id.legacy;
		return 1;
	}
	r = objects_tree(ws->cache, &o->id, t, err);
	t->legacy = o->id.legacy;
	if (r == 0)
		return 1;
	/* A list that cannot be read is as good as none. */
	return err->code == ERR_NOMEM || err->code == ERR_CANCELLED ? -1 : 0;
}

/* 1, 0 or -1. */
static int
is_cached(const struct workspace *ws, const struct status_out *o, const struct scan *s,
	  struct err *err)
{
	struct index_view view = {0};
	struct tree t = {0};
	int r = objects_has(ws->cache, &o->id, err);

	if (r != 1 || !o->id.dir)
		return r;
	if (s->nfiles >= INDEX_WHOLE_MIN &&
	    index_whole(ws->index, ws->cache, &o->id, &view))
		return 1;
	r = find_tree(ws, o, s, &t, err);
	if (r == 1)
		r = has_files(ws, &t, err);
	if (r == 1)
		index_note_whole(ws->index, ws->cache, &o->id, &view);
	tree_release(&t);
	return r;
}

int
status_cached(const struct workspace *ws, const struct object_id *id, struct err *err)
{
	struct status_out o = {.id = *id};
	struct scan none = {.nfiles = INDEX_WHOLE_MIN};

	return is_cached(ws, &o, &none, err);
}

static int
look(const struct workspace *ws, struct status_out *o, struct err *err)
{
	struct scan s;
	int r = workspace_scan(ws, o->path, o->id.legacy, &s, err), cached = 1;

	o->there = s.exists;
	o->changed = s.exists && !object_id_equal(&s.id, &o->id);
	if (r == 0 && o->cache && object_id_is_set(&o->id))
		cached = is_cached(ws, o, &s, err);
	if (cached < 0)
		r = -1;
	else if (cached == 0)
		o->state = OUT_NOT_IN_CACHE;
	else if (!o->there)
		o->state = OUT_DELETED;
	else
		o->state = o->changed ? OUT_MODIFIED : OUT_RIGHT;
	scan_release(&s);
	return r;
}

int
status_outs(const struct workspace *ws, struct status_out *outs, size_t n,
	    struct err *err)
{
	meter_begin(ws->meter, "looking at the work tree");
	for (size_t i = 0; i < n; i++) {
		if (meter_cancelled(ws->meter))
			return err_set(err, ERR_CANCELLED, "stopped on request");
		if (look(ws, &outs[i], err) != 0)
			return -1;
	}
	return 0;
}
