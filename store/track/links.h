#ifndef DAG_STORE_TRACK_LINKS_H
#define DAG_STORE_TRACK_LINKS_H
/*
 * Which outs this work tree has got or given: paths, and the content that was there.  A
 * checkout removes what no pointer names any more, as a branch that is left has them: but only
 * what stands here, and is still what stands here.
 *
 * It is a file `links` in the state directory, a line "HASH PATH" each, of which what cannot be
 * read counts for nothing: then more is left lying about, never less.
 */
#include <stdbool.h>
#include <stddef.h>

#include "store/objects/object_id.h"

struct err;

#define LINKS_FILE "links"
#define LINKS_MAX  ((size_t)64 << 20) /* bytes of the file */

struct link_entry {
	char *path;	     /* relative to the root */
	struct object_id id; /* not set: to be forgotten */
};

struct links {
	int state_fd; /* -1: there is no state directory, and nothing is remembered */
	const char *name;
	struct link_entry *v; /* sorted by path, none twice */
	size_t n, cap;
	bool changed;
};

/**
 * links_load(state_fd, name, l, err):
 * Read what is remembered in the file ${name}, which must outlive ${l}.  Return 0, or -1 if memory ran out; to be freed by links_release in
 * any case.
 */
int links_load(int, const char *, struct links *, struct err *);

/**
 * links_release(l):
 * Free what ${l} holds.
 */
void links_release(struct links *);

/**
 * links_set(l, path, id, err):
 * Remember that ${path} has the content ${id}; NULL: forget it.  Return 0 or -1.
 */
int links_set(struct links *, const char *, const struct object_id *, struct err *);

/**
 * links_save(l, err):
 * Write it, where it has changed.  Return 0 or -1.
 */
int links_save(struct links *, struct err *);

#endif
