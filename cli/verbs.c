#include "cli/verbs.h"

#include "cli/cli.h"

/* clang-format off */
static const struct verb *const table[] = {
	&verb_init,
	&verb_check,
	&verb_show,
	&verb_run,
	&verb_resume,
	&verb_retry,
	&verb_cancel,
	&verb_list,
	&verb_runs,
	&verb_logs,
	&verb_explain,
	&verb_add,
	&verb_import,
	&verb_import_url,
	&verb_update,
	&verb_get,
	&verb_ls,
	&verb_status,
	&verb_diff,
	&verb_params,
	&verb_metrics,
	&verb_plots,
	&verb_commit,
	&verb_checkout,
	&verb_unprotect,
	&verb_move,
	&verb_remove,
	&verb_stage,
	&verb_freeze,
	&verb_unfreeze,
	&verb_remote,
	&verb_config,
	&verb_push,
	&verb_fetch,
	&verb_pull,
	&verb_exp,
	&verb_gc,
	&verb_doctor,
	&verb_completion,
	&verb_version,
	&verb_help,
};
/* clang-format on */

const struct verb *const *
verb_table(size_t *n)
{
	*n = sizeof(table) / sizeof(table[0]);
	return table;
}
