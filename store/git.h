#ifndef DAG_STORE_GIT_H
#define DAG_STORE_GIT_H
/*
 * Git repositories, by libgit2 and never by the git program.  libgit2 lies in a module that is
 * loaded when the first repository is opened; callers see only what stands here.
 *
 * What cannot be read rightly is refused by name, with the way out: a repository of another
 * user (git's safe.directory holds), object format SHA-256, references in a reftable, unknown
 * extensions, split and sparse indexes.  Objects that a partial or shallow clone lacks are
 * named when they are needed.
 *
 * Paths are bytes, relative to the top of the work tree, normalized.  Ids are 40 hex digits.
 * A struct repo belongs to one thread at a time.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct repo;

#define REPO_ID	  41   /* hex digits of an id, NUL included */
#define REPO_NAME 1024 /* of a branch, NUL included; a longer one is cut */

/* ---- opening ---- */

/**
 * repo_open(dir, out, err):
 * Open the repository that directory ${dir} belongs to: that of the nearest ancestor (of one
 * file system) with `.git`, also of a linked work tree or a submodule, or a bare one.  The
 * environment ($GIT_DIR ...) does not count.  Where there is none, *${out} is NULL, which is
 * no error, and costs no loading of libgit2.  Return 0, or -1: ERR_INVALID for what is refused.
 */
int repo_open(const char *, struct repo **, struct err *);

/**
 * repo_near(dir):
 * Return whether ${dir}, a canonical path, may belong to a repository, by a look at names only:
 * whoever has no other use for one need not even start a thread.
 */
bool repo_near(const char *);

/**
 * repo_above(path):
 * Cut the canonical ${path} to the directory where the search of repo_open ends: the nearest,
 * itself included, that looks like a work tree's top or a bare repository.  Return whether
 * there is one.
 */
bool repo_above(char *);

/**
 * repo_close(r):
 * Close; NULL allowed.
 */
void repo_close(struct repo *);

/**
 * repo_top(r), repo_git_dir(r):
 * The canonical path of the work tree's top (NULL: a bare repository) and of the git directory
 * of this work tree, without a slash at the end.  They live as long as ${r}.
 */
const char *repo_top(const struct repo *);
const char *repo_git_dir(const struct repo *);

struct repo_head {
	char id[REPO_ID];	/* of the commit; "" where the branch is unborn */
	char branch[REPO_NAME]; /* without refs/heads/; "" where HEAD is detached */
};

/**
 * repo_head(r, out, err):
 * Tell what is checked out.  Return 0 or -1.
 */
int repo_head(struct repo *, struct repo_head *, struct err *);

/**
 * repo_dirty(r, untracked, stop, err):
 * Tell whether the index or the work tree differ from HEAD; with ${untracked} a file that git
 * neither tracks nor ignores is a difference too.  Return at the first one.  ${stop} (may be
 * NULL) is looked at at each file: true ends with ERR_CANCELLED.  Filters that are programs
 * (git-lfs) are not run: a file with one that was touched counts as changed.  Return 1, 0 or -1.
 */
int repo_dirty(struct repo *, bool, const atomic_bool *, struct err *);

struct repo_change {
	bool staged;	 /* the index differs from HEAD; else a file from the index */
	char path[4096]; /* which, relative to the top; "" if it is longer */
};

/**
 * repo_change(r, stop, out, err):
 * As repo_dirty without files that git does not track; where it returns 1, ${out} says what it
 * met first.
 */
int repo_change(struct repo *, const atomic_bool *, struct repo_change *, struct err *);

/* ---- the index ---- */

/**
 * repo_stage(r, paths, n, staged, err):
 * Do with each of ${n} paths what `git add` would: put what is there into the index, take out
 * of it what is gone.  A path that git ignores and does not track is left out; *${staged} (may
 * be NULL) tells how many were not.  Directories, and files with a filter that is a program,
 * are refused.  All or nothing; while another git holds the index we wait 3 s, then it is
 * ERR_BUSY.  Return 0 or -1.
 */
int repo_stage(struct repo *, const char *const *, size_t, size_t *, struct err *);

/**
 * repo_tracks(r, path, err):
 * Tell whether the index holds ${path}, or something below it.  Return 1, 0 or -1.
 */
int repo_tracks(struct repo *, const char *, struct err *);

/**
 * repo_submodule(r, path, err):
 * Tell whether ${path} is a submodule that the index has, or lies in one.  Return 1, 0 or -1.
 */
int repo_submodule(struct repo *, const char *, struct err *);

/**
 * repo_ignores(r, path, err):
 * Tell whether git's ignore rules hold for ${path}, tracked or not.  With a slash at its end
 * it is taken as a directory, also where there is none.  Return 1, 0 or -1.
 */
int repo_ignores(struct repo *, const char *, struct err *);

/* ---- revisions ---- */

/**
 * repo_resolve(r, rev, id, err):
 * Write the id of the commit that ${rev} names (HEAD~2, a branch, a tag, a short id ...) into
 * ${id}.  Unknown and ambiguous ones are errors that say so.  Return 0 or -1.
 */
int repo_resolve(struct repo *, const char *, char id[REPO_ID], struct err *);

/* Which commits are meant. */
struct repo_scope {
	const char *const *revs; /* by name */
	size_t nrevs;
	bool branches; /* the local ones */
	bool tags;     /* those that name commits */
	bool commits;  /* all that any reference or any HEAD reaches */
	/* All that this HEAD, branches, those of remotes too, and tags reach: without names, the
	 * newest first. */
	bool history;
	bool stashes; /* each with the commits of its index and its untracked files */
	bool heads;   /* of all work trees: this one, the main one, the linked ones */
	bool exps;  /* DVC's experiments (refs/exps), each from its end to its baseline */
	bool dated; /* of all that `commits` means, those made since ... */
	int64_t since_s; /* ... this, in seconds since the epoch */
	unsigned last;	 /* of named ones, branches and tags also their first parents, so
			* many commits of each in all; 0 is 1 */
};

struct repo_rev {
	const char *id;
	const char *const
	    *names;    /* "main", "v1.0", "HEAD of work tree x", as given ... */
	size_t nnames; /* 0: only reached */
};

/**
 * repo_revs(r, scope, fn, ctx, err):
 * Call ${fn}(${ctx}, rev, ${err}) once for each distinct commit of ${scope}, those with names
 * first, until it returns non-zero; what is given to it is good for that call.  Return what it
 * returned, or 0; -1 also where git cannot be read.
 */
int repo_revs(struct repo *, const struct repo_scope *,
	      int (*)(void *, const struct repo_rev *, struct err *), void *,
	      struct err *);

/* A work tree of the repository; one that was moved or deleted by hand is one still. */
struct repo_tree {
	const char *name; /* "" is the main one */
	/* Its directory; NULL: a bare repository has no main one, and of a linked one git may
	 * have lost it. */
	const char *top;
	char head[REPO_ID]; /* "" where it is unborn */
};

/**
 * repo_trees(r, fn, ctx, err):
 * Call ${fn} for each work tree, this one among them, as repo_revs does.  A HEAD that cannot be
 * read is an error.
 */
int repo_trees(struct repo *, int (*)(void *, const struct repo_tree *, struct err *),
	       void *, struct err *);

/* ---- contents ---- */

struct repo_entry {
	const char *path;
	const char *id;
	uint32_t mode; /* 0100644, 0100755, 0120000 link, 0160000 submodule, 040000 */
	int64_t size;  /* bytes of the object, where they were asked for; -1: not known */
};

struct repo_visitor {
	void *ctx;
	/* A directory: 1 goes into it, 0 leaves it out, -1 ends.  NULL: into all. */
	int (*dir)(void *, const struct repo_entry *, struct err *);
	/* Anything else: 0 goes on; another number ends the walk, which returns it. */
	int (*file)(void *, const struct repo_entry *, struct err *);
	const char
	    *sizes_of; /* "" or "a/b/": tell the sizes in this directory; NULL: none */
};

/**
 * repo_walk(r, commit, v, err):
 * Visit all that is in the commit of that full id, in git's order.  Names that no work tree
 * could have ("..", ".git") and paths over 4,095 bytes are refused.  Return 0, what a visitor
 * ended it with, or -1.
 */
int repo_walk(struct repo *, const char *, const struct repo_visitor *, struct err *);

/**
 * repo_blob(r, id, max, out, err):
 * Append the blob's bytes to ${out}; more than ${max} is ERR_LIMIT.  Return 0 or -1.
 */
int repo_blob(struct repo *, const char *, size_t, struct buf *, struct err *);

/**
 * repo_file(r, commit, path, max, out, err):
 * Append the file's bytes as they are in the commit of that full id (a link's: its target).
 * One that is not there is ERR_NOTFOUND.  Return 0 or -1.
 */
int repo_file(struct repo *, const char *, const char *, size_t, struct buf *,
	      struct err *);

/* ---- repositories elsewhere ---- */

/**
 * repo_is_url(s):
 * Return whether ${s} is the address of a repository (with ://, or HOST:PATH as ssh takes it)
 * and not a path.
 */
bool repo_is_url(const char *);

struct repo_progress {
	void *ctx;
	/* Objects received, in all, and bytes received. */
	void (*show)(void *, uint64_t, uint64_t, uint64_t); /* may be NULL */
	const atomic_bool *stop;			    /* may be NULL */
};

/**
 * repo_clone(url, dir, progress, out, err):
 * Fetch all branches and tags of the repository at ${url} (https, http, ssh with the agent's
 * keys, git, file) into the new directory ${dir}, as a bare repository, and open it; its HEAD
 * is theirs.  Nothing is checked out: files are read with repo_walk and repo_file.  ${progress}
 * may be NULL.  On failure ${dir} is not there.  Return 0 or -1.
 */
int repo_clone(const char *, const char *, const struct repo_progress *, struct repo **,
	       struct err *);

/* ---- hooks ---- */

#define REPO_HOOKS 3

enum repo_hook_state { HOOK_MADE, HOOK_UPDATED, HOOK_WAS_THERE };

struct repo_hook {
	const char *name;
	enum repo_hook_state state;
};

/**
 * repo_hooks(r, out, dir, err):
 * Install post-checkout, pre-commit and pre-push, which call `dag`, where git looks for hooks
 * (core.hooksPath, where that is the repository's own), and append that directory to ${dir}.
 * Ours are brought up to date; one of somebody else is not touched, nothing is installed then,
 * and ${err} (ERR_EXISTS) names it with the line to add by hand.  Return 0 or -1.
 */
int repo_hooks(struct repo *, struct repo_hook out[REPO_HOOKS], struct buf *,
	       struct err *);

#endif
