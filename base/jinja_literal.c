/* Literals of expressions: numbers and strings. */
#include "base/arena.h"
#include "base/jinja_ast.h"
#include "base/jinja_run.h"
#include "base/num.h"

#include <string.h>

#define NUMBER_MAX 128 /* characters of one number */

static int
at(const struct jinja_lex *lx, size_t off)
{
	return off < lx->len ? (unsigned char)lx->src[off] : -1;
}

static int
digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* Copy digits of ${base}, each perhaps with one '_' before it, behind ${n} bytes of ${out}. */
static size_t
digits(const struct jinja_lex *lx, size_t *pos, int base, char *out, size_t n)
{
	size_t p = *pos;

	while (n < NUMBER_MAX - 1) {
		if (digit(at(lx, p)) < base)
			out[n++] = lx->src[p++];
		else if (at(lx, p) == '_' && p > *pos && digit(at(lx, p + 1)) < base)
			p++;
		else
			break;
	}
	*pos = p;
	out[n] = '\0';
	return n;
}

static int
too_big(struct jinja_lex *lx, size_t start)
{
	return jinja_mistake(lx->e, start, lx->pos - start,
			     "the number is too big (whole numbers have 64 bits)");
}

/* 0x.., 0o.., 0b.. with ${base}. */
static int
based(struct jinja_lex *lx, struct jinja_tok *t, int base)
{
	size_t start = lx->pos, i, n;
	char text[NUMBER_MAX];
	int64_t v = 0;

	lx->pos += 2;
	if (at(lx, lx->pos) == '_')
		lx->pos++;
	n = digits(lx, &lx->pos, base, text, 0);
	if (n == 0)
		return jinja_mistake(lx->e, start, 2, "digits are missing after '%.2s'",
				     lx->src + start);
	for (i = 0; i < n; i++)
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, digit((unsigned char)text[i]), &v))
			return too_big(lx, start);
	t->kind = JINJA_T_INT;
	t->i = v;
	return 0;
}

/* The fraction and exponent of a number whose whole part is in ${text}; whether it has any. */
static bool
fraction(struct jinja_lex *lx, char *text, size_t n)
{
	bool is_float = false;
	size_t p = lx->pos;

	if (at(lx, p) == '.' && digit(at(lx, p + 1)) < 10 && n < NUMBER_MAX - 2) {
		text[n++] = '.';
		p++;
		n = digits(lx, &p, 10, text, n);
		lx->pos = p;
		is_float = true;
	}
	if ((at(lx, p) | 0x20) == 'e' && n < NUMBER_MAX - 3) {
		size_t q = p + 1, m = n;

		text[m++] = 'e';
		if (at(lx, q) == '+' || at(lx, q) == '-')
			text[m++] = lx->src[q++];
		if (digit(at(lx, q)) < 10) {
			(void)digits(lx, &q, 10, text, m);
			lx->pos = q;
			return true;
		}
	}
	text[n] = '\0';
	return is_float;
}

int
jinja_lex_number(struct jinja_lex *lx, struct jinja_tok *t)
{
	size_t start = lx->pos, n;
	char text[NUMBER_MAX];
	int c = at(lx, start + 1) | 0x20;
	bool after_dot = start > 0 && lx->src[start - 1] == '.'; /* x.0.1 is no float */

	if (at(lx, start) == '0' && (c == 'x' || c == 'o' || c == 'b'))
		return based(lx, t, c == 'x' ? 16 : c == 'o' ? 8 : 2);
	n = digits(lx, &lx->pos, 10, text, 0);
	if (n >= NUMBER_MAX - 4)
		return jinja_mistake(lx->e, start, lx->pos - start,
				     "a number has at most %d digits", NUMBER_MAX - 4);
	if (!after_dot && fraction(lx, text, n)) {
		t->kind = JINJA_T_FLOAT;
		if (num_f64(text, &t->f) != 0)
			return jinja_mistake(lx->e, start, lx->pos - start,
					     "the number is too big");
		return 0;
	}
	t->kind = JINJA_T_INT;
	if (text[0] == '0' && strspn(text, "0") != n)
		return jinja_mistake(
		    lx->e, start, lx->pos - start,
		    "a number does not begin with 0; octal is written 0o%s",
		    text + strspn(text, "0"));
	return num_i64(text, &t->i) == 0 ? 0 : too_big(lx, start);
}

/* \ooo, \xHH, \uHHHH, \UHHHHHHHH behind the backslash at ${p}: append the character.
 * Return the offset behind it, or 0 with a mistake told. */
static size_t
numeric_escape(struct jinja_lex *lx, size_t p, char **to)
{
	int kind = at(lx, p + 1), base = 16;
	size_t want = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 3, got = 0;
	size_t q = p + 2;
	uint32_t c = 0;

	if (want == 3) {
		base = 8;
		q = p + 1;
	}
	for (; got < want && digit(at(lx, q)) < base; got++, q++)
		c = c * (uint32_t)base + (uint32_t)digit(at(lx, q));
	if ((base == 16 && got < want) || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
		(void)jinja_mistake(lx->e, p, q - p,
				    "the escape '%.*s' is no Unicode character",
				    (int)(q - p), lx->src + p);
		return 0;
	}
	if (c == 0) {
		(void)jinja_mistake(lx->e, p, q - p, "a string cannot hold a NUL");
		return 0;
	}
	*to += jinja_u8_put(*to, c);
	return q;
}

/* What follows the backslash at ${p}; an escape that is none stays as it is, as in Python. */
static size_t
escape(struct jinja_lex *lx, size_t p, char **to)
{
	static const char from[] = "abfnrtv\\'\"", made[] = "\a\b\f\n\r\t\v\\'\"";
	int c = at(lx, p + 1);
	const char *known = c > 0 ? strchr(from, c) : NULL;

	if (known != NULL) {
		*(*to)++ = made[known - from];
		return p + 2;
	}
	if (c == '\n')
		return p + 2;
	if (c == 'x' || c == 'u' || c == 'U' || (c >= '0' && c <= '7'))
		return numeric_escape(lx, p, to);
	*(*to)++ = '\\';
	return p + 1;
}

int
jinja_lex_string(struct jinja_lex *lx, struct jinja_tok *t)
{
	size_t start = lx->pos, p, end;
	char quote = lx->src[start], *to;

	for (end = start + 1; end < lx->len && lx->src[end] != quote; end++)
		if (lx->src[end] == '\\')
			end++;
	if (end >= lx->len)
		return jinja_mistake(lx->e, start, 1, "the string is not closed by %c",
				     quote);
	/* No escape is longer than what it stands for. */
	to = arena_alloc(lx->arena, end - start + 4);
	if (to == NULL)
		return jinja_mistake(lx->e, start, 1, "out of memory");
	t->kind = JINJA_T_STR;
	t->p = to;
	for (p = start + 1; p < end;) {
		if (lx->src[p] == '\0')
			return jinja_mistake(lx->e, p, 1, "a string cannot hold a NUL");
		if (lx->src[p] != '\\')
			*to++ = lx->src[p++];
		else if ((p = escape(lx, p, &to)) == 0)
			return -1;
	}
	*to = '\0';
	t->n = (size_t)(to - t->p);
	lx->pos = end + 1;
	return 0;
}
