#ifndef DAG_STORE_PROJECT_H
#define DAG_STORE_PROJECT_H
/*
 * A project: its root directory and its state directory (`.dag` in it, unless moved).
 *
 *	.dag/dag.db         metadata (SQLite, WAL)
 *	.dag/index.db       which hash each file had: a cache, may be deleted
 *	.dag/git-seen       what was found last of the git repository: likewise
 *	.dag/write.lock     the gate: writers of all processes queue on it
 *	.dag/waiters/       a FIFO for each process that wants to be woken (wake.h)
 *	.dag/runs/RUN/      owner (lock of the run's owner), held (what of the data it uses) and
 *			    one directory per attempt
 *	.dag/.gitignore     holds "*"
 */
#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;

struct project {
	char *root;  /* canonical absolute path */
	char *state; /* canonical absolute path of the state directory */
	int root_fd; /* open directories, close-on-exec; -1 where absent */
	int state_fd;
};

/**
 * project_find(hint, dir_override, create, out, err):
 * Find the project of the DAG file or directory ${hint} (NULL: the current directory): the
 * nearest ancestor with `.dag`, else with `.dvc`, else the git work tree's top, else the
 * directory of the file (or the current one); ${dir_override} (-C, may be NULL) decides
 * instead.  With ${create} the state directory is made where it is missing (with its
 * .gitignore; its entry is made durable); without, a missing one leaves state_fd -1.  The
 * state directory is $DAG_STATE/<hash of root> or `state_dir` of .dag/config.yaml where set.
 * A state directory of another user, on a file system where locks or shared mappings do not
 * work (probed), or not writable (with ${create}) is refused, with the way out.  Return 0, or
 * -1 with ${err}.
 */
int project_find(const char *, const char *, bool, struct project *, struct err *);

/**
 * project_release(p):
 * Close and free what ${p} holds.
 */
void project_release(struct project *);

/**
 * project_relative(p, path, out, err):
 * Append ${path} (absolute, or relative to the current directory) relative to the root,
 * normalized, to ${out}; an absolute path where it lies outside.  Return 0 or -1.
 */
int project_relative(const struct project *, const char *, struct buf *, struct err *);

/**
 * project_probe(dirfd, out, err):
 * Find out what the file system of ${dirfd} can do, for `dag doctor` and project_find: its
 * type's name, flock across two open files, shared mappings, fsync of a directory.
 */
struct fs_probe {
	char type[32]; /* "ext4", "nfs" ... or its magic number in hex */
	bool network;
	bool locks;
	bool mmap;
	bool dirsync;
	unsigned long long free_bytes;
	unsigned long long inodes, free_inodes; /* 0 inodes: it does not count them */
};
int project_probe(int, struct fs_probe *, struct err *);

/**
 * project_sync_cost(dirfd, us, err):
 * Measure what a commit costs on the file system of ${dirfd}: the median time to make a block
 * of a file durable.  Return 0 or -1.
 */
int project_sync_cost(int, int64_t *, struct err *);

#endif
