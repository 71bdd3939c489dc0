#ifndef DAG_STORE_TRACK_COLLECT_H
#define DAG_STORE_TRACK_COLLECT_H
/*
 * All that is tracked: the outs of the .dvc files and of dvc.lock (with what dvc.yaml says of
 * them), of the work tree or of a revision, in one list.  With track->results also what tasks
 * of DAG files have made, as their lock files ("p.dag.lock") have it.
 *
 * A path that a lock of the latter kind has, and somebody else, too (a pointer, or another
 * lock with other content), is not the lock's: of its content nobody knows whether it belongs
 * there.  Its objects are used all the same (l->also).
 *
 * Looked at is what DVC looks at: not what .dvcignore leaves out, not other repositories, not
 * what git ignores, not the insides of outs.  Links are not followed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/objects/object_id.h"

struct arena;
struct diag;
struct dvc_file;
struct dvc_lock;
struct dvc_lock_stage;
struct dvc_out;
struct dvc_yaml;
struct err;
struct meter;
struct repo;
struct track;

#define TRACK_FILES_MAX 100000	/* pointer files */
#define TRACK_OUTS_MAX	1000000 /* outs in all of them */

/* A file that says what is tracked. */
struct track_file {
	const char *path;      /* relative to the root: "a/b.dvc", "dvc.lock" */
	struct dvc_file *file; /* of a .dvc file */
	/* Of a dvc.yaml: what lies beside it, NULL: nothing; or of a DAG file, then it is the
	 * file, and the other two are NULL. */
	struct dvc_lock *lock;
	struct dvc_yaml *yaml;
	bool shared; /* with other lists: it lives as long as the track_revs */
};

struct track_out {
	const char *path; /* relative to the root, normalized */
	const char *file; /* the pointer, relative to the root: "a/b.dvc", "dvc.lock" */
	const char
	    *stage; /* of a dvc.yaml, or the task of a DAG file; NULL: a .dvc file */
	bool task;  /* a task's */
	struct object_id id;  /* not set: none is recorded */
	int64_t size, nfiles; /* -1: not recorded */
	bool exec;
	bool cache, persist, push; /* its flags */
	bool frozen;		   /* the file or the stage is */
	bool import;		   /* it came from elsewhere: the .dvc file has deps */
	const char *remote;	   /* the only one it is for, or NULL */
	uint32_t line, col; /* where it stands in the file; 0: dvc.yaml alone has it */
	const struct track_file *in;
	const struct dvc_out *out; /* the entry; NULL: dvc.yaml alone has it */
};

struct track_list {
	struct arena *arena;
	struct track_out *outs; /* sorted by path, component by component */
	size_t n;
	/* What tasks have made where it is not known what belongs there: nothing is checked out,
	 * or compared with the work tree; the objects are used, and the paths are somebody's. */
	struct track_out *also;
	size_t nalso;
	struct track_file **files; /* in the order they were found */
	size_t nfiles;
	/* The first directory of the work tree that may not be read, as DVC passes over such:
	 * there may be more that is tracked.  NULL: there was none. */
	const char *closed;
};

/**
 * track_collect(t, meter, d, out, err):
 * Collect what is tracked in the work tree.  All mistakes in all files go to ${d} (may be
 * NULL), the first one to ${err}; so do outs that lie in one another.  Return 0 or -1; ${out}
 * is to be freed by track_list_free in both cases, after ${d}.
 */
int track_collect(struct track *, struct meter *, struct diag *, struct track_list *,
		  struct err *);

/**
 * track_list_whole(l, err):
 * Return 0, or -1 (ERR_SYS) naming l->closed: for who is about to remove what is not tracked.
 */
int track_list_whole(const struct track_list *, struct err *);

/**
 * track_list_free(l):
 * Free what ${l} holds.  A zeroed one is fine.
 */
void track_list_free(struct track_list *);

/**
 * track_find(l, path):
 * Return the out at ${path}, or the one that ${path} lies in; NULL if there is none.
 */
const struct track_out *track_find(const struct track_list *, const char *);

/**
 * track_names(l, path):
 * Return whether there is an out, of l->also too, at ${path} or above it.
 */
bool track_names(const struct track_list *, const char *);

/**
 * track_below(l, path, n):
 * Return the first of the ${n} outs that lie at ${path} or below it ("." is all).
 */
const struct track_out *track_below(const struct track_list *, const char *, size_t *);

#endif
