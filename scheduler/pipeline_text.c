/*
 * The definition of a pipeline: JSON with one object for each stage, in which everything
 * that has an effect stands, and nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/yaml.h"
#include "scheduler/dag_load.h"
#include "scheduler/pipeline_dag.h"
#include "scheduler/pipeline_int.h"

#include <jansson.h>

#define VERSION 1

static const char head[] = "{\"pipeline\":";

static const char *const kinds[] = {
    [DVC_OUT] = "out", [DVC_METRIC] = "metric", [DVC_PLOT] = "plot"};

/* ---- writing ---- */

static void
put_optional(struct json_writer *w, const char *key, const char *val)
{
	if (val != NULL)
		json_kv_str(w, key, val);
}

static void
put_true(struct json_writer *w, const char *key, bool val)
{
	if (val)
		json_kv_bool(w, key, true);
}

static void
put_strings(struct json_writer *w, const char *const *v, size_t n)
{
	json_begin_array(w);
	for (size_t i = 0; i < n; i++)
		json_str(w, v[i]);
	json_end(w);
}

static void
put_outs(struct json_writer *w, const struct dvc_yaml_stage *s)
{
	json_key(w, "outs");
	json_begin_array(w);
	for (size_t i = 0; i < s->nouts; i++) {
		const struct dvc_yaml_out *o = &s->outs[i];

		json_begin_object(w);
		json_kv_str(w, "path", o->path);
		if (o->kind != DVC_OUT)
			json_kv_str(w, "kind", kinds[o->kind]);
		if (!o->cache)
			json_kv_bool(w, "cache", false);
		put_true(w, "persist", o->persist);
		if (!o->push)
			json_kv_bool(w, "push", false);
		put_optional(w, "remote", o->remote);
		json_end(w);
	}
	json_end(w);
}

static void
put_params(struct json_writer *w, const struct dvc_yaml_stage *s)
{
	json_key(w, "params");
	json_begin_array(w);
	for (size_t i = 0; i < s->nparams; i++) {
		json_begin_object(w);
		json_kv_str(w, "file", s->params[i].file);
		if (!s->params[i].whole) {
			json_key(w, "keys");
			put_strings(w, s->params[i].keys, s->params[i].n);
		}
		json_end(w);
	}
	json_end(w);
}

static void
put_stage(struct json_writer *w, const struct stage_source *src)
{
	const struct dvc_yaml_stage *s = src->stage;
	const struct yaml_node *meta = yaml_get(s->node, "meta"),
			       *policy = meta != NULL ? yaml_get(meta, "dag") : NULL;

	json_begin_object(w);
	json_kv_str(w, "file", src->yaml->name);
	json_kv_str(w, "name", s->name);
	put_optional(w, "group", s->group);
	put_optional(w, "wdir", s->wdir);
	put_true(w, "frozen", s->frozen);
	put_true(w, "always_changed", s->always_changed);
	json_key(w, "cmd");
	if (s->cmd_list)
		put_strings(w, s->cmd, s->ncmd);
	else
		json_str(w, s->cmd[0]);
	json_key(w, "deps");
	json_begin_array(w);
	for (size_t i = 0; i < s->ndeps; i++)
		json_str(w, s->deps[i].path);
	json_end(w);
	if (s->nparams > 0)
		put_params(w, s);
	put_outs(w, s);
	if (policy != NULL) {
		json_key(w, "policy");
		canonical_value(w, policy);
	}
	json_end(w);
}

void
pipeline_put(const struct stage_source *v, size_t n, struct buf *out)
{
	struct json_writer w;

	buf_addf(out, "%s%d,\"stages\":[", head, VERSION);
	for (size_t i = 0; i < n; i++) {
		buf_adds(out, i > 0 ? ",\n" : "\n");
		json_init(&w, out, 0);
		put_stage(&w, &v[i]);
	}
	buf_adds(out, "\n]}\n");
}

/* ---- reading ---- */

/* One reading: what is not as it was written is no definition. */
struct get {
	struct arena *a;
	bool bad, nomem;
};

static const char *
get_text(struct get *g, const json_t *j)
{
	const char *copy;

	if (!json_is_string(j)) {
		g->bad = true;
		return "";
	}
	copy = arena_strndup(g->a, json_string_value(j), json_string_length(j));
	g->nomem = g->nomem || copy == NULL;
	return copy;
}

static const char *
get_optional(struct get *g, const json_t *o, const char *key)
{
	const json_t *j = json_object_get(o, key);

	return j != NULL ? get_text(g, j) : NULL;
}

static const char **
get_strings(struct get *g, const json_t *j, size_t *n)
{
	const char **v;

	*n = json_array_size(j);
	v = arena_array(g->a, *n + 1, sizeof(*v));
	g->bad = g->bad || !json_is_array(j);
	g->nomem = g->nomem || v == NULL;
	for (size_t i = 0; v != NULL && i < *n; i++)
		v[i] = get_text(g, json_array_get(j, i));
	return v;
}

static void
get_deps(struct get *g, const json_t *j, struct dvc_yaml_stage *s)
{
	const char **paths = get_strings(g, j, &s->ndeps);

	s->deps = arena_array(g->a, s->ndeps + 1, sizeof(*s->deps));
	g->nomem = g->nomem || s->deps == NULL;
	for (size_t i = 0; !g->nomem && i < s->ndeps; i++)
		s->deps[i].path = paths[i];
}

static void
get_params(struct get *g, const json_t *j, struct dvc_yaml_stage *s)
{
	s->nparams = json_array_size(j);
	s->params = arena_array(g->a, s->nparams + 1, sizeof(*s->params));
	g->nomem = g->nomem || s->params == NULL;
	for (size_t i = 0; !g->nomem && i < s->nparams; i++) {
		const json_t *o = json_array_get(j, i),
			     *keys = json_object_get(o, "keys");
		struct dvc_yaml_params *p = &s->params[i];

		p->file = get_text(g, json_object_get(o, "file"));
		p->whole = keys == NULL;
		if (keys != NULL)
			p->keys = get_strings(g, keys, &p->n);
	}
}

static enum dvc_out_kind
get_kind(struct get *g, const json_t *o)
{
	const char *word = json_string_value(json_object_get(o, "kind"));

	if (json_object_get(o, "kind") == NULL)
		return DVC_OUT;
	for (int k = DVC_METRIC; word != NULL && k <= DVC_PLOT; k++)
		if (strcmp(word, kinds[k]) == 0)
			return (enum dvc_out_kind)k;
	g->bad = true;
	return DVC_OUT;
}

static void
get_outs(struct get *g, const json_t *j, struct dvc_yaml_stage *s)
{
	s->nouts = json_array_size(j);
	s->outs = arena_array(g->a, s->nouts + 1, sizeof(*s->outs));
	g->nomem = g->nomem || s->outs == NULL;
	for (size_t i = 0; !g->nomem && i < s->nouts; i++) {
		const json_t *o = json_array_get(j, i);

		s->outs[i] = (struct dvc_yaml_out){
		    .path = get_text(g, json_object_get(o, "path")),
		    .kind = get_kind(g, o),
		    .cache = !json_is_false(json_object_get(o, "cache")),
		    .persist = json_is_true(json_object_get(o, "persist")),
		    .push = !json_is_false(json_object_get(o, "push")),
		    .remote = get_optional(g, o, "remote")};
	}
}

/* Not by json_dumps, which leaves out keys where memory runs out. */
static const char *
get_policy(struct get *g, const json_t *j)
{
	const size_t how = JSON_COMPACT | JSON_ENCODE_ANY;
	size_t n = j != NULL ? json_dumpb(j, NULL, 0, how) : 0;
	char *text = n > 0 ? arena_array(g->a, n + 1, 1) : NULL;

	if (text != NULL && json_dumpb(j, text, n, how) != n)
		text = NULL;
	if (text != NULL)
		text[n] = '\0';
	g->nomem = g->nomem || (j != NULL && text == NULL);
	return text;
}

static void
get_stage(struct get *g, const json_t *o, struct pipeline_stage *p)
{
	const json_t *cmd = json_object_get(o, "cmd");
	struct dvc_yaml_stage *s = &p->stage;

	g->bad = g->bad || !json_is_object(o);
	p->file = get_text(g, json_object_get(o, "file"));
	p->policy = get_policy(g, json_object_get(o, "policy"));
	s->name = get_text(g, json_object_get(o, "name"));
	s->group = get_optional(g, o, "group");
	s->wdir = get_optional(g, o, "wdir");
	s->frozen = json_is_true(json_object_get(o, "frozen"));
	s->always_changed = json_is_true(json_object_get(o, "always_changed"));
	s->cmd_list = json_is_array(cmd);
	if (s->cmd_list) {
		s->cmd = get_strings(g, cmd, &s->ncmd);
	} else if ((s->cmd = arena_array(g->a, 2, sizeof(*s->cmd))) != NULL) {
		s->cmd[0] = get_text(g, cmd);
		s->ncmd = 1;
	} else {
		g->nomem = true;
	}
	g->bad = g->bad || s->ncmd == 0 || s->name == NULL || *s->name == '\0';
	get_deps(g, json_object_get(o, "deps"), s);
	if (json_object_get(o, "params") != NULL)
		get_params(g, json_object_get(o, "params"), s);
	get_outs(g, json_object_get(o, "outs"), s);
}

static int
get_stages(struct pipeline_make *m, const json_t *j)
{
	const json_t *list = json_object_get(j, "stages");
	size_t n = json_array_size(list);
	struct get g = {.a = m->arena};

	if (json_integer_value(json_object_get(j, "pipeline")) != VERSION || n == 0 ||
	    n > DAG_TASKS_MAX)
		return err_set(m->err, ERR_CORRUPT,
			       "it is no definition of a pipeline that this version of "
			       "dag knows");
	m->stages = arena_array(m->arena, n, sizeof(*m->stages));
	m->dag->tasks = arena_array(m->arena, n, sizeof(*m->dag->tasks));
	if (m->stages == NULL || m->dag->tasks == NULL)
		return err_nomem(m->err);
	for (size_t i = 0; i < n && !g.nomem && !g.bad; i++)
		get_stage(&g, json_array_get(list, i), &m->stages[i]);
	m->dag->ntasks = n;
	if (g.nomem)
		return err_nomem(m->err);
	return g.bad ? err_set(m->err, ERR_CORRUPT, "it is no definition of a pipeline")
		     : 0;
}

int
pipeline_get(struct pipeline_make *m, const char *text, size_t len)
{
	json_t *j = json_parse(text, len, m->err);
	int rc;

	if (j == NULL)
		return -1;
	rc = get_stages(m, j);
	json_decref(j);
	return rc;
}

bool
pipeline_dag_is(const char *text, size_t len)
{
	return len > sizeof(head) - 1 && memcmp(text, head, sizeof(head) - 1) == 0;
}
