#ifndef DAG_BASE_DIAG_H
#define DAG_BASE_DIAG_H
/*
 * Collects the mistakes of the user's files, all of them, and prints them with the source
 * line and a caret:
 *
 *	pipe.yaml:12:5: error: unknown key 'retires'
 *	   12 |     retires: 3
 *	      |     ^~~~~~~ did you mean 'retries'?
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct diag;
struct json_writer;

enum diag_severity {
	DIAG_ERROR,
	DIAG_WARNING,
	DIAG_NOTE /* belongs to the message before it: "first defined here" */
};

#define DIAG_MAX 1000 /* messages kept; what is beyond is counted */

/* A place in a registered file.  Lines and columns from 1, columns in characters; line 0 is
 * the file as a whole.  `width` is how many characters the caret underlines, at least 1. */
struct diag_pos {
	int file; /* what diag_file returned */
	uint32_t line, col, width;
};

/**
 * diag_line_break(p, n):
 * Return the length of the line break at ${p}, where ${n} bytes lie: \n, \r\n or \r, as editors
 * count lines; 0 if there is none.
 */
size_t diag_line_break(const char *, size_t);

/**
 * diag_place(file, text, len, at):
 * Return the place of the byte ${at} of the registered ${file}, whose ${len} bytes ${text} are;
 * within a line break it is before it.
 */
struct diag_pos diag_place(int, const char *, size_t, size_t);

/**
 * diag_new(), diag_free(d):
 * Make an empty collection, or NULL; free it, NULL allowed.
 */
struct diag *diag_new(void);
void diag_free(struct diag *);

/**
 * diag_file(d, name, text, len):
 * Register a file whose lines may be shown; ${name} is copied, ${text} must outlive ${d}
 * (NULL: no lines are shown).  Return its number, or -1 if memory runs out.
 */
int diag_file(struct diag *, const char *, const char *, size_t);

/**
 * diag_add(d, severity, pos, fmt, ...):
 * Record one message.  Running out of memory is remembered and printed as a message of its
 * own, so callers need not check.
 */
void diag_add(struct diag *, enum diag_severity, struct diag_pos, const char *, ...)
    __attribute__((format(printf, 4, 5)));

/**
 * diag_hint(d, fmt, ...):
 * Add a hint to the last message, shown behind its caret ("did you mean 'retries'?").
 */
void diag_hint(struct diag *, const char *, ...) __attribute__((format(printf, 2, 3)));

/**
 * diag_errors(d), diag_count(d):
 * Return how many errors, or messages in all, were recorded.
 */
size_t diag_errors(const struct diag *);
size_t diag_count(const struct diag *);

/**
 * diag_nomem(d):
 * Return whether memory ran out: for a message, or for what one is about.
 */
bool diag_nomem(const struct diag *);

/**
 * diag_print(d, out, color, width):
 * Append all messages to ${out}, sorted by file (in order of registration), line and column,
 * notes behind the message they belong to, identical ones once, with ANSI colours if
 * ${color}; source lines are cut to ${width} columns around the caret (0: to 1,000), tabs
 * and control characters shown harmlessly.  Of lines over 64 KiB only the first 32 MiB are
 * shown at all.
 */
void diag_print(struct diag *, struct buf *, bool, unsigned);

/**
 * diag_json(d, w):
 * Write the messages as one JSON array of {file, line, column, width, severity, message,
 * hint, notes:[...]} for editors, in the order of diag_print.
 */
void diag_json(struct diag *, struct json_writer *);

#endif
