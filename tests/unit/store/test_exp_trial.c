/*
 * Directories of experiments under way: who is dead leaves nothing that stays, who is alive is let
 * alone; what is copied into their work trees.
 */
#include "unit/store/store_test.h"

#include <stdatomic.h>

#include "store/exp/bring.h"
#include "store/exp/trial.h"

static char place[64];
static struct err err;

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(place, sizeof(place), "/tmp/dag-trial-XXXXXX");
	return mkdtemp(place) != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	return fsio_remove_tree(AT_FDCWD, place, NULL);
}

static void
make(const char *path, const char *text)
{
	char full[512];
	int fd;

	(void)snprintf(full, sizeof(full), "%s/%s", place, path);
	for (char *p = strchr(full + strlen(place) + 1, '/'); p != NULL;
	     p = strchr(p + 1, '/')) {
		*p = '\0';
		(void)mkdir(full, 0777);
		*p = '/';
	}
	if (text == NULL)
		return;
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	assert_true(fd >= 0);
	assert_int_equal(fsio_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(close(fd), 0);
}

static bool
there(const char *path)
{
	char full[512];

	(void)snprintf(full, sizeof(full), "%s/%s", place, path);
	return access(full, F_OK) == 0;
}

static int
count(void *ctx, const char *tree, struct err *e)
{
	size_t *n = ctx;

	(void)e;
	assert_non_null(strstr(tree, "/exp/"));
	(*n)++;
	return 0;
}

static void
test_sweep(void **state)
{
	struct trial t;
	size_t n = 0;
	char tree[512];

	(void)state;
	ok(trials_sweep(place, &err)); /* there is nothing */
	assert_false(there("exp"));
	ok(trial_begin(place, &t, &err));
	make("exp/dead/tree/a/b", "left\n");
	make("exp/dead/lock", "");
	make("exp/without-lock/", NULL);
	make("exp/gone-half/tree/x", "left\n");
	make("exp/failed/new.log", "log\n");
	ok(trials_each(place, count, &n, &err));
	assert_int_equal(
	    n, 0); /* the one that lives has no tree yet, and the other is dead */
	assert_int_equal(mkdir(t.tree, 0777), 0);
	ok(trials_each(place, count, &n, &err));
	assert_int_equal(n, 1);
	ok(trials_sweep(place, &err));
	assert_false(there("exp/dead"));
	assert_false(there("exp/gone-dead"));
	assert_false(there("exp/without-lock"));
	assert_false(there("exp/gone-half"));
	assert_true(there("exp/failed/new.log"));
	(void)snprintf(tree, sizeof(tree), "%s", t.tree);
	assert_int_equal(access(tree, F_OK), 0);
	trial_end(&t, NULL);
	assert_int_not_equal(access(tree, F_OK), 0);
	trial_end(&t, NULL); /* once more is fine */
}

static void
test_log(void **state)
{
	struct trial t;
	char *kept;

	(void)state;
	ok(trial_begin(place, &t, &err));
	kept = trial_kept_log(place, "a.b");
	trial_end(&t, "a.b"); /* it has said nothing */
	assert_int_not_equal(access(kept, F_OK), 0);
	ok(trial_begin(place, &t, &err));
	make(t.log + strlen(place) + 1, "words\n");
	trial_end(&t, "a.b");
	assert_int_equal(access(kept, F_OK), 0);
	free(kept);
}

static void
test_old_log(void **state)
{
	struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	char path[512];

	(void)state;
	make("exp/failed/old.log", "log\n");
	make("exp/failed/young.log", "log\n");
	(void)snprintf(path, sizeof(path), "%s/exp/failed/old.log", place);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	ok(trials_sweep(place, &err));
	assert_false(there("exp/failed/old.log"));
	assert_true(there("exp/failed/young.log"));
}

static int
remove_and_fail(void *ctx, const char *tree, struct err *e)
{
	struct trial *t = ctx;

	if (t != NULL)
		assert_int_equal(rmdir(tree), 0);
	return err_set(e, ERR_FAILED, "no");
}

static void
test_vanishing(void **state)
{
	struct trial t;

	(void)state;
	/* That one ends while it is looked at is no mistake. */
	ok(trial_begin(place, &t, &err));
	assert_int_equal(mkdir(t.tree, 0777), 0);
	fails(trials_each(place, remove_and_fail, NULL, &err), ERR_FAILED);
	ok(trials_each(place, remove_and_fail, &t, &err));
	trial_end(&t, NULL);
}

static void
test_copy(void **state)
{
	static char big[(3 << 20) + 1];
	atomic_bool stop = true;
	char from[512], to[512], path[1024];
	struct stat st;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	(void)snprintf(from, sizeof(from), "%s/from", place);
	(void)snprintf(to, sizeof(to), "%s/to", place);
	make("from/d/sub/a", "a\n");
	make("from/d/big", big);
	make("from/other", "not asked for\n");
	make("to/d/sub/a", "mine\n");
	(void)snprintf(path, sizeof(path), "%s/d/link", from);
	assert_int_equal(symlink("nowhere", path), 0);
	(void)snprintf(path, sizeof(path), "%s/d/fifo", from);
	assert_int_equal(mkfifo(path, 0666), 0);
	(void)snprintf(path, sizeof(path), "%s/d/big", from);
	assert_int_equal(chmod(path, 0755), 0);
	fails(bring_copy(from, to, "d", &stop, &err), ERR_CANCELLED);
	fails(bring_copy(from, to, "none", NULL, &err), ERR_NOTFOUND);
	ok(bring_copy(from, to, "d", NULL, &err));
	assert_string_equal(slurp(to, "d/sub/a"), "mine\n"); /* what is there stays */
	(void)snprintf(path, sizeof(path), "%s/d/big", to);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, sizeof(big) - 1);
	assert_int_equal(st.st_mode & 0100, 0100);
	assert_false(there("to/other"));
	assert_false(there("to/d/fifo"));
	(void)snprintf(path, sizeof(path), "%s/d/link", to);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	ok(bring_copy(from, to, "d/sub/a", NULL, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sweep),   cmocka_unit_test(test_log),
	    cmocka_unit_test(test_old_log), cmocka_unit_test(test_vanishing),
	    cmocka_unit_test(test_copy),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
