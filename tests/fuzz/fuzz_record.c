/*
 * The `exit` record.  The first byte: odd means that version and checksum are put around the
 * rest, which a fuzzer could not guess; even that the rest is the file.  A whole record read,
 * written and read again is the same; with one byte changed or cut off it is none.
 */
#include "fuzz.h"
#include "line.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/record.h"

static void
check_read(const char *p, size_t n, enum record_state want)
{
	struct exit_record r;
	struct err err = {0};

	fuzz_put(ATTEMPT_EXIT, p, n);
	switch (exit_record_read(fuzz_dir(), &r, &err)) {
	case 1:
		CHECK(want == RECORD_VALID);
		break;
	case 0:
		CHECK(want == RECORD_ABSENT);
		break;
	default:
		CHECK(want == RECORD_NEWER && err.code == ERR_NEWER);
	}
}

static void
check_whole(const struct exit_record *r)
{
	char out[EXIT_RECORD_MAX], again[EXIT_RECORD_MAX];
	struct exit_record back;
	size_t n = exit_record_encode(r, out);

	CHECK(n > 0 && n <= sizeof(out));
	CHECK(exit_record_decode(&back, out, n) == RECORD_VALID);
	CHECK(exit_record_encode(&back, again) == n && memcmp(out, again, n) == 0);
	CHECK(exit_step_name(r->step) != NULL && exit_stop_name(r->stop) != NULL);
	CHECK(exit_oom_name(r->oom) != NULL);
}

/* A damaged record is never taken for a whole one. */
static void
check_damaged(const char *p, size_t n)
{
	char *copy = fuzz_text((const uint8_t *)p, n);
	struct exit_record r;

	for (size_t i = 0; i < n; i++) {
		char was = copy[i];

		copy[i] = (char)(was ^ (1 << (i % 8)));
		CHECK(exit_record_decode(&r, copy, n) == RECORD_ABSENT);
		copy[i] = was;
		CHECK(exit_record_decode(&r, copy, i) == RECORD_ABSENT);
	}
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct exit_record zero;
	struct exit_record r;
	enum record_state s;
	size_t len;
	char *p = fuzz_line(data, n, &len);

	s = exit_record_decode(&r, p, len);
	CHECK(s == RECORD_VALID || s == RECORD_ABSENT || s == RECORD_NEWER);
	if (s == RECORD_VALID) {
		check_whole(&r);
		check_damaged(p, len);
	} else {
		CHECK(memcmp(&r, &zero, sizeof(r)) == 0);
	}
	if (len % 4 == 0)
		check_read(p, len, s);
	free(p);
	return 0;
}
