#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine_fixture.h"
#include "scheduler/engine_int.h"

/*
 * A specification of the rules as their users read them, over the list of what became of the
 * upstreams, against the engine's counters.  Every combination of up to four upstreams.
 */
#define UP_MAX 4

/* What became of one upstream. */
struct end {
	enum task_result result;
	bool allowed; /* allow_failure */
};

static const struct end ends[] = {
    {RESULT_SUCCESS, false},	     {RESULT_SUCCESS, true},
    {RESULT_CACHED, false},	     {RESULT_SKIPPED, false},
    {RESULT_SKIPPED, true},	     {RESULT_FAILED, false},
    {RESULT_FAILED, true},	     {RESULT_LOST, false},
    {RESULT_UPSTREAM_FAILED, false}, {RESULT_UPSTREAM_FAILED, true},
    {RESULT_CANCELLED, false},
};
#define ENDS (sizeof(ends) / sizeof(ends[0]))

static bool
is_ok(struct end x)
{
	return x.result == RESULT_SUCCESS || x.result == RESULT_CACHED;
}

static bool
is_skipped(struct end x)
{
	return x.result == RESULT_SKIPPED;
}

/* It failed, or something before it did. */
static bool
is_bad(struct end x)
{
	return !is_ok(x) && !is_skipped(x);
}

static bool
is_broken(struct end x)
{
	return is_bad(x) && !x.allowed;
}

static bool
failed_itself(struct end x)
{
	return is_bad(x) && x.result != RESULT_UPSTREAM_FAILED;
}

static bool
any(const struct end *v, size_t n, bool (*is)(struct end))
{
	size_t i;

	for (i = 0; i < n; i++)
		if (is(v[i]))
			return true;
	return false;
}

static bool
all(const struct end *v, size_t n, bool (*is)(struct end))
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!is(v[i]))
			return false;
	return true;
}

#define RUN  TRIGGER_RUN
#define SKIP TRIGGER_SKIP
#define BAD  TRIGGER_UPSTREAM_FAILED

/* The verdict when all have ended. */
static enum trigger_verdict
final(enum trigger_rule rule, const struct end *v, size_t n)
{
	switch (rule) {
	case TRIGGER_ALL_SUCCESS:
		return any(v, n, is_broken) ? BAD : any(v, n, is_skipped) ? SKIP : RUN;
	case TRIGGER_ALL_FAILED:
		return all(v, n, is_bad) ? RUN : SKIP;
	case TRIGGER_ALL_DONE:
		return RUN;
	case TRIGGER_ALL_DONE_MIN_ONE_SUCCESS:
		return any(v, n, is_ok) ? RUN : all(v, n, is_skipped) ? SKIP : BAD;
	case TRIGGER_ALL_SKIPPED:
		return all(v, n, is_skipped) ? RUN : SKIP;
	case TRIGGER_ONE_FAILED:
		return any(v, n, is_bad) ? RUN : SKIP;
	case TRIGGER_ONE_SUCCESS:
		return any(v, n, is_ok) ? RUN : all(v, n, is_skipped) ? SKIP : BAD;
	case TRIGGER_ONE_DONE:
		return any(v, n, is_ok) || any(v, n, failed_itself) ? RUN : SKIP;
	case TRIGGER_NONE_FAILED:
		return any(v, n, is_broken) ? BAD : RUN;
	case TRIGGER_NONE_FAILED_MIN_ONE_SUCCESS:
		return any(v, n, is_broken) ? BAD : any(v, n, is_ok) ? RUN : SKIP;
	case TRIGGER_NONE_SKIPPED:
		return any(v, n, is_skipped) ? SKIP : RUN;
	case TRIGGER_ALWAYS:
	case TRIGGER_RULES:
		break;
	}
	return RUN;
}

/* Rules that need not wait for all. */
static bool
is_early(enum trigger_rule rule)
{
	return rule == TRIGGER_ONE_FAILED || rule == TRIGGER_ONE_SUCCESS ||
	       rule == TRIGGER_ONE_DONE || rule == TRIGGER_ALWAYS;
}

static enum trigger_verdict
verdict(enum trigger_rule rule, const struct end *v, size_t done, size_t n)
{
	struct inst t = {.up = (uint32_t)n};
	size_t i;

	for (i = 0; i < done; i++) {
		struct inst u = {.state = TASK_DONE, .result = (uint8_t)v[i].result};

		trigger_count(&t, &u, v[i].allowed);
	}
	return trigger_eval(rule, &t);
}

static void
wrong(enum trigger_rule rule, const struct end *v, size_t done, size_t n,
      enum trigger_verdict got)
{
	size_t i;

	print_error("%s of %zu upstreams, verdict %d after", trigger_rule_name(rule), n,
		    (int)got);
	for (i = 0; i < done; i++)
		print_error(" %s%s", task_result_name(v[i].result),
			    v[i].allowed ? "(allowed)" : "");
	print_error("\n");
	fail();
}

/* Could the rule still be satisfied, whatever has happened so far? */
static bool
can_run(enum trigger_rule rule, struct end *v, size_t done, size_t n)
{
	size_t i;

	if (done == n)
		return final(rule, v, n) == RUN;
	for (i = 0; i < ENDS; i++) {
		v[done] = ends[i];
		if (can_run(rule, v, done + 1, n))
			return true;
	}
	return false;
}

/* The first ${done} of ${n} have ended. */
static void
check_some(enum trigger_rule rule, const struct end *v, size_t done, size_t n)
{
	enum trigger_verdict got = verdict(rule, v, done, n);
	struct end copy[UP_MAX] = {{RESULT_NONE, false}};

	memcpy(copy, v, done * sizeof(*v));
	switch (got) {
	case TRIGGER_WAIT:
		/* It may wait to see more, but not past a rule that is satisfied. */
		if (is_early(rule) && final(rule, v, done) == RUN && done > 0)
			wrong(rule, v, done, n, got);
		if (rule == TRIGGER_ALWAYS)
			wrong(rule, v, done, n, got);
		break;
	case TRIGGER_RUN:
		if (!is_early(rule) || (rule != TRIGGER_ALWAYS &&
					(done == 0 || final(rule, v, done) != RUN)))
			wrong(rule, v, done, n, got);
		break;
	case TRIGGER_SKIP:
	case TRIGGER_UPSTREAM_FAILED:
		if (can_run(rule, copy, done, n))
			wrong(rule, v, done, n, got);
		break;
	}
}

static void
check_all(enum trigger_rule rule, struct end *v, size_t at, size_t n)
{
	size_t i;

	if (at == n) {
		enum trigger_verdict got = verdict(rule, v, n, n);

		if (got != final(rule, v, n))
			wrong(rule, v, n, n, got);
		return;
	}
	check_some(rule, v, at, n);
	for (i = 0; i < ENDS; i++) {
		v[at] = ends[i];
		check_all(rule, v, at + 1, n);
	}
}

static void
test_every_combination(void **state)
{
	struct end v[UP_MAX] = {{RESULT_NONE, false}};
	int rule;
	size_t n;

	(void)state;
	for (rule = 0; rule < TRIGGER_RULES; rule++)
		for (n = 1; n <= UP_MAX; n++)
			check_all((enum trigger_rule)rule, v, 0, n);
}

static void
test_no_upstreams(void **state)
{
	int rule;

	(void)state;
	for (rule = 0; rule < TRIGGER_RULES; rule++)
		assert_int_equal(verdict((enum trigger_rule)rule, NULL, 0, 0), RUN);
}

/* ---- the same through the engine ---- */

static const char text[] = "tasks:\n"
			   "  a: {run: x}\n"
			   "  b: {run: x, allow_failure: %s}\n"
			   "  c: {run: x, needs: [a, b], trigger: %s}\n";

/* End a or b as the table of the test wants it. */
static void
play_up(struct world *w, const char *name, enum task_result want)
{
	uint32_t id = w_task(w, name);

	w->decisions[id] = want == RESULT_SKIPPED ? DECIDE_SKIP : DECIDE_RUN;
	w->fails[id] = want == RESULT_FAILED ? 1 : 0;
}

/* The first verdict counts, also if what ends later would have made it another: those that are
 * skipped end at once. */
static enum trigger_verdict
first_verdict(enum trigger_rule rule, const struct end v[2])
{
	struct end by_time[2] = {v[0], v[1]};
	enum trigger_verdict got = TRIGGER_WAIT;
	size_t n;

	if (!is_skipped(v[0]) && is_skipped(v[1])) {
		by_time[0] = v[1];
		by_time[1] = v[0];
	}
	for (n = 0; got == TRIGGER_WAIT; n++)
		got = verdict(rule, by_time, n, 2);
	return got;
}

static void
test_in_the_engine(void **state)
{
	static const enum task_result kinds[] = {RESULT_SUCCESS, RESULT_FAILED,
						 RESULT_SKIPPED};
	static const char *const words[] = {[TRIGGER_RUN] = "success",
					    [TRIGGER_SKIP] = "skipped",
					    [TRIGGER_UPSTREAM_FAILED] =
						"upstream_failed"};
	char yaml[256];
	int rule, k;

	(void)state;
	for (rule = 0; rule < TRIGGER_RULES; rule++)
		for (k = 0; k < 18; k++) {
			bool allowed = k >= 9;
			struct end v[2] = {{kinds[k % 3], false},
					   {kinds[k / 3 % 3], allowed}};
			struct world w;

			(void)snprintf(yaml, sizeof(yaml), text,
				       allowed ? "true" : "false",
				       trigger_rule_name((enum trigger_rule)rule));
			w_open(&w, yaml, 2);
			play_up(&w, "a", v[0].result);
			play_up(&w, "b", v[1].result);
			w_add(&w);
			(void)w_play(&w);
			assert_string_equal(
			    w_state(&w, "c"),
			    words[first_verdict((enum trigger_rule)rule, v)]);
			w_close(&w);
		}
}

/* One that is not selected does not count as an upstream. */
static void
test_deselected_upstreams(void **state)
{
	struct world w;
	char yaml[256];

	(void)state;
	(void)snprintf(yaml, sizeof(yaml), text, "false", "all_success");
	w_open(&w, yaml, 2);
	w.rows[w_task(&w, "b")] = (struct engine_task_row){
	    .state = TASK_DONE, .result = RESULT_SKIPPED, .selected = false};
	w_add(&w);
	assert_string_equal(w_play(&w), "success");
	assert_string_equal(w_state(&w, "c"), "success");
	assert_string_equal(w_state(&w, "b"), "skipped");
	w_close(&w);
}

/* The words name an upstream that really stands in the way: `a` was skipped, `b` succeeded. */
static void
test_why_skipped(void **state)
{
	static const struct {
		const char *rule, *why;
		enum task_result a, b;
	} cases[] = {
	    {"all_success", "trigger all_success: `a` was skipped", RESULT_SKIPPED,
	     RESULT_SUCCESS},
	    {"all_failed", "trigger all_failed: `a` was skipped", RESULT_SKIPPED,
	     RESULT_SUCCESS},
	    {"all_failed", "trigger all_failed: `b` succeeded", RESULT_FAILED,
	     RESULT_SUCCESS},
	    {"all_skipped", "trigger all_skipped: `b` succeeded", RESULT_SKIPPED,
	     RESULT_SUCCESS},
	    {"all_skipped", "trigger all_skipped: `b` did not succeed", RESULT_SKIPPED,
	     RESULT_FAILED},
	    {"one_failed", "trigger one_failed: none of its upstreams failed",
	     RESULT_SKIPPED, RESULT_SUCCESS},
	    {"one_done", "trigger one_done: none of its upstreams ran", RESULT_SKIPPED,
	     RESULT_SKIPPED},
	    {"none_failed_min_one_success",
	     "trigger none_failed_min_one_success: none of its upstreams succeeded",
	     RESULT_SKIPPED, RESULT_SKIPPED},
	    {"none_skipped", "trigger none_skipped: `a` was skipped", RESULT_SKIPPED,
	     RESULT_SUCCESS},
	};
	char yaml[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w;

		(void)snprintf(yaml, sizeof(yaml), text, "false", cases[i].rule);
		w_open(&w, yaml, 2);
		play_up(&w, "a", cases[i].a);
		play_up(&w, "b", cases[i].b);
		w_add(&w);
		(void)w_play(&w);
		assert_string_equal(w_state(&w, "c"), "skipped");
		assert_string_equal(w_view(&w, "c").reason, cases[i].why);
		w_close(&w);
	}
}

/* A chain of skips is as long as the DAG; it must not be a recursion. */
static void
test_a_long_chain_of_skips(void **state)
{
	enum { N = 5000, LINE = 64 };
	char *yaml = malloc(N * LINE), *at = yaml;
	struct world w;
	int i;

	(void)state;
	assert_non_null(yaml);
	at += snprintf(at, LINE, "tasks:\n  t0: {run: x}\n");
	for (i = 1; i < N; i++)
		at += snprintf(at, LINE, "  t%d: {run: x, needs: [t%d]}\n", i, i - 1);
	w_open(&w, yaml, 2);
	w.decisions[0] = DECIDE_SKIP;
	w_add(&w);
	assert_string_equal(w_result(&w), "success");
	assert_string_equal(w_state(&w, "t4999"), "skipped");
	assert_string_equal(w_view(&w, "t4999").reason,
			    "trigger all_success: `t4998` was skipped");
	assert_int_equal(w_commit(&w), N + 1);
	assert_string_equal(w_next(&w), "run_end");
	w_close(&w);
	free(yaml);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_combination),
	    cmocka_unit_test(test_no_upstreams),
	    cmocka_unit_test(test_in_the_engine),
	    cmocka_unit_test(test_deselected_upstreams),
	    cmocka_unit_test(test_why_skipped),
	    cmocka_unit_test(test_a_long_chain_of_skips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
