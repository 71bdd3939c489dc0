#ifndef DAG_CLI_RUNS_LIST_H
#define DAG_CLI_RUNS_LIST_H
/*
 * What the files of `dag runs` share: cmd_runs.c has the verb and the page of one run,
 * runs_list.c the list.
 */
#include "cli/opts.h"
#include "cli/place.h"

struct buf;
struct cli;
struct dag;
struct table;

#define KNOWN_MAX 64

enum { STATE_RUNNING, STATE_INTERRUPTED, STATE_DONE };

struct runs_opts {
	const char *dag, *after, *since, *until;
	int state, result;
	struct opt_uint limit;
	bool json;
};

/* The verb under way. */
struct look {
	struct cli *c;
	struct place place;
	const struct runs_opts *o;
	int64_t since_us, until_us;
	/* Definitions of runs in the list that have failed: whether that was allowed. */
	struct {
		char hash[65];
		struct dag *dag; /* NULL: it does not load any more */
	} known[KNOWN_MAX];
	size_t nknown;
	char next[META_RUN_ID]; /* the last run of the list, if there are more; or "" */
};

/**
 * runs_put_span(b, from, to), runs_put_times(t, from, to), runs_put_status(t, status):
 * Append how long something took, with ${to} 0 up to now; fill two cells with its start and
 * that; fill one with the word in its colour.
 */
void runs_put_span(struct buf *, int64_t, int64_t);
void runs_put_times(struct table *, int64_t, int64_t);
void runs_put_status(struct table *, const char *);

/**
 * runs_list_table(l, err), runs_list_json(l, err):
 * Print the runs that the options ask for.  Return 0 or -1.
 */
int runs_list_table(struct look *, struct err *);
int runs_list_json(struct look *, struct err *);

/**
 * runs_list_release(l):
 * Free the definitions that the list has looked at.
 */
void runs_list_release(struct look *);

#endif
