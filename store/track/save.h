#ifndef DAG_STORE_TRACK_SAVE_H
#define DAG_STORE_TRACK_SAVE_H
/*
 * Paths of the work tree taken into the cache: what add and commit, and whatever else records
 * data, have in common.
 *
 *	save_begin
 *	save_path ...		hashed, and copied into the cache while hashed
 *	save_end		durable: from here on a pointer may name them
 *	save_relink ...		linked from the cache as cache.type wants it
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/objects/object_id.h"
#include "store/objects/tree.h"

struct err;
struct problems;
struct save;
struct workspace;

/* What lies at a path. */
struct saved {
	bool dir;
	bool exec;     /* of a file */
	bool unlisted; /* of a directory: as in struct scan */
	struct object_id id;
	uint64_t size;	  /* bytes of all files */
	uint64_t nfiles;  /* 1 for a file */
	uint64_t hashed;  /* files that were read */
	int64_t since_ns; /* clock_stamp_ns() before anything was looked at */
	struct tree tree; /* of a directory */
};

/**
 * save_begin(ws, out, err):
 * Begin.  Return 0 or -1.
 */
int save_begin(const struct workspace *, struct save **, struct err *);

/**
 * save_path(s, path, into_cache, out, err):
 * Take what lies at ${path} (relative to the root, normalized) into the empty ${out}, to be
 * freed by saved_release in any case; without ${into_cache} it is only hashed.  Return 0, or
 * -1: ERR_NOTFOUND where nothing is there, ERR_INVALID for what cannot be tracked or is
 * ignored.
 */
int save_path(struct save *, const char *, bool, struct saved *, struct err *);

/**
 * save_tree(s, t, into_cache, id, err):
 * Take a list that was made otherwise.  Return 0 or -1.
 */
int save_tree(struct save *, const struct tree *, bool, struct object_id *, struct err *);

/**
 * save_sync(s, err), save_name(s, err):
 * The first steps of save_end, for who has other files that are to be synced, or named, with the
 * objects: their bytes are durable; they are visible.  Return 0 or -1.
 */
int save_sync(struct save *, struct err *);
int save_name(struct save *, struct err *);

/**
 * save_end(s, keep, err):
 * With ${keep} make all objects durable and visible, else drop those that are not yet; free
 * ${s} (NULL is allowed) in any case.  Return 0 or -1.
 */
int save_end(struct save *, bool, struct err *);

/**
 * save_relink(ws, path, saved, problems, err):
 * After save_end: where the files at ${path} are not linked as cache.type wants it, put links
 * in their place.  What has been changed meanwhile is left, and taken down in ${problems}.
 * Return 0 or -1.
 */
int save_relink(const struct workspace *, const char *, const struct saved *,
		struct problems *, struct err *);

/**
 * saved_release(s):
 * Free what ${s} holds and make it empty.
 */
void saved_release(struct saved *);

#endif
