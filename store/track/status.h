#ifndef DAG_STORE_TRACK_STATUS_H
#define DAG_STORE_TRACK_STATUS_H
/*
 * Whether outs are what their pointers say, and whether the cache has them.  Writes nothing but
 * the index.
 */
#include <stdbool.h>
#include <stddef.h>

#include "store/objects/object_id.h"

struct err;
struct workspace;

enum out_state {
	OUT_RIGHT,
	OUT_MODIFIED,
	OUT_DELETED,
	OUT_NOT_IN_CACHE /* an object of it is missing there, whatever the work tree has */
};

struct status_out {
	const char *path;    /* relative to the root */
	struct object_id id; /* not set: nothing is recorded */
	bool cache;	     /* it is to be in the cache */
	/* What comes out. */
	enum out_state state;
	bool there;   /* something lies at the path */
	bool changed; /* and has another content than is recorded */
};

/**
 * status_outs(ws, outs, n, err):
 * Look at ${n} outs.  Return 0 or -1.
 */
int status_outs(const struct workspace *, struct status_out *, size_t, struct err *);

/**
 * status_cached(ws, id, err):
 * Return whether the cache has the object ${id}, and all that it names if it is a list: 1, 0
 * (also for a list that cannot be read), or -1.
 */
int status_cached(const struct workspace *, const struct object_id *, struct err *);

/**
 * out_state_name(state):
 * Return DVC's word: "modified", "deleted", "not in cache"; NULL for OUT_RIGHT.
 */
const char *out_state_name(enum out_state);

#endif
