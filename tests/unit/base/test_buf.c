#include "base/buf.h"

#include "unit/base/fixture.h"

/* Let malloc fail as it does without the sanitizer. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void
test_empty(void **state)
{
	struct buf b;
	char *s;

	(void)state;
	buf_init(&b, 0);
	assert_string_equal(b.p, "");
	assert_int_equal(b.max, BUF_MAX_DEFAULT);
	buf_add(&b, "", 0);
	buf_truncate(&b, 5);
	assert_false(buf_failed(&b));
	s = buf_steal(&b);
	assert_string_equal(s, "");
	free(s);
	buf_release(&b);
	buf_clear(&b);
	assert_string_equal(b.p, "");
}

static void
test_append(void **state)
{
	struct buf b;
	char big[1000], *s;

	(void)state;
	buf_init(&b, 0);
	buf_adds(&b, "ab");
	buf_addc(&b, '\0');
	buf_addf(&b, "%d-%s", 5, "x");
	assert_int_equal(b.n, 6);
	assert_memory_equal(b.p, "ab\0005-x", 7);
	buf_truncate(&b, 2);
	assert_string_equal(b.p, "ab");
	/* Formatted text on both sides of the small buffer inside. */
	memset(big, 'z', sizeof(big));
	big[255] = '\0';
	buf_addf(&b, "%s", big);
	assert_int_equal(b.n, 257);
	big[255] = 'z';
	big[256] = '\0';
	buf_addf(&b, "%s", big);
	assert_int_equal(b.n, 257 + 256);
	assert_int_equal(strlen(b.p), b.n);
	s = buf_steal(&b);
	assert_int_equal(strlen(s), 513);
	assert_int_equal(b.n, 0);
	free(s);
	buf_release(&b);
}

static void
test_maximum(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_adds(&b, "abcd");
	assert_false(buf_failed(&b));
	buf_addc(&b, 'e');
	assert_true(buf_failed(&b));
	assert_int_equal(b.state, BUF_TOOBIG);
	assert_string_equal(b.p, "abcd");
	buf_truncate(&b, 0);
	buf_adds(&b, "x"); /* sticky: also what would fit */
	assert_int_equal(b.n, 0);
	assert_null(buf_steal(&b));
	buf_clear(&b);
	buf_addf(&b, "%s", "1234");
	assert_false(buf_failed(&b));
	buf_addf(&b, "%d", 5);
	assert_true(buf_failed(&b));
	buf_release(&b);
	assert_false(buf_failed(&b));
	assert_int_equal(b.max, 4);
}

static void
test_reserve(void **state)
{
	struct buf b;
	char *to;

	(void)state;
	buf_init(&b, 10);
	to = buf_reserve(&b, 10);
	assert_non_null(to);
	memcpy(to, "xyz", 3);
	buf_commit(&b, 3);
	assert_string_equal(b.p, "xyz");
	assert_null(buf_reserve(&b, 8));
	buf_clear(&b);
	assert_non_null(buf_reserve(&b, 10));
	buf_release(&b);
}

static void
test_no_memory(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, SIZE_MAX);
	buf_adds(&b, "kept");
	assert_null(buf_reserve(&b, (size_t)1 << 60));
	assert_int_equal(b.state, BUF_NOMEM);
	assert_string_equal(b.p, "kept");
	buf_clear(&b);
	/* Lengths whose sum with what is there, or with the NUL, would wrap. */
	buf_adds(&b, "kept");
	assert_null(buf_reserve(&b, SIZE_MAX));
	buf_clear(&b);
	assert_null(buf_reserve(&b, SIZE_MAX));
	buf_clear(&b);
	buf_adds(&b, "kept");
	assert_null(buf_reserve(&b, SIZE_MAX - 4));
	assert_string_equal(b.p, "kept");
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_empty),     cmocka_unit_test(test_append),
	    cmocka_unit_test(test_maximum),   cmocka_unit_test(test_reserve),
	    cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
