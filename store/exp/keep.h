#ifndef DAG_STORE_EXP_KEEP_H
#define DAG_STORE_EXP_KEEP_H
/*
 * What an experiment keeps of a work tree, as DVC has it: what git tracks, and besides, tracked
 * or not, what stages are made of and report: pointers, .gitignore, dependencies that are no
 * data, outputs that the cache does not have, and files of params, metrics and plots.  What
 * git ignores is left out.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "base/vec.h"
#include "store/git_write.h"

struct arena;
struct err;
struct repo;

/* Seen from git's top. */
struct kept_paths {
	const char **v;
	size_t n, cap;
};

struct keep_options {
	struct repo *from; /* whose work tree it is */
	struct repo *into; /* where it is kept; may be the same */
	const char *root;  /* absolute, in the work tree: of the tracked data */
	const char *base;  /* the id of the commit that it is an experiment of */
	bool all;	   /* of the hash: also of entries that are what they were */
	/* Paths to be kept too, seen from git's top, ignored or not. */
	const char *const *more;
	size_t n;
	/* What stages depend on and git ignores is added there, in ${arena}: files, and whole
	 * directories; and the files of submodules.  NULL: nobody asks. */
	struct kept_paths *ignored;
	struct arena *arena;
	const atomic_bool *stop; /* may be NULL */
};

struct kept {
	struct repo_snapshot trees;
	/* Of the entries of dvc.lock that are not what they are in `base`: DVC's name for what an
	 * experiment has done. */
	char hash[HASH_HEX_MAX];
};

/**
 * keep_tree(o, out, err):
 * Write the trees of all that is to be kept.  Return 0 or -1, as repo_snapshot.
 */
int keep_tree(const struct keep_options *, struct kept *, struct err *);

/**
 * keep_commit(into, k, base, message, id, err):
 * Write the commit of an experiment upon ${base}; ${message} is NULL for that which DVC gives.
 * Return 0 or -1.
 */
int keep_commit(struct repo *, const struct kept *, const char *, const char *,
		char id[REPO_ID], struct err *);

#endif
