#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "render_fixture.h"
#include "scheduler/select.h"
#include "unit/memory.h"

/* Memory that runs out while a run is planned: params, selectors, checks, rendering. */

static const char text[] =
    "params:\n"
    "  n: {type: integer, default: 5, minimum: 1, maximum: 10}\n"
    "  s: {type: string, pattern: '[a-z]+', default: abc}\n"
    "  l: {type: array, default: [1, x, 'y z']}\n"
    "  e: {type: string, enum: [dev, prod], default: dev}\n"
    "env: {A: 'x{{ params.n }}', T: '${env:TOKEN}'}\n"
    "tasks:\n"
    "  extract:\n"
    "    run: |\n"
    "      cat <<EOF\n"
    "      {{ params.s }} \"$A\" {{ ds }}\n"
    "      EOF\n"
    "    outputs: ['data/{{ ds }}/', model.bin]\n"
    "    tags: [nightly]\n"
    "  two:\n"
    "    run: \"x {% for i in params.l %}{{ i | string | sh }} {% endfor %} "
    "{{ outputs.extract.rows | int + 1 }} {{ (outputs.extract.json | fromjson)[1] }} "
    "{{ params.s | upper | replace('A', 'b') }} {{ logical_date.strftime('%Y') }}\"\n"
    "    needs: [extract]\n"
    "    inputs: ['{{ \"model\" ~ \".bin\" }}']\n"
    "    env: {B: '{{ env.A }} {{ params.l | join(\",\") }}'}\n"
    "    when: \"params.n > 3 and params.e == 'dev'\"\n"
    "  three: {run: [x, '{{ params.s }}'], needs: [two]}\n";

static struct fixture f; /* a run, made with all memory there is */
static struct buf got, want;
static struct arena *arena;

static void
before(void *ctx)
{
	(void)ctx;
	arena = NULL;
	buf_init(&got, 0);
}

/* In spite of what failed the result is what it always is. */
static void
after(void *ctx, int rc)
{
	(void)ctx;
	arena_free(arena);
	if (rc == 0 && want.n == 0)
		buf_add(&want, got.p, got.n);
	else if (rc == 0)
		assert_string_equal(got.p, want.p);
	buf_release(&got);
}

static void
fail_each(const char *what, int (*run)(void *, struct err *))
{
	struct memory_call c = {
	    .what = what, .before = before, .run = run, .after = after};

	start(&f, text, NULL, 0);
	buf_init(&want, 0);
	assert_true(memory_fail_each(&c) > 0);
	assert_true(want.n > 0);
	buf_release(&want);
	stop(&f);
}

static int
need_arena(struct err *err)
{
	arena = arena_new(0);
	return arena != NULL ? 0 : err_nomem(err);
}

static int
end(struct err *err)
{
	return buf_failed(&got) ? err_nomem(err) : 0;
}

static int
run_params(void *ctx, struct err *err)
{
	static const struct param_arg args[] = {
	    {"n", "7"}, {"s", "xyz"}, {"l", "[1, {\"a\": 2}]"}};
	struct jinja_dict *d;

	(void)ctx;
	if (need_arena(err) != 0 ||
	    params_resolve(f.g, arena, args, 3, "{\"e\": \"prod\", \"n\": 3}", &d, err) !=
		0)
		return -1;
	params_json(d, &got);
	return end(err);
}

static int
run_wrong_params(void *ctx, struct err *err)
{
	static const struct param_arg args[] = {{"n", "70"}, {"ss", "xyz"}, {"e", "x"}};
	struct jinja_dict *d;

	(void)ctx;
	if (need_arena(err) != 0)
		return -1;
	assert_int_equal(params_resolve(f.g, arena, args, 3, NULL, &d, err), -1);
	if (err->code == ERR_NOMEM)
		return -1;
	buf_adds(&got, "refused");
	return end(err);
}

static int
run_select(void *ctx, struct err *err)
{
	static const char *const exprs[] = {"extract+", "tag:nightly", "t*"};
	bool selected[3];
	size_t i;

	(void)ctx;
	if (select_tasks(f.g, exprs, 3, selected, err) != 0 ||
	    select_exclude(f.g, exprs + 1, 1, selected, err) != 0)
		return -1;
	for (i = 0; i < 3; i++)
		buf_addc(&got, selected[i] ? '1' : '0');
	return end(err);
}

static int
run_check(void *ctx, struct err *err)
{
	static const bool all[] = {true, true, true};
	struct diag *d = diag_new();
	int rc, file;

	(void)ctx;
	if (d == NULL)
		return err_nomem(err);
	file = diag_file(d, "t.yaml", text, strlen(text));
	if (file < 0) {
		diag_free(d);
		return err_nomem(err);
	}
	rc = render_check_run(&f.v, all, d, file);
	assert_int_equal(rc != 0, diag_errors(d) != 0);
	if (rc == 0)
		buf_adds(&got, "fine");
	else
		diag_print(d, &got, false, 0);
	diag_free(d);
	if (rc == 0 || buf_failed(&got))
		return end(err);
	return err_set(err,
		       strstr(got.p, "out of memory") != NULL ? ERR_NOMEM : ERR_INVALID,
		       "%s", got.p);
}

static int
run_render(void *ctx, struct err *err)
{
	const struct dag_task *t = dag_task_find(f.g, ctx);
	struct render_task task;
	struct render_paths paths;
	bool when;
	size_t i;

	if (need_arena(err) != 0 || render_when(&f.v, t, arena, &when, err) != 0 ||
	    render_paths(&f.v, t, arena, &paths, err) != 0 ||
	    render_task(&f.v, t, arena, &task, err) != 0)
		return -1;
	buf_addf(&got, "%d %zu %zu", when, paths.ninputs, paths.noutputs);
	for (i = 0; task.argv[i] != NULL; i++)
		buf_addf(&got, "\n%s", task.argv[i]);
	for (i = 0; i < task.nenv; i++)
		buf_addf(&got, "\n%s=%s", task.env[i].name,
			 task.env[i].val != NULL ? task.env[i].val : "-");
	return end(err);
}

static int
run_render_extract(void *ctx, struct err *err)
{
	static char name[] = "extract";

	(void)ctx;
	return run_render(name, err);
}

static int
run_render_two(void *ctx, struct err *err)
{
	static char name[] = "two";

	(void)ctx;
	return run_render(name, err);
}

static int
run_canonical(void *ctx, struct err *err)
{
	struct json_writer w;

	(void)ctx;
	json_init(&w, &got, 0);
	dag_canonical(f.g, &w);
	return end(err);
}

static void
test_plan(void **state)
{
	(void)state;
	fail_each("params", run_params);
	fail_each("wrong params", run_wrong_params);
	fail_each("selecting tasks", run_select);
	fail_each("checking a run", run_check);
	fail_each("rendering a script", run_render_extract);
	fail_each("rendering with values", run_render_two);
	fail_each("the canonical form", run_canonical);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
