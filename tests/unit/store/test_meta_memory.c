#include "unit/store/meta_test.h"

#include "store/meta_internal.h"
#include "unit/memory.h"

/*
 * Memory that runs out in the store, SQLite's included: opening, each kind of write, each
 * reading.  A write that failed has changed nothing, and goes through on the same connection
 * when there is memory again.
 */

#define SOME 150

static struct place pl;
static struct meta *m, *reader;
static char run_id[META_RUN_ID], next_id[META_RUN_ID];
static int64_t version, command;
static struct arena *arena;

static void
open_m(enum meta_mode mode)
{
	ok(meta_open(&pl.p, mode, &m, &err));
}

static int
setup(void **state)
{
	(void)state;
	place_dir(&pl, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NULL);
	ok(project_find(NULL, pl.dir, true, &pl.p, &err));
	open_m(META_WRITE);
	make_run(m, "demo", run_id, 5);
	meta_close(m);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	place_remove(&pl);
	return 0;
}

/* ---- opening ---- */

static void
no_database(void *ctx)
{
	(void)ctx;
	m = NULL;
	(void)unlinkat(pl.p.state_fd, "dag.db", 0);
	(void)unlinkat(pl.p.state_fd, "dag.db-wal", 0);
	(void)unlinkat(pl.p.state_fd, "dag.db-shm", 0);
	(void)unlinkat(pl.p.state_fd, "dag.db-journal", 0);
}

static int
open_write(void *ctx, struct err *e)
{
	(void)ctx;
	return meta_open(&pl.p, META_WRITE, &m, e);
}

static int
open_read(void *ctx, struct err *e)
{
	(void)ctx;
	return meta_open(&pl.p, META_READ, &m, e);
}

static void
opened(void *ctx, int rc)
{
	(void)ctx;
	assert_int_equal(rc == 0, m != NULL);
	if (rc == 0)
		ok(meta_check(m, true, &err));
	meta_close(m);
	m = NULL;
}

static int
find_project(void *ctx, struct err *e)
{
	struct project p;

	(void)ctx;
	if (project_find(NULL, pl.dir, true, &p, e) != 0)
		return -1;
	project_release(&p);
	return 0;
}

static void
test_opening(void **state)
{
	struct memory_call found = {.what = "finding the project", .run = find_project};
	struct memory_call made = {.what = "making the database",
				   .before = no_database,
				   .run = open_write,
				   .after = opened,
				   .some = SOME};
	struct memory_call write = {
	    .what = "opening to write", .run = open_write, .after = opened, .some = SOME};
	struct memory_call read = {
	    .what = "opening to read", .run = open_read, .after = opened, .some = SOME};

	(void)state;
	assert_true(memory_fail_each(&found) > 3);
	assert_true(memory_fail_each(&write) > 50);
	assert_true(memory_fail_each(&read) > 50);
	assert_true(memory_fail_each(&made) > 100);
	open_m(META_WRITE);
	make_run(m, "demo", run_id, 5);
	meta_close(m);
}

/* ---- writing ---- */

/* A connection that has not prepared anything. */
static void
fresh(void *ctx)
{
	(void)ctx;
	open_m(META_WRITE);
	ok(meta_open(&pl.p, META_READ, &reader, &err));
	version = meta_data_version(reader);
}

static void
written(void *ctx, int rc)
{
	int (*again)(void *, struct err *);

	memcpy(&again, ctx, sizeof(again));
	assert_int_equal(rc == 0, meta_data_version(reader) != version);
	if (rc != 0) {
		ok(again(ctx, &err));
		assert_int_not_equal(meta_data_version(reader), version);
	}
	ok(meta_check(reader, true, &err));
	meta_close(reader);
	meta_close(m);
}

static int
create_run(void *ctx, struct err *e)
{
	struct meta_task_new task = {.name = "a", .map = -1, .selected = true};
	struct meta_run_new r = {.id = next_id,
				 .dag = "demo",
				 .kind = "manual",
				 .partition = "",
				 .file = "dags/x.yaml",
				 .def_hash = next_id,
				 .def_source = "x",
				 .def_source_len = 1,
				 .params = "{}",
				 .options = "{}",
				 .created_us = 1,
				 .tasks = &task,
				 .ntasks = 1};

	(void)ctx;
	assert_int_equal(uuid7(next_id, 1760000000000000), 0);
	return meta_run_create(m, &r, BOOT, e);
}

static int
take_run(void *ctx, struct err *e)
{
	int64_t epoch;

	(void)ctx;
	return meta_run_take(m, next_id, BOOT, &epoch, e);
}

static int
add_command(void *ctx, struct err *e)
{
	(void)ctx;
	return meta_command_add(m, run_id, "cancel", "{}", &command, e);
}

/* One batch with all there is: the attempt number ${number} of each task, one of them blocked
 * by another. */
static uint32_t number;

static int
commit_batch(void *ctx, struct err *e)
{
	static const struct meta_path paths[] = {{"data/a", true}, {"data/b", false}};
	static const struct meta_path below[] = {{"data/a/x", true}};
	static const struct meta_path torn[] = {{"data/c", true}};
	static const struct meta_kv kv[] = {{"k", "v", 1}, {"l", "w", 1}};
	struct meta_op ops[10];
	const struct meta_op *stale;
	size_t n = 0;
	int rc;

	(void)ctx;
	ops[n++] = op_insert(run_id, "a", number);
	ops[n - 1].paths = paths;
	ops[n - 1].npaths = 2;
	ops[n++] = op_insert(run_id, "b", number);
	ops[n - 1].paths = below;
	ops[n - 1].npaths = 1;
	ops[n++] = op_insert(run_id, "c", number);
	ops[n - 1].paths = torn;
	ops[n - 1].npaths = 1;
	ops[n++] = op_update(run_id, "a", number, TASK_RUNNING);
	ops[n++] = op_end(run_id, "a", number, RESULT_SUCCESS);
	ops[n - 1].outputs = kv;
	ops[n - 1].noutputs = 2;
	ops[n - 1].produced = paths;
	ops[n - 1].nproduced = 1;
	ops[n++] = op_end(run_id, "c", number, RESULT_FAILED);
	ops[n++] = op_task(run_id, "a", TASK_DONE, RESULT_SUCCESS);
	ops[n++] = (struct meta_op){.kind = META_OP_COMMAND_DONE,
				    .run = run_id,
				    .epoch = 1,
				    .command = command,
				    .reason = "done"};
	ops[n++] = (struct meta_op){.kind = META_OP_EVENT,
				    .run = run_id,
				    .epoch = 1,
				    .map = -1,
				    .event = "metric",
				    .detail = "{}"};
	ops[n++] = (struct meta_op){.kind = META_OP_RUN,
				    .run = run_id,
				    .epoch = 1,
				    .run_state = RUN_RUNNING,
				    .reason = "x"};
	rc = meta_commit(m, ops, n, &stale, e);
	if (rc == 0) {
		assert_null(stale);
		assert_true(ops[1].blocked);
		number++;
	}
	return rc;
}

static void
try_writing(const char *what, int (*fn)(void *, struct err *))
{
	struct memory_call c = {.what = what,
				.before = fresh,
				.run = fn,
				.after = written,
				.ctx = &fn,
				.some = SOME};

	assert_true(memory_fail_each(&c) > 20);
}

static void
test_writing(void **state)
{
	(void)state;
	number = 1;
	try_writing("creating a run", create_run);
	try_writing("taking a run over", take_run);
	try_writing("leaving a command", add_command);
	try_writing("committing a batch", commit_batch);
}

/* ---- the writer thread ---- */

static void
nothing(void *ctx)
{
	(void)ctx;
}

static int
write_by_thread(void *ctx, struct err *e)
{
	struct meta_op op = op_task(run_id, "d", TASK_WAITING, RESULT_NONE);
	struct meta_writer *w;
	int rc;

	(void)ctx;
	if (meta_writer_start(&pl.p, nothing, NULL, &w, e) != 0)
		return -1;
	meta_writer_submit(w, &op, 1);
	while (meta_writer_result(w, &rc, NULL, e) == 0)
		(void)usleep(100);
	meta_writer_stop(w);
	return rc;
}

static void
test_writer(void **state)
{
	struct memory_call c = {
	    .what = "a writer thread", .run = write_by_thread, .some = SOME};

	(void)state;
	assert_true(memory_fail_each(&c) > 50);
}

/* ---- reading ---- */

static void
fresh_reader(void *ctx)
{
	(void)ctx;
	open_m(META_READ);
	arena = NULL;
}

static void
has_read(void *ctx, int rc)
{
	(void)ctx;
	(void)rc;
	arena_free(arena);
	meta_close(m);
}

static void
see_output(void *ctx, const char *task, int32_t map, const struct meta_kv *kv)
{
	(void)task;
	(void)map;
	assert_int_equal(kv->len, 1);
	++*(size_t *)ctx;
}

static void
see_holder(void *ctx, const char *path, bool write, const char *run, const char *task,
	   int32_t map, uint32_t n)
{
	(void)path;
	(void)write;
	(void)run;
	(void)task;
	(void)map;
	(void)n;
	++*(size_t *)ctx;
}

static int
read_run(void *ctx, struct err *e)
{
	struct meta_run_filter all = {.state = -1, .result = -1, .limit = 3};
	struct meta_run row, *runs;
	struct meta_task *tasks;
	struct meta_attempt *attempts;
	struct meta_event *events;
	size_t n, outputs = 0, holders = 0;

	(void)ctx;
	arena = arena_new(0);
	if (arena == NULL)
		return err_nomem(e);
	if (meta_run_get(m, run_id, arena, &row, e) != 0 ||
	    meta_run_counts(m, &row, e) != 0)
		return -1;
	assert_string_equal(row.id, run_id);
	assert_int_equal(row.ntasks, 5);
	if (meta_run_resolve(m, "demo", arena, &row, e) != 0 ||
	    meta_runs(m, &all, arena, &runs, &n, e) != 0)
		return -1;
	assert_int_equal(n, 3);
	if (meta_tasks(m, run_id, arena, &tasks, &n, e) != 0)
		return -1;
	assert_int_equal(n, 5);
	assert_string_equal(tasks[4].name, "e");
	if (meta_attempts(m, run_id, arena, &attempts, &n, e) != 0)
		return -1;
	assert_true(n >= 2);
	if (meta_events(m, run_id, 0, 10, arena, &events, &n, e) != 0)
		return -1;
	assert_int_equal(n, 10);
	if (meta_outputs(m, run_id, see_output, &outputs, e) != 0 ||
	    meta_path_holders(m, see_holder, &holders, e) != 0)
		return -1;
	assert_int_equal(outputs, 2);
	assert_int_equal(holders, 0);
	return 0;
}

static int
see_torn(void *ctx, const struct meta_torn *t, struct err *e)
{
	(void)e;
	assert_string_equal(t->path, "data/c");
	++*(size_t *)ctx;
	return 0;
}

static int
read_rest(void *ctx, struct err *e)
{
	struct meta_command *commands, one;
	const char *source;
	size_t n;
	bool is_dir;
	int rc;

	(void)ctx;
	arena = arena_new(0);
	if (arena == NULL)
		return err_nomem(e);
	if (meta_commands(m, run_id, arena, &commands, &n, e) != 0)
		return -1;
	assert_true(n > 0);
	if (meta_command_get(m, command, arena, &one, e) != 0 ||
	    meta_definition(m, "abc", arena, &source, &n, e) != 0)
		return -1;
	assert_true(one.done);
	assert_int_equal(n, strlen("tasks: {}\n"));
	rc = meta_produced(m, "demo", "a", "data/a", &is_dir, e);
	if (rc < 0)
		return -1;
	assert_int_equal(rc, 1);
	n = 0;
	if (meta_torn(m, "data", see_torn, &n, e) != 0)
		return -1;
	assert_int_equal(n, 1);
	return meta_check(m, true, e);
}

static void
test_reading(void **state)
{
	struct memory_call of_run = {.what = "reading a run",
				     .before = fresh_reader,
				     .run = read_run,
				     .after = has_read,
				     .some = SOME};
	struct memory_call rest = {.what = "reading the rest",
				   .before = fresh_reader,
				   .run = read_rest,
				   .after = has_read,
				   .some = SOME};

	(void)state;
	assert_true(memory_fail_each(&of_run) > 50);
	assert_true(memory_fail_each(&rest) > 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_opening),
	    cmocka_unit_test(test_writing),
	    cmocka_unit_test(test_writer),
	    cmocka_unit_test(test_reading),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
