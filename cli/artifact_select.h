#ifndef DAG_CLI_ARTIFACT_SELECT_H
#define DAG_CLI_ARTIFACT_SELECT_H
/*
 * Which outs the words of a command line mean.
 */
#include <stddef.h>

struct artifact;
struct track_out;
struct err;

struct artifact_target {
	const struct track_out *out;
	const char *only; /* a path in it, relative to it, or NULL: all of it */
};

/**
 * artifact_select(a, words, n, how, out, nout, err):
 * Find what ${n} words mean, as store/track/targets.h tells it; all outs for no words.  ${out}
 * is an array in the arena, by path, in which none holds another.  Return 0, or -1:
 * ERR_NOTFOUND names a word that means nothing.
 */
enum artifact_how {
	ARTIFACT_PLAIN = 0,
	ARTIFACT_RECURSIVE = 1 << 0, /* a directory means all pointers below it */
	ARTIFACT_GLOB = 1 << 1	     /* words are patterns */
};
static inline unsigned
artifact_how(int recursive, int glob)
{
	return (recursive ? ARTIFACT_RECURSIVE : 0U) | (glob ? ARTIFACT_GLOB : 0U);
}
int artifact_select(struct artifact *, char *const *, size_t, unsigned,
		    struct artifact_target **, size_t *, struct err *);

#endif
