/*
 * From a byte of a scalar's value back to its place in the file: value and source are walked
 * side by side, the source's escapes, indentation and folded lines skipped.
 */
#include <string.h>

#include "base/diag.h"
#include "base/utf8.h"
#include "base/yaml.h"

struct walk {
	const char *text;
	size_t at, end;	   /* in the source */
	size_t indent;	   /* blanks before the lines of a block scalar */
	const char *value; /* what is left of it */
	size_t left;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The line break at ${at}, 0 if there is none. */
static size_t
break_len(const struct walk *w, size_t at)
{
	return at < w->end ? diag_line_break(w->text + at, w->end - at) : 0;
}

/* How many bytes of value one escape of a double quoted string makes, and its length. */
static size_t
escape_len(const struct walk *w, size_t *makes)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	char c = w->at + 1 < w->end ? w->text[w->at + 1] : '\0';
	size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0, i;
	uint32_t cp = 0;

	for (i = 0; i < digits && w->at + 2 + i < w->end; i++) {
		const char *h = strchr(hex, w->text[w->at + 2 + i]);
		size_t v = h != NULL ? (size_t)(h - hex) : 0;

		cp = cp << 4 | (uint32_t)(v > 15 ? v - 6 : v);
	}
	*makes = 1;
	if (c == 'N' || c == '_')
		*makes = 2;
	else if (c == 'L' || c == 'P')
		*makes = 3;
	else if (digits > 0)
		*makes = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	return 2 + digits;
}

/* Eat bytes of the value; stops at its end. */
static void
eat(struct walk *w, size_t n)
{
	n = n < w->left ? n : w->left;
	w->value += n;
	w->left -= n;
}

/* At blanks before a line break, or at one, in a flow scalar: skip to the next line's text,
 * and in the value what the fold left of it. */
static bool
skip_fold(struct walk *w)
{
	size_t at = w->at, n, breaks = 0;

	while (at < w->end && is_blank(w->text[at]))
		at++;
	if (break_len(w, at) == 0)
		return false;
	while (at < w->end && (is_blank(w->text[at]) || (n = break_len(w, at)) != 0)) {
		if (is_blank(w->text[at]))
			at++;
		else {
			at += n;
			breaks++;
		}
	}
	w->at = at;
	eat(w, breaks > 1 ? breaks - 1 : 1);
	return true;
}

/* One step through a plain or quoted scalar. */
static void
step_flow(struct walk *w, enum yaml_style style)
{
	size_t len, makes;

	if (style == YAML_STYLE_DOUBLE && w->text[w->at] == '\\') {
		if ((len = break_len(w, w->at + 1)) !=
		    0) { /* an escaped line break: nothing */
			w->at += 1 + len;
			while (w->at < w->end && is_blank(w->text[w->at]))
				w->at++;
			return;
		}
		len = escape_len(w, &makes);
		w->at += len;
		eat(w, makes);
		return;
	}
	if (skip_fold(w))
		return;
	if (style == YAML_STYLE_SINGLE && w->text[w->at] == '\'')
		w->at++; /* the first of two */
	w->at++;
	eat(w, 1);
}

/* Over escaped line breaks of a double quoted scalar, which make nothing. */
static void
skip_escaped_breaks(struct walk *w)
{
	size_t n;

	while (w->at < w->end && w->text[w->at] == '\\' &&
	       (n = break_len(w, w->at + 1)) != 0) {
		w->at += 1 + n;
		while (w->at < w->end && is_blank(w->text[w->at]))
			w->at++;
	}
}

/* Skip the indentation of a block scalar's line; less is there only on blank lines. */
static void
skip_indent(struct walk *w)
{
	for (size_t i = 0; i < w->indent && w->at < w->end && w->text[w->at] == ' '; i++)
		w->at++;
}

/* One step through a literal or folded scalar, at the text of a line. */
static void
step_block(struct walk *w, enum yaml_style style)
{
	size_t n = break_len(w, w->at), breaks = 0, made;

	if (n == 0) {
		w->at++;
		eat(w, 1);
		return;
	}
	if (style == YAML_STYLE_LITERAL) {
		w->at += n;
		skip_indent(w);
		eat(w, 1);
		return;
	}
	/* Folded: a run of breaks, of which the value has kept a blank, all, or all but one. */
	while ((n = break_len(w, w->at)) != 0) {
		w->at += n;
		breaks++;
		skip_indent(w);
	}
	for (made = 0; made < w->left && made < breaks && w->value[made] == '\n'; made++)
		;
	eat(w, made > 0 ? made : 1);
}

/* To the first line of a block scalar's text, its indentation found out. */
static void
enter_block(struct walk *w)
{
	size_t at, n, indent;

	while (w->at < w->end && break_len(w, w->at) == 0)
		w->at++;
	w->at += break_len(w, w->at);
	/* The first line that is not blank shows the indentation (less what the value keeps,
	 * where an indicator said how much is its own). */
	for (at = w->at; at < w->end; at += n) {
		for (indent = 0; at < w->end && w->text[at] == ' '; indent++)
			at++;
		n = break_len(w, at);
		if (n == 0) {
			w->indent = indent;
			break;
		}
	}
	if (w->left > 0) {
		const char *s = w->value;

		while ((size_t)(s - w->value) < w->left && *s == '\n')
			s++;
		for (; (size_t)(s - w->value) < w->left && *s == ' ' && w->indent > 0;
		     s++)
			w->indent--;
	}
	skip_indent(w);
}

static void
place_of(const char *text, const struct yaml_node *node, size_t at, uint32_t *line,
	 uint32_t *col)
{
	size_t i = node->src;
	uint32_t cp;
	int n;

	*line = node->line;
	*col = node->col;
	while (i < at) {
		if (text[i] == '\n' || (text[i] == '\r' && text[i + 1] != '\n')) {
			(*line)++;
			*col = 1;
			i++;
			continue;
		}
		n = utf8_decode(text + i, node->src_end - i, &cp);
		i += (size_t)(n < 0 ? -n : n);
		(*col)++;
	}
}

void
yaml_where(const char *text, const struct yaml_node *node, size_t offset, uint32_t *line,
	   uint32_t *col)
{
	struct walk w = {text, node->src, node->src_end, 0, node->str, node->len};
	enum yaml_style style = node->style;
	bool block = style == YAML_STYLE_LITERAL || style == YAML_STYLE_FOLDED;
	size_t last = w.at;

	*line = node->line;
	*col = node->col;
	if (node->str == NULL)
		return;
	if (offset > node->len)
		offset = node->len;
	if (block)
		enter_block(&w);
	else if (style == YAML_STYLE_SINGLE || style == YAML_STYLE_DOUBLE)
		w.at++;
	if (style == YAML_STYLE_DOUBLE)
		skip_escaped_breaks(&w);
	while (w.at < w.end && node->len - w.left < offset) {
		last = w.at;
		if (block)
			step_block(&w, style);
		else
			step_flow(&w, style);
		if (style == YAML_STYLE_DOUBLE)
			skip_escaped_breaks(&w);
	}
	/* A fold or an escape that holds the byte wanted: where it begins. */
	place_of(text, node, node->len - w.left > offset ? last : w.at, line, col);
}
