#ifndef DAG_STORE_DVC_PATH_LOCK_H
#define DAG_STORE_DVC_PATH_LOCK_H
/*
 * Locks on single paths, as DVC takes them while a stage's command runs and the lock of the
 * repository is not held: the JSON file .dvc/tmp/rwlock,
 *
 *	{"write": {path: {"pid": 1, "cmd": "..."}}, "read": {path: [{...}]}}
 *
 * read and written under the flock of .dvc/tmp/rwlock.lock.  Who writes a path excludes all
 * others from it, from what is below it and what is above it; readers exclude writers.  Entries
 * of processes that are no more are dropped.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct meter;
struct path_lock;
struct path_locks;

#define PATH_LOCK_FILE_MAX ((size_t)16 << 20)

struct path_lock_want {
	const char *path; /* absolute, normalized */
	bool write;
};

struct path_lock_options {
	int tmp_fd; /* of the directory .dvc/tmp, borrowed; as long as the lock is held */
	const char *cmd; /* who we are, for those who find it locked */
	int64_t wait_us; /* for the file and for the paths */
	bool
	    own; /* other locks of this process are not in the way: it keeps them apart */
	struct meter *meter;
	void (*waiting)(void *, const char *); /* as work_lock.h */
	void *ctx;
};

/**
 * path_lock_take(options, wants, n, out, err):
 * Lock ${n} paths, all or none.  Return 0; or -1: ERR_BUSY names who has which, ERR_CORRUPT a
 * file that cannot be read, ERR_CANCELLED.
 */
int path_lock_take(const struct path_lock_options *, const struct path_lock_want *,
		   size_t, struct path_lock **, struct err *);

/**
 * path_lock_drop(l, err):
 * Give all back, and free ${l} (also when it fails; NULL is allowed).  Return 0 or -1.
 */
int path_lock_drop(struct path_lock *, struct err *);

/**
 * path_locks_read(tmp_fd, out, err), path_locks_free(l):
 * What others have locked now: who has the repository's lock sees no more come.  No file is
 * made if there is none.  Return 0 or -1, as path_lock_take.  NULL is allowed.
 */
int path_locks_read(int, struct path_locks **, struct err *);
void path_locks_free(struct path_locks *);

/**
 * path_locks_check(l, path, err):
 * May ${path} (absolute, normalized) be written?  Locks of this process do not speak against it.
 * Return 0; or -1: ERR_BUSY names who has it.
 */
int path_locks_check(struct path_locks *, const char *, struct err *);

#endif
