#ifndef DAG_CLI_GC_DATA_H
#define DAG_CLI_GC_DATA_H
/*
 * dag gc of data: objects that nothing names any more.
 */
#include <stdbool.h>

#include "cli/exchange.h"
#include "cli/opts.h"

struct gc_data_opts {
	struct exchange_opts x;
	struct opt_strings revs, projects;
	struct opt_uint num;
	const char *grace, *date;
	bool workspace, exps, cloud, not_in_remote, force, skip_failed;
};

/**
 * gc_data_asked(o):
 * Return whether the options say what of the data is to be kept.
 */
bool gc_data_asked(const struct gc_data_opts *);

/**
 * gc_data_stray(o):
 * Return the name of an option that was given and has a meaning only for data, or NULL.
 */
const char *gc_data_stray(const struct gc_data_opts *);

/**
 * gc_data(c, o, dry, json):
 * Do it, or with ${dry} tell what would be done; with ${json} for programs.  Return the exit
 * code.
 */
int gc_data(struct cli *, const struct gc_data_opts *, bool, bool);

#endif
