#include "store/track/stage_after.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/yaml.h"
#include "store/dvc/dvc_lock.h"
#include "store/objects/tree.h"
#include "store/pipeline/value.h"
#include "store/track/stage_entry.h"
#include "store/track/stage_look.h"

/* A file of the directory as it is now: when it was changed last, or came to lie there, and when it
 * was made, as far as the file system knows; no call can set these. */
struct aged {
	const struct tree_entry *e;
	int64_t changed_ns, born_ns;
};

static int
by_change(const void *a, const void *b)
{
	const struct aged *x = a, *y = b;

	return (x->changed_ns > y->changed_ns) - (x->changed_ns < y->changed_ns);
}

/* What was written anew with the same bytes is old by this. */
static int
by_birth(const void *a, const void *b)
{
	const struct aged *x = a, *y = b;

	return (x->born_ns > y->born_ns) - (x->born_ns < y->born_ns);
}

static int64_t
ns_of(const struct statx_timestamp *t)
{
	return t->tv_sec * 1000000000 + t->tv_nsec;
}

static int
find_ages(const struct stage_look *l, const struct stage_file *f, const struct tree *t,
	  struct aged *v, struct err *err)
{
	int root_fd = f->inside ? l->o.ws->root_fd : l->all.root_fd, rc = 0;
	struct statx st;
	struct buf path;

	buf_init(&path, 0);
	for (size_t i = 0; i < t->n && rc == 0; i++) {
		buf_clear(&path);
		buf_addf(&path, "%s/%s", f->inside ? f->full : f->full + 1, t->v[i].path);
		v[i] = (struct aged){&t->v[i], INT64_MAX, INT64_MAX};
		if (buf_failed(&path)) {
			rc = err_nomem(err);
		} else if (statx(root_fd, path.p, AT_SYMLINK_NOFOLLOW,
				 STATX_CTIME | STATX_BTIME, &st) == 0) {
			v[i].changed_ns = ns_of(&st.stx_ctime);
			v[i].born_ns = (st.stx_mask & STATX_BTIME) != 0
					   ? ns_of(&st.stx_btime)
					   : v[i].changed_ns;
		}
	}
	buf_release(&path);
	return rc;
}

/* The list of the ${n} files that have been there longest. */
static int
list_oldest(const struct aged *v, size_t n, struct object_id *id, struct err *err)
{
	struct tree old = {0};
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = tree_add(&old, v[i].e->path, v[i].e->len, v[i].e->md5, v[i].e->size,
			      err);
	if (rc == 0)
		rc = tree_sort(&old, err);
	if (rc == 0)
		rc = tree_id(&old, id, NULL, err);
	tree_release(&old);
	return rc;
}

/*
 * Whether all that was there is there still.  Only the name of the list is known that was there,
 * and how many files it had: so the oldest ones are taken for them, and if their list has that
 * name they are.
 */
static int
only_appeared(const struct stage_look *l, const struct stage_file *f,
	      const struct tree *now, size_t before, struct err *err)
{
	static int (*const orders[])(const void *, const void *) = {by_change, by_birth};
	struct aged *v = calloc(now->n + 1, sizeof(*v));
	struct object_id id;
	int rc;

	if (v == NULL)
		return err_nomem(err);
	rc = find_ages(l, f, now, v, err);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]) && rc == 0; i++) {
		qsort(v, now->n, sizeof(*v), orders[i]);
		rc = list_oldest(v, before, &id, err);
		if (rc == 0)
			rc = object_id_equal(&id, &f->was_id);
	}
	free(v);
	return rc;
}

static int
look(struct stage_look *l, const struct stage_run *run, struct arena *a,
     struct dvc_out *dep, struct err *err)
{
	const struct dvc_out was = *dep;
	struct stage_file f;
	struct tree now = {0};
	int rc;

	if (was.path == NULL || !was.meta.md5.dir || was.hash == NULL ||
	    was.meta.nfiles < 0)
		return 0;
	rc = stage_file_find(l, a, run->dir, was.path, &f, err);
	if (rc != 0)
		return rc > 0 ? 0 : -1;
	stage_file_was(&f, &was);
	rc = stage_file_tree(l, &f, &now, err);
	if (rc == 0 && f.there && !f.same && f.nfiles > was.meta.nfiles) {
		rc = only_appeared(l, &f, &now, (size_t)was.meta.nfiles, err);
		if (rc == 1)
			stage_entry_put(dep, &f);
	}
	tree_release(&now);
	return rc < 0 ? -1 : 0;
}

static int
take_appeared(struct stage_look *l, const struct stage_run *run, struct arena *a,
	      struct dvc_lock_stage *entry, struct err *err)
{
	struct err why = {0};

	for (size_t i = 0; i < entry->ndeps; i++) {
		if (look(l, run, a, &entry->deps[i], &why) == 0)
			continue;
		if (why.code == ERR_NOMEM || why.code == ERR_CANCELLED) {
			*err = why;
			return -1;
		}
		err_clear(&why);
	}
	return 0;
}

/* ---- what it was made from is not known ---- */

struct doubts {
	struct stage_look *l;
	const struct stage_run *run;
	struct arena *a;
	struct dvc_lock_stage *entry;
	struct err *err;
	bool any;
};

/* A name without a content: whatever lies there is another. */
static void
doubt(struct doubts *d, struct dvc_out *dep, const char *path, enum dvc_where where)
{
	dvc_out_none(dep);
	dep->path = path;
	dep->where = where;
	dep->hash = "md5";
	d->any = true;
}

static int
doubt_dep(struct doubts *d, const struct stage_file *f)
{
	struct dvc_lock_stage *e = d->entry;
	struct dvc_out *more;

	for (size_t i = 0; i < e->ndeps; i++)
		if (e->deps[i].path != NULL && strcmp(e->deps[i].path, f->path) == 0) {
			doubt(d, &e->deps[i], f->path, e->deps[i].where);
			return 0;
		}
	/* It came to lie there, where a glob meets it. */
	more = arena_array(d->a, e->ndeps + 1, sizeof(*more));
	if (more == NULL)
		return err_nomem(d->err);
	memcpy(more, e->deps, e->ndeps * sizeof(*more));
	doubt(d, &more[e->ndeps], f->path, f->inside ? DVC_IN_REPO : DVC_OUTSIDE);
	e->deps = more;
	e->ndeps++;
	return 0;
}

/* Whether one of the params of the file ${key} of the entry is another; without ${in}: of any
 * file.  1, 0 or -1. */
static int
is_doubted(struct doubts *d, const struct stage_inputs *in, const char *key)
{
	struct stage_file f;
	int rc =
	    *key == ':' ? 1 : stage_file_find(d->l, d->a, d->run->dir, key, &f, d->err);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	for (size_t i = 0; in != NULL && i < in->n; i++)
		if (in->v[i].kind == STAGE_PARAM && strcmp(in->v[i].path, f.full) == 0)
			return !(in->v[i].state == STAGE_DELETED && in->v[i].key == NULL);
	return in == NULL;
}

/* Their files are left out: what they say is new, whatever it is. */
static int
doubt_params(struct doubts *d, const struct stage_inputs *in)
{
	const struct yaml_node *was = d->entry->params;
	struct yaml_node *left;
	int rc;

	if (was == NULL)
		return 0;
	left = value_map(d->a, was->map.n, NULL);
	if (left == NULL)
		return err_nomem(d->err);
	left->map.n = 0;
	for (size_t i = 0; i < was->map.n; i++) {
		rc = is_doubted(d, in, was->map.v[i].key->str);
		if (rc < 0)
			return -1;
		if (rc == 0)
			left->map.v[left->map.n++] = was->map.v[i];
	}
	if (left->map.n == was->map.n)
		return 0;
	d->any = true;
	d->entry->params = left->map.n > 0 ? left : NULL;
	return 0;
}

/* What cannot be read any more may have been anything. */
static int
doubt_all(struct doubts *d)
{
	for (size_t i = 0; i < d->entry->ndeps; i++)
		doubt(d, &d->entry->deps[i], d->entry->deps[i].path,
		      d->entry->deps[i].where);
	return doubt_params(d, NULL);
}

static int
doubt_changed(struct doubts *d)
{
	struct stage_inputs in;
	struct err why = {0};

	if (stage_inputs_look(d->l, d->run, d->entry, true, d->a, &in, &why) != 0) {
		if (why.code != ERR_NOMEM && why.code != ERR_CANCELLED)
			return doubt_all(d);
		*d->err = why;
		return -1;
	}
	for (size_t i = 0; i < in.ndeps; i++)
		if (in.deps[i].there && !in.deps[i].same &&
		    doubt_dep(d, &in.deps[i]) != 0)
			return -1;
	return doubt_params(d, &in);
}

int
stage_inputs_after(struct stage_look *l, const struct stage_run *run, struct arena *a,
		   struct dvc_lock_stage *entry, bool *sure, struct err *err)
{
	struct doubts d = {.l = l, .run = run, .a = a, .entry = entry, .err = err};

	if (!run->native && take_appeared(l, run, a, entry, err) != 0)
		return -1;
	if (doubt_changed(&d) != 0)
		return -1;
	*sure = !d.any;
	return 0;
}
