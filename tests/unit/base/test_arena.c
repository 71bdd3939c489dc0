#include "base/arena.h"

#include <stdalign.h>

#include "unit/base/fixture.h"

const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* Pieces of all sizes, each filled with its own byte, must not touch each other. */
static void
test_pieces_are_apart(void **state)
{
	struct arena *a = arena_new(0);
	struct {
		unsigned char *p;
		size_t n;
	} pieces[500];
	uint64_t seed = 1;
	size_t i, j, total = 0;

	(void)state;
	assert_non_null(a);
	for (i = 0; i < 500; i++) {
		pieces[i].n = next_random(&seed) % (i % 50 == 0 ? 100000 : 300);
		pieces[i].p = arena_alloc(a, pieces[i].n);
		assert_non_null(pieces[i].p);
		assert_int_equal((uintptr_t)pieces[i].p % alignof(max_align_t), 0);
		memset(pieces[i].p, (int)(i & 0xff), pieces[i].n);
		total += pieces[i].n;
	}
	for (i = 0; i < 500; i++)
		for (j = 0; j < pieces[i].n; j++)
			assert_int_equal(pieces[i].p[j], i & 0xff);
	assert_true(arena_used(a) >= total);
	arena_free(a);
	arena_free(NULL);
}

static void
test_limit(void **state)
{
	struct arena *a = arena_new(1024);

	(void)state;
	assert_non_null(arena_alloc(a, 1000));
	assert_non_null(arena_alloc(a, 16));
	assert_null(arena_alloc(a, 1));
	assert_int_equal(arena_used(a), 1024);
	arena_free(a);
	a = arena_new(1024);
	assert_null(arena_alloc(a, 1025));
	assert_null(arena_strndup(a, "x", 1024)); /* and its NUL */
	assert_non_null(arena_alloc(a, 1024));
	arena_free(a);
}

static void
test_overflow(void **state)
{
	struct arena *a = arena_new(0);

	(void)state;
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_alloc(a, SIZE_MAX - alignof(max_align_t)));
	assert_null(arena_array(a, SIZE_MAX / 2 + 1, 2));
	assert_null(arena_array(a, (size_t)1 << 33, (size_t)1 << 33));
	assert_null(arena_strndup(a, "", SIZE_MAX));
	assert_null(arena_alloc(a, (size_t)1 << 60)); /* more than malloc has */
	assert_non_null(arena_array(a, SIZE_MAX, 0));
	assert_non_null(arena_alloc(a, 0));
	assert_string_equal(arena_strdup(a, "still works"), "still works");
	arena_free(a);
}

static void
test_texts(void **state)
{
	struct arena *a = arena_new(0);
	char *s, long_text[10000];
	int *v, i;

	(void)state;
	s = arena_strndup(a, "abcdef", 3);
	assert_string_equal(s, "abc");
	assert_string_equal(arena_strndup(a, NULL, 0), "");
	memset(long_text, 'q', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	s = arena_printf(a, "%s%d", long_text, 42);
	assert_int_equal(strlen(s), sizeof(long_text) + 1);
	assert_string_equal(s + sizeof(long_text) - 1, "42");
	v = arena_array(a, 100, sizeof(*v));
	for (i = 0; i < 100; i++)
		assert_int_equal(v[i], 0);
	s = arena_zalloc(a, 9000);
	for (i = 0; i < 9000; i++)
		assert_int_equal(s[i], 0);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pieces_are_apart),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_overflow),
	    cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
