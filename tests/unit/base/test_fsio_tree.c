#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/fsio.h"
#include "unit/base/fault.h"
#include "unit/base/fixture.h"

static void
touch(int dir, const char *path)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	(void)close(fd);
}

static bool
exists(int dir, const char *path)
{
	return faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* tree/ with 3 directories (itself counted) and 4 files, and outside/ beside it. */
static void
make_tree(struct tmpdir *t)
{
	assert_int_equal(mkdirat(t->fd, "tree", 0755), 0);
	assert_int_equal(mkdirat(t->fd, "tree/a", 0755), 0);
	assert_int_equal(mkdirat(t->fd, "tree/a/b", 0755), 0);
	touch(t->fd, "tree/f");
	touch(t->fd, "tree/.hidden");
	touch(t->fd, "tree/a/f");
	touch(t->fd, "tree/a/b/f");
	assert_int_equal(mkdirat(t->fd, "outside", 0755), 0);
	touch(t->fd, "outside/f");
}

static void
make_links_out(struct tmpdir *t)
{
	char absolute[128];

	(void)snprintf(absolute, sizeof(absolute), "%s/outside", t->path);
	assert_int_equal(symlinkat("../outside", t->fd, "tree/dir"), 0);
	assert_int_equal(symlinkat("../outside/f", t->fd, "tree/file"), 0);
	assert_int_equal(symlinkat(absolute, t->fd, "tree/a/dir"), 0);
	assert_int_equal(symlinkat("..", t->fd, "tree/a/up"), 0);
	assert_int_equal(symlinkat("nothing", t->fd, "tree/dangling"), 0);
}

static void
test_sync_counts(void **state)
{
	struct tmpdir *t = *state;
	struct err err = {0};
	uint64_t syncs;

	make_tree(t);
	make_links_out(t);
	syncs = fsio_syncs();
	assert_int_equal(fsio_sync_tree(t->fd, "tree", NULL, &err), 0);
	assert_int_equal(fsio_syncs() - syncs,
			 3 + 4); /* links and what they name: none */
	syncs = fsio_syncs();
	assert_int_equal(fsio_sync_tree(t->fd, "tree/", NULL, &err), 0);
	assert_int_equal(fsio_syncs() - syncs, 3 + 4);
	syncs = fsio_syncs();
	assert_int_equal(fsio_sync_tree(t->fd, "tree/f", NULL, &err), 0);
	assert_int_equal(fsio_syncs() - syncs, 1);
	syncs = fsio_syncs();
	assert_int_equal(fsio_sync_tree(t->fd, "tree/dir", NULL, &err), 0);
	assert_int_equal(fsio_syncs() - syncs, 0);
	assert_int_equal(fsio_sync_tree(t->fd, "none", NULL, &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
}

/* Every fsync counts: whichever fails, the whole does. */
static void
test_sync_faults(void **state)
{
	struct tmpdir *t = *state;
	struct err err = {0};
	bool stop = true;
	int i;

	make_tree(t);
	for (i = 1; i <= 7; i++) {
		struct fault f = {FSIO_SYNC, i, 1, EIO, 0};

		fault_start(&f);
		assert_int_equal(fsio_sync_tree(t->fd, "tree", NULL, &err), -1);
		assert_int_equal(err.sys, EIO);
		assert_int_equal(f.seen, i); /* and nothing after it */
	}
	for (i = 1; i <= 8; i++) {
		struct fault f = {FSIO_OPEN, i, 1, EMFILE, 0};

		fault_start(&f);
		assert_int_equal(fsio_sync_tree(t->fd, "tree", NULL, &err), -1);
		assert_int_equal(err.sys, EMFILE);
	}
	fault_end();
	assert_int_equal(fsio_sync_tree(t->fd, "tree", &stop, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	stop = false;
	assert_int_equal(fsio_sync_tree(t->fd, "tree", &stop, &err), 0);
}

static void
make_socket(struct tmpdir *t, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", t->path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	(void)close(fd);
}

static void
test_sync_refuses_kinds(void **state)
{
	struct tmpdir *t = *state;
	struct err err = {0};

	make_tree(t);
	assert_int_equal(mkfifoat(t->fd, "tree/a/pipe", 0644), 0);
	assert_int_equal(fsio_sync_tree(t->fd, "tree", NULL, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, "a/pipe' durable: it is a fifo"));
	assert_int_equal(fsio_sync_tree(t->fd, "tree/a/pipe", NULL, &err), -1);
	assert_string_equal(err.msg, "cannot make 'tree/a/pipe' durable: it is a fifo");
	assert_int_equal(unlinkat(t->fd, "tree/a/pipe", 0), 0);
	make_socket(t, "tree/sock");
	assert_int_equal(fsio_sync_tree(t->fd, "tree", NULL, &err), -1);
	assert_non_null(strstr(err.msg, "sock' durable: it is a socket"));
	assert_int_equal(fsio_sync_tree(AT_FDCWD, "/dev/null", NULL, &err), -1);
	assert_non_null(strstr(err.msg, "a device"));
}

static void
test_remove(void **state)
{
	struct tmpdir *t = *state;
	struct err err = {0};

	make_tree(t);
	make_links_out(t);
	assert_int_equal(mkfifoat(t->fd, "tree/a/pipe", 0644), 0);
	make_socket(t, "tree/a/b/sock");
	assert_int_equal(fsio_remove_tree(t->fd, "tree", &err), 0);
	assert_false(exists(t->fd, "tree"));
	assert_true(exists(t->fd, "outside/f"));
	/* Missing is fine, in every way. */
	assert_int_equal(fsio_remove_tree(t->fd, "tree", &err), 0);
	assert_int_equal(fsio_remove_tree(t->fd, "tree/x/y", &err), 0);
	assert_int_equal(fsio_remove_tree(t->fd, "outside/f/x", &err), 0);
	assert_int_equal(fsio_remove_tree(t->fd, "outside/f", &err), 0);
	assert_int_equal(fsio_remove_tree(t->fd, "outside//", &err), 0);
	assert_false(exists(t->fd, "outside"));
}

static void
test_remove_takes_links_not_targets(void **state)
{
	static const char *const links[] = {"tree/dir", "tree/dir2/", "tree/file",
					    "tree/dangling"};
	struct tmpdir *t = *state;
	struct err err = {0};
	size_t i;

	make_tree(t);
	make_links_out(t);
	assert_int_equal(symlinkat("../outside", t->fd, "tree/dir2"), 0);
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		assert_int_equal(fsio_remove_tree(t->fd, links[i], &err), 0);
	assert_false(exists(t->fd, "tree/dir"));
	assert_false(exists(t->fd, "tree/dir2"));
	assert_false(exists(t->fd, "tree/file"));
	assert_false(exists(t->fd, "tree/dangling"));
	assert_true(exists(t->fd, "outside/f"));
}

static void
test_remove_refuses(void **state)
{
	static const char *const paths[] = {"",	  "/",	    ".",       "..",	   "./",
					    "//", "tree/.", "tree/..", "tree/../", "../"};
	struct tmpdir *t = *state;
	struct err err = {0};
	char path[5000];
	size_t i;

	make_tree(t);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_int_equal(fsio_remove_tree(t->fd, paths[i], &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(fsio_remove_tree(t->fd, path, &err), -1);
	assert_int_equal(err.sys, ENAMETOOLONG);
	assert_true(exists(t->fd, "tree/a/b/f"));
}

static void
test_remove_faults(void **state)
{
	struct tmpdir *t = *state;
	struct fault f = {FSIO_UNLINK, 1, 1000, EACCES, 0};
	struct err err = {0};

	make_tree(t);
	fault_start(&f);
	assert_int_equal(fsio_remove_tree(t->fd, "tree", &err), -1);
	fault_end();
	assert_int_equal(err.sys, EACCES);
	assert_string_equal(err.msg, "cannot remove 'tree': Permission denied");
	/* Calls: the top as a file and as a directory; then the first entry. */
	f = (struct fault){FSIO_UNLINK, 3, 1, EIO, 0};
	fault_start(&f);
	assert_int_equal(fsio_remove_tree(t->fd, "tree", &err), -1);
	fault_end();
	assert_int_equal(err.sys, EIO);
	assert_memory_equal(err.msg, "cannot remove 'tree/", 20);
	assert_int_equal(fsio_remove_tree(t->fd, "tree", NULL), 0);
	assert_false(exists(t->fd, "tree"));
}

/* Deeper than any path and than the descriptors we may hold; wide at each level. */
static void
test_remove_deep(void **state)
{
	struct tmpdir *t = *state;
	struct err err = {0};
	int at = openat(t->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), below, i;
	struct rlimit few, old;
	char name[201];

	memset(name, 'n', 200);
	name[200] = '\0';
	for (i = 0; i < 1500; i++) {
		assert_int_equal(mkdirat(at, name, 0755), 0);
		below = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(below >= 0);
		touch(below, "f");
		if (i % 63 < 3)
			assert_int_equal(mkdirat(below, "empty", 0755), 0);
		(void)close(at);
		at = below;
	}
	(void)close(at);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = (struct rlimit){256, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	i = fsio_remove_tree(t->fd, name, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(i, 0);
	assert_false(exists(t->fd, name));
}

static void
test_sync_deep(void **state)
{
	struct tmpdir *t = *state;
	struct rlimit few, old;
	struct err err = {0};
	char path[1024] = "d";
	uint64_t syncs;
	int i;

	for (i = 0; i < 200; i++) {
		assert_int_equal(mkdirat(t->fd, path, 0755), 0);
		memcpy(path + 2 * i + 1, "/d", 3);
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = (struct rlimit){64, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	syncs = fsio_syncs();
	i = fsio_sync_tree(t->fd, "d", NULL, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(i, 0);
	assert_int_equal(fsio_syncs() - syncs, 200);
}

static void
test_remove_many(void **state)
{
	struct tmpdir *t = *state;
	struct err err = {0};
	char name[64];
	int i;

	assert_int_equal(mkdirat(t->fd, "many", 0755), 0);
	for (i = 0; i < 5000; i++) {
		(void)snprintf(name, sizeof(name), "many/file-%d", i);
		touch(t->fd, name);
	}
	assert_int_equal(fsio_remove_tree(t->fd, "many", &err), 0);
	assert_false(exists(t->fd, "many"));
}

/* Run fn(t) in a mount namespace of its own; skipped where that is not allowed. */
static void
in_namespace(struct tmpdir *t, int (*fn)(struct tmpdir *))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) != 0 ||
		    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
			_exit(77);
		/* The descriptor at hand is of the mounts of before. */
		t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		_exit(fn(t));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/*
 * The kernel refuses to remove what something is mounted on, before it looks inside; here it
 * says "not empty" instead, as if it had been mounted just after.  With ctx, no openat2.
 */
static int
mounted_late(void *ctx, enum fsio_op op, const char *path)
{
	static bool as_file;

	if (op == FSIO_OPENAT2)
		return ctx != NULL ? ENOSYS : 0;
	if (op != FSIO_UNLINK || strcmp(path, "b") != 0)
		return 0;
	as_file = !as_file;
	return as_file ? EISDIR : ENOTEMPTY;
}

static int
remove_over_mounts(struct tmpdir *t)
{
	struct err err = {0};
	char path[128], source[128];
	int i;

	(void)snprintf(path, sizeof(path), "%s/tree/a/b", t->path);
	(void)snprintf(source, sizeof(source), "%s/outside", t->path);
	/* Another file system, then the same one mounted a second time. */
	if (mount("none", path, "tmpfs", 0, NULL) != 0)
		return 77;
	touch(t->fd, "tree/a/b/kept");
	if (fsio_remove_tree(t->fd, "tree", &err) != -1 || err.code != ERR_SYS ||
	    strstr(err.msg, "'tree/a/b': something is mounted there") == NULL ||
	    !exists(t->fd, "tree/a/b/kept"))
		return 1;
	if (fsio_remove_tree(t->fd, "tree/a/b", &err) != -1 ||
	    !exists(t->fd, "tree/a/b/kept"))
		return 2;
	for (i = 0; i < 2; i++) {
		fsio_set_fault(mounted_late, i == 0 ? NULL : &i);
		if (fsio_remove_tree(t->fd, "tree", &err) != -1 ||
		    strstr(err.msg, "something is mounted there") == NULL ||
		    !exists(t->fd, "tree/a/b/kept"))
			return 3;
		fsio_set_fault(NULL, NULL);
	}
	if (umount(path) != 0 || mount(source, path, NULL, MS_BIND, NULL) != 0)
		return 77;
	fsio_set_fault(mounted_late, NULL);
	if (fsio_remove_tree(t->fd, "tree", &err) != -1 || !exists(t->fd, "outside/f"))
		return 4;
	fsio_set_fault(NULL, NULL);
	if (fsio_remove_tree(t->fd, "tree", &err) != -1 || !exists(t->fd, "outside/f"))
		return 5;
	(void)umount(path);
	return fsio_remove_tree(t->fd, "tree", &err) == 0 ? 0 : 6;
}

static void
test_remove_stays_on_its_mount(void **state)
{
	struct tmpdir *t = *state;

	make_tree(t);
	in_namespace(t, remove_over_mounts);
}

/* What another user may not do stays undone, with the name of what stood in the way. */
static void
test_without_permission(void **state)
{
	struct tmpdir *t = *state;
	struct err err = {0};
	int status;
	pid_t pid;

	if (getuid() != 0)
		skip();
	make_tree(t);
	assert_int_equal(fchmod(t->fd, 0777), 0);
	assert_int_equal(fchmodat(t->fd, "tree", 0777, 0), 0);
	assert_int_equal(fchmodat(t->fd, "tree/a/f", 0222, 0), 0);
	assert_int_equal(fchmodat(t->fd, "outside/f", 0000, 0), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(77);
		/* Write-only files are synced, unreadable and unwritable ones told. */
		if (fsio_sync_tree(t->fd, "tree/a", NULL, &err) != 0 ||
		    fsio_sync_file(t->fd, "outside/f", &err) != -1 || err.sys != EACCES)
			_exit(1);
		if (fsio_remove_tree(t->fd, "tree", &err) != -1 || err.sys != EACCES ||
		    strstr(err.msg, "'tree/a/") == NULL)
			_exit(2);
		_exit(exists(t->fd, "tree/a/b/f") ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

#define in_tmpdir(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    in_tmpdir(test_sync_counts),
	    in_tmpdir(test_sync_faults),
	    in_tmpdir(test_sync_refuses_kinds),
	    in_tmpdir(test_remove),
	    in_tmpdir(test_remove_takes_links_not_targets),
	    in_tmpdir(test_remove_refuses),
	    in_tmpdir(test_remove_faults),
	    in_tmpdir(test_remove_deep),
	    in_tmpdir(test_sync_deep),
	    in_tmpdir(test_remove_many),
	    in_tmpdir(test_remove_stays_on_its_mount),
	    in_tmpdir(test_without_permission),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
