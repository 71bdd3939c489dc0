#include "tasks/proto/attempt_dir.h"

#include "base/buf.h"
#include "unit/tasks/fixture.h"

static void
test_round_trip(void **state)
{
	static const struct {
		const char *task;
		int64_t map, attempt;
		const char *name;
	} cases[] = {
	    {"train", -1, 1, "train.-1.1"},
	    {"train", 0, 12, "train.0.12"},
	    {"a.b", 7, 0, "a.b.7.0"},
	    {"stage@0/x", -1, 3, "stage@0%2Fx.-1.3"},
	    {"t.1.2", INT64_MAX, INT64_MAX,
	     "t.1.2.9223372036854775807.9223372036854775807"},
	};
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t map = 99, attempt = 99;
		int len;

		buf_clear(&b);
		attempt_dir_put(&b, cases[i].task, cases[i].map, cases[i].attempt);
		assert_string_equal(b.p, cases[i].name);
		len = attempt_dir_parse(b.p, &map, &attempt);
		assert_true(len > 0);
		assert_int_equal(map, cases[i].map);
		assert_int_equal(attempt, cases[i].attempt);
		assert_int_equal(b.p[len], '.');
	}
	buf_release(&b);
}

static void
test_not_a_name(void **state)
{
	static const char *const bad[] = {"",
					  ".",
					  "..",
					  "owner",
					  "a",
					  "a.1",
					  ".1.1",
					  "a..1",
					  "a.1.",
					  "a.-2.1",
					  "a.-1.-1",
					  "a.01.1",
					  "a.1.01",
					  "a.+1.1",
					  "a.1.1 ",
					  "a.-0.1",
					  "a.x.1",
					  "a.1.9223372036854775808",
					  "a.1.99999999999999999999999999"};
	int64_t map = 99, attempt = 99;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (attempt_dir_parse(bad[i], &map, &attempt) != -1)
			fail_msg("'%s' was taken for an attempt's directory", bad[i]);
	assert_int_equal(map, 99);
	assert_int_equal(attempt, 99);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_not_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
