#include "tasks/proto/record.h"

#include <errno.h>
#include <signal.h>

#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/kvline.h"
#include "unit/tasks/fixture.h"

static const struct exit_record sample = {
    .version = 1,
    .status = -1,
    .signal = SIGKILL,
    .core = true,
    .timed_out = true,
    .stop = EXIT_STOP_TERM,
    .killed = true,
    .start_us = 1795382066023563,
    .end_us = 1795382066025704,
    .dur_us = 2141,
    .user_us = 7,
    .sys_us = 1469,
    .maxrss_kib = 1572,
    .minflt = 76,
    .majflt = 1,
    .inblock = 144,
    .oublock = 3,
    .nvcsw = 10,
    .nivcsw = 2,
    .survivors = 4,
    .unkilled = 1,
    .log_bytes = 1 << 30,
    .log_stored = 12345,
    .log_failed = ENOSPC,
    .oom = EXIT_OOM_YES,
    .mem = EXIT_MEM_SAMPLED,
    .mem_limit = (int64_t)1 << 40,
    .mem_peak_kib = 77,
    .mem_over = true,
};

static void
check_same(const struct exit_record *a, const struct exit_record *b)
{
	char x[EXIT_RECORD_MAX], y[EXIT_RECORD_MAX];
	size_t n = exit_record_encode(a, x);

	assert_int_equal(exit_record_encode(b, y), n);
	assert_memory_equal(x, y, n);
}

static void
test_round_trip(void **state)
{
	struct exit_record r,
	    step = {.status = -1, .step = EXIT_STEP_CHDIR, .sys = ENOENT};
	char line[EXIT_RECORD_MAX];
	size_t n = exit_record_encode(&sample, line);

	(void)state;
	assert_true(n > 0);
	assert_int_equal(line[n - 1], '\n');
	assert_memory_equal(line, "v=1 ", 4);
	assert_int_equal(exit_record_decode(&r, line, n), RECORD_VALID);
	check_same(&r, &sample);
	assert_int_equal(r.signal, SIGKILL);
	assert_int_equal(r.oom, EXIT_OOM_YES);
	assert_int_equal(r.mem, EXIT_MEM_SAMPLED);
	assert_true(r.mem_over && r.mem_limit == (int64_t)1 << 40);
	assert_int_equal(r.log_bytes, 1 << 30);
	n = exit_record_encode(&step, line);
	assert_int_equal(exit_record_decode(&r, line, n), RECORD_VALID);
	assert_int_equal(r.step, EXIT_STEP_CHDIR);
	assert_int_equal(r.sys, ENOENT);
	assert_int_equal(r.status, -1);
}

static void
test_widest_fits(void **state)
{
	struct exit_record r, back;
	char line[EXIT_RECORD_MAX];
	size_t n;

	(void)state;
	memset(&r, 0, sizeof(r));
	r.status = r.signal = r.sys = r.log_failed = INT32_MIN;
	r.start_us = r.end_us = r.dur_us = r.user_us = r.sys_us = INT64_MIN;
	r.maxrss_kib = r.minflt = r.majflt = r.inblock = r.oublock = INT64_MIN;
	r.nvcsw = r.nivcsw = r.survivors = r.unkilled = INT64_MIN;
	r.log_bytes = r.log_stored = r.mem_limit = r.mem_peak_kib = INT64_MIN;
	r.mem = EXIT_MEM_SAMPLED;
	n = exit_record_encode(&r, line);
	assert_true(n > 0);
	assert_int_equal(exit_record_decode(&back, line, n), RECORD_VALID);
	check_same(&r, &back);
}

static void
test_every_cut_is_absent(void **state)
{
	struct exit_record r;
	char line[EXIT_RECORD_MAX + 1];
	size_t n = exit_record_encode(&sample, line);

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(exit_record_decode(&r, line, i), RECORD_ABSENT);
	for (size_t i = 1; i < n; i++)
		assert_int_equal(exit_record_decode(&r, line + i, n - i), RECORD_ABSENT);
	line[n] = '\n';
	assert_int_equal(exit_record_decode(&r, line, n + 1), RECORD_ABSENT);
	line[n] = '\0';
	assert_int_equal(exit_record_decode(&r, line, n + 1), RECORD_ABSENT);
}

static void
test_every_changed_byte_is_absent(void **state)
{
	struct exit_record r, zero;
	char line[EXIT_RECORD_MAX];
	size_t n = exit_record_encode(&sample, line);

	(void)state;
	memset(&zero, 0, sizeof(zero));
	for (size_t i = 0; i < n; i++) {
		char was = line[i];

		for (int c = 0; c < 256; c++) {
			if ((char)c == was)
				continue;
			line[i] = (char)c;
			assert_int_equal(exit_record_decode(&r, line, n), RECORD_ABSENT);
			assert_memory_equal(&r, &zero, sizeof(r));
		}
		line[i] = was;
	}
	assert_int_equal(exit_record_decode(&r, line, n), RECORD_VALID);
}

/* A sealed line of any text. */
static size_t
seal(const char *text, char *out)
{
	struct kvline k = {.p = out, .cap = EXIT_RECORD_MAX};

	memcpy(out, text, strlen(text));
	k.n = strlen(text);
	return kvline_end(&k);
}

static void
test_versions(void **state)
{
	static const struct {
		const char *text;
		enum record_state want;
	} cases[] = {
	    {"v=1 status=3 colour=green more=1 end_us=9", RECORD_VALID},
	    {"v=1", RECORD_VALID},
	    {"v=2 status=3", RECORD_NEWER},
	    {"v=9223372036854775807", RECORD_NEWER},
	    {"v=0 status=3", RECORD_ABSENT},
	    {"v=-1 status=3", RECORD_ABSENT},
	    {"v=x status=3", RECORD_ABSENT},
	    {"v= status=3", RECORD_ABSENT},
	    {"status=3 v=1", RECORD_ABSENT},
	    {"", RECORD_ABSENT},
	    {"v=1 status=3x", RECORD_ABSENT},
	    {"v=1 status=", RECORD_ABSENT},
	    {"v=1 status=99999999999", RECORD_ABSENT},
	    {"v=1 start_us=9223372036854775808", RECORD_ABSENT},
	    {"v=1 core=2", RECORD_ABSENT},
	    {"v=1 nonsense", RECORD_ABSENT},
	    {"v=1 =3", RECORD_ABSENT},
	    {"v=1  status=3", RECORD_ABSENT},
	    {"v=1 status=3 ", RECORD_ABSENT},
	};
	char line[EXIT_RECORD_MAX];
	struct exit_record r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = seal(cases[i].text, line);

		if (exit_record_decode(&r, line, n) != cases[i].want)
			fail_msg("'%s' is not read as %d", cases[i].text, cases[i].want);
	}
	/* An older record lacks keys: zeros, but no status is not a success. */
	assert_int_equal(exit_record_decode(&r, line, seal("v=1 dur_us=5", line)),
			 RECORD_VALID);
	assert_int_equal(r.status, -1);
	assert_int_equal(r.dur_us, 5);
	/* Words of a newer shim. */
	assert_int_equal(
	    exit_record_decode(&r, line,
			       seal("v=1 step=teleport stop=nicely oom=maybe", line)),
	    RECORD_VALID);
	assert_int_equal(r.step, EXIT_STEP_SETUP);
	assert_int_equal(r.stop, EXIT_STOP_TERM);
	assert_int_equal(r.oom, EXIT_OOM_UNKNOWN);
}

static void
test_read(void **state)
{
	const struct tmpdir *t = *state;
	static char big[1 << 20];
	char line[EXIT_RECORD_MAX];
	struct exit_record r;
	struct err err = {0};
	size_t n;

	assert_int_equal(exit_record_read(t->fd, &r, &err), 0);
	put_file(t, ATTEMPT_EXIT, "", 0);
	assert_int_equal(exit_record_read(t->fd, &r, &err), 0);
	n = exit_record_encode(&sample, line);
	put_file(t, ATTEMPT_EXIT, line, n);
	assert_int_equal(exit_record_read(t->fd, &r, &err), 1);
	check_same(&r, &sample);
	memset(big, '\n', sizeof(big));
	memcpy(big, line, n);
	put_file(t, ATTEMPT_EXIT, big, sizeof(big));
	assert_int_equal(exit_record_read(t->fd, &r, &err), 0);
	put_file(t, ATTEMPT_EXIT, line, seal("v=7", line));
	assert_int_equal(exit_record_read(t->fd, &r, &err), -1);
	assert_int_equal(err.code, ERR_NEWER);
}

/* A link in place of the record must not be followed out of the directory. */
static void
test_read_follows_no_link(void **state)
{
	const struct tmpdir *t = *state;
	char line[EXIT_RECORD_MAX];
	struct exit_record r;
	struct err err = {0};

	put_file(t, "elsewhere", line, exit_record_encode(&sample, line));
	assert_int_equal(symlinkat("elsewhere", t->fd, ATTEMPT_EXIT), 0);
	assert_int_equal(exit_record_read(t->fd, &r, &err), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_widest_fits),
	    cmocka_unit_test(test_every_cut_is_absent),
	    cmocka_unit_test(test_every_changed_byte_is_absent),
	    cmocka_unit_test(test_versions),
	    cmocka_unit_test_setup_teardown(test_read, tmpdir_setup, tmpdir_teardown),
	    cmocka_unit_test_setup_teardown(test_read_follows_no_link, tmpdir_setup,
					    tmpdir_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
