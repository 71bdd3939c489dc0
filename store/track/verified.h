#ifndef DAG_STORE_TRACK_VERIFIED_H
#define DAG_STORE_TRACK_VERIFIED_H
/*
 * Objects of the cache that are known to have the bytes that their names say: those that were
 * hashed once and have not been touched since, by the index.
 */
#include <stdbool.h>

struct err;
struct index;
struct meter;
struct object_id;
struct objects;

/**
 * verified_known(cache, index, id):
 * Return whether the object is there and known to be right: written by this process, or looking
 * as it did when it was hashed.  ${index} may be NULL: that is not known.
 */
bool verified_known(struct objects *, struct index *, const struct object_id *);

/**
 * verified_check(cache, index, id, meter, err):
 * The same, hashing the object where it is not known, and remembering that it is right.  Return
 * 1; 0 with the reason in ${err} if it is not there or has other bytes; -1 if that cannot be
 * known.
 */
int verified_check(struct objects *, struct index *, const struct object_id *,
		   struct meter *, struct err *);

#endif
