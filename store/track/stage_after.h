#ifndef DAG_STORE_TRACK_STAGE_AFTER_H
#define DAG_STORE_TRACK_STAGE_AFTER_H
/*
 * Directories that a stage of dvc.yaml depends on, after its command has run.  Private to
 * store/track.
 */

struct arena;
struct dvc_lock_stage;
struct err;
struct stage_look;
struct stage_run;

/**
 * stage_deps_after(look, run, a, entry, err):
 * Where files have only appeared in a directory since ${entry} was made of what ${run} depends on
 * (`__pycache__`), let it say what the directory is now, as DVC does: it was made from all that
 * was there.  Where anything else has changed it goes on saying what was there before.  Return 0 or
 * -1; what cannot be read any more is as it was.
 */
int stage_deps_after(struct stage_look *, const struct stage_run *, struct arena *,
		     struct dvc_lock_stage *, struct err *);

#endif
