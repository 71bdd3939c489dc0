/*
 * dag import: data of another repository is brought in and tracked, with the commit that it was at.
 */
#include <stddef.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/imports.h"
#include "cli/opts.h"
#include "cli/verbs.h"

struct import_opts {
	struct imports_opts x;
	const char *out, *rev;
	bool no_exec;
};

static const struct opt import_opts[] = {
    {.name = "out",
     .letter = 'o',
     .kind = OPT_STRING,
     .at = offsetof(struct import_opts, out),
     .arg = "TO",
     .doc = "Where it shall be, or the directory that it goes into (default: its name, "
	    "here)."},
    {.name = "rev",
     .kind = OPT_STRING,
     .at = offsetof(struct import_opts, rev),
     .arg = "REV",
     .doc = "The revision that is wanted, also of later updates: a commit, a branch, a "
	    "tag (default: HEAD)."},
    {.name = "no-exec",
     .kind = OPT_FLAG,
     .at = offsetof(struct import_opts, no_exec),
     .doc = "Only write the pointer; the repository is not even looked at."},
    {.name = "no-download",
     .kind = OPT_FLAG,
     .at = offsetof(struct import_opts, x.no_download),
     .doc = "Only record the commit; 'dag update' gets the data."},
    {.name = "force",
     .letter = 'f',
     .kind = OPT_FLAG,
     .at = offsetof(struct import_opts, x.force),
     .doc = "Replace what is there, also what is nowhere else."},
    ARTIFACT_JOBS(struct import_opts, x.common),
    ARTIFACT_QUIET(struct import_opts, x.common),
    {.name = NULL}};

struct import_repo {
	struct imports x;
	const struct import_opts *o;
	struct import_item item;
};

static int
prepare(struct import_repo *k, struct err *err)
{
	struct artifact *a = &k->x.a;

	if (k->o->no_exec && k->o->x.no_download)
		return err_set(err, ERR_INVALID,
			       "--no-exec looks at no repository: it does not go with "
			       "--no-download");
	if (source_of_repo(a->arena, a->track.root, a->c->args[0], a->c->args[1],
			   k->o->rev, &k->item.source, err) != 0)
		return -1;
	return imports_target(&k->x, k->item.source.path, k->o->out, &k->item, err);
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct import_repo *k = arg;

	(void)m;
	return imports_new(&k->x, k->o->no_exec, &k->item, err);
}

static int
import_verb(struct cli *c, const void *opts)
{
	struct import_repo k = {.o = opts};
	struct err err = {0};
	int rc, code;

	rc = imports_begin(&k.x, c, &k.o->x, &err);
	if (rc == 0)
		rc = prepare(&k, &err);
	if (rc == 0)
		rc = artifact_work(&k.x.a, work, &k, &err);
	code =
	    rc == 0 ? imports_tell(&k.x, &k.item, 1, &err) : artifact_fail(&k.x.a, &err);
	imports_end(&k.x);
	return code;
}

const struct verb verb_import = {
    .name = "import",
    .group = GROUP_DATA,
    .summary = "bring in and track data from another repository",
    .args = "URL PATH",
    .min = 2,
    .max = 2,
    .doc = "Copy PATH of the repository at URL (a directory, or what git fetches from; "
	   "'dag ls' "
	   "lists it) to here, and track it. What is taken is what is committed there: "
	   "files of "
	   "git as well as data that is tracked by content. The pointer remembers the "
	   "repository, the path and the commit, so that 'dag update' brings what a "
	   "later one "
	   "has, and 'dag pull' gets the data from there again; it is never pushed from "
	   "here.",
    .examples =
	"dag import https://example.com/team/data.git models/best.onnx\tone file\n"
	"dag import --rev v1.0 ../other data/raw -o data/raw\ta directory of a "
	"revision",
    .opts = import_opts,
    .size = sizeof(struct import_opts),
    .run = import_verb,
};
