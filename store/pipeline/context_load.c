/* What fills a context: params.yaml and the lists under `vars`. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/dvc/dvc_read.h"
#include "store/pipeline/context_internal.h"
#include "store/pipeline/interpolate.h"
#include "store/pipeline/params_file.h"

#define DEFAULT_FILE "params.yaml"

/* One entry of a list of vars. */
struct load {
	struct context *c;
	struct yaml_node *node; /* where mistakes are told */
	const char *what;	/* as the user wrote it */
};

static void
put_name(struct variable *v, struct buf *b)
{
	if (v->up != NULL && v->up->name != NULL) {
		put_name(v->up, b);
		buf_addc(b, '.');
	}
	buf_add(b, v->name, v->len);
}

static int
redefined(struct load *l, struct variable *v, const char *source)
{
	struct buf name;

	buf_init(&name, 0);
	put_name(v, &name);
	dvc_read_say(l->c->r, l->node, "'%.200s' of %.100s is defined already, in %.100s",
		     name.p, source, v->source != NULL ? v->source : "vars");
	buf_release(&name);
	return 1;
}

static void
outdate(struct variable *v)
{
	for (; v != NULL; v = v->up)
		v->merged = v->stale = true;
}

static int
merge(struct load *l, struct variable *into, struct yaml_node *from, const char *source)
{
	int rc = variable_open(l->c, into);

	outdate(into);
	for (size_t i = 0; i < from->map.n && rc == 0; i++) {
		struct yaml_node *k = from->map.v[i].key, *v = from->map.v[i].val;
		struct variable *there;

		if (k->kind != YAML_STR)
			continue;
		there = map_getn(&into->members, k->str, k->len);
		if (there == NULL)
			rc = variable_put(l->c, into, k, v, source);
		else if (there->val->kind == YAML_MAP && v->kind == YAML_MAP)
			rc = merge(l, there, v, source);
		else
			rc = redefined(l, there, source);
	}
	return rc;
}

static int
merge_all(struct load *l, struct yaml_node *from, const char *source)
{
	struct context *c = l->c;

	if ((c->item != NULL && yaml_get(from, "item") != NULL) ||
	    (c->key != NULL && yaml_get(from, "key") != NULL)) {
		dvc_read_say(
		    c->r, l->node,
		    "%.200s must not define '%s': it stands for what the stage is "
		    "made for",
		    source,
		    c->item != NULL && yaml_get(from, "item") != NULL ? "item" : "key");
		return 1;
	}
	return merge(l, &c->root, from, source);
}

/* ---- files ---- */

#define ABSENT 2

/* The file's tree, read once: 0; 1 if it has mistakes; 1 where it is not there, or ABSENT
 * where it need not be. */
static int
read_params(struct load *l, const char *path, bool maybe, struct yaml_node **out)
{
	struct context *c = l->c;
	struct yaml_node *top = NULL;
	struct err err = {0};
	struct buf text;
	const char *copy;
	int rc;

	*out = map_get(c->read, path);
	if (*out != NULL)
		return 0;
	if (c->files->python != NULL && params_is_python(path))
		*c->files->python = true;
	buf_init(&text, PIPELINE_PARAMS_MAX);
	rc = c->files->read(c->files->arg, path, PIPELINE_PARAMS_MAX, &text, &err);
	if (rc < 0 && err.code == ERR_NOMEM)
		c->r->nomem = true;
	else if (rc < 0 || (rc == 0 && !maybe))
		dvc_read_say(c->r, l->node, "%s: %s", path,
			     rc < 0 ? err.msg : "there is no such file");
	if (rc == 1) {
		copy = arena_strndup(c->r->a, text.p, text.n);
		rc = copy != NULL
			 ? params_parse(c->r->a, c->r->d, path, copy, text.n, &top)
			 : -1;
		if (rc < 0 || (rc == 0 && map_put(c->read, path, top) < 0)) {
			c->r->nomem = true;
			rc = -1;
		}
	} else {
		rc = c->r->nomem ? -1 : rc == 0 && maybe ? ABSENT : 1;
	}
	buf_release(&text);
	*out = rc == 0 ? top : NULL;
	return rc;
}

static bool
has_key(const struct import *im, const char *key, size_t len)
{
	for (size_t i = 0; i < im->n; i++)
		if (strlen(im->keys[i]) == len && memcmp(im->keys[i], key, len) == 0)
			return true;
	return false;
}

/* The keys behind the colon: "a,b"; empty ones do not count. */
static int
split_keys(struct context *c, const char *text, struct import *im)
{
	size_t most = 1;

	for (const char *p = text; *p != '\0'; p++)
		most += *p == ',';
	im->keys = arena_array(c->r->a, most, sizeof *im->keys);
	for (const char *p = text; im->keys != NULL; p++) {
		size_t n = strcspn(p, ",");

		if (n != 0) {
			im->keys[im->n] = arena_strndup(c->r->a, p, n);
			if (im->keys[im->n++] == NULL)
				im->keys = NULL;
		}
		p += n;
		if (*p == '\0')
			break;
	}
	if (im->keys == NULL)
		c->r->nomem = true;
	im->whole = im->n == 0;
	return im->keys != NULL ? 0 : -1;
}

/* Only the keys that are asked for. */
static int
choose(struct load *l, const char *path, const struct import *im, struct yaml_node **top)
{
	struct yaml_node *some = value_map(l->c->r->a, im->n, *top);

	if (some == NULL) {
		l->c->r->nomem = true;
		return -1;
	}
	for (size_t i = 0; i < im->n; i++) {
		struct yaml_node *v = yaml_get(*top, im->keys[i]);

		if (v == NULL) {
			dvc_read_say(l->c->r, l->node, "there is no '%.200s' in %.200s",
				     im->keys[i], path);
			return 1;
		}
		some->map.v[i].key =
		    value_str(l->c->r->a, im->keys[i], strlen(im->keys[i]), v);
		some->map.v[i].val = v;
		if (some->map.v[i].key == NULL) {
			l->c->r->nomem = true;
			return -1;
		}
	}
	*top = some;
	return 0;
}

/* Whether what is asked for was loaded before, which is a mistake unless all was, twice. */
static int
check_loaded(struct load *l, const struct import *was, const struct import *im)
{
	bool twice = false;

	for (size_t i = 0; i < im->n; i++)
		twice = twice || has_key(was, im->keys[i], strlen(im->keys[i]));
	if (was->whole && !im->whole)
		dvc_read_say(l->c->r, l->node, "all of %.200s is loaded already",
			     l->what);
	else if (!was->whole && im->whole)
		dvc_read_say(l->c->r, l->node, "a part of %.200s is loaded already",
			     l->what);
	else if (twice)
		dvc_read_say(l->c->r, l->node, "%.200s is loaded already", l->what);
	else
		return 0;
	return 1;
}

static int
keep_import(struct context *c, const char *path, const struct import *was,
	    const struct import *im)
{
	struct import *both = arena_zalloc(c->r->a, sizeof *both);
	size_t n = was != NULL ? was->n : 0;

	if (both != NULL)
		both->keys = arena_array(c->r->a, n + im->n + 1, sizeof *both->keys);
	if (both == NULL || both->keys == NULL || map_put(&c->imports, path, both) < 0) {
		c->r->nomem = true;
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		both->keys[both->n++] = was->keys[i];
	for (size_t i = 0; i < im->n; i++)
		both->keys[both->n++] = im->keys[i];
	both->whole = im->whole;
	return 0;
}

static int
load_file(struct load *l, const char *path, const char *keys, bool maybe)
{
	struct context *c = l->c;
	const struct import *was = map_get(&c->imports, path);
	struct yaml_node *top;
	struct import im = {0};
	int rc;

	if (split_keys(c, keys, &im) != 0)
		return -1;
	if (was != NULL && was->whole && im.whole)
		return 0;
	if (was != NULL && check_loaded(l, was, &im) != 0)
		return 1;
	rc = read_params(l, path, maybe, &top);
	if (rc != 0)
		return rc;
	if (top->kind != YAML_MAP) {
		dvc_read_say(c->r, l->node, "%.200s must hold a mapping, not %s", path,
			     yaml_kind_name(top->kind));
		return 1;
	}
	if (!im.whole)
		rc = choose(l, path, &im, &top);
	if (rc == 0)
		rc = merge_all(l, top, path);
	return rc == 0 ? keep_import(c, path, was, &im) : rc;
}

/* The path of an entry of vars, relative to the root, in the arena. */
static const char *
path_of(struct context *c, const char *dir, const char *word, size_t n)
{
	const char *name = arena_strndup(c->r->a, word, n), *path = NULL;
	struct buf joined, out;

	buf_init(&joined, 0);
	buf_init(&out, 0);
	if (name != NULL) {
		path_join(&joined, dir, name);
		path_normalize(&out, joined.p);
		if (!buf_failed(&joined) && !buf_failed(&out))
			path = arena_strndup(c->r->a, out.p, out.n);
	}
	buf_release(&out);
	buf_release(&joined);
	if (path == NULL)
		c->r->nomem = true;
	return path;
}

int
context_default(struct context *c)
{
	struct yaml_node top = {.line = 1, .col = 1, .width = 1};
	struct load l = {.c = c, .node = &top, .what = DEFAULT_FILE};
	const char *path = path_of(c, c->r->dir, DEFAULT_FILE, strlen(DEFAULT_FILE));
	int rc = path != NULL ? load_file(&l, path, "", true) : -1;

	return rc == ABSENT ? 0 : rc;
}

/* ---- lists ---- */

static bool
has_template(struct yaml_node *n, struct yaml_node **where)
{
	bool found = false;

	*where = n;
	if (n->kind == YAML_STR)
		return interpolate_any(n->str, n->len);
	for (size_t i = 0; n->kind == YAML_SEQ && i < n->seq.n && !found; i++)
		found = has_template(n->seq.v[i], where);
	for (size_t i = 0; n->kind == YAML_MAP && i < n->map.n && !found; i++)
		found = has_template(n->map.v[i].key, where) ||
			has_template(n->map.v[i].val, where);
	return found;
}

static int
load_entry(struct load *l, const char *wdir, const char *where, size_t i)
{
	struct context *c = l->c;
	struct yaml_node *e = l->node;
	const char *path;
	size_t n;

	if (e->kind == YAML_MAP) {
		path = arena_printf(c->r->a, "%s[%zu]", where, i);
		if (path == NULL) {
			c->r->nomem = true;
			return -1;
		}
		return merge_all(l, e, path);
	}
	if (e->kind != YAML_STR || e->len == 0 || strlen(e->str) != e->len) {
		dvc_read_say(c->r, e, "vars are files and mappings, not %s",
			     yaml_kind_name(e->kind));
		return 1;
	}
	n = strcspn(e->str, ":");
	l->what = e->str;
	path = path_of(c, wdir, e->str, n);
	if (path == NULL)
		return -1;
	return load_file(l, path, e->str + n + (e->str[n] == ':'), false);
}

int
context_vars(struct context *c, struct yaml_node *list, const char *wdir,
	     const char *where)
{
	struct load l = {.c = c};
	struct yaml_node *at;
	int rc = 0;

	if (list == NULL || list->kind == YAML_NULL)
		return 0;
	if (list->kind != YAML_SEQ) {
		dvc_read_say(c->r, list, "vars must be a list, not %s",
			     yaml_kind_name(list->kind));
		return 1;
	}
	if (has_template(list, &at)) {
		dvc_read_say(c->r, at, "vars cannot have ${...} in them");
		return 1;
	}
	for (size_t i = 0; i < list->seq.n && rc == 0; i++) {
		l.node = list->seq.v[i];
		rc = load_entry(&l, wdir, where, i);
	}
	return rc;
}
