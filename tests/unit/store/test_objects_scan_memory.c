/*
 * Memory that runs out while a path is scanned: the scan says so, or has done all of it; what
 * the index was told is right.
 */
#include "unit/store/scan_test.h"

#include "store/objects/batch.h"
#include "unit/memory.h"

#define SOME 150

static struct desk d;
static struct batch *batch;
static char id[OBJECT_HEX_MAX];

static void
no_index(void *ctx)
{
	(void)ctx;
	index_close(d.ix);
	d.ix = NULL;
	(void)unlinkat(d.shop.fd, "index.db", 0);
	(void)unlinkat(d.shop.fd, "index.db-wal", 0);
	(void)unlinkat(d.shop.fd, "index.db-shm", 0);
}

static void
half_known(void *ctx)
{
	no_index(ctx);
	desk_reopen(&d);
	desk_scan(&d, "t/s");
	desk_scan(&d, "t");
	assert_int_equal(fchmodat(d.shop.fd, "t/a", 0644, 0), 0);
	assert_int_equal(fchmodat(d.shop.fd, "t/s/c", 0644, 0), 0);
	desk_reopen(&d);
}

static void
empty_store(void *ctx)
{
	half_known(ctx);
	objects_close(d.shop.o);
	assert_int_equal(fsio_remove_tree(d.shop.fd, "cache", NULL), 0);
	shop_open(&d.shop, false, false);
	assert_int_equal(batch_begin(d.shop.o, NULL, &batch, &d.err), 0);
}

static int
scan(void *ctx, struct err *err)
{
	(void)ctx;
	if (d.ix == NULL && index_open(d.db, &d.ix, err) != 0)
		return -1;
	scan_release(&d.scan);
	d.o.index = d.ix;
	d.o.path = "t";
	d.o.into = batch;
	d.o.cache = batch != NULL ? d.shop.o : NULL;
	if (scan_path(&d.o, &d.scan, err) != 0)
		return -1;
	index_flush(d.ix);
	return 0;
}

static void
scanned(void *ctx, int rc)
{
	(void)ctx;
	if (rc == 0)
		desk_is(&d, id);
	if (batch != NULL)
		assert_int_equal(batch_end(batch, rc == 0, &d.err), 0);
	if (rc == 0 && batch != NULL)
		assert_int_equal(objects_check(d.shop.o, &d.scan.id, true, NULL, &d.err),
				 0);
	batch = NULL;
	d.o.into = NULL;
	d.o.cache = NULL;
	d.o.index = d.ix;
	desk_scan(&d, "t");
	desk_is(&d, id);
}

static int
scan_list(void *ctx, struct err *err)
{
	struct tree t = {0};
	int r = scan_tree(&d.scan, &t, err);

	(void)ctx;
	if (r == 0)
		assert_int_equal(t.n, 4);
	tree_release(&t);
	return r;
}

static void
test_memory(void **state)
{
	const struct memory_call calls[] = {
	    {"the first scan", no_index, scan, scanned, NULL, SOME},
	    {"a scan of what is half known", half_known, scan, scanned, NULL, SOME},
	    {"a scan into a store", empty_store, scan, scanned, NULL, SOME},
	    {"the list", NULL, scan_list, NULL, NULL, 0},
	};

	(void)state;
	desk_make_fast(&d);
	d.o.workers = 1;
	desk_dir(&d, "t");
	desk_dir(&d, "t/s");
	desk_put(&d, "t/a", "hello\n");
	desk_put(&d, "t/b", "b");
	desk_put(&d, "t/s/c", "c");
	assert_int_equal(symlinkat("a", d.shop.fd, "t/l"), 0);
	desk_scan(&d, "t");
	(void)object_id_hex(&d.scan.id, id);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		(void)memory_fail_each(&calls[i]);
	/* Not all workers are there: what they have not opened is not closed. */
	d.o.workers = 4;
	batch = NULL;
	no_index(NULL);
	for (unsigned long n = 1; n < 10; n++)
		(void)memory_try(&calls[0], n);
	desk_remove(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("objects_scan_memory", tests, NULL, NULL);
}
