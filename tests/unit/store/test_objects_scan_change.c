/*
 * Files that change while they are scanned, and changes that the clock hides.
 */
#include "unit/store/scan_test.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "store/meter.h"
#include "store/objects/batch.h"
#include "store/objects/index_internal.h"

#define HELLO "b1946ac92492d2347c6235b4d2611184" /* md5 of "hello\n" */
#define HALLO "aee97cb3ad288ef0add6c6b5b5fae48a" /* md5 of "hallo\n" */

/* ---- ticks ---- */

/*
 * Edits within a tick, of the same size.  Newer kernels stamp finely enough that two edits
 * never leave the same times; a mapping still can, as what is dirty already is not stamped
 * again.  Each edit here comes less than a tick after the stamp that it leaves as it is.
 */
static void
edit_many_times(struct desk *d, const char *path, int times)
{
	struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	int fd = openat(d->shop.fd, path, O_RDWR | O_CREAT | O_CLOEXEC, 0644), i;
	int64_t tick = INDEX_TICK_NS * 3 / 4;
	struct index_stat state;
	struct stat st;
	char *map;

	assert_int_equal(write(fd, "hello\n", 6), 6);
	map = mmap(NULL, 6, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	for (i = 0; i < times; i++) {
		const char *text = i * 7 / 3 % 2 == 0 ? "hello\n" : "hallo\n";

		assert_int_equal(fstat(fd, &st), 0);
		index_stat_of(&st, NULL, &state);
		if (i % 20 == 0 || clock_stamp_ns() - state.ctime_ns > tick) {
			assert_int_equal(pwrite(fd, text, 6, 0), 6);
			assert_int_equal(futimens(fd, old), 0);
		}
		memcpy(map, text, 6);
		desk_scan(d, path);
		desk_is(d, text[1] == 'e' ? HELLO : HALLO);
		if (i % 50 == 0)
			desk_reopen(d);
	}
	(void)munmap(map, 6);
	(void)close(fd);
}

static void
test_racy(void **state)
{
	struct desk d;

	(void)state;
	desk_make(&d);
	clock_set_fake_stamp(NULL, NULL);
	edit_many_times(&d, "x", 2000);
	desk_dir(&d, "t");
	desk_remove(&d);
}

static int64_t
stands_still(void *ctx)
{
	return *(const int64_t *)ctx;
}

/* A clock that stands still, at the moment of the file's last change or before. */
static void
test_clock_stands_still(void **state)
{
	struct timespec pause = {.tv_nsec = 50000000};
	struct stat st;
	struct desk d;
	int64_t now;
	int i;

	(void)state;
	desk_make(&d);
	desk_put(&d, "x", "hello\n");
	assert_int_equal(fstatat(d.shop.fd, "x", &st, 0), 0);
	now = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
	clock_set_fake_stamp(stands_still, &now);
	for (i = 0; i < 3; i++) {
		desk_counts(&d, "x", 0, 1);
		now -= 1000000000;
	}
	/* It goes on: read once more, then known. */
	(void)nanosleep(&pause, NULL);
	clock_set_fake_stamp(NULL, NULL);
	desk_counts(&d, "x", 0, 1);
	desk_counts(&d, "x", 1, 0);
	desk_remove(&d);
}

/* Whole seconds are what a coarse file system stamps. */
static void
test_coarse_stamps(void **state)
{
	struct index_stat st = {.ctime_ns = (int64_t)1700000000 * 1000000000,
				.mtime_ns = (int64_t)1600000000 * 1000000000 + 1};
	int64_t s = 1000000000;

	(void)state;
	assert_true(index_flags(&st, st.ctime_ns + s, INDEX_TICK_NS) & INDEX_RACY);
	assert_false(index_flags(&st, st.ctime_ns + 2 * s + 1, INDEX_TICK_NS) &
		     INDEX_RACY);
	st.ctime_ns++;
	assert_false(index_flags(&st, st.ctime_ns + s, INDEX_TICK_NS) & INDEX_RACY);
	assert_true(index_flags(&st, st.ctime_ns + INDEX_TICK_NS - 1, INDEX_TICK_NS) &
		    INDEX_RACY);
	assert_false(index_flags(&st, st.ctime_ns + INDEX_TICK_NS + 1, INDEX_TICK_NS) &
		     INDEX_RACY);
	/* An mtime of the far future is no sign of anything. */
	st.mtime_ns = st.ctime_ns + 1000000 * s;
	assert_false(index_flags(&st, st.ctime_ns + s, INDEX_TICK_NS) & INDEX_RACY);
}

/* What was new when it was read counts only in the same boot, until it has grown old. */
static void
test_young(void **state)
{
	struct desk d;

	(void)state;
	desk_make(&d);
	desk_dir(&d, "t");
	desk_put(&d, "t/x", "hello\n");
	ahead_ns = (int64_t)10 * 1000000000;
	desk_counts(&d, "t", 0, 1);
	desk_reopen(&d);
	desk_counts(&d, "t", 1, 0);
	d.ix->boot[0] ^= 1;
	desk_counts(&d, "t", 0, 1);
	ahead_ns = (int64_t)200 * 1000000000;
	desk_counts(&d, "t", 1, 0); /* and now it is written as old */
	d.ix->boot[0] ^= 1;
	desk_counts(&d, "t", 1, 0);
	/* Without an id no boot is like another. */
	ahead_ns = (int64_t)10 * 1000000000;
	memset(d.ix->boot, 0, INDEX_BOOT);
	desk_put(&d, "t/x", "hallo\n");
	desk_counts(&d, "t", 0, 1);
	desk_counts(&d, "t", 0, 1);
	desk_remove(&d);
}

/* ---- while it is read ---- */

struct hook {
	struct desk *d;
	int reads, opens;
	int until; /* reads that do something */
	void (*act)(struct hook *);
	const char *path; /* the open that does something */
	struct meter *meter;
};

static int
on_read(void *arg, enum fsio_op op, const char *path)
{
	struct hook *h = arg;

	if (op == FSIO_READ && h->path == NULL && h->reads++ < h->until)
		h->act(h);
	if (op == FSIO_OPEN && h->path != NULL && strcmp(path, h->path) == 0 &&
	    h->opens++ < h->until)
		h->act(h);
	return 0;
}

static void
append(struct hook *h)
{
	int fd = openat(h->d->shop.fd, "t/x", O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_int_equal(write(fd, "more\n", 5), 5);
	(void)close(fd);
}

static void
replace(struct hook *h)
{
	desk_put(h->d, "new", "hallo\n");
	assert_int_equal(renameat(h->d->shop.fd, "new", h->d->shop.fd, "t/x"), 0);
}

static void
drop(struct hook *h)
{
	assert_int_equal(unlinkat(h->d->shop.fd, "t/x", 0), 0);
}

static void
to_fifo(struct hook *h)
{
	drop(h);
	assert_int_equal(mkfifoat(h->d->shop.fd, "t/x", 0600), 0);
}

static void
to_directory(struct hook *h)
{
	drop(h);
	desk_dir(h->d, "t/x");
}

static void
to_link(struct hook *h)
{
	drop(h);
	desk_put(h->d, "other", "hallo\n");
	assert_int_equal(symlinkat("../other", h->d->shop.fd, "t/x"), 0);
}

static void
with_hook(struct desk *d, struct hook *h, void (*act)(struct hook *), int until)
{
	*h = (struct hook){.d = d, .act = act, .until = until};
	fsio_set_fault(on_read, h);
}

static void
start(struct desk *d)
{
	desk_make(d);
	d->o.workers = 1;
	desk_dir(d, "t");
	desk_put(d, "t/x", "hello\n");
}

static void
test_changes_once(void **state)
{
	struct hook h;
	struct desk d;

	(void)state;
	start(&d);
	with_hook(&d, &h, append, 1);
	desk_scan(&d, "t");
	assert_int_equal(d.scan.size, 11);
	assert_true(h.reads > 1);
	with_hook(&d, &h, replace, 1);
	append(&h); /* so that it is read at all */
	desk_scan(&d, "t");
	assert_int_equal(d.scan.size, 6);
	desk_counts(&d, "t", 1, 0);
	with_hook(&d, &h, to_link, 1);
	append(&h);
	desk_scan(&d, "t");
	assert_int_equal(d.scan.size, 6);
	desk_counts(&d, "t", 1, 0);
	with_hook(&d, &h, drop, 1);
	append(&h);
	desk_scan(&d, "t");
	assert_int_equal(d.scan.nfiles, 0);
	desk_remove(&d);
}

/* Growing as fast as it is read, for ever. */
static void
test_grows_for_ever(void **state)
{
	struct batch *b;
	struct hook h;
	struct desk d;

	(void)state;
	start(&d);
	with_hook(&d, &h, append, INT32_MAX);
	desk_refuses(&d, "t", ERR_INVALID, "'t/x' changes while it is read");
	assert_in_range(h.reads, SCAN_TRIES, 4 * SCAN_TRIES);
	desk_refuses(&d, "t/x", ERR_INVALID, "'t/x' changes while it is read");
	assert_int_equal(batch_begin(d.shop.o, NULL, &b, &d.err), 0);
	d.o.into = b;
	desk_refuses(&d, "t", ERR_INVALID, "'t/x' changes while it is read");
	assert_int_equal(batch_end(b, false, &d.err), 0);
	d.o.into = NULL;
	fsio_set_fault(NULL, NULL);
	desk_counts(&d, "t", 0, 1);
	desk_remove(&d);
}

static void
test_becomes_something_else(void **state)
{
	struct hook h;
	struct desk d;

	(void)state;
	start(&d);
	with_hook(&d, &h, to_fifo, 1);
	desk_refuses(&d, "t", ERR_INVALID, "'t/x' is neither a file nor a directory");
	desk_remove(&d);
	start(&d);
	with_hook(&d, &h, to_directory, 1);
	desk_refuses(&d, "t", ERR_INVALID, "'t/x' was a file and is a directory now");
	desk_remove(&d);
}

static void
cancel(struct hook *h)
{
	if (h->reads == 2)
		atomic_store(&h->meter->cancel, true);
}

/* What was read before it was stopped need not be read again. */
static void
test_cancelled(void **state)
{
	struct meter m = {0};
	struct hook h;
	struct desk d;

	(void)state;
	start(&d);
	desk_put(&d, "t/y", "hallo\n");
	desk_put(&d, "t/z", "hallo\n");
	d.o.meter = &m;
	atomic_store(&m.cancel, true);
	desk_refuses(&d, "t", ERR_CANCELLED, "stopped");
	atomic_store(&m.cancel, false);
	with_hook(&d, &h, cancel, 3);
	h.meter = &m;
	desk_refuses(&d, "t", ERR_CANCELLED, "stopped");
	fsio_set_fault(NULL, NULL);
	atomic_store(&m.cancel, false);
	desk_scan(&d, "t");
	assert_in_range(d.scan.stats.known, 1, 2);
	assert_int_equal(d.scan.stats.known + d.scan.stats.hashed, 3);
	desk_remove(&d);
}

/* ---- while it is walked ---- */

static void
remove_dir(struct hook *h)
{
	assert_int_equal(unlinkat(h->d->shop.fd, "t/d/in", 0), 0);
	assert_int_equal(unlinkat(h->d->shop.fd, "t/d", AT_REMOVEDIR), 0);
}

static void
link_dir(struct hook *h)
{
	remove_dir(h);
	assert_int_equal(symlinkat("../outside", h->d->shop.fd, "t/d"), 0);
}

static void
file_dir(struct hook *h)
{
	remove_dir(h);
	desk_put(h->d, "t/d", "x");
}

static void
walk_start(struct desk *d, struct hook *h, void (*act)(struct hook *))
{
	start(d);
	desk_dir(d, "outside");
	desk_put(d, "outside/in", "secret");
	desk_dir(d, "t/d");
	desk_put(d, "t/d/in", "in");
	with_hook(d, h, act, 1);
	h->path = "t/d";
}

static void
test_directory_vanishes(void **state)
{
	struct hook h;
	struct desk d;

	(void)state;
	walk_start(&d, &h, remove_dir);
	desk_counts(&d, "t", 0, 1);
	assert_int_equal(d.scan.nfiles, 1);
	desk_remove(&d);
	walk_start(&d, &h, link_dir);
	desk_refuses(&d, "t", ERR_INVALID, "'t/d' was a directory and is none any more");
	fsio_set_fault(NULL, NULL);
	desk_counts(&d, "t", 0, 1); /* the link is left out */
	desk_remove(&d);
	walk_start(&d, &h, file_dir);
	desk_refuses(&d, "t", ERR_INVALID, "'t/d' was a directory and is none any more");
	desk_remove(&d);
}

/* The same where the kernel has no openat2. */
static int
no_openat2(void *arg, enum fsio_op op, const char *path)
{
	if (op == FSIO_OPENAT2)
		return ENOSYS;
	return on_read(arg, op, path);
}

static void
test_old_kernel(void **state)
{
	struct hook h;
	struct desk d;

	(void)state;
	walk_start(&d, &h, link_dir);
	fsio_set_fault(no_openat2, &h);
	desk_refuses(&d, "t", ERR_INVALID, "'t/d' was a directory and is none any more");
	desk_counts(&d, "t", 0, 1);
	assert_int_equal(symlinkat("t", d.shop.fd, "l"), 0);
	desk_dir(&d, "t/s");
	desk_put(&d, "t/s/deep", "x");
	desk_counts(&d, "t", 1, 1);
	desk_refuses(&d, "l/s/deep", ERR_INVALID, "behind a symbolic link");
	desk_remove(&d);
}

/* ---- what a file system may tell of its names ---- */

#define LONG_NAME (INDEX_NAME_MAX + 1) /* exFAT and NTFS have 255 characters, not bytes */

static struct {
	int twice;     /* so many lists tell their last name twice */
	bool too_long; /* and each a name that is too long */
} telling;

/* Put one more name behind the ${n} bytes of a list that has room for it. */
static long
tell_more(char *dents, long n, const char *name)
{
	size_t len = strlen(name);
	struct dirent64 *e = (void *)(dents + n);

	e->d_reclen =
	    (unsigned short)((offsetof(struct dirent64, d_name) + len + 8) & ~7ul);
	e->d_ino = 1;
	e->d_type = DT_REG;
	memcpy((char *)e + offsetof(struct dirent64, d_name), name, len + 1);
	return n + e->d_reclen;
}

static long
tell(char *dents, long n)
{
	char name[LONG_NAME + 1] = "";
	const struct dirent64 *e;
	long at;

	for (at = 0; at < n; at += e->d_reclen) {
		e = (const void *)(dents + at);
		if (e->d_name[0] != '.')
			(void)snprintf(name, sizeof(name), "%s", e->d_name);
	}
	if (telling.twice > 0 && name[0] != '\0') {
		telling.twice--;
		n = tell_more(dents, n, name);
	}
	if (telling.too_long) {
		memset(name, 'n', LONG_NAME);
		name[LONG_NAME] = '\0';
		n = tell_more(dents, n, name);
	}
	return n;
}

/* The one of libc, with more to tell. */
long
syscall(long number, ...)
{
	static long (*real)(long, ...);
	long a[6], n;
	va_list ap;
	size_t i;

	va_start(ap, number);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (real == NULL) {
		void *at = dlsym(RTLD_NEXT, "syscall");

		memcpy(&real, &at, sizeof(at));
	}
	n = real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	return number == SYS_getdents64 && n > 0 ? tell((char *)a[1], n) : n;
}

/* A name that is too long for this file system is none for that one. */
int
fstatat(int dirfd, const char *name, struct stat *st, int flags)
{
	static int (*real)(int, const char *, struct stat *, int);

	if (real == NULL) {
		void *at = dlsym(RTLD_NEXT, "fstatat");

		memcpy(&real, &at, sizeof(at));
	}
	return real(dirfd, strlen(name) < LONG_NAME ? name : "x", st, flags);
}

/* A name that was replaced while the directory was read may come twice. */
static void
test_told_twice(void **state)
{
	struct desk d;

	(void)state;
	start(&d);
	telling.twice = 1;
	desk_counts(&d, "t", 0, 1);
	assert_int_equal(d.scan.nfiles, 1);
	assert_int_equal(telling.twice, 0);
	telling.twice = 1;
	desk_scan(&d, "t");
	assert_int_equal(d.scan.nfiles, 1);
	assert_int_equal(d.scan.stats.hashed, 0);
	assert_int_equal(telling.twice, 0);
	desk_remove(&d);
}

static void
test_name_too_long(void **state)
{
	struct desk d;

	(void)state;
	start(&d);
	telling.too_long = true;
	desk_refuses(&d, "t", ERR_LIMIT, "has a name of more than 255 bytes");
	telling.too_long = false;
	desk_counts(&d, "t", 0, 1);
	desk_remove(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_racy),
	    cmocka_unit_test(test_clock_stands_still),
	    cmocka_unit_test(test_coarse_stamps),
	    cmocka_unit_test(test_young),
	    cmocka_unit_test(test_changes_once),
	    cmocka_unit_test(test_grows_for_ever),
	    cmocka_unit_test(test_becomes_something_else),
	    cmocka_unit_test(test_cancelled),
	    cmocka_unit_test(test_directory_vanishes),
	    cmocka_unit_test(test_old_kernel),
	    cmocka_unit_test(test_told_twice),
	    cmocka_unit_test(test_name_too_long),
	};

	return cmocka_run_group_tests_name("objects_scan_change", tests, NULL, NULL);
}
