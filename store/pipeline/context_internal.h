#ifndef DAG_STORE_PIPELINE_CONTEXT_INTERNAL_H
#define DAG_STORE_PIPELINE_CONTEXT_INTERNAL_H
/* For store/pipeline/context*.c. */
#include "base/map.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "store/pipeline/context.h"
#include "store/pipeline/pipeline.h"

/*
 * One variable: a value with its place.  What a mapping or a list holds is made into
 * variables of their own when somebody looks into it.
 */
struct variable {
	struct yaml_node *val;
	const char *source; /* the file, or "vars[0]"; NULL: none */
	struct variable *up;
	const char *name; /* as a member of up */
	size_t len;
	bool open;	    /* members or elems are there */
	bool merged;	    /* of a mapping: others were merged into it */
	bool stale;	    /* ... since val was made */
	struct map members; /* name -> struct variable */
	struct variable **elems;
};

/* Which keys of a file were loaded. */
struct import {
	bool whole;
	const char **keys;
	size_t n;
};

struct context {
	struct dvc_read *r;
	const struct pipeline_files *files;
	struct yaml_node empty; /* what the root is a mapping by */
	struct variable root;
	struct variable *item, *key;
	VEC(struct variable *) opened; /* whose members are to be released */
	struct map imports;	       /* path -> struct import */
	struct map own_read, *read;    /* path -> the tree; shared by clones */
};

/**
 * variable_open(c, v):
 * Make variables of what ${v} holds.  Return 0, or -1 if memory runs out.
 */
int variable_open(struct context *, struct variable *);

/**
 * variable_put(c, map, key, val, source):
 * Add a member that is not there yet.  Return 0, or -1 if memory runs out.
 */
int variable_put(struct context *, struct variable *, struct yaml_node *,
		 struct yaml_node *, const char *);

#endif
