/*
 * The index: staging beside other gits, what is tracked, what is ignored; and the hooks.
 */
#include "unit/store/git_test.h"

#include <pthread.h>
#include <time.h>

static void
test_stage(void **state)
{
	const char *paths[] = {"new.dvc", "d/changed",	 "gone",
			       "ign/x",	  "ign/tracked", "never"};
	struct err err = {0};
	struct repo *r;
	size_t staged;

	(void)state;
	sh("git init -q stage; cd stage; mkdir d ign; echo 1 >d/changed; echo 1 >gone; "
	   "echo 1 >ign/tracked; echo 1 >other; echo /ign >.gitignore; git add .; "
	   "git add -f ign/tracked; git commit -qm 1; "
	   "echo 2 >d/changed; rm gone; echo 2 >ign/tracked; echo 1 >ign/x; echo 1 "
	   ">new.dvc; "
	   "chmod +x new.dvc; echo 2 >other");
	r = opened("stage/d");
	ok(repo_stage(r, paths, 6, &staged, &err));
	assert_int_equal(staged, 4);
	assert_string_equal(
	    said("git -C stage status --porcelain --no-renames | tr '\\n' ';'"),
	    "M  d/changed;D  gone;M  ign/tracked;A  new.dvc; M other;");
	assert_string_equal(said("git -C stage ls-files -s new.dvc | cut -c1-6"),
			    "100755");
	sh("cd stage; git fsck --strict; test ! -e .git/index.lock; "
	   "test ! -e .git/index.dag");
	ok(repo_stage(r, paths, 0, &staged, &err));
	paths[0] = "never";
	ok(repo_stage(r, paths, 1, &staged, &err));
	assert_int_equal(staged, 0);
	/* The same repo sees what was staged, and what git stages after it. */
	assert_int_equal(repo_tracks(r, "new.dvc", &err), 1);
	sh("cd stage; git rm -q --cached new.dvc");
	assert_int_equal(repo_tracks(r, "new.dvc", &err), 0);
	repo_close(r);
}

static void
test_stage_unborn(void **state)
{
	const char *paths[] = {"a", "link"};
	struct err err = {0};
	struct repo *r;
	size_t staged;

	(void)state;
	sh("git init -q first; cd first; echo 1 >a; ln -s nowhere link");
	r = opened("first");
	ok(repo_stage(r, paths, 2, &staged, &err));
	assert_int_equal(staged, 2);
	assert_string_equal(said("git -C first status --porcelain | tr '\\n' ';'"),
			    "A  a;A  link;");
	repo_close(r);
}

static void
test_stage_linked(void **state)
{
	const char *path = "x";
	struct err err = {0};
	struct repo *r;

	(void)state;
	sh("git init -q smain; cd smain; echo 1 >f; git add f; git commit -qm 1; "
	   "git worktree add -q ../slinked -b side; echo 1 >../slinked/x");
	r = opened("slinked");
	ok(repo_stage(r, &path, 1, NULL, &err));
	assert_string_equal(said("git -C slinked status --porcelain"), "A  x");
	assert_string_equal(said("git -C smain status --porcelain"), "");
	repo_close(r);
}

/* All or nothing, and refused where git would do what we cannot. */
static void
test_stage_refused(void **state)
{
	const char *paths[] = {"good", "d", "big.bin"};
	struct err err = {0};
	struct repo *r;

	(void)state;
	sh("git init -q refuse; cd refuse; mkdir d; echo 1 >good; echo 1 >big.bin; "
	   "echo '*.bin filter=lfs' >.gitattributes");
	r = opened("refuse");
	fails(repo_stage(r, paths, 2, NULL, &err), ERR_INVALID);
	says("'d'");
	assert_string_equal(said("git -C refuse ls-files"), "");
	fails(repo_stage(r, paths + 2, 1, NULL, &err), ERR_INVALID);
	says("filter=lfs");
	assert_int_equal(repo_tracks(r, "good", &err), 0);
	sh("cd refuse; test ! -e .git/index.lock; test ! -e .git/index.dag");
	ok(repo_stage(r, paths, 1, NULL, &err));
	assert_string_equal(said("git -C refuse ls-files"), "good");
	sh("cd refuse; printf garbage >.git/index");
	fails(repo_stage(r, paths, 1, NULL, &err), ERR_SYS);
	assert_string_equal(said("cat refuse/.git/index"), "garbage");
	repo_close(r);
}

/* git 2.40 can leave the checksum of the index out. */
static void
test_no_checksum(void **state)
{
	const char *path = "f";
	struct err err = {0};
	struct repo *r;

	(void)state;
	sh("git init -q nosum; cd nosum; echo 1 >f; git add f; echo 2 >f; "
	   "truncate -s -20 .git/index; head -c 20 /dev/zero >>.git/index");
	r = opened("nosum");
	fails(repo_stage(r, &path, 1, NULL, &err), ERR_INVALID);
	says("index.skipHash false");
	err_clear(&err);
	assert_int_equal(repo_tracks(r, "f", &err), -1);
	says("index.skipHash false");
	sh("cd nosum; git update-index --force-write-index");
	assert_int_equal(repo_tracks(r, "f", &err), 1);
	ok(repo_stage(r, &path, 1, NULL, &err));
	repo_close(r);
}

static void *
unlock(void *path)
{
	struct timespec t = {.tv_nsec = 300000000};

	(void)nanosleep(&t, NULL);
	(void)unlink(path);
	return NULL;
}

static void
test_lock(void **state)
{
	char lock[] = "lock/.git/index.lock";
	const char *path = "f";
	struct timespec a, b;
	struct err err = {0};
	struct repo *r;
	pthread_t t;

	(void)state;
	sh("git init -q lock; cd lock; echo 1 >f; touch .git/index.lock");
	r = opened("lock");
	assert_int_equal(pthread_create(&t, NULL, unlock, lock), 0);
	ok(repo_stage(r, &path, 1, NULL, &err)); /* the other was done in time */
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_string_equal(said("git -C lock ls-files"), "f");
	sh("cd lock; echo theirs >.git/index.lock; rm f");
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	fails(repo_stage(r, &path, 1, NULL, &err), ERR_BUSY);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true(b.tv_sec - a.tv_sec >= 2 && b.tv_sec - a.tv_sec < 10);
	says("lock/.git/index.lock");
	assert_string_equal(said("cat lock/.git/index.lock"), "theirs");
	assert_string_equal(said("git -C lock ls-files"), "f");
	repo_close(r);
}

/* What somebody who was killed in the midst left, once git's lock has been removed by hand. */
static void
test_left_over(void **state)
{
	const char *path = "f";
	struct err err = {0};
	struct repo *r;

	(void)state;
	sh("git init -q left; cd left; echo 1 >f; echo half >.git/index.dag; "
	   "echo half >.git/index.dag.lock");
	r = opened("left");
	ok(repo_stage(r, &path, 1, NULL, &err));
	assert_string_equal(said("git -C left ls-files"), "f");
	sh("cd left; test ! -e .git/index.dag; test ! -e .git/index.dag.lock");
	repo_close(r);
}

/* Two who stage at once, one of them git: nothing of either is lost. */
static void
test_together(void **state)
{
	char names[40][8];
	const char *path;
	struct err err = {0};
	struct repo *r;
	pid_t pid;
	int i;

	(void)state;
	sh("git init -q both; cd both; for i in $(seq 40); do echo $i >a$i; echo $i "
	   ">b$i; "
	   "done");
	pid = fork();
	if (pid == 0)
		_exit(
		    system(
			"cd both; for i in $(seq 40); do until git add b$i 2>/dev/null; "
			"do :; done; done") != 0);
	r = opened("both");
	for (i = 0; i < 40; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "a%d", i + 1);
		path = names[i];
		ok(repo_stage(r, &path, 1, NULL, &err));
	}
	assert_int_equal(child_status(pid), 0);
	assert_string_equal(said("git -C both ls-files | wc -l"), "80");
	repo_close(r);
}

static void
test_tracks(void **state)
{
	struct err err = {0};
	struct repo *r;

	(void)state;
	sh("git init -q tracks; cd tracks; mkdir -p d/e; echo 1 >d/e/f; echo 1 >d-x; "
	   "echo 1 >loose; git add d d-x");
	r = opened("tracks");
	assert_int_equal(repo_tracks(r, "d/e/f", &err), 1);
	assert_int_equal(repo_tracks(r, "d/e", &err), 1);
	assert_int_equal(repo_tracks(r, "d", &err), 1);
	assert_int_equal(repo_tracks(r, ".", &err), 1);
	assert_int_equal(repo_tracks(r, "d/e/", &err), 0);
	assert_int_equal(repo_tracks(r, "d-", &err), 0);
	assert_int_equal(repo_tracks(r, "loose", &err), 0);
	repo_close(r);
}

static void
test_ignores(void **state)
{
	struct err err = {0};
	struct repo *r;

	(void)state;
	sh("git init -q ign; cd ign; mkdir -p data/raw sub; echo "
	   "'/data\n*.log\n!keep.log' "
	   ">.gitignore; echo /only >sub/.gitignore; echo /info >.git/info/exclude; "
	   "printf 'dir/\n' >>.gitignore");
	r = opened("ign");
	assert_int_equal(repo_ignores(r, "data", &err), 1);
	assert_int_equal(repo_ignores(r, "data/raw/x", &err), 1);
	assert_int_equal(repo_ignores(r, "sub/data", &err), 0);
	assert_int_equal(repo_ignores(r, "sub/a.log", &err), 1);
	assert_int_equal(repo_ignores(r, "keep.log", &err), 0);
	assert_int_equal(repo_ignores(r, "sub/only", &err), 1);
	assert_int_equal(repo_ignores(r, "info", &err), 1);
	assert_int_equal(repo_ignores(r, "dir", &err), 0);
	assert_int_equal(repo_ignores(r, "dir/", &err), 1);
	sh("cd ign; echo /later >>.gitignore");
	assert_int_equal(repo_ignores(r, "later", &err), 1); /* read again */
	repo_close(r);
}

/* ---- hooks ---- */

static void
test_hooks(void **state)
{
	struct repo_hook h[REPO_HOOKS];
	struct err err = {0};
	struct repo *r;
	struct buf dir;

	(void)state;
	sh("git init -q hooks; cd hooks; rm -rf .git/hooks; mkdir ../bin; "
	   "printf '#!/bin/sh\\necho \"$@\" >>%s/calls\\n' >../bin/dag; "
	   "chmod +x ../bin/dag",
	   git_place);
	r = opened("hooks");
	buf_init(&dir, 0);
	ok(repo_hooks(r, h, &dir, &err));
	assert_string_equal(h[0].name, "post-checkout");
	assert_int_equal(h[0].state, HOOK_MADE);
	buf_clear(&dir);
	sh("cd hooks/.git/hooks; echo '# old' >>pre-push; chmod -x pre-commit");
	ok(repo_hooks(r, h, &dir, &err));
	assert_int_equal(h[0].state, HOOK_WAS_THERE);
	assert_int_equal(h[1].state, HOOK_UPDATED);
	assert_int_equal(h[2].state, HOOK_UPDATED);
	/* git calls them. */
	sh("PATH=%s/bin:$PATH; cd hooks; echo 1 >f; git add f; git commit -qm 1; "
	   "git checkout -qb same; git checkout -q --orphan x; git commit -qm 2; "
	   "git checkout -q same; git checkout -q f; git init -q --bare ../to.git; "
	   "git push -q ../to.git same",
	   git_place);
	assert_string_equal(said("tr '\\n' ';' <calls"), "status;status;checkout;push;");
	/* Not in a rebase. */
	sh("rm calls; PATH=%s/bin:$PATH; cd hooks; echo 2 >g; git add g; "
	   "git commit --no-verify -qm g; git checkout -q same~1; echo 3 >h; git add h; "
	   "git commit --no-verify -qm h; rm -f ../calls; git rebase -q same; "
	   "test ! -e ../calls",
	   git_place);
	buf_release(&dir);
	repo_close(r);
}

static void
test_hooks_of_others(void **state)
{
	struct repo_hook h[REPO_HOOKS];
	struct err err = {0};
	struct repo *r;
	struct buf dir;

	(void)state;
	sh("git init -q theirs; cd theirs; echo 'make check' >.git/hooks/pre-push");
	r = opened("theirs");
	buf_init(&dir, 0);
	fails(repo_hooks(r, h, &dir, &err), ERR_EXISTS);
	says("theirs/.git/hooks/pre-push");
	says("dag push");
	sh("cd theirs/.git/hooks; test ! -e pre-commit; test ! -e post-checkout; "
	   "grep -qx 'make check' pre-push; rm pre-push; mkdir pre-commit");
	buf_clear(&dir);
	fails(repo_hooks(r, h, &dir, &err), ERR_EXISTS);
	sh("rmdir theirs/.git/hooks/pre-commit");
	repo_close(r);
	/* A directory of its own, and one of all repositories. */
	sh("cd theirs; git config core.hooksPath my/hooks");
	r = opened("theirs");
	buf_clear(&dir);
	ok(repo_hooks(r, h, &dir, &err));
	sh("test -x theirs/my/hooks/pre-push");
	repo_close(r);
	sh("cd theirs; git config --unset core.hooksPath; "
	   "git config --global core.hooksPath ~/hooks");
	r = opened("theirs");
	buf_clear(&dir);
	fails(repo_hooks(r, h, &dir, &err), ERR_EXISTS);
	says("core.hooksPath");
	sh("test ! -e ~/hooks; git config --global --unset core.hooksPath");
	repo_close(r);
	buf_release(&dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_stage),	 cmocka_unit_test(test_stage_unborn),
	    cmocka_unit_test(test_stage_linked), cmocka_unit_test(test_stage_refused),
	    cmocka_unit_test(test_no_checksum),	 cmocka_unit_test(test_lock),
	    cmocka_unit_test(test_left_over),	 cmocka_unit_test(test_together),
	    cmocka_unit_test(test_tracks),	 cmocka_unit_test(test_ignores),
	    cmocka_unit_test(test_hooks),	 cmocka_unit_test(test_hooks_of_others),
	};

	return cmocka_run_group_tests_name("store.git_index", tests, git_setup,
					   git_teardown);
}
