/* What plots are drawn with: tables, round ticks, texts as markup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/yaml.h"
#include "store/pipeline/value_text.h"
#include "store/report/chart.h"
#include "store/report/chart_axis.h"
#include "store/report/delimited.h"
#include "store/report/svg.h"

/* ---- tables ---- */

struct world {
	struct arena *a;
	struct diag *d;
	struct buf b;
};

static int
table(struct world *w, const char *text, size_t len, char comma, bool header)
{
	struct yaml_node *v = NULL;
	int rc;

	w->a = arena_new(0);
	w->d = diag_new();
	assert_non_null(w->a);
	assert_non_null(w->d);
	buf_init(&w->b, 0);
	rc = delimited_parse(w->a, w->d, "t.csv", text, len, comma, header, &v);
	if (rc == 0)
		value_put_json(v, &w->b);
	else
		diag_print(w->d, &w->b, false, 0);
	return rc;
}

static void
end(struct world *w)
{
	buf_release(&w->b);
	diag_free(w->d);
	arena_free(w->a);
}

static void
check_table(const char *text, char comma, bool header, const char *wanted)
{
	struct world w;

	assert_int_equal(table(&w, text, strlen(text), comma, header), 0);
	assert_string_equal(w.b.p, wanted);
	end(&w);
}

static void
tables_are_read(void **state)
{
	(void)state;
	check_table("", ',', true, "[]");
	check_table("a,b\n", ',', true, "[]");
	check_table("a,b\n1,2\n", ',', true, "[{\"a\": \"1\", \"b\": \"2\"}]");
	check_table("\xEF\xBB\xBF"
		    "a,b\r\n1,2",
		    ',', true, "[{\"a\": \"1\", \"b\": \"2\"}]");
	check_table("a,b\r1,2\r\r3,4", ',', true,
		    "[{\"a\": \"1\", \"b\": \"2\"}, {\"a\": \"3\", \"b\": \"4\"}]");
	check_table("a\tb\n\"x\ty\"\t\"q\"\"\n\"\n", '\t', true,
		    "[{\"a\": \"x\\ty\", \"b\": \"q\\\"\\n\"}]");
	check_table("a,b,c\n1,2\n1,2,3,4\n", ',', true,
		    "[{\"a\": \"1\", \"b\": \"2\", \"c\": null}, {\"a\": \"1\", "
		    "\"b\": \"2\", \"c\": \"3\"}]");
	check_table("a,b,a\n1,2,3\n", ',', true, "[{\"a\": \"3\", \"b\": \"2\"}]");
	check_table("5,6\n7,8\n", ',', false,
		    "[{\"0\": \"5\", \"1\": \"6\"}, {\"0\": \"7\", \"1\": \"8\"}]");
	check_table("a,b\n,\n", ',', true, "[{\"a\": \"\", \"b\": \"\"}]");
}

static void
bad_tables_are_refused(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		const char *why;
	} cases[] = {
	    {"a\n\"x\n", 5, "t.csv:2:1: error: a quote does not end"},
	    {"a\nx\xFF\n", 5, "t.csv:2:1: error: this is no UTF-8"},
	    {"a\nx\0y\n", 6, "t.csv:2:1: error: a NUL cannot be part of a table"},
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(table(&w, cases[i].text, cases[i].n, ',', true), 1);
		assert_non_null(strstr(w.b.p, cases[i].why));
		end(&w);
	}
}

static void
columns_have_a_limit(void **state)
{
	char *text = malloc(DELIMITED_COLUMNS_MAX + 2);
	struct world w;

	(void)state;
	assert_non_null(text);
	memset(text, ',', DELIMITED_COLUMNS_MAX);
	assert_int_equal(table(&w, text, DELIMITED_COLUMNS_MAX - 1, ',', true), 0);
	end(&w);
	assert_int_equal(table(&w, text, DELIMITED_COLUMNS_MAX, ',', true), 1);
	assert_non_null(strstr(w.b.p, "1,000 columns"));
	end(&w);
	free(text);
}

/* ---- ticks ---- */

static void
check_ticks(double min, double max, const char *wanted)
{
	struct chart_axis axis;
	struct buf b;

	chart_axis_fit(&axis, min, max, 5);
	buf_init(&b, 0);
	for (size_t i = 0; i < axis.n; i++) {
		buf_adds(&b, i != 0 ? " " : "");
		chart_axis_label(&axis, i, &b);
	}
	assert_string_equal(b.p, wanted);
	assert_true(axis.lo <= min || min == max);
	assert_true(axis.hi >= max || min == max);
	buf_release(&b);
}

static void
ticks_are_round(void **state)
{
	(void)state;
	check_ticks(0, 1, "0 0.2 0.4 0.6 0.8 1.0");
	check_ticks(0.13, 0.87, "0 0.2 0.4 0.6 0.8 1.0");
	check_ticks(-3, 2,
		    "\xE2\x88\x92"
		    "3 \xE2\x88\x92"
		    "2 \xE2\x88\x92"
		    "1 0 1 2");
	check_ticks(0, 50000, "0 10k 20k 30k 40k 50k");
	check_ticks(0, 5e6, "0 1M 2M 3M 4M 5M");
	check_ticks(0, 5e-7,
		    "0 1e\xE2\x88\x92"
		    "7 2e\xE2\x88\x92"
		    "7 3e\xE2\x88\x92"
		    "7 4e\xE2\x88\x92"
		    "7 5e\xE2\x88\x92"
		    "7");
	check_ticks(0, 0, "0 0.2 0.4 0.6 0.8 1.0");
}

static void
ticks_are_few_whatever_the_values(void **state)
{
	static const double ends[][2] = {
	    {-1.7e308, 1.7e308}, {5e-324, 5e-324}, {1e16, 1e16 + 2},
	    {-1e-310, 1e-310},	 {1, 1},	   {-7, -7},
	    {0.1, 0.1 + 1e-16},	 {1e300, 1.7e308}};

	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		struct chart_axis a;

		chart_axis_fit(&a, ends[i][0], ends[i][1], 6);
		assert_in_range(a.n, 2, 16);
		assert_true(isfinite(a.lo) && isfinite(a.hi) && a.lo < a.hi);
	}
}

/* ---- texts ---- */

static void
texts_are_never_markup(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	svg_text(&b, "<a b=\"c\" d='e'>&\x1b\xE2\x80\xAE\xFF\xC3\xA9");
	assert_string_equal(b.p, "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;"
				 "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xC3\xA9");
	buf_clear(&b);
	svg_text_cut(&b, "abcde", 5);
	svg_text_cut(&b, "abcdef", 5);
	svg_text_cut(&b,
		     "\xC3\xA9"
		     "bcdefgh",
		     4);
	svg_text_cut(&b, "abc", 1);
	assert_string_equal(b.p, "abcdeab\xE2\x80\xA6"
				 "ef\xC3\xA9"
				 "b\xE2\x80\xA6"
				 "h\xE2\x80\xA6");
	buf_release(&b);
}

static void
bytes_become_base64(void **state)
{
	static const char *const cases[][2] = {
	    {"", ""},	     {"f", "Zg=="},	   {"fo", "Zm8="},
	    {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xFF\xFE", "//4="}};
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_clear(&b);
		svg_base64(&b, cases[i][0], strlen(cases[i][0]));
		assert_string_equal(b.p, cases[i][1]);
	}
	buf_release(&b);
}

/* ---- charts ---- */

static void
a_gap_begins_a_new_line(void **state)
{
	static const struct chart_point v[] = {{0, 0}, {1, 1}, {2, NAN}, {3, 1}};
	const struct chart_series s = {.name = "", .v = v, .n = 4};
	const struct chart c = {
	    .title = "t", .x_label = "x", .y_label = "y", .series = &s, .nseries = 1};
	const char *d;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	chart_lines(&c, false, &b);
	d = strstr(b.p, "class=\"s\"");
	assert_non_null(d);
	d = strstr(d, "d=\"M") + 4;
	assert_non_null(strchr(d, 'M'));
	assert_true(strchr(d, 'M') < strchr(d, '"'));
	assert_null(strstr(b.p, "nan"));
	buf_release(&b);
}

static void
empty_charts_are_drawn(void **state)
{
	const struct chart_series s = {.name = "", .n = 0};
	const struct chart c = {
	    .title = "t", .x_label = "x", .y_label = "y", .series = &s, .nseries = 1};
	const struct chart_matrix m = {.title = "t", .x_label = "x", .y_label = "y"};
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	chart_lines(&c, false, &b);
	chart_lines(&c, true, &b);
	chart_bars(&c, &b);
	chart_matrix(&m, &b);
	assert_false(buf_failed(&b));
	assert_null(strstr(b.p, "nan"));
	assert_null(strstr(b.p, "inf"));
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tables_are_read),
	    cmocka_unit_test(bad_tables_are_refused),
	    cmocka_unit_test(columns_have_a_limit),
	    cmocka_unit_test(ticks_are_round),
	    cmocka_unit_test(ticks_are_few_whatever_the_values),
	    cmocka_unit_test(texts_are_never_markup),
	    cmocka_unit_test(bytes_become_base64),
	    cmocka_unit_test(a_gap_begins_a_new_line),
	    cmocka_unit_test(empty_charts_are_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
