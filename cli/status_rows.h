#ifndef DAG_CLI_STATUS_ROWS_H
#define DAG_CLI_STATUS_ROWS_H
/*
 * What `dag status` tells, by pointer file or stage, as text and as DVC's JSON.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"

struct arena;
struct artifact;

/* A dependency or an output that differs. */
struct status_change {
	const char *path;
	bool elsewhere;	   /* no path of the project: told as it is */
	const char *param; /* of a file of params; NULL: the file itself */
	const char *state; /* DVC's word */
	struct status_change *next;
};

struct status_row {
	const char *key; /* "d.dvc", "train" */
	struct status_change *deps, **deps_end, *outs, **outs_end;
	bool command, always; /* another command; runs always */
};

struct status_rows {
	struct arena *arena;
	struct map by_key; /* in the order they were made */
};

/**
 * status_row(rows, key), status_rows_release(rows):
 * Return the row of ${key}, which must live as long as ${rows}, made where there is none; NULL
 * if memory runs out.  Free what is not in the arena.
 */
struct status_row *status_row(struct status_rows *, const char *);
void status_rows_release(struct status_rows *);

/**
 * status_add_dep(rows, row, change), status_add_out(rows, row, change):
 * Append a copy of ${change}, which may be of a param or elsewhere only as a dependency.  Return
 * 0, or -1 if memory runs out.
 */
int status_add_dep(struct status_rows *, struct status_row *,
		   const struct status_change *);
int status_add_out(struct status_rows *, struct status_row *,
		   const struct status_change *);

/**
 * status_rows_text(a, rows), status_rows_json(a, rows):
 * Write them all, paths as they are seen from where the verb was called.
 */
void status_rows_text(struct artifact *, const struct status_rows *);
void status_rows_json(struct artifact *, const struct status_rows *);

#endif
