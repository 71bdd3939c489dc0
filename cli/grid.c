#include "cli/grid.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/textwidth.h"
#include "base/vec.h"

#define PADDING 2 /* columns that a title has behind it at least */

struct cell {
	size_t at, n; /* bytes in text */
};

struct grid {
	size_t columns;
	struct buf text;
	VEC(struct cell) cells;
	bool nomem;
};

struct grid *
grid_new(size_t columns)
{
	struct grid *g = calloc(1, sizeof *g);

	if (g == NULL)
		return NULL;
	g->columns = columns;
	buf_init(&g->text, SIZE_MAX / 2);
	return g;
}

void
grid_free(struct grid *g)
{
	if (g == NULL)
		return;
	vec_release(&g->cells);
	buf_release(&g->text);
	free(g);
}

void
grid_cell(struct grid *g, const char *p, size_t n)
{
	struct cell c = {.at = g->text.n};

	while (n > 0 && strchr(" \t\n\r", p[n - 1]) != NULL && p[n - 1] != '\0')
		n--;
	text_put(&g->text, p, n);
	c.n = g->text.n - c.at;
	if (buf_failed(&g->text) || vec_push(&g->cells, c) != 0)
		g->nomem = true;
}

void
grid_text(struct grid *g, const char *text)
{
	grid_cell(g, text, strlen(text));
}

/* In Markdown a bar would end the cell. */
static size_t
bars(const struct grid *g, const struct cell *c, bool markdown)
{
	size_t n = 0;

	for (size_t i = 0; markdown && i < c->n; i++)
		n += g->text.p[c->at + i] == '|';
	return n;
}

static size_t
width_of(const struct grid *g, const struct cell *c, bool markdown)
{
	return text_columns(g->text.p + c->at, c->n) + bars(g, c, markdown);
}

static void
put_blanks(struct buf *b, size_t n)
{
	while (n-- > 0)
		buf_addc(b, ' ');
}

static void
put_text(const struct grid *g, const struct cell *c, bool markdown, struct buf *b)
{
	for (size_t i = 0; i < c->n; i++) {
		if (markdown && g->text.p[c->at + i] == '|')
			buf_addc(b, '\\');
		buf_addc(b, g->text.p[c->at + i]);
	}
}

static void
put_row(const struct grid *g, size_t row, const size_t *widths, bool markdown,
	struct buf *b)
{
	size_t last = 0;

	for (size_t i = 0; i < g->columns; i++) {
		const struct cell *c = &g->cells.v[row * g->columns + i];

		buf_adds(b, markdown ? "| " : i != 0 ? "  " : "");
		put_text(g, c, markdown, b);
		if (c->n != 0)
			last = b->n;
		put_blanks(b, widths[i] - width_of(g, c, markdown));
		buf_adds(b, markdown ? " " : "");
	}
	if (markdown)
		buf_adds(b, "|\n");
	else if (!buf_failed(b)) {
		buf_truncate(b, last);
		buf_addc(b, '\n');
	}
}

static void
put_rule(const struct grid *g, const size_t *widths, struct buf *b)
{
	for (size_t i = 0; i < g->columns; i++) {
		buf_addc(b, '|');
		for (size_t k = 0; k < widths[i] + 2; k++)
			buf_addc(b, '-');
	}
	buf_adds(b, "|\n");
}

int
grid_put(const struct grid *g, bool markdown, struct buf *b)
{
	size_t rows, *widths;

	if (g->nomem || g->columns == 0)
		return g->nomem ? -1 : 0;
	rows = g->cells.n / g->columns;
	if (rows < 2 && !markdown)
		return 0;
	widths = calloc(g->columns, sizeof *widths);
	if (widths == NULL)
		return -1;
	for (size_t i = 0; i < rows * g->columns; i++) {
		size_t w = width_of(g, &g->cells.v[i], markdown) +
			   (i < g->columns ? PADDING : 0);

		if (w > widths[i % g->columns])
			widths[i % g->columns] = w;
	}
	for (size_t row = 0; row < rows; row++) {
		put_row(g, row, widths, markdown, b);
		if (row == 0 && markdown)
			put_rule(g, widths, b);
	}
	if (markdown)
		buf_addc(b, '\n');
	free(widths);
	return 0;
}
