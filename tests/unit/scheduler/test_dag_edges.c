/* Edges from `needs` and from paths, and which paths may be outputs. */
#include "unit/scheduler/load_fixture.h"

static bool
has_edge(const struct loaded *l, const char *from, const char *to)
{
	const struct dag_task *f = task(l, from), *t = task(l, to);

	for (size_t i = 0; i < t->nup; i++)
		if (t->up[i] == f->id)
			return true;
	return false;
}

/* Whether a task that makes `output` comes before one that reads `input`. */
static bool
meets(const char *output, const char *input)
{
	struct loaded l;
	struct buf b;
	bool edge;

	buf_init(&b, 0);
	buf_addf(&b,
		 "tasks:\n  reader: {run: x, inputs: ['%s']}\n  maker: {run: x, outputs: "
		 "['%s']}\n",
		 input, output);
	l = loads(b.p);
	edge = has_edge(&l, "maker", "reader");
	assert_false(has_edge(&l, "reader", "maker"));
	buf_release(&b);
	unload(&l);
	return edge;
}

static void
needs(void **state)
{
	struct loaded l = loads("tasks:\n  c: {run: x, needs: [a, b]}\n  a: {run: x}\n"
				"  b: {run: x, needs: a}\n");

	(void)state;
	assert_int_equal(l.dag->levels, 3);
	assert_int_equal(task(&l, "c")->level, 2);
	assert_true(has_edge(&l, "a", "c") && has_edge(&l, "b", "c") &&
		    has_edge(&l, "a", "b"));
	assert_int_equal(task(&l, "a")->ndown, 2);
	unload(&l);
	refuses("tasks:\n  extract: {run: x}\n  b: {run: x, needs: [extrct]}\n",
		"x.yaml:3:23: error: there is no task 'extrct'",
		"did you mean 'extract'?");
	refuses("tasks:\n  b: {run: x, needs: b}\n",
		"x.yaml:2:22: error: task 'b' cannot need itself", NULL);
	refuses("tasks:\n  a: {run: x}\n  b: {run: x, needs: [a, a]}\n",
		"x.yaml:3:26: error: 'a' is named twice", "first named here");
	refuses("tasks:\n  a: {run: x}\n  b: {run: x, needs: [[a]]}\n",
		"x.yaml:3:23: error: `needs` takes names of tasks, not a list", NULL);
}

static void
paths_that_meet(void **state)
{
	static const char *const yes[][2] = {
	    {"a", "a"},
	    {"a/b", "a/b"},
	    {"a/b", "a"},	/* lies below the input */
	    {"a", "a/b/c"},	/* holds the input */
	    {"./a//b/", "a/b"}, /* the same in other words */
	    {"a/x/../b", "a/b"},
	    {"a", "."},
	    {"a", ".."},
	    {"a", "/"},
	    {"a/b.csv", "a/*.csv"},
	    {"a/b/c.csv", "a/*/c.csv"},
	    {"a", "a/*.csv"}, /* may hold matches */
	    {"a/b", "a/**/*.csv"},
	    {"a/b/c.csv", "a/**/*.csv"},
	    {"a/c.csv", "**/*.csv"},
	    {"a/b/c.csv", "a/b*"}, /* below a match */
	    {"out.d/x.csv", "**/out.d"},
	    {"a b/c", "a b"},
	    {"データ/x", "データ"},
	};
	static const char *const no[][2] = {
	    {"a", "b"},
	    {"a", "ab"},
	    {"ab", "a"},
	    {"a-b", "a"},
	    {"a.b", "a"},
	    {"a/b", "a/c"},
	    {"a", "../a"},
	    {"a", "/a"},
	    {"a/b.txt", "a/*.csv"},
	    {"b/c.csv", "a/*.csv"},
	    {"a/b/c.csv", "a/*.csv"},
	    {"b", "a/*.csv"},
	    {"a/x.out", "**/*.csv"}, /* a file by its name */
	    {"a", "../*"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!meets(yes[i][0], yes[i][1]))
			fail_msg("no edge from %s to %s", yes[i][0], yes[i][1]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (meets(no[i][0], no[i][1]))
			fail_msg("an edge from %s to %s", no[i][0], no[i][1]);
}

static void
templates_meet_by_their_text(void **state)
{
	struct loaded l = loads(
	    "params: {d: x}\n"
	    "tasks:\n"
	    "  a: {run: x, outputs: ['data/{{ ds }}/x.csv']}\n"
	    "  b: {run: x, inputs: ['data/{{ ds }}/x.csv', 'data/{{ params.d }}']}\n"
	    "  c: {run: x, inputs: ['data/{{ds}}/x.csv']}\n");

	(void)state;
	assert_true(has_edge(&l, "a", "b"));
	assert_false(has_edge(&l, "a", "c"));
	unload(&l);
	refuses("tasks:\n  a: {run: x, outputs: ['{{ ds }}']}\n"
		"  b: {run: x, outputs: ['{{ ds }}']}\n",
		"x.yaml:3:25: error: the output '{{ ds }}' is made by task 'a' too",
		"2:25: note");
	refuses("tasks:\n  a: {run: x, inputs: ['{{ ds }}'], outputs: ['{{ ds }}']}\n",
		"x.yaml:2:24: error: task 'a' would delete its own input '{{ ds }}' "
		"before each "
		"attempt",
		"persist: true");
}

static void
many_edges_are_found_once(void **state)
{
	struct loaded l =
	    loads("tasks:\n"
		  "  a: {run: x, outputs: [d/a, d/b]}\n"
		  "  b: {run: x, needs: a, inputs: [d, d/a, d/b, 'd/*']}\n");

	(void)state;
	assert_int_equal(task(&l, "b")->nup, 1);
	assert_int_equal(task(&l, "a")->ndown, 1);
	unload(&l);
}

static void
output_is_refused(const char *output, const char *message, const char *more)
{
	char text[512], want[512];

	(void)snprintf(text, sizeof(text), "tasks: {t: {run: x, outputs: [\"%s\"]}}\n",
		       output);
	(void)snprintf(want, sizeof(want), "x.yaml:1:31: error: %s", message);
	refuses(text, want, more);
}

static void
outputs_that_would_destroy_something(void **state)
{
	struct loaded l;

	(void)state;
	output_is_refused("/tmp/x", "the output '/tmp/x' lies outside the project",
			  "deleted");
	output_is_refused("../x", "the output '../x' lies outside the project", NULL);
	output_is_refused("a/../../x", "the output 'a/../../x' lies outside the project",
			  NULL);
	output_is_refused(".", "the output '.' is the project itself", NULL);
	output_is_refused("a/..", "the output 'a/..' is the project itself", NULL);
	output_is_refused("..", "the output '..' lies outside the project", NULL);
	output_is_refused("x.yaml", "the output 'x.yaml' is this DAG file", NULL);
	output_is_refused(".git", "the output '.git' lies in .git, which is not yours",
			  NULL);
	output_is_refused("sub/.git/x",
			  "the output 'sub/.git/x' lies in .git, which is not yours",
			  NULL);
	output_is_refused(".dag/x",
			  "the output '.dag/x' lies in .dag, which is not yours", NULL);
	output_is_refused(".dvc", "the output '.dvc' lies in .dvc, which is not yours",
			  NULL);
	output_is_refused("a/*.csv", "an output names one file or directory, no glob",
			  NULL);
	output_is_refused("~/x", "'~' is not your home here", NULL);
	output_is_refused("", "a path cannot be empty", NULL);
	output_is_refused("a\\nb", "a path cannot have line breaks or control characters",
			  NULL);
	output_is_refused("/{{ ds }}", "the output '/{{ ds }}' lies outside the project",
			  NULL);
	output_is_refused("../a{{ ds }}",
			  "the output '../a{{ ds }}' lies outside the project", NULL);
	output_is_refused(".git/{{ ds }}",
			  "the output '.git/{{ ds }}' lies in .git, which is not "
			  "yours",
			  NULL);
	l = load_named("dags/sub/x.yaml", "tasks: {t: {run: x, outputs: [dags]}}\n", 38);
	assert_non_null(strstr(l.said.p, "the output 'dags' holds this DAG file"));
	unload(&l);
	/* What only looks like it. */
	l = loads("tasks: {t: {run: x, outputs: [.gitx, a.git, x.yaml2, ..x, dags]}}\n");
	unload(&l);
}

static void
two_tasks_with_one_output(void **state)
{
	(void)state;
	refuses(
	    "tasks:\n  a: {run: x, outputs: [d/x]}\n  b: {run: x, outputs: [./d/x]}\n",
	    "x.yaml:3:25: error: the output './d/x' is made by task 'a' too",
	    "2:25: note");
	refuses("tasks:\n  a: {run: x, outputs: [d]}\n  b: {run: x, outputs: [d/x]}\n",
		"x.yaml:3:25: error: the output 'd/x' lies in 'd', which task 'a' makes",
		NULL);
	refuses("tasks:\n  a: {run: x, outputs: [d/x]}\n  b: {run: x, outputs: [d]}\n",
		"x.yaml:2:25: error: the output 'd/x' lies in 'd', which task 'b' makes",
		NULL);
	refuses("tasks:\n  a: {run: x, outputs: [d, d]}\n",
		"x.yaml:2:28: error: the output 'd' is named twice", NULL);
	refuses("tasks:\n  a: {run: x, outputs: [d/e, d]}\n",
		"x.yaml:2:25: error: the output 'd/e' lies in another output of the same "
		"task",
		NULL);
	/* Three claim it: each of the later two is told. */
	refuses_n("tasks:\n  a: {run: x, outputs: [d]}\n  b: {run: x, outputs: [d]}\n"
		  "  c: {run: x, outputs: [d]}\n",
		  2, "x.yaml:3:25: error: the output 'd' is made by task 'a' too",
		  "4:25: error: the output 'd' is made by task 'a' too");
}

static void
own_inputs(void **state)
{
	struct loaded l;

	(void)state;
	refuses("tasks:\n  a: {run: x, inputs: [d], outputs: [d]}\n",
		"x.yaml:2:24: error: task 'a' would delete its own input 'd' before each "
		"attempt",
		"persist: true");
	refuses(
	    "tasks:\n  a: {run: x, inputs: [d/src], outputs: [d]}\n",
	    "x.yaml:2:24: error: task 'a' would delete its own input 'd/src' before each "
	    "attempt",
	    NULL);
	refuses(
	    "tasks:\n  a: {run: x, inputs: ['*.csv'], outputs: [x.csv]}\n",
	    "x.yaml:2:24: error: task 'a' would delete its own input '*.csv' before each "
	    "attempt",
	    NULL);
	l = loads("tasks:\n  a: {run: x, inputs: [d], outputs: [d], persist: true}\n");
	assert_int_equal(task(&l, "a")->nup, 0);
	unload(&l);
	l = loads("defaults: {persist: true}\ntasks:\n  a: {run: x, inputs: [d], "
		  "outputs: [d]}\n");
	unload(&l);
	l = loads(
	    "tasks:\n  a: {run: x, inputs: [/etc/passwd, ../x, '/a/*'], outputs: [d]}\n");
	unload(&l);
}

static void
long_paths(void **state)
{
	struct loaded l;
	struct buf b;

	(void)state;
	for (int n = 4095; n <= 4096; n++) {
		buf_init(&b, 0);
		buf_adds(&b, "tasks: {t: {run: x, inputs: [");
		for (int i = 0; i < n; i++)
			buf_addc(&b, i % 100 == 99 ? '/' : 'a');
		buf_adds(&b, "]}}\n");
		if (n == 4095) {
			l = loads(b.p);
			unload(&l);
		} else
			refuses(
			    b.p,
			    "x.yaml:1:30: error: the path has 4096 bytes; at most 4095",
			    NULL);
		buf_release(&b);
	}
}

static void
cycles(void **state)
{
	struct loaded l;

	(void)state;
	refuses("tasks:\n  a: {run: x, needs: c}\n  b: {run: x, needs: a}\n  c: {run: x, "
		"needs: b}\n",
		"x.yaml:4:22: error: tasks wait for each other: a -> b -> c -> a",
		"let one of them not need the other");
	/* The shortest of a component, one message for each component. */
	l = load_text_of("tasks:\n"
			 "  a: {run: x, needs: [d]}\n"
			 "  b: {run: x, needs: [a, d]}\n"
			 "  c: {run: x, needs: [b]}\n"
			 "  d: {run: x, needs: [c, b]}\n"
			 "  e: {run: x, needs: [d, f]}\n"
			 "  f: {run: x, needs: [e]}\n"
			 "  g: {run: x, needs: [f]}\n");
	assert_int_equal(diag_errors(l.diag), 2);
	assert_non_null(
	    strstr(l.said.p, "5:26: error: tasks wait for each other: a -> b -> d -> a"));
	assert_non_null(
	    strstr(l.said.p, "7:23: error: tasks wait for each other: e -> f -> e"));
	unload(&l);
	/* Through a path: where it comes from is said. */
	refuses("tasks:\n  a: {run: x, needs: [b], outputs: [o]}\n  b: {run: x, inputs: "
		"[o]}\n",
		"x.yaml:2:23: error: tasks wait for each other: a -> b -> a",
		"x.yaml:3:24: note: 'a' comes before 'b' because it makes this input");
	refuses("tasks:\n  a: {run: x, inputs: [p], outputs: [o]}\n"
		"  b: {run: x, inputs: [o], outputs: [p]}\n",
		"x.yaml:3:24: error: tasks wait for each other: a -> b -> a",
		"x.yaml:2:24: note: 'b' comes before 'a' because it makes this input");
}

static void
long_cycles_are_cut(void **state)
{
	struct loaded l;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_adds(&b, "tasks:\n");
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "  t%d: {run: x, needs: t%d}\n", i, (i + 999) % 1000);
	l = load_text_of(b.p);
	assert_int_equal(diag_errors(l.diag), 1);
	assert_non_null(strstr(l.said.p,
			       "tasks wait for each other: t0 -> t1 -> t2 -> t3 -> t4 -> "
			       "t5 -> t6 -> t7 -> ... (984 more) -> t992 -> "));
	unload(&l);
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(needs),
	    cmocka_unit_test(paths_that_meet),
	    cmocka_unit_test(templates_meet_by_their_text),
	    cmocka_unit_test(many_edges_are_found_once),
	    cmocka_unit_test(outputs_that_would_destroy_something),
	    cmocka_unit_test(two_tasks_with_one_output),
	    cmocka_unit_test(own_inputs),
	    cmocka_unit_test(long_paths),
	    cmocka_unit_test(cycles),
	    cmocka_unit_test(long_cycles_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
