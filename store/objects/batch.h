#ifndef DAG_STORE_OBJECTS_BATCH_H
#define DAG_STORE_OBJECTS_BATCH_H
/*
 * New objects, written under temporary names and made durable and visible together: first the
 * bytes of all are synced, then they get their names, then the directories are synced.  Few
 * objects are synced one by one, more than BATCH_FSYNC_MAX by one sync of the file system.
 * After BATCH_OBJECTS_MAX objects or BATCH_BYTES_MAX bytes those so far get their names by
 * themselves.
 *
 * Several threads may add at once.  After a failed sync or rename the batch is lost: every
 * further call fails with what it was, nothing is retried, and what has no name yet is
 * removed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct batch;
struct batch_stream;
struct err;
struct meter;
struct object_id;
struct objects;
struct tree;

#define BATCH_FSYNC_MAX	  16
#define BATCH_OBJECTS_MAX 8192
#define BATCH_BYTES_MAX	  ((uint64_t)1 << 30)

#define BATCH_SIZE_UNKNOWN UINT64_MAX

/**
 * batch_begin(store, meter, out, err):
 * Begin a batch; the store and the meter outlive it.  Return 0 or -1.
 */
int batch_begin(struct objects *, struct meter *, struct batch **, struct err *);

/**
 * batch_copy(b, fd, expect, id, size, err):
 * Add the bytes of the file open as ${fd}, from its offset to its end, read once.  ${size}
 * says how many that are by what stat(2) told (BATCH_SIZE_UNKNOWN: not known), afterwards how
 * many were read; ${id} is their name.  With ${expect} (may be NULL; may be legacy) they must
 * have that name: ERR_CORRUPT if not, and nothing is added.  What the store has already is not
 * written.  Return 0 or -1; the message does not name the file.
 */
int batch_copy(struct batch *, int, const struct object_id *, struct object_id *,
	       uint64_t *, struct err *);

/**
 * batch_bytes(b, p, n, dir, id, err):
 * Add ${n} bytes; with ${dir} under the name of a directory's list.  Return 0 or -1.
 */
int batch_bytes(struct batch *, const void *, size_t, bool, struct object_id *,
		struct err *);

/**
 * batch_tree(b, t, id, bytes, err):
 * Add the list ${t} (sorted); ${bytes} (may be NULL) is its length.  Return 0 or -1.
 */
int batch_tree(struct batch *, const struct tree *, struct object_id *, uint64_t *,
	       struct err *);

/**
 * batch_stream_begin(b, expect, out, err), batch_stream_write(s, p, n, err),
 * batch_stream_end(s, id, size, err), batch_stream_drop(s):
 * The same as batch_copy by pieces, for one thread at a time.  end checks ${expect} (may be
 * NULL) as batch_copy does; ${id} and ${size} may be NULL.  end and drop free the stream; after
 * a failed write it is to be dropped.  They return 0 or -1.
 */
int batch_stream_begin(struct batch *, const struct object_id *, struct batch_stream **,
		       struct err *);
int batch_stream_write(struct batch_stream *, const void *, size_t, struct err *);
int batch_stream_end(struct batch_stream *, struct object_id *, uint64_t *, struct err *);
void batch_stream_drop(struct batch_stream *);

/**
 * batch_replace(b, id, err):
 * Say that the object ${id} of the store was found wrong: bytes that are added under this
 * name take its place.  Return 0 or -1.
 */
int batch_replace(struct batch *, const struct object_id *, struct err *);

/**
 * batch_flush(b, err):
 * Make what was added durable and visible.  No thread may be adding meanwhile.  Return 0 or
 * -1.
 */
int batch_flush(struct batch *, struct err *);

/**
 * batch_sync(b, err), batch_name(b, err):
 * The first steps of a flush, for who has other files that are to be synced, or named, with the
 * objects: their bytes are durable; they have their names.  Return 0 or -1.
 */
int batch_sync(struct batch *, struct err *);
int batch_name(struct batch *, struct err *);

/**
 * batch_end(b, keep, err):
 * Flush with ${keep}, else remove what has no name yet; free ${b} (NULL is allowed) in any
 * case.  Return 0 or -1.
 */
int batch_end(struct batch *, bool, struct err *);

/**
 * batch_written(b, objects, bytes):
 * How much was new to the store so far.
 */
void batch_written(struct batch *, uint64_t *, uint64_t *);

#endif
