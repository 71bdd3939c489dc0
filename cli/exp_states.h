#ifndef DAG_CLI_EXP_STATES_H
#define DAG_CLI_EXP_STATES_H
/* What `dag exp show` and `diff` read: the repository in the work tree, in commits and in
 * experiments, with its metrics and params. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "cli/artifact.h"
#include "cli/exp.h"
#include "store/report/snapshot.h"
#include "store/report/tracked_values.h"

struct buf;
struct json_writer;
struct yaml_node;

#define EXP_SHORT_ID  7
#define EXP_WORKSPACE "workspace" /* DVC's word for the work tree */

struct exp_state {
	const char *rev;  /* the full id, or EXP_WORKSPACE */
	const char *name; /* of the experiment, the branch or the tag; or NULL */
	bool child;	  /* an experiment of the last one that is none */
	int64_t time_s;	  /* of the commit */
	struct snapshot snapshot;
	struct tracked_values metrics, params;
	struct err failed; /* of a commit that cannot be read; ERR_NONE: it can */
};

struct exp_states {
	struct artifact *a;
	struct exp_call *k;
	struct snapshot_source source;
	VEC(struct exp_state *) v;
};

/**
 * exp_states_begin(s, m, err):
 * Prepare for reading; s->a and s->k are there.  Return 0 or -1.
 */
int exp_states_begin(struct exp_states *, struct meter *, struct err *);

/**
 * exp_states_add(s, rev, name, strict, err):
 * Read the commit of the full id ${rev}, or EXP_WORKSPACE.  What is wrong with it is
 * noted; with ${strict} it is an error.  Return it, or NULL.
 */
struct exp_state *exp_states_add(struct exp_states *, const char *, const char *, bool,
				 struct err *);

/**
 * exp_states_release(s):
 * Free all that was read.
 */
void exp_states_release(struct exp_states *);

/**
 * exp_states_json(s, w):
 * Write all states as DVC's `exp show --json` does.  Return 0, or -1 if memory ran out.
 */
int exp_states_json(struct exp_states *, struct json_writer *);

/**
 * exp_put_value(v, precision, b):
 * Append the value as a text, a float with so many significant digits; 0: as it is.
 */
void exp_put_value(const struct yaml_node *, unsigned, struct buf *);

#endif
