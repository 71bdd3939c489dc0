#ifndef DAG_STORE_TRACK_COMPARE_H
#define DAG_STORE_TRACK_COMPARE_H
/*
 * What differs between pointers and pointers, or pointers and the work tree: changes.h with the
 * lists of files put in.  Writes nothing but the index.
 */
#include <stdbool.h>
#include <stddef.h>

struct changes;
struct err;
struct track_list;
struct workspace;

struct compare_options {
	bool granular;	/* also the files of directories */
	bool unchanged; /* also what is the same */
	bool by_hash;	/* what had no hash and has one is added */
	bool missing;	/* mark, and add, what of the old side is not in the cache */
	const char *const
	    *targets; /* only what is at or below one of these; n = 0: all */
	size_t ntargets;
};

/**
 * compare_lists(ws, old, new, options, out, err):
 * Compare two lists of pointers; ${old} may be NULL: nothing was tracked.  ${out} is to be freed
 * by changes_release in any case, before the lists.  Return 0 or -1.
 */
int compare_lists(const struct workspace *, const struct track_list *,
		  const struct track_list *, const struct compare_options *,
		  struct changes *, struct err *);

/**
 * compare_work(ws, old, now, options, out, err):
 * Compare a list of pointers with what the work tree has at the outs of the list ${now} (which
 * may be the same).
 */
int compare_work(const struct workspace *, const struct track_list *,
		 const struct track_list *, const struct compare_options *,
		 struct changes *, struct err *);

#endif
