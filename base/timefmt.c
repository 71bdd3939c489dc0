#include "base/timefmt.h"

#include <stdbool.h>
#include <stdio.h>

#define US_PER_SECOND 1000000
#define US_PER_DAY    ((int64_t)86400 * US_PER_SECOND)
#define DAYS_PER_ERA  146097 /* 400 years */
#define YEAR_MAX      9999

/*
 * Days since 1970-01-01.  Years are counted from March, so that the leap day is the last of
 * its year, in eras of 400 years from 0000-03-01.
 */
static int64_t
days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? (int64_t)year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * DAYS_PER_ERA + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void
date_of(int64_t days, struct civil *out)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
	int64_t doe = z - era * DAYS_PER_ERA;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t m = (5 * doy + 2) / 153;

	out->day = (int)(doy - (153 * m + 2) / 5 + 1);
	out->month = (int)(m < 10 ? m + 3 : m - 9);
	out->year = (int)(yoe + era * 400 + (out->month <= 2 ? 1 : 0));
}

void
time_civil(int64_t us, struct civil *out)
{
	int64_t days = us / US_PER_DAY, rest = us % US_PER_DAY;

	if (rest < 0) {
		rest += US_PER_DAY;
		days--;
	}
	date_of(days, out);
	out->usec = (int)(rest % US_PER_SECOND);
	rest /= US_PER_SECOND;
	out->second = (int)(rest % 60);
	out->minute = (int)(rest / 60 % 60);
	out->hour = (int)(rest / 3600);
}

int64_t
time_from_civil(const struct civil *c)
{
	int64_t s = days_of(c->year, c->month, c->day) * 86400 + (int64_t)c->hour * 3600 +
		    (int64_t)c->minute * 60 + c->second;

	return s * US_PER_SECOND + c->usec;
}

/* Exactly n digits at *s as a number, *s moved behind them; -1 if they are not there. */
static int
number(const char **s, int n)
{
	int v = 0;

	for (; n > 0; n--, (*s)++) {
		if (**s < '0' || **s > '9')
			return -1;
		v = v * 10 + (**s - '0');
	}
	return v;
}

static bool
skip(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

static int
parse_date(const char **s, struct civil *c)
{
	c->year = number(s, 4);
	if (c->year < 1 || !skip(s, '-'))
		return -1;
	c->month = number(s, 2);
	if (c->month < 1 || c->month > 12 || !skip(s, '-'))
		return -1;
	c->day = number(s, 2);
	return c->day < 1 || c->day > days_in_month(c->year, c->month) ? -1 : 0;
}

/* hh:mm[:ss[.fraction]]; what is finer than a microsecond is dropped. */
static int
parse_clock(const char **s, struct civil *c)
{
	int unit = US_PER_SECOND / 10;

	c->hour = number(s, 2);
	if (c->hour < 0 || c->hour > 23 || !skip(s, ':'))
		return -1;
	c->minute = number(s, 2);
	if (c->minute < 0 || c->minute > 59)
		return -1;
	if (!skip(s, ':'))
		return 0;
	c->second = number(s, 2);
	if (c->second < 0 || c->second > 59)
		return -1;
	if (!skip(s, '.'))
		return 0;
	if (**s < '0' || **s > '9')
		return -1;
	for (; **s >= '0' && **s <= '9'; (*s)++, unit /= 10)
		c->usec += (**s - '0') * unit;
	return 0;
}

/* "Z", "+hh:mm", "-hh:mm" or nothing; how far east of UTC, in microseconds. */
static int
parse_offset(const char **s, int64_t *out)
{
	bool west = **s == '-';
	int hours, minutes;

	*out = 0;
	if (**s == '\0' || skip(s, 'Z') || skip(s, 'z'))
		return 0;
	if (!skip(s, '+') && !skip(s, '-'))
		return -1;
	hours = number(s, 2);
	if (hours < 0 || hours > 23 || !skip(s, ':'))
		return -1;
	minutes = number(s, 2);
	if (minutes < 0 || minutes > 59)
		return -1;
	*out = ((int64_t)hours * 60 + minutes) * 60 * US_PER_SECOND;
	if (west)
		*out = -*out;
	return 0;
}

int
time_parse(const char *s, int64_t *out)
{
	struct civil c = {0}, utc;
	int64_t us, east = 0;

	if (parse_date(&s, &c) != 0)
		return -1;
	if (*s != '\0') {
		if (!skip(&s, 'T') && !skip(&s, 't') && !skip(&s, ' '))
			return -1;
		if (parse_clock(&s, &c) != 0 || parse_offset(&s, &east) != 0 ||
		    *s != '\0')
			return -1;
	}
	us = time_from_civil(&c) - east;
	time_civil(us, &utc);
	if (utc.year < 1 || utc.year > YEAR_MAX)
		return -1;
	*out = us;
	return 0;
}

char *
time_rfc3339(char *out, int64_t us)
{
	struct civil c;

	time_civil(us, &c);
	(void)snprintf(out, TIMEFMT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year,
		       c.month, c.day, c.hour, c.minute, c.second);
	return out;
}

char *
time_rfc3339_us(char *out, int64_t us)
{
	struct civil c;

	time_civil(us, &c);
	(void)snprintf(out, TIMEFMT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", c.year,
		       c.month, c.day, c.hour, c.minute, c.second, c.usec);
	return out;
}

char *
time_ds(char *out, int64_t us)
{
	struct civil c;

	time_civil(us, &c);
	(void)snprintf(out, TIMEFMT_MAX, "%04d-%02d-%02d", c.year, c.month, c.day);
	return out;
}

char *
time_ds_nodash(char *out, int64_t us)
{
	struct civil c;

	time_civil(us, &c);
	(void)snprintf(out, TIMEFMT_MAX, "%04d%02d%02d", c.year, c.month, c.day);
	return out;
}
