#include "store/track/changes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "store/objects/tree.h"

struct finding {
	const struct changes_options *o;
	struct changes *out;
	struct err *err;
};

/* ---- taking down ---- */

static int
push(struct finding *f, const struct change *c)
{
	if (c->kind == CHANGE_UNCHANGED &&
	    (!f->o->unchanged || !object_id_is_set(&c->old)))
		return 0;
	if (f->o->want != NULL && !f->o->want(f->o->arg, c->path, c->dir))
		return 0;
	return vec_push(f->out, *c) == 0 ? 0 : err_nomem(f->err);
}

static const char *
join(struct finding *f, const struct snapshot_out *o, const struct tree_entry *e)
{
	const char *path = arena_printf(f->out->arena, "%s/%s", o->path, e->path);

	if (path == NULL)
		(void)err_nomem(f->err);
	return path;
}

/* A file of the directory ${o}; ${old} or ${new} is NULL where it is not. */
static int
push_entry(struct finding *f, enum change_kind kind, const struct snapshot_out *o,
	   const struct tree *old_tree, const struct tree_entry *old,
	   const struct tree *new_tree, const struct tree_entry *new)
{
	struct change c = {.kind = kind};

	if (kind == CHANGE_UNCHANGED && !f->o->unchanged)
		return 0;
	c.path = join(f, o, old != NULL ? old : new);
	if (c.path == NULL)
		return -1;
	c.old_path = c.path;
	if (old != NULL)
		tree_entry_id(old_tree, old, &c.old);
	if (new != NULL)
		tree_entry_id(new_tree, new, &c.new);
	return push(f, &c);
}

/* All files of a directory that is on one side only. */
static int
push_tree(struct finding *f, enum change_kind kind, const struct snapshot_out *o)
{
	const struct tree *t = o->tree;
	bool is_new = kind != CHANGE_DELETED;

	if (!f->o->granular || !o->dir || t == NULL)
		return 0;
	for (size_t i = 0; i < t->n; i++)
		if (push_entry(f, kind, o, t, is_new ? NULL : &t->v[i], t,
			       is_new ? &t->v[i] : NULL) != 0)
			return -1;
	return 0;
}

static int
push_alone(struct finding *f, enum change_kind kind, const struct snapshot_out *o)
{
	struct change c = {.kind = kind,
			   .dir = o->dir,
			   .old_dir = o->dir,
			   .path = o->path,
			   .old_path = o->path};

	/* Of what has no hash there is nothing to say. */
	if (!object_id_is_set(&o->id))
		return 0;
	if (kind == CHANGE_DELETED)
		c.old = o->id;
	else
		c.new = o->id;
	return push(f, &c) == 0 ? push_tree(f, kind, o) : -1;
}

/* ---- comparing ---- */

static int
compare_entries(const struct tree_entry *a, const struct tree_entry *b)
{
	int r = memcmp(a->path, b->path, a->len < b->len ? a->len : b->len);

	return r != 0 ? r : (a->len > b->len) - (a->len < b->len);
}

/* Two lists of one directory, side by side. */
static int
compare_trees(struct finding *f, const struct snapshot_out *old,
	      const struct snapshot_out *new)
{
	const struct tree *a = old->tree, *b = new->tree;
	size_t i = 0, k = 0;
	int r = 0, order;

	while (r == 0 && (i < a->n || k < b->n)) {
		if (i == a->n)
			order = 1;
		else if (k == b->n)
			order = -1;
		else
			order = compare_entries(&a->v[i], &b->v[k]);
		if (order < 0) {
			r = push_entry(f, CHANGE_DELETED, old, a, &a->v[i], NULL, NULL);
		} else if (order > 0) {
			r = push_entry(f, CHANGE_ADDED, new, NULL, NULL, b, &b->v[k]);
		} else {
			bool same =
			    memcmp(a->v[i].md5, b->v[k].md5, OBJECT_ID_BYTES) == 0;

			r = push_entry(f, same ? CHANGE_UNCHANGED : CHANGE_MODIFIED, old,
				       a, &a->v[i], b, &b->v[k]);
		}
		i += order <= 0;
		k += order >= 0;
	}
	return r;
}

/* The files of two directories that are one out. */
static int
compare_files(struct finding *f, const struct snapshot_out *old,
	      const struct snapshot_out *new, bool same)
{
	struct snapshot_out a = *old, b = *new;

	if (!f->o->granular)
		return 0;
	/* The same id is the same list. */
	if (same && a.tree == NULL)
		a.tree = b.tree;
	if (same && b.tree == NULL)
		b.tree = a.tree;
	if (same && !f->o->unchanged)
		return 0;
	if (a.tree != NULL && b.tree != NULL)
		return compare_trees(f, &a, &b);
	return push_tree(f, CHANGE_UNKNOWN, &b);
}

static int
compare_outs(struct finding *f, const struct snapshot_out *old,
	     const struct snapshot_out *new)
{
	bool was = object_id_is_set(&old->id), is = object_id_is_set(&new->id);
	bool same = object_id_equal(&old->id, &new->id);
	struct change c = {.dir = new->dir,
			   .old_dir = old->dir,
			   .path = new->path,
			   .old_path = old->path,
			   .old = old->id,
			   .new = new->id};

	if (!was && !is)
		return 0;
	if (!is)
		return push_alone(f, CHANGE_DELETED, old);
	if (!was && f->o->by_hash)
		return push_alone(f, CHANGE_ADDED, new);
	c.kind = same ? CHANGE_UNCHANGED : CHANGE_MODIFIED;
	if (push(f, &c) != 0)
		return -1;
	if (old->dir && new->dir)
		return compare_files(f, old, new, same);
	return push_tree(f, CHANGE_DELETED, old) == 0 ? push_tree(f, CHANGE_ADDED, new)
						      : -1;
}

/* ---- what was tracked in another way ---- */

int
change_compare_paths(const char *a, bool a_dir, const char *b, bool b_dir)
{
	size_t i = 0;
	unsigned char x, y;

	while (a[i] != '\0' && a[i] == b[i])
		i++;
	/* A directory goes on with a slash. */
	x = (unsigned char)(a[i] == '\0' && a_dir ? '/' : a[i]);
	y = (unsigned char)(b[i] == '\0' && b_dir ? '/' : b[i]);
	if (x != y)
		return x < y ? -1 : 1;
	/* One ends here with its slash, and the other goes on behind one. */
	return (a[i] != '\0') - (b[i] != '\0');
}

static int
by_old_path(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	int r = change_compare_paths(x->old_path, x->dir, y->old_path, y->dir);

	return r != 0 ? r : (int)x->kind - (int)y->kind;
}

/* A file of a directory before may be an out by itself now: one path, deleted and added. */
static void
join_pairs(struct finding *f)
{
	struct changes *c = f->out;
	struct change *last;
	size_t to = 0;

	for (size_t i = 0; i < c->n; i++) {
		last = to > 0 ? &c->v[to - 1] : NULL;
		if (last == NULL || last->kind != CHANGE_ADDED ||
		    c->v[i].kind != CHANGE_DELETED || last->dir != c->v[i].dir ||
		    strcmp(last->path, c->v[i].path) != 0) {
			c->v[to++] = c->v[i];
			continue;
		}
		last->old = c->v[i].old;
		last->kind = object_id_equal(&last->old, &last->new) ? CHANGE_UNCHANGED
								     : CHANGE_MODIFIED;
		if (last->kind == CHANGE_UNCHANGED && !f->o->unchanged)
			to--;
	}
	c->n = to;
}

/* ---- renames ---- */

/* The order in which the deleted are given away: by component, a slash before all else. */
static int
compare_components(const char *a, const char *b)
{
	unsigned char x, y;

	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	x = (unsigned char)(*a == '/' ? 1 : *a);
	y = (unsigned char)(*b == '/' ? 1 : *b);
	return (x > y) - (x < y);
}

static int
by_id(const void *a, const void *b)
{
	const struct change *const *x = a, *const *y = b;
	int r = object_id_cmp(&(*x)->old, &(*y)->old);

	return r != 0 ? r : compare_components((*x)->path, (*y)->path);
}

static int
by_component(const void *a, const void *b)
{
	const struct change *const *x = a, *const *y = b;

	return compare_components((*x)->path, (*y)->path);
}

/* Changes of one kind, sorted. */
static struct change **
pick(struct changes *c, enum change_kind kind, size_t n,
     int (*order)(const void *, const void *))
{
	struct change **v = calloc(n, sizeof(*v));
	size_t to = 0;

	if (v == NULL)
		return NULL;
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].kind == kind)
			v[to++] = &c->v[i];
	qsort(v, n, sizeof(*v), order); /* NOLINT: an array of pointers */
	return v;
}

static size_t
first_of(struct change *const *v, size_t n, const struct object_id *id)
{
	size_t lo = 0, hi = n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (object_id_cmp(&v[mid]->old, id) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Give each of the added the next of the deleted with its content.  ${taken}[i] counts how many
 * of those that begin at i are given away. */
static void
match(struct change **added, size_t n, struct change **deleted, size_t m, size_t *taken)
{
	for (size_t i = 0; i < n; i++) {
		size_t first = first_of(deleted, m, &added[i]->new);
		size_t at = first + (first < m ? taken[first] : 0);

		if (at >= m || !object_id_equal(&deleted[at]->old, &added[i]->new))
			continue;
		taken[first]++;
		added[i]->kind = CHANGE_RENAMED;
		added[i]->old = deleted[at]->old;
		added[i]->old_path = deleted[at]->path;
		deleted[at]->path = NULL; /* has become one with it */
	}
}

static void
drop_gone(struct changes *c)
{
	size_t to = 0;

	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].path != NULL)
			c->v[to++] = c->v[i];
	c->n = to;
}

static int
find_renames(struct finding *f)
{
	size_t n = changes_count(f->out, CHANGE_ADDED);
	size_t m = changes_count(f->out, CHANGE_DELETED);
	struct change **added, **deleted;
	size_t *taken;

	if (n == 0 || m == 0)
		return 0;
	added = pick(f->out, CHANGE_ADDED, n, by_component);
	deleted = pick(f->out, CHANGE_DELETED, m, by_id);
	taken = calloc(m, sizeof(*taken));
	if (added != NULL && deleted != NULL && taken != NULL) {
		match(added, n, deleted, m, taken);
		drop_gone(f->out);
	} else {
		(void)err_nomem(f->err);
		m = 0;
	}
	free(added);
	free(deleted);
	free(taken);
	return m != 0 ? 0 : -1;
}

/* ---- all ---- */

static int
compare_snapshots(struct finding *f, const struct snapshot *old,
		  const struct snapshot *new)
{
	size_t i = 0, k = 0;
	int r = 0, order;

	while (r == 0 && (i < old->n || k < new->n)) {
		if (i == old->n)
			order = 1;
		else if (k == new->n)
			order = -1;
		else
			order = strcmp(old->v[i].path, new->v[k].path);
		if (order < 0)
			r = push_alone(f, CHANGE_DELETED, &old->v[i]);
		else if (order > 0)
			r = push_alone(f, CHANGE_ADDED, &new->v[k]);
		else
			r = compare_outs(f, &old->v[i], &new->v[k]);
		i += order <= 0;
		k += order >= 0;
	}
	return r;
}

static void
sort(struct changes *c)
{
	if (c->n > 1)
		qsort(c->v, c->n, sizeof(*c->v), by_old_path);
}

int
changes_find(const struct snapshot *old, const struct snapshot *new,
	     const struct changes_options *o, struct changes *out, struct err *err)
{
	struct finding f = {.o = o, .out = out, .err = err};

	*out = (struct changes){.arena = arena_new(0)};
	if (out->arena == NULL)
		return err_nomem(err);
	if (compare_snapshots(&f, old, new) != 0)
		return -1;
	sort(out);
	join_pairs(&f);
	if (find_renames(&f) != 0)
		return -1;
	sort(out);
	return 0;
}

void
changes_release(struct changes *c)
{
	arena_free(c->arena);
	vec_free(c->v);
	*c = (struct changes){0};
}

size_t
changes_count(const struct changes *c, enum change_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->v[i].kind == kind;
	return n;
}
