/* The YAML reader's limits, each at the limit and one past it, and where a value's bytes stand. */
#include "unit/base/yaml_fixture.h"

static void
refused(const char *text, size_t len, const char *message)
{
	struct doc doc = read_n(text, len);

	assert_int_equal(doc.rc, -1);
	if (strncmp(doc.said.p, message, strlen(message)) != 0)
		fail_msg("said: %s\nwanted: %s", doc.said.p, message);
	drop(&doc);
}

/*
 * In each text every capital letter stands once, in the value as in the source: yaml_where
 * must find it.
 */
static void
where_finds_each_letter(void **state)
{
	static const char *const texts[] = {
	    "k: AbC  d E",
	    "k: 'A''B é C'",
	    "k: \"A\\n\\x41B\\u00e9\\U0001f600\\tC\\\\D\\\"E\\LG\"",
	    "k: |\n  A\n    B é C\n\n  D\nl: 1",
	    "k: |2-\n    A\n  B\n",
	    "k: |\n\n\n     A\n     B\n",
	    "- - >\n    A b\n    C\n\n    D\n\n      E\n      F\n    G\n",
	    "k: Ab\n  C é\n\n  D   e  \n\n\n  F",
	    "k: 'Ab\n   C\n\n  D''E '",
	    "k: \"A \\\n   B\\ C\n  D\n\n  E\"",
	    "k: |\r\n  A\r\n  B\r\n",
	    "é: ééA\nk: 1",
	};

	(void)state;
	for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
		struct doc doc = read_text(texts[t]);
		const struct yaml_node *n;

		assert_int_equal(doc.rc, 0);
		n = doc.root->kind == YAML_MAP ? doc.root->map.v[0].val
					       : doc.root->seq.v[0]->seq.v[0];
		for (size_t i = 0; i < n->len; i++) {
			const char *s = strchr(texts[t], n->str[i]), *p;
			uint32_t line, col, want_line = 1, want_col = 1;

			/* \x41 makes an A of its own: the one in the source is the first. */
			if (n->str[i] < 'A' || n->str[i] > 'Z' ||
			    strchr(n->str, n->str[i]) != n->str + i)
				continue;
			for (p = texts[t]; p < s; p++) {
				if (*p == '\n') {
					want_line++;
					want_col = 1;
				} else if (((unsigned char)*p & 0xc0) != 0x80)
					want_col++;
			}
			yaml_where(texts[t], n, i, &line, &col);
			if (line != want_line || col != want_col)
				fail_msg("text %zu: %c at %u:%u, not %u:%u", t, n->str[i],
					 (unsigned)line, (unsigned)col,
					 (unsigned)want_line, (unsigned)want_col);
		}
		drop(&doc);
	}
}

static void
where_stays_inside_for_any_offset(void **state)
{
	static const char text[] = "a: \"x\\u00e9\"\nb: []\nc: |\n\n";
	struct doc doc = read_text(text);
	uint32_t line, col;

	(void)state;
	yaml_where(text, yaml_get(doc.root, "a"), 2, &line, &col); /* inside the é */
	assert_int_equal(col, 6);
	yaml_where(text, yaml_get(doc.root, "a"), 99, &line, &col);
	assert_int_equal(col, 12);
	yaml_where(text, yaml_get(doc.root, "b"), 99, &line, &col);
	assert_int_equal(line, 2);
	yaml_where(text, yaml_get(doc.root, "c"), 99, &line, &col);
	assert_true(line >= 3 && line <= 5);
	drop(&doc);
}

static void
depth(void **state)
{
	char text[256] = "";

	(void)state;
	for (int deep = YAML_DEPTH_MAX; deep <= YAML_DEPTH_MAX + 1; deep++) {
		memset(text, '[', (size_t)deep);
		memset(text + deep, ']', (size_t)deep);
		text[2 * deep] = '\0';
		if (deep == YAML_DEPTH_MAX) {
			struct doc doc = read_text(text);

			assert_int_equal(doc.rc, 0);
			drop(&doc);
		} else
			refused(text, strlen(text),
				"x:1:65: error: lists and mappings stand more than 64 "
				"deep inside "
				"each other here");
	}
	/* Through an alias: 40 levels inside 25. */
	struct buf b;

	buf_init(&b, 0);
	buf_adds(&b, "a: &a ");
	for (int i = 0; i < 40; i++)
		buf_addc(&b, '[');
	for (int i = 0; i < 40; i++)
		buf_addc(&b, ']');
	buf_adds(&b, "\nb: [[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]]\n");
	struct doc doc = read_text(b.p);
	assert_int_equal(doc.rc, 0); /* 1 + 23 + 40 = 64 */
	drop(&doc);
	buf_adds(&b, "c: [[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]]]\n");
	doc = read_text(b.p);
	assert_int_equal(doc.rc, -1);
	assert_non_null(
	    strstr(doc.said.p, "x:3:28: error: lists and mappings stand more than"));
	drop(&doc);
	buf_release(&b);
}

static void
bytes(void **state)
{
	char *text = malloc(YAML_BYTES_MAX + 1);
	struct doc doc;

	(void)state;
	assert_non_null(text);
	memset(text, 'a', YAML_BYTES_MAX + 1);
	text[0] = '#';
	doc = read_n(text, YAML_BYTES_MAX);
	assert_int_equal(doc.rc, 0);
	assert_int_equal(doc.root->kind, YAML_NULL);
	drop(&doc);
	refused(text, YAML_BYTES_MAX + 1,
		"x: error: the file has 16777217 bytes; at most 16 MiB are read");
	free(text);
}

/* Nine levels of nine aliases: a thousand million nodes if anybody expanded them. */
static void
alias_bomb(void **state)
{
	struct buf b;
	struct doc doc;

	(void)state;
	buf_init(&b, 0);
	buf_adds(&b, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 9; i++)
		buf_addf(
		    &b,
		    "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n",
		    i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	doc = read_text(b.p);
	assert_int_equal(doc.rc, -1);
	assert_non_null(
	    strstr(doc.said.p, "error: the file has more than 2000000 values"));
	drop(&doc);
	buf_release(&b);
}

/* A list of n nodes in all: the list itself, one list of 998 nodes, and aliases to it. */
static void
nodes_and_aliases(void **state)
{
	struct buf b;
	struct doc doc;

	(void)state;
	/* 1 + 1000 + 1999 * 1000 - 1: the last item has 999. */
	buf_init(&b, 0);
	buf_adds(&b, "- &a [");
	for (int i = 0; i < 999; i++)
		buf_adds(&b, "1,");
	buf_adds(&b, "]\n");
	for (int i = 0; i < 1998; i++)
		buf_adds(&b, "- *a\n");
	for (int i = 0; i < 999; i++)
		buf_adds(&b, "- 1\n");
	doc = read_text(b.p);
	assert_int_equal(doc.rc, 0); /* 2,000,000 */
	drop(&doc);
	buf_adds(&b, "- 1\n");
	doc = read_text(b.p);
	assert_int_equal(doc.rc, -1);
	assert_non_null(
	    strstr(doc.said.p, "x:2999:3: error: the file has more than 2000000"));
	drop(&doc);

	buf_clear(&b);
	buf_adds(&b, "- &a 1\n");
	for (int i = 0; i < YAML_ALIAS_MAX; i++)
		buf_adds(&b, "- *a\n");
	doc = read_text(b.p);
	assert_int_equal(doc.rc, 0);
	drop(&doc);
	buf_adds(&b, "- *a\n");
	doc = read_text(b.p);
	assert_int_equal(doc.rc, -1);
	assert_non_null(
	    strstr(doc.said.p, "x:10002:3: error: the file has more than 10000 aliases"));
	drop(&doc);
	buf_release(&b);
}

static void
memory_that_runs_out_is_an_error(void **state)
{
	static const char text[] =
	    "a: &x [1, {b: c}]\nd: {<<: *y, e: *x}\nf: !!str g\nh: {}\n";
	int rc = -1;

	(void)state;
	for (size_t limit = 1; rc == -1; limit += 16) {
		struct arena *a = arena_new(limit);
		struct diag *d = diag_new();
		struct yaml_node *root;

		(void)diag_file(d, "x", text, strlen(text));
		rc = yaml_parse(a, d, 0, text, strlen(text), &root);
		assert_true(diag_errors(d) > 0);
		diag_free(d);
		arena_free(a);
		assert_true(limit < 100000);
	}
	assert_int_equal(rc, 1); /* *y is unknown */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(where_finds_each_letter),
	    cmocka_unit_test(where_stays_inside_for_any_offset),
	    cmocka_unit_test(depth),
	    cmocka_unit_test(bytes),
	    cmocka_unit_test(alias_bomb),
	    cmocka_unit_test(nodes_and_aliases),
	    cmocka_unit_test(memory_that_runs_out_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
