#include "unit/store/meta_test.h"

/* ---- one attempt, its task and their events ---- */

static void
test_happy_hand_off(void **state)
{
	struct run_fixture *f = *state;
	struct meta_attempt *v;
	struct arena *a = arena_new(0);
	struct meta_op ops[4];
	struct meta_task t;
	size_t n;

	ops[0] = op_task(f->run, "a", TASK_READY, RESULT_NONE);
	ops[1] = op_insert(f->run, "a", 1);
	commit(f->m, ops, 2);
	t = task_of(f->m, f->run, "a");
	assert_int_equal(t.state, TASK_PREPARING);
	assert_int_equal(t.attempt, 1);
	assert_int_equal(t.started_us, ops[1].at_us);

	ops[0] = op_update(f->run, "a", 1, TASK_RUNNING);
	ops[0].pid = 4711;
	ops[0].handle = "shim 4711";
	ops[0].started_us = tick();
	ops[1] = op_task(f->run, "a", TASK_RUNNING, RESULT_NONE);
	commit(f->m, ops, 2);
	assert_int_equal(task_of(f->m, f->run, "a").state, TASK_RUNNING);

	ops[0] = op_end(f->run, "a", 1, RESULT_SUCCESS);
	ops[0].user_us = 7;
	ops[0].maxrss_kib = 9;
	ops[0].oom = "no";
	ops[1] = op_task(f->run, "a", TASK_DONE, RESULT_SUCCESS);
	ops[2] = op_insert(f->run, "b", 1);
	commit(f->m, ops, 3);
	assert_int_equal(task_of(f->m, f->run, "a").result, RESULT_SUCCESS);
	assert_int_equal(task_of(f->m, f->run, "b").state, TASK_PREPARING);

	ok(meta_attempts(f->m, f->run, a, &v, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(v[0].task, "a");
	assert_int_equal(v[0].pid, 4711);
	assert_string_equal(v[0].handle, "shim 4711");
	assert_int_equal(v[0].state, TASK_DONE);
	assert_int_equal(v[0].result, RESULT_SUCCESS);
	assert_int_equal(v[0].user_us, 7);
	assert_int_equal(v[0].maxrss_kib, 9);
	assert_string_equal(v[0].oom, "no");
	assert_string_equal(v[0].cause, "exit");
	assert_int_equal(v[0].exit_status, 0);
	assert_string_equal(v[0].boot_id, BOOT);
	assert_int_equal(v[0].epoch, 1);
	assert_int_equal(v[1].state, TASK_PREPARING);
	assert_int_equal(v[1].exit_status, -1);

	assert_string_equal(events_of(f->m, f->run),
			    "running(created) a:ready a:preparing a:running "
			    "a:success(exit) b:preparing");
	arena_free(a);
}

/* The same fact in either order is one event; a final failure that no attempt told is one. */
static void
test_events_once(void **state)
{
	struct run_fixture *f = *state;
	struct meta_op ops[4];

	ops[0] = op_insert(f->run, "a", 1);
	ops[1] = op_task(f->run, "a", TASK_DONE, RESULT_FAILED);
	ops[1].reason = "exit 1";
	ops[2] = op_end(f->run, "a", 1, RESULT_FAILED);
	commit(f->m, ops, 3);
	ops[0] = op_insert(f->run, "b", 1);
	commit(f->m, ops, 1);
	ops[0] = op_end(f->run, "b", 1, RESULT_FAILED);
	ops[1] = op_task(f->run, "b", TASK_UP_FOR_RETRY, RESULT_NONE);
	commit(f->m, ops, 2);
	ops[0] = op_task(f->run, "b", TASK_DONE, RESULT_FAILED);
	ops[0].reason = "the run's timeout is up";
	commit(f->m, ops, 1);
	commit(f->m, ops, 1); /* nothing new */
	ops[0].reason = "another reason";
	commit(f->m, ops, 1);
	ops[0] = op_task(f->run, "c", TASK_DONE, RESULT_UPSTREAM_FAILED);
	ops[1] = (struct meta_op){.kind = META_OP_EVENT,
				  .run = f->run,
				  .epoch = 1,
				  .at_us = tick(),
				  .event = "slow_gate",
				  .detail = "{}"};
	ops[2] = (struct meta_op){.kind = META_OP_RUN,
				  .run = f->run,
				  .epoch = 1,
				  .at_us = tick(),
				  .run_state = RUN_DONE,
				  .run_result = RUN_FAILED,
				  .reason = "2 failed"};
	commit(f->m, ops, 3);
	commit(f->m, ops + 2, 1);
	assert_string_equal(
	    events_of(f->m, f->run),
	    "running(created) a:preparing a:failed(exit 1) b:preparing b:failed(exit) "
	    "b:up_for_retry b:failed(the run's timeout is up) b:failed(another reason) "
	    "c:upstream_failed slow_gate failed(2 failed)");
}

static void
test_illegal(void **state)
{
	struct run_fixture *f = *state;
	struct meta_op ops[3];

	/* A batch with one impossible operation does nothing at all. */
	ops[0] = op_insert(f->run, "a", 1);
	ops[1] = op_insert(f->run, "nobody", 1);
	fails(meta_commit(f->m, ops, 2, NULL, &err), ERR_SYS);
	says("nobody");
	assert_int_equal(task_of(f->m, f->run, "a").attempt, 0);
	commit(f->m, ops, 1);
	/* Numbers only grow; there is never a second living attempt; ends are final. */
	fails(meta_commit(f->m, ops, 1, NULL, &err), ERR_SYS);
	ops[0] = op_insert(f->run, "a", 2);
	fails(meta_commit(f->m, ops, 1, NULL, &err), ERR_SYS);
	ops[0] = op_end(f->run, "a", 1, RESULT_LOST);
	commit(f->m, ops, 1);
	fails(meta_commit(f->m, ops, 1, NULL, &err), ERR_SYS);
	says("ended already");
	ops[0] = op_update(f->run, "a", 1, TASK_RUNNING); /* late news change nothing */
	commit(f->m, ops, 1);
	ops[0] = op_end(f->run, "a", 7, RESULT_LOST);
	fails(meta_commit(f->m, ops, 1, NULL, &err), ERR_SYS);
	ops[0] = (struct meta_op){
	    .kind = META_OP_COMMAND_DONE, .run = f->run, .epoch = 1, .command = 99};
	fails(meta_commit(f->m, ops, 1, NULL, &err), ERR_SYS);
	ok(meta_commit(f->m, NULL, 0, NULL, &err));
}

/* ---- outputs and produced paths ---- */

static void
collect(void *ctx, const char *task, int32_t map, const struct meta_kv *kv)
{
	struct buf *b = ctx;

	buf_addf(b, "%s[%d].%s=", task, (int)map, kv->key);
	buf_add(b, kv->val, kv->len);
	buf_addc(b, ' ');
}

static void
check_outputs(struct meta *m, const char *run, const char *expected)
{
	struct buf b;

	buf_init(&b, 0);
	ok(meta_outputs(m, run, collect, &b, &err));
	assert_string_equal(b.p, expected);
	buf_release(&b);
}

static void
test_outputs(void **state)
{
	static const struct meta_kv first[] = {{"rows", "10", 2}, {"bin", "\xff\xfe", 2}};
	static const struct meta_kv twice[] = {{"rows", "1", 1}, {"rows", "20", 2}};
	struct run_fixture *f = *state;
	struct meta_op ops[3];

	ops[0] = op_insert(f->run, "a", 1);
	commit(f->m, ops, 1);
	ops[0] = op_end(f->run, "a", 1, RESULT_FAILED);
	ops[0].outputs = first;
	ops[0].noutputs = 2;
	ops[1] = op_task(f->run, "a", TASK_UP_FOR_RETRY, RESULT_NONE);
	commit(f->m, ops, 2);
	check_outputs(f->m, f->run, ""); /* of failures none */

	ops[0] = op_insert(f->run, "a", 2);
	commit(f->m, ops, 1);
	ops[0] = op_end(f->run, "a", 2, RESULT_SUCCESS);
	ops[0].outputs = first;
	ops[0].noutputs = 2;
	ops[1] = op_task(f->run, "a", TASK_DONE, RESULT_SUCCESS);
	commit(f->m, ops, 2);
	check_outputs(f->m, f->run, "a[-1].bin=\xff\xfe a[-1].rows=10 ");

	/* A retry of the run takes them back and replaces them. */
	ops[0] = op_task(f->run, "a", TASK_WAITING, RESULT_NONE);
	commit(f->m, ops, 1);
	check_outputs(f->m, f->run, "");
	ops[0] = op_insert(f->run, "a", 3);
	ops[1] = op_end(f->run, "a", 3, RESULT_CACHED);
	ops[1].outputs = twice;
	ops[1].noutputs = 2;
	ops[2] = op_task(f->run, "a", TASK_DONE, RESULT_CACHED);
	commit(f->m, ops, 3);
	check_outputs(f->m, f->run, "a[-1].rows=20 ");
	fails(meta_outputs(f->m, "0193b7c4-9999-7000-8000-000000000000", collect, NULL,
			   &err),
	      ERR_NOTFOUND);
}

static void
test_produced(void **state)
{
	static const struct meta_path made[] = {{"out", true}, {"x\xff.csv", false}};
	static const struct meta_path remade[] = {{"out", false}};
	struct run_fixture *f = *state;
	struct meta_op ops[2];
	bool dir = false;

	ops[0] = op_insert(f->run, "a", 1);
	ops[1] = op_end(f->run, "a", 1, RESULT_FAILED);
	ops[1].produced = made;
	ops[1].nproduced = 2;
	commit(f->m, ops, 2);
	assert_int_equal(meta_produced(f->m, "demo", "a", "out", &dir, &err), 0);
	ops[0] = op_insert(f->run, "a", 2);
	ops[1].number = 2;
	ops[1].task_result = RESULT_SUCCESS;
	commit(f->m, ops, 2);
	assert_int_equal(meta_produced(f->m, "demo", "a", "out", &dir, &err), 1);
	assert_true(dir);
	assert_int_equal(meta_produced(f->m, "demo", "a", "x\xff.csv", &dir, &err), 1);
	assert_false(dir);
	assert_int_equal(meta_produced(f->m, "demo", "b", "out", &dir, &err), 0);
	assert_int_equal(meta_produced(f->m, "other", "a", "out", &dir, &err), 0);
	ops[0] = op_insert(f->run, "a", 3);
	ops[1].number = 3;
	ops[1].produced = remade;
	ops[1].nproduced = 1;
	commit(f->m, ops, 2);
	dir = true;
	assert_int_equal(meta_produced(f->m, "demo", "a", "out", &dir, &err), 1);
	assert_false(dir);
}

/* ---- epochs ---- */

static void
test_stale_epoch(void **state)
{
	struct run_fixture *f = *state;
	const struct meta_op *stale;
	char other[META_RUN_ID];
	struct meta_op ops[4];
	int64_t epoch = 0;

	make_run(f->m, "demo", other, 2);
	ok(meta_run_take(f->m, f->run, BOOT, &epoch, &err));
	assert_int_equal(epoch, 2);
	ops[0] = op_insert(other, "a", 1);
	ops[1] = op_insert(f->run, "a", 1);
	ops[1].epoch = 2; /* right, but another of the run is not */
	ops[2] = op_insert(f->run, "b", 1);
	ops[3] = op_insert(other, "b", 1);
	ok(meta_commit(f->m, ops, 4, &stale, &err));
	assert_ptr_equal(stale, &ops[2]);
	assert_false(ops[0].stale || ops[3].stale);
	assert_true(ops[1].stale && ops[2].stale);
	assert_int_equal(task_of(f->m, f->run, "a").attempt, 0);
	assert_int_equal(task_of(f->m, f->run, "b").attempt, 0);
	assert_int_equal(task_of(f->m, other, "a").attempt, 1);
	assert_int_equal(task_of(f->m, other, "b").attempt, 1);
	ops[2].epoch = 2;
	commit(f->m, ops + 1, 2);
	ops[0] = op_insert("0193b7c4-9999-7000-8000-000000000000", "a", 1);
	ok(meta_commit(f->m, ops, 1, &stale, &err)); /* a run that is gone */
	assert_ptr_equal(stale, &ops[0]);
	ok(meta_commit(f->m, ops, 1, NULL, &err));
	fails(meta_run_take(f->m, "nothing", BOOT, &epoch, &err), ERR_NOTFOUND);
}

/* Taken with another definition: all of it, or nothing. */
static void
test_another_definition(void **state)
{
	struct meta_redefine def = {"other", "tasks: {}", 9, "the file as it is now", 77};
	struct arena *a = arena_new(0);
	struct run_fixture *f = *state;
	struct meta_event *events;
	const char *text;
	struct meta_run r;
	int64_t epoch = 0;
	size_t n;

	fails(meta_run_retake(f->m, "nothing", &def, BOOT, &epoch, &err), ERR_NOTFOUND);
	fails(meta_definition(f->m, "other", a, &text, &n, &err), ERR_NOTFOUND);
	ok(meta_run_retake(f->m, f->run, &def, BOOT, &epoch, &err));
	assert_int_equal(epoch, 2);
	ok(meta_run_get(f->m, f->run, a, &r, &err));
	assert_string_equal(r.def_hash, "other");
	ok(meta_definition(f->m, "other", a, &text, &n, &err));
	assert_string_equal(text, "tasks: {}");
	ok(meta_events(f->m, f->run, 0, 100, a, &events, &n, &err));
	assert_true(n > 0);
	assert_string_equal(events[n - 1].event, "redefined");
	assert_string_equal(events[n - 1].reason, "the file as it is now");
	arena_free(a);
}

/* ---- the guard ---- */

static const struct {
	const char *held;
	bool held_write;
	const char *want;
	bool want_write;
	bool blocked;
} overlaps[] = {
    {"a/x", true, "a/x", true, true},
    {"a/x", true, "a/x", false, true},
    {"a/x", false, "a/x", true, true},
    {"a/x", false, "a/x", false, false},
    {"a", true, "a/x/y", false, true},
    {"a", false, "a/x/y", true, true},
    {"a", false, "a/x/y", false, false},
    {"a/x/y", true, "a", false, true},
    {"a/x/y", true, "a/x", true, true},
    {"a/x/y", false, "a", true, true},
    {"a/x/y", false, "a", false, false},
    {"a/x", true, "a/xy", true, false},
    {"a/x", true, "a/x0", true, false},
    {"a/x", true, "a/x-y", true, false},
    {"a/x", true, "a/x.", true, false},
    {"a/x-y", true, "a/x", true, false},
    {"a/x0", true, "a/x", true, false},
    {"a/x.y", true, "a/x", true, false},
    {"ab", true, "a", true, false},
    {"a", true, "b", true, false},
    {".", true, "a/b/c", false, true},
    {".", false, "a/b/c", true, true},
    {".", false, "a", false, false},
    {"a/b", true, ".", false, true},
    {".", true, ".", true, true},
    {"-x", true, ".", true, true},
    {"\xff\xfe/x", true, ".", true, true},
    {"\xff", true, "\xff/y", false, true},
    {"/data/x", true, "/data", true, true},
    {"/data", true, "/data/x", false, true},
    {"/data", true, "/database", true, false},
    {"/data", true, "data", true, false},
    {"/data", true, ".", true, false},
    {"/", true, "/data", true, true},
    {"/data", true, "/", true, true},
    {"/", true, "/", true, true},
    {"/", false, "a/b", true, true}, /* the root lies below it */
    {"a/b", true, "/", false, true},
    {"/tmp", true, "a", true, true},
    {"a", true, "/tmp", true, true},
    {"/tmp", false, "a", false, false},
    {"/tmp/other", true, "a", true, false},
    {"a", true, "/tmp/other", true, false},
};

static void
test_guard_table(void **state)
{
	struct run_fixture *f = *state;
	struct meta_path held, want;
	struct meta_op ops[2];
	uint32_t number = 0;
	size_t i;

	for (i = 0; i < sizeof(overlaps) / sizeof(overlaps[0]); i++) {
		number++;
		held = (struct meta_path){overlaps[i].held, overlaps[i].held_write};
		want = (struct meta_path){overlaps[i].want, overlaps[i].want_write};
		ops[0] = op_insert(f->run, "a", number);
		ops[0].paths = &held;
		ops[1] = op_insert(f->run, "b", number);
		ops[1].paths = &want;
		ops[0].npaths = ops[1].npaths = 1;
		commit(f->m, ops, 2);
		assert_false(ops[0].blocked);
		if (ops[1].blocked != overlaps[i].blocked)
			fail_msg("%s '%s' while %s '%s': %s",
				 want.write ? "write" : "read", want.path,
				 held.write ? "writing" : "reading", held.path,
				 ops[1].blocked ? "blocked" : "not blocked");
		assert_string_equal(ops[1].blocked_run, ops[1].blocked ? f->run : "");
		ops[0] = op_end(f->run, "a", number, RESULT_SUCCESS);
		commit(f->m, ops, 1);
		if (!overlaps[i].blocked) {
			ops[1] = op_end(f->run, "b", number, RESULT_SUCCESS);
			commit(f->m, ops + 1, 1);
		}
	}
}

static void
test_guard_words(void **state)
{
	struct meta_path paths[2] = {{"data/x.csv", true}, {"data/y.csv", false}};
	struct run_fixture *f = *state;
	char expected[128], longpath[600];
	struct meta_op ops[2];
	struct meta_task t;

	ops[0] = op_insert(f->run, "a", 1);
	ops[0].paths = paths;
	ops[0].npaths = 2;
	ops[1] = op_insert(f->run, "b", 1);
	ops[1].paths = paths;
	ops[1].npaths = 1;
	commit(f->m, ops, 2);
	(void)snprintf(expected, sizeof(expected),
		       "`data/x.csv` is in use by task a of run %s", f->run + 24);
	assert_true(ops[1].blocked);
	assert_string_equal(ops[1].blocked_by, expected);
	t = task_of(f->m, f->run, "b");
	assert_int_equal(t.state, TASK_READY);
	assert_string_equal(t.reason, expected);
	assert_int_equal(t.attempt, 0);
	commit(f->m, ops + 1, 1); /* asked again: no second event */
	assert_non_null(strstr(events_of(f->m, f->run), "b:ready(`data/x.csv`"));
	assert_null(strstr(strstr(events_of(f->m, f->run), "b:ready") + 1, "b:ready"));

	ops[0] = op_end(f->run, "a", 1, RESULT_FAILED);
	commit(f->m, ops, 2); /* freed and taken in one batch */
	assert_false(ops[1].blocked);
	assert_string_equal(ops[1].blocked_by, "");

	/* A long path loses its beginning; the whole fits. */
	memset(longpath, 'p', sizeof(longpath));
	memcpy(longpath + sizeof(longpath) - 9, "/end.csv", 9);
	paths[0].path = longpath;
	ops[0] = op_insert(f->run, "a", 2);
	ops[0].paths = paths;
	ops[0].npaths = 1;
	ops[1] = op_insert(f->run, "c", 1);
	ops[1].paths = paths;
	ops[1].npaths = 1;
	commit(f->m, ops, 2);
	assert_true(ops[1].blocked);
	assert_int_equal(strncmp(ops[1].blocked_by, "`...ppp", 7), 0);
	assert_non_null(
	    strstr(ops[1].blocked_by, "/end.csv` is in use by task a of run"));
}

/* An attempt's own paths may overlap each other. */
static void
test_guard_self(void **state)
{
	static const struct meta_path paths[] = {
	    {"d", true}, {"d", true}, {"d", false}, {"d/x", false}, {".", false}};
	struct run_fixture *f = *state;
	struct meta_op op = op_insert(f->run, "a", 1);

	op.paths = paths;
	op.npaths = 5;
	commit(f->m, &op, 1);
	assert_false(op.blocked);
	op = op_end(f->run, "a", 1, RESULT_VOID);
	commit(f->m, &op, 1);
	op = op_insert(f->run, "b", 1);
	op.paths = paths;
	op.npaths = 5;
	commit(f->m, &op, 1);
	assert_false(op.blocked);
}

static void
count_holder(void *ctx, const char *path, bool write, const char *run, const char *task,
	     int32_t map, uint32_t number)
{
	int *n = ctx;

	assert_true(write);
	assert_string_equal(path, "data");
	assert_true(strlen(run) == META_RUN_ID - 1);
	assert_string_equal(task, "a");
	assert_int_equal(map, -1);
	assert_int_equal(number, 1);
	++*n;
}

static void
test_holders(void **state)
{
	static const struct meta_path path = {"data", true};
	struct run_fixture *f = *state;
	struct meta_op op = op_insert(f->run, "a", 1);
	int n = 0;

	op.paths = &path;
	op.npaths = 1;
	commit(f->m, &op, 1);
	ok(meta_path_holders(f->m, count_holder, &n, &err));
	assert_int_equal(n, 1);
	op = op_end(f->run, "a", 1, RESULT_LOST);
	commit(f->m, &op, 1);
	ok(meta_path_holders(f->m, count_holder, &n, &err));
	assert_int_equal(n, 1);
}

/* What was checked out comes when it is known, also after the end; it is no event. */
static void
test_git(void **state)
{
	struct run_fixture *f = *state;
	struct meta_op op = {.kind = META_OP_GIT,
			     .run = f->run,
			     .epoch = 1,
			     .git_commit = "4c7450521fee0f1e2d3c4b5a69788796a5b4c3d2",
			     .git_dirty = -1};
	struct arena *a = arena_new(0);
	struct meta_event *events;
	struct meta_run run;
	size_t before, after;

	ok(meta_run_get(f->m, f->run, a, &run, &err));
	assert_null(run.git_commit);
	assert_int_equal(run.git_dirty, -1);
	ok(meta_events(f->m, f->run, 0, 100, a, &events, &before, &err));
	commit(f->m, &op, 1);
	ok(meta_run_get(f->m, f->run, a, &run, &err));
	assert_string_equal(run.git_commit, op.git_commit);
	assert_int_equal(run.git_dirty, -1);
	op.git_dirty = 1;
	commit(f->m, &op, 1);
	op.git_dirty = 0;
	op.epoch = 2; /* of somebody else */
	ok(meta_commit(f->m, &op, 1, NULL, &err));
	assert_true(op.stale);
	ok(meta_run_get(f->m, f->run, a, &run, &err));
	assert_int_equal(run.git_dirty, 1);
	ok(meta_events(f->m, f->run, 0, 100, a, &events, &after, &err));
	assert_int_equal(before, after);
	arena_free(a);
}

#define T(name) cmocka_unit_test_setup_teardown(name, run_setup, run_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_happy_hand_off),
	    T(test_events_once),
	    T(test_illegal),
	    T(test_outputs),
	    T(test_produced),
	    T(test_stale_epoch),
	    T(test_another_definition),
	    T(test_guard_table),
	    T(test_guard_words),
	    T(test_guard_self),
	    T(test_holders),
	    T(test_git),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
