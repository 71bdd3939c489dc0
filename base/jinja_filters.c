/* Filters on values of any kind, and on numbers. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/jinja_run.h"
#include "base/json.h"
#include "base/num.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static int
filter_default(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	bool falsy;

	if (jinja_arg_bool(run, a, 1, false, &falsy) != 0)
		return -1;
	if (a->self.kind == JINJA_UNDEFINED || (falsy && !jinja_truth(a->self)))
		*out = jinja_given(a, 0) ? a->v[0] : jinja_str("");
	else
		*out = a->self;
	return 0;
}

/* What the emit hook acts on; the value itself stays as it is. */
static int
filter_mark(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	*out = a->self;
	return 0;
}

static int
filter_attr(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val name;

	if (jinja_arg_str(run, a, 0, "", &name) != 0)
		return -1;
	return jinja_attr(run, a->self, name.s.p, NULL, out);
}

static int
filter_string(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return jinja_to_str(run, a->self, out);
}

static int
filter_list(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	const struct jinja_list *from;
	struct jinja_list *l;
	size_t i;

	if (jinja_iterate(run, a->self, &from) != 0 || (l = jinja_make_list(run)) == NULL)
		return -1;
	for (i = 0; i < from->n; i++)
		if (jinja_push(run, l, from->v[i]) != 0)
			return -1;
	*out = jinja_list_val(l);
	return 0;
}

static int
filter_length(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	const struct jinja_list *l;
	size_t n;

	if (a->self.kind == JINJA_STR) {
		if (jinja_cost(run, a->self.s.n) != 0)
			return -1;
		n = jinja_u8_len(a->self.s.p, a->self.s.n);
	} else if (a->self.kind == JINJA_DICT && !a->self.dict->is_namespace) {
		n = a->self.dict->n;
	} else {
		if (a->self.kind != JINJA_LIST && a->self.kind != JINJA_HOST)
			return jinja_fail(run, "%s has no length",
					  jinja_kind_name(a->self));
		if (jinja_iterate(run, a->self, &l) != 0)
			return -1;
		n = l->n;
	}
	*out = jinja_int((int64_t)n);
	return 0;
}

static int
filter_items(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	if (a->self.kind != JINJA_DICT && a->self.kind != JINJA_HOST)
		return jinja_fail(run, "only a mapping has items, not %s",
				  jinja_kind_name(a->self));
	return jinja_call_method(run, a->self, "items", &(struct jinja_actual){0}, out);
}

/* ---- numbers ---- */

/* The text of a number without blanks around it and '_' between digits, or false. */
static bool
number_text(struct jinja_val s, char *to, size_t size)
{
	const char *p = s.s.p, *end = s.s.p + s.s.n;
	size_t n = 0;

	while (p < end && jinja_is_space((unsigned char)*p))
		p++;
	while (end > p && jinja_is_space((unsigned char)end[-1]))
		end--;
	for (; p < end; p++) {
		if (*p == '_' && n > 0 && p + 1 < end && p[-1] != '_' && p[1] != '_')
			continue;
		if (n + 1 >= size || *p == '\0')
			return false;
		to[n++] = *p;
	}
	to[n] = '\0';
	return n != 0;
}

/* Whether the text is a number with more digits than number_text takes. */
static bool
too_long(struct jinja_val s)
{
	return s.s.n >= 512 && strspn(s.s.p, "0123456789_+- \t\r\n") == s.s.n;
}

/* Python's float("..."): true with ${f}, or false if the text is no number. */
static bool
parse_float(struct jinja_val s, double *f)
{
	char text[512];

	return number_text(s, text, sizeof(text)) && num_float(text, f) == 0;
}

static int
float_to_int(struct jinja_run *run, double f, struct jinja_val *out)
{
	if (!(f >= -9223372036854775808.0 && f < 9223372036854775808.0))
		return jinja_fail(run, "the number does not fit into 64 bits");
	*out = jinja_int((int64_t)f);
	return 0;
}

/* Digits of a base behind sign and prefix: 1 with ${v}, 0 if they are none, -1 overflow. */
static int
parse_based(const char *p, int base, int64_t *v)
{
	bool minus = *p == '-';
	const char *digits = "0123456789abcdefghijklmnopqrstuvwxyz", *at;
	char letter = base == 2 ? 'b' : base == 8 ? 'o' : base == 16 ? 'x' : '\0';

	p += *p == '-' || *p == '+';
	if (letter != '\0' && p[0] == '0' && (p[1] | 0x20) == letter)
		p += 2;
	*v = 0;
	if (*p == '\0')
		return 0;
	for (; *p != '\0'; p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + 0x20) : *p;

		at = strchr(digits, c);
		if (at == NULL || at - digits >= base)
			return 0;
		if (__builtin_mul_overflow(*v, base, v) ||
		    (minus ? __builtin_sub_overflow(*v, at - digits, v)
			   : __builtin_add_overflow(*v, at - digits, v)))
			return -1;
	}
	return 1;
}

/* int("...") and, where that is none, int(float("...")); else the default. */
static int
str_to_int(struct jinja_run *run, const struct jinja_args *a, int base,
	   struct jinja_val *out)
{
	char text[512];
	int64_t v = 0;
	double f;
	int rc = 0;

	if (number_text(a->self, text, sizeof(text)))
		rc = parse_based(text, base, &v);
	else if (too_long(a->self))
		rc = -1;
	if (rc < 0)
		return jinja_fail(run, "the number does not fit into 64 bits");
	if (rc > 0) {
		*out = jinja_int(v);
		return 0;
	}
	if (parse_float(a->self, &f) && isfinite(f))
		return float_to_int(run, f, out);
	*out = jinja_given(a, 0) ? a->v[0] : jinja_int(0);
	return 0;
}

static int
filter_int(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	int64_t base;

	if (jinja_arg_int(run, a, 1, 10, &base) != 0)
		return -1;
	if (base < 2 || base > 36)
		return jinja_fail(run, "the base of a number is from 2 to 36");
	if (a->self.kind == JINJA_STR)
		return str_to_int(run, a, (int)base, out);
	if (a->self.kind == JINJA_FLOAT && !isnan(a->self.f))
		return float_to_int(run, a->self.f, out);
	if (a->self.kind == JINJA_INT || a->self.kind == JINJA_BOOL)
		*out = jinja_int(a->self.kind == JINJA_INT ? a->self.i : a->self.b);
	else
		*out = jinja_given(a, 0) ? a->v[0] : jinja_int(0);
	return 0;
}

static int
filter_float(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	double f;

	if (a->self.kind == JINJA_STR && too_long(a->self))
		return jinja_fail(run, "the number has too many digits");
	if (jinja_is_num(a->self))
		*out = jinja_float(jinja_as_double(a->self));
	else if (a->self.kind == JINJA_STR && parse_float(a->self, &f))
		*out = jinja_float(f);
	else
		*out = jinja_given(a, 0) ? a->v[0] : jinja_float(0);
	return 0;
}

static int
filter_abs(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	if (!jinja_is_num(a->self))
		return jinja_fail(run, "%s has no absolute value",
				  jinja_kind_name(a->self));
	if (a->self.kind == JINJA_FLOAT)
		*out = jinja_float(fabs(a->self.f));
	else if (a->self.kind == JINJA_INT && a->self.i < 0)
		return jinja_negate(run, a->self, out);
	else
		*out = jinja_int(a->self.kind == JINJA_INT ? a->self.i : a->self.b);
	return 0;
}

/* Rounding of the decimal value, halves to even; libc's conversion is exact. */
static double
round_float(double f, int64_t precision)
{
	char text[700];
	double scale, rounded;

	if (!isfinite(f) || precision > 300)
		return f;
	if (precision < 0) {
		if (precision < -308)
			return copysign(0, f);
		scale = pow(10, (double)-precision);
		return nearbyint(f / scale) * scale;
	}
	(void)snprintf(text, sizeof(text), "%.*f", (int)precision, f);
	return num_f64(text, &rounded) == 0 ? rounded : f;
}

/* Rounding of an integer to tens, hundreds ..., halves to even. */
static int
round_int(struct jinja_run *run, int64_t v, int64_t precision, struct jinja_val *out)
{
	int64_t scale = 1, rest, low;

	*out = jinja_int(v);
	if (precision >= 0)
		return 0;
	if (precision < -18) {
		*out = jinja_int(0);
		return 0;
	}
	for (; precision < 0; precision++)
		scale *= 10;
	rest = v % scale;
	if (rest < 0)
		rest += scale;
	if (__builtin_sub_overflow(v, rest, &low))
		return jinja_fail(run, "the result does not fit into 64 bits");
	if (rest > scale - rest || (rest == scale - rest && (low / scale) % 2 != 0))
		if (__builtin_add_overflow(low, scale, &low))
			return jinja_fail(run, "the result does not fit into 64 bits");
	*out = jinja_int(low);
	return 0;
}

static int
filter_round(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val method;
	int64_t precision;
	double scale, f;

	if (jinja_arg_int(run, a, 0, 0, &precision) != 0 ||
	    jinja_arg_str(run, a, 1, "common", &method) != 0)
		return -1;
	if (!jinja_is_num(a->self))
		return jinja_fail(run, "%s cannot be rounded", jinja_kind_name(a->self));
	if (strcmp(method.s.p, "common") == 0) {
		if (a->self.kind != JINJA_FLOAT)
			return round_int(
			    run, a->self.kind == JINJA_INT ? a->self.i : a->self.b,
			    precision, out);
		*out = jinja_float(round_float(a->self.f, precision));
		return 0;
	}
	if (strcmp(method.s.p, "ceil") != 0 && strcmp(method.s.p, "floor") != 0)
		return jinja_fail(run,
				  "a number is rounded by 'common', 'ceil' or 'floor'");
	scale = pow(10, (double)precision);
	f = jinja_as_double(a->self) * scale;
	if (!isfinite(f) || scale == 0)
		return jinja_fail(run, "the number cannot be rounded to %lld places",
				  (long long)precision);
	*out = jinja_float((method.s.p[0] == 'c' ? ceil(f) : floor(f)) / scale);
	return 0;
}

/* ---- JSON ---- */

/* Whether JSON has a way to write the value. */
static int
check_json(struct jinja_run *run, struct jinja_val v)
{
	size_t i;

	if (jinja_step(run, 1) != 0)
		return -1;
	if (v.kind == JINJA_FLOAT && !isfinite(v.f))
		return jinja_fail(run, "JSON has no infinity and no 'nan'");
	if (v.kind == JINJA_DICT && v.dict->is_namespace)
		return jinja_fail(run, "a namespace cannot be written as JSON");
	for (i = 0; v.kind == JINJA_LIST && i < v.list->n; i++)
		if (check_json(run, v.list->v[i]) != 0)
			return -1;
	for (i = 1; v.kind == JINJA_DICT && i <= v.dict->n; i++)
		if (check_json(run, v.dict->v[i].val) != 0)
			return -1;
	return 0;
}

/* As Jinja2 writes it: keys sorted, ASCII only, safe inside HTML. */
static int
filter_tojson(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val v;
	int64_t indent = -1;
	struct buf b;

	if (jinja_given(a, 0) && a->v[0].kind != JINJA_NONE &&
	    jinja_arg_int(run, a, 0, -1, &indent) != 0)
		return -1;
	if (indent > 64)
		return jinja_fail(run, "JSON is indented by at most 64 blanks");
	if (jinja_settle(run, a->self, &v) != 0 || check_json(run, v) != 0)
		return -1;
	jinja_buf(run, &b);
	jinja_put_json_with(&b, v,
			    JINJA_JSON_SPACED | JINJA_JSON_SORTED | JINJA_JSON_ASCII |
				JINJA_JSON_HTML,
			    (int)indent);
	return jinja_take_buf(run, &b, out);
}

static int
filter_fromjson(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct err err;
	json_t *j;
	int rc;

	if (a->self.kind != JINJA_STR)
		return jinja_fail(run, "only a string can hold JSON, not %s",
				  jinja_kind_name(a->self));
	/* Every two bytes may become a value. */
	if (jinja_step(run, a->self.s.n / 2) != 0)
		return -1;
	err_clear(&err);
	j = json_parse(a->self.s.p, a->self.s.n, &err);
	if (j == NULL && err.code == ERR_NOMEM)
		return jinja_fail_nomem(run);
	if (j == NULL)
		return jinja_fail(run, "this is not JSON: %s", err.msg);
	rc = jinja_from_json(run->arena, j, out);
	json_decref(j);
	return rc == 0 ? 0 : jinja_fail_nomem(run);
}

const struct jinja_fn jinja_filters_core[] = {
    {"abs", filter_abs, "", 0, 0},
    {"attr", filter_attr, "name", 1, 0},
    {"count", filter_length, "", 0, 0},
    {"d", filter_default, "default_value boolean", 0, JINJA_FN_UNDEFINED},
    {"default", filter_default, "default_value boolean", 0, JINJA_FN_UNDEFINED},
    {"float", filter_float, "default", 0, 0},
    {"fromjson", filter_fromjson, "", 0, 0},
    {"ident", filter_mark, "", 0, JINJA_FN_EMIT},
    {"int", filter_int, "default base", 0, 0},
    {"items", filter_items, "", 0, 0},
    {"length", filter_length, "", 0, 0},
    {"list", filter_list, "", 0, 0},
    {"round", filter_round, "precision method", 0, 0},
    {"sh", filter_mark, "", 0, JINJA_FN_EMIT},
    {"string", filter_string, "", 0, 0},
    {"tojson", filter_tojson, "indent", 0, 0},
    {NULL, NULL, NULL, 0, 0},
};
