/* "%d of %s" % (x, y), and the filter `format`. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/jinja_format.h"

#include <stdio.h>
#include <string.h>

struct arguments {
	struct jinja_val from; /* a tuple, a mapping or one value */
	size_t next;
	bool by_name;
};

static int
next_argument(struct jinja_run *run, struct arguments *args, struct jinja_val *out)
{
	bool tuple =
	    args->from.kind == JINJA_LIST && args->from.list->flavour == JINJA_LIST_TUPLE;
	size_t n = tuple ? args->from.list->n : 1;

	if (args->next >= n)
		return jinja_fail(run, "the format needs more than %zu value%s", n,
				  n == 1 ? "" : "s");
	*out = tuple ? args->from.list->v[args->next] : args->from;
	args->next++;
	return 0;
}

/* "(name)" behind the percent sign. */
static int
named_argument(struct jinja_run *run, struct arguments *args, struct jinja_reader *r,
	       struct jinja_val *out)
{
	const char *close = memchr(r->p, ')', (size_t)(r->end - r->p));
	struct jinja_val key;

	if (close == NULL)
		return jinja_fail(run, "the format's '%%(' is not closed by ')'");
	if (args->from.kind != JINJA_DICT && args->from.kind != JINJA_HOST)
		return jinja_fail(run,
				  "the format names its values, which needs a mapping");
	if (jinja_make_str(run, r->p + 1, (size_t)(close - r->p - 1), &key) != 0)
		return -1;
	r->p = close + 1;
	args->by_name = true;
	return jinja_index(run, args->from, key, NULL, out) != 0 ? -1
								 : jinja_need(run, *out);
}

/* A width or precision: digits, or '*' for the next value. */
static int
size_part(struct jinja_run *run, struct arguments *args, struct jinja_reader *r,
	  int64_t *out)
{
	struct jinja_val v;

	if (!jinja_next_is(r, "*")) {
		*out = jinja_read_number(r);
		return 0;
	}
	r->p++;
	return next_argument(run, args, &v) != 0 ? -1 : jinja_spec_integer(run, v, out);
}

static void
flags(struct jinja_reader *r, struct jinja_spec *sp)
{
	bool left = false, zero = false;

	for (; jinja_next_is(r, "-+ 0#"); r->p++) {
		if (*r->p == '-')
			left = true;
		else if (*r->p == '0')
			zero = true;
		else if (*r->p == '#')
			sp->alt = true;
		else if (*r->p == '+' || sp->sign != '+')
			sp->sign = *r->p;
	}
	if (left)
		sp->align = '<';
	else if (zero) {
		sp->align = '=';
		sp->fill = '0';
	}
}

/* %c: one character, or the number of one. */
static int
format_character(struct jinja_run *run, struct buf *b, struct jinja_val v,
		 struct jinja_spec *sp)
{
	char text[4];

	if (v.kind == JINJA_INT && v.i > 0 && v.i <= 0x10ffff &&
	    (v.i < 0xd800 || v.i > 0xdfff))
		v = jinja_strn(text, jinja_u8_put(text, (uint32_t)v.i));
	if (v.kind != JINJA_STR || jinja_u8_len(v.s.p, v.s.n) != 1)
		return jinja_fail(run, "'%%c' needs one character, or the number of one");
	sp->precision = -1;
	sp->fill = ' ';
	if (sp->align != '<')
		sp->align = '>';
	return jinja_spec_text(run, b, v, sp);
}

/* The conversion ${c} of one value. */
static int
convert(struct jinja_run *run, struct buf *b, char c, struct jinja_val v,
	struct jinja_spec *sp)
{
	struct buf text;
	int64_t i;
	int rc;

	if (strchr("diu", c) != NULL || strchr("oxX", c) != NULL) {
		if (v.kind == JINJA_FLOAT && strchr("oxX", c) != NULL)
			return jinja_fail(run, "'%%%c' needs an integer, not a float", c);
		if (jinja_spec_integer(run, v, &i) != 0)
			return -1;
		sp->type = strchr("oxX", c) != NULL ? c : 'd';
		return jinja_spec_int(run, b, i, sp);
	}
	if (strchr("eEfFgG", c) != NULL) {
		if (!jinja_is_num(v))
			return jinja_fail(run, "a number is needed here, not %s",
					  jinja_kind_name(v));
		sp->type = c;
		return jinja_spec_float(run, b, jinja_as_double(v), sp);
	}
	if (c == 'c')
		return format_character(run, b, v, sp);
	if (jinja_settle(run, v, &v) != 0)
		return -1;
	sp->fill = ' ';
	if (sp->align != '<')
		sp->align = '>';
	jinja_buf(run, &text);
	if (c == 'r' || c == 'a')
		jinja_put_repr(&text, v);
	else
		jinja_put(&text, v);
	rc = jinja_take_buf(run, &text, &v);
	return rc == 0 ? jinja_spec_text(run, b, v, sp) : -1;
}

/* What follows one '%'. */
static int
conversion(struct jinja_run *run, struct buf *b, struct jinja_reader *r,
	   struct arguments *args)
{
	struct jinja_spec sp = {.fill = ' ', .sign = '-', .precision = -1};
	struct jinja_val v = jinja_none();
	bool named = jinja_next_is(r, "(");
	char c;

	if (named && named_argument(run, args, r, &v) != 0)
		return -1;
	flags(r, &sp);
	if (size_part(run, args, r, &sp.width) != 0)
		return -1;
	if (sp.width < 0) { /* only from a '*' */
		sp.align = '<';
		sp.width = sp.width == INT64_MIN ? INT64_MAX : -sp.width;
	}
	if (jinja_next_is(r, ".")) {
		r->p++;
		if (size_part(run, args, r, &sp.precision) != 0)
			return -1;
		if (sp.precision < 0)
			sp.precision = 0;
	}
	if (jinja_next_is(r, "hlL"))
		r->p++;
	if (r->p == r->end)
		return jinja_fail(run, "the format ends behind '%%'");
	c = *r->p++;
	if (c == '%') {
		buf_addc(b, '%');
		return 0;
	}
	if (c == '\0' || strchr("diouxXeEfFgGsrac", c) == NULL)
		return jinja_fail(run, "unknown conversion '%%%c' in the format", c);
	if (!named && next_argument(run, args, &v) != 0)
		return -1;
	if (strchr("srac", c) == NULL && jinja_spec_check(run, &sp) != 0)
		return -1;
	return convert(run, b, c, v, &sp);
}

int
jinja_printf(struct jinja_run *run, struct jinja_val format, struct jinja_val from,
	     struct jinja_val *out)
{
	struct jinja_reader r = {format.s.p, format.s.p + format.s.n};
	struct arguments args = {.from = from};
	const char *at;
	struct buf b;
	int rc = 0;

	jinja_buf(run, &b);
	while (rc == 0 && r.p < r.end) {
		at = memchr(r.p, '%', (size_t)(r.end - r.p));
		buf_add(&b, r.p, (size_t)((at != NULL ? at : r.end) - r.p));
		r.p = at != NULL ? at + 1 : r.end;
		rc = jinja_step(run, 1);
		if (rc == 0 && at != NULL)
			rc = conversion(run, &b, &r, &args);
	}
	if (rc == 0 && !args.by_name && from.kind != JINJA_DICT &&
	    from.kind != JINJA_HOST &&
	    args.next < (from.kind == JINJA_LIST && from.list->flavour == JINJA_LIST_TUPLE
			     ? from.list->n
			     : 1))
		rc = jinja_fail(run, "the format does not use all values");
	if (rc == 0)
		return jinja_take_buf(run, &b, out);
	buf_release(&b);
	return -1;
}
