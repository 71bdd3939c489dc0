#include "unit/store/meta_test.h"

#include <ctype.h>
#include <sqlite3.h>

#include "store/meta_internal.h"

struct fixture {
	struct place pl;
	struct meta *m;
	struct arena *a;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	place_make(&f->pl);
	ok(meta_open(&f->pl.p, META_WRITE, &f->m, &err));
	f->a = arena_new(0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	meta_close(f->m);
	arena_free(f->a);
	place_remove(&f->pl);
	free(f);
	return 0;
}

/* Create a run with the id ${id} and nothing special. */
static void
plain_run(struct fixture *f, const char *id, const char *dag, const char *kind,
	  int64_t logical_us)
{
	struct meta_run_new r = {.id = id,
				 .dag = dag,
				 .kind = kind,
				 .logical_us = logical_us,
				 .partition = "",
				 .file = "x\xff.yaml",
				 .def_hash = "h1",
				 .def_source = "a\0b",
				 .def_source_len = 3,
				 .params = "{\"p\":1}",
				 .options = "{}",
				 .created_us = tick()};

	ok(meta_run_create(f->m, &r, BOOT, &err));
}

static void
finish(struct fixture *f, const char *run, enum run_result result)
{
	struct meta_op op = {.kind = META_OP_RUN,
			     .run = run,
			     .epoch = 1,
			     .at_us = tick(),
			     .run_state = RUN_DONE,
			     .run_result = result,
			     .started_us = tick(),
			     .ended_us = tick()};

	commit(f->m, &op, 1);
}

#define ID1 "0193b7c4-0001-7000-8000-00000000ab01"
#define ID2 "0193b7c4-0002-7000-8000-0000111cab01"
#define ID3 "0193b7c4-0003-7000-8000-0000222cab01"

static void
test_run_round_trip(void **state)
{
	const struct meta_task_new tasks[] = {
	    {"z", -1, true}, {"m", 1, true}, {"m", 0, true}, {"off", -1, false}};
	struct meta_run_new r = {.id = ID1,
				 .dag = "demo",
				 .kind = "scheduled",
				 .logical_us = 11,
				 .interval_start_us = 12,
				 .interval_end_us = 13,
				 .partition = "p1",
				 .file = "dags/demo.yaml",
				 .def_hash = "h",
				 .def_source = "x: \0",
				 .def_source_len = 4,
				 .params = "{\"a\":1}",
				 .options = "{\"fail_fast\":true}",
				 .created_us = 14,
				 .deadline_us = 15,
				 .tasks = tasks,
				 .ntasks = 4};
	struct fixture *f = *state;
	struct meta_task *t;
	struct meta_run run;
	const char *source;
	size_t n;

	ok(meta_run_create(f->m, &r, BOOT, &err));
	ok(meta_run_get(f->m, ID1, f->a, &run, &err));
	assert_string_equal(run.id, ID1);
	assert_string_equal(run.dag, "demo");
	assert_string_equal(run.kind, "scheduled");
	assert_string_equal(run.partition, "p1");
	assert_string_equal(run.file, "dags/demo.yaml");
	assert_string_equal(run.params, "{\"a\":1}");
	assert_string_equal(run.options, "{\"fail_fast\":true}");
	assert_null(run.reason);
	assert_int_equal(run.logical_us, 11);
	assert_int_equal(run.interval_start_us, 12);
	assert_int_equal(run.interval_end_us, 13);
	assert_int_equal(run.created_us, 14);
	assert_int_equal(run.deadline_us, 15);
	assert_int_equal(run.state, RUN_RUNNING);
	assert_int_equal(run.result, RUN_NONE);
	assert_int_equal(run.epoch, 1);
	ok(meta_tasks(f->m, ID1, f->a, &t, &n, &err));
	assert_int_equal(n, 4);
	assert_string_equal(t[0].name, "z"); /* in the order they were given */
	assert_string_equal(t[1].name, "m");
	assert_int_equal(t[1].map, 1);
	assert_int_equal(t[2].map, 0);
	assert_int_equal(t[0].state, TASK_WAITING);
	assert_false(t[3].selected);
	assert_int_equal(t[3].state, TASK_DONE);
	assert_int_equal(t[3].result, RESULT_SKIPPED);
	ok(meta_run_counts(f->m, &run, &err));
	assert_int_equal(run.ntasks, 4);
	assert_int_equal(run.counts[RESULT_SKIPPED], 1);
	assert_int_equal(run.counts[RESULT_NONE], 3);
	assert_int_equal(run.nrunning, 0);
	ok(meta_definition(f->m, "h", f->a, &source, &n, &err));
	assert_int_equal(n, 4);
	assert_memory_equal(source, "x: \0", 5);
	fails(meta_definition(f->m, "none", f->a, &source, &n, &err), ERR_NOTFOUND);
	fails(meta_run_get(f->m, ID2, f->a, &run, &err), ERR_NOTFOUND);
	fails(meta_tasks(f->m, ID2, f->a, &t, &n, &err), ERR_NOTFOUND);

	/* The same tick again is refused, another partition, kind or instant is not. */
	r.id = ID2;
	fails(meta_run_create(f->m, &r, BOOT, &err), ERR_EXISTS);
	says(ID1);
	r.partition = "p2";
	ok(meta_run_create(f->m, &r, BOOT, &err));
	r.id = ID3;
	r.kind = "manual"; /* not unique */
	r.partition = "p1";
	ok(meta_run_create(f->m, &r, BOOT, &err));
	r.id = "0193b7c4-0004-7000-8000-00000000ab01";
	ok(meta_run_create(f->m, &r, BOOT, &err));
	fails(meta_run_create(f->m, &r, BOOT, &err), ERR_SYS); /* the id itself */
}

static void
test_resolve(void **state)
{
	struct fixture *f = *state;
	struct meta_run r;

	fails(meta_run_resolve(f->m, "last", f->a, &r, &err), ERR_NOTFOUND);
	says("no runs yet");
	plain_run(f, ID1, "demo", "manual", 1);
	plain_run(f, ID2, "demo", "manual", 2);
	plain_run(f, ID3, "other", "manual", 3);
	ok(meta_run_resolve(f->m, "last", f->a, &r, &err));
	assert_string_equal(r.id, ID3);
	ok(meta_run_resolve(f->m, "demo", f->a, &r, &err));
	assert_string_equal(r.id, ID2);
	ok(meta_run_resolve(f->m, ID1, f->a, &r, &err));
	assert_string_equal(r.id, ID1);
	ok(meta_run_resolve(f->m, "0193B7C4-0001-7000-8000-00000000AB01", f->a, &r,
			    &err));
	assert_string_equal(r.id, ID1);
	ok(meta_run_resolve(f->m, "1cab01", f->a, &r, &err));
	assert_string_equal(r.id, ID2);
	ok(meta_run_resolve(f->m, "0000222cab01", f->a, &r, &err));
	assert_string_equal(r.id, ID3);
	ok(meta_run_resolve(f->m, "8000-0000222cab01", f->a, &r, &err)); /* longer */
	assert_string_equal(r.id, ID3);
	fails(meta_run_resolve(f->m, "9000-0000222cab01", f->a, &r, &err), ERR_NOTFOUND);
	fails(meta_run_resolve(f->m, "cab01", f->a, &r, &err), ERR_NOTFOUND);
	says("at least 6");
	fails(meta_run_resolve(f->m, "nothing", f->a, &r, &err), ERR_NOTFOUND);
	says("'nothing'");
	fails(meta_run_resolve(f->m, "", f->a, &r, &err), ERR_NOTFOUND);
	fails(meta_run_resolve(f->m, "ffffff", f->a, &r, &err), ERR_NOTFOUND);
	fails(meta_run_resolve(f->m, "%cab01", f->a, &r, &err), ERR_NOTFOUND);
	/* Two runs of one end; a DAG called like the end of a run. */
	plain_run(f, "0193b7c4-0005-7000-8000-00009991cab1", "demo", "manual", 4);
	plain_run(f, "0193b7c4-0006-7000-8000-00008991cab1", "demo", "manual", 5);
	fails(meta_run_resolve(f->m, "91cab1", f->a, &r, &err), ERR_INVALID);
	says("0193b7c4-0005-7000-8000-00009991cab1");
	says("0193b7c4-0006-7000-8000-00008991cab1");
	ok(meta_run_resolve(f->m, "9991cab1", f->a, &r, &err));
	plain_run(f, "0193b7c4-0007-7000-8000-000000facade", "x", "manual", 6);
	plain_run(f, "0193b7c4-0008-7000-8000-000000000000", "facade", "manual", 7);
	fails(meta_run_resolve(f->m, "facade", f->a, &r, &err), ERR_INVALID);
	says("DAG");
}

/* Read all pages of ${limit} runs; return the number of runs. */
static size_t
all_pages(struct fixture *f, struct meta_run_filter filter)
{
	struct meta_run *v;
	char before[META_RUN_ID] = "";
	size_t n, total = 0;

	for (;;) {
		ok(meta_runs(f->m, &filter, f->a, &v, &n, &err));
		assert_true(n <= filter.limit);
		total += n;
		if (n == 0)
			return total;
		for (size_t i = 0; i < n; i++) {
			if (before[0] != '\0')
				assert_true(strcmp(v[i].id, before) < 0);
			memcpy(before, v[i].id, sizeof(before));
			if (filter.dag != NULL)
				assert_string_equal(v[i].dag, filter.dag);
			if (filter.state >= 0)
				assert_int_equal((int)v[i].state, filter.state);
			if (filter.result >= 0)
				assert_int_equal((int)v[i].result, filter.result);
		}
		filter.before = before;
	}
}

static void
test_pages(void **state)
{
	struct fixture *f = *state;
	struct meta_run_filter any = {.state = -1, .result = -1, .limit = 7};
	struct meta_run_filter some;
	struct meta_run *v;
	char id[META_RUN_ID], middle[META_RUN_ID] = "";
	size_t i, n;

	assert_int_equal(all_pages(f, any), 0);
	for (i = 0; i < 60; i++) {
		make_run(f->m, i % 3 == 0 ? "x" : "y", id, 0);
		if (i % 2 == 0)
			finish(f, id, i % 4 == 0 ? RUN_SUCCESS : RUN_FAILED);
		if (i == 30)
			memcpy(middle, id, sizeof(middle));
	}
	assert_int_equal(all_pages(f, any), 60);
	some = any;
	some.limit = 1;
	assert_int_equal(all_pages(f, some), 60);
	some.limit = 60;
	assert_int_equal(all_pages(f, some), 60);
	some = any;
	some.dag = "x";
	assert_int_equal(all_pages(f, some), 20);
	some.state = RUN_RUNNING;
	assert_int_equal(all_pages(f, some), 10);
	some.state = RUN_DONE;
	assert_int_equal(all_pages(f, some), 10);
	some.result = RUN_SUCCESS;
	assert_int_equal(all_pages(f, some), 5);
	some.dag = NULL;
	assert_int_equal(all_pages(f, some), 15);
	some.result = RUN_CANCELLED;
	assert_int_equal(all_pages(f, some), 0);
	some.result = RUN_SUCCESS;
	some.state = RUN_RUNNING;
	assert_int_equal(all_pages(f, some), 0);
	some = any;
	some.state = RUN_RUNNING;
	assert_int_equal(all_pages(f, some), 30);
	some.state = RUN_DONE;
	assert_int_equal(all_pages(f, some), 30);
	some = any;
	some.dag = "nobody";
	assert_int_equal(all_pages(f, some), 0);

	/* A page goes on below a run that was removed in the meantime. */
	some = any;
	some.before = middle;
	some.limit = 100;
	ok(meta_runs(f->m, &some, f->a, &v, &n, &err));
	assert_int_equal(n, 30);
	ok(db_script(&f->m->db, "DELETE FROM run WHERE rid = 31", &err));
	ok(meta_runs(f->m, &some, f->a, &v, &n, &err));
	assert_int_equal(n, 30);
	some.before = "00000000";
	ok(meta_runs(f->m, &some, f->a, &v, &n, &err));
	assert_int_equal(n, 0);
	some.before = NULL;
	some.limit = 0;
	ok(meta_runs(f->m, &some, f->a, &v, &n, &err));
	assert_int_equal(n, 0);
}

static void
test_counts_and_attempt_order(void **state)
{
	struct fixture *f = *state;
	struct meta_attempt *v;
	struct meta_run run;
	char id[META_RUN_ID];
	struct meta_op ops[6];
	size_t n;

	make_run(f->m, "demo", id, 4);
	ops[0] = op_insert(id, "b", 1);
	ops[1] = op_end(id, "b", 1, RESULT_FAILED);
	ops[2] = op_insert(id, "b", 2);
	ops[3] = op_insert(id, "a", 1);
	ops[4] = op_update(id, "a", 1, TASK_COMMITTING);
	ops[5] = op_task(id, "c", TASK_DONE, RESULT_SKIPPED);
	commit(f->m, ops, 6);
	ok(meta_run_get(f->m, id, f->a, &run, &err));
	ok(meta_run_counts(f->m, &run, &err));
	assert_int_equal(run.ntasks, 4);
	assert_int_equal(run.nrunning, 2);
	assert_int_equal(run.counts[RESULT_SKIPPED], 1);
	assert_int_equal(run.counts[RESULT_NONE], 3);
	ok(meta_attempts(f->m, id, f->a, &v, &n, &err));
	assert_int_equal(n, 3);
	assert_string_equal(v[0].task, "a");
	assert_int_equal(v[1].number, 1);
	assert_int_equal(v[2].number, 2);
}

static void
test_events_follow(void **state)
{
	struct fixture *f = *state;
	char one[META_RUN_ID], two[META_RUN_ID];
	struct meta_event *v;
	struct meta_op op;
	int64_t last = 0;
	size_t n, total = 0;
	int i;

	make_run(f->m, "demo", one, 1);
	make_run(f->m, "demo", two, 1);
	for (i = 0; i < 10; i++) {
		op = (struct meta_op){.kind = META_OP_EVENT,
				      .run = i % 2 != 0 ? one : two,
				      .epoch = 1,
				      .at_us = tick(),
				      .task = "a",
				      .map = 3,
				      .number = 2,
				      .event = "metric",
				      .reason = "why",
				      .detail = "{\"v\":1}"};
		commit(f->m, &op, 1);
	}
	ok(meta_events(f->m, one, 0, 100, f->a, &v, &n, &err));
	assert_int_equal(n, 6);
	assert_string_equal(v[5].run, one);
	assert_string_equal(v[5].task, "a");
	assert_int_equal(v[5].map, 3);
	assert_int_equal(v[5].number, 2);
	assert_string_equal(v[5].event, "metric");
	assert_string_equal(v[5].reason, "why");
	assert_string_equal(v[5].detail, "{\"v\":1}");
	assert_null(v[0].task);
	do { /* all runs, in pieces */
		ok(meta_events(f->m, NULL, last, 5, f->a, &v, &n, &err));
		for (size_t k = 0; k < n; k++) {
			assert_true(v[k].id > last);
			last = v[k].id;
		}
		total += n;
	} while (n > 0);
	assert_int_equal(total, 12);
	/* An id is not used again after the newest rows were removed. */
	ok(db_script(&f->m->db, "DELETE FROM event", &err));
	commit(f->m, &op, 1);
	ok(meta_events(f->m, NULL, last, 5, f->a, &v, &n, &err));
	assert_int_equal(n, 1);
	assert_true(v[0].id > last);
}

static void
test_commands(void **state)
{
	struct fixture *f = *state;
	struct meta_command *v, c;
	char one[META_RUN_ID], two[META_RUN_ID];
	int64_t ids[20];
	struct meta_op op;
	size_t n, i;

	make_run(f->m, "demo", one, 1);
	make_run(f->m, "demo", two, 1);
	ok(meta_commands(f->m, one, f->a, &v, &n, &err));
	assert_int_equal(n, 0);
	for (i = 0; i < 20; i++)
		ok(meta_command_add(f->m, i % 2 != 0 ? two : one, "cancel", "{}", &ids[i],
				    &err));
	fails(meta_command_add(f->m, "none", "cancel", "{}", &ids[0], &err),
	      ERR_NOTFOUND);
	ok(meta_commands(f->m, one, f->a, &v, &n, &err));
	assert_int_equal(n, 10);
	assert_int_equal(v[0].id, ids[0]);
	assert_int_equal(v[9].id, ids[18]);
	assert_string_equal(v[0].run, one);
	assert_string_equal(v[0].verb, "cancel");
	assert_int_equal(v[0].by_pid, getpid());
	op = (struct meta_op){.kind = META_OP_COMMAND_DONE,
			      .run = one,
			      .epoch = 1,
			      .at_us = tick(),
			      .command = ids[0],
			      .reason = "done so"};
	commit(f->m, &op, 1);
	ok(meta_commands(f->m, one, f->a, &v, &n, &err));
	assert_int_equal(n, 9);
	assert_int_equal(v[0].id, ids[2]);
	ok(meta_command_get(f->m, ids[0], f->a, &c, &err));
	assert_true(c.done);
	assert_string_equal(c.answer, "done so");
	ok(meta_command_get(f->m, ids[1], f->a, &c, &err));
	assert_false(c.done);
	assert_null(c.answer);
	fails(meta_command_get(f->m, 12345, f->a, &c, &err), ERR_NOTFOUND);
	op.command = ids[1]; /* another run's */
	fails(meta_commit(f->m, &op, 1, NULL, &err), ERR_SYS);
}

static void
nothing(void *ctx, const char *task, int32_t map, const struct meta_kv *kv)
{
	(void)ctx;
	(void)task;
	(void)map;
	(void)kv;
}

static void
no_holder(void *ctx, const char *path, bool write, const char *run, const char *task,
	  int32_t map, uint32_t number)
{
	(void)ctx;
	(void)path;
	(void)write;
	(void)run;
	(void)task;
	(void)map;
	(void)number;
}

/* Have every statement of the store prepared. */
static void
use_everything(struct fixture *f)
{
	static const struct meta_kv kv = {"k", "v", 1};
	static const struct meta_path path = {"p/q", true};
	struct meta_run_filter filter = {.state = -1, .result = -1, .limit = 5};
	struct meta_command *commands, command;
	struct meta_attempt *attempts;
	char id[META_RUN_ID];
	struct meta_event *events;
	struct meta_task *tasks;
	struct meta_run *runs, run;
	struct meta_op ops[9];
	const char *source;
	int64_t number;
	bool is_dir;
	size_t n;

	make_run(f->m, "demo", id, 3);
	plain_run(f, ID1, "ticks", "scheduled", 1);
	ok(meta_command_add(f->m, id, "cancel", "{}", &number, &err));
	ops[0] = op_insert(id, "a", 1);
	ops[0].paths = &path;
	ops[0].npaths = 1;
	ops[1] = op_insert(id, "b", 1);
	ops[1].paths = &path;
	ops[1].npaths = 1;
	ops[2] = op_update(id, "a", 1, TASK_RUNNING);
	ops[3] = op_end(id, "a", 1, RESULT_SUCCESS);
	ops[3].outputs = &kv;
	ops[3].noutputs = 1;
	ops[3].produced = &path;
	ops[3].nproduced = 1;
	ops[4] = op_task(id, "a", TASK_DONE, RESULT_SUCCESS);
	ops[5] = op_insert(id, "c", 1);
	ops[6] = (struct meta_op){
	    .kind = META_OP_COMMAND_DONE, .run = id, .epoch = 1, .command = number};
	ops[7] = (struct meta_op){.kind = META_OP_RUN,
				  .run = id,
				  .epoch = 1,
				  .run_state = RUN_DONE,
				  .run_result = RUN_FAILED};
	commit(f->m, ops, 8);
	ok(meta_run_take(f->m, id, BOOT, &number, &err));
	ok(meta_run_get(f->m, id, f->a, &run, &err));
	ok(meta_run_resolve(f->m, "last", f->a, &run, &err));
	ok(meta_run_resolve(f->m, "demo", f->a, &run, &err));
	ok(meta_run_resolve(f->m, id + 24, f->a, &run, &err));
	for (int i = 0; i < 4; i++) {
		filter.dag = (i & 1) != 0 ? "demo" : NULL;
		filter.result = (i & 2) != 0 ? RUN_FAILED : -1;
		filter.before = id;
		ok(meta_runs(f->m, &filter, f->a, &runs, &n, &err));
	}
	ok(meta_run_counts(f->m, &run, &err));
	ok(meta_tasks(f->m, id, f->a, &tasks, &n, &err));
	ok(meta_attempts(f->m, id, f->a, &attempts, &n, &err));
	ok(meta_outputs(f->m, id, nothing, NULL, &err));
	ok(meta_events(f->m, id, 0, 5, f->a, &events, &n, &err));
	ok(meta_events(f->m, NULL, 0, 5, f->a, &events, &n, &err));
	ok(meta_commands(f->m, id, f->a, &commands, &n, &err));
	ok(meta_command_get(f->m, 1, f->a, &command, &err));
	ok(meta_definition(f->m, "abc", f->a, &source, &n, &err));
	assert_int_equal(meta_produced(f->m, "demo", "a", "p/q", &is_dir, &err), 1);
	ok(meta_path_holders(f->m, no_holder, NULL, &err));
}

/* One line of a query plan: a search by an index, and no sorting, except where all the rows
 * are those of one run or of the living attempts. */
static void
check_plan(const char *sql, const char *detail)
{
	bool of_one_run = strstr(sql, "ORDER BY ord") != NULL ||
			  strstr(sql, "GROUP BY t.state") != NULL;

	if (strncmp(detail, "SCAN l", 6) == 0 || strstr(sql, "sqlite_schema") != NULL)
		return; /* all path locks; all tables of a new file */
	if (strcmp(detail, "SCAN run") == 0 &&
	    strstr(sql, "ORDER BY rid DESC LIMIT 1") != NULL &&
	    strstr(sql, "WHERE") == NULL)
		return; /* backwards, one row */
	/* A page by DAG or result must not walk through the others' runs, nor a run's events
	 * through all. */
	if (strstr(sql, "rid < ?1") != NULL &&
	    ((strstr(sql, "dag = ?2") != NULL && strstr(detail, "dag=?") == NULL) ||
	     (strstr(sql, "result = ?3") != NULL && strstr(detail, "result=?") == NULL)))
		fail_msg("%s\nhas the plan: %s", sql, detail);
	if (strstr(sql, "e.run = ?3") != NULL && strncmp(detail, "SEARCH e", 8) == 0 &&
	    strstr(detail, "run=?") == NULL)
		fail_msg("%s\nhas the plan: %s", sql, detail);
	if (strncmp(detail, "SCAN", 4) == 0)
		fail_msg("%s\nhas the plan: %s", sql, detail);
	if (strstr(detail, "TEMP B-TREE") != NULL && !of_one_run)
		fail_msg("%s\nsorts: %s", sql, detail);
	if (strstr(detail, "AUTOMATIC") != NULL)
		fail_msg("%s\nmakes an index: %s", sql, detail);
}

/* No statement of the store looks at all of the history.  Checked by the plans of whatever
 * was prepared, so that a new statement is checked as soon as it is used here. */
static void
test_plans(void **state)
{
	struct fixture *f = *state;
	sqlite3_stmt *s = NULL, *plan;
	char explain[2048];
	int checked = 0;

	use_everything(f);
	while ((s = sqlite3_next_stmt(f->m->db.h, s)) != NULL) {
		const char *sql = sqlite3_sql(s);

		if (strncmp(sql, "PRAGMA", 6) == 0 || strncmp(sql, "EXPLAIN", 7) == 0)
			continue;
		(void)snprintf(explain, sizeof(explain), "EXPLAIN QUERY PLAN %s", sql);
		assert_int_equal(sqlite3_prepare_v2(f->m->db.h, explain, -1, &plan, NULL),
				 SQLITE_OK);
		while (sqlite3_step(plan) == SQLITE_ROW)
			check_plan(sql, (const char *)sqlite3_column_text(plan, 3));
		(void)sqlite3_finalize(plan);
		checked++;
	}
	assert_true(checked >= 40);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_run_round_trip), T(test_resolve),
	    T(test_pages),	    T(test_counts_and_attempt_order),
	    T(test_events_follow),  T(test_commands),
	    T(test_plans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
