#ifndef DAG_CLI_CLI_H
#define DAG_CLI_CLI_H
/*
 * What every verb is made of and works with: its row in the verb table, the global options,
 * standard output with its errors noticed, and messages.
 *
 * Messages go to stderr, one sentence each, lower case: "dag: error: ..." when something did
 * not work, "dag: warning: ...", and "dag: ..." for what is only worth knowing.  Facts go to
 * standard output.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct diag;
struct opt;
struct project;

/* Exit codes. */
#define EXIT_OK		 0
#define EXIT_WORK	 1   /* the work failed */
#define EXIT_USAGE	 2   /* usage, or an invalid file */
#define EXIT_DAG	 3   /* dag itself could not */
#define EXIT_HANGUP	 129 /* SIGHUP: tasks go on */
#define EXIT_INTERRUPTED 130 /* SIGINT */
#define EXIT_TERMINATED	 143 /* SIGTERM */

/* In the environment, the pid of who started us and wants us to end with him. */
#define CLI_WITH_PARENT "DAG_WITH_PARENT"

#define CLI_WIDTH     80  /* no line of help is wider */
#define CLI_WIDTH_MAX 400 /* of a terminal, as far as layouts are concerned */

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct cli;

enum verb_group { GROUP_START, GROUP_WORK, GROUP_LOOK, GROUP_DATA, GROUP_REST, GROUPS };

/* One verb.  Paragraphs of doc are divided by empty lines and wrapped; lines that start with
 * a blank stand as they are. */
struct verb {
	const char *name;
	enum verb_group group;
	const char *summary;  /* one line, lower case, no full stop */
	const char *args;     /* its words for the usage line: "FILE|NAME", or "" */
	unsigned min, max;    /* how many words it takes */
	const char *doc;      /* what it does, for `dag help VERB` and docs/cli.md */
	const char *examples; /* lines "command<TAB>what it does", or NULL */
	const struct opt *opts;
	size_t size; /* of the struct that opts are parsed into, 0: none */
	const char
	    *command; /* the first word behind which the second one begins a command,
			      * whose options are its own; NULL: none */
	/* Do it.  ${opts} is that struct.  Return the exit code. */
	int (*run)(struct cli *c, const void *opts);
};

struct cli {
	const char *dir;  /* -C, or NULL */
	bool with_parent; /* who started us takes us along, and we what we start */
	enum color_when color;
	const struct verb *verb;
	char **args; /* words that are no options, NULL-terminated */
	size_t nargs;
	struct buf out; /* standard output, not written yet */
	int out_errno;	/* what made writing it fail, or 0 */
};

/**
 * verb_table(n), verb_find(name):
 * Return all verbs in the order of help, and their number; the one of that name, or NULL.
 */
const struct verb *const *verb_table(size_t *);
const struct verb *verb_find(const char *);

/**
 * cli_global_opts():
 * Return the table of the options that every verb takes.
 */
const struct opt *cli_global_opts(void);

/**
 * cli_main(argc, argv):
 * The program: parse, run the verb, write what is left of its output.  Return the exit code.
 */
int cli_main(int, char **);

/* ---- output ---- */

/**
 * cli_flush(c):
 * Write what the verb has put into c->out.  Return 0; or -1 once standard output does not
 * take it any more (the reason is kept and becomes exit code 3 with a message at the end).
 */
int cli_flush(struct cli *);

/**
 * cli_flush_some(c):
 * The same once there is much of it: for loops that print a lot.
 */
int cli_flush_some(struct cli *);

/**
 * cli_is_terminal(fd):
 * Return whether ${fd} is a terminal, and by $TERM no dumb one.
 */
bool cli_is_terminal(int);

/**
 * cli_color(c, fd):
 * Return whether text for ${fd} may have colours: by --color, else a terminal that is not
 * dumb, and no $NO_COLOR.
 */
bool cli_color(const struct cli *, int);

/**
 * cli_width(fd):
 * Return the columns of the terminal ${fd}, 0 if it is none.
 */
unsigned cli_width(int);

/* ---- messages ---- */

/**
 * cli_exit_code(code):
 * Return the exit code that an error of that kind ends the program with.
 */
int cli_exit_code(enum err_code);

/**
 * cli_fail(c, err):
 * Say "dag: error: ${err}" and return its exit code.
 */
int cli_fail(struct cli *, const struct err *);

/**
 * cli_error(c, text):
 * Say "dag: error: ${text}"; further lines of it are indented.
 */
void cli_error(struct cli *, const char *);

/**
 * cli_usage(c, fmt, ...):
 * Say what is wrong with the command line and where help is.  Return EXIT_USAGE.
 */
int cli_usage(struct cli *, const char *, ...) __attribute__((format(printf, 2, 3)));

/**
 * cli_note(c, fmt, ...), cli_warn(c, fmt, ...):
 * Say "dag: ..." or "dag: warning: ..." on stderr.
 */
void cli_note(struct cli *, const char *, ...) __attribute__((format(printf, 2, 3)));
void cli_warn(struct cli *, const char *, ...) __attribute__((format(printf, 2, 3)));

/**
 * cli_put_message(c, b, warning, text):
 * Append what cli_note or cli_warn would say, for who writes it elsewhere.
 */
void cli_put_message(struct cli *, struct buf *, bool, const char *);

/**
 * cli_diag(c, d):
 * Print the messages of ${d} on stderr, with carets, and colours where they may be.
 */
void cli_diag(struct cli *, struct diag *);

/* ---- help ---- */

/**
 * help_overview(b), help_verb(b, v):
 * Append the page of all verbs, or of one; no line is wider than CLI_WIDTH.
 */
void help_overview(struct buf *);
void help_verb(struct buf *, const struct verb *);

/**
 * help_topic(b, name):
 * Append the page of a topic, of a task type or of a key.  Return false if there is none of that name.
 */
bool help_topic(struct buf *, const char *);

/**
 * help_topic_name(i):
 * Return the name of the i-th topic or task type, NULL past the end.
 */
const char *help_topic_name(size_t);

/**
 * help_markdown(b):
 * Append docs/cli.md.
 */
void help_markdown(struct buf *);

/**
 * help_topics_markdown(b):
 * Append the topics (not the task types, which docs/dag-file.md has).
 */
void help_topics_markdown(struct buf *);

/**
 * help_md_text(b, text):
 * Append paragraphs as Markdown, lines that start with a blank as code.
 */
void help_md_text(struct buf *, const char *);

/**
 * help_man_overview(b), help_man_verb(b, v):
 * Append the man page dag(1), or that of a verb, for man(7) macros.
 */
void help_man_overview(struct buf *);
void help_man_verb(struct buf *, const struct verb *);

/**
 * help_topics_man(b):
 * Append the topics as sections of a man page.
 */
void help_topics_man(struct buf *);

/**
 * help_man_text(b, text):
 * Append paragraphs for a man page, lines that start with a blank as they stand.
 */
void help_man_text(struct buf *, const char *);

/**
 * help_wrap(b, text, indent):
 * Append paragraphs, each line indented by ${indent} blanks; the caller has already written
 * the indentation of the first one.  Ends with a newline.
 */
void help_wrap(struct buf *, const char *, size_t);

#endif
