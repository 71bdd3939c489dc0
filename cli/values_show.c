/* Values as tables and as JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/map.h"
#include "base/yaml.h"
#include "cli/cli.h"
#include "cli/grid.h"
#include "cli/values_int.h"
#include "store/pipeline/value_text.h"

#define ABSENT "-"

static unsigned
precision(const struct values *k)
{
	return k->o->precision.set ? (unsigned)k->o->precision.v : VALUES_PRECISION;
}

/* ---- cells ---- */

/* As text; NULL: there is none.  Metrics are rounded. */
static void
put_value(struct values *k, struct grid *g, const struct yaml_node *v)
{
	struct buf b;

	if (v != NULL && k->kind == VALUES_METRICS)
		v = value_round(k->a.arena, v, precision(k));
	if (v == NULL) {
		grid_text(g, ABSENT);
		return;
	}
	buf_init(&b, 0);
	value_put_plain(v, &b);
	grid_cell(g, b.p, b.n);
	buf_release(&b);
}

static void
put_path(struct values *k, struct grid *g, const char *path)
{
	struct buf b;

	buf_init(&b, 0);
	artifact_put_seen(&k->a, path, &b);
	grid_cell(g, b.p, b.n);
	buf_release(&b);
}

static int
print(struct values *k, struct grid *g)
{
	int rc = g != NULL ? grid_put(g, k->o->md, &k->a.c->out) : -1;

	grid_free(g);
	return rc;
}

/* ---- diff ---- */

static int
put_diff(struct values *k)
{
	bool metrics = k->kind == VALUES_METRICS;
	struct grid *g = grid_new(3U + (k->o->no_path ? 0 : 1) + (metrics ? 1 : 0));

	if (g == NULL)
		return -1;
	if (!k->o->no_path)
		grid_text(g, "Path");
	grid_text(g, metrics ? "Metric" : "Param");
	grid_text(g, k->revs[0]);
	grid_text(g, k->revs[1]);
	if (metrics)
		grid_text(g, "Change");
	vec_foreach (&k->changes.v, const struct value_change, c) {
		bool old = c->old != NULL && c->old->kind != YAML_NULL;
		bool new = c->new != NULL && c->new->kind != YAML_NULL;

		if (!k->o->no_path)
			put_path(k, g, c->path);
		grid_text(g, c->key);
		put_value(k, g, old ? c->old : NULL);
		put_value(k, g, new ? c->new : NULL);
		if (metrics)
			put_value(k, g, c->diff);
	}
	return print(k, g);
}

static void
json_value(struct json_writer *w, const char *key, const struct yaml_node *v)
{
	struct buf b;

	buf_init(&b, 0);
	value_put_json(v, &b);
	json_key(w, key);
	json_raw(w, b.p, b.n);
	if (buf_failed(&b))
		w->out->state = b.state;
	buf_release(&b);
}

static void
json_path(struct values *k, struct json_writer *w, const char *path)
{
	struct buf b;

	buf_init(&b, 0);
	artifact_put_seen(&k->a, path, &b);
	json_key(w, b.p);
	if (buf_failed(&b))
		w->out->state = b.state;
	buf_release(&b);
}

void
values_json_diff(struct values *k, struct json_writer *w)
{
	const char *path = NULL;

	json_begin_object(w);
	vec_foreach (&k->changes.v, const struct value_change, c) {
		if (path == NULL || strcmp(path, c->path) != 0) {
			if (path != NULL)
				json_end(w);
			json_path(k, w, c->path);
			json_begin_object(w);
			path = c->path;
		}
		json_key(w, c->key);
		json_begin_object(w);
		json_value(w, "old", c->old);
		json_value(w, "new", c->new);
		if (c->diff != NULL)
			json_value(w, "diff", c->diff);
		json_end(w);
	}
	if (path != NULL)
		json_end(w);
	json_end(w);
}

/* ---- show: metrics ---- */

static bool
is_many(const struct values *k)
{
	return k->o->branches || k->o->tags || k->o->commits;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A row of the table: a file of a state, with its values by name. */
struct row {
	const struct values_state *state;
	const struct tracked_file *file;
	struct map values;
};

struct rows {
	VEC(struct row *) v;
	struct map names;
	const char **sorted;
	struct err err;
};

static int
add_row(struct values *k, struct rows *r, const struct values_state *s,
	const struct tracked_file *f)
{
	struct row *row = arena_zalloc(k->a.arena, sizeof *row);
	struct flat_values flat = {0};
	int rc = row != NULL && vec_push(&r->v, row) == 0 ? 0 : -1;

	if (rc == 0) {
		row->state = s;
		row->file = f;
	}
	if (rc == 0 && f->value != NULL)
		rc = flat_values(k->a.arena, f->value, &flat, &r->err);
	for (size_t i = 0; rc == 0 && i < flat.v.n; i++) {
		const struct flat_value *v = &flat.v.v[i];

		if (map_put(&row->values, v->key, (void *)(uintptr_t)v->value) < 0 ||
		    map_put(&r->names, v->key, r) < 0)
			rc = -1;
	}
	flat_values_release(&flat);
	return rc;
}

static int
collect_rows(struct values *k, struct rows *r)
{
	size_t n = 0;

	vec_foreach (&k->states, struct values_state *const, s)
		vec_foreach (&(*s)->values.files, const struct tracked_file, f)
			if (add_row(k, r, *s, f) != 0)
				return -1;
	r->sorted = arena_array(k->a.arena, r->names.n + 1, sizeof(const char *));
	if (r->sorted == NULL)
		return -1;
	map_foreach (&r->names, e)
		r->sorted[n++] = e->key;
	qsort(r->sorted, n, sizeof(const char *), by_text);
	return 0;
}

static int
put_rows(struct values *k, const struct rows *r)
{
	struct grid *g = grid_new(1 + r->names.n + is_many(k));

	if (g == NULL)
		return -1;
	if (is_many(k))
		grid_text(g, "Revision");
	grid_text(g, "Path");
	for (size_t i = 0; i < r->names.n; i++)
		grid_text(g, r->sorted[i]);
	vec_foreach (&r->v, struct row *const, it) {
		if (is_many(k))
			grid_text(g, (*it)->state->name);
		put_path(k, g, (*it)->file->path);
		for (size_t i = 0; i < r->names.n; i++)
			put_value(k, g, map_get(&(*it)->values, r->sorted[i]));
	}
	return print(k, g);
}

static int
put_metrics(struct values *k)
{
	struct rows r = {0};
	int rc = collect_rows(k, &r);

	if (rc == 0)
		rc = put_rows(k, &r);
	vec_foreach (&r.v, struct row *const, it)
		map_release(&(*it)->values);
	vec_release(&r.v);
	map_release(&r.names);
	return rc;
}

/* ---- show: params ---- */

/* One param, with its values of all states. */
struct param {
	const char *path, *key;
	size_t file, at; /* the place of its file, and its own */
	const struct yaml_node **values;
};

struct params {
	VEC(struct param *) v;
	struct map known; /* "PATH\nKEY" -> struct param */
	struct map files; /* path -> its first param */
};

/* Files in the order in which they are met, and so the params of each. */
static int
by_place(const void *a, const void *b)
{
	const struct param *x = *(struct param *const *)a, *y = *(struct param *const *)b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static struct param *
param_of(struct values *k, struct params *p, const char *path, const char *key)
{
	const char *both = arena_printf(k->a.arena, "%s\n%s", path, key);
	struct param *one = both != NULL ? map_get(&p->known, both) : NULL, *first;

	if (one != NULL || both == NULL)
		return one;
	one = arena_zalloc(k->a.arena, sizeof *one);
	if (one == NULL)
		return NULL;
	one->path = path;
	one->key = key;
	one->at = p->v.n;
	first = map_get(&p->files, path);
	if (first == NULL && map_put(&p->files, path, one) < 0)
		return NULL;
	one->file = first != NULL ? first->file : p->files.n;
	one->values = arena_array(k->a.arena, k->states.n, sizeof(const char *));
	if (one->values == NULL || map_put(&p->known, both, one) < 0 ||
	    vec_push(&p->v, one) != 0)
		return NULL;
	return one;
}

static int
add_params(struct values *k, struct params *p, size_t state, const struct tracked_file *f)
{
	struct flat_values flat = {0};
	struct err err = {0};
	int rc = 0;

	if (f->value != NULL)
		rc = flat_values(k->a.arena, f->value, &flat, &err);
	for (size_t i = 0; rc == 0 && i < flat.v.n; i++) {
		struct param *one = param_of(k, p, f->path, flat.v.v[i].key);

		if (one != NULL)
			one->values[state] = flat.v.v[i].value;
		rc = one != NULL ? 0 : -1;
	}
	flat_values_release(&flat);
	return rc;
}

static int
put_params(struct values *k)
{
	struct grid *g = grid_new(2 + k->states.n);
	struct params p = {0};
	int rc = g != NULL ? 0 : -1;

	for (size_t i = 0; i < k->states.n && rc == 0; i++)
		vec_foreach (&k->states.v[i]->values.files, const struct tracked_file, f)
			if (rc == 0)
				rc = add_params(k, &p, i, f);
	if (rc == 0) {
		grid_text(g, "Path");
		grid_text(g, "Param");
	}
	for (size_t i = 0; i < k->states.n && rc == 0; i++)
		grid_text(g, is_many(k) ? k->states.v[i]->name : "Value");
	if (p.v.n > 1)
		qsort(p.v.v, p.v.n, sizeof(*p.v.v), by_place);
	for (size_t n = 0; n < p.v.n && rc == 0; n++) {
		put_path(k, g, p.v.v[n]->path);
		grid_text(g, p.v.v[n]->key);
		for (size_t i = 0; i < k->states.n; i++)
			put_value(k, g, p.v.v[n]->values[i]);
	}
	if (rc == 0)
		rc = print(k, g);
	else
		grid_free(g);
	vec_release(&p.v);
	map_release(&p.known);
	map_release(&p.files);
	return rc;
}

/* ---- show: JSON ---- */

/* The names of DVC's exceptions. */
static const char *
error_type(const struct tracked_file *f)
{
	const char *ext = strrchr(f->path, '.');

	if (f->code == ERR_NOTFOUND)
		return "FileNotFoundError";
	if (f->code != ERR_INVALID)
		return "OSError";
	if (ext != NULL && strcmp(ext, ".json") == 0)
		return "JSONFileCorruptedError";
	if (ext != NULL && strcmp(ext, ".toml") == 0)
		return "TOMLFileCorruptedError";
	return "YAMLFileCorruptedError";
}

static void
json_error(struct json_writer *w, const char *type, const char *msg)
{
	json_key(w, "error");
	json_begin_object(w);
	json_kv_str(w, "type", type);
	json_kv_str(w, "msg", msg);
	json_end(w);
}

void
values_json_file(struct json_writer *w, const struct tracked_file *f)
{
	json_begin_object(w);
	if (f->value != NULL)
		json_value(w, "data", f->value);
	else
		json_error(w, error_type(f), f->why);
	json_end(w);
}

static void
json_states(struct values *k, struct json_writer *w)
{
	json_begin_object(w);
	vec_foreach (&k->states, struct values_state *const, it) {
		const struct values_state *s = *it;

		json_key(w, s->name);
		json_begin_object(w);
		if (s->failed.code != ERR_NONE) {
			json_error(w, "DvcException", s->failed.msg);
			json_end(w);
			continue;
		}
		json_key(w, "data");
		json_begin_object(w);
		vec_foreach (&s->values.files, const struct tracked_file, f) {
			json_path(k, w, f->path);
			values_json_file(w, f);
		}
		json_end(w);
		json_end(w);
	}
	json_end(w);
}

/* ---- all ---- */

int
values_put(struct values *k)
{
	struct buf *out = &k->a.c->out;
	struct json_writer w;

	if (!k->o->json) {
		if (k->diff)
			return put_diff(k);
		return k->kind == VALUES_METRICS ? put_metrics(k) : put_params(k);
	}
	json_init(&w, out, 2);
	if (k->diff)
		values_json_diff(k, &w);
	else
		json_states(k, &w);
	buf_addc(out, '\n');
	return buf_failed(out) ? -1 : 0;
}

static void
warn_file(struct values *k, const struct values_state *s, const struct tracked_file *f)
{
	struct buf b;

	buf_init(&b, 0);
	artifact_put_path(&k->a, f->path, &b);
	if (s->name[0] == '\0' || strcmp(s->name, "workspace") == 0)
		cli_warn(k->a.c, "%s is left out: %s", b.p, f->why);
	else
		cli_warn(k->a.c, "%s of %s is left out: %s", b.p, s->name, f->why);
	buf_release(&b);
}

void
values_warn(struct values *k, bool *bad)
{
	bool any = false;

	*bad = false;
	if (k->source.diag != NULL && diag_errors(k->source.diag) != 0)
		cli_diag(k->a.c, k->source.diag);
	vec_foreach (&k->states, struct values_state *const, s) {
		if ((*s)->failed.code != ERR_NONE)
			cli_warn(k->a.c, "%s is left out: %s", (*s)->name,
				 (*s)->failed.msg);
		vec_foreach (&(*s)->values.files, const struct tracked_file, f) {
			any = true;
			if (f->value != NULL)
				continue;
			*bad = *bad || f->code != ERR_NOTFOUND;
			warn_file(k, *s, f);
		}
	}
	if (!any && !k->diff && !k->o->json)
		cli_note(k->a.c, "dvc.yaml names no %s, and no file was given",
			 k->a.c->verb->name);
}
