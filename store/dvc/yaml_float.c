/*
 * Floats as text: as Python's repr has them, and as ruamel.yaml spells one that was read, by
 * its width, its point and its exponent.
 */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "store/dvc/yaml_num_text.h"

/* snprintf with a point for a decimal separator, whatever the locale. */
static void
put_double(struct num_text *b, const char *fmt, int precision, double f)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), old = uselocale(c);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	num_text_addf(b, fmt, precision, f);
#pragma GCC diagnostic pop
	(void)uselocale(old);
}

static bool
reads_back(const struct num_text *b, double f)
{
	double back;

	return num_f64(b->p, &back) == 0 && back == f;
}

/* Let the last digit of "d.ddde-dd" be one more, or one less where that is possible. */
static bool
nudge(struct num_text *b, bool up)
{
	size_t i = strcspn(b->p, "e");

	while (i-- != 0) {
		if (b->p[i] == '.')
			continue;
		if (b->p[i] != (up ? '9' : '0')) {
			b->p[i] = (char)(b->p[i] + (up ? 1 : -1));
			return true;
		}
		b->p[i] = up ? '0' : '9';
	}
	return false;
}

/*
 * The shortest digits that read back, as "d.ddde-dd"; how many digits.  Next to a power of
 * two the doubles below lie closer than those above, so that the nearest number of that many
 * digits may not read back where its neighbour does.
 */
static size_t
shortest(struct num_text *b, double f)
{
	struct num_text near;

	for (int n = 0; n <= 16; n++) {
		num_text_init(b);
		put_double(b, "%.*e", n, f);
		if (reads_back(b, f))
			return (size_t)n + 1;
		for (int up = 1; up >= 0; up--) {
			near = *b;
			if (nudge(&near, up != 0) && reads_back(&near, f)) {
				*b = near;
				return (size_t)n + 1;
			}
		}
	}
	return 17;
}

/* The number behind the "e", which is always there. */
static long
exponent_of(const struct num_text *b)
{
	const char *e = strchr(b->p, 'e');
	int64_t i = 0;

	if (e != NULL)
		(void)num_i64(e + 1 + (e[1] == '+'), &i);
	return (long)i;
}

/* "d.ddde+02" as "ddd.d", with a digit behind the point in any case. */
static void
lay_out(struct num_text *b, size_t n, long exp)
{
	char digits[20];
	size_t k = 0;

	for (const char *p = b->p; *p != 'e' && k < sizeof digits - 1; p++)
		if (*p != '.')
			digits[k++] = *p;
	num_text_init(b);
	if (exp < 0)
		num_text_adds(b, "0.");
	for (long i = -1; i > exp; i--)
		num_text_addc(b, '0');
	for (size_t i = 0; i < n; i++) {
		num_text_addc(b, digits[i]);
		if (exp >= 0 && (long)i == exp && i + 1 < n)
			num_text_addc(b, '.');
	}
	for (long i = (long)n; i <= exp; i++)
		num_text_addc(b, '0');
	if (exp >= (long)n - 1)
		num_text_adds(b, ".0");
}

void
ydoc_float_repr(double f, char out[YAML_FLOAT_MAX])
{
	struct num_text b;
	long exp;
	size_t n;

	if (isnan(f) || isinf(f)) {
		snprintf(out, YAML_FLOAT_MAX, "%s",
			 isnan(f) ? ".nan" : (f > 0 ? ".inf" : "-.inf"));
		return;
	}
	n = shortest(&b, fabs(f));
	exp = exponent_of(&b);
	if (exp >= -4 && exp < 16)
		lay_out(&b, n, exp);
	snprintf(out, YAML_FLOAT_MAX, "%s%.30s", signbit(f) ? "-" : "", b.p);
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
put_fixed(struct num_text *b, const struct floating *x)
{
	size_t start = b->n, signs = x->sign != 0, body;
	struct num_text v;

	if (x->point > 0 && x->point == x->width - 1) {
		if (x->sign != 0)
			num_text_addc(b, x->sign);
		put_double(b, "%.*f", 0, trunc(fabs(x->f)));
		num_text_addc(b, '.');
		return true;
	}
	num_text_init(&v);
	put_double(&v, "%.*f", (int)(x->width - x->point - 1), fabs(x->f));
	if (x->sign != 0)
		num_text_addc(b, x->sign);
	for (body = v.n; body + signs < x->width; body++)
		num_text_addc(b, '0');
	if (x->point == 0 || (x->point == 1 && x->sign != 0)) {
		/* Every "0." goes, as text. */
		for (const char *p = v.p; *p != '\0'; p++)
			if (p[0] != '0' || p[1] != '.')
				num_text_addc(b, *p);
	} else {
		num_text_adds(b, v.p);
	}
	while (b->n - start < x->width)
		num_text_addc(b, '0');
	return true;
}

static void
put_exponent(struct num_text *b, const struct floating *x, long e)
{
	num_text_addc(b, x->e);
	num_text_addf(b, x->e_sign ? "%+0*ld" : "%0*ld", (int)x->e_width, e);
}

/* d.ddd of the value, cut to the width that the mantissa had; false without a point. */
static bool
cut_mantissa(const struct floating *x, struct num_text *m1, struct num_text *m2,
	     int64_t *e)
{
	size_t signs = x->sign != 0, w = x->width + !(x->has_point && x->point > 0);
	char *dot = NULL, *exp;
	struct num_text t;

	num_text_init(&t);
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
			num_text_addc(m1, '+');
		num_text_add(m1, t.p, (size_t)(dot - t.p));
		num_text_adds(m2, dot + 1);
		while (m1->n - (x->sign != 0 && x->f > 0) + m2->n <
		       x->width - x->has_point)
			num_text_addc(m2, '0');
	}
	return dot != NULL && !num_text_full(m1) && !num_text_full(m2);
}

/* 123e4: no point; 123.e4: it stands behind all digits. */
static void
put_whole(struct num_text *b, const struct floating *x, struct num_text *m1,
	  struct num_text *m2, int64_t e)
{
	size_t signs = x->sign != 0;

	if (x->has_point) {
		num_text_addf(b, "%s%s.", m1->p, m2->p);
		put_exponent(b, x, (long)(e - (int64_t)m2->n));
		return;
	}
	if (strcmp(m2->p, "0") != 0)
		e -= (int64_t)m2->n;
	else
		num_text_init(m2);
	for (; m1->n + m2->n - signs < x->width; e--)
		num_text_addc(m2, '0');
	num_text_addf(b, "%s%s", m1->p, m2->p);
	put_exponent(b, x, (long)e);
}

/* 12.3e4: the point stands where it stood, behind as many zeros. */
static bool
put_pointed(struct num_text *b, const struct floating *x, const struct num_text *m1,
	    const struct num_text *m2, int64_t e)
{
	size_t cut = m1->n;
	struct num_text all;
	bool ok;

	num_text_init(&all);
	if (x->lead0 > 0) {
		for (size_t i = 0; i < x->lead0; i++)
			num_text_addc(&all, '0');
		cut = 1;
		e += (int64_t)x->lead0;
	}
	num_text_addf(&all, "%s%s", m1->p, m2->p);
	if (x->lead0 > 0)
		num_text_cut(&all, all.n > x->lead0 ? all.n - x->lead0 : 1);
	for (; cut < x->point && cut < all.n; cut++)
		e--;
	ok = cut >= x->point && cut <= all.n;
	if (ok) {
		num_text_addf(b, "%.*s.%s", (int)cut, all.p, all.p + cut);
		put_exponent(b, x, (long)e);
	}
	return ok;
}

/* False where DVC itself would fail. */
static bool
put_scientific(struct num_text *b, const struct floating *x)
{
	struct num_text m1, m2;
	int64_t e = 0;
	bool ok;

	num_text_init(&m1);
	num_text_init(&m2);
	ok = cut_mantissa(x, &m1, &m2, &e);
	if (ok && x->has_point && x->point > 0)
		ok = put_pointed(b, x, &m1, &m2, e);
	else if (ok)
		put_whole(b, x, &m1, &m2, e);
	return ok;
}

static bool
spell(struct floating *x, const char *s, size_t n)
{
	const char *e = memchr(s, 'e', n), *p, *dot;
	struct num_text clean;
	bool ok;

	if (e == NULL)
		e = memchr(s, 'E', n);
	*x = (struct floating){.width = e != NULL ? (size_t)(e - s) : n};
	num_text_init(&clean);
	for (size_t i = 0; i < n; i++)
		if (s[i] != '_')
			num_text_addc(&clean, s[i]);
	ok = num_decimal(clean.p, &x->f) == 0 && !num_text_full(&clean);
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

bool
ydoc_float_text(struct num_text *b, const char *s, size_t n)
{
	char name[YAML_FLOAT_MAX];
	struct floating x;

	if (s[n - 1] == 'f' || s[n - 1] == 'F' || s[n - 1] == 'n' || s[n - 1] == 'N') {
		bool nan = (s[n - 1] | 32) == 'n';

		ydoc_float_repr(nan ? (double)NAN
				    : (*s == '-' ? -(double)INFINITY : (double)INFINITY),
				name);
		num_text_adds(b, name);
		return true;
	}
	if (!spell(&x, s, n))
		return false;
	if (isinf(x.f)) {
		ydoc_float_repr(x.f, name);
		num_text_adds(b, name);
		return true;
	}
	return x.e != 0 ? put_scientific(b, &x) : put_fixed(b, &x);
}
