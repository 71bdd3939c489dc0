#ifndef DAG_SCHEDULER_DAG_LOAD_H
#define DAG_SCHEDULER_DAG_LOAD_H
/*
 * What the files of the DAG loader share.  One loading goes through phases: the YAML tree;
 * the DAG's keys; the tasks' keys (dag_task.c); edges from `needs` and paths
 * (dag_path_edges.c); order and cycles (dag_graph.c); what templates may refer to
 * (dag_refs.c).  Every phase reports all mistakes it finds and leaves a model that the next
 * one can work on; the model is handed out only if there were none.
 *
 * Functions return 0, or -1 if memory ran out (said in the diag by load_nomem) or a limit
 * was passed: then loading stops.  A user's mistake is no failure of a function.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/jinja.h"
#include "base/map.h"
#include "base/suggest.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "scheduler/dag.h"
#include "tasks/schema/schema.h"

enum edge_kind { EDGE_NEEDS, EDGE_PATH };

/* An edge as it was found. */
struct load_edge {
	uint32_t from, to;
	enum edge_kind kind;
	const struct yaml_node *why; /* the item of `needs`, or the input */
};

/* What the names in a template may be. */
enum text_use {
	USE_TASK, /* everything */
	USE_PATH, /* no outputs: `inputs` and `outputs` are rendered when the run is created */
	USE_DAG /* the DAG's `env`: no outputs, since which task it is for is not known */
};

/* A use of outputs.X in a task, to be held against the edges once they are known. */
struct load_use {
	uint32_t task, producer;
	const struct yaml_node *node;
	size_t offset; /* of X in it */
};

struct load {
	struct arena *arena;
	struct diag *d;
	int file;
	const char *name;     /* of the file, for messages */
	const char *root_rel; /* or NULL */
	const char *text;
	struct dag *dag;
	const struct yaml_node *root;
	struct dag_task defaults;
	struct map fields; /* key -> struct task_field */
	struct map tasks;  /* name -> struct dag_task */
	struct map params; /* name -> struct dag_param */
	VEC(struct load_edge) edges;
	VEC(struct load_use) uses;
	size_t nsecrets;    /* in the DAG's env */
	bool any_read;	    /* which outputs a template uses is known only later */
	size_t suggestions; /* how many candidates may still be looked at */
	/* Where there are cycles: tasks with the same number wait for each other, and stand
	 * together in dag->order; NULL where there are none. */
	const uint32_t *component;
	bool nomem;
};

/* ---- messages ---- */

/**
 * load_nomem(L):
 * Say once that memory ran out.  Return -1.
 */
int load_nomem(struct load *);

/**
 * load_pos(L, node), load_pos_in(L, node, offset, len), load_file_pos(L):
 * Where a node stands; where ${len} bytes at ${offset} of a scalar's value stand; the file as
 * a whole.
 */
struct diag_pos load_pos(const struct load *, const struct yaml_node *);
struct diag_pos load_pos_in(const struct load *, const struct yaml_node *, size_t,
			    size_t);
struct diag_pos load_file_pos(const struct load *);

/**
 * load_wrong_type(L, key, takes, val):
 * Say that `key` takes something else than ${val}, with a hint where the fix is plain.
 */
void load_wrong_type(struct load *, const char *, const char *, const struct yaml_node *);

/**
 * load_did_you_mean(L, word):
 * Add the hint "did you mean ...?" to the last message, unless ${word} is NULL.
 */
void load_did_you_mean(struct load *, const char *);

/**
 * load_like_task(L, word), load_like_param(L, word), load_like_value(word, values):
 * Return the known name nearest to ${word}, or NULL.
 */
const char *load_like_task(struct load *, const char *);
const char *load_like_param(struct load *, const char *);
const char *load_like_value(const char *, const char *const *);

/* ---- values (dag_value.c); key is named in messages ---- */

/**
 * load_is_scalar(node), load_is_null(node):
 * Return whether the node is a scalar that has a value; whether it is nothing.
 */
bool load_is_scalar(const struct yaml_node *);
bool load_is_null(const struct yaml_node *);

/**
 * load_is_name(s, len):
 * Return whether ${s} is a name of a dag, task, param or output.
 */
bool load_is_name(const char *, size_t);

/**
 * load_check_name(L, what, node):
 * Say what is wrong with the name ${node} of a ${what} ("task"), if anything; true if it is
 * fine.
 */
bool load_check_name(struct load *, const char *, const struct yaml_node *);

/* Say that the value is no duration, or one of more than ${most} us. */
void load_no_duration(struct load *, const struct yaml_node *);
void load_long_duration(struct load *, const struct key_spec *, const struct yaml_node *,
			int64_t);

/* Read one value; false where it is wrong (said), and then the target keeps what it had. */
bool load_text(struct load *, const struct key_spec *, const struct yaml_node *,
	       const char **);
bool load_bool(struct load *, const struct key_spec *, const struct yaml_node *, bool *);
bool load_int(struct load *, const struct key_spec *, const struct yaml_node *,
	      int64_t *);
bool load_duration(struct load *, const struct key_spec *, const struct yaml_node *,
		   int64_t *);
bool load_backoff(struct load *, const struct key_spec *, const struct yaml_node *,
		  double *);
/* The index of the word among the key's values. */
bool load_enum(struct load *, const struct key_spec *, const struct yaml_node *,
	       size_t *);

/**
 * load_items(key, val, one, n):
 * The items of a value that may be a scalar (then ${one} is pointed to) or a list; nothing is
 * an empty list.  NULL if it is a mapping, said.
 */
struct yaml_node *const *load_items(struct load *, const struct key_spec *,
				    struct yaml_node *const *, size_t *);

/**
 * load_tags(L, spec, val, tags, n):
 * Words without blanks, commas and '+'.
 */
int load_tags(struct load *, const struct key_spec *, struct yaml_node *const *,
	      const char ***, size_t *);

/* ---- templates (dag_text.c, dag_refs.c) ---- */

/**
 * load_template(L, node, use, task, out):
 * Take the scalar ${node} as a text that may be a template for ${task} (NULL: for no task in
 * particular): compile it, and check what it refers to.
 */
int load_template(struct load *, const struct yaml_node *, enum text_use,
		  const struct dag_task *, struct dag_text *);

/**
 * load_expr(L, key, node, task):
 * The same for the bare expression of `when`.
 */
int load_expr(struct load *, const struct key_spec *, const struct yaml_node *,
	      struct dag_task *);

/**
 * load_check_refs(L, text, tpl, use, task):
 * Check the names that a compiled template refers to.
 */
int load_check_refs(struct load *, const struct yaml_node *, const struct jinja *,
		    enum text_use, const struct dag_task *);

/**
 * load_check_inherited(L, text, task):
 * Check a template that ${task} has from `defaults`, where everything that does not depend on
 * the task has been checked.
 */
int load_check_inherited(struct load *, const struct dag_text *, const struct dag_task *);

/**
 * load_check_uses(L):
 * Last phase: every outputs.X is of a task upstream.
 */
int load_check_uses(struct load *);

/* ---- parts of the file ---- */

/**
 * load_known_key(L, spec, key), load_unknown_key(L, key, task, type):
 * Whether a known key may be used today (said if not); say that a key is unknown, and which
 * may be meant.
 */
bool load_known_key(struct load *, const struct key_spec *, const struct yaml_node *);
void load_unknown_key(struct load *, const struct yaml_node *, bool,
		      const struct task_type *);

/* Readers of the keys of tasks (dag_list.c, dag_command.c, dag_verb.c). */
int load_needs(struct load *, struct dag_task *, const struct key_spec *,
	       const struct yaml_pair *);
int load_task_params(struct load *, struct dag_task *, const struct key_spec *,
		     const struct yaml_pair *);
int load_retry_on(struct load *, struct dag_task *, const struct key_spec *,
		  const struct yaml_pair *);
int load_paths(struct load *, struct dag_task *, const struct key_spec *,
	       const struct yaml_pair *, struct dag_text **, size_t *);
int load_resources(struct load *, struct dag_task *, const struct key_spec *,
		   const struct yaml_pair *);
int load_run(struct load *, struct dag_task *, const struct key_spec *,
	     const struct yaml_pair *);
int load_shell(struct load *, struct dag_task *, const struct key_spec *,
	       const struct yaml_pair *);
int load_wait_for(struct load *, struct dag_task *, const struct key_spec *,
		  const struct yaml_pair *);
int load_wait_until(struct load *, struct dag_task *, const struct key_spec *,
		    const struct yaml_pair *);
int load_targets(struct load *, struct dag_task *, const struct key_spec *,
		 const struct yaml_pair *);
int load_remote(struct load *, struct dag_task *, const struct key_spec *,
		const struct yaml_pair *);

/* What the keys of a task say together. */
void load_check_command(struct load *, const struct dag_task *);
void load_check_wait(struct load *, const struct dag_task *);
void load_check_verb(struct dag_task *);

/**
 * load_check_cache(L, t):
 * Decide whether the task is cached, and say what its keys contradict in that.
 */
void load_check_cache(struct load *, struct dag_task *);

/**
 * load_verb_key(L, t, key):
 * Return whether the key of every task is one for ${t}, whose type is a verb; said if not.
 */
bool load_verb_key(struct load *, const struct dag_task *, const struct yaml_node *);

/**
 * load_task_names(L, map), load_params(L, map), load_defaults(L, map), load_tasks(L):
 * Read the names of the tasks, `params`, `defaults` (NULL: there are none), and then the keys
 * of the tasks, in this order.
 */
int load_task_names(struct load *, const struct yaml_node *);
int load_params(struct load *, const struct yaml_node *);
int load_defaults(struct load *, const struct yaml_node *);
int load_tasks(struct load *);

/**
 * load_env(L, spec, map, use, task, out, n), load_check_secrets(L, task):
 * Read an `env` of a task or (NULL) of the DAG; refuse too many secrets of one task.
 */
int load_env(struct load *, const struct key_spec *, const struct yaml_node *,
	     enum text_use, const struct dag_task *, struct dag_env **, size_t *);
int load_check_secrets(struct load *, const struct dag_task *);

/**
 * load_policy(L, t, map):
 * Read the keys of ${map} that say how ${t} is run, not what it does: retries, timeout ...
 */
int load_policy(struct load *, struct dag_task *, const struct yaml_node *);

/**
 * canonical_value(w, node):
 * Write the tree ${node} as JSON.
 */
void canonical_value(struct json_writer *, const struct yaml_node *);

/**
 * load_path_edges(L), load_graph(L):
 * Check paths and add the edges that follow from them; make the graph of all edges, its order
 * and levels, and say where it has cycles.
 */
int load_path_edges(struct load *);
int load_graph(struct load *);

/**
 * load_fields_init(L):
 * Fill the table of the keys that every task takes.
 */
int load_fields_init(struct load *);

/**
 * dag_load_in(a, ...):
 * dag_load with an arena of the caller's, which is freed in any case or handed out; tests
 * make it small.
 */
int dag_load_in(struct arena *, struct diag *, int, const char *, const char *, size_t,
		const char *, struct dag **);

#endif
