#ifndef DAG_CLI_ARTIFACT_SELECT_H
#define DAG_CLI_ARTIFACT_SELECT_H
/*
 * Which outs the words of a command line mean.
 */
#include <stdbool.h>
#include <stddef.h>

struct artifact;
struct status_out;
struct track_file;
struct track_out;
struct err;

/* The row of their option, for a struct whose member ${m} of type bool it is. */
#define ARTIFACT_WITH_DEPS(type, m)                                                \
	{                                                                          \
		.name = "with-deps", .letter = 'd', .kind = OPT_FLAG,              \
		.at = offsetof(type, m),                                           \
		.doc = "Also all that the stages of each TARGET are made of: the " \
		       "outputs of the stages before them."                        \
	}

struct artifact_target {
	const struct track_out *out;
	const char *only; /* a path in it, relative to it, or NULL: all of it */
};

/**
 * artifact_names(a, in, name):
 * Return whether words that were selected named the stage ${name} of ${in}, or all of that file.
 */
bool artifact_names(const struct artifact *, const struct track_file *, const char *);

/**
 * artifact_select(a, words, n, how, out, nout, err):
 * Find what ${n} words mean, as store/track/targets.h tells it; all outs for no words.  ${out}
 * is an array in the arena, by path, in which none holds another.  Return 0, or -1:
 * ERR_NOTFOUND names a word that means nothing.
 */
enum artifact_how {
	ARTIFACT_PLAIN = 0,
	ARTIFACT_RECURSIVE = 1 << 0, /* a directory means all pointers below it */
	ARTIFACT_GLOB = 1 << 1,	     /* words are patterns */
	ARTIFACT_DEPS = 1 << 2,	     /* and what the stages found are made of */
	ARTIFACT_POINTERS = 1 << 3   /* no words: not what tasks of DAG files have made */
};
static inline unsigned
artifact_how(int recursive, int glob, int deps)
{
	return (recursive ? ARTIFACT_RECURSIVE : 0U) | (glob ? ARTIFACT_GLOB : 0U) |
	       (deps ? ARTIFACT_DEPS : 0U);
}
int artifact_select(struct artifact *, char *const *, size_t, unsigned,
		    struct artifact_target **, size_t *, struct err *);

/**
 * artifact_in_run():
 * Return ARTIFACT_POINTERS in a task of a run, else 0: what the tasks around it make is not for
 * one of them to bring or to send, unless it is named.
 */
unsigned artifact_in_run(void);

/**
 * artifact_select_outs(a, how, targets, outs, n, err):
 * The same for the words of the command line, with an entry for status_outs for each target.
 */
int artifact_select_outs(struct artifact *, unsigned, struct artifact_target **,
			 struct status_out **, size_t *, struct err *);

#endif
