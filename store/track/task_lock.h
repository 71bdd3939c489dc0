#ifndef DAG_STORE_TRACK_TASK_LOCK_H
#define DAG_STORE_TRACK_TASK_LOCK_H
/*
 * Lock files of DAG files ("p.dag.lock" beside "p.yaml"): what is to be known of them and of
 * the DAG files by those who ask what is tracked.  Whether an entry still counts is asked of the
 * DAG file as it is written: of a task that is gone, or no longer makes the path, or is not
 * cached any more, it does not.  Where the DAG file is not there, or cannot be read, all count:
 * it may be made anew for each run.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"

struct arena;
struct buf;
struct err;
struct track;

#define TASK_LOCK_DAGS 2 /* names that the DAG file of a lock may have */

/**
 * task_lock_is(path), task_lock_dag_is(path):
 * Return whether a file of that name is the lock of a DAG file; whether it may be a DAG file.
 */
bool task_lock_is(const char *);
bool task_lock_dag_is(const char *);

/**
 * task_lock_dag(lock, i, b), task_lock_beside(dag, b):
 * Append the ${i}th name that the DAG file of the lock may have; that of the lock of a DAG file.
 */
void task_lock_dag(const char *, size_t, struct buf *);
void task_lock_beside(const char *, struct buf *);

/**
 * task_lock_base(t, dir, base, err):
 * Find the project that DAG files in the directory ${dir} belong to (store/project.h), whose root
 * the paths in their locks are seen from, and append that, as seen from ${t}'s, to ${base}.
 * Return 1; 0 where that project has another repository of tracked data than ${t}; -1 if memory
 * ran out.
 */
int task_lock_base(const struct track *, const char *, struct buf *, struct err *);

/* What a DAG file, or more of them, says. */
struct task_outline {
	struct arena *arena; /* what follows lives in it, or is freed */
	bool known;	     /* there was one that could be read */
	struct map tasks;    /* name -> struct task_says */
	struct map outs;     /* "NAME\nPATH" */
};

struct task_says {
	bool any; /* its outputs are templates: no path can be told not to be one */
	bool persist, frozen;
};

/**
 * task_outline_read(o, text, len), task_outline_release(o):
 * Add what the DAG file ${text} says, if it can be told; o->arena is given.  Return 0 or -1 if
 * memory ran out.  Free what is not in the arena.
 */
int task_outline_read(struct task_outline *, const char *, size_t);
void task_outline_release(struct task_outline *);

/**
 * task_outline_find(o, task, path, says, err):
 * Whether the task makes the path, both as a lock has them: 1 with what is said of the task; 0;
 * or -1.  Where nothing is known all do.
 */
int task_outline_find(const struct task_outline *, const char *, const char *,
		      struct task_says *, struct err *);

#endif
