#ifndef DAG_CLI_SHOW_LIST_H
#define DAG_CLI_SHOW_LIST_H
/* A DAG in words: its head, and its tasks level by level with all that the file says of each. */
#include <stdbool.h>

struct cli;
struct dag;

/**
 * show_head_put(c, g, what, color):
 * Print what ${g} is called, how many ${what} ("task") it has, and its params.
 */
void show_head_put(struct cli *, const struct dag *, const char *, bool);

/**
 * show_list_put(c, g, what, selected):
 * Print that, and the ${selected} tasks.
 */
void show_list_put(struct cli *, const struct dag *, const char *, const bool *);

#endif
