#ifndef DAG_STORE_TRACK_STAGE_OUTS_H
#define DAG_STORE_TRACK_STAGE_OUTS_H
/*
 * The outputs of a stage: where they are, whether they are what the lock says, brought back.
 * Private to store/track.
 */
#include <stddef.h>

struct arena;
struct dvc_lock_stage;
struct dvc_out;
struct err;
struct stage_file;
struct stage_look;
struct stage_reason;
struct stage_run;

/**
 * stage_outs_find(look, run, locked, a, out, n, err):
 * Find out where the ${n} outputs are, and what the lock has of them.  Return 0 or -1.
 */
int stage_outs_find(const struct stage_look *, const struct stage_run *,
		    const struct dvc_lock_stage *, struct arena *, struct stage_file **,
		    size_t *, struct err *);

/**
 * stage_out_find(v, n, path, near):
 * Return the entry of ${path} among ${n} ${v}, which may stand at ${near}, or NULL.
 */
const struct dvc_out *stage_out_find(const struct dvc_out *, size_t, const char *,
				     size_t);

/**
 * stage_out_compare(look, f, why, err):
 * Whether the output is what the lock says, and in the cache: 0, 1 with the reason, or -1.
 */
int stage_out_compare(struct stage_look *, const struct stage_file *,
		      struct stage_reason *, struct err *);

/**
 * stage_outs_checkout(look, entry, outs, n, a, err):
 * Let all ${n} ${outs} be what ${entry} says.  Return 0; 1 where the cache has not got all of it, or
 * something is damaged; or -1.
 */
int stage_outs_checkout(struct stage_look *, const struct dvc_lock_stage *,
			const struct stage_file *, size_t, struct arena *, struct err *);

#endif
