/*
 * Syntax errors in words that say what to do.  libyaml tells what it was looking for; what
 * the user did is mostly visible in the character it stumbled over.
 */
#include <string.h>

#include "base/utf8.h"
#include "base/yaml_impl.h"

/* The place where libyaml stopped, and what stands there. */
struct stop {
	const struct yaml_text *t;
	const char *context, *problem; /* libyaml's words, never NULL */
	size_t off;		       /* of the problem */
	size_t line_start;	       /* of its line */
	size_t context_off;
	struct diag_pos pos, context_pos;
};

static char
char_at(const struct stop *s, size_t off)
{
	return off < s->t->n ? s->t->p[off] : '\0';
}

/* The last character before the problem on its line that is no blank; '\0' if none. */
static char
char_before(const struct stop *s)
{
	size_t off = s->off;

	while (off > s->line_start) {
		off--;
		if (s->t->p[off] != ' ' && s->t->p[off] != '\t')
			return s->t->p[off];
	}
	return '\0';
}

static bool
starts_line(const struct stop *s)
{
	return char_before(s) == '\0';
}

static bool
is_context(const struct stop *s, const char *what)
{
	return strstr(s->context, what) != NULL;
}

static bool
is_problem(const struct stop *s, const char *what)
{
	return strstr(s->problem, what) != NULL;
}

/* Each of these tries one family of mistakes: true if it has said what is wrong. */

static bool
tab_indent(const struct stop *s, struct diag *d)
{
	size_t off = s->line_start;
	struct diag_pos pos = s->pos;

	while (char_at(s, off) == ' ')
		off++;
	if (char_at(s, off) != '\t')
		return false;
	if (off < s->off && !starts_line(s))
		return false;
	pos.col = (uint32_t)(off - s->line_start) + 1;
	for (pos.width = 0; char_at(s, off) == '\t'; off++)
		pos.width++;
	diag_add(d, DIAG_ERROR, pos, "a tab cannot be used for indentation in YAML");
	diag_hint(d, "use spaces");
	return true;
}

static bool
open_quote(const struct stop *s, struct diag *d)
{
	char quote;

	if (!is_context(s, "quoted scalar"))
		return false;
	quote = char_at(s, s->context_off);
	if (is_problem(s, "end of stream") || is_problem(s, "document indicator")) {
		diag_add(d, DIAG_ERROR, s->context_pos,
			 "the quote %c that begins here is not closed", quote);
		if (quote == '\'')
			diag_hint(d, "inside '...' a quote is written twice: ''");
		else
			diag_hint(d, "inside \"...\" a quote is written \\\"");
		return true;
	}
	if (!is_problem(s, "escape"))
		return false;
	diag_add(d, DIAG_ERROR, s->pos,
		 "\\%.1s is no escape that a \"double quoted\" string knows",
		 s->off + 1 < s->t->n ? s->t->p + s->off + 1 : "");
	diag_hint(d, "write \\\\ for a backslash, or use 'single quotes'");
	return true;
}

/* Characters that cannot begin a value. */
static bool
reserved_start(const struct stop *s, struct diag *d)
{
	char c = char_at(s, s->off);
	struct diag_pos pos = s->pos;

	if (is_problem(s, "cannot start any token") && c != '\0' && c != '\t') {
		diag_add(d, DIAG_ERROR, pos, "a value cannot begin with %c in YAML", c);
		diag_hint(d, "quote it: \"%c...\"", c);
		return true;
	}
	if (is_context(s, "scanning an anchor") || is_context(s, "scanning an alias") ||
	    is_context(s, "scanning a tag") || is_context(s, "parsing a tag") ||
	    is_problem(s, "undefined tag handle")) {
		c = char_at(s, s->context_off);
		diag_add(d, DIAG_ERROR, s->context_pos,
			 "a value that begins with %c must be quoted",
			 c == '\0' ? '!' : c);
		diag_hint(d, "in YAML %s",
			  c == '*'   ? "* stands before the name of an alias"
			  : c == '&' ? "& stands before the name of an anchor"
				     : "! stands before a tag");
		return true;
	}
	return false;
}

/* Whether a key stands on this line before the problem. */
static bool
key_before(const struct stop *s)
{
	for (size_t i = s->line_start; i + 1 < s->off; i++)
		if (s->t->p[i] == ':' &&
		    (s->t->p[i + 1] == ' ' || s->t->p[i + 1] == '\t'))
			return true;
	return false;
}

static bool
colons(const struct stop *s, struct diag *d)
{
	if (is_problem(s, "mapping values are not allowed") && key_before(s)) {
		diag_add(d, DIAG_ERROR, s->pos, "a second ': ' in one line");
		diag_hint(d, "quote the value, or put it below its key behind a |");
		return true;
	}
	if (is_problem(s, "mapping values are not allowed")) {
		diag_add(
		    d, DIAG_ERROR, s->pos,
		    "this line goes on with the value above it, so it cannot be a key");
		diag_hint(d, "is it indented too far?");
		return true;
	}
	if (!is_problem(s, "could not find expected ':'"))
		return false;
	diag_add(d, DIAG_ERROR, s->context_pos,
		 "this is neither 'key: value' nor an item of a list");
	diag_hint(d, "is a ':' missing, or its indentation?");
	return true;
}

static bool
brackets(const struct stop *s, struct diag *d)
{
	bool seq = is_problem(s, "',' or ']'"), later = s->pos.line > s->context_pos.line;

	if (!seq && !is_problem(s, "',' or '}'"))
		return false;
	/* A key or the end of the file on a later line: the bracket was forgotten. */
	if (s->off >= s->t->n || (later && (starts_line(s) || char_at(s, s->off) == ':')))
		diag_add(d, DIAG_ERROR, s->context_pos,
			 "the %c that begins here is not closed", seq ? '[' : '{');
	else {
		diag_add(d, DIAG_ERROR, s->pos, "a ',' or '%c' is missing here",
			 seq ? ']' : '}');
		diag_add(d, DIAG_NOTE, s->context_pos, "the %s begins here",
			 seq ? "list" : "mapping");
	}
	return true;
}

static bool
behind_value(const struct stop *s, struct diag *d)
{
	char before = char_before(s);

	if (!is_problem(s, "expected key") && !is_problem(s, "'-' indicator") &&
	    !is_problem(s, "<document start>"))
		return false;
	if (before == '"' || before == '\'') {
		diag_add(d, DIAG_ERROR, s->pos, "there is text behind the closing quote");
		diag_hint(d, "quote the whole value, or none of it");
	} else if (before == '}' && s->off >= 2) {
		diag_add(d, DIAG_ERROR, s->pos,
			 "there is text behind a value that ends with }");
		diag_hint(d, "a value that begins with {{ must be quoted as a whole");
	} else if (before == ']') {
		diag_add(d, DIAG_ERROR, s->pos,
			 "there is text behind a value that ends with ]");
		diag_hint(d, "a string that begins with [ must be quoted as a whole");
	} else
		return false;
	return true;
}

static bool
indentation(const struct stop *s, struct diag *d)
{
	if (is_problem(s, "block sequence entries are not allowed")) {
		diag_add(d, DIAG_ERROR, s->pos, "an item of a list cannot begin here");
		diag_hint(d, "put it on a line of its own, below the key");
		return true;
	}
	if (is_problem(s, "'-' indicator")) {
		diag_add(d, DIAG_ERROR, s->pos,
			 "this line stands among the items of a list, but does not begin "
			 "with '- '");
		diag_add(d, DIAG_NOTE, s->context_pos, "the list begins here");
		return true;
	}
	if (is_problem(s, "expected key") || is_problem(s, "<document start>") ||
	    is_problem(s, "mapping keys are not allowed")) {
		diag_add(d, DIAG_ERROR, s->pos,
			 "the indentation of this line fits nothing above it");
		if (is_problem(s, "expected key"))
			diag_add(d, DIAG_NOTE, s->context_pos,
				 "the mapping around it begins here");
		return true;
	}
	return false;
}

static bool
missing_value(const struct stop *s, struct diag *d)
{
	char c = char_at(s, s->off);

	if (!is_problem(s, "expected node content"))
		return false;
	if (c == '\0')
		diag_add(d, DIAG_ERROR, s->pos,
			 "the file ends where a value should stand");
	else
		diag_add(d, DIAG_ERROR, s->pos, "a value should stand here, not '%c'", c);
	return true;
}

static bool
directive(const struct stop *s, struct diag *d)
{
	if (!is_context(s, "directive") && !is_problem(s, "incompatible YAML document") &&
	    !is_problem(s, "duplicate %"))
		return false;
	diag_add(d, DIAG_ERROR, s->context[0] != '\0' ? s->context_pos : s->pos,
		 "a line that begins with %% is a YAML directive, and this one means "
		 "nothing here");
	diag_hint(d, "remove it, or quote the value");
	return true;
}

static bool
block_scalar(const struct stop *s, struct diag *d)
{
	if (!is_context(s, "block scalar"))
		return false;
	if (is_problem(s, "comment or line break")) {
		diag_add(d, DIAG_ERROR, s->pos,
			 "behind | or > nothing may stand on the same line");
		diag_hint(d, "begin the text on the next line, indented");
	} else
		diag_add(d, DIAG_ERROR, s->pos,
			 "the indentation given behind | or > must be 1 to 9");
	return true;
}

static struct diag_pos
pos_of(int file, struct yaml_place at)
{
	return (struct diag_pos){file, at.line, at.col, 1};
}

void
yaml_syntax_error(struct diag *d, int file, struct yaml_text *t, const yaml_parser_t *p)
{
	static bool (*const families[])(const struct stop *, struct diag *) = {
	    open_quote, tab_indent,   reserved_start, block_scalar,  colons,
	    brackets,	behind_value, indentation,    missing_value, directive};
	struct stop s = {.t = t,
			 .context = p->context != NULL ? p->context : "",
			 .problem = p->problem != NULL ? p->problem : ""};
	size_t index = p->error == YAML_READER_ERROR ? 0 : p->problem_mark.index, i;
	struct yaml_place at = yaml_text_place(t, index),
			  context = yaml_text_place(t, p->context_mark.index);

	/* A problem found at the very end is shown at the end of the last line with text. */
	while (at.off >= t->n && index > 0 && at.col == 1)
		at = yaml_text_place(t, --index);
	if (at.off > 0 && at.off < t->n && t->p[at.off] == '\n' &&
	    t->p[at.off - 1] == '\r')
		at = yaml_text_place(t, --index);
	s.off = yaml_text_place(t, p->problem_mark.index).off;
	s.line_start = yaml_text_place(t, t->lines.v[at.line - 1]).off;
	s.context_off = context.off;
	s.pos = pos_of(file, at);
	s.context_pos = p->context != NULL ? pos_of(file, context) : s.pos;
	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (families[i](&s, d))
			return;
	diag_add(d, DIAG_ERROR, s.pos, "this is not valid YAML: %s%s%s", s.context,
		 s.context[0] != '\0' ? ", " : "", s.problem);
}
