#ifndef DAG_STORE_REMOTE_TRANSFER_INTERNAL_H
#define DAG_STORE_REMOTE_TRANSFER_INTERNAL_H
/*
 * The inside of a transfer, for store/remote/transfer*.c only.
 *
 *	collect		the wants become items: files first, then lists	[transfer_collect.c]
 *	look		which of them are there
 *	each		workers take one item after the other		[transfer_work.c]
 *	settle		flush; what was moved counts
 *	name		failures get the paths that need them		[transfer_collect.c]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "store/objects/digest.h"
#include "store/remote/transfer.h"

struct batch;
struct object_set;
struct tree;

enum {
	ITEM_WANTED = 1, /* else only looked at, for the sake of a list */
	ITEM_THERE = 2,	 /* the other side has something of this name */
};

/* The new files of one want, for an estimate of the bytes. */
struct part {
	size_t first, n; /* items */
	size_t entries;	 /* of the want */
	int64_t size;
};

struct transfer {
	const struct transfer_options *opt;
	const struct transfer_want *v;
	size_t n;
	struct transfer_report *report;

	VEC(struct object_id) ids; /* the items: files, then from nfiles on lists */
	VEC(uint8_t) flags;	   /* of each */
	size_t nfiles;
	struct object_set *seen;
	VEC(struct part) parts;
	VEC(size_t) todo; /* items */

	pthread_mutex_t lock;	    /* of the report and all below */
	struct object_set *bad;	    /* wanted, and not there in the end */
	struct object_set *lacking; /* not there, nor wanted */
	struct object_set *noted;   /* what the notes are about */
	uint64_t sent, sent_bytes;  /* since the last flush */
	unsigned trouble;	    /* failures of the remote in a row */
	bool begun;		    /* the remote is ready */
	struct batch *into;	    /* fetch: of the cache */
};

/* What each thread has to itself. */
struct worker {
	struct transfer *t;
	struct digest d; /* made when it is first used */
};

/* ---- transfer.c ---- */

/**
 * transfer_init(t, opt, v, n, report, err), transfer_release(t):
 * Make one ready; free what it holds.  Return 0 or -1.
 */
int transfer_init(struct transfer *, const struct transfer_options *,
		  const struct transfer_want *, size_t, struct transfer_report *,
		  struct err *);
void transfer_release(struct transfer *);

/**
 * transfer_call(opt, v, n, report, fn, err):
 * A whole transfer, of which ${fn} is the work: transfer_push and transfer_fetch.
 */
int transfer_call(const struct transfer_options *, const struct transfer_want *, size_t,
		  struct transfer_report *, int (*)(struct transfer *, struct err *),
		  struct err *);

/**
 * transfer_note(t, fate, id, path, why):
 * Put something into the report; what is no mere remark makes the id bad.  Return 0, or -1
 * (ERR_NOMEM in ${err}).
 */
int transfer_note(struct transfer *, enum transfer_fate, const struct object_id *,
		  const char *, const struct err *why, struct err *);

/**
 * transfer_phase(t, phase, files, bytes):
 * Begin to count anew.
 */
void transfer_phase(struct transfer *, const char *, uint64_t, uint64_t);

/**
 * transfer_fatal(why):
 * Return whether every other object would meet this too.
 */
bool transfer_fatal(const struct err *);

/**
 * transfer_damaged(t, id, cause, why):
 * Say that the cache's object is damaged, as ${cause} tells, and what can be done.
 */
void transfer_damaged(struct transfer *, const struct object_id *, const struct err *,
		      struct err *);

/**
 * transfer_moved(t, bytes), transfer_settled(t):
 * Count one object that is on its way; count all of them as arrived.
 */
void transfer_moved(struct transfer *, uint64_t);
void transfer_settled(struct transfer *);

/**
 * transfer_trouble(t, id, why, err):
 * The remote failed with ${why}: note it, or end the call if it fails with everything.  Return
 * 0 or -1.
 */
int transfer_trouble(struct transfer *, const struct object_id *, const struct err *,
		     struct err *);

/* ---- transfer_collect.c ---- */

/**
 * transfer_add(t, id, flags):
 * Add an item that is not there yet.  Return 1 if it is new, 0, or -1 without memory.
 */
int transfer_add(struct transfer *, const struct object_id *, uint8_t);

/**
 * transfer_load(t, id, tree, err):
 * Read a list from the cache, or where that cannot be from the remote, verified.  A damaged
 * one of the cache is noted the first time.  Return 0, or -1: ERR_NOTFOUND, ERR_CORRUPT
 * naming what was found.
 */
int transfer_load(struct transfer *, const struct object_id *, struct tree *,
		  struct err *);

/**
 * transfer_no_list(t, w, why, err):
 * Note that the list of a want cannot be had, once.  Return 0, or -1 if that ends the call.
 */
int transfer_no_list(struct transfer *, const struct transfer_want *, struct err *why,
		     struct err *);

/**
 * transfer_files(t, load, err):
 * Add the files of all wants, those of lists by what ${load} reads.  Return 0 or -1.
 */
typedef int transfer_load_fn(struct transfer *, const struct object_id *, struct tree *,
			     struct err *);
int transfer_files(struct transfer *, transfer_load_fn *, struct err *);

/**
 * transfer_lists(t, err):
 * Add the lists of all wants as items.  Return 0 or -1.
 */
int transfer_lists(struct transfer *, struct err *);

/**
 * transfer_estimate(t):
 * Return how many bytes the wanted files come to that are not there, or 0 if nobody knows.
 */
uint64_t transfer_estimate(const struct transfer *);

/**
 * transfer_name(t):
 * Give the notes that have none the paths of their objects.
 */
void transfer_name(struct transfer *);

/**
 * transfer_below(tree, under, first, n):
 * The entries that are ${under}, or below it; all for NULL.
 */
void transfer_below(const struct tree *, const char *, size_t *, size_t *);

/* ---- transfer_work.c ---- */

/**
 * transfer_each(t, fn, err):
 * Let workers call ${fn}(worker, item, err) for each of t->todo, by the order of their names,
 * until all are done or one returns -1, which ends the call.  Return 0 or -1.
 */
typedef int transfer_fn(struct worker *, size_t, struct err *);
int transfer_each(struct transfer *, transfer_fn *, struct err *);

/**
 * transfer_check(w, id, err):
 * Hash what the remote has of an object.  Return as objects_check.
 */
int transfer_check(struct worker *, const struct object_id *, struct err *);

/**
 * transfer_where(t, id, out):
 * Append where the remote has the object, in quotes.
 */
void transfer_where(struct transfer *, const struct object_id *, struct buf *);

#endif
