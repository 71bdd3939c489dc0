#include "base/log.h"

#include <errno.h>

#include "base/clock.h"
#include "unit/base/fixture.h"

static struct now
at_noon(void *ctx)
{
	(void)ctx;
	return (struct now){.wall_us = (int64_t)43200 * 1000000 + 123456};
}

/* What stderr gets between capture_start and capture_end. */
static int saved_stderr, reader;

static void
capture_start(void)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	(void)close(ends[1]);
	reader = ends[0];
}

static size_t
capture_end(char *out, size_t size)
{
	ssize_t got;
	size_t n = 0;

	assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
	(void)close(saved_stderr);
	while ((got = read(reader, out + n, size - 1 - n)) > 0)
		n += (size_t)got;
	(void)close(reader);
	out[n] = '\0';
	return n;
}

static void
test_levels(void **state)
{
	char out[1024];

	(void)state;
	clock_set_fake(at_noon, NULL);
	capture_start();
	log_at(LOG_ERROR, "e %d", 1);
	log_warn("two\nlines");
	log_at(LOG_INFO, "unseen");
	log_debug("unseen");
	log_set_level(LOG_DEBUG);
	log_at(LOG_INFO, "i");
	errno = EXDEV;
	log_debug("d");
	assert_int_equal(errno, EXDEV);
	log_at(LOG_TRACE, "unseen");
	log_set_level(LOG_WARN);
	(void)capture_end(out, sizeof(out));
	assert_string_equal(out, "dag: error: e 1\n"
				 "dag: warning: two lines\n"
				 "dag: info: i\n"
				 "dag: debug 12:00:00.123456 d\n");
	clock_set_fake(NULL, NULL);
}

static void
test_environment(void **state)
{
	char out[256];

	(void)state;
	capture_start();
	(void)setenv("DAG_LOG", "debug", 1);
	log_init_from_env();
	log_debug("seen");
	(void)setenv("DAG_LOG", "nonsense", 1);
	log_init_from_env();
	log_debug("still seen");
	(void)setenv("DAG_LOG", "warn", 1);
	log_init_from_env();
	log_debug("unseen");
	(void)setenv("DAG_LOG", "error", 1);
	log_init_from_env();
	log_warn("unseen");
	(void)unsetenv("DAG_LOG");
	log_init_from_env();
	log_set_level(LOG_WARN);
	(void)capture_end(out, sizeof(out));
	assert_non_null(strstr(out, " seen\n"));
	assert_non_null(strstr(out, " still seen\n"));
	assert_null(strstr(out, "unseen"));
}

static void
test_long_line(void **state)
{
	static char text[8000], out[8000];
	size_t n;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	capture_start();
	log_warn("%s", text);
	log_warn("next");
	n = capture_end(out, sizeof(out));
	assert_int_equal(n, 4096 + strlen("dag: warning: next\n"));
	assert_int_equal(out[4095], '\n');
	assert_string_equal(out + 4096, "dag: warning: next\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_levels),
	    cmocka_unit_test(test_environment),
	    cmocka_unit_test(test_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
