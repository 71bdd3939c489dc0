#ifndef DAG_SCHEDULER_TRACKED_H
#define DAG_SCHEDULER_TRACKED_H
/*
 * What tasks have to do with tracked data (docs/artifacts.md): inputs that are not in the work
 * tree, outputs that are.  All of it is for cases that are not the rule: the pointers of the
 * whole work tree are read each time.  Called in worker threads.
 */
#include <stdbool.h>

struct err;
struct project;

/**
 * tracked_missing(p, path, err):
 * ${path} (relative to the root, may be a glob) is an input that is not there, as ${err} says:
 * where a pointer names it, say that and the way out instead.
 */
void tracked_missing(const struct project *, const char *, struct err *);

/**
 * tracked_covers(p, path):
 * Return whether a pointer names ${path}, something above it or something below it.  Where the
 * pointers cannot be read the answer is yes.
 */
bool tracked_covers(const struct project *, const char *);

/**
 * tracked_remove(p, path, stop, err):
 * Remove the directory ${path} if a pointer names just that and the cache has all of its
 * content, so that nothing is lost.  ${stop} set: give up.  Return 1; 0 if no pointer names it,
 * or something is left in it that is not tracked; -1 if content would be lost (named).
 */
int tracked_remove(const struct project *, const char *, const bool *, struct err *);

/**
 * tracked_any(p):
 * Return whether anything may be tracked in the project, by a look at names only.
 */
bool tracked_any(const struct project *);

/**
 * tracked_hold(p, run, meter, err):
 * Write down what the pointers name now, for the run with that id (store/track/held.h).  Return
 * 0 or -1.
 */
struct meter;
int tracked_hold(const struct project *, const char *, struct meter *, struct err *);

#endif
