#ifndef DAG_SCHEDULER_CACHE_HOLD_H
#define DAG_SCHEDULER_CACHE_HOLD_H
/*
 * While a task's program runs nobody has the repository's lock; its files are kept by locks of
 * their own (store/dvc/path_lock.h), which both DVC and the verbs about data respect: outputs are
 * written, dependencies read.  Tasks of one process are kept apart by the database.
 */

struct cache_hold;
struct cache_seat;
struct err;
struct stage_run;

/**
 * cache_hold_take(seat, run, out, err):
 * Lock what ${run} uses, for as long as its program runs; wait for whoever has some of it, until the
 * seat's meter is cancelled.  The repository's lock is taken meanwhile.  Called in worker threads.
 * Return 0 or -1.
 */
int cache_hold_take(struct cache_seat *, const struct stage_run *, struct cache_hold **,
		    struct err *);

/**
 * cache_hold_drop(h):
 * Give it back; NULL is allowed.  Called in any thread.
 */
void cache_hold_drop(struct cache_hold *);

#endif
