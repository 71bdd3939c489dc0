#ifndef DAG_STORE_TRACK_TRACK_H
#define DAG_STORE_TRACK_TRACK_H
/*
 * A repository of tracked data: its root with its settings, cache and index opened together.
 * It is DVC's where a `.dvc` lies (the nearest one upwards of where the work begins), else the
 * project's own with `.dag`:
 *
 *			with DVC		without
 *	settings	.dvc/config		.dag/config
 *	cache		.dvc/cache		.dag/cache	unless cache.dir
 *	lock		.dvc/tmp/lock		artifacts.lock in the state directory
 *	index		index.db in the state directory
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/objects/link.h"
#include "store/track/intent.h"

struct buf;
struct config;
struct config_remote;
struct err;
struct gitignore;
struct ignore;
struct index;
struct meter;
struct objects;
struct path_locks;
struct project;

struct track {
	const struct project *project; /* borrowed */
	char *root;		       /* canonical absolute path */
	char *
	    apart; /* the top of a git work tree below the root, in which the work begins;
		      * NULL: there is none, or the root has settings */
	int root_fd;
	bool dvc;
	char *dir; /* of its settings: ".../.dvc" or ".../.dag", which need not exist */
	struct config *config;
	char *cache_dir; /* absolute */
	struct objects *cache;
	enum link_type links[LINK_TYPES]; /* of cache.type */
	size_t nlinks;			  /* 0: not set */
	bool shared;			  /* cache.shared = group */
	struct ignore *ignore;		  /* .dvcignore */
	struct gitignore *gitignore;	  /* NULL: no git, or core.no_scm */
	bool autostage;
	/* Set by who wants it: what tasks of DAG files have made is tracked, too (collect.h). */
	bool results;
	bool still;		       /* the index is not written */
	struct index *index;	       /* NULL: not opened */
	int lock;		       /* -1: not held */
	struct path_locks *path_locks; /* those of DVC, once they were asked for */
	char *intent_name;	       /* of its file in the state directory */
	struct intent intent;	       /* where we are about to write */
	/* The letters of somebody who is about to write, or was when he died (intent.h). */
	char others[LINK_OWNER + 1];
};

struct track_options {
	const struct project *project;
	const char *where; /* absolute: where the work begins; NULL: the project's root */
	bool unchecked;	   /* as config_options */
	bool still;	   /* nothing is to be written, nor the index */
};

/**
 * track_open(options, out, err):
 * Open the repository.  Nothing is made, no lock is taken.  Return 0 or -1; ${out} is to be
 * closed in both cases.
 */
int track_open(const struct track_options *, struct track *, struct err *);

/**
 * track_begins(t, err):
 * Before the first data is tracked, or the first setting written: return 0, or -1 with ERR_INVALID
 * where a git repository would keep the pointers, and another place the settings and the cache
 * (t->apart), which no clone of it would have.
 */
int track_begins(const struct track *, struct err *);

/**
 * track_close(t):
 * Give the lock back and close all.  One that is zeroed but for lock and root_fd -1 is fine.
 */
void track_close(struct track *);

/**
 * track_index(t, out, err):
 * Open the index, once; *${out} is NULL where the project has no state directory.  Return 0 or
 * -1.
 */
int track_index(struct track *, struct index **, struct err *);

/* Whom we wait for, as work_lock.h says it. */
typedef void track_waiting_fn(void *, const char *);

/**
 * track_lock(t, wait_us, meter, waiting, ctx, err), track_unlock(t):
 * Take the repository's lock, waiting that long; the last four as work_lock_take's.  Return 0,
 * or -1: ERR_BUSY, ERR_CANCELLED.  Give it back.  Who has the lock removes what those left who
 * were killed with it: temporaries in the work tree, and beside the settings.
 */
int track_lock(struct track *, int64_t, struct meter *, track_waiting_fn *, void *,
	       struct err *);
void track_unlock(struct track *);

/**
 * track_claim(t, path, err):
 * With the lock held: whether ${path}, relative to the root, may be written.  While DVC runs a
 * stage it gives the lock away, and keeps the stage's files by locks of their own.  They are not
 * waited for, as DVC wants the lock back to end.  Return 0; or -1: ERR_BUSY names who has it.
 */
int track_claim(struct track *, const char *, struct err *);

/**
 * track_own_name(t, name, b):
 * Append the name that the file ${name} of the state directory has for this repository: one in a
 * directory of the project has files of its own.
 */
void track_own_name(const struct track *, const char *, struct buf *);

/**
 * track_tidy(t):
 * Without the lock: if somebody was killed while he wrote to the work tree, and nobody has the
 * lock, remove what he left.
 */
void track_tidy(struct track *);

#endif
