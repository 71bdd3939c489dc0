/* Statements: the tags around expressions, and the way in. */
#include "base/arena.h"
#include "base/jinja_run.h"
#include "base/suggest.h"

#include <stdio.h>
#include <string.h>

/* Tags of Jinja2 and dbt that this engine does not have yet. */
static const char *const not_built[] = {
    "macro",	"call",	    "filter",	  "with",    "do",
    "include",	"import",   "from",	  "extends", "block",
    "break",	"continue", "autoescape", "trans",   "materialization",
    "snapshot", "test",	    "docs",	  NULL,
};
static const char *const built[] = {"if",  "elif",   "else", "endif",  "for", "endfor",
				    "set", "endset", "raw",  "endraw", NULL};

static int body(struct jinja_parser *, struct jinja_stmt **, const char *const *,
		uint32_t, const char *);

static bool
among(const char *name, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

static void *
zalloc(struct jinja_parser *ps, size_t n, uint32_t off)
{
	void *p = arena_zalloc(ps->arena, n);

	if (p == NULL)
		(void)jinja_mistake(ps->e, off, 1, "out of memory");
	return p;
}

static int
block_end(struct jinja_parser *ps)
{
	return jinja_expect(ps, JINJA_T_BLOCK_END, "'%}'");
}

/* An expression of a tag, where no filter may need an emission. */
static struct jinja_expr *
tag_expr(struct jinja_parser *ps, int bp, bool tuple)
{
	struct jinja_expr *x =
	    tuple ? jinja_parse_tuple(ps, bp) : jinja_parse_expr(ps, bp);

	return x != NULL && jinja_check_emission(ps, NULL) == 0 ? x : NULL;
}

/* ---- if ---- */

/* A branch's condition (the `else` has none) and body, from behind the tag's word. */
static struct jinja_branch *
branch(struct jinja_parser *ps, bool cond, uint32_t tag)
{
	static const char *const ends[] = {"elif", "else", "endif", NULL};
	static const char *const end[] = {"endif", NULL};
	struct jinja_branch *b = zalloc(ps, sizeof(*b), tag);

	if (b == NULL ||
	    (cond && (b->cond = tag_expr(ps, JINJA_BP_COND, true)) == NULL) ||
	    block_end(ps) != 0 ||
	    body(ps, &b->body, cond ? ends : end, tag, "endif") != 0)
		return NULL;
	return b;
}

static int
parse_if(struct jinja_parser *ps, struct jinja_stmt *s)
{
	struct jinja_branch **to = &s->branches;
	bool cond = true;

	s->kind = JINJA_S_IF;
	for (;;) {
		if (jinja_advance(ps) != 0 || (*to = branch(ps, cond, s->off)) == NULL)
			return -1;
		to = &(*to)->next;
		if (jinja_at_word(ps, "endif"))
			return jinja_advance(ps);
		cond = jinja_at_word(ps, "elif");
	}
}

/* ---- targets of set and for ---- */

static struct jinja_target *target(struct jinja_parser *, bool);

static struct jinja_target *
target_name(struct jinja_parser *ps, bool attr)
{
	struct jinja_target *t = zalloc(ps, sizeof(*t), ps->cur.off);

	if (t == NULL)
		return NULL;
	if (ps->cur.kind != JINJA_T_NAME) {
		(void)jinja_unexpected(ps, "a name to assign to");
		return NULL;
	}
	t->name = ps->cur.p;
	t->off = ps->cur.off;
	t->len = ps->cur.len;
	if (jinja_is_reserved(t->name) ||
	    among(t->name, (const char *const[]){"true", "false", "none", "True", "False",
						 "None", "loop", NULL})) {
		(void)jinja_mistake(ps->e, t->off, t->len, "'%s' cannot be assigned to",
				    t->name);
		return NULL;
	}
	if (jinja_advance(ps) != 0)
		return NULL;
	if (!attr || ps->cur.kind != '.')
		return t;
	if (jinja_advance(ps) != 0)
		return NULL;
	if (ps->cur.kind != JINJA_T_NAME) {
		(void)jinja_unexpected(ps, "a name behind '.'");
		return NULL;
	}
	t->attr = ps->cur.p;
	t->len = ps->cur.off + ps->cur.len - t->off;
	return jinja_advance(ps) == 0 ? t : NULL;
}

static struct jinja_target *
target_part(struct jinja_parser *ps, bool attr)
{
	struct jinja_target *t;

	if (ps->cur.kind != '(')
		return target_name(ps, attr);
	if (jinja_enter(ps) != 0 || jinja_advance(ps) != 0 ||
	    (t = target(ps, attr)) == NULL || jinja_expect(ps, ')', "')'") != 0)
		return NULL;
	jinja_leave(ps);
	return t;
}

/* One target, or several with commas. */
static struct jinja_target *
target(struct jinja_parser *ps, bool attr)
{
	struct jinja_target *first = target_part(ps, attr), *t, **to;

	if (first == NULL || ps->cur.kind != ',')
		return first;
	t = zalloc(ps, sizeof(*t), first->off);
	if (t == NULL)
		return NULL;
	t->off = first->off;
	t->sub = first;
	t->nsub = 1;
	to = &first->next;
	while (ps->cur.kind == ',') {
		if (jinja_advance(ps) != 0)
			return NULL;
		if (ps->cur.kind != JINJA_T_NAME && ps->cur.kind != '(')
			break;
		if (jinja_at_word(ps, "in"))
			break;
		if ((*to = target_part(ps, attr)) == NULL)
			return NULL;
		to = &(*to)->next;
		t->nsub++;
	}
	t->len = ps->prev_end - t->off;
	return t;
}

/* ---- for ---- */

static int
parse_for(struct jinja_parser *ps, struct jinja_stmt *s)
{
	static const char *const ends[] = {"else", "endfor", NULL};
	static const char *const end[] = {"endfor", NULL};

	s->kind = JINJA_S_FOR;
	if (jinja_advance(ps) != 0 || (s->loop.target = target(ps, false)) == NULL)
		return -1;
	if (!jinja_at_word(ps, "in"))
		return jinja_unexpected(ps, "'in'");
	if (jinja_advance(ps) != 0 ||
	    (s->loop.iter = tag_expr(ps, JINJA_BP_OR, true)) == NULL)
		return -1;
	if (jinja_at_word(ps, "if") &&
	    (jinja_advance(ps) != 0 ||
	     (s->loop.cond = tag_expr(ps, JINJA_BP_COND, false)) == NULL))
		return -1;
	if (jinja_at_word(ps, "recursive"))
		return jinja_mistake(ps->e, ps->cur.off, ps->cur.len,
				     "recursive loops are not built yet");
	if (block_end(ps) != 0 || body(ps, &s->loop.body, ends, s->off, "endfor") != 0)
		return -1;
	if (jinja_at_word(ps, "else") &&
	    (jinja_advance(ps) != 0 || block_end(ps) != 0 ||
	     body(ps, &s->loop.other, end, s->off, "endfor") != 0))
		return -1;
	return jinja_advance(ps);
}

/* ---- set ---- */

/* {% set x | filters %}...{% endset %}, from behind x. */
static int
parse_capture(struct jinja_parser *ps, struct jinja_stmt *s)
{
	static const char *const end[] = {"endset", NULL};
	struct jinja_expr *x = jinja_node(ps, JINJA_X_CAPTURED, s->set.target->off);

	s->kind = JINJA_S_CAPTURE;
	if (s->set.target->name == NULL)
		return jinja_mistake(ps->e, s->set.target->off, s->set.target->len,
				     "a {%% set %%} block has one name");
	if (x == NULL || (s->set.value = jinja_parse_filters(ps, x)) == NULL ||
	    jinja_check_emission(ps, NULL) != 0)
		return -1;
	if (ps->cur.kind != JINJA_T_BLOCK_END)
		return jinja_unexpected(ps, "'=' or '%}'");
	ps->captures++;
	if (block_end(ps) != 0 || body(ps, &s->set.body, end, s->off, "endset") != 0)
		return -1;
	ps->captures--;
	return jinja_advance(ps);
}

static int
parse_set(struct jinja_parser *ps, struct jinja_stmt *s)
{
	s->kind = JINJA_S_SET;
	if (jinja_advance(ps) != 0 || (s->set.target = target(ps, true)) == NULL)
		return -1;
	if (ps->cur.kind != '=')
		return parse_capture(ps, s);
	if (jinja_advance(ps) != 0)
		return -1;
	s->set.value = tag_expr(ps, JINJA_BP_COND, true);
	return s->set.value != NULL ? 0 : -1;
}

/* ---- tags ---- */

static void
hint_tag(struct jinja_parser *ps, const char *name)
{
	struct suggest sg;
	const char *const *p;

	suggest_start(&sg, name);
	for (p = built; *p != NULL; p++)
		suggest_try(&sg, *p);
	if (suggest_best(&sg) != NULL)
		(void)snprintf(ps->e->hint, sizeof(ps->e->hint), "did you mean '%s'?",
			       suggest_best(&sg));
}

static int
bad_tag(struct jinja_parser *ps, const char *wanted)
{
	const char *name = ps->cur.p;
	uint32_t off = ps->cur.off, len = ps->cur.len;

	if (among(name, not_built) ||
	    (strncmp(name, "end", 3) == 0 && among(name + 3, not_built)))
		return jinja_mistake(ps->e, off, len, "'{%% %s %%}' is not built yet",
				     name);
	if (among(name, built) && wanted != NULL)
		return jinja_mistake(
		    ps->e, off, len,
		    "'{%% %s %%}' does not belong here; expected '{%% %s %%}'", name,
		    wanted);
	if (among(name, built))
		return jinja_mistake(ps->e, off, len,
				     "'{%% %s %%}' has nothing to belong to", name);
	(void)jinja_mistake(ps->e, off, len, "unknown tag '%s'", name);
	hint_tag(ps, name);
	return -1;
}

/* The tag whose word is the current token and which begins at ${tag}. */
static int
tag(struct jinja_parser *ps, struct jinja_stmt *s, const char *wanted)
{
	int rc;

	if (ps->cur.kind != JINJA_T_NAME)
		return jinja_unexpected(ps, "a tag's name");
	if (jinja_enter(ps) != 0)
		return -1;
	ps->blocks++;
	if (strcmp(ps->cur.p, "if") == 0)
		rc = parse_if(ps, s);
	else if (strcmp(ps->cur.p, "for") == 0)
		rc = parse_for(ps, s);
	else if (strcmp(ps->cur.p, "set") == 0)
		rc = parse_set(ps, s);
	else
		rc = bad_tag(ps, wanted);
	ps->blocks--;
	jinja_leave(ps);
	return rc == 0 ? block_end(ps) : -1;
}

static int
output(struct jinja_parser *ps, struct jinja_stmt *s)
{
	s->kind = JINJA_S_OUTPUT;
	if (jinja_advance(ps) != 0 ||
	    (s->output = jinja_parse_tuple(ps, JINJA_BP_COND)) == NULL)
		return -1;
	/* What a block of {% set %} writes is no emission yet: its text is emitted later. */
	if (jinja_check_emission(ps, ps->captures == 0 ? s->output : NULL) != 0)
		return -1;
	s->len = ps->cur.off + ps->cur.len - s->off;
	return jinja_expect(ps, JINJA_T_VAR_END, "'}}'");
}

/*
 * Statements up to one of the tags ${ends} (NULL: up to the end of the source), whose word is
 * then the current token.  ${opened} is where the tag that must be closed by ${wanted} began.
 */
static int
body(struct jinja_parser *ps, struct jinja_stmt **to, const char *const *ends,
     uint32_t opened, const char *wanted)
{
	struct jinja_stmt *s;
	int rc;

	for (;; to = &s->next) {
		*to = NULL;
		if (ps->cur.kind == JINJA_T_EOF && ends == NULL)
			return 0;
		if (ps->cur.kind == JINJA_T_EOF)
			return jinja_mistake(ps->e, opened, 2,
					     "this tag is not closed by '{%% %s %%}'",
					     wanted);
		s = zalloc(ps, sizeof(*s), ps->cur.off);
		if (s == NULL)
			return -1;
		s->off = ps->cur.off;
		s->len = ps->cur.len;
		if (ps->cur.kind == JINJA_T_TEXT) {
			s->kind = JINJA_S_TEXT;
			s->text.p = ps->cur.p;
			s->text.n = ps->cur.n;
			rc = jinja_advance(ps);
		} else if (ps->cur.kind == JINJA_T_VAR_BEGIN) {
			rc = output(ps, s);
		} else {
			if (jinja_advance(ps) != 0)
				return -1;
			if (ends != NULL && ps->cur.kind == JINJA_T_NAME &&
			    among(ps->cur.p, ends))
				return 0;
			rc = tag(ps, s, wanted);
		}
		if (rc != 0)
			return -1;
		*to = s;
	}
}

/* ---- the way in ---- */

static int
start(struct jinja_parser *ps, struct arena *a, const char *src, size_t len,
      const struct jinja_options *opt, enum jinja_mode mode, struct jinja_error *e)
{
	memset(e, 0, sizeof(*e));
	memset(ps, 0, sizeof(*ps));
	if (len > JINJA_SRC_MAX)
		return jinja_mistake(e, JINJA_SRC_MAX, 1,
				     "the template is longer than %zu bytes",
				     JINJA_SRC_MAX);
	ps->lex.arena = ps->arena = a;
	ps->lex.src = src;
	ps->lex.len = len;
	ps->lex.mode = mode;
	ps->lex.e = ps->e = e;
	if (opt != NULL)
		ps->lex.opt = *opt;
	return jinja_advance(ps);
}

static struct jinja *
new_template(struct jinja_parser *ps)
{
	struct jinja *t = zalloc(ps, sizeof(*t), 0);

	if (t != NULL) {
		t->src = ps->lex.src;
		t->len = ps->lex.len;
	}
	return t;
}

static int
finish(struct jinja_parser *ps, struct jinja *t, struct jinja **out)
{
	if (jinja_collect_refs(ps->arena, t) != 0)
		return jinja_mistake(ps->e, 0, 0, "out of memory");
	*out = t;
	return 0;
}

int
jinja_compile_with(struct arena *a, const char *src, size_t len,
		   const struct jinja_options *opt, struct jinja **out,
		   struct jinja_error *e)
{
	struct jinja_parser ps;
	struct jinja *t;

	if (start(&ps, a, src, len, opt, JINJA_LEX_TEXT, e) != 0 ||
	    (t = new_template(&ps)) == NULL || body(&ps, &t->body, NULL, 0, NULL) != 0)
		return -1;
	t->plain = !ps.lex.tags;
	return finish(&ps, t, out);
}

int
jinja_compile(struct arena *a, const char *src, size_t len, struct jinja **out,
	      struct jinja_error *e)
{
	return jinja_compile_with(a, src, len, NULL, out, e);
}

int
jinja_compile_expr(struct arena *a, const char *src, size_t len, struct jinja **out,
		   struct jinja_error *e)
{
	struct jinja_parser ps;
	struct jinja *t;
	size_t i = 0;

	while (i < len && jinja_is_space((unsigned char)src[i]))
		i++;
	if (len - i >= 2 && src[i] == '{' && (src[i + 1] == '{' || src[i + 1] == '%')) {
		memset(e, 0, sizeof(*e));
		return jinja_mistake(e, i, 2, "an expression is written without '{{ }}'");
	}
	if (start(&ps, a, src, len, NULL, JINJA_LEX_EXPR, e) != 0 ||
	    (t = new_template(&ps)) == NULL ||
	    (t->expr = jinja_parse_expr(&ps, JINJA_BP_COND)) == NULL ||
	    jinja_check_emission(&ps, NULL) != 0)
		return -1;
	if (ps.cur.kind != JINJA_T_EOF)
		return jinja_unexpected(&ps, "the end of the expression");
	return finish(&ps, t, out);
}

bool
jinja_is_plain(const struct jinja *t)
{
	return t->plain;
}

bool
jinja_is_single(const struct jinja *t)
{
	return t->body != NULL && t->body->kind == JINJA_S_OUTPUT &&
	       t->body->next == NULL;
}
