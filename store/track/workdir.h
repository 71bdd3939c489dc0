#ifndef DAG_STORE_TRACK_WORKDIR_H
#define DAG_STORE_TRACK_WORKDIR_H
/*
 * The directory of the work tree that a worker is in: work goes file by file in the order of
 * paths, so the one that is open is the one that is needed next, as a rule.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct err;

struct workdir {
	int root_fd;	 /* the project's; borrowed */
	int fd;		 /* of the directory, or -1 */
	struct buf path; /* of the directory, relative to the root; "" is the root */
};

/**
 * workdir_init(w, root_fd), workdir_release(w):
 * Begin with nothing open; close what is.
 */
void workdir_init(struct workdir *, int);
void workdir_release(struct workdir *);

/**
 * workdir_enter(w, path, make, name, err):
 * Open the directory that ${path} (relative to the root, normalized) lies in, and with ${make}
 * make it and what is missing above it, 0777 cut by the umask.  ${name} is the last component,
 * a part of ${path}.  Links are not followed: what is on the way is a directory, or else
 * ERR_INVALID.  Return 0, or -1: ERR_NOTFOUND where there is none.
 */
int workdir_enter(struct workdir *, const char *, bool, const char **, struct err *);

/**
 * workdir_leave(w):
 * Close the open directory, so that it can be removed or replaced by another.
 */
void workdir_leave(struct workdir *);

/**
 * workdir_remove_empty(dirfd, path):
 * Remove the directory ${path} with all directories in it, if there is nothing but directories.
 * Return 0 (also if it is not there); 1 if there is something else, or it is no directory; -1
 * with errno.
 */
int workdir_remove_empty(int, const char *);

/**
 * workdir_prune(root_fd, path, top):
 * Remove the directory that ${path} lies in, and those above it, as long as they are empty and
 * lie below ${top}, a directory above ${path}.  ${path} is cut.
 */
void workdir_prune(int, char *, const char *);

#endif
