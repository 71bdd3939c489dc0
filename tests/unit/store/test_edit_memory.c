/*
 * dvc.yaml edited, stages recorded and looked at where memory runs out: the files are as they were or
 * as they shall be, and the next try succeeds.
 */
#include "unit/store/store_test.h"

#include "base/arena.h"
#include "base/diag.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"
#include "store/objects/objects.h"
#include "store/track/collect.h"
#include "store/track/commit_stages.h"
#include "store/track/edit_add.h"
#include "store/track/edit_remove.h"
#include "store/track/edit_stage.h"
#include "store/track/stage_run.h"
#include "store/track/stage_status.h"
#include "store/track/track.h"
#include "store/track/workspace.h"
#include "unit/memory.h"

#define SOME 150 /* allocations of a call that fail; all with DAG_MEMORY_ALL */

static const char before[] =
    "# head\nvars:\n- x: {a: 1}\nstages:\n  prep:\n    cmd: cp in raw  # how\n    deps:\n"
    "    - in\n    outs:\n    - raw\n  many:\n    foreach: [p, q]\n    do:\n"
    "      cmd: echo ${item} > ${item}.txt\n      outs:\n      - ${item}.txt\n"
    "  grid:\n    matrix:\n      k: [1, 2]\n    cmd: echo ${item.k}\n"
    "  train:\n    cmd: x\n    deps: [raw]\n    params: [lr]\n    desc: what\n"
    "    outs:\n    - m:\n        persist: true\n    metrics:\n    - s.json:\n"
    "        cache: false\n";
static const char lock_before[] =
    "schema: '2.0'\nstages:\n  train:\n    cmd: y\n    deps:\n    - path: raw\n"
    "      hash: md5\n      md5: 0cc175b9c0f1b6a831c399e269772661\n      size: 1\n"
    "    params:\n      params.yaml:\n        lr: 1\n    outs:\n    - path: m\n"
    "      hash: md5\n      md5: 0cc175b9c0f1b6a831c399e269772661\n      size: 1\n"
    "  prep:\n    cmd: cp in raw\n    outs:\n    - path: raw\n      hash: md5\n"
    "      md5: 0cc175b9c0f1b6a831c399e269772661\n      size: 1\n";

static struct err err;
static struct place pl;
static struct track t;
static struct track_list list;
static struct workspace ws;
static struct arena *arena;
static struct buf out;
static const char *want; /* what comes out */

static int
setup(void **state)
{
	struct track_options o = {.project = &pl.p};

	(void)state;
	(void)setenv("DVC_SYSTEM_CONFIG_DIR", "/nonexistent", 1);
	(void)setenv("DVC_GLOBAL_CONFIG_DIR", "/nonexistent", 1);
	(void)setenv("XDG_CONFIG_DIRS", "/nonexistent", 1);
	(void)setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	(void)setenv("HOME", "/nonexistent", 1);
	(void)setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	place_make(&pl);
	make_dir(pl.dir, ".git");
	make_dir(pl.dir, ".dvc");
	make_dir(pl.dir, "sub");
	spill(pl.dir, "in", "1\n");
	spill(pl.dir, "raw", "raw\n");
	spill(pl.dir, "m", "model\n");
	spill(pl.dir, "s.json", "{\"auc\": 1}\n");
	spill(pl.dir, "p.txt", "p\n");
	spill(pl.dir, "q.txt", "q\n");
	spill(pl.dir, "params.yaml", "lr: 0.1\nd: {e: [1, 2]}\n");
	spill(pl.dir, "dvc.yaml", before);
	spill(pl.dir, "dvc.lock", lock_before);
	ok(track_open(&o, &t, &err));
	ws = (struct workspace){
	    .root_fd = t.root_fd, .cache = t.cache, .ignore = t.ignore, .workers = 1};
	ok(track_collect(&t, NULL, NULL, &list, &err));
	arena = arena_new(0);
	assert_non_null(arena);
	buf_init(&out, 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_release(&out);
	arena_free(arena);
	track_list_free(&list);
	track_close(&t);
	place_remove(&pl);
	return 0;
}

static void
as_before(void *ctx)
{
	(void)ctx;
	spill(pl.dir, "dvc.yaml", before);
	spill(pl.dir, "dvc.lock", lock_before);
	spill(pl.dir, ".gitignore", "/raw\n");
	buf_release(&out);
	buf_init(&out, 0);
}

/* One of the two texts, and the right one. */
static void
is_whole(void *ctx, int rc)
{
	const char *text = slurp(pl.dir, ctx);

	assert_non_null(text);
	if (rc == 0)
		assert_non_null(strstr(text, want));
	else
		assert_true(strcmp(text, before) == 0 || strstr(text, want) != NULL);
}

/* ---- added ---- */

static const char *cmd[] = {"python eval.py"};
static const char *keys[] = {"d.e", "lr"};
static struct dvc_yaml_dep deps[] = {{.path = "m"}, {.path = "../lib"}};
static struct dvc_yaml_params params[] = {
    {.file = "params.yaml", .keys = keys, .n = 2},
    {.file = "p.json", .whole = true},
};
static struct dvc_yaml_out outs[] = {
    {.path = "e.out", .cache = true, .push = true},
    {.path = "e.json", .kind = DVC_METRIC, .push = true},
    {.path = "e.csv", .kind = DVC_PLOT, .cache = true, .persist = true, .push = true},
};

static int
tracks_nothing(void *ctx, const char *path, struct err *e)
{
	(void)ctx;
	(void)path;
	(void)e;
	return 0;
}

static int
run_add(void *ctx, struct err *e)
{
	struct edit_add a = {.root = t.root,
			     .list = &list,
			     .ws = &ws,
			     .gitignore = t.gitignore,
			     .git_tracks = tracks_nothing,
			     .force = true,
			     .file = "dvc.yaml",
			     .desc = "evaluates"};

	a.stage = (struct dvc_yaml_stage){.name = ctx,
					  .wdir = "sub",
					  .cmd = cmd,
					  .ncmd = 1,
					  .deps = deps,
					  .ndeps = 2,
					  .params = params,
					  .nparams = 2,
					  .outs = outs,
					  .nouts = 3};
	return edit_add(&a, arena, e);
}

static void
is_added(void *ctx, int rc)
{
	(void)ctx;
	is_whole((char *)(uintptr_t) "dvc.yaml", rc);
	if (rc == 0)
		assert_non_null(strstr(slurp(pl.dir, "sub/.gitignore"), "/e.out\n"));
}

static void
test_add(void **state)
{
	struct memory_call c = {"add", as_before, run_add, is_added, NULL, SOME};
	char name[] = "eval", train[] = "train";

	(void)state;
	want = "  eval:\n    desc: evaluates\n    cmd: python eval.py\n    wdir: sub\n";
	c.ctx = name;
	assert_true(memory_fail_each(&c) > 50);
	want = "  train:\n    cmd: python eval.py\n";
	c.ctx = train;
	assert_true(memory_fail_each(&c) > 50);
}

/* ---- frozen, taken out ---- */

static int
run_freeze(void *ctx, struct err *e)
{
	const struct edit_file f = {.root = t.root,
				    .name = "dvc.yaml",
				    .text = before,
				    .len = sizeof(before) - 1};

	return edit_freeze(&f, ctx, true, &out, e);
}

static void
is_out(void *ctx, int rc)
{
	(void)ctx;
	if (rc == 0)
		assert_non_null(strstr(out.p, want));
}

static int
run_remove(void *ctx, struct err *e)
{
	static const char *const names[] = {"train", "prep"};
	struct edit_remove r = {.root = t.root,
				.root_fd = t.root_fd,
				.yaml = "dvc.yaml",
				.lock = "dvc.lock",
				.names = names,
				.n = 2};
	int rc = edit_remove_begin(&r, e);

	(void)ctx;
	if (rc == 0)
		rc = edit_remove_end(&r, e);
	edit_remove_release(&r);
	return rc;
}

static void
is_removed(void *ctx, int rc)
{
	const char *text;

	(void)ctx;
	is_whole((char *)(uintptr_t) "dvc.yaml", rc);
	if (rc == 0) {
		assert_null(strstr(slurp(pl.dir, "dvc.yaml"), "train"));
		assert_null(slurp(pl.dir, "dvc.lock"));
	} else {
		/* The lock goes first. */
		text = slurp(pl.dir, "dvc.lock");
		assert_true(text == NULL || strcmp(text, lock_before) == 0);
	}
}

static void
test_edits(void **state)
{
	struct memory_call c = {"freeze", as_before, run_freeze, is_out, NULL, SOME};
	char train[] = "train";

	(void)state;
	c.ctx = train;
	want =
	    "    desc: what\n    outs:\n    - m:\n        persist: true\n    metrics:\n"
	    "    - s.json:\n        cache: false\n    frozen: true\n";
	assert_true(memory_fail_each(&c) > 50);
	want = "# head\nvars:\n- x: {a: 1}\nstages:\n  many:\n";
	c = (struct memory_call){"remove", as_before, run_remove, is_removed, NULL, SOME};
	assert_true(memory_fail_each(&c) > 50);
}

/* ---- looked at, recorded ---- */

static int
run_status(void *ctx, struct err *e)
{
	struct stage_status *v;
	size_t n;
	int rc =
	    stage_status(&ws, t.root, list.files, list.nfiles, arena, NULL, &v, &n, e);

	(void)ctx;
	if (rc == 0) {
		assert_int_equal(n, 4); /* prep, those of grid, train */
		assert_string_equal(v[3].stage->name, "train");
		assert_true(v[3].command && v[3].n == 2);
	}
	return rc;
}

static int
run_commit(void *ctx, struct err *e)
{
	const struct stage_look_options o = {
	    .ws = &ws, .root = t.root, .gitignore = t.gitignore};
	const struct stage_how how = {.commit = true};
	struct track_list l = {0};
	struct stage_look *look = NULL;
	struct commit_stage v[5] = {0};
	size_t n = 0;
	int rc = track_collect(&t, NULL, NULL, &l, e);

	(void)ctx;
	for (size_t i = 0; rc == 0 && i < l.files[0]->yaml->nstages; i++)
		if (l.files[0]->yaml->stages[i].nouts > 0)
			v[n++] = (struct commit_stage){
			    .in = l.files[0], .stage = &l.files[0]->yaml->stages[i]};
	if (rc == 0)
		rc = stage_look_open(&o, &look, e);
	if (rc == 0)
		rc = commit_stages_look(look, v, n, arena, e);
	if (rc == 0)
		rc = commit_stages(look, &how, t.root_fd, v, n, arena, e);
	stage_look_close(look);
	track_list_free(&l);
	return rc;
}

/* Whatever the lock names is in the cache. */
static void
is_committed(void *ctx, int rc)
{
	struct dvc_lock *lock = NULL;

	(void)ctx;
	ok(dvc_lock_read(t.root_fd, "dvc.lock", NULL, &lock, &err));
	if (rc == 0)
		assert_int_equal(lock->nstages, 4);
	for (size_t i = 0; i < lock->nstages; i++)
		for (size_t k = 0; k < lock->stages[i].nouts; k++) {
			const struct object_id *id = &lock->stages[i].outs[k].meta.md5;
			char hex[OBJECT_HEX_MAX];

			if (strncmp(object_id_hex(id, hex), "0cc175b9", 8) != 0 &&
			    strcmp(lock->stages[i].outs[k].path, "s.json") != 0)
				ok(objects_check(t.cache, id, false, NULL, &err));
		}
	dvc_lock_free(lock);
}

static void
test_stages(void **state)
{
	struct memory_call c = {"status", as_before, run_status, NULL, NULL, SOME};

	(void)state;
	assert_true(memory_fail_each(&c) > 50);
	c = (struct memory_call){"commit",     as_before, run_commit,
				 is_committed, NULL,	  SOME};
	assert_true(memory_fail_each(&c) > 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_add, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_edits, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_stages, setup, teardown),
	};

	return cmocka_run_group_tests_name("store/track/edit_memory", tests, NULL, NULL);
}
