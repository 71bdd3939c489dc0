#ifndef TESTS_SCAN_TEST_H
#define TESTS_SCAN_TEST_H
/*
 * What the tests of the index and the scan share: a shop with an index, whose clock of stamps
 * is ahead of the kernel's, so that a file that was just made counts as old.
 */
#include <time.h>

#include "base/clock.h"
#include "store/objects/index.h"
#include "store/objects/scan.h"
#include "store/objects/tree.h"
#include "unit/store/objects_test.h"

#define HOUR_NS ((int64_t)3600 * 1000000000)

struct desk {
	struct shop shop;
	struct index *ix;
	char db[96];
	struct scan_options o;
	struct scan scan;
	struct err err;
};

static int64_t ahead_ns;

static inline int64_t
stamp_ahead(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec + ahead_ns;
}

static inline void
desk_reopen(struct desk *d)
{
	index_close(d->ix);
	d->ix = NULL;
	assert_int_equal(index_open(d->db, &d->ix, &d->err), 0);
	d->o.index = d->ix;
}

static inline void
desk_make_in(struct desk *d, const char *where)
{
	*d = (struct desk){0};
	shop_make_in(&d->shop, where);
	(void)snprintf(d->db, sizeof(d->db), "%s/index.db", d->shop.dir);
	d->o = (struct scan_options){.root_fd = d->shop.fd, .workers = 2};
	desk_reopen(d);
	assert_null(index_trouble(d->ix));
	ahead_ns = HOUR_NS;
	clock_set_fake_stamp(stamp_ahead, NULL);
}

static inline void
desk_make(struct desk *d)
{
	desk_make_in(d, "/tmp");
}

/* In memory, where there is such a place: for who syncs often. */
static inline void
desk_make_fast(struct desk *d)
{
	desk_make_in(d, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static inline void
desk_remove(struct desk *d)
{
	scan_release(&d->scan);
	index_close(d->ix);
	shop_remove(&d->shop);
	clock_set_fake_stamp(NULL, NULL);
}

/* Scan a path; 0 or -1. */
static inline int
desk_try(struct desk *d, const char *path)
{
	scan_release(&d->scan);
	d->o.path = path;
	err_clear(&d->err);
	return scan_path(&d->o, &d->scan, &d->err);
}

static inline void
desk_scan(struct desk *d, const char *path)
{
	if (desk_try(d, path) != 0)
		fail_msg("scan of %s: error %d: %s", path, (int)d->err.code, d->err.msg);
}

/* Scan, which shall find so many files known and so many to be read. */
#define desk_counts(d, path, nknown, nhashed)                        \
	do {                                                         \
		desk_scan((d), (path));                              \
		assert_int_equal((d)->scan.stats.hashed, (nhashed)); \
		assert_int_equal((d)->scan.stats.known, (nknown));   \
	} while (0)

#define desk_refuses(d, path, expected, text)                                            \
	do {                                                                             \
		if (desk_try((d), (path)) == 0)                                          \
			fail_msg("%s was scanned", (path));                              \
		if ((d)->err.code != (expected) || strstr((d)->err.msg, (text)) == NULL) \
			fail_msg("error %d: %s", (int)(d)->err.code, (d)->err.msg);      \
	} while (0)

static inline void
desk_put(struct desk *d, const char *path, const char *text)
{
	shop_put(&d->shop, path, text, strlen(text));
}

static inline void
desk_dir(struct desk *d, const char *path)
{
	assert_int_equal(mkdirat(d->shop.fd, path, 0755), 0);
}

static inline void
desk_is(struct desk *d, const char *hex)
{
	char got[OBJECT_HEX_MAX];

	assert_string_equal(object_id_hex(&d->scan.id, got), hex);
}

#endif
