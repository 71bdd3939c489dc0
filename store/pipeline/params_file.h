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
 * Mistakes go to ${d}.  Return 0 with the settled ${out} (an empty file is an empty
 * mapping); 1 if there were mistakes; -1 if memory ran out.
 */
int params_parse(struct arena *, struct diag *, const char *, const char *, size_t,
		 struct yaml_node **);

/**
 * params_parse_results(a, d, name, text, len, out):
 * The same for what a program has written: dates and times in YAML are plain strings.
 */
int params_parse_results(struct arena *, struct diag *, const char *, const char *,
			 size_t, struct yaml_node **);

/**
 * params_is_python(name):
 * Return whether the file is one that is refused for being Python.
 */
bool params_is_python(const char *);

#endif
