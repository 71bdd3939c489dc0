#include "base/num.h"

#include <locale.h>
#include <math.h>

#include "base/buf.h"
#include "unit/base/fixture.h"

static void
test_i64(void **state)
{
	static const char *const bad[] = {"",
					  "-",
					  "+",
					  " 1",
					  "1 ",
					  "1x",
					  "--1",
					  "0x10",
					  "1.0",
					  "1e3",
					  "9223372036854775808",
					  "-9223372036854775809",
					  "99999999999999999999999"};
	int64_t v = 77;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(num_i64(bad[i], &v), -1);
	assert_int_equal(v, 77);
	assert_int_equal(num_i64("9223372036854775807", &v), 0);
	assert_true(v == INT64_MAX);
	assert_int_equal(num_i64("-9223372036854775808", &v), 0);
	assert_true(v == INT64_MIN);
	assert_int_equal(num_i64("+0007", &v), 0);
	assert_int_equal(v, 7);
	assert_int_equal(num_i64("-0", &v), 0);
	assert_int_equal(v, 0);
}

static void
test_u64(void **state)
{
	uint64_t v = 77;

	(void)state;
	assert_int_equal(num_u64("18446744073709551616", &v), -1);
	assert_int_equal(num_u64("-1", &v), -1);
	assert_int_equal(num_u64("+1", &v), -1);
	assert_int_equal(num_u64("", &v), -1);
	assert_int_equal(v, 77);
	assert_int_equal(num_u64("18446744073709551615", &v), 0);
	assert_true(v == UINT64_MAX);
}

static void
test_f64(void **state)
{
	static const char *const bad[] = {
	    "",	   ".",	 "e5", "1e",	"1e+",	 "nan",	   "inf",   "0x1p3",
	    "1,5", " 1", "1 ", "1.5.2", "1e400", "-1e400", "1_000", "infinity"};
	static const struct {
		const char *text;
		double v;
	} good[] = {{"1.5", 1.5},     {".5", .5},	  {"5.", 5},
		    {"-2e-3", -2e-3}, {"+7", 7},	  {"1E+3", 1000},
		    {"1e308", 1e308}, {"5e-324", 5e-324}, {"1e-400", 0.0}};
	double v = 77;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(num_f64(bad[i], &v), -1);
	assert_true(v == 77);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(num_f64(good[i].text, &v), 0);
		assert_true(v == good[i].v);
	}
}

static void
test_float(void **state)
{
	static const char *const bad[] = {"",	   "+",		"+-1",	  "--inf", "in",
					  "infi",  "infinityx", "nan(1)", " inf",  "inf ",
					  "0x1p3", "1_000",	"1,5",	  "1e"};
	static const struct {
		const char *text;
		double v;
	} good[] = {{"1.5", 1.5},
		    {"-2e-3", -2e-3},
		    {"1e-400", 0.0},
		    {"1e400", (double)INFINITY},
		    {"-1e400", -(double)INFINITY},
		    {"Inf", (double)INFINITY},
		    {"+INFINITY", (double)INFINITY},
		    {"-inf", -(double)INFINITY}};
	double v = 77;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(num_float(bad[i], &v), -1);
	assert_true(v == 77);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(num_float(good[i].text, &v), 0);
		assert_true(v == good[i].v);
	}
	assert_int_equal(num_float("NaN", &v), 0);
	assert_true(isnan(v));
	assert_int_equal(num_float("-nan", &v), 0);
	assert_true(isnan(v));
}

static void
test_f64_in_a_locale_with_commas(void **state)
{
	static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8",
					    "de_DE", "fr_FR"};
	double v = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (setlocale(LC_ALL, names[i]) != NULL)
			break;
	if (i == sizeof(names) / sizeof(names[0]))
		skip();
	assert_int_equal(num_f64("1.5", &v), 0);
	assert_true(v == 1.5);
	assert_int_equal(num_f64("1,5", &v), -1);
	(void)setlocale(LC_ALL, "C");
}

static void
test_duration(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
	    {"0", 0},
	    {"90", 90000000},
	    {"1.5", 1500000},
	    {"250ms", 250000},
	    {"1h30m", 5400000000},
	    {"1w2d3h4m5s6ms7us", 788645006007},
	    {"1.5h30m", 7200000000},
	    {"0.0000004s", 0},
	    {"0.0000005s", 1},
	    {"0.333333333333333333333333333333s", 333333},
	    {"0.999999999999999999999999999999w", 604800000000},
	    {"36500d", 3153600000000000},
	    {"876000h", 3153600000000000},
	    {"3153600000", 3153600000000000},
	};
	static const char *const bad[] = {
	    "",	       "s",	"-1s",	 "+1s",	 "1 s",	  " 1s",
	    "1s ",     "1m1h",	"1s1s",	 "1h30", "30 1h", "1.s",
	    ".5s",     "1..5s", "1.5.5", "1S",	 "1min",  "1x",
	    "1ms1s",   "1e3s",	"0x10s", "1y",	 "inf",	  "99999999999999999999y",
	    "36501d1d"};
	static const char *const longer[] = {"36501d",
					     "36500d1us",
					     "3153600000.000001",
					     "99999999999999999999",
					     "99999999999999999999w1d",
					     "99999999999999999999.5w",
					     "5214w3d"};
	int64_t us;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		us = -1;
		if (num_duration(good[i].text, &us) != 0 || us != good[i].us)
			fail_msg("%s is %lld", good[i].text, (long long)us);
	}
	us = 77;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (num_duration(bad[i], &us) != -1)
			fail_msg("%s was read as %lld", bad[i], (long long)us);
	for (i = 0; i < sizeof(longer) / sizeof(longer[0]); i++)
		if (num_duration(longer[i], &us) != 1)
			fail_msg("%s is not called too long", longer[i]);
	assert_int_equal(us, 77);
}

static void
test_put_duration(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} cases[] = {
	    {0, "0s"},
	    {1, "1us"},
	    {999, "999us"},
	    {1000, "1ms"},
	    {350000, "350ms"},
	    {999999, "999ms"},
	    {1000000, "1s"},
	    {1200000, "1.2s"},
	    {1000001, "1.0s"},
	    {9999999, "9.9s"},
	    {10000000, "10s"},
	    {59999999, "59s"},
	    {60000000, "1m"},
	    {125000000, "2m05s"},
	    {3599999999, "59m59s"},
	    {3600000000, "1h"},
	    {11520000000, "3h12m"},
	    {86399999999, "23h59m"},
	    {356400000000, "4d03h"},
	    {3153600000000000, "36500d"},
	    {-1500000, "-1.5s"},
	    {INT64_MIN, "-106751991d04h"},
	    {INT64_MAX, "106751991d04h"},
	};
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&b);
		num_put_duration(&b, cases[i].us);
		assert_string_equal(b.p, cases[i].text);
	}
	buf_release(&b);
}

/* What is written for a duration of at most two units reads back as itself. */
static void
test_duration_round_trip(void **state)
{
	struct buf b;
	uint64_t seed = 5;
	int64_t us, back;
	int i;

	(void)state;
	buf_init(&b, 0);
	for (i = 0; i < 20000; i++) {
		switch (i % 5) {
		case 0:
			us = next_random(&seed) % 1000;
			break;
		case 1:
			us = (int64_t)(next_random(&seed) % 1000) * 1000;
			break;
		case 2:
			us = (int64_t)(next_random(&seed) % 3600) * 1000000;
			break;
		case 3:
			us = (int64_t)(next_random(&seed) % 1440) * 60000000;
			break;
		default:
			us = (int64_t)(next_random(&seed) % 876000) * 3600000000;
			break;
		}
		buf_clear(&b);
		num_put_duration(&b, us);
		assert_int_equal(num_duration(b.p, &back), 0);
		if (back != us)
			fail_msg("%lld became %s", (long long)us, b.p);
	}
	buf_release(&b);
}

static void
test_size(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
	    {"0", 0},
	    {"17", 17},
	    {"17B", 17},
	    {"1kB", 1000},
	    {"1K", 1024},
	    {"1Ki", 1024},
	    {"1KiB", 1024},
	    {"1.5MB", 1500000},
	    {"1.5MiB", 1572864},
	    {"2GB", 2000000000},
	    {"2G", 2147483648},
	    {"3T", 3298534883328},
	    {"3TB", 3000000000000},
	    {"0.5K", 512},
	    {"16777215.9999999999999999999TiB", 18446744073709551615u},
	    {"18446744073709551615", 18446744073709551615u},
	};
	static const char *const bad[] = {
	    "",	  "B",	"1.5", "1.5B", "1kb", "1KB",	   "1k",  "1 K",
	    "1P", "-1", "1.K", "1e3",  "1mB", "16777216T", "1BB", "18446744073709551616"};
	uint64_t v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		v = 77;
		if (num_size(good[i].text, &v) != 0 || v != good[i].bytes)
			fail_msg("%s is %llu", good[i].text, (unsigned long long)v);
	}
	v = 77;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (num_size(bad[i], &v) != -1)
			fail_msg("%s was read as %llu", bad[i], (unsigned long long)v);
	assert_int_equal(v, 77);
}

static void
test_put_size(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
	    {0, "0 B"},
	    {17, "17 B"},
	    {1023, "1023 B"},
	    {1024, "1 KiB"},
	    {1229, "1.2 KiB"},
	    {102399, "99.9 KiB"},
	    {102401, "100 KiB"},
	    {1048575, "1023 KiB"},
	    {67108864, "64 MiB"},
	    {3650722202u, "3.4 GiB"},
	    {(uint64_t)1 << 60, "1 EiB"},
	    {UINT64_MAX, "15.9 EiB"},
	};
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&b);
		num_put_size(&b, cases[i].bytes);
		assert_string_equal(b.p, cases[i].text);
	}
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_i64),
	    cmocka_unit_test(test_u64),
	    cmocka_unit_test(test_f64),
	    cmocka_unit_test(test_float),
	    cmocka_unit_test(test_f64_in_a_locale_with_commas),
	    cmocka_unit_test(test_duration),
	    cmocka_unit_test(test_put_duration),
	    cmocka_unit_test(test_duration_round_trip),
	    cmocka_unit_test(test_size),
	    cmocka_unit_test(test_put_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
