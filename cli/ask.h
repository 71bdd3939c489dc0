#ifndef DAG_CLI_ASK_H
#define DAG_CLI_ASK_H
/*
 * Asking the owner of a run, in another process, to do something: a row in the database, a
 * byte to wake it (store/wake.h), and its answer.
 */
#include <stdbool.h>

struct cli;
struct meta_run;
struct place;

/**
 * ask_owner(c, pl, run, verb, args):
 * Ask the owner of ${run} for ${verb} (with the JSON object ${args}) and wait for its answer.
 * An owner that is stopped is told of within 2 s, with the way out.  Prints the answer, or
 * why there is none.  Return the exit code.  ${pl} is open for writing.
 */
int ask_owner(struct cli *, struct place *, const struct meta_run *, const char *,
	      const char *);

/**
 * ask_wait_end(c, pl, run, killed):
 * Wait until ${run}, which is being stopped (or ${killed}), has ended, and tell how it stands
 * if that takes long.  Return the exit code.
 */
int ask_wait_end(struct cli *, struct place *, const struct meta_run *, bool);

#endif
