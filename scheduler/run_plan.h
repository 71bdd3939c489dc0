#ifndef DAG_SCHEDULER_RUN_PLAN_H
#define DAG_SCHEDULER_RUN_PLAN_H
/*
 * What a run would do, found out without doing any of it: which tasks would run and why, which
 * would not, and of which nobody knows before others have ended.  Nothing is written, nor the
 * index; no lock is taken.
 *
 * Tasks are looked at in their order, each with what is known by then of those it follows: what
 * one that runs makes nobody knows, so who reads it may run; what comes back from the cache is
 * known before it is there, and so are the values that were published with it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/dag.h"
#include "scheduler/render.h"
#include "store/track/stage_run.h"

struct err;
struct jinja_dict;
struct project;

enum plan_state {
	PLAN_RUN,
	PLAN_MAY, /* run: that depends on tasks before it */
	PLAN_UNCHANGED,
	PLAN_RESTORE, /* its outputs come back from the cache */
	PLAN_FROZEN,
	PLAN_SKIP,
	PLAN_FAIL /* it cannot run */
};

struct plan_task {
	enum plan_state state;
	const char *why; /* as a sentence without its end */
	bool may_skip;	 /* it, or who decides about it, has a `when` that is not known */
	/* Of one that is cached: in what it differs from its last result. */
	const struct stage_reason *v;
	size_t n;

	struct render_task task;
	struct render_paths paths;
	bool rendered; /* task is; else it depends on values of tasks that would run */
	bool when_known, when;

	struct cache_job *job;	      /* internal */
	const struct object_id *outs; /* as struct cache_look's */
	const struct meta_kv *values;
	size_t nvalues;
	bool values_known;
};

/* A run that is only asked about; all of it is borrowed. */
struct run_plan_ask {
	const struct project *project;
	const struct dag *dag;
	const char *file; /* the DAG's, seen from the root, or absolute */
	const struct jinja_dict *params;
	const bool *selected;
	int64_t logical_us;
	struct dag_how how;
};

struct run_plan {
	struct run_plan_ask ask;
	struct arena *arena;
	struct plan_task
	    *tasks; /* by id; those that are not selected are not looked at */
	struct run_values values;
	struct cache_pool *pool;
	struct meta *meta; /* NULL: there is none */
	const char *lock;
};

/**
 * run_plan_make(ask, out, err), run_plan_free(plan):
 * Find it out; what a task would fail of is its PLAN_FAIL.  Return 0 or -1.  NULL may be freed.
 */
int run_plan_make(const struct run_plan_ask *, struct run_plan **, struct err *);
void run_plan_free(struct run_plan *);

/**
 * plan_state_name(state):
 * Return "run", "may_run", "unchanged", "restored", "frozen", "skipped" or "fails".
 */
const char *plan_state_name(enum plan_state);

#endif
