/*
 * A task before and after its attempt where memory runs out: it runs, or does not, for the right
 * reason, what it made is kept whole or not at all, and the next try succeeds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fsio.h"
#include "render_fixture.h"
#include "scheduler/cache_job.h"
#include "scheduler/cache_pool.h"
#include "store/project.h"
#include "unit/memory.h"

#define SOME 120 /* allocations of a call that fail; all with DAG_MEMORY_ALL */

static const char text[] = "params: {size: 3}\n"
			   "tasks:\n"
			   "  t:\n"
			   "    inputs: [in, 'data/*']\n"
			   "    code: [src]\n"
			   "    outputs: [o, d]\n"
			   "    env: {N: '{{ params.size }}'}\n"
			   "    run: x\n";

static char root[64];
static struct project p;
static struct fixture f;
static const bool on; /* nobody stops it */
static char *inputs, *lock;

static void
put(const char *path, const char *s)
{
	int fd = openat(p.root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fsio_write_all(fd, s, strlen(s)), 0);
	(void)close(fd);
}

static void
drop(const char *path)
{
	(void)fsio_remove_tree(p.root_fd, path, NULL);
}

static bool
holds(const char *path, const char *s)
{
	struct buf b;
	bool same;

	buf_init(&b, 0);
	same = fsio_read(p.root_fd, path, 1 << 20, &b, NULL) == 0 && strcmp(b.p, s) == 0;
	buf_release(&b);
	return same;
}

static void
make_outputs(void *ctx)
{
	(void)ctx;
	drop("d");
	assert_int_equal(mkdirat(p.root_fd, "d", 0700), 0);
	put("d/x", "x\n");
	put("o", "o\n");
}

static struct cache_job *
job_of(struct cache_pool *pool, struct err *err)
{
	const struct cache_ask ask = {.pool = pool,
				      .project = &p,
				      .dag = "p",
				      .task = dag_task_find(f.g, "t"),
				      .values = &f.v,
				      .paths = &f.paths,
				      .lock = "p.dag.lock",
				      .write_lock = true,
				      .stop = &on};
	struct cache_job *j = NULL;

	return cache_job_new(&ask, &j, err) == 0 ? j : NULL;
}

/* With a repository that is opened for it; 0 where it ended with ${want}. */
static int
with_job(int (*fn)(struct cache_job *, struct err *), int want, struct err *err)
{
	struct cache_pool *pool = cache_pool_new(&p, false);
	struct cache_job *j = NULL;
	int rc = -1;

	if (pool == NULL)
		rc = err_nomem(err);
	else if ((j = job_of(pool, err)) != NULL)
		rc = fn(j, err);
	if (rc >= 0 && rc != want)
		rc = err_set(err, ERR_INVALID, "%d", rc);
	if (rc == want && rc == 0 && inputs == NULL)
		inputs = strdup(j->inputs);
	cache_job_free(j);
	cache_pool_free(pool);
	return rc < 0 ? -1 : 0;
}

static int
keep(struct cache_job *j, struct err *err)
{
	if (cache_job_keep(j, inputs, err) != 0)
		return -1;
	if (lock == NULL) {
		struct buf b;

		/* As the lock file has it. */
		buf_init(&b, 0);
		buf_adds(&b, "schema: '2.0'\nstages:\n  t:\n    ");
		for (const char *s = j->result.entry; *s != '\0'; s++) {
			buf_addc(&b, *s);
			if (*s == '\n' && s[1] != '\0')
				buf_adds(&b, "    ");
		}
		lock = buf_steal(&b);
	}
	return 0;
}

static int
run_decide(void *ctx, struct err *err)
{
	(void)ctx;
	return with_job(cache_job_decide, 0, err);
}

static int
run_restore(void *ctx, struct err *err)
{
	(void)ctx;
	return with_job(cache_job_decide, 1, err);
}

static int
run_keep(void *ctx, struct err *err)
{
	(void)ctx;
	return with_job(keep, 0, err);
}

static void
kept(void *ctx, int rc)
{
	(void)ctx;
	(void)rc;
	assert_true(holds("o", "o\n") && holds("d/x", "x\n"));
}

static void
lose(void *ctx)
{
	(void)ctx;
	drop("d");
	put("o", "of another branch\n");
}

static void
restored(void *ctx, int rc)
{
	(void)ctx;
	if (rc == 0)
		assert_true(holds("o", "o\n") && holds("d/x", "x\n"));
}

static int
setup(void **state)
{
	struct err err;

	(void)state;
	(void)setenv("DVC_SYSTEM_CONFIG_DIR", "/nonexistent", 1);
	(void)setenv("DVC_GLOBAL_CONFIG_DIR", "/nonexistent", 1);
	(void)setenv("XDG_CONFIG_DIRS", "/nonexistent", 1);
	(void)setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	(void)setenv("HOME", "/nonexistent", 1);
	(void)snprintf(root, sizeof(root), "/tmp/test_cache_memory.XXXXXX");
	assert_non_null(mkdtemp(root));
	assert_int_equal(project_find(NULL, root, true, &p, &err), 0);
	assert_int_equal(mkdirat(p.root_fd, "data", 0700), 0);
	assert_int_equal(mkdirat(p.root_fd, "src", 0700), 0);
	put("in", "1\n");
	put("data/a", "a\n");
	put("data/b", "b\n");
	put("src/main.py", "x\n");
	start(&f, text, NULL, 0);
	assert_int_equal(render_paths(&f.v, dag_task_find(f.g, "t"), f.a, &f.paths, &err),
			 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	stop(&f);
	free(inputs);
	free(lock);
	project_release(&p);
	return fsio_remove_tree(AT_FDCWD, root, NULL);
}

/* One life: it is to run, has run, need not run again. */
static void
test_life(void **state)
{
	struct memory_call c = {"decide", NULL, run_decide, NULL, NULL, SOME};

	(void)state;
	assert_true(memory_fail_each(&c) > 50);
	assert_non_null(strstr(inputs, "path: data/b"));
	make_outputs(NULL);
	c = (struct memory_call){"keep", make_outputs, run_keep, kept, NULL, SOME};
	assert_true(memory_fail_each(&c) > 50);
	/* By the run cache, then by the lock. */
	c = (struct memory_call){"restore", lose, run_restore, restored, NULL, SOME};
	assert_true(memory_fail_each(&c) > 50);
	put("p.dag.lock", lock);
	c.what = "restore by the lock";
	assert_true(memory_fail_each(&c) > 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_life, setup, teardown),
	};

	return cmocka_run_group_tests_name("scheduler/cache_memory", tests, NULL, NULL);
}
