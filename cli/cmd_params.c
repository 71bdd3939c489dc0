/*
 * dag params: what stages are told by files of params, and how it has changed.
 */
#include <stddef.h>

#include "cli/cli.h"
#include "cli/values.h"
#include "cli/verbs.h"

static const struct opt params_opts[] = {
    VALUES_OPTS,
    VALUES_OPT("deps", 0, deps, "Only params that stages depend on."),
    {.name = NULL}};

static int
params_verb(struct cli *c, const void *opts)
{
	return values_verb(c, opts, VALUES_PARAMS);
}

const struct verb verb_params = {
    .name = "params",
    .group = GROUP_DATA,
    .summary = "show params, and compare them between revisions",
    .args = "[show [FILE...] | diff [REV [REV]]]",
    .max = 10000,
    .doc =
	"  dag params show [FILE...]     of the work tree; -a, -T, -A: of revisions\n"
	"  dag params diff [REV [REV]]   between two revisions of git, or between the\n"
	"                                first (HEAD where none is given) and the work\n"
	"                                tree\n"
	"\n"
	"Params are params.yaml, the files that dvc.yaml names under `params`, what "
	"stages "
	"depend on of other files, and what their templates (${...}) use of files under "
	"`vars`: YAML, JSON or TOML. A file that is not there is named on standard error "
	"and "
	"left out; one with mistakes makes the exit status 1.",
    .examples = "dag params diff\twhat was changed since the last commit\n"
		"dag params diff v1.0 main --md\tbetween two revisions, for a review\n"
		"dag params show --deps\twhat stages depend on",
    .opts = params_opts,
    .size = sizeof(struct values_opts),
    .run = params_verb,
};
