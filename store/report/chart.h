#ifndef DAG_STORE_REPORT_CHART_H
#define DAG_STORE_REPORT_CHART_H
/*
 * Charts as inline SVG.  Colours are the classes c0 to c7 of the page, lines of the axes and
 * texts its classes g, t and l.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;

#define CHART_COLORS	 8
#define CHART_DASHES	 5
#define CHART_BARS_MAX	 200 /* names of a bar chart that are drawn */
#define CHART_MATRIX_MAX 60  /* names of a matrix that are drawn */

struct chart_point {
	double x, y; /* NaN of y: the line has a gap */
};

struct chart_series {
	const char *name;
	size_t color, dash; /* any: they repeat */
	const struct chart_point *v;
	size_t n;
};

struct chart {
	const char *title, *x_label, *y_label;
	const char *const *names; /* of x where those are no numbers; of the bars */
	size_t nnames;
	const struct chart_series *series;
	size_t nseries;
};

struct chart_matrix {
	const char *title, *name, *x_label, *y_label;
	const char *const *names; /* of both sides */
	size_t n;
	const double *v; /* v[y * n + x] */
	bool share;	 /* they are parts of 1 */
	size_t color;
};

/**
 * chart_lines(c, scatter, b), chart_bars(c, b), chart_matrix(m, b):
 * Append the chart to ${b}: points with or without lines between them; bars that lie, whose
 * points have the value as x and the number of the name as y; a matrix of counts.  Return, of
 * points without lines, how many are left out, for others lie where they do, or close to it
 * where there are very many.
 */
size_t chart_lines(const struct chart *, bool, struct buf *);
void chart_bars(const struct chart *, struct buf *);
void chart_matrix(const struct chart_matrix *, struct buf *);

/**
 * chart_dash(i):
 * Return the stroke-dasharray of the dash number ${i}, "" of a solid line.
 */
const char *chart_dash(size_t);

#endif
