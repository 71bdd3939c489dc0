#include "scheduler/shell_scan_impl.h"

#include <string.h>

/*
 * Words and simple commands: where in a command the next word stands.
 *
 *	       assignment, redirection
 *		 +---------+
 *		 v	   |
 *	reset -> command --+--> name --> arguments --+--> ; & | newline: reset
 *		 ^  ^	   |	 |		     |
 *		 |  |	   |	 +-- exec, env ...   +--> a lone { or }: zsh opens or closes a
 *		 |  +------+				  block there, so `command` again
 *		 +---- if then do { ! ..., $X (which may expand to nothing)
 */

struct word_class {
	const char *name;
	enum shell_class cls;
};

/* What the shells do with the arguments of these; sorted by class. */
static const struct word_class classes[] = {
    {".", CLS_PREFIX},	      {"builtin", CLS_PREFIX},	 {"command", CLS_PREFIX},
    {"exec", CLS_PREFIX},     {"nocorrect", CLS_PREFIX}, {"noglob", CLS_PREFIX},
    {"source", CLS_PREFIX},   {"-", CLS_PREFIX},

    {"busybox", CLS_WRAP},    {"chroot", CLS_WRAP},	 {"doas", CLS_WRAP},
    {"env", CLS_WRAP},	      {"ionice", CLS_WRAP},	 {"nice", CLS_WRAP},
    {"nohup", CLS_WRAP},      {"setsid", CLS_WRAP},	 {"stdbuf", CLS_WRAP},
    {"sudo", CLS_WRAP},	      {"timeout", CLS_WRAP},	 {"xargs", CLS_WRAP},

    {"alias", CLS_CODE},      {"autoload", CLS_CODE},	 {"bind", CLS_CODE},
    {"compgen", CLS_CODE},    {"complete", CLS_CODE},	 {"declare", CLS_CODE},
    {"emulate", CLS_CODE},    {"enable", CLS_CODE},	 {"eval", CLS_CODE},
    {"fc", CLS_CODE},	      {"float", CLS_CODE},	 {"foreach", CLS_CODE},
    {"functions", CLS_CODE},  {"getopts", CLS_CODE},	 {"hash", CLS_CODE},
    {"integer", CLS_CODE},    {"let", CLS_CODE},	 {"mapfile", CLS_CODE},
    {"nameref", CLS_CODE},    {"print", CLS_CODE},	 {"read", CLS_CODE},
    {"readarray", CLS_CODE},  {"repeat", CLS_CODE},	 {"sched", CLS_CODE},
    {"setopt", CLS_CODE},     {"shopt", CLS_CODE},	 {"trap", CLS_CODE},
    {"typeset", CLS_CODE},    {"unset", CLS_CODE},	 {"unsetopt", CLS_CODE},
    {"vared", CLS_CODE},      {"zcompile", CLS_CODE},	 {"zmodload", CLS_CODE},
    {"zparseopts", CLS_CODE}, {"zstyle", CLS_CODE},

    {"export", CLS_DECL},     {"local", CLS_DECL},	 {"readonly", CLS_DECL},

    {"break", CLS_NUMBER},    {"continue", CLS_NUMBER},	 {"exit", CLS_NUMBER},
    {"return", CLS_NUMBER},   {"shift", CLS_NUMBER},	 {"ulimit", CLS_NUMBER},
    {"umask", CLS_NUMBER},

    {"[", CLS_TEST},	      {"test", CLS_TEST},

    {"printf", CLS_PRINTF},   {"wait", CLS_PRINTF},

    {"set", CLS_SET},
};

enum keyword {
	KEY_NOT,
	KEY_OPEN,     /* a command follows */
	KEY_TIME,     /* a command follows, perhaps behind an option */
	KEY_COMPOUND, /* closes a compound command */
	KEY_CASE,
	KEY_ESAC,
	KEY_FOR,
	KEY_FUNCTION,
	KEY_COND
};

static const struct {
	const char *name;
	enum keyword key;
} keywords[] = {
    {"if", KEY_OPEN},	   {"then", KEY_OPEN},	   {"else", KEY_OPEN},
    {"elif", KEY_OPEN},	   {"while", KEY_OPEN},	   {"until", KEY_OPEN},
    {"do", KEY_OPEN},	   {"!", KEY_OPEN},	   {"{", KEY_OPEN},
    {"time", KEY_TIME},	   {"coproc", KEY_TIME},   {"always", KEY_OPEN},
    {"fi", KEY_COMPOUND},  {"done", KEY_COMPOUND}, {"}", KEY_COMPOUND},
    {"end", KEY_COMPOUND}, {"case", KEY_CASE},	   {"esac", KEY_ESAC},
    {"for", KEY_FOR},	   {"select", KEY_FOR},	   {"function", KEY_FUNCTION},
    {"[[", KEY_COND},
};

void
shell_cmd_reset(struct shell_cmd *cmd)
{
	enum shell_phase phase = cmd->phase;

	memset(cmd, 0, sizeof(*cmd));
	cmd->phase = phase;
	cmd->command = cmd->keywords = cmd->assigns = true;
}

/* Behind `fi`, `)` and the like only a redirection or a separator may stand in POSIX, but in
 * some shells a command: a value is refused there, as at any command position. */
void
shell_cmd_after_compound(struct shell_cmd *cmd)
{
	shell_cmd_reset(cmd);
	cmd->assigns = false;
}

/* The command whose word the next byte belongs to, NULL if it belongs to none. */
struct shell_cmd *
shell_word_owner(struct shell_scan *s)
{
	struct shell_ctx *ctx = shell_top(s);

	if ((ctx->kind == SH_SQ || ctx->kind == SH_DQ || ctx->kind == SH_ANSI) &&
	    s->depth > 0)
		ctx--;
	return shell_is_command_level(ctx->kind) ? &ctx->cmd : NULL;
}

void
shell_word_begin(struct shell_scan *s, struct shell_cmd *cmd, bool quoted)
{
	struct shell_word *w = &cmd->word;

	w->started = true;
	w->quoted |= quoted;
	w->value |= s->value;
	if (quoted)
		w->number = false;
}

/* One byte more of NAME= or NAME[...]=, or of something else. */
static enum shell_name
name_step(enum shell_name at, char c, bool quoted)
{
	bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
	bool digit = c >= '0' && c <= '9';

	if (at == NAME_ASSIGN || at == NAME_BAD)
		return at;
	if (at == NAME_SUB)
		return c == ']' && !quoted ? NAME_SUBEND : NAME_SUB;
	if (quoted)
		return NAME_BAD;
	if (at == NAME_START)
		return alpha ? NAME_IN : NAME_BAD;
	if (c == '=')
		return NAME_ASSIGN;
	if (at == NAME_PLUS)
		return NAME_BAD;
	if (c == '+')
		return NAME_PLUS;
	if (at == NAME_SUBEND)
		return NAME_BAD;
	return c == '[' ? NAME_SUB : alpha || digit ? NAME_IN : NAME_BAD;
}

void
shell_word_char(struct shell_scan *s, struct shell_cmd *cmd, char c, bool quoted)
{
	struct shell_word *w = &cmd->word;
	bool first = !w->started;

	shell_word_begin(s, cmd, quoted);
	w->number = c >= '0' && c <= '9' && !quoted && (first || w->number);
	if (!quoted) {
		if (c == '[')
			w->bracket = true;
		else if (c == ']')
			w->bracket = false;
		else if (c == '{')
			w->brace = true;
		else if (c == '/')
			w->tilde = false;
		else if (c == '~' && (first || w->last == '=' || w->last == ':'))
			w->tilde = true;
		else if (c == '=' && first)
			w->equals = true;
	}
	w->name = name_step(first ? NAME_START : w->name, c, quoted);
	w->literal = true;
	w->last = quoted ? '\0' : c;
	if (w->len < sizeof(w->text))
		w->text[w->len++] = c;
}

/* An expansion begins in the innermost word, if there is one. */
void
shell_word_dynamic(struct shell_scan *s)
{
	struct shell_cmd *cmd = shell_word_owner(s);
	struct shell_word *w;

	if (cmd == NULL)
		return;
	w = &cmd->word;
	shell_word_begin(s, cmd, shell_top(s)->kind == SH_DQ);
	w->dynamic = true;
	w->number = false;
	w->last = '\0';
	if (w->name != NAME_ASSIGN && w->name != NAME_SUB)
		w->name = NAME_BAD;
	if (cmd->redir == REDIR_DOC || cmd->redir == REDIR_DOC_TABS)
		shell_lost(s, "an expansion in a here-document's delimiter");
}

static bool
word_is(const struct shell_word *w, const char *text)
{
	return strlen(text) == w->len && memcmp(w->text, text, w->len) == 0;
}

static bool
word_is_plain(const struct shell_word *w)
{
	return !w->quoted && !w->dynamic;
}

static void
set_class(struct shell_cmd *cmd, const struct shell_word *w)
{
	size_t i;

	cmd->cls = CLS_PLAIN;
	for (i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (word_is(w, classes[i].name)) {
			cmd->cls = classes[i].cls;
			cmd->cls_name = classes[i].name;
		}
}

static enum keyword
keyword_of(const struct shell_word *w)
{
	size_t i;

	if (word_is_plain(w))
		for (i = 0; i < sizeof(keywords) / sizeof(*keywords); i++)
			if (word_is(w, keywords[i].name))
				return keywords[i].key;
	return KEY_NOT;
}

/* A word that is no keyword chooses the program, or says how the next one does. */
static void
command_name(struct shell_scan *s, struct shell_cmd *cmd, const struct shell_word *w)
{
	enum shell_class was = cmd->cls;
	bool option = w->len > 0 && w->text[0] == '-' && w->len > 1;
	bool number = w->len > 0 && w->text[0] >= '0' && w->text[0] <= '9';

	if (w->name == NAME_ASSIGN && cmd->assigns) {
		cmd->keywords = false;
		return;
	}
	if (!cmd->keywords && (keyword_of(w) == KEY_CASE || keyword_of(w) == KEY_COND)) {
		shell_lost(s, "a keyword where not every shell takes it for one");
		return;
	}
	cmd->keywords = cmd->assigns = false;
	if (!w->literal && !w->quoted)
		return; /* may expand to nothing: the next word is the command then */
	if (was == CLS_WRAP && (option || number || w->name == NAME_ASSIGN))
		return;
	if (was == CLS_PREFIX && option) {
		if (!word_is(w, "-p") && !word_is(w, "--"))
			cmd->cls = CLS_CODE;
		cmd->command = cmd->cls == CLS_PREFIX;
		return;
	}
	cmd->named = word_is_plain(w);
	set_class(cmd, w);
	cmd->command = cmd->cls == CLS_PREFIX || cmd->cls == CLS_WRAP;
}

static void
begin_form(struct shell_cmd *cmd, enum shell_form form, const char *name)
{
	shell_cmd_reset(cmd);
	cmd->command = cmd->keywords = cmd->assigns = false;
	cmd->form = form;
	cmd->cls_name = name;
}

static void
begin_prefix(struct shell_cmd *cmd, const char *name)
{
	shell_cmd_reset(cmd);
	cmd->cls = CLS_PREFIX;
	cmd->cls_name = name;
}

static void
begin_context(struct shell_scan *s, struct shell_cmd *cmd, enum shell_kind kind)
{
	struct shell_ctx *ctx;

	shell_cmd_after_compound(cmd);
	if ((ctx = shell_push(s, kind)) == NULL)
		return;
	shell_cmd_reset(&ctx->cmd);
	if (kind == SH_COND) {
		ctx->cmd.command = ctx->cmd.keywords = ctx->cmd.assigns = false;
		ctx->cmd.cls = CLS_TEST;
		ctx->cmd.cls_name = "[[";
	}
}

static void
end_case(struct shell_scan *s)
{
	shell_pop(s);
	shell_cmd_after_compound(&shell_top(s)->cmd);
}

/* A word at a command position. */
static void
command_word(struct shell_scan *s, struct shell_cmd *cmd, const struct shell_word *w)
{
	enum keyword key = cmd->keywords ? keyword_of(w) : KEY_NOT;

	if (key != KEY_NOT && w->value)
		shell_set_fault(s, "would be a word of the shell's grammar");
	if (key == KEY_NOT)
		command_name(s, cmd, w);
	else if (key == KEY_OPEN)
		shell_cmd_reset(cmd);
	else if (key == KEY_TIME)
		begin_prefix(cmd, "time");
	else if (key == KEY_COMPOUND)
		shell_cmd_after_compound(cmd);
	else if (key == KEY_FOR)
		begin_form(cmd, FORM_FOR, w->len == 3 ? "for" : "select");
	else if (key == KEY_FUNCTION)
		begin_form(cmd, FORM_FUNCTION, "function");
	else if (key == KEY_CASE)
		begin_context(s, cmd, SH_CASE);
	else if (key == KEY_COND)
		begin_context(s, cmd, SH_COND);
	else if (shell_top(s)->kind == SH_CASE)
		end_case(s);
	else
		shell_lost(s, "an 'esac' without its 'case'");
}

/* A word behind `for`, `select` or `function`. */
static void
form_word(struct shell_scan *s, struct shell_cmd *cmd, const struct shell_word *w)
{
	bool plain = word_is_plain(w);

	cmd->nform++;
	if (cmd->form == FORM_FUNCTION) {
		if (plain && word_is(w, "{"))
			shell_cmd_reset(cmd);
		return;
	}
	if (cmd->nform == 2 && plain && word_is(w, "do"))
		shell_cmd_reset(cmd);
	else if (cmd->nform == 2 && !(plain && word_is(w, "in")))
		shell_lost(s, "a 'for' with neither 'in' nor 'do'");
}

static bool
is_arith_operator(const struct shell_word *w)
{
	static const char *const ops[] = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		if (word_is(w, ops[i]))
			return true;
	return false;
}

static void
argument_word(struct shell_scan *s, struct shell_cmd *cmd, const struct shell_word *w)
{
	cmd->named = false;
	cmd->after_var = word_is(w, "-v") || word_is(w, "-p") || word_is(w, "-R");
	if (word_is(w, "--"))
		cmd->dashdash = true;
	else if (w->len > 0 && (w->text[0] == '-' || w->text[0] == '+'))
		cmd->options = true;
	if (cmd->cls == CLS_TEST && is_arith_operator(w)) {
		cmd->arith = true;
		if (cmd->loose)
			shell_set_fault(s, "would be evaluated as arithmetic, so it may "
					   "only be a number");
	}
	if (word_is_plain(w) && (word_is(w, "{") || word_is(w, "}"))) {
		cmd->command = true;
		cmd->keywords = cmd->assigns = false;
	}
}

static void
case_word(struct shell_scan *s, struct shell_cmd *cmd, const struct shell_word *w)
{
	if (cmd->phase == CASE_SUBJECT) {
		cmd->phase = CASE_IN;
	} else if (cmd->phase == CASE_IN) {
		cmd->phase = CASE_PATTERN;
		if (!word_is_plain(w) || !word_is(w, "in"))
			shell_lost(s, "a 'case' without its 'in'");
	} else if (!cmd->pattern && word_is_plain(w) && word_is(w, "esac")) {
		if (w->value)
			shell_set_fault(s, "would be the keyword 'esac'");
		end_case(s);
	} else {
		cmd->pattern = true;
	}
}

/* The word that was being read, if any, is complete.  This may begin or end a context. */
void
shell_word_end(struct shell_scan *s)
{
	struct shell_ctx *ctx = shell_top(s);
	struct shell_cmd *cmd = &ctx->cmd;
	struct shell_word w = cmd->word;

	if (!w.started)
		return;
	memset(&cmd->word, 0, sizeof(cmd->word));
	if (cmd->redir != REDIR_NONE) {
		cmd->word = w;
		shell_redir_word(s, cmd);
		memset(&cmd->word, 0, sizeof(cmd->word));
	} else if (ctx->kind == SH_CASE && cmd->phase != CASE_BODY) {
		case_word(s, cmd, &w);
	} else if (ctx->kind == SH_ARRAY) {
		return;
	} else if (ctx->kind == SH_COND) {
		cmd->command = false;
		if (word_is_plain(&w) && word_is(&w, "]]") && ctx->parens == 0)
			shell_pop(s);
		else
			argument_word(s, cmd, &w);
	} else if (cmd->form != FORM_SIMPLE) {
		form_word(s, cmd, &w);
	} else if (cmd->command) {
		command_word(s, cmd, &w);
	} else {
		argument_word(s, cmd, &w);
	}
}
