#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "store/meter.h"
#include "store/objects/object_set.h"
#include "store/objects/objects.h"
#include "store/objects/tree.h"
#include "store/remote/remote.h"
#include "store/remote/transfer_internal.h"

/* ---- what is on the remote ---- */

/* Of a list that is wanted in part all files are looked at: only then it may be sent. */
static int
add_rest(struct transfer *t, struct err *err)
{
	struct object_id id;
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->n; i++) {
		struct tree tree = {0};
		struct err why = {0};

		if (!t->v[i].id.dir || t->v[i].under == NULL)
			continue;
		if (transfer_load(t, &t->v[i].id, &tree, &why) != 0)
			r = transfer_no_list(t, &t->v[i], &why, err);
		for (size_t j = 0; r == 0 && j < tree.n; j++) {
			tree_entry_id(&tree, &tree.v[j], &id);
			if (transfer_add(t, &id, 0) < 0)
				r = err_nomem(err);
		}
		tree_release(&tree);
	}
	t->nfiles = t->ids.n;
	return r;
}

static int
look(struct transfer *t, struct err *err)
{
	struct remote *r = t->opt->remote;
	uint8_t *there = calloc(t->ids.n + 1, 1);

	if (there == NULL)
		return err_nomem(err);
	transfer_phase(t, "checking the remote", 0, 0);
	if (t->ids.n != 0 &&
	    r->ops->exists(r, t->ids.v, t->ids.n, there, t->opt->meter, err) != 0) {
		free(there);
		return -1;
	}
	for (size_t i = 0; i < t->ids.n; i++)
		if (there[i])
			t->flags.v[i] |= ITEM_THERE;
	free(there);
	return 0;
}

/* ---- one object ---- */

/* The cache has no right bytes for what the remote lacks. */
static int
no_source(struct worker *w, const struct object_id *id, bool damaged_there,
	  const struct err *damage, const struct err *cause, struct err *err)
{
	struct transfer *t = w->t;
	struct err why = {0};

	if (transfer_fatal(cause)) {
		*err = *cause;
		return -1;
	}
	if (damaged_there &&
	    transfer_note(t, TRANSFER_WRONG_REMOTE, id, NULL, damage, err) != 0)
		return -1;
	meter_add(t->opt->meter, 1, 0);
	if (cause->code == ERR_NOTFOUND && damaged_there)
		return 0;
	if (cause->code == ERR_NOTFOUND) {
		(void)err_set(
		    &why, ERR_NOTFOUND,
		    "it is neither in the cache nor on the remote '%s'; 'dag commit' "
		    "puts it into the cache where the work tree has it",
		    t->opt->remote->name);
		return transfer_note(t, TRANSFER_MISSING, id, NULL, &why, err);
	}
	if (cause->code != ERR_CORRUPT)
		return transfer_note(t, TRANSFER_TROUBLE, id, NULL, cause, err);
	transfer_damaged(t, id, cause, &why);
	return transfer_note(t, TRANSFER_WRONG_CACHE, id, NULL, &why, err);
}

static int
put_failed(struct worker *w, const struct object_id *id, struct err *why, struct err *err)
{
	struct transfer *t = w->t;
	struct buf path;

	buf_init(&path, 0);
	objects_path(t->opt->cache, id, &path);
	(void)err_wrap(why, "cannot send '%s' to the remote '%s'", path.p,
		       t->opt->remote->name);
	buf_release(&path);
	return transfer_trouble(t, id, why, err);
}

/* Send one that is not there, or is damaged there. */
static int
send_one(struct worker *w, const struct object_id *id, bool replace,
	 const struct err *damage, struct err *err)
{
	struct transfer *t = w->t;
	struct remote *r = t->opt->remote;
	struct err why = {0};
	struct stat st;
	int fd, rc;

	fd = objects_fd(t->opt->cache, id, &why);
	if (fd < 0)
		return no_source(w, id, replace, damage, &why, err);
	if (fstat(fd, &st) != 0)
		st.st_size = 0;
	rc = r->ops->put(r, id, fd, (uint64_t)st.st_size, replace, &why);
	(void)close(fd);
	if (rc != 0)
		return why.code == ERR_CORRUPT
			   ? no_source(w, id, replace, damage, &why, err)
			   : put_failed(w, id, &why, err);
	transfer_moved(t, (uint64_t)st.st_size);
	return replace ? transfer_note(t, TRANSFER_REPLACED, id, NULL, damage, err) : 0;
}

static void
count_right(struct transfer *t)
{
	(void)pthread_mutex_lock(&t->lock);
	t->report->checked++;
	t->trouble = 0;
	(void)pthread_mutex_unlock(&t->lock);
	meter_add(t->opt->meter, 1, 0);
}

static int
push_one(struct worker *w, size_t item, struct err *err)
{
	const struct object_id *id = &w->t->ids.v[item];
	struct err why = {0};

	if ((w->t->flags.v[item] & ITEM_THERE) == 0)
		return send_one(w, id, false, NULL, err);
	switch (transfer_check(w, id, &why)) {
	case OBJECT_RIGHT:
		count_right(w->t);
		return 0;
	case OBJECT_ABSENT: /* somebody removed it just now */
		return send_one(w, id, false, NULL, err);
	case OBJECT_WRONG:
		return send_one(w, id, true, &why, err);
	default:
		return transfer_trouble(w->t, id, &why, err);
	}
}

/* ---- files, then lists ---- */

/* Choose what is to be done of the items from..to. */
static int
choose(struct transfer *t, size_t from, size_t to, struct err *err)
{
	t->todo.n = 0;
	for (size_t i = from; i < to; i++) {
		uint8_t f = t->flags.v[i];

		if ((f & ITEM_THERE) != 0 && (f & ITEM_WANTED) != 0)
			t->report->there++;
		if ((f & ITEM_WANTED) == 0) {
			if ((f & ITEM_THERE) == 0 &&
			    object_set_add(t->lacking, &t->ids.v[i]) < 0)
				return err_nomem(err);
		} else if ((f & ITEM_THERE) == 0 || t->opt->verify) {
			if (vec_push(&t->todo, i) != 0)
				return err_nomem(err);
		}
	}
	return 0;
}

static int
flush(struct transfer *t, struct err *err)
{
	struct remote *r = t->opt->remote;

	if (r->ops->flush(r, err) != 0)
		return err_wrap(err, "remote '%s'", r->name);
	transfer_settled(t);
	return 0;
}

static int
send_all(struct transfer *t, struct err *err)
{
	struct err ignored = {0};

	if (transfer_each(t, push_one, err) == 0)
		return flush(t, err);
	/* What has arrived shall stay where that can still be had. */
	if (!transfer_fatal(err) || err->code == ERR_CANCELLED)
		(void)flush(t, &ignored);
	return -1;
}

/* How many of its files are not on the remote, and whether one of them is wanted. */
static int
lacks(struct transfer *t, const struct object_id *id, size_t *n, bool *wanted,
      struct err *err)
{
	struct tree tree = {0};
	struct object_id file;

	*n = 0;
	*wanted = false;
	if (object_set_count(t->bad) == 0 && object_set_count(t->lacking) == 0)
		return 0;
	if (transfer_load(t, id, &tree, err) != 0) {
		tree_release(&tree);
		return -1;
	}
	for (size_t i = 0; i < tree.n; i++) {
		bool bad;

		tree_entry_id(&tree, &tree.v[i], &file);
		bad = object_set_has(t->bad, &file);
		*wanted |= bad;
		*n += bad || object_set_has(t->lacking, &file);
	}
	tree_release(&tree);
	return 0;
}

/* Keep of the lists in t->todo those that may be sent. */
static int
hold_lists(struct transfer *t, struct err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->todo.n; i++) {
		size_t item = t->todo.v[i], n;
		const struct object_id *id = &t->ids.v[item];
		struct err why = {0};
		bool wanted;

		if (object_set_has(t->bad, id))
			continue; /* it could not even be read */
		if (lacks(t, id, &n, &wanted, &why) != 0) {
			if (no_source(&(struct worker){.t = t}, id, false, NULL, &why,
				      err) != 0)
				return -1;
			continue;
		}
		if (n == 0) {
			t->todo.v[kept++] = item;
			continue;
		}
		if (!wanted || (t->flags.v[item] & ITEM_THERE) != 0)
			continue;
		(void)err_set(&why, ERR_FAILED,
			      "its list was not sent, as %zu of its files are not on the "
			      "remote '%s'",
			      n, t->opt->remote->name);
		if (transfer_note(t, TRANSFER_HELD, id, NULL, &why, err) != 0)
			return -1;
	}
	t->todo.n = kept;
	return 0;
}

/* What a push left that was killed, beside what this one has sent; another may see to the rest. */
static void
sweep(struct transfer *t)
{
	struct remote *r = t->opt->remote;

	if (r->ops->sweep != NULL)
		(void)r->ops->sweep(
		    r, false, clock_now().wall_us / 1000000 - REMOTE_LEFTOVER_S, NULL);
}

static int
push(struct transfer *t, struct err *err)
{
	struct remote *r = t->opt->remote;

	if (r->ops->begin(r, REMOTE_WRITE, t->opt->meter, err) != 0)
		return -1;
	t->begun = true;
	transfer_phase(t, "reading lists", t->n, 0);
	if (transfer_files(t, transfer_load, err) != 0 || add_rest(t, err) != 0 ||
	    transfer_lists(t, err) != 0 || look(t, err) != 0)
		return -1;
	if (choose(t, 0, t->nfiles, err) != 0)
		return -1;
	transfer_phase(t, t->opt->verify ? "checking and sending" : "sending", t->todo.n,
		       t->opt->verify ? 0 : transfer_estimate(t));
	if (send_all(t, err) != 0)
		return -1;
	if (choose(t, t->nfiles, t->ids.n, err) != 0 || hold_lists(t, err) != 0)
		return -1;
	transfer_phase(t, "sending lists", t->todo.n, 0);
	if (send_all(t, err) != 0)
		return -1;
	sweep(t);
	return 0;
}

int
transfer_push(const struct transfer_options *opt, const struct transfer_want *v, size_t n,
	      struct transfer_report *report, struct err *err)
{
	return transfer_call(opt, v, n, report, push, err);
}
