#include "base/uuid.h"

#include <pthread.h>

#include "unit/base/fixture.h"

static void
test_layout(void **state)
{
	static const int64_t ms = 0x0123456789ab;
	char u[UUID_TEXT];
	size_t i;

	(void)state;
	assert_int_equal(uuid7(u, ms * 1000 + 999), 0);
	assert_int_equal(strlen(u), 36);
	assert_memory_equal(u, "01234567-89ab-7", 15);
	assert_non_null(strchr("89ab", u[19]));
	for (i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23)
			assert_int_equal(u[i], '-');
		else
			assert_non_null(strchr("0123456789abcdef", u[i]));
	}
	assert_int_equal(uuid7(u, -5), 0);
	assert_memory_equal(u, "00000000-0000-7", 15);
}

/* Whether the clock stands still, creeps, or goes back within its millisecond. */
static void
test_order(void **state)
{
	static const int64_t steps[] = {0,    0, 0,   1,    0, 500, 0,
					-300, 0, 700, 1000, 0, 0,   37};
	char last[UUID_TEXT] = "", u[UUID_TEXT];
	int64_t us = 1700000000000000;
	size_t i;

	(void)state;
	for (i = 0; i < 30000; i++) {
		int64_t next = us + steps[i % (sizeof(steps) / sizeof(steps[0]))];

		if (next / 1000 >= us / 1000)
			us = next;
		assert_int_equal(uuid7(u, us), 0);
		if (strcmp(last, u) >= 0)
			fail_msg("%s then %s", last, u);
		memcpy(last, u, sizeof(last));
	}
	/* An earlier instant sorts before, as its text says when it was. */
	assert_int_equal(uuid7(u, us - 5000), 0);
	assert_true(strcmp(u, last) < 0);
}

enum { THREADS = 4, EACH = 5000 };
static char made[THREADS][EACH][UUID_TEXT];

static void *
make_many(void *arg)
{
	char(*out)[UUID_TEXT] = arg;
	size_t i;

	for (i = 0; i < EACH; i++)
		if (uuid7(out[i], 1700000001000000) != 0)
			return NULL;
	return arg;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
test_threads(void **state)
{
	pthread_t threads[THREADS];
	char(*all)[UUID_TEXT] = made[0];
	void *done;
	size_t i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_many, made[i]),
				 0);
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &done), 0);
		assert_non_null(done);
	}
	qsort(all, (size_t)THREADS * EACH, UUID_TEXT, compare);
	for (i = 1; i < (size_t)THREADS * EACH; i++)
		assert_true(strcmp(all[i - 1], all[i]) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_layout),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
