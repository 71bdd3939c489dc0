#ifndef DAG_SCHEDULER_SHELL_SCAN_H
#define DAG_SCHEDULER_SHELL_SCAN_H
/*
 * An incremental scanner of shell text: fed with what was rendered so far, it says how the
 * next byte would be read.  It follows POSIX and what bash, ksh and zsh add; where these
 * disagree, or where only the text behind decides, it does not guess: it says `never` for the
 * place, or is lost, which is `never` for everything behind.
 *
 *	 command level			quoting			other
 *	+------------------------+	+---------------+	+------------+
 *	| TOP SUBSHELL CMDSUB    |  '   | SQ DQ ANSI    |  #	| COMMENT    |
 *	| BACKTICK CASE          | ---> | PARAM         | --->	| HEREDOC    |
 *	| ARRAY COND             |  "   | ARITH ARITHCMD|  <<	|            |
 *	+------------------------+	+---------------+	+------------+
 *	 each with a struct shell_cmd: where in a simple command the next word stands
 */
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct shell_scan;

/* Where the next byte would stand. */
struct shell_place {
	char never[120]; /* not "": why no value may stand here, to follow "it stands" */
	const char *digits; /* not NULL: why only digits may, likewise */
	const char
	    *inside; /* not NULL: what it is inside of, where no word may be quoted */
	const char *command; /* not NULL: it would choose the program, and why */
	bool quoted;	     /* inside '...' or "..." */
	bool inert;	     /* in a comment or here-document: may be empty */
	bool word_start;     /* nothing before it makes the word non-empty */
	bool word_open;	     /* something of the word, if only quotes, stands before it */
	bool dashdash;	     /* a word `--` stands before it in the command */
	bool brace;	     /* unquoted, and a '{' before it in the word */
	bool colon;	     /* right behind "$NAME:" */
	bool one_word;	     /* the grammar takes exactly one word here */
	bool no_options;     /* the word is no argument of a command */
};

/**
 * shell_scan_new(a):
 * Return a scanner at the start of a text, in arena ${a}, or NULL.
 */
struct shell_scan *shell_scan_new(struct arena *);

/**
 * shell_scan_feed(s, p, n, value):
 * Read ${n} more bytes; ${value}: they are a value, not the author's text.
 */
void shell_scan_feed(struct shell_scan *, const char *, size_t, bool);

/**
 * shell_scan_end(s):
 * The text is complete.
 */
void shell_scan_end(struct shell_scan *);

/**
 * shell_scan_place(s, out):
 * Tell where the next byte would stand.
 */
void shell_scan_place(const struct shell_scan *, struct shell_place *);

/**
 * shell_scan_fault(s):
 * Return what the author's text behind a value that was fed has made of it, as a clause whose
 * subject is that value ("would be ..."), or NULL.
 */
const char *shell_scan_fault(const struct shell_scan *);

#endif
