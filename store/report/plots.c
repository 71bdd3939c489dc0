/* The plots of several revisions, each with the files that it is made of. */
#include "store/report/plots.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/meter.h"
#include "store/pipeline/params_file.h"
#include "store/pipeline/value.h"
#include "store/report/delimited.h"
#include "store/report/plots_internal.h"
#include "store/report/snapshot.h"

/* What one revision says of one plot. */
struct part {
	struct snapshot *s;
	const char *inner;
	const struct yaml_node *props;
};

struct group {
	struct plot *plot;
	VEC(struct part) parts;
};

struct reading {
	const struct plots_options *o;
	struct plots *p;
	struct plot_defs defs;
	VEC(struct group *) groups;
	VEC(struct plot_file *) files; /* of all revisions */
	struct map known;	       /* "REV\nHEADER\nPATH" of them */
};

int
plots_problem(struct plots *p, struct plot *plot, const char *rev, const char *source,
	      enum err_code code, const char *why, struct err *err)
{
	struct plot_problem one = {
	    .rev = rev, .source = source, .code = code, .why = why};

	(void)p;
	return vec_push(&plot->problems, one) == 0 ? 0 : err_nomem(err);
}

/* ---- files ---- */

static bool
has_ending(const char *path, const char *ending)
{
	size_t n = strlen(path), m = strlen(ending);

	return n > m && strcmp(path + n - m, ending) == 0;
}

/* Return as params_parse does. */
static int
parse_file(struct snapshot *s, struct plot_file *f, const char *text, size_t n,
	   bool header)
{
	const char *name = s->commit[0] == '\0'
			       ? f->path
			       : arena_printf(s->arena, "%.7s:%s", s->commit, f->path);
	struct diag *d = s->source->diag;
	struct yaml_node *top = NULL;
	bool tabs = has_ending(f->path, ".tsv");
	int rc;

	if (name == NULL)
		return -1;
	if (tabs || has_ending(f->path, ".csv"))
		rc = delimited_parse(s->arena, d, name, text, n, tabs ? '\t' : ',',
				     header, &top);
	else
		rc = params_parse_dates(s->arena, d, name, text, n, &top);
	f->data = rc == 0 ? top : NULL;
	return rc;
}

static bool
is_known_format(const char *path)
{
	static const char *const ends[] = {".csv",  ".tsv", ".json",
					   ".yaml", ".yml", ".toml"};

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (has_ending(path, ends[i]))
			return true;
	return plots_is_image(path);
}

/* What has been read becomes data, or bytes of an image.  Return 0 or -1. */
static int
take_bytes(struct reading *r, struct snapshot *s, struct plot_file *f,
	   const struct buf *b, bool header, struct err *err)
{
	const char *text = arena_strndup(s->arena, b->p, b->n);
	int rc = 0;

	if (text == NULL)
		return err_nomem(err);
	if (plots_is_image(f->path)) {
		if (b->n > PLOT_IMAGES_MAX - r->p->bytes)
			return err_set(err, ERR_LIMIT,
				       "the images have more than %zu MiB together: name "
				       "the plots that are meant",
				       PLOT_IMAGES_MAX >> 20);
		r->p->bytes += b->n;
		f->bytes = text;
		f->n = b->n;
		return 0;
	}
	rc = parse_file(s, f, text, b->n, header);
	if (rc > 0) {
		f->code = ERR_INVALID;
		f->why = "it has mistakes";
		rc = 0;
	}
	if (rc == 0)
		rc = plots_file_points(r->p->arena, f);
	return rc == 0 ? 0 : err_nomem(err);
}

static int
read_file(struct reading *r, struct snapshot *s, struct plot_file *f, bool header,
	  struct err *err)
{
	struct err why = {0};
	struct buf b;
	int rc;

	if (!is_known_format(f->path)) {
		f->code = ERR_INVALID;
		f->why = "nothing can be drawn of it: that takes .csv, .tsv, .json, "
			 ".yaml, .toml, or a picture";
		return 0;
	}
	meter_add(r->o->meter, 1, 0);
	buf_init(&b, PLOT_FILE_MAX);
	rc = snapshot_read(s, f->path, PLOT_FILE_MAX, &b, &why);
	if (rc == 0) {
		rc = take_bytes(r, s, f, &b, header, err);
	} else if (why.code == ERR_NOMEM || why.code == ERR_CANCELLED) {
		*err = why;
	} else {
		f->code = why.code;
		f->why = arena_strdup(r->p->arena, why.msg);
		rc = f->why != NULL ? 0 : err_nomem(err);
	}
	buf_release(&b);
	return rc;
}

static struct plot_file *
file_of(struct reading *r, struct snapshot *s, const char *path, bool header,
	struct err *err)
{
	const char *key = arena_printf(r->p->arena, "%s\n%d\n%s", s->name, header, path);
	struct plot_file *f = key != NULL ? map_get(&r->known, key) : NULL;

	if (f != NULL)
		return f;
	f = arena_zalloc(r->p->arena, sizeof *f);
	if (key == NULL || f == NULL || vec_push(&r->files, f) != 0 ||
	    map_put(&r->known, key, f) < 0) {
		(void)err_nomem(err);
		return NULL;
	}
	f->path = path;
	return read_file(r, s, f, header, err) == 0 ? f : NULL;
}

/* ---- one revision of a plot ---- */

static int
add_source(struct reading *r, struct part *part, const char *path, plot_file_list *to,
	   struct err *err)
{
	const struct yaml_node *h = yaml_get(part->props, "header");
	bool header = h == NULL || h->kind != YAML_BOOL || h->b;
	struct plot_file *f = file_of(r, part->s, path, header, err);

	if (f == NULL)
		return -1;
	vec_foreach (to, struct plot_file *const, it)
		if (*it == f)
			return 0;
	return vec_push(to, f) == 0 ? 0 : err_nomem(err);
}

static int
add_sources(struct reading *r, struct part *part, plot_file_list *to, struct err *err)
{
	const struct yaml_node *x = yaml_get(part->props, "x"),
			       *y = yaml_get(part->props, "y");
	int rc = 0;

	if (y == NULL || y->kind != YAML_MAP)
		rc = add_source(r, part, part->inner, to, err);
	for (size_t i = 0; y != NULL && y->kind == YAML_MAP && i < y->map.n && rc == 0;
	     i++)
		rc = add_source(r, part, y->map.v[i].key->str, to, err);
	for (size_t i = 0; x != NULL && x->kind == YAML_MAP && i < x->map.n && rc == 0;
	     i++)
		rc = add_source(r, part, x->map.v[i].key->str, to, err);
	return rc;
}

static int
add_image(struct plot *plot, const char *rev, const struct plot_file *f, struct err *err)
{
	struct plot_image image = {
	    .rev = rev, .path = f->path, .bytes = f->bytes, .n = f->n};

	plot->image = true;
	if (f->bytes == NULL)
		return 0;
	return vec_push(&plot->revs, rev) == 0 && vec_push(&plot->images, image) == 0
		   ? 0
		   : err_nomem(err);
}

static int
read_part(struct reading *r, struct plot *plot, struct part *part,
	  const struct yaml_node *props, struct err *err)
{
	const char *rev = part->s->name;
	plot_file_list files = {0};
	int rc = add_sources(r, part, &files, err);

	vec_foreach (&files, struct plot_file *const, it)
		if (rc == 0 && (*it)->why != NULL)
			rc = plots_problem(r->p, plot, rev, (*it)->path, (*it)->code,
					   (*it)->why, err);
	if (rc == 0 && plots_is_image(part->inner) && files.n == 1)
		rc = add_image(plot, rev, files.v[0], err);
	else if (rc == 0)
		rc = plots_points(r->p, plot, part->inner, props, rev, &files, err);
	vec_release(&files);
	if (rc == 0 && meter_cancelled(r->o->meter))
		rc = err_set(err, ERR_CANCELLED, "stopped");
	return rc;
}

/* What several revisions say of how it is drawn: the first one counts. */
static int
read_group(struct reading *r, struct group *g, struct err *err)
{
	struct yaml_node *props = value_map(r->p->arena, 0, NULL);
	int rc = 0;

	vec_foreach (&g->parts, const struct part, it)
		if (props != NULL)
			props = plots_merge(r->p->arena, props, it->props);
	if (props == NULL)
		return err_nomem(err);
	vec_foreach (&g->parts, struct part, it)
		if (rc == 0)
			rc = read_part(r, g->plot, it, props, err);
	return rc;
}

/* ---- all of them ---- */

static struct group *
group_of(struct reading *r, const char *id)
{
	struct group *g;

	vec_foreach (&r->groups, struct group *const, it)
		if (strcmp((*it)->plot->id, id) == 0)
			return *it;
	g = arena_zalloc(r->p->arena, sizeof *g);
	if (g == NULL)
		return NULL;
	g->plot = arena_zalloc(r->p->arena, sizeof *g->plot);
	if (g->plot == NULL || vec_push(&r->groups, g) != 0)
		return NULL;
	g->plot->id = id;
	return vec_push(&r->p->v, g->plot) == 0 ? g : NULL;
}

/* Those of one id in several dvc.yaml are told apart by their files. */
static int
group_defs(struct reading *r, struct snapshot *s, struct err *err)
{
	for (size_t i = 0; i < r->defs.v.n; i++) {
		const struct plot_def *def = &r->defs.v.v[i];
		struct part part = {.s = s, .inner = def->id, .props = def->props};
		const char *id = def->id;
		struct group *g;

		for (size_t k = 0; k < r->defs.v.n; k++)
			if (k != i && def->config[0] != '\0' &&
			    strcmp(r->defs.v.v[k].id, def->id) == 0) {
				id = arena_printf(r->p->arena, "%s::%s", def->config,
						  def->id);
				break;
			}
		g = id != NULL ? group_of(r, id) : NULL;
		if (g == NULL || vec_push(&g->parts, part) != 0)
			return err_nomem(err);
		if (r->groups.n > PLOTS_MAX)
			return err_set(err, ERR_LIMIT,
				       "there are more than %d plots: name those that "
				       "are meant",
				       PLOTS_MAX);
	}
	return 0;
}

static int
given_props(struct reading *r, struct err *err)
{
	const struct plots_options *o = r->o;
	const char *const pairs[][2] = {{"template", o->template},
					{"x", o->x},
					{"y", o->y},
					{"title", o->title},
					{"x_label", o->x_label},
					{"y_label", o->y_label}};
	struct arena *a = r->p->arena;
	struct yaml_node *map = value_map(a, 7, NULL), *no;
	size_t n = 0;

	if (map == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		if (pairs[i][1] == NULL)
			continue;
		map->map.v[n].key = value_str(a, pairs[i][0], strlen(pairs[i][0]), NULL);
		map->map.v[n].val = value_str(a, pairs[i][1], strlen(pairs[i][1]), NULL);
		if (map->map.v[n].key == NULL || map->map.v[n].val == NULL)
			return err_nomem(err);
		n++;
	}
	if (o->no_header) {
		no = map->map.v[n].val = value_str(a, "false", 5, NULL);
		map->map.v[n].key = value_str(a, "header", 6, NULL);
		if (no == NULL || map->map.v[n].key == NULL)
			return err_nomem(err);
		no->kind = YAML_BOOL;
		no->b = false;
		n++;
	}
	map->map.n = n;
	r->defs.given = map;
	return 0;
}

static int
read_all(struct reading *r, struct snapshot *const *snapshots, size_t n, struct err *err)
{
	const struct plots_options *o = r->o;
	int rc = given_props(r, err);

	r->defs.used = arena_array(r->p->arena, o->ntargets + 1, sizeof(bool));
	if (rc == 0 && r->defs.used == NULL)
		rc = err_nomem(err);
	for (size_t i = 0; i < n && rc == 0; i++) {
		r->defs.v.n = 0;
		rc = plots_define(snapshots[i], &r->defs, err);
		if (rc == 0)
			rc = group_defs(r, snapshots[i], err);
	}
	for (size_t i = 0; i < o->ntargets && rc == 0; i++)
		if (!r->defs.used[i])
			rc = err_set(err, ERR_NOTFOUND,
				     "there is no plot and no file '%s'", o->words[i]);
	vec_foreach (&r->groups, struct group *const, g)
		if (rc == 0)
			rc = read_group(r, *g, err);
	return rc;
}

int
plots_read(const struct plots_options *o, struct snapshot *const *snapshots, size_t n,
	   struct plots *out, struct err *err)
{
	struct reading r = {.o = o, .p = out};
	int rc;

	*out = (struct plots){.arena = arena_new(0)};
	if (out->arena == NULL)
		return err_nomem(err);
	r.defs.arena = out->arena;
	r.defs.o = o;
	rc = read_all(&r, snapshots, n, err);
	vec_foreach (&r.groups, struct group *const, g)
		vec_release(&(*g)->parts);
	vec_release(&r.groups);
	vec_foreach (&r.files, struct plot_file *const, f)
		vec_release(&(*f)->points);
	vec_release(&r.files);
	map_release(&r.known);
	vec_release(&r.defs.v);
	return rc;
}

void
plots_release(struct plots *p)
{
	vec_foreach (&p->v, struct plot *const, it) {
		struct plot *plot = *it;

		vec_release(&plot->revs);
		vec_release(&plot->groups);
		vec_release(&plot->points);
		vec_release(&plot->series);
		vec_release(&plot->images);
		vec_release(&plot->problems);
	}
	vec_release(&p->v);
	arena_free(p->arena);
	*p = (struct plots){0};
}
