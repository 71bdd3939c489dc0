/*
 * Finding and opening repositories made by git, and what is refused by name.
 */
#include "unit/store/git_test.h"

#include <dlfcn.h>
#include <time.h>

#include "store/module.h"

static void
test_none(void **state)
{
	struct err err = {0};
	struct repo *r;

	(void)state;
	sh("mkdir none none/empty none/.git");
	ok(repo_open("none/empty", &r,
		     &err)); /* `.git` is none of git's: it looks above */
	assert_null(r);
	ok(repo_open(git_place, &r, &err));
	assert_null(r);
	fails(repo_open("nowhere", &r, &err), ERR_NOTFOUND);
	repo_close(NULL);
}

static void
test_head(void **state)
{
	struct repo_head h;
	struct err err = {0};
	struct repo *r;
	char top[128];

	(void)state;
	sh("git init -q head; mkdir -p head/a/b");
	(void)snprintf(top, sizeof(top), "%s/head", git_place);
	r = opened("head/a/b");
	assert_string_equal(repo_top(r), top);
	(void)snprintf(top, sizeof(top), "%s/head/.git", git_place);
	assert_string_equal(repo_git_dir(r), top);
	ok(repo_head(r, &h, &err)); /* unborn */
	assert_string_equal(h.id, "");
	assert_string_equal(h.branch, "main");
	assert_int_equal(repo_dirty(r, true, NULL, &err), 0);
	sh("cd head; echo 1 >f; git add f");
	assert_int_equal(repo_dirty(r, false, NULL, &err), 1);
	sh("cd head; git commit -qm 1; git checkout -qb deep/er");
	ok(repo_head(r, &h, &err));
	assert_string_equal(h.id, said("git -C head rev-parse HEAD"));
	assert_string_equal(h.branch, "deep/er");
	sh("cd head; git checkout -q --detach");
	ok(repo_head(r, &h, &err));
	assert_string_equal(h.id, said("git -C head rev-parse HEAD"));
	assert_string_equal(h.branch, "");
	sh("cd head; git gc -q");
	ok(repo_head(r, &h, &err)); /* packed meanwhile */
	repo_close(r);
}

/* $GIT_DIR is for git's own programs: hooks run with it. */
static void
test_environment(void **state)
{
	struct repo *r;

	(void)state;
	sh("git init -q env; git init -q other");
	setenv("GIT_DIR", "other/.git", 1);
	r = opened("env");
	unsetenv("GIT_DIR");
	assert_string_equal(path_basename(repo_top(r)), "env");
	repo_close(r);
}

static void
test_dirty(void **state)
{
	atomic_bool stop = false;
	struct err err = {0};
	struct repo *r;

	(void)state;
	sh("git init -q dirty; cd dirty; printf 'one\\n' >f; echo /ign >.gitignore; "
	   "mkdir d; echo 2 >d/g; git add .; git commit -qm 1");
	r = opened("dirty");
	assert_int_equal(repo_dirty(r, true, &stop, &err), 0);
	sh("cd dirty; echo x >ign; touch -d '2001-02-03' f");
	assert_int_equal(repo_dirty(r, true, &stop, &err), 0); /* touched, not changed */
	sh("cd dirty; mkdir new; echo x >new/file");
	assert_int_equal(repo_dirty(r, false, &stop, &err), 0);
	assert_int_equal(repo_dirty(r, true, &stop, &err), 1);
	sh("cd dirty; rm -r new; chmod +x d/g");
	assert_int_equal(repo_dirty(r, false, &stop, &err), 1);
	sh("cd dirty; chmod -x d/g; printf 'two\\n' >f"); /* of the same size */
	assert_int_equal(repo_dirty(r, false, &stop, &err), 1);
	sh("cd dirty; git checkout -q f; rm d/g");
	assert_int_equal(repo_dirty(r, false, &stop, &err), 1);
	sh("cd dirty; git checkout -q d/g; git rm -q --cached f");
	assert_int_equal(repo_dirty(r, false, &stop, &err), 1);
	sh("cd dirty; git reset -q");
	assert_int_equal(repo_dirty(r, false, &stop, &err), 0);
	stop = true;
	fails(repo_dirty(r, false, &stop, &err), ERR_CANCELLED);
	repo_close(r);
}

/* What is left out of a sparse checkout was not deleted. */
static void
test_sparse(void **state)
{
	struct err err = {0};
	struct repo *r;

	(void)state;
	sh("git init -q sparse; cd sparse; mkdir a b; echo 1 >a/f; echo 2 >b/f; git add "
	   ".; "
	   "git commit -qm 1; git sparse-checkout init --cone; git sparse-checkout set "
	   "a; "
	   "test ! -e b");
	r = opened("sparse");
	assert_int_equal(repo_dirty(r, true, NULL, &err), 0);
	assert_int_equal(repo_tracks(r, "b/f", &err), 1);
	repo_close(r);
	sh("cd sparse; git sparse-checkout set --sparse-index a");
	r = opened("sparse");
	fails(repo_tracks(r, "b/f", &err) < 0 ? -1 : 0, ERR_SYS);
	says("--no-sparse-index");
	repo_close(r);
}

static void
test_linked(void **state)
{
	struct repo_head h;
	struct err err = {0};
	struct repo *r;
	char dir[160];

	(void)state;
	sh("git init -q main; cd main; echo 1 >f; git add f; git commit -qm 1; "
	   "git worktree add -q ../linked -b side; mkdir ../linked/d; cd ../linked; "
	   "echo 2 >f; git commit -qam 2");
	r = opened("linked/d");
	(void)snprintf(dir, sizeof(dir), "%s/linked", git_place);
	assert_string_equal(repo_top(r), dir);
	(void)snprintf(dir, sizeof(dir), "%s/main/.git/worktrees/linked", git_place);
	assert_string_equal(repo_git_dir(r), dir);
	ok(repo_head(r, &h, &err));
	assert_string_equal(h.branch, "side");
	assert_string_equal(h.id, said("git -C linked rev-parse HEAD"));
	assert_int_equal(repo_dirty(r, true, NULL, &err), 0);
	repo_close(r);
	sh("rm -r main/.git/worktrees/linked");
	refused("linked", "git worktree repair");
}

static void
test_submodule(void **state)
{
	struct err err = {0};
	struct repo *r;

	(void)state;
	sh("git init -q sub; cd sub; echo 1 >f; git add f; git commit -qm 1; cd ..; "
	   "git init -q super; cd super; git submodule --quiet add ../sub dir/sub; "
	   "git commit -qm 2");
	r = opened("super/dir/sub");
	assert_string_equal(path_basename(repo_top(r)), "sub");
	assert_int_equal(repo_dirty(r, true, NULL, &err), 0);
	repo_close(r);
	r = opened("super/dir");
	assert_string_equal(path_basename(repo_top(r)), "super");
	assert_int_equal(repo_dirty(r, true, NULL, &err), 0);
	sh("echo 2 >super/dir/sub/f");
	assert_int_equal(repo_dirty(r, true, NULL, &err), 1);
	repo_close(r);
}

static void
test_bare(void **state)
{
	const char *path = "f";
	struct repo_head h;
	struct err err = {0};
	struct repo *r;

	(void)state;
	sh("git init -q --bare bare.git");
	r = opened("bare.git");
	assert_null(repo_top(r));
	ok(repo_head(r, &h, &err));
	fails(repo_dirty(r, false, NULL, &err) < 0 ? -1 : 0, ERR_INVALID);
	says("is bare");
	fails(repo_stage(r, &path, 1, NULL, &err), ERR_INVALID);
	fails(repo_tracks(r, "f", &err) < 0 ? -1 : 0, ERR_INVALID);
	fails(repo_ignores(r, "f", &err) < 0 ? -1 : 0, ERR_INVALID);
	repo_close(r);
}

static void
test_refused(void **state)
{
	struct repo *r;

	(void)state;
	sh("git init -q --object-format=sha256 sha256; cd sha256; echo 1 >f; git add f; "
	   "git commit -qm 1");
	refused("sha256", "SHA-256");
	sh("git init -q table; cd table; git config -f .git/config "
	   "core.repositoryformatversion 1; "
	   "git config -f .git/config extensions.refstorage reftable");
	refused("table", "reftable");
	sh("cd table; git config -f .git/config extensions.refstorage files");
	r = opened("table");
	repo_close(r);
	sh("cd table; git config -f .git/config extensions.refstorage columns");
	refused("table", "extensions.refStorage");
	sh("cd table; git config -f .git/config extensions.refstorage files; "
	   "git config -f .git/config extensions.mystery 1");
	refused("table", "mystery");
	sh("cd table; git config -f .git/config core.repositoryformatversion 7");
	refused("table", "7");
	sh("git init -q second; cd second; git config extensions.worktreeConfig true; "
	   "git config --worktree core.worktree ../elsewhere");
	refused("second", "config.worktree");
}

static void
test_owner(void **state)
{
	struct repo *r;
	char words[200];

	(void)state;
	if (geteuid() != 0)
		skip();
	sh("git init -q theirs; mkdir theirs/d; chown -R 12345 theirs");
	(void)snprintf(words, sizeof(words),
		       "git config --global --add safe.directory %s/theirs", git_place);
	refused("theirs/d", words);
	sh("git config --global --add safe.directory /elsewhere");
	refused("theirs", words); /* as above, but another path in libgit2 */
	sh("%s", words);
	r = opened("theirs/d");
	repo_close(r);
}

/* ---- the module itself ---- */

static void
test_module(void **state)
{
	static struct module wrong = MODULE("git", 100000), absent = MODULE("none", 1);
	struct err err = {0};

	(void)state;
	assert_null(module_load(&wrong, &err));
	assert_int_equal(err.code, ERR_NEWER);
	says("dag-git.so");
	assert_null(module_load(&absent, &err));
	says("libexec/dag/dag-none.so");
	/* A module without its library, as where a package was removed. */
	sh("mkdir lib; echo 'int f(void); int f(void) { return 1; }' >f.c; "
	   "gcc -shared -fPIC -Wl,-soname,libfrob_2.so.1.7 -o lib/libfrob_2.so f.c; "
	   "echo 'extern int f(void); int g(void); int g(void) { return f(); }' >g.c; "
	   "gcc -shared -fPIC -o dag-frob.so g.c lib/libfrob_2.so");
	setenv("DAG_LIBEXEC", git_place, 1);
	{
		static struct module frob = MODULE("frob", 1), plain = MODULE("plain", 1);

		assert_null(module_load(&frob, &err));
		says("dag-frob.so");
		says("apt-get install libfrob-2-1.7");
		sh("gcc -shared -fPIC -o dag-plain.so f.c");
		assert_null(module_load(&plain, &err));
		says("is no module of dag");
	}
	unsetenv("DAG_LIBEXEC");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_none),	cmocka_unit_test(test_head),
	    cmocka_unit_test(test_environment), cmocka_unit_test(test_dirty),
	    cmocka_unit_test(test_sparse),	cmocka_unit_test(test_linked),
	    cmocka_unit_test(test_submodule),	cmocka_unit_test(test_bare),
	    cmocka_unit_test(test_refused),	cmocka_unit_test(test_owner),
	    cmocka_unit_test(test_module),
	};

	return cmocka_run_group_tests_name("store.git_open", tests, git_setup,
					   git_teardown);
}
