#ifndef DAG_STORE_TRACK_COMMIT_STAGES_H
#define DAG_STORE_TRACK_COMMIT_STAGES_H
/*
 * Stages of dvc.yaml recorded in dvc.lock as if they had just run: what is there of their
 * dependencies, params and outputs, and the command that they have now.
 */
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct dvc_yaml_stage;
struct err;
struct stage_how;
struct stage_look;
struct track_file;

struct commit_stage {
	struct track_file *in; /* a dvc.yaml, with its lock */
	const struct dvc_yaml_stage *stage;

	/* What comes out. */
	const char *lock;  /* the lock file, relative to the root */
	bool changed;	   /* something is other than it was recorded */
	bool recorded;	   /* it has an entry that says how things are */
	bool lock_changed; /* the lock file was written; told of one of its stages */
};

/**
 * commit_stages_look(look, stages, n, arena, err):
 * Find out which of the ${n} stages have changed.  Nothing is written.  Return 0 or -1.
 */
int commit_stages_look(struct stage_look *, struct commit_stage *, size_t, struct arena *,
		       struct err *);

/**
 * commit_stages(look, how, root_fd, stages, n, arena, err):
 * With the repository's lock held: take the outputs into the cache, and write the lock files.
 * ${stages} stand in the order in which new ones are to stand there, those of one file together.
 * Return 0, or -1: ERR_NOTFOUND for what is not there; stages before it are recorded then.
 */
int commit_stages(struct stage_look *, const struct stage_how *, int,
		  struct commit_stage *, size_t, struct arena *, struct err *);

#endif
