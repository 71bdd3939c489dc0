#include "store/pipeline/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"
#include "base/suggest.h"
#include "base/yaml.h"
#include "store/dvc/dvc_read.h"
#include "store/pipeline/context_internal.h"
#include "store/pipeline/value.h"

/* ---- variables ---- */

static struct variable *
new_variable(struct context *c, struct yaml_node *val, struct variable *up,
	     const char *source)
{
	struct variable *v = arena_zalloc(c->r->a, sizeof *v);

	if (v == NULL) {
		c->r->nomem = true;
		return NULL;
	}
	v->val = val;
	v->up = up;
	v->source = source;
	return v;
}

struct variable *
variable_of(struct context *c, struct yaml_node *val)
{
	return new_variable(c, val, NULL, NULL);
}

static int
remember(struct context *c, struct variable *v)
{
	if (vec_push(&c->opened, v) == 0)
		return 0;
	c->r->nomem = true;
	return -1;
}

int
variable_put(struct context *c, struct variable *map, struct yaml_node *key,
	     struct yaml_node *val, const char *source)
{
	struct variable *v = new_variable(c, val, map, source);

	if (v == NULL)
		return -1;
	v->name = key->str;
	v->len = key->len;
	if (map_putn(&map->members, v->name, v->len, v) < 0) {
		c->r->nomem = true;
		return -1;
	}
	return 0;
}

int
variable_open(struct context *c, struct variable *v)
{
	int rc = 0;

	if (v->open || (v->val->kind != YAML_MAP && v->val->kind != YAML_SEQ))
		return 0;
	if (v->val->kind == YAML_MAP) {
		rc = remember(c, v);
		for (size_t i = 0; i < v->val->map.n && rc == 0; i++)
			if (v->val->map.v[i].key->kind == YAML_STR)
				rc = variable_put(c, v, v->val->map.v[i].key,
						  v->val->map.v[i].val, v->source);
	} else {
		v->elems = arena_array(c->r->a, v->val->seq.n + 1, sizeof *v->elems);
		if (v->elems == NULL) {
			c->r->nomem = true;
			rc = -1;
		}
		for (size_t i = 0; i < v->val->seq.n && rc == 0; i++) {
			v->elems[i] = new_variable(c, v->val->seq.v[i], v, v->source);
			rc = v->elems[i] != NULL ? 0 : -1;
		}
	}
	v->open = rc == 0;
	return rc;
}

struct yaml_node *
variable_value(struct context *c, struct variable *v)
{
	struct yaml_node *n;
	size_t i = 0;

	/* What was merged is put together when it is asked for, and kept. */
	if (!v->stale)
		return v->val;
	n = value_map(c->r->a, v->members.n, v->val);
	if (n == NULL) {
		c->r->nomem = true;
		return NULL;
	}
	map_foreach (&v->members, e) {
		struct variable *m = e->val;

		n->map.v[i].key = value_str(c->r->a, e->key, e->len, m->val);
		n->map.v[i].val = variable_value(c, m);
		if (n->map.v[i].key == NULL || n->map.v[i].val == NULL) {
			c->r->nomem = true;
			return NULL;
		}
		i++;
	}
	v->val = n;
	v->stale = false;
	return n;
}

size_t
variable_count(struct context *c, struct variable *v)
{
	if (variable_open(c, v) != 0)
		return SIZE_MAX;
	return v->val->kind == YAML_MAP ? v->members.n : v->val->seq.n;
}

struct variable *
variable_at(struct variable *v, size_t i)
{
	return v->val->kind == YAML_MAP ? v->members.v[i].val : v->elems[i];
}

const char *
variable_key(struct variable *v, size_t i)
{
	return v->val->kind == YAML_MAP ? v->members.v[i].key : NULL;
}

/* ---- the context ---- */

struct context *
context_new(struct dvc_read *r, const struct pipeline_files *files)
{
	struct context *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->r = r;
	c->files = files;
	c->read = &c->own_read;
	c->empty.kind = YAML_MAP;
	c->root.val = &c->empty;
	c->root.open = true;
	c->root.merged = true;
	return c;
}

void
context_free(struct context *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->opened.n; i++)
		map_release(&c->opened.v[i]->members);
	vec_release(&c->opened);
	map_release(&c->root.members);
	map_release(&c->imports);
	map_release(&c->own_read);
	free(c);
}

/* Only what others were merged into has to be copied: the rest does not change. */
static int
copy_members(struct context *c, struct variable *into, const struct variable *from)
{
	map_foreach (&from->members, e) {
		struct variable *m = e->val;
		struct variable *v = new_variable(c, m->val, into, m->source);

		if (v == NULL || map_putn(&into->members, e->key, e->len, v) < 0) {
			c->r->nomem = true;
			return -1;
		}
		v->name = m->name;
		v->len = m->len;
		if (!m->merged)
			continue;
		v->open = v->merged = true;
		v->stale = m->stale;
		if (remember(c, v) != 0 || copy_members(c, v, m) != 0)
			return -1;
	}
	return 0;
}

struct context *
context_clone(const struct context *from)
{
	struct context *c = context_new(from->r, from->files);

	if (c == NULL) {
		from->r->nomem = true;
		return NULL;
	}
	c->read = from->read;
	c->item = from->item;
	c->key = from->key;
	map_foreach (&from->imports, e)
		if (map_putn(&c->imports, e->key, e->len, e->val) < 0)
			c->r->nomem = true;
	if (c->r->nomem || copy_members(c, &c->root, &from->root) != 0) {
		context_free(c);
		return NULL;
	}
	return c;
}

void
context_item(struct context *c, struct variable *item, struct variable *key)
{
	c->item = item;
	c->key = key;
}

size_t
context_mark(const struct context *c)
{
	return c->opened.n;
}

void
context_forget(struct context *c, size_t mark)
{
	size_t kept = mark;

	for (size_t i = mark; i < c->opened.n; i++) {
		struct variable *v = c->opened.v[i];

		if (v->merged) {
			c->opened.v[kept++] = v;
			continue;
		}
		map_release(&v->members);
		v->open = false;
	}
	c->opened.n = kept;
}

bool
context_has(const struct context *c, const char *name)
{
	return map_get(&c->root.members, name) != NULL;
}

/* ---- looking for one ---- */

/* The next part of "a.b[0]", without the blanks around it; false at the end. */
static bool
next_part(const char **p, const char *end, struct buf *part)
{
	const char *s = *p;

	if (s > end)
		return false;
	buf_clear(part);
	for (; s < end && *s != '.' && *s != '['; s++)
		if (*s != ']')
			buf_addc(part, *s);
	*p = s + 1;
	while (part->n != 0 && strchr(" \t\n\r\f\v", part->p[part->n - 1]) != NULL)
		buf_truncate(part, part->n - 1);
	return true;
}

static const char *
without_blanks(const struct buf *part)
{
	return part->p + strspn(part->p, " \t\n\r\f\v");
}

/* An index as Python's int() reads it, negative ones from the end; NULL if there is none. */
static struct variable *
element(struct variable *v, const char *text)
{
	int64_t i;

	if (num_i64(text, &i) != 0)
		return NULL;
	if (i < 0)
		i += (int64_t)v->val->seq.n;
	return i >= 0 && (uint64_t)i < v->val->seq.n ? v->elems[i] : NULL;
}

static struct variable *
member(struct context *c, struct variable *v, const char *name)
{
	if (v == &c->root && c->item != NULL && strcmp(name, "item") == 0)
		return c->item;
	if (v == &c->root && c->key != NULL && strcmp(name, "key") == 0)
		return c->key;
	return map_get(&v->members, name);
}

static void
no_such(struct context *c, struct variable *v, const char *part, const char *from,
	char *why, size_t size)
{
	struct suggest s;
	const char *best;

	if (v->val->kind == YAML_SEQ) {
		(void)snprintf(why, size, "there is no element '%.100s' in '%.200s'",
			       part, from);
		return;
	}
	if (v->val->kind != YAML_MAP) {
		(void)snprintf(why, size, "'%.200s' is %s: it has no '%.100s'", from,
			       yaml_kind_name(v->val->kind), part);
		return;
	}
	suggest_start(&s, part);
	map_foreach (&v->members, e)
		suggest_try(&s, e->key);
	if (v == &c->root && c->item != NULL)
		suggest_try(&s, "item");
	if (v == &c->root && c->key != NULL)
		suggest_try(&s, "key");
	best = suggest_best(&s);
	if (v == &c->root)
		(void)snprintf(why, size, "there is no variable '%.100s'%s%.100s%s", part,
			       best != NULL ? ": did you mean '" : "",
			       best != NULL ? best : "", best != NULL ? "'?" : "");
	else
		(void)snprintf(why, size, "'%.200s' has no '%.100s'%s%.100s%s", from,
			       part, best != NULL ? ": did you mean '" : "",
			       best != NULL ? best : "", best != NULL ? "'?" : "");
}

struct variable *
context_select(struct context *c, const char *expr, size_t len, char *why, size_t size)
{
	const char *p = expr, *end = expr + len;
	struct variable *v = &c->root, *in = v;
	struct buf part, from;

	buf_init(&part, 0);
	buf_init(&from, 0);
	*why = '\0';
	while (v != NULL && next_part(&p, end, &part)) {
		const char *name = without_blanks(&part);

		in = v;
		if (buf_failed(&part) || variable_open(c, v) != 0) {
			c->r->nomem = true;
			v = NULL;
			break;
		}
		v = in->val->kind == YAML_MAP	? member(c, in, name)
		    : in->val->kind == YAML_SEQ ? element(in, name)
						: NULL;
		if (v == NULL) {
			no_such(c, in, name, from.p, why, size);
			break;
		}
		buf_addf(&from, "%s%s", from.n != 0 ? "." : "", name);
	}
	buf_release(&from);
	buf_release(&part);
	return v;
}

/* ---- what is used ---- */

static void
put_key(const struct variable *v, struct buf *b)
{
	size_t i = 0;

	if (v->up == NULL)
		return;
	put_key(v->up, b);
	if (b->n != 0)
		buf_addc(b, '.');
	if (v->name != NULL) {
		buf_add(b, v->name, v->len);
		return;
	}
	while (i < v->up->val->seq.n && v->up->elems[i] != v)
		i++;
	buf_addf(b, "%zu", i);
}

int
context_tell(const struct context *c, const struct variable *v)
{
	struct buf key;
	int rc;

	if (c->files->used == NULL || v->val->kind == YAML_MAP || v->source == NULL ||
	    map_get(&c->imports, v->source) == NULL)
		return 0;
	buf_init(&key, 0);
	put_key(v, &key);
	rc = buf_failed(&key) ? -1
			      : c->files->used(c->files->arg, v->source, key.p, v->val);
	buf_release(&key);
	return rc;
}
