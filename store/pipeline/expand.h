#ifndef DAG_STORE_PIPELINE_EXPAND_H
#define DAG_STORE_PIPELINE_EXPAND_H
/*
 * A dvc.yaml without templates, foreach and matrix: `vars` is gone, and each stage that they
 * made stands under its own name, "train@fold1".
 */
struct dvc_read;
struct pipeline_files;
struct yaml_node;

/**
 * expand(r, text, files, top, out):
 * Make the tree ${top} of the file ${text}, which ${r} reads, into one that stands for
 * itself, in the arena.  Return 0; 1 with the mistakes told; -1 if memory ran out, which
 * ${r} remembers.
 */
int expand(struct dvc_read *, const char *, const struct pipeline_files *,
	   struct yaml_node *, struct yaml_node **);

#endif
