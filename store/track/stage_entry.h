#ifndef DAG_STORE_TRACK_STAGE_ENTRY_H
#define DAG_STORE_TRACK_STAGE_ENTRY_H
/*
 * Entries made of what a look has found, and whether the run cache may have one.  Private to
 * store/track.
 */
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct dvc_lock_stage;
struct dvc_out;
struct err;
struct object_id;
struct run_name;
struct stage_file;
struct stage_inputs;
struct stage_run;

/**
 * stage_entry_inputs(a, run, in, out, err):
 * Make ${out} of the command, the dependencies and the params; no outs.  Return 0 or -1.
 */
int stage_entry_inputs(struct arena *, const struct stage_run *,
		       const struct stage_inputs *, struct dvc_lock_stage *,
		       struct err *);

/**
 * stage_entry_put(out, f):
 * Make ${out} say what lies at ${f}; where nothing does, what was recorded of it.
 */
void stage_entry_put(struct dvc_out *, const struct stage_file *);

/**
 * stage_entry_id(f, out):
 * Return the name of the object that ${out}, an entry of a lock for the file ${f}, is about; not
 * set: none is recorded.
 */
struct object_id stage_entry_id(const struct stage_file *, const struct dvc_out *);

/**
 * stage_entry_text(a, s, name, text, err):
 * Make *${text} the entry ${s} as text, in ${a}, and ${name} (may be NULL) what its file in the run
 * cache is called.  Return 0 or -1.
 */
int stage_entry_text(struct arena *, const struct dvc_lock_stage *, struct run_name *,
		     const char **, struct err *);

/**
 * stage_is_hashable(run, entry, outs, n):
 * Return whether the run cache can have runs with the inputs ${entry} and ${n} ${outs}: there is a
 * command, something that goes in and something that comes out, all of it files here, and none
 * of it is to stay between runs.
 */
bool stage_is_hashable(const struct stage_run *, const struct dvc_lock_stage *,
		       const struct stage_file *, size_t);

#endif
