/* The table of dag exp show: for people, Markdown, CSV. */
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/yaml.h"
#include "cli/cli.h"
#include "cli/exp_show_int.h"
#include "cli/grid.h"
#include "cli/values.h"

#define ABSENT "-"
#define BROKEN "!" /* a file that could not be read */

/* ---- cells ---- */

static bool
is_broken(const struct exp_row *r, const struct exp_column *c)
{
	const struct tracked_values *v = c->metric ? &r->e->metrics : &r->e->params;

	vec_foreach (&v->files, const struct tracked_file, f)
		if (strcmp(f->path, c->path) == 0)
			return f->value == NULL;
	return false;
}

void
exp_show_value(const struct exp_show *p, const struct exp_row *r,
	       const struct exp_column *c, struct buf *b)
{
	const struct exp_opts *o = p->s.k->o;
	const struct yaml_node *v = map_get(&r->values, c->id);
	unsigned digits = o->csv ? 0 : VALUES_PRECISION;

	if (o->precision.set)
		digits = (unsigned)o->precision.v;
	if (v != NULL && v->kind != YAML_NULL)
		exp_put_value(v, digits, b);
	else
		buf_adds(b, is_broken(r, c) ? BROKEN : o->csv ? "" : ABSENT);
}

void
exp_show_time(const struct exp_show *p, const struct exp_row *r, struct buf *b)
{
	time_t t = (time_t)r->e->time_s, now = time(NULL);
	bool csv = p->s.k->o->csv;
	bool today = false;
	char text[64] = "";
	struct tm at, day;

	if (t != 0 && localtime_r(&t, &at) != NULL && localtime_r(&now, &day) != NULL) {
		today = at.tm_year == day.tm_year && at.tm_yday == day.tm_yday;
		if (csv)
			(void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &at);
		else if (today)
			(void)strftime(text, sizeof text, "%I:%M %p", &at);
		else
			(void)strftime(text, sizeof text, "%b %d, %Y", &at);
	}
	buf_adds(b, text[0] != '\0' || csv ? text : ABSENT);
}

static void
put_rev(const struct exp_row *r, struct buf *b)
{
	if (strcmp(r->e->rev, EXP_WORKSPACE) == 0)
		buf_adds(b, r->e->rev);
	else
		buf_addf(b, "%.*s", EXP_SHORT_ID, r->e->rev);
}

static bool
is_last(const struct exp_show *p, size_t i)
{
	return i + 1 == p->rows.n || !p->rows.v[i + 1].e->child;
}

static void
put_experiment(const struct exp_show *p, size_t i, struct buf *b)
{
	const struct exp_row *r = &p->rows.v[i];

	if (r->e->child) {
		buf_adds(b, is_last(p, i) ? "└── " : "├── ");
		put_rev(r, b);
		buf_addf(b, " [%s]", r->e->name);
	} else if (r->e->name != NULL) {
		buf_adds(b, r->e->name);
	} else {
		put_rev(r, b);
	}
}

/* ---- printing ---- */

int
exp_show_grid(struct exp_show *p)
{
	struct grid *g = grid_new(1U + p->created + p->all.n);
	struct buf b;
	int rc;

	if (g == NULL)
		return -1;
	buf_init(&b, 0);
	grid_text(g, "Experiment");
	if (p->created)
		grid_text(g, EXP_CREATED);
	vec_foreach (&p->all, struct exp_column *, c)
		grid_text(g, (*c)->title);
	for (size_t i = 0; i < p->rows.n; i++) {
		buf_truncate(&b, 0);
		put_experiment(p, i, &b);
		grid_cell(g, b.p, b.n);
		buf_truncate(&b, 0);
		exp_show_time(p, &p->rows.v[i], &b);
		if (p->created)
			grid_cell(g, b.p, b.n);
		vec_foreach (&p->all, struct exp_column *, c) {
			buf_truncate(&b, 0);
			exp_show_value(p, &p->rows.v[i], *c, &b);
			grid_cell(g, b.p, b.n);
		}
	}
	rc = buf_failed(&b) ? -1 : grid_put(g, p->s.k->o->md, &p->a.c->out);
	buf_release(&b);
	grid_free(g);
	return rc;
}

static void
csv_cell(struct buf *out, const char *text, size_t n, bool first)
{
	bool quote = false;

	for (size_t i = 0; i < n; i++)
		quote = quote || strchr(",\"\r\n", text[i]) != NULL;
	if (!first)
		buf_addc(out, ',');
	if (quote)
		buf_addc(out, '"');
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '"')
			buf_addc(out, '"');
		buf_addc(out, text[i]);
	}
	if (quote)
		buf_addc(out, '"');
}

static void
csv_row(struct exp_show *p, size_t i, struct buf *b)
{
	const struct exp_row *r = &p->rows.v[i];
	struct buf *out = &p->a.c->out;
	const char *name = r->e->child ? r->e->name : "";
	const char *type = !r->e->child	   ? "baseline"
			   : is_last(p, i) ? "branch_base"
					   : "branch_commit";

	csv_cell(out, name, strlen(name), true);
	buf_truncate(b, 0);
	if (!r->e->child && r->e->name != NULL)
		buf_adds(b, r->e->name);
	else
		put_rev(r, b);
	csv_cell(out, b->p, b->n, false);
	csv_cell(out, type, strlen(type), false);
	buf_truncate(b, 0);
	exp_show_time(p, r, b);
	if (p->created)
		csv_cell(out, b->p, b->n, false);
	if (!p->s.k->o->only_changed)
		csv_cell(out, "", 0, false);
	vec_foreach (&p->all, struct exp_column *, c) {
		buf_truncate(b, 0);
		exp_show_value(p, r, *c, b);
		csv_cell(out, b->p, b->n, false);
	}
	buf_adds(out, "\r\n");
}

int
exp_show_csv(struct exp_show *p)
{
	struct buf *out = &p->a.c->out, b;
	int rc;

	buf_init(&b, 0);
	buf_addf(out, "Experiment,rev,typ%s%s", p->created ? "," EXP_CREATED : "",
		 p->s.k->o->only_changed ? "" : ",parent");
	vec_foreach (&p->all, struct exp_column *, c)
		csv_cell(out, (*c)->title, strlen((*c)->title), false);
	buf_adds(out, "\r\n");
	for (size_t i = 0; i < p->rows.n; i++)
		csv_row(p, i, &b);
	rc = buf_failed(&b) || buf_failed(out) ? -1 : 0;
	buf_release(&b);
	return rc;
}
