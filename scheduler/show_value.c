#include "scheduler/show_value.h"

#include "base/buf.h"
#include "base/textwidth.h"
#include "base/utf8.h"

#define SHOWN_MAX  48  /* characters */
#define SHOWN_ROOM 160 /* bytes that they may take, escapes included */

static void
show_char(struct buf *b, const char *p, size_t n, uint32_t c, bool good)
{
	size_t i;

	if (c == '\n')
		buf_adds(b, "\\n");
	else if (c == '\t')
		buf_adds(b, "\\t");
	else if (good && !text_harmful(c))
		buf_add(b, p, n);
	else
		for (i = 0; i < n; i++)
			buf_addf(b, "\\x%02x", (unsigned)(unsigned char)p[i]);
}

void
show_value(struct buf *b, const char *p, size_t n)
{
	size_t i = 0, count = 0, start = b->n;

	buf_addc(b, '\'');
	while (i < n && count < SHOWN_MAX && b->n - start < SHOWN_ROOM) {
		uint32_t c;
		int len = utf8_decode(p + i, n - i, &c);
		size_t step = (size_t)(len < 0 ? -len : len);

		show_char(b, p + i, step, c, len > 0);
		i += step;
		count++;
	}
	buf_adds(b, i < n ? "...'" : "'");
}
