#ifndef DAG_STORE_OBJECTS_OBJECT_SET_H
#define DAG_STORE_OBJECTS_OBJECT_SET_H
/*
 * A set of object ids for millions of them: 16 bytes a slot, at most 28 bytes for each id that
 * is in it.  It is 256 tables by the first byte of the hash, as a store is 256 directories:
 * threads may add at the same time where each keeps to first bytes of its own.
 */
#include <stdbool.h>
#include <stddef.h>

struct object_id;
struct object_set;

/**
 * object_set_new(), object_set_free(s):
 * Make an empty set, or NULL; free it (NULL is allowed).
 */
struct object_set *object_set_new(void);
void object_set_free(struct object_set *);

/**
 * object_set_add(s, id):
 * Return 1 if ${id} is new in ${s}, 0 if it was there; -1 if memory ran out.
 */
int object_set_add(struct object_set *, const struct object_id *);

/**
 * object_set_has(s, id):
 * Return whether ${id} is in ${s}.
 */
bool object_set_has(const struct object_set *, const struct object_id *);

/**
 * object_set_count(s):
 * Return how many ids are in ${s}.
 */
size_t object_set_count(const struct object_set *);

/**
 * object_set_clear(s):
 * Make ${s} empty, keeping its memory.
 */
void object_set_clear(struct object_set *);

/**
 * object_set_next(s, cursor, id):
 * Copy the next id of ${s} into ${id} and return true, or false behind the last.  ${cursor}
 * begins as {0}; ${s} may not change meanwhile.  The order is that of the first byte, and
 * within that none.
 */
struct object_set_cursor {
	size_t bucket, slot;
};
bool object_set_next(const struct object_set *, struct object_set_cursor *,
		     struct object_id *);

#endif
