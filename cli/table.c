#include "cli/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/textwidth.h"
#include "base/timefmt.h"
#include "base/utf8.h"
#include "base/vec.h"

#define GAP	     2
#define COLUMN_MIN   4 /* what is cut for another column keeps that much */
#define SHORT_ID_LEN 8

struct cell {
	size_t at, n; /* in the text */
	const char *ansi;
	unsigned columns;
};

struct table {
	struct buf text;
	VEC(struct cell) cells; /* row by row, titles first */
	size_t ncolumns;
	size_t keep; /* this column keeps its room; 0: none */
	bool failed;
};

struct table *
table_new(const char *const *titles, size_t n)
{
	struct table *t = calloc(1, sizeof(*t));
	size_t i;

	if (t == NULL)
		return NULL;
	buf_init(&t->text, 0);
	t->ncolumns = n;
	for (i = 0; i < n; i++)
		table_cell(t, titles[i]);
	return t;
}

void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	buf_release(&t->text);
	vec_release(&t->cells);
	free(t);
}

void
table_cell(struct table *t, const char *text)
{
	struct cell cell = {.at = t->text.n};

	if (text != NULL)
		(void)text_fit(&t->text, text, (unsigned)-1);
	cell.n = t->text.n - cell.at;
	cell.columns = text_columns(t->text.p + cell.at, cell.n);
	if (vec_push(&t->cells, cell) != 0)
		t->failed = true;
}

void
table_cellf(struct table *t, const char *fmt, ...)
{
	struct buf b;
	va_list ap;

	buf_init(&b, 0);
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	if (buf_failed(&b))
		t->failed = true;
	table_cell(t, b.p);
	buf_release(&b);
}

void
table_style(struct table *t, const char *ansi)
{
	if (t->cells.n > 0)
		t->cells.v[t->cells.n - 1].ansi = ansi;
}

/* The widest cell of each column. */
static void
measure(const struct table *t, unsigned *widths)
{
	size_t i;

	memset(widths, 0, t->ncolumns * sizeof(*widths));
	for (i = 0; i < t->cells.n; i++)
		if (t->cells.v[i].columns > widths[i % t->ncolumns])
			widths[i % t->ncolumns] = t->cells.v[i].columns;
}

void
table_keep(struct table *t, size_t column)
{
	t->keep = column;
}

/* Make room for the column that is kept. */
static void
squeeze(const struct table *t, unsigned *widths, unsigned width)
{
	unsigned need = widths[t->keep];
	size_t i, widest;

	for (i = 0; i < t->keep; i++)
		need += widths[i] + GAP;
	for (; need > width; need--) {
		widest = 0;
		for (i = 0; i < t->keep; i++)
			if (widths[i] > widths[widest])
				widest = i;
		if (widths[widest] <= COLUMN_MIN)
			return;
		widths[widest]--;
	}
}

/* Return the columns used. */
static unsigned
print_cell(const struct table *t, struct buf *out, const struct cell *cell, unsigned room,
	   bool color)
{
	char *text = strndup(t->text.p + cell->at, cell->n);
	unsigned used;

	color = color && cell->ansi != NULL && cell->n > 0;
	if (color)
		buf_addf(out, "\033[%sm", cell->ansi);
	used = text_fit(out, text != NULL ? text : "", room);
	if (color)
		buf_adds(out, "\033[0m");
	free(text);
	return used;
}

int
table_print(const struct table *t, struct buf *out, unsigned width, bool color)
{
	unsigned widths[TABLE_COLUMNS_MAX], used = 0, left, room, pad, taken;
	size_t i, col;

	if (t->failed || buf_failed(&t->text) || t->ncolumns > TABLE_COLUMNS_MAX)
		return -1;
	measure(t, widths);
	if (width > 0 && t->keep > 0)
		squeeze(t, widths, width);
	for (i = 0; i < t->cells.n; i++) {
		const struct cell *cell = &t->cells.v[i];

		col = i % t->ncolumns;
		if (col == 0)
			used = 0;
		left = (unsigned)-1;
		if (width > 0)
			left = used >= width ? 0 : width - used;
		room = col < t->keep && left > widths[col] ? widths[col] : left;
		taken = print_cell(t, out, cell, room, color);
		if (col == t->ncolumns - 1) {
			while (out->n > 0 && out->p[out->n - 1] == ' ')
				buf_truncate(out, out->n - 1);
			buf_addc(out, '\n');
			continue;
		}
		pad = widths[col] + GAP < left ? widths[col] + GAP : left;
		for (; pad > taken; pad--)
			buf_addc(out, ' ');
		used += widths[col] + GAP;
	}
	return buf_failed(out) ? -1 : 0;
}

unsigned
text_fit(struct buf *b, const char *text, unsigned columns)
{
	size_t n = strlen(text), mark = b->n;
	unsigned used = 0, mark_used = 0, w;
	uint32_t cp;
	int len;

	while (n > 0) {
		len = utf8_decode(text, n, &cp);
		if (cp == '\n' || cp == '\t' || cp == '\r')
			cp = ' ';
		w = text_harmful(cp) ? 1 : text_width(cp);
		if (used + w > columns) {
			/* Make room for the mark of the cut. */
			if (columns == 0)
				return 0;
			buf_truncate(b, mark);
			buf_adds(b, "\u2026");
			return mark_used + 1;
		}
		if (cp == ' ')
			buf_addc(b, ' ');
		else
			text_put(b, text, (size_t)(len < 0 ? -len : len));
		used += w;
		if (used < columns) {
			mark = b->n;
			mark_used = used;
		}
		text += len < 0 ? -len : len;
		n -= (size_t)(len < 0 ? -len : len);
	}
	return used;
}

/* The bytes of the character, or of the escape sequence, at p, and the columns it takes. */
static size_t
step(const char *p, size_t n, unsigned *columns)
{
	uint32_t cp;
	size_t i;
	int len;

	if (n > 1 && p[0] == '\033' && p[1] == '[') {
		for (i = 2; i < n && (p[i] < '@' || p[i] > '~'); i++)
			;
		*columns = 0;
		return i < n ? i + 1 : n;
	}
	len = utf8_decode(p, n, &cp);
	*columns = text_harmful(cp) ? 1 : text_width(cp);
	return (size_t)(len < 0 ? -len : len);
}

/* One line of n bytes. */
static void
wrap_line(struct buf *out, const char *p, size_t n, unsigned width)
{
	size_t start = 0, blank = 0, i = 0, len, indent = 0;
	unsigned col = 0, w;

	while (indent < n && p[indent] == ' ')
		indent++;
	indent = indent + 2 < width / 2 ? indent + 2 : 0;
	while (i < n) {
		len = step(p + i, n - i, &w);
		/* A character wider than the whole line stands on one of its own. */
		if (col + w > width && i > start) {
			/* Behind the last blank, or here if there is none. */
			if (blank <= start)
				blank = i;
			len = blank;
			while (len > start && p[len - 1] == ' ')
				len--;
			buf_add(out, p + start, len - start);
			buf_addf(out, "\n%*s", (int)indent, "");
			start = i = blank;
			col = (unsigned)indent;
			continue;
		}
		col += w;
		i += len;
		if (p[i - 1] == ' ' && i > indent)
			blank = i;
	}
	buf_add(out, p + start, n - start);
}

void
text_wrap(struct buf *b, size_t from, unsigned width)
{
	const char *p, *nl, *end;
	struct buf out;

	if (width == 0 || buf_failed(b))
		return;
	buf_init(&out, 0);
	end = b->p + b->n;
	for (p = b->p + from; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL) {
			wrap_line(&out, p, (size_t)(end - p), width);
			break;
		}
		wrap_line(&out, p, (size_t)(nl - p), width);
		buf_addc(&out, '\n');
	}
	/* Without memory the lines stay as they are. */
	if (!buf_failed(&out)) {
		buf_truncate(b, from);
		buf_add(b, out.p, out.n);
	}
	buf_release(&out);
}

void
text_when(struct buf *b, int64_t us)
{
	struct civil c;

	if (us == 0) {
		buf_addc(b, '-');
		return;
	}
	time_civil(us, &c);
	buf_addf(b, "%04d-%02d-%02d %02d:%02d:%02d", c.year, c.month, c.day, c.hour,
		 c.minute, c.second);
}

const char *
text_short_id(const char *id)
{
	size_t n = strlen(id);

	return n > SHORT_ID_LEN ? id + n - SHORT_ID_LEN : id;
}
