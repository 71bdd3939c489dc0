#include "base/arena.h"
#include "base/jinja_ast.h"

#include <stdio.h>
#include <string.h>

int
jinja_mistake(struct jinja_error *e, size_t off, size_t len, const char *fmt, ...)
{
	va_list ap;

	if (e->msg[0] != '\0')
		return -1;
	e->offset = off;
	e->len = len;
	e->hint[0] = '\0';
	va_start(ap, fmt);
	(void)vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	return -1;
}

/* What is at ${off}, or -1 past the end. */
static int
at(const struct jinja_lex *lx, size_t off)
{
	return off < lx->len ? (unsigned char)lx->src[off] : -1;
}

static bool
looking(const struct jinja_lex *lx, size_t off, const char *s)
{
	size_t n = strlen(s);

	return off <= lx->len && n <= lx->len - off && memcmp(lx->src + off, s, n) == 0;
}

static size_t
skip_space(const struct jinja_lex *lx, size_t off)
{
	while (jinja_is_space(at(lx, off)))
		off++;
	return off;
}

/* Where the next tag or comment begins, or the end. */
static size_t
find_tag(const struct jinja_lex *lx, size_t off)
{
	const char *p = lx->src + off, *end = lx->src + lx->len;

	while (p < end && (p = memchr(p, '{', (size_t)(end - p))) != NULL) {
		if (p + 1 < end && (p[1] == '{' || p[1] == '%' || p[1] == '#'))
			return (size_t)(p - lx->src);
		p++;
	}
	return lx->len;
}

/* Where the text [start, tag) ends once the tag's sign and lstrip_blocks have had their say. */
static size_t
trimmed_end(const struct jinja_lex *lx, size_t start, size_t tag)
{
	int sign = at(lx, tag + 2);
	size_t end = tag;

	if (sign == '-') {
		while (end > start && jinja_is_space(at(lx, end - 1)))
			end--;
		return end;
	}
	if (!lx->opt.lstrip_blocks || sign == '+' || at(lx, tag + 1) == '{')
		return tag;
	while (end > start && jinja_is_space(at(lx, end - 1)) && at(lx, end - 1) != '\n')
		end--;
	if (end > 0 && at(lx, end - 1) != '\n')
		return tag; /* something else stands on the line */
	return end;
}

/* Step over a block tag's or comment's end mark at ${end}, whose sign before it is ${sign}. */
static void
after_end(struct jinja_lex *lx, size_t end, int sign, bool block)
{
	lx->pos = end + 2;
	if (sign == '-') {
		lx->pos = skip_space(lx, lx->pos);
	} else if (block && sign != '+' && lx->opt.trim_blocks) {
		if (looking(lx, lx->pos, "\r\n"))
			lx->pos += 2;
		else if (at(lx, lx->pos) == '\n')
			lx->pos++;
	}
}

/* The offset behind the sign of the tag at ${tag}. */
static size_t
inside(const struct jinja_lex *lx, size_t tag)
{
	int sign = at(lx, tag + 2);

	return tag + (sign == '-' || sign == '+' ? 3 : 2);
}

static int
skip_comment(struct jinja_lex *lx, size_t tag)
{
	size_t in = inside(lx, tag), i;
	int sign;

	for (i = in; i < lx->len; i++) {
		if (!looking(lx, i, "#}"))
			continue;
		sign = i > in ? at(lx, i - 1) : 0;
		after_end(lx, i, sign, true);
		return 0;
	}
	return jinja_mistake(lx->e, tag, 2, "the comment is not closed by '#}'");
}

/* Whether the tag at ${tag} is {% WORD %}: then ${end} is where its end mark stands and
 * ${sign} the sign before that, or 0. */
static bool
word_tag(const struct jinja_lex *lx, size_t tag, const char *word, size_t *end, int *sign)
{
	size_t p = skip_space(lx, inside(lx, tag));

	if (!looking(lx, tag, "{%") || !looking(lx, p, word))
		return false;
	p = skip_space(lx, p + strlen(word));
	*sign = at(lx, p) == '-' || at(lx, p) == '+' ? at(lx, p) : 0;
	if (*sign != 0)
		p++;
	*end = p;
	return looking(lx, p, "%}");
}

static void
text_token(const struct jinja_lex *lx, struct jinja_tok *t, size_t start, size_t end)
{
	t->kind = JINJA_T_TEXT;
	t->off = (uint32_t)start;
	t->len = (uint32_t)(end - start);
	t->p = lx->src + start;
	t->n = end - start;
}

/* The text between {% raw %}, whose end mark was just passed, and {% endraw %}. */
static int
raw_text(struct jinja_lex *lx, size_t tag, struct jinja_tok *t)
{
	size_t start = lx->pos, i, end;
	int sign;

	for (i = start; i < lx->len; i++) {
		if (lx->src[i] != '{' || !word_tag(lx, i, "endraw", &end, &sign))
			continue;
		text_token(lx, t, start, trimmed_end(lx, start, i));
		after_end(lx, end, sign, true);
		return 0;
	}
	return jinja_mistake(lx->e, tag, 2,
			     "'{%% raw %%}' is not closed by '{%% endraw %%}'");
}

/* Text up to the next tag, or that tag's beginning if there is none before it. */
static int
next_outside(struct jinja_lex *lx, struct jinja_tok *t)
{
	size_t start, tag, end;
	int sign;

	for (;;) {
		start = lx->pos;
		tag = find_tag(lx, start);
		end = tag < lx->len ? trimmed_end(lx, start, tag) : tag;
		lx->pos = tag;
		if (end > start) {
			text_token(lx, t, start, end);
			return 0;
		}
		t->off = (uint32_t)tag;
		if (tag == lx->len) {
			t->kind = JINJA_T_EOF;
			return 0;
		}
		lx->tags = true;
		if (lx->src[tag + 1] == '#') {
			if (skip_comment(lx, tag) != 0)
				return -1;
			continue;
		}
		if (word_tag(lx, tag, "raw", &end, &sign)) {
			after_end(lx, end, sign, false);
			return raw_text(lx, tag, t);
		}
		t->len = 2;
		t->kind =
		    lx->src[tag + 1] == '{' ? JINJA_T_VAR_BEGIN : JINJA_T_BLOCK_BEGIN;
		lx->mode = lx->src[tag + 1] == '{' ? JINJA_LEX_VAR : JINJA_LEX_BLOCK;
		lx->open = 0;
		lx->tag_off = tag;
		lx->pos = inside(lx, tag);
		return 0;
	}
}

/* The end mark of the tag we are in, with its sign. */
static bool
tag_end(struct jinja_lex *lx, struct jinja_tok *t)
{
	bool block = lx->mode == JINJA_LEX_BLOCK;
	int sign = at(lx, lx->pos);
	size_t end = lx->pos;

	if (lx->mode == JINJA_LEX_EXPR || lx->open != 0)
		return false;
	if (sign == '-' || (sign == '+' && block))
		end++;
	else
		sign = 0;
	if (!looking(lx, end, block ? "%}" : "}}"))
		return false;
	t->kind = block ? JINJA_T_BLOCK_END : JINJA_T_VAR_END;
	t->off = (uint32_t)lx->pos;
	t->len = (uint32_t)(end + 2 - lx->pos);
	after_end(lx, end, sign, block);
	lx->mode = JINJA_LEX_TEXT;
	return true;
}

/* The end mark of the other kind of tag, which nothing else looks like here. */
static bool
wrong_end(struct jinja_lex *lx)
{
	bool block = lx->mode == JINJA_LEX_BLOCK;

	if (lx->mode == JINJA_LEX_EXPR || lx->open != 0 ||
	    !looking(lx, lx->pos, block ? "}}" : "%}"))
		return false;
	(void)jinja_mistake(lx->e, lx->pos, 2, "'%s' is closed by '%s', not by '%s'",
			    block ? "{%" : "{{", block ? "%}" : "}}",
			    block ? "}}" : "%}");
	return true;
}

static int
name_token(struct jinja_lex *lx, struct jinja_tok *t)
{
	size_t start = lx->pos;

	while (jinja_is_name(at(lx, lx->pos)))
		lx->pos++;
	t->kind = JINJA_T_NAME;
	t->n = lx->pos - start;
	t->p = arena_strndup(lx->arena, lx->src + start, t->n);
	if (t->p == NULL)
		return jinja_mistake(lx->e, start, t->n, "out of memory");
	return 0;
}

/* A character that begins nothing; what people coming from C or SQL may have meant. */
static int
bad_character(struct jinja_lex *lx)
{
	int c = at(lx, lx->pos);
	size_t pos = lx->pos;

	if (c < 0x20 || c == 0x7f)
		return jinja_mistake(lx->e, pos, 1, "a control character (byte 0x%02x)",
				     c);
	(void)jinja_mistake(lx->e, pos, 1, "unexpected character '%c'", c);
	if (c == '&')
		(void)snprintf(lx->e->hint, sizeof(lx->e->hint),
			       "'and' joins conditions");
	else if (c == '!')
		(void)snprintf(lx->e->hint, sizeof(lx->e->hint), "write 'not' or '!='");
	return -1;
}

static int
operator_token(struct jinja_lex *lx, struct jinja_tok *t)
{
	static const struct {
		char text[3];
		int kind;
	} two[] = {
	    {"**", JINJA_T_POW}, {"//", JINJA_T_FLOORDIV}, {"==", JINJA_T_EQ},
	    {"!=", JINJA_T_NE},	 {"<=", JINJA_T_LE},	   {">=", JINJA_T_GE},
	};
	int c = at(lx, lx->pos);
	size_t i;

	for (i = 0; i < sizeof(two) / sizeof(two[0]); i++) {
		if (looking(lx, lx->pos, two[i].text)) {
			t->kind = two[i].kind;
			lx->pos += 2;
			return 0;
		}
	}
	if (c == 0 || strchr("+-*/%~<>=()[]{}.,:|", c) == NULL)
		return bad_character(lx);
	if (strchr("([{", c) != NULL)
		lx->open++;
	else if (strchr(")]}", c) != NULL && lx->open > 0)
		lx->open--;
	t->kind = c;
	lx->pos++;
	return 0;
}

static int
next_inside(struct jinja_lex *lx, struct jinja_tok *t)
{
	int c, rc;

	lx->pos = skip_space(lx, lx->pos);
	if (tag_end(lx, t))
		return 0;
	if (wrong_end(lx))
		return -1;
	c = at(lx, lx->pos);
	t->off = (uint32_t)lx->pos;
	t->len = 0;
	if (c < 0 && lx->mode == JINJA_LEX_EXPR) {
		t->kind = JINJA_T_EOF;
		return 0;
	}
	if (c < 0)
		return jinja_mistake(lx->e, lx->tag_off, 2, "'%s' is not closed by '%s'",
				     lx->mode == JINJA_LEX_VAR ? "{{" : "{%",
				     lx->mode == JINJA_LEX_VAR ? "}}" : "%}");
	if (c == '"' || c == '\'')
		rc = jinja_lex_string(lx, t);
	else if (c >= '0' && c <= '9')
		rc = jinja_lex_number(lx, t);
	else if (jinja_is_name_start(c))
		rc = name_token(lx, t);
	else
		rc = operator_token(lx, t);
	t->len = (uint32_t)(lx->pos - t->off);
	return rc;
}

int
jinja_lex_next(struct jinja_lex *lx, struct jinja_tok *t)
{
	memset(t, 0, sizeof(*t));
	return lx->mode == JINJA_LEX_TEXT ? next_outside(lx, t) : next_inside(lx, t);
}
