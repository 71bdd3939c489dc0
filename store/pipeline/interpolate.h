#ifndef DAG_STORE_PIPELINE_INTERPOLATE_H
#define DAG_STORE_PIPELINE_INTERPOLATE_H
/*
 * ${...} in the strings of dvc.yaml.  A string that is one ${...} and nothing else becomes
 * the variable's value, whatever its kind; elsewhere the value is put in as text, which
 * lists cannot be, and mappings only in commands, as options.  \${ is ${.
 */
#include <stdbool.h>
#include <stddef.h>

struct context;
struct dvc_read;
struct variable;
struct yaml_node;

/* What one dvc.yaml is made into. */
struct interpolation {
	struct dvc_read *r;
	const char *text; /* of dvc.yaml */
	struct context *c;
	size_t nodes, bytes; /* made so far */
	bool stage;	     /* what is read belongs to a stage */
};

/**
 * interpolate_any(p, n):
 * Return whether there is a ${...} in the string.
 */
bool interpolate_any(const char *, size_t);

/**
 * interpolate_check(x, node):
 * Look at the syntax of every ${...} in the tree ${node}.  Return 0, or 1 with the mistakes
 * told.
 */
int interpolate_check(struct interpolation *, struct yaml_node *);

/**
 * interpolate(x, node, key, out):
 * Make the tree ${node} without its templates; ${key} is the name of what it is the value of
 * in a stage, or NULL where lists and mappings may stand for a template.  Return 0; 1 with
 * mistakes told; -1 if memory ran out, which x->r remembers.
 */
int interpolate(struct interpolation *, struct yaml_node *, const char *,
		struct yaml_node **);

/**
 * interpolate_whole(x, node, out):
 * If the string ${node} is one ${...} and nothing else: return 0 with the variable ${out};
 * 1 with the mistake told; 2 if it is not.
 */
int interpolate_whole(struct interpolation *, struct yaml_node *, struct variable **);

#endif
