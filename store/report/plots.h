#ifndef DAG_STORE_REPORT_PLOTS_H
#define DAG_STORE_REPORT_PLOTS_H
/*
 * Plots: what dvc.yaml says is to be drawn, and the points of it, of one or several
 * revisions.
 *
 *	snapshot -> definitions -> files -> points with `rev`, `filename`, `field` -> series
 *
 * Points are mappings (store/pipeline/value.h) with all that the file has of them; what x and
 * y are called in them stands in the plot.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/vec.h"

struct arena;
struct meter;
struct snapshot;
struct yaml_node;

#define PLOTS_MAX	1000	 /* plots of one call */
#define PLOT_SERIES_MAX 1000	 /* series of one plot */
#define PLOT_POINTS_MAX 500000	 /* points of all plots */
#define PLOT_FIELDS_MAX 20000000 /* values of all points */
#define PLOT_FILE_MAX	((size_t)16 << 20)
#define PLOT_IMAGES_MAX ((size_t)64 << 20) /* bytes of all images */

/* Points of one revision, file and field: from the from-th on. */
struct plot_series {
	const char *rev;
	size_t rev_at; /* its place in the plot's revs */
	const char
	    *label;   /* what tells it apart from others of the revision, "" if nothing */
	size_t group; /* the number of that label */
	size_t from, n;
};

struct plot_image {
	const char *rev, *path;
	const char *bytes;
	size_t n;
};

/* What could not be read or drawn. */
struct plot_problem {
	const char *rev;
	const char *source; /* the file, or NULL: the plot as such */
	enum err_code code;
	const char *why;
};

struct plot {
	const char *id;
	bool image;
	const char *template; /* as it is written; NULL: "linear" */
	const char *title, *x, *y, *x_label, *y_label; /* x: NULL without points */
	bool by_file, by_field; /* what tells series of one revision apart */
	VEC(const char *) revs; /* that have points, or an image */
	VEC(const char *) groups;
	VEC(struct yaml_node *) points;
	VEC(struct plot_series) series;
	VEC(struct plot_image) images;
	VEC(struct plot_problem) problems;
};

struct plots {
	struct arena *arena;
	VEC(struct plot *) v;
	size_t points, fields, bytes;
};

struct plots_options {
	/* Ids, and the same as paths seen from the root; none: all. */
	const char *const *words;
	const char *const *paths;
	size_t ntargets;
	/* In place of what dvc.yaml says; NULL: not given. */
	const char *template, *x, *y, *title, *x_label, *y_label;
	bool no_header;
	struct meter *meter;
};

/**
 * plots_read(o, snapshots, n, out, err):
 * Read the plots of ${n} snapshots, which must outlive them, into the empty ${out}.  What is
 * wrong with one file is a problem of its plot; mistakes in its text go to the snapshots' diag.
 * Return 0 or -1: ERR_NOTFOUND for a target that names nothing, ERR_LIMIT; ${out} is to be
 * freed by plots_release in both cases.
 */
int plots_read(const struct plots_options *, struct snapshot *const *, size_t,
	       struct plots *, struct err *);

/**
 * plots_release(p):
 * Free what ${p} holds.
 */
void plots_release(struct plots *);

#endif
