/* Arithmetic as Python's, on 64 bits with every overflow an error. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/jinja_run.h"

#include <math.h>
#include <string.h>

static const char *
op_text(enum jinja_op op)
{
	static const char *const text[] = {
	    [JINJA_OP_ADD] = "+",  [JINJA_OP_SUB] = "-",       [JINJA_OP_MUL] = "*",
	    [JINJA_OP_DIV] = "/",  [JINJA_OP_FLOORDIV] = "//", [JINJA_OP_MOD] = "%",
	    [JINJA_OP_POW] = "**",
	};

	return text[op];
}

static int
overflow(struct jinja_run *run)
{
	return jinja_fail(run, "the result does not fit into 64 bits");
}

static int
by_zero(struct jinja_run *run)
{
	return jinja_fail(run, "division by zero");
}

/* base ** exp for exp >= 0. */
static int
int_pow(struct jinja_run *run, int64_t base, int64_t exp, struct jinja_val *out)
{
	int64_t r = 1;

	/* These never overflow, however big the exponent is. */
	if (base == 0 || base == 1 || base == -1) {
		*out = jinja_int(exp == 0 ? 1 : base == -1 && exp % 2 == 0 ? 1 : base);
		return 0;
	}
	for (; exp > 0; exp--)
		if (__builtin_mul_overflow(r, base, &r))
			return overflow(run);
	*out = jinja_int(r);
	return 0;
}

/* Division that rounds down, and its remainder, which has the divisor's sign. */
static int
int_divide(struct jinja_run *run, enum jinja_op op, int64_t a, int64_t b,
	   struct jinja_val *out)
{
	int64_t q, r;

	if (b == 0)
		return by_zero(run);
	if (b == -1) {
		if (op == JINJA_OP_FLOORDIV && a == INT64_MIN)
			return overflow(run);
		*out = jinja_int(op == JINJA_OP_FLOORDIV ? -a : 0);
		return 0;
	}
	q = a / b;
	r = a % b;
	if (r != 0 && (r < 0) != (b < 0)) {
		q--;
		r += b;
	}
	*out = jinja_int(op == JINJA_OP_FLOORDIV ? q : r);
	return 0;
}

static int
float_pow(struct jinja_run *run, double a, double b, struct jinja_val *out)
{
	double r;

	if (a == 0 && b < 0)
		return by_zero(run);
	if (a < 0 && isfinite(a) && isfinite(b) && b != floor(b))
		return jinja_fail(run,
				  "a negative number has no real power of a fraction");
	r = pow(a, b);
	if (isinf(r) && isfinite(a) && isfinite(b))
		return jinja_fail(run, "the result is too big for a float");
	*out = jinja_float(r);
	return 0;
}

static int
float_divide(struct jinja_run *run, enum jinja_op op, double a, double b,
	     struct jinja_val *out)
{
	double mod, div, whole;

	if (b == 0)
		return by_zero(run);
	mod = fmod(a, b);
	div = (a - mod) / b;
	if (mod != 0 && (mod < 0) != (b < 0)) {
		mod += b;
		div -= 1;
	} else if (mod == 0) {
		mod = copysign(0, b);
	}
	if (op == JINJA_OP_MOD) {
		*out = jinja_float(mod);
		return 0;
	}
	whole = div != 0 ? floor(div) : copysign(0, a / b);
	if (div - whole > 0.5)
		whole += 1;
	*out = jinja_float(whole);
	return 0;
}

static int
float_arith(struct jinja_run *run, enum jinja_op op, double a, double b,
	    struct jinja_val *out)
{
	switch ((int)op) {
	case JINJA_OP_ADD:
		*out = jinja_float(a + b);
		return 0;
	case JINJA_OP_SUB:
		*out = jinja_float(a - b);
		return 0;
	case JINJA_OP_MUL:
		*out = jinja_float(a * b);
		return 0;
	case JINJA_OP_DIV:
		if (b == 0)
			return by_zero(run);
		*out = jinja_float(a / b);
		return 0;
	case JINJA_OP_POW:
		return float_pow(run, a, b, out);
	default:
		return float_divide(run, op, a, b, out);
	}
}

static int
int_arith(struct jinja_run *run, enum jinja_op op, int64_t a, int64_t b,
	  struct jinja_val *out)
{
	int64_t r = 0;
	bool over;

	switch ((int)op) {
	case JINJA_OP_ADD:
		over = __builtin_add_overflow(a, b, &r);
		break;
	case JINJA_OP_SUB:
		over = __builtin_sub_overflow(a, b, &r);
		break;
	case JINJA_OP_MUL:
		over = __builtin_mul_overflow(a, b, &r);
		break;
	case JINJA_OP_DIV:
		if (b == 0)
			return by_zero(run);
		/* 80 bits hold both exactly, so the quotient is as good as can be. */
		*out = jinja_float((double)((long double)a / (long double)b));
		return 0;
	case JINJA_OP_POW:
		if (b < 0)
			return float_pow(run, (double)a, (double)b, out);
		return int_pow(run, a, b, out);
	default:
		return int_divide(run, op, a, b, out);
	}
	if (over)
		return overflow(run);
	*out = jinja_int(r);
	return 0;
}

static int
repeat_list(struct jinja_run *run, const struct jinja_list *from, int64_t times,
	    struct jinja_val *out)
{
	struct jinja_list *l = jinja_make_list(run);
	size_t i;

	if (l == NULL)
		return -1;
	l->flavour = from->flavour;
	for (; times > 0 && from->n != 0; times--)
		for (i = 0; i < from->n; i++)
			if (jinja_push(run, l, from->v[i]) != 0)
				return -1;
	*out = jinja_list_val(l);
	return 0;
}

static int
repeat_str(struct jinja_run *run, struct jinja_val s, int64_t times,
	   struct jinja_val *out)
{
	size_t n, i;
	char *p;

	if (times <= 0 || s.s.n == 0)
		return jinja_make_str(run, "", 0, out);
	if (__builtin_mul_overflow(s.s.n, (uint64_t)times, &n))
		n = SIZE_MAX - 1;
	p = jinja_make_room(run, n);
	if (p == NULL)
		return -1;
	for (i = 0; i < n; i += s.s.n)
		memcpy(p + i, s.s.p, s.s.n);
	*out = jinja_strn(p, n);
	return 0;
}

static int
join_lists(struct jinja_run *run, const struct jinja_list *a, const struct jinja_list *b,
	   struct jinja_val *out)
{
	struct jinja_list *l = jinja_make_list(run);
	size_t i;

	if (l == NULL)
		return -1;
	l->flavour = a->flavour;
	for (i = 0; i < a->n; i++)
		if (jinja_push(run, l, a->v[i]) != 0)
			return -1;
	for (i = 0; i < b->n; i++)
		if (jinja_push(run, l, b->v[i]) != 0)
			return -1;
	*out = jinja_list_val(l);
	return 0;
}

static int
join_strs(struct jinja_run *run, struct jinja_val a, struct jinja_val b,
	  struct jinja_val *out)
{
	char *p = jinja_make_room(run, a.s.n + b.s.n);

	if (p == NULL)
		return -1;
	memcpy(p, a.s.p, a.s.n);
	memcpy(p + a.s.n, b.s.p, b.s.n);
	*out = jinja_strn(p, a.s.n + b.s.n);
	return 0;
}

static bool
is_sequence(struct jinja_val v)
{
	return v.kind == JINJA_LIST && v.list->flavour <= JINJA_LIST_TUPLE;
}

static bool
is_int(struct jinja_val v)
{
	return v.kind == JINJA_INT || v.kind == JINJA_BOOL;
}

/* What + * % do beside numbers: 1 if it is not one of these, else 0 or -1. */
static int
sequence_arith(struct jinja_run *run, enum jinja_op op, struct jinja_val a,
	       struct jinja_val b, struct jinja_val *out)
{
	struct jinja_val swap;

	if (op == JINJA_OP_MOD && a.kind == JINJA_STR)
		return jinja_printf(run, a, b, out);
	if (op == JINJA_OP_ADD && a.kind == JINJA_STR && b.kind == JINJA_STR)
		return join_strs(run, a, b, out);
	if (op == JINJA_OP_ADD && is_sequence(a) && is_sequence(b) &&
	    a.list->flavour == b.list->flavour)
		return join_lists(run, a.list, b.list, out);
	if (op != JINJA_OP_MUL)
		return 1;
	if (is_int(a)) {
		swap = a;
		a = b;
		b = swap;
	}
	if (!is_int(b))
		return 1;
	if (b.kind == JINJA_BOOL)
		b = jinja_int(b.b);
	if (a.kind == JINJA_STR)
		return repeat_str(run, a, b.i, out);
	return is_sequence(a) ? repeat_list(run, a.list, b.i, out) : 1;
}

int
jinja_arith(struct jinja_run *run, enum jinja_op op, struct jinja_val a,
	    struct jinja_val b, struct jinja_val *out)
{
	int rc;

	if (is_int(a) && is_int(b))
		return int_arith(run, op, a.kind == JINJA_BOOL ? a.b : a.i,
				 b.kind == JINJA_BOOL ? b.b : b.i, out);
	if (jinja_is_num(a) && jinja_is_num(b))
		return float_arith(run, op, jinja_as_double(a), jinja_as_double(b), out);
	rc = sequence_arith(run, op, a, b, out);
	if (rc <= 0)
		return rc;
	if (op == JINJA_OP_ADD && (a.kind == JINJA_STR || b.kind == JINJA_STR))
		return jinja_fail(run, "'+' does not join %s and %s; '~' joins texts",
				  jinja_kind_name(a), jinja_kind_name(b));
	return jinja_fail(run, "'%s' does not work on %s and %s", op_text(op),
			  jinja_kind_name(a), jinja_kind_name(b));
}

int
jinja_negate(struct jinja_run *run, struct jinja_val v, struct jinja_val *out)
{
	if (v.kind == JINJA_FLOAT) {
		*out = jinja_float(-v.f);
		return 0;
	}
	return int_arith(run, JINJA_OP_SUB, 0, v.kind == JINJA_BOOL ? v.b : v.i, out);
}
