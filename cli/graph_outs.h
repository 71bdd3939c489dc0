#ifndef DAG_CLI_GRAPH_OUTS_H
#define DAG_CLI_GRAPH_OUTS_H
/* What the tasks of a DAG make, as a graph: which output is made of which. */
#include <stdbool.h>

struct arena;
struct dag;
struct err;

/**
 * graph_outs(g, selected, a, out, err):
 * Make ${out}, in arena ${a}, a DAG to be shown whose tasks are the outputs of the ${selected} tasks of
 * ${g}, called by their paths; one follows another where the task that makes it reads that.
 * Return 0 or -1.
 */
int graph_outs(const struct dag *, const bool *, struct arena *, struct dag *,
	       struct err *);

#endif
