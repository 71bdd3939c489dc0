/*
 * Help pages that belong to no verb: topics, and the task types and keys of DAG files, made
 * from the tables that check those files.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/stream.h"
#include "tasks/schema/schema.h"

/* A row of a table: what is written, and what it means. */
struct topic_row {
	const char *form, *means;
};

struct topic {
	const char *name;
	const char *summary;
	const char *text; /* as the doc of a verb */
};

static const struct topic_row selector_rows[] = {
    {"x", "the task x"},
    {"+x", "x and all that it needs, directly or not"},
    {"x+", "x and all that follow it"},
    {"+x+", "both"},
    {"2+x", "x and what it needs, at most 2 edges away"},
    {"x+1", "x and what follows it directly"},
    {"@x", "x, all that follow it, and all that these need"},
    {"clean_*",
     "the tasks whose names match: * any characters, ? one, [a-c] one of them"},
    {"tag:t", "the tasks with the tag t; globs too, and +, @ around it"},
    {"x y", "what either selects (as does giving the option twice)"},
    {"x,y", "what both select; it binds closer than a blank"},
    {NULL, NULL}};

static const struct topic topics[] = {
    {"projects", "where a project begins, how DAGs and runs are named",
     "A project is a directory with its pipelines and what dag keeps about them in "
     ".dag/. "
     "Its root is the nearest directory above the DAG file (or, without one, above the "
     "current directory) that has a .dag; else a .dvc; else the top of the git work "
     "tree; "
     "else the file's own directory. -C DIR decides instead.\n"
     "\n"
     "A word with a slash or the ending .yaml or .yml is a file. Any other is the name "
     "of a "
     "DAG, sought in dags/ (with all its folders) and among the root's own YAML files "
     "that "
     "have tasks. A DAG is called what its key 'dag' says, else like its file.\n"
     "\n"
     "A RUN is the id of a run; or the end of one, at least 6 characters that no other "
     "run "
     "ends in; or 'last'; or the name of a DAG, for its latest run.\n"
     "\n"
     "DAG_STATE=DIR in the environment moves the database, locks and logs out of .dag to "
     "DIR: for projects that lie on a network file system."},
    {"select", "how --select and --exclude name tasks",
     "--exclude takes what it names from what --select does, or from all tasks. Every "
     "selector must name something: one that does not is an error, as it is most likely "
     "misspelt. 'dag list NAME --select SEL' shows what a selector selects.\n"
     "\n"
     "Tasks that are not selected are skipped, and those that are do not wait for them. "
     "Quote globs, so that the shell leaves them alone: --select 'clean_*'."},
    {"templates", "values in a DAG file: {{ ds }}, {{ params.x }}, {{ outputs.t.k }}",
     "Strings of a DAG file are Jinja templates. They know\n"
     "\n"
     "  params.NAME           parameters of the DAG (-p NAME=VALUE)\n"
     "  outputs.TASK.KEY      what a task wrote to $DAG_OUTPUT: KEY=VALUE lines\n"
     "  env.NAME              the environment of the task, as the file declares it\n"
     "  logical_date, ds, ds_nodash, ts     the instant the run is about (--date)\n"
     "  data_interval_start, data_interval_end, prev_success_date\n"
     "  run_id, dag, task\n"
     "\n"
     "What is not defined is an error that names itself; '{{ x | default(1) }}' and "
     "'x is defined' ask first. 'when:' is a bare expression, without braces.\n"
     "\n"
     "In 'run:' a value may stand as it is if it has only letters, digits and "
     "_./:@%+=,- and is neither empty, nor the command itself, nor starts a word with "
     "'-'. "
     "Everything else goes one of two ways:\n"
     "\n"
     "  env: {NAME: '{{ params.name }}'}    and \"$NAME\" in the command\n"
     "  {{ params.name | sh }}              quotes one word for the shell\n"
     "\n"
     "'run:' as a list starts a program without a shell: each element is one argument, "
     "whatever it holds."},
    {"exit-codes", "what the exit status of dag means",
     "  0    done; all that was asked for succeeded\n"
     "  1    the work failed: a task failed, or a run did\n"
     "  2    usage, or a file, value or name that is not valid; nothing was changed\n"
     "  3    dag itself could not: disk full, database, lost ownership, no output\n"
     "  129  the terminal went away (SIGHUP); tasks go on, 'dag resume' takes over\n"
     "  130  interrupted (Ctrl-C, SIGINT); the run is cancelled\n"
     "  143  terminated (SIGTERM); the run is cancelled"},
    {"progress", "the lines of 'dag run --progress json'",
     "One JSON object a line, as things happen, on standard output; with --json on "
     "standard error. Every object begins with v, the version of this format (1), event "
     "and at, an instant in RFC 3339.\n"
     "\n"
     "States are waiting, ready, preparing, starting, running, committing, up_for_retry "
     "and done; results, of what is done, are success, cached, failed, lost, skipped, "
     "upstream_failed and cancelled. Ends are written when they are durable. Times that "
     "have not come are null. The run does not wait for who reads, and goes on if nobody "
     "does. Events and fields may be added; ignore what you do not know. "
     "docs/progress.md and dag-progress(7) have every field."},
};

#define NTOPICS (sizeof(topics) / sizeof(topics[0]))

/* Pages that are made from the schema of DAG files. */
static const char *const schema_topics[] = {"dag-file", "types"};

#define NSCHEMA (sizeof(schema_topics) / sizeof(schema_topics[0]))

const char *
help_topic_name(size_t i)
{
	if (i < NSCHEMA)
		return schema_topics[i];
	i -= NSCHEMA;
	return i < NTOPICS ? topics[i].name : NULL;
}

/* "list of paths, default 3; not built yet" */
static void
put_key_facts(struct buf *b, const struct key_spec *k)
{
	size_t i;

	buf_adds(b, schema_key_type_text(k->type));
	if (k->values != NULL) {
		buf_adds(b, ":");
		for (i = 0; k->values[i] != NULL; i++)
			buf_addf(b, "%s %s", i > 0 ? "," : "", k->values[i]);
	}
	if (k->required)
		buf_adds(b, "; required");
	if (k->def != NULL)
		buf_addf(b, "; default %s", k->def);
	if (k->status == KEY_ACCEPTED)
		buf_adds(b, "; accepted, without effect yet");
	else if (k->status == KEY_LATER)
		buf_adds(b, "; not built yet");
}

static void
put_key(struct buf *b, const struct key_spec *k)
{
	struct buf facts;

	buf_init(&facts, 0);
	buf_addf(&facts, "%s (", k->name);
	put_key_facts(&facts, k);
	buf_addc(&facts, ')');
	buf_adds(b, "\n  ");
	help_wrap(b, buf_failed(&facts) ? k->name : facts.p, 6);
	if (k->doc != NULL) {
		buf_adds(b, "      ");
		help_wrap(b, k->doc, 6);
	}
	buf_release(&facts);
}

static void
put_keys(struct buf *b, const struct key_spec *k)
{
	for (; k->name != NULL; k++)
		put_key(b, k);
}

static const char *
kind_text(enum task_kind kind)
{
	switch (kind) {
	case TASK_EXEC:
		return "runs your program";
	case TASK_VERB:
		return "runs the verb of 'dag' that it is named after";
	case TASK_HOST:
		return "is built in";
	case TASK_ENGINE:
		return "has no process and takes no slot";
	}
	return "";
}

static void
put_type(struct buf *b, const struct task_type *t)
{
	buf_addf(b, "type: %s", t->name);
	if (t->summary != NULL)
		buf_addf(b, " - %s", t->summary);
	buf_adds(b, "\n");
	if (t->status == KEY_LATER) {
		buf_adds(b, "\n  Not built yet: a file that uses it is refused.\n");
		return;
	}
	buf_addf(b, "\n  It %s.\n", kind_text(t->kind));
	if (t->doc != NULL) {
		buf_adds(b, "\n  ");
		help_wrap(b, t->doc, 2);
	}
	if (t->keys != NULL && t->keys->name != NULL) {
		buf_adds(b, "\nIts own keys:\n");
		put_keys(b, t->keys);
	}
	buf_adds(b, "\n'dag help dag-file' has the keys that every task takes.\n");
}

static void
put_types(struct buf *b)
{
	const struct task_type *t;
	struct buf later;
	size_t i, n;

	t = schema_types(&n);
	buf_adds(b, "types: what a task can be\n\n");
	for (i = 0; i < n; i++) {
		if (t[i].status == KEY_LATER)
			continue;
		buf_addf(b, "  %-9s ", t[i].name);
		help_wrap(b, t[i].summary != NULL ? t[i].summary : "", 12);
	}
	buf_init(&later, 0);
	for (i = 0; i < n; i++)
		if (t[i].status == KEY_LATER)
			buf_addf(&later, "%s ", t[i].name);
	if (later.n > 0) {
		buf_adds(b, "\nPlanned, and refused by name until then:\n\n  ");
		help_wrap(b, later.p, 2);
	}
	buf_release(&later);
	buf_adds(b,
		 "\n'dag help TYPE' tells more about one, 'dag help type:push' about one "
		 "that is\na verb as well.\n");
}

static void
put_dag_file(struct buf *b)
{
	buf_adds(b, "dag-file: the keys of a DAG file\n\nKeys of the file:\n");
	put_keys(b, schema_dag_keys());
	buf_adds(b, "\nKeys that every task takes:\n");
	put_keys(b, schema_task_keys());
	buf_adds(
	    b,
	    "\n'dag help types' lists the task types, which have keys of their own.\n");
}

static const struct key_spec *
find_key(const struct key_spec *k, const char *name)
{
	for (; k != NULL && k->name != NULL; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

/* A key by its name, wherever it may stand.  Return whether there is one. */
static bool
put_key_pages(struct buf *b, const char *name)
{
	const struct key_spec *of_dag = find_key(schema_dag_keys(), name),
			      *of_task = find_key(schema_task_keys(), name), *own;
	const struct task_type *t;
	size_t i, n;
	bool found = of_dag != NULL || of_task != NULL;

	if (of_dag != NULL) {
		buf_adds(b, "Of the file:\n");
		put_key(b, of_dag);
	}
	if (of_task != NULL) {
		buf_addf(b, "%sOf a task:\n", of_dag != NULL ? "\n" : "");
		put_key(b, of_task);
	}
	t = schema_types(&n);
	for (i = 0; i < n; i++) {
		own = t[i].status == KEY_LATER ? NULL : find_key(t[i].keys, name);
		if (own == NULL)
			continue;
		buf_addf(b, "%sOf a task of type %s:\n", found ? "\n" : "", t[i].name);
		put_key(b, own);
		found = true;
	}
	return found;
}

/* The table that stands before the text of a topic, or NULL. */
static const struct topic_row *
rows_of(const struct topic *t)
{
	return strcmp(t->name, "select") == 0 ? selector_rows : NULL;
}

/* "  2+x      x and what it needs, at most 2 edges away" */
static void
put_rows(struct buf *b, const struct topic_row *row)
{
	size_t widest = 0, i, n;

	if (row == NULL)
		return;
	for (i = 0; row[i].form != NULL; i++)
		if ((n = strlen(row[i].form)) > widest)
			widest = n;
	for (; row->form != NULL; row++) {
		buf_addf(b, "  %-*s  ", (int)widest, row->form);
		help_wrap(b, row->means, widest + 4);
	}
	buf_addc(b, '\n');
}

/* The table of a topic, for people. */
static void
put_table(struct buf *b, const struct topic *t)
{
	if (strcmp(t->name, "progress") == 0) {
		stream_help(b);
		buf_addc(b, '\n');
	} else {
		put_rows(b, rows_of(t));
	}
}

static void
put_rows_markdown(struct buf *b, const struct topic_row *row)
{
	if (row == NULL)
		return;
	buf_adds(b, "| written | means |\n|---|---|\n");
	for (; row->form != NULL; row++)
		buf_addf(b, "| `%s` | %s |\n", row->form, row->means);
	buf_addc(b, '\n');
}

bool
help_topic(struct buf *b, const char *name)
{
	const struct task_type *t;
	size_t i;

	for (i = 0; i < NTOPICS; i++) {
		if (strcmp(topics[i].name, name) != 0)
			continue;
		buf_addf(b, "%s: %s\n\n", topics[i].name, topics[i].summary);
		put_table(b, &topics[i]);
		buf_adds(b, "  ");
		help_wrap(b, topics[i].text, 2);
		return true;
	}
	if (strcmp(name, "dag-file") == 0) {
		put_dag_file(b);
		return true;
	}
	if (strcmp(name, "types") == 0) {
		put_types(b);
		return true;
	}
	/* "type:push" tells it from the verb. */
	t = schema_type(strncmp(name, "type:", 5) == 0 ? name + 5 : name);
	if (t == NULL)
		return put_key_pages(b, name);
	put_type(b, t);
	return true;
}

void
help_topics_markdown(struct buf *b)
{
	size_t i;

	for (i = 0; i < NTOPICS; i++) {
		buf_addf(b, "\n## %s: %s\n\n", topics[i].name, topics[i].summary);
		put_rows_markdown(b, rows_of(&topics[i]));
		help_md_text(b, topics[i].text);
		if (strcmp(topics[i].name, "progress") == 0)
			buf_adds(b, "\nSee [progress.md](progress.md).\n");
	}
}

void
help_topics_man(struct buf *b)
{
	struct buf rows;
	const char *p;
	size_t i;

	for (i = 0; i < NTOPICS; i++) {
		buf_adds(b, ".SH \"");
		for (p = topics[i].name; *p != '\0'; p++)
			buf_addc(b, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
		buf_adds(b, "\"\n");
		buf_init(&rows, 0);
		put_table(&rows, &topics[i]);
		if (rows.n > 0) {
			help_man_text(b, rows.p);
			buf_adds(b, ".PP\n");
		}
		buf_release(&rows);
		help_man_text(b, topics[i].text);
	}
}
