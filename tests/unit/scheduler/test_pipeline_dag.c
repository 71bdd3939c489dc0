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
#include "store/dvc/dvc_yaml.h"
#include "store/pipeline/pipeline.h"

static const struct pipeline_place place = {.root = "/repo", .shell = "/bin/bash"};

/* Files of a repository, "NAME\0TEXT" each, made into a DAG; messages go to `said`. */
struct repo {
	struct track_file files[4];
	struct track_file *v[4];
	size_t n;
	struct diag *d;
	struct dag *g;
	struct err err;
	int rc;
	char said[4000];
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
repo_add(struct repo *r, const char *path, const char *text)
{
	const struct pipeline_files files = {.read = no_file};
	struct track_file *f = &r->files[r->n];

	f->path = path;
	assert_int_equal(
	    pipeline_parse(&files, path, text, strlen(text), r->d, &f->yaml, &r->err), 0);
	r->v[r->n++] = f;
}

static void
repo_make(struct repo *r, const struct pipeline_place *p)
{
	struct buf b;

	r->rc = pipeline_dag_make(p, r->v, r->n, r->d, &r->g, &r->err);
	buf_init(&b, 0);
	diag_print(r->d, &b, false, 0);
	(void)snprintf(r->said, sizeof(r->said), "%s", b.n > 0 ? b.p : "");
	buf_release(&b);
	if (r->rc == 0)
		dag_check_model(r->g);
	else
		assert_null(r->g);
}

static void
repo_free(struct repo *r)
{
	dag_free(r->g);
	diag_free(r->d);
	for (size_t i = 0; i < r->n; i++)
		dvc_yaml_free(r->files[i].yaml);
}

/* One file at the root. */
static void
repo_of(struct repo *r, const char *text)
{
	*r = (struct repo){.d = diag_new()};
	repo_add(r, "dvc.yaml", text);
	repo_make(r, &place);
}

/* The names of the stages in DVC's order, of those named in ${only} (NULL: all). */
static const char *
order(const struct dag *g, const char *only)
{
	static char out[400];
	uint32_t ids[64];
	bool selected[64] = {false};
	size_t n, used = 0;

	for (size_t i = 0; only != NULL && i < g->ntasks; i++)
		selected[i] = strstr(only, g->tasks[i].name) != NULL;
	assert_int_equal(
	    pipeline_dag_order(g, only != NULL ? selected : NULL, ids, &n, NULL), 0);
	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(out + used, sizeof(out) - used, "%s%s",
					 i > 0 ? " " : "", g->tasks[ids[i]].name);
	if (only == NULL)
		for (size_t i = 0; i < n; i++)
			assert_int_equal(ids[i], g->order[i]);
	return out;
}

/* ---- what a stage becomes ---- */

static void
one_command(void **state)
{
	struct repo r;
	const struct dag_task *t;

	(void)state;
	repo_of(&r, "stages:\n"
		    "  a:\n"
		    "    cmd: echo  hi\n"
		    "    wdir: w\n"
		    "    deps: [x, ../y, s3://b/c]\n"
		    "    params: [lr]\n"
		    "    outs: [o: {persist: true}]\n"
		    "    metrics: [m.json: {cache: false}]\n");
	assert_int_equal(r.rc, 0);
	assert_string_equal(r.g->name, "dvc.yaml");
	t = &r.g->tasks[0];
	assert_string_equal(t->name, "a");
	assert_int_equal(t->nrun, 5);
	assert_true(t->run_is_argv);
	assert_string_equal(t->run[0].src, "/bin/bash");
	assert_string_equal(t->run[1].src, "--noprofile");
	assert_string_equal(t->run[2].src, "--norc");
	assert_string_equal(t->run[3].src, "-c");
	assert_string_equal(t->run[4].src, "echo  hi");
	assert_string_equal(t->workdir.src, "w");
	assert_int_equal(t->ninputs, 3);
	assert_string_equal(t->inputs[0].src, "w/x");
	assert_string_equal(t->inputs[1].src, "y");
	assert_string_equal(t->inputs[2].src, "w/params.yaml");
	assert_int_equal(t->noutputs, 2);
	assert_string_equal(t->outputs[0].src, "w/o");
	assert_string_equal(t->outputs[1].src, "w/m.json");
	assert_string_equal(t->env[0].name, "DVC_ROOT");
	assert_string_equal(t->env[0].val.src, "/repo");
	assert_string_equal(t->env[1].name, "DVC_STAGE");
	assert_string_equal(t->env[1].val.src, "a");
	assert_true(t->persist);
	assert_string_equal(t->stage->dir, "w");
	assert_string_equal(t->stage->lock, "dvc.lock");
	assert_string_equal(t->stage->name, "a");
	assert_true(t->stage->pipeline);
	assert_int_equal(t->stage->stage->ndeps, 3);
	assert_string_equal(t->stage->stage->deps[1].path, "../y");
	assert_true(t->stage->stage->outs[0].persist);
	assert_false(t->stage->stage->outs[1].cache);
	assert_int_equal(t->stage->stage->outs[1].kind, DVC_METRIC);
	repo_free(&r);
}

static void
many_commands(void **state)
{
	static const struct {
		const char *shell, *cmd, *loop;
		const char *lines[4];
	} rows[] = {
	    {"/bin/bash",
	     "[\"a\\nb\", c]",
	     "for c do \"$0\" --noprofile --norc -c \"$c\" || exit; done",
	     {"a\nb", "c"}},
	    {NULL,
	     "\"a\\r\\nb\\n\\n c\\n\"",
	     "for c do \"$0\" -c \"$c\" || exit; done",
	     {"a", "b", "", " c"}},
	    {"/opt/Zsh",
	     "\"a\\vb\\fc\\x85d\"",
	     "for c do \"$0\" --no-rcs -c \"$c\" || exit; done",
	     {"a", "b", "c", "d"}},
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pipeline_place p = {.shell = rows[i].shell};
		struct repo r = {.d = diag_new()};
		size_t n = 0;

		(void)snprintf(text, sizeof(text), "stages: {a: {cmd: %s}}", rows[i].cmd);
		repo_add(&r, "dvc.yaml", text);
		repo_make(&r, &p);
		assert_int_equal(r.rc, 0);
		assert_string_equal(r.g->tasks[0].run[0].src, "/bin/sh");
		assert_string_equal(r.g->tasks[0].run[2].src, rows[i].loop);
		assert_string_equal(r.g->tasks[0].run[3].src,
				    rows[i].shell != NULL ? rows[i].shell : "/bin/sh");
		for (; n < 4 && rows[i].lines[n] != NULL; n++)
			assert_string_equal(r.g->tasks[0].run[4 + n].src,
					    rows[i].lines[n]);
		assert_int_equal(r.g->tasks[0].nrun, 4 + n);
		/* The root is not said where DVC_ROOT is somebody else's. */
		assert_int_equal(r.g->tasks[0].nenv, 1);
		repo_free(&r);
	}
}

/* A dependency is a name: what would be a glob in a DAG file is none. */
static void
names_are_no_globs(void **state)
{
	struct repo r;

	(void)state;
	repo_of(&r, "stages: {a: {cmd: x, deps: ['a[1]*\\b', c], outs: ['o[1]']}}");
	assert_string_equal(r.g->tasks[0].inputs[0].src, "a[[]1][*]\\\\b");
	assert_string_equal(r.g->tasks[0].outputs[0].src, "o[1]");
	repo_free(&r);
}

static void
policy(void **state)
{
	struct repo r;
	const struct dag_task *t;

	(void)state;
	repo_of(&r,
		"stages:\n"
		"  a:\n"
		"    cmd: x\n"
		"    meta: {owner: me, dag: {retries: 3, timeout: 1h, priority: -5}}\n");
	assert_int_equal(r.rc, 0);
	t = &r.g->tasks[0];
	assert_int_equal(t->retries, 3);
	assert_int_equal(t->timeout_us, INT64_C(3600000000));
	assert_int_equal(t->priority, -5);
	repo_free(&r);
	repo_of(&r, "stages:\n"
		    "  a:\n"
		    "    cmd: x\n"
		    "    meta: {dag: {retry: 3, run: y, timeout: soon}}\n");
	assert_int_equal(r.rc, 1);
	assert_non_null(strstr(r.said, "dvc.yaml:4:18: error: unknown key 'retry'"));
	assert_non_null(strstr(r.said, "did you mean 'retries'?"));
	assert_non_null(strstr(r.said, "`run` cannot stand in the `meta` of a stage"));
	if (strstr(r.said, "dvc.yaml:4:45: error: 'soon'") == NULL)
		fail_msg("%s", r.said);
	repo_free(&r);
}

/* ---- edges and order ---- */

static void
orders(void **state)
{
	static const struct {
		const char *text, *order, *only, *some;
	} rows[] = {
	    /* upstream first, else as in the file */
	    {"stages:\n"
	     "  z: {cmd: x, outs: [z]}\n"
	     "  c: {cmd: x, deps: [b, a], outs: [c]}\n"
	     "  a: {cmd: x, outs: [a]}\n"
	     "  b: {cmd: x, outs: [b]}\n",
	     "z b a c", "a b", "a b"},
	    /* params come behind deps */
	    {"stages:\n"
	     "  c: {cmd: x, params: [p.yaml: [k]], deps: [b]}\n"
	     "  p: {cmd: x, outs: [p.yaml]}\n"
	     "  b: {cmd: x, outs: [b]}\n",
	     "b p c", "p c", "p c"},
	    /* what holds it, then itself's insides in the order in which they came */
	    {"stages:\n"
	     "  c: {cmd: x, deps: [d]}\n"
	     "  i: {cmd: x, outs: [d/z/i]}\n"
	     "  j: {cmd: x, outs: [d/a]}\n"
	     "  k: {cmd: x, outs: [d/z/b]}\n",
	     "i k j c", NULL, NULL},
	    {"stages:\n"
	     "  c: {cmd: x, deps: [d/a/b, dd]}\n"
	     "  i: {cmd: x, outs: [d]}\n",
	     "i c", NULL, NULL},
	    /* a frozen stage follows nobody */
	    {"stages:\n"
	     "  c: {cmd: x, deps: [b], outs: [c], frozen: true}\n"
	     "  b: {cmd: x, outs: [b]}\n",
	     "c b", NULL, NULL},
	    {"stages:\n"
	     "  all: {cmd: x, deps: [.], frozen: true}\n"
	     "  b: {cmd: x, outs: [b]}\n",
	     "all b", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct repo r;

		repo_of(&r, rows[i].text);
		assert_int_equal(r.rc, 0);
		assert_string_equal(order(r.g, NULL), rows[i].order);
		if (rows[i].only != NULL)
			assert_string_equal(order(r.g, rows[i].only), rows[i].some);
		repo_free(&r);
	}
}

static void
several_files(void **state)
{
	struct repo r = {.d = diag_new()};
	const struct dag_task *t;

	(void)state;
	repo_add(&r, "b/dvc.yaml",
		 "stages: {one: {cmd: x, deps: [../raw], outs: [mid]}}");
	repo_add(&r, "dvc.yaml", "stages: {one: {cmd: x, deps: [b/mid], outs: [end]}}");
	repo_add(&r, "a/dvc.yaml", "stages: {raw: {cmd: x, wdir: .., outs: [raw]}}");
	repo_make(&r, &place);
	assert_int_equal(r.rc, 0);
	assert_string_equal(order(r.g, NULL), "a/dvc.yaml:raw b/dvc.yaml:one one");
	t = dag_task_find(r.g, "b/dvc.yaml:one");
	assert_non_null(t);
	assert_string_equal(t->stage->lock, "b/dvc.lock");
	assert_string_equal(t->stage->dir, "b");
	assert_string_equal(t->stage->name, "one");
	assert_string_equal(t->inputs[0].src, "raw");
	assert_int_equal(r.g->tasks[0].nup, 1);
	assert_int_equal(r.g->levels, 3);
	repo_free(&r);
}

static void
frozen_as_shown(void **state)
{
	struct pipeline_place shown = {.keep_frozen = true};
	struct repo r = {.d = diag_new()};

	(void)state;
	repo_add(&r, "dvc.yaml",
		 "stages:\n"
		 "  c: {cmd: x, deps: [b], outs: [c], frozen: true}\n"
		 "  b: {cmd: x, outs: [b]}\n");
	repo_make(&r, &shown);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.g->tasks[0].nup, 1);
	repo_free(&r);
}

/* ---- mistakes ---- */

static void
mistakes(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
	    {"stages:\n"
	     "  a: {cmd: x, deps: [b], outs: [a]}\n"
	     "  b: {cmd: x, deps: [a], outs: [b]}\n",
	     "dvc.yaml:2:3: error: stages wait for each other: b -> a -> b"},
	    {"stages:\n  a: {cmd: x, deps: [a/b], outs: [a]}\n",
	     "dvc.yaml:2:3: error: stage 'a' depends on what it makes"},
	    /* frozen or not */
	    {"stages:\n"
	     "  a: {cmd: x, deps: [b], outs: [a], frozen: true}\n"
	     "  b: {cmd: x, deps: [a], outs: [b]}\n",
	     "stages wait for each other: b -> a -> b"},
	    {"stages:\n"
	     "  a: {cmd: x, outs: [o]}\n"
	     "  b: {cmd: x, metrics: [o]}\n",
	     "dvc.yaml:3:25: error: the output 'o' of stage 'b' is made by stage 'a' "
	     "too"},
	    {"stages:\n"
	     "  a: {cmd: x, outs: [o/p]}\n"
	     "  b: {cmd: x, outs: [o]}\n",
	     "the output 'o' of stage 'b' overlaps with one of stage 'a'"},
	    {"stages:\n"
	     "  a: {cmd: x, outs: [o]}\n"
	     "  b: {cmd: x, outs: [o/p]}\n",
	     "the output 'o/p' of stage 'b' overlaps with one of stage 'a'"},
	    {"stages:\n  a: {cmd: x, outs: [.]}\n",
	     "the output of stage 'a' is the repository itself"},
	    {"stages:\n  a: {cmd: x, outs: [x/.git/y]}\n", "lies in .git"},
	    {"stages:\n  a: {cmd: x, outs: [dvc.yaml]}\n",
	     "the output 'dvc.yaml' of stage 'a' is dvc.yaml"},
	    {"stages:\n  a: {cmd: x, wdir: ../b}\n",
	     "the working directory '../b' of stage 'a' lies outside"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct repo r;

		repo_of(&r, rows[i].text);
		assert_int_equal(r.rc, 1);
		if (strstr(r.said, rows[i].said) == NULL)
			fail_msg("no '%s' in\n%s", rows[i].said, r.said);
		repo_free(&r);
	}
}

static void
no_stage(void **state)
{
	struct repo r;

	(void)state;
	repo_of(&r, "metrics: [m.json]\n");
	assert_int_equal(r.rc, -1);
	assert_int_equal(r.err.code, ERR_NOTFOUND);
	repo_free(&r);
}

/* ---- the definition ---- */

static const char whole[] =
    "stages:\n"
    "  a:\n"
    "    foreach: [1, 2.50, 'x\"\\ty']\n"
    "    do:\n"
    "      cmd: echo ${item}\n"
    "      outs: ['${item}.out': {push: false, remote: r, persist: true}]\n"
    "  b:\n"
    "    cmd: [one, \"two\\nlines \\u00e9\"]\n"
    "    desc: has no effect\n"
    "    wdir: .\n"
    "    deps: [1.out]\n"
    "    params: [lr, p.toml: , q.json: [a.b, c]]\n"
    "    plots: [pl.csv: {x: a}]\n"
    "    always_changed: true\n"
    "    meta: {dag: {retries: 1, tags: [t]}}\n"
    "  c: {cmd: y, frozen: true, deps: [pl.csv]}\n";

/* The DAG that a run's definition is read into is the one that was run. */
static void
reads_what_it_wrote(void **state)
{
	struct repo r;
	struct dag *again;
	struct err err = {0};

	(void)state;
	repo_of(&r, whole);
	assert_int_equal(r.rc, 0);
	assert_true(pipeline_dag_is(r.g->text, r.g->len));
	assert_int_equal(pipeline_dag_read(&place, r.g->text, r.g->len, &again, &err), 0);
	dag_check_model(again);
	assert_string_equal(again->hash, r.g->hash);
	assert_int_equal(again->ntasks, 5);
	for (size_t i = 0; i < again->ntasks; i++) {
		const struct dag_task *x = &r.g->tasks[i], *y = &again->tasks[i];
		const struct dvc_yaml_stage *s = x->stage->stage, *u = y->stage->stage;

		assert_string_equal(x->name, y->name);
		assert_int_equal(x->nrun, y->nrun);
		for (size_t k = 0; k < x->nrun; k++)
			assert_string_equal(x->run[k].src, y->run[k].src);
		assert_int_equal(x->nup, y->nup);
		assert_int_equal(x->retries, y->retries);
		assert_int_equal(r.g->order[i], again->order[i]);
		assert_int_equal(s->cmd_list, u->cmd_list);
		assert_int_equal(s->frozen, u->frozen);
		assert_int_equal(s->always_changed, u->always_changed);
		assert_int_equal(s->nouts, u->nouts);
		for (size_t k = 0; k < s->nouts; k++) {
			assert_string_equal(s->outs[k].path, u->outs[k].path);
			assert_int_equal(s->outs[k].kind, u->outs[k].kind);
			assert_int_equal(s->outs[k].push, u->outs[k].push);
		}
		assert_int_equal(s->nparams, u->nparams);
	}
	assert_string_equal(again->tasks[1].name, "a@2.5");
	assert_string_equal(again->tasks[1].stage->stage->group, "a");
	assert_int_equal(again->tasks[3].stage->stage->nparams, 3);
	dag_free(again);
	repo_free(&r);
}

/* What has no effect does not change the hash; the command does. */
static void
hashes(void **state)
{
	struct repo r, other;

	(void)state;
	repo_of(&r, "stages: {a: {cmd: x, desc: one}}");
	repo_of(&other, "# a comment\nstages:\n  a:\n    desc: two\n    cmd: x\n");
	assert_string_equal(r.g->hash, other.g->hash);
	repo_free(&other);
	repo_of(&other, "stages: {a: {cmd: y, desc: one}}");
	assert_string_not_equal(r.g->hash, other.g->hash);
	repo_free(&other);
	repo_free(&r);
}

static void
bad_definitions(void **state)
{
	static const char *const rows[] = {
	    "{\"pipeline\":1,\"stages\":[]}",
	    "{\"pipeline\":2,\"stages\":[{\"file\":\"dvc.yaml\",\"name\":\"a\",\"cmd\":"
	    "\"x\","
	    "\"deps\":[],\"outs\":[]}]}",
	    "{\"pipeline\":1,\"stages\":[{\"file\":\"dvc.yaml\",\"name\":\"a\",\"cmd\":1,"
	    "\"deps\":[],\"outs\":[]}]}",
	    "{\"pipeline\":1,\"stages\":[{\"file\":\"dvc.yaml\",\"name\":\"a\",\"cmd\":"
	    "\"x\","
	    "\"deps\":{},\"outs\":[]}]}",
	    "{\"pipeline\":1,\"stages\":[{\"file\":\"dvc.yaml\",\"name\":\"a\",\"cmd\":"
	    "\"x\","
	    "\"deps\":[\"o\"],\"outs\":[{\"path\":\"o\"}]}]}",
	    "{\"pipeline\":1,\"stages\":[{\"file\":\"dvc.yaml\",\"name\":\"a\",\"cmd\":"
	    "\"x\","
	    "\"deps\":[],\"outs\":[{\"path\":\"o\",\"kind\":\"x\"}]}]}",
	    "{\"pipeline\":1,\"stages\":[{\"file\":\"dvc.yaml\",\"name\":\"a\",\"cmd\":"
	    "[],\"deps\":[],\"outs\":[]}]}",
	    "{\"pipeline\":1,\"stages\":[{\"file\":\"dvc.yaml\",\"name\":\"\",\"cmd\":"
	    "\"x\",\"deps\":[],\"outs\":[]}]}",
	    "{\"pipeline\":1,\"stages\":[{\"file\":\"dvc.yaml\",\"name\":\"a\",\"cmd\":"
	    "\"x\",\"deps\":[],\"outs\":[]},{\"file\":\"dvc.yaml\",\"name\":\"a\","
	    "\"cmd\":\"y\",\"deps\":[],\"outs\":[]}]}",
	    "{\"pipeline\":1,\"stages\":[",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {0};
		struct dag *g;

		assert_int_equal(
		    pipeline_dag_read(&place, rows[i], strlen(rows[i]), &g, &err), -1);
		assert_null(g);
		assert_int_not_equal(err.code, ERR_NONE);
	}
	assert_false(pipeline_dag_is("tasks: {}", 9));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_command),
	    cmocka_unit_test(many_commands),
	    cmocka_unit_test(names_are_no_globs),
	    cmocka_unit_test(policy),
	    cmocka_unit_test(orders),
	    cmocka_unit_test(several_files),
	    cmocka_unit_test(frozen_as_shown),
	    cmocka_unit_test(mistakes),
	    cmocka_unit_test(no_stage),
	    cmocka_unit_test(reads_what_it_wrote),
	    cmocka_unit_test(hashes),
	    cmocka_unit_test(bad_definitions),
	};

	return cmocka_run_group_tests_name("pipeline_dag", tests, NULL, NULL);
}
