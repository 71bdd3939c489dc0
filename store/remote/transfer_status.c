#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/meter.h"
#include "store/objects/object_set.h"
#include "store/objects/objects.h"
#include "store/objects/tree.h"
#include "store/remote/remote.h"
#include "store/remote/transfer_internal.h"

struct status {
	struct transfer t;
	struct object_set *here, *there; /* what the two sides have of the items */
	transfer_status_fn *fn;
	void *arg;
};

static int
add_present(struct object_set *set, const struct transfer *t, const uint8_t *flags,
	    uint8_t present, struct err *err)
{
	for (size_t i = 0; i < t->ids.n; i++)
		if ((flags[i] != 0) == (present != 0) &&
		    object_set_add(set, &t->ids.v[i]) < 0)
			return err_nomem(err);
	return 0;
}

/* One look at each side. */
static int
look(struct status *s, struct err *err)
{
	struct transfer *t = &s->t;
	struct remote *remote = t->opt->remote;
	uint8_t *flags = calloc(t->ids.n + 1, 1);
	int r = flags != NULL ? 0 : err_nomem(err);

	if (r == 0 && t->ids.n != 0) {
		transfer_phase(t, "checking the cache", 0, 0);
		r = objects_missing(t->opt->cache, t->ids.v, t->ids.n, flags,
				    t->opt->meter, err);
	}
	if (r == 0)
		r = add_present(s->here, t, flags, 0, err);
	if (r == 0 && t->ids.n != 0 && t->begun) {
		transfer_phase(t, "checking the remote", 0, 0);
		r = remote->ops->exists(remote, t->ids.v, t->ids.n, flags, t->opt->meter,
					err);
		if (r == 0)
			r = add_present(s->there, t, flags, 1, err);
	}
	free(flags);
	return r;
}

static int
tell(struct status *s, const struct transfer_want *w, const char *path,
     const struct object_id *id)
{
	bool here = object_set_has(s->here, id), there = object_set_has(s->there, id);

	return s->fn(s->arg, w, path, id,
		     here && there ? TRANSFER_OK
		     : here	   ? TRANSFER_NEW
		     : there	   ? TRANSFER_DELETED
				   : TRANSFER_ABSENT);
}

static int
tell_want(struct status *s, const struct transfer_want *w, struct err *err)
{
	struct tree tree = {0};
	struct object_id id;
	struct err why = {0};
	size_t first, n;
	int r = 0;

	if (w->id.dir && transfer_load(&s->t, &w->id, &tree, &why) != 0) {
		tree_release(&tree);
		if (transfer_no_list(&s->t, w, &why, err) != 0)
			return -1;
	} else if (w->id.dir) {
		transfer_below(&tree, w->under, &first, &n);
		for (size_t i = first; r == 0 && i < first + n; i++) {
			tree_entry_id(&tree, &tree.v[i], &id);
			r = tell(s, w, tree.v[i].path, &id);
		}
	}
	tree_release(&tree);
	return r != 0 ? r : tell(s, w, NULL, &w->id);
}

static int
status(struct status *s, struct err *err)
{
	struct transfer *t = &s->t;
	struct remote *remote = t->opt->remote;
	int r = 0;

	if (remote->ops->begin(remote, REMOTE_READ, t->opt->meter, err) == 0)
		t->begun = true;
	else if (err->code != ERR_NOTFOUND)
		return -1;
	transfer_phase(t, "reading lists", t->n, 0);
	if (transfer_files(t, transfer_load, err) != 0 || transfer_lists(t, err) != 0 ||
	    look(s, err) != 0)
		return -1;
	for (size_t i = 0; r == 0 && i < t->n; i++)
		r = tell_want(s, &t->v[i], err);
	return r;
}

int
transfer_status(const struct transfer_options *opt, const struct transfer_want *v,
		size_t n, transfer_status_fn *fn, void *arg,
		struct transfer_report *report, struct err *err)
{
	struct status s = {.fn = fn, .arg = arg};
	struct err why = {0};
	int r;

	*report = (struct transfer_report){0};
	r = transfer_init(&s.t, opt, v, n, report, &why);
	if (r == 0) {
		s.here = object_set_new();
		s.there = object_set_new();
		r = s.here != NULL && s.there != NULL ? status(&s, &why)
						      : err_nomem(&why);
		if (s.t.begun)
			opt->remote->ops->end(opt->remote);
		object_set_free(s.here);
		object_set_free(s.there);
		transfer_release(&s.t);
	}
	if (r < 0 && err != NULL)
		*err = why;
	return r;
}
