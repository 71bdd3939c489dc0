/* How often the disk is asked to be durable, and what happens when it cannot. */
#include "unit/store/meta_test.h"

#include <stdatomic.h>
#include <sys/syscall.h>

#include "store/meta_internal.h"

static _Atomic int syncs;
static _Atomic bool failing;

/* In place of libc's, also for SQLite: symbols of the program come first. */
static int
sync_by(long call, int fd)
{
	syncs++;
	if (failing) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(call, fd);
}

int
fsync(int fd)
{
	return sync_by(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	return sync_by(SYS_fdatasync, fd);
}

static void
test_one_sync_a_commit(void **state)
{
	struct place pl;
	struct meta_op ops[5];
	struct meta *m;
	char run[META_RUN_ID];
	uint32_t i;
	int before;

	(void)state;
	place_make(&pl);
	before = syncs;
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	assert_true(syncs > before); /* the file's name */
	make_run(m, "demo", run, 3);
	for (i = 1; i <= 50; i++) {
		ops[0] = op_insert(run, "a", i);
		ops[1] = op_update(run, "a", i, TASK_RUNNING);
		ops[2] = op_end(run, "a", i, RESULT_SUCCESS);
		ops[3] = op_task(run, "a", TASK_DONE, RESULT_SUCCESS);
		ops[4] = op_task(run, "a", TASK_WAITING, RESULT_NONE);
		before = syncs;
		commit(m, ops, 5);
		assert_int_equal(syncs - before, 1);
	}
	before = syncs;
	commit(m, ops, 0); /* nothing to do costs nothing */
	assert_int_equal(syncs, before);
	(void)task_of(m, run, "a");
	assert_int_equal(syncs, before);
	meta_close(m);
	place_remove(&pl);
}

/* What an fsync could not write is lost, whatever a second one says: the connection is of no
 * use any more, and nothing was acknowledged. */
static void
test_failed_sync_is_final(void **state)
{
	struct place pl;
	struct meta_op op;
	struct meta *m;
	char run[META_RUN_ID];

	(void)state;
	place_make(&pl);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	make_run(m, "demo", run, 3);
	op = op_insert(run, "a", 1);
	failing = true;
	fails(meta_commit(m, &op, 1, NULL, &err), ERR_SYS);
	says("the disk failed");
	failing = false;
	fails(meta_commit(m, &op, 1, NULL, &err), ERR_SYS);
	says("the disk failed");
	fails(meta_run_take(m, run, BOOT, &(int64_t){0}, &err), ERR_SYS);
	meta_close(m);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	ok(meta_check(m, true, &err));
	make_run(m, "demo", run, 3);
	op = op_insert(run, "a", 1);
	commit(m, &op, 1);
	/* The same in a checkpoint. */
	failing = true;
	assert_int_equal(db_checkpoint(&m->db, NULL), -1);
	failing = false;
	op = op_insert(run, "b", 1);
	fails(meta_commit(m, &op, 1, NULL, &err), ERR_SYS);
	meta_close(m);
	place_remove(&pl);
}

/* The WAL that exists ahead of its use: as long as asked, and an empty log to whoever finds
 * it, also after the owner's death. */
static void
test_extended_wal(void **state)
{
	struct place pl;
	struct meta *m, *r;
	char run[META_RUN_ID];
	struct stat st;
	pid_t pid;

	(void)state;
	place_make(&pl);
	pid = fork();
	if (pid == 0) {
		ok(meta_open(&pl.p, META_WRITE, &m, &err));
		db_extend_wal(&m->db, 1 << 20);
		make_run(m, "demo", run, 3);
		db_extend_wal(&m->db, 1 << 20); /* no shorter, nothing lost */
		make_run(m, "demo", run, 3);
		_exit(0);
	}
	assert_int_equal(child_status(pid), 0);
	assert_int_equal(fstatat(pl.p.state_fd, "dag.db-wal", &st, 0), 0);
	assert_true(st.st_size >= 1 << 20);
	ok(meta_open(&pl.p, META_READ, &r, &err));
	ok(meta_check(r, true, &err));
	{
		struct meta_run_filter all = {.state = -1, .result = -1, .limit = 10};
		struct arena *a = arena_new(0);
		struct meta_run *v;
		size_t n;

		ok(meta_runs(r, &all, a, &v, &n, &err));
		assert_int_equal(n, 2);
		arena_free(a);
	}
	meta_close(r);
	place_remove(&pl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_sync_a_commit),
	    cmocka_unit_test(test_failed_sync_is_final),
	    cmocka_unit_test(test_extended_wal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
