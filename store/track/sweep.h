#ifndef DAG_STORE_TRACK_SWEEP_H
#define DAG_STORE_TRACK_SWEEP_H
/*
 * Objects that nothing names any more, found and removed: in the cache or on a remote.
 *
 * Invariants
 * 1. What is used is known before anything is removed: a list that is damaged ends the call.
 * 2. What is young stays, as somebody may be about to name it; and with a list its files.
 * 3. Lists go before files, durably, so that no list is ever there without its files.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "store/objects/object_id.h"
#include "store/remote/transfer.h"

struct err;
struct meter;
struct object_set;
struct objects;
struct remote;

/* Where to look: on the remote, if there is one; lists are read from the cache first. */
struct sweep_side {
	struct objects *cache;
	struct remote *remote;
};

/* Directories whose lists are nowhere, so that their files are not known. */
struct sweep_unknown {
	VEC(struct transfer_want) v;
};

struct sweep_found {
	VEC(struct object_id) v; /* lists first */
	uint64_t bytes;
	size_t kept;  /* objects that are used */
	size_t young; /* that are not, and stay for their age */
};

/**
 * sweep_use(used, id, err):
 * Add an object under the names of DVC 3 and of DVC 2.  Return 0 or -1.
 */
int sweep_use(struct object_set *, const struct object_id *, struct err *);

/**
 * sweep_used(cache, remote, v, n, used, unknown, m, err):
 * Add all objects that ${n} wants need to ${used}, under both names.  Lists are read from the
 * cache, or else from ${remote} (may be NULL); those of ${v} whose lists are on neither are
 * added to ${unknown} (may be NULL; the caller frees its v).  Return 0; -1: ERR_CORRUPT names a
 * list.
 */
int sweep_used(struct objects *, struct remote *, const struct transfer_want *, size_t,
	       struct object_set *, struct sweep_unknown *, struct meter *, struct err *);

/**
 * sweep_links(root_fd, path, used, err):
 * Add what links in the directory ${path} of a work tree lead to, if it is the name of an object
 * in whatever store.  Where there is no directory there are no links.  Return 0, or -1: not all
 * could be read.  With "" look at the whole work tree, but what may not be read.
 */
int sweep_links(int, const char *, struct object_set *, struct err *);

/**
 * sweep_find(side, used, before_s, found, m, err):
 * Find the objects that are not in ${used} and were last changed before ${before_s} (seconds
 * since the epoch).  ${found} is empty before, and to be freed by sweep_release in any case.
 * Return 0 or -1.
 */
int sweep_find(const struct sweep_side *, const struct object_set *, int64_t,
	       struct sweep_found *, struct meter *, struct err *);

/**
 * sweep_remove(side, found, m, err):
 * Remove what was found.  Return 0 or -1.
 */
int sweep_remove(const struct sweep_side *, const struct sweep_found *, struct meter *,
		 struct err *);

/**
 * sweep_release(found):
 * Free what ${found} holds.
 */
void sweep_release(struct sweep_found *);

#endif
