#ifndef DAG_CLI_STATUS_DATA_H
#define DAG_CLI_STATUS_DATA_H
/*
 * `dag status --data` and --granular: what DVC calls `data status`: what the cache does not
 * have, what differs between the last commit and the pointers, and between those and the work
 * tree.
 */
#include <stdbool.h>
#include <stddef.h>

#include "store/track/changes.h"
#include "store/track/collect.h"
#include "store/track/untracked.h"

struct artifact;
struct err;
struct far_paths;
struct track_revs;

struct status_data_opts {
	bool granular;	/* file by file */
	bool unchanged; /* also what is the same */
	bool untracked; /* also files that git does not know */
	bool json;
};

struct status_data {
	const struct status_data_opts *o;
	const struct far_paths *far; /* what a remote does not have; NULL: not asked */
	const char **targets;	     /* relative to the root; n = 0: all */
	size_t ntargets;
	struct track_revs *revs;
	struct track_list head;
	struct changes committed, uncommitted;
	struct untracked untracked;
	bool has_git, no_commit;
};

/**
 * status_data_work(a, d, err):
 * Find it all out; part of artifact_work's function.  Return 0 or -1.
 */
int status_data_work(struct artifact *, struct status_data *, struct err *);

/**
 * status_data_tell(a, d):
 * Print it.  Return whether there is something to tell of but what is unchanged or untracked.
 */
bool status_data_tell(struct artifact *, struct status_data *);

/**
 * status_data_free(d):
 * Free what it holds, before the artifact is closed.
 */
void status_data_free(struct status_data *);

#endif
