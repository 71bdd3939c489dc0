#ifndef DAG_CLI_RUN_AUTOSTAGE_H
#define DAG_CLI_RUN_AUTOSTAGE_H
/*
 * core.autostage of runs: the lock files and .gitignore files that a run has written go into git's
 * index when it has ended well, as those of `dvc repro` do.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"

struct arena;
struct cli;
struct dag;
struct err;
struct project;

struct autostage_file {
	const char *path;	 /* seen from the repository's root */
	char hash[HASH_HEX_MAX]; /* of what it was before the run; "": it was not there */
};

struct run_autostage {
	struct autostage_file *v; /* NULL: nothing is to be staged */
	size_t n;
};

/**
 * run_autostage_begin(p, g, file, selected, a, out, err):
 * Before a run of the ${selected} tasks of ${g}, whose file is ${file}: if the settings of project ${p}
 * say so, look at all files that it may write, into arena ${a}.  Return 0, or -1 if memory runs out.
 */
int run_autostage_begin(const struct project *, const struct dag *, const char *,
			const bool *, struct arena *, struct run_autostage *,
			struct err *);

/**
 * run_autostage_end(c, s):
 * After it: stage those that are other than they were.  Mistakes are printed.  Return 0 or the exit
 * code.
 */
int run_autostage_end(struct cli *, const struct run_autostage *);

#endif
