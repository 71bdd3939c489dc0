#ifndef DAG_STORE_GIT_LG_H
#define DAG_STORE_GIT_LG_H
/*
 * The module git: store/git.h by libgit2.  What the files of this room share; nobody else
 * includes it.  The functions lg_VERB are those of store/git.h and keep their contracts.
 */
#include <sys/stat.h>

#include <git2.h>

#include "store/git_table.h"

struct repo {
	git_repository *git;
	char *top;    /* NULL: bare */
	char *dir;    /* of this work tree */
	char *common; /* of all its work trees */
	char *name;   /* for messages: the top, or the bare directory */
	bool partial; /* a promisor has objects that are not here */
};

/**
 * lg_start(err):
 * Let libgit2 begin, with our settings, unless it has.  Return 0 or -1.
 */
int lg_start(struct err *);

/**
 * lg_certs_later(yes), lg_certs(err):
 * While ${yes}, libgit2 only remembers which certificates it was to read; read them, before the
 * first connection that may want them.  Return 0 or -1.
 */
void lg_certs_later(bool);
int lg_certs(struct err *);

/**
 * lg_fail(err, rc, fmt, ...):
 * Fill ${err} with the text, ": " and what libgit2 says about its failure ${rc}; the code
 * follows from that.  Return -1.
 */
int lg_fail(struct err *, int, const char *, ...) __attribute__((format(printf, 3, 4)));

/**
 * lg_is_owner(rc):
 * Return whether libgit2, which has just failed with ${rc}, did so because the repository belongs
 * to somebody else.
 */
bool lg_is_owner(int);

/**
 * lg_lost(r, id, what, rc, err):
 * As lg_fail for the object ${id} of ${what}, which could not be read; if it is not there, the
 * way out is told.  Return -1.
 */
int lg_lost(const struct repo *, const git_oid *, const char *, int, struct err *);

/**
 * lg_wants_tree(r, what, err):
 * Return 0, or -1 if ${r} has no work tree, without which ${what} cannot be done.
 */
int lg_wants_tree(const struct repo *, const char *, struct err *);

/**
 * lg_adopt(git, out, err):
 * Make a struct repo of ${git}, which it owns then (and frees where that fails).  Return 0 or
 * -1.
 */
int lg_adopt(git_repository *, struct repo **, struct err *);

/**
 * lg_id(oid, out):
 * Write ${oid} as hex digits.
 */
void lg_id(const git_oid *, char out[REPO_ID]);

/**
 * lg_oid(id, out, err):
 * Read 40 hex digits.  Return 0 or -1.
 */
int lg_oid(const char *, git_oid *, struct err *);

/**
 * lg_commit(r, oid, what, out, err):
 * Look the commit ${oid} up, which ${what} names.  Return 0 or -1.
 */
int lg_commit(const struct repo *, const git_oid *, const char *, git_commit **,
	      struct err *);

/**
 * lg_index(r, out, err):
 * The index of the work tree as it is now; the caller frees it.  Return 0 or -1.
 */
int lg_index(struct repo *, git_index **, struct err *);

/**
 * lg_refuse_filter(r, path, err):
 * Return 0; or -1 where git would run a program over the bytes of the file before it keeps
 * them, as libgit2 would not.
 */
int lg_refuse_filter(struct repo *, const char *, struct err *);

/**
 * lg_in_submodule(index, path):
 * Return whether ${path} is a submodule of ${index} or lies in one, or -1 without memory.
 */
int lg_in_submodule(git_index *, const char *);

/**
 * lg_put_diff(r, tree, out):
 * All paths of HEAD and of ${tree}, from what they are in the one to what they are in the other;
 * the caller frees it.  Return 0 or what libgit2 failed with.
 */
int lg_put_diff(struct repo *, git_tree *, git_diff **);

/**
 * lg_is_unseen(e):
 * Return whether git was told not to look at the file (git update-index, a sparse checkout).
 */
bool lg_is_unseen(const git_index_entry *);

/**
 * lg_is_kept_as(e, d):
 * Return whether ${d} leads to what the index has.
 */
bool lg_is_kept_as(const git_index_entry *, const git_diff_delta *);

/**
 * lg_barrier(r, path, part, st, err):
 * Look for a directory on the way to ${path} in the work tree that is something else.  Return
 * 1 with its path in ${part} and what it is in ${st}; 0; or -1.
 */
int lg_barrier(const struct repo *, const char *, struct buf *, struct stat *,
	       struct err *);

/**
 * lg_refs_readable(r, dir, err):
 * Return 0 if each reference that is a file below ${dir} ("refs", "refs/heads") can be read; -1
 * names one that cannot.
 */
int lg_refs_readable(struct repo *, const char *, struct err *);

/* store/git.h */
int lg_open(const char *, const char *, struct repo **, struct err *);
void lg_close(struct repo *);
int lg_head(struct repo *, struct repo_head *, struct err *);
int lg_dirty(struct repo *, bool, const atomic_bool *, struct repo_change *,
	     struct err *);
int lg_stage(struct repo *, const char *const *, size_t, size_t *, struct err *);
int lg_tracks(struct repo *, const char *, struct err *);
int lg_submodule(struct repo *, const char *, struct err *);
int lg_ignores(struct repo *, const char *, struct err *);
int lg_resolve(struct repo *, const char *, char id[REPO_ID], struct err *);
int lg_revs(struct repo *, const struct repo_scope *,
	    int (*)(void *, const struct repo_rev *, struct err *), void *, struct err *);
int lg_trees(struct repo *, int (*)(void *, const struct repo_tree *, struct err *),
	     void *, struct err *);
int lg_walk(struct repo *, const char *, const struct repo_visitor *, struct err *);
int lg_blob(struct repo *, const char *, size_t, struct buf *, struct err *);
int lg_file(struct repo *, const char *, const char *, size_t, struct buf *,
	    struct err *);
int lg_clone(const char *, const char *, const struct repo_progress *, struct repo **,
	     struct err *);
int lg_hooks(struct repo *, struct repo_hook out[REPO_HOOKS], struct buf *, struct err *);

/* store/git_write.h */
int lg_refs(struct repo *, const char *,
	    int (*)(void *, const struct repo_ref *, struct err *), void *, struct err *);
int lg_ref_set(struct repo *, const char *, const char *, const char *, struct err *);
int lg_ref_remove(struct repo *, const char *, struct err *);
bool lg_ref_valid(const struct repo *, const char *);
int lg_commit_look(struct repo *, const char *, struct repo_commit *, struct err *);
int lg_author(struct repo *, struct err *);
int lg_commit_make(struct repo *, const char *, const char *const *, size_t, const char *,
		   char id[REPO_ID], struct err *);
bool lg_tree_same(struct repo *, const char *, const char *);
int lg_snapshot(struct repo *, struct repo *, const char *const *, size_t,
		const atomic_bool *, struct repo_snapshot *, struct err *);
int lg_in_way(struct repo *, const char *, char tree[REPO_ID], size_t *, struct err *);
int lg_put(struct repo *, const char *, struct err *);
int lg_apart(struct repo *, const char *, const char *, const char *, struct repo **,
	     struct err *);

#endif
