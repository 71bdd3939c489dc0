/*
 * The check of a whole run before it is created.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "render_fixture.h"
#include "scheduler/select.h"

/* What the check says about ${text} with only the tasks of ${sel} ("": all). */
static const char *
check(const char *text, const char *sel)
{
	static char out[8192];
	struct diag *d = diag_new();
	struct fixture f;
	struct err err;
	bool selected[16];
	struct buf b;
	int file = diag_file(d, "t.yaml", text, strlen(text)), rc;

	start(&f, text, NULL, 0);
	assert_int_equal(select_tasks(f.g, &sel, *sel != '\0', selected, &err), 0);
	f.v.outputs = (struct render_outputs){0};
	rc = render_check_run(&f.v, selected, d, file);
	assert_int_equal(rc, diag_errors(d) == 0 ? 0 : -1);
	buf_init(&b, 0);
	diag_print(d, &b, false, 0);
	(void)snprintf(out, sizeof(out), "%s", b.p);
	buf_release(&b);
	stop(&f);
	diag_free(d);
	return out;
}

static void
test_check_values(void **state)
{
	const char *msg = check(
	    "params: {bad: 'a b', e: ''}\n"
	    "tasks:\n"
	    "  a:\n"
	    "    run: |\n"
	    "      x\n"
	    "      y {{ params.bad }}\n"
	    "  b: {run: x, env: {B: '{{ env.Z }}'}}\n"
	    "  c: {run: x, workdir: '{{ params.e }}'}\n"
	    "  d: {run: x, when: params.e.x}\n"
	    "  e: {run: x, outputs: ['{{ params.e }}']}\n"
	    "  f: {run: 'x {{ outputs.a.k }}; {{ params.bad }}', needs: [a]}\n"
	    "  g: {run: 'x {{ env.G }}', needs: [a], env: {G: '{{ outputs.a.k }}'}}\n",
	    "");

	(void)state;
	says(msg, "t.yaml:6:9: error: the value 'a b' cannot enter");
	says(msg, "t.yaml:7:");
	says(msg, "t.yaml:8:");
	says(msg, "t.yaml:9:");
	says(msg, "t.yaml:10:");
	assert_null(strstr(msg, "t.yaml:11:")); /* waits for outputs */
	assert_null(strstr(msg, "t.yaml:12:"));
	assert_string_equal(check("tasks: {a: {run: x}}\n", ""), "");
}

static void
test_check_selection(void **state)
{
	static const char text[] =
	    "tasks:\n"
	    "  a: {run: x}\n"
	    "  b: {run: 'x {{ outputs.a.k }}', needs: [a]}\n"
	    "  c: {run: 'x {{ outputs.a.k | default(1) }}', needs: [a]}\n"
	    "  d: {run: x, when: outputs.a.k == '1', needs: [a]}\n";

	(void)state;
	assert_string_equal(check(text, ""), "");
	assert_string_equal(check(text, "+b"), "");
	assert_string_equal(check(text, "c"), "");
	says(check(text, "b"), "t.yaml:3:26: error: task 'a' is not selected");
	says(check(text, "b"), "+b");
	says(check(text, "d"), "t.yaml:5:");
}

static void
test_check_paths(void **state)
{
	(void)state;
	says(check("params: {p: x}\ntasks:\n"
		   "  a: {run: x, outputs: ['out/{{ params.p }}']}\n"
		   "  b: {run: x, outputs: [out/x/y]}\n",
		   ""),
	     "the output 'out/x/y' of task 'b' overlaps 'out/x', which task 'a' makes");
	says(check("params: {p: x}\ntasks:\n"
		   "  a: {run: x, outputs: ['out/{{ params.p }}', out/x]}\n",
		   ""),
	     "of the same task");
	says(check("params: {p: x}\ntasks:\n"
		   "  a: {run: x, inputs: ['{{ params.p }}'], outputs: [x]}\n",
		   ""),
	     "would delete its own input 'x'");
	assert_string_equal(check("params: {p: x}\ntasks:\n"
				  "  a: {run: x, inputs: ['{{ params.p }}'], outputs: "
				  "[x], persist: true}\n",
				  ""),
			    "");
	says(check("params: {p: x}\ntasks:\n"
		   "  a: {run: x, outputs: [x]}\n"
		   "  b: {run: x, inputs: ['{{ params.p }}']}\n",
		   ""),
	     "the input 'x' of task 'b' is made by task 'a', which does not come before "
	     "it");
	assert_string_equal(
	    check("params: {p: x}\ntasks:\n"
		  "  a: {run: x, outputs: [x]}\n"
		  "  m: {run: x, needs: [a]}\n"
		  "  b: {run: x, inputs: ['{{ params.p }}'], needs: [m]}\n",
		  ""),
	    "");
	/* the maker is not part of the run: what is there is read */
	assert_string_equal(check("params: {p: x}\ntasks:\n"
				  "  a: {run: x, outputs: [x]}\n"
				  "  b: {run: x, inputs: ['{{ params.p }}']}\n",
				  "b"),
			    "");
}

/* More producers than one pass through the graph looks for. */
static void
test_check_many(void **state)
{
	enum { N = 150 };
	struct diag *d = diag_new();
	struct fixture f;
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 0);
	buf_adds(&b, "params: {p: x}\ntasks:\n");
	for (i = 0; i < N; i++)
		buf_addf(&b, "  a%zu: {run: x, outputs: [o%zu]}\n", i, i);
	for (i = 0; i < N; i++)
		buf_addf(&b, "  m%zu: {run: x, needs: [a%zu]}\n", i, i);
	for (i = 0; i < N; i++)
		buf_addf(&b,
			 "  b%zu: {run: x, inputs: ['{{ \"o\" }}%zu'], needs: [m%zu]}\n",
			 i, i, i == 70 || i == 149 ? 0 : i);
	start(&f, b.p, NULL, 0);
	assert_int_equal(render_check_run(&f.v, NULL, d, diag_file(d, "t", b.p, b.n)),
			 -1);
	assert_int_equal(diag_errors(d), 2);
	buf_clear(&b);
	diag_print(d, &b, false, 0);
	says(b.p, "the input 'o70' of task 'b70'");
	says(b.p, "the input 'o149' of task 'b149'");
	buf_release(&b);
	stop(&f);
	diag_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_check_values),
	    cmocka_unit_test(test_check_selection),
	    cmocka_unit_test(test_check_paths),
	    cmocka_unit_test(test_check_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
