#include "store/report/chart_axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#define MINUS	  "\xE2\x88\x92"
#define VALUE_MAX 1e300 /* beyond it sums would be infinite */
#define SAME	  1e-12 /* of the value: nearer ones are drawn as one */

/* The round number that is not below x. */
static double
round_up(double x)
{
	double power = pow(10, floor(log10(x)));
	double part = x / power;

	return power * (part <= 1 + 1e-9 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

static void
choose_labels(struct chart_axis *a)
{
	static const char *const names[] = {"", "k", "M", "G", "T"};
	double most = fmax(fabs(a->lo), fabs(a->hi));
	int thousands = (int)floor(log10(most) / 3);

	a->unit = 1;
	a->suffix[0] = '\0';
	if (most >= 1e4 && thousands <= 4) {
		a->unit = pow(10, 3 * thousands);
		(void)snprintf(a->suffix, sizeof a->suffix, "%s", names[thousands]);
	} else if (most >= 1e15 || a->step < 0.99e-5) {
		int power = (int)floor(log10(most));

		a->unit = pow(10, power);
		(void)snprintf(a->suffix, sizeof a->suffix, "e%s%d", power < 0 ? "-" : "",
			       power < 0 ? -power : power);
	}
	a->digits = (int)fmax(0, -floor(log10(a->step / a->unit) + 1e-9));
	if (a->digits > 12)
		a->digits = 12;
}

void
chart_axis_fit(struct chart_axis *a, double min, double max, size_t want)
{
	double pad;

	min = fmin(fmax(min, -VALUE_MAX), VALUE_MAX);
	max = fmin(fmax(max, min), VALUE_MAX);
	if (fmax(fabs(min), fabs(max)) < 1e-300)
		min = max = 0;
	if (max - min <= SAME * fmax(fabs(min), fabs(max))) {
		pad = min == 0 ? 1 : fabs(min) / 2;
		min = min == 0 ? 0 : min - pad;
		max += pad;
	}
	a->step = round_up((max - min) / (double)(want < 2 ? 2 : want));
	a->lo = floor(min / a->step + 1e-9) * a->step;
	a->hi = ceil(max / a->step - 1e-9) * a->step;
	a->n = (size_t)lround((a->hi - a->lo) / a->step) + 1;
	choose_labels(a);
}

double
chart_axis_tick(const struct chart_axis *a, size_t i)
{
	return (round(a->lo / a->step) + (double)i) * a->step;
}

void
chart_axis_label(const struct chart_axis *a, size_t i, struct buf *b)
{
	double v = chart_axis_tick(a, i) / a->unit;
	char text[64];

	if (fabs(v) < pow(10, -a->digits) / 2) {
		buf_addc(b, '0');
		return;
	}
	(void)snprintf(text, sizeof text, "%.*f%s", a->digits, fabs(v), a->suffix);
	buf_adds(b, v < 0 ? MINUS : "");
	for (const char *p = text; *p != '\0'; p++)
		if (*p == '-')
			buf_adds(b, MINUS);
		else
			buf_addc(b, *p);
}
