#include "base/utf8.h"

#define REPLACEMENT 0xfffdu

/*
 * What a lead byte promises: how many bytes follow, and the range of the first of them,
 * which is where overlong forms, surrogates and values too high are told apart.
 */
struct lead {
	int more; /* -1: no lead byte */
	unsigned low, high;
};

static struct lead
lead_of(unsigned c)
{
	struct lead l = {.more = -1, .low = 0x80, .high = 0xbf};

	if (c < 0x80)
		l.more = 0;
	else if (c >= 0xc2 && c <= 0xdf)
		l.more = 1;
	else if (c >= 0xe0 && c <= 0xef)
		l.more = 2;
	else if (c >= 0xf0 && c <= 0xf4)
		l.more = 3;
	if (c == 0xe0)
		l.low = 0xa0;
	else if (c == 0xed)
		l.high = 0x9f;
	else if (c == 0xf0)
		l.low = 0x90;
	else if (c == 0xf4)
		l.high = 0x8f;
	return l;
}

int
utf8_decode(const char *p, size_t n, uint32_t *out)
{
	const unsigned char *s = (const unsigned char *)p;
	struct lead l = lead_of(s[0]);
	uint32_t cp;
	int i;

	*out = REPLACEMENT;
	if (l.more < 0)
		return -1;
	if (l.more == 0) {
		*out = s[0];
		return 1;
	}
	cp = s[0] & (0x3fu >> l.more);
	for (i = 1; i <= l.more; i++) {
		if ((size_t)i >= n || s[i] < l.low || s[i] > l.high)
			return -i;
		cp = cp << 6 | (s[i] & 0x3fu);
		l.low = 0x80;
		l.high = 0xbf;
	}
	*out = cp;
	return l.more + 1;
}

size_t
utf8_encode(uint32_t c, char *to)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}
