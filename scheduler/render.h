#ifndef DAG_SCHEDULER_RENDER_H
#define DAG_SCHEDULER_RENDER_H
/*
 * From the model to what an attempt runs: templates rendered against the values of a run.
 * Pure: no clock, no files, no processes.  What is known when a run is created (params, dates)
 * is rendered and checked then; what needs the outputs of other tasks is rendered when those
 * have ended, before an attempt's row exists.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct dag;
struct dag_task;
struct diag;
struct err;
struct jinja_dict;
struct yaml_node;

/* ---- a run's params ---- */

/* One `-p name=value` (text: by the declared type, a string takes the raw bytes). */
struct param_arg {
	const char *name;
	const char *text;
};

/**
 * params_resolve(g, a, args, nargs, file_json, out, err):
 * The values of all params of ${g} for one run, in arena ${a}: defaults, overridden by the
 * JSON object ${file_json} (a --params-file, or a stored run's; NULL: none), overridden by
 * ${args}, the last of equal names winning.  Undeclared names (with a suggestion), wrong
 * types, values outside enum, minimum, maximum or pattern, and missing required ones are
 * errors, all of them in one message, one per line.  Return 0 or -1.
 */
int params_resolve(const struct dag *, struct arena *, const struct param_arg *, size_t,
		   const char *, struct jinja_dict **, struct err *);

/* A file of params. */
struct param_file {
	const char *json; /* what it says, a JSON object; NULL: there is none */
	const char *name; /* as the user knows it; NULL: messages do not name it */
	const struct yaml_node *root; /* what it was read into, for places; or NULL */
};

/**
 * params_resolve_file(g, a, args, nargs, file, out, err):
 * As params_resolve, with mistakes in ${file} told with its name and, as far as known, line
 * and column.
 */
int params_resolve_file(const struct dag *, struct arena *, const struct param_arg *,
			size_t, const struct param_file *, struct jinja_dict **,
			struct err *);

/**
 * params_json(values, out):
 * Append the values as a JSON object, as it is stored with the run.
 */
void params_json(const struct jinja_dict *, struct buf *);

/* ---- values of a run ---- */

/* Outputs of tasks that have ended, as the engine holds them. */
struct render_outputs {
	void *ctx;
	/* 1 with the value; 0: the task has ended well and has no such output; -1: the task has
	 * not ended well (skipped, failed, not run), so its outputs are undefined. */
	int (*get)(void *ctx, uint32_t task, const char *key, const char **val,
		   size_t *len);
	/* The i-th output name of the task for suggestions, or NULL past the end. */
	const char *(*key)(void *ctx, uint32_t task, size_t i);
};

struct run_values {
	const struct dag *dag;
	const struct jinja_dict *params;
	const char *run_id;
	int64_t logical_us, interval_start_us, interval_end_us;
	int64_t
	    prev_success_us; /* logical date of the last successful run; 0: none (None) */
	struct render_outputs outputs;
};

/* ---- rendering ---- */

/* One variable of the attempt's own environment. */
struct render_env {
	const char *name;
	const char *val; /* NULL: a secret, read by the owner just before the start */
	const char *secret_env, *secret_file; /* which */
};

/* What one attempt runs; everything in the arena it was rendered into. */
struct render_task {
	/* NULL-terminated; NULL for engine-kind types.  Of a verb of ours the first is "dag",
	 * for which whoever starts it puts the path of the program. */
	const char **argv;
	struct render_env *env; /* the DAG's, then the task's, later names winning */
	size_t nenv;
	const char *workdir;   /* relative to the root, or absolute; "." */
	int64_t wait_us;       /* type wait, `for`: the duration, or -1 */
	int64_t wait_until_us; /* type wait, `until`: the instant, or -1 */
};

/* The names of the values that templates see, NULL behind the last. */
extern const char *const render_roots[];

/* Paths of a task, normalized, relative to the root (or absolute outside it). */
struct render_paths {
	const char **inputs; /* globs not expanded */
	size_t ninputs;
	const char **outputs;
	size_t noutputs;
	const char **code; /* as inputs */
	size_t ncode;
	const char **targets; /* of push and pull, as they are given to the verb */
	size_t ntargets;
};

/**
 * render_paths(v, t, a, out, err):
 * Render the inputs, outputs, `code` and targets of ${t}; they never depend on outputs of tasks.  An empty
 * path, or an output or a target that climbs out of the root, is an error.  Return 0 or -1.
 */
int render_paths(const struct run_values *, const struct dag_task *, struct arena *,
		 struct render_paths *, struct err *);

/**
 * render_when(v, t, a, out, err):
 * The truth of the task's `when` (true without one).  A string "false" or "0" and undefined
 * values are errors.  Return 0 or -1.
 */
int render_when(const struct run_values *, const struct dag_task *, struct arena *,
		bool *, struct err *);

/**
 * render_task(v, t, a, out, err):
 * Render everything an attempt of ${t} needs.  Errors say which key (and place in the file),
 * what, and the way out.  Return 0 or -1.
 */
int render_task(const struct run_values *, const struct dag_task *, struct arena *,
		struct render_task *, struct err *);

/**
 * render_check_run(v, selected, d, file):
 * Render for every selected task what does not depend on outputs, so that a bad value is
 * known before the run is created: `run`, `env`, `workdir`, `when`, paths.  Also: rendered
 * outputs of two tasks that overlap, an output that overlaps the task's own inputs (unless
 * `persist`), a rendered input that is another task's output with no edge between them, uses
 * of outputs of tasks that are not selected.  Mistakes go to ${d}, for its file ${file}, at
 * the place of the template.  Return 0, or -1 if there were any.
 */
int render_check_run(const struct run_values *, const bool *, struct diag *, int);

/* ---- the shell's rule ---- */

/**
 * shell_hook_emit, shell_hook_done:
 * The hook by which values enter the text of a shell command (struct jinja_ctx's emit and
 * done), with a struct shell_hook as context.  A value may enter as it is if it has only
 * [A-Za-z0-9_./:@%+=,-], is not empty, does not stand at a command position, and does not
 * start with '-' where it starts a word; with `| sh` it is quoted as one word (a list: each
 * word), which is refused inside quotes, backticks, here-documents and $(...).  Refusals name
 * the two ways out.
 */
struct jinja_emit;
struct shell_hook;
struct shell_hook *shell_hook_new(struct arena *);
int shell_hook_emit(void *, const struct jinja_emit *, struct buf *, struct err *);
int shell_hook_done(void *, const struct buf *, struct err *);

#endif
