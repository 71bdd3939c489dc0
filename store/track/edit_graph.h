#ifndef DAG_STORE_TRACK_EDIT_GRAPH_H
#define DAG_STORE_TRACK_EDIT_GRAPH_H
/* Whether a new stage fits among what is there: by its paths. */
struct dvc_yaml_stage;
struct err;
struct track_list;

/**
 * edit_check(list, root, file, stage, err):
 * Check ${stage}, which is to stand in the dvc.yaml ${file} in the place of one of that name: none of
 * its paths is named twice; no output lies in what something else tracks, or the other way
 * round; no file that tracks something lies in an output; no stage needs what follows from
 * it.  Stages whose templates cannot be put in are left out.  Return 0, or -1 with
 * ERR_INVALID, ERR_EXISTS or ERR_NOMEM.
 */
int edit_check(const struct track_list *, const char *, const char *,
	       const struct dvc_yaml_stage *, struct err *);

#endif
