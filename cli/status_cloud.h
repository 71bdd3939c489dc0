#ifndef DAG_CLI_STATUS_CLOUD_H
#define DAG_CLI_STATUS_CLOUD_H
/*
 * dag status --cloud: what the cache has and the remote has not, and the other way round.
 */
#include <stdbool.h>

struct cli;
struct exchange_opts;

/**
 * status_cloud(c, o, json):
 * Tell it for what the words of the command line mean.  Return the exit code: with --quiet 1 if
 * something differs.
 */
int status_cloud(struct cli *, const struct exchange_opts *, bool);

#endif
