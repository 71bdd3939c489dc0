#ifndef DAG_CLI_GC_HELD_H
#define DAG_CLI_GC_HELD_H
/*
 * What runs that have not ended use of the cache (store/track/held.h), and experiments.
 */
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct err;
struct meter;
struct project;
struct repo;
struct track;
struct transfer_want;

/* Who gets what is found; returns 0, or -1 with the error. */
typedef int gc_held_fn(void *, const struct transfer_want *, struct err *);

struct gc_held {
	const struct project *project;
	struct track *track; /* of the same root, or nothing is found */
	struct repo *git;    /* NULL: none */
	struct arena *arena; /* the wants' paths are put there */
	struct meter *meter;
	gc_held_fn *add;
	void *ctx;
};

/**
 * gc_held(h, err):
 * Find what the project's runs use that have not ended: what each wrote down when it began; of
 * one that could not, what the commit names that was checked out then.  Return 0 or -1.
 */
int gc_held(const struct gc_held *, struct err *);

/**
 * gc_trials(h, sweep, err):
 * Find what the experiments use that are under way here (store/exp/trial.h): what the pointers of
 * their work trees name.  With ${sweep} remove first what those have left that were killed.
 * Return 0 or -1.
 */
int gc_trials(const struct gc_held *, bool, struct err *);

#endif
