/*
 * The table of task types.
 */
#include "tasks/schema/schema.h"

static const struct key_spec shell_keys[] = {
    {.name = "run",
     .type = KEY_COMMAND,
     .required = true,
     .doc = "A text for the shell, or a list: a program and its arguments, without any "
	    "shell. "
	    "Both are templates."},
    {.name = NULL},
};

static const struct key_spec wait_keys[] = {
    {.name = "for",
     .type = KEY_STRING,
     .doc =
	 "How long to wait, from when the task is ready (`90s`, `1h30m`); a template."},
    {.name = "until",
     .type = KEY_STRING,
     .doc = "Until when to wait, in RFC 3339 (`2026-11-22T06:00:00Z`); an instant that "
	    "is past "
	    "does not wait; a template."},
    {.name = NULL},
};

/* A key of a type that is not built yet. */
#define LATER(key, what)                                                       \
	{                                                                      \
		.name = key, .type = KEY_ANY, .status = KEY_LATER, .doc = what \
	}

static const struct key_spec sql_keys[] = {
    LATER("connection", "The database, by its name in `connections.yaml`."),
    LATER("sql", "The statement; a template, values become literals."),
    LATER("file", "A file with the statements."),
    LATER("output", "Where the result goes."),
    {.name = NULL},
};

static const struct key_spec batch_keys[] = {
    LATER("sql", "The query, over files, lake tables and connections."),
    LATER("file", "A file with the query."),
    LATER("connection", "The engine: the embedded one, PostgreSQL or Trino."),
    LATER("output", "Where the result goes: a file, a lake table or a database table."),
    {.name = NULL},
};

static const struct key_spec copy_keys[] = {
    LATER("from", "What is copied."),
    LATER("to", "Where to."),
    LATER("mode", "What becomes of what is there: append, overwrite, merge."),
    {.name = NULL},
};

static const struct key_spec cdc_keys[] = {
    LATER("from", "The database whose changes are followed."),
    LATER("tables", "Which tables."),
    LATER("snapshot", "Whether what is there already is sent first."),
    LATER("to", "The broker or log that gets the changes."),
    {.name = NULL},
};

static const struct key_spec stream_keys[] = {
    LATER("from", "The topic or log that is read."),
    LATER("sql", "What is made of each record."),
    LATER("window", "How records are grouped by time."),
    LATER("to", "Where the results go."),
    {.name = NULL},
};

static const struct key_spec validate_keys[] = {
    LATER("suite", "The file with the expectations."),
    LATER("data", "What is checked: a connection and a table, or a file."),
    LATER("on_fail", "Whether a failed expectation fails the task or only warns."),
    {.name = NULL},
};

static const struct key_spec transform_keys[] = {
    LATER("project", "The directory of the dbt project."),
    LATER("target", "The target of its profile."),
    LATER("command", "What is done: `build`, `run`, `test`, `seed`, `snapshot`."),
    LATER("select", "Which models."),
    LATER("vars", "Values for `var()`."),
    LATER("full_refresh", "Whether incremental models are built anew."),
    {.name = NULL},
};

static const struct key_spec train_keys[] = {
    LATER("model", "The kind of model and its settings."),
    LATER("data", "Where examples and labels come from."),
    LATER("split", "How examples are divided for validation."),
    LATER("metrics", "The file that gets the figures."),
    LATER("seed", "What makes two trainings equal."),
    {.name = NULL},
};

static const struct key_spec predict_keys[] = {
    LATER("model", "The file of the model."),
    LATER("data", "What is to be classified."),
    LATER("output", "Where the predictions go."),
    {.name = NULL},
};

#define TARGETS(text)                                                   \
	{                                                               \
		.name = "targets", .type = KEY_PATHS, .def = "all",     \
		.doc = "What is meant: tracked files and directories, " \
		       "paths in them, pointer files; templates. " text \
	}
#define REMOTE                                                                     \
	{                                                                          \
		.name = "remote", .type = KEY_STRING, .def = "the default remote", \
		.doc = "The remote, by its name in `dag remote list`; a template." \
	}
#define JOBS                                                                  \
	{                                                                     \
		.name = "jobs", .type = KEY_INT, .def = "the CPUs", .min = 1, \
		.max = 256, .doc = "How many files are worked on at a time."  \
	}

#define RECURSIVE                                                                        \
	{                                                                                \
		.name = "recursive", .type = KEY_BOOL, .def = "false",                   \
		.doc = "Whether a directory under `targets` that is not tracked itself " \
		       "means all that is tracked in it."                                \
	}

static const struct key_spec push_keys[] = {
    TARGETS("A task that makes one of them comes before this one."),
    RECURSIVE,
    REMOTE,
    JOBS,
    {.name = "verify",
     .type = KEY_BOOL,
     .def = "false",
     .doc = "Whether what the remote has already is read, and replaced where it is "
	    "damaged."},
    {.name = NULL},
};

static const struct key_spec pull_keys[] = {
    TARGETS("A task that reads one of them, or something in it, comes after this one."),
    RECURSIVE,
    REMOTE,
    JOBS,
    {.name = "force",
     .type = KEY_BOOL,
     .def = "false",
     .doc = "Whether files are overwritten and removed whose content is nowhere else."},
    {.name = "verify",
     .type = KEY_BOOL,
     .def = "false",
     .doc = "Whether what the cache has already is read, and replaced where it is "
	    "damaged. What comes from the remote is verified in any case."},
    {.name = "allow_missing",
     .type = KEY_BOOL,
     .def = "false",
     .doc = "Whether it is a success that some objects are neither here nor on the "
	    "remote."},
    {.name = NULL},
};

static const struct key_spec http_keys[] = {
    LATER("url", "Where to."),
    LATER("method", "`GET` by default."),
    LATER("headers", "Header fields."),
    LATER("body", "What is sent."),
    LATER("expect", "Which answers are a success."),
    {.name = NULL},
};

static const struct key_spec subdag_keys[] = {
    LATER("file", "The DAG's file or name."),
    LATER("with", "Params of the run that is started."),
    LATER("wait", "Whether the task ends with that run or at once."),
    {.name = NULL},
};

static const struct key_spec approve_keys[] = {
    LATER("message", "What is asked."),
    LATER("who", "Who may answer."),
    {.name = NULL},
};

static const struct task_type types[] = {
    {.name = "shell",
     .kind = TASK_EXEC,
     .keys = shell_keys,
     .summary = "Runs a command.",
     .doc = "A `run` that is a text is given to `/bin/sh -e -c` (or to what `shell` "
	    "names), so a "
	    "script ends at the first command that fails. A `run` that is a list is a "
	    "program and "
	    "its arguments; no shell reads it.\n\n"
	    "The task has succeeded if its main process exits with 0 and its declared "
	    "outputs are "
	    "there. `echo \"rows=10\" >> \"$DAG_OUTPUT\"` publishes a value that later "
	    "tasks read as "
	    "`{{ outputs.NAME.rows }}`.\n\n"
	    "A template may put a value into the text only where it cannot become code: "
	    "letters, "
	    "digits and `_./:@%+=,-`, not where a command stands. Anything else goes "
	    "through `env` "
	    "and `\"$NAME\"`, or through `{{ value | sh }}`."},
    {.name = "wait",
     .kind = TASK_ENGINE,
     .keys = wait_keys,
     .summary = "Waits for a time, without a process and without a slot.",
     .doc =
	 "Takes exactly one of `for` and `until`. A wait for a duration begins when the "
	 "tasks before it have ended, and its end is stored: it does not begin anew when "
	 "`dag` is restarted."},
    {.name = "sql",
     .kind = TASK_HOST,
     .status = KEY_LATER,
     .keys = sql_keys,
     .summary = "Runs SQL statements on a connection."},
    {.name = "batch",
     .kind = TASK_HOST,
     .status = KEY_LATER,
     .keys = batch_keys,
     .summary = "Queries files, lakes and databases, and writes the result."},
    {.name = "copy",
     .kind = TASK_HOST,
     .status = KEY_LATER,
     .keys = copy_keys,
     .summary = "Copies tables and files from one place to another."},
    {.name = "cdc",
     .kind = TASK_HOST,
     .status = KEY_LATER,
     .keys = cdc_keys,
     .summary = "Follows the changes of a database."},
    {.name = "stream",
     .kind = TASK_HOST,
     .status = KEY_LATER,
     .keys = stream_keys,
     .summary = "Processes records as they arrive."},
    {.name = "validate",
     .kind = TASK_HOST,
     .status = KEY_LATER,
     .keys = validate_keys,
     .summary = "Checks data against a suite of expectations."},
    {.name = "transform",
     .kind = TASK_HOST,
     .status = KEY_LATER,
     .keys = transform_keys,
     .summary = "Builds a dbt project as it is."},
    {.name = "train",
     .kind = TASK_HOST,
     .status = KEY_LATER,
     .keys = train_keys,
     .summary = "Trains a model."},
    {.name = "predict",
     .kind = TASK_HOST,
     .status = KEY_LATER,
     .keys = predict_keys,
     .summary = "Applies a model."},
    {.name = "push",
     .kind = TASK_VERB,
     .keys = push_keys,
     .summary = "Sends tracked data to a remote.",
     .doc = "It is `dag push` as an attempt: from the "
	    "cache to the remote goes what the pointers name and the remote has not got. "
	    "What a task has made anew is recorded by `dag add` (or `dag commit`) first, "
	    "in a task between the two; a run never changes a pointer by itself. "
	    "Interrupted or tried again it goes on where it was."},
    {.name = "pull",
     .kind = TASK_VERB,
     .keys = pull_keys,
     .summary = "Gets tracked data from a remote into the work tree.",
     .doc = "It is `dag pull` as an attempt: what the pointers name is fetched into the "
	    "cache, each byte verified, and checked out. Files that it would overwrite "
	    "and whose content is nowhere else are named, and nothing is touched. "
	    "While it works no other task reads or writes its `targets`. Interrupted or "
	    "tried again it goes on where it was; what is there already costs nothing."},
    {.name = "http",
     .kind = TASK_HOST,
     .status = KEY_LATER,
     .keys = http_keys,
     .summary = "Makes a request."},
    {.name = "dag",
     .kind = TASK_ENGINE,
     .status = KEY_LATER,
     .keys = subdag_keys,
     .summary = "Runs another DAG."},
    {.name = "approve",
     .kind = TASK_ENGINE,
     .status = KEY_LATER,
     .keys = approve_keys,
     .summary = "Waits until somebody agrees."},
};

const struct task_type *
schema_types(size_t *n)
{
	*n = sizeof(types) / sizeof(types[0]);
	return types;
}
