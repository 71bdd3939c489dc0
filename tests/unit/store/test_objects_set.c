/* Sets of ids: many, with their marks, and what is chosen to collide. */
#include "store/objects/object_set.h"

#include "unit/base/fixture.h"

#include "store/objects/object_id.h"

static struct object_id
random_id(uint64_t *seed)
{
	struct object_id id = {0};

	for (size_t i = 0; i < OBJECT_ID_BYTES; i++)
		id.md5[i] = (uint8_t)next_random(seed);
	id.dir = next_random(seed) % 2 != 0;
	id.legacy = next_random(seed) % 2 != 0;
	return id;
}

static void
holds_many(void **state)
{
	enum { MANY = 100000 };
	struct object_set *s = object_set_new();
	struct object_set_cursor c = {0};
	struct object_id id, other;
	uint64_t seed = 1, again = 1;
	size_t n = 0;

	(void)state;
	assert_non_null(s);
	for (int i = 0; i < MANY; i++) {
		id = random_id(&seed);
		assert_false(object_set_has(s, &id));
		assert_int_equal(object_set_add(s, &id), 1);
		assert_int_equal(object_set_add(s, &id), 0);
	}
	assert_int_equal(object_set_count(s), MANY);
	for (int i = 0; i < MANY; i++) {
		id = random_id(&again);
		assert_true(object_set_has(s, &id));
		/* The marks are part of the name. */
		other = id;
		other.dir = !id.dir;
		assert_false(object_set_has(s, &other));
		other = id;
		other.legacy = !id.legacy;
		assert_false(object_set_has(s, &other));
		other = id;
		other.md5[15] ^= 1;
		assert_false(object_set_has(s, &other));
	}
	while (object_set_next(s, &c, &id)) {
		assert_true(object_set_has(s, &id));
		n++;
	}
	assert_int_equal(n, MANY);
	assert_false(object_set_next(s, &c, &id));
	object_set_clear(s);
	assert_int_equal(object_set_count(s), 0);
	assert_false(object_set_has(s, &id));
	assert_int_equal(object_set_add(s, &id), 1);
	object_set_free(s);
	object_set_free(NULL);
}

/* Ids that differ in their last bytes only come from who wants us slow: all of one table. */
static void
stays_fast(void **state)
{
	struct object_set *s = object_set_new();
	struct object_id id = {0};

	(void)state;
	assert_non_null(s);
	for (uint32_t i = 0; i < 50000; i++) {
		memcpy(id.md5 + 12, &i, sizeof(i));
		assert_int_equal(object_set_add(s, &id), 1);
	}
	for (uint32_t i = 0; i < 50000; i++) {
		memcpy(id.md5 + 12, &i, sizeof(i));
		assert_int_equal(object_set_add(s, &id), 0);
	}
	object_set_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(holds_many),
	    cmocka_unit_test(stays_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
