#ifndef DAG_CLI_GRAPH_H
#define DAG_CLI_GRAPH_H
/*
 * A DAG drawn with characters, from top to bottom: each task stands below all that it needs.
 *
 * Only edges that no chain of others implies are drawn.  Tasks that feed the same tasks share
 * one line; where lines only cross, the vertical one runs through.  What is too wide is drawn
 * otherwise: tasks that need the same and are needed by the same are put into one box, then
 * layers are broken, then names are cut in their middle.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct dag;
struct err;

#define GRAPH_TASKS_MAX 2000
#define GRAPH_WIDTH_MIN 20

struct graph_style {
	unsigned width; /* columns */
	bool utf8;	/* lines of Unicode, else of ASCII */
	bool color;
};

/* What is worth telling about a drawing. */
struct graph_facts {
	size_t implied; /* edges that are not drawn */
	bool boxed;	/* tasks alike were put into boxes */
};

/**
 * graph_put(g, selected, style, out, facts, err):
 * Append the drawing of the tasks that ${selected} (NULL: all) and the edges between them.
 * Return 0; 1 if they cannot be drawn legibly in that width (nothing is appended); or -1.
 */
int graph_put(const struct dag *, const bool *, const struct graph_style *, struct buf *,
	      struct graph_facts *, struct err *);

#endif
