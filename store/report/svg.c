#include "store/report/svg.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

#define REPLACEMENT "\xEF\xBF\xBD"
#define ELLIPSIS    "\xE2\x80\xA6"

static bool
is_harmful(uint32_t c)
{
	return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0) ||
	       (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
	       c == 0x200E || c == 0x200F || c == 0x061C || (c & 0xFFFE) == 0xFFFE;
}

static void
put_char(struct buf *b, const char *p, size_t n, uint32_t c)
{
	switch (c) {
	case '&':
		buf_adds(b, "&amp;");
		break;
	case '<':
		buf_adds(b, "&lt;");
		break;
	case '>':
		buf_adds(b, "&gt;");
		break;
	case '"':
		buf_adds(b, "&quot;");
		break;
	case '\'':
		buf_adds(b, "&#39;");
		break;
	default:
		if (is_harmful(c))
			buf_adds(b, REPLACEMENT);
		else
			buf_add(b, p, n);
	}
}

void
svg_text_cut(struct buf *b, const char *text, size_t max)
{
	size_t left = strlen(text), all = svg_length(text);
	/* Names that begin alike often end otherwise: the middle goes. */
	size_t head = max / 2, tail = all - (max - head - 1);

	for (size_t i = 0; left != 0; i++) {
		uint32_t c;
		int n = utf8_decode(text, left, &c);
		size_t len = (size_t)(n < 0 ? -n : n);

		if (all > max && i == head)
			buf_adds(b, ELLIPSIS);
		if (all > max && i >= head && i < tail)
			;
		else if (n < 0)
			buf_adds(b, REPLACEMENT);
		else
			put_char(b, text, len, c);
		text += len;
		left -= len;
	}
}

void
svg_text(struct buf *b, const char *text)
{
	svg_text_cut(b, text, (size_t)-1);
}

size_t
svg_length(const char *text)
{
	size_t left = strlen(text), count = 0;

	while (left != 0) {
		uint32_t c;
		int n = utf8_decode(text, left, &c);

		n = n < 0 ? -n : n;
		text += n;
		left -= (size_t)n;
		count++;
	}
	return count;
}

void
svg_number(struct buf *b, double v)
{
	long tenths = lround(fmin(fmax(v, -1e6), 1e6) * 10);

	if (tenths % 10 == 0)
		buf_addf(b, "%ld", tenths / 10);
	else
		buf_addf(b, "%.1f", (double)tenths / 10);
}

void
svg_label(struct buf *b, const char *class, const char *anchor, double x, double y,
	  const char *text, size_t max)
{
	buf_addf(b, "<text class=\"%s\" text-anchor=\"%s\" x=\"", class, anchor);
	svg_number(b, x);
	buf_adds(b, "\" y=\"");
	svg_number(b, y);
	buf_adds(b, "\">");
	svg_text_cut(b, text, max);
	buf_adds(b, "</text>");
}

void
svg_label_up(struct buf *b, double x, double y, const char *text, size_t max)
{
	buf_adds(b, "<g transform=\"translate(");
	svg_number(b, x);
	buf_addc(b, ' ');
	svg_number(b, y);
	buf_adds(b, ") rotate(-90)\">");
	svg_label(b, "l", "middle", 0, 0, text, max);
	buf_adds(b, "</g>");
}

void
svg_base64(struct buf *b, const char *p, size_t n)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)(unsigned char)p[i] << 16;
		char four[4];

		if (i + 1 < n)
			v |= (uint32_t)(unsigned char)p[i + 1] << 8;
		if (i + 2 < n)
			v |= (uint32_t)(unsigned char)p[i + 2];
		four[0] = digits[v >> 18];
		four[1] = digits[v >> 12 & 63];
		four[2] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		four[3] = i + 2 < n ? digits[v & 63] : '=';
		buf_add(b, four, sizeof four);
	}
}

void
svg_done(struct buf *b, struct buf *part)
{
	if (part->state == BUF_NOMEM)
		b->state = BUF_NOMEM;
	buf_release(part);
}
