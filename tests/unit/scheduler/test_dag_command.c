/* What tasks run: `run`, `shell`, `when`, `env` and its secrets, and the type wait. */
#include "unit/scheduler/load_fixture.h"

/* A task `t` with these keys, which must load. */
static struct loaded
task_loads(const char *keys)
{
	struct loaded l;
	struct buf b;

	buf_init(&b, 0);
	buf_addf(&b, "params: {n: 1, s: x}\ntasks:\n  t:\n    %s\n", keys);
	l = loads(b.p);
	buf_release(&b);
	return l;
}

static void
run_as_text_and_as_list(void **state)
{
	struct loaded l = task_loads("run: echo hello\n    workdir: a/{{ ds }}");
	const struct dag_task *t = task(&l, "t");

	(void)state;
	assert_int_equal(t->nrun, 1);
	assert_false(t->run_is_argv);
	assert_null(t->run[0].tpl);
	assert_string_equal(t->run[0].src, "echo hello");
	assert_non_null(t->workdir.tpl);
	unload(&l);
	l = task_loads("run: [echo, '{{ params.s }}', '', 7, true]");
	t = task(&l, "t");
	assert_int_equal(t->nrun, 5);
	assert_true(t->run_is_argv);
	assert_non_null(t->run[1].tpl);
	assert_string_equal(t->run[2].src, "");
	assert_string_equal(t->run[3].src, "7");
	unload(&l);
	/* `true` is a program as well as a boolean. */
	l = task_loads("run: true");
	assert_string_equal(task(&l, "t")->run[0].src, "true");
	unload(&l);

	task_refuses("run: ''", "x.yaml:3:10: error: `run` has no command", "write true");
	task_refuses("run:",
		     "x.yaml:3:9: error: `run` takes a command text or a list of "
		     "arguments, not nothing",
		     NULL);
	task_refuses("run: {a: b}",
		     "x.yaml:3:10: error: `run` takes a command text or a list of "
		     "arguments, not a "
		     "mapping",
		     "behind a |");
	task_refuses("run: []", "x.yaml:3:10: error: `run` is an empty list", NULL);
	task_refuses("run: ['']", "x.yaml:3:11: error: the program has no name", NULL);
	task_refuses("run: [a, ~]",
		     "x.yaml:3:14: error: an argument of `run` is a string, not nothing",
		     "an empty argument");
}

static void
shells(void **state)
{
	static const struct {
		const char *shell;
		bool posix;
		size_t words;
	} cases[] = {{"bash", true, 3},
		     {"/bin/dash -c", true, 2},
		     {"[/usr/bin/env, bash, -c]", true, 3},
		     {"env -i X=y zsh -c", true, 5},
		     {"ksh -x -c", true, 3},
		     {"python3 -c", false, 2},
		     {"python3", false, 1},
		     {"fish -c", false, 2},
		     {"env python3 -c", false, 3},
		     {"env", false, 1}};
	char keys[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct loaded l;
		const struct dag_task *t;
		size_t n = 0;

		(void)snprintf(keys, sizeof(keys), "run: x\n    shell: %s",
			       cases[i].shell);
		l = task_loads(keys);
		t = task(&l, "t");
		while (t->shell[n] != NULL)
			n++;
		if (t->shell_is_posix != cases[i].posix || n != cases[i].words)
			fail_msg("%s: posix %d, %zu words", cases[i].shell,
				 t->shell_is_posix, n);
		unload(&l);
	}
	task_refuses("run: x\n    shell: ''",
		     "x.yaml:4:12: error: `shell` names no program", NULL);
	task_refuses("run: x\n    shell: []",
		     "x.yaml:4:12: error: `shell` names no program", NULL);
	task_refuses(
	    "run: x\n    shell: {a: b}",
	    "x.yaml:4:12: error: `shell` takes a program with its options, as text or "
	    "list, not a mapping",
	    NULL);
	task_refuses("run: x\n    shell: '{{ ds }} -c'",
		     "x.yaml:4:12: error: `shell` is no template", NULL);
	task_refuses(
	    "run: [x]\n    shell: bash",
	    "x.yaml:4:12: error: `shell` has no effect: `run` is a list, which no shell "
	    "reads",
	    NULL);
	/* Whose quoting is not known gets no values into its text. */
	task_refuses(
	    "run: print({{ ds }})\n    shell: python3 -c",
	    "x.yaml:3:10: error: templates in `run` need a shell whose quoting is known, "
	    "and python3 is none of sh, bash, dash, ksh, zsh",
	    "env: {NAME:");
	refuses("defaults: {shell: node -e}\ntasks:\n  t:\n    run: x({{ ds }})\n",
		"x.yaml:4:10: error: templates in `run` need a shell whose quoting is "
		"known, and "
		"node is none of sh, bash, dash, ksh, zsh",
		NULL);
}

static void
when(void **state)
{
	struct loaded l = task_loads("run: x\n    when: params.n > 0 and ds != 'x'");

	(void)state;
	assert_non_null(task(&l, "t")->when);
	assert_string_equal(task(&l, "t")->when_src, "params.n > 0 and ds != 'x'");
	unload(&l);
	l = task_loads("run: x\n    when: false");
	assert_string_equal(task(&l, "t")->when_src, "false");
	unload(&l);
	l = task_loads("run: x\n    when: \"'a' in params.s or 'b' == ds\"");
	unload(&l);

	task_refuses("run: x\n    when: '{{ ds }}'",
		     "x.yaml:4:12: error: `when` takes a bare expression, without {{",
		     "params.x > 0");
	task_refuses("run: x\n    when: ds == '{% if %}'",
		     "x.yaml:4:18: error: `when` takes a bare expression, without {%",
		     NULL);
	task_refuses("run: x\n    when: 'false'",
		     "x.yaml:4:11: error: the condition is the text 'false', which is no "
		     "condition",
		     "without quotes");
	task_refuses(
	    "run: x\n    when: '0'",
	    "x.yaml:4:11: error: the condition is the text '0', which is no condition",
	    NULL);
	task_refuses(
	    "run: x\n    when: \"'false'\"",
	    "x.yaml:4:11: error: the condition is the text ''false'', which is no "
	    "condition",
	    NULL);
	task_refuses("run: x\n    when: 1",
		     "x.yaml:4:11: error: `when` takes an expression, not an integer",
		     "params.x == 1");
	task_refuses("run: x\n    when: [a]",
		     "x.yaml:4:11: error: `when` takes an expression, not a list", NULL);
	task_refuses("run: x\n    when: ''",
		     "x.yaml:4:11: error: `when` has no expression", NULL);
	task_refuses("run: x\n    when: ds ==",
		     "x.yaml:4:16: error: an expression is missing at the end", NULL);
}

static void
environment(void **state)
{
	struct loaded l =
	    task_loads("run: x\n    env: {A: b, N: 007, T: true, V: '{{ ds }}', "
		       "S: '${env:TOKEN}', F: '${file:a/b}', H: '${HOME}/x'}");
	const struct dag_env *e = task(&l, "t")->env;

	(void)state;
	assert_int_equal(task(&l, "t")->nenv, 7);
	assert_string_equal(e[0].val.src, "b");
	assert_string_equal(e[1].val.src, "007"); /* as it was written */
	assert_string_equal(e[2].val.src, "true");
	assert_non_null(e[3].val.tpl);
	assert_int_equal(e[4].kind, ENV_FROM_ENV);
	assert_string_equal(e[4].ref, "TOKEN");
	assert_int_equal(e[5].kind, ENV_FROM_FILE);
	assert_string_equal(e[5].ref, "a/b");
	assert_int_equal(e[6].kind, ENV_TEXT); /* nobody's business but the program's */
	assert_string_equal(e[6].val.src, "${HOME}/x");
	unload(&l);

	task_refuses("run: x\n    env: {A: 'x${env:B}'}",
		     "x.yaml:4:16: error: a secret must be the whole value: ${env:B}",
		     "variable of its own");
	task_refuses("run: x\n    env: {A: '${env:B}${env:C}'}",
		     "x.yaml:4:15: error: a secret must be the whole value: ${env:B}",
		     NULL);
	task_refuses(
	    "run: x\n    env: {A: '${env:B-C}'}",
	    "x.yaml:4:14: error: 'B-C' cannot be the name of an environment variable",
	    NULL);
	task_refuses("run: x\n    env: {A: '${file:}'}",
		     "x.yaml:4:14: error: ${file:} names no file", NULL);
	task_refuses(
	    "run: x\n    env: {DAG_X: 1}",
	    "x.yaml:4:11: error: 'DAG_X' is not free: variables that begin with DAG_ are "
	    "set by dag",
	    NULL);
	task_refuses(
	    "run: x\n    env: {A=B: 1}",
	    "x.yaml:4:11: error: 'A=B' cannot be the name of an environment variable",
	    NULL);
	task_refuses("run: x\n    env: {A: }",
		     "x.yaml:4:14: error: `A` takes a string or number, not nothing",
		     "\"\"");
	task_refuses("run: x\n    env: {A: [b]}",
		     "x.yaml:4:14: error: `A` takes a string or number, not a list",
		     NULL);
	task_refuses(
	    "run: x\n    env: [A]",
	    "x.yaml:4:10: error: `env` takes a mapping of names to values, not a list",
	    "env: {NAME: value}");
}

static void
secrets_are_limited(void **state)
{
	struct buf b;
	struct loaded l;

	(void)state;
	buf_init(&b, 0);
	/* 60 of the DAG and 4 of the task: 64; then one more. */
	for (int more = 0; more <= 1; more++) {
		buf_clear(&b);
		buf_adds(&b, "env: {");
		for (int i = 0; i < 60; i++)
			buf_addf(&b, "A%d: '${env:A%d}', ", i, i);
		buf_adds(&b, "}\ntasks:\n  t:\n    run: x\n    env: {");
		for (int i = 0; i < 4 + more; i++)
			buf_addf(&b, "B%d: '${env:B%d}', ", i, i);
		buf_adds(&b, "}\n");
		if (more == 0) {
			l = loads(b.p);
			unload(&l);
		} else
			refuses(b.p,
				"x.yaml:5:10: error: 65 secrets for one task; at most 64 "
				"can be "
				"masked in its log",
				NULL);
	}
	buf_release(&b);
}

/* NAME=value and its NUL fit into what the kernel takes, or not by one byte. */
static void
environment_strings_are_limited(void **state)
{
	const size_t most = (128 << 10) - 2 - 1; /* '=', NUL, and the name "A" */
	struct buf b;
	struct loaded l;

	(void)state;
	for (size_t n = most; n <= most + 1; n++) {
		buf_init(&b, 0);
		buf_adds(&b, "tasks:\n  t:\n    run: x\n    env:\n      A: ");
		for (size_t i = 0; i < n; i++)
			buf_addc(&b, 'x');
		buf_addc(&b, '\n');
		if (n == most) {
			l = loads(b.p);
			unload(&l);
		} else {
			l = load_text_of(b.p);
			assert_null(l.dag);
			assert_non_null(
			    strstr(l.said.p, "5:10: error: the value of A has 131070 "
					     "bytes; the kernel takes at most 128 KiB"));
			unload(&l);
		}
		buf_release(&b);
	}
}

static void
waiting(void **state)
{
	struct loaded l = task_loads("type: wait\n    for: 90");

	(void)state;
	assert_string_equal(task(&l, "t")->wait_for.src, "90");
	unload(&l);
	l = task_loads(
	    "type: wait\n    until: 2026-11-22T06:00:00Z\n    needs: []\n    when: true");
	assert_string_equal(task(&l, "t")->wait_until.src, "2026-11-22T06:00:00Z");
	unload(&l);
	l = task_loads("type: wait\n    for: '{{ params.n }}m'");
	assert_non_null(task(&l, "t")->wait_for.tpl);
	unload(&l);

	task_refuses("type: wait",
		     "x.yaml:2:3: error: task 't' has neither `for` nor `until`", NULL);
	task_refuses(
	    "type: wait\n    for: 1s\n    until: 2026-11-22",
	    "x.yaml:5:12: error: a task of type wait has `for` or `until`, not both",
	    "    4 |     for: 1s");
	task_refuses("type: wait\n    for: soon",
		     "x.yaml:4:10: error: 'soon' is no duration", NULL);
	task_refuses("type: wait\n    for: 36501d",
		     "x.yaml:4:10: error: `for` is at most 36500d", NULL);
	task_refuses("type: wait\n    for: true",
		     "x.yaml:4:10: error: `for` takes a duration, not true or false",
		     NULL);
	task_refuses("type: wait\n    until: 25:00",
		     "x.yaml:4:12: error: '25:00' is no instant", "2026-11-22T06:00:00Z");
	task_refuses("type: wait\n    for: 1s\n    run: x",
		     "x.yaml:5:5: error: unknown key 'run'", "of type shell");
	task_refuses("type: wait\n    for: 1s\n    outputs: [a]",
		     "x.yaml:5:5: error: `outputs` has no effect in a task of type wait, "
		     "which runs "
		     "no program",
		     NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(run_as_text_and_as_list),
	    cmocka_unit_test(shells),
	    cmocka_unit_test(when),
	    cmocka_unit_test(environment),
	    cmocka_unit_test(secrets_are_limited),
	    cmocka_unit_test(environment_strings_are_limited),
	    cmocka_unit_test(waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
