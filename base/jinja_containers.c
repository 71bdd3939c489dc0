/* Methods of lists and mappings. */
#include "base/arena.h"
#include "base/jinja_run.h"

#include <stdlib.h>
#include <string.h>

static int
list_index(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	const struct jinja_list *l = a->self.list;
	bool yes;
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (jinja_equal(run, l->v[i], a->v[0], &yes) != 0)
			return -1;
		if (yes) {
			*out = jinja_int((int64_t)i);
			return 0;
		}
	}
	return jinja_fail(run, "the value is not in the list");
}

static int
list_count(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	const struct jinja_list *l = a->self.list;
	int64_t n = 0;
	bool yes;
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (jinja_equal(run, l->v[i], a->v[0], &yes) != 0)
			return -1;
		n += yes;
	}
	*out = jinja_int(n);
	return 0;
}

/* Nothing changes in place, so a copy is the value itself. */
static int
copy_self(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	*out = a->self;
	return 0;
}

const struct jinja_fn jinja_list_methods[] = {
    {"copy", copy_self, "", 0, 0},
    {"count", list_count, "value", 1, 0},
    {"index", list_index, "value", 1, 0},
    {NULL, NULL, NULL, 0, 0},
};

/* ---- mappings ---- */

static int
dict_get(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	if (!jinja_is_key(a->v[0]))
		return jinja_fail(run, "%s cannot be the key of a mapping",
				  jinja_kind_name(a->v[0]));
	if (a->self.kind == JINJA_HOST && a->v[0].kind != JINJA_STR)
		*out = jinja_undefined("");
	else if (jinja_index(run, a->self, a->v[0], NULL, out) != 0)
		return -1;
	if (out->kind == JINJA_UNDEFINED)
		*out = jinja_given(a, 1) ? a->v[1] : jinja_none();
	return 0;
}

enum part { KEYS, VALUES, PAIRS };

static int
push_part(struct jinja_run *run, struct jinja_list *l, enum part part,
	  struct jinja_val key, struct jinja_val v)
{
	struct jinja_list *pair;

	if (part == KEYS)
		return jinja_push(run, l, key);
	if (part == VALUES)
		return jinja_push(run, l, v);
	pair = jinja_make_list(run);
	if (pair == NULL || jinja_push(run, pair, key) != 0 ||
	    jinja_push(run, pair, v) != 0)
		return -1;
	pair->flavour = JINJA_LIST_TUPLE;
	return jinja_push(run, l, jinja_list_val(pair));
}

static int
parts(struct jinja_run *run, const struct jinja_args *a, enum part part,
      struct jinja_val *out)
{
	static const enum jinja_flavour flavours[] = {
	    [KEYS] = JINJA_LIST_KEYS,
	    [VALUES] = JINJA_LIST_VALUES,
	    [PAIRS] = JINJA_LIST_PAIRS,
	};
	struct jinja_list *l = jinja_make_list(run);
	const struct jinja_list *keys;
	struct jinja_val v = jinja_none();
	size_t i;

	if (l == NULL || jinja_iterate(run, a->self, &keys) != 0)
		return -1;
	l->flavour = flavours[part];
	for (i = 0; i < keys->n; i++) {
		if (part != KEYS &&
		    (jinja_index(run, a->self, keys->v[i], NULL, &v) != 0))
			return -1;
		/* A member that the host names but does not have now is left out. */
		if (v.kind == JINJA_UNDEFINED)
			continue;
		if (push_part(run, l, part, keys->v[i], v) != 0)
			return -1;
	}
	*out = jinja_list_val(l);
	return 0;
}

static int
dict_keys(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return parts(run, a, KEYS, out);
}

static int
dict_values(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return parts(run, a, VALUES, out);
}

static int
dict_items(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return parts(run, a, PAIRS, out);
}

const struct jinja_fn jinja_dict_methods[] = {
    {"copy", copy_self, "", 0, 0},     {"get", dict_get, "key default", 1, 0},
    {"items", dict_items, "", 0, 0},   {"keys", dict_keys, "", 0, 0},
    {"values", dict_values, "", 0, 0}, {NULL, NULL, NULL, 0, 0},
};
