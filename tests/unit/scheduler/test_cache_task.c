#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fsio.h"
#include "base/hash.h"
#include "base/yaml.h"
#include "render_fixture.h"
#include "scheduler/cache_task.h"
#include "scheduler/glob.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_out.h"

/*
 * A task of a DAG file as a stage: what its lock entry will be made of.
 */

static const bool on; /* nobody stops it */
static char root[] = "/tmp/test_cache_task.XXXXXX";
static int root_fd;

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(root) == NULL)
		return -1;
	root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root_fd >= 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(root_fd);
	return fsio_remove_tree(AT_FDCWD, root, NULL);
}

static void
make(const char *path)
{
	char dir[128];
	struct err err;
	int fd;

	(void)snprintf(dir, sizeof(dir), "%s", path);
	if (strrchr(dir, '/') != NULL) {
		*strrchr(dir, '/') = '\0';
		assert_int_equal(fsio_mkdirs(root_fd, dir, 0700, &err), 0);
	}
	fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
}

/* The task t of the DAG as a stage. */
static void
stage_of(struct fixture *f, const char *text, const struct param_arg *args, size_t n,
	 struct cache_task *out)
{
	const struct dag_task *t;
	struct err err = {0};

	start(f, text, args, n);
	t = dag_task_find(f->g, "t");
	assert_non_null(t);
	assert_int_equal(render_paths(&f->v, t, f->a, &f->paths, &err), 0);
	if (cache_task_make(&f->v, t, &f->paths, f->a, out, &err) != 0)
		fail_msg("%s", err.msg);
}

/* "path path" of its dependencies. */
static void
deps_are(struct fixture *f, struct cache_task *c, const char *want)
{
	struct err err = {0};
	struct buf b;

	if (cache_task_deps(root_fd, &on, f->a, NULL, c, &err) != 0)
		fail_msg("%s", err.msg);
	buf_init(&b, 0);
	for (size_t i = 0; i < c->stage.ndeps; i++)
		buf_addf(&b, "%s%s", i > 0 ? " " : "", c->stage.deps[i].path);
	assert_string_equal(b.n > 0 ? b.p : "", want);
	buf_release(&b);
}

static const char *
extra(const struct cache_task *c, const char *file, const char *key)
{
	const struct yaml_node *v = yaml_get(yaml_get(c->extra, file), key);

	return v != NULL ? v->str : NULL;
}

/* What dag tells every attempt counts where the command names it, in whatever language. */
static void
what_it_is_told(void **state)
{
	static const char *const runs[] = {"echo $DAG_LOGICAL_DATE",
					   "[env, DAG_LOGICAL_DATE]"};
	char text[256], hex[HASH_HEX_MAX];
	struct cache_task c;
	struct fixture f;

	(void)state;
	assert_int_equal(hash_bytes(HASH_SHA256, "1970-01-01T00:00:01Z", 20, hex), 0);
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(text, sizeof(text), "tasks: {t: {run: %s, outputs: [o]}}",
			       runs[i]);
		stage_of(&f, text, NULL, 0, &c);
		assert_non_null(extra(&c, ":env", "DAG_LOGICAL_DATE"));
		assert_string_not_equal(extra(&c, ":env", "DAG_LOGICAL_DATE"), hex);
		assert_null(extra(&c, ":env", "DAG_NAME"));
		f.v.logical_us = 1000000;
		assert_int_equal(cache_task_make(&f.v, dag_task_find(f.g, "t"), &f.paths,
						 f.a, &c, NULL),
				 0);
		assert_string_equal(extra(&c, ":env", "DAG_LOGICAL_DATE"), hex);
		stop(&f);
	}
	stage_of(&f, "tasks: {t: {run: 'echo $DAG_TASK $DAG_RUN_ID', outputs: [o]}}",
		 NULL, 0, &c);
	assert_int_equal(hash_bytes(HASH_SHA256, "t", 1, hex), 0);
	assert_string_equal(extra(&c, ":env", "DAG_TASK"), hex);
	assert_null(extra(&c, ":env", "DAG_RUN_ID"));
	stop(&f);
	stage_of(&f, "tasks: {t: {run: 'echo', outputs: [o]}}", NULL, 0, &c);
	assert_null(c.extra);
	stop(&f);
}

static void
what_it_is(void **state)
{
	static const struct param_arg rows[] = {{"rows", "30"}};
	struct cache_task c;
	struct fixture f;

	(void)state;
	stage_of(&f,
		 "params: {rows: 10, unused: 1, word: a b, list: [1, x]}\n"
		 "tasks:\n"
		 "  t:\n"
		 "    run: cut {{ params.rows }}\n"
		 "    params: [word, list]\n"
		 "    outputs: [out.txt, d]\n"
		 "    persist: true\n",
		 rows, 1, &c);
	assert_string_equal(c.stage.name, "t");
	assert_int_equal(c.stage.ncmd, 1);
	assert_string_equal(c.stage.cmd[0], "cut 30");
	assert_string_equal(extra(&c, ":params", "rows"), "30");
	assert_int_equal(yaml_get(yaml_get(c.extra, ":params"), "rows")->kind, YAML_INT);
	assert_string_equal(extra(&c, ":params", "word"), "a b");
	assert_int_equal(yaml_get(yaml_get(c.extra, ":params"), "list")->seq.n, 2);
	assert_null(extra(&c, ":params", "unused"));
	assert_int_equal(c.extra->map.n, 1);
	assert_int_equal(c.stage.nouts, 2);
	assert_string_equal(c.stage.outs[1].path, "d");
	assert_true(c.stage.outs[0].cache && c.stage.outs[0].persist);
	assert_false(c.stage.frozen);
	stop(&f);
}

/* Values of the environment are hashed; of secrets there is only the reference. */
static void
environment(void **state)
{
	char hex[HASH_HEX_MAX];
	struct cache_task c;
	struct fixture f;

	(void)state;
	stage_of(&f,
		 "env: {LANG: C, ALL: old}\n"
		 "tasks:\n"
		 "  t:\n"
		 "    run: x\n"
		 "    outputs: o\n"
		 "    env: {ALL: new, TOKEN: '${env:SECRET}', KEY: '${file:k.txt}'}\n",
		 NULL, 0, &c);
	assert_int_equal(hash_bytes(HASH_SHA256, "new", 3, hex), 0);
	assert_string_equal(extra(&c, ":env", "ALL"), hex);
	assert_int_equal(hash_bytes(HASH_SHA256, "C", 1, hex), 0);
	assert_string_equal(extra(&c, ":env", "LANG"), hex);
	assert_string_equal(extra(&c, ":env", "TOKEN"), "${env:SECRET}");
	assert_string_equal(extra(&c, ":env", "KEY"), "${file:k.txt}");
	/* In the order of their names, whatever the file's. */
	assert_string_equal(yaml_get(c.extra, ":env")->map.v[0].key->str, "ALL");
	stop(&f);
}

static void
how_it_runs(void **state)
{
	struct cache_task c;
	struct fixture f;

	(void)state;
	stage_of(&f,
		 "tasks:\n"
		 "  t: {run: [cat, 'a b', \"it's\"], outputs: o, workdir: sub/../x}\n",
		 NULL, 0, &c);
	assert_string_equal(c.stage.cmd[0], "cat 'a b' 'it'\\''s'");
	assert_string_equal(extra(&c, ":task", "run"), "list");
	assert_string_equal(extra(&c, ":task", "workdir"), "x");
	stop(&f);
	stage_of(&f, "tasks: {t: {run: x, outputs: o, shell: bash, frozen: true}}\n",
		 NULL, 0, &c);
	assert_string_equal(extra(&c, ":task", "shell"), "bash -e -c");
	assert_true(c.stage.frozen);
	stop(&f);
	stage_of(&f, "tasks: {t: {run: x, outputs: o}}\n", NULL, 0, &c);
	assert_null(c.extra);
	stop(&f);
}

static void
dependencies(void **state)
{
	struct cache_task c;
	struct fixture f;

	(void)state;
	make("in/b.csv");
	make("in/a.csv");
	make("in/a.txt");
	make("in/sub/c.csv");
	make("src/x.py");
	make("src/.git/y.py");
	make("src/deep/z.py");
	stage_of(&f,
		 "tasks:\n"
		 "  t:\n"
		 "    run: x\n"
		 "    inputs: ['in/*.csv', absent, in/b.csv, ./in/sub]\n"
		 "    code: ['src/**/*.py', in/sub]\n"
		 "    outputs: o\n",
		 NULL, 0, &c);
	deps_are(&f, &c, "in/a.csv in/b.csv absent in/sub src/deep/z.py src/x.py");
	make("in/c.csv"); /* asked again, it looks again */
	deps_are(&f, &c,
		 "in/a.csv in/b.csv in/c.csv absent in/sub src/deep/z.py src/x.py");
	stop(&f);
	stage_of(&f, "tasks: {t: {run: x, inputs: 'none/*', outputs: o}}\n", NULL, 0, &c);
	deps_are(&f, &c, "");
	stop(&f);
	/* A directory that matches is one dependency. */
	stage_of(&f, "tasks: {t: {run: x, inputs: 'in/s*', outputs: o}}\n", NULL, 0, &c);
	deps_are(&f, &c, "in/sub");
	stop(&f);
	/* What is changed in place is no dependency. */
	stage_of(
	    &f,
	    "tasks: {t: {run: x, inputs: [in/a.csv, o], outputs: o, persist: true}}\n",
	    NULL, 0, &c);
	deps_are(&f, &c, "in/a.csv");
	stop(&f);
}

static void
a_glob_that_is_stopped(void **state)
{
	static const bool off = true;
	struct arena *a = arena_new(0);
	struct glob_paths v = {0};
	struct err err = {0};

	(void)state;
	make("many/1");
	assert_int_equal(glob_expand(root_fd, "many/*", &off, a, &v, NULL, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_int_equal(glob_expand(root_fd, "many/*", &on, a, &v, NULL, &err), 0);
	assert_int_equal(v.v.n, 1);
	vec_release(&v.v);
	arena_free(a);
}

/* A glob that stands for very many is one, and stays it while the lock says so; one whose
 * directory is not known by name cannot be. */
static void
a_glob_that_is_one(void **state)
{
	static const char text[] =
	    "tasks: {t: {run: x, inputs: ['m/*.x', 'm/*/*', 'n*/*'], outputs: o}}\n";
	struct dvc_out was[] = {{.path = "m/*/*"}, {.path = "n*/*"}};
	struct dvc_lock_stage locked = {.deps = was, .ndeps = 2};
	struct cache_task c;
	struct err err = {0};
	struct fixture f;
	char path[32];

	(void)state;
	make("m/d/1.x");
	for (int i = 0; i < GLOB_EACH_MAX; i++) {
		(void)snprintf(path, sizeof(path), "m/%04d.x", i);
		make(path);
		(void)snprintf(path, sizeof(path), "ns/%04d", i);
		make(path);
	}
	stage_of(&f, text, NULL, 0, &c);
	assert_int_equal(cache_task_deps(root_fd, &on, f.a, NULL, &c, &err), 0);
	assert_int_equal(c.stage.ndeps, 2 * GLOB_EACH_MAX + 1);
	assert_string_equal(c.stage.deps[GLOB_EACH_MAX].path, "m/d/1.x");
	make("m/more.x");
	make("ns/more");
	assert_int_equal(cache_task_deps(root_fd, &on, f.a, NULL, &c, &err), 0);
	assert_int_equal(c.stage.ndeps, GLOB_EACH_MAX + 3);
	assert_string_equal(c.stage.deps[0].path, "m/*.x");
	assert_true(c.stage.deps[0].glob);
	assert_string_equal(c.stage.deps[1].path, "m/d/1.x");
	assert_false(c.stage.deps[1].glob);
	assert_string_equal(c.stage.deps[GLOB_EACH_MAX + 2].path, "ns/more");
	assert_int_equal(cache_task_deps(root_fd, &on, f.a, &locked, &c, &err), 0);
	assert_int_equal(c.stage.ndeps, GLOB_EACH_MAX + 3);
	assert_string_equal(c.stage.deps[1].path, "m/*/*");
	assert_true(c.stage.deps[1].glob);
	stop(&f);
}

static void
a_glob_of_directories(void **state)
{
	struct arena *a = arena_new(0);
	struct glob_paths v = {0};
	struct err err = {0};
	char path[32];
	bool many;

	(void)state;
	for (int i = 0; i <= GLOB_DIRS_MAX; i++) {
		assert_int_equal(glob_expand(root_fd, "dirs/**", &on, a, &v, &many, &err),
				 0);
		assert_false(many);
		assert_int_equal(v.v.n, i);
		v.v.n = 0;
		(void)snprintf(path, sizeof(path), "dirs/%d/x", i);
		make(path);
	}
	assert_int_equal(glob_expand(root_fd, "dirs/**", &on, a, &v, &many, &err), 0);
	assert_true(many);
	assert_int_equal(v.v.n, 0);
	assert_int_equal(glob_expand(root_fd, "dirs/*/x", &on, a, &v, &many, &err), 0);
	assert_false(many);
	assert_int_equal(v.v.n, GLOB_DIRS_MAX + 1);
	vec_release(&v.v);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_it_is),
	    cmocka_unit_test(what_it_is_told),
	    cmocka_unit_test(environment),
	    cmocka_unit_test(how_it_runs),
	    cmocka_unit_test(dependencies),
	    cmocka_unit_test(a_glob_that_is_stopped),
	    cmocka_unit_test(a_glob_that_is_one),
	    cmocka_unit_test(a_glob_of_directories),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
