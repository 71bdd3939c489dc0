/*
 * From wants to items, each once however many lists have it, and back to paths.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/meter.h"
#include "store/objects/digest.h"
#include "store/objects/object_set.h"
#include "store/objects/objects.h"
#include "store/objects/tree.h"
#include "store/remote/remote.h"
#include "store/remote/transfer_internal.h"

/* ---- items ---- */

int
transfer_add(struct transfer *t, const struct object_id *id, uint8_t flags)
{
	if (object_set_has(t->seen, id))
		return 0;
	if (vec_reserve(&t->ids, t->ids.n + 1) != 0 ||
	    vec_reserve(&t->flags, t->ids.n + 1) != 0 || object_set_add(t->seen, id) < 0)
		return -1;
	t->ids.v[t->ids.n++] = *id;
	t->flags.v[t->flags.n++] = flags;
	return 1;
}

static int
add_entries(struct transfer *t, const struct tree *tree, size_t first, size_t n,
	    uint8_t flags)
{
	struct object_id id;

	for (size_t i = first; i < first + n; i++) {
		tree_entry_id(tree, &tree->v[i], &id);
		if (transfer_add(t, &id, flags) < 0)
			return -1;
	}
	return 0;
}

void
transfer_below(const struct tree *tree, const char *under, size_t *first, size_t *n)
{
	const struct tree_entry *e = NULL;

	if (under != NULL && under[0] != '\0')
		e = tree_find(tree, under, strlen(under));
	if (e == NULL) {
		tree_below(tree, under != NULL ? under : "",
			   under != NULL ? strlen(under) : 0, first, n);
		return;
	}
	*first = (size_t)(e - tree->v);
	*n = 1;
}

/* ---- lists ---- */

static int
fill_buf(void *arg, const void *p, size_t n)
{
	struct buf *b = arg;

	buf_add(b, p, n);
	return buf_failed(b) ? -1 : 0;
}

/* The remote's bytes, if they are what they should be. */
static int
remote_bytes(struct transfer *t, const struct object_id *id, struct buf *text,
	     struct err *err)
{
	struct remote *r = t->opt->remote;
	struct object_id found = {0};
	struct digest d = {0};
	struct buf where;
	int rc = 0;

	if (r->ops->get(r, id, fill_buf, text, err) != 0)
		return buf_failed(text)
			   ? err_set(err, ERR_LIMIT,
				     "a list of the remote '%s' is too large", r->name)
			   : -1;
	if (digest_init(&d, err) != 0)
		return -1;
	for (size_t at = 0; rc == 0 && at < text->n; at += DIGEST_CHUNK)
		rc = digest_chunk(&d, (const uint8_t *)text->p + at,
				  text->n - at < DIGEST_CHUNK ? text->n - at
							      : DIGEST_CHUNK,
				  id->legacy);
	if (digest_end(&d, &found) != 0 || rc != 0)
		rc = err_nomem(err);
	digest_release(&d);
	if (rc != 0 || memcmp(found.md5, id->md5, sizeof(found.md5)) == 0)
		return rc;
	buf_init(&where, 0);
	transfer_where(t, id, &where);
	rc = err_set(err, ERR_CORRUPT, "%s is damaged: its bytes have another hash",
		     where.p);
	buf_release(&where);
	return rc;
}

static int
load_remote(struct transfer *t, const struct object_id *id, struct tree *tree,
	    struct err *err)
{
	struct buf text, where;
	int rc;

	buf_init(&text, TREE_BYTES_MAX);
	buf_init(&where, 0);
	transfer_where(t, id, &where);
	rc = remote_bytes(t, id, &text, err);
	if (rc == 0) {
		tree->legacy = id->legacy;
		rc = tree_parse(where.p, text.p, text.n, tree, err);
	}
	buf_release(&text);
	buf_release(&where);
	return rc;
}

int
transfer_load(struct transfer *t, const struct object_id *id, struct tree *tree,
	      struct err *err)
{
	struct err local = {0}, far = {0};

	if (objects_tree(t->opt->cache, id, tree, &local) == 0)
		return 0;
	*err = local;
	if (local.code != ERR_NOTFOUND && local.code != ERR_CORRUPT)
		return -1;
	if (!t->begun)
		return -1;
	if (load_remote(t, id, tree, &far) != 0) {
		/* What is damaged is worth more words than what is not there. */
		if (local.code == ERR_NOTFOUND && far.code != ERR_NOTFOUND)
			*err = far;
		return -1;
	}
	if (local.code != ERR_CORRUPT || object_set_has(t->noted, id))
		return 0;
	transfer_damaged(t, id, &local, &far);
	return transfer_note(t, TRANSFER_WRONG_CACHE, id, NULL, &far, err);
}

/* A list that cannot be had: its files are not known. */
int
transfer_no_list(struct transfer *t, const struct transfer_want *w, struct err *why,
		 struct err *err)
{
	enum transfer_fate fate = TRANSFER_TROUBLE;

	if (transfer_fatal(why)) {
		*err = *why;
		return -1;
	}
	if (object_set_has(t->bad, &w->id))
		return 0; /* it was said already */
	if (why->code == ERR_NOTFOUND) {
		fate = TRANSFER_MISSING;
		(void)err_set(why, ERR_NOTFOUND,
			      "the list of the directory is neither in the cache nor on "
			      "the remote '%s'",
			      t->opt->remote->name);
	} else if (why->code == ERR_CORRUPT) {
		struct err cause = *why;

		fate = TRANSFER_WRONG_REMOTE;
		if (objects_has(t->opt->cache, &w->id, NULL) == 1) {
			fate = TRANSFER_WRONG_CACHE;
			transfer_damaged(t, &w->id, &cause, why);
		}
	}
	return transfer_note(t, fate, &w->id, w->path, why, err);
}

/* The files of one directory that are wanted. */
static int
add_list(struct transfer *t, const struct transfer_want *w, transfer_load_fn *load,
	 struct err *err)
{
	struct part part = {.first = t->ids.n, .size = w->under == NULL ? w->size : -1};
	struct tree tree = {0};
	struct err why = {0};
	size_t first;
	int r;

	if (load(t, &w->id, &tree, &why) != 0) {
		tree_release(&tree);
		return transfer_no_list(t, w, &why, err);
	}
	transfer_below(&tree, w->under, &first, &part.entries);
	r = add_entries(t, &tree, first, part.entries, ITEM_WANTED);
	tree_release(&tree);
	part.n = t->ids.n - part.first;
	if (r != 0 || vec_push(&t->parts, part) != 0)
		return err_nomem(err);
	if (part.entries != 0 || w->under == NULL)
		return 0;
	(void)err_set(&why, ERR_NOTFOUND, "'%s' is not in the list of '%s'", w->under,
		      w->path);
	return transfer_note(t, TRANSFER_MISSING, &w->id, w->path, &why, err);
}

static int
add_file(struct transfer *t, const struct transfer_want *w, struct err *err)
{
	struct part part = {.first = t->ids.n, .n = 1, .entries = 1, .size = w->size};
	int r = transfer_add(t, &w->id, ITEM_WANTED);

	if (r < 0 || (r == 1 && vec_push(&t->parts, part) != 0))
		return err_nomem(err);
	return 0;
}

int
transfer_files(struct transfer *t, transfer_load_fn *load, struct err *err)
{
	struct object_set *whole = object_set_new(); /* lists of which all is wanted */
	int r = whole != NULL ? 0 : err_nomem(err);

	for (size_t i = 0; r == 0 && i < t->n; i++) {
		const struct transfer_want *w = &t->v[i];

		if (meter_cancelled(t->opt->meter)) {
			r = err_set(err, ERR_CANCELLED, "stopped on request");
		} else if (!w->id.dir) {
			r = add_file(t, w, err);
		} else if (!object_set_has(whole, &w->id)) {
			r = add_list(t, w, load, err);
			if (r == 0 && w->under == NULL &&
			    object_set_add(whole, &w->id) < 0)
				r = err_nomem(err);
		}
		meter_add(t->opt->meter, 1, 0);
	}
	object_set_free(whole);
	t->nfiles = t->ids.n;
	return r;
}

int
transfer_lists(struct transfer *t, struct err *err)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].id.dir && transfer_add(t, &t->v[i].id, ITEM_WANTED) < 0)
			return err_nomem(err);
	return 0;
}

uint64_t
transfer_estimate(const struct transfer *t)
{
	double bytes = 0;

	vec_foreach (&t->parts, const struct part, p) {
		size_t todo = 0;

		for (size_t i = p->first; i < p->first + p->n; i++)
			todo += (t->flags.v[i] & ITEM_THERE) == 0;
		if (todo != 0 && p->size < 0)
			return 0;
		if (todo != 0)
			bytes += (double)p->size * (double)todo / (double)p->entries;
	}
	return (uint64_t)bytes;
}

/* ---- back to paths ---- */

struct naming {
	struct transfer *t;
	const struct transfer_want *w;
	struct buf path;
	size_t left; /* notes without a path */
};

static void
name_id(struct naming *n, const struct object_id *id, const char *below)
{
	if (!object_set_has(n->t->noted, id))
		return;
	vec_foreach (&n->t->report->notes, struct transfer_note, note) {
		if (note->path != NULL || !object_id_equal(&note->id, id))
			continue;
		buf_clear(&n->path);
		buf_adds(&n->path, n->w->path);
		if (below != NULL) {
			buf_addc(&n->path, '/');
			buf_adds(&n->path, below);
		}
		note->path = buf_steal(&n->path); /* without memory it stays unnamed */
		n->left--;
	}
}

static void
name_want(struct naming *n, struct object_set *done)
{
	struct tree tree = {0};
	struct object_id id;
	struct err why = {0};

	name_id(n, &n->w->id, NULL);
	if (!n->w->id.dir || object_set_has(done, &n->w->id))
		return;
	if (transfer_load(n->t, &n->w->id, &tree, &why) == 0)
		for (size_t i = 0; n->left > 0 && i < tree.n; i++) {
			tree_entry_id(&tree, &tree.v[i], &id);
			name_id(n, &id, tree.v[i].path);
		}
	tree_release(&tree);
	(void)object_set_add(done, &n->w->id); /* else it is read once more */
}

void
transfer_name(struct transfer *t)
{
	struct object_set *done = object_set_new();
	struct naming n = {.t = t};

	if (done == NULL)
		return;
	buf_init(&n.path, 0);
	vec_foreach (&t->report->notes, const struct transfer_note, note)
		n.left += note->path == NULL;
	for (size_t i = 0; n.left > 0 && !meter_cancelled(t->opt->meter) && i < t->n;
	     i++) {
		n.w = &t->v[i];
		name_want(&n, done);
	}
	buf_release(&n.path);
	object_set_free(done);
}
