/* What a revision says is to be drawn. */
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/dvc/dvc_yaml.h"
#include "store/pipeline/value.h"
#include "store/report/plots_internal.h"
#include "store/report/snapshot.h"

static const char *const PROPS[] = {"x",     "y",	 "x_label", "y_label",
				    "title", "template", "header"};

bool
plots_is_image(const char *path)
{
	static const char *const ends[] = {".jpg", ".jpeg", ".gif", ".png", ".svg"};
	const char *end = strrchr(path_basename(path), '.');

	for (size_t i = 0; end != NULL && i < sizeof ends / sizeof *ends; i++)
		if (strcasecmp(end, ends[i]) == 0)
			return true;
	return false;
}

struct yaml_node *
plots_merge(struct arena *a, const struct yaml_node *over, const struct yaml_node *under)
{
	size_t n = 0, most = 0;
	struct yaml_node *out;

	if (over != NULL && over->kind != YAML_MAP)
		over = NULL;
	if (under != NULL && under->kind != YAML_MAP)
		under = NULL;
	most = (over != NULL ? over->map.n : 0) + (under != NULL ? under->map.n : 0);
	out = value_map(a, most, NULL);
	if (out == NULL)
		return NULL;
	for (size_t i = 0; over != NULL && i < over->map.n; i++)
		out->map.v[n++] = over->map.v[i];
	for (size_t i = 0; under != NULL && i < under->map.n; i++)
		if (over == NULL || yaml_get(over, under->map.v[i].key->str) == NULL)
			out->map.v[n++] = under->map.v[i];
	out->map.n = n;
	return out;
}

/* ---- one definition ---- */

static bool
is_target(struct plot_defs *d, const char *config, const char *id)
{
	bool any = d->o->ntargets == 0;
	size_t n = strlen(config);

	for (size_t i = 0; i < d->o->ntargets; i++) {
		const char *word = d->o->words[i];
		bool full = n != 0 && strncmp(word, config, n) == 0 &&
			    strncmp(word + n, "::", 2) == 0 &&
			    strcmp(word + n + 2, id) == 0;

		if (full || strcmp(word, id) == 0 || path_is_below(id, d->o->paths[i]))
			any = d->used[i] = true;
	}
	return any;
}

static int
define(struct plot_defs *d, const char *config, const char *id,
       const struct yaml_node *props, struct err *err)
{
	struct plot_def def = {.config = config, .id = id};

	def.props = plots_merge(d->arena, d->given, props);
	if (def.props == NULL)
		return err_nomem(err);
	vec_foreach (&d->v, struct plot_def, it)
		if (strcmp(it->config, config) == 0 && strcmp(it->id, id) == 0) {
			it->props = def.props;
			return 0;
		}
	if (d->v.n == PLOTS_MAX)
		return err_set(err, ERR_LIMIT,
			       "there are more than %d plots: name those that are meant",
			       PLOTS_MAX);
	return vec_push(&d->v, def) == 0 ? 0 : err_nomem(err);
}

/* A path, which may be a directory. */
struct unpack {
	struct snapshot *s;
	struct plot_defs *d;
	const char *config, *path;
	const struct yaml_node *props;
	const char *const *others; /* of the same dvc.yaml: the closest one counts */
	size_t nothers;
	bool there; /* only what is there */
};

static int
define_file(void *arg, const char *file, struct err *err)
{
	struct unpack *u = arg;

	for (size_t i = 0; i < u->nothers; i++)
		if (strlen(u->others[i]) > strlen(u->path) &&
		    path_is_below(file, u->others[i]))
			return 0;
	if (u->there && !snapshot_has(u->s, file))
		return 0;
	if (!is_target(u->d, u->config, file))
		return 0;
	return define(u->d, u->config, file, u->props, err);
}

/* ---- of dvc.yaml itself ---- */

/* The mapping from files to fields, with the files seen from the root. */
static int
seen_from_root(struct snapshot *s, const char *dir, const struct yaml_node *axis,
	       struct arena *a, struct yaml_node **out, struct err *err)
{
	struct yaml_node *map = value_map(a, axis->map.n, NULL);

	if (map == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < axis->map.n; i++) {
		const char *path = snapshot_path(s, dir, axis->map.v[i].key->str, err);

		if (path == NULL)
			return -1;
		map->map.v[i].key = value_str(a, path, strlen(path), NULL);
		map->map.v[i].val = axis->map.v[i].val;
		if (map->map.v[i].key == NULL)
			return err_nomem(err);
	}
	*out = map;
	return 0;
}

static int
define_named(struct snapshot *s, struct plot_defs *d, const struct snapshot_pipeline *p,
	     const char *id, const struct yaml_node *props, struct err *err)
{
	struct yaml_node *mine = plots_merge(d->arena, props, NULL);

	if (!is_target(d, p->yaml->name, id))
		return 0;
	if (mine == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < mine->map.n; i++) {
		struct yaml_pair *m = &mine->map.v[i];
		bool axis =
		    strcmp(m->key->str, "x") == 0 || strcmp(m->key->str, "y") == 0;

		if (axis && m->val->kind == YAML_MAP &&
		    seen_from_root(s, p->dir, m->val, d->arena, &m->val, err) != 0)
			return -1;
	}
	return define(d, p->yaml->name, id, mine, err);
}

struct entry {
	const char *id, *path;
	const struct yaml_node *props;
};

typedef VEC(struct entry) entry_list;

static int
add_entry(struct snapshot *s, const struct snapshot_pipeline *p, entry_list *to,
	  const char *id, const struct yaml_node *props, struct err *err)
{
	struct entry e = {.id = id, .props = props};

	e.path = snapshot_path(s, p->dir, id, err);
	if (e.path == NULL)
		return -1;
	vec_foreach (to, struct entry, it)
		if (strcmp(it->id, id) == 0) {
			*it = e;
			return 0;
		}
	return vec_push(to, e) == 0 ? 0 : err_nomem(err);
}

/* A list of names and of mappings of one name, or a mapping. */
static int
list_entries(struct snapshot *s, const struct snapshot_pipeline *p, entry_list *to,
	     struct err *err)
{
	const struct yaml_node *top = p->yaml->plots;
	int rc = 0;

	if (top == NULL)
		return 0;
	for (size_t i = 0; top->kind == YAML_MAP && i < top->map.n && rc == 0; i++)
		rc = add_entry(s, p, to, top->map.v[i].key->str, top->map.v[i].val, err);
	for (size_t i = 0; top->kind == YAML_SEQ && i < top->seq.n && rc == 0; i++) {
		const struct yaml_node *e = top->seq.v[i];

		if (e->kind == YAML_STR)
			rc = add_entry(s, p, to, e->str, NULL, err);
		for (size_t k = 0; e->kind == YAML_MAP && k < e->map.n && rc == 0; k++)
			rc = add_entry(s, p, to, e->map.v[k].key->str, e->map.v[k].val,
				       err);
	}
	return rc;
}

static int
define_entries(struct snapshot *s, struct plot_defs *d, const struct snapshot_pipeline *p,
	       const entry_list *list, struct err *err)
{
	const char **paths = arena_array(d->arena, list->n + 1, sizeof(const char *));
	int rc = 0;

	if (paths == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < list->n; i++)
		paths[i] = list->v[i].path;
	for (size_t i = 0; i < list->n && rc == 0; i++) {
		const struct entry *e = &list->v[i];
		const struct yaml_node *y = yaml_get(e->props, "y");
		struct unpack u = {.s = s,
				   .d = d,
				   .config = p->yaml->name,
				   .path = e->path,
				   .props = e->props,
				   .others = paths,
				   .nothers = list->n};

		if (y != NULL && y->kind == YAML_MAP)
			rc = define_named(s, d, p, e->id, e->props, err);
		else
			rc = snapshot_list(s, e->path, define_file, &u, err);
	}
	return rc;
}

/* ---- of stages ---- */

/* What is said of an output, but only what is about drawing. */
static struct yaml_node *
drawing_only(struct arena *a, const struct yaml_node *flags)
{
	struct yaml_node *out = value_map(a, sizeof PROPS / sizeof *PROPS, NULL);
	size_t n = 0;

	for (size_t i = 0; out != NULL && flags != NULL && flags->kind == YAML_MAP &&
			   i < sizeof PROPS / sizeof *PROPS;
	     i++)
		for (size_t k = 0; k < flags->map.n; k++)
			if (strcmp(flags->map.v[k].key->str, PROPS[i]) == 0) {
				out->map.v[n++] = flags->map.v[k];
				break;
			}
	if (out != NULL)
		out->map.n = n;
	return out;
}

static int
define_stage(struct snapshot *s, struct plot_defs *d, const struct snapshot_pipeline *p,
	     const struct dvc_yaml_stage *st, struct err *err)
{
	struct buf full;
	int rc = 0;

	buf_init(&full, 0);
	for (size_t i = 0; !st->many && i < st->nouts && rc == 0; i++) {
		const struct dvc_yaml_out *o = &st->outs[i];
		struct unpack u = {.s = s, .d = d, .config = ""};

		buf_clear(&full);
		if (o->kind != DVC_PLOT || !dvc_yaml_full(p->yaml, st, o->path, &full))
			continue;
		u.path = buf_failed(&full) ? NULL : arena_strdup(d->arena, full.p);
		u.props = drawing_only(d->arena, o->flags);
		if (u.path == NULL || u.props == NULL)
			rc = err_nomem(err);
		else
			rc = snapshot_list(s, u.path, define_file, &u, err);
	}
	buf_release(&full);
	return rc;
}

/* ---- all ---- */

/* A target that dvc.yaml does not name may be any file. */
static int
define_targets(struct snapshot *s, struct plot_defs *d, const bool *named,
	       struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < d->o->ntargets && rc == 0; i++) {
		struct unpack u = {.s = s, .d = d, .config = "", .there = true};

		if (named[i] || path_climbs(d->o->paths[i]))
			continue;
		u.path = d->o->paths[i];
		rc = snapshot_list(s, u.path, define_file, &u, err);
	}
	return rc;
}

static int
define_pipelines(struct snapshot *s, struct plot_defs *d, struct err *err)
{
	int rc = 0;

	vec_foreach (&s->pipelines, const struct snapshot_pipeline, p) {
		entry_list list = {0};

		if (rc == 0)
			rc = list_entries(s, p, &list, err);
		if (rc == 0)
			rc = define_entries(s, d, p, &list, err);
		vec_release(&list);
	}
	vec_foreach (&s->pipelines, const struct snapshot_pipeline, p)
		for (size_t i = 0; i < p->yaml->nstages && rc == 0; i++)
			rc = define_stage(s, d, p, &p->yaml->stages[i], err);
	return rc;
}

int
plots_define(struct snapshot *s, struct plot_defs *d, struct err *err)
{
	bool *all = d->used;
	bool *named = arena_array(d->arena, d->o->ntargets + 1, sizeof(bool));
	int rc;

	if (named == NULL)
		return err_nomem(err);
	d->used = named;
	rc = define_pipelines(s, d, err);
	for (size_t i = 0; i < d->o->ntargets; i++)
		all[i] = all[i] || named[i];
	d->used = all;
	return rc == 0 ? define_targets(s, d, named, err) : rc;
}
