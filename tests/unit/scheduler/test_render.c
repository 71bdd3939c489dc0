#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/jinja.h"
#include "render_fixture.h"

/* Render the task; its error is in f->msg. */
static int
task(struct fixture *f, const char *name)
{
	struct err err = {0};
	int rc = render_task(&f->v, dag_task_find(f->g, name), f->a, &f->task, &err);

	(void)snprintf(f->msg, sizeof(f->msg), "%s", rc == 0 ? "" : err.msg);
	return rc;
}

static const char *
env_of(const struct fixture *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->task.nenv; i++)
		if (strcmp(f->task.env[i].name, name) == 0)
			return f->task.env[i].val;
	return NULL;
}

/* The one task `t` of ${yaml} runs ${want} (NULL: is refused with ${why}). */
static void
run_is(const char *yaml, const char *want, const char *why)
{
	struct fixture f;
	char text[4096];
	size_t n = 0;

	(void)snprintf(text, sizeof(text),
		       "params: {p: a/b, bad: 'x; y', n: 5, l: [a, 'b c']}\n"
		       "env: {D: dag, T: '{{ ds }}', S: '${env:TOKEN}'}\n"
		       "tasks:\n  extract: {run: x}\n  skipped: {run: x}\n"
		       "  t: {needs: [extract, skipped], trigger: all_done, %s}\n",
		       yaml);
	start(&f, text, NULL, 0);
	if (task(&f, "t") != (want != NULL ? 0 : -1))
		fail_msg("%s: %s", yaml, want != NULL ? f.msg : "accepted");
	if (want == NULL) {
		says(f.msg, why);
		says(f.msg, "t.yaml:6:");
	} else {
		while (f.task.argv[n] != NULL)
			n++;
		assert_string_equal(f.task.argv[n - 1], want);
	}
	stop(&f);
}

static void
test_values(void **state)
{
	(void)state;
	run_is("run: 'x {{ ds }} {{ ds_nodash }} {{ ts }}'",
	       "x 2026-11-22 20261122 2026-11-22T02:00:00Z", NULL);
	run_is("run: 'x {{ logical_date.year }} {{ data_interval_start }} "
	       "{{ data_interval_end }}'",
	       "x 2026 2026-11-22T02:00:00Z 2026-11-23T02:00:00Z", NULL);
	run_is("run: 'x {{ run_id }} {{ dag }} {{ task }} {{ params.p }} {{ env.D }}'",
	       "x 0192-abc t t a/b dag", NULL);
	run_is("run: 'x {{ prev_success_date }}'", NULL, "None");
	run_is("run: 'x {{ prev_success_date | default(ds, true) }}'", "x 2026-11-22",
	       NULL);
	run_is("run: 'x {{ outputs.extract.rows }} {{ outputs.extract.rows | int + 1 }}'",
	       "x 10 11", NULL);
	run_is("run: 'x {{ (outputs.extract.json | fromjson)[1] }}'", "x 2", NULL);
	run_is("run: 'x {{ env.T }} {{ env.O }}', env: {O: '{{ env.T }}x'}",
	       "x 2026-11-22 2026-11-22x", NULL);
	run_is("run: '{% if params.n > 3 %}x{% else %}y{% endif %} {{ params.n }}'",
	       "x 5", NULL);
}

static void
test_undefined(void **state)
{
	(void)state;
	run_is("run: 'x {{ outputs.skipped.rows }}'", NULL,
	       "outputs of `skipped` are undefined");
	run_is("run: 'x {{ outputs.skipped.rows | default(0) }}'", "x 0", NULL);
	run_is("run: 'x {{ outputs.extract.row }}'", NULL, "did you mean 'rows'?");
	run_is("run: 'x {{ env.S }}'", NULL, "env.S is a secret");
	run_is("run: 'x {{ env[params.p] }}'", NULL, "env has no 'a/b'");
	run_is("run: 'x {{ env.A }}', env: {A: '{{ env.B }}', B: '{{ env.A }}'}", NULL,
	       "refers to itself");
}

static void
test_shell_rule(void **state)
{
	(void)state;
	run_is("run: 'x {{ params.bad }}'", NULL, "`run` of task 't'");
	run_is("run: 'x {{ params.bad }}'", NULL, "env: {NAME: '{{ params.bad }}'}");
	run_is("run: 'x {{ params.bad }}'", NULL, "{{ params.bad | sh }}");
	run_is("run: 'x {{ params.bad | sh }}'", "x 'x; y'", NULL);
	run_is("run: 'x {{ params.l | sh }}'", "x 'a' 'b c'", NULL);
	run_is("run: '{{ params.p }}'", NULL, "would choose the program");
	run_is("run: 'x {{ params.p if params.n > 9 }}'", NULL, "it is empty");
	run_is("run: 'x {{ outputs.extract.name }}'", NULL, "'a b'");
	run_is("run: 'x {% for i in params.l %}{{ i | sh }} {% endfor %}'",
	       "x 'a' 'b c' ", NULL);
	run_is("run: 'x {% set c %}{{ params.bad }}{% endset %}{{ c }}'", NULL, "'x; y'");
	/* the value of a variable passes by the rule of where it is put */
	run_is("run: 'x {{ env.B }}', env: {B: '{{ params.bad }}'}", NULL, "'x; y'");
	run_is("run: 'x \"$B\"', env: {B: '{{ params.bad }}'}", "x \"$B\"", NULL);
	run_is("run: 'x {{ params.n }}', shell: [bash, -c]", "x 5", NULL);
}

static void
test_argv(void **state)
{
	struct fixture f;

	(void)state;
	start(&f,
	      "params: {bad: '-x; y \"', l: [a], big: ''}\n"
	      "tasks:\n"
	      "  a: {run: [x, '{{ params.bad }}', '', 'a{{ ds }}', '{{ none }}']}\n"
	      "  b: {run: x y}\n"
	      "  c: {run: x, shell: [bash, -x, -c]}\n"
	      "  l: {run: [x, '{{ params.l }}']}\n"
	      "  s: {run: [x, '{{ params.bad | sh }}']}\n"
	      "  e: {run: ['{{ params.big }}', x]}\n",
	      NULL, 0);
	assert_int_equal(task(&f, "a"), 0);
	assert_string_equal(f.task.argv[0], "x");
	assert_string_equal(f.task.argv[1], "-x; y \"");
	assert_string_equal(f.task.argv[2], "");
	assert_string_equal(f.task.argv[3], "a2026-11-22");
	assert_string_equal(f.task.argv[4], "None");
	assert_null(f.task.argv[5]);
	assert_int_equal(task(&f, "b"), 0);
	assert_string_equal(f.task.argv[0], "/bin/sh");
	assert_string_equal(f.task.argv[1], "-e");
	assert_string_equal(f.task.argv[2], "-c");
	assert_string_equal(f.task.argv[3], "x y");
	assert_null(f.task.argv[4]);
	assert_int_equal(task(&f, "c"), 0);
	assert_string_equal(f.task.argv[1], "-x");
	assert_string_equal(f.task.argv[3], "x");
	assert_int_equal(task(&f, "l"), -1);
	says(f.msg, "join(',')");
	assert_int_equal(task(&f, "s"), -1);
	says(f.msg, "needs no quotes");
	assert_int_equal(task(&f, "e"), -1);
	says(f.msg, "t.yaml:8:14: `run` of task 'e': the program's name is empty");
	stop(&f);
}

static void
test_environment(void **state)
{
	struct fixture f;

	(void)state;
	start(
	    &f,
	    "params: {q: 'it''s \"$x\"'}\n"
	    "env: {A: dag, P: /bin, S: '${env:TOKEN}', F: '${file:/etc/x}', B: '{{ task "
	    "}}'}\n"
	    "tasks:\n"
	    "  t: {run: x, env: {A: task, Q: '{{ params.q }}', P: '{{ env.P }}:/usr/bin',"
	    " E: ''}}\n"
	    "  u: {run: x}\n"
	    "  l: {run: x, env: {L: '{{ [1] }}'}}\n",
	    NULL, 0);
	assert_int_equal(task(&f, "t"), 0);
	assert_int_equal(f.task.nenv, 7);
	assert_string_equal(env_of(&f, "A"), "task");
	assert_string_equal(env_of(&f, "P"), "/bin:/usr/bin");
	assert_string_equal(env_of(&f, "Q"), "it's \"$x\"");
	assert_string_equal(env_of(&f, "B"), "t");
	assert_string_equal(env_of(&f, "E"), "");
	assert_string_equal(f.task.env[0].name, "S");
	assert_null(f.task.env[0].val);
	assert_string_equal(f.task.env[0].secret_env, "TOKEN");
	assert_string_equal(f.task.env[1].secret_file, "/etc/x");
	assert_int_equal(task(&f, "u"), 0);
	assert_string_equal(env_of(&f, "A"), "dag");
	assert_string_equal(env_of(&f, "B"), "u");
	assert_int_equal(task(&f, "l"), -1);
	says(f.msg, "`env.L` of task 'l': the value is a list");
	stop(&f);
}

static void
test_limits(void **state)
{
	const size_t max = (size_t)128 << 10;
	char *big = malloc(max + 1);
	struct param_arg arg = {"s", big};
	struct fixture f;
	size_t n;

	(void)state;
	assert_non_null(big);
	/* AA= and the NUL take 4 */
	for (n = max - 4; n <= max - 3; n++) {
		memset(big, 'a', n);
		big[n] = '\0';
		start(&f,
		      "params: {s: ''}\n"
		      "tasks: {t: {run: x, env: {AA: '{{ params.s }}'}},"
		      " u: {run: 'x {{ params.s }}'}}\n",
		      &arg, 1);
		assert_int_equal(task(&f, "t"), n == max - 4 ? 0 : -1);
		if (n != max - 4)
			says(f.msg, "the value of AA has 131069 bytes");
		assert_int_equal(task(&f, "u"), 0); /* a script may be longer */
		stop(&f);
	}
	for (n = max - 1; n <= max; n++) {
		memset(big, 'a', n);
		big[n] = '\0';
		start(&f, "params: {s: ''}\ntasks: {t: {run: [x, '{{ params.s }}']}}\n",
		      &arg, 1);
		assert_int_equal(task(&f, "t"), n == max - 1 ? 0 : -1);
		stop(&f);
	}
	free(big);
}

static void
test_script_limit(void **state)
{
	const size_t max = (size_t)1 << 20;
	char *big = malloc(max + 1);
	struct param_arg arg = {"s", big};
	struct fixture f;
	size_t n;

	(void)state;
	assert_non_null(big);
	for (n = max - 2; n <= max - 1; n++) {
		memset(big, 'a', n);
		big[n] = '\0';
		start(&f, "params: {s: ''}\ntasks: {t: {run: 'x {{ params.s }}'}}\n",
		      &arg, 1);
		assert_int_equal(task(&f, "t"), n == max - 2 ? 0 : -1);
		stop(&f);
	}
	free(big);
}

static void
test_env_chain(void **state)
{
	char text[4096];
	struct fixture f;
	size_t links, n, i;

	(void)state;
	for (links = 15; links <= 16; links++) {
		n = (size_t)snprintf(text, sizeof(text),
				     "tasks: {t: {run: x, env: {A0: v");
		for (i = 1; i <= links; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
					      ", A%zu: '{{ env.A%zu }}{{ env.A%zu }}'", i,
					      i - 1, i - 1);
		(void)snprintf(text + n, sizeof(text) - n, "}}}\n");
		start(&f, text, NULL, 0);
		/* From the near end every value is known when it is used. */
		assert_int_equal(task(&f, "t"), 0);
		assert_int_equal(strlen(env_of(&f, "A10")), 1024);
		stop(&f);
		/* From the far end the chain is walked. */
		for (i = 0; text[i] != '\0'; i++)
			if (strncmp(text + i, "run: x,", 7) == 0) {
				char tail[4096];

				(void)snprintf(tail, sizeof(tail), "%s", text + i + 7);
				(void)snprintf(text + i, sizeof(text) - i,
					       "run: 'x {{ env.A%zu | length }}',%s",
					       links, tail);
				break;
			}
		start(&f, text, NULL, 0);
		assert_int_equal(task(&f, "t"), links == 15 ? 0 : -1);
		if (links != 15)
			says(f.msg, "more than 16 steps");
		stop(&f);
	}
}

static void
test_wait(void **state)
{
	struct fixture f;
	int64_t at;

	(void)state;
	start(&f,
	      "params: {d: 90, bad: soon}\n"
	      "tasks:\n"
	      "  a: {type: wait, for: 1h30m}\n"
	      "  b: {type: wait, for: '{{ params.d }}'}\n"
	      "  c: {type: wait, until: '{{ data_interval_end }}'}\n"
	      "  d: {type: wait, until: '{{ ds }}T03:00:00Z'}\n"
	      "  e: {type: wait, for: '{{ params.bad }}'}\n"
	      "  f: {type: wait, until: '{{ params.bad }}'}\n"
	      "  g: {type: wait, until: '{{ params.d }}'}\n"
	      "  h: {type: wait, for: \"{{ '36501d' }}\"}\n",
	      NULL, 0);
	assert_int_equal(task(&f, "a"), 0);
	assert_null(f.task.argv);
	assert_int_equal(f.task.wait_us, 5400 * INT64_C(1000000));
	assert_int_equal(f.task.wait_until_us, -1);
	assert_int_equal(task(&f, "b"), 0);
	assert_int_equal(f.task.wait_us, 90 * INT64_C(1000000));
	assert_int_equal(task(&f, "c"), 0);
	assert_int_equal(f.task.wait_until_us, f.v.interval_end_us);
	assert_int_equal(f.task.wait_us, -1);
	assert_int_equal(task(&f, "d"), 0);
	assert_int_equal(time_parse("2026-11-22T03:00:00Z", &at), 0);
	assert_int_equal(f.task.wait_until_us, at);
	assert_int_equal(task(&f, "e"), -1);
	says(f.msg, "`for` of task 'e': cannot wait for 'soon': write a duration");
	assert_int_equal(task(&f, "f"), -1);
	says(f.msg, "cannot wait until 'soon'");
	assert_int_equal(task(&f, "g"), -1);
	assert_int_equal(task(&f, "h"), -1);
	says(f.msg, "cannot wait for '36501d': write a duration of at most 36500d");
	stop(&f);
}

static void
test_when(void **state)
{
	static const struct {
		const char *when;
		int rc; /* 0, 1, or -1 */
		const char *why;
	} cases[] = {
	    {"params.n > 3", 1, NULL},
	    {"params.n > 5", 0, NULL},
	    {"params.l", 1, NULL},
	    {"outputs.extract.rows", 1, NULL},
	    {"outputs.extract.rows | int == 10", 1, NULL},
	    {"outputs.extract.no", -1, "the text 'false'"},
	    {"outputs.extract.no == 'true'", 0, NULL},
	    {"outputs.skipped.x", -1, "outputs of `skipped` are undefined"},
	    {"outputs.skipped.x is defined", 0, NULL},
	    {"outputs.extract.zzzzzz", -1, "zzzzzz"},
	    {"params.z", -1, "the text '0'"},
	    {"prev_success_date", 0, NULL},
	    {"true or params.n", 1, NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fixture f;
		struct err err = {0};
		char text[1024];
		bool yes = false;
		int rc;

		(void)snprintf(text, sizeof(text),
			       "params: {n: 5, l: [a], z: '0'}\n"
			       "tasks:\n  extract: {run: x}\n  skipped: {run: x}\n"
			       "  t: {run: x, needs: [extract, skipped], when: \"%s\"}\n",
			       cases[i].when);
		start(&f, text, NULL, 0);
		rc = render_when(&f.v, dag_task_find(f.g, "t"), f.a, &yes, &err);
		if (rc != (cases[i].rc < 0 ? -1 : 0) || (rc == 0 && yes != cases[i].rc))
			fail_msg("%s: %d %d %s", cases[i].when, rc, yes, err.msg);
		if (rc != 0) {
			says(err.msg, cases[i].why);
			says(err.msg, "`when` of task 't'");
		}
		assert_int_equal(
		    render_when(&f.v, dag_task_find(f.g, "extract"), f.a, &yes, &err), 0);
		assert_true(yes);
		stop(&f);
	}
}

/* Render the paths of task t with the param p. */
static int
paths(struct fixture *f, const char *inputs, const char *outs, const char *p)
{
	struct param_arg arg = {"p", p};
	struct err err = {0};
	char text[1024];
	int rc;

	(void)snprintf(text, sizeof(text),
		       "params: {p: ''}\ntasks: {t: {run: x, inputs: %s, outputs: %s}}\n",
		       inputs, outs);
	start(f, text, &arg, 1);
	rc = render_paths(&f->v, dag_task_find(f->g, "t"), f->a, &f->paths, &err);
	(void)snprintf(f->msg, sizeof(f->msg), "%s", rc == 0 ? "" : err.msg);
	return rc;
}

static void
test_paths(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(paths(&f, "['in/{{ params.p }}/./x*', /abs/y, ../up]",
			       "['out/{{ params.p }}.csv', plain]", "a/../b"),
			 0);
	assert_int_equal(f.paths.ninputs, 3);
	assert_string_equal(f.paths.inputs[0], "in/b/x*");
	assert_string_equal(f.paths.inputs[1], "/abs/y");
	assert_string_equal(f.paths.inputs[2], "../up");
	assert_int_equal(f.paths.noutputs, 2);
	assert_string_equal(f.paths.outputs[0], "out/b.csv");
	assert_string_equal(f.paths.outputs[1], "plain");
	stop(&f);
}

static void
test_bad_paths(void **state)
{
	static const struct {
		const char *in, *out, *p, *why;
	} cases[] = {
	    {"[]", "['{{ params.p }}']", "", "is empty"},
	    {"['{{ params.p }}']", "[]", "", "is empty"},
	    {"[]", "['x/{{ params.p }}']", "../..", "lies outside the project"},
	    {"[]", "['{{ params.p }}']", "/etc", "lies outside the project"},
	    {"[]", "['x/{{ params.p }}']", "..", "is the project itself"},
	    {"[]", "['x/{{ params.p }}']", "../.git/a", "git"},
	    {"[]", "['x/{{ params.p }}']", "../t.yaml", "DAG file"},
	    {"[]", "['x/{{ params.p }}']", "a*", "glob"},
	    {"['x/{{ params.p }}']", "[]", "a\nb", "'x/a\\nb' has line breaks"},
	    {"['x/{{ params.p }}']", "[]", "a\nb", "; give the values in it other texts"},
	    {"['{{ params.p }}/x']", "[]", "~", "not your home"},
	    {"['x{{ prev_success_date }}']", "[]", "", "None"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fixture f;

		if (paths(&f, cases[i].in, cases[i].out, cases[i].p) == 0)
			fail_msg("accepted: %s %s %s", cases[i].in, cases[i].out,
				 cases[i].p);
		says(f.msg, cases[i].why);
		says(f.msg, "t.yaml:2:");
		stop(&f);
	}
}

static void
test_workdir(void **state)
{
	struct param_arg arg = {"p", ""};
	struct fixture f;

	(void)state;
	start(&f,
	      "params: {p: a}\n"
	      "tasks: {t: {run: x, workdir: 'x/{{ params.p }}/'}, u: {run: x}}\n",
	      NULL, 0);
	assert_int_equal(task(&f, "t"), 0);
	assert_string_equal(f.task.workdir, "x/a");
	assert_int_equal(task(&f, "u"), 0);
	assert_string_equal(f.task.workdir, ".");
	stop(&f);
	start(&f, "params: {p: a}\ntasks: {t: {run: x, workdir: '{{ params.p }}'}}\n",
	      &arg, 1);
	assert_int_equal(task(&f, "t"), -1);
	says(f.msg, "the path is empty");
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values),	 cmocka_unit_test(test_undefined),
	    cmocka_unit_test(test_shell_rule),	 cmocka_unit_test(test_argv),
	    cmocka_unit_test(test_environment),	 cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_script_limit), cmocka_unit_test(test_env_chain),
	    cmocka_unit_test(test_wait),	 cmocka_unit_test(test_when),
	    cmocka_unit_test(test_paths),	 cmocka_unit_test(test_bad_paths),
	    cmocka_unit_test(test_workdir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
