/* What templates refer to: known names, places to the character, outputs of tasks upstream. */
#include "unit/scheduler/load_fixture.h"

static void
known_names(void **state)
{
	struct loaded l = loads(
	    "params: {rows: 1}\n"
	    "env: {D: '{{ dag }} {{ params.rows }}'}\n"
	    "tasks:\n"
	    "  a: {run: x}\n"
	    "  my-task: {run: x}\n"
	    "  b:\n"
	    "    needs: [a, my-task]\n"
	    "    run: echo {{ outputs.a.rows }} {{ outputs['my-task'].k }}\n"
	    "      {{ env.HOME }} {{ logical_date }} {{ ds }} {{ ds_nodash }} {{ ts }}\n"
	    "      {{ data_interval_start }} {{ data_interval_end }} {{ run_id }}\n"
	    "      {{ prev_success_date }} {{ dag }} {{ task }} {{ params.rows }}\n"
	    "      {{ params }} {{ outputs.a['x'] }} {{ outputs.a[params.rows] }}\n"
	    "    when: outputs.a.rows | int > 0\n"
	    "    workdir: '{{ outputs.a.dir }}'\n"
	    "  c: {needs: b, run: 'echo {{ outputs.a.rows }}'}\n");

	(void)state;
	unload(&l);
	/* What is asked about is not missed. */
	l = loads("tasks: {t: {run: \"x {{ params.no is defined }} {{ nope | "
		  "default('x') }}\"}}\n");
	unload(&l);
	/* Names of the template's own. */
	l = loads("tasks: {t: {run: \"x {% for i in [1] %}{{ i }}{% endfor %}{% set k = "
		  "1 %}{{ k "
		  "}}\"}}\n");
	unload(&l);
}

static void
run_refuses(const char *run, const char *message, const char *more)
{
	char text[512];

	(void)snprintf(
	    text, sizeof(text),
	    "params: {rows: 1}\ntasks:\n  a-b: {run: x}\n  t:\n    needs: [a-b]\n"
	    "    run: %s\n",
	    run);
	refuses(text, message, more);
}

static void
unknown_names(void **state)
{
	(void)state;
	run_refuses("echo {{ params.row }}",
		    "x.yaml:6:25: error: there is no param 'row'",
		    "did you mean 'rows'?");
	run_refuses("echo {{ params['row'] }}",
		    "x.yaml:6:26: error: there is no param 'row'", NULL);
	run_refuses("echo {{ params.xyzzy }}",
		    "x.yaml:6:25: error: there is no param 'xyzzy'",
		    "declare it under `params`");
	run_refuses("echo {{ dss }}", "x.yaml:6:18: error: there is no value 'dss'",
		    "did you mean 'ds'?");
	run_refuses("echo {{ rows }}", "x.yaml:6:18: error: there is no value 'rows'",
		    "write params.rows");
	run_refuses("echo {{ execution_date }}",
		    "x.yaml:6:18: error: there is no value 'execution_date'",
		    "did you mean 'logical_date'?");
	run_refuses("echo {{ item }}",
		    "x.yaml:6:18: error: `item` exists only in tasks with `for_each`",
		    NULL);
	run_refuses("echo {{ outputs.a.k }}", "x.yaml:6:26: error: there is no task 'a'",
		    NULL);
	run_refuses("echo {{ outputs.a-b.k }}",
		    "x.yaml:6:26: error: there is no task 'a'", "write outputs['a-b']");
	run_refuses("echo {{ outputs.t.k }}",
		    "x.yaml:6:26: error: task 't' cannot use its own outputs", NULL);
	run_refuses("echo {{ outputs['a-b'] }}",
		    "x.yaml:6:27: error: outputs.a-b says no key", "KEY=VALUE");
	run_refuses("echo {{ ds | uper }}", "x.yaml:6:23: error: unknown filter 'uper'",
		    "did you mean 'upper'?");
	run_refuses("echo {{ ds", "x.yaml:6:15: error: '{{' is not closed by '}}'", NULL);
	/* A task with for_each is refused for that, not for what it lends to its templates. */
	refuses("tasks: {t: {run: 'x {{ item }}', for_each: {item: [a]}}}\n",
		"x.yaml:1:34: error: `for_each` is not built yet", NULL);
}

/* The place is that of the name in the file, through quotes, escapes, folds and blocks. */
static void
places_inside_scalars(void **state)
{
	(void)state;
	run_refuses("|\n      one\n      two {{ dss }}",
		    "x.yaml:8:14: error: there is no value 'dss'", NULL);
	run_refuses("'it''s {{ dss }}'", "x.yaml:6:20: error: there is no value 'dss'",
		    NULL);
	run_refuses("\"\\u00e9\\t {{ dss }}\"",
		    "x.yaml:6:23: error: there is no value 'dss'", NULL);
	run_refuses("é {{ dss }}", "x.yaml:6:15: error: there is no value 'dss'", NULL);
	run_refuses(">\n      one\n      two {{\n      dss }}",
		    "x.yaml:9:7: error: there is no value 'dss'", NULL);
	run_refuses("one\n      two {{ dss }}",
		    "x.yaml:7:14: error: there is no value 'dss'", NULL);
}

static void
where_outputs_cannot_be_used(void **state)
{
	(void)state;
	refuses("env: {A: '{{ outputs.a.k }}'}\ntasks: {a: {run: x}}\n",
		"x.yaml:1:14: error: the DAG's `env` cannot use outputs of tasks",
		"`env` of the task");
	refuses(
	    "tasks:\n  a: {run: x}\n  b: {run: x, needs: a, inputs: ['{{ outputs.a.k "
	    "}}']}\n",
	    "x.yaml:3:38: error: paths of inputs and outputs cannot use outputs of tasks",
	    "when the run is created");
	refuses(
	    "tasks:\n  a: {run: x}\n  b: {run: x, needs: a, outputs: ['{{ outputs.a.k "
	    "}}']}\n",
	    "x.yaml:3:39: error: paths of inputs and outputs cannot use outputs of tasks",
	    NULL);
}

static void
not_upstream(void **state)
{
	(void)state;
	refuses("tasks:\n  a: {run: x}\n  b: {run: 'x {{ outputs.a.k }}'}\n",
		"x.yaml:3:26: error: 'a' does not come before task 'b'", "needs: [a]");
	refuses(
	    "tasks:\n  a: {run: x, needs: b}\n  b: {run: x, when: outputs.a.k == '1'}\n",
	    "x.yaml:3:29: error: 'a' does not come before task 'b'", NULL);
	/* By way of `defaults`: said for the tasks that it is wrong for. */
	refuses(
	    "defaults: {workdir: '{{ outputs.a.k }}'}\n"
	    "tasks:\n  a: {run: x, workdir: .}\n  b: {run: x, needs: a}\n  c: {run: x}\n",
	    "x.yaml:1:33: error: 'a' does not come before task 'c'", NULL);
	refuses("defaults: {workdir: '{{ outputs.no.k }}'}\ntasks:\n  a: {run: x}\n  b: "
		"{run: x}\n",
		"x.yaml:1:33: error: there is no task 'no'", NULL);
}

/* More producers than one pass looks for. */
static void
many_producers(void **state)
{
	struct loaded l;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_adds(&b, "tasks:\n  first: {run: x}\n  alone: {run: x}\n");
	for (int i = 0; i < 200; i++) {
		buf_addf(&b, "  t%d: {run: x, needs: ", i);
		if (i > 0)
			buf_addf(&b, "t%d}\n", i - 1);
		else
			buf_adds(&b, "first}\n");
	}
	buf_adds(&b, "  last:\n    needs: t199\n    run: x");
	for (int i = 0; i < 200; i++)
		buf_addf(&b, " {{ outputs.t%d.k }}", i);
	l = load_text_of(b.p);
	assert_non_null(l.dag);
	unload(&l);
	buf_adds(&b, " {{ outputs.alone.k }} {{ outputs.first.k }}\n");
	l = load_text_of(b.p);
	assert_int_equal(diag_errors(l.diag), 1);
	assert_non_null(
	    strstr(l.said.p, "error: 'alone' does not come before task 'last'"));
	unload(&l);
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_names),
	    cmocka_unit_test(unknown_names),
	    cmocka_unit_test(places_inside_scalars),
	    cmocka_unit_test(where_outputs_cannot_be_used),
	    cmocka_unit_test(not_upstream),
	    cmocka_unit_test(many_producers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
