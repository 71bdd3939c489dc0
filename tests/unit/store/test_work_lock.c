#include "unit/store/store_test.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <time.h>

#include "unit/memory.h"

#include "store/dvc/path_lock.h"
#include "store/dvc/work_lock.h"
#include "store/meter.h"

static struct err err;

/* A process that holds a lock as DVC does, until it is killed. */
static pid_t
hold(const struct place *pl, const char *name, const char *content)
{
	char path[128], byte;
	int pipes[2], fd;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	(void)snprintf(path, sizeof(path), "%s/%s", pl->dir, name);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
		if (fd == -1 || flock(fd, LOCK_EX | LOCK_NB) != 0)
			_exit(1);
		if (content != NULL)
			(void)!write(fd, content, strlen(content));
		else
			(void)dprintf(fd, " %ld\n", (long)getpid());
		(void)!write(pipes[1], "x", 1);
		for (;;)
			(void)pause();
	}
	(void)close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	(void)close(pipes[0]);
	return pid;
}

static void
let_go(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	(void)child_status(pid);
}

static char said[256];

static void
waiting(void *ctx, const char *who)
{
	(void)snprintf(said, sizeof(said), "%s", who);
	if (ctx != NULL)
		let_go(*(pid_t *)ctx);
}

static void
test_take(void **state)
{
	struct work_lock_options o = {.path = ".dvc/tmp/lock", .waiting = waiting};
	char want[64];
	struct place pl;
	struct stat st;
	pid_t pid;
	int fd;

	(void)state;
	place_make(&pl);
	o.dir_fd = pl.p.root_fd;
	(void)umask(0022);
	fd = work_lock_take(&o, &err);
	assert_true(fd >= 0);
	(void)snprintf(want, sizeof(want), " %ld\n", (long)getpid());
	assert_string_equal(slurp(pl.dir, ".dvc/tmp/lock"), want);
	assert_int_equal(fstatat(o.dir_fd, o.path, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(work_lock_take(&o, &err), -1);
	assert_int_equal(err.code, ERR_BUSY);
	(void)snprintf(want, sizeof(want), "is in use by process %ld (", (long)getpid());
	says(want);
	work_lock_drop(fd);

	/* DVC has it, and what it wrote is longer than ours. */
	pid = hold(&pl, ".dvc/tmp/lock", NULL);
	assert_int_equal(work_lock_take(&o, &err), -1);
	(void)snprintf(want, sizeof(want), "process %ld (", (long)pid);
	says(want);
	o.wait_us = 60000;
	said[0] = '\0';
	assert_int_equal(work_lock_take(&o, &err), -1);
	assert_int_equal(err.code, ERR_BUSY);
	assert_int_equal(strncmp(said, want, strlen(want)), 0);
	/* Told for whom we wait, that one ends. */
	o.wait_us = 60000000;
	o.ctx = &pid;
	fd = work_lock_take(&o, &err);
	assert_true(fd >= 0);
	work_lock_drop(fd);
	work_lock_drop(-1);
	place_remove(&pl);
}

/* What is in the file need not be a number. */
static void
test_strange(void **state)
{
	struct work_lock_options o = {.path = "lock"};
	static const char *const table[] = {"", "x", " 0\n", " 99999999999999999999\n",
					    " 999999998 \n"};
	struct place pl;
	pid_t pid;

	(void)state;
	place_make(&pl);
	o.dir_fd = pl.p.root_fd;
	for (size_t i = 0; i < 5; i++) {
		spill(pl.dir, "lock", "");
		pid = hold(&pl, "lock", table[i]);
		assert_int_equal(work_lock_take(&o, &err), -1);
		assert_int_equal(err.code, ERR_BUSY);
		says(i < 3 ? "by another process" : "by process 99999999");
		let_go(pid);
	}
	o.path = ".dag";
	assert_int_equal(work_lock_take(&o, &err), -1);
	assert_int_equal(err.code, ERR_SYS);
	place_remove(&pl);
}

static void
cancel(void *ctx, const char *who)
{
	struct meter *m = ctx;

	(void)who;
	atomic_store(&m->cancel, true);
}

static void
test_cancel(void **state)
{
	struct meter m = {.cancel = false};
	struct work_lock_options o = {.path = "lock",
				      .wait_us = 60000000,
				      .meter = &m,
				      .waiting = cancel,
				      .ctx = &m};
	struct place pl;
	pid_t pid;

	(void)state;
	place_make(&pl);
	o.dir_fd = pl.p.root_fd;
	pid = hold(&pl, "lock", NULL);
	assert_int_equal(work_lock_take(&o, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	let_go(pid);
	place_remove(&pl);
}

/* ---- paths ---- */

static struct place pl;
static int tmp_fd;

static int
setup(void **state)
{
	(void)state;
	place_make(&pl);
	make_dir(pl.dir, "tmp");
	tmp_fd = openat(pl.p.root_fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return tmp_fd >= 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(tmp_fd);
	place_remove(&pl);
	return 0;
}

static int
take(const char *path, bool write, const char *cmd, struct path_lock **out)
{
	struct path_lock_options o = {.tmp_fd = tmp_fd, .cmd = cmd};
	struct path_lock_want w = {path, write};

	return path_lock_take(&o, &w, 1, out, &err);
}

static void
test_paths(void **state)
{
	static const struct {
		const char *path;
		bool write;
		bool busy;
	} table[] = {
	    {"/r/w", true, true},    {"/r/w", false, true},    {"/r/w/x", true, true},
	    {"/r/w/x", false, true}, {"/r", true, true},       {"/r", false, true},
	    {"/r/wx", true, false},  {"/r/q", true, true},     {"/r/q", false, false},
	    {"/r/q/y", true, true},  {"/r/q/y", false, false},
	};
	struct path_lock_options o = {.tmp_fd = tmp_fd, .cmd = "first"};
	struct path_lock_want w[] = {{"/r/w", true}, {"/r/q", false}};
	struct path_lock *l, *m;
	char want[256];

	(void)state;
	ok(path_lock_take(&o, w, 2, &l, &err));
	(void)snprintf(want, sizeof(want),
		       "{\"write\":{\"/r/w\":{\"pid\":%ld,\"cmd\":\"first\"}},"
		       "\"read\":{\"/r/q\":[{\"pid\":%ld,\"cmd\":\"first\"}]}}",
		       (long)getpid(), (long)getpid());
	assert_string_equal(slurp(pl.dir, "tmp/rwlock"), want);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].busy) {
			fails(take(table[i].path, table[i].write, "second", &m),
			      ERR_BUSY);
			says("is in use by process");
			says("(first)");
			assert_string_equal(slurp(pl.dir, "tmp/rwlock"), want);
		} else {
			ok(take(table[i].path, table[i].write, "second", &m));
			ok(path_lock_drop(m, &err));
		}
	}
	/* The same once more is no new one, and giving it back leaves the first. */
	ok(path_lock_take(&o, w, 2, &m, &err));
	ok(path_lock_drop(m, &err));
	fails(take("/r/w", true, "second", &m), ERR_BUSY);
	ok(path_lock_drop(l, &err));
	assert_string_equal(slurp(pl.dir, "tmp/rwlock"), "{}");
	fails(take("/r/\xff", true, "me", &m), ERR_INVALID);
	says("is not UTF-8");
	ok(path_lock_drop(NULL, &err));
}

static void
test_dead(void **state)
{
	struct path_lock *l;
	pid_t pid = fork();
	char text[256];

	(void)state;
	if (pid == 0)
		_exit(0);
	(void)snprintf(
	    text, sizeof(text),
	    "{\"write\": {\"/r/w\": {\"pid\": %ld, \"cmd\": \"x\"}}, \"read\": "
	    "{\"/r/w\": [{\"pid\": 0, \"cmd\": \"y\"}, {\"pid\": %ld, \"cmd\": "
	    "\"z\"}], \"/q\": [{\"pid\": 1, \"cmd\": \"init\"}]}}",
	    (long)pid, (long)pid);
	/* Its parent need not know yet. */
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	for (int reaped = 0; reaped < 2; reaped++) {
		if (reaped)
			(void)child_status(pid);
		spill(pl.dir, "tmp/rwlock", text);
		ok(take("/r", true, "me", &l));
		ok(path_lock_drop(l, &err));
		assert_string_equal(slurp(pl.dir, "tmp/rwlock"),
				    "{\"read\":{\"/q\":[{\"pid\":1,\"cmd\":\"init\"}]}}");
	}
	fails(take("/q", true, "me", &l), ERR_BUSY);
	says("by process 1 (init)");
}

static ino_t
rwlock_inode(void)
{
	struct stat st;

	assert_int_equal(fstatat(tmp_fd, "rwlock", &st, 0), 0);
	return st.st_ino;
}

/* It stays one file as long as that is small and nobody else's: one that has another name, too,
 * is never written through it. */
static void
test_place(void **state)
{
	static const int sizes[] = {1, 3900, 2, 4200, 3};
	struct path_lock *l, *m;
	char path[4300];
	ino_t was;

	(void)state;
	ok(take("/r/w", true, "me", &l));
	ok(path_lock_drop(l, &err));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		was = rwlock_inode();
		(void)snprintf(path, sizeof(path), "/%0*d", sizes[i], 1);
		ok(take(path, true, "me", &l));
		assert_int_equal(rwlock_inode() == was, sizes[i] < 4000);
		fails(take(path, false, "another", &m), ERR_BUSY);
		was = rwlock_inode();
		ok(path_lock_drop(l, &err));
		assert_int_equal(rwlock_inode() == was, sizes[i] < 4000);
		assert_string_equal(slurp(pl.dir, "tmp/rwlock"), "{}");
	}
	assert_int_equal(linkat(tmp_fd, "rwlock", tmp_fd, "link", 0), 0);
	ok(take("/r/w", true, "me", &l));
	assert_string_equal(slurp(pl.dir, "tmp/link"), "{}");
	ok(path_lock_drop(l, &err));
	(void)unlinkat(tmp_fd, "link", 0);
	(void)unlinkat(tmp_fd, "rwlock", 0);
}

/* Looking at what others have locked: nothing is made, and the dead do not count. */
static void
test_look(void **state)
{
	struct path_locks *l;
	char text[256];
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	(void)child_status(pid);
	ok(path_locks_read(tmp_fd, &l, &err));
	ok(path_locks_check(l, "/r/w", &err));
	path_locks_free(l);
	assert_int_not_equal(faccessat(tmp_fd, "rwlock.lock", F_OK, 0), 0);
	(void)snprintf(
	    text, sizeof(text),
	    "{\"write\": {\"/r/w\": {\"pid\": 1, \"cmd\": \"init\"}, \"/r/d\": "
	    "{\"pid\": %ld, \"cmd\": \"x\"}}, \"read\": {\"/q\": [{\"pid\": 1, "
	    "\"cmd\": \"init\"}]}}",
	    (long)pid);
	spill(pl.dir, "tmp/rwlock", text);
	ok(path_locks_read(tmp_fd, &l, &err));
	fails(path_locks_check(l, "/r/w", &err), ERR_BUSY);
	says("'/r/w' is in use by process 1 (init)");
	fails(path_locks_check(l, "/r", &err), ERR_BUSY);
	fails(path_locks_check(l, "/q/a", &err), ERR_BUSY);
	ok(path_locks_check(l, "/r/d", &err));
	ok(path_locks_check(l, "/r/w2", &err));
	path_locks_free(l);
	assert_string_equal(slurp(pl.dir, "tmp/rwlock"), text);
	path_locks_free(NULL);
	spill(pl.dir, "tmp/rwlock", "{");
	fails(path_locks_read(tmp_fd, &l, &err), ERR_CORRUPT);
	(void)unlinkat(tmp_fd, "rwlock", 0);
}

static void
test_corrupt(void **state)
{
	static const char *const table[] = {
	    "",
	    "{",
	    "[]",
	    "{\"write\": []}",
	    "{\"wrote\": {}}",
	    "{\"write\": {\"/a\": []}}",
	    "{\"read\": {\"/a\": {\"pid\": 1, \"cmd\": \"\"}}}",
	    "{\"read\": {\"/a\": [{\"pid\": \"1\", \"cmd\": \"\"}]}}",
	};
	struct path_lock *l;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		spill(pl.dir, "tmp/rwlock", table[i]);
		fails(take("/b", true, "me", &l), ERR_CORRUPT);
		assert_string_equal(slurp(pl.dir, "tmp/rwlock"), table[i]);
	}
	(void)unlinkat(tmp_fd, "rwlock", 0);
}

static int
run_paths(void *ctx, struct err *e)
{
	struct path_lock_options o = {.tmp_fd = tmp_fd, .cmd = "first"};
	struct path_lock_want w[] = {{"/r/w", true}, {"/r/q", false}};
	struct path_lock *l;

	(void)ctx;
	if (path_lock_take(&o, w, 2, &l, e) != 0)
		return -1;
	return path_lock_drop(l, e);
}

/* Somebody who lives reads another path. */
static void
others(void *ctx)
{
	char text[128];

	(void)ctx;
	(void)snprintf(text, sizeof(text),
		       "{\"read\": {\"/r/o\": [{\"pid\": %d, \"cmd\": \"other\"}]}}",
		       (int)getpid());
	spill(pl.dir, "tmp/rwlock", text);
}

static void
test_memory(void **state)
{
	struct memory_call c = {"paths", others, run_paths, NULL, NULL, 0};

	(void)state;
	assert_true(memory_fail_each(&c) > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_take),
	    cmocka_unit_test(test_strange),
	    cmocka_unit_test(test_cancel),
	    cmocka_unit_test_setup_teardown(test_paths, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_dead, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_place, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_look, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_corrupt, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
	};

	return cmocka_run_group_tests_name("store/dvc/work_lock", tests, NULL, NULL);
}
