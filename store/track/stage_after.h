#ifndef DAG_STORE_TRACK_STAGE_AFTER_H
#define DAG_STORE_TRACK_STAGE_AFTER_H
/*
 * What a stage was made from, after its command has run.  Private to store/track.
 */
#include <stdbool.h>

struct arena;
struct dvc_lock_stage;
struct err;
struct stage_look;
struct stage_run;

/**
 * stage_inputs_after(look, run, a, entry, sure, err):
 * Compare ${entry}, which was made of what goes into ${run} before that ran, with what it is now.
 *
 * Where files have only appeared in a directory that a stage of dvc.yaml depends on (`__pycache__`),
 * the entry says what the directory is now, as DVC does: it was made from all that was there.
 * What else has become another meanwhile nobody knows how it was when it was read: it loses its
 * hash, or the values of its params, in the entry, so that the stage runs again even where it is
 * what it was before by then.  What was removed stays as it was.
 *
 * ${sure} tells whether nothing has lost any.  Return 0 or -1.
 */
int stage_inputs_after(struct stage_look *, const struct stage_run *, struct arena *,
		       struct dvc_lock_stage *, bool *, struct err *);

#endif
