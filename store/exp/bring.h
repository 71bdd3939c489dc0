#ifndef DAG_STORE_EXP_BRING_H
#define DAG_STORE_EXP_BRING_H
/*
 * What a trial begins with that git does not bring: data that has changed since it was recorded,
 * which goes by the cache, and files that are copied.
 */
#include <stdatomic.h>
#include <stddef.h>

struct arena;
struct err;
struct track_list;
struct workspace;

/* A pointer file as it would be after `dag commit`. */
struct bring_pointer {
	const char *path; /* relative to the root */
	const char *text;
	size_t n;
};

struct bring {
	struct bring_pointer *v;
	size_t n;
};

/**
 * bring_changed(ws, l, a, out, err):
 * Take the data of the .dvc files in ${l} that has changed into the cache, and make in ${a} what
 * the files would say of it; what is frozen, or was imported, stays as it is recorded.  Nothing
 * is written to the work tree; the entries of ${l} are changed.  Return 0 or -1.
 */
int bring_changed(const struct workspace *, const struct track_list *, struct arena *,
		  struct bring *, struct err *);

/**
 * bring_pointers(b, root, err):
 * Write them below the directory ${root}.  Return 0 or -1.
 */
int bring_pointers(const struct bring *, const char *, struct err *);

/**
 * bring_copy(from, to, path, stop, err):
 * Copy the file, link or directory ${path} below the directory ${from} to below ${to}, where what
 * is there already stays.  Return 0 or -1; ERR_CANCELLED once *${stop} (may be NULL).
 */
int bring_copy(const char *, const char *, const char *, const atomic_bool *,
	       struct err *);

#endif
