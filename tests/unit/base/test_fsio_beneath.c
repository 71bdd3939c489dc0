#include "base/fsio.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "unit/base/fixture.h"

/*
 * Each test runs twice: with openat2, and with the walk that stands in for it.
 */
static int
no_openat2(void *ctx, enum fsio_op op, const char *path)
{
	(void)ctx;
	(void)path;
	return op == FSIO_OPENAT2 ? ENOSYS : 0;
}

static int
seccomp_openat2(void *ctx, enum fsio_op op, const char *path)
{
	(void)ctx;
	(void)path;
	return op == FSIO_OPENAT2 ? EPERM : 0;
}

static void
write_file(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

/* root/ with a/b/f in it, outside/secret beside it, and links of all sorts. */
static int
make_tree(struct tmpdir *t)
{
	int root;

	assert_int_equal(mkdirat(t->fd, "root", 0755), 0);
	assert_int_equal(mkdirat(t->fd, "outside", 0755), 0);
	write_file(t->fd, "outside/secret", "secret");
	root = openat(t->fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	assert_int_equal(mkdirat(root, "a", 0755), 0);
	assert_int_equal(mkdirat(root, "a/b", 0755), 0);
	write_file(root, "a/b/f", "inside");
	assert_int_equal(symlinkat("a/b", root, "in"), 0);
	assert_int_equal(symlinkat("../a/b/f", root, "a/up"), 0);
	assert_int_equal(symlinkat("a/b/../b/./f", root, "winding"), 0);
	assert_int_equal(symlinkat("..", root, "out"), 0);
	assert_int_equal(symlinkat("../outside/secret", root, "leak"), 0);
	assert_int_equal(symlinkat("../../root/a/b/f", root, "a/there_and_back"), 0);
	assert_int_equal(symlinkat("/etc", root, "absolute"), 0);
	assert_int_equal(symlinkat("loop2", root, "loop1"), 0);
	assert_int_equal(symlinkat("loop1", root, "loop2"), 0);
	assert_int_equal(symlinkat("self/x", root, "self"), 0);
	assert_int_equal(symlinkat("nothing", root, "dangling"), 0);
	assert_int_equal(symlinkat("a/b/", root, "slashed"), 0);
	return root;
}

static const struct {
	const char *path;
	int flags;
	int errnum; /* 0: opens */
} opens[] = {
    {"a/b/f", O_RDONLY, 0},
    {"a//b/./f", O_RDONLY, 0},
    {"a/../a/b/f", O_RDONLY, 0},
    {"in/f", O_RDONLY, 0},
    {"a/up", O_RDONLY, 0},
    {"winding", O_RDONLY, 0},
    {"in/../b/f", O_RDONLY, 0}, /* ".." of where the link leads */
    {"in", O_RDONLY | O_DIRECTORY, 0},
    {"slashed", O_RDONLY | O_DIRECTORY, 0},
    {"slashed/f", O_RDONLY, 0},
    {"in/", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0},
    {".", O_RDONLY | O_DIRECTORY, 0},
    {"a/..", O_RDONLY | O_DIRECTORY, 0},
    {"a/b/", O_RDONLY, 0},
    {"", O_RDONLY, ENOENT},
    {"..", O_RDONLY, EXDEV},
    {"../root/a/b/f", O_RDONLY, EXDEV},
    {"a/../../root/a/b/f", O_RDONLY, EXDEV},
    {"a/b/../../..", O_RDONLY, EXDEV},
    {"/etc/passwd", O_RDONLY, EXDEV},
    {"/", O_RDONLY, EXDEV},
    {"out", O_RDONLY, EXDEV},
    {"out/outside/secret", O_RDONLY, EXDEV},
    {"leak", O_RDONLY, EXDEV},
    {"a/there_and_back", O_RDONLY, EXDEV},
    {"absolute", O_RDONLY, EXDEV},
    {"absolute/passwd", O_RDONLY, EXDEV},
    {"in/../../../outside/secret", O_RDONLY, EXDEV},
    {"a/b/f/", O_RDONLY, ENOTDIR},
    {"a/b/f/..", O_RDONLY, ENOTDIR},
    {"a/b/f/x", O_RDONLY, ENOTDIR},
    {"nothing", O_RDONLY, ENOENT},
    {"nothing/..", O_RDONLY, ENOENT},
    {"dangling", O_RDONLY, ENOENT},
    {"loop1", O_RDONLY, ELOOP},
    {"loop1/x", O_RDONLY, ELOOP},
    {"self", O_RDONLY, ELOOP},
    {"in", O_RDONLY | O_NOFOLLOW, ELOOP},
    {"leak", O_WRONLY | O_CREAT, EXDEV},
    {"leak", O_WRONLY | O_CREAT | O_EXCL, EEXIST},
    {"dangling", O_WRONLY | O_CREAT | O_EXCL, EEXIST},
    {"../new", O_WRONLY | O_CREAT, EXDEV},
    {"out/new", O_WRONLY | O_CREAT, EXDEV},
    {"a/b/f", O_WRONLY | O_CREAT | O_EXCL, EEXIST},
    {"a/b/new", O_WRONLY | O_CREAT | O_EXCL, 0},
    {"dangling", O_WRONLY | O_CREAT, 0}, /* makes what it points to */
    {"in/new", O_WRONLY | O_CREAT, 0},
};

static void
check_opens(void **state)
{
	struct tmpdir *t = *state;
	int root = make_tree(t), fd;
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
		errno = 0;
		fd = fsio_open_beneath(root, opens[i].path, opens[i].flags, 0640);
		if ((fd < 0 ? errno : 0) != opens[i].errnum)
			fail_msg("%s: %s, not %s", opens[i].path, strerror(errno),
				 strerror(opens[i].errnum));
		if (fd < 0)
			continue;
		assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
		(void)close(fd);
	}
	assert_int_equal(fstatat(root, "nothing", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(fstatat(root, "a/b/new", &st, 0), 0);
	assert_int_equal(faccessat(t->fd, "new", F_OK, 0), -1);
	(void)close(root);
	fsio_set_fault(NULL, NULL);
}

static void
test_openat2(void **state)
{
	check_opens(state);
}

static void
test_walk(void **state)
{
	fsio_set_fault(no_openat2, NULL);
	check_opens(state);
}

static void
test_walk_under_seccomp(void **state)
{
	fsio_set_fault(seccomp_openat2, NULL);
	check_opens(state);
}

/* Names and depths at their limits; only the walk has limits of its own. */
static void
test_walk_limits(void **state)
{
	struct tmpdir *t = *state;
	char path[8192] = "", name[260];
	int i, fd;

	fsio_set_fault(no_openat2, NULL);
	for (i = 0; i < 128; i++) {
		memcpy(path + 2 * i, "d", 2);
		if (i < 127)
			assert_int_equal(mkdirat(t->fd, path, 0755), 0);
		else
			write_file(t->fd, path, "deep");
		if (i < 127)
			memcpy(path + 2 * i + 1, "/", 2);
	}
	fd = fsio_open_beneath(t->fd, path, O_RDONLY, 0);
	assert_true(fd >= 0);
	(void)close(fd);
	memcpy(path + 255, "/d", 3);
	assert_int_equal(fsio_open_beneath(t->fd, path, O_RDONLY, 0), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	assert_int_equal(fsio_open_beneath(t->fd, name, O_RDONLY, 0), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	name[255] = '\0';
	assert_int_equal(fsio_open_beneath(t->fd, name, O_RDONLY, 0), -1);
	assert_int_equal(errno, ENOENT);
	memset(path, '/', 5000);
	path[0] = '.';
	path[5000] = '\0';
	assert_int_equal(fsio_open_beneath(t->fd, path, O_RDONLY, 0), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	fsio_set_fault(NULL, NULL);
}

/* Somebody who swaps what is at a path for a link that leads out, as fast as he can. */
struct swapper {
	int root;
	const char *path;
	atomic_bool stop;
};

static void *
swap(void *arg)
{
	struct swapper *s = arg;

	while (!atomic_load(&s->stop))
		(void)renameat2(s->root, s->path, s->root, "bad", RENAME_EXCHANGE);
	return NULL;
}

/* Whatever is opened at a/b/f meanwhile is never what lies outside. */
static void
race(struct swapper *s)
{
	pthread_t thread;
	char c = 'i';
	int fd, i;

	if (renameat2(s->root, s->path, s->root, "bad", RENAME_EXCHANGE) != 0)
		skip();
	assert_int_equal(pthread_create(&thread, NULL, swap, s), 0);
	for (i = 0; i < 20000 && c == 'i'; i++) {
		fd = fsio_open_beneath(s->root, "a/b/f", O_RDONLY, 0);
		if (fd < 0)
			continue;
		if (read(fd, &c, 1) != 1)
			c = '?';
		(void)close(fd);
	}
	atomic_store(&s->stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(c, 'i');
}

static void
check_race(void **state)
{
	struct tmpdir *t = *state;
	struct swapper dir = {.root = make_tree(t), .path = "a/b"},
		       file = {.root = dir.root, .path = "a/b/f"};

	write_file(t->fd, "outside/f", "outside");
	assert_int_equal(symlinkat("../../outside", dir.root, "bad"), 0);
	race(&dir);
	/* Whichever is in place now, put the directory back; then race for the file. */
	if (unlinkat(dir.root, "bad", 0) != 0) {
		assert_int_equal(unlinkat(dir.root, "a/b", 0), 0);
		assert_int_equal(renameat(dir.root, "bad", dir.root, "a/b"), 0);
	}
	assert_int_equal(symlinkat("../../../outside/f", dir.root, "bad"), 0);
	race(&file);
	(void)close(dir.root);
	fsio_set_fault(NULL, NULL);
}

static void
test_race(void **state)
{
	check_race(state);
}

static void
test_race_of_walk(void **state)
{
	fsio_set_fault(no_openat2, NULL);
	check_race(state);
}

#define in_tmpdir(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    in_tmpdir(test_openat2),
	    in_tmpdir(test_walk),
	    in_tmpdir(test_walk_under_seccomp),
	    in_tmpdir(test_walk_limits),
	    in_tmpdir(test_race),
	    in_tmpdir(test_race_of_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
