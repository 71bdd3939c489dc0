#ifndef DAG_STORE_TRACK_UNTRACKED_H
#define DAG_STORE_TRACK_UNTRACKED_H
/*
 * Files that neither git tracks nor anything ignores: perhaps somebody has forgotten them.
 */
#include <stddef.h>

struct arena;
struct err;
struct repo;
struct track;

#define UNTRACKED_MAX ((size_t)1000000) /* files that are found */

struct untracked {
	const char **v; /* paths relative to the root, in the arena, sorted */
	size_t n, cap;
};

/**
 * untracked_find(t, git, arena, out, err):
 * Find them below the root of ${t}, which lies in ${git}; what is another repository is not
 * entered.  ${out}'s array is to be freed by untracked_free in any case.  Return 0 or -1.
 */
int untracked_find(const struct track *, struct repo *, struct arena *,
		   struct untracked *, struct err *);
void untracked_free(struct untracked *);

#endif
