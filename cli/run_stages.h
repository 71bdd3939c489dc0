#ifndef DAG_CLI_RUN_STAGES_H
#define DAG_CLI_RUN_STAGES_H
/*
 * The words of `dag run` where they name stages of dvc.yaml, which are taken as `dvc repro`
 * takes them.
 */
#include <stdbool.h>
#include <stddef.h>

#include "cli/opts.h"
#include "cli/selection.h"

struct arena;
struct cli;
struct err;
struct loaded;

struct stage_opts {
	bool pipeline, all, recursive, downstream, glob, keep_going;
};

/* Rows for the table of a verb whose struct has a member ${m} of struct stage_opts. */
#define STAGE_OPTS(type, m)                                                              \
	{.name = "pipeline",                                                             \
	 .kind = OPT_FLAG,                                                               \
	 .at = offsetof(type, m.pipeline),                                               \
	 .doc = "Of dvc.yaml: also all stages that hang together with those named; "     \
		"-p, with no NAME=VALUE behind it, means the same."},                    \
	    {.name = "all-pipelines",                                                    \
	     .letter = 'P',                                                              \
	     .kind = OPT_FLAG,                                                           \
	     .at = offsetof(type, m.all),                                                \
	     .doc = "All stages of all dvc.yaml of the repository."},                    \
	    {.name = "recursive",                                                        \
	     .letter = 'R',                                                              \
	     .kind = OPT_FLAG,                                                           \
	     .at = offsetof(type, m.recursive),                                          \
	     .doc = "A word may be a directory: all stages in its dvc.yaml, and in "     \
		    "those below."},                                                     \
	    {.name = "downstream",                                                       \
	     .kind = OPT_FLAG,                                                           \
	     .at = offsetof(type, m.downstream),                                         \
	     .doc = "Run the stages that are named and all that follow them, not what "  \
		    "they follow."},                                                     \
	    {.name = "glob",                                                             \
	     .kind = OPT_FLAG,                                                           \
	     .at = offsetof(type, m.glob),                                               \
	     .doc = "Names of stages may have * ? [...]."},                              \
	{                                                                                \
		.name = "keep-going", .letter = 'k', .kind = OPT_FLAG,                   \
		.at = offsetof(type, m.keep_going),                                      \
		.doc = "Go on after a failure with what does not follow the stage that " \
		       "failed; a DAG file's run does so anyway."                        \
	}

/* What the words mean. */
struct stage_words {
	bool stages;	      /* stages of dvc.yaml; else the first is a DAG */
	const char **targets; /* what they name */
	size_t n;
	bool single, pipeline;
	struct selection_opts sel; /* of --select: selectors; --exclude */
	struct opt_strings params; /* of -p: NAME=VALUE */
};

/**
 * stage_words_take(c, o, params, sel, a, out):
 * Take the verb's words apart, with the values of -p and -s that are none: "-p train" is a
 * stage with its pipeline, "-s train" the stage alone.  Mistakes are printed.  Return 0 or the
 * exit code.
 */
int stage_words_take(struct cli *, const struct stage_opts *, const struct opt_strings *,
		     const struct selection_opts *, struct arena *, struct stage_words *);

/**
 * stage_word_is(c, word):
 * Return whether ${word} names a stage of dvc.yaml here, by "dvc.yaml:STAGE", ":STAGE" or as no DAG
 * is called.
 */
bool stage_word_is(const struct cli *, const char *);

/**
 * stage_words_load(c, w, out):
 * Load the DAG of the repository that the words speak of.  As load_word.
 */
int stage_words_load(struct cli *, const struct stage_words *, struct loaded *);

/**
 * stage_words_select(c, w, o, l, a, selected, err):
 * Set ${selected} to an array in ${a} that says of each stage whether it is to be run.  Return 0 or
 * -1.
 */
int stage_words_select(struct cli *, const struct stage_words *,
		       const struct stage_opts *, const struct loaded *, struct arena *,
		       bool **, struct err *);

#endif
