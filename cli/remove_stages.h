#ifndef DAG_CLI_REMOVE_STAGES_H
#define DAG_CLI_REMOVE_STAGES_H
/* dag remove of stages: which they are, what they make, and that dvc.yaml has them no more. */
#include <stddef.h>

struct artifact;
struct err;
struct track_out;

struct remove_stages {
	struct remove_stage *v;
	size_t n, cap;
	struct edit_remove *files; /* one for each dvc.yaml, in the arena */
	size_t nfiles;
};

/**
 * remove_stages_word(a, word, s, err):
 * If ${word} names a stage, or a dvc.yaml with all of its stages, add it to ${s}.  Return 1; 0
 * if it may be a path instead; or -1.
 */
int remove_stages_word(struct artifact *, const char *, struct remove_stages *,
		       struct err *);

/**
 * remove_stages_outs(a, s, outs):
 * Put what they make into ${outs}.  Return how many.
 */
size_t remove_stages_outs(const struct artifact *, const struct remove_stages *,
			  const struct track_out **);

/**
 * remove_stages_begin(a, s, err), remove_stages_end(a, s, outs, n, err):
 * Find out whether it can be done; do it, for those of the ${n} ${outs} that are theirs.
 * Return 0 or -1.
 */
int remove_stages_begin(struct artifact *, struct remove_stages *, struct err *);
int remove_stages_end(struct artifact *, struct remove_stages *,
		      const struct track_out *const *, size_t, struct err *);

/**
 * remove_stages_files(s, files):
 * Put the files that were written or removed into ${files}: at most two for each word.  Return how many.
 */
size_t remove_stages_files(const struct remove_stages *, const char **);

/**
 * remove_stages_tell(a, s), remove_stages_release(s):
 * Print a line for each; free what ${s} holds.
 */
void remove_stages_tell(struct artifact *, const struct remove_stages *);
void remove_stages_release(struct remove_stages *);

#endif
