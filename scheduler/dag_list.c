/*
 * Keys of tasks whose values are lists: names of tasks and params, paths, causes of failure.
 */
#include <string.h>

#include "scheduler/dag_load.h"

int
load_task_params(struct load *L, struct dag_task *t, const struct key_spec *spec,
		 const struct yaml_pair *p)
{
	struct yaml_node *const *items;
	size_t n, i;

	items = load_items(L, spec, &p->val, &n);
	if (items == NULL)
		return 0;
	t->params = arena_array(L->arena, n, sizeof(*t->params));
	if (t->params == NULL)
		return load_nomem(L);
	for (i = 0; i < n; i++) {
		if (!load_check_name(L, "param", items[i]))
			continue;
		if (map_get(&L->params, items[i]->str) == NULL) {
			diag_add(L->d, DIAG_ERROR, load_pos(L, items[i]),
				 "there is no param '%s'", items[i]->str);
			load_did_you_mean(L, load_like_param(L, items[i]->str));
			continue;
		}
		t->params[t->nparams++] = items[i]->str;
	}
	return 0;
}

static int
need_one(struct load *L, const struct dag_task *t, const struct yaml_node *item)
{
	struct load_edge e = {.to = t->id, .kind = EDGE_NEEDS, .why = item};
	const struct dag_task *from;

	if (item->str == NULL || load_is_null(item)) {
		load_wrong_type(L, "needs", "names of tasks", item);
		return 0;
	}
	from = map_get(&L->tasks, item->str);
	if (from == NULL) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, item), "there is no task '%s'",
			 item->str);
		if (strpbrk(item->str, ", ") != NULL)
			diag_hint(L->d, "several tasks are a list: [a, b]");
		else
			load_did_you_mean(L, load_like_task(L, item->str));
		return 0;
	}
	if (from == t) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, item),
			 "task '%s' cannot need itself", t->name);
		return 0;
	}
	e.from = from->id;
	if (L->edges.n >= DAG_EDGES_MAX) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, item),
			 "there are more than %d edges", DAG_EDGES_MAX);
		return -1;
	}
	return vec_push(&L->edges, e) != 0 ? load_nomem(L) : 0;
}

#define FEW 16 /* names compared one by one */

/* Say which items stand twice in a list of names. */
static int
check_twice(struct load *L, struct yaml_node *const *items, size_t n)
{
	struct map seen = {0};
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct yaml_node *first = NULL;

		if (items[i]->str == NULL)
			continue;
		if (n <= FEW) {
			for (size_t j = 0; j < i && first == NULL; j++)
				if (items[j]->str != NULL &&
				    strcmp(items[j]->str, items[i]->str) == 0)
					first = items[j];
		} else {
			first = map_get(&seen, items[i]->str);
			if (first == NULL && map_put(&seen, items[i]->str, items[i]) < 0)
				rc = load_nomem(L);
		}
		if (first == NULL)
			continue;
		diag_add(L->d, DIAG_ERROR, load_pos(L, items[i]), "'%s' is named twice",
			 items[i]->str);
		diag_add(L->d, DIAG_NOTE, load_pos(L, first), "first named here");
	}
	map_release(&seen);
	return rc;
}

int
load_needs(struct load *L, struct dag_task *t, const struct key_spec *spec,
	   const struct yaml_pair *p)
{
	struct yaml_node *const *items;
	size_t n, i;

	items = load_items(L, spec, &p->val, &n);
	if (items == NULL)
		return 0;
	for (i = 0; i < n; i++)
		if (need_one(L, t, items[i]) != 0)
			return -1;
	return check_twice(L, items, n);
}

int
load_paths(struct load *L, struct dag_task *t, const struct key_spec *spec,
	   const struct yaml_pair *p, struct dag_text **out, size_t *nout)
{
	struct yaml_node *const *items;
	struct dag_text *v;
	size_t n, i, kept = 0;

	items = load_items(L, spec, &p->val, &n);
	if (items == NULL)
		return 0;
	if (n > DAG_PATHS_MAX) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, p->val),
			 "there are %zu `%s`; at most %d", n, spec->name, DAG_PATHS_MAX);
		diag_hint(L->d, "name the directory that holds them, or use a glob");
		return 0;
	}
	v = arena_array(L->arena, n, sizeof(*v));
	if (v == NULL)
		return load_nomem(L);
	for (i = 0; i < n; i++) {
		if (!load_is_scalar(items[i])) {
			load_wrong_type(L, spec->name, "paths", items[i]);
			continue;
		}
		if (load_template(L, items[i], USE_PATH, t, &v[kept++]) != 0)
			return -1;
	}
	*out = v;
	*nout = kept;
	return 0;
}

int
load_retry_on(struct load *L, struct dag_task *t, const struct key_spec *spec,
	      const struct yaml_pair *p)
{
	struct yaml_node *const *items;
	size_t n, i, cause;
	uint32_t causes = 0;

	items = load_items(L, spec, &p->val, &n);
	if (items == NULL)
		return 0;
	for (i = 0; i < n; i++)
		if (load_enum(L, spec, items[i], &cause))
			causes |= 1u << (CAUSE_EXIT + cause);
	t->retry_on = causes;
	return 0;
}
