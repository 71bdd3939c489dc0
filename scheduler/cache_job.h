#ifndef DAG_SCHEDULER_CACHE_JOB_H
#define DAG_SCHEDULER_CACHE_JOB_H
/*
 * Before and after an attempt of a task that does not run where nothing has changed: whether it is
 * to run is decided, and if not its outputs are brought back where they are missing; what it has
 * made goes into the cache.  A job is made in the session's thread and works in a worker's.  The
 * repository's lock is held while something of it is written, never while a program runs.
 */
#include <stdbool.h>
#include <stddef.h>

#include "scheduler/cache_task.h"
#include "scheduler/dag.h"
#include "store/meta.h"
#include "store/track/stage_run.h"

struct arena;
struct cache_hold;
struct cache_pool;
struct err;
struct meta;
struct meter;
struct project;
struct render_paths;

/* What a job is about; all of it is borrowed. */
struct cache_ask {
	struct cache_pool *pool;
	const struct project *project;
	const char *dag;
	const struct dag_task *task;
	const struct run_values *values;
	const struct render_paths *paths;
	const char
	    *lock; /* of a DAG file: its lock file; NULL: of a stage, which has one */
	bool write_lock; /* results go into it */
	struct dag_how how;
	bool force; /* this task runs in any case */
	/* Before results are brought back: remove what lies there, by the rules for what a task
	 * makes anew.  0 or -1.  NULL: what lies there is given up. */
	int (*clear)(void *, struct err *);
	void *clear_arg;
	struct meter *meter;
	const bool *stop;
	/* Of one that is only looked at: as struct stage_run's, the path seen from the project's
	 * root. */
	int (*coming)(void *, const char *, struct object_id *);
	void *coming_arg;
};

/* What would become of a task. */
struct cache_look {
	enum stage_verdict verdict;
	const struct stage_reason *v; /* in what it differs from its last result */
	size_t n;
	const char *why;   /* in words */
	const char *lacks; /* a param that is not there, as a sentence, or NULL */
	/* By number: what its outputs would be; NULL: what they are, or whatever its run makes.
	 * One may be not set. */
	const struct object_id *outs;
	const struct meta_kv *values; /* that it has published */
	size_t nvalues;
};

struct cache_job {
	struct cache_ask ask;
	struct arena *arena;
	struct cache_task own; /* of a DAG file */
	struct stage_run run;
	struct stage_how how;
	/* what has come of it */
	const char *below;  /* the seat's, of one that is only looked at */
	const char *reason; /* why it runs, or how it is known that it need not */
	bool restored;	    /* what it need not make may have been written just now */
	const char
	    *inputs; /* what it depends on, as text; for the job after the attempt */
	struct meta_stage result; /* for the database */
	struct cache_hold
	    *hold; /* of what it uses, where it is to run; freed with the job */
	struct meta_kv *values; /* that were published with the result */
	size_t nvalues;
};

/**
 * cache_job_new(ask, out, err), cache_job_free(job):
 * Render what the task is as a stage.  Return 0 or -1.  NULL may be freed.
 */
int cache_job_new(const struct cache_ask *, struct cache_job **, struct err *);
void cache_job_free(struct cache_job *);

/**
 * cache_job_decide(job, err):
 * Find out whether the task is to run; if not, bring back what is missing of its outputs.  Return
 * 1: it need not run, all is there and durable in the cache; 0: it is to run; -1.
 */
int cache_job_decide(struct cache_job *, struct err *);

/**
 * cache_job_known(job, err):
 * Find out whether nothing at all is to be done for the task, as far as that is known without
 * reading much.  Nothing is written, no lock is taken.  Return 1; 0: it is not known; -1, which
 * says no more than that: who decides later meets it again.
 */
int cache_job_known(struct cache_job *, struct err *);

/**
 * cache_job_keep(job, inputs, err):
 * The task has ended well: take what it made into the cache.  ${inputs} is what cache_job_decide
 * found, or NULL where nobody knows any more.  May be repeated.  Return 0 or -1.
 */
int cache_job_keep(struct cache_job *, const char *, struct err *);

/**
 * cache_job_look(job, meta, out, err):
 * Find out what cache_job_decide would, and do nothing.  ${meta} (NULL: there is no database) is only
 * read.  ${out} lives as long as the job.  Return 0 or -1.
 */
int cache_job_look(struct cache_job *, struct meta *, struct cache_look *, struct err *);

#endif
