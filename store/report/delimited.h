#ifndef DAG_STORE_REPORT_DELIMITED_H
#define DAG_STORE_REPORT_DELIMITED_H
/*
 * A reader of CSV and TSV into values, a list of mappings from the names of the columns to
 * strings, as Python's csv.DictReader reads them: fields may be quoted, with quotes doubled
 * in them, and then hold line ends; lines that are empty are left out; \r\n and \r are \n.
 */
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct diag;
struct yaml_node;

#define DELIMITED_ROWS_MAX    200000
#define DELIMITED_COLUMNS_MAX 1000
#define DELIMITED_CELLS_MAX   2000000

/**
 * delimited_parse(a, d, name, text, len, comma, header, out):
 * Read the file ${name} whose fields are parted by ${comma}.  Without ${header} the columns are
 * called "0", "1" ...  A row that is too short has nulls at its end; what is beyond the columns
 * is left out.  ${text} must outlive ${a} and ${d}.  Mistakes (no UTF-8, limits, a quote that
 * does not end) go to ${d}.  Return 0 with ${out}; 1 if there were mistakes; -1 if memory ran
 * out.
 */
int delimited_parse(struct arena *, struct diag *, const char *, const char *, size_t,
		    char, bool, struct yaml_node **);

#endif
