/* Results kept by content: what lock files shall say until they do, values found again. */
#include "base/arena.h"
#include "unit/store/meta_test.h"

static void
end_with(struct run_fixture *f, uint32_t number, enum task_result result,
	 const struct meta_stage *stage, const char *value)
{
	struct meta_kv kv = {.key = "rows", .val = value};
	struct meta_op ops[2] = {op_insert(f->run, "a", number),
				 op_end(f->run, "a", number, result)};

	ops[1].stage = *stage;
	if (value != NULL) {
		kv.len = strlen(value);
		ops[1].outputs = &kv;
		ops[1].noutputs = 1;
	}
	commit(f->m, ops, 2);
}

/* The entry of train in x.dag.lock, or "". */
static const char *
entry_of(struct run_fixture *f, const char *lock, char *out)
{
	struct arena *a = arena_new(0);
	struct meta_stage *v;
	size_t n;

	ok(meta_lock_entries(f->m, lock, a, &v, &n, &err));
	assert_in_range(n, 0, 1);
	(void)snprintf(out, 64, "%s", n == 1 ? v[0].entry : "");
	if (n == 1)
		assert_string_equal(v[0].name, "train");
	arena_free(a);
	return out;
}

static void
test_entries(void **state)
{
	struct meta_stage one = {"x.dag.lock", "train", "cmd: a\n", NULL},
			  two = {"x.dag.lock", "train", "cmd: b\n", NULL},
			  none = {NULL, "train", "cmd: c\n", NULL};
	struct run_fixture *f = *state;
	char b[64];

	end_with(f, 1, RESULT_FAILED, &one, NULL);
	assert_string_equal(entry_of(f, NULL, b), "");
	end_with(f, 2, RESULT_SUCCESS, &one, NULL);
	assert_string_equal(entry_of(f, "x.dag.lock", b), "cmd: a\n");
	assert_string_equal(entry_of(f, "y.dag.lock", b), "");
	end_with(f, 3, RESULT_CACHED, &two, NULL);
	/* What was written meanwhile is not the latest: that stays to be written. */
	ok(meta_lock_written(f->m, &one, 1, &err));
	assert_string_equal(entry_of(f, NULL, b), "cmd: b\n");
	end_with(f, 4, RESULT_SUCCESS, &none, NULL);
	assert_string_equal(entry_of(f, NULL, b), "cmd: b\n");
	ok(meta_lock_written(f->m, &two, 1, &err));
	assert_string_equal(entry_of(f, NULL, b), "");
}

static size_t
values(struct run_fixture *f, const char *task, const char *hash, char *out)
{
	struct arena *a = arena_new(0);
	struct meta_kv *kv;
	size_t n;

	ok(meta_published(f->m, "demo", task, hash, a, &kv, &n, &err));
	(void)snprintf(out, 64, "%s", n > 0 ? kv[0].val : "");
	arena_free(a);
	return n;
}

static void
test_values(void **state)
{
	struct meta_stage s = {NULL, "train", "cmd: a\n", "h1"}, other = s, unnamed = s;
	struct run_fixture *f = *state;
	char b[64];

	other.hash = "h2";
	unnamed.hash = NULL;
	end_with(f, 1, RESULT_SUCCESS, &s, "10");
	end_with(f, 2, RESULT_SUCCESS, &other, "20");
	end_with(f, 3, RESULT_SUCCESS, &unnamed, "30");
	assert_int_equal(values(f, "a", "h1", b), 1);
	assert_string_equal(b, "10");
	assert_int_equal(values(f, "a", "h2", b), 1);
	assert_string_equal(b, "20");
	assert_int_equal(values(f, "b", "h1", b), 0);
	end_with(f, 4, RESULT_CACHED, &s, "11");
	assert_int_equal(values(f, "a", "h1", b), 1);
	assert_string_equal(b, "11");
	/* What was there without a run leaves its values; a run without any has none. */
	end_with(f, 5, RESULT_CACHED, &s, NULL);
	assert_int_equal(values(f, "a", "h1", b), 1);
	end_with(f, 6, RESULT_SUCCESS, &unnamed, NULL);
	assert_int_equal(values(f, "a", "h1", b), 1);
	end_with(f, 7, RESULT_SUCCESS, &s, NULL);
	assert_int_equal(values(f, "a", "h1", b), 0);
	assert_int_equal(values(f, "a", "h2", b), 1);
}

/* Of very many results the newest keep their values. */
static void
test_values_limit(void **state)
{
	struct run_fixture *f = *state;
	char hash[16], b[64];

	for (uint32_t i = 1; i <= 101; i++) {
		struct meta_stage s = {NULL, "train", "cmd: a\n", hash};

		(void)snprintf(hash, sizeof(hash), "h%u", i);
		end_with(f, i, RESULT_SUCCESS, &s, "1");
		if (i == 100)
			assert_int_equal(values(f, "a", "h1", b), 1);
	}
	assert_int_equal(values(f, "a", "h1", b), 0);
	assert_int_equal(values(f, "a", "h2", b), 1);
	assert_int_equal(values(f, "a", "h101", b), 1);
}

static void
test_why(void **state)
{
	struct run_fixture *f = *state;
	struct meta_op ops[2] = {op_insert(f->run, "a", 1), op_insert(f->run, "a", 1)};
	struct arena *a = arena_new(0);
	struct meta_attempt *v;
	size_t n;

	ops[1].kind = META_OP_ATTEMPT_UPDATE;
	ops[1].task_state = TASK_WAITING;
	ops[1].why = "'in.txt' changed";
	commit(f->m, ops, 2);
	ops[1].task_state = TASK_RUNNING;
	ops[1].why = NULL;
	commit(f->m, &ops[1], 1);
	ok(meta_attempts(f->m, f->run, a, &v, &n, &err));
	assert_int_equal(n, 1);
	assert_string_equal(v[0].why, "'in.txt' changed");
	assert_int_equal(v[0].state, TASK_RUNNING);
	arena_free(a);
}

/* Begun and ended by one operation, and its task with it. */
static void
test_known(void **state)
{
	struct run_fixture *f = *state;
	struct meta_op op = op_insert(f->run, "a", 1);
	struct meta_kv kv = {.key = "rows", .val = "7", .len = 1};
	struct meta_path made = {.path = "o", .write = true};
	struct arena *a = arena_new(0);
	struct meta_attempt *v;
	struct meta_task task;
	char b[64];
	size_t n;

	op.kind = META_OP_ATTEMPT_KNOWN;
	op.task_result = RESULT_CACHED;
	op.reason = "nothing has changed";
	op.started_us = op.ended_us = 1234;
	op.outputs = &kv;
	op.noutputs = 1;
	op.produced = &made;
	op.nproduced = 1;
	op.stage = (struct meta_stage){NULL, "train", NULL, "h1"};
	commit(f->m, &op, 1);
	assert_string_equal(events_of(f->m, f->run),
			    "running(created) a:cached(nothing has changed)");
	ok(meta_attempts(f->m, f->run, a, &v, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(v[0].state, TASK_DONE);
	assert_int_equal(v[0].result, RESULT_CACHED);
	assert_string_equal(v[0].reason, "nothing has changed");
	assert_int_equal(v[0].started_us + v[0].ended_us, 2 * 1234);
	task = task_of(f->m, f->run, "a");
	assert_int_equal(task.state, TASK_DONE);
	assert_int_equal(task.result, RESULT_CACHED);
	assert_int_equal(task.attempt, 1);
	assert_int_equal(task.ended_us, 1234);
	assert_int_equal(values(f, "a", "h1", b), 1);
	assert_string_equal(b, "7");
	/* The same attempt again is a mistake of its owner's. */
	assert_int_equal(meta_commit(f->m, &op, 1, NULL, &err), -1);
	assert_int_equal(err.code, ERR_SYS);
	arena_free(a);
}

#define T(name) cmocka_unit_test_setup_teardown(name, run_setup, run_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {T(test_entries), T(test_values),
					   T(test_values_limit), T(test_why),
					   T(test_known)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
