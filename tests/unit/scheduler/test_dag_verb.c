/* Tasks of types push and pull: their keys, what they come before and after, what is run. */
#include "unit/scheduler/load_fixture.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "scheduler/render.h"

static bool
comes_after(const struct loaded *l, const char *name, const char *up)
{
	return dag_task_needs(task(l, name), task(l, up)->id);
}

/* The command line that task ${name} has, in one text. */
static void
runs(const struct loaded *l, const char *name, const char *wanted)
{
	struct arena *a = arena_new(0);
	struct run_values v = {.dag = l->dag, .logical_us = INT64_C(1795824000000000)};
	struct render_task out;
	struct err err = {0};
	struct buf b;

	assert_int_equal(params_resolve(l->dag, a, NULL, 0, NULL,
					(struct jinja_dict **)(uintptr_t)&v.params, &err),
			 0);
	buf_init(&b, 0);
	if (render_task(&v, task(l, name), a, &out, &err) != 0)
		buf_adds(&b, err.msg);
	for (size_t i = 0; err.code == ERR_NONE && out.argv[i] != NULL; i++)
		buf_addf(&b, "%s%s", i > 0 ? " " : "", out.argv[i]);
	assert_string_equal(b.p, wanted);
	buf_release(&b);
	arena_free(a);
}

static void
command_lines(void **state)
{
	struct loaded l = loads(
	    "params: {r: cold, empty: ''}\n"
	    "defaults: {workdir: sub, shell: bash, persist: true}\n"
	    "tasks:\n"
	    "  all: {type: push}\n"
	    "  some: {type: push, targets: [-x, 'b/{{ ds }}', c.dvc], jobs: 256,\n"
	    "    remote: '{{ params.r }}', verify: true}\n"
	    "  pull: {type: pull, targets: ./a//b/, force: true, allow_missing: true,\n"
	    "    recursive: true, verify: true}\n"
	    "  not: {type: pull, force: false, remote: '{{ params.empty }}'}\n");

	(void)state;
	runs(&l, "all", "dag push");
	runs(&l, "some",
	     "dag push --remote=cold --jobs=256 --verify -- -x b/2026-11-28 c.dvc");
	runs(&l, "pull", "dag pull --recursive --verify --force --allow-missing -- a/b");
	runs(&l, "not",
	     "x.yaml:9:44: `remote` of task 'not': the remote's name is empty");
	/* What `defaults` has for programs of the user's is not for them. */
	assert_null(task(&l, "all")->workdir.src);
	assert_null(task(&l, "all")->shell);
	assert_false(task(&l, "all")->persist);
	unload(&l);
}

static void
order(void **state)
{
	struct loaded l =
	    loads("tasks:\n"
		  "  send: {type: push, targets: [made, data/x.dvc]}\n"
		  "  reads_in: {run: x, inputs: [data/raw/a.csv]}\n"
		  "  reads_glob: {run: x, inputs: [data/*/b.csv]}\n"
		  "  reads_all: {run: x, inputs: [data]}\n"
		  "  other: {run: x, inputs: [datum]}\n"
		  "  makes: {run: x, outputs: [made], inputs: ['{{ ds }}']}\n"
		  "  get: {type: pull, targets: data/raw.dvc}\n"
		  "  get_x: {type: pull, targets: [data/x, made]}\n"
		  "  again: {type: pull, targets: [data/raw, '{{ ds }}']}\n"
		  "  twice: {type: pull, targets: [data/raw/a.csv, '{{ ds }}']}\n");

	(void)state;
	assert_true(comes_after(&l, "reads_in", "get"));
	assert_true(comes_after(&l, "reads_in", "again"));
	assert_true(comes_after(&l, "reads_in", "twice"));
	assert_true(comes_after(&l, "reads_glob", "get"));
	assert_true(comes_after(&l, "reads_all", "get"));
	assert_true(comes_after(&l, "reads_all", "get_x"));
	assert_true(comes_after(&l, "makes", "again"));
	/* What is made, or pulled, can be pushed then. */
	assert_true(comes_after(&l, "send", "makes"));
	assert_true(comes_after(&l, "send", "get_x"));
	/* All else is independent; a pull without targets orders nothing. */
	assert_int_equal(task(&l, "other")->nup, 0);
	assert_int_equal(task(&l, "get_x")->nup, 0);
	assert_int_equal(task(&l, "again")->nup, 0);
	unload(&l);
	l = loads(
	    "tasks:\n  a: {type: pull}\n  b: {run: x, inputs: [y]}\n  c: {type: push}\n");
	assert_int_equal(task(&l, "b")->nup + task(&l, "c")->nup, 0);
	unload(&l);
	/* A path that is brought hides no clash of those who make it. */
	refuses_n("tasks:\n  a: {type: pull, targets: m}\n  b: {run: x, outputs: m}\n"
		  "  c: {run: x, outputs: m}\n",
		  1, "x.yaml:4:24: error: the output 'm' is made by task 'b' too", NULL);
	refuses_n("tasks:\n  a: {type: pull, targets: m}\n  b: {run: x, outputs: m/n}\n"
		  "  c: {run: x, outputs: m/n/o}\n",
		  1,
		  "x.yaml:4:24: error: the output 'm/n/o' lies in 'm/n', which task 'b' "
		  "makes",
		  NULL);
}

static void
bad_keys(void **state)
{
	(void)state;
	task_refuses("type: push\n    targets: []",
		     "x.yaml:4:14: error: `targets` names nothing", "leave it out");
	task_refuses("type: pull\n    targets:",
		     "x.yaml:4:13: error: `targets` names nothing", "leave it out");
	task_refuses(
	    "type: pull\n    targets: {a: b}",
	    "x.yaml:4:14: error: `targets` takes a path or a list of paths, not a "
	    "mapping",
	    NULL);
	task_refuses("type: pull\n    targets: ['']",
		     "x.yaml:4:15: error: a path cannot be empty", NULL);
	task_refuses("type: pull\n    targets: [../x]",
		     "x.yaml:4:15: error: the target '../x' lies outside the project",
		     "root");
	task_refuses("type: push\n    targets: /x",
		     "x.yaml:4:14: error: the target '/x' lies outside the project",
		     NULL);
	task_refuses("type: push\n    targets: .",
		     "x.yaml:4:14: error: the target '.' is the project itself",
		     "leave `targets` out");
	task_refuses("type: push\n    targets: data/*.csv",
		     "x.yaml:4:14: error: a target names one path, no glob", "directory");
	task_refuses("type: push\n    targets: .dvc/cache",
		     "x.yaml:4:14: error: the target '.dvc/cache' lies in .dvc, where "
		     "nothing is tracked",
		     NULL);
	task_refuses("type: push\n    targets: ~/x",
		     "x.yaml:4:14: error: '~' is not your home here", NULL);
	task_refuses(
	    "type: push\n    targets: '{{ outputs.t.x }}'",
	    "x.yaml:4:18: error: paths of inputs and outputs cannot use outputs of "
	    "tasks",
	    NULL);
	task_refuses("type: push\n    jobs: 0",
		     "x.yaml:4:11: error: `jobs` is 1 to 256, not 0", NULL);
	task_refuses("type: push\n    jobs: 257",
		     "x.yaml:4:11: error: `jobs` is 1 to 256, not 257", NULL);
	task_refuses("type: push\n    jobs: many",
		     "x.yaml:4:11: error: `jobs` takes an integer, not a string", NULL);
	task_refuses("type: push\n    verify: 'yes'",
		     "x.yaml:4:13: error: `verify` takes true or false, not a string",
		     NULL);
	task_refuses(
	    "type: push\n    remote: ''",
	    "x.yaml:4:13: error: `remote` takes the name of a remote, not a string",
	    NULL);
	task_refuses(
	    "type: push\n    remote: [a]",
	    "x.yaml:4:13: error: `remote` takes the name of a remote, not a list", NULL);
	/* Keys of the other type, and of other types. */
	task_refuses("type: push\n    force: true",
		     "x.yaml:4:5: error: unknown key 'force'", NULL);
	task_refuses("type: push\n    allow_missing: true",
		     "x.yaml:4:5: error: unknown key 'allow_missing'", NULL);
	task_refuses("type: pull\n    run: x", "x.yaml:4:5: error: unknown key 'run'",
		     NULL);
	task_refuses("run: x\n    targets: y", "x.yaml:4:5: error: unknown key 'targets'",
		     NULL);
	task_refuses("targets: y",
		     "x.yaml:2:3: error: task 't' has neither `run` nor `type`",
		     "is it type: push?");
	/* Keys of every task that mean nothing to them. */
	task_refuses("type: pull\n    outputs: x",
		     "x.yaml:4:5: error: `outputs` has no effect in a task of type pull",
		     "`targets`");
	task_refuses("type: push\n    workdir: x",
		     "x.yaml:4:5: error: `workdir` has no effect in a task of type push",
		     "root");
	task_refuses("type: push\n    persist: true",
		     "x.yaml:4:5: error: `persist` has no effect in a task of type push",
		     NULL);
}

/* What is pushed or pulled is part of what a DAG is. */
static void
canonical(void **state)
{
	static const char *const tasks[] = {"t: {type: push}",
					    "t: {type: push, targets: a}",
					    "t: {type: push, targets: b}",
					    "t: {type: push, remote: r}",
					    "t: {type: push, jobs: 1}",
					    "t: {type: push, jobs: 2}",
					    "t: {type: push, verify: true}",
					    "t: {type: pull}",
					    "t: {type: pull, force: true}",
					    "t: {type: pull, recursive: true}",
					    "t: {type: pull, verify: true}",
					    "t: {type: pull, allow_missing: true}"};
	char hashes[sizeof(tasks) / sizeof(tasks[0])][65], text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		struct loaded l;

		(void)snprintf(text, sizeof(text), "tasks:\n  %s\n", tasks[i]);
		l = loads(text);
		memcpy(hashes[i], l.dag->hash, sizeof(hashes[i]));
		unload(&l);
		for (size_t j = 0; j < i; j++)
			if (strcmp(hashes[i], hashes[j]) == 0)
				fail_msg("equal: %s and %s", tasks[i], tasks[j]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(command_lines),
	    cmocka_unit_test(order),
	    cmocka_unit_test(bad_keys),
	    cmocka_unit_test(canonical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
