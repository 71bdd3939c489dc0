#ifndef DAG_SCHEDULER_PIPELINE_SELECT_H
#define DAG_SCHEDULER_PIPELINE_SELECT_H
/*
 * Which stages are to be run, as `dvc repro` takes its words: a word names stages, and with
 * them runs what they follow.
 */
#include <stdbool.h>
#include <stddef.h>

struct dag;
struct err;
struct track_list;

struct pipeline_want {
	/* dvc.yaml, a/dvc.yaml, STAGE (of the dvc.yaml in `dir`, or all that a foreach or a matrix
	 * of that name made), a/dvc.yaml:STAGE, data.csv.dvc (no stage by itself: with
	 * `pipeline` and `downstream` what depends on it), with `recursive` also a directory.
	 * None: dvc.yaml. */
	const char *const *targets;
	size_t n;
	const char
	    *dir; /* where the words are said, seen from the root ("."), or absolute */
	const char *root; /* absolute */
	bool all;	  /* all there are, whatever is named */
	bool single;	  /* those alone that are named */
	bool pipeline;	  /* all that hangs together with them */
	bool downstream;  /* what follows them, not what they follow */
	bool recursive;
	bool glob; /* STAGE may have * ? [...] */
	/* What is tracked, of which stages with a file in common hang together too; or NULL. */
	const struct track_list *tracked;
};

/**
 * pipeline_select(g, want, selected, err):
 * Set ${selected}[id] for the stages that are to be run.  Return 0, or -1: a word that names no
 * stage (ERR_NOTFOUND, with a suggestion), or that leads out of the repository.
 */
int pipeline_select(const struct dag *, const struct pipeline_want *, bool *,
		    struct err *);

#endif
