#ifndef DAG_CLI_RUNJSON_H
#define DAG_CLI_RUNJSON_H
struct cli;
struct err;
struct json_writer;
struct meta_run;
struct place;

/**
 * runjson_put(c, pl, w, run, err):
 * Write a run with its tasks and attempts as one object: what `dag runs --json` and the verbs
 * that work on runs print.  Output that has grown large is written out.  Return 0 or -1.
 */
int runjson_put(struct cli *, struct place *, struct json_writer *, struct meta_run *,
		struct err *);

#endif
