#ifndef DAG_CLI_SETTINGS_H
#define DAG_CLI_SETTINGS_H
/*
 * The settings of the project, for the verbs that show and change them.
 */
#include <stdbool.h>

struct cli;
struct err;
struct project;
struct track;

/**
 * settings_open(c, write, p, t, err):
 * Find the project and open the repository that we are in, which may lie in the project, for its
 * settings t->config; mistakes in values are passed over, so that they can be mended.  With ${write} there is a directory for them
 * afterwards.  Return 0 or -1; ${t} and ${p} are to be closed in both cases.
 */
int settings_open(struct cli *, bool, struct project *, struct track *, struct err *);

#endif
