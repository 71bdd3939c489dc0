#include "scheduler/shell_scan_impl.h"

#include <string.h>

/*
 * Redirections and here-documents.  A here-document is announced by << and its delimiter, and
 * begins behind the next newline of the same command level:
 *
 *	cat <<A <<-B	docs[0] = A, docs[1] = B, both pending
 *	body of A	SH_HEREDOC is pushed with the newline; docs[0] is being read
 *	A		docs[0] is dropped, B is read next
 *		B	no more: SH_HEREDOC is popped
 */

static const char *const operators[] = {"<",  "<<", "<<-", "<<<", "<&",
					"<>", ">",  ">>",  ">|",  ">&"};

static bool
is_operator(const char *op)
{
	size_t i;

	for (i = 0; i < sizeof(operators) / sizeof(*operators); i++)
		if (strcmp(op, operators[i]) == 0)
			return true;
	return false;
}

static enum shell_redir
redir_of(const char *op)
{
	if (strcmp(op, "<<") == 0)
		return REDIR_DOC;
	if (strcmp(op, "<<-") == 0)
		return REDIR_DOC_TABS;
	return op[1] == '&' ? REDIR_DUP : REDIR_FILE;
}

/* The byte < or > where no operator is open. */
void
shell_redir_begin(struct shell_scan *s, struct shell_cmd *cmd, char c)
{
	struct shell_word *w = &cmd->word;

	if (w->started && w->number) {
		if (w->value)
			shell_set_fault(s, "would be the number of a redirection's file "
					   "descriptor");
		memset(w, 0, sizeof(*w));
	} else if (w->started && w->text[0] == '{' && w->last == '}') {
		shell_lost(s, "a redirection with a variable for its descriptor");
	}
	shell_word_end(s);
	cmd = &shell_top(s)->cmd;
	if (cmd->redir != REDIR_NONE && cmd->redir != REDIR_FILE)
		shell_lost(s, "a redirection without a file name");
	cmd->file_next = cmd->redir == REDIR_FILE; /* of `< <(...)` */
	cmd->op[0] = c;
	cmd->op[1] = '\0';
	cmd->redir = REDIR_FILE;
}

/* The byte behind an operator that may go on; whether it is part of it, or a process
 * substitution's parenthesis. */
bool
shell_redir_char(struct shell_scan *s, struct shell_cmd *cmd, char c)
{
	size_t n = strlen(cmd->op);
	bool single = n == 1;

	if (cmd->file_next && c != '(') {
		shell_lost(s, "a redirection without a file name");
		return true;
	}
	if (n + 1 < sizeof(cmd->op)) {
		cmd->op[n] = c;
		cmd->op[n + 1] = '\0';
		if (is_operator(cmd->op)) {
			cmd->redir = redir_of(cmd->op);
			return true;
		}
	}
	cmd->op[0] = '\0';
	if (c == '(' && single) {
		cmd->redir = cmd->file_next ? REDIR_FILE : REDIR_NONE;
		cmd->file_next = false;
		shell_word_dynamic(s);
		if (shell_push(s, SH_CMDSUB) != NULL)
			shell_cmd_reset(&shell_top(s)->cmd);
		return true;
	}
	if (strchr("(&|!#<>", c) != NULL && c != '\0')
		shell_lost(s, "a redirection that the shells read differently");
	return false;
}

/* The word of a redirection is complete. */
void
shell_redir_word(struct shell_scan *s, struct shell_cmd *cmd)
{
	const struct shell_word *w = &cmd->word;
	bool doc = cmd->redir == REDIR_DOC || cmd->redir == REDIR_DOC_TABS;

	if (doc && s->ndocs == SHELL_DOCS_MAX) {
		shell_lost(s, "too many here-documents on one line");
	} else if (doc) {
		struct shell_doc *d = &s->docs[s->ndocs++];

		memset(d, 0, sizeof(*d));
		if (w->len == sizeof(w->text))
			shell_lost(s,
				   "a here-document's delimiter of more than 63 bytes");
		memcpy(d->delim, w->text, w->len);
		d->len = w->len;
		d->tabs = cmd->redir == REDIR_DOC_TABS;
		d->raw = w->quoted;
		d->depth = s->depth;
	}
	cmd->redir = REDIR_NONE;
	if (cmd->command)
		cmd->keywords = false;
	cmd->named = false;
}

static void
line_begin(struct shell_scan *s)
{
	s->doc_len = 0;
	s->doc_differs = s->doc_begun = s->doc_value = s->doc_joined = false;
}

/* A newline at the command level: what was announced on the line begins. */
void
shell_doc_begin(struct shell_scan *s)
{
	size_t i;

	if (s->ndocs == 0)
		return;
	for (i = 0; i < s->ndocs; i++)
		if (s->docs[i].depth != s->depth) {
			shell_lost(s,
				   "a here-document that begins inside a substitution");
			return;
		}
	if (s->backticks > 0) {
		shell_lost(s, "a here-document in backticks");
		return;
	}
	if (shell_push(s, SH_HEREDOC) != NULL)
		line_begin(s);
}

/* Whether the line so far is the delimiter. */
static bool
is_delimiter(const struct shell_scan *s)
{
	return !s->doc_differs && s->doc_len == s->docs[0].len;
}

static void
doc_newline(struct shell_scan *s)
{
	bool joined = s->doc_joined;

	if (!is_delimiter(s)) {
		line_begin(s);
		return;
	}
	if (joined) {
		shell_lost(s, "a here-document's delimiter behind a backslash");
		return;
	}
	if (s->doc_value)
		shell_set_fault(s, "would end the here-document");
	memmove(s->docs, s->docs + 1, --s->ndocs * sizeof(*s->docs));
	line_begin(s);
	if (s->ndocs == 0)
		shell_pop(s);
}

/* One more byte of the line, as it stands in the text. */
static void
doc_raw(struct shell_scan *s, char c)
{
	const struct shell_doc *d = &s->docs[0];

	s->doc_value |= s->value;
	if (c == '\t' && d->tabs && !s->doc_begun)
		return;
	s->doc_begun = true;
	if (s->doc_len < d->len && d->delim[s->doc_len] == c)
		s->doc_len++;
	else
		s->doc_differs = true;
}

void
shell_doc_char(struct shell_scan *s, char c)
{
	if (c == '\n') {
		doc_newline(s);
		return;
	}
	if (!s->docs[0].raw && c == '\\') {
		s->esc = true;
		return;
	}
	doc_raw(s, c);
	if (!s->docs[0].raw && (c == '$' || c == '`'))
		shell_dollar_or_backtick(s, c);
}

/* The byte behind a backslash.  The shells join the lines before or after they look for the
 * delimiter, so a line that could be part of it is not understood. */
void
shell_doc_escaped(struct shell_scan *s, char c)
{
	if (c != '\n') {
		doc_raw(s, '\\');
		doc_raw(s, c);
		return;
	}
	if (!s->doc_differs) {
		shell_lost(s, "a here-document's delimiter over two lines");
		return;
	}
	line_begin(s);
	s->doc_joined = true;
}

/* The end of the text ends a line too. */
void
shell_doc_end(struct shell_scan *s)
{
	while (shell_top(s)->kind == SH_HEREDOC && is_delimiter(s) && s->lost == NULL)
		doc_newline(s);
}
