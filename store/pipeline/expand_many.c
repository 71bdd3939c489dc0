/* Stages of foreach and of matrix. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "store/dvc/dvc_read.h"
#include "store/pipeline/expand_internal.h"
#include "store/pipeline/value.h"

/* What one stage is made for. */
struct item {
	const char *name; /* what stands behind the "@" */
	struct variable *value, *key;
};

struct items {
	struct item *v;
	size_t n;
	struct map names; /* name -> number + 1 in v */
};

static int
nomem(struct expansion *e)
{
	e->x.r->nomem = true;
	return -1;
}

/* Equal names are one stage, in the place of the first, for the last. */
static int
add_item(struct expansion *e, struct items *list, const char *name,
	 struct variable *value, struct variable *key)
{
	uintptr_t was = (uintptr_t)map_get(&list->names, name);
	struct item it = {.name = name, .value = value, .key = key};

	if (was != 0) {
		list->v[was - 1] = it;
		return 0;
	}
	list->v[list->n++] = it;
	return map_put(&list->names, name, (void *)(uintptr_t)list->n) < 0 ? nomem(e) : 0;
}

static bool
is_collection(struct yaml_node *v)
{
	return v->kind == YAML_MAP || v->kind == YAML_SEQ;
}

/* A scalar as it is spelt in a name. */
static const char *
spell(struct expansion *e, struct yaml_node *v)
{
	const char *text = NULL;
	struct buf b;

	buf_init(&b, 0);
	value_put_text(v, &b);
	if (!buf_failed(&b))
		text = arena_strndup(e->x.r->a, b.p, b.n);
	buf_release(&b);
	if (text == NULL)
		e->x.r->nomem = true;
	return text;
}

static struct variable *
text_variable(struct expansion *e, const char *text, struct yaml_node *at)
{
	struct yaml_node *n = value_str(e->x.r->a, text, strlen(text), at);
	struct variable *v = n != NULL ? variable_of(e->x.c, n) : NULL;

	if (v == NULL)
		e->x.r->nomem = true;
	return v;
}

/* The variable that ${node} stands for: one ${...}, or what is written there. */
static int
take(struct expansion *e, struct yaml_node *node, struct variable **out)
{
	struct yaml_node *plain;
	int rc = interpolate_whole(&e->x, node, out);

	if (rc != 2)
		return rc;
	rc = interpolate(&e->x, node, NULL, &plain);
	if (rc != 0)
		return rc;
	*out = variable_of(e->x.c, plain);
	return *out != NULL ? 0 : -1;
}

/* Make a stage for each of them. */
static int
make_stages(struct expansion *e, const struct yaml_pair *p, struct yaml_node *def,
	    const struct items *list)
{
	int rc = 0;

	for (size_t i = 0; i < list->n && rc == 0; i++) {
		const char *name =
		    arena_printf(e->x.r->a, "%s@%s", p->key->str, list->v[i].name);

		if (name == NULL)
			return nomem(e);
		context_item(e->x.c, list->v[i].value, list->v[i].key);
		rc = expand_stage(e, p->key, name, def);
	}
	context_item(e->x.c, NULL, NULL);
	return rc;
}

/* ---- foreach ---- */

/* The members of a mapping that is written in place, whose keys may be anything. */
static int
written_members(struct expansion *e, struct yaml_node *map, struct items *list)
{
	int rc = 0;

	for (size_t i = 0; i < map->map.n && rc == 0; i++) {
		struct variable *value = variable_of(e->x.c, map->map.v[i].val);
		const char *name = spell(e, map->map.v[i].key);
		struct variable *key =
		    name != NULL ? text_variable(e, name, map->map.v[i].key) : NULL;

		rc = value != NULL && key != NULL ? add_item(e, list, name, value, key)
						  : nomem(e);
	}
	return rc;
}

static int
collect_items(struct expansion *e, struct variable *data, bool written,
	      struct items *list)
{
	struct yaml_node *v = variable_value(e->x.c, data);
	bool by_index = false;
	size_t n;
	int rc = 0;

	if (v == NULL || (n = variable_count(e->x.c, data)) == SIZE_MAX)
		return nomem(e);
	list->v = calloc((v->kind == YAML_MAP ? v->map.n : n) + 1, sizeof *list->v);
	if (list->v == NULL)
		return nomem(e);
	if (v->kind == YAML_MAP && written)
		return written_members(e, v, list);
	for (size_t i = 0; v->kind == YAML_SEQ && i < n; i++)
		by_index = by_index || is_collection(v->seq.v[i]);
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct variable *at = variable_at(data, i), *key = NULL;
		const char *name = variable_key(data, i);

		if (name != NULL)
			key = text_variable(e, name, v);
		else if (by_index)
			name = arena_printf(e->x.r->a, "%zu", i);
		else
			name = spell(e, v->seq.v[i]);
		rc = name != NULL && !e->x.r->nomem ? add_item(e, list, name, at, key)
						    : nomem(e);
	}
	return rc;
}

int
expand_foreach(struct expansion *e, const struct yaml_pair *p)
{
	struct yaml_node *over = yaml_get(p->val, "foreach"), *def, *v;
	struct variable *data;
	struct items list = {0};
	bool written;
	int rc = 0;

	def = yaml_get(p->val, "do");
	if (def == NULL || def->kind != YAML_MAP) {
		dvc_read_say(e->x.r, p->key, "foreach needs a stage under 'do'");
		return 1;
	}
	written = is_collection(over);
	if (interpolate_check(&e->x, over) != 0 || interpolate_check(&e->x, def) != 0)
		return 1;
	if ((rc = take(e, over, &data)) != 0)
		return rc;
	v = variable_value(e->x.c, data);
	if (v == NULL)
		return nomem(e);
	if (!is_collection(v)) {
		dvc_read_say(e->x.r, over, "foreach needs a list or a mapping, not %s",
			     yaml_kind_name(v->kind));
		return 1;
	}
	rc = collect_items(e, data, written, &list);
	if (rc == 0)
		rc = make_stages(e, p, def, &list);
	map_release(&list.names);
	free(list.v);
	return rc;
}

/* ---- matrix ---- */

struct axis {
	const char *name;
	struct yaml_node *key;
	struct yaml_node *values; /* a list */
	size_t n;
};

/* A mapping stands for the list of its keys. */
static int
take_keys(struct expansion *e, struct axis *a)
{
	struct yaml_node *keys = value_list(e->x.r->a, a->values->map.n, a->key);

	if (keys == NULL)
		return nomem(e);
	keys->seq.n = 0;
	for (size_t i = 0; i < a->values->map.n; i++)
		if (a->values->map.v[i].key->kind == YAML_STR)
			keys->seq.v[keys->seq.n++] = a->values->map.v[i].key;
	a->values = keys;
	return 0;
}

static int
take_axis(struct expansion *e, struct yaml_node *key, struct variable *list,
	  struct yaml_node *at, struct axis *a)
{
	int rc;

	a->name = key->str;
	a->key = key;
	a->values = variable_value(e->x.c, list);
	if (a->values == NULL)
		return nomem(e);
	if (a->values->kind == YAML_MAP && (rc = take_keys(e, a)) != 0)
		return rc;
	if (a->values->kind != YAML_SEQ) {
		dvc_read_say(e->x.r, at, "'%.100s' of a matrix must be a list, not %s",
			     a->name, yaml_kind_name(a->values->kind));
		return 1;
	}
	a->n = a->values->seq.n;
	return 0;
}

/* The axes of a matrix that is written in place. */
static int
written_axes(struct expansion *e, struct yaml_node *map, struct axis *axes)
{
	struct variable *list;
	int rc = 0;

	for (size_t i = 0; i < map->map.n && rc == 0; i++) {
		rc = take(e, map->map.v[i].val, &list);
		if (rc == 0)
			rc = take_axis(e, map->map.v[i].key, list, map->map.v[i].val,
				       &axes[i]);
	}
	return rc;
}

/* Those of a matrix that is a variable. */
static int
variable_axes(struct expansion *e, struct yaml_node *at, struct variable *data, size_t n,
	      struct axis *axes)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		const char *name = variable_key(data, i);
		struct yaml_node *key = value_str(e->x.r->a, name, strlen(name), at);

		rc = key != NULL ? take_axis(e, key, variable_at(data, i), at, &axes[i])
				 : nomem(e);
	}
	return rc;
}

static int
take_axes(struct expansion *e, struct yaml_node *matrix, struct axis **out, size_t *n)
{
	struct yaml_node *map = matrix;
	struct variable *data = NULL;
	int rc = 0;

	if (matrix->kind == YAML_STR) {
		if ((rc = take(e, matrix, &data)) != 0)
			return rc;
		map = variable_value(e->x.c, data);
		if (map == NULL)
			return nomem(e);
	}
	*n = map->kind != YAML_MAP ? 0
	     : data != NULL	   ? variable_count(e->x.c, data)
				   : map->map.n;
	if (*n == 0) {
		dvc_read_say(e->x.r, matrix, "matrix needs a mapping of names to lists");
		return 1;
	}
	*out = *n != SIZE_MAX ? arena_array(e->x.r->a, *n, sizeof **out) : NULL;
	if (*out == NULL)
		return nomem(e);
	return data != NULL ? variable_axes(e, matrix, data, *n, *out)
			    : written_axes(e, map, *out);
}

/* The stage for one combination: at[k] is the place on axis k. */
static int
add_combination(struct expansion *e, const struct axis *axes, size_t n, const size_t *at,
		struct items *list)
{
	struct yaml_node *item = value_map(e->x.r->a, n, axes[0].key);
	struct variable *value, *key;
	const char *name;
	struct buf b;
	int rc = 0;

	if (item == NULL)
		return nomem(e);
	buf_init(&b, 0);
	for (size_t k = 0; k < n; k++) {
		struct yaml_node *v = axes[k].values->seq.v[at[k]];

		item->map.v[k].key = axes[k].key;
		item->map.v[k].val = v;
		if (k != 0)
			buf_addc(&b, '-');
		if (is_collection(v))
			buf_addf(&b, "%s%zu", axes[k].name, at[k]);
		else
			value_put_text(v, &b);
	}
	name = buf_failed(&b) ? NULL : arena_strndup(e->x.r->a, b.p, b.n);
	value = variable_of(e->x.c, item);
	key = name != NULL ? text_variable(e, name, axes[0].key) : NULL;
	rc =
	    value != NULL && key != NULL ? add_item(e, list, name, value, key) : nomem(e);
	buf_release(&b);
	return rc;
}

/* The last axis goes fastest. */
static int
combine(struct expansion *e, const struct axis *axes, size_t n, struct items *list)
{
	size_t *at = arena_array(e->x.r->a, n, sizeof *at), k;
	int rc = at != NULL ? 0 : nomem(e);

	while (rc == 0) {
		rc = add_combination(e, axes, n, at, list);
		for (k = n; k-- > 0;) {
			if (++at[k] < axes[k].n)
				break;
			at[k] = 0;
			if (k == 0)
				return rc;
		}
	}
	return rc;
}

int
expand_matrix(struct expansion *e, const struct yaml_pair *p)
{
	struct axis *axes = NULL;
	struct items list = {0};
	size_t n = 0, total = 1;
	int rc = take_axes(e, yaml_get(p->val, "matrix"), &axes, &n);

	if (rc != 0)
		return rc;
	for (size_t k = 0; k < n; k++) {
		if (axes[k].n != 0 && total > PIPELINE_STAGES_MAX / axes[k].n) {
			dvc_read_say(e->x.r, p->key,
				     "this matrix has more than 100,000 stages");
			return 1;
		}
		total *= axes[k].n;
	}
	list.v = calloc(total + 1, sizeof *list.v);
	if (list.v == NULL)
		return nomem(e);
	if (total != 0)
		rc = combine(e, axes, n, &list);
	if (rc == 0)
		rc = make_stages(e, p, p->val, &list);
	map_release(&list.names);
	free(list.v);
	return rc;
}
