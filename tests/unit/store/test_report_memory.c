/*
 * Params, metrics and plots where memory runs out: all of it is told, or that it cannot be; and
 * values for experiments are put into files whole.
 */
#include "unit/store/store_test.h"

#include "base/arena.h"
#include "base/diag.h"
#include "store/exp/override.h"
#include "store/report/plots.h"
#include "store/report/plots_page.h"
#include "store/report/snapshot.h"
#include "store/report/tracked_values.h"
#include "store/report/values_diff.h"
#include "store/track/collect.h"
#include "store/track/track.h"
#include "store/track/workspace.h"
#include "unit/memory.h"

#define SOME 200 /* allocations of a call that fail; all with DAG_MEMORY_ALL */

static struct err err;
static struct place pl;
static struct track t;
static struct track_list list;
static struct workspace ws;
static struct snapshot_source source;

static const char params[] = "# head\ntrain:\n  lr: 0.1  # rate\n  layers: [1, 2]\n";
static const char json[] = "{\"a\": {\"b\": 1}, \"c\": [1, 2]}\n";
static const char toml[] = "# t\n[x]\ny = 1\n";

static int
setup(void **state)
{
	struct track_options o = {.project = &pl.p};

	(void)state;
	(void)setenv("DVC_SYSTEM_CONFIG_DIR", "/nonexistent", 1);
	(void)setenv("DVC_GLOBAL_CONFIG_DIR", "/nonexistent", 1);
	(void)setenv("XDG_CONFIG_DIRS", "/nonexistent", 1);
	(void)setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	(void)setenv("HOME", "/nonexistent", 1);
	place_make(&pl);
	make_dir(pl.dir, ".dvc");
	make_dir(pl.dir, "curves");
	spill(pl.dir, "params.yaml", params);
	spill(pl.dir, "p.json", json);
	spill(pl.dir, "p.toml", toml);
	spill(pl.dir, "m.json",
	      "{\"auc\": 0.9, \"by\": {\"k\": [1, 2]}, \"s\": \"x\"}\n");
	spill(pl.dir, "m.yaml", "loss: 1e-3\nname: é\n");
	spill(pl.dir, "loss.csv", "step,loss\n1,0.5\n2,0.25\n3,0.125\n");
	spill(pl.dir, "curves/roc.json",
	      "{\"roc\": [{\"fpr\": 0, \"tpr\": 0}, {\"fpr\": 1, \"tpr\": 1}]}\n");
	spill(pl.dir, "curves/cm.csv", "actual,predicted\na,a\na,b\nb,b\n");
	spill(pl.dir, "dvc.yaml",
	      "stages:\n"
	      "  s:\n"
	      "    cmd: x\n"
	      "    params: [train.lr, {p.json: [a.b]}, {p.toml: }]\n"
	      "    metrics: [m.json: {cache: false}, m.yaml: {cache: false}]\n"
	      "    plots:\n"
	      "    - loss.csv: {cache: false, x: step, y: loss, title: Loss}\n"
	      "plots:\n"
	      "- curves/cm.csv: {template: confusion, x: actual, y: predicted}\n"
	      "- roc: {x: fpr, y: {curves/roc.json: tpr}, title: ROC}\n"
	      "- bars: {template: bar_horizontal, x: loss, y: {loss.csv: step}}\n");
	ok(track_open(&o, &t, &err));
	ok(track_collect(&t, NULL, NULL, &list, &err));
	ws = (struct workspace){
	    .root_fd = t.root_fd, .cache = t.cache, .ignore = t.ignore, .workers = 1};
	source = (struct snapshot_source){.ws = &ws, .root = t.root, .work = &list};
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	track_list_free(&list);
	track_close(&t);
	place_remove(&pl);
	return 0;
}

/* ---- told ---- */

/* What could not be read for want of memory is no answer. */
static int
check_files(const struct tracked_values *v, size_t n, struct err *e)
{
	vec_foreach (&v->files, const struct tracked_file, f)
		if (f->code != ERR_NONE)
			return err_set(e, f->code, "%s", f->why);
	return v->files.n == n ? 0 : err_set(e, ERR_INVALID, "%zu files", v->files.n);
}

static int
run_values(void *ctx, struct err *e)
{
	struct snapshot_source own = source;
	struct tracked_values m = {0}, p = {0};
	struct values_diff d = {0};
	struct snapshot s = {0};
	struct arena *a = arena_new(0);
	int rc = a != NULL ? 0 : err_nomem(e);

	(void)ctx;
	own.diag = diag_new();
	if (rc == 0 && own.diag == NULL)
		rc = err_nomem(e);
	if (rc == 0)
		rc = snapshot_open(&own, "workspace", NULL, &s, e);
	if (rc == 0)
		rc = tracked_metrics(&s, NULL, 0, &m, e);
	if (rc == 0)
		rc = check_files(&m, 2, e);
	if (rc == 0)
		rc = tracked_params(&s, NULL, 0, true, &p, e);
	if (rc == 0)
		rc = check_files(&p, 3, e);
	if (rc == 0)
		rc = values_diff(a, &m, &p, true, &d, e);
	if (rc == 0)
		assert_int_equal(d.v.n, 7);
	values_diff_release(&d);
	tracked_values_release(&m);
	tracked_values_release(&p);
	snapshot_close(&s);
	diag_free(own.diag);
	arena_free(a);
	return rc;
}

static void
test_values(void **state)
{
	struct memory_call c = {"values", NULL, run_values, NULL, NULL, SOME};

	(void)state;
	assert_true(memory_fail_each(&c) > 50);
}

static int
check_plots(const struct plots *p, struct err *e)
{
	vec_foreach (&p->v, struct plot *const, one)
		vec_foreach (&(*one)->problems, const struct plot_problem, x)
			return err_set(e, x->code, "%s", x->why);
	return p->v.n == 4 ? 0 : err_set(e, ERR_INVALID, "%zu plots", p->v.n);
}

static int
run_plots(void *ctx, struct err *e)
{
	const struct plots_options o = {0};
	struct snapshot_source own = source;
	struct snapshot s = {0}, *v[] = {&s};
	struct plots p = {0};
	struct buf page, *want = ctx;
	int rc = 0;

	buf_init(&page, 0);
	own.diag = diag_new();
	if (own.diag == NULL)
		rc = err_nomem(e);
	if (rc == 0)
		rc = snapshot_open(&own, "workspace", NULL, &s, e);
	if (rc == 0)
		rc = plots_read(&o, v, 1, &p, e);
	if (rc == 0)
		rc = check_plots(&p, e);
	if (rc == 0)
		rc = plots_page(&p, &page, e);
	if (rc == 0 && buf_failed(&page))
		rc = err_nomem(e);
	if (rc == 0 && want->n == 0)
		buf_add(want, page.p, page.n);
	if (rc == 0)
		assert_true(strcmp(page.p, want->p) == 0);
	buf_release(&page);
	plots_release(&p);
	snapshot_close(&s);
	diag_free(own.diag);
	return rc;
}

static void
test_plots(void **state)
{
	struct buf want;
	struct memory_call c = {"plots", NULL, run_plots, NULL, &want, SOME};

	(void)state;
	buf_init(&want, 0);
	ok(run_plots(&want, &err));
	assert_true(memory_fail_each(&c) > 50);
	assert_non_null(strstr(want.p, "ROC"));
	buf_release(&want);
}

/* ---- changed for an experiment ---- */

static void
as_before(void *ctx)
{
	(void)ctx;
	spill(pl.dir, "params.yaml", params);
	spill(pl.dir, "p.json", json);
	spill(pl.dir, "p.toml", toml);
}

static int
run_override(void *ctx, struct err *e)
{
	static const char *const words[] = {
	    "train.lr=0.5,0.25", "++train.layers.0=range(1,3)", "p.json:a.b=text",
	    "p.toml:x.y=2", "~train.layers[1]"};
	struct override_list l;
	struct arena *a = arena_new(0);
	int rc = a != NULL ? 0 : err_nomem(e);

	(void)ctx;
	if (rc == 0)
		rc = override_parse(a, words, sizeof(words) / sizeof(words[0]), &l, e);
	if (rc == 0)
		rc = override_check(&l, pl.dir, e);
	if (rc == 0)
		rc = override_files(&l, 1, pl.dir, pl.dir, e);
	arena_free(a);
	return rc;
}

/* Each file as it was, or as it shall be. */
static void
overridden(void *ctx, int rc)
{
	static const struct {
		const char *file, *before, *part;
	} v[] = {{"params.yaml", params, "# head\ntrain:\n  lr: 0."},
		 {"p.json", json, "\"b\": \"text\""},
		 {"p.toml", toml, "y = 2"}};

	(void)ctx;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		const char *now = slurp(pl.dir, v[i].file);

		assert_non_null(now);
		if (strcmp(now, v[i].before) == 0)
			assert_int_equal(rc, -1);
		else if (strstr(now, v[i].part) == NULL)
			fail_msg("%s", now);
	}
}

static void
test_override(void **state)
{
	struct memory_call c = {"override", as_before, run_override,
				overridden, NULL,      SOME};

	(void)state;
	assert_true(memory_fail_each(&c) > 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_values, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_plots, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_override, setup, teardown),
	};

	return cmocka_run_group_tests_name("store/report/memory", tests, NULL, NULL);
}
