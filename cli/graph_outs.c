#include "cli/graph_outs.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/path.h"
#include "base/vec.h"
#include "scheduler/dag.h"

struct outs {
	const struct dag *g;
	const bool *selected;
	struct arena *a;
	struct dag *out;
	uint32_t *first; /* by task: the id of its first output */
};

static bool
reads(const struct dag_task *t, const char *path)
{
	for (size_t i = 0; i < t->ninputs; i++)
		if (path_has_glob(t->inputs[i].src)
			? path_glob_overlap(t->inputs[i].src, path)
			: path_overlap(t->inputs[i].src, path))
			return true;
	return false;
}

/* What the task reads of what those before it make: the same for each of its outputs. */
static int
find_up(struct outs *o, const struct dag_task *t, uint32_t **up, size_t *nup)
{
	size_t room = 1;

	for (size_t i = 0; i < t->nup; i++)
		room += o->g->tasks[t->up[i]].noutputs;
	*up = arena_array(o->a, room, sizeof(**up));
	*nup = 0;
	if (*up == NULL)
		return -1;
	for (size_t i = 0; i < t->nup; i++) {
		const struct dag_task *u = &o->g->tasks[t->up[i]];

		for (size_t k = 0; o->selected[u->id] && k < u->noutputs; k++)
			if (reads(t, u->outputs[k].src))
				(*up)[(*nup)++] = o->first[u->id] + (uint32_t)k;
	}
	return 0;
}

static int
add_task(struct outs *o, const struct dag_task *t)
{
	struct dag *out = o->out;
	uint32_t *up, level = 0;
	size_t nup;

	o->first[t->id] = (uint32_t)out->ntasks;
	if (find_up(o, t, &up, &nup) != 0)
		return -1;
	for (size_t i = 0; i < nup; i++)
		if (out->tasks[up[i]].level + 1 > level)
			level = out->tasks[up[i]].level + 1;
	for (size_t i = 0; i < t->noutputs; i++) {
		struct dag_task *n = &out->tasks[out->ntasks];

		*n = dag_usual;
		n->id = (uint32_t)out->ntasks;
		n->name = t->outputs[i].src;
		n->type = t->type;
		n->up = up;
		n->nup = nup;
		n->level = level;
		out->order[out->ntasks++] = n->id;
	}
	if (t->noutputs > 0 && level + 1 > out->levels)
		out->levels = level + 1;
	return 0;
}

int
graph_outs(const struct dag *g, const bool *selected, struct arena *a, struct dag *out,
	   struct err *err)
{
	struct outs o = {.g = g, .selected = selected, .a = a, .out = out};
	size_t n = 0;

	for (size_t i = 0; i < g->ntasks; i++)
		n += selected[i] ? g->tasks[i].noutputs : 0;
	*out = (struct dag){.name = g->name, .file = g->file};
	out->tasks = arena_array(a, n + 1, sizeof(*out->tasks));
	out->order = arena_array(a, n + 1, sizeof(*out->order));
	o.first = arena_array(a, g->ntasks + 1, sizeof(*o.first));
	if (out->tasks == NULL || out->order == NULL || o.first == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < g->ntasks; i++)
		if (selected[g->order[i]] && add_task(&o, &g->tasks[g->order[i]]) != 0)
			return err_nomem(err);
	return 0;
}
