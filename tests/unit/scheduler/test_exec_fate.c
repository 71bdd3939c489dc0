#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fsio.h"
#include "scheduler/executor.h"
#include "store/project.h"
#include "tasks/proto/attempt_dir.h"

/* What became of an attempt, from the files in its directory. */

static char root[] = "/tmp/test_exec_fate.XXXXXX";
static struct project project;
static struct exec_adopt at = {
    .dir = "t.-1.1", .attempt_id = "id", .boot_id = "here", .this_boot = "here"};

static int
setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	project.root = project.state = root;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return fsio_remove_tree(AT_FDCWD, root, NULL);
}

static void
path_of(const char *name, char out[256])
{
	(void)snprintf(out, 256, "%s/%s/%s", root, at.dir, name);
}

static void
put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	path_of(name, path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* A new attempt directory in place of the last one. */
static void
fresh(void)
{
	char path[256];

	path_of("", path);
	(void)fsio_remove_tree(AT_FDCWD, path, NULL);
	assert_int_equal(mkdir(path, 0700), 0);
}

static enum exec_fate
fate(struct err *err)
{
	struct exit_record rec;

	return exec_local_fate(&project, &at, &rec, err);
}

static void
test_no_directory(void **state)
{
	struct err err;

	(void)state;
	at.dir = "nothing.-1.1";
	assert_int_equal(fate(&err), FATE_VOID);
	at.dir = "t.-1.1";
}

static void
test_never_ran(void **state)
{
	struct err err;

	(void)state;
	fresh();
	assert_int_equal(fate(&err), FATE_VOID);
	put(ATTEMPT_ALIVE, "");
	assert_int_equal(fate(&err), FATE_VOID);
	assert_string_equal(err.msg, "it was interrupted before its program began");
}

static void
test_lives(void **state)
{
	char path[256];
	struct err err;
	int fd;

	(void)state;
	fresh();
	put(ATTEMPT_ALIVE, "");
	put(ATTEMPT_STARTED, "");
	path_of(ATTEMPT_ALIVE, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(fate(&err), FATE_ALIVE);
	(void)close(fd);
	assert_int_equal(fate(&err), FATE_LOST);
}

static void
test_record(void **state)
{
	struct exit_record rec = {.status = 3}, got;
	char line[EXIT_RECORD_MAX + 1];
	struct err err;

	(void)state;
	fresh();
	put(ATTEMPT_ALIVE, "");
	put(ATTEMPT_STARTED, "");
	line[exit_record_encode(&rec, line)] = '\0';
	put(ATTEMPT_EXIT, line);
	assert_int_equal(exec_local_fate(&project, &at, &got, &err), FATE_EXITED);
	assert_int_equal(got.status, 3);
	line[strlen(line) - 2] ^= 1; /* a damaged one is none */
	put(ATTEMPT_EXIT, line);
	assert_int_equal(fate(&err), FATE_LOST);
}

/* Whatever the files say: nothing of another boot lives, and nothing of it is trusted. */
static void
test_another_boot(void **state)
{
	struct err err;

	(void)state;
	at.boot_id = "before";
	assert_int_equal(fate(&err), FATE_LOST);
	at.boot_id = "here";
}

/* Out of descriptors an attempt that lives looks like one whose files are absent.  It must not
 * be taken for one. */
static void
test_no_descriptors(void **state)
{
	struct rlimit old, none;
	char path[256];
	struct err err;
	int fd, n;

	(void)state;
	fresh();
	put(ATTEMPT_ALIVE, "");
	put(ATTEMPT_STARTED, "");
	path_of(ATTEMPT_ALIVE, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	for (n = 0; n < 3;
	     n++) { /* not even the directory; only that; the lock as well */
		none = old;
		none.rlim_cur = (rlim_t)fd + 1 + (rlim_t)n;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		assert_int_equal(fate(&err), n < 2 ? FATE_UNSURE : FATE_ALIVE);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	}
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_no_directory), cmocka_unit_test(test_never_ran),
	    cmocka_unit_test(test_lives),	 cmocka_unit_test(test_record),
	    cmocka_unit_test(test_another_boot), cmocka_unit_test(test_no_descriptors),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
