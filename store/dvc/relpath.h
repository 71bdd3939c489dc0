#ifndef DAG_STORE_DVC_RELPATH_H
#define DAG_STORE_DVC_RELPATH_H
/* Paths as pointers record them: seen from another directory. */
struct buf;

/**
 * dvc_relpath(b, from, to):
 * Append ${to} as seen from the directory ${from}, both normalized and seen from one root.
 */
void dvc_relpath(struct buf *, const char *, const char *);

#endif
