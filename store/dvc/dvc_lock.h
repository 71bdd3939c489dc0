#ifndef DAG_STORE_DVC_DVC_LOCK_H
#define DAG_STORE_DVC_DVC_LOCK_H
/*
 * dvc.lock: what the stages of a dvc.yaml last used and made, by content.  Read whole;
 * written back stage by stage, in the order that is there.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/dvc/dvc_out.h"

struct arena;
struct buf;
struct diag;
struct err;
struct yaml_node;

#define DVC_LOCK_MAX	   ((size_t)16 << 20) /* bytes of one file */
#define DVC_LOCK_NAME_MAX  1000		      /* bytes of a stage's name */
#define DVC_LOCK_STAGE_MAX 100000	      /* stages of one file */

struct dvc_lock_stage {
	const char *name;	     /* "train", "train@fold1" */
	const struct yaml_node *cmd; /* a string or a list of them */
	struct dvc_out *deps;
	size_t ndeps;
	const struct yaml_node *params; /* file -> key -> value, or NULL */
	struct dvc_out *outs;
	size_t nouts;
	bool changed;  /* to be written anew: whoever changes an entry sets it */
	bool frozen;   /* these two are told by dvc_yaml_apply() */
	bool unlisted; /* dvc.yaml no longer has the stage */
	uint32_t line, col;
};

struct dvc_lock {
	struct arena *arena; /* everything below lives in it */
	const char *name;    /* the file's path, seen from the repository's root */
	const char *dir;     /* where it lies, "." at the root */
	const char *text;    /* what it held */
	size_t len;
	unsigned version; /* 2; 1: written by DVC 1, readable only */
	struct dvc_lock_stage *stages;
	size_t nstages;
	const struct yaml_node *datasets; /* anything, or NULL */
};

/**
 * dvc_lock_parse(name, text, len, d, out, err), dvc_lock_read(dirfd, name, d, out, err):
 * Read the text, or the file ${name} below ${dirfd}.  Mistakes, and who frees what, are as
 * with dvc_file_parse.  Paths are taken as seen from the file's directory until
 * dvc_yaml_apply() puts in the stages' own.
 */
int dvc_lock_parse(const char *, const char *, size_t, struct diag *, struct dvc_lock **,
		   struct err *);
int dvc_lock_read(int, const char *, struct diag *, struct dvc_lock **, struct err *);

/**
 * dvc_lock_free(lock):
 * Free it with everything in it; NULL is allowed.
 */
void dvc_lock_free(struct dvc_lock *);

/**
 * dvc_lock_find(lock, name):
 * Return the stage of that name, or NULL.
 */
struct dvc_lock_stage *dvc_lock_find(const struct dvc_lock *, const char *);

/**
 * dvc_lock_dump(lock, out, err):
 * Append the file to ${out} as DVC writes it after the changed stages were saved: those are
 * written anew in their places, everything else is kept with its comments.  Return 0 or -1:
 * memory, or the file cannot be kept as DVC would (store/dvc/yaml_doc.h), or is of DVC 1.
 */
int dvc_lock_dump(const struct dvc_lock *, struct buf *, struct err *);

/**
 * dvc_lock_write(lock, dirfd, changed, err):
 * Write the file below ${dirfd} whole and durably if a stage changed and the text is another
 * than the one that was read; ${changed} (may be NULL) tells.  Return 0 or -1.
 */
int dvc_lock_write(const struct dvc_lock *, int, bool *, struct err *);

#endif
