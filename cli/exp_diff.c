/* dag exp diff: metrics and params of two experiments, or revisions, or the work tree. */
#include <string.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/yaml.h"
#include "cli/cli.h"
#include "cli/exp_states.h"
#include "cli/grid.h"
#include "cli/values_int.h"

#define ABSENT	  "-"
#define NO_CHANGE "diff not supported"

struct diff {
	struct exp_states s;
	struct values values; /* what the printing of values takes */
	struct values_opts opts;
	struct values_diff params;
};

/* ---- reading ---- */

static struct exp_state *
read_side(struct diff *d, const char *word, struct err *err)
{
	char id[REPO_ID] = EXP_WORKSPACE;

	if (strcmp(word, EXP_WORKSPACE) != 0 &&
	    exp_resolve(d->s.k->git, &d->s.k->list, word, id, err) != 0)
		return NULL;
	return exp_states_add(&d->s, id, NULL, true, err);
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct diff *d = arg;
	const struct exp_state *old, *new;
	struct arena *arena = d->values.a.arena;
	bool all = d->s.k->o->all;
	struct repo_head head;

	if (repo_head(d->s.k->git, &head, err) != 0)
		return -1;
	/* Without a commit there is nothing that could differ. */
	if (head.id[0] == '\0' && d->s.k->n == 0)
		return 0;
	if (exp_states_begin(&d->s, m, err) != 0 ||
	    (old = read_side(d, d->values.revs[0], err)) == NULL ||
	    (new = read_side(d, d->values.revs[1], err)) == NULL ||
	    values_diff(arena, &old->metrics, &new->metrics, all, &d->values.changes,
			err) != 0)
		return -1;
	return values_diff(arena, &old->params, &new->params, all, &d->params, err);
}

/* ---- printing ---- */

static void
put_cell(struct diff *d, struct grid *g, const struct yaml_node *v, const char *none,
	 bool metrics)
{
	const struct exp_opts *o = d->s.k->o;
	unsigned digits = o->precision.set ? (unsigned)o->precision.v : VALUES_PRECISION;
	struct buf b;

	if (v == NULL || v->kind == YAML_NULL) {
		grid_text(g, none);
		return;
	}
	buf_init(&b, 0);
	exp_put_value(v, metrics ? digits : 0, &b);
	grid_cell(g, b.p, b.n);
	buf_release(&b);
}

static int
put_table(struct diff *d, const struct values_diff *changes, bool metrics)
{
	const struct exp_opts *o = d->s.k->o;
	struct grid *g = grid_new(o->no_path ? 4 : 5);
	struct buf b;
	int rc;

	if (g == NULL)
		return -1;
	if (!o->no_path)
		grid_text(g, "Path");
	grid_text(g, metrics ? "Metric" : "Param");
	grid_text(g, d->values.revs[0]);
	grid_text(g, d->values.revs[1]);
	grid_text(g, "Change");
	vec_foreach (&changes->v, const struct value_change, c) {
		buf_init(&b, 0);
		artifact_put_seen(&d->values.a, c->path, &b);
		if (!o->no_path)
			grid_cell(g, b.p, b.n);
		buf_release(&b);
		grid_text(g, c->key);
		put_cell(d, g, c->old, ABSENT, metrics);
		put_cell(d, g, c->new, ABSENT, metrics);
		put_cell(d, g, c->diff, NO_CHANGE, metrics);
	}
	rc = grid_put(g, o->md, &d->s.k->c->out);
	grid_free(g);
	return rc;
}

static int
put(struct diff *d)
{
	struct buf *out = &d->s.k->c->out;
	struct values_diff metrics = d->values.changes;
	struct json_writer w;

	if (!d->s.k->o->json) {
		if (put_table(d, &metrics, true) != 0)
			return -1;
		buf_addc(out, '\n');
		return put_table(d, &d->params, false);
	}
	json_init(&w, out, 2);
	json_begin_object(&w);
	if (d->s.v.n > 0) {
		json_key(&w, "metrics");
		values_json_diff(&d->values, &w);
		json_key(&w, "params");
		d->values.changes = d->params;
		values_json_diff(&d->values, &w);
		d->values.changes = metrics;
	}
	json_end(&w);
	buf_addc(out, '\n');
	return buf_failed(out) ? -1 : 0;
}

int
exp_diff_verb(struct exp_call *k)
{
	struct diff d = {.s = {.k = k}, .values = {.diff = true}};
	int code = EXIT_OK;

	if (k->o->json && k->o->md)
		return cli_usage(k->c, "--json and --md exclude each other");
	d.s.a = &d.values.a;
	d.values.o = &d.opts;
	d.values.revs[0] = k->n > 0 ? k->words[0] : "HEAD";
	d.values.revs[1] = k->n > 1 ? k->words[1] : EXP_WORKSPACE;
	if (artifact_open(k->c, &k->o->common, false, d.s.a, &k->err) != 0 ||
	    artifact_work(d.s.a, work, &d, &k->err) != 0) {
		code = artifact_fail(d.s.a, &k->err);
	} else if (put(&d) != 0) {
		(void)err_nomem(&k->err);
		code = cli_fail(k->c, &k->err);
	} else if (d.s.source.diag != NULL && diag_errors(d.s.source.diag) != 0) {
		(void)cli_flush(k->c);
		cli_diag(k->c, d.s.source.diag);
		code = EXIT_WORK;
	}
	values_diff_release(&d.params);
	values_diff_release(&d.values.changes);
	exp_states_release(&d.s);
	artifact_close(d.s.a);
	return code;
}
