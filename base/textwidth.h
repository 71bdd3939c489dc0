#ifndef DAG_BASE_TEXTWIDTH_H
#define DAG_BASE_TEXTWIDTH_H
/*
 * How much room text takes on a terminal, and how to show text of unknown origin there.
 */
#include <stddef.h>
#include <stdint.h>

struct buf;

/**
 * text_width(cp):
 * Return the columns that character ${cp} takes: 0 for combining marks and joiners, 2 for
 * East Asian wide characters and emoji, 1 for everything else.  A short table of ranges, not
 * the whole of Unicode's: what is missing from it counts 1, and a caret then stands one
 * column off.
 */
unsigned text_width(uint32_t);

/**
 * text_columns(p, n):
 * Return the columns that ${n} bytes of UTF-8 take when written by text_put.
 */
unsigned text_columns(const char *, size_t);

/**
 * text_put(b, p, n):
 * Append ${n} bytes of text so that a terminal only shows them: control characters (tab and
 * newline too), bidirectional overrides and ill-formed bytes become U+FFFD.
 */
void text_put(struct buf *, const char *, size_t);

/**
 * text_harmful(cp):
 * Return whether text_put replaces ${cp}.
 */
int text_harmful(uint32_t);

#endif
