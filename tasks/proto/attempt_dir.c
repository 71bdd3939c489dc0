#include "tasks/proto/attempt_dir.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/path.h"

void
attempt_dir_put(struct buf *b, const char *task, int64_t map, int64_t attempt)
{
	path_put_encoded(b, task);
	buf_addf(b, ".%" PRId64 ".%" PRId64, map, attempt);
}

/* Read the number behind the last dot of the ${n} bytes; return the dot's place or -1. */
static int
last_number(const char *name, int n, bool sign, int64_t *out)
{
	char text[24];
	int dot = n - 1;
	size_t len;

	while (dot >= 0 && name[dot] != '.')
		dot--;
	len = (size_t)(n - dot - 1);
	if (dot < 0 || len == 0 || len >= sizeof(text))
		return -1;
	memcpy(text, name + dot + 1, len);
	text[len] = '\0';
	/* Only the form that attempt_dir_put writes: no "+1", "01", "-0". */
	if (text[0] == '-'
		? !sign || text[1] < '1' || text[1] > '9'
		: text[0] < '0' || text[0] > '9' || (text[0] == '0' && len > 1))
		return -1;
	return num_i64(text, out) == 0 ? dot : -1;
}

int
attempt_dir_parse(const char *name, int64_t *map, int64_t *attempt)
{
	size_t n = strlen(name);
	int64_t m, a;
	int dot;

	if (n == 0 || n > 255)
		return -1;
	if ((dot = last_number(name, (int)n, false, &a)) < 0 ||
	    (dot = last_number(name, dot, true, &m)) <= 0)
		return -1;
	if (m < ATTEMPT_MAP_NONE)
		return -1;
	*map = m;
	*attempt = a;
	return dot;
}
