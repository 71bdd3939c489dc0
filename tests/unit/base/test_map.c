#include "base/map.h"

#include "unit/base/fixture.h"

static void
test_empty(void **state)
{
	struct map m = {0};

	(void)state;
	assert_null(map_get(&m, "x"));
	assert_false(map_hasn(&m, "x", 1));
	map_foreach (&m, it)
		fail();
	map_release(&m);
}

static void
test_keys_are_bytes(void **state)
{
	struct map m = {0};
	int one, two, three, four;

	(void)state;
	assert_int_equal(map_putn(&m, "a\0b", 3, &one), 0);
	assert_int_equal(map_putn(&m, "a\0c", 3, &two), 0);
	assert_int_equal(map_putn(&m, "a", 1, &three), 0);
	assert_int_equal(map_putn(&m, "", 0, &four), 0);
	assert_ptr_equal(map_getn(&m, "a\0b", 3), &one);
	assert_ptr_equal(map_getn(&m, "a\0c", 3), &two);
	assert_ptr_equal(map_get(&m, "a"), &three);
	assert_ptr_equal(map_get(&m, ""), &four);
	assert_null(map_get(&m, "ab"));
	/* A key with no value is there all the same. */
	assert_int_equal(map_put(&m, "null", NULL), 0);
	assert_null(map_get(&m, "null"));
	assert_true(map_hasn(&m, "null", 4));
	map_release(&m);
	assert_null(map_get(&m, "a"));
}

/* Many keys: all found, in order of insertion, a replaced one in its old place. */
static void
test_many_in_order(void **state)
{
	enum { N = 20000 };
	struct map m = {0};
	char(*keys)[16] = calloc(N, sizeof(*keys));
	size_t i;

	(void)state;
	assert_non_null(keys);
	for (i = 0; i < N; i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "key%zu", i * 7919 % N);
		assert_int_equal(map_put(&m, keys[i], keys[i]), 0);
	}
	assert_int_equal(m.n, N);
	for (i = 0; i < N; i += 3) {
		char copy[16];

		(void)snprintf(copy, sizeof(copy), "%s", keys[i]);
		assert_int_equal(map_put(&m, copy, &keys[i][1]), 1);
	}
	assert_int_equal(m.n, N);
	i = 0;
	map_foreach (&m, it) {
		assert_ptr_equal(it->key, keys[i]);
		assert_ptr_equal(it->val, i % 3 == 0 ? &keys[i][1] : keys[i]);
		i++;
	}
	assert_int_equal(i, N);
	assert_null(map_get(&m, "key20000"));
	map_release(&m);
	free(keys);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_keys_are_bytes),
	    cmocka_unit_test(test_many_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
