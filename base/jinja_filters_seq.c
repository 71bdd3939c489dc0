/* Filters on sequences. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/jinja_run.h"

#include <stdlib.h>
#include <string.h>

/* What two strings are compared by where case does not count. */
static int
folded(struct jinja_run *run, bool case_sensitive, struct jinja_val v,
       struct jinja_val *out)
{
	*out = v;
	if (case_sensitive || v.kind != JINJA_STR)
		return 0;
	return jinja_case_str(run, v, JINJA_LOWER, out);
}

/* An element, or the part of it that attribute= names (argument ${i}); may be undefined. */
static int
part_of(struct jinja_run *run, const struct jinja_args *a, size_t i, struct jinja_val v,
	struct jinja_val *out)
{
	struct jinja_val index;

	if (!jinja_given(a, i) || a->v[i].kind == JINJA_NONE) {
		*out = v;
		return 0;
	}
	index = a->v[i];
	if (index.kind == JINJA_INT)
		return jinja_index(run, v, index, NULL, out);
	if (index.kind != JINJA_STR)
		return jinja_fail(run, "an attribute is a string or an integer, not %s",
				  jinja_kind_name(index));
	return jinja_path(run, v, index.s.p, out);
}

static int
need_part(struct jinja_run *run, const struct jinja_args *a, size_t i, struct jinja_val v,
	  struct jinja_val *out)
{
	return part_of(run, a, i, v, out) != 0 ? -1 : jinja_need(run, *out);
}

/* ---- one of them ---- */

static int
pick(struct jinja_run *run, const struct jinja_args *a, bool last, struct jinja_val *out)
{
	const struct jinja_list *l;

	if (jinja_iterate(run, a->self, &l) != 0)
		return -1;
	if (l->n == 0)
		return jinja_undefined_text(
		    run, out,
		    last ? "there is no last element: it is empty"
			 : "there is no first element: it is empty");
	*out = l->v[last ? l->n - 1 : 0];
	return 0;
}

static int
filter_first(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return pick(run, a, false, out);
}

static int
filter_last(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return pick(run, a, true, out);
}

/* max and min: the first of equals. */
static int
extreme(struct jinja_run *run, const struct jinja_args *a, bool max,
	struct jinja_val *out)
{
	struct jinja_val key, best = jinja_none();
	const struct jinja_list *l;
	bool case_sensitive, better;
	size_t i;

	if (jinja_iterate(run, a->self, &l) != 0 ||
	    jinja_arg_bool(run, a, 0, false, &case_sensitive) != 0)
		return -1;
	if (l->n == 0)
		return jinja_undefined_text(
		    run, out,
		    max ? "there is no greatest element: it is empty"
			: "there is no least element: it is empty");
	for (i = 0; i < l->n; i++) {
		if (need_part(run, a, 1, l->v[i], &key) != 0 ||
		    folded(run, case_sensitive, key, &key) != 0)
			return -1;
		better = i == 0;
		if (i != 0 && (max ? jinja_less(run, best, key, &better)
				   : jinja_less(run, key, best, &better)) != 0)
			return -1;
		if (better) {
			best = key;
			*out = l->v[i];
		}
	}
	return 0;
}

static int
filter_max(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return extreme(run, a, true, out);
}

static int
filter_min(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return extreme(run, a, false, out);
}

static int
filter_sum(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val acc = jinja_given(a, 1) ? a->v[1] : jinja_int(0), v;
	const struct jinja_list *l;
	size_t i;

	if (jinja_iterate(run, a->self, &l) != 0)
		return -1;
	for (i = 0; i < l->n; i++) {
		if (need_part(run, a, 0, l->v[i], &v) != 0)
			return -1;
		/* As Python's sum, which refuses to join texts. */
		if (acc.kind == JINJA_STR || v.kind == JINJA_STR)
			return jinja_fail(run, "texts have no sum; use 'join'");
		if (jinja_arith(run, JINJA_OP_ADD, acc, v, &acc) != 0)
			return -1;
	}
	*out = acc;
	return 0;
}

static int
filter_join(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	const struct jinja_list *from;
	struct jinja_val sep, v;
	struct jinja_list *l;
	size_t i;

	if (jinja_iterate(run, a->self, &from) != 0 || (l = jinja_make_list(run)) == NULL)
		return -1;
	sep = jinja_given(a, 0) ? a->v[0] : jinja_str("");
	if (jinja_to_str(run, sep, &sep) != 0)
		return -1;
	for (i = 0; i < from->n; i++)
		if (need_part(run, a, 1, from->v[i], &v) != 0 ||
		    jinja_push(run, l, v) != 0)
			return -1;
	return jinja_join(run, l, sep, out);
}

/* ---- in another order ---- */

static int
filter_reverse(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val bound[3] = {jinja_none(), jinja_none(), jinja_int(-1)};
	const struct jinja_list *l;
	struct jinja_val v = a->self;
	struct jinja_list *copy;

	if (v.kind == JINJA_STR)
		return jinja_slice(run, v, bound, out);
	if (jinja_iterate(run, v, &l) != 0 ||
	    jinja_slice(run,
			(struct jinja_val){.kind = JINJA_LIST,
					   .list = (struct jinja_list *)(uintptr_t)l},
			bound, out) != 0)
		return -1;
	copy = out->list;
	copy->flavour = JINJA_LIST_PLAIN;
	return 0;
}

/* The keys of sort(attribute="a,b"): one value, or a tuple of several. */
static int
sort_key(struct jinja_run *run, const struct jinja_args *a, bool case_sensitive,
	 struct jinja_val v, struct jinja_val *out)
{
	const char *p = a->v[2].kind == JINJA_STR ? a->v[2].s.p : "";
	struct jinja_list *l;
	char *path;
	size_t n;

	if (strchr(p, ',') == NULL)
		return need_part(run, a, 2, v, out) != 0
			   ? -1
			   : folded(run, case_sensitive, *out, out);
	if ((l = jinja_make_list(run)) == NULL)
		return -1;
	for (;; p += n + 1) {
		struct jinja_val key;

		n = strcspn(p, ",");
		path = arena_strndup(run->arena, p, n);
		if (path == NULL)
			return jinja_fail_nomem(run);
		if (jinja_path(run, v, path, &key) != 0 || jinja_need(run, key) != 0 ||
		    folded(run, case_sensitive, key, &key) != 0 ||
		    jinja_push(run, l, key) != 0)
			return -1;
		if (p[n] == '\0')
			break;
	}
	*out = jinja_list_val(l);
	return 0;
}

/* The elements of ${from} in the order of ${keys}. */
static int
in_order(struct jinja_run *run, const struct jinja_list *from,
	 const struct jinja_val *keys, bool reverse, struct jinja_val *out)
{
	size_t *order = arena_array(run->arena, from->n, sizeof(*order)), i;
	struct jinja_list *l = jinja_make_list(run);

	if (order == NULL || l == NULL)
		return jinja_fail_nomem(run);
	if (jinja_sort(run, keys, from->n, reverse, order) != 0)
		return -1;
	for (i = 0; i < from->n; i++)
		if (jinja_push(run, l, from->v[order[i]]) != 0)
			return -1;
	*out = jinja_list_val(l);
	return 0;
}

static int
filter_sort(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	const struct jinja_list *from;
	bool reverse, case_sensitive;
	struct jinja_val *keys;
	size_t i;

	if (jinja_iterate(run, a->self, &from) != 0 ||
	    jinja_arg_bool(run, a, 0, false, &reverse) != 0 ||
	    jinja_arg_bool(run, a, 1, false, &case_sensitive) != 0)
		return -1;
	keys = arena_array(run->arena, from->n, sizeof(*keys));
	if (keys == NULL)
		return jinja_fail_nomem(run);
	for (i = 0; i < from->n; i++)
		if (sort_key(run, a, case_sensitive, from->v[i], &keys[i]) != 0)
			return -1;
	return in_order(run, from, keys, reverse, out);
}

static int
filter_dictsort(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	const struct jinja_list *from;
	bool case_sensitive, reverse;
	struct jinja_val items, by, *keys;
	size_t i;

	if (jinja_arg_bool(run, a, 0, false, &case_sensitive) != 0 ||
	    jinja_arg_str(run, a, 1, "key", &by) != 0 ||
	    jinja_arg_bool(run, a, 2, false, &reverse) != 0)
		return -1;
	if (strcmp(by.s.p, "key") != 0 && strcmp(by.s.p, "value") != 0)
		return jinja_fail(run, "a mapping is sorted by 'key' or by 'value'");
	if (a->self.kind != JINJA_DICT && a->self.kind != JINJA_HOST)
		return jinja_fail(run, "only a mapping can be sorted by key, not %s",
				  jinja_kind_name(a->self));
	if (jinja_call_method(run, a->self, "items", &(struct jinja_actual){0}, &items) !=
	    0)
		return -1;
	from = items.list;
	keys = arena_array(run->arena, from->n, sizeof(*keys));
	if (keys == NULL)
		return jinja_fail_nomem(run);
	for (i = 0; i < from->n; i++)
		if (folded(run, case_sensitive,
			   from->v[i].list->v[by.s.p[0] == 'k' ? 0 : 1], &keys[i]) != 0)
			return -1;
	return in_order(run, from, keys, reverse, out);
}

/* Keys of dicts are found at once; other values are compared with all before them. */
static int
seen_before(struct jinja_run *run, struct jinja_dict *seen, struct jinja_list *others,
	    struct jinja_val key, bool *yes)
{
	size_t i;

	*yes = false;
	if (jinja_is_key(key)) {
		*yes = jinja_dict_find(seen, key) != NULL;
		if (jinja_cost_key(run, key) != 0)
			return -1;
		return *yes ? 0 : jinja_put_member(run, seen, key, jinja_none());
	}
	for (i = 0; i < others->n && !*yes; i++)
		if (jinja_equal(run, others->v[i], key, yes) != 0)
			return -1;
	return *yes ? 0 : jinja_push(run, others, key);
}

static int
filter_unique(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_dict *seen = jinja_make_dict(run);
	struct jinja_list *others = jinja_make_list(run), *l = jinja_make_list(run);
	const struct jinja_list *from;
	bool case_sensitive, yes;
	struct jinja_val key;
	size_t i;

	if (seen == NULL || others == NULL || l == NULL ||
	    jinja_iterate(run, a->self, &from) != 0 ||
	    jinja_arg_bool(run, a, 0, false, &case_sensitive) != 0)
		return -1;
	for (i = 0; i < from->n; i++) {
		if (need_part(run, a, 1, from->v[i], &key) != 0 ||
		    folded(run, case_sensitive, key, &key) != 0 ||
		    seen_before(run, seen, others, key, &yes) != 0 ||
		    (!yes && jinja_push(run, l, from->v[i]) != 0))
			return -1;
	}
	*out = jinja_list_val(l);
	return 0;
}

static int
filter_batch(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_list *l = jinja_make_list(run), *row = NULL;
	const struct jinja_list *from;
	int64_t size;
	size_t i;

	if (l == NULL || jinja_iterate(run, a->self, &from) != 0 ||
	    jinja_arg_int(run, a, 0, 1, &size) != 0)
		return -1;
	if (size < 1)
		return jinja_fail(run, "a batch has at least one element");
	for (i = 0; i < from->n; i++) {
		if (row != NULL && row->n == (size_t)size) {
			if (jinja_push(run, l, jinja_list_val(row)) != 0)
				return -1;
			row = NULL;
		}
		if ((row == NULL && (row = jinja_make_list(run)) == NULL) ||
		    jinja_push(run, row, from->v[i]) != 0)
			return -1;
	}
	while (row != NULL && jinja_given(a, 1) && a->v[1].kind != JINJA_NONE &&
	       row->n < (size_t)size)
		if (jinja_push(run, row, a->v[1]) != 0)
			return -1;
	if (row != NULL && jinja_push(run, l, jinja_list_val(row)) != 0)
		return -1;
	*out = jinja_list_val(l);
	return 0;
}

/* ---- with a filter or a test ---- */

/* A filter or test by a name known only now. */
static const struct jinja_fn *
by_name(struct jinja_run *run, struct jinja_val name, bool filter)
{
	const struct jinja_fn *fn = NULL;
	char hint[128];

	if (name.kind == JINJA_STR)
		fn = filter ? jinja_find_filter(name.s.p) : jinja_find_test(name.s.p);
	if (fn != NULL && (fn->flags & JINJA_FN_EMIT) == 0)
		return fn;
	if (name.kind != JINJA_STR) {
		(void)jinja_fail(run, "a %s is named by a string, not by %s",
				 filter ? "filter" : "test", jinja_kind_name(name));
	} else if (fn != NULL) {
		(void)jinja_fail(run,
				 "the filter '%s' works only as the last one of a {{ }}",
				 name.s.p);
	} else {
		(filter ? jinja_hint_filter : jinja_hint_test)(name.s.p, hint,
							       sizeof(hint));
		(void)jinja_fail(run, "unknown %s '%.100s'%s%s",
				 filter ? "filter" : "test", name.s.p,
				 hint[0] != '\0' ? "; " : "", hint);
	}
	return NULL;
}

/* map(attribute="a", default=x): keywords only. */
static int
map_attribute(struct jinja_run *run, const struct jinja_args *a, struct jinja_val v,
	      struct jinja_val *out)
{
	const struct jinja_val *dflt = NULL;
	struct jinja_args path = {0};
	size_t i;

	for (i = 0; i < a->nkw; i++) {
		if (strcmp(a->kw[i].name, "attribute") == 0)
			path.v[0] = a->kw[i].val;
		else if (strcmp(a->kw[i].name, "default") == 0)
			dflt = &a->kw[i].val;
		else
			return jinja_fail(run, "the filter 'map' has no argument '%s'",
					  a->kw[i].name);
	}
	if (!jinja_given(&path, 0))
		return jinja_fail(run,
				  "the filter 'map' needs a filter's name or attribute=");
	if (part_of(run, &path, 0, v, out) != 0)
		return -1;
	if (out->kind == JINJA_UNDEFINED && dflt != NULL)
		*out = *dflt;
	return jinja_need(run, *out);
}

static int
filter_map(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_actual rest = {.kw = a->kw, .nkw = a->nkw};
	struct jinja_list *l = jinja_make_list(run);
	const struct jinja_list *from;
	const struct jinja_fn *fn = NULL;
	struct jinja_val v;
	size_t i;

	if (l == NULL || jinja_iterate(run, a->self, &from) != 0)
		return -1;
	if (a->nrest != 0) {
		fn = by_name(run, a->rest[0], true);
		if (fn == NULL)
			return -1;
		rest.pos = a->rest + 1;
		rest.npos = a->nrest - 1;
	}
	for (i = 0; i < from->n; i++) {
		if (fn == NULL
			? map_attribute(run, a, from->v[i], &v) != 0
			: jinja_apply(run, fn, "filter", from->v[i], &rest, &v) != 0)
			return -1;
		if (jinja_need(run, v) != 0 || jinja_push(run, l, v) != 0)
			return -1;
	}
	*out = jinja_list_val(l);
	return 0;
}

/* select, reject, selectattr, rejectattr: keep what the test (without one: truth) says. */
static int
choose(struct jinja_run *run, const struct jinja_args *a, bool attr, bool keep,
       struct jinja_val *out)
{
	size_t skip = attr ? 1 : 0, i;
	struct jinja_actual rest = {.kw = a->kw, .nkw = a->nkw};
	struct jinja_args path = {0};
	struct jinja_list *l = jinja_make_list(run);
	const struct jinja_list *from;
	const struct jinja_fn *fn = NULL;
	struct jinja_val v;

	if (l == NULL || jinja_iterate(run, a->self, &from) != 0)
		return -1;
	if (attr && a->nrest == 0)
		return jinja_fail(run, "the name of an attribute is missing");
	if (attr)
		path.v[0] = a->rest[0];
	if (a->nrest > skip) {
		fn = by_name(run, a->rest[skip], false);
		if (fn == NULL)
			return -1;
		rest.pos = a->rest + skip + 1;
		rest.npos = a->nrest - skip - 1;
	}
	for (i = 0; i < from->n; i++) {
		if (part_of(run, &path, 0, from->v[i], &v) != 0)
			return -1;
		if ((fn == NULL || (fn->flags & JINJA_FN_UNDEFINED) == 0) &&
		    jinja_need(run, v) != 0)
			return -1;
		if (fn != NULL && jinja_apply(run, fn, "test", v, &rest, &v) != 0)
			return -1;
		if (jinja_truth(v) == keep && jinja_push(run, l, from->v[i]) != 0)
			return -1;
	}
	*out = jinja_list_val(l);
	return 0;
}

static int
filter_select(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return choose(run, a, false, true, out);
}

static int
filter_reject(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return choose(run, a, false, false, out);
}

static int
filter_selectattr(struct jinja_run *run, const struct jinja_args *a,
		  struct jinja_val *out)
{
	return choose(run, a, true, true, out);
}

static int
filter_rejectattr(struct jinja_run *run, const struct jinja_args *a,
		  struct jinja_val *out)
{
	return choose(run, a, true, false, out);
}

#define ANY (JINJA_FN_REST | JINJA_FN_KEYWORDS)

const struct jinja_fn jinja_filters_seq[] = {
    {"batch", filter_batch, "linecount fill_with", 1, 0},
    {"dictsort", filter_dictsort, "case_sensitive by reverse", 0, 0},
    {"first", filter_first, "", 0, 0},
    {"join", filter_join, "d attribute", 0, 0},
    {"last", filter_last, "", 0, 0},
    {"map", filter_map, "", 0, ANY | JINJA_FN_FILTER0},
    {"max", filter_max, "case_sensitive attribute", 0, 0},
    {"min", filter_min, "case_sensitive attribute", 0, 0},
    {"reject", filter_reject, "", 0, ANY | JINJA_FN_TEST0},
    {"rejectattr", filter_rejectattr, "", 0, ANY | JINJA_FN_TEST1},
    {"reverse", filter_reverse, "", 0, 0},
    {"select", filter_select, "", 0, ANY | JINJA_FN_TEST0},
    {"selectattr", filter_selectattr, "", 0, ANY | JINJA_FN_TEST1},
    {"sort", filter_sort, "reverse case_sensitive attribute", 0, 0},
    {"sum", filter_sum, "attribute start", 0, 0},
    {"unique", filter_unique, "case_sensitive attribute", 0, 0},
    {NULL, NULL, NULL, 0, 0},
};
