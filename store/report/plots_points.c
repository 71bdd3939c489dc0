/* Points: from what a file holds to what x, y and the series are. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/yaml.h"
#include "store/pipeline/value.h"
#include "store/report/plots_internal.h"

#define X_OF_MANY "dvc_inferred_x_value" /* where the files' fields have several names */
#define Y_OF_MANY "dvc_inferred_y_value"
#define INDEX	  "step"

/* ---- the points of a file ---- */

static bool
are_points(const struct yaml_node *list)
{
	const struct yaml_node *first = list->seq.n != 0 ? list->seq.v[0] : NULL;

	if (first == NULL)
		return false;
	for (size_t i = 0; i < list->seq.n; i++) {
		const struct yaml_node *e = list->seq.v[i];

		if (e->kind != YAML_MAP)
			return false;
		for (size_t k = 0; i != 0 && k < e->map.n; k++) {
			const char *key = e->map.v[k].key->str;
			bool same = k < first->map.n &&
				    strcmp(first->map.v[k].key->str, key) == 0;

			if (!same && yaml_get(first, key) == NULL)
				return false;
		}
	}
	return true;
}

/* As Python's dict.update: what is there keeps its place. */
static struct yaml_node *
update(struct arena *a, const struct yaml_node *old, const struct yaml_node *by)
{
	struct yaml_node *both = plots_merge(a, old, by);

	for (size_t i = 0; both != NULL && i < old->map.n; i++) {
		struct yaml_node *v = yaml_get(by, both->map.v[i].key->str);

		if (v != NULL)
			both->map.v[i].val = v;
	}
	return both;
}

static int
join_lists(struct arena *a, const struct yaml_node *v, struct plot_file *f)
{
	if (v->kind == YAML_MAP) {
		for (size_t i = 0; i < v->map.n; i++)
			if (join_lists(a, v->map.v[i].val, f) != 0)
				return -1;
		return 0;
	}
	if (v->kind != YAML_SEQ || !are_points(v))
		return 0;
	for (size_t i = 0; i < v->seq.n; i++) {
		if (i >= f->points.n) {
			if (vec_push(&f->points, v->seq.v[i]) != 0)
				return -1;
			continue;
		}
		f->points.v[i] = update(a, f->points.v[i], v->seq.v[i]);
		if (f->points.v[i] == NULL)
			return -1;
	}
	return 0;
}

int
plots_file_points(struct arena *a, struct plot_file *f)
{
	return f->data != NULL ? join_lists(a, f->data, f) : 0;
}

/* ---- which files and fields ---- */

struct ref {
	const char *file, *field;
};

typedef VEC(struct ref) ref_list;

struct work {
	struct plots *p;
	struct plot *plot;
	const char *inner, *rev;
	const struct yaml_node *props;
	const plot_file_list *files;
	ref_list x, y;
	bool many_x, many_y;
	size_t common; /* bytes that all files of y begin with */
};

static const struct plot_file *
file_of(const struct work *w, const char *path)
{
	vec_foreach (w->files, struct plot_file *const, f)
		if (strcmp((*f)->path, path) == 0 && (*f)->data != NULL)
			return *f;
	return NULL;
}

static int
add_fields(ref_list *to, const char *file, const struct yaml_node *v)
{
	struct ref r = {.file = file, .field = v->str};

	if (v->kind == YAML_STR)
		return vec_push(to, r);
	for (size_t i = 0; v->kind == YAML_SEQ && i < v->seq.n; i++) {
		r.field = v->seq.v[i]->str;
		if (v->seq.v[i]->kind == YAML_STR && vec_push(to, r) != 0)
			return -1;
	}
	return 0;
}

static int
add_axis(ref_list *to, const struct yaml_node *v)
{
	for (size_t i = 0; i < v->map.n; i++)
		if (add_fields(to, v->map.v[i].key->str, v->map.v[i].val) != 0)
			return -1;
	return 0;
}

/* The last field of the first list of mappings. */
static const char *
guess_y(const struct yaml_node *v)
{
	const char *found = NULL;

	if (v->kind == YAML_MAP) {
		for (size_t i = 0; i < v->map.n && found == NULL; i++)
			found = guess_y(v->map.v[i].val);
		return found;
	}
	if (v->kind != YAML_SEQ || v->seq.n == 0)
		return NULL;
	for (size_t i = 0; i < v->seq.n; i++)
		if (v->seq.v[i]->kind != YAML_MAP)
			return NULL;
	v = v->seq.v[0];
	return v->map.n != 0 ? v->map.v[v->map.n - 1].key->str : NULL;
}

static int
find_axes(struct work *w)
{
	const struct yaml_node *x = yaml_get(w->props, "x"), *y = yaml_get(w->props, "y");
	const struct plot_file *own = file_of(w, w->inner);
	struct ref r = {.file = w->inner};

	if (y != NULL && y->kind == YAML_MAP) {
		if (add_axis(&w->y, y) != 0)
			return -1;
	} else if (y != NULL && y->kind != YAML_NULL) {
		if (add_fields(&w->y, w->inner, y) != 0)
			return -1;
	} else if (own != NULL && (r.field = guess_y(own->data)) != NULL) {
		if (vec_push(&w->y, r) != 0)
			return -1;
	}
	if (x == NULL || (x->kind != YAML_STR && x->kind != YAML_MAP))
		return 0;
	if (x->kind == YAML_MAP)
		return add_axis(&w->x, x);
	r.field = x->str;
	if (y == NULL || y->kind != YAML_MAP)
		return vec_push(&w->x, r);
	for (size_t i = 0; i < w->y.n; i++) {
		r.file = w->y.v[i].file;
		if (vec_push(&w->x, r) != 0)
			return -1;
	}
	return 0;
}

/* ---- what is wrong with them ---- */

static int
problem(struct work *w, const char *source, enum err_code code, const char *why,
	struct err *err)
{
	if (why == NULL)
		return err_nomem(err);
	return plots_problem(w->p, w->plot, w->rev, source, code, why, err) == 0 ? 1 : -1;
}

static int
no_field(struct work *w, const struct ref *r, const struct plot_file *f, struct err *err)
{
	struct buf b;
	int rc;

	buf_init(&b, 1000);
	buf_addf(&b, "there is no field '%.200s' in '%.300s'", r->field, r->file);
	for (size_t i = 0; f->points.n != 0 && i < f->points.v[0]->map.n && i < 8; i++)
		buf_addf(&b, "%s%.40s", i == 0 ? ": it has " : ", ",
			 f->points.v[0]->map.v[i].key->str);
	if (f->points.n == 0)
		buf_adds(&b, ": it has no list of mappings with the same keys");
	rc = problem(w, NULL, ERR_INVALID, arena_strdup(w->p->arena, b.p), err);
	buf_release(&b);
	return rc;
}

/* Return 0; 1 where it is noted that a field is not there; or -1. */
static int
check_fields(struct work *w, const ref_list *refs, struct err *err)
{
	vec_foreach (refs, const struct ref, r) {
		const struct plot_file *f = file_of(w, r->file);

		if (f != NULL &&
		    (f->points.n == 0 || yaml_get(f->points.v[0], r->field) == NULL))
			return no_field(w, r, f, err);
	}
	return 0;
}

/* ---- names ---- */

static bool
differ(const ref_list *refs, bool files)
{
	for (size_t i = 1; i < refs->n; i++)
		if (strcmp(files ? refs->v[i].file : refs->v[i].field,
			   files ? refs->v[0].file : refs->v[0].field) != 0)
			return true;
	return false;
}

/* Whole directories. */
static size_t
common_dir(const ref_list *refs)
{
	size_t n = strlen(refs->v[0].file);

	for (size_t i = 1; i < refs->n; i++) {
		size_t k = 0;

		while (k < n && refs->v[i].file[k] == refs->v[0].file[k])
			k++;
		if (k < n || (refs->v[i].file[k] != '\0' && refs->v[i].file[k] != '/'))
			while (k > 0 && refs->v[0].file[k - 1] != '/')
				k--;
		n = k;
	}
	return n;
}

static const char *
short_file(const struct work *w, const char *file)
{
	file += w->common;
	return file + strspn(file, "/");
}

static const char *
prop_text(const struct yaml_node *props, const char *key)
{
	const struct yaml_node *v = yaml_get(props, key);

	return v != NULL && v->str != NULL && v->kind != YAML_NULL ? v->str : NULL;
}

/* What the first revision with points says is so for all. */
static void
name_axes(struct work *w)
{
	struct plot *plot = w->plot;
	bool by_name = w->x.n != 0 && yaml_get(w->props, "x") != NULL;

	if (plot->x != NULL)
		return;
	plot->x = w->many_x ? X_OF_MANY : w->x.n != 0 ? w->x.v[0].field : INDEX;
	plot->y = w->many_y ? Y_OF_MANY : w->y.v[0].field;
	plot->template = prop_text(w->props, "template");
	plot->title = prop_text(w->props, "title");
	plot->x_label = prop_text(w->props, "x_label");
	plot->y_label = prop_text(w->props, "y_label");
	if (plot->x_label == NULL)
		plot->x_label = !by_name	       ? INDEX
				: differ(&w->x, false) ? "x"
						       : w->x.v[0].field;
	if (plot->y_label == NULL)
		plot->y_label = w->many_y ? "y" : w->y.v[0].field;
	plot->by_file = w->y.n > 1 && differ(&w->y, true);
	plot->by_field = w->y.n > 1 && w->many_y;
}

/* ---- series ---- */

static int
put(struct arena *a, struct yaml_node *map, const char *key, struct yaml_node *val)
{
	size_t i = 0;

	if (val == NULL)
		return -1;
	while (i < map->map.n && strcmp(map->map.v[i].key->str, key) != 0)
		i++;
	if (i == map->map.n) {
		map->map.v[i].key = value_str(a, key, strlen(key), NULL);
		if (map->map.v[i].key == NULL)
			return -1;
		map->map.n++;
	}
	map->map.v[i].val = val;
	return 0;
}

static struct yaml_node *
number(struct arena *a, size_t i)
{
	char text[24];
	struct yaml_node *v;

	v = value_str(a, text, (size_t)snprintf(text, sizeof text, "%zu", i), NULL);
	if (v != NULL) {
		v->kind = YAML_INT;
		v->i = (int64_t)i;
	}
	return v;
}

struct join {
	const struct ref *y, *x; /* x: NULL is the point's number */
	const struct plot_file *of_y, *of_x;
	struct yaml_node *rev, *label;
	const char *label_key; /* NULL: none */
};

static int
add_point(struct work *w, const struct join *j, size_t i)
{
	struct arena *a = w->p->arena;
	const struct yaml_node *from = j->of_y->points.v[i];
	struct yaml_node *point = value_map(a, from->map.n + 5, NULL), *v;
	int rc = point != NULL ? 0 : -1;

	if (rc != 0)
		return rc;
	memcpy(point->map.v, from->map.v, from->map.n * sizeof *from->map.v);
	point->map.n = from->map.n;
	if (w->many_y && (v = yaml_get(from, j->y->field)) != NULL)
		rc = put(a, point, Y_OF_MANY, v);
	if (rc == 0 && j->x == NULL)
		rc = put(a, point, INDEX, number(a, i));
	else if (rc == 0 && (v = yaml_get(j->of_x->points.v[i], j->x->field)) != NULL)
		rc = put(a, point, w->many_x ? X_OF_MANY : j->x->field, v);
	if (rc == 0)
		rc = put(a, point, "rev", j->rev);
	if (rc == 0 && j->label_key != NULL)
		rc = put(a, point, j->label_key, j->label);
	return rc == 0 ? vec_push(&w->plot->points, point) : -1;
}

static int
find_group(struct plot *plot, const char *label, size_t *out)
{
	for (*out = 0; *out < plot->groups.n; (*out)++)
		if (strcmp(plot->groups.v[*out], label) == 0)
			return 0;
	return vec_push(&plot->groups, label);
}

static const char *
label_of(const struct work *w, const struct ref *y)
{
	const char *file = short_file(w, y->file);

	if (w->plot->by_file && w->plot->by_field)
		return arena_printf(w->p->arena, "%s::%s", file, y->field);
	return w->plot->by_file ? file : w->plot->by_field ? y->field : "";
}

static int
add_series(struct work *w, struct join *j, struct err *err)
{
	struct plot *plot = w->plot;
	struct plot_series s = {.rev = w->rev, .from = plot->points.n};

	s.label = label_of(w, j->y);
	s.rev_at = plot->revs.n;
	s.n = j->of_y->points.n;
	if (s.label == NULL || find_group(plot, s.label, &s.group) != 0)
		return err_nomem(err);
	j->label = value_str(w->p->arena, s.label, strlen(s.label), NULL);
	j->rev = value_str(w->p->arena, w->rev, strlen(w->rev), NULL);
	j->label_key = plot->by_file && plot->by_field ? "filename::field"
		       : plot->by_file		       ? "filename"
		       : plot->by_field		       ? "field"
						       : NULL;
	if (plot->series.n == PLOT_SERIES_MAX)
		return err_set(err, ERR_LIMIT,
			       "there are more than %d series in the plot '%.300s'",
			       PLOT_SERIES_MAX, plot->id);
	if (s.n > PLOT_POINTS_MAX - w->p->points)
		return err_set(err, ERR_LIMIT,
			       "there are more than %d points to draw: name the plots "
			       "that are meant",
			       PLOT_POINTS_MAX);
	w->p->points += s.n;
	for (size_t i = 0; i < s.n; i++)
		w->p->fields += j->of_y->points.v[i]->map.n;
	if (w->p->fields > PLOT_FIELDS_MAX)
		return err_set(err, ERR_LIMIT,
			       "the points to draw have more than %d values: name the "
			       "plots that are meant",
			       PLOT_FIELDS_MAX);
	for (size_t i = 0; i < s.n; i++)
		if (add_point(w, j, i) != 0)
			return err_nomem(err);
	return vec_push(&plot->series, s) == 0 ? 0 : err_nomem(err);
}

/* Each y with its x; both must be of one length.  Return 0; 1 where that is noted; or -1. */
static int
join_axes(struct work *w, struct join **out, struct err *err)
{
	struct join *v = arena_array(w->p->arena, w->y.n + 1, sizeof *v);

	if (v == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < w->y.n; i++) {
		v[i].y = &w->y.v[i];
		v[i].of_y = file_of(w, v[i].y->file);
		if (w->x.n == 0)
			continue;
		v[i].x = &w->x.v[w->x.n > 1 ? i : 0];
		v[i].of_x = file_of(w, v[i].x->file);
		if (v[i].of_y == NULL ||
		    (v[i].of_x != NULL && v[i].of_x->points.n == v[i].of_y->points.n))
			continue;
		return problem(w, NULL, ERR_INVALID,
			       arena_printf(w->p->arena,
					    "'%.200s' of '%.300s' and '%.200s' of "
					    "'%.300s' are not of the same length",
					    v[i].x->field, v[i].x->file, v[i].y->field,
					    v[i].y->file),
			       err);
	}
	*out = v;
	return 0;
}

static int
add_all(struct work *w, struct err *err)
{
	size_t before = w->plot->points.n;
	struct join *joins = NULL;
	int rc;

	if (w->y.n == 0)
		return w->files->n != 0 && file_of(w, w->inner) != NULL
			   ? problem(w, w->inner, ERR_INVALID,
				     "it has no list of mappings to draw", err)
			   : 0;
	if ((rc = check_fields(w, &w->x, err)) != 0 ||
	    (rc = check_fields(w, &w->y, err)) != 0)
		return rc;
	if (w->x.n > 1 && w->x.n != w->y.n)
		return problem(w, NULL, ERR_INVALID,
			       arena_printf(w->p->arena,
					    "there are %zu fields for x and %zu for y: "
					    "it is one for all, or as many",
					    w->x.n, w->y.n),
			       err);
	w->many_x = w->x.n > 1 && differ(&w->x, false);
	w->many_y = differ(&w->y, false);
	w->common = differ(&w->y, true) ? common_dir(&w->y) : 0;
	if ((rc = join_axes(w, &joins, err)) != 0)
		return rc;
	name_axes(w);
	for (size_t i = 0; i < w->y.n && rc == 0; i++)
		if (joins[i].of_y != NULL)
			rc = add_series(w, &joins[i], err);
	if (rc == 0 && w->plot->points.n > before &&
	    vec_push(&w->plot->revs, w->rev) != 0)
		rc = err_nomem(err);
	return rc;
}

int
plots_points(struct plots *p, struct plot *plot, const char *inner,
	     const struct yaml_node *props, const char *rev, const plot_file_list *files,
	     struct err *err)
{
	struct work w = {.p = p,
			 .plot = plot,
			 .inner = inner,
			 .rev = rev,
			 .props = props,
			 .files = files};
	int rc = find_axes(&w) == 0 ? add_all(&w, err) : err_nomem(err);

	vec_release(&w.x);
	vec_release(&w.y);
	return rc < 0 ? -1 : 0;
}
