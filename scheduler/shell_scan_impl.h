#ifndef DAG_SCHEDULER_SHELL_SCAN_IMPL_H
#define DAG_SCHEDULER_SHELL_SCAN_IMPL_H
/*
 * The parts of the shell scanner among themselves: shell_scan.c (contexts, expansions,
 * quotes), shell_command.c (characters between them), shell_word.c (words and simple
 * commands), shell_heredoc.c (redirections and here-documents),
 * shell_place.c (what it all means for a value).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/shell_scan.h"

#define SHELL_DEPTH_MAX 64 /* contexts inside each other */
#define SHELL_DOCS_MAX	8  /* here-documents begun on one line */
#define SHELL_DELIM_MAX 64 /* bytes of a here-document's delimiter */
#define SHELL_WORD_TEXT 64 /* of a word, enough to know keywords, builtins, delimiters */

enum shell_kind {
	/* where commands and words are read */
	SH_TOP,
	SH_SUBSHELL, /* ( ... ) */
	SH_CMDSUB,   /* $( ... ), <( ... ) */
	SH_BACKTICK,
	SH_CASE,  /* from `case` to `esac` */
	SH_ARRAY, /* NAME=( ... ) */
	SH_COND,  /* [[ ... ]] */
	/* where they are not */
	SH_SQ,	     /* '...' */
	SH_DQ,	     /* "..." */
	SH_ANSI,     /* $'...' */
	SH_PARAM,    /* ${...} */
	SH_ARITH,    /* $((...)) */
	SH_ARITHCMD, /* ((...)) */
	SH_COMMENT,
	SH_HEREDOC
};

/* How much of NAME= or NAME[...]= a word is so far. */
enum shell_name {
	NAME_START,
	NAME_IN,
	NAME_SUB,
	NAME_SUBEND,
	NAME_PLUS,
	NAME_ASSIGN,
	NAME_BAD
};

struct shell_word {
	bool started;
	bool quoted;  /* some of it is */
	bool literal; /* a byte of it is certain: it cannot expand to nothing */
	bool dynamic; /* it has an expansion */
	bool number;  /* unquoted digits only */
	bool value;   /* a value is part of it */
	bool bracket; /* an unquoted [ without its ] */
	bool brace;   /* an unquoted { */
	bool tilde;   /* an unquoted ~ that may be expanded, no / yet */
	bool equals;  /* begins with an unquoted =, which zsh expands */
	enum shell_name name;
	char last; /* its last byte, 0 if quoted or an expansion */
	uint8_t len;
	char text[SHELL_WORD_TEXT]; /* quotes removed; full: too long to be of interest */
};

/* What kind of command the words belong to. */
enum shell_class {
	CLS_PLAIN,
	CLS_PREFIX, /* exec, command ...: the next word is the command */
	CLS_WRAP,   /* env, sudo ...: the next word but options and numbers is */
	CLS_CODE,   /* eval, trap, read ...: arguments are code or names of variables */
	CLS_DECL,   /* export ...: NAME=value */
	CLS_NUMBER, /* exit ...: zsh reads arguments as arithmetic */
	CLS_TEST,   /* test, [, [[: arithmetic beside -eq and its like */
	CLS_PRINTF, /* printf, wait: -v and -p take a variable */
	CLS_SET	    /* set: +x is an option too */
};

enum shell_form { FORM_SIMPLE, FORM_FOR, FORM_FUNCTION };
enum shell_phase { CASE_SUBJECT, CASE_IN, CASE_PATTERN, CASE_BODY };
enum shell_redir { REDIR_NONE, REDIR_FILE, REDIR_DUP, REDIR_DOC, REDIR_DOC_TABS };

struct shell_cmd {
	struct shell_word word;
	bool command;  /* the next word chooses the program */
	bool keywords; /* ... and may be a reserved word */
	bool assigns;  /* ... or an assignment */
	bool named;    /* the words so far are one literal command name */
	bool closer;   /* behind the ( of a function: only its ) may follow */
	bool dashdash;
	bool options;
	bool after_var; /* the word before is -v, -p or -R */
	bool arith;	/* test: an arithmetic operator was read */
	bool loose;	/* test: a value that is no number was read */
	bool semi;	/* case: the byte before is the ; of a ;; */
	bool pattern;	/* case: a pattern has begun, `esac` is no keyword now */
	enum shell_class cls;
	const char *cls_name;
	enum shell_form form;
	uint32_t nform; /* words read of it */
	enum shell_phase phase;
	enum shell_redir redir; /* whose word comes next */
	bool file_next;		/* op stands where the word of a redirection should */
	char op[4];		/* a redirection operator that may go on, or "" */
};

struct shell_ctx {
	enum shell_kind kind;
	uint32_t line;
	uint32_t parens; /* open ones, where they are only counted */
	bool fresh;	 /* nothing was read yet */
	bool doubled;	 /* SUBSHELL: must become ARITHCMD */
	bool closing;	 /* ARITH, ARITHCMD: the first of two closing ones was read */
	bool value;	 /* a value stands inside */
	struct shell_cmd cmd;
};

struct shell_doc {
	char delim[SHELL_DELIM_MAX + 1];
	size_t len;
	bool tabs;    /* <<- */
	bool raw;     /* the delimiter was quoted */
	size_t depth; /* of the context whose newline begins it */
};

enum shell_var { VAR_NONE, VAR_NAME, VAR_SPECIAL, VAR_COLON };

struct shell_scan {
	struct shell_ctx stack[SHELL_DEPTH_MAX];
	size_t depth; /* of the innermost; 0 is SH_TOP */
	size_t backticks;
	uint32_t line;
	bool value; /* the bytes being read are a value's */
	size_t nvalues;
	bool esc;	    /* behind a backslash */
	bool dollar;	    /* behind a $ that may begin an expansion */
	enum shell_var var; /* right behind $NAME and the like */
	bool var_digit;
	char prev;
	const char *lost; /* why nothing behind is understood */
	uint32_t lost_line;
	const char *fault;
	/* here-documents announced on this line; while one is read, it is docs[0] */
	struct shell_doc docs[SHELL_DOCS_MAX];
	size_t ndocs;
	size_t doc_len;	  /* bytes of the delimiter that the line has so far */
	bool doc_differs; /* the line is not the delimiter */
	bool doc_begun;	  /* something but stripped tabs was read of the line */
	bool doc_value;	  /* a value stands in the line */
	bool doc_joined;  /* the line before ended in a backslash */
};

/* shell_scan.c */
struct shell_ctx *shell_top(struct shell_scan *);
bool shell_is_command_level(enum shell_kind);
struct shell_ctx *shell_push(struct shell_scan *, enum shell_kind);
void shell_pop(struct shell_scan *);
void shell_lost(struct shell_scan *, const char *);
void shell_set_fault(struct shell_scan *, const char *);
void shell_push_commands(struct shell_scan *, enum shell_kind);
void shell_dollar_or_backtick(struct shell_scan *, char);
void shell_double_quote(struct shell_scan *);

/* shell_command.c */
void shell_newline(struct shell_scan *);
void shell_command_char(struct shell_scan *, char);

/* shell_word.c */
void shell_cmd_reset(struct shell_cmd *);
void shell_cmd_after_compound(struct shell_cmd *);
struct shell_cmd *shell_word_owner(struct shell_scan *);
void shell_word_begin(struct shell_scan *, struct shell_cmd *, bool);
void shell_word_char(struct shell_scan *, struct shell_cmd *, char, bool);
void shell_word_dynamic(struct shell_scan *);
void shell_word_end(struct shell_scan *);

/* shell_heredoc.c */
bool shell_redir_char(struct shell_scan *, struct shell_cmd *, char);
void shell_redir_begin(struct shell_scan *, struct shell_cmd *, char);
void shell_redir_word(struct shell_scan *, struct shell_cmd *);
void shell_doc_begin(struct shell_scan *);
void shell_doc_char(struct shell_scan *, char);
void shell_doc_escaped(struct shell_scan *, char);
void shell_doc_end(struct shell_scan *);

#endif
