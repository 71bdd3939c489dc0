#ifndef DAG_CLI_LOAD_H
#define DAG_CLI_LOAD_H
/*
 * From a word of the command line to a loaded DAG: find the file, find its project, read,
 * parse, check.
 */
#include <stdbool.h>

#include "base/buf.h"
#include "scheduler/pipeline_dag.h"
#include "store/project.h"

struct cli;
struct dag;
struct diag;
struct dag_file;
struct err;
struct run_values;

/* One DAG file with what it was read into.  Mistakes in `diag` refer to `text`; of a dvc.yaml to
 * the files of the repository, whose pipelines are one DAG. */
struct source {
	struct buf text;
	struct pipeline pipeline; /* of a dvc.yaml; its DAG is the one below */
	char *path;		  /* as shown */
	char *rel;	 /* relative to the project's root, or absolute outside it */
	int file;	 /* its number in the diag */
	struct dag *dag; /* NULL: it has mistakes */
};

/**
 * load_source(d, p, path, out, err):
 * Read and check the file ${path} of project ${p}.  Mistakes in it go to ${d}; return 0 even
 * then, with out->dag NULL; -1 if the file cannot be read.  Release ${out} in both cases,
 * after ${d} is printed.
 */
int load_source(struct diag *, const struct project *, const char *, struct source *,
		struct err *);

/**
 * load_is_pipeline(path):
 * Return whether the file ${path} has stages, not tasks: it is a dvc.yaml.
 */
bool load_is_pipeline(const char *);

/**
 * load_found(d, file, out, err):
 * The same for a file that a search of its project has found.
 */
int load_found(struct diag *, const struct dag_file *, struct source *, struct err *);

/**
 * load_source_release(s):
 * Free what ${s} holds.
 */
void load_source_release(struct source *);

/* What a verb that works on one DAG needs. */
struct loaded {
	struct project project;
	struct diag *diag;
	struct source source;
};

/**
 * load_word(c, word, out):
 * Find and load the DAG that ${word} names, with its project, changing nothing.  Mistakes and
 * errors are printed.  Return 0; or the exit code.  Release ${out} in both cases.
 */
int load_word(struct cli *, const char *, struct loaded *);

/**
 * load_check_run(c, p, v, selected, d, s):
 * Refuse now what would be refused in the middle of a run of ${s} with the values ${v} and the
 * ${selected} tasks.  Mistakes are printed; *${d} is made anew for them, and what it held is
 * gone.  Return 0 or the exit code.
 */
int load_check_run(struct cli *, const struct project *, const struct run_values *,
		   const bool *, struct diag **, struct source *);

/**
 * load_own(c, l, err):
 * Make the state directory of the project of ${l} where it is missing.  Return 0 or -1.
 */
int load_own(struct cli *, struct loaded *, struct err *);

/**
 * load_release(l):
 * Free what ${l} holds.
 */
void load_release(struct loaded *);

#endif
