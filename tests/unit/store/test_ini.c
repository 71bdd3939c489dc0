#include "unit/store/store_test.h"

#include "store/dvc/ini.h"

static struct err err;

static struct ini *
parse(const char *text)
{
	struct ini *ini;

	ok(ini_parse("f", text, strlen(text), &ini, &err));
	return ini;
}

/* What stands behind "k =", and what ConfigObj makes of it: items with "|" between, in <> where
 * it is a list; NULL: a mistake. */
static void
test_values(void **state)
{
	static const struct {
		const char *text, *want;
	} table[] = {
	    {"", ""},
	    {"a", "a"},
	    {" a b ", "a b"},
	    {"a # c", "a"},
	    {"a#c", "a"},
	    {"# c", ""},
	    {"\"a # b\" # c", "a # b"},
	    {"'a, b'", "a, b"},
	    {"\"\"", ""},
	    {"a, b", "<a|b>"},
	    {"a,", "<a>"},
	    {",", "<>"},
	    {"a, \"b, c\", 'd'", "<a|b, c|d>"},
	    {"\"a\"b\"", "a\"b"},
	    {"a\"b", "a\"b"},
	    {"'it''s'", "it''s"},
	    {"a, , b", NULL},
	    {"\"a", NULL},
	    {"\"a\" b", NULL},
	    {"a,,b", NULL},
	    {",a", NULL},
	    {"'''a'''", "a"},
	    {"\"\"\"a\"b\"\"\" # c", "a\"b"},
	    {"'''a\nb'''", "a\nb"},
	    {"'''a\n\n'''", "a\n\n"},
	    {"'''a''' x", NULL},
	    {"'''a", NULL},
	    {"'''a\nb''' x", NULL},
	};
	const struct ini_value *v;
	char text[128], got[128];
	struct ini *ini;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		(void)snprintf(text, sizeof(text), "[s]\nk =%s\n", table[i].text);
		if (table[i].want == NULL) {
			fails(ini_parse("f", text, strlen(text), &ini, &err),
			      ERR_INVALID);
			assert_int_equal(strncmp(err.msg, "f:", 2), 0);
			continue;
		}
		ini = parse(text);
		v = ini_get(ini, "s", "k");
		assert_non_null(v);
		n = (size_t)snprintf(got, sizeof(got), "%s", v->list ? "<" : "");
		for (size_t k = 0; k < v->n; k++)
			n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s",
					      k > 0 ? "|" : "", v->v[k]);
		(void)snprintf(got + n, sizeof(got) - n, "%s", v->list ? ">" : "");
		assert_string_equal(got, table[i].want);
		ini_free(ini);
	}
}

/* Lines, and the mistake in them. */
static void
test_lines(void **state)
{
	static const struct {
		const char *text, *says; /* NULL: fine */
	} table[] = {
	    {"[a]\n[b]\nk=v\n", NULL},
	    {" [ a ] # c\n  k = v\n", NULL},
	    {"['remote \"x\"']\n\"k e y\" = v\n", NULL},
	    {"\xef\xbb\xbf[a]\r\nk = v\r\n", NULL},
	    {"[a] b = c\n", NULL}, /* is a key to ConfigObj */
	    {"[a\n", "f:1: this is neither"},
	    {"x\n", "f:1: this is neither"},
	    {"= v\n", "f:1: this is neither"},
	    {"[]\n", "f:1: this is neither"},
	    {"[[a]]\n", "f:1: a section within"},
	    {"[a]\n\n[A]\n", "f:3: this section is there already"},
	    {"[a]\nk = v\nK = w\n", "f:3: 'K' has a value already"},
	    {"[a]\nk = '\n", "f:2: the value cannot be read"},
	};
	struct ini *ini;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].says == NULL) {
			ini_free(parse(table[i].text));
			continue;
		}
		fails(ini_parse("f", table[i].text, strlen(table[i].text), &ini, &err),
		      ERR_INVALID);
		says(table[i].says);
	}
	fails(ini_parse("f", "[a]\nk = \0v\n", 11, &ini, &err), ERR_INVALID);
	says("f:2: there is a NUL");
}

/* An edit of a file, and what is in it then; "-" takes out.  What ConfigObj wrote it would have
 * written so; the rest keeps what it has. */
static void
test_edits(void **state)
{
	static const struct {
		const char *before, *section, *key, *value, *after;
	} table[] = {
	    {"", "core", "k", "v", "[core]\n    k = v\n"},
	    {"\n", "core", "k", "v", "[core]\n    k = v\n"},
	    {"['remote \"x\"']\n    url = u\n", "core", "k", "v",
	     "[core]\n    k = v\n['remote \"x\"']\n    url = u\n"},
	    {"[core]\n    k = v\n", "core", "k", "-", "\n"},
	    {"[core]\n    k = v\n", "core", "k", "a, #b", "[core]\n    k = \"a, #b\"\n"},
	    {"[core]\n    k = v\n", "core", "k", "", "[core]\n    k = \"\"\n"},
	    {"[core]\n    k = v\n", "core", "k", " v", "[core]\n    k = \" v\"\n"},
	    {"[core]\n    k = v\n", "core", "k", "\"v\"", "[core]\n    k = '\"v\"'\n"},
	    {"[core]\n    k = v\n", "core", "k", "it's \"v\"",
	     "[core]\n    k = '''it's \"v\"'''\n"},
	    {"[core]\n    k = v\n", "core", "k", "a\nb", "[core]\n    k = '''a\nb'''\n"},
	    {"[core]\n    k = v\n", "core", "k", "a'''\nb",
	     "[core]\n    k = \"\"\"a'''\nb\"\"\"\n"},
	    {"['remote \"x\"']\n    url = u\n", "remote \"y\"", "url", "w",
	     "['remote \"x\"']\n    url = u\n['remote \"y\"']\n    url = w\n"},
	    /* by hand */
	    {"# top\n[core] # c\n\tk=v # c\n\n# end\n", "core", "l", "w",
	     "# top\n[core] # c\n\tk=v # c\n\tl = w\n\n# end\n"},
	    {"# top\n[core]\nk=v\n", "core", "k", "w", "# top\n[core]\nk = w\n"},
	    {"[core]\n  a=1\n  # b\n  b=2", "core", "c", "3",
	     "[core]\n  a=1\n  # b\n  b=2\n  c = 3\n"},
	    {"# c\n['remote \"x\"']\nurl = u\n", "core", "k", "v",
	     "[core]\n    k = v\n# c\n['remote \"x\"']\nurl = u\n"},
	    {"# c\n[core]\nk = v\n[exp]\n", "core", "k", "-", "# c\n[exp]\n"},
	    {"[core]\n# why\nk = v\n", "core", "k", "-", "[core]\n# why\n"},
	    {"[a]\r\nk = v\r\n", "b", "k", "w", "[a]\r\nk = v\r\n[b]\n    k = w\n"},
	};
	struct ini *ini;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ini = parse(table[i].before);
		buf_clear(&b);
		ini_write(ini, &b);
		assert_string_equal(b.p,
				    table[i].before[0] == '\0' ? "\n" : table[i].before);
		if (strcmp(table[i].value, "-") == 0)
			assert_true(ini_unset(ini, table[i].section, table[i].key));
		else
			ok(ini_set(ini, table[i].section, table[i].key, table[i].value,
				   &err));
		buf_clear(&b);
		ini_write(ini, &b);
		assert_string_equal(b.p, table[i].after);
		ini_free(ini);
		/* It can be read, and the value is what was set. */
		ini = parse(b.p);
		if (strcmp(table[i].value, "-") != 0)
			assert_string_equal(
			    ini_get(ini, table[i].section, table[i].key)->v[0],
			    table[i].value);
		ini_free(ini);
	}
	buf_release(&b);
}

static void
test_limits(void **state)
{
	char *text = malloc(INI_MAX + 8), value[8000];
	struct ini *ini;
	int i, n = 0;

	(void)state;
	assert_non_null(text);
	memset(text, '\n', INI_MAX + 1);
	fails(ini_parse("f", text, INI_MAX + 1, &ini, &err), ERR_LIMIT);
	says("256 KiB");
	ok(ini_parse("f", text, INI_LINES_MAX, &ini, &err));
	ini_free(ini);
	fails(ini_parse("f", text, INI_LINES_MAX + 1, &ini, &err), ERR_LIMIT);
	says("f:5001: there are more than 5000 lines");
	memset(text, '#', INI_LINE_MAX + 1);
	ok(ini_parse("f", text, INI_LINE_MAX, &ini, &err));
	ini_free(ini);
	fails(ini_parse("f", text, INI_LINE_MAX + 1, &ini, &err), ERR_LIMIT);
	says("f:1: the line is longer");
	n = snprintf(text, INI_MAX, "[a]\nk = x");
	for (i = 1; i < INI_ITEMS_MAX; i++)
		n += snprintf(text + n, 8, ",x");
	ok(ini_parse("f", text, (size_t)n, &ini, &err));
	assert_int_equal(ini_get(ini, "a", "k")->n, INI_ITEMS_MAX);
	ini_free(ini);
	n += snprintf(text + n, 8, ",x");
	fails(ini_parse("f", text, (size_t)n, &ini, &err), ERR_LIMIT);
	says("f:2: the value has more than 1000 items");
	n = snprintf(text, INI_MAX, "[a]\nk = '''");
	for (i = 0; i < INI_VALUE_MAX / 1024; i++) {
		memset(text + n, 'x', 1024);
		n += 1024;
		text[n - 1] = '\n';
	}
	memcpy(text + n, "'''\n", 4);
	ok(ini_parse("f", text, (size_t)n + 4, &ini, &err));
	assert_int_equal(strlen(ini_get(ini, "a", "k")->v[0]), INI_VALUE_MAX);
	ini_free(ini);
	memcpy(text + n, "x'''\n", 5);
	fails(ini_parse("f", text, (size_t)n + 5, &ini, &err), ERR_LIMIT);
	says("f:2: the value is longer than 64 KiB");
	free(text);

	ini = parse("[a]\nk = v\n");
	memset(value, 'x', sizeof(value));
	value[6000] = '\0';
	ok(ini_set(ini, "a", "k", value, &err));
	value[6000] = 'x';
	value[6001] = '\0';
	fails(ini_set(ini, "a", "k", value, &err), ERR_LIMIT);
	value[INI_NAME_MAX + 1] = '\0';
	fails(ini_set(ini, "a", value, "v", &err), ERR_LIMIT);
	fails(ini_set(ini, value, "k", "v", &err), ERR_LIMIT);
	fails(ini_set(ini, "a", "k", "\x1b[1m", &err), ERR_INVALID);
	says("the value has a control character");
	fails(ini_set(ini, "a", "k", "\xe2\x80\xa8", &err), ERR_INVALID);
	fails(ini_set(ini, "a", "k", "'''\"\"\"", &err), ERR_INVALID);
	fails(ini_set(ini, "a", "a\nb", "v", &err), ERR_INVALID);
	fails(ini_set(ini, "a'\"", "k", "v", &err), ERR_INVALID);
	assert_int_equal(strlen(ini_get(ini, "a", "k")->v[0]), 6000);
	ini_free(ini);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_edits),
	    cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("store/dvc/ini", tests, NULL, NULL);
}
