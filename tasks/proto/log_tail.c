#include <string.h>

#include "tasks/proto/kvline.h"
#include "tasks/proto/logfile.h"

static void
put64(unsigned char *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t
get64(const unsigned char *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

void
log_tail_encode(const struct log_tail *t, unsigned char out[LOG_TAIL_HEADER])
{
	memset(out, 0, LOG_TAIL_HEADER);
	memcpy(out, LOG_TAIL_MAGIC, 8);
	put64(out + 8, t->head);
	put64(out + 16, t->capacity);
	put64(out + 24, t->step);
	put64(out + 32, t->written);
	out[40] = t->closed ? 1 : 0;
	put64(out + 48, kvline_sum(out, 48));
}

int
log_tail_decode(struct log_tail *t, const unsigned char p[LOG_TAIL_HEADER])
{
	if (memcmp(p, LOG_TAIL_MAGIC, 8) != 0 || get64(p + 48) != kvline_sum(p, 48))
		return -1;
	t->head = get64(p + 8);
	t->capacity = get64(p + 16);
	t->step = get64(p + 24);
	t->written = get64(p + 32);
	t->closed = p[40] == 1;
	/* Sums of them stay far from overflow, and the ring is at least one byte. */
	if (t->capacity == 0 || t->capacity > INT64_MAX / 4 || t->step > t->capacity ||
	    t->head > INT64_MAX / 4 || t->written > INT64_MAX / 4)
		return -1;
	return 0;
}
