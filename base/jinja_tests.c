/* Tests: what may follow `is`. */
#include "base/jinja_run.h"

#include <math.h>
#include <string.h>

static int
answer(struct jinja_val *out, bool yes)
{
	*out = jinja_bool(yes);
	return 0;
}

static int
test_defined(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	return answer(out, a->self.kind != JINJA_UNDEFINED);
}

static int
test_undefined(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	return answer(out, a->self.kind == JINJA_UNDEFINED);
}

static int
test_none(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	return answer(out, a->self.kind == JINJA_NONE);
}

static int
test_boolean(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	return answer(out, a->self.kind == JINJA_BOOL);
}

static int
test_true(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	return answer(out, a->self.kind == JINJA_BOOL && a->self.b);
}

static int
test_false(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	return answer(out, a->self.kind == JINJA_BOOL && !a->self.b);
}

static int
test_string(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	return answer(out, a->self.kind == JINJA_STR);
}

static int
test_number(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	return answer(out, jinja_is_num(a->self));
}

static int
test_integer(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	return answer(out, a->self.kind == JINJA_INT);
}

static int
test_float(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	return answer(out, a->self.kind == JINJA_FLOAT);
}

static bool
is_mapping(struct jinja_val v)
{
	return (v.kind == JINJA_HOST && jinja_loop_of(v) == NULL) ||
	       (v.kind == JINJA_DICT && !v.dict->is_namespace);
}

static int
test_mapping(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	return answer(out, is_mapping(a->self));
}

/* As in Jinja2, where whatever has a length and can be subscripted is a sequence. */
static int
test_sequence(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	return answer(out, a->self.kind == JINJA_STR || a->self.kind == JINJA_LIST ||
			       is_mapping(a->self));
}

/* even, odd: remainder of the division by 2, which only numbers have. */
static int
remainder_is(struct jinja_run *run, struct jinja_val v, struct jinja_val by,
	     int64_t wanted, struct jinja_val *out)
{
	struct jinja_val rest;
	bool yes;

	if (!jinja_is_num(v) || !jinja_is_num(by))
		return jinja_fail(run, "%s is no number",
				  jinja_kind_name(jinja_is_num(v) ? by : v));
	if (jinja_arith(run, JINJA_OP_MOD, v, by, &rest) != 0 ||
	    jinja_equal(run, rest, jinja_int(wanted), &yes) != 0)
		return -1;
	return answer(out, yes);
}

static int
test_even(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return remainder_is(run, a->self, jinja_int(2), 0, out);
}

static int
test_odd(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return remainder_is(run, a->self, jinja_int(2), 1, out);
}

static int
test_divisibleby(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return remainder_is(run, a->self, a->v[0], 0, out);
}

static int
compared(struct jinja_run *run, enum jinja_op op, const struct jinja_args *a,
	 struct jinja_val *out)
{
	bool yes;

	if (jinja_compare(run, op, a->self, a->v[0], &yes) != 0)
		return -1;
	return answer(out, yes);
}

#define COMPARISON(name, op)                                                      \
	static int test_##name(struct jinja_run *run, const struct jinja_args *a, \
			       struct jinja_val *out)                             \
	{                                                                         \
		return compared(run, op, a, out);                                 \
	}

COMPARISON(eq, JINJA_OP_EQ)
COMPARISON(ne, JINJA_OP_NE)
COMPARISON(lt, JINJA_OP_LT)
COMPARISON(le, JINJA_OP_LE)
COMPARISON(gt, JINJA_OP_GT)
COMPARISON(ge, JINJA_OP_GE)
COMPARISON(in, JINJA_OP_IN)

/* The same object: values that are held by reference, or simple ones of one kind. */
static int
test_sameas(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val x = a->self, y = a->v[0];
	bool yes;

	if (x.kind != y.kind)
		return answer(out, false);
	if (x.kind == JINJA_LIST || x.kind == JINJA_DICT || x.kind == JINJA_HOST)
		return answer(out, x.kind == JINJA_LIST	  ? x.list == y.list
				   : x.kind == JINJA_DICT ? x.dict == y.dict
							  : x.host == y.host);
	if (jinja_equal(run, x, y, &yes) != 0)
		return -1;
	return answer(out, yes);
}

/* All letters of one case, and at least one. */
static int
letters_are(struct jinja_run *run, const struct jinja_args *a, bool upper,
	    struct jinja_val *out)
{
	struct jinja_val s;
	size_t i, adv;
	bool any = false;
	uint32_t c;

	if (jinja_self_str(run, a, &s) != 0 || jinja_cost(run, s.s.n) != 0)
		return -1;
	for (i = 0; i < s.s.n; i += adv) {
		c = jinja_u8_next(s.s.p + i, s.s.n - i, &adv);
		if (jinja_u8_lower(c) != c) {
			if (!upper)
				return answer(out, false);
			any = true;
		} else if (jinja_u8_upper(c) != c) {
			if (upper)
				return answer(out, false);
			any = true;
		}
	}
	return answer(out, any);
}

static int
test_lower(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return letters_are(run, a, false, out);
}

static int
test_upper(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return letters_are(run, a, true, out);
}

const struct jinja_fn jinja_tests[] = {
    {"defined", test_defined, "", 0, JINJA_FN_UNDEFINED},
    {"undefined", test_undefined, "", 0, JINJA_FN_UNDEFINED},
    {"none", test_none, "", 0, 0},
    {"boolean", test_boolean, "", 0, 0},
    {"true", test_true, "", 0, 0},
    {"false", test_false, "", 0, 0},
    {"string", test_string, "", 0, 0},
    {"number", test_number, "", 0, 0},
    {"integer", test_integer, "", 0, 0},
    {"float", test_float, "", 0, 0},
    {"mapping", test_mapping, "", 0, 0},
    {"sequence", test_sequence, "", 0, 0},
    {"iterable", test_sequence, "", 0, 0},
    {"even", test_even, "", 0, 0},
    {"odd", test_odd, "", 0, 0},
    {"divisibleby", test_divisibleby, "num", 1, 0},
    {"in", test_in, "seq", 1, 0},
    {"lower", test_lower, "", 0, 0},
    {"upper", test_upper, "", 0, 0},
    {"sameas", test_sameas, "other", 1, 0},
    {"eq", test_eq, "other", 1, 0},
    {"equalto", test_eq, "other", 1, 0},
    {"==", test_eq, "other", 1, 0},
    {"ne", test_ne, "other", 1, 0},
    {"!=", test_ne, "other", 1, 0},
    {"lt", test_lt, "other", 1, 0},
    {"lessthan", test_lt, "other", 1, 0},
    {"<", test_lt, "other", 1, 0},
    {"le", test_le, "other", 1, 0},
    {"<=", test_le, "other", 1, 0},
    {"gt", test_gt, "other", 1, 0},
    {"greaterthan", test_gt, "other", 1, 0},
    {">", test_gt, "other", 1, 0},
    {"ge", test_ge, "other", 1, 0},
    {">=", test_ge, "other", 1, 0},
    {NULL, NULL, NULL, 0, 0},
};
