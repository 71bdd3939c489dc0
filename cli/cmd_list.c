/*
 * dag list: the DAGs of the project, or the tasks of one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "cli/cli.h"
#include "cli/find.h"
#include "cli/load.h"
#include "cli/opts.h"
#include "cli/place.h"
#include "cli/selection.h"
#include "cli/status.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "scheduler/dag.h"
#include "scheduler/dag_show.h"
#include "store/meta.h"

struct list_opts {
	struct selection_opts sel;
	bool json;
};

static const struct opt list_opts[] = {
    SELECTION_OPTS(struct list_opts, sel, "List"),
    {.name = "json",
     .kind = OPT_FLAG,
     .at = offsetof(struct list_opts, json),
     .doc = "Write a JSON array with one object for each DAG, or each task."},
    {.name = NULL}};

/* One DAG with what is known of it. */
struct entry {
	const struct dag_file *file;
	struct source source;
	size_t errors;
	const char *schedule; /* as the file says it, on one line; or NULL */
	struct meta_run last;
	const char *status; /* of the last run; NULL: none */
};

struct list {
	struct cli *c;
	struct place place;
	struct dag_files files;
	struct diag *diag; /* mistakes are only counted */
	VEC(struct entry) entries;
};

/* What stands under `schedule`, as the file has it, by a parse of its own. */
static const char *
parsed_schedule(struct list *l, const struct source *s)
{
	const struct yaml_node *node;
	struct yaml_node *root;
	const char *out = NULL;
	struct diag *d = diag_new();

	if (d == NULL)
		return NULL;
	if (yaml_parse(l->place.arena, d, 0, s->text.p, s->text.n, &root) == 0 &&
	    (node = yaml_get(root, "schedule")) != NULL && node->src_end > node->src)
		out = arena_strndup(l->place.arena, s->text.p + node->src,
				    node->src_end - node->src);
	diag_free(d);
	return out;
}

/* The words of `schedule:`.  The model does not carry it: nothing acts on it yet. */
static const char *
schedule_of(struct list *l, const struct source *s)
{
	const char *p, *out;
	char *glance;

	if (s->dag == NULL)
		return NULL;
	glance = find_glance_key(s->text.p, s->text.n, "schedule");
	/* A list or mapping may go on behind the line. */
	if (glance != NULL && strchr("[{|>&*", *glance) == NULL) {
		out = arena_strdup(l->place.arena, glance);
		free(glance);
		return out;
	}
	free(glance);
	for (p = strstr(s->text.p, "schedule"); p != NULL; p = strstr(p + 1, "schedule"))
		if (p == s->text.p || strchr("\n\"'{, ", p[-1]) != NULL)
			return parsed_schedule(l, s);
	return NULL;
}

static int
look_last_run(struct list *l, struct entry *e, struct err *err)
{
	struct meta_run_filter f = {.dag = e->source.dag != NULL ? e->source.dag->name
								 : e->file->name,
				    .state = -1,
				    .result = -1,
				    .limit = 1};
	struct meta_run *runs;
	size_t n;

	if (l->place.meta == NULL)
		return 0;
	if (meta_runs(l->place.meta, &f, l->place.arena, &runs, &n, err) != 0)
		return -1;
	if (n == 0)
		return 0;
	e->last = runs[0];
	e->status = status_of_run(l->place.project, &runs[0]);
	return 0;
}

static int
gather(struct list *l, struct err *err)
{
	size_t i, before;

	l->diag = diag_new();
	if (l->diag == NULL)
		return err_nomem(err);
	if (find_all(l->place.project, &l->files, err) != 0)
		return -1;
	if (vec_reserve(&l->entries, l->files.n + 1) != 0)
		return err_nomem(err);
	for (i = 0; i < l->files.n; i++) {
		struct entry *e = &l->entries.v[l->entries.n];

		*e = (struct entry){.file = &l->files.v[i]};
		before = diag_errors(l->diag);
		l->entries.n++;
		if (load_found(l->diag, &l->files.v[i], &e->source, err) != 0)
			return -1;
		e->errors = diag_errors(l->diag) - before;
		e->schedule = schedule_of(l, &e->source);
		if (look_last_run(l, e, err) != 0)
			return -1;
	}
	return 0;
}

static void
put_json(struct list *l)
{
	struct json_writer w;

	json_init(&w, &l->c->out, 2);
	json_begin_array(&w);
	vec_foreach (&l->entries, struct entry, e) {
		const struct dag *g = e->source.dag;

		json_begin_object(&w);
		json_kv_str(&w, "name", g != NULL ? g->name : e->file->name);
		json_kv_str(&w, "file", e->file->rel);
		json_kv_str(&w, "description", g != NULL ? g->description : NULL);
		json_kv_str(&w, "schedule", e->schedule);
		json_key(&w, "tasks");
		if (g != NULL)
			json_int(&w, (int64_t)g->ntasks);
		else
			json_put_null(&w);
		json_key(&w, "tags");
		json_begin_array(&w);
		for (size_t i = 0; g != NULL && i < g->ntags; i++)
			json_str(&w, g->tags[i]);
		json_end(&w);
		json_kv_int(&w, "errors", (int64_t)e->errors);
		json_key(&w, "last_run");
		if (e->status != NULL) {
			json_begin_object(&w);
			status_run_members(&w, &e->last, e->status);
			json_end(&w);
		} else {
			json_put_null(&w);
		}
		json_end(&w);
	}
	json_end(&w);
	buf_addc(&l->c->out, '\n');
}

static int
put_table(struct list *l)
{
	static const char *const titles[] = {"DAG", "TASKS", "LAST RUN",
					     "",    "FILE",  "DESCRIPTION"};
	struct cli *c = l->c;
	struct table *t;
	struct buf when;
	int rc;

	if (l->entries.n == 0) {
		cli_note(
		    c,
		    "there are no DAG files in '%s' or its dags/ ('dag init' makes one)",
		    l->place.project->root);
		return 0;
	}
	t = table_new(titles, 6);
	if (t == NULL)
		return -1;
	table_keep(t, 3);
	buf_init(&when, 0);
	vec_foreach (&l->entries, struct entry, e) {
		const struct dag *g = e->source.dag;

		table_cell(t, g != NULL ? g->name : e->file->name);
		if (g != NULL)
			table_cellf(t, "%zu", g->ntasks);
		else
			table_cell(t, "-");
		buf_clear(&when);
		text_when(&when, e->status != NULL ? status_run_began(&e->last) : 0);
		table_cell(t, when.p);
		table_cell(t, e->status);
		table_style(t, status_ansi(e->status));
		table_cell(t, e->file->path);
		if (g == NULL) {
			table_cellf(t, "%zu mistake%s: dag check", e->errors,
				    e->errors == 1 ? "" : "s");
			table_style(t, "31");
		} else {
			table_cell(t, g->description);
		}
	}
	rc = table_print(t, &c->out, cli_width(1), cli_color(c, 1));
	buf_release(&when);
	table_free(t);
	return rc;
}

/* Of each DAG's latest run; 'dag runs' tells of all. */
static void
note_interrupted(struct list *l)
{
	vec_foreach (&l->entries, struct entry, e)
		if (e->status != NULL && strcmp(e->status, "interrupted") == 0)
			place_note_interrupted(l->c, NULL, &e->last);
}

/* The tasks of one DAG in topological order, a name a line. */
static int
list_tasks(struct cli *c, const struct list_opts *o)
{
	struct arena *a = arena_new(0);
	struct json_writer w;
	struct err err = {0};
	struct loaded l;
	bool *selected;
	int rc = load_word(c, c->args[0], &l);

	if (rc == 0 && (a == NULL ? err_nomem(&err)
				  : selection_make(l.source.dag, &o->sel, a, &selected,
						   &err)) != 0) {
		rc = cli_fail(c, &err);
	} else if (rc == 0 && o->json) {
		json_init(&w, &c->out, 2);
		dag_show_tasks_json(l.source.dag, selected, &w);
		buf_addc(&c->out, '\n');
	} else if (rc == 0) {
		const struct dag *g = l.source.dag;

		for (size_t i = 0; i < g->ntasks; i++)
			if (selected[g->order[i]])
				buf_addf(&c->out, "%s\n", g->tasks[g->order[i]].name);
	}
	load_release(&l);
	arena_free(a);
	return rc;
}

static int
list_run(struct cli *c, const void *opts)
{
	const struct list_opts *o = opts;
	struct list l = {.c = c};
	struct err err = {0};
	int rc = EXIT_OK;

	if (c->nargs > 0)
		return list_tasks(c, o);
	if (selection_given(&o->sel))
		return cli_usage(c, "--select and --exclude choose tasks: name the DAG "
				    "whose tasks are to be listed");
	if (place_open(c, &l.place, &err) == 0 && gather(&l, &err) == 0) {
		if (o->json)
			put_json(&l);
		else if (put_table(&l) != 0)
			(void)err_nomem(&err);
		else
			note_interrupted(&l);
	}
	if (err.code != ERR_NONE)
		rc = cli_fail(c, &err);
	vec_foreach (&l.entries, struct entry, e)
		load_source_release(&e->source);
	vec_release(&l.entries);
	find_release(&l.files);
	diag_free(l.diag);
	place_close(&l.place);
	return rc;
}

const struct verb verb_list = {
    .name = "list",
    .group = GROUP_LOOK,
    .summary = "list the DAGs of the project, or the tasks of one",
    .args = "[FILE|NAME]",
    .max = 1,
    .doc =
	"List the DAG files in dags/ (with its folders) and in the project's root: name, "
	"number of tasks, the latest run and how it went. A file with mistakes is listed "
	"as "
	"such. Times are UTC.\n"
	"\n"
	"With FILE or NAME: the names of that DAG's tasks, one a line, each behind those "
	"that it needs.",
    .examples = "dag list\tthe DAGs\n"
		"dag list demo --select +train\twhat 'dag run' with it would run\n",
    .opts = list_opts,
    .size = sizeof(struct list_opts),
    .run = list_run,
};
