#ifndef DAG_CLI_SETTINGS_H
#define DAG_CLI_SETTINGS_H
/*
 * The settings of the project, for the verbs that show and change them.
 */
#include <stdbool.h>
#include <stddef.h>

#include "cli/opts.h"
#include "store/dvc/config.h"

struct cli;
struct err;
struct project;
struct track;

/* Rows for the tables of verbs whose struct has a member ${m} of type bool[CONFIG_LEVELS]. */
/* clang-format off */
#define SETTINGS_LEVEL(type, m, nm, level, text)                                  \
	{                                                                         \
		.name = (nm), .kind = OPT_FLAG,                                   \
		.at = offsetof(type, m[level]), .doc = (text)                     \
	}
#define SETTINGS_LEVELS(type, m, usual)                                           \
	SETTINGS_LEVEL(type, m, "project", CONFIG_REPO,                           \
	    "The settings that git keeps (" usual ")."),                          \
	SETTINGS_LEVEL(type, m, "local", CONFIG_LOCAL,                            \
	    "Those of this copy alone, which git does not see."),                 \
	SETTINGS_LEVEL(type, m, "global", CONFIG_GLOBAL, "Those of this user."),  \
	SETTINGS_LEVEL(type, m, "system", CONFIG_SYSTEM, "Those of this machine.")
/* clang-format on */

/**
 * settings_level(c, given, level):
 * Find the level that was ${given}, CONFIG_LEVELS if none was.  Return the exit code: more than
 * one is a mistake.
 */
int settings_level(struct cli *, const bool[CONFIG_LEVELS], enum config_level *);

/**
 * settings_begin(t, level, err):
 * Before a setting of that level is written: as track_begins, for those of the project.
 */
int settings_begin(const struct track *, enum config_level, struct err *);

/**
 * settings_are_new(t):
 * Return whether the file of the project's settings is not there yet.
 */
bool settings_are_new(const struct track *);

/**
 * settings_tell(c, t):
 * Where they were made, and git is to keep them: say how.
 */
void settings_tell(struct cli *, const struct track *);

/**
 * settings_open(c, write, p, t, err):
 * Find the project and open the repository that we are in, which may lie in the project, for its
 * settings t->config; mistakes in values are passed over, so that they can be mended.  With
 * ${write} there is a directory for them afterwards.  Return 0 or -1; ${t} and ${p} are to be closed in both cases.
 */
int settings_open(struct cli *, bool, struct project *, struct track *, struct err *);

#endif
