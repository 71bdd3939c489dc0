#ifndef DAG_TESTS_FUZZ_LINE_H
#define DAG_TESTS_FUZZ_LINE_H
/* A line of key=value as the `exit` and `shim` files hold it, from an input. */
#include "fuzz.h"
#include "tasks/proto/kvline.h"

/* The first byte even: the rest as it is.  Odd: it is the pairs, and gets its checksum; with
 * bit 1 its version too.  The caller frees it. */
static inline char *
fuzz_line(const uint8_t *data, size_t n, size_t *len)
{
	unsigned mode = n != 0 ? data[0] : 0;
	struct buf b;
	char *exact;

	buf_init(&b, 0);
	if (n != 0 && mode & 2)
		buf_adds(&b, "v=1 ");
	if (n != 0)
		buf_add(&b, data + 1, n - 1);
	if (mode & 1)
		buf_addf(&b, " sum=%016llx\n", (unsigned long long)kvline_sum(b.p, b.n));
	CHECK(!buf_failed(&b));
	exact = fuzz_text((const uint8_t *)b.p, b.n);
	*len = b.n;
	buf_release(&b);
	return exact;
}

#endif
