#ifndef DAG_STORE_TRACK_GET_H
#define DAG_STORE_TRACK_GET_H
/*
 * A file or directory of another repository copied to anywhere: what git has and what is tracked
 * by content alike.
 *
 * Invariant: what is asked for is there whole under its name, or not at all; it is made beside it
 * in a directory of its own, `.dag-get-` and six letters, which only who was killed leaves.
 */
#include <stdbool.h>

#include "store/remote/transfer.h"
#include "store/track/checkout.h"

struct arena;
struct buf;
struct elsewhere;
struct err;

#define GET_BLOB_MAX ((size_t)1 << 30) /* bytes of one file that git has, of a revision */

struct get_options {
	const char *path; /* in the repository, normalized */
	const char *to;	  /* where it shall be, seen from the current directory */
	bool force;	  /* what is there is replaced */
	unsigned workers; /* 0: the processors */
};

struct get_report {
	struct checkout_report checkout;
	struct transfer_report transfer;
};

/**
 * get_path(e, o, arena, report, err):
 * Get it.  ${report}, initialized, tells of single objects that could not be had.  Return 0; 1
 * where some could not, and then nothing is there; or -1: ERR_EXISTS, ERR_NOTFOUND ...
 */
int get_path(struct elsewhere *, const struct get_options *, struct arena *,
	     struct get_report *, struct err *);

/**
 * get_url(e, path, out, err):
 * Append where the object of a tracked path lies on the remote.  Return 0 or -1.
 */
int get_url(struct elsewhere *, const char *, struct buf *, struct err *);

#endif
