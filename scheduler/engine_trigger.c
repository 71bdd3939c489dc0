/*
 * Airflow's trigger rules over the counters of a task's upstreams.  A verdict is given, and
 * stays, as soon as the task surely runs or surely does not: with all_success it is
 * upstream_failed at the first failure and skipped at the first skip, whatever ends later,
 * while one_success waits for all before it gives up.
 *
 * A failure that its task allows (`allow_failure`) does not break what follows: it satisfies
 * all_success and the none_failed rules.  It still is a failure for the rules that ask for
 * one (one_failed, all_failed), and it is no success for those that ask for that.
 */
#include "scheduler/engine_int.h"

/**
 * trigger_count(down, up, allowed):
 * Count the ended upstream ${up} in its downstream ${down}; ${allowed} is its allow_failure.
 */
void
trigger_count(struct inst *down, const struct inst *up, bool allowed)
{
	down->up_done++;
	if (MUTANT(RULE_CACHED) && up->result == RESULT_CACHED)
		return;
	switch ((enum task_result)up->result) {
	case RESULT_SUCCESS:
	case RESULT_CACHED:
		down->up_success++;
		break;
	case RESULT_SKIPPED:
		down->up_skipped++;
		break;
	case RESULT_UPSTREAM_FAILED:
		down->up_upstream++;
		down->up_allowed += allowed;
		break;
	case RESULT_FAILED:
	case RESULT_LOST:
	case RESULT_CANCELLED:
	case RESULT_VOID:
	case RESULT_NONE:
	case TASK_RESULTS:
		down->up_failed++;
		down->up_allowed += allowed;
		break;
	}
}

static enum trigger_verdict
when(bool satisfied, enum trigger_verdict otherwise)
{
	return satisfied ? TRIGGER_RUN : otherwise;
}

/**
 * trigger_eval(rule, t):
 * What ${rule} says of a task whose upstreams stand as the counters of ${t} tell.
 */
enum trigger_verdict
trigger_eval(enum trigger_rule rule, const struct inst *t)
{
	uint32_t bad = t->up_failed + t->up_upstream;
	uint32_t broken = bad - (MUTANT(ALLOWED_BREAKS) ? 0 : t->up_allowed);
	bool all = t->up_done == t->up;

	if (t->up == 0)
		return TRIGGER_RUN;
	switch (rule) {
	case TRIGGER_ALL_SUCCESS:
		if (broken > 0)
			return TRIGGER_UPSTREAM_FAILED;
		if (t->up_skipped > 0)
			return TRIGGER_SKIP;
		return when(all || (MUTANT(RULE_ALL_SUCCESS) && t->up_success > 1),
			    TRIGGER_WAIT);
	case TRIGGER_ALL_FAILED:
		if (MUTANT(RULE_ALL_FAILED) && bad > 0)
			return TRIGGER_RUN;
		if (t->up_success + t->up_skipped > 0)
			return TRIGGER_SKIP;
		return when(all, TRIGGER_WAIT);
	case TRIGGER_ALL_DONE:
		if (MUTANT(RULE_ALL_DONE) && broken > 0)
			return TRIGGER_UPSTREAM_FAILED;
		return when(all, TRIGGER_WAIT);
	case TRIGGER_ALL_DONE_MIN_ONE_SUCCESS:
		if (!all)
			return TRIGGER_WAIT;
		if (t->up_skipped == t->up)
			return TRIGGER_SKIP;
		return when(t->up_success > 0, TRIGGER_UPSTREAM_FAILED);
	case TRIGGER_ALL_SKIPPED:
		if (t->up_success + bad > 0)
			return TRIGGER_SKIP;
		return when(all, TRIGGER_WAIT);
	case TRIGGER_ONE_FAILED:
		if (bad > 0)
			return TRIGGER_RUN;
		return all ? TRIGGER_SKIP : TRIGGER_WAIT;
	case TRIGGER_ONE_SUCCESS:
		if (t->up_success > 0)
			return TRIGGER_RUN;
		if (!all)
			return TRIGGER_WAIT;
		return t->up_skipped == t->up ? TRIGGER_SKIP : TRIGGER_UPSTREAM_FAILED;
	case TRIGGER_ONE_DONE:
		if (t->up_success + t->up_failed > 0 ||
		    (MUTANT(RULE_ONE_DONE) && bad > 0))
			return TRIGGER_RUN;
		return all ? TRIGGER_SKIP : TRIGGER_WAIT;
	case TRIGGER_NONE_FAILED:
		if (broken > 0)
			return TRIGGER_UPSTREAM_FAILED;
		return when(all, TRIGGER_WAIT);
	case TRIGGER_NONE_FAILED_MIN_ONE_SUCCESS:
		if (broken > 0)
			return TRIGGER_UPSTREAM_FAILED;
		if (!all)
			return TRIGGER_WAIT;
		return when(t->up_success > 0 || MUTANT(RULE_MIN_ONE), TRIGGER_SKIP);
	case TRIGGER_NONE_SKIPPED:
		if (t->up_skipped > 0 && !MUTANT(RULE_NONE_SKIPPED))
			return TRIGGER_SKIP;
		return when(all, TRIGGER_WAIT);
	case TRIGGER_ALWAYS:
	case TRIGGER_RULES:
		return TRIGGER_RUN;
	}
	return TRIGGER_RUN;
}
