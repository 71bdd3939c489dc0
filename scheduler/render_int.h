#ifndef DAG_SCHEDULER_RENDER_INT_H
#define DAG_SCHEDULER_RENDER_INT_H
/*
 * The parts of the renderer among themselves: render_values.c (what names mean), render.c
 * (texts, and what is made of them for a task), render_check.c (all of a run at once).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/jinja.h"
#include "scheduler/dag.h"
#include "scheduler/render.h"

struct diag_pos;
struct yaml_node;

#define RENDER_TEXT_MAX	 ((size_t)1 << 20)   /* bytes of one rendered text */
#define RENDER_ENV_MAX	 ((size_t)128 << 10) /* of NAME=value, NUL included: the kernel's */
#define RENDER_ENV_DEPTH 16 /* variables that refer to each other, one behind the other */

/* What the text is for. */
enum render_use {
	RENDER_SHELL, /* the shell's rule */
	RENDER_TEXT,  /* an argument, an environment variable */
	RENDER_PATH   /* as text, but no None */
};

/* A variable of the environment as far as it is known. */
enum env_state { ENV_UNKNOWN, ENV_BUSY, ENV_KNOWN };
struct env_value {
	enum env_state state;
	const char *val;
};

struct render {
	const struct run_values *v;
	const struct dag_task *t;
	struct arena *a;
	struct env_value
	    *env; /* of the DAG's variables, then the task's; made when needed */
	unsigned env_depth;
	const struct dag_env *in_env; /* whose template is being rendered, or NULL */
	struct shell_hook *shell;     /* of the text being rendered, or NULL */
	enum render_use use;
	/* where the last failure is: in this node, at these bytes of its text */
	const struct yaml_node *node;
	const char *key;
	char key_text[DAG_NAME_MAX + 8];
	struct jinja_where where;
	const char *way; /* out of it, behind "; " at the end of the error; or NULL */
};

/* render_values.c */
int render_lookup(void *, struct arena *, const char *, struct jinja_val *, struct err *);
const char *render_root(void *, size_t);

/* render.c */
void render_init(struct render *, const struct run_values *, const struct dag_task *,
		 struct arena *);
int render_text(struct render *, const struct dag_text *, const char *, enum render_use,
		const char **, struct err *);
int render_env_value(struct render *, const struct dag_env *, const char **,
		     struct err *);
const char *render_normalize(struct render *, const char *);
int render_inputs_outputs(struct render *, struct render_paths *, struct err *);
int render_condition(struct render *, bool *, struct err *);
int render_run(struct render *, struct render_task *, struct err *);
int render_verb(struct render *, struct render_task *, struct err *);
int render_targets(struct render *, const char ***, size_t *, struct err *);
int render_environment(struct render *, struct render_task *, struct err *);
int render_workdir(struct render *, struct render_task *, struct err *);
int render_wait(struct render *, struct render_task *, struct err *);

#endif
