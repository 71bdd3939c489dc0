#include "unit/store/store_test.h"

#include <grp.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include "store/project_internal.h"

#define NOBODY 65534

static struct err err;

/* Make the directories ${tree} (blank-separated, parents first) in a place. */
static void
grow(struct place *pl, const char *tree)
{
	char copy[1024], *word, *save = NULL;

	(void)snprintf(copy, sizeof(copy), "%s", tree);
	for (word = strtok_r(copy, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save))
		make_dir(pl->dir, word);
}

static void
test_which_root(void **state)
{
	static const struct {
		const char *tree, *hint, *root;
	} table[] = {
	    {"a a/b a/.dag", "a/b/x.yaml", "a"},
	    {"a a/b", "a/b/x.yaml", "a/b"},
	    {"a a/b", "a/b", "a/b"},
	    {"a a/b .git", "a/b/x.yaml", ""},
	    {"a a/b .git a/.dvc", "a/b/x.yaml", "a"},
	    {"a a/b .dag a/.dvc a/b/.git", "a/b/x.yaml", ""},
	    {"a a/b .dag a/.dag", "a/b/x.yaml", "a"},
	    {"a a/b a/b/.dag", "a/x.yaml", "a"},
	    {"a a/b a/b/.dag", "a/b/../b/x.yaml", "a/b"},
	    {"a a/b\377 a/b\377/.dag", "a/b\377/x.yaml", "a/b\377"},
	};
	char hint[512], root[512];
	struct place pl;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		place_dir(&pl, NULL);
		grow(&pl, table[i].tree);
		(void)snprintf(hint, sizeof(hint), "%s/%s", pl.dir, table[i].hint);
		(void)snprintf(root, sizeof(root), "%s%s%s", pl.dir,
			       table[i].root[0] != '\0' ? "/" : "", table[i].root);
		ok(project_find(hint, NULL, false, &pl.p, &err));
		assert_string_equal(pl.p.root, root);
		project_release(&pl.p);
		place_remove(&pl);
	}
	/* A regular file called .dag is no mark, a git file is. */
	place_dir(&pl, NULL);
	grow(&pl, "a a/b");
	spill(pl.dir, "a/.git", "gitdir: elsewhere\n");
	spill(pl.dir, ".dag", "");
	(void)snprintf(hint, sizeof(hint), "%s/a/b/x.yaml", pl.dir);
	(void)snprintf(root, sizeof(root), "%s/a", pl.dir);
	ok(project_find(hint, NULL, false, &pl.p, &err));
	assert_string_equal(pl.p.root, root);
	place_remove(&pl);
}

static void
test_override_and_cwd(void **state)
{
	char dir[128];
	struct place pl;

	(void)state;
	place_dir(&pl, NULL);
	grow(&pl, ".dag a a/b");
	(void)snprintf(dir, sizeof(dir), "%s/a", pl.dir);
	ok(project_find("/nonexistent/x.yaml", dir, false, &pl.p, &err));
	assert_string_equal(pl.p.root, dir);
	project_release(&pl.p);
	fails(project_find(NULL, "/nonexistent", false, &pl.p, &err), ERR_NOTFOUND);
	fails(project_find("/nonexistent/x.yaml", NULL, false, &pl.p, &err),
	      ERR_NOTFOUND);
	fails(project_find(NULL, "/dev/null", false, &pl.p, &err), ERR_INVALID);

	(void)snprintf(dir, sizeof(dir), "%s/a/b", pl.dir);
	assert_int_equal(chdir(dir), 0);
	ok(project_find(NULL, NULL, false, &pl.p, &err));
	assert_string_equal(pl.p.root, pl.dir);
	project_release(&pl.p);
	ok(project_find("x.yaml", NULL, false, &pl.p, &err));
	assert_string_equal(pl.p.root, pl.dir);
	assert_int_equal(chdir("/"), 0);
	place_remove(&pl);
}

/* A DAG file that is a link belongs to the project in which the link lies; a directory that
 * is reached through a link is its canonical self. */
static void
test_links(void **state)
{
	char from[128], to[128], hint[160];
	struct place pl;

	(void)state;
	place_dir(&pl, NULL);
	grow(&pl, "p p/.dag p/dags shared");
	spill(pl.dir, "shared/x.yaml", "");
	(void)snprintf(from, sizeof(from), "%s/p/dags/x.yaml", pl.dir);
	(void)snprintf(to, sizeof(to), "%s/shared/x.yaml", pl.dir);
	assert_int_equal(symlink(to, from), 0);
	(void)snprintf(to, sizeof(to), "%s/p", pl.dir);
	ok(project_find(from, NULL, false, &pl.p, &err));
	assert_string_equal(pl.p.root, to);
	project_release(&pl.p);

	(void)snprintf(from, sizeof(from), "%s/link", pl.dir);
	assert_int_equal(symlink(to, from), 0);
	(void)snprintf(hint, sizeof(hint), "%s/dags/x.yaml", from);
	ok(project_find(hint, NULL, false, &pl.p, &err));
	assert_string_equal(pl.p.root, to);
	place_remove(&pl);
}

static void
test_create(void **state)
{
	struct place pl;
	struct stat st;
	char path[128];
	uint64_t syncs;

	(void)state;
	place_dir(&pl, NULL);
	(void)snprintf(path, sizeof(path), "%s/.dag", pl.dir);
	ok(project_find(NULL, pl.dir, false, &pl.p, &err));
	assert_int_equal(pl.p.state_fd, -1);
	assert_string_equal(pl.p.state, path);
	assert_int_not_equal(stat(path, &st),
			     0); /* nothing is made without being asked */
	project_release(&pl.p);

	syncs = fsio_syncs();
	ok(project_find(NULL, pl.dir, true, &pl.p, &err));
	assert_true(fsio_syncs() > syncs);
	assert_true(pl.p.state_fd >= 0);
	assert_true(fcntl(pl.p.state_fd, F_GETFD) & FD_CLOEXEC);
	assert_string_equal(pl.p.state, path);
	assert_string_equal(slurp(path, ".gitignore"), "*\n");
	project_release(&pl.p);

	/* Found again: nothing is synced, the user's .gitignore stays. */
	spill(path, ".gitignore", "/runs\n");
	syncs = fsio_syncs();
	ok(project_find(NULL, pl.dir, true, &pl.p, &err));
	assert_int_equal(fsio_syncs(), syncs);
	assert_string_equal(slurp(path, ".gitignore"), "/runs\n");
	place_remove(&pl);
}

static void
test_moved_state(void **state)
{
	struct place pl, elsewhere;
	char first[256], other[128];

	(void)state;
	place_dir(&pl, NULL);
	place_dir(&elsewhere, NULL);
	grow(&pl, "a b");
	setenv("DAG_STATE", elsewhere.dir, 1);
	ok(project_find(NULL, pl.dir, true, &pl.p, &err));
	assert_int_equal(strncmp(pl.p.state, elsewhere.dir, strlen(elsewhere.dir)), 0);
	assert_true(strlen(pl.p.state) == strlen(elsewhere.dir) + 33);
	(void)snprintf(first, sizeof(first), "%s", pl.p.state);
	project_release(&pl.p);
	ok(project_find(NULL, pl.dir, false, &pl.p, &err)); /* the same again */
	assert_string_equal(pl.p.state, first);
	assert_true(pl.p.state_fd >= 0);
	project_release(&pl.p);
	(void)snprintf(other, sizeof(other), "%s/a", pl.dir);
	ok(project_find(NULL, other, true, &pl.p, &err)); /* another root, another */
	assert_string_not_equal(pl.p.state, first);
	project_release(&pl.p);
	setenv("DAG_STATE", "relative/dir", 1);
	fails(project_find(NULL, pl.dir, true, &pl.p, &err), ERR_INVALID);
	says("absolute");
	setenv("DAG_STATE", "", 1);
	ok(project_find(NULL, pl.dir, false, &pl.p, &err));
	assert_non_null(strstr(pl.p.state, "/.dag"));
	unsetenv("DAG_STATE");
	place_remove(&elsewhere);
	place_remove(&pl);
}

static void
test_state_dir_setting(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
	    {"statedir: x\n", "unknown key"},
	    {"state_dir: [x]\n", "path of a directory"},
	    {"state_dir: ''\n", "path of a"},
	    {"state_dir: 7\n", "path of a directory"},
	    {"- x\n", "must be a mapping"},
	    {"state_dir: 'x\n", "config.yaml:"},
	    {"state_dir: a\nstate_dir: b\n", ":2:1:"},
	    {"\xff: x\n", "config.yaml:"},
	};
	struct place pl, elsewhere;
	static char big[70000];
	char text[256];
	size_t i;

	(void)state;
	place_dir(&pl, NULL);
	place_dir(&elsewhere, NULL);
	grow(&pl, ".dag");
	(void)snprintf(text, sizeof(text), "state_dir: %s/deep/er\n", elsewhere.dir);
	spill(pl.dir, ".dag/config.yaml", text);
	ok(project_find(NULL, pl.dir, false, &pl.p, &err));
	assert_int_equal(pl.p.state_fd, -1);
	project_release(&pl.p);
	ok(project_find(NULL, pl.dir, true, &pl.p, &err));
	(void)snprintf(text, sizeof(text), "%s/deep/er", elsewhere.dir);
	assert_string_equal(pl.p.state, text);
	assert_string_equal(pl.p.root, pl.dir);
	project_release(&pl.p);
	spill(pl.dir, ".dag/config.yaml", "state_dir: here\n"); /* below the root */
	ok(project_find(NULL, pl.dir, true, &pl.p, &err));
	(void)snprintf(text, sizeof(text), "%s/here", pl.dir);
	assert_string_equal(pl.p.state, text);
	project_release(&pl.p);
	spill(pl.dir, ".dag/config.yaml", "# nothing\n");
	ok(project_find(NULL, pl.dir, true, &pl.p, &err));
	assert_non_null(strstr(pl.p.state, "/.dag"));
	project_release(&pl.p);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		spill(pl.dir, ".dag/config.yaml", bad[i].text);
		fails(project_find(NULL, pl.dir, true, &pl.p, &err), ERR_INVALID);
		says(bad[i].says);
	}
	memset(big, '#', sizeof(big));
	big[65536] = '\0';
	spill(pl.dir, ".dag/config.yaml", big);
	ok(project_find(NULL, pl.dir, true, &pl.p, &err));
	project_release(&pl.p);
	big[65536] = '#';
	big[65537] = '\0';
	spill(pl.dir, ".dag/config.yaml", big);
	fails(project_find(NULL, pl.dir, true, &pl.p, &err), ERR_LIMIT);
	place_remove(&elsewhere);
	place_remove(&pl);
}

/* Run ${body} as nobody; return its exit status. */
static int
as_nobody(void (*body)(struct place *), struct place *pl)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
			_exit(77);
		body(pl);
		_exit(0);
	}
	return child_status(pid);
}

static void
body_foreign(struct place *pl)
{
	if (project_find(NULL, pl->dir, false, &pl->p, &err) == 0)
		_exit(1);
	_exit(err.code == ERR_INVALID && strstr(err.msg, "another user") != NULL ? 10
										 : 2);
}

static void
body_readonly(struct place *pl)
{
	if (project_find(NULL, pl->dir, true, &pl->p, &err) == 0)
		_exit(1);
	_exit(err.sys == EACCES && strstr(err.msg, "DAG_STATE") != NULL ? 10 : 2);
}

static void
body_unwritable(struct place *pl)
{
	if (project_find(NULL, pl->dir, false, &pl->p, &err) != 0)
		_exit(1);
	project_release(&pl->p);
	if (project_find(NULL, pl->dir, true, &pl->p, &err) == 0)
		_exit(2);
	_exit(err.sys == EACCES ? 10 : 3);
}

static void
test_other_users(void **state)
{
	struct place pl;
	char path[128];

	(void)state;
	if (geteuid() != 0)
		skip();
	place_dir(&pl, NULL);
	assert_int_equal(chmod(pl.dir, 0755), 0);
	assert_int_equal(as_nobody(body_readonly, &pl), 10);
	assert_null(slurp(pl.dir, ".dag/.gitignore"));
	grow(&pl, ".dag");
	assert_int_equal(as_nobody(body_foreign, &pl), 10);
	(void)snprintf(path, sizeof(path), "%s/.dag", pl.dir);
	assert_int_equal(chown(path, NOBODY, NOBODY), 0);
	assert_int_equal(chmod(path, 0555), 0);
	assert_int_equal(as_nobody(body_unwritable, &pl), 10);
	fails(project_find(NULL, pl.dir, true, &pl.p, &err), ERR_INVALID);
	says("another user");
	place_remove(&pl);
}

static void
test_probe(void **state)
{
	struct fs_probe probe;
	struct place pl;
	int fd;

	(void)state;
	place_make(&pl);
	ok(project_probe(pl.p.state_fd, &probe, &err));
	assert_true(probe.locks && probe.mmap && probe.dirsync);
	assert_false(probe.network);
	assert_true(probe.type[0] != '\0' && probe.free_bytes > 0);
	fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(project_probe(fd, &probe, &err), -1);
	close(fd);
	/* It leaves nothing behind. */
	assert_int_equal(unlinkat(pl.p.state_fd, ".gitignore", 0), 0);
	assert_int_equal(rmdir(pl.p.state), 0);
	place_remove(&pl);
}

static void
check_relative(struct place *pl, const char *path, const char *expected)
{
	struct buf out;

	buf_init(&out, 0);
	ok(project_relative(&pl->p, path, &out, &err));
	if (strcmp(out.p, expected) != 0)
		fail_msg("'%s' is '%s', not '%s'", path, out.p, expected);
	buf_release(&out);
}

static void
test_relative(void **state)
{
	char path[256], other[128];
	struct place pl;

	(void)state;
	place_make(&pl);
	grow(&pl, "a a/b c");
	(void)snprintf(path, sizeof(path), "%s/a/b", pl.dir);
	assert_int_equal(chdir(path), 0);
	check_relative(&pl, "x.yaml", "a/b/x.yaml");
	check_relative(&pl, ".", "a/b");
	check_relative(&pl, "..", "a");
	check_relative(&pl, "../..", ".");
	check_relative(&pl, "../../", ".");
	check_relative(&pl, "./no/such/../thing", "a/b/no/thing");
	check_relative(&pl, "/etc/passwd", "/etc/passwd");
	check_relative(&pl, "/", "/");
	check_relative(&pl, "../../../elsewhere-no/x", "/tmp/elsewhere-no/x");
	(void)snprintf(path, sizeof(path), "%s/a//x.yaml", pl.dir);
	check_relative(&pl, path, "a/x.yaml");
	(void)snprintf(path, sizeof(path), "%sx", pl.dir); /* a sibling, not below */
	check_relative(&pl, path, path);
	/* Through a link to the project, and a link in it that is named by where it is. */
	(void)snprintf(path, sizeof(path), "%s/link", pl.dir);
	assert_int_equal(symlink(pl.dir, path), 0);
	(void)snprintf(path, sizeof(path), "%s/link/a/new", pl.dir);
	check_relative(&pl, path, "a/new");
	(void)snprintf(path, sizeof(path), "%s/c/out", pl.dir);
	(void)snprintf(other, sizeof(other), "%s/a", pl.dir);
	assert_int_equal(symlink(other, path), 0);
	check_relative(&pl, path, "c/out");
	check_relative(&pl, "../../c/out/y", "a/y");
	assert_int_equal(chdir("/"), 0);
	place_remove(&pl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_which_root),
	    cmocka_unit_test(test_override_and_cwd),
	    cmocka_unit_test(test_links),
	    cmocka_unit_test(test_create),
	    cmocka_unit_test(test_moved_state),
	    cmocka_unit_test(test_other_users),
	    cmocka_unit_test(test_probe),
	    cmocka_unit_test(test_relative),
	    cmocka_unit_test(test_state_dir_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
