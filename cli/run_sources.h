#ifndef DAG_CLI_RUN_SOURCES_H
#define DAG_CLI_RUN_SOURCES_H
/*
 * Data that stages begin with: before they run, what has changed of it is recorded in its .dvc
 * files, as `dvc repro` does.
 */
#include <stdbool.h>

struct cli;
struct dag;

/**
 * run_sources(c, g, selected, no_commit):
 * Record what has changed of the tracked data that the ${selected} stages of ${g} depend on; with
 * ${no_commit} it is not taken into the cache.  What is frozen or was imported stays as it is
 * recorded, and so does what is not there.  Each file that was written is told.  Return 0 or the
 * exit code.
 */
int run_sources(struct cli *, const struct dag *, const bool *, bool);

#endif
