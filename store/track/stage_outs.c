#include "store/track/stage_outs.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"
#include "store/track/checkout.h"
#include "store/track/stage_entry.h"
#include "store/track/stage_look.h"
#include "store/track/status.h"

const struct dvc_out *
stage_out_find(const struct dvc_out *v, size_t n, const char *path, size_t near)
{
	if (near < n && v[near].path != NULL && strcmp(v[near].path, path) == 0)
		return &v[near];
	for (size_t i = 0; i < n; i++)
		if (v[i].path != NULL && strcmp(v[i].path, path) == 0)
			return &v[i];
	return NULL;
}

int
stage_outs_find(const struct stage_look *l, const struct stage_run *run,
		const struct dvc_lock_stage *locked, struct arena *a,
		struct stage_file **out, size_t *n, struct err *err)
{
	const struct dvc_yaml_stage *s = run->stage;
	struct stage_file *v = arena_array(a, s->nouts + 1, sizeof(*v));

	*out = v;
	*n = s->nouts;
	if (v == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < s->nouts; i++) {
		int r = stage_file_find(l, a, run->dir, s->outs[i].path, &v[i], err);

		if (r > 0)
			return err_set(err, ERR_INVALID,
				       "'%s' makes '%s', an address: only files and "
				       "directories can be kept",
				       run->name, s->outs[i].path);
		if (r != 0)
			return -1;
		v[i].out = &s->outs[i];
		if (!v[i].inside && v[i].out->cache)
			return err_set(err, ERR_INVALID,
				       "'%s' makes '%s', which lies outside of the "
				       "repository: it cannot be in the cache "
				       "('cache: false')",
				       run->name, s->outs[i].path);
		if (locked != NULL)
			stage_file_was(&v[i], stage_out_find(locked->outs, locked->nouts,
							     v[i].path, i));
	}
	return 0;
}

int
stage_out_compare(struct stage_look *l, const struct stage_file *f,
		  struct stage_reason *why, struct err *err)
{
	struct status_out o = {
	    .path = f->full, .id = f->was_id, .cache = f->out->cache && f->inside};
	const struct workspace *ws = l->o.ws;
	int r;

	if (!f->inside) {
		if (stage_look_all(l, err) != 0)
			return -1;
		ws = &l->all;
		o.path++;
	}
	r = status_outs(ws, &o, 1, err);
	/* What no output can be is to be made anew. */
	if (r != 0 && (err->code != ERR_INVALID || stage_file_ignored(l, f)))
		return -1;
	if (r != 0) {
		o.state = OUT_MODIFIED;
		o.there = o.changed = true;
	}
	if (o.state == OUT_RIGHT)
		return 0;
	*why = (struct stage_reason){.kind = STAGE_OUT,
				     .path = f->full,
				     .was = STAGE_SIDE_UNKNOWN,
				     .is = STAGE_SIDE_UNKNOWN};
	why->was.id = f->was_id;
	if (!o.there)
		why->state = STAGE_DELETED;
	else if (!object_id_is_set(&f->was_id))
		why->state = STAGE_NEW;
	else
		why->state = STAGE_MODIFIED;
	if (o.state == OUT_NOT_IN_CACHE && o.there && !o.changed)
		why->kind = STAGE_OUT_UNCACHED;
	return 1;
}

/* ---- bringing back ---- */

/* Those in the cache and those that are git's: these must not be links. */
static int
checkout(struct stage_look *l, bool cached, struct checkout_out *v, size_t n,
	 struct err *err)
{
	static const enum link_type copies[] = {LINK_REFLINK, LINK_COPY};
	struct checkout_options o = {.force = true};
	struct checkout_report report;
	struct workspace ws = *l->o.ws;
	int r;

	if (n == 0)
		return 0;
	if (!cached) {
		ws.found = NULL;
		ws.links = copies;
		ws.nlinks = sizeof(copies) / sizeof(copies[0]);
	}
	r = checkout_outs(&ws, &o, v, n, &report, err);
	if (r == 0 &&
	    report.unsaved.count + report.missing.count + report.failed.count > 0)
		r = 1;
	for (size_t i = 0; r == 0 && i < n; i++)
		if (v[i].state == CHECKOUT_NOTHING || v[i].state == CHECKOUT_MISSING ||
		    v[i].state == CHECKOUT_REFUSED)
			r = 1;
	checkout_report_release(&report);
	return r;
}

int
stage_outs_checkout(struct stage_look *l, const struct dvc_lock_stage *e,
		    const struct stage_file *outs, size_t n, struct arena *a,
		    struct err *err)
{
	struct checkout_out *v = arena_array(a, n + 1, sizeof(*v));
	int r = 0;

	if (v == NULL)
		return err_nomem(err);
	for (int cached = 0; cached < 2 && r == 0; cached++) {
		size_t k = 0;

		for (size_t i = 0; i < n; i++) {
			const struct dvc_out *o =
			    stage_out_find(e->outs, e->nouts, outs[i].path, i);

			if (o == NULL)
				return 1;
			if (outs[i].out->cache != (cached != 0))
				continue;
			v[k++] = (struct checkout_out){.path = outs[i].full,
						       .id = stage_entry_id(&outs[i], o),
						       .exec = o->meta.isexec};
		}
		r = checkout(l, cached != 0, v, k, err);
	}
	return r;
}
