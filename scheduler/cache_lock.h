#ifndef DAG_SCHEDULER_CACHE_LOCK_H
#define DAG_SCHEDULER_CACHE_LOCK_H
/*
 * Writing lock files.  What they shall say stands in the database from the transaction of the
 * success on; here it is put into the file, many entries at a time, and then forgotten there.
 * A crash anywhere leaves it to whoever comes next.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

struct arena;
struct cache_seat;
struct err;

/* One lock file of a session. */
struct cache_lock {
	char *path;
	bool pipeline;
	/* The stages of the runs under way, in the order in which new ones are to stand. */
	struct map rank;  /* name -> its number, from 1 */
	struct map added; /* names that this session has added to the file */
};

/**
 * cache_lock_new(path, pipeline), cache_lock_free(l):
 * Make one of which nothing is known, or NULL; free it.  NULL is allowed.
 */
struct cache_lock *cache_lock_new(const char *, bool);
void cache_lock_free(struct cache_lock *);

/**
 * cache_lock_order(l, name):
 * The next new stage, in order, is ${name}, which must live as long as ${l}.  Return 0 or -1.
 */
int cache_lock_order(struct cache_lock *, const char *);

/**
 * cache_lock_flush(l, seat, err):
 * Write what the database has for the file and the file does not say, with the repository's lock
 * held meanwhile.  Called in any thread, by one at a time.  Return 0 or -1, then everything is
 * left to be written.
 */
int cache_lock_flush(struct cache_lock *, struct cache_seat *, struct err *);

/**
 * cache_lock_beside(a, file):
 * The lock file of the DAG file ${file}, in ${a}: "dags/x.dag.lock" of "dags/x.yaml"; or NULL.
 */
const char *cache_lock_beside(struct arena *, const char *);

#endif
