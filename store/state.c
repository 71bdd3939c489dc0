#include "store/state.h"

#include <stddef.h>
#include <string.h>

static const char *const run_states[RUN_STATES] = {
    [RUN_RUNNING] = "running",
    [RUN_DONE] = "done",
};

static const char *const run_results[RUN_RESULTS] = {
    [RUN_NONE] = "",
    [RUN_SUCCESS] = "success",
    [RUN_FAILED] = "failed",
    [RUN_CANCELLED] = "cancelled",
};

static const char *const task_states[TASK_STATES] = {
    [TASK_WAITING] = "waiting",		  [TASK_READY] = "ready",
    [TASK_PREPARING] = "preparing",	  [TASK_STARTING] = "starting",
    [TASK_RUNNING] = "running",		  [TASK_COMMITTING] = "committing",
    [TASK_UP_FOR_RETRY] = "up_for_retry", [TASK_DONE] = "done",
};

static const char *const task_results[TASK_RESULTS] = {
    [RESULT_NONE] = "",
    [RESULT_SUCCESS] = "success",
    [RESULT_CACHED] = "cached",
    [RESULT_FAILED] = "failed",
    [RESULT_LOST] = "lost",
    [RESULT_SKIPPED] = "skipped",
    [RESULT_UPSTREAM_FAILED] = "upstream_failed",
    [RESULT_CANCELLED] = "cancelled",
    [RESULT_VOID] = "void",
};

static int
find(const char *const *names, int n, const char *name)
{
	int i;

	for (i = 0; name != NULL && i < n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

const char *
run_state_name(enum run_state s)
{
	return run_states[s];
}

const char *
run_result_name(enum run_result r)
{
	return run_results[r];
}

const char *
task_state_name(enum task_state s)
{
	return task_states[s];
}

const char *
task_result_name(enum task_result r)
{
	return task_results[r];
}

int
run_state_of(const char *name)
{
	return find(run_states, RUN_STATES, name);
}

int
run_result_of(const char *name)
{
	return find(run_results, RUN_RESULTS, name);
}

int
task_state_of(const char *name)
{
	return find(task_states, TASK_STATES, name);
}

int
task_result_of(const char *name)
{
	return find(task_results, TASK_RESULTS, name);
}
