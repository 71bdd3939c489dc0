/*
 * A whole DAG file from its bytes: diagnostics that can be shown, a sound model, the same
 * hash whatever comments stand around it, and every task rendered.  A first line
 * "#params {...}" gives the run's params.
 */
#include <jansson.h>

#include "base/json.h"
#include "base/yaml.h"
#include "fuzz.h"
#include "scheduler/dag.h"
#include "scheduler/dag_show.h"
#include "scheduler/render.h"

#define PARAMS_MARK "#params "
#define LOGICAL_US  (INT64_C(1767323045) * 1000000)

static struct dag *
load(const char *text, size_t n)
{
	struct diag *d = fuzz_need(diag_new());
	struct dag *g = NULL;
	int rc;

	CHECK(diag_file(d, "x.yaml", text, n) == 0);
	rc = dag_load(d, 0, "x.yaml", text, n, "x.yaml", &g);
	CHECK((rc == 0) == (diag_errors(d) == 0));
	CHECK((rc == 0) == (g != NULL));
	fuzz_check_diag(d, text, n);
	diag_free(d);
	return g;
}

static void
check_object(const struct buf *b)
{
	json_t *j;

	CHECK(!buf_failed(b));
	j = json_parse(b->p, b->n, NULL);
	CHECK(json_is_object(j));
	json_decref(j);
}

/* What programs are shown is JSON, or one graph with as many lines as it must have. */
static void
check_shown(const struct dag *g)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, 0);
	json_init(&w, &out, 0);
	dag_canonical(g, &w);
	check_object(&out);
	buf_clear(&out);
	json_init(&w, &out, 2);
	dag_show_json(g, NULL, &w);
	check_object(&out);
	buf_clear(&out);
	dag_show_dot(g, NULL, &out);
	CHECK(!buf_failed(&out) && strncmp(out.p, "digraph", 7) == 0);
	buf_clear(&out);
	dag_show_mermaid(g, NULL, &out);
	CHECK(!buf_failed(&out) && fuzz_lines(out.p, out.n) > g->ntasks);
	buf_release(&out);
}

/* A comment before the file changes no more than its places. */
static void
check_comment(const struct dag *g, const char *text, size_t n)
{
	struct dag *h;
	struct buf b;

	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return;
	buf_init(&b, 0);
	buf_adds(&b, "# a comment\n");
	buf_add(&b, text, n);
	h = load(b.p, b.n);
	CHECK(h != NULL);
	CHECK(strcmp(g->hash, h->hash) == 0);
	CHECK(g->ntasks == h->ntasks && g->levels == h->levels);
	dag_free(h);
	buf_release(&b);
}

/* Every task has ended well and has published this; `skipped` has not. */
static int
output_get(void *ctx, uint32_t task, const char *key, const char **val, size_t *len)
{
	const struct dag *g = ctx;

	if (strcmp(g->tasks[task].name, "skipped") == 0)
		return -1;
	if (strcmp(key, "rows") == 0)
		*val = "10";
	else if (strcmp(key, "name") == 0)
		*val = "a b; c";
	else
		return 0;
	*len = strlen(*val);
	return 1;
}

static const char *
output_key(void *ctx, uint32_t task, size_t i)
{
	(void)ctx;
	(void)task;
	return i == 0 ? "rows" : i == 1 ? "name" : NULL;
}

static void
check_paths(const struct render_paths *p)
{
	for (size_t i = 0; i < p->ninputs; i++)
		CHECK(p->inputs[i][0] != '\0');
	for (size_t i = 0; i < p->noutputs; i++)
		CHECK(p->outputs[i][0] != '\0' && p->outputs[i][0] != '/' &&
		      strncmp(p->outputs[i], "../", 3) != 0);
}

static void
render_one(const struct run_values *v, const struct dag_task *t)
{
	struct arena *a = fuzz_need(arena_new((size_t)64 << 20));
	struct render_paths paths;
	struct render_task task;
	struct err err = {0};
	bool when;

	if (render_paths(v, t, a, &paths, &err) == 0)
		check_paths(&paths);
	else
		CHECK(err.msg[0] != '\0');
	err_clear(&err);
	CHECK(render_when(v, t, a, &when, &err) == 0 || err.msg[0] != '\0');
	err_clear(&err);
	if (render_task(v, t, a, &task, &err) != 0) {
		CHECK(err.msg[0] != '\0');
	} else {
		CHECK(task.argv == NULL || task.argv[0] != NULL);
		CHECK(task.argv != NULL || task.wait_us >= 0 || task.wait_until_us != -1);
		CHECK(task.workdir != NULL || task.argv == NULL);
	}
	arena_free(a);
}

static void
render_all(const struct dag *g, const char *text, size_t n, const char *params)
{
	struct arena *a = fuzz_need(arena_new((size_t)64 << 20));
	struct diag *d = fuzz_need(diag_new());
	struct jinja_dict *dict;
	struct err err = {0};
	struct buf json;

	if (params_resolve(g, a, NULL, 0, params, &dict, &err) != 0) {
		CHECK(err.msg[0] != '\0');
	} else {
		struct run_values v = {
		    .dag = g,
		    .params = dict,
		    .run_id = "01920000-0000-7000-8000-000000000000",
		    .logical_us = LOGICAL_US,
		    .interval_start_us = LOGICAL_US,
		    .interval_end_us = LOGICAL_US,
		    .outputs = {(void *)(uintptr_t)g, output_get, output_key}};

		buf_init(&json, 0);
		params_json(dict, &json);
		/* What is stored with a run can be read back. */
		CHECK(params_resolve(g, a, NULL, 0, json.p, &dict, &err) == 0);
		buf_release(&json);
		CHECK(diag_file(d, "x.yaml", text, n) == 0);
		CHECK((render_check_run(&v, NULL, d, 0) == 0) == (diag_errors(d) == 0));
		fuzz_check_diag(d, text, n);
		for (size_t i = 0; i < g->ntasks && i < 50; i++)
			render_one(&v, &g->tasks[i]);
	}
	diag_free(d);
	arena_free(a);
}

/* The params that the first line gives, or NULL; the caller frees them. */
static char *
find_params(const char *text)
{
	size_t mark = sizeof(PARAMS_MARK) - 1;

	if (strncmp(text, PARAMS_MARK, mark) != 0)
		return NULL;
	return strndup(text + mark, strcspn(text + mark, "\n"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf in;
	struct dag *g;
	char *params, *glance = fuzz_text(data, n);

	/* It may be wrong of exotic files; it must not read beyond them. */
	(void)dag_looks_like(glance, n);
	free(glance);
	buf_init(&in, 0);
	buf_add(&in, data, n);
	g = load(in.p, in.n);
	if (g != NULL) {
		dag_check_model(g);
		check_shown(g);
		check_comment(g, in.p, in.n);
		params = find_params(in.p);
		render_all(g, in.p, in.n, params);
		free(params);
	}
	dag_free(g);
	buf_release(&in);
	return 0;
}
