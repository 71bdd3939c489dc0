#ifndef UNIT_BASE_FIXTURE_H
#define UNIT_BASE_FIXTURE_H
/*
 * What the unit tests of base share: cmocka with what it needs, and a directory per test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
tmpdir_remove(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

/* By nftw, so that the tests of our own removal do not clean up after themselves. */
static inline int
tmpdir_teardown(void **state)
{
	struct tmpdir *t = *state;
	int r = nftw(t->path, tmpdir_remove, 16, FTW_DEPTH | FTW_PHYS);

	(void)close(t->fd);
	free(t);
	return r;
}

/* A small generator, so that a failing case can be had again from its seed. */
static inline uint32_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

#endif
