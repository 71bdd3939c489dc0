#ifndef DAG_CLI_WORK_H
#define DAG_CLI_WORK_H
/*
 * What run, resume, retry and cancel share: a session with its progress, its end, and what is
 * told afterwards.
 */
#include <stdbool.h>

#include "cli/opts.h"

struct cli;
struct err;
struct meta_run;
struct progress;
struct project;
struct session;

#define WORK_JOBS_MAX 4096

/* Options of the verbs that work; rows of their tables point into it. */
struct work_opts {
	struct opt_uint jobs;
	int progress;
	bool json;
};

/* Rows for the tables of those verbs, whose struct has a member ${m} of struct work_opts. */
#define WORK_OPTS(type, m)                                                              \
	{.name = "jobs",                                                                \
	 .letter = 'j',                                                                 \
	 .kind = OPT_UINT,                                                              \
	 .at = offsetof(type, m.jobs),                                                  \
	 .arg = "N",                                                                    \
	 .min = 1,                                                                      \
	 .max = WORK_JOBS_MAX,                                                          \
	 .doc = "Run at most N tasks at a time (default: the CPUs)."},                  \
	    {.name = "progress",                                                        \
	     .kind = OPT_CHOICE,                                                        \
	     .at = offsetof(type, m.progress),                                          \
	     .arg = "HOW",                                                              \
	     .choices = progress_names,                                                 \
	     .doc = "Show what happens: live (a table; the default on a terminal), "    \
		    "plain (a line for each change; the default elsewhere), json (see " \
		    "'dag help progress') or none."},                                   \
	{                                                                               \
		.name = "json", .kind = OPT_FLAG, .at = offsetof(type, m.json),         \
		.doc = "At the end write the run as JSON, like 'dag runs RUN --json', " \
		       "to standard output; progress goes to standard error."           \
	}

struct work {
	struct cli *c;
	const struct project *project;
	const struct work_opts *o;
	struct progress *progress;
	struct session *session;
};

/**
 * work_open(c, p, o, out, err):
 * Start a session on project ${p}.  Return 0 or -1; close ${out} in both cases.
 */
int work_open(struct cli *, const struct project *, const struct work_opts *,
	      struct work *, struct err *);

/**
 * work_loop(w):
 * Work until all runs have ended, then tell how: a summary of each, or JSON (an array with
 * ${many}).  Errors are printed.  Return the exit code.
 */
int work_loop(struct work *, bool many);

/**
 * work_is_owned(c, run, err):
 * Say of a run that somebody else owns, as ${err} tells, how to look at it and to stop it.
 * Return the exit code.
 */
int work_is_owned(struct cli *, const struct meta_run *, const struct err *);

/**
 * work_close(w):
 * Let everything go.
 */
void work_close(struct work *);

/**
 * summary_put(w, run):
 * Print for people how the session's run number ${run} went, and what to do next.
 */
void summary_put(struct work *, size_t run);

#endif
