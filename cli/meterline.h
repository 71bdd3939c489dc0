#ifndef DAG_CLI_METERLINE_H
#define DAG_CLI_METERLINE_H
/*
 * How far a long piece of work is, as one line: what is done, files, bytes, how fast, and when
 * it will be over.
 */
#include <stddef.h>
#include <stdint.h>

struct buf;
struct meter;

#define METERLINE_SAMPLES 64

struct meterline_sample {
	int64_t at_us;
	uint64_t files, bytes;
};

/* What was seen last, and before; a zeroed one has seen nothing. */
struct meterline {
	const char *phase;
	uint64_t files_total, bytes_total;	      /* 0: not known */
	struct meterline_sample v[METERLINE_SAMPLES]; /* a ring */
	size_t n, last;
};

/**
 * meterline_look(l, m, now_us):
 * Take down how far ${m} is at ${now_us} of the monotonic clock.  Where a new phase has begun,
 * or the counters have begun anew, what was seen before is forgotten.
 */
void meterline_look(struct meterline *, const struct meter *, int64_t);

/**
 * meterline_put(l, width, b):
 * Append the line for what was seen, without a newline and at most ${width} columns wide (0:
 * as wide as it is).  What matters least is left out first.
 */
void meterline_put(const struct meterline *, unsigned, struct buf *);

#endif
