/* Truth, equality, order, membership. */
#include "base/arena.h"
#include "base/jinja_run.h"

#include <string.h>

bool
jinja_truth(struct jinja_val v)
{
	switch (v.kind) {
	case JINJA_UNDEFINED:
	case JINJA_NONE:
		return false;
	case JINJA_BOOL:
		return v.b;
	case JINJA_INT:
		return v.i != 0;
	case JINJA_FLOAT:
		return v.f != 0;
	case JINJA_STR:
		return v.s.n != 0;
	case JINJA_LIST:
		return v.list->n != 0;
	case JINJA_DICT:
		return v.dict->is_namespace || v.dict->n != 0;
	case JINJA_TIME:
		return true;
	case JINJA_HOST:
		return v.host->name == NULL || v.host->name(v.host->ctx, 0) != NULL;
	}
	return false;
}

static int
equal_lists(struct jinja_run *run, const struct jinja_list *a, const struct jinja_list *b,
	    bool *yes)
{
	size_t i;

	*yes = a->flavour == b->flavour && a->n == b->n;
	for (i = 0; i < a->n && *yes; i++)
		if (jinja_equal(run, a->v[i], b->v[i], yes) != 0)
			return -1;
	return 0;
}

static int
equal_dicts(struct jinja_run *run, const struct jinja_dict *a, const struct jinja_dict *b,
	    bool *yes)
{
	const struct jinja_val *other;
	size_t i;

	*yes = a == b;
	if (a == b || a->is_namespace || b->is_namespace || a->n != b->n)
		return 0;
	*yes = true;
	for (i = 1; i <= a->n && *yes; i++) {
		other = jinja_dict_find(b, a->v[i].key);
		*yes = other != NULL;
		if (other != NULL && jinja_equal(run, a->v[i].val, *other, yes) != 0)
			return -1;
	}
	return 0;
}

/* Lists and dicts are at most JINJA_DEPTH_MAX deep, which bounds the recursion. */
int
jinja_equal(struct jinja_run *run, struct jinja_val a, struct jinja_val b, bool *yes)
{
	*yes = false;
	if (jinja_step(run, 1) != 0)
		return -1;
	if (jinja_is_num(a) && jinja_is_num(b)) {
		*yes = jinja_num_cmp(a, b) == 0;
		return 0;
	}
	if (a.kind == JINJA_HOST && b.kind == JINJA_HOST && a.host == b.host) {
		*yes = true;
		return 0;
	}
	if (a.kind == JINJA_HOST || b.kind == JINJA_HOST) {
		if ((a.kind != JINJA_HOST && a.kind != JINJA_DICT) ||
		    (b.kind != JINJA_HOST && b.kind != JINJA_DICT))
			return 0;
		if (jinja_settle(run, a, &a) != 0 || jinja_settle(run, b, &b) != 0)
			return -1;
	}
	if (a.kind != b.kind)
		return 0;
	if (a.kind == JINJA_STR) {
		if (a.s.n != b.s.n)
			return 0;
		*yes = memcmp(a.s.p, b.s.p, a.s.n) == 0;
		return jinja_cost(run, a.s.n);
	}
	if (a.kind == JINJA_LIST)
		return equal_lists(run, a.list, b.list, yes);
	if (a.kind == JINJA_DICT)
		return equal_dicts(run, a.dict, b.dict, yes);
	*yes = a.kind == JINJA_NONE || (a.kind == JINJA_TIME && a.i == b.i);
	return 0;
}

static int
less_lists(struct jinja_run *run, const struct jinja_list *a, const struct jinja_list *b,
	   bool *yes)
{
	size_t i;
	bool same;

	for (i = 0; i < a->n && i < b->n; i++) {
		if (jinja_equal(run, a->v[i], b->v[i], &same) != 0)
			return -1;
		if (!same)
			return jinja_less(run, a->v[i], b->v[i], yes);
	}
	*yes = a->n < b->n;
	return 0;
}

int
jinja_less(struct jinja_run *run, struct jinja_val a, struct jinja_val b, bool *yes)
{
	if (jinja_step(run, 1) != 0)
		return -1;
	*yes = false;
	if (jinja_is_num(a) && jinja_is_num(b)) {
		*yes = jinja_num_cmp(a, b) == -1;
		return 0;
	}
	if (a.kind == JINJA_STR && b.kind == JINJA_STR) {
		/* The order of UTF-8 bytes is that of the characters. */
		*yes = jinja_key_cmp(a, b) < 0;
		return jinja_cost(run, a.s.n < b.s.n ? a.s.n : b.s.n);
	}
	if (a.kind == JINJA_TIME && b.kind == JINJA_TIME) {
		*yes = a.i < b.i;
		return 0;
	}
	if (a.kind == JINJA_LIST && b.kind == JINJA_LIST &&
	    a.list->flavour == b.list->flavour && a.list->flavour <= JINJA_LIST_TUPLE)
		return less_lists(run, a.list, b.list, yes);
	return jinja_fail(run, "%s and %s have no order", jinja_kind_name(a),
			  jinja_kind_name(b));
}

/* Neither the order of floats nor that of NaN allows to write a <= b as not b < a. */
static int
less_or_equal(struct jinja_run *run, struct jinja_val a, struct jinja_val b, bool *yes)
{
	int c;

	if (jinja_is_num(a) && jinja_is_num(b)) {
		c = jinja_num_cmp(a, b);
		*yes = c == -1 || c == 0;
		return 0;
	}
	if (jinja_less(run, b, a, yes) != 0)
		return -1;
	*yes = !*yes;
	return 0;
}

int
jinja_contains(struct jinja_run *run, struct jinja_val in, struct jinja_val v, bool *yes)
{
	const struct jinja_list *l;
	struct jinja_val member;
	struct err err;
	size_t i;

	*yes = false;
	if (in.kind == JINJA_STR) {
		if (v.kind != JINJA_STR)
			return jinja_fail(run, "only a string can be in a string, not %s",
					  jinja_kind_name(v));
		*yes = memmem(in.s.p, in.s.n, v.s.p, v.s.n) != NULL;
		return jinja_cost(run, in.s.n);
	}
	if (in.kind == JINJA_DICT && !in.dict->is_namespace) {
		if (!jinja_is_key(v))
			return jinja_fail(run, "%s cannot be the key of a mapping",
					  jinja_kind_name(v));
		*yes = jinja_dict_find(in.dict, v) != NULL;
		return jinja_cost_key(run, v);
	}
	if (in.kind == JINJA_HOST && v.kind == JINJA_STR && jinja_loop_of(in) == NULL) {
		err_clear(&err);
		i = 0;
		switch (in.host->get(in.host->ctx, run->arena, v.s.p, &member, &err)) {
		case 0:
			return 0;
		case 1:
			*yes = member.kind != JINJA_UNDEFINED;
			return 0;
		default:
			*run->err = err;
			return jinja_fail_as_is(run);
		}
	}
	if (in.kind != JINJA_LIST)
		return jinja_fail(run, "nothing can be in %s", jinja_kind_name(in));
	l = in.list;
	for (i = 0; i < l->n && !*yes; i++)
		if (jinja_equal(run, l->v[i], v, yes) != 0)
			return -1;
	return 0;
}

int
jinja_compare(struct jinja_run *run, enum jinja_op op, struct jinja_val a,
	      struct jinja_val b, bool *yes)
{
	int rc;

	switch ((int)op) {
	case JINJA_OP_EQ:
		return jinja_equal(run, a, b, yes);
	case JINJA_OP_NE:
		rc = jinja_equal(run, a, b, yes);
		break;
	case JINJA_OP_LT:
		return jinja_less(run, a, b, yes);
	case JINJA_OP_GT:
		return jinja_less(run, b, a, yes);
	case JINJA_OP_LE:
		return less_or_equal(run, a, b, yes);
	case JINJA_OP_GE:
		return less_or_equal(run, b, a, yes);
	case JINJA_OP_IN:
		return jinja_contains(run, b, a, yes);
	default:
		rc = jinja_contains(run, b, a, yes);
		break;
	}
	*yes = !*yes;
	return rc;
}

/* Merge the sorted runs [lo, mid) and [mid, hi) of ${from} into ${to}. */
static int
merge(struct jinja_run *run, const struct jinja_val *keys, bool reverse,
      const size_t *from, size_t *to, const size_t *cut)
{
	size_t i = cut[0], j = cut[1], k;
	bool second;

	for (k = cut[0]; k < cut[2]; k++) {
		if (i == cut[1]) {
			to[k] = from[j++];
			continue;
		}
		second = false;
		if (j < cut[2] &&
		    (reverse
			 ? jinja_less(run, keys[from[i]], keys[from[j]], &second)
			 : jinja_less(run, keys[from[j]], keys[from[i]], &second)) != 0)
			return -1;
		to[k] = second ? from[j++] : from[i++];
	}
	return 0;
}

int
jinja_sort(struct jinja_run *run, const struct jinja_val *keys, size_t n, bool reverse,
	   size_t *order)
{
	size_t *spare = arena_array(run->arena, n, sizeof(*spare)), *from = order;
	size_t *to = spare, *swap, width, lo, i, cut[3];

	if (spare == NULL)
		return jinja_fail_nomem(run);
	for (i = 0; i < n; i++)
		order[i] = i;
	for (width = 1; width < n; width *= 2) {
		for (lo = 0; lo < n; lo += 2 * width) {
			cut[0] = lo;
			cut[1] = lo + width < n ? lo + width : n;
			cut[2] = lo + 2 * width < n ? lo + 2 * width : n;
			if (merge(run, keys, reverse, from, to, cut) != 0)
				return -1;
		}
		swap = from;
		from = to;
		to = swap;
	}
	if (from != order)
		memcpy(order, from, n * sizeof(*order));
	return 0;
}
