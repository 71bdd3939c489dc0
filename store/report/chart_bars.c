/* Bars and matrices. */
#include <math.h>

#include "base/buf.h"
#include "store/report/chart.h"
#include "store/report/chart_axis.h"
#include "store/report/svg.h"

#define WIDTH	   560
#define TOP	   8
#define RIGHT	   56 /* a value stands behind the longest bar */
#define BOTTOM	   46
#define THICK	   14 /* of a bar */
#define GAP	   8  /* between names */
#define NAME_MAX   24 /* characters */
#define TICKS	   5
#define VALUES_MAX 60 /* bars that get their value beside them */

#define SIDE	  320.0 /* of a matrix */
#define CELL_MIN  9.0
#define CELL_MAX  64.0
#define CELL_TEXT 22.0 /* from which on its number is written in it */
#define LABEL_MAX 14

static void
put_rect(struct buf *b, const char *more, double x, double y, double w, double h)
{
	buf_addf(b, "<rect%s x=\"", more);
	svg_number(b, x);
	buf_adds(b, "\" y=\"");
	svg_number(b, y);
	buf_adds(b, "\" width=\"");
	svg_number(b, w);
	buf_adds(b, "\" height=\"");
	svg_number(b, h);
	buf_adds(b, "\">");
}

static size_t
longest_name(const char *const *names, size_t n, size_t max)
{
	size_t longest = 1;

	for (size_t i = 0; i < n; i++) {
		size_t len = svg_length(names[i]);

		longest = len > longest ? len : longest;
	}
	return longest > max ? max : longest;
}

/* ---- bars ---- */

struct bars {
	const struct chart *c;
	struct buf *b;
	struct chart_axis x;
	double left, width, bottom;
	size_t n; /* names that are drawn */
};

static double
bar_x(const struct bars *p, double v)
{
	/* What the axis does not reach lies at its end. */
	v = fmin(fmax(v, p->x.lo), p->x.hi);
	return p->left + (v - p->x.lo) / (p->x.hi - p->x.lo) * p->width;
}

static void
put_bar(struct bars *p, size_t series, const struct chart_point *it)
{
	const struct chart_series *s = &p->c->series[series];
	double from = bar_x(p, 0), to = bar_x(p, it->x);
	double block = (double)p->c->nseries * THICK + GAP;
	double y = TOP + it->y * block + GAP / 2.0 + (double)series * THICK;

	buf_addf(p->b, "<g class=\"c%zu\">", s->color % CHART_COLORS);
	put_rect(p->b, " class=\"b\" rx=\"2\"", fmin(from, to), y + 1,
		 fmax(fabs(to - from), 0.5), THICK - 2);
	buf_adds(p->b, "<title>");
	svg_text(p->b, p->c->names[(size_t)it->y]);
	if (s->name[0] != '\0') {
		buf_addc(p->b, '\n');
		svg_text(p->b, s->name);
	}
	buf_addf(p->b, "\n%.6g</title></rect></g>", it->x);
	if (p->c->nseries * p->n <= VALUES_MAX) {
		char text[32];
		struct buf value;

		buf_init(&value, sizeof text);
		buf_addf(&value, "%s%.4g", it->x < 0 ? "\xE2\x88\x92" : "", fabs(it->x));
		svg_label(p->b, "t", "start", fmax(from, to) + 5, y + THICK - 3.5,
			  value.p, 12);
		svg_done(p->b, &value);
	}
}

static void
fit_bars(struct bars *p)
{
	double lo = 0, hi = 0;

	for (size_t s = 0; s < p->c->nseries; s++)
		for (size_t i = 0; i < p->c->series[s].n; i++)
			if (isfinite(p->c->series[s].v[i].x)) {
				lo = fmin(lo, p->c->series[s].v[i].x);
				hi = fmax(hi, p->c->series[s].v[i].x);
			}
	chart_axis_fit(&p->x, lo, hi, TICKS);
	p->left = 34 + (double)longest_name(p->c->names, p->n, NAME_MAX) * SVG_CHAR_WIDTH;
	p->width = WIDTH - RIGHT - p->left;
	p->bottom = TOP + (double)p->n * ((double)p->c->nseries * THICK + GAP);
}

static void
put_bar_axes(struct bars *p)
{
	double block = (double)p->c->nseries * THICK + GAP;

	for (size_t i = 0; i < p->x.n; i++) {
		double x = bar_x(p, chart_axis_tick(&p->x, i));
		struct buf label;

		buf_init(&label, 64);
		chart_axis_label(&p->x, i, &label);
		put_rect(p->b, " class=\"r\"", x, TOP, 0.5, p->bottom - TOP);
		buf_adds(p->b, "</rect>");
		svg_label(p->b, "t", "middle", x, p->bottom + 16, label.p, 20);
		svg_done(p->b, &label);
	}
	for (size_t i = 0; i < p->n; i++)
		svg_label(p->b, "t", "end", p->left - 8,
			  TOP + ((double)i + 0.5) * block + 4, p->c->names[i], NAME_MAX);
	svg_label(p->b, "l", "middle", p->left + p->width / 2, p->bottom + 37,
		  p->c->x_label, 60);
	svg_label_up(p->b, 13, (TOP + p->bottom) / 2, p->c->y_label,
		     (size_t)fmax(4, (p->bottom - TOP) / SVG_CHAR_WIDTH));
}

void
chart_bars(const struct chart *c, struct buf *b)
{
	struct bars p = {.c = c, .b = b, .n = c->nnames};

	if (p.n > CHART_BARS_MAX)
		p.n = CHART_BARS_MAX;
	fit_bars(&p);
	buf_addf(b, "<svg viewBox=\"0 0 %d ", WIDTH);
	svg_number(b, p.bottom + BOTTOM);
	buf_adds(b, "\" role=\"img\" aria-label=\"");
	svg_text(b, c->title);
	buf_adds(b, "\">");
	put_bar_axes(&p);
	for (size_t s = 0; s < c->nseries; s++)
		for (size_t i = 0; i < c->series[s].n; i++)
			if (isfinite(c->series[s].v[i].x) &&
			    c->series[s].v[i].y < (double)p.n)
				put_bar(&p, s, &c->series[s].v[i]);
	buf_adds(b, "</svg>");
}

/* ---- a matrix ---- */

static void
put_cell(const struct chart_matrix *m, struct buf *b, size_t x, size_t y, double cell,
	 double left, double most)
{
	double v = m->v[y * m->n + x], part = most > 0 ? v / most : 0;
	double px = left + (double)x * cell, py = TOP + (double)y * cell;
	struct buf text, more;

	buf_init(&more, 64);
	buf_init(&text, 64);
	buf_addf(&more, " class=\"m\" fill-opacity=\"%.3f\"", 0.05 + 0.9 * part);
	put_rect(b, more.p, px + 0.5, py + 0.5, cell - 1, cell - 1);
	buf_addf(&text, m->share ? "%.2f" : "%.0f", v);
	buf_adds(b, "<title>");
	svg_text(b, m->y_label);
	buf_adds(b, ": ");
	svg_text(b, m->names[y]);
	buf_addc(b, '\n');
	svg_text(b, m->x_label);
	buf_adds(b, ": ");
	svg_text(b, m->names[x]);
	buf_addf(b, "\n%s</title></rect>", text.p);
	if (cell >= CELL_TEXT && (double)text.n * SVG_CHAR_WIDTH <= cell)
		svg_label(b, part > 0.5 ? "t w" : "t", "middle", px + cell / 2,
			  py + cell / 2 + 4, text.p, 20);
	svg_done(b, &text);
	svg_done(b, &more);
}

static void
put_matrix_labels(const struct chart_matrix *m, struct buf *b, double cell, double left)
{
	size_t every = (size_t)fmax(1, ceil(13 / cell));
	double side = cell * (double)m->n;
	size_t longest = longest_name(m->names, m->n, LABEL_MAX);
	bool turn = (double)longest * SVG_CHAR_WIDTH + 4 > cell;
	double deep = turn ? (double)longest * SVG_CHAR_WIDTH : 12;

	for (size_t i = 0; i < m->n; i += every) {
		double middle = ((double)i + 0.5) * cell;

		svg_label(b, "t", "end", left - 7, TOP + middle + 4, m->names[i],
			  LABEL_MAX);
		buf_adds(b, "<g transform=\"translate(");
		svg_number(b, left + middle + (turn ? 4 : 0));
		buf_addc(b, ' ');
		svg_number(b, TOP + side + (turn ? 7 : 17));
		buf_addf(b, ")%s\">", turn ? " rotate(-90)" : "");
		svg_label(b, "t", turn ? "end" : "middle", 0, 0, m->names[i], LABEL_MAX);
		buf_adds(b, "</g>");
	}
	svg_label(b, "l", "middle", left + side / 2, TOP + side + deep + 26, m->x_label,
		  50);
	svg_label_up(b, 13, TOP + side / 2, m->y_label, 40);
}

void
chart_matrix(const struct chart_matrix *m, struct buf *b)
{
	double cell =
	    fmin(fmax(SIDE / (double)(m->n != 0 ? m->n : 1), CELL_MIN), CELL_MAX);
	size_t longest = longest_name(m->names, m->n, LABEL_MAX);
	double left = 32 + (double)longest * SVG_CHAR_WIDTH, most = 0;
	double side = cell * (double)m->n;
	double width = fmax(left + side + 12, left + side / 2 + 90);

	for (size_t i = 0; i < m->n * m->n; i++)
		most = fmax(most, m->v[i]);
	buf_adds(b, "<svg class=\"x\" style=\"max-width:");
	svg_number(b, width);
	buf_adds(b, "px\" viewBox=\"0 0 ");
	svg_number(b, width);
	buf_addc(b, ' ');
	svg_number(b, TOP + side + fmax(12, (double)longest * SVG_CHAR_WIDTH) + 34);
	buf_adds(b, "\" role=\"img\" aria-label=\"");
	svg_text(b, m->title);
	buf_addf(b, "\"><g class=\"c%zu\">", m->color % CHART_COLORS);
	for (size_t y = 0; y < m->n; y++)
		for (size_t x = 0; x < m->n; x++)
			put_cell(m, b, x, y, cell, left, most);
	buf_adds(b, "</g>");
	put_matrix_labels(m, b, cell, left);
	buf_adds(b, "</svg>");
}
