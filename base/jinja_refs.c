/*
 * Which names of the context a template refers to: found once, when it is compiled, by a walk
 * in the order of the source.  The walk knows what {% set %} and {% for %} bind where, and
 * what conditions ask about: a path that an `is defined` speaks of is guarded in everything
 * this condition decides.  Sets of names are the engine's own dicts, so nothing in a template
 * makes the walk slow.
 */
#include "base/arena.h"
#include "base/jinja_run.h"

#include <string.h>

/* Names bound by a block, until its end. */
struct scope {
	struct scope *up;
	struct jinja_dict *names;
};

struct walk {
	struct arena *arena;
	struct scope *scope;
	struct jinja_dict *guards; /* "a.b.c": how many conditions around ask about it */
	struct jinja_refnode **to; /* where the next reference is linked */
	bool nomem;
};

struct path {
	const char *part[JINJA_DEPTH_MAX + 1];
	size_t offset[JINJA_DEPTH_MAX + 1];
	size_t n;
	bool cut; /* a dynamic part was met */
};

static void visit(struct walk *, const struct jinja_expr *, bool guarded);
static void visit_stmts(struct walk *, const struct jinja_stmt *);

static void
put(struct walk *w, struct jinja_dict *d, struct jinja_val key, struct jinja_val v)
{
	if (d == NULL || jinja_dict_set(w->arena, d, key, v) != 0)
		w->nomem = true;
}

/* ---- what is bound ---- */

static void
enter(struct walk *w, struct scope *sc)
{
	sc->up = w->scope;
	sc->names = jinja_dict_new(w->arena);
	if (sc->names == NULL)
		w->nomem = true;
	else
		w->scope = sc;
}

static void
leave(struct walk *w, const struct scope *sc)
{
	w->scope = sc->up;
}

static void
bind(struct walk *w, const struct jinja_target *t)
{
	const struct jinja_target *part;

	if (t->sub == NULL && t->attr == NULL)
		put(w, w->scope->names, jinja_str(t->name), jinja_none());
	for (part = t->sub; part != NULL; part = part->next)
		bind(w, part);
}

static bool
is_bound(const struct walk *w, const char *name)
{
	const struct scope *sc;

	for (sc = w->scope; sc != NULL; sc = sc->up)
		if (jinja_dict_find(sc->names, jinja_str(name)) != NULL)
			return true;
	return false;
}

/* ---- paths ---- */

/* The name a chain of members starts from, or NULL. */
static const struct jinja_expr *
root_of(const struct jinja_expr *x)
{
	while (x != NULL && (x->kind == JINJA_X_ATTR || x->kind == JINJA_X_ITEM))
		x = x->base;
	return x != NULL && x->kind == JINJA_X_NAME ? x : NULL;
}

/* The path of a chain whose root is a name, up to its first dynamic part. */
static void
path_of(const struct jinja_expr *x, struct path *p)
{
	if (x->kind == JINJA_X_NAME) {
		p->part[0] = x->name;
		p->offset[0] = x->off;
		p->n = 1;
		p->cut = false;
		return;
	}
	path_of(x->base, p);
	if (p->cut)
		return;
	if (x->kind == JINJA_X_ATTR) {
		p->part[p->n] = x->name;
		p->offset[p->n++] = x->name_off;
	} else if (x->index->kind == JINJA_X_CONST && x->index->val.kind == JINJA_STR) {
		p->part[p->n] = x->index->val.s.p;
		p->offset[p->n++] = x->index->off + 1; /* behind the quote */
	} else {
		p->cut = true;
	}
}

/* The first ${n} parts as one key; 0x1f is in no name. */
static struct jinja_val
path_key(struct walk *w, const struct path *p, size_t n)
{
	size_t i, len = 0;
	char *key, *to;

	for (i = 0; i < n; i++)
		len += strlen(p->part[i]) + 1;
	key = to = arena_alloc(w->arena, len + 1);
	if (key == NULL) {
		w->nomem = true;
		return jinja_str("");
	}
	for (i = 0; i < n; i++) {
		size_t part = strlen(p->part[i]);

		memcpy(to, p->part[i], part);
		to += part;
		*to++ = 0x1f;
	}
	*to = '\0';
	return jinja_strn(key, len);
}

/* ---- guards ---- */

static bool
asks_definition(const struct jinja_expr *x)
{
	return x->kind == JINJA_X_TEST && (strcmp(x->fn->name, "defined") == 0 ||
					   strcmp(x->fn->name, "undefined") == 0);
}

/* Add ${by} to the count of every path whose definition the condition asks about. */
static void
guard(struct walk *w, const struct jinja_expr *cond, int by)
{
	const struct jinja_item *it;
	struct jinja_val key, *old;
	struct path p;

	if (cond->kind == JINJA_X_NOT) {
		guard(w, cond->base, by);
	} else if (cond->kind == JINJA_X_AND || cond->kind == JINJA_X_OR) {
		for (it = cond->items.first; it != NULL; it = it->next)
			guard(w, it->x, by);
	} else if (asks_definition(cond) && root_of(cond->base) != NULL) {
		path_of(cond->base, &p);
		key = path_key(w, &p, p.n);
		old = jinja_dict_find(w->guards, key);
		put(w, w->guards, key, jinja_int((old != NULL ? old->i : 0) + by));
	}
}

static bool
is_guarded(struct walk *w, const struct path *p)
{
	struct jinja_val *v;
	size_t n;

	for (n = 1; n <= p->n && jinja_dict_len(w->guards) != 0; n++) {
		v = jinja_dict_find(w->guards, path_key(w, p, n));
		if (v != NULL && v->i > 0)
			return true;
	}
	return false;
}

/* ---- expressions ---- */

static void
report(struct walk *w, const struct path *p, bool guarded)
{
	struct jinja_refnode *node;
	const char **part;
	size_t *offset, i;

	if (is_bound(w, p->part[0]))
		return;
	node = arena_zalloc(w->arena, sizeof(*node));
	part = arena_array(w->arena, p->n, sizeof(*part));
	offset = arena_array(w->arena, p->n, sizeof(*offset));
	if (node == NULL || part == NULL || offset == NULL) {
		w->nomem = true;
		return;
	}
	for (i = 0; i < p->n; i++) {
		part[i] = p->part[i];
		offset[i] = p->offset[i];
	}
	node->ref = (struct jinja_ref){part, p->n, offset, guarded || is_guarded(w, p)};
	*w->to = node;
	w->to = &node->next;
}

/* The subscripts of a chain whose path was reported. */
static void
visit_subscripts(struct walk *w, const struct jinja_expr *x)
{
	if (x->kind == JINJA_X_NAME)
		return;
	visit_subscripts(w, x->base);
	if (x->kind == JINJA_X_ITEM)
		visit(w, x->index, false);
}

static void
visit_chain(struct walk *w, const struct jinja_expr *x, bool guarded)
{
	struct path p;

	if (root_of(x) != NULL) {
		path_of(x, &p);
		report(w, &p, guarded);
		visit_subscripts(w, x);
		return;
	}
	visit(w, x->base, guarded);
	if (x->kind == JINJA_X_ITEM)
		visit(w, x->index, false);
}

static void
visit_items(struct walk *w, const struct jinja_items *items, bool guarded)
{
	const struct jinja_item *it;

	for (it = items->first; it != NULL; it = it->next) {
		visit(w, it->x, guarded);
		if (it->value != NULL)
			visit(w, it->value, false);
	}
}

/* What an operand asks about guards those behind it. */
static void
visit_logic(struct walk *w, const struct jinja_expr *x)
{
	const struct jinja_item *it;

	for (it = x->items.first; it != NULL; it = it->next) {
		visit(w, it->x, false);
		guard(w, it->x, 1);
	}
	for (it = x->items.first; it != NULL; it = it->next)
		guard(w, it->x, -1);
}

static void
visit_cond(struct walk *w, const struct jinja_expr *x)
{
	guard(w, x->sel.cond, 1);
	visit(w, x->base, false);
	guard(w, x->sel.cond, -1);
	visit(w, x->sel.cond, false);
	if (x->sel.other == NULL)
		return;
	guard(w, x->sel.cond, 1);
	visit(w, x->sel.other, false);
	guard(w, x->sel.cond, -1);
}

static void
visit_call(struct walk *w, const struct jinja_expr *x, bool guarded)
{
	bool defaults =
	    x->kind == JINJA_X_FILTER && (x->fn->flags & JINJA_FN_UNDEFINED) != 0;

	if (x->base != NULL)
		visit(w, x->base, defaults || asks_definition(x));
	/* `a | default(b) | default(c)`: b may be undefined too. */
	visit_items(w, &x->call.pos, guarded && defaults);
	visit_items(w, &x->call.kw, guarded && defaults);
}

static void
visit(struct walk *w, const struct jinja_expr *x, bool guarded)
{
	switch (x->kind) {
	case JINJA_X_CONST:
	case JINJA_X_CAPTURED:
		break;
	case JINJA_X_NAME:
	case JINJA_X_ATTR:
	case JINJA_X_ITEM:
		visit_chain(w, x, guarded);
		break;
	case JINJA_X_LIST:
	case JINJA_X_TUPLE:
	case JINJA_X_DICT:
	case JINJA_X_ARITH:
	case JINJA_X_CONCAT:
	case JINJA_X_COMPARE:
		visit_items(w, &x->items, false);
		break;
	case JINJA_X_AND:
	case JINJA_X_OR:
		visit_logic(w, x);
		break;
	case JINJA_X_SLICE:
		visit(w, x->base, false);
		if (x->slice.lo != NULL)
			visit(w, x->slice.lo, false);
		if (x->slice.hi != NULL)
			visit(w, x->slice.hi, false);
		if (x->slice.step != NULL)
			visit(w, x->slice.step, false);
		break;
	case JINJA_X_CALL:
	case JINJA_X_METHOD:
	case JINJA_X_FILTER:
	case JINJA_X_TEST:
		visit_call(w, x, guarded);
		break;
	case JINJA_X_NOT:
	case JINJA_X_NEG:
	case JINJA_X_POS:
		visit(w, x->base, false);
		break;
	case JINJA_X_COND:
		visit_cond(w, x);
		break;
	}
}

/* ---- statements ---- */

static void
visit_if(struct walk *w, const struct jinja_stmt *s)
{
	const struct jinja_branch *b;

	for (b = s->branches; b != NULL; b = b->next) {
		if (b->cond != NULL) {
			visit(w, b->cond, false);
			guard(w, b->cond, 1);
		}
		visit_stmts(w, b->body);
	}
	for (b = s->branches; b != NULL; b = b->next)
		if (b->cond != NULL)
			guard(w, b->cond, -1);
}

static void
visit_for(struct walk *w, const struct jinja_stmt *s)
{
	struct scope sc = {0};

	visit(w, s->loop.iter, false);
	enter(w, &sc);
	if (sc.names == NULL)
		return;
	bind(w, s->loop.target);
	if (s->loop.cond != NULL)
		visit(w, s->loop.cond, false);
	put(w, sc.names, jinja_str("loop"), jinja_none());
	visit_stmts(w, s->loop.body);
	leave(w, &sc);
	enter(w, &sc);
	if (sc.names == NULL)
		return;
	visit_stmts(w, s->loop.other);
	leave(w, &sc);
}

static void
visit_capture(struct walk *w, const struct jinja_stmt *s)
{
	struct scope sc = {0};

	enter(w, &sc);
	if (sc.names == NULL)
		return;
	visit_stmts(w, s->set.body);
	leave(w, &sc);
	visit(w, s->set.value, false);
	bind(w, s->set.target);
}

static void
visit_stmts(struct walk *w, const struct jinja_stmt *s)
{
	for (; s != NULL && !w->nomem; s = s->next) {
		switch (s->kind) {
		case JINJA_S_TEXT:
			break;
		case JINJA_S_OUTPUT:
			visit(w, s->output, false);
			break;
		case JINJA_S_IF:
			visit_if(w, s);
			break;
		case JINJA_S_FOR:
			visit_for(w, s);
			break;
		case JINJA_S_SET:
			visit(w, s->set.value, false);
			bind(w, s->set.target);
			break;
		case JINJA_S_CAPTURE:
			visit_capture(w, s);
			break;
		}
	}
}

int
jinja_collect_refs(struct arena *a, struct jinja *t)
{
	struct walk w = {.arena = a, .to = &t->refs};
	struct scope top = {0};

	w.guards = jinja_dict_new(a);
	enter(&w, &top);
	if (w.guards == NULL || w.nomem)
		return -1;
	if (t->expr != NULL)
		visit(&w, t->expr, false);
	visit_stmts(&w, t->body);
	return w.nomem ? -1 : 0;
}

void
jinja_refs(const struct jinja *t, void (*fn)(void *, const struct jinja_ref *), void *ctx)
{
	const struct jinja_refnode *node;

	for (node = t->refs; node != NULL; node = node->next)
		fn(ctx, &node->ref);
}
