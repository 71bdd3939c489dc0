/* The directory that a worker is in: made, left, never outside; and directories that go. */
#include "store/track/workdir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fsio.h"

static char root[] = "/tmp/dag-workdir-XXXXXX";
static int root_fd;

static int
setup(void **state)
{
	(void)state;
	memcpy(root + sizeof(root) - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(root));
	root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root_fd >= 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	struct err err;

	(void)state;
	(void)close(root_fd);
	return fsio_remove_tree(AT_FDCWD, root, &err);
}

static void
make(const char *path)
{
	int fd = openat(root_fd, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

static bool
exists(const char *path)
{
	return faccessat(root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
test_enter(void **state)
{
	struct err err = {0};
	const char *name;
	struct workdir w;
	int fd;

	(void)state;
	workdir_init(&w, root_fd);
	assert_int_equal(workdir_enter(&w, "a", false, &name, &err), 0);
	assert_string_equal(name, "a");
	assert_int_equal(workdir_enter(&w, "x/y/z", false, &name, &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_int_equal(workdir_enter(&w, "x/y/z", true, &name, &err), 0);
	assert_string_equal(name, "z");
	assert_true(exists("x/y") && !exists("x/y/z"));
	/* The same directory is not opened again; a shorter or longer one is another. */
	fd = w.fd;
	assert_int_equal(workdir_enter(&w, "x/y/other", false, &name, &err), 0);
	assert_int_equal(w.fd, fd);
	assert_int_equal(workdir_enter(&w, "x/y2", false, &name, &err), 0);
	assert_string_equal(w.path.p, "x");
	make("file");
	assert_int_equal(workdir_enter(&w, "file/z", true, &name, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	workdir_release(&w);
}

static void
test_outside(void **state)
{
	struct err err = {0};
	const char *name;
	struct workdir w;

	(void)state;
	assert_int_equal(symlinkat("/tmp", root_fd, "out"), 0);
	assert_int_equal(mkdirat(root_fd, "in", 0700), 0);
	assert_int_equal(symlinkat("in", root_fd, "link"), 0);
	workdir_init(&w, root_fd);
	assert_int_equal(workdir_enter(&w, "out/x", true, &name, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, "symbolic link"));
	/* Nor where the link leads elsewhere in the project. */
	assert_int_equal(workdir_enter(&w, "link/x", true, &name, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(workdir_enter(&w, "link/y/x", true, &name, &err), -1);
	assert_false(exists("in/y"));
	workdir_release(&w);
}

static void
test_remove_empty(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(root_fd, "d", 0700), 0);
	assert_int_equal(mkdirat(root_fd, "d/a", 0700), 0);
	assert_int_equal(mkdirat(root_fd, "d/a/b", 0700), 0);
	make("d/a/file");
	assert_int_equal(workdir_remove_empty(root_fd, "d"), 1);
	assert_true(exists("d/a/file"));
	assert_int_equal(workdir_remove_empty(root_fd, "d/a/file"), 1);
	assert_int_equal(unlinkat(root_fd, "d/a/file", 0), 0);
	assert_int_equal(symlinkat("d", root_fd, "link"), 0);
	assert_int_equal(workdir_remove_empty(root_fd, "link"), 1);
	assert_int_equal(mkdirat(root_fd, "d/a/b", 0700), exists("d/a/b") ? -1 : 0);
	assert_int_equal(workdir_remove_empty(root_fd, "d"), 0);
	assert_false(exists("d"));
	assert_int_equal(workdir_remove_empty(root_fd, "d"), 0);
}

static void
test_prune(void **state)
{
	char path[] = "d/a/b/c/x", other[] = "d/e/x", top[] = "d/x";

	(void)state;
	assert_int_equal(mkdirat(root_fd, "d", 0700), 0);
	assert_int_equal(mkdirat(root_fd, "d/a", 0700), 0);
	assert_int_equal(mkdirat(root_fd, "d/a/b", 0700), 0);
	assert_int_equal(mkdirat(root_fd, "d/a/b/c", 0700), 0);
	assert_int_equal(mkdirat(root_fd, "d/e", 0700), 0);
	make("d/a/kept");
	workdir_prune(root_fd, path, "d");
	assert_true(exists("d/a/kept") && !exists("d/a/b"));
	/* Never the top itself. */
	workdir_prune(root_fd, other, "d");
	assert_false(exists("d/e"));
	workdir_prune(root_fd, top, "d");
	assert_true(exists("d"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_enter, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_outside, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_remove_empty, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_prune, setup, teardown),
	};

	return cmocka_run_group_tests_name("store/track workdir", tests, NULL, NULL);
}
