/*
 * Whether a stage is run, and why; its outputs brought back; what it made recorded.
 */
#include "store/objects/runs.h"
#include "unit/store/stage_test.h"

static void
test_life(void **state)
{
	const char *first;

	(void)state;
	simple();
	is("run\nno run of it is recorded");
	first = done();
	assert_string_equal(
	    first,
	    "cmd: make it\ndeps:\n- path: in.txt\n  hash: md5\n"
	    "  md5: 5bbf5a52328e7439ae6e719dfe712200\n  size: 4\n"
	    "params:\n  params.yaml:\n    lr: 0.1\n    net.size:\n    - 1\n    - 2\n"
	    "outs:\n- path: m.json\n  hash: md5\n"
	    "  md5: 8a80554c91d9fca8acb82f023de02f11\n  size: 3\n"
	    "- path: out.txt\n  hash: md5\n  md5: 8334d449a4ae4c76bc21f5ee4dc9ee8d\n"
	    "  size: 12\n");
	is("unchanged");
	/* What it does not depend on. */
	put("params.yaml", "net: {size: [1, 2.0]}\nlr: 1e-1\nother: y\n");
	is("unchanged");
	/* All that it does. */
	put("in.txt", "two\nlines\n");
	put("params.yaml", "lr: 0.2\n");
	is("run\n'in.txt' changed: 4 bytes -> 10, was 5bbf5a52..., is 4fab5645...\n"
	   "'lr' in 'params.yaml' changed: 0.1 -> 0.2\n"
	   "'net.size' in 'params.yaml' is gone");
	assert_string_equal(decide().lacks, "'net.size' is missing from 'params.yaml'");
	put("params.yaml", "lr: 0.2\nnet: {size: 3}\n");
	put("out.txt", "made of two\n");
	(void)done();
	is("unchanged");
	/* Back to the first: the run cache has it, with the one that git is to keep. */
	put("in.txt", "one\n");
	put("params.yaml", "lr: 0.1\nnet: {size: [1, 2]}\n");
	drop("m.json");
	how.no_run_cache = true;
	assert_int_equal(decide().verdict, STAGE_RUN);
	how.no_run_cache = false;
	assert_int_equal(decide().verdict, STAGE_FROM_RUN_CACHE);
	assert_string_equal(restore(0), first);
	shop_holds(&shop, "out.txt", "made of one\n", 12);
	shop_holds(&shop, "m.json", "{}\n", 3);
	is("unchanged");
	how.force = true;
	is("run\nit is forced");
}

static void
test_outputs(void **state)
{
	struct err err = {0};

	(void)state;
	simple();
	(void)done();
	drop("out.txt");
	is("restore\noutput 'out.txt' is missing");
	how.allow_missing = true;
	is("unchanged");
	how.allow_missing = false;
	put("m.json", "{1}\n");
	is("restore\noutput 'out.txt' is missing\n"
	   "output 'm.json' is not what was made");
	assert_null(restore(0));
	shop_holds(&shop, "out.txt", "made of one\n", 12);
	shop_holds(&shop, "m.json", "{}\n", 3);
	/* Right, but not in the cache: it is put there again. */
	lose(OUT);
	is("restore\noutput 'out.txt' is not in the cache");
	assert_null(restore(0));
	is("unchanged");
	/* Neither here nor there. */
	lose(OUT);
	drop("out.txt");
	is("run\noutput 'out.txt' is missing");
	/* An object that is damaged is no result. */
	put("out.txt", "made of one\n");
	assert_null(restore(0));
	drop("out.txt");
	lose(OUT);
	put(OUT, "made of two\n");
	is("restore\noutput 'out.txt' is missing");
	(void)restore(1);
	assert_false(there("out.txt"));
	/* One that is new has no result. */
	(void)err;
	put("out.txt", "made of one\n");
	put("new", "x");
	stage("    cmd: make it\n    deps: [in.txt]\n    params: [lr, net.size]\n"
	      "    outs: [out.txt, new]\n");
	is("run\noutput 'new' is new: nothing is recorded of it");
}

/* What a power loss has left of a run is none, and is written again. */
static void
test_torn_run(void **state)
{
	struct run_names names = {0};
	struct err err = {0};
	char path[RUN_PATH_MAX + 8];
	const char *entry;
	struct buf b;

	(void)state;
	simple();
	entry = done();
	ok(runs_list(shop.o, &names, &err));
	assert_int_equal(names.v.n, 1);
	memcpy(path, "cache/", 6);
	runs_path(&names.v.v[0], path + 6);
	put(path, "");
	locked = NULL;
	is("run\nno run of it is recorded");
	(void)done();
	buf_init(&b, RUN_FILE_MAX);
	ok(runs_read(shop.o, &names.v.v[0], &b, &err));
	assert_string_equal(b.p, entry);
	buf_release(&b);
	vec_release(&names.v);
}

static void
test_commands(void **state)
{
	(void)state;
	put("in", "x");
	put("out", "y");
	stage("    cmd: [a, b]\n    deps: [in]\n    outs: [out]\n");
	(void)done();
	is("unchanged");
	stage("    cmd: [a, c]\n    deps: [in]\n    outs: [out]\n");
	is("run\nthe command changed: was `b`, is `c`");
	stage("    cmd: [a]\n    deps: [in]\n    outs: [out]\n");
	is("run\nthe command changed: was `a...`, is `a`");
	stage("    cmd: a\n    deps: [in]\n    outs: [out]\n");
	is("run\nthe command changed: was `a...`, is `a`");
	stage("    cmd: [a, b]\n    deps: [in]\n    outs: [out]\n"
	      "    always_changed: true\n");
	is("run\nit runs always");
	stage("    cmd: a\n");
	lock_is("cmd: a\n");
	is("run\nit runs always");
	run.native = true;
	is("unchanged");
}

static void
test_frozen(void **state)
{
	const char *entry;
	struct stage_decision d;
	struct err err = {0};

	(void)state;
	put("in", "x");
	put("out", "y");
	stage("    cmd: a\n    deps: [in]\n    outs: [out]\n    frozen: true\n");
	is("frozen\nno run of it is recorded");
	assert_non_null(restore(0));
	is("unchanged");
	put("in", "other");
	is("unchanged");
	put("out", "z");
	is("frozen\noutput 'out' is not what was made");
	assert_non_null(strstr(restore(0), "fbade9e36a3f36d3d676c1b808451dd7"));
	is("unchanged");
	drop("out");
	d = decide();
	assert_int_equal(d.verdict, STAGE_FROZEN);
	fails(stage_restore(look, &run, locked, &how, &d, arena, &entry, &err),
	      ERR_NOTFOUND);
	says("'s' is frozen, so it does not run, and its output 'out' does not exist");
}

static void
test_persist(void **state)
{
	(void)state;
	put("in", "x");
	put("out", "y");
	stage("    cmd: a\n    deps: [in]\n    outs: [out: {persist: true}]\n");
	(void)done();
	assert_false(there("cache/runs"));
	drop("out");
	is("run\noutput 'out' is missing\n"
	   "output 'out' stays between runs (persist): none is brought back");
}

static void
test_missing(void **state)
{
	const char *entry;
	struct stage_decision d;
	struct err err = {0};

	(void)state;
	simple();
	(void)done();
	drop("in.txt");
	is("run\n'in.txt' is missing");
	assert_string_equal(decide().lacks, "'in.txt' does not exist");
	how.allow_missing = true;
	is("unchanged");
	how.allow_missing = false;
	put("in.txt", "three");
	drop("params.yaml");
	d = decide();
	assert_string_equal(d.lacks, "'params.yaml' does not exist");
	assert_null(d.inputs);
	fails(stage_done(look, &run, locked, &how, NULL, arena, &entry, &err),
	      ERR_NOTFOUND);
	put("params.yaml", "lr: 1\nnet: {size: 1}\n");
	drop("m.json");
	d = decide();
	fails(stage_done(look, &run, locked, &how, d.inputs, arena, &entry, &err),
	      ERR_NOTFOUND);
	says("'s' did not make its output 'm.json'");
	put("m.json", "\x01\x02\x03");
	fails(stage_done(look, &run, locked, &how, d.inputs, arena, &entry, &err),
	      ERR_INVALID);
	says("cannot hold metrics");
	put("params.yaml", "lr: [\n");
	fails(stage_decide(look, &run, locked, &how, arena, &d, &err), ERR_INVALID);
	says("params.yaml:");
	/* A date is a mistake where it is asked for. */
	put("params.yaml", "lr: 1\nnet: {size: 1}\nday: 2026-11-23\n");
	assert_non_null(decide().inputs);
	put("params.yaml", "lr: 1\nnet:\n  size: [1, {at: 2026-11-23 10:00:00}]\n");
	fails(stage_decide(look, &run, locked, &how, arena, &d, &err), ERR_INVALID);
	says("params.yaml:3:18: error: a date or a time cannot be a value");
	stage("    cmd: a\n    deps: [\"s3://b/x\"]\n    outs: [o]\n");
	fails(stage_decide(look, &run, locked, &how, arena, &d, &err), ERR_INVALID);
	says("an address");
	stage("    cmd: a\n    deps: [in.txt]\n    outs: [/tmp/x]\n");
	fails(stage_decide(look, &run, locked, &how, arena, &d, &err), ERR_INVALID);
	says("outside of the repository");
}

/* Who only wants to know what is known: here, elsewhere on the machine, and behind a glob. */
static void
test_read_max(void **state)
{
	static const char *const deps[] = {"in", "OUTSIDE", "d/*"};
	char outside[] = "/tmp/stage-XXXXXX", text[128];
	struct stage_decision d;
	struct err err = {0};
	int fd = mkstemp(outside);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "123456", 6), 6);
	assert_int_equal(mkdirat(shop.fd, "d", 0755), 0);
	put("in", "123456");
	put("d/f", "123456");
	for (size_t i = 0; i < sizeof(deps) / sizeof(deps[0]); i++) {
		(void)snprintf(text, sizeof(text), "    cmd: a\n    deps: ['%s']\n",
			       strcmp(deps[i], "OUTSIDE") == 0 ? outside : deps[i]);
		stage(text);
		yaml->stages[0].deps[0].glob = strchr(deps[i], '*') != NULL;
		ws.read_max = 5;
		fails(stage_decide(look, &run, locked, &how, arena, &d, &err), ERR_BUSY);
		ws.read_max = 6;
		(void)decide();
	}
	(void)close(fd);
	(void)unlink(outside);
}

/* What a dependency became while the command ran is not what the result came of, and may not have
 * been what it was before: nobody knows, also where the edit was taken back. */
static void
test_meanwhile(void **state)
{
	static const char edited[] = "edited meanwhile\n";
	struct stage_decision d;
	const char *entry;
	struct err err = {0};

	(void)state;
	simple();
	for (int params = 0; params < 2; params++) {
		locked = NULL;
		d = decide();
		if (params)
			put("params.yaml", "lr: 0.3\nnet: {size: [1, 2]}\n");
		else
			put("in.txt", edited);
		ok(stage_done(look, &run, locked, &how, d.inputs, arena, &entry, &err));
		lock_is(entry);
		is(params ? "run\nparams of 'params.yaml' are new"
			  : "run\n'in.txt' was changed while it ran");
		/* Neither the lock nor the run cache has it for what is there again. */
		put("in.txt", "one\n");
		put("params.yaml", "lr: 0.1\nnet: {size: [1, 2]}\n");
		assert_int_equal(decide().verdict, STAGE_RUN);
		locked = NULL;
		is("run\nno run of it is recorded");
	}
	/* A file of params that cannot be read any more says nothing of the rest either. */
	d = decide();
	put("params.yaml", "lr: [\n");
	ok(stage_done(look, &run, locked, &how, d.inputs, arena, &entry, &err));
	put("params.yaml", "lr: 0.1\nnet: {size: [1, 2]}\n");
	lock_is(entry);
	is("run\n'in.txt' was changed while it ran\nparams of 'params.yaml' are new");
	/* What is gone was what it was. */
	locked = NULL;
	d = decide();
	drop("in.txt");
	ok(stage_done(look, &run, locked, &how, d.inputs, arena, &entry, &err));
	put("in.txt", "one\n");
	lock_is(entry);
	is("unchanged");
}

/* An entry whose directory may have been anything. */
#define UNSURE "cmd: c\ndeps:\n- path: d\n  hash: md5\nouts:"

/* Of a stage, files that have only appeared in a directory belong to what it was made from. */
static void
test_appeared(void **state)
{
	struct stage_decision d;
	const char *entry;
	struct err err = {0};

	(void)state;
	assert_int_equal(mkdirat(shop.fd, "d", 0755), 0);
	assert_int_equal(mkdirat(shop.fd, "d/sub", 0755), 0);
	put("d/a", "a");
	put("d/b", "b");
	put("out", "o");
	stage("    cmd: c\n    deps: [d]\n    outs: [out]\n");
	for (int native = 0; native < 2; native++) {
		run.native = native != 0;
		locked = NULL;
		d = decide();
		usleep(20000); /* a tick of the file system's clock */
		put("d/0", "n");
		put("d/sub/new", "n");
		ok(stage_done(look, &run, locked, &how, d.inputs, arena, &entry, &err));
		lock_is(entry);
		assert_int_equal(strncmp(entry, UNSURE, strlen(UNSURE)) == 0, native);
		assert_int_equal(strcmp(verdict(), "unchanged") == 0, !native);
		drop("d/0");
		drop("d/sub/new");
		assert_int_equal(decide().verdict, STAGE_RUN);
	}
	run.native = false;
	/* Not where something else has changed, too. */
	for (int i = 0; i < 3; i++) {
		put("d/a", "a");
		put("d/b", "b");
		locked = NULL;
		how.no_run_cache = true;
		d = decide();
		usleep(20000);
		put("d/c", "c");
		put("d/e", "e");
		if (i == 0)
			put("d/a", "edited");
		else if (i == 1)
			drop("d/b");
		else
			assert_int_equal(renameat(shop.fd, "d/b", shop.fd, "d/z"), 0);
		ok(stage_done(look, &run, locked, &how, d.inputs, arena, &entry, &err));
		assert_int_equal(strncmp(entry, UNSURE, strlen(UNSURE)), 0);
		lock_is(entry);
		assert_int_equal(decide().verdict, STAGE_RUN);
		drop("d/c");
		drop("d/e");
		if (i == 2)
			drop("d/z");
	}
}

static void
test_directories(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(mkdirat(shop.fd, "sub", 0755), 0);
	assert_int_equal(mkdirat(shop.fd, "sub/wd", 0755), 0);
	assert_int_equal(mkdirat(shop.fd, "data", 0755), 0);
	assert_int_equal(mkdirat(shop.fd, "sub/wd/out", 0755), 0);
	put("data/a", "a");
	put("data/b", "b");
	put("sub/wd/out/x", "x");
	put("sub/script", "#!");
	assert_int_equal(fchmodat(shop.fd, "sub/script", 0755, 0), 0);
	run.dir = "sub/wd";
	stage("    cmd: c\n    deps: [../script, ../../data]\n    outs: [out]\n");
	assert_string_equal(
	    done(),
	    "cmd: c\ndeps:\n- path: ../../data\n  hash: md5\n"
	    "  md5: 5b94ef7ba4840901cc23311660411a1d.dir\n  size: 2\n  nfiles: 2\n"
	    "- path: ../script\n  hash: md5\n"
	    "  md5: ad540a4cc5c410795131d4d8db7a6d91\n  size: 2\n  isexec: true\n"
	    "outs:\n- path: out\n  hash: md5\n"
	    "  md5: 9b1345c7a223c1e3b15054d677977ced.dir\n  size: 1\n"
	    "  nfiles: 1\n");
	is("unchanged");
	put("data/c", "c");
	is("run\n'data' changed: 2 files -> 3, was 5b94ef7b..., is 42884ddd...");
	drop("data/c");
	put("sub/wd/out/stray", "s");
	is("restore\noutput 'sub/wd/out' is not what was made");
	assert_null(restore(0));
	assert_false(there("sub/wd/out/stray"));
	drop("sub/wd/out");
	assert_null(restore(0));
	shop_holds(&shop, "sub/wd/out/x", "x", 1);
	(void)err;
}

/* A task of a DAG file: also what it no longer names counts, and what no file has. */
static void
test_native(void **state)
{
	static struct yaml_node key = {.kind = YAML_STR, .str = "n", .len = 1},
				val = {.kind = YAML_INT, .str = "1", .len = 1, .i = 1},
				file = {.kind = YAML_STR, .str = ":params", .len = 7};
	struct yaml_pair pair = {&key, &val}, top = {.key = &file};
	struct yaml_node keys = {.kind = YAML_MAP, .map = {&pair, 1}},
			 extra = {.kind = YAML_MAP, .map = {&top, 1}};
	struct yaml_node other = val;

	(void)state;
	top.val = &keys;
	put("a", "a");
	put("b", "b");
	put("out", "y");
	run.native = true;
	run.extra = &extra;
	stage("    cmd: c\n    deps: [a, b]\n    outs: [out]\n");
	assert_non_null(strstr(done(), "params:\n  :params:\n    n: 1\n"));
	is("unchanged");
	other.str = "2";
	other.i = 2;
	pair.val = &other;
	is("run\nparam 'n' changed: 1 -> 2");
	other = (struct yaml_node){.kind = YAML_STR, .str = "1", .len = 1};
	is("run\nparam 'n' changed: 1 is of another type now");
	pair.val = &val;
	stage("    cmd: c\n    deps: [b]\n    outs: [out]\n");
	is("run\n'a' is no longer an input");
	run.extra = NULL;
	is("run\n'a' is no longer an input\nparam 'n' is gone");
	/* Without anything that goes in, the run cache has it all the same. */
	stage("    cmd: c\n    outs: [out]\n");
	locked = NULL;
	(void)done();
	drop("out");
	is("restore\noutput 'out' is missing");
	locked = NULL;
	is("run cache\nno run of it is recorded");
	run.native = false;
	is("run\nno run of it is recorded");
}

/* Reasons with what more can be found out. */
static const char *
detail(void)
{
	static char text[2000];
	struct stage_decision d = decide();
	struct buf b;

	stage_reasons_detail(look, d.v, d.n, arena);
	buf_init(&b, 0);
	for (size_t i = 0; i < d.n; i++) {
		stage_reason_put(&b, &d.v[i]);
		buf_addc(&b, '\n');
	}
	(void)snprintf(text, sizeof(text), "%s", b.p);
	buf_release(&b);
	return text;
}

/* The content that was there is in the cache where somebody made it, or tracks it. */
static void
test_detail(void **state)
{
	static const char *const names[] = {"d/a", "d/b", "d/c", "d/e"};

	(void)state;
	assert_int_equal(mkdirat(shop.fd, "d", 0755), 0);
	for (size_t i = 0; i < 3; i++)
		put(names[i], names[i]);
	put("in", "1\n2\n3\n");
	put("copy", "1\n2\n3\n");
	stage("    cmd: c\n    deps: [in]\n    outs: [copy, d]\n");
	(void)done();
	stage("    cmd: c\n    deps: [d, in]\n    outs: [copy]\n");
	locked = NULL;
	(void)done();
	put("in", "1\n2\n3\n4");
	put("d/a", "x");
	drop("d/b");
	put("d/e", "e");
	assert_string_equal(
	    detail(), "'d' changed: 3 files (a changed, b gone and 1 more), was "
		      "f4e82544..., is 0f61f30b...\n"
		      "'in' changed: 3 lines -> 4, was c0710d6b..., is 257cde94...\n");
	put("in", "4\n5\n6\n");
	assert_non_null(strstr(detail(), "'in' changed: 3 lines, was"));
	/* What is no text has no lines. */
	shop_put(&shop, "in", "1\0x", 3);
	assert_non_null(strstr(detail(), "'in' changed: 6 bytes -> 3, was"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_life, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_outputs, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_torn_run, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_commands, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_frozen, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_persist, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_read_max, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_meanwhile, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_appeared, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_directories, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_native, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_detail, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
