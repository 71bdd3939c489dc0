#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fsio.h"
#include "scheduler/outputs_files.h"
#include "store/project.h"
#include "unit/memory.h"

/*
 * Memory or descriptors that run out while inputs are looked for and outputs removed and made
 * durable: a file that is there is never said to be missing.
 */

#define INPUT  "data/*/in.txt"
#define OUTPUT "out/deep/result"

static char root[] = "/tmp/test_outputs.XXXXXX";
static struct project project;
static const bool stop;

static void
make(const char *path)
{
	int fd = openat(project.root_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

static int
setup(void **state)
{
	struct err err;

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(project_find(root, root, true, &project, &err), 0);
	assert_int_equal(fsio_mkdirs(project.root_fd, "data/x", 0700, &err), 0);
	assert_int_equal(fsio_mkdirs(project.root_fd, "out/deep", 0700, &err), 0);
	make("data/x/in.txt");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	project_release(&project);
	return fsio_remove_tree(AT_FDCWD, root, NULL);
}

static void
before(void *ctx)
{
	(void)ctx;
	make(OUTPUT);
}

static int
look(void *ctx, struct err *err)
{
	(void)ctx;
	return input_present(&project, INPUT, &stop, err);
}

static int
clear(void *ctx, struct err *err)
{
	static const struct output_task task = {.dag = "d", .name = "t"};

	(void)ctx;
	return output_clear(&project, &task, OUTPUT, &stop, err);
}

static void
cleared(void *ctx, int rc)
{
	(void)ctx;
	assert_int_equal(faccessat(project.root_fd, OUTPUT, F_OK, 0), rc == 0 ? -1 : 0);
}

/* A directory with a file that has another name, as an object would be its other name. */
static void
before_shared(void *ctx)
{
	(void)ctx;
	(void)unlinkat(project.root_fd, OUTPUT, 0);
	make(OUTPUT);
	(void)unlinkat(project.root_fd, "object", 0);
	assert_int_equal(linkat(project.root_fd, OUTPUT, project.root_fd, "object", 0),
			 0);
	assert_int_equal(fchmodat(project.root_fd, OUTPUT, 0444, 0), 0);
}

static int
take_own(void *ctx, struct err *err)
{
	static const struct output_task task = {.dag = "d", .name = "t", .persist = true};

	(void)ctx;
	return output_clear(&project, &task, "out/deep", &stop, err);
}

/* The file is there, as it was or as one of its own, and nothing else. */
static void
unshared(void *ctx, int rc)
{
	struct stat st;
	struct dirent *e;
	size_t n = 0;
	DIR *d;

	(void)ctx;
	assert_int_equal(fstatat(project.root_fd, OUTPUT, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_nlink, rc == 0 ? 1 : 2);
	d = fdopendir(
	    openat(project.root_fd, "out/deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.' || e->d_name[1] == 'd';
	(void)closedir(d);
	assert_int_equal(n, 1);
}

static int
durable(void *ctx, struct err *err)
{
	bool is_dir;

	(void)ctx;
	return output_durable(&project, OUTPUT, &stop, &is_dir, err);
}

static void
test_memory(void **state)
{
	struct memory_call in = {.what = "an input", .run = look},
			   out = {.what = "an old output",
				  .before = before,
				  .run = clear,
				  .after = cleared},
			   shared = {.what = "an output with other names",
				     .before = before_shared,
				     .run = take_own,
				     .after = unshared},
			   kept = {.what = "an output", .before = before, .run = durable};

	(void)state;
	assert_true(memory_fail_each(&in) > 0);
	assert_true(memory_fail_each(&out) > 0);
	assert_true(memory_fail_each(&shared) > 0);
	assert_true(memory_fail_each(&kept) > 0);
}

/* With ${more} descriptors than are open. */
static int
look_with(rlim_t more, struct err *err)
{
	struct rlimit old, few;
	int fd = fcntl(project.root_fd, F_DUPFD_CLOEXEC, 0), rc;

	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = (rlim_t)fd + more;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	rc = look(NULL, err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	return rc;
}

static void
test_descriptors(void **state)
{
	struct err err = {0};
	rlim_t n;

	(void)state;
	for (n = 0; n < 2; n++) {
		assert_int_equal(look_with(n, &err), -1);
		assert_non_null(strstr(err.msg, "Too many open files"));
	}
	assert_int_equal(look_with(2, &err), 0);
}

/* To look whether it is there costs no sync, to keep it one for it and one for each directory. */
static void
test_syncs(void **state)
{
	uint64_t syncs = fsio_syncs();
	struct err err = {0};
	bool is_dir = true;

	(void)state;
	before(NULL);
	assert_int_equal(output_there(&project, OUTPUT, &is_dir, &err), 0);
	assert_false(is_dir);
	assert_int_equal(output_there(&project, "out/deep", &is_dir, &err), 0);
	assert_true(is_dir);
	assert_int_equal(fsio_syncs(), syncs);
	assert_int_equal(output_durable(&project, OUTPUT, &stop, &is_dir, &err), 0);
	assert_int_equal(fsio_syncs() - syncs, 4);
	assert_int_equal(output_there(&project, "out/none", &is_dir, &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	assert_int_equal(output_there(&project, "none/x", &is_dir, &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	assert_false(is_dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_memory),
	    cmocka_unit_test(test_descriptors),
	    cmocka_unit_test(test_syncs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
