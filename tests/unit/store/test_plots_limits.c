/* How much a plot may have: each limit, and one past it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/yaml.h"
#include "store/pipeline/params_file.h"
#include "store/report/chart.h"
#include "store/report/delimited.h"
#include "store/report/plots_internal.h"
#include "store/report/plots_page.h"

/* ---- tables ---- */

/* A header of ${columns}, then ${rows} of as many fields and one of ${last}.  Return what the
 * reader returns, with its first mistake in ${why}. */
static int
table(size_t columns, size_t rows, size_t last, struct buf *why)
{
	struct arena *a = arena_new(0);
	struct diag *d = diag_new();
	struct yaml_node *v = NULL;
	struct buf text;
	int rc;

	assert_non_null(a);
	assert_non_null(d);
	buf_init(&text, 0);
	for (size_t i = 0; i < columns; i++)
		buf_addf(&text, "%sc%zu", i > 0 ? "," : "", i);
	buf_addc(&text, '\n');
	for (size_t row = 0; row < rows + (last > 0); row++) {
		for (size_t i = 0; i < (row < rows ? columns : last); i++)
			buf_adds(&text, i > 0 ? ",1" : "1");
		buf_addc(&text, '\n');
	}
	assert_false(buf_failed(&text));
	rc = delimited_parse(a, d, "t.csv", text.p, text.n, ',', true, &v);
	buf_clear(why);
	diag_print(d, why, false, 0);
	if (rc == 0)
		assert_int_equal(v->seq.n, rows + (last > 0));
	buf_release(&text);
	diag_free(d);
	arena_free(a);
	return rc;
}

static void
tables_have_limits(void **state)
{
	size_t rows =
	    DELIMITED_CELLS_MAX / DELIMITED_COLUMNS_MAX - 1; /* and the header */
	struct buf why;

	(void)state;
	buf_init(&why, 0);
	assert_int_equal(table(2, DELIMITED_ROWS_MAX, 0, &why), 0);
	assert_int_equal(table(2, DELIMITED_ROWS_MAX, 1, &why), 1);
	assert_non_null(strstr(why.p, "200,000 rows"));
	assert_int_equal(table(DELIMITED_COLUMNS_MAX, rows, 0, &why), 0);
	assert_int_equal(table(DELIMITED_COLUMNS_MAX, rows, 1, &why), 1);
	assert_non_null(strstr(why.p, "2,000,000 fields"));
	buf_release(&why);
}

static void
many_columns_of_one_name_are_one(void **state)
{
	static const char name[] = "t.csv";
	struct arena *a = arena_new(0);
	struct diag *d = diag_new();
	struct yaml_node *v = NULL;
	struct buf text;

	(void)state;
	buf_init(&text, 0);
	for (size_t i = 0; i < 100; i++)
		buf_addf(&text, "c%zu,", i);
	buf_adds(&text, "c7\n");
	for (size_t i = 0; i < 100; i++)
		buf_adds(&text, "1,");
	buf_adds(&text, "9\n");
	assert_int_equal(delimited_parse(a, d, name, text.p, text.n, ',', true, &v), 0);
	assert_int_equal(v->seq.v[0]->map.n, 100);
	assert_string_equal(yaml_get(v->seq.v[0], "c7")->str, "9");
	assert_string_equal(v->seq.v[0]->map.v[7].key->str, "c7");
	buf_release(&text);
	diag_free(d);
	arena_free(a);
}

/* ---- points ---- */

struct world {
	struct plots p;
	struct plot plot;
	struct plot_file file;
	plot_file_list files;
	struct buf text;
	struct err err;
	struct buf page;
};

static void
begin(struct world *w)
{
	*w = (struct world){.plot.id = "t.csv", .file.path = "t.csv"};
	w->p.arena = arena_new(0);
	assert_non_null(w->p.arena);
	assert_int_equal(vec_push(&w->p.v, &w->plot), 0);
	assert_int_equal(vec_push(&w->files, &w->file), 0);
	buf_init(&w->text, 0);
	buf_init(&w->page, PLOTS_PAGE_MAX);
}

static void
end(struct world *w)
{
	vec_release(&w->file.points);
	vec_release(&w->files);
	vec_release(&w->p.v);
	vec_release(&w->plot.revs);
	vec_release(&w->plot.groups);
	vec_release(&w->plot.points);
	vec_release(&w->plot.series);
	vec_release(&w->plot.problems);
	buf_release(&w->text);
	buf_release(&w->page);
	arena_free(w->p.arena);
}

/* What w->text has, as dvc.yaml says in ${props}, of revision ${rev}. */
static int
add(struct world *w, const char *props, const char *rev)
{
	struct diag *d = diag_new();
	struct yaml_node *top = NULL, *says = NULL;
	int rc;

	assert_non_null(d);
	assert_false(buf_failed(&w->text));
	if (w->file.data == NULL) {
		assert_int_equal(delimited_parse(w->p.arena, d, "t.csv", w->text.p,
						 w->text.n, ',', true, &top),
				 0);
		w->file.data = top;
		assert_int_equal(plots_file_points(w->p.arena, &w->file), 0);
	}
	assert_int_equal(
	    params_parse(w->p.arena, d, "dvc.yaml", props, strlen(props), &says), 0);
	rc = plots_points(&w->p, &w->plot, "t.csv", says, rev, &w->files, &w->err);
	diag_free(d);
	return rc;
}

static void
series_have_a_limit(void **state)
{
	struct buf props;
	struct world w;

	(void)state;
	begin(&w);
	buf_init(&props, 0);
	buf_adds(&props, "y: {t.csv: [");
	for (size_t i = 0; i < PLOT_SERIES_MAX; i++) {
		buf_addf(&w.text, "%sc%zu", i > 0 ? "," : "", i);
		buf_addf(&props, "%sc%zu", i > 0 ? ", " : "", i);
	}
	buf_addc(&w.text, '\n');
	for (size_t i = 0; i < PLOT_SERIES_MAX; i++)
		buf_adds(&w.text, i > 0 ? ",1" : "1");
	buf_adds(&props, "]}\n");
	assert_int_equal(add(&w, props.p, "one"), 0);
	assert_int_equal(w.plot.series.n, PLOT_SERIES_MAX);
	assert_int_equal(add(&w, "y: c0\n", "two"), -1);
	assert_int_equal(w.err.code, ERR_LIMIT);
	assert_non_null(strstr(w.err.msg, "more than 1000 series in the plot 't.csv'"));
	buf_release(&props);
	end(&w);
}

static void
points_have_a_limit(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	buf_adds(&w.text, "a,b\n1,2\n2,3\n");
	w.p.points = PLOT_POINTS_MAX - 2;
	assert_int_equal(add(&w, "y: b\n", "one"), 0);
	assert_int_equal(add(&w, "y: b\n", "two"), -1);
	assert_int_equal(w.err.code, ERR_LIMIT);
	assert_non_null(strstr(w.err.msg, "more than 500000 points"));
	end(&w);
}

static void
values_have_a_limit(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	buf_adds(&w.text, "a,b\n1,2\n2,3\n");
	w.p.fields = PLOT_FIELDS_MAX - 4;
	assert_int_equal(add(&w, "y: b\n", "one"), 0);
	assert_int_equal(add(&w, "y: b\n", "two"), -1);
	assert_int_equal(w.err.code, ERR_LIMIT);
	assert_non_null(strstr(w.err.msg, "more than 20000000 values"));
	end(&w);
}

/* ---- what is drawn ---- */

/* A plot of ${n} lines "NAME,1". */
static const char *
page_of_names(struct world *w, size_t n, const char *props)
{
	begin(w);
	buf_adds(&w->text, "name,n\n");
	for (size_t i = 0; i < n; i++)
		buf_addf(&w->text, "name-%03zu,1\n", i);
	assert_int_equal(add(w, props, "one"), 0);
	assert_int_equal(plots_page(&w->p, &w->page, &w->err), 0);
	return w->page.p;
}

static void
names_are_drawn_up_to_a_limit(void **state)
{
	static const char bars[] = "template: bar_horizontal\nx: n\ny: name\n";
	static const char matrix[] = "template: confusion\nx: name\ny: name\n";
	struct world w;
	const char *page;

	(void)state;
	page = page_of_names(&w, CHART_BARS_MAX, bars);
	assert_null(strstr(page, "class=\"note\""));
	assert_non_null(strstr(page, ">name-199<"));
	end(&w);
	page = page_of_names(&w, CHART_BARS_MAX + 1, bars);
	assert_non_null(strstr(page, "<p class=\"note\">1 more name is not drawn</p>"));
	assert_null(strstr(page, "name-200"));
	end(&w);
	page = page_of_names(&w, CHART_MATRIX_MAX, matrix);
	assert_null(strstr(page, "class=\"note\""));
	end(&w);
	page = page_of_names(&w, CHART_MATRIX_MAX + 2, matrix);
	assert_non_null(strstr(page, "<p class=\"note\">2 more names are not drawn</p>"));
	end(&w);
}

static size_t
count(const char *in, const char *what)
{
	size_t n = 0;

	while ((in = strstr(in, what)) != NULL) {
		n++;
		in++;
	}
	return n;
}

static void
dots_that_lie_on_others_are_told(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	buf_adds(&w.text, "x,y\n0,0\n1,1\n0.5,0.25\n1,1\n");
	assert_int_equal(add(&w, "template: scatter\nx: x\ny: y\n", "one"), 0);
	assert_int_equal(plots_page(&w.p, &w.page, &w.err), 0);
	assert_int_equal(count(w.page.p, "<circle class=\"d\""), 3);
	assert_non_null(strstr(w.page.p, ">1 point that others cover is not drawn<"));
	end(&w);
}

/* Many points in all corners: the dots are few enough, all corners have some, and with
 * those that the page tells of they are all. */
static void
very_many_dots_are_thinned(void **state)
{
	struct chart_point *v = calloc(200000, sizeof *v);
	const struct chart_series s = {.name = "", .v = v, .n = 200000};
	const struct chart c = {
	    .title = "t", .x_label = "x", .y_label = "y", .series = &s, .nseries = 1};
	size_t left_out, drawn, last = 0;
	struct buf b;

	(void)state;
	assert_non_null(v);
	for (size_t i = 0; i < s.n; i++)
		v[i] =
		    (struct chart_point){.x = (double)(i % 500), .y = (double)(i / 500)};
	buf_init(&b, 0);
	left_out = chart_lines(&c, true, &b);
	assert_false(buf_failed(&b));
	drawn = count(b.p, "<circle");
	assert_in_range(drawn, 5000, 20001);
	assert_int_equal(drawn + left_out, s.n);
	for (const char *p = b.p; (p = strstr(p, "cy=\"")) != NULL; p++)
		last = (size_t)strtod(p + 4, NULL);
	assert_in_range(last, 0, 80); /* those at the top come last */
	buf_release(&b);
	free(v);
}

static void
values_that_no_axis_reaches_stay_on_the_page(void **state)
{
	static const struct chart_point v[] = {{-1.7e308, 1.7e308}, {1.7e308, -1.7e308}};
	const char *const names[] = {"a", "b"};
	static const struct chart_point bar[] = {{1.7e308, 0}, {-1.7e308, 1}};
	struct chart_series s = {.name = "", .v = v, .n = 2};
	struct chart c = {
	    .title = "t", .x_label = "x", .y_label = "y", .series = &s, .nseries = 1};
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_int_equal(chart_lines(&c, true, &b), 0);
	(void)chart_lines(&c, false, &b);
	s.v = bar;
	c.names = names;
	c.nnames = 2;
	chart_bars(&c, &b);
	for (const char *p = b.p; (p = strchr(p, '=')) != NULL; p++)
		if (p[1] == '"' && (p[2] == '-' || (p[2] >= '0' && p[2] <= '9')))
			assert_true(strtod(p + 2, NULL) > -1e4 &&
				    strtod(p + 2, NULL) < 1e4);
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tables_have_limits),
	    cmocka_unit_test(many_columns_of_one_name_are_one),
	    cmocka_unit_test(series_have_a_limit),
	    cmocka_unit_test(points_have_a_limit),
	    cmocka_unit_test(values_have_a_limit),
	    cmocka_unit_test(names_are_drawn_up_to_a_limit),
	    cmocka_unit_test(dots_that_lie_on_others_are_told),
	    cmocka_unit_test(very_many_dots_are_thinned),
	    cmocka_unit_test(values_that_no_axis_reaches_stay_on_the_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
