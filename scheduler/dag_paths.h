#ifndef DAG_SCHEDULER_DAG_PATHS_H
#define DAG_SCHEDULER_DAG_PATHS_H
/*
 * What inputs and outputs may be, and which meet: pure text, no file system.  Used on the plain
 * paths of a file when it is loaded, and on the rendered paths of a run when it is created.
 *
 * All paths are sorted so that what lies below a path stands behind it, and one pass with a
 * stack of the paths above the current one finds every pair that is equal or nested; only
 * globs are compared one by one, each with the outputs that its fixed part could meet.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define PATH_BYTES_MAX 4095    /* of one path */
#define PATH_GLOB_WORK 2000000 /* comparisons of a glob with an output, in one sweep */

/**
 * path_has_control(s):
 * Whether ${s} has line breaks or control characters.
 */
bool path_has_control(const char *);

/**
 * path_tool_dir(path):
 * The directory among the components of ${path} that belongs to a tool (git, dvc or dag), in
 * which no task may write; NULL: none.
 */
const char *path_tool_dir(const char *);

struct path_use {
	const char *path; /* normalized (path_normalize), at most PATH_BYTES_MAX long */
	uint32_t task;
	bool output;
	bool
	    shared; /* of an output: others may make it too, and nothing clashes with it */
	const void *tag; /* the caller's */
};

/* What a sweep reports; a return value other than 0 ends it. */
struct path_events {
	void *ctx;
	/* The input meets the output: it is equal, above, below, or its glob matches it (or
	 * something above or below it; below one whose name has an extension "**" matches
	 * nothing).  Their tasks may be the same. */
	int (*meet)(void *ctx, const struct path_use *output,
		    const struct path_use *input);
	/* Two outputs that are not shared are equal or one lies below the other; ${a} is the
	 * upper one. */
	int (*clash)(void *ctx, const struct path_use *a, const struct path_use *b);
};

/**
 * path_sweep(uses, n, events, err):
 * Report every pair of the ${n} uses that meets or clashes, in no particular order.  Inputs
 * that climb out of the root or are absolute meet nothing, unless they hold the root.  Return
 * 0; what an event returned; or -1 with ${err} if memory runs out or the globs of inputs
 * would take more than PATH_GLOB_WORK comparisons.
 */
int path_sweep(const struct path_use *, size_t, const struct path_events *, struct err *);

#endif
