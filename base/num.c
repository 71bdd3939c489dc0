#include "base/num.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits at s, at least one, as a number of at most max; the place behind them, or NULL. */
static const char *
digits(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0, d;

	if (!is_digit(*s))
		return NULL;
	for (; is_digit(*s); s++) {
		d = (uint64_t)(*s - '0');
		if (v > max / 10 || v * 10 > max - d)
			return NULL;
		v = v * 10 + d;
	}
	*out = v;
	return s;
}

int
num_u64(const char *s, uint64_t *out)
{
	uint64_t v;

	s = digits(s, UINT64_MAX, &v);
	if (s == NULL || *s != '\0')
		return -1;
	*out = v;
	return 0;
}

int
num_i64(const char *s, int64_t *out)
{
	bool negative = *s == '-';
	uint64_t v, max = (uint64_t)INT64_MAX + (negative ? 1 : 0);

	if (*s == '-' || *s == '+')
		s++;
	s = digits(s, max, &v);
	if (s == NULL || *s != '\0')
		return -1;
	if (!negative)
		*out = (int64_t)v;
	else
		*out = v == max ? INT64_MIN : -(int64_t)v;
	return 0;
}

/* Whether s is [sign] digits [. digits] [e [sign] digits], one side of the point given. */
static bool
is_decimal(const char *s)
{
	size_t n = 0;

	if (*s == '-' || *s == '+')
		s++;
	for (; is_digit(*s); s++)
		n++;
	if (*s == '.')
		s++;
	for (; is_digit(*s); s++)
		n++;
	if (n == 0)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		if (*s == '-' || *s == '+')
			s++;
		if (!is_digit(*s))
			return false;
		while (is_digit(*s))
			s++;
	}
	return *s == '\0';
}

int
num_decimal(const char *s, double *out)
{
	locale_t c_locale;
	char *end;
	double v;

	if (!is_decimal(s))
		return -1;
	/* glibc hands the C locale out without allocating; it is never freed. */
	if ((c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0)) == (locale_t)0)
		return -1;
	v = strtod_l(s, &end, c_locale);
	if (*end != '\0')
		return -1;
	*out = v;
	return 0;
}

int
num_f64(const char *s, double *out)
{
	double v;

	if (num_decimal(s, &v) != 0 || !isfinite(v))
		return -1;
	*out = v;
	return 0;
}

int
num_float(const char *s, double *out)
{
	const char *name = *s == '-' || *s == '+' ? s + 1 : s;
	double v;

	if (strcasecmp(name, "inf") == 0 || strcasecmp(name, "infinity") == 0)
		v = (double)INFINITY;
	else if (strcasecmp(name, "nan") == 0)
		v = (double)NAN;
	else
		return num_decimal(s, out);
	*out = *s == '-' ? -v : v;
	return 0;
}

/*
 * floor(unit * 0.ddd...) for the digits in [s, end), exact for any number of them: nested
 * floors of divisions by ten are the floor of the whole.
 */
static uint64_t
fraction_of(const char *s, const char *end, uint64_t unit)
{
	uint64_t v = 0;

	while (end > s)
		v = (v + (uint64_t)(*--end - '0') * unit) / 10;
	return v;
}

/* A number with its optional fraction, as it stands before a unit. */
struct decimal {
	uint64_t whole;
	bool huge;		     /* more than that */
	const char *frac, *frac_end; /* the digits behind the point, maybe none */
};

static const char *
read_decimal(const char *s, struct decimal *out)
{
	const char *end = digits(s, UINT64_MAX, &out->whole);

	if (!is_digit(*s))
		return NULL;
	out->huge = end == NULL;
	for (; is_digit(*s); s++)
		;
	out->frac = out->frac_end = s;
	if (*s != '.')
		return s;
	for (out->frac = ++s; is_digit(*s); s++)
		;
	out->frac_end = s;
	return s == out->frac ? NULL : s;
}

/* Units of time, largest first. */
static const struct {
	const char *name;
	uint64_t us;
} time_units[] = {
    {"w", 7 * 86400000000u}, {"d", 86400000000u}, {"h", 3600000000u}, {"m", 60000000u},
    {"s", 1000000u},	     {"ms", 1000u},	  {"us", 1u},
};
#define NTIME_UNITS  (sizeof(time_units) / sizeof(time_units[0]))
#define UNIT_SECONDS 4

/* Add the time d units of the given size to *sum, rounded to the microsecond. */
static int
add_time(uint64_t *sum, const struct decimal *d, uint64_t unit)
{
	uint64_t us;

	if (d->huge || d->whole > (uint64_t)NUM_DURATION_MAX / unit)
		return -1;
	us = d->whole * unit + (fraction_of(d->frac, d->frac_end, 2 * unit) + 1) / 2;
	if (us > (uint64_t)NUM_DURATION_MAX - *sum)
		return -1;
	*sum += us;
	return 0;
}

int
num_duration(const char *s, int64_t *out)
{
	struct decimal d;
	uint64_t sum = 0;
	size_t n, i, next = 0; /* the first unit still allowed */
	bool bare, longer = false;

	do {
		bare = next == 0;
		if ((s = read_decimal(s, &d)) == NULL)
			return -1;
		n = strcspn(s, "0123456789.");
		for (i = next; i < NTIME_UNITS; i++)
			if (strlen(time_units[i].name) == n &&
			    memcmp(time_units[i].name, s, n) == 0)
				break;
		if (n == 0 && *s == '\0' && bare)
			i = UNIT_SECONDS;
		if (i == NTIME_UNITS)
			return -1;
		longer |= add_time(&sum, &d, time_units[i].us) != 0;
		s += n;
		next = i + 1;
	} while (*s != '\0');
	if (longer)
		return 1;
	*out = (int64_t)sum;
	return 0;
}

static const struct {
	const char *name;
	uint64_t bytes;
} size_units[] = {
    {"", 1},
    {"B", 1},
    {"kB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"TB", 1000000000000},
    {"K", (uint64_t)1 << 10},
    {"Ki", (uint64_t)1 << 10},
    {"KiB", (uint64_t)1 << 10},
    {"M", (uint64_t)1 << 20},
    {"Mi", (uint64_t)1 << 20},
    {"MiB", (uint64_t)1 << 20},
    {"G", (uint64_t)1 << 30},
    {"Gi", (uint64_t)1 << 30},
    {"GiB", (uint64_t)1 << 30},
    {"T", (uint64_t)1 << 40},
    {"Ti", (uint64_t)1 << 40},
    {"TiB", (uint64_t)1 << 40},
};

int
num_size(const char *s, uint64_t *out)
{
	struct decimal d;
	uint64_t unit, more;
	size_t i;

	if ((s = read_decimal(s, &d)) == NULL || d.huge)
		return -1;
	for (i = 0; i < sizeof(size_units) / sizeof(size_units[0]); i++)
		if (strcmp(s, size_units[i].name) == 0)
			break;
	if (i == sizeof(size_units) / sizeof(size_units[0]))
		return -1;
	unit = size_units[i].bytes;
	if (unit == 1 && d.frac != d.frac_end)
		return -1; /* there is no part of a byte */
	more = fraction_of(d.frac, d.frac_end, unit);
	if (d.whole > UINT64_MAX / unit || d.whole * unit > UINT64_MAX - more)
		return -1;
	*out = d.whole * unit + more;
	return 0;
}

void
num_put_duration(struct buf *b, int64_t us)
{
	uint64_t v = us < 0 ? 0 - (uint64_t)us : (uint64_t)us, s = v / 1000000;
	unsigned big, small;

	if (us < 0)
		buf_addc(b, '-');
	if (v != 0 && v < 1000) {
		buf_addf(b, "%uus", (unsigned)v);
		return;
	}
	if (v != 0 && s == 0) {
		buf_addf(b, "%ums", (unsigned)(v / 1000));
		return;
	}
	if (s < 60) {
		buf_addf(b, "%u", (unsigned)s);
		if (s < 10 && v % 1000000 != 0)
			buf_addf(b, ".%u", (unsigned)(v % 1000000 / 100000));
		buf_addc(b, 's');
		return;
	}
	/* Two units, the smaller in two digits; none of it where nothing is left. */
	big = (unsigned)(s < 3600 ? s / 60 : s < 86400 ? s / 3600 : s / 86400);
	small = (unsigned)(s < 3600    ? s % 60
			   : s < 86400 ? s % 3600 / 60
				       : s % 86400 / 3600);
	buf_addf(b, "%u%c", big, s < 3600 ? 'm' : s < 86400 ? 'h' : 'd');
	if (v % (s < 3600 ? 60000000u : s < 86400 ? 3600000000u : 86400000000u) != 0)
		buf_addf(b, "%02u%c", small, s < 3600 ? 's' : s < 86400 ? 'm' : 'h');
}

void
num_put_size(struct buf *b, uint64_t bytes)
{
	static const char *const units[] = {"B",   "KiB", "MiB", "GiB",
					    "TiB", "PiB", "EiB"};
	uint64_t whole = bytes, rest = 0;
	unsigned shift = 0;
	size_t i = 0;

	while (whole >= 1024) {
		whole >>= 10;
		shift += 10;
		i++;
	}
	rest = bytes & (((uint64_t)1 << shift) - 1);
	buf_addf(b, "%u", (unsigned)whole);
	if (rest != 0 && whole < 100)
		buf_addf(b, ".%u", (unsigned)(rest * 10 >> shift));
	buf_addf(b, " %s", units[i]);
}
