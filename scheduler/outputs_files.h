#ifndef DAG_SCHEDULER_OUTPUTS_FILES_H
#define DAG_SCHEDULER_OUTPUTS_FILES_H
/*
 * The files that tasks declare, as the file system has them.  Called in worker threads.
 */
#include <stdbool.h>

struct err;
struct project;

/**
 * input_present(p, path, stop, err):
 * See that the input ${path} (relative to the root, or absolute; a glob needs one match at
 * least) exists.  ${stop} set: give up.  Return 0 or -1.
 */
int input_present(const struct project *, const char *, const bool *, struct err *);

/**
 * output_clear(p, dag, task, path, persist, err):
 * Remove what lies at the declared output ${path} and make its missing parent directories;
 * with ${persist} only the latter.  Links are removed, not followed; nothing outside the root
 * is touched.  A directory is removed only if it is empty or a committed attempt of the task
 * recorded it; else it is an error with the way out.  Return 0 or -1.
 */
int output_clear(const struct project *, const char *, const char *, const char *, bool,
		 struct err *);

/**
 * output_durable(p, path, stop, is_dir, err):
 * See that the declared output ${path} exists and sync it: a file, or a directory with all
 * below it, and the directories above it up to the root.  Other kinds of files are refused by
 * name.  Return 0 or -1.
 */
int output_durable(const struct project *, const char *, const bool *, bool *,
		   struct err *);

#endif
