#ifndef DAG_SCHEDULER_DAG_SHOW_H
#define DAG_SCHEDULER_DAG_SHOW_H
/*
 * A graph in other people's languages.  Where ${selected} is not NULL only its tasks, and the
 * edges between them, are written.
 */
#include <stdbool.h>

struct buf;
struct dag;
struct json_writer;

/**
 * dag_show_json(g, selected, w):
 * Write an object: the DAG, its parameters, and its tasks as below.
 */
void dag_show_json(const struct dag *, const bool *, struct json_writer *);

/**
 * dag_show_tasks_json(g, selected, w):
 * Write an array of the tasks in topological order: type, level, needs, inputs, outputs.
 * Edges to tasks that are not selected are told all the same: they are facts of the task.
 */
void dag_show_tasks_json(const struct dag *, const bool *, struct json_writer *);

/**
 * dag_show_dot(g, selected, out):
 * Append the graph for Graphviz.
 */
void dag_show_dot(const struct dag *, const bool *, struct buf *);

/**
 * dag_show_mermaid(g, selected, out):
 * Append the graph as a Mermaid flowchart.  Nodes are called t0, t1 ..., as names of tasks may
 * be words of that language ("end"); labels are quoted, and what it would read in them is
 * written as entities.
 */
void dag_show_mermaid(const struct dag *, const bool *, struct buf *);

#endif
