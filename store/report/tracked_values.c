#include "store/report/tracked_values.h"

#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/num.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/dvc/dvc_yaml.h"
#include "store/pipeline/params_file.h"
#include "store/pipeline/pipeline.h"
#include "store/pipeline/value.h"
#include "store/report/snapshot.h"

#define DEFAULT_PARAMS "params.yaml"

/* ---- files ---- */

static struct tracked_file *
add_file(struct tracked_values *v, const char *path, struct err *err)
{
	struct tracked_file f = {.path = path};

	if (v->files.n == TRACKED_FILES_MAX) {
		(void)err_set(err, ERR_LIMIT, "there are more than %d files of values",
			      TRACKED_FILES_MAX);
		return NULL;
	}
	if (vec_push(&v->files, f) != 0 || map_put(&v->paths, path, v) < 0) {
		(void)err_nomem(err);
		return NULL;
	}
	return &v->files.v[v->files.n - 1];
}

static bool
is_false(const struct yaml_node *v)
{
	double f = 0;

	if (v->kind == YAML_STR || v->kind == YAML_NULL)
		return v->len == 0;
	if (v->kind == YAML_BOOL)
		return !v->b;
	if (v->kind == YAML_SEQ)
		return v->seq.n == 0;
	return (v->kind == YAML_INT || v->kind == YAML_FLOAT) &&
	       num_float(v->str, &f) == 0 && f == 0;
}

/* Read the file as a value, or note the problem with it.  Return -1 where the work ends. */
static int
read_value(struct snapshot *s, struct tracked_file *f, struct err *err)
{
	struct diag *d = s->source->diag;
	struct yaml_node *top = NULL;
	struct err why = {0};
	const char *text = NULL, *name;
	struct buf b;
	int rc;

	buf_init(&b, PIPELINE_PARAMS_MAX);
	rc = snapshot_read(s, f->path, PIPELINE_PARAMS_MAX, &b, &why);
	name = s->commit[0] == '\0'
		   ? f->path
		   : arena_printf(s->arena, "%.7s:%s", s->commit, f->path);
	if (rc == 0)
		text = arena_strndup(s->arena, b.p, b.n);
	if (why.code == ERR_NOMEM || why.code == ERR_CANCELLED) {
		*err = why;
	} else if (name == NULL || (rc == 0 && text == NULL)) {
		rc = err_nomem(err);
	} else if (rc != 0) {
		f->code = why.code;
		f->why = arena_strdup(s->arena, why.msg);
		rc = f->why != NULL ? 0 : err_nomem(err);
	} else {
		rc = params_parse_dates(s->arena, d, name, text, b.n, &top);
		if (rc < 0)
			rc = err_nomem(err);
		if (rc > 0) {
			f->code = ERR_INVALID;
			f->why = "it has mistakes";
			rc = 0;
		}
		f->value = f->why == NULL ? top : NULL;
	}
	buf_release(&b);
	if (rc == 0 && f->value != NULL && is_false(f->value))
		f->value = value_map(s->arena, 0, NULL);
	return rc;
}

struct gather {
	struct snapshot *s;
	struct tracked_values *out;
	const char **keys; /* of params; NULL: all of the file */
	size_t nkeys;
	bool metrics;
};

/* ---- metrics ---- */

static bool
is_metric(const struct yaml_node *v)
{
	if (v->kind == YAML_STR)
		return !value_is_date(v);
	return v->kind == YAML_BOOL || v->kind == YAML_INT || v->kind == YAML_FLOAT;
}

/* What is no metric is left out, and what holds none; NULL: nothing is left. */
static int
extract(struct arena *a, const struct yaml_node *v, const struct yaml_node **out)
{
	struct yaml_node *map;
	size_t n = 0;

	*out = is_metric(v) ? v : NULL;
	if (v->kind != YAML_MAP)
		return 0;
	map = value_map(a, v->map.n, NULL);
	if (map == NULL)
		return -1;
	for (size_t i = 0; i < v->map.n; i++) {
		const struct yaml_node *part;

		if (extract(a, v->map.v[i].val, &part) != 0)
			return -1;
		if (part == NULL)
			continue;
		map->map.v[n].key = v->map.v[i].key;
		map->map.v[n++].val = (struct yaml_node *)(uintptr_t)part;
	}
	map->map.n = n;
	*out = n != 0 ? map : NULL;
	return 0;
}

static int
take_metric(struct gather *g, struct tracked_file *f, struct err *err)
{
	const struct yaml_node *v;

	if (f->value == NULL)
		return 0;
	if (extract(g->s->arena, f->value, &v) != 0)
		return err_nomem(err);
	if (v == NULL || is_false(v))
		v = value_map(g->s->arena, 0, NULL);
	f->value = v;
	return v != NULL ? 0 : err_nomem(err);
}

/* ---- params ---- */

static int pick(struct arena *, const struct yaml_node *, const char **, size_t,
		struct yaml_node **);

/* What stands under the first part of keys[i], by all the keys that begin with it. */
static int
pick_part(struct arena *a, const struct yaml_node *v, const char **keys, size_t n,
	  size_t i, struct yaml_node **out)
{
	size_t len = strcspn(keys[i], "."), m = 0;
	const char *part = arena_strndup(a, keys[i], len);
	const char **rest = arena_array(a, n + 1, sizeof(const char *));
	const struct yaml_node *child;

	*out = NULL;
	if (part == NULL || rest == NULL)
		return -1;
	child = value_find(v, part);
	for (size_t k = i; k < n; k++)
		if (strcspn(keys[k], ".") == len && memcmp(keys[k], part, len) == 0)
			rest[m++] = keys[k][len] == '.' ? keys[k] + len + 1 : "";
	return child != NULL ? pick(a, child, rest, m, out) : 0;
}

static int
put_part(struct yaml_node *into, const char *part, size_t len, struct yaml_node *val,
	 struct arena *a)
{
	char text[24];
	int64_t at;

	if (into->kind == YAML_MAP) {
		struct yaml_pair *p = &into->map.v[into->map.n++];

		p->key = value_str(a, part, len, NULL);
		p->val = val;
		return p->key != NULL ? 0 : -1;
	}
	if (len >= sizeof text)
		return 0;
	memcpy(text, part, len);
	text[len] = '\0';
	if (num_i64(text, &at) != 0)
		return 0;
	/* Of a list the places before it are there, too. */
	if (at < 0)
		return 0;
	into->seq.v[at] = val;
	if ((size_t)at >= into->seq.n)
		into->seq.n = (size_t)at + 1;
	return 0;
}

/* The value with nothing in it but what the keys name; NULL: they name nothing. */
static int
pick(struct arena *a, const struct yaml_node *v, const char **keys, size_t n,
     struct yaml_node **out)
{
	struct yaml_node *into;
	bool any = false;

	*out = NULL;
	for (size_t i = 0; i < n; i++)
		if (keys[i][0] == '\0') {
			*out = (struct yaml_node *)(uintptr_t)v;
			return 0;
		}
	if (v->kind != YAML_MAP && v->kind != YAML_SEQ)
		return 0;
	into =
	    v->kind == YAML_MAP ? value_map(a, n, NULL) : value_list(a, v->seq.n, NULL);
	if (into == NULL)
		return -1;
	if (v->kind == YAML_MAP)
		into->map.n = 0;
	else
		into->seq.n = 0;
	for (size_t i = 0; i < n; i++) {
		size_t len = strcspn(keys[i], ".");
		struct yaml_node *val;
		bool before = false;

		for (size_t k = 0; k < i; k++)
			before = before || (strcspn(keys[k], ".") == len &&
					    memcmp(keys[k], keys[i], len) == 0);
		if (before)
			continue;
		if (pick_part(a, v, keys, n, i, &val) != 0)
			return -1;
		if (val == NULL)
			continue;
		any = true;
		if (put_part(into, keys[i], len, val, a) != 0)
			return -1;
	}
	*out = any ? into : NULL;
	return 0;
}

static int
take_params(struct gather *g, struct tracked_file *f, struct err *err)
{
	struct yaml_node *v;

	if (f->value == NULL || g->keys == NULL)
		return 0;
	if (pick(g->s->arena, f->value, g->keys, g->nkeys, &v) != 0)
		return err_nomem(err);
	if (v == NULL)
		v = value_map(g->s->arena, 0, NULL);
	f->value = v;
	return v != NULL ? 0 : err_nomem(err);
}

/* ---- collecting ---- */

static int
take_file(void *arg, const char *path, struct err *err)
{
	struct gather *g = arg;
	struct tracked_file *f;

	if (map_get(&g->out->paths, path) != NULL)
		return 0;
	f = add_file(g->out, path, err);
	if (f == NULL || read_value(g->s, f, err) != 0)
		return -1;
	return g->metrics ? take_metric(g, f, err) : take_params(g, f, err);
}

static int
take_path(struct gather *g, const char *path, struct err *err)
{
	return snapshot_list(g->s, path, take_file, g, err);
}

static int
take_targets(struct gather *g, const char *const *targets, size_t n, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = take_path(g, targets[i], err);
	return rc;
}

/* Paths of a list at the top of dvc.yaml. */
static int
take_top(struct gather *g, const struct snapshot_pipeline *p,
	 const struct yaml_node *list, struct err *err)
{
	int rc = 0;

	for (size_t i = 0;
	     list != NULL && list->kind == YAML_SEQ && i < list->seq.n && rc == 0; i++) {
		const struct yaml_node *e = list->seq.v[i];
		const char *path;

		if (e->kind != YAML_STR)
			continue;
		path = snapshot_path(g->s, p->dir, e->str, err);
		rc = path != NULL ? take_path(g, path, err) : -1;
	}
	return rc;
}

int
tracked_metrics(struct snapshot *s, const char *const *targets, size_t n,
		struct tracked_values *out, struct err *err)
{
	struct gather g = {.s = s, .out = out, .metrics = true};
	struct buf full;
	int rc = 0;

	if (n != 0)
		return take_targets(&g, targets, n, err);
	buf_init(&full, 0);
	vec_foreach (&s->pipelines, const struct snapshot_pipeline, p)
		for (size_t i = 0; i < p->yaml->nstages && rc == 0; i++) {
			const struct dvc_yaml_stage *st = &p->yaml->stages[i];

			for (size_t k = 0; !st->many && k < st->nouts && rc == 0; k++) {
				const char *path;

				buf_clear(&full);
				if (st->outs[k].kind != DVC_METRIC ||
				    !dvc_yaml_full(p->yaml, st, st->outs[k].path, &full))
					continue;
				path = buf_failed(&full) ? NULL
							 : arena_strdup(s->arena, full.p);
				rc = path != NULL ? take_path(&g, path, err)
						  : err_nomem(err);
			}
		}
	vec_foreach (&s->pipelines, const struct snapshot_pipeline, p)
		if (rc == 0)
			rc = take_top(&g, p, p->yaml->metrics, err);
	buf_release(&full);
	return rc;
}

/* ---- the params of stages ---- */

/* A file of params, and which of its keys are tracked. */
struct wanted {
	const char *path;
	VEC(const char *) keys;
	bool whole;
};

struct wants {
	struct arena *a;
	struct map by_path; /* in the order in which they are named */
};

static int
want(struct wants *w, const char *path, const char *const *keys, size_t n,
     struct err *err)
{
	struct wanted *one = map_get(&w->by_path, path);

	if (one == NULL) {
		one = arena_zalloc(w->a, sizeof *one);
		if (one == NULL || map_put(&w->by_path, path, one) < 0)
			return err_nomem(err);
		one->path = path;
	}
	one->whole = one->whole || n == 0;
	for (size_t i = 0; i < n; i++)
		if (vec_push(&one->keys, keys[i]) != 0)
			return err_nomem(err);
	return 0;
}

static int
want_stages(struct snapshot *s, struct wants *w, struct err *err)
{
	vec_foreach (&s->pipelines, const struct snapshot_pipeline, p)
		for (size_t i = 0; i < p->yaml->nstages; i++) {
			const struct dvc_yaml_stage *st = &p->yaml->stages[i];
			const char *dir = p->dir, *path;

			if (st->wdir != NULL)
				dir = snapshot_path(s, p->dir, st->wdir, err);
			if (dir == NULL)
				return -1;
			for (size_t k = 0; !st->many && k < st->nparams; k++) {
				path = snapshot_path(s, dir, st->params[k].file, err);
				if (path == NULL || want(w, path, st->params[k].keys,
							 st->params[k].n, err) != 0)
					return -1;
			}
		}
	return 0;
}

static int
want_tops(struct snapshot *s, struct wants *w, struct err *err)
{
	vec_foreach (&s->pipelines, const struct snapshot_pipeline, p) {
		const struct yaml_node *list = p->yaml->params;

		for (size_t i = 0;
		     list != NULL && list->kind == YAML_SEQ && i < list->seq.n; i++) {
			const char *path;

			if (list->seq.v[i]->kind != YAML_STR)
				continue;
			path = snapshot_path(s, p->dir, list->seq.v[i]->str, err);
			if (path == NULL || want(w, path, NULL, 0, err) != 0)
				return -1;
		}
	}
	return snapshot_has(s, DEFAULT_PARAMS) ? want(w, DEFAULT_PARAMS, NULL, 0, err)
					       : 0;
}

/* What templates use of files that are not there yet, each value under its dotted key. */
static int
take_uses(struct snapshot *s, struct tracked_values *out, struct err *err)
{
	size_t named = out->files.n;

	vec_foreach (&s->uses, const struct snapshot_use, u) {
		struct tracked_file *f = NULL;
		struct yaml_node *map;
		size_t at = 0;

		for (size_t i = 0; i < out->files.n && f == NULL; i++)
			if (strcmp(out->files.v[i].path, u->file) == 0) {
				f = &out->files.v[i];
				at = i;
			}
		if (f != NULL && at < named)
			continue;
		if (f == NULL) {
			f = add_file(out, u->file, err);
			map = f != NULL ? value_map(s->arena, s->uses.n, NULL) : NULL;
			if (map == NULL)
				return err_nomem(err);
			map->map.n = 0;
			f->value = map;
		}
		map = (struct yaml_node *)(uintptr_t)f->value;
		if (yaml_get(map, u->key) != NULL)
			continue;
		map->map.v[map->map.n].key =
		    value_str(s->arena, u->key, strlen(u->key), NULL);
		map->map.v[map->map.n].val = (struct yaml_node *)(uintptr_t)u->value;
		if (map->map.v[map->map.n++].key == NULL)
			return err_nomem(err);
	}
	return 0;
}

int
tracked_params(struct snapshot *s, const char *const *targets, size_t n, bool deps,
	       struct tracked_values *out, struct err *err)
{
	struct gather g = {.s = s, .out = out};
	struct wants w = {.a = s->arena};
	int rc;

	if (n != 0)
		return take_targets(&g, targets, n, err);
	rc = want_stages(s, &w, err);
	if (rc == 0 && !deps)
		rc = want_tops(s, &w, err);
	map_foreach (&w.by_path, e) {
		struct wanted *one = e->val;

		g.keys = one->whole ? NULL : one->keys.v;
		g.nkeys = one->keys.n;
		if (rc == 0)
			rc = take_path(&g, one->path, err);
		vec_release(&one->keys);
	}
	map_release(&w.by_path);
	return rc == 0 ? take_uses(s, out, err) : rc;
}

/* ---- all ---- */

void
tracked_values_release(struct tracked_values *v)
{
	vec_release(&v->files);
	map_release(&v->paths);
}

bool
tracked_values_equal(const struct tracked_values *a, const struct tracked_values *b)
{
	if (a->files.n != b->files.n)
		return false;
	for (size_t i = 0; i < a->files.n; i++) {
		const struct tracked_file *f = &a->files.v[i], *g = NULL;

		for (size_t k = 0; k < b->files.n && g == NULL; k++)
			if (strcmp(b->files.v[k].path, f->path) == 0)
				g = &b->files.v[k];
		if (g == NULL || f->value == NULL || g->value == NULL ||
		    !value_equal(f->value, g->value))
			return false;
	}
	return true;
}
