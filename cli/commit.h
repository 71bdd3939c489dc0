#ifndef DAG_CLI_COMMIT_H
#define DAG_CLI_COMMIT_H
/* `dag commit`, for verbs that begin with it. */
#include <stdbool.h>
#include <stddef.h>

struct cli;

/**
 * commit_targets(c, words, n, recursive):
 * Do what `dag commit --force --quiet --no-relink` does with ${n} targets; none: with all.
 * Return the exit code; what went wrong was said.
 */
int commit_targets(struct cli *, char **, size_t, bool recursive);

#endif
