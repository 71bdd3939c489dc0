/* Diagnostics: order, carets, widths, cuts, the cap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/json.h"

static struct diag *
one_file(const char *text)
{
	struct diag *d = diag_new();

	assert_non_null(d);
	assert_int_equal(diag_file(d, "p.yaml", text, strlen(text)), 0);
	return d;
}

static void
expect_color(struct diag *d, bool color, unsigned width, const char *want)
{
	struct buf b;

	buf_init(&b, 0);
	diag_print(d, &b, color, width);
	assert_false(buf_failed(&b));
	assert_string_equal(b.p, want);
	buf_release(&b);
	diag_free(d);
}

static void
expect(struct diag *d, unsigned width, const char *want)
{
	expect_color(d, false, width, want);
}

static struct diag_pos
at(uint32_t line, uint32_t col, uint32_t width)
{
	return (struct diag_pos){0, line, col, width};
}

static void
shows_line_caret_and_hint(void **state)
{
	struct diag *d = one_file("tasks:\n  a:\n    retires: 3\n");

	(void)state;
	diag_add(d, DIAG_ERROR, at(3, 5, 7), "unknown key '%s'", "retires");
	diag_hint(d, "did you mean '%s'?", "retries");
	assert_int_equal(diag_errors(d), 1);
	assert_int_equal(diag_count(d), 1);
	expect(d, 0,
	       "p.yaml:3:5: error: unknown key 'retires'\n"
	       "    3 |     retires: 3\n"
	       "      |     ^~~~~~~ did you mean 'retries'?\n");
}

static void
sorts_by_place_and_keeps_notes_with_their_message(void **state)
{
	struct diag *d = one_file("a\nb\nc\n");

	(void)state;
	assert_int_equal(diag_file(d, "second.yaml", "x\n", 2), 1);
	diag_add(d, DIAG_ERROR, (struct diag_pos){1, 1, 1, 1}, "in the second");
	diag_add(d, DIAG_ERROR, at(3, 1, 1), "third line");
	diag_add(d, DIAG_NOTE, at(1, 1, 1), "because of this");
	diag_add(d, DIAG_WARNING, at(2, 1, 1), "second line");
	diag_add(d, DIAG_ERROR, at(2, 1, 1), "same place, said later");
	diag_add(d, DIAG_ERROR, at(0, 0, 0), "the file as a whole");
	diag_hint(d, "its hint");
	assert_int_equal(diag_errors(d), 4);
	assert_int_equal(diag_count(d), 6);
	expect(d, 0,
	       "p.yaml: error: the file as a whole\n"
	       "    its hint\n"
	       "p.yaml:2:1: warning: second line\n"
	       "    2 | b\n"
	       "      | ^\n"
	       "p.yaml:2:1: error: same place, said later\n"
	       "    2 | b\n"
	       "      | ^\n"
	       "p.yaml:3:1: error: third line\n"
	       "    3 | c\n"
	       "      | ^\n"
	       "p.yaml:1:1: note: because of this\n"
	       "    1 | a\n"
	       "      | ^\n"
	       "second.yaml:1:1: error: in the second\n"
	       "    1 | x\n"
	       "      | ^\n");
}

static void
says_the_same_once(void **state)
{
	struct diag *d = one_file("a\n");

	(void)state;
	diag_add(d, DIAG_ERROR, at(1, 1, 1), "one");
	diag_add(d, DIAG_ERROR, at(1, 1, 1), "two");
	diag_add(d, DIAG_ERROR, at(1, 1, 1), "one");
	diag_add(d, DIAG_NOTE, at(1, 1, 1), "goes with its message");
	expect(d, 0,
	       "p.yaml:1:1: error: one\n    1 | a\n      | ^\n"
	       "p.yaml:1:1: error: two\n    1 | a\n      | ^\n");
}

static void
aligns_under_wide_and_combining_characters_and_tabs(void **state)
{
	/* Two wide characters, e + combining acute, then a tab to column 8. */
	struct diag *d = one_file("漢字e\xcc\x81\tx: y\n");

	(void)state;
	diag_add(d, DIAG_ERROR, at(1, 6, 1), "x");
	diag_add(d, DIAG_ERROR, at(1, 2, 2), "two");
	expect(d, 0,
	       "p.yaml:1:2: error: two\n"
	       "    1 | 漢字e\xcc\x81   x: y\n"
	       "      |   ^~~\n"
	       "p.yaml:1:6: error: x\n"
	       "    1 | 漢字e\xcc\x81   x: y\n"
	       "      |         ^\n");
}

/* Marks of no width before the cut are cut off like all else there. */
static void
cuts_off_combining_characters(void **state)
{
	struct diag *d;
	struct buf b;
	char *text;

	(void)state;
	buf_init(&b, 0);
	for (int i = 0; i < 60; i++)
		buf_adds(&b, "e\xcc\x81");
	buf_adds(&b, " nothing: here\n");
	text = strdup(b.p);
	assert_non_null(text);
	d = one_file(text);
	diag_add(d, DIAG_ERROR, at(1, 122, 7), "unknown key");
	buf_clear(&b);
	buf_adds(&b, "p.yaml:1:122: error: unknown key\n    1 | ...");
	for (int i = 0; i < 15; i++)
		buf_adds(&b, "e\xcc\x81");
	buf_adds(&b, " nothing: here\n      |                    ^~~~~~~\n");
	expect(d, 40, b.p);
	free(text);
	buf_release(&b);
}

static void
shows_harmful_characters_harmlessly(void **state)
{
	struct diag *d = one_file("a\033[31mb\xff\xe2\x80\xae"
				  "c\n");

	(void)state;
	diag_add(d, DIAG_ERROR, at(1, 9, 1), "not %s", "\033[2J\ntwo");
	diag_hint(d, "nor \033]0;x");
	expect(d, 0,
	       "p.yaml:1:9: error: not \xef\xbf\xbd[2J\xef\xbf\xbdtwo\n"
	       "    1 | a\xef\xbf\xbd[31mb\xef\xbf\xbd\xef\xbf\xbd"
	       "c\n"
	       "      |         ^ nor \xef\xbf\xbd]0;x\n");
}

static void
places_beyond_the_text_do_no_harm(void **state)
{
	struct diag *d = one_file("ab\r\ncd");

	(void)state;
	diag_add(d, DIAG_ERROR, at(1, 3, 5), "behind the line");
	diag_add(d, DIAG_ERROR, at(2, UINT32_MAX, UINT32_MAX), "far");
	diag_add(d, DIAG_ERROR, at(3, 1, 1), "no such line");
	diag_hint(d, "hint");
	expect(d, 0,
	       "p.yaml:1:3: error: behind the line\n    1 | ab\n      |   ^\n"
	       "p.yaml:2:4294967295: error: far\n    2 | cd\n      |   ^\n"
	       "p.yaml:3:1: error: no such line\n    hint\n");
}

static void
counts_lines_as_editors_do(void **state)
{
	struct diag *d = one_file("\xef\xbb\xbf"
				  "a\rb\r\nc\n\nd");

	(void)state;
	diag_add(d, DIAG_ERROR, at(1, 1, 1), "1");
	diag_add(d, DIAG_ERROR, at(2, 1, 1), "2");
	diag_add(d, DIAG_ERROR, at(4, 1, 1), "4");
	diag_add(d, DIAG_ERROR, at(5, 1, 1), "5");
	expect(d, 0,
	       "p.yaml:1:1: error: 1\n    1 | a\n      | ^\n"
	       "p.yaml:2:1: error: 2\n    2 | b\n      | ^\n"
	       "p.yaml:4:1: error: 4\n    4 | \n      | ^\n"
	       "p.yaml:5:1: error: 5\n    5 | d\n      | ^\n");
}

static void
a_file_without_text_has_no_lines(void **state)
{
	struct diag *d = diag_new();

	(void)state;
	assert_int_equal(diag_file(d, "gone.yaml", NULL, 0), 0);
	diag_add(d, DIAG_ERROR, at(3, 4, 1), "what");
	diag_add(d, DIAG_ERROR, (struct diag_pos){7, 1, 1, 1}, "no such file");
	expect(d, 0, "gone.yaml:3:4: error: what\nerror: no such file\n");
}

/* No line of the output may be wider than the terminal, whatever the caret's place. */
static void
cuts_to_the_terminal_with_the_caret_in_sight(void **state)
{
	char text[301];
	unsigned width, col;

	(void)state;
	for (size_t i = 0; i < 300; i++)
		text[i] = (char)('a' + i % 26);
	text[300] = '\0';
	for (width = 24; width <= 344; width += 40) {
		for (col = 1; col <= 300; col += 13) {
			struct diag *d = one_file(text);
			struct buf b;
			const char *source, *caret, *line;

			diag_add(d, DIAG_ERROR, at(1, col, 3), "some words about it");
			diag_hint(d, "a hint of a few words");
			buf_init(&b, 0);
			diag_print(d, &b, false, width);
			for (line = b.p; *line != '\0'; line = strchr(line, '\n') + 1)
				assert_true((unsigned)(strchr(line, '\n') - line) <=
					    width);
			source = strstr(b.p, "    1 | ");
			assert_non_null(source);
			caret = strchr(source, '^');
			assert_non_null(caret);
			line = strchr(source, '\n') + 1;
			assert_int_equal(source[caret - line], text[col - 1]);
			buf_release(&b);
			diag_free(d);
		}
	}
}

/* A file of one line of megabytes costs neither screens nor minutes: the line is cut, and
 * shown for some of the messages only. */
static void
long_lines(void **state)
{
	const size_t len = (size_t)16 << 20;
	char *text = malloc(len);
	struct diag *d = diag_new();
	size_t shown = 0;
	struct buf b;

	(void)state;
	assert_non_null(text);
	memset(text, 'a', len);
	(void)diag_file(d, "p.yaml", text, len);
	for (uint32_t i = 0; i < DIAG_MAX; i++) {
		diag_add(d, DIAG_ERROR, at(1, 1 + i * 16000, 2), "m");
		diag_hint(d, "hint");
	}
	buf_init(&b, 0);
	diag_print(d, &b, false, 0);
	assert_true(b.n < 100000);
	for (const char *s = b.p; (s = strstr(s, "    1 | ")) != NULL; s++)
		shown++;
	assert_int_equal(shown, 2);
	assert_non_null(strstr(b.p, "p.yaml:1:15984001: error: m\n    hint\n"));
	buf_release(&b);
	diag_free(d);
	free(text);
}

static void
wraps_hints_and_messages(void **state)
{
	struct diag *d = one_file("  retires: 3\n");

	(void)state;
	diag_add(d, DIAG_ERROR, at(1, 3, 7), "a message of some length about a key");
	diag_hint(d, "a hint that does not fit");
	expect(d, 36,
	       "p.yaml:1:3: error: a message of some\n"
	       "    length about a key\n"
	       "    1 |   retires: 3\n"
	       "      |   ^~~~~~~\n"
	       "      |   a hint that does not fit\n");
}

static void
colours_when_asked(void **state)
{
	struct diag *d = one_file("a\n");

	(void)state;
	diag_add(d, DIAG_WARNING, at(1, 1, 1), "w");
	expect_color(d, true, 0,
		     "\033[1mp.yaml:1:1: \033[0m\033[1;33mwarning: \033[0mw\n"
		     "\033[2m    1 | \033[0ma\n"
		     "\033[2m      | \033[0m\033[1;32m^\033[0m\n");
}

static void
keeps_a_thousand_and_counts_the_rest(void **state)
{
	struct diag *d = one_file("a\n");
	struct buf b;

	(void)state;
	for (int i = 0; i < DIAG_MAX; i++)
		diag_add(d, DIAG_ERROR, at(1, 1, 1), "number %d", i);
	diag_add(d, DIAG_NOTE, at(1, 1, 1), "note of the last");
	buf_init(&b, 0);
	diag_print(d, &b, false, 0);
	assert_non_null(strstr(b.p, "number 999"));
	assert_non_null(strstr(b.p, "note of the last"));
	assert_null(strstr(b.p, "not shown"));
	diag_add(d, DIAG_ERROR, at(1, 1, 1), "one too many");
	diag_hint(d, "a hint of its own");
	diag_add(d, DIAG_NOTE, at(1, 1, 1), "its note");
	assert_int_equal(diag_errors(d), DIAG_MAX + 1);
	assert_int_equal(diag_count(d), DIAG_MAX + 3);
	buf_clear(&b);
	diag_print(d, &b, false, 0);
	assert_null(strstr(b.p, "one too many"));
	assert_null(strstr(b.p, "a hint of its own"));
	assert_null(strstr(b.p, "its note"));
	assert_non_null(strstr(b.p, "and 1 more error, not shown\n"));
	buf_release(&b);
	diag_free(d);
}

static void
json_for_editors(void **state)
{
	struct diag *d = one_file("a\nb\n");
	struct json_writer w;
	struct buf b;

	(void)state;
	diag_add(d, DIAG_ERROR, at(2, 1, 1), "second \"line\"");
	diag_hint(d, "hint");
	diag_add(d, DIAG_WARNING, at(1, 1, 1), "first");
	diag_add(d, DIAG_NOTE, at(2, 1, 1), "see");
	buf_init(&b, 0);
	json_init(&w, &b, 0);
	diag_json(d, &w);
	assert_string_equal(
	    b.p, "[{\"file\":\"p.yaml\",\"line\":1,\"column\":1,\"width\":1,"
		 "\"severity\":\"warning\",\"message\":\"first\",\"hint\":null,\"notes\":"
		 "[{\"file\":\"p.yaml\",\"line\":2,\"column\":1,\"width\":1,"
		 "\"severity\":\"note\",\"message\":\"see\",\"hint\":null}]},"
		 "{\"file\":\"p.yaml\",\"line\":2,\"column\":1,\"width\":1,"
		 "\"severity\":\"error\",\"message\":\"second "
		 "\\\"line\\\"\",\"hint\":\"hint\","
		 "\"notes\":[]}]");
	buf_release(&b);
	diag_free(d);
}

static void
places_are_counted_in_characters(void **state)
{
	static const char text[] = "a\xc3\xa9z\r\nb\rc\n\nd";
	static const struct {
		size_t at;
		uint32_t line, col;
	} cases[] = {{0, 1, 1}, {3, 1, 3}, {4, 1, 4},  {5, 1, 4},  {6, 2, 1},
		     {7, 2, 2}, {8, 3, 1}, {10, 4, 1}, {11, 5, 1}, {12, 5, 2}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct diag_pos pos = diag_place(7, text, sizeof(text) - 1, cases[i].at);

		assert_int_equal(pos.file, 7);
		assert_int_equal(pos.line, cases[i].line);
		assert_int_equal(pos.col, cases[i].col);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shows_line_caret_and_hint),
	    cmocka_unit_test(sorts_by_place_and_keeps_notes_with_their_message),
	    cmocka_unit_test(says_the_same_once),
	    cmocka_unit_test(aligns_under_wide_and_combining_characters_and_tabs),
	    cmocka_unit_test(cuts_off_combining_characters),
	    cmocka_unit_test(shows_harmful_characters_harmlessly),
	    cmocka_unit_test(places_beyond_the_text_do_no_harm),
	    cmocka_unit_test(counts_lines_as_editors_do),
	    cmocka_unit_test(places_are_counted_in_characters),
	    cmocka_unit_test(a_file_without_text_has_no_lines),
	    cmocka_unit_test(cuts_to_the_terminal_with_the_caret_in_sight),
	    cmocka_unit_test(long_lines),
	    cmocka_unit_test(wraps_hints_and_messages),
	    cmocka_unit_test(colours_when_asked),
	    cmocka_unit_test(keeps_a_thousand_and_counts_the_rest),
	    cmocka_unit_test(json_for_editors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
