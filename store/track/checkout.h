#ifndef DAG_STORE_TRACK_CHECKOUT_H
#define DAG_STORE_TRACK_CHECKOUT_H
/*
 * The work tree brought to what pointers say, from the cache.
 *
 * Invariants
 * 1. Nothing is overwritten or removed unless its content is in the cache, found to be right,
 *    or ${force} says so.  All files that speak against it are found before anything is
 *    changed, and then nothing is.
 * 2. An out of which an object is missing, or whose names this file system cannot hold, is left
 *    as it is; others go on.
 * 3. Every file is there as it was or as it will be (apply.h), so that whoever is interrupted
 *    goes on with the same call.
 */
#include <stdbool.h>
#include <stddef.h>

#include "store/objects/object_id.h"
#include "store/track/problems.h"

struct err;
struct workspace;

enum checkout_state {
	CHECKOUT_SAME,	   /* it was right already */
	CHECKOUT_ADDED,	   /* it was not there */
	CHECKOUT_MODIFIED, /* parts of it were not right */
	CHECKOUT_DELETED,  /* it is not there any more, as was asked */
	CHECKOUT_NOTHING,  /* no hash is recorded: nothing is known of it */
	CHECKOUT_MISSING,  /* objects are missing: left as it was */
	CHECKOUT_REFUSED,  /* left as it was for another reason, or some files failed */
	CHECKOUT_STATES
};

/* One out. */
struct checkout_out {
	const char *path;    /* relative to the root */
	struct object_id id; /* not set: nothing is recorded */
	bool exec;	     /* a file that shall be executable */
	bool gone;	     /* it shall not be there */
	const char *only;    /* a path in it, relative to it, or NULL: all of it */

	/* What became of it. */
	enum checkout_state state;
	bool dir;
	size_t added, modified, deleted, relinked; /* files */
};

struct checkout_options {
	bool force;
	bool relink;	    /* also files that are right */
	bool allow_missing; /* what is there of an out is taken */
	bool dry;	    /* only find out what would be lost */
};

struct checkout_report {
	struct problems unsaved; /* files that are not in the cache: nothing was done */
	struct problems
	    missing; /* objects that are not in the cache, by the files' paths */
	struct problems failed; /* files and outs that could not be had otherwise */
};

/**
 * checkout_outs(ws, options, outs, n, report, err):
 * Check out ${n} outs, of which none overlap.  What is found is in ${outs} and in ${report}, to
 * be freed by checkout_report_release in any case.  Return 0; 1 if files would be lost
 * (report->unsaved) and so nothing was done; -1 where the work as a whole ended.
 */
int checkout_outs(const struct workspace *, const struct checkout_options *,
		  struct checkout_out *, size_t, struct checkout_report *, struct err *);

/**
 * checkout_report_release(r):
 * Free what ${r} holds.
 */
void checkout_report_release(struct checkout_report *);

#endif
