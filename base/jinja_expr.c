/* Expressions: a Pratt parser with Jinja2's binding powers. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/jinja_run.h"

#include <stdio.h>
#include <string.h>

/*
 * Binding powers, the loosest first.  What associates to the left is parsed as one wide
 * node.  As in Jinja2 `**` associates to the left and a sign binds tighter than it.
 *
 *	x if y else z    or    and    not    == < in ..    + -    ~    * / // %    **    - +
 */
enum {
	BP_AND = JINJA_BP_OR + 1,
	BP_NOT,
	BP_COMPARE,
	BP_ADD,
	BP_CONCAT,
	BP_MUL,
	BP_POW,
	BP_UNARY
};

struct infix {
	int bp;
	enum jinja_xkind kind;
	enum jinja_op op;
};

int
jinja_advance(struct jinja_parser *ps)
{
	ps->prev_end = ps->cur.off + ps->cur.len;
	if (ps->have_ahead) {
		ps->cur = ps->ahead;
		ps->have_ahead = false;
		return 0;
	}
	return jinja_lex_next(&ps->lex, &ps->cur);
}

int
jinja_peek(struct jinja_parser *ps, const struct jinja_tok **t)
{
	if (!ps->have_ahead && jinja_lex_next(&ps->lex, &ps->ahead) != 0)
		return -1;
	ps->have_ahead = true;
	*t = &ps->ahead;
	return 0;
}

bool
jinja_at_word(const struct jinja_parser *ps, const char *word)
{
	return ps->cur.kind == JINJA_T_NAME && strcmp(ps->cur.p, word) == 0;
}

int
jinja_unexpected(struct jinja_parser *ps, const char *wanted)
{
	const struct jinja_tok *t = &ps->cur;
	int n = t->len > 40 ? 40 : (int)t->len;

	if (t->kind == JINJA_T_EOF)
		return jinja_mistake(ps->e, t->off, 0, "%s is missing at the end",
				     wanted);
	if (t->kind == JINJA_T_VAR_END || t->kind == JINJA_T_BLOCK_END)
		return jinja_mistake(ps->e, t->off, t->len, "%s is missing before '%.*s'",
				     wanted, n, ps->lex.src + t->off);
	(void)jinja_mistake(ps->e, t->off, t->len, "expected %s, not '%.*s'", wanted, n,
			    ps->lex.src + t->off);
	if (t->kind == '=')
		(void)snprintf(ps->e->hint, sizeof(ps->e->hint),
			       "'==' compares; '{%% set %%}' assigns");
	return -1;
}

int
jinja_expect(struct jinja_parser *ps, int kind, const char *wanted)
{
	if (ps->cur.kind != kind)
		return jinja_unexpected(ps, wanted);
	return jinja_advance(ps);
}

static int
too_deep(struct jinja_parser *ps, size_t off, size_t len)
{
	return jinja_mistake(ps->e, off, len, "nested more than %d deep",
			     JINJA_DEPTH_MAX);
}

int
jinja_enter(struct jinja_parser *ps)
{
	if (ps->depth >= JINJA_DEPTH_MAX)
		return too_deep(ps, ps->cur.off, ps->cur.len);
	ps->depth++;
	return 0;
}

void
jinja_leave(struct jinja_parser *ps)
{
	ps->depth--;
}

struct jinja_expr *
jinja_node(struct jinja_parser *ps, enum jinja_xkind kind, uint32_t off)
{
	struct jinja_expr *x = arena_zalloc(ps->arena, sizeof(*x));

	if (x == NULL) {
		(void)jinja_mistake(ps->e, off, 1, "out of memory");
		return NULL;
	}
	x->kind = kind;
	x->off = off;
	return x;
}

static void
raise_height(struct jinja_expr *x, const struct jinja_expr *child)
{
	if (child != NULL && child->height >= x->height)
		x->height = (uint16_t)(child->height + 1);
}

static void
raise_by_items(struct jinja_expr *x, const struct jinja_items *items)
{
	const struct jinja_item *it;

	for (it = items->first; it != NULL; it = it->next) {
		raise_height(x, it->x);
		raise_height(x, it->value);
	}
}

/* Close the node: its extent, and its height, which is limited. */
struct jinja_expr *
jinja_finish(struct jinja_parser *ps, struct jinja_expr *x)
{
	x->len = ps->prev_end > x->off ? ps->prev_end - x->off : 1;
	raise_height(x, x->base);
	switch ((int)x->kind) {
	case JINJA_X_LIST:
	case JINJA_X_TUPLE:
	case JINJA_X_DICT:
	case JINJA_X_ARITH:
	case JINJA_X_CONCAT:
	case JINJA_X_COMPARE:
	case JINJA_X_AND:
	case JINJA_X_OR:
		raise_by_items(x, &x->items);
		if (x->height == 0)
			x->height = 1;
		break;
	case JINJA_X_CALL:
	case JINJA_X_METHOD:
	case JINJA_X_FILTER:
	case JINJA_X_TEST:
		raise_by_items(x, &x->call.pos);
		raise_by_items(x, &x->call.kw);
		break;
	case JINJA_X_ITEM:
		raise_height(x, x->index);
		break;
	case JINJA_X_SLICE:
		raise_height(x, x->slice.lo);
		raise_height(x, x->slice.hi);
		raise_height(x, x->slice.step);
		break;
	case JINJA_X_COND:
		raise_height(x, x->sel.cond);
		raise_height(x, x->sel.other);
		break;
	default:
		break;
	}
	if (x->height + ps->blocks > JINJA_DEPTH_MAX) {
		(void)too_deep(ps, x->off, x->len);
		return NULL;
	}
	return x;
}

struct jinja_item *
jinja_add_item(struct jinja_parser *ps, struct jinja_items *items, struct jinja_expr *x)
{
	struct jinja_item *it;

	if (x == NULL)
		return NULL;
	it = arena_zalloc(ps->arena, sizeof(*it));
	if (it == NULL) {
		(void)jinja_mistake(ps->e, x->off, x->len, "out of memory");
		return NULL;
	}
	it->x = x;
	if (items->last != NULL)
		items->last->next = it;
	else
		items->first = it;
	items->last = it;
	items->n++;
	return it;
}

/* ---- operands ---- */

static const char *const reserved[] = {
    "and", "or", "not", "in", "is", "if", "else", "elif", NULL,
};

bool
jinja_is_reserved(const char *name)
{
	size_t i;

	for (i = 0; reserved[i] != NULL; i++)
		if (strcmp(reserved[i], name) == 0)
			return true;
	return false;
}

static struct jinja_expr *
constant(struct jinja_parser *ps, struct jinja_val v)
{
	struct jinja_expr *x = jinja_node(ps, JINJA_X_CONST, ps->cur.off);

	if (x == NULL || jinja_advance(ps) != 0)
		return NULL;
	x->val = v;
	return jinja_finish(ps, x);
}

static struct jinja_expr *
name(struct jinja_parser *ps)
{
	const char *p = ps->cur.p;
	struct jinja_expr *x;

	if (strcmp(p, "true") == 0 || strcmp(p, "True") == 0)
		return constant(ps, jinja_bool(true));
	if (strcmp(p, "false") == 0 || strcmp(p, "False") == 0)
		return constant(ps, jinja_bool(false));
	if (strcmp(p, "none") == 0 || strcmp(p, "None") == 0)
		return constant(ps, jinja_none());
	if (jinja_is_reserved(p)) {
		(void)jinja_unexpected(ps, "an expression");
		return NULL;
	}
	x = jinja_node(ps, JINJA_X_NAME, ps->cur.off);
	if (x == NULL || jinja_advance(ps) != 0)
		return NULL;
	x->name = p;
	x->name_off = x->off;
	return jinja_finish(ps, x);
}

/* A string, with those that follow it directly. */
static struct jinja_expr *
string(struct jinja_parser *ps)
{
	struct jinja_expr *x = jinja_node(ps, JINJA_X_CONST, ps->cur.off);
	struct buf b;

	if (x == NULL)
		return NULL;
	x->val = jinja_strn(ps->cur.p, ps->cur.n);
	if (jinja_advance(ps) != 0)
		return NULL;
	if (ps->cur.kind != JINJA_T_STR)
		return jinja_finish(ps, x);
	buf_init(&b, JINJA_SRC_MAX);
	buf_add(&b, x->val.s.p, x->val.s.n);
	while (ps->cur.kind == JINJA_T_STR) {
		buf_add(&b, ps->cur.p, ps->cur.n);
		if (jinja_advance(ps) != 0)
			goto out;
	}
	x->val = jinja_strn(arena_strndup(ps->arena, b.p, b.n), b.n);
	if (buf_failed(&b) || x->val.s.p == NULL)
		(void)jinja_mistake(ps->e, x->off, 1, "out of memory");
out:
	buf_release(&b);
	return ps->e->msg[0] == '\0' ? jinja_finish(ps, x) : NULL;
}

/* Elements up to the closing bracket, which is left standing; whether any comma was seen. */
static int
elements(struct jinja_parser *ps, struct jinja_items *items, int close, bool *comma)
{
	const char *wanted = close == ')' ? "',' or ')'" : "',' or ']'";

	while (ps->cur.kind != close) {
		if (jinja_add_item(ps, items, jinja_parse_expr(ps, JINJA_BP_COND)) ==
		    NULL)
			return -1;
		if (ps->cur.kind == close)
			break;
		*comma = true;
		if (jinja_expect(ps, ',', wanted) != 0)
			return -1;
	}
	return 0;
}

/* "(x)" is x; "(x,)", "(x, y)" and "()" are tuples. */
static struct jinja_expr *
parenthesis(struct jinja_parser *ps)
{
	struct jinja_expr *x = jinja_node(ps, JINJA_X_TUPLE, ps->cur.off);
	bool comma = false;

	if (x == NULL || jinja_enter(ps) != 0 || jinja_advance(ps) != 0 ||
	    elements(ps, &x->items, ')', &comma) != 0)
		return NULL;
	jinja_leave(ps);
	if (jinja_advance(ps) != 0)
		return NULL;
	return x->items.n == 1 && !comma ? x->items.first->x : jinja_finish(ps, x);
}

static struct jinja_expr *
list(struct jinja_parser *ps)
{
	struct jinja_expr *x = jinja_node(ps, JINJA_X_LIST, ps->cur.off);
	bool comma = false;

	if (x == NULL || jinja_enter(ps) != 0 || jinja_advance(ps) != 0 ||
	    elements(ps, &x->items, ']', &comma) != 0)
		return NULL;
	jinja_leave(ps);
	return jinja_advance(ps) == 0 ? jinja_finish(ps, x) : NULL;
}

static struct jinja_expr *
dict(struct jinja_parser *ps)
{
	struct jinja_expr *x = jinja_node(ps, JINJA_X_DICT, ps->cur.off);
	struct jinja_item *it;

	if (x == NULL || jinja_enter(ps) != 0 || jinja_advance(ps) != 0)
		return NULL;
	while (ps->cur.kind != '}') {
		it = jinja_add_item(ps, &x->items, jinja_parse_expr(ps, JINJA_BP_COND));
		if (it == NULL || jinja_expect(ps, ':', "':' behind the key") != 0 ||
		    (it->value = jinja_parse_expr(ps, JINJA_BP_COND)) == NULL)
			return NULL;
		if (ps->cur.kind != '}' && jinja_expect(ps, ',', "',' or '}'") != 0)
			return NULL;
	}
	jinja_leave(ps);
	return jinja_advance(ps) == 0 ? jinja_finish(ps, x) : NULL;
}

struct jinja_expr *
jinja_parse_primary(struct jinja_parser *ps)
{
	switch (ps->cur.kind) {
	case JINJA_T_NAME:
		return name(ps);
	case JINJA_T_STR:
		return string(ps);
	case JINJA_T_INT:
		return constant(ps, jinja_int(ps->cur.i));
	case JINJA_T_FLOAT:
		return constant(ps, jinja_float(ps->cur.f));
	case '(':
		return parenthesis(ps);
	case '[':
		return list(ps);
	case '{':
		return dict(ps);
	default:
		(void)jinja_unexpected(ps, "an expression");
		return NULL;
	}
}

/* ---- operators ---- */

/* A sign binds to what follows it without filters: -x | abs is (-x) | abs. */
static struct jinja_expr *
unary(struct jinja_parser *ps, bool filters)
{
	struct jinja_expr *x;

	if (ps->cur.kind == '-' || ps->cur.kind == '+') {
		x = jinja_node(ps, ps->cur.kind == '-' ? JINJA_X_NEG : JINJA_X_POS,
			       ps->cur.off);
		if (x == NULL || jinja_enter(ps) != 0 || jinja_advance(ps) != 0 ||
		    (x->base = unary(ps, false)) == NULL)
			return NULL;
		jinja_leave(ps);
		x = jinja_finish(ps, x);
	} else {
		x = jinja_parse_primary(ps);
	}
	x = jinja_parse_postfix(ps, x);
	return filters ? jinja_parse_filters_and_tests(ps, x) : x;
}

static struct jinja_expr *
prefix(struct jinja_parser *ps, int min)
{
	struct jinja_expr *x;

	if (!jinja_at_word(ps, "not") || min > BP_NOT)
		return unary(ps, true);
	x = jinja_node(ps, JINJA_X_NOT, ps->cur.off);
	if (x == NULL || jinja_enter(ps) != 0 || jinja_advance(ps) != 0 ||
	    (x->base = jinja_parse_expr(ps, BP_NOT)) == NULL)
		return NULL;
	jinja_leave(ps);
	return jinja_finish(ps, x);
}

static const struct {
	int tok;
	struct infix in;
} symbols[] = {
    {JINJA_T_EQ, {BP_COMPARE, JINJA_X_COMPARE, JINJA_OP_EQ}},
    {JINJA_T_NE, {BP_COMPARE, JINJA_X_COMPARE, JINJA_OP_NE}},
    {'<', {BP_COMPARE, JINJA_X_COMPARE, JINJA_OP_LT}},
    {JINJA_T_LE, {BP_COMPARE, JINJA_X_COMPARE, JINJA_OP_LE}},
    {'>', {BP_COMPARE, JINJA_X_COMPARE, JINJA_OP_GT}},
    {JINJA_T_GE, {BP_COMPARE, JINJA_X_COMPARE, JINJA_OP_GE}},
    {'+', {BP_ADD, JINJA_X_ARITH, JINJA_OP_ADD}},
    {'-', {BP_ADD, JINJA_X_ARITH, JINJA_OP_SUB}},
    {'~', {BP_CONCAT, JINJA_X_CONCAT, JINJA_OP_NONE}},
    {'*', {BP_MUL, JINJA_X_ARITH, JINJA_OP_MUL}},
    {'/', {BP_MUL, JINJA_X_ARITH, JINJA_OP_DIV}},
    {JINJA_T_FLOORDIV, {BP_MUL, JINJA_X_ARITH, JINJA_OP_FLOORDIV}},
    {'%', {BP_MUL, JINJA_X_ARITH, JINJA_OP_MOD}},
    {JINJA_T_POW, {BP_POW, JINJA_X_ARITH, JINJA_OP_POW}},
};

static const struct {
	const char *name;
	struct infix in;
} words[] = {
    {"if", {JINJA_BP_COND, JINJA_X_COND, JINJA_OP_NONE}},
    {"or", {JINJA_BP_OR, JINJA_X_OR, JINJA_OP_NONE}},
    {"and", {BP_AND, JINJA_X_AND, JINJA_OP_NONE}},
    {"in", {BP_COMPARE, JINJA_X_COMPARE, JINJA_OP_IN}},
    {"not", {BP_COMPARE, JINJA_X_COMPARE, JINJA_OP_NOTIN}},
};

/* The operator at the current place: 1 with ${in}, 0 if there is none, -1. */
static int
infix_here(struct jinja_parser *ps, struct infix *in)
{
	const struct jinja_tok *next;
	size_t i;

	if (ps->cur.kind != JINJA_T_NAME) {
		for (i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
			if (symbols[i].tok == ps->cur.kind) {
				*in = symbols[i].in;
				return 1;
			}
		}
		return 0;
	}
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].name, ps->cur.p) != 0)
			continue;
		*in = words[i].in;
		if (in->op != JINJA_OP_NOTIN)
			return 1;
		if (jinja_peek(ps, &next) != 0)
			return -1;
		return next->kind == JINJA_T_NAME && strcmp(next->p, "in") == 0;
	}
	return 0;
}

/* x if cond else other, from the `if` on. */
static struct jinja_expr *
conditional(struct jinja_parser *ps, struct jinja_expr *yes)
{
	struct jinja_expr *x = jinja_node(ps, JINJA_X_COND, yes->off);

	if (x == NULL || jinja_advance(ps) != 0)
		return NULL;
	x->base = yes;
	x->sel.cond = jinja_parse_expr(ps, JINJA_BP_OR);
	if (x->sel.cond == NULL)
		return NULL;
	if (jinja_at_word(ps, "else")) {
		if (jinja_enter(ps) != 0 || jinja_advance(ps) != 0)
			return NULL;
		x->sel.other = jinja_parse_expr(ps, JINJA_BP_COND);
		if (x->sel.other == NULL)
			return NULL;
		jinja_leave(ps);
	}
	return jinja_finish(ps, x);
}

/* left OP right OP right ..., all operators of one binding power. */
static struct jinja_expr *
chain(struct jinja_parser *ps, struct jinja_expr *left, struct infix in)
{
	struct jinja_expr *x = jinja_node(ps, in.kind, left->off);
	struct jinja_item *it;
	int bp = in.bp, more = 1;

	if (x == NULL || jinja_add_item(ps, &x->items, left) == NULL)
		return NULL;
	while (more == 1 && in.bp == bp) {
		uint32_t off = ps->cur.off, len;

		if ((in.op == JINJA_OP_NOTIN && jinja_advance(ps) != 0) ||
		    jinja_advance(ps) != 0)
			return NULL;
		len = ps->prev_end - off;
		it = jinja_add_item(ps, &x->items, jinja_parse_expr(ps, bp + 1));
		if (it == NULL)
			return NULL;
		it->op = in.op;
		it->off = off;
		it->len = len;
		more = infix_here(ps, &in);
	}
	return more >= 0 ? jinja_finish(ps, x) : NULL;
}

struct jinja_expr *
jinja_parse_expr(struct jinja_parser *ps, int min)
{
	struct jinja_expr *x = prefix(ps, min);
	struct infix in;
	int rc = 0;

	while (x != NULL && (rc = infix_here(ps, &in)) == 1 && in.bp >= min)
		x = in.bp == JINJA_BP_COND ? conditional(ps, x) : chain(ps, x, in);
	return rc >= 0 ? x : NULL;
}

struct jinja_expr *
jinja_parse_tuple(struct jinja_parser *ps, int min)
{
	struct jinja_expr *first = jinja_parse_expr(ps, min), *x;

	if (first == NULL || ps->cur.kind != ',')
		return first;
	x = jinja_node(ps, JINJA_X_TUPLE, first->off);
	if (x == NULL || jinja_add_item(ps, &x->items, first) == NULL)
		return NULL;
	while (ps->cur.kind == ',') {
		if (jinja_advance(ps) != 0)
			return NULL;
		if (ps->cur.kind == JINJA_T_VAR_END || ps->cur.kind == JINJA_T_BLOCK_END)
			break;
		if (jinja_add_item(ps, &x->items, jinja_parse_expr(ps, min)) == NULL)
			return NULL;
	}
	return jinja_finish(ps, x);
}
