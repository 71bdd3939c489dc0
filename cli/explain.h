#ifndef DAG_CLI_EXPLAIN_H
#define DAG_CLI_EXPLAIN_H
/*
 * Why a run and its tasks are as they are, in sentences.  Nothing here writes anything but
 * words; all is read from the database, the owner's lock and the attempts' directories.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "cli/place.h"
#include "store/owner.h"

struct buf;
struct cli;
struct dag;
struct dag_task;
struct err;

struct explain {
	struct cli *c;
	struct place place;
	struct meta_run run;
	const char *status; /* of the run */
	bool interrupted;
	struct owner_info owner;
	struct meta_task *tasks;
	struct meta_attempt *attempts;
	size_t ntasks, nattempts;
	struct map by_name;	/* task name -> struct meta_task */
	struct map attempts_of; /* task name -> its first struct meta_attempt */
	struct dag *dag;	/* the run's snapshot; NULL: it does not load any more */
	int64_t now_us;
};

/* ---- facts ---- */

/**
 * explain_given(text):
 * Return whether a column that may be NULL or empty says something.
 */
bool explain_given(const char *);

/**
 * explain_model(x, t):
 * Return what the DAG says of the task, or NULL.
 */
const struct dag_task *explain_model(const struct explain *, const struct meta_task *);

/**
 * explain_attempt(x, t):
 * Return the task's latest attempt, or NULL.
 */
const struct meta_attempt *explain_attempt(const struct explain *,
					   const struct meta_task *);

/**
 * explain_up(x, t, i):
 * Return the i-th task that ${t} needs; NULL past the end and for what the run does not know.
 */
const struct meta_task *explain_up(const struct explain *, const struct meta_task *,
				   size_t);

/**
 * explain_ups(x, t):
 * Return how many tasks it needs.
 */
size_t explain_ups(const struct explain *, const struct meta_task *);

/**
 * explain_open(t), explain_good(t), explain_ended_badly(t):
 * Return whether the task has not ended; whether it ended well; whether it failed or was lost
 * or cancelled itself, not for what it needs.
 */
bool explain_open(const struct meta_task *);
bool explain_good(const struct meta_task *);
bool explain_ended_badly(const struct meta_task *);

/**
 * explain_cause(x, t):
 * Return the task that ${t} needs and that is why it was not run (or was skipped), NULL if
 * that cannot be told.
 */
const struct meta_task *explain_cause(const struct explain *, const struct meta_task *);

/* Who holds a path that a task waits for. */
struct explain_holder {
	char path[256];
	char task[160];
	struct meta_run run;
	int64_t since_us; /* 0: it has let go in the meantime */
};

/**
 * explain_holder(x, t, out):
 * Return whether the task waits for a path, and who holds it.
 */
bool explain_holder(struct explain *, const struct meta_task *, struct explain_holder *);

/* ---- words ---- */

/**
 * explain_task(x, t, b, logs):
 * Append the sentences about the task; with ${logs}, the last lines of its log where it failed.
 */
void explain_task(struct explain *, const struct meta_task *, struct buf *, bool);

/**
 * explain_by_when(t):
 * Return whether the task was skipped by its own `when`.
 */
bool explain_by_when(const struct meta_task *);

/**
 * explain_why(x, t, b):
 * Append why a task that was skipped or whose upstream failed was not run.
 */
void explain_why(struct explain *, const struct meta_task *, struct buf *);

/**
 * explain_since(x, b, us):
 * Append how long ago ${us} was: "2m05s".
 */
void explain_since(const struct explain *, struct buf *, int64_t);

/**
 * explain_standing(x, t, b):
 * Append how the task stands, in a few words: "running for 2m05s, attempt 2 of 3".
 */
void explain_standing(struct explain *, const struct meta_task *, struct buf *);

/**
 * explain_command(x, b, verb, task):
 * Append "`dag VERB RUN TASK`", with -C where it is needed; ${task} may be NULL.
 */
void explain_command(struct explain *, struct buf *, const char *, const char *);

/**
 * explain_run(x, b):
 * Append the story of the run, and what to do.
 */
void explain_run(struct explain *, struct buf *);

/**
 * explain_owner(x, b):
 * Append who owns a run that has not ended, or that nobody does.
 */
void explain_owner(struct explain *, struct buf *);

#endif
