#include "unit/store/store_test.h"

#include "unit/memory.h"

#include "base/diag.h"
#include "store/dvc/config.h"
#include "store/track/collect.h"
#include "store/track/track.h"

static struct err err;
static struct place pl;
static struct track t;

#define MD5_A "0cc175b9c0f1b6a831c399e269772661"
#define MD5_D "5ea40360f5b4ec688df672a4db9c17d1.dir"

static int
setup(void **state)
{
	(void)state;
	(void)setenv("DVC_SYSTEM_CONFIG_DIR", "/nonexistent", 1);
	(void)setenv("DVC_GLOBAL_CONFIG_DIR", "/nonexistent", 1);
	(void)setenv("XDG_CONFIG_DIRS", "/nonexistent", 1);
	(void)setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	(void)setenv("HOME", "/nonexistent", 1);
	(void)setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	place_make(&pl);
	make_dir(pl.dir, ".dvc");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	place_remove(&pl);
	return 0;
}

static void
open_track(const char *where)
{
	struct track_options o = {.project = &pl.p, .where = where};

	ok(track_open(&o, &t, &err));
}

/* A .dvc file for one path. */
static void
pointer(const char *file, const char *path, const char *more)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "outs:\n- md5: " MD5_A "\n  size: 1\n  hash: md5\n  path: %s\n%s",
		       path, more);
	spill(pl.dir, file, text);
}

/* The paths of the outs with their files, in the order of the list. */
static const char *
collect(void)
{
	static char text[2048];
	struct track_list l;
	size_t n = 0;

	text[0] = '\0';
	ok(track_collect(&t, NULL, NULL, &l, &err));
	for (size_t i = 0; i < l.n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s<%s",
				      i > 0 ? " " : "", l.outs[i].path, l.outs[i].file);
	track_list_free(&l);
	return text;
}

static void
test_entries(void **state)
{
	const struct track_out *o;
	struct track_list l;
	size_t n;

	(void)state;
	make_dir(pl.dir, "d");
	spill(pl.dir, "d/x.dvc",
	      "md5: 3175b953a2b1ee1e1f7aed71cd2f0e65\nfrozen: true\ndeps:\n- md5: " MD5_A
	      "\n  hash: md5\n  path: /elsewhere/x\nouts:\n- md5: " MD5_D
	      "\n  size: 8\n  nfiles: 4\n  hash: md5\n  path: x\n  push: false\n"
	      "  remote: r\n  persist: true\n");
	spill(pl.dir, "old.dvc",
	      "outs:\n- md5: " MD5_A "\n  path: old\n  isexec: true\n  cache: false\n");
	spill(pl.dir, "params.yaml", "t: filled\n");
	spill(pl.dir, "dvc.yaml",
	      "stages:\n  train:\n    wdir: d\n    cmd: x\n    frozen: true\n    outs:\n"
	      "    - m:\n        persist: true\n    - new\n    - ${t}\n");
	spill(pl.dir, "dvc.lock",
	      "schema: '2.0'\nstages:\n  train:\n    cmd: x\n    outs:\n    - path: m\n"
	      "      hash: md5\n      md5: " MD5_A
	      "\n      size: 1\n  gone:\n    cmd: y\n"
	      "    outs:\n    - path: z\n      hash: md5\n      md5: " MD5_A "\n");
	open_track(NULL);
	ok(track_collect(&t, NULL, NULL, &l, &err));
	assert_int_equal(l.n, 5);
	assert_int_equal(l.nfiles, 3);
	o = track_find(&l, "d/x");
	assert_string_equal(o->file, "d/x.dvc");
	assert_true(o->id.dir && !o->id.legacy);
	assert_int_equal(o->size, 8);
	assert_int_equal(o->nfiles, 4);
	assert_true(o->frozen && o->import && o->persist && !o->push && o->cache);
	assert_string_equal(o->remote, "r");
	assert_int_equal(o->line, 8);
	assert_ptr_equal(track_find(&l, "d/x/deep/in"), o);
	assert_null(track_find(&l, "d/xy"));
	assert_null(track_find(&l, "d"));
	o = track_find(&l, "old");
	assert_true(o->id.legacy && o->exec && !o->cache && o->push && !o->import);
	o = track_find(&l, "d/m");
	assert_string_equal(o->file, "dvc.lock");
	assert_string_equal(o->stage, "train");
	assert_string_equal(o->in->path, "dvc.yaml");
	assert_true(o->persist && o->frozen && object_id_is_set(&o->id));
	o = track_find(&l, "d/new"); /* never made */
	assert_string_equal(o->stage, "train");
	assert_false(object_id_is_set(&o->id));
	assert_int_equal(o->size, -1);
	assert_null(o->out);
	assert_non_null(track_find(&l, "d/filled"));
	assert_ptr_equal(track_below(&l, ".", &n), l.outs);
	assert_int_equal(n, 5);
	o = track_below(&l, "d", &n);
	assert_string_equal(o->path, "d/filled");
	assert_int_equal(n, 4);
	assert_null(track_below(&l, "e", &n));
	track_list_free(&l);
	/* Params in Python are not run: what the lock has counts. */
	spill(pl.dir, "p.py", "t = 'filled'\n");
	spill(pl.dir, "dvc.yaml",
	      "vars: [p.py]\nstages:\n  train:\n    wdir: d\n    cmd: x\n    outs: [m, "
	      "'${t}x']\n");
	ok(track_collect(&t, NULL, NULL, &l, &err));
	assert_non_null(track_find(&l, "d/m"));
	assert_int_equal(l.n, 3);
	track_list_free(&l);
	track_close(&t);
}

/* What is looked at. */
static void
test_places(void **state)
{
	(void)state;
	make_dir(pl.dir, "a");
	make_dir(pl.dir, "a/b");
	make_dir(pl.dir, "a-b");
	make_dir(pl.dir, "data");
	make_dir(pl.dir, "ign");
	make_dir(pl.dir, "gitign");
	make_dir(pl.dir, "nested");
	make_dir(pl.dir, "nested/.dvc");
	make_dir(pl.dir, ".git");
	make_dir(pl.dir, "closed");
	pointer("data.dvc", "data", "");
	pointer("data/no.dvc", "no", "");
	pointer("a/b/c.dvc", "c", "");
	pointer("a-b/c.dvc", "c", "");
	pointer("ign/no.dvc", "no", "");
	pointer("gitign/no.dvc", "no", "");
	pointer("nested/no.dvc", "no", "");
	pointer(".dvc/no.dvc", "no", "");
	pointer(".dag/no.dvc", "no", "");
	pointer(".git/no.dvc", "no", "");
	pointer("closed/no.dvc", "no", "");
	pointer("skip.dvc", "no", "");
	pointer("not.dvcx", "no", "");
	make_dir(pl.dir, "dir.dvc");
	pointer("dir.dvc/x.dvc", "x", "");
	pointer("wd.dvc", "w", "wdir: a/b\n");
	spill(pl.dir, ".dvcignore", "ign\n");
	spill(pl.dir, ".gitignore", "/gitign/\nskip.dvc\n/data\n");
	assert_int_equal(symlinkat("a", pl.p.root_fd, "link"), 0);
	assert_int_equal(fchmodat(pl.p.root_fd, "closed", geteuid() == 0 ? 0700 : 0, 0),
			 0);
	open_track(NULL);
	if (geteuid() == 0)
		assert_int_equal(unlinkat(pl.p.root_fd, "closed/no.dvc", 0), 0);
	assert_string_equal(collect(), "a/b/c<a/b/c.dvc a/b/w<wd.dvc a-b/c<a-b/c.dvc "
				       "data<data.dvc dir.dvc/x<dir.dvc/x.dvc");
	track_close(&t);
	/* Without git its rules do not count. */
	spill(pl.dir, ".dvc/config", "[core]\nno_scm = true\n");
	pointer("skip.dvc", "skip", "");
	open_track(NULL);
	assert_null(t.gitignore);
	assert_non_null(strstr(collect(), " gitign/no<gitign/no.dvc"));
	assert_non_null(strstr(collect(), " skip<skip.dvc"));
	track_close(&t);
	assert_int_equal(fchmodat(pl.p.root_fd, "closed", 0700, 0), 0);
}

/* The nearest .dvc is the repository; else the project's own. */
static void
test_which(void **state)
{
	char dir[128], want[160];
	struct index *ix;

	(void)state;
	make_dir(pl.dir, "sub");
	make_dir(pl.dir, "sub/.dvc");
	make_dir(pl.dir, "sub/deep");
	spill(pl.dir, "sub/.dvc/config", "[cache]\ndir = ../c\ntype = hardlink, copy\n");
	pointer("sub/x.dvc", "x", "");
	pointer("y.dvc", "y", "");
	(void)snprintf(dir, sizeof(dir), "%s/sub/deep", pl.dir);
	open_track(dir);
	(void)snprintf(want, sizeof(want), "%s/sub", pl.dir);
	assert_string_equal(t.root, want);
	(void)snprintf(want, sizeof(want), "%s/sub/c", pl.dir);
	assert_string_equal(t.cache_dir, want);
	assert_true(t.dvc);
	assert_int_equal(t.nlinks, 2);
	assert_int_equal(t.links[0], LINK_HARDLINK);
	assert_string_equal(collect(), "x<x.dvc");
	ok(track_index(&t, &ix, &err));
	assert_non_null(ix);
	track_close(&t);
	open_track(NULL);
	assert_string_equal(t.root, pl.p.root);
	assert_string_equal(collect(), "y<y.dvc");
	(void)snprintf(want, sizeof(want), "%s/.dvc/cache", pl.dir);
	assert_string_equal(t.cache_dir, want);
	ok(track_lock(&t, 0, NULL, NULL, NULL, &err));
	assert_non_null(slurp(pl.dir, ".dvc/tmp/lock"));
	track_close(&t);
	assert_int_equal(unlinkat(pl.p.root_fd, ".dvc/tmp/lock", 0), 0);
	assert_int_equal(unlinkat(pl.p.root_fd, ".dvc/tmp", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(pl.p.root_fd, ".dvc", AT_REMOVEDIR), 0);
	open_track(NULL);
	assert_false(t.dvc);
	(void)snprintf(want, sizeof(want), "%s/.dag/cache", pl.dir);
	assert_string_equal(t.cache_dir, want);
	ok(track_lock(&t, 0, NULL, NULL, NULL, &err));
	assert_non_null(slurp(pl.dir, ".dag/artifacts.lock"));
	track_close(&t);
	spill(pl.dir, "sub/.dvc/config", "[core]\nhardlink_lock = true\n");
	open_track(dir);
	fails(track_lock(&t, 0, NULL, NULL, NULL, &err), ERR_INVALID);
	track_close(&t);
}

static void
test_mistakes(void **state)
{
	struct diag *d = diag_new();
	struct track_list l;

	(void)state;
	assert_non_null(d);
	pointer("a.dvc", "same", "");
	pointer("b.dvc", "same", "");
	open_track(NULL);
	fails(track_collect(&t, NULL, NULL, &l, &err), ERR_INVALID);
	says("'same' is tracked twice, by a.dvc:2 and by b.dvc:2");
	track_list_free(&l);
	pointer("b.dvc", "same/in/side", "");
	pointer("c.dvc", "same-x", "");
	fails(track_collect(&t, NULL, NULL, &l, &err), ERR_INVALID);
	says("'same/in/side' of b.dvc:2 lies in 'same', which a.dvc:2 tracks");
	track_list_free(&l);
	/* All mistakes of all files. */
	spill(pl.dir, "b.dvc", "outs:\n- md5: zz\n  path: q\n");
	spill(pl.dir, "c.dvc", "outs: 7\n");
	fails(track_collect(&t, NULL, d, &l, &err), ERR_INVALID);
	assert_int_equal(strncmp(err.msg, "b.dvc:2:", 8), 0);
	assert_int_equal(diag_errors(d), 2);
	assert_int_equal(l.n, 1);
	diag_free(d);
	track_list_free(&l);
	track_close(&t);
}

static int
run_collect(void *ctx, struct err *e)
{
	struct track_options o = {.project = &pl.p};
	struct track_list l = {0};
	int rc;

	(void)ctx;
	rc = track_open(&o, &t, e);
	if (rc == 0)
		rc = track_collect(&t, NULL, NULL, &l, e);
	if (rc == 0)
		assert_int_equal(l.n, 2);
	track_list_free(&l);
	track_close(&t);
	return rc;
}

static void
test_memory(void **state)
{
	struct memory_call c = {"collect", NULL, run_collect, NULL, NULL, 200};

	(void)state;
	make_dir(pl.dir, ".git");
	make_dir(pl.dir, "d");
	pointer("d/a.dvc", "a", "");
	spill(pl.dir, "dvc.yaml", "stages:\n  s:\n    cmd: x\n    outs:\n    - m\n");
	spill(pl.dir, "dvc.lock",
	      "schema: '2.0'\nstages:\n  s:\n    cmd: x\n    outs:\n    - path: m\n"
	      "      hash: md5\n      md5: " MD5_A "\n");
	assert_true(memory_fail_each(&c) > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_entries, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_places, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_which, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_mistakes, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
	};

	return cmocka_run_group_tests_name("store/track/collect", tests, NULL, NULL);
}
