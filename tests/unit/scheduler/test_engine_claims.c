#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine_fixture.h"

/* Claims on the machine's memory decide what may start; more than one's own is a failure. */

#define GIB ((int64_t)1 << 30)

/* Begin with a machine of 4 GiB and four slots. */
static void
begin(struct world *w, const char *text)
{
	w_open(w, text, 4);
	w->memory = 4 * GIB;
	w_engine(w, 4, 1);
	w_add(w);
	(void)w_commit(w);
}

static void
ends_well(struct world *w, const char *name)
{
	w_exited(w, name, 0);
	while (*w_next(w) != '\0')
		;
	w_outputs(w, name, true);
	(void)w_commit(w);
}

static void
test_what_fits_starts(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "tasks:\n"
		  "  a: {run: x, resources: {memory: 1GiB}}\n"
		  "  b: {run: x, resources: {memory: 3GiB}}\n"
		  "  c: {run: x, resources: {memory: 1MiB}}\n");
	assert_string_equal(w_next(&w), "start a 1");
	assert_string_equal(w_next(&w), "start b 1"); /* exactly full */
	assert_string_equal(w_next(&w), "");
	assert_string_equal(w_state(&w, "c"), "ready");
	w_started(&w, "a");
	w_started(&w, "b");
	ends_well(&w, "a");
	assert_string_equal(w_next(&w), "start c 1");
	w_close(&w);
}

/* A big one is not passed by small ones that come behind it; those without a claim go on. */
static void
test_order_is_kept(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "tasks:\n"
		  "  a: {run: x, resources: {memory: 2GiB}}\n"
		  "  big: {run: x, resources: {memory: 3GiB}}\n"
		  "  small: {run: x, resources: {memory: 1GiB}}\n"
		  "  none: {run: x}\n");
	assert_string_equal(w_next(&w), "start a 1");
	assert_string_equal(w_next(&w), "start none 1");
	assert_string_equal(w_next(&w), "");
	w_started(&w, "a");
	w_started(&w, "none");
	ends_well(&w, "a");
	assert_string_equal(w_next(&w), "start big 1");
	assert_string_equal(w_next(&w), "start small 1");
	w_close(&w);
}

/* The order of all is by priority, claims or not. */
static void
test_priorities(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "tasks:\n"
		  "  a: {run: x}\n"
		  "  b: {run: x, priority: 1, resources: {memory: 1GiB}}\n"
		  "  c: {run: x, priority: 2}\n"
		  "  d: {run: x, priority: 3, resources: {memory: 1GiB}}\n");
	assert_string_equal(w_next(&w), "start d 1");
	assert_string_equal(w_next(&w), "start c 1");
	assert_string_equal(w_next(&w), "start b 1");
	assert_string_equal(w_next(&w), "start a 1");
	w_close(&w);
}

/* More than there is: alone among those with a claim, but not never. */
static void
test_above_the_machine(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "tasks:\n"
		  "  huge: {run: x, priority: 1, resources: {memory: 64GiB}}\n"
		  "  b: {run: x, resources: {memory: 1MiB}}\n"
		  "  c: {run: x}\n");
	assert_string_equal(w_next(&w), "start huge 1");
	assert_string_equal(w_next(&w), "start c 1");
	assert_string_equal(w_next(&w), "");
	w_started(&w, "huge");
	w_started(&w, "c");
	ends_well(&w, "huge");
	assert_string_equal(w_next(&w), "start b 1");
	w_close(&w);
}

/* It has failed however it ended, for a cause of its own that can be retried or not. */
static void
test_over(void **state)
{
	struct engine_exit over = {.status = 0, .mem_over = true, .oom = "yes"},
			   killed = {.status = 137, .oom = "yes"},
			   plain = {.status = -1, .signal = 9, .oom = "no"};
	struct world w;

	(void)state;
	begin(&w, "tasks:\n"
		  "  a: {run: x, retries: 1, retry_on: [signal, exit]}\n"
		  "  b: {run: x, retries: 1, retry_on: [oom]}\n"
		  "  c: {run: x, retries: 1, retry_on: [oom]}\n");
	while (*w_next(&w) != '\0')
		;
	w_started(&w, "a");
	w_started(&w, "b");
	w_started(&w, "c");
	w_exits(&w, "a", &over);
	assert_string_equal(w_state(&w, "a"), "failed");
	assert_int_equal(w_view(&w, "a").cause, CAUSE_OOM);
	w_exits(&w, "b", &killed);
	assert_string_equal(w_state(&w, "b"), "up_for_retry");
	assert_string_equal(w_view(&w, "b").reason, "exit status 137, out of memory");
	w_exits(&w, "c", &plain);
	assert_string_equal(w_state(&w, "c"), "failed");
	assert_int_equal(w_view(&w, "c").cause, CAUSE_SIGNAL);
	w_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_fits_starts),
	    cmocka_unit_test(test_order_is_kept),
	    cmocka_unit_test(test_priorities),
	    cmocka_unit_test(test_above_the_machine),
	    cmocka_unit_test(test_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
