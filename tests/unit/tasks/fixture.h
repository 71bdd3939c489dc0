#ifndef UNIT_TASKS_FIXTURE_H
#define UNIT_TASKS_FIXTURE_H
/*
 * What the unit tests of tasks share: cmocka with what it needs, and a directory per test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fsio.h"

struct tmpdir {
	char path[64];
	int fd;
};

static inline int
tmpdir_setup(void **state)
{
	struct tmpdir *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return -1;
	(void)snprintf(t->path, sizeof(t->path), "/tmp/dag-unit-XXXXXX");
	if (mkdtemp(t->path) == NULL)
		return -1;
	t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = t;
	return t->fd < 0 ? -1 : 0;
}

static inline int
tmpdir_teardown(void **state)
{
	struct tmpdir *t = *state;
	int rc;

	(void)close(t->fd);
	rc = fsio_remove_tree(AT_FDCWD, t->path, NULL);
	free(t);
	return rc;
}

/* Put a file into the directory. */
static inline void
put_file(const struct tmpdir *t, const char *name, const void *p, size_t n)
{
	int fd = openat(t->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fsio_write_all(fd, p, n), 0);
	(void)close(fd);
}

static inline uint32_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

#endif
