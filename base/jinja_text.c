/*
 * Characters.  Upper and lower case are known for ASCII, Latin-1, Latin Extended-A, Greek and
 * Cyrillic where one letter becomes one letter; every other letter stays as it is.
 */
#include "base/jinja_run.h"
#include "base/utf8.h"

uint32_t
jinja_u8_next(const char *p, size_t n, size_t *adv)
{
	uint32_t c = 0;
	int got;

	if ((unsigned char)p[0] < 0x80) {
		*adv = 1;
		return (unsigned char)p[0];
	}
	got = utf8_decode(p, n, &c);
	*adv = got > 0 ? (size_t)got : 1;
	return got > 0 ? c : 0xdc00u + (unsigned char)p[0];
}

size_t
jinja_u8_put(char *to, uint32_t c)
{
	if (c > 0xdc00 && c <= 0xdcff) {
		to[0] = (char)(c - 0xdc00);
		return 1;
	}
	return utf8_encode(c, to);
}

size_t
jinja_u8_len(const char *p, size_t n)
{
	size_t i = 0, adv, k = 0;

	for (; i < n; i += adv, k++)
		(void)jinja_u8_next(p + i, n - i, &adv);
	return k;
}

size_t
jinja_u8_skip(const char *p, size_t n, size_t k)
{
	size_t i = 0, adv;

	for (; i < n && k > 0; i += adv, k--)
		(void)jinja_u8_next(p + i, n - i, &adv);
	return i;
}

/* Latin Extended-A: pairs of an even capital and an odd small letter, or the reverse. */
static bool
even_capital(uint32_t c)
{
	return (c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) ||
	       (c >= 0x14a && c <= 0x177) || (c >= 0x460 && c <= 0x481) ||
	       (c >= 0x48a && c <= 0x4bf) || (c >= 0x4d0 && c <= 0x52f);
}

static bool
odd_capital(uint32_t c)
{
	return (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e) ||
	       (c >= 0x4c1 && c <= 0x4ce);
}

uint32_t
jinja_u8_upper(uint32_t c)
{
	if (c < 0x80)
		return c >= 'a' && c <= 'z' ? c - 0x20 : c;
	if ((c >= 0xe0 && c <= 0xfe && c != 0xf7) ||
	    (c >= 0x3b1 && c <= 0x3cb && c != 0x3c2) || (c >= 0x430 && c <= 0x44f))
		return c - 0x20;
	if (even_capital(c))
		return c & ~1u;
	if (odd_capital(c))
		return c & 1 ? c : c - 1;
	if (c >= 0x450 && c <= 0x45f)
		return c - 0x50;
	if (c >= 0x3ad && c <= 0x3af)
		return c - 0x25;
	return c == 0xff    ? 0x178
	       : c == 0x3c2 ? 0x3a3
	       : c == 0x3ac ? 0x386
	       : c == 0x3cc ? 0x38c
	       : c == 0x3cd ? 0x38e
	       : c == 0x3ce ? 0x38f
	       : c == 0x4cf ? 0x4c0
			    : c;
}

uint32_t
jinja_u8_lower(uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 0x20 : c;
	if ((c >= 0xc0 && c <= 0xde && c != 0xd7) ||
	    (c >= 0x391 && c <= 0x3ab && c != 0x3a2) || (c >= 0x410 && c <= 0x42f))
		return c + 0x20;
	if (even_capital(c))
		return c | 1;
	if (odd_capital(c))
		return c & 1 ? c + 1 : c;
	if (c >= 0x400 && c <= 0x40f)
		return c + 0x50;
	if (c >= 0x388 && c <= 0x38a)
		return c + 0x25;
	return c == 0x178   ? 0xff
	       : c == 0x386 ? 0x3ac
	       : c == 0x38c ? 0x3cc
	       : c == 0x38e ? 0x3cd
	       : c == 0x38f ? 0x3ce
	       : c == 0x4c0 ? 0x4cf
			    : c;
}

bool
jinja_u8_space(uint32_t c)
{
	return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x85 ||
	       c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
	       c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Beyond ASCII: everything that is no blank, no control and not the punctuation of Latin-1
 * and of U+2000 to U+206F. */
bool
jinja_u8_letter(uint32_t c)
{
	if (c < 0x80)
		return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
	if (c < 0xc0)
		return c == 0xaa || c == 0xb5 || c == 0xba;
	return c != 0xd7 && c != 0xf7 && !jinja_u8_space(c) &&
	       (c < 0x2000 || c > 0x206f) && (c < 0xd800 || c > 0xdfff);
}
