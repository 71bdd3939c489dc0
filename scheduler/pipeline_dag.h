#ifndef DAG_SCHEDULER_PIPELINE_DAG_H
#define DAG_SCHEDULER_PIPELINE_DAG_H
/*
 * The stages of dvc.yaml as a DAG: all files of the repository make one, whose tasks are
 * called "train" (of the file at the root) or "sub/dvc.yaml:train".
 *
 * What a run needs of it is a text of its own, the definition: the stages as they are meant,
 * templates put in, nothing that has no effect.  It is struct dag's `text`, it is kept with the
 * run, and who goes on with a run later makes the DAG of it again.  Its hash is the DAG's.
 *
 *	dvc.yaml... -> struct track_list -> definition [pipeline_text.c]
 *		    -> struct dag: stages [pipeline_stage.c], edges, order [pipeline_graph.c]
 *
 * Edges are those of DVC: a stage follows whoever makes what it depends on, what lies in that,
 * or what holds it; a file of params is a dependency.  A frozen stage follows nobody.  `order`
 * is that of DVC, in which new stages stand in dvc.lock (see pipeline_dag_order).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/track/collect.h"

struct dag;
struct dag_task;
struct diag;
struct err;
struct project;

/* What of the machine matters to it. */
struct pipeline_place {
	const char *root;  /* absolute, of the repository: DVC_ROOT; NULL: not set */
	const char *shell; /* that runs the commands, $SHELL; NULL: /bin/sh */
	bool
	    keep_frozen; /* frozen stages follow others all the same, as they are shown */
};

/**
 * pipeline_place_here(root):
 * The place that this process is in, for the repository at ${root}, which must outlive it.
 */
struct pipeline_place pipeline_place_here(const char *);

/**
 * pipeline_dag_make(place, files, n, d, out, err):
 * Make the DAG of all dvc.yaml among the ${n} ${files}; others are passed over.  Mistakes go to ${d},
 * which shows lines of ${files}: stages that wait for each other, that make the same thing,
 * whose outputs must not be removed, whose templates could not be put in, a wrong `meta: {dag:}`.
 * Return 0 with ${out}, to be freed with dag_free; 1 if there were mistakes; -1 (ERR_LIMIT, ERR_NOMEM;
 * ERR_NOTFOUND: there is no stage).
 */
int pipeline_dag_make(const struct pipeline_place *, struct track_file *const *, size_t,
		      struct diag *, struct dag **, struct err *);

/**
 * pipeline_dag_is(text, len):
 * Return whether the text is a definition of pipeline_dag_make's.
 */
bool pipeline_dag_is(const char *, size_t);

/**
 * pipeline_dag_read(place, text, len, out, err):
 * Make the DAG of a definition that was kept.  Return 0 or -1 (ERR_CORRUPT).
 */
int pipeline_dag_read(const struct pipeline_place *, const char *, size_t, struct dag **,
		      struct err *);

/**
 * pipeline_dag_order(g, selected, out, n, err):
 * The order in which DVC would run the ${selected} stages (NULL: all), and in which those that are new
 * to dvc.lock stand there: each one behind those it follows, these in the order of its
 * dependencies, else as in dvc.yaml.  Put their ids into ${out}, which has room for all tasks;
 * ${n} is their number.  Return 0 or -1.
 */
int pipeline_dag_order(const struct dag *, const bool *, uint32_t *, size_t *,
		       struct err *);

/**
 * pipeline_is(g):
 * Return whether ${g} is the DAG of pipelines.
 */
bool pipeline_is(const struct dag *);

/**
 * pipeline_file(t):
 * Return the dvc.yaml that the task is a stage of, seen from the root.
 */
const char *pipeline_file(const struct dag_task *);

/* The DAG of a repository with the files that it was made of. */
struct pipeline {
	struct track_list list;
	struct dag *dag; /* NULL: there are mistakes */
};

/**
 * pipeline_open(p, where, keep_frozen, d, out, err):
 * Collect what is tracked in the repository of project ${p} in which the absolute directory ${where}
 * lies (NULL: the project's root), and make the DAG of its stages.  Mistakes go to ${d}; return 0
 * even then; -1 if something cannot be read; ERR_NOTFOUND if there is no stage.  Close ${out} in
 * any case, after ${d} is printed.
 */
int pipeline_open(const struct project *, const char *, bool, struct diag *,
		  struct pipeline *, struct err *);

/**
 * pipeline_close(p):
 * Free it with its DAG, which the caller may have kept by setting it NULL.
 */
void pipeline_close(struct pipeline *);

/**
 * definition_read(root, name, text, len, d, out, err):
 * Make the DAG of a run's definition again: the text of a DAG file that was called ${name}, or
 * that of pipelines of the repository at ${root}.  Return 0 with ${out}, or NULL in it where it is none any
 * more, as one of an older version may not be (of a DAG file ${d} says why); -1 if memory runs out.
 */
int definition_read(const char *, const char *, const char *, size_t, struct diag *,
		    struct dag **, struct err *);

#endif
