#ifndef DAG_STORE_PIPELINE_TOML_H
#define DAG_STORE_PIPELINE_TOML_H
/*
 * A reader of TOML 1.0, into values (store/pipeline/value.h), none of which can be a date or
 * a time.
 */
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct diag;
struct yaml_node;

#define TOML_DEPTH_MAX 64

/**
 * toml_parse(a, d, name, text, len, dates, out):
 * Read the file ${name} as params_parse() does, or, with ${dates}, as params_parse_dates().
 */
int toml_parse(struct arena *, struct diag *, const char *, const char *, size_t, bool,
	       struct yaml_node **);

#endif
