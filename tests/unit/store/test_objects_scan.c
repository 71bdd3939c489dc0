/*
 * Scanning a path of the work tree: what counts as a file, what is refused, what is read again
 * and what is not.
 */
#include "unit/store/scan_test.h"

#include <sys/socket.h>
#include <sys/un.h>

#define HELLO  "b1946ac92492d2347c6235b4d2611184" /* md5 of "hello\n" */
#define FOOBAR "5ea40360f5b4ec688df672a4db9c17d1.dir"

static void
test_file(void **state)
{
	struct desk d;

	(void)state;
	desk_make(&d);
	desk_scan(&d, "x");
	assert_false(d.scan.exists);
	desk_scan(&d, "no/such/x");
	assert_false(d.scan.exists);
	desk_put(&d, "x", "hello\n");
	desk_counts(&d, "x", 0, 1);
	assert_true(d.scan.exists);
	assert_false(d.scan.is_dir || d.scan.exec);
	assert_int_equal(d.scan.size, 6);
	assert_int_equal(d.scan.nfiles, 1);
	desk_is(&d, HELLO);
	desk_reopen(&d);
	desk_counts(&d, "x", 1, 0);
	desk_is(&d, HELLO);
	assert_int_equal(fchmodat(d.shop.fd, "x", 0755, 0), 0);
	desk_counts(&d, "x", 0, 1);
	assert_true(d.scan.exec);
	desk_put(&d, "x", "hallo\n");
	desk_counts(&d, "x", 0, 1);
	assert_int_equal(unlinkat(d.shop.fd, "x", 0), 0);
	desk_scan(&d, "x");
	assert_false(d.scan.exists);
	desk_remove(&d);
}

/* Known without reading more than so much, or not at all. */
static void
test_read_max(void **state)
{
	struct desk d;

	(void)state;
	desk_make(&d);
	desk_dir(&d, "t");
	desk_put(&d, "t/a", "hello\n");
	desk_put(&d, "t/b", "hello\n");
	d.o.read_max = 11;
	desk_refuses(&d, "t", ERR_BUSY, "'t' is not known: 12 bytes");
	assert_int_equal(d.scan.stats.hashed, 0);
	d.o.read_max = 12;
	desk_counts(&d, "t", 0, 2);
	d.o.read_max = 1;
	desk_counts(&d, "t", 2, 0);
	desk_put(&d, "t/b", "hallo\n");
	desk_refuses(&d, "t", ERR_BUSY, "6 bytes");
	desk_remove(&d);
}

static void
test_directory(void **state)
{
	struct desk d;
	struct tree t = {0};

	(void)state;
	desk_make(&d);
	desk_dir(&d, "t");
	desk_scan(&d, "t");
	assert_true(d.scan.exists && d.scan.is_dir);
	assert_int_equal(d.scan.nfiles, 0);
	assert_false(d.scan.unlisted);
	desk_put(&d, "t/foo", "foo");
	desk_put(&d, "t/bar", "bar");
	desk_dir(&d, "t/empty");
	desk_dir(&d, "t/empty/too");
	assert_int_equal(symlinkat("empty", d.shop.fd, "t/dirlink"), 0);
	desk_counts(&d, "t", 0, 2);
	assert_true(d.scan.unlisted);
	desk_is(&d, FOOBAR);
	assert_int_equal(d.scan.size, 6);
	desk_reopen(&d);
	desk_counts(&d, "t", 2, 0);
	desk_is(&d, FOOBAR);
	/* What lies below, and a link to a file outside, which is read. */
	desk_dir(&d, "t/a-b");
	desk_dir(&d, "t/a");
	desk_put(&d, "t/a/z", "1");
	desk_put(&d, "t/a-b/z", "2");
	desk_put(&d, "target", "hello\n");
	assert_int_equal(symlinkat("../target", d.shop.fd, "t/link"), 0);
	desk_counts(&d, "t", 2, 3);
	assert_int_equal(d.scan.nfiles, 5);
	assert_int_equal(scan_tree(&d.scan, &t, &d.err), 0);
	assert_int_equal(t.n, 5);
	assert_string_equal(t.v[0].path, "a-b/z");
	assert_string_equal(t.v[1].path, "a/z");
	assert_string_equal(t.v[4].path, "link");
	assert_int_equal(t.v[4].size, 6);
	tree_release(&t);
	desk_counts(&d, "t", 5, 0);
	desk_put(&d, "target", "hallo\n");
	desk_counts(&d, "t", 4, 1);
	desk_remove(&d);
}

/* The name of a tree that is remembered is that of the tree that is there. */
static void
test_remembered_name(void **state)
{
	char before[OBJECT_HEX_MAX], after[OBJECT_HEX_MAX];
	struct desk d;

	(void)state;
	desk_make(&d);
	desk_dir(&d, "t");
	desk_dir(&d, "t/s");
	desk_put(&d, "t/foo", "foo");
	desk_put(&d, "t/s/bar", "bar");
	desk_scan(&d, "t");
	(void)object_id_hex(&d.scan.id, before);
	assert_int_equal(renameat(d.shop.fd, "t/s", d.shop.fd, "t/r"), 0);
	desk_scan(&d, "t");
	(void)object_id_hex(&d.scan.id, after);
	assert_string_not_equal(before, after);
	assert_int_equal(renameat(d.shop.fd, "t/r", d.shop.fd, "t/s"), 0);
	desk_scan(&d, "t");
	desk_is(&d, before);
	assert_int_equal(unlinkat(d.shop.fd, "t/s/bar", 0), 0);
	desk_counts(&d, "t", 1, 0);
	assert_int_equal(d.scan.nfiles, 1);
	desk_put(&d, "t/s/bar", "bar");
	desk_counts(&d, "t", 1, 1);
	desk_is(&d, before);
	desk_remove(&d);
}

static void
test_refused(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct desk d;
	int s;

	(void)state;
	desk_make(&d);
	desk_dir(&d, "t");
	desk_put(&d, "t/fine", "x");
	assert_int_equal(mkfifoat(d.shop.fd, "t/pipe", 0600), 0);
	desk_refuses(&d, "t", ERR_INVALID, "'t/pipe' is neither a file nor a directory");
	desk_refuses(&d, "t/pipe", ERR_INVALID, "'t/pipe' is neither");
	assert_int_equal(unlinkat(d.shop.fd, "t/pipe", 0), 0);
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/t/sock", d.shop.dir);
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(s, (struct sockaddr *)&sun, sizeof(sun)), 0);
	desk_refuses(&d, "t", ERR_INVALID, "'t/sock' is neither");
	(void)close(s);
	assert_int_equal(unlinkat(d.shop.fd, "t/sock", 0), 0);

	assert_int_equal(symlinkat("nowhere", d.shop.fd, "t/lost"), 0);
	desk_refuses(&d, "t", ERR_INVALID,
		     "'t/lost' is a symbolic link that leads nowhere");
	d.o.broken_ok = true;
	desk_scan(&d, "t");
	assert_int_equal(d.scan.nfiles, 1);
	desk_scan(&d, "t/lost");
	assert_false(d.scan.exists);
	d.o.broken_ok = false;
	assert_int_equal(unlinkat(d.shop.fd, "t/lost", 0), 0);

	desk_put(&d, "t/.dvcignore", "");
	desk_refuses(&d, "t", ERR_INVALID, "'t/.dvcignore' lies in a tracked directory");
	assert_int_equal(unlinkat(d.shop.fd, "t/.dvcignore", 0), 0);

	desk_put(&d, "t/a\xffz", "x");
	desk_put(&d, "t/b\xffz", "x");
	desk_refuses(&d, "t", ERR_INVALID, "is not UTF-8");
	assert_non_null(strstr(d.err.msg, "(and 1 more like this)"));
	assert_int_equal(d.scan.nproblems, 2);
	assert_string_equal(d.scan.problems[1].path, "t/b\xffz");
	assert_int_equal(d.scan.stats.hashed, 0);

	desk_refuses(&d, ".", ERR_INVALID, "below the root");
	desk_refuses(&d, "../x", ERR_INVALID, "below the root");
	assert_int_equal(symlinkat("t", d.shop.fd, "l"), 0);
	desk_refuses(&d, "l", ERR_INVALID, "'l' is a symbolic link to a directory");
	desk_refuses(&d, "l/fine", ERR_INVALID, "behind a symbolic link");
	desk_remove(&d);
}

/* ---- what counts as a file ---- */

static void
test_links_and_holes(void **state)
{
	struct desk d;
	struct tree t = {0};
	int fd;

	(void)state;
	desk_make(&d);
	desk_dir(&d, "t");
	desk_put(&d, "t/a", "hello\n");
	assert_int_equal(linkat(d.shop.fd, "t/a", d.shop.fd, "t/b", 0), 0);
	fd = openat(d.shop.fd, "t/hole", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(ftruncate(fd, 4 << 20), 0);
	(void)close(fd);
	desk_put(&d, "t/nothing", "");
	desk_counts(&d, "t", 0, 4);
	assert_int_equal(scan_tree(&d.scan, &t, &d.err), 0);
	assert_memory_equal(t.v[0].md5, t.v[1].md5, 16);
	assert_int_equal(t.v[2].size, 4 << 20);
	assert_int_equal(t.v[2].md5[0], 0xb5); /* b5cfa9d6c8febd618f91ac2843d50a1c */
	assert_int_equal(t.v[2].md5[15], 0x1c);
	assert_int_equal(t.v[3].md5[0], 0xd4); /* d41d8cd98f00b204e9800998ecf8427e */
	tree_release(&t);
	/* Through one name, seen by both. */
	desk_put(&d, "t/b", "hallo\n");
	desk_counts(&d, "t", 2, 2);
	desk_remove(&d);
}

/* A link is known by itself and by what it leads to. */
static void
test_link_is_turned(void **state)
{
	struct desk d;

	(void)state;
	desk_make(&d);
	desk_put(&d, "one", "hello\n");
	desk_put(&d, "two", "hallo\n");
	assert_int_equal(symlinkat("one", d.shop.fd, "l"), 0);
	desk_counts(&d, "l", 0, 1);
	desk_is(&d, HELLO);
	desk_counts(&d, "l", 1, 0);
	assert_int_equal(unlinkat(d.shop.fd, "l", 0), 0);
	assert_int_equal(symlinkat("two", d.shop.fd, "l"), 0);
	desk_counts(&d, "l", 0, 1);
	/* What it led to takes its place: the same bytes, but no link. */
	assert_int_equal(renameat(d.shop.fd, "two", d.shop.fd, "l"), 0);
	desk_counts(&d, "l", 0, 1);
	desk_counts(&d, "l", 1, 0);
	desk_remove(&d);
}

static void
test_path_becomes_another_kind(void **state)
{
	struct desk d;

	(void)state;
	desk_make(&d);
	desk_dir(&d, "p");
	desk_put(&d, "p/x", "hello\n");
	desk_counts(&d, "p", 0, 1);
	assert_int_equal(renameat(d.shop.fd, "p/x", d.shop.fd, "x"), 0);
	assert_int_equal(unlinkat(d.shop.fd, "p", AT_REMOVEDIR), 0);
	assert_int_equal(renameat(d.shop.fd, "x", d.shop.fd, "p"), 0);
	desk_counts(&d, "p", 0, 1);
	desk_is(&d, HELLO);
	desk_counts(&d, "p", 1, 0);
	assert_int_equal(unlinkat(d.shop.fd, "p", 0), 0);
	desk_dir(&d, "p");
	desk_put(&d, "p/x", "hello\n");
	desk_counts(&d, "p", 0, 1);
	desk_counts(&d, "p", 1, 0);
	desk_remove(&d);
}

/* ---- what cannot be read ---- */

/* Root may read all; somebody else may not. */
static void
as_nobody(bool on)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(on ? 65534 : 0), 0);
}

static void
test_unreadable(void **state)
{
	struct desk d;

	(void)state;
	desk_make(&d);
	desk_dir(&d, "t");
	desk_dir(&d, "t/closed");
	desk_put(&d, "t/mine", "x");
	desk_put(&d, "t/other", "x");
	assert_int_equal(fchmodat(d.shop.fd, ".", 0755, 0), 0);
	assert_int_equal(fchmodat(d.shop.fd, "t/mine", 0, 0), 0);
	assert_int_equal(fchmodat(d.shop.fd, "t/closed", 0, 0), 0);
	as_nobody(true);
	desk_refuses(&d, "t", ERR_SYS, "cannot read 't/closed': Permission denied");
	as_nobody(false);
	assert_int_equal(d.scan.nproblems, 2);
	assert_string_equal(d.scan.problems[1].what,
			    "cannot read 't/mine': Permission denied");
	assert_int_equal(d.scan.stats.hashed, 0);
	assert_int_equal(fchmodat(d.shop.fd, "t/closed", 0755, 0), 0);
	desk_remove(&d);
}

/* ---- limits ---- */

/* Make directories named like c below the one that is open, and return the last. */
static int
nest(int fd, const char *name, int n)
{
	for (; n > 0; n--) {
		int next;

		assert_int_equal(mkdirat(fd, name, 0755), 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		(void)close(fd);
		fd = next;
	}
	return fd;
}

static void
touch(int fd, const char *name)
{
	int f = openat(fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(f >= 0);
	(void)close(f);
}

static void
test_depth(void **state)
{
	struct desk d;
	int fd;

	(void)state;
	desk_make(&d);
	fd = nest(dup(d.shop.fd), "t", 1);
	fd = nest(fd, "d", SCAN_DEPTH_MAX - 1);
	touch(fd, "file");
	desk_counts(&d, "t", 0, 1);
	fd = nest(fd, "d", 1); /* empty, it does not count */
	desk_counts(&d, "t", 1, 0);
	touch(fd, "file");
	desk_refuses(&d, "t", ERR_LIMIT, "lies more than 1000 directories deep");
	(void)close(fd);
	desk_remove(&d);
}

static void
test_path_length(void **state)
{
	char name[256], last[256], path[SCAN_PATH_MAX + 1];
	size_t n = 1;
	struct desk d;
	int fd;

	(void)state;
	desk_make(&d);
	memset(name, 'n', 255);
	name[255] = '\0';
	memset(last, 'l', 255);
	last[SCAN_PATH_MAX - 1 - 15 * 256 - 1] = '\0';
	fd = nest(dup(d.shop.fd), "t", 1);
	fd = nest(fd, name, 15);
	touch(fd, last);
	desk_counts(&d, "t", 0, 1);
	desk_counts(&d, "t", 1, 0);
	path[0] = 't';
	for (int i = 0; i < 15; i++)
		n += (size_t)snprintf(path + n, sizeof(path) - n, "/%s", name);
	n += (size_t)snprintf(path + n, sizeof(path) - n, "/%s", last);
	assert_int_equal(n, SCAN_PATH_MAX);
	desk_counts(&d, path, 0, 1); /* by itself, too */
	last[SCAN_PATH_MAX - 1 - 15 * 256 - 1] = 'l';
	last[SCAN_PATH_MAX - 1 - 15 * 256] = '\0';
	touch(fd, last);
	desk_refuses(&d, "t", ERR_LIMIT, "has a path of more than 4095 bytes");
	(void)close(fd);
	desk_remove(&d);
}

static void
test_many_problems(void **state)
{
	struct desk d;
	char name[32];
	int i;

	(void)state;
	desk_make(&d);
	desk_dir(&d, "t");
	for (i = 0; i <= SCAN_PROBLEMS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "t/%03d", i);
		assert_int_equal(symlinkat("nowhere", d.shop.fd, name), 0);
	}
	desk_refuses(&d, "t", ERR_INVALID, "(and 100 more like this)");
	assert_int_equal(d.scan.nproblems, SCAN_PROBLEMS_MAX);
	assert_int_equal(d.scan.nproblems_all, SCAN_PROBLEMS_MAX + 1);
	desk_remove(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_file),
	    cmocka_unit_test(test_read_max),
	    cmocka_unit_test(test_directory),
	    cmocka_unit_test(test_remembered_name),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_links_and_holes),
	    cmocka_unit_test(test_link_is_turned),
	    cmocka_unit_test(test_path_becomes_another_kind),
	    cmocka_unit_test(test_unreadable),
	    cmocka_unit_test(test_depth),
	    cmocka_unit_test(test_path_length),
	    cmocka_unit_test(test_many_problems),
	};

	return cmocka_run_group_tests_name("objects_scan", tests, NULL, NULL);
}
