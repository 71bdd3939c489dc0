/* Reading the states of the repository that experiments are, and telling them as JSON. */
#include "cli/exp_states.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/map.h"
#include "base/yaml.h"
#include "cli/values_int.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"
#include "store/git_write.h"
#include "store/pipeline/value_text.h"
#include "store/track/collect_rev.h"

#define NUMBER_MAX 128 /* bytes of one with VALUES_PRECISION_MAX digits */

/* ---- reading ---- */

int
exp_states_begin(struct exp_states *s, struct meter *m, struct err *err)
{
	s->source = (struct snapshot_source){.ws = &s->a->ws,
					     .root = s->a->track.root,
					     .work = &s->a->list,
					     .git = s->k->git,
					     .meter = m,
					     .diag = diag_new()};
	if (s->source.diag == NULL)
		return err_nomem(err);
	meter_begin(m, "reading experiments");
	return track_revs_open(&s->a->track, s->k->git, &s->source.revs, err);
}

static int
read_state(struct exp_states *s, struct exp_state *e, const char *commit, struct err *err)
{
	struct repo_commit c;

	if (commit != NULL) {
		if (repo_commit(s->k->git, commit, &c, err) != 0)
			return -1;
		e->time_s = c.time_s;
	}
	if (snapshot_open(&s->source, e->rev, commit, &e->snapshot, err) != 0 ||
	    tracked_metrics(&e->snapshot, NULL, 0, &e->metrics, err) != 0)
		return -1;
	return tracked_params(&e->snapshot, NULL, 0, s->k->o->deps, &e->params, err);
}

/* Whether others can be told in spite of it. */
static bool
passes(const struct err *why)
{
	return why->code == ERR_INVALID || why->code == ERR_LIMIT ||
	       why->code == ERR_NOTFOUND || why->code == ERR_EXISTS;
}

struct exp_state *
exp_states_add(struct exp_states *s, const char *rev, const char *name, bool strict,
	       struct err *err)
{
	struct exp_state *e = calloc(1, sizeof *e);
	struct err why = {0};
	bool work = strcmp(rev, EXP_WORKSPACE) == 0;

	if (e == NULL || vec_push(&s->v, e) != 0) {
		free(e);
		(void)err_nomem(err);
		return NULL;
	}
	e->rev = arena_strdup(s->a->arena, rev);
	e->name = name != NULL ? arena_strdup(s->a->arena, name) : NULL;
	if (e->rev == NULL || (name != NULL && e->name == NULL)) {
		(void)err_nomem(err);
		return NULL;
	}
	meter_add(&s->a->meter, 1, 0);
	if (read_state(s, e, work ? NULL : e->rev, &why) == 0)
		return e;
	if (strict || !passes(&why)) {
		*err = why;
		return NULL;
	}
	e->failed = why;
	return e;
}

void
exp_states_release(struct exp_states *s)
{
	diag_free(s->source.diag);
	vec_foreach (&s->v, struct exp_state *, e) {
		tracked_values_release(&(*e)->metrics);
		tracked_values_release(&(*e)->params);
		snapshot_close(&(*e)->snapshot);
		free(*e);
	}
	vec_release(&s->v);
	track_revs_close(s->source.revs);
}

void
exp_put_value(const struct yaml_node *v, unsigned precision, struct buf *b)
{
	char text[NUMBER_MAX];
	double f = 0;

	if (v->kind != YAML_FLOAT || precision == 0 || !value_number(v, &f)) {
		value_put_plain(v, b);
		return;
	}
	(void)snprintf(text, sizeof text, "%.*g", (int)precision, f);
	buf_adds(b, text);
}

/* ---- JSON: what stages depend on and make ---- */

static void
json_text(struct json_writer *w, const char *key, const char *text)
{
	json_key(w, key);
	json_str(w, text);
}

static void
json_object(struct json_writer *w, const struct object_id *id, int64_t size,
	    int64_t nfiles)
{
	char hex[OBJECT_HEX_MAX];

	json_text(w, "hash",
		  id != NULL && object_id_is_set(id) ? object_id_hex(id, hex) : NULL);
	json_key(w, "size");
	if (size >= 0)
		json_int(w, size);
	else
		json_put_null(w);
	json_key(w, "nfiles");
	if (nfiles >= 0)
		json_int(w, nfiles);
	else
		json_put_null(w);
}

/* What dvc.lock has of a dep, by its path as it is written, or NULL. */
static const struct dvc_meta *
locked_dep(const struct exp_state *e, const char *dir, const char *stage,
	   const char *path)
{
	const struct track_list *l = e->snapshot.list;

	for (size_t i = 0; i < l->nfiles; i++) {
		const struct dvc_lock *lock = l->files[i]->lock;
		const struct dvc_lock_stage *st = NULL;

		if (lock != NULL && strcmp(lock->dir, dir) == 0)
			st = dvc_lock_find(lock, stage);
		for (size_t k = 0; st != NULL && k < st->ndeps; k++)
			if (st->deps[k].path != NULL &&
			    strcmp(st->deps[k].path, path) == 0)
				return &st->deps[k].meta;
	}
	return NULL;
}

struct facts {
	const struct exp_state *e;
	struct json_writer *w;
	struct map deps;  /* that were told */
	struct map apart; /* outs that are metrics or plots */
	struct buf path;
};

static int
json_dep(struct facts *f, const struct snapshot_pipeline *p,
	 const struct dvc_yaml_stage *st, const struct dvc_yaml_dep *dep)
{
	const struct dvc_meta *m;

	buf_truncate(&f->path, 0);
	if (!dvc_yaml_full(p->yaml, st, dep->path, &f->path))
		buf_adds(&f->path, dep->path);
	if (buf_failed(&f->path))
		return -1;
	if (map_get(&f->deps, f->path.p) != NULL)
		return 0;
	if (map_put(&f->deps, f->path.p, f) < 0)
		return -1;
	m = locked_dep(f->e, p->dir, st->name, dep->path);
	json_key(f->w, f->path.p);
	json_begin_object(f->w);
	json_object(f->w, m != NULL ? &m->md5 : NULL, m != NULL ? m->size : -1,
		    m != NULL ? m->nfiles : -1);
	json_end(f->w);
	return 0;
}

/* Deps are told; which outs are metrics or plots is found. */
static int
json_deps(struct facts *f)
{
	vec_foreach (&f->e->snapshot.pipelines, const struct snapshot_pipeline, p)
		for (size_t i = 0; i < p->yaml->nstages; i++) {
			const struct dvc_yaml_stage *st = &p->yaml->stages[i];

			for (size_t n = 0; !st->many && n < st->ndeps; n++)
				if (json_dep(f, p, st, &st->deps[n]) != 0)
					return -1;
			for (size_t n = 0; !st->many && n < st->nouts; n++) {
				buf_truncate(&f->path, 0);
				if (st->outs[n].kind == DVC_OUT ||
				    !dvc_yaml_full(p->yaml, st, st->outs[n].path,
						   &f->path))
					continue;
				if (buf_failed(&f->path) ||
				    map_put(&f->apart, f->path.p, f) < 0)
					return -1;
			}
		}
	return 0;
}

static void
json_outs(struct facts *f)
{
	const struct track_list *l = f->e->snapshot.list;

	for (size_t i = 0; i < l->n; i++) {
		const struct track_out *o = &l->outs[i];

		if (map_get(&f->apart, o->path) != NULL)
			continue;
		json_key(f->w, o->path);
		json_begin_object(f->w);
		json_object(f->w, &o->id, o->size, o->nfiles);
		json_kv_bool(f->w, "use_cache", o->cache);
		json_kv_bool(f->w, "is_data_source", o->stage == NULL);
		json_end(f->w);
	}
}

/* ---- JSON: states ---- */

static void
json_values(struct json_writer *w, const char *key, const struct tracked_values *v)
{
	json_key(w, key);
	json_begin_object(w);
	vec_foreach (&v->files, const struct tracked_file, f) {
		json_key(w, f->path);
		values_json_file(w, f);
	}
	json_end(w);
}

static int
json_data(const struct exp_state *e, struct json_writer *w)
{
	struct facts f = {.e = e, .w = w};
	time_t t = (time_t)e->time_s;
	char text[64] = "";
	struct tm tm;
	int rc;

	buf_init(&f.path, 0);
	json_begin_object(w);
	json_kv_str(w, "rev", e->rev);
	if (e->time_s != 0 && localtime_r(&t, &tm) != NULL)
		(void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	json_text(w, "timestamp", text[0] != '\0' ? text : NULL);
	json_values(w, "params", &e->params);
	json_values(w, "metrics", &e->metrics);
	json_key(w, "deps");
	json_begin_object(w);
	rc = json_deps(&f);
	json_end(w);
	json_key(w, "outs");
	json_begin_object(w);
	json_outs(&f);
	json_end(w);
	json_key(w, "meta");
	json_begin_object(w);
	json_end(w);
	json_end(w);
	map_release(&f.deps);
	map_release(&f.apart);
	buf_release(&f.path);
	return rc;
}

/* All of a state but what was made from it; the object is left open. */
static int
json_state(const struct exp_state *e, struct json_writer *w)
{
	int rc = 0;

	json_begin_object(w);
	json_kv_str(w, "rev", e->rev);
	json_text(w, "name", e->name);
	json_key(w, "data");
	if (e->failed.code == ERR_NONE)
		rc = json_data(e, w);
	else
		json_put_null(w);
	json_key(w, "error");
	if (e->failed.code == ERR_NONE) {
		json_put_null(w);
	} else {
		json_begin_object(w);
		json_kv_str(w, "msg", e->failed.msg);
		json_kv_str(w, "type", "DvcException");
		json_end(w);
	}
	json_key(w, "experiments");
	return rc;
}

static int
json_child(const struct exp_state *e, struct json_writer *w)
{
	int rc;

	json_begin_object(w);
	json_key(w, "revs");
	json_begin_array(w);
	rc = json_state(e, w);
	json_put_null(w);
	json_end(w);
	json_end(w);
	json_text(w, "executor", NULL);
	json_text(w, "name", e->name);
	json_end(w);
	return rc;
}

int
exp_states_json(struct exp_states *s, struct json_writer *w)
{
	int rc = 0;

	json_begin_array(w);
	for (size_t i = 0; i < s->v.n && rc == 0;) {
		bool any = i + 1 < s->v.n && s->v.v[i + 1]->child;

		rc = json_state(s->v.v[i++], w);
		if (!any)
			json_put_null(w);
		else
			json_begin_array(w);
		while (i < s->v.n && s->v.v[i]->child && rc == 0)
			rc = json_child(s->v.v[i++], w);
		if (any)
			json_end(w);
		json_end(w);
	}
	json_end(w);
	return rc;
}
