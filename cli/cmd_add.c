/*
 * dag add: data is tracked.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/artifact.h"
#include "cli/artifact_glob.h"
#include "cli/cli.h"
#include "cli/imports.h"
#include "cli/opts.h"
#include "cli/verbs.h"
#include "store/track/add.h"
#include "store/track/problems.h"

struct add_opts {
	struct artifact_opts common;
	bool no_commit, force, no_relink, glob, to_remote;
	const char *out, *remote;
};

static const struct opt add_opts[] = {
    {.name = "glob",
     .kind = OPT_FLAG,
     .at = offsetof(struct add_opts, glob),
     .doc = "PATH is a pattern with * ? [ ] and **; pointers are never meant."},
    {.name = "no-commit",
     .kind = OPT_FLAG,
     .at = offsetof(struct add_opts, no_commit),
     .doc = "Only write the pointer; the data gets into the cache by 'dag commit'."},
    {.name = "no-relink",
     .kind = OPT_FLAG,
     .at = offsetof(struct add_opts, no_relink),
     .doc = "Leave the files as they are, even where cache.type asks for links."},
    {.name = "out",
     .letter = 'o',
     .kind = OPT_STRING,
     .at = offsetof(struct add_opts, out),
     .arg = "TO",
     .doc = "Copy the one PATH, from wherever it lies, or from a web server, to TO, and "
	    "track that."},
    {.name = "to-remote",
     .kind = OPT_FLAG,
     .at = offsetof(struct add_opts, to_remote),
     .doc = "Put the data of the one PATH on the remote, not into cache and work tree."},
    {.name = "remote",
     .letter = 'r',
     .kind = OPT_STRING,
     .at = offsetof(struct add_opts, remote),
     .arg = "REMOTE",
     .doc = "The remote of --to-remote (default: the default one)."},
    {.name = "force",
     .letter = 'f',
     .kind = OPT_FLAG,
     .at = offsetof(struct add_opts, force),
     .doc = "With --out: replace what is there."},
    ARTIFACT_JOBS(struct add_opts, common),
    ARTIFACT_QUIET(struct add_opts, common),
    {.name = NULL}};

struct add {
	struct artifact a;
	const struct add_opts *o;
	struct add_options work;
	struct add_item *items;
	size_t n;
	struct problems problems;
};

/* ---- the work ---- */

static int
git_tracks(void *arg, const char *path, struct err *err)
{
	return artifact_git_tracks(arg, path, err);
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct add *k = arg;

	(void)m;
	k->work = (struct add_options){
	    .root = k->a.track.root,
	    .list = &k->a.list,
	    .into_cache = !k->o->no_commit,
	    .relink = !k->o->no_relink && !k->o->no_commit,
	    .gitignore = k->a.track.gitignore,
	    .git_tracks = git_tracks,
	    .git = &k->a,
	};
	meter_begin(&k->a.meter, "hashing");
	if (add_paths(&k->a.ws, &k->work, k->items, k->n, k->a.arena, &k->problems,
		      err) != 0)
		return -1;
	return artifact_remember(&k->a, k->items, k->n, err);
}

static int
take_words(struct add *k, const char *const *words, size_t n, struct err *err)
{
	struct add_item *more = arena_array(k->a.arena, k->n + n + 1, sizeof(*more));

	if (more == NULL)
		return err_nomem(err);
	if (k->n > 0)
		memcpy(more, k->items, k->n * sizeof(*more));
	k->items = more;
	for (size_t i = 0; i < n; i++) {
		k->items[k->n].target = artifact_path(&k->a, words[i], err);
		if (k->items[k->n++].target == NULL)
			return -1;
	}
	return 0;
}

static int
find_targets(struct add *k, struct err *err)
{
	struct cli *c = k->a.c;
	const char **found;
	size_t n;

	if (!k->o->glob)
		return take_words(k, (const char *const *)c->args, c->nargs, err);
	for (size_t i = 0; i < c->nargs; i++)
		if (artifact_glob(c->args[i], k->a.arena, &found, &n, err) != 0 ||
		    take_words(k, found, n, err) != 0)
			return -1;
	return 0;
}

/* ---- telling ---- */

static void
put_items(struct add *k)
{
	for (size_t i = 0; i < k->n && !k->o->common.quiet; i++)
		artifact_put_item(&k->a, &k->items[i]);
}

static int
stage(struct add *k, struct err *err)
{
	const char **v = arena_array(k->a.arena, 2 * k->n + 1, sizeof(*v));
	size_t n = 0;

	if (v == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < k->n; i++) {
		const char *both[] = {k->items[i].file_changed ? k->items[i].file : NULL,
				      k->items[i].gitignore};

		for (size_t p = 0; p < 2; p++) {
			size_t at = 0;

			while (both[p] != NULL && at < n && strcmp(v[at], both[p]) != 0)
				at++;
			if (both[p] != NULL && at == n)
				v[n++] = both[p];
		}
	}
	return artifact_stage(&k->a, v, n, err);
}

/* ---- data from elsewhere ---- */

struct from {
	struct imports x;
	struct import_item item;
};

static int
from_work(void *arg, struct meter *m, struct err *err)
{
	struct from *k = arg;
	struct imports *x = &k->x;
	int r;

	(void)m;
	if (imports_prepare(x, err) != 0)
		return -1;
	x->work.plain = true;
	r = import_new(&x->a.ws, &x->work, &k->item, x->a.arena, &x->report, err);
	return imports_after(x, r, &k->item, err);
}

/* Without --out it keeps its place, or gets its name here if it has none in the project. */
static int
from_where(struct from *k, const char *path, const char *out, struct err *err)
{
	struct source *s = &k->item.source;

	if (imports_place(&k->x, path, out, &k->item, err) != 0)
		return -1;
	if (out == NULL && s->kind == SOURCE_PATH && s->inside != NULL)
		k->item.item.target = s->inside;
	return 0;
}

static int
check_from(struct cli *c, const struct add_opts *o)
{
	const char *which = o->out != NULL ? "--out" : "--to-remote";

	if (o->remote != NULL && !o->to_remote)
		return cli_usage(
		    c, "--remote says where --to-remote puts the data, and goes "
		       "with it only");
	if (c->nargs > 1)
		return cli_usage(c, "%s is for one PATH, not for %zu", which, c->nargs);
	if (o->glob || o->no_commit)
		return cli_usage(c, "%s does not go with %s", which,
				 o->glob ? "--glob" : "--no-commit");
	return EXIT_OK;
}

static int
add_from(struct cli *c, const struct add_opts *o)
{
	const struct imports_opts x = {.common = o->common,
				       .to_remote = o->to_remote,
				       .force = o->force,
				       .remote = o->remote};
	struct from k = {0};
	struct err err = {0};
	int rc, code = check_from(c, o);

	if (code != EXIT_OK)
		return code;
	rc = imports_begin(&k.x, c, &x, &err);
	if (rc == 0)
		rc = from_where(&k, c->args[0], o->out, &err);
	if (rc == 0)
		rc = artifact_work(&k.x.a, from_work, &k, &err);
	code =
	    rc == 0 ? imports_tell(&k.x, &k.item, 1, &err) : artifact_fail(&k.x.a, &err);
	imports_end(&k.x);
	return code;
}

static int
add_verb(struct cli *c, const void *opts)
{
	struct add k = {.o = opts};
	struct err err = {0};
	int rc, code = EXIT_OK;

	if (k.o->out != NULL || k.o->to_remote || k.o->remote != NULL)
		return add_from(c, k.o);
	problems_init(&k.problems);
	rc = artifact_open(c, &k.o->common, true, &k.a, &err);
	if (rc == 0)
		rc = track_begins(&k.a.track, &err);
	if (rc == 0)
		rc = find_targets(&k, &err);
	if (rc == 0)
		rc = artifact_work(&k.a, work, &k, &err);
	if (rc == 0) {
		put_items(&k);
		rc = stage(&k, &err);
	}
	if (rc != 0)
		code = artifact_fail(&k.a, &err);
	if (k.problems.count > 0) {
		artifact_problems(&k.a, &k.problems);
		code = code == EXIT_OK ? EXIT_WORK : code;
	}
	problems_release(&k.problems);
	artifact_close(&k.a);
	return code;
}

const struct verb verb_add = {
    .name = "add",
    .group = GROUP_DATA,
    .summary = "track files or directories by their content",
    .args = "PATH...",
    .min = 1,
    .max = (unsigned)-1,
    .doc =
	"Take the content of each PATH into the cache and write a pointer beside it, "
	"PATH.dvc, which is what git keeps; PATH itself is entered into .gitignore. A "
	"directory is tracked as one thing. A PATH in a tracked directory becomes part "
	"of "
	"that, as does its removal where it does not exist any more; the rest of the "
	"directory is not looked at.\n"
	"\n"
	"What was hashed before and has not changed is not read again. Symbolic links to "
	"files are tracked as the files that they lead to. Nothing is recorded before it "
	"is durable: interrupted, the same command goes on.",
    .examples = "dag add data/raw\ttrack a directory\n"
		"dag add model.onnx metrics.json\ttwo files\n"
		"dag add data/raw/new.csv\tone more file of it",
    .opts = add_opts,
    .size = sizeof(struct add_opts),
    .run = add_verb,
};
