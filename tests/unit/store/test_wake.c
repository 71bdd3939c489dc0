/*
 * Waking: who listens is woken by the others and not by itself; what the dead left is removed.
 */
#include "unit/store/store_test.h"

#include <dirent.h>
#include <poll.h>

#include "store/wake.h"

static bool
woken(const struct waiter *w)
{
	struct pollfd p = {.fd = w->fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static unsigned
names(const struct place *pl)
{
	int fd = openat(pl->p.state_fd, "waiters", O_RDONLY | O_DIRECTORY);
	DIR *dir = fdopendir(fd);
	struct dirent *e;
	unsigned n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	(void)closedir(dir);
	return n;
}

static void
test_wakes(void **state)
{
	struct waiter a, b;
	struct place pl;

	(void)state;
	place_make(&pl);
	wake_others(&pl.p, NULL); /* nobody listens, no directory */
	wake_listen(&pl.p, &a);
	wake_listen(&pl.p, &b);
	assert_true(a.fd >= 0 && b.fd >= 0);
	assert_int_equal(names(&pl), 2);
	assert_false(woken(&a));
	wake_others(&pl.p, &a);
	assert_false(woken(&a));
	assert_true(woken(&b));
	wake_drain(&b);
	assert_false(woken(&b));
	wake_others(&pl.p, NULL);
	assert_true(woken(&a) && woken(&b));
	wake_close(&b);
	assert_int_equal(names(&pl), 1);
	wake_drain(&b); /* closed: nothing happens */
	wake_close(&b);
	wake_close(&a);
	assert_int_equal(names(&pl), 0);
	place_remove(&pl);
}

/* A waiter that never looks is not waited for, nor does it keep the next from being woken. */
static void
test_full(void **state)
{
	struct waiter a, b;
	struct place pl;
	int i;

	(void)state;
	place_make(&pl);
	wake_listen(&pl.p, &a);
	for (i = 0; i < 70000; i++)
		wake_others(&pl.p, NULL);
	wake_listen(&pl.p, &b);
	wake_others(&pl.p, NULL);
	assert_true(woken(&a) && woken(&b));
	wake_drain(&a);
	assert_false(woken(&a));
	wake_close(&a);
	wake_close(&b);
	place_remove(&pl);
}

/* The FIFO of a process that was killed has no reader; a file or a link is not written to. */
static void
test_left_behind(void **state)
{
	struct waiter a;
	struct place pl;
	struct stat st;
	int fd;

	(void)state;
	place_make(&pl);
	wake_listen(&pl.p, &a);
	assert_int_equal(mkfifoat(a.dir, "dead", 0600), 0);
	assert_int_equal(mkfifoat(a.dir, ".being-made", 0600), 0);
	fd = openat(a.dir, "file", O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(symlinkat("file", a.dir, "link"), 0);
	wake_others(&pl.p, NULL);
	assert_true(woken(&a));
	assert_int_equal(fstatat(a.dir, "dead", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(fstatat(a.dir, ".being-made", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(fstatat(a.dir, "file", &st, 0), 0);
	assert_int_equal(st.st_size, 0);
	wake_close(&a);
	place_remove(&pl);
}

/* Where no FIFO can be made, nothing is listened to and nothing fails. */
static void
test_cannot(void **state)
{
	struct waiter w;
	struct place pl;
	int fd;

	(void)state;
	place_make(&pl);
	fd = openat(pl.p.state_fd, "waiters", O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	wake_listen(&pl.p, &w);
	assert_int_equal(w.fd, -1);
	wake_others(&pl.p, &w);
	wake_drain(&w);
	wake_close(&w);
	place_remove(&pl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wakes),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_left_behind),
	    cmocka_unit_test(test_cannot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
