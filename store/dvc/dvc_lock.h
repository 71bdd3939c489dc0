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
	bool settled;  /* params are settled values (store/pipeline/value.h) */
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
	size_t cap;			  /* of stages: ours */
	const struct yaml_node *datasets; /* anything, or NULL */
};

/**
 * dvc_lock_parse(name, text, len, d, out, err), dvc_lock_read(dirfd, name, d, out, err):
 * Read the text, or the file ${name} below ${dirfd}; an empty text is a lock without stages.
 * Mistakes, and who frees what, are as with dvc_file_parse.  Paths are taken as seen from the
 * file's directory until dvc_yaml_apply() puts in the stages' own.
 */
int dvc_lock_parse(const char *, const char *, size_t, struct diag *, struct dvc_lock **,
		   struct err *);
int dvc_lock_read(int, const char *, struct diag *, struct dvc_lock **, struct err *);

/**
 * dvc_lock_place(lock, dir, err):
 * Let all paths be seen from the directory ${dir}, itself seen from the root.  Return 0 or -1 if
 * memory ran out.
 */
int dvc_lock_place(struct dvc_lock *, const char *, struct err *);

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
 * dvc_lock_entry_parse(a, d, name, dir, text, len, out, err):
 * Read one stage's entry by itself ("cmd: ...\ndeps:\n- path: ..."), called ${name}, whose paths
 * are seen from ${dir}, into ${a}.  Mistakes are as with dvc_lock_parse.  Return 0 or -1.
 */
int dvc_lock_entry_parse(struct arena *, struct diag *, const char *, const char *,
			 const char *, size_t, struct dvc_lock_stage *, struct err *);

/**
 * dvc_lock_put(lock, name, text, before, err):
 * Let ${lock} have the entry ${text} under ${name}, to be written: in the place of the one that is
 * there, else before the stage ${before}, or last where that is NULL or not there.  Return 0 or
 * -1, with ${lock} as it was.
 */
int dvc_lock_put(struct dvc_lock *, const char *, const char *, const char *,
		 struct err *);

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
