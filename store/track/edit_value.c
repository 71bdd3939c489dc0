#include "store/track/edit_value.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/dvc/dvc_yaml.h"
#include "store/dvc/relpath.h"
#include "store/dvc/yaml_doc.h"
#include "store/track/edit_stage.h"

#define DEFAULT_PARAMS "params.yaml"

struct making {
	struct yaml_doc *doc;
	const struct edit_entry *e;
	struct arena *arena;
	struct buf wdir; /* of the stage, as edit_place has it */
	struct err *err;
};

/* A path as it is written: one in the repository that is absolute, as seen from the stage. */
static const char *
written(struct making *m, const char *path)
{
	const char *text = path;
	struct buf full, seen;

	if (*path != '/')
		return path;
	buf_init(&full, 0);
	buf_init(&seen, 0);
	edit_place(m->e->root, ".", path, &full);
	if (*full.p != '/' && strcmp(full.p, ".") != 0) {
		dvc_relpath(&seen, m->wdir.p, full.p);
		text = arena_strdup(m->arena, seen.p);
	}
	if (buf_failed(&full) || buf_failed(&seen))
		text = NULL;
	buf_release(&seen);
	buf_release(&full);
	return text;
}

static int
text_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct yaml_val *
sorted_list(struct making *m, const char **v, size_t n)
{
	struct yaml_val *list = yaml_val_seq(m->doc);

	if (n > 1)
		qsort(v, n, sizeof(*v), text_cmp);
	for (size_t i = 0; i < n; i++)
		yaml_val_add(m->doc, list, yaml_val_str(m->doc, v[i]));
	return list;
}

/* ---- what it does and needs ---- */

static struct yaml_val *
cmd_of(struct making *m)
{
	const struct dvc_yaml_stage *s = m->e->stage;
	struct yaml_val *list;

	if (!s->cmd_list)
		return s->ncmd > 0 ? yaml_val_str(m->doc, s->cmd[0])
				   : yaml_val_null(m->doc);
	list = yaml_val_seq(m->doc);
	for (size_t i = 0; i < s->ncmd; i++)
		yaml_val_add(m->doc, list, yaml_val_str(m->doc, s->cmd[i]));
	return list;
}

/* Where it works, if that is elsewhere than its file lies. */
static void
put_wdir(struct making *m, struct yaml_val *to)
{
	const char *base = path_basename(m->e->file);
	size_t n = (size_t)(base - m->e->file);
	const char *dir = n > 1 ? arena_strndup(m->arena, m->e->file, n - 1) : ".";
	struct buf b;

	buf_init(&b, 0);
	if (dir == NULL || *m->wdir.p == '/')
		buf_add(&b, m->wdir.p, m->wdir.n);
	else
		dvc_relpath(&b, dir, m->wdir.p);
	if (dir == NULL || buf_failed(&b))
		yaml_val_put(m->doc, to, "wdir", NULL);
	else if (strcmp(b.p, ".") != 0)
		yaml_val_put(m->doc, to, "wdir", yaml_val_strn(m->doc, b.p, b.n));
	buf_release(&b);
}

static int
put_deps(struct making *m, struct yaml_val *to)
{
	const struct dvc_yaml_stage *s = m->e->stage;
	const char **v = arena_array(m->arena, s->ndeps + 1, sizeof(*v));

	if (v == NULL)
		return err_nomem(m->err);
	for (size_t i = 0; i < s->ndeps; i++)
		if ((v[i] = written(m, s->deps[i].path)) == NULL)
			return err_nomem(m->err);
	if (s->ndeps > 0)
		yaml_val_put(m->doc, to, "deps", sorted_list(m, v, s->ndeps));
	return 0;
}

/* A file of params with its name as it is written. */
struct file {
	const char *name;
	const struct dvc_yaml_params *p;
};

static int
file_cmp(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static int
add_file(struct making *m, const struct file *f, struct yaml_val *keys,
	 struct yaml_val *others)
{
	bool is_default = strcmp(f->name, DEFAULT_PARAMS) == 0 && f->p->n > 0;
	const char **v = arena_array(m->arena, f->p->n + 1, sizeof(*v));
	struct yaml_val *list, *map;

	if (v == NULL)
		return err_nomem(m->err);
	if (f->p->n > 0)
		memcpy(v, f->p->keys, f->p->n * sizeof(*v));
	list = f->p->n > 0 ? sorted_list(m, v, f->p->n) : yaml_val_null(m->doc);
	for (size_t i = 0; is_default && i < f->p->n; i++)
		yaml_val_add(m->doc, keys, yaml_val_at(list, i));
	if (!is_default) {
		map = yaml_val_map(m->doc);
		yaml_val_put(m->doc, map, f->name, list);
		yaml_val_add(m->doc, others, map);
	}
	return 0;
}

/* Keys of params.yaml first, then the other files by name. */
static int
put_params(struct making *m, struct yaml_val *to)
{
	const struct dvc_yaml_stage *s = m->e->stage;
	struct file *v = arena_array(m->arena, s->nparams + 1, sizeof(*v));
	struct yaml_val *all = yaml_val_seq(m->doc), *others = yaml_val_seq(m->doc);

	if (v == NULL)
		return err_nomem(m->err);
	for (size_t i = 0; i < s->nparams; i++) {
		v[i] = (struct file){written(m, s->params[i].file), &s->params[i]};
		if (v[i].name == NULL)
			return err_nomem(m->err);
	}
	if (s->nparams > 1)
		qsort(v, s->nparams, sizeof(*v), file_cmp);
	for (size_t i = 0; i < s->nparams; i++)
		if (add_file(m, &v[i], all, others) != 0)
			return -1;
	for (size_t i = 0; i < yaml_val_count(others); i++)
		yaml_val_add(m->doc, all, yaml_val_at(others, i));
	if (yaml_val_count(all) > 0)
		yaml_val_put(m->doc, to, "params", all);
	return 0;
}

/* ---- what it makes ---- */

struct out {
	const char *path; /* as it is written */
	const struct dvc_yaml_out *o;
	size_t at;
};

static int
out_cmp(const void *a, const void *b)
{
	const struct out *x = a, *y = b;
	int r = strcmp(x->path, y->path);

	return r != 0 ? r : (x->at > y->at) - (x->at < y->at);
}

/* The output of the stage that was there, whose flags stay. */
static const struct dvc_yaml_out *
old_out(struct making *m, const char *path)
{
	const struct dvc_yaml_stage *old = m->e->old;
	const char *name;

	for (size_t i = 0; old != NULL && i < old->nouts; i++) {
		name = written(m, old->outs[i].path);
		if (name != NULL && strcmp(name, path) == 0)
			return &old->outs[i];
	}
	return NULL;
}

static void
put_flags(struct making *m, struct yaml_val *to, const struct yaml_node *flags,
	  const char *const *names, size_t n)
{
	const struct yaml_node *node;
	struct yaml_val *v;

	for (size_t i = 0; flags != NULL && i < n; i++) {
		node = yaml_get(flags, names[i]);
		v = node != NULL ? yaml_val_from(m->doc, node) : NULL;
		if (v != NULL && !yaml_val_is_false(v))
			yaml_val_put(m->doc, to, names[i], v);
	}
}

/* How a plot is drawn is said as it is, false too. */
static void
put_drawing(struct making *m, struct yaml_val *to, const struct yaml_node *flags)
{
	static const char *const names[] = {"template", "x",	 "y",	  "x_label",
					    "y_label",	"title", "header"};
	const struct yaml_node *node;

	for (size_t i = 0; flags != NULL && i < sizeof(names) / sizeof(*names); i++)
		if ((node = yaml_get(flags, names[i])) != NULL)
			yaml_val_put(m->doc, to, names[i], yaml_val_from(m->doc, node));
}

static struct yaml_val *
out_value(struct making *m, const struct out *x)
{
	static const char *const notes[] = {"desc", "type", "labels", "meta"};
	const struct dvc_yaml_out *old = old_out(m, x->path);
	struct yaml_val *flags = yaml_val_map(m->doc), *v;

	put_flags(m, flags, old != NULL ? old->flags : NULL, notes,
		  sizeof(notes) / sizeof(*notes));
	if (!x->o->cache)
		yaml_val_put(m->doc, flags, "cache", yaml_val_bool(m->doc, false));
	if (x->o->persist)
		yaml_val_put(m->doc, flags, "persist", yaml_val_bool(m->doc, true));
	if (x->o->kind == DVC_PLOT)
		put_drawing(m, flags, x->o->flags);
	if (old != NULL && old->remote != NULL && *old->remote != '\0')
		yaml_val_put(m->doc, flags, "remote", yaml_val_str(m->doc, old->remote));
	if (old != NULL && !old->push)
		yaml_val_put(m->doc, flags, "push", yaml_val_bool(m->doc, false));
	if (yaml_val_count(flags) == 0)
		return yaml_val_str(m->doc, x->path);
	v = yaml_val_map(m->doc);
	yaml_val_put(m->doc, v, x->path, flags);
	return v;
}

static int
put_outs(struct making *m, struct yaml_val *to)
{
	static const char *const keys[] = {"outs", "metrics", "plots"};
	const struct dvc_yaml_stage *s = m->e->stage;
	struct out *v = arena_array(m->arena, s->nouts + 1, sizeof(*v));
	struct yaml_val *lists[3];

	if (v == NULL)
		return err_nomem(m->err);
	for (size_t i = 0; i < s->nouts; i++) {
		const struct yaml_node *flags = s->outs[i].flags;

		v[i] = (struct out){written(m, s->outs[i].path), &s->outs[i], i};
		if (v[i].path == NULL)
			return err_nomem(m->err);
		if (flags != NULL && flags->kind == YAML_SEQ)
			return err_set(m->err, ERR_INVALID,
				       "stage '%s' draws '%s' in several ways, which DVC "
				       "does not know: it has to be changed by hand",
				       s->name, v[i].path);
	}
	if (s->nouts > 1)
		qsort(v, s->nouts, sizeof(*v), out_cmp);
	for (size_t k = 0; k < 3; k++) {
		lists[k] = yaml_val_seq(m->doc);
		for (size_t i = 0; i < s->nouts; i++)
			if ((size_t)v[i].o->kind == k)
				yaml_val_add(m->doc, lists[k], out_value(m, &v[i]));
		if (yaml_val_count(lists[k]) > 0)
			yaml_val_put(m->doc, to, keys[k], lists[k]);
	}
	return 0;
}

/* ---- all of it ---- */

static int
put_all(struct making *m, struct yaml_val *to)
{
	static const char *const desc[] = {"desc"}, *const meta[] = {"meta"};
	const struct dvc_yaml_stage *s = m->e->stage, *old = m->e->old;

	if (old != NULL)
		put_flags(m, to, old->node, desc, 1);
	else if (m->e->desc != NULL && *m->e->desc != '\0')
		yaml_val_put(m->doc, to, "desc", yaml_val_str(m->doc, m->e->desc));
	yaml_val_put(m->doc, to, "cmd", cmd_of(m));
	put_wdir(m, to);
	if (put_deps(m, to) != 0 || put_params(m, to) != 0 || put_outs(m, to) != 0)
		return -1;
	if (s->frozen)
		yaml_val_put(m->doc, to, "frozen", yaml_val_bool(m->doc, true));
	if (s->always_changed)
		yaml_val_put(m->doc, to, "always_changed", yaml_val_bool(m->doc, true));
	if (old != NULL)
		put_flags(m, to, old->node, meta, 1);
	return 0;
}

int
edit_value(struct yaml_doc *doc, const struct edit_entry *e, struct yaml_val **out,
	   struct err *err)
{
	struct making m = {.doc = doc, .e = e, .arena = arena_new(0), .err = err};
	struct yaml_val *v = yaml_val_map(doc);
	int rc;

	buf_init(&m.wdir, 0);
	edit_wdir(e->root, e->file, e->stage, &m.wdir);
	if (m.arena == NULL || v == NULL || buf_failed(&m.wdir))
		rc = err_nomem(err);
	else
		rc = put_all(&m, v);
	*out = v;
	buf_release(&m.wdir);
	arena_free(m.arena);
	return rc;
}
