#ifndef DAG_TASKS_PROTO_EVENTS_H
#define DAG_TASKS_PROTO_EVENTS_H
/*
 * The `events` file, which a task writes through $DAG_EVENTS: one JSON object a line, read
 * while the task runs.  What cannot be read is counted, never fatal.
 *
 *	{"event":"progress","done":3,"total":9,"unit":"rows","message":"..."}
 *	{"event":"metric","name":"val_auc","value":0.96,"step":1}
 *	{"event":"artifact","path":"model.onnx"}
 *	{"event":"check","name":"not_null(id)","status":"pass|fail|warn|error",...}
 *	{"event":"span","name":"load","start_us":1,"end_us":2,...}
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct json_t;

#define EVENTS_LINE_MAX ((size_t)64 << 10)   /* a longer line is malformed */
#define EVENTS_FILE_MAX ((uint64_t)16 << 20) /* what follows is ignored */

enum event_type { EVENT_PROGRESS, EVENT_METRIC, EVENT_ARTIFACT, EVENT_CHECK, EVENT_SPAN };

/* Strings live until the callback returns. */
struct event {
	enum event_type type;
	const char *name;    /* metric, check, span */
	const char *path;    /* artifact */
	const char *status;  /* check */
	const char *message; /* progress, check; may be NULL */
	const char *unit;    /* progress; may be NULL */
	double value;	     /* metric */
	double done;	     /* progress */
	double total;	     /* progress; < 0: not known */
	int64_t step;	     /* metric; INT64_MIN: none */
	int64_t start_us;    /* span */
	int64_t end_us;
	const struct json_t *json; /* the whole object */
	const char *line;	   /* its text */
	size_t len;
};

struct events {
	uint64_t offset;    /* bytes of the file taken so far */
	uint64_t count;	    /* events handed out */
	uint64_t malformed; /* lines that are no event */
	uint64_t unknown;   /* events of a type that we do not know */
	bool capped;	    /* EVENTS_FILE_MAX was passed: the rest is ignored */
	bool skipping;	    /* inside a line that is too long */
	char *part;	    /* an unfinished line */
	size_t npart;
	size_t cap;
};

typedef void event_fn(void *, const struct event *);

/**
 * events_feed(e, p, n, fn, ctx, err):
 * Take the next ${n} bytes of the file and call ${fn}(${ctx}, event) for each whole event.
 * A zeroed ${e} is at the start.  Return 0, or -1 if memory ran out.
 */
int events_feed(struct events *, const char *, size_t, event_fn *, void *, struct err *);

/**
 * events_poll(e, dirfd, fn, ctx, err):
 * Feed what the `events` file of the attempt directory ${dirfd} has gained since the last
 * call, at most 1 MiB of it; no file is no events.  Return 1 if there may be more at once, 0
 * if that was all, -1 on failure.
 */
int events_poll(struct events *, int, event_fn *, void *, struct err *);

/**
 * events_finish(e, fn, ctx):
 * The task has ended: take a last line without a newline too.
 */
int events_finish(struct events *, event_fn *, void *, struct err *);

/**
 * events_release(e):
 * Free what ${e} holds, keeping its numbers.
 */
void events_release(struct events *);

#endif
