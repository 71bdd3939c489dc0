#ifndef DAG_STORE_TRACK_PLAN_H
#define DAG_STORE_TRACK_PLAN_H
/*
 * What a checkout will do with one out, file by file, found out before anything is touched.
 * Pure: it compares two lists.
 */
#include <stdbool.h>
#include <stddef.h>

#include "store/objects/object_id.h"
#include "store/objects/tree.h"

struct err;

/* An out as it is, or as it shall be. */
struct plan_side {
	bool there;
	bool dir;
	struct object_id id;	 /* of a file; of a directory only its `legacy` counts */
	const struct tree *tree; /* of a directory that is there, sorted */
};

/* What becomes of one file.  Its path is relative to the out, "" being the out itself. */
struct action {
	const struct tree_entry *want; /* NULL: it is removed */
	const struct tree_entry *have; /* NULL: it is made */
};

struct plan {
	/* First what is removed, then what is made, replaced or linked anew; each by path. */
	struct action *v;
	size_t n, cap;
	size_t removed, made, replaced, relinked;
	bool have_dir, want_dir; /* the out is, or will be, a directory */
	struct tree_entry have_file,
	    want_file; /* what stands for an out that is a file */
	bool have_legacy, want_legacy;
};

/**
 * plan_make(have, want, only, relink, out, err):
 * Fill the empty ${out} with what leads from ${have} to ${want}, both of which must outlive it.
 * ${only} (may be NULL) is a file or directory in the out, relative to it, and nothing else is
 * touched, but what is in its way.  With ${relink} files that are right are among the actions
 * as well.  Return 0 or -1; ${out} is to be freed by plan_release in any case.
 */
int plan_make(const struct plan_side *, const struct plan_side *, const char *, bool,
	      struct plan *, struct err *);

/**
 * plan_release(p):
 * Free what ${p} holds and make it empty.
 */
void plan_release(struct plan *);

/**
 * plan_id(entry, legacy, id):
 * Make the id of the object of ${entry}, of the side that is legacy or not.
 */
void plan_id(const struct tree_entry *, bool, struct object_id *);

#endif
