#ifndef DAG_CLI_ARTIFACT_SELECT_H
#define DAG_CLI_ARTIFACT_SELECT_H
/*
 * Which outs the words of a command line mean.
 */
#include <stdbool.h>
#include <stddef.h>

struct artifact;
struct track_out;
struct err;

struct artifact_target {
	const struct track_out *out;
	const char *only; /* a path in it, relative to it, or NULL: all of it */
};

/**
 * artifact_select(a, words, n, recursive, out, nout, err):
 * Find what ${n} words mean: a pointer file, an out, a path in one, and with ${recursive} a
 * directory with outs in it; all outs for no words.  ${out} is an array in the arena, sorted by
 * path, without what another one holds already.  Return 0, or -1: ERR_NOTFOUND names a word
 * that means none.
 */
int artifact_select(struct artifact *, char *const *, size_t, bool,
		    struct artifact_target **, size_t *, struct err *);

#endif
