#ifndef DAG_STORE_DVC_DVC_YAML_INTERNAL_H
#define DAG_STORE_DVC_DVC_YAML_INTERNAL_H
/* For store/dvc/dvc_yaml.c and for who makes stages of templates (store/pipeline). */
#include "store/dvc/dvc_yaml.h"

struct dvc_read;

/* How the tree of the file becomes a struct dvc_yaml; members of the reader's follow. */
struct dvc_yaml_how {
	void (*take)(struct dvc_read *, const struct yaml_node *, void *);
	struct dvc_yaml *y; /* what is filled */
};

/**
 * dvc_yaml_make(name, text, len, d, how, out, err):
 * As dvc_yaml_parse, but ${how}->take fills ${how}->y; it is called with ${how}.
 */
int dvc_yaml_make(const char *, const char *, size_t, struct diag *,
		  struct dvc_yaml_how *, struct dvc_yaml **, struct err *);

/**
 * dvc_yaml_take(r, top, y):
 * Fill ${y} from the tree ${top}; what stages it had are forgotten.  Mistakes go to the diag.
 */
void dvc_yaml_take(struct dvc_read *, const struct yaml_node *, struct dvc_yaml *);

/**
 * dvc_yaml_cmd(r, node, stage), dvc_yaml_deps(r, node, stage), dvc_yaml_params(r, node, stage):
 * Take a value of these keys of a struct dvc_yaml_stage.
 */
void dvc_yaml_cmd(struct dvc_read *, const struct yaml_node *, void *);
void dvc_yaml_deps(struct dvc_read *, const struct yaml_node *, void *);
void dvc_yaml_params(struct dvc_read *, const struct yaml_node *, void *);

#endif
