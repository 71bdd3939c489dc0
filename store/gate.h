#ifndef DAG_STORE_GATE_H
#define DAG_STORE_GATE_H
/*
 * The gate: writers of all processes queue on flock of .dag/write.lock around each
 * transaction.  The kernel wakes one waiter per release, in order; SQLite's own busy handler
 * sleeps and tries again, which with 50 writers is ten times slower at the 99th percentile.
 *
 * Waiting is a blocking flock in the caller's thread.  Who waits long is told by somebody
 * else: either the thread that asks gate_waiting (the writer's loop looks once a second
 * anyway), or, for a connection without one, a helper thread that is started at the first
 * wait, sleeps until the wait has lasted GATE_NOTICE_US and then calls the notice function.
 * An alarm signal would interrupt code that is not ours, and a loop of tries would lose the
 * place in the queue.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

#define GATE_NOTICE_US ((int64_t)2000000)

struct gate {
	int fd;
	char *path;	/* for messages */
	bool helped;	/* the helper thread runs */
	bool no_helper; /* its owner asks gate_waiting instead */
	pthread_t helper;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t cond;
	int64_t since; /* monotonic, start of the wait; 0: not waiting */
	bool stop;
	void (*notice)(void *, pid_t, char);
	void *ctx;
};

/**
 * gate_open(g, state_fd, state, err), gate_close(g):
 * Open (and make where missing) the lock file of the state directory.  Return 0 or -1.
 */
int gate_open(struct gate *, int, const char *, struct err *);
void gate_close(struct gate *);

/**
 * gate_lock(g, err), gate_try(g), gate_unlock(g):
 * Wait for the gate as long as it takes and write our pid into the file: 0 or -1.  Take it
 * only if it is free: whether it was.  Let it go.
 */
int gate_lock(struct gate *, struct err *);
bool gate_try(struct gate *);
void gate_unlock(struct gate *);

/**
 * gate_waiting(g, pid, state):
 * Tell, from any thread, whether gate_lock has been waiting for longer than GATE_NOTICE_US,
 * and for which process (0: unknown) in what /proc state.
 */
bool gate_waiting(struct gate *, pid_t *, char *);

/**
 * gate_notice(g, fn, ctx):
 * Have ${fn} called by the helper thread instead of printing a line.
 */
void gate_notice(struct gate *, void (*)(void *, pid_t, char), void *);

#endif
