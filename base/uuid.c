#include "base/uuid.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/random.h>

/*
 * Layout (RFC 9562): 48 bits of milliseconds, version 7, 12 bits, variant 2, 62 bits.  The
 * 12 bits and the first 18 of the 62 are one sequence of 30: the microseconds of the
 * millisecond above 20 bits that start at a random number below 2^17 and count.  So texts of
 * one process sort even where the clock does not move, and 44 random bits remain.
 */
#define SEQ_COUNT_BITS 20
#define SEQ_START_MASK ((UINT32_C(1) << 17) - 1)
#define SEQ_MAX	       ((UINT32_C(1) << 30) - 1)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t last_ms;
static uint32_t last_seq;

static uint32_t
next_seq(uint64_t ms, uint32_t seq)
{
	(void)pthread_mutex_lock(&lock);
	if (ms == last_ms && seq <= last_seq)
		seq = last_seq < SEQ_MAX ? last_seq + 1 : SEQ_MAX;
	last_ms = ms;
	last_seq = seq;
	(void)pthread_mutex_unlock(&lock);
	return seq;
}

int
uuid7(char out[UUID_TEXT], int64_t wall_us)
{
	uint64_t us = wall_us > 0 ? (uint64_t)wall_us : 0, ms = us / 1000;
	uint64_t rnd, rest;
	uint32_t seq;

	if (getrandom(&rnd, sizeof(rnd), 0) != (ssize_t)sizeof(rnd))
		return -1;
	seq = next_seq(ms, (uint32_t)(us % 1000) << SEQ_COUNT_BITS |
			       ((uint32_t)(rnd >> 44) & SEQ_START_MASK));
	rest = (uint64_t)(seq & 0x3ffff) << 44 | (rnd & ((UINT64_C(1) << 44) - 1));
	(void)snprintf(out, UUID_TEXT, "%08x-%04x-7%03x-%04x-%012llx",
		       (unsigned)(ms >> 16 & 0xffffffff), (unsigned)(ms & 0xffff),
		       (unsigned)(seq >> 18 & 0xfff), (unsigned)(0x8000 | rest >> 48),
		       (unsigned long long)(rest & ((UINT64_C(1) << 48) - 1)));
	return 0;
}
