#ifndef DAG_TASKS_SCHEMA_H
#define DAG_TASKS_SCHEMA_H
/*
 * The table of task types: their keys with types, defaults and texts.  The checker of DAG
 * files, the docs page and `dag help TYPE` all read it, so a key exists once.  A type that is
 * known to the plan but not built yet is in the table too, so that it is refused by name.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Who does the work of an attempt. */
enum task_kind {
	TASK_EXEC,  /* the shim runs the user's program */
	TASK_VERB,  /* the shim runs the verb of `dag` that the type is named after */
	TASK_HOST,  /* the shim runs dag-task, which hosts the built-in type */
	TASK_ENGINE /* no process and no slot: the engine's own timers and events */
};

/* What the value of a key may be. */
enum key_type {
	KEY_STRING, /* a scalar taken as text; a template */
	KEY_TEXT,   /* a string for people (description) */
	KEY_BOOL,
	KEY_INT,
	KEY_NUMBER,
	KEY_DURATION,
	KEY_SIZE,
	KEY_EXPR,    /* a bare expression (`when`) */
	KEY_ENUM,    /* one of `values` */
	KEY_ENUMS,   /* one of `values` or a list of them */
	KEY_NAME,    /* a name by the rule of names */
	KEY_NAMES,   /* a name or a list of names */
	KEY_PATH,    /* a path, a template */
	KEY_PATHS,   /* a path or a list of paths, templates */
	KEY_COMMAND, /* a string for the shell, or a list of strings: argv */
	KEY_ARGV,    /* a string (split at blanks) or a list of strings */
	KEY_ENV,     /* a mapping of names to scalars */
	KEY_PARAMS,  /* a DAG's parameter declarations */
	KEY_TAGS,
	KEY_TASKS,     /* the DAG's tasks */
	KEY_DEFAULTS,  /* a mapping of task keys */
	KEY_RESOURCES, /* a mapping of resource keys */
	KEY_ANY	       /* accepted as it is (schedule, notify) */
};

/* Whether a key does something in this version. */
enum key_status {
	KEY_BUILT,
	KEY_ACCEPTED, /* without effect until `dag serve` */
	KEY_LATER     /* refused by name: not built yet */
};

struct key_spec {
	const char *name;
	enum key_type type;
	enum key_status status;
	const char *def;	   /* default as text for the docs, or NULL */
	const char *const *values; /* of KEY_ENUM and KEY_ENUMS, NULL-terminated */
	long long min,
	    max; /* where max > min: of KEY_INT; of KEY_DURATION, us; of KEY_SIZE, bytes */
	bool required;
	bool defaultable; /* may stand under `defaults:` */
	const char *doc;  /* one or two sentences, from which docs/dag-file.md is made */
};

struct task_type {
	const char *name;
	enum task_kind kind;
	enum key_status status;
	const struct key_spec *keys; /* the type's own keys, ended by a NULL name */
	const char *summary;	     /* one line */
	const char *doc; /* paragraphs: what it does, errors, where semantics come from */
};

/**
 * schema_types(n):
 * Return the table of task types and its length.
 */
const struct task_type *schema_types(size_t *);

/**
 * schema_type(name):
 * Return the type of that name, or NULL.
 */
const struct task_type *schema_type(const char *);

/**
 * schema_task_keys(), schema_dag_keys():
 * Return the keys that every task takes, and the keys of a DAG, ended by a NULL name.
 */
const struct key_spec *schema_task_keys(void);
const struct key_spec *schema_dag_keys(void);

/**
 * schema_resource_keys():
 * Return the keys of a task's `resources`, ended by a NULL name.
 */
const struct key_spec *schema_resource_keys(void);

/**
 * schema_key(type, name):
 * Return the key ${name} of a task of ${type} (NULL: only the keys that every task takes),
 * or NULL.
 */
const struct key_spec *schema_key(const struct task_type *, const char *);

/**
 * schema_dag_key(name):
 * Return the key ${name} of a DAG, or NULL.
 */
const struct key_spec *schema_dag_key(const char *);

/**
 * schema_foreign_key(name, task):
 * Return our name of a key that other tools call ${name} ("depends_on": "needs"), of a task
 * or of a DAG, or NULL.  For suggestions only: no foreign name is accepted.
 */
const char *schema_foreign_key(const char *, bool);

/**
 * schema_key_type_text(type):
 * Return how the docs and messages call a key's type ("a duration", "a path or a list of
 * paths" ...), to be read behind "takes".
 */
const char *schema_key_type_text(enum key_type);

/**
 * schema_write_markdown(out):
 * Append the tables of keys and types as they stand in docs/dag-file.md.
 */
void schema_write_markdown(struct buf *);

#endif
