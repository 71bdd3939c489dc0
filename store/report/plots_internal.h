#ifndef DAG_STORE_REPORT_PLOTS_INTERNAL_H
#define DAG_STORE_REPORT_PLOTS_INTERNAL_H
/* For store/report/plots*.c. */
#include "store/report/plots.h"

/* What one revision says of one plot. */
struct plot_def {
	const char *config; /* the dvc.yaml, "" of a stage's output or a target */
	const char *id;	    /* as it is written there, or a path */
	const struct yaml_node *props; /* a mapping */
};

struct plot_defs {
	struct arena *arena;
	const struct plots_options *o;
	const struct yaml_node *given; /* the options as props */
	bool *used;		       /* of each target: it names something */
	VEC(struct plot_def) v;
};

/**
 * plots_define(s, defs, err):
 * Collect into the empty ${defs}->v what ${s} says is to be drawn.  Return 0 or -1.
 */
int plots_define(struct snapshot *, struct plot_defs *, struct err *);

/**
 * plots_merge(a, over, under):
 * Return a mapping of the members of both, with those of ${over} in place of those of
 * ${under}; NULL if memory runs out.  Either may be NULL, or no mapping: it is empty.
 */
struct yaml_node *plots_merge(struct arena *, const struct yaml_node *,
			      const struct yaml_node *);

/**
 * plots_is_image(path):
 * Return whether the name is that of a picture.
 */
bool plots_is_image(const char *);

/* A file of one revision. */
struct plot_file {
	const char *path;
	const struct yaml_node *data; /* NULL: there is none */
	VEC(struct yaml_node *) points;
	const char *bytes; /* of an image */
	size_t n;
	enum err_code code;
	const char *why; /* NULL: no problem */
};

typedef VEC(struct plot_file *) plot_file_list;

/**
 * plots_file_points(a, f):
 * Make the points of ${f} from its data: lists of mappings with the same keys, wherever they
 * are in it, side by side.  Return 0, or -1 if memory runs out.
 */
int plots_file_points(struct arena *, struct plot_file *);

/**
 * plots_points(p, plot, inner, props, rev, files, err):
 * Add to ${plot} the points of ${rev}, whose files ${files} are, by ${props}; ${inner} is the
 * plot's id as it is written.  What cannot be drawn is noted as a problem.  Return 0 or -1.
 */
int plots_points(struct plots *, struct plot *, const char *, const struct yaml_node *,
		 const char *, const plot_file_list *, struct err *);

/**
 * plots_problem(p, plot, rev, source, code, why, err):
 * Note it.  Return 0 or -1.
 */
int plots_problem(struct plots *, struct plot *, const char *, const char *,
		  enum err_code, const char *, struct err *);

#endif
