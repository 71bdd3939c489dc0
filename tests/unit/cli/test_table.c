#include "cli/table.h"

#include "unit/cli/fixture.h"

static void
check_fit(const char *text, unsigned columns, const char *want)
{
	struct buf b;
	unsigned used;

	buf_init(&b, 0);
	used = text_fit(&b, text, columns);
	assert_string_equal(b.p, want);
	assert_int_equal(used, text_columns(b.p, b.n));
	assert_true(used <= columns);
	buf_release(&b);
}

static void
test_fit(void **state)
{
	(void)state;
	check_fit("hello", 5, "hello");
	check_fit("hello", 4, "hel\u2026");
	check_fit("hello", 1, "\u2026");
	check_fit("hello", 0, "");
	check_fit("", 3, "");
	check_fit("a\nb\tc", 10, "a b c");
	/* Wide characters are not halved: two columns each. */
	check_fit("\u65e5\u672c\u8a9e", 6, "\u65e5\u672c\u8a9e");
	check_fit("\u65e5\u672c\u8a9e", 5, "\u65e5\u672c\u2026");
	check_fit("\u65e5\u672c\u8a9e", 4, "\u65e5\u2026");
	/* Combining marks take no room; control characters are not passed on. */
	check_fit("e\u0301e\u0301", 2, "e\u0301e\u0301");
	check_fit("a\033[31mb", 20, "a\ufffd[31mb");
	check_fit("\xff\xfe", 5, "\ufffd\ufffd");
}

static void
test_columns(void **state)
{
	static const char *const titles[] = {"NAME", "N", "TEXT"};
	struct table *t = table_new(titles, 3);
	struct buf b;

	(void)state;
	assert_non_null(t);
	table_cell(t, "a");
	table_cellf(t, "%d", 7);
	table_cell(t, "some text");
	table_cell(t, "l\u00e4nger");
	table_cell(t, NULL);
	table_cell(t, "");
	buf_init(&b, 0);
	assert_int_equal(table_print(t, &b, 0, false), 0);
	assert_string_equal(b.p, "NAME    N  TEXT\n"
				 "a       7  some text\n"
				 "l\u00e4nger\n");
	buf_clear(&b);
	assert_int_equal(table_print(t, &b, 15, false), 0);
	assert_string_equal(b.p, "NAME    N  TEXT\n"
				 "a       7  som\u2026\n"
				 "l\u00e4nger\n");
	buf_release(&b);
	table_free(t);
}

/* However narrow it gets, no line is wider. */
static void
test_never_wider(void **state)
{
	static const char *const titles[] = {"NAME", "STATUS", "TEXT"};
	struct table *t = table_new(titles, 3);
	const char *p, *nl;
	struct buf b;
	unsigned width;

	(void)state;
	assert_non_null(t);
	table_cell(t, "a_rather_long_name");
	table_cell(t, "running");
	table_cell(t, "a reason that does not end for a while, and then does");
	for (width = 1; width < 90; width++) {
		buf_init(&b, 0);
		assert_int_equal(table_print(t, &b, width, false), 0);
		for (p = b.p; *p != '\0'; p = nl + 1) {
			nl = strchr(p, '\n');
			assert_non_null(nl);
			assert_true(text_columns(p, (size_t)(nl - p)) <= width);
		}
		buf_release(&b);
	}
	table_free(t);
}

/* The column that is kept is whole as long as those before it have anything to give. */
static void
test_kept(void **state)
{
	static const char *const titles[] = {"NAME", "WHEN", "STATUS", "TEXT"};
	struct table *t = table_new(titles, 4);
	struct buf b;

	(void)state;
	assert_non_null(t);
	table_keep(t, 2);
	table_cell(t, "a_rather_long_name");
	table_cell(t, "2026-11-22");
	table_cell(t, "success");
	table_cell(t, "text");
	buf_init(&b, 0);
	assert_int_equal(table_print(t, &b, 33, false), 0);
	assert_string_equal(b.p, "NAME          WHEN        STATUS\n"
				 "a_rather_lo\u2026  2026-11-22  success\n");
	buf_clear(&b);
	assert_int_equal(table_print(t, &b, 19, false), 0);
	assert_string_equal(b.p, "NAME  WHEN  STATUS\n"
				 "a_r\u2026  202\u2026  success\n");
	buf_clear(&b);
	assert_int_equal(table_print(t, &b, 15, false), 0);
	assert_string_equal(b.p, "NAME  WHEN  ST\u2026\n"
				 "a_r\u2026  202\u2026  su\u2026\n");
	buf_release(&b);
	table_free(t);
}

static void
test_colour(void **state)
{
	static const char *const titles[] = {"A"};
	struct table *t = table_new(titles, 1);
	struct buf b;

	(void)state;
	assert_non_null(t);
	table_cell(t, "x");
	table_style(t, "31");
	buf_init(&b, 0);
	assert_int_equal(table_print(t, &b, 0, true), 0);
	assert_string_equal(b.p, "A\n\033[31mx\033[0m\n");
	buf_release(&b);
	table_free(t);
}

static void
check_wrap(const char *text, unsigned width, const char *want)
{
	struct buf b;

	buf_init(&b, 0);
	buf_adds(&b, "kept|");
	buf_adds(&b, text);
	text_wrap(&b, 5, width);
	assert_string_equal(b.p + 5, want);
	buf_release(&b);
}

static void
test_wrap(void **state)
{
	const char *const text = "  one two three four\n\nfive\n";
	unsigned width;

	(void)state;
	check_wrap(text, 0, text);
	check_wrap(text, 20, text);
	check_wrap(text, 19, "  one two three\n    four\n\nfive\n");
	check_wrap(text, 12, "  one two\n    three\n    four\n\nfive\n");
	check_wrap("abcdefgh", 3, "abc\ndef\ngh");
	check_wrap("\033[31mred\033[0m word", 8, "\033[31mred\033[0m word");
	check_wrap("\033[31mred\033[0m word", 7, "\033[31mred\033[0m\n  word");
	check_wrap("\u65e5\u672c\u8a9e", 4, "\u65e5\u672c\n\u8a9e");
	/* However narrow, it comes to an end. */
	for (width = 1; width < 30; width++) {
		struct buf b;

		buf_init(&b, 0);
		buf_adds(&b,
			 "   a \u65e5\u672c long line with words, and averyverylongone");
		text_wrap(&b, 0, width);
		assert_false(buf_failed(&b));
		buf_release(&b);
	}
}

static void
test_when_and_id(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	text_when(&b, 0);
	buf_addc(&b, ' ');
	text_when(&b, INT64_C(1795466328000000));
	assert_string_equal(b.p, "- 2026-11-23 20:38:48");
	buf_release(&b);
	assert_string_equal(text_short_id("01939f3c-0000-7000-8000-0123456789ab"),
			    "456789ab");
	assert_string_equal(text_short_id("abc"), "abc");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fit),		cmocka_unit_test(test_columns),
	    cmocka_unit_test(test_never_wider), cmocka_unit_test(test_kept),
	    cmocka_unit_test(test_colour),	cmocka_unit_test(test_wrap),
	    cmocka_unit_test(test_when_and_id),
	};

	return cmocka_run_group_tests_name("cli.table", tests, NULL, NULL);
}
