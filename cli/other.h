#ifndef DAG_CLI_OTHER_H
#define DAG_CLI_OTHER_H
/*
 * What the verbs about other repositories have in common: ls and get.
 */
#include <stddef.h>

#include "cli/artifact.h"
#include "cli/opts.h"
#include "store/track/elsewhere.h"

struct other_opts {
	struct artifact_opts common;
	const char *rev, *remote, *config;
	struct opt_strings remote_config;
};

/* Rows for the tables of verbs whose struct has a member ${m} of struct other_opts. */
/* clang-format off */
#define OTHER_OPTS(type, m)                                                       \
	{                                                                         \
		.name = "rev", .kind = OPT_STRING, .at = offsetof(type, m.rev),   \
		.arg = "REV",                                                     \
		.doc = "A revision: a commit, a branch, a tag (default: a "       \
		       "directory as it is, else HEAD)."                          \
	},                                                                        \
	{                                                                         \
		.name = "remote", .kind = OPT_STRING,                             \
		.at = offsetof(type, m.remote), .arg = "REMOTE",                  \
		.doc = "Which of its remotes has the data (default: its default)."\
	},                                                                        \
	{                                                                         \
		.name = "config", .kind = OPT_STRING,                             \
		.at = offsetof(type, m.config), .arg = "FILE", .doc = NULL        \
	},                                                                        \
	{                                                                         \
		.name = "remote-config", .kind = OPT_STRINGS,                     \
		.at = offsetof(type, m.remote_config), .arg = "NAME=VALUE",       \
		.doc = NULL                                                       \
	}
/* clang-format on */

struct other {
	struct cli *c;
	const struct other_opts *o;
	struct arena *arena;
	struct diag *diag;
	struct meter meter;
	struct elsewhere_options where;
	struct elsewhere e;
	bool opened; /* elsewhere_open was called */
	int signal;
};

/**
 * other_begin(x, c, o, err), other_end(x):
 * Understand the options, with the first word as the repository.  Return 0 or -1; end in both
 * cases.
 */
int other_begin(struct other *, struct cli *, const struct other_opts *, struct err *);
void other_end(struct other *);

/**
 * other_path(x, word, out, err):
 * A path in the repository, normalized.  Return 0 or -1.
 */
int other_path(struct other *, const char *, const char **, struct err *);

/**
 * other_work(x, fn, arg, err):
 * Work in a thread, with its progress shown.  Return what ${fn} returned, or -1.
 */
int other_work(struct other *, watch_fn *, void *, struct err *);

/**
 * other_fail(x, err):
 * Say what went wrong.  Return the exit code.
 */
int other_fail(struct other *, const struct err *);

#endif
