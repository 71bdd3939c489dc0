#include "store/track/upstream.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "store/dvc/dvc_file.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"
#include "store/track/collect.h"
#include "store/track/targets.h"

/* A stage, or a .dvc file: outs that come from the same deps. */
struct source {
	const struct track_file *in;
	const char *stage; /* NULL: a .dvc file */
	const struct track_out **outs;
	size_t n;
	const struct dvc_lock_stage *lock; /* NULL: it has not run */
	const struct dvc_yaml_stage *yaml; /* NULL: it is one of many */
	bool seen;
};

struct graph {
	const struct track_list *l;
	const struct track_out **outs; /* by source */
	struct source *v;
	size_t n;
	VEC(struct source *) todo; /* whose deps are to be looked at */
	struct track_targets *to;
	struct err *err;
};

/* ---- sources ---- */

static int
source_cmp(const struct track_file *in, const char *stage, const struct track_file *in2,
	   const char *stage2)
{
	if (in != in2)
		return in < in2 ? -1 : 1;
	if (stage == NULL || stage2 == NULL)
		return (stage != NULL) - (stage2 != NULL);
	return strcmp(stage, stage2);
}

static int
by_source(const void *a, const void *b)
{
	const struct track_out *const *x = a, *const *y = b;

	return source_cmp((*x)->in, (*x)->stage, (*y)->in, (*y)->stage);
}

static int
by_name(const void *a, const void *b)
{
	const struct source *x = a, *y = b;

	return source_cmp(x->in, x->stage, y->in, y->stage);
}

/* NULL: it has no outs here. */
static struct source *
find_source(const struct graph *g, const struct track_file *in, const char *stage)
{
	const struct source key = {.in = in, .stage = stage};

	return g->n > 0 ? bsearch(&key, g->v, g->n, sizeof(*g->v), by_name) : NULL;
}

/* Tell the stages of a dvc.yaml what is recorded of them, and what is written. */
static void
match_stages(const struct graph *g, const struct track_file *f)
{
	struct source *s;

	for (size_t i = 0; f->lock != NULL && i < f->lock->nstages; i++) {
		s = find_source(g, f, f->lock->stages[i].name);
		if (s != NULL)
			s->lock = &f->lock->stages[i];
	}
	for (size_t i = 0; f->yaml != NULL && i < f->yaml->nstages; i++) {
		s = find_source(g, f, f->yaml->stages[i].name);
		if (s != NULL && !f->yaml->stages[i].many)
			s->yaml = &f->yaml->stages[i];
	}
}

static int
find_sources(struct graph *g)
{
	const struct track_list *l = g->l;

	g->outs = calloc(l->n + 1, sizeof(*g->outs));
	g->v = calloc(l->n + 1, sizeof(*g->v));
	if (g->outs == NULL || g->v == NULL)
		return err_nomem(g->err);
	for (size_t i = 0; i < l->n; i++)
		g->outs[i] = &l->outs[i];
	if (l->n > 1)
		qsort(g->outs, l->n, sizeof(*g->outs), by_source);
	for (size_t i = 0; i < l->n; i++) {
		if (i == 0 || by_source(&g->outs[i - 1], &g->outs[i]) != 0)
			g->v[g->n++] = (struct source){.in = g->outs[i]->in,
						       .stage = g->outs[i]->stage,
						       .outs = &g->outs[i]};
		g->v[g->n - 1].n++;
	}
	for (size_t i = 0; i < l->nfiles; i++)
		match_stages(g, l->files[i]);
	return 0;
}

/* ---- deps ---- */

/* An out at, above or below a path that something is made of: all of its source is meant. */
static int
need(struct graph *g, const struct track_out *o)
{
	struct source *s = find_source(g, o->in, o->stage);

	if (s == NULL || s->seen)
		return 0;
	s->seen = true;
	if (vec_push(&g->todo, s) != 0)
		return err_nomem(g->err);
	for (size_t i = 0; i < s->n; i++) {
		struct track_target t = {.out = s->outs[i]};

		if (vec_push(g->to, t) != 0)
			return err_nomem(g->err);
	}
	return 0;
}

static int
need_path(struct graph *g, const char *path)
{
	const struct track_out *o = track_find(g->l, path);
	size_t n = 0;
	int rc = o != NULL ? need(g, o) : 0;

	o = track_below(g->l, path, &n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = need(g, &o[i]);
	return rc;
}

static int
need_deps(struct graph *g, const struct dvc_out *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].where == DVC_IN_REPO && v[i].full != NULL &&
		    v[i].repo.url == NULL && need_path(g, v[i].full) != 0)
			return -1;
	return 0;
}

/* As dvc.yaml has them; templates are not followed. */
static int
need_written(struct graph *g, const struct source *s)
{
	const struct yaml_node *deps = yaml_get(s->yaml->node, "deps");
	struct buf full;
	int rc = 0;

	buf_init(&full, 0);
	for (size_t i = 0;
	     rc == 0 && deps != NULL && deps->kind == YAML_SEQ && i < deps->seq.n; i++) {
		const struct yaml_node *d = deps->seq.v[i];

		buf_clear(&full);
		if (d->kind != YAML_STR ||
		    !dvc_yaml_full(s->in->yaml, s->yaml, d->str, &full))
			continue;
		rc = buf_failed(&full) ? err_nomem(g->err) : need_path(g, full.p);
	}
	buf_release(&full);
	return rc;
}

static int
follow(struct graph *g, const struct source *s)
{
	if (s->lock != NULL)
		return need_deps(g, s->lock->deps, s->lock->ndeps);
	if (s->yaml != NULL)
		return need_written(g, s);
	return s->in->file != NULL ? need_deps(g, s->in->file->deps, s->in->file->ndeps)
				   : 0;
}

int
track_upstream(const struct track_list *l, struct track_targets *v, struct err *err)
{
	struct graph g = {.l = l, .to = v, .err = err};
	size_t given = v->n;
	int rc = find_sources(&g);

	/* Of what was named only the deps are wanted, not what else its stage makes. */
	for (size_t i = 0; rc == 0 && i < given; i++) {
		const struct source *s =
		    find_source(&g, v->v[i].out->in, v->v[i].out->stage);

		if (s != NULL)
			rc = follow(&g, s);
	}
	while (rc == 0 && g.todo.n > 0)
		rc = follow(&g, g.todo.v[--g.todo.n]);
	track_targets_sort(v);
	vec_release(&g.todo);
	free(g.outs);
	free(g.v);
	return rc;
}
