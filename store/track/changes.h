#ifndef DAG_STORE_TRACK_CHANGES_H
#define DAG_STORE_TRACK_CHANGES_H
/*
 * What differs between two snapshots of all that is tracked: two revisions, a revision and the
 * pointer files, those and the work tree.  Pure: whoever asks brings the lists of files.
 */
#include <stdbool.h>
#include <stddef.h>

#include "store/objects/object_id.h"

struct arena;
struct err;
struct tree;

/* One out as it is in a snapshot. */
struct snapshot_out {
	const char *path;    /* relative to the root, normalized */
	struct object_id id; /* not set: nothing is recorded */
	bool dir;
	const struct tree *tree; /* the files of a directory; NULL: they are not known */
};

/* All outs, sorted by the bytes of their paths, none twice and none below another. */
struct snapshot {
	const struct snapshot_out *v;
	size_t n;
};

enum change_kind {
	CHANGE_ADDED,
	CHANGE_DELETED,
	CHANGE_MODIFIED,
	CHANGE_RENAMED,
	CHANGE_UNCHANGED,
	CHANGE_UNKNOWN, /* a file of a directory whose other list is not known */
	CHANGE_KINDS
};

struct change {
	enum change_kind kind;
	bool dir;	      /* a directory itself, not a file in it; */
	bool old_dir;	      /* it was one: of CHANGE_MODIFIED perhaps another thing */
	const char *path;     /* where it is now; of CHANGE_DELETED, where it was */
	const char *old_path; /* where it was */
	struct object_id old, new; /* not set on the side where it is not */
	/* The object of `old` is not in the cache; and that is all there is to it.  Set by who
	 * looks (compare.h). */
	bool missing, missing_only;
};

struct changes {
	struct arena *arena;
	struct change *v; /* sorted by where things were */
	size_t n, cap;
};

struct changes_options {
	bool granular;	/* also the files of directories */
	bool unchanged; /* also what is the same */
	/* What had no hash and has one: added, as against modified. */
	bool by_hash;
	/* Whether ${path}, of a directory with ${dir}, is asked for; NULL: all is. */
	bool (*want)(void *, const char *path, bool dir);
	void *arg;
};

/**
 * changes_find(old, new, options, out, err):
 * Find what differs.  What was deleted and is added elsewhere with the same content is renamed;
 * the first of several by path.  Paths in ${out}, to be freed by changes_release in any case,
 * are its own or the snapshots'.  Return 0 or -1.
 */
int changes_find(const struct snapshot *, const struct snapshot *,
		 const struct changes_options *, struct changes *, struct err *);

/**
 * changes_release(c):
 * Free what ${c} holds and make it empty.
 */
void changes_release(struct changes *);

/**
 * changes_count(c, kind):
 * Return how many changes of that kind there are.
 */
size_t changes_count(const struct changes *, enum change_kind);

/**
 * change_compare_paths(a, a_dir, b, b_dir):
 * Order paths as they are shown, directories with a slash behind them: < 0, 0 or > 0.
 */
int change_compare_paths(const char *, bool, const char *, bool);

#endif
