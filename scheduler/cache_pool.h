#ifndef DAG_SCHEDULER_CACHE_POOL_H
#define DAG_SCHEDULER_CACHE_POOL_H
/*
 * Opened repositories for worker threads: to open one costs more than to ask it about a small
 * task, so they are kept as long as the session lives.  One that is taken is the taker's alone;
 * the index is shared, what lock files say is read again where they have changed.
 */
#include <stdbool.h>
#include <stdint.h>

#include "store/track/stage_run.h"
#include "store/track/track.h"
#include "store/track/workspace.h"

struct cache_pool;
struct dvc_lock;
struct err;
struct meta;
struct meter;
struct project;
struct track_list;

/* How the phase of a meter begins whose work waits for somebody; it lives as long as the job. */
#define CACHE_WAITS "it waits "

struct cache_seat {
	struct track track;
	struct workspace ws;
	struct workspace_links links; /* of ws */
	struct stage_look *look;
	const char *below; /* the project's root as seen from the repository's; "." */
	struct meta *meta; /* opened when it is needed */
	struct track_list *list; /* what is tracked; collected when it is needed */
	struct arena *arena; /* of the job that has it, for what it waits for; or NULL */
	struct cache_seat *next;
	struct seat_lock *locks;
	const struct project *project;
};

/**
 * cache_pool_new(p, still), cache_pool_free(pool):
 * Make an empty pool for project ${p}, or NULL; with ${still} for who only looks and writes nothing,
 * nor the index.  Close all; NULL is allowed.
 */
struct cache_pool *cache_pool_new(const struct project *, bool);
void cache_pool_free(struct cache_pool *);

/**
 * cache_pool_take(pool, meter, out, err), cache_pool_give(pool, seat):
 * Take a seat, whose work counts in ${meter} and ends with it; give it back, unlocked.  NULL is
 * allowed.  Return 0 or -1.
 */
int cache_pool_take(struct cache_pool *, struct meter *, struct cache_seat **,
		    struct err *);
void cache_pool_give(struct cache_pool *, struct cache_seat *);

/**
 * cache_pool_noted(pool), cache_pool_remember(pool, seat):
 * Return whether outputs of stages lie in the work tree that are not yet remembered there
 * (store/track/links.h).  Remember them, with the repository's lock held meanwhile; where that
 * cannot be, or ${seat} is NULL, they are forgotten: then a checkout leaves more lying about.
 */
bool cache_pool_noted(struct cache_pool *);
void cache_pool_remember(struct cache_pool *, struct cache_seat *);

/**
 * cache_seat_lock(seat, err), cache_seat_unlock(seat):
 * Take the repository's lock, waiting as long as it takes or until the seat's meter is
 * cancelled.  Return 0 or -1 (ERR_CANCELLED).
 */
int cache_seat_lock(struct cache_seat *, struct err *);
void cache_seat_unlock(struct cache_seat *);

/**
 * cache_seat_tell(seat, text):
 * Let the seat's meter say what its work waits for (CACHE_WAITS); NULL: nothing any more.
 */
void cache_seat_tell(struct cache_seat *, const char *);

/**
 * cache_seat_locked(seat, path, pipeline, out, err):
 * What the lock file ${path} says by now; *${out} is NULL where there is none, and lives until
 * it is asked again.  Of a pipeline it is seen from the repository's root, else from the
 * project's, or absolute.  Return 0 or -1: mistakes in it, which name the place.
 */
int cache_seat_locked(struct cache_seat *, const char *, bool, struct dvc_lock **,
		      struct err *);

/**
 * cache_seat_list(seat, err):
 * Return all that is tracked in the repository, as it was when that seat was first asked, or NULL.
 */
const struct track_list *cache_seat_list(struct cache_seat *, struct err *);

/**
 * cache_seat_meta(seat, err):
 * Return the database as that thread may use it, or NULL.
 */
struct meta *cache_seat_meta(struct cache_seat *, struct err *);

/**
 * lock_file_open(seat, path, pipeline, base, err):
 * Open the directory that the lock file lies in; its own name goes to ${base}, a part of ${path}.
 * Return a descriptor, or -1.
 */
int lock_file_open(const struct cache_seat *, const char *, bool, const char **,
		   struct err *);

#endif
