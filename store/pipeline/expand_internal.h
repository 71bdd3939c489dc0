#ifndef DAG_STORE_PIPELINE_EXPAND_INTERNAL_H
#define DAG_STORE_PIPELINE_EXPAND_INTERNAL_H
/* For store/pipeline/expand*.c. */
#include "base/map.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "store/pipeline/context.h"
#include "store/pipeline/interpolate.h"
#include "store/pipeline/pipeline.h"

struct expansion {
	struct interpolation x;
	VEC(struct yaml_pair) stages; /* made so far */
	struct map names;	      /* of them */
};

/**
 * expand_stage(e, at, name, def):
 * Make the stage ${name}, told at ${at}, from its definition.  Return 0; 1 with mistakes
 * told; -1 if memory ran out.
 */
int expand_stage(struct expansion *, struct yaml_node *, const char *,
		 struct yaml_node *);

/**
 * expand_foreach(e, definition), expand_matrix(e, definition):
 * Make the stages that the definition stands for.  Return as expand_stage.
 */
int expand_foreach(struct expansion *, const struct yaml_pair *);
int expand_matrix(struct expansion *, const struct yaml_pair *);

#endif
