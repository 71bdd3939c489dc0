/*
 * The definition of a run of pipelines, as the database keeps it; or behind "d" a dvc.yaml of
 * which one is made.  What is read has all that a run takes from it, and is read the same again.
 */
#include <stdbool.h>

#include "fuzz.h"
#include "scheduler/dag.h"
#include "scheduler/pipeline_dag.h"
#include "store/dvc/dvc_yaml.h"
#include "store/pipeline/pipeline.h"
#include "store/track/collect.h"

static const struct pipeline_place place = {.root = "/r", .shell = "/bin/sh"};

static void
check_dag(const struct dag *g)
{
	uint32_t *order = fuzz_need(calloc(g->ntasks + 1, sizeof(*order)));
	bool *seen = fuzz_need(calloc(g->ntasks + 1, sizeof(*seen)));
	struct err err = {0};
	size_t n = 0;

	CHECK(g->ntasks >= 1 && g->ntasks <= DAG_TASKS_MAX && pipeline_is(g));
	CHECK(pipeline_dag_is(g->text, g->len));
	CHECK(pipeline_dag_order(g, NULL, order, &n, &err) == 0);
	CHECK(n == g->ntasks);
	for (size_t i = 0; i < n; i++) {
		const struct dag_task *t = &g->tasks[order[i]];

		CHECK(order[i] < g->ntasks && !seen[order[i]]);
		for (size_t k = 0; k < t->nup; k++)
			CHECK(seen[t->up[k]]);
		seen[order[i]] = true;
		CHECK(t->name[0] != '\0' && pipeline_file(t) != NULL);
		CHECK(t->stage != NULL && t->stage->stage->ncmd >= 1);
		CHECK(dag_task_find(g, t->name) == t);
	}
	free(order);
	free(seen);
}

static void
read_again(const struct dag *g)
{
	struct err err = {0};
	struct dag *same;

	CHECK(pipeline_dag_read(&place, g->text, g->len, &same, &err) == 0);
	CHECK(strcmp(same->hash, g->hash) == 0 && same->ntasks == g->ntasks);
	for (size_t i = 0; i < g->ntasks; i++) {
		const struct dag_task *a = &g->tasks[i], *b = &same->tasks[i];

		CHECK(strcmp(a->name, b->name) == 0);
		CHECK(a->nup == b->nup && a->ninputs == b->ninputs &&
		      a->noutputs == b->noutputs && a->retries == b->retries);
		for (size_t k = 0; k < a->nup; k++)
			CHECK(a->up[k] == b->up[k]);
	}
	dag_free(same);
}

static int
no_file(void *arg, const char *path, size_t max, struct buf *out, struct err *err)
{
	(void)arg;
	(void)path;
	(void)max;
	(void)out;
	(void)err;
	return 0;
}

static void
from_yaml(const char *text, size_t n)
{
	struct pipeline_files files = {.read = no_file};
	struct diag *d = fuzz_need(diag_new());
	struct track_file file = {.path = "dvc.yaml"}, *list[] = {&file};
	struct dag *g = NULL;
	struct err err = {0};
	int rc;

	if (pipeline_parse(&files, "dvc.yaml", text, n, d, &file.yaml, &err) == 0) {
		rc = pipeline_dag_make(&place, list, 1, d, &g, &err);
		CHECK((rc == 0) == (g != NULL));
		CHECK((rc == 1) == (diag_errors(d) != 0));
		CHECK(rc >= 0 || err.code == ERR_NOTFOUND || err.code == ERR_LIMIT);
	}
	if (g != NULL) {
		check_dag(g);
		read_again(g);
	}
	dag_free(g);
	dvc_yaml_free(file.yaml);
	diag_free(d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = fuzz_text(data, n);
	struct err err = {0};
	struct dag *g = NULL;

	if (n > 0 && text[0] == 'd') {
		from_yaml(text + 1, n - 1);
	} else if (pipeline_dag_read(&place, text, n, &g, &err) == 0) {
		check_dag(g);
		read_again(g);
		dag_free(g);
	} else {
		CHECK(g == NULL && err.msg[0] != '\0');
		CHECK(err.code == ERR_CORRUPT || err.code == ERR_INVALID ||
		      err.code == ERR_LIMIT);
	}
	free(text);
	return 0;
}
