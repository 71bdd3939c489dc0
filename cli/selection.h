#ifndef DAG_CLI_SELECTION_H
#define DAG_CLI_SELECTION_H
/*
 * --select and --exclude, the same for every verb that has them.
 */
#include "cli/opts.h"

struct arena;
struct dag;
struct err;

/* Options of the verbs that select tasks; rows of their tables point into it. */
struct selection_opts {
	struct opt_strings select, exclude;
};

/* Rows for the tables of those verbs, whose struct has a member ${m} of struct selection_opts;
 * ${verb} says what is done with the tasks, "Run"; the value of --select may be missing. */
#define SELECTION_ROWS(type, m, verb, may_be_bare)                                     \
	{.name = "select",                                                             \
	 .letter = 's',                                                                \
	 .bare = may_be_bare,                                                          \
	 .kind = OPT_STRINGS,                                                          \
	 .at = offsetof(type, m.select),                                               \
	 .arg = "SEL",                                                                 \
	 .doc = verb                                                                   \
	 " only some tasks: x, +x (with all it needs), x+ (with all that follow), "    \
	 "@x, tag:t, globs; may be repeated. 'dag help select' has them all."},        \
	{                                                                              \
		.name = "exclude", .letter = 'x', .kind = OPT_STRINGS,                 \
		.at = offsetof(type, m.exclude), .arg = "SEL",                         \
		.doc =                                                                 \
		    "Leave these out of what is selected (of all, without --select); " \
		    "may be repeated."                                                 \
	}

#define SELECTION_OPTS(type, m, verb) SELECTION_ROWS(type, m, verb, false)

/**
 * selection_make(g, o, a, selected, err):
 * Set ${selected} to an array in arena ${a} that says of each task of ${g} whether it is
 * selected.  Return 0 or -1.
 */
int selection_make(const struct dag *, const struct selection_opts *, struct arena *,
		   bool **, struct err *);

/**
 * selection_given(o):
 * Return whether one of the options was given.
 */
bool selection_given(const struct selection_opts *);

#endif
