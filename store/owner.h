#ifndef DAG_STORE_OWNER_H
#define DAG_STORE_OWNER_H
/*
 * Every run has exactly one owner at a time: who holds the lock of .dag/runs/RUN/owner and
 * wrote the run's current epoch.  The lock says whether an owner lives; the epoch keeps an
 * owner that lost it (its directory replaced, its lock file deleted) from writing.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct project;

/**
 * owner_take(p, run, err):
 * Make the run's directory where it is missing and take its owner lock, without waiting.
 * The file then holds our pid and start time.  Return the descriptor that holds the lock
 * (close-on-exec); -1 with ERR_BUSY if somebody has it; -1 otherwise.
 */
int owner_take(const struct project *, const char *, struct err *);

/**
 * owner_release(fd):
 * Give the lock up.
 */
void owner_release(int);

/* Who owns a run. */
struct owner_info {
	bool held;
	pid_t pid;	/* as the file says; 0 unknown */
	uint64_t start; /* its start time in clock ticks since boot */
	char state;	/* of /proc: 'T' stopped; 0 unknown */
};

/**
 * owner_look(p, run, out, err):
 * Tell who owns the run, without changing anything (a shared lock is tried and let go).
 * Return 0 or -1.
 */
int owner_look(const struct project *, const char *, struct owner_info *, struct err *);

#endif
