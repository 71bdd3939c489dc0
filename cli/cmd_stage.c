/*
 * dag stage: stages of dvc.yaml, added and listed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/artifact.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/stage_list.h"
#include "cli/stages.h"
#include "cli/verbs.h"
#include "store/dvc/relpath.h"
#include "store/track/edit_add.h"
#include "store/track/edit_stage.h"

/* How outputs are given; what they are then stands in out_kinds. */
enum {
	OUTS,
	OUTS_NO_CACHE,
	OUTS_PERSIST,
	OUTS_PERSIST_NO_CACHE,
	METRICS,
	METRICS_NO_CACHE,
	PLOTS,
	PLOTS_NO_CACHE,
	OUT_KINDS
};

struct stage_opts {
	struct artifact_opts common;
	const char *name, *wdir, *desc;
	struct opt_strings deps, params, outs[OUT_KINDS];
	bool always_changed, force, run;
	bool all, recursive, name_only, fail;
};

static const struct {
	enum dvc_out_kind kind;
	bool cache, persist;
} out_kinds[OUT_KINDS] = {
    [OUTS] = {DVC_OUT, true, false},
    [OUTS_NO_CACHE] = {DVC_OUT, false, false},
    [OUTS_PERSIST] = {DVC_OUT, true, true},
    [OUTS_PERSIST_NO_CACHE] = {DVC_OUT, false, true},
    [METRICS] = {DVC_METRIC, true, false},
    [METRICS_NO_CACHE] = {DVC_METRIC, false, false},
    [PLOTS] = {DVC_PLOT, true, false},
    [PLOTS_NO_CACHE] = {DVC_PLOT, false, false},
};

/* The order in which DVC enters them into .gitignore. */
static const uint8_t order[OUT_KINDS] = {
    OUTS_PERSIST, OUTS_PERSIST_NO_CACHE, METRICS,	METRICS_NO_CACHE,
    PLOTS,	  PLOTS_NO_CACHE,	 OUTS_NO_CACHE, OUTS};

#define OUT_ROW(long_name, short_name, which, text)                               \
	{                                                                         \
		.name = (long_name), .letter = (short_name), .kind = OPT_STRINGS, \
		.at = offsetof(struct stage_opts, outs[which]), .arg = "PATH",    \
		.doc = (text)                                                     \
	}

static const struct opt stage_opts[] = {
    {.name = "name",
     .letter = 'n',
     .kind = OPT_STRING,
     .at = offsetof(struct stage_opts, name),
     .arg = "STAGE",
     .doc = "With add: the name of the stage; it has to be given."},
    {.name = "deps",
     .letter = 'd',
     .kind = OPT_STRINGS,
     .at = offsetof(struct stage_opts, deps),
     .arg = "PATH",
     .doc = "With add: a file or directory that it needs. May be given again, as all "
	    "options with a PATH."},
    {.name = "params",
     .letter = 'p',
     .kind = OPT_STRINGS,
     .at = offsetof(struct stage_opts, params),
     .arg = "PARAM",
     .doc = "With add: params that it needs, as [FILE:]KEY,KEY; FILE is params.yaml "
	    "unless given, and 'FILE:' is all of it."},
    OUT_ROW("outs", 'o', OUTS, "With add: a file or directory that it makes."),
    OUT_ROW("outs-no-cache", 'O', OUTS_NO_CACHE,
	    "With add: the same, but not for the cache: git may keep it."),
    OUT_ROW("outs-persist", 0, OUTS_PERSIST,
	    "With add: the same as --outs, but not removed before a run."),
    OUT_ROW("outs-persist-no-cache", 0, OUTS_PERSIST_NO_CACHE,
	    "With add: neither for the cache, nor removed before a run."),
    OUT_ROW("metrics", 'm', METRICS, "With add: a file of metrics that it makes."),
    OUT_ROW("metrics-no-cache", 'M', METRICS_NO_CACHE,
	    "With add: the same, but not for the cache."),
    OUT_ROW("plots", 0, PLOTS, "With add: data of plots that it makes."),
    OUT_ROW("plots-no-cache", 0, PLOTS_NO_CACHE,
	    "With add: the same, but not for the cache."),
    {.name = "wdir",
     .letter = 'w',
     .kind = OPT_STRING,
     .at = offsetof(struct stage_opts, wdir),
     .arg = "DIR",
     .doc = "With add: the directory in which it works; its PATHs are as seen from "
	    "there."},
    {.name = "always-changed",
     .kind = OPT_FLAG,
     .at = offsetof(struct stage_opts, always_changed),
     .doc = "With add: it is run each time, whatever has changed."},
    {.name = "desc",
     .kind = OPT_STRING,
     .at = offsetof(struct stage_opts, desc),
     .arg = "TEXT",
     .doc = "With add: what it is for, for people."},
    {.name = "run",
     .kind = OPT_FLAG,
     .at = offsetof(struct stage_opts, run),
     .doc = "With add: then run it, by itself; if that fails it stays in dvc.yaml."},
    {.name = "force",
     .letter = 'f',
     .kind = OPT_FLAG,
     .at = offsetof(struct stage_opts, force),
     .doc = "With add: replace the stage of that name; its description and what is "
	    "said of its outputs besides stay."},
    {.name = "all",
     .kind = OPT_FLAG,
     .at = offsetof(struct stage_opts, all),
     .doc = "With list: those of all dvc.yaml and .dvc files."},
    {.name = "recursive",
     .letter = 'R',
     .kind = OPT_FLAG,
     .at = offsetof(struct stage_opts, recursive),
     .doc = "With list: a STAGE may be a directory, for all that is below it."},
    {.name = "name-only",
     .kind = OPT_FLAG,
     .at = offsetof(struct stage_opts, name_only),
     .doc = "With list: print the names alone."},
    {.name = "names-only",
     .kind = OPT_FLAG,
     .at = offsetof(struct stage_opts, name_only)},
    {.name = "fail",
     .kind = OPT_FLAG,
     .at = offsetof(struct stage_opts, fail),
     .doc = "With list: stop at files that have mistakes; else they are left out."},
    ARTIFACT_QUIET(struct stage_opts, common),
    {.name = NULL}};

struct adding {
	struct artifact a;
	const struct stage_opts *o;
	struct edit_add work;
	char **command;
	size_t n;
};

/* ---- the words of a new stage ---- */

/* One word is the command; several are put together as DVC does, which quotes those with
 * blanks, and nothing else. */
static const char *
join(struct adding *k, struct err *err)
{
	const char *text;
	struct buf b;

	buf_init(&b, DVC_YAML_MAX);
	for (size_t i = 0; i < k->n; i++) {
		const char *word = k->command[i];
		bool quote = k->n > 1 && (*word == '\0' || (strchr(word, ' ') != NULL &&
							    strchr(word, '"') == NULL));

		buf_addf(&b, "%s%s%s%s", i > 0 ? " " : "", quote ? "\"" : "", word,
			 quote ? "\"" : "");
	}
	text = buf_failed(&b) ? NULL : arena_strdup(k->a.arena, b.p);
	buf_release(&b);
	if (text == NULL)
		(void)err_set(err, ERR_LIMIT, "the command is too long");
	return text;
}

static struct dvc_yaml_params *
params_of(struct adding *k, const char *file)
{
	struct dvc_yaml_stage *s = &k->work.stage;

	for (size_t i = 0; i < s->nparams; i++)
		if (strcmp(s->params[i].file, file) == 0)
			return &s->params[i];
	s->params[s->nparams].file = file;
	return &s->params[s->nparams++];
}

/* "[FILE:]KEY,KEY"; keys that are empty are none. */
static int
take_params(struct adding *k, const char *word, struct err *err)
{
	const char *colon = strrchr(word, ':');
	const char *file = colon == NULL || colon == word
			       ? "params.yaml"
			       : arena_strndup(k->a.arena, word, (size_t)(colon - word));
	char *keys = arena_strdup(k->a.arena, colon != NULL ? colon + 1 : word), *key;
	struct dvc_yaml_params *p;
	const char **more;
	size_t n = 1;

	if (file == NULL || keys == NULL)
		return err_nomem(err);
	for (const char *q = keys; *q != '\0'; q++)
		n += *q == ',';
	p = params_of(k, file);
	more = arena_array(k->a.arena, p->n + n, sizeof(*more));
	if (more == NULL)
		return err_nomem(err);
	if (p->n > 0)
		memcpy(more, p->keys, p->n * sizeof(*more));
	p->keys = more;
	while ((key = strsep(&keys, ",")) != NULL)
		if (*key != '\0')
			p->keys[p->n++] = key;
	return 0;
}

static int
take_outs(struct adding *k, struct err *err)
{
	struct dvc_yaml_stage *s = &k->work.stage;
	size_t n = 0;

	for (size_t i = 0; i < OUT_KINDS; i++)
		n += k->o->outs[i].n;
	s->outs = arena_array(k->a.arena, n + 1, sizeof(*s->outs));
	if (s->outs == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < OUT_KINDS; i++)
		for (size_t p = 0; p < k->o->outs[order[i]].n; p++)
			s->outs[s->nouts++] =
			    (struct dvc_yaml_out){.path = k->o->outs[order[i]].v[p],
						  .kind = out_kinds[order[i]].kind,
						  .cache = out_kinds[order[i]].cache,
						  .persist = out_kinds[order[i]].persist,
						  .push = true};
	return 0;
}

/* Where it works, as seen from its file, which is here. */
static int
take_wdir(struct adding *k, struct err *err)
{
	const char *here = *k->a.cwd != '\0' ? k->a.cwd : ".";
	struct buf full, seen;

	if (k->o->wdir == NULL || *k->o->wdir == '\0')
		return 0;
	buf_init(&full, 0);
	buf_init(&seen, 0);
	edit_place(k->a.track.root, here, k->o->wdir, &full);
	if (*full.p == '/')
		buf_add(&seen, full.p, full.n);
	else
		dvc_relpath(&seen, here, full.p);
	k->work.stage.wdir = buf_failed(&full) || buf_failed(&seen)
				 ? NULL
				 : arena_strdup(k->a.arena, seen.p);
	buf_release(&seen);
	buf_release(&full);
	return k->work.stage.wdir != NULL ? 0 : err_nomem(err);
}

static int
take_stage(struct adding *k, struct err *err)
{
	struct dvc_yaml_stage *s = &k->work.stage;
	const struct stage_opts *o = k->o;

	*s =
	    (struct dvc_yaml_stage){.name = o->name, .always_changed = o->always_changed};
	s->cmd = arena_array(k->a.arena, 1, sizeof(*s->cmd));
	s->deps = arena_array(k->a.arena, o->deps.n + 1, sizeof(*s->deps));
	s->params = arena_array(k->a.arena, o->params.n + 1, sizeof(*s->params));
	if (s->cmd == NULL || s->deps == NULL || s->params == NULL)
		return err_nomem(err);
	s->cmd[s->ncmd++] = join(k, err);
	if (s->cmd[0] == NULL)
		return -1;
	for (size_t i = 0; i < o->deps.n; i++)
		s->deps[s->ndeps++].path = o->deps.v[i];
	for (size_t i = 0; i < o->params.n; i++)
		if (take_params(k, o->params.v[i], err) != 0)
			return -1;
	return take_outs(k, err) == 0 ? take_wdir(k, err) : -1;
}

/* ---- add ---- */

static int
git_tracks(void *arg, const char *path, struct err *err)
{
	return artifact_git_tracks(arg, path, err);
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct adding *k = arg;

	(void)m;
	k->work.root = k->a.track.root;
	k->work.list = &k->a.list;
	k->work.ws = &k->a.ws;
	k->work.gitignore = k->a.track.gitignore;
	k->work.git_tracks = git_tracks;
	k->work.git = &k->a;
	k->work.force = k->o->force;
	k->work.desc = k->o->desc;
	return edit_add(&k->work, k->a.arena, err);
}

static int
tell(struct adding *k, struct err *err)
{
	struct buf *out = &k->a.c->out;

	for (size_t i = 0; i < k->work.nhomeless; i++)
		cli_warn(k->a.c,
			 "'%s' is not in .gitignore yet, as its directory is not there",
			 k->work.homeless[i]);
	if (!k->o->common.quiet) {
		buf_addf(out, "%s  %s ", k->o->name,
			 k->work.replaced ? "replaced in" : "added to");
		artifact_put_path(&k->a, k->work.file, out);
		buf_addc(out, '\n');
	}
	return artifact_stage(&k->a, k->work.changed, k->work.nchanged, err);
}

static int
add(struct cli *c, const struct stage_opts *o)
{
	struct adding k = {.o = o, .command = c->args + 1, .n = c->nargs - 1};
	struct err err = {0};
	int rc, code = EXIT_OK;

	rc = artifact_open(c, &o->common, true, &k.a, &err);
	if (rc == 0)
		rc = track_begins(&k.a.track, &err);
	if (rc == 0 && (k.work.file = stages_here(&k.a, &err)) == NULL)
		rc = -1;
	if (rc == 0)
		rc = take_stage(&k, &err);
	if (rc == 0)
		rc = artifact_work(&k.a, work, &k, &err);
	if (rc == 0)
		rc = tell(&k, &err);
	if (rc != 0)
		code = artifact_fail(&k.a, &err);
	artifact_close(&k.a);
	return code;
}

/* `dag run -s dvc.yaml:NAME`, as if it were called. */
static int
run_it(struct cli *c, const struct stage_opts *o)
{
	const struct verb *v = &verb_run;
	void *values = calloc(1, v->size);
	struct opts_target t = {.table = v->opts, .values = values};
	char *select = NULL, quiet[] = "--progress=none", *argv[3];
	struct err err = {0};
	size_t n = 0;
	int rc;

	if (values == NULL || asprintf(&select, "--select=dvc.yaml:%s", o->name) < 0) {
		free(values);
		(void)err_nomem(&err);
		return cli_fail(c, &err);
	}
	argv[n++] = select;
	if (o->common.quiet)
		argv[n++] = quiet;
	argv[n] = NULL;
	c->nargs = 0;
	opts_init(&t);
	rc = opts_parse(&t, 1, true, argv, &n, &err) == 0 ? v->run(c, values)
							  : cli_fail(c, &err);
	opts_release(&t);
	free(values);
	free(select);
	return rc;
}

/* ---- the call ---- */

static bool
is_for_add(const struct stage_opts *o)
{
	bool any = o->name != NULL || o->wdir != NULL || o->desc != NULL ||
		   o->deps.n > 0 || o->params.n > 0 || o->always_changed || o->force ||
		   o->run;

	for (size_t i = 0; i < OUT_KINDS; i++)
		any = any || o->outs[i].n > 0;
	return any;
}

static int
stage_verb(struct cli *c, const void *opts)
{
	const struct stage_opts *o = opts;
	const char *what = c->args[0];
	struct stage_list list = {.common = &o->common,
				  .words = c->args + 1,
				  .n = c->nargs - 1,
				  .all = o->all,
				  .recursive = o->recursive,
				  .name_only = o->name_only,
				  .fail = o->fail};
	int rc;

	if (strcmp(what, "list") == 0) {
		if (is_for_add(o))
			return cli_usage(
			    c, "that option has no meaning for 'dag stage list'");
		return stage_list(c, &list);
	}
	if (strcmp(what, "add") != 0)
		return cli_usage(
		    c, "'%s' is nothing that stage can do: it is one of add and list",
		    what);
	if (o->all || o->recursive || o->name_only || o->fail)
		return cli_usage(c, "that option has no meaning for 'dag stage add'");
	if (o->name == NULL)
		return cli_usage(c, "the stage needs a name: --name STAGE");
	if (c->nargs < 2)
		return cli_usage(c,
				 "the stage needs a command: dag stage add -n %s ... "
				 "COMMAND",
				 o->name);
	rc = add(c, o);
	return rc == EXIT_OK && o->run ? run_it(c, o) : rc;
}

const struct verb verb_stage = {
    .name = "stage",
    .group = GROUP_DATA,
    .summary = "add stages to dvc.yaml, list those that there are",
    .args = "add|list [STAGE...]",
    .min = 1,
    .max = (unsigned)-1,
    .command = "add",
    .doc =
	"  dag stage add -n STAGE [OPTION...] COMMAND...  a new stage\n"
	"  dag stage list [STAGE...]                      what there is\n"
	"\n"
	"Add writes a stage into dvc.yaml in the directory where it is called, which is "
	"made if there is none; comments and layout of the rest stay. What the cache is "
	"to keep is entered into .gitignore. Options stand before COMMAND: what follows "
	"its first word belongs to it. Without --run nothing is run, and nothing has to "
	"be "
	"there yet but the directory to work in. Outputs in one another, circles and "
	"names that "
	"are taken are refused.\n"
	"\n"
	"List shows the stages of dvc.yaml here, or those of each STAGE: a name, one "
	"that "
	"foreach or matrix stands behind, FILE:STAGE, a dvc.yaml or a .dvc file.",
    .examples =
	"dag stage add -n train -d data -p lr -o model.pkl python train.py\ta stage\n"
	"dag stage add -n eval -d model.pkl -M metrics.json ./eval.sh -v\tits metrics "
	"are "
	"for git\n"
	"dag stage list --all\tof the whole repository",
    .opts = stage_opts,
    .size = sizeof(struct stage_opts),
    .run = stage_verb,
};
