#ifndef DAG_STORE_TRACK_APPLY_H
#define DAG_STORE_TRACK_APPLY_H
/*
 * Carrying out what plan.h has found: files of the work tree removed, made and replaced, by
 * several workers.
 *
 * Invariants
 * 1. Nothing but what the plan saw is overwritten or removed, unless the caller says so: what
 *    has changed since then is looked at again, and what has appeared is left alone.
 * 2. A file is there as it was or as it will be, never in between: a temporary beside it gets
 *    its name when it is whole.
 * 3. A worker that fails for one file goes on with the next one.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/objects/link.h"
#include "store/objects/object_id.h"

struct err;
struct ignore;
struct index;
struct intent;
struct meter;
struct objects;
struct plan;
struct problems;

struct apply_options {
	struct objects *cache;
	struct index *index; /* NULL: none */
	int root_fd;
	enum link_type type;
	unsigned workers; /* 0: as many as there are processors */
	bool force;	  /* what is there may be anything */
	int64_t since_ns; /* clock_stamp_ns() before the plan's sides were looked at */
	struct ignore *ignore; /* what the plan does not see of the work tree; or NULL */
	struct meter *meter;
	struct intent *intent; /* told before the first file is made; NULL: nobody is */
};

/* One out. */
struct apply_out {
	const char *path; /* relative to the root */
	const struct plan *plan;
	bool exec;     /* a single file that is executable */
	void *arg;     /* the caller's */
	size_t failed; /* what comes out: actions that failed */
};

/**
 * apply_plans(options, outs, n, problems, err):
 * Carry out the plans of ${n} outs.  Files that fail are taken down in ${problems}.  Return 0
 * also then; -1 with ${err} where the work as a whole ended: no thread, ERR_CANCELLED.
 */
int apply_plans(const struct apply_options *, struct apply_out *, size_t,
		struct problems *, struct err *);

#endif
