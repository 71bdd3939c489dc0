#ifndef DAG_CLI_WATCH_H
#define DAG_CLI_WATCH_H
/*
 * Long work that blocks, in a thread of its own, while this one shows how far it is and hears
 * Ctrl-C.
 */
#include <stdbool.h>

struct cli;
struct err;
struct meter;

/* Does the work; returns 0, or -1 with the error.  Looks at the meter's wish to end. */
typedef int watch_fn(void *, struct meter *, struct err *);

/**
 * watch_work(c, quiet, m, fn, arg, signal, err):
 * Call ${fn}(${arg}, ${m}, ${err}) in a thread and wait for its end.  Meanwhile how far ${m} is
 * stands on stderr: on a terminal as one line that is drawn again and again, elsewhere as a
 * line every ten seconds; nothing with ${quiet}, and nothing of what is over at once.  The run
 * that this is an attempt of, if it is one, is told as well (progress_event.h).  The first
 * SIGINT or SIGTERM asks the work to end, by the meter, and says so; *${signal} is its number
 * (else 0).  The second ends the program with 128 + its number.  Return what ${fn} returned, or
 * -1 if there is no thread for it.
 */
int watch_work(struct cli *, bool, struct meter *, watch_fn *, void *, int *,
	       struct err *);

#endif
