/* The keys of DAGs and tasks: what they set, and what is said when they are wrong. */
#include "tasks/schema/schema.h"
#include "unit/scheduler/load_fixture.h"

static void
keys_set_the_model(void **state)
{
	struct loaded l =
	    loads("dag: d-1\n"
		  "description: What for\n"
		  "tags: [nightly, a/b:c]\n"
		  "timeout: 1h30m\n"
		  "max_active_tasks: 4\n"
		  "schedule: [anything]\n"
		  "notify: {goes: here}\n"
		  "params: {p: 1, q: x}\n"
		  "tasks:\n"
		  "  a: {run: x, tags: one, description: 7, notify: [ops]}\n"
		  "  t:\n"
		  "    type: shell\n"
		  "    needs: a\n"
		  "    params: [p, q]\n"
		  "    run: echo\n"
		  "    trigger: none_failed_min_one_success\n"
		  "    retries: 1000\n"
		  "    retry_delay: 5\n"
		  "    retry_backoff: true\n"
		  "    retry_max_delay: 2d\n"
		  "    retry_on: [setup, exit]\n"
		  "    timeout: 90s\n"
		  "    grace: 0\n"
		  "    allow_failure: true\n"
		  "    priority: -7\n"
		  "    persist: true\n"
		  "    leave_children: True\n"
		  "    tags: [one, two, one]\n");
	const struct dag_task *a = task(&l, "a"), *t = task(&l, "t");

	(void)state;
	assert_string_equal(l.dag->name, "d-1");
	assert_string_equal(l.dag->description, "What for");
	assert_int_equal(l.dag->ntags, 2);
	assert_string_equal(l.dag->tags[1], "a/b:c");
	assert_int_equal(l.dag->timeout_us, INT64_C(5400000000));
	assert_int_equal(l.dag->max_active_tasks, 4);
	assert_string_equal(a->description, "7");
	assert_int_equal(a->ntags, 1);
	assert_int_equal(t->up[0], a->id);
	assert_int_equal(t->nparams, 2);
	assert_string_equal(t->params[1], "q");
	assert_int_equal(t->trigger, TRIGGER_NONE_FAILED_MIN_ONE_SUCCESS);
	assert_int_equal(t->retries, 1000);
	assert_int_equal(t->retry_delay_us, 5000000);
	assert_true(t->retry_backoff > 1.9 && t->retry_backoff < 2.1);
	assert_int_equal(t->retry_max_delay_us, INT64_C(172800000000));
	assert_int_equal(t->retry_on, 1u << CAUSE_SETUP | 1u << CAUSE_EXIT);
	assert_int_equal(t->timeout_us, 90000000);
	assert_int_equal(t->grace_us, 0);
	assert_true(t->allow_failure && t->persist && t->leave_children);
	assert_int_equal(t->priority, -7);
	assert_int_equal(t->ntags, 2);
	unload(&l);
}

static void
defaults_are_those_of_the_table(void **state)
{
	struct loaded l = loads("tasks: {t: {run: x}}\n");
	const struct dag_task *t = task(&l, "t");

	(void)state;
	assert_string_equal(l.dag->name, "x"); /* of x.yaml */
	assert_int_equal(t->retries, 0);
	assert_int_equal(t->retry_delay_us, 10000000);
	assert_true(t->retry_backoff > 0.9 && t->retry_backoff < 1.1);
	assert_int_equal(t->retry_max_delay_us, INT64_C(86400000000));
	assert_int_equal(t->retry_on, RETRY_ON_DEFAULT);
	assert_int_equal(t->timeout_us, 0);
	assert_int_equal(t->grace_us, 10000000);
	assert_int_equal(t->trigger, TRIGGER_ALL_SUCCESS);
	assert_false(t->allow_failure || t->persist || t->leave_children);
	assert_null(t->shell);
	assert_true(t->shell_is_posix);
	assert_null(t->when);
	assert_string_equal(t->type->name, "shell");
	unload(&l);
}

static void
defaults_of_the_file_yield_to_the_task(void **state)
{
	struct loaded l =
	    loads("defaults: {retries: 3, timeout: 1m, workdir: sub, shell: bash, "
		  "tags: [x], retry_on: exit}\n"
		  "tasks:\n"
		  "  a: {run: x}\n"
		  "  b: {run: x, retries: 0, workdir: ., tags: [], shell: sh -c}\n");
	const struct dag_task *a = task(&l, "a"), *b = task(&l, "b");

	(void)state;
	assert_int_equal(a->retries, 3);
	assert_int_equal(a->retry_on, 1u << CAUSE_EXIT);
	assert_string_equal(a->workdir.src, "sub");
	assert_string_equal(a->shell[0], "bash");
	assert_string_equal(a->shell[2], "-c"); /* added: `bash TEXT` would run a file */
	assert_null(a->shell[3]);
	assert_int_equal(a->ntags, 1);
	assert_int_equal(b->retries, 0);
	assert_int_equal(b->timeout_us, 60000000);
	assert_string_equal(b->workdir.src, ".");
	assert_int_equal(b->ntags, 0);
	assert_string_equal(b->shell[1], "-c");
	unload(&l);
	refuses("defaults: {needs: [a]}\ntasks: {a: {run: x}}\n",
		"x.yaml:1:12: error: `needs` cannot stand under `defaults`", "each task");
	refuses("defaults: {env: {A: b}}\ntasks: {a: {run: x}}\n",
		"x.yaml:1:12: error: `env` cannot stand under `defaults`",
		"`env` of the DAG");
	refuses("defaults: {retires: 1}\ntasks: {a: {run: x}}\n",
		"x.yaml:1:12: error: unknown key 'retires'", "did you mean 'retries'?");
	refuses("defaults: {pool: x}\ntasks: {a: {run: x}}\n",
		"x.yaml:1:12: error: `pool` is not built yet", NULL);
	refuses("defaults: [x]\ntasks: {a: {run: x}}\n",
		"x.yaml:1:11: error: `defaults` takes a mapping of task keys, not a list",
		NULL);
}

/* Which tasks do not run again while nothing has changed. */
static void
cached(void **state)
{
	struct loaded l = loads("defaults: {code: lib/}\n"
				"tasks:\n"
				"  plain: {run: x}\n"
				"  makes: {run: x, outputs: o1}\n"
				"  asked: {run: x, cache: true, code: [a.py, 'b/*.py']}\n"
				"  not: {run: x, outputs: o2, cache: false}\n"
				"  lenient: {run: x, outputs: o3, trigger: none_failed}\n"
				"  cleans: {run: x, outputs: o4, trigger: all_done}\n"
				"  kept: {run: x, outputs: o5, frozen: true}\n"
				"  waits: {type: wait, for: 1s}\n");

	(void)state;
	assert_false(task(&l, "plain")->cached);
	assert_true(task(&l, "makes")->cached);
	assert_int_equal(task(&l, "makes")->ncode, 1);
	assert_true(task(&l, "asked")->cached);
	assert_int_equal(task(&l, "asked")->ncode, 2);
	assert_string_equal(task(&l, "asked")->code[1].src, "b/*.py");
	assert_false(task(&l, "not")->cached);
	assert_true(task(&l, "lenient")->cached);
	assert_false(task(&l, "cleans")->cached);
	assert_true(task(&l, "kept")->cached && task(&l, "kept")->frozen);
	assert_false(task(&l, "waits")->cached);
	unload(&l);
	task_refuses(
	    "run: x\n    outputs: o\n    cache: true\n    trigger: one_failed",
	    "x.yaml:5:12: error: a task whose `trigger` looks at failures cannot "
	    "be cached",
	    "remove `cache` or `trigger`");
	task_refuses(
	    "run: x\n    frozen: true",
	    "x.yaml:4:13: error: a frozen task has `outputs`, which are its result",
	    NULL);
	task_refuses(
	    "run: x\n    outputs: o\n    cache: false\n    frozen: true",
	    "x.yaml:6:13: error: a frozen task is a cached one, and this one is not",
	    NULL);
	task_refuses("run: x\n    cache: maybe",
		     "x.yaml:4:12: error: `cache` takes true or false, not a string",
		     NULL);
	task_refuses("type: wait\n    for: 1s\n    code: x",
		     "x.yaml:5:5: error: `code` has no effect in a task of type wait, "
		     "which runs no program",
		     NULL);
	task_refuses("type: push\n    cache: true",
		     "x.yaml:4:5: error: `cache` has no effect in a task of type push",
		     "costs it nothing");
	task_refuses(
	    "run: x\n    code: '{{ outputs.t.x }}'",
	    "x.yaml:4:15: error: paths of inputs and outputs cannot use outputs of tasks",
	    NULL);
}

/* Whose output values may be asked for. */
static void
read_outputs(void **state)
{
	struct loaded l = loads("tasks:\n"
				"  a: {run: x}\n"
				"  b: {run: x, needs: a}\n"
				"  c: {run: 'x {{ outputs.a.k }}', needs: b}\n");

	(void)state;
	assert_true(task(&l, "a")->read);
	assert_false(task(&l, "b")->read);
	unload(&l);
	l = loads("tasks:\n"
		  "  a: {run: x}\n"
		  "  b: {run: 'x {{ outputs[params.p].k }}', needs: a}\n"
		  "params: {p: a}\n");
	assert_true(task(&l, "a")->read);
	unload(&l);
}

static void
resources(void **state)
{
	struct loaded l = loads("defaults: {resources: {memory: 1.5GiB}}\n"
				"tasks:\n"
				"  a: {run: x}\n"
				"  b: {run: x, resources: {memory: 1MiB}}\n"
				"  c: {run: x, resources: {memory: 64TiB}}\n"
				"  d: {run: x, resources: {}}\n"
				"  e: {run: x, resources: {memory: 2000000}}\n");

	(void)state;
	assert_int_equal(task(&l, "a")->memory, (int64_t)3 << 29);
	assert_int_equal(task(&l, "b")->memory, 1 << 20);
	assert_int_equal(task(&l, "c")->memory, (int64_t)64 << 40);
	assert_int_equal(task(&l, "d")->memory, (int64_t)3 << 29);
	assert_int_equal(task(&l, "e")->memory, 2000000);
	unload(&l);
	task_refuses("run: x\n    resources: {memory: 1048575}",
		     "x.yaml:4:25: error: `memory` is 1 MiB to 64 TiB, not 1048575",
		     "a bare number is bytes");
	task_refuses("run: x\n    resources: {memory: 70368744177665}",
		     "x.yaml:4:25: error: `memory` is 1 MiB to 64 TiB, not "
		     "70368744177665",
		     NULL);
	task_refuses("run: x\n    resources: {memory: lots}",
		     "x.yaml:4:25: error: 'lots' is no size", "write 512MiB");
	task_refuses("run: x\n    resources: {memory: -1}",
		     "x.yaml:4:25: error: '-1' is no size", NULL);
	task_refuses("run: x\n    resources: {memory: '{{ params.m }}'}",
		     "x.yaml:4:25: error: '{{ params.m }}' is no size", "templates");
	task_refuses("run: x\n    resources: {memory: true}",
		     "x.yaml:4:25: error: `memory` takes a size, not true or false",
		     NULL);
	task_refuses("run: x\n    resources: {memory: [1]}",
		     "x.yaml:4:25: error: `memory` takes a size, not a list", NULL);
	task_refuses(
	    "run: x\n    resources: 2G",
	    "x.yaml:4:16: error: `resources` takes a mapping of resources, not a string",
	    "write resources: {memory: 2G}");
	task_refuses("run: x\n    resources: {cpu: 2}",
		     "x.yaml:4:17: error: `cpu` is not built yet", NULL);
	task_refuses("run: x\n    resources: {gpu: 1}",
		     "x.yaml:4:17: error: `gpu` is not built yet", NULL);
	task_refuses("run: x\n    resources: {memroy: 2G}",
		     "x.yaml:4:17: error: `resources` has no key 'memroy'",
		     "did you mean 'memory'?");
	task_refuses("run: x\n    resources: {cpus: 2}",
		     "x.yaml:4:17: error: `resources` has no key 'cpus'",
		     "did you mean 'cpu'?");
	task_refuses("run: x\n    resources: {disk: 2}",
		     "x.yaml:4:17: error: `resources` has no key 'disk'",
		     "it takes `memory`");
	task_refuses("run: x\n    memory: 2G", "x.yaml:4:5: error: unknown key 'memory'",
		     "did you mean 'resources'?");
	task_refuses(
	    "type: wait\n    for: 1s\n    resources: {memory: 2G}",
	    "x.yaml:5:5: error: `resources` has no effect in a task of type wait, "
	    "which runs no program",
	    NULL);
}

static void
wrong_values(void **state)
{
	static const char *const cases[][3] = {
	    {"run: x\n    retries: '3'",
	     "5:14: error: `retries` takes an integer, not a string",
	     "write 3 without quotes"},
	    {"run: x\n    retries: 1.5",
	     "5:14: error: `retries` takes an integer, not a number", NULL},
	    {"run: x\n    retries: 1001", "5:14: error: `retries` is 0 to 1000, not 1001",
	     NULL},
	    {"run: x\n    retries: -1", "5:14: error: `retries` is 0 to 1000, not -1",
	     NULL},
	    {"run: x\n    retries:",
	     "5:13: error: `retries` takes an integer, not nothing", "remove the key"},
	    {"run: x\n    retries: [1]",
	     "5:14: error: `retries` takes an integer, not a list", NULL},
	    {"run: x\n    persist: yes",
	     "5:14: error: `persist` takes true or false, not a string", "write true"},
	    {"run: x\n    persist: OFF",
	     "5:14: error: `persist` takes true or false, not a string", "write false"},
	    {"run: x\n    persist: 0",
	     "5:14: error: `persist` takes true or false, not an integer", NULL},
	    {"run: x\n    timeout: 5 min", "5:14: error: '5 min' is no duration",
	     "1h30m"},
	    {"run: x\n    timeout: -5", "5:14: error: '-5' is no duration", NULL},
	    {"run: x\n    timeout: 36501d", "5:14: error: `timeout` is at most 36500d",
	     NULL},
	    {"run: x\n    timeout: 99999999999999999999",
	     "5:14: error: `timeout` is at most 36500d", NULL},
	    {"run: x\n    timeout: true",
	     "5:14: error: `timeout` takes a duration, not true or false", NULL},
	    {"run: x\n    grace: 25h", "5:12: error: `grace` is at most 1d", NULL},
	    {"run: x\n    retry_backoff: 0.5",
	     "5:20: error: `retry_backoff` is 1 to 1000, not 0.5", "2 doubles it"},
	    {"run: x\n    retry_backoff: .nan",
	     "5:20: error: `retry_backoff` is 1 to 1000, not .nan", NULL},
	    {"run: x\n    retry_backoff: '2'",
	     "5:20: error: `retry_backoff` takes a number, not a string", "write 2"},
	    {"run: x\n    trigger: all_sucess",
	     "5:14: error: `trigger` knows no 'all_sucess'",
	     "did you mean 'all_success'?"},
	    {"run: x\n    trigger: dummy", "5:14: error: `trigger` knows no 'dummy'",
	     "did you mean 'always'?"},
	    {"run: x\n    retry_on: [exit, never]",
	     "5:22: error: `retry_on` knows no 'never'",
	     "it knows exit signal timeout lost output setup"},
	    {"run: x\n    retry_on: {a: b}",
	     "5:15: error: `retry_on` takes a word or a list of words, not a mapping",
	     NULL},
	    {"run: x\n    tags: [a b]",
	     "5:12: error: a tag is one word without commas and plus signs", NULL},
	    {"run: x\n    tags: [[x]]", "5:12: error: `tags` takes words, not a list",
	     NULL},
	    {"run: x\n    description: [x]",
	     "5:18: error: `description` takes a text, not a list", NULL},
	    {"run: x\n    params: [zz]", "5:14: error: there is no param 'zz'", NULL},
	    {"run: x\n    needs: {a: b}",
	     "5:12: error: `needs` takes a name or a list of names, not a mapping",
	     "write a list: [a, b]"},
	    {"run: x\n    inputs: [[x]]", "5:14: error: `inputs` takes paths, not a list",
	     NULL},
	    {"run: x\n    inputs: {x: y}",
	     "5:13: error: `inputs` takes a path or a list of paths, not a mapping",
	     NULL},
	    {"run: x\n    workdir: [x]",
	     "5:14: error: `workdir` takes a path, not a list", NULL},
	    {"run: x\n    workdir: ~/x", "5:14: error: '~' is not your home here", NULL},
	};
	char message[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* task_refuses begins in line 3, so the second key is in line 4. */
		(void)snprintf(message, sizeof(message), "x.yaml:4%s", cases[i][1] + 1);
		task_refuses(cases[i][0], message, cases[i][2]);
	}
}

static void
empty_lists_may_be_nothing(void **state)
{
	struct loaded l = loads("params:\nenv:\ndefaults:\ntags:\n"
				"tasks:\n  t:\n    run: x\n    needs:\n    inputs: []\n"
				"    outputs:\n    tags:\n    params:\n    env:\n");

	(void)state;
	unload(&l);
}

static void
unknown_keys(void **state)
{
	(void)state;
	task_refuses("run: x\n    retires: 1", "x.yaml:4:5: error: unknown key 'retires'",
		     "did you mean 'retries'?");
	task_refuses("run: x\n    depends_on: [a]",
		     "x.yaml:4:5: error: unknown key 'depends_on'",
		     "did you mean 'needs'?");
	task_refuses("command: ./x", "x.yaml:3:5: error: unknown key 'command'",
		     "did you mean 'run'?");
	task_refuses("run: x\n    schedule: '@daily'",
		     "x.yaml:4:5: error: unknown key 'schedule'",
		     "it is a key of the DAG");
	task_refuses("run: x\n    until: x", "x.yaml:4:5: error: unknown key 'until'",
		     "of type wait");
	task_refuses("run: x\n    sql: x", "x.yaml:4:5: error: unknown key 'sql'",
		     "of type sql");
	task_refuses("run: x\n    qwertz: x", "x.yaml:4:5: error: unknown key 'qwertz'",
		     NULL);
	refuses("step: {}\ntasks: {t: {run: x}}\n",
		"x.yaml:1:1: error: unknown key 'step'", NULL);
	refuses("jobs: {t: {run: x}}\n", "x.yaml:1:1: error: unknown key 'jobs'",
		"did you mean 'tasks'?");
	refuses("run: x\ntasks: {t: {run: x}}\n", "x.yaml:1:1: error: unknown key 'run'",
		"it is a key of tasks");
}

/* Every key and type of the table that is not built is refused by name, and no other. */
static void
what_is_not_built_is_refused_by_name(void **state)
{
	const struct key_spec *k;
	const struct task_type *types;
	char text[256], message[256];
	size_t n;

	(void)state;
	for (k = schema_task_keys(); k->name != NULL; k++) {
		if (k->status != KEY_LATER)
			continue;
		(void)snprintf(text, sizeof(text), "run: x\n    %s: 1", k->name);
		(void)snprintf(message, sizeof(message),
			       "x.yaml:4:5: error: `%s` is not built yet", k->name);
		task_refuses(text, message, NULL);
	}
	types = schema_types(&n);
	for (size_t i = 0; i < n; i++) {
		struct buf b;

		if (types[i].status != KEY_LATER)
			continue;
		buf_init(&b, 0);
		buf_addf(&b, "type: %s", types[i].name);
		for (k = types[i].keys; k->name != NULL; k++)
			buf_addf(&b, "\n    %s: {any: thing}", k->name);
		(void)snprintf(message, sizeof(message),
			       "x.yaml:3:11: error: type '%s' is not built yet",
			       types[i].name);
		task_refuses(b.p, message, "shell, wait, push and pull");
		buf_release(&b);
	}
	refuses("max_active_runs: 1\ntasks: {t: {run: x}}\n",
		"x.yaml:1:1: error: `max_active_runs` is not built yet", NULL);
}

static void
types(void **state)
{
	(void)state;
	task_refuses("type: shel\n    run: x",
		     "x.yaml:3:11: error: there is no type 'shel'",
		     "did you mean 'shell'?");
	task_refuses("type: bash\n    run: x",
		     "x.yaml:3:11: error: there is no type 'bash'",
		     "did you mean 'shell'?");
	task_refuses("type: [x]\n    run: x",
		     "x.yaml:3:11: error: `type` takes the name of a type, not a list",
		     NULL);
	task_refuses("needs: []",
		     "x.yaml:2:3: error: task 't' has neither `run` nor `type`",
		     "run: ./program");
	task_refuses("for: 5m",
		     "x.yaml:2:3: error: task 't' has neither `run` nor `type`",
		     "is it type: wait?");
	task_refuses("type: shell", "x.yaml:2:3: error: task 't' has no `run`", NULL);
}

static void
the_shape_of_the_file(void **state)
{
	(void)state;
	refuses("", "x.yaml: error: the file is empty", "tasks: {hello");
	refuses("# nothing\n", "x.yaml: error: the file is empty", NULL);
	refuses("[a]\n", "x.yaml:1:1: error: a DAG file is a mapping of keys, not a list",
		NULL);
	refuses("dag: x\n", "x.yaml: error: the file has no `tasks`", NULL);
	refuses("tasks:\n", "x.yaml:1:7: error: there are no tasks", NULL);
	refuses("tasks: {}\n", "x.yaml:1:8: error: there are no tasks", NULL);
	refuses(
	    "tasks:\n- run: x\n",
	    "x.yaml:2:1: error: `tasks` takes a mapping of names to tasks, not a list",
	    "without '- '");
	refuses("tasks: {t: }\n", "x.yaml:1:9: error: task 't' is empty",
		"t: {run: ./program}");
	refuses("tasks: {t: ls}\n",
		"x.yaml:1:12: error: task 't' is a mapping of keys, not a string", NULL);
	refuses("dag: [x]\ntasks: {t: {run: x}}\n",
		"x.yaml:1:6: error: the name of a DAG is a word, not a list", NULL);
	refuses("tasks: {t: {run: x}, t: {run: y}}\n",
		"x.yaml:1:22: error: the key 't' is given twice", "first given here");
	/* A file that YAML cannot read is one message. */
	refuses("tasks:\n\tt: x\n",
		"x.yaml:2:1: error: a tab cannot be used for indentation in YAML", NULL);
}

static void
names(void **state)
{
	char text[512], long_name[140];
	struct loaded l;

	(void)state;
	refuses("tasks: {1a: {run: x}}\n",
		"x.yaml:1:9: error: '1a' cannot be the name of a task",
		"letters, digits");
	refuses("tasks: {a.b: {run: x}}\n",
		"x.yaml:1:9: error: 'a.b' cannot be the name of a task", NULL);
	refuses("tasks: {'': {run: x}}\n",
		"x.yaml:1:9: error: '' cannot be the name of a task", NULL);
	memset(long_name, 'n', sizeof(long_name));
	for (int len = DAG_NAME_MAX; len <= DAG_NAME_MAX + 1; len++) {
		(void)snprintf(text, sizeof(text), "tasks: {%.*s: {run: x}}\n", len,
			       long_name);
		if (len == DAG_NAME_MAX) {
			l = loads(text);
			unload(&l);
		} else
			refuses(text,
				"x.yaml:1:9: error: the name of a task has at most 128 "
				"characters; this one has 129",
				NULL);
	}
	/* The file's name stands in where there is no `dag`. */
	l = load_named("dags/my pipe.line.yaml", "tasks: {t: {run: x}}\n", 21);
	assert_null(l.dag);
	assert_non_null(strstr(l.said.p,
			       "error: the file's name cannot be the name of the DAG: "
			       "'my pipe.line'"));
	assert_non_null(strstr(l.said.p, "dag: my_pipe_line"));
	unload(&l);
}

/* An alias may stand for a key's value and for a whole task; `type` is not confused by it. */
static void
anchors_and_merge_keys(void **state)
{
	struct loaded l =
	    loads("tasks:\n"
		  "  a: &base {run: x, retries: 2, type: &s shell, description: *s}\n"
		  "  b: {<<: *base, retries: 5}\n"
		  "  c: *base\n");

	(void)state;
	assert_int_equal(task(&l, "b")->retries, 5);
	assert_string_equal(task(&l, "b")->description, "shell");
	assert_int_equal(task(&l, "c")->retries, 2);
	unload(&l);
}

/* The words of the table stand in the order of the enums. */
static void
words_and_enums_agree(void **state)
{
	const struct key_spec *trigger = schema_key(NULL, "trigger"),
			      *retry_on = schema_key(NULL, "retry_on");
	int i;

	(void)state;
	for (i = 0; i < TRIGGER_RULES; i++)
		assert_string_equal(trigger->values[i],
				    trigger_rule_name((enum trigger_rule)i));
	assert_null(trigger->values[i]);
	for (i = CAUSE_EXIT; i < CAUSE_MAX; i++)
		assert_string_equal(retry_on->values[i - CAUSE_EXIT],
				    fail_cause_name((enum fail_cause)i));
	assert_null(retry_on->values[i - CAUSE_EXIT]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_set_the_model),
	    cmocka_unit_test(defaults_are_those_of_the_table),
	    cmocka_unit_test(defaults_of_the_file_yield_to_the_task),
	    cmocka_unit_test(cached),
	    cmocka_unit_test(read_outputs),
	    cmocka_unit_test(resources),
	    cmocka_unit_test(wrong_values),
	    cmocka_unit_test(empty_lists_may_be_nothing),
	    cmocka_unit_test(unknown_keys),
	    cmocka_unit_test(what_is_not_built_is_refused_by_name),
	    cmocka_unit_test(types),
	    cmocka_unit_test(the_shape_of_the_file),
	    cmocka_unit_test(names),
	    cmocka_unit_test(anchors_and_merge_keys),
	    cmocka_unit_test(words_and_enums_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
