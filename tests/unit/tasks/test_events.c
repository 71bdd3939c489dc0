#include "tasks/proto/events.h"

#include "base/buf.h"
#include "tasks/proto/attempt_dir.h"
#include "unit/tasks/fixture.h"

/* What came, as text. */
struct seen {
	struct buf text;
	int n;
};

static void
note(void *ctx, const struct event *e)
{
	struct seen *s = ctx;

	s->n++;
	switch (e->type) {
	case EVENT_PROGRESS:
		buf_addf(&s->text, "progress %g/%g %s %s;", e->done, e->total,
			 e->unit != NULL ? e->unit : "-",
			 e->message != NULL ? e->message : "-");
		break;
	case EVENT_METRIC:
		buf_addf(&s->text, "metric %s=%g@%lld;", e->name, e->value,
			 e->step == INT64_MIN ? -1LL : (long long)e->step);
		break;
	case EVENT_ARTIFACT:
		buf_addf(&s->text, "artifact %s;", e->path);
		break;
	case EVENT_CHECK:
		buf_addf(&s->text, "check %s %s;", e->name, e->status);
		break;
	case EVENT_SPAN:
		buf_addf(&s->text, "span %s %lld-%lld;", e->name, (long long)e->start_us,
			 (long long)e->end_us);
		break;
	default:
		fail();
	}
}

static const char good[] =
    "{\"event\":\"progress\",\"done\":3,\"total\":9}\n"
    "{\"event\":\"progress\",\"done\":0.5,\"total\":null,\"unit\":\"rows\",\"message\":"
    "\"m\"}\n"
    "\n  \r\n"
    "{\"event\":\"metric\",\"name\":\"val_auc\",\"value\":0.96,\"step\":1}\r\n"
    "{\"event\":\"metric\",\"name\":\"loss\",\"value\":2}\n"
    "{\"event\":\"artifact\",\"path\":\"model.onnx\"}\n"
    "{\"event\":\"check\",\"name\":\"c\",\"status\":\"fail\",\"rows\":[1,2]}\n"
    "{\"event\":\"span\",\"name\":\"load\",\"start_us\":1,\"end_us\":2}";
static const char good_text[] =
    "progress 3/9 - -;progress 0.5/-1 rows m;metric val_auc=0.96@1;metric loss=2@-1;"
    "artifact model.onnx;check c fail;span load 1-2;";

static void
feed(struct events *e, struct seen *s, const char *p, size_t n, size_t piece)
{
	struct err err = {0};

	while (n > 0) {
		size_t k = n < piece ? n : piece;

		assert_int_equal(events_feed(e, p, k, note, s, &err), 0);
		p += k;
		n -= k;
	}
	assert_int_equal(events_finish(e, note, s, &err), 0);
}

static void
test_every_cut(void **state)
{
	(void)state;
	for (size_t piece = 1; piece <= sizeof(good); piece++) {
		struct events e = {0};
		struct seen s = {0};

		buf_init(&s.text, 0);
		feed(&e, &s, good, sizeof(good) - 1, piece);
		assert_string_equal(s.text.p, good_text);
		assert_int_equal(e.count, 7);
		assert_int_equal(e.malformed, 0);
		assert_int_equal(e.unknown, 0);
		assert_int_equal(e.offset, sizeof(good) - 1);
		events_release(&e);
		buf_release(&s.text);
	}
}

static void
test_malformed_are_counted(void **state)
{
	static const char *const bad[] = {
	    "x",
	    "[]",
	    "3",
	    "{}",
	    "{\"event\":3}",
	    "{\"event\":\"\"}",
	    "{\"event\":\"progress\"}",
	    "{\"event\":\"progress\",\"done\":\"3\"}",
	    "{\"event\":\"progress\",\"done\":-1}",
	    "{\"event\":\"progress\",\"done\":1,\"total\":\"x\"}",
	    "{\"event\":\"progress\",\"done\":1,\"unit\":3}",
	    "{\"event\":\"metric\",\"name\":\"\",\"value\":1}",
	    "{\"event\":\"metric\",\"name\":\"a\"}",
	    "{\"event\":\"metric\",\"name\":\"a\",\"value\":NaN}",
	    "{\"event\":\"metric\",\"name\":\"a\",\"value\":1e999}",
	    "{\"event\":\"metric\",\"name\":\"a\",\"value\":1,\"step\":1.5}",
	    "{\"event\":\"artifact\",\"path\":3}",
	    "{\"event\":\"check\",\"name\":\"a\",\"status\":\"maybe\"}",
	    "{\"event\":\"span\",\"name\":\"a\",\"start_us\":3,\"end_us\":2}",
	    "{\"event\":\"artifact\",\"path\":\"a\"} x",
	    "{\"event\":\"artifact\",\"path\":\"a\",\"path\":\"b\"}",
	    "{\"event\":\"artifact\",\"path\":\"a\\u0000b\"}",
	    "{\"event\":\"artifact\",\"path\":\"\xff\"}",
	    "{\"event\":\"artifact\",",
	};
	struct events e = {0};
	struct seen s = {0};
	struct err err = {0};

	(void)state;
	buf_init(&s.text, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(events_feed(&e, bad[i], strlen(bad[i]), note, &s, &err),
				 0);
		assert_int_equal(events_feed(&e, "\n", 1, note, &s, &err), 0);
		if (e.malformed != i + 1)
			fail_msg("not malformed: %s", bad[i]);
	}
	feed(&e, &s, "{\"event\":\"telemetry\",\"x\":1}\n", 28, 5);
	assert_int_equal(e.unknown, 1);
	assert_int_equal(s.n, 0);
	/* and what follows is read as if nothing had been */
	feed(&e, &s, good, sizeof(good) - 1, 9);
	assert_string_equal(s.text.p, good_text);
	events_release(&e);
	buf_release(&s.text);
}

/* A line of exactly ${n} bytes, newline not counted. */
static void
long_line(struct buf *b, size_t n)
{
	static const char front[] = "{\"event\":\"artifact\",\"path\":\"a\",\"x\":\"";

	buf_adds(b, front);
	for (size_t i = sizeof(front) - 1; i < n - 2; i++)
		buf_addc(b, 'x');
	buf_adds(b, "\"}\n");
}

static void
test_line_limit(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++)
		for (size_t piece = 1000; piece < 200000; piece += 99000) {
			struct events e = {0};
			struct seen s = {0};
			struct buf b;

			buf_init(&b, 0);
			buf_init(&s.text, 0);
			long_line(&b, EVENTS_LINE_MAX + over);
			buf_adds(&b, "{\"event\":\"artifact\",\"path\":\"b\"}\n");
			feed(&e, &s, b.p, b.n, piece);
			assert_int_equal(e.malformed, over);
			assert_string_equal(s.text.p, over ? "artifact b;"
							   : "artifact a;artifact b;");
			events_release(&e);
			buf_release(&b);
			buf_release(&s.text);
		}
}

static void
test_file_limit(void **state)
{
	static char blank[1 << 16];
	static const char last[] = "{\"event\":\"artifact\",\"path\":\"b\"}\n";
	const size_t n = sizeof(last) - 1;
	struct err err = {0};

	(void)state;
	memset(blank, '\n', sizeof(blank));
	for (size_t over = 0; over < 2; over++) {
		struct events e = {0};
		struct seen s = {0};
		uint64_t room = EVENTS_FILE_MAX - n + over;

		buf_init(&s.text, 0);
		while (room > 0) {
			size_t k = room < sizeof(blank) ? (size_t)room : sizeof(blank);

			assert_int_equal(events_feed(&e, blank, k, note, &s, &err), 0);
			room -= k;
		}
		assert_int_equal(events_feed(&e, last, n, note, &s, &err), 0);
		assert_int_equal(events_finish(&e, note, &s, &err), 0);
		assert_int_equal(e.capped, over);
		assert_int_equal(s.n, 1 - (int)over);
		assert_int_equal(e.offset, EVENTS_FILE_MAX);
		/* later bytes are ignored too */
		assert_int_equal(events_feed(&e, last, n, note, &s, &err), 0);
		assert_int_equal(s.n, 1 - (int)over);
		assert_true(e.capped);
		events_release(&e);
		buf_release(&s.text);
	}
}

static void
test_poll(void **state)
{
	const struct tmpdir *t = *state;
	struct events e = {0};
	struct seen s = {0};
	struct err err = {0};

	buf_init(&s.text, 0);
	assert_int_equal(events_poll(&e, t->fd, note, &s, &err), 0);
	for (size_t n = 0; n < sizeof(good); n += 13) {
		put_file(t, ATTEMPT_EVENTS, good, n);
		assert_int_equal(events_poll(&e, t->fd, note, &s, &err), 0);
		assert_int_equal(e.offset, n);
	}
	put_file(t, ATTEMPT_EVENTS, good, sizeof(good) - 1);
	assert_int_equal(events_poll(&e, t->fd, note, &s, &err), 0);
	assert_int_equal(events_finish(&e, note, &s, &err), 0);
	assert_string_equal(s.text.p, good_text);
	events_release(&e);
	buf_release(&s.text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_cut),
	    cmocka_unit_test(test_malformed_are_counted),
	    cmocka_unit_test(test_line_limit),
	    cmocka_unit_test(test_file_limit),
	    cmocka_unit_test_setup_teardown(test_poll, tmpdir_setup, tmpdir_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
