#ifndef DAG_CLI_STAGE_LIST_H
#define DAG_CLI_STAGE_LIST_H
/* dag stage list: what stages there are, one line for each. */
#include <stdbool.h>
#include <stddef.h>

struct artifact_opts;
struct cli;

struct stage_list {
	const struct artifact_opts *common;
	char **words; /* none: the dvc.yaml here */
	size_t n;
	bool all, recursive, name_only, fail;
};

/**
 * stage_list(c, what):
 * Print it.  Return the exit code.
 */
int stage_list(struct cli *, const struct stage_list *);

#endif
