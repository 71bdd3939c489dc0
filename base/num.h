#ifndef DAG_BASE_NUM_H
#define DAG_BASE_NUM_H
/*
 * Strict numbers, durations and sizes as people write them.  The whole string must be used:
 * no leading or trailing blanks, no silent overflow.
 */
#include <stdint.h>

struct buf;

#define US_PER_SEC	 ((int64_t)1000000)
#define NUM_DURATION_MAX (US_PER_SEC * 36500 * 86400)

/**
 * num_i64(s, out), num_u64(s, out), num_f64(s, out):
 * Read the decimal integer (an optional sign for i64) or the C-locale number ${s} (finite,
 * not hexadecimal).  Return 0, or -1 with ${out} untouched.
 */
int num_i64(const char *, int64_t *);
int num_u64(const char *, uint64_t *);
int num_f64(const char *, double *);

/**
 * num_decimal(s, out):
 * As num_f64, but a number too large for a double is infinite.
 */
int num_decimal(const char *, double *);

/**
 * num_float(s, out):
 * As num_decimal, but with the infinities and NaN of Python's float(): an optional sign before
 * `inf`, `infinity` or `nan` in any case.
 */
int num_float(const char *, double *);

/**
 * num_duration(s, out_us):
 * Read a duration into microseconds: one or more <number><unit> with units us ms s m h d w,
 * largest first, each once ("1h30m", "250ms", "1.5s"); a bare number is seconds.  At most
 * NUM_DURATION_MAX.  Return 0; 1 if it is a duration but longer; or -1.
 */
int num_duration(const char *, int64_t *);

/**
 * num_size(s, out):
 * Read a size in bytes: a number with optional unit B, kB MB GB TB (powers of 1000) or
 * K Ki KiB, M Mi MiB, G Gi GiB, T Ti TiB (powers of 1024).  Return 0, or -1.
 */
int num_size(const char *, uint64_t *);

/**
 * num_put_duration(b, us):
 * Append ${us} for people, at most two units: "350ms", "1.2s", "12s", "2m05s", "3h12m",
 * "4d03h".
 */
void num_put_duration(struct buf *, int64_t);

/**
 * num_put_size(b, bytes):
 * Append ${bytes} for people: "17 B", "1.2 KiB", "3.4 GiB".
 */
void num_put_size(struct buf *, uint64_t);

#endif
