/*
 * Scalars as text: which style fits, and where long ones are folded.  The rules are those of
 * ruamel.yaml's emitter, found by watching it: a blank that ends a line, a backslash where a
 * double-quoted text goes on.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "store/dvc/yaml_emit_int.h"

/* A text by characters, with where each begins. */
struct chars {
	uint32_t *c;
	size_t *at; /* n + 1 */
	size_t n;
	const char *p;
};

/* What a text has in it that decides about its style. */
struct analysis {
	bool empty;
	bool multiline;
	bool flow_plain, block_plain, single;
};

static int
decode(struct emit *e, const struct yaml_val *v, struct chars *t)
{
	size_t at = 0;

	t->c = arena_array(e->a, v->len + 1, sizeof *t->c);
	t->at = arena_array(e->a, v->len + 1, sizeof *t->at);
	t->n = 0;
	t->p = v->text;
	if (t->c == NULL || t->at == NULL) {
		e->nomem = true;
		return err_nomem(e->err);
	}
	while (at < v->len) {
		int len = utf8_decode(v->text + at, v->len - at, &t->c[t->n]);

		t->at[t->n++] = at;
		at += (size_t)(len > 0 ? len : -len);
	}
	t->at[t->n] = at;
	return 0;
}

static bool
is_break(uint32_t c)
{
	return c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static bool
is_blank(uint32_t c)
{
	return c == 0 || c == ' ' || c == '\t' || c == '\r' || is_break(c);
}

static bool
is_printable(uint32_t c)
{
	return (c >= 0x20 && c <= 0x7E) || c == 0x85 || (c >= 0xA0 && c <= 0xD7FF) ||
	       (c >= 0xE000 && c <= 0xFFFD && c != 0xFEFF) || c >= 0x10000;
}

static bool
is_in(uint32_t c, const char *set)
{
	return c != 0 && c < 0x80 && strchr(set, (int)c) != NULL;
}

/* Indicators, which a plain text must not have in some places. */
static void
look_for_indicators(const struct chars *t, bool *flow, bool *block)
{
	*flow = *block = t->n >= 3 && (t->c[0] == '-' || t->c[0] == '.') &&
			 t->c[1] == t->c[0] && t->c[2] == t->c[0];
	for (size_t i = 0; i < t->n; i++) {
		uint32_t c = t->c[i];
		bool before = i == 0 || is_blank(t->c[i - 1]);
		bool behind = i + 1 >= t->n || is_blank(t->c[i + 1]);

		if (i == 0 && is_in(c, "#,[]{}&*!|>'\"%@`"))
			*flow = *block = true;
		if (i == 0 && (c == '?' || c == ':')) {
			*flow = *flow || t->n == 1;
			*block = *block || behind;
		}
		if (i == 0 && c == '-' && behind)
			*flow = *block = true;
		if (i != 0 && is_in(c, ",[]{}"))
			*flow = true;
		if (i != 0 && ((c == ':' && behind) || (c == '#' && before)))
			*flow = *block = true;
	}
}

static void
analyze(const struct chars *t, struct analysis *an)
{
	bool flow, block, special = false, edge, break_space = false, space_break = false;

	*an = (struct analysis){.empty = true, .block_plain = true, .single = true};
	if (t->n == 0)
		return;
	*an = (struct analysis){0};
	look_for_indicators(t, &flow, &block);
	for (size_t i = 0; i < t->n; i++) {
		an->multiline = an->multiline || is_break(t->c[i]);
		special = special || (t->c[i] != '\n' && !is_printable(t->c[i]));
		if (i != 0 && t->c[i] == ' ' && is_break(t->c[i - 1]))
			break_space = true;
		if (i != 0 && is_break(t->c[i]) && t->c[i - 1] == ' ')
			space_break = true;
	}
	edge = t->c[0] == ' ' || is_break(t->c[0]) || t->c[t->n - 1] == ' ' ||
	       is_break(t->c[t->n - 1]);
	an->single = !break_space && !space_break && !special;
	an->block_plain = an->single && !edge && !an->multiline;
	an->flow_plain = an->block_plain && !flow;
	an->block_plain = an->block_plain && !block;
}

/* Is what the text resolves to what the value is? */
static bool
is_its_own(const struct yaml_val *v)
{
	enum yaml_val_kind kind = ydoc_resolve(v->text, v->len);

	return strlen(v->text) == v->len ? kind == v->kind : v->kind == YV_STR;
}

/* ' " | > or 0 for plain; as the style of a key if ${key}. */
static char
choose(const struct emit *e, const struct yaml_val *v, const struct chars *t,
       const struct analysis *an, bool own)
{
	bool literal = v->style != YV_PLAIN;

	if (!literal && own && !(e->simple_key && (an->empty || an->multiline)) &&
	    (e->nflow != 0 ? an->flow_plain : an->block_plain))
		return 0;
	if (literal && e->nflow == 0 && !e->simple_key)
		return v->style == YV_LITERAL ? '|' : '>';
	if (!literal)
		for (size_t i = 0; i < t->n; i++)
			if (t->c[i] == '\'' || t->c[i] == '\n')
				return '"';
	if (!literal && an->single && !(e->simple_key && an->multiline))
		return '\'';
	return '"';
}

static void
put(struct emit *e, const struct chars *t, size_t from, size_t to)
{
	emit_text(e, t->p + t->at[from], t->at[to] - t->at[from], (int)(to - from));
}

static void
write_plain(struct emit *e, const struct chars *t, bool split)
{
	bool spaces = false;
	size_t start = 0;

	if (t->n == 0)
		return;
	if (!e->whitespace)
		emit_text(e, " ", 1, 1);
	e->whitespace = e->indention = false;
	for (size_t end = 0; end <= t->n; end++) {
		bool blank = end < t->n && t->c[end] == ' ';

		if (spaces && !blank) {
			if (start + 1 == end && e->column >= YAML_WIDTH && split) {
				emit_indent(e);
				e->whitespace = e->indention = false;
			} else {
				put(e, t, start, end);
			}
			start = end;
		} else if (!spaces && (blank || end == t->n)) {
			if ((int)(end - start) + e->column > YAML_WIDTH &&
			    e->indent >= 0 && e->column > e->indent)
				emit_indent(e);
			put(e, t, start, end);
			start = end;
		}
		spaces = blank;
	}
}

/* The line break at ${i}, which may be one of Unicode's. */
static void
put_break(struct emit *e, const struct chars *t, size_t i)
{
	emit_line_break(e);
	if (t->c[i] != '\n') {
		buf_truncate(e->out, e->out->n - 1);
		buf_add(e->out, t->p + t->at[i], t->at[i + 1] - t->at[i]);
	}
}

/* Breaks within quotes: one alone is a blank, so each is one more. */
static void
put_breaks(struct emit *e, const struct chars *t, size_t from, size_t to)
{
	if (t->c[from] == '\n')
		emit_line_break(e);
	for (; from < to; from++)
		put_break(e, t, from);
}

static void
write_single(struct emit *e, const struct chars *t, bool split)
{
	bool spaces = false, breaks = false;
	size_t start = 0;

	emit_mark(e, "'", true, false, false);
	for (size_t end = 0; end <= t->n; end++) {
		uint32_t c = end < t->n ? t->c[end] : 0;
		bool last = end == t->n;

		if (spaces) {
			if (last || c != ' ') {
				if (start + 1 == end && e->column > YAML_WIDTH && split &&
				    start != 0 && !last)
					emit_indent(e);
				else
					put(e, t, start, end);
				start = end;
			}
		} else if (breaks) {
			if (last || !is_break(c)) {
				put_breaks(e, t, start, end);
				emit_indent(e);
				start = end;
			}
		} else if ((last || c == ' ' || is_break(c) || c == '\'') &&
			   start < end) {
			put(e, t, start, end);
			start = end;
		}
		if (!last && c == '\'') {
			emit_text(e, "''", 2, 2);
			start = end + 1;
		}
		if (!last) {
			spaces = c == ' ';
			breaks = is_break(c);
		}
	}
	emit_mark(e, "'", false, false, false);
}

static void
put_escape(struct emit *e, uint32_t c)
{
	static const char from[] = "\x07\x08\x09\x0A\x0B\x0C\x0D\x1B\"\\";
	static const char to[] = "abtnvfre\"\\";
	const char *at = is_in(c, from) ? strchr(from, (int)c) : NULL;
	char text[16];

	if (at != NULL)
		snprintf(text, sizeof text, "\\%c", to[at - from]);
	else if (c == 0 || c == 0x85 || c == 0xA0)
		snprintf(text, sizeof text, "\\%c",
			 c == 0 ? '0' : (c == 0x85 ? 'N' : '_'));
	else if (c == 0x2028 || c == 0x2029)
		snprintf(text, sizeof text, "\\%c", c == 0x2028 ? 'L' : 'P');
	else if (c <= 0xFF)
		snprintf(text, sizeof text, "\\x%02X", c);
	else if (c <= 0xFFFF)
		snprintf(text, sizeof text, "\\u%04X", c);
	else
		snprintf(text, sizeof text, "\\U%08X", c);
	emit_text(e, text, strlen(text), (int)strlen(text));
}

static bool
must_escape(uint32_t c)
{
	return c == '"' || c == '\\' || c == 0x85 || c == 0x2028 || c == 0x2029 ||
	       !is_printable(c);
}

/* Where a line is broken at ${end}: does its end need a backslash? */
static bool
needs_backslash(const struct chars *t, size_t start, size_t end)
{
	size_t space = end, newline;

	while (space < t->n && t->c[space] != ' ')
		space++;
	if (space == t->n)
		return true;
	for (newline = end; newline < space && t->c[newline] != '\n';)
		newline++;
	if (newline < space)
		space = newline;
	if (space + 1 >= t->n)
		return true;
	if (t->c[space] == '\n' && t->c[space + 1] != ' ')
		return true;
	for (size_t i = end; i < space; i++)
		if (t->c[i] == '"' || t->c[i] == '\'')
			return true;
	if (t->c[space + 1] == ' ' || t->c[space + 1] == '\n')
		return true;
	if (end != 0 && t->c[end - 1] == ' ' && t->c[end] == ' ')
		return true;
	return start == end;
}

static size_t
break_double(struct emit *e, const struct chars *t, size_t start, size_t end)
{
	bool backslash = needs_backslash(t, start, end);

	if (start < end) {
		put(e, t, start, end);
		start = end;
	}
	if (backslash)
		emit_text(e, "\\", 1, 1);
	emit_indent(e);
	e->whitespace = e->indention = false;
	if (t->c[start] == ' ') {
		if (backslash)
			emit_text(e, "\\", 1, 1);
		else
			start++;
	}
	return start;
}

static void
write_double(struct emit *e, const struct chars *t, bool split)
{
	size_t start = 0;

	emit_mark(e, "\"", true, false, false);
	for (size_t end = 0; end <= t->n; end++) {
		bool last = end == t->n;
		uint32_t c = last ? 0 : t->c[end];

		if (last || must_escape(c)) {
			if (start < end)
				put(e, t, start, end);
			start = end;
			if (!last) {
				put_escape(e, c);
				start = end + 1;
			}
		}
		if (end > 0 && end + 1 < t->n && (c == ' ' || start >= end) &&
		    e->column + (int)end - (int)start > YAML_WIDTH && split)
			start = break_double(e, t, start, end);
	}
	emit_mark(e, "\"", false, false, false);
}

/* The header of a block: a digit where its first line starts with a blank, then - or +. */
static void
write_header(struct emit *e, const struct chars *t, char style)
{
	char head[4] = {style, 0, 0, 0}, *p = head + 1;
	char keep = 0;

	if (t->n != 0) {
		if (t->c[0] == ' ' || is_break(t->c[0]))
			*p++ = '2';
		if (!is_break(t->c[t->n - 1]))
			keep = '-';
		else if (t->n == 1 || is_break(t->c[t->n - 2]))
			keep = '+';
	}
	if (keep != 0)
		*p++ = keep;
	emit_mark(e, head, true, false, false);
	if (keep == '+')
		e->open_ended = true;
	emit_line_break(e);
}

static void
write_literal(struct emit *e, const struct chars *t)
{
	bool breaks = true;
	size_t start = 0;

	write_header(e, t, '|');
	for (size_t end = 0; end <= t->n; end++) {
		bool last = end == t->n, brk = !last && is_break(t->c[end]);

		if (breaks && !brk) {
			for (; start < end; start++)
				put_break(e, t, start);
			if (!last)
				emit_indent(e);
		} else if (!breaks && (last || brk)) {
			/* The column is not kept up here. */
			emit_text(e, t->p + t->at[start], t->at[end] - t->at[start], 0);
			if (last)
				emit_line_break(e);
			start = end;
		}
		if (!last)
			breaks = brk;
	}
}

/* Python's str.isspace() of the character at ${i}. */
static bool
is_space_at(const struct chars *t, size_t i)
{
	uint32_t c = i < t->n ? t->c[i] : 'x';

	return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F) || c == 0x85 ||
	       c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
	       c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Is the blank at ${i} where a line of a folded text was broken? */
static bool
is_fold(const struct yaml_val *v, const struct chars *t, size_t i)
{
	if (t->c[i] != ' ' || i == 0 || is_space_at(t, i - 1) || is_space_at(t, i + 1))
		return false;
	for (size_t low = 0, high = v->nfolds; low < high;) {
		size_t mid = low + (high - low) / 2;

		if (v->folds[mid] == i)
			return true;
		if (v->folds[mid] < i)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static void
folded_breaks(struct emit *e, const struct chars *t, size_t start, size_t end, bool lead)
{
	bool last = end == t->n;

	if (!lead && !last && t->c[end] != ' ' && t->c[start] == '\n')
		emit_line_break(e);
	for (; start < end; start++)
		put_break(e, t, start);
	if (!last)
		emit_indent(e);
}

static void
write_folded(struct emit *e, const struct yaml_val *v, const struct chars *t)
{
	bool lead = true, spaces = false, breaks = true;
	size_t start = 0;

	write_header(e, t, '>');
	for (size_t end = 0; end <= t->n; end++) {
		bool last = end == t->n, brk = !last && is_break(t->c[end]);
		bool blank = !last && t->c[end] == ' ';

		if (breaks && !brk) {
			folded_breaks(e, t, start, end, lead);
			lead = blank;
			start = end;
		} else if (!breaks && spaces && !blank) {
			if (start + 1 == end && e->column > YAML_WIDTH)
				emit_indent(e);
			else
				put(e, t, start, end);
			start = end;
		} else if (!breaks && !spaces && (last || blank || brk)) {
			put(e, t, start, end);
			start = end;
			if (last) {
				emit_line_break(e);
			} else if (blank && is_fold(v, t, end)) {
				emit_line_break(e);
				emit_indent(e);
				start = ++end;
				blank = false;
			}
		}
		if (!last) {
			breaks = brk;
			spaces = blank;
		}
	}
}

/* A comment behind a block must not look like one of its lines. */
static void
dedent(struct emit *e, struct emit_comment *comment)
{
	if (comment->post != NULL && comment->post->col >= e->indent)
		comment->post->col = e->indent - 1;
}

static const struct yaml_val null_word = {.kind = YV_NULL, .text = "null", .len = 4};

int
emit_scalar(struct emit *e, const struct yaml_val *v, struct emit_comment *comment)
{
	struct chars t;
	struct analysis an;
	char style;

	if (decode(e, v, &t) != 0)
		return -1;
	analyze(&t, &an);
	style = choose(e, v, &t, &an, is_its_own(v));
	if (style == '\'' && v->kind == YV_NULL) {
		if (decode(e, &null_word, &t) != 0)
			return -1;
		style = 0;
	}
	if (e->in_seq && e->nflow == 0)
		emit_indent(e);
	if (style == '"') {
		write_double(e, &t, !e->simple_key);
	} else if (style == '\'') {
		write_single(e, &t, !e->simple_key);
	} else if (style == '|') {
		write_literal(e, &t);
		dedent(e, comment);
	} else if (style == '>') {
		write_folded(e, v, &t);
		dedent(e, comment);
	} else {
		write_plain(e, &t, !e->simple_key);
	}
	if (comment->post != NULL)
		emit_comment(e, comment->post, false);
	return 0;
}

bool
emit_is_simple(struct emit *e, const struct yaml_val *v)
{
	static const int tags[] = {6, 6, 5, 7, 5, 11}; /* !!null !!bool !!int ... */
	struct analysis an;
	struct chars t;

	if (decode(e, v, &t) != 0)
		return false;
	analyze(&t, &an);
	return (int)t.n + tags[v->kind] < 128 && !an.multiline;
}
