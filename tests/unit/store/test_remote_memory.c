/* Memory that runs out in the middle of a transfer. */
#include "unit/store/transfer_test.h"

#include "store/objects/runs.h"
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

/* ---- the run cache ---- */

/* A run with the names that DVC gives it. */
static const char text[] =
    "cmd: c\ndeps:\n- path: d\n  md5: b7be0a921c3d398700f1cf88c883ba91\nouts:\n"
    "- path: o\n  md5: b7be0a921c3d398700f1cf88c883ba91\n";
static const struct run_name name = {
    "7617b94b5324c14f17f9ef5e6f4142ba396b091d1dbad28af61e4b1343d9535d",
    "bb5b78dbc1ae150c23110da1182e9831e9a7fcc8afbb94d170f35ee5fcb6cf50"};

static void
before_runs(void *ctx)
{
	struct scene *s = ctx;

	transfer_report_release(&s->y.rep);
	if (access(s->y.remote_dir, F_OK) == 0)
		yard_lose(&s->y, s->y.remote_dir);
}

static int
run_runs(void *ctx, struct err *err)
{
	struct scene *s = ctx;

	if (transfer_runs(&s->y.opt, true, &s->y.rep, err) != 0)
		return -1;
	/* What concerns one file alone is noted; memory ends it all. */
	assert_int_equal(transfer_failures(&s->y.rep), 0);
	assert_int_equal(s->y.rep.objects, 1);
	return 0;
}

static void
after_runs(void *ctx, int rc)
{
	struct scene *s = ctx;
	struct err err = {0};
	struct buf b;

	if (rc != 0)
		return;
	buf_init(&b, RUN_FILE_MAX);
	ok(s->y.r->ops->run_read(s->y.r, &name, &b, &err));
	assert_string_equal(b.p, text);
	buf_release(&b);
}

static int
full(void *arg, enum fsio_op op, const char *path)
{
	(void)arg;
	(void)path;
	return op == FSIO_WRITE ? ENOSPC : 0;
}

static void
runs_of_stages(void **state)
{
	struct scene s;
	struct memory_call c = {.what = "runs",
				.before = before_runs,
				.run = run_runs,
				.after = after_runs,
				.ctx = &s};
	struct err err = {0};

	(void)state;
	yard_make(&s.y);
	ok(runs_write(s.y.cache, &name, text, sizeof(text) - 1, &err));
	(void)memory_fail_each(&c);
	/* A full disk ends it; what cannot be written is not there. */
	transfer_report_release(&s.y.rep);
	yard_lose(&s.y, s.y.remote_dir);
	fsio_set_fault(full, NULL);
	fails(transfer_runs(&s.y.opt, true, &s.y.rep, &err), ERR_FULL);
	fsio_set_fault(NULL, NULL);
	assert_int_equal(s.y.rep.objects, 0);
	transfer_report_release(&s.y.rep);
	ok(transfer_runs(&s.y.opt, true, &s.y.rep, &err));
	assert_int_equal(s.y.rep.objects, 1);
	/* A remote that keeps none says so. */
	transfer_report_release(&s.y.rep);
	{
		struct remote_ops none = *s.y.r->ops;
		const struct remote_ops *all = s.y.r->ops;

		none.runs = NULL;
		s.y.r->ops = &none;
		fails(transfer_runs(&s.y.opt, true, &s.y.rep, &err), ERR_INVALID);
		says("cannot keep a run cache");
		s.y.r->ops = all;
	}
	yard_remove(&s.y);
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
	    cmocka_unit_test(runs_of_stages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
