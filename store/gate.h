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
 * A loop of tries would lose the place in the queue.
 *
 * A wait ends early in two ways: gate_give_up interrupts that of another thread, by a signal
 * that only such a wait lets through; and a connection with patience (gate_patience) tries for
 * that long instead of queueing, for those who must not block and may come again.
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
	bool given_up;	     /* nobody waits any more */
	pthread_t waiter;    /* while since is not 0 */
	int64_t patience_us; /* 0: no end of it; the user's own thread's */
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
 * Wait for the gate as long as it takes (see above) and write our pid into the file: 0, or -1
 * with ERR_BUSY where the wait was given up.  Take it only if it is free: whether it was.  Let
 * it go.
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
 * gate_give_up(g):
 * From another thread than the one that uses ${g}: end a wait that has lasted for longer than
 * GATE_NOTICE_US, and all later ones.  To be called again and again until that thread has
 * ended: a signal may come just before the wait.
 */
void gate_give_up(struct gate *);

/**
 * gate_patience(g, us):
 * From now on wait for ${us} at most.
 */
void gate_patience(struct gate *, int64_t);

/**
 * gate_notice(g, fn, ctx):
 * Have ${fn} called by the helper thread instead of printing a line.
 */
void gate_notice(struct gate *, void (*)(void *, pid_t, char), void *);

#endif
