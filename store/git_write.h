#ifndef DAG_STORE_GIT_WRITE_H
#define DAG_STORE_GIT_WRITE_H
/*
 * Writing into a git repository (store/git.h) without its index and its HEAD: references,
 * commits, trees of what lies in a work tree, and a work tree elsewhere.
 *
 * References of two processes at once: each is changed under git's own lock of it, which is
 * waited for 3 s, and only from what it was known to be.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/git.h"

struct err;

/* ---- references ---- */

struct repo_ref {
	const char *name; /* "refs/exps/ab/.../name" */
	char id[REPO_ID]; /* of the commit that it leads to */
};

/**
 * repo_refs(r, prefix, fn, ctx, err):
 * Call ${fn}(${ctx}, ref, ${err}) for each reference whose name begins with ${prefix} and that
 * leads to a commit, sorted by name, until it returns non-zero.  Return what it returned, or
 * 0; -1 also where git cannot be read.
 */
int repo_refs(struct repo *, const char *,
	      int (*)(void *, const struct repo_ref *, struct err *), void *,
	      struct err *);

/**
 * repo_ref_set(r, name, id, was, err):
 * Let the reference ${name} lead to the commit ${id}.  ${was}: what it leads to now ("": there
 * is none yet, which ERR_EXISTS says where there is one), or NULL where that does not matter.
 * One called ".../stash" keeps in its log what it has led to, as that of git does.
 * Return 0 or -1: ERR_STALE where it leads somewhere else, ERR_BUSY, ERR_INVALID for a name
 * that no reference can have.
 */
int repo_ref_set(struct repo *, const char *, const char *, const char *, struct err *);

/**
 * repo_ref_remove(r, name, err):
 * Remove the reference; one that is not there is fine.  Return 0 or -1.
 */
int repo_ref_remove(struct repo *, const char *, struct err *);

/**
 * repo_ref_valid(r, name):
 * Return whether a reference of the whole name ${name} can be.
 */
bool repo_ref_valid(const struct repo *, const char *);

/* ---- commits ---- */

#define REPO_SUBJECT 256

struct repo_commit {
	char tree[REPO_ID];
	char parent[REPO_ID];	    /* the first; "": none */
	int64_t time_s;		    /* of the commit, since the epoch */
	char subject[REPO_SUBJECT]; /* the first line of its message, as far as it fits */
};

/**
 * repo_commit(r, id, out, err):
 * Read the commit of that full id.  Return 0 or -1.
 */
int repo_commit(struct repo *, const char *, struct repo_commit *, struct err *);

/**
 * repo_author(r, err):
 * Return 0 if git knows who makes commits here, or -1 with how to tell it.
 */
int repo_author(struct repo *, struct err *);

/**
 * repo_commit_make(r, tree, parents, n, message, id, err):
 * Write a commit of the tree ${tree} with ${n} parents; no reference leads to it.  Its id goes
 * to ${id}.  Return 0 or -1.
 */
int repo_commit_make(struct repo *, const char *, const char *const *, size_t,
		     const char *, char id[REPO_ID], struct err *);

/**
 * repo_tree_same(r, a, b):
 * Return whether the commits ${a} and ${b} hold the same files.
 */
bool repo_tree_same(struct repo *, const char *, const char *);

/* ---- what lies in a work tree ---- */

struct repo_snapshot {
	char index[REPO_ID]; /* the tree of the index */
	char tree
	    [REPO_ID]; /* of that with the changes of tracked files in the work tree */
};

/**
 * repo_snapshot(from, into, extra, n, stop, out, err):
 * Write the trees of what the work tree of ${from} has tracked now into the repository ${into}
 * (or the same one): with the ${n} paths ${extra}, and all that lies below them, tracked or
 * not.  The index is not written.  Unmerged files, and changed ones with a filter that is a
 * program, are refused by name.  Return 0 or -1; ERR_CANCELLED once *${stop} (may be NULL).
 */
int repo_snapshot(struct repo *, struct repo *, const char *const *, size_t,
		  const atomic_bool *, struct repo_snapshot *, struct err *);

/**
 * repo_in_way(r, commit, tree, n, err):
 * Write the tree of what lies in the work tree where ${commit} has something else, and is not
 * tracked now; *${n} tells how many files these are, ${tree} is "" for none.  Return 0 or -1.
 */
int repo_in_way(struct repo *, const char *, char tree[REPO_ID], size_t *, struct err *);

/**
 * repo_put(r, commit, err):
 * Make the files of the work tree that HEAD or ${commit} have what they are in ${commit}: what
 * it has not is removed.  Index and HEAD stay.  Return 0 or -1.
 */
int repo_put(struct repo *, const char *, struct err *);

/* ---- a work tree elsewhere ---- */

/**
 * repo_apart(r, tree, head, dir, out, err):
 * Make the directory ${dir}, a work tree with a repository of its own, which has the settings
 * of ${r} and borrows its objects: the files of tree ${tree}, HEAD detached at the commit
 * ${head}, and open it.  Submodules and files with filters that are programs are there as git
 * keeps them.  Return 0 or -1; who fails leaves what there is to the caller.
 */
int repo_apart(struct repo *, const char *, const char *, const char *, struct repo **,
	       struct err *);

#endif
