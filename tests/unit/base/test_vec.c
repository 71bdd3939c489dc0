#include "base/vec.h"

#include "unit/base/fixture.h"

static void
test_push_and_walk(void **state)
{
	VEC(int) v = {0};
	int i, sum = 0;

	(void)state;
	vec_foreach (&v, int, it)
		sum += *it;
	assert_int_equal(sum, 0);
	for (i = 0; i < 1000; i++)
		assert_int_equal(vec_push(&v, i), 0);
	assert_int_equal(v.n, 1000);
	vec_foreach (&v, int, it)
		sum += *it;
	assert_int_equal(sum, 499500);
	vec_release(&v);
	assert_null(v.v);
	assert_int_equal(v.n + v.cap, 0);
	assert_int_equal(vec_push(&v, 7), 0);
	assert_int_equal(v.v[0], 7);
	vec_release(&v);
}

static int
by_number(const void *key, const void *element)
{
	int k = *(const int *)key, e = *(const int *)element;

	return (k > e) - (k < e);
}

static void
test_first(void **state)
{
	static const int v[] = {1, 3, 3, 3, 7};
	const struct {
		int key;
		size_t first;
	} want[] = {{0, 0}, {1, 0}, {2, 1}, {3, 1}, {4, 4}, {7, 4}, {8, 5}};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
		assert_int_equal(vec_first(v, 5, sizeof(*v), &want[i].key, by_number),
				 want[i].first);
	assert_int_equal(vec_first(NULL, 0, sizeof(*v), &want[0].key, by_number), 0);
	assert_int_equal(vec_first(v, 1, sizeof(*v), &want[2].key, by_number), 1);
}

static void
test_reserve(void **state)
{
	VEC(uint64_t) v = {0};
	uint64_t *before;
	size_t i;

	(void)state;
	assert_int_equal(vec_reserve(&v, 0), 0);
	vec_release(&v);
	assert_int_equal(vec_reserve(&v, 100), 0);
	assert_true(v.cap >= 100);
	before = v.v;
	for (i = 0; i < 100; i++)
		assert_int_equal(vec_push(&v, i), 0);
	assert_ptr_equal(v.v, before);
	/* Sizes that overflow leave everything as it was. */
	assert_int_equal(vec_reserve(&v, SIZE_MAX), -1);
	assert_int_equal(vec_reserve(&v, SIZE_MAX / sizeof(*v.v) + 1), -1);
	assert_ptr_equal(v.v, before);
	assert_int_equal(v.n, 100);
	assert_int_equal(v.v[99], 99);
	vec_release(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_push_and_walk),
	    cmocka_unit_test(test_first),
	    cmocka_unit_test(test_reserve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
