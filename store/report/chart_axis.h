#ifndef DAG_STORE_REPORT_CHART_AXIS_H
#define DAG_STORE_REPORT_CHART_AXIS_H
/* An axis with round numbers on it. */
#include <stddef.h>

struct buf;

struct chart_axis {
	double lo, hi, step; /* lo and hi are multiples of the step */
	size_t n;	     /* ticks */
	double unit;	     /* labels are in it: 1000 for "5k" */
	int digits;	     /* of labels, behind the point */
	char suffix[16];
};

/**
 * chart_axis_fit(axis, min, max, want):
 * Choose about ${want} ticks (at least 2), 1, 2 or 5 times a power of ten apart, around
 * finite ${min} <= ${max}.
 */
void chart_axis_fit(struct chart_axis *, double, double, size_t);

/**
 * chart_axis_tick(axis, i):
 * Return the value of tick ${i}.
 */
double chart_axis_tick(const struct chart_axis *, size_t);

/**
 * chart_axis_label(axis, i, b):
 * Append what stands at tick ${i}: "0.25", "−3", "20k", "1.5e−7".
 */
void chart_axis_label(const struct chart_axis *, size_t, struct buf *);

#endif
