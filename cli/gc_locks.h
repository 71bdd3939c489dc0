#ifndef DAG_CLI_GC_LOCKS_H
#define DAG_CLI_GC_LOCKS_H
/*
 * What the lock files of DAG files (X.dag.lock) name of the cache: results of tasks, which are not
 * run again as long as it has them.
 */
#include "cli/gc_held.h"

/**
 * gc_locks(root_fd, arena, add, ctx, err):
 * Give what the lock files of the work tree name to ${add}(${ctx}, want, err); texts are put into
 * ${arena}.  One that cannot be read is an error: what it names would go.  Return 0 or -1.
 */
int gc_locks(int, struct arena *, gc_held_fn *, void *, struct err *);

#endif
