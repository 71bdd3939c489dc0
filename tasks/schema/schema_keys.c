/*
 * The keys of a DAG and the keys that every task takes.
 */
#include "tasks/schema/schema.h"

#define SECOND ((long long)1000000)
#define DAY    (86400 * SECOND)
#define MIB    ((long long)1 << 20)

static const char *const trigger_values[] = {"all_success",
					     "all_failed",
					     "all_done",
					     "all_done_min_one_success",
					     "all_skipped",
					     "one_failed",
					     "one_success",
					     "one_done",
					     "none_failed",
					     "none_failed_min_one_success",
					     "none_skipped",
					     "always",
					     NULL};

static const char *const retry_on_values[] = {"exit",	"signal", "timeout", "lost",
					      "output", "setup",  "oom",     NULL};

static const struct key_spec dag_keys[] = {
    {.name = "dag",
     .type = KEY_NAME,
     .def = "the file's name without its extension",
     .doc = "The DAG's name, by which `dag run NAME` and the history know it."},
    {.name = "description", .type = KEY_TEXT, .doc = "What the pipeline is for."},
    {.name = "schedule",
     .type = KEY_ANY,
     .status = KEY_ACCEPTED,
     .doc = "When `dag serve` starts runs: a cron text, `@daily`, `{every: 15m}`, `{at: "
	    "...}`, "
	    "`{on: [...]}`, or a list of these."},
    {.name = "params",
     .type = KEY_PARAMS,
     .doc = "What a run can be given with `-p name=value`, by name: a default, or a "
	    "mapping of "
	    "`type default enum minimum maximum pattern required description`."},
    {.name = "env",
     .type = KEY_ENV,
     .doc = "Environment of every task. A value that is `${env:X}` or `${file:F}` as a "
	    "whole is a "
	    "secret, read when the task starts and masked in its log."},
    {.name = "defaults",
     .type = KEY_DEFAULTS,
     .doc = "Keys for all tasks that do not have them themselves."},
    {.name = "timeout",
     .type = KEY_DURATION,
     .def = "none",
     .min = 0,
     .max = 36500 * DAY,
     .doc =
	 "How long a run may take in all; then its tasks are stopped and it has failed. "
	 "0 means none."},
    {.name = "max_active_tasks",
     .type = KEY_INT,
     .def = "as many as `-j` allows",
     .min = 1,
     .max = 100000,
     .doc = "How many tasks of one run may be active at a time."},
    {.name = "max_active_runs",
     .type = KEY_INT,
     .status = KEY_LATER,
     .min = 1,
     .max = 100000,
     .doc = "How many runs of the DAG may be active at a time."},
    {.name = "notify",
     .type = KEY_ANY,
     .status = KEY_ACCEPTED,
     .doc = "Who is told of failures and recoveries by `dag serve`."},
    {.name = "tags", .type = KEY_TAGS, .doc = "Words to find the DAG by."},
    {.name = "tasks",
     .type = KEY_TASKS,
     .required = true,
     .doc = "The tasks, a mapping from their names to their keys."},
    {.name = NULL},
};

static const struct key_spec task_keys[] = {
    {.name = "type",
     .type = KEY_NAME,
     .def = "`shell` where there is a `run`",
     .doc = "What kind of task it is; decides which further keys it takes."},
    {.name = "description", .type = KEY_TEXT, .doc = "What the task does."},
    {.name = "needs",
     .type = KEY_NAMES,
     .doc = "The tasks that come before this one. Tasks whose outputs are its inputs "
	    "come before "
	    "it without being named here."},
    {.name = "inputs",
     .type = KEY_PATHS,
     .doc =
	 "Files and directories that the task reads, `*`, `?`, `[...]` and `**` allowed, "
	 "relative to the project's root. One that another task makes puts that task "
	 "before "
	 "this one; one that is absent when the task is to start is an error."},
    {.name = "outputs",
     .type = KEY_PATHS,
     .doc = "Files and directories that the task makes, inside the project. They are "
	    "deleted "
	    "before an attempt and must be there after it."},
    {.name = "params",
     .type = KEY_NAMES,
     .doc = "Params that the task depends on besides those that its templates name."},
    {.name = "env",
     .type = KEY_ENV,
     .doc = "Environment of this task; wins over the DAG's. Values are templates."},
    {.name = "workdir",
     .type = KEY_PATH,
     .def = "the project's root",
     .defaultable = true,
     .doc = "Where the program starts."},
    {.name = "shell",
     .type = KEY_ARGV,
     .def = "/bin/sh -e -c",
     .defaultable = true,
     .doc = "The program, with its options, that gets the text of `run` as its last "
	    "argument. "
	    "Templates in `run` need one of `sh bash dash ksh zsh`."},
    {.name = "when",
     .type = KEY_EXPR,
     .doc = "A bare expression; where it is false the task is skipped."},
    {.name = "trigger",
     .type = KEY_ENUM,
     .def = "all_success",
     .values = trigger_values,
     .defaultable = true,
     .doc = "What must have become of the tasks before this one; Airflow's rules."},
    {.name = "retries",
     .type = KEY_INT,
     .def = "0",
     .min = 0,
     .max = 1000,
     .defaultable = true,
     .doc = "How often a failed attempt is repeated."},
    {.name = "retry_delay",
     .type = KEY_DURATION,
     .def = "10s",
     .min = 0,
     .max = 365 * DAY,
     .defaultable = true,
     .doc = "How long to wait before a retry, give or take a tenth."},
    {.name = "retry_backoff",
     .type = KEY_NUMBER,
     .def = "1",
     .min = 1,
     .max = 1000,
     .defaultable = true,
     .doc =
	 "By what the delay is multiplied from one retry to the next; `true` means 2."},
    {.name = "retry_max_delay",
     .type = KEY_DURATION,
     .def = "1d",
     .min = 0,
     .max = 365 * DAY,
     .defaultable = true,
     .doc = "The longest delay that `retry_backoff` leads to."},
    {.name = "retry_on",
     .type = KEY_ENUMS,
     .def = "exit, signal, timeout, lost, output, oom",
     .values = retry_on_values,
     .defaultable = true,
     .doc = "Which failures are retried: an exit status other than 0, a signal, the "
	    "timeout, an "
	    "end that nobody saw, outputs missing or malformed, an attempt that could "
	    "not start, memory that ran out."},
    {.name = "timeout",
     .type = KEY_DURATION,
     .def = "none",
     .min = 0,
     .max = 36500 * DAY,
     .defaultable = true,
     .doc = "How long one attempt may take; then it is stopped and has failed. 0 means "
	    "none."},
    {.name = "grace",
     .type = KEY_DURATION,
     .def = "10s",
     .min = 0,
     .max = DAY,
     .defaultable = true,
     .doc = "How long a task that is being stopped has between TERM and KILL."},
    {.name = "allow_failure",
     .type = KEY_BOOL,
     .def = "false",
     .defaultable = true,
     .doc = "Whether the run may succeed although this task fails."},
    {.name = "priority",
     .type = KEY_INT,
     .def = "0",
     .min = -1000000,
     .max = 1000000,
     .defaultable = true,
     .doc = "Of tasks that are ready, the one with the highest starts first."},
    {.name = "persist",
     .type = KEY_BOOL,
     .def = "false",
     .defaultable = true,
     .doc = "Whether outputs are left in place before an attempt, which then changes "
	    "them; they "
	    "may be inputs too."},
    {.name = "leave_children",
     .type = KEY_BOOL,
     .def = "false",
     .defaultable = true,
     .doc =
	 "Whether processes that the task leaves behind go on living when it has ended."},
    {.name = "tags",
     .type = KEY_TAGS,
     .defaultable = true,
     .doc = "Words to select tasks by: `dag run --select tag:nightly`."},
    {.name = "notify",
     .type = KEY_ANY,
     .status = KEY_ACCEPTED,
     .defaultable = true,
     .doc = "Who is told of this task's failures by `dag serve`."},
    {.name = "pool",
     .type = KEY_NAME,
     .status = KEY_LATER,
     .defaultable = true,
     .doc = "A pool whose slots limit how many tasks of all runs are active."},
    {.name = "slots",
     .type = KEY_INT,
     .status = KEY_LATER,
     .min = 1,
     .max = 1000000,
     .defaultable = true,
     .doc = "How many slots of its pool the task takes."},
    {.name = "resources",
     .type = KEY_RESOURCES,
     .defaultable = true,
     .doc = "What the task may use of the machine, see below."},
    {.name = "cache",
     .type = KEY_BOOL,
     .def = "true with `outputs`",
     .defaultable = true,
     .doc =
	 "Whether the task does not run again where its command, inputs, params, "
	 "`code` and `env` are unchanged: then its outputs stay, or are brought back."},
    {.name = "code",
     .type = KEY_PATHS,
     .defaultable = true,
     .doc = "Files and directories that the program consists of, as far as their change "
	    "makes the task run again; relative to the project's root, globs allowed."},
    {.name = "frozen",
     .type = KEY_BOOL,
     .def = "false",
     .doc = "Whether the task is not run any more, whatever changes: what there is of "
	    "its outputs is its result."},
    {.name = "for_each",
     .type = KEY_ANY,
     .status = KEY_LATER,
     .doc = "One instance of the task for each item of a list."},
    {.name = "matrix",
     .type = KEY_ANY,
     .status = KEY_LATER,
     .doc = "One instance of the task for each combination of items."},
    {.name = "max_active",
     .type = KEY_INT,
     .status = KEY_LATER,
     .min = 1,
     .max = 100000,
     .doc = "How many instances of the task may be active at a time."},
    {.name = "executor",
     .type = KEY_NAME,
     .status = KEY_LATER,
     .def = "local",
     .defaultable = true,
     .doc = "Where the task runs: `local`, `slurm`, `kubernetes`."},
    {.name = "setup",
     .type = KEY_ANY,
     .status = KEY_LATER,
     .doc = "Marks a task that prepares something for others."},
    {.name = "teardown",
     .type = KEY_ANY,
     .status = KEY_LATER,
     .doc = "Marks a task that cleans up what a setup made."},
    {.name = "on_failure",
     .type = KEY_ANY,
     .status = KEY_LATER,
     .defaultable = true,
     .doc = "What to do when the task has failed for good."},
    {.name = "depends_on_past",
     .type = KEY_BOOL,
     .status = KEY_LATER,
     .def = "false",
     .defaultable = true,
     .doc = "Whether the task waits for its own success in the run before."},
    {.name = NULL},
};

static const struct key_spec resource_keys[] = {
    {.name = "memory",
     .type = KEY_SIZE,
     .def = "no limit",
     .min = 1 * MIB,
     .max = (64 * MIB) << 20,
     .doc = "How much memory the task may use with all that it starts (`512MiB`, "
	    "`2G`). An attempt that uses more is killed and has failed (`oom`). Tasks "
	    "start at the same time only as far as their `memory` fits into the "
	    "machine's."},
    {.name = "cpu",
     .type = KEY_NUMBER,
     .status = KEY_LATER,
     .doc = "How many processors the task keeps busy."},
    {.name = "gpu",
     .type = KEY_INT,
     .status = KEY_LATER,
     .doc = "How many GPUs the task takes."},
    {.name = NULL},
};

const struct key_spec *
schema_resource_keys(void)
{
	return resource_keys;
}

const struct key_spec *
schema_dag_keys(void)
{
	return dag_keys;
}

const struct key_spec *
schema_task_keys(void)
{
	return task_keys;
}
