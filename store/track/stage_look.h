#ifndef DAG_STORE_TRACK_STAGE_LOOK_H
#define DAG_STORE_TRACK_STAGE_LOOK_H
/*
 * What a stage depends on, as it is now, and in what that differs from what its lock says.
 * Shared by stage_run.h and stage_status.h; private to store/track.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "store/objects/object_id.h"
#include "store/track/stage_run.h"
#include "store/track/workspace.h"

struct dvc_lock_stage;
struct dvc_out;
struct dvc_yaml_out;
struct repo;
struct tree;
struct yaml_node;

struct stage_look {
	struct stage_look_options o;
	struct workspace
	    all; /* the whole file system, for what lies outside of the root */
	struct arena *arena;
	struct repo *git;  /* opened when somebody asks for it */
	bool no_git;	   /* there is none that can be read */
	struct map params; /* full path -> struct kept_params */
};

/* One dependency or output. */
struct stage_file {
	const char *path;		/* as the lock has it */
	const char *full;		/* seen from the root, or absolute */
	bool inside;			/* the repository */
	bool glob;			/* of a dependency: stage_glob.h */
	const struct dvc_yaml_out *out; /* NULL: a dependency */
	const struct dvc_out *was;	/* the lock's entry, or NULL */
	struct object_id was_id;	/* not set: nothing is recorded */

	/* stage_file_scan: */
	bool there;
	bool same;	     /* it is what the lock says */
	struct object_id id; /* of what is there */
	int64_t size, nfiles;
	bool exec;
};

/* What goes into a stage. */
struct stage_inputs {
	struct stage_file *deps; /* without addresses */
	size_t ndeps;
	const struct yaml_node
	    *params; /* file -> key -> value, as the lock has them, or NULL */
	struct stage_reason
	    *v; /* dependencies, then params, that differ from the lock's */
	size_t n;
	const char *lacks; /* what is not there, as a sentence; or NULL */
	bool lacks_param;  /* that is a param, or a file of such */
	bool
	    unhashable; /* something that the run cache knows no hash of: an address, an empty
			  * file of params */
};

/**
 * stage_look_init(look, options, err), stage_look_release(look):
 * As stage_look_open, in place.
 */
int stage_look_init(struct stage_look *, const struct stage_look_options *, struct err *);
void stage_look_release(struct stage_look *);

/**
 * stage_look_all(look, err):
 * Make look->all ready.  Return 0 or -1.
 */
int stage_look_all(struct stage_look *, struct err *);

/**
 * stage_file_find(look, a, dir, path, out, err):
 * Find out where ${path} of a stage in ${dir} leads.  Return 0; 1 if it is an address; or -1.
 */
int stage_file_find(const struct stage_look *, struct arena *, const char *, const char *,
		    struct stage_file *, struct err *);

/**
 * stage_file_was(f, was):
 * Let ${f} have the lock's entry ${was}; NULL: there is none.
 */
void stage_file_was(struct stage_file *, const struct dvc_out *);

/**
 * stage_file_scan(look, f, err):
 * Find out what lies there; hashed as the lock's entry was.  Return 0 or -1.
 */
int stage_file_scan(struct stage_look *, struct stage_file *, struct err *);

/**
 * stage_file_tree(look, f, tree, err):
 * The same by DVC 3's names, and of a directory its list into the empty ${tree}.  Return 0 or -1.
 */
int stage_file_tree(struct stage_look *, struct stage_file *, struct tree *,
		    struct err *);

/**
 * stage_file_ignored(look, f):
 * Return whether .dvcignore leaves it out.
 */
bool stage_file_ignored(const struct stage_look *, const struct stage_file *);

/**
 * stage_params_read(look, path, out, err):
 * Read a file of params, once: its settled tree, in which dates are strings, and which lives
 * as long as ${look}; or NULL where there is no file.  Return 0 or -1.
 */
int stage_params_read(struct stage_look *, const char *, const struct yaml_node **,
		      struct err *);

/**
 * stage_inputs_look(look, run, locked, lenient, a, out, err):
 * Look at all that goes into ${run}.  With ${lenient} what cannot be compared (addresses, params in
 * Python) is left out, else it is ERR_INVALID.  Return 0 or -1.
 */
int stage_inputs_look(struct stage_look *, const struct stage_run *,
		      const struct dvc_lock_stage *, bool, struct arena *,
		      struct stage_inputs *, struct err *);

/**
 * stage_command_same(stage, was):
 * Return whether the lock's cmd ${was} is the stage's command.
 */
bool stage_command_same(const struct dvc_yaml_stage *, const struct yaml_node *);

/**
 * stage_is_always(stage):
 * Return whether it runs always: it says so, or depends on nothing and makes nothing.
 */
bool stage_is_always(const struct dvc_yaml_stage *);

#endif
