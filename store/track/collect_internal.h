#ifndef DAG_STORE_TRACK_COLLECT_INTERNAL_H
#define DAG_STORE_TRACK_COLLECT_INTERNAL_H
/* For store/track/collect*.c. */
#include "base/vec.h"
#include "store/pipeline/value.h"
#include "store/track/collect.h"

/* Where the bytes of a file come from: append ${path} to the buf and return 1; 0 where there
 * is none; -1 with the error. */
struct buf;
struct err;
typedef int track_read_fn(void *, const char *, size_t, struct buf *, struct err *);

struct collector {
	track_read_fn *read;
	void *ctx;
	const struct track *track;
	struct diag *diag;
	struct arena *arena;
	bool
	    stages; /* what stages are to make counts too: dvc.yaml's templates are put in */
	bool
	    read_more; /* what was taken depends on other files than the pointer and its lock */
	struct value_options options; /* of the settings: how templates are put in */
	VEC(struct track_file *) files;
	VEC(struct track_out) outs;
	VEC(struct track_out) also; /* as in track_list, once it is settled */
	bool
	    failed; /* a file has mistakes, of which first is the first; others are read */
	struct err *first;
	const char *closed; /* as in track_list */
};

/**
 * collector_is_pointer(name):
 * Return whether a file of this name says what is tracked.
 */
bool collector_is_pointer(const char *);

/**
 * collector_take(c, path, from, err):
 * Read the pointer file ${path}: a .dvc file, a dvc.yaml with the dvc.lock beside it, or the lock
 * file of a DAG file.  *${from} is the number of its first out.  A mistake in it is noted; return -1 only for what ends the
 * work.
 */
int collector_take(struct collector *, const char *, size_t *, struct err *);

/**
 * collector_take_lock(c, path, err):
 * Read the lock file ${path} of a DAG file: what its tasks have made (collect_lock.c).  As
 * collector_take.
 */
int collector_take_lock(struct collector *, const char *, struct err *);

/**
 * collector_settle(c, err):
 * Of the sorted outs, take those of DAG files away that are in others' places, or others in
 * theirs: c->also has them.  Return 0 or -1 if memory ran out.
 */
int collector_settle(struct collector *, struct err *);

/**
 * collector_file(c, path, err), collector_push(c, out, err):
 * Add a file, of which NULL is returned on failure; an out.
 */
struct track_file *collector_file(struct collector *, const char *, struct err *);
int collector_push(struct collector *, const struct track_out *, struct err *);

/**
 * collector_entry(in, file, o):
 * Return what an entry of outs in ${file} says.
 */
struct track_out collector_entry(const struct track_file *, const char *,
				 const struct dvc_out *);

/**
 * collector_note(c, why, err):
 * A mistake in a file: the others are read all the same.  Return 0, or -1 where the work ends.
 */
int collector_note(struct collector *, const struct err *, struct err *);

/**
 * collector_finish(c, overlaps, list, err):
 * Make the list, and with ${overlaps} look for outs that lie in one another.  Return 0, or -1 also
 * where there were mistakes; the list holds what the messages show either way.
 */
int collector_finish(struct collector *, bool, struct track_list *, struct err *);

/**
 * track_file_release(f):
 * Free what ${f} was read into.
 */
void track_file_release(struct track_file *);

/**
 * track_path_cmp(a, b):
 * Order paths component by component, so that what lies in a directory follows it.
 */
int track_path_cmp(const char *, const char *);

#endif
