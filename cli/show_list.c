#include "cli/show_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/jinja.h"
#include "base/num.h"
#include "base/textwidth.h"
#include "base/yaml.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "scheduler/dag.h"
#include "tasks/schema/schema.h"

/* The width that lines are cut to: the terminal's; what goes to a file is not cut. */
static unsigned
room(unsigned indent)
{
	unsigned width = cli_width(1);

	return width == 0 ? (unsigned)-1 : width > indent ? width - indent : 1;
}

/* "    label   text", cut to the terminal. */
static void
put_line(struct cli *c, const char *label, const char *text)
{
	buf_addf(&c->out, "    %-9s ", label);
	(void)text_fit(&c->out, text, room(14));
	buf_addc(&c->out, '\n');
}

static void
put_texts(struct cli *c, const char *label, const struct dag_text *v, size_t n,
	  const char *sep)
{
	struct buf b;
	size_t i;

	if (n == 0)
		return;
	buf_init(&b, 0);
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_adds(&b, sep);
		buf_add(&b, v[i].src, v[i].len);
	}
	put_line(c, label, b.p);
	buf_release(&b);
}

static void
put_ids(struct cli *c, const struct dag *g, const char *label, const uint32_t *ids,
	size_t n)
{
	struct buf b;
	size_t i;

	if (n == 0)
		return;
	buf_init(&b, 0);
	for (i = 0; i < n; i++)
		buf_addf(&b, "%s%s", i > 0 ? ", " : "", g->tasks[ids[i]].name);
	put_line(c, label, b.p);
	buf_release(&b);
}

/* The command: its first line, and how many more there are. */
static void
put_command(struct cli *c, const struct dag_task *t)
{
	const char *p, *nl;
	size_t lines = 0, n;
	struct buf b;

	if (t->nrun == 0)
		return;
	if (t->run_is_argv) {
		put_texts(c, "run", t->run, t->nrun, " ");
		return;
	}
	p = t->run[0].src;
	n = t->run[0].len;
	while (n > 0 && (*p == '\n' || *p == ' ')) {
		p++;
		n--;
	}
	nl = memchr(p, '\n', n);
	buf_init(&b, 0);
	buf_add(&b, p, nl != NULL ? (size_t)(nl - p) : n);
	for (; nl != NULL && nl + 1 < p + n;
	     nl = memchr(nl + 1, '\n', (size_t)(p + n - nl - 1)))
		lines++;
	if (lines > 0)
		buf_addf(&b, "   (+%zu line%s)", lines, lines == 1 ? "" : "s");
	put_line(c, "run", b.p);
	buf_release(&b);
}

static void
divide(struct buf *b)
{
	if (b->n > 0)
		buf_adds(b, ", ");
}

/* What is pushed or pulled, and how. */
static void
put_verb(struct cli *c, const struct dag_task *t)
{
	struct buf b;

	if (t->type->kind != TASK_VERB)
		return;
	if (t->ntargets == 0)
		put_line(c, "targets", "all that is tracked");
	put_texts(c, "targets", t->targets, t->ntargets, ", ");
	if (t->remote.src != NULL)
		put_texts(c, "remote", &t->remote, 1, "");
	buf_init(&b, 0);
	if (t->jobs > 0)
		buf_addf(&b, "%u at a time", (unsigned)t->jobs);
	if (t->recursive) {
		divide(&b);
		buf_adds(&b, "all that is in them");
	}
	if (t->verify) {
		divide(&b);
		buf_adds(&b, "verify what is there");
	}
	if (t->force) {
		divide(&b);
		buf_adds(&b, "force");
	}
	if (t->allow_missing) {
		divide(&b);
		buf_adds(&b, "some may be missing");
	}
	if (b.n > 0)
		put_line(c, "how", b.p);
	buf_release(&b);
}

/* What differs from the defaults in how it is run. */
static void
put_policy(struct cli *c, const struct dag_task *t)
{
	struct buf b;
	size_t i;

	buf_init(&b, 0);
	if (t->trigger != TRIGGER_ALL_SUCCESS)
		buf_addf(&b, "trigger %s", trigger_rule_name(t->trigger));
	if (t->retries > 0) {
		divide(&b);
		buf_addf(&b, "%u retr%s after ", t->retries,
			 t->retries == 1 ? "y" : "ies");
		num_put_duration(&b, t->retry_delay_us);
	}
	if (t->timeout_us > 0) {
		divide(&b);
		buf_adds(&b, "timeout ");
		num_put_duration(&b, t->timeout_us);
	}
	if (t->memory > 0) {
		divide(&b);
		buf_adds(&b, "memory ");
		num_put_size(&b, (uint64_t)t->memory);
	}
	if (t->allow_failure) {
		divide(&b);
		buf_adds(&b, "may fail");
	}
	if (t->priority != 0) {
		divide(&b);
		buf_addf(&b, "priority %d", t->priority);
	}
	for (i = 0; i < t->ntags; i++) {
		divide(&b);
		buf_addf(&b, "tag %s", t->tags[i]);
	}
	if (b.n > 0)
		put_line(c, "policy", b.p);
	buf_release(&b);
}

static void
put_task(struct cli *c, const struct dag *g, const struct dag_task *t, bool color)
{
	buf_addf(&c->out, "\n  %s%s%s  %s\n", color ? "\033[1m" : "", t->name,
		 color ? "\033[0m" : "", t->type->name);
	if (t->description != NULL)
		put_line(c, "about", t->description);
	put_command(c, t);
	if (t->wait_for.src != NULL)
		put_texts(c, "for", &t->wait_for, 1, "");
	if (t->wait_until.src != NULL)
		put_texts(c, "until", &t->wait_until, 1, "");
	put_verb(c, t);
	if (t->when_src != NULL)
		put_line(c, "when", t->when_src);
	put_ids(c, g, "needs", t->up, t->nup);
	put_texts(c, "inputs", t->inputs, t->ninputs, ", ");
	put_texts(c, "outputs", t->outputs, t->noutputs, ", ");
	put_policy(c, t);
	(void)cli_flush_some(c);
}

/* A YAML value on one line, as JSON would have it. */
static void
put_value(struct buf *b, const struct yaml_node *node)
{
	struct arena *a = arena_new(0);
	struct jinja_val v;

	if (a != NULL && jinja_from_yaml(a, node, &v) == 0)
		jinja_put_json(b, v);
	arena_free(a);
}

static void
put_params(struct cli *c, const struct dag *g)
{
	struct buf b;
	size_t i, k;

	if (g->nparams == 0)
		return;
	buf_adds(&c->out, "\nparameters\n");
	buf_init(&b, 0);
	for (i = 0; i < g->nparams; i++) {
		const struct dag_param *p = &g->params[i];

		buf_clear(&b);
		buf_addf(&b, "%s", p->name);
		if (p->def != NULL) {
			buf_adds(&b, " = ");
			put_value(&b, p->def);
		}
		buf_addf(&b, "  %s", param_type_name(p->type));
		if (p->required)
			buf_adds(&b, ", required");
		for (k = 0; k < p->nenums; k++) {
			buf_adds(&b, k == 0 ? ", one of " : ", ");
			put_value(&b, p->enums[k]);
		}
		if (p->has_min)
			buf_addf(&b, ", at least %.15g", p->min);
		if (p->has_max)
			buf_addf(&b, ", at most %.15g", p->max);
		if (p->pattern != NULL)
			buf_addf(&b, ", matches %s", p->pattern);
		if (p->description != NULL)
			buf_addf(&b, " - %s", p->description);
		buf_adds(&c->out, "  ");
		(void)text_fit(&c->out, b.p, room(2));
		buf_addc(&c->out, '\n');
	}
	buf_release(&b);
}

/* All tasks, by level and then in the order of the file. */
static void
put_levels(struct cli *c, const struct dag *g, const bool *selected, bool color)
{
	uint32_t *first = calloc((size_t)g->levels + 1, sizeof(*first));
	uint32_t *ids = calloc(g->ntasks + 1, sizeof(*ids));
	uint32_t level, told = UINT32_MAX;
	size_t i;

	if (first == NULL || ids == NULL) {
		c->out_errno = ENOMEM;
		goto out;
	}
	for (i = 0; i < g->ntasks; i++)
		first[g->tasks[i].level + 1]++;
	for (level = 0; level < g->levels; level++)
		first[level + 1] += first[level];
	for (i = 0; i < g->ntasks; i++)
		ids[first[g->tasks[i].level]++] = (uint32_t)i;
	for (i = 0; i < g->ntasks; i++) {
		const struct dag_task *t = &g->tasks[ids[i]];

		if (!selected[t->id])
			continue;
		if (t->level != told)
			buf_addf(&c->out, "\nlevel %u\n", t->level);
		told = t->level;
		put_task(c, g, t, color);
	}
out:
	free(first);
	free(ids);
}

void
show_head_put(struct cli *c, const struct dag *g, const char *what, bool color)
{
	unsigned used = text_columns(g->name, strlen(g->name)) + 2;
	struct buf b;

	buf_init(&b, 0);
	buf_addf(&b, "%s, %zu %s%s in %u level%s", g->file, g->ntasks, what,
		 g->ntasks == 1 ? "" : "s", g->levels, g->levels == 1 ? "" : "s");
	buf_addf(&c->out, "%s%s%s  ", color ? "\033[1m" : "", g->name,
		 color ? "\033[0m" : "");
	(void)text_fit(&c->out, b.p, room(used));
	buf_addc(&c->out, '\n');
	buf_release(&b);
	if (g->description != NULL) {
		buf_adds(&c->out, "  ");
		(void)text_fit(&c->out, g->description, room(2));
		buf_addc(&c->out, '\n');
	}
	put_params(c, g);
}

void
show_list_put(struct cli *c, const struct dag *g, const char *what, const bool *selected)
{
	bool color = cli_color(c, 1);

	show_head_put(c, g, what, color);
	put_levels(c, g, selected, color);
}
