/* Getting at parts of values: attributes, subscripts, slices, elements. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/jinja_run.h"

#include <string.h>

/* ---- members ---- */

static int
host_member(struct jinja_run *run, struct jinja_val base, const char *name,
	    const struct jinja_expr *x, struct jinja_val *out)
{
	struct err err;
	int rc;

	err_clear(&err);
	rc = base.host->get(base.host->ctx, run->arena, name, out, &err);
	if (rc > 0)
		return 0;
	if (rc == 0 && err.msg[0] != '\0')
		return jinja_undefined_text(run, out, err.msg);
	if (rc == 0)
		return jinja_undefined_member(run, out, base, jinja_str(name), x);
	*run->err = err;
	return jinja_fail_as_is(run);
}

int
jinja_attr(struct jinja_run *run, struct jinja_val base, const char *name,
	   const struct jinja_expr *x, struct jinja_val *out)
{
	const struct jinja_val *v = NULL;

	if (base.kind == JINJA_HOST)
		return host_member(run, base, name, x, out);
	if (base.kind == JINJA_TIME && jinja_time_attr(base, name, out))
		return 0;
	if (base.kind == JINJA_DICT)
		v = jinja_dict_find(base.dict, jinja_str(name));
	if (jinja_cost_key(run, jinja_str(name)) != 0)
		return -1;
	if (v == NULL)
		return jinja_undefined_member(run, out, base, jinja_str(name), x);
	*out = *v;
	return 0;
}

/* ---- subscripts ---- */

/* A Python index into ${n} things: negative ones count from the end. */
static bool
position(int64_t i, size_t n, size_t *at)
{
	if (i < 0)
		i += (int64_t)n;
	*at = (size_t)i;
	return i >= 0 && (uint64_t)i < n;
}

static int
index_str(struct jinja_run *run, struct jinja_val base, struct jinja_val index,
	  const struct jinja_expr *x, struct jinja_val *out)
{
	size_t n = jinja_u8_len(base.s.p, base.s.n), at, off, adv;

	if (jinja_cost(run, base.s.n) != 0)
		return -1;
	if (!position(index.i, n, &at))
		return jinja_undefined_member(run, out, base, index, x);
	off = jinja_u8_skip(base.s.p, base.s.n, at);
	(void)jinja_u8_next(base.s.p + off, base.s.n - off, &adv);
	return jinja_make_str(run, base.s.p + off, adv, out);
}

int
jinja_index(struct jinja_run *run, struct jinja_val base, struct jinja_val index,
	    const struct jinja_expr *x, struct jinja_val *out)
{
	const struct jinja_val *v = NULL;
	size_t at;

	if (index.kind == JINJA_STR && base.kind != JINJA_LIST)
		return jinja_attr(run, base, index.s.p, x, out);
	if (index.kind == JINJA_BOOL && base.kind != JINJA_DICT)
		index = jinja_int(index.b);
	if (base.kind == JINJA_STR && index.kind == JINJA_INT)
		return index_str(run, base, index, x, out);
	if (base.kind == JINJA_LIST && index.kind == JINJA_INT) {
		if (position(index.i, base.list->n, &at))
			v = &base.list->v[at];
	} else if (base.kind == JINJA_DICT && jinja_is_key(index)) {
		v = jinja_dict_find(base.dict, index);
	}
	if (v == NULL)
		return jinja_undefined_member(run, out, base, index, x);
	*out = *v;
	return 0;
}

/* ---- slices ---- */

/* A slice of ${n} things: where it starts, its step, how many it takes. */
struct cut {
	int64_t from, step;
	size_t count;
};

static int64_t
clamp(int64_t i, int64_t n, int64_t low, int64_t high)
{
	if (i < 0)
		i = i < -n ? low : i + n;
	return i < low ? low : i > high ? high : i;
}

static int
cut_of(struct jinja_run *run, const struct jinja_val *bound, size_t len, struct cut *c)
{
	int64_t n = (int64_t)len, to, low, high;
	size_t i;

	for (i = 0; i < 3; i++)
		if (bound[i].kind != JINJA_NONE && bound[i].kind != JINJA_INT)
			return jinja_fail(run, "a slice is cut by integers, not by %s",
					  jinja_kind_name(bound[i]));
	c->step = bound[2].kind == JINJA_INT ? bound[2].i : 1;
	if (c->step == 0)
		return jinja_fail(run, "the step of a slice cannot be 0");
	low = c->step > 0 ? 0 : -1;
	high = c->step > 0 ? n : n - 1;
	c->from = bound[0].kind == JINJA_INT ? clamp(bound[0].i, n, low, high)
		  : c->step > 0		     ? low
					     : high;
	to = bound[1].kind == JINJA_INT ? clamp(bound[1].i, n, low, high)
	     : c->step > 0		? high
					: low;
	c->count = 0;
	if (c->step > 0 && to > c->from)
		c->count = (size_t)((to - c->from - 1) / c->step + 1);
	else if (c->step < 0 && to < c->from)
		c->count =
		    (size_t)((uint64_t)(c->from - to - 1) / (0 - (uint64_t)c->step) + 1);
	return 0;
}

static int
slice_list(struct jinja_run *run, const struct jinja_list *base, struct cut c,
	   struct jinja_val *out)
{
	struct jinja_list *l = jinja_make_list(run);
	size_t i;

	if (l == NULL)
		return -1;
	if (base->flavour == JINJA_LIST_TUPLE)
		l->flavour = JINJA_LIST_TUPLE;
	for (i = 0; i < c.count; i++) {
		if (jinja_push(run, l, base->v[c.from]) != 0)
			return -1;
		if (i + 1 < c.count)
			c.from += c.step;
	}
	*out = jinja_list_val(l);
	return 0;
}

/* The offsets of all characters, so that any step is as quick as another. */
static int
slice_str(struct jinja_run *run, struct jinja_val base, const struct jinja_val *bound,
	  struct jinja_val *out)
{
	size_t n = jinja_u8_len(base.s.p, base.s.n), i, off = 0, adv;
	uint32_t *at = NULL;
	struct buf b;
	struct cut c;

	if (jinja_cost(run, base.s.n) != 0 || cut_of(run, bound, n, &c) != 0)
		return -1;
	if (c.step == 1) {
		off = jinja_u8_skip(base.s.p, base.s.n, (size_t)c.from);
		return jinja_make_str(
		    run, base.s.p + off,
		    jinja_u8_skip(base.s.p + off, base.s.n - off, c.count), out);
	}
	if (jinja_step(run, n) != 0)
		return -1;
	at = arena_array(run->arena, n + 1, sizeof(*at));
	if (at == NULL)
		return jinja_fail_nomem(run);
	for (i = 0; i < n; i++, off += adv) {
		at[i] = (uint32_t)off;
		(void)jinja_u8_next(base.s.p + off, base.s.n - off, &adv);
	}
	at[n] = (uint32_t)base.s.n;
	jinja_buf(run, &b);
	for (i = 0; i < c.count; i++) {
		buf_add(&b, base.s.p + at[c.from], at[c.from + 1] - at[c.from]);
		if (i + 1 < c.count)
			c.from += c.step;
	}
	return jinja_take_buf(run, &b, out);
}

int
jinja_slice(struct jinja_run *run, struct jinja_val base, const struct jinja_val *bound,
	    struct jinja_val *out)
{
	struct cut c;

	if (base.kind == JINJA_STR)
		return slice_str(run, base, bound, out);
	if (base.kind != JINJA_LIST)
		return jinja_fail(run, "%s cannot be sliced", jinja_kind_name(base));
	if (cut_of(run, bound, base.list->n, &c) != 0)
		return -1;
	return slice_list(run, base.list, c, out);
}

/* ---- elements ---- */

static int
characters(struct jinja_run *run, struct jinja_val s, struct jinja_list *l)
{
	struct jinja_val c;
	size_t i, adv;

	for (i = 0; i < s.s.n; i += adv) {
		(void)jinja_u8_next(s.s.p + i, s.s.n - i, &adv);
		if (jinja_make_str(run, s.s.p + i, adv, &c) != 0 ||
		    jinja_push(run, l, c) != 0)
			return -1;
	}
	return 0;
}

static int
host_names(struct jinja_run *run, const struct jinja_host *h, struct jinja_list *l)
{
	const char *name;
	size_t i;

	if (h->name == NULL)
		return jinja_fail(run, "the members of %s cannot be listed",
				  h->what != NULL ? h->what : "this mapping");
	for (i = 0; (name = h->name(h->ctx, i)) != NULL; i++)
		if (jinja_push(run, l, jinja_str(name)) != 0)
			return -1;
	return 0;
}

int
jinja_iterate(struct jinja_run *run, struct jinja_val v, const struct jinja_list **out)
{
	struct jinja_list *l;
	size_t i;

	if (v.kind == JINJA_LIST) {
		*out = v.list;
		return 0;
	}
	if (v.kind != JINJA_STR && v.kind != JINJA_HOST &&
	    (v.kind != JINJA_DICT || v.dict->is_namespace))
		return jinja_fail(run, "%s has no elements to go through",
				  jinja_kind_name(v));
	l = jinja_make_list(run);
	if (l == NULL)
		return -1;
	*out = l;
	if (v.kind == JINJA_STR)
		return characters(run, v, l);
	if (v.kind == JINJA_HOST)
		return host_names(run, v.host, l);
	for (i = 1; i <= v.dict->n; i++)
		if (jinja_push(run, l, v.dict->v[i].key) != 0)
			return -1;
	return 0;
}

/* ---- mappings of the host as values ---- */

static int settle(struct jinja_run *, struct jinja_val, struct jinja_val *, unsigned);

static bool
holds_host(struct jinja_run *run, struct jinja_val v)
{
	size_t i;

	if (v.kind == JINJA_HOST)
		return true;
	/* One step a look; the caller finds out when they are used up. */
	if (v.kind != JINJA_LIST && v.kind != JINJA_DICT)
		return false;
	if (v.kind == JINJA_DICT && v.dict->is_namespace)
		return false;
	for (i = 0; v.kind == JINJA_LIST && i < v.list->n; i++)
		if (jinja_step(run, 1) != 0 || holds_host(run, v.list->v[i]))
			return true;
	for (i = 1; v.kind == JINJA_DICT && i <= v.dict->n; i++)
		if (jinja_step(run, 1) != 0 || holds_host(run, v.dict->v[i].val))
			return true;
	return false;
}

static int
settle_host(struct jinja_run *run, struct jinja_val from, struct jinja_val *out,
	    unsigned depth)
{
	const struct jinja_host *h = from.host;
	struct jinja_dict *d = jinja_make_dict(run);
	struct jinja_val v;
	const char *name;
	size_t i;

	if (d == NULL)
		return -1;
	if (h->name == NULL)
		return jinja_fail(
		    run, "%s cannot be written as text; write one of its members",
		    h->what != NULL ? h->what : "this mapping");
	for (i = 0; (name = h->name(h->ctx, i)) != NULL; i++) {
		if (host_member(run, from, name, NULL, &v) != 0)
			return -1;
		if (v.kind == JINJA_UNDEFINED)
			continue;
		if (settle(run, v, &v, depth + 1) != 0 ||
		    jinja_put_member(run, d, jinja_str(name), v) != 0)
			return -1;
	}
	*out = jinja_dict_value(d);
	return 0;
}

static int
settle_list(struct jinja_run *run, const struct jinja_list *from, struct jinja_val *out,
	    unsigned depth)
{
	struct jinja_list *l = jinja_make_list(run);
	struct jinja_val v;
	size_t i;

	if (l == NULL)
		return -1;
	l->flavour = from->flavour;
	for (i = 0; i < from->n; i++)
		if (settle(run, from->v[i], &v, depth + 1) != 0 ||
		    jinja_push(run, l, v) != 0)
			return -1;
	*out = jinja_list_val(l);
	return 0;
}

static int
settle_dict(struct jinja_run *run, const struct jinja_dict *from, struct jinja_val *out,
	    unsigned depth)
{
	struct jinja_dict *d = jinja_make_dict(run);
	struct jinja_val v;
	size_t i;

	if (d == NULL)
		return -1;
	for (i = 1; i <= from->n; i++)
		if (settle(run, from->v[i].val, &v, depth + 1) != 0 ||
		    jinja_put_member(run, d, from->v[i].key, v) != 0)
			return -1;
	*out = jinja_dict_value(d);
	return 0;
}

static int
settle(struct jinja_run *run, struct jinja_val v, struct jinja_val *out, unsigned depth)
{
	if (depth > JINJA_DEPTH_MAX)
		return jinja_fail_limit(run,
					"lists and mappings are nested more than %d deep",
					JINJA_DEPTH_MAX);
	if (v.kind == JINJA_HOST && jinja_loop_of(v) == NULL)
		return settle_host(run, v, out, depth);
	if (v.kind == JINJA_LIST && v.list->flavour != JINJA_LIST_RANGE)
		return settle_list(run, v.list, out, depth);
	if (v.kind == JINJA_DICT && !v.dict->is_namespace)
		return settle_dict(run, v.dict, out, depth);
	*out = v;
	return jinja_step(run, 1);
}

int
jinja_settle(struct jinja_run *run, struct jinja_val v, struct jinja_val *out)
{
	*out = v;
	return holds_host(run, v) ? settle(run, v, out, 0) : 0;
}

int
jinja_to_str(struct jinja_run *run, struct jinja_val v, struct jinja_val *out)
{
	struct buf b;

	*out = v;
	if (v.kind == JINJA_STR)
		return 0;
	if (jinja_settle(run, v, &v) != 0)
		return -1;
	jinja_buf(run, &b);
	jinja_put(&b, v);
	return jinja_take_buf(run, &b, out);
}

/* ---- paths ---- */

int
jinja_path(struct jinja_run *run, struct jinja_val v, const char *path,
	   struct jinja_val *out)
{
	size_t n;

	for (;;) {
		char *part;
		struct jinja_val index;

		n = strcspn(path, ".");
		part = arena_strndup(run->arena, path, n);
		if (part == NULL || jinja_step(run, 1) != 0)
			return part == NULL ? jinja_fail_nomem(run) : -1;
		index = jinja_str(part);
		if (n > 0 && n < 10 && strspn(part, "0123456789") == n) {
			size_t i;

			index = jinja_int(0);
			for (i = 0; i < n; i++)
				index.i = index.i * 10 + (part[i] - '0');
		}
		if (jinja_index(run, v, index, NULL, &v) != 0)
			return -1;
		if (v.kind == JINJA_UNDEFINED || path[n] == '\0')
			break;
		path += n + 1;
	}
	*out = v;
	return 0;
}
