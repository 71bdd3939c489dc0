#ifndef DAG_SCHEDULER_EXEC_CGROUP_H
#define DAG_SCHEDULER_EXEC_CGROUP_H
/*
 * The cgroup of an attempt, as its executor makes and forgets it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "scheduler/cgroup.h"

struct buf;
struct project;
struct shim_spec;

struct exec_cgroups {
	bool sought; /* a place for them, when the first task needed one */
	struct cgroup_place place;
};

/**
 * exec_cgroup_put(g, spec, out):
 * Append where the attempt's cgroup will be; nothing where it gets none.
 */
void exec_cgroup_put(struct exec_cgroups *, const struct shim_spec *, struct buf *);

/**
 * exec_cgroup_make(g, dir, path, memory):
 * Make the cgroup ${path}, held to ${memory} bytes, for the attempt in ${dir}.  If that fails
 * the shim does not find it, and looks for itself.
 */
void exec_cgroup_make(const struct exec_cgroups *, const char *, const char *, int64_t);

/**
 * exec_cgroup_forget(p, dir, id):
 * Remove what a killed shim of the attempt ${id} in ${dir}, relative to the state directory, could
 * not.
 */
void exec_cgroup_forget(const struct project *, const char *, const char *);

#endif
