/* Names of objects: what is one, what is not, and their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "store/objects/object_id.h"

#define HEX "5ea40360f5b4ec688df672a4db9c17d1"

static void
reads_and_writes(void **state)
{
	struct object_id id;
	char hex[OBJECT_HEX_MAX];

	(void)state;
	assert_int_equal(object_id_parse(HEX, false, &id), 0);
	assert_int_equal(id.md5[0], 0x5e);
	assert_int_equal(id.md5[15], 0xd1);
	assert_false(id.dir || id.legacy);
	assert_string_equal(object_id_hex(&id, hex), HEX);

	assert_int_equal(object_id_parse(HEX ".dir", true, &id), 0);
	assert_true(id.dir && id.legacy);
	assert_string_equal(object_id_hex(&id, hex), HEX ".dir");

	assert_int_equal(object_id_parse("5EA40360F5B4EC688DF672A4DB9C17D1", false, &id),
			 0);
	assert_string_equal(object_id_hex(&id, hex), HEX);
}

static void
reads_the_end_of_a_path(void **state)
{
	static const char *const bad[] = {
	    "5ea40360f5b4ec688df672a4db9c17d1",
	    "5e/a40360f5b4ec688df672a4db9c17d1", /* of no store */
	    "/a40360f5b4ec688df672a4db9c17d1",
	    "/c/5/ea40360f5b4ec688df672a4db9c17d1",
	    "/c/x5e/a40360f5b4ec688df672a4db9c17d1",
	    "/c/5g/a40360f5b4ec688df672a4db9c17d1",
	    "/c/5e/a40360f5b4ec688df672a4db9c17d",
	    "/c/5e/a40360f5b4ec688df672a4db9c17d11",
	    "/c/5e/a40360f5b4ec688df672a4db9c17d1.dirt",
	    "/c/5e/a40360f5b4ec688df672a4db9c17d1/",
	    "",
	    "/"};
	struct object_id id;
	char hex[OBJECT_HEX_MAX];

	(void)state;
	assert_int_equal(
	    object_id_of_path("/c/files/md5/5e/a40360f5b4ec688df672a4db9c17d1", &id), 0);
	assert_string_equal(object_id_hex(&id, hex), HEX);
	assert_int_equal(object_id_of_path("/5e/a40360f5b4ec688df672a4db9c17d1.dir", &id),
			 0);
	assert_string_equal(object_id_hex(&id, hex), HEX ".dir");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(object_id_of_path(bad[i], &id), -1);
}

static void
refuses_what_is_no_name(void **state)
{
	static const char *const bad[] = {"",
					  "5",
					  "5ea40360f5b4ec688df672a4db9c17d",
					  HEX "0",
					  HEX ".di",
					  HEX ".dirs",
					  HEX ".DIR",
					  HEX "xdir",
					  "../../../../../../../../etc/passwd",
					  "5ea40360f5b4ec688df672a4db9c17dg",
					  "5ea40360f5b4ec688df672a4db9c17d ",
					  "00000000000000000000000000000000",
					  "00000000000000000000000000000000.dir"};
	struct object_id id, before;

	(void)state;
	memset(&id, 7, sizeof id);
	before = id;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(object_id_parse(bad[i], false, &id), -1);
	assert_memory_equal(&id, &before, sizeof id);
}

static void
has_an_order(void **state)
{
	struct object_id a, b, none = {0};

	(void)state;
	assert_false(object_id_is_set(&none));
	assert_int_equal(object_id_parse(HEX, false, &a), 0);
	assert_true(object_id_is_set(&a));
	b = a;
	assert_true(object_id_equal(&a, &b));
	b.legacy = true;
	assert_true(object_id_cmp(&a, &b) < 0);
	a.dir = true;
	assert_true(object_id_cmp(&a, &b) > 0);
	assert_false(object_id_equal(&a, &b));
	b.md5[15]++;
	assert_true(object_id_cmp(&a, &b) < 0);
	assert_true(object_id_cmp(&b, &a) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_and_writes),
	    cmocka_unit_test(reads_the_end_of_a_path),
	    cmocka_unit_test(refuses_what_is_no_name),
	    cmocka_unit_test(has_an_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
