/* Limits at the limit and one past it, files made to be slow, memory that runs out. */
#include <time.h>

#include "base/arena.h"
#include "scheduler/dag_load.h"
#include "scheduler/dag_paths.h"
#include "unit/scheduler/load_fixture.h"

/* As load_text_of, without the checks of the model that are slow for large ones, and within
 * so many seconds of processor time (far more than it takes, far less than a square). */
static struct loaded
load_within(const char *text, double seconds)
{
	struct loaded l = {.diag = diag_new()};
	struct timespec from, to;
	double took;

	assert_non_null(l.diag);
	assert_int_equal(diag_file(l.diag, "x.yaml", text, strlen(text)), 0);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	(void)dag_load(l.diag, 0, "x.yaml", text, strlen(text), "x.yaml", &l.dag);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	took =
	    (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	if (took > seconds)
		fail_msg("took %.1f s", took);
	buf_init(&l.said, 0);
	diag_print(l.diag, &l.said, false, 0);
	return l;
}

static void
expect(const char *text, const char *message)
{
	struct loaded l = load_within(text, 20);

	if (message == NULL) {
		if (l.dag == NULL)
			fail_msg("said: %.2000s", l.said.p);
	} else if (l.dag != NULL || strstr(l.said.p, message) == NULL)
		fail_msg("said: %.2000s\nwanted: %s", l.said.p, message);
	unload(&l);
}

static void
tasks(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_adds(&b, "tasks:\n");
	for (int i = 0; i < DAG_TASKS_MAX; i++)
		buf_addf(&b, "  t%d: {run: x}\n", i);
	expect(b.p, NULL);
	buf_adds(&b, "  last: {run: x}\n");
	expect(b.p, "x.yaml:2:3: error: there are 100001 tasks; at most 100000");
	buf_release(&b);
}

static void
list_of(struct buf *b, const char *key, const char *before, const char *behind, int n)
{
	buf_addf(b, "    %s:\n", key);
	for (int i = 0; i < n; i++)
		buf_addf(b, "      %s%d%s\n", before, i, behind);
}

static void
paths_and_variables_of_a_task(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	for (int more = 0; more <= 1; more++) {
		buf_clear(&b);
		buf_adds(&b, "tasks:\n  t:\n    run: x\n");
		list_of(&b, "inputs", "- i/", "", DAG_PATHS_MAX + more);
		list_of(&b, "outputs", "- o/", "", DAG_PATHS_MAX);
		list_of(&b, "env", "E", ": x", DAG_ENV_MAX);
		expect(b.p, more ? "5:7: error: there are 10001 `inputs`; at most 10000"
				 : NULL);
	}
	buf_clear(&b);
	buf_adds(&b, "tasks:\n  t:\n    run: x\n");
	list_of(&b, "env", "E", ": x", DAG_ENV_MAX + 1);
	expect(b.p, "5:7: error: there are 1001 environment variables; at most 1000");
	buf_release(&b);
}

/* A directory that 2,000 tasks read and 2,500 make parts of: five million edges. */
static void
edges(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_adds(&b, "tasks:\n");
	for (int i = 0; i < 2500; i++)
		buf_addf(&b, "  m%d: {run: x, outputs: [d/%d]}\n", i, i);
	for (int i = 0; i < 2000; i++)
		buf_addf(&b, "  r%d: {run: x, inputs: [d]}\n", i);
	expect(b.p, NULL);
	buf_adds(&b, "  r: {run: x, needs: m0}\n");
	expect(b.p, "error: there are more than 5000000 edges");
	buf_release(&b);
}

static void
globs(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_adds(&b, "tasks:\n");
	for (int i = 0; i < 2000; i++)
		buf_addf(&b, "  m%d: {run: x, outputs: [o%d]}\n", i, i);
	for (int i = 0; i < PATH_GLOB_WORK / 2000; i++)
		buf_addf(&b, "  r%d: {run: x, inputs: ['*.%d']}\n", i, i);
	expect(b.p, NULL);
	/* A fixed beginning costs nothing. */
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "  f%d: {run: x, inputs: ['in/%d/*.csv']}\n", i, i);
	expect(b.p, NULL);
	buf_adds(&b, "  r: {run: x, inputs: ['*.csv']}\n");
	expect(b.p, "x.yaml: error: the globs of inputs would have to be compared with "
		    "outputs more "
		    "than 2000000 times");
	buf_release(&b);
}

/* Ten thousand tasks with paths, templates and edges: the plan's goal is 100 ms in a release
 * build; anything that grows with the square would take minutes in this one. */
static void
ten_thousand_tasks(void **state)
{
	struct loaded l;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_adds(&b, "params: {n: 3}\ntasks:\n");
	for (int i = 0; i < 10000; i++) {
		buf_addf(&b, "  task_%d:\n    run: ./step {{ params.n }}%s %d\n", i,
			 i > 0 ? " {{ outputs.task_0.k }}" : "", i);
		buf_addf(&b, "    outputs: [data/%d/x.csv]\n    timeout: 5m\n", i);
		if (i > 0)
			buf_addf(&b,
				 "    needs: [task_%d]\n    inputs: [data/%d/x.csv]\n",
				 i - 1, i / 2);
	}
	l = load_within(b.p, 10);
	assert_non_null(l.dag);
	assert_int_equal(l.dag->levels, 10000);
	assert_int_equal(dag_task_find(l.dag, "task_9999")->nup, 2);
	unload(&l);
	buf_release(&b);
}

/* Many mistakes that each ask for a suggestion among many names. */
static void
many_unknown_names(void **state)
{
	struct loaded l;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_adds(&b, "tasks:\n");
	for (int i = 0; i < 30000; i++)
		buf_addf(&b, "  task_number_%d: {run: x, needs: [taks_number_%d]}\n", i,
			 i);
	l = load_within(b.p, 20);
	assert_int_equal(diag_errors(l.diag), 30000);
	assert_non_null(strstr(l.said.p, "did you mean 'task_number_0'?"));
	assert_non_null(strstr(l.said.p, "and 29000 more errors, not shown"));
	unload(&l);
	buf_release(&b);
}

static void
many_cycles(void **state)
{
	struct loaded l;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_adds(&b, "tasks:\n");
	for (int i = 0; i < 20000; i++)
		buf_addf(&b, "  t%d: {run: x, needs: [t%d]}\n", i, i ^ 1);
	l = load_within(b.p, 20);
	assert_int_equal(diag_errors(l.diag), 100);
	assert_non_null(
	    strstr(l.said.p, "there are 9900 more groups of tasks that wait for each"));
	unload(&l);
	buf_release(&b);
}

static void
memory_that_runs_out_is_an_error(void **state)
{
	static const char text[] =
	    "dag: d\ntags: [x]\nparams: {p: {enum: [1, 2]}, q: 1}\n"
	    "env: {A: '${env:B}', C: '{{ params.q }}'}\n"
	    "defaults: {workdir: 'w{{ ds }}', shell: bash}\n"
	    "tasks:\n"
	    "  a: {run: 'x {{ ds }}', outputs: [./o, 'o{{ ds }}'], tags: [y]}\n"
	    "  b: {run: [x, y], needs: a, inputs: [o, 'o{{ ds }}', 'g/*'],\n"
	    "      when: params.q > 0, params: [q], env: {D: '{{ outputs.a.k }}'}}\n"
	    "  c: {run: x, needs: b, workdir: '{{ outputs.a.k }}'}\n"
	    "  d: {type: wait, for: '{{ params.q }}'}\n";
	struct dag *g = NULL;

	(void)state;
	for (size_t limit = 64; g == NULL; limit += 64) {
		struct arena *a = arena_new(limit);
		struct diag *d = diag_new();
		struct buf said;
		int rc;

		assert_true(limit < 1000000);
		(void)diag_file(d, "x.yaml", text, strlen(text));
		rc = dag_load_in(a, d, 0, "x.yaml", text, strlen(text), "x.yaml", &g);
		assert_int_equal(rc, g != NULL ? 0 : -1);
		buf_init(&said, 0);
		diag_print(d, &said, false, 0);
		if (g == NULL && strstr(said.p, "out of memory") == NULL)
			fail_msg("limit %zu: %s", limit, said.p);
		buf_release(&said);
		diag_free(d);
	}
	dag_check_model(g);
	dag_free(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tasks),
	    cmocka_unit_test(paths_and_variables_of_a_task),
	    cmocka_unit_test(edges),
	    cmocka_unit_test(globs),
	    cmocka_unit_test(ten_thousand_tasks),
	    cmocka_unit_test(many_unknown_names),
	    cmocka_unit_test(many_cycles),
	    cmocka_unit_test(memory_that_runs_out_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
