/* dvc.lock read and written back, with what dvc.yaml says of its outputs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/yaml.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"

#define HEX1 "6137cde4893c59f76f005a8123d8e8e6"
#define HEX2 "6d177c1c4c41e20ae9b060c74437e842"

static const char lock_text[] = "# kept\n"
				"schema: '2.0'\n"
				"stages:\n"
				"  train:\n"
				"    cmd: 'cp in.txt model.bin && echo \"{\\\"acc\\\": "
				"0.9}\" > metrics.json && printf "
				"\"a,b\\n1,2\\n\"\n"
				"      > plots.csv'\n"
				"    deps:\n"
				"    - path: in.txt\n"
				"      hash: md5\n"
				"      md5: " HEX1 "\n"
				"      size: 5\n"
				"    params:\n"
				"      params.yaml:\n"
				"        lr: 1e-05\n"
				"        nested:\n"
				"          b: 2\n"
				"          a:\n"
				"          - 1\n"
				"          - \n"
				"    outs:\n"
				"    - path: metrics.json\n"
				"      hash: md5\n"
				"      md5: " HEX1 "\n"
				"      size: 13\n"
				"    - path: model.bin\n"
				"      hash: md5\n"
				"      md5: " HEX1 "\n"
				"      size: 5\n"
				"  dirs@a:   # by hand\n"
				"    cmd: mkdir -p out\n"
				"    outs:\n"
				"    - path: out\n"
				"      md5: " HEX2 ".dir\n"
				"      size: 7\n"
				"      nfiles: 2\n"
				"  gone:\n"
				"    cmd:\n"
				"    - a\n"
				"    - b\n";

static const char yaml_text[] = "vars: [x.yaml]\n"
				"stages:\n"
				"  train:\n"
				"    cmd: whatever\n"
				"    frozen: true\n"
				"    deps: [in.txt]\n"
				"    outs:\n"
				"    - model.bin:\n"
				"        remote: big\n"
				"        persist: true\n"
				"    metrics:\n"
				"    - metrics.json: {cache: false}\n"
				"    plots:\n"
				"    - plots.csv: [{push: false, x: a}]\n"
				"  dirs:\n"
				"    foreach: [a, b]\n"
				"    do:\n"
				"      cmd: mkdir\n"
				"      wdir: sub\n"
				"      outs:\n"
				"      - ${item}/x\n"
				"      - o${name}t:\n"
				"          push: false\n";

static struct dvc_lock *
read_lock(const char *name, const char *text)
{
	struct dvc_lock *lock;
	struct err err = {0};

	if (dvc_lock_parse(name, text, strlen(text), NULL, &lock, &err) != 0)
		fail_msg("%s", err.msg);
	return lock;
}

static struct dvc_yaml *
read_yaml(const char *name, const char *text)
{
	struct dvc_yaml *y;
	struct err err = {0};

	if (dvc_yaml_parse(name, text, strlen(text), NULL, &y, &err) != 0)
		fail_msg("%s", err.msg);
	return y;
}

static void
refused(const char *text, const char *why)
{
	struct dvc_lock *lock;
	struct err err = {0};

	assert_int_equal(
	    dvc_lock_parse("dvc.lock", text, strlen(text), NULL, &lock, &err), -1);
	if (strstr(err.msg, why) == NULL)
		fail_msg("%s\nsays '%s', not '%s'", text, err.msg, why);
}

static void
yaml_refused(const char *text, const char *why)
{
	struct dvc_yaml *y;
	struct err err = {0};

	assert_int_equal(dvc_yaml_parse("dvc.yaml", text, strlen(text), NULL, &y, &err),
			 -1);
	if (strstr(err.msg, why) == NULL)
		fail_msg("%s\nsays '%s', not '%s'", text, err.msg, why);
}

static void
reads(void **state)
{
	struct dvc_lock *lock = read_lock("pipe/dvc.lock", lock_text);
	struct dvc_lock_stage *s;

	(void)state;
	assert_int_equal(lock->version, 2);
	assert_int_equal(lock->nstages, 3);
	s = dvc_lock_find(lock, "train");
	assert_non_null(s);
	assert_int_equal(s->ndeps, 1);
	assert_string_equal(s->deps[0].full, "pipe/in.txt");
	assert_int_equal(s->params->map.n, 1);
	assert_int_equal(s->nouts, 2);
	assert_int_equal(s->outs[1].meta.size, 5);
	assert_false(s->outs[1].meta.md5.legacy);
	s = dvc_lock_find(lock, "dirs@a");
	assert_true(s->outs[0].meta.md5.dir && s->outs[0].meta.md5.legacy);
	assert_int_equal(dvc_lock_find(lock, "gone")->cmd->kind, YAML_SEQ);
	assert_null(dvc_lock_find(lock, "dirs"));
	dvc_lock_free(lock);

	lock = read_lock("dvc.lock",
			 "a:\n  cmd: x\n  outs:\n  - path: o\n    md5: " HEX1 "\n");
	assert_int_equal(lock->version, 1);
	assert_true(lock->stages[0].outs[0].meta.md5.legacy);
	dvc_lock_free(lock);
	lock = read_lock("dvc.lock", "");
	assert_int_equal(lock->nstages, 0);
	dvc_lock_free(lock);
}

static void
refuses(void **state)
{
	(void)state;
	refused("schema: '3.0'\n", "dvc.lock:1:9: error: 'schema' must be '2.0'");
	refused("stages: {}\n", "needs 'schema'");
	refused("schema: '2.0'\nstages: []\n", "'stages' must be a mapping");
	refused("schema: '2.0'\nstages: {a: {}}\n", "stage 'a' needs 'cmd'");
	refused("schema: '2.0'\nstages: {a: {cmd: 3}}\n",
		"'cmd' must be a string or a list");
	refused("schema: '2.0'\nstages: {a: {cmd: x, params: 3}}\n", "'params' must be");
	refused("schema: '2.0'\nstages: {a: {cmd: x, params: {p: 3}}}\n",
		"the params of a file must be a mapping");
	refused("schema: '2.0'\nstages: {a: {cmd: x, outs: [{path: o, md5: x}]}}\n",
		"is no hash");
	refused("schema: '2.0'\nstages: {a: {cmd: x, outs: [{path: p, cache: true}]}}\n",
		"unknown key 'cache'");
	refused("schema: '2.0'\nstages: {'': {cmd: x}}\n", "1 to 1,000 bytes");
	yaml_refused("stage: {}\n", "unknown key 'stage' of dvc.yaml");
	yaml_refused("stages: {a: {cmd: x, out: []}}\n", "unknown key 'out' of a stage");
	yaml_refused("stages: {a: {cmd: x, outs: [3]}}\n", "an output must be a path");
	yaml_refused("stages: {a: {cmd: x, outs: [{p: {cach: true}}]}}\n",
		     "unknown key 'cach'");
	yaml_refused("stages: {a: {cmd: x, outs: [{p: {cache: 1}}]}}\n",
		     "'cache' must be true or false");
}

static void
finds_the_flags(void **state)
{
	struct dvc_lock *lock = read_lock("pipe/dvc.lock", lock_text);
	struct dvc_yaml *y = read_yaml("pipe/dvc.yaml", yaml_text);
	struct dvc_lock_stage *s;
	struct err err;

	(void)state;
	assert_int_equal(dvc_yaml_apply(y, lock, &err), 0);
	s = dvc_lock_find(lock, "train");
	assert_true(s->frozen && !s->unlisted);
	assert_false(s->outs[0].cache);
	assert_true(s->outs[1].cache && s->outs[1].persist && s->outs[1].push);
	assert_string_equal(s->outs[1].remote, "big");
	assert_string_equal(s->outs[1].full, "pipe/model.bin");
	s = dvc_lock_find(lock, "dirs@a");
	assert_false(s->unlisted || s->outs[0].unlisted || s->outs[0].push);
	assert_string_equal(s->outs[0].full, "pipe/sub/out");
	s = dvc_lock_find(lock, "gone");
	assert_true(s->unlisted);
	assert_false(dvc_yaml_stage(y, "train")->outs[2].push);
	assert_int_equal(dvc_yaml_stage(y, "train")->outs[2].kind, DVC_PLOT);
	assert_null(dvc_yaml_stage(y, "dirs"));
	assert_null(dvc_yaml_stage(y, "train@1"));
	dvc_yaml_free(y);
	dvc_lock_free(lock);

	lock = read_lock("dvc.lock", "schema: '2.0'\nstages: {a: {cmd: x}}\n");
	y = read_yaml("dvc.yaml", "stages: {a: {cmd: x, wdir: 'd/${b}'}}\n");
	assert_int_equal(dvc_yaml_apply(y, lock, &err), -1);
	assert_non_null(
	    strstr(err.msg, "dvc.yaml:1:10: the wdir of stage 'a' is a template"));
	dvc_yaml_free(y);
	y = read_yaml("dvc.yaml", "stages: {a: {cmd: x, wdir: ../..}}\n");
	assert_int_equal(dvc_yaml_apply(y, lock, &err), -1);
	assert_non_null(strstr(err.msg, "leads out of the repository"));
	dvc_yaml_free(y);
	dvc_lock_free(lock);
}

static void
fills_templates(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool yes;
	} cases[] = {
	    {"a/${x}.csv", "a/b.csv", true},
	    {"a/${x}.csv", "a/.csv", true},
	    {"a/${x}.csv", "a/b.csv.csv", true},
	    {"a/${x}.csv", "a/b.tsv", false},
	    {"${x}", "", false},
	    {"${x}", "any/thing", true},
	    {"${a}-${b}", "1-2-3", true},
	    {"${a}-${b}x", "1-2-3", false},
	    {"\\${a}", "${a}", true},
	    {"\\${a}", "x", false},
	    {"a${", "a${", true},
	    {"a", "ab", false},
	    {"ab", "a", false},
	    {"x${a}", "y", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dvc_yaml_out out = {.path = cases[i].pattern};
		struct dvc_yaml_stage s = {.outs = &out, .nouts = 1};

		if ((dvc_yaml_out(&s, cases[i].path) != NULL) != cases[i].yes &&
		    *cases[i].path != '\0')
			fail_msg("%s %s", cases[i].pattern, cases[i].path);
	}
}

static void
writes_a_changed_stage(void **state)
{
	char dir[] = TEST_BUILD "/dvclockXXXXXX";
	struct dvc_lock *lock = read_lock("dvc.lock", lock_text);
	struct dvc_lock_stage *s = dvc_lock_find(lock, "dirs@a");
	struct object_id id;
	struct buf out;
	struct err err = {0};
	bool changed;
	char *at;
	int dfd;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(dvc_lock_dump(lock, &out, &err), 0);
	assert_string_equal(out.p, lock_text);
	assert_int_equal(object_id_parse(HEX1 ".dir", false, &id), 0);
	dvc_out_set_object(&s->outs[0], &id, 8, 3, false);
	s->changed = true;
	buf_clear(&out);
	assert_int_equal(dvc_lock_dump(lock, &out, &err), 0);
	at = strstr(out.p, "  dirs@a:   # by hand\n");
	assert_non_null(at);
	assert_string_equal(at, "  dirs@a:   # by hand\n"
				"    cmd: mkdir -p out\n"
				"    outs:\n"
				"    - path: out\n"
				"      hash: md5\n"
				"      md5: " HEX1 ".dir\n"
				"      size: 8\n"
				"      nfiles: 3\n"
				"  gone:\n"
				"    cmd:\n"
				"    - a\n"
				"    - b\n");
	assert_memory_equal(out.p, lock_text, (size_t)(at - out.p));
	buf_release(&out);

	assert_non_null(mkdtemp(dir));
	dfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(dvc_lock_write(lock, dfd, &changed, &err), 0);
	assert_true(changed);
	dvc_lock_free(lock);
	assert_int_equal(dvc_lock_read(dfd, "dvc.lock", NULL, &lock, &err), 0);
	assert_int_equal(dvc_lock_find(lock, "dirs@a")->outs[0].meta.nfiles, 3);
	for (size_t i = 0; i < lock->nstages; i++)
		lock->stages[i].changed = true;
	assert_int_equal(dvc_lock_write(lock, dfd, &changed, &err), 0);
	assert_false(changed);
	dvc_lock_free(lock);
	assert_int_equal(unlinkat(dfd, "dvc.lock", 0), 0);
	close(dfd);
	assert_int_equal(rmdir(dir), 0);

	lock = read_lock("dvc.lock", "a:\n  cmd: x\n");
	lock->stages[0].changed = true;
	assert_int_equal(dvc_lock_write(lock, -1, &changed, &err), -1);
	assert_non_null(strstr(err.msg, "of DVC 1"));
	dvc_lock_free(lock);
}

/* Entries that came as texts: into an empty file, in the place of one that is there, before
 * another, last; many of them. */
static void
takes_entries(void **state)
{
	static const char entry[] =
	    "cmd: x\nparams:\n  params.yaml:\n    lr: 1e-05\nouts:\n- path: o\n"
	    "  hash: md5\n  md5: " HEX1 "\n  size: 1\n";
	struct dvc_lock *lock = read_lock("a/dvc.lock", ""), *back;
	struct err err = {0};
	struct buf out;
	char name[1100];

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(dvc_lock_dump(lock, &out, &err), 0);
	assert_string_equal(out.p, "{}\n");
	assert_int_equal(dvc_lock_put(lock, "b", "cmd: y\n", NULL, &err), 0);
	assert_int_equal(dvc_lock_put(lock, "c", "cmd: z\n", "none", &err), 0);
	assert_int_equal(dvc_lock_put(lock, "a@1", "cmd: w\n", "b", &err), 0);
	assert_int_equal(dvc_lock_put(lock, "a@1", entry, "c", &err), 0);
	assert_int_equal(dvc_lock_put(lock, "d", "cmd: [p, q]\n", "c", &err), 0);
	buf_clear(&out);
	assert_int_equal(dvc_lock_dump(lock, &out, &err), 0);
	assert_string_equal(out.p, "schema: '2.0'\nstages:\n  a@1:\n    cmd: x\n"
				   "    params:\n      params.yaml:\n"
				   "        lr: 1e-05\n    outs:\n    - path: o\n"
				   "      hash: md5\n      md5: " HEX1 "\n"
				   "      size: 1\n  b:\n    cmd: y\n  d:\n    cmd:\n"
				   "    - p\n    - q\n  c:\n    cmd: z\n");
	assert_string_equal(dvc_lock_find(lock, "a@1")->outs[0].full, "a/o");
	/* What is not one is refused, and nothing has changed. */
	assert_int_equal(dvc_lock_put(lock, "e", "deps: []\n", NULL, &err), -1);
	assert_non_null(strstr(err.msg, "needs 'cmd'"));
	assert_int_equal(dvc_lock_put(lock, "b", "cmd: 1\n", NULL, &err), -1);
	assert_int_equal(dvc_lock_put(lock, "", "cmd: x\n", NULL, &err), -1);
	memset(name, 'n', sizeof name);
	name[DVC_LOCK_NAME_MAX + 1] = '\0';
	assert_int_equal(dvc_lock_put(lock, name, "cmd: x\n", NULL, &err), -1);
	name[DVC_LOCK_NAME_MAX] = '\0';
	assert_int_equal(dvc_lock_put(lock, name, "cmd: x\n", NULL, &err), 0);
	assert_int_equal(lock->nstages, 5);
	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof name, "s%d", i);
		assert_int_equal(dvc_lock_put(lock, name, "cmd: x\n", "b", &err), 0);
	}
	buf_clear(&out);
	assert_int_equal(dvc_lock_dump(lock, &out, &err), 0);
	back = read_lock("a/dvc.lock", out.p);
	assert_int_equal(back->nstages, 105);
	for (size_t i = 0; i < back->nstages; i++)
		assert_string_equal(back->stages[i].name, lock->stages[i].name);
	dvc_lock_free(back);
	dvc_lock_free(lock);

	/* Comments of others stay; a file with other things, or no stages, takes them too. */
	lock = read_lock("dvc.lock", "# top\nschema: '2.0'\nstages:\n  q:  # mine\n"
				     "    cmd: q\n  r:\n    cmd: r # his\n");
	assert_int_equal(dvc_lock_put(lock, "n", "cmd: n\n", "r", &err), 0);
	buf_clear(&out);
	assert_int_equal(dvc_lock_dump(lock, &out, &err), 0);
	assert_string_equal(out.p, "# top\nschema: '2.0'\nstages:\n  q:  # mine\n"
				   "    cmd: q\n  n:\n    cmd: n\n  r:\n"
				   "    cmd: r # his\n");
	dvc_lock_free(lock);
	lock = read_lock("dvc.lock", "schema: '2.0'\ndatasets: []\n");
	assert_int_equal(dvc_lock_put(lock, "n", "cmd: n\n", NULL, &err), 0);
	buf_clear(&out);
	assert_int_equal(dvc_lock_dump(lock, &out, &err), 0);
	assert_string_equal(out.p, "schema: '2.0'\ndatasets: []\nstages:\n  n:\n"
				   "    cmd: n\n");
	dvc_lock_free(lock);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads),
	    cmocka_unit_test(refuses),
	    cmocka_unit_test(finds_the_flags),
	    cmocka_unit_test(fills_templates),
	    cmocka_unit_test(writes_a_changed_stage),
	    cmocka_unit_test(takes_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
