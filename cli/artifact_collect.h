#ifndef DAG_CLI_ARTIFACT_COLLECT_H
#define DAG_CLI_ARTIFACT_COLLECT_H

struct artifact;
struct err;

/**
 * artifact_collect(a, err):
 * Read all pointer files of the work tree into a->outs.  Return 0 or -1.
 */
int artifact_collect(struct artifact *, struct err *);

#endif
