#ifndef DAG_CLI_LOGVIEW_H
#define DAG_CLI_LOGVIEW_H
/*
 * Reading attempts' logs for people.
 */
#include <stddef.h>
#include <stdint.h>

struct buf;
struct cli;
struct err;

/**
 * logview_tail(dirfd, lines, offset, err):
 * Set ${offset} to where the last ${lines} lines of the log in ${dirfd} begin (a last line
 * without its newline counts).  Return 0 or -1.
 */
int logview_tail(int, uint64_t, uint64_t *, struct err *);

/**
 * logview_copy(c, dirfd, offset, label, err):
 * Write the log from ${offset} on to standard output, byte by byte as it is, up to where it
 * ends for now, and raise ${offset} to there.  What is not kept any more is told on stderr,
 * under the name ${label}.  Return 1 if there was something, 0 if not, -1.
 */
int logview_copy(struct cli *, int, uint64_t *, const char *, struct err *);

/**
 * logview_last(dirfd, lines, max, out, err):
 * Append the last ${lines} lines, of the last ${max} bytes, to ${out}.
 */
int logview_last(int, uint64_t, size_t, struct buf *, struct err *);

/**
 * logview_quote(b, dirfd, lines, width):
 * Append the last ${lines} lines as "      | line", harmless on a terminal and cut to ${width}
 * columns (0: not).  What cannot be read is left out.
 */
void logview_quote(struct buf *, int, uint64_t, unsigned);

#endif
