#ifndef DAG_SCHEDULER_CACHE_TASK_H
#define DAG_SCHEDULER_CACHE_TASK_H
/*
 * A task of a DAG file as a stage of a lock file: what it depends on, and what it makes.
 *
 *	cmd	the text of `run` as it was rendered; the words of a list
 *	deps	`inputs` and `code`, globs expanded when it is asked
 *	params	of files that are none:
 *		:params	the DAG's params that it names
 *		:env	SHA-256 of the variables it gets; of a secret its reference
 *			(of those that dag sets what tells the run's date, the DAG and
 *			the task, if the command names them)
 *		:task	`workdir`, `shell`, and whether `run` is a list
 *	outs	`outputs`
 */
#include <stdbool.h>
#include <stddef.h>

#include "store/dvc/dvc_yaml.h"

struct arena;
struct dag_task;
struct err;
struct render_paths;
struct run_values;
struct yaml_node;

struct cache_task {
	struct dvc_yaml_stage stage; /* no dependencies before they are looked for */
	const struct yaml_node *extra;
	const char **paths; /* its inputs and code, with globs */
	size_t npaths;
};

/**
 * cache_task_make(values, t, paths, a, out, err):
 * Render what ${t} is as a stage, in arena ${a}.  Return 0 or -1.
 */
int cache_task_make(const struct run_values *, const struct dag_task *,
		    const struct render_paths *, struct arena *, struct cache_task *,
		    struct err *);

/**
 * cache_task_deps(root_fd, stop, a, locked, task, err):
 * Look for what globs stand for and let the stage have its dependencies, each once.  A glob that
 * stands for very many paths (glob.h) is one (store/track/stage_glob.h) if its directory is
 * known by name, and stays one as long as ${locked} (may be NULL) has it.  What is named and not there
 * stays, for whoever reads it.  Called in worker threads.  Return 0 or -1.
 */
struct dvc_lock_stage;
int cache_task_deps(int, const bool *, struct arena *, const struct dvc_lock_stage *,
		    struct cache_task *, struct err *);

#endif
