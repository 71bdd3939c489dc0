#ifndef DAG_SCHEDULER_GLOB_H
#define DAG_SCHEDULER_GLOB_H
/*
 * Which paths a glob of a DAG file stands for.  Called in worker threads.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"

struct arena;
struct err;

#define GLOB_PATHS_MAX 50000 /* that one glob may stand for */
/* That are looked at one by one, where that can be helped; and how many directories of them. */
#define GLOB_EACH_MAX 1000
#define GLOB_DIRS_MAX 32

struct glob_paths {
	VEC(const char *) v;
};

/**
 * glob_expand(root_fd, pattern, stop, a, out, many, err):
 * Append all that matches ${pattern}, which is relative to ${root_fd} or absolute, to ${out}, in
 * order, in arena ${a}: files, links, and directories as wholes, in which nothing more is looked
 * for.  What tools keep for themselves (.git, .dag, .dvc) is no match.  Where ${many} is not NULL it
 * tells whether they are more than GLOB_EACH_MAX (GLOB_DIRS_MAX), and then none are appended.  ${stop} set: give up
 * (ERR_CANCELLED).  Return 0, also for none; or -1.
 */
int glob_expand(int, const char *, const bool *, struct arena *, struct glob_paths *,
		bool *, struct err *);

#endif
