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
	struct opt_strings revs;
	struct opt_uint num;
	const char *grace;
	bool workspace, cloud, not_in_remote, force;
};

/**
 * gc_data_asked(o):
 * Return whether the options say what of the data is to be kept.
 */
bool gc_data_asked(const struct gc_data_opts *);

/**
 * gc_data(c, o, dry):
 * Do it, or with ${dry} tell what would be done.  Return the exit code.
 */
int gc_data(struct cli *, const struct gc_data_opts *, bool);

#endif
