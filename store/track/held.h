#ifndef DAG_STORE_TRACK_HELD_H
#define DAG_STORE_TRACK_HELD_H
/*
 * What a run may use of the cache: what the pointers of the work tree named when it began.  As
 * long as it has not ended, nothing of that is removed, whatever the pointers name meanwhile.
 *
 * It is a file `held` in the run's directory: a line "HASH PATH" for each out, the hash with
 * ".dir" for a directory and with "~" before it where DVC 2 made it; control characters of the
 * path are '?'.  The last line is "." with the number of outs.  It is not synced: after a power
 * loss it may be absent or not whole, and then counts for nothing.
 */
#include <stddef.h>

struct err;
struct object_id;
struct track_list;

#define HELD_FILE "held"

/**
 * held_write(state_fd, run, list, err):
 * Write down, for the run with that id, all that ${list} names.  ${state_fd} is the state
 * directory, which has a directory for the run.  Return 0 or -1.
 */
int held_write(int, const char *, const struct track_list *, struct err *);

/**
 * held_there(state_fd, run):
 * Return whether that was done: 1 or 0.
 */
int held_there(int, const char *);

/**
 * held_drop(state_fd, run):
 * The run has ended: remove it.
 */
void held_drop(int, const char *);

/**
 * held_read(state_fd, run, fn, ctx, err):
 * Call ${fn}(${ctx}, id, path, ${err}) for each; another value than 0 ends it and is returned.
 * Return 0; 1 if there is none, or none that is whole, and then nothing was called; -1.
 */
int held_read(int, const char *,
	      int (*)(void *, const struct object_id *, const char *, struct err *),
	      void *, struct err *);

#endif
