/* Paths that an attempt left half written: which ends tear, which mend, whom it concerns. */
#include "unit/store/meta_test.h"

#include "store/meta_internal.h"

struct torn_seen {
	int n;
	char run[META_RUN_ID], task[16], path[16];
};

static int
see_torn(void *ctx, const struct meta_torn *t, struct err *e)
{
	struct torn_seen *seen = ctx;

	(void)e;
	seen->n++;
	(void)snprintf(seen->run, sizeof(seen->run), "%s", t->run);
	(void)snprintf(seen->task, sizeof(seen->task), "%s", t->task);
	(void)snprintf(seen->path, sizeof(seen->path), "%s", t->path);
	assert_true(t->at_us > 0);
	return 0;
}

/* End attempt ${number} of task a, which writes "out", so; is "out" torn then? */
static int
torn_after(struct run_fixture *f, uint32_t number, enum task_result result,
	   const char *cause, pid_t pid)
{
	static const struct meta_path paths[] = {{"in", false}, {"out", true}};
	struct meta_op ops[2] = {op_insert(f->run, "a", number),
				 op_end(f->run, "a", number, result)};
	struct torn_seen seen = {.n = 0};

	ops[0].paths = paths;
	ops[0].npaths = 2;
	ops[1].cause = cause;
	ops[1].pid = pid;
	commit(f->m, ops, 2);
	assert_int_equal(meta_torn(f->m, "in", see_torn, &seen, &err), 0);
	assert_int_equal(seen.n, 0);
	assert_int_equal(meta_torn(f->m, "out", see_torn, &seen, &err), 0);
	if (seen.n == 1) {
		assert_string_equal(seen.run, f->run);
		assert_string_equal(seen.task, "a");
		assert_string_equal(seen.path, "out");
	}
	return seen.n;
}

/* Paths above and below count, siblings do not. */
static void
test_torn_overlap(void **state)
{
	static const struct meta_path paths[] = {{"d/e", true}, {"d/e2", true}};
	static const struct {
		const char *path;
		int n;
	} cases[] = {{"d/e", 1},     {"d", 2},	   {".", 2},	{"d/e/f", 1},
		     {"d/e/f/g", 1}, {"d/e2", 1},  {"d/e1", 0}, {"e", 0},
		     {"/", 2},	     {"/tmp2", 0}, {"d/e0", 0}};
	struct run_fixture *f = *state;
	struct meta_op ops[2] = {op_insert(f->run, "a", 1),
				 op_end(f->run, "a", 1, RESULT_LOST)};
	size_t i;

	ops[0].paths = paths;
	ops[0].npaths = 2;
	commit(f->m, ops, 2);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct torn_seen seen = {.n = 0};

		assert_int_equal(meta_torn(f->m, cases[i].path, see_torn, &seen, &err),
				 0);
		if (seen.n != cases[i].n)
			fail_msg("%s: %d", cases[i].path, seen.n);
	}
	/* Who makes the directory above has made all that is in it. */
	{
		static const struct meta_path above[] = {{"d", true}};
		struct torn_seen seen = {.n = 0};

		ops[0] = op_insert(f->run, "a", 2);
		ops[1] = op_end(f->run, "a", 2, RESULT_SUCCESS);
		ops[0].paths = above;
		ops[0].npaths = 1;
		commit(f->m, ops, 2);
		assert_int_equal(meta_torn(f->m, ".", see_torn, &seen, &err), 0);
		assert_int_equal(seen.n, 0);
	}
}

static void
test_torn(void **state)
{
	struct run_fixture *f = *state;

	assert_int_equal(torn_after(f, 1, RESULT_SUCCESS, NULL, 7), 0);
	/* What never ran has torn nothing. */
	assert_int_equal(torn_after(f, 2, RESULT_FAILED, "setup", 7), 0);
	assert_int_equal(torn_after(f, 3, RESULT_VOID, NULL, 7), 0);
	assert_int_equal(torn_after(f, 4, RESULT_CANCELLED, NULL, 0), 0);
	assert_int_equal(torn_after(f, 5, RESULT_CANCELLED, NULL, 7), 1);
	assert_int_equal(torn_after(f, 6, RESULT_FAILED, "setup", 7), 1); /* nor mended */
	assert_int_equal(torn_after(f, 7, RESULT_SUCCESS, NULL, 7), 0);
	assert_int_equal(torn_after(f, 8, RESULT_FAILED, "exit", 7), 1);
	assert_int_equal(torn_after(f, 9, RESULT_CACHED, NULL, 0), 0);
	assert_int_equal(torn_after(f, 10, RESULT_LOST, "lost", 0), 1);
}

/* A word that we do not know is told, and not taken for a result. */
static void
test_torn_unknown(void **state)
{
	struct run_fixture *f = *state;
	struct torn_seen seen = {.n = 0};

	assert_int_equal(torn_after(f, 1, RESULT_LOST, "lost", 0), 1);
	ok(db_script(&f->m->db, "UPDATE torn SET result = 'eaten'", &err));
	fails(meta_torn(f->m, "out", see_torn, &seen, &err), ERR_CORRUPT);
	says("'eaten'");
	assert_int_equal(seen.n, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, run_setup, run_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {T(test_torn), T(test_torn_overlap),
					   T(test_torn_unknown)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
