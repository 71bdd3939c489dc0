#include "cli/meterline.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/textwidth.h"
#include "cli/table.h"
#include "store/meter.h"

#define RATE_US	 INT64_C(5000000) /* the time that a rate is about */
#define APART_US INT64_C(100000)  /* samples are kept so far apart */
#define SOON_US	 INT64_C(1000000) /* before that nothing is foretold */

static const struct meterline_sample *
sample(const struct meterline *l, size_t back)
{
	return &l->v[(l->last + METERLINE_SAMPLES - back) % METERLINE_SAMPLES];
}

void
meterline_look(struct meterline *l, const struct meter *m, int64_t now_us)
{
	struct meterline_sample s = {
	    .at_us = now_us,
	    .files = atomic_load_explicit(&m->files, memory_order_relaxed),
	    .bytes = atomic_load_explicit(&m->bytes, memory_order_relaxed),
	};
	const char *phase = atomic_load_explicit(&m->phase, memory_order_relaxed);
	const struct meterline_sample *was = sample(l, 0);

	if (l->n > 0 &&
	    (phase != l->phase || s.files < was->files || s.bytes < was->bytes))
		l->n = 0;
	l->phase = phase;
	l->files_total = atomic_load_explicit(&m->files_total, memory_order_relaxed);
	l->bytes_total = atomic_load_explicit(&m->bytes_total, memory_order_relaxed);
	/* The newest moves along until it is far enough from the one before it. */
	if (l->n < 2 || was->at_us - sample(l, 1)->at_us >= APART_US) {
		l->last = (l->last + 1) % METERLINE_SAMPLES;
		l->n += l->n < METERLINE_SAMPLES;
	}
	l->v[l->last] = s;
}

/* The oldest sample that a rate may begin at. */
static const struct meterline_sample *
rate_from(const struct meterline *l)
{
	const struct meterline_sample *now = sample(l, 0);
	size_t back = 0;

	while (back + 1 < l->n && now->at_us - sample(l, back)->at_us < RATE_US)
		back++;
	return sample(l, back);
}

static double
rate(uint64_t from, uint64_t to, int64_t us)
{
	return us > 0 ? (double)(to - from) * 1e6 / (double)us : 0;
}

/* Pieces of the line, the one that matters most first. */
enum piece { PIECE_FILES, PIECE_LEFT, PIECE_BYTES, PIECE_RATE, PIECES };

static void
put_files(const struct meterline *l, struct buf *b)
{
	uint64_t files = sample(l, 0)->files;

	if (files == 0 && l->files_total == 0)
		return;
	if (l->files_total > 0 && l->files_total >= files)
		buf_addf(b, "%llu of %llu files", (unsigned long long)files,
			 (unsigned long long)l->files_total);
	else
		buf_addf(b, "%llu file%s", (unsigned long long)files,
			 files == 1 ? "" : "s");
}

static void
put_bytes(const struct meterline *l, struct buf *b)
{
	uint64_t bytes = sample(l, 0)->bytes;

	if (bytes == 0 && l->bytes_total == 0)
		return;
	num_put_size(b, bytes);
	if (l->bytes_total > 0 && l->bytes_total >= bytes) {
		buf_adds(b, " of ");
		num_put_size(b, l->bytes_total);
	}
}

static void
put_rate(const struct meterline *l, struct buf *b)
{
	const struct meterline_sample *from = rate_from(l), *now = sample(l, 0);
	double r = rate(from->bytes, now->bytes, now->at_us - from->at_us);

	if (r < 1)
		return;
	num_put_size(b, (uint64_t)r);
	buf_adds(b, "/s");
}

/* By bytes where their total is known, else by files. */
static void
put_left(const struct meterline *l, struct buf *b)
{
	const struct meterline_sample *from = rate_from(l), *now = sample(l, 0);
	int64_t us = now->at_us - from->at_us;
	double r, left;

	if (us < SOON_US)
		return;
	if (l->bytes_total > now->bytes) {
		r = rate(from->bytes, now->bytes, us);
		left = (double)(l->bytes_total - now->bytes);
	} else if (l->files_total > now->files) {
		r = rate(from->files, now->files, us);
		left = (double)(l->files_total - now->files);
	} else {
		return;
	}
	if (r <= 0 || left / r > 86400.0 * 99)
		return;
	num_put_duration(b, (int64_t)(left / r + 0.5) * US_PER_SEC);
	buf_adds(b, " left");
}

static void
put_piece(const struct meterline *l, enum piece p, struct buf *b)
{
	switch (p) {
	case PIECE_FILES:
		put_files(l, b);
		break;
	case PIECE_BYTES:
		put_bytes(l, b);
		break;
	case PIECE_RATE:
		put_rate(l, b);
		break;
	case PIECE_LEFT:
		put_left(l, b);
		break;
	case PIECES:
		break;
	}
}

/* The line with the pieces before ${pieces}, in the order in which they are read. */
static void
put_pieces(const struct meterline *l, unsigned pieces, struct buf *b)
{
	static const enum piece order[PIECES] = {PIECE_FILES, PIECE_BYTES, PIECE_RATE,
						 PIECE_LEFT};
	const char *between = ": ";
	size_t from, i;

	buf_adds(b, l->phase != NULL ? l->phase : "working");
	for (i = 0; i < PIECES; i++) {
		if ((unsigned)order[i] >= pieces)
			continue;
		from = b->n;
		buf_adds(b, between);
		put_piece(l, order[i], b);
		if (b->n == from + strlen(between))
			buf_truncate(b, from);
		else
			between = ", ";
	}
}

void
meterline_put(const struct meterline *l, unsigned width, struct buf *b)
{
	struct buf line;
	unsigned pieces = PIECES;

	buf_init(&line, 0);
	do {
		buf_clear(&line);
		put_pieces(l, pieces, &line);
	} while (width > 0 && pieces-- > 0 && text_columns(line.p, line.n) > width);
	if (width > 0)
		(void)text_fit(b, line.p, width);
	else
		buf_add(b, line.p, line.n);
	buf_release(&line);
}
