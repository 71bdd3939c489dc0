#ifndef DAG_STORE_TRACK_UPSTREAM_H
#define DAG_STORE_TRACK_UPSTREAM_H
/*
 * What the stages of dvc.yaml, and .dvc files with sources inside the repository, are made of.
 */
struct err;
struct track_list;
struct track_targets;

/**
 * track_upstream(l, v, err):
 * Add to ${v}, targets in ${l}, all outs of each stage or pointer file that those of ${v} depend
 * on, directly or through others: by what dvc.lock and .dvc files record, and what dvc.yaml
 * says of a stage that has not run.  The result is sorted, and has nothing twice.  Return 0 or
 * -1 without memory.
 */
int track_upstream(const struct track_list *, struct track_targets *, struct err *);

#endif
