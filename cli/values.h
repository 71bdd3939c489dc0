#ifndef DAG_CLI_VALUES_H
#define DAG_CLI_VALUES_H
/* What `dag params` and `dag metrics` share, which is nearly everything. */
#include <stdbool.h>

#include "cli/artifact.h"
#include "cli/opts.h"

struct cli;

#define VALUES_PRECISION     5
#define VALUES_PRECISION_MAX 100

enum values_kind { VALUES_METRICS, VALUES_PARAMS };

struct values_opts {
	struct artifact_opts common;
	struct opt_strings targets;
	struct opt_uint precision;
	bool json, md;
	bool branches, tags, commits;
	bool all, no_path, recursive, deps;
};

/* Rows for the tables of both verbs, whose struct is struct values_opts. */
#define VALUES_OPT(NAME, LETTER, MEMBER, DOC)                            \
	{                                                                \
		.name = (NAME), .letter = (LETTER), .kind = OPT_FLAG,    \
		.at = offsetof(struct values_opts, MEMBER), .doc = (DOC) \
	}

/* clang-format off */
#define VALUES_OPTS                                                                       \
	{.name = "targets", .kind = OPT_STRINGS,                                          \
	 .at = offsetof(struct values_opts, targets), .arg = "PATH",                      \
	 .doc = "Of diff: only these files, whatever they are; may be given again."},     \
	VALUES_OPT("json", 0, json, "Write one JSON object, as DVC does."),               \
	VALUES_OPT("md", 0, md, "Write a Markdown table."),                               \
	VALUES_OPT("all-branches", 'a', branches, "Of show: of all branches."),           \
	VALUES_OPT("all-tags", 'T', tags, "Of show: of all tags."),                       \
	VALUES_OPT("all-commits", 'A', commits, "Of show: of all commits."),              \
	VALUES_OPT("all", 0, all, "Of diff: also what is the same."),                     \
	VALUES_OPT("no-path", 0, no_path, "Of diff: do not show the files' paths.")
/* clang-format on */

/**
 * values_verb(c, o, kind):
 * Do what the words of ${c} say.  Return the exit code.
 */
int values_verb(struct cli *, const struct values_opts *, enum values_kind);

#endif
