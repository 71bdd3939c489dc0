#ifndef DAG_CLI_LIVE_H
#define DAG_CLI_LIVE_H
/*
 * The live table of `dag run`: a pure function from how things stand to lines of text, and a
 * driver that keeps those lines in place on a terminal.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct session_run;
struct session_task;

/* One run of the picture. */
struct live_run {
	const struct session_run *run;
	const struct session_task *tasks; /* in the order of the file */
	size_t ntasks;
};

struct live_view {
	const struct live_run *runs;
	size_t nruns;
	int64_t now_us;		/* wall */
	unsigned width, height; /* of the terminal, at least 1 each */
	bool color;
};

/**
 * live_layout(v, out):
 * Append the picture: lines ended by a newline, at most v->height of them, none wider than
 * v->width columns.  Where all tasks fit they stand in the order of the file; else first what
 * runs, then what failed, what is tried again and what is ready, and the rest in numbers.
 */
void live_layout(const struct live_view *, struct buf *);

/* ---- the terminal ---- */

struct live_term;

/* Writes so many bytes, whole or not at all; return 0, or -1 with errno. */
typedef int live_write_fn(void *, const char *, size_t);

/**
 * live_term_new(fd, write, ctx), live_term_free(t):
 * Draw on the terminal ${fd} from where its cursor is, at the start of a line, by way of
 * write(ctx, ...), or with ${write} NULL straight.  Return NULL if memory runs out.  Nothing
 * about the terminal is changed, so nothing needs to be restored, however the program ends.
 */
struct live_term *live_term_new(int, live_write_fn *, void *);
void live_term_free(struct live_term *);

/**
 * live_term_size(t, width, height):
 * Tell how large the terminal is now.
 */
void live_term_size(struct live_term *, unsigned *, unsigned *);

/**
 * live_term_draw(t, text):
 * Put the lines of ${text} in place of those drawn before, in one write; lines that are the
 * same are passed over, and nothing is written if all are.  Return 0, or -1 with errno.
 */
int live_term_draw(struct live_term *, const char *);

/**
 * live_term_print(t, text):
 * Write lines that stay, above the picture, which must be drawn anew.  Return 0 or -1.
 */
int live_term_print(struct live_term *, const char *);

/**
 * live_term_resized(t, continued):
 * The terminal may have another size; or (${continued}) we come back to it after having been
 * stopped, and others have written on it: the picture is drawn anew from where the cursor is.
 */
void live_term_resized(struct live_term *, bool);

/**
 * live_term_end(t):
 * Leave the picture as it is and go to the line below it.
 */
int live_term_end(struct live_term *);

#endif
