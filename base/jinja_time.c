/* Times: their members and methods, strftime, and the filters of dates. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/jinja_run.h"
#include "base/timefmt.h"

#include <stdio.h>
#include <string.h>

#define US_PER_DAY ((int64_t)86400 * 1000000)

static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
				   "Thursday", "Friday", "Saturday"};
static const char *const months[] = {"January",	  "February", "March",	  "April",
				     "May",	  "June",     "July",	  "August",
				     "September", "October",  "November", "December"};

struct moment {
	struct civil c;
	int weekday; /* from Sunday, 0 */
	int yearday; /* from 0 */
	int64_t us;
};

static int64_t
floor_days(int64_t us)
{
	return us / US_PER_DAY - (us % US_PER_DAY < 0);
}

static struct moment
moment_of(int64_t us)
{
	struct moment m = {.us = us};
	struct civil first = {.month = 1, .day = 1};
	int64_t day = floor_days(us);

	time_civil(us, &m.c);
	first.year = m.c.year;
	m.yearday = (int)(day - floor_days(time_from_civil(&first)));
	/* 1970-01-01 was a Thursday. */
	m.weekday = (int)(((day + 4) % 7 + 7) % 7);
	return m;
}

/* The ISO year and its week: that of the week's Thursday. */
static void
iso_week(const struct moment *m, int *year, int *week)
{
	int from_monday = (m->weekday + 6) % 7;
	struct moment thursday = *m;
	int64_t us;

	/* At the very ends of the range there is no Thursday. */
	if (!__builtin_add_overflow(m->us, (3 - from_monday) * US_PER_DAY, &us))
		thursday = moment_of(us);
	*year = thursday.c.year;
	*week = thursday.yearday / 7 + 1;
}

/* ---- strftime ---- */

/* A number of ${width} digits; after "%-" without its leading zeros. */
static void
put_number(struct buf *b, bool plain, int width, int v)
{
	buf_addf(b, "%0*d", plain ? 1 : width, v);
}

static bool put_directive(struct buf *, const struct moment *, char, bool);

/* Directives that stand for several others. */
static bool
put_composed(struct buf *b, const struct moment *m, char c)
{
	static const struct {
		char c;
		const char *as;
	} composed[] = {
	    {'F', "Y-m-d"}, {'T', "H:M:S"}, {'R', "H:M"},	    {'D', "m/d/y"},
	    {'x', "m/d/y"}, {'X', "H:M:S"}, {'c', "a b e H:M:S Y"},
	};
	const char *p;
	size_t i;

	for (i = 0; i < sizeof(composed) / sizeof(composed[0]); i++) {
		if (composed[i].c != c)
			continue;
		for (p = composed[i].as; *p != '\0'; p++)
			if (strchr("-:/ ", *p) != NULL)
				buf_addc(b, *p);
			else
				(void)put_directive(b, m, *p, false);
		return true;
	}
	return false;
}

static bool
put_week(struct buf *b, const struct moment *m, char c, bool plain)
{
	int year, week;

	iso_week(m, &year, &week);
	switch (c) {
	case 'u':
		buf_addf(b, "%d", m->weekday == 0 ? 7 : m->weekday);
		return true;
	case 'w':
		buf_addf(b, "%d", m->weekday);
		return true;
	case 'U':
		put_number(b, plain, 2, (m->yearday + 7 - m->weekday) / 7);
		return true;
	case 'W':
		put_number(b, plain, 2, (m->yearday + 7 - (m->weekday + 6) % 7) / 7);
		return true;
	case 'V':
		put_number(b, plain, 2, week);
		return true;
	case 'G':
		put_number(b, plain, 4, year);
		return true;
	default:
		return put_composed(b, m, c);
	}
}

static bool
put_name(struct buf *b, const struct moment *m, char c, bool plain)
{
	switch (c) {
	case 'A':
		buf_adds(b, days[m->weekday]);
		return true;
	case 'a':
		buf_add(b, days[m->weekday], 3);
		return true;
	case 'B':
		buf_adds(b, months[m->c.month - 1]);
		return true;
	case 'b':
	case 'h':
		buf_add(b, months[m->c.month - 1], 3);
		return true;
	case 'p':
		buf_adds(b, m->c.hour < 12 ? "AM" : "PM");
		return true;
	case 'Z':
		buf_adds(b, "UTC");
		return true;
	case 'z':
		buf_adds(b, "+0000");
		return true;
	case 'n':
	case 't':
		buf_addc(b, c == 'n' ? '\n' : '\t');
		return true;
	case '%':
		buf_addc(b, '%');
		return true;
	default:
		return put_week(b, m, c, plain);
	}
}

static bool
put_directive(struct buf *b, const struct moment *m, char c, bool plain)
{
	switch (c) {
	case 'Y':
		put_number(b, plain, 4, m->c.year);
		return true;
	case 'C':
		put_number(b, plain, 2, m->c.year / 100);
		return true;
	case 'y':
		put_number(b, plain, 2, m->c.year % 100);
		return true;
	case 'm':
		put_number(b, plain, 2, m->c.month);
		return true;
	case 'd':
		put_number(b, plain, 2, m->c.day);
		return true;
	case 'e':
		buf_addf(b, plain ? "%d" : "%2d", m->c.day);
		return true;
	case 'H':
		put_number(b, plain, 2, m->c.hour);
		return true;
	case 'I':
		put_number(b, plain, 2, (m->c.hour + 11) % 12 + 1);
		return true;
	case 'M':
		put_number(b, plain, 2, m->c.minute);
		return true;
	case 'S':
		put_number(b, plain, 2, m->c.second);
		return true;
	case 'f':
		put_number(b, false, 6, m->c.usec);
		return true;
	case 'j':
		put_number(b, plain, 3, m->yearday + 1);
		return true;
	case 's':
		buf_addf(b, "%lld", (long long)(m->us / 1000000 - (m->us % 1000000 < 0)));
		return true;
	default:
		return put_name(b, m, c, plain);
	}
}

int
jinja_strftime(struct jinja_run *run, int64_t us, struct jinja_val format,
	       struct jinja_val *out)
{
	struct moment m = moment_of(us);
	const char *p = format.s.p, *end = p + format.s.n;
	struct buf b;
	bool plain;
	int rc = 0;

	jinja_buf(run, &b);
	for (; p < end && rc == 0 && !buf_failed(&b); p++) {
		if (*p != '%') {
			buf_addc(&b, *p);
			continue;
		}
		plain = p + 1 < end && p[1] == '-';
		p += plain ? 2 : 1;
		if (p >= end)
			rc = jinja_fail(run, "the format ends behind '%%'");
		else if (*p == '\0' || !put_directive(&b, &m, *p, plain))
			rc = jinja_fail(
			    run, "unknown directive '%%%c' in the format of a time", *p);
	}
	if (rc == 0)
		return jinja_take_buf(run, &b, out);
	buf_release(&b);
	return -1;
}

/* ---- members and methods ---- */

const char *const jinja_time_members[] = {
    "year", "month", "day", "hour", "minute", "second", "microsecond", NULL,
};

bool
jinja_time_attr(struct jinja_val t, const char *name, struct jinja_val *out)
{
	struct moment m = moment_of(t.i);
	const int v[] = {m.c.year,   m.c.month,	 m.c.day, m.c.hour,
			 m.c.minute, m.c.second, m.c.usec};
	size_t i;

	for (i = 0; jinja_time_members[i] != NULL; i++) {
		if (strcmp(jinja_time_members[i], name) == 0) {
			*out = jinja_int(v[i]);
			return true;
		}
	}
	return false;
}

/* A time, or a string that reads as one. */
static int
self_time(struct jinja_run *run, const struct jinja_args *a, int64_t *us)
{
	if (a->self.kind == JINJA_TIME) {
		*us = a->self.i;
		return 0;
	}
	if (a->self.kind == JINJA_STR && memchr(a->self.s.p, '\0', a->self.s.n) == NULL &&
	    time_parse(a->self.s.p, us) == 0)
		return 0;
	if (a->self.kind == JINJA_STR)
		return jinja_fail(run, "'%.60s' is no time as in 2026-11-22T20:38:48Z",
				  a->self.s.p);
	return jinja_fail(run, "%s is no time", jinja_kind_name(a->self));
}

static int
time_strftime(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val format;
	int64_t us;

	if (self_time(run, a, &us) != 0 ||
	    jinja_arg_str(run, a, 0, "%Y-%m-%d", &format) != 0)
		return -1;
	return jinja_strftime(run, us, format, out);
}

static int
time_isoformat(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	const char *format = a->self.i % 1000000 != 0 ? "%Y-%m-%dT%H:%M:%S.%f+00:00"
						      : "%Y-%m-%dT%H:%M:%S+00:00";

	return jinja_strftime(run, a->self.i, jinja_str(format), out);
}

static int
time_timestamp(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	*out = jinja_float((double)a->self.i / 1e6);
	return 0;
}

static int
time_weekday(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	*out = jinja_int((moment_of(a->self.i).weekday + 6) % 7);
	return 0;
}

static int
time_isoweekday(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	(void)run;
	*out = jinja_int((moment_of(a->self.i).weekday + 6) % 7 + 1);
	return 0;
}

const struct jinja_fn jinja_time_methods[] = {
    {"isoformat", time_isoformat, "", 0, 0},
    {"isoweekday", time_isoweekday, "", 0, 0},
    {"strftime", time_strftime, "format", 1, 0},
    {"timestamp", time_timestamp, "", 0, 0},
    {"weekday", time_weekday, "", 0, 0},
    {NULL, NULL, NULL, 0, 0},
};

/* ---- filters: Airflow's names ---- */

static int
as_format(struct jinja_run *run, const struct jinja_args *a, const char *format,
	  struct jinja_val *out)
{
	int64_t us;

	if (self_time(run, a, &us) != 0)
		return -1;
	return jinja_strftime(run, us, jinja_str(format), out);
}

static int
filter_ds(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return as_format(run, a, "%Y-%m-%d", out);
}

static int
filter_ds_nodash(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return as_format(run, a, "%Y%m%d", out);
}

static int
filter_ts(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	int64_t us;

	return self_time(run, a, &us) != 0 ? -1 : jinja_to_str(run, jinja_time(us), out);
}

static int
filter_ts_nodash(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return as_format(run, a, "%Y%m%dT%H%M%S", out);
}

const struct jinja_fn jinja_filters_time[] = {
    {"date", time_strftime, "format", 0, 0},   {"ds", filter_ds, "", 0, 0},
    {"ds_nodash", filter_ds_nodash, "", 0, 0}, {"ts", filter_ts, "", 0, 0},
    {"ts_nodash", filter_ts_nodash, "", 0, 0}, {NULL, NULL, NULL, 0, 0},
};
