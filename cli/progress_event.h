#ifndef DAG_CLI_PROGRESS_EVENT_H
#define DAG_CLI_PROGRESS_EVENT_H
/*
 * Long work that is done as an attempt of a run tells the run how far it is: a progress event in
 * $DAG_EVENTS, at most one a second, from which live tables have their bars.
 */
#include <stdbool.h>
#include <stdint.h>

struct meter;

struct progress_event {
	int fd; /* -1: nobody wants to know */
	int64_t next_us;
};

/**
 * progress_event_open(p, now_us):
 * Begin at ${now_us} of the monotonic clock.  Outside of an attempt, or where its file cannot
 * be opened, nothing will be told.
 */
void progress_event_open(struct progress_event *, int64_t);

/**
 * progress_event_put(p, m, now_us):
 * Tell how far ${m} is, if it is time for it.  A failure is nobody's business.
 */
void progress_event_put(struct progress_event *, const struct meter *, int64_t);

/**
 * progress_event_close(p):
 * Let the file go.
 */
void progress_event_close(struct progress_event *);

#endif
