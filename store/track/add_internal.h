#ifndef DAG_STORE_TRACK_ADD_INTERNAL_H
#define DAG_STORE_TRACK_ADD_INTERNAL_H
/*
 * For store/track/add*.c only.
 */
#include <stdbool.h>
#include <stddef.h>

#include "store/track/add.h"
#include "store/track/save.h"

/* One target while it is worked at. */
struct add_job {
	struct add_item *item;
	struct add_job *first; /* of those with the same out; it alone has what follows */
	struct dvc_file *file; /* its pointer file, or */
	struct dvc_lock *lock; /* dvc.lock, with */
	struct dvc_lock_stage *stage; /* the stage that makes it */
	bool own;		      /* the file is new, and ours to free */
	size_t out;		      /* its number among the outs of file or stage */
	bool into_cache;
	bool for_git;	  /* "cache: false": git may have the data itself */
	bool keep;	  /* it is recorded as DVC 2 did it, and has not changed */
	bool merged;	  /* with parts: */
	struct tree tree; /* the list that came of it so far */
	int64_t size;	  /* of the out, for its pointer; -1: not known */

	const char
	    *inside; /* of a directory that is tracked: what is added, relative to it */
	bool there;  /* something lies at the target: */
	struct saved saved;
	bool differs;		/* the entry says something else than before */
	struct add_job *before; /* the one before it whose entry is in the same file */
};

struct dvc_out;

struct adding {
	const struct workspace *ws;
	const struct add_options *o;
	struct add_job *jobs;
	size_t n;
	struct arena *arena;
	struct problems *problems;
	struct err *err;
};

/**
 * add_check(a, i):
 * Find out whether target ${i} can be tracked, and which entry of which pointer file is its
 * own.  Return 0 or -1.
 */
int add_check(struct adding *, size_t);

/**
 * add_out(j):
 * The entry of the job's out.
 */
struct dvc_out *add_out(const struct add_job *);

/**
 * add_ignore(a, j):
 * Let git ignore the job's out: where it does not already, .gitignore says so, and the item
 * tells which one was written.  Return 0 or -1.
 */
int add_ignore(struct adding *, struct add_job *);

/**
 * add_seal(a, f):
 * Give the pointer file of an import (one that has a hash) the hash of what it says now.
 * Return 0 or -1.
 */
int add_seal(struct adding *, struct dvc_file *);

#endif
