#ifndef DAG_SCHEDULER_SESSION_H
#define DAG_SCHEDULER_SESSION_H
/*
 * A process that owns runs: the engine with its rim (libuv loop, writer thread, shims, owner
 * locks, signals).  `dag run`, `resume` and `retry` open one, add runs, and let it work until
 * all of them have ended; whoever wants to see what happens watches through an observer.
 *
 * An observer's functions are called in the thread of session_loop, never from inside another
 * session call, and must not call back into the session except where said.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/dag.h"
#include "store/state.h"

struct err;
struct jinja_dict;
struct project;
struct session;

/* How a task looks now; strings live until the next observer call. */
struct session_task {
	const char *name;
	int32_t map;
	bool selected;
	enum task_state state;
	enum task_result result;      /* of TASK_DONE */
	uint32_t attempt;	      /* number of the latest; 0: none yet */
	uint32_t tries, retries;      /* tries made in this round, retries allowed */
	const char *reason;	      /* why it is so, or "" */
	int64_t started_us, ended_us; /* wall, of the latest attempt; 0: not yet */
	int64_t elapsed_us;	      /* of the latest attempt, by the monotonic clock */
	int64_t next_try_us;	      /* TASK_UP_FOR_RETRY: wall */
	double done, total;	      /* of its last progress event; total 0: none */
	bool allow_failure;
	const uint32_t
	    *up; /* the tasks that it comes after, by their place in the file */
	size_t nup;
};

struct session_run {
	const char *id;
	const char *dag;
	const char *file;
	int64_t logical_us, started_us, ended_us;
	int64_t elapsed_us;
	enum run_state state;
	enum run_result result;
	const char *reason;
	size_t ntasks;
	bool resumed, retried;
};

enum session_notice {
	NOTICE_INFO,  /* "run 0193.. of demo was interrupted: dag resume 0193.." */
	NOTICE_WARN,  /* "waiting for the database: held by pid 17, which is stopped" */
	NOTICE_SIGNAL /* "stopping 2 tasks (Ctrl-C again to kill them)" */
};

struct session_observer {
	void *ctx;
	/* The run is durable and about to work.  May call session_run_view and
	 * session_task_view. */
	void (*run_began)(void *, const struct session_run *);
	/* A task changed; ends are durable when this is called. */
	void (*task_changed)(void *, const struct session_run *,
			     const struct session_task *);
	/* The run's end is durable. */
	void (*run_ended)(void *, const struct session_run *);
	void (*notice)(void *, enum session_notice, const char *);
	/* About every 100 ms and after changes: time to draw.  May call session_run_view and
	 * session_task_view.  NULL: not wanted (nothing wakes up for it then). */
	void (*tick)(void *);
	/* SIGWINCH: the terminal may have another size; SIGCONT (true): we were stopped, and
	 * others may have written on it.  NULL: not wanted. */
	void (*resized)(void *, bool);
};

struct session_config {
	unsigned jobs; /* -j; 0: the number of CPUs this process may use */
	bool
	    with_owner; /* tasks end with this process, however it ends: nobody would adopt them */
	const struct session_observer *observer; /* must outlive the session */
};

/**
 * session_open(p, cfg, out, err):
 * Start a session on project ${p} (which must outlive it).  Return 0 or -1.
 */
int session_open(const struct project *, const struct session_config *, struct session **,
		 struct err *);

struct session_request {
	const struct dag *dag; /* must outlive the session */
	const char *file; /* of the DAG, relative to the root (absolute outside it) */
	const struct jinja_dict *params;
	int64_t logical_us; /* 0: now */
	const bool *selected;
	bool fail_fast;
	struct dag_how how;
};

/**
 * session_run(s, req, id, err):
 * Create the run ${req} describes, own it and add it; its id goes to ${id} (37 bytes).  Return
 * 0 once it is durable, or -1.
 */
int session_run(struct session *, const struct session_request *, char *, struct err *);

/**
 * session_resume(s, run, err):
 * Take over the interrupted run with full id ${run}: adopt what lives, record what ended, go
 * on with the rest, by the snapshot it started with.  Return 0; 1 if the run has ended
 * already; -1 (ERR_BUSY: it has an owner, named with its pid and state).
 */
int session_resume(struct session *, const char *, struct err *);

/**
 * session_retry(s, run, from, err):
 * Run the failed, lost, cancelled and upstream_failed tasks of the ended run ${run} again, and
 * all that follow them; or what ${from} selects (a task's name or selectors; NULL: not) and all
 * that follow it.  Return
 * 0; 1 if there is nothing to do; -1 (ERR_BUSY as above).
 */
int session_retry(struct session *, const char *, const char *, struct err *);

/**
 * session_retry_latest(s, run, from, dag, err):
 * As session_retry, by ${dag} (which must outlive the session) instead of the definition that
 * the run has; from then on it is recorded as the run's.  What has succeeded stays, however it
 * is defined now.  The DAG must have the same name and the same tasks, and the run's params
 * must fit it (ERR_INVALID).
 */
int session_retry_latest(struct session *, const char *, const char *, const struct dag *,
			 struct err *);

/**
 * session_cancel_ownerless(s, run, err):
 * Take over the interrupted run ${run} only to stop what lives of it and end it cancelled.
 */
int session_cancel_ownerless(struct session *, const char *, struct err *);

/**
 * session_settle(s, err):
 * Look at the project's interrupted runs: record how their attempts ended and give one notice
 * each ("run R of Y was interrupted: dag resume R").  Launches nothing.  Return 0 or -1.
 */
int session_settle(struct session *, struct err *);

/**
 * session_loop(s, err):
 * Work until all runs have ended, or the process is told to stop.  Return the exit code: 0 all
 * runs succeeded; 1 one did not; 3 with ${err} when the session itself could not go on (its
 * attempts live on and the runs can be resumed); 129 after SIGHUP (likewise); 130 after SIGINT,
 * 143 after SIGTERM (runs cancelled).
 */
int session_loop(struct session *, struct err *);

/**
 * session_close(s):
 * Let everything go; NULL allowed.
 */
void session_close(struct session *);

/**
 * session_run_count(s), session_run_view(s, i, out), session_task_view(s, i, t, out):
 * How things stand, for drawing: the runs of the session, and the tasks of its i-th run in the
 * order of the file.
 */
size_t session_run_count(const struct session *);
void session_run_view(const struct session *, size_t, struct session_run *);
void session_task_view(const struct session *, size_t, size_t, struct session_task *);

#endif
