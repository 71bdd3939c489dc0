#include "store/dvc/dvc_yaml.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_read.h"
#include "store/dvc/dvc_yaml_internal.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define OUT(member)   offsetof(struct dvc_yaml_out, member)
#define STAGE(member) offsetof(struct dvc_yaml_stage, member)
#define IGNORED(name)                     \
	{                                 \
		(name), DVC_BY, 0, ignore \
	}

/* What says nothing about files, or is judged in full elsewhere. */
static void
ignore(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	(void)r;
	(void)v;
	(void)into;
}

static const struct dvc_key out_keys[] = {
    {"cache", DVC_BOOL, OUT(cache), NULL},
    {"persist", DVC_BOOL, OUT(persist), NULL},
    {"push", DVC_BOOL, OUT(push), NULL},
    {"remote", DVC_STR, OUT(remote), NULL},
    {"desc", DVC_STR, OUT(desc), NULL},
    {"type", DVC_STR, OUT(type), NULL},
    IGNORED("labels"),
    IGNORED("meta"),
    IGNORED("checkpoint"),
    /* Of plots. */
    IGNORED("template"),
    IGNORED("x"),
    IGNORED("y"),
    IGNORED("x_label"),
    IGNORED("y_label"),
    IGNORED("title"),
    IGNORED("header"),
};

static void
add_out(struct dvc_read *r, struct dvc_yaml_stage *s, const struct yaml_node *path,
	const struct yaml_node *flags, enum dvc_out_kind kind)
{
	struct dvc_yaml_out *o = &s->outs[s->nouts];

	*o = (struct dvc_yaml_out){.path = path->str,
				   .kind = kind,
				   .cache = true,
				   .push = true,
				   .flags = flags,
				   .line = path->line,
				   .col = path->col};
	if (path->len == 0 || path->len > DVC_PATH_MAX || strlen(path->str) != path->len)
		dvc_read_say(r, path, "a path must have 1 to 4,095 bytes");
	else
		s->nouts++;
	if (flags == NULL || flags->kind == YAML_NULL)
		return;
	/* One plot may be drawn in several ways; how it is kept stands in the first. */
	if (kind == DVC_PLOT && flags->kind == YAML_SEQ) {
		for (size_t i = 0; i < flags->seq.n; i++)
			dvc_read_map(r, flags->seq.v[i], "an output", out_keys,
				     COUNT(out_keys), o);
		return;
	}
	dvc_read_map(r, flags, "an output", out_keys, COUNT(out_keys), o);
}

static void
take_list(struct dvc_read *r, const struct yaml_node *v, struct dvc_yaml_stage *s,
	  enum dvc_out_kind kind)
{
	struct dvc_yaml_out *more;
	size_t n = s->nouts;

	if (v->kind == YAML_NULL)
		return;
	if (v->kind != YAML_SEQ) {
		dvc_read_say(r, v, "outputs must be a list, not %s",
			     yaml_kind_name(v->kind));
		return;
	}
	for (size_t i = 0; i < v->seq.n; i++)
		n += v->seq.v[i]->kind == YAML_MAP ? v->seq.v[i]->map.n : 1;
	if (n > DVC_ENTRIES_MAX) {
		dvc_read_say(r, v, "one stage must not have more than 100,000 outputs");
		return;
	}
	more = arena_array(r->a, n + 1, sizeof *more);
	if (more == NULL) {
		r->nomem = true;
		return;
	}
	if (s->nouts != 0)
		memcpy(more, s->outs, s->nouts * sizeof *more);
	s->outs = more;
	for (size_t i = 0; i < v->seq.n; i++) {
		const struct yaml_node *e = v->seq.v[i];

		if (e->kind == YAML_STR)
			add_out(r, s, e, NULL, kind);
		else if (e->kind == YAML_MAP)
			for (size_t k = 0; k < e->map.n; k++)
				add_out(r, s, e->map.v[k].key, e->map.v[k].val, kind);
		else
			dvc_read_say(r, e, "an output must be a path, not %s",
				     yaml_kind_name(e->kind));
	}
}

static void
take_outs(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	take_list(r, v, into, DVC_OUT);
}

static void
take_metrics(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	take_list(r, v, into, DVC_METRIC);
}

static void
take_plots(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	take_list(r, v, into, DVC_PLOT);
}

static void
take_many(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	(void)r;
	(void)v;
	((struct dvc_yaml_stage *)into)->many = true;
}

static const struct dvc_key stage_keys[] = {
    {"matrix", DVC_BY, 0, take_many},
    {"wdir", DVC_STR, STAGE(wdir), NULL},
    {"frozen", DVC_BOOL, STAGE(frozen), NULL},
    {"always_changed", DVC_BOOL, STAGE(always_changed), NULL},
    {"outs", DVC_BY, 0, take_outs},
    {"metrics", DVC_BY, 0, take_metrics},
    {"plots", DVC_BY, 0, take_plots},
    {"cmd", DVC_BY, 0, dvc_yaml_cmd},
    {"deps", DVC_BY, 0, dvc_yaml_deps},
    {"params", DVC_BY, 0, dvc_yaml_params},
    IGNORED("vars"),
    IGNORED("meta"),
    IGNORED("desc"),
};

static void
take_do(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	dvc_read_map(r, v, "'do'", stage_keys, COUNT(stage_keys), into);
}

static const struct dvc_key foreach_keys[] = {
    {"foreach", DVC_BY, 0, take_many},
    {"do", DVC_BY, 0, take_do},
};

static void
take_stage(struct dvc_read *r, const struct yaml_node *v, struct dvc_yaml_stage *s)
{
	if (v->kind == YAML_MAP &&
	    (yaml_get(v, "foreach") != NULL || yaml_get(v, "do") != NULL))
		dvc_read_map(r, v, "a stage with foreach", foreach_keys,
			     COUNT(foreach_keys), s);
	else
		dvc_read_map(r, v, "a stage", stage_keys, COUNT(stage_keys), s);
}

static void
take_stages(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	struct dvc_yaml *y = into;

	if (v->kind == YAML_NULL)
		return;
	if (v->kind != YAML_MAP || v->map.n > DVC_LOCK_STAGE_MAX) {
		dvc_read_say(r, v, "'stages' must be a mapping of up to 100,000 names");
		return;
	}
	y->stages = arena_array(r->a, v->map.n + 1, sizeof *y->stages);
	if (y->stages == NULL) {
		r->nomem = true;
		return;
	}
	for (size_t i = 0; i < v->map.n; i++) {
		struct dvc_yaml_stage *s = &y->stages[y->nstages++];

		s->name = v->map.v[i].key->str;
		s->line = v->map.v[i].key->line;
		s->col = v->map.v[i].key->col;
		s->node = v->map.v[i].val;
		take_stage(r, s->node, s);
	}
}

static const struct dvc_key top_keys[] = {
    {"stages", DVC_BY, 0, take_stages},
    {"artifacts", DVC_MAP, offsetof(struct dvc_yaml, artifacts), NULL},
    {"params", DVC_ANY, offsetof(struct dvc_yaml, params), NULL},
    {"metrics", DVC_ANY, offsetof(struct dvc_yaml, metrics), NULL},
    {"plots", DVC_ANY, offsetof(struct dvc_yaml, plots), NULL},
    IGNORED("vars"),
    IGNORED("datasets"),
};

void
dvc_yaml_take(struct dvc_read *r, const struct yaml_node *top, struct dvc_yaml *y)
{
	y->nstages = 0;
	if (top->kind != YAML_NULL)
		dvc_read_map(r, top, "dvc.yaml", top_keys, COUNT(top_keys), y);
}

int
dvc_yaml_make(const char *name, const char *text, size_t len, struct diag *d,
	      struct dvc_yaml_how *how, struct dvc_yaml **out, struct err *err)
{
	struct arena *a = arena_new(0);
	struct dvc_yaml *y = a != NULL ? arena_zalloc(a, sizeof *y) : NULL;
	struct dvc_read r = {.a = a};
	struct dvc_source source;
	int rc;

	*out = NULL;
	if (y == NULL) {
		arena_free(a);
		return err_nomem(err);
	}
	y->arena = a;
	how->y = y;
	rc = dvc_read_keep(&r, name, text, len, DVC_YAML_MAX, &source, err);
	y->name = source.name;
	y->dir = source.dir;
	y->text = source.text;
	if (rc == 0)
		rc = dvc_read_file(&r, y->name, y->text, len, d, err, how->take, how);
	if (rc != 0 && d == NULL)
		dvc_yaml_free(y);
	else
		*out = y;
	return rc;
}

static void
take_top(struct dvc_read *r, const struct yaml_node *top, void *how)
{
	dvc_yaml_take(r, top, ((struct dvc_yaml_how *)how)->y);
}

int
dvc_yaml_parse(const char *name, const char *text, size_t len, struct diag *d,
	       struct dvc_yaml **out, struct err *err)
{
	struct dvc_yaml_how how = {.take = take_top};

	return dvc_yaml_make(name, text, len, d, &how, out, err);
}

int
dvc_yaml_read(int dirfd, const char *name, struct diag *d, struct dvc_yaml **out,
	      struct err *err)
{
	struct buf text;
	int rc;

	*out = NULL;
	buf_init(&text, DVC_YAML_MAX);
	rc = fsio_read(dirfd, name, DVC_YAML_MAX, &text, err);
	if (rc == 0)
		rc = dvc_yaml_parse(name, text.p, text.n, d, out, err);
	buf_release(&text);
	return rc;
}

void
dvc_yaml_free(struct dvc_yaml *y)
{
	if (y != NULL)
		arena_free(y->arena);
}
