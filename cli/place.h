#ifndef DAG_CLI_PLACE_H
#define DAG_CLI_PLACE_H
/*
 * Where the verbs about runs look: a project with its database, opened for reading or for
 * writing, and an arena for what comes out of it.
 */
#include <stdbool.h>
#include <stddef.h>

#include "store/meta.h"
#include "store/project.h"

struct arena;
struct buf;
struct cli;
struct dag;
struct err;

struct place {
	const struct project *project;
	struct project own; /* where it was found here */
	struct meta *meta;  /* NULL: there is no database yet */
	struct arena *arena;
};

/**
 * place_open(c, out, err):
 * Find the project and open its database for reading, if there is one.  Return 0 or -1.
 * Close ${out} in both cases.
 */
int place_open(struct cli *, struct place *, struct err *);

/**
 * place_open_at(p, out, err):
 * Open the database of project ${p}, which must outlive ${out}, for reading, if there is one.
 */
int place_open_at(const struct project *, struct place *, struct err *);

/**
 * place_open_write(c, out, err):
 * The same for writing; where there is no database that is ERR_NOTFOUND: nothing has been
 * run here.
 */
int place_open_write(struct cli *, struct place *, struct err *);

/**
 * place_put_dag(c, p, out):
 * Append how to call dag for project ${p} from here: "dag", or "dag -C ROOT" where it would
 * not be found.
 */
void place_put_dag(struct cli *, const struct project *, struct buf *);

/**
 * place_close(pl):
 * Let everything go.
 */
void place_close(struct place *);

/**
 * place_run(pl, ref, out, err):
 * The run that ${ref} names.  Return 0 or -1.
 */
int place_run(struct place *, const char *, struct meta_run *, struct err *);

/**
 * place_no_task(run, tasks, n, name, err):
 * Say that the run, which has the ${n} ${tasks}, has none of that name.  Return -1.
 */
int place_no_task(const struct meta_run *, const struct meta_task *, size_t, const char *,
		  struct err *);

/**
 * place_definition(pl, run, out, err):
 * Load the definition that the run started with; free it with dag_free.  ${out} is NULL where
 * it does not load any more, as one of an older version may.  Return 0 or -1.
 */
int place_definition(struct place *, const struct meta_run *, struct dag **,
		     struct err *);

/**
 * place_interrupted(pl, out, n, err):
 * The runs that are not done and that nobody owns, oldest first, in the place's arena.
 */
int place_interrupted(struct place *, struct meta_run **, size_t *, struct err *);

/**
 * place_note_interrupted(c, pl, run):
 * Say of the interrupted run, or with NULL of all that there are, how to go on with it.
 */
void place_note_interrupted(struct cli *, struct place *, const struct meta_run *);

/**
 * place_attempt_dir(pl, dir, err):
 * Open the directory of an attempt, as its row names it.  Return a descriptor or -1.
 */
int place_attempt_dir(const struct place *, const char *, struct err *);

/**
 * place_alive(pl, dir):
 * Return 1 if the process beside an attempt lives (it holds its lock), 0 if not, -1 if that
 * cannot be told.  Changes nothing.
 */
int place_alive(const struct place *, const char *);

#endif
