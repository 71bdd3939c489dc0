/*
 * The second half of reading: comments move from where they hung in the text to the entries
 * of the collection that holds the value.
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "store/dvc/yaml_doc_int.h"

static void
own(struct yaml_val *v)
{
	if (v->raw == NULL)
		return;
	v->has_slots = true;
	v->slots = (struct yaml_slots){
	    .post = v->raw->post, .pre = v->raw->pre, .end = v->raw->end};
}

static int attach(struct yaml_val *, const char *, struct err *);

/* What hangs at an entry of a list belongs to its place there, not to it. */
static int
attach_seq(struct yaml_val *v, const char *name, struct err *err)
{
	own(v);
	for (size_t i = 0; i < v->n; i++) {
		struct yaml_item *it = &v->items[i];
		struct yaml_slots *raw = it->val->raw;

		if (raw != NULL) {
			it->slots.there = true;
			it->slots.key_post = raw->post;
			it->slots.key_pre = raw->pre;
			it->val->raw = NULL;
		}
		if (attach(it->val, name, err) != 0)
			return -1;
	}
	return 0;
}

static int
check_key(const struct yaml_item *it, struct map *seen, const char *name, struct err *err)
{
	const struct yaml_val *k = it->key;
	int rc;

	if (k->kind == YV_SEQ || k->kind == YV_MAP || k->style != YV_PLAIN ||
	    k->anchor != NULL || (k->raw != NULL && k->raw->handed))
		return err_set(err, ERR_INVALID,
			       "%s: a key that is not a plain word cannot be kept as DVC "
			       "would",
			       name);
	rc = map_putn(seen, k->text, k->len, (void *)(uintptr_t)it);
	if (rc < 0)
		return err_nomem(err);
	if (rc > 0)
		return err_set(err, ERR_INVALID,
			       "%s: the key '%.100s' stands there twice", name, k->text);
	return 0;
}

static int
attach_map(struct yaml_val *v, const char *name, struct err *err)
{
	struct map seen = {0};
	int rc = 0;

	own(v);
	for (size_t i = 0; i < v->n && rc == 0; i++) {
		struct yaml_item *it = &v->items[i];
		const struct yaml_slots *k = it->key->raw, *w = it->val->raw;

		rc = check_key(it, &seen, name, err);
		if (k != NULL) {
			it->slots.there = true;
			it->slots.key_post = k->post;
			it->slots.key_pre = k->pre;
		}
		if (w != NULL) {
			it->slots.there = true;
			it->slots.val_post = w->post;
			it->slots.val_pre = w->pre;
		}
		if (rc == 0)
			rc = attach(it->val, name, err);
	}
	map_release(&seen);
	return rc;
}

/* Depth is bounded by that of the text. */
static int
attach(struct yaml_val *v, const char *name, struct err *err)
{
	if (v->attached)
		return 0;
	v->attached = true;
	if (v->kind == YV_SEQ)
		return attach_seq(v, name, err);
	return v->kind == YV_MAP ? attach_map(v, name, err) : 0;
}

int
ydoc_attach(struct yaml_val *root, const char *name, struct err *err)
{
	return attach(root, name, err);
}
