#ifndef DEMO_CSV_H
#define DEMO_CSV_H
/*
 * CSV as in RFC 4180, read as a stream: fields may be quoted and then hold commas, newlines and
 * doubled quotes; a row ends with LF or CRLF.  Who reads it is a filter: what is wrong is said,
 * with the number of its line, and ends the process with status 1.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FIELDS_MAX 64
#define ROW_MAX	   ((size_t)16 << 20) /* bytes of the fields of one row */

struct csv {
	const char *name; /* for messages */
	FILE *f;
	uint64_t line;	/* the line that is being read */
	uint64_t start; /* the line on which the current row starts */

	char *text; /* the current row's fields, each with a NUL behind it */
	size_t n, cap;
	size_t at[FIELDS_MAX + 1]; /* where they start; the end of the last */
	size_t nfields;
	size_t columns; /* fields of the header; 0: not read yet */
};

/* Read the header of the file ${name}, which becomes the current row; let it go. */
void csv_open(struct csv *, const char *);
void csv_close(struct csv *);

/* Read the next row, of as many fields as the header has.  Return false at the end. */
bool csv_row(struct csv *);

/* The place of a column by its name in the header, which is the current row. */
size_t csv_column(const struct csv *, const char *);

/* Field ${i} of the current row: text with a NUL behind it (it holds none), and its length. */
const char *csv_field(const struct csv *, size_t);
size_t csv_len(const struct csv *, size_t);

/* Write the ${n} bytes at ${s} as a field, in quotes if it needs them. */
void csv_put(const char *, size_t, FILE *);

/* Flush ${out}, called ${name}: a stream remembers whether any write to it failed. */
void finish(FILE *, const char *);

/* Say what is wrong, and exit. */
_Noreturn void die(const char *, ...) __attribute__((format(printf, 1, 2)));

/* Return ${p}, of room for ${cap} elements of ${size} bytes, with room for ${need} or more. */
void *grow(void *, size_t *, size_t, size_t);

#endif
