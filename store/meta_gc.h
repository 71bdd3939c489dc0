#ifndef DAG_STORE_META_GC_H
#define DAG_STORE_META_GC_H
/*
 * Old runs taken out of the metadata, some rows at a time, so that other writers hardly notice.
 *
 * A run goes in the order events, attempts, the rest with its own row, and whenever that is
 * interrupted what is left is a run that has ended and of which less is known: the next time
 * finishes it.  What outlives the runs by its nature stays: produced, torn, watermarks.
 *
 * Freed pages are used again by the next runs and not given back to the file system: that
 * would need pages to be moved, which for a database that grows again is work for nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/meta.h"

/* Which runs are old. */
struct meta_gc_rule {
	const char *dag;  /* only of this DAG; NULL: of all */
	bool by_number;	  /* else by age */
	uint64_t newest;  /* so many of each DAG are kept */
	int64_t ended_us; /* those that ended at this instant or later are kept */
	bool
	    last_too; /* also a DAG's latest run and its latest success, which else are kept */
};

struct meta_gc_run {
	int64_t rid, epoch, ended_us;
	char id[META_RUN_ID];
	bool gone; /* by meta_gc_delete */
};

/* How far a walk has come; zeroed at its start. */
struct meta_gc_walk {
	char *dag;   /* whose runs were given last */
	int64_t rid; /* the last of them */
	int64_t oldest_kept, latest, success;
	bool begun, end;
};

/**
 * meta_gc_next(m, rule, walk, out, max, n, err):
 * The next of the runs that have ended and are old, of one DAG (walk->dag) at a time, oldest
 * first.  ${n} is 0 only at the end.  Return 0 or -1.
 */
int meta_gc_next(struct meta *, const struct meta_gc_rule *, struct meta_gc_walk *,
		 struct meta_gc_run *, size_t, size_t *, struct err *);

/**
 * meta_gc_walk_release(walk):
 * Free what it holds.
 */
void meta_gc_walk_release(struct meta_gc_walk *);

/**
 * meta_gc_delete(m, runs, n, rows, done, err):
 * Delete the first of the runs in one transaction of about ${rows} rows; *${done} is how many
 * are dealt with: `gone`, or not to be deleted (any more: somebody has begun them anew).  The
 * one behind them may have lost rows already.  The caller holds their owner locks.
 */
int meta_gc_delete(struct meta *, struct meta_gc_run *, size_t, uint64_t, size_t *,
		   struct err *);

/**
 * meta_gc_definitions(m, after, removed, err):
 * Delete definitions that no run uses any more, of the next 500 behind the hash ${after}, which
 * moves on ("" at the start).  Return 1, 0 at the end, or -1.
 */
int meta_gc_definitions(struct meta *, char after[65], uint64_t *, struct err *);

/**
 * meta_gc_rest(m):
 * Between two transactions: let what is in the WAL into the database where it is much.
 */
void meta_gc_rest(struct meta *);

struct meta_sizes {
	int schema;	    /* version */
	uint64_t bytes;	    /* of the database */
	uint64_t unused;    /* of these, free for new rows */
	uint64_t wal_bytes; /* of the file beside it */
	int64_t newest_us;  /* when the newest run was made; 0: there is none */
	uint64_t runs;
	uint64_t events; /* ever written */
};

/**
 * meta_sizes(m, out, err):
 * How large the database is.  Return 0 or -1.
 */
int meta_sizes(struct meta *, struct meta_sizes *, struct err *);

#endif
