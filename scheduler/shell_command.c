#include "scheduler/shell_scan_impl.h"

#include <string.h>

/*
 * Characters at the command level: blanks, separators, parentheses, and what begins a quote,
 * an expansion, a comment or a redirection.
 */

void
shell_newline(struct shell_scan *s)
{
	struct shell_ctx *ctx;
	bool plain;

	shell_word_end(s);
	ctx = shell_top(s);
	plain = ctx->kind != SH_ARRAY && ctx->kind != SH_COND &&
		(ctx->kind != SH_CASE || ctx->cmd.phase == CASE_BODY);
	if (ctx->cmd.redir != REDIR_NONE)
		shell_lost(s, "a redirection without a file name");
	if (plain)
		shell_cmd_reset(&ctx->cmd);
	else if (s->ndocs > 0)
		shell_lost(s, "a here-document announced inside another construct");
	shell_doc_begin(s);
}

/* One of ; & | in `case`; whether it was dealt with. */
static bool
case_separator(struct shell_scan *s, struct shell_cmd *cmd, char c)
{
	bool semi = cmd->semi;

	cmd->semi = false;
	if (cmd->phase == CASE_BODY && !semi)
		return false;
	if (cmd->phase == CASE_BODY) {
		cmd->phase = CASE_PATTERN;
		shell_cmd_reset(cmd);
		cmd->semi = c == ';'; /* of ;;& */
	} else if (cmd->phase == CASE_PATTERN && c == '&' && semi) {
		return true;
	} else if (cmd->phase != CASE_PATTERN || c != '|') {
		shell_lost(s, "a separator where 'case' has a pattern");
	}
	return true;
}

static void
separator(struct shell_scan *s, char c)
{
	struct shell_ctx *ctx;
	bool semi = shell_top(s)->cmd.semi;

	shell_word_end(s);
	ctx = shell_top(s);
	if (ctx->cmd.redir != REDIR_NONE)
		shell_lost(s, "a redirection without a file name");
	if (ctx->kind == SH_CASE) {
		ctx->cmd.semi = semi;
		if (case_separator(s, &ctx->cmd, c))
			return;
	} else if (ctx->kind == SH_ARRAY || (ctx->kind == SH_COND && c == ';')) {
		shell_lost(s, "a separator where the shell takes none");
	}
	if (ctx->kind == SH_COND) {
		ctx->cmd.command = true;
		return;
	}
	shell_cmd_reset(&ctx->cmd);
	ctx->cmd.semi = c == ';';
}

/* An opening parenthesis that belongs to a word. */
static void
open_in_word(struct shell_scan *s, struct shell_ctx *ctx)
{
	struct shell_cmd *cmd = &ctx->cmd;
	struct shell_word *w = &cmd->word;

	if (ctx->kind == SH_COND) {
		ctx->parens++;
	} else if (cmd->form == FORM_FUNCTION) {
		memset(w, 0, sizeof(*w));
		cmd->closer = true;
	} else if (w->name == NAME_ASSIGN && w->last == '=' && w->len < sizeof(w->text) &&
		   w->text[w->len - 2] != '=' && ctx->kind != SH_ARRAY &&
		   (ctx->kind != SH_CASE || cmd->phase == CASE_BODY)) {
		shell_push_commands(s, SH_ARRAY);
		shell_top(s)->cmd.command = shell_top(s)->cmd.keywords = false;
		shell_top(s)->cmd.assigns = false;
	} else if (cmd->command && cmd->keywords && w->literal && !w->quoted &&
		   !w->dynamic && (ctx->kind != SH_CASE || cmd->phase == CASE_BODY)) {
		if (w->value)
			shell_set_fault(s, "would be part of a function's name");
		memset(w, 0, sizeof(*w));
		cmd->closer = true;
	} else {
		if (w->value)
			shell_set_fault(s, "would be part of a pattern with parentheses");
		shell_lost(s, "a parenthesis inside a word");
	}
}

static void
open_paren(struct shell_scan *s)
{
	struct shell_ctx *ctx = shell_top(s);
	struct shell_cmd *cmd = &ctx->cmd;

	if (cmd->redir != REDIR_NONE) {
		shell_lost(s, "a parenthesis behind a redirection");
	} else if (cmd->word.started) {
		open_in_word(s, ctx);
	} else if (ctx->kind == SH_COND) {
		ctx->parens++;
	} else if (ctx->kind == SH_CASE && cmd->phase == CASE_PATTERN && !cmd->pattern) {
		cmd->pattern = true;
	} else if (ctx->kind == SH_ARRAY ||
		   (ctx->kind == SH_CASE && cmd->phase != CASE_BODY)) {
		shell_lost(s, "a parenthesis where the shells differ");
	} else if (cmd->named || (cmd->form == FORM_FUNCTION && cmd->nform > 0)) {
		cmd->closer = true;
	} else if (cmd->form == FORM_FOR && cmd->nform == 0) {
		shell_push_commands(s, SH_SUBSHELL);
		shell_top(s)->doubled = true;
	} else if (cmd->form == FORM_SIMPLE && cmd->command && cmd->keywords) {
		shell_push_commands(s, SH_SUBSHELL);
	} else {
		shell_lost(s, "a parenthesis where the shells differ");
	}
}

static void
close_paren(struct shell_scan *s)
{
	struct shell_ctx *ctx;
	enum shell_kind kind;

	shell_word_end(s);
	ctx = shell_top(s);
	kind = ctx->kind;
	if (ctx->cmd.redir != REDIR_NONE) {
		shell_lost(s, "a redirection without a file name");
	} else if (kind == SH_SUBSHELL || kind == SH_CMDSUB || kind == SH_ARRAY) {
		shell_pop(s);
		if (kind == SH_SUBSHELL)
			shell_cmd_after_compound(&shell_top(s)->cmd);
	} else if (kind == SH_CASE && ctx->cmd.phase == CASE_PATTERN) {
		ctx->cmd.phase = CASE_BODY;
		shell_cmd_reset(&ctx->cmd);
	} else if (kind == SH_COND && ctx->parens > 0) {
		ctx->parens--;
	} else {
		shell_lost(s, "a ')' that closes nothing");
	}
}

/* The second byte of (( or $((. */
static bool
become_arithmetic(struct shell_ctx *ctx, char c)
{
	if (c != '(')
		return false;
	ctx->kind = ctx->kind == SH_CMDSUB ? SH_ARITH : SH_ARITHCMD;
	ctx->parens = 2;
	return true;
}

/* What the byte before left open at the command level; whether it takes this one. */
static bool
command_pending(struct shell_scan *s, struct shell_ctx *ctx, char c)
{
	struct shell_cmd *cmd = &ctx->cmd;

	if (cmd->op[0] != '\0' && c != '\\' && shell_redir_char(s, cmd, c))
		return true;
	if (ctx->fresh && c != '\\') {
		ctx->fresh = false;
		if (become_arithmetic(ctx, c))
			return true;
		if (ctx->doubled)
			shell_lost(s, "a parenthesis behind 'for'");
	}
	if (cmd->closer) {
		if (c == ')')
			shell_cmd_reset(cmd);
		else if (c != ' ' && c != '\t')
			shell_lost(s, "a '(' behind a command's name");
		return true;
	}
	return false;
}

void
shell_command_char(struct shell_scan *s, char c)
{
	struct shell_ctx *ctx = shell_top(s);

	if (command_pending(s, ctx, c) || s->lost != NULL)
		return;
	if (c != ';' && c != '&' && c != '|' && c != '\\')
		ctx->cmd.semi = false;
	if (c == ' ' || c == '\t') {
		shell_word_end(s);
	} else if (c == '\n') {
		shell_newline(s);
	} else if (c == ';' || c == '&' || c == '|') {
		separator(s, c);
	} else if (c == '<' || c == '>') {
		shell_redir_begin(s, &ctx->cmd, c);
	} else if (c == '(') {
		open_paren(s);
	} else if (c == ')') {
		close_paren(s);
	} else if (c == '\'') {
		shell_word_begin(s, &ctx->cmd, true);
		(void)shell_push(s, SH_SQ);
	} else if (c == '"') {
		shell_double_quote(s);
	} else if (c == '$' || c == '`') {
		shell_dollar_or_backtick(s, c);
	} else if (c == '\\') {
		s->esc = true;
	} else if (c == '#' && !ctx->cmd.word.started) {
		if (ctx->kind == SH_COND)
			shell_lost(s, "a '#' inside [[...]]");
		(void)shell_push(s, SH_COMMENT);
	} else {
		shell_word_char(s, &ctx->cmd, c, false);
	}
}
