#include "tasks/proto/outputs.h"

#include "tasks/proto/attempt_dir.h"
#include "unit/tasks/fixture.h"

static void
parse(struct outputs *o, const char *text)
{
	struct err err = {0};

	if (outputs_parse(o, text, strlen(text), &err) != 0)
		fail_msg("refused: %s", err.msg);
}

static void
check(const struct outputs *o, const char *key, const char *value)
{
	const struct output *x = outputs_get(o, key);

	assert_non_null(x);
	assert_string_equal(x->value, value);
	assert_int_equal(x->len, strlen(value));
}

static void
test_lines(void **state)
{
	struct outputs o;

	(void)state;
	parse(&o, "rows=10\n\nempty=\nurl=http://x/?a=b<<c\n_a-9=tail  \r\nlast=x");
	assert_int_equal(o.n, 5);
	assert_string_equal(o.v[0].key, "rows");
	check(&o, "rows", "10");
	check(&o, "empty", "");
	check(&o, "url", "http://x/?a=b<<c");
	check(&o, "_a-9", "tail  \r");
	check(&o, "last", "x");
	assert_null(outputs_get(&o, "none"));
	outputs_release(&o);
	parse(&o, "");
	assert_int_equal(o.n, 0);
	outputs_release(&o);
}

static void
test_blocks(void **state)
{
	struct outputs o;

	(void)state;
	parse(&o, "a<<END\none\n\ntwo=2\nEND\nb<<E=O F\nEND\nE=O F\nc<<X\nX\nd<<X\n\nX\n"
		  "e<<X\n\n\nX\nf<<X\n X\nX \nX");
	assert_int_equal(o.n, 6);
	check(&o, "a", "one\n\ntwo=2");
	check(&o, "b", "END");
	check(&o, "c", "");
	check(&o, "d", "");
	check(&o, "e", "\n");
	check(&o, "f", " X\nX ");
	outputs_release(&o);
	parse(&o, "u=\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\n");
	check(&o, "u", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	outputs_release(&o);
}

static void
test_last_wins(void **state)
{
	struct outputs o;

	(void)state;
	parse(&o, "a=1\nb=2\na<<X\n3\nX\nb=4\na=5\n");
	assert_int_equal(o.n, 2);
	assert_string_equal(o.v[0].key, "a");
	check(&o, "a", "5");
	check(&o, "b", "4");
	outputs_release(&o);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *text;
		size_t n; /* 0: strlen */
		const char *say;
	} cases[] = {
	    {"a=1\nb\n", 0, "outputs:2: neither"},
	    {"a=1\n<a=2\n", 0, "outputs:2: what stands before"},
	    {"=1\n", 0, "outputs:1: what stands before"},
	    {"a b=1\n", 0, "outputs:1: what stands before"},
	    {"-a=1\n", 0, "outputs:1: what stands before"},
	    {"9a=1\n", 0, "outputs:1: what stands before"},
	    {"export a=1\n", 0, "outputs:1: what stands before"},
	    {"\xef\xbb\xbf"
	     "a=1\n",
	     0, "outputs:1: what stands before"},
	    {"a<b\n", 0, "outputs:1: neither"},
	    {"a<<\nx\n\n", 0, "outputs:1: no word"},
	    {"x=1\na<<END\nline\n\nEN", 0, "outputs:2: the value that starts here"},
	    {"a<<END", 0, "outputs:1: the value that starts here"},
	    {"a=1\nb=x\0y\n", 10, "outputs:2: a NUL"},
	    {"a<<X\nok\n\0\nX\n", 12, "outputs:3: a NUL"},
	    {"a=\xff\n", 0, "outputs:1: not valid UTF-8"},
	    {"a=\xc3", 0, "outputs:1: not valid UTF-8"},
	    {"a=\xed\xa0\x80\n", 0, "outputs:1: not valid UTF-8"},
	    {"a<<X\nfine\n\xc0\x80\nX\n", 0, "outputs:3: not valid UTF-8"},
	};
	struct outputs o;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		size_t n = cases[i].n != 0 ? cases[i].n : strlen(cases[i].text);

		assert_int_equal(outputs_parse(&o, cases[i].text, n, &err), -1);
		if (strncmp(err.msg, cases[i].say, strlen(cases[i].say)) != 0)
			fail_msg("case %zu says: %s", i, err.msg);
		assert_int_equal(o.n, 0);
		outputs_release(&o);
	}
}

/* What a task writes here may be a secret: messages do not repeat it. */
static void
test_messages_hold_no_value(void **state)
{
	static const char *const texts[] = {"hunter2hunter2\n", "hunter2 x=1\n",
					    "a=hunter2\xff\n", "a<<END\nhunter2\n"};
	struct outputs o;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct err err = {0};

		assert_int_equal(outputs_parse(&o, texts[i], strlen(texts[i]), &err), -1);
		assert_null(strstr(err.msg, "hunter2"));
	}
}

static char *
repeat(const char *front, char c, size_t n, size_t *len)
{
	size_t f = strlen(front);
	char *p = malloc(f + n);

	assert_non_null(p);
	memcpy(p, front, f);
	memset(p + f, c, n);
	*len = f + n;
	return p;
}

static void
test_limits(void **state)
{
	struct outputs o;
	struct err err = {0};
	size_t n;
	char *p;

	(void)state;
	p = repeat("k=", 'x', OUTPUTS_VALUE_MAX, &n);
	assert_int_equal(outputs_parse(&o, p, n, &err), 0);
	assert_int_equal(o.v[0].len, OUTPUTS_VALUE_MAX);
	outputs_release(&o);
	free(p);
	p = repeat("k=", 'x', OUTPUTS_VALUE_MAX + 1, &n);
	assert_int_equal(outputs_parse(&o, p, n, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_non_null(strstr(err.msg, "'k'"));
	free(p);
	p = repeat("", '\n', OUTPUTS_FILE_MAX, &n);
	assert_int_equal(outputs_parse(&o, p, n, &err), 0);
	outputs_release(&o);
	free(p);
	p = repeat("", '\n', OUTPUTS_FILE_MAX + 1, &n);
	assert_int_equal(outputs_parse(&o, p, n, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	free(p);
	p = repeat("", 'k', OUTPUTS_KEY_MAX + 1, &n);
	p[n - 1] = '=';
	assert_int_equal(outputs_parse(&o, p, n, &err), 0);
	outputs_release(&o);
	free(p);
	p = repeat("", 'k', OUTPUTS_KEY_MAX + 2, &n);
	p[n - 1] = '=';
	assert_int_equal(outputs_parse(&o, p, n, &err), -1);
	free(p);
}

static void
test_read(void **state)
{
	const struct tmpdir *t = *state;
	struct outputs o;
	struct err err = {0};
	size_t n;
	char *p;

	assert_int_equal(outputs_read(t->fd, &o, &err), 0);
	assert_int_equal(o.n, 0);
	put_file(t, ATTEMPT_OUTPUTS, "a=1\n", 4);
	assert_int_equal(outputs_read(t->fd, &o, &err), 0);
	check(&o, "a", "1");
	outputs_release(&o);
	p = repeat("", '\n', OUTPUTS_FILE_MAX + 1, &n);
	put_file(t, ATTEMPT_OUTPUTS, p, n);
	free(p);
	assert_int_equal(outputs_read(t->fd, &o, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_blocks),
	    cmocka_unit_test(test_last_wins),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_messages_hold_no_value),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test_setup_teardown(test_read, tmpdir_setup, tmpdir_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
