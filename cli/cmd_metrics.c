/*
 * dag metrics: what the runs of stages have measured, and how it has changed.
 */
#include <stddef.h>

#include "cli/cli.h"
#include "cli/values.h"
#include "cli/verbs.h"

static const struct opt metrics_opts[] = {
    VALUES_OPTS,
    VALUES_OPT("recursive", 'R', recursive,
	       "Also all files in directories that are named, which is so without it."),
    {.name = "precision",
     .kind = OPT_UINT,
     .at = offsetof(struct values_opts, precision),
     .arg = "N",
     .min = 1,
     .max = VALUES_PRECISION_MAX,
     .doc = "Round to N digits behind the point in tables (default: 5)."},
    {.name = NULL}};

static int
metrics_verb(struct cli *c, const void *opts)
{
	return values_verb(c, opts, VALUES_METRICS);
}

const struct verb verb_metrics = {
    .name = "metrics",
    .group = GROUP_DATA,
    .summary = "show what was measured, and compare it between revisions",
    .args = "[show [FILE...] | diff [REV [REV]]]",
    .max = 10000,
    .doc =
	"  dag metrics show [FILE...]     of the work tree; -a, -T, -A: of revisions\n"
	"  dag metrics diff [REV [REV]]   between two revisions of git, or between the\n"
	"                                 first (HEAD where none is given) and the work\n"
	"                                 tree\n"
	"\n"
	"Metrics are the numbers, texts and truth values in the files that dvc.yaml "
	"names "
	"under `metrics`, of a stage or by themselves: YAML, JSON or TOML. Of a revision "
	"they are read from git, and those that the cache keeps from there. A file that "
	"is "
	"not there is named on standard error and left out; one with mistakes makes the "
	"exit status 1.",
    .examples = "dag metrics show\tof the work tree\n"
		"dag metrics diff main\twhat this branch has brought\n"
		"dag metrics show -a --json\tof all branches, for programs",
    .opts = metrics_opts,
    .size = sizeof(struct values_opts),
    .run = metrics_verb,
};
