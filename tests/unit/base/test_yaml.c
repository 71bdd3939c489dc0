/* The YAML reader: values, positions, limits, and what a mistake is called. */
#include "unit/base/yaml_fixture.h"

/* The first line of what was said, and (hint) what its second message line must hold. */
static void
refused_n(const char *text, size_t len, int rc, const char *message, const char *hint)
{
	struct doc doc = read_n(text, len);

	assert_int_equal(doc.rc, rc);
	if (strncmp(doc.said.p, message, strlen(message)) != 0 ||
	    doc.said.p[strlen(message)] != '\n')
		fail_msg("said: %s\nwanted: %s", doc.said.p, message);
	if (hint != NULL && strstr(doc.said.p, hint) == NULL)
		fail_msg("said: %s\nwanted the hint: %s", doc.said.p, hint);
	drop(&doc);
}

static void
refused(const char *text, int rc, const char *message, const char *hint)
{
	refused_n(text, strlen(text), rc, message, hint);
}

/* ---- values ---- */

static enum yaml_kind
kind_of(const char *scalar)
{
	struct doc doc = read_text(scalar);
	enum yaml_kind kind = doc.root->kind;

	assert_int_equal(doc.rc, 0);
	drop(&doc);
	return kind;
}

static void
scalars_by_the_core_schema(void **state)
{
	static const struct {
		const char *text;
		enum yaml_kind kind;
	} cases[] = {
	    {"~", YAML_NULL},
	    {"null", YAML_NULL},
	    {"NULL", YAML_NULL},
	    {"nULL", YAML_STR},
	    {"", YAML_NULL},
	    {"true", YAML_BOOL},
	    {"False", YAML_BOOL},
	    {"TRUE", YAML_BOOL},
	    {"tRue", YAML_STR},
	    {"yes", YAML_STR},
	    {"on", YAML_STR},
	    {"n", YAML_STR},
	    {"0", YAML_INT},
	    {"-12", YAML_INT},
	    {"+12", YAML_INT},
	    {"007", YAML_INT},
	    {"0o17", YAML_INT},
	    {"0x1F", YAML_INT},
	    {"0o8", YAML_STR},
	    {"0xg", YAML_STR},
	    {"0x", YAML_STR},
	    {"1_000", YAML_STR},
	    {"1:30", YAML_STR},
	    {"2026-11-22", YAML_STR},
	    {"1.5", YAML_FLOAT},
	    {"1.", YAML_FLOAT},
	    {".5", YAML_FLOAT},
	    {"1e3", YAML_FLOAT},
	    {"-1.5E-3", YAML_FLOAT},
	    {".", YAML_STR},
	    {"1e", YAML_STR},
	    {"e3", YAML_STR},
	    {".inf", YAML_FLOAT},
	    {"-.INF", YAML_FLOAT},
	    {".NaN", YAML_FLOAT},
	    {".nAn", YAML_STR},
	    {"+", YAML_STR},
	    {"1.2.3", YAML_STR},
	    {"'1'", YAML_STR},
	    {"\"true\"", YAML_STR},
	    {"|\n 1", YAML_STR},
	    {"!!str 1", YAML_STR},
	    {"! 1", YAML_STR},
	    {"!!int '7'", YAML_INT},
	    {"!!float 7", YAML_FLOAT},
	    {"9223372036854775807", YAML_INT},
	    {"9223372036854775808", YAML_FLOAT},
	    {"0xffffffffffffffff", YAML_STR},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (kind_of(cases[i].text) != cases[i].kind)
			fail_msg("'%s' is %s", cases[i].text,
				 yaml_kind_name(kind_of(cases[i].text)));
}

static void
numbers_have_their_value(void **state)
{
	struct doc doc =
	    read_text("[0x1F, 0o17, -9223372036854775808, 007, -.inf, 1e400, 2.5, 3]");
	struct yaml_node *const *v = doc.root->seq.v;

	(void)state;
	assert_int_equal(v[0]->i, 31);
	assert_int_equal(v[1]->i, 15);
	assert_true(v[2]->i == INT64_MIN);
	assert_int_equal(v[3]->i, 7);
	assert_string_equal(v[3]->str, "007");
	assert_true(isinf(v[4]->f) && v[4]->f < 0);
	assert_true(isinf(v[5]->f) && v[5]->f > 0);
	assert_true(v[6]->f > 2.4 && v[6]->f < 2.6);
	assert_int_equal(doc.root->seq.n, 8);
	drop(&doc);
}

static void
places_and_widths(void **state)
{
	/* A byte order mark, CRLF, characters of more than one byte, an anchor. */
	struct doc doc = read_text("\xef\xbb\xbf"
				   "α: β  # c\r\nq: \"é\"\r\nl:\r\n  - &n  x\r\n"
				   "  - {k: [1, 2]}\r\nt: |\r\n  text\r\nz:\r\n");
	const struct yaml_node *n, *seq;

	(void)state;
	assert_int_equal(doc.rc, 0);
	n = doc.root->map.v[0].key;
	assert_int_equal(n->line, 1);
	assert_int_equal(n->col, 1);
	assert_int_equal(n->src, 3);
	n = yaml_get(doc.root, "α");
	assert_int_equal(n->col, 4);
	assert_int_equal(n->width, 1);
	assert_int_equal(n->src, 7);
	n = yaml_get(doc.root, "q");
	assert_int_equal(n->line, 2);
	assert_int_equal(n->width, 3);
	seq = yaml_get(doc.root, "l");
	assert_int_equal(seq->line, 4);
	assert_int_equal(seq->col, 3);
	n = seq->seq.v[0];
	assert_int_equal(n->col, 9); /* x itself, behind its anchor */
	n = seq->seq.v[1];
	assert_int_equal(n->line, 5);
	assert_int_equal(n->width, 11); /* {k: [1, 2]} */
	n = yaml_get(n, "k");
	assert_int_equal(n->col, 9);
	assert_int_equal(n->width, 6);
	assert_int_equal(yaml_get(doc.root, "t")->width, 1);
	assert_int_equal(yaml_get(doc.root, "z")->kind, YAML_NULL);
	assert_int_equal(yaml_get(doc.root, "z")->line, 8);
	assert_null(yaml_get(doc.root, "none"));
	assert_null(yaml_get(n, "k"));
	drop(&doc);
}

/* ---- anchors, aliases, merge keys ---- */

static void
aliases_share_their_node(void **state)
{
	struct doc doc = read_text("a: &x {k: [1]}\nb: *x\nc: &x 2\nd: *x\n*x : e");

	(void)state;
	assert_int_equal(doc.rc, 0);
	assert_ptr_equal(yaml_get(doc.root, "a"), yaml_get(doc.root, "b"));
	assert_int_equal(yaml_get(doc.root, "d")->i, 2);
	assert_string_equal(yaml_get(doc.root, "2")->str, "e");
	drop(&doc);
}

static void
merge_keys(void **state)
{
	struct doc doc =
	    read_text("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\n"
		      "c:\n  <<: [*a, *b]\n  x: 3\nd: {<<: *b}\ne: {'<<': 1}\n"
		      "f: &f {<<: *a, w: 4}\ng: {<<: *f}\n");
	const struct yaml_node *c = yaml_get(doc.root, "c");

	(void)state;
	assert_int_equal(doc.rc, 0);
	assert_int_equal(c->map.n, 3);
	assert_int_equal(yaml_get(c, "x")->i, 3); /* its own wins */
	assert_int_equal(yaml_get(c, "y")->i, 1); /* the first of the list wins */
	assert_int_equal(yaml_get(c, "z")->i, 2);
	assert_int_equal(yaml_get(yaml_get(doc.root, "d"), "y")->i, 2);
	assert_int_equal(yaml_get(yaml_get(doc.root, "e"), "<<")->i,
			 1);				     /* quoted: a key */
	assert_int_equal(yaml_get(doc.root, "g")->map.n, 3); /* merged what was merged */
	drop(&doc);
	refused(
	    "a: {<<: 1}", 1,
	    "x:1:9: error: '<<' takes a mapping or a list of mappings, not an integer",
	    "<<: *name");
	refused(
	    "b: &b [1]\na:\n  <<: *b\n", 1,
	    "x:1:7: error: '<<' takes a mapping or a list of mappings, not an integer",
	    NULL);
}

/* ---- mistakes ---- */

static void
duplicate_keys(void **state)
{
	struct doc doc = read_text("a: 1\nb: 2\na: 3\n'a': 4\n");

	(void)state;
	assert_int_equal(doc.rc, 1);
	assert_int_equal(doc.root->map.n, 2);
	assert_int_equal(yaml_get(doc.root, "a")->i, 1);
	assert_string_equal(doc.said.p, "x:3:1: error: the key 'a' is given twice\n"
					"    3 | a: 3\n      | ^\n"
					"x:1:1: note: first given here\n"
					"    1 | a: 1\n      | ^\n"
					"x:4:1: error: the key 'a' is given twice\n"
					"    4 | 'a': 4\n      | ^~~\n"
					"x:1:1: note: first given here\n"
					"    1 | a: 1\n      | ^\n");
	drop(&doc);
	/* So many keys that they are hashed. */
	refused("a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\nh: 1\ni: 1\nj: 1\nk: 1\nl: "
		"1\nm: 1\n"
		"c: 1\n",
		1, "x:14:1: error: the key 'c' is given twice", "    3 | c: 1");
}

static void
several_mistakes_in_one_go(void **state)
{
	struct doc doc = read_text("a: *no\nb: !x y\na: 1\nc: {{ z }}\n? [k]\n: v\n");

	(void)state;
	assert_int_equal(doc.rc, 1);
	assert_int_equal(diag_errors(doc.diag), 5);
	assert_string_equal(yaml_get(doc.root, "a")->str, "*no");
	assert_int_equal(yaml_get(doc.root, "b")->kind, YAML_STR);
	drop(&doc);
}

static void
encodings(void **state)
{
	(void)state;
	refused(
	    "a: 1\nb: caf\xe9\n", -1,
	    "x:2:7: error: the file is not UTF-8: byte 0xe9 here would be 'é' in Latin-1",
	    "iconv -f latin1");
	refused("é: \x80", -1,
		"x:1:4: error: the file is not UTF-8: byte 0x80 is out of place",
		"save the file as UTF-8");
	refused("a: \xc0\xaf", -1,
		"x:1:4: error: the file is not UTF-8: byte 0xc0 is out of place", NULL);
	refused_n("a: b\0", 5, -1,
		  "x:1:5: error: there is a NUL byte here: this is no text file",
		  "UTF-16");
	refused_n("\xff\xfe"
		  "a\0",
		  4, -1, "x: error: the file is UTF-16; only UTF-8 is read", NULL);
	refused_n("\xfe\xff\0a", 4, -1,
		  "x: error: the file is UTF-16; only UTF-8 is read", NULL);
	refused_n("\xff\xfe\0\0a\0\0\0", 8, -1,
		  "x: error: the file is UTF-32; only UTF-8 is read", NULL);
	refused("a: \xef\xbb\xbf"
		"b",
		-1, "x:1:4: error: there is a byte order mark (U+FEFF) inside the file",
		"delete it");
	refused("a: \033[1m", -1,
		"x:1:4: error: the control character 0x1b cannot stand here", "\\x1b");
	refused("a: \"x\\0y\"", 1,
		"x:1:4: error: a string cannot hold a NUL character (\\0)", NULL);
}

static void
syntax(void **state)
{
	static const struct {
		const char *text, *message, *hint;
	} cases[] = {
	    {"a: \"b\nc: d\n",
	     "x:1:4: error: the quote \" that begins here is not closed", "\\\""},
	    {"a: 'b\nc: d\n", "x:1:4: error: the quote ' that begins here is not closed",
	     "''"},
	    {"a: 'it's'\n", "x:1:8: error: there is text behind the closing quote",
	     "whole value"},
	    {"run: echo a: b\n", "x:1:12: error: a second ': ' in one line",
	     "behind a |"},
	    {"a: 1\n  b: 2\n",
	     "x:2:4: error: this line goes on with the value above it, so it cannot be a "
	     "key",
	     "too far"},
	    {"a:\n\tb: c\n", "x:2:1: error: a tab cannot be used for indentation in YAML",
	     "use spaces"},
	    {"a:\n  \tb: c\n",
	     "x:2:3: error: a tab cannot be used for indentation in YAML", NULL},
	    {"a: @daily\n", "x:1:4: error: a value cannot begin with @ in YAML",
	     "quote it"},
	    {"a: %d\n", "x:1:4: error: a value cannot begin with % in YAML", "quote it"},
	    {"a: *.csv\n", "x:1:4: error: a value that begins with * must be quoted",
	     "alias"},
	    {"a: {{ b }} c\n", "x:1:4: error: a value that starts with {{ must be quoted",
	     "as a whole"},
	    {"a: [1, 2\nb: 3\n", "x:1:4: error: the [ that begins here is not closed",
	     NULL},
	    {"a: {b: 1\nc: 3\n", "x:1:4: error: the { that begins here is not closed",
	     NULL},
	    {"a: {b: 1 c: 3}\n", "x:1:11: error: a ',' or '}' is missing here",
	     "mapping begins"},
	    {"a: - b\n", "x:1:4: error: an item of a list cannot begin here",
	     "line of its own"},
	    {"a:\n  b: 1\n c: 2\n",
	     "x:3:2: error: the indentation of this line fits nothing above it",
	     "begins here"},
	    {"a: 1\nb\nc: 2\n",
	     "x:2:1: error: this is neither 'key: value' nor an item of a list",
	     "':' missing"},
	    {"- a\nb: c\n",
	     "x:2:1: error: this line stands among the items of a list, but does not "
	     "begin with '- '",
	     "the list begins here"},
	    {"a: |b\n", "x:1:5: error: behind | or > nothing may stand on the same line",
	     "next line"},
	    {"a: \"\\q\"\n",
	     "x:1:5: error: \\q is no escape that a \"double quoted\" string knows",
	     "single quotes"},
	    {"%FOO\na: b\n",
	     "x:1:1: error: a line that begins with % is a YAML directive, and this one "
	     "means "
	     "nothing here",
	     NULL},
	    {"a: !x!y z\n", "x:1:4: error: a value that begins with ! must be quoted",
	     "tag"},
	    {"a: [b, }\n", "x:1:8: error: a value should stand here, not '}'", NULL},
	    /* At the end of the last line, whatever ends it. */
	    {"a: {b: c,\n", "x:1:10: error: the file ends where a value should stand",
	     NULL},
	    {"a: {b: c,\r\n", "x:1:10: error: the file ends where a value should stand",
	     NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refused(cases[i].text, -1, cases[i].message, cases[i].hint);
	refused("a: 1\n---\nb: 2\n", 1, "x:2:1: error: a second document begins here",
		"'---'");
	refused("a: !!set {b}\n", 1, "x:1:4: error: the tag !!set means nothing here",
		NULL);
	refused("a: !!int x\n", 1, "x:1:10: error: 'x' does not fit its tag !!int", NULL);
	refused("a: {{ b }}\n", 1,
		"x:1:4: error: a value that starts with {{ must be quoted", NULL);
	refused("a: &x [*x]\n", 1,
		"x:1:8: error: *x stands inside the value that it names: it would have "
		"no end",
		NULL);
}

/* Cut anywhere, a text gives a tree or a message, never a crash or silence. */
static void
any_prefix_and_any_changed_byte(void **state)
{
	static const char text[] =
	    "%YAML 1.2\n---\na: &x [1, 'b', \"c\\u00e9\", {d: e}]\n"
	    "f: |2-\n   g\n  h\n? i\n: !!str j\nk: *x\nl: >+\n  m\n\n"
	    "n: {<<: *o, p: @}\n# q\n...\n";
	static const char bytes[] = "\0\t\n\r !\"#%&'*,-:>?@[]`{|}~\x80\xc3\xff";
	char copy[sizeof(text)];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		struct doc doc = read_n(text, i);

		drop(&doc);
		for (size_t j = 0; j < sizeof(bytes) - 1; j++) {
			memcpy(copy, text, sizeof(text));
			copy[i] = bytes[j];
			doc = read_n(copy, sizeof(text) - 1);
			drop(&doc);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(scalars_by_the_core_schema),
	    cmocka_unit_test(numbers_have_their_value),
	    cmocka_unit_test(places_and_widths),
	    cmocka_unit_test(aliases_share_their_node),
	    cmocka_unit_test(merge_keys),
	    cmocka_unit_test(duplicate_keys),
	    cmocka_unit_test(several_mistakes_in_one_go),
	    cmocka_unit_test(encodings),
	    cmocka_unit_test(syntax),
	    cmocka_unit_test(any_prefix_and_any_changed_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
