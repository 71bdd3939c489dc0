#ifndef DAG_STORE_OBJECTS_OBJECTS_H
#define DAG_STORE_OBJECTS_OBJECTS_H
/*
 * One store of objects in DVC's layout: a cache, or a directory that is a remote.
 *
 *	files/md5/ab/cdef...	an object of DVC 3, ".dir" behind the list of a directory
 *	ab/cdef...		one of DVC 2 (legacy)
 *	.<22 letters>.tmp	in any of these directories: what somebody was writing
 *
 * Invariants
 * 1. A name holds the bytes that hash to it, whatever crashes: new objects are written under
 *    a temporary name, made durable, then renamed (batch.h).
 * 2. Objects are 0444 whatever the umask; directories 0777 cut by the umask, or 2775 in a
 *    store that a group shares.
 * 3. An object that is there is replaced only where somebody found it wrong and said so.
 *
 * All functions may be called by several threads at once.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct err;
struct meter;
struct object_id;
struct object_set;
struct objects;
struct tree;

struct objects_options {
	const char *dir; /* absolute; it need not exist */
	bool shared;	 /* cache.shared=group */
	bool readonly;	 /* a write fails with ERR_INVALID */
};

/**
 * objects_open(options, out, err), objects_close(o):
 * Open a store; nothing is made before the first write.  Closing NULL is allowed.  Return 0
 * or -1.
 */
int objects_open(const struct objects_options *, struct objects **, struct err *);
void objects_close(struct objects *);

/**
 * objects_dir(o):
 * Return the directory of the store, as it was given.
 */
const char *objects_dir(const struct objects *);

/**
 * objects_name(id, out):
 * Append where in a store ${id} lies: "files/md5/ab/cdef...", or "ab/cdef..." if it is legacy.
 */
void objects_name(const struct object_id *, struct buf *);

/**
 * objects_path(o, id, out):
 * Append the absolute path of the object.
 */
void objects_path(const struct objects *, const struct object_id *, struct buf *);

/**
 * objects_has(o, id, err):
 * Return 1 if there is a regular file, or a link to one, under the name of ${id}, else 0; -1
 * if that cannot be known.
 */
int objects_has(struct objects *, const struct object_id *, struct err *);

/**
 * objects_fd(o, id, err):
 * Open the object for reading.  Return the descriptor, or -1: ERR_NOTFOUND with its path.
 */
int objects_fd(struct objects *, const struct object_id *, struct err *);

/**
 * objects_read(o, id, max, out, err):
 * Append the bytes of the object, at most ${max}, after they were found to have its hash.
 * Return 0, or -1: ERR_NOTFOUND, ERR_LIMIT, or ERR_CORRUPT with the path.
 */
int objects_read(struct objects *, const struct object_id *, size_t, struct buf *,
		 struct err *);

/**
 * objects_tree(o, id, t, err):
 * Read the list ${id} into the empty ${t}, verified, in pieces.  Return 0 or -1 as
 * objects_read and tree_parse.
 */
int objects_tree(struct objects *, const struct object_id *, struct tree *, struct err *);

/**
 * objects_check(o, id, rehash, meter, err):
 * Look at an object: OBJECT_RIGHT, OBJECT_ABSENT, OBJECT_WRONG (with ${err} saying how, and
 * the path), or -1 if that cannot be known.  Without ${rehash} it is right where objects_has
 * says 1.
 */
enum { OBJECT_RIGHT, OBJECT_ABSENT, OBJECT_WRONG };
int objects_check(struct objects *, const struct object_id *, bool, struct meter *,
		  struct err *);

/**
 * objects_made(o, id):
 * Return whether ${id} is there, was written by a batch that has ended since the store was
 * opened, and has not been touched since: its bytes were hashed then, and need not be again.
 */
bool objects_made(struct objects *, const struct object_id *);

/**
 * objects_remove(o, id, err):
 * Remove an object; one that is not there is fine.  Return 1 if it was removed, 0 if it was
 * not there, or -1.
 */
int objects_remove(struct objects *, const struct object_id *, struct err *);

/**
 * objects_sync(o, err):
 * Make removals durable.  Return 0 or -1.
 */
int objects_sync(struct objects *, struct err *);

/**
 * objects_list(o, legacy, set, meter, err):
 * Add all objects of DVC 3 (or the legacy ones) to ${set}, by what the directories say.
 * Other names in them are left out.  Return 0 or -1.
 */
int objects_list(struct objects *, bool, struct object_set *, struct meter *,
		 struct err *);

/**
 * objects_missing(o, v, n, missing, meter, err):
 * Set missing[i] to whether there is no object v[i]: each is looked for, or the store is
 * listed, whichever is cheaper.  Return 0 or -1.
 */
int objects_missing(struct objects *, const struct object_id *, size_t, uint8_t *,
		    struct meter *, struct err *);

#define OBJECT_PREFIXES 256 /* values of an object's first byte */

/**
 * objects_sweep(o, where, before_s, n, err):
 * Remove the temporaries of crashed writers (ours and DVC's) whose last change was before
 * ${before_s} (seconds since the epoch): everywhere, or, unless ${where} is NULL, only beside
 * objects whose first byte b is such that where[b].  What may not be removed stays.  ${n} (may
 * be NULL) is how many went.  Return 0 or -1.
 */
int objects_sweep(struct objects *, const bool *, int64_t, size_t *, struct err *);

#endif
