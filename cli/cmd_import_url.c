/*
 * dag import-url: data from elsewhere is brought in and tracked, with the place it came from.
 */
#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/imports.h"
#include "cli/opts.h"
#include "cli/verbs.h"

struct import_url_opts {
	struct imports_opts x;
	bool no_exec, version_aware;
	struct opt_strings fs_config;
};

static const struct opt import_url_opts[] = {
    {.name = "no-exec",
     .kind = OPT_FLAG,
     .at = offsetof(struct import_url_opts, no_exec),
     .doc = "Only write the pointer; the source is not even looked at."},
    IMPORTS_OPTS(struct import_url_opts, x),
    {.name = "version-aware",
     .kind = OPT_FLAG,
     .at = offsetof(struct import_url_opts, version_aware),
     .doc = NULL},
    {.name = "fs-config",
     .kind = OPT_STRINGS,
     .at = offsetof(struct import_url_opts, fs_config),
     .arg = "NAME=VALUE",
     .doc = NULL},
    ARTIFACT_JOBS(struct import_url_opts, x.common),
    ARTIFACT_QUIET(struct import_url_opts, x.common),
    {.name = NULL}};

struct import_url {
	struct imports x;
	const struct import_url_opts *o;
	struct import_item item;
};

static int
check(const struct import_url_opts *o, struct err *err)
{
	if (o->version_aware)
		return err_set(
		    err, ERR_INVALID,
		    "--version-aware is for clouds that keep versions of a file, "
		    "which this version does not speak to: without it the ETag "
		    "tells when a file has changed");
	if (o->fs_config.n > 0)
		return err_set(err, ERR_INVALID,
			       "--fs-config is for sources with settings; paths and web "
			       "servers have none");
	if (o->no_exec && (o->x.to_remote || o->x.no_download))
		return err_set(err, ERR_INVALID,
			       "--no-exec looks at no source: it goes neither with "
			       "--no-download nor with --to-remote");
	return 0;
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct import_url *k = arg;

	(void)m;
	return imports_new(&k->x, k->o->no_exec, &k->item, err);
}

static int
import_url_verb(struct cli *c, const void *opts)
{
	struct import_url k = {.o = opts};
	struct err err = {0};
	int rc, code;

	rc = imports_begin(&k.x, c, &k.o->x, &err);
	if (rc == 0)
		rc = track_begins(&k.x.a.track, &err);
	if (rc == 0)
		rc = check(k.o, &err);
	if (rc == 0)
		rc = imports_place(&k.x, c->args[0], c->nargs > 1 ? c->args[1] : NULL,
				   &k.item, &err);
	if (rc == 0 && strcmp(k.item.source.name, k.item.source.url) != 0 &&
	    k.item.source.kind == SOURCE_HTTP)
		cli_warn(
		    c,
		    "the password in '%s' is written into the pointer, which git keeps",
		    k.item.source.name);
	if (rc == 0)
		rc = artifact_work(&k.x.a, work, &k, &err);
	code =
	    rc == 0 ? imports_tell(&k.x, &k.item, 1, &err) : artifact_fail(&k.x.a, &err);
	imports_end(&k.x);
	return code;
}

const struct verb verb_import_url = {
    .name = "import-url",
    .group = GROUP_DATA,
    .summary = "bring in and track data from a path or a web server",
    .args = "URL [PATH]",
    .min = 1,
    .max = 2,
    .doc =
	"Copy the file or directory at URL to PATH (default: its own name, here) and "
	"track "
	"it. URL is a path of this machine, file:///PATH, http://... or https://.... The "
	"pointer remembers where the data came from and what it was like there (its "
	"hash; of "
	"a web server, its ETag), so that 'dag update' tells whether it has changed and "
	"brings what is there then, and 'dag pull' gets it from there if no cache and no "
	"remote has it any more.\n"
	"\n"
	"Nothing in the project is changed before all of the data has come: a file that "
	"is "
	"cut short is not stored. Redirections are followed, to http and https only; a "
	"server that is busy or a connection that breaks is tried three times.",
    .examples = "dag import-url https://example.com/data.csv\ta file of a web server\n"
		"dag import-url /mnt/share/images data/images\ta directory\n"
		"dag import-url --to-remote /mnt/big/set\tits data only to the remote",
    .opts = import_url_opts,
    .size = sizeof(struct import_url_opts),
    .run = import_url_verb,
};
