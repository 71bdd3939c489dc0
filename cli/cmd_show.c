/*
 * dag show: what a DAG file says, with the edges that follow from it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/path.h"
#include "cli/cli.h"
#include "cli/graph.h"
#include "cli/graph_outs.h"
#include "cli/load.h"
#include "cli/opts.h"
#include "cli/run_stages.h"
#include "cli/selection.h"
#include "cli/show_list.h"
#include "cli/verbs.h"
#include "scheduler/dag.h"
#include "scheduler/dag_show.h"

enum { FORMAT_GRAPH, FORMAT_LIST, FORMAT_DOT, FORMAT_MERMAID, FORMAT_JSON };

struct show_opts {
	struct selection_opts sel;
	bool json, dot, mermaid, md, outs, full;
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
    {.name = "mermaid", .kind = OPT_FLAG, .at = offsetof(struct show_opts, mermaid)},
    {.name = "md",
     .kind = OPT_FLAG,
     .at = offsetof(struct show_opts, md),
     .doc = "As --format mermaid, as a block for a Markdown page."},
    {.name = "outs",
     .letter = 'o',
     .kind = OPT_FLAG,
     .at = offsetof(struct show_opts, outs),
     .doc = "Show what the tasks make, and what of it is made of what."},
    {.name = "full",
     .kind = OPT_FLAG,
     .at = offsetof(struct show_opts, full),
     .doc = "Of a stage of dvc.yaml: also all that hang together with it."},
    {.name = NULL}};

#define WIDTH_DEFAULT 100 /* of a drawing that goes to a file */

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

static int
format_of(const struct show_opts *o)
{
	if (o->json)
		return FORMAT_JSON;
	if (o->dot)
		return FORMAT_DOT;
	return o->mermaid || o->md ? FORMAT_MERMAID : o->format;
}

/* The drawing; where there can be none, the list. */
static int
put_graph(struct cli *c, const struct show_opts *o, const struct dag *g,
	  const bool *selected)
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
		show_head_put(c, g, o->outs ? "output" : "task", st.color);
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
	show_list_put(c, g, o->outs ? "output" : "task", selected);
	cli_note(c,
		 "the graph is too large to be drawn legibly in %u columns, so it is "
		 "listed; --select +TASK+ draws a part of it",
		 st.width);
	return EXIT_OK;
}

static int
put(struct cli *c, const struct show_opts *o, const struct dag *g, const bool *selected)
{
	struct json_writer w;
	int format = format_of(o);

	if (format < 0)
		format = cli_width(1) > 0 ? FORMAT_GRAPH : FORMAT_LIST;
	switch (format) {
	case FORMAT_GRAPH:
		return put_graph(c, o, g, selected);
	case FORMAT_JSON:
		json_init(&w, &c->out, 2);
		dag_show_json(g, selected, &w);
		buf_addc(&c->out, '\n');
		break;
	case FORMAT_DOT:
		dag_show_dot(g, selected, &c->out);
		break;
	case FORMAT_MERMAID:
		buf_adds(&c->out, o->md ? "```mermaid\n" : "");
		dag_show_mermaid(g, selected, &c->out);
		buf_adds(&c->out, o->md ? "```\n" : "");
		break;
	default:
		show_list_put(c, g, o->outs ? "output" : "task", selected);
		break;
	}
	return EXIT_OK;
}

/* Whether the words are about stages in a way of their own: one is named, or nothing is, and there
 * is a dvc.yaml where we are. */
static bool
are_stages(const struct cli *c)
{
	bool here;
	struct buf b;

	if (c->nargs > 0)
		return stage_word_is(c, c->args[0]);
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
	struct stage_words w = {.stages = true,
				.targets = targets,
				.n = c->nargs,
				.pipeline = o->full,
				.sel = o->sel};
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

/* The tasks, or what they make. */
static int
put_what(struct cli *c, const struct show_opts *o, const struct dag *g,
	 const bool *selected, struct arena *a)
{
	struct err err = {0};
	struct dag outs;
	bool *all;
	int rc;

	if (!o->outs)
		return put(c, o, g, selected);
	rc = graph_outs(g, selected, a, &outs, &err);
	all = rc == 0 ? arena_array(a, outs.ntasks + 1, sizeof(*all)) : NULL;
	if (rc == 0 && all == NULL)
		rc = err_nomem(&err);
	if (rc != 0)
		return cli_fail(c, &err);
	for (size_t i = 0; i < outs.ntasks; i++)
		all[i] = true;
	return put(c, o, &outs, all);
}

static int
show_run(struct cli *c, const void *opts)
{
	const struct show_opts *o = opts;
	bool stages = are_stages(c), *selected;
	struct err err = {0};
	struct arena *a;
	struct loaded l;
	int rc;

	if (o->json + o->dot + o->mermaid + o->md + (o->format >= 0) > 1)
		return cli_usage(c,
				 "--format, --json, --dot and --md exclude each other");
	if (o->full && (!stages || c->nargs == 0))
		return cli_usage(c, "--full is for a stage of dvc.yaml: dag show --full "
				    "STAGE");
	if (o->outs && (o->json || o->format == FORMAT_JSON))
		return cli_usage(c,
				 "--outs is for people: --json has the outputs of each "
				 "task");
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
		rc = put_what(c, o, l.source.dag, selected, a);
	arena_free(a);
	load_release(&l);
	return rc;
}

const struct verb verb_show = {
    .name = "show",
    .group = GROUP_START,
    .summary = "show the tasks of a DAG, and what needs what",
    .args = "[FILE|NAME|STAGE]",
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
	"files; STAGE, :STAGE or FILE:STAGE shows one with all that it follows. Where "
	"nothing is named it is the dvc.yaml here.",
    .examples = "dag show demo\tby name\n"
		"dag show demo -s +train\ttrain and what it needs\n"
		"dag show train\ta stage of dvc.yaml and what it follows\n"
		"dag show demo -f list\tevery task in detail\n"
		"dag show --dot demo | dot -Tsvg\ta picture\n",
    .opts = show_opts,
    .size = sizeof(struct show_opts),
    .run = show_run,
};
