#ifndef DAG_CLI_VERBS_H
#define DAG_CLI_VERBS_H
/*
 * The verbs, each in a file of its own; cli/verbs.c has them in the order of help.
 */
struct verb;

extern const struct verb verb_add;
extern const struct verb verb_cancel;
extern const struct verb verb_check;
extern const struct verb verb_checkout;
extern const struct verb verb_commit;
extern const struct verb verb_completion;
extern const struct verb verb_diff;
extern const struct verb verb_metrics;
extern const struct verb verb_params;
extern const struct verb verb_config;
extern const struct verb verb_doctor;
extern const struct verb verb_exp;
extern const struct verb verb_explain;
extern const struct verb verb_fetch;
extern const struct verb verb_freeze;
extern const struct verb verb_gc;
extern const struct verb verb_get;
extern const struct verb verb_help;
extern const struct verb verb_import;
extern const struct verb verb_import_url;
extern const struct verb verb_init;
extern const struct verb verb_list;
extern const struct verb verb_logs;
extern const struct verb verb_ls;
extern const struct verb verb_move;
extern const struct verb verb_plots;
extern const struct verb verb_pull;
extern const struct verb verb_push;
extern const struct verb verb_remote;
extern const struct verb verb_remove;
extern const struct verb verb_resume;
extern const struct verb verb_retry;
extern const struct verb verb_run;
extern const struct verb verb_runs;
extern const struct verb verb_show;
extern const struct verb verb_stage;
extern const struct verb verb_status;
extern const struct verb verb_unfreeze;
extern const struct verb verb_unprotect;
extern const struct verb verb_update;
extern const struct verb verb_version;

#endif
