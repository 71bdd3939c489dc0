#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/meter.h"
#include "store/objects/batch.h"
#include "store/objects/object_set.h"
#include "store/objects/objects.h"
#include "store/objects/tree.h"
#include "store/remote/remote.h"
#include "store/remote/transfer_internal.h"

/* ---- one object ---- */

/* Nobody needs the remote, nor writes to the cache, where all is there already. */
static int
ready(struct transfer *t, struct err *err)
{
	struct remote *r = t->opt->remote;
	int rc = 0;

	(void)pthread_mutex_lock(&t->lock);
	if (!t->begun) {
		rc = r->ops->begin(r, REMOTE_READ, t->opt->meter, err);
		t->begun = rc == 0;
	}
	if (rc == 0 && t->into == NULL)
		rc = batch_begin(t->opt->cache, t->opt->meter, &t->into, err);
	(void)pthread_mutex_unlock(&t->lock);
	return rc;
}

struct stream {
	struct batch_stream *s;
	struct err *err;
	bool failed; /* in the cache */
};

static int
sink(void *arg, const void *p, size_t n)
{
	struct stream *k = arg;

	k->failed = batch_stream_write(k->s, p, n, k->err) != 0;
	return k->failed ? -1 : 0;
}

/* What the remote could not give. */
static int
not_had(struct transfer *t, const struct object_id *id, const struct err *cause,
	struct err *err)
{
	enum transfer_fate fate = TRANSFER_MISSING;
	struct err why = {0};
	struct buf where;
	int r;

	if (cause->code != ERR_NOTFOUND && cause->code != ERR_CORRUPT)
		return transfer_trouble(t, id, cause, err);
	buf_init(&where, 0);
	transfer_where(t, id, &where);
	if (cause->code == ERR_NOTFOUND) {
		(void)err_set(
		    &why, ERR_NOTFOUND,
		    "it is neither in the cache nor on the remote '%s' (%s); 'dag "
		    "push' from where it was made brings it there",
		    t->opt->remote->name, where.p);
	} else {
		fate = TRANSFER_WRONG_REMOTE;
		(void)err_set(
		    &why, ERR_CORRUPT,
		    "%s is damaged, and was not taken: %s; 'dag push --verify' from "
		    "where the right one is replaces it",
		    where.p, cause->msg);
	}
	buf_release(&where);
	meter_add(t->opt->meter, 1, 0);
	r = transfer_note(t, fate, id, NULL, &why, err);
	return r;
}

/* Bring one into the cache.  Return 0, 1 if the remote cannot give it (that is noted), -1. */
static int
fetch(struct worker *w, const struct object_id *id, struct err *err)
{
	struct transfer *t = w->t;
	struct remote *r = t->opt->remote;
	struct stream k = {.err = err};
	struct err why = {0};
	uint64_t size = 0;

	if (batch_stream_begin(t->into, id, &k.s, err) != 0)
		return -1;
	if (r->ops->get(r, id, sink, &k, &why) != 0) {
		batch_stream_drop(k.s);
		if (k.failed)
			return -1;
		return not_had(t, id, &why, err) != 0 ? -1 : 1;
	}
	if (batch_stream_end(k.s, NULL, &size, &why) == 0) {
		transfer_moved(t, size);
		return 0;
	}
	if (why.code == ERR_CORRUPT)
		return not_had(t, id, &why, err) != 0 ? -1 : 1;
	*err = why;
	return -1;
}

/* What is in the cache already, but perhaps damaged. */
static int
fetch_again(struct worker *w, const struct object_id *id, struct err *err)
{
	struct transfer *t = w->t;
	struct err damage = {0};
	int r = objects_check(t->opt->cache, id, true, t->opt->meter, &damage);

	if (r == OBJECT_RIGHT) {
		(void)pthread_mutex_lock(&t->lock);
		t->report->checked++;
		(void)pthread_mutex_unlock(&t->lock);
		meter_add(t->opt->meter, 1, 0);
		return 0;
	}
	if (r < 0) {
		if (transfer_fatal(&damage)) {
			*err = damage;
			return -1;
		}
		return transfer_note(t, TRANSFER_TROUBLE, id, NULL, &damage, err);
	}
	if (ready(t, err) != 0 ||
	    (r == OBJECT_WRONG && batch_replace(t->into, id, err) != 0))
		return -1;
	if (r == OBJECT_ABSENT)
		return fetch(w, id, err) < 0 ? -1 : 0;
	r = fetch(w, id, err);
	if (r < 0)
		return -1;
	return transfer_note(t, r == 0 ? TRANSFER_REPLACED : TRANSFER_WRONG_CACHE, id,
			     NULL, &damage, err);
}

static int
fetch_one(struct worker *w, size_t item, struct err *err)
{
	const struct object_id *id = &w->t->ids.v[item];

	if ((w->t->flags.v[item] & ITEM_THERE) != 0)
		return fetch_again(w, id, err);
	if (ready(w->t, err) != 0)
		return -1;
	return fetch(w, id, err) < 0 ? -1 : 0;
}

/* ---- lists, then files ---- */

/* Look which of the items are in the cache; with ${all} also those are to be looked at. */
static int
choose(struct transfer *t, size_t from, bool all, struct err *err)
{
	size_t n = t->ids.n - from;
	uint8_t *missing = calloc(n + 1, 1);
	int r = missing != NULL ? 0 : err_nomem(err);

	t->todo.n = 0;
	if (r == 0 && n != 0)
		r = objects_missing(t->opt->cache, t->ids.v + from, n, missing,
				    t->opt->meter, err);
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!missing[i]) {
			t->flags.v[from + i] |= ITEM_THERE;
			t->report->there++;
		}
		if ((missing[i] || all) && vec_push(&t->todo, from + i) != 0)
			r = err_nomem(err);
	}
	free(missing);
	return r;
}

static int
get_all(struct transfer *t, struct err *err)
{
	struct err ignored = {0};
	bool ended = transfer_each(t, fetch_one, err) != 0;

	if (t->into == NULL)
		return ended ? -1 : 0;
	/* What has come shall stay, unless there is no room for it. */
	if (ended && transfer_fatal(err) && err->code != ERR_CANCELLED)
		return -1;
	if (batch_flush(t->into, ended ? &ignored : err) != 0)
		return -1;
	transfer_settled(t);
	return ended ? -1 : 0;
}

static int
load_cached(struct transfer *t, const struct object_id *id, struct tree *tree,
	    struct err *err)
{
	return objects_tree(t->opt->cache, id, tree, err);
}

static int
fetch_wants(struct transfer *t, struct err *err)
{
	size_t lists;

	transfer_phase(t, "checking the cache", 0, 0);
	/* Lists are read anyway: a damaged one is found now. */
	if (transfer_lists(t, err) != 0 || choose(t, 0, true, err) != 0)
		return -1;
	transfer_phase(t, "fetching lists", t->todo.n, 0);
	if (get_all(t, err) != 0)
		return -1;
	lists = t->ids.n;
	transfer_phase(t, "reading lists", t->n, 0);
	if (transfer_files(t, load_cached, err) != 0)
		return -1;
	transfer_phase(t, "checking the cache", 0, 0);
	if (choose(t, lists, t->opt->verify, err) != 0)
		return -1;
	transfer_phase(t, t->opt->verify ? "checking and fetching" : "fetching",
		       t->todo.n, t->opt->verify ? 0 : transfer_estimate(t));
	return get_all(t, err);
}

int
transfer_fetch(const struct transfer_options *opt, const struct transfer_want *v,
	       size_t n, struct transfer_report *report, struct err *err)
{
	return transfer_call(opt, v, n, report, fetch_wants, err);
}
