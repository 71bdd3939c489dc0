/*
 * A long history: pages and names cost what they show, not what there is.  20,000 runs as a
 * unit test; bench/meta_million.sh asks for a million of them and for times.
 */
#include "unit/store/meta_test.h"

#include <sqlite3.h>
#include <time.h>

#include "base/num.h"
#include "store/meta_internal.h"

static int64_t runs = 20000;
static int64_t limit_us; /* 0: only told */

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* When run number i was made. */
#define MADE(i) ((INT64_C(26000000) * 65536 + (i)) * 1000)

/* tail_of(id) in SQL. */
static void
sql_tail_of(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	char tail[META_TAIL + 1];

	(void)argc;
	meta_tail_of((const char *)sqlite3_value_text(argv[0]), tail);
	sqlite3_result_text(ctx, tail, -1, SQLITE_TRANSIENT);
}

/* Fill the tables by SQL: 100 DAGs, one run in 50 failed, the last 3 running, and of each run
 * a task and an event. */
static void
make_history(struct meta *m)
{
	char sql[2048];

	assert_int_equal(sqlite3_create_function(m->db.h, "tail_of", 1, SQLITE_UTF8, NULL,
						 sql_tail_of, NULL, NULL),
			 SQLITE_OK);
	(void)snprintf(
	    sql, sizeof(sql),
	    "PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN;"
	    "INSERT INTO definition VALUES ('h', 'tasks: {}', 1);"
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
	    "%lld),"
	    "k (i, made, id) AS (SELECT i, (26000000 * 65536 + i) * 1000, "
	    "printf('%%08x-%%04x-7%%03x-8000-%%012x', 26000000 + "
	    "i / "
	    "65536, i %% 65536, i %% 4096, (i * 2654435761) %% 281474976710656) FROM n) "
	    "INSERT INTO run SELECT i, id, tail_of(id), 'dag' || (i %% 100), "
	    "'scheduled', "
	    "i * 1000, i, i, '', 'f.yaml', 'h', '{}', '{}', "
	    "iif(i > %lld - 3, 'running', 'done'), "
	    "iif(i > %lld - 3, '', iif(i %% 50 = 0, 'failed', 'success')), NULL, 1, 'b', "
	    "made, made, made, 0, NULL, NULL FROM k;"
	    "INSERT INTO task (run, name, map, ord, selected, state, result) "
	    "SELECT rid, 'only', -1, 0, 1, 'done', 'success' FROM run;"
	    "INSERT INTO event (at_us, run, map, number, event) "
	    "SELECT rid, rid, -1, 0, 'success' FROM run; COMMIT;",
	    (long long)runs, (long long)runs, (long long)runs);
	ok(db_script(&m->db, sql, &err));
}

/* Run ${call} and tell its time. */
#define timed(what, call)                                                  \
	do {                                                               \
		int64_t from_ = now_us(), took_;                           \
		ok(call);                                                  \
		took_ = now_us() - from_;                                  \
		print_message("%-32s %6lld us\n", what, (long long)took_); \
		if (limit_us != 0 && took_ > limit_us)                     \
			fail_msg("%s took more than %lld us", what,        \
				 (long long)limit_us);                     \
	} while (0)

static void
check_page(struct meta *m, const char *what, struct meta_run_filter f, size_t expected)
{
	struct arena *a = arena_new(0);
	struct meta_run *v;
	char tail[META_RUN_ID];
	size_t n;

	timed(what, meta_runs(m, &f, a, &v, &n, &err));
	assert_int_equal(n, expected);
	if (n == f.limit) { /* the next page as quickly */
		memcpy(tail, v[n - 1].id, sizeof(tail));
		f.before = tail;
		timed("  the next page", meta_runs(m, &f, a, &v, &n, &err));
		assert_true(n == 0 || strcmp(v[0].id, tail) < 0);
	}
	arena_free(a);
}

static void
test_history(void **state)
{
	const struct meta_run_filter any = {.state = -1, .result = -1, .limit = 50};
	struct meta_run_filter f;
	struct arena *a = arena_new(0);
	struct meta_event *events;
	char end[8], middle[META_RUN_ID];
	struct meta_run r;
	struct place pl;
	struct meta *m;
	size_t n;

	(void)state;
	place_make(&pl);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	make_history(m);
	meta_close(m);
	timed("open", meta_open(&pl.p, META_READ, &m, &err));
	check_page(m, "newest", any, 50);
	f = any;
	f.dag = "dag7";
	check_page(m, "of a DAG", f, 50);
	f.result = RUN_FAILED;
	check_page(m, "failed of a DAG that has none", f, 0);
	f.dag = "dag50";
	check_page(m, "failed of a DAG", f, 50);
	f.dag = NULL;
	check_page(m, "failed", f, 50);
	f.result = RUN_CANCELLED;
	check_page(m, "cancelled (there are none)", f, 0);
	f = any;
	f.state = RUN_RUNNING;
	check_page(m, "running", f, 3);
	f.state = RUN_DONE;
	check_page(m, "done", f, 50);
	/* One is made each millisecond. */
	f = any;
	f.since_us = MADE(runs - 20);
	check_page(m, "since lately", f, 21);
	f.until_us = MADE(runs - 10);
	check_page(m, "between", f, 10);
	f.since_us++;
	f.until_us++;
	check_page(m, "to the microsecond", f, 10);
	f = any;
	f.until_us = MADE(runs / 2) + 1;
	check_page(m, "before the middle", f, 50);
	f.dag = "dag50";
	f.result = RUN_FAILED;
	f.since_us = MADE(1);
	check_page(m, "failed of a DAG before it", f, 50);
	f.since_us = MADE(runs + 1);
	f.until_us = 0;
	check_page(m, "since tomorrow", f, 0);
	f.since_us = 0;
	f.until_us = MADE(1);
	check_page(m, "before all", f, 0);

	timed("last", meta_run_resolve(m, "last", a, &r, &err));
	memcpy(end, r.id + 30, 7);
	timed("by its end", meta_run_resolve(m, end, a, &r, &err));
	timed("latest of a DAG", meta_run_resolve(m, "dag42", a, &r, &err));
	memcpy(middle, r.id, sizeof(middle));
	timed("by id", meta_run_resolve(m, middle, a, &r, &err));
	timed("counts", meta_run_counts(m, &r, &err));
	assert_int_equal(r.ntasks, 1);
	timed("events of a run", meta_events(m, middle, 0, 50, a, &events, &n, &err));
	assert_int_equal(n, 1);
	timed("events of all", meta_events(m, NULL, runs / 2, 50, a, &events, &n, &err));
	assert_int_equal(n, 50);
	meta_close(m);
	arena_free(a);
	if (getenv("DAG_BENCH_KEEP") != NULL)
		ok(rename(pl.dir, getenv("DAG_BENCH_KEEP")));
	else
		place_remove(&pl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_history)};
	const char *s = getenv("DAG_BENCH_RUNS");

	if (s != NULL) {
		assert_int_equal(num_i64(s, &runs), 0);
		limit_us = 20000;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
