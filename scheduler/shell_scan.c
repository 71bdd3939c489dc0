#include "scheduler/shell_scan_impl.h"

#include <string.h>

#include "base/arena.h"

/*
 * Contexts and characters.  A byte goes to the function of the innermost context, after what
 * the byte before it left open: a backslash, a $, the name of $NAME.
 */

struct shell_scan *
shell_scan_new(struct arena *a)
{
	struct shell_scan *s = arena_zalloc(a, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->line = s->stack[0].line = 1;
	shell_cmd_reset(&s->stack[0].cmd);
	return s;
}

struct shell_ctx *
shell_top(struct shell_scan *s)
{
	return &s->stack[s->depth];
}

bool
shell_is_command_level(enum shell_kind kind)
{
	return kind <= SH_COND;
}

void
shell_set_fault(struct shell_scan *s, const char *what)
{
	if (s->fault == NULL)
		s->fault = what;
}

/* Whether only the end of a context shows what its inside is. */
static bool
is_undecided(enum shell_kind kind)
{
	return kind == SH_CMDSUB || kind == SH_BACKTICK || kind == SH_ARRAY ||
	       kind == SH_ARITH || kind == SH_ARITHCMD;
}

/* From here on nothing is certain; nor is what a value inside an open context has become. */
void
shell_lost(struct shell_scan *s, const char *why)
{
	size_t i;

	if (s->lost != NULL)
		return;
	s->lost = why;
	s->lost_line = s->line;
	for (i = 1; i <= s->depth; i++)
		if (s->stack[i].value && is_undecided(s->stack[i].kind))
			shell_set_fault(s, "would stand in a construct that the shells "
					   "read differently");
}

struct shell_ctx *
shell_push(struct shell_scan *s, enum shell_kind kind)
{
	struct shell_ctx *ctx;

	if (s->depth + 1 == SHELL_DEPTH_MAX) {
		shell_lost(s, "nesting of more than 63 levels");
		return NULL;
	}
	ctx = &s->stack[++s->depth];
	memset(ctx, 0, sizeof(*ctx));
	ctx->kind = kind;
	ctx->line = s->line;
	if (kind == SH_BACKTICK)
		s->backticks++;
	return ctx;
}

void
shell_pop(struct shell_scan *s)
{
	const struct shell_ctx *ctx = shell_top(s);
	size_t i;

	for (i = 0; i < s->ndocs; i++) {
		if (s->docs[i].depth != s->depth)
			continue;
		if (ctx->kind == SH_CMDSUB || ctx->kind == SH_BACKTICK)
			shell_lost(s, "a here-document outside of its substitution");
		s->docs[i].depth--;
	}
	if (ctx->kind == SH_BACKTICK)
		s->backticks--;
	s->depth--;
}

/* Whether a context that quotes lies around the innermost one, up to its command level. */
static bool
in_quotes(const struct shell_scan *s)
{
	size_t i;

	for (i = s->depth; !shell_is_command_level(s->stack[i].kind); i--)
		if (s->stack[i].kind == SH_DQ || s->stack[i].kind == SH_HEREDOC)
			return true;
	return false;
}

static bool
has_below(const struct shell_scan *s, enum shell_kind kind)
{
	size_t i;

	for (i = 0; i < s->depth; i++)
		if (s->stack[i].kind == kind)
			return true;
	return false;
}

void
shell_push_commands(struct shell_scan *s, enum shell_kind kind)
{
	struct shell_ctx *ctx = shell_push(s, kind);

	if (ctx != NULL) {
		shell_cmd_reset(&ctx->cmd);
		ctx->fresh = kind == SH_SUBSHELL || kind == SH_CMDSUB;
	}
}

/* ---- expansions ---- */

static void
backtick(struct shell_scan *s)
{
	if (shell_top(s)->kind == SH_BACKTICK) {
		shell_word_end(s);
		if (shell_top(s)->kind != SH_BACKTICK ||
		    shell_top(s)->cmd.redir != REDIR_NONE)
			shell_lost(s, "a command that is incomplete in backticks");
		else
			shell_pop(s);
	} else if (s->backticks > 0) {
		shell_lost(s, "a backtick inside quotes or blocks inside backticks");
	} else {
		shell_word_dynamic(s);
		shell_push_commands(s, SH_BACKTICK);
	}
}

void
shell_dollar_or_backtick(struct shell_scan *s, char c)
{
	if (c == '`')
		backtick(s);
	else
		s->dollar = true;
}

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

/* The $ before was only a dollar sign. */
static void
literal_dollar(struct shell_scan *s)
{
	struct shell_cmd *cmd = shell_word_owner(s);

	if (cmd == NULL)
		return;
	if (cmd->redir == REDIR_DOC || cmd->redir == REDIR_DOC_TABS)
		shell_lost(s, "a '$' in a here-document's delimiter");
	shell_word_char(s, cmd, '$', shell_top(s)->kind == SH_DQ);
}

static void
variable(struct shell_scan *s, enum shell_var var, char c)
{
	shell_word_dynamic(s);
	s->var = var;
	s->var_digit = c >= '0' && c <= '9';
}

/* The byte behind a $; whether it is part of the expansion. */
static bool
after_dollar(struct shell_scan *s, char c)
{
	enum shell_kind kind = shell_top(s)->kind;
	bool bare = shell_is_command_level(kind);

	if (c == '\\')
		return false; /* decided behind it */
	s->dollar = false;
	if (c == '(') {
		shell_word_dynamic(s);
		shell_push_commands(s, SH_CMDSUB);
	} else if (c == '{') {
		shell_word_dynamic(s);
		if (shell_push(s, SH_PARAM) != NULL)
			shell_top(s)->fresh = true;
	} else if (c == '[') {
		shell_lost(s, "'$[', an old form of $((...))");
	} else if (c == '\'' && bare) {
		shell_word_begin(s, &shell_top(s)->cmd, true);
		(void)shell_push(s, SH_ANSI);
	} else if (c == '\'' && kind == SH_PARAM) {
		shell_lost(s, "$' inside ${...}");
	} else if (c >= '0' && c <= '9') {
		variable(s, VAR_SPECIAL, c);
	} else if (is_name_char(c)) {
		variable(s, VAR_NAME, c);
	} else if (c != '\0' && strchr("@*#?-$!+=~^", c) != NULL) {
		variable(s, VAR_SPECIAL, c);
	} else {
		literal_dollar(s);
		return false;
	}
	return true;
}

/* The byte behind $NAME; whether it goes on with the name. */
static bool
after_variable(struct shell_scan *s, char c)
{
	struct shell_cmd *cmd = shell_word_owner(s);

	if (s->var == VAR_NAME && is_name_char(c))
		return true;
	if (s->var == VAR_SPECIAL && s->var_digit && c >= '0' && c <= '9')
		return true;
	if (c == '[' && s->var != VAR_COLON && cmd != NULL)
		cmd->word.bracket = true; /* zsh reads a subscript, even in "..." */
	s->var = c == ':' && s->var != VAR_COLON ? VAR_COLON : VAR_NONE;
	return false;
}

/* ---- quoting ---- */

void
shell_double_quote(struct shell_scan *s)
{
	struct shell_cmd *cmd = shell_word_owner(s);

	if (s->backticks > 0 && has_below(s, SH_DQ)) {
		shell_lost(s, "double quotes in backticks in double quotes");
		return;
	}
	if (cmd != NULL)
		shell_word_begin(s, cmd, true);
	(void)shell_push(s, SH_DQ);
}

static void
in_quote(struct shell_scan *s, char c)
{
	enum shell_kind kind = shell_top(s)->kind;
	struct shell_cmd *cmd = shell_word_owner(s);

	if (c == '\n' && s->ndocs > 0 && !has_below(s, SH_HEREDOC))
		shell_lost(s, "a newline in quotes before a here-document");
	if (c == (kind == SH_DQ ? '"' : '\''))
		shell_pop(s);
	else if (c == '\\' && kind != SH_SQ)
		s->esc = true;
	else if (kind == SH_DQ && (c == '$' || c == '`'))
		shell_dollar_or_backtick(s, c);
	else if (cmd != NULL)
		shell_word_char(s, cmd, c, true);
}

static void
in_param(struct shell_scan *s, char c)
{
	struct shell_ctx *ctx = shell_top(s);
	bool fresh = ctx->fresh;

	ctx->fresh = false;
	if (c == '\n' && s->ndocs > 0)
		shell_lost(s, "a newline in ${...} before a here-document");
	if (fresh && (c == ' ' || c == '\t' || c == '\n' || c == '|' || c == '('))
		shell_lost(s, "a '${' that runs a command or has flags");
	else if (c == '{' || (c == '(' && (s->prev == '<' || s->prev == '>')))
		shell_lost(s, "nesting inside ${...} that the shells read differently");
	else if ((c == '\'' || c == '"') && in_quotes(s))
		shell_lost(s, "quotes inside ${...} inside double quotes");
	else if (c == '}')
		shell_pop(s);
	else if (c == '\'')
		(void)shell_push(s, SH_SQ);
	else if (c == '"')
		shell_double_quote(s);
	else if (c == '\\')
		s->esc = true;
	else if (c == '$' || c == '`')
		shell_dollar_or_backtick(s, c);
}

static void
end_arithmetic(struct shell_scan *s)
{
	bool command = shell_top(s)->kind == SH_ARITHCMD;

	shell_pop(s);
	if (!command)
		return;
	if (shell_top(s)->cmd.form == FORM_FOR)
		shell_cmd_reset(&shell_top(s)->cmd);
	else
		shell_cmd_after_compound(&shell_top(s)->cmd);
}

static void
in_arith(struct shell_scan *s, char c)
{
	struct shell_ctx *ctx = shell_top(s);

	if (ctx->closing && c != ')') {
		shell_lost(s, "a '((' that is not closed by '))'");
		return;
	}
	if (c == '(') {
		ctx->parens++;
	} else if (c == ')') {
		ctx->closing = --ctx->parens == 1;
		if (ctx->parens == 0)
			end_arithmetic(s);
	} else if (c == '$') {
		s->dollar = true;
	} else if (c == '\n' && s->ndocs > 0) {
		shell_lost(s, "a newline in '((' before a here-document");
	} else if ((c == '#' && !is_name_char(s->prev)) ||
		   (c == '<' && s->prev == '<' && ctx->kind == SH_ARITHCMD) ||
		   (c == ';' && ctx->kind == SH_ARITH) ||
		   (c != '\0' && strchr("'\"`\\{}", c) != NULL)) {
		shell_lost(s, "a '((' that may be no arithmetic");
	}
}

static void
in_comment(struct shell_scan *s, char c)
{
	if (c == '\n') {
		shell_pop(s);
		shell_newline(s);
	}
}

/* ---- the driver ---- */

static void (*const readers[])(struct shell_scan *, char) = {
    [SH_TOP] = shell_command_char,
    [SH_SUBSHELL] = shell_command_char,
    [SH_CMDSUB] = shell_command_char,
    [SH_BACKTICK] = shell_command_char,
    [SH_CASE] = shell_command_char,
    [SH_ARRAY] = shell_command_char,
    [SH_COND] = shell_command_char,
    [SH_SQ] = in_quote,
    [SH_DQ] = in_quote,
    [SH_ANSI] = in_quote,
    [SH_PARAM] = in_param,
    [SH_ARITH] = in_arith,
    [SH_ARITHCMD] = in_arith,
    [SH_COMMENT] = in_comment,
    [SH_HEREDOC] = shell_doc_char,
};

/* Backslash and newline join two lines; the shells do not agree whether also inside of an
 * operator, so this is not understood there. */
static void
joined_line(struct shell_scan *s, bool dollar)
{
	struct shell_ctx *ctx = shell_top(s);

	if (dollar || ctx->fresh || ctx->closing ||
	    (shell_is_command_level(ctx->kind) &&
	     (ctx->cmd.op[0] != '\0' || ctx->cmd.semi)))
		shell_lost(s, "an operator over two lines");
	if (ctx->kind == SH_HEREDOC)
		shell_doc_escaped(s, '\n');
}

static void
escaped(struct shell_scan *s, char c)
{
	struct shell_ctx *ctx = shell_top(s);
	struct shell_cmd *cmd = shell_word_owner(s);
	bool dollar = s->dollar;

	s->esc = s->dollar = false;
	if (s->backticks > 0 && (c == '\\' || c == '`' || c == '$' || c == '"')) {
		shell_lost(s, "a backslash inside backticks");
		return;
	}
	if (ctx->kind == SH_ANSI && (c == '\'' || c == '\n')) {
		shell_lost(s, "a backslash before the end of $'...'");
		return;
	}
	if (c == '\n' && ctx->kind != SH_ANSI) {
		joined_line(s, dollar);
		return;
	}
	s->var = VAR_NONE;
	if (dollar)
		literal_dollar(s);
	ctx->fresh = false;
	if (shell_is_command_level(ctx->kind)) {
		ctx->cmd.op[0] = '\0';
		ctx->cmd.semi = false;
		if (ctx->doubled)
			shell_lost(s, "a parenthesis behind 'for'");
		if (s->lost == NULL)
			shell_word_char(s, &ctx->cmd, c, true);
	} else if (ctx->kind == SH_HEREDOC) {
		shell_doc_escaped(s, c);
	} else if (cmd != NULL) {
		shell_word_char(s, cmd, c, true);
	}
}

static void
step(struct shell_scan *s, char c)
{
	enum shell_kind kind = shell_top(s)->kind;

	if (c == '\n' && kind != SH_HEREDOC && has_below(s, SH_HEREDOC)) {
		shell_lost(s, "a newline in an expansion in a here-document");
		return;
	}
	if (s->esc) {
		escaped(s, c);
		return;
	}
	if (s->dollar && after_dollar(s, c))
		return;
	if (s->var != VAR_NONE && c != '\\' && after_variable(s, c))
		return;
	if (c == '`' && s->backticks > 0 && kind != SH_BACKTICK) {
		shell_lost(s, "a backtick inside quotes or blocks inside backticks");
		return;
	}
	readers[shell_top(s)->kind](s, c);
}

/* Remember for every open context that a value stands in it. */
static void
mark_value(struct shell_scan *s, const char *p, size_t n)
{
	struct shell_cmd *cmd = shell_word_owner(s);
	size_t i;

	s->nvalues++;
	for (i = 0; i <= s->depth; i++)
		s->stack[i].value = true;
	if (shell_top(s)->kind == SH_HEREDOC)
		s->doc_value = true;
	for (i = 0; cmd != NULL && i < n; i++)
		if (p[i] < '0' || p[i] > '9')
			cmd->loose = true;
}

void
shell_scan_feed(struct shell_scan *s, const char *p, size_t n, bool value)
{
	size_t i;

	s->value = value;
	if (value)
		mark_value(s, p, n);
	for (i = 0; i < n; i++) {
		if (s->lost == NULL)
			step(s, p[i]);
		s->prev = p[i];
		if (p[i] == '\n')
			s->line++;
	}
	if (value && s->lost != NULL)
		shell_set_fault(s, s->lost);
	s->value = false;
}

void
shell_scan_end(struct shell_scan *s)
{
	if (s->lost == NULL && shell_top(s)->kind == SH_COMMENT)
		shell_pop(s);
	if (s->lost == NULL && shell_top(s)->kind == SH_HEREDOC)
		shell_doc_end(s);
	if (s->lost == NULL && shell_is_command_level(shell_top(s)->kind)) {
		shell_word_end(s);
		if (s->ndocs > 0)
			shell_lost(s, "a here-document that never begins");
	}
	if (s->nvalues > 0 && s->lost == NULL && (s->depth > 0 || s->esc))
		shell_set_fault(s,
				"would stand in a command that is not complete: a quote, "
				"parenthesis, 'case' or here-document is never closed");
}

const char *
shell_scan_fault(const struct shell_scan *s)
{
	return s->fault;
}
