/*
 * Which stage follows which, and in what order: DVC's graph.
 *
 * Outputs stand in a tree of path components, whose children keep the order in which they came:
 * what a dependency meets is found there in the order in which DVC finds it, which decides the
 * order of stages that could stand either way.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/map.h"
#include "base/path.h"
#include "base/vec.h"
#include "scheduler/dag_load.h"
#include "scheduler/dag_paths.h"
#include "scheduler/pipeline_dag.h"
#include "scheduler/pipeline_int.h"

#define NONE	   UINT32_MAX
#define CYCLES_MAX 100
#define SHOWN_MAX  16 /* names of a cycle that are printed */

/* A path that is an output, or holds some. */
struct node {
	struct node *up, *first, *last, *next;
	uint32_t task; /* who makes it; NONE: nobody */
	uint32_t out;  /* which of its outputs it is */
};

/* The graph: what each stage follows, in DVC's order, from at[i] up to at[i + 1]. */
struct edges {
	const struct dag *g;
	struct arena *arena;
	struct map nodes; /* path -> struct node */
	VEC(uint32_t) to;
	uint32_t *at;
	struct err *err;
};

/* ---- the tree of outputs ---- */

static struct node *
node_at(struct edges *e, struct node *up, const char *path, size_t n)
{
	struct node *x = map_getn(&e->nodes, path, n);

	if (x != NULL)
		return x;
	x = arena_zalloc(e->arena, sizeof(*x));
	if (x == NULL || map_putn(&e->nodes, path, n, x) < 0)
		return NULL;
	x->task = NONE;
	x->up = up;
	if (up != NULL) {
		if (up->last != NULL)
			up->last->next = x;
		else
			up->first = x;
		up->last = x;
	}
	return x;
}

/* The node behind ${x} in the tree below ${top}, from the top down. */
static struct node *
next_below(const struct node *top, struct node *x)
{
	if (x->first != NULL)
		return x->first;
	while (x != top && x->next == NULL)
		x = x->up;
	return x == top ? NULL : x->next;
}

/* The end of the next component of ${path} behind ${i}; the first one is the root, "". */
static size_t
component(const char *path, size_t i)
{
	while (path[i] == '/')
		i++;
	return i + strcspn(path + i, "/");
}

/* Return 0; 1 with ${other} if it meets another output; -1 without memory. */
static int
add_out(struct edges *e, uint32_t task, uint32_t out, const char *path,
	struct node **other)
{
	struct node *x = node_at(e, NULL, "", 0);
	size_t n = strcmp(path, ".") == 0 ? 1 : 0;

	while (x != NULL && path[n] != '\0') {
		if (x->task != NONE)
			break;
		n = component(path, n);
		x = node_at(e, x, path, n);
	}
	if (x == NULL)
		return err_nomem(e->err);
	for (*other = x; *other != NULL; *other = next_below(x, *other))
		if ((*other)->task != NONE)
			return 1;
	x->task = task;
	x->out = out;
	return 0;
}

/* ---- edges ---- */

static int
add_edge(struct edges *e, uint32_t to)
{
	if (e->to.n >= DAG_EDGES_MAX)
		return err_set(e->err, ERR_LIMIT,
			       "there are more than %d edges between stages",
			       DAG_EDGES_MAX);
	return vec_push(&e->to, to) == 0 ? 0 : err_nomem(e->err);
}

/* Whoever makes something that holds the path, then it, then what lies in it. */
static int
add_dep(struct edges *e, const char *path)
{
	struct node *x = map_getn(&e->nodes, "", 0), *in;
	size_t n = strcmp(path, ".") == 0 ? 1 : 0;

	while (x != NULL && path[n] != '\0') {
		if (x->task != NONE && add_edge(e, x->task) != 0)
			return -1;
		n = component(path, n);
		x = map_getn(&e->nodes, path, n);
	}
	for (in = x; in != NULL; in = next_below(x, in))
		if (in->task != NONE && add_edge(e, in->task) != 0)
			return -1;
	return 0;
}

static int
find_edges(struct edges *e)
{
	e->at = arena_array(e->arena, e->g->ntasks + 1, sizeof(*e->at));
	if (e->at == NULL)
		return err_nomem(e->err);
	for (size_t i = 0; i < e->g->ntasks; i++) {
		const struct pipeline_stage *p = pipeline_stage_of(&e->g->tasks[i]);

		e->at[i] = (uint32_t)e->to.n;
		for (size_t k = 0; k < p->nins; k++)
			if (add_dep(e, p->ins[k]) != 0)
				return -1;
	}
	e->at[e->g->ntasks] = (uint32_t)e->to.n;
	return 0;
}

/* ---- one walk through all: upstream first ---- */

struct walk {
	const struct edges *e;
	const bool *selected; /* NULL: all */
	bool frozen;	      /* those that are frozen follow nobody */
	/* Where the walk found a stage that it stands on: the stages from there. */
	void (*cycle)(void *, const uint32_t *, size_t);
	void *ctx;
	uint32_t *next;	 /* edge of each stage that is looked at next */
	uint32_t *stack; /* the stages it stands on */
	size_t depth;
	enum { NEW, ON, DONE } * state;
	uint32_t *out;
	size_t n;
};

static void
walk_edge(struct walk *w, uint32_t to)
{
	size_t i = w->depth;

	if (w->selected != NULL && !w->selected[to])
		return;
	if (w->state[to] == ON && w->cycle != NULL) {
		while (w->stack[i - 1] != to)
			i--;
		w->cycle(w->ctx, w->stack + i - 1, w->depth - i + 1);
	}
	if (w->state[to] != NEW)
		return;
	w->state[to] = ON;
	w->next[to] = w->e->at[to];
	w->stack[w->depth++] = to;
}

static void
walk_from(struct walk *w, uint32_t from)
{
	walk_edge(w, from);
	while (w->depth > 0) {
		uint32_t at = w->stack[w->depth - 1];
		bool alone = w->frozen && w->e->g->tasks[at].stage->stage->frozen;

		if (!alone && w->next[at] < w->e->at[at + 1]) {
			walk_edge(w, w->e->to.v[w->next[at]++]);
			continue;
		}
		w->state[at] = DONE;
		w->out[w->n++] = at;
		w->depth--;
	}
}

static int
walk_all(struct walk *w)
{
	size_t n = w->e->g->ntasks;

	w->n = 0;
	w->next = malloc((n + 1) * sizeof(*w->next));
	w->stack = malloc((n + 1) * sizeof(*w->stack));
	w->state = calloc(n + 1, sizeof(*w->state));
	for (uint32_t i = 0;
	     i < n && w->next != NULL && w->stack != NULL && w->state != NULL; i++)
		walk_from(w, i);
	free(w->next);
	free(w->stack);
	free(w->state);
	return w->next != NULL && w->stack != NULL && w->state != NULL ? 0 : -1;
}

/* ---- mistakes ---- */

struct check {
	struct pipeline_make *m;
	struct edges *e;
	size_t cycles;
	bool nomem;
};

static struct diag_pos
out_pos(struct check *c, uint32_t task, uint32_t out)
{
	const struct stage_source *src = c->m->sources;

	if (src == NULL)
		return pipeline_pos(c->m, task, 0, 0);
	return pipeline_pos(c->m, task, src[task].stage->outs[out].line,
			    src[task].stage->outs[out].col);
}

static struct diag_pos
stage_pos(struct check *c, uint32_t task)
{
	const struct stage_source *src = c->m->sources;

	return src == NULL ? pipeline_pos(c->m, task, 0, 0)
			   : pipeline_pos(c->m, task, src[task].stage->line,
					  src[task].stage->col);
}

/* An output is removed before its stage runs: not everything can be one. */
static void
check_out(struct check *c, uint32_t task, uint32_t out, const char *path)
{
	const char *tool = path_tool_dir(path), *name = c->m->dag->tasks[task].name;
	struct diag *d = c->m->d;

	if (strcmp(path, ".") == 0) {
		diag_add(d, DIAG_ERROR, out_pos(c, task, out),
			 "the output of stage '%s' is the repository itself", name);
		diag_hint(d, "outputs are removed before a stage runs; name a file or "
			     "directory in it");
	} else if (tool != NULL) {
		diag_add(d, DIAG_ERROR, out_pos(c, task, out),
			 "the output '%s' of stage '%s' lies in %s, which is not yours",
			 path, name, tool);
	}
}

static void
say_clash(struct check *c, uint32_t task, uint32_t out, const char *path,
	  const struct node *other)
{
	const struct dag_task *t = c->m->dag->tasks;
	const struct pipeline_stage *p = pipeline_stage_of(&t[other->task]);
	const char *there = p->outs[other->out];
	struct diag *d = c->m->d;

	diag_add(d, DIAG_ERROR, out_pos(c, task, out),
		 strcmp(there, path) == 0
		     ? "the output '%s' of stage '%s' is made by stage '%s' too"
		     : "the output '%s' of stage '%s' overlaps with one of stage '%s'",
		 path, t[task].name, t[other->task].name);
	diag_add(d, DIAG_NOTE, out_pos(c, other->task, other->out),
		 "the other one is here");
}

static int
check_outs(struct check *c)
{
	const struct dag *g = c->m->dag;
	struct node *other;
	int rc;

	for (uint32_t i = 0; i < g->ntasks; i++) {
		const struct pipeline_stage *p = pipeline_stage_of(&g->tasks[i]);

		for (uint32_t k = 0; k < p->stage.nouts; k++) {
			if (*p->outs[k] == '\0')
				continue;
			check_out(c, i, k, p->outs[k]);
			rc = add_out(c->e, i, k, p->outs[k], &other);
			if (rc < 0)
				return -1;
			if (rc > 0)
				say_clash(c, i, k, p->outs[k], other);
		}
	}
	return 0;
}

/* A stage that removes what says what it does, or that works somewhere else. */
static void
check_places(struct check *c)
{
	const struct dag *g = c->m->dag;

	for (uint32_t i = 0; i < g->ntasks; i++) {
		const struct pipeline_stage *p = pipeline_stage_of(&g->tasks[i]);
		const struct node *x = map_getn(&c->e->nodes, "", 0);
		size_t n = 0;

		if (path_climbs(p->dag.dir))
			diag_add(c->m->d, DIAG_ERROR, stage_pos(c, i),
				 "the working directory '%s' of stage '%s' lies outside "
				 "of the repository",
				 p->stage.wdir, g->tasks[i].name);
		while (x != NULL && x->task == NONE && p->file[n] != '\0') {
			n = component(p->file, n);
			x = map_getn(&c->e->nodes, p->file, n);
		}
		if (x != NULL && x->task != NONE) {
			diag_add(c->m->d, DIAG_ERROR, out_pos(c, x->task, x->out),
				 "the output '%s' of stage '%s' %s %s",
				 pipeline_stage_of(&g->tasks[x->task])->outs[x->out],
				 g->tasks[x->task].name,
				 p->file[n] == '\0' ? "is" : "holds", p->file);
			diag_hint(c->m->d,
				  "outputs are removed before a stage runs; choose "
				  "another place");
			return;
		}
	}
}

static void
say_cycle(void *ctx, const uint32_t *path, size_t n)
{
	struct check *c = ctx;
	const struct dag_task *t = c->m->dag->tasks;
	struct buf b;

	if (c->cycles++ >= CYCLES_MAX)
		return;
	buf_init(&b, 0);
	/* Each stage of the path follows the next one; what is told is what comes first. */
	for (size_t i = n; i-- > 0;) {
		if (n > SHOWN_MAX && i == n - SHOWN_MAX / 2) {
			buf_addf(&b, "... (%zu more) -> ", n - SHOWN_MAX);
			i = SHOWN_MAX / 2;
		}
		buf_addf(&b, "%s -> ", t[path[i]].name);
	}
	c->nomem = c->nomem || buf_failed(&b);
	if (n == 1)
		diag_add(c->m->d, DIAG_ERROR, stage_pos(c, path[0]),
			 "stage '%s' depends on what it makes", t[path[0]].name);
	else
		diag_add(c->m->d, DIAG_ERROR, stage_pos(c, path[0]),
			 "stages wait for each other: %s%s", buf_failed(&b) ? "" : b.p,
			 t[path[n - 1]].name);
	buf_release(&b);
}

/* ---- into the model ---- */

/* Both directions and the levels, by the loader of DAG files; then the order, which is DVC's. */
static int
fill_graph(struct pipeline_make *m, struct edges *e)
{
	struct dag *g = m->dag;
	struct diag *d = diag_new();
	struct load L = {.arena = m->arena, .d = d, .name = "dvc.yaml", .dag = g};
	struct walk w = {.e = e, .frozen = !m->place->keep_frozen};
	int rc = d != NULL ? 0 : -1;

	for (uint32_t i = 0; rc == 0 && i < g->ntasks; i++) {
		bool alone = w.frozen && g->tasks[i].stage->stage->frozen;

		for (uint32_t k = e->at[i]; !alone && k < e->at[i + 1]; k++) {
			struct load_edge one = {e->to.v[k], i, EDGE_PATH, NULL};

			if (vec_push(&L.edges, one) != 0)
				rc = -1;
		}
	}
	if (rc == 0)
		rc = load_graph(&L);
	vec_release(&L.edges);
	diag_free(d);
	w.out = g->order;
	if (rc != 0 || walk_all(&w) != 0)
		return err_nomem(m->err);
	return 0;
}

static void
edges_release(struct edges *e)
{
	map_release(&e->nodes);
	vec_release(&e->to);
	arena_free(e->arena);
}

int
pipeline_graph(struct pipeline_make *m)
{
	struct edges e = {.g = m->dag, .arena = arena_new(0), .err = m->err};
	struct check c = {.m = m, .e = &e};
	struct walk w = {.e = &e, .cycle = say_cycle, .ctx = &c};
	size_t before = m->d != NULL ? diag_errors(m->d) : 0;
	int rc = e.arena != NULL ? check_outs(&c) : err_nomem(m->err);

	if (rc == 0)
		rc = find_edges(&e);
	w.out = rc == 0 ? arena_array(e.arena, m->dag->ntasks + 1, sizeof(*w.out)) : NULL;
	if (rc == 0 && (w.out == NULL || walk_all(&w) != 0 || c.nomem))
		rc = err_nomem(m->err);
	if (rc == 0)
		check_places(&c);
	if (rc == 0 && diag_errors(m->d) == before)
		rc = fill_graph(m, &e);
	edges_release(&e);
	return rc;
}

int
pipeline_dag_order(const struct dag *g, const bool *selected, uint32_t *out, size_t *n,
		   struct err *err)
{
	struct edges e = {.g = g, .arena = arena_new(0), .err = err};
	struct walk w = {.e = &e, .selected = selected, .frozen = true, .out = out};
	struct node *other;
	int rc = e.arena != NULL ? 0 : err_nomem(err);

	for (uint32_t i = 0; rc == 0 && i < g->ntasks; i++) {
		const struct pipeline_stage *p = pipeline_stage_of(&g->tasks[i]);

		for (uint32_t k = 0; rc == 0 && k < p->stage.nouts; k++)
			if (*p->outs[k] != '\0')
				rc = add_out(&e, i, k, p->outs[k], &other);
	}
	if (rc == 0)
		rc = find_edges(&e);
	if (rc == 0 && walk_all(&w) != 0)
		rc = err_nomem(err);
	*n = w.n;
	edges_release(&e);
	return rc;
}
