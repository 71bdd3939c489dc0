#include "store/pipeline/expand.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/dvc/dvc_read.h"
#include "store/pipeline/expand_internal.h"

/* ---- one stage ---- */

static int
nomem(struct expansion *e)
{
	e->x.r->nomem = true;
	return -1;
}

static void
put_pair(struct yaml_node *map, struct yaml_node *key, struct yaml_node *val)
{
	map->map.v[map->map.n].key = key;
	map->map.v[map->map.n++].val = val;
}

/* The stage's own variables; its working directory says where their files are. */
static int
load_vars(struct expansion *e, const char *name, struct yaml_node *def)
{
	struct yaml_node *wdir = yaml_get(def, "wdir");
	struct yaml_node *at = NULL;
	struct buf dir, where;
	int rc = 0;

	if (wdir != NULL && wdir->kind == YAML_STR)
		rc = interpolate(&e->x, wdir, "wdir", &at);
	if (rc != 0)
		return rc;
	buf_init(&dir, 0);
	buf_init(&where, 0);
	path_join(&dir, e->x.r->dir,
		  at != NULL && at->kind == YAML_STR && at->len != 0 ? at->str : ".");
	buf_addf(&where, "stages.%s.vars", name);
	rc = buf_failed(&dir) || buf_failed(&where)
		 ? nomem(e)
		 : context_vars(e->x.c, yaml_get(def, "vars"), dir.p, where.p);
	buf_release(&where);
	buf_release(&dir);
	return rc;
}

static int
put_stage(struct expansion *e, const char *name, struct yaml_node *def,
	  struct yaml_node **out)
{
	struct yaml_node *map = value_map(e->x.r->a, def->map.n, def);
	int rc = map != NULL ? 0 : nomem(e);

	if (rc == 0 && yaml_get(def, "vars") != NULL)
		rc = load_vars(e, name, def);
	if (rc == 0)
		map->map.n = 0;
	e->x.stage = true;
	for (size_t i = 0; i < def->map.n && rc == 0; i++) {
		struct yaml_node *key = def->map.v[i].key;
		struct yaml_node *val;

		if (strcmp(key->str, "vars") == 0 || strcmp(key->str, "matrix") == 0)
			continue;
		rc = interpolate(&e->x, def->map.v[i].val, key->str, &val);
		if (rc == 0)
			put_pair(map, key, val);
	}
	e->x.stage = false;
	*out = map;
	return rc;
}

int
expand_stage(struct expansion *e, struct yaml_node *at, const char *name,
	     struct yaml_node *def)
{
	struct context *c = e->x.c;
	size_t mark = context_mark(c);
	struct yaml_pair p;
	int rc = 0;

	if (e->stages.n == PIPELINE_STAGES_MAX) {
		dvc_read_say(e->x.r, at,
			     "one file must not have more than 100,000 stages");
		return 1;
	}
	if (map_get(&e->names, name) != NULL) {
		dvc_read_say(e->x.r, at, "there are two stages '%.200s'", name);
		return 1;
	}
	/* What a stage's vars say is nobody else's business. */
	if (yaml_get(def, "vars") != NULL)
		e->x.c = context_clone(c);
	p.key = value_str(e->x.r->a, name, strlen(name), at);
	if (e->x.c == NULL || p.key == NULL)
		rc = nomem(e);
	if (rc == 0)
		rc = put_stage(e, name, def, &p.val);
	if (rc == 0 &&
	    (vec_push(&e->stages, p) != 0 || map_put(&e->names, p.key->str, p.key) < 0))
		rc = nomem(e);
	if (e->x.c != c)
		context_free(e->x.c);
	e->x.c = c;
	context_forget(c, mark);
	return rc;
}

static int
expand_definition(struct expansion *e, const struct yaml_pair *p)
{
	struct yaml_node *def = p->val;

	if (yaml_get(def, "foreach") != NULL)
		return expand_foreach(e, p);
	if (interpolate_check(&e->x, def) != 0)
		return 1;
	if (yaml_get(def, "matrix") != NULL)
		return expand_matrix(e, p);
	return expand_stage(e, p->key, p->key->str, def);
}

/* ---- the file ---- */

/* All that can be told is told: a mistake in one stage does not hide those in the next. */
static int
expand_stages(struct expansion *e, struct yaml_node *stages, struct yaml_node **out)
{
	bool bad = false;
	int rc = 0;

	for (size_t i = 0; stages->kind == YAML_MAP && i < stages->map.n && rc >= 0;
	     i++) {
		rc = expand_definition(e, &stages->map.v[i]);
		bad = bad || rc != 0;
	}
	if (rc < 0 || bad)
		return rc < 0 ? -1 : 1;
	*out = value_map(e->x.r->a, e->stages.n, stages);
	if (*out == NULL)
		return nomem(e);
	if (e->stages.n != 0)
		memcpy((*out)->map.v, e->stages.v, e->stages.n * sizeof *e->stages.v);
	return 0;
}

static int
expand_sections(struct expansion *e, struct yaml_node *top, struct yaml_node **out)
{
	struct yaml_node *map = value_map(e->x.r->a, top->map.n, top), *val;
	bool bad = false;
	int rc = map != NULL ? 0 : nomem(e);

	if (map != NULL)
		map->map.n = 0;
	for (size_t i = 0; i < top->map.n && rc >= 0; i++) {
		struct yaml_node *key = top->map.v[i].key, *v = top->map.v[i].val;

		if (strcmp(key->str, "vars") == 0)
			continue;
		if (strcmp(key->str, "stages") == 0)
			rc = expand_stages(e, v, &val);
		else if ((rc = interpolate_check(&e->x, v)) == 0)
			rc = interpolate(&e->x, v, NULL, &val);
		if (rc == 0)
			put_pair(map, key, val);
		bad = bad || rc != 0;
	}
	*out = map;
	return rc < 0 ? -1 : bad;
}

/* Values that templates may use are read as DVC reads them. */
static int
settle_vars(struct expansion *e, struct yaml_node *top)
{
	static const char *const lists[] = {"vars", "foreach", "matrix", NULL};
	struct yaml_node *stages = yaml_get(top, "stages");
	struct yaml_node *v = yaml_get(top, "vars");
	int rc = v != NULL ? value_settle(e->x.r->a, v, e->x.r->d, e->x.r->file) : 0;

	for (size_t i = 0;
	     stages != NULL && stages->kind == YAML_MAP && i < stages->map.n; i++)
		for (size_t k = 0; lists[k] != NULL && rc == 0; k++) {
			v = yaml_get(stages->map.v[i].val, lists[k]);
			if (v != NULL)
				rc = value_settle(e->x.r->a, v, e->x.r->d, e->x.r->file);
		}
	return rc == 0 ? 0 : nomem(e);
}

int
expand(struct dvc_read *r, const char *text, const struct pipeline_files *files,
       struct yaml_node *top, struct yaml_node **out)
{
	struct expansion e = {.x = {.r = r, .text = text}};
	int rc;

	*out = top;
	if (top->kind != YAML_MAP)
		return 0;
	e.x.c = context_new(r, files);
	rc = e.x.c != NULL ? settle_vars(&e, top) : nomem(&e);
	if (rc == 0)
		rc = context_default(e.x.c);
	if (rc == 0)
		rc = context_vars(e.x.c, yaml_get(top, "vars"), r->dir, "vars");
	if (rc == 0)
		rc = expand_sections(&e, top, out);
	context_free(e.x.c);
	map_release(&e.names);
	vec_release(&e.stages);
	return rc;
}
