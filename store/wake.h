#ifndef DAG_STORE_WAKE_H
#define DAG_STORE_WAKE_H
/*
 * How processes of one project wake each other: `.dag/waiters/` has a FIFO for each that
 * listens, and who has something for them writes a byte into every one.  Nobody depends on it
 * (whoever waits also looks once a second), so nothing here fails.  Not inotify: to close a
 * watch costs a grace period of the kernel, 15 ms at the end of each `dag run`.
 */
#include "base/uuid.h"

struct project;

struct waiter {
	int fd;	 /* becomes readable when somebody wakes us; -1: cannot be woken */
	int dir; /* .dag/waiters, or -1 */
	char name[UUID_TEXT];
};

/**
 * wake_listen(p, w):
 * Listen from now on.  Where that cannot be had (no descriptors, a file system without FIFOs)
 * the descriptor of ${w} is -1, and the rest of the functions do nothing with it.
 */
void wake_listen(const struct project *, struct waiter *);

/**
 * wake_drain(w):
 * Forget the wakes so far: the descriptor is readable again only after the next.
 */
void wake_drain(const struct waiter *);

/**
 * wake_close(w):
 * Listen no more; ${w} may be used again by wake_listen only.
 */
void wake_close(struct waiter *);

/**
 * wake_others(p, self):
 * Wake all who listen, but not ${self} (may be NULL), so that they look at the database.  What
 * a process that was killed left behind is removed.
 */
void wake_others(const struct project *, const struct waiter *);

#endif
