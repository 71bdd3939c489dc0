/*
 * Values from tokens: the grammar of YAML, and how comments are handed on from token to
 * token until they hang at a value.  The handing on is what DVC's reader does, with its
 * oddities: where a comment ends up decides where it is written, and whether it is lost when
 * its neighbour is removed.
 *
 *	node      = ALIAS | ANCHOR? (SCALAR | block | flow | "-"* without a start)
 *	block     = SEQ_START (ENTRY node?)* BLOCK_END
 *	          | MAP_START (KEY node? VALUE node?)* BLOCK_END
 *	flow      = "[" (node | pair) % "," "]" | "{" (node | pair) % "," "}"
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "store/dvc/yaml_doc.h"
#include "store/dvc/yaml_tree_int.h"

static struct yaml_val *node(struct tree *, bool, bool);

static int
add_item(struct tree *p, struct yaml_val *v, struct yaml_val *key, struct yaml_val *val)
{
	void *items = ydoc_grow(p->doc->a, v->items, v->n, &v->cap, sizeof *v->items);

	if (items == NULL)
		return err_nomem(p->err);
	v->items = items;
	v->items[v->n++] = (struct yaml_item){.key = key, .val = val};
	return 0;
}

static struct yaml_val *
new_val(struct tree *p, enum yaml_val_kind kind)
{
	struct yaml_val *v = ydoc_val_new(p->doc, kind);

	return v != NULL ? v : tree_nomem(p);
}

static struct yaml_val *
empty(struct tree *p, struct yaml_slots *raw)
{
	struct yaml_val *v = new_val(p, YV_NULL);

	if (v != NULL)
		v->raw = raw;
	return v;
}

/* Find out what the plain scalar ${v} at ${t} is.  Return 0 or -1. */
static int
plain_kind(struct tree *p, const struct yaml_tok *t, struct yaml_val *v)
{
	enum yaml_val_kind kind = ydoc_resolve(v->text, v->len);
	const char *bad = NULL;
	int rc = 0;

	if (kind == YV_MAP)
		bad = "a merge key (<<), which is not kept";
	else if (kind == YV_SEQ)
		bad = "a plain =, which is no text";
	else if (kind == YV_DATE && v->len != strlen("2026-11-23"))
		bad = "a time of day, whose spelling is not kept";
	v->kind = kind;
	if (kind == YV_BOOL)
		v->text = (v->text[0] | 32) == 't' ? "true" : "false";
	if (kind == YV_NULL)
		v->text = "";
	if (kind == YV_INT || kind == YV_FLOAT) {
		v->source = v->text;
		rc = ydoc_number_text(p->doc->a, v, &v->text);
		if (rc > 0)
			bad = "a number that DVC itself could not write";
	}
	v->len = v->text != NULL ? strlen(v->text) : 0;
	if (bad != NULL)
		tree_refuse(p, t, bad);
	else if (rc < 0)
		tree_nomem(p);
	return bad != NULL || rc != 0 ? -1 : 0;
}

static struct yaml_val *
scalar(struct tree *p)
{
	struct yaml_tok *t = tree_get(p);
	struct yaml_val *v = t != NULL ? new_val(p, YV_STR) : NULL;

	if (v == NULL)
		return NULL;
	v->text = t->text;
	v->len = t->len;
	v->style = t->style;
	v->folds = t->folds;
	v->nfolds = t->nfolds;
	v->kept = t->style != YV_PLAIN;
	v->raw = t->slots;
	if (t->plain && strlen(t->text) == t->len && plain_kind(p, t, v) != 0)
		return NULL;
	return v;
}

/* "- a" lines: of a sequence with a start token, or one at its mapping's indentation. */
static struct yaml_val *
block_seq(struct tree *p, struct yaml_slots *raw, bool indentless)
{
	struct yaml_val *v = new_val(p, YV_SEQ), *item;
	struct yaml_tok *t;

	if (v == NULL)
		return NULL;
	v->raw = raw;
	v->flow = YV_BLOCK;
	while (tree_at(p, YT_BLOCK_ENTRY)) {
		t = tree_get(p);
		if (t == NULL || tree_hand_on(p, t, false) != 0)
			return NULL;
		if (tree_at(p, YT_BLOCK_ENTRY) || tree_at(p, YT_BLOCK_END) ||
		    (indentless && (tree_at(p, YT_KEY) || tree_at(p, YT_VALUE))))
			item = empty(p, NULL);
		else
			item = node(p, true, false);
		if (item == NULL || add_item(p, v, NULL, item) != 0)
			return NULL;
	}
	if (indentless)
		return tree_end_comment(p, v, tree_peek(p)->slots) == 0 ? v : NULL;
	if (!tree_at(p, YT_BLOCK_END))
		return tree_refuse(p, tree_peek(p), "no '-' where the list goes on");
	t = tree_get(p);
	return t != NULL && tree_end_comment(p, v, t->slots) == 0 ? v : NULL;
}

static bool
at_key_end(struct tree *p)
{
	return tree_at(p, YT_KEY) || tree_at(p, YT_VALUE) || tree_at(p, YT_BLOCK_END);
}

static struct yaml_val *
block_key(struct tree *p)
{
	struct yaml_tok *t;

	if (!tree_at(p, YT_KEY))
		return empty(p, NULL);
	t = tree_get(p);
	if (t == NULL || tree_hand_on(p, t, false) != 0)
		return NULL;
	return at_key_end(p) ? empty(p, NULL) : node(p, true, true);
}

/* Nothing behind a ":": what hangs at it, or at the token behind, is the null's. */
static struct yaml_val *
no_value(struct tree *p, struct yaml_tok *t)
{
	struct yaml_slots *c = t->slots, *mine = NULL, *rest = NULL;

	if (c != NULL)
		return empty(p, c);
	c = tree_peek(p)->slots;
	if (c == NULL)
		return empty(p, NULL);
	if (tree_slots_of(p, &mine) == NULL || tree_slots_of(p, &rest) == NULL)
		return tree_nomem(p);
	mine->post = c->post;
	rest->pre = c->pre;
	tree_peek(p)->slots = rest;
	return empty(p, mine);
}

static struct yaml_val *
block_value(struct tree *p)
{
	struct yaml_tok *t;

	if (!tree_at(p, YT_VALUE))
		return empty(p, NULL);
	t = tree_get(p);
	if (t == NULL)
		return NULL;
	if (!tree_at(p, YT_KEY) && tree_hand_on(p, t, !tree_at(p, YT_VALUE)) != 0)
		return NULL;
	return at_key_end(p) ? no_value(p, t) : node(p, true, true);
}

static struct yaml_val *
block_map(struct tree *p, struct yaml_slots *raw)
{
	struct yaml_val *v = new_val(p, YV_MAP), *key, *val;
	struct yaml_tok *t;

	if (v == NULL)
		return NULL;
	v->raw = raw;
	v->flow = YV_BLOCK;
	while (tree_at(p, YT_KEY) || tree_at(p, YT_VALUE)) {
		key = block_key(p);
		val = key != NULL ? block_value(p) : NULL;
		if (val == NULL || add_item(p, v, key, val) != 0)
			return NULL;
	}
	if (!tree_at(p, YT_BLOCK_END))
		return tree_refuse(p, tree_peek(p), "no key where the mapping goes on");
	t = tree_get(p);
	if (t == NULL || tree_hand_on(p, t, false) != 0)
		return NULL;
	return tree_end_comment(p, v, t->slots) == 0 ? v : NULL;
}

static bool
at_flow_end(struct tree *p)
{
	return tree_at(p, YT_FLOW_ENTRY) || tree_at(p, YT_FLOW_SEQ_END) ||
	       tree_at(p, YT_FLOW_MAP_END);
}

/* KEY node? (VALUE node?)?; without the KEY in a mapping it is a key alone. */
static int
flow_pair(struct tree *p, struct yaml_val *map)
{
	struct yaml_val *key, *val;

	if (tree_at(p, YT_KEY) && tree_get(p) == NULL)
		return -1;
	key = tree_at(p, YT_VALUE) || at_flow_end(p) ? empty(p, NULL)
						     : node(p, false, false);
	if (key == NULL)
		return -1;
	if (!tree_at(p, YT_VALUE)) {
		val = empty(p, NULL);
	} else {
		if (tree_get(p) == NULL)
			return -1;
		val = at_flow_end(p) ? empty(p, NULL) : node(p, false, false);
	}
	return val != NULL ? add_item(p, map, key, val) : -1;
}

static struct yaml_val *
flow_item(struct tree *p)
{
	struct yaml_val *pair;

	if (!tree_at(p, YT_KEY))
		return node(p, false, false);
	pair = new_val(p, YV_MAP);
	if (pair == NULL || flow_pair(p, pair) != 0)
		return NULL;
	pair->flow = YV_FLOW;
	return pair;
}

static struct yaml_val *
flow(struct tree *p, enum yaml_val_kind kind, enum yaml_tok_kind end)
{
	struct yaml_val *v = new_val(p, kind), *item;
	struct yaml_tok *t = tree_peek(p);

	if (v == NULL)
		return NULL;
	v->raw = t->slots;
	if (tree_get(p) == NULL)
		return NULL;
	while (!tree_at(p, end)) {
		if (v->n != 0) {
			if (!tree_at(p, YT_FLOW_ENTRY))
				return tree_refuse(p, tree_peek(p),
						   "no ',' between two entries");
			if (tree_get(p) == NULL)
				return NULL;
			if (tree_at(p, end))
				break;
		}
		if (kind == YV_MAP) {
			if (flow_pair(p, v) != 0)
				return NULL;
		} else if ((item = flow_item(p)) == NULL ||
			   add_item(p, v, NULL, item) != 0) {
			return NULL;
		}
	}
	if ((t = tree_get(p)) == NULL)
		return NULL;
	v->flow = v->n != 0 ? YV_FLOW : YV_FLOW_UNSET;
	if (t->slots != NULL)
		v->raw = t->slots;
	return tree_end_comment(p, v, t->slots) == 0 ? v : NULL;
}

/* The comments of a list at its mapping's indentation hang at its first "-". */
static struct yaml_slots *
take_from_dash(struct tree *p)
{
	struct yaml_slots *c = tree_peek(p)->slots, *mine = NULL;

	if (c == NULL || (c->post == NULL && !tree_some(c->pre)))
		return NULL;
	if (tree_slots_of(p, &mine) == NULL)
		return (struct yaml_slots *)tree_nomem(p);
	if (c->post != NULL) {
		mine->post = c->post;
		mine->pre = arena_zalloc(p->doc->a, sizeof *mine->pre);
		c->post = NULL;
	} else {
		mine->pre = c->pre;
		c->pre = NULL;
	}
	return mine;
}

/* A list's own line may have a comment, and the lines below belong to its first entry. */
static struct yaml_slots *
split_from_start(struct tree *p, struct yaml_tok *t)
{
	struct yaml_slots *c = t->slots, *mine = NULL;

	if (c != NULL && c->pre != NULL)
		return c;
	if (c == NULL || c->post == NULL || tree_slots_of(p, &mine) == NULL)
		return NULL;
	mine->post = c->post;
	t->slots = NULL;
	return mine;
}

static struct yaml_val *
alias(struct tree *p)
{
	struct yaml_tok *t = tree_get(p);
	struct yaml_val *v = t != NULL ? map_getn(&p->anchors, t->text, t->len) : NULL;

	if (t != NULL && v == NULL)
		return tree_refuse(p, t, "an alias of what has no such anchor before it");
	return v;
}

static struct yaml_val *
content(struct tree *p, bool block, bool indentless, bool anchored)
{
	struct yaml_tok *t = tree_peek(p);
	struct yaml_slots *raw;

	switch (t->kind) {
	case YT_BLOCK_ENTRY:
		if (!indentless)
			break;
		return block_seq(p, take_from_dash(p), true);
	case YT_SCALAR:
		return scalar(p);
	case YT_FLOW_SEQ_START:
		return flow(p, YV_SEQ, YT_FLOW_SEQ_END);
	case YT_FLOW_MAP_START:
		return flow(p, YV_MAP, YT_FLOW_MAP_END);
	case YT_SEQ_START:
		if (!block)
			break;
		raw = split_from_start(p, t);
		return tree_get(p) != NULL ? block_seq(p, raw, false) : NULL;
	case YT_MAP_START:
		if (!block)
			break;
		raw = t->slots;
		return tree_get(p) != NULL ? block_map(p, raw) : NULL;
	case YT_STREAM_START:
	case YT_STREAM_END:
	case YT_DOC_START:
	case YT_DOC_END:
	case YT_BLOCK_END:
	case YT_FLOW_SEQ_END:
	case YT_FLOW_MAP_END:
	case YT_FLOW_ENTRY:
	case YT_KEY:
	case YT_VALUE:
	case YT_ALIAS:
	case YT_ANCHOR:
		break;
	}
	return anchored ? empty(p, NULL)
			: tree_refuse(p, t, "no value where one must stand");
}

/* Anchors that look like made-up ones are made up anew where they are needed. */
static bool
is_made_up(const char *name)
{
	return strncmp(name, "id", 2) == 0 && strlen(name) == 5 &&
	       strspn(name + 2, "0123456789") == 3;
}

static int
set_anchor(struct tree *p, struct yaml_tok *t, struct yaml_val *v)
{
	bool collection = v->kind == YV_SEQ || v->kind == YV_MAP;

	if (v->kind == YV_DATE) {
		tree_refuse(p, t, "an anchor of a date, which is not kept");
		return -1;
	}
	/* Null has none, nor have the numbers that are no numbers. */
	if (v->kind != YV_NULL &&
	    !(v->kind == YV_FLOAT && strchr(v->text, 'n') != NULL) &&
	    !(collection && is_made_up(t->text))) {
		v->anchor = t->text;
		v->anchor_always = !collection;
		v->kept = v->kept || v->kind == YV_STR;
	}
	return map_putn(&p->anchors, t->text, t->len, v) < 0 ? err_nomem(p->err) : 0;
}

static struct yaml_val *
node(struct tree *p, bool block, bool indentless)
{
	struct yaml_tok *anchor = NULL;
	struct yaml_val *v;

	if (tree_at(p, YT_ALIAS))
		return alias(p);
	if (tree_at(p, YT_ANCHOR)) {
		anchor = tree_get(p);
		if (anchor == NULL || tree_hand_on(p, anchor, false) != 0)
			return NULL;
	}
	v = content(p, block, indentless, anchor != NULL);
	if (v != NULL && anchor != NULL && set_anchor(p, anchor, v) != 0)
		return NULL;
	return v;
}

static struct yaml_val *
document(struct tree *p)
{
	struct yaml_tok *t = tree_get(p);
	struct yaml_val *v;

	if (t == NULL || tree_hand_on(p, t, false) != 0)
		return NULL;
	if (tree_at(p, YT_DOC_START) && tree_get(p) == NULL)
		return NULL;
	if (tree_at(p, YT_DOC_START) || tree_at(p, YT_DOC_END) ||
	    tree_at(p, YT_STREAM_END))
		v = empty(p, NULL);
	else
		v = node(p, true, false);
	while (v != NULL && tree_at(p, YT_DOC_END))
		if (tree_get(p) == NULL)
			return NULL;
	if (v != NULL && !tree_at(p, YT_STREAM_END))
		return tree_refuse(p, tree_peek(p), "a second document");
	return v;
}

int
ydoc_tree(struct yaml_doc *doc, struct yaml_toks *toks, struct err *err)
{
	struct tree p = {.doc = doc, .toks = toks, .err = err};
	struct yaml_val *v = document(&p);

	map_release(&p.anchors);
	if (v == NULL)
		return -1;
	if (v->kind == YV_NULL || (v->kind >= YV_SEQ && v->n == 0)) {
		v = new_val(&p, YV_MAP);
		if (v == NULL)
			return -1;
	} else if (v->kind != YV_MAP && v->kind != YV_SEQ) {
		return err_set(err, ERR_INVALID, "%s: a single value, no mapping",
			       toks->name);
	}
	doc->root = v;
	return ydoc_attach(v, toks->name, err);
}
