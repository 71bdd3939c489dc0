#ifndef DAG_CLI_EXP_SHOW_INT_H
#define DAG_CLI_EXP_SHOW_INT_H
/* For cli/exp_show*.c: the table of `dag exp show`. */
#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "base/vec.h"
#include "cli/artifact.h"
#include "cli/exp_states.h"

struct buf;
struct exp_names;
struct yaml_node;

#define EXP_CREATED "Created"

struct exp_column {
	const char *id; /* "KIND\nPATH\nKEY" */
	const char *path, *key, *title;
	bool metric, dropped;
};

struct exp_row {
	struct exp_state *e;
	struct map values;	       /* by the id of the column */
	const struct yaml_node *order; /* the value to sort by, or NULL */
	size_t at;
};

struct exp_show {
	struct artifact a;
	struct exp_states s;
	struct exp_names *names;
	struct map known;		     /* id -> column */
	VEC(struct exp_column *) columns[2]; /* metrics, params */
	VEC(struct exp_column *) all;	     /* those that are shown */
	VEC(struct exp_row) rows;
	bool created; /* is shown */
};

/**
 * exp_show_value(p, r, c, b), exp_show_time(p, r, b):
 * Append a cell: the value of the column, or when the commit was made.
 */
void exp_show_value(const struct exp_show *, const struct exp_row *,
		    const struct exp_column *, struct buf *);
void exp_show_time(const struct exp_show *, const struct exp_row *, struct buf *);

/**
 * exp_show_grid(p), exp_show_csv(p):
 * Print the table.  Return 0, or -1 if memory ran out.
 */
int exp_show_grid(struct exp_show *);
int exp_show_csv(struct exp_show *);

#endif
