#ifndef DAG_CLI_TABLE_H
#define DAG_CLI_TABLE_H
/*
 * Columns of text, as wide as what is in them; and the small texts that fill them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define TABLE_COLUMNS_MAX 12

struct table; /* rows are kept until they are printed */

/**
 * table_new(titles, n), table_free(t):
 * A table of ${n} columns; NULL if memory runs out.
 */
struct table *table_new(const char *const *, size_t);
void table_free(struct table *);

/**
 * table_cell(t, text), table_cellf(t, fmt, ...):
 * Fill the next cell, row by row; NULL is empty.  Text is copied.  Running out of memory is
 * remembered.
 */
void table_cell(struct table *, const char *);
void table_cellf(struct table *, const char *, ...) __attribute__((format(printf, 2, 3)));

/**
 * table_style(t, ansi):
 * Give the last cell a colour, used if colours are printed ("32"); the text is not copied.
 */
void table_style(struct table *, const char *);

/**
 * table_keep(t, column):
 * Where the table is too wide, cut the columns before ${column} (from 0), the widest first,
 * to leave that one its room.
 */
void table_keep(struct table *, size_t);

/**
 * table_print(t, out, width, color):
 * Append the table; what lies behind ${width} is cut, so that no line is wider (0: nothing
 * is).  Return 0, or -1 if memory ran out.
 */
int table_print(const struct table *, struct buf *, unsigned, bool);

/**
 * text_fit(b, text, columns):
 * Append ${text}, harmless on a terminal and its line ends as blanks, cut to ${columns}
 * columns with "…" at the end of what was cut.  Return the columns used.
 */
unsigned text_fit(struct buf *, const char *, unsigned);

/**
 * text_wrap(b, from, width):
 * Break the lines of ${b} from byte ${from} on that are wider than ${width} columns (0: none
 * is) at blanks, or where they must be; what is broken off is indented by two more than its
 * line.  Escape sequences of colours take no room.
 */
void text_wrap(struct buf *, size_t, unsigned);

/**
 * text_when(b, us):
 * Append an instant for people, "2026-11-22 20:38:48"; "-" for 0.
 */
void text_when(struct buf *, int64_t);

/**
 * text_short_id(id):
 * Return the end of the run id ${id} by which people name it.
 */
const char *text_short_id(const char *);

#endif
