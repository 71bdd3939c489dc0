#ifndef DAG_STORE_TRACK_LS_H
#define DAG_STORE_TRACK_LS_H
/*
 * What is in a repository: files that git or the work tree has, and what is tracked, as if all of
 * it lay there.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/objects/object_id.h"

struct arena;
struct elsewhere;
struct err;

#define LS_DEPTH_MAX 1000

struct ls_options {
	const char *path; /* relative to its root, normalized; "." is the root */
	bool dvc_only;	  /* only what is tracked, and the directories above it */
	/* How deep: 1 is what lies in ${path}, 0 only itself, LS_DEPTH_MAX all. */
	unsigned depth;
	bool dirs; /* also directories whose content is listed */
};

struct ls_entry {
	const char *path; /* seen from ${path} of the options; of that itself its name */
	const char *name; /* its last component */
	unsigned depth;	  /* of it: 1 for what lies in ${path} */
	bool isout, isdir, isexec;
	bool file, link;     /* git or the work tree has it; and it is a symbolic link */
	int64_t size;	     /* -1: not known */
	struct object_id id; /* not set: none is recorded */
};

struct ls_list {
	struct ls_entry *v; /* in the arena; a directory before what is in it */
	size_t n, cap;
};

/**
 * ls_list(e, o, arena, out, err):
 * List what ${o} asks for into the empty ${out}, each directory by name.  Return 0, or -1:
 * ERR_NOTFOUND where there is no such path.
 */
int ls_list(struct elsewhere *, const struct ls_options *, struct arena *,
	    struct ls_list *, struct err *);

#endif
