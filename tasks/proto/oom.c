#include "tasks/proto/oom.h"

#include <string.h>

int64_t
oom_kills_parse(const char *p, size_t n)
{
	return oom_count_parse(p, n, "oom_kill ");
}

int64_t
oom_count_parse(const char *p, size_t n, const char *key)
{
	const size_t len = strlen(key);
	const char *end = p + n, *nl;
	int64_t v = 0;

	for (; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			return -1;
		if ((size_t)(nl - p) <= len || memcmp(p, key, len) != 0)
			continue;
		for (p += len; p < nl; p++) {
			if (*p < '0' || *p > '9' || v > INT64_MAX / 10 - 1)
				return -1;
			v = v * 10 + (*p - '0');
		}
		return v;
	}
	return -1;
}
