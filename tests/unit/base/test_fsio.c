#include "base/fsio.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/err.h"
#include "unit/base/fault.h"
#include "unit/base/fixture.h"

#define FOREVER 1000000

static void
put(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void
assert_holds(int dir, const char *path, const char *text)
{
	char got[256] = "";
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, got, sizeof(got) - 1) >= 0);
	(void)close(fd);
	assert_string_equal(got, text);
}

static int
entries(int dir)
{
	DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n - 2;
}

static void
test_read_limit(void **state)
{
	struct tmpdir *t = *state;
	struct err err = {0};
	struct buf b;

	put(t->fd, "five", "12345");
	put(t->fd, "empty", "");
	buf_init(&b, 0);
	buf_adds(&b, "before ");
	assert_int_equal(fsio_read(t->fd, "five", 5, &b, &err), 0);
	assert_string_equal(b.p, "before 12345");
	assert_int_equal(fsio_read(t->fd, "five", 4, &b, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_string_equal(err.msg, "'five' is larger than the limit of 4 B");
	assert_string_equal(b.p, "before 12345"); /* nothing of it was added */
	assert_int_equal(fsio_read(t->fd, "five", 0, &b, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(fsio_read(t->fd, "empty", 0, &b, &err), 0);
	assert_int_equal(fsio_read(t->fd, "five", SIZE_MAX, &b, &err), 0);
	buf_release(&b);
	/* The buffer's own maximum counts too, to the byte. */
	buf_init(&b, 5);
	assert_int_equal(fsio_read(t->fd, "five", 100, &b, &err), 0);
	assert_int_equal(fsio_read(t->fd, "five", 100, &b, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(fsio_read(t->fd, "empty", 100, &b, &err), 0);
	buf_release(&b);
}

static void
test_read_kinds(void **state)
{
	struct tmpdir *t = *state;
	struct err err = {0};
	struct buf b;
	int ends[2];

	buf_init(&b, 0);
	assert_int_equal(fsio_read(t->fd, "none", 10, &b, &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_int_equal(fsio_read(t->fd, ".", 10, &b, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, "directory"));
	assert_int_equal(mkfifoat(t->fd, "fifo", 0644), 0);
	assert_int_equal(fsio_read(t->fd, "fifo", 10, &b, &err), -1); /* and no waiting */
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(fsio_read(AT_FDCWD, "/dev/zero", 10, &b, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	/* A file whose size the kernel does not tell. */
	assert_int_equal(fsio_read(AT_FDCWD, "/proc/self/status", 65536, &b, &err), 0);
	assert_true(b.n > 100);
	buf_clear(&b);
	/* A descriptor may be a pipe. */
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "pipe", 4), 4);
	(void)close(ends[1]);
	assert_int_equal(fsio_read_fd(ends[0], 4, &b, &err), 0);
	assert_string_equal(b.p, "pipe");
	(void)close(ends[0]);
	assert_int_equal(fsio_read_fd(-1, 4, &b, &err), -1);
	assert_int_equal(err.sys, EBADF);
	buf_release(&b);
}

static void
test_read_faults(void **state)
{
	struct tmpdir *t = *state;
	struct fault eintr = {FSIO_READ, 1, 3, EINTR, 0};
	struct fault shorts = {FSIO_READ, 1, FOREVER, -1, 0};
	struct fault eio = {FSIO_READ, 2, 1, EIO, 0};
	struct fault open_eintr = {FSIO_OPEN, 1, 2, EINTR, 0};
	struct fault open_eio = {FSIO_OPEN, 1, 1, EIO, 0};
	struct err err = {0};
	struct buf b;

	put(t->fd, "f", "1234567890");
	buf_init(&b, 0);
	fault_start(&eintr);
	assert_int_equal(fsio_read(t->fd, "f", 10, &b, &err), 0);
	fault_start(&shorts);
	assert_int_equal(fsio_read(t->fd, "f", 10, &b, &err), 0);
	assert_string_equal(b.p, "12345678901234567890");
	assert_int_equal(fsio_read(t->fd, "f", 9, &b, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	fault_start(&open_eintr);
	assert_int_equal(fsio_read(t->fd, "f", 10, &b, &err), 0);
	fault_start(&eio);
	assert_int_equal(fsio_read(t->fd, "f", 10, &b, &err), -1);
	assert_int_equal(err.sys, EIO);
	assert_int_equal(b.n, 30);
	fault_start(&open_eio);
	assert_int_equal(fsio_read(t->fd, "f", 10, &b, &err), -1);
	assert_int_equal(err.sys, EIO);
	fault_end();
	buf_release(&b);
}

static void
test_write_all(void **state)
{
	struct tmpdir *t = *state;
	struct fault shorts = {FSIO_WRITE, 1, FOREVER, -3, 0};
	struct fault eintr = {FSIO_WRITE, 2, 2, EINTR, 0};
	struct fault full = {FSIO_WRITE, 3, FOREVER, ENOSPC, 0};
	int fd = openat(t->fd, "f", O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	fault_start(&shorts);
	assert_int_equal(fsio_write_all(fd, "0123456789", 10), 0);
	assert_int_equal(shorts.seen, 4);
	assert_holds(t->fd, "f", "0123456789");
	fault_start(&eintr);
	assert_int_equal(fsio_write_all(fd, "x", 1), 0);
	assert_int_equal(fsio_write_all(fd, "yz", 2), 0);
	assert_holds(t->fd, "f", "0123456789xyz");
	fault_start(&full);
	assert_int_equal(fsio_write_all(fd, "1", 1), 0);
	assert_int_equal(fsio_write_all(fd, "2", 1), 0);
	assert_int_equal(fsio_write_all(fd, "3", 1), -1);
	assert_int_equal(errno, ENOSPC);
	fault_end();
	assert_int_equal(fsio_write_all(fd, "", 0), 0);
	(void)close(fd);
	assert_int_equal(fsio_write_all(fd, "x", 1), -1);
	assert_int_equal(errno, EBADF);
}

static void
test_replace(void **state)
{
	struct tmpdir *t = *state;
	struct err err = {0};
	struct stat st;
	uint64_t syncs;
	mode_t mask = umask(022);

	syncs = fsio_syncs();
	assert_int_equal(fsio_replace(t->fd, "f", "old", 3, 0666, &err), 0);
	assert_int_equal(fsio_syncs() - syncs, 2); /* the file and its directory */
	assert_holds(t->fd, "f", "old");
	assert_int_equal(fstatat(t->fd, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(fsio_replace(t->fd, "f", "", 0, 0600, &err), 0);
	assert_holds(t->fd, "f", "");
	assert_int_equal(mkdirat(t->fd, "d", 0755), 0);
	assert_int_equal(fsio_replace(t->fd, "d/g", "below", 5, 0600, &err), 0);
	assert_holds(t->fd, "d/g", "below");
	/* A link is replaced, what it points to stays. */
	assert_int_equal(symlinkat("d/g", t->fd, "link"), 0);
	assert_int_equal(fsio_replace(t->fd, "link", "new", 3, 0600, &err), 0);
	assert_holds(t->fd, "d/g", "below");
	assert_int_equal(fstatat(t->fd, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(entries(t->fd), 3); /* f d link */
	assert_int_equal(fsio_replace(t->fd, "d", "x", 1, 0600, &err), -1);
	assert_int_equal(err.sys, EISDIR);
	assert_int_equal(fsio_replace(t->fd, "none/x", "x", 1, 0600, &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_int_equal(fsio_replace(t->fd, "f/x", "x", 1, 0600, &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_int_equal(fsio_replace(t->fd, "", "x", 1, 0600, &err), -1);
	assert_int_equal(fsio_replace(t->fd, "d/", "x", 1, 0600, &err), -1);
	assert_int_equal(entries(t->fd), 3);
	(void)umask(mask);
}

static void
test_replace_faults(void **state)
{
	static const struct {
		struct fault fault;
		enum err_code code;
	} cases[] = {
	    {{FSIO_OPEN, 1, 1, EACCES, 0}, ERR_SYS}, /* the directory */
	    {{FSIO_OPEN, 2, 1, EMFILE, 0}, ERR_SYS},
	    {{FSIO_OPEN, 2, FOREVER, EEXIST, 0}, ERR_EXISTS},
	    {{FSIO_WRITE, 1, 1, ENOSPC, 0}, ERR_FULL},
	    {{FSIO_WRITE, 1, 1, EDQUOT, 0}, ERR_FULL},
	    {{FSIO_WRITE, 1, 1, EIO, 0}, ERR_SYS},
	    {{FSIO_SYNC, 1, 1, EIO, 0}, ERR_SYS},
	    {{FSIO_SYNC, 1, 1, ENOSPC, 0}, ERR_FULL},
	    {{FSIO_RENAME, 1, 1, EIO, 0}, ERR_SYS},
	    {{FSIO_RENAME, 1, 1, ENOSPC, 0}, ERR_FULL},
	};
	struct tmpdir *t = *state;
	struct fault dir_sync = {FSIO_SYNC, 2, 1, EIO, 0}, f;
	struct err err = {0};
	size_t i;

	put(t->fd, "f", "old");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f = cases[i].fault;
		fault_start(&f);
		assert_int_equal(fsio_replace(t->fd, "f", "new", 3, 0600, &err), -1);
		fault_end();
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(err.sys, f.answer);
		assert_non_null(strstr(err.msg, "'f'"));
		assert_holds(t->fd, "f", "old");
		assert_int_equal(entries(t->fd), 1);
	}
	/* An fsync that failed is not tried again: its pages count as clean now. */
	f = (struct fault){FSIO_SYNC, 1, 1, EIO, 0};
	fault_start(&f);
	assert_int_equal(fsio_replace(t->fd, "f", "new", 3, 0600, &err), -1);
	assert_int_equal(f.seen, 1);
	/* The last fsync failed: said so, though the new file is there already. */
	fault_start(&dir_sync);
	assert_int_equal(fsio_replace(t->fd, "f", "new", 3, 0600, &err), -1);
	fault_end();
	assert_int_equal(err.sys, EIO);
	assert_non_null(strstr(err.msg, "directory"));
	assert_holds(t->fd, "f", "new");
	assert_int_equal(entries(t->fd), 1);
}

static void
test_replace_goes_on(void **state)
{
	struct tmpdir *t = *state;
	static struct fault faults[] = {
	    {FSIO_WRITE, 1, FOREVER, -1, 0}, {FSIO_WRITE, 1, 5, EINTR, 0},
	    {FSIO_SYNC, 1, 2, EINTR, 0},     {FSIO_OPEN, 2, 3, EEXIST, 0},
	    {FSIO_OPEN, 1, 3, EINTR, 0},     {FSIO_SYNC, 2, 1, EINVAL, 0},
	};
	struct err err = {0};
	char text[8];
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		(void)snprintf(text, sizeof(text), "text%zu", i);
		fault_start(&faults[i]);
		assert_int_equal(fsio_replace(t->fd, "f", text, 5, 0600, &err), 0);
		fault_end();
		assert_holds(t->fd, "f", text);
		assert_int_equal(entries(t->fd), 1);
	}
}

/* Dying anywhere in between leaves the old file or the new one, whole. */
static void
test_replace_torn(void **state)
{
	static const struct {
		enum fsio_op op;
		int at;
		const char *left;
	} cases[] = {
	    {FSIO_OPEN, 1, "old"},   {FSIO_OPEN, 2, "old"}, {FSIO_WRITE, 1, "old"},
	    {FSIO_WRITE, 2, "old"},  {FSIO_SYNC, 1, "old"}, {FSIO_RENAME, 1, "old"},
	    {FSIO_SYNC, 2, "newer"},
	};
	struct tmpdir *t = *state;
	struct fault f;
	struct err err = {0};
	size_t i;
	pid_t pid;
	int status;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put(t->fd, "f", "old");
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			/* A file size limit makes real short writes, of 2 bytes. */
			f = (struct fault){cases[i].op, cases[i].at, 1, FAULT_EXIT, 0};
			if (cases[i].op == FSIO_WRITE && cases[i].at == 2) {
				(void)signal(SIGXFSZ, SIG_IGN);
				(void)setrlimit(RLIMIT_FSIZE, &(struct rlimit){2, 2});
			}
			fault_start(&f);
			(void)fsio_replace(t->fd, "f", "newer", 5, 0600, &err);
			_exit(1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_holds(t->fd, "f", cases[i].left);
	}
}

/* The kernel's own refusals: a limit of file size, and a file system that is full. */
static void
test_replace_really_full(void **state)
{
	struct tmpdir *t = *state;
	static char big[200000];
	struct err err = {0};
	int status, dir;
	pid_t pid;

	put(t->fd, "f", "old");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)signal(SIGXFSZ, SIG_IGN);
		(void)setrlimit(RLIMIT_FSIZE, &(struct rlimit){1000, 1000});
		_exit(fsio_replace(t->fd, "f", big, sizeof(big), 0600, &err) == -1 &&
			      err.code == ERR_FULL && entries(t->fd) == 1
			  ? 0
			  : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_holds(t->fd, "f", "old");

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) != 0 ||
		    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		    mount("none", t->path, "tmpfs", 0, "size=64k") != 0)
			_exit(77);
		dir = open(t->path, O_RDONLY | O_DIRECTORY);
		if (fsio_replace(dir, "f", "old", 3, 0600, &err) != 0)
			_exit(1);
		if (fsio_replace(dir, "f", big, sizeof(big), 0600, &err) != -1 ||
		    err.code != ERR_FULL || err.sys != ENOSPC || entries(dir) != 1)
			_exit(2);
		/* The room is there again. */
		_exit(fsio_replace(dir, "f", big, 30000, 0600, &err) == 0 ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static void
test_mkdirs(void **state)
{
	struct tmpdir *t = *state;
	struct fault eio = {FSIO_MKDIR, 3, 1, EIO, 0}; /* the whole, x, x/y */
	struct err err = {0};
	struct stat st;
	mode_t mask = umask(022);

	assert_int_equal(fsio_mkdirs(t->fd, "a/b/c", 0777, &err), 0);
	assert_int_equal(fstatat(t->fd, "a/b/c", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(fsio_mkdirs(t->fd, "a/b/c", 0777, &err), 0);
	assert_int_equal(fsio_mkdirs(t->fd, "a//b/./c/../d/", 0700, &err), 0);
	assert_int_equal(fstatat(t->fd, "a/b/d", &st, 0), 0);
	assert_int_equal(symlinkat("a", t->fd, "link"), 0);
	assert_int_equal(fsio_mkdirs(t->fd, "link/e", 0700, &err), 0);
	assert_int_equal(fstatat(t->fd, "a/e", &st, 0), 0);
	assert_int_equal(fsio_mkdirs(AT_FDCWD, "/", 0700, &err), 0);
	assert_int_equal(fsio_mkdirs(AT_FDCWD, t->path, 0700, &err), 0);
	put(t->fd, "file", "");
	assert_int_equal(fsio_mkdirs(t->fd, "file", 0700, &err), -1);
	assert_int_equal(err.sys, ENOTDIR);
	assert_int_equal(fsio_mkdirs(t->fd, "file/x/y", 0700, &err), -1);
	assert_int_equal(err.sys, ENOTDIR);
	assert_string_equal(err.msg, "cannot make directory 'file': Not a directory");
	assert_int_equal(fsio_mkdirs(t->fd, "", 0700, &err), -1);
	assert_int_equal(symlinkat("nothing", t->fd, "dangling"), 0);
	assert_int_equal(fsio_mkdirs(t->fd, "dangling/x", 0700, &err), -1);
	fault_start(&eio);
	assert_int_equal(fsio_mkdirs(t->fd, "x/y/z", 0700, &err), -1);
	fault_end();
	assert_string_equal(err.msg, "cannot make directory 'x/y': Input/output error");
	(void)umask(mask);
}

static void
test_sync_by_name(void **state)
{
	struct tmpdir *t = *state;
	struct fault eio = {FSIO_SYNC, 1, 1, EIO, 0},
		     einval = {FSIO_SYNC, 1, 1, EINVAL, 0};
	struct err err = {0};
	uint64_t syncs = fsio_syncs();

	put(t->fd, "f", "x");
	assert_int_equal(fsio_sync_file(t->fd, "f", &err), 0);
	assert_int_equal(fsio_sync_dir(t->fd, ".", &err), 0);
	assert_int_equal(fsio_syncs() - syncs, 2);
	assert_int_equal(fsio_sync_file(t->fd, "none", &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_int_equal(fsio_sync_dir(t->fd, "f", &err), -1);
	assert_int_equal(err.sys, ENOTDIR);
	fault_start(&eio);
	assert_int_equal(fsio_sync_file(t->fd, "f", &err), -1);
	assert_int_equal(err.sys, EIO);
	fault_start(&eio);
	assert_int_equal(fsio_sync_dir(t->fd, ".", &err), -1);
	fault_start(&einval);
	assert_int_equal(fsio_sync_dir(t->fd, ".", &err), 0);
	fault_start(&einval);
	assert_int_equal(fsio_sync_file(t->fd, "f", &err), -1);
	fault_end();
}

static void
test_realpath(void **state)
{
	struct tmpdir *t = *state;
	struct err err = {0};
	char path[128], *real, *again;

	assert_int_equal(mkdirat(t->fd, "d", 0755), 0);
	assert_int_equal(symlinkat("d/../d", t->fd, "l"), 0);
	(void)snprintf(path, sizeof(path), "%s/./l/", t->path);
	real = fsio_realpath(path, &err);
	assert_non_null(real);
	(void)snprintf(path, sizeof(path), "%s/d", t->path);
	again = fsio_realpath(path, &err);
	assert_string_equal(real, again);
	free(real);
	free(again);
	(void)snprintf(path, sizeof(path), "%s/none", t->path);
	assert_null(fsio_realpath(path, &err));
	assert_int_equal(err.code, ERR_NOTFOUND);
}

#define in_tmpdir(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    in_tmpdir(test_read_limit),
	    in_tmpdir(test_read_kinds),
	    in_tmpdir(test_read_faults),
	    in_tmpdir(test_write_all),
	    in_tmpdir(test_replace),
	    in_tmpdir(test_replace_faults),
	    in_tmpdir(test_replace_goes_on),
	    in_tmpdir(test_replace_torn),
	    in_tmpdir(test_replace_really_full),
	    in_tmpdir(test_mkdirs),
	    in_tmpdir(test_sync_by_name),
	    in_tmpdir(test_realpath),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
