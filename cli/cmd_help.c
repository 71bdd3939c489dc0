/*
 * dag help, dag version.
 */
#include <string.h>

#include "base/json.h"
#include "base/suggest.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/stream.h"
#include "cli/verbs.h"
#include "tasks/schema/schema.h"

struct help_opts {
	bool markdown, man;
};

static const struct opt help_opts[] = {
    {.name = "markdown",
     .kind = OPT_FLAG,
     .at = offsetof(struct help_opts, markdown),
     .doc = NULL},
    {.name = "man", .kind = OPT_FLAG, .at = offsetof(struct help_opts, man), .doc = NULL},
    {.name = NULL}};

static int
unknown_page(struct cli *c, const char *name)
{
	const struct verb *const *table;
	const struct task_type *types;
	const struct key_spec *k;
	const char *best, *topic;
	struct suggest s;
	size_t i, n;

	c->verb = NULL; /* the list of all pages helps, not the page about help */
	suggest_start(&s, name);
	table = verb_table(&n);
	for (i = 0; i < n; i++)
		suggest_try(&s, table[i]->name);
	for (i = 0; (topic = help_topic_name(i)) != NULL; i++)
		suggest_try(&s, topic);
	types = schema_types(&n);
	for (i = 0; i < n; i++)
		suggest_try(&s, types[i].name);
	for (k = schema_task_keys(); k->name != NULL; k++)
		suggest_try(&s, k->name);
	for (k = schema_dag_keys(); k->name != NULL; k++)
		suggest_try(&s, k->name);
	best = suggest_best(&s);
	if (best != NULL)
		return cli_usage(c, "there is no help on '%s' (did you mean '%s'?)", name,
				 best);
	return cli_usage(c, "there is no help on '%s'", name);
}

/* dag help --man: the page dag(1); with a verb its page; with "verbs" the verbs that
 * have one. */
static int
put_man(struct cli *c)
{
	const struct verb *const *table;
	const struct verb *v;
	size_t i, n;

	if (c->nargs == 0) {
		help_man_overview(&c->out);
		return EXIT_OK;
	}
	if (strcmp(c->args[0], "verbs") == 0) {
		table = verb_table(&n);
		for (i = 0; i < n; i++)
			buf_addf(&c->out, "%s\n", table[i]->name);
		return EXIT_OK;
	}
	v = verb_find(c->args[0]);
	if (v == NULL)
		return unknown_page(c, c->args[0]);
	help_man_verb(&c->out, v);
	return EXIT_OK;
}

static int
help_run(struct cli *c, const void *opts)
{
	const struct help_opts *o = opts;
	const struct verb *v;

	if (o->man)
		return put_man(c);
	if (o->markdown) {
		if (c->nargs > 0 && strcmp(c->args[0], "progress") == 0)
			stream_markdown(&c->out);
		else
			help_markdown(&c->out);
		return EXIT_OK;
	}
	if (c->nargs == 0) {
		help_overview(&c->out);
		return EXIT_OK;
	}
	v = verb_find(c->args[0]);
	if (v != NULL) {
		help_verb(&c->out, v);
		return EXIT_OK;
	}
	return help_topic(&c->out, c->args[0]) ? EXIT_OK : unknown_page(c, c->args[0]);
}

const struct verb verb_help = {
    .name = "help",
    .group = GROUP_REST,
    .summary = "explain a verb, a task type, a key or a topic",
    .args = "[VERB|TYPE|KEY|TOPIC]",
    .max = 1,
    .doc = "Show the page of a verb, of a task type ('dag help shell'), of a key of DAG "
	   "files "
	   "('dag help retries'), or of a topic ('dag help templates'). Without a word: "
	   "all verbs and topics.",
    .opts = help_opts,
    .size = sizeof(struct help_opts),
    .run = help_run,
};

struct version_opts {
	bool json;
};

static const struct opt version_opts[] = {{.name = "json",
					   .kind = OPT_FLAG,
					   .at = offsetof(struct version_opts, json),
					   .doc = "Write a JSON object."},
					  {.name = NULL}};

static int
version_run(struct cli *c, const void *opts)
{
	const struct version_opts *o = opts;
	struct json_writer w;

	if (!o->json) {
		buf_adds(&c->out, "dag " DAG_VERSION "\n");
		return EXIT_OK;
	}
	json_init(&w, &c->out, 2);
	json_begin_object(&w);
	json_kv_str(&w, "version", DAG_VERSION);
	json_end(&w);
	buf_addc(&c->out, '\n');
	return EXIT_OK;
}

const struct verb verb_version = {
    .name = "version",
    .group = GROUP_REST,
    .summary = "show the version",
    .args = "",
    .doc = "Show the version. 'dag doctor' also tells those of the libraries.",
    .opts = version_opts,
    .size = sizeof(struct version_opts),
    .run = version_run,
};
