/*
 * Imported data that no cache and no remote has: it comes from where it was imported from.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/exchange.h"
#include "store/objects/objects.h"
#include "store/objects/tree.h"
#include "store/track/import.h"

/* Whether the cache has all of an out: 1, 0 or -1. */
static int
is_cached(struct exchange *x, const struct track_out *o, struct err *err)
{
	struct objects *cache = x->a.track.cache;
	struct object_id *ids = NULL;
	uint8_t *missing = NULL;
	struct tree t = {0};
	int r = objects_has(cache, &o->id, err);

	if (r <= 0 || !o->id.dir)
		return r;
	if (objects_tree(cache, &o->id, &t, err) != 0)
		return err->code == ERR_NOMEM ? -1 : 0;
	ids = calloc(t.n + 1, sizeof(*ids));
	missing = calloc(t.n + 1, 1);
	if (ids == NULL || missing == NULL) {
		r = err_nomem(err);
	} else {
		for (size_t i = 0; i < t.n; i++)
			tree_entry_id(&t, &t.v[i], &ids[i]);
		r = objects_missing(cache, ids, t.n, missing, &x->a.meter, err) == 0 ? 1
										     : -1;
		if (r == 1 && memchr(missing, 1, t.n) != NULL)
			r = 0;
	}
	free(ids);
	free(missing);
	tree_release(&t);
	return r;
}

/* Keep those that the cache has not. */
static int
still_missing(struct exchange *x, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < x->imports.n; i++) {
		int r = is_cached(x, x->imports.v[i], err);

		if (r < 0)
			return -1;
		if (r == 0)
			x->imports.v[n++] = x->imports.v[i];
	}
	x->imports.n = n;
	return 0;
}

/* What the remote lacks is no failure here. */
static int
move_what_there_is(struct exchange *x, const struct transfer_options *opt,
		   const struct transfer_want *v, size_t n,
		   struct transfer_report *report, struct err *err)
{
	struct transfer_report mine = {0};
	int r = transfer_fetch(opt, v, n, &mine, err);

	(void)x;
	report->objects = mine.objects;
	report->bytes = mine.bytes;
	transfer_report_release(&mine);
	if (r != 0 && err->code == ERR_NOTFOUND) {
		err_clear(err);
		r = 0;
	}
	return r;
}

/* What an import by address brought may have been pushed since. */
static int
ask_remotes(struct exchange *x, struct meter *m, struct err *err)
{
	for (size_t i = 0; i < x->imports.n; i++) {
		const struct track_out *o = x->imports.v[i];
		const struct transfer_want w = {
		    .id = o->id, .path = o->path, .size = o->size, .remote = o->remote};
		const char *name = x->o->remote != NULL ? x->o->remote
				   : o->remote != NULL	? o->remote
							: exchange_usual(x);

		if (import_of_repo(o) || name == NULL)
			continue;
		x->move = move_what_there_is;
		if (exchange_with(x, name, &w, 1, m, err) != 0)
			return -1;
	}
	return 0;
}

static int
note_failure(struct exchange_part *p, const struct track_out *o, const struct err *why)
{
	struct transfer_note note = {
	    .fate = TRANSFER_MISSING, .id = o->id, .path = strdup(o->path), .err = *why};

	p->report.fates[TRANSFER_MISSING]++;
	if (note.path != NULL && vec_push(&p->report.notes, note) == 0)
		return 0;
	free(note.path);
	return -1;
}

static int
ask_sources(struct exchange *x, struct err *err)
{
	struct exchange_part part = {.name = "the sources of imports", .url = ""};
	int r = vec_reserve(&x->parts, x->parts.n + 1) == 0 ? 0 : err_nomem(err);

	for (size_t i = 0; r == 0 && i < x->imports.n; i++) {
		const struct track_out *o = x->imports.v[i];
		int64_t n = import_restore(&x->a.ws, x->a.track.root, o, x->a.arena, err);

		if (n >= 0)
			part.report.objects += (uint64_t)n;
		else if (err->code == ERR_CANCELLED || err->code == ERR_NOMEM ||
			 err->code == ERR_FULL)
			r = -1;
		else if (note_failure(&part, o, err) != 0)
			r = err_nomem(err);
	}
	if (x->parts.n < x->parts.cap)
		x->parts.v[x->parts.n++] = part;
	return r;
}

int
exchange_sources(struct exchange *x, struct meter *m, struct err *err)
{
	if (still_missing(x, err) != 0)
		return -1;
	if (x->imports.n == 0)
		return 0;
	if (ask_remotes(x, m, err) != 0 || still_missing(x, err) != 0)
		return -1;
	return x->imports.n > 0 ? ask_sources(x, err) : 0;
}
