/*
 * What templates refer to, as far as it can be known before any run: names of values, params,
 * tasks, and whether the outputs of a task are those of one upstream.
 */
#include <stdlib.h>
#include <string.h>

#include "scheduler/dag_load.h"
#include "scheduler/render.h"

/* What other tools call the values of a run, or what one may expect. */
static const struct {
	const char *theirs, *ours;
} foreign_roots[] = {{"execution_date", "logical_date"},
		     {"dag_run", "run_id"},
		     {"task_instance", "task"},
		     {"ti", "outputs"},
		     {"xcom", "outputs"},
		     {"var", "params"},
		     {"vars", "params"},
		     {"conf", "params"},
		     {"inputs", "params"},
		     {"tasks", "outputs"},
		     {"steps", "outputs"},
		     {"needs", "outputs"},
		     {"date", "ds"},
		     {"today", "ds"},
		     {"secrets", "env"},
		     {"environ", "env"}};

struct check {
	struct load *L;
	const struct yaml_node *node;
	enum text_use use;
	const struct dag_task *task; /* or NULL */
	bool for_each;	/* `item` is not reported: the key it belongs to is */
	bool inherited; /* only what depends on the task */
};

static struct diag_pos
part_pos(const struct check *c, const struct jinja_ref *ref, size_t i)
{
	return load_pos_in(c->L, c->node, ref->offset[i], strlen(ref->path[i]));
}

#define NAME_CHARS "-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Whether the name at ${offset} is the end of outputs.my-task, said with its beginning. */
static bool
ends_task_name(const struct check *c, size_t offset)
{
	static const char before[] = "outputs.";
	const char *s = c->node->str, *start = s + offset;
	size_t n = sizeof(before) - 1;

	while (start > s && strchr(NAME_CHARS, start[-1]) != NULL)
		start--;
	return start < s + offset && (size_t)(start - s) >= n &&
	       memcmp(start - n, before, n) == 0 &&
	       map_getn(&c->L->tasks, start, strspn(start, NAME_CHARS)) != NULL;
}

static void
unknown_root(const struct check *c, const struct jinja_ref *ref)
{
	const char *name = ref->path[0], *near = NULL;

	if (ends_task_name(c, ref->offset[0]))
		return;
	diag_add(c->L->d, DIAG_ERROR, part_pos(c, ref, 0), "there is no value '%s'",
		 name);
	for (size_t i = 0; i < sizeof(foreign_roots) / sizeof(foreign_roots[0]); i++)
		if (strcmp(foreign_roots[i].theirs, name) == 0)
			near = foreign_roots[i].ours;
	if (near == NULL && map_get(&c->L->params, name) != NULL)
		diag_hint(c->L->d, "write params.%s", name);
	else if (near == NULL && map_get(&c->L->tasks, name) != NULL)
		diag_hint(c->L->d, "write outputs.%s.KEY", name);
	else
		load_did_you_mean(
		    c->L, near != NULL ? near : load_like_value(name, render_roots));
}

static void
check_param(const struct check *c, const struct jinja_ref *ref)
{
	const char *name = ref->path[1], *near;

	if (map_get(&c->L->params, name) != NULL)
		return;
	diag_add(c->L->d, DIAG_ERROR, part_pos(c, ref, 1), "there is no param '%s'",
		 name);
	near = load_like_param(c->L, name);
	if (near != NULL)
		load_did_you_mean(c->L, near);
	else
		diag_hint(c->L->d, "declare it under `params` of the DAG");
}

static void
unknown_task(const struct check *c, const struct jinja_ref *ref)
{
	const char *name = ref->path[1], *s;
	size_t len = strlen(name);

	diag_add(c->L->d, DIAG_ERROR, part_pos(c, ref, 1), "there is no task '%s'", name);
	/* outputs.my-task is a subtraction to Jinja. */
	s = c->node->str + ref->offset[1];
	if (ref->offset[1] + len < c->node->len && s[len] == '-') {
		size_t whole = strspn(s, NAME_CHARS);

		if (map_getn(&c->L->tasks, s, whole) != NULL) {
			diag_hint(c->L->d, "write outputs['%.*s']", (int)whole, s);
			return;
		}
	}
	load_did_you_mean(c->L, load_like_task(c->L, name));
}

/* Whether `[` follows the last part: then what is asked for is only known later. */
static bool
is_dynamic(const struct check *c, const struct jinja_ref *ref)
{
	size_t last = ref->npath - 1, at = ref->offset[last] + strlen(ref->path[last]);

	while (at < c->node->len && strchr(" \t\r\n'\"]", c->node->str[at]) != NULL)
		at++;
	return at < c->node->len && c->node->str[at] == '[';
}

static int
check_outputs(const struct check *c, const struct jinja_ref *ref)
{
	const struct dag_task *producer;
	struct load_use use;

	if (c->use == USE_PATH) {
		diag_add(c->L->d, DIAG_ERROR, part_pos(c, ref, 0),
			 "paths of inputs and outputs cannot use outputs of tasks");
		diag_hint(c->L->d, "they must be known when the run is created");
		return 0;
	}
	if (c->use == USE_DAG) {
		diag_add(c->L->d, DIAG_ERROR, part_pos(c, ref, 0),
			 "the DAG's `env` cannot use outputs of tasks");
		diag_hint(c->L->d, "put it into the `env` of the task");
		return 0;
	}
	if (ref->npath < 2) {
		c->L->any_read = true;
		return 0;
	}
	producer = map_get(&c->L->tasks, ref->path[1]);
	if (producer == NULL) {
		unknown_task(c, ref);
		return 0;
	}
	if (ref->npath == 2 && !is_dynamic(c, ref)) {
		diag_add(c->L->d, DIAG_ERROR, part_pos(c, ref, 1),
			 "outputs.%s says no key", ref->path[1]);
		diag_hint(c->L->d,
			  "write outputs.%s.KEY, as the task writes KEY=VALUE to "
			  "$DAG_OUTPUT",
			  ref->path[1]);
	}
	if (c->task == NULL)
		return 0;
	use = (struct load_use){c->task->id, producer->id, c->node, ref->offset[1]};
	return vec_push(&c->L->uses, use) != 0 ? load_nomem(c->L) : 0;
}

/* A use of outputs in a template that came from `defaults`. */
static void
check_inherited(const struct check *c, const struct jinja_ref *ref)
{
	const struct dag_task *producer;
	struct load_use use;

	if (ref->npath < 2 || strcmp(ref->path[0], "outputs") != 0)
		return;
	producer = map_get(&c->L->tasks, ref->path[1]);
	if (producer == NULL)
		return; /* said */
	use = (struct load_use){c->task->id, producer->id, c->node, ref->offset[1]};
	if (vec_push(&c->L->uses, use) != 0)
		(void)load_nomem(c->L);
}

static void
check_ref(void *ctx, const struct jinja_ref *ref)
{
	const struct check *c = ctx;
	const char *root = ref->path[0];

	if (c->L->nomem)
		return;
	if (c->inherited) {
		check_inherited(c, ref);
		return;
	}
	if (strcmp(root, "item") == 0 && !ref->guarded) {
		if (!c->for_each) {
			diag_add(c->L->d, DIAG_ERROR, part_pos(c, ref, 0),
				 "`item` exists only in tasks with `for_each`");
			diag_hint(c->L->d, "`for_each` is not built yet");
		}
		return;
	}
	for (size_t i = 0; render_roots[i] != NULL; i++) {
		if (strcmp(render_roots[i], root) != 0)
			continue;
		if (strcmp(root, "outputs") == 0)
			(void)check_outputs(c, ref); /* out of memory: L->nomem */
		else if (strcmp(root, "params") == 0 && ref->npath > 1 && !ref->guarded)
			check_param(c, ref);
		return;
	}
	if (!ref->guarded)
		unknown_root(c, ref);
}

int
load_check_refs(struct load *L, const struct yaml_node *n, const struct jinja *tpl,
		enum text_use use, const struct dag_task *t)
{
	struct check c = {.L = L, .node = n, .use = use, .task = t};

	c.for_each = t != NULL && (yaml_get(t->node, "for_each") != NULL ||
				   yaml_get(t->node, "matrix") != NULL);
	jinja_refs(tpl, check_ref, &c);
	return L->nomem ? -1 : 0;
}

int
load_check_inherited(struct load *L, const struct dag_text *text,
		     const struct dag_task *t)
{
	struct check c = {
	    .L = L, .node = text->node, .use = USE_TASK, .task = t, .inherited = true};

	jinja_refs(text->tpl, check_ref, &c);
	return L->nomem ? -1 : 0;
}

/* ---- outputs of tasks upstream ---- */

#define BATCH 64 /* producers that one pass through the graph looks for */

static int
by_producer(const void *a, const void *b)
{
	const struct load_use *x = a, *y = b;

	if (x->producer != y->producer)
		return x->producer < y->producer ? -1 : 1;
	return x->task < y->task ? -1 : x->task > y->task;
}

static void
not_upstream(struct load *L, const struct load_use *use)
{
	const char *producer = L->dag->tasks[use->producer].name,
		   *task = L->dag->tasks[use->task].name;
	struct diag_pos pos = load_pos_in(L, use->node, use->offset, strlen(producer));

	if (use->producer == use->task) {
		diag_add(L->d, DIAG_ERROR, pos, "task '%s' cannot use its own outputs",
			 task);
		return;
	}
	diag_add(L->d, DIAG_ERROR, pos, "'%s' does not come before task '%s'", producer,
		 task);
	diag_hint(L->d, "add it: needs: [%s]", producer);
}

/* The end of the tasks in the order that wait for each other, from i on: just the one where
 * there are no cycles. */
static size_t
component_end(const struct load *L, size_t i)
{
	const uint32_t *order = L->dag->order;
	size_t end = i + 1;

	while (L->component != NULL && end < L->dag->ntasks &&
	       L->component[order[end]] == L->component[order[i]])
		end++;
	return end;
}

/*
 * Hold the uses [from, to), which name at most BATCH producers, against the graph: one bit
 * for each producer is carried down from task to task in topological order.
 */
static void
check_batch(struct load *L, const struct load_use *from, const struct load_use *to,
	    uint64_t *own, uint64_t *upstream)
{
	const struct dag *g = L->dag;
	const struct load_use *u;
	uint32_t bit = 0;
	size_t i, j, k, end;

	memset(own, 0, g->ntasks * sizeof(*own));
	memset(upstream, 0, g->ntasks * sizeof(*upstream));
	for (u = from; u < to; u++) {
		if (u > from && u->producer != u[-1].producer)
			bit++;
		own[u->producer] = UINT64_C(1) << bit;
	}
	for (i = 0; i < g->ntasks; i = end) {
		uint64_t all = 0;

		end = component_end(L, i);
		for (j = i; j < end; j++) {
			const struct dag_task *t = &g->tasks[g->order[j]];

			for (k = 0; k < t->nup; k++)
				all |= own[t->up[k]] | upstream[t->up[k]];
		}
		for (j = i; j < end; j++)
			upstream[g->order[j]] = all;
	}
	for (u = from; u < to; u++)
		if (u->producer == u->task || (upstream[u->task] & own[u->producer]) == 0)
			not_upstream(L, u);
}

/* Drop the uses of direct upstreams, which are most. */
static void
drop_direct(struct load *L)
{
	size_t kept = 0;

	for (size_t i = 0; i < L->uses.n; i++) {
		const struct load_use *u = &L->uses.v[i];

		if (!dag_task_needs(&L->dag->tasks[u->task], u->producer))
			L->uses.v[kept++] = *u;
	}
	L->uses.n = kept;
}

/* Whose values may be used: what they were must be known when they are not run again. */
static void
mark_read(struct load *L)
{
	for (size_t i = 0; i < L->uses.n; i++)
		L->dag->tasks[L->uses.v[i].producer].read = true;
	for (size_t i = 0; L->any_read && i < L->dag->ntasks; i++)
		L->dag->tasks[i].read = true;
}

int
load_check_uses(struct load *L)
{
	const struct load_use *u, *from, *end;
	uint64_t *room;
	int producers = 1;

	mark_read(L);
	drop_direct(L);
	if (L->uses.n == 0)
		return 0;
	room = calloc(L->dag->ntasks, 2 * sizeof(*room));
	if (room == NULL)
		return load_nomem(L);
	qsort(L->uses.v, L->uses.n, sizeof(*L->uses.v), by_producer);
	from = L->uses.v;
	end = from + L->uses.n;
	for (u = from + 1; u < end; u++) {
		if (u->producer == u[-1].producer || ++producers <= BATCH)
			continue;
		check_batch(L, from, u, room, room + L->dag->ntasks);
		from = u;
		producers = 1;
	}
	check_batch(L, from, end, room, room + L->dag->ntasks);
	free(room);
	return 0;
}
