#include "store/track/compare.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/path.h"
#include "base/vec.h"
#include "store/meter.h"
#include "store/objects/objects.h"
#include "store/objects/scan.h"
#include "store/objects/tree.h"
#include "store/track/changes.h"
#include "store/track/collect.h"
#include "store/track/workspace.h"

/* One side in the making; the lists of directories are in trees, one for each out. */
struct side {
	struct snapshot_out *v;
	struct tree *trees;
	size_t n;
};

struct comparing {
	const struct workspace *ws;
	const struct compare_options *o;
	struct side old, new;
	struct changes *out;
	struct err *err;
};

/* ---- what is asked for ---- */

static bool
is_wanted(void *arg, const char *path, bool dir)
{
	const struct compare_options *o = arg;

	(void)dir;
	for (size_t i = 0; i < o->ntargets; i++)
		if (path_is_below(path, o->targets[i]))
			return true;
	return o->ntargets == 0;
}

/* Whether an out has, or may have, something that is asked for. */
static bool
concerns(const struct compare_options *o, const char *path)
{
	for (size_t i = 0; i < o->ntargets; i++)
		if (path_overlap(path, o->targets[i]))
			return true;
	return o->ntargets == 0;
}

/* ---- sides ---- */

static int
side_open(struct side *s, size_t n, struct err *err)
{
	s->v = calloc(n + 1, sizeof(*s->v));
	s->trees = calloc(n + 1, sizeof(*s->trees));
	return s->v != NULL && s->trees != NULL ? 0 : err_nomem(err);
}

static void
side_close(struct side *s)
{
	for (size_t i = 0; s->trees != NULL && i < s->n; i++)
		tree_release(&s->trees[i]);
	free(s->trees);
	free(s->v);
}

static int
by_path(const void *a, const void *b)
{
	const struct snapshot_out *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int
take_list(struct comparing *c, struct side *s, const struct track_list *l)
{
	if (side_open(s, l != NULL ? l->n : 0, c->err) != 0)
		return -1;
	for (size_t i = 0; l != NULL && i < l->n; i++) {
		const struct track_out *o = &l->outs[i];

		if (o->cache && concerns(c->o, o->path))
			s->v[s->n++] = (struct snapshot_out){
			    .path = o->path, .id = o->id, .dir = o->id.dir};
	}
	if (s->n > 1)
		qsort(s->v, s->n, sizeof(*s->v), by_path);
	return 0;
}

static const struct snapshot_out *
find(const struct side *s, const char *path)
{
	struct snapshot_out key = {.path = path};

	return s->n == 0 ? NULL : bsearch(&key, s->v, s->n, sizeof(*s->v), by_path);
}

/* Whether the files of a directory matter: nothing is to be said of the same list twice. */
static bool
needs_tree(const struct comparing *c, const struct snapshot_out *o,
	   const struct snapshot_out *other)
{
	return c->o->granular && o->dir &&
	       (c->o->unchanged || other == NULL || !object_id_equal(&o->id, &other->id));
}

/* The lists out of the cache; one that is not there stays unknown. */
static int
load_trees(struct comparing *c, struct side *s, const struct side *other)
{
	struct err err = {0};

	for (size_t i = 0; i < s->n; i++) {
		struct snapshot_out *o = &s->v[i];

		if (o->tree != NULL || !object_id_is_set(&o->id) ||
		    !needs_tree(c, o, find(other, o->path)))
			continue;
		if (objects_tree(c->ws->cache, &o->id, &s->trees[i], &err) == 0) {
			s->trees[i].legacy = o->id.legacy;
			o->tree = &s->trees[i];
		} else if (err.code == ERR_NOMEM || err.code == ERR_CANCELLED) {
			*c->err = err;
			return -1;
		}
		err_clear(&err);
	}
	return 0;
}

/* What the work tree has there, and its list if the old side may need it. */
static int
scan_out(struct comparing *c, const struct snapshot_out *is)
{
	struct side *s = &c->new;
	struct snapshot_out *o = &s->v[s->n];
	const struct snapshot_out *was = find(&c->old, is->path);
	bool legacy = was != NULL ? was->id.legacy : is->id.legacy;
	struct scan sc;
	int r = workspace_scan(c->ws, is->path, legacy, &sc, c->err);

	if (r == 0 && sc.exists) {
		*o = (struct snapshot_out){
		    .path = is->path, .id = sc.id, .dir = sc.is_dir};
		if (needs_tree(c, o, was) ||
		    (c->o->missing && c->o->granular && o->dir)) {
			r = scan_tree(&sc, &s->trees[s->n], c->err);
			s->trees[s->n].legacy = legacy;
			o->tree = &s->trees[s->n];
		}
		s->n++;
	}
	scan_release(&sc);
	return r;
}

static int
take_work(struct comparing *c, const struct track_list *now)
{
	struct side list = {0};
	int r = take_list(c, &list, now);

	if (r == 0)
		r = side_open(&c->new, list.n, c->err);
	meter_begin(c->ws->meter, "looking at the work tree");
	for (size_t i = 0; r == 0 && i < list.n; i++)
		r = scan_out(c, &list.v[i]);
	side_close(&list);
	return r;
}

/* ---- what the cache does not have ---- */

struct looking {
	struct comparing *c;
	struct object_id *ids;
	struct change *v; /* what each of them is */
	size_t n;
};

static size_t
count_files(const struct comparing *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->old.n; i++)
		n += 1 + (c->old.v[i].tree != NULL ? c->old.v[i].tree->n : 0);
	return n;
}

static void
look_for(struct looking *k, const struct snapshot_out *o, const struct tree_entry *e)
{
	struct change *ch = &k->v[k->n];

	*ch = (struct change){
	    .kind = CHANGE_UNCHANGED, .missing = true, .missing_only = true};
	ch->dir = ch->old_dir = e == NULL && o->dir;
	/* Files get their whole path when it is known that they are missing. */
	ch->path = e == NULL ? o->path : e->path;
	ch->old_path = o->path;
	if (e == NULL)
		ch->old = o->id;
	else
		tree_entry_id(o->tree, e, &ch->old);
	k->ids[k->n++] = ch->old;
}

static int
take_missing(struct looking *k, const struct change *ch)
{
	struct changes *out = k->c->out;
	struct change one = *ch;

	if (ch->path != ch->old_path) {
		one.path = arena_printf(out->arena, "%s/%s", ch->old_path, ch->path);
		if (one.path == NULL)
			return err_nomem(k->c->err);
		one.old_path = one.path;
	}
	if (!is_wanted((void *)(uintptr_t)k->c->o, one.path, one.dir))
		return 0;
	return vec_push(out, one) == 0 ? 0 : err_nomem(k->c->err);
}

static int
find_missing(struct comparing *c)
{
	size_t n = count_files(c);
	struct looking k = {.c = c};
	uint8_t *missing = calloc(n + 1, 1);
	int r = 0;

	k.ids = calloc(n + 1, sizeof(*k.ids));
	k.v = calloc(n + 1, sizeof(*k.v));
	if (missing == NULL || k.ids == NULL || k.v == NULL)
		r = err_nomem(c->err);
	for (size_t i = 0; r == 0 && i < c->old.n; i++) {
		const struct snapshot_out *o = &c->old.v[i];

		if (!object_id_is_set(&o->id))
			continue;
		look_for(&k, o, NULL);
		for (size_t f = 0; o->tree != NULL && f < o->tree->n; f++)
			look_for(&k, o, &o->tree->v[f]);
	}
	if (r == 0)
		r = objects_missing(c->ws->cache, k.ids, k.n, missing, c->ws->meter,
				    c->err);
	for (size_t i = 0; r == 0 && i < k.n; i++)
		if (missing[i])
			r = take_missing(&k, &k.v[i]);
	free(missing);
	free(k.ids);
	free(k.v);
	return r;
}

/* The files of the old side are known where the work tree has the same list. */
static void
borrow_trees(struct comparing *c)
{
	for (size_t i = 0; i < c->old.n; i++) {
		struct snapshot_out *o = &c->old.v[i];
		const struct snapshot_out *is = find(&c->new, o->path);

		if (o->tree == NULL && is != NULL && is->tree != NULL &&
		    object_id_equal(&is->id, &o->id))
			o->tree = is->tree;
	}
}

/* ---- all ---- */

static int
compare(struct comparing *c)
{
	struct changes_options o = {.granular = c->o->granular,
				    .unchanged = c->o->unchanged,
				    .by_hash = c->o->by_hash,
				    .want = is_wanted,
				    .arg = (void *)(uintptr_t)c->o};
	struct snapshot old = {c->old.v, c->old.n}, new = {c->new.v, c->new.n};

	if (load_trees(c, &c->old, &c->new) != 0 || load_trees(c, &c->new, &c->old) != 0)
		return -1;
	if (changes_find(&old, &new, &o, c->out, c->err) != 0)
		return -1;
	if (!c->o->missing)
		return 0;
	borrow_trees(c);
	return find_missing(c);
}

static int
run(struct comparing *c, const struct track_list *old, const struct track_list *new,
    bool work)
{
	int r;

	*c->out = (struct changes){0};
	r = take_list(c, &c->old, old);
	if (r == 0)
		r = work ? take_work(c, new) : take_list(c, &c->new, new);
	if (r == 0)
		r = compare(c);
	side_close(&c->old);
	side_close(&c->new);
	return r;
}

int
compare_lists(const struct workspace *ws, const struct track_list *old,
	      const struct track_list *new, const struct compare_options *o,
	      struct changes *out, struct err *err)
{
	struct comparing c = {.ws = ws, .o = o, .out = out, .err = err};

	return run(&c, old, new, false);
}

int
compare_work(const struct workspace *ws, const struct track_list *old,
	     const struct track_list *now, const struct compare_options *o,
	     struct changes *out, struct err *err)
{
	struct comparing c = {.ws = ws, .o = o, .out = out, .err = err};

	return run(&c, old, now, true);
}
