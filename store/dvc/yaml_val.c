/* Values in memory: made, looked at, changed, applied onto what was read. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "base/yaml.h"
#include "store/dvc/yaml_doc.h"
#include "store/dvc/yaml_doc_int.h"

struct yaml_val *
ydoc_val_new(struct yaml_doc *doc, enum yaml_val_kind kind)
{
	struct yaml_val *v = arena_zalloc(doc->a, sizeof *v);

	if (v == NULL) {
		doc->nomem = true;
		return NULL;
	}
	v->kind = kind;
	v->text = "";
	return v;
}

static struct yaml_val *
scalar(struct yaml_doc *doc, enum yaml_val_kind kind, const char *text)
{
	struct yaml_val *v = ydoc_val_new(doc, kind);

	if (v == NULL || (v->text = arena_strdup(doc->a, text)) == NULL) {
		doc->nomem = true;
		return NULL;
	}
	v->len = strlen(text);
	return v;
}

struct yaml_val *
yaml_val_null(struct yaml_doc *doc)
{
	return ydoc_val_new(doc, YV_NULL);
}

struct yaml_val *
yaml_val_bool(struct yaml_doc *doc, bool b)
{
	return scalar(doc, YV_BOOL, b ? "true" : "false");
}

struct yaml_val *
yaml_val_int(struct yaml_doc *doc, int64_t i)
{
	struct yaml_val *v;
	struct buf b;

	buf_init(&b, 0);
	buf_addf(&b, "%lld", (long long)i);
	v = scalar(doc, YV_INT, b.p);
	doc->nomem = doc->nomem || buf_failed(&b);
	buf_release(&b);
	return v;
}

struct yaml_val *
yaml_val_float(struct yaml_doc *doc, double f)
{
	char text[YAML_FLOAT_MAX];

	ydoc_float_repr(f, text);
	return scalar(doc, YV_FLOAT, text);
}

struct yaml_val *
yaml_val_strn(struct yaml_doc *doc, const char *p, size_t n)
{
	struct yaml_val *v = ydoc_val_new(doc, YV_STR);
	struct buf b;

	buf_init(&b, 0);
	for (size_t at = 0; at < n;) {
		uint32_t c;
		int len = utf8_decode(p + at, n - at, &c);

		if (len > 0)
			buf_add(&b, p + at, (size_t)len);
		else
			buf_adds(&b, "\xEF\xBF\xBD");
		at += (size_t)(len > 0 ? len : -len);
	}
	if (v != NULL) {
		v->text = buf_failed(&b) ? NULL : arena_strndup(doc->a, b.p, b.n);
		v->len = b.n;
		if (v->text == NULL) {
			doc->nomem = true;
			v = NULL;
		}
	}
	buf_release(&b);
	return v;
}

struct yaml_val *
yaml_val_str(struct yaml_doc *doc, const char *s)
{
	return yaml_val_strn(doc, s, strlen(s));
}

struct yaml_val *
yaml_val_seq(struct yaml_doc *doc)
{
	return ydoc_val_new(doc, YV_SEQ);
}

struct yaml_val *
yaml_val_map(struct yaml_doc *doc)
{
	return ydoc_val_new(doc, YV_MAP);
}

/* A plain scalar is what ruamel.yaml takes it for, which is not always what we do. */
static struct yaml_val *
plain_from(struct yaml_doc *doc, const struct yaml_node *n)
{
	enum yaml_val_kind kind = ydoc_resolve(n->str, n->len);
	struct yaml_val *v;

	if (kind == YV_NULL)
		return yaml_val_null(doc);
	if (kind == YV_BOOL)
		return yaml_val_bool(doc, n->b);
	if (kind == YV_INT && n->kind == YAML_INT)
		return yaml_val_int(doc, n->i);
	if (kind == YV_FLOAT && n->kind == YAML_FLOAT)
		return yaml_val_float(doc, n->f);
	if (kind != YV_INT && kind != YV_FLOAT && kind != YV_DATE)
		return yaml_val_strn(doc, n->str, n->len);
	v = scalar(doc, kind, n->str);
	if (v != NULL && kind != YV_DATE) {
		int rc = ydoc_number_text(doc->a, v, &v->text);

		doc->nomem = doc->nomem || rc < 0;
		v->len = strlen(v->text);
	}
	return v;
}

static struct yaml_item *push(struct yaml_doc *, struct yaml_val *);

/* Depth is bounded by that of the tree. */
struct yaml_val *
yaml_val_from(struct yaml_doc *doc, const struct yaml_node *n)
{
	struct yaml_val *v;

	if (n->kind == YAML_MAP) {
		v = yaml_val_map(doc);
		for (size_t i = 0; v != NULL && i < n->map.n; i++) {
			struct yaml_item *it = push(doc, v);

			if (it == NULL)
				return NULL;
			it->key = yaml_val_from(doc, n->map.v[i].key);
			it->val = yaml_val_from(doc, n->map.v[i].val);
			if (it->key == NULL || it->val == NULL)
				return NULL;
		}
		return v;
	}
	if (n->kind == YAML_SEQ) {
		v = yaml_val_seq(doc);
		for (size_t i = 0; i < n->seq.n; i++)
			yaml_val_add(doc, v, yaml_val_from(doc, n->seq.v[i]));
		return v;
	}
	return n->style == YAML_STYLE_PLAIN ? plain_from(doc, n)
					    : yaml_val_strn(doc, n->str, n->len);
}

static struct yaml_val *
settled_scalar(struct yaml_doc *doc, const struct yaml_node *n)
{
	switch (n->kind) {
	case YAML_NULL:
		return yaml_val_null(doc);
	case YAML_BOOL:
		return scalar(doc, YV_BOOL, n->str);
	case YAML_INT:
		return scalar(doc, YV_INT, n->str);
	case YAML_FLOAT:
		return scalar(doc, YV_FLOAT, n->str);
	case YAML_STR:
	case YAML_SEQ:
	case YAML_MAP:
		break;
	}
	return yaml_val_strn(doc, n->str, n->len);
}

struct yaml_val *
yaml_val_settled(struct yaml_doc *doc, const struct yaml_node *n)
{
	struct yaml_val *v;

	if (n->kind == YAML_SEQ) {
		v = yaml_val_seq(doc);
		for (size_t i = 0; i < n->seq.n; i++)
			yaml_val_add(doc, v, yaml_val_settled(doc, n->seq.v[i]));
		return v;
	}
	if (n->kind != YAML_MAP)
		return settled_scalar(doc, n);
	v = yaml_val_map(doc);
	for (size_t i = 0; v != NULL && i < n->map.n; i++) {
		struct yaml_item *it = push(doc, v);

		if (it == NULL)
			return NULL;
		it->key = yaml_val_settled(doc, n->map.v[i].key);
		it->val = yaml_val_settled(doc, n->map.v[i].val);
		if (it->key == NULL || it->val == NULL)
			return NULL;
	}
	return v;
}

static struct yaml_item *
push(struct yaml_doc *doc, struct yaml_val *c)
{
	void *items = ydoc_grow(doc->a, c->items, c->n, &c->cap, sizeof *c->items);

	if (items == NULL) {
		doc->nomem = true;
		return NULL;
	}
	c->items = items;
	c->items[c->n] = (struct yaml_item){0};
	return &c->items[c->n++];
}

void
yaml_val_add(struct yaml_doc *doc, struct yaml_val *seq, struct yaml_val *v)
{
	struct yaml_item *it = seq != NULL && v != NULL ? push(doc, seq) : NULL;

	if (it != NULL)
		it->val = v;
	else
		doc->nomem = true;
}

struct yaml_item *
ydoc_item_find(const struct yaml_val *map, const char *key)
{
	size_t n = strlen(key);

	if (map != NULL && map->kind == YV_MAP)
		for (size_t i = 0; i < map->n; i++) {
			const struct yaml_val *k = map->items[i].key;

			if (k->kind == YV_STR && k->len == n &&
			    memcmp(k->text, key, n) == 0)
				return &map->items[i];
		}
	return NULL;
}

/* A string in the place of one with a style of its own takes that style over. */
static void
replace(struct yaml_item *it, struct yaml_val *v)
{
	if (v->kind == YV_STR && !v->kept && it->val->kept && it->val->kind == YV_STR) {
		v->style = it->val->style;
		v->kept = true;
	}
	it->val = v;
}

void
yaml_val_put(struct yaml_doc *doc, struct yaml_val *map, const char *key,
	     struct yaml_val *v)
{
	struct yaml_item *it = ydoc_item_find(map, key);
	struct yaml_val *k;

	if (map == NULL || v == NULL) {
		doc->nomem = true;
	} else if (it != NULL) {
		replace(it, v);
	} else if ((k = yaml_val_str(doc, key)) != NULL &&
		   (it = push(doc, map)) != NULL) {
		it->key = k;
		it->val = v;
	}
}

void
yaml_val_last_before(struct yaml_val *map, const char *before)
{
	struct yaml_item *to = ydoc_item_find(map, before), last;

	if (to == NULL || to == &map->items[map->n - 1])
		return;
	last = map->items[map->n - 1];
	memmove(to + 1, to, (size_t)(&map->items[map->n - 1] - to) * sizeof *to);
	*to = last;
}

static void
drop_item(struct yaml_val *c, size_t i)
{
	memmove(&c->items[i], &c->items[i + 1], (c->n - i - 1) * sizeof *c->items);
	c->n--;
}

void
yaml_val_drop(struct yaml_val *map, const char *key)
{
	struct yaml_item *it = ydoc_item_find(map, key);

	if (it != NULL)
		drop_item(map, (size_t)(it - map->items));
}

struct yaml_val *
yaml_val_get(const struct yaml_val *map, const char *key)
{
	struct yaml_item *it = ydoc_item_find(map, key);

	return it != NULL ? it->val : NULL;
}

struct yaml_val *
yaml_val_at(const struct yaml_val *seq, size_t i)
{
	return seq != NULL && seq->kind == YV_SEQ && i < seq->n ? seq->items[i].val
								: NULL;
}

size_t
yaml_val_count(const struct yaml_val *v)
{
	return v != NULL ? v->n : 0;
}

const char *
yaml_val_text(const struct yaml_val *v)
{
	return v != NULL && v->kind != YV_SEQ && v->kind != YV_MAP ? v->text : NULL;
}

bool
yaml_val_is_map(const struct yaml_val *v)
{
	return v != NULL && v->kind == YV_MAP;
}

bool
yaml_val_is_false(const struct yaml_val *v)
{
	if (v->kind == YV_SEQ || v->kind == YV_MAP)
		return v->n == 0;
	return *v->text == '\0' || v->kind == YV_NULL ||
	       (v->kind != YV_STR &&
		(strcmp(v->text, "false") == 0 || strcmp(v->text, "0") == 0 ||
		 strcmp(v->text, "0.0") == 0 || strcmp(v->text, "-0.0") == 0));
}

static bool
is_number(const struct yaml_val *v)
{
	return v->kind == YV_BOOL || v->kind == YV_INT || v->kind == YV_FLOAT;
}

static bool
same_scalar(const struct yaml_val *a, const struct yaml_val *b)
{
	if (is_number(a) && is_number(b))
		return ydoc_number_equal(a, b);
	return a->kind == b->kind && a->kind != YV_SEQ && a->kind != YV_MAP &&
	       a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* NaN is written as it was, too. */
static bool
same_written(const struct yaml_val *a, const struct yaml_val *b)
{
	return a->kind == b->kind &&
	       ((a->len == b->len && memcmp(a->text, b->text, a->len) == 0 &&
		 a->source == NULL) ||
		same_scalar(a, b) ||
		(a->kind == YV_FLOAT && strcmp(a->text, ".nan") == 0 &&
		 strcmp(b->text, ".nan") == 0));
}

/* Depth is bounded by that of the text; what is there twice is compared once. */
bool
ydoc_differs(struct yaml_val *a, const struct yaml_val *b, const struct yaml_val **key)
{
	if (a->twin == b)
		return false;
	if (a->kind < YV_SEQ)
		return !same_written(a, b);
	if (a->kind != b->kind || a->n != b->n)
		return true;
	a->twin = b;
	for (size_t i = 0; i < a->n; i++) {
		if (a->kind == YV_MAP) {
			*key = a->items[i].key;
			if (!same_written(a->items[i].key, b->items[i].key))
				return true;
		}
		if (ydoc_differs(a->items[i].val, b->items[i].val, key))
			return true;
	}
	return false;
}

static bool
is_collection(const struct yaml_val *v)
{
	return v->kind == YV_SEQ || v->kind == YV_MAP;
}

struct apply {
	struct yaml_doc *doc;
	struct err *err;
};

static int apply(struct apply *, const struct yaml_val *, struct yaml_val *);

/* Let the entry hold ${want}. */
static int
apply_item(struct apply *ap, struct yaml_val *want, struct yaml_item *it)
{
	if (is_collection(want) && want->kind == it->val->kind)
		return apply(ap, want, it->val);
	if (!same_scalar(want, it->val))
		replace(it, want);
	return 0;
}

static struct yaml_item *
find_key(const struct yaml_val *map, const struct yaml_val *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (map->items[i].key == key || same_scalar(map->items[i].key, key))
			return &map->items[i];
	return NULL;
}

static int
apply_map(struct apply *ap, const struct yaml_val *want, struct yaml_val *have)
{
	for (size_t i = 0; i < want->n; i++) {
		const struct yaml_item *w = &want->items[i];
		struct yaml_item *it = find_key(have, w->key);

		if (it != NULL) {
			if (apply_item(ap, w->val, it) != 0)
				return -1;
		} else {
			it = push(ap->doc, have);
			if (it == NULL)
				return err_nomem(ap->err);
			it->key = w->key;
			it->val = w->val;
		}
	}
	for (size_t i = have->n; i != 0; i--)
		if (find_key(want, have->items[i - 1].key) == NULL)
			drop_item(have, i - 1);
	return 0;
}

static int
apply_seq(struct apply *ap, const struct yaml_val *want, struct yaml_val *have)
{
	if (want->n != have->n) {
		have->n = 0;
		for (size_t i = 0; i < want->n; i++) {
			struct yaml_item *it = push(ap->doc, have);

			if (it == NULL)
				return err_nomem(ap->err);
			it->val = want->items[i].val;
		}
		return 0;
	}
	for (size_t i = 0; i < want->n; i++)
		if (apply_item(ap, want->items[i].val, &have->items[i]) != 0)
			return -1;
	return 0;
}

static int
apply(struct apply *ap, const struct yaml_val *want, struct yaml_val *have)
{
	return want->kind == YV_MAP ? apply_map(ap, want, have)
				    : apply_seq(ap, want, have);
}

int
yaml_val_apply(struct yaml_doc *doc, struct yaml_val *have, const struct yaml_val *want,
	       struct err *err)
{
	struct apply ap = {.doc = doc, .err = err};

	if (want == NULL || doc->nomem)
		return err_nomem(err);
	if (want->kind != YV_MAP || have->kind != YV_MAP)
		return err_set(err, ERR_INVALID, "only a mapping can be changed");
	return apply(&ap, want, have);
}

int
yaml_doc_apply(struct yaml_doc *doc, const struct yaml_val *want, struct err *err)
{
	return yaml_val_apply(doc, doc->root, want, err);
}
