/*
 * Numbers, durations, sizes and RFC 3339: what is read, written and read again is the same;
 * nothing behind it is overlooked; libc agrees where it reads the same form.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>

#include "base/num.h"
#include "base/timefmt.h"
#include "base/utf8.h"
#include "fuzz.h"

static bool
same(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0 || (isnan(a) && isnan(b));
}

static void
check_integers(const char *s)
{
	bool plain = s[0] != '\0' && strspn(s, "0123456789") == strlen(s);
	char text[64];
	int64_t i = 77, back;
	uint64_t u = 77, uback;

	if (num_i64(s, &i) == 0) {
		(void)snprintf(text, sizeof(text), "%lld", (long long)i);
		CHECK(num_i64(text, &back) == 0 && back == i);
	} else {
		CHECK(i == 77);
	}
	errno = 0;
	uback = strtoull(s, NULL, 10);
	CHECK((num_u64(s, &u) == 0) == (plain && errno == 0));
	CHECK(!plain || errno != 0 ? u == 77 : u == uback);
}

static void
check_floats(const char *s)
{
	bool plain = s[0] != '\0' && strspn(s, "0123456789+-.eE") == strlen(s);
	double f = 77, g = 77, want;
	char *end;

	want = strtod(s, &end);
	if (num_f64(s, &f) == 0)
		CHECK(plain && *end == '\0' && isfinite(f) && same(f, want));
	else
		CHECK(same(f, 77) && !(plain && *end == '\0' && isfinite(want)));
	if (num_float(s, &g) == 0)
		CHECK(*end == '\0' && same(g, want));
	else
		CHECK(same(g, 77) && same(f, 77));
}

static void
check_put_duration(int64_t us)
{
	struct buf b;
	int64_t shown;

	buf_init(&b, 0);
	num_put_duration(&b, us);
	CHECK(num_duration(b.p, &shown) == 0);
	CHECK(shown <= us && us - shown <= us / 2);
	buf_release(&b);
}

static void
check_duration(const char *s)
{
	int64_t us = 77, back;
	char text[64];
	int rc = num_duration(s, &us);

	CHECK(rc >= -1 && rc <= 1);
	CHECK(rc == 0 || us == 77);
	if (rc != 0)
		return;
	CHECK(us >= 0 && us <= NUM_DURATION_MAX);
	(void)snprintf(text, sizeof(text), "%lldus", (long long)us);
	CHECK(num_duration(text, &back) == 0 && back == us);
	check_put_duration(us);
}

static void
check_size(const char *s)
{
	uint64_t v = 77, back;
	struct buf b;
	char text[64], *blank;

	if (num_size(s, &v) != 0) {
		CHECK(v == 77);
		return;
	}
	(void)snprintf(text, sizeof(text), "%lluB", (unsigned long long)v);
	CHECK(num_size(text, &back) == 0 && back == v);
	buf_init(&b, 0);
	num_put_size(&b, v);
	CHECK((blank = strchr(b.p, ' ')) != NULL);
	memmove(blank, blank + 1, strlen(blank));
	if (v >> 50 == 0)
		CHECK(num_size(b.p, &back) == 0 && back <= v && v - back <= v / 10 + 1);
	buf_release(&b);
}

static void
check_time(const char *s)
{
	char text[TIMEFMT_MAX];
	int64_t us = 77, back;
	struct civil c;

	if (time_parse(s, &us) != 0) {
		CHECK(us == 77);
		return;
	}
	time_civil(us, &c);
	CHECK(c.year >= 1 && c.year <= 9999 && c.month >= 1 && c.month <= 12);
	CHECK(c.day >= 1 && c.day <= 31 && c.hour <= 23 && c.minute <= 59);
	CHECK(time_from_civil(&c) == us);
	CHECK(time_parse(time_rfc3339_us(text, us), &back) == 0 && back == us);
	CHECK(time_parse(time_rfc3339(text, us), &back) == 0 && back == us - c.usec);
	CHECK(time_parse(time_ds(text, us), &back) == 0 && back <= us &&
	      us - back < INT64_C(86400000000));
	CHECK(strlen(time_ds_nodash(text, us)) == 8);
}

/* Nothing that is whole stays whole with something behind it that belongs to none. */
static void
check_behind(const char *s)
{
	char *more = fuzz_need(malloc(strlen(s) + 3));
	int64_t i;
	uint64_t u;
	double f;

	for (const char *c = " \n~"; *c != '\0'; c++) {
		(void)snprintf(more, strlen(s) + 3, "%s%c", s, *c);
		CHECK(num_i64(more, &i) == -1 && num_u64(more, &u) == -1);
		CHECK(num_f64(more, &f) == -1 && num_float(more, &f) == -1);
		CHECK(num_duration(more, &i) == -1 && num_size(more, &u) == -1);
		CHECK(time_parse(more, &i) == -1);
	}
	free(more);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *s = fuzz_string(data, n);

	check_integers(s);
	check_floats(s);
	check_duration(s);
	check_size(s);
	check_time(s);
	check_behind(s);
	free(s);
	return 0;
}
