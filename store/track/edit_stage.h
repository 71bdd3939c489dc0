#ifndef DAG_STORE_TRACK_EDIT_STAGE_H
#define DAG_STORE_TRACK_EDIT_STAGE_H
/*
 * Stages put into dvc.yaml, changed there, taken out of it and of dvc.lock: the text before
 * into the text after, as DVC writes it.  Comments and what is not touched stay.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct dvc_yaml;
struct dvc_yaml_stage;
struct err;

/* A file's text. */
struct edit_file {
	const char *root; /* of the repository, absolute and canonical */
	const char *name; /* seen from there */
	const char *text; /* NULL: a new file */
	size_t len;
};

/**
 * edit_place(root, dir, path, out):
 * Append ${path}, seen from the directory ${dir} (relative to ${root}, or absolute), as seen from
 * the root and normalized; absolute where it lies outside; a URL as it is.
 */
void edit_place(const char *, const char *, const char *, struct buf *);

/**
 * edit_wdir(root, file, stage, out):
 * Append where ${stage} of the dvc.yaml ${file} works, as edit_place has it.
 */
void edit_wdir(const char *, const char *, const struct dvc_yaml_stage *, struct buf *);

/**
 * edit_put_stage(f, stage, desc, old, out, err):
 * Append the dvc.yaml ${f} with ${stage} in it: in the place of one of that name, else at the end.
 * Of ${old}, that one as it is read (NULL: none), description and meta are kept, and of outputs
 * of the same path what is not said on a command line; without it the description is ${desc} (NULL: none).  Return 0, or -1:
 * ERR_INVALID for what cannot be kept as DVC would (store/dvc/yaml_doc.h) or would be read as
 * something else.
 */
int edit_put_stage(const struct edit_file *, const struct dvc_yaml_stage *, const char *,
		   const struct dvc_yaml_stage *, struct buf *, struct err *);

/**
 * edit_freeze(f, name, frozen, out, err):
 * Append the dvc.yaml ${f} with its stage ${name} frozen or not.  Return 0, or -1:
 * ERR_NOTFOUND, or as edit_put_stage; ERR_INVALID too where the stage is made of templates.
 */
int edit_freeze(const struct edit_file *, const char *, bool, struct buf *, struct err *);

/**
 * edit_drop_stages(f, names, n, out, err):
 * Append the dvc.yaml or dvc.lock ${f} without ${n} stages.  Return 0; 1 if nothing is left to
 * be said, so that the file may go; 2 if it has none of them; -1.
 */
int edit_drop_stages(const struct edit_file *, const char *const *, size_t, struct buf *,
		     struct err *);

/**
 * edit_is_template(y, name):
 * Return whether what the dvc.yaml ${y}, parsed as it stands, has under ${name} is made of
 * templates, of foreach or of matrix, or if there is no such stage.
 */
bool edit_is_template(const struct dvc_yaml *, const char *);

#endif
