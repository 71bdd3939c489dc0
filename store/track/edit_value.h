#ifndef DAG_STORE_TRACK_EDIT_VALUE_H
#define DAG_STORE_TRACK_EDIT_VALUE_H
/* What dvc.yaml says of a stage, as a value to be written, in DVC's order.  For edit_stage.c. */
struct dvc_yaml_stage;
struct err;
struct yaml_doc;
struct yaml_val;

struct edit_entry {
	const char *root; /* of the repository */
	const char *file; /* the dvc.yaml, seen from there */
	const struct dvc_yaml_stage *stage;
	const char *desc;		  /* without old */
	const struct dvc_yaml_stage *old; /* what was read, or NULL */
};

/**
 * edit_value(doc, e, out, err):
 * Make the value of a stage.  Return 0; or -1: memory, or what DVC could not read either.
 */
int edit_value(struct yaml_doc *, const struct edit_entry *, struct yaml_val **,
	       struct err *);

#endif
