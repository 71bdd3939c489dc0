#ifndef DAG_STORE_PIPELINE_PARAMS_FILE_H
#define DAG_STORE_PIPELINE_PARAMS_FILE_H
/*
 * Files of params: YAML, JSON and TOML, told apart by their extension as DVC does: .json,
 * .toml, .py (which is refused: it would have to be run), everything else is YAML.
 */
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct diag;
struct yaml_node;

/**
 * params_parse(a, d, name, text, len, out):
 * Read the ${len} bytes ${text} of the file ${name}; ${text} must outlive ${a} and ${d}.
 * Mistakes, and dates, which no value can be, go to ${d}.  Return 0 with the settled ${out} (an empty file is an empty
 * mapping); 1 if there were mistakes; -1 if memory ran out.
 */
int params_parse(struct arena *, struct diag *, const char *, const char *, size_t,
		 struct yaml_node **);

/**
 * params_parse_dates(a, d, name, text, len, out):
 * The same, where dates and times are no mistakes but plain strings (value_is_date()), for files of
 * which not all values are asked for.
 */
int params_parse_dates(struct arena *, struct diag *, const char *, const char *, size_t,
		       struct yaml_node **);

/**
 * params_is_python(name):
 * Return whether the file is one that is refused for being Python.
 */
bool params_is_python(const char *);

#endif
