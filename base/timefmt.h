#ifndef DAG_BASE_TIMEFMT_H
#define DAG_BASE_TIMEFMT_H
/*
 * Instants are int64_t microseconds since 1970-01-01T00:00:00Z; texts are RFC 3339.  The
 * calendar is proleptic Gregorian, years 0001 to 9999; no leap seconds, no time zones of
 * libc.
 */
#include <stdint.h>

#define TIMEFMT_MAX 40 /* room for any text written here, NUL included */

struct civil {
	int year, month, day; /* month and day from 1 */
	int hour, minute, second;
	int usec;
};

/**
 * time_civil(us, out), time_from_civil(c):
 * Turn an instant into UTC date and time, and back.
 */
void time_civil(int64_t, struct civil *);
int64_t time_from_civil(const struct civil *);

/**
 * time_parse(s, out_us):
 * Read RFC 3339: a date ("2026-11-22", midnight UTC), or date, 'T' or a blank, time with
 * optional seconds and fraction, then "Z", "+hh:mm" or nothing (UTC).  Return 0, or -1.
 */
int time_parse(const char *, int64_t *);

/**
 * time_rfc3339(out, us), time_rfc3339_us(out, us), time_ds(out, us), time_ds_nodash:
 * Write "2026-11-22T20:38:48Z", the same with ".123456" before the Z, "2026-11-22", or
 * "20261122" into ${out}, which holds TIMEFMT_MAX bytes.  Return ${out}.
 */
char *time_rfc3339(char *, int64_t);
char *time_rfc3339_us(char *, int64_t);
char *time_ds(char *, int64_t);
char *time_ds_nodash(char *, int64_t);

#endif
