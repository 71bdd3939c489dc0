#ifndef DAG_CLI_COMPLETION_H
#define DAG_CLI_COMPLETION_H
/*
 * The completion scripts of the shells, embedded from cli/completion.
 */
#include <stddef.h>

struct completion_script {
	const char *shell; /* "bash" */
	const char *text;
};

extern const struct completion_script completion_scripts[];
extern const size_t ncompletion_scripts;

#endif
