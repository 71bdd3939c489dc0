#ifndef DAG_STORE_TRACK_STAGE_STATUS_H
#define DAG_STORE_TRACK_STAGE_STATUS_H
/*
 * What differs between the stages of dvc.yaml and their last run in dvc.lock, apart from
 * their outputs: dependencies, params, the command.  DVC runs a stage again for these.
 */
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct diag;
struct dvc_yaml_stage;
struct err;
struct track_file;
struct workspace;

enum stage_change_state {
	STAGE_SAME,
	STAGE_NEW,     /* the last run did not know of it */
	STAGE_DELETED, /* it is not there */
	STAGE_MODIFIED
};

/* A dependency, or a param of a file. */
struct stage_change {
	const char *path; /* relative to the root, or absolute where it lies elsewhere */
	const char *key;  /* of a param; NULL: the file as a whole */
	enum stage_change_state state;
};

struct stage_status {
	const struct track_file *in;
	const struct dvc_yaml_stage *stage;
	bool command; /* another one than in the last run */
	bool
	    always; /* it runs always: it says so, or depends on nothing and makes nothing */
	struct stage_change
	    *changes; /* dependencies, then params, as dvc.yaml has them */
	size_t n;
};

/**
 * stage_status(ws, root, files, nfiles, a, d, out, n, err):
 * Look at all stages of the dvc.yaml among the ${nfiles} ${files}, which lie below ${root}, an
 * absolute path; those that templates stand for are left out where they could not be put in.
 * Frozen ones have no dependencies.  The ${n} of ${out} where anything differs are in ${a}.
 * Mistakes in files of params go to ${d}, which shows lines of texts in ${a}.  Return 0 or -1.
 */
int stage_status(const struct workspace *, const char *, struct track_file *const *,
		 size_t, struct arena *, struct diag *, struct stage_status **, size_t *,
		 struct err *);

/**
 * stage_change_name(state):
 * Return DVC's word: "new", "deleted", "modified"; NULL for STAGE_SAME.
 */
const char *stage_change_name(enum stage_change_state);

#endif
