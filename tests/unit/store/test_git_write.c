/*
 * Writing into a repository without its index and HEAD: references, commits, trees of what
 * lies in a work tree, work trees elsewhere.
 */
#include "unit/store/git_test.h"

#include "base/buf.h"
#include "store/git_write.h"

#define REF "refs/exps/ab/cd/one"

static int
put_name(void *ctx, const struct repo_ref *ref, struct err *err)
{
	(void)err;
	buf_addf(ctx, "%s;", ref->name);
	return 0;
}

static void
test_refs(void **state)
{
	struct err err = {0};
	struct repo *r;
	char id[REPO_ID], second[REPO_ID];
	struct buf b;

	(void)state;
	sh("git init -q refs; cd refs; git commit -q --allow-empty -m 1; git commit -q "
	   "--allow-empty -m 2; git tag v1; git update-ref refs/exps/zz/1/b HEAD; git "
	   "update-ref refs/exps/aa/1/a HEAD; git pack-refs --all; git update-ref "
	   "refs/exps/blob $(echo x | git hash-object -w --stdin)");
	r = opened("refs");
	ok(repo_resolve(r, "HEAD~1", id, &err));
	ok(repo_resolve(r, "HEAD", second, &err));
	/* A new one must be new; a known one must be what it was. */
	ok(repo_ref_set(r, REF, id, "", &err));
	assert_int_equal(repo_ref_set(r, REF, second, "", &err), -1);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_int_equal(repo_ref_set(r, REF, second, second, &err), -1);
	assert_int_equal(err.code, ERR_STALE);
	assert_string_equal(said("git -C refs rev-parse %s", REF), id);
	ok(repo_ref_set(r, REF, second, id, &err));
	ok(repo_ref_set(r, REF, id, NULL, &err));
	assert_string_equal(said("git -C refs rev-parse %s", REF), id);
	assert_int_equal(repo_ref_set(r, "refs/exps/a b", id, NULL, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_true(repo_ref_valid(r, REF));
	assert_false(repo_ref_valid(r, "refs/exps/a..b"));
	/* Sorted; packed ones too; what is no commit is not told. */
	buf_init(&b, 0);
	ok(repo_refs(r, "refs/exps/", put_name, &b, &err));
	assert_string_equal(b.p, "refs/exps/aa/1/a;" REF ";refs/exps/zz/1/b;");
	ok(repo_ref_remove(r, "refs/exps/aa/1/a", &err));
	ok(repo_ref_remove(r, REF, &err));
	ok(repo_ref_remove(r, REF, &err));
	buf_clear(&b);
	ok(repo_refs(r, "refs/exps/", put_name, &b, &err));
	assert_string_equal(b.p, "refs/exps/zz/1/b;");
	buf_release(&b);
	/* Held by another git for longer than we wait. */
	sh("mkdir -p refs/.git/refs/exps/ab/cd; echo >refs/.git/" REF ".lock");
	assert_int_equal(repo_ref_set(r, REF, id, "", &err), -1);
	assert_int_equal(err.code, ERR_BUSY);
	assert_non_null(strstr(err.msg, ".lock' for writing: if no git is at work there, "
					"one was killed: remove that file"));
	repo_close(r);
}

static void
test_commit(void **state)
{
	struct err err = {0};
	struct repo *r;
	struct repo_commit c;
	char head[REPO_ID], id[REPO_ID];
	const char *parents[] = {head};

	(void)state;
	sh("git init -q commits; cd commits; echo 1 >a; git add .; git commit -qm "
	   "'one line' -m 'and more'");
	r = opened("commits");
	ok(repo_resolve(r, "HEAD", head, &err));
	ok(repo_commit(r, head, &c, &err));
	assert_string_equal(c.subject, "one line");
	assert_string_equal(c.parent, "");
	assert_true(c.time_s == 1700000000);
	ok(repo_author(r, &err));
	ok(repo_commit_make(r, c.tree, parents, 1, "made\n", id, &err));
	assert_true(repo_tree_same(r, head, id));
	assert_string_equal(said("git -C commits log -1 --format='%%s %%an %%ae' %s", id),
			    "made A a@example.org");
	assert_string_equal(said("git -C commits rev-parse %s^", id), head);
	sh("git -C commits fsck --strict");
	repo_close(r);
	/* Nobody: refused before anything is written; the environment is somebody. */
	sh("mv home/.gitconfig home/.gitconfig.was");
	r = opened("commits");
	assert_int_equal(repo_author(r, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, "git config user.name"));
	setenv("GIT_AUTHOR_NAME", "B", 1);
	setenv("GIT_AUTHOR_EMAIL", "b@example.org", 1);
	setenv("GIT_COMMITTER_NAME", "C", 1);
	setenv("GIT_COMMITTER_EMAIL", "c@example.org", 1);
	ok(repo_commit_make(r, c.tree, parents, 1, "made\n", id, &err));
	assert_string_equal(said("git -C commits log -1 --format='%%ae %%ce' %s", id),
			    "b@example.org c@example.org");
	repo_close(r);
	unsetenv("GIT_AUTHOR_NAME");
	unsetenv("GIT_AUTHOR_EMAIL");
	unsetenv("GIT_COMMITTER_NAME");
	unsetenv("GIT_COMMITTER_EMAIL");
	sh("mv home/.gitconfig.was home/.gitconfig");
}

static void
test_snapshot(void **state)
{
	const char *extra[] = {"out", "nothing", "a"};
	struct repo_snapshot s;
	struct err err = {0};
	struct repo *r;

	(void)state;
	sh("git init -q snap; cd snap; mkdir d; echo 1 >a; echo 1 >d/gone; echo 1 >same; "
	   "echo 1 >x; ln -s a link; git add .; git commit -qm 1; echo 2 >a; rm d/gone; "
	   "chmod +x x; ln -sf same link; echo s >staged; git add staged; echo t "
	   ">>staged; "
	   "mkdir -p out/sub; echo o >out/sub/f; echo u >untracked; echo /out "
	   ">.gitignore; "
	   "cp .git/index index.was; cp .git/HEAD head.was");
	r = opened("snap");
	ok(repo_snapshot(r, r, extra, 3, NULL, &s, &err));
	assert_string_equal(
	    said("git -C snap ls-tree -r --name-only %s | tr '\\n' ' '", s.index),
	    "a d/gone link same staged x ");
	assert_string_equal(
	    said("git -C snap ls-tree -r --name-only %s | tr '\\n' ' '", s.tree),
	    "a link out/sub/f same staged x ");
	assert_string_equal(said("cd snap; for f in a link staged out/sub/f; do git show "
				 "%s:$f; done | tr '\\n' ' '",
				 s.tree),
			    "2 sames t o ");
	assert_string_equal(said("git -C snap ls-tree %s x | cut -c1-6", s.tree),
			    "100755");
	sh("cd snap; cmp .git/index index.was; cmp .git/HEAD head.was; git fsck");
	/* A filter that is a program is not left out unnoticed. */
	sh("cd snap; echo 'a filter=lfs' >.gitattributes");
	assert_int_equal(repo_snapshot(r, r, NULL, 0, NULL, &s, &err), -1);
	assert_non_null(strstr(err.msg, "filter=lfs"));
	repo_close(r);
}

static void
test_unmerged(void **state)
{
	struct repo_snapshot s;
	struct err err = {0};
	struct repo *r;

	(void)state;
	sh("git init -q merge; cd merge; echo 1 >a; git add .; git commit -qm 1; git "
	   "checkout -qb b; echo 2 >a; git commit -qam 2; git checkout -q main; echo 3 "
	   ">a; git commit -qam 3; git merge b || true");
	r = opened("merge");
	assert_int_equal(repo_snapshot(r, r, NULL, 0, NULL, &s, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, "'a' is unmerged"));
	repo_close(r);
}

static void
test_apart(void **state)
{
	struct repo_snapshot s;
	struct err err = {0};
	struct repo *r, *apart = NULL;
	char head[REPO_ID];
	const char *extra[] = {"made"};

	(void)state;
	sh("git init -q user; cd user; git config x.y 'a\"b'; git config --add x.y c; "
	   "git "
	   "config core.worktree \"$PWD\"; echo secret >.git/info/exclude; mkdir d; echo "
	   "1 "
	   ">a; echo 1 >d/b; git add .; git commit -qm 1; echo 2 >a; cp -a .git ../was");
	r = opened("user");
	ok(repo_resolve(r, "HEAD", head, &err));
	ok(repo_snapshot(r, r, NULL, 0, NULL, &s, &err));
	sh("mkdir elsewhere");
	ok(repo_apart(r, s.tree, head, "elsewhere/one", &apart, &err));
	assert_string_equal(
	    said("cd elsewhere/one; { cat a d/b; git status --porcelain; git config "
		 "--get-all x.y; git check-ignore secret; git config core.worktree; } | "
		 "tr '\\n' ';'"),
	    "2;1;M  a;a\"b;c;secret;");
	assert_string_equal(said("git -C elsewhere/one rev-parse HEAD"), head);
	/* What a command keeps there only it has, until it is wanted here. */
	sh("cd elsewhere/one; echo kept >made; git add made; echo 3 >d/b");
	ok(repo_snapshot(apart, r, extra, 1, NULL, &s, &err));
	assert_string_equal(said("cd user; git show %s:a %s:d/b %s:made | tr '\\n' ' '",
				 s.tree, s.tree, s.tree),
			    "2 3 kept ");
	sh("rm -rf elsewhere; cd user; git fsck; cmp .git/index ../was/index; cmp "
	   ".git/config ../was/config");
	repo_close(apart);
	repo_close(r);
}

static void
test_put(void **state)
{
	struct err err = {0};
	struct repo *r;
	char exp[REPO_ID], tree[REPO_ID];
	size_t n;

	(void)state;
	sh("git init -q put; cd put; mkdir d; echo 1 >a; echo 1 >d/gone; echo 1 >same; "
	   "git "
	   "add .; git commit -qm 1; git checkout -qb e; echo 2 >a; git rm -q d/gone; "
	   "echo "
	   "n >new; echo w >way; git add .; git commit -qam 2; git checkout -q main; "
	   "echo "
	   "mine >way; echo n >new; echo u >untracked; cp .git/index index.was");
	r = opened("put");
	ok(repo_resolve(r, "e", exp, &err));
	/* In the way is only what the commit has otherwise, and git does not track. */
	ok(repo_in_way(r, exp, tree, &n, &err));
	assert_int_equal(n, 1);
	assert_string_equal(said("git -C put show %s:way", tree), "mine");
	ok(repo_put(r, exp, &err));
	assert_string_equal(said("cd put; { cat a new way same untracked; git rev-parse "
				 "--abbrev-ref HEAD; ls d 2>/dev/null; } | tr '\\n' ' '"),
			    "2 n w 1 u main ");
	sh("cd put; cmp .git/index index.was");
	ok(repo_in_way(r, exp, tree, &n, &err));
	assert_int_equal(n, 0);
	assert_string_equal(tree, "");
	repo_close(r);
}

/* What the user has done to the tree of HEAD, and what of the commit `e` may not be put there. */
static const struct {
	const char *before, *does, *says, *after;
} ways[] = {
    {"echo 1 >a", "git rm -q --cached a; echo mine >a", NULL, "grep -q mine a"},
    {"echo 1 >a", "rm a; mkdir a; echo mine >a/b", NULL, "grep -q mine a/b"},
    {"echo 1 >a; echo 1 >e/a", "rm a; mkdir a; echo mine >a/b",
     "the directory 'a' is where a file is to be: move it away", "grep -q mine a/b"},
    {"mkdir e/new; echo 1 >e/new/a", "echo mine >new",
     "the file 'new' is where a directory is to be: move it away", "grep -q mine new"},
    {"echo 1 >a; mkdir e/a; echo 1 >e/a/b", "echo mine >a", NULL, "grep -q 1 a/b"},
    {"mkdir d e/d; echo 1 >d/a; echo 1 >e/d/a",
     "rm -r d; mkdir out; echo mine >out/a; ln -s out d",
     "the link 'd' is where a directory is to be: move it away", "grep -q mine out/a"},
    {"mkdir d e/d; echo 1 >d/a; echo 1 >e/d/a", "git rm -qr d; echo mine >d; git add d",
     "the file 'd' is where a directory is to be: move it away", "grep -q mine d"},
    {"mkdir d e/d; echo 1 >d/a; echo 1 >e/d/a",
     "git rm -qr d; mkdir out; echo mine >out/a; ln -s out d; git add d",
     "the link 'd' is where a directory is to be: move it away", "grep -q mine out/a"},
    {"ln -s kept l; mkdir e/l; echo 2 >e/l/a",
     "mkdir out; echo mine >out/a; ln -sfn out l", NULL,
     "grep -q mine out/a && ! test -L l && grep -q 2 l/a"},
    {"mkdir d e/d e/l; echo 1 >d/a; echo 1 >e/d/a; ln -s d l; echo 2 >e/l/a", ":", NULL,
     "grep -q 1 d/a && ! test -L l && grep -q 2 l/a"},
    {"mkdir d; echo 1 >d/a", "rm -r d; mkdir out; echo mine >out/a; ln -s out d", NULL,
     "grep -q mine out/a"},
    {"echo 1 >a; echo 1 >e/a", "git update-index --assume-unchanged a; echo mine >a",
     NULL, "grep -q mine a"},
    {"echo 1 >a; echo 1 >e/a", "git update-index --skip-worktree a; rm a", NULL,
     "! test -e a"},
    {"echo 1 >a; echo 2 >e/a", "git update-index --assume-unchanged a; echo mine >a",
     "the file 'a' is one whose changes git does not look at, and they would be lost: "
     "'git update-index --no-assume-unchanged --no-skip-worktree' lets it see them",
     "grep -q mine a"},
    {"echo 1 >a; echo mine >e/a", "git update-index --assume-unchanged a; echo mine >a",
     NULL, "grep -q mine a"},
    {"echo 1 >a", "git update-index --skip-worktree a; echo mine >a",
     "the file 'a' is one whose changes git does not look at, and they would be lost: "
     "'git update-index --no-assume-unchanged --no-skip-worktree' lets it see them",
     "grep -q mine a"},
    {"echo 1 >a; echo 2 >e/a", "git update-index --assume-unchanged a", NULL,
     "grep -q 2 a"},
};

static void
test_put_loses_nothing(void **state)
{
	char exp[REPO_ID], tree[REPO_ID];
	struct repo *r;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct err err = {0};

		sh("rm -rf way; mkdir -p way/e; cd way; echo 1 >e/kept; %s; mv e "
		   "../way.e; git init -q .; echo 0 >kept; git add .; git commit -qm 1; "
		   "git checkout -qb e; git rm -qr .; mv ../way.e/* .; rmdir ../way.e; "
		   "git add .; git commit -qm 2; git checkout -q main; %s",
		   ways[i].before, ways[i].does);
		r = opened("way");
		ok(repo_resolve(r, "e", exp, &err));
		if (ways[i].says == NULL) {
			ok(repo_in_way(r, exp, tree, &n, &err));
			ok(repo_put(r, exp, &err));
		} else {
			assert_int_equal(repo_in_way(r, exp, tree, &n, &err), -1);
			assert_string_equal(err.msg, ways[i].says);
		}
		sh("cd way; %s", ways[i].after);
		repo_close(r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refs),
	    cmocka_unit_test(test_commit),
	    cmocka_unit_test(test_snapshot),
	    cmocka_unit_test(test_unmerged),
	    cmocka_unit_test(test_apart),
	    cmocka_unit_test(test_put),
	    cmocka_unit_test(test_put_loses_nothing),
	};

	return cmocka_run_group_tests(tests, git_setup, git_teardown);
}
