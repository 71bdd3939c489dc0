/*
 * dag run: a new run, in this terminal, until its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/fsio.h"
#include "base/jinja.h"
#include "base/json.h"
#include "base/timefmt.h"
#include "base/yaml.h"
#include "cli/cli.h"
#include "cli/dryrun.h"
#include "cli/load.h"
#include "cli/opts.h"
#include "cli/progress.h"
#include "cli/run_autostage.h"
#include "cli/run_sources.h"
#include "cli/run_stages.h"
#include "cli/selection.h"
#include "cli/verbs.h"
#include "cli/work.h"
#include "scheduler/dag.h"
#include "scheduler/render.h"
#include "scheduler/session.h"
#include "store/meta.h"

#include <jansson.h>

struct run_opts {
	struct opt_strings params;
	struct selection_opts sel;
	const char *params_file, *date;
	bool dry_run, fail_fast;
	struct stage_opts stages;
	struct dag_how how;
	struct work_opts work;
};

static const struct opt run_opts[] = {
    {.name = "param",
     .letter = 'p',
     .kind = OPT_STRINGS,
     .at = offsetof(struct run_opts, params),
     .arg = "NAME=VALUE",
     .bare = true,
     .doc = "Give a parameter of the DAG a value, read as its type says; may be "
	    "repeated. Of "
	    "a name that is given twice the last value counts."},
    {.name = "params-file",
     .kind = OPT_STRING,
     .at = offsetof(struct run_opts, params_file),
     .arg = "FILE",
     .doc = "Take parameters from a YAML or JSON file (- is standard input); -p goes "
	    "before it."},
    {.name = "date",
     .kind = OPT_STRING,
     .at = offsetof(struct run_opts, date),
     .arg = "DATE",
     .doc = "The instant the run is about (logical_date, ds ...): 2026-11-22 or "
	    "2026-11-22T06:00:00Z; default: now."},
    SELECTION_ROWS(struct run_opts, sel, "Run", true),
    {.name = "dry-run",
     .kind = OPT_FLAG,
     .at = offsetof(struct run_opts, dry_run),
     .doc = "Say of every task whether it would run, and why or why not, naming what has "
	    "changed; with the commands as far as they are known. Nothing is written."},
    {.name = "fail-fast",
     .kind = OPT_FLAG,
     .at = offsetof(struct run_opts, fail_fast),
     .doc = "Start nothing more after the first failure (tasks that run go on)."},
    {.name = "dry", .kind = OPT_FLAG, .at = offsetof(struct run_opts, dry_run)},
    {.name = "force",
     .letter = 'f',
     .kind = OPT_FLAG,
     .at = offsetof(struct run_opts, how.force),
     .doc = "Run also what has not changed."},
    {.name = "no-cache",
     .kind = OPT_FLAG,
     .at = offsetof(struct run_opts, how.no_cache),
     .doc = "Of a DAG file: run everything and record nothing of it, as if no task had "
	    "'cache'."},
    {.name = "force-downstream",
     .kind = OPT_FLAG,
     .at = offsetof(struct run_opts, how.force_downstream),
     .doc = "Run also what follows something that was run, changed or not."},
    {.name = "no-run-cache",
     .kind = OPT_FLAG,
     .at = offsetof(struct run_opts, how.no_run_cache),
     .doc = "Do not look for results of earlier runs with the same command and inputs."},
    {.name = "no-commit",
     .kind = OPT_FLAG,
     .at = offsetof(struct run_opts, how.no_commit),
     .doc = "Do not take what is made into the cache; 'dag commit' does it later."},
    {.name = "allow-missing",
     .kind = OPT_FLAG,
     .at = offsetof(struct run_opts, how.allow_missing),
     .doc = "Data that is not there counts as unchanged, unless who makes it has made "
	    "another."},
    {.name = "pull",
     .kind = OPT_FLAG,
     .at = offsetof(struct run_opts, how.pull),
     .doc = "Fetch what is missing from the default remote, earlier runs too; with "
	    "--allow-missing only what a task that runs depends on."},
    STAGE_OPTS(struct run_opts, stages),
    WORK_OPTS(struct run_opts, work),
    {.name = NULL}};

/* A run being made from the command line. */
struct make {
	struct cli *c;
	const struct run_opts *o;
	struct stage_words words;
	struct loaded l;
	struct arena *arena;
	struct buf file_text;		   /* of --params-file */
	char *file_json;		   /* what it says; NULL: there is none */
	const struct yaml_node *file_root; /* where it says so; NULL: it is JSON */
	struct param_arg *args;
	struct jinja_dict *params;
	bool *selected;
	int64_t logical_us;
};

/* ---- parameters ---- */

static int
json_file(const struct buf *text, const char *name, char **out, struct err *err)
{
	struct json_t *j = json_parse(text->p, text->n, err);

	if (j == NULL)
		return err_wrap(err, "%s", name);
	json_decref(j);
	*out = strndup(text->p, text->n);
	return *out != NULL ? 0 : err_nomem(err);
}

/* YAML to JSON.  Return 0; 1 if mistakes were printed; -1. */
static int
yaml_file(struct make *m, const struct buf *text, const char *name, struct err *err)
{
	struct diag *d = diag_new();
	struct yaml_node *root;
	struct jinja_val v;
	struct buf json;
	int rc = -1;

	if (d == NULL)
		return err_nomem(err);
	buf_init(&json, 0);
	if (yaml_parse(m->arena, d, diag_file(d, name, text->p, text->n), text->p,
		       text->n, &root) != 0) {
		cli_diag(m->c, d);
		rc = 1;
	} else if (root->kind != YAML_MAP) {
		(void)err_set(err, ERR_INVALID,
			      "%s: a params file is a mapping of names to values, not %s",
			      name, yaml_kind_name(root->kind));
	} else if (jinja_from_yaml(m->arena, root, &v) != 0) {
		(void)err_nomem(err);
	} else {
		jinja_put_json(&json, v);
		m->file_root = root;
		m->file_json = buf_steal(&json);
		rc = m->file_json != NULL ? 0 : err_nomem(err);
	}
	buf_release(&json);
	diag_free(d);
	return rc;
}

/* Standard input for "-"; also what is no file but can be read: /dev/stdin, <(a command). */
static int
read_stream(const char *name, struct buf *out, struct err *err)
{
	bool in = strcmp(name, "-") == 0;
	int fd = in ? STDIN_FILENO : open(name, O_RDONLY | O_NOCTTY | O_CLOEXEC), rc;

	if (fd == -1)
		return err_sys(err, errno, "cannot open '%s'", name);
	rc = fsio_read_fd(fd, YAML_BYTES_MAX, out, err);
	if (!in)
		(void)close(fd);
	return rc != 0 ? err_wrap(err, "%s", in ? "standard input" : name) : 0;
}

/* What the file is called in messages. */
static const char *
params_name(const struct make *m)
{
	const char *name = m->o->params_file;

	return name != NULL && strcmp(name, "-") == 0 ? "standard input" : name;
}

static int
read_params_file(struct make *m, struct err *err)
{
	const char *name = m->o->params_file;
	size_t n = strlen(name);
	struct stat st;
	int rc;

	if (strcmp(name, "-") == 0 ||
	    (stat(name, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))))
		rc = read_stream(name, &m->file_text, err);
	else
		rc = fsio_read(AT_FDCWD, name, YAML_BYTES_MAX, &m->file_text, err);
	if (rc != 0)
		return rc;
	name = params_name(m);
	return n > 5 && strcmp(name + n - 5, ".json") == 0
		   ? json_file(&m->file_text, name, &m->file_json, err)
		   : yaml_file(m, &m->file_text, name, err);
}

static int
split_params(struct make *m, struct err *err)
{
	const struct opt_strings *in = &m->words.params;
	const char *eq;
	size_t i;

	m->args = arena_array(m->arena, in->n + 1, sizeof(*m->args));
	if (m->args == NULL)
		return err_nomem(err);
	for (i = 0; i < in->n; i++) {
		eq = strchr(in->v[i], '=');
		if (eq == NULL || eq == in->v[i])
			return err_set(err, ERR_INVALID,
				       "option '--param' takes NAME=VALUE, not '%s'",
				       in->v[i]);
		m->args[i].name =
		    arena_strndup(m->arena, in->v[i], (size_t)(eq - in->v[i]));
		m->args[i].text = eq + 1;
		if (m->args[i].name == NULL)
			return err_nomem(err);
	}
	return 0;
}

/* ---- the request ---- */

static int
check_values(struct make *m)
{
	struct run_values v = {.dag = m->l.source.dag,
			       .params = m->params,
			       .run_id = "00000000-0000-7000-8000-000000000000",
			       .logical_us = m->logical_us,
			       .interval_start_us = m->logical_us,
			       .interval_end_us = m->logical_us};

	return load_check_run(m->c, &m->l.project, &v, m->selected, &m->l.diag,
			      &m->l.source);
}

static int
select_what(struct make *m, struct err *err)
{
	if (m->words.stages)
		return stage_words_select(m->c, &m->words, &m->o->stages, &m->l, m->arena,
					  &m->selected, err);
	return selection_make(m->l.source.dag, &m->words.sel, m->arena, &m->selected,
			      err);
}

/* From options to values.  Return 0 or the exit code. */
static int
resolve(struct make *m)
{
	const struct dag *g = m->l.source.dag;
	struct param_file file = {.name = params_name(m)};
	struct err err = {0};
	int rc;

	m->logical_us = clock_now().wall_us;
	if (m->o->date != NULL && time_parse(m->o->date, &m->logical_us) != 0)
		return cli_usage(
		    m->c,
		    "option '--date' takes a date or an instant (2026-11-22, "
		    "2026-11-22T06:00:00Z), not '%s'",
		    m->o->date);
	if (m->o->params_file != NULL) {
		rc = read_params_file(m, &err);
		if (rc > 0)
			return EXIT_USAGE;
		if (rc < 0)
			return cli_fail(m->c, &err);
	}
	file.json = m->file_json;
	file.root = m->file_root;
	if (split_params(m, &err) != 0 ||
	    params_resolve_file(g, m->arena, m->args, m->words.params.n, &file,
				&m->params, &err) != 0 ||
	    select_what(m, &err) != 0)
		return cli_fail(m->c, &err);
	return check_values(m);
}

/* What is there, or comes from elsewhere, before the run begins. */
static int
begin_with(struct make *m)
{
	const struct dag_how *how = &m->o->how;
	int rc = how->pull && !how->no_run_cache ? run_fetch_runs(m->c) : 0;

	if (rc == 0 && m->words.stages && !m->words.single)
		rc = run_sources(m->c, m->l.source.dag, m->selected, how);
	return rc;
}

static int
start(struct make *m)
{
	struct session_request req = {
	    .dag = m->l.source.dag,
	    .file = m->l.source.rel,
	    .params = m->params,
	    .logical_us = m->o->date != NULL ? m->logical_us : 0,
	    .selected = m->selected,
	    .fail_fast = m->o->fail_fast || (m->words.stages && !m->o->stages.keep_going),
	    .how = m->o->how};
	struct run_autostage written = {0};
	char id[META_RUN_ID];
	struct err err = {0};
	struct work w = {0};
	int rc;

	if (load_own(m->c, &m->l, &err) != 0)
		return cli_fail(m->c, &err);
	rc = begin_with(m);
	if (rc != 0)
		return rc;
	if (run_autostage_begin(&m->l.project, req.dag, req.file, req.selected, m->arena,
				&written, &err) != 0)
		return cli_fail(m->c, &err);
	if (work_open(m->c, &m->l.project, &m->o->work, &w, &err) != 0 ||
	    session_settle(w.session, &err) != 0 ||
	    session_run(w.session, &req, id, &err) != 0)
		rc = cli_fail(m->c, &err);
	else
		rc = work_loop(&w, false);
	work_close(&w);
	return rc == EXIT_OK ? run_autostage_end(m->c, &written) : rc;
}

/* Whether there is anything to do: a word may name what no stage makes. */
static bool
nothing_selected(const struct make *m)
{
	for (size_t i = 0; i < m->l.source.dag->ntasks; i++)
		if (m->selected[i])
			return false;
	return true;
}

static int
run_loaded(struct make *m)
{
	struct dryrun d;
	int rc = resolve(m);

	if (rc != 0)
		return rc;
	if (nothing_selected(m)) {
		cli_note(m->c, "no stage makes what is named: there is nothing to run");
		return EXIT_OK;
	}
	if (!m->o->dry_run)
		return start(m);
	d = (struct dryrun){.c = m->c,
			    .project = &m->l.project,
			    .dag = m->l.source.dag,
			    .file = m->l.source.rel,
			    .params = m->params,
			    .selected = m->selected,
			    .logical_us = m->logical_us,
			    .how = m->o->how,
			    .json = m->o->work.json};
	return dryrun_put(&d);
}

/* What is to be run, as the words have it.  Return 0 or the exit code. */
static int
take_words(struct make *m)
{
	const struct run_opts *o = m->o;

	if (o->fail_fast && o->stages.keep_going)
		return cli_usage(
		    m->c, "options '--fail-fast' and '--keep-going' are opposites");
	return stage_words_take(m->c, &o->stages, &o->params, &o->sel, m->arena,
				&m->words);
}

static int
run_verb(struct cli *c, const void *opts)
{
	struct make m = {.c = c, .o = opts};
	struct err err = {0};
	int rc;

	buf_init(&m.file_text, 0);
	m.arena = arena_new(0);
	if (m.arena == NULL) {
		(void)err_nomem(&err);
		return cli_fail(c, &err);
	}
	rc = take_words(&m);
	if (rc == 0) {
		rc = m.words.stages ? stage_words_load(c, &m.words, &m.l)
				    : load_word(c, m.words.targets[0], &m.l);
		if (rc == 0)
			rc = run_loaded(&m);
		load_release(&m.l);
	}
	free(m.file_json);
	buf_release(&m.file_text);
	arena_free(m.arena);
	return rc;
}

const struct verb verb_run = {
    .name = "run",
    .group = GROUP_WORK,
    .summary = "run a DAG now, until it has ended",
    .args = "[FILE|NAME|STAGE] [STAGE...]",
    .max = (unsigned)-1,
    .doc =
	"Run a DAG in this terminal, with this environment, and wait for its end. The "
	"file needs no preparation: its directory becomes a project if it lies in none.\n"
	"\n"
	"Words may also name stages of dvc.yaml, as 'dvc repro' takes them: dvc.yaml, "
	"dvc.yaml:train, or train where there is a dvc.yaml (and no DAG of that name); "
	"without a word it is the dvc.yaml here. The stages run as soon as what they "
	"follow has ended, several at a time, in all dvc.yaml of the repository. The "
	"first failure ends the run unless --keep-going. Letters mean what they mean to "
	"DVC: -s STAGE runs it alone, -p STAGE with its pipeline.\n"
	"\n"
	"Ctrl-C stops the tasks (again: kills them) and cancels the run. If dag itself "
	"is "
	"killed, or the terminal goes away, the tasks go on; 'dag resume' takes over, "
	"and "
	"nothing that has succeeded is run again.\n"
	"\n"
	"Exit status 0 if all went well, 1 if the run failed, 2 if the file or a value "
	"is "
	"not valid (then nothing was started), 3 if dag itself could not go on.",
    .examples = "dag run pipe.yaml\ta file\n"
		"dag run demo -p rows=100\twith a parameter\n"
		"dag run demo --select +train\ttrain and all it needs\n"
		"dag run demo --dry-run\twhat would be done\n"
		"dag run\tthe stages of the dvc.yaml here\n"
		"dag run train -f\ta stage with what it needs, changed or not\n",
    .opts = run_opts,
    .size = sizeof(struct run_opts),
    .run = run_verb,
};
