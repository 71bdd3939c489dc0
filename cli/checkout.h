#ifndef DAG_CLI_CHECKOUT_H
#define DAG_CLI_CHECKOUT_H
/* `dag checkout`, for verbs that end with it. */
#include <stdbool.h>

struct cli;

/**
 * checkout_all(c, force, quiet):
 * Do what `dag checkout --allow-missing` does, with --force and --quiet where that is asked for.
 * Return the exit code; what went wrong was said.
 */
int checkout_all(struct cli *, bool force, bool quiet);

#endif
