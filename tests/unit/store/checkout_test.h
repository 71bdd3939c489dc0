#ifndef TESTS_CHECKOUT_TEST_H
#define TESTS_CHECKOUT_TEST_H
/* What the tests of checkouts share: a work tree with a cache and an index. */
#include "base/clock.h"
#include "store/objects/index.h"
#include "store/track/checkout.h"
#include "store/track/save.h"
#include "store/track/workspace.h"
#include "unit/store/objects_test.h"

static struct shop shop;
static struct workspace ws;
static struct index *ix;
static struct checkout_report report;
static const enum link_type copy[] = {LINK_COPY};
static const struct checkout_options gently = {0}, by_force = {.force = true};

static inline int
setup(void **state)
{
	struct err err = {0};
	char path[96];

	(void)state;
	shop_make(&shop);
	assert_int_equal(mkdirat(shop.fd, "state", 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/state/index.db", shop.dir);
	ok(index_open(path, &ix, &err));
	ws = (struct workspace){.root_fd = shop.fd,
				.cache = shop.o,
				.index = ix,
				.links = copy,
				.nlinks = 1,
				.workers = 2};
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	checkout_report_release(&report);
	index_close(ix);
	shop_remove(&shop);
	clock_set_fake_stamp(NULL, NULL);
	return 0;
}

static inline void
put(const char *path, const char *text)
{
	shop_put(&shop, path, text, strlen(text));
}

static inline void
holds(const char *path, const char *text)
{
	shop_holds(&shop, path, text, strlen(text));
}

static inline bool
there(const char *path)
{
	return faccessat(shop.fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline void
drop(const char *path)
{
	struct err err = {0};

	ok(fsio_remove_tree(shop.fd, path, &err));
}

static inline void
makedir(const char *path)
{
	assert_int_equal(mkdirat(shop.fd, path, 0755), 0);
}

/* Take what is there into the cache. */
static inline struct object_id
save(const char *path)
{
	struct saved saved;
	struct save *s;
	struct err err = {0};
	struct object_id id;

	ok(save_begin(&ws, &s, &err));
	ok(save_path(s, path, true, &saved, &err));
	ok(save_end(s, true, &err));
	id = saved.id;
	saved_release(&saved);
	return id;
}

static inline int
checkout(struct checkout_out *outs, size_t n, struct checkout_options o)
{
	struct err err = {0};
	int r;

	checkout_report_release(&report);
	r = checkout_outs(&ws, &o, outs, n, &report, &err);
	assert_int_equal(err.code, ERR_NONE);
	return r;
}

/* One out; the state that it ends with. */
static inline enum checkout_state
get(const char *path, struct object_id id, struct checkout_options o)
{
	struct checkout_out out = {.path = path, .id = id};

	(void)checkout(&out, 1, o);
	return out.state;
}

#endif
