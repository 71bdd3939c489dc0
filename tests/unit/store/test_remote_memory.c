/* Memory that runs out in the middle of a transfer. */
#include "unit/store/transfer_test.h"

#include "unit/memory.h"

struct scene {
	struct yard y;
	struct transfer_want v[3];
	const char *side; /* where things are to arrive */
	int (*transfer)(const struct transfer_options *, const struct transfer_want *,
			size_t, struct transfer_report *, struct err *);
};

static void
before(void *ctx)
{
	struct scene *s = ctx;

	transfer_report_release(&s->y.rep);
	yard_lose(&s->y, s->side);
}

static int
run(void *ctx, struct err *err)
{
	struct scene *s = ctx;

	return s->transfer(&s->y.opt, s->v, 3, &s->y.rep, err);
}

static void
after(void *ctx, int rc)
{
	struct scene *s = ctx;

	sound(s->side, s->side == s->y.remote_dir);
	assert_int_equal(temporaries(s->side), 0);
	if (rc != 0)
		return;
	assert_int_equal(transfer_failures(&s->y.rep), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(whole(s->side, &s->v[i].id), s->v[i].under == NULL);
}

static int
count(void *arg, const struct transfer_want *w, const char *path,
      const struct object_id *id, enum transfer_state state)
{
	(void)w;
	(void)path;
	(void)id;
	*(int *)arg += state == TRANSFER_OK;
	return 0;
}

static int told;

static int
run_status(void *ctx, struct err *err)
{
	struct scene *s = ctx;

	told = 0;
	transfer_report_release(&s->y.rep);
	return transfer_status(&s->y.opt, s->v, 3, count, &told, &s->y.rep, err);
}

static void
after_status(void *ctx, int rc)
{
	(void)ctx;
	if (rc == 0)
		assert_int_equal(told, 8 + 8 + 3); /* some are told twice */
}

static void
runs_out(void **state)
{
	struct scene s;
	struct memory_call c = {.before = before, .run = run, .after = after, .ctx = &s};
	struct err err = {0};

	(void)state;
	yard_make(&s.y);
	s.v[0] = want(yard_list(&s.y, "a", 0, 8), "a");
	s.v[1] = want(yard_list(&s.y, "a", 4, 8), "b");
	s.v[2] = want(yard_file(&s.y, "single"), "c");
	s.v[1].under = "sub1";
	s.y.opt.jobs = 2;
	c.what = "push";
	s.side = s.y.remote_dir;
	s.transfer = transfer_push;
	(void)memory_fail_each(&c);
	c.what = "fetch";
	s.v[1].under = NULL;
	before(&s);
	ok(transfer_push(&s.y.opt, s.v, 3, &s.y.rep, &err));
	s.side = s.y.cache_dir;
	s.transfer = transfer_fetch;
	(void)memory_fail_each(&c);
	c = (struct memory_call){
	    .what = "status", .run = run_status, .after = after_status, .ctx = &s};
	(void)memory_fail_each(&c);
	yard_remove(&s.y);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
