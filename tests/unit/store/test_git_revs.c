/*
 * Revisions by name and by scope, what is in them, and clones.
 */
#include "unit/store/git_test.h"

/* What repo_revs said: "id6[name,name] ..." with ids given as single letters where known. */
static struct buf told;

static int
tell(void *ctx, const struct repo_rev *rev, struct err *err)
{
	size_t i;

	(void)ctx;
	(void)err;
	assert_int_equal(strlen(rev->id), REPO_ID - 1);
	buf_adds(&told, said("git -C revs log -1 --format=%%s %s", rev->id));
	for (i = 0; i < rev->nnames; i++)
		buf_addf(&told, "%c%s", i == 0 ? '=' : ',', rev->names[i]);
	buf_addc(&told, ' ');
	return 0;
}

static const char *
revs(struct repo *r, const struct repo_scope *scope)
{
	struct err err = {0};

	buf_clear(&told);
	ok(repo_revs(r, scope, tell, NULL, &err));
	return told.p;
}

static int
count(void *ctx, const struct repo_rev *rev, struct err *err)
{
	(void)rev;
	(void)err;
	++*(size_t *)ctx;
	return *(size_t *)ctx == 2 ? 7 : 0;
}

/* An experiment is its commits down to the baseline that its name tells, or to the root. */
static void
test_experiments(void **state)
{
	static const struct repo_scope exps = {.exps = true}, since = {.dated = true};
	struct repo *r;

	(void)state;
	buf_init(&told, 0);
	sh("git init -q exps; mv exps revs; cd revs; "
	   "for i in a b c d; do git commit -q --allow-empty -m $i; done; "
	   "git update-ref refs/exps/exec/EXEC_HEAD HEAD; "
	   "git reset -q --hard HEAD~3; "
	   "b=$(git rev-parse HEAD); git update-ref refs/exps/$(echo $b | cut -c-2)/"
	   "$(echo $b | cut -c3-)/exp-1 refs/exps/exec/EXEC_HEAD~1");
	r = opened("revs");
	(void)revs(r, &exps);
	assert_string_equal(told.p + told.n - 3, " b ");
	assert_null(strstr(told.p, " a "));
	assert_non_null(strstr(told.p, "d=refs/exps/exec/EXEC_HEAD "));
	assert_non_null(strstr(told.p, "c=refs/exps/"));
	assert_non_null(strstr(told.p, "/exp-1 "));
	sh("cd revs; git update-ref -d refs/exps/exec/EXEC_HEAD; git update-ref "
	   "refs/exps/11/23456789012345678901234567890123456789/y main");
	assert_non_null(strstr(revs(r, &exps), "a=refs/exps/11/"));
	assert_string_equal(revs(r, &since), "a c b ");
	repo_close(r);
	sh("rm -rf revs");
	buf_release(&told);
}

/* A HEAD that cannot be read is not as if nothing were checked out. */
static void
test_heads(void **state)
{
	static const struct {
		const char *make;
		enum err_code code;
	} bad[] = {{"echo deadbeef >H", ERR_CORRUPT},
		   {"mkdir H", ERR_INVALID},
		   {"ln -s HEAD H", ERR_SYS},
		   {"echo ref: refs/heads/../x >H", ERR_INVALID},
		   {"head -c 9000 /dev/zero | tr '\\0' x >H", ERR_LIMIT}};
	static const char *const none[] = {
	    "echo 'ref: refs/heads/unborn' >H", "true",
	    "echo 0000000000000000000000000000000000000000 >H"};
	const struct repo_scope heads = {.heads = true};
	struct err err = {0};
	struct repo *r;
	size_t n = 0;

	(void)state;
	buf_init(&told, 0);
	sh("git init -q revs; cd revs; git commit -q --allow-empty -m a; "
	   "git worktree add -q --detach ../h; git -C ../h commit -q --allow-empty -m b; "
	   "rm .git/worktrees/h/gitdir");
	r = opened("revs");
	assert_string_equal(revs(r, &heads), "a=HEAD b=HEAD of work tree h ");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		sh("cd revs/.git/worktrees/h; rm -rf HEAD; %s; mv H HEAD", bad[i].make);
		fails(repo_revs(r, &heads, count, &n, &err), bad[i].code);
		says("/revs/.git/worktrees/h/HEAD'");
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		sh("cd revs/.git/worktrees/h; rm -rf HEAD; %s; ! test -e H || mv H HEAD",
		   none[i]);
		assert_string_equal(revs(r, &heads), "a=HEAD ");
	}
	sh("cd revs/.git/worktrees/h; echo 'ref:  refs/heads/main ' >HEAD");
	assert_string_equal(revs(r, &heads), "a=HEAD,HEAD of work tree h ");
	sh("mkdir revs/.git/worktrees/h/gitdir");
	fails(repo_revs(r, &heads, count, &n, &err), ERR_INVALID);
	says("/revs/.git/worktrees/h/gitdir'");
	repo_close(r);
	sh("rm -rf revs h");
	buf_release(&told);
}

/* Nor is a branch that cannot be read as if there were none. */
static void
test_damaged_refs(void **state)
{
	static const char *const bad[] = {"echo junk >side", "ln -s side side",
					  ": >side"};
	const struct repo_scope branches = {.branches = true},
				commits = {.commits = true};
	struct err err = {0};
	struct repo *r;
	size_t n = 0;

	(void)state;
	buf_init(&told, 0);
	sh("git init -q revs; cd revs; git commit -q --allow-empty -m a; git branch "
	   "x/side; "
	   "mkdir .git/refs/heads/empty; echo junk >.git/refs/heads/x/side.lock");
	r = opened("revs");
	assert_string_equal(revs(r, &branches), "a=main,x/side ");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		sh("cd revs/.git/refs/heads/x; %s", bad[i]);
		fails(repo_revs(r, &branches, count, &n, &err), ERR_SYS);
		says("x/side'");
		fails(repo_revs(r, &commits, count, &n, &err), ERR_SYS);
		(void)revs(r, &(struct repo_scope){.tags = true, .heads = true});
		sh("rm revs/.git/refs/heads/x/side");
	}
	repo_close(r);
	sh("rm -rf revs");
	buf_release(&told);
}

/* git puts the short id of HEAD into the subjects of its stashes. */
static const char *
cut_ids(char *text)
{
	char *p, *id;

	for (p = text; (p = strstr(p, "side: ")) != NULL; p++) {
		id = p + strlen("side: ");
		if (strspn(id, "0123456789abcdef") >= 4)
			memmove(id, strchr(id, ' ') + 1, strlen(strchr(id, ' ')));
	}
	return text;
}

static void
test_revs(void **state)
{
	const char *names[] = {"HEAD~1", "v1"};
	size_t n = 0;
	struct err err = {0};
	struct repo *r;

	(void)state;
	buf_init(&told, 0);
	sh("git init -q revs; cd revs; for i in a b c; do echo $i >f; git add f; "
	   "git commit -qm $i; done; git tag v1 HEAD~2; git tag -a v2 -m x HEAD; "
	   "git tag blob HEAD:f; git checkout -qb side v1; echo d >f; git commit -qam d; "
	   "git update-ref refs/remotes/origin/far $(git commit-tree -m e -p HEAD "
	   "HEAD^{tree}); git symbolic-ref refs/remotes/origin/HEAD "
	   "refs/remotes/origin/gone");
	r = opened("revs");
	assert_string_equal(revs(r, &(struct repo_scope){.branches = true}),
			    "c=main d=side ");
	assert_string_equal(revs(r, &(struct repo_scope){.tags = true}), "a=v1 c=v2 ");
	assert_string_equal(
	    revs(r, &(struct repo_scope){.branches = true, .tags = true, .last = 2}),
	    "c=main,v2 d=side a=v1 b ");
	assert_string_equal(revs(r, &(struct repo_scope){.revs = names, .nrevs = 2}),
			    "a=HEAD~1,v1 ");
	assert_string_equal(revs(r, &(struct repo_scope){.commits = true}),
			    "d=HEAD c e a b ");
	assert_string_equal(revs(r, &(struct repo_scope){.last = 9}), "");
	assert_string_equal(
	    revs(r, &(struct repo_scope){.dated = true, .since_s = 1700000000}),
	    "d c e a b ");
	assert_string_equal(revs(r, &(struct repo_scope){.tags = true,
							 .dated = true,
							 .since_s = 1700000001}),
			    "a=v1 c=v2 ");
	assert_int_equal(
	    repo_revs(r, &(struct repo_scope){.commits = true}, count, &n, &err), 7);
	assert_int_equal(n, 2);
	/* All work trees, also one that was moved away; and the stashes, old ones too. */
	sh("cd revs; git worktree add -q ../tree v1; git worktree add -q ../moved main; "
	   "mv ../moved ../elsewhere; echo s >f; git stash -q; echo t >f; echo u >new; "
	   "git stash -q -u -m T");
	revs(r, &(struct repo_scope){.heads = true});
	assert_non_null(strstr(told.p, "d=HEAD "));
	assert_non_null(strstr(told.p, "a=HEAD of work tree tree "));
	assert_non_null(strstr(told.p, "c=HEAD of work tree moved "));
	assert_int_equal(told.n, strlen("d=HEAD a=HEAD of work tree tree "
					"c=HEAD of work tree moved "));
	revs(r, &(struct repo_scope){.stashes = true});
	assert_string_equal(cut_ids(told.p), "On side: T=stash@{0} "
					     "index on side: d=stash@{0}^2,stash@{1}^2 "
					     "untracked files on side: d=stash@{0}^3 "
					     "WIP on side: d=stash@{1} ");
	repo_close(r);
	r = opened("tree");
	assert_non_null(strstr(revs(r, &(struct repo_scope){.heads = true}),
			       "d=HEAD of the main work tree "));
	assert_non_null(strstr(told.p, "a=HEAD "));
	repo_close(r);
	buf_release(&told);
}

static int
tree(void *ctx, const struct repo_tree *t, struct err *err)
{
	(void)err;
	buf_addf(ctx, "%s:%s:%zu ", t->name,
		 t->top != NULL ? t->top + strlen(git_place) : "", strlen(t->head));
	return 0;
}

static void
test_trees(void **state)
{
	struct err err = {0};
	struct repo *r;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	sh("git init -q t; cd t; echo 1 >f; git add f; git commit -qm 1; "
	   "git worktree add -q ../t2; git clone -q --bare . ../t.git; cd ../t.git; "
	   "git worktree add -q ../t3 main");
	r = opened("t2");
	ok(repo_trees(r, tree, &b, &err));
	assert_string_equal(b.p, ":/t:40 t2:/t2:40 ");
	repo_close(r);
	buf_clear(&b);
	r = opened("t3");
	ok(repo_trees(r, tree, &b, &err));
	assert_string_equal(b.p, "::40 t3:/t3:40 ");
	repo_close(r);
	buf_release(&b);
}

static void
test_resolve(void **state)
{
	char id[REPO_ID];
	struct err err = {0};
	struct repo *r;

	(void)state;
	/* Two objects whose ids begin with the same four digits. */
	sh("git init -q res; cd res; for i in 1 2; do echo $i >f; git add f; "
	   "git commit -qm $i; done; i=0; while [ -z \"$(git cat-file "
	   "--batch-all-objects "
	   "--batch-check | cut -c1-4 | sort | uniq -d)\" ]; do seq $i 400 $((i+39600)) "
	   "| "
	   "while read x; do echo $x >b$x; done; git hash-object -w b*; rm b*; "
	   "i=$((i+1)); done; git cat-file --batch-all-objects --batch-check | cut -c1-4 "
	   "| "
	   "sort | uniq -d | head -1 >../twice");
	r = opened("res");
	ok(repo_resolve(r, "HEAD~1", id, &err));
	assert_string_equal(id, said("git -C res rev-parse HEAD~1"));
	ok(repo_resolve(r, said("git -C res rev-parse --short=12 HEAD"), id, &err));
	assert_string_equal(id, said("git -C res rev-parse HEAD"));
	fails(repo_resolve(r, "HEAD~2", id, &err), ERR_NOTFOUND);
	says("'HEAD~2'");
	fails(repo_resolve(r, "nobody", id, &err), ERR_NOTFOUND);
	fails(repo_resolve(r, "a..b", id, &err), ERR_INVALID);
	fails(repo_resolve(r, "", id, &err), err.code);
	fails(repo_resolve(r, "HEAD:f", id, &err), ERR_INVALID);
	says("names no commit");
	fails(repo_resolve(r, said("cat twice"), id, &err), ERR_INVALID);
	says("more digits");
	repo_close(r);
}

/* A shallow clone ends where it was cut, by name where more is asked. */
static void
test_shallow(void **state)
{
	char id[REPO_ID];
	struct err err = {0};
	struct repo *r;

	(void)state;
	buf_init(&told, 0);
	sh("git clone -q --depth 2 file://%s/revs shallow", git_place);
	r = opened("shallow");
	assert_string_equal(revs(r, &(struct repo_scope){.commits = true}), "d=HEAD a ");
	assert_string_equal(revs(r, &(struct repo_scope){.branches = true, .last = 5}),
			    "d=side a ");
	repo_close(r);
	sh("rm -rf shallow; git clone -q --depth 1 file://%s/revs shallow", git_place);
	r = opened("shallow");
	assert_string_equal(revs(r, &(struct repo_scope){.branches = true, .last = 5}),
			    "d=side ");
	fails(repo_resolve(r, "HEAD~1", id, &err), ERR_NOTFOUND);
	says("--unshallow");
	repo_close(r);
	buf_release(&told);
}

/* ---- contents ---- */

struct seen {
	struct buf list;
	size_t files, dirs;
};

static int
on_dir(void *ctx, const struct repo_entry *e, struct err *err)
{
	struct seen *s = ctx;

	(void)err;
	assert_int_equal(e->mode, 040000);
	s->dirs++;
	return strcmp(e->path, "skip") != 0;
}

static int
on_file(void *ctx, const struct repo_entry *e, struct err *err)
{
	struct seen *s = ctx;

	(void)err;
	s->files++;
	if (s->files <= 20)
		buf_addf(&s->list, "%s:%o ", e->path, e->mode);
	return strcmp(e->path, "stop") == 0 ? 5 : 0;
}

static void
test_walk(void **state)
{
	struct seen s = {.files = 0};
	struct repo_visitor v = {.ctx = &s, .dir = on_dir, .file = on_file};
	struct repo_head h;
	struct err err = {0};
	struct repo *r;
	struct buf b;

	(void)state;
	buf_init(&s.list, 0);
	buf_init(&b, 0);
	sh("git init -q walk; cd walk; mkdir -p a/b/c skip; echo 1 >a/b/c/f; echo 22 "
	   ">a/x; "
	   "echo 3 >skip/y; ln -s a/x link; echo run >sh; chmod +x sh; git add .; "
	   "git update-index --add --cacheinfo 160000,$(git hash-object -w sh),mod; "
	   "git commit -qm 1");
	r = opened("walk");
	ok(repo_head(r, &h, &err));
	ok(repo_walk(r, h.id, &v, &err));
	assert_string_equal(
	    s.list.p, "a/b/c/f:100644 a/x:100644 link:120000 mod:160000 sh:100755 ");
	assert_int_equal(s.dirs, 4);
	ok(repo_file(r, h.id, "a/x", 3, &b, &err));
	assert_string_equal(b.p, "22\n");
	fails(repo_file(r, h.id, "a/x", 2, &b, &err), ERR_LIMIT);
	says("a/x");
	buf_clear(&b);
	ok(repo_file(r, h.id, "link", 100, &b, &err));
	assert_string_equal(b.p, "a/x");
	fails(repo_file(r, h.id, "a/z", 100, &b, &err), ERR_NOTFOUND);
	fails(repo_file(r, h.id, "a/x/y", 100, &b, &err), ERR_NOTFOUND);
	fails(repo_file(r, h.id, "", 100, &b, &err), ERR_NOTFOUND);
	fails(repo_file(r, h.id, "a/b", 100, &b, &err), ERR_INVALID);
	fails(repo_file(r, h.id, "mod", 100, &b, &err), ERR_INVALID);
	fails(repo_file(r, "HEAD", "a/x", 100, &b, &err), ERR_INVALID);
	fails(repo_blob(r, "0123456789012345678901234567890123456789", 9, &b, &err),
	      ERR_CORRUPT);
	says("git fsck");
	buf_clear(&b);
	ok(repo_blob(r, said("git -C walk rev-parse HEAD:a/x"), 100, &b, &err));
	assert_string_equal(b.p, "22\n");
	sh("cd walk; echo 1 >stop; git add stop; git commit -qm 2");
	ok(repo_head(r, &h, &err));
	assert_int_equal(repo_walk(r, h.id, &v, &err), 5);
	repo_close(r);
	buf_release(&b);
	buf_release(&s.list);
}

/* Trees that no git would make. */
static void
test_bad_names(void **state)
{
	static const char *names[] = {"..", ".git", "a/b", "."};
	struct repo_visitor v = {.ctx = NULL};
	struct err err = {0};
	struct repo *r;
	char id[REPO_ID];
	size_t i;

	(void)state;
	sh("git init -q bad");
	r = opened("bad");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(
		    id, sizeof(id), "%s",
		    said("cd bad; b=$(echo x | git hash-object -w --stdin); t=$( (printf "
			 "'100644 %%s\\0' '%s'; printf %%s $b | perl -pe '$_ = pack "
			 "q(H*), $_') "
			 "| git hash-object -t tree --literally -w --stdin); "
			 "git commit-tree -m x $t",
			 names[i]));
		fails(repo_walk(r, id, &v, &err), ERR_CORRUPT);
		says(names[i]);
	}
	/* Deeper than any path could be: no recursion, and a limit. */
	(void)snprintf(
	    id, sizeof(id), "%s",
	    said("cd bad; perl -MDigest::SHA=sha1_hex -e 'my $t; for (0..3000) { "
		 "print $t ? \"040000 tree $t\\td\\n\\n\" : \"\\n\"; "
		 "my $b = $t ? \"40000 d\\0\" . pack(q(H*), $t) : q(); "
		 "$t = sha1_hex(q(tree ) . length($b) . \"\\0$b\") }' "
		 "| git mktree --batch --missing | tail -1 "
		 ">../deep; git commit-tree -m x $(cat ../deep)"));
	fails(repo_walk(r, id, &v, &err), ERR_LIMIT);
	says("4095");
	repo_close(r);
}

static void
test_many(void **state)
{
	struct seen s = {.files = 0};
	struct repo_visitor v = {.ctx = &s, .dir = on_dir, .file = on_file};
	struct repo_head h;
	struct err err = {0};
	struct repo *r;

	(void)state;
	buf_init(&s.list, 0);
	sh("git init -q many; cd many; b=$(echo 1 | git hash-object -w --stdin); "
	   "seq 0 9999 | awk -v b=$b '{ printf \"100644 %%s\\td%%d/e%%d/f%%d\\n\", b, "
	   "$1 / 1000, $1 / 100, $1 }' | git update-index --index-info; git commit -qm "
	   "1");
	r = opened("many");
	ok(repo_head(r, &h, &err));
	ok(repo_walk(r, h.id, &v, &err));
	assert_int_equal(s.files, 10000);
	assert_int_equal(s.dirs, 110);
	repo_close(r);
	buf_release(&s.list);
}

/* A partial clone lacks what was not checked out: it is named. */
static void
test_partial(void **state)
{
	struct seen s = {.files = 0};
	struct repo_visitor v = {.ctx = &s, .dir = on_dir, .file = on_file};
	struct err err = {0};
	struct repo *r;
	char id[REPO_ID];
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_init(&s.list, 0);
	sh("git init -q full; cd full; git config uploadpack.allowfilter true; mkdir d; "
	   "echo old >d/f; git add .; git commit -qm 1; echo new >d/f; git commit -qam "
	   "2; "
	   "cd ..; git clone -q --filter=blob:none file://%s/full part; "
	   "git clone -q --filter=tree:0 file://%s/full less",
	   git_place, git_place);
	r = opened("part");
	ok(repo_resolve(r, "HEAD~1", id, &err));
	ok(repo_walk(r, id, &v, &err)); /* the trees are there */
	fails(repo_file(r, id, "d/f", 100, &b, &err), ERR_NOTFOUND);
	says("d/f");
	says("git fetch --refetch --no-filter");
	assert_int_equal(repo_dirty(r, true, NULL, &err), 0);
	sh("cd part; git fetch -q --refetch --no-filter"); /* the way out is one */
	ok(repo_file(r, id, "d/f", 100, &b, &err));
	assert_string_equal(b.p, "old\n");
	repo_close(r);
	r = opened("less");
	fails(repo_walk(r, id, &v, &err), ERR_NOTFOUND);
	says("git fetch --refetch --no-filter");
	fails(repo_file(r, id, "d/f", 100, &b, &err), ERR_NOTFOUND);
	says("git fetch --refetch --no-filter");
	repo_close(r);
	buf_release(&b);
	buf_release(&s.list);
}

/* ---- clones ---- */

static void
test_url(void **state)
{
	(void)state;
	assert_true(repo_is_url("https://example.org/x.git"));
	assert_true(repo_is_url("file:///x"));
	assert_true(repo_is_url("git@example.org:a/b.git"));
	assert_true(repo_is_url("host:x"));
	assert_false(repo_is_url("/a/b"));
	assert_false(repo_is_url("a/b:c"));
	assert_false(repo_is_url("./a:b"));
	assert_false(repo_is_url(":a"));
	assert_false(repo_is_url(""));
	assert_false(repo_is_url("x"));
}

static void
test_clone(void **state)
{
	const atomic_bool stop = true;
	const struct repo_progress stopped = {.stop = &stop};
	struct repo_head h;
	char url[200], id[REPO_ID];
	struct err err = {0};
	struct repo *r;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	sh("git init -q src; cd src; echo 1 >f; git add .; git commit -qm 1; git tag v1; "
	   "git checkout -qb dev; echo 2 >f; git commit -qam 2; git branch old HEAD~1");
	(void)snprintf(url, sizeof(url), "file://%s/src", git_place);
	ok(repo_clone(url, "copy", NULL, &r, &err));
	assert_null(repo_top(r));
	ok(repo_head(r, &h, &err));
	assert_string_equal(h.branch, "dev");
	ok(repo_resolve(r, "v1", id, &err));
	ok(repo_file(r, id, "f", 10, &b, &err));
	assert_string_equal(b.p, "1\n");
	ok(repo_resolve(r, "old", id, &err));
	repo_close(r);
	sh("git -C copy fsck; test ! -e copy/f");
	fails(repo_clone(url, "copy", NULL, &r, &err), ERR_EXISTS);
	sh("git -C copy rev-parse v1"); /* untouched */
	fails(repo_clone(url, "half", &stopped, &r, &err), ERR_CANCELLED);
	assert_null(r);
	sh("test ! -e half; git -C src checkout -q --detach v1");
	ok(repo_clone(url, "detached", NULL, &r, &err));
	ok(repo_head(r, &h, &err));
	assert_string_equal(h.id, id);
	repo_close(r);
	sh("git init -q void");
	(void)snprintf(url, sizeof(url), "file://%s/void", git_place);
	ok(repo_clone(url, "nothing", NULL, &r, &err));
	ok(repo_head(r, &h, &err));
	assert_string_equal(h.id, "");
	repo_close(r);
	(void)snprintf(url, sizeof(url), "file://%s/absent", git_place);
	assert_int_equal(repo_clone(url, "none", NULL, &r, &err), -1);
	says("absent");
	assert_int_equal(repo_clone("https://127.0.0.1:1/x", "none", NULL, &r, &err), -1);
	says("127.0.0.1");
	sh("test ! -e none");
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_experiments),	 cmocka_unit_test(test_heads),
	    cmocka_unit_test(test_damaged_refs), cmocka_unit_test(test_revs),
	    cmocka_unit_test(test_trees),	 cmocka_unit_test(test_resolve),
	    cmocka_unit_test(test_shallow),	 cmocka_unit_test(test_walk),
	    cmocka_unit_test(test_bad_names),	 cmocka_unit_test(test_many),
	    cmocka_unit_test(test_partial),	 cmocka_unit_test(test_url),
	    cmocka_unit_test(test_clone),
	};

	return cmocka_run_group_tests_name("store.git_revs", tests, git_setup,
					   git_teardown);
}
