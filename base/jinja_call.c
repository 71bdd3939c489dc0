/* Functions, filters, tests and methods: finding them, and binding arguments to parameters. */
#include "base/arena.h"
#include "base/jinja_run.h"
#include "base/suggest.h"

#include <stdio.h>
#include <string.h>

/* ---- finding ---- */

static const struct jinja_fn *const filter_tables[] = {
    jinja_filters_core, jinja_filters_seq, jinja_filters_str, jinja_filters_time, NULL,
};
static const struct jinja_fn *const test_tables[] = {jinja_tests, NULL};
static const struct jinja_fn *const global_tables[] = {jinja_globals, NULL};
static const struct jinja_fn *const method_tables[] = {
    jinja_str_methods,	jinja_list_methods, jinja_dict_methods,
    jinja_time_methods, jinja_loop_methods, NULL,
};

/* Methods of Python that change their object. */
static const struct {
	const char *name, *why;
} changing[] = {
    {"append", "write {% set x = x + [value] %}, in a loop with a namespace()"},
    {"extend", "write {% set x = x + other %}, in a loop with a namespace()"},
    {"insert", "join slices instead: x[:i] + [value] + x[i:]"},
    {"pop", "take x[-1] or a slice such as x[:-1]"},
    {"remove", "use x | reject('equalto', value) | list"},
    {"clear", "set a new, empty value"},
    {"sort", "use x | sort"},
    {"reverse", "use x | reverse | list"},
    {"update", "write a new mapping, or use a namespace()"},
    {"setdefault", "use x.get(key, value)"},
    {"popitem", "use x.items() | list | last"},
};

const struct jinja_fn *
jinja_find_fn(const struct jinja_fn *table, const char *name)
{
	for (; table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

static const struct jinja_fn *
find_in(const struct jinja_fn *const *tables, const char *name)
{
	const struct jinja_fn *fn = NULL;

	for (; *tables != NULL && fn == NULL; tables++)
		fn = jinja_find_fn(*tables, name);
	return fn;
}

static void
hint_from(const struct jinja_fn *const *tables, const char *name, char *hint, size_t size)
{
	const struct jinja_fn *fn;
	struct suggest sg;

	suggest_start(&sg, name);
	for (; *tables != NULL; tables++)
		for (fn = *tables; fn->name != NULL; fn++)
			suggest_try(&sg, fn->name);
	hint[0] = '\0';
	if (suggest_best(&sg) != NULL)
		(void)snprintf(hint, size, "did you mean '%s'?", suggest_best(&sg));
}

const struct jinja_fn *
jinja_find_filter(const char *name)
{
	return find_in(filter_tables, name);
}

const struct jinja_fn *
jinja_find_test(const char *name)
{
	return find_in(test_tables, name);
}

void
jinja_hint_filter(const char *name, char *hint, size_t size)
{
	hint_from(filter_tables, name, hint, size);
}

void
jinja_hint_test(const char *name, char *hint, size_t size)
{
	hint_from(test_tables, name, hint, size);
}

void
jinja_hint_global(const char *name, char *hint, size_t size)
{
	hint_from(global_tables, name, hint, size);
}

void
jinja_hint_method(const char *name, char *hint, size_t size)
{
	hint_from(method_tables, name, hint, size);
}

bool
jinja_is_method(const char *name)
{
	return find_in(method_tables, name) != NULL;
}

const char *
jinja_method_changes(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(changing) / sizeof(changing[0]); i++)
		if (strcmp(changing[i].name, name) == 0)
			return changing[i].why;
	return NULL;
}

/* ---- parameters ---- */

/* The i-th parameter's name and its length; NULL behind the last. */
static const char *
param(const struct jinja_fn *fn, size_t i, size_t *len)
{
	const char *p = fn->params;

	for (;; i--) {
		p += strspn(p, " ");
		*len = strcspn(p, " ");
		if (*len == 0)
			return NULL;
		if (i == 0)
			return p;
		p += *len;
	}
}

static size_t
param_count(const struct jinja_fn *fn)
{
	size_t n = 0, len;

	while (param(fn, n, &len) != NULL)
		n++;
	return n;
}

/* The place of the parameter ${name}, or the count of parameters. */
static size_t
param_index(const struct jinja_fn *fn, const char *name)
{
	const char *p;
	size_t i, len;

	for (i = 0; (p = param(fn, i, &len)) != NULL; i++)
		if (strlen(name) == len && memcmp(p, name, len) == 0)
			break;
	return i;
}

static int
unknown_keyword(struct jinja_error *e, const struct jinja_fn *fn, const char *what,
		const struct jinja_item *it)
{
	char names[JINJA_PARAMS_MAX][32];
	const char *p;
	struct suggest sg;
	size_t i, len;

	(void)jinja_mistake(e, it->off, it->len, "the %s '%s' has no argument '%s'", what,
			    fn->name, it->kw);
	suggest_start(&sg, it->kw);
	for (i = 0; i < JINJA_PARAMS_MAX && (p = param(fn, i, &len)) != NULL; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%.*s", (int)len, p);
		suggest_try(&sg, names[i]);
	}
	if (suggest_best(&sg) != NULL)
		(void)snprintf(e->hint, sizeof(e->hint), "did you mean '%s'?",
			       suggest_best(&sg));
	return -1;
}

int
jinja_check_call(struct jinja_error *e, const struct jinja_fn *fn, const char *what,
		 const struct jinja_expr *x)
{
	size_t n = param_count(fn), i, len, nlen = strlen(x->name);
	bool given[JINJA_PARAMS_MAX] = {false};
	const struct jinja_item *it;
	const char *p;

	for (it = x->call.pos.first, i = 0; it != NULL; it = it->next, i++) {
		if (i < n)
			given[i] = true;
		else if ((fn->flags & JINJA_FN_REST) == 0)
			return jinja_mistake(
			    e, it->x->off, it->x->len,
			    n == 0 ? "the %s '%s' takes no arguments"
				   : "the %s '%s' takes at most %zu argument%s",
			    what, fn->name, n, n == 1 ? "" : "s");
	}
	for (it = x->call.kw.first; it != NULL; it = it->next) {
		i = param_index(fn, it->kw);
		if (i == n && (fn->flags & JINJA_FN_KEYWORDS) == 0)
			return unknown_keyword(e, fn, what, it);
		if (i < n && given[i])
			return jinja_mistake(e, it->off, it->len,
					     "the argument '%s' is given twice", it->kw);
		if (i < n)
			given[i] = true;
	}
	for (i = 0; i < fn->need && (p = param(fn, i, &len)) != NULL; i++)
		if (!given[i])
			return jinja_mistake(e, x->name_off, nlen,
					     "the %s '%s' needs the argument '%.*s'",
					     what, fn->name, (int)len, p);
	return 0;
}

/* Bind evaluated arguments; mistakes here come from calls by name and from methods. */
static int
bind(struct jinja_run *run, const struct jinja_fn *fn, const char *what,
     const struct jinja_actual *from, struct jinja_args *to)
{
	size_t n = param_count(fn), i, len;
	const char *p;

	memset(to->v, 0, sizeof(to->v));
	for (i = 0; i < n && i < from->npos; i++)
		to->v[i] = from->pos[i];
	to->nrest = from->npos > n ? from->npos - n : 0;
	to->rest = to->nrest != 0 ? from->pos + n : NULL;
	to->kw = from->kw;
	to->nkw = from->nkw;
	if (to->nrest != 0 && (fn->flags & JINJA_FN_REST) == 0)
		return jinja_fail(run,
				  n == 0 ? "the %s '%s' takes no arguments"
					 : "the %s '%s' takes at most %zu argument%s",
				  what, fn->name, n, n == 1 ? "" : "s");
	for (i = 0; i < from->nkw; i++) {
		size_t at = param_index(fn, from->kw[i].name);

		if (at == n && (fn->flags & JINJA_FN_KEYWORDS) == 0)
			return jinja_fail(run, "the %s '%s' has no argument '%s'", what,
					  fn->name, from->kw[i].name);
		if (at < n && at < from->npos)
			return jinja_fail(run, "the argument '%s' is given twice",
					  from->kw[i].name);
		if (at < n)
			to->v[at] = from->kw[i].val;
	}
	for (i = 0; i < fn->need && (p = param(fn, i, &len)) != NULL; i++)
		if (!jinja_given(to, i))
			return jinja_fail(run, "the %s '%s' needs the argument '%.*s'",
					  what, fn->name, (int)len, p);
	return 0;
}

int
jinja_apply(struct jinja_run *run, const struct jinja_fn *fn, const char *what,
	    struct jinja_val self, const struct jinja_actual *from, struct jinja_val *out)
{
	struct jinja_args args = {.self = self};

	if (jinja_step(run, 1) != 0 || bind(run, fn, what, from, &args) != 0)
		return -1;
	return fn->call(run, &args, out);
}

const struct jinja_fn *
jinja_methods_of(struct jinja_val v)
{
	if (v.kind == JINJA_STR)
		return jinja_str_methods;
	if (v.kind == JINJA_LIST)
		return jinja_list_methods;
	if (v.kind == JINJA_TIME)
		return jinja_time_methods;
	if (jinja_loop_of(v) != NULL)
		return jinja_loop_methods;
	if (v.kind == JINJA_HOST || (v.kind == JINJA_DICT && !v.dict->is_namespace))
		return jinja_dict_methods;
	return NULL;
}

int
jinja_call_method(struct jinja_run *run, struct jinja_val self, const char *name,
		  const struct jinja_actual *from, struct jinja_val *out)
{
	const struct jinja_fn *table = jinja_methods_of(self), *fn;

	fn = table != NULL ? jinja_find_fn(table, name) : NULL;
	if (fn == NULL)
		return jinja_fail(run, "%s has no method '%s'", jinja_kind_name(self),
				  name);
	if (self.kind == JINJA_STR && jinja_cost(run, self.s.n) != 0)
		return -1;
	return jinja_apply(run, fn, "method", self, from, out);
}

/* ---- arguments ---- */

bool
jinja_given(const struct jinja_args *a, size_t i)
{
	return a->v[i].kind != JINJA_UNDEFINED || a->v[i].s.p != NULL;
}

/* The i-th argument's place in words. */
static const char *
ordinal(size_t i)
{
	static const char *const words[] = {"first",  "second", "third",
					    "fourth", "fifth",	"sixth"};

	return words[i];
}

int
jinja_arg_int(struct jinja_run *run, const struct jinja_args *a, size_t i, int64_t dflt,
	      int64_t *out)
{
	*out = dflt;
	if (!jinja_given(a, i))
		return 0;
	if (a->v[i].kind == JINJA_BOOL)
		*out = a->v[i].b;
	else if (a->v[i].kind == JINJA_INT)
		*out = a->v[i].i;
	else
		return jinja_fail(run, "the %s argument must be an integer, not %s",
				  ordinal(i), jinja_kind_name(a->v[i]));
	return 0;
}

int
jinja_arg_bool(struct jinja_run *run, const struct jinja_args *a, size_t i, bool dflt,
	       bool *out)
{
	(void)run;
	*out = jinja_given(a, i) ? jinja_truth(a->v[i]) : dflt;
	return 0;
}

int
jinja_arg_str(struct jinja_run *run, const struct jinja_args *a, size_t i,
	      const char *dflt, struct jinja_val *out)
{
	if (!jinja_given(a, i)) {
		*out = jinja_str(dflt);
		return 0;
	}
	*out = a->v[i];
	if (a->v[i].kind != JINJA_STR)
		return jinja_fail(run, "the %s argument must be a string, not %s",
				  ordinal(i), jinja_kind_name(a->v[i]));
	return 0;
}

int
jinja_self_str(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	if (jinja_to_str(run, a->self, out) != 0)
		return -1;
	return jinja_cost(run, out->s.n); /* whoever asks will go through it */
}

/* ---- the global functions ---- */

static int
global_range(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_list *l = jinja_make_list(run);
	int64_t from, to, step, i;
	uint64_t n = 0;

	if (l == NULL || jinja_arg_int(run, a, 0, 0, &from) != 0 ||
	    jinja_arg_int(run, a, 1, 0, &to) != 0 ||
	    jinja_arg_int(run, a, 2, 1, &step) != 0)
		return -1;
	if (!jinja_given(a, 1)) {
		to = from;
		from = 0;
	}
	if (step == 0)
		return jinja_fail(run, "the step of a range cannot be 0");
	if (step > 0 && from < to)
		n = ((uint64_t)to - (uint64_t)from - 1) / (uint64_t)step + 1;
	else if (step < 0 && from > to)
		n = ((uint64_t)from - (uint64_t)to - 1) / (0 - (uint64_t)step) + 1;
	/* Before making it, so that a huge one costs nothing. */
	if (jinja_step(run, n) != 0)
		return -1;
	l->flavour = JINJA_LIST_RANGE;
	l->start = from;
	l->end = to;
	l->step = step;
	for (i = from; n > 0; n--) {
		if (jinja_list_push(run->arena, l, jinja_int(i)) != 0)
			return jinja_fail_nomem(run);
		if (n > 1)
			i += step;
	}
	*out = jinja_list_val(l);
	return 0;
}

/* Members from a mapping, or from a list of pairs. */
static int
add_members(struct jinja_run *run, struct jinja_dict *d, struct jinja_val from)
{
	const struct jinja_list *l, *pair;
	size_t i;

	if (jinja_settle(run, from, &from) != 0)
		return -1;
	if (from.kind == JINJA_DICT && !from.dict->is_namespace) {
		for (i = 1; i <= from.dict->n; i++)
			if (jinja_put_member(run, d, from.dict->v[i].key,
					     from.dict->v[i].val) != 0)
				return -1;
		return 0;
	}
	if (jinja_iterate(run, from, &l) != 0)
		return -1;
	for (i = 0; i < l->n; i++) {
		if (l->v[i].kind != JINJA_LIST || (pair = l->v[i].list)->n != 2)
			return jinja_fail(run, "a mapping is made of pairs, not of %s",
					  jinja_kind_name(l->v[i]));
		if (jinja_put_member(run, d, pair->v[0], pair->v[1]) != 0)
			return -1;
	}
	return 0;
}

static int
make_members(struct jinja_run *run, const struct jinja_args *a, bool is_namespace,
	     struct jinja_val *out)
{
	struct jinja_dict *d = jinja_make_dict(run);
	size_t i;

	if (d == NULL)
		return -1;
	d->is_namespace = is_namespace;
	if (a->nrest > 1)
		return jinja_fail(run, "one mapping at most, and named arguments");
	if (a->nrest == 1 && add_members(run, d, a->rest[0]) != 0)
		return -1;
	for (i = 0; i < a->nkw; i++)
		if (jinja_put_member(run, d, jinja_str(a->kw[i].name), a->kw[i].val) != 0)
			return -1;
	*out = jinja_dict_value(d);
	return 0;
}

static int
global_dict(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return make_members(run, a, false, out);
}

static int
global_namespace(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return make_members(run, a, true, out);
}

const struct jinja_fn jinja_globals[] = {
    {"dict", global_dict, "", 0, JINJA_FN_REST | JINJA_FN_KEYWORDS},
    {"namespace", global_namespace, "", 0, JINJA_FN_REST | JINJA_FN_KEYWORDS},
    {"range", global_range, "start stop step", 1, 0},
    {NULL, NULL, NULL, 0, 0},
};
