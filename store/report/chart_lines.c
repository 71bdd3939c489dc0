/* Lines and points. */
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "store/report/chart.h"
#include "store/report/chart_axis.h"
#include "store/report/svg.h"

#define WIDTH	    560
#define HEIGHT	    340
#define TOP	    12
#define RIGHT	    18
#define BOTTOM	    46
#define TICKS_X	    6
#define TICKS_Y	    5
#define NAME_MAX    16	  /* characters of a name at the axis */
#define SHOWN_MAX   40	  /* points of a line that get a dot */
#define TIPS_MAX    400	  /* points of a line that tell their values */
#define DENSE	    3000  /* points of a line from which on it is drawn by columns */
#define SCATTER_MAX 20000 /* dots of a chart */

struct plane {
	const struct chart *c;
	struct buf *b;
	struct chart_axis x, y;
	bool names;
	double left, width, height; /* of the area of the points */
};

const char *
chart_dash(size_t i)
{
	static const char *const dashes[CHART_DASHES] = {"", "7 4", "2 3", "9 3 2 3",
							 "13 5"};

	return dashes[i % CHART_DASHES];
}

/* ---- the plane ---- */

/* What no axis reaches lies at its end. */
static double
part_of(const struct chart_axis *a, double v)
{
	return (fmin(fmax(v, a->lo), a->hi) - a->lo) / (a->hi - a->lo);
}

static double
at_x(const struct plane *p, double x)
{
	double part = p->names ? (x + 0.5) / (double)p->c->nnames : part_of(&p->x, x);

	return p->left + part * p->width;
}

static double
at_y(const struct plane *p, double y)
{
	return TOP + p->height * (1 - part_of(&p->y, y));
}

static void
fit(struct plane *p)
{
	double lo[2] = {INFINITY, INFINITY}, hi[2] = {-INFINITY, -INFINITY};
	size_t longest = 0;

	for (size_t s = 0; s < p->c->nseries; s++)
		for (size_t i = 0; i < p->c->series[s].n; i++) {
			const struct chart_point *it = &p->c->series[s].v[i];

			if (!isfinite(it->x) || !isfinite(it->y))
				continue;
			lo[0] = fmin(lo[0], it->x);
			hi[0] = fmax(hi[0], it->x);
			lo[1] = fmin(lo[1], it->y);
			hi[1] = fmax(hi[1], it->y);
		}
	if (!(lo[0] <= hi[0]))
		lo[0] = hi[0] = lo[1] = hi[1] = 0;
	chart_axis_fit(&p->x, lo[0], hi[0], TICKS_X);
	chart_axis_fit(&p->y, lo[1], hi[1], TICKS_Y);
	for (size_t i = 0; i < p->y.n; i++) {
		struct buf label;

		buf_init(&label, 64);
		chart_axis_label(&p->y, i, &label);
		if (svg_length(label.p) > longest)
			longest = svg_length(label.p);
		svg_done(p->b, &label);
	}
	p->left = 34 + (double)longest * SVG_CHAR_WIDTH;
	p->width = WIDTH - RIGHT - p->left;
	p->height = HEIGHT - TOP - BOTTOM;
}

static void
put_line(struct buf *b, const char *class, double x1, double y1, double x2, double y2)
{
	buf_addf(b, "<path class=\"%s\" d=\"M", class);
	svg_number(b, x1);
	buf_addc(b, ' ');
	svg_number(b, y1);
	buf_addc(b, 'L');
	svg_number(b, x2);
	buf_addc(b, ' ');
	svg_number(b, y2);
	buf_adds(b, "\"/>");
}

static void
put_tick(struct plane *p, const struct chart_axis *a, size_t i, const char *anchor,
	 double x, double y)
{
	struct buf label;

	buf_init(&label, 64);
	chart_axis_label(a, i, &label);
	svg_label(p->b, "t", anchor, x, y, label.p, 64);
	svg_done(p->b, &label);
}

/* Every so many-th of the names, that they do not meet. */
static void
put_names(struct plane *p)
{
	size_t longest = 1, step;

	for (size_t i = 0; i < p->c->nnames; i++)
		if (svg_length(p->c->names[i]) > longest)
			longest = svg_length(p->c->names[i]);
	longest = longest > NAME_MAX ? NAME_MAX : longest;
	step = (size_t)ceil(((double)longest * SVG_CHAR_WIDTH + 10) *
			    (double)p->c->nnames / p->width);
	step = step == 0 ? 1 : step;
	for (size_t i = 0; i < p->c->nnames; i += step)
		svg_label(p->b, "t", "middle", at_x(p, (double)i), HEIGHT - BOTTOM + 17,
			  p->c->names[i], NAME_MAX);
}

static void
put_axes(struct plane *p)
{
	double bottom = TOP + p->height, right = p->left + p->width;

	for (size_t i = 0; i < p->y.n; i++) {
		double y = at_y(p, chart_axis_tick(&p->y, i));

		put_line(p->b, i == 0 ? "a" : "g", p->left, y, right, y);
		put_tick(p, &p->y, i, "end", p->left - 7, y + 4);
	}
	for (size_t i = 0; !p->names && i < p->x.n; i++) {
		double x = at_x(p, chart_axis_tick(&p->x, i));

		put_line(p->b, "a", x, bottom, x, bottom + 4);
		put_tick(p, &p->x, i, "middle", x, bottom + 17);
	}
	if (p->names)
		put_names(p);
	svg_label(p->b, "l", "middle", p->left + p->width / 2, HEIGHT - 8, p->c->x_label,
		  70);
	svg_label_up(p->b, 15, TOP + p->height / 2, p->c->y_label, 40);
}

/* ---- points ---- */

static void
put_dot(struct plane *p, const struct chart_series *s, const struct chart_point *it,
	const char *class, bool tip)
{
	buf_addf(p->b, "<circle%s r=\"3\" cx=\"", class);
	svg_number(p->b, at_x(p, it->x));
	buf_adds(p->b, "\" cy=\"");
	svg_number(p->b, at_y(p, it->y));
	if (!tip) {
		buf_adds(p->b, "\"/>");
		return;
	}
	buf_adds(p->b, "\"><title>");
	if (s->name[0] != '\0') {
		svg_text(p->b, s->name);
		buf_addc(p->b, '\n');
	}
	svg_text(p->b, p->c->x_label);
	buf_adds(p->b, ": ");
	if (p->names)
		svg_text(p->b, p->c->names[(size_t)it->x]);
	else
		buf_addf(p->b, "%.6g", it->x);
	buf_addc(p->b, '\n');
	svg_text(p->b, p->c->y_label);
	buf_addf(p->b, ": %.6g</title></circle>", it->y);
}

static bool
is_drawn(const struct chart_point *it)
{
	return isfinite(it->x) && isfinite(it->y);
}

static void
put_step(struct plane *p, const struct chart_point *it, bool first)
{
	buf_addc(p->b, first ? 'M' : 'L');
	svg_number(p->b, at_x(p, it->x));
	buf_addc(p->b, ' ');
	svg_number(p->b, at_y(p, it->y));
}

/* Of many points those of one column that it begins, ends, and is highest and lowest with:
 * it looks as if all were drawn. */
static void
put_column(struct plane *p, const struct chart_point *v, size_t from, size_t to,
	   bool first)
{
	size_t low = from, high = from, last = (size_t)-1;

	for (size_t i = from; i < to; i++) {
		low = v[i].y < v[low].y ? i : low;
		high = v[i].y > v[high].y ? i : high;
	}
	for (size_t i = from; i < to; i++)
		if ((i == from || i == low || i == high || i + 1 == to) && i != last) {
			put_step(p, &v[i], first);
			first = false;
			last = i;
		}
}

static void
put_path(struct plane *p, const struct chart_series *s)
{
	bool first = true;

	buf_addf(p->b, "<path class=\"s\"%s%s%s d=\"",
		 s->dash % CHART_DASHES != 0 ? " stroke-dasharray=\"" : "",
		 chart_dash(s->dash), s->dash % CHART_DASHES != 0 ? "\"" : "");
	for (size_t i = 0, end; i < s->n; i = end) {
		long column = is_drawn(&s->v[i]) ? lround(at_x(p, s->v[i].x) * 2) : 0;

		end = i + 1;
		if (!is_drawn(&s->v[i])) {
			first = true;
			continue;
		}
		while (s->n > DENSE && end < s->n && is_drawn(&s->v[end]) &&
		       lround(at_x(p, s->v[end].x) * 2) == column)
			end++;
		put_column(p, s->v, i, end, first);
		first = false;
	}
	buf_adds(p->b, "\"/>");
}

static void
put_line_series(struct plane *p, const struct chart_series *s)
{
	put_path(p, s);
	for (size_t i = 0; i < s->n && s->n <= TIPS_MAX; i++)
		if (is_drawn(&s->v[i]))
			put_dot(p, s, &s->v[i], s->n <= SHOWN_MAX ? "" : " class=\"h\"",
				true);
}

/* One dot of each square of the grid; put it, or only count. */
static size_t
put_grid(struct plane *p, const struct chart_series *s, double grid, bool put)
{
	unsigned char seen[WIDTH * HEIGHT / 8 + 1];
	size_t n = 0;

	memset(seen, 0, sizeof seen);
	for (size_t i = 0; i < s->n; i++) {
		size_t at;

		if (!is_drawn(&s->v[i]))
			continue;
		at = (size_t)(at_y(p, s->v[i].y) / grid) * WIDTH +
		     (size_t)(at_x(p, s->v[i].x) / grid);
		if ((seen[at / 8] >> at % 8 & 1) != 0)
			continue;
		seen[at / 8] |= (unsigned char)(1U << at % 8);
		n++;
		if (put)
			put_dot(p, s, &s->v[i], " class=\"d\"", s->n <= TIPS_MAX);
	}
	return n;
}

/* Dots that lie on one another are one; of too many those that are far enough apart, so that
 * the shape stays.  Return how many are left out. */
static size_t
put_scatter(struct plane *p, const struct chart_series *s)
{
	size_t most = SCATTER_MAX / p->c->nseries + 1, all = 0;
	double grid = 1;

	for (size_t i = 0; i < s->n; i++)
		all += is_drawn(&s->v[i]);
	while (put_grid(p, s, grid, false) > most)
		grid *= 1.25;
	return all - put_grid(p, s, grid, true);
}

size_t
chart_lines(const struct chart *c, bool scatter, struct buf *b)
{
	struct plane p = {.c = c, .b = b, .names = c->nnames != 0};
	size_t covered = 0;

	fit(&p);
	buf_addf(b, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH,
		 HEIGHT);
	svg_text(b, c->title);
	buf_adds(b, "\">");
	put_axes(&p);
	for (size_t i = 0; i < c->nseries; i++) {
		const struct chart_series *s = &c->series[i];

		buf_addf(b, "<g class=\"c%zu\">", s->color % CHART_COLORS);
		if (scatter)
			covered += put_scatter(&p, s);
		else
			put_line_series(&p, s);
		buf_adds(b, "</g>");
	}
	buf_adds(b, "</svg>");
	return covered;
}
