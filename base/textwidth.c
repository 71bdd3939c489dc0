#include "base/textwidth.h"

#include "base/buf.h"
#include "base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

struct range {
	uint32_t first, last;
};

/* Sorted: combining marks of the common scripts, joiners, variation selectors. */
static const struct range zero[] = {
    {0x0300, 0x036f},	{0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a},
    {0x064b, 0x065f},	{0x06d6, 0x06dc}, {0x0900, 0x0902}, {0x0941, 0x0948},
    {0x0e34, 0x0e3a},	{0x0e47, 0x0e4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
    {0x200b, 0x200f},	{0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
    {0xe0100, 0xe01ef},
};

/* Sorted: what Unicode calls wide or fullwidth, and the blocks of emoji. */
static const struct range wide[] = {
    {0x1100, 0x115f},	{0x231a, 0x231b},   {0x23e9, 0x23ec},	{0x2614, 0x2615},
    {0x2705, 0x2705},	{0x270a, 0x270b},   {0x2728, 0x2728},	{0x274c, 0x274c},
    {0x2753, 0x2755},	{0x2795, 0x2797},   {0x2b1b, 0x2b1c},	{0x2b50, 0x2b50},
    {0x2e80, 0x303e},	{0x3041, 0xa4cf},   {0xa960, 0xa97f},	{0xac00, 0xd7a3},
    {0xf900, 0xfaff},	{0xfe30, 0xfe6f},   {0xff00, 0xff60},	{0xffe0, 0xffe6},
    {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff},
    {0x20000, 0x3fffd},
};

static int
within(const struct range *r, size_t n, uint32_t cp)
{
	size_t low = 0, high = n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (cp > r[mid].last)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && cp >= r[low].first;
}

unsigned
text_width(uint32_t cp)
{
	if (cp < 0x300)
		return 1;
	if (within(zero, sizeof(zero) / sizeof(zero[0]), cp))
		return 0;
	return within(wide, sizeof(wide) / sizeof(wide[0]), cp) ? 2 : 1;
}

int
text_harmful(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x061c ||
	       (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) ||
	       cp == 0xfeff || cp == 0x200e || cp == 0x200f;
}

unsigned
text_columns(const char *p, size_t n)
{
	unsigned columns = 0;
	uint32_t cp;
	int len;

	for (; n > 0; p += len, n -= (size_t)len) {
		len = utf8_decode(p, n, &cp);
		columns += len < 0 || text_harmful(cp) ? 1 : text_width(cp);
		len = len < 0 ? -len : len;
	}
	return columns;
}

void
text_put(struct buf *b, const char *p, size_t n)
{
	uint32_t cp;
	int len;

	for (; n > 0; p += len, n -= (size_t)len) {
		len = utf8_decode(p, n, &cp);
		if (len < 0 || text_harmful(cp))
			buf_adds(b, REPLACEMENT);
		else
			buf_add(b, p, (size_t)len);
		len = len < 0 ? -len : len;
	}
}
