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

/**
 * runjson_counts(w, run):
 * Write the member "counts" of a run whose tasks are counted.
 */
void runjson_counts(struct json_writer *, const struct meta_run *);

#endif
