/*
 * Integers as the emitter writes them, and numbers compared.  One that was read keeps much of its spelling (base,
 * width, underscores, exponent), by rules that are applied to the value, not by copying:
 * what comes out need not be what went in.
 */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/num.h"
#include "store/dvc/yaml_num_text.h"

/* Digits with underscores as they stood: every ${group} from the end, before, behind. */
static void
put_grouped(struct num_text *b, const char *digits, size_t group, bool before,
	    bool behind)
{
	size_t n = strlen(digits);

	if (before)
		num_text_addc(b, '_');
	for (size_t i = 0; i < n; i++) {
		if (group != 0 && i != 0 && (n - i) % group == 0)
			num_text_addc(b, '_');
		num_text_addc(b, digits[i]);
	}
	if (behind)
		num_text_addc(b, '_');
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
put_canonical(struct num_text *b, const char *s)
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
			num_text_addc(b, (char)(capital ? *s & ~32 : *s | 32));
		else
			num_text_addc(b, *s);
}

/* 0b, 0o, 0x: the zeros in front stay if there are any. */
static void
put_based(struct num_text *b, const char *source, size_t n, const char *clean)
{
	struct spelling sp = spelling_of(source, n);
	size_t width = clean[2] == '0' ? strlen(clean + 2) : 0;
	struct num_text digits, padded;

	num_text_init(&digits);
	num_text_init(&padded);
	put_canonical(&digits, clean + 2);
	for (size_t i = digits.n; i < width; i++)
		num_text_addc(&padded, '0');
	num_text_adds(&padded, digits.p);
	num_text_add(b, clean, 2);
	put_grouped(b, padded.p, sp.group, sp.group != 0 && source[2] == '_',
		    sp.group != 0 && n > 3 && source[n - 1] == '_');
}

static void
put_decimal(struct num_text *b, const char *source, size_t n, const char *clean,
	    bool minus)
{
	struct spelling sp = spelling_of(source, n);
	struct num_text text;
	size_t width = clean[0] == '0' ? strlen(clean) : 0, digits;
	const char *s = clean;

	while (*s == '0' && s[1] != '\0')
		s++;
	digits = strlen(s);
	minus = minus && strcmp(s, "0") != 0;
	num_text_init(&text);
	if (minus)
		num_text_addc(&text, '-');
	for (size_t i = digits + minus; i < width; i++)
		num_text_addc(&text, '0');
	num_text_adds(&text, s);
	put_grouped(b, text.p, sp.group, false, sp.behind);
}

/* Without underscores and sign; false if nothing is left. */
static bool
clean_digits(struct num_text *b, const char *s, size_t n, bool *minus)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != '_')
			num_text_addc(b, s[i]);
	*minus = b->p[0] == '-';
	if (b->p[0] == '-' || b->p[0] == '+')
		memmove(b->p, b->p + 1, b->n--);
	return b->n != 0;
}

static bool
int_text(struct num_text *b, const char *s, size_t n)
{
	struct num_text clean;
	bool minus, based, ok;

	num_text_init(&clean);
	ok = clean_digits(&clean, s, n, &minus);
	based =
	    ok && clean.p[0] == '0' && clean.n > 1 && strchr("box", clean.p[1]) != NULL;
	if (based && (clean.n == 2 || minus))
		ok = false;
	else if (based)
		put_based(b, s, n, clean.p);
	else if (ok)
		put_decimal(b, s, n, clean.p, minus);
	ok = ok && !num_text_full(&clean);
	return ok;
}

int
ydoc_number_text(struct arena *a, const struct yaml_val *v, const char **out)
{
	struct num_text t;
	bool ok;

	num_text_init(&t);
	ok = v->len <= YAML_NUMBER_MAX &&
	     (v->kind == YV_INT ? int_text(&t, v->text, v->len)
				: ydoc_float_text(&t, v->text, v->len));
	if (!ok || num_text_full(&t))
		return 1;
	*out = arena_strndup(a, t.p, t.n);
	return *out != NULL ? 0 : -1;
}

static double
value_of(const struct yaml_val *v)
{
	const char *text = v->source != NULL ? v->source : v->text;
	struct num_text b;
	double f = (double)NAN;
	bool minus;

	if (v->kind == YV_BOOL)
		return v->text[0] == 't';
	num_text_init(&b);
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
	return minus ? -f : f;
}

/* The decimal digits of an integer in any base, with its sign. */
static void
put_in_decimal(struct num_text *b, const char *text)
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
		num_text_addc(b, '-');
	while (n-- != 0)
		num_text_addc(b, (char)('0' + digits[n]));
}

bool
ydoc_int_decimal(struct num_text *b, const char *s, size_t n)
{
	struct num_text clean;
	bool minus;

	num_text_init(&clean);
	if (!clean_digits(&clean, s, n, &minus) || num_text_full(&clean) ||
	    (clean.n == 2 && clean.p[0] == '0' && strchr("box", clean.p[1]) != NULL))
		return false;
	if (minus)
		num_text_addc(b, '-');
	put_in_decimal(b, clean.p);
	if (minus && strcmp(b->p, "-0") == 0) {
		num_text_init(b);
		num_text_addc(b, '0');
	}
	return !num_text_full(b);
}

bool
ydoc_number_equal(const struct yaml_val *a, const struct yaml_val *b)
{
	struct num_text x, y;
	bool equal;

	/* Beyond 53 bits a double cannot tell; then the digits are compared. */
	if (a->kind != YV_INT || b->kind != YV_INT ||
	    fabs(value_of(a)) < 9007199254740992.0 || a->len > YAML_NUMBER_MAX ||
	    b->len > YAML_NUMBER_MAX)
		return value_of(a) == value_of(b);
	num_text_init(&x);
	num_text_init(&y);
	put_in_decimal(&x, a->text);
	put_in_decimal(&y, b->text);
	equal = strcmp(x.p, y.p) == 0;
	return equal;
}
