/*
 * Transfers that are cut short: at each call of the remote, at each call of the file system, by
 * KILL at each step, by the user.  Whatever happens, what is visible is right, no list lies
 * without its files on a remote, and the next call does the rest.
 */
#include "base/fault.h"
#include "unit/base/fault.h"
#include "unit/store/transfer_test.h"

/* ---- a remote whose n-th call fails ---- */

struct flaky {
	struct remote r; /* first: what the table's functions are handed */
	struct remote *real;
	struct meter *m;
	_Atomic int calls;
	int from, times; /* the calls that fail, from 1 */
	bool late;	 /* they fail when they have done their work */
	bool cancels;	 /* they do not fail: the user stops the call */
};

static bool
fails_now(struct remote *r)
{
	struct flaky *f = (struct flaky *)r;
	int n = ++f->calls;
	bool hit = n >= f->from && n < f->from + f->times;

	if (hit && f->cancels)
		f->m->cancel = true;
	return hit && !f->cancels;
}

#define FLAKY(r) (((struct flaky *)(r))->real)

/* Call the real one, before or after the failure. */
#define flaky_call(r, call)                                                \
	do {                                                               \
		bool hit = fails_now(r);                                   \
		int rc = hit && !((struct flaky *)(r))->late ? 0 : (call); \
		if (!hit || rc != 0)                                       \
			return rc;                                         \
		return err_set(err, ERR_SYS, "the line is broken");        \
	} while (0)

static int
flaky_begin(struct remote *r, enum remote_use use, struct meter *m, struct err *err)
{
	flaky_call(r, FLAKY(r)->ops->begin(FLAKY(r), use, m, err));
}

static int
flaky_exists(struct remote *r, const struct object_id *v, size_t n, uint8_t *there,
	     struct meter *m, struct err *err)
{
	flaky_call(r, FLAKY(r)->ops->exists(FLAKY(r), v, n, there, m, err));
}

static int
flaky_get(struct remote *r, const struct object_id *id,
	  int (*sink)(void *, const void *, size_t), void *arg, struct err *err)
{
	flaky_call(r, FLAKY(r)->ops->get(FLAKY(r), id, sink, arg, err));
}

static int
flaky_put(struct remote *r, const struct object_id *id, int fd, uint64_t size,
	  bool replace, struct err *err)
{
	flaky_call(r, FLAKY(r)->ops->put(FLAKY(r), id, fd, size, replace, err));
}

static int
flaky_flush(struct remote *r, struct err *err)
{
	flaky_call(r, FLAKY(r)->ops->flush(FLAKY(r), err));
}

static void
flaky_end(struct remote *r)
{
	FLAKY(r)->ops->end(FLAKY(r));
}

static void
flaky_where(struct remote *r, const struct object_id *id, struct buf *out)
{
	FLAKY(r)->ops->where(FLAKY(r), id, out);
}

static const struct remote_ops flaky_ops = {
    .begin = flaky_begin,
    .exists = flaky_exists,
    .get = flaky_get,
    .put = flaky_put,
    .flush = flaky_flush,
    .end = flaky_end,
    .where = flaky_where,
};

#define FILES 12

/* Two directories that share files, and a file. */
static void
make_wants(struct yard *y, struct transfer_want v[3])
{
	v[0] = want(yard_list(y, "a", 0, FILES), "a");
	v[1] = want(yard_list(y, "a", FILES / 2, FILES), "b");
	v[2] = want(yard_file(y, "single"), "c");
}

static void
use_flaky(struct yard *y, struct flaky *f, int from)
{
	f->r = *y->r;
	f->r.ops = &flaky_ops;
	f->real = y->r;
	f->m = &y->m;
	f->calls = 0;
	f->from = from;
	y->opt.remote = &f->r;
}

static void
all_whole(const char *dir, const struct transfer_want v[3])
{
	for (int i = 0; i < 3; i++)
		assert_true(whole(dir, &v[i].id));
	assert_int_equal(temporaries(dir), 0);
}

/* Let call after call fail; return at how many a transfer was not whole. */
static int
break_each(struct flaky *f, bool pushing, bool verify, unsigned jobs)
{
	struct transfer_want v[3];
	struct err err = {0};
	int broken = 0, rc;
	struct yard y;

	yard_make(&y);
	make_wants(&y, v);
	y.opt.jobs = jobs;
	for (int n = 1; n < 1000; n++) {
		if (pushing) {
			yard_lose(&y, y.remote_dir);
		} else {
			ok(push(&y, v, 3, &err));
			yard_lose(&y, y.cache_dir);
		}
		y.opt.verify = verify;
		use_flaky(&y, f, n);
		err_clear(&err);
		rc = (pushing ? push : fetch)(&y, v, 3, &err);
		y.m.cancel = false;
		if (rc != 0 && err.code != (f->cancels ? ERR_CANCELLED : ERR_SYS))
			fail_msg("call %d: %s", n, err.msg);
		sound(pushing ? y.remote_dir : y.cache_dir, pushing);
		broken += rc != 0 || transfer_failures(&y.rep) != 0;
		if (rc == 0 && transfer_failures(&y.rep) == 0)
			all_whole(pushing ? y.remote_dir : y.cache_dir, v);
		y.opt.verify = false;
		y.opt.remote = y.r;
		ok((pushing ? push : fetch)(&y, v, 3, &err));
		assert_int_equal(transfer_failures(&y.rep), 0);
		all_whole(pushing ? y.remote_dir : y.cache_dir, v);
		if (f->calls < n)
			break;
	}
	yard_remove(&y);
	return broken;
}

static void
each_call_of_the_remote_fails(void **state)
{
	(void)state;
	for (int late = 0; late <= 1; late++)
		for (int forever = 0; forever <= 1; forever++) {
			struct flaky f = {.late = late != 0,
					  .times = forever ? 10000 : 1};

			/* begin, exists, 19 files, a flush, 2 lists, a flush */
			assert_int_equal(break_each(&f, true, false, 1), 25);
			/* begin, 2 lists, 19 files */
			assert_int_equal(break_each(&f, false, false, 1), 22);
			assert_true(break_each(&f, true, true, 4) > 20);
		}
}

static void
the_user_stops_at_each_call(void **state)
{
	struct flaky f = {.cancels = true, .times = 1};

	(void)state;
	/* Behind the last of something there is nothing left to be stopped. */
	assert_true(break_each(&f, true, false, 1) >= 20);
	assert_true(break_each(&f, false, false, 1) >= 19);
	assert_true(break_each(&f, true, true, 4) >= 10);
}

/* What was moved until then is not moved again. */
static void
what_came_before_the_stop_stays(void **state)
{
	struct flaky f = {.cancels = true, .times = 1};
	struct transfer_want v[3];
	struct err err = {0};
	struct yard y;

	(void)state;
	yard_make(&y);
	make_wants(&y, v);
	y.opt.jobs = 1;
	use_flaky(&y, &f, 13); /* begin, exists, 10 files and one that is stopped */
	fails(push(&y, v, 3, &err), ERR_CANCELLED);
	y.m.cancel = false;
	assert_in_range(y.rep.objects, 10, 11);
	assert_int_equal(objects_in(y.remote_dir), y.rep.objects);
	y.opt.remote = y.r;
	ok(push(&y, v, 3, &err));
	yard_lose(&y, y.cache_dir);
	use_flaky(&y, &f, 13); /* begin, 2 lists, 9 files and one */
	fails(fetch(&y, v, 3, &err), ERR_CANCELLED);
	y.m.cancel = false;
	assert_in_range(y.rep.objects, 2 + 9, 2 + 10);
	assert_int_equal(objects_in(y.cache_dir), y.rep.objects);
	yard_remove(&y);
}

/* A remote that fails with everything is not asked for everything. */
static void
a_lost_remote_ends_the_call(void **state)
{
	struct flaky f = {.times = 1000000};
	struct transfer_want v;
	struct err err = {0};
	struct yard y;

	(void)state;
	yard_make(&y);
	v = want(yard_list(&y, "a", 0, 200), "a");
	y.opt.jobs = 4;
	use_flaky(&y, &f, 3);
	fails(push(&y, &v, 1, &err), ERR_SYS);
	says("'r' failed 16 times in a row");
	says("the line is broken");
	assert_true(f.calls < 60);
	assert_true(y.rep.fates[TRANSFER_TROUBLE] >= 15);
	/* Failures that are not in a row do not end it. */
	f.times = 15;
	y.opt.jobs = 1;
	use_flaky(&y, &f, 20);
	ok(push(&y, &v, 1, &err));
	assert_int_equal(y.rep.fates[TRANSFER_TROUBLE], 15);
	assert_int_equal(y.rep.fates[TRANSFER_HELD], 1);
	assert_int_equal(y.rep.objects, 185);
	yard_remove(&y);
}

/* ---- the file system fails ---- */

/* Let each call of a kind fail in a push and a fetch. */
static void
each_call_fails(enum fsio_op op, int answer, enum err_code code)
{
	struct transfer_want v[3];
	struct err err = {0};
	struct yard y;
	int seen = 1;

	yard_make(&y);
	make_wants(&y, v);
	y.opt.jobs = 1;
	for (int pushing = 1; pushing >= 0; pushing--)
		for (int n = 1; n <= seen; n++) {
			struct fault fault = {op, n, 1000000, answer, 0};
			const char *dir = pushing ? y.remote_dir : y.cache_dir;
			int rc;

			yard_lose(&y, dir);
			fault_start(&fault);
			rc = (pushing ? push : fetch)(&y, v, 3, &err);
			fault_end();
			seen = fault.seen;
			/* The last flush of a fetch of nothing has nothing to sync. */
			if (fault.seen >= n && rc == 0 && transfer_failures(&y.rep) == 0)
				fail_msg("call %d of %d failed and nobody says so", n,
					 (int)op);
			if (rc != 0 && err.code != code)
				fail_msg("call %d of %d: %s", n, (int)op, err.msg);
			if (rc != 0 && code == ERR_FULL)
				says(dir);
			assert_int_equal(temporaries(dir), 0);
			sound(dir, pushing);
			yard_open(&y);
			ok((pushing ? push : fetch)(&y, v, 3, &err));
			assert_int_equal(transfer_failures(&y.rep), 0);
			all_whole(dir, v);
		}
	yard_remove(&y);
}

static void
full_disks(void **state)
{
	(void)state;
	each_call_fails(FSIO_WRITE, ENOSPC, ERR_FULL);
	each_call_fails(FSIO_MKDIR, ENOSPC, ERR_FULL);
	each_call_fails(FSIO_WRITE, EDQUOT, ERR_FULL);
}

static void
broken_disks(void **state)
{
	(void)state;
	each_call_fails(FSIO_WRITE, EIO, ERR_SYS);
	each_call_fails(FSIO_SYNC, EIO, ERR_SYS);
	each_call_fails(FSIO_RENAME, EIO, ERR_SYS);
	each_call_fails(FSIO_READ, EIO, ERR_SYS);
	each_call_fails(FSIO_OPEN, EIO, ERR_SYS);
}

/* ---- KILL ---- */

/* Run a transfer in a child that dies where ${point} says; return whether it did. */
static bool
dies(struct yard *y, const char *point, bool pushing, const struct transfer_want *v,
     size_t n)
{
	pid_t pid = fork();
	int st;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (setenv(FAULT_ENV, point, 1) != 0)
			_exit(9);
		yard_open(y);
		_exit((pushing ? push : fetch)(y, v, n, NULL) == 0 ? 0 : 1);
	}
	st = child_status(pid);
	if (st != 0 && st != 128 + SIGKILL)
		fail_msg("%s: status %d", point, st);
	return st != 0;
}

#define CUT_FILES 2001

static void
check_cut(struct yard *y, const struct transfer_want *v)
{
	struct err err = {0};

	yard_open(y);
	sound(y->remote_dir, true);
	ok(push(y, v, 1, &err));
	assert_int_equal(transfer_failures(&y->rep), 0);
	assert_true(whole(y->remote_dir, &v->id));
}

/* The push of 2,001 files, cut at 15 points. */
static void
a_push_that_is_killed(void **state)
{
	static const char *const points[] = {
	    "object-temp:1",	   "object-temp:777",	  "object-temp:2001",
	    "object-written:1",	   "object-written:2001", "objects-synced:1",
	    "object-named:1",	   "object-named:2",	  "object-named:1000",
	    "object-named:2001",   "objects-durable:1",	  "object-temp:2002",
	    "object-written:2002", "objects-synced:2",	  "object-named:2002"};
	struct transfer_want v;
	struct yard y;

	(void)state;
	yard_make(&y);
	v = want(yard_list(&y, "a", 0, CUT_FILES), "a");
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++) {
		yard_lose(&y, y.remote_dir);
		if (!dies(&y, points[i], true, &v, 1))
			fail_msg("nobody died at %s", points[i]);
		check_cut(&y, &v);
	}
	yard_remove(&y);
}

/* What other tools leave: the list, and some of the files. */
static void
a_remote_that_was_left_broken(void **state)
{
	struct object_id id;
	struct transfer_want v;
	struct tree t = {0};
	struct err err = {0};
	struct yard y;

	(void)state;
	yard_make(&y);
	v = want(yard_list(&y, "a", 0, CUT_FILES), "a");
	ok(push(&y, &v, 1, &err));
	ok(objects_tree(y.cache, &v.id, &t, &err));
	for (size_t i = 0; i < t.n; i++) {
		tree_entry_id(&t, &t.v[i], &id);
		if (i % 19 != 0)
			lose(y.remote_dir, &id);
	}
	tree_release(&t);
	assert_false(whole(y.remote_dir, &v.id));
	/* Killed on the way it is still broken, but whole afterwards. */
	assert_true(dies(&y, "object-named:500", true, &v, 1));
	yard_open(&y);
	ok(push(&y, &v, 1, &err));
	assert_true(whole(y.remote_dir, &v.id));
	yard_remove(&y);
}

static void
a_fetch_that_is_killed(void **state)
{
	static const char *const points[] = {
	    "object-temp:1",	"object-written:1",  "objects-synced:1",
	    "object-named:1",	"objects-durable:1", "object-temp:2",
	    "object-written:9", "objects-synced:2",  "object-named:5",
	    "object-named:100", "object-named:101"};
	struct transfer_want v;
	struct err err = {0};
	struct yard y;

	(void)state;
	yard_make(&y);
	v = want(yard_list(&y, "a", 0, 100), "a");
	ok(push(&y, &v, 1, &err));
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++) {
		yard_lose(&y, y.cache_dir);
		if (!dies(&y, points[i], false, &v, 1))
			fail_msg("nobody died at %s", points[i]);
		sound(y.cache_dir, false);
		yard_open(&y);
		ok(fetch(&y, &v, 1, &err));
		assert_int_equal(transfer_failures(&y.rep), 0);
		assert_true(whole(y.cache_dir, &v.id));
	}
	yard_remove(&y);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_call_of_the_remote_fails),
	    cmocka_unit_test(the_user_stops_at_each_call),
	    cmocka_unit_test(what_came_before_the_stop_stays),
	    cmocka_unit_test(a_lost_remote_ends_the_call),
	    cmocka_unit_test(full_disks),
	    cmocka_unit_test(broken_disks),
	    cmocka_unit_test(a_push_that_is_killed),
	    cmocka_unit_test(a_remote_that_was_left_broken),
	    cmocka_unit_test(a_fetch_that_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
