#ifndef DAG_SCHEDULER_CACHE_FAR_H
#define DAG_SCHEDULER_CACHE_FAR_H
/*
 * What a task needs and is not here, of a run that may fetch it.  All are called with a seat, in
 * its thread.
 */
#include <stddef.h>

struct cache_seat;
struct err;
struct object_id;
struct stage_run;

/**
 * cache_far_fetch(seat, v, n, err), cache_far_upstream(seat, path, id):
 * As struct stage_how's `fetch` and `upstream`.
 */
int cache_far_fetch(void *, const struct object_id *, size_t, struct err *);
int cache_far_upstream(void *, const char *, struct object_id *);

/**
 * cache_far_deps(seat, run, err):
 * ${run} is to run: get what it depends on, is not there, and is tracked.  Return 1 where something
 * has come, 0 or -1.
 */
int cache_far_deps(struct cache_seat *, const struct stage_run *, struct err *);

#endif
