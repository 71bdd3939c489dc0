/*
 * Expressions to values.  A value may be undefined as long as nobody needs it: attributes of
 * undefined values stay undefined, `is defined` and `default` ask, everything else fails with
 * the reason kept from where the name was sought.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/jinja_run.h"

#include <string.h>

/* ---- names ---- */

struct jinja_val *
jinja_find_var(struct jinja_run *run, const char *name)
{
	struct jinja_val key = jinja_str(name), *v = NULL;
	const struct jinja_frame *f;

	for (f = run->frame; f != NULL && v == NULL; f = f->up)
		if (f->vars != NULL)
			v = jinja_dict_find(f->vars, key);
	return v;
}

int
jinja_lookup(struct jinja_run *run, const char *name, struct jinja_val *out)
{
	struct jinja_val *var = jinja_find_var(run, name);
	struct err err;
	int rc = 0;

	if (var != NULL) {
		*out = *var;
		return 0;
	}
	err_clear(&err);
	if (run->c->lookup != NULL)
		rc = run->c->lookup(run->c->ctx, run->arena, name, out, &err);
	if (rc > 0)
		return 0;
	if (rc == 0 && err.msg[0] != '\0')
		return jinja_undefined_text(run, out, err.msg);
	if (rc == 0)
		return jinja_undefined_name(run, out, name);
	*run->err = err;
	return jinja_fail_as_is(run);
}

/* ---- arguments and calls ---- */

#define ARGS_INLINE 6

struct evaluated {
	struct jinja_actual actual;
	struct jinja_val pos[ARGS_INLINE];
	struct jinja_kwarg kw[ARGS_INLINE];
};

static int
eval_arg(struct jinja_run *run, const struct jinja_expr *x, bool soft,
	 struct jinja_val *out)
{
	return soft ? jinja_eval_soft(run, x, out) : jinja_eval_expr(run, x, out);
}

/* The arguments of ${x}; few of them stay in ${e}. */
static int
eval_args(struct jinja_run *run, const struct jinja_expr *x, bool soft,
	  struct evaluated *e)
{
	struct jinja_val *pos = e->pos;
	struct jinja_kwarg *kw = e->kw;
	const struct jinja_item *it;
	size_t i;

	if (x->call.pos.n > ARGS_INLINE)
		pos = arena_array(run->arena, x->call.pos.n, sizeof(*pos));
	if (x->call.kw.n > ARGS_INLINE)
		kw = arena_array(run->arena, x->call.kw.n, sizeof(*kw));
	if (pos == NULL || kw == NULL)
		return jinja_fail_nomem(run);
	for (it = x->call.pos.first, i = 0; it != NULL; it = it->next, i++)
		if (eval_arg(run, it->x, soft, &pos[i]) != 0)
			return -1;
	for (it = x->call.kw.first, i = 0; it != NULL; it = it->next, i++) {
		kw[i].name = it->kw;
		if (eval_arg(run, it->x, soft, &kw[i].val) != 0)
			return -1;
	}
	e->actual = (struct jinja_actual){pos, x->call.pos.n, kw, x->call.kw.n};
	return 0;
}

static void
at_name(struct jinja_run *run, const struct jinja_expr *x)
{
	jinja_at(run, x->name_off, (uint32_t)strlen(x->name));
}

/* FILTER, TEST and CALL: their function is known since compilation. */
static int
eval_fn(struct jinja_run *run, const struct jinja_expr *x, const char *what,
	struct jinja_val *out)
{
	bool soft = (x->fn->flags & JINJA_FN_UNDEFINED) != 0;
	struct jinja_val self = jinja_none();
	struct evaluated e;

	if (x->base != NULL && eval_arg(run, x->base, soft, &self) != 0)
		return -1;
	if (eval_args(run, x, soft, &e) != 0)
		return -1;
	at_name(run, x);
	return jinja_apply(run, x->fn, what, self, &e.actual, out);
}

static int
eval_test(struct jinja_run *run, const struct jinja_expr *x, struct jinja_val *out)
{
	if (eval_fn(run, x, "test", out) != 0)
		return -1;
	*out = jinja_bool(jinja_truth(*out) != x->negated);
	return 0;
}

static int
eval_method(struct jinja_run *run, const struct jinja_expr *x, struct jinja_val *out)
{
	struct jinja_val self;
	struct evaluated e;

	if (jinja_eval_expr(run, x->base, &self) != 0 ||
	    eval_args(run, x, false, &e) != 0)
		return -1;
	at_name(run, x);
	return jinja_call_method(run, self, x->name, &e.actual, out);
}

/* ---- members ---- */

static int
eval_attr(struct jinja_run *run, const struct jinja_expr *x, struct jinja_val *out)
{
	struct jinja_val base;

	if (jinja_eval_soft(run, x->base, &base) != 0)
		return -1;
	at_name(run, x);
	if (base.kind == JINJA_UNDEFINED) {
		*out = base;
		return 0;
	}
	return jinja_attr(run, base, x->name, x->base, out);
}

static int
eval_index(struct jinja_run *run, const struct jinja_expr *x, struct jinja_val *out)
{
	struct jinja_val base, index;

	if (jinja_eval_soft(run, x->base, &base) != 0 ||
	    jinja_eval_expr(run, x->index, &index) != 0)
		return -1;
	jinja_at(run, x->index->off, x->index->len);
	if (base.kind == JINJA_UNDEFINED) {
		*out = base;
		return 0;
	}
	return jinja_index(run, base, index, x->base, out);
}

static int
eval_slice(struct jinja_run *run, const struct jinja_expr *x, struct jinja_val *out)
{
	const struct jinja_expr *part[3] = {x->slice.lo, x->slice.hi, x->slice.step};
	struct jinja_val base, bound[3];
	size_t i;

	if (jinja_eval_expr(run, x->base, &base) != 0)
		return -1;
	for (i = 0; i < 3; i++) {
		bound[i] = jinja_none();
		if (part[i] != NULL && jinja_eval_expr(run, part[i], &bound[i]) != 0)
			return -1;
	}
	jinja_at(run, x->off, x->len);
	return jinja_slice(run, base, bound, out);
}

/* ---- operators ---- */

static int
eval_list(struct jinja_run *run, const struct jinja_expr *x, struct jinja_val *out)
{
	struct jinja_list *l = jinja_make_list(run);
	const struct jinja_item *it;
	struct jinja_val v;

	if (l == NULL)
		return -1;
	l->flavour = x->kind == JINJA_X_TUPLE ? JINJA_LIST_TUPLE : JINJA_LIST_PLAIN;
	for (it = x->items.first; it != NULL; it = it->next) {
		if (jinja_eval_expr(run, it->x, &v) != 0)
			return -1;
		jinja_at(run, it->x->off, it->x->len);
		if (jinja_push(run, l, v) != 0)
			return -1;
	}
	*out = jinja_list_val(l);
	return 0;
}

static int
eval_dict(struct jinja_run *run, const struct jinja_expr *x, struct jinja_val *out)
{
	struct jinja_dict *d = jinja_make_dict(run);
	const struct jinja_item *it;
	struct jinja_val key, v;

	if (d == NULL)
		return -1;
	for (it = x->items.first; it != NULL; it = it->next) {
		if (jinja_eval_expr(run, it->x, &key) != 0 ||
		    jinja_eval_expr(run, it->value, &v) != 0)
			return -1;
		jinja_at(run, it->x->off, it->x->len);
		if (jinja_put_member(run, d, key, v) != 0)
			return -1;
	}
	*out = jinja_dict_value(d);
	return 0;
}

static int
eval_arith(struct jinja_run *run, const struct jinja_expr *x, struct jinja_val *out)
{
	const struct jinja_item *it = x->items.first;
	struct jinja_val acc, right;

	if (jinja_eval_expr(run, it->x, &acc) != 0)
		return -1;
	for (it = it->next; it != NULL; it = it->next) {
		if (jinja_eval_expr(run, it->x, &right) != 0)
			return -1;
		jinja_at(run, it->off, it->len);
		if (jinja_arith(run, it->op, acc, right, &acc) != 0)
			return -1;
	}
	*out = acc;
	return 0;
}

/* a ~ b ~ c; what an `if` without `else` left out is empty here. */
static int
eval_concat(struct jinja_run *run, const struct jinja_expr *x, struct jinja_val *out)
{
	const struct jinja_item *it;
	struct jinja_val v;
	struct buf b;
	int rc = 0;

	jinja_buf(run, &b);
	for (it = x->items.first; it != NULL && rc == 0; it = it->next) {
		rc = jinja_eval_soft(run, it->x, &v);
		if (rc != 0 || jinja_is_left_out(v))
			continue;
		jinja_at(run, it->x->off, it->x->len);
		rc = jinja_need(run, v) != 0 || jinja_settle(run, v, &v) != 0 ? -1 : 0;
		if (rc == 0) {
			jinja_put(&b, v);
			rc = jinja_check_buf(run, &b);
		}
	}
	if (rc != 0) {
		buf_release(&b);
		return -1;
	}
	jinja_at(run, x->off, x->len);
	return jinja_take_buf(run, &b, out);
}

static int
eval_compare(struct jinja_run *run, const struct jinja_expr *x, struct jinja_val *out)
{
	const struct jinja_item *it = x->items.first;
	struct jinja_val left, right;
	bool yes = true;

	if (jinja_eval_expr(run, it->x, &left) != 0)
		return -1;
	for (it = it->next; it != NULL && yes; it = it->next) {
		if (jinja_eval_expr(run, it->x, &right) != 0)
			return -1;
		jinja_at(run, it->off, it->len);
		if (jinja_compare(run, it->op, left, right, &yes) != 0)
			return -1;
		left = right;
	}
	*out = jinja_bool(yes);
	return 0;
}

/* `and` and `or` give the operand that decided, as in Python. */
static int
eval_logic(struct jinja_run *run, const struct jinja_expr *x, struct jinja_val *out)
{
	const struct jinja_item *it;

	for (it = x->items.first; it != NULL; it = it->next) {
		if (jinja_eval_expr(run, it->x, out) != 0)
			return -1;
		if (jinja_truth(*out) == (x->kind == JINJA_X_OR))
			break;
	}
	return 0;
}

static int
eval_cond(struct jinja_run *run, const struct jinja_expr *x, struct jinja_val *out)
{
	struct jinja_val c;

	if (jinja_eval_expr(run, x->sel.cond, &c) != 0)
		return -1;
	if (jinja_truth(c))
		return jinja_eval_soft(run, x->base, out);
	if (x->sel.other != NULL)
		return jinja_eval_soft(run, x->sel.other, out);
	jinja_at(run, x->off, x->len);
	return jinja_make_left_out(out);
}

static int
eval_prefix(struct jinja_run *run, const struct jinja_expr *x, struct jinja_val *out)
{
	struct jinja_val v;

	if (jinja_eval_expr(run, x->base, &v) != 0)
		return -1;
	jinja_at(run, x->off, x->len);
	if (x->kind == JINJA_X_NOT) {
		*out = jinja_bool(!jinja_truth(v));
		return 0;
	}
	if (!jinja_is_num(v))
		return jinja_fail(run, "%s has no sign", jinja_kind_name(v));
	if (x->kind == JINJA_X_NEG)
		return jinja_negate(run, v, out);
	*out = v.kind == JINJA_BOOL ? jinja_int(v.b) : v;
	return 0;
}

/* The value of an expression, which may be undefined. */
int
jinja_eval_soft(struct jinja_run *run, const struct jinja_expr *x, struct jinja_val *out)
{
	jinja_at(run, x->off, x->len);
	if (jinja_step(run, 1) != 0)
		return -1;
	switch (x->kind) {
	case JINJA_X_CONST:
		*out = x->val;
		return 0;
	case JINJA_X_NAME:
		return jinja_lookup(run, x->name, out);
	case JINJA_X_CAPTURED:
		*out = run->captured;
		return 0;
	case JINJA_X_LIST:
	case JINJA_X_TUPLE:
		return eval_list(run, x, out);
	case JINJA_X_DICT:
		return eval_dict(run, x, out);
	case JINJA_X_ATTR:
		return eval_attr(run, x, out);
	case JINJA_X_ITEM:
		return eval_index(run, x, out);
	case JINJA_X_SLICE:
		return eval_slice(run, x, out);
	case JINJA_X_CALL:
		return eval_fn(run, x, "function", out);
	case JINJA_X_METHOD:
		return eval_method(run, x, out);
	case JINJA_X_FILTER:
		return eval_fn(run, x, "filter", out);
	case JINJA_X_TEST:
		return eval_test(run, x, out);
	case JINJA_X_NOT:
	case JINJA_X_NEG:
	case JINJA_X_POS:
		return eval_prefix(run, x, out);
	case JINJA_X_ARITH:
		return eval_arith(run, x, out);
	case JINJA_X_CONCAT:
		return eval_concat(run, x, out);
	case JINJA_X_COMPARE:
		return eval_compare(run, x, out);
	case JINJA_X_AND:
	case JINJA_X_OR:
		return eval_logic(run, x, out);
	case JINJA_X_COND:
		return eval_cond(run, x, out);
	}
	return -1;
}

int
jinja_eval_expr(struct jinja_run *run, const struct jinja_expr *x, struct jinja_val *out)
{
	if (jinja_eval_soft(run, x, out) != 0)
		return -1;
	if (out->kind != JINJA_UNDEFINED)
		return 0;
	jinja_at(run, x->off, x->len);
	return jinja_fail_undefined(run, *out);
}
