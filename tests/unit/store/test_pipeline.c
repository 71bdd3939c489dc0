/* dvc.yaml without its templates: what DVC is not asked about (tests/dvc/pipeline.t does
 * that): messages and their places, limits, and where memory runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/yaml.h"
#include "store/dvc/dvc_yaml.h"
#include "store/pipeline/params_file.h"
#include "store/pipeline/pipeline.h"
#include "unit/memory.h"

/* The files of a test: name, text, name, text ..., NULL. */
static int
read_file(void *arg, const char *path, size_t max, struct buf *out, struct err *err)
{
	const char *const *files = arg;

	(void)max;
	if (strcmp(path, "broken") == 0)
		return err_set(err, ERR_SYS, "it cannot be read");
	for (; *files != NULL; files += 2)
		if (strcmp(files[0], path) == 0) {
			buf_adds(out, files[1]);
			return buf_failed(out) ? err_nomem(err) : 1;
		}
	return 0;
}

#define MAX_FILES 8

struct world {
	const char *files[2 * MAX_FILES + 1];
	bool python;
};

static int
parse(struct world *w, const char *name, const char *text, struct diag *d,
      struct dvc_yaml **y, struct err *err)
{
	const struct pipeline_files files = {
	    .read = read_file, .arg = (void *)w->files, .python = &w->python};

	return pipeline_parse(&files, name, text, strlen(text), d, y, err);
}

static struct dvc_yaml *
made(struct world *w, const char *text)
{
	struct dvc_yaml *y;
	struct err err = {0};

	if (parse(w, "dvc.yaml", text, NULL, &y, &err) != 0)
		fail_msg("%s\nsays '%s'", text, err.msg);
	return y;
}

/* All messages for the file have these words in them. */
static void
refused(struct world *w, const char *text, const char *words)
{
	struct diag *d = diag_new();
	struct dvc_yaml *y;
	struct err err = {0};
	struct buf said;

	buf_init(&said, 0);
	assert_int_equal(parse(w, "dvc.yaml", text, d, &y, &err), -1);
	diag_print(d, &said, false, 0);
	if (strstr(said.p, words) == NULL)
		fail_msg("without '%s' it says\n%.300s%s\nof %.300s", words, said.p,
			 err.msg, text);
	dvc_yaml_free(y);
	diag_free(d);
	buf_release(&said);
}

static void
stages(void **state)
{
	struct world w = {.files = {"params.yaml", "l: [u, v]\nn: 1_0\n", NULL}};
	struct dvc_yaml *y = made(
	    &w, "stages:\n"
		"  a: {cmd: x, outs: ['o${n}': {cache: false}]}\n"
		"  b@c: {cmd: x}\n"
		"  f: {foreach: '${l}', do: {cmd: x, wdir: 'w/${item}', outs: [o]}}\n"
		"  m: {matrix: {p: '${l}', q: [1, 2]}, cmd: x, plots: ['${key}']}\n"
		"artifacts: {m: {path: '${n}'}}\n");
	static const char *const names[] = {"a",     "b@c",   "f@u",   "f@v",
					    "m@u-1", "m@u-2", "m@v-1", "m@v-2"};

	(void)state;
	assert_int_equal(y->nstages, 8);
	for (size_t i = 0; i < y->nstages; i++) {
		assert_string_equal(y->stages[i].name, names[i]);
		assert_false(y->stages[i].many);
	}
	assert_string_equal(y->stages[0].outs[0].path, "o10");
	assert_false(y->stages[0].outs[0].cache);
	assert_int_equal(y->stages[0].outs[0].line, 2);
	assert_int_equal(y->stages[0].outs[0].col, 22);
	assert_null(y->stages[0].group);
	assert_null(y->stages[1].group);
	assert_string_equal(y->stages[3].group, "f");
	assert_string_equal(y->stages[3].wdir, "w/v");
	assert_string_equal(y->stages[5].group, "m");
	assert_string_equal(y->stages[5].outs[0].path, "u-2");
	assert_non_null(y->artifacts);
	dvc_yaml_free(y);
}

/* Files are seen from where the dvc.yaml lies, and its stages' from their own directory. */
static void
places(void **state)
{
	struct world w = {.files = {"d/params.yaml", "a: 1\n", "d/w/v.yaml", "b: 2\n",
				    "up.json", "{\"c\": 3}", NULL}};
	struct dvc_yaml *y;
	struct err err = {0};

	(void)state;
	assert_int_equal(parse(&w, "d/dvc.yaml",
			       "vars: [../up.json]\nstages:\n"
			       "  s: {cmd: x, wdir: w, vars: [v.yaml], outs: "
			       "['${a}${b}${c}']}\n",
			       NULL, &y, &err),
			 0);
	assert_string_equal(y->stages[0].outs[0].path, "123");
	dvc_yaml_free(y);
}

static void
mistakes(void **state)
{
	struct world w = {
	    .files = {"params.yaml", "model: {rate: 1}\nl: [1]\nm: {k: [[1]]}\n",
		      "bad.yaml", "a: 1\nb: [1\n", "date.yaml", "a: 1\nd: 2020-01-01\n",
		      "list.yaml", "- 1\n", "bad.json", "{\"a\": }", "bad.toml",
		      "a = 1\nb = = 2\n", NULL}};

	(void)state;
	refused(
	    &w, "stages:\n  a: {cmd: 'x ${modl.rate}'}\n",
	    "dvc.yaml:2:15: error: there is no variable 'modl': did you mean 'model'?");
	refused(&w, "stages:\n  a: {cmd: 'x ${model.rat}'}\n",
		"dvc.yaml:2:15: error: 'model' has no 'rat': did you mean 'rate'?");
	refused(&w, "stages:\n  a: {cmd: 'x ${model.rate.x}'}\n",
		"'model.rate' is an integer: it has no 'x'");
	refused(&w, "stages:\n  a: {cmd: 'x ${l[1]}'}\n",
		"there is no element '1' in 'l'");
	refused(&w, "stages:\n  a: {cmd: 'x ${l'}\n  b: {cmd: 'x ${}'}\n",
		"dvc.yaml:3:15: error: '${}' names no variable");
	refused(&w, "stages:\n  a: {cmd: x, outs: ['${l}']}\n",
		"'l' is a list, which cannot be put into 'outs'");
	refused(&w, "stages:\n  a: {cmd: '${model}'}\n", "options without a command");
	refused(&w, "stages:\n  a: {cmd: 'x ${m}'}\n", "they are no options");
	refused(&w, "stages:\n  a: {foreach: '${l[0]}', do: {cmd: x}}\n",
		"foreach needs a list or a mapping, not an integer");
	refused(&w, "stages:\n  a: {matrix: {p: '${l[0]}'}, cmd: x}\n",
		"'p' of a matrix must be a list, not an integer");
	refused(&w, "stages:\n  a: {foreach: [1], do: {cmd: x}}\n  a@1: {cmd: x}\n",
		"there are two stages 'a@1'");
	refused(&w, "vars: [nosuch.yaml]\n",
		"dvc.yaml:1:8: error: nosuch.yaml: there is no");
	refused(&w, "vars: [broken]\n", "broken: it cannot be read");
	refused(&w, "vars: [5]\n", "vars are files and mappings, not an integer");
	refused(&w, "vars: {a: 1}\n", "vars must be a list");
	refused(&w, "vars: [{a: '${l}'}]\n", "vars cannot have ${...} in them");
	refused(&w, "vars: [{model: {rate: 2}}]\n",
		"'model.rate' of vars[0] is defined already, in params.yaml");
	refused(&w, "vars: ['list.yaml']\n", "list.yaml must hold a mapping, not a list");
	refused(&w, "vars: ['params.yaml:model']\n",
		"all of params.yaml:model is loaded");
	refused(&w, "stages:\n  a: {foreach: [1], do: {cmd: x, vars: [{item: 1}]}}\n",
		"must not define 'item'");
	/* In the files' own places. */
	refused(&w, "vars: [bad.yaml]\n", "bad.yaml:");
	refused(&w, "vars: [date.yaml]\n",
		"date.yaml:2:4: error: a date or a time cannot be a value");
	refused(&w, "vars: [bad.json]\n", "bad.json:1:7: error: this is no value");
	refused(&w, "vars: [bad.toml]\n", "bad.toml:2:5: error: there is no value");
}

static void
python(void **state)
{
	struct world w = {.files = {"p.py", "a = 1\n", NULL}};

	(void)state;
	refused(&w, "vars: [p.py]\n", "p.py: error: params in Python are not read");
	assert_true(w.python);
}

/* What a key leads to, and what equals what: [a, b] of a YAML list. */
static void
values(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} pairs[] = {
	    {"1", "1.0", true},
	    {"1", "true", true},
	    {"0", "false", true},
	    {"1", "'1'", false},
	    {"1e-5", "0.00001", true},
	    {"0x10", "16", true},
	    {"~", "null", true},
	    {"~", "''", false},
	    {"[1, 2]", "[2, 1]", false},
	    {"[1]", "[1, 2]", false},
	    {"{a: 1, b: 2}", "{b: 2.0, a: 1}", true},
	    {"{a: 1}", "{a: 1, b: 2}", false},
	    {"{1: a}", "{true: a}", true},
	    {"{1: a}", "{'1': a}", false},
	    {"[.nan]", "[.NaN]", true},
	    {"{a: .nan}", "{a: .nan}", true},
	    {".nan", ".nan", false},
	    {"a", "'a'", true},
	    {"123456789012345678901", "123456789012345678902", false},
	};
	static const struct {
		const char *key, *want;
	} keys[] = {{"a", "1"},	  {"b.c.0", "2"},  {"b.c.-1", "4"}, {"b.c.1.d", "3"},
		    {".a", "1"},  {"b.c.3", NULL}, {"b.c.x", NULL}, {"a.b", NULL},
		    {"a.", NULL}, {"x.y", NULL},   {"nope", NULL}};
	struct arena *a = arena_new(0);
	struct diag *d = diag_new();
	struct yaml_node *n;

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		char *text = arena_printf(a, "[%s, %s]", pairs[i].a, pairs[i].b);

		assert_int_equal(params_parse(a, d, "p.yaml", text, strlen(text), &n), 0);
		if (value_equal(n->seq.v[0], n->seq.v[1]) != pairs[i].equal)
			fail_msg("%s", text);
	}
	{
		static const char tree[] = "{a: 1, b: {c: [2, {d: 3}, 4]}, x.y: 5}";

		assert_int_equal(params_parse(a, d, "p.yaml", tree, strlen(tree), &n), 0);
	}
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const struct yaml_node *v = value_find(n, keys[i].key);

		if (keys[i].want == NULL ? v != NULL
					 : v == NULL || strcmp(v->str, keys[i].want) != 0)
			fail_msg("%s", keys[i].key);
	}
	diag_free(d);
	arena_free(a);
}

/* ---- limits ---- */

static void
limits(void **state)
{
	struct world w = {.files = {NULL}};
	struct dvc_yaml *y;
	struct buf b;

	(void)state;
	/* 250 x 400 stages, and one more. */
	for (int more = 0; more < 2; more++) {
		buf_init(&b, 0);
		buf_adds(&b, "stages: {m: {cmd: x, matrix: {p: [");
		for (int i = 0; i < 250 + more; i++)
			buf_addf(&b, "%d,", i);
		buf_adds(&b, "], q: [");
		for (int i = 0; i < 400; i++)
			buf_addf(&b, "%d,", i);
		buf_adds(&b, "]}}}");
		if (more == 0) {
			y = made(&w, b.p);
			assert_int_equal(y->nstages, 100000);
			dvc_yaml_free(y);
		} else {
			refused(&w, b.p, "this matrix has more than 100,000 stages");
		}
		buf_release(&b);
	}
	/* Names that double: 2^26 bytes are 64 MiB. */
	buf_init(&b, 0);
	buf_adds(&b, "vars: [{a: '");
	for (int i = 0; i < 1 << 20; i++)
		buf_addc(&b, 'x');
	buf_adds(&b, "'}]\nstages:\n  s: {cmd: '");
	for (int i = 0; i < 63; i++)
		buf_adds(&b, "${a}");
	buf_adds(&b, "'}\n");
	dvc_yaml_free(made(&w, b.p));
	buf_truncate(&b, b.n - 3);
	buf_adds(&b, "${a}${a}'}\n");
	refused(&w, b.p, "the stages become too large");
	buf_release(&b);
}

/* ---- TOML ---- */

static const struct {
	const char *text, *want;
} good_toml[] = {
    {"x = 1", "1"},
    {"x = +1_000", "1000"},
    {"x = -0", "0"},
    {"x = 0xDEAD_beef # c", "3735928559"},
    {"x = 0o17", "15"},
    {"x = 0b101", "5"},
    {"x = 1e3", "1000.0"},
    {"x = 6.626e-34", "6.626e-34"},
    {"x = 1_0.5_0", "10.5"},
    {"x = +inf", "inf"},
    {"x = -nan", "nan"},
    {"x = true", "true"},
    {"x = 'a\\b'", "a\\b"},
    {"x = \"a\\tb\\u00e9\\U0001F600\\\"\"", "a\tb\xc3\xa9\xf0\x9f\x98\x80\""},
    {"x = \"\"\"\nab\\\n\n   cd\"\"\"\"\"", "abcd\"\""},
    {"x = '''a\r\nb'''", "a\nb"},
    {"\xEF\xBB\xBFx = 1\r\n", "1"},
    {"\"x\" = 1", "1"},
    {"x=1\n[t]\nx=2", "1"},
};
static const char *const bad_toml[] = {
    "x",
    "x =",
    "= 1",
    "x = 1 y = 2",
    "x = 01",
    "x = 1__0",
    "x = _1",
    "x = 1_",
    "x = 0x",
    "x = +0x1",
    "x = 1.",
    "x = .5",
    "x = 1.e3",
    "x = yes",
    "x = 2020-01-01",
    "x = 07:32:00",
    "x = 'a",
    "x = \"a\nb\"",
    "x = \"\\q\"",
    "x = \"\\ud800\"",
    "x = \"\\u12\"",
    "x = \"\"\"a",
    "x = '\x01'",
    "x = 1 # \x01",
    "x = 1\nx = 2",
    "x = [1, 2",
    "x = [1 2]",
    "x = {a = 1",
    "x = {a = 1,}",
    "x = {a = 1\n}",
    "[a]\n[a]",
    "a = 1\n[a]",
    "[a]\nb = 1\n[a.b]",
    "a = [1]\n[[a]]",
    "[[a]]\n[a]",
    "a = {b = 1}\na.c = 2",
    "a = {b = 1}\n[a.c]",
    "[a.b]\nc = 1\n[a]\nb.d = 2",
    "[a\n",
    "[[a]\n",
    "[]",
    "[a.]",
    "a. = 1",
    "\xff = 1",
    "x = \xff",
    "[a] x = 1",
};

static void
toml(void **state)
{
	struct world w = {.files = {"p.toml", NULL, NULL}};
	struct dvc_yaml *y;

	(void)state;
	for (size_t i = 0; i < sizeof good_toml / sizeof *good_toml; i++) {
		struct buf out;

		w.files[1] = good_toml[i].text;
		y = made(&w, "vars: [p.toml]\nstages: {s: {cmd: x, outs: ['<${x}>']}}\n");
		buf_init(&out, 0);
		buf_addf(&out, "<%s>", good_toml[i].want);
		assert_string_equal(y->stages[0].outs[0].path, out.p);
		buf_release(&out);
		dvc_yaml_free(y);
	}
	for (size_t i = 0; i < sizeof bad_toml / sizeof *bad_toml; i++) {
		w.files[1] = bad_toml[i];
		refused(&w, "vars: [p.toml]\n", "p.toml:");
	}
}

static void
toml_depth(void **state)
{
	struct world w = {.files = {"p.toml", NULL, NULL}};
	struct buf b;

	(void)state;
	for (int more = 0; more < 2; more++) {
		buf_init(&b, 0);
		buf_adds(&b, "x = ");
		for (int i = 0; i < 63 + more; i++)
			buf_addc(&b, '[');
		buf_adds(&b, "1");
		for (int i = 0; i < 63 + more; i++)
			buf_addc(&b, ']');
		w.files[1] = b.p;
		if (more == 0)
			dvc_yaml_free(made(&w, "vars: [p.toml]\n"));
		else
			refused(&w, "vars: [p.toml]\n", "more than 64 levels");
		buf_release(&b);
	}
}

/* ---- memory ---- */

static const char all[] =
    "vars: [p.json, 'p.toml:t', {in: {place: 1}}]\n"
    "stages:\n  a: {cmd: 'x ${n} ${o}', vars: [{v: 1, o: {q: 2}}], outs: "
    "['o${in.place}']}\n"
    "  f: {foreach: {k: '${l[0]}'}, do: {cmd: '${item} ${key}', outs: ['${key}']}}\n"
    "  m: {matrix: {p: '${l}', q: [[1], 2]}, cmd: '${item.p}'}\n";

static int
parse_all(void *arg, struct err *err)
{
	struct world *w = arg;
	struct dvc_yaml *y;
	int rc = parse(w, "dvc.yaml", all, NULL, &y, err);

	if (rc == 0) {
		assert_int_equal(y->nstages, 6);
		dvc_yaml_free(y);
	}
	return rc;
}

static void
memory_runs_out(void **state)
{
	struct world w = {.files = {"params.yaml", "l: [u, v]\nn: 1_0\no: {p: 1}\n",
				    "p.json", "{\"j\": [1, 2.5, null, \"s\"]}", "p.toml",
				    "t.u = [{a = 1}]\n[[v]]\n", NULL}};
	const struct memory_call call = {"dvc.yaml", NULL, parse_all, NULL, &w, 0};

	(void)state;
	assert_true(memory_fail_each(&call) > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stages),
	    cmocka_unit_test(places),
	    cmocka_unit_test(mistakes),
	    cmocka_unit_test(python),
	    cmocka_unit_test(values),
	    cmocka_unit_test(limits),
	    cmocka_unit_test(toml),
	    cmocka_unit_test(toml_depth),
	    cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
