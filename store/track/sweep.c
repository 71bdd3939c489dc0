#include "store/track/sweep.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fault.h"
#include "store/meter.h"
#include "store/objects/object_set.h"
#include "store/objects/objects.h"
#include "store/objects/tree.h"
#include "store/remote/remote.h"
#include "store/remote/transfer.h"

/* ---- what is used ---- */

/* Whoever writes a pointer anew may change from one name to the other. */
int
sweep_use(struct object_set *used, const struct object_id *id, struct err *err)
{
	struct object_id other = *id;

	other.legacy = !id->legacy;
	if (object_set_add(used, id) < 0 || object_set_add(used, &other) < 0)
		return err_nomem(err);
	return 0;
}

static int
use_list(struct objects *cache, const struct object_id *id, struct object_set *used,
	 struct err *err)
{
	struct tree tree = {0};
	struct object_id file;
	int rc = objects_tree(cache, id, &tree, err);

	for (size_t i = 0; rc == 0 && i < tree.n; i++) {
		tree_entry_id(&tree, &tree.v[i], &file);
		rc = sweep_use(used, &file, err);
	}
	tree_release(&tree);
	return rc;
}

struct far {
	struct object_set *used;
	struct sweep_unknown *unknown; /* may be NULL */
	struct err *err;
};

static int
use_far(void *arg, const struct transfer_want *w, const char *path,
	const struct object_id *id, enum transfer_state state)
{
	struct far *f = arg;

	if (path == NULL && id->dir && state == TRANSFER_ABSENT && f->unknown != NULL &&
	    vec_push(&f->unknown->v, *w) != 0)
		return err_nomem(f->err);
	return sweep_use(f->used, id, f->err);
}

/* Lists that the cache does not have, from the remote. */
static int
use_remote(struct objects *cache, struct remote *remote, const struct transfer_want *v,
	   size_t n, struct object_set *used, struct sweep_unknown *unknown,
	   struct meter *m, struct err *err)
{
	struct transfer_options opt = {.cache = cache, .remote = remote, .meter = m};
	struct transfer_report report = {0};
	struct far f = {used, unknown, err};
	int rc = transfer_status(&opt, v, n, use_far, &f, &report, err);

	if (rc != 0 && err->code == ERR_NONE)
		(void)err_nomem(err);
	vec_foreach (&report.notes, struct transfer_note, note) {
		if (rc == 0 && note->fate != TRANSFER_MISSING) {
			*err = note->err;
			rc = -1;
		}
	}
	transfer_report_release(&report);
	return rc;
}

int
sweep_used(struct objects *cache, struct remote *remote, const struct transfer_want *v,
	   size_t n, struct object_set *used, struct sweep_unknown *unknown,
	   struct meter *m, struct err *err)
{
	VEC(struct transfer_want) rest = {0};
	struct err why;
	int rc = 0;

	meter_begin(m, "finding what is used");
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (meter_cancelled(m)) {
			rc = err_set(err, ERR_CANCELLED, "stopped");
			break;
		}
		rc = sweep_use(used, &v[i].id, err);
		if (rc != 0 || !v[i].id.dir || use_list(cache, &v[i].id, used, &why) == 0)
			continue;
		if (remote == NULL && why.code != ERR_NOTFOUND) {
			*err = why;
			rc = -1;
		} else if (remote != NULL) {
			rc = vec_push(&rest, v[i]) == 0 ? 0 : err_nomem(err);
		} else if (unknown != NULL && vec_push(&unknown->v, v[i]) != 0) {
			rc = err_nomem(err);
		}
	}
	if (rc == 0 && rest.n > 0)
		rc = use_remote(cache, remote, rest.v, rest.n, used, unknown, m, err);
	vec_release(&rest);
	return rc;
}

/* ---- what is not ---- */

static int
list(const struct sweep_side *s, bool legacy, struct object_set *set, struct meter *m,
     struct err *err)
{
	return s->remote == NULL ? objects_list(s->cache, legacy, set, m, err)
				 : s->remote->ops->list(s->remote, legacy, set, m, err);
}

static int
look(const struct sweep_side *s, const struct object_id *id, struct stat *st,
     struct buf *path, struct err *err)
{
	buf_clear(path);
	if (s->remote == NULL)
		objects_path(s->cache, id, path);
	else
		s->remote->ops->where(s->remote, id, path);
	if (buf_failed(path))
		return err_nomem(err);
	if (lstat(path->p, st) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_sys(err, errno, "cannot look at '%s'", path->p);
}

/* Lists first; the order within is that of the names. */
static int
by_removal(const void *a, const void *b)
{
	const struct object_id *x = a, *y = b;

	if (x->dir != y->dir)
		return x->dir ? -1 : 1;
	return object_id_cmp(x, y);
}

static bool
is_young(const struct stat *st, int64_t before_s)
{
	return st->st_mtim.tv_sec >= before_s || st->st_ctim.tv_sec >= before_s;
}

/* A list that stays for its age needs its files, however old they are. */
static int
spare(const struct sweep_side *s, const struct object_set *all,
      const struct object_set *used, int64_t before_s, struct object_set *spared,
      struct meter *m, struct err *err)
{
	VEC(struct transfer_want) young = {0};
	struct object_set_cursor at = {0};
	struct transfer_want want = {0};
	struct stat st;
	struct buf path;
	int rc = 0;

	buf_init(&path, 0);
	while (rc == 0 && object_set_next(all, &at, &want.id)) {
		if (!want.id.dir || object_set_has(used, &want.id))
			continue;
		rc = look(s, &want.id, &st, &path, err);
		if (rc == 1)
			rc = is_young(&st, before_s) && vec_push(&young, want) != 0
				 ? err_nomem(err)
				 : 0;
	}
	if (rc == 0 && young.n > 0)
		rc = sweep_used(s->cache, s->remote, young.v, young.n, spared, NULL, m,
				err);
	vec_release(&young);
	buf_release(&path);
	return rc;
}

static int
pick(const struct sweep_side *s, const struct object_set *all,
     const struct object_set *used, const struct object_set *spared, int64_t before_s,
     struct sweep_found *found, struct meter *m, struct err *err)
{
	struct object_set_cursor at = {0};
	struct object_id id;
	struct stat st;
	struct buf path;
	int rc = 0;

	buf_init(&path, 0);
	while (rc == 0 && object_set_next(all, &at, &id)) {
		meter_add(m, 1, 0);
		if (meter_cancelled(m)) {
			rc = err_set(err, ERR_CANCELLED, "stopped");
		} else if (object_set_has(used, &id)) {
			found->kept++;
		} else if ((rc = look(s, &id, &st, &path, err)) == 1) {
			rc = 0;
			if (is_young(&st, before_s) || object_set_has(spared, &id)) {
				found->young++;
				continue;
			}
			found->bytes += (uint64_t)st.st_size;
			if (vec_push(&found->v, id) != 0)
				rc = err_nomem(err);
		}
	}
	buf_release(&path);
	return rc;
}

int
sweep_find(const struct sweep_side *s, const struct object_set *used, int64_t before_s,
	   struct sweep_found *found, struct meter *m, struct err *err)
{
	struct object_set *all = object_set_new(), *spared = object_set_new();
	int rc = all != NULL && spared != NULL ? 0 : err_nomem(err);

	meter_begin(m, "listing objects");
	if (rc == 0)
		rc = list(s, false, all, m, err);
	if (rc == 0)
		rc = list(s, true, all, m, err);
	if (rc == 0)
		rc = spare(s, all, used, before_s, spared, m, err);
	meter_begin(m, "finding what is not used");
	if (rc == 0)
		rc = pick(s, all, used, spared, before_s, found, m, err);
	if (found->v.n > 1)
		qsort(found->v.v, found->v.n, sizeof(*found->v.v), by_removal);
	object_set_free(spared);
	object_set_free(all);
	return rc;
}

/* ---- away with it ---- */

static int
settle(const struct sweep_side *s, struct err *err)
{
	return s->remote == NULL ? objects_sync(s->cache, err)
				 : s->remote->ops->flush(s->remote, err);
}

int
sweep_remove(const struct sweep_side *s, const struct sweep_found *found, struct meter *m,
	     struct err *err)
{
	bool lists = false;
	int rc = 0;

	meter_begin(m, "removing");
	meter_expect(m, found->v.n, 0);
	for (size_t i = 0; rc >= 0 && i < found->v.n; i++) {
		const struct object_id *id = &found->v.v[i];

		/* What follows may only go once the lists are gone for good. */
		if (lists && !id->dir)
			rc = settle(s, err);
		lists = id->dir;
		if (rc >= 0 && meter_cancelled(m))
			rc = err_set(err, ERR_CANCELLED, "stopped");
		if (rc >= 0)
			rc = s->remote == NULL
				 ? objects_remove(s->cache, id, err)
				 : s->remote->ops->remove(s->remote, id, err);
		fault_point(SWEEP_REMOVED);
		meter_add(m, 1, 0);
	}
	return rc >= 0 ? settle(s, err) : -1;
}

void
sweep_release(struct sweep_found *found)
{
	vec_release(&found->v);
	*found = (struct sweep_found){0};
}
