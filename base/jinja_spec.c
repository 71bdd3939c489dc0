/* One number or text with sign, digits and padding; widths count against the output. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/jinja_format.h"
#include "base/num.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PRECISION_MAX 300

/* ${body} (its first ${prefix} bytes are sign and base) padded to the width. */
static int
put_padded(struct jinja_run *run, struct buf *b, const char *body, size_t n,
	   size_t prefix, const struct jinja_spec *sp)
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

/* The ${n} digits of a whole part, with a mark between every ${every} of them if the format
 * groups; then zeros that fill the width are digits too.  ${rest} bytes stand beside them. */
static void
put_grouped(struct buf *b, const char *digits, size_t n, size_t every, size_t rest,
	    const struct jinja_spec *sp)
{
	size_t all = n, i;

	if (sp->group == 0) {
		buf_add(b, digits, n);
		return;
	}
	while (sp->align == '=' && sp->fill == '0' && (uint64_t)sp->width <= b->max &&
	       all + (all - 1) / every + rest < (size_t)sp->width)
		all++;
	for (i = 0; i < all && !buf_failed(b); i++) {
		if (i != 0 && (all - i) % every == 0)
			buf_addc(b, sp->group);
		buf_addc(b, i < all - n ? '0' : digits[i - (all - n)]);
	}
}

int
jinja_spec_int(struct jinja_run *run, struct buf *b, int64_t v, struct jinja_spec *sp)
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
	jinja_buf(run, &body);
	buf_add(&body, prefix, n);
	for (int64_t i = (int64_t)(sizeof(text) - at); i < sp->precision; i++)
		buf_addc(&body, '0');
	put_grouped(&body, text + at, sizeof(text) - at, base == 10 ? 3 : 4, n, sp);
	if (sp->align == 0)
		sp->align = '>';
	rc = jinja_check_buf(run, &body);
	if (rc == 0)
		rc = put_padded(run, b, body.p, body.n, n, sp);
	buf_release(&body);
	return rc;
}

/* ${prec} digits, with an exponent where there would be no place for a decimal. */
static void
untyped_float(struct buf *text, double f, int prec)
{
	const char *e;
	struct buf digits;
	size_t n;
	int64_t exp = 0;

	buf_init(&digits, 4096);
	buf_addf(&digits, "%.*e", prec - 1, f);
	e = strchr(digits.p, 'e');
	if (e == NULL || num_i64(e + 1, &exp) != 0 || (exp >= -4 && exp < prec - 1)) {
		buf_addf(text, "%.*g", prec, f);
		if (isfinite(f) && strchr(text->p, '.') == NULL)
			buf_adds(text, ".0");
	} else {
		n = (size_t)(e - digits.p);
		while (n > 1 && digits.p[n - 1] == '0' &&
		       memchr(digits.p, '.', n) != NULL)
			n--;
		n -= digits.p[n - 1] == '.';
		buf_add(text, digits.p, n);
		buf_adds(text, e);
	}
	buf_release(&digits);
}

/* The digits of a float without its sign, as the type says. */
static void
float_text(struct buf *text, double f, const struct jinja_spec *sp)
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
		if (sp->precision < 0)
			jinja_put_float(text, f);
		else
			untyped_float(text, f, prec == 0 ? 1 : prec);
		break;
	}
}

int
jinja_spec_float(struct jinja_run *run, struct buf *b, double f, struct jinja_spec *sp)
{
	bool minus = signbit(f) && !isnan(f);
	size_t prefix = minus || sp->sign != '-' ? 1 : 0, whole;
	struct buf text, body;
	int rc;

	buf_init(&text, 4096);
	jinja_buf(run, &body);
	float_text(&text, fabs(f), sp);
	if (prefix != 0)
		buf_addc(&body, minus ? '-' : sp->sign);
	whole = strspn(text.p, "0123456789");
	if (whole != 0)
		put_grouped(&body, text.p, whole, 3, prefix + text.n - whole, sp);
	buf_adds(&body, text.p + whole);
	if (sp->align == 0)
		sp->align = '>';
	if (!isfinite(f) && sp->fill == '0')
		sp->fill = ' ';
	rc = buf_failed(&text) ? jinja_fail_nomem(run) : jinja_check_buf(run, &body);
	if (rc == 0)
		rc = put_padded(run, b, body.p, body.n, prefix, sp);
	buf_release(&text);
	buf_release(&body);
	return rc;
}

int
jinja_spec_text(struct jinja_run *run, struct buf *b, struct jinja_val s,
		struct jinja_spec *sp)
{
	if (sp->precision >= 0)
		s.s.n = jinja_u8_skip(s.s.p, s.s.n, (size_t)sp->precision);
	if (sp->align == 0)
		sp->align = '<';
	return put_padded(run, b, s.s.p, s.s.n, 0, sp);
}

int
jinja_spec_integer(struct jinja_run *run, struct jinja_val v, int64_t *out)
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

int
jinja_spec_check(struct jinja_run *run, const struct jinja_spec *sp)
{
	if (sp->precision > PRECISION_MAX)
		return jinja_fail_limit(run, "a precision is at most %d", PRECISION_MAX);
	return 0;
}

/* ---- reading formats ---- */

bool
jinja_next_is(struct jinja_reader *r, const char *set)
{
	return r->p < r->end && *r->p != '\0' && strchr(set, *r->p) != NULL;
}

/* Digits, capped where they are beyond every limit anyway. */
int64_t
jinja_read_number(struct jinja_reader *r)
{
	int64_t v = 0;

	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++)
		if (v < INT32_MAX)
			v = v * 10 + (*r->p - '0');
	return v;
}
