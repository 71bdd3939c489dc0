#ifndef DAG_SCHEDULER_DAG_H
#define DAG_SCHEDULER_DAG_H
/*
 * The model of one DAG file: what the file says, checked, with edges resolved, before any
 * run.  It lives whole in one arena and is immutable once loaded.
 *
 * Invariants (dag_check_model verifies them in tests):
 *  1. tasks[i].id == i; tasks stand in the order of the file.
 *  2. up and down are the same set of edges seen from both ends, sorted by id, no duplicates,
 *     no self edges; the graph has no cycle.
 *  3. order is a topological order of the ids, ties by file order; level of a task is one
 *     more than the highest level of its upstreams, 0 without any.
 *  4. Every template is compiled; every name in it that can be checked statically (params,
 *     outputs of upstream tasks, built-in values, filters) is known.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/jinja.h"

struct arena;
struct diag;
struct dvc_yaml_stage;
struct err;
struct json_writer;
struct task_type;
struct yaml_node;

#define DAG_NAME_MAX	128    /* bytes of a dag's, task's, param's or output's name */
#define DAG_TASKS_MAX	100000 /* tasks of one file */
#define DAG_EDGES_MAX	5000000
#define DAG_PARAMS_MAX	1000
#define DAG_ENV_MAX	1000
#define DAG_PATHS_MAX	10000 /* inputs, or outputs, of one task */
#define DAG_RETRIES_MAX 1000

/* A string of the file that may be a template. */
struct dag_text {
	const char *src; /* NUL-terminated; NULL: the key is absent */
	size_t len;
	struct jinja *tpl;	      /* compiled; NULL: plain text */
	const struct yaml_node *node; /* where it stands */
};

/* One entry of an `env:` mapping.  Secrets are references: never a value. */
enum env_kind {
	ENV_TEXT,
	ENV_FROM_ENV, /* ${env:X} as the whole scalar */
	ENV_FROM_FILE /* ${file:F} as the whole scalar */
};
struct dag_env {
	const char *name;
	enum env_kind kind;
	struct dag_text val; /* of ENV_TEXT */
	const char *ref;     /* X or F of the others */
};

enum param_type { PARAM_STRING, PARAM_INTEGER, PARAM_NUMBER, PARAM_BOOLEAN, PARAM_ARRAY };
struct dag_param {
	const char *name;
	enum param_type type;
	bool has_type;		     /* declared, not inferred from the default */
	bool required;		     /* no value and no default is an error */
	const struct yaml_node *def; /* default, or NULL */
	const struct yaml_node *const *enums;
	size_t nenums;
	bool has_min, has_max;
	double min, max; /* of numbers; of the length of strings and arrays */
	const char *
	    pattern; /* POSIX extended regular expression that a string must match whole */
	const char *description;
	const struct yaml_node *node;
};

/* Airflow's trigger rules, with its names. */
enum trigger_rule {
	TRIGGER_ALL_SUCCESS,
	TRIGGER_ALL_FAILED,
	TRIGGER_ALL_DONE,
	TRIGGER_ALL_DONE_MIN_ONE_SUCCESS,
	TRIGGER_ALL_SKIPPED,
	TRIGGER_ONE_FAILED,
	TRIGGER_ONE_SUCCESS,
	TRIGGER_ONE_DONE,
	TRIGGER_NONE_FAILED,
	TRIGGER_NONE_FAILED_MIN_ONE_SUCCESS,
	TRIGGER_NONE_SKIPPED,
	TRIGGER_ALWAYS,
	TRIGGER_RULES
};

/* What the file says of `cache`. */
enum task_cache { CACHE_UNSAID, CACHE_YES, CACHE_NO };

/* Why an attempt failed; `retry_on` is a set of them, bits 1 << cause. */
enum fail_cause {
	CAUSE_NONE,
	CAUSE_EXIT,    /* non-zero exit status */
	CAUSE_SIGNAL,  /* killed by a signal that nobody here sent */
	CAUSE_TIMEOUT, /* the attempt's time was up */
	CAUSE_LOST,    /* its end is unknown: shim gone, machine rebooted */
	CAUSE_OUTPUT,  /* declared outputs missing, malformed DAG_OUTPUT */
	CAUSE_SETUP, /* it could not be started: command not found, bad workdir, absent input, a
	                * template that cannot be rendered; never retried unless asked */
	CAUSE_OOM, /* memory ran out: that of its `resources`, or the machine's */
	CAUSE_MAX
};
#define RETRY_ON_DEFAULT                                                     \
	((1u << CAUSE_EXIT) | (1u << CAUSE_SIGNAL) | (1u << CAUSE_TIMEOUT) | \
	 (1u << CAUSE_LOST) | (1u << CAUSE_OUTPUT) | (1u << CAUSE_OOM))

/* Defaults of a task's keys. */
#define DAG_RETRY_DELAY_US     (10 * INT64_C(1000000))
#define DAG_RETRY_MAX_DELAY_US (86400 * INT64_C(1000000))
#define DAG_GRACE_US	       (10 * INT64_C(1000000))

/*
 * What a task uses and makes, by content, as a stage of a lock file: it does not run where that
 * has not changed.  Stages of dvc.yaml bring it with them; that of a task of a DAG file is made
 * when a run renders its templates (cache_task.h).
 */
struct dag_stage {
	const struct dvc_yaml_stage *stage; /* paths as the lock has them */
	const char *dir;  /* where they begin, seen from the root; "." */
	const char *lock; /* the lock file, seen from the root */
	const char *name; /* its name there: "train", "train@a" */
	bool pipeline;	  /* of a dvc.yaml; outputs are removed as DVC does it */
};

/* How a run deals with tasks that have not changed, and with what they make. */
struct dag_how {
	bool force;	       /* they run all the same */
	bool no_cache;	       /* of a DAG file: as if no task was cached */
	bool no_lock;	       /* of a DAG file: its lock file is not written */
	bool force_downstream; /* who follows a task that has run, runs too */
	bool no_run_cache;     /* results of earlier states are not looked for */
	bool no_commit;	       /* what they make does not go into the cache */
	bool allow_missing; /* what is not there and has not changed need not be there */
	bool pull;	    /* what is not in the cache is fetched */
};

struct dag_task {
	uint32_t id;
	const char *name;
	const char *description;
	const struct task_type *type;
	const struct yaml_node *node;	   /* the task's mapping */
	const struct yaml_node *name_node; /* its key under `tasks` */

	/* type shell: one text for the shell, or an argv */
	struct dag_text *run;
	size_t nrun;
	bool run_is_argv;
	const char **shell; /* argv prefix, NULL-terminated; NULL: /bin/sh -e -c */
	bool
	    shell_is_posix; /* sh bash dash ksh zsh: templates in `run` follow its rules */
	/* type wait: exactly one of the two */
	struct dag_text wait_for;   /* a duration */
	struct dag_text wait_until; /* an instant */
	/* types push and pull */
	struct dag_text *targets; /* paths; none: all that is tracked */
	size_t ntargets;
	struct dag_text remote;
	uint32_t jobs; /* 0: as the verb has it */
	bool recursive, verify, force, allow_missing;

	struct dag_text *inputs, *outputs;
	size_t ninputs, noutputs;
	const char **params; /* params it depends on besides those its templates name */
	size_t nparams;
	struct dag_env *env; /* the task's own, in file order */
	size_t nenv;
	struct dag_text workdir;
	struct jinja *when; /* NULL: always */
	const char *when_src;
	const struct yaml_node *when_node;
	enum trigger_rule trigger;

	uint32_t retries;
	int64_t retry_delay_us;
	double retry_backoff; /* factor from one retry to the next; 1: constant */
	int64_t retry_max_delay_us;
	uint32_t retry_on;  /* bits of enum fail_cause */
	int64_t timeout_us; /* of one attempt; 0: none */
	int64_t grace_us;
	bool allow_failure;
	bool persist;
	bool leave_children;
	int32_t priority; /* higher starts first */
	int64_t memory;	  /* of `resources`: bytes it may use and reserves; 0: no limit */
	const char **tags;
	size_t ntags;

	enum task_cache cache;
	/* It does not run where nothing has changed, and its result is kept. */
	bool cached;
	bool frozen;	       /* what is there is its result: it is never run */
	bool read;	       /* templates may use its output values */
	struct dag_text *code; /* files it depends on besides its inputs */
	size_t ncode;
	const struct dag_stage *stage; /* of a stage of dvc.yaml; NULL: of a DAG file */

	uint32_t *up, *down; /* ids */
	size_t nup, ndown;
	uint32_t level;
};

/* A task of which the file says nothing. */
extern const struct dag_task dag_usual;

struct dag {
	struct arena *arena;
	const char *name;
	const char *file; /* as the user knows it, for messages */
	const char *text; /* the source, in the arena */
	size_t len;
	const char *description;
	const char **tags;
	size_t ntags;
	struct dag_param *params;
	size_t nparams;
	struct dag_env *env;
	size_t nenv;
	int64_t timeout_us;	   /* of a run; 0: none */
	uint32_t max_active_tasks; /* 0: no limit but -j */
	struct dag_task *tasks;
	size_t ntasks;
	uint32_t *order; /* topological */
	uint32_t levels;
	char hash[65]; /* SHA-256 of the canonical form, hex */
};

/**
 * dag_load(d, file, name, text, len, root_rel, out):
 * Parse and check the DAG file ${text} (copied), registered in ${d} as file ${file} by the
 * caller and called ${name} in messages; ${root_rel} is the file's own path relative to the
 * project root, normalized (no output may be or hold it), or NULL if unknown.  All mistakes
 * go to ${d}.  Return 0 with ${out} set (free with dag_free) if there were no errors; -1
 * otherwise (out of memory included, recorded in ${d}).
 */
int dag_load(struct diag *, int, const char *, const char *, size_t, const char *,
	     struct dag **);

/**
 * dag_free(g):
 * Free the model; NULL allowed.
 */
void dag_free(struct dag *);

/**
 * dag_task_find(g, name):
 * Return the task of that name, or NULL.
 */
const struct dag_task *dag_task_find(const struct dag *, const char *);

/**
 * dag_task_needs(t, id):
 * Return whether task ${id} is a direct upstream of ${t}.
 */
bool dag_task_needs(const struct dag_task *, uint32_t);

/**
 * dag_prepares(t):
 * Return whether something is to be done before an attempt of ${t} can start: its inputs are
 * looked for, its outputs removed, or whether it has changed is found out.
 */
static inline bool
dag_prepares(const struct dag_task *t)
{
	return t->ninputs + t->noutputs > 0 || t->cached || t->stage != NULL;
}

/**
 * dag_brings(t):
 * Return whether ${t} brings its targets into the work tree: a task of type pull.
 */
bool dag_brings(const struct dag_task *);

/**
 * dag_target_data(a, path):
 * Return the path of the data that the target ${path} means, which may be that of its pointer
 * file ("a.csv.dvc"); ${path} itself or in arena ${a}; NULL if memory runs out.
 */
const char *dag_target_data(struct arena *, const char *);

/**
 * dag_looks_like(text, len):
 * Return whether a YAML file is a DAG file at a glance: a mapping with a `tasks` key at its
 * top level.  Used to find DAGs by name; reads no further than it must.
 */
bool dag_looks_like(const char *, size_t);

/**
 * dag_canonical(g, w):
 * Write the model's canonical JSON: every key that has an effect, keys sorted, positions and
 * comments left out; the values that keys have by default once, tasks only with what differs
 * from them.  Equal texts mean equal behaviour; the hash is of this.
 */
void dag_canonical(const struct dag *, struct json_writer *);

/**
 * dag_canonical_task(g, t, w):
 * The same of one task.
 */
void dag_canonical_task(const struct dag *, const struct dag_task *,
			struct json_writer *);

/**
 * dag_check_model(g):
 * Assert the invariants above; for tests and debug builds.
 */
void dag_check_model(const struct dag *);

/**
 * trigger_rule_name(rule), fail_cause_name(cause), param_type_name(type):
 * Return the name as in DAG files.
 */
const char *trigger_rule_name(enum trigger_rule);
const char *fail_cause_name(enum fail_cause);
const char *param_type_name(enum param_type);

#endif
