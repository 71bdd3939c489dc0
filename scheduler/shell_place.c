#include "scheduler/shell_scan_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * What the scanner's state means for a value that would stand next.
 */

__attribute__((format(printf, 2, 3))) static void
never(struct shell_place *p, const char *fmt, ...)
{
	va_list ap;

	if (p->never[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(p->never, sizeof(p->never), fmt, ap);
	va_end(ap);
}

static const char *const kind_names[] = {
    [SH_TOP] = NULL,
    [SH_SUBSHELL] = NULL,
    [SH_CMDSUB] = "inside $(...)",
    [SH_BACKTICK] = "inside backticks",
    [SH_CASE] = NULL,
    [SH_ARRAY] = "inside NAME=(...)",
    [SH_COND] = NULL,
    [SH_SQ] = "inside single quotes",
    [SH_DQ] = "inside double quotes",
    [SH_ANSI] = "inside $'...'",
    [SH_PARAM] = "inside ${...}",
    [SH_ARITH] = "inside $((...))",
    [SH_ARITHCMD] = "inside ((...))",
    [SH_COMMENT] = "in a comment",
    [SH_HEREDOC] = "in a here-document",
};

/* What an expansion around it gives may become code: `$(x {{ y }})` as a command. */
static void
place_expansion(const struct shell_scan *s, size_t i, struct shell_place *p)
{
	const struct shell_ctx *ctx = &s->stack[i];
	const struct shell_cmd *cmd;

	if (ctx->kind != SH_CMDSUB && ctx->kind != SH_BACKTICK && ctx->kind != SH_ARITH)
		return;
	for (ctx--; ctx->kind == SH_DQ; ctx--)
		;
	if (!shell_is_command_level(ctx->kind))
		return;
	cmd = &ctx->cmd;
	if (cmd->redir != REDIR_NONE || cmd->form != FORM_SIMPLE ||
	    (ctx->kind == SH_CASE && cmd->phase != CASE_BODY))
		return;
	if (cmd->command && !(cmd->word.name == NAME_ASSIGN && cmd->assigns))
		never(p, "in an expansion whose result would choose the program");
	if (cmd->cls == CLS_CODE)
		never(p, "in an expansion among the arguments of '%s'", cmd->cls_name);
}

/* What the bytes right before it and the contexts around it say. */
static void
place_context(const struct shell_scan *s, struct shell_place *p)
{
	enum shell_kind top = s->stack[s->depth].kind;
	size_t i;

	if (s->lost != NULL)
		never(p, "behind %s in line %u, where the shells differ", s->lost,
		      (unsigned)s->lost_line);
	if (s->esc)
		never(p, "right behind a backslash");
	if (s->dollar)
		never(p, "right behind a '$' (write only {{ ... }})");
	if (s->var == VAR_NAME || s->var == VAR_SPECIAL)
		never(p, "right behind a variable, whose name it would continue (write "
			 "${NAME})");
	for (i = 0; i < s->depth; i++) {
		enum shell_kind k = s->stack[i].kind;

		if (k == SH_PARAM || k == SH_ARITH || k == SH_ARITHCMD || k == SH_HEREDOC)
			never(p, "in an expansion %s", kind_names[k]);
	}
	for (i = 1; i <= s->depth; i++)
		place_expansion(s, i, p);
	if (top == SH_ANSI || top == SH_PARAM || top == SH_ARITHCMD)
		never(p, "%s", kind_names[top]);
	if (top == SH_ARITH)
		p->digits = kind_names[top];
	for (i = s->depth + 1; i-- > 0 && p->inside == NULL;)
		p->inside = kind_names[s->stack[i].kind];
	p->quoted = top == SH_SQ || top == SH_DQ;
	p->inert = top == SH_COMMENT || top == SH_HEREDOC;
	p->colon = s->var == VAR_COLON;
}

static void
place_case(const struct shell_cmd *cmd, struct shell_place *p)
{
	if (cmd->phase == CASE_IN)
		never(p, "where 'case' expects 'in'");
	p->one_word = p->no_options = true;
}

static void
place_form(const struct shell_cmd *cmd, struct shell_place *p)
{
	if (cmd->form == FORM_FUNCTION)
		never(p, "in the name of a function");
	else if (cmd->nform == 0)
		never(p, "where '%s' expects the name of a variable", cmd->cls_name);
	else if (cmd->nform == 1)
		never(p, "where '%s' expects 'in'", cmd->cls_name);
	p->no_options = true;
}

static void
place_argument(const struct shell_cmd *cmd, struct shell_place *p)
{
	bool assign = cmd->word.started && cmd->word.name == NAME_ASSIGN;

	if (cmd->cls == CLS_CODE)
		never(p,
		      "among the arguments of '%s', which reads them as code or as names",
		      cmd->cls_name);
	if (cmd->cls == CLS_DECL && (!assign || cmd->options))
		never(p, "where '%s' reads the name of a variable", cmd->cls_name);
	if ((cmd->cls == CLS_TEST || cmd->cls == CLS_PRINTF) && cmd->after_var)
		never(p, "where '%s' may read the name of a variable", cmd->cls_name);
	if (cmd->cls == CLS_NUMBER)
		p->digits = "among the arguments of a builtin that takes numbers";
	if (cmd->cls == CLS_TEST && cmd->arith)
		p->digits = "in an arithmetic comparison";
}

/* What choosing the program here would mean; an assignment's value does not. */
static void
place_command(const struct shell_cmd *cmd, struct shell_place *p)
{
	const struct shell_word *w = &cmd->word;

	if (w->started && w->name == NAME_ASSIGN && cmd->assigns)
		return;
	if (cmd->cls == CLS_PREFIX || cmd->cls == CLS_WRAP)
		p->command = "behind a word that runs the next one as a command";
	else
		p->command = "at a command position";
	if (!cmd->keywords && cmd->cls == CLS_PLAIN)
		p->command = "where it may be at a command position";
	if (w->started && w->name == NAME_ASSIGN)
		never(p, "in what may be an assignment or a command");
}

/* What the word says that it would stand in. */
static void
place_word(const struct shell_cmd *cmd, bool quoted, struct shell_place *p)
{
	const struct shell_word *w = &cmd->word;

	p->word_start = !w->literal;
	p->word_open = w->started;
	p->brace = w->brace && !quoted;
	p->dashdash = cmd->dashdash;
	if (w->tilde)
		never(p, "behind a '~', which would name a user");
	if (w->equals)
		never(p, "behind a '=' at the start of a word, which zsh expands");
	if (w->bracket)
		p->digits = "behind a '[' that may begin a pattern or subscript";
	if (cmd->closer)
		never(p, "between the parentheses of a function");
}

void
shell_scan_place(const struct shell_scan *s, struct shell_place *p)
{
	const struct shell_ctx *ctx = &s->stack[s->depth];
	bool quoted = ctx->kind == SH_SQ || ctx->kind == SH_DQ;
	const struct shell_cmd *cmd;

	memset(p, 0, sizeof(*p));
	place_context(s, p);
	if (quoted && s->depth > 0)
		ctx--;
	if (p->inert || p->never[0] != '\0' || !shell_is_command_level(ctx->kind))
		return;
	cmd = &ctx->cmd;
	place_word(cmd, quoted, p);
	if (cmd->redir != REDIR_NONE) {
		p->one_word = p->no_options = true;
		if (cmd->redir == REDIR_DUP)
			never(p, "where a redirection takes a file descriptor");
		else if (cmd->redir != REDIR_FILE)
			never(p, "in a here-document's delimiter");
	} else if (ctx->kind == SH_CASE && cmd->phase != CASE_BODY) {
		place_case(cmd, p);
	} else if (cmd->form != FORM_SIMPLE) {
		place_form(cmd, p);
	} else if (cmd->command) {
		place_command(cmd, p);
	} else if (ctx->kind != SH_ARRAY) {
		place_argument(cmd, p);
	}
	p->one_word |= ctx->kind == SH_COND;
}
