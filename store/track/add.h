#ifndef DAG_STORE_TRACK_ADD_H
#define DAG_STORE_TRACK_ADD_H
/*
 * Data of the work tree recorded: in the cache, in .gitignore, in a pointer file.  What add and
 * commit do.
 *
 * Invariants
 * 1. A pointer file is written last, when the objects that it names are durable in the cache
 *    and .gitignore names the path; whole, durably, in one piece.
 * 2. All paths are found fit to be tracked before anything is written.
 * 3. Killed anywhere, what is there is right, and the same call goes on.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/objects/object_id.h"

struct arena;
struct err;
struct gitignore;
struct problems;
struct track_list;
struct workspace;

struct add_options {
	const char *root; /* the project's canonical path */
	const struct track_list
	    *list;	 /* what is tracked; its files are changed and written */
	bool commit;	 /* only what is tracked already, also by stages */
	bool into_cache; /* else only hashed */
	bool relink;
	struct gitignore *gitignore; /* NULL: there is no git */
	/* Whether git tracks a path, relative to the root; NULL: it tracks nothing. */
	int (*git_tracks)(void *, const char *, struct err *);
	void *git;
};

struct add_item {
	const char *target; /* what is to be added, relative to the root, normalized */

	/* What came of it; texts live in the arena. */
	const char *path;      /* the out: the target, or the directory that it is in */
	const char *file;      /* its pointer file, or dvc.lock */
	bool file_changed;     /* it was written */
	const char *gitignore; /* the file that was written, or NULL */
	bool dir;
	struct object_id id;
	uint64_t size, nfiles; /* of the out */
	uint64_t hashed;       /* files that were read */
};

/**
 * add_paths(ws, options, items, n, arena, problems, err):
 * Record ${n} targets.  A file in a directory that is tracked becomes part of its list, and
 * nothing else in it is looked at.  Files that could not be linked from the cache are in
 * ${problems}; they are recorded all the same.  Return 0; or -1: ERR_INVALID, ERR_NOTFOUND or
 * ERR_EXISTS where a target cannot be tracked, and then nothing was done.
 */
int add_paths(const struct workspace *, const struct add_options *, struct add_item *,
	      size_t, struct arena *, struct problems *, struct err *);

#endif
