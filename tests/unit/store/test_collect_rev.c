/*
 * What is tracked in revisions: real repositories of git's.
 */
#include "unit/store/git_test.h"

#include "base/buf.h"
#include "base/diag.h"
#include "store/track/collect_rev.h"
#include "store/track/track.h"

#define OUT "printf 'outs:\\n- md5: %%s\\n  hash: md5\\n  path: %%s\\n'"
#define M1  "11111111111111111111111111111111"
#define M2  "22222222222222222222222222222222"

static struct err err;
static struct project p;
static struct track t;

static void
open_all(const char *dir, struct repo **git, struct track_revs **r)
{
	struct track_options o = {.project = &p};
	char path[128];

	(void)setenv("DVC_SYSTEM_CONFIG_DIR", "/nonexistent", 1);
	(void)setenv("DVC_GLOBAL_CONFIG_DIR", "/nonexistent", 1);
	(void)snprintf(path, sizeof(path), "%s/%s", git_place, dir);
	ok(project_find(NULL, path, false, &p, &err));
	ok(track_open(&o, &t, &err));
	*git = opened(dir);
	ok(track_revs_open(&t, *git, r, &err));
}

static void
close_all(struct repo *git, struct track_revs *r)
{
	track_revs_close(r);
	repo_close(git);
	track_close(&t);
	project_release(&p);
}

/* "path=first digits<file" of each out of the revision. */
static const char *
collect(struct repo *git, struct track_revs *r, const char *rev, struct diag *d)
{
	static char text[2048];
	char id[REPO_ID], hex[OBJECT_HEX_MAX];
	struct track_list l;
	size_t n = 0;

	text[0] = '\0';
	ok(repo_resolve(git, rev, id, &err));
	ok(track_collect_rev(r, id, NULL, d, &l, &err));
	for (size_t i = 0; i < l.n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s=%.2s<%s",
				      i > 0 ? " " : "", l.outs[i].path,
				      object_id_is_set(&l.outs[i].id)
					  ? object_id_hex(&l.outs[i].id, hex)
					  : "--",
				      l.outs[i].file);
	track_list_free(&l);
	return text;
}

static void
test_revisions(void **state)
{
	struct track_revs *r;
	struct track_list l;
	struct repo *git;
	char id[REPO_ID];

	(void)state;
	sh("git init -q w; cd w; mkdir -p .dvc a/b c ign data nest/.dvc; touch "
	   ".dvc/config; "
	   "echo ign >.dvcignore; echo x >nest/.dvc/config; " OUT " " M1
	   " x >a/b/x.dvc; " OUT " " M1 " data >data.dvc; " OUT " " M1
	   " no >data/no.dvc; " OUT " " M1 " no >ign/no.dvc; " OUT " " M1
	   " no >nest/no.dvc; ln -s a/b/x.dvc link.dvc; "
	   "git add -Af .; git commit -qm 1; git tag one; " OUT " " M2
	   " x >a/b/x.dvc; echo '!ign' >>.dvcignore; "
	   "printf 'stages:\\n  s:\\n    cmd: x\\n    outs: [m, n]\\n' >c/dvc.yaml; "
	   "git add -A; git commit -qm 2; git tag two; "
	   "printf 'schema: \"2.0\"\\nstages:\\n  s:\\n    cmd: x\\n    outs:\\n"
	   "    - path: m\\n      md5: " M2 "\\n      hash: md5\\n' >c/dvc.lock; "
	   "rm data.dvc; git add -A; git commit -qm 3; git tag three; "
	   "echo 'outs: 7' >a/b/x.dvc; git commit -qam 4; git tag four");
	open_all("w", &git, &r);
	for (int i = 0; i < 2; i++) { /* and once more from what is kept */
		assert_string_equal(collect(git, r, "one", NULL),
				    "a/b/x=11<a/b/x.dvc data=11<data.dvc");
		assert_string_equal(
		    collect(git, r, "two", NULL),
		    "a/b/x=22<a/b/x.dvc c/m=--<c/dvc.lock c/n=--<c/dvc.lock "
		    "data=11<data.dvc ign/no=11<ign/no.dvc");
		assert_string_equal(
		    collect(git, r, "three", NULL),
		    "a/b/x=22<a/b/x.dvc c/m=22<c/dvc.lock c/n=--<c/dvc.lock "
		    "data/no=11<data/no.dvc ign/no=11<ign/no.dvc");
		ok(repo_resolve(git, "four", id, &err));
		fails(track_collect_rev(r, id, NULL, NULL, &l, &err), ERR_INVALID);
		assert_int_equal(strncmp(err.msg, id, 10), 0);
		says(": a/b/x.dvc:1:");
		assert_int_equal(l.n, 4);
		track_list_free(&l);
	}
	fails(track_collect_rev(r, "0123456789012345678901234567890123456789", NULL, NULL,
				&l, &err),
	      ERR_CORRUPT);
	track_list_free(&l);
	close_all(git, r);
}

/* The repository of data is a directory of git's. */
static void
test_prefix(void **state)
{
	struct track_options o = {.project = &p};
	struct diag *d = diag_new();
	struct track_revs *r;
	struct repo *git;

	(void)state;
	sh("git init -q s; cd s; mkdir -p sub/d/.dvc sub/d/e subd; touch "
	   "sub/d/.dvc/config; " OUT " " M1 " x >sub/d/e/x.dvc; " OUT " " M1
	   " y >sub/y.dvc; " OUT " " M1 " z >subd/z.dvc; " OUT " " M1 " q >q.dvc; "
	   "git add -Af .; git commit -qm 1");
	open_all("s/sub/d", &git, &r);
	assert_string_equal(collect(git, r, "HEAD", NULL), "e/x=11<e/x.dvc");
	assert_string_equal(collect(git, r, "HEAD", d), "e/x=11<e/x.dvc");
	close_all(git, r);
	diag_free(d);
	/* Somewhere else there are no revisions. */
	sh("mkdir -p none/.dvc");
	git = opened("s");
	ok(project_find(NULL, "none", false, &p, &err));
	ok(track_open(&o, &t, &err));
	fails(track_revs_open(&t, git, &r, &err), ERR_INVALID);
	track_revs_close(NULL);
	repo_close(git);
	track_close(&t);
	project_release(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_revisions, git_setup, git_teardown),
	    cmocka_unit_test_setup_teardown(test_prefix, git_setup, git_teardown),
	};

	return cmocka_run_group_tests_name("store/track/collect_rev", tests, NULL, NULL);
}
