/* The line that tells how far long work is: what stands in it, at which width, and its rates. */
#include "cli/meterline.h"

#include "store/meter.h"
#include "unit/cli/fixture.h"

#define SEC INT64_C(1000000)

static struct meter meter;
static struct meterline line;

static int
setup(void **state)
{
	(void)state;
	memset(&meter, 0, sizeof(meter));
	memset(&line, 0, sizeof(line));
	return 0;
}

static void
check(unsigned width, const char *want)
{
	struct buf b;

	buf_init(&b, 0);
	meterline_put(&line, width, &b);
	assert_string_equal(b.p, want);
	assert_true(width == 0 || text_columns(b.p, b.n) <= width);
	buf_release(&b);
}

/* So many seconds at a steady pace, a look every 100 ms. */
static void
pass(int64_t from_s, int64_t to_s, uint64_t files, uint64_t bytes)
{
	for (int64_t t = from_s * 10; t < to_s * 10; t++) {
		meterline_look(&line, &meter, t * SEC / 10);
		meter_add(&meter, files, bytes);
	}
	meterline_look(&line, &meter, to_s * SEC);
}

static void
test_begin(void **state)
{
	(void)state;
	meterline_look(&line, &meter, 0);
	check(0, "working");
	meter_phase(&meter, "hashing");
	meterline_look(&line, &meter, SEC);
	check(80, "hashing");
	meter_add(&meter, 1, 0);
	meterline_look(&line, &meter, 2 * SEC);
	check(80, "hashing: 1 file");
}

static void
test_whole(void **state)
{
	(void)state;
	meter_phase(&meter, "hashing");
	meter_expect(&meter, 1000, 102400 << 10);
	pass(0, 10, 1, 1 << 20);
	check(0, "hashing: 100 of 1000 files, 100 MiB of 100 MiB, 10 MiB/s, 1m30s left");
}

/* What matters least goes first. */
static void
test_width(void **state)
{
	(void)state;
	meter_phase(&meter, "hashing");
	meter_expect(&meter, 1000, (uint64_t)200 << 20);
	pass(0, 10, 1, 1 << 20);
	check(80, "hashing: 100 of 1000 files, 100 MiB of 200 MiB, 10 MiB/s, 10s left");
	check(66, "hashing: 100 of 1000 files, 100 MiB of 200 MiB, 10 MiB/s, 10s left");
	check(65, "hashing: 100 of 1000 files, 100 MiB of 200 MiB, 10s left");
	check(55, "hashing: 100 of 1000 files, 10s left");
	check(36, "hashing: 100 of 1000 files, 10s left");
	check(35, "hashing: 100 of 1000 files");
	check(20, "hashing");
	check(5, "hash…");
}

/* The rate is that of the last seconds, not of the whole. */
static void
test_rate(void **state)
{
	(void)state;
	meter_phase(&meter, "copying");
	pass(0, 10, 1, 10 << 20);
	pass(10, 20, 1, 1 << 20);
	check(0, "copying: 200 files, 1.0 GiB, 10 MiB/s");
	pass(20, 30, 0, 0);
	check(0, "copying: 200 files, 1.0 GiB");
}

/* Another phase, or counters that begin anew, have nothing to do with what was before. */
static void
test_anew(void **state)
{
	(void)state;
	meter_phase(&meter, "hashing");
	meter_expect(&meter, 1000, 0);
	pass(0, 10, 10, 1 << 20);
	meter_begin(&meter, "linking");
	pass(10, 11, 1, 0);
	check(0, "linking: 10 files");
	meter_begin(&meter, "linking");
	pass(11, 12, 1, 0);
	check(0, "linking: 10 files");
}

/* More than was expected is not told as a part of it. */
static void
test_more(void **state)
{
	(void)state;
	meter_phase(&meter, "hashing");
	meter_expect(&meter, 5, 10);
	meter_add(&meter, 6, 11);
	meterline_look(&line, &meter, 0);
	check(0, "hashing: 6 files, 11 B");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_begin, setup),
	    cmocka_unit_test_setup(test_whole, setup),
	    cmocka_unit_test_setup(test_width, setup),
	    cmocka_unit_test_setup(test_rate, setup),
	    cmocka_unit_test_setup(test_anew, setup),
	    cmocka_unit_test_setup(test_more, setup),
	};

	return cmocka_run_group_tests_name("cli/meterline", tests, NULL, NULL);
}
