#ifndef DAG_CLI_EXP_H
#define DAG_CLI_EXP_H
/* What the words of `dag exp` share. */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "cli/artifact.h"
#include "cli/opts.h"
#include "cli/run_stages.h"
#include "store/exp/exp.h"
#include "store/project.h"

struct cli;
struct repo;

#define EXP_LAST_MAX 1000000

struct exp_opts {
	struct artifact_opts common;
	struct opt_strings set, revs, drop, copy, include;
	struct stage_opts stages;
	const char *name; /* or, where nothing has one, a number */
	const char *message, *sort_by;
	struct opt_uint last, precision;
	int sort_order;
	bool force, keep, name_only, sha_only, json, csv, md, all, no_path, deps;
	bool branches, tags, commits, only_changed, sha, hide_workspace;
	bool single, pull, allow_missing, no_run_cache, no_hydra;
	bool nothing, temp; /* what changes nothing here */
};

struct exp_call {
	struct cli *c;
	const struct exp_opts *o;
	char **words; /* behind the action */
	size_t n;
	unsigned last; /* --num */
	struct project project;
	struct repo *git;
	struct exp_list list;
	struct err err;
};

/**
 * exp_begin(k):
 * Find the project and its repository, and read which experiments there are.  Return 0 or -1.
 */
int exp_begin(struct exp_call *);

/**
 * exp_action(i, args):
 * Return the name of the i-th action, and the words behind it; NULL past the end.
 */
const char *exp_action(size_t, const char **);

/* The actions: each returns the exit code. */
int exp_list_verb(struct exp_call *);
int exp_remove_verb(struct exp_call *);
int exp_rename_verb(struct exp_call *);
int exp_branch_verb(struct exp_call *);
int exp_apply_verb(struct exp_call *);
int exp_show_verb(struct exp_call *);
int exp_diff_verb(struct exp_call *);
int exp_run_verb(struct exp_call *);
int exp_save_verb(struct exp_call *);

#endif
