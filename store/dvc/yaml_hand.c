/*
 * Comments while a text is read: which token they hang at first, and how they are handed on
 * to the next.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "store/dvc/yaml_tree_int.h"

struct yaml_tok *
tree_peek(struct tree *p)
{
	return &p->toks->t.v[p->i];
}

bool
tree_at(struct tree *p, enum yaml_tok_kind k)
{
	return tree_peek(p)->kind == k;
}

struct yaml_val *
tree_refuse(struct tree *p, const struct yaml_tok *t, const char *what)
{
	ydoc_refuse(p->toks->name, t->line, t->col, p->err, what);
	return NULL;
}

struct yaml_val *
tree_nomem(struct tree *p)
{
	err_nomem(p->err);
	return NULL;
}

struct yaml_slots *
tree_slots_of(struct tree *p, struct yaml_slots **slots)
{
	if (*slots == NULL)
		*slots = arena_zalloc(p->doc->a, sizeof **slots);
	return *slots;
}

static void
blanks(struct buf *b, int32_t n)
{
	while (n-- > 0)
		buf_addc(b, ' ');
}

/* All comments behind a token as one; ${lines} newlines and the column go before it. */
static struct yaml_comment *
join(struct tree *p, const struct yaml_comments *after, uint32_t lines)
{
	struct yaml_comment *c = arena_zalloc(p->doc->a, sizeof *c);
	struct buf b;

	if (c == NULL)
		return NULL;
	buf_init(&b, 0);
	*c = *after->v[0];
	for (uint32_t k = 0; k < lines; k++)
		buf_addc(&b, '\n');
	if (lines != 0)
		blanks(&b, c->col);
	buf_add(&b, c->text, c->len);
	for (size_t k = 1; k < after->n; k++) {
		blanks(&b, after->v[k]->col);
		buf_add(&b, after->v[k]->text, after->v[k]->len);
	}
	c->len = b.n;
	c->text = buf_failed(&b) ? NULL : arena_strndup(p->doc->a, b.p, b.n);
	buf_release(&b);
	return c->text != NULL ? c : NULL;
}

static bool
takes_post(enum yaml_tok_kind k)
{
	return k == YT_SCALAR || k == YT_VALUE || k == YT_FLOW_SEQ_END ||
	       k == YT_FLOW_MAP_END;
}

/* The next token: comments behind it become its own or go before the one after it. */
struct yaml_tok *
tree_get(struct tree *p)
{
	struct yaml_tok *t = &p->toks->t.v[p->i], *next = t;

	if (t->kind != YT_STREAM_END) {
		p->i++;
		next = t + 1;
	}
	if (t->after.n == 0)
		return t;
	if (takes_post(t->kind) &&
	    (t->kind == YT_SCALAR || t->end_line == t->after.v[0]->line)) {
		if (tree_slots_of(p, &t->slots) == NULL)
			return (struct yaml_tok *)tree_nomem(p);
		t->slots->post = join(p, &t->after, t->after.v[0]->line - t->end_line);
		if (t->slots->post == NULL)
			return (struct yaml_tok *)tree_nomem(p);
	} else {
		if (tree_slots_of(p, &next->slots) == NULL)
			return (struct yaml_tok *)tree_nomem(p);
		next->slots->pre = arena_zalloc(p->doc->a, sizeof *next->slots->pre);
		if (next->slots->pre == NULL)
			return (struct yaml_tok *)tree_nomem(p);
		*next->slots->pre = t->after;
	}
	return t;
}

bool
tree_some(const struct yaml_comments *list)
{
	return list != NULL && list->n != 0;
}

/* Hand what hangs at ${t} on to the next token; ${value}: ${t} is a ":". */
int
tree_hand_on(struct tree *p, struct yaml_tok *t, bool value)
{
	struct yaml_tok *to = tree_peek(p);
	struct yaml_slots *c = t->slots, *tc = to->slots;

	if (c == NULL || to->kind == YT_STREAM_END || to->kind == YT_DOC_START)
		return 0;
	t->slots = NULL;
	if (tc == NULL) {
		if (tree_slots_of(p, &to->slots) == NULL)
			return err_nomem(p->err);
		*to->slots = *c;
		to->slots->handed = value;
		to->slots->end = NULL;
		return 0;
	}
	if ((c->post != NULL && tc->post != NULL) ||
	    (tree_some(c->pre) && tree_some(tc->pre))) {
		if (c->pre == NULL || tc->pre == NULL) {
			tree_refuse(p, t, "comments that DVC cannot tell apart");
			return -1;
		}
		for (size_t k = 0; k < tc->pre->n; k++)
			if (ydoc_add_comment(p->doc->a, c->pre, tc->pre->v[k]) != 0)
				return err_nomem(p->err);
	}
	if (c->post != NULL)
		tc->post = c->post;
	if (tree_some(c->pre))
		tc->pre = c->pre;
	return 0;
}

/* Lines before the end of a collection are kept at the collection. */
int
tree_end_comment(struct tree *p, struct yaml_val *v, struct yaml_slots *end)
{
	if (end == NULL || !tree_some(end->pre))
		return 0;
	if (tree_slots_of(p, &v->raw) == NULL)
		return err_nomem(p->err);
	if (!v->raw->handed)
		v->raw->end = end->pre;
	end->pre = NULL;
	return 0;
}
