#ifndef DAG_CLI_GRID_H
#define DAG_CLI_GRID_H
/*
 * A table of as many columns as there are, in the two layouts of DVC's tables: plain, and
 * Markdown.  Cells are kept until they are printed; what a terminal must not get, and line
 * ends, become U+FFFD.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct grid;

/**
 * grid_new(n), grid_free(g):
 * Make a table of ${n} columns; NULL if memory runs out.  Free it; NULL is allowed.
 */
struct grid *grid_new(size_t);
void grid_free(struct grid *);

/**
 * grid_cell(g, p, n), grid_text(g, text):
 * Fill the next cell, row by row; the first row is the titles'.  The text is copied.  Running
 * out of memory is remembered.
 */
void grid_cell(struct grid *, const char *, size_t);
void grid_text(struct grid *, const char *);

/**
 * grid_put(g, markdown, b):
 * Append the table: plain, which is nothing if it has titles only, or as Markdown with an
 * empty line behind it.  Return 0, or -1 if memory ran out.
 */
int grid_put(const struct grid *, bool, struct buf *);

#endif
