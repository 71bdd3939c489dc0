/* The model for programs: canonical form and hash, the graph as JSON and dot, at a glance. */
#include <jansson.h>

#include "base/err.h"
#include "base/json.h"
#include "scheduler/dag_show.h"
#include "unit/scheduler/load_fixture.h"

static const char base_text[] =
    "dag: d\n"
    "params: {p: 1, q: {type: string, default: x, pattern: '[a-z]+'}}\n"
    "env: {A: b}\n"
    "tasks:\n"
    "  a: {run: 'x {{ ds }}', outputs: [o]}\n"
    "  b: {run: [x, y], inputs: [o], retries: 2}\n";

static void
hash_of(const char *text, char out[65])
{
	struct loaded l = loads(text);

	memcpy(out, l.dag->hash, 65);
	unload(&l);
}

static void
what_has_no_effect_has_no_hash(void **state)
{
	static const char *const same[] = {
	    /* comments, quotes, order of keys, defaults written out, descriptions */
	    "# comment\ndag: 'd'\nenv: {A: \"b\"}\nschedule: '@daily'\nnotify: {x: y}\n"
	    "description: what\n"
	    "params:\n  p: {default: 1, type: integer, description: what}\n"
	    "  q: {pattern: '[a-z]+', default: x}\n"
	    "tasks:\n"
	    "  a:\n    outputs: o\n    run: |-\n      x {{ ds }}\n    retries: 0\n    "
	    "type: shell\n"
	    "    trigger: all_success\n    timeout: 0\n    grace: 10\n    description: "
	    "what\n"
	    "  b:\n    retries: 2\n    inputs: [o]\n    run:\n    - x\n    - y\n",
	    /* the edge from the path, and the same one from needs; defaults of the file */
	    "dag: d\nparams: {p: 1, q: {type: string, default: x, pattern: '[a-z]+'}}\n"
	    "env: {A: b}\ndefaults: {retries: 2}\n"
	    "tasks:\n  a: {run: 'x {{ ds }}', outputs: [o], retries: 0}\n"
	    "  b: {run: [x, y], inputs: [o], needs: a}\n",
	};
	char want[65], got[65];

	(void)state;
	hash_of(base_text, want);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		hash_of(same[i], got);
		assert_string_equal(want, got);
	}
}

/* Each of these changes what happens. */
static void
what_has_an_effect_changes_the_hash(void **state)
{
	static const char *const changes[][2] = {
	    {"dag: d", "dag: e"},
	    {"p: 1", "p: 2"},
	    {"p: 1", "p: 1.5"},
	    {"p: 1", "p: true"},
	    {"[a-z]+", "[a-z]*"},
	    {"default: x, ", ""},
	    {"A: b", "A: c"},
	    {"A: b", "A: '${env:b}'"},
	    {"A: b", "A: '${file:b}'"},
	    {"A: b", "B: b"},
	    {"'x {{ ds }}'", "'x {{ ts }}'"},
	    {"[x, y]", "x y"},
	    {"[x, y]", "[x, y, z]"},
	    {"outputs: [o]", "outputs: [o, p]"},
	    {"inputs: [o]", "inputs: [o, p]"},
	    {"inputs: [o]", "inputs: []"},
	    {"retries: 2", "retries: 3"},
	    {"retries: 2", "retries: 2, retry_delay: 1s"},
	    {"retries: 2", "retries: 2, retry_backoff: 2"},
	    {"retries: 2", "retries: 2, retry_max_delay: 1s"},
	    {"retries: 2", "retries: 2, retry_on: [exit]"},
	    {"retries: 2", "retries: 2, timeout: 1s"},
	    {"retries: 2", "retries: 2, grace: 1s"},
	    {"retries: 2", "retries: 2, when: true"},
	    {"retries: 2", "retries: 2, trigger: always"},
	    {"retries: 2", "retries: 2, allow_failure: true"},
	    {"retries: 2", "retries: 2, priority: 1"},
	    {"retries: 2", "retries: 2, persist: true"},
	    {"retries: 2", "retries: 2, leave_children: true"},
	    {"retries: 2", "retries: 2, tags: x"},
	    {"retries: 2", "retries: 2, workdir: x"},
	    {"retries: 2", "retries: 2, params: [p]"},
	    {"retries: 2", "retries: 2, env: {A: x}"},
	    {"outputs: [o]", "outputs: [o], shell: bash"},
	    {"dag: d\n", "dag: d\ntimeout: 1s\n"},
	    {"dag: d\n", "dag: d\nmax_active_tasks: 1\n"},
	    {"dag: d\n", "dag: d\ntags: x\n"},
	    {"  b:", "  c: {type: wait, for: 1s}\n  b:"},
	    {"  b:", "  c: {type: wait, for: 2s}\n  b:"},
	    {"  b:", "  c: {type: wait, until: 2026-11-22}\n  b:"},
	};
	enum { N = sizeof(changes) / sizeof(changes[0]) };
	char hashes[N + 1][65];
	struct buf b;

	(void)state;
	hash_of(base_text, hashes[N]);
	for (size_t i = 0; i < N; i++) {
		const char *at = strstr(base_text, changes[i][0]);

		assert_non_null(at);
		buf_init(&b, 0);
		buf_add(&b, base_text, (size_t)(at - base_text));
		buf_adds(&b, changes[i][1]);
		buf_adds(&b, at + strlen(changes[i][0]));
		hash_of(b.p, hashes[i]);
		buf_release(&b);
		for (size_t j = 0; j < i; j++)
			if (strcmp(hashes[i], hashes[j]) == 0)
				fail_msg("%s and %s", changes[i][1], changes[j][1]);
		if (strcmp(hashes[i], hashes[N]) == 0)
			fail_msg("%s changes nothing", changes[i][1]);
	}
}

static json_t *
parse(const struct buf *b)
{
	struct err err = {0};
	json_t *v = json_parse(b->p, b->n, &err);

	if (v == NULL)
		fail_msg("%s: %s", err.msg, b->p);
	return v;
}

/* Keys of all objects stand in the order of the alphabet; params keep the file's. */
static void
check_sorted(json_t *v)
{
	const char *key, *last = "";
	json_t *member;
	size_t i;

	if (json_is_object(v)) {
		json_object_foreach(v, key, member)
		{
			assert_true(strcmp(last, key) < 0);
			last = key;
			check_sorted(member);
		}
	}
	json_array_foreach(v, i, member) check_sorted(member);
}

static void
canonical_form(void **state)
{
	struct loaded l = loads(base_text);
	struct json_writer w;
	struct buf b;
	json_t *v, *task_b;

	(void)state;
	buf_init(&b, 0);
	json_init(&w, &b, 0);
	dag_canonical(l.dag, &w);
	v = parse(&b);
	check_sorted(v);
	assert_int_equal(json_integer_value(
			     json_object_get(json_object_get(v, "defaults"), "retries")),
			 0);
	task_b = json_array_get(json_object_get(v, "tasks"), 1);
	assert_int_equal(json_integer_value(json_object_get(task_b, "retries")), 2);
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(task_b, "needs"), 0)), "a");
	json_decref(v);
	buf_release(&b);
	unload(&l);
}

static void
graph_as_json(void **state)
{
	struct loaded l = loads("tags: [x]\ntasks:\n  b: {run: x, needs: a, when: true}\n"
				"  a: {run: x, outputs: [o], description: what}\n");
	struct json_writer w;
	struct buf b;
	json_t *v, *tasks;

	(void)state;
	buf_init(&b, 0);
	json_init(&w, &b, 0);
	dag_show_json(l.dag, NULL, &w);
	v = parse(&b);
	assert_string_equal(json_string_value(json_object_get(v, "dag")), "x");
	assert_string_equal(json_string_value(json_object_get(v, "hash")), l.dag->hash);
	assert_int_equal(json_integer_value(json_object_get(v, "levels")), 2);
	tasks = json_object_get(v, "tasks");
	assert_int_equal(json_array_size(tasks), 2);
	/* in topological order */
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(tasks, 0), "name")), "a");
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(tasks, 1), "when")), "true");
	json_decref(v);
	buf_release(&b);
	unload(&l);
}

static void
graph_as_dot(void **state)
{
	struct loaded l = loads("tasks:\n  b: {run: x, needs: [a, w]}\n  a: {run: x}\n"
				"  w: {type: wait, for: 1s}\n");
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	dag_show_dot(l.dag, NULL, &b);
	assert_string_equal(b.p, "digraph \"x\" {\n\trankdir=LR;\n\tnode [shape=box];\n"
				 "\t\"a\";\n\t\"w\" [style=rounded];\n\t\"b\";\n"
				 "\t\"a\" -> \"b\";\n\t\"w\" -> \"b\";\n}\n");
	buf_release(&b);
	unload(&l);
}

static void
graph_as_mermaid(void **state)
{
	/* words of the language as names; an edge to a task that is not selected is none */
	struct loaded l = loads("tasks:\n  end: {run: x, needs: [a-b, w, out]}\n"
				"  a-b: {run: x}\n  w: {type: wait, for: 1s}\n"
				"  out: {run: x}\n");
	bool some[] = {true, true, true, false};
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	dag_show_mermaid(l.dag, some, &b);
	assert_string_equal(b.p, "flowchart LR\n    t1[\"a-b\"]\n    t2([\"w\"])\n"
				 "    t0[\"end\"]\n    t1 --> t0\n    t2 --> t0\n");
	buf_release(&b);
	unload(&l);
}

static void
at_a_glance(void **state)
{
	static const char *const yes[] = {
	    "tasks: {a: {run: x}}",
	    "dag: x\ntasks:\n  a:\n",
	    "# c\n---\ndag: x\r\ntasks:\r\n",
	    "'tasks': {}",
	    "\"tasks\" : {}",
	    "\xef\xbb\xbftasks:\n",
	    "{dag: x, tasks: {a: {run: x}}}",
	    "{\"dag\": [tasks], \"tasks\":{}}",
	    "tasks:",
	    "  # indented\n\n  dag: x\n  tasks:\n    a: {run: x}\n",
	    " {tasks: {}}",
	    "broken: [\ntasks: {}\n", /* for `dag check` to say what is wrong */
	};
	static const char *const no[] = {
	    "",
	    "stages:\n  a:\n",
	    "a:\n  tasks: {}\n",
	    "# tasks:\n",
	    "tasksx: {}\n",
	    "tasks",
	    "tasks:x\n",
	    "- tasks: {}\n",
	    "- hosts: all\n  tasks:\n",
	    "-\n  tasks:\n",
	    "  dag: x\n    tasks:\n",
	    "x: tasks:\n",
	    "{a: {tasks: {}}}",
	    "{dag: tasks}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!dag_looks_like(yes[i], strlen(yes[i])))
			fail_msg("not seen: %s", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (dag_looks_like(no[i], strlen(no[i])))
			fail_msg("taken for a DAG file: %s", no[i]);
	/* It looks no further than it is told. */
	assert_false(dag_looks_like("tasks: {}", 5));
	assert_false(dag_looks_like("a: b\ntasks: {}", 7));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_has_no_effect_has_no_hash),
	    cmocka_unit_test(what_has_an_effect_changes_the_hash),
	    cmocka_unit_test(canonical_form),
	    cmocka_unit_test(graph_as_json),
	    cmocka_unit_test(graph_as_dot),
	    cmocka_unit_test(graph_as_mermaid),
	    cmocka_unit_test(at_a_glance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
