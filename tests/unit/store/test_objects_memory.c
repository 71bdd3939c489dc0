/* Memory that runs out anywhere in the store of objects. */
#include "unit/store/objects_test.h"

#include "store/objects/batch.h"
#include "store/objects/link.h"
#include "store/objects/object_set.h"
#include "store/objects/tree.h"
#include "store/unicode.h"
#include "unit/memory.h"

#define BIG (((size_t)1 << 20) + 9)

static struct shop s;
static char cache[80];
static struct object_id foo, list;
static uint8_t *big;

static void
before(void *ctx)
{
	(void)ctx;
	(void)fsio_remove_tree(AT_FDCWD, cache, NULL);
}

static int
fill(struct objects *o, struct err *err)
{
	struct tree t = {0};
	struct object_id id;
	struct batch *b;
	int r;

	if (batch_begin(o, NULL, &b, err) != 0)
		return -1;
	r = batch_bytes(b, "foo", 3, false, &foo, err);
	if (r == 0)
		r = batch_bytes(b, big, BIG, false, &id, err);
	if (r == 0)
		r = tree_add(&t, "a/foo", 5, foo.md5, 3, err);
	if (r == 0)
		r = tree_add(&t, "a/\xc3\xa9", 4, foo.md5, 3, err);
	if (r == 0)
		r = tree_sort(&t, err);
	if (r == 0)
		r = batch_tree(b, &t, &list, NULL, err);
	tree_release(&t);
	if (r == 0)
		r = batch_replace(b, &foo, err);
	return batch_end(b, r == 0, err) == 0 ? r : -1;
}

static int
run_batch(void *ctx, struct err *err)
{
	struct objects_options opt = {.dir = cache};
	struct objects *o;
	int r;

	(void)ctx;
	if (objects_open(&opt, &o, err) != 0)
		return -1;
	r = fill(o, err);
	objects_close(o);
	return r;
}

static void
after_batch(void *ctx, int rc)
{
	(void)ctx;
	assert_int_equal(shop_files(s.fd, "cache", true), 0);
	if (rc == 0)
		assert_int_equal(shop_files(s.fd, "cache", false), 3);
}

static void
batches(void **state)
{
	const struct memory_call call = {
	    .what = "batch", .before = before, .run = run_batch, .after = after_batch};

	(void)state;
	assert_in_range(memory_fail_each(&call), 10, 1000);
}

static int
run_reads(void *ctx, struct err *err)
{
	struct objects_options opt = {.dir = cache};
	struct object_id ids[100];
	uint8_t missing[100];
	struct object_set *set = object_set_new();
	struct tree t = {0};
	struct objects *o = NULL;
	struct buf b;
	int r;

	(void)ctx;
	buf_init(&b, 0);
	r = set == NULL ? err_nomem(err) : objects_open(&opt, &o, err);
	for (size_t i = 0; i < 100; i++)
		ids[i] = foo;
	if (r == 0)
		r = objects_read(o, &foo, 10, &b, err);
	if (r == 0)
		r = objects_tree(o, &list, &t, err);
	if (r == 0)
		r = tree_collision(&t, UNICODE_CASE | UNICODE_FORM, err);
	if (r == 0)
		r = objects_list(o, false, set, NULL, err);
	if (r == 0)
		r = objects_missing(o, ids, 100, missing, NULL, err);
	if (r == 0)
		r = objects_check(o, &foo, true, NULL, err);
	if (r == 0) {
		assert_int_equal(object_set_count(set), 3);
		assert_int_equal(missing[99], 0);
		assert_int_equal(t.n, 2);
		assert_string_equal(b.p, "foo");
	} else {
		r = -1;
	}
	tree_release(&t);
	object_set_free(set);
	objects_close(o);
	buf_release(&b);
	return r;
}

static void
reads(void **state)
{
	const struct memory_call call = {.what = "reads", .run = run_reads};

	(void)state;
	assert_in_range(memory_fail_each(&call), 10, 1000);
}

static int
run_links(void *ctx, struct err *err)
{
	struct objects_options opt = {.dir = cache};
	struct link_what what = {.id = &foo};
	enum link_type type;
	struct objects *o;
	int r;

	(void)ctx;
	if (objects_open(&opt, &o, err) != 0)
		return -1;
	r = link_probe(o, s.fd, NULL, 0, &type, err);
	for (unsigned i = 0; r == 0 && i < LINK_TYPES; i++) {
		what.type = (enum link_type)i;
		r = link_checkout(o, &what, s.fd, "d/foo", NULL, err);
	}
	objects_close(o);
	return r;
}

static void
links(void **state)
{
	const struct memory_call call = {.what = "links", .run = run_links};

	(void)state;
	assert_in_range(memory_fail_each(&call), 10, 1000);
	assert_int_equal(shop_files(s.fd, "d", true), 0);
}

static int
setup(void **state)
{
	struct err err = {0};

	(void)state;
	shop_make_in(&s, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	(void)snprintf(cache, sizeof(cache), "%s/cache", s.dir);
	big = calloc(1, BIG);
	assert_non_null(big);
	return fill(s.o, &err);
}

static int
teardown(void **state)
{
	(void)state;
	free(big);
	shop_remove(&s);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(batches),
	    cmocka_unit_test(reads),
	    cmocka_unit_test(links),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
