#include "base/timefmt.h"

#include <stdbool.h>
#include <time.h>

#include "base/clock.h"
#include "unit/base/fixture.h"

#define DAY_US ((int64_t)86400 * 1000000)

static bool
is_leap(int y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* Every day of the calendar, by counting. */
static void
test_every_day(void **state)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t us = -62135596800 * 1000000; /* 0001-01-01, as everybody has it */
	struct civil c = {0}, got;
	int n;

	(void)state;
	for (c.year = 1; c.year <= 9999; c.year++) {
		for (c.month = 1; c.month <= 12; c.month++) {
			n = lengths[c.month - 1] + (c.month == 2 && is_leap(c.year));
			for (c.day = 1; c.day <= n; c.day++, us += DAY_US) {
				time_civil(us + DAY_US - 1, &got);
				if (got.year != c.year || got.month != c.month ||
				    got.day != c.day || time_from_civil(&c) != us)
					fail_msg("%d-%d-%d", c.year, c.month, c.day);
			}
		}
	}
	assert_true(us == 253402300800 * 1000000);
}

static void
test_civil_before_the_epoch(void **state)
{
	struct civil c;

	(void)state;
	time_civil(-1, &c);
	assert_int_equal(c.year, 1969);
	assert_int_equal(c.month * 100 + c.day, 1231);
	assert_int_equal(c.hour * 10000 + c.minute * 100 + c.second, 235959);
	assert_int_equal(c.usec, 999999);
	assert_int_equal(time_from_civil(&c), -1);
}

static void
test_parse(void **state)
{
	static const struct {
		const char *text, *utc;
	} good[] = {
	    {"2026-11-22", "2026-11-22T00:00:00.000000Z"},
	    {"2026-11-22T20:38:48Z", "2026-11-22T20:38:48.000000Z"},
	    {"2026-11-22t20:38:48z", "2026-11-22T20:38:48.000000Z"},
	    {"2026-11-22 20:38:48", "2026-11-22T20:38:48.000000Z"},
	    {"2026-11-22T20:38", "2026-11-22T20:38:00.000000Z"},
	    {"2026-11-22T20:38Z", "2026-11-22T20:38:00.000000Z"},
	    {"2026-11-22T20:38+01:00", "2026-11-22T19:38:00.000000Z"},
	    {"2026-11-22T20:38:48.5Z", "2026-11-22T20:38:48.500000Z"},
	    {"2026-11-22T20:38:48.123456", "2026-11-22T20:38:48.123456Z"},
	    {"2026-11-22T20:38:48.999999999999Z", "2026-11-22T20:38:48.999999Z"},
	    {"2026-01-01T00:00:00+05:30", "2025-12-31T18:30:00.000000Z"},
	    {"2025-12-31T23:59:59-00:01", "2026-01-01T00:00:59.000000Z"},
	    {"2026-11-22T00:00:00-00:00", "2026-11-22T00:00:00.000000Z"},
	    {"2026-11-22T00:00:00+23:59", "2026-11-21T00:01:00.000000Z"},
	    {"2024-02-29", "2024-02-29T00:00:00.000000Z"},
	    {"2000-02-29", "2000-02-29T00:00:00.000000Z"},
	    {"0001-01-01", "0001-01-01T00:00:00.000000Z"},
	    {"0001-01-01T01:00:00+01:00", "0001-01-01T00:00:00.000000Z"},
	    {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
	    {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
	};
	char text[TIMEFMT_MAX];
	int64_t us;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (time_parse(good[i].text, &us) != 0)
			fail_msg("%s was refused", good[i].text);
		assert_string_equal(time_rfc3339_us(text, us), good[i].utc);
	}
}

static void
test_parse_refuses(void **state)
{
	static const char *const bad[] = {
	    "",
	    "2026",
	    "2026-11",
	    "2026-11-",
	    "26-11-22",
	    "2026-1-22",
	    "2026-11-2",
	    "2026-11-22T",
	    "2026-11-22 ",
	    "2026-11-22Z",
	    "2026-11-22T20",
	    "2026-11-22T20:3",
	    "2026-11-22T20:38:",
	    "2026-11-22T20:38:4",
	    "2026-11-22T20:38:48.",
	    "2026-11-22T20:38:48,5",
	    "2026-11-22T20:38:48.Z",
	    "2026-11-22T20:38.5Z",
	    "2026-11-22T20:38:48+1",
	    "2026-11-22T20:38:48+01",
	    "2026-11-22T20:38:48+0100",
	    "2026-11-22T20:38:48+01:0",
	    "2026-11-22T20:38:48+24:00",
	    "2026-11-22T20:38:48+01:60",
	    "2026-11-22T20:38:48Zx",
	    "2026-11-22T20:38:48 Z",
	    "2026-11-22  20:38:48Z",
	    "2026-11-22T24:00:00Z",
	    "2026-11-22T20:60:00Z",
	    "2026-12-31T23:59:60Z",
	    "2026-00-10",
	    "2026-13-10",
	    "2026-11-00",
	    "2026-11-31",
	    "2026-02-29",
	    "1900-02-29",
	    "2100-02-29",
	    "0000-01-01",
	    "-001-01-01",
	    "10000-01-01",
	    " 2026-11-22",
	    "2026-11-22T-1:00:00Z",
	    "2026/11/22",
	    "0001-01-01T00:00:00+00:01",
	    "9999-12-31T23:59:59-00:01",
	};
	int64_t us = 77;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (time_parse(bad[i], &us) != -1)
			fail_msg("'%s' was accepted", bad[i]);
	assert_int_equal(us, 77);
}

static void
test_formats(void **state)
{
	char text[TIMEFMT_MAX];
	int64_t us = 1795379928123456;

	(void)state;
	assert_string_equal(time_rfc3339(text, us), "2026-11-22T20:38:48Z");
	assert_string_equal(time_rfc3339_us(text, us), "2026-11-22T20:38:48.123456Z");
	assert_string_equal(time_ds(text, us), "2026-11-22");
	assert_string_equal(time_ds_nodash(text, us), "20261122");
	assert_string_equal(time_ds(text, -62135596800 * 1000000), "0001-01-01");
	/* Whatever is in a row of the database fits. */
	assert_string_equal(time_rfc3339_us(text, INT64_MAX),
			    "294247-01-10T04:00:54.775807Z");
	assert_string_equal(time_rfc3339_us(text, INT64_MIN),
			    "-290308-12-21T19:59:05.224192Z");
}

static void
test_round_trip(void **state)
{
	char text[TIMEFMT_MAX];
	uint64_t seed = 11;
	int64_t us, back;
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		us = (int64_t)((uint64_t)next_random(&seed) << 31 | next_random(&seed)) %
		     (253402300800 * 1000000);
		if (i % 4 == 0)
			us = -us / 5;
		assert_int_equal(time_parse(time_rfc3339_us(text, us), &back), 0);
		assert_true(back == us);
	}
}

static struct now
told(void *ctx)
{
	struct now *now = ctx;

	now->mono_us += 10;
	return *now;
}

static void
test_clock(void **state)
{
	struct now fake = {.wall_us = 5, .mono_us = 0}, a, b;
	struct timespec ts;

	(void)state;
	clock_set_fake(told, &fake);
	assert_int_equal(clock_now().wall_us, 5);
	assert_int_equal(clock_now().mono_us, 20);
	clock_set_fake(NULL, NULL);
	a = clock_now();
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	b = clock_now();
	assert_true(a.mono_us <= b.mono_us);
	assert_true(b.wall_us / 1000000 - ts.tv_sec < 60);
	assert_true(ts.tv_sec - a.wall_us / 1000000 < 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_day),
	    cmocka_unit_test(test_civil_before_the_epoch),
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_parse_refuses),
	    cmocka_unit_test(test_formats),
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
