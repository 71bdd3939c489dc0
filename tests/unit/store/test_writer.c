/* The gate and the writer thread. */
#include "unit/store/meta_test.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "store/gate.h"
#include "store/meta_internal.h"

struct fixture {
	struct place pl;
	int fd; /* eventfd that done() writes to */
	struct meta_writer *w;
	struct meta *m;
};

static void
wake(void *ctx)
{
	struct fixture *f = ctx;
	uint64_t one = 1;

	assert_int_equal(write(f->fd, &one, sizeof(one)), sizeof(one));
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	place_make(&f->pl);
	f->fd = eventfd(0, EFD_CLOEXEC);
	assert_true(f->fd >= 0);
	ok(meta_open(&f->pl.p, META_WRITE, &f->m, &err));
	ok(meta_writer_start(&f->pl.p, wake, f, &f->w, &err));
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	meta_writer_stop(f->w);
	meta_close(f->m);
	close(f->fd);
	place_remove(&f->pl);
	free(f);
	return 0;
}

/* Wait for the end of the batch. */
static int
wait_result(struct fixture *f, const struct meta_op **stale)
{
	uint64_t count;
	int rc;

	assert_int_equal(read(f->fd, &count, sizeof(count)), sizeof(count));
	assert_int_equal(count, 1);
	err_clear(&err);
	assert_int_equal(meta_writer_result(f->w, &rc, stale, &err), 1);
	assert_int_equal(meta_writer_result(f->w, &rc, stale, &err), 0);
	return rc;
}

static void
test_batches(void **state)
{
	struct fixture *f = *state;
	const struct meta_op *stale;
	char run[META_RUN_ID];
	struct meta_op ops[2];
	uint32_t i;
	int rc;

	make_run(f->m, "demo", run, 2);
	assert_int_equal(meta_writer_result(f->w, &rc, &stale, &err), 0);
	for (i = 1; i <= 200; i++) {
		ops[0] = op_insert(run, "a", i);
		ops[1] = op_end(run, "a", i, RESULT_FAILED);
		meta_writer_submit(f->w, ops, 2);
		assert_int_equal(wait_result(f, &stale), 0);
		assert_null(stale);
	}
	assert_int_equal(task_of(f->m, run, "a").attempt, 200);
	ops[0].epoch = 7;
	meta_writer_submit(f->w, ops, 1);
	assert_int_equal(wait_result(f, &stale), 0);
	assert_ptr_equal(stale, &ops[0]);
	ops[0] = op_insert(run, "nobody", 1);
	meta_writer_submit(f->w, ops, 1);
	assert_int_equal(wait_result(f, &stale), -1);
	says("nobody");
	ops[0] = op_insert(run, "b", 1);
	meta_writer_submit(f->w, ops, 1);
	assert_int_equal(wait_result(f, &stale), 0);
}

/* Stopping waits for the batch under way. */
static void
test_stop_waits(void **state)
{
	struct fixture *f = *state;
	char run[META_RUN_ID];
	struct meta_op op;

	make_run(f->m, "demo", run, 1);
	op = op_insert(run, "a", 1);
	meta_writer_submit(f->w, &op, 1);
	meta_writer_stop(f->w);
	f->w = NULL;
	assert_int_equal(task_of(f->m, run, "a").attempt, 1);
	meta_writer_stop(NULL);
}

/* The WAL stays short however much is written: checkpoints between batches. */
static void
test_wal_is_bounded(void **state)
{
	static char big[60000];
	struct fixture *f = *state;
	const struct meta_op *stale;
	char run[META_RUN_ID];
	struct meta_op ops[2];
	struct meta_kv kv = {"k", big, sizeof(big)};
	struct stat st;
	off_t longest = 0;
	uint32_t i;

	memset(big, 'x', sizeof(big));
	make_run(f->m, "demo", run, 1);
	for (i = 1; i <= 700; i++) { /* 42 MB */
		ops[0] = op_insert(run, "a", i);
		ops[1] = op_end(run, "a", i, RESULT_SUCCESS);
		ops[1].outputs = &kv;
		ops[1].noutputs = 1;
		meta_writer_submit(f->w, ops, 2);
		assert_int_equal(wait_result(f, &stale), 0);
		assert_int_equal(
		    fstatat(f->pl.p.state_fd, "dag.db-wal", &st, AT_SYMLINK_NOFOLLOW), 0);
		longest = st.st_size > longest ? st.st_size : longest;
	}
	assert_true(longest > 1 << 20);
	assert_true(longest < 24 << 20);
	ok(meta_check(f->m, true, &err));
}

/* ---- the gate ---- */

/* A child that takes the gate and stops itself. */
static pid_t
stopped_holder(struct place *pl)
{
	struct gate g;
	int st;
	pid_t pid = fork();

	if (pid == 0) {
		if (gate_open(&g, pl->p.state_fd, pl->p.state, &err) != 0 ||
		    gate_lock(&g, &err) != 0)
			_exit(1);
		raise(SIGSTOP);
		gate_unlock(&g);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &st, WUNTRACED), pid);
	assert_true(WIFSTOPPED(st));
	return pid;
}

static void
test_writer_tells_of_gate(void **state)
{
	struct fixture *f = *state;
	const struct meta_op *stale;
	char run[META_RUN_ID], letter = 0;
	struct meta_op op;
	struct pollfd p = {f->fd, POLLIN, 0};
	pid_t holder, who = 0;
	int i;

	make_run(f->m, "demo", run, 1);
	holder = stopped_holder(&f->pl);
	op = op_insert(run, "a", 1);
	meta_writer_submit(f->w, &op, 1);
	assert_false(meta_writer_gate(f->w, &who, &letter)); /* not yet */
	for (i = 0; i < 40 && !meta_writer_gate(f->w, &who, &letter); i++)
		assert_int_equal(poll(&p, 1, 100), 0);
	assert_true(i >= 15 && i < 40);
	assert_int_equal(who, holder);
	assert_int_equal(letter, 'T');
	kill(holder, SIGCONT);
	assert_int_equal(wait_result(f, &stale), 0);
	assert_false(meta_writer_gate(f->w, &who, &letter));
	assert_int_equal(child_status(holder), 0);
}

static _Atomic int notices;
static _Atomic pid_t noticed;
static _Atomic char noticed_state;

static void
notice(void *ctx, pid_t pid, char letter)
{
	pid_t *holder = ctx;

	noticed = pid;
	noticed_state = letter;
	if (++notices == 2)
		kill(*holder, SIGKILL);
}

/* A connection without a writer's loop is told by the helper thread, again and again. */
static void
test_notice(void **state)
{
	struct fixture *f = *state;
	pid_t holder = stopped_holder(&f->pl);
	struct timespec from, to;
	char run[META_RUN_ID];

	meta_gate_notice(f->m, notice, &holder);
	clock_gettime(CLOCK_MONOTONIC, &from);
	make_run(f->m, "demo", run, 1);
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_int_equal(notices, 2);
	assert_int_equal(noticed, holder);
	assert_int_equal(noticed_state, 'T');
	assert_true(to.tv_sec - from.tv_sec >= 3 && to.tv_sec - from.tv_sec <= 7);
	assert_int_equal(child_status(holder), 128 + SIGKILL);
	make_run(f->m, "demo", run, 1); /* and without waiting */
	assert_int_equal(notices, 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_batches),	    T(test_stop_waits),
	    T(test_wal_is_bounded), T(test_writer_tells_of_gate),
	    T(test_notice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
