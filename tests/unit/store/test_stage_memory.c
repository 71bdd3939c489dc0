/*
 * Stages where memory runs out: a decision is the right one or none, what was made is recorded
 * whole or not at all, and the next try succeeds.
 */
#include "unit/store/stage_test.h"

#include "store/objects/runs.h"
#include "unit/memory.h"

#define SOME 150 /* allocations of a call that fail; all with DAG_MEMORY_ALL */

static const char *expected; /* an entry */
static struct stage_decision found;
static const char *entry;

/* A look of its own, as what one has read before is not read again. */
static int
open_own(struct stage_look **own, struct err *e)
{
	struct stage_look_options o = {.ws = &ws, .root = shop.dir};

	*own = NULL;
	return stage_look_open(&o, own, e);
}

/* Files, directories, params of three kinds, what is dropped: whatever can differ. */
static void
rich(void)
{
	stage("    cmd: [make it, make two]\n    deps: [in.txt, d, gone]\n"
	      "    params: [lr, {p.json: [a.b]}, {p.toml: }]\n"
	      "    outs: [out, o.txt]\n    metrics: [m.json: {cache: false}]\n");
	(void)mkdirat(shop.fd, "d", 0755);
	(void)mkdirat(shop.fd, "d/sub", 0755);
	(void)mkdirat(shop.fd, "out", 0755);
	put("in.txt", "one\n");
	put("gone", "g\n");
	put("d/a", "a");
	put("d/sub/b", "b");
	put("params.yaml", "lr: [0.1, {x: y}]\n");
	put("p.json", "{\"a\": {\"b\": 1}}\n");
	put("p.toml", "[t]\nx = 1\n");
	put("out/x", "x");
	put("out/y", "y");
	put("o.txt", "o\n");
	put("m.json", "{}\n");
}

/* ---- to be decided ---- */

static int
run_decide(void *ctx, struct err *e)
{
	struct stage_look *own;
	int rc = open_own(&own, e);

	(void)ctx;
	if (rc == 0)
		rc = stage_decide(own, &run, locked, &how, arena, &found, e);
	if (rc == 0)
		stage_reasons_detail(own, found.v, found.n, arena);
	stage_look_close(own);
	return rc;
}

static void
decided(void *ctx, int rc)
{
	const enum stage_verdict *want = ctx;

	if (rc != 0)
		return;
	assert_int_equal(found.verdict, *want);
	assert_int_equal(found.n, *want == STAGE_RUN ? 6 : 1);
	for (size_t i = 0; i < found.n && *want == STAGE_RUN; i++)
		assert_non_null(found.v[i].path != NULL ? found.v[i].path
							: found.v[i].is.text);
}

static void
test_decide(void **state)
{
	enum stage_verdict verdict = STAGE_RUN;
	struct memory_call c = {"decide", NULL, run_decide, decided, &verdict, SOME};

	(void)state;
	rich();
	(void)done();
	stage("    cmd: [make it, make three]\n    deps: [in.txt, d, gone]\n"
	      "    params: [lr, {p.json: [a.b]}, {p.toml: }]\n"
	      "    outs: [out, o.txt]\n    metrics: [m.json: {cache: false}]\n");
	put("in.txt", "two\nlines\n");
	put("d/sub/c", "c");
	drop("gone");
	put("params.yaml", "lr: 2\n");
	put("p.toml", "[t]\nx = 2\n");
	put("out/x", "edited");
	assert_true(memory_fail_each(&c) > 50);
	/* From the run cache. */
	verdict = STAGE_FROM_RUN_CACHE;
	drop("d/sub/c");
	rich();
	locked = NULL;
	c.what = "decide by the run cache";
	assert_true(memory_fail_each(&c) > 50);
}

/* ---- to be recorded ---- */

static void
empty_cache(void *ctx)
{
	struct err err = {0};

	(void)ctx;
	objects_close(shop.o);
	ok(fsio_remove_tree(shop.fd, "cache", &err));
	shop_open(&shop, false, false);
	ws.cache = shop.o;
}

static int
run_done(void *ctx, struct err *e)
{
	struct stage_look *own;
	int rc = open_own(&own, e);

	(void)ctx;
	if (rc == 0)
		rc = stage_done(own, &run, NULL, &how, found.inputs, arena, &entry, e);
	stage_look_close(own);
	return rc;
}

/* What a lock names is in the cache. */
static void
recorded(void *ctx, int rc)
{
	struct run_names names = {0};
	struct err err = {0};

	(void)ctx;
	if (rc == 0) {
		assert_string_equal(entry, expected);
		ok(runs_list(shop.o, &names, &err));
		assert_int_equal(names.v.n, 1);
		vec_release(&names.v);
		assert_int_equal(shop_files(shop.fd, "cache/files", false), 5);
		locked = NULL;
		assert_int_equal(decide().verdict, STAGE_FROM_RUN_CACHE);
	}
	shop_holds(&shop, "out/x", "x", 1);
	shop_holds(&shop, "o.txt", "o\n", 2);
}

static void
test_done(void **state)
{
	struct memory_call c = {"done", empty_cache, run_done, recorded, NULL, SOME};

	(void)state;
	rich();
	expected = done();
	locked = NULL;
	how.no_run_cache = true;
	found = decide();
	how.no_run_cache = false;
	assert_true(memory_fail_each(&c) > 50);
	c.what = "done, looking again";
	found.inputs = NULL;
	assert_true(memory_fail_each(&c) > 50);
}

static void
appear(void *ctx)
{
	empty_cache(ctx);
	(void)fsio_remove_tree(shop.fd, "d/new", NULL);
	put("d/new", "n");
}

static void
has_appeared(void *ctx, int rc)
{
	(void)ctx;
	if (rc == 0)
		assert_non_null(strstr(entry, "size: 3\n  nfiles: 3\n"));
}

static void
test_after(void **state)
{
	struct memory_call c = {
	    "done, with more files", appear, run_done, has_appeared, NULL, SOME};

	(void)state;
	rich();
	found = decide();
	usleep(20000); /* a tick of the file system's clock */
	assert_true(memory_fail_each(&c) > 50);
}

static void
same_doubts(void *ctx, int rc)
{
	struct run_names names = {0};
	struct err err = {0};

	(void)ctx;
	if (rc != 0)
		return;
	assert_string_equal(entry, expected);
	ok(runs_list(shop.o, &names, &err));
	assert_int_equal(names.v.n, 0);
}

/* What became another one meanwhile loses its content, and nothing else does. */
static void
test_doubts(void **state)
{
	struct memory_call c = {"done, with edits", empty_cache, run_done,
				same_doubts,	    NULL,	 SOME};
	struct err err = {0};

	(void)state;
	rich();
	found = decide();
	put("in.txt", "another\n");
	put("params.yaml", "lr: 3\n");
	empty_cache(NULL);
	ok(run_done(NULL, &err));
	expected = entry;
	assert_non_null(strstr(entry, "- path: in.txt\n  hash: md5\nparams:\n"));
	assert_non_null(strstr(entry, "p.toml"));
	assert_null(strstr(entry, "params.yaml"));
	assert_true(memory_fail_each(&c) > 50);
}

/* ---- to be brought back ---- */

static void
lose_all(void *ctx)
{
	(void)ctx;
	put("o.txt", "of another branch\n");
	put("out/stray", "s");
	if (there("out/x"))
		drop("out/x");
}

static int
run_restore(void *ctx, struct err *e)
{
	struct stage_look *own;
	int rc = open_own(&own, e);

	(void)ctx;
	if (rc == 0)
		rc = stage_decide(own, &run, NULL, &how, arena, &found, e);
	if (rc == 0)
		rc = stage_restore(own, &run, NULL, &how, &found, arena, &entry, e);
	stage_look_close(own);
	if (rc == 1)
		rc = err_set(e, ERR_FAILED, "not brought back");
	return rc;
}

static void
restored(void *ctx, int rc)
{
	(void)ctx;
	if (rc != 0)
		return;
	assert_string_equal(entry, expected);
	shop_holds(&shop, "out/x", "x", 1);
	shop_holds(&shop, "o.txt", "o\n", 2);
	assert_false(there("out/stray"));
}

static void
test_restore(void **state)
{
	struct memory_call c = {"restore", lose_all, run_restore, restored, NULL, SOME};

	(void)state;
	rich();
	expected = done();
	assert_true(memory_fail_each(&c) > 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_decide, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_done, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_after, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_doubts, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_restore, setup, teardown),
	};

	return cmocka_run_group_tests_name("store/track/stage_memory", tests, NULL, NULL);
}
