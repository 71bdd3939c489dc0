#ifndef DAG_CLI_STREAM_H
#define DAG_CLI_STREAM_H
/*
 * The lines of --progress json.  One table in stream.c has all events with their fields: what
 * is written, docs/progress.md and the help page all go by it, so a field that is not
 * documented cannot be written.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct session_run;
struct session_task;

#define STREAM_VERSION 1 /* raised when a field changes its meaning or goes */

enum stream_event {
	STREAM_RUN_BEGAN,
	STREAM_TASK,
	STREAM_PROGRESS,
	STREAM_RUN_ENDED,
	STREAM_NOTICE,
	STREAM_GAP,
	STREAM_EVENTS
};

/* What an event tells of; those that it has no field from may be NULL. */
struct stream_facts {
	int64_t at_us;
	const struct session_run *run;
	const struct session_task *task;
	const char *level, *message;
	uint64_t lost;
};

/**
 * stream_put(b, event, facts):
 * Append the line of an event.
 */
void stream_put(struct buf *, enum stream_event, const struct stream_facts *);

/**
 * stream_help(b):
 * Append the events with their fields, each line beginning with two blanks.
 */
void stream_help(struct buf *);

/**
 * stream_markdown(b):
 * Append docs/progress.md.
 */
void stream_markdown(struct buf *);

#endif
