/*
 * Values of params changed for an experiment: what -S can say, what becomes of the files.
 */
#include "unit/store/store_test.h"

#include "base/arena.h"
#include "store/exp/override.h"

static char place[64];

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(place, sizeof(place), "/tmp/dag-override-XXXXXX");
	return mkdtemp(place) != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	return fsio_remove_tree(AT_FDCWD, place, NULL);
}

/* The file ${name} with ${text} becomes ${want} by up to two words; or ${why} is said. */
static void
becomes(const char *name, const char *text, const char *word, const char *second,
	const char *want, const char *why)
{
	struct arena *a = arena_new(0);
	const char *words[] = {word, second};
	struct override_list l;
	struct err err = {0};
	int rc;

	spill(place, name, text);
	rc = override_parse(a, words, second != NULL ? 2 : 1, &l, &err);
	if (rc == 0)
		rc = override_files(&l, 0, place, place, &err);
	if (why != NULL) {
		assert_int_equal(rc, -1);
		if (strstr(err.msg, why) == NULL)
			fail_msg("'%s' says '%s', not '%s'", word, err.msg, why);
		want = text;
	} else if (rc != 0) {
		fail_msg("'%s': %s", word, err.msg);
	}
	assert_string_equal(slurp(place, name), want);
	arena_free(a);
}

static void
yaml(const char *text, const char *word, const char *want)
{
	becomes("params.yaml", text, word, NULL, want, NULL);
}

static void
no_yaml(const char *text, const char *word, const char *why)
{
	becomes("params.yaml", text, word, NULL, NULL, why);
}

#define P "# head\ntrain:\n  lr: 0.1  # rate\n  layers: [1, 2]\nseed: 42\n"

static void
test_yaml(void **state)
{
	(void)state;
	yaml(P, "train.lr=0.5",
	     "# head\ntrain:\n  lr: 0.5  # rate\n  layers: [1, 2]\nseed: 42\n");
	yaml("a: 1\n", "a=1", "a: 1\n");
	yaml("a: 1\n", "a=text", "a: text\n");
	yaml("a: 1\n", "a='5'", "a: '5'\n");
	yaml("a: 1\n", "a=null", "a:\n");
	yaml("a: 1\n", "a=", "a: ''\n");
	yaml("a: 1\n", "a=true", "a: true\n");
	yaml("a: 1\n", "a=x:y=z", "a: x:y=z\n");
	yaml("a: 1\n", "a=[1,b]", "a:\n- 1\n- b\n");
	yaml("a: 1\n", "a=-3", "a: -3\n");
	/* As Hydra has it, braces need no blank behind the colon. */
	yaml("a: 1\n", "a={x:1,y:2}", "a:\n  x: 1\n  y: 2\n");
	yaml("a: 1\n", "a={x:{y:2},z:[1,{w:3}]}",
	     "a:\n  x:\n    y: 2\n  z:\n  - 1\n  - w: 3\n");
	yaml("a: 1\n", "a=[{x:1},y:2]", "a:\n- x: 1\n- y:2\n");
	yaml("a: 1\n", "a={x:http://y, z: 'q:{r:1}'}",
	     "a:\n  x: http://y\n  z: q:{r:1}\n");
	yaml("a: 1\n", "a={\"x:1\":\"\\\"{y:\"}", "a:\n  x:1: '\"{y:'\n");
	yaml("a: 1\n", "+b.c=2", "a: 1\nb:\n  c: 2\n");
	yaml("a: 1\n", "++b=2", "a: 1\nb: 2\n");
	yaml("a: 1\n", "++a=2", "a: 2\n");
	yaml("a: 1\nb: 2\n", "~a", "b: 2\n");
	yaml("a: [1, 2, 3]\n", "a.1=9", "a: [1, 9, 3]\n");
	yaml("a: [1, 2, 3]\n", "a[-1]=9", "a: [1, 2, 9]\n");
	yaml("a:\n- b: 1\n", "a[0].b=9", "a:\n- b: 9\n");
	becomes("params.yaml", P, "train.lr=1", "seed=7",
		"# head\ntrain:\n  lr: 1    # rate\n  layers: [1, 2]\nseed: 7\n", NULL);
	becomes("other.yaml", "a: 1\n", "other.yaml:a=2", NULL, "a: 2\n", NULL);
}

/* A link stays one, unless it leads to what is not ours. */
static void
test_links(void **state)
{
	struct arena *a = arena_new(0);
	const char *words[] = {"link.yaml:a=2", "far.yaml:a=2"};
	char conf[80], path[120];
	struct override_list l;
	struct err err = {0};
	struct stat st;

	(void)state;
	(void)snprintf(conf, sizeof(conf), "%s/conf", place);
	assert_int_equal(mkdir(conf, 0777), 0);
	spill(conf, "p.yaml", "a: 1\n");
	spill(place, "away.yaml", "a: 1\n");
	(void)snprintf(path, sizeof(path), "%s/link.yaml", conf);
	assert_int_equal(symlink("p.yaml", path), 0);
	(void)snprintf(path, sizeof(path), "%s/far.yaml", conf);
	assert_int_equal(symlink("../away.yaml", path), 0);
	assert_int_equal(override_parse(a, words, 2, &l, &err), 0);
	assert_int_equal(override_files(&l, 0, conf, conf, &err), 0);
	assert_string_equal(slurp(conf, "p.yaml"), "a: 2\n");
	assert_string_equal(slurp(place, "away.yaml"), "a: 1\n");
	assert_string_equal(slurp(conf, "far.yaml"), "a: 2\n");
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	(void)snprintf(path, sizeof(path), "%s/link.yaml", conf);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	arena_free(a);
}

static void
test_refused(void **state)
{
	(void)state;
	no_yaml("a: 1\n", "b=2", "there is no 'b' in 'params.yaml': +KEY=VALUE adds it");
	no_yaml("a: 1\n", "~b", "there is no 'b'");
	no_yaml("a: 1\n", "a=\xc8{a: 1}", "it is no UTF-8");
	no_yaml("a: 1\n", "+a=2", "there is a 'a' in 'params.yaml' already");
	no_yaml("a: [1]\n", "a.1=2", "there is no 'a.1'");
	no_yaml("a: [1]\n", "+a.1=2", "there is no 'a.1'");
	no_yaml("a: 1\n", "a.b=2", "there is no 'a.b'");
	no_yaml("a: 1\n", "a", "it is KEY=VALUE");
	no_yaml("a: 1\n", "=1", "there is no key");
	no_yaml("a: 1\n", "~a=1", "what is removed has no value");
	no_yaml("a: 1\n", "a..b=1", "none of them empty");
	no_yaml("a: 1\n", "a.=1", "ends with a dot");
	no_yaml("a: 1\n", "a[0=1", "none of them empty");
	no_yaml("a: 1\n", "a[0]b=1", "a dot is missing");
	no_yaml("a: 1\n", ":a=1", "no file before the colon");
	no_yaml("a: 1\n", "p.py:a=1", "Python");
	no_yaml("a: 1\n", "a=[1", "does not end");
	no_yaml("a: 1\n", "a=glob(*)", "'glob()' is not known");
	no_yaml("a: 1\n", "a=range(x)", "range() takes");
	no_yaml("a: 1\n", "a=range(1,1)", "no number in that range");
	no_yaml("a: 1\n", "none.yaml:a=1", "cannot change params of 'none.yaml'");
	no_yaml("- 1\n", "a=1", "params.yaml");
	no_yaml("a: {\n", "a=1", "cannot change params");
	/* All or nothing of a file. */
	becomes("params.yaml", "a: 1\n", "a=2", "b=3", NULL, "there is no 'b'");
}

static void
test_limits(void **state)
{
	struct arena *a = arena_new(0);
	struct override_list l;
	struct err err = {0};
	static char word[OVERRIDE_TEXT_MAX + 8];
	const char *words[] = {word, word};

	(void)state;
	memset(word, 'x', sizeof(word));
	word[1] = '=';
	word[OVERRIDE_TEXT_MAX] = '\0';
	assert_int_equal(override_parse(a, words, 1, &l, &err), 0);
	word[OVERRIDE_TEXT_MAX] = 'x';
	word[OVERRIDE_TEXT_MAX + 1] = '\0';
	assert_int_equal(override_parse(a, words, 1, &l, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	(void)snprintf(word, sizeof(word), "x=range(%d)", OVERRIDE_VALUES_MAX);
	assert_int_equal(override_parse(a, words, 1, &l, &err), 0);
	assert_int_equal(l.runs, OVERRIDE_RUNS_MAX);
	(void)snprintf(word, sizeof(word), "x=range(%d)", OVERRIDE_VALUES_MAX + 1);
	assert_int_equal(override_parse(a, words, 1, &l, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	(void)snprintf(word, sizeof(word), "x=range(33)");
	assert_int_equal(override_parse(a, words, 2, &l, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	word[0] = '\0';
	for (size_t i = 0; i < OVERRIDE_KEY_MAX; i++)
		memcpy(word + 2 * i, "a.", 3);
	memcpy(word + 2 * OVERRIDE_KEY_MAX - 1, "=1", 3);
	assert_int_equal(override_parse(a, words, 1, &l, &err), 0);
	memcpy(word + 2 * OVERRIDE_KEY_MAX - 1, ".b=1", 5);
	assert_int_equal(override_parse(a, words, 1, &l, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	arena_free(a);
}

static void
test_sweep(void **state)
{
	const char *words[] = {"a=1,2,[3,4]", "b=9", "c=choice(x, 'y,z')"};
	const char *want[] = {"1 9 x",	   "1 9 'y,z'", "2 9 x",
			      "2 9 'y,z'", "[3,4] 9 x", "[3,4] 9 'y,z'"};
	struct arena *a = arena_new(0);
	struct override_list l;
	struct err err = {0};
	char got[64];

	(void)state;
	ok(override_parse(a, words, 3, &l, &err));
	assert_int_equal(l.runs, 6);
	for (size_t run = 0; run < l.runs; run++) {
		(void)snprintf(got, sizeof(got), "%s %s %s",
			       l.v[0].values[override_choose(&l, run, 0)],
			       l.v[1].values[override_choose(&l, run, 1)],
			       l.v[2].values[override_choose(&l, run, 2)]);
		assert_string_equal(got, want[run]);
	}
	words[0] = "a=range(3,-1,-2)";
	ok(override_parse(a, words, 1, &l, &err));
	assert_int_equal(l.runs, 2);
	assert_string_equal(l.v[0].values[0], "3");
	assert_string_equal(l.v[0].values[1], "1");
	arena_free(a);
}

static void
test_json(void **state)
{
	(void)state;
	becomes("p.json", "{\n  \"b\": {\"x\": 1.50},\n  \"a\": [null, true]\n}\n",
		"p.json:b.x=2", NULL,
		"{\n  \"b\": {\n    \"x\": 2\n  },\n  \"a\": [\n    null,\n    true\n  "
		"]\n}\n",
		NULL);
	becomes("p.json", "{\"b\": 1}", "p.json:+c=d", NULL, "{\"b\": 1, \"c\": \"d\"}",
		NULL);
	becomes("p.json", "{\"b\": {\"x\": [], \"y\": {}}}", "p.json:b.x=[1, {a: é}]",
		NULL, "{\"b\": {\"x\": [1, {\"a\": \"é\"}], \"y\": {}}}", NULL);
	becomes("p.json", "{\"b\": 1}", "p.json:c=d", NULL, NULL, "there is no 'c'");
	/* What only Python's JSON has stays a number. */
	becomes("p.json", "{\"a\": NaN, \"b\": -Infinity, \"c\": 1}", "p.json:c=.inf",
		NULL, "{\"a\": NaN, \"b\": -Infinity, \"c\": Infinity}", NULL);
}

static void
test_toml(void **state)
{
	(void)state;
	becomes(
	    "p.toml",
	    "# c\nx = 1 # one\n[train]\nlr = 0.1   # rate\nname = \"a#b\"\n[train.sub]\n"
	    "lr = 3\n",
	    "p.toml:train.lr=0.5", "p.toml:train.name=c\"d",
	    "# c\nx = 1 # one\n[train]\nlr = 0.5   # rate\nname = \"c\\\"d\"\n"
	    "[train.sub]\nlr = 3\n",
	    NULL);
	becomes("p.toml", "a.b = [1, 2] # l\n", "p.toml:a.b=[3]", NULL, "a.b = [3] # l\n",
		NULL);
	becomes("p.toml", "x = 1\n", "p.toml:+y=1", NULL, NULL,
		"only values that are there already");
	becomes("p.toml", "day = 2026-11-23 # d\nx = 1\n", "p.toml:x=2", NULL,
		"day = 2026-11-23 # d\nx = 2\n", NULL);
	becomes("p.toml", "x = [\n1,\n2]\n", "p.toml:x=1", NULL, NULL,
		"only values that are there already");
	becomes("p.toml", "[[t]]\na = 1\n[[t]]\na = 2\n", "p.toml:t.1.a=3", NULL, NULL,
		"only values that are there already");
}

/* Each value is tried before anything begins, and nothing is written. */
static void
test_check(void **state)
{
	const char *words[] = {"a=1,2", "b=x", "c=1,[2],\"\\q\"", "other.yaml:d=1"};
	struct arena *a = arena_new(0);
	struct override_list l;
	struct err err = {0};
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	spill(place, "params.yaml", "a: 0\nb: 0\nc: 0\n");
	assert_int_equal(override_parse(a, words, 2, &l, &err), 0);
	assert_int_equal(override_check(&l, place, &err), 0);
	override_put(&l, 1, &b);
	assert_string_equal(b.p, "a=2");
	assert_int_equal(override_parse(a, words, 3, &l, &err), 0);
	assert_int_equal(override_check(&l, place, &err), -1);
	assert_non_null(strstr(err.msg, "is not a value"));
	words[2] = "~c";
	assert_int_equal(override_parse(a, words + 1, 2, &l, &err), 0);
	assert_int_equal(override_check(&l, place, &err), 0);
	buf_clear(&b);
	override_put(&l, 0, &b);
	assert_string_equal(b.p, "b=x ~c");
	assert_int_equal(override_parse(a, words + 3, 1, &l, &err), 0);
	assert_int_equal(override_check(&l, place, &err), -1);
	buf_clear(&b);
	override_put(&l, 0, &b);
	assert_string_equal(b.p, "other.yaml:d=1");
	assert_string_equal(slurp(place, "params.yaml"), "a: 0\nb: 0\nc: 0\n");
	buf_release(&b);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_yaml),    cmocka_unit_test(test_links),
	    cmocka_unit_test(test_refused), cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_sweep),   cmocka_unit_test(test_json),
	    cmocka_unit_test(test_toml),    cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
