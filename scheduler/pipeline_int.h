#ifndef DAG_SCHEDULER_PIPELINE_INT_H
#define DAG_SCHEDULER_PIPELINE_INT_H
/* The parts of pipeline_dag.h among themselves. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/dag.h"
#include "store/dvc/dvc_yaml.h"

struct arena;
struct buf;
struct diag;
struct diag_pos;
struct err;
struct load;
struct pipeline_place;
struct yaml_node;

/* Where a stage was written. */
struct stage_source {
	const struct dvc_yaml *yaml;
	const struct dvc_yaml_stage *stage;
};

/* A stage of a DAG; what the task points to is its first member. */
struct pipeline_stage {
	struct dag_stage dag;
	struct dvc_yaml_stage stage;
	const char *file;   /* of the dvc.yaml, seen from the root */
	const char *policy; /* `meta: {dag: ...}` as JSON, or NULL */
	const char *
	    *ins; /* what it depends on: seen from the root, normalized; no URLs */
	size_t nins;
	const char **outs; /* what it makes, likewise; "" where it lies elsewhere */
};

/* One making of a DAG. */
struct pipeline_make {
	const struct pipeline_place *place;
	struct arena *arena;
	struct dag *dag;
	struct pipeline_stage *stages;	    /* of the tasks */
	const struct stage_source *sources; /* likewise; NULL: they are not known */
	struct diag *d;
	const struct dvc_yaml *shown; /* the last file that d was told of, and */
	int file;		      /* its number there */
	struct err *err;
};

/**
 * pipeline_put(sources, n, out):
 * Append the definition of the ${n} stages to ${out}, which may fail.
 */
void pipeline_put(const struct stage_source *, size_t, struct buf *);

/**
 * pipeline_get(m, text, len):
 * Read the definition into m->stages and m->dag.  Return 0 or -1 with m->err.
 */
int pipeline_get(struct pipeline_make *, const char *, size_t);

/**
 * pipeline_tasks(m):
 * Fill the tasks of m->dag from m->stages.  Return 0 or -1.
 */
int pipeline_tasks(struct pipeline_make *);

/**
 * pipeline_graph(m):
 * Find edges and order.  Return 0 or -1; mistakes are only told.
 */
int pipeline_graph(struct pipeline_make *);

/**
 * pipeline_stage_of(t):
 * Return the stage of a task of such a DAG.
 */
const struct pipeline_stage *pipeline_stage_of(const struct dag_task *);

/**
 * pipeline_pos(m, i, line, col):
 * Where line and column of stage ${i}'s file are in m->d; nowhere, where that is not known.
 */
struct diag_pos pipeline_pos(struct pipeline_make *, size_t, uint32_t, uint32_t);

#endif
