/*
 * The end of a scan: the rows are sealed, the tree gets its name, the index is told.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/vec.h"
#include "store/objects/batch.h"
#include "store/objects/objects.h"
#include "store/objects/scan_internal.h"
#include "store/objects/tree.h"

static size_t
rows_of(const struct index_dir *d)
{
	return d->rows == NULL ? 0 : (size_t)1 << d->split;
}

/* ---- sums ---- */

static void
sum_up(struct scan_state *s)
{
	struct scan *scan = s->scan;
	struct index_entry e;
	struct scan_dir *d;
	size_t i, at;

	for (d = s->dirs; d != NULL; d = d->next)
		for (i = 0; i < rows_of(&d->known); i++)
			for (at = 0; index_row_next(&d->known.rows[i], &at, &e);) {
				scan->nfiles++;
				scan->size += e.st.size;
				if (!scan->is_dir)
					memcpy(scan->id.md5, e.md5, sizeof(e.md5));
			}
	scan->id.legacy = s->o.legacy;
	scan->id.dir = scan->is_dir;
	if (!scan->is_dir)
		scan->exists = scan->nfiles == 1;
}

/* ---- the name of the tree ---- */

static int
by_path(const void *a, const void *b)
{
	const struct scan_dir *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

/* What the tree's name is remembered by: the digests of all rows. */
static int
make_key(struct scan_state *s, uint8_t out[16])
{
	VEC(struct scan_dir *) v = {0};
	struct hash *h = hash_new(HASH_SHA256);
	uint8_t raw[HASH_MAX];
	struct scan_dir *d;
	size_t i;
	int r = h == NULL ? -1 : 0;

	for (d = s->dirs; r == 0 && d != NULL; d = d->next)
		if (rows_of(&d->known) != 0)
			r = vec_push(&v, d);
	if (v.n != 0)
		qsort(v.v, v.n, sizeof(*v.v), by_path);
	vec_foreach (&v, struct scan_dir *, it)
		for (i = 0; r == 0 && i < rows_of(&(*it)->known); i++)
			r = hash_update(h, index_row_digest(&(*it)->known.rows[i]), 16);
	if (r == 0 && hash_raw(h, raw) == 0)
		memcpy(out, raw, 16);
	else
		r = -1;
	hash_free(h);
	vec_release(&v);
	return r;
}

static bool
find_name(struct scan_state *s, struct index_tree *t, const uint8_t key[16])
{
	struct index_key where = {s->top->key, s->top->keylen, (uint32_t)INDEX_PART_TREE};
	struct index_raw *raw;

	if (s->top->stored == NULL)
		return false;
	for (raw = s->top->stored->raws; raw != NULL; raw = raw->next)
		if (raw->part == INDEX_PART_TREE && raw->p != NULL)
			return index_tree_unpack(&where, raw->p, raw->n, t) &&
			       memcmp(t->key, key, sizeof(t->key)) == 0;
	return false;
}

static int
add_entry(const struct scan *scan, const struct scan_dir *d, const struct index_entry *e,
	  struct buf *path, struct tree *t, struct err *err)
{
	const struct scan_dir *top = scan->state->top;

	buf_clear(path);
	if (d != top) {
		buf_add(path, d->path + top->len + 1, d->len - top->len - 1);
		buf_addc(path, '/');
	}
	buf_add(path, e->name, e->len);
	if (buf_failed(path))
		return err_nomem(err);
	return tree_add(t, path->p, path->n, e->md5, (int64_t)e->st.size, err);
}

int
scan_tree(const struct scan *scan, struct tree *t, struct err *err)
{
	struct index_entry e;
	struct scan_dir *d;
	struct buf path;
	size_t i, at;
	int r = 0;

	buf_init(&path, 0);
	t->legacy = scan->id.legacy;
	for (d = scan->is_dir ? scan->state->dirs : NULL; d != NULL; d = d->next)
		for (i = 0; i < rows_of(&d->known); i++)
			for (at = 0;
			     r == 0 && index_row_next(&d->known.rows[i], &at, &e);)
				r = add_entry(scan, d, &e, &path, t, err);
	buf_release(&path);
	if (r == 0)
		r = tree_sort(t, err);
	if (r != 0)
		tree_release(t);
	return r;
}

/* Name the tree; new is set if the index does not know it. */
static int
name_tree(struct scan_state *s, struct index_tree *name, bool *new, struct err *err)
{
	struct scan *scan = s->scan;
	struct tree t = {0};
	uint8_t key[16];
	bool known;
	int r;

	if (make_key(s, key) != 0)
		return err_nomem(err);
	known = find_name(s, name, key);
	memcpy(name->key, key, sizeof(key));
	*new = !known;
	if (known)
		memcpy(scan->id.md5, name->md5, sizeof(name->md5));
	r = 0;
	if (known && s->o.into != NULL && s->o.cache != NULL)
		r = objects_has(s->o.cache, &scan->id, err);
	if (r < 0 || (known && (s->o.into == NULL || r > 0)))
		return r < 0 ? -1 : 0;
	r = scan_tree(scan, &t, err);
	if (r == 0)
		r = s->o.into != NULL ? batch_tree(s->o.into, &t, &scan->id, NULL, err)
				      : tree_id(&t, &scan->id, NULL, err);
	tree_release(&t);
	memcpy(name->md5, scan->id.md5, sizeof(name->md5));
	return r;
}

/* ---- the index ---- */

/* Tell it what changed; nothing fails because of it. */
static void
tell(struct scan_state *s, const struct index_tree *name)
{
	struct index_key key = {s->top->key, s->top->keylen, (uint32_t)INDEX_PART_TREE};
	struct index_writes w = {0};
	struct index_write one = {.part = INDEX_PART_ALL};
	uint8_t packed[INDEX_TREE];
	struct index_path *p;
	struct scan_dir *d;

	for (p = s->stored.first; p != NULL; p = p->next) {
		one.path = p->path;
		one.len = p->len;
		if (!p->used)
			(void)vec_push(&w, one);
	}
	for (d = s->dirs; d != NULL; d = d->next)
		if (d->known.path != NULL)
			(void)index_dir_writes(&d->known, &w);
	if (name != NULL && index_tree_pack(&key, name, packed) == 0) {
		one = (struct index_write){.path = key.path,
					   .len = key.len,
					   .part = INDEX_PART_TREE,
					   .p = packed,
					   .n = sizeof(packed)};
		(void)vec_push(&w, one);
	}
	index_store(s->o.index, w.v, w.n);
	vec_release(&w);
}

int
scan_finish(struct scan_state *s, struct err *err)
{
	bool whole = !s->failed && s->scan->nproblems_all == 0, new = false;
	struct index_tree name;
	struct scan_dir *d;
	int r = 0;

	for (d = s->dirs; d != NULL; d = d->next)
		if (index_dir_seal(&d->known) != 0)
			return err_nomem(err);
	if (whole) {
		sum_up(s);
		if (s->scan->is_dir)
			r = name_tree(s, &name, &new, err);
	}
	/* What was found out counts, even if all of it was not. */
	if (s->o.index != NULL)
		tell(s, new &&r == 0 ? &name : NULL);
	return r;
}
