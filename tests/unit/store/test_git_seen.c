/*
 * What is remembered of a repository is either not told or what libgit2 says.
 */
#include "store/git_seen.h"

#include "unit/store/git_test.h"

#include <sys/stat.h>

static int state_fd = -1;
static char root[128];

/* Longer than nothing may have changed. */
static void
rest(void)
{
	(void)usleep(SEEN_QUIET_NS / 1000 + 20000);
}

static void
begin(const char *dir)
{
	(void)snprintf(root, sizeof(root), "%s/%s", git_place, dir);
	sh("rm -rf state; mkdir state");
	if (state_fd != -1)
		(void)close(state_fd);
	state_fd = open("state", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(state_fd >= 0);
}

/* As the session does it: the truth, which is remembered if it can be. */
static struct git_seen
look_anew(void)
{
	struct repo *r = opened(root);
	struct git_seen_state *s = git_seen_begin(root, repo_top(r), repo_git_dir(r));
	struct git_seen seen = {0};
	struct repo_change change;
	struct repo_head head;
	struct err err = {0};
	int dirty;

	ok(repo_head(r, &head, &err));
	dirty = repo_change(r, NULL, &change, &err);
	assert_true(dirty >= 0);
	memcpy(seen.commit, head.id, sizeof(seen.commit));
	seen.dirty = dirty == 1;
	git_seen_end(s, state_fd, &seen, &change);
	repo_close(r);
	return seen;
}

static int
told(struct git_seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	return git_seen_look(root, state_fd, SIZE_MAX, NULL, seen);
}

/* What is told, if it is, is the truth; ${must}: it is told once all is at rest. */
static void
check(const char *what, bool must)
{
	struct git_seen seen, truth;
	bool early = told(&seen) == 1;

	truth = look_anew();
	if (early &&
	    (strcmp(seen.commit, truth.commit) != 0 || seen.dirty != truth.dirty))
		fail_msg("after '%s': told %s %d, is %s %d", what, seen.commit,
			 seen.dirty, truth.commit, truth.dirty);
	rest();
	truth = look_anew();
	if (told(&seen) != must)
		fail_msg("after '%s': %s", what, must ? "not told" : "told");
	if (must && (strcmp(seen.commit, truth.commit) != 0 || seen.dirty != truth.dirty))
		fail_msg("at rest after '%s': told %s %d, is %s %d", what, seen.commit,
			 seen.dirty, truth.commit, truth.dirty);
}

/* A file that is not older than the index is looked at again and again. */
static void
check_after(const char *what, bool must)
{
	sh("cd r; %s", what);
	check(what, must);
}

static void
test_changes(void **state)
{
	static const struct {
		const char *what;
		bool must;
	} steps[] = {
	    {"echo 1 >f; mkdir d; echo 2 >d/g; ln -s f l; echo x >x; chmod +x x", true},
	    {"git add .", true}, /* staged */
	    {"git commit -qm 1; sleep 0.1; git update-index -q --refresh", true},
	    {"touch -d '1 hour ago' f", false}, /* only libgit2 can tell */
	    {"git update-index -q --refresh; sleep 0.1; touch .git/index", true},
	    {"echo 2 >f", true},
	    {"echo 3 >f", true},
	    {"echo 4 >d/g", true},
	    {"git checkout -q f", true},
	    {"git checkout -q d/g; sleep 0.1; touch .git/index", true},
	    {"chmod -x x", true},
	    {"chmod +x x; git update-index -q --refresh; sleep 0.1; touch .git/index",
	     true},
	    {"rm d/g", true},
	    {"git rm -q --cached d/g", true},
	    {"git commit -qm 2", true},
	    {"git checkout -qb side", true},
	    {"echo 5 >f; git commit -qam 3; sleep 0.1; touch .git/index", true},
	    {"git checkout -q main; sleep 0.1; touch .git/index", true},
	    {"git checkout -q --detach; sleep 0.1; touch .git/index", true},
	    {"git checkout -q side; git pack-refs --all; sleep 0.1; touch .git/index",
	     true},
	    {"git gc -q", true},
	    {"git commit -q --amend -m 4", true},
	    {"git update-ref refs/heads/side main", true}, /* now all is staged */
	    {"git reset -q --hard; sleep 0.1; touch .git/index", true},
	    {"git config core.fileMode false", true},
	    {"echo untracked >u", true},
	    {"git rm -q f", true},
	    {"git reset -q --hard; sleep 0.1; touch .git/index", true},
	    {"git update-index --assume-unchanged f", false},
	    {"git update-index --no-assume-unchanged f; git update-index --skip-worktree "
	     "f",
	     false},
	    {"git update-index --no-skip-worktree f; sleep 0.1; touch .git/index", true},
	    {"git update-index --index-version 4", false},
	    {"git update-index --index-version 2; sleep 0.1; touch .git/index", true},
	    {"git merge -q main; git branch -q other; git symbolic-ref HEAD "
	     "refs/heads/other",
	     true},
	    {"git config include.path more", false},
	};

	(void)state;
	sh("git init -q r");
	begin("r");
	sh("cd r; git commit -q --allow-empty -m 0; git read-tree HEAD");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		check_after(steps[i].what, steps[i].must);
	assert_string_equal(look_anew().commit, said("git -C r rev-parse HEAD"));
}

/* Every change of the things that the answer hangs on is seen, also a moment later. */
static void
test_at_once(void **state)
{
	struct git_seen seen;

	(void)state;
	sh("git init -q now; cd now; echo 1 >f; git add f; git commit -qm 1; sleep 0.1; "
	   "touch .git/index");
	begin("now");
	for (int i = 0; i < 6; i++) {
		check("the last one", true);
		sh("cd now; echo %d >f", i + 2);
		if (told(&seen) == 1)
			assert_true(seen.dirty);
		check("an edit", true);
		sh("cd now; git commit -qam %d", i);
		if (told(&seen) == 1)
			fail_msg("a commit was missed");
		/* As long as it has just been made nothing is remembered. */
		(void)look_anew();
		sh("cd now; sleep 0.1; touch .git/index");
	}
}

static void
test_other_places(void **state)
{
	struct git_seen seen;

	(void)state;
	sh("git init -q p; cd p; mkdir -p a/b; echo 1 >a/b/f; git add .; git commit -qm "
	   "1; "
	   "sleep 0.1; touch .git/index");
	begin("p/a/b");
	check("in a directory", true);
	/* Nearer repositories, or what looks like one. */
	sh("mkdir p/a/.git");
	assert_int_equal(told(&seen), 0);
	sh("rmdir p/a/.git; mkdir p/a/b/objects; echo x >p/a/b/HEAD");
	assert_int_equal(told(&seen), 0);
	sh("rm -r p/a/b/objects p/a/b/HEAD");
	assert_int_equal(told(&seen), 1);
	/* Another root has not been seen. */
	(void)snprintf(root, sizeof(root), "%s/p/a", git_place);
	assert_int_equal(told(&seen), 0);
	(void)snprintf(root, sizeof(root), "%s/p/a/b", git_place);
	assert_int_equal(git_seen_look(root, state_fd, 10, NULL, &seen), 0);
	/* The whole repository is another one. */
	sh("mv p q; cp -a q p");
	assert_int_equal(told(&seen), 0);
	/* Not plain: a linked work tree, a submodule's gitlink. */
	sh("cd q; git worktree add -q ../linked");
	begin("linked");
	check("a linked work tree", false);
	sh("git init -q m; cd m; git commit -q --allow-empty -m 0; git submodule -q add "
	   "../q sub; git commit -qm 1; sleep 0.1; touch .git/index");
	begin("m");
	check("a submodule", false);
	if (geteuid() == 0) {
		sh("git init -q o; cd o; echo 1 >f; git add f; git commit -qm 1; sleep "
		   "0.1; "
		   "touch .git/index");
		begin("o");
		check("ours", true);
		sh("chown 12345 o");
		assert_int_equal(told(&seen), 0);
		sh("chown 0 o; chown 12345 o/.git");
		assert_int_equal(told(&seen), 0);
		sh("chown 0 o/.git");
	}
}

/* The file may be cut, or changed anywhere. */
static void
test_damaged(void **state)
{
	struct git_seen seen;
	struct err err = {0};
	struct buf b;

	(void)state;
	sh("git init -q dam; cd dam; echo 1 >f; git add f; git commit -qm 1; sleep 0.1; "
	   "touch .git/index");
	begin("dam");
	assert_int_equal(told(&seen), 0); /* there is none */
	check("nothing", true);
	buf_init(&b, 0);
	ok(fsio_read(state_fd, SEEN_FILE, 1 << 20, &b, &err));
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] ^= 1;
		ok(fsio_replace_lazily(state_fd, SEEN_FILE, b.p, b.n, 0600, &err));
		if (told(&seen) != 0)
			fail_msg("byte %zu counts for nothing", i);
		b.p[i] ^= 1;
		ok(fsio_replace_lazily(state_fd, SEEN_FILE, b.p, i, 0600, &err));
		assert_int_equal(told(&seen), 0);
	}
	ok(fsio_replace_lazily(state_fd, SEEN_FILE, b.p, b.n, 0600, &err));
	assert_int_equal(told(&seen), 1);
	buf_release(&b);
	/* An index that is no index. */
	sh("cd dam; head -c 60 .git/index >i; touch -r .git/index i; cp -a i .git/index");
	assert_int_equal(told(&seen), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_changes),
	    cmocka_unit_test(test_at_once),
	    cmocka_unit_test(test_other_places),
	    cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name("store.git_seen", tests, git_setup,
					   git_teardown);
}
