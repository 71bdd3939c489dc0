#ifndef DAG_CLI_OUTBOX_H
#define DAG_CLI_OUTBOX_H
/*
 * Output that perhaps nobody reads.  A thread does the writing, so a terminal that was stopped
 * (Ctrl-S), a reader that is slow, or a pty that everybody has forgotten holds up nobody but
 * itself.
 */
#include <stddef.h>

struct err;
struct outbox;

/**
 * outbox_new(fd, max, err):
 * Write to ${fd}, keeping at most ${max} bytes that are not written yet.  Return NULL with
 * ${err} on failure.
 */
struct outbox *outbox_new(int, size_t, struct err *);

/**
 * outbox_put(o, p, n):
 * Take ${n} bytes to be written behind all that came before, whole or not at all.  Never
 * waits.  Return 0; or -1 with errno: ENOBUFS, there is too much already; or what made writing
 * fail, and then nothing is written any more.
 */
int outbox_put(struct outbox *, const char *, size_t);

/**
 * outbox_pending(o):
 * Return how many bytes are not written yet.
 */
size_t outbox_pending(struct outbox *);

/**
 * outbox_drain(o, quiet_ms):
 * Wait until all is written, as long as something is written every ${quiet_ms} (negative:
 * however long it takes).  Return 0, or -1 with errno (ETIMEDOUT: nobody reads).
 */
int outbox_drain(struct outbox *, int);

/**
 * outbox_free(o):
 * Write what is left, as long as it takes, unless writing has failed or outbox_drain has given
 * up: then the thread is left to itself, and the descriptor stays its own: whoever closed it
 * could have the thread write to what is opened next.  NULL allowed.
 */
void outbox_free(struct outbox *);

#endif
