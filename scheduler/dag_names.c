/*
 * The words of DAG files for the enums of the model.
 */
#include "scheduler/dag.h"

const char *
trigger_rule_name(enum trigger_rule rule)
{
	static const char *const names[TRIGGER_RULES] = {
	    [TRIGGER_ALL_SUCCESS] = "all_success",
	    [TRIGGER_ALL_FAILED] = "all_failed",
	    [TRIGGER_ALL_DONE] = "all_done",
	    [TRIGGER_ALL_DONE_MIN_ONE_SUCCESS] = "all_done_min_one_success",
	    [TRIGGER_ALL_SKIPPED] = "all_skipped",
	    [TRIGGER_ONE_FAILED] = "one_failed",
	    [TRIGGER_ONE_SUCCESS] = "one_success",
	    [TRIGGER_ONE_DONE] = "one_done",
	    [TRIGGER_NONE_FAILED] = "none_failed",
	    [TRIGGER_NONE_FAILED_MIN_ONE_SUCCESS] = "none_failed_min_one_success",
	    [TRIGGER_NONE_SKIPPED] = "none_skipped",
	    [TRIGGER_ALWAYS] = "always"};

	return names[rule];
}

const char *
fail_cause_name(enum fail_cause cause)
{
	static const char *const names[CAUSE_MAX] = {
	    [CAUSE_NONE] = "none",	 [CAUSE_EXIT] = "exit", [CAUSE_SIGNAL] = "signal",
	    [CAUSE_TIMEOUT] = "timeout", [CAUSE_LOST] = "lost", [CAUSE_OUTPUT] = "output",
	    [CAUSE_SETUP] = "setup",	 [CAUSE_OOM] = "oom"};

	return names[cause];
}

const char *
param_type_name(enum param_type type)
{
	static const char *const names[] = {[PARAM_STRING] = "string",
					    [PARAM_INTEGER] = "integer",
					    [PARAM_NUMBER] = "number",
					    [PARAM_BOOLEAN] = "boolean",
					    [PARAM_ARRAY] = "array"};

	return names[type];
}
