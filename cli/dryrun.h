#ifndef DAG_CLI_DRYRUN_H
#define DAG_CLI_DRYRUN_H
#include <stdbool.h>
#include <stdint.h>

struct cli;
struct dag;
struct jinja_dict;

/* A run that is only shown. */
struct dryrun {
	struct cli *c;
	const struct dag *dag;
	const struct jinja_dict *params;
	const bool *selected;
	int64_t logical_us;
	bool json;
};

/**
 * dryrun_put(d):
 * Print what the run would do, in order, with commands and paths rendered as far as they do
 * not depend on what tasks put out.  Return the exit code.
 */
int dryrun_put(const struct dryrun *);

#endif
