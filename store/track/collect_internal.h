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
	struct diag *diag;
	struct arena *arena;
	bool
	    stages; /* what stages are to make counts too: dvc.yaml's templates are put in */
	bool
	    read_more; /* what was taken depends on other files than the pointer and its lock */
	struct value_options options; /* of the settings: how templates are put in */
	VEC(struct track_file *) files;
	VEC(struct track_out) outs;
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
 * Read the pointer file ${path}, a .dvc file or a dvc.yaml with the dvc.lock beside it.  *${from}
 * is the number of its first out.  A mistake in it is noted; return -1 only for what ends the
 * work.
 */
int collector_take(struct collector *, const char *, size_t *, struct err *);

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
