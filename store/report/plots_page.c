#include "store/report/plots_page.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/num.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/pipeline/value_text.h"
#include "store/report/chart.h"
#include "store/report/plots.h"
#include "store/report/plots_style.h"
#include "store/report/svg.h"

/* ---- values ---- */

struct page {
	struct plots *p;
	struct buf *b;
	const struct plot *plot;
	struct chart c;
	struct chart_series *series;
	size_t dropped;	   /* points without a number */
	struct map names;  /* of x or y: their number + 1 */
	const char **list; /* the same in their order */
};

static bool
as_number(const struct yaml_node *v, double *out)
{
	if (v == NULL)
		return false;
	if (v->kind == YAML_STR)
		return num_float(v->str, out) == 0;
	return value_number(v, out);
}

static const char *
as_name(struct page *g, const struct yaml_node *v)
{
	const char *name;
	struct buf b;

	if (v == NULL)
		return "";
	if (v->kind == YAML_STR)
		return v->str;
	buf_init(&b, 0);
	value_put_plain(v, &b);
	name = buf_failed(&b) ? NULL : arena_strdup(g->p->arena, b.p);
	buf_release(&b);
	return name;
}

/* The number of the name, in the order in which they are met; -1 if memory runs out. */
static long
name_number(struct page *g, const struct yaml_node *v)
{
	const char *name = as_name(g, v);
	size_t at;

	if (name == NULL)
		return -1;
	at = (size_t)map_get(&g->names, name);
	if (at != 0)
		return (long)at - 1;
	at = g->names.n + 1;
	if (map_put(&g->names, name, (void *)at) < 0)
		return -1;
	return (long)at - 1;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
list_names(struct page *g)
{
	size_t n = 0;

	g->list = arena_array(g->p->arena, g->names.n + 1, sizeof(const char *));
	if (g->list == NULL)
		return -1;
	map_foreach (&g->names, e)
		g->list[n++] = e->key;
	g->c.names = g->list;
	g->c.nnames = n;
	return 0;
}

static const char *
series_name(struct page *g, const struct plot_series *s)
{
	bool revs = g->plot->revs.n > 1, labels = s->label[0] != '\0';

	if (revs && labels)
		return arena_printf(g->p->arena, "%s \xC2\xB7 %s", s->rev, s->label);
	return revs ? s->rev : labels ? s->label : "";
}

/* Revisions by colour and files by dashes; those of one revision by colour. */
static int
name_series(struct page *g)
{
	bool revs = g->plot->revs.n > 1;

	g->series = arena_array(g->p->arena, g->plot->series.n + 1, sizeof *g->series);
	if (g->series == NULL)
		return -1;
	for (size_t i = 0; i < g->plot->series.n; i++) {
		const struct plot_series *s = &g->plot->series.v[i];
		struct chart_series *to = &g->series[i];

		to->name = series_name(g, s);
		to->color = revs ? s->rev_at : s->group;
		to->dash = (revs ? s->group : 0) + to->color / CHART_COLORS;
		if (to->name == NULL)
			return -1;
	}
	g->c.series = g->series;
	g->c.nseries = g->plot->series.n;
	return 0;
}

static void
put_note(struct page *g, size_t n, const char *text)
{
	buf_addf(g->b, "<p class=\"note\">%zu %s</p>", n, text);
}

/* Those beyond the first ${drawn}. */
static void
put_more_names(struct page *g, size_t drawn)
{
	size_t more = g->c.nnames > drawn ? g->c.nnames - drawn : 0;

	if (more != 0)
		put_note(g, more,
			 more == 1 ? "more name is not drawn"
				   : "more names are not drawn");
}

/* ---- lines ---- */

static int
by_x(const void *a, const void *b)
{
	const struct chart_point *x = a, *y = b;

	return (x->x > y->x) - (x->x < y->x);
}

static bool
x_is_numeric(const struct plot *plot)
{
	double v;

	vec_foreach (&plot->points, struct yaml_node *const, it) {
		const struct yaml_node *x = yaml_get(*it, plot->x);

		if (x != NULL && x->kind != YAML_NULL && !as_number(x, &v) &&
		    !(x->kind == YAML_STR && x->len == 0))
			return false;
	}
	return true;
}

/* A merge sort keeps points of one x in their order, as a ROC curve needs it. */
static int
sort_points(struct page *g, struct chart_point *v, size_t n)
{
	struct chart_point *from = v, *to, *spare, *swap;

	for (size_t i = 1; i < n && by_x(&v[i - 1], &v[i]) <= 0; i++)
		if (i + 1 == n)
			return 0;
	spare = to = arena_array(g->p->arena, n + 1, sizeof *v);
	if (to == NULL)
		return -1;
	for (size_t width = 1; width < n; width *= 2) {
		for (size_t i = 0; i < n; i += 2 * width) {
			size_t a = i, middle = i + width < n ? i + width : n,
			       end = i + 2 * width < n ? i + 2 * width : n, b = middle;

			for (size_t k = i; k < end; k++)
				to[k] = b == end || (a < middle &&
						     by_x(&from[a], &from[b]) <= 0)
					    ? from[a++]
					    : from[b++];
		}
		swap = from;
		from = to;
		to = swap;
	}
	if (from == spare)
		memcpy(v, spare, n * sizeof *v);
	return 0;
}

static int
plane_points(struct page *g, bool numeric, const struct plot_series *s,
	     struct chart_series *to)
{
	struct chart_point *v = arena_array(g->p->arena, s->n + 1, sizeof *v);
	size_t n = 0;

	if (v == NULL)
		return -1;
	for (size_t i = s->from; i < s->from + s->n; i++) {
		const struct yaml_node *point = g->plot->points.v[i];
		const struct yaml_node *x = yaml_get(point, g->plot->x);
		long at = 0;

		if (!numeric && (at = name_number(g, x)) < 0)
			return -1;
		v[n].x = (double)at;
		v[n].y = NAN;
		if ((numeric && !as_number(x, &v[n].x)) || !isfinite(v[n].x)) {
			g->dropped++;
			continue;
		}
		if (!as_number(yaml_get(point, g->plot->y), &v[n].y) ||
		    !isfinite(v[n].y)) {
			v[n].y = NAN;
			g->dropped++;
		}
		n++;
	}
	to->v = v;
	to->n = n;
	return numeric ? sort_points(g, v, n) : 0;
}

static int
put_plane(struct page *g, bool scatter)
{
	bool numeric = x_is_numeric(g->plot);
	size_t covered;

	for (size_t i = 0; i < g->plot->series.n; i++)
		if (plane_points(g, numeric, &g->plot->series.v[i], &g->series[i]) != 0)
			return -1;
	if (!numeric && list_names(g) != 0)
		return -1;
	covered = chart_lines(&g->c, scatter, g->b);
	if (covered != 0)
		put_note(g, covered,
			 covered == 1 ? "point that others cover is not drawn"
				      : "points that others cover are not drawn");
	return 0;
}

/* ---- bars ---- */

struct bar {
	double most;
	size_t at;
};

static int
by_most(const void *a, const void *b)
{
	const struct bar *x = a, *y = b;

	if (x->most != y->most)
		return x->most < y->most ? 1 : -1;
	return (x->at > y->at) - (x->at < y->at);
}

/* Points of one name are put together, as bars that stand behind one another. */
static int
bar_points(struct page *g, const struct plot_series *s, struct chart_series *to)
{
	struct chart_point *v = arena_array(g->p->arena, s->n + 1, sizeof *v);
	struct map places = {0};
	int rc = v != NULL ? 0 : -1;

	for (size_t i = s->from; rc == 0 && i < s->from + s->n; i++) {
		const struct yaml_node *point = g->plot->points.v[i];
		const char *name = as_name(g, yaml_get(point, g->plot->y));
		long at = name_number(g, yaml_get(point, g->plot->y));
		size_t place;
		double x;

		if (name == NULL || at < 0) {
			rc = -1;
		} else if (!as_number(yaml_get(point, g->plot->x), &x) || !isfinite(x)) {
			g->dropped++;
		} else if ((place = (size_t)map_get(&places, name)) != 0) {
			v[place - 1].x += x;
		} else {
			v[to->n++] = (struct chart_point){.x = x, .y = (double)at};
			rc = map_put(&places, name, (void *)to->n) < 0 ? -1 : 0;
		}
	}
	to->v = v;
	map_release(&places);
	return rc;
}

static int
sort_bars(struct page *g)
{
	struct bar *bars = arena_array(g->p->arena, g->c.nnames + 1, sizeof *bars);
	size_t *place = arena_array(g->p->arena, g->c.nnames + 1, sizeof *place);
	const char **names =
	    arena_array(g->p->arena, g->c.nnames + 1, sizeof(const char *));

	if (bars == NULL || place == NULL || names == NULL)
		return -1;
	for (size_t i = 0; i < g->c.nnames; i++)
		bars[i] = (struct bar){.most = -INFINITY, .at = i};
	for (size_t s = 0; s < g->c.nseries; s++)
		for (size_t i = 0; i < g->series[s].n; i++) {
			const struct chart_point *it = &g->series[s].v[i];

			bars[(size_t)it->y].most = fmax(bars[(size_t)it->y].most, it->x);
		}
	qsort(bars, g->c.nnames, sizeof *bars, by_most);
	for (size_t i = 0; i < g->c.nnames; i++) {
		place[bars[i].at] = i;
		names[i] = g->list[bars[i].at];
	}
	for (size_t s = 0; s < g->c.nseries; s++)
		for (size_t i = 0; i < g->series[s].n; i++) {
			struct chart_point *it =
			    (struct chart_point *)(uintptr_t)&g->series[s].v[i];

			it->y = (double)place[(size_t)it->y];
		}
	g->c.names = names;
	return 0;
}

static int
put_bars(struct page *g, bool sorted)
{
	for (size_t i = 0; i < g->plot->series.n; i++)
		if (bar_points(g, &g->plot->series.v[i], &g->series[i]) != 0)
			return -1;
	if (list_names(g) != 0 || (sorted && sort_bars(g) != 0))
		return -1;
	chart_bars(&g->c, g->b);
	put_more_names(g, CHART_BARS_MAX);
	return 0;
}

/* ---- matrices ---- */

static int
count_pairs(struct page *g, const struct plot_series *s, double *v, size_t n, bool share)
{
	for (size_t i = s->from; i < s->from + s->n; i++) {
		const struct yaml_node *point = g->plot->points.v[i];
		long x = name_number(g, yaml_get(point, g->plot->x)),
		     y = name_number(g, yaml_get(point, g->plot->y));

		if (x < 0 || y < 0)
			return -1;
		if ((size_t)x < n && (size_t)y < n)
			v[(size_t)y * n + (size_t)x]++;
	}
	for (size_t y = 0; share && y < n; y++) {
		double sum = 0;

		for (size_t x = 0; x < n; x++)
			sum += v[y * n + x];
		for (size_t x = 0; x < n && sum > 0; x++)
			v[y * n + x] /= sum;
	}
	return 0;
}

/* All names of both sides, sorted. */
static int
matrix_names(struct page *g)
{
	vec_foreach (&g->plot->points, struct yaml_node *const, it)
		if (name_number(g, yaml_get(*it, g->plot->x)) < 0 ||
		    name_number(g, yaml_get(*it, g->plot->y)) < 0)
			return -1;
	if (list_names(g) != 0)
		return -1;
	qsort(g->list, g->c.nnames, sizeof *g->list, by_name);
	map_release(&g->names);
	for (size_t i = 0; i < g->c.nnames; i++)
		if (map_put(&g->names, g->list[i], (void *)(i + 1)) < 0)
			return -1;
	return 0;
}

static int
put_matrices(struct page *g, bool share)
{
	struct chart_matrix m = {.title = g->c.title,
				 .x_label = g->c.x_label,
				 .y_label = g->c.y_label,
				 .share = share};

	if (matrix_names(g) != 0)
		return -1;
	m.names = g->list;
	m.n = g->c.nnames > CHART_MATRIX_MAX ? CHART_MATRIX_MAX : g->c.nnames;
	buf_adds(g->b, "<div class=\"many\">");
	for (size_t i = 0; i < g->plot->series.n; i++) {
		double *v = arena_array(g->p->arena, m.n * m.n + 1, sizeof *v);

		if (v == NULL ||
		    count_pairs(g, &g->plot->series.v[i], v, m.n, share) != 0)
			return -1;
		m.v = v;
		m.color = g->series[i].color;
		buf_adds(g->b, "<div>");
		if (g->series[i].name[0] != '\0') {
			buf_adds(g->b, "<h2>");
			svg_text(g->b, g->series[i].name);
			buf_adds(g->b, "</h2>");
		}
		chart_matrix(&m, g->b);
		buf_adds(g->b, "</div>");
	}
	buf_adds(g->b, "</div>");
	put_more_names(g, m.n);
	return 0;
}

/* ---- figures ---- */

static void
put_legend(struct page *g, enum plots_look look)
{
	if (g->c.nseries < 2 || look == LOOK_MATRIX || look == LOOK_SHARES)
		return;
	buf_adds(g->b, "<ul>");
	for (size_t i = 0; i < g->c.nseries; i++) {
		const struct chart_series *s = &g->series[i];

		buf_addf(g->b,
			 "<li><svg class=\"c%zu\" viewBox=\"0 0 26 10\" "
			 "aria-hidden=\"true\">",
			 s->color % CHART_COLORS);
		if (look == LOOK_LINES)
			buf_addf(g->b,
				 "<path class=\"s\" d=\"M0 5H26\" "
				 "stroke-dasharray=\"%s\"/>",
				 s->dash % CHART_DASHES != 0 ? chart_dash(s->dash)
							     : "none");
		else
			buf_adds(g->b, "<circle cx=\"13\" cy=\"5\" r=\"4.5\"/>");
		buf_adds(g->b, "</svg>");
		svg_text(g->b, s->name);
		buf_adds(g->b, "</li>");
	}
	buf_adds(g->b, "</ul>");
}

static int
put_chart(struct page *g)
{
	enum plots_look look = plots_look(g->plot->template);
	int rc;

	if (name_series(g) != 0)
		return -1;
	put_legend(g, look);
	if (look == LOOK_LINES || look == LOOK_SCATTER)
		rc = put_plane(g, look == LOOK_SCATTER);
	else if (look == LOOK_BARS || look == LOOK_BARS_SORTED)
		rc = put_bars(g, look == LOOK_BARS_SORTED);
	else
		rc = put_matrices(g, look == LOOK_SHARES);
	if (rc == 0 && g->dropped != 0)
		put_note(g, g->dropped,
			 g->dropped == 1 ? "point without a number is not drawn"
					 : "points without a number are not drawn");
	if (g->plot->template != NULL && !plots_template_known(g->plot->template)) {
		buf_adds(g->b, "<p class=\"note\">The template \xE2\x80\x98");
		svg_text(g->b, g->plot->template);
		buf_adds(g->b, "\xE2\x80\x99 is not known here: drawn as lines.</p>");
	}
	return rc;
}

static const char *
media_type(const char *path)
{
	const char *end = strrchr(path_basename(path), '.');

	if (end != NULL && strcasecmp(end, ".svg") == 0)
		return "svg+xml";
	if (end != NULL && strcasecmp(end, ".gif") == 0)
		return "gif";
	return end != NULL && strcasecmp(end, ".png") == 0 ? "png" : "jpeg";
}

static void
put_images(struct page *g)
{
	buf_adds(g->b, "<div class=\"many\">");
	vec_foreach (&g->plot->images, const struct plot_image, it) {
		buf_adds(g->b, "<div>");
		if (g->plot->revs.n > 1) {
			buf_adds(g->b, "<h2>");
			svg_text(g->b, it->rev);
			buf_adds(g->b, "</h2>");
		}
		buf_adds(g->b, "<img alt=\"");
		svg_text(g->b, it->path);
		buf_addf(g->b, "\" src=\"data:image/%s;base64,", media_type(it->path));
		svg_base64(g->b, it->bytes, it->n);
		buf_adds(g->b, "\"></div>");
	}
	buf_adds(g->b, "</div>");
}

static int
put_figure(struct page *g)
{
	const struct plot *plot = g->plot;
	const char *title = plot->title != NULL ? plot->title : plot->id;
	int rc = 0;

	g->c = (struct chart){
	    .title = title, .x_label = plot->x_label, .y_label = plot->y_label};
	buf_adds(g->b, "<figure><figcaption>");
	svg_text(g->b, title);
	buf_adds(g->b, "</figcaption>");
	if (plot->image)
		put_images(g);
	else if (plot->series.n != 0)
		rc = put_chart(g);
	vec_foreach (&plot->problems, const struct plot_problem, it) {
		buf_adds(g->b, "<p class=\"note\">Left out of ");
		svg_text(g->b, it->rev);
		buf_adds(g->b, ": ");
		if (it->source != NULL) {
			svg_text(g->b, it->source);
			buf_adds(g->b, ": ");
		}
		svg_text(g->b, it->why);
		buf_adds(g->b, "</p>");
	}
	buf_adds(g->b, "</figure>\n");
	map_release(&g->names);
	return rc;
}

int
plots_page(struct plots *p, struct buf *b, struct err *err)
{
	int rc = 0;

	plots_style(b);
	buf_addf(b, "<header><h1>Plots</h1><p>%zu of them</p></header>\n<main>\n",
		 p->v.n);
	vec_foreach (&p->v, struct plot *const, it) {
		struct page g = {.p = p, .b = b, .plot = *it};

		if (rc == 0)
			rc = put_figure(&g);
	}
	buf_adds(b, "</main>\n</body>\n</html>\n");
	if (b->state == BUF_TOOBIG)
		return err_set(err, ERR_LIMIT,
			       "the page would have more than %zu MiB: name the plots "
			       "that are meant",
			       b->max >> 20);
	return rc == 0 && !buf_failed(b) ? 0 : err_nomem(err);
}
