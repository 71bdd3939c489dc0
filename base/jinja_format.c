/*
 * Python's two ways to format: "%05.2f" % x, and "{:>10}".format(x).  Both come down to a
 * number or text with sign, digits and padding, done here; widths count against the output.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/jinja_run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PRECISION_MAX 300

struct spec {
	uint32_t fill;
	char align;		  /* '<' '>' '^' '=' or 0 */
	char sign;		  /* '-' '+' ' ' */
	bool alt;		  /* # */
	char group;		  /* ',' '_' or 0 */
	int64_t width, precision; /* precision -1: none */
	char type;		  /* 0: by the value */
};

/* ---- one value ---- */

/* ${body} (its first ${prefix} bytes are sign and base) padded to the width. */
static int
put_padded(struct jinja_run *run, struct buf *b, const char *body, size_t n,
	   size_t prefix, const struct spec *sp)
{
	size_t len = jinja_u8_len(body, n);
	uint64_t room = 0, left, i;
	char fill[4];
	size_t nfill = jinja_u8_put(fill, sp->fill);

	if (sp->width > 0 && (uint64_t)sp->width > len)
		room = (uint64_t)sp->width - len;
	if (room > run->output_max)
		return jinja_fail_limit(run, "the text is longer than %zu bytes",
					run->output_max);
	left = sp->align == '<' ? 0 : sp->align == '^' ? room / 2 : room;
	if (sp->align == '=') {
		buf_add(b, body, prefix);
		body += prefix;
		n -= prefix;
	}
	for (i = 0; i < left && !buf_failed(b); i++)
		buf_add(b, fill, nfill);
	buf_add(b, body, n);
	for (; i < room && !buf_failed(b); i++)
		buf_add(b, fill, nfill);
	return jinja_check_buf(run, b);
}

/* Put ${group} between every ${every} digits of the whole part at ${body}. */
static void
put_grouped(struct buf *b, const char *digits, size_t n, char group, size_t every)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (group != 0 && i != 0 && (n - i) % every == 0)
			buf_addc(b, group);
		buf_addc(b, digits[i]);
	}
}

static int
format_int(struct jinja_run *run, struct buf *b, int64_t v, struct spec *sp)
{
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	unsigned base = sp->type == 'b'		   ? 2
			: sp->type == 'o'	   ? 8
			: (sp->type | 0x20) == 'x' ? 16
						   : 10;
	const char *digit = sp->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[72], prefix[4];
	size_t at = sizeof(text), n = 0;
	struct buf body;
	int rc;

	do {
		text[--at] = digit[u % base];
		u /= base;
	} while (u != 0);
	if (v < 0 || sp->sign != '-')
		prefix[n++] = v < 0 ? '-' : sp->sign;
	if (sp->alt && base != 10) {
		prefix[n++] = '0';
		prefix[n++] = sp->type;
	}
	buf_init(&body, PRECISION_MAX * 4);
	buf_add(&body, prefix, n);
	for (int64_t i = (int64_t)(sizeof(text) - at); i < sp->precision; i++)
		buf_addc(&body, '0');
	put_grouped(&body, text + at, sizeof(text) - at, sp->group, base == 10 ? 3 : 4);
	if (sp->align == 0)
		sp->align = '>';
	rc = buf_failed(&body) ? jinja_fail_nomem(run)
			       : put_padded(run, b, body.p, body.n, n, sp);
	buf_release(&body);
	return rc;
}

/* The digits of a float without its sign, as the type says. */
static void
float_text(struct buf *text, double f, const struct spec *sp)
{
	int prec = sp->precision >= 0 ? (int)sp->precision : 6;

	switch (sp->type) {
	case 'e':
		buf_addf(text, sp->alt ? "%#.*e" : "%.*e", prec, f);
		break;
	case 'E':
		buf_addf(text, sp->alt ? "%#.*E" : "%.*E", prec, f);
		break;
	case 'g':
		buf_addf(text, sp->alt ? "%#.*g" : "%.*g", prec, f);
		break;
	case 'G':
		buf_addf(text, sp->alt ? "%#.*G" : "%.*G", prec, f);
		break;
	case 'F':
		buf_addf(text, sp->alt ? "%#.*F" : "%.*F", prec, f);
		break;
	case '%':
		buf_addf(text, sp->alt ? "%#.*f%%" : "%.*f%%", prec, f * 100);
		break;
	case 'f':
		buf_addf(text, sp->alt ? "%#.*f" : "%.*f", prec, f);
		break;
	default:
		/* Without a type: as printed, or with that many digits. */
		if (sp->precision < 0) {
			jinja_put_float(text, f);
			break;
		}
		buf_addf(text, "%.*g", prec == 0 ? 1 : prec, f);
		if (isfinite(f) && strpbrk(text->p, ".e") == NULL)
			buf_adds(text, ".0");
		break;
	}
}

static int
format_float(struct jinja_run *run, struct buf *b, double f, struct spec *sp)
{
	bool minus = signbit(f) && !isnan(f);
	size_t prefix = minus || sp->sign != '-' ? 1 : 0, whole;
	struct buf text, body;
	int rc;

	buf_init(&text, 4096);
	buf_init(&body, 8192);
	float_text(&text, fabs(f), sp);
	if (prefix != 0)
		buf_addc(&body, minus ? '-' : sp->sign);
	whole = strspn(text.p, "0123456789");
	put_grouped(&body, text.p, whole, sp->group, 3);
	buf_adds(&body, text.p + whole);
	if (sp->align == 0)
		sp->align = '>';
	if (!isfinite(f) && sp->fill == '0')
		sp->fill = ' ';
	rc = buf_failed(&text) || buf_failed(&body)
		 ? jinja_fail_nomem(run)
		 : put_padded(run, b, body.p, body.n, prefix, sp);
	buf_release(&text);
	buf_release(&body);
	return rc;
}

static int
format_text(struct jinja_run *run, struct buf *b, struct jinja_val s, struct spec *sp)
{
	if (sp->precision >= 0)
		s.s.n = jinja_u8_skip(s.s.p, s.s.n, (size_t)sp->precision);
	if (sp->align == 0)
		sp->align = '<';
	return put_padded(run, b, s.s.p, s.s.n, 0, sp);
}

static int
as_int64(struct jinja_run *run, struct jinja_val v, int64_t *out)
{
	if (v.kind == JINJA_INT || v.kind == JINJA_BOOL) {
		*out = v.kind == JINJA_INT ? v.i : v.b;
		return 0;
	}
	if (v.kind != JINJA_FLOAT)
		return jinja_fail(run, "an integer is needed here, not %s",
				  jinja_kind_name(v));
	if (!(v.f >= -9223372036854775808.0 && v.f < 9223372036854775808.0))
		return jinja_fail(run, "the number does not fit into 64 bits");
	*out = (int64_t)v.f;
	return 0;
}

static int
check_sizes(struct jinja_run *run, const struct spec *sp)
{
	if (sp->precision > PRECISION_MAX)
		return jinja_fail_limit(run, "a precision is at most %d", PRECISION_MAX);
	return 0;
}

/* ---- reading numbers inside formats ---- */

struct reader {
	const char *p, *end;
};

static bool
next_is(struct reader *r, const char *set)
{
	return r->p < r->end && *r->p != '\0' && strchr(set, *r->p) != NULL;
}

/* Digits, capped where they are beyond every limit anyway. */
static int64_t
read_number(struct reader *r)
{
	int64_t v = 0;

	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++)
		if (v < INT32_MAX)
			v = v * 10 + (*r->p - '0');
	return v;
}

/* ---- "%d" % x ---- */

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
named_argument(struct jinja_run *run, struct arguments *args, struct reader *r,
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
	return jinja_index(run, args->from, key, "the mapping", out) != 0
		   ? -1
		   : jinja_need(run, *out);
}

/* A width or precision: digits, or '*' for the next value. */
static int
size_part(struct jinja_run *run, struct arguments *args, struct reader *r, int64_t *out)
{
	struct jinja_val v;

	if (!next_is(r, "*")) {
		*out = read_number(r);
		return 0;
	}
	r->p++;
	return next_argument(run, args, &v) != 0 ? -1 : as_int64(run, v, out);
}

static void
flags(struct reader *r, struct spec *sp)
{
	bool left = false, zero = false;

	for (; next_is(r, "-+ 0#"); r->p++) {
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
format_character(struct jinja_run *run, struct buf *b, struct jinja_val v, struct spec *sp)
{
	char text[4];

	if (v.kind == JINJA_INT && v.i > 0 && v.i <= 0x10ffff && (v.i < 0xd800 || v.i > 0xdfff))
		v = jinja_strn(text, jinja_u8_put(text, (uint32_t)v.i));
	if (v.kind != JINJA_STR || jinja_u8_len(v.s.p, v.s.n) != 1)
		return jinja_fail(run, "'%%c' needs one character, or the number of one");
	sp->precision = -1;
	sp->fill = ' ';
	if (sp->align != '<')
		sp->align = '>';
	return format_text(run, b, v, sp);
}

/* The conversion ${c} of one value. */
static int
convert(struct jinja_run *run, struct buf *b, char c, struct jinja_val v, struct spec *sp)
{
	struct buf text;
	int64_t i;
	int rc;

	if (strchr("diu", c) != NULL || strchr("oxX", c) != NULL) {
		if (as_int64(run, v, &i) != 0)
			return -1;
		sp->type = strchr("oxX", c) != NULL ? c : 'd';
		return format_int(run, b, i, sp);
	}
	if (strchr("eEfFgG", c) != NULL) {
		if (!jinja_is_num(v))
			return jinja_fail(run, "a number is needed here, not %s",
					  jinja_kind_name(v));
		sp->type = c;
		return format_float(run, b, jinja_as_double(v), sp);
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
	return rc == 0 ? format_text(run, b, v, sp) : -1;
}

/* What follows one '%'. */
static int
conversion(struct jinja_run *run, struct buf *b, struct reader *r, struct arguments *args)
{
	struct spec sp = {.fill = ' ', .sign = '-', .precision = -1};
	struct jinja_val v = jinja_none();
	bool named = next_is(r, "(");
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
	if (next_is(r, ".")) {
		r->p++;
		if (size_part(run, args, r, &sp.precision) != 0)
			return -1;
		if (sp.precision < 0)
			sp.precision = 0;
	}
	if (next_is(r, "hlL"))
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
	if (strchr("srac", c) == NULL && check_sizes(run, &sp) != 0)
		return -1;
	return convert(run, b, c, v, &sp);
}

int
jinja_printf(struct jinja_run *run, struct jinja_val format, struct jinja_val from,
	     struct jinja_val *out)
{
	struct reader r = {format.s.p, format.s.p + format.s.n};
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

/* ---- "{}".format(x) ---- */

static bool
is_align(char c)
{
	return c == '<' || c == '>' || c == '^' || c == '=';
}

/* [[fill]align][sign][#][0][width][,_][.precision][type] */
static int
read_spec(struct jinja_run *run, const char *p, size_t n, struct spec *sp)
{
	struct reader r = {p, p + n};
	size_t adv = 0;

	*sp = (struct spec){.fill = ' ', .sign = '-', .precision = -1};
	if (n != 0) {
		uint32_t c = jinja_u8_next(p, n, &adv);

		if (adv < n && is_align(p[adv])) {
			sp->fill = c;
			sp->align = p[adv];
			r.p += adv + 1;
		} else if (is_align(*p)) {
			sp->align = *p;
			r.p++;
		}
	}
	if (next_is(&r, "+- "))
		sp->sign = *r.p++;
	if (next_is(&r, "#")) {
		sp->alt = true;
		r.p++;
	}
	if (next_is(&r, "0")) {
		if (sp->align == 0) {
			sp->align = '=';
			sp->fill = '0';
		}
		r.p++;
	}
	sp->width = read_number(&r);
	if (next_is(&r, ",_"))
		sp->group = *r.p++;
	if (next_is(&r, ".")) {
		r.p++;
		if (!next_is(&r, "0123456789"))
			return jinja_fail(run, "digits are missing behind '.' in '%.*s'",
					  (int)n, p);
		sp->precision = read_number(&r);
	}
	if (next_is(&r, "bdoxXneEfFgG%s"))
		sp->type = *r.p++;
	if (r.p != r.end)
		return jinja_fail(run, "'%.*s' is no format of a value",
				  n > 60 ? 60 : (int)n, p);
	return 0;
}

int
jinja_format_spec(struct jinja_run *run, struct buf *b, struct jinja_val v, const char *p,
		  size_t n)
{
	struct spec sp;

	if (read_spec(run, p, n, &sp) != 0)
		return -1;
	if (v.kind == JINJA_TIME && n != 0) {
		if (jinja_strftime(run, v.i, jinja_strn(p, n), &v) != 0)
			return -1;
		buf_add(b, v.s.p, v.s.n);
		return jinja_check_buf(run, b);
	}
	if (jinja_is_num(v) && (v.kind != JINJA_BOOL || n != 0)) {
		if (check_sizes(run, &sp) != 0)
			return -1;
		if (sp.type == 'n')
			sp.type = v.kind == JINJA_FLOAT ? 'g' : 'd';
		if (v.kind == JINJA_FLOAT ||
		    (sp.type != 0 && strchr("eEfFgG%", sp.type) != NULL)) {
			if (sp.type != 0 && strchr("eEfFgG%", sp.type) == NULL)
				return jinja_fail(run, "a float is not formatted by '%c'",
						  sp.type);
			return format_float(run, b, jinja_as_double(v), &sp);
		}
		if (sp.type == 's' || sp.precision >= 0)
			return jinja_fail(run, "an integer has no '%s' in its format",
					  sp.type == 's' ? "s" : ".");
		return format_int(run, b, v.kind == JINJA_INT ? v.i : v.b, &sp);
	}
	if (n != 0 && v.kind != JINJA_STR)
		return jinja_fail(run, "%s has no format", jinja_kind_name(v));
	if ((sp.type != 0 && sp.type != 's') || sp.align == '=' || sp.group != 0)
		return jinja_fail(run, "a string is not formatted by '%.*s'", (int)n, p);
	if (jinja_to_str(run, v, &v) != 0)
		return -1;
	return format_text(run, b, v, &sp);
}

/* The value a field names: "", "0", "name", with ".attr" and "[key]" behind. */
static int
field_value(struct jinja_run *run, const struct jinja_args *a, const char *p, size_t n,
	    size_t *next, struct jinja_val *out)
{
	size_t len = 0, i;
	struct reader r = {p, p + n};
	int64_t at;

	while (len < n && p[len] != '.' && p[len] != '[')
		len++;
	if (len != n)
		return jinja_fail(
		    run, "a field's parts are not built yet; give the part itself "
			 "as a value");
	if (n == 0 || (p[0] >= '0' && p[0] <= '9')) {
		at = n == 0 ? (int64_t)(*next)++ : read_number(&r);
		if (n != 0 && r.p != r.end)
			return jinja_fail(run, "'%.*s' is no field", n > 60 ? 60 : (int)n,
					  p);
		if ((uint64_t)at >= a->nrest)
			return jinja_fail(run, "the format needs more than %zu value%s",
					  a->nrest, a->nrest == 1 ? "" : "s");
		*out = a->rest[at];
		return 0;
	}
	for (i = 0; i < a->nkw; i++) {
		if (strlen(a->kw[i].name) == n && memcmp(a->kw[i].name, p, n) == 0) {
			*out = a->kw[i].val;
			return 0;
		}
	}
	return jinja_fail(run, "the format has no value named '%.*s'",
			  n > 60 ? 60 : (int)n, p);
}

/* name!r:spec between the braces. */
static int
field(struct jinja_run *run, struct buf *b, const struct jinja_args *a, const char *p,
      size_t n, size_t *next)
{
	const char *colon = memchr(p, ':', n), *bang;
	size_t head = colon != NULL ? (size_t)(colon - p) : n, name;
	struct jinja_val v;
	struct buf text;

	bang = memchr(p, '!', head);
	name = bang != NULL ? (size_t)(bang - p) : head;
	if (field_value(run, a, p, name, next, &v) != 0)
		return -1;
	if (jinja_settle(run, v, &v) != 0)
		return -1;
	if (bang != NULL) {
		if (head - name != 2 || strchr("rsa", bang[1]) == NULL)
			return jinja_fail(run, "a conversion is !r or !s");
		jinja_buf(run, &text);
		if (bang[1] == 's')
			jinja_put(&text, v);
		else
			jinja_put_repr(&text, v);
		if (jinja_take_buf(run, &text, &v) != 0)
			return -1;
	}
	return jinja_format_spec(run, b, v, p + (colon != NULL ? head + 1 : n),
				 colon != NULL ? n - head - 1 : 0);
}

int
jinja_format_str(struct jinja_run *run, struct jinja_val format,
		 const struct jinja_args *a, struct jinja_val *out)
{
	const char *p = format.s.p, *end = p + format.s.n, *close;
	size_t next = 0;
	struct buf b;
	int rc = 0;

	jinja_buf(run, &b);
	while (rc == 0 && p < end && !buf_failed(&b)) {
		if ((*p == '{' || *p == '}') && p + 1 < end && p[1] == *p) {
			buf_addc(&b, *p);
			p += 2;
		} else if (*p == '}') {
			rc = jinja_fail(run, "a single '}' in the format; write '}}'");
		} else if (*p != '{') {
			buf_addc(&b, *p++);
		} else {
			close = memchr(p, '}', (size_t)(end - p));
			if (close == NULL) {
				rc = jinja_fail(run, "a '{' in the format is not closed");
				break;
			}
			rc = jinja_step(run, 1);
			if (rc == 0)
				rc = field(run, &b, a, p + 1, (size_t)(close - p - 1),
					   &next);
			p = close + 1;
		}
	}
	if (rc == 0)
		return jinja_take_buf(run, &b, out);
	buf_release(&b);
	return -1;
}
