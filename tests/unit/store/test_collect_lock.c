/*
 * What tasks of DAG files have made, as their lock files name it: in the work tree, and in
 * revisions.
 */
#include "unit/store/git_test.h"

#include "unit/memory.h"

#include "base/diag.h"
#include "store/dvc/dvc_lock.h"
#include "store/track/collect_rev.h"
#include "store/track/task_lock.h"
#include "store/track/track.h"

#define M1 "11111111111111111111111111111111"
#define M2 "22222222222222222222222222222222"

static struct err err;
static struct project p;
static struct track t;
static char dir[128];

static int
setup(void **state)
{
	int rc = git_setup(state);

	(void)setenv("DVC_SYSTEM_CONFIG_DIR", "/nonexistent", 1);
	(void)setenv("DVC_GLOBAL_CONFIG_DIR", "/nonexistent", 1);
	(void)setenv("XDG_CONFIG_DIRS", "/nonexistent", 1);
	(void)snprintf(dir, sizeof(dir), "%s/w", git_place);
	sh("git init -q w; mkdir -p w/.dag w/sub");
	return rc;
}

/* ${where} is the project, by -C. */
static void
open_track(const char *where)
{
	struct track_options o = {.project = &p};
	char path[256];

	(void)snprintf(path, sizeof(path), "%s%s%s", dir, *where != '\0' ? "/" : "",
		       where);
	ok(project_find(NULL, path, false, &p, &err));
	ok(track_open(&o, &t, &err));
	t.results = true;
}

static void
close_track(void)
{
	track_close(&t);
	project_release(&p);
}

/* An entry of a lock: a task that made one path. */
static void
put_task(struct buf *b, const char *task, const char *path, const char *md5)
{
	if (b->n == 0)
		buf_adds(b, "schema: '2.0'\nstages:\n");
	buf_addf(b,
		 "  %s:\n    cmd: x\n    outs:\n    - path: %s\n      hash: md5\n"
		 "      md5: %s\n      size: 1\n",
		 task, path, md5);
}

/* A lock: names of tasks, paths, hashes. */
static void
lock(const char *file, const char *const (*v)[3], size_t n)
{
	struct buf b;

	buf_init(&b, 0);
	for (size_t i = 0; i < n; i++)
		put_task(&b, v[i][0], v[i][1], v[i][2]);
	spill(dir, file, b.p);
	buf_release(&b);
}

#define LOCK(file, ...)                                          \
	do {                                                     \
		static const char *const v[][3] = {__VA_ARGS__}; \
		lock((file), v, sizeof(v) / sizeof(v[0]));       \
	} while (0)

static void
put_outs(char *text, size_t size, const struct track_out *v, size_t n)
{
	size_t at = strlen(text);
	char hex[OBJECT_HEX_MAX];

	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, size - at, "%s%s=%.1s<%s%s%s",
				       at > 0 ? " " : "", v[i].path,
				       object_id_hex(&v[i].id, hex), v[i].file,
				       v[i].task ? ":" : "", v[i].task ? v[i].stage : "");
}

/* The outs, and after a bar what stands apart. */
static const char *
told(const struct track_list *l)
{
	static char text[2048];

	text[0] = '\0';
	put_outs(text, sizeof(text), l->outs, l->n);
	if (l->nalso > 0)
		(void)strncat(text, " |", sizeof(text) - strlen(text) - 1);
	put_outs(text, sizeof(text), l->also, l->nalso);
	return text;
}

static const char *
collect(void)
{
	const char *text;
	struct track_list l;

	ok(track_collect(&t, NULL, NULL, &l, &err));
	text = told(&l);
	track_list_free(&l);
	return text;
}

static void
test_entries(void **state)
{
	const struct track_out *o;
	struct track_list l;

	(void)state;
	LOCK("sub/p.dag.lock", {"a", "a.out", M1}, {"d", "out/d", M2 ".dir"},
	     {"out", "../x", M1});
	open_track("");
	ok(track_collect(&t, NULL, NULL, &l, &err));
	assert_string_equal(told(&l),
			    "a.out=1<sub/p.dag.lock:a out/d=2<sub/p.dag.lock:d");
	assert_int_equal(l.nfiles, 1);
	assert_null(l.files[0]->yaml);
	o = track_find(&l, "out/d/x");
	assert_true(o->task && o->cache && o->push && o->id.dir && !o->id.legacy);
	assert_int_equal(o->line, 13);
	assert_int_equal(o->in->lock->nstages, 3);
	track_list_free(&l);
	/* Who did not ask does not see them; not even that they make no sense. */
	t.results = false;
	spill(dir, "q.dag.lock", "stages: [\n");
	ok(track_collect(&t, NULL, NULL, &l, &err));
	assert_int_equal(l.n + l.nfiles, 0);
	track_list_free(&l);
	close_track();
}

/* The DAG file says what counts. */
static void
test_outline(void **state)
{
	(void)state;
	LOCK("p.dag.lock", {"a", "a.out", M1}, {"gone", "g", M1}, {"b", "b.out", M1},
	     {"off", "o", M1}, {"t", "2026.csv", M1}, {"list", "./l", M1},
	     {"pull", "q", M1});
	open_track("");
	assert_string_equal(
	    collect(),
	    "2026.csv=1<p.dag.lock:t a.out=1<p.dag.lock:a b.out=1<p.dag.lock:b "
	    "g=1<p.dag.lock:gone l=1<p.dag.lock:list o=1<p.dag.lock:off "
	    "q=1<p.dag.lock:pull");
	spill(dir, "p.yaml",
	      "tasks:\n  a: {outputs: ./a.out, run: x}\n  b: {outputs: [other], run: x}\n"
	      "  off: {outputs: [o], cache: false, run: x}\n"
	      "  t: {outputs: ['{{ ds }}.csv'], run: x}\n"
	      "  list: {outputs: [k, l], run: x}\n  pull: {type: pull}\n");
	assert_string_equal(collect(), "2026.csv=1<p.dag.lock:t a.out=1<p.dag.lock:a "
				       "l=1<p.dag.lock:list");
	spill(dir, "p.yaml",
	      "defaults: {cache: false}\ntasks:\n  a: {outputs: a.out, run: x}\n"
	      "  b: {outputs: [b.out], cache: true, run: x}\n");
	assert_string_equal(collect(), "b.out=1<p.dag.lock:b");
	/* Both names: whoever has it. */
	spill(dir, "p.yml", "tasks: {gone: {outputs: g}}\n");
	assert_string_equal(collect(), "b.out=1<p.dag.lock:b g=1<p.dag.lock:gone");
	/* Mistakes are told elsewhere; what is meant is not known. */
	spill(dir, "p.yml", "tasks: {gone: {\n");
	spill(dir, "p.yaml", "- x\n");
	assert_non_null(strstr(collect(), "g=1<p.dag.lock:gone"));
	assert_non_null(strstr(collect(), "q=1<p.dag.lock:pull"));
	close_track();
}

/* A path that somebody else has, too. */
static void
test_others(void **state)
{
	struct track_list l;

	(void)state;
	sh("cd w; printf 'outs:\\n- md5: " M2 "\\n  hash: md5\\n  path: x\\n' >x.dvc");
	LOCK("p.dag.lock", {"a", "x", M1}, {"b", "y", M1});
	open_track("");
	ok(track_collect(&t, NULL, NULL, &l, &err));
	assert_string_equal(told(&l), "x=2<x.dvc y=1<p.dag.lock:b | x=1<p.dag.lock:a");
	assert_true(track_names(&l, "x/in") && track_names(&l, "y"));
	assert_false(track_names(&l, "z"));
	track_list_free(&l);
	/* Above and below it. */
	sh("mkdir w/d; cd w/d; printf 'outs:\\n- md5: " M2
	   "\\n  hash: md5\\n  path: in\\n' >in.dvc");
	LOCK("p.dag.lock", {"a", "x/a", M1}, {"b", "d", M1 ".dir"}, {"c", "d/e", M1});
	ok(track_collect(&t, NULL, NULL, &l, &err));
	assert_string_equal(told(&l), "d/in=2<d/in.dvc x=2<x.dvc | d=1<p.dag.lock:b "
				      "d/e=1<p.dag.lock:c x/a=1<p.dag.lock:a");
	assert_true(track_names(&l, "d/e") && track_names(&l, "x/a"));
	track_list_free(&l);
	/* Two DAGs that make the same; the same path, but not the same bytes. */
	LOCK("p.dag.lock", {"a", "y", M1}, {"b", "z", M1}, {"c", "z-x", M2});
	LOCK("q.dag.lock", {"a", "y", M1}, {"b", "z", M2}, {"c", "w", M2});
	assert_string_equal(collect(),
			    "d/in=2<d/in.dvc w=2<q.dag.lock:c x=2<x.dvc y=1<p.dag.lock:a "
			    "z-x=2<p.dag.lock:c | z=1<p.dag.lock:b z=2<q.dag.lock:b");
	close_track();
}

static void
test_mistakes(void **state)
{
	struct diag *d = diag_new();
	struct track_list l;

	(void)state;
	assert_non_null(d);
	open_track("");
	spill(dir, "p.dag.lock", "schema: '2.0'\nstages:\n  a:\n    cmd: [\n");
	fails(track_collect(&t, NULL, NULL, &l, &err), ERR_INVALID);
	assert_int_equal(strncmp(err.msg, "p.dag.lock:", 11), 0);
	track_list_free(&l);
	/* A clone may come with anything. */
	LOCK("p.dag.lock", {"a", ".git/hooks/post-checkout", M1}, {"b", "x/.dag/y", M1});
	LOCK("q.dag.lock", {"a", "sub/../.", M1});
	fails(track_collect(&t, NULL, d, &l, &err), ERR_INVALID);
	says("p.dag.lock:6:7: '.git/hooks/post-checkout' lies in '.git', where no task "
	     "has "
	     "its outputs");
	assert_int_equal(diag_errors(d), 3);
	assert_int_equal(l.n, 0);
	diag_free(d);
	track_list_free(&l);
	close_track();
}

/* Paths are seen from the root of the project that the DAG belongs to. */
static void
test_projects(void **state)
{
	(void)state;
	sh("mkdir w/sub/deep");
	LOCK("sub/deep/p.dag.lock", {"a", "x", M1});
	LOCK("p.dag.lock", {"a", "top", M1});
	open_track("");
	assert_string_equal(collect(), "top=1<p.dag.lock:a x=1<sub/deep/p.dag.lock:a");
	/* A project in a directory keeps its data to itself, ... */
	sh("mkdir w/sub/.dag");
	assert_string_equal(collect(), "top=1<p.dag.lock:a");
	close_track();
	open_track("sub");
	assert_string_equal(collect(), "x=1<deep/p.dag.lock:a");
	close_track();
	/* ... unless there is a repository around. */
	sh("touch w/.dag/config");
	open_track("");
	assert_string_equal(collect(),
			    "sub/x=1<sub/deep/p.dag.lock:a top=1<p.dag.lock:a");
	sh("touch w/sub/.dag/config");
	assert_string_equal(collect(), "top=1<p.dag.lock:a");
	close_track();
	/* By -C, where nothing marks it. */
	sh("rm -r w/.dag w/sub/.dag; mkdir w/.dvc");
	open_track("sub");
	assert_string_equal(t.root, dir);
	assert_string_equal(collect(),
			    "sub/x=1<sub/deep/p.dag.lock:a top=1<p.dag.lock:a");
	close_track();
	open_track("");
	assert_string_equal(collect(), "top=1<p.dag.lock:a x=1<sub/deep/p.dag.lock:a");
	close_track();
	/* DVC's repository in a project: DAGs there are the project's. */
	sh("mkdir w/.dag w/in w/in/.dvc; mv w/p.dag.lock w/in");
	open_track("in");
	p.root[strlen(dir)] = '\0';
	assert_string_equal(collect(), "");
	close_track();
}

/* What git ignores is nobody's but its owner's, as with pointers. */
static void
test_ignored(void **state)
{
	(void)state;
	sh("mkdir w/no w/nodvc");
	LOCK("p.dag.lock", {"a", "x", M1});
	LOCK("no/p.dag.lock", {"a", "y", M1});
	LOCK("nodvc/p.dag.lock", {"a", "z", M1});
	sh("cd w; echo /no >.gitignore; echo nodvc >.dvcignore");
	open_track("");
	assert_string_equal(collect(), "x=1<p.dag.lock:a");
	close_track();
}

static const char *
at(struct repo *git, struct track_revs *r, const char *rev)
{
	char id[REPO_ID];
	struct track_list l;
	const char *text;

	ok(repo_resolve(git, rev, id, &err));
	ok(track_collect_rev(r, id, NULL, NULL, &l, &err));
	text = told(&l);
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
	LOCK("sub/p.dag.lock", {"a", "x", M1}, {"b", "y", M1});
	sh("cd w; git add -A; git commit -qm 1; git tag one");
	LOCK("sub/p.dag.lock", {"a", "x", M2}, {"b", "y", M1});
	sh("cd w; mkdir other; touch other/q.yaml; git add -A; git commit -qm 2; "
	   "git tag two; echo 'tasks: {a: {outputs: x}}' >sub/p.yaml; "
	   "git add -A; git commit -qm 3; git tag three; "
	   "echo 'tasks: {b: {outputs: y}}' >sub/p.yaml; git commit -qam 4; git tag "
	   "four; "
	   "git rm -q sub/p.yaml; echo 'stages: 7' >sub/p.dag.lock; git commit -qam 5; "
	   "git tag five");
	open_track("");
	git = opened("w");
	ok(track_revs_open(&t, git, &r, &err));
	for (int i = 0; i < 2; i++) { /* and once more from what is kept */
		assert_string_equal(at(git, r, "one"),
				    "x=1<sub/p.dag.lock:a y=1<sub/p.dag.lock:b");
		assert_string_equal(at(git, r, "two"),
				    "x=2<sub/p.dag.lock:a y=1<sub/p.dag.lock:b");
		assert_string_equal(at(git, r, "three"), "x=2<sub/p.dag.lock:a");
		assert_string_equal(at(git, r, "four"), "y=1<sub/p.dag.lock:b");
		ok(repo_resolve(git, "five", id, &err));
		fails(track_collect_rev(r, id, NULL, NULL, &l, &err), ERR_INVALID);
		says(": sub/p.dag.lock:1:");
		track_list_free(&l);
	}
	track_revs_close(r);
	repo_close(git);
	close_track();
}

static void
test_names(void **state)
{
	struct buf b;

	(void)state;
	assert_true(task_lock_is("a/p.dag.lock"));
	assert_false(task_lock_is(".dag.lock") || task_lock_is("dvc.lock") ||
		     task_lock_is("p.dag.lock/x"));
	assert_true(task_lock_dag_is("p.yml") && !task_lock_dag_is("p.yaml/x"));
	buf_init(&b, 0);
	task_lock_beside("d.x/p.q.yaml", &b);
	assert_string_equal(b.p, "d.x/p.q.dag.lock");
	buf_clear(&b);
	task_lock_dag("d.x/p.q.dag.lock", 1, &b);
	assert_string_equal(b.p, "d.x/p.q.yml");
	buf_release(&b);
}

static int
run_collect(void *ctx, struct err *e)
{
	struct track_options o = {.project = &p};
	struct track_list l = {0};
	int rc = track_open(&o, &t, e);

	(void)ctx;
	t.results = true;
	if (rc == 0)
		rc = track_collect(&t, NULL, NULL, &l, e);
	if (rc == 0)
		assert_string_equal(told(&l), "x=1<sub/p.dag.lock:a | y=1<p.dag.lock:a "
					      "y=2<sub/p.dag.lock:b");
	track_list_free(&l);
	track_close(&t);
	return rc;
}

static void
test_memory(void **state)
{
	struct memory_call c = {"collect", NULL, run_collect, NULL, NULL, 200};

	(void)state;
	LOCK("sub/p.dag.lock", {"a", "x", M1}, {"b", "y", M2}, {"c", "z", M2});
	LOCK("p.dag.lock", {"a", "y", M1});
	spill(dir, "sub/p.yaml", "tasks: {a: {outputs: x}, b: {outputs: ['{{ y }}']}}\n");
	ok(project_find(NULL, dir, false, &p, &err));
	assert_true(memory_fail_each(&c) > 100);
	project_release(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_entries, setup, git_teardown),
	    cmocka_unit_test_setup_teardown(test_outline, setup, git_teardown),
	    cmocka_unit_test_setup_teardown(test_others, setup, git_teardown),
	    cmocka_unit_test_setup_teardown(test_mistakes, setup, git_teardown),
	    cmocka_unit_test_setup_teardown(test_projects, setup, git_teardown),
	    cmocka_unit_test_setup_teardown(test_ignored, setup, git_teardown),
	    cmocka_unit_test_setup_teardown(test_revisions, setup, git_teardown),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test_setup_teardown(test_memory, setup, git_teardown),
	};

	return cmocka_run_group_tests_name("store/track/collect_lock", tests, NULL, NULL);
}
