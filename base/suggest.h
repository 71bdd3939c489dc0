#ifndef DAG_BASE_SUGGEST_H
#define DAG_BASE_SUGGEST_H
#include <stddef.h>

/*
 * "Did you mean": the nearest candidate by edit distance with transpositions.
 */
struct suggest {
	const char *word;
	const char *best;
	unsigned best_distance; /* in half edits */
};

/**
 * suggest_start(s, word), suggest_try(s, candidate), suggest_best(s):
 * Look for the candidate nearest to ${word}; NULL where none is near enough (distance at
 * most a third of the longer word, at least 1; case differences count half, and one of
 * case alone is always near; never a word without anything in common).  Candidates
 * must outlive ${s}; of equals the first wins.
 */
void suggest_start(struct suggest *, const char *);
void suggest_try(struct suggest *, const char *);
const char *suggest_best(const struct suggest *);

#endif
