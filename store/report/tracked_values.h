#ifndef DAG_STORE_REPORT_TRACKED_VALUES_H
#define DAG_STORE_REPORT_TRACKED_VALUES_H
/*
 * Params and metrics of a snapshot: the files that dvc.yaml names as such, with the values
 * in them.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/map.h"
#include "base/vec.h"

struct snapshot;
struct yaml_node;

#define TRACKED_FILES_MAX 100000 /* files of one snapshot */

/* A file that could not be read keeps what else is known from being told. */
struct tracked_file {
	const char *path;	       /* seen from the root */
	const struct yaml_node *value; /* NULL: there is a problem */
	const char *why;	       /* what it is */
	enum err_code code;	       /* ERR_NOTFOUND: it is not there */
};

struct tracked_values {
	VEC(struct tracked_file) files; /* in the order in which they are named */
	struct map paths;
};

/**
 * tracked_metrics(s, targets, n, out, err):
 * Collect into the empty ${out} the metrics of ${s}: of stages, and those that dvc.yaml names
 * by themselves; or those of the ${n} files ${targets} (seen from the root), whatever they are.
 * A directory is all files in it.  What is no number, text or truth value is left out.  Values
 * live as long as ${s}.  Return 0 or -1.
 */
int tracked_metrics(struct snapshot *, const char *const *, size_t,
		    struct tracked_values *, struct err *);

/**
 * tracked_params(s, targets, n, deps, out, err):
 * The same of params: of stages, of files that dvc.yaml names by themselves, of params.yaml,
 * and what templates use of other files; with ${deps} only what stages depend on.
 */
int tracked_params(struct snapshot *, const char *const *, size_t, bool,
		   struct tracked_values *, struct err *);

/**
 * tracked_values_release(v):
 * Free what ${v} holds.
 */
void tracked_values_release(struct tracked_values *);

/**
 * tracked_values_equal(a, b):
 * Return whether the same files have the same values, and all could be read.
 */
bool tracked_values_equal(const struct tracked_values *, const struct tracked_values *);

#endif
