#include "tasks/proto/shim_info.h"

#include "base/proc.h"
#include "tasks/proto/attempt_dir.h"
#include "unit/tasks/fixture.h"

static struct shim_info
sample(void)
{
	struct shim_info i = {.protocol = 1,
			      .pid = 4711,
			      .start = UINT64_MAX,
			      .pidns = 4026531836,
			      .session = 4711,
			      .boot = "c0a44bff-1bcd-4a8b-bc97-b043c54709a5",
			      .attempt_id = "0192-abc"};

	return i;
}

static void
test_round_trip(void **state)
{
	struct shim_info i = sample(), back;
	struct proc_id id;
	char line[SHIM_INFO_MAX];

	(void)state;
	assert_int_equal(shim_info_decode(&back, line, shim_info_encode(&i, line)), 0);
	assert_memory_equal(&i, &back, sizeof(i));
	shim_info_id(&back, &id);
	assert_int_equal(id.pid, 4711);
	assert_true(id.start == UINT64_MAX && id.pidns == 4026531836);
	assert_string_equal(id.boot, i.boot);
	/* The longest id fits the line. */
	memset(i.attempt_id, 'x', SHIM_ID_MAX);
	i.pidns = UINT64_MAX;
	i.pid = i.session = i.protocol = INT32_MAX;
	assert_int_equal(shim_info_decode(&back, line, shim_info_encode(&i, line)), 0);
	assert_memory_equal(&i, &back, sizeof(i));
}

static void
test_damage(void **state)
{
	struct shim_info i = sample(), back;
	char line[SHIM_INFO_MAX];
	size_t n = shim_info_encode(&i, line);

	(void)state;
	for (size_t at = 0; at < n; at++) {
		assert_int_equal(shim_info_decode(&back, line, at), -1);
		line[at] = (char)(line[at] ^ 1);
		assert_int_equal(shim_info_decode(&back, line, n), -1);
		line[at] = (char)(line[at] ^ 1);
	}
}

/* Signals to pid 0, 1 or -1 would reach everybody. */
static void
test_dangerous_pids(void **state)
{
	static const pid_t bad[] = {0, 1, -1, -4711};
	struct shim_info back;
	char line[SHIM_INFO_MAX];

	(void)state;
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		struct shim_info i = sample();

		i.pid = bad[k];
		assert_int_equal(
		    shim_info_decode(&back, line, shim_info_encode(&i, line)), -1);
		i = sample();
		i.session = bad[k];
		assert_int_equal(
		    shim_info_decode(&back, line, shim_info_encode(&i, line)), -1);
	}
}

static void
test_read(void **state)
{
	const struct tmpdir *t = *state;
	struct shim_info i = sample(), back;
	char line[SHIM_INFO_MAX];
	size_t n = shim_info_encode(&i, line);
	struct err err = {0};

	assert_int_equal(shim_info_read(t->fd, &back, &err), 0);
	put_file(t, ATTEMPT_SHIM, line, n - 1);
	assert_int_equal(shim_info_read(t->fd, &back, &err), 0);
	put_file(t, ATTEMPT_SHIM, line, n);
	assert_int_equal(shim_info_read(t->fd, &back, &err), 1);
	assert_int_equal(back.pid, 4711);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_damage),
	    cmocka_unit_test(test_dangerous_pids),
	    cmocka_unit_test_setup_teardown(test_read, tmpdir_setup, tmpdir_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
