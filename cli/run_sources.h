#ifndef DAG_CLI_RUN_SOURCES_H
#define DAG_CLI_RUN_SOURCES_H
/*
 * Data that stages begin with: before they run, what has changed of it is recorded in its .dvc
 * files, as `dvc repro` does.
 */
#include <stdbool.h>

struct cli;
struct dag;

struct dag_how;

/**
 * run_sources(c, g, selected, how):
 * Record what has changed of the tracked data that the ${selected} stages of ${g} depend on; with
 * how->no_commit it is not taken into the cache.  What is frozen or was imported stays as it is
 * recorded, and so does what is not there, unless how->pull brings it.  Each file that was written
 * is told.  Return 0 or the exit code.
 */
int run_sources(struct cli *, const struct dag *, const bool *, const struct dag_how *);

/**
 * run_fetch_runs(c):
 * Bring the run cache of the default remote here.  Where that cannot be done it is told, and is no
 * failure.  Return 0 or the exit code.
 */
int run_fetch_runs(struct cli *);

#endif
