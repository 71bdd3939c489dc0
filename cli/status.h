#ifndef DAG_CLI_STATUS_H
#define DAG_CLI_STATUS_H
/*
 * How runs, tasks and attempts are called when they are shown: one word that joins state and
 * result, and a colour.
 */
#include <stdbool.h>
#include <stdint.h>

#include "store/state.h"

struct buf;
struct json_writer;
struct meta_attempt;
struct meta_run;
struct meta_task;
struct project;

/**
 * status_of_run(p, run):
 * Return "running"; "interrupted" where the run is not done and nobody owns it; or its
 * result.  Looks at the owner's lock; changes nothing.
 */
const char *status_of_run(const struct project *, const struct meta_run *);

/**
 * status_run_began(run):
 * Return when the run began, as it is shown: its latest start (a retry starts it again), or
 * if it has not begun, when it was made.
 */
int64_t status_run_began(const struct meta_run *);

/**
 * status_attempt_span(attempt, from, to):
 * Tell from when to when the attempt ran, as it is shown everywhere: its own start (before
 * that, when it was made) and end; ${to} is 0 if it goes on.
 */
void status_attempt_span(const struct meta_attempt *, int64_t *, int64_t *);

/**
 * status_of_task(state, result, selected):
 * Return the word for a task: its result if it is done ("unchanged" for cached, "deselected"
 * for what was not selected), else its state.
 */
const char *status_of_task(enum task_state, enum task_result, bool);

/**
 * status_for_people(state, result, selected, allowed):
 * As status_of_task, but "failed (allowed)" or "lost (allowed)" where the task has
 * `allow_failure`, so that its failure is none of the run's.
 */
const char *status_for_people(enum task_state, enum task_result, bool, bool);

/**
 * status_ansi(status):
 * Return the colour of such a word ("32"), or NULL for none.
 */
const char *status_ansi(const char *);

/**
 * status_put_commit(b, run):
 * Append the commit at which the run began, for people: "1a2b3c4d5e6f + changes"; nothing where
 * none is recorded.
 */
void status_put_commit(struct buf *, const struct meta_run *);

/**
 * status_run_members(w, run, status):
 * Write the stored facts of the run as members of the object that the caller has begun.
 */
void status_run_members(struct json_writer *, const struct meta_run *, const char *);

/**
 * status_task_members(w, task):
 * Write the stored facts of the task as members of the object that the caller has begun.
 */
void status_task_members(struct json_writer *, const struct meta_task *);

/**
 * status_task_json(w, task), status_attempt_json(w, attempt):
 * Write the stored facts as an object.
 */
void status_task_json(struct json_writer *, const struct meta_task *);
void status_attempt_json(struct json_writer *, const struct meta_attempt *);

#endif
