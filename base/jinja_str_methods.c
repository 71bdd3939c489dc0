/* Methods of strings, as Python has them. */
#include "base/arena.h"
#include "base/jinja_run.h"

#include <stdlib.h>
#include <string.h>

/* ---- strings ---- */

#define CASE_METHOD(name, how)                                                   \
	static int str_##name(struct jinja_run *run, const struct jinja_args *a, \
			      struct jinja_val *out)                             \
	{                                                                        \
		return jinja_case_str(run, a->self, how, out);                   \
	}

CASE_METHOD(upper, JINJA_UPPER)
CASE_METHOD(lower, JINJA_LOWER)
CASE_METHOD(capitalize, JINJA_CAPITALIZE)
CASE_METHOD(title, JINJA_TITLE_PYTHON)
CASE_METHOD(swapcase, JINJA_SWAPCASE)

static int
strip(struct jinja_run *run, const struct jinja_args *a, unsigned sides,
      struct jinja_val *out)
{
	struct jinja_val chars;

	if (!jinja_given(a, 0) || a->v[0].kind == JINJA_NONE)
		return jinja_strip(run, a->self, NULL, sides, out);
	if (jinja_arg_str(run, a, 0, "", &chars) != 0)
		return -1;
	return jinja_strip(run, a->self, &chars, sides, out);
}

static int
str_strip(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return strip(run, a, 3, out);
}

static int
str_lstrip(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return strip(run, a, 1, out);
}

static int
str_rstrip(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return strip(run, a, 2, out);
}

static int
push_part(struct jinja_run *run, struct jinja_list *l, const char *p, size_t n)
{
	struct jinja_val v;

	return jinja_make_str(run, p, n, &v) == 0 ? jinja_push(run, l, v) : -1;
}

/* split() by runs of whitespace; what is left after ${max} cuts keeps its inner blanks. */
static int
split_blanks(struct jinja_run *run, struct jinja_val s, int64_t max, struct jinja_list *l)
{
	size_t i = 0, adv, start;

	for (;;) {
		while (i < s.s.n &&
		       jinja_u8_space(jinja_u8_next(s.s.p + i, s.s.n - i, &adv)))
			i += adv;
		if (i == s.s.n)
			return 0;
		start = i;
		if (max == 0)
			return push_part(run, l, s.s.p + start, s.s.n - start);
		while (i < s.s.n &&
		       !jinja_u8_space(jinja_u8_next(s.s.p + i, s.s.n - i, &adv)))
			i += adv;
		if (push_part(run, l, s.s.p + start, i - start) != 0)
			return -1;
		max -= max > 0;
	}
}

static int
split_by(struct jinja_run *run, struct jinja_val s, struct jinja_val sep, int64_t max,
	 struct jinja_list *l)
{
	const char *p = s.s.p, *end = p + s.s.n, *at;

	while (max != 0 &&
	       (at = memmem(p, (size_t)(end - p), sep.s.p, sep.s.n)) != NULL) {
		if (push_part(run, l, p, (size_t)(at - p)) != 0)
			return -1;
		p = at + sep.s.n;
		max -= max > 0;
	}
	return push_part(run, l, p, (size_t)(end - p));
}

/* The last place of ${what} in p[0, n), or NULL. */
static const char *
last_of(const char *p, size_t n, struct jinja_val what)
{
	const char *at;

	if (what.s.n > n)
		return NULL;
	for (at = p + (n - what.s.n);; at--) {
		if (memcmp(at, what.s.p, what.s.n) == 0)
			return at;
		if (at == p)
			return NULL;
	}
}

/* rsplit with a separator: cut from the end, then turn the parts round. */
static int
rsplit_by(struct jinja_run *run, struct jinja_val s, struct jinja_val sep, int64_t max,
	  struct jinja_list *l)
{
	size_t n = s.s.n, i;
	const char *at;

	while (max != 0) {
		size_t from;

		/* A long separator may be compared far at every place. */
		if (sep.s.n > 64 && jinja_cost(run, n * sep.s.n) != 0)
			return -1;
		at = last_of(s.s.p, n, sep);
		if (at == NULL)
			break;
		from = (size_t)(at - s.s.p) + sep.s.n;
		if (push_part(run, l, s.s.p + from, n - from) != 0)
			return -1;
		n = (size_t)(at - s.s.p);
		max -= max > 0;
	}
	if (push_part(run, l, s.s.p, n) != 0)
		return -1;
	for (i = 0; i < l->n / 2; i++) {
		struct jinja_val v = l->v[i];

		l->v[i] = l->v[l->n - 1 - i];
		l->v[l->n - 1 - i] = v;
	}
	return 0;
}

static int
split(struct jinja_run *run, const struct jinja_args *a, bool right,
      struct jinja_val *out)
{
	struct jinja_list *l = jinja_make_list(run);
	struct jinja_val sep;
	int64_t max;

	if (l == NULL || jinja_arg_int(run, a, 1, -1, &max) != 0 ||
	    jinja_cost(run, a->self.s.n) != 0)
		return -1;
	*out = jinja_list_val(l);
	if (!jinja_given(a, 0) || a->v[0].kind == JINJA_NONE) {
		if (right && max >= 0)
			return jinja_fail(run, "rsplit with a maximum needs a separator");
		return split_blanks(run, a->self, max, l);
	}
	if (jinja_arg_str(run, a, 0, "", &sep) != 0)
		return -1;
	if (sep.s.n == 0)
		return jinja_fail(run, "the separator is empty");
	return (right ? rsplit_by : split_by)(run, a->self, sep, max, l);
}

static int
str_split(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return split(run, a, false, out);
}

static int
str_rsplit(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return split(run, a, true, out);
}

static int
str_splitlines(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_list *l;

	if (jinja_split_lines(run, a->self, &l) != 0)
		return -1;
	*out = jinja_list_val(l);
	return 0;
}

static int
str_replace(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val old, new;
	int64_t count;

	if (jinja_arg_str(run, a, 0, "", &old) != 0 ||
	    jinja_arg_str(run, a, 1, "", &new) != 0 ||
	    jinja_arg_int(run, a, 2, -1, &count) != 0)
		return -1;
	return jinja_replace(run, a->self, old, new, count, out);
}

/* startswith, endswith: a string or a tuple of strings. */
static int
touches(struct jinja_run *run, const struct jinja_args *a, bool end,
	struct jinja_val *out)
{
	struct jinja_val one = a->v[0], s = a->self;
	const struct jinja_val *v = &one;
	size_t n = 1, i;
	bool yes = false;

	if (one.kind == JINJA_LIST) {
		v = one.list->v;
		n = one.list->n;
	}
	for (i = 0; i < n && !yes; i++) {
		if (v[i].kind != JINJA_STR)
			return jinja_fail(run,
					  "the first argument must be a string, not %s",
					  jinja_kind_name(v[i]));
		yes = v[i].s.n <= s.s.n && memcmp(end ? s.s.p + s.s.n - v[i].s.n : s.s.p,
						  v[i].s.p, v[i].s.n) == 0;
	}
	*out = jinja_bool(yes);
	return jinja_step(run, n);
}

static int
str_startswith(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return touches(run, a, false, out);
}

static int
str_endswith(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return touches(run, a, true, out);
}

static int
remove_end(struct jinja_run *run, const struct jinja_args *a, bool end,
	   struct jinja_val *out)
{
	struct jinja_val part, yes, s = a->self;

	if (jinja_arg_str(run, a, 0, "", &part) != 0 || touches(run, a, end, &yes) != 0)
		return -1;
	if (!yes.b)
		part.s.n = 0;
	return jinja_make_str(run, end ? s.s.p : s.s.p + part.s.n, s.s.n - part.s.n, out);
}

static int
str_removeprefix(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return remove_end(run, a, false, out);
}

static int
str_removesuffix(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return remove_end(run, a, true, out);
}

static int
str_join(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	const struct jinja_list *l;
	size_t i;

	if (jinja_iterate(run, a->v[0], &l) != 0)
		return -1;
	for (i = 0; i < l->n; i++)
		if (l->v[i].kind != JINJA_STR)
			return jinja_fail(
			    run,
			    "element %zu is %s; the filter 'join' takes any "
			    "value",
			    i, jinja_kind_name(l->v[i]));
	return jinja_join(run, l, a->self, out);
}

/* find, rfind, index: the character's number, or -1. */
static int
find(struct jinja_run *run, const struct jinja_args *a, bool last, int64_t *at)
{
	struct jinja_val what, s = a->self;
	const char *p;

	if (jinja_arg_str(run, a, 0, "", &what) != 0 ||
	    jinja_cost(run, last ? s.s.n * (what.s.n + 1) : s.s.n) != 0)
		return -1;
	p = last ? last_of(s.s.p, s.s.n, what) : memmem(s.s.p, s.s.n, what.s.p, what.s.n);
	*at = p != NULL ? (int64_t)jinja_u8_len(s.s.p, (size_t)(p - s.s.p)) : -1;
	return 0;
}

static int
str_find(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	int64_t at;

	if (find(run, a, false, &at) != 0)
		return -1;
	*out = jinja_int(at);
	return 0;
}

static int
str_rfind(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	int64_t at;

	if (find(run, a, true, &at) != 0)
		return -1;
	*out = jinja_int(at);
	return 0;
}

static int
str_index(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	if (str_find(run, a, out) != 0)
		return -1;
	return out->i >= 0 ? 0
			   : jinja_fail(run, "'%.80s' is not in the string", a->v[0].s.p);
}

static int
str_count(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	const char *p = a->self.s.p, *end = p + a->self.s.n;
	struct jinja_val what;
	int64_t n = 0;

	if (jinja_arg_str(run, a, 0, "", &what) != 0 || jinja_cost(run, a->self.s.n) != 0)
		return -1;
	if (what.s.n == 0) {
		*out = jinja_int((int64_t)jinja_u8_len(p, a->self.s.n) + 1);
		return 0;
	}
	for (; (p = memmem(p, (size_t)(end - p), what.s.p, what.s.n)) != NULL;
	     p += what.s.n)
		n++;
	*out = jinja_int(n);
	return 0;
}

/* ljust, rjust, center, zfill. */
static int
pad(struct jinja_run *run, const struct jinja_args *a, int side, struct jinja_val *out)
{
	struct jinja_val fill;
	int64_t width;
	size_t adv;

	if (jinja_arg_int(run, a, 0, 0, &width) != 0 ||
	    jinja_arg_str(run, a, 1, " ", &fill) != 0)
		return -1;
	if (jinja_u8_len(fill.s.p, fill.s.n) != 1)
		return jinja_fail(run, "the fill character must be one character");
	return jinja_pad(run, a->self, width, jinja_u8_next(fill.s.p, fill.s.n, &adv),
			 side, out);
}

static int
str_ljust(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return pad(run, a, -1, out);
}

static int
str_rjust(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return pad(run, a, 1, out);
}

static int
str_center(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return pad(run, a, 0, out);
}

static int
str_zfill(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val s = a->self, sign;
	int64_t width;
	bool signed_text = s.s.n != 0 && (s.s.p[0] == '-' || s.s.p[0] == '+');

	if (jinja_arg_int(run, a, 0, 0, &width) != 0)
		return -1;
	if (!signed_text)
		return jinja_pad(run, s, width, '0', 1, out);
	sign = jinja_strn(s.s.p, 1);
	s = jinja_strn(s.s.p + 1, s.s.n - 1);
	return jinja_pad(run, s, width - 1, '0', 1, out) != 0
		   ? -1
		   : jinja_arith(run, JINJA_OP_ADD, sign, *out, out);
}

static int
str_format(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return jinja_format_str(run, a->self, a, out);
}

/* isdigit, isalpha ...: all characters are of a kind, and there is one. */
enum { DIGITS = 1, LETTERS = 2, BLANKS = 4 };

static int
all_of(struct jinja_run *run, const struct jinja_args *a, unsigned kinds,
       struct jinja_val *out)
{
	struct jinja_val s = a->self;
	bool yes = s.s.n != 0;
	size_t i, adv;
	uint32_t c;

	for (i = 0; i < s.s.n && yes; i += adv) {
		c = jinja_u8_next(s.s.p + i, s.s.n - i, &adv);
		yes = ((kinds & DIGITS) != 0 && c >= '0' && c <= '9') ||
		      ((kinds & LETTERS) != 0 && jinja_u8_letter(c)) ||
		      ((kinds & BLANKS) != 0 && jinja_u8_space(c));
	}
	*out = jinja_bool(yes);
	return jinja_cost(run, s.s.n);
}

static int
str_isdigit(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return all_of(run, a, DIGITS, out);
}

static int
str_isalpha(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return all_of(run, a, LETTERS, out);
}

static int
str_isalnum(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return all_of(run, a, DIGITS | LETTERS, out);
}

static int
str_isspace(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return all_of(run, a, BLANKS, out);
}

static int
str_islower(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return jinja_find_test("lower")->call(run, a, out);
}

static int
str_isupper(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return jinja_find_test("upper")->call(run, a, out);
}

const struct jinja_fn jinja_str_methods[] = {
    {"capitalize", str_capitalize, "", 0, 0},
    {"center", str_center, "width fillchar", 1, 0},
    {"count", str_count, "sub", 1, 0},
    {"endswith", str_endswith, "suffix", 1, 0},
    {"find", str_find, "sub", 1, 0},
    {"format", str_format, "", 0, JINJA_FN_REST | JINJA_FN_KEYWORDS},
    {"index", str_index, "sub", 1, 0},
    {"isalnum", str_isalnum, "", 0, 0},
    {"isalpha", str_isalpha, "", 0, 0},
    {"isdigit", str_isdigit, "", 0, 0},
    {"islower", str_islower, "", 0, 0},
    {"isspace", str_isspace, "", 0, 0},
    {"isupper", str_isupper, "", 0, 0},
    {"join", str_join, "iterable", 1, 0},
    {"ljust", str_ljust, "width fillchar", 1, 0},
    {"lower", str_lower, "", 0, 0},
    {"lstrip", str_lstrip, "chars", 0, 0},
    {"removeprefix", str_removeprefix, "prefix", 1, 0},
    {"removesuffix", str_removesuffix, "suffix", 1, 0},
    {"replace", str_replace, "old new count", 2, 0},
    {"rfind", str_rfind, "sub", 1, 0},
    {"rjust", str_rjust, "width fillchar", 1, 0},
    {"rsplit", str_rsplit, "sep maxsplit", 0, 0},
    {"rstrip", str_rstrip, "chars", 0, 0},
    {"split", str_split, "sep maxsplit", 0, 0},
    {"splitlines", str_splitlines, "", 0, 0},
    {"startswith", str_startswith, "prefix", 1, 0},
    {"strip", str_strip, "chars", 0, 0},
    {"swapcase", str_swapcase, "", 0, 0},
    {"title", str_title, "", 0, 0},
    {"upper", str_upper, "", 0, 0},
    {"zfill", str_zfill, "width", 1, 0},
    {NULL, NULL, NULL, 0, 0},
};
