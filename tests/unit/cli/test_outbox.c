/* Output that nobody reads: it is never waited for, kept to a limit, and comes in order. */
#include "cli/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "scheduler/session.h"
#include "unit/cli/fixture.h"

static int ends[2];

static int
start(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	return pipe2(ends, O_CLOEXEC);
}

static int
stop(void **state)
{
	(void)state;
	(void)close(ends[0]);
	(void)close(ends[1]);
	return 0;
}

static struct outbox *
new_outbox(size_t max)
{
	struct err err = {0};
	struct outbox *o = outbox_new(ends[1], max, &err);

	assert_non_null(o);
	return o;
}

/* Read n bytes, which must be there or come. */
static void
read_whole(char *p, size_t n)
{
	ssize_t got;

	for (; n > 0; p += got, n -= (size_t)got) {
		got = read(ends[0], p, n);
		assert_true(got > 0);
	}
}

static void
test_order_and_limit(void **state)
{
	static char text[1000], back[1000];
	struct outbox *o = new_outbox(1 << 20);
	unsigned put = 0, i;

	(void)state;
	for (;; put++) {
		memset(text, 0, sizeof(text));
		(void)snprintf(text, sizeof(text), "line %u", put);
		if (outbox_put(o, text, sizeof(text)) != 0)
			break;
	}
	assert_int_equal(errno, ENOBUFS);
	/* What the pipe holds has left, or is on its way. */
	assert_true(put >= (1 << 20) / sizeof(text));
	assert_true(outbox_pending(o) > (1 << 20) - (1 << 17));
	assert_int_equal(outbox_drain(o, 50), -1);
	assert_int_equal(errno, ETIMEDOUT);
	for (i = 0; i < put; i++) {
		memset(text, 0, sizeof(text));
		(void)snprintf(text, sizeof(text), "line %u", i);
		read_whole(back, sizeof(back));
		assert_memory_equal(back, text, sizeof(text));
	}
	/* There is room again. */
	assert_int_equal(outbox_put(o, "end", 3), 0);
	assert_int_equal(outbox_drain(o, 5000), 0);
	assert_int_equal(outbox_pending(o), 0);
	read_whole(back, 3);
	assert_memory_equal(back, "end", 3);
	outbox_free(o);
}

static void
test_one_past_the_limit(void **state)
{
	static char text[4097];
	struct outbox *o = new_outbox(4096);

	(void)state;
	assert_int_equal(outbox_put(o, text, 4097), -1);
	assert_int_equal(errno, ENOBUFS);
	assert_int_equal(outbox_put(o, text, 4096), 0);
	assert_int_equal(outbox_drain(o, 5000), 0);
	outbox_free(o);
}

static void
test_reader_goes(void **state)
{
	struct outbox *o = new_outbox(1 << 20);

	(void)state;
	(void)close(ends[0]);
	ends[0] = -1;
	assert_int_equal(outbox_put(o, "x", 1), 0);
	assert_int_equal(outbox_drain(o, -1), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(outbox_put(o, "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	outbox_free(o);
}

/* What was put in is written before the outbox goes. */
static void
test_free_writes(void **state)
{
	struct outbox *o = new_outbox(1 << 20);
	char back[5];

	(void)state;
	assert_int_equal(outbox_put(o, "hello", 5), 0);
	outbox_free(o);
	read_whole(back, 5);
	assert_memory_equal(back, "hello", 5);
}

/* Given up: freeing does not wait for a reader that never comes. */
static void
test_given_up(void **state)
{
	struct outbox *o = new_outbox(1 << 20);
	static char text[1 << 18];

	(void)state;
	assert_int_equal(outbox_put(o, text, sizeof(text)), 0);
	assert_int_equal(outbox_drain(o, 20), -1);
	outbox_free(o);
	/* Its thread ends when it can. */
	(void)close(ends[0]);
	ends[0] = -1;
	(void)poll(NULL, 0, 50);
	/* The other end is the thread's as long as it lives, which nobody knows. */
	ends[1] = -1;
}

/* JSON lines beyond what is kept are counted, and the stream says so. */
static void
test_gap(void **state)
{
	static char text[60001], chunk[1 << 16];
	const struct session_observer *seen;
	struct progress *p;
	struct cli c = {0};
	struct err err = {0};
	unsigned i, told, lines = 0;
	struct pollfd pfd;
	struct buf got;
	char *gap;
	ssize_t n;

	(void)state;
	buf_init(&c.out, 0);
	buf_init(&got, (size_t)1 << 30);
	memset(text, 'x', sizeof(text) - 1);
	p = progress_new(&c, PROGRESS_JSON, ends[1], &err);
	assert_non_null(p);
	seen = progress_observer(p);
	for (i = 0; i < 1200; i++) /* 72 MB */
		seen->notice(seen->ctx, NOTICE_INFO, text);
	pfd = (struct pollfd){.fd = ends[0], .events = POLLIN};
	while (poll(&pfd, 1, 300) > 0) {
		n = read(ends[0], chunk, sizeof(chunk));
		assert_true(n > 0);
		buf_add(&got, chunk, (size_t)n);
	}
	seen->notice(seen->ctx, NOTICE_INFO, "last");
	while (poll(&pfd, 1, 300) > 0) {
		n = read(ends[0], chunk, sizeof(chunk));
		assert_true(n > 0);
		buf_add(&got, chunk, (size_t)n);
	}
	for (i = 0; i < got.n; i++)
		lines += got.p[i] == '\n';
	gap = strstr(got.p, "\"event\":\"gap\"");
	assert_non_null(gap);
	assert_null(strstr(gap + 1, "\"event\":\"gap\""));
	assert_int_equal(sscanf(strstr(gap, "\"lost\":"), "\"lost\":%u}", &told), 1);
	assert_true(told > 0);
	/* The lines that came, but for the gap itself and the last; and those that are lost. */
	assert_int_equal(lines - 2 + told, 1200);
	assert_non_null(strstr(gap, "\"message\":\"last\""));
	buf_release(&got);
	progress_end(p);
	progress_free(p);
	buf_release(&c.out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_order_and_limit, start, stop),
	    cmocka_unit_test_setup_teardown(test_one_past_the_limit, start, stop),
	    cmocka_unit_test_setup_teardown(test_reader_goes, start, stop),
	    cmocka_unit_test_setup_teardown(test_free_writes, start, stop),
	    cmocka_unit_test_setup_teardown(test_given_up, start, stop),
	    cmocka_unit_test_setup_teardown(test_gap, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
