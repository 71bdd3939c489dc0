#ifndef DAG_CLI_DRYRUN_H
#define DAG_CLI_DRYRUN_H
#include <stdbool.h>
#include <stdint.h>

#include "scheduler/dag.h"

struct cli;
struct jinja_dict;
struct project;

/* A run that is only shown. */
struct dryrun {
	struct cli *c;
	const struct project *project;
	const struct dag *dag;
	const char *file; /* the DAG's, seen from the project's root, or absolute */
	const struct jinja_dict *params;
	const bool *selected;
	int64_t logical_us;
	struct dag_how how;
	bool json;
};

/**
 * dryrun_put(d):
 * Print what the run would do, in order: which tasks would run, and why, with commands and paths
 * as far as they are known.  Return the exit code.
 */
int dryrun_put(const struct dryrun *);

#endif
