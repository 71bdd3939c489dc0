/*
 * Old runs are deleted while others write; whatever gc is killed at, the next one finishes.
 */
#include "unit/store/meta_test.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/num.h"
#include "scheduler/gc.h"
#include "store/meta_internal.h"
#include "store/owner.h"

static int64_t runs = 4000;

static int64_t
number(struct meta *m, const char *sql)
{
	sqlite3_stmt *s;
	int64_t v;

	assert_int_equal(sqlite3_prepare_v2(m->db.h, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	v = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return v;
}

/* ${n} ended runs of 10 DAGs, one in 50 failed, each with two tasks, an attempt with an
 * output, and three events. */
static void
make_history(struct meta *m, int64_t n)
{
	char sql[4096];

	(void)snprintf(
	    sql, sizeof(sql),
	    "PRAGMA synchronous = OFF; BEGIN;"
	    "INSERT INTO definition VALUES ('h', 'tasks: {}', 1), ('unused', '', 1);"
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
	    "%lld),"
	    "k (i, id) AS (SELECT i, printf('%%08x-%%04x-7%%03x-8000-%%012x', 26000000 + "
	    "i / 65536, i %% 65536, i %% 4096, (i * 2654435761) %% 281474976710656) FROM "
	    "n) "
	    "INSERT INTO run SELECT i, id, substr(id, 1, 12), 'dag' || (i %% 10), "
	    "'manual', i, i, i, '', 'f.yaml', 'h', '{}', '{}', 'done', "
	    "iif(i %% 50 = 0, 'failed', 'success'), NULL, 1, 'b', i * 1000, i * 1000, "
	    "i * 1000 + 5, 0, NULL, NULL FROM k;"
	    "INSERT INTO task (run, name, map, ord, selected, state, result, attempt) "
	    "SELECT rid, 'a', -1, 0, 1, 'done', 'success', 1 FROM run;"
	    "INSERT INTO task (run, name, map, ord, selected, state, result) "
	    "SELECT rid, 'b', -1, 1, 1, 'done', 'skipped' FROM run;"
	    "INSERT INTO attempt (run, task, map, number, id, epoch, boot_id, executor, "
	    "dir, state, result, created_us) SELECT rid, 'a', -1, 1, id, 1, 'b', "
	    "'local', "
	    "'runs/' || id || '/a.-1.1', 'done', 'success', 1 FROM run;"
	    "INSERT INTO output SELECT aid, 'k', 'v' FROM attempt;"
	    "INSERT INTO event (at_us, run, map, number, event) "
	    "SELECT rid, rid, -1, 0, e FROM run, (SELECT 'x' AS e UNION ALL SELECT 'y' "
	    "UNION ALL SELECT 'z');"
	    "COMMIT; PRAGMA synchronous = FULL;",
	    (long long)n);
	ok(db_script(&m->db, sql, &err));
}

/* The directory of every ${step}th run, with a log in it. */
static void
make_dirs(const struct place *pl, struct meta *m, int64_t step)
{
	sqlite3_stmt *s;
	char path[200];

	assert_int_equal(sqlite3_prepare_v2(m->db.h,
					    "SELECT id FROM run WHERE rid % ? = 0", -1,
					    &s, NULL),
			 SQLITE_OK);
	sqlite3_bind_int64(s, 1, step);
	while (sqlite3_step(s) == SQLITE_ROW) {
		const char *id = (const char *)sqlite3_column_text(s, 0);

		(void)snprintf(path, sizeof(path), "runs/%s/a.-1.1", id);
		ok(fsio_mkdirs(pl->p.state_fd, path, 0700, &err));
		(void)snprintf(path, sizeof(path), "runs/%s/a.-1.1/log", id);
		close(openat(pl->p.state_fd, path, O_WRONLY | O_CREAT, 0600));
	}
	sqlite3_finalize(s);
}

static size_t
count_dirs(const struct place *pl)
{
	char cmd[200];
	FILE *f;
	int n = -1;

	(void)snprintf(cmd, sizeof(cmd), "ls %s/runs | wc -l", pl->p.state);
	f = popen(cmd, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &n), 1);
	pclose(f);
	return (size_t)n;
}

static void
sound(struct meta *m)
{
	ok(meta_check(m, true, &err));
	assert_int_equal(number(m, "SELECT count(*) FROM event WHERE run NOT IN "
				   "(SELECT rid FROM run)"),
			 0);
}

static struct gc
gc_of(struct place *pl, struct meta *m, struct meta_gc_rule rule)
{
	return (struct gc){.p = &pl->p, .m = m, .rule = rule};
}

/* What the rules keep, at their limits. */
static void
test_rules(void **state)
{
	struct meta_gc_rule newest = {.by_number = true, .newest = 3};
	struct meta_gc_rule age = {.ended_us = 351 * 1000 + 5};
	struct meta_gc_rule one = {.by_number = true, .dag = "dag3"};
	struct place pl;
	struct meta *m;
	struct gc g;

	(void)state;
	place_make(&pl);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	make_history(m, 400);
	/* Of dag0 every fifth has failed; rid 400 is one, its last success is 390. */
	g = gc_of(&pl, m, age);
	g.dry_run = true;
	ok(gc_runs(&g, &err));
	assert_int_equal(g.counts.runs, 350);
	assert_int_equal(number(m, "SELECT count(*) FROM run"), 400);
	g = gc_of(&pl, m, age);
	ok(gc_runs(&g, &err));
	assert_int_equal(g.counts.runs, 350);
	assert_int_equal(g.counts.definitions, 1);
	assert_int_equal(number(m, "SELECT min(rid) FROM run"),
			 351); /* at that instant */
	g = gc_of(&pl, m, newest);
	ok(gc_runs(&g, &err));
	assert_int_equal(number(m, "SELECT count(*) FROM run"), 30);
	one.last_too = false;
	g = gc_of(&pl, m, one);
	ok(gc_runs(&g, &err)); /* none is to be kept, but the last always is */
	assert_int_equal(number(m, "SELECT count(*) FROM run WHERE dag = 'dag3'"), 1);
	one.dag = "dag0";
	g = gc_of(&pl, m, one);
	ok(gc_runs(&g, &err));
	assert_int_equal(number(m, "SELECT count(*) FROM run WHERE dag = 'dag0'"), 2);
	assert_int_equal(number(m, "SELECT min(rid) FROM run WHERE dag = 'dag0'"), 390);
	one.last_too = true;
	g = gc_of(&pl, m, one);
	ok(gc_runs(&g, &err));
	assert_int_equal(number(m, "SELECT count(*) FROM run WHERE dag = 'dag0'"), 0);
	assert_int_equal(number(m, "SELECT count(*) FROM definition"), 1);
	one.dag = NULL;
	g = gc_of(&pl, m, one);
	ok(gc_runs(&g, &err));
	for (const char *const *t =
		 (const char *const[]){"run", "task", "attempt", "output", "event",
				       "definition", NULL};
	     *t != NULL; t++) {
		char sql[64];

		(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", *t);
		assert_int_equal(number(m, sql), 0);
	}
	sound(m);
	meta_close(m);
	place_remove(&pl);
}

/* One that runs, one that was interrupted, one that somebody is about to begin anew. */
static void
test_left_alone(void **state)
{
	struct meta_gc_rule all = {.by_number = true, .last_too = true};
	char id[META_RUN_ID];
	struct meta_gc_run stale;
	struct place pl;
	struct meta *m;
	struct gc g;
	int64_t epoch;
	size_t done;
	int lock;

	(void)state;
	place_make(&pl);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	make_history(m, 20);
	make_dirs(&pl, m, 1);
	make_run(m, "live", id, 1);
	g = gc_of(&pl, m, all);
	g.rule.dag = "live";
	ok(gc_runs(&g, &err));
	assert_int_equal(g.counts.runs + g.counts.busy, 0);
	/* Its owner lock is taken: dag retry has come first. */
	(void)snprintf(id, sizeof(id), "%s", "018cba80-0001-7001-8000-00009e3779b1");
	assert_int_equal(number(m, "SELECT count(*) FROM run WHERE id = "
				   "'018cba80-0001-7001-8000-00009e3779b1'"),
			 1);
	lock = owner_take(&pl.p, id, &err);
	assert_true(lock >= 0);
	g = gc_of(&pl, m, all);
	ok(gc_runs(&g, &err));
	assert_int_equal(g.counts.runs, 19);
	assert_int_equal(g.counts.busy, 1);
	/* It was taken since it was found: its epoch has been raised. */
	memset(&stale, 0, sizeof(stale));
	stale.rid = 1;
	stale.epoch = 1;
	memcpy(stale.id, id, sizeof(id));
	ok(meta_run_take(m, id, BOOT, &epoch, &err));
	ok(meta_gc_delete(m, &stale, 1, 100, &done, &err));
	assert_int_equal(done, 1);
	assert_false(stale.gone);
	owner_release(lock);
	ok(gc_runs(&g, &err));
	assert_int_equal(number(m, "SELECT count(*) FROM run"), 1);
	assert_int_equal(count_dirs(&pl), 0);
	sound(m);
	meta_close(m);
	place_remove(&pl);
}

static void
test_orphans(void **state)
{
	static const char old[] = "runs/018cba80-0001-7001-8000-00009e3779b1/a.-1.1";
	static const char alive[] = "runs/018cba80-0002-7001-8000-00009e3779b1/a.-1.1";
	static const char owned[] = "018cba80-0003-7001-8000-00009e3779b1";
	struct meta_gc_rule rule = {.by_number = true, .newest = 1000};
	char young[META_RUN_ID], path[100];
	struct place pl;
	struct meta *m;
	struct gc g;
	int fd, lock;

	(void)state;
	place_make(&pl);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	ok(fsio_mkdirs(pl.p.state_fd, old, 0700, &err));
	ok(fsio_mkdirs(pl.p.state_fd, alive, 0700, &err));
	(void)snprintf(path, sizeof(path), "%s/alive", alive);
	fd = openat(pl.p.state_fd, path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	lock = owner_take(&pl.p, owned, &err);
	assert_int_equal(uuid7(young, clock_now().wall_us), 0);
	(void)snprintf(path, sizeof(path), "runs/%s", young);
	ok(fsio_mkdirs(pl.p.state_fd, path, 0700, &err));
	ok(fsio_mkdirs(pl.p.state_fd, "runs/somebody's", 0700, &err));
	g = gc_of(&pl, m, rule);
	g.dry_run = true;
	ok(gc_runs(&g, &err));
	assert_int_equal(g.counts.orphans, 1);
	assert_int_equal(count_dirs(&pl), 5);
	g = gc_of(&pl, m, rule);
	g.rule.dag = "x"; /* not asked for */
	ok(gc_runs(&g, &err));
	assert_int_equal(count_dirs(&pl), 5);
	g = gc_of(&pl, m, rule);
	ok(gc_runs(&g, &err));
	assert_int_equal(g.counts.orphans, 1);
	assert_int_equal(count_dirs(&pl), 4);
	assert_int_equal(faccessat(pl.p.state_fd, old, F_OK, 0), -1);
	close(fd);
	owner_release(lock);
	g = gc_of(&pl, m, rule);
	ok(gc_runs(&g, &err));
	assert_int_equal(g.counts.orphans, 2);
	assert_int_equal(count_dirs(&pl), 2); /* a young one, and one that is none */
	meta_close(m);
	place_remove(&pl);
}

/* Killed wherever it is, the next one finishes, and nothing is half there in between. */
struct killer {
	uint64_t at, seen;
};

static void
maybe_die(void *ctx, const struct gc_counts *n)
{
	struct killer *k = ctx;

	(void)n;
	if (++k->seen == k->at)
		raise(SIGKILL);
}

static void
test_killed(void **state)
{
	struct meta_gc_rule rule = {.by_number = true, .newest = 5};
	unsigned killed = 0, at;
	struct place pl;
	struct meta *m;
	struct gc g;
	int st = 0;
	pid_t pid;

	(void)state;
	place_make(&pl);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	make_history(m, 1000);
	make_dirs(&pl, m, 3);
	meta_close(m);
	for (at = 1; at < 40; at += 2) {
		struct killer k = {.at = at};

		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			/* At the n-th slice, or while it works, a random time later. */
			if (at % 4 == 3)
				(void)setitimer(
				    ITIMER_REAL,
				    &(struct itimerval){.it_value.tv_usec =
							    (suseconds_t)(at * 997)},
				    NULL);
			if (meta_open(&pl.p, META_WRITE, &m, NULL) != 0)
				_exit(9);
			g = gc_of(&pl, m, rule);
			g.ctx = &k;
			g.progress = at % 4 == 3 ? NULL : maybe_die;
			_exit(gc_runs(&g, NULL) == 0 ? 0 : 8);
		}
		assert_int_equal(waitpid(pid, &st, 0), pid);
		killed += WIFSIGNALED(st);
		assert_true(WIFSIGNALED(st) || WEXITSTATUS(st) == 0);
		ok(meta_open(&pl.p, META_WRITE, &m, &err));
		sound(m);
		assert_int_equal(number(m,
					"SELECT count(*) FROM run WHERE (SELECT count(*) "
					"FROM task WHERE run = rid) <> 2"),
				 0);
		meta_close(m);
	}
	assert_true(killed >= 3);
	print_message("killed %u times\n", killed);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	g = gc_of(&pl, m, rule);
	ok(gc_runs(&g, &err));
	assert_int_equal(number(m, "SELECT count(*) FROM run"), 50);
	assert_true(count_dirs(&pl) <= 50);
	sound(m);
	meta_close(m);
	place_remove(&pl);
}

static void
test_two_at_once(void **state)
{
	struct meta_gc_rule rule = {.by_number = true, .newest = 5};
	struct place pl;
	struct meta *m;
	struct gc g;
	int lock;

	(void)state;
	place_make(&pl);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	lock = fsio_lock(pl.p.state_fd, "gc.lock", LOCK_TRY, true, &err);
	assert_true(lock >= 0);
	g = gc_of(&pl, m, rule);
	fails(gc_runs(&g, &err), ERR_BUSY);
	says("another 'dag gc' is at work");
	g.dry_run = true;
	ok(gc_runs(&g, &err));
	close(lock);
	g.dry_run = false;
	ok(gc_runs(&g, &err));
	meta_close(m);
	place_remove(&pl);
}

/* ---- others who write meanwhile ---- */

struct writer {
	struct place *pl;
	char run[META_RUN_ID];
	bool stop;
	size_t n;
	int64_t took[100000];
};

static int
by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void *
write_on(void *arg)
{
	struct writer *w = arg;
	const struct timespec nap = {.tv_nsec = 2000000};
	struct meta *m;

	assert_int_equal(meta_open(&w->pl->p, META_WRITE, &m, NULL), 0);
	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED) && w->n < 100000) {
		int64_t from = clock_now().mono_us;
		struct meta_op op = {.kind = META_OP_EVENT,
				     .run = w->run,
				     .epoch = 1,
				     .map = -1,
				     .at_us = from,
				     .event = "tick"};

		assert_int_equal(meta_commit(m, &op, 1, NULL, NULL), 0);
		w->took[w->n++] = clock_now().mono_us - from;
		(void)nanosleep(&nap, NULL);
	}
	meta_close(m);
	return NULL;
}

/* ... and a run with thousands of tasks, events and attempts among the old ones. */
static void
add_big_run(struct meta *m, int64_t n)
{
	char sql[2048];

	(void)snprintf(
	    sql, sizeof(sql),
	    "PRAGMA synchronous = OFF; BEGIN;"
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
	    "%lld) "
	    "INSERT INTO task (run, name, map, ord, selected, state, result) "
	    "SELECT 11, 't' || i, -1, i, 1, 'done', 'success' FROM n;"
	    "INSERT INTO attempt (run, task, map, number, id, epoch, boot_id, executor, "
	    "dir, state, result, created_us) SELECT run, name, map, 1, name, 1, 'b', "
	    "'local', '', 'done', 'success', 1 FROM task WHERE run = 11 AND name <> 'a';"
	    "INSERT INTO event (at_us, run, map, number, event) "
	    "SELECT 1, run, -1, 0, e FROM task, (SELECT 'x' AS e UNION ALL SELECT 'y' "
	    "UNION ALL SELECT 'z') WHERE run = 11;"
	    "COMMIT; PRAGMA synchronous = FULL;",
	    (long long)n);
	ok(db_script(&m->db, sql, &err));
}

static void
test_others_write(void **state)
{
	static struct writer w;
	struct meta_gc_rule rule = {.by_number = true, .newest = 10};
	int64_t from, took, p99;
	struct place pl;
	struct meta *m;
	struct gc g;
	pthread_t t;

	(void)state;
	place_make(&pl);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	make_history(m, runs);
	add_big_run(m, 5000);
	make_dirs(&pl, m, runs > 100000 ? 50 : 10);
	w.pl = &pl;
	make_run(m, "live", w.run, 1);
	assert_int_equal(pthread_create(&t, NULL, write_on, &w), 0);
	from = clock_now().mono_us;
	g = gc_of(&pl, m, rule);
	ok(gc_runs(&g, &err));
	took = clock_now().mono_us - from;
	__atomic_store_n(&w.stop, true, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(g.counts.runs, runs - 100);
	assert_int_equal(number(m, "SELECT count(*) FROM run"), 101);
	qsort(w.took, w.n, sizeof(w.took[0]), by_size);
	p99 = w.n > 0 ? w.took[w.n * 99 / 100] : 0;
	print_message("%lld runs in %lld ms; %zu commits of somebody else meanwhile: p50 "
		      "%lld us, p99 %lld us, at most %lld us\n",
		      (long long)g.counts.runs, (long long)(took / 1000), w.n,
		      (long long)(w.n > 0 ? w.took[w.n / 2] : 0), (long long)p99,
		      (long long)(w.n > 0 ? w.took[w.n - 1] : 0));
	/* It had its turn again and again, never after most of the work had gone by, however
	 * slow the machine is. */
	assert_true(w.n >= 10);
	assert_true(w.took[w.n - 1] < took / 2);
	sound(m);
	meta_close(m);
	place_remove(&pl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rules),	cmocka_unit_test(test_left_alone),
	    cmocka_unit_test(test_orphans),	cmocka_unit_test(test_killed),
	    cmocka_unit_test(test_two_at_once), cmocka_unit_test(test_others_write),
	};
	const char *s = getenv("DAG_BENCH_RUNS");

	if (s != NULL)
		assert_int_equal(num_i64(s, &runs), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
