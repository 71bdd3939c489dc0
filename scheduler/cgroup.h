#ifndef DAG_SCHEDULER_CGROUP_H
#define DAG_SCHEDULER_CGROUP_H
/*
 * Where the kernel can hold an attempt to its memory: a cgroup of its own, made beside or
 * below ours, named "dag-" and the attempt's id.  Version 2 where it is delegated to us,
 * else version 1; else nowhere, and the shim looks for itself.
 *
 * In version 2 a cgroup with processes can have none below it that limit memory, so there the
 * attempt's is a sibling of ours (except in the root).  Only where ours has no limits of its
 * own: an attempt must not escape from what somebody set for dag.  Nobody's controllers are
 * switched on; where they are off, `dag doctor` says so.
 */
#include <stdint.h>

#include "tasks/proto/shim_spec.h"

struct buf;
struct err;

struct cgroup_place {
	enum shim_cgroup kind; /* NONE: there is no place */
	char *dir;	       /* absolute: attempts' cgroups are made in it */
	char why[256];	       /* of NONE: a clause for people */
};

/**
 * cgroup_place_find(place):
 * Find the place and try it out, by making a cgroup with a limit and removing it.
 */
void cgroup_place_find(struct cgroup_place *);

/**
 * cgroup_place_choose(self, mounts, place, err):
 * The same without trying, from the texts of /proc/self/cgroup and /proc/self/mountinfo.
 */
void cgroup_place_choose(const char *, const char *, struct cgroup_place *);

/**
 * cgroup_place_release(place):
 * Free what it holds.
 */
void cgroup_place_release(struct cgroup_place *);

/**
 * cgroup_path(place, id, out):
 * Append the path of the cgroup of attempt ${id}.
 */
void cgroup_path(const struct cgroup_place *, const char *, struct buf *);

/**
 * cgroup_make(place, path, memory, err):
 * Make the cgroup ${path} with a limit of ${memory} bytes, swap included.  Return 0 or -1.
 */
int cgroup_make(const struct cgroup_place *, const char *, int64_t, struct err *);

/**
 * cgroup_remember(dirfd, path, err), cgroup_forget(dirfd, id):
 * Write ${path} into the attempt's directory ${dirfd}.  Remove the cgroup that is written
 * there, if it is one of attempt ${id} and still there; its last process may be on its way
 * out, so this may take half a second.
 */
int cgroup_remember(int, const char *, struct err *);
void cgroup_forget(int, const char *);

/**
 * cgroup_tidy(place):
 * Remove the cgroups of attempts in ${place} that no process is in.  Return how many.
 */
unsigned cgroup_tidy(const struct cgroup_place *);

/**
 * cgroup_machine_memory():
 * Bytes of memory that processes of ours can have in all: the machine's, or the lowest limit
 * of a cgroup that we are in.  0 if it cannot be told.
 */
int64_t cgroup_machine_memory(void);

#endif
