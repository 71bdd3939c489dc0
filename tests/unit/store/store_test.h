#ifndef TESTS_STORE_TEST_H
#define TESTS_STORE_TEST_H
/* What the store's tests share: a project in a directory of its own, children that end well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "store/project.h"

#define ok(expr)                                                                     \
	do {                                                                         \
		err_clear(&err);                                                     \
		if ((expr) != 0)                                                     \
			fail_msg("%s: error %d: %s", #expr, (int)err.code, err.msg); \
	} while (0)

#define fails(expr, expected)                                                           \
	do {                                                                            \
		err_clear(&err);                                                        \
		if ((expr) == 0)                                                        \
			fail_msg("%s did not fail", #expr);                             \
		if (err.code != (expected))                                             \
			fail_msg("%s: error %d, expected %d: %s", #expr, (int)err.code, \
				 (int)(expected), err.msg);                             \
	} while (0)

#define says(text)                                                               \
	do {                                                                     \
		if (strstr(err.msg, (text)) == NULL)                             \
			fail_msg("\"%s\" does not say \"%s\"", err.msg, (text)); \
	} while (0)

struct place {
	char dir[64]; /* canonical */
	struct project p;
};

/* A directory of its own below /tmp (or ${where}). */
static inline void
place_dir(struct place *pl, const char *where)
{
	(void)snprintf(pl->dir, sizeof(pl->dir), "%s/dag-store-XXXXXX",
		       where != NULL ? where : "/tmp");
	assert_non_null(mkdtemp(pl->dir));
	unsetenv("DAG_STATE");
	pl->p.root = pl->p.state = NULL;
	pl->p.root_fd = pl->p.state_fd = -1;
}

static inline void
place_make(struct place *pl)
{
	struct err err = {0};

	place_dir(pl, NULL);
	ok(project_find(NULL, pl->dir, true, &pl->p, &err));
}

static inline void
place_remove(struct place *pl)
{
	project_release(&pl->p);
	(void)fsio_remove_tree(AT_FDCWD, pl->dir, NULL);
}

/* Wait for a child and return its exit status; 128 + signal if one ended it. */
static inline int
child_status(pid_t pid)
{
	int st;

	while (waitpid(pid, &st, 0) < 0)
		assert_int_equal(errno, EINTR);
	return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}

/* The text of ${dir}/${name}, in a static buffer. */
static inline const char *
slurp(const char *dir, const char *name)
{
	static char text[4096];
	char path[4096];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static inline void
spill(const char *dir, const char *name, const char *text)
{
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fsio_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static inline void
make_dir(const char *dir, const char *name)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0777), 0);
}

#endif
