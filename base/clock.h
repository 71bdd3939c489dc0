#ifndef DAG_BASE_CLOCK_H
#define DAG_BASE_CLOCK_H
/*
 * The door to the clocks.  Durations are measured by `mono`, deadlines that are stored by
 * `wall`; every place that needs a time takes a struct now from its caller.
 */
#include <stdint.h>

struct now {
	int64_t wall_us; /* since the epoch, UTC */
	int64_t mono_us; /* monotonic, of this boot */
};

/**
 * clock_now():
 * Return the present by the current clock: the system's, or what clock_set_fake chose.  In a
 * build with test doors the wall clock is off by the seconds in the file $DAG_CLOCK.
 */
struct now clock_now(void);

/**
 * clock_set_fake(fn, ctx):
 * Let ${fn}(${ctx}) tell the time from now on; NULL for the system's clocks.  For tests.
 */
void clock_set_fake(struct now (*)(void *), void *);

/**
 * clock_stamp_ns():
 * Return the present (nanoseconds since the epoch) by the clock that the kernel stamps files
 * with: it ticks some hundred times a second, and is never ahead of a stamp given later, though
 * stamps may be ahead of it by less than a tick.  Of the fake clocks only
 * clock_set_fake_stamp's counts here, as no other moves the stamps.
 */
int64_t clock_stamp_ns(void);

/**
 * clock_set_fake_stamp(fn, ctx):
 * Let ${fn}(${ctx}) tell that time from now on; NULL for the system's clock.  For tests.
 */
void clock_set_fake_stamp(int64_t (*)(void *), void *);

#endif
