#ifndef DAG_STORE_TRACK_EDIT_ADD_H
#define DAG_STORE_TRACK_EDIT_ADD_H
/*
 * A new stage, or another in the place of one of that name: found fit, its outputs in
 * .gitignore, then in dvc.yaml, in this order.
 */
#include <stdbool.h>
#include <stddef.h>

#include "store/dvc/dvc_yaml.h"

struct arena;
struct err;
struct gitignore;
struct track_list;
struct workspace;

struct edit_add {
	const char *root; /* of the repository */
	const struct track_list *list;
	const struct workspace *ws;
	struct gitignore *gitignore; /* NULL: there is no git */
	/* Whether git tracks a path, relative to the root. */
	int (*git_tracks)(void *, const char *, struct err *);
	void *git;
	bool force;		     /* replace one of that name */
	const char *file;	     /* the dvc.yaml, relative to the root */
	struct dvc_yaml_stage stage; /* wdir as seen from the file */
	const char *desc;	     /* or NULL */

	/* What came of it; texts live in the arena. */
	bool replaced;
	const char **changed; /* files that were written */
	size_t nchanged;
	const char *
	    *homeless; /* outputs whose directories are not there: not in .gitignore */
	size_t nhomeless;
};

/**
 * edit_stage_name(name, err):
 * Check the name of a stage.  Return 0 or -1.
 */
int edit_stage_name(const char *, struct err *);

/**
 * edit_add(a, arena, err):
 * Do it.  Return 0, or -1: ERR_INVALID, ERR_EXISTS, ERR_NOTFOUND where the stage cannot be, and
 * then nothing was changed.
 */
int edit_add(struct edit_add *, struct arena *, struct err *);

#endif
