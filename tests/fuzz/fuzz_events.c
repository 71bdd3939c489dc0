/*
 * The `events` file: however it is cut into pieces, and whether it comes from memory or from
 * a file, the same events come out; every line is an event, unknown, malformed or blank.
 */
#include <math.h>
#include <stdbool.h>

#include "fuzz.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/events.h"
#include "tasks/proto/kvline.h"

struct tally {
	uint64_t hash;
	uint64_t n;
};

static void
mix(struct tally *t, const void *p, size_t n)
{
	uint64_t h = kvline_sum(p, n);

	t->hash = (t->hash ^ h) * 0x9e3779b97f4a7c15u + n;
}

static void
mix_text(struct tally *t, const char *s)
{
	mix(t, s != NULL ? s : "\xff", s != NULL ? strlen(s) : 1);
}

static void
take(void *ctx, const struct event *e)
{
	struct tally *t = ctx;

	t->n++;
	CHECK(e->json != NULL && e->line != NULL);
	CHECK(e->len <= EVENTS_LINE_MAX && memchr(e->line, '\n', e->len) == NULL);
	mix(t, &e->type, sizeof(e->type));
	mix(t, e->line, e->len);
	mix_text(t, e->message);
	switch (e->type) {
	case EVENT_PROGRESS:
		CHECK(e->done >= 0 && isfinite(e->done) && isfinite(e->total));
		mix_text(t, e->unit);
		mix(t, &e->done, sizeof(e->done));
		mix(t, &e->total, sizeof(e->total));
		break;
	case EVENT_METRIC:
		CHECK(e->name[0] != '\0' && isfinite(e->value));
		mix_text(t, e->name);
		mix(t, &e->value, sizeof(e->value));
		mix(t, &e->step, sizeof(e->step));
		break;
	case EVENT_ARTIFACT:
		CHECK(e->path[0] != '\0');
		mix_text(t, e->path);
		break;
	case EVENT_CHECK:
		CHECK(e->name[0] != '\0' && e->status[0] != '\0');
		mix_text(t, e->name);
		mix_text(t, e->status);
		break;
	case EVENT_SPAN:
		CHECK(e->name[0] != '\0' && e->end_us >= e->start_us);
		mix_text(t, e->name);
		mix(t, &e->start_us, sizeof(e->start_us));
		mix(t, &e->end_us, sizeof(e->end_us));
		break;
	}
}

/* Feed all in pieces of at most ${piece} bytes (0: in one). */
static struct events
feed(const char *p, size_t n, size_t piece, struct tally *t)
{
	struct events e = {0};
	struct err err = {0};

	for (size_t at = 0, len; at < n; at += len) {
		len = piece == 0 ? n : 1 + (at * 7 + n) % piece;
		if (len > n - at)
			len = n - at;
		CHECK(events_feed(&e, p + at, len, take, t, &err) == 0);
		CHECK(e.offset == at + len);
	}
	CHECK(events_finish(&e, take, t, &err) == 0);
	events_release(&e);
	return e;
}

static void
check_same(const struct events *a, const struct tally *at, const struct events *b,
	   const struct tally *bt)
{
	CHECK(a->offset == b->offset && a->count == b->count);
	CHECK(a->malformed == b->malformed && a->unknown == b->unknown);
	CHECK(a->capped == b->capped);
	CHECK(at->n == bt->n && at->hash == bt->hash);
}

static bool
is_blank(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strchr(" \t\r", p[i]) == NULL || p[i] == '\0')
			return false;
	return true;
}

/* How many lines are not blank. */
static uint64_t
count_lines(const char *p, size_t n)
{
	const char *end = p + n, *nl;
	uint64_t lines = 0;

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			nl = end;
		lines += !is_blank(p, (size_t)(nl - p));
	}
	return lines;
}

static void
check_poll(const char *p, size_t n, const struct events *want, const struct tally *wt)
{
	struct events e = {0};
	struct tally t = {0};
	struct err err = {0};

	fuzz_put(ATTEMPT_EVENTS, p, n);
	CHECK(events_poll(&e, fuzz_dir(), take, &t, &err) == 0);
	CHECK(events_poll(&e, fuzz_dir(), take, &t, &err) == 0);
	CHECK(events_finish(&e, take, &t, &err) == 0);
	events_release(&e);
	check_same(&e, &t, want, wt);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const size_t pieces[] = {1, 7, 100};
	char *p = fuzz_text(data, n);
	struct tally whole = {0}, parts;
	struct events e, other;

	e = feed(p, n, 0, &whole);
	CHECK(e.count == whole.n && e.offset == n && !e.capped);
	CHECK(e.count + e.unknown + e.malformed == count_lines(p, n));
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		parts = (struct tally){0};
		other = feed(p, n, pieces[i], &parts);
		check_same(&e, &whole, &other, &parts);
	}
	if (n % 4 == 0)
		check_poll(p, n, &e, &whole);
	free(p);
	return 0;
}
