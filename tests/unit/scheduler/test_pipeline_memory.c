/*
 * Pipelines as DAGs where memory runs out: made of dvc.yaml, of the definition that was kept, and
 * chosen from.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "scheduler/dag.h"
#include "scheduler/pipeline_dag.h"
#include "scheduler/pipeline_select.h"
#include "store/dvc/dvc_yaml.h"
#include "store/pipeline/pipeline.h"
#include "unit/memory.h"

#define SOME 200 /* allocations of a call that fail; all with DAG_MEMORY_ALL */

static const struct pipeline_place place = {.root = "/repo", .shell = "/bin/bash"};

/* Something of everything. */
static const char good[] =
    "stages:\n"
    "  last: {cmd: [a, b], deps: [all.txt, made], outs: [last.txt: {persist: true}]}\n"
    "  all:\n"
    "    cmd: cat\n"
    "    deps: [in.txt, parts/u, s3://b/x]\n"
    "    params: [lr, {p.json: [a]}]\n"
    "    outs: [all.txt]\n"
    "    metrics: [m.json: {cache: false}]\n"
    "    meta: {dag: {retries: 2, timeout: 1h, priority: 5}}\n"
    "  part: {foreach: [u, v], do: {cmd: \"echo ${item}\", outs: [\"parts/${item}\"]}}\n"
    "  tree: {cmd: x, wdir: sub, deps: [../in.txt], outs: [../made], frozen: true}\n"
    "  call: {cmd: echo, always_changed: true}\n";
static const char below[] = "stages: {s: {cmd: x, deps: [../last.txt], outs: [o]}}\n";

/* As many kinds of mistakes. */
static const char bad[] =
    "stages:\n"
    "  a: {cmd: x, deps: [b.out], outs: [a.out]}\n"
    "  b: {cmd: x, deps: [a.out], outs: [b.out]}\n"
    "  c: {cmd: x, outs: [same, .git/x]}\n"
    "  d: {cmd: x, outs: [same]}\n"
    "  e: {cmd: x, meta: {dag: {retires: 2, timeout: 3 fortnights}}}\n";

struct making {
	struct track_file files[2], *v[2];
	size_t n;
	struct diag *texts; /* of the files' mistakes: there are none */
	bool refused;
	struct dag *g;
	struct buf now;
	char hash[65];
};

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
take(struct making *m, const char *path, const char *text)
{
	const struct pipeline_files files = {.read = no_file};
	struct track_file *f = &m->files[m->n];
	struct err err = {0};

	f->path = path;
	assert_int_equal(
	    pipeline_parse(&files, path, text, strlen(text), m->texts, &f->yaml, &err),
	    0);
	m->v[m->n++] = f;
}

static void
give_back(struct making *m)
{
	dag_free(m->g);
	for (size_t i = 0; i < m->n; i++)
		dvc_yaml_free(m->files[i].yaml);
	diag_free(m->texts);
	buf_release(&m->now);
}

static void
forget(void *ctx)
{
	struct making *m = ctx;

	dag_free(m->g);
	m->g = NULL;
	buf_release(&m->now);
	buf_init(&m->now, 0);
}

static int
make(void *ctx, struct err *err)
{
	struct making *m = ctx;
	struct diag *d = diag_new();
	int rc;

	if (d == NULL)
		return err_nomem(err);
	rc = pipeline_dag_make(&place, m->v, m->n, d, &m->g, err);
	if (rc == 1 && diag_nomem(d))
		rc = err_nomem(err);
	if (rc == 1) {
		diag_print(d, &m->now, false, 0);
		rc = buf_failed(&m->now) || strstr(m->now.p, "error: out of memory")
			 ? err_nomem(err)
			 : 0;
	}
	if (rc == 0 && m->refused != (m->g == NULL))
		rc = err_set(err, ERR_INVALID, "refused: %d", m->g == NULL);
	diag_free(d);
	return rc;
}

static size_t
mistakes(const char *text)
{
	size_t n = 0;

	while ((text = strstr(text, ": error: ")) != NULL) {
		text++;
		n++;
	}
	return n;
}

/* The same DAG; or all mistakes, some perhaps without the line that they are in. */
static void
made(void *ctx, int rc)
{
	struct making *m = ctx;

	if (rc != 0)
		return;
	if (m->refused) {
		assert_int_equal(mistakes(m->now.p), 5);
		return;
	}
	dag_check_model(m->g);
	if (m->hash[0] == '\0')
		(void)snprintf(m->hash, sizeof(m->hash), "%s", m->g->hash);
	assert_string_equal(m->g->hash, m->hash);
}

static void
test_make(void **state)
{
	struct making m = {.texts = diag_new()};
	struct memory_call c = {"make", forget, make, made, &m, SOME};

	(void)state;
	take(&m, "dvc.yaml", good);
	take(&m, "sub/dvc.yaml", below);
	assert_true(memory_fail_each(&c) > 50);
	give_back(&m);
}

static void
test_mistakes(void **state)
{
	struct making m = {.texts = diag_new(), .refused = true};
	struct memory_call c = {"make, with mistakes", forget, make, made, &m, SOME};

	(void)state;
	take(&m, "dvc.yaml", bad);
	assert_true(memory_fail_each(&c) > 50);
	give_back(&m);
}

struct kept {
	struct making m;
	char *text;
	struct dag *again;
	bool selected[16];
};

static void
forget_again(void *ctx)
{
	struct kept *k = ctx;

	dag_free(k->again);
	k->again = NULL;
}

static int
read_again(void *ctx, struct err *err)
{
	struct kept *k = ctx;

	return pipeline_dag_read(&place, k->text, strlen(k->text), &k->again, err);
}

static void
is_same(void *ctx, int rc)
{
	const struct kept *k = ctx;

	if (rc == 0)
		assert_string_equal(k->again->hash, k->m.g->hash);
}

static int
choose(void *ctx, struct err *err)
{
	static const char *const words[] = {"part", "sub/dvc.yaml:s"};
	struct kept *k = ctx;
	struct pipeline_want want = {
	    .targets = words, .n = 2, .dir = ".", .root = "/repo", .pipeline = true};
	uint32_t ids[16];
	size_t n;
	int rc;

	memset(k->selected, 0, sizeof(k->selected));
	rc = pipeline_select(k->m.g, &want, k->selected, err);
	if (rc == 0)
		rc = pipeline_dag_order(k->m.g, k->selected, ids, &n, err);
	if (rc == 0)
		assert_int_equal(n, 6);
	return rc;
}

static void
test_kept(void **state)
{
	struct kept k = {.m = {.texts = diag_new()}};
	struct memory_call c = {"read", forget_again, read_again, is_same, &k, SOME};
	struct err err = {0};

	(void)state;
	take(&k.m, "dvc.yaml", good);
	take(&k.m, "sub/dvc.yaml", below);
	assert_int_equal(make(&k.m, &err), 0);
	k.text = strdup(k.m.g->text);
	assert_non_null(k.text);
	assert_true(memory_fail_each(&c) > 50);
	c = (struct memory_call){"choose", NULL, choose, NULL, &k, 0};
	assert_true(memory_fail_each(&c) > 5);
	dag_free(k.again);
	free(k.text);
	give_back(&k.m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_make),
	    cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_kept),
	};

	return cmocka_run_group_tests_name("scheduler/pipeline_memory", tests, NULL,
					   NULL);
}
