#include "tasks/proto/oom.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int64_t
oom_kills_parse(const char *p, size_t n)
{
	static const char key[] = "oom_kill ";
	const size_t len = sizeof(key) - 1;
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

int64_t
oom_kills(void)
{
	char text[16384];
	size_t have = 0;
	ssize_t n;
	int fd = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	while (have < sizeof(text) &&
	       (n = read(fd, text + have, sizeof(text) - have)) > 0)
		have += (size_t)n;
	(void)close(fd); /* only read */
	return oom_kills_parse(text, have);
}
