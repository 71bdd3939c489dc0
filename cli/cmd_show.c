/*
 * dag show: what a DAG file says, with the edges that follow from it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/jinja.h"
#include "base/json.h"
#include "base/num.h"
#include "base/path.h"
#include "base/textwidth.h"
#include "base/yaml.h"
#include "cli/cli.h"
#include "cli/graph.h"
#include "cli/load.h"
#include "cli/opts.h"
#include "cli/run_stages.h"
#include "cli/selection.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "scheduler/dag.h"
#include "scheduler/dag_show.h"
#include "tasks/schema/schema.h"

enum { FORMAT_GRAPH, FORMAT_LIST, FORMAT_DOT, FORMAT_MERMAID, FORMAT_JSON };

struct show_opts {
	struct selection_opts sel;
	bool json, dot;
	int format;
};

static const char *const format_names[] = {"graph",   "list", "dot",
					   "mermaid", "json", NULL};

static const struct opt show_opts[] = {
    SELECTION_OPTS(struct show_opts, sel, "Show"),
    {.name = "format",
     .letter = 'f',
     .kind = OPT_CHOICE,
     .at = offsetof(struct show_opts, format),
     .arg = "HOW",
     .choices = format_names,
     .doc = "list: all that the file says of each task, level by level, the default "
	    "elsewhere; dot: for Graphviz; "
	    "mermaid: a flowchart for Markdown pages; json: for programs."},
    {.name = "json",
     .kind = OPT_FLAG,
     .at = offsetof(struct show_opts, json),
     .doc = "The same as --format json: an object with type, level, needs, inputs and "
	    "outputs of each task."},
    {.name = "dot",
     .kind = OPT_FLAG,
     .at = offsetof(struct show_opts, dot),
     .doc = "The same as --format dot: dag show --dot NAME | dot -Tsvg."},
    {.name = NULL}};

#define INDENT	      4
#define WIDTH_DEFAULT 100 /* of a drawing that goes to a file */

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

static void
put_head(struct cli *c, const struct dag *g, bool color)
{
	unsigned used = text_columns(g->name, strlen(g->name)) + 2;
	struct buf b;

	buf_init(&b, 0);
	buf_addf(&b, "%s, %zu task%s in %u level%s", g->file, g->ntasks,
		 g->ntasks == 1 ? "" : "s", g->levels, g->levels == 1 ? "" : "s");
	buf_addf(&c->out, "%s%s%s  ", color ? "\033[1m" : "", g->name,
		 color ? "\033[0m" : "");
	(void)text_fit(&c->out, b.p, room(used));
	buf_addc(&c->out, '\n');
	buf_release(&b);
	if (g->description == NULL)
		return;
	buf_adds(&c->out, "  ");
	(void)text_fit(&c->out, g->description, room(2));
	buf_addc(&c->out, '\n');
}

static void
put_list(struct cli *c, const struct dag *g, const bool *selected)
{
	bool color = cli_color(c, 1);

	put_head(c, g, color);
	put_params(c, g);
	put_levels(c, g, selected, color);
}

/* Whether the terminal understands more than ASCII, as the locale says. */
static bool
has_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	const char *s;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((s = getenv(names[i])) != NULL && *s != '\0')
			return strcasestr(s, "UTF-8") != NULL ||
			       strcasestr(s, "UTF8") != NULL;
	return false;
}

/* The drawing; where there can be none, the list. */
static int
put_graph(struct cli *c, const struct dag *g, const bool *selected)
{
	unsigned width = cli_width(1);
	struct graph_style st = {.width = width != 0 ? width : WIDTH_DEFAULT,
				 .utf8 = has_utf8(),
				 .color = cli_color(c, 1)};
	struct graph_facts facts;
	struct err err = {0};
	struct buf b;
	int rc;

	buf_init(&b, 0);
	rc = graph_put(g, selected, &st, &b, &facts, &err);
	if (rc == 0) {
		put_head(c, g, st.color);
		put_params(c, g);
		buf_addc(&c->out, '\n');
		buf_add(&c->out, b.p, b.n);
		if (facts.implied > 0)
			buf_addf(&c->out,
				 "\n  not drawn: %zu edge%s that the others imply\n",
				 facts.implied, facts.implied == 1 ? "" : "s");
	}
	buf_release(&b);
	if (rc < 0)
		return cli_fail(c, &err);
	if (rc == 0)
		return EXIT_OK;
	put_list(c, g, selected);
	cli_note(c,
		 "the graph is too large to be drawn legibly in %u columns, so it is "
		 "listed; --select +TASK+ draws a part of it",
		 st.width);
	return EXIT_OK;
}

static int
put(struct cli *c, const struct dag *g, const bool *selected, int format)
{
	struct json_writer w;

	if (format < 0)
		format = cli_width(1) > 0 ? FORMAT_GRAPH : FORMAT_LIST;
	switch (format) {
	case FORMAT_GRAPH:
		return put_graph(c, g, selected);
	case FORMAT_JSON:
		json_init(&w, &c->out, 2);
		dag_show_json(g, selected, &w);
		buf_addc(&c->out, '\n');
		break;
	case FORMAT_DOT:
		dag_show_dot(g, selected, &c->out);
		break;
	case FORMAT_MERMAID:
		dag_show_mermaid(g, selected, &c->out);
		break;
	default:
		put_list(c, g, selected);
		break;
	}
	return EXIT_OK;
}

/* Whether the words are about stages in a way of their own: one is named, as dvc.yaml:STAGE, or
 * nothing is, and there is a dvc.yaml where we are. */
static bool
are_stages(const struct cli *c)
{
	const char *at;
	bool here;
	struct buf b;

	if (c->nargs > 0) {
		at = strstr(c->args[0], "dvc.yaml:");
		return at != NULL && (at == c->args[0] || at[-1] == '/');
	}
	buf_init(&b, 0);
	path_join(&b, c->dir != NULL ? c->dir : "", "dvc.yaml");
	here = !buf_failed(&b) && access(b.p, F_OK) == 0;
	buf_release(&b);
	return here;
}

/* All stages, or the one that is named and what it follows. */
static int
load_stages(struct cli *c, const struct show_opts *o, struct arena *a, struct loaded *l,
	    bool **selected, struct err *err)
{
	const struct stage_opts none = {.all = c->nargs == 0 && o->sel.select.n == 0};
	const char *targets[] = {c->nargs > 0 ? c->args[0] : NULL};
	struct stage_words w = {
	    .stages = true, .targets = targets, .n = c->nargs, .sel = o->sel};
	int rc = stage_words_load(c, &w, l);

	if (rc == 0 && stage_words_select(c, &w, &none, l, a, selected, err) != 0)
		rc = cli_fail(c, err);
	return rc;
}

static int
load_dag(struct cli *c, const struct show_opts *o, struct arena *a, struct loaded *l,
	 bool **selected, struct err *err)
{
	int rc = load_word(c, c->args[0], l);

	if (rc == 0 && selection_make(l->source.dag, &o->sel, a, selected, err) != 0)
		rc = cli_fail(c, err);
	return rc;
}

static int
show_run(struct cli *c, const void *opts)
{
	const struct show_opts *o = opts;
	int format = o->json ? FORMAT_JSON : o->dot ? FORMAT_DOT : o->format;
	bool stages = are_stages(c), *selected;
	struct err err = {0};
	struct arena *a;
	struct loaded l;
	int rc;

	if (o->json + o->dot + (o->format >= 0) > 1)
		return cli_usage(c, "--format, --json and --dot exclude each other");
	if (c->nargs == 0 && !stages)
		return cli_usage(c,
				 "'dag show' needs FILE|NAME: there is no dvc.yaml here");
	a = arena_new(0);
	if (a == NULL) {
		(void)err_nomem(&err);
		return cli_fail(c, &err);
	}
	rc = (stages ? load_stages : load_dag)(c, o, a, &l, &selected, &err);
	if (rc == 0)
		rc = put(c, l.source.dag, selected, format);
	arena_free(a);
	load_release(&l);
	return rc;
}

const struct verb verb_show = {
    .name = "show",
    .group = GROUP_START,
    .summary = "show the tasks of a DAG, and what needs what",
    .args = "[FILE|NAME]",
    .max = 1,
    .doc =
	"Show a DAG: on a terminal drawn from top to bottom, elsewhere as a list, level "
	"by "
	"level, with all that the file says of each task. A task stands below all that "
	"it "
	"needs, be it by 'needs' or because outputs of others are its inputs.\n"
	"\n"
	"In the drawing, tasks that feed the same tasks share one line; where lines only "
	"cross, the vertical one runs through. Edges that others imply are left out and "
	"counted. In a narrow terminal, tasks that need the same and are needed by the "
	"same stand in one box. Where the locale is not UTF-8 it is drawn in ASCII.\n"
	"\n"
	"A dvc.yaml shows all stages of its repository, as they follow from each other's "
	"files; dvc.yaml:STAGE shows one with all that it follows. Where nothing is "
	"named it is the dvc.yaml here.",
    .examples = "dag show demo\tby name\n"
		"dag show demo -s +train\ttrain and what it needs\n"
		"dag show dvc.yaml:train\ta stage and what it follows\n"
		"dag show demo -f list\tevery task in detail\n"
		"dag show --dot demo | dot -Tsvg\ta picture\n",
    .opts = show_opts,
    .size = sizeof(struct show_opts),
    .run = show_run,
};
