/*
 * The writer of logs together with their reader.
 */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/logfile.h"
#include "tasks/shim/shim.h"
#include "unit/tasks/fixture.h"

static struct capture *
new_capture(const struct tmpdir *t, uint64_t limit, const struct mask *mask)
{
	struct capture *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	capture_init(c, t->fd, -1, limit, mask);
	return c;
}

/* The byte at ${i} of the test's stream. */
static char
byte_at(uint64_t i)
{
	return (char)(i * 2654435761u >> 7);
}

static void
feed(struct capture *c, uint64_t *at, size_t n)
{
	char *p = malloc(n + 1);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = byte_at(*at + i);
	*at += n;
	capture_feed(c, p, n);
	free(p);
}

/* Read everything from ${from}; check each byte; return the sum of the gaps. */
static uint64_t
read_all(const struct tmpdir *t, uint64_t from, size_t cap, uint64_t *end)
{
	char p[5000];
	struct log_chunk c;
	struct err err = {0};
	uint64_t gaps = 0;

	for (;;) {
		if (log_read(t->fd, from, p, cap, &c, &err) != 0)
			fail_msg("%s", err.msg);
		assert_true(c.offset == from + c.gap);
		gaps += c.gap;
		if (c.n == 0)
			break;
		for (size_t i = 0; i < c.n; i++)
			assert_int_equal(p[i], byte_at(c.offset + i));
		from = c.offset + c.n;
		assert_true(from <= c.end);
	}
	*end = from;
	return gaps;
}

static void
test_nothing(void **state)
{
	const struct tmpdir *t = *state;
	struct capture *c = new_capture(t, 4096, NULL);
	uint64_t end;

	capture_end(c, true);
	assert_int_equal(faccessat(t->fd, ATTEMPT_LOG, F_OK, 0), -1);
	assert_int_equal(read_all(t, 0, 100, &end), 0);
	assert_int_equal(end, 0);
	free(c);
}

/* Streams of every length around the borders of head and ring, in several pieces. */
static void
test_lengths(void **state)
{
	const struct tmpdir *t = *state;
	static const size_t pieces[] = {1, 7, 128, 129, 600, 5000};
	const uint64_t limit = 2048;

	for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++)
		for (uint64_t n = 1; n < 9000; n = n * 3 / 2 + 1) {
			for (uint64_t d = 0; d < 3; d++) {
				struct capture *c = new_capture(t, limit, NULL);
				uint64_t at = 0, total = n + d, end, gaps;
				struct stat st;

				while (at < total)
					feed(c, &at,
					     total - at < pieces[k] ? (size_t)(total - at)
								    : pieces[k]);
				capture_end(c, true);
				assert_int_equal(c->total, total);
				gaps = read_all(t, 0, 1 + (size_t)n % 977, &end);
				assert_int_equal(end, total);
				assert_int_equal(gaps, total > limit ? total - limit : 0);
				assert_int_equal(fstatat(t->fd, ATTEMPT_LOG, &st, 0), 0);
				assert_true(st.st_size <= (off_t)limit / 2);
				if (fstatat(t->fd, ATTEMPT_LOG_TAIL, &st, 0) == 0)
					assert_true(st.st_size <=
						    (off_t)limit / 2 + LOG_TAIL_HEADER);
				(void)unlinkat(t->fd, ATTEMPT_LOG, 0);
				(void)unlinkat(t->fd, ATTEMPT_LOG_TAIL, 0);
				free(c);
			}
		}
}

/* While it grows, a reader follows: what it has by and by is the stream without holes. */
static void
test_follow(void **state)
{
	const struct tmpdir *t = *state;
	struct capture *c = new_capture(t, 8192, NULL);
	uint64_t at = 0, from = 0, end, seed = 3;

	while (at < 100000) {
		feed(c, &at, next_random(&seed) % 900);
		assert_int_equal(read_all(t, from, 333, &end), 0);
		assert_int_equal(end, at);
		from = end;
	}
	capture_end(c, true);
	assert_int_equal(read_all(t, from, 333, &end), 0);
	/* Resumed at an offset that is gone: the gap is told, the rest is right. */
	assert_int_equal(read_all(t, 5000, 333, &end),
			 100000 > at ? 0 : at - 4096 - 5000);
	assert_int_equal(end, at);
	/* Beyond the end there is nothing, and that is no error. */
	assert_int_equal(read_all(t, at + 1000, 333, &end), 0);
	free(c);
}

/*
 * While it is written the oldest step of a full ring does not count, since it may be half
 * overwritten; once closed it does.
 */
static void
test_live_ring_is_cautious(void **state)
{
	const struct tmpdir *t = *state;
	struct capture *c = new_capture(t, 8192, NULL);
	uint64_t at = 0, end;

	feed(c, &at, 20000);
	assert_int_equal(read_all(t, 4096, 333, &end), 20000 - 4096 - 4096 + 1024);
	capture_end(c, true);
	assert_int_equal(read_all(t, 4096, 333, &end), 20000 - 4096 - 4096);
	free(c);
}

static void
test_secret_in_pieces(void **state)
{
	const struct tmpdir *t = *state;
	static const struct shim_secret s = {"sekret-sekret", 13};
	static const char text[] = "a sekret-sekret b sekret-sekre";
	size_t size;
	struct mask *m = mask_new(&s, 1, &size, NULL);
	struct capture *c;
	struct log_chunk chunk;
	char p[100];

	assert_non_null(m);
	c = new_capture(t, 4096, m);
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		capture_feed(c, text + i, 1);
	/* However long it waits, half a secret stays out of the log. */
	assert_int_equal(log_read(t->fd, 0, p, sizeof(p), &chunk, NULL), 0);
	assert_int_equal(chunk.n, 8);
	assert_memory_equal(p, "a *** b ", 8);
	capture_end(c, true);
	assert_int_equal(log_read(t->fd, 0, p, sizeof(p), &chunk, NULL), 0);
	assert_int_equal(chunk.n, 20);
	assert_memory_equal(p, "a *** b sekret-sekre", 20);
	assert_int_equal(c->total, 20);
	mask_free(m, size);
	free(c);
}

/* Storing fails in the head or in the ring: draining goes on, the log says why it ends. */
static void
test_no_room(void **state)
{
	const struct tmpdir *t = *state;
	static const rlim_t limits[] = {1000, 5000};
	struct rlimit old, rl;
	struct log_chunk chunk;
	static char p[20000];

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < 2; i++) {
		struct capture *c = new_capture(t, i == 0 ? 16384 : 16384 - 8192, NULL);
		uint64_t at = 0, from = 0;
		bool said = false;

		rl = old;
		rl.rlim_cur = i == 0 ? limits[0] : 3000; /* ring of 4096 in the second */
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
		for (int k = 0; k < 50; k++)
			feed(c, &at, 300);
		capture_end(c, true);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		assert_int_equal(c->total, 15000);
		assert_int_equal(c->failed, EFBIG);
		assert_int_equal(c->failed_at, i == 0 ? 1000 : 3000);
		for (;;) {
			assert_int_equal(
			    log_read(t->fd, from, p, sizeof(p) - 1, &chunk, NULL), 0);
			if (chunk.n == 0)
				break;
			p[chunk.n] = '\0';
			if (memmem(p, chunk.n, "[dag-shim: the log stops here: ", 31) !=
			    NULL)
				said = true;
			from = chunk.offset + chunk.n;
		}
		assert_true(said);
		(void)unlinkat(t->fd, ATTEMPT_LOG, 0);
		(void)unlinkat(t->fd, ATTEMPT_LOG_TAIL, 0);
		free(c);
	}
}

/* The ring's file has no room for more than a part: still a log that ends with the line. */
static void
test_no_room_in_ring(void **state)
{
	const struct tmpdir *t = *state;
	struct capture *c = new_capture(t, 4096, NULL);
	struct rlimit old, rl;
	struct log_chunk chunk;
	uint64_t at = 0;
	static char p[20000];

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	feed(c, &at, 2048);
	rl = old;
	rl.rlim_cur = 1500;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
	for (int k = 0; k < 20; k++)
		feed(c, &at, 400);
	capture_end(c, true);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(c->failed, EFBIG);
	assert_true(c->failed_at >= 2048 + 1024 && c->failed_at < 2048 + 1500);
	assert_int_equal(log_read(t->fd, 2048, p, sizeof(p), &chunk, NULL), 0);
	assert_true(chunk.n > 1000);
	assert_non_null(memmem(p, chunk.n, "is reached]\n", 12));
	free(c);
}

/* A damaged header is an error, not bytes from anywhere. */
static void
test_damaged_header(void **state)
{
	const struct tmpdir *t = *state;
	struct capture *c = new_capture(t, 4096, NULL);
	unsigned char raw[LOG_TAIL_HEADER];
	struct log_tail tail;
	uint64_t at = 0;
	int fd;

	feed(c, &at, 10000);
	capture_end(c, true);
	free(c);
	fd = openat(t->fd, ATTEMPT_LOG_TAIL, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, raw, sizeof(raw), 0), sizeof(raw));
	assert_int_equal(log_tail_decode(&tail, raw), 0);
	assert_int_equal(tail.head, 2048);
	assert_int_equal(tail.capacity, 2048);
	assert_int_equal(tail.written, 10000 - 2048);
	assert_true(tail.closed);
	for (size_t i = 0; i < 56; i++) {
		struct log_chunk chunk;
		struct err err = {0};
		char p[10];

		raw[i] ^= 0x10;
		assert_int_equal(log_tail_decode(&tail, raw), -1);
		assert_int_equal(pwrite(fd, raw, sizeof(raw), 0), sizeof(raw));
		assert_int_equal(log_read(t->fd, 3000, p, sizeof(p), &chunk, &err), -1);
		assert_int_equal(err.code, ERR_CORRUPT);
		raw[i] ^= 0x10;
	}
	(void)close(fd);
}

/* A real pipe: all of it where everybody has gone, else only what is there now. */
static void
test_pipe(void **state)
{
	const struct tmpdir *t = *state;
	struct capture *c = calloc(1, sizeof(*c));
	int p[2];

	assert_non_null(c);
	assert_int_equal(pipe2(p, O_NONBLOCK | O_CLOEXEC), 0);
	capture_init(c, t->fd, p[0], 4096, NULL);
	assert_int_equal(capture_read(c, CAPTURE_READ), 0);
	assert_int_equal(write(p[1], "hello", 5), 5);
	assert_int_equal(capture_read(c, CAPTURE_READ), 5);
	assert_int_equal(write(p[1], "world", 5), 5);
	capture_end(c, false);
	assert_int_equal(c->total, 10);
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(write(p[1], "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	(void)close(p[1]);
	free(c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_nothing),
	    TEST(test_lengths),
	    TEST(test_follow),
	    TEST(test_live_ring_is_cautious),
	    TEST(test_secret_in_pieces),
	    TEST(test_no_room),
	    TEST(test_no_room_in_ring),
	    TEST(test_damaged_header),
	    TEST(test_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
