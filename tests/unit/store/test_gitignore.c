#include "unit/store/store_test.h"

#include <dirent.h>

#include "unit/memory.h"

#include "store/dvc/gitignore.h"

static struct err err;

static void
test_entry(void **state)
{
	static const struct {
		const char *name, *entry;
	} table[] = {
	    {"data", "/data"},
	    {"a b", "/a b"},
	    {"a ", "/a\\ "},
	    {"#a!b", "/\\#a\\!b"},
	    {"x[1]*?.c", "/x\\[1\\]\\*\\?.c"},
	    {"a\\b", "/a\\\\b"},
	    {"a\nb", "/a?b"},
	    {"\xc3\xa9", "/\xc3\xa9"},
	};
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		buf_clear(&b);
		gitignore_entry(&b, table[i].name);
		assert_string_equal(b.p, table[i].entry);
	}
	buf_release(&b);
}

/* The file before, the path, what is done, the file after ("-": none). */
static void
test_add_remove(void **state)
{
	static const struct {
		bool add;
		const char *before, *name;
		int rc;
		const char *after;
	} table[] = {
	    {true, "-", "a", 1, "/a\n"},
	    {true, "", "a", 1, "/a\n"},
	    {true, "/b\n", "a", 1, "/b\n/a\n"},
	    {true, "/b", "a", 1, "/b\n/a\n"},
	    {true, "/a\n", "a", 0, "/a\n"},
	    {true, "/a", "a", 1, "/a\n/a\n"}, /* as DVC does */
	    {true, "/ab\n", "a", 1, "/ab\n/a\n"},
	    {true, "/a\r\n", "a", 0, "/a\r\n"},
	    {true, "x\r\n", "a#", 1, "x\r\n/a\\#\n"},
	    {false, "-", "a", 0, "-"},
	    {false, "/a\n", "a", 2, "-"},
	    {false, "", "a", 0, ""},
	    {false, "/b\n/a\n/c\n", "a", 1, "/b\n/c\n"},
	    {false, "/b\n  /a \n/a", "a", 1, "/b\n"},
	    {false, "/b\r\n/a\r\n", "a", 1, "/b\r\n"},
	    {false, "/a#\n/a\\#\n/b\n", "a#", 1, "/b\n"},
	    {false, "/ab\n", "a", 0, "/ab\n"},
	    {false, "a\n", "a", 0, "a\n"},
	    {false, "# c\n/a\n", "a", 1, "# c\n"},
	};
	char file[32], path[32];
	struct place pl;
	const char *got;
	int rc;

	(void)state;
	place_make(&pl);
	make_dir(pl.dir, "d");
	for (size_t i = 0; i < 2 * sizeof(table) / sizeof(table[0]); i++) {
		const char *dir = i % 2 == 0 ? "" : "d/";

		(void)snprintf(file, sizeof(file), "%s.gitignore", dir);
		(void)snprintf(path, sizeof(path), "%s%s", dir, table[i / 2].name);
		(void)unlinkat(pl.p.root_fd, file, 0);
		if (strcmp(table[i / 2].before, "-") != 0)
			spill(pl.dir, file, table[i / 2].before);
		err_clear(&err);
		rc = table[i / 2].add ? gitignore_add(pl.p.root_fd, path, &err)
				      : gitignore_remove(pl.p.root_fd, path, &err);
		got = slurp(pl.dir, file);
		if (rc != table[i / 2].rc ||
		    strcmp(got != NULL ? got : "-", table[i / 2].after) != 0)
			fail_msg("case %zu: %d (%s), then \"%s\"", i / 2, rc, err.msg,
				 got != NULL ? got : "-");
	}
	place_remove(&pl);
}

static void
test_refused(void **state)
{
	struct place pl;
	struct stat st;
	char path[128];

	(void)state;
	place_make(&pl);
	make_dir(pl.dir, "d");
	make_dir(pl.dir, "e");
	spill(pl.dir, "real", "x\n");
	assert_int_equal(symlinkat("real", pl.p.root_fd, ".gitignore"), 0);
	assert_int_equal(symlinkat("/tmp", pl.p.root_fd, "out"), 0);
	make_dir(pl.dir, "d/.gitignore");
	fails(gitignore_add(pl.p.root_fd, "a", &err), ERR_INVALID);
	says("is a link");
	fails(gitignore_remove(pl.p.root_fd, "a", &err), ERR_INVALID);
	fails(gitignore_add(pl.p.root_fd, "d/a", &err), ERR_INVALID);
	fails(gitignore_add(pl.p.root_fd, "out/a", &err), ERR_SYS);
	fails(gitignore_add(pl.p.root_fd, "none/a", &err), ERR_NOTFOUND);
	assert_string_equal(slurp(pl.dir, "real"), "x\n");
	/* The mode stays. */
	spill(pl.dir, "e/.gitignore", "x\n");
	(void)snprintf(path, sizeof(path), "%s/e/.gitignore", pl.dir);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(gitignore_add(pl.p.root_fd, "e/a", &err), 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	place_remove(&pl);
}

static struct place pl;
static struct gitignore *g;
static char path[256];

static int
setup(void **state)
{
	char home[128];

	(void)state;
	place_make(&pl);
	(void)snprintf(home, sizeof(home), "%s/home", pl.dir);
	make_dir(pl.dir, "home");
	make_dir(pl.dir, "home/.config");
	make_dir(pl.dir, "home/.config/git");
	spill(pl.dir, "home/.config/git/ignore", "*.user\n");
	assert_int_equal(setenv("HOME", home, 1), 0);
	assert_int_equal(setenv("GIT_CONFIG_NOSYSTEM", "1", 1), 0);
	assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
	assert_int_equal(unsetenv("GIT_CONFIG_GLOBAL"), 0);
	make_dir(pl.dir, "w");
	make_dir(pl.dir, "w/.git");
	make_dir(pl.dir, "w/.git/info");
	make_dir(pl.dir, "w/d");
	spill(pl.dir, "w/.git/info/exclude", "*.excl\n!x.user\n");
	spill(pl.dir, "w/d/.gitignore", "/data\n");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	place_remove(&pl);
	return 0;
}

#define CHECK_IS(name, want)                                                   \
	do {                                                                   \
		(void)snprintf(path, sizeof(path), "%s/%s", pl.dir, name);     \
		assert_int_equal(gitignore_check(g, path, false, &err), want); \
	} while (0)

static void
test_check(void **state)
{
	(void)state;
	ok(gitignore_open("/", &g, &err));
	assert_null(g);
	gitignore_close(g);
	(void)snprintf(path, sizeof(path), "%s/w/d", pl.dir);
	ok(gitignore_open(path, &g, &err));
	assert_non_null(g);
	(void)snprintf(path, sizeof(path), "%s/w", pl.dir);
	assert_string_equal(gitignore_top(g), path);
	CHECK_IS("w/d/data", 1);
	CHECK_IS("w/d/data/x", 1);
	CHECK_IS("w/data", 0);
	CHECK_IS("w/d/a.excl", 1);
	CHECK_IS("w/d/a.user", 1);
	CHECK_IS("w/d/x.user", 0);
	CHECK_IS("a.user", 0); /* outside */
	gitignore_close(g);
}

static void
test_settings(void **state)
{
	char text[256];

	(void)state;
	/* Another file by the settings; the repository's are the strongest. */
	spill(pl.dir, "home/mine", "*.mine\n");
	spill(pl.dir, "home/.gitconfig",
	      "[user]\n\texcludesFile = /no\n[core]\n # c\n\tExcludesFile = \"~/mine\" ; "
	      "c\n");
	(void)snprintf(path, sizeof(path), "%s/w", pl.dir);
	ok(gitignore_open(path, &g, &err));
	CHECK_IS("w/a.mine", 1);
	CHECK_IS("w/a.user", 0);
	gitignore_close(g);
	(void)snprintf(text, sizeof(text), "[Core] excludesfile=%s/home/other#\n",
		       pl.dir);
	spill(pl.dir, "home/other", "*.other\n");
	spill(pl.dir, "w/.git/config", text);
	(void)snprintf(path, sizeof(path), "%s/w", pl.dir);
	ok(gitignore_open(path, &g, &err));
	CHECK_IS("w/a.mine", 0);
	CHECK_IS("w/a.other", 1);
	gitignore_close(g);

	/* git's variables name other files. */
	spill(pl.dir, "home/global", "[core]\n\texcludesFile = ~/mine\n");
	spill(pl.dir, "w/.git/config", "");
	(void)snprintf(path, sizeof(path), "%s/home/global", pl.dir);
	assert_int_equal(setenv("GIT_CONFIG_GLOBAL", path, 1), 0);
	spill(pl.dir, "home/.gitconfig", "[core]\n\texcludesFile = ~/other\n");
	(void)snprintf(path, sizeof(path), "%s/w", pl.dir);
	ok(gitignore_open(path, &g, &err));
	CHECK_IS("w/a.mine", 1);
	CHECK_IS("w/a.other", 0);
	gitignore_close(g);
	assert_int_equal(unsetenv("GIT_CONFIG_GLOBAL"), 0);

	/* A linked work tree has the rules of the main one. */
	make_dir(pl.dir, "w/.git/worktrees");
	make_dir(pl.dir, "w/.git/worktrees/l");
	spill(pl.dir, "w/.git/worktrees/l/commondir", "../..\n");
	make_dir(pl.dir, "l");
	(void)snprintf(text, sizeof(text), "gitdir: %s/w/.git/worktrees/l\n", pl.dir);
	spill(pl.dir, "l/.git", text);
	(void)snprintf(path, sizeof(path), "%s/l", pl.dir);
	ok(gitignore_open(path, &g, &err));
	CHECK_IS("l/a.excl", 1);
	CHECK_IS("l/a.other", 1);
	gitignore_close(g);
}

static int
count_names(int root_fd)
{
	int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	DIR *d = fdopendir(fd);

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/* Three paths in two files: each of these is written and synced once, and what is given up has not
 * been. */
static void
test_lines(void **state)
{
	static const char *const paths[] = {"w/a", "w/d/b", "w/c", "w/x.excl"};
	struct gitignore_lines l = {0};
	char top[128];
	uint64_t syncs = fsio_syncs();
	int fd, names;

	(void)state;
	(void)snprintf(top, sizeof(top), "%s/w", pl.dir);
	assert_int_equal(gitignore_open(top, &g, &err), 0);
	fd = openat(pl.p.root_fd, "w", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	names = count_names(fd);
	for (int kept = 0; kept < 2; kept++) {
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(gitignore_lines_cover(&l, g, fd, top,
							       paths[i] + 2, false, &err),
					 i < 3);
		assert_int_equal(gitignore_lines_cover(&l, g, fd, top, "a", false, &err),
				 0);
		assert_int_equal(gitignore_lines_write(&l, fd, &err), 0);
		assert_int_equal(gitignore_lines_sync(&l, &err), 0);
		assert_int_equal(fsio_syncs() - syncs, 2 * (kept + 1));
		assert_null(slurp(pl.dir, "w/.gitignore"));
		assert_string_equal(slurp(pl.dir, "w/d/.gitignore"), "/data\n");
		if (kept == 1) {
			assert_int_equal(gitignore_lines_name(&l, &err), 1);
			assert_int_equal(gitignore_lines_last(&l, &err), 0);
		}
		gitignore_lines_drop(&l);
		assert_int_equal(count_names(fd), names + kept);
	}
	assert_int_equal(fsio_syncs() - syncs, 6);
	assert_string_equal(slurp(pl.dir, "w/.gitignore"), "/a\n/c\n");
	assert_string_equal(slurp(pl.dir, "w/d/.gitignore"), "/data\n/b\n");
	/* Nothing new: nothing is written. */
	assert_int_equal(gitignore_lines_cover(&l, g, fd, top, "a", false, &err), 0);
	assert_int_equal(gitignore_lines_write(&l, fd, &err), 0);
	assert_int_equal(gitignore_lines_sync(&l, &err), 0);
	assert_int_equal(gitignore_lines_name(&l, &err), 0);
	assert_int_equal(gitignore_lines_last(&l, &err), 0);
	gitignore_lines_drop(&l);
	assert_int_equal(fsio_syncs() - syncs, 6);
	(void)close(fd);
	gitignore_close(g);
}

static int
run_lines(void *ctx, struct err *e)
{
	struct place *in = ctx;
	struct gitignore_lines l = {0};
	int rc = -1;

	if (gitignore_open(in->dir, &g, e) != 0)
		return -1;
	if (gitignore_lines_cover(&l, g, in->p.root_fd, in->dir, "a", false, e) >= 0 &&
	    gitignore_lines_cover(&l, g, in->p.root_fd, in->dir, "b", false, e) >= 0 &&
	    gitignore_lines_write(&l, in->p.root_fd, e) == 0 &&
	    gitignore_lines_sync(&l, e) == 0)
		rc = 0;
	gitignore_lines_drop(&l);
	gitignore_close(g);
	return rc;
}

static int
run_open(void *ctx, struct err *e)
{
	int rc;

	if (gitignore_open(ctx, &g, e) != 0)
		return -1;
	assert_non_null(g);
	rc = gitignore_check(g, ctx, true, e);
	gitignore_close(g);
	return rc < 0 ? -1 : 0;
}

static int
run_add(void *ctx, struct err *e)
{
	struct place *in = ctx;

	return gitignore_add(in->p.root_fd, "a", e) < 0 ||
		       gitignore_remove(in->p.root_fd, "a", e) < 0
		   ? -1
		   : 0;
}

static void
test_memory(void **state)
{
	struct memory_call c = {"open", NULL, run_open, NULL, NULL, 0};
	struct memory_call a = {"add and remove", NULL, run_add, NULL, NULL, 0};
	struct memory_call l = {"lines", NULL, run_lines, NULL, NULL, 0};

	(void)state;
	place_make(&pl);
	make_dir(pl.dir, ".git");
	c.ctx = pl.dir;
	assert_true(memory_fail_each(&c) > 5);
	a.ctx = &pl;
	assert_true(memory_fail_each(&a) > 2);
	l.ctx = &pl;
	assert_true(memory_fail_each(&l) > 5);
	place_remove(&pl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_entry),
	    cmocka_unit_test(test_add_remove),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test_setup_teardown(test_check, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
	    cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("store/dvc/gitignore", tests, NULL, NULL);
}
