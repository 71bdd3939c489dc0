#ifndef TESTS_STORE_META_TEST_H
#define TESTS_STORE_META_TEST_H
/* What the tests of metadata share: a project with a run of tasks a, b, c, and operations. */
#include "unit/store/store_test.h"

#include "base/arena.h"
#include "base/uuid.h"
#include "store/meta.h"

#define BOOT "b00tb00t-0000-4000-8000-000000000000"

static struct err err;

static inline int64_t
tick(void)
{
	static int64_t now = 1760000000000000;

	return now += 1000;
}

/* Create a run of ${dag} with ${n} tasks called a, b, c ... (t0000 ... if there are many). */
static inline void
make_run(struct meta *m, const char *dag, char id[META_RUN_ID], size_t n)
{
	static const char source[] = "tasks: {}\n";
	struct meta_task_new *tasks = calloc(n + 1, sizeof(*tasks));
	char(*names)[8] = calloc(n + 1, sizeof(*names));
	struct meta_run_new r = {.id = id,
				 .dag = dag,
				 .kind = "manual",
				 .logical_us = tick(),
				 .partition = "",
				 .file = "dags/x.yaml",
				 .def_hash = "abc",
				 .def_source = source,
				 .def_source_len = sizeof(source) - 1,
				 .params = "{}",
				 .options = "{}",
				 .created_us = tick(),
				 .tasks = tasks,
				 .ntasks = n};
	size_t i;

	assert_non_null(tasks);
	assert_non_null(names);
	for (i = 0; i < n; i++) {
		if (n <= 26)
			(void)snprintf(names[i], sizeof(names[i]), "%c", 'a' + (int)i);
		else
			(void)snprintf(names[i], sizeof(names[i]), "t%05u",
				       (unsigned)(i % 100000));
		tasks[i] =
		    (struct meta_task_new){.name = names[i], .map = -1, .selected = true};
	}
	assert_int_equal(uuid7(id, tick()), 0);
	ok(meta_run_create(m, &r, BOOT, &err));
	free(names);
	free(tasks);
}

/* A database open for writing, with one run in it. */
struct run_fixture {
	struct place pl;
	struct meta *m;
	char run[META_RUN_ID];
};

static inline int
run_setup(void **state)
{
	struct run_fixture *f = calloc(1, sizeof(*f));

	place_make(&f->pl);
	ok(meta_open(&f->pl.p, META_WRITE, &f->m, &err));
	make_run(f->m, "demo", f->run, 3);
	*state = f;
	return 0;
}

static inline int
run_teardown(void **state)
{
	struct run_fixture *f = *state;

	if (f->m != NULL)
		ok(meta_check(f->m, true, &err));
	meta_close(f->m);
	place_remove(&f->pl);
	free(f);
	return 0;
}

static inline struct meta_op
op_insert(const char *run, const char *task, uint32_t number)
{
	return (struct meta_op){.kind = META_OP_ATTEMPT_INSERT,
				.run = run,
				.epoch = 1,
				.task = task,
				.map = -1,
				.number = number,
				.at_us = tick(),
				.attempt_id = "0193b7c4-0000-7000-8000-000000000000",
				.boot_id = BOOT,
				.executor = "local",
				.dir = "runs/x/a.-1.1"};
}

static inline struct meta_op
op_end(const char *run, const char *task, uint32_t number, enum task_result result)
{
	return (struct meta_op){.kind = META_OP_ATTEMPT_END,
				.run = run,
				.epoch = 1,
				.task = task,
				.map = -1,
				.number = number,
				.at_us = tick(),
				.task_result = result,
				.cause = "exit",
				.exit_status = result == RESULT_SUCCESS ? 0 : 1};
}

static inline struct meta_op
op_task(const char *run, const char *task, enum task_state state, enum task_result result)
{
	return (struct meta_op){.kind = META_OP_TASK,
				.run = run,
				.epoch = 1,
				.task = task,
				.map = -1,
				.at_us = tick(),
				.task_state = state,
				.task_result = result,
				.ended_us = state == TASK_DONE ? tick() : 0};
}

static inline struct meta_op
op_update(const char *run, const char *task, uint32_t number, enum task_state state)
{
	return (struct meta_op){.kind = META_OP_ATTEMPT_UPDATE,
				.run = run,
				.epoch = 1,
				.task = task,
				.map = -1,
				.number = number,
				.at_us = tick(),
				.task_state = state};
}

static inline void
commit(struct meta *m, struct meta_op *ops, size_t n)
{
	const struct meta_op *stale;

	ok(meta_commit(m, ops, n, &stale, &err));
	assert_null(stale);
}

/* The row of ${task} in ${run}; its strings live until the next call. */
static inline struct meta_task
task_of(struct meta *m, const char *run, const char *task)
{
	static struct arena *a;
	struct meta_task *v;
	size_t n, i;

	arena_free(a);
	a = arena_new(0);
	ok(meta_tasks(m, run, a, &v, &n, &err));
	for (i = 0; i < n; i++)
		if (strcmp(v[i].name, task) == 0)
			return v[i];
	fail_msg("no task %s", task);
	return (struct meta_task){0};
}

/* The events of ${run} as "task:event(reason) ..." in a static buffer. */
static inline const char *
events_of(struct meta *m, const char *run)
{
	static char text[8192];
	struct arena *a = arena_new(0);
	struct meta_event *v;
	size_t n, i, at = 0;
	int64_t last = 0;

	text[0] = '\0';
	ok(meta_events(m, run, 0, 1000, a, &v, &n, &err));
	for (i = 0; i < n; i++) {
		assert_true(v[i].id > last);
		last = v[i].id;
		at += (size_t)snprintf(
		    text + at, sizeof(text) - at, "%s%s%s%s%s%s%s", at != 0 ? " " : "",
		    v[i].task != NULL ? v[i].task : "", v[i].task != NULL ? ":" : "",
		    v[i].event, v[i].reason != NULL ? "(" : "",
		    v[i].reason != NULL ? v[i].reason : "",
		    v[i].reason != NULL ? ")" : "");
		assert_true(at < sizeof(text));
	}
	arena_free(a);
	return text;
}

#endif
