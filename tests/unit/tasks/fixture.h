#ifndef UNIT_TASKS_FIXTURE_H
#define UNIT_TASKS_FIXTURE_H
/*
 * What the unit tests of tasks share: what those of base do, and files in the test's directory.
 */
#include <stdbool.h>

#include "base/err.h"
#include "base/fsio.h"
#include "unit/base/fixture.h"

/* Put a file into the directory. */
static inline void
put_file(const struct tmpdir *t, const char *name, const void *p, size_t n)
{
	int fd = openat(t->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fsio_write_all(fd, p, n), 0);
	(void)close(fd);
}

#endif
