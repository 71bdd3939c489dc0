/*
 * Numbers as the emitter writes them.  One that was read keeps much of its spelling (base,
 * width, underscores, exponent), by rules that are applied to the value, not by copying:
 * what comes out need not be what went in.
 */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"
#include "store/dvc/yaml_doc_int.h"

/* snprintf with a point for a decimal separator, whatever the locale. */
static void
put_double(struct buf *b, const char *fmt, int precision, double f)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), old = uselocale(c);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	buf_addf(b, fmt, precision, f);
#pragma GCC diagnostic pop
	(void)uselocale(old);
}

/* The shortest digits that read back, as "d.ddde-dd"; how many digits. */
static size_t
shortest(struct buf *b, double f)
{
	double back;

	for (int n = 0; n <= 16; n++) {
		buf_clear(b);
		put_double(b, "%.*e", n, f);
		if (buf_failed(b) || (num_f64(b->p, &back) == 0 && back == f))
			return (size_t)n + 1;
	}
	return 17;
}

void
ydoc_float_repr(double f, char out[YAML_FLOAT_MAX])
{
	struct buf b;
	long exp;
	size_t n;

	if (isnan(f) || isinf(f)) {
		snprintf(out, YAML_FLOAT_MAX, "%s",
			 isnan(f) ? ".nan" : (f > 0 ? ".inf" : "-.inf"));
		return;
	}
	buf_init(&b, 0);
	n = shortest(&b, fabs(f));
	exp = 0;
	if (strchr(b.p, 'e') != NULL) {
		int64_t e = 0;

		(void)num_i64(strchr(b.p, 'e') + 1 + (strchr(b.p, 'e')[1] == '+'), &e);
		exp = (long)e;
	}
	buf_clear(&b);
	if (exp >= -4 && exp < 16)
		put_double(&b, "%.*f", (long)n - 1 > exp ? (int)((long)n - 1 - exp) : 1,
			   f);
	else
		put_double(&b, "%.*e", (int)n - 1, f);
	snprintf(out, YAML_FLOAT_MAX, "%s", b.p);
	buf_release(&b);
}

/* Digits with underscores as they stood: every ${group} from the end, before, behind. */
static void
put_grouped(struct buf *b, const char *digits, size_t group, bool before, bool behind)
{
	size_t n = strlen(digits);

	if (before)
		buf_addc(b, '_');
	for (size_t i = 0; i < n; i++) {
		if (group != 0 && i != 0 && (n - i) % group == 0)
			buf_addc(b, '_');
		buf_addc(b, digits[i]);
	}
	if (behind)
		buf_addc(b, '_');
}

/* How the underscores of a number stand. */
struct spelling {
	size_t group; /* 0: it has none */
	bool behind;
};

static struct spelling
spelling_of(const char *s, size_t n)
{
	struct spelling sp = {0};
	size_t last = n;

	while (last != 0 && s[last - 1] == '_')
		last--;
	for (size_t i = last; i != 0; i--)
		if (s[i - 1] == '_') {
			sp.group = last - i;
			sp.behind = n > 1 && s[n - 1] == '_';
			break;
		}
	return sp;
}

/* The digits of ${s} without leading zeros, in the letters of its first one. */
static void
put_canonical(struct buf *b, const char *s)
{
	bool capital = false;

	for (const char *p = s; *p != '\0'; p++)
		if ((*p | 32) >= 'a') {
			capital = *p < 'a';
			break;
		}
	while (*s == '0' && s[1] != '\0')
		s++;
	for (; *s != '\0'; s++)
		if ((*s | 32) >= 'a')
			buf_addc(b, (char)(capital ? *s & ~32 : *s | 32));
		else
			buf_addc(b, *s);
}

/* 0b, 0o, 0x: the zeros in front stay if there are any. */
static void
put_based(struct buf *b, const char *source, size_t n, const char *clean)
{
	struct spelling sp = spelling_of(source, n);
	size_t width = clean[2] == '0' ? strlen(clean + 2) : 0;
	struct buf digits, padded;

	buf_init(&digits, 0);
	buf_init(&padded, 0);
	put_canonical(&digits, clean + 2);
	for (size_t i = digits.n; i < width; i++)
		buf_addc(&padded, '0');
	buf_adds(&padded, digits.p);
	buf_add(b, clean, 2);
	put_grouped(b, padded.p, sp.group, sp.group != 0 && source[2] == '_',
		    sp.group != 0 && n > 3 && source[n - 1] == '_');
	buf_release(&padded);
	buf_release(&digits);
}

static void
put_decimal(struct buf *b, const char *source, size_t n, const char *clean, bool minus)
{
	struct spelling sp = spelling_of(source, n);
	struct buf text;
	size_t width = clean[0] == '0' ? strlen(clean) : 0, digits;
	const char *s = clean;

	while (*s == '0' && s[1] != '\0')
		s++;
	digits = strlen(s);
	minus = minus && strcmp(s, "0") != 0;
	buf_init(&text, 0);
	if (minus)
		buf_addc(&text, '-');
	for (size_t i = digits + minus; i < width; i++)
		buf_addc(&text, '0');
	buf_adds(&text, s);
	put_grouped(b, text.p, sp.group, false, sp.behind);
	buf_release(&text);
}

/* Without underscores and sign; false if nothing is left. */
static bool
clean_digits(struct buf *b, const char *s, size_t n, bool *minus)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != '_')
			buf_addc(b, s[i]);
	*minus = b->p[0] == '-';
	if (b->p[0] == '-' || b->p[0] == '+')
		memmove(b->p, b->p + 1, b->n--);
	return b->n != 0;
}

static bool
int_text(struct buf *b, const char *s, size_t n)
{
	struct buf clean;
	bool minus, based, ok;

	buf_init(&clean, 0);
	ok = clean_digits(&clean, s, n, &minus);
	based =
	    ok && clean.p[0] == '0' && clean.n > 1 && strchr("box", clean.p[1]) != NULL;
	if (based && (clean.n == 2 || minus))
		ok = false;
	else if (based)
		put_based(b, s, n, clean.p);
	else if (ok)
		put_decimal(b, s, n, clean.p, minus);
	ok = ok && !buf_failed(&clean);
	buf_release(&clean);
	return ok;
}

/* A float as it was spelt: m_sign, width, point, exponent. */
struct floating {
	double f;
	char sign;    /* '+', '-', 0 */
	size_t width; /* of the mantissa */
	size_t point; /* where it stands in it */
	bool has_point;
	size_t lead0; /* zeros in front */
	char e;	      /* 'e', 'E', 0 */
	size_t e_width;
	bool e_sign;
};

static bool
put_fixed(struct buf *b, const struct floating *x)
{
	size_t start = b->n, signs = x->sign != 0, body;
	struct buf v;

	if (x->point > 0 && x->point == x->width - 1) {
		if (x->sign != 0)
			buf_addc(b, x->sign);
		put_double(b, "%.*f", 0, trunc(fabs(x->f)));
		buf_addc(b, '.');
		return true;
	}
	buf_init(&v, 0);
	put_double(&v, "%.*f", (int)(x->width - x->point - 1), fabs(x->f));
	if (x->sign != 0)
		buf_addc(b, x->sign);
	for (body = v.n; body + signs < x->width; body++)
		buf_addc(b, '0');
	if (x->point == 0 || (x->point == 1 && x->sign != 0)) {
		/* Every "0." goes, as text. */
		for (const char *p = v.p; *p != '\0'; p++)
			if (p[0] != '0' || p[1] != '.')
				buf_addc(b, *p);
	} else {
		buf_adds(b, v.p);
	}
	while (b->n - start < x->width)
		buf_addc(b, '0');
	buf_release(&v);
	return true;
}

static void
put_exponent(struct buf *b, const struct floating *x, long e)
{
	buf_addc(b, x->e);
	buf_addf(b, x->e_sign ? "%+0*ld" : "%0*ld", (int)x->e_width, e);
}

/* d.ddd of the value, cut to the width that the mantissa had; false without a point. */
static bool
cut_mantissa(const struct floating *x, struct buf *m1, struct buf *m2, int64_t *e)
{
	size_t signs = x->sign != 0, w = x->width + !(x->has_point && x->point > 0);
	char *dot = NULL, *exp;
	struct buf t;

	buf_init(&t, 0);
	put_double(&t, "%.*e", (int)(x->width + signs), x->f);
	exp = strchr(t.p, 'e');
	if (exp != NULL && num_i64(exp + 1 + (exp[1] == '+'), e) == 0) {
		*exp = '\0';
		w += x->f < 0;
		if (w < strlen(t.p))
			t.p[w] = '\0';
		dot = strchr(t.p, '.');
	}
	if (dot != NULL) {
		if (x->sign != 0 && x->f > 0)
			buf_addc(m1, '+');
		buf_add(m1, t.p, (size_t)(dot - t.p));
		buf_adds(m2, dot + 1);
		while (m1->n - (x->sign != 0 && x->f > 0) + m2->n <
		       x->width - x->has_point)
			buf_addc(m2, '0');
	}
	buf_release(&t);
	return dot != NULL && !buf_failed(m1) && !buf_failed(m2);
}

/* 123e4: no point; 123.e4: it stands behind all digits. */
static void
put_whole(struct buf *b, const struct floating *x, struct buf *m1, struct buf *m2,
	  int64_t e)
{
	size_t signs = x->sign != 0;

	if (x->has_point) {
		buf_addf(b, "%s%s.", m1->p, m2->p);
		put_exponent(b, x, (long)(e - (int64_t)m2->n));
		return;
	}
	if (strcmp(m2->p, "0") != 0)
		e -= (int64_t)m2->n;
	else
		buf_clear(m2);
	for (; m1->n + m2->n - signs < x->width; e--)
		buf_addc(m2, '0');
	buf_addf(b, "%s%s", m1->p, m2->p);
	put_exponent(b, x, (long)e);
}

/* 12.3e4: the point stands where it stood, behind as many zeros. */
static bool
put_pointed(struct buf *b, const struct floating *x, const struct buf *m1,
	    const struct buf *m2, int64_t e)
{
	size_t cut = m1->n;
	struct buf all;
	bool ok;

	buf_init(&all, 0);
	if (x->lead0 > 0) {
		for (size_t i = 0; i < x->lead0; i++)
			buf_addc(&all, '0');
		cut = 1;
		e += (int64_t)x->lead0;
	}
	buf_addf(&all, "%s%s", m1->p, m2->p);
	if (x->lead0 > 0)
		buf_truncate(&all, all.n > x->lead0 ? all.n - x->lead0 : 1);
	for (; cut < x->point && cut < all.n; cut++)
		e--;
	ok = cut >= x->point && cut <= all.n;
	if (ok) {
		buf_addf(b, "%.*s.%s", (int)cut, all.p, all.p + cut);
		put_exponent(b, x, (long)e);
	}
	buf_release(&all);
	return ok;
}

/* False where DVC itself would fail. */
static bool
put_scientific(struct buf *b, const struct floating *x)
{
	struct buf m1, m2;
	int64_t e = 0;
	bool ok;

	buf_init(&m1, 0);
	buf_init(&m2, 0);
	ok = cut_mantissa(x, &m1, &m2, &e);
	if (ok && x->has_point && x->point > 0)
		ok = put_pointed(b, x, &m1, &m2, e);
	else if (ok)
		put_whole(b, x, &m1, &m2, e);
	buf_release(&m1);
	buf_release(&m2);
	return ok;
}

static bool
spell(struct floating *x, const char *s, size_t n)
{
	const char *e = memchr(s, 'e', n), *p, *dot;
	struct buf clean;
	bool ok;

	if (e == NULL)
		e = memchr(s, 'E', n);
	*x = (struct floating){.width = e != NULL ? (size_t)(e - s) : n};
	buf_init(&clean, 0);
	for (size_t i = 0; i < n; i++)
		if (s[i] != '_')
			buf_addc(&clean, s[i]);
	ok = num_decimal(clean.p, &x->f) == 0 && !buf_failed(&clean);
	buf_release(&clean);
	if (*s == '-' || *s == '+')
		x->sign = *s;
	dot = memchr(s, '.', x->width);
	x->has_point = dot != NULL;
	x->point = dot != NULL ? (size_t)(dot - s) : 0;
	for (p = s; p < s + x->width && (*p == '0' || *p == '.'); p++)
		x->lead0 += *p == '0';
	if (e != NULL) {
		x->e = *e;
		x->e_width = n - x->width - 1;
		x->e_sign = e[1] == '+' || e[1] == '-';
		x->width -= x->sign != 0;
	}
	return ok;
}

static bool
float_text(struct buf *b, const char *s, size_t n)
{
	char name[YAML_FLOAT_MAX];
	struct floating x;

	if (s[n - 1] == 'f' || s[n - 1] == 'F' || s[n - 1] == 'n' || s[n - 1] == 'N') {
		bool nan = (s[n - 1] | 32) == 'n';

		ydoc_float_repr(nan ? (double)NAN
				    : (*s == '-' ? -(double)INFINITY : (double)INFINITY),
				name);
		buf_adds(b, name);
		return true;
	}
	if (!spell(&x, s, n))
		return false;
	if (isinf(x.f)) {
		ydoc_float_repr(x.f, name);
		buf_adds(b, name);
		return true;
	}
	return x.e != 0 ? put_scientific(b, &x) : put_fixed(b, &x);
}

const char *
ydoc_number_text(struct arena *a, const struct yaml_val *v)
{
	const char *out = NULL;
	struct buf b;
	bool ok;

	buf_init(&b, 0);
	ok = v->len <= YAML_NUMBER_MAX &&
	     (v->kind == YV_INT ? int_text(&b, v->text, v->len)
				: float_text(&b, v->text, v->len));
	if (ok && !buf_failed(&b))
		out = arena_strndup(a, b.p, b.n);
	buf_release(&b);
	return out;
}

static double
value_of(const struct yaml_val *v)
{
	const char *text = v->source != NULL ? v->source : v->text;
	struct buf b;
	double f = (double)NAN;
	bool minus;

	if (v->kind == YV_BOOL)
		return v->text[0] == 't';
	buf_init(&b, 0);
	if (!clean_digits(&b, text, strlen(text), &minus))
		f = (double)NAN;
	else if (b.p[0] == '0' && b.n > 2 && strchr("box", b.p[1]) != NULL) {
		int base = b.p[1] == 'x' ? 16 : (b.p[1] == 'o' ? 8 : 2);

		f = 0;
		for (const char *p = b.p + 2; *p != '\0'; p++)
			f = f * base + (*p <= '9' ? *p - '0' : (*p | 32) - 'a' + 10);
	} else if (num_decimal(b.p, &f) != 0) {
		f = (b.p[1] | 32) == 'i' ? (double)INFINITY : (double)NAN;
	}
	buf_release(&b);
	return minus ? -f : f;
}

/* The decimal digits of an integer in any base, with its sign. */
static void
put_in_decimal(struct buf *b, const char *text)
{
	bool minus = *text == '-', based;
	const char *p = text + (*text == '-' || *text == '+');
	char digits[5 * YAML_NUMBER_MAX];
	size_t n = 1;
	int base = 10;

	based = p[0] == '0' && p[1] != '\0' && strchr("box", p[1]) != NULL;
	if (based) {
		base = p[1] == 'x' ? 16 : (p[1] == 'o' ? 8 : 2);
		p += 2;
	}
	digits[0] = 0;
	for (; *p != '\0'; p++) {
		int carry = *p <= '9' ? *p - '0' : (*p | 32) - 'a' + 10;

		if (*p == '_')
			continue;
		for (size_t i = 0; i < n; i++) {
			carry += digits[i] * base;
			digits[i] = (char)(carry % 10);
			carry /= 10;
		}
		for (; carry != 0 && n < sizeof digits; carry /= 10)
			digits[n++] = (char)(carry % 10);
	}
	while (n > 1 && digits[n - 1] == 0)
		n--;
	if (minus)
		buf_addc(b, '-');
	while (n-- != 0)
		buf_addc(b, (char)('0' + digits[n]));
}

bool
ydoc_number_equal(const struct yaml_val *a, const struct yaml_val *b)
{
	struct buf x, y;
	bool equal;

	/* Beyond 53 bits a double cannot tell; then the digits are compared. */
	if (a->kind != YV_INT || b->kind != YV_INT ||
	    fabs(value_of(a)) < 9007199254740992.0 || a->len > YAML_NUMBER_MAX ||
	    b->len > YAML_NUMBER_MAX)
		return value_of(a) == value_of(b);
	buf_init(&x, 0);
	buf_init(&y, 0);
	put_in_decimal(&x, a->text);
	put_in_decimal(&y, b->text);
	equal = strcmp(x.p, y.p) == 0;
	buf_release(&x);
	buf_release(&y);
	return equal;
}
