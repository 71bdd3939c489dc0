#ifndef DAG_CLI_LIVE_INT_H
#define DAG_CLI_LIVE_INT_H
/*
 * Inside live_*.c: lines that are cut to their width, and the row of one task.
 */
#include "cli/live.h"

#define NAME_MIN   8
#define STATUS_LEN 16 /* "failed (allowed)" */
#define TIME_LEN   7

/* Terminals below this width get short words and no more than a line holds. */
#define NARROW	      50
#define STATUS_NARROW 9

/* In which order tasks are shown when not all of them fit. */
enum live_rank { RANK_ACTIVE, RANK_FAILED, RANK_RETRY, RANK_READY, RANK_REST };

/* One line being written: what still fits. */
struct live_line {
	struct buf *out;
	unsigned left;
	bool color;
};

/**
 * line_put(l, text, ansi), line_field(l, text, width, ansi), line_gap(l, n), line_end(l):
 * Append to the line: text as far as it fits, in a colour (may be NULL) if there are any;
 * the same cut or filled up to ${width} columns; ${n} blanks; its end.
 */
void line_put(struct live_line *, const char *, const char *);
void line_field(struct live_line *, const char *, unsigned, const char *);
void line_gap(struct live_line *, unsigned);
void line_end(struct live_line *);

/**
 * live_put_time(b, us, running):
 * Append a time for people, in whole seconds if it still goes by, so that a picture changes
 * once a second.
 */
void live_put_time(struct buf *, int64_t, bool);

/**
 * live_rank(t):
 * Return of which kind the task is.
 */
enum live_rank live_rank(const struct session_task *);

/**
 * live_put_task(v, r, t, name, out):
 * Append the row of a task, its name in ${name} columns.
 */
void live_put_task(const struct live_view *, const struct live_run *,
		   const struct session_task *, unsigned, struct buf *);

#endif
