#ifndef DAG_STORE_TRACK_WORKSPACE_H
#define DAG_STORE_TRACK_WORKSPACE_H
/*
 * What work on tracked files needs: the work tree, the cache, what is ignored, how links are
 * made.  It borrows all of it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/objects/link.h"
#include "store/objects/scan.h"

struct err;
struct ignore;
struct ignore_dir;
struct index;
struct intent;
struct meter;
struct objects;

struct workspace {
	int root_fd;
	struct objects *cache;
	struct index *index;	     /* NULL: none */
	struct ignore *ignore;	     /* .dvcignore; NULL: nothing is ignored */
	const enum link_type *links; /* of cache.type, in the order of preference */
	size_t nlinks;		     /* 0: reflink, copy */
	unsigned workers;	     /* 0: as many as there are processors */
	uint64_t read_max;	     /* of what is scanned; see scan.h */
	struct meter *meter;
	/* Whether a path may be written, as track_claim; NULL: nobody is asked. */
	int (*claim)(void *, const char *, struct err *);
	void *claim_arg;
	struct intent *intent; /* NULL: nobody is told what will be written */
	const char *others;    /* letters of temporaries that are no data; NULL: none */
	struct workspace_links *found; /* NULL: what links work is tried each time */
};

/* What kind of links works, as was found once. */
struct workspace_links {
	bool known;
	enum link_type type;
};

/* What is ignored below one path, for scan_options. */
struct workspace_ignore {
	struct scan_ignore scan;
	struct ignore_dir *dir;
};

/**
 * workspace_ignore(ws, path, out, err):
 * Find the rules for ${path}, relative to the root and normalized.  A path that is ignored
 * itself is ERR_INVALID, with the rule.  To be given back by workspace_ignore_release, in any
 * case.  Return 0 or -1.
 */
int workspace_ignore(const struct workspace *, const char *, struct workspace_ignore *,
		     struct err *);
void workspace_ignore_release(struct workspace_ignore *);

/**
 * workspace_link(ws, type, err):
 * Find out which of ws->links works between the cache and the root, as link_probe does.  Return 0
 * or -1.
 */
int workspace_link(const struct workspace *, enum link_type *, struct err *);

/**
 * workspace_claim(ws, path, err):
 * May ${path} be written, as far as others go?  Return 0, or -1: ERR_BUSY.
 */
int workspace_claim(const struct workspace *, const char *, struct err *);

/**
 * workspace_scan(ws, path, legacy, scan, err):
 * Scan one path as it is, by the index.  As scan_path; a link that leads nowhere is as if it
 * were not there, so that what was linked to a cache that is gone can be told and mended.
 */
int workspace_scan(const struct workspace *, const char *, bool, struct scan *,
		   struct err *);

/**
 * workspace_folds(ws, path):
 * Return what the file system at ${path}, or at the nearest directory above it that is there,
 * takes names for one in spite of, bits of store/unicode.h: by a temporary there, of those that
 * the intent tells, which is looked for under other names.
 */
unsigned workspace_folds(const struct workspace *, const char *);

#endif
