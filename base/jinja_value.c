/* Values: making them, lists, dicts, and those of YAML and JSON. */
#include "base/arena.h"
#include "base/jinja_run.h"
#include "base/yaml.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

struct jinja_val
jinja_none(void)
{
	return (struct jinja_val){.kind = JINJA_NONE};
}

struct jinja_val
jinja_bool(bool b)
{
	return (struct jinja_val){.kind = JINJA_BOOL, .b = b};
}

struct jinja_val
jinja_int(int64_t i)
{
	return (struct jinja_val){.kind = JINJA_INT, .i = i};
}

struct jinja_val
jinja_float(double f)
{
	return (struct jinja_val){.kind = JINJA_FLOAT, .f = f};
}

struct jinja_val
jinja_strn(const char *p, size_t n)
{
	return (struct jinja_val){.kind = JINJA_STR, .s = {p, n}};
}

struct jinja_val
jinja_str(const char *s)
{
	return jinja_strn(s, strlen(s));
}

struct jinja_val
jinja_time(int64_t us)
{
	return (struct jinja_val){.kind = JINJA_TIME, .i = us};
}

struct jinja_val
jinja_undefined(const char *name)
{
	return (struct jinja_val){.kind = JINJA_UNDEFINED, .s = {name, strlen(name)}};
}

struct jinja_val
jinja_host(const struct jinja_host *h)
{
	return (struct jinja_val){.kind = JINJA_HOST, .host = h};
}

struct jinja_val
jinja_list_val(struct jinja_list *l)
{
	return (struct jinja_val){.kind = JINJA_LIST, .list = l};
}

struct jinja_val
jinja_dict_value(struct jinja_dict *d)
{
	return (struct jinja_val){.kind = JINJA_DICT, .dict = d};
}

const char *
jinja_kind_name(struct jinja_val v)
{
	static const char *const names[] = {
	    [JINJA_UNDEFINED] = "undefined", [JINJA_NONE] = "none",
	    [JINJA_BOOL] = "a boolean",	     [JINJA_INT] = "an integer",
	    [JINJA_FLOAT] = "a float",	     [JINJA_STR] = "a string",
	    [JINJA_LIST] = "a list",	     [JINJA_DICT] = "a mapping",
	    [JINJA_TIME] = "a time",	     [JINJA_HOST] = "a mapping",
	};

	if (v.kind == JINJA_LIST && v.list->flavour == JINJA_LIST_TUPLE)
		return "a tuple";
	if (v.kind == JINJA_DICT && v.dict->is_namespace)
		return "a namespace";
	return names[v.kind];
}

/* ---- lists ---- */

unsigned
jinja_val_depth(struct jinja_val v)
{
	return v.kind == JINJA_LIST   ? v.list->depth
	       : v.kind == JINJA_DICT ? v.dict->depth
				      : 0;
}

struct jinja_list *
jinja_list_new(struct arena *a)
{
	struct jinja_list *l = arena_zalloc(a, sizeof(*l));

	if (l != NULL)
		l->depth = 1;
	return l;
}

/* Room for one more element of ${size} in an array of the arena; the old one stays behind. */
static void *
grown(struct arena *a, const void *v, size_t n, size_t *cap, size_t size)
{
	size_t ncap = *cap == 0 ? 4 : *cap * 2;
	void *p = ncap > *cap ? arena_array(a, ncap, size) : NULL;

	if (p != NULL) {
		if (n != 0)
			memcpy(p, v, n * size);
		*cap = ncap;
	}
	return p;
}

int
jinja_list_push(struct arena *a, struct jinja_list *l, struct jinja_val v)
{
	struct jinja_val *p;

	if (jinja_val_depth(v) >= JINJA_DEPTH_MAX)
		return -1;
	if (l->n == l->cap) {
		p = grown(a, l->v, l->n, &l->cap, sizeof(*p));
		if (p == NULL)
			return -1;
		l->v = p;
	}
	l->v[l->n++] = v;
	if (jinja_val_depth(v) >= l->depth)
		l->depth = jinja_val_depth(v) + 1;
	return 0;
}

size_t
jinja_list_len(const struct jinja_list *l)
{
	return l->n;
}

struct jinja_val
jinja_list_at(const struct jinja_list *l, size_t i)
{
	return i < l->n ? l->v[i] : jinja_undefined("");
}

/* ---- numbers ---- */

bool
jinja_is_num(struct jinja_val v)
{
	return v.kind == JINJA_BOOL || v.kind == JINJA_INT || v.kind == JINJA_FLOAT;
}

static int64_t
as_int(struct jinja_val v)
{
	return v.kind == JINJA_BOOL ? v.b : v.i;
}

double
jinja_as_double(struct jinja_val v)
{
	return v.kind == JINJA_FLOAT ? v.f : (double)as_int(v);
}

/* An integer with a float, without rounding the integer. */
static int
int_float_cmp(int64_t i, double f)
{
	int64_t whole;
	double rest;

	if (isnan(f))
		return 2;
	if (f >= 9223372036854775808.0)
		return -1;
	if (f < -9223372036854775808.0)
		return 1;
	whole = (int64_t)f;
	if (i != whole)
		return i < whole ? -1 : 1;
	rest = f - (double)whole;
	return rest > 0 ? -1 : rest < 0 ? 1 : 0;
}

int
jinja_num_cmp(struct jinja_val a, struct jinja_val b)
{
	int c;

	if (a.kind == JINJA_FLOAT && b.kind == JINJA_FLOAT) {
		if (isnan(a.f) || isnan(b.f))
			return 2;
		return a.f < b.f ? -1 : a.f > b.f ? 1 : 0;
	}
	if (b.kind == JINJA_FLOAT)
		return int_float_cmp(as_int(a), b.f);
	if (a.kind == JINJA_FLOAT) {
		c = int_float_cmp(as_int(b), a.f);
		return c == 2 ? 2 : -c;
	}
	return as_int(a) < as_int(b) ? -1 : as_int(a) > as_int(b) ? 1 : 0;
}

/* ---- dicts ---- */

bool
jinja_is_key(struct jinja_val v)
{
	return v.kind == JINJA_NONE || jinja_is_num(v) || v.kind == JINJA_STR ||
	       v.kind == JINJA_TIME;
}

static int
key_rank(struct jinja_val v)
{
	return v.kind == JINJA_NONE   ? 0
	       : jinja_is_num(v)      ? 1
	       : v.kind == JINJA_TIME ? 2
				      : 3;
}

int
jinja_key_cmp(struct jinja_val a, struct jinja_val b)
{
	int c = key_rank(a) - key_rank(b);

	if (c != 0 || a.kind == JINJA_NONE)
		return c;
	if (a.kind == JINJA_TIME)
		return a.i < b.i ? -1 : a.i > b.i ? 1 : 0;
	if (a.kind == JINJA_STR) {
		size_t n = a.s.n < b.s.n ? a.s.n : b.s.n;

		c = n != 0 ? memcmp(a.s.p, b.s.p, n) : 0;
		return c != 0 ? c : a.s.n < b.s.n ? -1 : a.s.n > b.s.n ? 1 : 0;
	}
	c = jinja_num_cmp(a, b);
	if (c != 2)
		return c;
	/* Not-a-number before every other number, and equal to itself. */
	return (jinja_as_double(b) != jinja_as_double(b)) -
	       (jinja_as_double(a) != jinja_as_double(a));
}

struct jinja_dict *
jinja_dict_new(struct arena *a)
{
	struct jinja_dict *d = arena_zalloc(a, sizeof(*d));

	if (d != NULL)
		d->depth = 1;
	return d;
}

struct jinja_val *
jinja_dict_find(const struct jinja_dict *d, struct jinja_val key)
{
	uint32_t at = d->root;
	int c;

	while (at != 0) {
		c = jinja_key_cmp(key, d->v[at].key);
		if (c == 0)
			return &d->v[at].val;
		at = c < 0 ? d->v[at].left : d->v[at].right;
	}
	return NULL;
}

/* The two rotations of an AA tree: no left child on its parent's level, no two right ones. */
static uint32_t
skew(struct jinja_member *v, uint32_t at)
{
	uint32_t left = v[at].left;

	if (left == 0 || v[left].level != v[at].level)
		return at;
	v[at].left = v[left].right;
	v[left].right = at;
	return left;
}

static uint32_t
split(struct jinja_member *v, uint32_t at)
{
	uint32_t right = v[at].right;

	if (right == 0 || v[v[right].right].level != v[at].level)
		return at;
	v[at].right = v[right].left;
	v[right].left = at;
	v[right].level++;
	return right;
}

static uint32_t
insert(struct jinja_member *v, uint32_t at, uint32_t node)
{
	if (at == 0)
		return node;
	if (jinja_key_cmp(v[node].key, v[at].key) < 0)
		v[at].left = insert(v, v[at].left, node);
	else
		v[at].right = insert(v, v[at].right, node);
	return split(v, skew(v, at));
}

int
jinja_dict_set(struct arena *a, struct jinja_dict *d, struct jinja_val key,
	       struct jinja_val v)
{
	struct jinja_val *old = jinja_dict_find(d, key);
	struct jinja_member *p;

	/* A namespace is never looked into, so what it holds does not make it deeper. */
	if (!d->is_namespace && jinja_val_depth(v) >= d->depth)
		d->depth = jinja_val_depth(v) + 1;
	if (old != NULL) {
		*old = v;
		return 0;
	}
	if (d->n + 1 >= d->cap) {
		p = grown(a, d->v, d->n == 0 ? 0 : d->n + 1, &d->cap, sizeof(*p));
		if (p == NULL)
			return -1;
		d->v = p;
	}
	d->n++;
	d->v[d->n] = (struct jinja_member){.key = key, .val = v, .level = 1};
	d->root = insert(d->v, d->root, (uint32_t)d->n);
	return 0;
}

void
jinja_dict_clear(struct jinja_dict *d)
{
	if (d != NULL) {
		d->n = 0;
		d->root = 0;
	}
}

static int
set_checked(struct arena *a, struct jinja_dict *d, struct jinja_val key,
	    struct jinja_val v)
{
	return jinja_val_depth(v) < JINJA_DEPTH_MAX ? jinja_dict_set(a, d, key, v) : -1;
}

int
jinja_dict_put(struct arena *a, struct jinja_dict *d, const char *key, struct jinja_val v)
{
	const char *copy = arena_strdup(a, key);

	return copy != NULL ? set_checked(a, d, jinja_str(copy), v) : -1;
}

size_t
jinja_dict_len(const struct jinja_dict *d)
{
	return d->n;
}

struct jinja_val
jinja_dict_val(const struct jinja_dict *d, size_t i, const char **key)
{
	if (key != NULL)
		*key = "";
	if (i >= d->n)
		return jinja_undefined("");
	if (key != NULL && d->v[i + 1].key.kind == JINJA_STR)
		*key = d->v[i + 1].key.s.p;
	return d->v[i + 1].val;
}

/* ---- from YAML and JSON ---- */

static int from_yaml(struct arena *, const struct yaml_node *, struct jinja_val *, int);

static int
from_seq(struct arena *a, const struct yaml_node *y, struct jinja_val *out, int depth)
{
	struct jinja_list *l = jinja_list_new(a);
	struct jinja_val v;
	size_t i;

	if (l == NULL)
		return -1;
	for (i = 0; i < y->seq.n; i++)
		if (from_yaml(a, y->seq.v[i], &v, depth + 1) != 0 ||
		    jinja_list_push(a, l, v) != 0)
			return -1;
	*out = jinja_list_val(l);
	return 0;
}

static int
from_map(struct arena *a, const struct yaml_node *y, struct jinja_val *out, int depth)
{
	struct jinja_dict *d = jinja_dict_new(a);
	struct jinja_val v;
	size_t i;

	if (d == NULL)
		return -1;
	for (i = 0; i < y->map.n; i++) {
		const struct yaml_node *key = y->map.v[i].key;

		if (from_yaml(a, y->map.v[i].val, &v, depth + 1) != 0 ||
		    set_checked(a, d, jinja_strn(key->str, key->len), v) != 0)
			return -1;
	}
	*out = jinja_dict_value(d);
	return 0;
}

static int
from_yaml(struct arena *a, const struct yaml_node *y, struct jinja_val *out, int depth)
{
	if (depth > JINJA_DEPTH_MAX)
		return -1;
	switch (y->kind) {
	case YAML_NULL:
		*out = jinja_none();
		return 0;
	case YAML_BOOL:
		*out = jinja_bool(y->b);
		return 0;
	case YAML_INT:
		*out = jinja_int(y->i);
		return 0;
	case YAML_FLOAT:
		*out = jinja_float(y->f);
		return 0;
	case YAML_STR:
		*out = jinja_strn(y->str, y->len);
		return 0;
	case YAML_SEQ:
		return from_seq(a, y, out, depth);
	case YAML_MAP:
		return from_map(a, y, out, depth);
	}
	return -1;
}

int
jinja_from_yaml(struct arena *a, const struct yaml_node *y, struct jinja_val *out)
{
	return from_yaml(a, y, out, 0);
}

static int
from_json(struct arena *a, const json_t *j, struct jinja_val *out, int depth)
{
	struct jinja_list *l = NULL;
	struct jinja_dict *d = NULL;
	struct jinja_val v;
	const char *key, *copy;
	json_t *child;
	size_t i;

	if (depth > JINJA_DEPTH_MAX)
		return -1;
	if (json_is_array(j)) {
		if ((l = jinja_list_new(a)) == NULL)
			return -1;
		json_array_foreach(j, i,
				   child) if (from_json(a, child, &v, depth + 1) != 0 ||
					      jinja_list_push(a, l, v) != 0) return -1;
		*out = jinja_list_val(l);
	} else if (json_is_object(j)) {
		if ((d = jinja_dict_new(a)) == NULL)
			return -1;
		json_object_foreach((json_t *)(uintptr_t)j, key,
				    child) if (from_json(a, child, &v, depth + 1) != 0 ||
					       jinja_dict_put(a, d, key, v) !=
						   0) return -1;
		*out = jinja_dict_value(d);
	} else if (json_is_string(j)) {
		copy = arena_strndup(a, json_string_value(j), json_string_length(j));
		if (copy == NULL)
			return -1;
		*out = jinja_strn(copy, json_string_length(j));
	} else if (json_is_integer(j)) {
		*out = jinja_int(json_integer_value(j));
	} else if (json_is_real(j)) {
		*out = jinja_float(json_real_value(j));
	} else {
		*out = json_is_null(j) ? jinja_none() : jinja_bool(json_is_true(j));
	}
	return 0;
}

int
jinja_from_json(struct arena *a, const struct json_t *j, struct jinja_val *out)
{
	return from_json(a, j, out, 0);
}
