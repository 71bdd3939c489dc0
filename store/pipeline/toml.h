#ifndef DAG_STORE_PIPELINE_TOML_H
#define DAG_STORE_PIPELINE_TOML_H
/*
 * A reader of TOML 1.0, into values (store/pipeline/value.h).  Dates and times are refused:
 * no value can be one.
 */
#include <stddef.h>

struct arena;
struct diag;
struct yaml_node;

#define TOML_DEPTH_MAX 64

/**
 * toml_parse(a, d, name, text, len, out):
 * Read the file ${name} as params_parse() does.
 */
int toml_parse(struct arena *, struct diag *, const char *, const char *, size_t,
	       struct yaml_node **);

#endif
