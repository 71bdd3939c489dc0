/*
 * Block scalars (| and >) from the source: libyaml gives their text, but not where the lines
 * of a folded one were broken, nor what follows it.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "store/dvc/yaml_doc_int.h"

struct block {
	struct ydoc_source *s;
	struct yaml_tok *t;
	char chomp;	/* '+', '-', or 0 */
	int32_t indent; /* of its lines */
	size_t breaks;	/* empty lines read last */
	size_t end;	/* behind the last of them */
	uint32_t end_line;
	size_t length; /* of the text so far, in characters */
	size_t cap;    /* of the token's folds */
};

static int
header(struct block *b, int32_t *increment)
{
	struct ydoc_source *s = b->s;

	*increment = 0;
	ydoc_step(s);
	for (int k = 0; k < 2; k++) {
		uint32_t c = s->c[s->i];

		if (c == '+' || c == '-')
			b->chomp = (char)c;
		else if (c >= '1' && c <= '9')
			*increment = (int32_t)(c - '0');
		else
			break;
		ydoc_step(s);
	}
	while (s->c[s->i] == ' ')
		ydoc_step(s);
	if (s->c[s->i] == '\n') {
		ydoc_step(s);
		return 0;
	}
	if (s->i == s->n)
		return 0;
	return ydoc_refuse(s->name, s->line, s->col, s->err,
			   "a comment behind | or >, which cannot be kept as DVC would");
}

static void
line_break(struct block *b)
{
	ydoc_step(b->s);
	b->breaks++;
	b->end = b->s->i;
	b->end_line = b->s->line;
}

static void
start_breaks(struct block *b)
{
	b->breaks = 0;
	b->end = b->s->i;
	b->end_line = b->s->line;
}

/* The empty lines before the text, and how deep its first line stands. */
static int32_t
find_indent(struct block *b)
{
	struct ydoc_source *s = b->s;
	int32_t deepest = 0;

	start_breaks(b);
	while (s->c[s->i] == ' ' || s->c[s->i] == '\n') {
		if (s->c[s->i] == '\n') {
			line_break(b);
			continue;
		}
		ydoc_step(s);
		if ((int32_t)s->col > deepest)
			deepest = (int32_t)s->col;
	}
	return deepest;
}

static void
skip_breaks(struct block *b)
{
	struct ydoc_source *s = b->s;

	start_breaks(b);
	for (;;) {
		while ((int32_t)s->col < b->indent && s->c[s->i] == ' ')
			ydoc_step(s);
		if (s->c[s->i] != '\n')
			return;
		line_break(b);
	}
}

/* One line and the empty ones behind it; remember where it was folded. */
static int
text_line(struct block *b, bool *more)
{
	struct ydoc_source *s = b->s;
	bool lead = s->c[s->i] == ' ' || s->c[s->i] == '\t', broken;

	b->length += b->breaks;
	while (s->i < s->n && s->c[s->i] != '\n') {
		ydoc_step(s);
		b->length++;
	}
	broken = s->i < s->n;
	if (broken)
		ydoc_step(s);
	skip_breaks(b);
	*more = (int32_t)s->col == b->indent && s->i < s->n;
	if (!*more)
		return 0;
	if (b->t->style == YV_FOLDED && broken) {
		uint32_t c = s->c[s->i];
		void *v = ydoc_grow(s->a, b->t->folds, b->t->nfolds, &b->cap,
				    sizeof *b->t->folds);

		if (v == NULL)
			return err_nomem(s->err);
		b->t->folds = v;
		b->t->folds[b->t->nfolds++] = (uint32_t)b->length;
		if (!lead && c != ' ' && c != '\t') {
			b->length += b->breaks == 0;
			return 0;
		}
	}
	b->length++;
	return 0;
}

/* The empty lines that do not count as text, with the comments behind them. */
static int
trailing(struct block *b)
{
	struct ydoc_source *s = b->s;
	struct yaml_comment *c, *all = arena_zalloc(s->a, sizeof *all);
	struct buf text;
	int rc;

	buf_init(&text, 0);
	for (size_t k = 0; k < b->breaks; k++)
		buf_addc(&text, '\n');
	while ((rc = ydoc_comment(s, &c)) > 0) {
		for (int32_t k = 0; k < c->col; k++)
			buf_addc(&text, ' ');
		buf_add(&text, c->text, c->len);
	}
	b->t->slots = arena_zalloc(s->a, sizeof *b->t->slots);
	if (rc < 0 || all == NULL || b->t->slots == NULL || buf_failed(&text) ||
	    (all->text = arena_strndup(s->a, text.p, text.n)) == NULL)
		rc = err_nomem(s->err);
	if (rc == 0) {
		all->len = text.n;
		all->line = b->end_line;
		b->t->slots->post = all;
	}
	buf_release(&text);
	return rc;
}

int
ydoc_block(struct ydoc_source *s)
{
	struct block b = {.s = s, .t = &s->toks->t.v[s->last]};
	int32_t least, increment, deepest;
	bool more;

	s->i = b.t->start;
	s->line = b.t->line;
	s->col = b.t->col;
	least = (s->nindents != 0 ? s->indents[s->nindents - 1] : -1) + 1;
	if (header(&b, &increment) != 0)
		return -1;
	if (increment != 0) {
		b.indent = (least < 1 ? 1 : least) + increment - 1;
		skip_breaks(&b);
	} else {
		deepest = find_indent(&b);
		b.indent = deepest > least ? deepest : least;
	}
	more = (int32_t)s->col == b.indent && s->i < s->n;
	while (more)
		if (text_line(&b, &more) != 0)
			return -1;
	b.t->end = b.end;
	b.t->end_line = b.end_line;
	b.t->end_col = 0;
	return b.chomp != '+' && b.breaks != 0 ? trailing(&b) : 0;
}
