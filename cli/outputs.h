#ifndef DAG_CLI_OUTPUTS_H
#define DAG_CLI_OUTPUTS_H
#include <stdbool.h>

struct diag;
struct project;
struct run_values;

/**
 * outputs_check(p, v, selected, d, file):
 * Refuse the outputs of the selected tasks (NULL: of all) that are other DAG files of project
 * ${p}: outputs are deleted before each attempt.  Only this looks at files; what the loader
 * and render_check_run refuse must have been refused before.  Mistakes go to ${d}, for its
 * file ${file}.  Where v->params is NULL, outputs with templates are left out.
 */
void outputs_check(const struct project *, const struct run_values *, const bool *,
		   struct diag *, int);

#endif
