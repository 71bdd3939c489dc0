/*
 * dag check: all mistakes of all files in one go.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/find.h"
#include "cli/load.h"
#include "cli/opts.h"
#include "cli/outputs.h"
#include "cli/verbs.h"
#include "scheduler/dag.h"
#include "scheduler/render.h"

struct check_opts {
	bool json;
};

static const struct opt check_opts[] = {
    {.name = "json",
     .kind = OPT_FLAG,
     .at = offsetof(struct check_opts, json),
     .doc = "Write a JSON object with the files and all messages, for editors."},
    {.name = NULL}};

/* One verb under way. */
struct check {
	struct cli *c;
	struct diag *diag;
	VEC(struct source) sources;
	VEC(char *) paths; /* still to be loaded */
	size_t bad;	   /* files with mistakes */
};

static int
add_path(struct check *k, const char *path, struct err *err)
{
	char *copy = strdup(path);

	if (copy == NULL || vec_push(&k->paths, copy) != 0) {
		free(copy);
		return err_nomem(err);
	}
	return 0;
}

static int
add_files(struct check *k, const struct dag_files *files, struct err *err)
{
	size_t i;

	for (i = 0; i < files->n; i++)
		if (add_path(k, files->v[i].path, err) != 0)
			return -1;
	return 0;
}

static int
add_dir(struct check *k, const char *dir, struct err *err)
{
	struct dag_files files;
	int rc = find_below(dir, &files, err);

	if (rc == 0)
		rc = add_files(k, &files, err);
	find_release(&files);
	return rc;
}

/* A word: a directory, a file, or a DAG's name. */
static int
add_word(struct check *k, const char *word, struct err *err)
{
	struct project p;
	struct stat st;
	char *path;
	int rc;

	if (stat(word, &st) == 0 && S_ISDIR(st.st_mode) && strchr(word, '/') != NULL)
		return add_dir(k, word, err);
	if (find_is_file(word))
		return add_path(k, word, err);
	if (project_find(NULL, k->c->dir, false, &p, err) != 0)
		return -1;
	rc = find_named(&p, word, &path, err);
	project_release(&p);
	if (rc != 0 && stat(word, &st) == 0 && S_ISDIR(st.st_mode))
		return add_dir(k, word, err);
	if (rc != 0)
		return -1;
	rc = add_path(k, path, err);
	free(path);
	return rc;
}

static int
add_project(struct check *k, struct err *err)
{
	struct dag_files files = {0};
	struct project p;
	int rc;

	if (project_find(NULL, k->c->dir, false, &p, err) != 0)
		return -1;
	rc = find_all(&p, &files, err);
	if (rc == 0)
		rc = add_files(k, &files, err);
	find_release(&files);
	project_release(&p);
	return rc;
}

/* What would be refused when a run is created, as far as the defaults tell. */
static void
check_defaults(struct check *k, const struct project *p, const struct source *s)
{
	struct run_values v = {.dag = s->dag,
			       .run_id = "00000000-0000-7000-8000-000000000000"};
	struct jinja_dict *params;
	struct arena *a;
	struct err err = {0};
	bool *selected;
	size_t i;

	for (i = 0; i < s->dag->nparams; i++)
		if (s->dag->params[i].required) {
			outputs_check(p, &v, NULL, k->diag, s->file);
			return;
		}
	a = arena_new(0);
	selected = calloc(s->dag->ntasks + 1, sizeof(*selected));
	if (a == NULL || selected == NULL) {
		(void)err_nomem(&err);
	} else if (params_resolve(s->dag, a, NULL, 0, NULL, &params, &err) == 0) {
		for (i = 0; i < s->dag->ntasks; i++)
			selected[i] = true;
		v.params = params;
		v.logical_us = v.interval_start_us = v.interval_end_us =
		    clock_now().wall_us;
		if (render_check_run(&v, selected, k->diag, s->file) == 0)
			outputs_check(p, &v, NULL, k->diag, s->file);
	}
	if (err.code != ERR_NONE)
		diag_add(k->diag, DIAG_ERROR, (struct diag_pos){.file = s->file}, "%s",
			 err.msg);
	free(selected);
	arena_free(a);
}

static int
check_path(struct check *k, const char *path, struct err *err)
{
	size_t before = diag_errors(k->diag);
	struct project p;
	struct source s;
	int rc;

	if (access(path, F_OK) != 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	if (project_find(path, k->c->dir, false, &p, err) != 0)
		return -1;
	rc = load_source(k->diag, &p, path, &s, err);
	if (rc == 0 && vec_push(&k->sources, s) != 0)
		rc = err_nomem(err);
	if (rc != 0)
		load_source_release(&s);
	else if (s.dag != NULL && !pipeline_is(s.dag))
		check_defaults(k, &p, &s);
	project_release(&p);
	if (rc != 0)
		return -1;
	if (diag_errors(k->diag) > before)
		k->bad++;
	return 0;
}

/* A word that leads to no file, or a file that cannot be read.  It does not hide the mistakes
 * of the others.  For programs it stands among the files and the messages. */
static int
add_missing(struct check *k, const char *path, bool json, struct err *err)
{
	struct source s = {.file = diag_file(k->diag, path, "", 0), .path = strdup(path)};
	int rc = cli_fail(k->c, err);

	buf_init(&s.text, 0);
	if (json && s.file >= 0)
		diag_add(k->diag, DIAG_ERROR, (struct diag_pos){.file = s.file}, "%s",
			 err->msg);
	if (!json || s.path == NULL || vec_push(&k->sources, s) != 0)
		load_source_release(&s);
	return rc;
}

/* Two files of one name could not be told apart by it. */
static void
check_names(struct check *k)
{
	struct map names = {0};
	const struct source *other;

	vec_foreach (&k->sources, struct source, s) {
		if (s->dag == NULL)
			continue;
		other = map_get(&names, s->dag->name);
		if (other == NULL) {
			(void)map_put(&names, s->dag->name, s);
		} else if (strcmp(other->path, s->path) != 0) {
			diag_add(k->diag, DIAG_ERROR, (struct diag_pos){.file = s->file},
				 "the DAG '%s' is also defined by '%s'", s->dag->name,
				 other->path);
			diag_hint(k->diag,
				  "give one of them another name with 'dag: NAME'");
			k->bad++;
		}
	}
	map_release(&names);
}

static void
put_json(struct check *k)
{
	struct json_writer w;

	json_init(&w, &k->c->out, 2);
	json_begin_object(&w);
	json_key(&w, "files");
	json_begin_array(&w);
	vec_foreach (&k->sources, struct source, s) {
		json_begin_object(&w);
		json_kv_str(&w, "file", s->path);
		json_kv_str(&w, "dag", s->dag != NULL ? s->dag->name : NULL);
		json_key(&w, "tasks");
		if (s->dag != NULL)
			json_int(&w, (int64_t)s->dag->ntasks);
		else
			json_put_null(&w);
		json_kv_str(&w, "hash", s->dag != NULL ? s->dag->hash : NULL);
		json_end(&w);
	}
	json_end(&w);
	json_kv_int(&w, "errors", (int64_t)diag_errors(k->diag));
	json_key(&w, "messages");
	diag_json(k->diag, &w);
	json_end(&w);
	buf_addc(&k->c->out, '\n');
}

static const char *
plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static int
report(struct check *k, bool json, bool failed)
{
	size_t errors = diag_errors(k->diag), files = k->sources.n;

	if (json) {
		put_json(k);
	} else if (diag_count(k->diag) > 0) {
		cli_diag(k->c, k->diag);
	}
	if (errors > 0) {
		if (!json)
			cli_note(k->c, "%zu mistake%s in %zu of %zu file%s", errors,
				 plural(errors), k->bad, files, plural(files));
		return EXIT_USAGE;
	}
	/* Where a file could not be read, that is the last word. */
	if (!json && !failed)
		buf_addf(&k->c->out, "%zu file%s, no mistakes\n", files, plural(files));
	return EXIT_OK;
}

static int
check_all(struct check *k, const struct check_opts *o)
{
	struct err err = {0};
	int rc, failed = EXIT_OK;
	size_t i;

	for (i = 0; i < k->c->nargs; i++)
		if (add_word(k, k->c->args[i], &err) != 0)
			failed = add_missing(k, k->c->args[i], o->json, &err);
	if (k->c->nargs == 0 && add_project(k, &err) != 0)
		return cli_fail(k->c, &err);
	for (i = 0; i < k->paths.n; i++)
		if (check_path(k, k->paths.v[i], &err) != 0)
			failed = add_missing(k, k->paths.v[i], o->json, &err);
	check_names(k);
	rc = report(k, o->json, failed != EXIT_OK);
	return failed != EXIT_OK ? failed : rc;
}

static int
check_run(struct cli *c, const void *opts)
{
	struct check k = {.c = c};
	struct err err;
	size_t i;
	int rc;

	k.diag = diag_new();
	if (k.diag == NULL) {
		(void)err_nomem(&err);
		return cli_fail(c, &err);
	}
	rc = check_all(&k, opts);
	diag_free(k.diag);
	vec_foreach (&k.sources, struct source, s)
		load_source_release(s);
	for (i = 0; i < k.paths.n; i++)
		free(k.paths.v[i]);
	vec_release(&k.sources);
	vec_release(&k.paths);
	return rc;
}

const struct verb verb_check = {
    .name = "check",
    .group = GROUP_START,
    .summary = "find all mistakes in DAG files",
    .args = "[FILE|NAME|DIR...]",
    .max = (unsigned)-1,
    .doc = "Parse and check DAG files and say everything that is wrong with them, each "
	   "mistake with its place, the line, and what was perhaps meant. Without words: "
	   "all "
	   "DAG files of the project. Commands and paths are rendered with the default "
	   "parameters, unless a required one has none. Nothing is run or changed.\n"
	   "\n"
	   "Exit status 2 if there is any mistake.",
    .examples = "dag check\tall DAGs of the project\n"
		"dag check dags/demo.yaml\tone file\n"
		"dag check --json | jq .errors\tfor programs\n",
    .opts = check_opts,
    .size = sizeof(struct check_opts),
    .run = check_run,
};
