#ifndef DAG_STORE_PIPELINE_JSON_VALUE_H
#define DAG_STORE_PIPELINE_JSON_VALUE_H
/*
 * A reader of JSON into values (store/pipeline/value.h), by the rules of Python's json: NaN,
 * Infinity and -Infinity are numbers, integers have any size, and of a name that an object
 * has twice the last value counts.  What programs write as metrics has all of that.
 */
#include <stddef.h>

struct arena;
struct diag;
struct yaml_node;

#define JSON_VALUE_DEPTH_MAX 64

/**
 * json_value_parse(a, d, name, text, len, out):
 * Read the file ${name} as params_parse() does.
 */
int json_value_parse(struct arena *, struct diag *, const char *, const char *, size_t,
		     struct yaml_node **);

#endif
