#ifndef DAG_CLI_PROGRESS_INT_H
#define DAG_CLI_PROGRESS_INT_H
/*
 * Inside progress*.c: what the ways of watching share.
 */
#include "base/buf.h"
#include "cli/progress.h"
#include "scheduler/session.h"

struct outbox;

#define STREAM_MAX ((size_t)64 << 20) /* of lines that nobody has read yet */

struct progress {
	struct cli *c;
	enum progress_mode mode;
	int fd;
	bool color;
	struct session_observer observer;
	struct session *session;
	struct outbox *out,
	    *messages;	 /* what people are told besides; perhaps the same */
	uint64_t lost;	 /* lines that nobody read and that were dropped */
	int64_t next_us; /* not before that is the table drawn again */
	struct live_term *term;
	struct session_task *tasks; /* room for those of all runs */
	struct session_run *runs;
	struct live_run *rows;
	size_t ntasks_max, nruns_max;
	struct told *told; /* JSON: of each run, what its tasks have reported */
	size_t ntold;
	size_t began; /* runs, as far as plain lines have told of them */
	struct buf text;
};

/* Observers; their ctx is a struct progress. */
extern const struct session_observer progress_plain_observer;
extern const struct session_observer progress_json_observer;
extern const struct session_observer progress_none_observer;

/**
 * progress_flush(p):
 * Hand over what is in p->text, or note that it is lost: a run does not wait for readers.
 */
void progress_flush(struct progress *);

/**
 * progress_json_free(p):
 * Free what the JSON lines remember.
 */
void progress_json_free(struct progress *);

#endif
