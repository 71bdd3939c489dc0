#ifndef DAG_STORE_TRACK_EDIT_REMOVE_H
#define DAG_STORE_TRACK_EDIT_REMOVE_H
/*
 * Stages taken out of a dvc.yaml, and of the dvc.lock beside it.  What both will be is made
 * first; then, when all else about the stages is done, both are written: dvc.yaml last, so
 * that whoever is interrupted goes on with the same call.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct err;

struct edit_remove {
	const char *root;
	int root_fd;
	const char *yaml, *lock;  /* relative to the root */
	const char *const *names; /* of the stages */
	size_t n;
	struct buf texts[2]; /* of lock and yaml */
	int what[2];	     /* as edit_drop_stages says */
};

/**
 * edit_remove_begin(r, err), edit_remove_end(r, err), edit_remove_release(r):
 * Read both and make what they will be; write them, durably; free the texts.  Return 0, or -1:
 * ERR_INVALID for a stage that is made of templates, or for what cannot be kept as DVC would.
 */
int edit_remove_begin(struct edit_remove *, struct err *);
int edit_remove_end(struct edit_remove *, struct err *);
void edit_remove_release(struct edit_remove *);

#endif
