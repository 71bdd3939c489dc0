/* Batches: what gets into a store, when it is visible, and what is left when it goes wrong. */
#include "store/objects/batch.h"

#include <pthread.h>

#include "store/meter.h"
#include "store/objects/tree.h"
#include "unit/store/objects_test.h"

#define FOO "acbd18db4cc2f85cedef654fccc4a4d8" /* md5 of "foo" */

static void
copies(void **state)
{
	struct object_id id, want = id_of(FOO);
	struct err err = {0};
	struct batch *b;
	struct stat st;
	uint64_t size = 3;
	struct shop s;
	int fd;

	(void)state;
	shop_make(&s);
	shop_put(&s, "foo", "foo", 3);
	ok(batch_begin(s.o, NULL, &b, &err));
	/* Nothing is made before the first write. */
	assert_int_equal(faccessat(s.fd, "cache", F_OK, 0), -1);
	fd = shop_file(&s, "foo");
	ok(batch_copy(b, fd, NULL, &id, &size, &err));
	(void)close(fd);
	assert_true(object_id_equal(&id, &want));
	assert_int_equal(size, 3);
	assert_int_equal(objects_has(s.o, &id, &err), 0); /* not yet */
	assert_int_equal(shop_files(s.fd, "cache", true), 1);
	ok(batch_flush(b, &err));
	assert_int_equal(objects_has(s.o, &id, &err), 1);
	ok(batch_end(b, true, &err));
	shop_holds(&s, "cache/files/md5/ac/bd18db4cc2f85cedef654fccc4a4d8", "foo", 3);
	assert_int_equal(shop_files(s.fd, "cache", true), 0);
	assert_int_equal(
	    fstatat(s.fd, "cache/files/md5/ac/bd18db4cc2f85cedef654fccc4a4d8", &st, 0),
	    0);
	assert_int_equal(st.st_mode & 07777, 0444);
	shop_remove(&s);
}

static void
lists_of_directories(void **state)
{
	static const uint8_t foo[16] = {0xac, 0xbd, 0x18, 0xdb, 0x4c, 0xc2, 0xf8, 0x5c,
					0xed, 0xef, 0x65, 0x4f, 0xcc, 0xc4, 0xa4, 0xd8};
	static const uint8_t bar[16] = {0x37, 0xb5, 0x1d, 0x19, 0x4a, 0x75, 0x13, 0xe4,
					0x5b, 0x56, 0xf6, 0x52, 0x4f, 0x2d, 0x51, 0xf2};
	struct object_id id, other, want = id_of("5ea40360f5b4ec688df672a4db9c17d1.dir");
	struct tree t = {0}, back = {0};
	struct err err = {0};
	struct batch *b;
	struct shop s;

	(void)state;
	shop_make(&s);
	ok(tree_add(&t, "foo", 3, foo, 3, &err));
	ok(tree_add(&t, "bar", 3, bar, 3, &err));
	ok(tree_sort(&t, &err));
	ok(batch_begin(s.o, NULL, &b, &err));
	ok(batch_tree(b, &t, &id, NULL, &err));
	assert_true(object_id_equal(&id, &want));
	ok(tree_id(&t, &other, NULL, &err));
	assert_true(object_id_equal(&other, &want));
	ok(batch_end(b, true, &err));
	ok(objects_tree(s.o, &id, &back, &err));
	assert_int_equal(back.n, 2);
	assert_string_equal(back.v[0].path, "bar");
	assert_memory_equal(back.v[1].md5, foo, 16);
	tree_release(&t);
	tree_release(&back);
	shop_remove(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(copies),
	    cmocka_unit_test(lists_of_directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
