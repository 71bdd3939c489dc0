#ifndef DAG_STORE_STATE_H
#define DAG_STORE_STATE_H
/*
 * The words for where a run, a task or an attempt is (state) and how it ended (result).  They
 * are stored by name, so the order of the enums may change and the names may not.
 */
#include <stdbool.h>

enum run_state {
	RUN_RUNNING, /* has an owner, or was interrupted and waits for one */
	RUN_DONE,
	RUN_STATES
};

enum run_result {
	RUN_NONE, /* not done */
	RUN_SUCCESS,
	RUN_FAILED,
	RUN_CANCELLED,
	RUN_RESULTS
};

enum task_state {
	TASK_WAITING,	/* for its upstreams */
	TASK_READY,	/* may start: waits for a slot or a path lock */
	TASK_PREPARING, /* attempt row committed; inputs are looked at, outputs removed */
	TASK_STARTING,	/* its process is being made */
	TASK_RUNNING,
	TASK_COMMITTING,   /* process ended well; outputs are checked and made durable */
	TASK_UP_FOR_RETRY, /* failed, its next try has a time; holds no slot */
	TASK_DONE,
	TASK_STATES
};

/* Results of tasks and of attempts (an attempt is never skipped or upstream_failed). */
enum task_result {
	RESULT_NONE, /* not done */
	RESULT_SUCCESS,
	RESULT_CACHED, /* a success that needed no run; shown as `unchanged` */
	RESULT_FAILED,
	RESULT_LOST, /* its end is unknown; counts as failed */
	RESULT_SKIPPED,
	RESULT_UPSTREAM_FAILED,
	RESULT_CANCELLED,
	RESULT_VOID, /* an attempt whose process never ran; consumed no retry */
	TASK_RESULTS
};

/**
 * run_state_name(s), run_result_name(r), task_state_name(s), task_result_name(r):
 * Return the stored name ("waiting", "upstream_failed" ...; "" for the NONE results).
 */
const char *run_state_name(enum run_state);
const char *run_result_name(enum run_result);
const char *task_state_name(enum task_state);
const char *task_result_name(enum task_result);

/**
 * run_state_of(name), run_result_of, task_state_of, task_result_of:
 * The way back: the value, or -1 for a name that is none.
 */
int run_state_of(const char *);
int run_result_of(const char *);
int task_state_of(const char *);
int task_result_of(const char *);

/**
 * task_state_is_live(s):
 * Return whether a task in that state has an attempt under way.
 */
static inline bool
task_state_is_live(enum task_state s)
{
	return s == TASK_PREPARING || s == TASK_STARTING || s == TASK_RUNNING ||
	       s == TASK_COMMITTING;
}

#endif
