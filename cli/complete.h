#ifndef DAG_CLI_COMPLETE_H
#define DAG_CLI_COMPLETE_H
/*
 * What a shell asks when somebody presses Tab: `dag __complete WORD...` answers what may stand
 * for the last WORD, from the tables of verbs and options and from what is in the project.
 * The words of usage lines ("RUN [TASK]", "--select SEL") say what may stand there, so a new
 * verb or option is completed by itself; complete.c has their meanings.
 *
 * The answer has a line for each candidate, "VALUE<TAB>DESCRIPTION", in the order in which to
 * show them.  Lines that start with a colon are for the shell: ":yaml", ":file" and ":dir"
 * ask it for names of files, ":nospace" not to put a blank behind the value.
 */
#include <stdbool.h>
#include <stddef.h>

struct cli;
struct opt;
struct verb;

/* One answer under way. */
struct complete {
	struct cli *c;
	const struct verb *verb; /* NULL: it is still to come */
	const char *words[4];	 /* those before the last that are no options */
	size_t nwords;
	const struct opt *opt; /* the last word is its value; NULL: it is a word */
	char *prefix;	       /* of the last word, to be kept: "--opt=", "a,+" */
	const char *cur;       /* what is behind it: what to complete */
	size_t n;	       /* candidates so far */
};

/**
 * complete_run(c, words):
 * Put the answer about the NULL-terminated ${words} (those behind "dag", the last one is to be
 * completed) into c->out.  Says nothing else, changes nothing, gives up after a moment.
 * Return EXIT_OK always.
 */
int complete_run(struct cli *, char **);

/**
 * complete_add(cp, value, desc):
 * Add a candidate if it begins as what is to be completed does; ${desc} may be NULL.
 */
void complete_add(struct complete *, const char *, const char *);

/**
 * complete_knows(word):
 * Return whether a word of a usage line ("RUN") has a meaning.
 */
bool complete_knows(const char *);

/* ---- sources (complete_values.c) ---- */

/**
 * complete_dags(cp), complete_runs(cp), complete_tasks(cp), complete_attempts(cp),
 * complete_selectors(cp), complete_params(cp):
 * Add the DAGs of the project; its runs (those that the verb can do something with), newest
 * first; the tasks of the run or DAG that the first word names; attempts of a run's task;
 * what --select takes; parameters of the DAG that the first word names, then their values.
 */
void complete_dags(struct complete *);
void complete_runs(struct complete *);
void complete_tasks(struct complete *);
void complete_attempts(struct complete *);
void complete_selectors(struct complete *);
void complete_params(struct complete *);

/**
 * complete_targets(cp), complete_revisions(cp):
 * Add the paths that are tracked; the branches and tags of git.
 */
void complete_targets(struct complete *);
void complete_revisions(struct complete *);

/**
 * complete_stages(cp):
 * Add the stages of the dvc.yaml files, and the .dvc files.
 */
void complete_stages(struct complete *);

/**
 * complete_remotes(cp):
 * Add the remotes that the settings have (cmd_remote.c).
 */
void complete_remotes(struct complete *);

/**
 * complete_settings(cp):
 * Offer the settings that have values.
 */
void complete_settings(struct complete *);

#endif
