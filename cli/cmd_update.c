/*
 * dag update: imported data is looked for at its source again.
 */
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/artifact_select.h"
#include "cli/cli.h"
#include "cli/imports.h"
#include "cli/opts.h"
#include "cli/verbs.h"

struct update_opts {
	struct imports_opts x;
	bool recursive;
	const char *rev;
};

static const struct opt update_opts[] = {
    {.name = "recursive",
     .letter = 'R',
     .kind = OPT_FLAG,
     .at = offsetof(struct update_opts, recursive),
     .doc = "A TARGET that is a directory means all imports in it."},
    {.name = "rev",
     .kind = OPT_STRING,
     .at = offsetof(struct update_opts, rev),
     .arg = "REV",
     .doc = "The revision of the other repository that is wanted from now on."},
    IMPORTS_OPTS(struct update_opts, x),
    ARTIFACT_JOBS(struct update_opts, x.common),
    ARTIFACT_QUIET(struct update_opts, x.common),
    {.name = NULL}};

struct update {
	struct imports x;
	const struct update_opts *o;
	struct import_item *items;
	size_t n;
};

static int
check(const struct update *k, const struct track_out *o, struct err *err)
{
	if (!import_has_source(o))
		return err_set(err, ERR_INVALID,
			       o->import
				   ? "'%s' was imported from a database: this version "
				     "cannot look there ('dvc update' can)"
				   : "'%s' was not imported: nothing says where it would "
				     "come from",
			       o->path);
	if (k->o->rev != NULL && !import_of_repo(o))
		return err_set(err, ERR_INVALID,
			       "--rev is a revision of another repository, and '%s' was "
			       "imported by address",
			       o->path);
	if (k->o->x.to_remote && import_of_repo(o))
		return err_set(err, ERR_INVALID,
			       "--to-remote is not for '%s': what comes from another "
			       "repository is never pushed, but got from there again",
			       o->path);
	return 0;
}

static int
find(struct update *k, struct err *err)
{
	struct artifact *a = &k->x.a;
	struct artifact_target *v;
	size_t n;

	if (artifact_select(a, a->c->args, a->c->nargs,
			    artifact_how(k->o->recursive, 0, 0), &v, &n, err) != 0)
		return -1;
	k->items = arena_array(a->arena, n + 1, sizeof(*k->items));
	if (k->items == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		/* Of a directory those that are meant are the imports. */
		if (k->o->recursive && !v[i].out->import)
			continue;
		if (v[i].only != NULL)
			return err_set(
			    err, ERR_INVALID,
			    "'%s' lies in '%s', which is imported as one thing",
			    v[i].only, v[i].out->path);
		if (check(k, v[i].out, err) != 0)
			return -1;
		k->items[k->n++].out = v[i].out;
	}
	return 0;
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct update *k = arg;
	struct imports *x = &k->x;

	(void)m;
	if (find(k, err) != 0 || imports_prepare(x, err) != 0)
		return -1;
	x->work.rev = k->o->rev;
	for (size_t i = 0; i < k->n; i++) {
		int r = import_update(&x->a.ws, &x->work, &k->items[i], x->a.arena,
				      &x->report, err);

		if (imports_after(x, r, &k->items[i], err) != 0)
			return -1;
	}
	return 0;
}

static int
update_verb(struct cli *c, const void *opts)
{
	struct update k = {.o = opts};
	struct err err = {0}, unused = {0};
	int rc, code;

	rc = imports_begin(&k.x, c, &k.o->x, &err);
	if (rc == 0)
		rc = artifact_work(&k.x.a, work, &k, &err);
	/* What was done before it ended is told, too. */
	code = imports_tell(&k.x, k.items, k.n, rc == 0 ? &err : &unused);
	if (rc != 0)
		code = artifact_fail(&k.x.a, &err);
	imports_end(&k.x);
	return code;
}

const struct verb verb_update = {
    .name = "update",
    .group = GROUP_DATA,
    .summary = "bring imported data up to date with its source",
    .args = "TARGET...",
    .min = 1,
    .max = (unsigned)-1,
    .doc =
	"Look at the source of each TARGET (a pointer file or a path that 'dag "
	"import-url' "
	"made) again. Where it is not what the pointer says (another hash; of a web "
	"server, "
	"another ETag; of a repository, another commit), its data is fetched, put in "
	"place and recorded; else nothing is "
	"fetched, and only files that are missing here are made again.\n"
	"\n"
	"Files that were changed here and are in no cache are not overwritten: they are "
	"named, and what they belong to stays as it is. One TARGET after the other; "
	"interrupted, the same command goes on.",
    .examples = "dag update data.csv.dvc\tone import\n"
		"dag update -R .\tall of them",
    .opts = update_opts,
    .size = sizeof(struct update_opts),
    .run = update_verb,
};
