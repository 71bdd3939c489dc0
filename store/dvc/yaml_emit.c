/*
 * The structure of a document as text: indentation, lists, mappings, flow collections,
 * anchors, comments.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "store/dvc/yaml_emit_int.h"

static int emit_node(struct emit *, struct yaml_val *, struct emit_comment *, bool, bool,
		     bool);

void
emit_text(struct emit *e, const char *p, size_t n, int columns)
{
	buf_add(e->out, p, n);
	e->column += columns;
}

void
emit_line_break(struct emit *e)
{
	buf_addc(e->out, '\n');
	e->whitespace = e->indention = true;
	e->column = 0;
}

/* Plain values are written wherever they stand; what has an anchor is written once. */
static bool
can_alias(const struct yaml_val *v)
{
	return v->kind >= YV_SEQ || v->anchor != NULL;
}

static bool
is_alias(const struct yaml_val *v)
{
	return can_alias(v) && v->written;
}

static void
put_blanks(struct emit *e, int n)
{
	for (; n > 0; n--)
		buf_addc(e->out, ' ');
}

void
emit_indent(struct emit *e)
{
	int indent = e->indent > 0 ? e->indent : 0;

	if (!e->indention || e->column > indent ||
	    (e->column == indent && !e->whitespace)) {
		if (e->no_newline)
			e->no_newline = false;
		else
			emit_line_break(e);
	}
	if (e->column < indent) {
		e->whitespace = true;
		put_blanks(e, indent - e->column);
		e->column = indent;
	}
}

void
emit_mark(struct emit *e, const char *text, bool blank, bool whitespace, bool indention)
{
	if (!e->whitespace && blank)
		emit_text(e, " ", 1, 1);
	e->whitespace = whitespace;
	e->indention = e->indention && indention;
	e->open_ended = false;
	emit_text(e, text, strlen(text), (int)strlen(text));
}

static bool
has_text(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strchr(" \t\n\r\v\f", p[i]) == NULL)
			return true;
	return false;
}

/* The column is not kept up: what follows is a new line. */
void
emit_comment(struct emit *e, const struct yaml_comment *c, bool pre)
{
	size_t n = c->len;
	int blanks;

	if (!pre && n != 0 && c->text[n - 1] == '\n')
		n--;
	blanks = c->len != 0 && c->text[0] == '\n' ? 0 : c->col - e->column;
	if (e->column != 0 && has_text(c->text, n) && blanks < 1 && c->text[0] != '\n')
		blanks = 1;
	put_blanks(e, blanks);
	buf_add(e->out, c->text, n);
	if (!pre)
		emit_line_break(e);
}

/* Whether there is a list of lines, be it empty; ${once}: not those written already. */
static bool
pre_comment(struct emit *e, struct yaml_comments *list, bool once)
{
	if (list == NULL)
		return false;
	for (size_t i = 0; i < list->n; i++) {
		if (once && list->v[i]->done == e->epoch)
			continue;
		if (e->column != 0)
			emit_line_break(e);
		emit_comment(e, list->v[i], true);
		if (once)
			list->v[i]->done = e->epoch;
	}
	return true;
}

static bool
some(const struct yaml_comments *list)
{
	return list != NULL && list->n != 0;
}

static int
push_level(struct emit *e, bool flow, bool seq, bool indentless)
{
	if (e->nlevels == sizeof e->levels / sizeof *e->levels)
		return err_set(e->err, ERR_LIMIT, "too many levels");
	e->levels[e->nlevels++] = (struct emit_level){e->indent, seq};
	if (e->indent < 0)
		e->indent = flow ? -1 : 0;
	else if (!indentless)
		e->indent += 2;
	return 0;
}

static void
pop_level(struct emit *e)
{
	e->indent = e->levels[--e->nlevels].indent;
}

/* The style that a collection has: an empty one is always written with brackets. */
static bool
is_flow(const struct yaml_val *v)
{
	return v->flow == YV_FLOW || (v->flow == YV_FLOW_UNSET && v->n == 0);
}

/* A list right in a list: "- - a". */
static void
list_in_list(struct emit *e)
{
	if (e->nlevels >= 2 && e->levels[e->nlevels - 1].seq &&
	    e->levels[e->nlevels - 2].seq) {
		e->indention = true;
		e->no_newline = false;
	}
}

/* Blanks before the bracket of a flow collection in a list. */
static int
flow_blanks(const struct emit *e, bool forced)
{
	const struct emit_level *last;
	int base;

	if (e->nlevels == 0)
		return 0;
	last = &e->levels[e->nlevels - 1];
	if ((e->nlevels < 2 || !last->seq) && !forced)
		return 0;
	base = last->indent > 0 ? last->indent : 0;
	return forced ? base + 2 : base + 2 - e->column - 1;
}

static int
open_flow(struct emit *e, char bracket, bool seq, bool forced)
{
	char text[2] = {bracket == ' ' ? '\0' : bracket, '\0'};
	int blanks;

	if (forced && push_level(e, true, seq, false) != 0)
		return -1;
	blanks = flow_blanks(e, forced);
	if (blanks > 0) {
		if (!e->whitespace)
			emit_text(e, " ", 1, 1);
		put_blanks(e, blanks);
		e->column += blanks;
		e->whitespace = true;
	}
	emit_mark(e, text, true, true, false);
	if (e->nflow == sizeof e->flow)
		return err_set(e->err, ERR_LIMIT, "too many levels");
	e->flow[e->nflow++] = bracket;
	return forced ? 0 : push_level(e, true, seq, false);
}

static void
close_flow(struct emit *e, const struct yaml_val *v, const char *bracket,
	   const struct emit_comment *c)
{
	char opened = e->flow[--e->nflow];

	pop_level(e);
	if (opened != ' ')
		emit_mark(e, bracket, false, false, false);
	if (is_flow(v) && c->post != NULL)
		emit_comment(e, c->post, false);
	else if (v->n != 0)
		e->no_newline = false;
	else if (e->nflow == 0)
		emit_line_break(e);
}

/* The comments of an entry's value, with those that it has of its own. */
static struct emit_comment
comment_of(const struct yaml_val *v)
{
	struct emit_comment c = {0};

	if (v->has_slots && (v->kind == YV_SEQ || v->kind == YV_MAP)) {
		c.there = true;
		c.post = v->slots.post;
		c.pre = v->slots.pre;
		c.end = v->slots.end;
	}
	return c;
}

static struct emit_comment
value_comment(const struct yaml_item *it)
{
	struct emit_comment c = comment_of(it->val);

	if (it->slots.there) {
		c.there = true;
		c.post = it->slots.val_post;
		c.pre = it->slots.val_pre;
	}
	return c;
}

static struct emit_comment
entry_comment(const struct yaml_item *it)
{
	struct emit_comment c = comment_of(it->val);

	if (it->slots.there) {
		c.there = true;
		if (c.post == NULL)
			c.post = it->slots.key_post;
		if (c.pre == NULL)
			c.pre = it->slots.key_pre;
	}
	return c;
}

static int
flow_pair(struct emit *e, struct yaml_item *it)
{
	struct emit_comment key = {.post = it->slots.key_post, .pre = it->slots.key_pre};
	struct emit_comment val = value_comment(it);

	if (emit_is_simple(e, it->key)) {
		if (emit_node(e, it->key, &key, false, true, true) != 0)
			return -1;
		emit_mark(e, ":", false, false, false);
	} else {
		emit_mark(e, "?", true, false, false);
		if (emit_node(e, it->key, &key, false, true, false) != 0)
			return -1;
		if (e->column > YAML_WIDTH)
			emit_indent(e);
		emit_mark(e, ":", true, false, false);
	}
	return emit_node(e, it->val, &val, false, true, false);
}

static int
emit_flow(struct emit *e, struct yaml_val *v, struct emit_comment *c, bool forced)
{
	bool seq = v->kind == YV_SEQ;
	bool bare = !seq && v->n == 1 && e->nflow != 0 && e->flow[e->nflow - 1] == '[';

	if (open_flow(e, seq ? '[' : (bare ? ' ' : '{'), seq, forced) != 0)
		return -1;
	if (seq)
		list_in_list(e);
	for (size_t i = 0; i < v->n; i++) {
		struct emit_comment own = entry_comment(&v->items[i]);

		if (i != 0)
			emit_mark(e, ",", false, false, false);
		if (e->column > YAML_WIDTH)
			emit_indent(e);
		if ((seq ? emit_node(e, v->items[i].val, &own, true, false, false)
			 : flow_pair(e, &v->items[i])) != 0)
			return -1;
	}
	close_flow(e, v, seq ? "]" : "}", c);
	return 0;
}

static int
emit_block_seq(struct emit *e, struct yaml_val *v, const struct emit_comment *c)
{
	if (push_level(e, false, true, e->in_map && !e->indention) != 0)
		return -1;
	list_in_list(e);
	for (size_t i = 0; i < v->n; i++) {
		struct emit_comment own = entry_comment(&v->items[i]);
		bool stay;

		if (some(own.pre) && !is_alias(v->items[i].val))
			pre_comment(e, own.pre, v->items[i].val->kind >= YV_SEQ);
		stay = e->column == 0 && e->no_newline;
		emit_indent(e);
		emit_mark(e, "-", true, false, true);
		if (stay)
			e->no_newline = true;
		if (emit_node(e, v->items[i].val, &own, true, false, false) != 0)
			return -1;
	}
	if (some(c->end))
		pre_comment(e, c->end, false);
	pop_level(e);
	e->no_newline = false;
	return 0;
}

static int
block_pair(struct emit *e, struct yaml_item *it)
{
	struct emit_comment key = {.post = it->slots.key_post, .pre = it->slots.key_pre};
	struct emit_comment val = value_comment(it);

	if (some(key.pre))
		pre_comment(e, key.pre, false);
	emit_indent(e);
	if (emit_is_simple(e, it->key)) {
		if (emit_node(e, it->key, &key, false, true, true) != 0)
			return -1;
		emit_mark(e, ":", false, false, false);
	} else {
		emit_mark(e, "?", true, false, true);
		if (emit_node(e, it->key, &key, false, true, false) != 0)
			return -1;
		emit_indent(e);
		emit_mark(e, ":", true, false, true);
	}
	return emit_node(e, it->val, &val, false, true, false);
}

static int
emit_block_map(struct emit *e, struct yaml_val *v, const struct emit_comment *c)
{
	if (push_level(e, false, false, false) != 0)
		return -1;
	for (size_t i = 0; i < v->n; i++)
		if (block_pair(e, &v->items[i]) != 0)
			return -1;
	if (some(c->end))
		pre_comment(e, c->end, false);
	pop_level(e);
	return 0;
}

/* The comments before a list; whether they make its brackets stand deeper. */
static bool
seq_comments(struct emit *e, const struct yaml_val *v, const struct emit_comment *c)
{
	bool indention = e->indention, forced = false;
	int column = e->column;

	if (!is_flow(v) && c->post != NULL) {
		emit_comment(e, c->post, false);
		e->indention = false;
		e->no_newline = true;
	}
	if (pre_comment(e, c->pre, true)) {
		if (is_flow(v))
			forced = e->nlevels != 0 && !e->levels[e->nlevels - 1].seq;
		e->indention = indention;
		e->no_newline = !indention;
	}
	if (is_flow(v))
		e->column = column;
	return forced;
}

static bool
map_comments(struct emit *e, const struct yaml_val *v, const struct emit_comment *c)
{
	if (!is_flow(v) && c->post != NULL)
		emit_comment(e, c->post, false);
	if (!some(c->pre))
		return false;
	pre_comment(e, c->pre, true);
	return is_flow(v) && e->nlevels != 0 && !e->levels[e->nlevels - 1].seq;
}

static int
emit_collection(struct emit *e, struct yaml_val *v, struct emit_comment *c)
{
	bool forced = false;

	if (c->there && v->kind == YV_SEQ)
		forced = seq_comments(e, v, c);
	else if (c->there)
		forced = map_comments(e, v, c);
	if (e->nflow != 0 || is_flow(v) || v->n == 0)
		return emit_flow(e, v, c, forced);
	return v->kind == YV_SEQ ? emit_block_seq(e, v, c) : emit_block_map(e, v, c);
}

/* "&name" or "*name"; a name is made up where there is none. */
static void
emit_anchor(struct emit *e, struct yaml_val *v, char mark)
{
	struct buf b;

	if (v->anchor == NULL && v->number == 0)
		v->number = ++e->ids;
	buf_init(&b, 0);
	if (v->anchor != NULL)
		buf_addf(&b, "%c%s", mark, v->anchor);
	else
		buf_addf(&b, "%cid%03u", mark, v->number);
	emit_mark(e, b.p, true, false, false);
	buf_release(&b);
	e->no_newline = false;
}

static int
emit_node(struct emit *e, struct yaml_val *v, struct emit_comment *c, bool seq, bool map,
	  bool simple)
{
	int rc;

	e->in_seq = seq;
	e->in_map = map;
	e->simple_key = simple;
	if (is_alias(v)) {
		emit_anchor(e, v, '*');
		return 0;
	}
	v->written = true;
	if (can_alias(v) && (v->visits > 1 || v->anchor_always)) {
		emit_anchor(e, v, '&');
		if (v->kind < YV_SEQ)
			e->in_seq = false;
	}
	if (v->kind >= YV_SEQ)
		return emit_collection(e, v, c);
	rc = push_level(e, true, false, false);
	if (rc == 0) {
		rc = emit_scalar(e, v, c);
		pop_level(e);
	}
	return rc;
}

/* Count how often each value is written: what stands there twice gets an anchor. */
static void
count(struct emit *e, struct yaml_val *v)
{
	if (v->epoch == e->epoch) {
		v->visits++;
		return;
	}
	v->epoch = e->epoch;
	v->visits = 1;
	v->written = false;
	v->number = 0;
	for (size_t i = 0; i < v->n; i++) {
		if (v->items[i].key != NULL)
			count(e, v->items[i].key);
		count(e, v->items[i].val);
	}
}

int
ydoc_emit(struct yaml_doc *doc, struct buf *out, struct err *err)
{
	struct emit e = {.out = out,
			 .err = err,
			 .indent = -1,
			 .whitespace = true,
			 .indention = true,
			 .epoch = ++doc->epoch};
	struct emit_comment c = comment_of(doc->root);
	int rc;

	if ((e.a = arena_new(0)) == NULL)
		return err_nomem(err);
	count(&e, doc->root);
	rc = emit_node(&e, doc->root, &c, false, false, false);
	emit_indent(&e);
	if (e.open_ended) {
		emit_mark(&e, "...", true, false, false);
		emit_indent(&e);
	}
	arena_free(e.a);
	return rc == 0 && e.nomem ? err_nomem(err) : rc;
}
