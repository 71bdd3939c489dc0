/* Many processes at one database, and processes that die in the middle. */
#include "unit/store/meta_test.h"

#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include "store/meta_internal.h"

#define WRITERS 4
#define COMMITS 60

/* ---- all at once ---- */

/* Each writer commits attempts to a run of its own, guarded by one path that all want, and
 * events to a run that all share.  Whoever is admitted holds a token in shared memory. */
static void
write_a_lot(struct place *pl, const char *shared, int who, _Atomic int *token)
{
	static const struct meta_path path = {"everyones", true};
	char run[META_RUN_ID], name[32];
	struct meta_op ops[2];
	uint32_t done = 0;
	struct meta *m;

	ok(meta_open(&pl->p, META_WRITE, &m, &err));
	make_run(m, "own", run, 1);
	(void)snprintf(name, sizeof(name), "writer%d", who);
	while (done < COMMITS) {
		ops[0] = op_insert(run, "a", done + 1);
		ops[0].paths = &path;
		ops[0].npaths = 1;
		commit(m, ops, 1);
		if (ops[0].blocked) {
			assert_string_not_equal(ops[0].blocked_run, run);
			usleep(200);
			continue;
		}
		assert_int_equal((*token)++, 0); /* nobody else is admitted */
		done++;
		--*token;
		ops[0] = op_end(run, "a", done, RESULT_FAILED);
		ops[1] = (struct meta_op){.kind = META_OP_EVENT,
					  .run = shared,
					  .epoch = 1,
					  .at_us = tick(),
					  .number = done,
					  .event = name};
		commit(m, ops, 2);
	}
	meta_close(m);
}

static void
test_writers_at_once(void **state)
{
	int seen[WRITERS] = {0}, who, i;
	struct arena *a = arena_new(0);
	struct meta_event *v;
	char shared[META_RUN_ID];
	_Atomic int *token;
	pid_t pids[WRITERS];
	struct place pl;
	struct meta *m;
	size_t n, k;

	(void)state;
	place_make(&pl);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	make_run(m, "demo", shared, 1);
	token =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(token != MAP_FAILED);
	for (i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			write_a_lot(&pl, shared, i, token);
			_exit(0);
		}
	}
	for (i = 0; i < WRITERS; i++)
		assert_int_equal(child_status(pids[i]), 0);
	/* Of each writer each event, once and in its order. */
	ok(meta_events(m, shared, 0, 10000, a, &v, &n, &err));
	assert_int_equal(n, 1 + WRITERS * COMMITS);
	for (k = 1; k < n; k++) {
		assert_int_equal(sscanf(v[k].event, "writer%d", &who), 1);
		assert_in_range(who, 0, WRITERS - 1);
		assert_int_equal(v[k].number, ++seen[who]);
	}
	ok(meta_check(m, true, &err));
	meta_close(m);
	munmap(token, 4096);
	arena_free(a);
	place_remove(&pl);
}

/* ---- kill -9 ---- */

struct tally {
	_Atomic uint32_t acknowledged; /* highest number whose commit returned */
	_Atomic uint32_t begun;	       /* highest number handed to a commit */
	char run[META_RUN_ID];
};

/* Commit rounds of end-and-insert until we are killed; each is one transaction that must be
 * there whole or not at all. */
static void
commit_until_killed(struct place *pl, struct tally *t)
{
	static const struct meta_path path = {"out", true};
	struct meta_op ops[3];
	struct meta *m;
	uint32_t i;

	if (meta_open(&pl->p, META_WRITE, &m, &err) != 0)
		_exit(3);
	if (t->run[0] == '\0')
		make_run(m, "demo", t->run, 2);
	for (i = t->acknowledged + 1;; i++) {
		t->begun = i;
		ops[0] = op_insert(t->run, "a", i);
		ops[0].paths = &path;
		ops[0].npaths = 1;
		ops[1] = op_end(t->run, "a", i, RESULT_SUCCESS);
		ops[1].produced = &path;
		ops[1].nproduced = 1;
		ops[2] = op_task(t->run, "b", i % 2 != 0 ? TASK_READY : TASK_WAITING,
				 RESULT_NONE);
		if (meta_commit(m, ops, 3, NULL, &err) != 0) {
			/* The one before was committed and not acknowledged. */
			if (strstr(err.msg, "already") == NULL)
				_exit(4);
			t->acknowledged = i;
			continue;
		}
		t->acknowledged = i;
		if (i % 16 == 0)
			(void)db_checkpoint(&m->db, NULL);
		if (i % 7 == 0)
			db_extend_wal(&m->db, (int64_t)(i % 5 + 1) << 18);
	}
}

static void
check_after_death(struct place *pl, struct tally *t)
{
	struct arena *a = arena_new(0);
	struct meta_attempt *v;
	struct meta_task b;
	struct meta *m;
	size_t n, i;

	ok(meta_open(&pl->p, META_READ, &m, &err));
	ok(meta_check(m, true, &err));
	ok(meta_attempts(m, t->run, a, &v, &n, &err));
	assert_true(n >= t->acknowledged);
	assert_true(n <= t->begun);
	for (i = 0; i < n; i++) {
		assert_int_equal(v[i].number, i + 1);
		assert_int_equal(v[i].result, RESULT_SUCCESS);
	}
	b = task_of(m, t->run, "b");
	if (n > 0)
		assert_int_equal(b.state, n % 2 != 0 ? TASK_READY : TASK_WAITING);
	meta_close(m);
	arena_free(a);
}

static void
test_kill_nine(void **state)
{
	struct timespec nap = {0, 0};
	unsigned seed = 20261122;
	uint32_t before;
	struct tally *t;
	struct place pl;
	pid_t pid;
	int i;

	(void)state;
	place_make(&pl);
	t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		 0);
	assert_true(t != MAP_FAILED);
	for (i = 0; i < 40; i++) {
		pid = fork();
		if (pid == 0)
			commit_until_killed(&pl, t);
		/* Every fourth dies early, in opening and recovering; the others once they
		 * have got somewhere. */
		before = t->acknowledged;
		while ((i % 4 != 3 || before == 0) && t->acknowledged == before &&
		       waitpid(pid, NULL, WNOHANG) == 0)
			usleep(200);
		nap.tv_nsec = rand_r(&seed) % 20000000;
		nanosleep(&nap, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(child_status(pid), 128 + SIGKILL);
		check_after_death(&pl, t);
	}
	assert_true(t->acknowledged >= 40);
	munmap(t, sizeof(*t));
	place_remove(&pl);
}

/* ---- size ---- */

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* A run of 10,000 tasks, and 10,000 path locks to look among. */
static void
test_large(void **state)
{
	static char names[10000][16];
	static struct meta_path paths[10000];
	struct place pl;
	struct meta_op ops[2];
	struct meta *m;
	char run[META_RUN_ID];
	int64_t from;
	size_t i;

	(void)state;
	place_make(&pl);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	from = now_us();
	make_run(m, "demo", run, 10000);
	print_message("10,000 tasks: %d ms\n", (int)((now_us() - from) / 1000));
	for (i = 0; i < 10000; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "data/%zu/x", i);
		paths[i] = (struct meta_path){names[i], i % 2 != 0};
	}
	ops[0] = op_insert(run, "t00000", 1);
	ops[0].paths = paths;
	ops[0].npaths = 10000;
	commit(m, ops, 1);
	ops[0] = op_insert(run, "t00001", 1);
	ops[0].paths = &(struct meta_path){"data/10000", true};
	ops[0].npaths = 1;
	ops[1] = op_insert(run, "t00002", 1);
	ops[1].paths = &(struct meta_path){"data", false};
	ops[1].npaths = 1;
	from = now_us();
	commit(m, ops, 2);
	print_message("among 10,000 locks: %d us\n", (int)(now_us() - from));
	assert_false(ops[0].blocked);
	assert_true(ops[1].blocked);
	meta_close(m);
	place_remove(&pl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_writers_at_once),
	    cmocka_unit_test(test_kill_nine),
	    cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
