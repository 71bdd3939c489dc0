#ifndef DAG_CLI_STATUS_FAR_H
#define DAG_CLI_STATUS_FAR_H
/*
 * dag status --data --not-in-remote: what of the tracked data a remote does not have.
 */
#include <stdbool.h>

#include "base/vec.h"

struct arena;
struct cli;
struct exchange_opts;

struct far_path {
	const char *path; /* relative to the root */
	bool dir;
};

struct far_paths {
	struct arena *arena;
	VEC(struct far_path) v; /* sorted */
};

/**
 * status_far(c, o, granular, out):
 * Find what the words of the command line mean that should be pushed and is not on its remote: a
 * directory too where one of its files misses; with ${granular} also each such file.  Paths
 * that are not tracked mean nothing.  Say what went wrong; return the exit code.  ${out} is to be
 * released by far_paths_release in any case.
 */
int status_far(struct cli *, const struct exchange_opts *, bool, struct far_paths *);

/**
 * far_paths_release(f):
 * Free what ${f} holds.
 */
void far_paths_release(struct far_paths *);

#endif
