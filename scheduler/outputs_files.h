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
 * least) exists; of one that is tracked and not there the error names the way out.  ${stop}
 * set: give up.  Return 0 or -1.
 */
int input_present(const struct project *, const char *, const bool *, struct err *);

/**
 * output_clear(p, task, path, stop, err):
 * Remove what lies at the declared output ${path} and make its missing parent directories;
 * of a task that leaves its outputs in place only the latter, and what is a link into the cache
 * becomes a file of its own (outputs_links.h).  Links are removed, not followed; nothing outside
 * the root is touched.  A directory is removed only if it is empty, a committed attempt of the
 * task recorded it, or it is tracked and all of it is in the cache; else it is an error with the
 * way out.  ${stop} set: give up.  Return 0 or -1.
 */
struct output_task {
	const char *dag, *name;
	bool persist;
	bool any; /* a directory is removed whoever made it */
};
int output_clear(const struct project *, const struct output_task *, const char *,
		 const bool *, struct err *);

/**
 * output_there(p, path, is_dir, err), output_soon(p, path, is_dir, err),
 * output_durable(p, path, stop, is_dir, err):
 * See that the declared output ${path} exists; with soon the kernel begins to write a file, which is
 * to be durable in a moment; durable syncs it: a file, or a directory with all below it, and the
 * directories above it up to the root, and refuses other kinds of files by name.  Return 0 or -1.
 */
int output_there(const struct project *, const char *, bool *, struct err *);
int output_soon(const struct project *, const char *, bool *, struct err *);
int output_durable(const struct project *, const char *, const bool *, bool *,
		   struct err *);

#endif
