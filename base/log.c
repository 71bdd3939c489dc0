#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/timefmt.h"

#define LINE_LEN 4096 /* a longer line is cut; writes of so much to a pipe are atomic */

static atomic_int level_wanted = LOG_WARN;

static const char *const names[] = {"error", "warning", "info", "debug", "trace"};

void
log_set_level(enum log_level level)
{
	atomic_store_explicit(&level_wanted, (int)level, memory_order_relaxed);
}

void
log_init_from_env(void)
{
	const char *name = getenv("DAG_LOG");
	size_t i;

	if (name == NULL)
		return;
	if (strcmp(name, "warn") == 0)
		name = "warning";
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			log_set_level((enum log_level)i);
}

/* "dag: warning: ", or for those who trace "dag: debug 12:00:00.123456 ". */
static size_t
put_prefix(char *line, enum log_level level)
{
	struct civil c;
	int n;

	if (level < LOG_DEBUG) {
		n = snprintf(line, LINE_LEN, "dag: %s: ", names[level]);
	} else {
		time_civil(clock_now().wall_us, &c);
		n = snprintf(line, LINE_LEN, "dag: %s %02d:%02d:%02d.%06d ", names[level],
			     c.hour, c.minute, c.second, c.usec);
	}
	return n < 0 ? 0 : (size_t)n;
}

void
log_at(enum log_level level, const char *fmt, ...)
{
	char line[LINE_LEN], *nl;
	int saved = errno, more;
	ssize_t written;
	size_t n;
	va_list ap;

	if ((int)level > atomic_load_explicit(&level_wanted, memory_order_relaxed))
		return;
	n = put_prefix(line, level);
	va_start(ap, fmt);
	more = vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (more > 0)
		n = (size_t)more < sizeof(line) - n ? n + (size_t)more : sizeof(line) - 1;
	/* One message is one line, whatever is in it. */
	while ((nl = memchr(line, '\n', n)) != NULL)
		*nl = ' ';
	line[n] = '\n'; /* in the place of the NUL */
	written = write(STDERR_FILENO, line, n + 1);
	(void)written; /* nobody can be told if stderr does not take it */
	errno = saved;
}
