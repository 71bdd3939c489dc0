/* dag exp show: the work tree, commits and what was made from them: which rows and columns. */
#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/yaml.h"
#include "cli/cli.h"
#include "cli/exp_show_int.h"
#include "store/pipeline/value_text.h"
#include "store/report/values_diff.h"

enum column_kind { METRIC = 'm', PARAM = 'p' };

/* ---- reading ---- */

static bool
is_experiment(const struct exp_list *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].id, id) == 0)
			return true;
	return false;
}

static int
add_baseline(void *arg, const struct repo_rev *rev, struct err *err)
{
	struct exp_show *p = arg;
	const struct exp_call *k = p->s.k;
	const char *name = k->o->sha ? NULL : exp_names_of(p->names, rev->id);
	char id[REPO_ID];
	size_t n;
	const struct exp *e;
	struct exp_state *state;

	memcpy(id, rev->id, sizeof id);
	if (rev->nnames == 0 && name == NULL && k->o->commits &&
	    is_experiment(&k->list, id))
		return 0;
	if (exp_states_add(&p->s, id, name, false, err) == NULL)
		return -1;
	e = exp_of(&k->list, id, &n);
	for (size_t i = 0; i < n; i++) {
		state = exp_states_add(&p->s, e[i].id, e[i].name, false, err);
		if (state == NULL)
			return -1;
		state->child = true;
	}
	return 0;
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	static const char *const head[] = {"HEAD"};
	struct exp_show *p = arg;
	const struct exp_opts *o = p->s.k->o;
	bool any = o->revs.n > 0 || o->branches || o->tags || o->commits;
	struct repo_scope scope = {.revs = any ? o->revs.v : head,
				   .nrevs = any ? o->revs.n : 1,
				   .branches = o->branches,
				   .tags = o->tags,
				   .history = o->commits,
				   .last = p->s.k->last};
	struct repo_head at;

	if (repo_head(p->s.k->git, &at, err) != 0)
		return -1;
	if (at.id[0] == '\0' && !any)
		return 0;
	if (exp_names_read(p->s.k->git, &p->names, err) != 0 ||
	    exp_states_begin(&p->s, m, err) != 0)
		return -1;
	if (!o->hide_workspace &&
	    exp_states_add(&p->s, EXP_WORKSPACE, NULL, false, err) == NULL)
		return -1;
	return repo_revs(p->s.k->git, &scope, add_baseline, p, err);
}

/* ---- rows and columns ---- */

static int
add_column(struct exp_show *p, const char *id, bool metric, const char *path,
	   const char *key)
{
	struct exp_column *c;

	if (map_get(&p->known, id) != NULL)
		return 0;
	c = arena_zalloc(p->a.arena, sizeof *c);
	if (c == NULL)
		return -1;
	*c = (struct exp_column){
	    .id = id, .path = path, .key = key, .title = key, .metric = metric};
	return map_put(&p->known, id, c) < 0 || vec_push(&p->columns[!metric], c) != 0
		   ? -1
		   : 0;
}

/* A file's values are cells, or its problem is one. */
static int
add_values(struct exp_show *p, struct exp_row *r, const struct tracked_values *v,
	   bool metric, struct err *err)
{
	vec_foreach (&v->files, const struct tracked_file, f) {
		struct flat_values flat = {0};
		int rc = 0;

		/* A value without a name has no column, as DVC has it. */
		if (f->value != NULL && f->value->kind == YAML_MAP)
			rc = flat_values(p->a.arena, f->value, &flat, err);
		for (size_t i = 0; rc == 0 && i < flat.v.n; i++) {
			const struct flat_value *one = &flat.v.v[i];
			const char *id =
			    arena_printf(p->a.arena, "%c\n%s\n%s",
					 metric ? METRIC : PARAM, f->path, one->key);

			if (id == NULL ||
			    add_column(p, id, metric, f->path, one->key) != 0 ||
			    map_put(&r->values, id, (void *)(uintptr_t)one->value) < 0)
				rc = err_nomem(err);
		}
		flat_values_release(&flat);
		if (rc != 0)
			return -1;
	}
	return 0;
}

static bool
is_of_file(const struct exp_column *c, const struct exp_column *first)
{
	return strcmp(c->path, first->path) == 0;
}

/* The columns file by file, in the order in which these are met. */
static int
settle_columns(struct exp_show *p)
{
	struct map count = {0}, done = {0};
	int rc = 0;

	for (size_t kind = 0; kind < 2 && rc == 0; kind++) {
		map_release(&done);
		for (size_t i = 0; i < p->columns[kind].n && rc == 0; i++) {
			struct exp_column *first = p->columns[kind].v[i];

			if (map_get(&done, first->path) != NULL)
				continue;
			rc = map_put(&done, first->path, first) < 0 ? -1 : 0;
			for (size_t j = i; j < p->columns[kind].n && rc == 0; j++)
				if (is_of_file(p->columns[kind].v[j], first))
					rc = vec_push(&p->all, p->columns[kind].v[j]);
		}
	}
	for (size_t i = 0; i < p->all.n && rc == 0; i++) {
		uintptr_t n = (uintptr_t)map_get(&count, p->all.v[i]->key);

		rc = map_put(&count, p->all.v[i]->key, (void *)(n + 1)) < 0 ? -1 : 0;
	}
	vec_foreach (&p->all, struct exp_column *, c)
		if (rc == 0 && (uintptr_t)map_get(&count, (*c)->key) > 1) {
			(*c)->title =
			    arena_printf(p->a.arena, "%s:%s", (*c)->path, (*c)->key);
			rc = (*c)->title != NULL ? 0 : -1;
		}
	map_release(&count);
	map_release(&done);
	return rc;
}

static int
make_table(struct exp_show *p, struct err *err)
{
	vec_foreach (&p->s.v, struct exp_state *, e) {
		struct exp_row r = {.e = *e, .at = p->rows.n};

		if (vec_push(&p->rows, r) != 0)
			return err_nomem(err);
	}
	vec_foreach (&p->rows, struct exp_row, r)
		if (add_values(p, r, &r->e->metrics, true, err) != 0 ||
		    add_values(p, r, &r->e->params, false, err) != 0)
			return -1;
	return settle_columns(p) != 0 ? err_nomem(err) : 0;
}

/* ---- which columns ---- */

static bool
differs(const struct exp_show *p, const struct exp_column *c, struct buf *first,
	struct buf *b)
{
	for (size_t i = 0; i < p->rows.n; i++) {
		buf_truncate(b, 0);
		if (c != NULL)
			exp_show_value(p, &p->rows.v[i], c, b);
		else
			exp_show_time(p, &p->rows.v[i], b);
		if (i == 0)
			buf_add(first, b->p, b->n);
		else if (b->n != first->n ||
			 (b->n > 0 && memcmp(b->p, first->p, b->n) != 0))
			return true;
	}
	return false;
}

static bool
varies(const struct exp_show *p, const struct exp_column *c)
{
	struct buf first, b;
	bool yes;

	buf_init(&first, 0);
	buf_init(&b, 0);
	yes = differs(p, c, &first, &b);
	buf_release(&first);
	buf_release(&b);
	return yes;
}

static bool
matches(const regex_t *re, const char *title)
{
	regmatch_t at;

	return regexec(re, title, 1, &at, 0) == 0 && at.rm_so == 0;
}

/* Show, or do not, the columns whose names begin with a match of ${pattern}. */
static int
set_columns(struct exp_show *p, const char *option, const char *pattern, bool shown,
	    struct err *err)
{
	char why[256];
	regex_t re;
	int rc = regcomp(&re, pattern, REG_EXTENDED);

	if (rc != 0) {
		(void)regerror(rc, &re, why, sizeof why);
		return err_set(err, ERR_INVALID,
			       "%s '%.200s' is no regular expression: %s", option,
			       pattern, why);
	}
	if (matches(&re, EXP_CREATED))
		p->created = shown;
	vec_foreach (&p->all, struct exp_column *, c)
		if (matches(&re, (*c)->title))
			(*c)->dropped = !shown;
	regfree(&re);
	return 0;
}

static int
choose_columns(struct exp_show *p, struct err *err)
{
	const struct exp_call *k = p->s.k;
	const struct exp_opts *o = k->o;
	size_t n = 0;

	p->created = !o->only_changed || varies(p, NULL);
	vec_foreach (&p->all, struct exp_column *, c)
		(*c)->dropped = o->only_changed && !varies(p, *c);
	for (size_t i = 0; i < o->drop.n; i++)
		if (set_columns(p, "--drop", o->drop.v[i], false, err) != 0)
			return -1;
	for (size_t i = 0; i < k->n; i++)
		if (set_columns(p, "--keep", k->words[i], true, err) != 0)
			return -1;
	vec_foreach (&p->all, struct exp_column *, c)
		if (!(*c)->dropped)
			p->all.v[n++] = *c;
	p->all.n = n;
	return 0;
}

/* ---- the order ---- */

static int
find_order(const struct exp_show *p, const struct exp_column **out, struct err *err)
{
	const char *word = p->s.k->o->sort_by;
	const struct exp_column *found[2] = {NULL, NULL};
	size_t n = 0;

	vec_foreach (&p->all, struct exp_column *const, it) {
		const struct exp_column *c = *it;
		size_t path = strlen(c->path);

		if (strcmp(c->key, word) != 0 &&
		    (strncmp(c->path, word, path) != 0 || word[path] != ':' ||
		     strcmp(c->key, word + path + 1) != 0))
			continue;
		found[n++ > 0] = c;
	}
	if (n == 0)
		return err_set(err, ERR_NOTFOUND,
			       "--sort-by: there is no metric or param '%.255s'", word);
	if (n > 1)
		return err_set(
		    err, ERR_INVALID, "--sort-by: '%.255s' could be '%s:%s' or '%s:%s'",
		    word, found[0]->path, found[0]->key, found[1]->path, found[1]->key);
	*out = found[0];
	return 0;
}

/* Numbers before texts; what has no value is at the end. */
static int
by_value(const struct exp_row *x, const struct exp_row *y)
{
	double a = 0, b = 0;
	bool num_a, num_b;

	if (x->order == NULL || y->order == NULL)
		return 0;
	num_a = value_number(x->order, &a);
	num_b = value_number(y->order, &b);
	if (num_a && num_b)
		return (a > b) - (a < b);
	if (num_a != num_b)
		return num_a ? -1 : 1;
	return x->order->kind == YAML_STR && y->order->kind == YAML_STR
		   ? strcmp(x->order->str, y->order->str)
		   : 0;
}

static int
in_order(const void *a, const void *b, void *down)
{
	const struct exp_row *x = a, *y = b;
	int order;

	if ((x->order == NULL) != (y->order == NULL))
		return x->order == NULL ? 1 : -1;
	order = by_value(x, y);
	if (order != 0)
		return *(const bool *)down ? -order : order;
	return (x->at > y->at) - (x->at < y->at);
}

static int
sort_rows(struct exp_show *p, struct err *err)
{
	const struct exp_column *c = NULL;
	bool down = p->s.k->o->sort_order == 1;

	if (p->s.k->o->sort_by == NULL || p->rows.n == 0)
		return 0;
	if (find_order(p, &c, err) != 0)
		return -1;
	vec_foreach (&p->rows, struct exp_row, r) {
		r->order = map_get(&r->values, c->id);
		if (r->order != NULL && r->order->kind == YAML_NULL)
			r->order = NULL;
	}
	for (size_t i = 0; i < p->rows.n;) {
		size_t first = ++i;

		while (i < p->rows.n && p->rows.v[i].e->child)
			i++;
		qsort_r(p->rows.v + first, i - first, sizeof(*p->rows.v), in_order,
			&down);
	}
	return 0;
}

static int
put(struct exp_show *p, struct err *err)
{
	struct buf *out = &p->a.c->out;
	struct json_writer w;
	int rc;

	if (p->s.k->o->json) {
		json_init(&w, out, 2);
		rc = exp_states_json(&p->s, &w);
		buf_addc(out, '\n');
		return rc != 0 || buf_failed(out) ? err_nomem(err) : 0;
	}
	if (make_table(p, err) != 0 || sort_rows(p, err) != 0 ||
	    choose_columns(p, err) != 0)
		return -1;
	rc = p->s.k->o->csv ? exp_show_csv(p) : exp_show_grid(p);
	return rc != 0 ? err_nomem(err) : 0;
}

/* ---- the verb ---- */

static void
warn(struct exp_show *p)
{
	(void)cli_flush(p->a.c);
	if (p->s.source.diag != NULL && diag_errors(p->s.source.diag) != 0)
		cli_diag(p->a.c, p->s.source.diag);
	vec_foreach (&p->s.v, struct exp_state *const, e)
		if ((*e)->failed.code != ERR_NONE)
			cli_warn(p->a.c, "%s has no values: %s", (*e)->rev,
				 (*e)->failed.msg);
}

int
exp_show_verb(struct exp_call *k)
{
	struct exp_show p = {.s = {.k = k}};
	int code = EXIT_OK;

	if (k->o->json + k->o->md + k->o->csv > 1)
		return cli_usage(k->c, "only one of --json, --md and --csv");
	p.s.a = &p.a;
	if (artifact_open(k->c, &k->o->common, false, &p.a, &k->err) != 0 ||
	    artifact_work(&p.a, work, &p, &k->err) != 0 || put(&p, &k->err) != 0)
		code = artifact_fail(&p.a, &k->err);
	else
		warn(&p);
	vec_foreach (&p.rows, struct exp_row, r)
		map_release(&r->values);
	vec_release(&p.rows);
	vec_release(&p.columns[0]);
	vec_release(&p.columns[1]);
	vec_release(&p.all);
	map_release(&p.known);
	exp_names_free(p.names);
	exp_states_release(&p.s);
	artifact_close(&p.a);
	return code;
}
