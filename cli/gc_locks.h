#ifndef DAG_CLI_GC_LOCKS_H
#define DAG_CLI_GC_LOCKS_H
/*
 * What lock files of DAG files (X.dag.lock) name of the cache, beyond what counts as tracked
 * (store/track/collect.h): also in places that git ignores, of tasks and DAGs that are gone, and
 * in projects below this one.  As long as the file lies there, links in the work tree may lead
 * to what it names.
 */
#include "cli/gc_held.h"

/**
 * gc_locks(t, arena, add, ctx, err):
 * Give what the lock files of the work tree name to ${add}(${ctx}, want, err); texts are put into
 * ${arena}.  One that cannot be read is an error: what it names would go.  Return 0 or -1.
 */
int gc_locks(const struct track *, struct arena *, gc_held_fn *, void *, struct err *);

#endif
