/*
 * dag pull: fetch, then checkout.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/exchange.h"
#include "cli/verbs.h"

struct pull_opts {
	struct exchange_opts x;
	bool force;
};

static const struct opt pull_opts[] = {
    EXCHANGE_OPTS(struct pull_opts, x),
    {.name = "force",
     .letter = 'f',
     .kind = OPT_FLAG,
     .at = offsetof(struct pull_opts, force),
     .doc = "Overwrite and remove also files whose content is nowhere else."},
    {.name = "allow-missing",
     .kind = OPT_FLAG,
     .at = offsetof(struct pull_opts, x.allow_missing),
     .doc = "Take what there is; it is no failure that other objects are missing."},
    {.name = "verify",
     .kind = OPT_FLAG,
     .at = offsetof(struct pull_opts, x.verify),
     .doc = "Read what the cache has already, and replace what is damaged there."},
    ARTIFACT_JOBS(struct pull_opts, x.common),
    ARTIFACT_QUIET(struct pull_opts, x.common),
    {.name = NULL}};

/* The same words given to `dag checkout`. */
static int
check_out(struct cli *c, const struct pull_opts *o)
{
	const struct verb *v = &verb_checkout;
	void *values = calloc(1, v->size);
	struct opts_target t = {.table = v->opts, .values = values};
	char force[] = "--force", missing[] = "--allow-missing";
	char deps[] = "--with-deps", recursive[] = "--recursive", quiet[] = "--quiet",
	     glob[] = "--glob", jobs[32], *argv[9];
	struct err err;
	size_t n = 0;
	int rc;

	if (values == NULL) {
		(void)err_nomem(&err);
		return cli_fail(c, &err);
	}
	if (o->force)
		argv[n++] = force;
	if (o->x.allow_missing)
		argv[n++] = missing;
	if (o->x.recursive)
		argv[n++] = recursive;
	if (o->x.deps)
		argv[n++] = deps;
	if (o->x.glob)
		argv[n++] = glob;
	if (o->x.common.quiet)
		argv[n++] = quiet;
	if (o->x.common.jobs.set) {
		(void)snprintf(jobs, sizeof(jobs), "--jobs=%llu",
			       (unsigned long long)o->x.common.jobs.v);
		argv[n++] = jobs;
	}
	argv[n] = NULL;
	opts_init(&t);
	rc = opts_parse(&t, 1, true, argv, &n, &err) == 0 ? v->run(c, values)
							  : cli_fail(c, &err);
	opts_release(&t);
	free(values);
	return rc;
}

static int
pull_verb(struct cli *c, const void *opts)
{
	const struct pull_opts *o = opts;
	int rc = exchange_verb(c, &o->x, false), out;

	/* What came is checked out even where other things did not. */
	if (rc != EXIT_OK && rc != EXIT_WORK)
		return rc;
	out = check_out(c, o);
	return out != EXIT_OK ? out : rc;
}

const struct verb verb_pull = {
    .name = "pull",
    .group = GROUP_DATA,
    .summary = "get tracked data from a remote into the work tree",
    .args = "[TARGET...]",
    .max = (unsigned)-1,
    .doc =
	"Get what the pointers name (or each TARGET: a pointer file, a tracked path, a "
	"path in one) from the remote into the cache, then bring the files of the work "
	"tree to it: 'dag fetch' and 'dag checkout' in one, with the promises of both. "
	"What is damaged on the remote is named, and neither stored nor checked out; the "
	"rest is. Files that the cache does not have are not overwritten.\n"
	"\n"
	"A task of a run does it with 'type: pull' ('dag help type:pull').",
    .examples = "git clone URL && cd NAME && dag pull\ta new copy with its data\n"
		"dag pull data/raw/a.csv\tone file of a directory",
    .opts = pull_opts,
    .size = sizeof(struct pull_opts),
    .run = pull_verb,
};
