/* What follows an operand: calls, subscripts, attributes, filters, tests. */
#include "base/arena.h"
#include "base/jinja_run.h"

#include <stdio.h>
#include <string.h>

/* ---- calls ---- */

/* `name=value` at the current place; the value is still to come. */
static int
keyword(struct jinja_parser *ps, struct jinja_call *call)
{
	struct jinja_tok name = ps->cur;
	struct jinja_item *it;

	for (it = call->kw.first; it != NULL; it = it->next)
		if (strcmp(it->kw, name.p) == 0)
			return jinja_mistake(ps->e, name.off, name.len,
					     "the argument '%s' is given twice", name.p);
	if (jinja_advance(ps) != 0 || jinja_advance(ps) != 0)
		return -1;
	it = jinja_add_item(ps, &call->kw, jinja_parse_expr(ps, JINJA_BP_COND));
	if (it == NULL)
		return -1;
	it->kw = name.p;
	it->off = name.off;
	it->len = name.len;
	return 0;
}

static int
argument(struct jinja_parser *ps, struct jinja_call *call)
{
	const struct jinja_tok *next;

	if (ps->cur.kind == '*' || ps->cur.kind == JINJA_T_POW)
		return jinja_mistake(ps->e, ps->cur.off, ps->cur.len,
				     "unpacking arguments with '%s' is not built yet",
				     ps->cur.kind == '*' ? "*" : "**");
	if (ps->cur.kind == JINJA_T_NAME) {
		if (jinja_peek(ps, &next) != 0)
			return -1;
		if (next->kind == '=')
			return keyword(ps, call);
	}
	if (call->kw.n != 0)
		return jinja_mistake(
		    ps->e, ps->cur.off, ps->cur.len,
		    "an argument without a name follows one with a name");
	return jinja_add_item(ps, &call->pos, jinja_parse_expr(ps, JINJA_BP_COND)) != NULL
		   ? 0
		   : -1;
}

/* "(a, b, k=v)" from the parenthesis on. */
static int
arguments(struct jinja_parser *ps, struct jinja_call *call)
{
	if (jinja_enter(ps) != 0 || jinja_advance(ps) != 0)
		return -1;
	while (ps->cur.kind != ')') {
		if (argument(ps, call) != 0)
			return -1;
		if (ps->cur.kind != ')' && jinja_expect(ps, ',', "',' or ')'") != 0)
			return -1;
	}
	jinja_leave(ps);
	return jinja_advance(ps);
}

static void
hint(struct jinja_parser *ps, void (*of)(const char *, char *, size_t), const char *name)
{
	of(name, ps->e->hint, sizeof(ps->e->hint));
}

/* A name in parentheses' place: one of the functions there are. */
static int
call_function(struct jinja_parser *ps, struct jinja_expr *x)
{
	x->fn = jinja_find_fn(jinja_globals, x->name);
	if (x->fn != NULL)
		return jinja_check_call(ps->e, x->fn, "function", x);
	(void)jinja_mistake(ps->e, x->name_off, strlen(x->name), "unknown function '%s'",
			    x->name);
	if (jinja_find_filter(x->name) != NULL)
		(void)snprintf(ps->e->hint, sizeof(ps->e->hint),
			       "it is a filter: value | %.60s", x->name);
	else
		hint(ps, jinja_hint_global, x->name);
	return -1;
}

static int
call_method(struct jinja_parser *ps, const struct jinja_expr *x)
{
	const char *why = jinja_method_changes(x->name);

	if (why != NULL)
		return jinja_mistake(ps->e, x->name_off, strlen(x->name),
				     "'%s' would change a value in place; %s", x->name,
				     why);
	if (jinja_is_method(x->name))
		return 0;
	(void)jinja_mistake(ps->e, x->name_off, strlen(x->name), "unknown method '%s'",
			    x->name);
	if (jinja_find_filter(x->name) != NULL)
		(void)snprintf(ps->e->hint, sizeof(ps->e->hint),
			       "it is a filter: value | %.60s", x->name);
	else
		hint(ps, jinja_hint_method, x->name);
	return -1;
}

static struct jinja_expr *
call(struct jinja_parser *ps, struct jinja_expr *callee)
{
	struct jinja_expr *x;

	if (callee->kind != JINJA_X_NAME && callee->kind != JINJA_X_ATTR) {
		(void)jinja_mistake(ps->e, callee->off, callee->len,
				    "only functions and methods can be called");
		return NULL;
	}
	if (callee->kind == JINJA_X_NAME && strcmp(callee->name, "loop") == 0) {
		(void)jinja_mistake(ps->e, callee->off, callee->len,
				    "recursive loops are not built yet");
		return NULL;
	}
	x = jinja_node(ps, callee->kind == JINJA_X_NAME ? JINJA_X_CALL : JINJA_X_METHOD,
		       callee->off);
	if (x == NULL)
		return NULL;
	x->name = callee->name;
	x->name_off = callee->name_off;
	x->base = callee->base;
	if (arguments(ps, &x->call) != 0)
		return NULL;
	x->len = ps->prev_end - x->off;
	if ((x->kind == JINJA_X_CALL ? call_function(ps, x) : call_method(ps, x)) != 0)
		return NULL;
	return jinja_finish(ps, x);
}

/* ---- subscripts and attributes ---- */

static struct jinja_expr *
attribute(struct jinja_parser *ps, struct jinja_expr *base)
{
	struct jinja_expr *x, *index;

	if (jinja_advance(ps) != 0)
		return NULL;
	if (ps->cur.kind == JINJA_T_NAME) {
		x = jinja_node(ps, JINJA_X_ATTR, base->off);
		if (x == NULL)
			return NULL;
		x->name = ps->cur.p;
		x->name_off = ps->cur.off;
		x->base = base;
		return jinja_advance(ps) == 0 ? jinja_finish(ps, x) : NULL;
	}
	if (ps->cur.kind != JINJA_T_INT) {
		(void)jinja_unexpected(ps, "a name behind '.'");
		return NULL;
	}
	x = jinja_node(ps, JINJA_X_ITEM, base->off);
	index = jinja_node(ps, JINJA_X_CONST, ps->cur.off);
	if (x == NULL || index == NULL)
		return NULL;
	index->val = jinja_int(ps->cur.i);
	index->len = ps->cur.len;
	x->base = base;
	x->index = index;
	return jinja_advance(ps) == 0 ? jinja_finish(ps, x) : NULL;
}

/* One bound of a slice, which may be missing. */
static int
bound(struct jinja_parser *ps, struct jinja_expr **out)
{
	*out = NULL;
	if (ps->cur.kind == ':' || ps->cur.kind == ']')
		return 0;
	*out = jinja_parse_expr(ps, JINJA_BP_COND);
	return *out != NULL ? 0 : -1;
}

/* "[...]" behind base. */
static struct jinja_expr *
subscript(struct jinja_parser *ps, struct jinja_expr *base)
{
	struct jinja_expr *x = jinja_node(ps, JINJA_X_ITEM, base->off), *lo;

	if (x == NULL || jinja_enter(ps) != 0 || jinja_advance(ps) != 0)
		return NULL;
	x->base = base;
	if (bound(ps, &lo) != 0)
		return NULL;
	if (ps->cur.kind == ':') {
		x->kind = JINJA_X_SLICE;
		x->slice.lo = lo;
		if (jinja_advance(ps) != 0 || bound(ps, &x->slice.hi) != 0)
			return NULL;
		if (ps->cur.kind == ':' &&
		    (jinja_advance(ps) != 0 || bound(ps, &x->slice.step) != 0))
			return NULL;
	} else if (lo == NULL) {
		(void)jinja_unexpected(ps, "an index");
		return NULL;
	} else {
		x->index = lo;
	}
	jinja_leave(ps);
	return jinja_expect(ps, ']', "']'") == 0 ? jinja_finish(ps, x) : NULL;
}

struct jinja_expr *
jinja_parse_postfix(struct jinja_parser *ps, struct jinja_expr *x)
{
	while (x != NULL) {
		if (ps->cur.kind == '.')
			x = attribute(ps, x);
		else if (ps->cur.kind == '[')
			x = subscript(ps, x);
		else if (ps->cur.kind == '(')
			x = call(ps, x);
		else
			break;
	}
	return x;
}

/* ---- filters and tests ---- */

/* A filter's or test's name given as a string argument ('upper' in map('upper')). */
static int
check_named(struct jinja_parser *ps, const struct jinja_expr *x)
{
	const struct jinja_item *it = x->call.pos.first;
	const struct jinja_fn *fn;
	bool filter = (x->fn->flags & JINJA_FN_FILTER0) != 0;

	if ((x->fn->flags & JINJA_FN_TEST1) != 0 && it != NULL)
		it = it->next;
	if ((x->fn->flags & (JINJA_FN_FILTER0 | JINJA_FN_TEST0 | JINJA_FN_TEST1)) == 0 ||
	    it == NULL || it->x->kind != JINJA_X_CONST || it->x->val.kind != JINJA_STR)
		return 0;
	fn = filter ? jinja_find_filter(it->x->val.s.p) : jinja_find_test(it->x->val.s.p);
	if (fn != NULL && (fn->flags & JINJA_FN_EMIT) == 0)
		return 0;
	(void)jinja_mistake(ps->e, it->x->off, it->x->len,
			    fn != NULL
				? "the filter '%s' works only as the last one of a {{ }}"
			    : filter ? "unknown filter '%s'"
				     : "unknown test '%s'",
			    it->x->val.s.p);
	if (fn == NULL)
		hint(ps, filter ? jinja_hint_filter : jinja_hint_test, it->x->val.s.p);
	return -1;
}

static struct jinja_expr *
filter(struct jinja_parser *ps, struct jinja_expr *base)
{
	struct jinja_expr *x = jinja_node(ps, JINJA_X_FILTER, base->off);

	if (x == NULL || jinja_advance(ps) != 0)
		return NULL;
	if (ps->cur.kind != JINJA_T_NAME) {
		bool bars = ps->cur.kind == '|';

		(void)jinja_unexpected(ps, "a filter's name");
		if (bars)
			(void)snprintf(ps->e->hint, sizeof(ps->e->hint),
				       "'or' joins conditions");
		return NULL;
	}
	x->base = base;
	x->name = ps->cur.p;
	x->name_off = ps->cur.off;
	x->fn = jinja_find_filter(x->name);
	if (x->fn == NULL) {
		(void)jinja_mistake(ps->e, ps->cur.off, ps->cur.len,
				    "unknown filter '%s'", x->name);
		hint(ps, jinja_hint_filter, x->name);
		if (jinja_is_method(x->name))
			(void)snprintf(ps->e->hint, sizeof(ps->e->hint),
				       "it is a method: value.%.60s()", x->name);
		return NULL;
	}
	if (jinja_advance(ps) != 0 ||
	    (ps->cur.kind == '(' && arguments(ps, &x->call) != 0))
		return NULL;
	x->len = ps->prev_end - x->off;
	if (jinja_check_call(ps->e, x->fn, "filter", x) != 0 || check_named(ps, x) != 0)
		return NULL;
	if ((x->fn->flags & JINJA_FN_EMIT) != 0 && ps->n_emit_only < 2)
		ps->emit_only[ps->n_emit_only++] = x;
	return jinja_finish(ps, x);
}

struct jinja_expr *
jinja_parse_filters(struct jinja_parser *ps, struct jinja_expr *x)
{
	while (x != NULL && ps->cur.kind == '|')
		x = filter(ps, x);
	return x;
}

int
jinja_check_emission(struct jinja_parser *ps, const struct jinja_expr *root)
{
	size_t i;

	for (i = 0; i < ps->n_emit_only; i++)
		if (ps->emit_only[i] != root)
			return jinja_mistake(
			    ps->e, ps->emit_only[i]->name_off,
			    strlen(ps->emit_only[i]->name),
			    "the filter '%s' works only as the last one of a {{ }}",
			    ps->emit_only[i]->name);
	ps->n_emit_only = 0;
	return 0;
}

/* An argument of a test without parentheses: `x is divisibleby 3`. */
static bool
at_test_argument(const struct jinja_parser *ps)
{
	static const char *const ends[] = {"else", "or", "and", "if", "in", "not", "is"};
	size_t i;

	if (ps->cur.kind == JINJA_T_NAME) {
		for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
			if (strcmp(ps->cur.p, ends[i]) == 0)
				return false;
		return true;
	}
	return ps->cur.kind == JINJA_T_STR || ps->cur.kind == JINJA_T_INT ||
	       ps->cur.kind == JINJA_T_FLOAT || ps->cur.kind == '[' ||
	       ps->cur.kind == '{';
}

static int
test_name(struct jinja_parser *ps, struct jinja_expr *x)
{
	if (jinja_advance(ps) != 0)
		return -1;
	if (jinja_at_word(ps, "not")) {
		x->negated = true;
		if (jinja_advance(ps) != 0)
			return -1;
	}
	if (ps->cur.kind != JINJA_T_NAME)
		return jinja_unexpected(ps, "a test's name");
	x->name = ps->cur.p;
	x->name_off = ps->cur.off;
	x->fn = jinja_find_test(x->name);
	if (x->fn != NULL)
		return jinja_advance(ps);
	(void)jinja_mistake(ps->e, ps->cur.off, ps->cur.len, "unknown test '%s'",
			    x->name);
	hint(ps, jinja_hint_test, x->name);
	return -1;
}

static struct jinja_expr *
test(struct jinja_parser *ps, struct jinja_expr *base)
{
	struct jinja_expr *x = jinja_node(ps, JINJA_X_TEST, base->off), *arg;

	if (x == NULL || test_name(ps, x) != 0)
		return NULL;
	x->base = base;
	if (ps->cur.kind == '(') {
		if (arguments(ps, &x->call) != 0)
			return NULL;
	} else if (at_test_argument(ps)) {
		arg = jinja_parse_primary(ps);
		if (arg == NULL || (arg = jinja_parse_postfix(ps, arg)) == NULL ||
		    jinja_add_item(ps, &x->call.pos, arg) == NULL)
			return NULL;
	}
	if (jinja_at_word(ps, "is")) {
		(void)jinja_mistake(ps->e, ps->cur.off, ps->cur.len,
				    "tests cannot be chained; join them with 'and'");
		return NULL;
	}
	x->len = ps->prev_end - x->off;
	if (jinja_check_call(ps->e, x->fn, "test", x) != 0)
		return NULL;
	return jinja_finish(ps, x);
}

struct jinja_expr *
jinja_parse_filters_and_tests(struct jinja_parser *ps, struct jinja_expr *x)
{
	while (x != NULL) {
		if (ps->cur.kind == '|')
			x = filter(ps, x);
		else if (jinja_at_word(ps, "is"))
			x = test(ps, x);
		else if (ps->cur.kind == '(')
			x = call(ps, x);
		else
			break;
	}
	return x;
}
