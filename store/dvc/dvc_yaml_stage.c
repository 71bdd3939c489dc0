/* What a stage does and depends on: cmd, deps and params. */
#include <string.h>

#include "base/arena.h"
#include "base/yaml.h"
#include "store/dvc/dvc_out.h"
#include "store/dvc/dvc_read.h"
#include "store/dvc/dvc_yaml_internal.h"

#define DEFAULT_PARAMS "params.yaml"

static bool
is_text(struct dvc_read *r, const struct yaml_node *n, const char *what)
{
	if (n->kind == YAML_STR && n->len != 0 && strlen(n->str) == n->len)
		return true;
	dvc_read_say(r, n, "%s must be a text, not %s", what,
		     n->kind == YAML_STR ? "an empty one or one with a NUL"
					 : yaml_kind_name(n->kind));
	return false;
}

/* An array of ${n}, at most DVC_ENTRIES_MAX; NULL where a mistake was told or memory ran out. */
static void *
make_array(struct dvc_read *r, const struct yaml_node *at, size_t n, size_t size)
{
	void *v;

	if (n > DVC_ENTRIES_MAX) {
		dvc_read_say(r, at, "a list must not have more than 100,000 entries");
		return NULL;
	}
	v = arena_array(r->a, n + 1, size);
	r->nomem = r->nomem || v == NULL;
	return v;
}

void
dvc_yaml_cmd(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	struct dvc_yaml_stage *s = into;
	size_t n = v->kind == YAML_SEQ ? v->seq.n : 1;

	s->cmd_list = v->kind == YAML_SEQ;
	s->cmd = make_array(r, v, n, sizeof *s->cmd);
	for (size_t i = 0; s->cmd != NULL && i < n; i++) {
		const struct yaml_node *e = s->cmd_list ? v->seq.v[i] : v;

		if (is_text(r, e, "a command"))
			s->cmd[s->ncmd++] = e->str;
	}
}

void
dvc_yaml_deps(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	struct dvc_yaml_stage *s = into;

	if (v->kind == YAML_NULL)
		return;
	if (v->kind != YAML_SEQ) {
		dvc_read_say(r, v, "deps must be a list, not %s",
			     yaml_kind_name(v->kind));
		return;
	}
	s->deps = make_array(r, v, v->seq.n, sizeof *s->deps);
	for (size_t i = 0; s->deps != NULL && i < v->seq.n; i++) {
		const struct yaml_node *e = v->seq.v[i];

		if (is_text(r, e, "a dependency"))
			s->deps[s->ndeps++] = (struct dvc_yaml_dep){
			    .path = e->str, .line = e->line, .col = e->col};
	}
}

/* ---- params ---- */

/* The entry of a file, made where there is none; NULL if memory runs out. */
static struct dvc_yaml_params *
params_of(struct dvc_read *r, struct dvc_yaml_stage *s, const char *file,
	  const struct yaml_node *at)
{
	struct dvc_yaml_params *more, *p;

	for (size_t i = 0; i < s->nparams; i++)
		if (strcmp(s->params[i].file, file) == 0)
			return &s->params[i];
	more = arena_array(r->a, s->nparams + 1, sizeof *more);
	if (more == NULL) {
		r->nomem = true;
		return NULL;
	}
	if (s->nparams != 0)
		memcpy(more, s->params, s->nparams * sizeof *more);
	s->params = more;
	p = &more[s->nparams++];
	p->file = file;
	p->line = at->line;
	p->col = at->col;
	return p;
}

static void
add_key(struct dvc_read *r, struct dvc_yaml_params *p, const char *key)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->keys[i], key) == 0)
			return;
	/* Room for a power of two. */
	if ((p->n & (p->n - 1)) == 0) {
		const char **more =
		    arena_array(r->a, p->n == 0 ? 1 : 2 * p->n, sizeof *more);

		if (more == NULL) {
			r->nomem = true;
			return;
		}
		if (p->n != 0)
			memcpy(more, p->keys, p->n * sizeof *more);
		p->keys = more;
	}
	p->keys[p->n++] = key;
}

static void
take_keys(struct dvc_read *r, struct dvc_yaml_stage *s, const struct yaml_node *file,
	  const struct yaml_node *keys)
{
	struct dvc_yaml_params *p = is_text(r, file, "a file of params")
					? params_of(r, s, file->str, file)
					: NULL;

	if (p == NULL)
		return;
	if (keys->kind == YAML_NULL || (keys->kind == YAML_SEQ && keys->seq.n == 0)) {
		p->whole = true;
		return;
	}
	if (keys->kind != YAML_SEQ) {
		dvc_read_say(r, keys, "params of a file must be a list of keys, not %s",
			     yaml_kind_name(keys->kind));
		return;
	}
	for (size_t i = 0; i < keys->seq.n && !r->nomem; i++)
		if (is_text(r, keys->seq.v[i], "a param"))
			add_key(r, p, keys->seq.v[i]->str);
}

/*
 * "lr" is of params.yaml; a file may be named several times, and all of it wins over some of
 * its keys.
 */
void
dvc_yaml_params(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	struct dvc_yaml_stage *s = into;
	struct dvc_yaml_params *p;

	if (v->kind == YAML_NULL)
		return;
	if (v->kind != YAML_SEQ) {
		dvc_read_say(r, v, "params must be a list, not %s",
			     yaml_kind_name(v->kind));
		return;
	}
	for (size_t i = 0; i < v->seq.n && !r->nomem; i++) {
		const struct yaml_node *e = v->seq.v[i];

		if (e->kind == YAML_MAP) {
			for (size_t k = 0; k < e->map.n; k++)
				take_keys(r, s, e->map.v[k].key, e->map.v[k].val);
		} else if (is_text(r, e, "a param") &&
			   (p = params_of(r, s, DEFAULT_PARAMS, e)) != NULL) {
			add_key(r, p, e->str);
		}
	}
	for (size_t i = 0; i < s->nparams; i++)
		if (s->params[i].whole)
			s->params[i].n = 0;
}
