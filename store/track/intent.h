#ifndef DAG_STORE_TRACK_INTENT_H
#define DAG_STORE_TRACK_INTENT_H
/*
 * Where files of the work tree are about to be written, told beforehand.  A file gets its name
 * when it is whole; until then it lies beside its place under a temporary name, in a directory
 * that is tracked.  Whoever is killed leaves some of those.  So that nobody takes them for data,
 * and that they go soon, the paths and what the names have in common (link_owner) stand in a file
 * of the state directory, durably, before the first is made, and until the last is gone.
 *
 * It is changed and acted upon with the repository's lock held: a file that is found then is of
 * somebody dead.  Without the lock it tells which names in the work tree are nobody's data.  A
 * file of the user's that happens to be named like a temporary is never touched.
 *
 *	a line with the owner's letters, a line for each path, a line with "."; in paths a newline
 *	is "\n", a backslash two
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/objects/link.h"

struct err;
struct objects;

#define INTENT_FILE "writing"
#define INTENT_MAX  ((size_t)64 << 20) /* bytes of the file */

struct intent {
	int state_fd;	  /* of the state directory; -1: nothing is told */
	const char *name; /* of the file; borrowed, both */
	struct objects *objects;
	char **v; /* paths that will be told */
	size_t n, cap;
	atomic_bool told;
	pthread_mutex_t lock;
};

/**
 * intent_init(t, state_fd, name, objects), intent_release(t):
 * Begin with nothing to tell; ${objects} is who will make the names.  intent_release frees the
 * list, and leaves the file alone.
 */
void intent_init(struct intent *, int, const char *, struct objects *);
void intent_release(struct intent *);

/**
 * intent_add(t, path, err):
 * One more path, relative to the root, is to be told: a file, or a directory with all below
 * it.  Return 0 or -1.
 */
int intent_add(struct intent *, const char *, struct err *);

/**
 * intent_tell(t, err):
 * Write the file, durably, if that has not been done; NULL is allowed.  May be called by several
 * threads.  Return 0 or -1.
 */
int intent_tell(struct intent *, struct err *);

/**
 * intent_done(t):
 * No temporary of ours is left: remove the file, if it was written, and forget the paths.
 */
void intent_done(struct intent *);

/**
 * intent_read(state_fd, name, owner):
 * Is there a file, of somebody dead or at work?  Return whether; ${owner} are his letters, "" if
 * he had not come so far as to make anything.
 */
bool intent_read(int, const char *, char[LINK_OWNER + 1]);

/**
 * intent_clear(root_fd, state_fd, name):
 * With the lock held: remove what a dead writer left, then the file.  What cannot be removed
 * stays, and the file with it.
 */
void intent_clear(int, int, const char *);

#endif
