#include "store/track/edit_graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/vec.h"
#include "store/dvc/dvc_file.h"
#include "store/dvc/dvc_yaml.h"
#include "store/track/collect.h"
#include "store/track/collect_internal.h"
#include "store/track/edit_stage.h"

/* A stage, or a .dvc file. */
struct node {
	const char *file;
	const char *stage; /* NULL: a .dvc file */
	VEC(const char *) deps;
	enum { NEW, OPEN, DONE } state;
	size_t dep;	 /* the search: which of deps is looked at */
	size_t at, end;	 /* ... and which of the outs that it may be */
	struct node *by; /* from where we came here */
};

/* A path that a node makes. */
struct made {
	const char *path;
	struct node *node;
};

struct graph {
	struct arena *arena;
	const char *root;
	struct node *nodes;
	size_t n;
	VEC(struct made) outs; /* sorted once all are there */
	struct err *err;
};

/* ---- what there is ---- */

static int
add_dep(struct graph *g, struct node *n, const char *path)
{
	return path != NULL && vec_push(&n->deps, path) == 0 ? 0 : err_nomem(g->err);
}

static int
add_out(struct graph *g, struct node *n, const char *path)
{
	struct made m = {path, n};

	return path != NULL && vec_push(&g->outs, m) == 0 ? 0 : err_nomem(g->err);
}

static int
take_dvc(struct graph *g, struct node *n, const struct dvc_file *f)
{
	for (size_t i = 0; i < f->nouts; i++)
		if (f->outs[i].where == DVC_IN_REPO &&
		    add_out(g, n, f->outs[i].full) != 0)
			return -1;
	for (size_t i = 0; i < f->ndeps; i++)
		if (f->deps[i].where == DVC_IN_REPO && f->deps[i].repo.url == NULL &&
		    add_dep(g, n, f->deps[i].full) != 0)
			return -1;
	return 0;
}

/* A path of a stage as seen from the root, in the arena. */
static const char *
place(struct graph *g, const char *wdir, const char *path)
{
	const char *text;
	struct buf b;

	buf_init(&b, 0);
	edit_place(g->root, wdir, path, &b);
	text = buf_failed(&b) ? NULL : arena_strdup(g->arena, b.p);
	buf_release(&b);
	return text;
}

static bool
known(const char *path)
{
	return strstr(path, "${") == NULL;
}

static int
take_stage(struct graph *g, struct node *n, const struct dvc_yaml_stage *s, bool all)
{
	const char *wdir;
	struct buf b;

	buf_init(&b, 0);
	edit_wdir(g->root, n->file, s, &b);
	wdir = buf_failed(&b) ? NULL : arena_strdup(g->arena, b.p);
	buf_release(&b);
	if (wdir == NULL)
		return err_nomem(g->err);
	if (!all && !known(wdir))
		return 0;
	for (size_t i = 0; i < s->nouts; i++)
		if ((all || known(s->outs[i].path)) &&
		    add_out(g, n, place(g, wdir, s->outs[i].path)) != 0)
			return -1;
	for (size_t i = 0; i < s->ndeps; i++)
		if ((all || known(s->deps[i].path)) &&
		    add_dep(g, n, place(g, wdir, s->deps[i].path)) != 0)
			return -1;
	for (size_t i = 0; i < s->nparams; i++)
		if ((all || known(s->params[i].file)) &&
		    add_dep(g, n, place(g, wdir, s->params[i].file)) != 0)
			return -1;
	return 0;
}

static size_t
count(const struct track_list *l)
{
	size_t n = 1;

	for (size_t i = 0; i < l->nfiles; i++)
		n += l->files[i]->yaml != NULL ? l->files[i]->yaml->nstages : 1;
	return n;
}

/* All but the one in whose place the new one comes. */
static int
take_file(struct graph *g, const struct track_file *f, const char *file, const char *name)
{
	bool here = strcmp(f->path, file) == 0;

	if (f->file != NULL) {
		g->nodes[g->n].file = f->path;
		return take_dvc(g, &g->nodes[g->n++], f->file);
	}
	for (size_t i = 0; f->yaml != NULL && i < f->yaml->nstages; i++) {
		const struct dvc_yaml_stage *s = &f->yaml->stages[i];

		if (here && (strcmp(s->name, name) == 0 ||
			     (s->group != NULL && strcmp(s->group, name) == 0)))
			continue;
		g->nodes[g->n].file = f->path;
		g->nodes[g->n].stage = s->name;
		if (!s->many && take_stage(g, &g->nodes[g->n++], s, false) != 0)
			return -1;
	}
	return 0;
}

/* ---- the new one by itself ---- */

static const char *
what(struct graph *g, const struct node *n)
{
	const char *text = n->stage == NULL ? arena_printf(g->arena, "'%s'", n->file)
					    : arena_printf(g->arena, "stage '%s' of '%s'",
							   n->stage, n->file);

	return text != NULL ? text : "another";
}

static int
check_own(struct graph *g, const struct node *n)
{
	for (size_t i = 0; i < n->deps.n; i++) {
		for (size_t k = 0; k < g->outs.n; k++)
			if (strcmp(g->outs.v[k].path, n->deps.v[i]) == 0)
				return err_set(g->err, ERR_INVALID,
					       "'%s' is both needed and made by stage "
					       "'%s'",
					       n->deps.v[i], n->stage);
		for (size_t k = 0; k < i; k++)
			if (strcmp(n->deps.v[k], n->deps.v[i]) == 0)
				return err_set(g->err, ERR_INVALID,
					       "'%s' is named twice among what stage "
					       "'%s' needs",
					       n->deps.v[i], n->stage);
	}
	for (size_t i = 0; i < g->outs.n; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(g->outs.v[k].path, g->outs.v[i].path) == 0)
				return err_set(g->err, ERR_INVALID,
					       "'%s' is named twice among what stage "
					       "'%s' makes",
					       g->outs.v[i].path, n->stage);
	return 0;
}

/* ---- outputs in one another ---- */

static int
made_cmp(const void *a, const void *b)
{
	return track_path_cmp(((const struct made *)a)->path,
			      ((const struct made *)b)->path);
}

/* What is there is apart, so all that overlaps is about the new one. */
static int
check_overlaps(struct graph *g)
{
	const struct made *above = NULL;

	vec_foreach (&g->outs, const struct made, m) {
		if (above == NULL || !path_is_below(m->path, above->path)) {
			above = m;
			continue;
		}
		if (strcmp(m->path, above->path) == 0)
			return err_set(
			    g->err, ERR_EXISTS,
			    "'%s' is an output of %s already, so it cannot be "
			    "one of %s",
			    m->path,
			    what(g, above->node == g->nodes ? m->node : above->node),
			    what(g, g->nodes));
		return err_set(g->err, ERR_EXISTS,
			       "'%s', which %s makes, lies in '%s', which %s makes: only "
			       "one of them can be an output",
			       m->path, what(g, m->node), above->path,
			       what(g, above->node));
	}
	return 0;
}

static int
by_path(const void *path, const void *made)
{
	return track_path_cmp(path, ((const struct made *)made)->path);
}

/* The outs that are ${path}, have it in them or lie in it, as they lie side by side. */
static void
find_outs(const struct graph *g, const char *path, size_t *from, size_t *to)
{
	size_t at = vec_first(g->outs.v, g->outs.n, sizeof(*g->outs.v), path, by_path);

	if (strcmp(path, ".") == 0)
		at = 0;
	*from = *to = at;
	if (at > 0 && path_is_below(path, g->outs.v[at - 1].path)) {
		*from = at - 1;
		return;
	}
	while (*to < g->outs.n && path_is_below(g->outs.v[*to].path, path))
		++*to;
}

/* No file that says what is tracked may lie in an output. */
static int
check_files(struct graph *g)
{
	size_t from, to;

	for (size_t i = 0; i < g->n; i++) {
		const char *file = g->nodes[i].file;

		find_outs(g, file, &from, &to);
		if (from == to || !path_is_below(file, g->outs.v[from].path))
			continue;
		return err_set(g->err, ERR_INVALID, "'%s' lies in '%s', which %s makes",
			       file, g->outs.v[from].path, what(g, g->outs.v[from].node));
	}
	return 0;
}

/* ---- circles ---- */

/* The next one that ${n} needs something of, or NULL. */
static struct node *
next(struct graph *g, struct node *n)
{
	while (n->at == n->end) {
		if (n->dep == n->deps.n)
			return NULL;
		find_outs(g, n->deps.v[n->dep++], &n->at, &n->end);
	}
	return g->outs.v[n->at++].node;
}

static int
say_circle(struct graph *g, const struct node *last, const struct node *first)
{
	struct buf b;

	buf_init(&b, 0);
	buf_adds(&b, what(g, last));
	for (const struct node *n = last; n != first && b.n < 700; n = n->by)
		buf_addf(&b, ", which is needed by %s", what(g, n->by));
	(void)err_set(g->err, ERR_INVALID, "that would be a circle: %s is needed by %s",
		      what(g, first), b.p);
	if (last == first)
		(void)err_set(g->err, ERR_INVALID,
			      "%s would need a part of what it makes itself",
			      what(g, first));
	buf_release(&b);
	return -1;
}

/* Depth first, without recursion. */
static int
find_circle(struct graph *g, struct node *start)
{
	struct node *n = start, *up;

	start->state = OPEN;
	while (n != NULL) {
		up = next(g, n);
		if (up == NULL) {
			n->state = DONE;
			n = n->by;
		} else if (up->state == OPEN) {
			return say_circle(g, n, up);
		} else if (up->state == NEW) {
			up->state = OPEN;
			up->by = n;
			n = up;
		}
	}
	return 0;
}

static int
check_circles(struct graph *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->nodes[i].state == NEW && find_circle(g, &g->nodes[i]) != 0)
			return -1;
	return 0;
}

/* ---- all of it ---- */

static int
check(struct graph *g, const struct track_list *l, const char *file,
      const struct dvc_yaml_stage *s)
{
	g->nodes = arena_array(g->arena, count(l) + 1, sizeof(*g->nodes));
	if (g->nodes == NULL)
		return err_nomem(g->err);
	g->nodes[0].file = file;
	g->nodes[0].stage = s->name;
	g->n = 1;
	if (take_stage(g, g->nodes, s, true) != 0 || check_own(g, g->nodes) != 0)
		return -1;
	for (size_t i = 0; i < l->nfiles; i++)
		if (take_file(g, l->files[i], file, s->name) != 0)
			return -1;
	if (g->outs.n > 1)
		qsort(g->outs.v, g->outs.n, sizeof(*g->outs.v), made_cmp);
	if (check_overlaps(g) != 0 || check_files(g) != 0)
		return -1;
	return check_circles(g);
}

int
edit_check(const struct track_list *l, const char *root, const char *file,
	   const struct dvc_yaml_stage *s, struct err *err)
{
	struct graph g = {.arena = arena_new(0), .root = root, .err = err};
	int rc = g.arena != NULL ? check(&g, l, file, s) : err_nomem(err);

	for (size_t i = 0; i < g.n; i++)
		vec_release(&g.nodes[i].deps);
	vec_release(&g.outs);
	arena_free(g.arena);
	return rc;
}
