#include "unit/store/store_test.h"

#include "unit/memory.h"

#include "base/arena.h"
#include "store/dvc/dvc_yaml.h"
#include "store/track/collect.h"
#include "store/track/targets.h"
#include "store/track/track.h"

#define MD5_F "0cc175b9c0f1b6a831c399e269772661"

static struct err err;
static struct place pl;
static struct track t;
static struct track_list list;
static struct arena *arena;

static void
pointer(const char *file, const char *path, bool dir)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
		       "outs:\n- md5: " MD5_F "%s\n  hash: md5\n  path: %s\n",
		       dir ? ".dir" : "", path);
	spill(pl.dir, file, text);
}

static int
setup(void **state)
{
	struct track_options o = {.project = &pl.p};

	(void)state;
	(void)setenv("DVC_SYSTEM_CONFIG_DIR", "/nonexistent", 1);
	(void)setenv("DVC_GLOBAL_CONFIG_DIR", "/nonexistent", 1);
	place_make(&pl);
	make_dir(pl.dir, ".dvc");
	make_dir(pl.dir, "d");
	make_dir(pl.dir, "d/e");
	make_dir(pl.dir, "empty");
	pointer("data.dvc", "data", true);
	pointer("f.csv.dvc", "f.csv", false);
	pointer("d/x.dvc", "x", true);
	pointer("d/e/y.csv.dvc", "y.csv", false);
	pointer("train.dvc", "train", false); /* also a stage */
	spill(pl.dir, "dvc.yaml",
	      "stages:\n  train:\n    cmd: x\n    outs: [m, n]\n  prep:\n    cmd: x\n"
	      "    outs: [o]\n");
	make_dir(pl.dir, "g");
	spill(pl.dir, "g/dvc.yaml",
	      "stages:\n  many:\n    foreach: [a, b]\n    do:\n      cmd: x\n"
	      "      outs: ['${item}.o']\n  bare:\n    cmd: x\n  man:\n    cmd: x\n");
	spill(pl.dir, "d/dvc.yaml", "stages:\n  sub:\n    cmd: x\n    outs: [p]\n");
	spill(pl.dir, "empty/dvc.yaml", "stages: {}\n");
	ok(track_open(&o, &t, &err));
	ok(track_collect(&t, NULL, NULL, &list, &err));
	arena = arena_new(0);
	assert_int_equal(chdir(pl.dir), 0);
	return arena != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	track_list_free(&list);
	track_close(&t);
	assert_int_equal(chdir("/"), 0);
	place_remove(&pl);
	return 0;
}

/* Words with blanks between; -R and -g before them are the options. */
static int
find(const char *words, struct track_targets *out)
{
	const char *v[16];
	struct track_select o = {.words = v};
	char *copy = arena_strdup(arena, words), *w, *save = NULL;

	for (w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		if (strcmp(w, "-R") == 0)
			o.recursive = true;
		else if (strcmp(w, "-g") == 0)
			o.glob = true;
		else
			v[o.n++] = w;
	}
	return track_targets(&t, &list, &o, arena, out, &err);
}

/* What they mean: paths, with what is inside behind a bar. */
static void
expect(const char *words, const char *want)
{
	struct track_targets v;
	char text[512] = "";
	size_t n = 0;

	ok(find(words, &v));
	for (size_t i = 0; i < v.n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s%s%s",
				      i > 0 ? " " : "", v.v[i].out->path,
				      v.v[i].inside != NULL ? "|" : "",
				      v.v[i].inside != NULL ? v.v[i].inside : "");
	track_targets_free(&v);
	if (strcmp(text, want) != 0)
		fail_msg("'%s' means %s, not %s", words, text, want);
}

static void
refused(const char *words, enum err_code code, const char *what)
{
	struct track_targets v;

	fails(find(words, &v), code);
	says(what);
	assert_int_equal(v.n, 0);
}

static void
test_words(void **state)
{
	(void)state;
	expect("", "d/e/y.csv d/p d/x data f.csv g/a.o g/b.o m n o train");
	expect("data.dvc", "data");
	expect("data", "data");
	expect("./data/", "data");
	expect("data/a/b data/c", "data|a/b data|c");
	expect("data/a data/a/b data/ab data/a", "data|a data|ab");
	expect("data/a data.dvc", "data");
	expect("dvc.yaml", "m n o");
	expect("dvc.lock", "m n o");
	expect("dvc.yaml:train", "m n");
	expect(":train", "m n");
	expect("train", "train"); /* the out comes first */
	expect("prep", "o");
	expect("d/dvc.yaml:sub", "d/p");
	expect("empty/dvc.yaml", "");
	expect("-R d", "d/e/y.csv d/p d/x");
	expect("-R .", "d/e/y.csv d/p d/x data f.csv g/a.o g/b.o m n o train");
	expect("-R data", "data");
	expect("-g *.csv", "f.csv");
	expect("-g **/*.csv", "d/e/y.csv f.csv");
	expect("-g *.csv.dvc pre?", "f.csv o");
	expect("m m dvc.yaml:train", "m n");
}

static void
test_elsewhere(void **state)
{
	char word[128];

	(void)state;
	assert_int_equal(chdir("d"), 0);
	expect("x", "d/x");
	expect("../data/q", "data|q");
	expect("sub", "d/p");
	expect(".. -R", "d/e/y.csv d/p d/x data f.csv g/a.o g/b.o m n o train");
	expect("-g *", "d/p d/x");
	refused("prep", ERR_NOTFOUND, "'prep' names nothing that is tracked");
	(void)snprintf(word, sizeof(word), "%s/data", pl.dir);
	expect(word, "data");
	assert_int_equal(chdir("/"), 0);
	expect(word, "data");
}

/* Stages are named with or without outs, and all that are made of one by its name. */
static void
test_stages(void **state)
{
	struct track_targets v;

	(void)state;
	expect("g/dvc.yaml:many", "g/a.o g/b.o");
	expect("g/dvc.yaml:many@b", "g/b.o");
	refused("g/dvc.yaml:many@c", ERR_NOTFOUND, "'g/dvc.yaml:many@c'");
	refused("g/dvc.yaml:ma", ERR_NOTFOUND, "'g/dvc.yaml:ma'");
	assert_int_equal(chdir("g"), 0);
	ok(find("bare many@a", &v));
	assert_int_equal(v.n, 1);
	assert_int_equal(v.stages.n, 2);
	assert_string_equal(v.stages.v[0].stage->name, "bare");
	assert_string_equal(v.stages.v[1].stage->name, "many@a");
	track_targets_free(&v);
	ok(find("many", &v));
	assert_int_equal(v.stages.n, 2);
	track_targets_free(&v);
	ok(find("dvc.yaml", &v));
	assert_int_equal(v.stages.n, 4);
	track_targets_free(&v);
	ok(find("-R .", &v));
	assert_int_equal(v.stages.n, 4);
	track_targets_free(&v);
	ok(find("a.o", &v));
	assert_int_equal(v.stages.n, 0);
	track_targets_free(&v);
}

static void
test_refused(void **state)
{
	(void)state;
	refused("dta", ERR_NOTFOUND, "did you mean 'data'?");
	refused("zzzzzzz", ERR_NOTFOUND, "'zzzzzzz' names nothing that is tracked");
	refused("data zzzzzzz", ERR_NOTFOUND, "'zzzzzzz'");
	refused("d", ERR_NOTFOUND, "has 3 tracked paths in it");
	refused("f.csv/x", ERR_INVALID, "'f.csv/x' lies in 'f.csv'");
	refused("/etc/passwd", ERR_INVALID, "outside of the repository");
	refused("..", ERR_INVALID, "outside of the repository");
	refused("dvc.yaml:none", ERR_NOTFOUND, "'dvc.yaml:none'");
	refused("*.csv", ERR_NOTFOUND, "'*.csv'");
	refused("-g *.zip", ERR_NOTFOUND, "'*.zip'");
	refused("-R empty/none", ERR_NOTFOUND, "'empty/none'");
}

static int
run_find(void *ctx, struct err *e)
{
	const char *const words[] = {"data/a", "train", "dvc.yaml:prep", "d"};
	struct track_select o = {.words = words, .n = 4, .recursive = true};
	struct track_targets v;
	struct arena *a = arena_new(0);
	int rc;

	(void)ctx;
	if (a == NULL)
		return err_nomem(e);
	rc = track_targets(&t, &list, &o, a, &v, e);
	if (rc == 0)
		assert_int_equal(v.n, 6);
	track_targets_free(&v);
	arena_free(a);
	return rc;
}

static void
test_memory(void **state)
{
	struct memory_call c = {"targets", NULL, run_find, NULL, NULL, 0};

	(void)state;
	assert_true(memory_fail_each(&c) > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_words, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_elsewhere, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_stages, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
	};

	return cmocka_run_group_tests_name("store/track/targets", tests, NULL, NULL);
}
