#include "tasks/schema/schema.h"

#include <string.h>

const struct task_type *
schema_type(const char *name)
{
	const struct task_type *types;
	size_t n;

	types = schema_types(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

static const struct key_spec *
find(const struct key_spec *keys, const char *name)
{
	for (; keys->name != NULL; keys++)
		if (strcmp(keys->name, name) == 0)
			return keys;
	return NULL;
}

const struct key_spec *
schema_key(const struct task_type *type, const char *name)
{
	const struct key_spec *key = type != NULL ? find(type->keys, name) : NULL;

	return key != NULL ? key : find(schema_task_keys(), name);
}

const struct key_spec *
schema_dag_key(const char *name)
{
	return find(schema_dag_keys(), name);
}

const char *
schema_key_type_text(enum key_type type)
{
	static const char *const names[] = {
	    [KEY_STRING] = "a string",
	    [KEY_TEXT] = "a text",
	    [KEY_BOOL] = "true or false",
	    [KEY_INT] = "an integer",
	    [KEY_NUMBER] = "a number",
	    [KEY_DURATION] = "a duration",
	    [KEY_SIZE] = "a size",
	    [KEY_EXPR] = "an expression",
	    [KEY_ENUM] = "one of some words",
	    [KEY_ENUMS] = "a word or a list of words",
	    [KEY_NAME] = "a name",
	    [KEY_NAMES] = "a name or a list of names",
	    [KEY_PATH] = "a path",
	    [KEY_PATHS] = "a path or a list of paths",
	    [KEY_COMMAND] = "a command text or a list of arguments",
	    [KEY_ARGV] = "a program with its options, as text or list",
	    [KEY_ENV] = "a mapping of names to values",
	    [KEY_PARAMS] = "a mapping of names to params",
	    [KEY_TAGS] = "a word or a list of words",
	    [KEY_TASKS] = "a mapping of names to tasks",
	    [KEY_DEFAULTS] = "a mapping of task keys",
	    [KEY_RESOURCES] = "a mapping of resources",
	    [KEY_ANY] = "anything",
	};

	return names[type];
}

/* What other workflow tools call our keys. */
static const struct {
	const char *theirs, *ours;
	bool task; /* a key of tasks, not of DAGs */
} foreign[] = {
    {"command", "run", true},
    {"commands", "run", true},
    {"cmd", "run", true},
    {"script", "run", true},
    {"bash", "run", true},
    {"bash_command", "run", true},
    {"exec", "run", true},
    {"sh", "run", true},
    {"depends", "needs", true},
    {"depends_on", "needs", true},
    {"dependencies", "needs", true},
    {"requires", "needs", true},
    {"upstream", "needs", true},
    {"after", "needs", true},
    {"deps", "inputs", true},
    {"input", "inputs", true},
    {"inlets", "inputs", true},
    {"outs", "outputs", true},
    {"outlets", "outputs", true},
    {"artifacts", "outputs", true},
    {"environment", "env", true},
    {"envs", "env", true},
    {"cwd", "workdir", true},
    {"wdir", "workdir", true},
    {"dir", "workdir", true},
    {"directory", "workdir", true},
    {"working_dir", "workdir", true},
    {"working_directory", "workdir", true},
    {"if", "when", true},
    {"condition", "when", true},
    {"precondition", "when", true},
    {"trigger_rule", "trigger", true},
    {"retry", "retries", true},
    {"max_retries", "retries", true},
    {"retry_interval", "retry_delay", true},
    {"retry_exponential_backoff", "retry_backoff", true},
    {"backoff", "retry_backoff", true},
    {"max_retry_delay", "retry_max_delay", true},
    {"execution_timeout", "timeout", true},
    {"timeout_sec", "timeout", true},
    {"priority_weight", "priority", true},
    {"continue_on_error", "allow_failure", true},
    {"continue_on", "allow_failure", true},
    {"ignore_errors", "allow_failure", true},
    {"desc", "description", true},
    {"doc", "description", true},
    {"doc_md", "description", true},
    {"label", "tags", true},
    {"labels", "tags", true},
    {"limits", "resources", true},
    {"memory", "resources", true},
    {"mem", "resources", true},
    {"foreach", "for_each", true},
    {"loop", "for_each", true},
    {"parallel", "for_each", true},
    {"name", "dag", false},
    {"id", "dag", false},
    {"dag_id", "dag", false},
    {"desc", "description", false},
    {"doc", "description", false},
    {"doc_md", "description", false},
    {"steps", "tasks", false},
    {"jobs", "tasks", false},
    {"stages", "tasks", false},
    {"cron", "schedule", false},
    {"schedule_interval", "schedule", false},
    {"on", "schedule", false},
    {"default_args", "defaults", false},
    {"inputs", "params", false},
    {"parameters", "params", false},
    {"environment", "env", false},
    {"envs", "env", false},
    {"dagrun_timeout", "timeout", false},
    {"timeout_sec", "timeout", false},
    {"concurrency", "max_active_tasks", false},
    {"parallelism", "max_active_tasks", false},
    {"max_parallel", "max_active_tasks", false},
    {"labels", "tags", false},
};

const char *
schema_foreign_key(const char *name, bool task)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (foreign[i].task == task && strcmp(foreign[i].theirs, name) == 0)
			return foreign[i].ours;
	return NULL;
}
