#ifndef DAG_STORE_REPORT_SNAPSHOT_H
#define DAG_STORE_REPORT_SNAPSHOT_H
/*
 * The repository as it lies in the work tree or in a commit, to report from: what its
 * dvc.yaml files say, and the bytes of any file, from the work tree or git, and where it is
 * not there from the cache, by what the pointers of that time say.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "base/vec.h"
#include "store/git.h"
#include "store/track/collect.h"

struct arena;
struct buf;
struct diag;
struct dvc_yaml;
struct err;
struct meter;
struct track_revs;
struct workspace;
struct yaml_node;

#define SNAPSHOT_FILES_MAX 10000 /* files of one directory that is reported from */

/* What all of them share; borrowed. */
struct snapshot_source {
	const struct workspace *ws;
	const char *root;	       /* absolute */
	const struct track_list *work; /* what is tracked in the work tree */
	struct repo *git;	       /* NULL: there are no commits */
	struct track_revs *revs;       /* of it */
	struct meter *meter;
	struct diag *diag; /* for mistakes in files; it shows texts of the snapshots */
};

/* A dvc.yaml without templates. */
struct snapshot_pipeline {
	const char *dir; /* where it lies, seen from the root; "." at the root */
	struct dvc_yaml *yaml;
};

/* A value of a file that the templates of a stage use. */
struct snapshot_use {
	const char *file, *key;
	const struct yaml_node *value;
};

struct snapshot {
	const struct snapshot_source *source;
	const char *name;     /* "workspace", "main", "v1.0,main" */
	char commit[REPO_ID]; /* "": the work tree */
	const char *prefix;   /* of the root below git's top: "" or "a/b/" */
	struct arena *arena;
	const struct track_list *list;
	struct track_list own; /* of a commit */
	VEC(struct snapshot_pipeline) pipelines;
	VEC(struct snapshot_use) uses; /* each key once */
	struct map used;	       /* "FILE\nKEY" of them */
	struct map trees; /* of tracked directories, by path, once they were asked for */
};

/**
 * snapshot_open(source, name, commit, out, err):
 * Read what the work tree (${commit} is NULL) or the commit of that full id says, and call it
 * ${name}.  Return 0 or -1; ${out} is to be closed in both cases.
 */
int snapshot_open(const struct snapshot_source *, const char *, const char *,
		  struct snapshot *, struct err *);

/**
 * snapshot_close(s):
 * Free what ${s} holds.
 */
void snapshot_close(struct snapshot *);

/**
 * snapshot_path(s, dir, path, err):
 * Return ${path}, seen from directory ${dir}, as seen from the root, in the arena; it may
 * climb out of it.  NULL if memory runs out.
 */
const char *snapshot_path(struct snapshot *, const char *, const char *, struct err *);

/**
 * snapshot_read(s, path, max, out, err):
 * Append the file ${path} to ${out}.  Return 0, or -1: ERR_NOTFOUND where there is none, or
 * where only a pointer is there and the cache does not have it, ERR_LIMIT beyond ${max} bytes,
 * ERR_INVALID for a directory and what lies outside of the repository.
 */
int snapshot_read(struct snapshot *, const char *, size_t, struct buf *, struct err *);

/**
 * snapshot_list(s, path, fn, arg, err):
 * Call ${fn}(${arg}, file, ${err}) for each file below the directory ${path}, in the order of
 * their names, or for ${path} itself if it is no directory.  Return 0, or -1 also if ${fn}
 * returned that.
 */
int snapshot_list(struct snapshot *, const char *,
		  int (*)(void *, const char *, struct err *), void *, struct err *);

/**
 * snapshot_has(s, path):
 * Return whether there is such a file, in the work tree, in git, or by a pointer.
 */
bool snapshot_has(struct snapshot *, const char *);

#endif
